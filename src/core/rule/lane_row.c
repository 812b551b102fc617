/*
 * Any checked tree for one row of a frame, read as doc/rules.md says it: the
 * slow path of the lanes, and what their results are held against.
 */
#include "core/rule/lane.h"

typedef struct puan_ast_node ast;

struct place {
    const struct puan_lanes *l;
    int level; /* of the rule or derived item, and its row */
    uint64_t row;
    int inner; /* inside a quantifier: its entity and row, else -1 */
    uint64_t inner_row;
};

static val mean(const struct place *p, const ast *n);

static val stored(const struct puan_frame_item *it, uint64_t row)
{
    uint64_t s = puan_frame_stored(it, row);

    if (s < it->stop || it->n_states == 0)
        return known((int64_t)((uint64_t)it->base + s));
    return unknown(know_of(s - it->stop < it->n_states
                               ? (uint8_t)it->states[s - it->stop].state
                               : PUAN_INVALID));
}

/* The row of entity e that this place speaks of. */
static uint64_t row_of(const struct place *p, int e, unsigned src)
{
    const struct puan_frame *f = p->l->frame;
    bool own = p->inner < 0 || src == PUAN_SRC_OWN;
    int from = own ? p->level : p->inner;

    return lane_up(f, from, e, own ? p->row : p->inner_row);
}

static val item_at(const struct puan_lanes *l, uint16_t e, uint16_t item,
                   uint64_t row)
{
    const struct puan_frame *f = l->frame;
    const struct lane_source *s = &l->names.source[e][item];

    if (s->from == LANE_KEY) {
        uint64_t at = lane_first(f, e, s->entity, row);

        if (at == lane_first(f, e, s->entity, row + 1))
            return unknown(PUAN_UN_ASKED);
        return stored(&f->entity[s->entity].item[s->item], at);
    }
    return stored(&f->entity[e].item[s->item], row);
}

static val column_at(const struct puan_lanes *l, uint16_t column, uint64_t row)
{
    const struct puan_column *c = &l->rs->prog.column[column];

    return lane_row_value(l, c->tree, c->entity, row);
}

static val any_at(const struct place *p, const ast *x, uint64_t row)
{
    return x->ast == PUAN_AST_ITEM ? item_at(p->l, x->entity, x->item, row)
                                   : column_at(p->l, x->item, row);
}

static val leaf(const struct place *p, const ast *n)
{
    uint64_t row = row_of(p, n->entity, n->src);
    val v = any_at(p, n, row);

    v.s = seen_from(v.s, p->inner >= 0 && n->src != PUAN_SRC_INNER);
    return v;
}

/* Rows of entity `over` in the unit this place lies in. */
static bool unit(const struct place *p, int from, uint64_t row, int over,
                 uint64_t *first, uint64_t *end)
{
    const struct puan_frame *f = p->l->frame;
    int e = from;

    while (e >= 0 && !lane_above(f, e, over))
        e = f->entity[e].parent;
    if (e < 0)
        return false;
    row = lane_up(f, from, e, row);
    *first = lane_first(f, e, over, row);
    *end = lane_first(f, e, over, row + 1);
    return true;
}

static val quantifier(const struct place *p, const ast *q)
{
    const ast *x = q->op >= PUAN_Q_SUM ? q->kid : NULL;
    const ast *where = x ? x->next : q->kid;
    struct place in = *p;
    struct acc acc = { 0 };
    uint64_t first, end;
    val r;

    if (!unit(p, p->level, p->row, q->entity, &first, &end))
        return unknown(PUAN_UN_ASKED);
    in.inner = q->entity;
    for (in.inner_row = first; in.inner_row < end; in.inner_row++) {
        val c = where ? mean(&in, where) : known(1), v = known(0);

        if (x && q->op != PUAN_Q_FIRST && c.s == PUAN_KNOWN && c.v)
            v = any_at(&in, x, in.inner_row);
        if (acc_row(&acc, q->op, c, &v, (int64_t)(in.inner_row - first) + 1))
            break;
    }
    r = acc_end(&acc, q->op);
    if (q->op == PUAN_Q_FIRST && r.s == PUAN_KNOWN)
        return any_at(&in, x, first + (uint64_t)r.v - 1);
    return r;
}

static val line_at(const struct place *p, const ast *x, const ast *line)
{
    val n = mean(p, line);
    uint64_t first, end;
    int from = p->inner >= 0 ? p->inner : p->level;

    if (n.s != PUAN_KNOWN)
        return n;
    if (!unit(p, from, p->inner >= 0 ? p->inner_row : p->row, x->entity, &first,
              &end) ||
        n.v < 1 || (uint64_t)n.v > end - first)
        return unknown(PUAN_UN_ASKED);
    return any_at(p, x, first + (uint64_t)n.v - 1);
}

static val row_number(const struct place *p, const ast *n)
{
    const struct puan_frame *f = p->l->frame;
    uint64_t row = row_of(p, n->entity, n->src);
    int up = f->entity[n->entity].parent;

    if (up < 0)
        return known((int64_t)row + 1);
    return known(
        (int64_t)(row -
                  f->entity[n->entity].first[lane_up(f, n->entity, up, row)]) +
        1);
}

static val scaled(const struct place *p, const ast *n, unsigned places)
{
    val v = mean(p, n);
    int64_t k = 1;

    for (unsigned i = n->type.places; i < places; i++)
        k *= 10;
    return k == 1 ? v : op_mul(v, known(k));
}

static unsigned finer(const ast *a, const ast *b)
{
    return a->type.places > b->type.places ? a->type.places : b->type.places;
}

static uint8_t state_at(const struct place *p, const ast *x)
{
    return state_of(
        item_at(p->l, x->entity, x->item, row_of(p, x->entity, x->src)).s);
}

static val reason(const struct place *p, const ast *x)
{
    const struct lane_source *s = &p->l->names.source[x->entity][x->item];
    const struct puan_frame_item *it;
    uint64_t v;

    if (s->from == LANE_KEY)
        return known(-1);
    it = &p->l->frame->entity[x->entity].item[s->item];
    v = puan_frame_stored(it, row_of(p, x->entity, x->src));
    if (v < it->stop || v - it->stop >= it->n_states ||
        it->states[v - it->stop].state != PUAN_MISSING)
        return known(-1);
    return known(it->states[v - it->stop].reason);
}

static val call(const struct place *p, const ast *n)
{
    const ast *x = n->kid, *y = x->next;
    bool day = x->type.kind == PUAN_KIND_DAY;
    val a;

    switch ((enum puan_fn)n->op) {
    case PUAN_FN_GIVEN:
        return known(state_at(p, x) == PUAN_GIVEN);
    case PUAN_FN_MISSING:
        return known(state_at(p, x) == PUAN_MISSING);
    case PUAN_FN_ASKED:
        return known(state_at(p, x) != PUAN_NOT_ASKED);
    case PUAN_FN_INVALID:
        return known(state_at(p, x) == PUAN_INVALID);
    case PUAN_FN_REASON:
        return reason(p, x);
    case PUAN_FN_KNOWN:
        return known(mean(p, x).s == PUAN_KNOWN);
    case PUAN_FN_IF:
        a = mean(p, x);
        if (a.s != PUAN_KNOWN)
            return unknown(a.s);
        return scaled(p, a.v ? y : y->next, n->type.places);
    case PUAN_FN_ABS:
        return op_abs(mean(p, x));
    case PUAN_FN_MIN:
    case PUAN_FN_MAX:
        a = scaled(p, x, n->type.places);
        for (; y; y = y->next) {
            val b = scaled(p, y, n->type.places);

            a = n->op == PUAN_FN_MIN ? op_min(a, b) : op_max(a, b);
        }
        return a;
    case PUAN_FN_MONTH:
        return op_calendar(mean(p, x), PUAN_OP_MONTH_D);
    case PUAN_FN_YEAR:
        return op_calendar(mean(p, x), day ? PUAN_OP_YEAR_D : PUAN_OP_YEAR_M);
    case PUAN_FN_MONTH_OF:
        return op_calendar(mean(p, x),
                           day ? PUAN_OP_MONTH_OF_D : PUAN_OP_MONTH_OF_M);
    case PUAN_FN_AGE_AT:
        a = mean(p, x);
        return day ? op_age_day(a, mean(p, y)) : op_age_month(a, mean(p, y));
    case PUAN_FN_NUMBER:
        return mean(p, x);
    case PUAN_FN_PREFIX:
        return op_div(mean(p, x), known(n->value));
    case PUAN_FN_AT:
        return line_at(p, x, y);
    case PUAN_FN_SAME_ID:
    case PUAN_FN_SAME_TEXT: { /* the texts are not in a frame */
        static const struct puan_str none = { NULL, 0 };
        val b = leaf(p, y);

        a = leaf(p, x);
        return op_same(a.s, none, b.s, none, n->op == PUAN_FN_SAME_ID);
    }
    case PUAN_FN_DAY:
    case PUAN_FN_FOUND:
    case PUAN_FN_FACT:
        break;
    }
    return unknown(PUAN_UN_MISSING);
}

static val member(const struct place *p, const ast *n)
{
    val v = mean(p, n->kid);
    bool in = false;

    for (const ast *m = n->kid->next; m; m = m->next) {
        bool pair = m->ast == PUAN_AST_RANGE;
        int64_t lo = pair ? m->kid->value : m->value;
        int64_t hi = pair ? m->kid->next->value : lo;

        in |= v.v >= lo && v.v <= hi;
    }
    v.v = in != n->negated;
    return v;
}

static val looked_up(const struct place *p, const ast *n)
{
    val key[PUAN_LOOKUP_KEYS];
    size_t keys = 0;

    for (const ast *k = n->kid; k; k = k->next)
        key[keys++] = mean(p, k);
    return op_lookup(p->l->rs->prog.table[n->item], key, keys, n->value);
}

static val mean(const struct place *p, const ast *n)
{
    unsigned places;
    val a;

    switch (n->ast) {
    case PUAN_AST_CONST:
        return known(n->value);
    case PUAN_AST_ITEM:
    case PUAN_AST_COLUMN:
        return leaf(p, n);
    case PUAN_AST_ROW:
        return row_number(p, n);
    case PUAN_AST_OR:
        a = mean(p, n->kid);
        return op_or(a, mean(p, n->kid->next));
    case PUAN_AST_AND:
        a = mean(p, n->kid);
        if (a.s == PUAN_KNOWN && !a.v)
            return a;
        return op_and(a, mean(p, n->kid->next));
    case PUAN_AST_NOT:
        a = mean(p, n->kid);
        a.v = !a.v;
        return a;
    case PUAN_AST_COMPARE:
        places = finer(n->kid, n->kid->next);
        a = scaled(p, n->kid, places);
        return op_cmp(a, scaled(p, n->kid->next, places), n->op);
    case PUAN_AST_IN:
        return member(p, n);
    case PUAN_AST_ADD:
        a = scaled(p, n->kid, n->type.places);
        return op_add(a, scaled(p, n->kid->next, n->type.places));
    case PUAN_AST_SUB:
        a = scaled(p, n->kid, n->type.places);
        return op_sub(a, scaled(p, n->kid->next, n->type.places));
    case PUAN_AST_MUL:
        a = mean(p, n->kid);
        return op_mul(a, mean(p, n->kid->next));
    case PUAN_AST_DIV:
        places = finer(n->kid, n->kid->next);
        a = scaled(p, n->kid, places);
        return op_div(a, scaled(p, n->kid->next, places));
    case PUAN_AST_MOD:
        a = scaled(p, n->kid, n->type.places);
        return op_mod(a, scaled(p, n->kid->next, n->type.places));
    case PUAN_AST_NEG:
        return op_neg(mean(p, n->kid));
    case PUAN_AST_CALL:
        return call(p, n);
    case PUAN_AST_QUANT:
        return quantifier(p, n);
    case PUAN_AST_LOOKUP:
        return looked_up(p, n);
    case PUAN_AST_WORD:
    case PUAN_AST_NAME:
    case PUAN_AST_RANGE:
        break;
    }
    return unknown(PUAN_UN_MISSING);
}

val lane_row_value(const struct puan_lanes *l, const ast *tree, uint16_t level,
                   uint64_t row)
{
    struct place p = { .l = l, .level = level, .row = row, .inner = -1 };

    return mean(&p, tree);
}
