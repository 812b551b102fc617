/*
 * A small blocking HTTP/1.1 client for tests, the demo and the command line:
 * one kept connection, loopback or a trusted network, no TLS, no redirects.
 *
 * Cheap: one system call to send, usually one to receive; no allocation once
 * its buffers have grown.  A client belongs to one thread at a time.
 *
 * Depends on: base.
 */
#ifndef PUAN_KIT_HTTP_CLIENT_H
#define PUAN_KIT_HTTP_CLIENT_H

#include "base/text.h"

struct puan_http_client;

struct puan_http_call {
    const char *method; /* "GET" */
    const char *path;   /* "/api/v1/…", already encoded */
    const char *token;  /* session token (Bearer), or NULL */
    const char *headers; /* further lines, each ended by CRLF, or NULL */
    const char *content_type; /* NULL: application/json when there is a body */
    struct puan_str body;
};

/* Borrowed from the client until its next call. */
struct puan_http_reply {
    unsigned status;
    struct puan_str body;
    struct puan_str head; /* status line and headers, as received */
};

/* `address` "127.0.0.1:8020".  Connects at the first call. */
PUAN_MUST_USE enum puan_status
puan_http_client_open(struct puan_http_client **out, const char *address,
                      struct puan_err *err);
void puan_http_client_close(struct puan_http_client *c);
/* Drops the connection, as a client in a bad network would. */
void puan_http_client_drop(struct puan_http_client *c);

/*
 * Sends and receives.  A kept connection that the server closed in the
 * meantime is opened again once, before any byte of an answer was seen.
 *
 * EIO  no connection or a broken answer (the request may have been done)
 */
PUAN_MUST_USE enum puan_status puan_http_call(struct puan_http_reply *out,
                                              struct puan_http_client *c,
                                              const struct puan_http_call *call,
                                              struct puan_err *err);

/* The two halves, so that one thread can keep many connections busy. */
PUAN_MUST_USE enum puan_status
puan_http_send(struct puan_http_client *c, const struct puan_http_call *call,
               struct puan_err *err);
PUAN_MUST_USE enum puan_status
puan_http_receive(struct puan_http_reply *out, struct puan_http_client *c,
                  struct puan_err *err);

/* A header of a reply by name, whatever its case; empty when absent. */
struct puan_str puan_http_reply_header(const struct puan_http_reply *r,
                                       const char *name);

#endif
