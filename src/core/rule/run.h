/*
 * The record executor's state, for the files that start it.  Inside of
 * core/rule only.
 */
#ifndef PUAN_CORE_RULE_RUN_H
#define PUAN_CORE_RULE_RUN_H

#include "core/rule/ops.h"

struct puan_rule_run {
    const struct puan_record *r;
    const struct puan_range *range;
    const int64_t *v[3]; /* by enum puan_src: items of the row */
    const uint8_t *st[3];
    const struct puan_str *txt[3];
    uint32_t row[3];
    struct puan_val **column; /* derived items: by column, then row */
    const struct puan_lookup *const *table;
};

/* Sets the row that a source reads. */
static inline void puan_rule_place(struct puan_rule_run *x, enum puan_src src,
                                   uint16_t entity, uint32_t row)
{
    const struct puan_rows *rows = &x->r->rows[entity];
    size_t at = (size_t)row * x->r->form->entity[entity].n_items;

    x->row[src] = row;
    x->v[src] = rows->v + at;
    x->st[src] = rows->st + at;
    x->txt[src] = rows->txt ? rows->txt + at : NULL;
}
/* Is this one test of an item known to be false?  Else it must be run. */
static inline bool puan_rule_plainly_false(const struct puan_rule_run *x,
                                           const struct puan_ins *i)
{
    int64_t v = x->v[i->src][i->x];
    uint8_t st = x->st[i->src][i->x];

    if (i->op == PUAN_OP_STATE)
        return !(i->k >> (st & 3) & 1);
    if (st != PUAN_GIVEN)
        return false;
    if (i->op == PUAN_OP_ITEM_CMP)
        return !compares(v, i->k, i->y);
    return i->op == PUAN_OP_ITEM_MASK && in_mask(v, i->k) == (i->y != 0);
}

/* Runs n instructions; the result is regs[0]. */
void puan_rule_exec(struct puan_rule_run *x, const struct puan_ins *i, size_t n,
                    struct puan_val *regs);

#endif
