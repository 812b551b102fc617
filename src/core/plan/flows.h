/*
 * What a plan offers to its workflows: roles, levels, settings, office hours.
 *
 * Depends on: plan, flow.
 */
#ifndef PUAN_CORE_PLAN_FLOWS_H
#define PUAN_CORE_PLAN_FLOWS_H

#include "core/flow/flow.h"
#include "core/plan/plan.h"

/* Fills *env for puan_flow_load; it borrows from the plan and the arena. */
PUAN_MUST_USE enum puan_status puan_plan_flow_env(struct puan_flow_env *env,
                                                  const struct puan_plan *p,
                                                  struct puan_arena *a,
                                                  struct puan_err *err);

#endif
