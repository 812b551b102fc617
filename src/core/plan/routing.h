/*
 * Which items of a form are asked: its asked_if expressions, compiled.
 * Shared by everything that reads a return: the tablet, ingest, batch checks.
 *
 * A routing never changes once compiled.  Depends on: form, rule.
 */
#ifndef PUAN_CORE_PLAN_ROUTING_H
#define PUAN_CORE_PLAN_ROUTING_H

#include "core/rule/rule.h"

struct puan_routing;

/* Every failure goes to `problems` (may be NULL); err gets the first. */
PUAN_MUST_USE enum puan_status
puan_routing_compile(struct puan_routing **out, const struct puan_form *form,
                     const struct puan_const *consts, size_t n_consts,
                     struct puan_problems *problems, struct puan_arena *a,
                     struct puan_err *err);

/*
 * Turns NOT_ASKED into MISSING (no reason) where the item should have been
 * asked: it has no asked_if, or its asked_if is true.  An asked_if that cannot
 * be decided (what it reads is missing, or was not asked itself) asks nothing.
 * Item by item in the form's order, so that later ones see it.  An answer that
 * is there stays, also where it should not be: rules say so.  An optional item
 * (required: false) that is absent stays NOT_ASKED.
 */
void puan_routing_apply(const struct puan_routing *routing,
                        struct puan_record *r);

/* Should this cell be asked, by the answers there are? */
enum puan_truth puan_routing_asked(const struct puan_routing *routing,
                                   const struct puan_record *r, uint16_t entity,
                                   uint32_t row, uint16_t item);

/*
 * When an item is asked: NULL for always.  *required as in the form: an absent
 * answer to a required item that is asked is MISSING.
 */
const struct puan_expr *puan_routing_when(const struct puan_routing *routing,
                                          uint16_t entity, uint16_t item,
                                          bool *required);

#endif
