/*
 * What the files of this folder share.  No other folder includes it.
 */
#ifndef PUAN_FEATURES_HOST_INTERNAL_H
#define PUAN_FEATURES_HOST_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/digest.h"
#include "features/host/host.h"
#include "features/host/params.h"
#include "kit/http/http.h"
#include "kit/job/job.h"

#define PUAN_STATUS_CLASSES 6

struct puan_compiled {
    const struct puan_feature *feature;
    const struct puan_route *row;
    struct puan_pattern pattern;
    size_t ordinal;
    int area_param; /* index in the row's table, or -1 */
    int household_param;
    _Atomic uint64_t answers[PUAN_STATUS_CLASSES]; /* by hundreds */
    _Atomic uint64_t spent_us;
};

/* Compiled routes of one method and number of path parts, literals first. */
struct puan_bucket {
    struct puan_compiled **at;
    size_t n;
};

struct puan_idem;

/* One refusal, for the audit seat: never a name, never a body. */
struct puan_refusal {
    int64_t when_ms, session;
    unsigned status;
    const char *method, *path; /* of the row; "-" when none matched */
    char peer[48];
};
#define PUAN_REFUSALS 1024

struct puan_host {
    struct puan_store *store;
    struct puan_host_options opt;
    const struct puan_feature *const *features;
    struct puan_arena arena;
    struct puan_compiled *route;
    size_t n_routes;
    struct puan_bucket bucket[4][PUAN_SEGMENTS + 1];
    uint64_t *may; /* bit matrix: role * n_routes + route */
    size_t n_roles;
    struct puan_str campaign, store_id;
    struct puan_sessions *sessions;
    struct puan_pool *pool;
    struct puan_pool *costly; /* passwords: nothing else waits behind them */
    struct puan_ticker **tickers;
    size_t n_tickers;
    struct puan_http_server *http;
    struct puan_idem *idem;
    int64_t started_ms; /* real time */
    _Atomic uint64_t malformed, refused, unmatched;
    _Atomic int64_t log_second;
    _Atomic int log_lines; /* written in that second */
    pthread_mutex_t refusal_lock;
    struct puan_refusal refusal[PUAN_REFUSALS];
    uint64_t n_refusals; /* ever; the ring holds the last */
    struct job_arg *job_args;
};

/* One request under way; in the request's arena. */
struct puan_call {
    struct puan_request rq;
    struct puan_target target;
    struct puan_compiled *c;
    bool handed;        /* the connection waits: answered by resume */
    bool *frame;        /* suspended by the handler now running */
    bool costly;        /* it runs where costly work belongs */
    uint8_t idem_key[PUAN_DIGEST_SIZE];
    bool idem;          /* holds an Idempotency-Key slot */
};

/* answer.c */
void puan_answer_status(struct puan_request *rq, enum puan_status st,
                        const struct puan_err *err);
/* Closes the request's books and, when it waited, sends the answer. */
void puan_call_finish(struct puan_call *k, enum puan_status st,
                      const struct puan_err *err);

/* idem.c: answers remembered by Idempotency-Key, in memory. */
enum puan_idem_verdict {
    PUAN_IDEM_NEW,    /* run it; then _keep or _drop */
    PUAN_IDEM_REPLAY, /* the answer has been filled in */
    PUAN_IDEM_BUSY,   /* the first one is still running */
    PUAN_IDEM_OTHER   /* the key was used for another body */
};
struct puan_idem *puan_idem_open(void);
void puan_idem_close(struct puan_idem *m);
enum puan_idem_verdict puan_idem_begin(struct puan_idem *m,
                                       const uint8_t key[PUAN_DIGEST_SIZE],
                                       const uint8_t body[PUAN_DIGEST_SIZE],
                                       struct puan_http *x);
void puan_idem_keep(struct puan_idem *m, const uint8_t key[PUAN_DIGEST_SIZE],
                    const struct puan_http *x);
void puan_idem_drop(struct puan_idem *m, const uint8_t key[PUAN_DIGEST_SIZE]);

/* routes.c: the host's own rows. */
extern const struct puan_route puan_host_rows[5];

/* Enters a refusal that a handler itself decided into the list of them. */
void puan_note_refusal(struct puan_request *rq, unsigned status);

#endif
