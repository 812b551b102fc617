/*
 * Finding and walking the ledgers of a directory (source.h).  Opens read-only
 * connections of its own; never writes.
 */
#include "features/ledgers/source.h"

#include <stdlib.h>

#include "base/calendar.h"
#include "kit/crypto/crypto.h"
#include "kit/os/os.h"

static const char *store_url(const struct puan_ledger_source *s,
                             const char *name, bool office,
                             struct puan_arena *a)
{
    if (s->base)
        return puan_arena_fmt(a, "%s#puan_%.*s_%s", s->base, PUAN_FMT(s->id),
                              name);
    return puan_arena_fmt(a, "sqlite:%s/%s%s.db", s->dir,
                          office ? "" : "returns/", name);
}

static enum puan_status list_stores(struct puan_ledger_source *out,
                                    struct puan_arena *a,
                                    struct puan_err *err)
{
    struct puan_ledger_store *list;
    const char *office = store_url(out, "office", true, a);
    struct puan_db *db = NULL;
    struct puan_stmt *s = NULL;
    int64_t n = 0;
    bool more = true;
    enum puan_status st = puan_db_open(&db, office, PUAN_DB_READONLY, err);

    if (st == PUAN_OK)
        st = puan_db_int(&n, db, "SELECT COUNT(*) FROM shard", 0, err);
    if (st != PUAN_OK)
        goto out;
    list = puan_new_n(a, (size_t)n + 1, struct puan_ledger_store);
    if (!list) {
        st = puan_arena_check(a, err);
        goto out;
    }
    list[0] = (struct puan_ledger_store){ "office", office, 0 };
    out->n = 1;
    st = puan_sql(&s, db, "SELECT ordinal, area FROM shard ORDER BY ordinal",
                  err);
    while (st == PUAN_OK && out->n <= (size_t)n) {
        struct puan_ledger_store *at = &list[out->n];

        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        at->ordinal = (size_t)puan_col_int(s, 0);
        at->name =
            puan_arena_fmt(a, "%lld", (long long)puan_col_int(s, 1));
        at->url = store_url(out, at->name, false, a);
        out->n++;
    }
    puan_stmt_done(s);
    out->store = list;
    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
out:
    puan_db_close(db);
    return st;
}

enum puan_status puan_ledger_source(struct puan_ledger_source *out,
                                    const char *dir, const char *url,
                                    struct puan_arena *a,
                                    struct puan_err *err)
{
    const char *path = puan_arena_fmt(a, "%s/directory.json", dir);
    struct puan_str text, suite = { 0 }, engine = { 0 };
    const struct puan_suite *su;
    struct puan_node *t = NULL;
    enum puan_status st;

    *out = (struct puan_ledger_source){ .dir = dir };
    st = puan_file_read(&text, path, 1 << 20, a, err);
    if (st == PUAN_ENOTFOUND && err) {
        *err = (struct puan_err){ 0 };
        return puan_fail(err, PUAN_ENOTFOUND, dir,
                         "no campaign here: directory.json is missing");
    }
    if (st == PUAN_OK)
        st = puan_json_tree(&t, text, path, a, err);
    if (st == PUAN_OK)
        st = puan_node_str(&out->id, t, "id", err);
    if (st == PUAN_OK)
        st = puan_node_str(&suite, t, "suite", err);
    if (st == PUAN_OK)
        st = puan_node_str(&engine, t, "engine", err);
    if (st != PUAN_OK)
        return st;
    out->plan_digest = puan_node_str_opt(t, "plan_digest", "");
    su = puan_suite_by_name(puan_arena_dup(a, suite));
    if (!su)
        return puan_fail(err, PUAN_EINVAL, path, "names no known suite");
    out->digest = su->digest;
    if (puan_str_is(engine, "postgresql")) {
        out->base = url ? url : getenv("PUAN_STORE");
        if (!out->base || !out->base[0])
            return puan_fail(err, PUAN_EINVAL, dir,
                             "its stores are in PostgreSQL; name it with "
                             "--store-url or $PUAN_STORE");
    }
    return list_stores(out, a, err);
}

const struct puan_ledger_store *
puan_ledger_find(const struct puan_ledger_source *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->store[i].name, name) == 0)
            return &s->store[i];
    return NULL;
}

static bool starts(struct puan_str s, struct puan_str with)
{
    return s.n >= with.n && memcmp(s.p, with.p, with.n) == 0;
}

static bool fits(const struct puan_ledger_query *q, const struct puan_entry *e)
{
    struct puan_str head, seat_area = e->seat;

    if (q->actor.n && !puan_str_eq(q->actor, e->actor))
        return false;
    if (q->device.n && !puan_str_eq(q->device, e->device))
        return false;
    if (q->seat.n && !starts(e->seat, q->seat))
        return false;
    if (q->verb.n && !starts(e->verb, q->verb))
        return false;
    if (q->subject.n && !starts(e->subject, q->subject))
        return false;
    if (q->area.n) {
        /* "role@area": what stands behind the @ */
        if (!puan_str_split(&head, &seat_area, '@') || !seat_area.p)
            seat_area = PUAN_STR("");
        if (!starts(e->subject, q->area) && !starts(seat_area, q->area))
            return false;
    }
    if (q->since_ms && e->event_ms < q->since_ms)
        return false;
    if (q->until_ms && e->event_ms >= q->until_ms)
        return false;
    return true;
}

enum puan_status puan_ledger_each(struct puan_db *db,
                                  const struct puan_ledger_query *q,
                                  puan_ledger_fn fn, void *arg,
                                  uint64_t *next, struct puan_err *err)
{
    struct puan_arena a;
    enum puan_status st = PUAN_OK;
    uint64_t at = q->from, given = 0, looked = 0;
    bool more = true;

    *next = 0;
    puan_arena_init(&a, puan_os_alloc());
    while (st == PUAN_OK && more) {
        struct puan_stmt *s = NULL;
        bool any = false;

        st = puan_sql(&s, db,
                      "SELECT seq, entry, digest FROM ledger WHERE seq >= $1"
                      " ORDER BY seq LIMIT 1024",
                      err);
        if (st != PUAN_OK)
            break;
        puan_bind_int(s, 1, (int64_t)at);
        while (st == PUAN_OK) {
            struct puan_err why = { 0 };
            struct puan_entry e;
            struct puan_str d;

            st = puan_stmt_step(&more, s, err);
            if (st != PUAN_OK || !more)
                break;
            any = true;
            puan_arena_reset(&a);
            at = (uint64_t)puan_col_int(s, 0) + 1;
            st = puan_entry_decode(&e, puan_col_bytes(s, 1), &a, &why);
            if (st == PUAN_EINVAL)
                st = puan_fail(err, PUAN_EIO, "ledger",
                               "entry %llu %s; run puan ledger verify",
                               (unsigned long long)at - 1, why.text);
            if (st != PUAN_OK)
                break;
            d = puan_col_bytes(s, 2);
            if (q->scan && looked++ == q->scan) {
                *next = at - 1;
                break;
            }
            if (!fits(q, &e))
                continue;
            if (q->limit && given == q->limit) {
                *next = at - 1;
                break;
            }
            given++;
            st = fn(arg, &e,
                    d.n == PUAN_DIGEST_SIZE ? (const uint8_t *)d.p : NULL,
                    err);
        }
        puan_stmt_done(s);
        if (*next)
            break;
        more = any;
    }
    puan_arena_clear(&a);
    return st;
}

static void hex(struct puan_jw *w, const char *key, const void *p, size_t n)
{
    char buf[2 * PUAN_DIGEST_SIZE + 1];

    if (n > PUAN_DIGEST_SIZE)
        n = PUAN_DIGEST_SIZE;
    puan_hex(buf, p, n);
    puan_jw_ktext(w, key, buf);
}

void puan_ledger_entry_json(struct puan_jw *w, const struct puan_entry *e,
                            const uint8_t *digest)
{
    static const char *const runs[] = { "live", "drill", "demo" };
    char when[32];

    puan_jw_map(w);
    puan_jw_kint(w, "seq", (int64_t)e->seq);
    puan_jw_kstr(w, "store", e->scope);
    puan_jw_ktext(w, "run", e->run < 3 ? runs[e->run] : "?");
    puan_instant_text(when, e->event_ms, 0);
    puan_jw_ktext(w, "event_time", when);
    puan_instant_text(when, e->entry_ms, 0);
    puan_jw_ktext(w, "entry_time", when);
    puan_jw_kstr(w, "actor", e->actor);
    puan_jw_kstr(w, "seat", e->seat);
    puan_jw_kstr(w, "device", e->device);
    puan_jw_kstr(w, "verb", e->verb);
    puan_jw_kstr(w, "subject", e->subject);
    if (e->old_digest.n)
        hex(w, "old", e->old_digest.p, e->old_digest.n);
    if (e->new_digest.n)
        hex(w, "new", e->new_digest.p, e->new_digest.n);
    if (e->plan.n)
        hex(w, "plan", e->plan.p, e->plan.n);
    puan_jw_kstr(w, "note", e->note);
    if (e->n_cover) {
        puan_jw_key(w, "covers");
        puan_jw_list(w);
        for (size_t i = 0; i < e->n_cover; i++) {
            puan_jw_map(w);
            puan_jw_kstr(w, "table", e->cover[i].table);
            puan_jw_kstr(w, "key", e->cover[i].key);
            hex(w, "digest", e->cover[i].digest, PUAN_DIGEST_SIZE);
            puan_jw_end(w, '}');
        }
        puan_jw_end(w, ']');
    }
    hex(w, "previous", e->previous, PUAN_DIGEST_SIZE);
    if (digest)
        hex(w, "digest", digest, PUAN_DIGEST_SIZE);
    puan_jw_end(w, '}');
}

/* All digests below `height` (0: all); *n gets how many. */
static enum puan_status digests(struct puan_hash **out, uint64_t *n,
                                struct puan_db *db, uint64_t height,
                                struct puan_arena *a, struct puan_err *err)
{
    struct puan_hash *list = NULL;
    int64_t all = 0;
    enum puan_status st =
        puan_db_int(&all, db, "SELECT MAX(seq) + 1 FROM ledger", 0, err);
    uint64_t at = 0;
    bool more = true;

    *n = 0;
    if (st != PUAN_OK)
        return st;
    if (height == 0)
        height = (uint64_t)all;
    if (height > (uint64_t)all)
        return puan_fail(err, PUAN_ENOTFOUND, "height",
                         "the ledger has only %lld entries", (long long)all);
    list = puan_new_n(a, height, struct puan_hash);
    if (!list)
        return puan_arena_check(a, err);
    while (st == PUAN_OK && at < height && more) {
        struct puan_stmt *s = NULL;
        uint64_t before = at;

        st = puan_sql(&s, db,
                      "SELECT seq, digest FROM ledger WHERE seq >= $1"
                      " AND seq < $2 ORDER BY seq LIMIT 8192",
                      err);
        if (st != PUAN_OK)
            break;
        puan_bind_int(s, 1, (int64_t)at);
        puan_bind_int(s, 2, (int64_t)height);
        while (st == PUAN_OK) {
            struct puan_str d;

            st = puan_stmt_step(&more, s, err);
            if (st != PUAN_OK || !more)
                break;
            d = puan_col_bytes(s, 1);
            if (puan_col_int(s, 0) != (int64_t)at || d.n != PUAN_DIGEST_SIZE)
                st = puan_fail(err, PUAN_EIO, "ledger",
                               "entry %llu is missing or damaged; run puan "
                               "ledger verify",
                               (unsigned long long)at);
            else
                memcpy(list[at++].b, d.p, PUAN_DIGEST_SIZE);
        }
        puan_stmt_done(s);
        more = at > before;
    }
    *out = list;
    *n = at;
    return st;
}

enum puan_status puan_ledger_proof_json(struct puan_jw *w, struct puan_db *db,
                                        const struct puan_digest_fn *fn,
                                        const char *store, uint64_t seq,
                                        uint64_t height, struct puan_err *err)
{
    struct puan_hash *list = NULL;
    uint8_t root[PUAN_DIGEST_SIZE];
    struct puan_proof proof;
    struct puan_stmt *s = NULL;
    struct puan_arena a;
    struct puan_str entry;
    char *text = NULL;
    uint64_t n = 0;
    bool more = false;
    enum puan_status st;

    puan_arena_init(&a, puan_os_alloc());
    st = digests(&list, &n, db, height, &a, err);
    if (st == PUAN_OK && seq >= n)
        st = puan_fail(err, PUAN_ENOTFOUND, "seq",
                       "the ledger has %llu entries, the last is %llu",
                       (unsigned long long)n, (unsigned long long)n - 1);
    if (st == PUAN_OK)
        st = puan_sql(&s, db, "SELECT entry FROM ledger WHERE seq = $1", err);
    if (st != PUAN_OK)
        goto out;
    puan_bind_int(s, 1, (int64_t)seq);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && !more)
        st = puan_fail(err, PUAN_ENOTFOUND, "seq", "no such entry");
    if (st == PUAN_OK) {
        entry = puan_col_bytes(s, 0);
        text = puan_arena_get(&a, 2 * entry.n + 1);
        if (text)
            puan_hex(text, (const uint8_t *)entry.p, entry.n);
        st = puan_arena_check(&a, err);
    }
    puan_stmt_done(s);
    if (st != PUAN_OK)
        goto out;
    puan_merkle_tree_root(root, fn, list, n);
    puan_merkle_inclusion(&proof, fn, list, n, seq);
    puan_jw_map(w);
    puan_jw_ktext(w, "store", store);
    puan_jw_kint(w, "seq", (int64_t)seq);
    puan_jw_ktext(w, "entry", text);
    hex(w, "digest", list[seq].b, PUAN_DIGEST_SIZE);
    puan_jw_ktext(w, "algorithm", fn->name);
    puan_jw_kint(w, "height", (int64_t)n);
    hex(w, "merkle", root, PUAN_DIGEST_SIZE);
    puan_jw_key(w, "path");
    puan_jw_list(w);
    for (size_t i = 0; i < proof.n; i++) {
        char h[2 * PUAN_DIGEST_SIZE + 1];

        puan_hex(h, proof.hash[i], PUAN_DIGEST_SIZE);
        puan_jw_text(w, h);
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
out:
    puan_arena_clear(&a);
    return st;
}
