/*
 * What crosses stores (contract 5).  A row in the sender's outbox is written
 * with the act that causes it; the courier applies it in the target's
 * transaction together with an inbox row of the same id, then marks it
 * delivered.  A crash between the two delivers again, and the inbox row makes
 * that do nothing.
 */
#include "features/store/internal.h"

#include <time.h>

#include "kit/log/log.h"
#include "kit/os/os.h"

#define ROUND 64 /* rows read, and marked, at a time */

enum puan_status puan_outbox_put(struct puan_shard *from, struct puan_db *db,
                                 size_t to_ordinal, const char *kind,
                                 struct puan_str body, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    enum puan_status st;

    if (to_ordinal >= puan_store_shards(from->store))
        return puan_fail(err, PUAN_EBUG, kind, "no store of ordinal %zu",
                         to_ordinal);
    st = puan_sql(&s, db,
                  "INSERT INTO outbox(id, target, kind, body)"
                  " VALUES ($1, $2, $3, $4)",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, from->next_outbox);
    puan_bind_int(s, 2, (int64_t)to_ordinal);
    puan_bind_text(s, 3, puan_str_of(kind));
    puan_bind_bytes(s, 4, body.p, body.n);
    st = puan_stmt_once(s, err);
    if (st == PUAN_OK) {
        from->next_outbox++;
        from->posted = true;
    }
    return st;
}

struct parcel {
    int64_t id;
    size_t target;
    const char *kind;
    struct puan_str body;
    const struct puan_feature *feature;
    size_t f;
    bool done;
};

static const struct puan_feature *feature_of(const char *kind)
{
    for (size_t f = 0; puan_features[f]; f++) {
        const char *const *k = puan_features[f]->inbox_kinds;

        for (; k && *k; k++)
            if (strcmp(*k, kind) == 0)
                return puan_features[f];
    }
    return NULL;
}

static enum puan_status deliver_body(struct puan_shard *sh, struct puan_db *db,
                                     struct puan_act *act, void *arg,
                                     struct puan_err *err)
{
    struct parcel *p = arg;
    struct puan_stmt *s = NULL;
    enum puan_status st;

    st = puan_sql(&s, db,
                  "INSERT INTO inbox(id, kind, seq) VALUES ($1, $2, $3)"
                  " ON CONFLICT(id) DO NOTHING",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, p->id);
    puan_bind_text(s, 2, puan_str_of(p->kind));
    puan_bind_int(s, 3, (int64_t)act->seq);
    st = puan_stmt_run(s, err);
    if (st == PUAN_OK && puan_stmt_changes(s) == 0) {
        act->silent = true; /* was applied before the courier fell */
        puan_stmt_done(s);
        return PUAN_OK;
    }
    puan_stmt_done(s);
    if (st == PUAN_OK)
        st = p->feature->inbox(sh->store, sh, db, act, p->body, err);
    return st;
}

static enum puan_status mark_body(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    const struct parcel *p = arg;
    struct puan_stmt *s = NULL;
    enum puan_status st = PUAN_OK;

    (void)sh;
    act->silent = true;
    for (size_t i = 0; i < ROUND && p[i].kind && st == PUAN_OK; i++) {
        if (!p[i].done)
            continue;
        st = puan_sql(&s, db, "UPDATE outbox SET delivered = $1 WHERE id = $2",
                      err);
        if (st != PUAN_OK)
            break;
        puan_bind_int(s, 1, act->entry_ms);
        puan_bind_int(s, 2, p[i].id);
        st = puan_stmt_once(s, err);
    }
    return st;
}

static enum puan_status read_round(struct parcel *p, size_t *n,
                                   struct puan_shard *sh,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_db *db = NULL;
    struct puan_stmt *s = NULL;
    bool more = true;
    enum puan_status st = puan_read_begin(&db, sh, err);

    *n = 0;
    if (st != PUAN_OK)
        return st;
    st = puan_sql(&s, db,
                  "SELECT id, target, kind, body FROM outbox"
                  " WHERE delivered = 0 ORDER BY id LIMIT 64",
                  err);
    while (st == PUAN_OK && *n < ROUND) {
        struct puan_str body;

        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        body = puan_col_bytes(s, 3);
        p[*n].id = puan_col_int(s, 0);
        p[*n].target = (size_t)puan_col_int(s, 1);
        p[*n].kind = puan_arena_dup(a, puan_col_text(s, 2));
        p[*n].body = (struct puan_str){ puan_arena_dup(a, body), body.n };
        (*n)++;
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

/* Delivers one round of one sender; *n tells how many it found. */
static enum puan_status deliver_round(struct puan_store *store,
                                      struct puan_shard *sh, size_t *n,
                                      struct puan_err *err)
{
    struct parcel p[ROUND + 1] = { 0 };
    struct puan_arena a;
    struct puan_act mark = { .verb = PUAN_STR("outbox.delivered") };
    size_t done = 0;
    enum puan_status st, st2;

    puan_arena_init(&a, puan_os_alloc());
    st = read_round(p, n, sh, &a, err);
    for (size_t i = 0; i < *n && st == PUAN_OK; i++) {
        struct puan_shard *to = puan_store_shard(store, p[i].target);
        struct puan_act act = { .actor = PUAN_STR("system") };

        p[i].feature = feature_of(p[i].kind);
        if (!to || !p[i].feature || !p[i].feature->inbox) {
            st = puan_fail(err, PUAN_EBUG, p[i].kind,
                           "no feature takes parcel %lld",
                           (long long)p[i].id);
            break;
        }
        act.seat = puan_str_of(sh->name);
        act.verb = puan_str_of(p[i].kind);
        act.subject = puan_str_of(
            puan_arena_fmt(&a, "parcel %lld", (long long)p[i].id));
        st = puan_commit(to, &act, deliver_body, &p[i], err);
        p[i].done = st == PUAN_OK;
        done += p[i].done;
    }
    if (done > 0) {
        struct puan_err err2 = { 0 };

        st2 = puan_commit(sh, &mark, mark_body, p, &err2);
        if (st == PUAN_OK && st2 != PUAN_OK) {
            st = st2;
            if (err)
                *err = err2;
        }
    }
    puan_arena_clear(&a);
    return st;
}

enum puan_status puan_store_deliver(struct puan_store *store,
                                    struct puan_err *err)
{
    enum puan_status first = PUAN_OK;

    pthread_mutex_lock(&store->delivering);
    for (size_t i = 0; i < puan_store_shards(store); i++) {
        size_t n = ROUND;

        while (n == ROUND) {
            struct puan_err e = { 0 };
            enum puan_status st =
                deliver_round(store, puan_store_shard(store, i), &n, &e);

            if (st == PUAN_OK)
                continue;
            if (first == PUAN_OK) {
                first = st;
                if (err && err->code == PUAN_OK)
                    *err = e;
            }
            break; /* its order is kept: nothing behind a failure */
        }
    }
    pthread_mutex_unlock(&store->delivering);
    return first;
}

void puan_courier_wake(struct puan_store *store)
{
    pthread_mutex_lock(&store->post_lock);
    store->post_pending = true;
    pthread_cond_signal(&store->post);
    pthread_mutex_unlock(&store->post_lock);
}

static void *courier_main(void *arg)
{
    struct puan_store *store = arg;
    bool stop = false;

    while (!stop) {
        struct puan_err err = { 0 };
        struct timespec until;
        enum puan_status st;

        st = puan_store_deliver(store, &err);
        if (st != PUAN_OK && st != PUAN_EBUSY)
            puan_log_err(PUAN_LOG_WARN, "deliver", &err);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += st == PUAN_OK ? 30 : 1;
        pthread_mutex_lock(&store->post_lock);
        while (!store->post_stop && (!store->post_pending || st != PUAN_OK))
            if (pthread_cond_timedwait(&store->post, &store->post_lock,
                                       &until) != 0)
                break;
        store->post_pending = false;
        stop = store->post_stop;
        pthread_mutex_unlock(&store->post_lock);
    }
    return NULL;
}

enum puan_status puan_courier_start(struct puan_store *store,
                                    struct puan_err *err)
{
    if (pthread_create(&store->courier, NULL, courier_main, store) != 0)
        return puan_fail(err, PUAN_EIO, "deliver", "cannot start a thread");
    store->courier_runs = true;
    return PUAN_OK;
}

void puan_courier_stop(struct puan_store *store)
{
    if (!store->courier_runs)
        return;
    pthread_mutex_lock(&store->post_lock);
    store->post_stop = true;
    pthread_cond_signal(&store->post);
    pthread_mutex_unlock(&store->post_lock);
    pthread_join(store->courier, NULL);
    store->courier_runs = false;
}
