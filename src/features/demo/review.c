/*
 * Review: the county's office looks through the roll for returns with hard
 * findings, sends each back with its findings and a reason, and the
 * enumerator of the area asks the household again and sends what it then
 * answers, which is the truth (returns_true) and not what a detector thinks.
 */
#include "features/demo/review.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "features/demo/people.h"
#include "kit/job/job.h"
#include "kit/job/progress.h"
#include "kit/os/os.h"

#define DESKS 4
#define PAGE 1000

/* Who works in an enumeration area, from the visits. */
struct worker {
    int64_t ea;
    struct puan_str staff, device;
};

/* One household that is sent back. */
struct errand {
    int64_t household;
    int64_t query; /* its number; 0: not yet asked */
    bool answered;
};

struct puan_review {
    struct puan_demo *d;
    struct worker *worker;
    size_t n_workers;
    struct puan_sheet_out *missing; /* listed, nothing received */
    struct errand *errand;
    size_t n, cap;
    size_t queried; /* in all rounds */
    const struct puan_review_round *round;
    atomic_uint_fast64_t counter, answered, unchanged, still_hard;
    struct puan_progress bar;
};

/* ---- who answers
 * ------------------------------------------------------------- */

static int by_ea(const void *a, const void *b)
{
    const struct worker *x = a, *y = b;

    return x->ea < y->ea ? -1 : x->ea > y->ea;
}

static enum puan_status find_workers(struct puan_review *r,
                                     struct puan_err *err)
{
    struct puan_demo *d = r->d;
    size_t cap = 0;

    for (size_t k = 0; k < d->n_counties; k++) {
        for (size_t i = 0; i < puan_city_n(d->city[k]); i++) {
            const struct puan_visit *v = puan_city_visit(d->city[k], i);

            if (v->staff.n == 0 ||
                (r->n_workers && r->worker[r->n_workers - 1].ea == v->ea))
                continue;
            if (r->n_workers == cap) {
                struct worker *p;

                cap = cap ? cap * 2 : 1024;
                p = realloc(r->worker, cap * sizeof(*p));
                if (p == NULL)
                    return puan_fail(err, PUAN_ENOMEM, "demo", "out of memory");
                r->worker = p;
            }
            r->worker[r->n_workers++] =
                (struct worker){ v->ea, v->staff, v->device };
        }
    }
    if (r->n_workers)
        qsort(r->worker, r->n_workers, sizeof(*r->worker), by_ea);
    return PUAN_OK;
}

static const struct worker *worker_of(const struct puan_review *r, int64_t ea)
{
    struct worker key = { .ea = ea };

    return r->n_workers
               ? bsearch(&key, r->worker, r->n_workers, sizeof(key), by_ea)
               : NULL;
}

/* ---- the roll
 * ------------------------------------------------------------------- */

static enum puan_status keep(struct puan_review *r, int64_t household,
                             struct puan_err *err)
{
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 1024;
        struct errand *p = realloc(r->errand, cap * sizeof(*p));

        if (p == NULL)
            return puan_fail(err, PUAN_ENOMEM, "demo", "out of memory");
        r->errand = p;
        r->cap = cap;
    }
    r->errand[r->n++] = (struct errand){ .household = household };
    return PUAN_OK;
}

static enum puan_status read_roll(struct puan_review *r, int64_t county,
                                  struct puan_err *err)
{
    struct puan_desk k;
    struct puan_arena a;
    int64_t cursor = 0;
    enum puan_status st =
        puan_people_desk(&k, r->d, "return.query", county, err);

    if (st != PUAN_OK)
        return st;
    puan_arena_init(&a, puan_os_alloc());
    do {
        struct puan_node *page = NULL;

        puan_arena_reset(&a);
        st = puan_desk_call(
            &page, NULL, &k, "GET",
            puan_arena_fmt(&a, "/listing?area=%lld&limit=%d&cursor=%lld",
                           (long long)county, PAGE, (long long)cursor),
            NULL, 0, &a, err);
        if (st != PUAN_OK)
            break;
        PUAN_NODE_EACH(c, puan_node_get(page, "items"))
        {
            int64_t household = 0, hard = 0;

            if (puan_str_is(puan_node_str_opt(c, "version", ""), "0") &&
                !puan_str_is(puan_node_str_opt(c, "status", ""), "vacant")) {
                puan_sheet_put_text(r->missing, "listing");
                puan_sheet_put(r->missing,
                               puan_node_str_opt(c, "household", ""));
                puan_sheet_put_int(r->missing, 0);
                puan_sheet_end_row(r->missing);
            }
            if (!puan_int_parse(&household,
                                puan_node_str_opt(c, "household", "")) ||
                !puan_int_parse(&hard, puan_node_str_opt(c, "hard", "0")) ||
                hard == 0)
                continue;
            st = keep(r, household, err);
            if (st != PUAN_OK)
                break;
        }
        cursor = 0;
        (void)!puan_int_parse(&cursor, puan_node_str_opt(page, "next", "0"));
    } while (st == PUAN_OK && cursor != 0);
    puan_arena_clear(&a);
    puan_desk_close(&k);
    return st;
}

/* ---- one household
 * ---------------------------------------------------------------- */

static int county_of(const struct puan_demo *d, int64_t household)
{
    for (size_t k = 0; k < d->n_counties; k++)
        if (puan_city_find(d->city[k], household))
            return (int)k;
    return -1;
}

static bool has_hard(const struct puan_node *ret)
{
    PUAN_NODE_EACH(f, puan_node_get(ret, "findings"))
    if (puan_str_is(puan_node_str_opt(f, "severity", ""), "hard"))
        return true;
    return false;
}

static void name_finding(struct puan_jw *w, const struct puan_node *f)
{
    int64_t row = 0;

    puan_jw_kstr(w, "rule", puan_node_str_opt(f, "rule", ""));
    if (puan_int_parse(&row, puan_node_str_opt(f, "row", "")) && row > 0)
        puan_jw_kint(w, "row", row);
}

/* The findings of the last version, as the query names them: those that must
 * be corrected or, where there is none, those that want a reason. */
static void name_findings(struct puan_jw *w, const struct puan_node *ret)
{
    const char *severity = has_hard(ret) ? "hard" : "soft";

    puan_jw_list(w);
    PUAN_NODE_EACH(f, puan_node_get(ret, "findings"))
    {
        if (!puan_str_is(puan_node_str_opt(f, "severity", ""), severity))
            continue;
        puan_jw_map(w);
        name_finding(w, f);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

/* What the household stands by, with the reason it gives. */
static enum puan_status confirm(struct puan_str *out, struct puan_desk *field,
                                int64_t household, struct puan_str reason,
                                struct puan_arena *a, struct puan_err *err)
{
    struct puan_node *ret = NULL;
    struct puan_out o;
    struct puan_jw w;
    enum puan_status st = puan_desk_call(
        &ret, NULL, field, "GET",
        puan_arena_fmt(a, "/households/%lld/return", (long long)household),
        NULL, 0, a, err);

    if (st != PUAN_OK)
        return st;
    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_list(&w);
    PUAN_NODE_EACH(f, puan_node_get(ret, "findings"))
    {
        if (!puan_str_is(puan_node_str_opt(f, "severity", ""), "soft"))
            continue;
        puan_jw_map(&w);
        name_finding(&w, f);
        puan_jw_kstr(&w, "reason", reason);
        puan_jw_end(&w, '}');
    }
    puan_jw_end(&w, ']');
    *out = puan_out_view(&o);
    return PUAN_OK;
}

/* Sends the household back; *query gets the number of the query. */
static enum puan_status ask(int64_t *query, struct puan_desk *k,
                            int64_t household, struct puan_str reason,
                            struct puan_arena *a, struct puan_err *err)
{
    struct puan_node *ret = NULL, *made = NULL;
    int64_t version = 0;
    struct puan_out o;
    struct puan_jw w;
    enum puan_status st = puan_desk_call(
        &ret, NULL, k, "GET",
        puan_arena_fmt(a, "/households/%lld/return", (long long)household),
        NULL, 0, a, err);

    if (st == PUAN_OK)
        st = puan_node_int(&version, ret, "version", 1, 255, err);
    if (st != PUAN_OK)
        return st;
    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kint(&w, "version", version);
    puan_jw_kstr(&w, "reason", reason);
    puan_jw_key(&w, "findings");
    name_findings(&w, ret);
    puan_jw_end(&w, '}');
    st = puan_desk_call(
        &made, NULL, k, "POST",
        puan_arena_fmt(a, "/households/%lld/queries", (long long)household),
        o.p, 0, a, err);
    if (st == PUAN_OK)
        st = puan_node_int(query, made, "id", 1, INT64_MAX, err);
    return st;
}

static enum puan_status answer(struct puan_review *r, struct puan_desk *field,
                               struct puan_city_reader *first,
                               struct puan_city_reader *again,
                               int64_t household, int64_t query,
                               struct puan_arena *a, struct puan_err *err)
{
    struct puan_demo *d = r->d;
    struct puan_ack *ack = puan_demo_ack(d, household);
    const struct puan_visit *seen = puan_city_find(first->city, household);
    const struct puan_visit *told =
        again->city ? puan_city_find(again->city, household) : NULL;
    const struct worker *w = worker_of(r, seen->ea);
    struct puan_sending s = { .mode = PUAN_STR("enumerator") };
    struct puan_visit as = *seen, said = told ? *told : *seen;
    struct puan_node *receipt = NULL;
    char started[32], finished[32];
    struct puan_str digest;
    const char *token;
    struct puan_out o;
    int64_t version = 0;
    unsigned hard = 0;
    enum puan_status st;

    if (w == NULL)
        return PUAN_OK; /* nobody works there: it stays open */
    as.staff = w->staff;
    as.device = w->device;
    st = puan_people_token(&token, d, &as, field, a, err);
    if (st != PUAN_OK)
        return st;
    puan_format(field->token, sizeof(field->token), "%s", token);
    s.base = ack->version;
    s.device = w->device;
    s.counter = 2000000 + atomic_fetch_add(&r->counter, 1);
    s.query = puan_str_of(puan_arena_fmt(a, "%lld", (long long)query));
    puan_instant_text(started, d->clock_ms - INT64_C(25) * 60 * 1000,
                      d->plan->offset_minutes);
    puan_instant_text(finished, d->clock_ms - INT64_C(10) * 60 * 1000,
                      d->plan->offset_minutes);
    said.started = puan_str_of(started);
    said.finished = puan_str_of(finished);
    if (told == NULL && r->round && r->round->confirm.n)
        st = confirm(&s.confirm, field, household, r->round->confirm, a, err);
    puan_out_init(&o, a);
    if (st == PUAN_OK)
        st = puan_city_document(&o, told ? again : first, &said, &s, err);
    if (st == PUAN_OK)
        st = puan_desk_call(&receipt, NULL, field, "POST", "/returns", o.p, 0,
                            a, err);
    if (st == PUAN_OK)
        st = puan_node_int(&version, receipt, "version", 1, 255, err);
    if (st == PUAN_OK)
        st = puan_node_str(&digest, receipt, "digest", err);
    if (st != PUAN_OK)
        return st;
    ack->version = (uint32_t)version;
    if (!puan_unhex(ack->digest, PUAN_DIGEST_SIZE, digest))
        return puan_fail(err, PUAN_EIO, "receipt", "no digest");
    PUAN_NODE_EACH(f, puan_node_get(receipt, "findings"))
    hard += puan_str_is(puan_node_str_opt(f, "severity", ""), "hard");
    if (told)
        puan_true_answered(&d->truth, household);
    atomic_fetch_add(told ? &r->answered : &r->unchanged, 1);
    if (hard)
        atomic_fetch_add(&r->still_hard, 1);
    return PUAN_OK;
}

/* Some stay away, or have not been met: their query waits. */
static bool waits(const struct puan_review *r, int64_t household)
{
    int64_t every = r->round ? r->round->open_every : 0;

    return every > 0 && household % every == 0;
}

static enum puan_status send_back(struct puan_review *r, size_t from, size_t to,
                                  enum puan_review_part part,
                                  struct puan_str reason, struct puan_err *err)
{
    struct puan_demo *d = r->d;
    struct puan_city_reader first = { 0 }, again = { 0 };
    struct puan_desk office = { 0 }, field = { 0 };
    struct puan_arena a;
    int county = -1;
    enum puan_status st = puan_desk_open(&field, d, err);

    field.campaign = d->campaign;
    puan_arena_init(&a, puan_os_alloc());
    for (size_t i = from; st == PUAN_OK && i < to; i++) {
        struct errand *e = &r->errand[i];
        int k = county_of(d, e->household);

        if (k < 0)
            continue; /* found at the door: not of the simulation */
        puan_arena_reset(&a);
        if (k != county) {
            puan_city_reader_close(&first);
            puan_city_reader_close(&again);
            puan_desk_close(&office);
            county = k;
            st = puan_city_reader_open(&first, d->city[k], err);
            if (st == PUAN_OK && d->again[k])
                st = puan_city_reader_open(&again, d->again[k], err);
            else
                again.city = NULL;
            if (st == PUAN_OK)
                st = puan_people_desk(&office, d, "return.query", d->county[k],
                                      err);
        }
        if (st == PUAN_OK && (part & PUAN_REVIEW_ASK) && e->query == 0)
            st = ask(&e->query, &office, e->household, reason, &a, err);
        if (st == PUAN_OK && (part & PUAN_REVIEW_ANSWER) && e->query != 0 &&
            !e->answered && !waits(r, e->household)) {
            st = answer(r, &field, &first, &again, e->household, e->query, &a,
                        err);
            e->answered = true;
        }
        puan_progress_add(&r->bar, 1);
    }
    puan_city_reader_close(&first);
    puan_city_reader_close(&again);
    puan_desk_close(&office);
    puan_desk_close(&field);
    puan_arena_clear(&a);
    return st;
}

struct shared {
    struct puan_review *r;
    size_t first;
    enum puan_review_part part;
    struct puan_str reason;
};

static enum puan_status share(void *arg, uint64_t begin, uint64_t end,
                              unsigned worker, struct puan_err *err)
{
    struct shared *s = arg;

    (void)worker;
    return send_back(s->r, s->first + (size_t)begin, s->first + (size_t)end,
                     s->part, s->reason, err);
}

/* Every county's desk stands before several work at it. */
static enum puan_status open_desks(struct puan_demo *d, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    for (size_t k = 0; st == PUAN_OK && k < d->n_counties; k++) {
        struct puan_desk desk = { 0 };

        st = puan_people_desk(&desk, d, "return.query", d->county[k], err);
        puan_desk_close(&desk);
    }
    return st;
}

/* ---- while returns arrive
 * ------------------------------------------------------------------ */

enum puan_status puan_review_open(struct puan_demo *d, struct puan_err *err)
{
    struct puan_review *r;

    if (d->review)
        return PUAN_OK;
    r = calloc(1, sizeof(*r));
    if (r == NULL)
        return puan_fail(err, PUAN_ENOMEM, "demo", "out of memory");
    d->review = r;
    r->d = d;
    r->bar.quiet = true;
    return find_workers(r, err);
}

static size_t answered(const struct puan_review *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++)
        n += r->errand[i].answered;
    return n;
}

enum puan_status puan_review_round(struct puan_demo *d,
                                   const struct puan_review_round *round,
                                   enum puan_review_part part, unsigned of,
                                   unsigned n, struct puan_err *err)
{
    struct puan_review *r = d->review;
    struct shared s = { .r = r, .part = part, .reason = round->reason };
    size_t begin = r->n;
    enum puan_status st = PUAN_OK;

    r->round = round;
    if (part == PUAN_REVIEW_ASK) {
        size_t due = 0;

        st = open_desks(d, err);
        for (int soft = 0; soft < 2; soft++)
            for (size_t i = 0; st == PUAN_OK && i < d->n_ack; i++) {
                struct puan_ack *k = &d->ack[i];

                if (soft && due + answered(r) >= (size_t)round->wanted)
                    break;
                if (k->version == 0 || k->asked || !(soft ? k->soft : k->hard))
                    continue;
                k->asked = true;
                st = keep(r, k->household, err);
                due += !waits(r, k->household);
            }
        r->queried += r->n - begin;
        s.first = begin;
        if (st == PUAN_OK)
            st = puan_parallel(DESKS, r->n - begin, 16, share, &s, err);
    } else {
        s.first = r->n * of / n;
        st = puan_parallel(DESKS, r->n * (of + 1) / n - s.first, 16, share, &s,
                           err);
    }
    r->round = NULL;
    return st;
}

size_t puan_review_waiting(const struct puan_demo *d, size_t *open)
{
    const struct puan_review *r = d->review;

    *open = r->n - answered(r);
    return r->n - *open;
}

/* ---- the stage
 * ------------------------------------------------------------------------ */

int64_t puan_demo_recheck_moment(const struct puan_demo *d)
{
    struct puan_str form = d->plan->form[0]->id, mode = PUAN_STR("enumerator");
    int64_t best = 0;

    for (size_t i = 0; i < d->plan->n_windows; i++) {
        int64_t at = d->plan->window[i].from_ms + INT64_C(36) * 3600 * 1000;

        if (at > best && at < d->plan->window[i].until_ms &&
            puan_plan_open(d->plan, form, mode, at))
            best = at;
    }
    return best;
}

bool puan_review_left(const struct puan_demo *d, size_t n, int64_t *household,
                      int64_t *query)
{
    const struct puan_review *r = d->review;

    for (size_t i = 0; i < r->n; i++)
        if (!r->errand[i].answered && r->errand[i].query && n-- == 0) {
            *household = r->errand[i].household;
            *query = r->errand[i].query;
            return true;
        }
    return false;
}

bool puan_review_worker(const struct puan_demo *d, int64_t ea,
                        struct puan_str *staff, struct puan_str *device)
{
    const struct worker *w = worker_of(d->review, ea);

    if (w) {
        *staff = w->staff;
        *device = w->device;
    }
    return w != NULL;
}

enum puan_status puan_demo_again(struct puan_demo *d, int64_t household,
                                 const char *reason, struct puan_err *err)
{
    enum puan_status st;

    d->review->n = 0;
    st = keep(d->review, household, err);
    return st == PUAN_OK
               ? send_back(d->review, 0, 1,
                           PUAN_REVIEW_ASK | PUAN_REVIEW_ANSWER,
                           puan_str_of(reason), err)
               : st;
}

enum puan_status puan_demo_review(struct puan_demo *d, struct puan_err *err)
{
    struct shared s = {
        .part = PUAN_REVIEW_ASK | PUAN_REVIEW_ANSWER,
        .reason = PUAN_STR("请入户核实后更正 Please visit, verify and correct")
    };
    int64_t moment = puan_demo_recheck_moment(d);
    struct puan_review *r;
    enum puan_status st;

    puan_demo_stage(d, "review", "审核、查询、入户核实更正",
                    "findings, queries, corrections at the door");
    st = puan_review_open(d, err);
    if (st != PUAN_OK)
        return st;
    s.r = r = d->review;
    r->n = 0;
    st = puan_sheet_create(
        &r->missing, puan_arena_fmt(&d->arena, "%s/listing.csv", d->o.dir),
        err);
    if (st != PUAN_OK)
        return st;
    puan_sheet_put_text(r->missing, "detector");
    puan_sheet_put_text(r->missing, "household");
    puan_sheet_put_text(r->missing, "line");
    puan_sheet_end_row(r->missing);
    for (size_t k = 0; st == PUAN_OK && k < d->n_counties; k++)
        st = read_roll(r, d->county[k], err);
    if (st == PUAN_OK)
        st = puan_sheet_finish(r->missing, err);
    else
        puan_sheet_abandon(r->missing);
    r->missing = NULL;
    if (st == PUAN_OK && moment)
        st = puan_people_clock(d, moment, err);
    if (st != PUAN_OK)
        return st;
    r->queried += r->n;
    puan_progress_begin(&r->bar, "查询更正 queries", r->n);
    st = puan_parallel(DESKS, r->n, 16, share, &s, err);
    puan_progress_end(&r->bar);
    r->bar.quiet = true; /* what acceptance sends back later is no part of it */
    puan_jw_kint(&d->report, "queried", (int64_t)r->queried);
    puan_jw_kint(&d->report, "corrected", (int64_t)r->answered);
    puan_jw_kint(&d->report, "hard_after_correction", (int64_t)r->still_hard);
    puan_demo_say("查询 %zu 户，更正 %llu 户，更正后仍有强制性错误 %llu 户",
                  r->queried, (unsigned long long)r->answered,
                  (unsigned long long)r->still_hard);
    puan_demo_say("%zu households queried, %llu corrected, %llu with hard "
                  "findings left",
                  r->queried, (unsigned long long)r->answered,
                  (unsigned long long)r->still_hard);
    return st;
}

void puan_demo_review_close(struct puan_review *r)
{
    if (r == NULL)
        return;
    free(r->worker);
    free(r->errand);
    free(r);
}
