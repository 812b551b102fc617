/*
 * The line itself and its one route.
 *
 * Places are dealt out once a second by one walk over the line: those not
 * asked for again in time fall out, those at the front are let in as far as
 * there is room.  A line of 200,000 is walked in about a millisecond, so that
 * a tree for the places would only be more to understand.
 */
#include "features/queue/queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/plan/plan.h"
#include "features/host/host.h"
#include "features/host/limit.h"
#include "kit/http/http.h"
#include "kit/os/os.h"

#define MOST 200000
#define BUCKETS 262144 /* a power of two above MOST */
#define LAPSE_MS 90000
#define ENTER_MS 120000 /* to sign in once let in */
#define DEAL_MS 1000
#define MINUTES 5 /* over which the pace is measured */
#define STAY_MS INT64_C(900000) /* a visit, before any pace is known */

struct waiter {
    uint64_t key[2];
    int64_t seen, in_ms; /* in_ms: let in at; 0 waits */
    uint32_t next;       /* in its bucket, place in `all` + 1 */
    uint32_t place;      /* as last dealt */
    bool gone;           /* has come in; leaves the line at the next round */
};

struct puan_queue {
    pthread_mutex_t lock;
    struct waiter *all;   /* slots */
    uint32_t *bucket;     /* key → slot + 1 */
    uint32_t *line;       /* slots in order of arrival */
    uint32_t *spare;      /* free slots */
    size_t n, n_spare;
    size_t let_in;        /* may enter and have not */
    int64_t dealt_ms;
    int64_t pace[MINUTES]; /* let in, by minute of real time */
    int64_t minute;
    _Atomic size_t waiting;
};

enum puan_status puan_queue_open(struct puan_queue **out, struct puan_err *err)
{
    struct puan_queue *q = calloc(1, sizeof(*q));

    *out = NULL;
    if (q) {
        q->all = calloc(MOST, sizeof(*q->all));
        q->bucket = calloc(BUCKETS, sizeof(*q->bucket));
        q->line = calloc(MOST, sizeof(*q->line));
        q->spare = calloc(MOST, sizeof(*q->spare));
    }
    if (!q || !q->all || !q->bucket || !q->line || !q->spare) {
        puan_queue_close(q);
        return puan_fail(err, PUAN_ENOMEM, "queue", "out of memory");
    }
    pthread_mutex_init(&q->lock, NULL);
    for (uint32_t i = 0; i < MOST; i++)
        q->spare[q->n_spare++] = MOST - 1 - i;
    *out = q;
    return PUAN_OK;
}

void puan_queue_close(struct puan_queue *q)
{
    if (!q)
        return;
    free(q->all);
    free(q->bucket);
    free(q->line);
    free(q->spare);
    free(q);
}

/* ---- tickets ----------------------------------------------------------------- */

static uint32_t *bucket_of(struct puan_queue *q, const uint64_t key[2])
{
    return &q->bucket[key[0] & (BUCKETS - 1)];
}

static struct waiter *find(struct puan_queue *q, struct puan_str ticket)
{
    uint64_t key[2];
    uint8_t raw[16];

    if (!puan_unhex(raw, sizeof(raw), ticket))
        return NULL;
    memcpy(key, raw, sizeof(key));
    for (uint32_t i = *bucket_of(q, key); i; i = q->all[i - 1].next)
        if (memcmp(q->all[i - 1].key, key, sizeof(key)) == 0)
            return q->all[i - 1].gone ? NULL : &q->all[i - 1];
    return NULL;
}

static void write_ticket(char out[PUAN_QUEUE_TICKET + 1],
                         const struct waiter *w)
{
    uint8_t raw[16];

    memcpy(raw, w->key, sizeof(raw));
    puan_hex(out, raw, sizeof(raw));
}

static void forget(struct puan_queue *q, struct waiter *w)
{
    uint32_t me = (uint32_t)(w - q->all) + 1;
    uint32_t *at = bucket_of(q, w->key);

    while (*at != me)
        at = &q->all[*at - 1].next;
    *at = w->next;
    if (w->in_ms && !w->gone)
        q->let_in--;
    *w = (struct waiter){ 0 };
    q->spare[q->n_spare++] = me - 1;
}

/* ---- dealing out ---------------------------------------------------------------- */

static void note_pace(struct puan_queue *q, int64_t now, int64_t k)
{
    int64_t minute = now / 60000;

    if (minute - q->minute >= MINUTES)
        memset(q->pace, 0, sizeof(q->pace));
    else
        for (int64_t m = q->minute + 1; m <= minute; m++)
            q->pace[m % MINUTES] = 0;
    q->minute = minute > q->minute ? minute : q->minute;
    q->pace[minute % MINUTES] += k;
}

/* Lapsed ones leave, the first ones come in as far as there is room. */
static void deal(struct puan_queue *q, int64_t most, int64_t inside,
                 int64_t now)
{
    int64_t room = most - inside;
    size_t kept = 0, waiting = 0, n = q->n;

    q->dealt_ms = now;
    note_pace(q, now, 0);
    for (size_t i = 0; i < n; i++) {
        uint32_t slot = q->line[i];
        struct waiter *w = &q->all[slot];

        if (w->gone ||
            (w->in_ms ? now - w->in_ms > ENTER_MS : now - w->seen > LAPSE_MS)) {
            forget(q, w);
            continue;
        }
        if (w->in_ms)
            room--;
        q->line[kept++] = slot;
    }
    q->n = kept;
    for (size_t i = 0; i < q->n; i++) {
        struct waiter *w = &q->all[q->line[i]];

        if (w->in_ms)
            continue;
        if (room > 0) {
            room--;
            w->in_ms = now;
            w->place = 0;
            q->let_in++;
            note_pace(q, now, 1);
        } else {
            w->place = (uint32_t)++waiting;
        }
    }
    atomic_store(&q->waiting, waiting);
}

/* Minutes until a place is let in, as the last minutes went. */
static int64_t minutes_of(const struct puan_queue *q, int64_t place,
                          int64_t most)
{
    int64_t five = 0, first;

    for (size_t i = 0; i < MINUTES; i++)
        five += q->pace[i];
    /* before there is a pace: everybody inside stays a quarter of an hour */
    first = most * (MINUTES * INT64_C(60000)) / STAY_MS;
    if (five < first)
        five = first;
    if (five < 1)
        five = 1;
    return (place * MINUTES + five - 1) / five;
}

static enum puan_status join(struct waiter **out, struct puan_queue *q,
                             int64_t now, struct puan_err *err)
{
    uint64_t key[2];
    uint32_t slot, *b;

    if (q->n_spare == 0 || q->n == MOST)
        return puan_fail(err, PUAN_ELIMIT, "queue",
                         "the line is full; come back in some minutes");
    if (puan_os_random(key, sizeof(key), err) != PUAN_OK)
        return PUAN_EIO;
    slot = q->spare[--q->n_spare];
    b = bucket_of(q, key);
    q->all[slot] = (struct waiter){ .key = { key[0], key[1] },
                                    .seen = now,
                                    .next = *b };
    *b = slot + 1;
    q->line[q->n++] = slot;
    q->all[slot].place = (uint32_t)atomic_fetch_add(&q->waiting, 1) + 1;
    *out = &q->all[slot];
    return PUAN_OK;
}

enum puan_status puan_queue_ask(struct puan_queue_place *out,
                                struct puan_queue *q, struct puan_str ticket,
                                int64_t most, int64_t inside, int64_t now,
                                struct puan_err *err)
{
    enum puan_status st = PUAN_OK;
    struct waiter *w;

    *out = (struct puan_queue_place){ 0 };
    pthread_mutex_lock(&q->lock);
    if (now - q->dealt_ms >= DEAL_MS)
        deal(q, most, inside, now);
    w = find(q, ticket);
    if (!w)
        st = join(&w, q, now, err);
    if (st == PUAN_OK && w) {
        /* whoever comes first into an empty line need not wait for a round */
        if (!w->in_ms && w->place == 1 &&
            most - inside - (int64_t)q->let_in > 0) {
            w->in_ms = now;
            w->place = 0;
            q->let_in++;
            note_pace(q, now, 1);
            atomic_fetch_sub(&q->waiting, 1);
        }
        w->seen = now;
        write_ticket(out->ticket, w);
        out->in = w->in_ms != 0;
        out->place = out->in ? 0 : w->place;
        out->minutes = out->in ? 0 : minutes_of(q, out->place, most);
    }
    pthread_mutex_unlock(&q->lock);
    return st;
}

bool puan_queue_knows(struct puan_queue *q, struct puan_str ticket)
{
    bool yes;

    pthread_mutex_lock(&q->lock);
    yes = ticket.n && find(q, ticket);
    pthread_mutex_unlock(&q->lock);
    return yes;
}

bool puan_queue_may(struct puan_queue *q, struct puan_str ticket, int64_t most,
                    int64_t inside, int64_t now)
{
    struct waiter *w;
    bool in;

    pthread_mutex_lock(&q->lock);
    if (now - q->dealt_ms >= DEAL_MS)
        deal(q, most, inside, now);
    w = ticket.n ? find(q, ticket) : NULL;
    if (w)
        in = w->in_ms != 0;
    else
        in = atomic_load(&q->waiting) == 0 &&
             inside + (int64_t)q->let_in < most;
    pthread_mutex_unlock(&q->lock);
    return in;
}

void puan_queue_used(struct puan_queue *q, struct puan_str ticket)
{
    struct waiter *w;

    pthread_mutex_lock(&q->lock);
    w = ticket.n ? find(q, ticket) : NULL;
    if (w && w->in_ms) {
        w->gone = true;
        q->let_in--;
    }
    pthread_mutex_unlock(&q->lock);
}

/* ---- the feature ------------------------------------------------------------------ */

struct state {
    struct puan_queue *line;
    struct puan_limit *limit; /* new places an address may ask for */
};

static enum puan_status open_state(void **state, struct puan_store *store,
                                   struct puan_err *err)
{
    struct state *s = calloc(1, sizeof(*s));
    enum puan_status st = s ? puan_queue_open(&s->line, err) : PUAN_ENOMEM;

    (void)store;
    if (st == PUAN_OK && !(s->limit = puan_limit_open(600, 100)))
        st = PUAN_ENOMEM;
    if (st != PUAN_OK) {
        if (s)
            puan_queue_close(s->line);
        free(s);
        return st == PUAN_ENOMEM ? puan_fail(err, st, "queue", "out of memory")
                                 : st;
    }
    *state = s;
    return PUAN_OK;
}

static void close_state(void *state, struct puan_store *st)
{
    struct state *s = state;

    (void)st;
    puan_queue_close(s->line);
    puan_limit_close(s->limit);
    free(s);
}

static int64_t most_of(const struct puan_request *rq)
{
    int64_t n = puan_host_households(rq->host);

    return n ? n
             : puan_plan_number(puan_store_plan(rq->store), "self_at_once", 0);
}

static int64_t inside_of(const struct puan_request *rq)
{
    return (int64_t)puan_session_count_of(puan_host_sessions(rq->host),
                                          PUAN_CRED_HOUSEHOLD);
}

bool puan_queue_pass(struct puan_request *rq, struct puan_str ticket)
{
    struct state *s = puan_store_state(rq->store, &puan_feature_queue);
    int64_t most = most_of(rq);

    if (most == 0 || !s ||
        puan_queue_may(s->line, ticket, most, inside_of(rq), rq->real_now))
        return true;
    puan_answer_header(rq, "Retry-After", "15");
    puan_answer_problem(rq, 503, "queue",
                        "many households are filling in; ask for a place at "
                        "public/queue and come back with its ticket");
    return false;
}

void puan_queue_in(struct puan_request *rq, struct puan_str ticket)
{
    struct state *s = puan_store_state(rq->store, &puan_feature_queue);

    if (s && ticket.n)
        puan_queue_used(s->line, ticket);
}

struct ask_in {
    struct puan_str ticket;
};
static const struct puan_param ask_params[] = {
    { "ticket", PUAN_PARAM_TEXT, offsetof(struct ask_in, ticket), 0,
      PUAN_QUEUE_TICKET, true },
};

/* When self-enumeration ends, and what happens to those still in the line. */
static void put_closing(struct puan_jw *w, const struct puan_request *rq)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_setting *rule =
        puan_plan_setting(plan, PUAN_STR("self_queue_at_close"));
    int64_t show = puan_plan_number(plan, "self_queue_notice", 7200000);

    for (size_t i = 0; i < plan->n_windows; i++) {
        const struct puan_window *win = &plan->window[i];
        bool self = false;

        for (size_t m = 0; m < win->n_modes; m++)
            self |= puan_str_is(win->modes[m], "self");
        if (!self || rq->now < win->from_ms || rq->now >= win->until_ms)
            continue;
        puan_jw_kinstant(w, "closes", win->until_ms, plan->offset_minutes);
        if (rule && win->until_ms - rq->now <= show) {
            puan_jw_kstr(w, "rule_zh", rule->zh);
            puan_jw_kstr(w, "rule_en", rule->en);
        }
        return;
    }
}

static enum puan_status post_queue(struct puan_request *rq, const void *arg,
                                   struct puan_err *err)
{
    const struct ask_in *in = arg;
    struct state *s = puan_store_state(rq->store, &puan_feature_queue);
    int64_t most = most_of(rq);
    struct puan_queue_place p = { .in = true };
    struct puan_jw *w;
    enum puan_status st;

    /* a ticket nobody was given asks for a new place as none does */
    if (!puan_queue_knows(s->line, in->ticket) &&
        !puan_limit_take(s->limit, rq->http->peer, rq->real_now))
        return puan_fail(err, PUAN_ELIMIT, "queue",
                         "too many places from one address; wait a minute");
    if (most > 0) {
        st = puan_queue_ask(&p, s->line, in->ticket, most, inside_of(rq),
                            rq->real_now, err);
        if (st != PUAN_OK)
            return st;
    }
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kbool(w, "in", p.in);
    puan_jw_ktext(w, "ticket", p.ticket);
    puan_jw_kint(w, "place", p.place);
    puan_jw_kint(w, "minutes", p.minutes);
    puan_jw_kint(w, "renew_ms", PUAN_QUEUE_RENEW_MS);
    puan_jw_kinstant(w, "as_of", rq->now,
                     puan_store_plan(rq->store)->offset_minutes);
    put_closing(w, rq);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static const struct puan_route routes[] = {
    { PUAN_POST, "/c/{campaign}/public/queue", "", PUAN_SCOPE_PUBLIC, "",
      "A place in the line of households that wait to fill in, or how it "
      "stands",
      post_queue, PUAN_PARAMS(ask_params, struct ask_in), .direct = true },
};

static enum puan_status m_waiting(int64_t *v, struct puan_store *st,
                                  int64_t area, struct puan_err *err)
{
    struct state *s = puan_store_state(st, &puan_feature_queue);

    (void)area;
    if (!s)
        return puan_fail(err, PUAN_ENOTFOUND, "queue", "there is no line");
    *v = (int64_t)atomic_load(&s->line->waiting);
    return PUAN_OK;
}

static const struct puan_metric metrics[] = {
    { "puan_queue_waiting", "households", "installation",
      "Households in the line for online filling", m_waiting },
};

const struct puan_feature puan_feature_queue = {
    .name = "queue",
    .metrics = metrics,
    .n_metrics = PUAN_COUNT(metrics),
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .open = open_state,
    .close = close_state,
};
