/*
 * All workflows of a plan, loaded against its roles, levels and settings.
 *
 * Depends on: flow, plan.  Does no I/O.
 */
#ifndef PUAN_CORE_FLOW_FLOWS_H
#define PUAN_CORE_FLOW_FLOWS_H

#include "core/flow/flow.h"
#include "core/plan/plan.h"

struct puan_flows {
    const struct puan_flow *const *flow; /* by name of the file's path */
    size_t n;
};

/*
 * Loads every file of plan->flows.  The first fault ends it; err names file,
 * line and column.  A flow name may stand in one file only, also across packs.
 */
PUAN_MUST_USE enum puan_status puan_flows_load(struct puan_flows *out,
                                               const struct puan_plan *plan,
                                               struct puan_arena *a,
                                               struct puan_err *err);
/* By name, or NULL. */
const struct puan_flow *puan_flows_get(const struct puan_flows *f,
                                       struct puan_str name);

#endif
