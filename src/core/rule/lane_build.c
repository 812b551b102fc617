/*
 * Checked trees to nodes: what is said twice is one node, every number gets
 * the range of its values and the narrowest lanes that hold it, and a node
 * stands at the highest level that has all it reads.
 */
#include "core/rule/lane.h"

#include "base/arena.h"

typedef struct puan_ast_node ast;

struct build {
    struct puan_lanes *l;
    int level; /* of the rule or derived item */
    int row;   /* inside a quantifier: its entity, else -1 */
};

#define NODE(i) (&b->l->node[i])

/* ---- the graph ---- */

static bool same_node(const struct lane_node *a, const struct lane_node *b)
{
    if (a->op != b->op || a->aux != b->aux || a->truth != b->truth ||
        a->width != b->width || a->can != b->can || a->ent != b->ent ||
        a->n_kids != b->n_kids || a->y != b->y || a->base != b->base ||
        a->k != b->k || a->k2 != b->k2)
        return false;
    if (a->op == LN_SET ? memcmp(a->data, b->data, 32) != 0
                        : a->data != b->data)
        return false;
    for (unsigned i = 0; i < a->n_kids; i++)
        if (a->kid[i] != b->kid[i])
            return false;
    return true;
}

static uint32_t hash_node(const struct lane_node *n)
{
    uint64_t h = (uint64_t)n->op << 40 ^ (uint64_t)n->aux << 32 ^
                 (uint64_t)(uint16_t)n->ent << 24 ^ n->y;

    h = (h ^ (uint64_t)n->k) * 0x9e3779b97f4a7c15u;
    h = (h ^ h >> 29 ^ (uint64_t)n->k2) * 0xbf58476d1ce4e5b9u;
    h = (h ^ h >> 31 ^ (uint64_t)n->base) * 0x9e3779b97f4a7c15u;
    for (unsigned i = 0; i < n->n_kids; i++)
        h = (h ^ h >> 30 ^ (uint64_t)(uint32_t)n->kid[i]) * 0xbf58476d1ce4e5b9u;
    return (uint32_t)(h >> 32);
}

static bool grow(struct puan_lanes *l)
{
    int32_t cap = l->cap_nodes ? l->cap_nodes * 2 : 256;
    struct lane_node *node =
        puan_new_n(l->arena, (size_t)cap, struct lane_node);
    int32_t *slot = puan_new_n(l->arena, (size_t)cap * 2, int32_t);

    if (!node || !slot)
        return false;
    if (l->n_nodes)
        memcpy(node, l->node, (size_t)l->n_nodes * sizeof(*node));
    l->node = node;
    l->slot = slot;
    l->cap_nodes = cap;
    l->mask = (uint32_t)cap * 2 - 1;
    for (int32_t i = 0; i < l->n_nodes; i++) {
        uint32_t at = hash_node(&node[i]);

        while (slot[at & l->mask])
            at++;
        slot[at & l->mask] = i + 1;
    }
    return true;
}

int32_t lane_add(struct puan_lanes *l, const struct lane_node *n)
{
    uint32_t at = hash_node(n);

    for (unsigned i = 0; i < n->n_kids; i++)
        if (n->kid[i] < 0)
            return -1;
    if (l->n_nodes == l->cap_nodes && !grow(l))
        return -1;
    for (; l->slot[at & l->mask]; at++) {
        int32_t i = l->slot[at & l->mask] - 1;

        if (same_node(&l->node[i], n))
            return i;
    }
    l->node[l->n_nodes] = *n;
    l->slot[at & l->mask] = l->n_nodes + 1;
    return l->n_nodes++;
}

static unsigned width_of(int64_t lo, int64_t hi)
{
    uint64_t d = (uint64_t)hi - (uint64_t)lo;

    return d <= UINT8_MAX ? 1 : d <= UINT16_MAX ? 2 : d <= UINT32_MAX ? 4 : 8;
}

static void number(struct lane_node *n, int64_t lo, int64_t hi)
{
    n->lo = lo;
    n->hi = hi;
    n->width = (uint8_t)width_of(lo, hi);
    n->base = n->width == 8 ? 0 : lo;
}

/* What a node takes over from its kids: reasons, stage, the one item. */
static void inherit(struct puan_lanes *l, struct lane_node *n)
{
    n->item = -2;
    for (unsigned i = 0; i < n->n_kids; i++) {
        const struct lane_node *k;

        if (n->kid[i] < 0)
            continue;
        k = &l->node[n->kid[i]];
        n->can |= k->can;
        if (k->stage > n->stage)
            n->stage = k->stage;
        if (k->item != -2)
            n->item = n->item == -2 || n->item == k->item ? k->item : -1;
    }
}

static int32_t constant(struct build *b, int64_t k)
{
    struct lane_node n = { .op = LN_CONST, .ent = -1, .k = k, .item = -2 };

    number(&n, k, k);
    return lane_add(b->l, &n);
}

static int32_t truth(struct build *b, bool k)
{
    struct lane_node n = {
        .op = LN_TRUTH, .truth = true, .ent = -1, .k = k, .item = -2
    };

    return lane_add(b->l, &n);
}

static bool is_const(const struct build *b, int32_t n)
{
    return NODE(n)->op == LN_CONST || NODE(n)->op == LN_TRUTH;
}

int32_t lane_at_entity(struct puan_lanes *l, int32_t i, int e)
{
    struct lane_node n;

    if (i < 0 || l->node[i].ent == e)
        return i;
    n = l->node[i];
    if (n.op == LN_CONST || n.op == LN_TRUTH) {
        n.ent = (int16_t)e;
        return lane_add(l, &n);
    }
    n = (struct lane_node){ .op = LN_SPREAD,
                            .truth = n.truth,
                            .width = n.width,
                            .can = n.can,
                            .n_kids = 1,
                            .ent = (int16_t)e,
                            .stage = n.stage,
                            .kid = { i },
                            .base = n.base,
                            .lo = n.lo,
                            .hi = n.hi,
                            .item = -1 };
    return lane_add(l, &n);
}

/* Brings kids to the lowest of their entities; -1 when all are constants. */
static int meet(struct build *b, int32_t *kid, unsigned n)
{
    int e = -1;

    for (unsigned i = 0; i < n; i++) {
        int k;

        if (kid[i] < 0)
            return -1;
        k = NODE(kid[i])->ent;
        if (k >= 0 && (e < 0 || lane_above(b->l->frame, e, k)))
            e = k;
    }
    for (unsigned i = 0; i < n && e >= 0; i++)
        kid[i] = lane_at_entity(b->l, kid[i], e);
    return e;
}

int32_t lane_cast(struct puan_lanes *l, int32_t i, unsigned width, int64_t base)
{
    struct lane_node n;

    if (i < 0 || (l->node[i].width == width && l->node[i].base == base))
        return i;
    n = l->node[i];
    if (n.op == LN_CONST) {
        n.width = (uint8_t)width;
        n.base = base;
        return lane_add(l, &n);
    }
    n = (struct lane_node){ .op = LN_CAST,
                            .width = (uint8_t)width,
                            .n_kids = 1,
                            .ent = n.ent,
                            .kid = { i },
                            .base = base,
                            .lo = n.lo,
                            .hi = n.hi };
    inherit(l, &n);
    return lane_add(l, &n);
}

/* ---- numbers ---- */

static int32_t shift(struct build *b, int32_t i, int64_t k)
{
    const struct lane_node a = *NODE(i);
    struct lane_node n = { .op = LN_SHIFT, .n_kids = 1, .kid = { i }, .k = k };

    if (k == 0)
        return i;
    if (a.op == LN_SHIFT && !__builtin_add_overflow(a.k, k, &n.k))
        n.kid[0] = a.kid[0];
    else
        n.k = k;
    if (__builtin_add_overflow(a.lo, k, &n.lo) ||
        __builtin_add_overflow(a.hi, k, &n.hi))
        return -2; /* may overflow */
    n.width = a.width;
    n.base = (int64_t)((uint64_t)a.base + (uint64_t)k);
    n.ent = a.ent;
    inherit(b->l, &n);
    return lane_add(b->l, &n);
}

val lane_op_value(enum puan_op op, val a, val b)
{
    switch ((unsigned)op) {
    case PUAN_OP_ADD:
        return op_add(a, b);
    case PUAN_OP_SUB:
        return op_sub(a, b);
    case PUAN_OP_MUL:
        return op_mul(a, b);
    case PUAN_OP_DIV:
        return op_div(a, b);
    case PUAN_OP_MOD:
        return op_mod(a, b);
    case PUAN_OP_NEG:
        return op_neg(a);
    case PUAN_OP_ABS:
        return op_abs(a);
    case PUAN_OP_AGE_MONTH:
        return op_age_month(a, b);
    case PUAN_OP_AGE_DAY:
        return op_age_day(a, b);
    default:
        return op_calendar(a, op);
    }
}

/* Any instruction on 64 bits, row by row; lo..hi bounds what it gives. */
static int32_t slow(struct build *b, enum puan_op op, int32_t x, int32_t y,
                    int64_t lo, int64_t hi, bool may_fail)
{
    struct lane_node n = { .op = LN_OP, .aux = (uint8_t)op };
    int32_t kid[2] = { x, y };
    unsigned kids = y == -2 ? 1 : 2;
    int e = meet(b, kid, kids);

    if (kid[0] < 0 || (kids == 2 && kid[1] < 0))
        return -1;
    if (e < 0) { /* constants; the checker has refused those that fail */
        val v = lane_op_value(op, known(NODE(kid[0])->k),
                              known(kids == 2 ? NODE(kid[1])->k : 0));

        if (v.s == PUAN_KNOWN)
            return constant(b, v.v);
        kid[0] = lane_at_entity(b->l, kid[0], b->level);
        if (kids == 2)
            kid[1] = lane_at_entity(b->l, kid[1], b->level);
        e = b->level;
    }
    n.ent = (int16_t)e;
    n.n_kids = (uint8_t)kids;
    n.kid[0] = kid[0];
    n.kid[1] = kids == 2 ? kid[1] : 0;
    number(&n, lo, hi);
    inherit(b->l, &n);
    if (may_fail)
        n.can |= LANE_MISSING;
    return lane_fold(b->l, lane_add(b->l, &n));
}

static int32_t slow_any(struct build *b, enum puan_op op, int32_t x, int32_t y)
{
    return slow(b, op, x, y, INT64_MIN, INT64_MAX, true);
}

static int32_t sum(struct build *b, int32_t x, int32_t y, bool minus)
{
    enum puan_op op = minus ? PUAN_OP_SUB : PUAN_OP_ADD;
    struct lane_node n = { .op = minus ? LN_SUB : LN_ADD, .n_kids = 2 };
    int64_t lo, hi;
    int e;
    bool over;

    if (x < 0 || y < 0)
        return -1;
    if (is_const(b, x) && is_const(b, y))
        return slow_any(b, op, x, y);
    if (is_const(b, y) && NODE(y)->k != INT64_MIN) {
        int32_t s = shift(b, x, minus ? -NODE(y)->k : NODE(y)->k);

        return s == -2 ? slow_any(b, op, x, y) : s;
    }
    if (is_const(b, x) && !minus) {
        int32_t s = shift(b, y, NODE(x)->k);

        return s == -2 ? slow_any(b, op, x, y) : s;
    }
    over = minus ? __builtin_sub_overflow(NODE(x)->lo, NODE(y)->hi, &lo) ||
                       __builtin_sub_overflow(NODE(x)->hi, NODE(y)->lo, &hi)
                 : __builtin_add_overflow(NODE(x)->lo, NODE(y)->lo, &lo) ||
                       __builtin_add_overflow(NODE(x)->hi, NODE(y)->hi, &hi);
    if (over)
        return slow_any(b, op, x, y);
    number(&n, lo, hi);
    n.kid[0] = lane_cast(b->l, x, n.width, NODE(x)->base);
    n.kid[1] = lane_cast(b->l, y, n.width, NODE(y)->base);
    e = meet(b, n.kid, 2);
    n.ent = (int16_t)e;
    inherit(b->l, &n);
    return lane_fold(b->l, lane_add(b->l, &n));
}

static int32_t scale(struct build *b, int32_t x, int64_t k)
{
    struct lane_node n = { .op = LN_SCALE, .n_kids = 1, .k = k };
    int64_t p, q;

    if (x < 0 || k == 1)
        return x;
    if (is_const(b, x))
        return slow_any(b, PUAN_OP_MUL, x, constant(b, k));
    if (__builtin_mul_overflow(NODE(x)->lo, k, &p) ||
        __builtin_mul_overflow(NODE(x)->hi, k, &q))
        return slow_any(b, PUAN_OP_MUL, x, constant(b, k));
    number(&n, p < q ? p : q, p < q ? q : p);
    n.kid[0] = lane_cast(b->l, x, n.width, NODE(x)->base);
    n.ent = NODE(x)->ent;
    inherit(b->l, &n);
    return lane_fold(b->l, lane_add(b->l, &n));
}

static int32_t product(struct build *b, int32_t x, int32_t y)
{
    struct lane_node n = { .op = LN_MUL, .n_kids = 2 };
    int64_t p[4];
    bool over = false;

    if (x < 0 || y < 0)
        return -1;
    if (is_const(b, y))
        return scale(b, x, NODE(y)->k);
    if (is_const(b, x))
        return scale(b, y, NODE(x)->k);
    over |= __builtin_mul_overflow(NODE(x)->lo, NODE(y)->lo, &p[0]);
    over |= __builtin_mul_overflow(NODE(x)->lo, NODE(y)->hi, &p[1]);
    over |= __builtin_mul_overflow(NODE(x)->hi, NODE(y)->lo, &p[2]);
    over |= __builtin_mul_overflow(NODE(x)->hi, NODE(y)->hi, &p[3]);
    if (over)
        return slow_any(b, PUAN_OP_MUL, x, y);
    for (unsigned i = 1; i < 4; i++) {
        if (p[i] < p[0]) {
            int64_t t = p[0];

            p[0] = p[i];
            p[i] = t;
        }
    }
    for (unsigned i = 2; i < 4; i++)
        p[1] = p[i] > p[1] ? p[i] : p[1];
    number(&n, p[0], p[1] > p[0] ? p[1] : p[0]);
    n.kid[0] = lane_cast(b->l, x, n.width, NODE(x)->base);
    n.kid[1] = lane_cast(b->l, y, n.width, NODE(y)->base);
    n.ent = (int16_t)meet(b, n.kid, 2);
    inherit(b->l, &n);
    return lane_fold(b->l, lane_add(b->l, &n));
}

static int32_t quotient(struct build *b, int32_t x, int32_t y, bool rest)
{
    const struct lane_node *d, *a;
    bool safe;
    int64_t lo = INT64_MIN, hi = INT64_MAX;

    if (x < 0 || y < 0)
        return -1;
    a = NODE(x);
    d = NODE(y);
    safe = (d->lo > 0 || d->hi < 0) &&
           (a->lo != INT64_MIN || d->lo > -1 || d->hi < -1);
    if (safe && rest && d->lo != INT64_MIN) {
        int64_t m = d->hi > -d->lo ? d->hi - 1 : -d->lo - 1;

        lo = a->lo >= 0 ? 0 : -m;
        hi = a->hi <= 0 ? 0 : m;
        if (a->lo >= 0 && a->hi < hi)
            hi = a->hi;
    } else if (safe && a->lo != INT64_MIN) {
        int64_t m = a->hi > -a->lo ? a->hi : -a->lo;

        lo = a->lo >= 0 && d->lo > 0 ? 0 : -m;
        hi = m;
    }
    return slow(b, rest ? PUAN_OP_MOD : PUAN_OP_DIV, x, y, lo, hi, !safe);
}

/* Kids of one type to one width and base. */
static int align(struct build *b, int32_t *kid, unsigned n, int64_t *lo,
                 int64_t *hi)
{
    for (unsigned i = 0; i < n; i++)
        if (kid[i] < 0)
            return -1;
    *lo = NODE(kid[0])->lo;
    *hi = NODE(kid[0])->hi;
    for (unsigned i = 1; i < n; i++) {
        *lo = NODE(kid[i])->lo < *lo ? NODE(kid[i])->lo : *lo;
        *hi = NODE(kid[i])->hi > *hi ? NODE(kid[i])->hi : *hi;
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned w = width_of(*lo, *hi);

        kid[i] = lane_cast(b->l, kid[i], w, w == 8 ? INT64_MIN : *lo);
    }
    return 0;
}

static int32_t extreme(struct build *b, int32_t x, int32_t y, bool most)
{
    struct lane_node n = { .op = most ? LN_MOST : LN_LEAST,
                           .n_kids = 2,
                           .kid = { x, y } };
    int e;

    if (x < 0 || y < 0)
        return -1;
    if (is_const(b, x) && is_const(b, y))
        return (NODE(x)->k < NODE(y)->k) != most ? x : y;
    if (align(b, n.kid, 2, &n.lo, &n.hi) < 0)
        return -1;
    e = meet(b, n.kid, 2);
    if (n.kid[0] < 0 || n.kid[1] < 0)
        return -1;
    if (most)
        n.lo = NODE(x)->lo > NODE(y)->lo ? NODE(x)->lo : NODE(y)->lo;
    else
        n.hi = NODE(x)->hi < NODE(y)->hi ? NODE(x)->hi : NODE(y)->hi;
    n.ent = (int16_t)e;
    n.width = NODE(n.kid[0])->width;
    n.base = NODE(n.kid[0])->base;
    inherit(b->l, &n);
    return lane_fold(b->l, lane_add(b->l, &n));
}

/* ---- truths ---- */

static int32_t add_truth(struct build *b, struct lane_node *n)
{
    n->truth = true;
    inherit(b->l, n);
    return lane_fold(b->l, lane_add(b->l, n));
}

static int32_t negate(struct build *b, int32_t x)
{
    struct lane_node n = { .op = LN_NOT, .n_kids = 1, .kid = { x } };

    if (x < 0)
        return -1;
    if (NODE(x)->op == LN_TRUTH)
        return truth(b, !NODE(x)->k);
    if (NODE(x)->op == LN_NOT)
        return NODE(x)->kid[0];
    n.ent = NODE(x)->ent;
    return add_truth(b, &n);
}

/* True wherever x is known. */
static int32_t whenever(struct build *b, int32_t x)
{
    struct lane_node n = { .op = LN_ALL, .n_kids = 1, .kid = { x } };

    if (x < 0)
        return -1;
    if (NODE(x)->can == 0)
        return truth(b, true);
    n.ent = NODE(x)->ent;
    return add_truth(b, &n);
}

static int32_t in_state(struct build *b, int32_t x, int64_t mask)
{
    struct lane_node n = {
        .op = LN_STATE, .truth = true, .n_kids = 1, .kid = { x }, .k = mask
    };

    if (x < 0)
        return -1;
    if (NODE(x)->can == 0)
        return truth(b, mask >> PUAN_GIVEN & 1);
    n.ent = NODE(x)->ent;
    inherit(b->l, &n);
    n.can = 0;
    return lane_fold(b->l, lane_add(b->l, &n));
}

static int32_t range(struct build *b, int32_t x, int64_t lo, int64_t hi)
{
    struct lane_node n = { .op = LN_RANGE, .n_kids = 1 };
    const struct lane_node *a;

    if (x < 0)
        return -1;
    a = NODE(x);
    if (is_const(b, x))
        return truth(b, a->k >= lo && a->k <= hi);
    lo = lo < a->lo ? a->lo : lo;
    hi = hi > a->hi ? a->hi : hi;
    if (lo > hi)
        return negate(b, whenever(b, x));
    if (lo == a->lo && hi == a->hi)
        return whenever(b, x);
    if (hi == a->hi) /* the upper part is not the lower one */
        return negate(b, range(b, x, a->lo, lo - 1));
    if (a->op == LN_SHIFT) /* did not overflow */
        return range(b, a->kid[0], lo - a->k, hi - a->k);
    if (a->op == LN_CAST || a->op == LN_SPREAD) {
        bool spread = a->op == LN_SPREAD;
        int e = a->ent;
        int32_t r = range(b, a->kid[0], lo, hi);

        return spread ? lane_at_entity(b->l, r, e) : r;
    }
    n.kid[0] = x;
    n.k = lo;
    n.k2 = hi;
    n.ent = a->ent;
    return add_truth(b, &n);
}

static int32_t compare_const(struct build *b, int32_t x, enum puan_cmp c,
                             int64_t k)
{
    switch (c) {
    case PUAN_CMP_EQ:
        return range(b, x, k, k);
    case PUAN_CMP_NE:
        return negate(b, range(b, x, k, k));
    case PUAN_CMP_LE:
        return range(b, x, INT64_MIN, k);
    case PUAN_CMP_GT:
        return negate(b, range(b, x, INT64_MIN, k));
    case PUAN_CMP_GE:
        return range(b, x, k, INT64_MAX);
    case PUAN_CMP_LT:
    default:
        return negate(b, range(b, x, k, INT64_MAX));
    }
}

/* Two numbers, neither a constant, in lanes of one width. */
static int32_t compare_lanes(struct build *b, int32_t x, int32_t y, bool less)
{
    struct lane_node n = { .op = less ? LN_LESS : LN_SAME, .n_kids = 2 };
    int64_t lo, hi;
    unsigned w;

    if (x < 0 || y < 0)
        return -1;
    lo = NODE(x)->lo < NODE(y)->lo ? NODE(x)->lo : NODE(y)->lo;
    hi = NODE(x)->hi > NODE(y)->hi ? NODE(x)->hi : NODE(y)->hi;
    w = width_of(lo, hi);
    /* to one width; the kernels see to the bases */
    n.kid[0] = lane_cast(b->l, x, w, NODE(x)->base);
    n.kid[1] = lane_cast(b->l, y, w, NODE(y)->base);
    if (!less && n.kid[0] > n.kid[1]) {
        int32_t t = n.kid[0];

        n.kid[0] = n.kid[1];
        n.kid[1] = t;
    }
    n.ent = (int16_t)meet(b, n.kid, 2);
    n.k = w == 8 ? INT64_MIN : lo;
    return add_truth(b, &n);
}

static int32_t compare(struct build *b, int32_t x, enum puan_cmp c, int32_t y)
{
    if (x < 0 || y < 0)
        return -1;
    if (NODE(x)->truth) {
        struct lane_node n = { .op = LN_EQUAL, .n_kids = 2, .kid = { x, y } };
        int32_t r;

        n.ent = (int16_t)meet(b, n.kid, 2);
        if (n.ent < 0)
            r = truth(b, NODE(x)->k == NODE(y)->k);
        else
            r = add_truth(b, &n);
        return c == PUAN_CMP_NE ? negate(b, r) : r;
    }
    if (is_const(b, y))
        return compare_const(b, x, c, NODE(y)->k);
    if (is_const(b, x))
        return compare_const(b, y,
                             (enum puan_cmp)((c & PUAN_CMP_EQ) |
                                             (c & PUAN_CMP_LT) << 2 |
                                             (c & PUAN_CMP_GT) >> 2),
                             NODE(x)->k);
    switch (c) {
    case PUAN_CMP_EQ:
        return compare_lanes(b, x, y, false);
    case PUAN_CMP_NE:
        return negate(b, compare_lanes(b, x, y, false));
    case PUAN_CMP_LT:
        return compare_lanes(b, x, y, true);
    case PUAN_CMP_GE:
        return negate(b, compare_lanes(b, x, y, true));
    case PUAN_CMP_GT:
        return compare_lanes(b, y, x, true);
    case PUAN_CMP_LE:
    default:
        return negate(b, compare_lanes(b, y, x, true));
    }
}

static int32_t join(struct build *b, int32_t x, int32_t y, bool is_or)
{
    struct lane_node n = { .op = is_or ? LN_OR : LN_AND, .n_kids = 2 };

    if (x < 0 || y < 0)
        return -1;
    if (x == y)
        return x;
    if (NODE(x)->op == LN_TRUTH)
        return (NODE(x)->k != 0) == is_or ? x : y;
    if (NODE(y)->op == LN_TRUTH) {
        if ((NODE(y)->k != 0) != is_or)
            return x;
        if (!(NODE(x)->can & LANE_INVALID))
            return y;
    }
    /* the order matters to an invalid value only */
    if (x > y && !((NODE(x)->can | NODE(y)->can) & LANE_INVALID)) {
        int32_t t = x;

        x = y;
        y = t;
    }
    n.kid[0] = x;
    n.kid[1] = y;
    n.ent = (int16_t)meet(b, n.kid, 2);
    return add_truth(b, &n);
}

static int32_t choose(struct build *b, int32_t c, int32_t x, int32_t y)
{
    struct lane_node n = { .op = LN_CHOOSE, .n_kids = 3, .kid = { c, x, y } };

    if (c < 0 || x < 0 || y < 0)
        return -1;
    if (NODE(c)->op == LN_TRUTH)
        return NODE(c)->k ? x : y;
    if (NODE(x)->truth) {
        n.ent = (int16_t)meet(b, n.kid, 3);
        return add_truth(b, &n);
    }
    if (align(b, n.kid + 1, 2, &n.lo, &n.hi) < 0)
        return -1;
    n.ent = (int16_t)meet(b, n.kid, 3);
    if (n.kid[0] < 0 || n.kid[1] < 0 || n.kid[2] < 0)
        return -1;
    n.width = NODE(n.kid[1])->width;
    n.base = NODE(n.kid[1])->base;
    inherit(b->l, &n);
    return lane_fold(b->l, lane_add(b->l, &n));
}

/* ---- items ---- */

static uint8_t states_of(const struct puan_frame_item *it, uint64_t rows)
{
    uint8_t can = 0;

    if (it->n_given == rows)
        return 0;
    for (size_t i = 0; i < it->n_states; i++)
        can |= (uint8_t)(1u << (know_of((uint8_t)it->states[i].state) - 1));
    return can;
}

/* An item where it stands; whether it is read from outside is put on top. */
static int32_t item_node(struct build *b, uint16_t entity, uint16_t item)
{
    const struct lane_source *s = &b->l->names.source[entity][item];
    const struct puan_frame_entity *e =
        &b->l->frame->entity[s->from == LANE_KEY ? s->entity : entity];
    const struct puan_frame_item *it = &e->item[s->item];
    struct lane_node n = { .op = s->from == LANE_KEY ? LN_KEY : LN_ITEM,
                           .width = it->width,
                           .can = states_of(it, e->rows),
                           .ent = (int16_t)entity,
                           .y = s->entity,
                           .base = it->base,
                           .lo = it->least,
                           .hi = it->most,
                           .data = it };
    int32_t i;

    if (it->token) { /* any 64 bits */
        n.lo = INT64_MIN;
        n.hi = INT64_MAX;
    } else if (n.lo > n.hi) {
        n.lo = n.hi = it->base;
    }
    if (n.op == LN_KEY) { /* a unit without rows has none */
        n.can |= LANE_ASKED;
        n.item = -1;
        return lane_add(b->l, &n);
    }
    i = lane_add(b->l, &n);
    if (i >= 0)
        b->l->node[i].item = i;
    return i;
}

static int32_t outside(struct build *b, int32_t x)
{
    struct lane_node n = { .op = LN_OUTSIDE, .n_kids = 1, .kid = { x } };

    if (x < 0 || !(NODE(x)->can & LANE_ASKED))
        return x;
    n.truth = NODE(x)->truth;
    n.ent = NODE(x)->ent;
    n.width = NODE(x)->width;
    n.base = NODE(x)->base;
    n.lo = NODE(x)->lo;
    n.hi = NODE(x)->hi;
    inherit(b->l, &n);
    n.item = -1;
    n.can = (uint8_t)((n.can & ~(unsigned)LANE_ASKED) | LANE_OUTER);
    return lane_add(b->l, &n);
}

static int32_t derived(struct build *b, uint16_t column)
{
    struct puan_lanes *l = b->l;
    const struct puan_column *c = &l->rs->prog.column[column];

    if (l->column[column] < 0)
        l->column[column] = lane_tree_node(l, c->tree, c->entity);
    return l->column[column];
}

static int32_t reason(struct build *b, int32_t x)
{
    struct lane_node n = { .op = LN_REASON, .n_kids = 1, .kid = { x } };
    int64_t lo = -1, hi = -1;
    const struct puan_frame_item *it;

    if (x < 0)
        return -1;
    if (NODE(x)->op != LN_ITEM || !(NODE(x)->can & LANE_MISSING))
        return constant(b, -1);
    it = NODE(x)->data;
    for (size_t i = 0; i < it->n_states; i++) {
        lo = it->states[i].reason < lo ? it->states[i].reason : lo;
        hi = it->states[i].reason > hi ? it->states[i].reason : hi;
    }
    number(&n, lo, hi);
    n.ent = NODE(x)->ent;
    inherit(b->l, &n);
    n.can = 0;
    n.item = -1;
    return lane_add(b->l, &n);
}

/* ---- rows ---- */

/* Does it read the row the rule is about, which is not above the other's? */
static bool reads_own(const ast *n)
{
    if ((n->ast == PUAN_AST_ITEM || n->ast == PUAN_AST_COLUMN ||
         n->ast == PUAN_AST_ROW) &&
        n->src == PUAN_SRC_OWN)
        return true;
    for (const ast *k = n->kid; k; k = k->next)
        if (reads_own(k))
            return true;
    return false;
}

/* Row by row only: texts, and lines of a unit that is no part of a block. */
static bool needs_rows(struct build *b, const ast *n, int over)
{
    if (n->ast == PUAN_AST_CALL &&
        (n->op == PUAN_FN_SAME_ID || n->op == PUAN_FN_SAME_TEXT))
        return true;
    if (n->ast == PUAN_AST_CALL && n->op == PUAN_FN_AT) {
        int e = n->kid->entity, up = b->l->frame->entity[e].parent;

        if (up != over && !lane_above(b->l->frame, up, over))
            return true;
        if (!lane_fused(b->l, e) || up != b->l->frame->entity[over].parent)
            return true;
    }
    for (const ast *k = n->kid; k; k = k->next)
        if (needs_rows(b, k, over))
            return true;
    return false;
}

/* The nearest unit that is e or above it, and above `over`. */
static int unit_of(const struct build *b, int e, int over)
{
    while (e >= 0 && !lane_above(b->l->frame, e, over))
        e = b->l->frame->entity[e].parent;
    return e;
}

/* Row by row: what the lanes have no way for. */
static int32_t by_row(struct build *b, const ast *tree, int at, int level)
{
    struct lane_tree *t = puan_new(b->l->arena, struct lane_tree);
    struct lane_node n = { .op = LN_ROW,
                           .truth = tree->type.kind == PUAN_KIND_TRUTH,
                           .ent = (int16_t)at,
                           .can = LANE_ASKED | LANE_MISSING | LANE_INVALID,
                           .item = -1,
                           .data = t };

    if (!t)
        return -1;
    *t = (struct lane_tree){ tree, (uint16_t)level };
    if (!n.truth)
        number(&n, INT64_MIN, INT64_MAX);
    else
        n.lo = 0, n.hi = 1;
    return lane_add(b->l, &n);
}

uint32_t lane_longest(struct puan_lanes *l, int e)
{
    const struct puan_frame_entity *x = &l->frame->entity[e];
    uint32_t most = 1;

    if (l->longest[e])
        return l->longest[e];
    if (x->parent >= 0) {
        uint64_t units = l->frame->entity[x->parent].rows;

        for (uint64_t i = 0; i < units; i++) {
            uint32_t n = x->first[i + 1] - x->first[i];

            most = n > most ? n : most;
        }
    }
    return l->longest[e] = most;
}

bool lane_fused(struct puan_lanes *l, int e)
{
    const struct puan_frame *f = l->frame;
    int up = f->entity[e].parent;

    if (up < 0 || f->entity[e].rows / 256 > f->entity[up].rows)
        return false;
    for (size_t c = 0; c < f->n_entities; c++)
        for (size_t k = 0; k < f->n_entities && f->entity[c].parent == up; k++)
            if (f->entity[k].parent == (int)c)
                return false; /* a unit holds units: too large */
    return lane_longest(l, e) <= LANE_UNIT;
}

static int32_t size(struct build *b, int above, int over)
{
    struct lane_node n = {
        .op = LN_SIZE, .ent = (int16_t)above, .y = (uint16_t)over, .item = -1
    };

    if (b->l->frame->entity[over].parent == above && lane_fused(b->l, over))
        number(&n, 0, lane_longest(b->l, over));
    else
        number(&n, 0, UINT32_MAX);
    return lane_add(b->l, &n);
}

/* Range and reasons of a quantifier's result. */
static bool of_quantifier(struct build *b, struct lane_node *n, int64_t longest)
{
    uint8_t c = NODE(n->kid[0])->can;
    const struct lane_node *x = n->n_kids > 1 ? NODE(n->kid[1]) : NULL;
    uint8_t doubt = (uint8_t)(c & (LANE_OUTER | LANE_MISSING | LANE_INVALID));

    if (x && n->aux != PUAN_Q_FIRST)
        doubt |= (uint8_t)(x->can & (LANE_OUTER | LANE_MISSING | LANE_INVALID));
    if (doubt & LANE_OUTER)
        doubt = (uint8_t)((doubt & ~(unsigned)LANE_OUTER) | LANE_ASKED);
    n->can = doubt;
    n->item = -1;
    if (!x && n->aux >= PUAN_Q_SUM)
        return false;
    switch ((enum puan_quant)n->aux) {
    case PUAN_Q_COUNT:
        number(n, 0, longest);
        return true;
    case PUAN_Q_ANY:
    case PUAN_Q_ALL:
        n->truth = true;
        n->lo = 0;
        n->hi = 1;
        return true;
    case PUAN_Q_SUM: {
        int64_t lo, hi;

        if (__builtin_mul_overflow(x->lo < 0 ? x->lo : 0, longest, &lo) ||
            __builtin_mul_overflow(x->hi > 0 ? x->hi : 0, longest, &hi))
            return false;
        number(n, lo, hi);
        return true;
    }
    case PUAN_Q_MIN:
    case PUAN_Q_MAX:
        n->can |= LANE_ASKED;
        n->lo = x->lo;
        n->hi = x->hi;
        n->width = x->width;
        n->base = x->base;
        return true;
    case PUAN_Q_FIRST:
        n->can |= (uint8_t)(LANE_ASKED | x->can);
        n->truth = x->truth;
        n->lo = x->lo;
        n->hi = x->hi;
        n->width = x->width;
        n->base = x->base;
        return true;
    }
    return false;
}

static int32_t wide(struct build *b, struct lane_node *n, int above, int over)
{
    struct puan_lanes *l = b->l;
    struct lane_wide w = { .kind = n->aux,
                           .above = (uint16_t)above,
                           .over = (uint16_t)over,
                           .where = n->kid[0],
                           .of = n->n_kids > 1 ? n->kid[1] : -1 };
    size_t i;

    w.stage = n->stage;
    for (i = 0; i < l->n_wides; i++)
        if (l->wide[i].kind == w.kind && l->wide[i].above == w.above &&
            l->wide[i].over == w.over && l->wide[i].where == w.where &&
            l->wide[i].of == w.of)
            break;
    if (i == l->n_wides) {
        uint64_t rows = l->frame->entity[above].rows;

        if (l->n_wides == l->cap_wides) {
            size_t cap = l->cap_wides ? 2 * l->cap_wides : 32;
            struct lane_wide *list =
                puan_new_n(l->arena, cap, struct lane_wide);

            if (!list)
                return -1;
            if (l->n_wides)
                memcpy(list, l->wide, l->n_wides * sizeof(*list));
            l->wide = list;
            l->cap_wides = cap;
        }
        w.value = puan_new_n(l->arena, rows + 1, uint64_t);
        w.flags = puan_new_n(l->arena, rows + 1, uint8_t);
        if (!w.value || !w.flags)
            return -1;
        if (w.kind == PUAN_Q_MIN)
            for (uint64_t r = 0; r < rows; r++)
                w.value[r] = INT64_MAX;
        else if (w.kind == PUAN_Q_MAX)
            for (uint64_t r = 0; r < rows; r++)
                w.value[r] = (uint64_t)INT64_MIN;
        l->wide[l->n_wides++] = w;
    }
    n->op = LN_WIDE;
    n->k = (int64_t)i;
    n->n_kids = 0;
    n->stage = (uint8_t)(n->stage + 1);
    if (!n->truth) {
        n->width = 8;
        n->base = 0;
    }
    return lane_add(l, n);
}

static int32_t tree(struct build *b, const ast *n);

static int32_t quantifier(struct build *b, const ast *q)
{
    int over = q->entity, above = unit_of(b, b->level, over), was = b->row;
    const ast *x = q->op >= PUAN_Q_SUM ? q->kid : NULL;
    const ast *where = x ? x->next : q->kid;
    struct lane_node n = {
        .op = LN_UNIT, .aux = q->op, .y = (uint16_t)over, .n_kids = x ? 2 : 1
    };
    bool fused =
        b->l->frame->entity[over].parent == above && lane_fused(b->l, over);

    if (where && !lane_above(b->l->frame, b->level, over) && reads_own(where))
        return by_row(b, q, b->level, b->level);
    if (where && needs_rows(b, where, over))
        return by_row(b, q, above, above);
    b->row = over;
    n.kid[0] = where ? tree(b, where) : truth(b, true);
    if (x)
        n.kid[1] = tree(b, x);
    b->row = was;
    if (n.kid[0] < 0 || (x && n.kid[1] < 0))
        return -1;
    if (NODE(n.kid[0])->op == LN_TRUTH && NODE(n.kid[0])->k) {
        if (q->op == PUAN_Q_COUNT)
            return size(b, above, over);
        if (q->op == PUAN_Q_ANY)
            return range(b, size(b, above, over), 1, INT64_MAX);
    }
    for (unsigned i = 0; i < n.n_kids; i++)
        n.kid[i] = lane_at_entity(b->l, n.kid[i], over);
    if (n.kid[0] < 0 || (x && n.kid[1] < 0))
        return -1;
    if ((q->op == PUAN_Q_MIN || q->op == PUAN_Q_MAX) &&
        NODE(n.kid[1])->width == 8) /* lanes in the order of values */
        n.kid[1] = lane_cast(b->l, n.kid[1], 8, INT64_MIN);
    n.ent = (int16_t)above;
    inherit(b->l, &n);
    if (!of_quantifier(b, &n,
                       fused ? (int64_t)lane_longest(b->l, over)
                             : (int64_t)UINT32_MAX) ||
        (!fused && q->op == PUAN_Q_FIRST) || n.stage == UINT8_MAX)
        return by_row(b, q, above, above);
    n.can = (uint8_t)(n.can & 15u);
    return fused ? lane_add(b->l, &n) : wide(b, &n, above, over);
}

static int32_t line_at(struct build *b, const ast *call)
{
    const ast *x = call->kid, *line = x->next;
    int from = b->row >= 0 ? b->row : b->level, over = x->entity, was = b->row;
    int above = unit_of(b, from, over);
    struct lane_node n = { .op = LN_AT, .n_kids = 2, .y = (uint16_t)over };
    struct build inner = { .l = b->l, .level = over, .row = over };
    const struct lane_node *v;

    n.kid[0] = tree(b, line);
    b->row = was;
    n.kid[1] = lane_at_entity(b->l, tree(&inner, x), over);
    if (n.kid[0] < 0 || n.kid[1] < 0 || above < 0)
        return -1;
    if (b->l->frame->entity[over].parent != above || !lane_fused(b->l, over))
        return by_row(b, call, from, from);
    if (NODE(n.kid[0])->ent < 0 ||
        lane_above(b->l->frame, NODE(n.kid[0])->ent, above))
        n.kid[0] = lane_at_entity(b->l, n.kid[0], above);
    if (n.kid[0] < 0)
        return -1;
    n.ent = NODE(n.kid[0])->ent;
    v = NODE(n.kid[1]);
    n.truth = v->truth;
    n.width = v->width;
    n.base = v->base;
    n.lo = v->lo;
    n.hi = v->hi;
    inherit(b->l, &n);
    n.can |= LANE_ASKED;
    n.item = -1;
    return lane_add(b->l, &n);
}

static int32_t lookup(struct build *b, const ast *q)
{
    struct lane_node n = { .op = LN_LOOKUP,
                           .truth = q->value < 0,
                           .k = q->value,
                           .y = q->item,
                           .data = b->l->rs->prog.table[q->item] };

    for (const ast *k = q->kid; k; k = k->next)
        n.kid[n.n_kids++] = tree(b, k);
    n.ent = (int16_t)meet(b, n.kid, n.n_kids);
    for (unsigned i = 0; i < n.n_kids; i++)
        if (n.kid[i] < 0)
            return -1;
    if (n.ent < 0) {
        n.ent = (int16_t)(b->row >= 0 ? b->row : b->level);
        for (unsigned i = 0; i < n.n_kids; i++)
            n.kid[i] = lane_at_entity(b->l, n.kid[i], n.ent);
    }
    if (n.truth)
        n.lo = 0, n.hi = 1;
    else
        number(&n, INT64_MIN, INT64_MAX);
    inherit(b->l, &n);
    n.item = -1;
    if (!n.data)
        n.can = LANE_ASKED;
    else if (n.truth)
        n.can = 0;
    else
        n.can |= LANE_ASKED | LANE_MISSING | LANE_INVALID;
    return lane_add(b->l, &n);
}

/* ---- trees ---- */

static int64_t ten_to(unsigned places)
{
    int64_t k = 1;

    while (places-- > 0)
        k *= 10;
    return k;
}

static int32_t scaled(struct build *b, const ast *n, unsigned places)
{
    int32_t x = tree(b, n);

    return places > n->type.places && x >= 0 && !NODE(x)->truth
               ? scale(b, x, ten_to(places - n->type.places))
               : x;
}

static unsigned finer(const ast *a, const ast *c)
{
    return a->type.places > c->type.places ? a->type.places : c->type.places;
}

static int32_t member(struct build *b, const ast *n)
{
    int32_t x = tree(b, n->kid), r = -1;

    for (const ast *m = n->kid->next; m; m = m->next) {
        bool pair = m->ast == PUAN_AST_RANGE;
        int64_t lo = pair ? m->kid->value : m->value;
        int64_t hi = pair ? m->kid->next->value : lo;
        int32_t one;

        /* neighbours in the list: one range */
        while (m->next && !pair && m->next->ast != PUAN_AST_RANGE &&
               hi != INT64_MAX && m->next->value == hi + 1) {
            hi++;
            m = m->next;
        }
        one = range(b, x, lo, hi);
        if (one < 0)
            return -1;
        r = r < 0 ? one : join(b, r, one, true);
        if (r < 0)
            return -1;
    }
    return n->negated ? negate(b, r) : r;
}

static int32_t calendar(struct build *b, const ast *n, const ast *x)
{
    bool day = x->type.kind == PUAN_KIND_DAY;
    int32_t a = tree(b, x);
    bool safe;

    if (a < 0)
        return -1;
    safe = day ? day_in_range(NODE(a)->lo) && day_in_range(NODE(a)->hi)
               : month_in_range(NODE(a)->lo) && month_in_range(NODE(a)->hi);
    switch ((unsigned)n->op) {
    case PUAN_FN_MONTH:
        return slow(b, PUAN_OP_MONTH_D, a, -2, 1800 * 12, 2200 * 12 - 1, !safe);
    case PUAN_FN_YEAR:
        return slow(b, day ? PUAN_OP_YEAR_D : PUAN_OP_YEAR_M, a, -2, 1800, 2199,
                    !safe);
    default:
        return slow(b, day ? PUAN_OP_MONTH_OF_D : PUAN_OP_MONTH_OF_M, a, -2, 1,
                    12, !safe);
    }
}

static int32_t age(struct build *b, const ast *x, const ast *y)
{
    bool day = x->type.kind == PUAN_KIND_DAY, safe;
    int32_t a = tree(b, x), c = tree(b, y);

    if (a < 0 || c < 0)
        return -1;
    safe = day ? day_in_range(NODE(a)->lo) && day_in_range(NODE(a)->hi) &&
                     day_in_range(NODE(c)->lo) && day_in_range(NODE(c)->hi)
               : month_in_range(NODE(a)->lo) && month_in_range(NODE(a)->hi) &&
                     month_in_range(NODE(c)->lo) && month_in_range(NODE(c)->hi);
    return slow(b, day ? PUAN_OP_AGE_DAY : PUAN_OP_AGE_MONTH, a, c, -401, 401,
                !safe);
}

static int32_t absolute(struct build *b, int32_t x)
{
    const struct lane_node *a;

    if (x < 0)
        return -1;
    a = NODE(x);
    if (a->lo >= 0)
        return x;
    if (a->lo == INT64_MIN)
        return slow_any(b, PUAN_OP_ABS, x, -2);
    return slow(b, PUAN_OP_ABS, x, -2, 0, a->hi > -a->lo ? a->hi : -a->lo,
                false);
}

static int32_t states(struct build *b, const ast *x, unsigned mask)
{
    return in_state(b, item_node(b, x->entity, x->item), (int64_t)mask);
}

static int32_t call(struct build *b, const ast *n)
{
    const ast *x = n->kid, *y = x->next;
    int32_t r;

    switch ((enum puan_fn)n->op) {
    case PUAN_FN_GIVEN:
        return states(b, x, 1u << PUAN_GIVEN);
    case PUAN_FN_MISSING:
        return states(b, x, 1u << PUAN_MISSING);
    case PUAN_FN_ASKED:
        return states(b, x, 15u & ~(1u << PUAN_NOT_ASKED));
    case PUAN_FN_INVALID:
        return states(b, x, 1u << PUAN_INVALID);
    case PUAN_FN_REASON:
        return reason(b, item_node(b, x->entity, x->item));
    case PUAN_FN_KNOWN:
        return in_state(b, tree(b, x), 1 << PUAN_GIVEN);
    case PUAN_FN_IF: {
        int32_t c = tree(b, x), a = scaled(b, y, n->type.places);

        return choose(b, c, a, scaled(b, y->next, n->type.places));
    }
    case PUAN_FN_ABS:
        return absolute(b, tree(b, x));
    case PUAN_FN_MIN:
    case PUAN_FN_MAX:
        r = scaled(b, x, n->type.places);
        for (; y; y = y->next)
            r = extreme(b, r, scaled(b, y, n->type.places),
                        n->op == PUAN_FN_MAX);
        return r;
    case PUAN_FN_MONTH:
    case PUAN_FN_YEAR:
    case PUAN_FN_MONTH_OF:
        return calendar(b, n, x);
    case PUAN_FN_AGE_AT:
        return age(b, x, y);
    case PUAN_FN_NUMBER:
        return tree(b, x);
    case PUAN_FN_PREFIX:
        return quotient(b, tree(b, x), constant(b, n->value), false);
    case PUAN_FN_AT:
        return line_at(b, n);
    case PUAN_FN_SAME_ID:
    case PUAN_FN_SAME_TEXT: /* the texts are not in a frame */
        r = b->row >= 0 ? b->row : b->level;
        return by_row(b, n, r, r);
    case PUAN_FN_DAY:
    case PUAN_FN_FOUND:
    case PUAN_FN_FACT:
        break;
    }
    return -1;
}

static int32_t line(struct build *b, const ast *n)
{
    struct lane_node l = { .op = LN_LINE,
                           .ent = (int16_t)n->entity,
                           .item = -1 };

    if (b->l->frame->entity[n->entity].parent >= 0 &&
        lane_fused(b->l, n->entity))
        number(&l, 1, lane_longest(b->l, n->entity));
    else
        number(&l, 1, UINT32_MAX);
    return lane_add(b->l, &l);
}

static int32_t tree_of(struct build *b, const ast *n)
{
    unsigned places = n->kid && n->kid->next ? finer(n->kid, n->kid->next) : 0;
    bool from_outside = b->row >= 0 && n->src != PUAN_SRC_INNER;
    int32_t x;

    switch (n->ast) {
    case PUAN_AST_CONST:
        return n->type.kind == PUAN_KIND_TRUTH ? truth(b, n->value != 0)
                                               : constant(b, n->value);
    case PUAN_AST_ITEM:
        x = item_node(b, n->entity, n->item);
        return from_outside ? outside(b, x) : x;
    case PUAN_AST_COLUMN:
        x = derived(b, n->item);
        return from_outside ? outside(b, x) : x;
    case PUAN_AST_ROW:
        return line(b, n);
    case PUAN_AST_OR:
    case PUAN_AST_AND:
        x = tree(b, n->kid);
        return join(b, x, tree(b, n->kid->next), n->ast == PUAN_AST_OR);
    case PUAN_AST_NOT:
        return negate(b, tree(b, n->kid));
    case PUAN_AST_COMPARE:
        x = scaled(b, n->kid, places);
        return compare(b, x, (enum puan_cmp)n->op,
                       scaled(b, n->kid->next, places));
    case PUAN_AST_IN:
        return member(b, n);
    case PUAN_AST_ADD:
    case PUAN_AST_SUB:
        x = scaled(b, n->kid, n->type.places);
        return sum(b, x, scaled(b, n->kid->next, n->type.places),
                   n->ast == PUAN_AST_SUB);
    case PUAN_AST_MUL:
        x = tree(b, n->kid);
        return product(b, x, tree(b, n->kid->next));
    case PUAN_AST_DIV:
        x = scaled(b, n->kid, places);
        return quotient(b, x, scaled(b, n->kid->next, places), false);
    case PUAN_AST_MOD:
        x = scaled(b, n->kid, n->type.places);
        return quotient(b, x, scaled(b, n->kid->next, n->type.places), true);
    case PUAN_AST_NEG:
        x = tree(b, n->kid);
        return sum(b, constant(b, 0), x, true);
    case PUAN_AST_CALL:
        return call(b, n);
    case PUAN_AST_QUANT:
        return quantifier(b, n);
    case PUAN_AST_LOOKUP:
        return lookup(b, n);
    case PUAN_AST_WORD:
    case PUAN_AST_NAME:
    case PUAN_AST_RANGE:
        break;
    }
    return -1;
}

static int32_t tree(struct build *b, const ast *n)
{
    return tree_of(b, n);
}

int32_t lane_tree_node(struct puan_lanes *l, const ast *n, uint16_t level)
{
    struct build b = { .l = l, .level = level, .row = -1 };

    return tree(&b, n);
}
