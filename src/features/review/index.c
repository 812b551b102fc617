/*
 * Where each household stands, in memory: 48 bytes a household and a little
 * more for those with work.  All of it is made from `listing`, `ret`, `query`
 * and `review_act`, which only grow, and follows them behind the commits.  It
 * answers nothing that those tables do not say.
 */
#include "features/review/internal.h"

#include <stdlib.h>

#include "base/json.h"
#include "core/ledger/ledger.h"
#include "features/live/live.h"
#include "kit/os/os.h"

#define LISTING_MS 10000
#define ROWS 2048 /* read at a time, so that a request waits for no more */
#define WORD_PLACES 131072
#define UNSAID UINT16_MAX

__extension__ typedef unsigned __int128 puan_u128;

static size_t place_of(int64_t key, size_t cap)
{
    uint64_t h = (uint64_t)key * UINT64_C(0x9E3779B97F4A7C15);

    return (size_t)(((puan_u128)h * cap) >> 64);
}

/* ---- households ------------------------------------------------------------- */

static uint32_t *find(struct puan_review_shard *rs, int64_t household)
{
    size_t i = place_of(household, rs->cap);

    while (rs->place[i] != 0 &&
           rs->home[rs->place[i] - 1].household != household)
        i = i + 1 == rs->cap ? 0 : i + 1;
    return &rs->place[i];
}

struct puan_home *puan_review_home(struct puan_review_shard *rs,
                                   int64_t household)
{
    uint32_t at = rs->cap ? *find(rs, household) : 0;

    return at ? &rs->home[at - 1] : NULL;
}

static bool grow(struct puan_review_shard *rs)
{
    size_t homes = rs->cap_homes ? rs->cap_homes * 2 : 4096;
    struct puan_home *home = realloc(rs->home, homes * sizeof(*home));
    uint32_t *place;

    if (!home)
        return false;
    rs->home = home;
    place = calloc(homes * 2, sizeof(*place));
    if (!place)
        return false;
    free(rs->place);
    rs->place = place;
    rs->cap = homes * 2;
    rs->cap_homes = homes;
    for (size_t i = 0; i < rs->n_homes; i++)
        *find(rs, rs->home[i].household) = (uint32_t)i + 1;
    return true;
}

static struct puan_home *add_home(struct puan_review_shard *rs,
                                  int64_t household)
{
    struct puan_home *h = puan_review_home(rs, household);

    if (h)
        return h;
    if (rs->n_homes == rs->cap_homes && !grow(rs))
        return NULL;
    h = &rs->home[rs->n_homes++];
    *h = (struct puan_home){ .household = household, .expected = UNSAID };
    *find(rs, household) = (uint32_t)rs->n_homes;
    return h;
}

struct puan_work *puan_review_work(struct puan_review_shard *rs,
                                   const struct puan_home *h)
{
    return h->work ? &rs->work[h->work - 1] : NULL;
}

static struct puan_work *add_work(struct puan_review_shard *rs,
                                  struct puan_home *h)
{
    struct puan_work *w;

    if (h->work)
        return &rs->work[h->work - 1];
    if (rs->n_work == rs->cap_work) {
        size_t cap = rs->cap_work ? rs->cap_work * 2 : 1024;

        w = realloc(rs->work, cap * sizeof(*w));
        if (!w)
            return NULL;
        rs->work = w;
        rs->cap_work = cap;
    }
    w = &rs->work[rs->n_work++];
    *w = (struct puan_work){ .home = (uint32_t)(h - rs->home) };
    h->work = (uint32_t)rs->n_work;
    return w;
}

/* Place of a text; 0 for the empty one and when there is no more room. */
static uint16_t word_of(struct puan_review_shard *rs, struct puan_str s)
{
    uint64_t hash = UINT64_C(1469598103934665603);
    size_t i;
    char *copy;

    if (s.n == 0)
        return 0;
    for (i = 0; i < s.n; i++)
        hash = (hash ^ (uint8_t)s.p[i]) * UINT64_C(1099511628211);
    i = (size_t)(hash % WORD_PLACES);
    while (rs->word_place[i] != 0) {
        if (puan_str_eq(rs->word[rs->word_place[i]], s))
            return rs->word_place[i];
        i = i + 1 == WORD_PLACES ? 0 : i + 1;
    }
    if (rs->n_words == PUAN_REVIEW_WORDS)
        return 0;
    copy = malloc(s.n);
    if (!copy)
        return 0;
    memcpy(copy, s.p, s.n);
    rs->word[rs->n_words] = (struct puan_str){ copy, s.n };
    rs->word_place[i] = (uint16_t)rs->n_words;
    return (uint16_t)rs->n_words++;
}

/* ---- what is asked of it ------------------------------------------------------ */

const struct puan_mark *puan_review_mark(const struct puan_review_shard *rs,
                                         const struct puan_home *h,
                                         unsigned level)
{
    if (h->work)
        for (const struct puan_mark *m = rs->work[h->work - 1].marks; m;
             m = m->next)
            if (m->level == level && m->version == h->version)
                return m;
    return NULL;
}

const struct puan_mark *puan_review_passed(const struct puan_review_shard *rs,
                                           const struct puan_home *h,
                                           unsigned level)
{
    if (h->work)
        for (const struct puan_mark *m = rs->work[h->work - 1].marks; m;
             m = m->next)
            if (m->kind == PUAN_MARK_PASS && m->version == h->version &&
                m->level < PUAN_AREA_LEVELS &&
                rs->rv->up[m->level] == (int)level)
                return m;
    return NULL;
}

/* Levels count downwards: a lower office has a higher number. */
static bool accepted_below(const struct puan_review_shard *rs,
                           const struct puan_home *h, unsigned level)
{
    for (const struct puan_mark *m = rs->work[h->work - 1].marks; m;
         m = m->next)
        if (m->level > level && m->kind == PUAN_MARK_ACCEPT &&
            m->version == h->version)
            return true;
    return false;
}

enum puan_review_state
puan_review_state_of(const struct puan_review_shard *rs,
                     const struct puan_home *h, unsigned level)
{
    const struct puan_work *w = h->work ? &rs->work[h->work - 1] : NULL;

    if (h->ret == 0)
        return PUAN_REVIEW_NONE;
    if (!w)
        return PUAN_REVIEW_CLEAN;
    if (w->queries && w->query_version >= h->version)
        return PUAN_REVIEW_QUERYING;
    if (puan_review_mark(rs, h, level))
        return PUAN_REVIEW_REVIEWED;
    if (puan_review_passed(rs, h, level))
        return w->queries ? PUAN_REVIEW_CORRECTED : PUAN_REVIEW_WAITING;
    if (accepted_below(rs, h, level))
        return PUAN_REVIEW_REVIEWED;
    if (w->queries)
        return PUAN_REVIEW_CORRECTED;
    return w->n_open ? PUAN_REVIEW_WAITING : PUAN_REVIEW_CLEAN;
}

bool puan_review_shown(const struct puan_review_shard *rs,
                       const struct puan_home *h, unsigned level)
{
    const struct puan_plan *plan = puan_store_plan(rs->rv->store);

    return level >= plan->shard_level || puan_review_passed(rs, h, level) ||
           puan_review_mark(rs, h, level);
}

/* ---- following the tables -------------------------------------------------------- */

static void drop_marks(struct puan_work *w, unsigned version)
{
    struct puan_mark **at = &w->marks;

    while (*at) {
        struct puan_mark *m = *at;

        if (m->version < version) {
            *at = m->next;
            free(m);
        } else {
            at = &m->next;
        }
    }
}

static bool put_open(struct puan_work *w, const struct puan_edits *e,
                     const struct puan_ruleset *rules)
{
    size_t n = 0;

    free(w->open);
    w->open = NULL;
    w->n_open = w->n_hard = 0;
    for (size_t i = 0; i < e->n; i++)
        n += e->list[i].state == PUAN_EDIT_OPEN;
    if (n == 0)
        return true;
    if (n > 1000)
        n = 1000;
    w->open = malloc(n * sizeof(*w->open));
    if (!w->open)
        return false;
    for (int soft = 0; soft < 2; soft++)
        for (size_t i = 0; i < e->n && w->n_open < n; i++) {
            const struct puan_edit *x = &e->list[i];

            if (x->state != PUAN_EDIT_OPEN ||
                x->rule >= puan_ruleset_count(rules) ||
                (puan_ruleset_info(rules, x->rule)->severity == PUAN_SOFT) !=
                    (soft == 1))
                continue;
            w->open[w->n_open++] = (struct puan_open){
                x->rule,
                x->row > UINT16_MAX ? UINT16_MAX : (uint16_t)x->row,
            };
            w->n_hard = (uint16_t)(w->n_hard + (soft == 0));
        }
    return true;
}

/* The columns of returns_sql. */
static bool take_return(struct puan_review_shard *rs, struct puan_stmt *s,
                        bool live, struct puan_arena *a)
{
    const struct puan_plan *plan = puan_store_plan(rs->rv->store);
    struct puan_home *h = add_home(rs, puan_col_int(s, 1));
    bool findings = puan_col_int(s, 8) + puan_col_int(s, 9) > 0;
    const struct puan_ruleset *rules;
    struct puan_edits e = { 0 };
    struct puan_work *w;
    int64_t form = puan_col_int(s, 3), persons = puan_col_int(s, 10);

    if (!h)
        return false;
    h->ret = (uint32_t)puan_col_int(s, 0);
    h->version = (uint16_t)puan_col_int(s, 2);
    h->form = (uint8_t)form;
    h->mode = word_of(rs, puan_col_text(s, 4));
    h->actor = word_of(rs, puan_col_text(s, 5));
    /* a directory of another clock has no other campaign time of it */
    h->arrived = live ? puan_col_int(s, 7) : puan_col_int(s, 6);
    h->persons = (uint16_t)(persons > UINT16_MAX ? UINT16_MAX : persons);
    if (!findings && !h->work)
        return true;
    w = add_work(rs, h);
    if (!w)
        return false;
    drop_marks(w, h->version);
    puan_arena_reset(a);
    rules = form >= 0 && (size_t)form < plan->n_forms
                ? puan_ingest_rules(rs->rv->store, plan->form[form])
                : NULL;
    if (!rules || puan_edits_decode(&e, puan_col_bytes(s, 11),
                                    (struct puan_str){ 0 }, a, NULL) != PUAN_OK)
        e.n = 0;
    return put_open(w, &e, rules);
}

static enum puan_status follow_returns(struct puan_review_shard *rs,
                                       struct puan_db *db, size_t *n,
                                       struct puan_err *err)
{
    bool live = strcmp(puan_store_birth(rs->rv->store), "live") == 0;
    int64_t base = puan_store_areas(rs->rv->store)->household_base, last = 0;
    struct puan_stmt *s = NULL;
    struct puan_arena a;
    bool more = true;
    enum puan_status st;

    *n = 0;
    st = puan_sql(&s, db,
                  "SELECT seq, household, version, form, mode, actor,"
                  " finished, received, hard, soft, persons, findings"
                  " FROM ret WHERE seq > $1 ORDER BY seq LIMIT 2048",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_arena_init(&a, puan_os_alloc());
    puan_bind_int(s, 1, rs->ret);
    for (;;) {
        const struct puan_home *h;

        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        if (!take_return(rs, s, live, &a)) {
            st = puan_fail(err, PUAN_ENOMEM, "review", "out of memory");
            break;
        }
        h = puan_review_home(rs, puan_col_int(s, 1));
        if (rs->made && h && h->work && h->household / base != last) {
            last = h->household / base;
            puan_live_touch(rs->rv->store, "review", last);
        }
        rs->ret = puan_col_int(s, 0);
        ++*n;
    }
    puan_stmt_done(s);
    puan_arena_clear(&a);
    return st;
}

/* Tells open pages of the household's area. */
static void touch(struct puan_review_shard *rs, const struct puan_home *h)
{
    puan_live_touch(rs->rv->store, "review",
                    h->household /
                        puan_store_areas(rs->rv->store)->household_base);
}

int64_t puan_review_event(int64_t *entry, struct puan_db *db, int64_t query,
                          int64_t dflt)
{
    struct puan_stmt *s = NULL;
    struct puan_entry e;
    struct puan_arena a;
    char key[24];
    bool more = false;

    puan_arena_init(&a, puan_os_alloc());
    puan_format(key, sizeof(key), "%lld", (long long)query);
    if (puan_sql(&s, db,
                 "SELECT l.entry, l.seq FROM covered c, ledger l WHERE c.tbl = 'query'"
                 " AND c.key = $1 AND l.seq = c.seq",
                 NULL) == PUAN_OK) {
        puan_bind_text(s, 1, puan_str_of(key));
        if (puan_stmt_step(&more, s, NULL) == PUAN_OK && more &&
            puan_entry_decode(&e, puan_col_bytes(s, 0), &a, NULL) == PUAN_OK)
            dflt = e.event_ms;
        if (more && entry)
            *entry = puan_col_int(s, 1);
        puan_stmt_done(s);
    }
    puan_arena_clear(&a);
    return dflt;
}

static enum puan_status follow_queries(struct puan_review_shard *rs,
                                       struct puan_db *db, size_t *n,
                                       struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = true;
    enum puan_status st =
        puan_sql(&s, db,
                 "SELECT id, household, version, asked FROM query"
                 " WHERE id > $1 ORDER BY id LIMIT 2048",
                 err);

    *n = 0;
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, rs->query);
    while (st == PUAN_OK) {
        struct puan_home *h;
        struct puan_work *w;
        int64_t version, at;

        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        h = add_home(rs, puan_col_int(s, 1));
        w = h ? add_work(rs, h) : NULL;
        if (!w) {
            st = puan_fail(err, PUAN_ENOMEM, "review", "out of memory");
            break;
        }
        version = puan_col_int(s, 2);
        at = puan_review_event(NULL, db, puan_col_int(s, 0), puan_col_int(s, 3));
        if (w->queries == 0 || version > w->query_version)
            w->query_at = at;
        if (version > w->query_version)
            w->query_version = (uint16_t)version;
        w->queries++;
        if (rs->made)
            touch(rs, h);
        rs->query = puan_col_int(s, 0);
        ++*n;
    }
    puan_stmt_done(s);
    return st;
}

static void take_back(struct puan_work *w, int64_t id)
{
    for (struct puan_mark **at = &w->marks; *at; at = &(*at)->next)
        if ((*at)->id == id) {
            struct puan_mark *m = *at;

            *at = m->next;
            free(m);
            return;
        }
}

static enum puan_status follow_acts(struct puan_review_shard *rs,
                                    struct puan_db *db, size_t *n,
                                    struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rs->rv->store);
    struct puan_stmt *s = NULL;
    bool more = true;
    enum puan_status st =
        puan_sql(&s, db,
                 "SELECT id, household, version, kind, level, office, at,"
                 " undoes FROM review_act WHERE id > $1 ORDER BY id LIMIT 2048",
                 err);

    *n = 0;
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, rs->act);
    while (st == PUAN_OK) {
        struct puan_home *h;
        struct puan_work *w;
        struct puan_str kind;

        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        h = add_home(rs, puan_col_int(s, 1));
        w = h ? add_work(rs, h) : NULL;
        if (!w) {
            st = puan_fail(err, PUAN_ENOMEM, "review", "out of memory");
            break;
        }
        kind = puan_col_text(s, 3);
        if (puan_str_is(kind, "undo")) {
            take_back(w, puan_col_int(s, 7));
        } else if (puan_col_int(s, 2) >= h->version) {
            struct puan_mark *m = malloc(sizeof(*m));
            int level = puan_plan_level(plan, puan_col_text(s, 4));

            if (!m) {
                st = puan_fail(err, PUAN_ENOMEM, "review", "out of memory");
                break;
            }
            *m = (struct puan_mark){
                .id = puan_col_int(s, 0),
                .at = puan_col_int(s, 6),
                .office = puan_col_int(s, 5),
                .level = (uint8_t)(level < 0 ? 255 : level),
                .kind = puan_str_is(kind, "pass") ? PUAN_MARK_PASS
                                                  : PUAN_MARK_ACCEPT,
                .version = (uint16_t)puan_col_int(s, 2),
                .next = w->marks,
            };
            w->marks = m;
        }
        if (rs->made)
            touch(rs, h);
        rs->act = puan_col_int(s, 0);
        ++*n;
    }
    puan_stmt_done(s);
    return st;
}

/* ---- the listing ------------------------------------------------------------------ */

static int64_t cell(const struct puan_node *cells, struct puan_str column)
{
    char name[64];
    int64_t v = 0;

    if (column.n == 0 || column.n >= sizeof(name))
        return 0;
    memcpy(name, column.p, column.n);
    name[column.n] = '\0';
    return puan_int_parse(&v, puan_node_str_opt(cells, name, "")) ? v : -1;
}

static enum puan_status read_listing(struct puan_review_shard *rs,
                                     struct puan_db *db, struct puan_err *err)
{
    struct puan_review *rv = rs->rv;
    bool counted = rv->present.n + rv->absent.n > 0, more = true;
    struct puan_stmt *s = NULL;
    struct puan_arena a;
    int64_t last = 0, from;
    enum puan_status st = PUAN_OK;

    puan_arena_init(&a, puan_os_alloc());
    do {
        from = last;
        st = puan_sql(&s, db,
                      "SELECT household, status, cells FROM listing"
                      " WHERE household > $1 ORDER BY household LIMIT 4096",
                      err);
        if (st != PUAN_OK)
            break;
        puan_bind_int(s, 1, from);
        for (;;) {
            struct puan_node *cells = NULL;
            struct puan_home *h;

            st = puan_stmt_step(&more, s, err);
            if (st != PUAN_OK || !more)
                break;
            last = puan_col_int(s, 0);
            h = add_home(rs, last);
            if (!h) {
                st = puan_fail(err, PUAN_ENOMEM, "review", "out of memory");
                break;
            }
            h->listed = true;
            h->vacant = puan_plan_lists(puan_store_plan(rv->store),
                                        "listing_not_due",
                                        puan_col_text(s, 1));
            h->expected = UNSAID;
            puan_arena_reset(&a);
            if (counted &&
                puan_json_tree(&cells, puan_col_text(s, 2), "cells", &a,
                               NULL) == PUAN_OK) {
                int64_t p = cell(cells, rv->present);
                int64_t q = cell(cells, rv->absent);

                if (p >= 0 && q >= 0 && p + q < UNSAID)
                    h->expected = (uint16_t)(p + q);
            }
        }
        puan_stmt_done(s);
    } while (st == PUAN_OK && last > from);
    puan_arena_clear(&a);
    return st;
}

enum puan_status puan_review_follow(struct puan_review_shard *rs, bool all,
                                    struct puan_err *err)
{
    size_t done = 0, n = 0;
    struct puan_counts c;
    enum puan_status st = PUAN_OK;

    do {
        struct puan_db *db = NULL;
        size_t m = 0;

        pthread_mutex_lock(&rs->lock);
        st = puan_read_begin(&db, rs->sh, err);
        /* what a later import added; a household found at the door comes
         * with its return */
        if (st == PUAN_OK && puan_real_now() - rs->listing_at > LISTING_MS) {
            rs->listing_at = puan_real_now();
            puan_counts_of(&c, rs->rv->store, puan_shard_area(rs->sh));
            if (c.listed > (int64_t)rs->n_homes)
                st = read_listing(rs, db, err);
        }
        if (st == PUAN_OK)
            st = follow_returns(rs, db, &n, err);
        if (st == PUAN_OK && n < ROWS) {
            st = follow_queries(rs, db, &m, err);
            if (st == PUAN_OK) {
                size_t k = 0;

                st = follow_acts(rs, db, &k, err);
                m = k > m ? k : m;
            }
        }
        rs->changes += n + m > 0;
        done += n + m;
        rs->behind = 0;
        if (st == PUAN_OK && n + m >= ROWS) {
            st = puan_db_int(&rs->of, db, "SELECT MAX(seq) FROM ret", 0, err);
            rs->behind = rs->of > rs->ret ? rs->of - rs->ret : 1;
        } else if (st == PUAN_OK) {
            rs->made = true;
        }
        puan_read_end(rs->sh, db);
        n = n > m ? n : m;
        pthread_mutex_unlock(&rs->lock);
    } while (st == PUAN_OK && n >= ROWS && (all || done < PUAN_REVIEW_AT_ONCE));
    return st;
}

/* ---- life --------------------------------------------------------------------------- */

enum puan_status puan_review_shard_open(struct puan_review *rv,
                                        struct puan_shard *sh,
                                        struct puan_err *err)
{
    struct puan_review_shard *rs = calloc(1, sizeof(*rs));

    if (!rs)
        return puan_fail(err, PUAN_ENOMEM, "review", "out of memory");
    rs->rv = rv;
    rs->sh = sh;
    pthread_mutex_init(&rs->lock, NULL);
    rs->word = calloc(PUAN_REVIEW_WORDS + 1, sizeof(*rs->word));
    rs->word_place = calloc(WORD_PLACES, sizeof(*rs->word_place));
    rs->n_words = 1;
    if (!rs->word || !rs->word_place || !grow(rs)) {
        puan_review_shard_close(rs);
        return puan_fail(err, PUAN_ENOMEM, "review", "out of memory");
    }
    rv->shard[puan_shard_ordinal(sh)] = rs;
    return PUAN_OK;
}

void puan_review_shard_close(struct puan_review_shard *rs)
{
    if (!rs)
        return;
    for (size_t i = 0; i < rs->n_work; i++) {
        drop_marks(&rs->work[i], UINT32_MAX);
        free(rs->work[i].open);
    }
    for (size_t i = 1; rs->word && i < rs->n_words; i++)
        free((void *)(uintptr_t)rs->word[i].p);
    free(rs->word);
    free(rs->word_place);
    free(rs->work);
    free(rs->home);
    free(rs->place);
    pthread_mutex_destroy(&rs->lock);
    free(rs);
}
