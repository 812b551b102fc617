/*
 * What depends on one narrow item alone is the same for every row with the
 * same stored value: a truth becomes a range or a set of stored values, a
 * computed number a table.  Never changes what a node means, states included.
 */
#include "core/rule/lane.h"

#include "base/arena.h"

#define DEEPEST 64 /* of what is folded */

struct domain { /* stored values that can occur */
    const struct puan_frame_item *it;
    uint64_t given0, given1; /* first, one behind the last */
    uint64_t all;            /* one behind the last state */
};

static struct domain domain_of(const struct lane_node *item)
{
    struct domain d = { .it = item->data };

    if (d.it->least <= d.it->most) {
        d.given0 = (uint64_t)d.it->least - (uint64_t)d.it->base;
        d.given1 = (uint64_t)d.it->most - (uint64_t)d.it->base + 1;
    }
    d.all = item->can ? d.it->stop + d.it->n_states : d.given1;
    if (d.all < d.given1)
        d.all = d.given1;
    return d;
}

/* Next stored value that can occur, from s on. */
static uint64_t next(const struct domain *d, uint64_t s)
{
    if (s < d->given0)
        return d->given0;
    if (s >= d->given1 && s < d->it->stop)
        return d->it->stop;
    return s;
}

static val item_value(const struct domain *d, uint64_t s)
{
    if (s < d->given1)
        return known((int64_t)((uint64_t)d->it->base + s));
    return unknown(know_of((uint8_t)d->it->states[s - d->it->stop].state));
}

struct stored { /* the item and the value it has */
    struct puan_lanes *l;
    int32_t item;
    const struct domain *d;
    uint64_t s;
    bool failed; /* a node that is not read here */
};

static val value(struct stored *x, int32_t i, unsigned depth);

static val op_value(struct stored *x, const struct lane_node *n, unsigned depth)
{
    val a = value(x, n->kid[0], depth);
    val b = n->n_kids > 1 ? value(x, n->kid[1], depth) : known(0);

    return lane_op_value((enum puan_op)n->aux, a, b);
}

static val value(struct stored *x, int32_t i, unsigned depth)
{
    const struct lane_node *n = &x->l->node[i];
    val a, b;

    if (i == x->item)
        return item_value(x->d, x->s);
    if (++depth > DEEPEST)
        x->failed = true;
    if (x->failed)
        return known(0);
    switch ((enum lane_op)n->op) {
    case LN_CONST:
    case LN_TRUTH:
        return known(n->k);
    case LN_SHIFT:
        a = value(x, n->kid[0], depth);
        return (val){ (int64_t)((uint64_t)a.v + (uint64_t)n->k), a.s };
    case LN_CAST: /* only modulo its width: what it feeds is judged whole */
        return value(x, n->kid[0], depth);
    case LN_ADD:
        return op_add(value(x, n->kid[0], depth), value(x, n->kid[1], depth));
    case LN_SUB:
        return op_sub(value(x, n->kid[0], depth), value(x, n->kid[1], depth));
    case LN_SCALE:
        return op_mul(value(x, n->kid[0], depth), known(n->k));
    case LN_MUL:
        return op_mul(value(x, n->kid[0], depth), value(x, n->kid[1], depth));
    case LN_LEAST:
        return op_min(value(x, n->kid[0], depth), value(x, n->kid[1], depth));
    case LN_MOST:
        return op_max(value(x, n->kid[0], depth), value(x, n->kid[1], depth));
    case LN_CHOOSE:
        return op_select(value(x, n->kid[0], depth), value(x, n->kid[1], depth),
                         value(x, n->kid[2], depth));
    case LN_OP:
        return op_value(x, n, depth);
    case LN_MAP:
    case LN_SET:
    case LN_RANGE:
        a = value(x, n->kid[0], depth);
        if (n->kid[0] == x->item && n->op == LN_RANGE) {
            int64_t v = (int64_t)((uint64_t)x->d->it->base + x->s);
            bool in = v >= n->k && v <= n->k2;

            if (a.s != PUAN_KNOWN && !(n->can >> (a.s - 1) & 1))
                a.s = PUAN_KNOWN;
            return (val){ in, a.s };
        }
        if (n->op == LN_RANGE)
            return (val){ a.v >= n->k && a.v <= n->k2, a.s };
        if (n->kid[0] != x->item) {
            x->failed = true;
            return a;
        }
        if (a.s != PUAN_KNOWN && !(n->can >> (a.s - 1) & 1))
            a.s = PUAN_KNOWN;
        if (n->op == LN_SET)
            return (val){
                ((const uint8_t *)n->data)[x->s / 8] >> (x->s % 8) & 1, a.s
            };
        return (val){ lane_value_of(n->data, n->width, n->base, (uint32_t)x->s),
                      a.s };
    case LN_LESS:
        return op_cmp(value(x, n->kid[0], depth), value(x, n->kid[1], depth),
                      PUAN_CMP_LT);
    case LN_SAME:
        return op_cmp(value(x, n->kid[0], depth), value(x, n->kid[1], depth),
                      PUAN_CMP_EQ);
    case LN_AND:
        return op_and(value(x, n->kid[0], depth), value(x, n->kid[1], depth));
    case LN_OR:
        return op_or(value(x, n->kid[0], depth), value(x, n->kid[1], depth));
    case LN_NOT:
        a = value(x, n->kid[0], depth);
        return (val){ !a.v, a.s };
    case LN_EQUAL:
        a = value(x, n->kid[0], depth);
        b = value(x, n->kid[1], depth);
        return (val){ a.v == b.v, stronger(a.s, b.s) };
    case LN_STATE:
        a = value(x, n->kid[0], depth);
        return known(n->k >> state_of(a.s) & 1);
    case LN_ALL:
        a = value(x, n->kid[0], depth);
        return (val){ 1, a.s };
    case LN_ITEM:
    case LN_KEY:
    case LN_REASON:
    case LN_LINE:
    case LN_SIZE:
    case LN_LOOKUP:
    case LN_AT:
    case LN_UNIT:
    case LN_WIDE:
    case LN_ROW:
    case LN_SPREAD:
    case LN_OUTSIDE:
        break;
    }
    x->failed = true;
    return known(0);
}

/*
 * Which of the item's reasons the node keeps.  False when one of them, or an
 * unknown of its own, is neither kept nor dropped as a whole.
 */
struct kept {
    uint8_t can, lost;
};

static bool keep(struct kept *k, val item, val v)
{
    if (item.s == PUAN_KNOWN)
        return v.s == PUAN_KNOWN;
    if (v.s == item.s)
        k->can = (uint8_t)(k->can | 1u << (item.s - 1));
    else if (v.s == PUAN_KNOWN)
        k->lost = (uint8_t)(k->lost | 1u << (item.s - 1));
    else
        return false;
    return (k->can & k->lost) == 0;
}

static int32_t as_range(struct puan_lanes *l, const struct lane_node *was,
                        const struct domain *d, uint64_t s0, uint64_t s1,
                        uint8_t can)
{
    struct lane_node n = { .op = LN_RANGE,
                           .truth = true,
                           .ent = was->ent,
                           .stage = was->stage,
                           .n_kids = 1,
                           .kid = { was->item },
                           .can = can,
                           .item = was->item };

    n.k = (int64_t)((uint64_t)d->it->base + s0);
    n.k2 = (int64_t)((uint64_t)d->it->base + s1);
    return lane_add(l, &n);
}

/* `not` of a node that is never unknown. */
static int32_t as_not(struct puan_lanes *l, int32_t kid)
{
    struct lane_node n = {
        .op = LN_NOT, .truth = true, .n_kids = 1, .kid = { kid }
    };

    if (kid < 0)
        return -1;
    n.ent = l->node[kid].ent;
    n.stage = l->node[kid].stage;
    n.item = l->node[kid].item;
    return lane_add(l, &n);
}

static int32_t fold_truth(struct puan_lanes *l, int32_t i)
{
    const struct lane_node was = l->node[i];
    struct domain d = domain_of(&l->node[was.item]);
    struct stored x = { .l = l, .item = was.item, .d = &d };
    struct kept kept = { 0, 0 };
    struct lane_node n;
    uint8_t set[32] = { 0 }, *data;
    uint64_t runs = 0, gaps = 0, first = 0, last = 0, gap0 = 0, gap1 = 0;
    bool any = false, was_in = false, begun = false;

    if (d.all > 256)
        return i;
    for (uint64_t s = next(&d, 0); s < d.all; s = next(&d, s + 1)) {
        val v;
        bool in;

        x.s = s;
        v = value(&x, i, 0);
        if (x.failed || !keep(&kept, item_value(&d, s), v))
            return i;
        in = v.s == PUAN_KNOWN && v.v;
        if (in) {
            set[s / 8] = (uint8_t)(set[s / 8] | 1u << (s % 8));
            first = any ? first : s;
            last = s;
            any = true;
            runs += !begun || !was_in;
        } else {
            gap0 = gaps == 0 ? s : gap0;
            gap1 = s;
            gaps += !begun || was_in;
        }
        was_in = in;
        begun = true;
    }
    if (kept.can == 0 && (!any || gaps == 0)) {
        n = (struct lane_node){
            .op = LN_TRUTH, .truth = true, .ent = -1, .k = any, .item = -2
        };
        return lane_add(l, &n);
    }
    if (!any && runs == 0)
        return i;
    if (kept.can == 0 && l->node[was.item].can == 0 && gaps == 1 &&
        (runs > 1 || last + 1 == d.given1))
        return as_not(l, as_range(l, &was, &d, gap0, gap1, 0));
    if (runs == 1)
        return as_range(l, &was, &d, first, last, kept.can);
    data = puan_arena_get(l->arena, sizeof(set));
    if (!data)
        return -1;
    memcpy(data, set, sizeof(set));
    n = (struct lane_node){ .op = LN_SET,
                            .truth = true,
                            .ent = was.ent,
                            .stage = was.stage,
                            .n_kids = 1,
                            .kid = { was.item },
                            .can = kept.can,
                            .item = was.item,
                            .data = data };
    return lane_add(l, &n);
}

static unsigned width_of(int64_t lo, int64_t hi)
{
    uint64_t d = (uint64_t)hi - (uint64_t)lo;

    return d <= UINT8_MAX ? 1 : d <= UINT16_MAX ? 2 : d <= UINT32_MAX ? 4 : 8;
}

static int32_t fold_number(struct puan_lanes *l, int32_t i)
{
    const struct lane_node was = l->node[i];
    struct domain d = domain_of(&l->node[was.item]);
    struct stored x = { .l = l, .item = was.item, .d = &d };
    struct kept kept = { 0, 0 };
    int64_t lo = INT64_MAX, hi = INT64_MIN;
    size_t size = l->node[was.item].width == 1 ? 256 : 65536;
    struct lane_node n;
    char *table;
    unsigned width;

    if (d.all > size)
        return i;
    for (uint64_t s = next(&d, 0); s < d.all; s = next(&d, s + 1)) {
        val v;

        x.s = s;
        v = value(&x, i, 0);
        if (x.failed || !keep(&kept, item_value(&d, s), v))
            return i;
        if (v.s == PUAN_KNOWN) {
            lo = v.v < lo ? v.v : lo;
            hi = v.v > hi ? v.v : hi;
        }
    }
    if (lo > hi)
        return i;
    width = width_of(lo, hi);
    table = puan_arena_get_n(l->arena, size, width);
    if (!table)
        return -1;
    for (uint64_t s = next(&d, 0); s < d.all; s = next(&d, s + 1)) {
        uint64_t lane;

        x.s = s;
        lane = (uint64_t)value(&x, i, 0).v - (uint64_t)lo;
        memcpy(table + s * width, &lane, width); /* little endian, as frames */
    }
    n = (struct lane_node){ .op = LN_MAP,
                            .width = (uint8_t)width,
                            .ent = was.ent,
                            .stage = was.stage,
                            .n_kids = 1,
                            .kid = { was.item },
                            .can = kept.can,
                            .item = was.item,
                            .base = lo,
                            .lo = lo,
                            .hi = hi,
                            .data = table };
    return lane_add(l, &n);
}

int32_t lane_fold(struct puan_lanes *l, int32_t i)
{
    const struct lane_node *n, *item;

    if (i < 0)
        return i;
    n = &l->node[i];
    if (n->item < 0 || n->op == LN_ITEM)
        return i;
    item = &l->node[n->item];
    if (item->op != LN_ITEM || item->width > 2)
        return i;
    if (!n->truth) {
        bool dear = n->op == LN_OP || n->op == LN_CHOOSE || n->op == LN_MUL ||
                    n->op == LN_LEAST || n->op == LN_MOST;

        return dear ? fold_number(l, i) : i;
    }
    if (item->width > 1 || n->op == LN_TRUTH || n->op == LN_SET ||
        (n->op == LN_RANGE && n->kid[0] == n->item))
        return i;
    return fold_truth(l, i);
}
