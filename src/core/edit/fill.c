/*
 * Values for given cells one by one, never losing that the rest can be filled.
 */
#include "base/arena.h"
#include "core/edit/open.h"

struct puan_fill {
    struct puan_open *o;
    const struct puan_localiser *l;
    struct puan_arena *a;
    uint32_t *unit, n;
    struct puan_open_cell *may;  /* by cell: what has been decided so far */
    struct puan_open_cell *held; /* by cell: the repair met last */
    struct puan_open_cell *spare;
    uint64_t budget; /* of one question */
};

static const struct puan_open_item *info(const struct puan_fill *f, uint32_t c)
{
    return &f->l->item[f->o->at[c].entity][f->o->at[c].item];
}

static uint32_t part_of(const struct puan_fill *f, uint32_t unit, uint16_t i)
{
    const struct puan_open_item *it = info(f, unit);

    return i < it->n_facts ? unit - f->o->at[unit].item + it->fact[i] : unit;
}

/* Sets the open cells to what `may` says and looks for values. */
static enum puan_status attempt(enum puan_fill_state *state,
                                struct puan_fill *f)
{
    struct puan_open_conflicts none = { 0 };
    enum puan_open_answer a;

    for (uint32_t k = 0; k < f->n; k++)
        for (uint16_t i = 0; i <= info(f, f->unit[k])->n_facts; i++) {
            uint32_t c = part_of(f, f->unit[k], i);

            puan_open_set(f->o, c, f->may[c]);
        }
    f->o->runs = 0;
    f->o->budget = f->budget;
    a = puan_open_search(f->o, &none, f->unit, f->n);
    if (a == PUAN_OPEN_NOMEM)
        return puan_arena_check(f->a, f->o->err);
    *state = a == PUAN_OPEN_SAT     ? PUAN_FILL_YES
             : a == PUAN_OPEN_UNSAT ? PUAN_FILL_NO
                                    : PUAN_FILL_BUDGET;
    if (a != PUAN_OPEN_SAT)
        return PUAN_OK;
    puan_open_pick(f->o, f->unit, f->n);
    for (uint32_t k = 0; k < f->n; k++)
        for (uint16_t i = 0; i <= info(f, f->unit[k])->n_facts; i++) {
            uint32_t c = part_of(f, f->unit[k], i);

            f->held[c] = f->o->now[c];
        }
    return PUAN_OK;
}

/* Does a rule fail that reads none of the open cells? */
static bool fails_elsewhere(struct puan_fill *f)
{
    for (uint32_t i = 0; i < f->o->n_instances; i++)
        if (f->o->instance[i].rule != UINT32_MAX &&
            puan_open_judge(f->o, i) == PUAN_OPEN_FAILS)
            return true;
    return false;
}

enum puan_status
puan_fill_open(struct puan_fill **out, enum puan_fill_state *state,
               const struct puan_localiser *l, const struct puan_record *r,
               const struct puan_cell *cell, size_t n, uint64_t budget,
               struct puan_arena *a, struct puan_err *err)
{
    struct puan_fill *f = puan_new(a, struct puan_fill);
    enum puan_status st = puan_arena_check(a, err);

    if (st != PUAN_OK || !f)
        return st;
    f->l = l;
    f->a = a;
    f->budget = budget ? budget : PUAN_LOCALISE_BUDGET;
    st = puan_open_begin(&f->o, l, r, f->budget, a, err);
    if (st != PUAN_OK)
        return st;
    f->unit = puan_new_n(a, n, uint32_t);
    f->may = puan_new_n(a, f->o->n_cells, struct puan_open_cell);
    f->held = puan_new_n(a, f->o->n_cells, struct puan_open_cell);
    f->spare = puan_new_n(a, f->o->n_cells, struct puan_open_cell);
    if (a->failed)
        return puan_arena_check(a, err);
    for (size_t k = 0; k < n; k++) {
        uint32_t c;

        if (cell[k].entity >= r->form->n_entities ||
            cell[k].row >= r->rows[cell[k].entity].n ||
            cell[k].item >= r->form->entity[cell[k].entity].n_items)
            return puan_fail(err, PUAN_EBUG, "fill", "no such cell");
        c = f->o->base[cell[k].entity] +
            cell[k].row * r->form->entity[cell[k].entity].n_items +
            cell[k].item;
        if (!l->item[cell[k].entity][cell[k].item].answer)
            return puan_fail(err, PUAN_EBUG, "fill", "the cell is no answer");
        f->unit[f->n++] = c;
        puan_open_unit(f->o, c);
        for (uint16_t i = 0; i <= info(f, c)->n_facts; i++)
            f->may[part_of(f, c, i)] = f->o->full[part_of(f, c, i)];
    }
    *out = f;
    if (fails_elsewhere(f)) {
        *state = PUAN_FILL_NO;
        return PUAN_OK;
    }
    return attempt(state, f);
}

enum puan_status puan_fill_try(enum puan_fill_state *state, struct puan_fill *f,
                               size_t k, enum puan_state st, int64_t value,
                               struct puan_err *err)
{
    uint32_t c = f->unit[k];
    const struct puan_open_item *it = info(f, c);
    struct puan_open_cell was = f->may[c], to = was;
    enum puan_status s;

    *state = PUAN_FILL_NO;
    if (st == PUAN_GIVEN) {
        to = (struct puan_open_cell){ value, value, PUAN_OPEN_VALUE };
        if (it->text || !(f->o->full[c].can & PUAN_OPEN_VALUE) ||
            (it->codes ? !puan_code_by_value(it->codes, value)
                       : value < it->lo || value > it->hi))
            return PUAN_OK;
    } else if (st == PUAN_NOT_ASKED) {
        to.can = f->o->was[c].states & PUAN_MAY_EMPTY ? PUAN_OPEN_AS_IS
                                                      : PUAN_OPEN_EMPTY;
        if (!(f->o->full[c].can & to.can))
            return PUAN_OK;
    } else {
        return puan_fail(err, PUAN_EBUG, "fill", "no state to fill in");
    }
    f->may[c] = to;
    s = attempt(state, f);
    if (s != PUAN_OK || *state != PUAN_FILL_YES)
        f->may[c] = was;
    return s;
}

/* Cuts a range to codes of the list; false: none is in it. */
static bool tighten(const struct puan_open_item *it, struct puan_open_cell *x)
{
    bool any = false;
    int64_t lo = x->lo, hi = x->hi;

    if (!it->codes)
        return lo <= hi;
    for (size_t i = 0; i < it->codes->n; i++) {
        int64_t v = it->codes->codes[i].value;

        if (v < lo || v > hi)
            continue;
        x->lo = any ? x->lo : v;
        x->hi = v;
        any = true;
    }
    return any;
}

enum puan_status puan_fill_forced(enum puan_fill_state *state,
                                  struct puan_fill *f, size_t k,
                                  struct puan_err *err)
{
    uint32_t c = f->unit[k];
    struct puan_open_cell was = f->may[c], held = f->held[c];
    struct puan_open_cell other[5];
    size_t n = 0;

    (void)err;
    for (unsigned bit = 1; bit <= PUAN_OPEN_AS_IS; bit <<= 1)
        if (was.can & bit && !(held.can & bit)) {
            other[n] = was;
            other[n++].can = (uint8_t)bit;
        }
    if (held.can == PUAN_OPEN_VALUE && !info(f, c)->text) {
        other[n] =
            (struct puan_open_cell){ was.lo, held.lo - 1, PUAN_OPEN_VALUE };
        n += held.lo > was.lo && tighten(info(f, c), &other[n]);
        other[n] =
            (struct puan_open_cell){ held.lo + 1, was.hi, PUAN_OPEN_VALUE };
        n += held.lo < was.hi && tighten(info(f, c), &other[n]);
    }
    memcpy(f->spare, f->held, f->o->n_cells * sizeof(*f->held));
    *state = PUAN_FILL_YES;
    for (size_t i = 0; i < n; i++) {
        enum puan_fill_state s = PUAN_FILL_BUDGET;
        enum puan_status st;

        f->may[c] = other[i];
        st = attempt(&s, f);
        f->may[c] = was;
        if (st != PUAN_OK)
            return st;
        if (s == PUAN_FILL_YES) {
            *state = PUAN_FILL_NO;
            break;
        }
        if (s == PUAN_FILL_BUDGET)
            *state = PUAN_FILL_BUDGET;
    }
    memcpy(f->held, f->spare, f->o->n_cells * sizeof(*f->held));
    return PUAN_OK;
}

enum puan_status puan_fill_done(struct puan_record *out, struct puan_fill *f,
                                struct puan_err *err)
{
    struct puan_findings found;
    enum puan_status st;

    for (uint32_t k = 0; k < f->n; k++)
        for (uint16_t i = 0; i <= info(f, f->unit[k])->n_facts; i++) {
            uint32_t c = part_of(f, f->unit[k], i);

            puan_open_set(f->o, c, f->held[c]);
        }
    st = puan_open_record(out, f->o, f->a, err);
    if (st == PUAN_OK)
        st = puan_ruleset_run(&found, f->l->rs, out, f->a, err);
    if (st == PUAN_OK && found.any_hard)
        st = puan_fail(err, PUAN_EBUG, "fill",
                       "the repair fails a hard rule when run");
    return st;
}
