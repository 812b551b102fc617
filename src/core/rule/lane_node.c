/*
 * What each node gives for a block of rows.  Truths are false where they are
 * unknown, and no bit is set behind the last row.
 */
#include "core/rule/lane.h"

enum {
    OUTER = PUAN_UN_OUTER - 1,
    MISSING = PUAN_UN_MISSING - 1,
    INVALID = PUAN_UN_INVALID - 1,
    ASKED = PUAN_UN_ASKED - 1
};

#define KERNEL(w) ((w)->l->kernels)

int64_t lane_value_of(const void *lane, unsigned width, int64_t base,
                      uint32_t i)
{
    uint64_t v;

    switch (width) {
    case 1:
        v = ((const uint8_t *)lane)[i];
        break;
    case 2:
        v = ((const uint16_t *)lane)[i];
        break;
    case 4:
        v = ((const uint32_t *)lane)[i];
        break;
    default:
        v = ((const uint64_t *)lane)[i];
        break;
    }
    return (int64_t)((uint64_t)base + v);
}

static bool bit_at(const uint64_t *bits, uint32_t i)
{
    return bits[i / 64] >> (i % 64) & 1;
}

val lane_val(const struct puan_lanes_work *w, int32_t n, uint32_t i)
{
    const struct lane_node *node = &w->l->node[n];
    const struct lane_out *o = &w->out[n];

    for (unsigned k = 0; k < 4; k++)
        if (o->u[k] && bit_at(o->u[k], i))
            return unknown((uint8_t)(k + 1));
    return known(node->truth
                     ? bit_at(o->t, i)
                     : lane_value_of(o->lane, node->width, node->base, i));
}

void lane_values(val *to, struct puan_lanes_work *w, int32_t n)
{
    const struct lane_node *node = &w->l->node[n];
    const struct lane_out *o = &w->out[n];
    uint32_t rows = w->span[node->ent].n;

    for (uint32_t i = 0; i < rows; i++)
        to[i] = known(node->truth
                          ? bit_at(o->t, i)
                          : lane_value_of(o->lane, node->width, node->base, i));
    for (unsigned k = 0; k < 4; k++)
        for (uint32_t i = 0; o->u[k] && i < rows; i++)
            if (bit_at(o->u[k], i))
                to[i] = unknown((uint8_t)(k + 1));
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

void lane_store(struct puan_lanes_work *w, int32_t n, const val *v)
{
    const struct lane_node *node = &w->l->node[n];
    struct lane_out *o = &w->out[n];
    uint32_t rows = w->span[node->ent].n, words = lane_words(rows);

    for (unsigned k = 0; k < 4; k++) {
        o->u[k] = node->can >> k & 1 ? o->own_u[k] : NULL;
        if (o->u[k])
            memset(o->own_u[k], 0, words * sizeof(uint64_t));
    }
    if (node->truth)
        memset(o->own_t, 0, words * sizeof(uint64_t));
    for (uint32_t i = 0; i < rows; i++) {
        if (v[i].s != PUAN_KNOWN && o->u[v[i].s - 1])
            o->own_u[v[i].s - 1][i / 64] |= (uint64_t)1 << (i % 64);
        if (!node->truth)
            put_lane(o->own_lane, node->width, i,
                     (uint64_t)v[i].v - (uint64_t)node->base);
        else if (v[i].s == PUAN_KNOWN && v[i].v)
            o->own_t[i / 64] |= (uint64_t)1 << (i % 64);
    }
    o->t = o->own_t;
    o->lane = o->own_lane;
}

const uint64_t *lane_unknown(const struct puan_lanes_work *w,
                             const struct lane_out *o, uint64_t *scratch,
                             uint32_t words)
{
    const uint64_t *u = NULL;

    for (unsigned k = 0; k < 4; k++) {
        if (!o->u[k])
            continue;
        if (u) {
            KERNEL(w)->either(scratch, u, o->u[k], words);
            u = scratch;
        } else {
            u = o->u[k];
        }
    }
    return u;
}

/* The kid's planes, those the node keeps. */
static void same_planes(struct lane_out *o, const struct lane_node *node,
                        const struct lane_out *kid)
{
    for (unsigned k = 0; k < 4; k++)
        o->u[k] = node->can >> k & 1 ? kid->u[k] : NULL;
}

/* Unknown where one of two is, for the stronger reason. */
static void strict(struct puan_lanes_work *w, struct lane_out *o,
                   const struct lane_node *node, uint32_t words)
{
    const struct lane_out *a = &w->out[node->kid[0]];
    const struct lane_out *b = &w->out[node->kid[1]];
    uint64_t *taken = w->bits[7];
    bool some = false;

    if (!w->l->node[node->kid[0]].can) {
        same_planes(o, node, b);
        return;
    }
    if (!w->l->node[node->kid[1]].can) {
        same_planes(o, node, a);
        return;
    }
    for (unsigned k = 4; k-- > 0;) {
        const uint64_t *p = a->u[k], *q = b->u[k];

        o->u[k] = NULL;
        if (!p && !q)
            continue;
        KERNEL(w)->either(o->own_u[k], p ? p : q, q ? q : p, words);
        if (some)
            KERNEL(w)->without(o->own_u[k], o->own_u[k], taken, words);
        else
            memset(taken, 0, words * sizeof(*taken));
        KERNEL(w)->either(taken, taken, o->own_u[k], words);
        some = true;
        o->u[k] = o->own_u[k];
    }
}

/* A fresh truth is false where it is unknown. */
static void only_known(struct puan_lanes_work *w, struct lane_out *o,
                       uint32_t words)
{
    const uint64_t *u = lane_unknown(w, o, w->bits[7], words);

    if (u)
        KERNEL(w)->without(o->own_t, o->own_t, u, words);
    o->t = o->own_t;
}

/* ---- items ---- */

static void item(struct puan_lanes_work *w, struct lane_out *o,
                 const struct lane_node *node)
{
    const struct puan_frame_item *it = node->data;
    struct lane_span s = w->span[node->ent];
    uint64_t *part = w->bits[7];

    o->lane = (const char *)it->data + s.row * it->width;
    for (unsigned k = 0; k < 4; k++) {
        bool begun = false;

        o->u[k] = NULL;
        for (size_t i = 0; node->can >> k & 1 && i < it->n_states; i++) {
            size_t j = i;

            if (know_of((uint8_t)it->states[i].state) != k + 1)
                continue;
            while (j + 1 < it->n_states &&
                   know_of((uint8_t)it->states[j + 1].state) == k + 1)
                j++;
            KERNEL(w)->range[lane_log(it->width)](
                begun ? part : o->own_u[k], o->lane, s.n, it->stop + i, j - i);
            if (begun)
                KERNEL(w)->either(o->own_u[k], o->own_u[k], part,
                                  lane_words(s.n));
            begun = true;
            i = j;
        }
        if (node->can >> k & 1)
            o->u[k] = o->own_u[k];
    }
}

static void key(struct puan_lanes_work *w, int32_t n)
{
    const struct lane_node *node = &w->l->node[n];
    const struct puan_frame *f = w->l->frame;
    const struct puan_frame_item *it = node->data;
    struct lane_span s = w->span[node->ent];
    val *v = w->val1;

    for (uint32_t i = 0; i < s.n; i++) {
        uint64_t row = lane_first(f, node->ent, node->y, s.row + i);
        uint64_t x;

        if (row == lane_first(f, node->ent, node->y, s.row + i + 1)) {
            v[i] = unknown(PUAN_UN_ASKED);
            continue;
        }
        x = puan_frame_stored(it, row);
        if (x < it->stop || it->n_states == 0)
            v[i] = known((int64_t)((uint64_t)it->base + x));
        else
            v[i] = unknown(know_of(x - it->stop < it->n_states
                                       ? (uint8_t)it->states[x - it->stop].state
                                       : PUAN_INVALID));
    }
    lane_store(w, n, v);
}

static void reason(struct puan_lanes_work *w, int32_t n)
{
    const struct lane_node *node = &w->l->node[n];
    const struct puan_frame_item *it = w->l->node[node->kid[0]].data;
    const void *lane = w->out[node->kid[0]].lane;
    struct lane_span s = w->span[node->ent];
    val *v = w->val1;

    for (uint32_t i = 0; i < s.n; i++) {
        uint64_t x = (uint64_t)lane_value_of(lane, it->width, 0, i);

        v[i] = known(-1);
        if (x >= it->stop && x - it->stop < it->n_states &&
            it->states[x - it->stop].state == PUAN_MISSING)
            v[i] = known(it->states[x - it->stop].reason);
    }
    lane_store(w, n, v);
}

/* ---- numbers ---- */

#define MAP_ROWS(T, S)                                                         \
    do {                                                                       \
        const S *a_ = kid->lane;                                               \
        const T *t_ = node->data;                                              \
        T *o_ = o->own_lane;                                                   \
        for (uint32_t i = 0; i < rows; i++)                                    \
            o_[i] = t_[a_[i]];                                                 \
    } while (0)

static void map(struct puan_lanes_work *w, struct lane_out *o,
                const struct lane_node *node)
{
    const struct lane_out *kid = &w->out[node->kid[0]];
    uint32_t rows = w->span[node->ent].n;
    bool byte = w->l->node[node->kid[0]].width == 1;

    switch (node->width * 2 + byte) {
    case 3:
        KERNEL(w)->map(o->own_lane, kid->lane, rows, node->data);
        break;
    case 2:
        MAP_ROWS(uint8_t, uint16_t);
        break;
    case 5:
        MAP_ROWS(uint16_t, uint8_t);
        break;
    case 4:
        MAP_ROWS(uint16_t, uint16_t);
        break;
    case 9:
        MAP_ROWS(uint32_t, uint8_t);
        break;
    case 8:
        MAP_ROWS(uint32_t, uint16_t);
        break;
    case 17:
        MAP_ROWS(uint64_t, uint8_t);
        break;
    default:
        MAP_ROWS(uint64_t, uint16_t);
        break;
    }
    o->lane = o->own_lane;
    same_planes(o, node, kid);
}

static void two_lanes(struct puan_lanes_work *w, struct lane_out *o,
                      const struct lane_node *node)
{
    const struct lane_node *x = &w->l->node[node->kid[0]];
    const struct lane_node *y = &w->l->node[node->kid[1]];
    const void *a = w->out[node->kid[0]].lane, *b = w->out[node->kid[1]].lane;
    unsigned log = lane_log(node->width);
    uint32_t n = w->span[node->ent].n;
    uint64_t bx = (uint64_t)x->base, by = (uint64_t)y->base,
             bo = (uint64_t)node->base;

    switch ((unsigned)node->op) {
    case LN_ADD:
        KERNEL(w)->add[log](o->own_lane, a, b, n, bx + by - bo);
        break;
    case LN_SUB:
        KERNEL(w)->sub[log](o->own_lane, a, b, n, bx - by - bo);
        break;
    case LN_MUL:
        KERNEL(w)->mul[log](o->own_lane, a, b, n, bx, by, 0 - bo);
        break;
    case LN_LEAST:
        KERNEL(w)->least[log](o->own_lane, a, b, n);
        break;
    default:
        KERNEL(w)->most[log](o->own_lane, a, b, n);
        break;
    }
    o->lane = o->own_lane;
    strict(w, o, node, lane_words(n));
}

static void choose(struct puan_lanes_work *w, struct lane_out *o,
                   const struct lane_node *node)
{
    const struct lane_out *c = &w->out[node->kid[0]];
    const struct lane_out *a = &w->out[node->kid[1]];
    const struct lane_out *b = &w->out[node->kid[2]];
    uint32_t n = w->span[node->ent].n, words = lane_words(n);
    const uint64_t *u = lane_unknown(w, c, w->bits[0], words);
    uint64_t *no = w->bits[1], *part = w->bits[2];

    KERNEL(w)->without(no, w->ones, c->t, words);
    if (u)
        KERNEL(w)->without(no, no, u, words);
    lane_tail(no, n);
    for (unsigned k = 0; k < 4; k++) {
        o->u[k] = NULL;
        if (!(node->can >> k & 1))
            continue;
        KERNEL(w)->both(o->own_u[k], c->t, a->u[k] ? a->u[k] : w->zero, words);
        KERNEL(w)->both(part, no, b->u[k] ? b->u[k] : w->zero, words);
        KERNEL(w)->either(o->own_u[k], o->own_u[k], part, words);
        if (c->u[k])
            KERNEL(w)->either(o->own_u[k], o->own_u[k], c->u[k], words);
        o->u[k] = o->own_u[k];
    }
    if (node->truth) {
        KERNEL(w)->both(o->own_t, c->t, a->t, words);
        KERNEL(w)->both(part, no, b->t, words);
        KERNEL(w)->either(o->own_t, o->own_t, part, words);
        o->t = o->own_t;
    } else {
        KERNEL(w)->choose[lane_log(node->width)](o->own_lane, c->t, a->lane,
                                                 b->lane, n);
        o->lane = o->own_lane;
    }
}

static void slowly(struct puan_lanes_work *w, int32_t n)
{
    const struct lane_node *node = &w->l->node[n];
    uint32_t rows = w->span[node->ent].n;
    val *a = w->val1, *b = w->val2;

    lane_values(a, w, node->kid[0]);
    if (node->n_kids > 1)
        lane_values(b, w, node->kid[1]);
    for (uint32_t i = 0; i < rows; i++)
        a[i] = lane_op_value((enum puan_op)node->aux, a[i],
                             node->n_kids > 1 ? b[i] : known(0));
    lane_store(w, n, a);
}

static void line(struct puan_lanes_work *w, struct lane_out *o,
                 const struct lane_node *node)
{
    const struct puan_frame *f = w->l->frame;
    struct lane_span s = w->span[node->ent];
    int up = f->entity[node->ent].parent;
    const uint32_t *first = f->entity[node->ent].first;
    uint64_t unit = 0, end = UINT64_MAX, begin = 0;

    if (up >= 0 && s.n > 0) {
        unit = lane_up(f, node->ent, up, s.row);
        begin = first[unit];
        end = first[unit + 1];
    }
    for (uint32_t i = 0; i < s.n; i++) {
        while (s.row + i >= end) {
            begin = end;
            end = first[++unit + 1];
        }
        put_lane(o->own_lane, node->width, i,
                 s.row + i - begin + 1 - (uint64_t)node->base);
    }
    o->lane = o->own_lane;
    memset(o->u, 0, sizeof(o->u));
}

static void size(struct puan_lanes_work *w, struct lane_out *o,
                 const struct lane_node *node)
{
    const struct puan_frame *f = w->l->frame;
    struct lane_span s = w->span[node->ent];
    uint32_t a;

    if (f->entity[node->y].parent == node->ent && node->width == 1) {
        const uint32_t *first = f->entity[node->y].first + s.row;
        uint8_t *to = o->own_lane;

        for (uint32_t i = 0; i < s.n; i++)
            to[i] = (uint8_t)(first[i + 1] - first[i]);
    } else if (s.n > 0) {
        a = lane_first(f, node->ent, node->y, s.row);
        for (uint32_t i = 0; i < s.n; i++) {
            uint32_t b = lane_first(f, node->ent, node->y, s.row + i + 1);

            put_lane(o->own_lane, node->width, i,
                     (uint64_t)(b - a) - (uint64_t)node->base);
            a = b;
        }
    }
    o->lane = o->own_lane;
    memset(o->u, 0, sizeof(o->u));
}

static void looked_up(struct puan_lanes_work *w, int32_t n)
{
    const struct lane_node *node = &w->l->node[n];
    uint32_t rows = w->span[node->ent].n;
    val *v = w->val1, k[PUAN_LOOKUP_KEYS];

    for (uint32_t i = 0; i < rows; i++) {
        for (unsigned j = 0; j < node->n_kids; j++)
            k[j] = lane_val(w, node->kid[j], i);
        v[i] = op_lookup(node->data, k, node->n_kids, node->k);
    }
    lane_store(w, n, v);
}

static void line_at(struct puan_lanes_work *w, int32_t n)
{
    const struct lane_node *node = &w->l->node[n];
    const struct puan_frame *f = w->l->frame;
    struct lane_span s = w->span[node->ent], of = w->span[node->y];
    int up = f->entity[node->y].parent;
    const uint32_t *first = f->entity[node->y].first;
    const uint32_t *mine = f->entity[node->ent].first;
    bool near = f->entity[node->ent].parent == up; /* units follow the rows */
    uint64_t unit = s.n ? lane_up(f, node->ent, up, s.row) : 0;
    val *v = w->val1;

    for (uint32_t i = 0; i < s.n; i++) {
        val l = lane_val(w, node->kid[0], i);
        uint64_t begin, count;

        v[i] = l;
        if (l.s != PUAN_KNOWN)
            continue;
        while (near && mine[unit + 1] <= s.row + i)
            unit++;
        if (!near)
            unit = lane_up(f, node->ent, up, s.row + i);
        begin = first[unit];
        count = first[unit + 1] - begin;
        v[i] = l.v < 1 || (uint64_t)l.v > count
                   ? unknown(PUAN_UN_ASKED)
                   : lane_val(w, node->kid[1],
                              (uint32_t)(begin - of.row) + (uint32_t)l.v - 1);
    }
    lane_store(w, n, v);
}

/* A count over a whole level, from the pass that made it. */
static void wide(struct puan_lanes_work *w, int32_t n)
{
    const struct lane_node *node = &w->l->node[n];
    const struct lane_wide *x = &w->l->wide[node->k];
    struct lane_span s = w->span[node->ent];
    struct lane_out *o = &w->out[n];
    val *v = w->val1;

    if (!node->truth && node->can == 0) {
        o->lane = x->value + s.row;
        memset(o->u, 0, sizeof(o->u));
        return;
    }
    for (uint32_t i = 0; i < s.n; i++) {
        uint8_t f = x->flags[s.row + i];
        struct acc q = { .v = (int64_t)x->value[s.row + i],
                         .hit = f & LANE_HIT };

        q.doubt = f & LANE_DOUBT_INVALID   ? PUAN_UN_INVALID
                  : f & LANE_DOUBT_MISSING ? PUAN_UN_MISSING
                  : f & LANE_DOUBT_OUTER   ? PUAN_UN_OUTER
                                           : PUAN_KNOWN;
        v[i] = acc_end(&q, x->kind);
    }
    lane_store(w, n, v);
}

static void by_row(struct puan_lanes_work *w, int32_t n)
{
    const struct lane_node *node = &w->l->node[n];
    const struct lane_tree *t = node->data;
    struct lane_span s = w->span[node->ent];
    const struct lane_out *g = NULL;
    const uint64_t *unknown = NULL;
    val *v = w->val1;

    if (w->l->guard[n] >= 0) {
        g = &w->out[w->l->guard[n]];
        unknown = lane_unknown(w, g, w->bits[0], lane_words(s.n));
    }
    for (uint32_t i = 0; i < s.n; i++) {
        uint64_t bit = (uint64_t)1 << (i % 64);

        if (g && !(g->t[i / 64] & bit) &&
            !(unknown && (unknown[i / 64] & bit)))
            v[i] = known(0);
        else
            v[i] = lane_row_value(w->l, t->tree, t->level, s.row + i);
    }
    lane_store(w, n, v);
}

/* ---- from a level above ---- */

static void set_bits(uint64_t *bits, uint32_t a, uint32_t b)
{
    while (a < b) {
        uint32_t take = 64 - a % 64 < b - a ? 64 - a % 64 : b - a;
        uint64_t x = take == 64 ? ~(uint64_t)0 : ((uint64_t)1 << take) - 1;

        bits[a / 64] |= x << (a % 64);
        a += take;
    }
}

static void spread_bits(uint64_t *to, const uint64_t *from,
                        const uint32_t *first, uint32_t units, uint32_t rows)
{
    memset(to, 0, lane_words(rows) * sizeof(*to));
    for (uint32_t w = 0; w < lane_words(units); w++)
        for (uint64_t x = from[w]; x; x &= x - 1) {
            uint32_t i = 64 * w + (uint32_t)__builtin_ctzll(x);

            set_bits(to, first[i], first[i + 1]);
        }
}

#define SPREAD(T)                                                              \
    do {                                                                       \
        const T *a_ = kid->lane;                                               \
        T *o_ = o->own_lane;                                                   \
        for (uint32_t i = 0; i < up.n; i++)                                    \
            for (uint32_t r = first[i]; r < first[i + 1]; r++)                 \
                o_[r] = a_[i];                                                 \
    } while (0)

static void spread(struct puan_lanes_work *w, struct lane_out *o,
                   const struct lane_node *node)
{
    const struct lane_node *k = &w->l->node[node->kid[0]];
    const struct lane_out *kid = &w->out[node->kid[0]];
    struct lane_span up = w->span[k->ent], s = w->span[node->ent];
    uint32_t *first = w->first;

    for (uint32_t i = 0; i <= up.n; i++) {
        uint64_t r = lane_first(w->l->frame, k->ent, node->ent, up.row + i);

        r = r < s.row ? s.row : r > s.row + s.n ? s.row + s.n : r;
        first[i] = (uint32_t)(r - s.row);
    }
    for (unsigned i = 0; i < 4; i++) {
        o->u[i] = node->can >> i & 1 ? o->own_u[i] : NULL;
        if (o->u[i])
            spread_bits(o->own_u[i], kid->u[i], first, up.n, s.n);
    }
    if (node->truth) {
        spread_bits(o->own_t, kid->t, first, up.n, s.n);
        o->t = o->own_t;
        return;
    }
    switch (node->width) {
    case 1:
        SPREAD(uint8_t);
        break;
    case 2:
        SPREAD(uint16_t);
        break;
    case 4:
        SPREAD(uint32_t);
        break;
    default:
        SPREAD(uint64_t);
        break;
    }
    o->lane = o->own_lane;
}

static void outside(struct puan_lanes_work *w, struct lane_out *o,
                    const struct lane_node *node)
{
    const struct lane_out *kid = &w->out[node->kid[0]];

    *o = (struct lane_out){ .lane = kid->lane,
                            .t = kid->t,
                            .own_lane = o->own_lane,
                            .own_t = o->own_t,
                            .own_u = { o->own_u[0], o->own_u[1], o->own_u[2],
                                       o->own_u[3] } };
    for (unsigned k = 0; k < 4; k++)
        o->u[k] = kid->u[k];
    o->u[ASKED] = NULL;
    o->u[OUTER] = kid->u[ASKED];
    if (kid->u[OUTER]) {
        KERNEL(w)->either(o->own_u[OUTER], kid->u[ASKED], kid->u[OUTER],
                          lane_words(w->span[node->ent].n));
        o->u[OUTER] = o->own_u[OUTER];
    }
}

/* ---- truths ---- */

static void range(struct puan_lanes_work *w, struct lane_out *o,
                  const struct lane_node *node)
{
    const struct lane_node *k = &w->l->node[node->kid[0]];
    const struct lane_out *kid = &w->out[node->kid[0]];
    uint32_t n = w->span[node->ent].n;

    KERNEL(w)->range[lane_log(k->width)](
        o->own_t, kid->lane, n, (uint64_t)node->k - (uint64_t)k->base,
        (uint64_t)node->k2 - (uint64_t)node->k);
    same_planes(o, node, kid);
    if (k->op == LN_ITEM)
        o->t = o->own_t; /* no stored value of the range is unknown */
    else
        only_known(w, o, lane_words(n));
}

static void compare(struct puan_lanes_work *w, struct lane_out *o,
                    const struct lane_node *node)
{
    const struct lane_node *x = &w->l->node[node->kid[0]];
    const struct lane_node *y = &w->l->node[node->kid[1]];
    const void *a = w->out[node->kid[0]].lane, *b = w->out[node->kid[1]].lane;
    unsigned log = lane_log(x->width);
    uint32_t n = w->span[node->ent].n;

    if (node->op == LN_LESS)
        KERNEL(w)->less[log](o->own_t, a, b, n,
                             (uint64_t)x->base - (uint64_t)node->k,
                             (uint64_t)y->base - (uint64_t)node->k);
    else
        KERNEL(w)->same[log](o->own_t, a, b, n,
                             (uint64_t)x->base - (uint64_t)y->base);
    strict(w, o, node, lane_words(n));
    only_known(w, o, lane_words(n));
}

static void logic(struct puan_lanes_work *w, struct lane_out *o,
                  const struct lane_node *node)
{
    const struct lane_out *a = &w->out[node->kid[0]];
    const struct lane_out *b = &w->out[node->kid[1]];
    uint32_t words = lane_words(w->span[node->ent].n);
    bool is_or = node->op == LN_OR;
    struct puan_lane_bits x, y;
    uint64_t *to[5];

    o->t = o->own_t;
    if (node->can == 0) {
        (is_or ? KERNEL(w)->either : KERNEL(w)->both)(o->own_t, a->t, b->t,
                                                      words);
        memset(o->u, 0, sizeof(o->u));
        return;
    }
    x.p[0] = a->t;
    y.p[0] = b->t;
    to[0] = o->own_t;
    for (unsigned k = 0; k < 4; k++) {
        x.p[k + 1] = a->u[k] ? a->u[k] : w->zero;
        y.p[k + 1] = b->u[k] ? b->u[k] : w->zero;
        o->u[k] = node->can >> k & 1 ? o->own_u[k] : NULL;
        to[k + 1] = o->u[k] ? o->own_u[k] : w->bits[k];
    }
    KERNEL(w)->both_of(to, &x, &y, words, is_or);
}

/* ~a, without the planes in `u`. */
static void complement(struct puan_lanes_work *w, struct lane_out *o,
                       const uint64_t *a, const uint64_t *u, uint32_t n)
{
    uint32_t words = lane_words(n);

    KERNEL(w)->without(o->own_t, w->ones, a ? a : w->zero, words);
    if (u)
        KERNEL(w)->without(o->own_t, o->own_t, u, words);
    lane_tail(o->own_t, n);
    o->t = o->own_t;
}

static void equal(struct puan_lanes_work *w, struct lane_out *o,
                  const struct lane_node *node)
{
    const uint64_t *a = w->out[node->kid[0]].t, *b = w->out[node->kid[1]].t;
    uint32_t n = w->span[node->ent].n, words = lane_words(n);

    for (uint32_t i = 0; i < words; i++)
        o->own_t[i] = ~(a[i] ^ b[i]);
    lane_tail(o->own_t, n);
    strict(w, o, node, words);
    only_known(w, o, words);
}

static void state(struct puan_lanes_work *w, struct lane_out *o,
                  const struct lane_node *node)
{
    const struct lane_out *kid = &w->out[node->kid[0]];
    uint32_t n = w->span[node->ent].n, words = lane_words(n);
    bool given = node->k >> PUAN_GIVEN & 1;
    uint64_t *u = w->bits[0];

    memset(u, 0, words * sizeof(*u));
    for (unsigned k = 0; k < 4; k++) {
        bool in = node->k >> state_of((uint8_t)(k + 1)) & 1;

        if (kid->u[k] && in != given)
            KERNEL(w)->either(u, u, kid->u[k], words);
    }
    if (given) {
        complement(w, o, u, NULL, n);
    } else {
        memcpy(o->own_t, u, words * sizeof(*u));
        o->t = o->own_t;
    }
    memset(o->u, 0, sizeof(o->u));
}

static void constant(struct puan_lanes_work *w, struct lane_out *o,
                     const struct lane_node *node)
{
    uint32_t n = w->span[node->ent].n;

    o->t = o->own_t;
    o->lane = o->own_lane; /* filled when the worker was made */
    memset(o->u, 0, sizeof(o->u));
    if (!node->truth)
        return;
    memset(o->own_t, node->k ? 255 : 0, lane_words(n) * sizeof(uint64_t));
    lane_tail(o->own_t, n);
}

void lane_compute(struct puan_lanes_work *w, int32_t n)
{
    const struct lane_node *node = &w->l->node[n];
    struct lane_out *o = &w->out[n];
    const struct lane_out *kid = &w->out[node->kid[0]];
    uint32_t rows = w->span[node->ent].n;

    o->counted = false;
    switch ((enum lane_op)node->op) {
    case LN_CONST:
    case LN_TRUTH:
        constant(w, o, node);
        break;
    case LN_ITEM:
        item(w, o, node);
        break;
    case LN_KEY:
        key(w, n);
        break;
    case LN_SHIFT:
        o->lane = kid->lane;
        same_planes(o, node, kid);
        break;
    case LN_CAST: {
        const struct lane_node *k = &w->l->node[node->kid[0]];

        KERNEL(w)->cast[lane_log(k->width)][lane_log(node->width)](
            o->own_lane, kid->lane, rows,
            (uint64_t)k->base - (uint64_t)node->base);
        o->lane = o->own_lane;
        same_planes(o, node, kid);
        break;
    }
    case LN_ADD:
    case LN_SUB:
    case LN_MUL:
    case LN_LEAST:
    case LN_MOST:
        two_lanes(w, o, node);
        break;
    case LN_SCALE:
        KERNEL(w)->scale[lane_log(node->width)](
            o->own_lane, kid->lane, rows, (uint64_t)node->k,
            (uint64_t)w->l->node[node->kid[0]].base * (uint64_t)node->k -
                (uint64_t)node->base);
        o->lane = o->own_lane;
        same_planes(o, node, kid);
        break;
    case LN_CHOOSE:
        choose(w, o, node);
        break;
    case LN_MAP:
        map(w, o, node);
        break;
    case LN_OP:
        slowly(w, n);
        break;
    case LN_REASON:
        reason(w, n);
        break;
    case LN_LINE:
        line(w, o, node);
        break;
    case LN_SIZE:
        size(w, o, node);
        break;
    case LN_LOOKUP:
        looked_up(w, n);
        break;
    case LN_AT:
        line_at(w, n);
        break;
    case LN_UNIT:
        lane_compute_unit(w, n);
        break;
    case LN_WIDE:
        wide(w, n);
        break;
    case LN_ROW:
        by_row(w, n);
        break;
    case LN_SPREAD:
        spread(w, o, node);
        break;
    case LN_OUTSIDE:
        outside(w, o, node);
        break;
    case LN_RANGE:
        range(w, o, node);
        break;
    case LN_SET:
        KERNEL(w)->in_set(o->own_t, kid->lane, rows, node->data);
        o->t = o->own_t;
        same_planes(o, node, kid);
        break;
    case LN_LESS:
    case LN_SAME:
        compare(w, o, node);
        break;
    case LN_AND:
    case LN_OR:
        logic(w, o, node);
        break;
    case LN_NOT:
        same_planes(o, node, kid);
        complement(w, o, kid->t,
                   lane_unknown(w, kid, w->bits[0], lane_words(rows)), rows);
        break;
    case LN_EQUAL:
        equal(w, o, node);
        break;
    case LN_STATE:
        state(w, o, node);
        break;
    case LN_ALL:
        same_planes(o, node, kid);
        complement(w, o, lane_unknown(w, kid, w->bits[0], lane_words(rows)),
                   NULL, rows);
        break;
    }
}
