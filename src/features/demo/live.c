/*
 * The end of the demonstration: the day of registration and the finished
 * census are served side by side.  On the day the campaign clock runs on in
 * real time, returns of households that had not answered keep coming, from
 * enumerators and from households themselves, and now and then a query that
 * waited is answered.
 */
#include "features/demo/demo.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/calendar.h"
#include "features/demo/people.h"
#include "features/demo/review.h"
#include "kit/job/progress.h"
#include "kit/os/os.h"

#define BEAT_MS 2500    /* between two returns */
#define QUERY_BEATS 16  /* returns between two answers */
#define SELF_BEATS 3    /* every third return is a household's own */
#define TAKES_MS 840000 /* an interview, as its times say */

struct late {
    int64_t finished_ms;
    uint32_t county, visit;
};

struct live {
    struct puan_demo *d;
    struct late *late; /* self first, then visited; each in order of time */
    size_t n, n_self, next, next_self;
    size_t answered;
    int64_t began_ms; /* monotonic, when the clock was set */
    uint64_t counter;
};

static int by_time(const void *a, const void *b)
{
    const struct late *x = a, *y = b;

    if (x->finished_ms != y->finished_ms)
        return x->finished_ms < y->finished_ms ? -1 : 1;
    if (x->county != y->county)
        return x->county < y->county ? -1 : 1;
    return x->visit < y->visit ? -1 : x->visit > y->visit;
}

/* Who has not answered at the moment; those the page of keys offers excepted. */
static enum puan_status gather(struct live *l, struct puan_err *err)
{
    struct puan_demo *d = l->d;

    l->late = calloc(d->n_ack + 1, sizeof(*l->late));
    if (l->late == NULL)
        return puan_fail(err, PUAN_ENOMEM, "demo", "out of memory");
    for (int self = 1; self >= 0; self--) {
        size_t from = l->n;

        for (size_t k = 0; k < d->n_counties; k++)
            for (size_t i = 0; i < puan_city_n(d->city[k]); i++) {
                const struct puan_visit *v = puan_city_visit(d->city[k], i);

                if (v->finished_ms >= puan_day_moment(d) &&
                    (v->staff.n == 0) == (self == 1))
                    l->late[l->n++] = (struct late){ v->finished_ms,
                                                     (uint32_t)k, (uint32_t)i };
            }
        qsort(l->late + from, l->n - from, sizeof(*l->late), by_time);
        if (self)
            l->n_self = l->next = l->n;
    }
    return PUAN_OK;
}

static int64_t campaign_now(const struct live *l)
{
    return puan_day_moment(l->d) + puan_monotonic_ms() - l->began_ms;
}

/* Sends one document as of now.  What the office refuses (the hour is past,
 * somebody was quicker) is a household that stays out. */
static enum puan_status send(struct live *l, const struct puan_city *from,
                             uint32_t county, const struct puan_visit *v,
                             struct puan_sending *s, struct puan_err *err)
{
    struct puan_demo *d = l->d;
    struct puan_visit said = *v;
    struct puan_city_reader reader;
    struct puan_desk desk = { 0 };
    struct puan_arena a;
    char started[32], finished[32];
    const char *token = NULL;
    struct puan_out o;
    enum puan_status st;

    (void)county;
    puan_arena_init(&a, puan_os_alloc());
    puan_instant_text(started, campaign_now(l) - TAKES_MS,
                      d->plan->offset_minutes);
    puan_instant_text(finished, campaign_now(l), d->plan->offset_minutes);
    said.started = puan_str_of(started);
    said.finished = puan_str_of(finished);
    st = puan_city_reader_open(&reader, from, err);
    if (st != PUAN_OK)
        goto out;
    st = puan_desk_open(&desk, d, err);
    desk.campaign = d->campaign;
    if (st == PUAN_OK)
        st = puan_people_sender(&token, d, &said, &desk, &a, err);
    puan_out_init(&o, &a);
    if (st == PUAN_OK)
        st = puan_city_document(&o, &reader, &said, s, err);
    if (st == PUAN_OK) {
        struct puan_http_call call = { .method = "POST", .token = token };
        struct puan_http_reply r;

        call.path = puan_arena_fmt(&a, "/api/v1/c/%s/returns", d->campaign);
        call.body = puan_out_view(&o);
        st = puan_http_call(&r, desk.http, &call, err);
    }
    puan_desk_close(&desk);
    puan_city_reader_close(&reader);
out:
    puan_arena_clear(&a);
    return st;
}

static enum puan_status send_late(struct live *l, bool self,
                                  struct puan_err *err)
{
    struct puan_demo *d = l->d;
    size_t *at = self ? &l->next_self : &l->next;
    size_t end = self ? l->n_self : l->n;
    const struct puan_visit *v;
    struct puan_sending s = { .base = 0 };

    while (*at < end &&
           puan_people_keeps(
               d, puan_city_visit(d->city[l->late[*at].county],
                                  l->late[*at].visit)
                      ->household))
        ++*at;
    if (*at == end)
        return PUAN_OK;
    v = puan_city_visit(d->city[l->late[*at].county], l->late[*at].visit);
    s.device = v->device;
    s.counter = v->counter;
    ++*at;
    return send(l, d->city[l->late[*at - 1].county], l->late[*at - 1].county, v,
                &s, err);
}

/* One of the queries that waited is answered at the door. */
static enum puan_status answer_one(struct live *l, struct puan_err *err)
{
    struct puan_demo *d = l->d;
    const struct puan_visit *seen = NULL, *told;
    struct puan_sending s = { .base = 1, .mode = PUAN_STR("enumerator") };
    struct puan_visit as;
    const struct puan_city *from = NULL;
    int64_t household, query;
    char number[24];
    uint32_t county = 0;

    if (!puan_day_left(d, l->answered, &household, &query))
        return PUAN_OK;
    l->answered++;
    for (size_t k = 0; k < d->n_counties && seen == NULL; k++) {
        seen = puan_city_find(d->city[k], household);
        from = d->city[k];
        county = (uint32_t)k;
    }
    if (seen == NULL)
        return PUAN_OK;
    told = d->again[county] ? puan_city_find(d->again[county], household)
                            : NULL;
    if (told)
        from = d->again[county];
    as = told ? *told : *seen;
    if (!puan_review_worker(d, seen->ea, &as.staff, &as.device))
        return PUAN_OK;
    puan_format(number, sizeof(number), "%lld", (long long)query);
    s.query = puan_str_of(number);
    s.device = as.device;
    s.counter = 4000000 + l->counter++;
    return send(l, from, county, &as, &s, err);
}

/* ---- what is printed
 * ------------------------------------------------------------- */

static void tell(const struct puan_demo *d, const char *day, const char *end,
                 const char *ring)
{
    if (day)
        fprintf(stderr,
                "\n登记期间（第5天20时，数据还在到达）  http://%s/office/\n"
                "  during registration, returns still arriving\n",
                day);
    fprintf(stderr,
            "普查结束（已验收、已发布）            http://%s/office/\n"
            "  the finished census\n"
            "公众页 public pages                   http://%s/\n"
            "自主填报 self-enumeration             http://%s/household/\n"
            "钥匙页 keys, codes, a tour            http://%s/\n\n",
            end, day ? day : end, day ? day : end, ring);
    fprintf(stderr, "每个岗位一个账号，一次性口令见钥匙页；全部账号见 "
                    "%s/accounts.txt\n"
                    "one account a seat, one-time codes on the page of keys; "
                    "all of them in %s/accounts.txt\n",
            d->o.dir, d->o.dir);
    for (size_t i = 0; i < puan_people_logins(d); i++) {
        const struct puan_role *r;
        struct puan_str name, secret;

        if (puan_people_first(d, i, &r, &name, &secret))
            fprintf(stderr, "  %-28.*s %-24.*s %.*s\n",
                    r ? (int)r->en.n : 0, r ? r->en.p : "", PUAN_FMT(name),
                    PUAN_FMT(secret));
    }
    fprintf(stderr, "\n按 Ctrl-C 结束  Ctrl-C ends it\n");
    fflush(NULL);
}

/* "HOST:PORT" apart. */
static void split(char host[64], int *port, const char *listen)
{
    const char *colon = strrchr(listen, ':');

    *port = colon ? atoi(colon + 1) : 0;
    puan_format(host, 64, "%.*s", colon ? (int)(colon - listen) : 0, listen);
    if (host[0] == '\0')
        puan_format(host, 64, "127.0.0.1");
}

static enum puan_status beat(struct live *l, uint64_t n, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    if (n % QUERY_BEATS == QUERY_BEATS - 1)
        st = answer_one(l, err);
    if (st == PUAN_OK)
        st = send_late(l, n % SELF_BEATS == 0, err);
    return st;
}

enum puan_status puan_demo_live(struct puan_demo *d, struct puan_err *err)
{
    const struct timespec pause = { BEAT_MS / 1000,
                                    BEAT_MS % 1000 * 1000000 };
    struct live l = { .d = d };
    const char *end = d->o.listen, *ring = NULL, *day = NULL;
    char host[64];
    int port;
    enum puan_status st = PUAN_OK;

    split(host, &port, d->o.listen);
    if (d->day) {
        const char *folder = puan_arena_fmt(&d->arena, "%s/day", d->o.dir);

        day = d->o.listen;
        st = puan_demo_port(&end, d, host, port + 1, err);
        if (st == PUAN_OK)
            st = puan_demo_start(d, &d->second, d->census, end, err);
        if (st == PUAN_OK)
            st = puan_demo_start(d, &d->server, folder, day, err);
        puan_people_forget(d);
        if (st == PUAN_OK)
            st = puan_people_clock(d, puan_day_moment(d), err);
        l.began_ms = puan_monotonic_ms();
        if (st == PUAN_OK)
            st = gather(&l, err);
    } else {
        st = puan_demo_start(d, &d->server, d->census, end, err);
    }
    if (st == PUAN_OK)
        st = puan_demo_port(&ring, d, "127.0.0.1", port + 2, err);
    if (st == PUAN_OK)
        st = puan_demo_ring(d, ring, day, end, err);
    if (st != PUAN_OK) {
        free(l.late);
        return st;
    }
    atomic_store(&d->serving, true);
    tell(d, day, end, ring);
    for (uint64_t n = 0; st == PUAN_OK; n++) {
        struct puan_err quiet = { 0 };
        int status;

        nanosleep(&pause, NULL);
        if (waitpid(atomic_load(&d->server), &status, WNOHANG) > 0) {
            atomic_store(&d->server, 0);
            st = puan_fail(err, PUAN_EIO, "puan serve",
                           "has ended; its words stand in %s", d->log);
        } else if (d->day) {
            /* one return that does not get through is no end */
            (void)!beat(&l, n, &quiet);
        }
    }
    free(l.late);
    return st;
}
