/*
 * One return with open cells: instances and their scopes, verdicts,
 * explanations, and the repaired return.
 */
#include "core/edit/open.h"

#include "base/arena.h"

static const struct puan_open_item *info(const struct puan_open *o, uint32_t c)
{
    return &o->l->item[o->at[c].entity][o->at[c].item];
}

static uint32_t cell_of(const struct puan_open *o, uint16_t entity,
                        uint32_t row, uint16_t item)
{
    return o->base[entity] + row * o->r->form->entity[entity].n_items + item;
}

bool puan_open_changeable(const struct puan_open *o, uint32_t unit)
{
    return info(o, unit)->weight > 0;
}

/* ---- cells ---- */

static void put(struct puan_open *o, uint32_t c)
{
    const struct puan_open_cell *n = &o->now[c];
    struct puan_may m = { .text = PUAN_MAY_SAME };

    if (n->can == PUAN_OPEN_AS_IS) {
        o->may[c] = o->was[c];
        return;
    }
    if (n->can & PUAN_OPEN_AS_IS) {
        m = o->was[c];
        if (n->can & PUAN_OPEN_VALUE && m.states & PUAN_MAY_STATE(PUAN_GIVEN)) {
            m.lo = m.lo < n->lo ? m.lo : n->lo;
            m.hi = m.hi > n->hi ? m.hi : n->hi;
        } else if (n->can & PUAN_OPEN_VALUE) {
            m.lo = n->lo;
            m.hi = n->hi;
        }
    } else {
        m.lo = n->lo;
        m.hi = n->hi;
    }
    if (n->can & PUAN_OPEN_VALUE) {
        m.states |= PUAN_MAY_STATE(PUAN_GIVEN);
        if (info(o, c)->text)
            m.text = n->can & PUAN_OPEN_AS_IS ? PUAN_MAY_SAME | PUAN_MAY_OTHER
                                              : PUAN_MAY_OTHER;
    }
    if (n->can & PUAN_OPEN_EMPTY)
        m.states |= PUAN_MAY_EMPTY;
    o->may[c] = m;
}

void puan_open_set(struct puan_open *o, uint32_t cell, struct puan_open_cell to)
{
    o->now[cell] = to;
    put(o, cell);
    puan_may_changed(o->run);
}

static void unit_becomes(struct puan_open *o, uint32_t unit,
                         const struct puan_open_cell *to)
{
    const struct puan_open_item *it = info(o, unit);
    uint32_t row = unit - o->at[unit].item;

    o->now[unit] = to ? to[unit] : (struct puan_open_cell){ .can = 4 };
    put(o, unit);
    for (uint16_t i = 0; i < it->n_facts; i++) {
        uint32_t c = row + it->fact[i];

        o->now[c] = to ? to[c] : (struct puan_open_cell){ .can = 4 };
        put(o, c);
    }
    puan_may_changed(o->run);
}

void puan_open_unit(struct puan_open *o, uint32_t cell)
{
    unit_becomes(o, o->unit[cell], o->full);
}

void puan_open_close(struct puan_open *o, uint32_t cell)
{
    unit_becomes(o, o->unit[cell], NULL);
}

static bool in_domain(const struct puan_open_item *it, int64_t v)
{
    if (it->codes)
        return puan_code_by_value(it->codes, v) != NULL;
    return v >= it->lo && v <= it->hi;
}

/* What a cell is in the return, and what it may become. */
static void first_look(struct puan_open *o, uint32_t c)
{
    struct puan_cell at = o->at[c];
    const struct puan_rows *rows = &o->r->rows[at.entity];
    size_t i = (size_t)at.row * o->r->form->entity[at.entity].n_items + at.item;
    const struct puan_open_item *it = info(o, c);
    const struct puan_may_asked *q = &o->l->asked[at.entity][at.item];
    bool fact = it->owner != at.item;
    struct puan_may *m = &o->was[c];
    bool value;

    *m = (struct puan_may){ .lo = rows->v[i],
                            .hi = rows->v[i],
                            .states = (uint8_t)PUAN_MAY_STATE(rows->st[i]),
                            .text = PUAN_MAY_SAME };
    if (rows->st[i] == PUAN_MISSING)
        m->reason = (int32_t)rows->v[i];
    if (o->l->routing && it->answer) {
        bool routed =
            rows->st[i] == PUAN_MISSING && m->reason == 0 && q->required &&
            (!q->when || puan_expr_truth(q->when, o->r, at.row) == PUAN_TRUE);

        if (routed || rows->st[i] == PUAN_NOT_ASKED)
            m->states = PUAN_MAY_EMPTY; /* routing says which, again */
    }
    value = rows->st[i] == PUAN_GIVEN && !it->text && in_domain(it, rows->v[i]);
    o->full[c] = (struct puan_open_cell){
        .lo = it->lo,
        .hi = it->hi,
        .can = PUAN_OPEN_VALUE,
    };
    if (!value)
        o->full[c].can |= PUAN_OPEN_AS_IS;
    if (it->may_empty && !fact && !(m->states & PUAN_MAY_EMPTY))
        o->full[c].can |= PUAN_OPEN_EMPTY;
    o->now[c] = (struct puan_open_cell){ .can = PUAN_OPEN_AS_IS };
    o->may[c] = *m;
}

/* ---- instances ---- */

static void add_scope(struct puan_open *o, uint32_t c, uint32_t *n)
{
    if (o->stamp[c] == o->round)
        return;
    o->stamp[c] = o->round;
    if (o->scope)
        o->scope[*n] = c;
    ++*n;
}

/* The cells that one read of a rule of `entity` at `row` stands for. */
static void add_read(struct puan_open *o, const struct puan_may_read *x,
                     uint16_t entity, uint32_t row, uint32_t *n)
{
    uint32_t rows = o->r->rows[x->entity].n;
    uint32_t own = x->entity == entity ? row : 0;

    for (uint32_t i = x->all ? 0 : own; i < (x->all ? rows : own + 1); i++)
        if (i < rows)
            add_scope(o, cell_of(o, x->entity, i, x->item), n);
}

/* Lists instances; the first pass counts, the second has the memory.  False:
   a unit of so many rows that rules over all of them read too much. */
static bool list_instances(struct puan_open *o, uint32_t *n_scope)
{
    uint32_t n = 0, at = 0;

    for (size_t k = 0; k < o->l->n_rules; k++) {
        const struct puan_open_rule *q = &o->l->rule[k];

        for (uint32_t row = 0; row < o->r->rows[q->entity].n; row++) {
            uint32_t from = at;

            o->round++;
            for (size_t i = 0; i < q->n_reads; i++)
                add_read(o, &q->read[i], q->entity, row, &at);
            if (o->instance)
                o->instance[n] = (struct puan_open_instance){
                    .row = row, .rule = (uint32_t)k, .from = from, .to = at
                };
            n++;
            if (at > PUAN_OPEN_SCOPE)
                return false;
        }
    }
    for (uint32_t c = 0; c < o->n_cells; c++) {
        struct puan_cell p = o->at[c];
        const struct puan_may_asked *q = &o->l->asked[p.entity][p.item];
        uint32_t from = at;

        if (!(o->full[c].can & PUAN_OPEN_EMPTY) || !q->required ||
            !o->l->routing || !puan_open_changeable(o, o->unit[c]))
            continue;
        o->round++;
        add_scope(o, c, &at);
        for (size_t i = 0; i < o->l->n_asked_read[p.entity][p.item]; i++)
            add_read(o, &o->l->asked_read[p.entity][p.item][i], p.entity, p.row,
                     &at);
        if (o->instance)
            o->instance[n] = (struct puan_open_instance){ .row = p.row,
                                                          .rule = UINT32_MAX,
                                                          .cell = c,
                                                          .from = from,
                                                          .to = at };
        n++;
    }
    o->n_instances = n;
    *n_scope = at;
    return at <= PUAN_OPEN_SCOPE;
}

static void index_instances(struct puan_open *o, uint32_t *next)
{
    for (uint32_t i = 0; i < o->n_instances; i++)
        for (uint32_t k = o->instance[i].from; k < o->instance[i].to; k++)
            o->of_at[o->scope[k] + 1]++;
    for (uint32_t c = 0; c < o->n_cells; c++) {
        o->of_at[c + 1] += o->of_at[c];
        next[c] = o->of_at[c];
    }
    for (uint32_t i = 0; i < o->n_instances; i++)
        for (uint32_t k = o->instance[i].from; k < o->instance[i].to; k++)
            o->of[next[o->scope[k]]++] = i;
}

static enum puan_status cells_of(struct puan_open *o,
                                 const struct puan_record *r)
{
    struct puan_arena *a = o->arena;
    uint64_t n = 0;

    for (uint16_t e = 0; e < r->form->n_entities; e++) {
        o->base[e] = (uint32_t)n;
        n += (uint64_t)r->rows[e].n * r->form->entity[e].n_items;
    }
    if (n > UINT32_MAX / 4)
        return puan_fail(o->err, PUAN_ELIMIT, "localise", "too many rows");
    o->n_cells = (uint32_t)n;
    o->n_words = n / 64 + 1;
    o->may = puan_new_n(a, n, struct puan_may);
    o->was = puan_new_n(a, n, struct puan_may);
    o->now = puan_new_n(a, n, struct puan_open_cell);
    o->full = puan_new_n(a, n, struct puan_open_cell);
    o->save = puan_new_n(a, n, struct puan_open_cell);
    o->save_search = puan_new_n(a, n, struct puan_open_cell);
    o->spare = puan_new_n(a, o->n_words, uint64_t);
    o->at = puan_new_n(a, n, struct puan_cell);
    o->unit = puan_new_n(a, n, uint32_t);
    o->stamp = puan_new_n(a, n, uint32_t);
    o->list = puan_new_n(a, n, uint32_t);
    o->of_at = puan_new_n(a, n + 1, uint32_t);
    return puan_arena_check(a, o->err);
}

static enum puan_status instances_of(struct puan_open *o)
{
    struct puan_arena *a = o->arena;
    uint32_t n_scope, *next;

    if (!list_instances(o, &n_scope))
        return puan_fail(o->err, PUAN_ELIMIT, "localise",
                         "the unit has too many rows");
    o->instance = puan_new_n(a, o->n_instances, struct puan_open_instance);
    o->scope = puan_new_n(a, n_scope, uint32_t);
    o->of = puan_new_n(a, n_scope, uint32_t);
    o->settled = puan_new_n(a, o->n_instances, uint8_t);
    o->trail = puan_new_n(a, (size_t)o->n_instances + 1, uint32_t);
    o->stamp_i = puan_new_n(a, o->n_instances, uint32_t);
    next = puan_new_n(a, o->n_cells, uint32_t);
    if (a->failed)
        return puan_arena_check(a, o->err);
    (void)list_instances(o, &n_scope);
    index_instances(o, next);
    if (o->n_instances)
        memset(o->settled, 1, o->n_instances);
    return PUAN_OK;
}

enum puan_status puan_open_begin(struct puan_open **out,
                                 const struct puan_localiser *l,
                                 const struct puan_record *r, uint64_t budget,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_open *o = puan_new(a, struct puan_open);
    struct puan_may *cell[PUAN_FORM_ENTITIES] = { NULL };
    const struct puan_may_asked *asked[PUAN_FORM_ENTITIES] = { NULL };
    enum puan_status st;

    if (!o)
        return puan_arena_check(a, err);
    o->l = l;
    o->r = r;
    o->arena = a;
    o->err = err;
    o->budget = budget;
    st = cells_of(o, r);
    if (st != PUAN_OK)
        return st;
    for (uint16_t e = 0; e < r->form->n_entities; e++) {
        uint16_t width = r->form->entity[e].n_items;

        cell[e] = o->may + o->base[e];
        asked[e] = l->asked[e];
        for (uint32_t row = 0; row < r->rows[e].n; row++)
            for (uint16_t x = 0; x < width; x++) {
                uint32_t c = o->base[e] + row * width + x;

                o->at[c] = (struct puan_cell){ e, x, row };
                o->unit[c] = c - x + l->item[e][x].owner;
            }
    }
    for (uint32_t c = 0; c < o->n_cells; c++)
        first_look(o, c);
    st = instances_of(o);
    if (st == PUAN_OK)
        st = puan_may_open(&o->run, l->rs, r, cell, asked, a, err);
    *out = o;
    return st;
}

enum puan_open_verdict puan_open_judge(struct puan_open *o, uint32_t instance)
{
    const struct puan_open_instance *i = &o->instance[instance];
    unsigned t;

    o->runs++;
    if (i->rule != UINT32_MAX) {
        t = puan_may_rule(o->run, o->l->rule[i->rule].rule, i->row);
        return t == PUAN_MAY_FAIL  ? PUAN_OPEN_FAILS
               : t & PUAN_MAY_FAIL ? PUAN_OPEN_MAYBE
                                   : PUAN_OPEN_PASSES;
    }
    if (!(o->now[i->cell].can & PUAN_OPEN_EMPTY))
        return PUAN_OPEN_PASSES;
    t = 1u << PUAN_TRUE;
    if (o->l->asked[o->at[i->cell].entity][o->at[i->cell].item].when)
        t = puan_may_truth(
            o->run,
            o->l->asked[o->at[i->cell].entity][o->at[i->cell].item].when,
            i->row);
    if (!(t & 1u << PUAN_TRUE))
        return PUAN_OPEN_PASSES;
    return t == 1u << PUAN_TRUE && o->now[i->cell].can == PUAN_OPEN_EMPTY
               ? PUAN_OPEN_FAILS
               : PUAN_OPEN_MAYBE;
}

/* ---- explanations ---- */

static bool open_now(const struct puan_open *o, uint32_t unit)
{
    return o->now[unit].can != PUAN_OPEN_AS_IS;
}

static void keep_unit(struct puan_open *o, uint32_t unit, bool restore)
{
    const struct puan_open_item *it = info(o, unit);
    uint32_t row = unit - o->at[unit].item;

    for (uint16_t i = 0; i <= it->n_facts; i++) {
        uint32_t c = i < it->n_facts ? row + it->fact[i] : unit;

        if (restore)
            o->now[c] = o->save[c];
        else
            o->save[c] = o->now[c];
    }
    if (restore)
        unit_becomes(o, unit, o->now);
}

/* Units of the scope: those open first, for leaving them out reaches farthest
   back; then the closed ones. */
static uint32_t units_of(struct puan_open *o, uint32_t instance)
{
    const struct puan_open_instance *i = &o->instance[instance];
    uint32_t n = 0;

    o->round++;
    for (unsigned pass = 0; pass < 2; pass++)
        for (uint32_t k = i->from; k < i->to; k++) {
            uint32_t u = o->unit[o->scope[k]];

            if (o->stamp[u] == o->round || !puan_open_changeable(o, u) ||
                open_now(o, u) == (pass == 1))
                continue;
            o->stamp[u] = o->round;
            o->list[n++] = u;
        }
    return n;
}

void puan_open_explain(struct puan_open *o, uint32_t instance, uint64_t *set)
{
    uint32_t n = units_of(o, instance), relaxed = 0;
    bool asked = o->instance[instance].rule == UINT32_MAX;

    for (uint32_t k = 0; k < n; k++) {
        uint32_t u = o->list[k];

        keep_unit(o, u, false);
        if (asked && u == o->instance[instance].cell) {
            puan_set_add(set, u); /* it is its being empty that fails */
            continue;
        }
        unit_becomes(o, u, o->full);
        if (puan_open_judge(o, instance) == PUAN_OPEN_FAILS) {
            o->list[relaxed++] = u;
        } else {
            puan_set_add(set, u);
            keep_unit(o, u, true);
        }
    }
    for (uint32_t k = 0; k < relaxed; k++)
        keep_unit(o, o->list[k], true);
}

/* ---- the repaired return ---- */

/* Nearest value of the domain within lo..hi. */
static int64_t nearest(const struct puan_open_item *it, int64_t lo, int64_t hi,
                       int64_t to)
{
    int64_t best = lo;
    bool any = false;

    if (!it->codes)
        return to < lo ? lo : to > hi ? hi : to;
    for (size_t i = 0; i < it->codes->n; i++) {
        int64_t v = it->codes->codes[i].value;

        if (v < lo || v > hi)
            continue;
        if (!any ||
            (v > to ? v - to : to - v) < (best > to ? best - to : to - best))
            best = v;
        any = true;
    }
    return best;
}

static void pick_cell(struct puan_open *o, uint32_t c)
{
    struct puan_open_cell n = o->now[c];
    const struct puan_may_asked *q =
        &o->l->asked[o->at[c].entity][o->at[c].item];
    bool empty = n.can & PUAN_OPEN_EMPTY;

    if (empty && n.can & PUAN_OPEN_VALUE && q->required)
        empty = q->when && !(puan_may_truth(o->run, q->when, o->at[c].row) &
                             1u << PUAN_TRUE);
    if (empty) {
        n.can = PUAN_OPEN_EMPTY;
    } else if (n.can & PUAN_OPEN_VALUE) {
        n.can = PUAN_OPEN_VALUE;
        n.lo = n.hi = nearest(info(o, c), n.lo, n.hi, o->was[c].lo);
    }
    puan_open_set(o, c, n);
}

void puan_open_pick(struct puan_open *o, const uint32_t *unit, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) {
        const struct puan_open_item *it = info(o, unit[k]);

        pick_cell(o, unit[k]);
        for (uint16_t i = 0; i < it->n_facts; i++)
            pick_cell(o, unit[k] - o->at[unit[k]].item + it->fact[i]);
    }
}

enum puan_status puan_open_record(struct puan_record *out,
                                  const struct puan_open *o,
                                  struct puan_arena *a, struct puan_err *err)
{
    uint32_t n[PUAN_FORM_ENTITIES];
    enum puan_status st;

    for (uint16_t e = 0; e < o->r->form->n_entities; e++)
        n[e] = o->r->rows[e].n;
    st = puan_record_new(out, o->r->form, n, a, err);
    if (st != PUAN_OK)
        return st;
    for (uint32_t c = 0; c < o->n_cells; c++) {
        struct puan_cell p = o->at[c];
        const struct puan_rows *from = &o->r->rows[p.entity];
        struct puan_rows *to = &out->rows[p.entity];
        size_t i =
            (size_t)p.row * o->r->form->entity[p.entity].n_items + p.item;
        struct puan_open_cell x = o->now[c];

        if (x.can & PUAN_OPEN_AS_IS) {
            to->v[i] = from->v[i];
            to->st[i] = from->st[i];
            if (to->txt && from->txt)
                to->txt[i] = from->txt[i];
        } else if (x.can == PUAN_OPEN_VALUE) {
            to->st[i] = PUAN_GIVEN;
            to->v[i] = info(o, c)->text ? 0 : x.lo;
        } else if (!o->l->routing) {
            to->st[i] = PUAN_MISSING;
        }
        if (o->was[c].states & PUAN_MAY_EMPTY && x.can & PUAN_OPEN_AS_IS) {
            to->st[i] = PUAN_NOT_ASKED; /* routing says it again */
            to->v[i] = 0;
        }
    }
    if (o->l->routing)
        puan_routing_apply(o->l->routing, out);
    return PUAN_OK;
}
