/*
 * The job: results of programs, receipts, and what is due.
 */
#include <stdlib.h>
#include <sys/wait.h>

#include "features/cases/cases.h"
#include "features/live/live.h"
#include "features/notify/spool.h"
#include "kit/log/log.h"
#include "kit/os/os.h"

#define DUE_MOST 256
/* What has waited so long is of yesterday, or comes from an old copy. */
#define TOO_OLD_MS INT64_C(86400000)

/* ---- what a message says ------------------------------------------------------ */

void puan_notify_words_of(struct puan_notify_words *w,
                          const struct puan_notify_message_row *m,
                          struct puan_store *st, struct puan_db *db,
                          const struct puan_notify_channels *c,
                          struct puan_arena *a)
{
    int64_t id = 0;
    struct puan_str rest = m->about, head;
    char number[24] = "";

    if (puan_str_starts(m->about, "cases/") &&
        puan_str_split(&head, &rest, '/') && puan_int_parse(&id, rest))
        puan_case_number(number, st, db, id);
    *w = (struct puan_notify_words){
        .id = m->id,
        .kind = puan_notify_kind_of(m->kind),
        .zh = m->zh,
        .en = m->en,
        .number = puan_arena_keep(a, puan_str_of(number)),
        .level = m->level,
        .at_ms = m->at,
        .due_ms = m->due,
        .offset_minutes = (int)puan_store_plan(st)->offset_minutes,
        .link = PUAN_STR(""),
        .drill = m->drill != 0
    };
    if (w->kind == PUAN_NOTIFY_KINDS)
        w->kind = PUAN_NOTIFY_NOTICE;
    if (c != NULL && c->office.n > 0)
        w->link = puan_str_of(puan_arena_fmt(a, "%.*s/office/%.*s",
                                             PUAN_FMT(c->office),
                                             PUAN_FMT(m->about)));
}

/* ---- what became of a delivery ------------------------------------------------- */

struct outcome {
    int64_t delivery, tried; /* tries that had ended before this one */
    const char *state, *why;
    int64_t next;
    bool receipt; /* counts for the message, too */
};

/* A result that comes too late, or twice, changes nothing. */
static enum puan_status settle(struct puan_shard *sh, struct puan_db *db,
                               struct puan_act *act, void *arg,
                               struct puan_err *err)
{
    const struct outcome *o = arg;
    struct puan_notify_delivery_row d;
    struct puan_notify_message_row m;
    struct puan_arena a;
    enum puan_status st;

    puan_arena_init(&a, puan_os_alloc());
    st = puan_notify_delivery_read(&d, db, o->delivery, &a, err);
    if (st != PUAN_OK)
        goto out;
    if (o->receipt ? puan_str_is(d.state, PUAN_NOTIFY_RECEIVED) :
                     !puan_str_is(d.state, PUAN_NOTIFY_WAITING) ||
                         d.tries != o->tried) {
        act->silent = true;
        goto out;
    }
    d.tries = o->receipt ? d.tries : o->tried + 1;
    d.state = puan_str_of(o->state);
    d.why = puan_str_of(o->why);
    d.next = o->next;
    d.at = puan_store_now(puan_shard_store(sh));
    st = puan_notify_delivery_write(sh, db, act, &d, &a, err);
    if (st != PUAN_OK || !o->receipt ||
        !puan_str_is(d.state, PUAN_NOTIFY_RECEIVED))
        goto out;
    st = puan_notify_message_read(&m, db, d.message, &a, err);
    if (st == PUAN_OK && m.received == 0)
        st = puan_notify_taken_in(sh, db, act, 0, d.message, err);
out:
    puan_arena_clear(&a);
    return st;
}

static enum puan_status enter(struct puan_store *st, const struct outcome *o,
                              struct puan_err *err)
{
    char subject[40];
    struct puan_act act = { 0 };
    enum puan_status rc;

    puan_format(subject, sizeof subject, "delivery/%lld",
                (long long)o->delivery);
    act.actor = act.seat = PUAN_STR("system");
    act.verb = o->receipt ? PUAN_STR("notify.receipt") :
               strcmp(o->state, PUAN_NOTIFY_HANDED) == 0 ?
                            PUAN_STR("notify.hand") :
               strcmp(o->state, PUAN_NOTIFY_GIVEN_UP) == 0 ?
                            PUAN_STR("notify.give-up") :
                            PUAN_STR("notify.fail");
    act.subject = puan_str_of(subject);
    rc = puan_commit(puan_store_office(st), &act, settle,
                     (void *)(uintptr_t)o, err);
    if (rc == PUAN_OK)
        puan_live_touch(st, "notices", 0);
    return rc;
}

/* A try has failed: another later, or none. */
static enum puan_status failed(struct puan_store *st,
                               const struct puan_notify_channels *c,
                               const struct puan_notify_delivery_row *d,
                               const char *why, bool receipt,
                               struct puan_err *err)
{
    const struct puan_notify_channel *ch =
        c != NULL ? puan_notify_channel(c, d->channel) : NULL;
    struct outcome o = { .delivery = d->id, .tried = d->tries, .why = why,
                         .receipt = receipt };
    int tried = (int)(receipt ? d->tries : d->tries + 1);
    int64_t wait = ch != NULL ? puan_notify_wait(ch, tried) : -1;

    o.state = wait < 0 ? PUAN_NOTIFY_GIVEN_UP : PUAN_NOTIFY_WAITING;
    o.next = wait < 0 ? 0 : puan_real_now() + wait;
    return enter(st, &o, err);
}

static enum puan_status read_one(struct puan_notify_delivery_row *d,
                                 struct puan_store *st, int64_t id,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_db *db = NULL;
    enum puan_status rc;

    TRY(puan_read_begin(&db, office, err));
    rc = puan_notify_delivery_read(d, db, id, a, err);
    puan_read_end(office, db);
    return rc;
}

static enum puan_status collect(struct puan_store *st,
                                const struct puan_notify_channels *c,
                                const struct puan_spool_try *t,
                                struct puan_arena *a, struct puan_err *err)
{
    struct puan_notify_delivery_row d;
    enum puan_status rc = read_one(&d, st, t->delivery, a, err);
    char why[40] = "";

    if (rc == PUAN_OK && puan_str_is(d.state, PUAN_NOTIFY_WAITING) &&
        d.tries + 1 == t->number) {
        struct outcome o = { .delivery = d.id, .tried = d.tries,
                             .state = PUAN_NOTIFY_HANDED, .why = "" };

        if (t->state == PUAN_SPOOL_DONE && t->code == 0) {
            rc = enter(st, &o, err);
        } else {
            if (t->state == PUAN_SPOOL_DONE)
                puan_format(why, sizeof why, "exit %d", t->code);
            rc = failed(st, c, &d,
                        t->state == PUAN_SPOOL_LATE    ? "late" :
                        t->state == PUAN_SPOOL_CUT_OFF ? "cut off" :
                                                         why,
                        false, err);
        }
    } else if (rc == PUAN_ENOTFOUND) {
        rc = PUAN_OK; /* files of a store that was put back */
    }
    if (rc == PUAN_OK)
        puan_spool_clear(st, t->delivery, t->number);
    return rc;
}

/* ---- receipts --------------------------------------------------------------------- */

enum puan_status puan_notify_receipt(struct puan_store *st,
                                     struct puan_str token, bool received,
                                     struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_notify_delivery_row d;
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    struct puan_arena a;
    bool more = false;
    int64_t id = 0;
    enum puan_status rc;

    TRY(puan_read_begin(&db, office, err));
    puan_arena_init(&a, puan_os_alloc());
    rc = puan_sql(&s, db, "SELECT id FROM notify_delivery WHERE token = $1",
                  err);
    if (rc == PUAN_OK) {
        puan_bind_text(s, 1, token);
        rc = puan_stmt_step(&more, s, err);
        if (rc == PUAN_OK && more)
            id = puan_col_int(s, 0);
        puan_stmt_done(s);
    }
    if (rc == PUAN_OK && (id == 0 || token.n != 32))
        rc = puan_fail(err, PUAN_ENOTFOUND, "receipt",
                       "no message was sent under that token");
    if (rc == PUAN_OK)
        rc = puan_notify_delivery_read(&d, db, id, &a, err);
    puan_read_end(office, db);
    if (rc == PUAN_OK && received) {
        const struct outcome o = { .delivery = id, .receipt = true,
                                   .state = PUAN_NOTIFY_RECEIVED, .why = "" };

        rc = enter(st, &o, err);
    } else if (rc == PUAN_OK && puan_str_is(d.state, PUAN_NOTIFY_HANDED)) {
        rc = failed(st, puan_notify_now(st), &d, "told as failed", true, err);
    }
    puan_arena_clear(&a);
    return rc;
}

static enum puan_status receipts(struct puan_store *st, struct puan_arena *a,
                                 struct puan_err *err)
{
    const char *dir =
        puan_arena_fmt(a, "%s/notify/receipts", puan_store_dir(st));
    const char **names = NULL;
    size_t n = 0;

    TRY(puan_arena_check(a, err));
    if (!puan_dir_exists(dir))
        return PUAN_OK;
    TRY(puan_dir_list(&names, &n, dir, a, err));
    for (size_t i = 0; i < n; i++) {
        const char *path = puan_arena_fmt(a, "%s/%s", dir, names[i]);
        struct puan_str text;
        int says;

        if (!puan_receipt_token(puan_str_of(names[i])) || path == NULL)
            continue; /* being written, or none of ours */
        if (puan_file_read(&text, path, 4096, a, NULL) == PUAN_OK &&
            (says = puan_receipt_read(text)) >= 0) {
            enum puan_status rc = puan_notify_receipt(
                st, puan_str_of(names[i]), says == 1, err);

            if (rc != PUAN_OK && rc != PUAN_ENOTFOUND)
                return rc;
        }
        (void)!puan_file_remove(path, NULL);
    }
    return PUAN_OK;
}

/* ---- what is due -------------------------------------------------------------------- */

static enum puan_status due(int64_t *ids, size_t *n, struct puan_store *st,
                            struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    bool more = false;
    enum puan_status rc;

    *n = 0;
    TRY(puan_read_begin(&db, office, err));
    rc = puan_sql(&s, db,
                  "SELECT id FROM notify_delivery WHERE state = 'waiting' AND"
                  " next <= $1 ORDER BY next, id LIMIT 256",
                  err);
    if (rc == PUAN_OK) {
        puan_bind_int(s, 1, puan_real_now());
        while ((rc = puan_stmt_step(&more, s, err)) == PUAN_OK && more)
            ids[(*n)++] = puan_col_int(s, 0);
        puan_stmt_done(s);
    }
    puan_read_end(office, db);
    return rc;
}

struct running {
    const struct puan_notify_channels *c;
    int n[16]; /* by channel */
};

static int channel_of(const struct puan_notify_channels *c,
                      struct puan_str name)
{
    for (size_t i = 0; c != NULL && i < c->n; i++)
        if (puan_str_eq(c->channel[i].name, name))
            return (int)i;
    return -1;
}

static void remember(struct puan_store *st, int pid)
{
    struct puan_notify_state *s = puan_store_state(st, &puan_feature_notify);

    pthread_mutex_lock(&s->lock);
    if (s->n_pids < PUAN_COUNT(s->pid))
        s->pid[s->n_pids++] = pid;
    pthread_mutex_unlock(&s->lock);
}

/* Programs that have ended leave nothing behind in the table of processes. */
static void reap(struct puan_store *st)
{
    struct puan_notify_state *s = puan_store_state(st, &puan_feature_notify);
    size_t kept = 0;

    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->n_pids; i++)
        if (waitpid((pid_t)s->pid[i], NULL, WNOHANG) == 0)
            s->pid[kept++] = s->pid[i];
    s->n_pids = kept;
    pthread_mutex_unlock(&s->lock);
}

static enum puan_status start(struct puan_store *st, struct running *r,
                              int64_t id, struct puan_arena *a,
                              struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_notify_delivery_row d;
    struct puan_notify_message_row m;
    struct puan_notify_words w;
    struct puan_str to = { "", 0 };
    struct puan_err fault = { 0 };
    struct puan_db *db = NULL;
    struct puan_out body;
    enum puan_status rc;
    bool again;
    int ch, pid = 0;

    TRY(puan_read_begin(&db, office, err));
    rc = puan_notify_delivery_read(&d, db, id, a, err);
    if (rc == PUAN_OK)
        rc = puan_notify_message_read(&m, db, d.message, a, err);
    if (rc != PUAN_OK) {
        puan_read_end(office, db);
        return rc;
    }
    ch = channel_of(r->c, d.channel);
    if (ch >= 0 && r->n[ch] >= r->c->channel[ch].at_once) {
        puan_read_end(office, db);
        return PUAN_OK;
    }
    puan_notify_words_of(&w, &m, st, db, r->c, a);
    rc = puan_notify_address_open(&to, st, db, d.address, a, &fault);
    puan_read_end(office, db);
    if (ch < 0 || rc != PUAN_OK ||
        puan_real_now() - d.next > TOO_OLD_MS) {
        const struct outcome o = {
            .delivery = d.id, .tried = d.tries, .state = PUAN_NOTIFY_GIVEN_UP,
            .why = ch < 0          ? "no such channel" :
                   rc != PUAN_OK ? "no such address" :
                                     "too old"
        };

        return enter(st, &o, err);
    }
    puan_out_init(&body, a);
    puan_notify_body(&body, &r->c->channel[ch], &w, to, puan_real_now(),
                     r->c->english);
    TRY(puan_arena_check(a, err));
    again = puan_str_is(d.why, "cut off") || puan_str_is(d.why, "late");
    if (puan_spool_start(&pid, st, &r->c->channel[ch], &d, puan_out_view(&body),
                         to, again, a, &fault) != PUAN_OK) {
        puan_log_err(PUAN_LOG_WARN, "notify", &fault);
        return failed(st, r->c, &d, "not started", false, err);
    }
    r->n[ch]++;
    remember(st, pid);
    return PUAN_OK;
}

enum puan_status puan_notify_work(struct puan_store *st, struct puan_err *err)
{
    struct running r = { .c = puan_notify_now(st) };
    struct puan_spool_try *t = NULL;
    struct puan_arena a;
    int64_t ids[DUE_MOST];
    size_t tries = 0, n = 0;
    enum puan_status rc;

    puan_arena_init(&a, puan_os_alloc());
    reap(st);
    rc = puan_spool_list(&t, &tries, st, &a, err);
    for (size_t i = 0; rc == PUAN_OK && i < tries; i++) {
        struct puan_notify_delivery_row d;
        int ch = -1;

        if (t[i].state != PUAN_SPOOL_RUNS) {
            rc = collect(st, r.c, &t[i], &a, err);
            continue;
        }
        if (read_one(&d, st, t[i].delivery, &a, NULL) == PUAN_OK)
            ch = channel_of(r.c, d.channel);
        if (ch >= 0) {
            int64_t limit = r.c->channel[ch].limit_ms;

            r.n[ch]++;
            if (t[i].age_ms > limit)
                puan_spool_end(st, &t[i], t[i].age_ms > limit + 5000);
        }
    }
    if (rc == PUAN_OK)
        rc = receipts(st, &a, err);
    /* in an installation without channels nothing ever waits */
    if (rc == PUAN_OK && (r.c != NULL || tries > 0))
        rc = due(ids, &n, st, err);
    for (size_t i = 0; rc == PUAN_OK && i < n; i++) {
        bool begun = false;

        for (size_t k = 0; k < tries; k++)
            begun |= t[k].delivery == ids[i] && t[k].state == PUAN_SPOOL_RUNS;
        if (!begun && r.c != NULL)
            rc = start(st, &r, ids[i], &a, err);
    }
    puan_arena_clear(&a);
    return rc;
}
