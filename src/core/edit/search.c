/*
 * Values for open cells: depth first, small domains value by value, large ones
 * by halves, with conflict-directed backjumping (P. Prosser, "Hybrid
 * Algorithms for the Constraint Satisfaction Problem", Computational
 * Intelligence 9, 1993).  A dead end is explained by units; what does not
 * stand in the explanation is jumped over, and what is left of it at the top
 * is a conflict of the closed ones.
 */
#include "core/edit/open.h"

#include "base/arena.h"

#define SMALL 12 /* a domain of so many values is tried value by value */

struct part { /* open cells that instances tie together */
    uint32_t *cell;
    uint32_t n;
};

static const struct puan_open_item *info(const struct puan_open *o, uint32_t c)
{
    return &o->l->item[o->at[c].entity][o->at[c].item];
}

/* ---- domains ---- */

/* Index of the first code of at least v. */
static size_t code_from(const struct puan_codelist *l, int64_t v)
{
    size_t lo = 0, hi = l->n;

    while (lo < hi) {
        size_t m = lo + (hi - lo) / 2;

        if (l->codes[m].value < v)
            lo = m + 1;
        else
            hi = m;
    }
    return lo;
}

/* Values in lo..hi, at most UINT64_MAX. */
static uint64_t members(const struct puan_open_item *it, int64_t lo, int64_t hi)
{
    if (lo > hi)
        return 0;
    if (it->codes)
        return hi == INT64_MAX
                   ? it->codes->n - code_from(it->codes, lo)
                   : code_from(it->codes, hi + 1) - code_from(it->codes, lo);
    if ((uint64_t)hi - (uint64_t)lo == UINT64_MAX)
        return UINT64_MAX;
    return (uint64_t)hi - (uint64_t)lo + 1;
}

static int64_t member(const struct puan_open_item *it, int64_t lo, uint64_t k)
{
    if (it->codes)
        return it->codes->codes[code_from(it->codes, lo) + k].value;
    return (int64_t)((uint64_t)lo + k);
}

static unsigned ways(uint8_t can)
{
    return (can & 1u) + (can >> 1 & 1u) + (can >> 2 & 1u);
}

/* Everything a cell can be, as a number to compare. */
static uint64_t size_of(const struct puan_open *o, uint32_t c)
{
    const struct puan_open_cell *n = &o->now[c];
    uint64_t m = 0;

    if (n->can & PUAN_OPEN_VALUE)
        m = info(o, c)->text ? 1 : members(info(o, c), n->lo, n->hi);
    if (m > UINT64_MAX - 2)
        return m;
    return m + ways((uint8_t)(n->can & ~PUAN_OPEN_VALUE));
}

static bool whole_unit(const struct puan_open *o, uint32_t unit)
{
    const struct puan_open_item *it = info(o, unit);
    uint32_t row = unit - o->at[unit].item;

    for (uint16_t i = 0; i <= it->n_facts; i++) {
        uint32_t c = i < it->n_facts ? row + it->fact[i] : unit;

        if (o->now[c].can != o->full[c].can || o->now[c].lo != o->full[c].lo ||
            o->now[c].hi != o->full[c].hi)
            return false;
    }
    return true;
}

/* Is its domain large, so that it is halved? */
static bool large(const struct puan_open *o, uint32_t c)
{
    const struct puan_open_cell *f = &o->full[c];

    return !info(o, c)->text && members(info(o, c), f->lo, f->hi) > SMALL;
}

/*
 * Child k of a cell: kinds first, then values near the old one, or halves, the
 * nearer first.  False: no more.
 */
static bool child(struct puan_open_cell *out, const struct puan_open *o,
                  uint32_t c, struct puan_open_cell from, unsigned k)
{
    const struct puan_open_item *it = info(o, c);
    int64_t old = o->was[c].lo;
    uint64_t n, near;

    *out = from;
    if (ways(from.can) > 1) {
        for (unsigned bit = 1; bit <= PUAN_OPEN_AS_IS; bit <<= 1)
            if (from.can & bit && k-- == 0) {
                out->can = (uint8_t)bit;
                return true;
            }
        return false;
    }
    n = members(it, from.lo, from.hi);
    if (large(o, c) && n > 1) {
        int64_t left = member(it, from.lo, n / 2 - 1);
        int64_t right = member(it, from.lo, n / 2);
        bool second = (old >= right) == (k == 0);

        if (k > 1)
            return false;
        if (second)
            out->lo = right;
        else
            out->hi = left;
        return true;
    }
    if (k >= n)
        return false;
    /* near, near + 1, near - 1, ... as far as the domain goes */
    near = 0;
    while (near + 1 < n && member(it, from.lo, near) < old)
        near++;
    for (uint64_t step = 0, seen = 0; seen <= k; step++) {
        uint64_t d = (step + 1) / 2;
        bool up = step & 1;

        if (up ? near + d >= n : d > near)
            continue;
        if (seen++ == k)
            out->lo = out->hi = member(it, from.lo, up ? near + d : near - d);
    }
    return true;
}

/* ---- conflicts by depth ---- */

static uint64_t *level(struct puan_open *o, size_t depth)
{
    if (depth >= o->cap_levels) {
        size_t cap = o->cap_levels ? o->cap_levels * 2 : 32;
        uint64_t **l = puan_new_n(o->arena, cap, uint64_t *);

        if (!l)
            return NULL;
        if (o->n_levels)
            memcpy(l, o->level, o->n_levels * sizeof(*l));
        o->level = l;
        o->cap_levels = cap;
    }
    while (o->n_levels <= depth) {
        uint64_t *w = puan_new_n(o->arena, o->n_words, uint64_t);

        if (!w)
            return NULL;
        o->level[o->n_levels++] = w;
    }
    return o->level[depth];
}

/* ---- search ---- */

static bool settle(struct puan_open *o, uint32_t i, uint64_t *conflict)
{
    switch (puan_open_judge(o, i)) {
    case PUAN_OPEN_FAILS:
        puan_open_explain(o, i, conflict);
        return false;
    case PUAN_OPEN_PASSES:
        o->settled[i] = 1;
        o->trail[o->n_trail++] = i;
        return true;
    case PUAN_OPEN_MAYBE:
        break;
    }
    return true;
}

/* Open units of a conflict other than `but`. */
static uint32_t open_in(const struct puan_open *o, const uint64_t *set,
                        uint32_t but)
{
    uint32_t n = 0;

    for (size_t w = 0; w < o->n_words; w++)
        for (uint64_t x = set[w]; x; x &= x - 1) {
            uint32_t u = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(x);

            n += u != but && o->now[u].can != PUAN_OPEN_AS_IS;
        }
    return n;
}

/*
 * Looks again at what the cell is in; false: a conflict.  Of several it takes
 * the one that least depends on other open units, for the search jumps over
 * what it does not depend on.
 */
static bool look_again(struct puan_open *o, uint32_t c, uint64_t *conflict,
                       uint64_t *spare)
{
    uint32_t least = UINT32_MAX;

    for (uint32_t k = o->of_at[c]; k < o->of_at[c + 1] && least > 0; k++) {
        uint64_t *to = least == UINT32_MAX ? conflict : spare;
        uint32_t n;

        if (o->settled[o->of[k]])
            continue;
        memset(to, 0, o->n_words * sizeof(*to));
        if (settle(o, o->of[k], to))
            continue;
        n = open_in(o, to, o->unit[c]);
        if (n < least && to == spare)
            memcpy(conflict, spare, o->n_words * sizeof(*to));
        least = n < least ? n : least;
    }
    return least == UINT32_MAX;
}

static void go_back(struct puan_open *o, uint32_t to)
{
    while (o->n_trail > to)
        o->settled[o->trail[--o->n_trail]] = 0;
}

/*
 * The open cell to look at next, of those that something still depends on:
 * fewest choices first; large domains come last, the largest first, so that
 * boxes stay cubes and a whole box fails where only its corner was looked at.
 */
static uint32_t choose(const struct puan_open *o, const struct part *p)
{
    uint32_t best = UINT32_MAX, most = 0;
    uint64_t least = UINT64_MAX;

    for (uint32_t k = 0; k < p->n; k++) {
        uint32_t c = p->cell[k], waiting = 0;
        uint64_t n = size_of(o, c);

        if (n <= 1)
            continue;
        if (ways(o->now[c].can) == 1 && large(o, c))
            n = UINT64_MAX - n;
        for (uint32_t i = o->of_at[c]; i < o->of_at[c + 1]; i++)
            waiting += !o->settled[o->of[i]];
        if (waiting == 0 || n > least || (n == least && waiting <= most))
            continue;
        best = c;
        least = n;
        most = waiting;
    }
    return best;
}

static enum puan_open_answer down(struct puan_open *o, const struct part *p,
                                  size_t depth)
{
    uint64_t *below = level(o, depth + 1), *mine;
    uint32_t c, unit, trail = o->n_trail;
    struct puan_open_cell from, to;
    bool whole;

    mine = level(o, depth); /* the table may have moved */
    if (!mine || !below)
        return PUAN_OPEN_NOMEM;
    c = choose(o, p);
    if (c == UINT32_MAX)
        return PUAN_OPEN_SAT;
    unit = o->unit[c];
    whole = whole_unit(o, unit);
    from = o->now[c];
    memset(mine, 0, o->n_words * sizeof(*mine));
    for (unsigned k = 0; child(&to, o, c, from, k); k++) {
        enum puan_open_answer a = PUAN_OPEN_UNSAT;

        if (o->runs >= o->budget)
            return PUAN_OPEN_OUT;
        memset(below, 0, o->n_words * sizeof(*below));
        puan_open_set(o, c, to);
        if (look_again(o, c, below, o->spare))
            a = down(o, p, depth + 1);
        if (a != PUAN_OPEN_UNSAT)
            return a;
        go_back(o, trail);
        puan_open_set(o, c, from);
        if (!puan_set_has(below, unit)) {
            memcpy(mine, below, o->n_words * sizeof(*mine));
            return PUAN_OPEN_UNSAT;
        }
        for (size_t w = 0; w < o->n_words; w++)
            mine[w] |= below[w];
    }
    if (whole)
        puan_set_drop(mine, unit);
    return PUAN_OPEN_UNSAT;
}

static enum puan_open_answer
keep(struct puan_open *o, struct puan_open_conflicts *out, const uint64_t *set)
{
    uint64_t *copy = puan_new_n(o->arena, o->n_words, uint64_t);

    if (out->n == out->cap) {
        size_t cap = out->cap ? out->cap * 2 : 16;
        uint64_t **l = puan_new_n(o->arena, cap, uint64_t *);

        if (!l)
            return PUAN_OPEN_NOMEM;
        if (out->n)
            memcpy(l, out->set, out->n * sizeof(*l));
        out->set = l;
        out->cap = cap;
    }
    if (!copy)
        return PUAN_OPEN_NOMEM;
    memcpy(copy, set, o->n_words * sizeof(*copy));
    out->set[out->n++] = copy;
    return PUAN_OPEN_UNSAT;
}

/* Instances that the open cells are in, judged for the first time. */
static enum puan_open_answer first_round(struct puan_open *o,
                                         struct puan_open_conflicts *out,
                                         const uint32_t *cell, uint32_t n)
{
    enum puan_open_answer a = PUAN_OPEN_SAT;
    uint64_t *w = level(o, 0);

    if (!w)
        return PUAN_OPEN_NOMEM;
    if (o->n_instances)
        memset(o->settled, 1, o->n_instances);
    o->n_trail = 0;
    o->round_i++;
    for (uint32_t k = 0; k < n; k++)
        for (uint32_t j = o->of_at[cell[k]]; j < o->of_at[cell[k] + 1]; j++) {
            uint32_t i = o->of[j];

            if (o->stamp_i[i] == o->round_i)
                continue;
            o->stamp_i[i] = o->round_i;
            o->settled[i] = 0;
            memset(w, 0, o->n_words * sizeof(*w));
            if (settle(o, i, w))
                continue;
            o->settled[i] = 1;
            a = keep(o, out, w);
            if (a == PUAN_OPEN_NOMEM)
                return a;
        }
    o->n_trail = 0;
    return a;
}

/* Cells of the part that holds cell[from], moved to the front. */
static uint32_t gather(struct puan_open *o, uint32_t *cell, uint32_t from,
                       uint32_t n)
{
    uint32_t end = from + 1;

    for (uint32_t k = from; k < end; k++) {
        uint32_t c = cell[k];

        /* what shares an instance that is not settled, or the answer */
        for (uint32_t j = end; j < n; j++) {
            uint32_t d = cell[j];
            bool tied = o->unit[c] == o->unit[d];

            for (uint32_t i = o->of_at[c]; !tied && i < o->of_at[c + 1]; i++) {
                const struct puan_open_instance *x = &o->instance[o->of[i]];

                if (o->settled[o->of[i]])
                    continue;
                for (uint32_t s = x->from; !tied && s < x->to; s++)
                    tied = o->scope[s] == d;
            }
            if (tied) {
                cell[j] = cell[end];
                cell[end++] = d;
            }
        }
    }
    return end;
}

/* Closes or opens what one unit was narrowed to. */
static void widen(struct puan_open *o, uint32_t unit)
{
    const struct puan_open_item *it = info(o, unit);
    uint32_t row = unit - o->at[unit].item;

    for (uint16_t i = 0; i <= it->n_facts; i++) {
        uint32_t c = i < it->n_facts ? row + it->fact[i] : unit;

        puan_open_set(o, c, o->save_search[c]);
    }
}

/*
 * Each open unit alone, the others open: a unit that no value suits is found
 * before the search mixes it with the rest.
 */
static enum puan_open_answer each_alone(struct puan_open *o,
                                        struct puan_open_conflicts *out,
                                        const uint32_t *unit, uint32_t n,
                                        uint32_t *cell)
{
    bool unsat = false;

    for (uint32_t k = 0; n > 1 && k < n; k++) {
        const struct puan_open_item *it = info(o, unit[k]);
        struct part p = { .cell = cell };
        enum puan_open_answer a;

        p.n = 1u + it->n_facts;
        cell += p.n; /* as puan_open_search lists them */
        for (uint32_t i = 0; i < p.n; i++)
            o->save_search[p.cell[i]] = o->now[p.cell[i]];
        a = down(o, &p, 0);
        go_back(o, 0);
        widen(o, unit[k]);
        if (a == PUAN_OPEN_UNSAT) {
            unsat = true;
            a = keep(o, out, o->level[0]);
        }
        if (a == PUAN_OPEN_OUT || a == PUAN_OPEN_NOMEM)
            return a;
    }
    return unsat ? PUAN_OPEN_UNSAT : PUAN_OPEN_SAT;
}

enum puan_open_answer puan_open_search(struct puan_open *o,
                                       struct puan_open_conflicts *out,
                                       const uint32_t *unit, uint32_t n)
{
    uint32_t n_cells = 0, *cell;
    enum puan_open_answer a;
    bool unsat = false;

    for (uint32_t k = 0; k < n; k++)
        n_cells += 1u + info(o, unit[k])->n_facts;
    cell = puan_new_n(o->arena, n_cells, uint32_t);
    if (!cell)
        return PUAN_OPEN_NOMEM;
    n_cells = 0;
    for (uint32_t k = 0; k < n; k++) {
        const struct puan_open_item *it = info(o, unit[k]);

        cell[n_cells++] = unit[k];
        for (uint16_t i = 0; i < it->n_facts; i++)
            cell[n_cells++] = unit[k] - o->at[unit[k]].item + it->fact[i];
    }
    a = first_round(o, out, cell, n_cells);
    if (a == PUAN_OPEN_SAT)
        a = each_alone(o, out, unit, n, cell);
    if (a != PUAN_OPEN_SAT)
        return a;
    for (uint32_t from = 0, to; from < n_cells; from = to) {
        struct part p = { .cell = cell + from };

        to = gather(o, cell, from, n_cells);
        p.n = to - from;
        a = down(o, &p, 0);
        if (a == PUAN_OPEN_UNSAT) {
            unsat = true;
            a = keep(o, out, o->level[0]);
        }
        if (a == PUAN_OPEN_OUT || a == PUAN_OPEN_NOMEM)
            return a;
    }
    return unsat ? PUAN_OPEN_UNSAT : PUAN_OPEN_SAT;
}
