/*
 * Adds up what the index holds: by rule, by area below, by day.
 */
#include "features/findings/internal.h"

#include <stdlib.h>

#define DAYS 3660 /* more is not one census */

const char *puan_finding_state_name(enum puan_finding_state s)
{
    static const char *const names[] = { "open", "confirmed", "corrected" };

    return s < PUAN_COUNT(names) ? names[s] : "open";
}

int64_t puan_change_in(const struct puan_change *x, enum puan_finding_state s)
{
    switch (s) {
    case PUAN_FINDING_OPEN:
        return x->open;
    case PUAN_FINDING_SETTLED:
        return x->settled;
    case PUAN_FINDING_CORRECTED:
        break;
    }
    return x->most - x->open - x->settled > 0
               ? x->most - x->open - x->settled
               : 0;
}

/* ---- which ----------------------------------------------------------------- */

enum puan_status puan_findings_choose(struct puan_findings_choice *c,
                                      struct puan_store *st, int64_t area,
                                      const struct puan_findings_in *in,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(st);
    bool hard = puan_str_is(in->severity, "hard");
    bool form = in->form.n == 0, rule = in->rule.n == 0;
    int state = in->state.n ? -1 : PUAN_FINDING_OPEN;

    *c = (struct puan_findings_choice){ .store = st, .a = a, .area = area,
                                        .n_forms = plan->n_forms };
    if (in->severity.n && !hard && !puan_str_is(in->severity, "soft"))
        return puan_fail(err, PUAN_EINVAL, "severity", "give hard or soft");
    for (int s = 0; s < PUAN_FINDING_STATES && state < 0; s++)
        if (puan_str_is(in->state,
                        puan_finding_state_name((enum puan_finding_state)s)))
            state = s;
    if (state < 0)
        return puan_fail(err, PUAN_EINVAL, "state",
                         "give open, confirmed or corrected");
    c->state = (enum puan_finding_state)state;
    puan_area_keys(&c->from, &c->to, st, area);
    c->rules = puan_arena_get_n(a, plan->n_forms + 1, sizeof(*c->rules));
    c->fits = puan_arena_get_n(a, plan->n_forms + 1, sizeof(*c->fits));
    c->counts = puan_new_n(a, plan->n_forms + 1, bool);
    for (size_t f = 0; f < plan->n_forms && !a->failed; f++) {
        const struct puan_ruleset *rs = puan_ingest_rules(st, plan->form[f]);
        size_t n = rs ? puan_ruleset_count(rs) : 0;
        bool of_form = in->form.n == 0 ||
                       puan_str_eq(plan->form[f]->id, in->form);

        c->rules[f] = rs;
        c->fits[f] = puan_new_n(a, n + 1, bool);
        form |= of_form;
        for (size_t r = 0; r < n && !a->failed; r++) {
            const struct puan_rule_info *x = puan_ruleset_info(rs, r);
            bool named = in->rule.n == 0 || puan_str_eq(x->id, in->rule);

            rule |= named;
            c->fits[f][r] = of_form && named &&
                            (in->severity.n == 0 ||
                             (x->severity == PUAN_HARD) == hard);
            c->counts[f] |= c->fits[f][r];
        }
    }
    if (!form)
        return puan_fail(err, PUAN_EINVAL, "form", "the plan has no such form");
    if (!rule)
        return puan_fail(err, PUAN_EINVAL, "rule", "the plan has no such rule");
    return puan_arena_check(a, err);
}

static bool fits(const struct puan_findings_choice *c,
                 const struct puan_change *x)
{
    return x->form < c->n_forms && c->rules[x->form] &&
           c->fits[x->form][x->rule];
}

void puan_finding_count(int64_t out[PUAN_FINDING_STATES],
                        const struct puan_findings_choice *c,
                        const struct puan_finding_shard *fs,
                        const struct puan_finding_home *h)
{
    for (int s = 0; s < PUAN_FINDING_STATES; s++)
        out[s] = 0;
    for (uint32_t i = h->last; i; i = fs->change[i - 1].before) {
        const struct puan_change *x = &fs->change[i - 1];

        if (x->last && fits(c, x))
            for (int s = 0; s < PUAN_FINDING_STATES; s++)
                out[s] += puan_change_in(x, (enum puan_finding_state)s);
    }
}

/* ---- the walk --------------------------------------------------------------- */

static void cover(struct puan_partial *k, const struct puan_finding_shard *fs)
{
    puan_partial_add(k, puan_shard_area(fs->sh), fs->made && fs->behind == 0);
}

enum puan_status puan_findings_each(struct puan_findings_choice *c,
                                    puan_finding_store_fn store,
                                    puan_finding_fn fn, void *arg,
                                    struct puan_err *err)
{
    struct puan_finding_index *ix = puan_findings_index(c->store);
    enum puan_status st = PUAN_OK;

    c->cov = (struct puan_partial){ 0 };
    for (size_t i = 1; i < puan_store_shards(c->store) && st == PUAN_OK; i++) {
        struct puan_finding_shard *fs =
            i < PUAN_FINDINGS_SHARDS ? ix->shard[i] : NULL;
        int64_t from, to;

        if (!fs)
            continue;
        puan_area_keys(&from, &to, c->store, puan_shard_area(fs->sh));
        if (from >= c->to || c->from >= to)
            continue;
        st = puan_findings_follow(fs, false, err);
        if (st != PUAN_OK)
            break;
        pthread_mutex_lock(&fs->lock);
        cover(&c->cov, fs);
        if (store)
            store(arg, fs);
        for (size_t j = 0; j < fs->n_homes; j++)
            if (fs->home[j].household >= c->from &&
                fs->home[j].household < c->to)
                fn(arg, fs, &fs->home[j]);
        pthread_mutex_unlock(&fs->lock);
    }
    return st;
}

/* ---- adding up ---------------------------------------------------------------- */

struct adding {
    struct puan_findings_choice *c;
    struct puan_findings_count *out;
    struct puan_finding_tally **tally; /* by form, then rule */
    uint32_t ***by;                    /* by form, rule, area below */
    struct puan_finding_day *day;      /* DAYS of them */
    int64_t first, last;               /* of those with something */
    bool have_day;
};

static struct puan_finding_area *below(const struct puan_findings_count *out,
                                       int64_t household)
{
    size_t lo = 0, hi = out->n_areas;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (out->area[mid].to <= household)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < out->n_areas && out->area[lo].from <= household
               ? &out->area[lo]
               : NULL;
}

static void add_returns(void *arg, const struct puan_finding_shard *fs)
{
    struct adding *k = arg;
    struct puan_findings_choice *c = k->c;
    int64_t base = puan_store_areas(c->store)->household_base;

    for (size_t i = 0; i < fs->cap_ea; i++) {
        int64_t key = fs->ea[i] * base;
        struct puan_finding_area *x;

        if (fs->ea[i] == 0 || key < c->from || key >= c->to)
            continue;
        x = below(k->out, key);
        for (size_t f = 0; f < c->n_forms; f++) {
            int64_t n = fs->returns[i * c->n_forms + f];

            k->out->returns[f] += n;
            if (x)
                x->of[f] += n;
            if (!c->counts[f])
                continue;
            k->out->base += n;
            if (x)
                x->returns += n;
        }
    }
}

static void add_day(struct adding *k, const struct puan_change *x)
{
    int64_t total = x->open + x->settled;
    int64_t before = x->was_open + x->was_settled;
    struct puan_finding_day *d;

    if (!k->have_day) {
        k->first = k->last = x->day;
        k->have_day = true;
    }
    if (x->day < k->first && k->last - x->day < DAYS)
        k->first = x->day;
    if (x->day > k->last && x->day - k->first < DAYS)
        k->last = x->day;
    d = &k->day[((int64_t)x->day % DAYS + DAYS) % DAYS];
    if (total > before)
        d->found += total - before;
    else
        d->corrected += before - total;
    if (x->settled > x->was_settled)
        d->settled += x->settled - x->was_settled;
    d->open += x->open - x->was_open;
}

static void add_home(void *arg, const struct puan_finding_shard *fs,
                     const struct puan_finding_home *h)
{
    struct adding *k = arg;
    struct puan_findings_choice *c = k->c;
    struct puan_finding_area *area = below(k->out, h->household);
    int64_t in[PUAN_FINDING_STATES] = { 0 };

    for (uint32_t i = h->last; i; i = fs->change[i - 1].before) {
        const struct puan_change *x = &fs->change[i - 1];
        struct puan_finding_tally *t;
        int64_t gone;

        if (!fits(c, x))
            continue;
        add_day(k, x);
        if (!x->last)
            continue;
        t = &k->tally[x->form][x->rule];
        gone = puan_change_in(x, PUAN_FINDING_CORRECTED);
        t->open += x->open;
        t->settled += x->settled;
        t->corrected += gone;
        t->homes_open += x->open > 0;
        t->homes_settled += x->settled > 0;
        t->homes_corrected += gone > 0;
        t->homes += x->open + x->settled > 0;
        in[PUAN_FINDING_OPEN] += x->open;
        in[PUAN_FINDING_SETTLED] += x->settled;
        in[PUAN_FINDING_CORRECTED] += gone;
        if (area && puan_change_in(x, c->state) > 0)
            k->by[x->form][x->rule][area - k->out->area]++;
    }
    for (int s = 0; s < PUAN_FINDING_STATES; s++) {
        k->out->findings[s] += in[s];
        k->out->homes[s] += in[s] > 0;
        if (area)
            area->homes[s] += in[s] > 0;
    }
}

static int by_key(const void *a, const void *b)
{
    const struct puan_finding_area *x = a, *y = b;

    return (x->from > y->from) - (x->from < y->from);
}

/* Those right below, in order of their households' keys. */
static enum puan_status name_areas(struct puan_findings_count *out,
                                   struct puan_findings_choice *c,
                                   struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(c->store);
    uint32_t top = puan_area_find(t, c->area), first = 0, end = t->n;

    if (c->area != 0 && top == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "no such area");
    if (c->area != 0) {
        first = top + 1;
        end = t->area[top].end;
    }
    for (uint32_t i = first; i < end; i = t->area[i].end)
        out->n_areas++;
    out->area = puan_new_n(c->a, out->n_areas + 1, struct puan_finding_area);
    if (!out->area)
        return puan_arena_check(c->a, err);
    out->n_areas = 0;
    for (uint32_t i = first; i < end; i = t->area[i].end) {
        struct puan_finding_area *x = &out->area[out->n_areas++];

        x->at = i;
        x->of = puan_new_n(c->a, c->n_forms + 1, int64_t);
        puan_area_keys(&x->from, &x->to, c->store, t->area[i].code);
    }
    qsort(out->area, out->n_areas, sizeof(*out->area), by_key);
    return puan_arena_check(c->a, err);
}

static enum puan_status room(struct adding *k, struct puan_err *err)
{
    struct puan_findings_choice *c = k->c;
    struct puan_arena *a = c->a;

    k->out->returns = puan_new_n(a, c->n_forms + 1, int64_t);
    k->day = puan_new_n(a, DAYS, struct puan_finding_day);
    k->tally = puan_arena_get_n(a, c->n_forms + 1, sizeof(*k->tally));
    k->by = puan_arena_get_n(a, c->n_forms + 1, sizeof(*k->by));
    for (size_t f = 0; f < c->n_forms && !a->failed; f++) {
        size_t n = c->rules[f] ? puan_ruleset_count(c->rules[f]) : 0;
        uint32_t *cells;

        k->tally[f] = puan_new_n(a, n + 1, struct puan_finding_tally);
        k->by[f] = puan_arena_get_n(a, n + 1, sizeof(**k->by));
        cells = puan_new_n(a, n * k->out->n_areas + 1, uint32_t);
        for (size_t r = 0; r < n && !a->failed; r++)
            k->by[f][r] = cells + r * k->out->n_areas;
    }
    return puan_arena_check(a, err);
}

static int most_first(const void *a, const void *b)
{
    const struct puan_finding_rule *x = a, *y = b;

    if (x->t.homes_open != y->t.homes_open)
        return x->t.homes_open < y->t.homes_open ? 1 : -1;
    if (x->t.homes != y->t.homes)
        return x->t.homes < y->t.homes ? 1 : -1;
    if (x->t.homes_corrected != y->t.homes_corrected)
        return x->t.homes_corrected < y->t.homes_corrected ? 1 : -1;
    if (x->form != y->form)
        return x->form > y->form ? 1 : -1;
    return (x->rule > y->rule) - (x->rule < y->rule);
}

static void list_rules(struct adding *k)
{
    struct puan_findings_count *out = k->out;
    struct puan_findings_choice *c = k->c;
    size_t n = 0;

    for (size_t f = 0; f < c->n_forms; f++)
        n += c->rules[f] ? puan_ruleset_count(c->rules[f]) : 0;
    out->rule = puan_new_n(c->a, n + 1, struct puan_finding_rule);
    for (size_t f = 0; f < c->n_forms && out->rule; f++)
        for (size_t r = 0; c->rules[f] && r < puan_ruleset_count(c->rules[f]);
             r++) {
            const struct puan_finding_tally *t = &k->tally[f][r];

            if (t->homes + t->homes_corrected > 0)
                out->rule[out->n_rules++] = (struct puan_finding_rule){
                    (uint8_t)f, (uint16_t)r, *t, k->by[f][r]
                };
        }
    if (out->n_rules > 1)
        qsort(out->rule, out->n_rules, sizeof(*out->rule), most_first);
}

static void list_days(struct adding *k)
{
    struct puan_findings_count *out = k->out;
    int64_t open = 0;

    if (!k->have_day)
        return;
    out->n_days = (size_t)(k->last - k->first) + 1;
    out->day = puan_new_n(k->c->a, out->n_days, struct puan_finding_day);
    for (size_t i = 0; i < out->n_days && out->day; i++) {
        int64_t day = k->first + (int64_t)i;

        out->day[i] = k->day[(day % DAYS + DAYS) % DAYS];
        open += out->day[i].open;
        out->day[i].day = day;
        out->day[i].open = open;
    }
}

enum puan_status puan_findings_add_up(struct puan_findings_count *out,
                                      struct puan_findings_choice *c,
                                      struct puan_err *err)
{
    struct adding k = { .c = c, .out = out };
    enum puan_status st;

    *out = (struct puan_findings_count){ 0 };
    st = name_areas(out, c, err);
    if (st == PUAN_OK)
        st = room(&k, err);
    if (st == PUAN_OK)
        st = puan_findings_each(c, add_returns, add_home, &k, err);
    if (st != PUAN_OK)
        return st;
    list_rules(&k);
    list_days(&k);
    return puan_arena_check(c->a, err);
}

enum puan_status puan_findings_of(struct puan_findings_sum *out,
                                  struct puan_store *st, int64_t area,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_findings_in all = { 0 };
    struct puan_findings_choice c;
    struct puan_findings_count sum;
    enum puan_status rc;

    *out = (struct puan_findings_sum){ 0 };
    rc = puan_findings_choose(&c, st, area, &all, a, err);
    if (rc == PUAN_OK)
        rc = puan_findings_add_up(&sum, &c, err);
    if (rc != PUAN_OK)
        return rc;
    out->returns = sum.returns;
    out->complete = c.cov.have == c.cov.of;
    out->rule = puan_arena_get_n(a, c.n_forms + 1, sizeof(*out->rule));
    for (size_t f = 0; f < c.n_forms && out->rule; f++)
        out->rule[f] = c.rules[f]
                           ? puan_new_n(a, puan_ruleset_count(c.rules[f]) + 1,
                                        struct puan_finding_tally)
                           : NULL;
    rc = puan_arena_check(a, err);
    for (size_t i = 0; i < sum.n_rules && rc == PUAN_OK; i++)
        out->rule[sum.rule[i].form][sum.rule[i].rule] = sum.rule[i].t;
    return rc;
}
