/*
 * Reductions over units: within a block (households of persons) unit by unit
 * without branches, and over whole levels (an area's persons) added up block
 * by block.  What each quantifier gives is doc/rules.md section 5; acc_row and
 * acc_end in ops.h say the same for one row at a time.
 */
#include "core/rule/lane.h"

enum {
    OUTER = PUAN_UN_OUTER - 1,
    MISSING = PUAN_UN_MISSING - 1,
    INVALID = PUAN_UN_INVALID - 1,
    ASKED = PUAN_UN_ASKED - 1
};

/* The units of entity e in the block, as rows of it; *n of them. */
struct units {
    const uint32_t *first;
    uint32_t n, row0, rows;
};

static struct units units_of(const struct puan_lanes_work *w, int above, int e)
{
    return (struct units){ w->l->frame->entity[e].first + w->span[above].row,
                           w->span[above].n, (uint32_t)w->span[e].row,
                           w->span[e].n };
}

/* Rows in doubt, for one reason: where it is unknown, or where it is true and
   what is summed is unknown.  NULL: none can be. */
static const uint64_t *doubtful(struct puan_lanes_work *w,
                                const struct lane_out *c,
                                const struct lane_out *x, unsigned why,
                                uint32_t rows, uint64_t *scratch)
{
    const struct puan_lane_kernels *k = w->l->kernels;
    uint32_t words = lane_words(rows);

    if (!x || !x->u[why])
        return c->u[why];
    k->both(scratch, c->t, x->u[why], words);
    if (c->u[why])
        k->either(scratch, scratch, c->u[why], words);
    return scratch;
}

/* Units with a doubt, each for its strongest; the planes of the node. */
static void doubts(struct puan_lanes_work *w, int32_t n, const struct units *u,
                   const struct lane_out *c, const struct lane_out *x,
                   const uint64_t *settled)
{
    const struct puan_lane_kernels *k = w->l->kernels;
    const struct lane_node *node = &w->l->node[n];
    struct lane_out *o = &w->out[n];
    uint32_t words = lane_words(u->n);
    const unsigned why[3] = { INVALID, MISSING, OUTER };
    uint64_t *taken = w->bits[6], *any = w->bits[5];

    memset(taken, 0, words * sizeof(*taken));
    for (unsigned i = 0; i < 4; i++)
        o->u[i] = NULL;
    for (unsigned i = 0; i < 3; i++) {
        const uint64_t *rows = doubtful(w, c, x, why[i], u->rows, w->bits[4]);
        unsigned as = why[i] == OUTER ? ASKED : why[i];

        if (!rows || !(node->can >> as & 1))
            continue;
        k->unit_any(any, rows, u->first, u->n, u->row0);
        k->without(any, any, taken, words);
        if (settled && why[i] != INVALID)
            k->without(any, any, settled, words);
        memcpy(o->own_u[as], any, words * sizeof(*any));
        o->u[as] = o->own_u[as];
        k->either(taken, taken, any, words);
    }
    /* w->bits[6] holds all that are in doubt */
}

static void put_lane(void *to, unsigned width, uint32_t i, uint64_t v)
{
    switch (width) {
    case 1:
        ((uint8_t *)to)[i] = (uint8_t)v;
        break;
    case 2:
        ((uint16_t *)to)[i] = (uint16_t)v;
        break;
    case 4:
        ((uint32_t *)to)[i] = (uint32_t)v;
        break;
    default:
        ((uint64_t *)to)[i] = v;
        break;
    }
}

static uint64_t get_lane(const void *p, unsigned width, uint32_t i)
{
    switch (width) {
    case 1:
        return ((const uint8_t *)p)[i];
    case 2:
        return ((const uint16_t *)p)[i];
    case 4:
        return ((const uint32_t *)p)[i];
    default:
        return ((const uint64_t *)p)[i];
    }
}

static void any_of(struct puan_lanes_work *w, int32_t n, const struct units *u,
                   const struct lane_out *c, bool all)
{
    const struct puan_lane_kernels *k = w->l->kernels;
    struct lane_out *o = &w->out[n];
    uint32_t words = lane_words(u->n), rows = lane_words(u->rows);
    const uint64_t *hits = c->t, *unknown;
    uint64_t *hit = w->bits[3];

    if (all) { /* a row for which it is false */
        uint64_t *f = w->bits[0];

        unknown = lane_unknown(w, c, w->bits[1], rows);
        k->without(f, w->ones, c->t, rows);
        if (unknown)
            k->without(f, f, unknown, rows);
        lane_tail(f, u->rows);
        hits = f;
    }
    k->unit_any(hit, hits, u->first, u->n, u->row0);
    doubts(w, n, u, c, NULL, hit);
    if (all) {
        k->either(hit, hit, w->bits[6], words);
        k->without(o->own_t, w->ones, hit, words);
        lane_tail(o->own_t, u->n);
    } else {
        k->without(o->own_t, hit, w->bits[6], words);
    }
    o->t = o->own_t;
}

/* Rows whose value counts. */
static const uint64_t *used_rows(struct puan_lanes_work *w,
                                 const struct lane_out *c,
                                 const struct lane_out *x, uint32_t rows)
{
    uint32_t words = lane_words(rows);
    const uint64_t *unknown = lane_unknown(w, x, w->bits[1], words);

    if (!unknown)
        return c->t;
    w->l->kernels->without(w->bits[0], c->t, unknown, words);
    return w->bits[0];
}

#define RUNNING(T)                                                             \
    do {                                                                       \
        const T *a_ = w->lane1;                                                \
        for (uint32_t i = 0; i < u->rows; i++) {                               \
            w->sums[i] = s;                                                    \
            s += a_[i];                                                        \
        }                                                                      \
    } while (0)

static void sum_of(struct puan_lanes_work *w, int32_t n, const struct units *u,
                   const struct lane_out *c, const struct lane_out *x)
{
    const struct puan_lane_kernels *k = w->l->kernels;
    const struct lane_node *node = &w->l->node[n];
    const struct lane_node *of = &w->l->node[node->kid[1]];
    struct lane_out *o = &w->out[n];
    const uint64_t *used = used_rows(w, c, x, u->rows);
    uint32_t *count = w->first;
    uint64_t s = 0;

    k->keep[lane_log(of->width)](w->lane1, used, x->lane, u->rows, false);
    switch (of->width) {
    case 1:
        RUNNING(uint8_t);
        break;
    case 2:
        RUNNING(uint16_t);
        break;
    case 4:
        RUNNING(uint32_t);
        break;
    default:
        RUNNING(uint64_t);
        break;
    }
    w->sums[u->rows] = s;
    k->unit_count[2](count, used, u->first, u->n, u->row0);
    for (uint32_t i = 0; i < u->n; i++) {
        uint32_t a = u->first[i] - u->row0, b = u->first[i + 1] - u->row0;
        uint64_t v = w->sums[b] - w->sums[a] + (uint64_t)of->base * count[i];

        put_lane(o->own_lane, node->width, i, v - (uint64_t)node->base);
    }
    o->lane = o->own_lane;
    doubts(w, n, u, c, x, NULL);
}

/* For each row, the rows from it to the end of its unit; the longest unit. */
static uint32_t to_the_end(struct puan_lanes_work *w, int e,
                           const struct units *u)
{
    /* n, n - 1 … 1 in the first bytes: small units without a branch; what is
       written too far the next unit writes again */
    static const uint8_t down[9][8] = {
        { 0 },
        { 1 },
        { 2, 1 },
        { 3, 2, 1 },
        { 4, 3, 2, 1 },
        { 5, 4, 3, 2, 1 },
        { 6, 5, 4, 3, 2, 1 },
        { 7, 6, 5, 4, 3, 2, 1 },
        { 8, 7, 6, 5, 4, 3, 2, 1 },
    };
    uint8_t *left = w->left[e];
    uint32_t most = 1;

    if (w->block_longest[e])
        return w->block_longest[e];
    for (uint32_t i = 0; i < u->n; i++) {
        uint32_t a = u->first[i] - u->row0, b = u->first[i + 1] - u->row0;

        most = b - a > most ? b - a : most;
        for (; b - a > 8; a++)
            left[a] = (uint8_t)(b - a);
        memcpy(left + a, down[b - a], 8);
    }
    return w->block_longest[e] = most;
}

static void unit_by_unit(void *to, const void *from, unsigned width,
                         const struct units *u)
{
    for (uint32_t i = 0; i < u->n; i++) {
        uint64_t best = 0;

        for (uint32_t r = u->first[i] - u->row0; r < u->first[i + 1] - u->row0;
             r++) {
            uint64_t v = get_lane(from, width, r);

            best = v > best ? v : best;
        }
        put_lane(to, width, i, best);
    }
}

#define STARTS(T)                                                              \
    do {                                                                       \
        const T *a_ = at;                                                      \
        T *o_ = o->own_lane;                                                   \
        const T flip_ = (T)(least ? ~(uint64_t)0 : 0);                         \
        for (uint32_t i = 0; i < u->n; i++)                                    \
            o_[i] = (T)(a_[u->first[i] - u->row0] ^ flip_);                    \
    } while (0)

/*
 * Smallest and largest: rows reach 1, 2, 4 … rows ahead within their unit, so
 * that the first row of each holds the answer (a smallest value is the largest
 * complement).
 */
static void extreme_of(struct puan_lanes_work *w, int32_t n,
                       const struct units *u, const struct lane_out *c,
                       const struct lane_out *x, int e, bool least)
{
    const struct puan_lane_kernels *k = w->l->kernels;
    const struct lane_node *node = &w->l->node[n];
    unsigned width = node->width, log = lane_log(width);
    struct lane_out *o = &w->out[n];
    const uint64_t *used = used_rows(w, c, x, u->rows);
    uint32_t words = lane_words(u->n), longest = to_the_end(w, e, u);
    void *at = w->lane1, *next = w->lane2;
    uint64_t *hit = w->bits[3];

    if (w->l->node[node->kid[0]].op == LN_TRUTH && w->l->node[node->kid[0]].k &&
        used == c->t)
        k->less[2](hit, u->first, u->first + 1, u->n, 0, 0); /* all rows */
    else
        k->unit_any(hit, used, u->first, u->n, u->row0);
    k->keep[log](at, used, x->lane, u->rows, least);
    if (longest > 255) {
        unit_by_unit(o->own_lane, at, width, u);
        for (uint32_t i = 0; least && i < u->n; i++)
            put_lane(o->own_lane, width, i, ~get_lane(o->own_lane, width, i));
    } else {
        for (uint32_t step = 1; step < longest; step *= 2) {
            void *t = at;

            k->reach[log](next, at, w->left[e], u->rows, step);
            at = next;
            next = t;
        }
        switch (width) {
        case 1:
            STARTS(uint8_t);
            break;
        case 2:
            STARTS(uint16_t);
            break;
        case 4:
            STARTS(uint32_t);
            break;
        default:
            STARTS(uint64_t);
            break;
        }
    }
    o->lane = o->own_lane;
    doubts(w, n, u, c, x, NULL);
    /* no row: not asked, unless in doubt */
    k->either(hit, hit, w->bits[6], words);
    k->without(hit, w->ones, hit, words);
    lane_tail(hit, u->n);
    if (o->u[ASKED])
        k->either(hit, hit, o->u[ASKED], words);
    memcpy(o->own_u[ASKED], hit, words * sizeof(*hit));
    o->u[ASKED] = o->own_u[ASKED];
}

/* First set bit of rows [a, b), or b. */
static uint32_t first_set(const uint64_t *bits, uint32_t a, uint32_t b)
{
    while (a < b) {
        uint64_t x = bits[a / 64] >> (a % 64);

        if (x) {
            a += (uint32_t)__builtin_ctzll(x);
            return a < b ? a : b;
        }
        a += 64 - a % 64;
    }
    return b;
}

static bool any_in(const uint64_t *bits, uint32_t a, uint32_t b)
{
    return bits && first_set(bits, a, b) < b;
}

#define FIRSTS(T)                                                              \
    do {                                                                       \
        const T *a_ = w->out[x].lane;                                          \
        T *o_ = o->own_lane;                                                   \
        for (uint32_t i = 0; i < u->n; i++) {                                  \
            uint32_t a = u->first[i] - u->row0, b = u->first[i + 1] - u->row0; \
            uint32_t r = first_near(c->t, a, b);                               \
            none[i / 64] |= (uint64_t)(r == b) << (i % 64);                    \
            o_[i] = a_[r > end ? end : r];                                     \
        }                                                                      \
    } while (0)

/* The same for units that are mostly small, without a branch for those. */
static inline uint32_t first_near(const uint64_t *bits, uint32_t a, uint32_t b)
{
    uint32_t n = b - a;
    uint64_t x;

    if (n > 56)
        return first_set(bits, a, b);
    memcpy(&x, (const char *)bits + a / 8, 8);
    x = x >> (a % 8) | (uint64_t)1 << n; /* a stop behind the last */
    return a + (uint32_t)__builtin_ctzll(x);
}

static void first_of(struct puan_lanes_work *w, int32_t n,
                     const struct units *u, const struct lane_out *c, int32_t x)
{
    const struct lane_node *node = &w->l->node[n];
    struct lane_out *o = &w->out[n];
    val *v = w->val1;

    if (!node->truth && w->l->node[x].can == 0 &&
        w->l->node[node->kid[0]].can == 0) { /* only "no such row" */
        uint64_t *none = o->own_u[ASKED];
        uint32_t end = u->rows ? u->rows - 1 : 0;

        memset(none, 0, lane_words(u->n) * sizeof(*none));
        for (unsigned i = 0; i < 4; i++)
            o->u[i] = i == ASKED ? none : NULL;
        switch (node->width) {
        case 1:
            FIRSTS(uint8_t);
            break;
        case 2:
            FIRSTS(uint16_t);
            break;
        case 4:
            FIRSTS(uint32_t);
            break;
        default:
            FIRSTS(uint64_t);
            break;
        }
        o->lane = o->own_lane;
        return;
    }
    for (uint32_t i = 0; i < u->n; i++) {
        uint32_t a = u->first[i] - u->row0, b = u->first[i + 1] - u->row0;
        uint32_t r = first_set(c->t, a, b);

        if (any_in(c->u[INVALID], a, r))
            v[i] = unknown(PUAN_UN_INVALID);
        else if (any_in(c->u[MISSING], a, r))
            v[i] = unknown(PUAN_UN_MISSING);
        else if (any_in(c->u[OUTER], a, r) || r == b)
            v[i] = unknown(PUAN_UN_ASKED);
        else
            v[i] = lane_val(w, x, r);
    }
    lane_store(w, n, v);
}

void lane_compute_unit(struct puan_lanes_work *w, int32_t n)
{
    const struct lane_node *node = &w->l->node[n];
    const struct lane_out *c = &w->out[node->kid[0]];
    const struct lane_out *x = &w->out[node->kid[node->n_kids - 1u]];
    struct lane_out *o = &w->out[n];
    struct units u = units_of(w, node->ent, node->y);

    switch ((enum puan_quant)node->aux) {
    case PUAN_Q_COUNT:
        w->l->kernels->unit_count[lane_log(node->width)](o->own_lane, c->t,
                                                         u.first, u.n, u.row0);
        o->lane = o->own_lane;
        doubts(w, n, &u, c, NULL, NULL);
        break;
    case PUAN_Q_ANY:
    case PUAN_Q_ALL:
        any_of(w, n, &u, c, node->aux == PUAN_Q_ALL);
        break;
    case PUAN_Q_SUM:
        sum_of(w, n, &u, c, x);
        break;
    case PUAN_Q_MIN:
    case PUAN_Q_MAX:
        extreme_of(w, n, &u, c, x, node->y, node->aux == PUAN_Q_MIN);
        break;
    case PUAN_Q_FIRST:
        first_of(w, n, &u, c, node->kid[1]);
        break;
    }
}

/* ---- whole levels ---- */

/* Rows of the level above in the block, each with its rows here. */
static struct units cut(struct puan_lanes_work *w, int above, int e)
{
    struct lane_span a = w->span[above], b = w->span[e];

    for (uint32_t i = 0; i <= a.n; i++) {
        uint64_t r = lane_first(w->l->frame, above, e, a.row + i);

        r = r < b.row ? b.row : r > b.row + b.n ? b.row + b.n : r;
        w->first[i] = (uint32_t)(r - b.row);
    }
    return (struct units){ w->first, a.n, 0, b.n };
}

static void flag(const struct lane_wide *x, uint64_t row0, const uint64_t *bits,
                 uint32_t n, uint8_t bit)
{
    for (uint32_t i = 0; i < n; i++)
        if (bits[i / 64] >> (i % 64) & 1)
            __atomic_fetch_or(&x->flags[row0 + i], bit, __ATOMIC_RELAXED);
}

static void wide_extreme(struct puan_lanes_work *w, const struct lane_wide *x,
                         const struct units *u, const uint64_t *used)
{
    const struct lane_node *of = &w->l->node[x->of];
    const void *lane = w->out[x->of].lane;
    bool least = x->kind == PUAN_Q_MIN;

    for (uint32_t i = 0; i < u->n; i++) {
        int64_t best = least ? INT64_MAX : INT64_MIN, was;
        int64_t *at = (int64_t *)(void *)&x->value[w->span[x->above].row + i];
        uint32_t r = first_set(used, u->first[i], u->first[i + 1]);

        for (; r < u->first[i + 1];
             r = first_set(used, r + 1, u->first[i + 1])) {
            int64_t v = lane_value_of(lane, of->width, of->base, r);

            if (least ? v < best : v > best)
                best = v;
        }
        was = __atomic_load_n(at, __ATOMIC_RELAXED);
        while ((least ? best < was : best > was) &&
               !__atomic_compare_exchange_n(at, &was, best, false,
                                            __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            ;
    }
}

void lane_add_wide(struct puan_lanes_work *w, const struct lane_wide *x)
{
    const struct puan_lane_kernels *k = w->l->kernels;
    const struct lane_out *c = &w->out[x->where];
    const struct lane_out *of = x->of >= 0 ? &w->out[x->of] : NULL;
    struct units u = cut(w, x->above, x->over);
    uint64_t row0 = w->span[x->above].row;
    const uint8_t bit[4] = { 0, LANE_DOUBT_OUTER, LANE_DOUBT_MISSING,
                             LANE_DOUBT_INVALID };
    const uint64_t *used = c->t;
    uint64_t *n = w->sums, *any = w->bits[5];

    for (unsigned why = OUTER; why <= INVALID; why++) {
        const uint64_t *rows = doubtful(w, c, of, why, u.rows, w->bits[4]);

        if (!rows)
            continue;
        k->unit_any(any, rows, u.first, u.n, 0);
        flag(x, row0, any, u.n, bit[why]);
    }
    if (x->kind == PUAN_Q_ALL) {
        const uint64_t *unknown =
            lane_unknown(w, c, w->bits[1], lane_words(u.rows));

        k->without(w->bits[0], w->ones, c->t, lane_words(u.rows));
        if (unknown)
            k->without(w->bits[0], w->bits[0], unknown, lane_words(u.rows));
        lane_tail(w->bits[0], u.rows);
        used = w->bits[0];
    } else if (of) {
        used = used_rows(w, c, of, u.rows);
    }
    if (x->kind != PUAN_Q_COUNT && x->kind != PUAN_Q_SUM) {
        k->unit_any(any, used, u.first, u.n, 0);
        flag(x, row0, any, u.n, LANE_HIT);
    }
    if (x->kind == PUAN_Q_MIN || x->kind == PUAN_Q_MAX) {
        wide_extreme(w, x, &u, used);
        return;
    }
    if (x->kind != PUAN_Q_COUNT && x->kind != PUAN_Q_SUM)
        return;
    k->unit_count[3](n, used, u.first, u.n, 0);
    if (x->kind == PUAN_Q_SUM && of) {
        const struct lane_node *node = &w->l->node[x->of];
        unsigned log = lane_log(node->width);

        k->keep[log](w->lane1, used, of->lane, u.rows, false);
        for (uint32_t i = 0; i < u.n; i++)
            n[i] = n[i] * (uint64_t)node->base +
                   k->sum[log]((const char *)w->lane1 +
                                   (size_t)u.first[i] * node->width,
                               u.first[i + 1] - u.first[i]);
    }
    for (uint32_t i = 0; i < u.n; i++)
        if (n[i])
            __atomic_fetch_add(&x->value[row0 + i], n[i], __ATOMIC_RELAXED);
}
