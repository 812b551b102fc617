/*
 * What the files of this folder share.
 */
#ifndef PUAN_FEATURES_PLANS_INTERNAL_H
#define PUAN_FEATURES_PLANS_INTERNAL_H

#include "features/plans/plans.h"

struct puan_plan_form_in {
    struct puan_str form;
};

#define PUAN_PLAN_ROUTES 1
extern const struct puan_route puan_plan_routes[PUAN_PLAN_ROUTES];

enum puan_status puan_plan_forms_open(void **state, struct puan_store *st,
                                      struct puan_err *err);
void puan_plan_forms_close(void *state, struct puan_store *st);

#endif
