/*
 * The field: every simulated household is sent, day after day of the campaign
 * clock, by enumerators on their devices and by households themselves, over
 * several connections at once, with what really happens on the way: answers
 * sent again after a lost receipt, sent twice, and sent against a version that
 * is no longer the last.
 */
#include "features/demo/demo.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "features/demo/people.h"
#include "kit/job/job.h"
#include "kit/job/progress.h"
#include "kit/os/os.h"

#define LANES 16 /* connections a worker keeps busy */
#define WORKERS 2

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

/* How often things go wrong on the way, in a thousand households. */
#define LOST_RECEIPTS 5
#define SENT_TWICE 10
#define STALE_SENDS 3

struct job {
    int64_t finished_ms;
    uint32_t county, visit;
};

struct field {
    struct puan_demo *d;
    const struct job *jobs;
    size_t first, n; /* of the slice that is being sent */
    atomic_size_t next;
    struct puan_progress bar;
    atomic_uint_fast64_t sent, again, twice, stale, stale_refused;
};

/* One connection and what is under way on it. */
struct lane {
    struct puan_desk desk;
    struct puan_arena arena;
    const struct puan_visit *visit;
    struct puan_str document;
    const char *token;
    uint32_t county;
    unsigned luck; /* 0-999, decides what goes wrong */
    bool busy;
};

struct worker {
    struct field *f;
    struct puan_city_reader reader[PUAN_DEMO_COUNTIES];
    struct lane lane[LANES];
};

/* The same fate for the same household in every run (SplitMix64's finalizer;
 * Steele, Lea, Flood, OOPSLA 2014). */
static unsigned luck_of(int64_t household, int64_t seed)
{
    uint64_t z = (uint64_t)household + (uint64_t)seed * 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (unsigned)((z ^ z >> 31) % 1000);
}

static enum puan_status read_receipt(struct puan_ack *ack, struct lane *l,
                                     const struct puan_http_reply *r,
                                     bool first, struct puan_err *err)
{
    struct puan_node *t;
    struct puan_str text = { puan_arena_dup(&l->arena, r->body), r->body.n };
    struct puan_str digest = { 0 };
    int64_t version = 0;
    enum puan_status st;

    if (r->status >= 300)
        return puan_fail(err, PUAN_EIO, "return", "household %lld: %u %.*s",
                         (long long)l->visit->household, r->status,
                         (int)(text.n < 180 ? text.n : 180), text.p);
    st = puan_json_tree(&t, text, "receipt", &l->arena, err);
    if (st == PUAN_OK)
        st = puan_node_int(&version, t, "version", 1, 255, err);
    if (st == PUAN_OK)
        st = puan_node_str(&digest, t, "digest", err);
    if (st != PUAN_OK)
        return st;
    if (!first) {
        char had[2 * PUAN_DIGEST_SIZE + 1];

        puan_hex(had, ack->digest, PUAN_DIGEST_SIZE);
        if (version != ack->version || !puan_str_is(digest, had))
            return puan_fail(err, PUAN_EBUG, "return",
                             "household %lld: sent again, another receipt",
                             (long long)l->visit->household);
        return PUAN_OK;
    }
    if (!puan_unhex(ack->digest, PUAN_DIGEST_SIZE, digest))
        return puan_fail(err, PUAN_EIO, "receipt", "no digest");
    ack->version = (uint32_t)version;
    PUAN_NODE_EACH(f, puan_node_get(t, "findings"))
    {
        if (puan_str_is(puan_node_str_opt(f, "severity", ""), "hard"))
            ack->hard = true;
        else
            ack->soft = true;
    }
    return PUAN_OK;
}

static void post(struct puan_http_call *call, struct lane *l,
                 const struct puan_demo *d, struct puan_str body)
{
    *call = (struct puan_http_call){ .method = "POST",
                                     .token = l->token,
                                     .body = body };
    call->path = puan_arena_fmt(&l->arena, "/api/v1/c/%s/returns", d->campaign);
}

static enum puan_status send_first(struct worker *w, struct lane *l,
                                   const struct job *j, struct puan_err *err)
{
    struct puan_demo *d = w->f->d;
    struct puan_sending s = { .base = 0 };
    struct puan_http_call call;
    struct puan_http_reply r;
    struct puan_out out;
    enum puan_status st;

    puan_arena_reset(&l->arena);
    l->county = j->county;
    l->visit = puan_city_visit(d->city[j->county], j->visit);
    l->luck = luck_of(l->visit->household, d->o.seed);
    s.device = l->visit->device;
    s.counter = l->visit->counter;
    st = puan_people_token(&l->token, d, l->visit, &l->desk, &l->arena, err);
    if (st != PUAN_OK)
        return st;
    puan_out_init(&out, &l->arena);
    st = puan_city_document(&out, &w->reader[j->county], l->visit, &s, err);
    if (st != PUAN_OK)
        return st;
    l->document = puan_out_view(&out);
    post(&call, l, d, l->document);
    if (l->luck < LOST_RECEIPTS) {
        /* the network drops before the receipt: the device cannot know */
        st = puan_http_send(l->desk.http, &call, err);
        puan_http_client_drop(l->desk.http);
        atomic_fetch_add(&w->f->again, 1);
    }
    if (st == PUAN_OK)
        st = puan_http_send(l->desk.http, &call, err);
    (void)r;
    l->busy = st == PUAN_OK;
    return st;
}

/* After the receipt: some send the same again, some an old draft. */
static enum puan_status mischief(struct worker *w, struct lane *l,
                                 struct puan_ack *ack, struct puan_err *err)
{
    struct puan_demo *d = w->f->d;
    struct puan_http_call call;
    struct puan_http_reply r;
    enum puan_status st = PUAN_OK;

    if (l->luck >= 100 && l->luck < 100 + SENT_TWICE) {
        post(&call, l, d, l->document);
        st = puan_http_call(&r, l->desk.http, &call, err);
        if (st == PUAN_OK)
            st = read_receipt(ack, l, &r, false, err);
        atomic_fetch_add(&w->f->twice, 1);
    } else if (l->luck >= 200 && l->luck < 200 + STALE_SENDS) {
        struct puan_sending s = { .base = 0,
                                  .device = l->visit->device,
                                  .counter = l->visit->counter + 1000000 };
        struct puan_out out;

        puan_out_init(&out, &l->arena);
        st = puan_city_document(&out, &w->reader[l->county], l->visit, &s, err);
        if (st == PUAN_OK) {
            post(&call, l, d, puan_out_view(&out));
            st = puan_http_call(&r, l->desk.http, &call, err);
        }
        if (st == PUAN_OK) {
            atomic_fetch_add(&w->f->stale, 1);
            if (r.status != 409)
                st = puan_fail(err, PUAN_EBUG, "return",
                               "household %lld: a stale version was answered "
                               "%u, not 409",
                               (long long)l->visit->household, r.status);
            else
                atomic_fetch_add(&w->f->stale_refused, 1);
        }
    }
    return st;
}

static enum puan_status receive(struct worker *w, struct lane *l,
                                struct puan_err *err)
{
    struct puan_ack *ack = puan_demo_ack(w->f->d, l->visit->household);
    struct puan_http_reply r;
    enum puan_status st = puan_http_receive(&r, l->desk.http, err);

    l->busy = false;
    if (st == PUAN_OK)
        st = read_receipt(ack, l, &r, true, err);
    if (st == PUAN_OK)
        st = mischief(w, l, ack, err);
    if (st == PUAN_OK) {
        atomic_fetch_add(&w->f->sent, 1);
        puan_progress_add(&w->f->bar, 1);
    }
    return st;
}

static enum puan_status work(void *arg, uint64_t begin, uint64_t end,
                             unsigned worker, struct puan_err *err)
{
    struct worker *w = &((struct worker *)arg)[begin];
    struct field *f = w->f;
    enum puan_status st = PUAN_OK;
    size_t busy;

    (void)end;
    (void)worker;
    do {
        busy = 0;
        for (size_t i = 0; st == PUAN_OK && i < LANES; i++) {
            size_t k = atomic_fetch_add(&f->next, 1);

            if (k >= f->n)
                break;
            st = send_first(w, &w->lane[i], &f->jobs[f->first + k], err);
            busy++;
        }
        for (size_t i = 0; st == PUAN_OK && i < busy; i++)
            st = receive(w, &w->lane[i], err);
    } while (st == PUAN_OK && busy > 0);
    return st;
}

static int by_time(const void *a, const void *b)
{
    const struct job *x = a, *y = b;

    if (x->finished_ms != y->finished_ms)
        return x->finished_ms < y->finished_ms ? -1 : 1;
    if (x->county != y->county)
        return x->county < y->county ? -1 : 1;
    return x->visit < y->visit ? -1 : x->visit > y->visit;
}

/*
 * Returns arrive hour by hour, in the hour before the moment that is kept
 * minute by minute; the offices' work of demo/day.yaml lies between.
 */
static int64_t slice_end(const struct puan_demo *d, int64_t ms)
{
    int64_t moment = puan_day_moment(d), next = puan_day_next(d);
    int64_t step = ms < moment && ms >= moment - HOUR ? MINUTE : HOUR;
    int64_t end = ms - ms % step + step;

    return end < next ? end : next;
}

/* Sends what is finished before `until`. */
static enum puan_status send_until(struct field *f, struct worker *w,
                                   int64_t until, struct puan_err *err)
{
    struct puan_demo *d = f->d;
    enum puan_status st = PUAN_OK;

    while (st == PUAN_OK && f->first < d->n_ack &&
           f->jobs[f->first].finished_ms < until) {
        int64_t end;
        size_t n = 0;

        st = puan_day_work(d, f->jobs[f->first].finished_ms, err);
        end = slice_end(d, f->jobs[f->first].finished_ms);
        if (end > until)
            end = until;
        while (f->first + n < d->n_ack &&
               f->jobs[f->first + n].finished_ms < end)
            n++;
        f->n = n;
        atomic_store(&f->next, 0);
        /* what is finished in a slice has arrived when it ends */
        if (st == PUAN_OK)
            st = puan_people_clock(d, f->jobs[f->first + n - 1].finished_ms,
                                   err);
        if (st == PUAN_OK)
            st = puan_parallel(WORKERS, WORKERS, 1, work, w, err);
        f->first += n;
    }
    return st;
}

static enum puan_status send_all(struct field *f, struct worker *w,
                                 int64_t *busy_ms, struct puan_err *err)
{
    struct puan_demo *d = f->d;
    size_t total = d->n_ack;
    enum puan_status st = PUAN_OK;

    if (d->day) {
        size_t before = 0;

        while (before < total &&
               f->jobs[before].finished_ms < puan_day_moment(d))
            before++;
        puan_progress_begin(&f->bar, "登记上报 returns", before);
        st = send_until(f, w, puan_day_moment(d), err);
        *busy_ms += puan_progress_end(&f->bar);
        if (st == PUAN_OK)
            st = puan_day_keep(d, err);
        if (st == PUAN_OK) {
            puan_jw_kint(&d->report, "day_returns", (int64_t)f->first);
            puan_demo_stage(d, "submit_rest", "继续登记上报，直到结束",
                            "returns arrive until the end");
            total -= f->first;
        }
    }
    if (st != PUAN_OK)
        return st;
    puan_progress_begin(&f->bar, "登记上报 returns", total);
    st = send_until(f, w, INT64_MAX, err);
    *busy_ms += puan_progress_end(&f->bar);
    if (st == PUAN_OK)
        st = puan_day_work(d, INT64_MAX, err);
    return st;
}

enum puan_status puan_demo_field(struct puan_demo *d, struct puan_err *err)
{
    struct field f = { .d = d };
    struct worker *w = calloc(WORKERS, sizeof(*w));
    struct job *jobs = calloc(d->n_ack + 1, sizeof(*jobs));
    enum puan_status st = PUAN_OK;
    size_t n = 0;
    int64_t ms = 0;

    puan_demo_stage(d, "submit", "登记上报", "returns arrive");
    if (w == NULL || jobs == NULL) {
        st = puan_fail(err, PUAN_ENOMEM, "demo", "out of memory");
        goto out;
    }
    for (size_t k = 0; k < d->n_counties; k++)
        for (size_t i = 0; i < puan_city_n(d->city[k]); i++)
            jobs[n++] =
                (struct job){ puan_city_visit(d->city[k], i)->finished_ms,
                              (uint32_t)k, (uint32_t)i };
    qsort(jobs, n, sizeof(*jobs), by_time);
    f.jobs = jobs;
    for (size_t i = 0; st == PUAN_OK && i < WORKERS; i++) {
        w[i].f = &f;
        for (size_t k = 0; st == PUAN_OK && k < d->n_counties; k++)
            st = puan_city_reader_open(&w[i].reader[k], d->city[k], err);
        for (size_t k = 0; st == PUAN_OK && k < LANES; k++) {
            puan_arena_init(&w[i].lane[k].arena, puan_os_alloc());
            st = puan_desk_open(&w[i].lane[k].desk, d, err);
        }
    }
    if (st == PUAN_OK)
        st = send_all(&f, w, &ms, err);
    if (st != PUAN_OK)
        goto out;
    puan_jw_kint(&d->report, "returns_sent", (int64_t)f.sent);
    puan_jw_kint(&d->report, "sent_again_after_lost_receipt", (int64_t)f.again);
    puan_jw_kint(&d->report, "sent_twice", (int64_t)f.twice);
    puan_jw_kint(&d->report, "stale_refused", (int64_t)f.stale_refused);
    puan_demo_say(
        "收到 %zu 户，每秒 %lld 户；未收到回执而补发 %llu，"
        "重复发送 %llu（不重复入库），过期版本 %llu（拒收，另行保管）",
        n, (long long)((int64_t)n * 1000 / (ms ? ms : 1)),
        (unsigned long long)f.again, (unsigned long long)f.twice,
        (unsigned long long)f.stale_refused);
    puan_demo_say("%zu households, %lld a second; sent again for a lost "
                  "receipt %llu, sent twice %llu (stored once), stale versions "
                  "refused and kept apart %llu",
                  n, (long long)((int64_t)n * 1000 / (ms ? ms : 1)),
                  (unsigned long long)f.again, (unsigned long long)f.twice,
                  (unsigned long long)f.stale_refused);
out:
    for (size_t i = 0; w && i < WORKERS; i++) {
        for (size_t k = 0; k < d->n_counties; k++)
            puan_city_reader_close(&w[i].reader[k]);
        for (size_t k = 0; k < LANES; k++) {
            puan_desk_close(&w[i].lane[k].desk);
            if (w[i].f)
                puan_arena_clear(&w[i].lane[k].arena);
        }
    }
    free(w);
    free(jobs);
    return st;
}
