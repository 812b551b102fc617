/*
 * The job that lets clocks act.  It reads the rows that are due and commits
 * one tick each; whether the tick is still due is decided inside the act, so
 * it happens once however often the job runs, dies or overlaps.
 *
 * It runs often and in a thread of its own, so that a clock acts when it is
 * due and not when other jobs have finished; between times it compares two
 * numbers and asks the store nothing.
 */
#include <pthread.h>

#include "features/cases/internal.h"
#include "kit/job/progress.h"
#include "kit/log/log.h"
#include "kit/os/heap.h"

#define DUE_AT_ONCE 256
#define LOOK_AGAIN 1000 /* ms real: what is stuck, what was committed late */

struct due {
    struct puan_case_call call;
    struct puan_act act;
    struct puan_arena arena;
    struct waiting *wait;
    bool skip; /* cannot be judged now; must not hold up the others */
};

/* One wait for all ticks of a round. */
struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t all;
    size_t left, done;
    enum puan_status st;
    struct puan_err err;
};

static bool by_clock(const struct puan_flow *f, int clock)
{
    for (size_t i = 0; i < f->n_transitions; i++)
        if (f->transitions[i].clock == clock)
            return true;
    return false;
}

/* A transition this clock may make now: tried; a refusal leaves the run. */
static enum puan_status try_moves(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, struct due *d,
                                  struct puan_err *err)
{
    const struct puan_flow_run *run = d->call.after;
    const struct puan_flow *f = run->flow;
    int clock = puan_flow_clock(f, d->call.event.name);
    bool moved = false, any = false;

    for (size_t i = 0; i < f->n_transitions && !moved; i++) {
        struct puan_case_call *move;
        struct puan_err why = { 0 };
        enum puan_status st;

        if (f->transitions[i].clock != clock ||
            !PUAN_FLOW_HAS(f->transitions[i].from, run->state))
            continue;
        any = true;
        move = puan_new(&d->arena, struct puan_case_call);
        if (move == NULL)
            return puan_arena_check(&d->arena, err);
        move->run = d->call.run;
        move->arena = &d->arena;
        move->facts = d->call.facts;
        move->event.kind = PUAN_FLOW_ACT;
        move->event.name = f->transitions[i].label.name;
        move->event.who = puan_case_system();
        st = puan_case_in(sh, db, act, move, &why);
        if (st == PUAN_OK)
            moved = true;
        else if (st != PUAN_ECONFLICT && st != PUAN_EINVAL) {
            if (err != NULL)
                *err = why;
            return st;
        }
    }
    /* told once, not at every retry */
    if (any && !moved && run->clock[clock].tries == 1)
        return puan_case_refused(sh, db, act, &d->call, clock, err);
    return PUAN_OK;
}

static enum puan_status tick_body(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    struct due *d = arg;
    const struct puan_flow *f;
    struct puan_err why = { 0 };
    enum puan_status st = puan_case_in(sh, db, act, &d->call, &why);
    int clock;

    if (st == PUAN_ECONFLICT && d->call.after != NULL) {
        /* it was not due any more: put the row right and enter nothing */
        act->silent = true;
        return puan_case_clock_write(puan_shard_store(sh), db, d->call.after,
                                     err);
    }
    if (st != PUAN_OK) {
        if (err != NULL)
            *err = why;
        return st;
    }
    f = d->call.after->flow;
    clock = puan_flow_clock(f, d->call.event.name);
    if (!by_clock(f, clock) || (!puan_str_is(d->call.event.part, "due") &&
                                !puan_str_is(d->call.event.part, "retry")))
        return PUAN_OK;
    return try_moves(sh, db, act, d, err);
}

static void tick_done(enum puan_status st, struct puan_act *act, void *arg,
                      const struct puan_err *err)
{
    struct waiting *w = ((struct due *)arg)->wait;

    pthread_mutex_lock(&w->lock);
    if (st == PUAN_OK) {
        if (!act->silent)
            w->done++;
    } else if (w->st == PUAN_OK) {
        w->st = st;
        if (err != NULL)
            w->err = *err;
    }
    if (--w->left == 0)
        pthread_cond_signal(&w->all);
    pthread_mutex_unlock(&w->lock);
}

/* How far a round has come among rows that cannot act now. */
struct past {
    int64_t at, run;
};

/* The rows due at `now` behind `from`, read with what their guards will ask. */
static enum puan_status read_due(struct due *list, size_t *n, struct past *last,
                                 struct puan_store *st, int64_t now,
                                 const struct past *from, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    enum puan_status rc;
    bool more = false;

    *n = 0;
    rc = puan_read_begin(&db, office, err);
    if (rc != PUAN_OK)
        return rc;
    rc = puan_sql(&s, db,
                  "SELECT run, clock, part, at FROM case_clock WHERE at <= $1"
                  " AND (at > $2 OR (at = $2 AND run > $3))"
                  " ORDER BY at, run LIMIT 256",
                  err);
    if (rc != PUAN_OK)
        goto out;
    puan_bind_int(s, 1, now);
    puan_bind_int(s, 2, from->at);
    puan_bind_int(s, 3, from->run);
    while ((rc = puan_stmt_step(&more, s, err)) == PUAN_OK && more &&
           *n < DUE_AT_ONCE) {
        struct due *d = &list[*n];

        puan_arena_init(&d->arena, &puan_heap);
        d->call.run = puan_col_int(s, 0);
        d->call.arena = &d->arena;
        d->call.event.kind = PUAN_FLOW_TICK;
        d->call.event.name = puan_str_of(
            puan_arena_dup(&d->arena, puan_col_text(s, 1)));
        d->call.event.part = puan_str_of(
            puan_arena_dup(&d->arena, puan_col_text(s, 2)));
        d->call.event.who = puan_case_system();
        d->act.actor = PUAN_STR("puan");
        d->act.seat = PUAN_STR("system");
        d->act.device = PUAN_STR("");
        *last = (struct past){ puan_col_int(s, 3), d->call.run };
        (*n)++;
    }
    puan_stmt_done(s);
    for (size_t i = 0; rc == PUAN_OK && i < *n; i++)
        rc = puan_case_row_read(&list[i].call.row, db, list[i].call.run,
                                &list[i].arena, err);
out:
    puan_read_end(office, db);
    return rc;
}

/* What the guards of its transitions will ask, read outside the writer. */
static void prepare(struct due *d, struct puan_store *st)
{
    const struct puan_flow *f = NULL;
    struct puan_err why = { 0 };
    int clock;
    enum puan_status rc = puan_cases_flow(&f, st, d->call.row.flow, &why);

    if (rc == PUAN_OK) {
        clock = puan_flow_clock(f, d->call.event.name);
        if (clock >= 0 && by_clock(f, clock))
            rc = puan_case_facts_of(&d->call.facts, st, &d->call.row,
                                    &d->arena, &why);
    }
    if (rc == PUAN_OK)
        return;
    d->skip = true;
    puan_log(PUAN_LOG_WARN, "clock waits", PUAN_LOG_I("case", d->call.run),
             PUAN_LOG_T("why", why.text));
}

/* One batch: every row acts or is found not due; waits for all of them. */
static void act_on(struct due *list, size_t n, struct waiting *w,
                   struct puan_store *st)
{
    w->left = w->done = 0;
    w->st = PUAN_OK;
    for (size_t i = 0; i < n; i++)
        w->left += !list[i].skip;
    for (size_t i = 0; i < n; i++) {
        if (list[i].skip)
            continue;
        list[i].wait = w;
        puan_commit_async(puan_store_office(st), &list[i].act, tick_body,
                          tick_done, &list[i]);
    }
    pthread_mutex_lock(&w->lock);
    while (w->left > 0)
        pthread_cond_wait(&w->all, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

/* *now: the time up to which all that can act has acted. */
static enum puan_status tick_all(int64_t *ticks, int64_t *now,
                                 struct puan_store *st, struct puan_err *err)
{
    struct puan_arena a;
    struct due *list;
    struct waiting w = { .lock = PTHREAD_MUTEX_INITIALIZER,
                         .all = PTHREAD_COND_INITIALIZER };
    struct past from = { INT64_MIN, 0 }, last = from;
    enum puan_status rc, first = PUAN_OK;
    size_t n = 0;

    puan_arena_init(&a, &puan_heap);
    list = puan_new_n(&a, DUE_AT_ONCE, struct due);
    rc = puan_arena_check(&a, err);
    while (rc == PUAN_OK) {
        *now = puan_store_now(st);
        rc = read_due(list, &n, &last, st, *now, &from, err);
        for (size_t i = 0; rc == PUAN_OK && i < n; i++)
            prepare(&list[i], st);
        w.done = 0;
        if (rc == PUAN_OK && n > 0) {
            act_on(list, n, &w, st);
            if (w.st != PUAN_OK && first == PUAN_OK) {
                first = w.st; /* said once; the others go on */
                if (err != NULL)
                    *err = w.err;
            }
            *ticks += (int64_t)w.done;
        }
        for (size_t i = 0; i < n; i++) {
            puan_arena_clear(&list[i].arena);
            memset(&list[i], 0, sizeof list[i]);
        }
        if (n == 0)
            break;
        /* what cannot act waits for the next run and holds nobody up */
        if (w.done == 0)
            from = last;
    }
    pthread_mutex_destroy(&w.lock);
    pthread_cond_destroy(&w.all);
    puan_arena_clear(&a);
    return rc != PUAN_OK ? rc : first;
}

enum puan_status puan_cases_tick(struct puan_store *st, int64_t *ticks,
                                 struct puan_err *err)
{
    int64_t n = 0, now;
    enum puan_status rc = tick_all(&n, &now, st, err);

    if (ticks != NULL)
        *ticks = n;
    return rc;
}

/* ---- when to look --------------------------------------------------------- */

void puan_case_clock_hint(struct puan_store *st, int64_t at)
{
    struct puan_cases *c = puan_store_state(st, &puan_feature_cases);
    int64_t was;

    if (c == NULL)
        return;
    was = atomic_load(&c->next_ms);
    while (at < was && !atomic_compare_exchange_weak(&c->next_ms, &was, at))
        ;
}

/* The first tick that is still to come. */
static enum puan_status next_after(int64_t *at, struct puan_store *st,
                                   int64_t now, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    bool more = false;
    enum puan_status rc = puan_read_begin(&db, office, err);

    *at = INT64_MAX;
    if (rc != PUAN_OK)
        return rc;
    rc = puan_sql(&s, db,
                  "SELECT at FROM case_clock WHERE at > $1 ORDER BY at LIMIT 1",
                  err);
    if (rc == PUAN_OK) {
        puan_bind_int(s, 1, now);
        rc = puan_stmt_step(&more, s, err);
        if (rc == PUAN_OK && more)
            *at = puan_col_int(s, 0);
        puan_stmt_done(s);
    }
    puan_read_end(office, db);
    return rc;
}

enum puan_status puan_cases_clocks(struct puan_store *st, struct puan_err *err)
{
    struct puan_cases *c = puan_store_state(st, &puan_feature_cases);
    int64_t now = puan_store_now(st), at = 0, n = 0, real = puan_monotonic_ms();
    struct puan_err why = { 0 };
    enum puan_status rc, next;

    if (c == NULL ||
        (now < atomic_load(&c->next_ms) && real - c->looked_ms < LOOK_AGAIN))
        return PUAN_OK;
    c->looked_ms = real;
    /* from here on a hint counts again, whatever is read below */
    atomic_store(&c->next_ms, INT64_MAX);
    rc = tick_all(&n, &now, st, err);
    next = next_after(&at, st, now, &why);
    if (next == PUAN_OK)
        puan_case_clock_hint(st, at);
    else if (rc == PUAN_OK) {
        rc = next;
        if (err != NULL)
            *err = why;
    }
    return rc;
}
