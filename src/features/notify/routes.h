/*
 * Inside features/notify: the rows of its requests.
 */
#ifndef PUAN_FEATURES_NOTIFY_ROUTES_H
#define PUAN_FEATURES_NOTIFY_ROUTES_H

#include "features/host/feature.h"

#define PUAN_NOTIFY_ROUTES 7
extern const struct puan_route puan_notify_routes[PUAN_NOTIFY_ROUTES];

#endif
