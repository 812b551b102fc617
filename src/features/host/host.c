/*
 * Starting and stopping: compiles the rows, computes who may use them, opens
 * sessions, threads and the listener.  Never handles a request itself.
 */
#include "features/host/host.h"

#include <stdlib.h>

#include "core/plan/plan.h"
#include "features/host/internal.h"
#include "kit/log/log.h"
#include "kit/os/heap.h"

size_t puan_dispatch_limit(void *ctx, struct puan_http *x);
void puan_dispatch_handle(void *ctx, struct puan_http *x);
void puan_dispatch_malformed(void *ctx, struct puan_http *x, const char *why);

const char *puan_method_name(enum puan_method m)
{
    static const char *const names[] = { "GET", "POST", "PUT", "DELETE" };

    return names[m];
}

const char *puan_route_path(const struct puan_route *row, struct puan_arena *a)
{
    return puan_arena_fmt(a, "%s%s", row->page ? "" : "/api/v1", row->path);
}

static int param_of(const struct puan_route *row, const char *name,
                    enum puan_param_kind kind)
{
    for (size_t i = 0; i < row->n_params; i++)
        if (row->params[i].kind == kind &&
            puan_str_is(puan_str_of(row->params[i].name), name))
            return (int)i;
    return -1;
}

/* What a row must have to be safe; a fault is a programming error. */
static enum puan_status check_row(const struct puan_compiled *c,
                                  struct puan_err *err)
{
    const struct puan_route *row = c->row;

    if (!row->handle || !row->summary || !row->capability || !row->verb)
        return puan_fail(err, PUAN_EBUG, row->path,
                         "a route needs handler, summary, capability, verb");
    if (row->n_params > PUAN_PARAMS_MAX)
        return puan_fail(err, PUAN_EBUG, row->path, "too many parameters");
    if (row->scope != PUAN_SCOPE_PUBLIC && row->scope != PUAN_SCOPE_SESSION &&
        !*row->capability)
        return puan_fail(err, PUAN_EBUG, row->path,
                         "a route with an area needs a capability");
    if (row->scope == PUAN_SCOPE_HOUSEHOLD &&
        (c->household_param < 0 || row->params[c->household_param].optional))
        return puan_fail(err, PUAN_EBUG, row->path,
                         "needs a required parameter household");
    if (row->scope == PUAN_SCOPE_AREA && c->area_param < 0)
        return puan_fail(err, PUAN_EBUG, row->path,
                         "needs a parameter area");
    if (row->scope == PUAN_SCOPE_OBJECT && !row->area_of)
        return puan_fail(err, PUAN_EBUG, row->path, "needs area_of");
    if (row->direct && row->scope == PUAN_SCOPE_OBJECT)
        return puan_fail(err, PUAN_EBUG, row->path,
                         "a direct route cannot look an object up");
    for (size_t i = 0; i < c->pattern.n_segments; i++)
        if (c->pattern.is_param[i] &&
            !puan_str_is(c->pattern.segment[i], "campaign")) {
            bool found = false;

            for (size_t q = 0; q < row->n_params; q++)
                found = found || puan_str_is(c->pattern.segment[i],
                                             row->params[q].name);
            if (!found)
                return puan_fail(err, PUAN_EBUG, row->path,
                                 "{%.*s} is not in the table of parameters",
                                 PUAN_FMT(c->pattern.segment[i]));
        }
    return PUAN_OK;
}

static enum puan_status compile(struct puan_host *h, struct puan_err *err)
{
    size_t n = 0;
    enum puan_status st;

    for (size_t f = 0; h->features[f]; f++)
        n += h->features[f]->n_routes;
    h->route = puan_new_n(&h->arena, n, struct puan_compiled);
    if (!h->route)
        return puan_fail(err, PUAN_ENOMEM, "host", "out of memory");
    for (size_t f = 0; h->features[f]; f++)
        for (size_t i = 0; i < h->features[f]->n_routes; i++) {
            struct puan_compiled *c = &h->route[h->n_routes];

            c->feature = h->features[f];
            c->row = &c->feature->routes[i];
            c->ordinal = h->n_routes++;
            c->area_param = param_of(c->row, "area", PUAN_PARAM_AREA);
            c->household_param =
                param_of(c->row, "household", PUAN_PARAM_HOUSEHOLD);
            st = puan_pattern_make(&c->pattern,
                                   puan_route_path(c->row, &h->arena), err);
            if (st == PUAN_OK)
                st = check_row(c, err);
            if (st != PUAN_OK)
                return st;
        }
    for (int m = 0; m < 4; m++)
        for (size_t k = 0; k <= PUAN_SEGMENTS; k++) {
            struct puan_bucket *b = &h->bucket[m][k];

            b->at = puan_new_n(&h->arena, n, struct puan_compiled *);
            for (size_t lit = k + 1; lit-- > 0 && b->at;)
                for (size_t i = 0; i < n; i++)
                    if ((int)h->route[i].row->method == m &&
                        h->route[i].pattern.n_segments == k &&
                        h->route[i].pattern.n_literals == lit)
                        b->at[b->n++] = &h->route[i];
        }
    return puan_arena_check(&h->arena, err);
}

static enum puan_status permit(struct puan_host *h, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(h->store);

    h->n_roles = plan->n_roles;
    h->may = puan_new_n(&h->arena, (h->n_roles * h->n_routes + 64) / 64,
                        uint64_t);
    for (size_t r = 0; r < h->n_roles && h->may; r++)
        for (size_t i = 0; i < h->n_routes; i++) {
            const char *cap = h->route[i].row->capability;
            size_t bit = r * h->n_routes + i;

            if (!*cap || puan_role_can(&plan->role[r], puan_str_of(cap)))
                h->may[bit / 64] |= UINT64_C(1) << bit % 64;
        }
    return puan_arena_check(&h->arena, err);
}

bool puan_host_may(const struct puan_host *h, size_t role, size_t route)
{
    size_t bit = role * h->n_routes + route;

    return role < h->n_roles && route < h->n_routes &&
           (h->may[bit / 64] >> bit % 64 & 1);
}

size_t puan_host_routes(const struct puan_host *h)
{
    return h->n_routes;
}

const struct puan_route *puan_host_route(const struct puan_host *h, size_t i)
{
    return h->route[i].row;
}

struct puan_sessions *puan_host_sessions(struct puan_host *h)
{
    return h->sessions;
}

int64_t puan_host_households(const struct puan_host *h)
{
    return h->opt.households;
}

bool puan_host_secure(const struct puan_host *h)
{
    return h->opt.tls_cert != NULL;
}

const char *puan_host_address(const struct puan_host *h)
{
    return puan_http_address(h->http);
}

/* ---- jobs ------------------------------------------------------------------------ */

struct job_arg {
    struct puan_host *host;
    const struct puan_job *job;
};

static void tick(void *arg)
{
    struct job_arg *j = arg;
    struct puan_err err = { 0 };

    if (j->job->run(j->host->store, &err) != PUAN_OK)
        puan_log_err(PUAN_LOG_WARN, j->job->name, &err);
}

static void sweep(void *arg)
{
    struct puan_host *h = arg;

    puan_session_sweep(h->sessions, puan_real_now());
}

static enum puan_status start_jobs(struct puan_host *h, struct puan_err *err)
{
    struct puan_tick *ticks;
    size_t n = 1, k = 0, args = 0;
    enum puan_status st = PUAN_OK;

    for (size_t f = 0; h->opt.jobs && h->features[f]; f++)
        n += h->features[f]->n_jobs;
    ticks = puan_new_n(&h->arena, n, struct puan_tick);
    h->job_args = puan_new_n(&h->arena, n, struct job_arg);
    h->tickers = puan_new_n(&h->arena, n, struct puan_ticker *);
    if (!ticks || !h->job_args || !h->tickers)
        return puan_fail(err, PUAN_ENOMEM, "host", "out of memory");
    for (size_t f = 0; h->opt.jobs && h->features[f]; f++)
        for (size_t i = 0; i < h->features[f]->n_jobs && st == PUAN_OK; i++) {
            const struct puan_job *j = &h->features[f]->jobs[i];
            struct puan_tick t = { j->name, j->every_ms, tick,
                                   &h->job_args[args] };

            h->job_args[args++] = (struct job_arg){ h, j };
            if (!j->alone) {
                ticks[k++] = t;
                continue;
            }
            st = puan_ticker_open(&h->tickers[h->n_tickers], &t, 1, err);
            h->n_tickers += st == PUAN_OK;
        }
    ticks[k++] = (struct puan_tick){ "sessions", 30000, sweep, h };
    if (st == PUAN_OK)
        st = puan_ticker_open(&h->tickers[h->n_tickers], ticks, k, err);
    h->n_tickers += st == PUAN_OK;
    return st;
}

/* ---- start, stop ------------------------------------------------------------------ */

enum puan_status
puan_host_start(struct puan_host **out, struct puan_store *st,
                const struct puan_feature *const *features,
                const struct puan_host_options *opt, struct puan_err *err)
{
    struct puan_host *h = calloc(1, sizeof(*h));
    struct puan_http_options o = { 0 };
    enum puan_status r;

    *out = NULL;
    if (!h)
        return puan_fail(err, PUAN_ENOMEM, "host", "out of memory");
    puan_arena_init(&h->arena, &puan_heap);
    pthread_mutex_init(&h->refusal_lock, NULL);
    h->store = st;
    h->opt = *opt;
    h->features = features;
    h->campaign = puan_store_plan(st)->id;
    h->store_id = puan_str_of(puan_store_id(st));
    h->started_ms = puan_real_now();
    r = compile(h, err);
    if (r == PUAN_OK)
        r = permit(h, err);
    if (r == PUAN_OK)
        r = puan_sessions_open(&h->sessions,
                               opt->sessions ? opt->sessions : 200000, err);
    if (r == PUAN_OK && !(h->idem = puan_idem_open()))
        r = puan_fail(err, PUAN_ENOMEM, "host", "out of memory");
    if (r == PUAN_OK)
        r = puan_pool_open(&h->pool, opt->workers ? opt->workers : 8, 8192,
                           err);
    if (r == PUAN_OK)
        r = puan_pool_open(&h->costly, 2, 8192, err); /* as kit/crypto lets */
    if (r == PUAN_OK)
        r = start_jobs(h, err);
    if (r == PUAN_OK) {
        o.listen = opt->listen ? opt->listen : "127.0.0.1:8020";
        o.threads = opt->loops;
        o.tls_cert = opt->tls_cert;
        o.tls_key = opt->tls_key;
        o.proxies = opt->proxies;
        o.ctx = h;
        o.limit = puan_dispatch_limit;
        o.handle = puan_dispatch_handle;
        o.refused = puan_dispatch_malformed;
        r = puan_http_start(&h->http, &o, err);
    }
    if (r != PUAN_OK) {
        puan_host_stop(h);
        return r;
    }
    *out = h;
    return PUAN_OK;
}

void puan_host_stop(struct puan_host *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < h->n_tickers; i++)
        puan_ticker_close(h->tickers[i]);
    puan_http_stop(h->http); /* waits for answers, which the pool still makes */
    puan_pool_close(h->pool); /* may still hand on to the next */
    puan_pool_close(h->costly);
    puan_sessions_close(h->sessions);
    puan_idem_close(h->idem);
    pthread_mutex_destroy(&h->refusal_lock);
    puan_arena_clear(&h->arena);
    free(h);
}
