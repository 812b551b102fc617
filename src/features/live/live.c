/*
 * One list of streams and one thread that looks every two seconds at what was
 * touched.  The thread is started by the first stream, so that a store opened
 * by a command has none.
 *
 * Locks: `lock` guards the streams and is held while they are sent to and by
 * their `closed`; `touch_lock` guards what was touched and is held for an
 * insertion.  Neither is held while the other is taken, but for the thread's
 * exchange of the sets.
 */
#include "features/live/live.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/area/area.h"
#include "features/host/host.h"
#include "features/host/request.h"
#include "kit/http/http.h"
#include "kit/os/os.h"

#define EVERY_MS 2000
#define BEAT_MS 15000
#define EACH 16       /* streams of one session */
#define IN_ALL 1024
#define AREAS 4096    /* told apart between two rounds; more are "everywhere" */
#define SLOTS 8192    /* a power of two over AREAS */

static const char *const topics[] = { "counts",     "review",  "lots", "cases",
                                      "notices",    "duplicates", "releases",
                                      "drills" };
#define TOPICS PUAN_COUNT(topics)

struct touched {
    bool everywhere;
    size_t n;
    int64_t last;
    int64_t area[AREAS];
    int64_t slot[SLOTS]; /* open hash; 0 free */
};

struct watcher {
    struct watcher *next;
    struct live *live;
    struct puan_http_stream *stream;
    struct puan_sessions *sessions;
    struct puan_session_key key;
    int64_t session, area, until_ms;
    int64_t n[TOPICS];
    unsigned wants; /* bit per topic */
    int64_t beat_ns;
};

struct live {
    struct puan_store *store;
    pthread_mutex_t lock, touch_lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool running, stop;
    _Atomic int64_t every_ms, beat_ms;
    struct watcher *watchers; /* newest first */
    _Atomic size_t n_watchers;
    struct touched *now, *then; /* TOPICS each */
};

/* ---- touching ------------------------------------------------------------------ */

static int topic_of(struct puan_str name)
{
    for (size_t i = 0; i < TOPICS; i++)
        if (puan_str_is(name, topics[i]))
            return (int)i;
    return -1;
}

static void add(struct touched *t, int64_t area)
{
    size_t h = (size_t)((uint64_t)area * UINT64_C(0x9e3779b97f4a7c15) >> 40) %
               SLOTS;

    if (area == 0 || t->n == AREAS)
        t->everywhere = true;
    if (t->everywhere || area == t->last)
        return;
    while (t->slot[h] && t->slot[h] != area)
        h = (h + 1) % SLOTS;
    t->last = area;
    if (t->slot[h])
        return;
    t->slot[h] = area;
    t->area[t->n++] = area;
}

void puan_live_touch(struct puan_store *st, const char *topic, int64_t area)
{
    struct live *l = puan_store_state(st, &puan_feature_live);
    int k;

    if (!l || !atomic_load_explicit(&l->n_watchers, memory_order_relaxed))
        return;
    k = topic_of(puan_str_of(topic));
    if (k < 0)
        return;
    pthread_mutex_lock(&l->touch_lock);
    add(&l->now[k], area);
    pthread_mutex_unlock(&l->touch_lock);
}

void puan_live_pace(struct puan_store *st, int64_t every_ms, int64_t beat_ms)
{
    struct live *l = puan_store_state(st, &puan_feature_live);

    atomic_store(&l->every_ms, every_ms);
    atomic_store(&l->beat_ms, beat_ms);
}

/* ---- the round ------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* The areas as places in the tree, ascending; those unknown are everywhere. */
static void place(struct touched *t, const struct puan_area_tree *tree)
{
    for (size_t i = 0; i < t->n; i++) {
        uint32_t at = tree ? puan_area_find(tree, t->area[i]) : PUAN_AREA_NONE;

        t->everywhere = t->everywhere || at == PUAN_AREA_NONE;
        t->area[i] = at;
    }
    qsort(t->area, t->n, sizeof(t->area[0]), by_value);
}

static bool touches(const struct touched *t, const struct puan_area_tree *tree,
                    int64_t seat)
{
    uint32_t at;
    size_t lo = 0, hi = t->n;

    if (t->everywhere || !t->n)
        return t->everywhere;
    at = seat && tree ? puan_area_find(tree, seat) : PUAN_AREA_NONE;
    if (at == PUAN_AREA_NONE) /* the installation, or above it */
        return true;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (t->area[mid] < at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < t->n && t->area[lo] < tree->area[at].end;
}

/* What this stream is told in this round.  The lock is held. */
static void tell(struct watcher *v, const struct puan_area_tree *tree,
                 int64_t now, int64_t campaign_now, int64_t mono)
{
    char text[80 * TOPICS];
    size_t n = 0;

    if (!puan_session_left(NULL, NULL, v->sessions, &v->key, now) ||
        (v->until_ms && campaign_now >= v->until_ms)) {
        (void)puan_http_stream_send(v->stream,
                                    PUAN_STR("event: end\ndata: {}\n\n"));
        puan_http_stream_end(v->stream);
        return;
    }
    for (size_t k = 0; k < TOPICS; k++)
        if ((v->wants >> k & 1) && touches(&v->live->then[k], tree, v->area))
            n += puan_format(text + n, sizeof(text) - n,
                             "event: %s\ndata: {\"n\":%lld}\n\n", topics[k],
                             (long long)++v->n[k]);
    if (!n && mono - v->beat_ns >= atomic_load(&v->live->beat_ms) * 1000000)
        n = puan_format(text, sizeof(text), ":\n\n");
    if (!n)
        return;
    v->beat_ns = mono;
    (void)puan_http_stream_send(v->stream, (struct puan_str){ text, n });
}

static void round_of(struct live *l)
{
    const struct puan_area_tree *tree;
    struct touched *t;
    int64_t mono = puan_os_mono_ns();

    pthread_mutex_lock(&l->touch_lock);
    t = l->now;
    l->now = l->then;
    l->then = t;
    pthread_mutex_unlock(&l->touch_lock);
    tree = puan_store_areas(l->store);
    for (size_t k = 0; k < TOPICS; k++)
        place(&t[k], tree);
    pthread_mutex_lock(&l->lock);
    for (struct watcher *v = l->watchers; v; v = v->next)
        tell(v, tree, puan_real_now(), puan_store_now(l->store), mono);
    pthread_mutex_unlock(&l->lock);
    for (size_t k = 0; k < TOPICS; k++)
        if (t[k].n || t[k].everywhere)
            memset(&t[k], 0, sizeof(t[k]));
}

static void *loop(void *arg)
{
    struct live *l = arg;

    pthread_mutex_lock(&l->lock);
    while (!l->stop) {
        struct timespec at;
        int64_t ms = atomic_load(&l->every_ms);

        clock_gettime(CLOCK_MONOTONIC, &at);
        at.tv_sec += ms / 1000;
        at.tv_nsec += ms % 1000 * 1000000;
        if (at.tv_nsec >= 1000000000) {
            at.tv_nsec -= 1000000000;
            at.tv_sec++;
        }
        while (!l->stop &&
               pthread_cond_timedwait(&l->wake, &l->lock, &at) == 0)
            ;
        if (l->stop || !l->watchers)
            continue;
        pthread_mutex_unlock(&l->lock);
        round_of(l);
        pthread_mutex_lock(&l->lock);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* ---- streams ------------------------------------------------------------------------ */

static void closed(void *arg)
{
    struct watcher *v = arg;
    struct live *l = v->live;

    pthread_mutex_lock(&l->lock);
    for (struct watcher **at = &l->watchers; *at; at = &(*at)->next)
        if (*at == v) {
            *at = v->next;
            atomic_fetch_sub(&l->n_watchers, 1);
            break;
        }
    pthread_mutex_unlock(&l->lock);
    free(v);
}

struct events_in {
    struct puan_str topics;
    int64_t area;
};
static const struct puan_param events_params[] = {
    { "topics", PUAN_PARAM_TEXT, offsetof(struct events_in, topics), 1, 120 },
    { "area", PUAN_PARAM_AREA, offsetof(struct events_in, area), 0, 0, true },
};

/* The lock is held. */
static enum puan_status start_thread(struct live *l, struct puan_err *err)
{
    if (!l->running && pthread_create(&l->thread, NULL, loop, l) != 0)
        return puan_fail(err, PUAN_EBUSY, "events", "no thread");
    l->running = true;
    return PUAN_OK;
}

static enum puan_status get_events(struct puan_request *rq, const void *arg,
                                   struct puan_err *err)
{
    const struct events_in *in = arg;
    struct live *l = puan_store_state(rq->store, &puan_feature_live);
    struct puan_str rest = in->topics, name;
    struct watcher *v, *oldest = NULL;
    unsigned wants = 0;
    size_t own = 0;
    enum puan_status st;

    while (puan_str_split(&name, &rest, ',')) {
        int k = topic_of(puan_str_trim(name));

        if (k < 0)
            return puan_fail(err, PUAN_EINVAL, "topics",
                             "'%.*s' is none; there are counts, review, lots, "
                             "cases, notices, duplicates, releases",
                             PUAN_FMT(name));
        wants |= 1u << k;
    }
    if (rq->who.credential == PUAN_CRED_HOUSEHOLD ||
        (in->area && !puan_request_covers(rq, in->area)))
        return puan_fail(err, PUAN_ENOTFOUND, "events", "there are none here");
    v = calloc(1, sizeof(*v));
    if (!v)
        return puan_fail(err, PUAN_ENOMEM, "events", "out of memory");
    v->live = l;
    v->sessions = puan_host_sessions(rq->host);
    v->key = puan_session_key(v->sessions, rq->token);
    v->session = rq->who.session;
    v->area = in->area ? in->area : rq->who.area;
    v->until_ms = rq->who.until_ms;
    v->wants = wants;
    v->beat_ns = puan_os_mono_ns();
    pthread_mutex_lock(&l->lock);
    st = start_thread(l, err);
    if (st == PUAN_OK && atomic_load(&l->n_watchers) >= IN_ALL)
        st = puan_fail(err, PUAN_EBUSY, "events", "too many are open");
    for (struct watcher *x = l->watchers; x; x = x->next)
        if (x->session == v->session && x->sessions == v->sessions) {
            own++;
            oldest = x;
        }
    if (st == PUAN_OK && own >= EACH)
        puan_http_stream_end(oldest->stream);
    if (st == PUAN_OK) {
        v->stream = puan_http_stream_open(rq->http, closed, v);
        if (!v->stream)
            st = puan_fail(err, PUAN_EBUSY, "events", "the server is ending");
    }
    if (st != PUAN_OK) {
        pthread_mutex_unlock(&l->lock);
        free(v);
        return st;
    }
    v->next = l->watchers;
    l->watchers = v;
    atomic_fetch_add(&l->n_watchers, 1);
    (void)puan_http_stream_send(v->stream, PUAN_STR("retry: 5000\n\n"));
    pthread_mutex_unlock(&l->lock);
    puan_answer_header(rq, "X-Accel-Buffering", "no");
    puan_answer_bytes(rq, 200, "text/event-stream", PUAN_STR(""));
    return PUAN_OK;
}

static const struct puan_route routes[] = {
    { PUAN_GET, "/c/{campaign}/events", "", PUAN_SCOPE_SESSION, "",
      "Which topics changed in the seat's area, as server-sent events without "
      "data",
      get_events, PUAN_PARAMS(events_params, struct events_in), .idle = true,
      .stream = true },
};

/* ---- metrics, state --------------------------------------------------------------------- */

static enum puan_status m_streams(int64_t *v, struct puan_store *st,
                                  int64_t area, struct puan_err *err)
{
    struct live *l = puan_store_state(st, &puan_feature_live);

    (void)area;
    (void)err;
    *v = (int64_t)atomic_load(&l->n_watchers);
    return PUAN_OK;
}

static const struct puan_metric metrics[] = {
    { "puan_streams_open", "streams", "installation",
      "Pages that listen for changes", m_streams },
};

static void close_state(void *state, struct puan_store *st)
{
    struct live *l = state;

    (void)st;
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->lock);
    if (l->running)
        pthread_join(l->thread, NULL);
    pthread_cond_destroy(&l->wake);
    pthread_mutex_destroy(&l->lock);
    pthread_mutex_destroy(&l->touch_lock);
    free(l->now);
    free(l->then);
    free(l);
}

static enum puan_status open_state(void **state, struct puan_store *st,
                                   struct puan_err *err)
{
    struct live *l = calloc(1, sizeof(*l));
    pthread_condattr_t attr;

    *state = NULL;
    if (!l)
        return puan_fail(err, PUAN_ENOMEM, "live", "out of memory");
    l->store = st;
    atomic_store(&l->every_ms, EVERY_MS);
    atomic_store(&l->beat_ms, BEAT_MS);
    pthread_mutex_init(&l->lock, NULL);
    pthread_mutex_init(&l->touch_lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&l->wake, &attr);
    pthread_condattr_destroy(&attr);
    l->now = calloc(TOPICS, sizeof(struct touched));
    l->then = calloc(TOPICS, sizeof(struct touched));
    if (!l->now || !l->then) {
        close_state(l, st);
        return puan_fail(err, PUAN_ENOMEM, "live", "out of memory");
    }
    *state = l;
    return PUAN_OK;
}

const struct puan_feature puan_feature_live = {
    .name = "live",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .metrics = metrics,
    .n_metrics = PUAN_COUNT(metrics),
    .open = open_state,
    .close = close_state,
};
