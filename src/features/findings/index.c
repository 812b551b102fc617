/*
 * Follows `ret` and keeps what each version did to each rule, by household.
 * A return without findings costs one step of a counter.
 */
#include "features/findings/internal.h"

#include <stdlib.h>

#include "base/calendar.h"
#include "kit/os/os.h"

#define ROWS 2048 /* read at a time, so that a request waits for no more */
#define MOST UINT16_MAX

__extension__ typedef unsigned __int128 puan_u128;

static size_t place_of(int64_t key, size_t cap)
{
    uint64_t h = (uint64_t)key * UINT64_C(0x9E3779B97F4A7C15);

    return (size_t)(((puan_u128)h * cap) >> 64);
}

/* ---- households ---------------------------------------------------------- */

static uint32_t *find(struct puan_finding_shard *fs, int64_t household)
{
    size_t cap = fs->cap_homes * 2, i = place_of(household, cap);

    while (fs->place[i] != 0 &&
           fs->home[fs->place[i] - 1].household != household)
        i = i + 1 == cap ? 0 : i + 1;
    return &fs->place[i];
}

static bool more_homes(struct puan_finding_shard *fs)
{
    size_t cap = fs->cap_homes ? fs->cap_homes * 2 : 1024;
    struct puan_finding_home *home = realloc(fs->home, cap * sizeof(*home));
    uint32_t *place;

    if (!home)
        return false;
    fs->home = home;
    place = calloc(cap * 2, sizeof(*place));
    if (!place)
        return false;
    free(fs->place);
    fs->place = place;
    fs->cap_homes = cap;
    for (size_t i = 0; i < fs->n_homes; i++)
        *find(fs, fs->home[i].household) = (uint32_t)i + 1;
    return true;
}

static struct puan_finding_home *home_of(struct puan_finding_shard *fs,
                                         int64_t household)
{
    uint32_t at = fs->cap_homes ? *find(fs, household) : 0;

    return at ? &fs->home[at - 1] : NULL;
}

static struct puan_finding_home *add_home(struct puan_finding_shard *fs,
                                          int64_t household)
{
    struct puan_finding_home *h = home_of(fs, household);

    if (h)
        return h;
    if (fs->n_homes == fs->cap_homes && !more_homes(fs))
        return NULL;
    h = &fs->home[fs->n_homes++];
    *h = (struct puan_finding_home){ .household = household,
                                     .day = INT32_MIN };
    *find(fs, household) = (uint32_t)fs->n_homes;
    return h;
}

/* ---- returns by enumeration area ----------------------------------------- */

static size_t ea_place(const int64_t *ea, size_t cap, int64_t code)
{
    size_t i = place_of(code, cap);

    while (ea[i] != 0 && ea[i] != code)
        i = i + 1 == cap ? 0 : i + 1;
    return i;
}

static bool more_eas(struct puan_finding_shard *fs)
{
    size_t cap = fs->cap_ea ? fs->cap_ea * 2 : 256, nf = fs->ix->n_forms;
    int64_t *ea = calloc(cap, sizeof(*ea));
    uint32_t *returns = calloc(cap * (nf + 1), sizeof(*returns));

    if (!ea || !returns) {
        free(ea);
        free(returns);
        return false;
    }
    for (size_t i = 0; i < fs->cap_ea; i++)
        if (fs->ea[i]) {
            size_t at = ea_place(ea, cap, fs->ea[i]);

            ea[at] = fs->ea[i];
            memcpy(returns + at * nf, fs->returns + i * nf,
                   nf * sizeof(*returns));
        }
    free(fs->ea);
    free(fs->returns);
    fs->ea = ea;
    fs->returns = returns;
    fs->cap_ea = cap;
    return true;
}

static bool count_return(struct puan_finding_shard *fs, int64_t household,
                         int64_t form, int64_t form_before)
{
    int64_t base = puan_store_areas(fs->ix->store)->household_base;
    int64_t nf = (int64_t)fs->ix->n_forms;
    size_t at;

    if (fs->n_ea * 2 >= fs->cap_ea && !more_eas(fs))
        return false;
    at = ea_place(fs->ea, fs->cap_ea, household / base);
    if (fs->ea[at] == 0) {
        fs->ea[at] = household / base;
        fs->n_ea++;
    }
    if (form >= 0 && form < nf)
        fs->returns[at * (size_t)nf + (size_t)form]++;
    if (form_before >= 0 && form_before < nf)
        fs->returns[at * (size_t)nf + (size_t)form_before]--;
    return true;
}

/* ---- changes -------------------------------------------------------------- */

static uint16_t plus(uint16_t a, uint16_t b)
{
    return a > MOST - b ? MOST : (uint16_t)(a + b);
}

static bool add_change(struct puan_finding_shard *fs, uint32_t home,
                       uint8_t form, uint16_t rule, uint16_t open,
                       uint16_t settled, int32_t day)
{
    struct puan_finding_home *h = &fs->home[home];
    struct puan_change *old = NULL, *x;

    for (uint32_t i = h->last; i && !old; i = fs->change[i - 1].before)
        if (fs->change[i - 1].last && fs->change[i - 1].rule == rule &&
            fs->change[i - 1].form == form)
            old = &fs->change[i - 1];
    if (old ? old->open == open && old->settled == settled
            : open + settled == 0)
        return true;
    if (fs->n_changes == fs->cap_changes) {
        size_t cap = fs->cap_changes ? fs->cap_changes * 2 : 2048;
        size_t at = old ? (size_t)(old - fs->change) : 0;

        x = realloc(fs->change, cap * sizeof(*x));
        if (!x)
            return false;
        fs->change = x;
        fs->cap_changes = cap;
        if (old)
            old = &fs->change[at];
    }
    x = &fs->change[fs->n_changes++];
    *x = (struct puan_change){ .home = home,   .before = h->last,
                               .day = day,     .rule = rule,
                               .form = form,   .last = true,
                               .open = open,   .settled = settled,
                               .most = plus(open, settled) };
    if (old) {
        old->last = false;
        x->was_open = old->open;
        x->was_settled = old->settled;
        if (old->most > x->most)
            x->most = old->most;
    }
    h->last = (uint32_t)fs->n_changes;
    h->day = day;
    return true;
}

/* Whether the rule stands in this version; e is in order of rules. */
static bool stands(const struct puan_edits *e, uint16_t rule)
{
    size_t lo = 0, hi = e->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (e->list[mid].rule < rule)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < e->n && e->list[lo].rule == rule;
}

static bool take_findings(struct puan_finding_shard *fs, int64_t household,
                          uint8_t form, uint16_t version,
                          const struct puan_edits *e, int32_t day)
{
    struct puan_finding_home *h =
        e->n > 0 ? add_home(fs, household) : home_of(fs, household);
    uint32_t at;

    if (!h)
        return e->n == 0;
    at = (uint32_t)(h - fs->home);
    if (h->day > day)
        day = h->day; /* a correction is no older than what it corrects */
    h->version = version;
    h->form = form;
    for (uint32_t i = h->last; i; i = fs->change[i - 1].before) {
        struct puan_change x = fs->change[i - 1];

        if (x.last && x.open + x.settled > 0 &&
            (x.form != form || !stands(e, x.rule)) &&
            !add_change(fs, at, x.form, x.rule, 0, 0, day))
            return false;
    }
    for (size_t i = 0; i < e->n;) {
        uint16_t rule = e->list[i].rule, open = 0, settled = 0;

        for (; i < e->n && e->list[i].rule == rule; i++)
            if (e->list[i].state == PUAN_EDIT_OPEN)
                open = plus(open, 1);
            else
                settled = plus(settled, 1);
        if (!add_change(fs, at, form, rule, open, settled, day))
            return false;
    }
    return true;
}

/* The columns of the statement in `read_some`. */
static bool take_return(struct puan_finding_shard *fs, struct puan_stmt *s,
                        bool live, struct puan_arena *a)
{
    struct puan_store *st = fs->ix->store;
    const struct puan_plan *plan = puan_store_plan(st);
    int64_t household = puan_col_int(s, 1), form = puan_col_int(s, 3);
    /* a directory of another clock has no other campaign time of it */
    int64_t at = puan_col_int(s, live ? 5 : 4);
    const struct puan_ruleset *rules;
    struct puan_edits e = { 0 };

    fs->ret = puan_col_int(s, 0);
    if (form < 0 || (size_t)form >= plan->n_forms)
        return true;
    if (!count_return(fs, household, form, puan_col_int(s, 7)))
        return false;
    puan_arena_reset(a);
    rules = puan_ingest_rules(st, plan->form[form]);
    if (!rules || puan_edits_decode(&e, puan_col_bytes(s, 6),
                                    (struct puan_str){ 0 }, a, NULL) != PUAN_OK)
        e.n = 0;
    while (e.n > 0 && e.list[e.n - 1].rule >= puan_ruleset_count(rules))
        e.n--; /* of no rule there is */
    return take_findings(fs, household, (uint8_t)form,
                         (uint16_t)puan_col_int(s, 2), &e,
                         (int32_t)puan_instant_day(at, plan->offset_minutes));
}

static enum puan_status read_some(struct puan_finding_shard *fs,
                                  struct puan_db *db, size_t *n,
                                  struct puan_err *err)
{
    bool live = strcmp(puan_store_birth(fs->ix->store), "live") == 0;
    struct puan_stmt *s = NULL;
    struct puan_arena a;
    bool more = true;
    enum puan_status st =
        puan_sql(&s, db,
                 "SELECT r.seq, r.household, r.version, r.form, r.finished,"
                 " r.received, r.findings, COALESCE(p.form, -1)"
                 " FROM ret r LEFT JOIN ret p ON p.seq = r.prev"
                 " WHERE r.seq > $1 ORDER BY r.seq LIMIT 2048",
                 err);

    *n = 0;
    if (st != PUAN_OK)
        return st;
    puan_arena_init(&a, puan_os_alloc());
    puan_bind_int(s, 1, fs->ret);
    for (;;) {
        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        ++*n;
        if (!take_return(fs, s, live, &a)) {
            st = puan_fail(err, PUAN_ENOMEM, "findings", "out of memory");
            break;
        }
    }
    puan_stmt_done(s);
    puan_arena_clear(&a);
    return st;
}

enum puan_status puan_findings_follow(struct puan_finding_shard *fs, bool all,
                                      struct puan_err *err)
{
    size_t done = 0, n = 0;
    enum puan_status st = PUAN_OK;

    do {
        struct puan_db *db = NULL;

        pthread_mutex_lock(&fs->lock);
        st = puan_read_begin(&db, fs->sh, err);
        if (st == PUAN_OK)
            st = read_some(fs, db, &n, err);
        done += n;
        fs->behind = 0;
        if (st == PUAN_OK && n >= ROWS) {
            st = puan_db_int(&fs->of, db, "SELECT MAX(seq) FROM ret", 0, err);
            fs->behind = fs->of > fs->ret ? fs->of - fs->ret : 0;
        }
        if (st == PUAN_OK && fs->behind == 0)
            fs->made = true;
        puan_read_end(fs->sh, db);
        pthread_mutex_unlock(&fs->lock);
    } while (st == PUAN_OK && n >= ROWS &&
             (all || done < PUAN_FINDINGS_AT_ONCE));
    return st;
}

/* ---- life ------------------------------------------------------------------ */

enum puan_status puan_finding_shard_open(struct puan_finding_index *ix,
                                         struct puan_shard *sh,
                                         struct puan_err *err)
{
    struct puan_finding_shard *fs = calloc(1, sizeof(*fs));

    if (!fs)
        return puan_fail(err, PUAN_ENOMEM, "findings", "out of memory");
    fs->ix = ix;
    fs->sh = sh;
    pthread_mutex_init(&fs->lock, NULL);
    ix->shard[puan_shard_ordinal(sh)] = fs;
    return PUAN_OK;
}

void puan_finding_shard_close(struct puan_finding_shard *fs)
{
    if (!fs)
        return;
    free(fs->home);
    free(fs->place);
    free(fs->change);
    free(fs->ea);
    free(fs->returns);
    pthread_mutex_destroy(&fs->lock);
    free(fs);
}
