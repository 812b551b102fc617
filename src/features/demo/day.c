/*
 * The day that is kept: while returns arrive the offices already review, ask
 * back and search, scripts of the plan are played, and at one moment a backup
 * is made through the running server; restored, it is a census in the middle
 * of its work beside the finished one.
 *
 * The plan says when, in demo/day.yaml; without it nothing is kept:
 *
 *   moment: T            what is kept
 *   corrected: N         households that should wait, corrected, by then:
 *                        queries on soft findings too, until there are enough
 *   open_every: N        one queried household in N has not been met by then
 *   confirm: TEXT        what a household says that stands by its answers
 *   search: T            duplicates are looked for
 *   rounds:
 *     - {ask: T, answer: T, reason: TEXT}
 *   settle: T            after the moment: the rest is answered
 *
 *   tour:                what the page of keys leads through (ring.c)
 *     - {by: ROLE, page: /office/board, on: day|end, zh: TEXT, en: TEXT}
 *
 * Scripts of demo/ with `at: day` are played when their first clock is due.
 */
#include "features/demo/demo.h"

#include <stdlib.h>

#include "base/calendar.h"
#include "features/demo/people.h"
#include "features/demo/review.h"
#include "kit/os/os.h"

#define ROUNDS 16
#define EVENTS 256
#define LEFT 64
#define PARTS 12 /* answers of one round come in over a while */
#define PART_MS (INT64_C(8) * 60 * 1000)

enum what { WHAT_ASK, WHAT_ANSWER, WHAT_SEARCH, WHAT_PLAY, WHAT_SETTLE };

struct event {
    int64_t ms;
    enum what what;
    unsigned part;
    size_t order; /* as read, where two fall together */
    const struct puan_review_round *round;
    const char *script;
};

struct puan_day {
    int64_t moment;
    struct puan_review_round round[ROUNDS];
    size_t n_rounds;
    struct event event[EVENTS];
    size_t n, next;
    struct left {
        int64_t household, query;
    } left[LEFT]; /* queries that waited at the moment */
    size_t n_left;
};

static enum puan_status when(int64_t *ms, const struct puan_node *n,
                             const char *key, struct puan_err *err)
{
    struct puan_str t;
    enum puan_status st = puan_node_str(&t, n, key, err);

    if (st == PUAN_OK && !puan_instant_parse(ms, t))
        st = puan_node_fail(n, err, "%s: wants a time", key);
    return st;
}

static struct event *add(struct puan_day *y, int64_t ms, enum what what)
{
    struct event *e = &y->event[y->n];

    if (y->n == EVENTS)
        return &y->event[EVENTS - 1];
    *e = (struct event){ .ms = ms, .what = what, .order = y->n };
    y->n++;
    return e;
}

static int by_ms(const void *a, const void *b)
{
    const struct event *x = a, *z = b;

    if (x->ms != z->ms)
        return x->ms < z->ms ? -1 : 1;
    return x->order < z->order ? -1 : x->order > z->order;
}

static enum puan_status read_rounds(struct puan_day *y,
                                    const struct puan_node *top,
                                    struct puan_err *err)
{
    int64_t corrected = 0, every = 0, ms = 0;
    enum puan_status st = PUAN_OK;

    if (puan_node_get(top, "corrected"))
        st = puan_node_int(&corrected, top, "corrected", 0, 1000000, err);
    if (st == PUAN_OK && puan_node_get(top, "open_every"))
        st = puan_node_int(&every, top, "open_every", 2, 1000000, err);
    PUAN_NODE_EACH(n, puan_node_get(top, "rounds"))
    {
        struct puan_review_round *r = &y->round[y->n_rounds];

        if (st == PUAN_OK && y->n_rounds == ROUNDS)
            st = puan_node_fail(n, err, "more than %d rounds", ROUNDS);
        if (st == PUAN_OK)
            st = puan_node_str(&r->reason, n, "reason", err);
        if (st == PUAN_OK)
            st = when(&ms, n, "ask", err);
        if (st != PUAN_OK)
            return st;
        r->confirm = puan_node_str_opt(top, "confirm", "");
        r->open_every = every;
        y->n_rounds++;
        add(y, ms, WHAT_ASK)->round = r;
        st = when(&ms, n, "answer", err);
        for (unsigned i = 0; i < PARTS; i++) {
            struct event *e = add(y, ms + i * PART_MS, WHAT_ANSWER);

            e->round = r;
            e->part = i;
        }
    }
    if (y->n_rounds) /* only the last one knows what is still wanting */
        y->round[y->n_rounds - 1].wanted = corrected;
    return st;
}

/* Scripts of the plan's own demo folder that are played on the day. */
static void read_scripts(struct puan_day *y, struct puan_demo *d)
{
    const struct puan_plan_pack *pack = &d->plan->pack[0];

    for (size_t i = 0; i < pack->n_files; i++) {
        const struct puan_plan_file *f = &pack->file[i];
        int64_t ms = y->moment;
        struct puan_str t = { 0 };

        if (f->tree == NULL || !puan_str_starts(f->path, "demo/") ||
            !puan_str_is(puan_node_str_opt(f->tree, "at", ""), "day"))
            continue;
        PUAN_NODE_EACH(n, puan_node_get(f->tree, "steps"))
        if (t.n == 0)
            t = puan_node_str_opt(n, "clock", "");
        if (t.n && !puan_instant_parse(&ms, t))
            ms = y->moment; /* the step itself will say what is wrong */
        add(y, ms < y->moment ? ms : y->moment, WHAT_PLAY)->script =
            puan_arena_dup(&d->arena, f->path);
    }
}

enum puan_status puan_day_open(struct puan_demo *d, struct puan_err *err)
{
    const struct puan_plan_file *f =
        puan_plan_file(d->plan, PUAN_STR("demo/day.yaml"));
    struct puan_day *y;
    int64_t ms = 0;
    enum puan_status st;

    if (f == NULL || f->tree == NULL)
        return PUAN_OK;
    y = calloc(1, sizeof(*y));
    if (y == NULL)
        return puan_fail(err, PUAN_ENOMEM, "demo", "out of memory");
    d->day = y;
    st = when(&y->moment, f->tree, "moment", err);
    if (st == PUAN_OK)
        st = read_rounds(y, f->tree, err);
    if (st == PUAN_OK && puan_node_get(f->tree, "search")) {
        st = when(&ms, f->tree, "search", err);
        add(y, ms, WHAT_SEARCH);
    }
    if (st == PUAN_OK) {
        ms = y->moment + 1;
        if (puan_node_get(f->tree, "settle"))
            st = when(&ms, f->tree, "settle", err);
        add(y, ms, WHAT_SETTLE);
    }
    read_scripts(y, d);
    qsort(y->event, y->n, sizeof(y->event[0]), by_ms);
    return st == PUAN_OK ? puan_review_open(d, err) : st;
}

void puan_day_close(struct puan_day *y)
{
    free(y);
}

int64_t puan_day_moment(const struct puan_demo *d)
{
    return d->day ? d->day->moment : INT64_MAX;
}

int64_t puan_day_next(const struct puan_demo *d)
{
    const struct puan_day *y = d->day;

    return y && y->next < y->n ? y->event[y->next].ms : INT64_MAX;
}

static enum puan_status search(struct puan_demo *d, struct puan_err *err)
{
    struct puan_arena a;
    enum puan_status st = PUAN_OK;

    puan_arena_init(&a, puan_os_alloc());
    for (size_t i = 0; st == PUAN_OK && i < d->n_tops; i++) {
        struct puan_node *reply = NULL;

        st = puan_people_search(&reply, d, d->top[i], &a, err);
    }
    puan_arena_clear(&a);
    return st;
}

static enum puan_status happen(struct puan_demo *d, const struct event *e,
                               struct puan_err *err)
{
    static const struct puan_review_round settle; /* a visit to everybody left */

    switch (e->what) {
    case WHAT_ASK:
        return puan_review_round(d, e->round, PUAN_REVIEW_ASK, 0, 1, err);
    case WHAT_ANSWER:
        return puan_review_round(d, e->round, PUAN_REVIEW_ANSWER, e->part,
                                 PARTS, err);
    case WHAT_SEARCH:
        return search(d, err);
    case WHAT_PLAY:
        return puan_demo_play(d, e->script, d->top[0], err);
    case WHAT_SETTLE:
        break;
    }
    return puan_review_round(d, &settle, PUAN_REVIEW_ANSWER, 0, 1, err);
}

enum puan_status puan_day_work(struct puan_demo *d, int64_t until,
                               struct puan_err *err)
{
    struct puan_day *y = d->day;
    enum puan_status st = PUAN_OK;

    while (st == PUAN_OK && y && y->next < y->n &&
           y->event[y->next].ms <= until) {
        const struct event *e = &y->event[y->next++];

        st = puan_people_clock(d, e->ms, err);
        if (st == PUAN_OK)
            st = happen(d, e, err);
    }
    return st;
}

enum puan_status puan_day_keep(struct puan_demo *d, struct puan_err *err)
{
    size_t open = 0, corrected = 0;
    enum puan_status st;

    puan_demo_stage(d, "day", "登记期间的一天：审核、查询、留存备份",
                    "a day of registration: review, queries, a backup of it");
    st = puan_day_work(d, d->day->moment, err);
    if (st == PUAN_OK)
        st = puan_people_everybody(d, err);
    if (st == PUAN_OK)
        st = puan_people_hold_clock(d, d->day->moment, err);
    if (st == PUAN_OK)
        st = puan_people_backup(d, "day", err);
    if (st != PUAN_OK)
        return st;
    corrected = puan_review_waiting(d, &open);
    while (d->day->n_left < LEFT &&
           puan_review_left(d, d->day->n_left,
                            &d->day->left[d->day->n_left].household,
                            &d->day->left[d->day->n_left].query))
        d->day->n_left++;
    puan_jw_kint(&d->report, "day_corrected", (int64_t)corrected);
    puan_jw_kint(&d->report, "day_open_queries", (int64_t)open);
    puan_demo_say("已更正待复核 %zu 户，查询未答复 %zu 户；此刻的全部数据已备份",
                  corrected, open);
    puan_demo_say("%zu households corrected and waiting, %zu queries open; "
                  "a backup of this moment is made",
                  corrected, open);
    return PUAN_OK;
}

bool puan_day_left(const struct puan_demo *d, size_t n, int64_t *household,
                   int64_t *query)
{
    if (!d->day || n >= d->day->n_left)
        return false;
    *household = d->day->left[n].household;
    *query = d->day->left[n].query;
    return true;
}

enum puan_status puan_day_restore(struct puan_demo *d, struct puan_err *err)
{
    const char *all = puan_arena_fmt(&d->arena, "%s.backups", d->census);
    const char *backup = puan_arena_fmt(&d->arena, "%s/day", all);
    const char *argv[] = { "puan", "restore", backup,
                           puan_arena_fmt(&d->arena, "%s/day", d->o.dir),
                           NULL };
    enum puan_status st;

    puan_demo_stage(d, "restore", "恢复登记期间的备份并校验",
                    "restore the backup of the day, verifying");
    st = puan_demo_run(d, argv, d->log, err);
    return st == PUAN_OK ? puan_dir_remove(all, err) : st;
}
