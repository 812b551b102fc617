/*
 * Routes of the check feature: catalogue of rules, trial of a rule.  Of this
 * folder only.
 */
#ifndef PUAN_FEATURES_CHECK_ROUTES_H
#define PUAN_FEATURES_CHECK_ROUTES_H

#include "core/plan/plan.h"
#include "features/host/request.h"

struct puan_rules_in {
    int64_t area;
};
struct puan_rules_try_in {
    int64_t area;
    struct puan_str form, text;
};
enum puan_status puan_rules_get(struct puan_request *rq, const void *in,
                                struct puan_err *err);
/* {"fault":…} when the text is wrong, else what the rule finds. */
enum puan_status puan_rules_try(struct puan_request *rq, const void *in,
                                struct puan_err *err);

#endif
