/*
 * The one place that decides whether a request may reach its handler: route,
 * session, capability, area, in this order.  Never looks into a store itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/host/internal.h"
#include "features/web/web.h"
#include "kit/crypto/crypto.h"
#include "kit/log/log.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

#define LOG_LINES_A_SECOND 20
#define DEFAULT_BODY 65536
#define FACTOR_FRESH_MS INT64_C(300000) /* unless the plan says otherwise */

/* ---- areas ------------------------------------------------------------------- */

int64_t puan_area_top(struct puan_store *st)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    const struct puan_plan *plan = puan_store_plan(st);
    uint32_t i = 0;
    int shard;

    if (!t || !t->n || t->area[0].end != t->n)
        return 0;
    /* Offices above that hold nothing but this one are not the top. */
    shard = puan_area_level_of(t, plan->level[plan->shard_level].id);
    while ((int)t->area[i].level < shard && i + 1 < t->n &&
           t->area[i + 1].parent == i && t->area[i + 1].end == t->area[i].end)
        i++;
    return t->area[i].code;
}

bool puan_area_covers(struct puan_store *st, int64_t seat_area, int64_t area)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    char outer[24], inner[24];
    size_t n;

    if (seat_area == 0)
        return true;
    if (area == 0)
        return false;
    if (t && puan_area_find(t, seat_area) != PUAN_AREA_NONE)
        return puan_area_contains_code(t, seat_area, area);
    /* A seat above the installation: its code is a prefix of the top's. */
    n = puan_format(outer, sizeof(outer), "%lld", (long long)seat_area);
    puan_format(inner, sizeof(inner), "%lld", (long long)puan_area_top(st));
    return t && t->n && strncmp(outer, inner, n) == 0 && strlen(inner) > n &&
           puan_area_find(t, area) != PUAN_AREA_NONE;
}

/* ---- refusals ------------------------------------------------------------------ */

/* Writes at most a few lines a second: nobody outside can fill the disk. */
static void log_refusal(struct puan_host *h, const struct puan_http *x,
                        const struct puan_compiled *c,
                        const struct puan_who *who, unsigned status)
{
    int64_t second = puan_os_mono_ns() / 1000000000;
    struct puan_refusal *r;

    atomic_fetch_add_explicit(&h->refused, 1, memory_order_relaxed);
    pthread_mutex_lock(&h->refusal_lock);
    r = &h->refusal[h->n_refusals++ % PUAN_REFUSALS];
    *r = (struct puan_refusal){ .when_ms = puan_real_now(),
                                .session = who ? who->session : 0,
                                .status = status,
                                .method = c ? puan_method_name(c->row->method)
                                            : "-",
                                .path = c ? c->row->path : "-" };
    memcpy(r->peer, x->peer, sizeof(r->peer));
    pthread_mutex_unlock(&h->refusal_lock);
    if (atomic_exchange(&h->log_second, second) != second)
        atomic_store(&h->log_lines, 0);
    if (atomic_fetch_add(&h->log_lines, 1) >= LOG_LINES_A_SECOND)
        return;
    puan_log(h->opt.quiet ? PUAN_LOG_DEBUG : PUAN_LOG_INFO, "refused",
             PUAN_LOG_I("status", status),
             PUAN_LOG_T("route", c ? c->row->path : "-"),
             PUAN_LOG_T("peer", x->peer),
             PUAN_LOG_I("session", who ? who->session : 0));
}

void puan_note_refusal(struct puan_request *rq, unsigned status)
{
    struct puan_call *k = (struct puan_call *)(void *)rq; /* first member */

    log_refusal(rq->host, rq->http, k->c, &rq->who, status);
}

static void refuse(struct puan_call *k, unsigned status, const char *code,
                   const char *detail)
{
    struct puan_request *rq = &k->rq;

    if (status == 401)
        puan_http_answer_header(rq->http, "WWW-Authenticate", "Bearer");
    puan_answer_problem(rq, status, code, detail);
    log_refusal(rq->host, rq->http, k->c, &rq->who, status);
}

static void deny(struct puan_call *k)
{
    puan_answer_status(&k->rq, PUAN_EDENIED, NULL);
    log_refusal(k->rq.host, k->rq.http, k->c, &k->rq.who, 403);
}

/* ---- the session of a request -------------------------------------------------- */

static bool token_of(struct puan_str *token, bool *cookie,
                     const struct puan_http *x)
{
    struct puan_str auth = x->header[PUAN_H_AUTHORIZATION], part,
                    rest = x->header[PUAN_H_COOKIE];

    *cookie = false;
    if (auth.n) {
        if (auth.n < 8 || strncasecmp(auth.p, "Bearer ", 7) != 0)
            return false;
        *token = puan_str_trim((struct puan_str){ auth.p + 7, auth.n - 7 });
        return token->n > 0;
    }
    while (rest.n && puan_str_split(&part, &rest, ';')) {
        part = puan_str_trim(part);
        if (puan_str_starts(part, "puan_session=")) {
            *token = (struct puan_str){ part.p + 13, part.n - 13 };
            *cookie = true;
            return token->n > 0;
        }
    }
    return false;
}

/* A write under a cookie must come from our own pages. */
static bool same_origin(const struct puan_http *x)
{
    struct puan_str site = x->header[PUAN_H_FETCH_SITE];
    struct puan_str origin = x->header[PUAN_H_ORIGIN];
    struct puan_str host = x->header[PUAN_H_HOST];

    if (site.n)
        return puan_str_is(site, "same-origin") || puan_str_is(site, "none");
    if (!origin.n)
        return false;
    return origin.n > host.n + 3 &&
           memcmp(origin.p + origin.n - host.n, host.p, host.n) == 0 &&
           origin.p[origin.n - host.n - 1] == '/';
}

/* ---- before the body is read --------------------------------------------------- */

static struct puan_compiled *match(struct puan_host *h, struct puan_call *k,
                                   enum puan_http_method m)
{
    static const int of[] = { [PUAN_HTTP_GET] = PUAN_GET,
                              [PUAN_HTTP_HEAD] = PUAN_GET,
                              [PUAN_HTTP_POST] = PUAN_POST,
                              [PUAN_HTTP_PUT] = PUAN_PUT,
                              [PUAN_HTTP_DELETE] = PUAN_DELETE,
                              [PUAN_HTTP_OTHER] = -1 };
    const struct puan_bucket *b;

    if (of[m] < 0 || k->target.n_segments > PUAN_SEGMENTS)
        return NULL;
    b = &h->bucket[of[m]][k->target.n_segments];
    for (size_t i = 0; i < b->n; i++)
        if (puan_pattern_match(&b->at[i]->pattern, &k->target))
            return b->at[i];
    return NULL;
}

static bool other_method(struct puan_host *h, const struct puan_call *k)
{
    for (int m = 0; m < 4; m++) {
        const struct puan_bucket *b = &h->bucket[m][k->target.n_segments];

        for (size_t i = 0; i < b->n; i++)
            if (puan_pattern_match(&b->at[i]->pattern, &k->target))
                return true;
    }
    return false;
}

static bool campaign_fits(const struct puan_host *h, const struct puan_call *k)
{
    for (size_t i = 0; i < k->c->pattern.n_segments; i++)
        if (k->c->pattern.is_param[i] &&
            puan_str_is(k->c->pattern.segment[i], "campaign"))
            return puan_str_eq(k->target.segment[i], h->campaign) ||
                   puan_str_eq(k->target.segment[i], h->store_id);
    return true;
}

/* Session and capability; false when it has been refused. */
static bool admit(struct puan_host *h, struct puan_call *k)
{
    const struct puan_route *row = k->c->row;
    struct puan_http *x = k->rq.http;
    struct puan_str token;
    bool cookie, have;

    have = token_of(&token, &cookie, x);
    /* What a page asks by itself must not keep a session that nobody uses. */
    if (have)
        have = row->idle || x->header[PUAN_H_UNATTENDED].n
                   ? puan_session_peek(&k->rq.who, h->sessions, token,
                                       k->rq.real_now)
                   : puan_session_find(&k->rq.who, h->sessions, token,
                                       k->rq.real_now);
    if (have) {
        k->rq.token = token;
        k->rq.cookie = cookie;
    } else {
        memset(&k->rq.who, 0, sizeof(k->rq.who));
        k->rq.who.role = -1;
        if (row->scope == PUAN_SCOPE_PUBLIC)
            return true;
        refuse(k, 401, "no-session", "sign in first");
        return false;
    }
    if (cookie && row->method != PUAN_GET && !same_origin(x)) {
        refuse(k, 403, "cross-site", "a write from another site");
        return false;
    }
    if (k->rq.who.must_change && row->scope != PUAN_SCOPE_PUBLIC &&
        !row->with_first_secret) {
        refuse(k, 403, "first-secret",
               "change the secret you were given before anything else");
        return false;
    }
    if (row->scope == PUAN_SCOPE_PUBLIC ||
        (row->scope == PUAN_SCOPE_SESSION && !*row->capability))
        return true;
    if (k->rq.who.role < 0 || (size_t)k->rq.who.role >= h->n_roles ||
        !puan_host_may(h, (size_t)k->rq.who.role, k->c->ordinal)) {
        deny(k);
        return false;
    }
    return true;
}

size_t puan_dispatch_limit(void *ctx, struct puan_http *x);
void puan_dispatch_handle(void *ctx, struct puan_http *x);
void puan_dispatch_malformed(void *ctx, struct puan_http *x, const char *why);

size_t puan_dispatch_limit(void *ctx, struct puan_http *x)
{
    struct puan_host *h = ctx;
    struct puan_call *k = puan_new(&x->arena, struct puan_call);
    struct puan_err err = { 0 };
    const struct puan_route *row;

    if (!k) {
        x->status = 503;
        return 0;
    }
    x->user = k;
    k->rq.http = x;
    k->rq.host = h;
    k->rq.store = h->store;
    k->rq.arena = &x->arena;
    k->rq.who.role = -1;
    k->rq.campaign = h->campaign;
    k->rq.began_us = puan_os_mono_ns() / 1000;
    k->rq.real_now = puan_real_now();
    if (puan_target_parse(&k->target, x->target, &x->arena, &err) != PUAN_OK) {
        /* "/office/": a page's address may be what no row's is */
        if (h->opt.web && puan_web_answer(h->opt.web, x))
            return 0;
        puan_answer_status(&k->rq, PUAN_EINVAL, &err);
        atomic_fetch_add(&h->malformed, 1);
        return 0;
    }
    k->c = match(h, k, x->method);
    /* Rows first, so that no file hides one; "/" is the pages' where there are
     * any, and the status page keeps its other address. */
    if (h->opt.web && (!k->c || k->target.n_segments == 0) &&
        puan_web_answer(h->opt.web, x))
        return 0;
    if (!k->c || !campaign_fits(h, k)) {
        bool other = !k->c && other_method(h, k);

        k->c = NULL;
        atomic_fetch_add(&h->unmatched, 1);
        if (h->opt.web && !other && puan_web_lost(h->opt.web, x))
            return 0;
        puan_answer_problem(&k->rq, other ? 405 : 404,
                            other ? "method" : "no-route",
                            other ? "this address has other methods"
                                  : "there is no such address");
        return 0;
    }
    row = k->c->row;
    k->rq.route = row;
    k->rq.route_ordinal = k->c->ordinal;
    if (!admit(h, k))
        return 0;
    return row->max_body ? row->max_body : DEFAULT_BODY;
}

void puan_dispatch_malformed(void *ctx, struct puan_http *x, const char *why)
{
    struct puan_host *h = ctx;

    (void)x;
    (void)why;
    atomic_fetch_add(&h->malformed, 1);
}

/* ---- after the body is read ---------------------------------------------------- */

/* The area the row acts on is inside the seat's; else it has been refused. */
static bool inside(struct puan_call *k, uint64_t set, void *in)
{
    struct puan_request *rq = &k->rq;
    const struct puan_route *row = k->c->row;
    const struct puan_area_tree *t;
    struct puan_err err = { 0 };
    enum puan_status st;
    uint32_t ea;
    int64_t v = 0;

    rq->area = rq->who.area ? rq->who.area : puan_area_top(rq->store);
    if (row->scope == PUAN_SCOPE_PUBLIC || row->scope == PUAN_SCOPE_SESSION)
        return true;
    if (rq->who.household && row->scope != PUAN_SCOPE_HOUSEHOLD) {
        deny(k);
        return false;
    }
    switch (row->scope) {
    case PUAN_SCOPE_AREA:
        if (k->c->area_param >= 0) {
            const struct puan_param *q = &row->params[k->c->area_param];

            if (set & UINT64_C(1) << k->c->area_param) {
                memcpy(&v, (char *)in + q->offset, sizeof(v));
                rq->area = v;
            } else {
                memcpy((char *)in + q->offset, &rq->area, sizeof(rq->area));
            }
        }
        if (puan_area_covers(rq->store, rq->who.area, rq->area))
            return true;
        break;
    case PUAN_SCOPE_HOUSEHOLD:
        memcpy(&v, (char *)in + row->params[k->c->household_param].offset,
               sizeof(v));
        t = puan_store_areas(rq->store);
        ea = t ? puan_area_of_household(t, v) : PUAN_AREA_NONE;
        if (ea == PUAN_AREA_NONE)
            break;
        rq->household = v;
        rq->area = t->area[ea].code;
        if (rq->who.household ? rq->who.household == v
                              : puan_area_covers(rq->store, rq->who.area,
                                                 rq->area))
            return true;
        break;
    case PUAN_SCOPE_OBJECT:
        st = row->area_of(&v, rq, in, &err);
        if (st == PUAN_OK && puan_area_covers(rq->store, rq->who.area, v)) {
            rq->area = v;
            return true;
        }
        if (st != PUAN_OK && st != PUAN_ENOTFOUND && st != PUAN_EDENIED) {
            puan_answer_status(rq, st, &err);
            return false;
        }
        /* A foreign object and none at all look the same. */
        memset(&err, 0, sizeof(err));
        puan_answer_status(rq, PUAN_ENOTFOUND, &err);
        log_refusal(rq->host, rq->http, k->c, &rq->who, 404);
        return false;
    case PUAN_SCOPE_OFFICE:
        if (puan_area_covers(rq->store, rq->who.area,
                             puan_area_top(rq->store)))
            return true;
        break;
    case PUAN_SCOPE_PUBLIC:
    case PUAN_SCOPE_SESSION:
    default:
        break;
    }
    deny(k);
    return false;
}

/* The second factor is as fresh as the row wants it; else it is asked for. */
static bool factor_fresh(struct puan_call *k)
{
    struct puan_request *rq = &k->rq;
    const struct puan_plan *plan = puan_store_plan(rq->store);

    if (!rq->route->fresh_factor || rq->who.role < 0 ||
        !plan->role[rq->who.role].second_factor ||
        rq->real_now - rq->who.factor_ms <=
            puan_plan_number(plan, "factor_fresh", FACTOR_FRESH_MS))
        return true;
    refuse(k, 403, "second-factor",
           "give the code of the second factor again, then repeat this");
    return false;
}

/* Idempotency-Key of a write; false when the answer is already there. */
static bool first_time(struct puan_call *k)
{
    struct puan_request *rq = &k->rq;
    struct puan_http *x = rq->http;
    struct puan_str key = x->header[PUAN_H_IDEMPOTENCY_KEY];
    const struct puan_digest_fn *fn = puan_digest_sha256();
    uint8_t body[PUAN_DIGEST_SIZE];
    char whose[96];
    struct puan_str parts[3];

    /* nobody's answer is kept where nobody has signed in: it may be a token */
    if (!key.n || k->c->row->method == PUAN_GET || k->c->row->direct ||
        k->c->row->scope == PUAN_SCOPE_PUBLIC)
        return true;
    if (key.n > 128) {
        puan_answer_problem(rq, 400, "invalid",
                            "Idempotency-Key is longer than 128 bytes");
        return false;
    }
    puan_format(whose, sizeof(whose), "%d %lld %lld %zu ",
                (int)rq->who.credential, (long long)rq->who.account,
                (long long)rq->who.seat, k->c->ordinal);
    parts[0] = puan_str_of(whose);
    parts[1] = key;
    fn->hash(fn->ctx, k->idem_key, parts, 2);
    parts[0] = x->target;
    parts[1] = PUAN_STR("\n");
    parts[2] = x->body;
    fn->hash(fn->ctx, body, parts, 3);
    switch (puan_idem_begin(rq->host->idem, k->idem_key, body, x)) {
    case PUAN_IDEM_NEW:
        k->idem = true;
        return true;
    case PUAN_IDEM_REPLAY:
        rq->answered = true;
        return false;
    case PUAN_IDEM_BUSY:
        puan_answer_problem(rq, 409, "in-progress",
                            "the first request with this Idempotency-Key is "
                            "still under way");
        return false;
    case PUAN_IDEM_OTHER:
    default:
        puan_answer_problem(rq, 409, "key-reused",
                            "this Idempotency-Key was used for another "
                            "request");
        return false;
    }
}

static void handled(struct puan_call *k, enum puan_status st,
                    const struct puan_err *err)
{
    if (st == PUAN_EIO || st == PUAN_EWRITE || st == PUAN_EBUG ||
        st == PUAN_ENOMEM)
        puan_log_err(PUAN_LOG_ERROR, k->rq.route->path, err);
    puan_call_finish(k, st, err);
}

static void run(struct puan_call *k)
{
    struct puan_request *rq = &k->rq;
    bool suspended = false;
    struct puan_err err = { 0 };
    enum puan_status st = PUAN_OK;
    void *in;
    uint64_t set;

    k->frame = &suspended;
    rq->now = puan_store_now(rq->store);
    if (rq->who.until_ms && rq->now >= rq->who.until_ms) {
        memset(&rq->who, 0, sizeof(rq->who));
        rq->who.role = -1;
        if (rq->route->scope != PUAN_SCOPE_PUBLIC) {
            refuse(k, 401, "seat-over", "the time of this seat is over");
            puan_call_finish(k, PUAN_OK, NULL);
            return;
        }
    }
    st = puan_params_fill(&in, &set, rq->route, &k->c->pattern, &k->target,
                          rq->http->body, rq->arena, &err);
    if (st == PUAN_OK && inside(k, set, in) && factor_fresh(k) &&
        first_time(k)) {
        rq->in = in;
        rq->body = rq->http->body;
        st = rq->route->handle(rq, in, &err);
    }
    if (suspended)
        return; /* another thread has it now */
    handled(k, st, &err);
}

/* The handler once more, now where costly work belongs. */
static void run_costly(void *arg)
{
    struct puan_call *k = arg;
    struct puan_request *rq = &k->rq;
    bool suspended = false;
    struct puan_err err = { 0 };
    enum puan_status st;

    k->frame = &suspended;
    rq->suspended = false;
    rq->now = puan_store_now(rq->store);
    st = rq->route->handle(rq, rq->in, &err);
    if (!suspended)
        handled(k, st, &err);
}

bool puan_request_costly(struct puan_request *rq)
{
    struct puan_call *k =
        (struct puan_call *)((char *)rq - offsetof(struct puan_call, rq));

    if (k->costly)
        return true;
    k->costly = true;
    rq->suspended = true;
    *k->frame = true;
    if (puan_pool_run(rq->host->costly, run_costly, k) == PUAN_OK)
        return false;
    /* thousands wait already: one more here makes it no worse */
    rq->suspended = false;
    *k->frame = false;
    return true;
}

enum puan_status puan_request_get(struct puan_str *json,
                                  struct puan_request *rq, const char *path,
                                  struct puan_err *err)
{
    struct puan_call *k = puan_new(rq->arena, struct puan_call);
    struct puan_http *x = puan_new(rq->arena, struct puan_http);
    bool suspended = false;
    void *in;
    uint64_t set;

    if (k == NULL || x == NULL)
        return puan_arena_check(rq->arena, err);
    x->method = PUAN_HTTP_GET;
    memcpy(x->peer, rq->http->peer, sizeof(x->peer));
    puan_out_init(&x->out, rq->arena);
    k->rq = *rq;
    k->rq.http = x;
    k->rq.answered = k->rq.suspended = false;
    k->frame = &suspended;
    x->target = puan_str_of(puan_arena_fmt(rq->arena, "/api/v1/c/%.*s%s",
                                           PUAN_FMT(rq->campaign), path));
    if (puan_target_parse(&k->target, x->target, rq->arena, err) != PUAN_OK)
        return err ? err->code : PUAN_EINVAL;
    k->c = match(rq->host, k, PUAN_HTTP_GET);
    if (k->c == NULL || !campaign_fits(rq->host, k) || k->c->row->direct ||
        k->c->row->stream)
        return puan_fail(err, PUAN_EINVAL, "request",
                         "no reading request %s", path);
    if (rq->who.role < 0 || (size_t)rq->who.role >= rq->host->n_roles ||
        (*k->c->row->capability &&
         !puan_host_may(rq->host, (size_t)rq->who.role, k->c->ordinal)))
        return puan_fail(err, PUAN_EDENIED, "request",
                         "this seat may not read %s", path);
    k->rq.route = k->c->row;
    k->rq.route_ordinal = k->c->ordinal;
    if (puan_params_fill(&in, &set, k->rq.route, &k->c->pattern, &k->target,
                         x->body, rq->arena, err) != PUAN_OK)
        return err ? err->code : PUAN_EINVAL;
    if (!inside(k, set, in) || !factor_fresh(k))
        return puan_fail(err,
                         x->status == 404 ? PUAN_ENOTFOUND : PUAN_EDENIED,
                         "request", "this seat may not read %s", path);
    k->rq.in = in;
    {
        enum puan_status st = k->rq.route->handle(&k->rq, in, err);

        if (st != PUAN_OK)
            return st;
    }
    if (suspended || !k->rq.answered || x->status != 200)
        return puan_fail(err, x->status == 503 ? PUAN_EBUSY : PUAN_EINVAL,
                         "request", "%s gives no answer now", path);
    *json = puan_out_view(&x->out);
    return puan_arena_check(rq->arena, err);
}

static void run_job(void *arg)
{
    run(arg);
}

void puan_dispatch_handle(void *ctx, struct puan_http *x)
{
    struct puan_host *h = ctx;
    struct puan_call *k = x->user;

    if (k->c->row->direct) {
        run(k);
        return;
    }
    k->handed = true;
    puan_http_suspend(x);
    if (puan_pool_run(h->pool, run_job, k) != PUAN_OK)
        puan_call_finish(k, PUAN_EBUSY, NULL);
}
