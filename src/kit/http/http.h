/*
 * An HTTP/1.1 server over libmicrohttpd: one event loop a core, keep-alive,
 * an arena per request, bodies bounded before they are read, requests that may
 * wait for a commit without holding a thread, and streams that hold none.
 *
 * What the library lets through and this refuses with 400 before any handler
 * runs: Content-Length together with Transfer-Encoding, a doubled Host,
 * Content-Length, Transfer-Encoding or any other header listed below, a
 * Content-Length that is not all digits, a transfer coding other than
 * "chunked", header names that are not tokens, a missing Host.
 *
 * Depends on: base, libmicrohttpd.  Knows nothing of a census.
 */
#ifndef PUAN_KIT_HTTP_HTTP_H
#define PUAN_KIT_HTTP_HTTP_H

#include "base/out.h"

enum puan_http_method {
    PUAN_HTTP_GET,
    PUAN_HTTP_POST,
    PUAN_HTTP_PUT,
    PUAN_HTTP_DELETE,
    PUAN_HTTP_HEAD, /* answered as GET, the body left out */
    PUAN_HTTP_OTHER
};

/* Headers a handler may ask for; each at most once in a request. */
enum puan_http_header {
    PUAN_H_HOST,
    PUAN_H_CONTENT_LENGTH,
    PUAN_H_CONTENT_TYPE,
    PUAN_H_TRANSFER_ENCODING,
    PUAN_H_AUTHORIZATION,
    PUAN_H_COOKIE,
    PUAN_H_IF_MATCH,
    PUAN_H_IF_NONE_MATCH,
    PUAN_H_IDEMPOTENCY_KEY,
    PUAN_H_ORIGIN,
    PUAN_H_ACCEPT,
    PUAN_H_ACCEPT_ENCODING,
    PUAN_H_ACCEPT_LANGUAGE,
    PUAN_H_FETCH_SITE, /* Sec-Fetch-Site */
    PUAN_H_FORWARDED,  /* X-Forwarded-For: came through a proxy */
    PUAN_H_UNATTENDED, /* Puan-Unattended: a page asks, not a person */
    PUAN_H_OPENROSA,   /* X-OpenRosa-Version: a client of that protocol */
    PUAN_H_COUNT
};

#define PUAN_HTTP_ANSWER_HEADERS 12

/*
 * One request and its answer.  Belongs to the server; lives until the answer
 * has been sent.  Everything it points to lives as long.
 */
struct puan_http {
    enum puan_http_method method;
    struct puan_str target; /* as sent: path and query, not decoded */
    struct puan_str header[PUAN_H_COUNT]; /* empty when absent */
    struct puan_str body;
    char peer[48]; /* numeric address */
    struct puan_arena arena;
    void *user; /* the handler's own */

    /* the answer */
    unsigned status;          /* 0 becomes 500 */
    const char *content_type; /* NULL: none */
    struct puan_out out;      /* the body, in `arena` */
    struct puan_str lent; /* or this, which outlives the server; p NULL: out */
    struct {
        const char *name, *value;
    } extra[PUAN_HTTP_ANSWER_HEADERS];
    size_t n_extra;
    bool close; /* end the connection after the answer */
    struct puan_http_stream *stream; /* set by puan_http_stream_open */
};

struct puan_http_server;

struct puan_http_options {
    const char *listen; /* "127.0.0.1:8020", "[::1]:0"; port 0 picks one */
    unsigned threads;   /* 0: one a core */
    unsigned connections; /* most at once; 0: 4096 */
    unsigned idle_seconds; /* 0: 30 */
    const char *tls_cert, *tls_key; /* PEM texts; both or none */
    /* Addresses of proxies, with spaces between; NULL: none.  A request that
       comes from one of them is its client's: `peer` is the last address of
       X-Forwarded-For that is no such proxy. */
    const char *proxies;
    void *ctx;
    /*
     * Most bytes of body this request may have; asked once the headers are
     * read.  It may answer at once (set status) to refuse without the body.
     */
    size_t (*limit)(void *ctx, struct puan_http *x);
    /*
     * Answers, or calls puan_http_suspend first and arranges that another
     * thread fills the answer and calls puan_http_resume.  Runs in an event
     * loop: must not block.
     */
    void (*handle)(void *ctx, struct puan_http *x);
    /* Once for each request whose limit() was asked, after the answer. */
    void (*done)(void *ctx, struct puan_http *x); /* may be NULL */
    /* A request refused here (malformed), for the access log; may be NULL. */
    void (*refused)(void *ctx, struct puan_http *x, const char *why);
};

PUAN_MUST_USE enum puan_status
puan_http_start(struct puan_http_server **out,
                const struct puan_http_options *opt, struct puan_err *err);
/* "127.0.0.1:8020" with the port really bound. */
const char *puan_http_address(const struct puan_http_server *s);
/* Stops accepting, waits for open requests (10 s), ends.  NULL is fine. */
void puan_http_stop(struct puan_http_server *s);

/*
 * The handler gives up the request; after this call (and after another thread
 * may see it) only that other thread touches it.
 */
void puan_http_suspend(struct puan_http *x);
/* Sends the answer filled in; the caller may not touch x afterwards. */
void puan_http_resume(struct puan_http *x);

/* Adds an answer header; name and value must live as long as the request. */
void puan_http_answer_header(struct puan_http *x, const char *name,
                             const char *value);

/* ---- streams -------------------------------------------------------------- */

/*
 * An answer without an end, as server-sent events are: its maker sends pieces
 * from any thread, whenever there is one.  Between pieces the connection is
 * suspended and costs no thread.
 *
 * The handler (or whoever fills the answer) opens it and sets status, content
 * type and headers; out and lent are not sent.  `closed` is called exactly
 * once, from some thread, when the stream is over: the other side has gone
 * (noticed at the next piece), puan_http_stream_end, or the server stops.
 * When it has returned, the stream is gone; so send and end are called under a
 * lock that `closed` takes, too.
 *
 * NULL: out of memory, or the server is stopping.
 */
struct puan_http_stream;
struct puan_http_stream *puan_http_stream_open(struct puan_http *x,
                                               void (*closed)(void *arg),
                                               void *arg);
/*
 * Sends the bytes (copied).  False when the other side does not read: more
 * than 4 KiB wait; the stream has then been ended.
 */
bool puan_http_stream_send(struct puan_http_stream *s, struct puan_str bytes);
/* What waits is sent, then it is over. */
void puan_http_stream_end(struct puan_http_stream *s);

/*
 * Decodes %XX of a path segment or query part ('+' is a space when `query`).
 * EINVAL: broken escape, ill-formed UTF-8, a control character, or in a path
 * an encoded '/'.
 */
PUAN_MUST_USE enum puan_status puan_uri_decode(struct puan_str *out,
                                               struct puan_str in, bool query,
                                               struct puan_arena *a,
                                               struct puan_err *err);

#endif
