/*
 * The rows of kept edits as the store sees them, and the routes.  Of this
 * folder only.
 */
#ifndef PUAN_FEATURES_EDIT_TABLES_H
#define PUAN_FEATURES_EDIT_TABLES_H

#include "features/host/feature.h"

#define PUAN_EDIT_STEPS 2
extern const struct puan_schema_step puan_edit_schema[PUAN_EDIT_STEPS];
#define PUAN_EDIT_COVERED 3
extern const struct puan_covered puan_edit_covered[PUAN_EDIT_COVERED];
#define PUAN_EDIT_ROUTES 4
extern const struct puan_route puan_edit_routes[PUAN_EDIT_ROUTES];

#endif
