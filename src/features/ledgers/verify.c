/*
 * Verification of a campaign directory (ledgers.h): what is read is held
 * against what the entries say, in parallel over ranges of entries and of
 * returns.  Never writes, needs no key.
 *
 * For each store: every entry's digest, number, scope and link to the one
 * before; every row an entry covers against `covered` (which must name this
 * entry or a later one); every covered row's content; every return's digest
 * against the entry that accepted it; heads and Merkle roots against the
 * checkpoints of the directory and those kept outside.
 */
#include "features/ledgers/ledgers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "core/plan/plan.h"
#include "features/ledgers/source.h"
#include "features/plans/plans.h"
#include "kit/crypto/crypto.h"
#include "kit/job/job.h"
#include "kit/os/os.h"

#define RANGE 4096
#define WORKERS 64
#define ENTRIES_MAX ((int64_t)1 << 31)

/* A row's last word, as far as deletions matter. */
struct mark {
    uint8_t row[PUAN_DIGEST_SIZE]; /* digest of table and key */
    uint64_t seq;
};

struct marks {
    struct mark *m;
    size_t n, cap;
};

/* A head to be met, from a checkpoint. */
struct want {
    const char *file;
    int64_t time_ms;
    const struct puan_head *head;
    bool witness;
};

struct verify {
    struct puan_ledger_source src;
    const struct puan_verify_options *opt;
    const struct puan_feature *const *features;
    struct puan_arena *out; /* results */
    pthread_mutex_t lock;   /* guards out and the problems */
    struct puan_verify_problem *problem;
    uint64_t n_problems;
    struct puan_plan_held *plan;
    struct puan_sign_key *key;
    struct want *want;
    size_t n_want;
    const char **covered;
    size_t n_covered;
    _Atomic uint64_t done;
    uint64_t total;
};

/* One worker's own. */
struct worker {
    struct puan_db *db;
    struct puan_arena a;
    struct marks deleted, missing;
    uint64_t confirmed; /* rows whose last entry was met */
};

struct store_run {
    struct verify *v;
    const struct puan_ledger_store *store;
    uint64_t height;
    struct puan_hash *leaf;     /* recomputed digests */
    struct puan_hash *accepted; /* `new` of return entries; NULL: office */
    uint64_t *who;              /* of return entries: who_digest */
    _Atomic uint8_t *flag;      /* 1 return entry, 2 its row was met */
    uint8_t (*first)[PUAN_DIGEST_SIZE]; /* `previous` of each range */
    uint8_t run;
    uint64_t rets;
    struct worker w[WORKERS];
};

/* ---- problems -------------------------------------------------------------- */

static void problem(struct verify *v, const char *store, const char *kind,
                    int64_t seq, const char *fmt, ...) PUAN_PRINTF(5, 6);

static void problem(struct verify *v, const char *store, const char *kind,
                    int64_t seq, const char *fmt, ...)
{
    char text[400];
    va_list ap;

    va_start(ap, fmt);
    puan_vformat(text, sizeof(text), fmt, ap);
    va_end(ap);
    pthread_mutex_lock(&v->lock);
    if (v->n_problems < PUAN_VERIFY_SHOWN)
        v->problem[v->n_problems] = (struct puan_verify_problem){
            store, kind, seq, puan_arena_dup(v->out, puan_str_of(text))
        };
    v->n_problems++;
    pthread_mutex_unlock(&v->lock);
}

static void tell(struct verify *v, uint64_t n)
{
    uint64_t done = atomic_fetch_add(&v->done, n) + n;

    if (v->opt->tell)
        v->opt->tell(v->opt->tell_arg, done, v->total);
}

static enum puan_status mark(struct marks *l, const uint8_t row[32],
                             uint64_t seq, struct puan_err *err)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 64;
        struct mark *m = realloc(l->m, cap * sizeof(*m));

        if (!m)
            return puan_fail(err, PUAN_ENOMEM, "verify", "out of memory");
        l->m = m;
        l->cap = cap;
    }
    memcpy(l->m[l->n].row, row, PUAN_DIGEST_SIZE);
    l->m[l->n++].seq = seq;
    return PUAN_OK;
}

/* ---- entries --------------------------------------------------------------- */

static enum puan_status worker_db(struct worker **out, struct store_run *r,
                                  unsigned worker, struct puan_err *err)
{
    struct worker *w = &r->w[worker % WORKERS];

    *out = w;
    if (w->db)
        return PUAN_OK;
    puan_arena_init(&w->a, puan_os_alloc());
    return puan_db_open(&w->db, r->store->url, PUAN_DB_READONLY, err);
}

static bool later_item(const struct puan_entry *e, size_t i)
{
    for (size_t k = i + 1; k < e->n_cover; k++)
        if (puan_str_eq(e->cover[k].key, e->cover[i].key) &&
            puan_str_eq(e->cover[k].table, e->cover[i].table))
            return true;
    return false;
}

/* The rows one entry covers, against the derived table. */
static enum puan_status entry_covers(struct store_run *r, struct worker *w,
                                     const struct puan_entry *e,
                                     struct puan_err *err)
{
    static const uint8_t zeros[PUAN_DIGEST_SIZE];
    const char *name = r->store->name;
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; i < e->n_cover && st == PUAN_OK; i++) {
        const struct puan_cover_item *c = &e->cover[i];
        bool gone = memcmp(c->digest, zeros, sizeof(zeros)) == 0;
        struct puan_stmt *s = NULL;
        struct puan_str d;
        uint8_t row[PUAN_DIGEST_SIZE];
        bool more = false;
        int64_t seq;

        if (e->n_cover > 1 && later_item(e, i))
            continue; /* written again by the same act */
        st = puan_sql(&s, w->db,
                      "SELECT seq, digest FROM covered"
                      " WHERE tbl = $1 AND key = $2",
                      err);
        if (st != PUAN_OK)
            break;
        puan_bind_text(s, 1, c->table);
        puan_bind_text(s, 2, c->key);
        st = puan_stmt_step(&more, s, err);
        if (st == PUAN_OK && !more) {
            puan_cover_digest(row, r->v->src.digest, c->table, c->key,
                              PUAN_STR(""));
            st = mark(gone ? &w->deleted : &w->missing, row, e->seq, err);
        } else if (st == PUAN_OK) {
            seq = puan_col_int(s, 0);
            d = puan_col_bytes(s, 1);
            if (seq < (int64_t)e->seq || (seq == (int64_t)e->seq && gone))
                problem(r->v, name, "row-put-back", (int64_t)e->seq,
                        "table %.*s, row %.*s: entry %llu %s it, the store "
                        "shows the row of entry %lld",
                        PUAN_FMT(c->table), PUAN_FMT(c->key),
                        (unsigned long long)e->seq,
                        gone ? "deleted" : "changed", (long long)seq);
            else if (seq == (int64_t)e->seq) {
                w->confirmed++;
                if (d.n != PUAN_DIGEST_SIZE ||
                    memcmp(d.p, c->digest, PUAN_DIGEST_SIZE) != 0)
                    problem(r->v, name, "covered-changed", (int64_t)e->seq,
                            "table %.*s, row %.*s: the digest in `covered` is "
                            "not that of entry %llu",
                            PUAN_FMT(c->table), PUAN_FMT(c->key),
                            (unsigned long long)e->seq);
            }
        }
        puan_stmt_done(s);
    }
    return st;
}

/* The step an entry says was run ("feature/number") is the one on record. */
static enum puan_status schema_step(struct store_run *r, struct worker *w,
                                    const struct puan_entry *e,
                                    struct puan_err *err)
{
    struct puan_str feature, number = e->subject, d = { 0 };
    struct puan_stmt *s = NULL;
    bool more = false;
    int64_t n = 0;
    enum puan_status st;

    if (!puan_str_split(&feature, &number, '/') || !number.p ||
        !puan_int_parse(&n, number))
        return PUAN_OK; /* no table has it */
    st = puan_sql(&s, w->db,
                  "SELECT digest FROM schema_step"
                  " WHERE feature = $1 AND number = $2",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_text(s, 1, feature);
    puan_bind_int(s, 2, n);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more)
        d = puan_col_bytes(s, 0);
    if (st == PUAN_OK && !puan_str_eq(d, e->new_digest))
        problem(r->v, r->store->name, more ? "row-changed" : "row-removed",
                (int64_t)e->seq,
                "schema_step %.*s is not what entry %llu says",
                PUAN_FMT(e->subject), (unsigned long long)e->seq);
    puan_stmt_done(s);
    return st;
}

/* Sender, seat and time of receipt, which the return's digest leaves out. */
static uint64_t who_digest(const struct puan_digest_fn *fn,
                           struct puan_str actor, struct puan_str seat,
                           int64_t received)
{
    uint8_t d[PUAN_DIGEST_SIZE];
    uint64_t v;
    struct puan_str parts[] = { actor,
                                { "", 1 },
                                seat,
                                { "", 1 },
                                { (const char *)&received, sizeof(received) } };

    fn->hash(fn->ctx, d, parts, PUAN_COUNT(parts));
    memcpy(&v, d, sizeof(v));
    return v;
}

static enum puan_status one_entry(struct store_run *r, struct worker *w,
                                  uint64_t seq, struct puan_str bytes,
                                  struct puan_str stored,
                                  const uint8_t *previous, uint64_t range,
                                  struct puan_err *err)
{
    struct verify *v = r->v;
    const char *name = r->store->name;
    struct puan_err why = { 0 };
    struct puan_entry e;
    enum puan_status st;

    puan_arena_reset(&w->a);
    puan_entry_digest(r->leaf[seq].b, v->src.digest, bytes);
    if (stored.n != PUAN_DIGEST_SIZE ||
        memcmp(stored.p, r->leaf[seq].b, PUAN_DIGEST_SIZE) != 0)
        problem(v, name, "entry-changed", (int64_t)seq,
                "entry %llu was changed: its bytes do not give its digest",
                (unsigned long long)seq);
    st = puan_entry_decode(&e, bytes, &w->a, &why);
    if (st == PUAN_EINVAL) {
        problem(v, name, "entry-malformed", (int64_t)seq, "entry %llu %s",
                (unsigned long long)seq, why.text);
        return PUAN_OK;
    }
    if (st != PUAN_OK)
        return puan_fail(err, st, "verify", "%s", why.text);
    if (e.seq != seq)
        problem(v, name, "entry-moved", (int64_t)seq,
                "entry %llu says that it is number %llu",
                (unsigned long long)seq, (unsigned long long)e.seq);
    if (!puan_str_is(e.scope, name))
        problem(v, name, "entry-foreign", (int64_t)seq,
                "entry %llu belongs to store %.*s", (unsigned long long)seq,
                PUAN_FMT(e.scope));
    if (previous) {
        if (memcmp(previous, e.previous, PUAN_DIGEST_SIZE) != 0)
            problem(v, name, "chain-broken", (int64_t)seq,
                    "entry %llu does not follow the entry before it",
                    (unsigned long long)seq);
    } else {
        memcpy(r->first[range], e.previous, PUAN_DIGEST_SIZE);
    }
    if (r->accepted && e.new_digest.n == PUAN_DIGEST_SIZE &&
        (puan_str_is(e.verb, "return.submit") ||
         puan_str_is(e.verb, "return.correct"))) {
        memcpy(r->accepted[seq].b, e.new_digest.p, PUAN_DIGEST_SIZE);
        r->who[seq] =
            who_digest(v->src.digest, e.actor, e.seat, e.entry_ms);
        atomic_store(&r->flag[seq], 1);
    }
    if (puan_str_is(e.verb, "schema.step"))
        st = schema_step(r, w, &e, err);
    return st == PUAN_OK && e.n_cover ? entry_covers(r, w, &e, err) : st;
}

static enum puan_status entry_range(void *arg, uint64_t begin, uint64_t end,
                                    unsigned worker, struct puan_err *err)
{
    struct store_run *r = arg;
    const uint8_t *previous = NULL;
    struct puan_stmt *s = NULL;
    struct worker *w;
    uint64_t at = begin;
    bool more = true;
    enum puan_status st = worker_db(&w, r, worker, err);

    if (st == PUAN_OK)
        st = puan_sql(&s, w->db,
                      "SELECT seq, entry, digest FROM ledger"
                      " WHERE seq >= $1 AND seq < $2 ORDER BY seq",
                      err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, (int64_t)begin);
    puan_bind_int(s, 2, (int64_t)end);
    while (st == PUAN_OK) {
        uint64_t seq;

        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        seq = (uint64_t)puan_col_int(s, 0);
        if (seq > at) {
            problem(r->v, r->store->name, "entries-missing", (int64_t)at,
                    "entries %llu to %llu are missing", (unsigned long long)at,
                    (unsigned long long)seq - 1);
            previous = NULL;
            if (at == begin) /* the range's first link is not known */
                memcpy(r->first[begin / RANGE],
                       begin ? r->leaf[begin - 1].b : r->leaf[0].b,
                       PUAN_DIGEST_SIZE);
        }
        st = one_entry(r, w, seq, puan_col_bytes(s, 1), puan_col_bytes(s, 2),
                       previous, begin / RANGE, err);
        previous = r->leaf[seq].b;
        at = seq + 1;
    }
    puan_stmt_done(s);
    if (st == PUAN_OK && at < end)
        problem(r->v, r->store->name, "entries-missing", (int64_t)at,
                "entries %llu to %llu are missing", (unsigned long long)at,
                (unsigned long long)end - 1);
    tell(r->v, end - begin);
    return st;
}

static int by_row(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;
    int c = memcmp(x->row, y->row, PUAN_DIGEST_SIZE);

    return c ? c : (x->seq > y->seq) - (x->seq < y->seq);
}

/* Deletions by entries that came while we looked. */
static enum puan_status later_deletions(struct marks *all, struct store_run *r,
                                        struct puan_db *db,
                                        struct puan_err *err)
{
    static const uint8_t zeros[PUAN_DIGEST_SIZE];
    struct puan_stmt *s = NULL;
    struct puan_arena a;
    bool more = true;
    enum puan_status st = puan_sql(
        &s, db, "SELECT entry FROM ledger WHERE seq >= $1 ORDER BY seq", err);

    puan_arena_init(&a, puan_os_alloc());
    if (st == PUAN_OK)
        puan_bind_int(s, 1, (int64_t)r->height);
    while (st == PUAN_OK) {
        struct puan_err ignored = { 0 };
        struct puan_entry e;

        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        puan_arena_reset(&a);
        if (puan_entry_decode(&e, puan_col_bytes(s, 0), &a, &ignored) !=
            PUAN_OK)
            continue; /* the next verification says so */
        for (size_t i = 0; i < e.n_cover && st == PUAN_OK; i++) {
            uint8_t row[PUAN_DIGEST_SIZE];

            if (memcmp(e.cover[i].digest, zeros, sizeof(zeros)) != 0)
                continue;
            puan_cover_digest(row, r->v->src.digest, e.cover[i].table,
                              e.cover[i].key, PUAN_STR(""));
            st = mark(all, row, e.seq, err);
        }
    }
    puan_stmt_done(s);
    puan_arena_clear(&a);
    return st;
}

/* Rows that are gone without an entry that deleted them. */
static enum puan_status gone_rows(struct store_run *r, struct puan_err *err)
{
    struct marks all = { 0 };
    enum puan_status st = PUAN_OK;
    bool any = false;

    for (size_t i = 0; i < WORKERS; i++)
        any = any || r->w[i].missing.n > 0;
    for (size_t i = 0; any && i < WORKERS && st == PUAN_OK; i++)
        if (r->w[i].db) { /* a connection that sees the present */
            st = later_deletions(&all, r, r->w[i].db, err);
            break;
        }

    for (size_t i = 0; i < WORKERS && st == PUAN_OK; i++)
        for (size_t k = 0; k < r->w[i].deleted.n && st == PUAN_OK; k++)
            st = mark(&all, r->w[i].deleted.m[k].row,
                      r->w[i].deleted.m[k].seq, err);
    if (all.n)
        qsort(all.m, all.n, sizeof(*all.m), by_row);
    for (size_t i = 0; i < WORKERS && st == PUAN_OK; i++)
        for (size_t k = 0; k < r->w[i].missing.n; k++) {
            const struct mark *m = &r->w[i].missing.m[k];
            size_t lo = 0, hi = all.n;

            while (lo < hi) { /* first deletion of the row behind it */
                size_t mid = lo + (hi - lo) / 2;

                if (by_row(&all.m[mid], m) <= 0)
                    lo = mid + 1;
                else
                    hi = mid;
            }
            if (lo < all.n &&
                memcmp(all.m[lo].row, m->row, PUAN_DIGEST_SIZE) == 0)
                continue;
            problem(r->v, r->store->name, "row-removed", (int64_t)m->seq,
                    "a row that entry %llu covers is gone, and no entry "
                    "deleted it",
                    (unsigned long long)m->seq);
        }
    free(all.m);
    return st;
}

/* ---- covered rows ---------------------------------------------------------- */

/* One row, or one group of rows, whose content is complete. */
static enum puan_status one_row(uint64_t *count, struct store_run *r,
                                const struct puan_covered *c,
                                struct puan_known *k, struct puan_str key,
                                const struct puan_out *content)
{
    uint8_t digest[PUAN_DIGEST_SIZE];
    size_t i = puan_known_find(k, key);

    puan_cover_digest(digest, r->v->src.digest, puan_str_of(c->table), key,
                      puan_out_view(content));
    if (i == k->n) {
        problem(r->v, r->store->name, "row-added", -1,
                "table %s, row %.*s was added outside the commit path",
                c->table, PUAN_FMT(key));
        return PUAN_OK;
    }
    k->row[i].met = true;
    ++*count;
    if (k->row[i].seq < r->height &&
        memcmp(k->row[i].digest, digest, sizeof(digest)) != 0)
        problem(r->v, r->store->name, "row-changed", (int64_t)k->row[i].seq,
                "table %s, %s %.*s is not what entry %llu wrote", c->table,
                c->group_sql ? "the rows of" : "row", PUAN_FMT(key),
                (unsigned long long)k->row[i].seq);
    return PUAN_OK;
}

static enum puan_status one_table(uint64_t *count, struct store_run *r,
                                  struct puan_db *db,
                                  const struct puan_covered *c,
                                  struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_arena a, scratch;
    struct puan_out content = { 0 };
    struct puan_str group = { 0 };
    struct puan_known k;
    bool more = true;
    const char *name = r->store->name;
    struct puan_err why = { 0 };
    enum puan_status st;

    puan_arena_init(&a, puan_os_alloc());
    puan_arena_init(&scratch, puan_os_alloc());
    st = puan_known_read(&k, db, c->table, &a, err);
    if (st == PUAN_OK) /* a table that is not there must not end the moment */
        st = puan_db_savepoint(db, err);
    if (st == PUAN_OK)
        st = puan_sql(&s, db, c->sql, &why);
    while (st == PUAN_OK) {
        struct puan_str key;

        st = puan_stmt_step(&more, s, &why);
        if (st != PUAN_OK || !more)
            break;
        key = puan_col_text(s, 0);
        if (!group.p || !c->group_sql || !puan_str_eq(group, key)) {
            if (group.p)
                st = one_row(count, r, c, &k, group, &content);
            puan_arena_reset(&scratch);
            puan_out_init(&content, &scratch);
            group = (struct puan_str){ puan_arena_dup(&scratch, key), key.n };
        }
        if (c->group_sql)
            puan_content_row(&content);
        puan_content_columns(&content, s);
        if (st == PUAN_OK)
            st = puan_arena_check(&scratch, err);
    }
    if (st == PUAN_OK && group.p)
        st = one_row(count, r, c, &k, group, &content);
    puan_stmt_done(s);
    puan_db_undo(db); /* nothing was written */
    if (st == PUAN_EBUG && k.n == 0)
        st = PUAN_OK; /* the table is of a later program: never made here */
    else if (st != PUAN_OK)
        st = puan_fail(err, st, c->table, "%s", why.text);
    for (size_t i = 0; st == PUAN_OK && i < k.n; i++)
        if (!k.row[i].met && k.row[i].seq < r->height)
            problem(r->v, name, "row-removed", (int64_t)k.row[i].seq,
                    "table %s, row %.*s of entry %llu is gone", c->table,
                    PUAN_FMT(k.row[i].key),
                    (unsigned long long)k.row[i].seq);
    puan_arena_clear(&scratch);
    puan_arena_clear(&a);
    return st;
}

static const struct puan_covered *descriptor(const struct verify *v,
                                             const char *table,
                                             enum puan_store_kind kind)
{
    for (size_t f = 0; v->features[f]; f++)
        for (size_t i = 0; i < v->features[f]->n_covered; i++) {
            const struct puan_covered *c = &v->features[f]->covered[i];

            if (c->store == kind && strcmp(c->table, table) == 0)
                return c;
        }
    return NULL;
}

/* `covered` names an entry for each row: does that entry list it? */
static enum puan_status unconfirmed(struct store_run *r, struct puan_db *db,
                                    struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_arena a;
    bool more = true;
    enum puan_status st = puan_sql(
        &s, db,
        "SELECT c.tbl, c.key, c.seq, l.entry FROM covered c"
        " LEFT JOIN ledger l ON l.seq = c.seq WHERE c.seq < $1",
        err);

    puan_arena_init(&a, puan_os_alloc());
    if (st == PUAN_OK)
        puan_bind_int(s, 1, (int64_t)r->height);
    while (st == PUAN_OK) {
        struct puan_err ignored = { 0 };
        struct puan_entry e;
        struct puan_str tbl, key;
        bool listed = false;

        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        puan_arena_reset(&a);
        tbl = puan_col_text(s, 0);
        key = puan_col_text(s, 1);
        if (puan_entry_decode(&e, puan_col_bytes(s, 3), &a, &ignored) ==
            PUAN_OK)
            for (size_t i = 0; i < e.n_cover && !listed; i++)
                listed = puan_str_eq(e.cover[i].table, tbl) &&
                         puan_str_eq(e.cover[i].key, key);
        if (!listed)
            problem(r->v, r->store->name, "covered-changed",
                    puan_col_int(s, 2),
                    "table %.*s, row %.*s: `covered` names entry %lld, which "
                    "does not cover it",
                    PUAN_FMT(tbl), PUAN_FMT(key),
                    (long long)puan_col_int(s, 2));
    }
    puan_stmt_done(s);
    puan_arena_clear(&a);
    return st;
}

static enum puan_status covered_tables(uint64_t *count, struct store_run *r,
                                       struct puan_db *db,
                                       struct puan_err *err)
{
    enum puan_store_kind kind =
        r->store->ordinal == 0 ? PUAN_STORE_OFFICE : PUAN_STORE_RETURNS;
    struct verify *v = r->v;
    struct puan_stmt *s = NULL;
    struct puan_arena a;
    uint64_t confirmed = 0;
    int64_t rows = 0;
    bool more = true;
    enum puan_status st = PUAN_OK;

    puan_arena_init(&a, puan_os_alloc());
    for (size_t f = 0; v->features[f] && st == PUAN_OK; f++)
        for (size_t i = 0; i < v->features[f]->n_covered && st == PUAN_OK;
             i++) {
            const struct puan_covered *c = &v->features[f]->covered[i];
            bool listed = false;

            if (c->store != kind)
                continue;
            st = one_table(count, r, db, c, err);
            for (size_t k = 0; k < v->n_covered; k++)
                listed = listed || strcmp(v->covered[k], c->table) == 0;
            if (!listed)
                v->covered[v->n_covered++] = c->table;
        }
    if (st == PUAN_OK)
        st = puan_sql(&s, db, "SELECT DISTINCT tbl FROM covered", err);
    while (st == PUAN_OK) {
        struct puan_str t;

        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        t = puan_col_text(s, 0);
        if (!descriptor(v, puan_arena_dup(&a, t), kind))
            problem(v, r->store->name, "table-unknown", -1,
                    "rows of table %.*s are covered, but this program cannot "
                    "read them back",
                    PUAN_FMT(t));
    }
    puan_stmt_done(s);
    puan_arena_clear(&a);
    s = NULL;
    if (st == PUAN_OK)
        st = puan_sql(&s, db, "SELECT COUNT(*) FROM covered WHERE seq < $1",
                      err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, (int64_t)r->height);
        st = puan_stmt_step(&more, s, err);
        if (st == PUAN_OK)
            rows = puan_col_int(s, 0);
    }
    puan_stmt_done(s);
    for (size_t i = 0; i < WORKERS; i++)
        confirmed += r->w[i].confirmed;
    if (st == PUAN_OK && confirmed != (uint64_t)rows)
        st = unconfirmed(r, db, err);
    return st;
}

/* ---- returns --------------------------------------------------------------- */

static enum puan_status ret_range(void *arg, uint64_t begin, uint64_t end,
                                  unsigned worker, struct puan_err *err)
{
    struct store_run *r = arg;
    const struct puan_plan *plan = puan_plan_held_plan(r->v->plan);
    const char *name = r->store->name;
    struct puan_stmt *s = NULL;
    struct worker *w;
    int64_t at = (int64_t)begin + 1; /* rows count from 1 */
    bool more = true;
    enum puan_status st = worker_db(&w, r, worker, err);

    if (st == PUAN_OK)
        st = puan_sql(&s, w->db,
                      "SELECT seq, household, version, form, mode, device,"
                      " counter, started, finished, signed, query, frame,"
                      " facts, vault, entry, digest, actor, seat, received"
                      " FROM ret"
                      " WHERE seq > $1 AND seq <= $2 ORDER BY seq",
                      err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, (int64_t)begin);
    puan_bind_int(s, 2, (int64_t)end);
    while (st == PUAN_OK) {
        struct puan_return_head head = { 0 };
        uint8_t digest[PUAN_DIGEST_SIZE];
        struct puan_str stored;
        int64_t seq, form, entry;

        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        seq = puan_col_int(s, 0);
        if (seq != at)
            problem(r->v, name, "return-removed", -1,
                    "return rows %lld to %lld are missing", (long long)at,
                    (long long)seq - 1);
        at = seq + 1;
        form = puan_col_int(s, 3);
        entry = puan_col_int(s, 14);
        if (form < 0 || (size_t)form >= plan->n_forms) {
            problem(r->v, name, "return-changed", entry,
                    "return row %lld names a form that the plan does not "
                    "have",
                    (long long)seq);
            continue;
        }
        if (entry >= (int64_t)r->height && entry >= 0)
            continue; /* arrived since the cut */
        head.household = puan_col_int(s, 1);
        head.form = plan->form[form]->id;
        head.mode = puan_col_text(s, 4);
        head.device = puan_col_text(s, 5);
        head.counter = (uint64_t)puan_col_int(s, 6);
        head.started_ms = puan_col_int(s, 7);
        head.finished_ms = puan_col_int(s, 8);
        head.is_signed = puan_col_int(s, 9) != 0;
        head.query = puan_col_text(s, 10);
        puan_return_digest(digest, r->v->src.digest, &head,
                           (uint32_t)puan_col_int(s, 2),
                           plan->form[form]->digest, puan_col_bytes(s, 11),
                           puan_col_bytes(s, 12), puan_col_bytes(s, 13));
        stored = puan_col_bytes(s, 15);
        if (entry < 0 || !(atomic_load(&r->flag[entry]) & 1)) {
            problem(r->v, name, "return-added", -1,
                    "return row %lld has no entry that accepted it",
                    (long long)seq);
            continue;
        }
        if (atomic_fetch_or(&r->flag[entry], 2) & 2)
            problem(r->v, name, "return-added", entry,
                    "return row %lld names an entry that accepted another row",
                    (long long)seq);
        if (memcmp(r->accepted[entry].b, digest, sizeof(digest)) != 0)
            problem(r->v, name, "return-changed", entry,
                    "household %lld: the answers are not those that entry "
                    "%lld accepted",
                    (long long)head.household, (long long)entry);
        else if (stored.n != sizeof(digest) ||
                 memcmp(stored.p, digest, sizeof(digest)) != 0)
            problem(r->v, name, "return-changed", entry,
                    "return row %lld: its stored digest was changed",
                    (long long)seq);
        else if (r->who[entry] !=
                 who_digest(r->v->src.digest, puan_col_text(s, 16),
                            puan_col_text(s, 17), puan_col_int(s, 18)))
            problem(r->v, name, "return-changed", entry,
                    "return row %lld: sender, seat or time of receipt are not "
                    "those of entry %lld",
                    (long long)seq, (long long)entry);
    }
    puan_stmt_done(s);
    if (st == PUAN_OK && at <= (int64_t)end)
        problem(r->v, name, "return-removed", -1,
                "return rows %lld to %llu are missing", (long long)at,
                (unsigned long long)end);
    tell(r->v, end - begin);
    return st;
}

static enum puan_status returns(struct store_run *r, struct puan_db *db,
                                struct puan_err *err)
{
    int64_t n = 0, below = 0;
    enum puan_status st =
        puan_db_int(&n, db, "SELECT MAX(seq) FROM ret", 0, err);

    if (st == PUAN_OK)
        st = puan_db_int(&below, db, "SELECT COUNT(*) FROM ret WHERE seq < 1",
                         0, err);
    if (st != PUAN_OK || !r->v->plan)
        return st;
    if (n > ENTRIES_MAX) { /* as with entries */
        problem(r->v, r->store->name, "return-added", -1,
                "a return row is numbered %lld", (long long)n);
        n = (int64_t)r->height; /* each row has an entry of its own */
    }
    if (below > 0)
        problem(r->v, r->store->name, "return-added", -1,
                "%lld return rows stand before the first", (long long)below);
    st = puan_parallel(r->v->opt->threads, (uint64_t)n, RANGE, ret_range, r,
                       err);
    r->rets = (uint64_t)n;
    for (uint64_t i = 0; st == PUAN_OK && i < r->height; i++)
        if (atomic_load(&r->flag[i]) == 1)
            problem(r->v, r->store->name, "return-removed", (int64_t)i,
                    "the return that entry %llu accepted is gone",
                    (unsigned long long)i);
    return st;
}

/* ---- heads ----------------------------------------------------------------- */

static int by_height(const void *a, const void *b)
{
    const struct want *x = *(const struct want *const *)a,
                      *y = *(const struct want *const *)b;

    return (x->head->height > y->head->height) -
           (x->head->height < y->head->height);
}

static void head_met(struct store_run *r, const struct want *w,
                     const struct puan_merkle *m)
{
    uint8_t root[PUAN_DIGEST_SIZE];
    uint64_t h = w->head->height;
    char when[32];

    puan_merkle_root(root, m, r->v->src.digest);
    if (memcmp(root, w->head->merkle, sizeof(root)) == 0 &&
        (h == 0 || memcmp(r->leaf[h - 1].b, w->head->head,
                          PUAN_DIGEST_SIZE) == 0))
        return;
    puan_instant_text(when, w->time_ms, 0);
    problem(r->v, r->store->name,
            w->witness ? "witness-differs" : "checkpoint-differs",
            (int64_t)h - 1,
            "%s of %s: the first %llu entries are not those it saw; history "
            "was written anew",
            w->file, when, (unsigned long long)h);
}

static enum puan_status heads(uint8_t merkle[PUAN_DIGEST_SIZE],
                              struct store_run *r, struct puan_err *err)
{
    struct verify *v = r->v;
    const struct want **list = calloc(v->n_want + 1, sizeof(*list));
    struct puan_merkle m;
    size_t n = 0, k = 0;
    char when[32];

    if (!list)
        return puan_fail(err, PUAN_ENOMEM, "verify", "out of memory");
    for (size_t i = 0; i < v->n_want; i++)
        if (puan_str_is(v->want[i].head->name, r->store->name))
            list[n++] = &v->want[i];
    if (n)
        qsort(list, n, sizeof(*list), by_height);
    puan_merkle_init(&m);
    for (uint64_t i = 0; i < r->height; i++) {
        while (k < n && list[k]->head->height == i)
            head_met(r, list[k++], &m);
        puan_merkle_add(&m, v->src.digest, r->leaf[i].b);
    }
    while (k < n && list[k]->head->height == r->height)
        head_met(r, list[k++], &m);
    for (; k < n; k++) {
        puan_instant_text(when, list[k]->time_ms, 0);
        problem(v, r->store->name,
                list[k]->witness ? "witness-longer" : "checkpoint-longer",
                (int64_t)r->height,
                "%s of %s saw %llu entries, there are %llu: entries were cut "
                "off, or an old copy was put back",
                list[k]->file, when,
                (unsigned long long)list[k]->head->height,
                (unsigned long long)r->height);
    }
    puan_merkle_root(merkle, &m, v->src.digest);
    free(list);
    return PUAN_OK;
}

/* ---- one store ------------------------------------------------------------- */

static void run_clear(struct store_run *r)
{
    union {
        _Atomic uint8_t *a;
        void *v;
    } flag = { r->flag };

    for (size_t i = 0; i < WORKERS; i++) {
        struct worker *w = &r->w[i];

        if (w->db)
            puan_arena_clear(&w->a);
        puan_db_close(w->db);
        free(w->deleted.m);
        free(w->missing.m);
    }
    free(r->leaf);
    free(r->accepted);
    free(r->who);
    free(flag.v);
    free(r->first);
}

static enum puan_status verify_store(struct puan_verify_store *out,
                                     struct verify *v,
                                     const struct puan_ledger_store *store,
                                     struct puan_err *err)
{
    struct store_run *r = calloc(1, sizeof(*r));
    struct puan_err why = { 0 };
    struct puan_db *db = NULL;
    int64_t n = 0;
    enum puan_status st;

    *out = (struct puan_verify_store){ .name = store->name };
    if (!r)
        return puan_fail(err, PUAN_ENOMEM, "verify", "out of memory");
    r->v = v;
    r->store = store;
    st = puan_db_open(&db, store->url, PUAN_DB_READONLY, &why);
    if (st == PUAN_OK) /* one moment for height, rows and what covers them */
        st = puan_db_begin(db, &why);
    if (st == PUAN_OK)
        st = puan_db_int(&n, db, "SELECT MAX(seq) + 1 FROM ledger", 0, &why);
    if (st != PUAN_OK) {
        problem(v, store->name, "store-missing", -1,
                "the store cannot be read: %s", why.text);
        st = PUAN_OK;
        goto out;
    }
    if (st == PUAN_OK && (n < 0 || n > ENTRIES_MAX)) {
        int64_t last = n - 1;

        /* a number no ledger reaches: somebody's, to make us run out */
        st = puan_db_int(&n, db, "SELECT COUNT(*) FROM ledger", 0, err);
        problem(v, store->name, "entries-missing", n,
                "there are %lld entries, but one is numbered %lld",
                (long long)n, (long long)last);
        if (st != PUAN_OK || n > ENTRIES_MAX)
            goto out;
    }
    r->height = (uint64_t)n;
    n = 0;
    st = puan_db_int(&n, db, "SELECT COUNT(*) FROM ledger WHERE seq < 0", 0,
                     err);
    if (n > 0)
        problem(v, store->name, "entry-foreign", -1,
                "%lld entries stand before the first", (long long)n);
    n = (int64_t)r->height;
    if (st != PUAN_OK)
        goto out;
    if (n == 0)
        problem(v, store->name, "entries-missing", 0,
                "the ledger is empty; even its birth is gone");
    r->leaf = calloc((size_t)n + 1, sizeof(*r->leaf));
    r->first = calloc((size_t)n / RANGE + 1, sizeof(*r->first));
    r->flag = calloc((size_t)n + 1, sizeof(*r->flag));
    if (store->ordinal > 0) {
        r->accepted = calloc((size_t)n + 1, sizeof(*r->accepted));
        r->who = calloc((size_t)n + 1, sizeof(*r->who));
    }
    if (!r->leaf || !r->first || !r->flag ||
        (store->ordinal > 0 && (!r->accepted || !r->who))) {
        st = puan_fail(err, PUAN_ENOMEM, "verify", "out of memory");
        goto out;
    }
    st = puan_parallel(v->opt->threads, r->height, RANGE, entry_range, r,
                       err);
    for (uint64_t i = 0; st == PUAN_OK && i < r->height; i += RANGE) {
        static const uint8_t zeros[PUAN_DIGEST_SIZE];
        const uint8_t *want = i ? r->leaf[i - 1].b : zeros;

        if (memcmp(r->first[i / RANGE], want, PUAN_DIGEST_SIZE) != 0)
            problem(v, store->name, "chain-broken", (int64_t)i,
                    "entry %llu does not follow the entry before it",
                    (unsigned long long)i);
    }
    if (st == PUAN_OK)
        st = gone_rows(r, err);
    if (st == PUAN_OK)
        st = covered_tables(&out->rows, r, db, err);
    if (st == PUAN_OK && store->ordinal > 0)
        st = returns(r, db, err);
    if (st == PUAN_OK)
        st = heads(out->merkle, r, err);
    out->height = r->height;
    out->returns = r->rets;
    if (r->height)
        memcpy(out->head, r->leaf[r->height - 1].b, PUAN_DIGEST_SIZE);
    /* a store that SQL cannot read through is damaged: that is a result */
    if (st == PUAN_EIO || st == PUAN_EBUG || st == PUAN_ENOTFOUND) {
        problem(v, store->name, "store-damaged", -1,
                "the store cannot be read: %s", err ? err->text : "");
        if (err)
            *err = (struct puan_err){ 0 };
        st = PUAN_OK;
    }
out:
    run_clear(r);
    free(r);
    if (db)
        puan_db_rollback(db);
    puan_db_close(db);
    return st;
}

/* ---- checkpoints ------------------------------------------------------------ */

static void load_public_key(struct verify *v)
{
    const char *path = puan_arena_fmt(v->out, "%s/keys/sign.pub", v->src.dir);
    struct puan_err err = { 0 };
    struct puan_str text;
    uint8_t der[512];
    enum puan_status st = puan_file_read(&text, path, 4096, v->out, &err);

    text = puan_str_trim(text);
    if (st == PUAN_OK && (text.n / 2 > sizeof(der) ||
                          !puan_unhex(der, text.n / 2, text)))
        st = puan_fail(&err, PUAN_EINVAL, path, "is damaged");
    if (st == PUAN_OK)
        st = puan_sign_load_public(
            &v->key, (struct puan_str){ (const char *)der, text.n / 2 }, &err);
    if (st != PUAN_OK)
        problem(v, "", "key-missing", -1,
                "%s: the public key of the checkpoints cannot be read: %s",
                path, err.text);
}

/* Puts a checkpoint's heads on the list.  EINVAL: cannot be read. */
static enum puan_status add_checkpoint(struct verify *v, const char *path,
                                       bool witness, struct puan_err *err)
{
    struct puan_checkpoint *c = puan_new(v->out, struct puan_checkpoint);
    struct puan_str text;
    struct puan_out body;
    struct want *list;
    enum puan_status st;

    if (!c)
        return puan_arena_check(v->out, err);
    st = puan_file_read(&text, path, 16 << 20, v->out, err);
    if (st == PUAN_OK)
        st = puan_checkpoint_parse(c, text, path, v->out, err);
    if (st != PUAN_OK)
        return st;
    puan_out_init(&body, v->out);
    puan_checkpoint_body(&body, c);
    st = puan_arena_check(v->out, err);
    if (st != PUAN_OK)
        return st;
    if (!puan_str_eq(c->installation, v->src.id)) {
        problem(v, "", "installation", -1,
                "%s is of another installation (%.*s)", path,
                PUAN_FMT(c->installation));
        return PUAN_OK;
    }
    if (!puan_str_is(c->digest, v->src.digest->name))
        problem(v, "", "installation", -1, "%s was made with digest %.*s",
                path, PUAN_FMT(c->digest));
    if (v->key &&
        puan_sign_verify(v->key, puan_out_view(&body), c->signature, NULL) !=
            PUAN_OK)
        problem(v, "", "signature", -1,
                "%s is not signed by this installation's key", path);
    list = realloc(v->want, (v->n_want + c->n) * sizeof(*list));
    if (!list && c->n)
        return puan_fail(err, PUAN_ENOMEM, "verify", "out of memory");
    v->want = list;
    for (size_t i = 0; i < c->n; i++) {
        list[v->n_want++] =
            (struct want){ path, c->time_ms, &c->store[i], witness };
        if (c->store[i].height > 0 &&
            !puan_ledger_find(&v->src,
                              puan_arena_dup(v->out, c->store[i].name)))
            problem(v, "", "store-missing", -1,
                    "%s knows store %.*s, which this directory does not list",
                    path, PUAN_FMT(c->store[i].name));
    }
    return PUAN_OK;
}

static enum puan_status add_all(struct puan_verify *out, struct verify *v,
                                struct puan_err *err)
{
    const char *dir =
        puan_arena_fmt(v->out, "%s/checkpoints", v->src.dir);
    const char **names;
    size_t n = 0;
    enum puan_status st = PUAN_OK;

    load_public_key(v);
    if (puan_dir_list(&names, &n, dir, v->out, NULL) != PUAN_OK)
        problem(v, "", "checkpoints-missing", -1,
                "the folder checkpoints/ is gone");
    for (size_t i = 0; i < n && st == PUAN_OK; i++) {
        struct puan_str name = puan_str_of(names[i]);
        struct puan_err why = { 0 };

        if (name.n < 5 || memcmp(name.p + name.n - 5, ".json", 5) != 0)
            continue;
        st = add_checkpoint(
            v, puan_arena_fmt(v->out, "%s/%s", dir, names[i]), false, &why);
        if (st == PUAN_EINVAL || st == PUAN_EIO) {
            problem(v, "", "checkpoint-damaged", -1, "%s: %s", names[i],
                    why.text);
            st = PUAN_OK;
        } else if (st != PUAN_OK) {
            return puan_fail(err, st, why.where, "%s", why.text);
        } else {
            out->checkpoints++;
        }
    }
    for (size_t i = 0; i < v->opt->n_witness && st == PUAN_OK; i++) {
        st = add_checkpoint(v, v->opt->witness[i], true, err);
        if (st == PUAN_OK)
            out->witnesses++;
    }
    return st;
}

static void load_plan(struct verify *v)
{
    const char *path = puan_arena_fmt(v->out, "%s/plan", v->src.dir);
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_err err = { 0 };

    if (puan_plan_load_dir(&v->plan, path, v->src.digest, &err) != PUAN_OK) {
        problem(v, "", "plan-changed", -1,
                "the pinned plan cannot be read, so returns cannot be "
                "verified: %s: %s",
                err.where, err.text);
        v->plan = NULL;
        return;
    }
    puan_hex(hex, puan_plan_held_plan(v->plan)->digest, PUAN_DIGEST_SIZE);
    if (v->src.plan_digest.n && !puan_str_is(v->src.plan_digest, hex))
        problem(v, "", "plan-changed", -1,
                "the pinned plan is not the one directory.json names");
}

enum puan_status puan_ledger_verify(struct puan_verify *out, const char *dir,
                                    const struct puan_verify_options *opt,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_verify_store *stores;
    struct verify v = { .opt = opt,
                        .out = a,
                        .features = opt->features ? opt->features
                                                  : puan_features };
    int64_t began = puan_os_mono_ns();
    size_t tables = 0;
    enum puan_status st;

    *out = (struct puan_verify){ 0 };
    st = puan_ledger_source(&v.src, dir, opt->url, a, err);
    if (st != PUAN_OK)
        return st;
    for (size_t f = 0; v.features[f]; f++)
        tables += v.features[f]->n_covered;
    v.problem = puan_new_n(a, PUAN_VERIFY_SHOWN, struct puan_verify_problem);
    v.covered = puan_new_n(a, tables + 1, const char *);
    stores = puan_new_n(a, v.src.n, struct puan_verify_store);
    if (a->failed)
        return puan_arena_check(a, err);
    pthread_mutex_init(&v.lock, NULL);
    for (size_t i = 0; i < v.src.n; i++) { /* for the progress bar only */
        struct puan_err ignored = { 0 };
        struct puan_db *db = NULL;
        int64_t n = 0, m = 0;

        if (puan_db_open(&db, v.src.store[i].url, PUAN_DB_READONLY,
                         &ignored) != PUAN_OK)
            continue;
        if (puan_db_int(&n, db, "SELECT MAX(seq) + 1 FROM ledger", 0,
                        &ignored) == PUAN_OK &&
            i > 0 &&
            puan_db_int(&m, db, "SELECT MAX(seq) FROM ret", 0, &ignored) !=
                PUAN_OK)
            m = 0;
        v.total += (uint64_t)(n + m);
        puan_db_close(db);
    }
    load_plan(&v);
    st = add_all(out, &v, err);
    for (size_t i = 0; i < v.src.n && st == PUAN_OK; i++) {
        st = verify_store(&stores[i], &v, &v.src.store[i], err);
        out->entries += stores[i].height;
        out->returns += stores[i].returns;
        out->rows += stores[i].rows;
    }
    out->store = stores;
    out->n_stores = v.src.n;
    out->problem = v.problem;
    out->n_problems = v.n_problems;
    out->covered = v.covered;
    out->n_covered = v.n_covered;
    out->ms = (puan_os_mono_ns() - began) / 1000000;
    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
    puan_plan_close(v.plan);
    puan_sign_free(v.key);
    free(v.want);
    pthread_mutex_destroy(&v.lock);
    return st;
}

void puan_verify_json(struct puan_jw *w, const struct puan_verify *v)
{
    static const char *const derived[] = { PUAN_LEDGER_DERIVED };
    size_t shown = v->n_problems < PUAN_VERIFY_SHOWN ? (size_t)v->n_problems
                                                     : PUAN_VERIFY_SHOWN;
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    puan_jw_map(w);
    puan_jw_kbool(w, "ok", v->n_problems == 0);
    puan_jw_kint(w, "entries", (int64_t)v->entries);
    puan_jw_kint(w, "returns", (int64_t)v->returns);
    puan_jw_kint(w, "covered_rows", (int64_t)v->rows);
    puan_jw_kint(w, "checkpoints", (int64_t)v->checkpoints);
    puan_jw_kint(w, "witnesses", (int64_t)v->witnesses);
    puan_jw_key(w, "stores");
    puan_jw_list(w);
    for (size_t i = 0; i < v->n_stores; i++) {
        const struct puan_verify_store *s = &v->store[i];

        puan_jw_map(w);
        puan_jw_ktext(w, "name", s->name);
        puan_jw_kint(w, "height", (int64_t)s->height);
        puan_hex(hex, s->head, PUAN_DIGEST_SIZE);
        puan_jw_ktext(w, "head", hex);
        puan_hex(hex, s->merkle, PUAN_DIGEST_SIZE);
        puan_jw_ktext(w, "merkle", hex);
        puan_jw_kint(w, "returns", (int64_t)s->returns);
        puan_jw_kint(w, "covered_rows", (int64_t)s->rows);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "covered");
    puan_jw_list(w);
    puan_jw_text(w, "ledger");
    puan_jw_text(w, "ret");
    puan_jw_text(w, "schema_step");
    for (size_t i = 0; i < v->n_covered; i++)
        puan_jw_text(w, v->covered[i]);
    puan_jw_end(w, ']');
    puan_jw_key(w, "derived");
    puan_jw_list(w);
    for (size_t i = 0; i < PUAN_COUNT(derived); i++)
        puan_jw_text(w, derived[i]);
    puan_jw_end(w, ']');
    puan_jw_kint(w, "problem_count", (int64_t)v->n_problems);
    puan_jw_key(w, "problems");
    puan_jw_list(w);
    for (size_t i = 0; i < shown; i++) {
        const struct puan_verify_problem *p = &v->problem[i];

        puan_jw_map(w);
        puan_jw_ktext(w, "store", p->store);
        puan_jw_ktext(w, "kind", p->kind);
        if (p->seq >= 0)
            puan_jw_kint(w, "seq", p->seq);
        puan_jw_ktext(w, "text", p->text);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_kint(w, "milliseconds", v->ms);
    puan_jw_end(w, '}');
}
