/*
 * What a handler sees: who asks, at which seat, about which area, the store,
 * the clock, and the answer being built.
 *
 * By the time a handler runs, host/dispatch.c has matched the route, found the
 * session, checked the capability of the row and that the seat's area contains
 * the row's area, and filled the parameters.  A handler does not check these
 * again; it only narrows what it lists to rq->area.
 *
 * Handlers run in a pool of threads and may block (SQL, puan_commit).  Rows
 * marked `direct` run in the event loop and must not block: they use
 * puan_request_suspend and puan_commit_async.
 *
 * Depends on: kit/http, store.
 */
#ifndef PUAN_FEATURES_HOST_REQUEST_H
#define PUAN_FEATURES_HOST_REQUEST_H

#include "features/host/feature.h"
#include "features/store/store.h"

struct puan_http;
struct puan_host;

/* Contract 8. */
enum puan_credential {
    PUAN_CRED_NONE, /* no session: a public route */
    PUAN_CRED_HUMAN,
    PUAN_CRED_DEVICE,
    PUAN_CRED_HOUSEHOLD,
    PUAN_CRED_SERVICE
};

/* Who asks: a copy of the session, fixed for the time of the request. */
struct puan_who {
    enum puan_credential credential;
    int64_t account, seat; /* row ids; 0 none */
    int64_t area;          /* the seat's area; an ancestor of what it may see */
    int64_t household;     /* household credential: its only household; else 0 */
    int32_t role;          /* ordinal in the plan's roles; -1 none */
    bool external;         /* external seat (contract 6) */
    bool must_change;      /* first secret: may only change it */
    char name[64];         /* account name: the ledger's actor */
    char seat_text[64];    /* "township-office@370883001": the ledger's seat */
    char role_name[48];    /* "township-office" */
    char device[48];
    int64_t session;       /* number of the session, for the log */
    int64_t until_ms;      /* campaign time at which the seat ends; 0 never */
    int64_t batch;         /* machine credential: the issue it came from */
    int64_t factor_ms;     /* real time of the last second factor; 0 none */
};

struct puan_request {
    struct puan_http *http;
    struct puan_host *host;
    const struct puan_route *route;
    struct puan_store *store;
    struct puan_arena *arena; /* until the answer has been sent */
    struct puan_who who;
    struct puan_str campaign;
    struct puan_str body; /* as sent; raw_body rows parse it themselves */
    int64_t area;      /* what the row's scope named: area, household's area … */
    int64_t household; /* scope household: the parameter; else 0 */
    int64_t now;       /* campaign clock, ms */
    int64_t real_now;  /* real time, ms */
    struct puan_str token; /* the session's, as sent; empty without one */
    bool cookie;           /* it came as a cookie: a page asks */

    /* of the host; do not touch */
    size_t route_ordinal;
    const void *in;
    struct puan_jw jw;
    struct puan_err err;
    bool suspended, answered;
    int64_t began_us;
};

/* May this session do what `capability` names (besides the row's own)? */
bool puan_request_can(const struct puan_request *rq, const char *capability);
/* Does the seat's area contain `area` (a code)? */
bool puan_request_covers(const struct puan_request *rq, int64_t area);

/*
 * Starts an act: actor, seat, device, verb of the row, event time.  `subject`
 * is borrowed until the act is committed.
 */
void puan_request_act(struct puan_act *act, const struct puan_request *rq,
                      struct puan_str subject);

/*
 * What a reading route answers this session: "/cases/12", "/board?area=3" below
 * the campaign.  Capability, area and all else are checked as if it had been
 * asked from outside; *json lives in rq->arena.
 *
 * EDENIED, ENOTFOUND  as the route says   EINVAL  no such route
 * EBUSY  it has no answer yet
 */
PUAN_MUST_USE enum puan_status puan_request_get(struct puan_str *json,
                                                struct puan_request *rq,
                                                const char *path,
                                                struct puan_err *err);

/* ---- answers: one of these, once, then return PUAN_OK ------------------- */

/* A JSON writer into the body; the caller closes every map it opens. */
struct puan_jw *puan_answer_begin(struct puan_request *rq, unsigned status);
/* A finished JSON text (copied). */
void puan_answer_json(struct puan_request *rq, unsigned status,
                      struct puan_str json);
/* Any other type; `type` is a literal.  The bytes are copied. */
void puan_answer_bytes(struct puan_request *rq, unsigned status,
                       const char *type, struct puan_str bytes);
/* 204 */
void puan_answer_empty(struct puan_request *rq);
/* A header of the answer; `value` is copied. */
void puan_answer_header(struct puan_request *rq, const char *name,
                        const char *value);

/*
 * Problems (RFC 9457).  A handler normally just returns a status with err
 * filled; host/problem.c is the one switch.  This is for the rare answer with
 * its own HTTP status.  `code` is stable: "stale-version".
 */
void puan_answer_problem(struct puan_request *rq, unsigned status,
                         const char *code, const char *detail);

/* ---- versions ----------------------------------------------------------- */

/* ETag: "version". */
void puan_answer_etag(struct puan_request *rq, int64_t version);
/*
 * The version If-Match names.  EINVAL: header absent ("If-Match with the
 * version you read") or malformed.  Compare it inside the act and return
 * ECONFLICT when it is stale.
 */
PUAN_MUST_USE enum puan_status puan_request_if_match(int64_t *version,
                                                     struct puan_request *rq,
                                                     struct puan_err *err);

/* ---- lists in pages ----------------------------------------------------- */

/*
 * Put one in the row's struct and PUAN_PAGE_PARAMS in its table: parameters
 * "cursor" (opaque to the client: the last key seen) and "limit" (1-1000).
 */
struct puan_page {
    int64_t cursor; /* 0: from the start */
    int64_t limit;  /* 0: 100 */
};
#define PUAN_PAGE_PARAMS(T, field)                                             \
    { "cursor", PUAN_PARAM_INT, offsetof(T, field.cursor), 0, INT64_MAX,       \
      true },                                                                  \
    {                                                                          \
        "limit", PUAN_PARAM_INT, offsetof(T, field.limit), 1, 1000, true       \
    }
int64_t puan_page_limit(const struct puan_page *p);
/* {"items":[ … then _end writes ],"next":N or null}; N beyond 2^53 is a text. */
struct puan_jw *puan_answer_items(struct puan_request *rq);
void puan_answer_items_end(struct puan_request *rq, int64_t next);
/*
 * The whole list, 200: the rows of `s`, bound and not yet stepped, in order of
 * the key in its first column, which is the cursor.  `area_col` is the column
 * of the area that must lie inside rq->area, -1 for rows of no area; `put`
 * writes one row as a JSON value.  Ends `s`.
 */
typedef void (*puan_row_fn)(struct puan_jw *w, struct puan_stmt *s,
                            struct puan_request *rq);
PUAN_MUST_USE enum puan_status puan_answer_rows(struct puan_request *rq,
                                                struct puan_stmt *s,
                                                const struct puan_page *page,
                                                int area_col, puan_row_fn put,
                                                struct puan_err *err);

/* ---- the hot path -------------------------------------------------------- */

/*
 * In a `direct` handler, before the work is handed to another thread (for
 * instance before puan_commit_async).  From then on only that thread touches
 * rq; the handler returns PUAN_OK without looking at it again.
 */
void puan_request_suspend(struct puan_request *rq);
/*
 * From the other thread, after the answer was built; or give a failure, which
 * becomes the problem.  The caller may not touch rq, its arena or anything in
 * it afterwards.
 */
void puan_request_resume(struct puan_request *rq, enum puan_status st,
                         const struct puan_err *err);

/* ---- costly work --------------------------------------------------------- */

/*
 * Before work that keeps a processor busy on purpose (Argon2id): such work has
 * two threads of its own, so that on a busy evening nobody else waits behind
 * it.  False: the handler returns PUAN_OK at once, touching nothing more, and
 * is run again from its start where this says true; what it did until here
 * must do no harm twice.  Not in `direct` rows.
 */
PUAN_MUST_USE bool puan_request_costly(struct puan_request *rq);

#endif
