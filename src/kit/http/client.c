/*
 * The blocking client.  Never retries a request whose answer had begun.
 */
#include "kit/http/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_REPLY ((size_t)256 << 20)
#define TIMEOUT_S 120

struct puan_http_client {
    int fd;
    bool used;         /* this connection has carried a whole exchange */
    bool head_request; /* the answer has no body */
    char address[64];
    struct sockaddr_storage to;
    socklen_t to_n;
    char *head; /* request line and headers */
    size_t head_n, head_cap;
    struct puan_str body; /* of the call under way */
    char *in;
    size_t in_n, in_cap;
    char *flat; /* a chunked body put together */
    size_t flat_cap;
};

enum puan_status puan_http_client_open(struct puan_http_client **out,
                                       const char *address,
                                       struct puan_err *err)
{
    struct puan_http_client *c = calloc(1, sizeof(*c));
    struct addrinfo hint = { .ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM };
    struct addrinfo *ai = NULL;
    const char *colon = strrchr(address, ':'), *h = address;
    char host[48];
    size_t n = colon ? (size_t)(colon - address) : 0;

    *out = NULL;
    if (!c)
        return puan_fail(err, PUAN_ENOMEM, "client", "out of memory");
    c->fd = -1;
    if (n >= 2 && h[0] == '[' && h[n - 1] == ']') {
        h++;
        n -= 2;
    }
    if (!colon || !n || n >= sizeof(host) ||
        strlen(address) >= sizeof(c->address)) {
        free(c);
        return puan_fail(err, PUAN_EINVAL, "client", "'%s' is not ADDRESS:PORT",
                         address);
    }
    memcpy(host, h, n);
    host[n] = 0;
    snprintf(c->address, sizeof(c->address), "%s", address);
    if (getaddrinfo(host, colon + 1, &hint, &ai) != 0) {
        free(c);
        return puan_fail(err, PUAN_ENOTFOUND, "client", "'%s' is no address",
                         address);
    }
    memcpy(&c->to, ai->ai_addr, ai->ai_addrlen);
    c->to_n = ai->ai_addrlen;
    freeaddrinfo(ai);
    *out = c;
    return PUAN_OK;
}

void puan_http_client_drop(struct puan_http_client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->used = false;
    c->in_n = 0;
}

void puan_http_client_close(struct puan_http_client *c)
{
    if (!c)
        return;
    puan_http_client_drop(c);
    free(c->head);
    free(c->in);
    free(c->flat);
    free(c);
}

static enum puan_status connect_it(struct puan_http_client *c,
                                   struct puan_err *err)
{
    struct timeval tv = { TIMEOUT_S, 0 };
    int one = 1;

    if (c->fd >= 0)
        return PUAN_OK;
    c->fd = socket(c->to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 ||
        connect(c->fd, (struct sockaddr *)&c->to, c->to_n) != 0) {
        int e = errno;

        puan_http_client_drop(c);
        return puan_fail(err, PUAN_EIO, "client", "%s: %s", c->address,
                         strerror(e));
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
    c->used = false;
    c->in_n = 0;
    return PUAN_OK;
}

static bool grow(char **p, size_t *cap, size_t need)
{
    size_t n = *cap ? *cap : 4096;
    char *q;

    if (need <= *cap)
        return true;
    while (n < need)
        n *= 2;
    q = realloc(*p, n);
    if (!q)
        return false;
    *p = q;
    *cap = n;
    return true;
}

static enum puan_status write_all(struct puan_http_client *c,
                                  struct puan_err *err)
{
    struct iovec v[2];
    struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };
    size_t sent = 0, all = c->head_n + c->body.n;

    while (sent < all) {
        ssize_t k;
        union {
            const char *in;
            void *out;
        } u;

        if (sent < c->head_n) {
            v[0] = (struct iovec){ c->head + sent, c->head_n - sent };
            u.in = c->body.p;
            v[1] = (struct iovec){ u.out, c->body.n };
            m.msg_iovlen = c->body.n ? 2 : 1;
        } else {
            u.in = c->body.p + (sent - c->head_n);
            v[0] = (struct iovec){ u.out, all - sent };
            m.msg_iovlen = 1;
        }
        k = sendmsg(c->fd, &m, MSG_NOSIGNAL);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return puan_fail(err, PUAN_EIO, "client", "%s: %s", c->address,
                             strerror(errno));
        sent += (size_t)k;
    }
    return PUAN_OK;
}

enum puan_status puan_http_send(struct puan_http_client *c,
                                const struct puan_http_call *call,
                                struct puan_err *err)
{
    bool has_body = call->body.n || strcmp(call->method, "POST") == 0 ||
                    strcmp(call->method, "PUT") == 0;
    size_t need = strlen(call->method) + strlen(call->path) +
                  strlen(c->address) + (call->token ? strlen(call->token) : 0) +
                  (call->headers ? strlen(call->headers) : 0) + 256;
    enum puan_status st;
    int n;

    if (!grow(&c->head, &c->head_cap, need))
        return puan_fail(err, PUAN_ENOMEM, "client", "out of memory");
    n = snprintf(c->head, c->head_cap, "%s %s HTTP/1.1\r\nHost: %s\r\n%s%s%s%s",
                 call->method, call->path, c->address,
                 call->token ? "Authorization: Bearer " : "",
                 call->token ? call->token : "", call->token ? "\r\n" : "",
                 call->headers ? call->headers : "");
    c->head_n = (size_t)n;
    if (has_body)
        n = snprintf(c->head + c->head_n, c->head_cap - c->head_n,
                     "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n",
                     call->content_type ? call->content_type
                                        : "application/json",
                     call->body.n);
    else
        n = snprintf(c->head + c->head_n, c->head_cap - c->head_n, "\r\n");
    c->head_n += (size_t)n;
    if (c->head_n >= c->head_cap)
        return puan_fail(err, PUAN_EBUG, "client", "the head was cut");
    c->body = call->body;
    c->head_request = strcmp(call->method, "HEAD") == 0;
    st = connect_it(c, err);
    if (st != PUAN_OK)
        return st;
    if (c->used) {
        struct puan_err first = { 0 };

        if (write_all(c, &first) == PUAN_OK)
            return PUAN_OK;
        puan_http_client_drop(c);
        st = connect_it(c, err);
        if (st != PUAN_OK)
            return st;
    }
    st = write_all(c, err);
    if (st != PUAN_OK)
        puan_http_client_drop(c);
    return st;
}

/* More bytes into c->in; 0 at the end of the stream, -1 on failure. */
static ssize_t more(struct puan_http_client *c)
{
    ssize_t k;

    if (c->in_n > MAX_REPLY || !grow(&c->in, &c->in_cap, c->in_n + 16384))
        return -1;
    do {
        k = recv(c->fd, c->in + c->in_n, c->in_cap - c->in_n - 1, 0);
    } while (k < 0 && errno == EINTR);
    if (k > 0) {
        c->in_n += (size_t)k;
        c->in[c->in_n] = 0;
    }
    return k;
}

struct puan_str puan_http_reply_header(const struct puan_http_reply *r,
                                       const char *name)
{
    struct puan_str line, rest = r->head;
    size_t n = strlen(name);

    while (puan_str_split(&line, &rest, '\n'))
        if (line.n > n && line.p[n] == ':' &&
            strncasecmp(line.p, name, n) == 0)
            return puan_str_trim(
                (struct puan_str){ line.p + n + 1, line.n - n - 1 });
    return (struct puan_str){ "", 0 };
}

/* Puts a chunked body together in c->flat; `at` is where the body begins. */
static enum puan_status unchunk(struct puan_http_reply *out,
                                struct puan_http_client *c, size_t at,
                                struct puan_err *err)
{
    size_t n = 0;

    for (;;) {
        char *eol;
        unsigned long size;

        while (!(eol = memchr(c->in + at, '\n', c->in_n - at)))
            if (more(c) <= 0)
                goto cut;
        size = strtoul(c->in + at, NULL, 16);
        at = (size_t)(eol - c->in) + 1;
        if (size > MAX_REPLY)
            goto cut;
        while (c->in_n - at < size + 2)
            if (more(c) <= 0)
                goto cut;
        if (!grow(&c->flat, &c->flat_cap, n + size + 1))
            return puan_fail(err, PUAN_ENOMEM, "client", "out of memory");
        memcpy(c->flat + n, c->in + at, size);
        n += size;
        at += size + 2;
        if (!size)
            break;
    }
    out->body = (struct puan_str){ c->flat, n };
    return PUAN_OK;
cut:
    puan_http_client_drop(c);
    return puan_fail(err, PUAN_EIO, "client", "%s: the answer was cut off",
                     c->address);
}

enum puan_status puan_http_receive(struct puan_http_reply *out,
                                   struct puan_http_client *c,
                                   struct puan_err *err)
{
    char *end;
    size_t head;
    struct puan_str len;
    bool until_close = false;

    memset(out, 0, sizeof(*out));
    c->in_n = 0;
again:
    while (c->in_n == 0 || !(end = strstr(c->in, "\r\n\r\n"))) {
        ssize_t k = more(c);

        if (k > 0)
            continue;
        if (c->used && c->in_n == 0) { /* closed while we were idle */
            enum puan_status st;

            puan_http_client_drop(c);
            st = connect_it(c, err);
            if (st == PUAN_OK)
                st = write_all(c, err);
            if (st != PUAN_OK)
                return st;
            goto again;
        }
        puan_http_client_drop(c);
        return puan_fail(err, PUAN_EIO, "client", "%s: no answer", c->address);
    }
    head = (size_t)(end - c->in) + 4;
    if (head < 16 || strncmp(c->in, "HTTP/1.", 7) != 0) {
        puan_http_client_drop(c);
        return puan_fail(err, PUAN_EIO, "client", "%s: not HTTP/1.1",
                         c->address);
    }
    out->status = (unsigned)strtoul(c->in + 9, NULL, 10);
    if (out->status == 100) {
        memmove(c->in, c->in + head, c->in_n - head + 1);
        c->in_n -= head;
        goto again;
    }
    out->head = (struct puan_str){ c->in, head };
    len = puan_http_reply_header(out, "Content-Length");
    if (c->head_request || out->status == 204 || out->status == 304) {
        out->body = (struct puan_str){ c->in + head, 0 };
    } else if (puan_str_is(puan_http_reply_header(out, "Transfer-Encoding"),
                           "chunked")) {
        enum puan_status st = unchunk(out, c, head, err);

        if (st != PUAN_OK)
            return st;
    } else {
        int64_t n = 0;

        until_close = !len.n;
        if (len.n && (!puan_int_parse(&n, len) || n < 0 ||
                      (uint64_t)n > MAX_REPLY)) {
            puan_http_client_drop(c);
            return puan_fail(err, PUAN_EIO, "client", "%s: a bad length",
                             c->address);
        }
        while (until_close || c->in_n - head < (size_t)n) {
            if (more(c) > 0)
                continue;
            if (until_close)
                break;
            puan_http_client_drop(c);
            return puan_fail(err, PUAN_EIO, "client",
                             "%s: the answer was cut off", c->address);
        }
        if (until_close)
            n = (int64_t)(c->in_n - head);
        out->body = (struct puan_str){ c->in + head, (size_t)n };
    }
    out->head.p = c->in; /* the buffer may have moved */
    len = puan_http_reply_header(out, "Connection");
    c->used = true;
    if (until_close || (len.n == 5 && strncasecmp(len.p, "close", 5) == 0)) {
        close(c->fd); /* keeps the buffers: the reply borrows them */
        c->fd = -1;
        c->used = false;
    }
    return PUAN_OK;
}

enum puan_status puan_http_call(struct puan_http_reply *out,
                                struct puan_http_client *c,
                                const struct puan_http_call *call,
                                struct puan_err *err)
{
    enum puan_status st = puan_http_send(c, call, err);

    return st == PUAN_OK ? puan_http_receive(out, c, err) : st;
}
