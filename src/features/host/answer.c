/*
 * Building answers and problems; the part of request.h that handlers call.
 */
#include <stdio.h>

#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/host/internal.h"
#include "kit/os/os.h"

#define EXACT INT64_C(9007199254740991) /* what every JSON reader counts to */

/* ---- status to HTTP: the one switch --------------------------------------- */

struct problem {
    unsigned status;
    const char *code, *zh, *en;
    bool tell; /* the error's own text may be shown */
};

static struct problem problem_of(enum puan_status st)
{
    switch (st) {
    case PUAN_EINVAL:
        return (struct problem){ 400, "invalid", "填写的内容不合要求",
                                 "The request is not valid", true };
    case PUAN_ENOTFOUND:
        return (struct problem){ 404, "not-found", "没有此项",
                                 "There is no such thing", true };
    case PUAN_ECONFLICT:
        return (struct problem){ 409, "conflict", "与现状冲突",
                                 "It conflicts with the present state", true };
    case PUAN_EDENIED:
        return (struct problem){ 403, "denied", "本岗位不能办理此事项",
                                 "This seat may not do this", false };
    case PUAN_ELIMIT:
        return (struct problem){ 429, "limit", "超出限额",
                                 "A limit has been reached", true };
    case PUAN_EBUSY:
        return (struct problem){ 503, "busy", "办理的人多，请稍候再办",
                                 "Busy; try again shortly", false };
    case PUAN_EIO:
    case PUAN_EWRITE:
        return (struct problem){ 503, "unavailable", "存储暂不可用",
                                 "The store is not available", false };
    case PUAN_ENOMEM:
        return (struct problem){ 503, "memory", "内存不足",
                                 "Out of memory", false };
    case PUAN_OK:
    case PUAN_EBUG:
    default:
        return (struct problem){ 500, "internal", "程序出了故障，内容没有改动",
                                 "An internal error", false };
    }
}

unsigned puan_problem_status(enum puan_status st)
{
    return problem_of(st).status;
}

const char *puan_problem_code(enum puan_status st)
{
    return problem_of(st).code;
}

static void write_problem(struct puan_request *rq, unsigned status,
                          const char *code, const char *zh, const char *en,
                          const char *where, const char *detail, uint32_t line,
                          uint32_t col)
{
    struct puan_http *x = rq->http;
    struct puan_jw w;

    x->status = status;
    x->content_type = "application/problem+json";
    x->out.n = 0;
    rq->answered = true;
    puan_jw_init(&w, &x->out);
    puan_jw_map(&w);
    puan_jw_ktext(&w, "type", "about:blank");
    puan_jw_ktext(&w, "title", zh);
    puan_jw_ktext(&w, "title_en", en);
    puan_jw_kint(&w, "status", status);
    puan_jw_ktext(&w, "code", code);
    if (where && *where)
        puan_jw_ktext(&w, "where", where);
    if (detail && *detail)
        puan_jw_ktext(&w, "detail", detail);
    if (line) {
        puan_jw_kint(&w, "line", line);
        puan_jw_kint(&w, "column", col);
    }
    puan_jw_end(&w, '}');
}

void puan_answer_problem(struct puan_request *rq, unsigned status,
                         const char *code, const char *detail)
{
    write_problem(rq, status, code, "请求未办理", "The request was not done",
                  NULL, detail, 0, 0);
}

void puan_answer_status(struct puan_request *rq, enum puan_status st,
                        const struct puan_err *err)
{
    struct problem p = problem_of(st);

    if (st == PUAN_ECONFLICT && rq->http->header[PUAN_H_IF_MATCH].n) {
        p.status = 412;
        p.code = "stale";
    }
    if (p.status == 503 || p.status == 429)
        puan_http_answer_header(rq->http, "Retry-After",
                                p.status == 503 ? "1" : "30");
    if (p.status == 401)
        puan_http_answer_header(rq->http, "WWW-Authenticate", "Bearer");
    if (p.tell && err)
        write_problem(rq, p.status, p.code, p.zh, p.en, err->where, err->text,
                      err->line, err->col);
    else
        write_problem(rq, p.status, p.code, p.zh, p.en, NULL, NULL, 0, 0);
}

/* ---- answers ----------------------------------------------------------------- */

struct puan_jw *puan_answer_begin(struct puan_request *rq, unsigned status)
{
    rq->http->status = status;
    rq->http->content_type = "application/json";
    rq->http->out.n = 0;
    rq->answered = true;
    puan_jw_init(&rq->jw, &rq->http->out);
    return &rq->jw;
}

void puan_answer_bytes(struct puan_request *rq, unsigned status,
                       const char *type, struct puan_str bytes)
{
    rq->http->status = status;
    rq->http->content_type = type;
    rq->http->out.n = 0;
    rq->answered = true;
    puan_out_str(&rq->http->out, bytes);
}

void puan_answer_json(struct puan_request *rq, unsigned status,
                      struct puan_str json)
{
    puan_answer_bytes(rq, status, "application/json", json);
}

void puan_answer_empty(struct puan_request *rq)
{
    rq->http->status = 204;
    rq->http->content_type = NULL;
    rq->http->out.n = 0;
    rq->answered = true;
}

void puan_answer_header(struct puan_request *rq, const char *name,
                        const char *value)
{
    puan_http_answer_header(rq->http, puan_arena_dup(rq->arena,
                                                     puan_str_of(name)),
                            puan_arena_dup(rq->arena, puan_str_of(value)));
}

void puan_answer_etag(struct puan_request *rq, int64_t version)
{
    puan_http_answer_header(
        rq->http, "ETag",
        puan_arena_fmt(rq->arena, "\"%lld\"", (long long)version));
}

enum puan_status puan_request_if_match(int64_t *version,
                                       struct puan_request *rq,
                                       struct puan_err *err)
{
    struct puan_str v = rq->http->header[PUAN_H_IF_MATCH];

    *version = 0;
    if (!v.n)
        return puan_fail(err, PUAN_EINVAL, "If-Match",
                         "is missing: send the ETag of the version you read");
    if (v.n < 3 || v.p[0] != '"' || v.p[v.n - 1] != '"' ||
        !puan_int_parse(version, (struct puan_str){ v.p + 1, v.n - 2 }))
        return puan_fail(err, PUAN_EINVAL, "If-Match",
                         "is not an ETag this server gave");
    return PUAN_OK;
}

int64_t puan_page_limit(const struct puan_page *p)
{
    return p->limit > 0 ? p->limit : 100;
}

struct puan_jw *puan_answer_items(struct puan_request *rq)
{
    struct puan_jw *w = puan_answer_begin(rq, 200);

    puan_jw_map(w);
    puan_jw_key(w, "items");
    puan_jw_list(w);
    return w;
}

void puan_answer_items_end(struct puan_request *rq, int64_t next)
{
    puan_jw_end(&rq->jw, ']');
    puan_jw_key(&rq->jw, "next");
    if (next > EXACT) /* a household's key: JavaScript would round it */
        puan_jw_text(&rq->jw,
                     puan_arena_fmt(rq->arena, "%lld", (long long)next));
    else if (next)
        puan_jw_int(&rq->jw, next);
    else
        puan_jw_null(&rq->jw);
    puan_jw_end(&rq->jw, '}');
}

enum puan_status puan_answer_rows(struct puan_request *rq, struct puan_stmt *s,
                                  const struct puan_page *page, int area_col,
                                  puan_row_fn put, struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    int64_t left = puan_page_limit(page), next = 0;
    struct puan_jw *w = puan_answer_items(rq);
    enum puan_status st;
    bool more = false;

    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        if (area_col >= 0 &&
            !puan_area_contains_code(t, rq->area, puan_col_int(s, area_col)))
            continue;
        if (left-- == 0)
            break;
        next = puan_col_int(s, 0);
        put(w, s, rq);
    }
    puan_stmt_done(s);
    puan_answer_items_end(rq, more && st == PUAN_OK ? next : 0);
    return st;
}

/* ---- who ------------------------------------------------------------------------ */

bool puan_request_can(const struct puan_request *rq, const char *capability)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);

    return rq->who.credential != PUAN_CRED_NONE && rq->who.role >= 0 &&
           (size_t)rq->who.role < plan->n_roles && !rq->who.must_change &&
           puan_role_can(&plan->role[rq->who.role], puan_str_of(capability));
}

bool puan_request_covers(const struct puan_request *rq, int64_t area)
{
    return rq->who.credential != PUAN_CRED_NONE &&
           puan_area_covers(rq->store, rq->who.area, area);
}

bool puan_request_is_local(const struct puan_request *rq)
{
    const char *p = rq->http->peer;

    return (puan_str_is(puan_str_of(p), "127.0.0.1") ||
            puan_str_is(puan_str_of(p), "::1")) &&
           !rq->http->header[PUAN_H_FORWARDED].n;
}

void puan_request_act(struct puan_act *act, const struct puan_request *rq,
                      struct puan_str subject)
{
    memset(act, 0, sizeof(*act));
    act->actor = puan_str_of(rq->who.name);
    act->seat = puan_str_of(rq->who.seat_text);
    act->device = puan_str_of(rq->who.device);
    act->verb = puan_str_of(rq->route->verb);
    act->subject = subject;
    act->event_ms = rq->now;
}

/* ---- suspend, resume, finish ------------------------------------------------ */

static struct puan_call *call_of(struct puan_request *rq)
{
    return (struct puan_call *)(void *)rq; /* its first member */
}

void puan_request_suspend(struct puan_request *rq)
{
    struct puan_call *k = call_of(rq);

    rq->suspended = true;
    *k->frame = true;
    if (!k->handed) {
        k->handed = true;
        puan_http_suspend(rq->http);
    }
}

void puan_request_resume(struct puan_request *rq, enum puan_status st,
                         const struct puan_err *err)
{
    puan_call_finish(call_of(rq), st, err);
}

void puan_call_finish(struct puan_call *k, enum puan_status st,
                      const struct puan_err *err)
{
    struct puan_request *rq = &k->rq;
    struct puan_http *x = rq->http;
    unsigned status;

    if (st == PUAN_EDENIED) /* by the feature itself: a flow, a vault */
        puan_note_refusal(rq, puan_problem_status(st));
    if (st != PUAN_OK)
        puan_answer_status(rq, st, err);
    else if (!rq->answered)
        puan_answer_empty(rq);
    status = x->status;
    if (k->idem) {
        if (status < 500 && status != 429)
            puan_idem_keep(rq->host->idem, k->idem_key, x);
        else
            puan_idem_drop(rq->host->idem, k->idem_key);
    }
    puan_http_answer_header(x, "Cache-Control", "no-store");
    puan_http_answer_header(x, "X-Content-Type-Options", "nosniff");
    if (k->c) {
        atomic_fetch_add_explicit(
            &k->c->answers[status / 100 % PUAN_STATUS_CLASSES], 1,
            memory_order_relaxed);
        atomic_fetch_add_explicit(
            &k->c->spent_us,
            (uint64_t)(puan_os_mono_ns() / 1000 - rq->began_us),
            memory_order_relaxed);
    }
    if (k->handed)
        puan_http_resume(x);
}
