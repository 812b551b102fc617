/*
 * Branch and bound for least hitting sets.
 */
#include "core/edit/hitting.h"

struct hitting {
    const int64_t *cost;
    const struct puan_hitting_set *set; /* of this component */
    size_t n;
    uint32_t *hits; /* chosen things of each set */
    uint32_t *open; /* things of each set that are not ruled out */
    uint8_t *mark;  /* of a thing: 1 chosen, 2 ruled out */
    uint32_t *used; /* of a thing: number of the bound that counted it */
    uint32_t round;
    uint32_t *degree; /* of a thing: sets it is in */
    uint32_t *in;     /* sets of thing t: in_at[t] .. in_at[t + 1] */
    uint32_t *in_at;
    uint32_t *stack, *best; /* chosen things */
    uint32_t *ruled;        /* things ruled out on the way down */
    uint32_t n_stack, n_best, n_ruled;
    int64_t best_cost;
    uint64_t *budget;
    bool out;
};

static int64_t cheapest(const struct hitting *s,
                        const struct puan_hitting_set *x)
{
    int64_t least = INT64_MAX;

    for (uint32_t i = 0; i < x->n; i++)
        if (s->mark[x->thing[i]] == 0 && s->cost[x->thing[i]] < least)
            least = s->cost[x->thing[i]];
    return least;
}

/* Sum over sets not hit that share no thing; INT64_MAX: one cannot be hit. */
static int64_t bound(struct hitting *s, size_t *next)
{
    int64_t sum = 0;
    uint32_t fewest = UINT32_MAX;

    *next = s->n;
    s->round++;
    for (size_t i = 0; i < s->n; i++) {
        const struct puan_hitting_set *x = &s->set[i];
        bool apart = true;

        if (s->hits[i])
            continue;
        if (s->open[i] == 0)
            return INT64_MAX;
        if (s->open[i] < fewest) {
            fewest = s->open[i];
            *next = i;
        }
        for (uint32_t j = 0; apart && j < x->n; j++)
            apart = s->mark[x->thing[j]] || s->used[x->thing[j]] != s->round;
        if (!apart)
            continue;
        sum += cheapest(s, x);
        for (uint32_t j = 0; j < x->n; j++)
            s->used[x->thing[j]] = s->round;
    }
    return sum;
}

static void mark_thing(struct hitting *s, uint32_t t, uint8_t how)
{
    uint32_t *of = how == 1 ? s->hits : s->open;
    uint32_t by = how == 1 ? 1 : UINT32_MAX; /* plus one, minus one */

    s->mark[t] = how;
    for (uint32_t i = s->in_at[t]; i < s->in_at[t + 1]; i++)
        of[s->in[i]] += by;
}

static void free_thing(struct hitting *s, uint32_t t)
{
    uint32_t *of = s->mark[t] == 1 ? s->hits : s->open;
    uint32_t by = s->mark[t] == 1 ? UINT32_MAX : 1;

    s->mark[t] = 0;
    for (uint32_t i = s->in_at[t]; i < s->in_at[t + 1]; i++)
        of[s->in[i]] += by;
}

/* The next thing of a set to try: cheap, in many sets, small number. */
static uint32_t candidate(const struct hitting *s,
                          const struct puan_hitting_set *x)
{
    uint32_t best = UINT32_MAX;

    for (uint32_t i = 0; i < x->n; i++) {
        uint32_t t = x->thing[i];

        if (s->mark[t])
            continue;
        if (best == UINT32_MAX || s->cost[t] < s->cost[best] ||
            (s->cost[t] == s->cost[best] && s->degree[t] > s->degree[best]))
            best = t;
    }
    return best;
}

static void descend(struct hitting *s, int64_t cost)
{
    size_t next;
    int64_t more;
    uint32_t from;

    if (s->out)
        return;
    if (*s->budget == 0) {
        s->out = true;
        return;
    }
    --*s->budget;
    more = bound(s, &next);
    if (more == INT64_MAX || cost + more >= s->best_cost)
        return;
    if (next == s->n) {
        s->best_cost = cost;
        s->n_best = s->n_stack;
        if (s->n_stack)
            memcpy(s->best, s->stack, s->n_stack * sizeof(*s->best));
        return;
    }
    from = s->n_ruled;
    while (!s->out) {
        uint32_t x = candidate(s, &s->set[next]);

        if (x == UINT32_MAX)
            break;
        s->stack[s->n_stack++] = x;
        mark_thing(s, x, 1);
        descend(s, cost + s->cost[x]);
        free_thing(s, x);
        s->n_stack--;
        mark_thing(s, x, 2); /* its choices have all been looked at */
        s->ruled[s->n_ruled++] = x;
    }
    while (s->n_ruled > from)
        free_thing(s, s->ruled[--s->n_ruled]);
}

/* Union by the smaller number. */
static size_t root(size_t *up, size_t i)
{
    while (up[i] != i)
        i = up[i] = up[up[i]];
    return i;
}

static enum puan_status index_sets(struct hitting *s, uint32_t things,
                                   struct puan_arena *a, struct puan_err *err)
{
    size_t all = 0;
    uint32_t *at;

    for (size_t i = 0; i < s->n; i++)
        all += s->set[i].n;
    s->in = puan_new_n(a, all, uint32_t);
    s->in_at = puan_new_n(a, things + 1, uint32_t);
    at = puan_new_n(a, things + 1, uint32_t);
    s->hits = puan_new_n(a, s->n, uint32_t);
    s->open = puan_new_n(a, s->n, uint32_t);
    if (a->failed)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < s->n; i++)
        for (uint32_t j = 0; j < s->set[i].n; j++)
            s->in_at[s->set[i].thing[j] + 1]++;
    for (uint32_t t = 0; t < things; t++) {
        s->degree[t] = s->in_at[t + 1];
        s->in_at[t + 1] += s->in_at[t];
        at[t] = s->in_at[t];
    }
    for (size_t i = 0; i < s->n; i++) {
        s->open[i] = s->set[i].n;
        for (uint32_t j = 0; j < s->set[i].n; j++)
            s->in[at[s->set[i].thing[j]]++] = (uint32_t)i;
    }
    return PUAN_OK;
}

static enum puan_status one_part(struct hitting *s, uint32_t things,
                                 struct puan_arena *a, struct puan_err *err)
{
    enum puan_status st;

    memset(s->degree, 0, things * sizeof(*s->degree));
    memset(s->used, 0, things * sizeof(*s->used));
    memset(s->mark, 0, things);
    s->round = 0;
    s->n_stack = s->n_best = s->n_ruled = 0;
    s->best_cost = INT64_MAX;
    st = index_sets(s, things, a, err);
    if (st == PUAN_OK)
        descend(s, 0);
    return st;
}

enum puan_status puan_hitting_least(enum puan_hitting_state *state, bool *pick,
                                    int64_t *cost, const int64_t *thing_cost,
                                    uint32_t things,
                                    const struct puan_hitting_set *set,
                                    size_t n, uint64_t *budget,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct hitting s = { .cost = thing_cost, .budget = budget };
    struct puan_hitting_set *part = puan_new_n(a, n, struct puan_hitting_set);
    size_t *up = puan_new_n(a, n, size_t);
    size_t *owner = puan_new_n(a, things, size_t); /* set + 1 of a thing */
    enum puan_status st = PUAN_OK;

    *state = PUAN_HITTING_LEAST;
    *cost = 0;
    s.mark = puan_new_n(a, things, uint8_t);
    s.used = puan_new_n(a, things, uint32_t);
    s.degree = puan_new_n(a, things, uint32_t);
    s.stack = puan_new_n(a, (size_t)things + 1, uint32_t);
    s.best = puan_new_n(a, (size_t)things + 1, uint32_t);
    s.ruled = puan_new_n(a, (size_t)things + 1, uint32_t);
    if (a->failed)
        return puan_arena_check(a, err);
    memset(pick, 0, things * sizeof(*pick));
    for (size_t i = 0; i < n; i++) {
        up[i] = i;
        if (set[i].n == 0) {
            *state = PUAN_HITTING_NONE;
            return PUAN_OK;
        }
        for (uint32_t j = 0; j < set[i].n; j++) {
            size_t *o = &owner[set[i].thing[j]];

            if (*o)
                up[root(up, i)] = root(up, *o - 1);
            *o = i + 1;
        }
    }
    for (size_t r = 0; r < n && st == PUAN_OK; r++) {
        if (up[r] != r)
            continue;
        s.n = 0;
        s.set = part;
        for (size_t i = 0; i < n; i++)
            if (root(up, i) == r)
                part[s.n++] = set[i];
        st = one_part(&s, things, a, err);
        if (st != PUAN_OK)
            break;
        if (s.out) {
            size_t next;

            memset(s.mark, 0, things);
            memset(s.hits, 0, s.n * sizeof(*s.hits));
            for (size_t i = 0; i < s.n; i++)
                s.open[i] = part[i].n;
            *state = PUAN_HITTING_BUDGET;
            *cost += bound(&s, &next);
            s.out = false;
            continue;
        }
        *cost += s.best_cost;
        for (uint32_t i = 0; i < s.n_best; i++)
            pick[s.best[i]] = true;
    }
    return st;
}
