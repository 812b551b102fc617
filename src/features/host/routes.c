/*
 * The host's own routes: is it alive, what does it offer, how is it doing.
 * Never tells anything of a person.
 */
#include "core/plan/plan.h"
#include "features/host/internal.h"
#include "kit/os/os.h"

static enum puan_status healthz(struct puan_request *rq, const void *in,
                                struct puan_err *err)
{
    (void)in;
    (void)err;
    puan_answer_bytes(rq, 200, "text/plain; charset=utf-8", PUAN_STR("ok\n"));
    return PUAN_OK;
}

/* Ready: the office store can be read. */
static enum puan_status readyz(struct puan_request *rq, const void *in,
                               struct puan_err *err)
{
    struct puan_shard *sh = puan_store_office(rq->store);
    struct puan_db *db;
    int64_t one;
    enum puan_status st;

    (void)in;
    st = puan_read_begin(&db, sh, err);
    if (st != PUAN_OK)
        return st;
    st = puan_db_int(&one, db, "SELECT 1", 0, err);
    puan_read_end(sh, db);
    if (st == PUAN_OK)
        puan_answer_bytes(rq, 200, "text/plain; charset=utf-8",
                          PUAN_STR("ready\n"));
    return st;
}

static enum puan_status openapi(struct puan_request *rq, const void *in,
                                struct puan_err *err)
{
    (void)in;
    (void)err;
    puan_answer_bytes(rq, 200, "application/json", PUAN_STR(""));
    puan_openapi_write(&rq->http->out, rq->host->features,
                       puan_arena_dup(rq->arena, rq->campaign));
    return PUAN_OK;
}

static void metric_head(struct puan_out *o, const char *name, const char *type,
                        const char *help)
{
    puan_out_fmt(o, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Prometheus text: the registry of contract 9 and the server's own. */
static enum puan_status metrics(struct puan_request *rq, const void *in,
                                struct puan_err *err)
{
    struct puan_host *h = rq->host;
    struct puan_out *o = &rq->http->out;
    int64_t top = puan_area_top(rq->store);

    (void)in;
    (void)err;
    if (!puan_request_is_local(rq) &&
        !(puan_request_can(rq, "metrics.view") && puan_request_covers(rq, top)))
        return PUAN_EDENIED;
    puan_answer_bytes(rq, 200, "text/plain; version=0.0.4; charset=utf-8",
                      PUAN_STR(""));
    for (size_t f = 0; h->features[f]; f++)
        for (size_t i = 0; i < h->features[f]->n_metrics; i++) {
            const struct puan_metric *m = &h->features[f]->metrics[i];
            struct puan_err why = { 0 };
            int64_t v;

            metric_head(o, m->name, "gauge", m->help ? m->help : m->unit);
            if (m->read(&v, rq->store, top, &why) == PUAN_OK)
                puan_out_fmt(o, "%s %lld\n", m->name, (long long)v);
            else
                puan_out_fmt(o, "%s NaN\n", m->name);
        }
    metric_head(o, "puan_http_answers_total", "counter",
                "Answers by route and class of status");
    for (size_t i = 0; i < h->n_routes; i++)
        for (int c = 2; c < PUAN_STATUS_CLASSES; c++) {
            uint64_t n = atomic_load(&h->route[i].answers[c]);

            if (n)
                puan_out_fmt(o,
                             "puan_http_answers_total{method=\"%s\",route="
                             "\"%s\",class=\"%dxx\"} %llu\n",
                             puan_method_name(h->route[i].row->method),
                             h->route[i].row->path, c, (unsigned long long)n);
        }
    metric_head(o, "puan_http_spent_microseconds_total", "counter",
                "Time from headers to answer by route");
    for (size_t i = 0; i < h->n_routes; i++)
        if (atomic_load(&h->route[i].spent_us))
            puan_out_fmt(o,
                         "puan_http_spent_microseconds_total{method=\"%s\","
                         "route=\"%s\"} %llu\n",
                         puan_method_name(h->route[i].row->method),
                         h->route[i].row->path,
                         (unsigned long long)atomic_load(
                             &h->route[i].spent_us));
    metric_head(o, "puan_http_refused_total", "counter",
                "Requests refused for session, capability or area");
    puan_out_fmt(o, "puan_http_refused_total %llu\n",
                 (unsigned long long)atomic_load(&h->refused));
    metric_head(o, "puan_http_malformed_total", "counter",
                "Requests refused because malformed");
    puan_out_fmt(o, "puan_http_malformed_total %llu\n",
                 (unsigned long long)atomic_load(&h->malformed));
    metric_head(o, "puan_sessions", "gauge", "Sessions in memory");
    puan_out_fmt(o, "puan_sessions %zu\n", puan_session_count(h->sessions));
    metric_head(o, "puan_peak_memory_kib", "gauge",
                "Peak resident set of the server");
    puan_out_fmt(o, "puan_peak_memory_kib %lld\n",
                 (long long)puan_os_peak_kib());
    metric_head(o, "puan_up_milliseconds", "gauge", "Time since start");
    puan_out_fmt(o, "puan_up_milliseconds %lld\n",
                 (long long)(rq->real_now - h->started_ms));
    return PUAN_OK;
}

static enum puan_status refusals(struct puan_request *rq, const void *in,
                                 struct puan_err *err)
{
    struct puan_host *h = rq->host;
    struct puan_jw *w = puan_answer_items(rq);
    uint64_t n;

    (void)in;
    (void)err;
    pthread_mutex_lock(&h->refusal_lock);
    n = h->n_refusals < PUAN_REFUSALS ? h->n_refusals : PUAN_REFUSALS;
    for (uint64_t i = 1; i <= n; i++) {
        const struct puan_refusal *r =
            &h->refusal[(h->n_refusals - i) % PUAN_REFUSALS];

        puan_jw_map(w);
        puan_jw_kint(w, "time_ms", r->when_ms);
        puan_jw_kint(w, "status", r->status);
        puan_jw_ktext(w, "method", r->method);
        puan_jw_ktext(w, "route", r->path);
        puan_jw_ktext(w, "peer", r->peer);
        puan_jw_kint(w, "session", r->session);
        puan_jw_end(w, '}');
    }
    pthread_mutex_unlock(&h->refusal_lock);
    puan_answer_items_end(rq, 0);
    return PUAN_OK;
}

const struct puan_route puan_host_rows[5] = {
    { .method = PUAN_GET, .path = "/healthz", .page = true, .capability = "",
      .scope = PUAN_SCOPE_PUBLIC, .verb = "", .summary = "Alive",
      .handle = healthz, .direct = true },
    { .method = PUAN_GET, .path = "/readyz", .page = true, .capability = "",
      .scope = PUAN_SCOPE_PUBLIC, .verb = "", .summary = "Ready to serve",
      .handle = readyz },
    { .method = PUAN_GET, .path = "/metrics", .page = true, .capability = "",
      .scope = PUAN_SCOPE_PUBLIC, .verb = "",
      .summary = "Metrics for Prometheus (this machine, or metrics.view)",
      .handle = metrics },
    { .method = PUAN_GET, .path = "/openapi.json", .capability = "",
      .scope = PUAN_SCOPE_PUBLIC, .verb = "",
      .summary = "This description of the interface", .handle = openapi },
    { .method = PUAN_GET, .path = "/c/{campaign}/refusals",
      .capability = "access.view", .scope = PUAN_SCOPE_OFFICE, .verb = "",
      .summary = "The last refusals, newest first", .handle = refusals },
};
