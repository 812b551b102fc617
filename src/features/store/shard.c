/*
 * One store's writer: the only thread that changes it.  It takes whatever is
 * queued, runs the bodies in one transaction, appends one ledger entry an act,
 * commits, and only then answers.  Readers have connections of their own.
 *
 * No timer collects a batch: while one batch is being flushed the next one
 * gathers by itself, so that a lone act waits for one flush and a thousand
 * share a few.
 */
#include "features/store/internal.h"

#include <assert.h>
#include <stdlib.h>

#include "kit/log/log.h"
#include "kit/os/os.h"

/* ---- the chain ----------------------------------------------------------- */

enum puan_status puan_chain_load(struct puan_shard *sh, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_str digest;
    bool more = false;
    enum puan_status st;

    st = puan_sql(&s, sh->db,
                  "SELECT seq, digest FROM ledger ORDER BY seq DESC LIMIT 1",
                  err);
    if (st == PUAN_OK)
        st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more) {
        sh->next_seq = (uint64_t)puan_col_int(s, 0) + 1;
        digest = puan_col_bytes(s, 1);
        if (digest.n == PUAN_DIGEST_SIZE)
            memcpy(sh->next_prev, digest.p, PUAN_DIGEST_SIZE);
        else
            st = puan_fail(err, PUAN_EIO, sh->name,
                           "last ledger entry has no digest; run puan ledger "
                           "verify and restore a backup");
    } else if (st == PUAN_OK) {
        sh->next_seq = 0;
        memset(sh->next_prev, 0, PUAN_DIGEST_SIZE);
    }
    puan_stmt_done(s);
    if (st == PUAN_OK)
        st = puan_db_int(&sh->next_outbox, sh->db,
                         "SELECT MAX(id) FROM outbox", -1, err);
    if (st == PUAN_OK)
        sh->next_outbox = sh->next_outbox < 0
                              ? (int64_t)sh->ordinal << 40
                              : sh->next_outbox + 1;
    return st;
}

enum puan_status puan_chain_append(struct puan_shard *sh, struct puan_act *act,
                                   struct puan_err *err)
{
    struct puan_store *store = sh->store;
    struct puan_out bytes;
    struct puan_str view;
    struct puan_stmt *s = NULL;
    uint8_t digest[PUAN_DIGEST_SIZE];
    enum puan_status st;
    struct puan_entry e = {
        .run = store->run,
        .scope = puan_str_of(sh->name),
        .seq = sh->next_seq,
        .event_ms = act->event_ms,
        .entry_ms = act->entry_ms,
        .actor = act->actor,
        .seat = act->seat,
        .device = act->device,
        .verb = act->verb,
        .subject = act->subject,
        .plan = { (const char *)store->plan_digest, PUAN_DIGEST_SIZE },
        .note = act->note,
        .cover = sh->cover,
        .n_cover = sh->n_cover,
    };

    if (act->has_old)
        e.old_digest = (struct puan_str){ (const char *)act->old_digest,
                                          PUAN_DIGEST_SIZE };
    if (act->has_new)
        e.new_digest = (struct puan_str){ (const char *)act->new_digest,
                                          PUAN_DIGEST_SIZE };
    memcpy(e.previous, sh->next_prev, PUAN_DIGEST_SIZE);
    puan_out_init(&bytes, &sh->arena);
    puan_entry_encode(&bytes, &e);
    st = puan_arena_check(&sh->arena, err);
    if (st != PUAN_OK)
        return st;
    view = puan_out_view(&bytes);
    puan_entry_digest(digest, store->digest, view);
    st = puan_sql(&s, sh->db,
                  "INSERT INTO ledger(seq, entry, digest) VALUES ($1, $2, $3)",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, (int64_t)sh->next_seq);
    puan_bind_bytes(s, 2, view.p, view.n);
    puan_bind_bytes(s, 3, digest, PUAN_DIGEST_SIZE);
    st = puan_stmt_once(s, err);
    if (st == PUAN_ECONFLICT)
        sh->dead = true; /* an entry of that number that we did not write */
    if (st != PUAN_OK)
        return st;
    sh->next_seq++;
    memcpy(sh->next_prev, digest, PUAN_DIGEST_SIZE);
    return PUAN_OK;
}

enum puan_status puan_cover(struct puan_shard *sh, struct puan_db *db,
                            struct puan_act *act, const char *table,
                            struct puan_str key, struct puan_str content,
                            struct puan_err *err)
{
    struct puan_cover_item *item;
    struct puan_stmt *s = NULL;
    enum puan_status st;

    if (sh->n_cover == sh->cap_cover) {
        size_t cap = sh->cap_cover ? sh->cap_cover * 2 : 16;
        struct puan_cover_item *grown;

        if (cap > PUAN_COVER_MAX)
            return puan_fail(err, PUAN_ELIMIT, table,
                             "one act covers more than %d rows; split it",
                             PUAN_COVER_MAX);
        grown = realloc(sh->cover, cap * sizeof(*grown));
        if (!grown)
            return puan_fail(err, PUAN_ENOMEM, table, "out of memory");
        sh->cover = grown;
        sh->cap_cover = cap;
    }
    item = &sh->cover[sh->n_cover];
    memset(item, 0, sizeof(*item));
    item->table = puan_str_of(puan_arena_dup(&sh->arena, puan_str_of(table)));
    item->key = (struct puan_str){ puan_arena_dup(&sh->arena, key), key.n };
    if (content.p)
        puan_cover_digest(item->digest, sh->store->digest, item->table, key,
                          content);
    st = puan_arena_check(&sh->arena, err);
    if (st != PUAN_OK)
        return st;
    sh->n_cover++;
    if (content.p)
        st = puan_sql(&s, db,
                      "INSERT INTO covered(tbl, key, seq, digest)"
                      " VALUES ($1, $2, $3, $4)"
                      " ON CONFLICT(tbl, key) DO UPDATE SET"
                      " seq = excluded.seq, digest = excluded.digest",
                      err);
    else
        st = puan_sql(&s, db, "DELETE FROM covered WHERE tbl = $1 AND key = $2",
                      err);
    if (st != PUAN_OK)
        return st;
    puan_bind_text(s, 1, item->table);
    puan_bind_text(s, 2, key);
    if (content.p) {
        puan_bind_int(s, 3, (int64_t)act->seq);
        puan_bind_bytes(s, 4, item->digest, PUAN_DIGEST_SIZE);
    }
    return puan_stmt_once(s, err);
}

enum puan_status puan_cover_id(struct puan_shard *sh, struct puan_db *db,
                               struct puan_act *act, const char *table,
                               int64_t id, struct puan_str content,
                               struct puan_err *err)
{
    char key[24];

    puan_format(key, sizeof(key), "%lld", (long long)id);
    return puan_cover(sh, db, act, table, puan_str_of(key), content, err);
}

/* ---- a batch ------------------------------------------------------------- */

struct batch {
    struct puan_commit_job *job[PUAN_BATCH_MAX];
    enum puan_status st[PUAN_BATCH_MAX];
    bool excluded[PUAN_BATCH_MAX]; /* failed for good, not run again */
    bool applied[PUAN_BATCH_MAX];  /* the body's changes stand */
    size_t n;
};

/* The database itself failed, as against a body that refused. */
static bool is_fault(enum puan_status st)
{
    return st == PUAN_EIO || st == PUAN_EWRITE || st == PUAN_EBUSY || st == PUAN_ENOMEM;
}

static enum puan_status run_act(struct puan_shard *sh,
                                struct puan_commit_job *job, bool save,
                                struct puan_err *err)
{
    struct puan_act *act = job->act;
    int64_t outbox = sh->next_outbox;
    enum puan_status st = PUAN_OK;

    act->seq = sh->next_seq;
    act->entry_ms = puan_os_now_ms();
    if (act->event_ms == 0)
        act->event_ms = puan_store_now(sh->store);
    act->silent = false;
    sh->n_cover = 0;
    if (save) {
        st = puan_db_savepoint(sh->db, err);
        if (st != PUAN_OK)
            return PUAN_EIO;
    }
    if (job->body)
        st = job->body(sh, sh->db, act, job->arg, err);
    if (st == PUAN_OK && !act->silent) {
        st = puan_chain_append(sh, act, err);
        if (st != PUAN_OK) {
            if (act->undo)
                act->undo(sh, act, job->arg);
            if (st == PUAN_ECONFLICT)
                st = PUAN_EIO;
        }
    }
    if (st == PUAN_OK) {
        if (save && puan_db_release(sh->db, err) != PUAN_OK) {
            if (act->undo)
                act->undo(sh, act, job->arg);
            st = PUAN_EIO;
        }
        return st;
    }
    sh->next_outbox = outbox;
    if (save)
        puan_db_undo(sh->db);
    return st;
}

/*
 * Runs every act that is not excluded in one transaction.  A fault ends it:
 * *at tells whose it was, b->n when it was the commit's.
 */
static enum puan_status run_batch(struct puan_shard *sh, struct batch *b,
                                  bool safe, size_t *at, struct puan_err *err)
{
    enum puan_status st = puan_db_begin(sh->db, err);
    int64_t began;
    size_t i;

    *at = b->n;
    if (st != PUAN_OK)
        return st;
    sh->posted = false;
    for (i = 0; i < b->n; i++) {
        bool save = safe || !b->job[i]->act->hot;

        if (b->excluded[i])
            continue;
        memset(&sh->errs[i], 0, sizeof(sh->errs[i]));
        b->st[i] = run_act(sh, b->job[i], save, &sh->errs[i]);
        b->applied[i] = b->st[i] == PUAN_OK;
        if (is_fault(b->st[i]) || (!save && b->st[i] == PUAN_EBUG)) {
            *at = i;
            *err = sh->errs[i];
            return b->st[i];
        }
    }
    began = puan_os_mono_ns();
    st = puan_db_commit(sh->db, err);
    sh->commit_ns = puan_os_mono_ns() - began;
    return st == PUAN_EBUSY ? st : st == PUAN_OK ? PUAN_OK : PUAN_EIO;
}

static void undo_all(struct puan_shard *sh, struct batch *b)
{
    for (size_t i = b->n; i-- > 0;) {
        if (b->applied[i] && b->job[i]->act->undo)
            b->job[i]->act->undo(sh, b->job[i]->act, b->job[i]->arg);
        b->applied[i] = false;
    }
}

/* Reads the head again, on a new connection when the old one is gone. */
static enum puan_status resync(struct puan_shard *sh, struct puan_err *err)
{
    struct puan_err first = { 0 };
    enum puan_status st = PUAN_EIO;

    if (sh->db)
        st = puan_chain_load(sh, &first);
    if (st != PUAN_OK) {
        puan_db_close(sh->db);
        sh->db = NULL;
        st = puan_db_open(&sh->db, sh->url, 0, err);
        if (st == PUAN_OK)
            st = puan_chain_load(sh, err);
    }
    sh->broken = st != PUAN_OK;
    return st;
}

/*
 * A batch whose commit is refused or broken is run again: with savepoints, so
 * that one bad act cannot take the others along; without the act that failed;
 * and after a serialization failure as it was.  What cannot be committed after
 * that is answered as failed: nothing of it stands.
 */
static void commit_batch(struct puan_shard *sh, struct batch *b)
{
    uint8_t head[PUAN_DIGEST_SIZE];
    uint64_t height;
    bool safe = false;
    unsigned excluded = 0, busy = 0;
    enum puan_status st;
    size_t i, at;

    memset(b->excluded, 0, sizeof(b->excluded));
    memset(b->applied, 0, sizeof(b->applied));
    for (;;) {
        struct puan_err err = { 0 };

        if (sh->dead)
            st = puan_fail(&err, PUAN_EIO, sh->name,
                           "the ledger was changed by another program; stop "
                           "it and start the server again");
        else
            st = sh->broken ? resync(sh, &err) : PUAN_OK;
        at = b->n;
        height = sh->height;
        memcpy(head, sh->head, sizeof(head));
        if (st == PUAN_OK &&
            (sh->next_seq != height ||
             memcmp(sh->next_prev, head, sizeof(head)) != 0)) {
            sh->dead = true; /* somebody else's entries */
            continue;
        }
        if (st == PUAN_OK)
            st = run_batch(sh, b, safe, &at, &err);
        if (st == PUAN_OK)
            break;
        /* undone, unless the commit went through after all */
        if (sh->db)
            puan_db_rollback(sh->db);
        if (at == b->n && !sh->dead && !sh->broken) {
            uint64_t want_seq = sh->next_seq;
            uint8_t want[PUAN_DIGEST_SIZE];
            struct puan_err err2 = { 0 };

            memcpy(want, sh->next_prev, sizeof(want));
            if (want_seq != height && resync(sh, &err2) == PUAN_OK &&
                sh->next_seq == want_seq &&
                memcmp(sh->next_prev, want, sizeof(want)) == 0)
                break;
        }
        undo_all(sh, b);
        sh->next_seq = height;
        memcpy(sh->next_prev, head, sizeof(head));
        if (!sh->broken && !sh->dead && resync(sh, &err) == PUAN_OK) {
            if (st == PUAN_EBUSY && busy++ < 5)
                continue;
            if (!safe) {
                safe = true;
                continue;
            }
            if (at < b->n && excluded++ < 3) {
                b->excluded[at] = true;
                continue;
            }
        }
        for (i = 0; i < b->n; i++)
            if (!b->excluded[i]) {
                b->st[i] = st == PUAN_EBUSY ? PUAN_EBUSY : PUAN_EIO;
                sh->errs[i] = err;
                sh->errs[i].code = b->st[i];
            }
        puan_log_err(PUAN_LOG_ERROR, "commit", &err);
        return;
    }
    pthread_mutex_lock(&sh->lock);
    sh->height = sh->next_seq;
    memcpy(sh->head, sh->next_prev, sizeof(sh->head));
    sh->stats.acts += b->n;
    sh->stats.batches++;
    sh->stats.commit_ns += sh->commit_ns;
    pthread_mutex_unlock(&sh->lock);
}

static void *writer_main(void *arg)
{
    struct puan_shard *sh = arg;
    struct batch *b = malloc(sizeof(*b));
    bool stop = false;

    assert(b);
    while (b && !stop) {
        pthread_mutex_lock(&sh->lock);
        while ((!sh->first && !sh->stop) || (sh->held && !sh->stop)) {
            sh->standing = true;
            pthread_cond_broadcast(&sh->still);
            pthread_cond_wait(&sh->work, &sh->lock);
        }
        sh->standing = false;
        for (b->n = 0; sh->first && b->n < PUAN_BATCH_MAX; b->n++) {
            b->job[b->n] = sh->first;
            sh->first = sh->first->next;
        }
        if (!sh->first)
            sh->last = &sh->first;
        sh->queued -= b->n;
        stop = sh->stop && b->n == 0;
        pthread_mutex_unlock(&sh->lock);
        if (b->n == 0)
            continue;
        commit_batch(sh, b);
        if (sh->posted) {
            sh->posted = false;
            puan_courier_wake(sh->store);
        }
        for (size_t i = 0; i < b->n; i++) {
            struct puan_commit_job *job = b->job[i];

            job->done(b->st[i], job->act, job->arg,
                      b->st[i] == PUAN_OK ? NULL : &sh->errs[i]);
            free(job);
        }
        puan_arena_reset(&sh->arena);
    }
    free(b);
    return NULL;
}

void puan_commit_async(struct puan_shard *sh, struct puan_act *act,
                       puan_act_fn body, puan_done_fn done, void *arg)
{
    struct puan_commit_job *job = malloc(sizeof(*job));
    struct puan_err err = { 0 };
    bool wake = false, full = true;

    if (!job) {
        puan_fail(&err, PUAN_ENOMEM, sh->name, "out of memory");
        done(PUAN_ENOMEM, act, arg, &err);
        return;
    }
    *job = (struct puan_commit_job){ act, body, done, arg, NULL };
    pthread_mutex_lock(&sh->lock);
    if (sh->writer_runs && !sh->stop && sh->queued < PUAN_QUEUE_MAX) {
        full = false;
        *sh->last = job;
        sh->last = &job->next;
        sh->queued++;
        wake = sh->standing;
    }
    pthread_mutex_unlock(&sh->lock);
    if (wake)
        pthread_cond_signal(&sh->work);
    if (!full)
        return;
    free(job);
    if (!sh->writer_runs) {
        puan_fail(&err, PUAN_EDENIED, sh->name,
                  "the store is open for reading only");
        done(PUAN_EDENIED, act, arg, &err);
    } else {
        puan_fail(&err, PUAN_EBUSY, sh->name,
                  "too much waits for the disk; try again");
        done(PUAN_EBUSY, act, arg, &err);
    }
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    puan_act_fn body;
    void *arg;
    void (*undo)(struct puan_shard *, struct puan_act *, void *);
    struct puan_err *err;
    enum puan_status st;
    bool done;
};

static enum puan_status wait_body(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    struct waiter *w = arg;

    return w->body(sh, db, act, w->arg, err);
}

static void wait_undo(struct puan_shard *sh, struct puan_act *act, void *arg)
{
    struct waiter *w = arg;

    w->undo(sh, act, w->arg);
}

static void wait_done(enum puan_status st, struct puan_act *act, void *arg,
                      const struct puan_err *err)
{
    struct waiter *w = arg;

    (void)act;
    pthread_mutex_lock(&w->lock);
    w->st = st;
    if (err && w->err && w->err->code == PUAN_OK)
        *w->err = *err;
    w->done = true;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

enum puan_status puan_commit(struct puan_shard *sh, struct puan_act *act,
                             puan_act_fn body, void *arg, struct puan_err *err)
{
    struct waiter w = { .body = body, .arg = arg, .undo = act->undo,
                        .err = err };

    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.cond, NULL);
    if (act->undo)
        act->undo = wait_undo;
    puan_commit_async(sh, act, body ? wait_body : NULL, wait_done, &w);
    pthread_mutex_lock(&w.lock);
    while (!w.done)
        pthread_cond_wait(&w.cond, &w.lock);
    pthread_mutex_unlock(&w.lock);
    act->undo = w.undo;
    pthread_cond_destroy(&w.cond);
    pthread_mutex_destroy(&w.lock);
    return w.st;
}

/* ---- readers ------------------------------------------------------------- */

enum puan_status puan_read_begin(struct puan_db **out, struct puan_shard *sh,
                                 struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    *out = NULL;
    pthread_mutex_lock(&sh->read_lock);
    while (sh->readers_idle == 0 && sh->readers_open >= PUAN_READERS_MAX)
        pthread_cond_wait(&sh->read_free, &sh->read_lock);
    if (sh->readers_idle > 0)
        *out = sh->readers[--sh->readers_idle];
    else
        sh->readers_open++;
    pthread_mutex_unlock(&sh->read_lock);
    if (*out)
        return PUAN_OK;
    st = puan_db_open(out, sh->url, PUAN_DB_READONLY, err);
    if (st != PUAN_OK) {
        pthread_mutex_lock(&sh->read_lock);
        sh->readers_open--;
        pthread_cond_signal(&sh->read_free);
        pthread_mutex_unlock(&sh->read_lock);
    }
    return st;
}

void puan_read_end(struct puan_shard *sh, struct puan_db *db)
{
    if (!db)
        return;
    pthread_mutex_lock(&sh->read_lock);
    sh->readers[sh->readers_idle++] = db;
    pthread_cond_signal(&sh->read_free);
    pthread_mutex_unlock(&sh->read_lock);
}

/* ---- life ---------------------------------------------------------------- */

enum puan_status puan_shard_open(struct puan_shard **out, struct puan_store *st,
                                 size_t ordinal, int64_t area, bool create,
                                 struct puan_err *err)
{
    struct puan_shard *sh = calloc(1, sizeof(*sh));
    char url[4352];
    enum puan_status rc = PUAN_OK;

    if (!sh)
        return puan_fail(err, PUAN_ENOMEM, "store", "out of memory");
    sh->store = st;
    sh->ordinal = ordinal;
    sh->area = area;
    sh->last = &sh->first;
    puan_arena_init(&sh->arena, puan_os_alloc());
    pthread_mutex_init(&sh->lock, NULL);
    pthread_cond_init(&sh->work, NULL);
    pthread_cond_init(&sh->still, NULL);
    pthread_mutex_init(&sh->read_lock, NULL);
    pthread_cond_init(&sh->read_free, NULL);
    puan_merkle_init(&sh->tree);
    if (ordinal == 0)
        puan_format(sh->name, sizeof(sh->name), "office");
    else
        puan_format(sh->name, sizeof(sh->name), "%lld", (long long)area);
    if (st->url)
        puan_format(url, sizeof(url), "%s#puan_%s_%s", st->url, st->id,
                    sh->name);
    else
        puan_format(url, sizeof(url), "sqlite:%s/%s%s.db", st->dir,
                    ordinal == 0 ? "" : "returns/", sh->name);
    sh->url = malloc(strlen(url) + 1);
    sh->errs = calloc(PUAN_BATCH_MAX, sizeof(*sh->errs));
    if (!sh->url || !sh->errs) {
        rc = puan_fail(err, PUAN_ENOMEM, "store", "out of memory");
        goto out;
    }
    memcpy(sh->url, url, strlen(url) + 1);
    rc = puan_db_open(&sh->db, url,
                      st->readonly ? PUAN_DB_READONLY
                      : create     ? PUAN_DB_CREATE
                                   : 0,
                      err);
    if (rc == PUAN_OK && !st->readonly)
        rc = puan_schema_apply(sh, err);
    if (rc == PUAN_OK)
        rc = puan_chain_load(sh, err);
    sh->height = sh->next_seq;
    memcpy(sh->head, sh->next_prev, sizeof(sh->head));
out:
    if (rc != PUAN_OK) {
        puan_shard_close(sh);
        sh = NULL;
    }
    *out = sh;
    return rc;
}

enum puan_status puan_shard_start(struct puan_shard *sh, struct puan_err *err)
{
    sh->writer_runs = true;
    if (pthread_create(&sh->writer, NULL, writer_main, sh) != 0) {
        sh->writer_runs = false;
        return puan_fail(err, PUAN_EIO, sh->name, "cannot start a thread");
    }
    return PUAN_OK;
}

void puan_shard_stop(struct puan_shard *sh)
{
    if (!sh->writer_runs)
        return;
    pthread_mutex_lock(&sh->lock);
    sh->stop = true;
    pthread_cond_broadcast(&sh->work);
    pthread_mutex_unlock(&sh->lock);
    pthread_join(sh->writer, NULL);
    sh->writer_runs = false;
}

void puan_shard_close(struct puan_shard *sh)
{
    if (!sh)
        return;
    puan_shard_stop(sh);
    for (size_t i = 0; i < sh->readers_idle; i++)
        puan_db_close(sh->readers[i]);
    puan_db_close(sh->db);
    puan_arena_clear(&sh->arena);
    pthread_cond_destroy(&sh->work);
    pthread_cond_destroy(&sh->still);
    pthread_mutex_destroy(&sh->lock);
    pthread_cond_destroy(&sh->read_free);
    pthread_mutex_destroy(&sh->read_lock);
    free(sh->cover);
    free(sh->errs);
    free(sh->url);
    free(sh);
}

size_t puan_shard_ordinal(const struct puan_shard *sh)
{
    return sh->ordinal;
}

int64_t puan_shard_area(const struct puan_shard *sh)
{
    return sh->area;
}

const char *puan_shard_name(const struct puan_shard *sh)
{
    return sh->name;
}

struct puan_store *puan_shard_store(const struct puan_shard *sh)
{
    return sh->store;
}

bool puan_shard_writes(const struct puan_shard *sh)
{
    return sh->writer_runs;
}

void puan_shard_stats(struct puan_shard_stats *out, struct puan_shard *sh)
{
    pthread_mutex_lock(&sh->lock);
    *out = sh->stats;
    pthread_mutex_unlock(&sh->lock);
}

uint64_t puan_shard_height(struct puan_shard *sh)
{
    uint64_t n;

    pthread_mutex_lock(&sh->lock);
    n = sh->height;
    pthread_mutex_unlock(&sh->lock);
    return n;
}
