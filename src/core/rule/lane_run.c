/*
 * A worker: its buffers, blocks of rows, what becomes of rules, and looks at
 * expressions.
 */
#include "core/rule/lane.h"

#include "base/arena.h"

#define BEHIND 1024u /* bytes readable behind the lanes of a buffer */

static void own_buffers(struct puan_lanes_work *w, int32_t n,
                        struct puan_arena *a)
{
    const struct lane_node *node = &w->l->node[n];
    struct lane_out *o = &w->out[n];
    size_t rows = node->ent < 0 ? 0 : w->cap[node->ent];
    bool alias =
        node->op == LN_ITEM || node->op == LN_SHIFT || node->op == LN_OUTSIDE;

    if (rows == 0 || o->own_t || o->own_lane)
        return;
    if (node->truth)
        o->own_t = puan_new_n(a, rows / 64 + 3, uint64_t);
    else if (!alias)
        o->own_lane = puan_arena_get(a, rows * node->width + BEHIND);
    for (unsigned k = 0; k < 4; k++)
        if (node->can >> k & 1)
            o->own_u[k] = puan_new_n(a, rows / 64 + 3, uint64_t);
    if (node->op == LN_CONST && o->own_lane)
        for (size_t i = 0; i < rows; i++) {
            uint64_t v = (uint64_t)node->k - (uint64_t)node->base;

            memcpy((char *)o->own_lane + i * node->width, &v, node->width);
        }
}

enum puan_status puan_lanes_work_new(struct puan_lanes_work **out,
                                     const struct puan_lanes *shared,
                                     struct puan_arena *a, struct puan_err *err)
{
    struct puan_lanes_work *w = puan_new(a, struct puan_lanes_work);
    uint32_t most = PUAN_LANES_ROWS;

    if (!w)
        return puan_arena_check(a, err);
    w->l = shared;
    memcpy(w->cap, shared->cap, sizeof(w->cap));
    for (int e = 0; e < LANE_ENTITIES; e++) {
        most = w->cap[e] > most ? w->cap[e] : most;
        if (w->cap[e])
            w->left[e] = puan_arena_get(a, w->cap[e] + 64);
    }
    w->out = puan_new_n(a, (size_t)shared->n_nodes + 1, struct lane_out);
    w->count = puan_new_n(a, shared->rs->n + 1, struct puan_lanes_count);
    w->zero = puan_new_n(a, most / 64 + 3, uint64_t);
    w->ones = puan_new_n(a, most / 64 + 3, uint64_t);
    for (unsigned i = 0; i < PUAN_COUNT(w->bits); i++)
        w->bits[i] = puan_new_n(a, most / 64 + 3, uint64_t);
    w->lane1 = puan_arena_get(a, (size_t)most * 8 + BEHIND);
    w->lane2 = puan_arena_get(a, (size_t)most * 8 + BEHIND);
    w->sums = puan_new_n(a, most + 1, uint64_t);
    w->first = puan_new_n(a, most + 2, uint32_t);
    w->val1 = puan_new_n(a, most + 1, val);
    w->val2 = puan_new_n(a, most + 1, val);
    w->looked = puan_new_n(a, shared->n_looks + 1, struct lane_out);
    if (a->failed)
        return puan_arena_check(a, err);
    memset(w->ones, 255, (most / 64 + 3) * sizeof(*w->ones));
    for (int32_t i = 0; i < shared->n_nodes; i++)
        if (shared->used[i])
            own_buffers(w, i, a);
    for (size_t i = 0; i < shared->n_looks; i++) {
        const struct lane_node *node = &shared->node[shared->look[i]];
        struct lane_out *o = &w->looked[i];

        if (node->truth)
            o->own_t = puan_new_n(a, PUAN_LANES_ROWS / 64 + 3, uint64_t);
        else
            o->own_lane = puan_arena_get(
                a, (size_t)PUAN_LANES_ROWS * node->width + BEHIND);
        for (unsigned k = 0; k < 4; k++)
            if (node->can >> k & 1)
                o->own_u[k] = puan_new_n(a, PUAN_LANES_ROWS / 64 + 3, uint64_t);
    }
    *out = w;
    return puan_arena_check(a, err);
}

const struct puan_lanes_count *
puan_lanes_counts(const struct puan_lanes_work *w)
{
    return w->count;
}

/* ---- blocks ---- */

static bool spans(struct puan_lanes_work *w, const struct lane_pass *p,
                  uint64_t from, uint64_t to)
{
    const struct puan_frame *f = w->l->frame;

    for (int e = 0; e < (int)f->n_entities; e++) {
        uint64_t a = from, b = to;

        if (!p->in[e])
            continue;
        if (lane_above(f, e, p->root)) {
            a = lane_up(f, p->root, e, from);
            b = lane_up(f, p->root, e, to - 1) + 1;
        } else if (e != p->root) {
            a = lane_first(f, p->root, e, from);
            b = lane_first(f, p->root, e, to);
        }
        if (b - a > w->cap[e])
            return false;
        w->span[e] = (struct lane_span){ a, (uint32_t)(b - a) };
    }
    return true;
}

/*
 * The rows from `from` on that make one block, their spans set: as many as fit
 * the buffers, at least one row of the root.
 */
static uint64_t block(struct puan_lanes_work *w, const struct lane_pass *p,
                      uint64_t from, uint64_t to)
{
    const struct puan_frame *f = w->l->frame;
    uint64_t end = to - from > PUAN_LANES_ROWS ? from + PUAN_LANES_ROWS : to;

    for (int e = 0; e < (int)f->n_entities; e++) {
        const uint32_t *first = f->entity[e].first;
        uint64_t lo = from + 1, hi = end;

        if (!p->in[e] || f->entity[e].parent != p->root)
            continue;
        while (lo < hi) { /* the last end with no more rows than that */
            uint64_t mid = hi - (hi - lo) / 2;

            if (first[mid] - first[from] <= PUAN_LANES_ROWS)
                lo = mid;
            else
                hi = mid - 1;
        }
        end = lo;
    }
    while (!spans(w, p, from, end) && end > from + 1)
        end = from + (end - from) / 2;
    for (int e = 0; e < (int)f->n_entities; e++)
        w->block_longest[e] = 0;
    return end;
}

static void tell(struct puan_lanes_work *w, size_t r, const uint64_t *bits,
                 puan_lanes_found *found, void *ctx)
{
    struct lane_span s = w->span[w->l->rule[r].entity];

    w->count[r].findings += w->l->kernels->count(bits, lane_words(s.n));
    if (found)
        found(ctx, (uint16_t)r, s.row, s.n, bits);
}

static uint64_t count_true(struct puan_lanes_work *w, int32_t n, uint32_t words)
{
    struct lane_out *o = &w->out[n];

    if (!o->counted)
        o->count = w->l->kernels->count(o->t, words);
    o->counted = true;
    return o->count;
}

static void one_rule(struct puan_lanes_work *w, size_t r,
                     puan_lanes_found *found, void *ctx)
{
    const struct puan_lane_kernels *k = w->l->kernels;
    const struct lane_rule *rule = &w->l->rule[r];
    const struct lane_out *c = &w->out[rule->check];
    uint32_t n = w->span[rule->entity].n, words = lane_words(n);
    const uint64_t *when = w->ones, *unknown;
    uint64_t *t = w->bits[0], applies = n;

    if (rule->when >= 0) {
        const uint64_t *m = w->out[rule->when].u[PUAN_UN_MISSING - 1];

        when = w->out[rule->when].t;
        applies = count_true(w, rule->when, words);
        if (m)
            w->count[r].not_evaluable += k->count(m, words);
        if (applies == 0)
            return;
    }
    if (rule->bad) {
        w->count[r].evaluated += applies;
        if (k->meet(t, when, c->t, words))
            tell(w, r, t, found, ctx);
        return;
    }
    unknown = lane_unknown(w, c, w->bits[1], words);
    if (unknown) {
        uint64_t *known_rows = w->bits[2];

        k->without(known_rows, when, unknown, words);
        lane_tail(known_rows, n);
        w->count[r].evaluated += k->count(known_rows, words);
        if (c->u[PUAN_UN_MISSING - 1] &&
            k->meet(t, when, c->u[PUAN_UN_MISSING - 1], words))
            w->count[r].not_evaluable += k->count(t, words);
        if (k->differ(t, known_rows, c->t, words))
            tell(w, r, t, found, ctx);
        return;
    }
    w->count[r].evaluated += applies;
    k->without(t, when, c->t, words);
    lane_tail(t, n);
    if (k->meet(t, t, t, words))
        tell(w, r, t, found, ctx);
}

void puan_lanes_run(struct puan_lanes_work *w, size_t pass, uint64_t from,
                    uint64_t to, puan_lanes_found *found, void *ctx)
{
    const struct lane_pass *p = &w->l->pass[pass];

    while (from < to) {
        from = block(w, p, from, to);
        for (size_t i = 0; i < p->n_nodes; i++)
            lane_compute(w, p->node[i]);
        for (size_t i = 0; i < p->n_wides; i++)
            lane_add_wide(w, &w->l->wide[p->wide[i]]);
        for (size_t i = 0; i < p->n_rules; i++)
            one_rule(w, p->rule[i], found, ctx);
    }
}

/* ---- looks ---- */

/* n bits from bit `at` of a to bit `to` of o; what is there is zero. */
static void move_bits(uint64_t *o, uint32_t to, const uint64_t *a, uint32_t at,
                      uint32_t n)
{
    for (uint32_t i = 0; i < n;) {
        uint32_t s = (at + i) % 64, d = (to + i) % 64;
        uint32_t take = 64 - (s > d ? s : d);
        uint64_t x = a[(at + i) / 64] >> s;

        take = take < n - i ? take : n - i;
        if (take < 64)
            x &= ((uint64_t)1 << take) - 1;
        o[(to + i) / 64] |= x << d;
        i += take;
    }
}

static void clear_looked(struct puan_lanes_work *w, uint32_t n)
{
    size_t bytes = lane_words(n) * sizeof(uint64_t);

    for (size_t i = 0; i < w->l->n_looks; i++) {
        struct lane_out *o = &w->looked[i];

        if (o->own_t)
            memset(o->own_t, 0, bytes);
        for (unsigned k = 0; k < 4; k++)
            if (o->own_u[k])
                memset(o->own_u[k], 0, bytes);
    }
}

/* Rows [at, at + n) of the block to rows from `to` on of what is looked at. */
static void keep_looked(struct puan_lanes_work *w, uint32_t to, uint32_t at,
                        uint32_t n)
{
    for (size_t i = 0; i < w->l->n_looks; i++) {
        const struct lane_node *node = &w->l->node[w->l->look[i]];
        const struct lane_out *from = &w->out[w->l->look[i]];
        struct lane_out *o = &w->looked[i];

        if (node->truth)
            move_bits(o->own_t, to, from->t, at, n);
        else
            memcpy((char *)o->own_lane + (size_t)to * node->width,
                   (const char *)from->lane + (size_t)at * node->width,
                   (size_t)n * node->width);
        for (unsigned k = 0; k < 4; k++)
            if (from->u[k] && o->own_u[k])
                move_bits(o->own_u[k], to, from->u[k], at, n);
    }
}

static void show(struct puan_lanes_value *v, const struct lane_node *node,
                 const struct lane_out *o, bool own)
{
    const uint64_t *u[4];

    for (unsigned k = 0; k < 4; k++)
        u[k] = own ? o->own_u[k] : o->u[k];
    *v = (struct puan_lanes_value){ .width = node->truth ? 0 : node->width,
                                    .base = node->base,
                                    .lane = node->truth ? NULL
                                            : own       ? o->own_lane
                                                        : o->lane,
                                    .bits = !node->truth ? NULL
                                            : own        ? o->own_t
                                                         : o->t,
                                    .not_asked = u[PUAN_UN_ASKED - 1],
                                    .missing = u[PUAN_UN_MISSING - 1],
                                    .invalid = u[PUAN_UN_INVALID - 1] };
}

void puan_lanes_look(struct puan_lanes_value *out, struct puan_lanes_work *w,
                     uint64_t row, uint32_t n)
{
    const struct puan_lanes *l = w->l;
    const struct lane_pass *p = &l->looking;
    const struct puan_frame *f = l->frame;
    int e = l->entity;
    bool up = p->root != e; /* the root stands above: whole units */
    uint64_t from = up ? lane_up(f, e, p->root, row) : row;
    uint64_t to = up ? lane_up(f, e, p->root, row + n - 1) + 1 : row + n;
    uint32_t done = 0;

    if (n == 0)
        return;
    while (done < n) {
        uint64_t end = block(w, p, from, to), first, last;

        for (size_t i = 0; i < p->n_nodes; i++)
            lane_compute(w, p->node[i]);
        first = w->span[e].row;
        last = first + w->span[e].n;
        if (first == row && last >= row + n) { /* all at once */
            for (size_t i = 0; i < l->n_looks; i++)
                show(&out[i], &l->node[l->look[i]], &w->out[l->look[i]], false);
            return;
        }
        if (done == 0)
            clear_looked(w, n);
        if (first < row)
            first = row;
        if (last > row + n)
            last = row + n;
        if (last > first)
            keep_looked(w, (uint32_t)(first - row),
                        (uint32_t)(first - w->span[e].row),
                        (uint32_t)(last - first));
        done = (uint32_t)(last - row);
        from = end;
    }
    for (size_t i = 0; i < l->n_looks; i++)
        show(&out[i], &l->node[l->look[i]], &w->looked[i], true);
}

int64_t puan_lanes_at(enum puan_state *state, const struct puan_lanes_value *v,
                      uint32_t i)
{
    uint64_t bit = (uint64_t)1 << (i % 64);

    *state = v->not_asked && v->not_asked[i / 64] & bit ? PUAN_NOT_ASKED
             : v->missing && v->missing[i / 64] & bit   ? PUAN_MISSING
             : v->invalid && v->invalid[i / 64] & bit   ? PUAN_INVALID
                                                        : PUAN_GIVEN;
    if (*state != PUAN_GIVEN)
        return 0;
    if (v->width == 0)
        return (v->bits[i / 64] & bit) != 0;
    return lane_value_of(v->lane, v->width, v->base, i);
}
