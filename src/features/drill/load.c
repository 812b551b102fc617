/*
 * A server over a copy of a campaign, asked by many at once for some seconds.
 * It is the server that serves the campaign, with its checks of capability and
 * area, on a free port of this machine; its jobs do not run, so nothing of the
 * copy reaches a person.
 */
#include <pthread.h>
#include <stdlib.h>

#include "features/drill/internal.h"
#include "features/host/host.h"
#include "features/host/session.h"
#include "kit/http/client.h"
#include "kit/os/os.h"

#define CONNECTIONS 16
#define TIMES 65536 /* kept a connection; what is beyond counts, untimed */
#define PAPER 4096  /* bytes of a file that is handed in */
#define HOUR INT64_C(3600000)

/* What seats ask for all day; each by the first role that may. */
static const struct ask {
    const char *capability, *method, *path; /* %lld: the area */
} asks[] = {
    { "counts.view", "GET", "/counts?area=%lld" },
    { "case.view", "GET", "/cases?area=%lld" },
    { "", "GET", "/areas?parent=%lld" },
    { "monitor.view", "GET", "/monitors?area=%lld" },
    { "", "GET", "/clock" },
    { "case.view", "GET", "/notices" },
    { "review.view", "GET", "/review/counts?area=%lld" },
    { "case.act", "POST", "/evidence" }, /* written, flushed, sealed */
};

struct puan_load_server {
    struct puan_store *st;
    struct puan_host *host;
    int64_t area;
    struct {
        const char *method;
        char path[128];
        char token[PUAN_TOKEN_TEXT];
    } ask[PUAN_COUNT(asks)];
    size_t n;
};

struct client {
    const struct puan_load_server *s;
    pthread_t thread;
    size_t first; /* question it begins with */
    int64_t until_ns;
    uint64_t requests, refused, writes;
    uint32_t *us;
    size_t n_us;
    char fault[160]; /* the first answer that was none */
};

/* ---- the server ---------------------------------------------------------------- */

/* A seat of that role at the area, signed in; no second role is asked. */
static enum puan_status signed_in(char token[PUAN_TOKEN_TEXT],
                                  struct puan_load_server *s, size_t role,
                                  struct puan_err *err)
{
    const struct puan_role *r = &puan_store_plan(s->st)->role[role];
    int64_t now = puan_real_now();
    struct puan_who who = { .credential = PUAN_CRED_HUMAN,
                            .account = 1000 + (int64_t)role,
                            .seat = 2000 + (int64_t)role,
                            .role = (int32_t)role,
                            .area = s->area,
                            .factor_ms = now };

    puan_format(who.name, sizeof who.name, "drill-%zu", role);
    puan_format(who.role_name, sizeof who.role_name, "%.*s", PUAN_FMT(r->id));
    puan_format(who.seat_text, sizeof who.seat_text, "%.*s@%lld",
                PUAN_FMT(r->id), (long long)s->area);
    return puan_session_open(token, puan_host_sessions(s->host), &who, now,
                             HOUR, now + HOUR, err);
}

/* The questions some role of the plan may ask. */
static enum puan_status questions(struct puan_load_server *s,
                                  struct puan_err *err)
{
    const struct puan_plan *p = puan_store_plan(s->st);

    for (size_t i = 0; i < PUAN_COUNT(asks); i++) {
        size_t role = 0;
        enum puan_status rc;
        char path[96];

        while (role < p->n_roles &&
               (p->role[role].credential != PUAN_CREDENTIAL_HUMAN ||
                p->role[role].external ||
                (asks[i].capability[0] &&
                 !puan_role_can(&p->role[role],
                                puan_str_of(asks[i].capability)))))
            role++;
        if (role == p->n_roles)
            continue;
        rc = signed_in(s->ask[s->n].token, s, role, err);
        if (rc != PUAN_OK)
            return rc;
        s->ask[s->n].method = asks[i].method;
        if (strstr(asks[i].path, "%lld") != NULL)
            puan_format(path, sizeof path, "%.*s%lld",
                        (int)(strlen(asks[i].path) - 4), asks[i].path,
                        (long long)s->area);
        else
            puan_format(path, sizeof path, "%s", asks[i].path);
        puan_format(s->ask[s->n].path, sizeof s->ask[s->n].path,
                    "/api/v1/c/%s%s", puan_store_id(s->st), path);
        s->n++;
    }
    return s->n > 0 ? PUAN_OK
                    : puan_fail(err, PUAN_EINVAL, "plan",
                                "no role of the plan may ask for anything");
}

enum puan_status puan_load_begin(struct puan_load_server **out, const char *dir,
                                 int64_t area, struct puan_err *err)
{
    const struct puan_host_options serve = { .listen = "127.0.0.1:0",
                                             .quiet = true };
    struct puan_load_server *s = calloc(1, sizeof *s);
    enum puan_status rc;

    *out = NULL;
    if (s == NULL)
        return puan_fail(err, PUAN_ENOMEM, "drill", "out of memory");
    s->area = area;
    rc = puan_store_open(&s->st, dir, NULL, err);
    if (rc == PUAN_OK)
        rc = puan_host_start(&s->host, s->st, puan_features, &serve, err);
    if (rc == PUAN_OK)
        rc = questions(s, err);
    if (rc != PUAN_OK) {
        puan_load_end(s);
        return rc;
    }
    *out = s;
    return PUAN_OK;
}

void puan_load_end(struct puan_load_server *s)
{
    if (s == NULL)
        return;
    puan_host_stop(s->host);
    puan_store_close(s->st);
    free(s);
}

/* ---- the load ------------------------------------------------------------------- */

/* One question after the other, until the time is over or the server is gone. */
static void *client(void *arg)
{
    struct client *c = arg;
    struct puan_http_client *http = NULL;
    struct puan_err err = { 0 };
    char paper[PAPER];
    int64_t at = puan_os_mono_ns();

    memset(paper, 'p', sizeof paper);
    if (puan_http_client_open(&http, puan_host_address(c->s->host), &err) !=
        PUAN_OK)
        puan_format(c->fault, sizeof c->fault, "%s", err.text);
    for (size_t i = c->first; http != NULL && at < c->until_ns; i++) {
        size_t k = i % c->s->n;
        struct puan_http_call x = { .method = c->s->ask[k].method,
                                    .path = c->s->ask[k].path,
                                    .token = c->s->ask[k].token };
        struct puan_http_reply r = { 0 };
        int64_t then = at;

        if (x.method[0] == 'P') { /* another paper each time */
            puan_format(paper, 48, "%zu %llu ", c->first,
                        (unsigned long long)c->requests);
            x.body = (struct puan_str){ paper, sizeof paper };
            x.content_type = "application/octet-stream";
            c->writes++;
        }
        err = (struct puan_err){ 0 };
        if (puan_http_call(&r, http, &x, &err) != PUAN_OK || r.status >= 400) {
            c->refused++;
            if (c->fault[0] == '\0')
                puan_format(c->fault, sizeof c->fault, "%s %s: %u %s",
                            x.method, x.path, r.status, err.text);
        }
        at = puan_os_mono_ns();
        c->requests++;
        if (c->n_us < TIMES)
            c->us[c->n_us++] = (uint32_t)((at - then) / 1000);
        if (r.status == 0)
            break;
    }
    puan_http_client_close(http);
    return NULL;
}

static int by_time(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static int64_t share(const uint32_t *us, size_t n, size_t per_mille)
{
    return n == 0 ? 0 : us[(n - 1) * per_mille / 1000];
}

enum puan_status puan_load_run(struct puan_load *out,
                               const struct puan_load_server *s,
                               int64_t length_ms, struct puan_err *err)
{
    struct client *c = calloc(CONNECTIONS, sizeof *c);
    uint32_t *us = calloc((size_t)CONNECTIONS * TIMES, sizeof *us);
    int64_t began = puan_os_mono_ns();
    size_t n = 0, kept = 0;
    enum puan_status rc = PUAN_OK;

    *out = (struct puan_load){ .connections = CONNECTIONS };
    if (c == NULL || us == NULL) {
        free(c);
        free(us);
        return puan_fail(err, PUAN_ENOMEM, "drill", "out of memory");
    }
    for (; n < CONNECTIONS && rc == PUAN_OK; n++) {
        c[n] = (struct client){ .s = s,
                                .first = n,
                                .until_ns = began + length_ms * 1000000,
                                .us = us + n * TIMES };
        if (pthread_create(&c[n].thread, NULL, client, &c[n]) != 0) {
            rc = puan_fail(err, PUAN_EIO, "drill", "no thread for the load");
            break;
        }
    }
    for (size_t i = 0; i < n; i++) {
        pthread_join(c[i].thread, NULL);
        out->requests += c[i].requests;
        out->refused += c[i].refused;
        out->writes += c[i].writes;
        if (out->fault[0] == '\0')
            puan_format(out->fault, sizeof out->fault, "%s", c[i].fault);
        memmove(us + kept, c[i].us, c[i].n_us * sizeof *us);
        kept += c[i].n_us;
    }
    out->ms = (puan_os_mono_ns() - began) / 1000000;
    qsort(us, kept, sizeof *us, by_time);
    out->p50_us = share(us, kept, 500);
    out->p95_us = share(us, kept, 950);
    out->p99_us = share(us, kept, 990);
    free(us);
    free(c);
    return rc;
}
