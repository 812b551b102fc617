/*
 * The server over libmicrohttpd.  Never parses a body, never looks at a path:
 * that is the caller's.
 *
 * One struct ex per request, from a free list, so that a kept connection costs
 * no allocation once the process is warm.
 */
#include "kit/http/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "kit/http/mhd.h"
#include "kit/job/job.h"
#include "kit/os/heap.h"

#define MAX_TARGET 4096
#define STOP_WAIT_MS 10000
#define SUSPENDED_WAIT_MS 120000
#define STREAM_WAITS 4096 /* bytes a slow reader may leave unread */

enum phase { PHASE_NEW, PHASE_BODY, PHASE_READY, PHASE_HANDLED, PHASE_WAITING };

struct ex {
    struct puan_http x; /* first: puan_http and ex share an address */
    struct puan_http_server *server;
    struct MHD_Connection *conn;
    char *buf;
    size_t cap, limit;
    enum phase phase;
    bool asked;    /* limit() was called, so done() is due */
    _Atomic bool waiting; /* suspended and not yet resumed */
    struct ex *next;
    char target[MAX_TARGET];
};

struct puan_http_stream {
    struct puan_http_server *server;
    struct MHD_Connection *conn;
    struct puan_http_stream *next, **link; /* in server->streams */
    void (*closed)(void *arg);
    void *arg;
    pthread_mutex_t lock;
    bool ended, asleep; /* asleep: its connection is suspended */
    size_t n;           /* bytes that wait */
    char bytes[STREAM_WAITS];
};

struct puan_http_server {
    struct puan_http_options opt;
    struct MHD_Daemon *daemon;
    int fd;
    char address[64];
    pthread_mutex_t lock;
    struct ex *spare;
    size_t n_spare;
    _Atomic long open, suspended;
    struct puan_http_stream *streams;
    bool stopping;
};

static const char *const header_names[PUAN_H_COUNT] = {
    [PUAN_H_HOST] = "Host",
    [PUAN_H_CONTENT_LENGTH] = "Content-Length",
    [PUAN_H_CONTENT_TYPE] = "Content-Type",
    [PUAN_H_TRANSFER_ENCODING] = "Transfer-Encoding",
    [PUAN_H_AUTHORIZATION] = "Authorization",
    [PUAN_H_COOKIE] = "Cookie",
    [PUAN_H_IF_MATCH] = "If-Match",
    [PUAN_H_IF_NONE_MATCH] = "If-None-Match",
    [PUAN_H_IDEMPOTENCY_KEY] = "Idempotency-Key",
    [PUAN_H_ORIGIN] = "Origin",
    [PUAN_H_ACCEPT] = "Accept",
    [PUAN_H_ACCEPT_ENCODING] = "Accept-Encoding",
    [PUAN_H_ACCEPT_LANGUAGE] = "Accept-Language",
    [PUAN_H_FETCH_SITE] = "Sec-Fetch-Site",
    [PUAN_H_FORWARDED] = "X-Forwarded-For",
    [PUAN_H_UNATTENDED] = "Puan-Unattended",
    [PUAN_H_OPENROSA] = "X-OpenRosa-Version",
};

/* ---- streams -------------------------------------------------------------- */

struct puan_http_stream *puan_http_stream_open(struct puan_http *x,
                                               void (*closed)(void *arg),
                                               void *arg)
{
    struct ex *e = (struct ex *)(void *)x;
    struct puan_http_server *s = e->server;
    struct puan_http_stream *m = calloc(1, sizeof(*m));

    if (!m)
        return NULL;
    m->server = s;
    m->conn = e->conn;
    m->closed = closed;
    m->arg = arg;
    pthread_mutex_init(&m->lock, NULL);
    pthread_mutex_lock(&s->lock);
    if (s->stopping || x->stream) {
        pthread_mutex_unlock(&s->lock);
        pthread_mutex_destroy(&m->lock);
        free(m);
        return NULL;
    }
    m->next = s->streams;
    m->link = &s->streams;
    if (m->next)
        m->next->link = &m->next;
    s->streams = m;
    pthread_mutex_unlock(&s->lock);
    x->stream = m;
    x->close = true; /* nothing follows on that connection */
    return m;
}

/* The library's last word about it; or ours, when it never got so far. */
static void stream_free(void *arg)
{
    struct puan_http_stream *m = arg;

    m->closed(m->arg);
    pthread_mutex_lock(&m->server->lock);
    *m->link = m->next;
    if (m->next)
        m->next->link = m->link;
    pthread_mutex_unlock(&m->server->lock);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* m->lock is held. */
static void stream_wake(struct puan_http_stream *m)
{
    if (!m->asleep)
        return;
    m->asleep = false;
    MHD_resume_connection(m->conn);
    atomic_fetch_sub(&m->server->suspended, 1);
}

bool puan_http_stream_send(struct puan_http_stream *m, struct puan_str bytes)
{
    bool fits;

    pthread_mutex_lock(&m->lock);
    fits = !m->ended && bytes.n <= sizeof(m->bytes) - m->n;
    if (fits) {
        memcpy(m->bytes + m->n, bytes.p, bytes.n);
        m->n += bytes.n;
    } else {
        m->ended = true;
        m->n = 0;
    }
    stream_wake(m);
    pthread_mutex_unlock(&m->lock);
    return fits;
}

void puan_http_stream_end(struct puan_http_stream *m)
{
    pthread_mutex_lock(&m->lock);
    m->ended = true;
    stream_wake(m);
    pthread_mutex_unlock(&m->lock);
}

/* The library asks for more: what waits, the end, or sleep. */
static ssize_t stream_read(void *arg, uint64_t pos, char *buf, size_t max)
{
    struct puan_http_stream *m = arg;
    ssize_t n = 0;

    (void)pos;
    pthread_mutex_lock(&m->lock);
    if (m->n) {
        size_t k = m->n < max ? m->n : max;

        memcpy(buf, m->bytes, k);
        memmove(m->bytes, m->bytes + k, m->n - k);
        m->n -= k;
        n = (ssize_t)k;
    } else if (m->ended) {
        n = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        m->asleep = true;
        atomic_fetch_add(&m->server->suspended, 1);
        MHD_suspend_connection(m->conn);
    }
    pthread_mutex_unlock(&m->lock);
    return n;
}

/* ---- requests from and to the free list ---------------------------------- */

static struct ex *ex_take(struct puan_http_server *s)
{
    struct ex *e;

    pthread_mutex_lock(&s->lock);
    e = s->spare;
    if (e) {
        s->spare = e->next;
        s->n_spare--;
    }
    pthread_mutex_unlock(&s->lock);
    if (!e) {
        e = calloc(1, sizeof(*e));
        if (!e)
            return NULL;
        puan_arena_init(&e->x.arena, &puan_heap);
        e->server = s;
    }
    puan_out_init(&e->x.out, &e->x.arena);
    atomic_fetch_add(&s->open, 1);
    return e;
}

static void ex_give(struct ex *e)
{
    struct puan_http_server *s = e->server;
    struct puan_arena arena = e->x.arena;
    bool keep;

    if (e->x.stream) /* opened, but never handed to the library */
        stream_free(e->x.stream);
    puan_arena_reset(&arena);
    memset(&e->x, 0, sizeof(e->x));
    e->x.arena = arena;
    e->conn = NULL;
    if (e->cap > 65536) {
        free(e->buf);
        e->buf = NULL;
        e->cap = 0;
    }
    e->limit = 0;
    e->phase = PHASE_NEW;
    e->asked = false;
    atomic_store(&e->waiting, false);
    atomic_fetch_sub(&s->open, 1);
    pthread_mutex_lock(&s->lock);
    keep = s->n_spare < 1024;
    if (keep) {
        e->next = s->spare;
        s->spare = e;
        s->n_spare++;
    }
    pthread_mutex_unlock(&s->lock);
    if (!keep) {
        puan_arena_clear(&e->x.arena);
        free(e->buf);
        free(e);
    }
}

/* ---- what the library lets through --------------------------------------- */

static bool is_token(const char *p, size_t n)
{
    if (!n)
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];

        if (c <= 32 || c >= 127 || strchr("()<>@,;:\\\"/[]?={}", c))
            return false;
    }
    return true;
}

struct headers {
    struct ex *e;
    const char *bad;
    unsigned seen; /* bit per enum puan_http_header */
};

static enum MHD_Result one_header(void *arg, enum MHD_ValueKind kind,
                                  const char *key, size_t key_n,
                                  const char *value, size_t value_n)
{
    struct headers *h = arg;

    (void)kind;
    if (!is_token(key, key_n)) {
        h->bad = "a header name is not a token";
        return MHD_NO;
    }
    for (size_t i = 0; i < value_n; i++)
        if (((unsigned char)value[i] < 32 && value[i] != '\t') ||
            value[i] == 127) {
            h->bad = "a header value has a control character";
            return MHD_NO;
        }
    for (int i = 0; i < PUAN_H_COUNT; i++) {
        if (strlen(header_names[i]) != key_n ||
            strncasecmp(header_names[i], key, key_n) != 0)
            continue;
        if (h->seen & 1u << i) {
            h->bad = "a header appears twice";
            return MHD_NO;
        }
        h->seen |= 1u << i;
        h->e->x.header[i] = (struct puan_str){ value ? value : "", value_n };
    }
    return MHD_YES;
}

static const char *check_headers(struct ex *e, const char *version)
{
    struct headers h = { .e = e };
    struct puan_str cl, te;

    MHD_get_connection_values_n(e->conn, MHD_HEADER_KIND, one_header, &h);
    if (h.bad)
        return h.bad;
    cl = e->x.header[PUAN_H_CONTENT_LENGTH];
    te = e->x.header[PUAN_H_TRANSFER_ENCODING];
    if ((h.seen & 1u << PUAN_H_CONTENT_LENGTH) &&
        (h.seen & 1u << PUAN_H_TRANSFER_ENCODING))
        return "Content-Length together with Transfer-Encoding";
    if (h.seen & 1u << PUAN_H_CONTENT_LENGTH) {
        if (cl.n < 1 || cl.n > 18)
            return "Content-Length is not a number";
        for (size_t i = 0; i < cl.n; i++)
            if (cl.p[i] < '0' || cl.p[i] > '9')
                return "Content-Length is not a number";
    }
    if (h.seen & 1u << PUAN_H_TRANSFER_ENCODING) {
        if (te.n != 7 || strncasecmp(te.p, "chunked", 7) != 0)
            return "a transfer coding other than chunked";
        if (strcmp(version, "HTTP/1.1") != 0)
            return "Transfer-Encoding before HTTP/1.1";
    }
    if (strcmp(version, "HTTP/1.1") == 0 && !e->x.header[PUAN_H_HOST].n)
        return "no Host";
    return NULL;
}

/* ---- answering ------------------------------------------------------------ */

static enum MHD_Result answer(struct ex *e)
{
    struct MHD_Response *r;
    enum MHD_Result ok;
    struct puan_http *x = &e->x;
    bool streams;
    unsigned status = x->status;
    struct puan_str bytes = x->lent.p ? x->lent : puan_out_view(&x->out);
    void *body;

    if (status < 200 || status > 599 || x->arena.failed) {
        status = x->arena.failed ? 503 : 500;
        bytes.n = 0;
        x->content_type = NULL;
    }
    memcpy(&body, &bytes.p, sizeof(body));
    if (x->stream && status == 200)
        r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1024,
                                              stream_read, x->stream,
                                              stream_free);
    else
        r = MHD_create_response_from_buffer(bytes.n, bytes.n ? body : NULL,
                                            MHD_RESPMEM_PERSISTENT);
    if (!r)
        return MHD_NO;
    streams = x->stream && status == 200;
    if (streams)
        x->stream = NULL; /* the response frees it */
    if (x->content_type && (bytes.n || streams))
        MHD_add_response_header(r, "Content-Type", x->content_type);
    for (size_t i = 0; i < x->n_extra; i++)
        MHD_add_response_header(r, x->extra[i].name, x->extra[i].value);
    if (x->close)
        MHD_add_response_header(r, "Connection", "close");
    e->phase = PHASE_HANDLED;
    ok = MHD_queue_response(e->conn, status, r);
    MHD_destroy_response(r);
    return ok;
}

static enum MHD_Result refuse(struct ex *e, unsigned status, const char *why)
{
    struct puan_http *x = &e->x;

    if (e->server->opt.refused)
        e->server->opt.refused(e->server->opt.ctx, x, why);
    x->status = status;
    x->content_type = "application/problem+json";
    x->out.n = 0;
    x->lent.p = NULL;
    x->n_extra = 0;
    x->close = true;
    puan_out_fmt(&x->out,
                 "{\"type\":\"about:blank\",\"status\":%u,\"code\":"
                 "\"malformed-request\",\"detail\":\"%s\"}",
                 status, why);
    return answer(e);
}

void puan_http_answer_header(struct puan_http *x, const char *name,
                             const char *value)
{
    if (x->n_extra < PUAN_HTTP_ANSWER_HEADERS) {
        x->extra[x->n_extra].name = name;
        x->extra[x->n_extra].value = value;
        x->n_extra++;
    }
}

void puan_http_suspend(struct puan_http *x)
{
    struct ex *e = (struct ex *)(void *)x;

    e->phase = PHASE_WAITING;
    atomic_store(&e->waiting, true);
    atomic_fetch_add(&e->server->suspended, 1);
    MHD_suspend_connection(e->conn);
}

void puan_http_resume(struct puan_http *x)
{
    struct ex *e = (struct ex *)(void *)x;
    struct puan_http_server *s = e->server;

    atomic_store_explicit(&e->waiting, false, memory_order_release);
    MHD_resume_connection(e->conn);
    atomic_fetch_sub(&s->suspended, 1); /* e may be gone already */
}

/* ---- library call-backs --------------------------------------------------- */

static void *on_target(void *cls, const char *uri, struct MHD_Connection *c)
{
    struct ex *e = ex_take(cls);
    size_t n = strlen(uri);

    if (!e)
        return NULL;
    e->conn = c;
    if (n >= MAX_TARGET) {
        e->x.target.p = NULL; /* told from an empty target later */
        e->x.target.n = 0;
    } else {
        memcpy(e->target, uri, n + 1);
        e->x.target = (struct puan_str){ e->target, n };
    }
    return e;
}

static void set_peer(struct ex *e)
{
    const union MHD_ConnectionInfo *i =
        MHD_get_connection_info(e->conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    e->x.peer[0] = 0;
    if (!i || !i->client_addr)
        return;
    if (i->client_addr->sa_family == AF_INET) {
        memcpy(&v4, i->client_addr, sizeof(v4));
        inet_ntop(AF_INET, &v4.sin_addr, e->x.peer, sizeof(e->x.peer));
    } else if (i->client_addr->sa_family == AF_INET6) {
        memcpy(&v6, i->client_addr, sizeof(v6));
        inet_ntop(AF_INET6, &v6.sin6_addr, e->x.peer, sizeof(e->x.peer));
    }
}

/* Is it one of the addresses the options name? */
static bool is_proxy(const char *proxies, struct puan_str address)
{
    struct puan_str rest = puan_str_of(proxies), one;

    while (rest.n > 0 && puan_str_split(&one, &rest, ' '))
        if (puan_str_same(one, address))
            return true;
    return false;
}

/*
 * Behind a proxy the client is who the proxy says.  Read from the end: what
 * stands before the first address that is no proxy was written by a client.
 */
static void set_client(struct ex *e, const char *proxies)
{
    struct puan_str all = e->x.header[PUAN_H_FORWARDED];
    unsigned char raw[sizeof(struct in6_addr)];

    if (!proxies || !is_proxy(proxies, puan_str_of(e->x.peer)))
        return;
    while (all.n > 0) {
        size_t at = all.n;
        struct puan_str last;
        char text[sizeof(e->x.peer)];

        while (at > 0 && all.p[at - 1] != ',')
            at--;
        last = puan_str_trim((struct puan_str){ all.p + at, all.n - at });
        all.n = at > 0 ? at - 1 : 0;
        if (last.n == 0 || last.n >= sizeof(text))
            return;
        memcpy(text, last.p, last.n);
        text[last.n] = '\0';
        if (inet_pton(AF_INET, text, raw) != 1 &&
            inet_pton(AF_INET6, text, raw) != 1)
            return;
        memcpy(e->x.peer, text, last.n + 1);
        if (!is_proxy(proxies, last))
            return;
    }
}

static enum puan_http_method method_of(const char *m)
{
    static const struct {
        const char *name;
        enum puan_http_method method;
    } known[] = { { "GET", PUAN_HTTP_GET },       { "POST", PUAN_HTTP_POST },
                  { "PUT", PUAN_HTTP_PUT },       { "DELETE", PUAN_HTTP_DELETE },
                  { "HEAD", PUAN_HTTP_HEAD } };

    for (size_t i = 0; i < PUAN_COUNT(known); i++)
        if (strcmp(m, known[i].name) == 0)
            return known[i].method;
    return PUAN_HTTP_OTHER;
}

static enum MHD_Result begin(struct ex *e, const char *method,
                             const char *version)
{
    struct puan_http_options *o = &e->server->opt;
    const char *bad;
    struct puan_str cl;

    e->x.method = method_of(method);
    set_peer(e);
    if (!e->x.target.p)
        return refuse(e, 414, "the target is longer than 4095 bytes");
    bad = check_headers(e, version);
    if (bad)
        return refuse(e, 400, bad);
    set_client(e, o->proxies);
    if (e->x.method == PUAN_HTTP_OTHER)
        return refuse(e, 501, "this method is not known here");
    e->asked = true;
    e->limit = o->limit(o->ctx, &e->x);
    if (e->x.status) {
        if (e->x.header[PUAN_H_CONTENT_LENGTH].n ||
            e->x.header[PUAN_H_TRANSFER_ENCODING].n) {
            e->x.close = true;
            return answer(e);
        }
        /* Answered at the next call: the library keeps the connection. */
        e->phase = PHASE_READY;
        return MHD_YES;
    }
    cl = e->x.header[PUAN_H_CONTENT_LENGTH];
    if (cl.n) {
        int64_t n = 0;

        if (!puan_int_parse(&n, cl) || (uint64_t)n > e->limit)
            return refuse(e, 413, "the body is larger than this route takes");
        if ((size_t)n > e->cap) {
            char *p = realloc(e->buf, (size_t)n);

            if (!p)
                return refuse(e, 503, "out of memory");
            e->buf = p;
            e->cap = (size_t)n;
        }
    }
    e->phase = PHASE_BODY;
    return MHD_YES;
}

/* Takes `n` more bytes of a chunked or counted body. */
static const char *take_body(struct ex *e, const char *data, size_t n)
{
    size_t have = e->x.body.n;

    if (n > e->limit - have || have > e->limit)
        return "the body is larger than this route takes";
    if (have + n > e->cap) {
        size_t cap = e->cap ? e->cap : 4096;
        char *p;

        while (cap < have + n)
            cap *= 2;
        p = realloc(e->buf, cap);
        if (!p)
            return "out of memory";
        e->buf = p;
        e->cap = cap;
    }
    memcpy(e->buf + have, data, n);
    e->x.body = (struct puan_str){ e->buf, have + n };
    return NULL;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c,
                                  const char *url, const char *method,
                                  const char *version, const char *upload,
                                  size_t *upload_n, void **con_cls)
{
    struct ex *e = *con_cls;
    struct puan_http_server *s = cls;

    (void)c;
    (void)url;
    if (!e)
        return MHD_NO; /* out of memory: the connection is closed */
    switch (e->phase) {
    case PHASE_NEW:
        return begin(e, method, version);
    case PHASE_BODY:
        if (*upload_n) {
            const char *bad = take_body(e, upload, *upload_n);

            *upload_n = 0;
            if (bad) {
                /* The library takes no answer in the middle of a body. */
                if (s->opt.refused)
                    s->opt.refused(s->opt.ctx, &e->x, bad);
                return MHD_NO;
            }
            return MHD_YES;
        }
        e->phase = PHASE_HANDLED;
        s->opt.handle(s->opt.ctx, &e->x);
        /* Once suspended, e belongs to another thread; phase was set before. */
        if (e->phase == PHASE_WAITING)
            return MHD_YES;
        return answer(e);
    case PHASE_READY:
        return answer(e);
    case PHASE_WAITING:
        if (atomic_load_explicit(&e->waiting, memory_order_acquire))
            return MHD_YES;
        return answer(e);
    case PHASE_HANDLED:
    default:
        return MHD_YES;
    }
}

static void on_completed(void *cls, struct MHD_Connection *c, void **con_cls,
                         enum MHD_RequestTerminationCode code)
{
    struct ex *e = *con_cls;
    struct puan_http_server *s = cls;

    (void)c;
    (void)code;
    if (!e)
        return;
    *con_cls = NULL;
    if (e->asked && s->opt.done)
        s->opt.done(s->opt.ctx, &e->x);
    ex_give(e);
}

/* The library's own decoding of arguments is not used: leave them as sent. */
static size_t no_unescape(void *cls, struct MHD_Connection *c, char *s)
{
    (void)cls;
    (void)c;
    return strlen(s);
}

static void no_log(void *cls, const char *fmt, va_list ap)
{
    (void)cls;
    (void)fmt;
    (void)ap;
}

/* ---- start and stop -------------------------------------------------------- */

static enum puan_status listen_on(int *fd, char address[64], const char *spec,
                                  struct puan_err *err)
{
    struct addrinfo hint = { .ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *ai = NULL;
    char host[48], port[8];
    const char *colon = strrchr(spec, ':'), *h = spec;
    size_t n = colon ? (size_t)(colon - spec) : 0;
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);
    int one = 1;
    enum puan_status st = PUAN_OK;

    *fd = -1;
    if (n >= 2 && spec[0] == '[' && spec[n - 1] == ']') {
        h++;
        n -= 2;
    }
    if (!colon || !n || n >= sizeof(host) || strlen(colon + 1) >= sizeof(port))
        return puan_fail(err, PUAN_EINVAL, "listen",
                         "'%s' is not ADDRESS:PORT, for instance "
                         "127.0.0.1:8020",
                         spec);
    memcpy(host, h, n);
    host[n] = 0;
    snprintf(port, sizeof(port), "%s", colon + 1);
    if (getaddrinfo(host, port, &hint, &ai) != 0)
        return puan_fail(err, PUAN_EINVAL, "listen", "'%s' is no address",
                         spec);
    *fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0 ||
        setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        bind(*fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(*fd, 1024) != 0)
        st = puan_fail(err, PUAN_EIO, "listen", "%s: %s", spec,
                       errno == EADDRINUSE
                           ? "another program has this port; choose another "
                             "with --listen"
                           : strerror(errno));
    freeaddrinfo(ai);
    if (st == PUAN_OK) {
        if (getsockname(*fd, (struct sockaddr *)&ss, &len) != 0)
            memset(&ss, 0, sizeof(ss));
        if (ss.ss_family == AF_INET6) {
            struct sockaddr_in6 v6;
            memcpy(&v6, &ss, sizeof(v6));
            snprintf(address, 64, "[%s]:%u", host, ntohs(v6.sin6_port));
        } else {
            struct sockaddr_in v4;
            memcpy(&v4, &ss, sizeof(v4));
            snprintf(address, 64, "%s:%u", host, ntohs(v4.sin_port));
        }
    } else if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    return st;
}

enum puan_status puan_http_start(struct puan_http_server **out,
                                 const struct puan_http_options *opt,
                                 struct puan_err *err)
{
    struct puan_http_server *s = calloc(1, sizeof(*s));
    unsigned threads = opt->threads ? opt->threads : puan_cores();
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                     MHD_USE_ERROR_LOG;
    enum puan_status st;
    struct MHD_OptionItem tls[3] = { { MHD_OPTION_END, 0, NULL } };

    *out = NULL;
    if (!s)
        return puan_fail(err, PUAN_ENOMEM, "http", "out of memory");
    s->opt = *opt;
    pthread_mutex_init(&s->lock, NULL);
    s->fd = -1;
    st = mhd_load(err);
    if (st == PUAN_OK)
        st = listen_on(&s->fd, s->address, opt->listen, err);
    if (st != PUAN_OK)
        goto fail;
    if (opt->tls_cert && opt->tls_key) {
        void *key, *cert;

        memcpy(&key, &opt->tls_key, sizeof(key));
        memcpy(&cert, &opt->tls_cert, sizeof(cert));
        flags |= MHD_USE_TLS;
        tls[0] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0, key };
        tls[1] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0, cert };
        tls[2] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
    }
    s->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER,
        no_log, NULL, MHD_OPTION_LISTEN_SOCKET, s->fd,
        /* a pool of one is no pool to the library */
        MHD_OPTION_THREAD_POOL_SIZE, threads < 2 ? 2 : threads,
        MHD_OPTION_CONNECTION_LIMIT,
        opt->connections ? opt->connections : 4096u,
        MHD_OPTION_CONNECTION_TIMEOUT,
        opt->idle_seconds ? opt->idle_seconds : 30u,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)24576,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK,
        on_target, s, MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_ARRAY, tls,
        MHD_OPTION_END);
    if (!s->daemon) {
        st = puan_fail(err, PUAN_EIO, "http",
                       "the server does not start (threads, files, or the TLS "
                       "key)");
        goto fail;
    }
    *out = s;
    return PUAN_OK;
fail:
    if (s->fd >= 0)
        close(s->fd);
    pthread_mutex_destroy(&s->lock);
    free(s);
    return st;
}

const char *puan_http_address(const struct puan_http_server *s)
{
    return s->address;
}

void puan_http_stop(struct puan_http_server *s)
{
    int fd;

    if (!s)
        return;
    fd = MHD_quiesce_daemon(s->daemon);
    /* No stream ends by itself; after this none is opened. */
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    for (struct puan_http_stream *m = s->streams; m; m = m->next)
        puan_http_stream_end(m);
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; i < STOP_WAIT_MS / 5 && atomic_load(&s->open) > 0; i++)
        nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
    /* The library gives up the process over one that still waits: do not. */
    for (int i = 0; i < SUSPENDED_WAIT_MS / 5 && atomic_load(&s->suspended) > 0;
         i++)
        nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
    if (atomic_load(&s->suspended) > 0)
        return; /* leaked: a handler hangs, and the process is ending */
    MHD_stop_daemon(s->daemon);
    if (fd >= 0)
        close(fd);
    while (s->spare) {
        struct ex *e = s->spare;

        s->spare = e->next;
        puan_arena_clear(&e->x.arena);
        free(e->buf);
        free(e);
    }
    pthread_mutex_destroy(&s->lock);
    free(s);
}
