/*
 * The projection, its metrics and its one route; see interviews.h.
 */
#include "features/interviews/interviews.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/flow/flow.h"
#include "core/plan/plan.h"
#include "features/host/request.h"
#include "features/ingest/ingest.h"
#include "kit/http/http.h"
#include "kit/os/heap.h"

#define SHARDS 4096
#define ROWS 2048
#define MINUTE INT64_C(60000)

/* One enumerator in one enumeration area. */
struct place {
    int64_t ea;
    uint32_t who; /* in `actor` */
    struct puan_interviews n;
};
struct shard {
    struct puan_shard *sh;
    pthread_mutex_t lock;
    int64_t seq; /* last row read */
    bool made;   /* has once reached the end */
    struct puan_arena texts;
    struct puan_str *actor;
    size_t n_actors, cap_actors;
    struct place *place; /* a hash over ea and who; who 0 is none */
    size_t n_places, cap_places;
};
struct interviews {
    struct puan_store *store;
    struct shard *shard[SHARDS];
    int64_t least_ms, from, until, base;
};

/* ---- one shard ------------------------------------------------------------- */

static uint64_t mix(uint64_t h)
{
    h ^= h >> 31;
    h *= UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 29;
}

static size_t slot_of(const struct shard *s, int64_t ea, uint32_t who)
{
    size_t i = (size_t)(mix((uint64_t)ea * 31 + who) % s->cap_places);

    while (s->place[i].who != 0 &&
           (s->place[i].ea != ea || s->place[i].who != who))
        i = i + 1 == s->cap_places ? 0 : i + 1;
    return i;
}

static bool grow(struct shard *s)
{
    struct shard bigger = *s;

    bigger.cap_places = s->cap_places ? s->cap_places * 2 : 256;
    bigger.place = calloc(bigger.cap_places, sizeof *bigger.place);
    if (!bigger.place)
        return false;
    for (size_t i = 0; i < s->cap_places; i++)
        if (s->place[i].who)
            bigger.place[slot_of(&bigger, s->place[i].ea, s->place[i].who)] =
                s->place[i];
    free(s->place);
    s->place = bigger.place;
    s->cap_places = bigger.cap_places;
    return true;
}

/*
 * Number of an account + 1; 0: no memory.  Rows of one enumerator mostly come
 * after one another, and a county has some hundreds of them.
 */
static uint32_t actor_of(struct shard *s, struct puan_str name)
{
    for (size_t i = s->n_actors; i-- > 0;)
        if (puan_str_eq(s->actor[i], name))
            return (uint32_t)i + 1;
    if (s->n_actors == s->cap_actors) {
        size_t cap = s->cap_actors ? s->cap_actors * 2 : 64;
        struct puan_str *p = realloc(s->actor, cap * sizeof *p);

        if (!p)
            return 0;
        s->actor = p;
        s->cap_actors = cap;
    }
    s->actor[s->n_actors] = puan_arena_keep(&s->texts, name);
    if (s->texts.failed)
        return 0;
    return (uint32_t)++s->n_actors;
}

static struct puan_interviews *at(struct shard *s, int64_t ea,
                                  struct puan_str name)
{
    uint32_t who = actor_of(s, name);
    size_t i;

    if (who == 0 || ((s->n_places + 1) * 2 > s->cap_places && !grow(s)))
        return NULL;
    i = slot_of(s, ea, who);
    if (s->place[i].who == 0) {
        s->place[i].ea = ea;
        s->place[i].who = who;
        s->n_places++;
    }
    return &s->place[i].n;
}

static enum puan_status out_of_memory(struct puan_err *err)
{
    return puan_fail(err, PUAN_ENOMEM, "interviews", "out of memory");
}

/* seq, household, actor, mode, started, finished, hard; actor, mode before */
static enum puan_status take(struct interviews *x, struct shard *s,
                             struct puan_stmt *q, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(x->store);
    int64_t ea = puan_col_int(q, 1) / x->base, hour;
    bool first = puan_col_text(q, 7).n == 0;
    struct puan_interviews *n;

    if (!first && puan_str_is(puan_col_text(q, 8), "enumerator")) {
        n = at(s, ea, puan_col_text(q, 7));
        if (!n)
            return out_of_memory(err);
        n->corrected++;
    }
    if (first && puan_str_is(puan_col_text(q, 3), "enumerator")) {
        int64_t started = puan_col_int(q, 4), took = puan_col_int(q, 5) - started;

        n = at(s, ea, puan_col_text(q, 2));
        if (!n)
            return out_of_memory(err);
        hour = (started / MINUTE + plan->offset_minutes) / 60 % 24;
        n->interviews++;
        n->fast += took >= 0 && took < x->least_ms;
        n->night += x->from > x->until ? hour >= x->from || hour < x->until
                                       : hour >= x->from && hour < x->until;
        n->flawed += puan_col_int(q, 6) > 0;
    }
    s->seq = puan_col_int(q, 0);
    return PUAN_OK;
}

static enum puan_status follow(struct interviews *x, struct shard *s,
                               struct puan_err *err)
{
    size_t n = ROWS;
    enum puan_status st = PUAN_OK;

    while (st == PUAN_OK && n == ROWS) {
        struct puan_stmt *q = NULL;
        struct puan_db *db = NULL;
        bool more = true;

        n = 0;
        pthread_mutex_lock(&s->lock);
        st = puan_read_begin(&db, s->sh, err);
        if (st == PUAN_OK)
            st = puan_sql(&q, db,
                          "SELECT r.seq, r.household, r.actor, r.mode,"
                          " r.started, r.finished, r.hard,"
                          " COALESCE(p.actor, ''), COALESCE(p.mode, '')"
                          " FROM ret r LEFT JOIN ret p ON p.seq = r.prev"
                          " WHERE r.seq > $1 ORDER BY r.seq LIMIT 2048",
                          err);
        if (st == PUAN_OK)
            puan_bind_int(q, 1, s->seq);
        while (st == PUAN_OK &&
               (st = puan_stmt_step(&more, q, err)) == PUAN_OK && more) {
            st = take(x, s, q, err);
            n++;
        }
        if (q)
            puan_stmt_done(q);
        puan_read_end(s->sh, db);
        s->made = s->made || (st == PUAN_OK && n < ROWS);
        pthread_mutex_unlock(&s->lock);
    }
    return st;
}

enum puan_status puan_interviews_look(struct puan_store *st,
                                      struct puan_err *err)
{
    struct interviews *x = puan_store_state(st, &puan_feature_interviews);
    enum puan_status rc = PUAN_OK;

    for (size_t i = 1; x && i < puan_store_shards(st) && i < SHARDS &&
                       rc == PUAN_OK;
         i++)
        if (x->shard[i])
            rc = follow(x, x->shard[i], err);
    return rc;
}

/* ---- by enumerator ---------------------------------------------------------- */

static void add(struct puan_interviews *to, const struct puan_interviews *n)
{
    to->interviews += n->interviews;
    to->fast += n->fast;
    to->night += n->night;
    to->flawed += n->flawed;
    to->corrected += n->corrected;
}

static enum puan_status of_shard(struct puan_interviewer **out, size_t *n,
                                 struct shard *s, int64_t from, int64_t to,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_interviews *by;
    struct puan_interviewer *more;
    size_t k = 0;

    by = puan_new_n(a, s->n_actors + 1, struct puan_interviews);
    if (!by)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < s->cap_places; i++)
        if (s->place[i].who && s->place[i].ea >= from && s->place[i].ea < to)
            add(&by[s->place[i].who - 1], &s->place[i].n);
    for (size_t i = 0; i < s->n_actors; i++)
        k += by[i].interviews > 0 || by[i].corrected > 0;
    more = puan_new_n(a, *n + k + 1, struct puan_interviewer);
    if (!more)
        return puan_arena_check(a, err);
    if (*n > 0)
        memcpy(more, *out, *n * sizeof *more);
    for (size_t i = 0; i < s->n_actors; i++)
        if (by[i].interviews > 0 || by[i].corrected > 0)
            more[(*n)++] = (struct puan_interviewer){
                puan_arena_keep(a, s->actor[i]), by[i]
            };
    *out = more;
    return puan_arena_check(a, err);
}

enum puan_status puan_interviewers(struct puan_interviewer **out, size_t *n,
                                   struct puan_store *st, int64_t area,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct interviews *x = puan_store_state(st, &puan_feature_interviews);
    int64_t from, to, s_from, s_to;
    enum puan_status rc = PUAN_OK;

    *out = NULL;
    *n = 0;
    if (!x)
        return PUAN_OK;
    puan_area_keys(&from, &to, st, area);
    for (size_t i = 1; i < puan_store_shards(st) && i < SHARDS && rc == PUAN_OK;
         i++) {
        struct shard *s = x->shard[i];

        if (!s)
            continue;
        puan_area_keys(&s_from, &s_to, st, puan_shard_area(s->sh));
        if (s_from >= to || from >= s_to)
            continue;
        pthread_mutex_lock(&s->lock);
        rc = s->made ? of_shard(out, n, s, from / x->base,
                                (to + x->base - 1) / x->base, a, err)
                     : puan_fail(err, PUAN_EBUSY, "interviews",
                                 "not read to the end yet");
        pthread_mutex_unlock(&s->lock);
    }
    return rc;
}

/* ---- metrics -------------------------------------------------------------------- */

enum figure { ALL, FAST, NIGHT, FLAWED, CORRECTED };

static int64_t figure_of(const struct puan_interviews *n, enum figure f)
{
    switch (f) {
    case ALL: return n->interviews;
    case FAST: return n->fast;
    case NIGHT: return n->night;
    case FLAWED: return n->flawed;
    case CORRECTED: return n->corrected;
    }
    return 0;
}

/* Over all enumerators of the area; or the highest percentage of any of them
 * who is to be judged. */
static enum puan_status measure(int64_t *v, struct puan_store *st, int64_t area,
                                enum figure f, bool most, struct puan_err *err)
{
    struct puan_interviewer *list;
    struct puan_arena a;
    size_t n;
    enum puan_status rc;

    *v = 0;
    puan_arena_init(&a, &puan_heap);
    rc = puan_interviewers(&list, &n, st, area, &a, err);
    for (size_t i = 0; i < n && rc == PUAN_OK; i++) {
        int64_t x = figure_of(&list[i].n, f), of = list[i].n.interviews;

        if (!most)
            *v += x;
        else if (of >= PUAN_INTERVIEWS_LEAST && x * 100 / of > *v)
            *v = x * 100 / of;
    }
    puan_arena_clear(&a);
    return rc;
}

#define METRIC(name, f, most)                                                  \
    static enum puan_status name(int64_t *v, struct puan_store *st,            \
                                 int64_t area, struct puan_err *err)           \
    {                                                                          \
        return measure(v, st, area, f, most, err);                             \
    }
METRIC(m_all, ALL, false)
METRIC(m_fast, FAST, false)
METRIC(m_night, NIGHT, false)
METRIC(m_most_fast, FAST, true)
METRIC(m_most_night, NIGHT, true)
METRIC(m_most_flawed, FLAWED, true)
METRIC(m_most_corrected, CORRECTED, true)

static const struct puan_metric metrics[] = {
    { "puan_interviews", "interviews", "area",
      "First interviews by enumerators", m_all },
    { "puan_interviews_fast", "interviews", "area",
      "of these, shorter than an interview can be", m_fast },
    { "puan_interviews_night", "interviews", "area",
      "of these, begun at night", m_night },
    { "puan_enumerator_most_fast", "percent", "area",
      "Highest share of too short interviews of any enumerator with 20",
      m_most_fast },
    { "puan_enumerator_most_night", "percent", "area",
      "Highest share of interviews at night of any enumerator with 20",
      m_most_night },
    { "puan_enumerator_most_flawed", "percent", "area",
      "Highest share of interviews with a hard finding of any enumerator with "
      "20",
      m_most_flawed },
    { "puan_enumerator_most_corrected", "percent", "area",
      "Highest share of corrected interviews of any enumerator with 20",
      m_most_corrected },
};

/* ---- the route --------------------------------------------------------------------- */

struct area_in {
    int64_t area;
};
static const struct puan_param area_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct area_in, area), 1, INT64_MAX,
      true },
};

static int by_number(const void *x, const void *y)
{
    const int64_t *a = x, *b = y;

    return *a < *b ? -1 : *a > *b;
}

/* The middle percentage of those who are to be judged; -1: nobody is. */
static int64_t middle(const struct puan_interviewer *l, size_t n, enum figure f,
                      int64_t *room)
{
    size_t k = 0;

    for (size_t i = 0; i < n; i++)
        if (l[i].n.interviews >= PUAN_INTERVIEWS_LEAST)
            room[k++] = figure_of(&l[i].n, f) * 100 / l[i].n.interviews;
    if (k == 0)
        return -1;
    qsort(room, k, sizeof *room, by_number);
    return room[k / 2];
}

static const struct {
    const char *key;
    enum figure figure;
} shown[] = { { "interviews", ALL },
              { "fast", FAST },
              { "night", NIGHT },
              { "flawed", FLAWED },
              { "corrected", CORRECTED } };

static enum puan_status list(struct puan_request *rq, const void *in,
                             struct puan_err *err)
{
    struct puan_interviewer *l;
    struct puan_jw *w;
    int64_t *room;
    size_t n;

    (void)in;
    TRY(puan_interviewers(&l, &n, rq->store, rq->area, rq->arena, err));
    room = puan_new_n(rq->arena, n + 1, int64_t);
    if (!room)
        return puan_arena_check(rq->arena, err);
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kint(w, "least", PUAN_INTERVIEWS_LEAST);
    puan_jw_key(w, "middle");
    puan_jw_map(w);
    for (size_t i = 1; i < PUAN_COUNT(shown); i++) {
        int64_t m = middle(l, n, shown[i].figure, room);

        if (m >= 0)
            puan_jw_kint(w, shown[i].key, m);
    }
    puan_jw_end(w, '}');
    puan_jw_key(w, "enumerators");
    puan_jw_list(w);
    for (size_t i = 0; i < n; i++) {
        puan_jw_map(w);
        puan_jw_kstr(w, "account", l[i].actor);
        for (size_t k = 0; k < PUAN_COUNT(shown); k++)
            puan_jw_kint(w, shown[k].key, figure_of(&l[i].n, shown[k].figure));
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static const struct puan_route routes[] = {
    { .method = PUAN_GET, .path = "/c/{campaign}/interviews",
      .capability = "monitor.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "How interviews are done, by enumerator", .handle = list,
      PUAN_PARAMS(area_params, struct area_in) },
};

/* ---- life --------------------------------------------------------------------------- */

static int64_t span(const struct puan_plan *plan, const char *id, int64_t dflt)
{
    const struct puan_setting *s = puan_plan_setting(plan, puan_str_of(id));
    int64_t ms;

    return s && puan_flow_duration(&ms, s->text) ? ms : dflt;
}

static enum puan_status open_state(void **state, struct puan_store *st,
                                   struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(st);
    struct interviews *x = calloc(1, sizeof *x);

    if (!x)
        return out_of_memory(err);
    x->store = st;
    x->least_ms = span(plan, "interview_least", 3 * MINUTE);
    x->from = puan_plan_number(plan, "interview_night_from", 22);
    x->until = puan_plan_number(plan, "interview_night_until", 6);
    x->base = 1;
    for (unsigned i = 0; i < plan->household_digits; i++)
        x->base *= 10;
    *state = x;
    return PUAN_OK;
}

static enum puan_status shard_open(void *state, struct puan_store *st,
                                   struct puan_shard *sh, struct puan_err *err)
{
    struct interviews *x = state;
    size_t i = puan_shard_ordinal(sh);
    struct shard *s;

    (void)st;
    if (i == 0 || i >= SHARDS)
        return PUAN_OK;
    s = calloc(1, sizeof *s);
    if (!s)
        return out_of_memory(err);
    s->sh = sh;
    puan_arena_init(&s->texts, &puan_heap);
    pthread_mutex_init(&s->lock, NULL);
    x->shard[i] = s;
    return PUAN_OK;
}

static void close_state(void *state, struct puan_store *st)
{
    struct interviews *x = state;

    (void)st;
    for (size_t i = 0; x && i < SHARDS; i++) {
        struct shard *s = x->shard[i];

        if (!s)
            continue;
        pthread_mutex_destroy(&s->lock);
        puan_arena_clear(&s->texts);
        free(s->actor);
        free(s->place);
        free(s);
    }
    free(x);
}

static const struct puan_job jobs[] = {
    { "interviews", 2000, puan_interviews_look },
};

const struct puan_feature puan_feature_interviews = {
    .name = "interviews",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .metrics = metrics,
    .n_metrics = PUAN_COUNT(metrics),
    .jobs = jobs,
    .n_jobs = PUAN_COUNT(jobs),
    .open = open_state,
    .shard_open = shard_open,
    .close = close_state,
};
