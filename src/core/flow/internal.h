/*
 * Inside core/flow: what run.c and look.c share.
 */
#ifndef PUAN_CORE_FLOW_INTERNAL_H
#define PUAN_CORE_FLOW_INTERNAL_H

#include "core/flow/look.h"

/* A guard over these fields (of the run, or as an act would leave them). */
enum puan_truth puan_flow_truth(const struct puan_expr *e,
                                const struct puan_flow_run *run,
                                const struct puan_flow_value *v, int64_t at_ms,
                                const struct puan_flow_world *w);
bool puan_flow_given(int64_t *v, const struct puan_flow_world *w,
                     struct puan_str name);
bool puan_flow_approval_good(const struct puan_flow_run *run, int approval,
                             int64_t at_ms);
/* The seat of the approval that a signature of `who` would fill, or -1. */
int puan_flow_signing_seat(const struct puan_flow_run *run, int approval,
                           const struct puan_flow_who *who);

#endif
