/*
 * Inside core/proof.
 */
#ifndef PUAN_CORE_PROOF_INTERNAL_H
#define PUAN_CORE_PROOF_INTERNAL_H

#include "core/proof/world.h"

/* Index of a case in the world. */
int puan_world_index(const struct puan_world *w,
                     const struct puan_world_case *c);
/* Plays a list of steps. */
PUAN_MUST_USE enum puan_status puan_world_steps(struct puan_world *w,
                                                const struct puan_node *list,
                                                struct puan_err *err);
/* As at the start of the scenario: no cases, no notices, its time. */
void puan_world_fresh(struct puan_world *w);

#endif
