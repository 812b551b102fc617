/*
 * The host: an open directory being served.  Compiles the features' routes,
 * checks session, capability and area in one place, runs handlers and jobs.
 *
 * Depends on: store, kit/http, kit/job.
 */
#ifndef PUAN_FEATURES_HOST_HOST_H
#define PUAN_FEATURES_HOST_HOST_H

#include "features/host/session.h"

struct puan_http;
struct puan_host;
struct puan_web; /* features/web */

struct puan_host_options {
    const char *listen;  /* NULL: 127.0.0.1:8020 */
    unsigned loops;      /* event loops; 0: one a core */
    unsigned workers;    /* threads for handlers that may block; 0: 8 */
    size_t sessions;     /* most at once; 0: 200,000 */
    int64_t households;  /* most households inside at once; 0: as the plan
                            says (features/queue) */
    const char *tls_cert, *tls_key; /* PEM texts; NULL: plain */
    const char *proxies; /* addresses whose X-Forwarded-For is believed, with
                            spaces between; NULL: none */
    bool jobs;           /* run the features' periodic jobs */
    bool quiet;          /* refusals are logged for debugging only */
    const struct puan_web *web; /* the pages; NULL: none.  Outlives the host */
};

/*
 * Starts serving `st`, which must outlive the host.  Every route of every
 * feature is compiled; a malformed row is EBUG.
 */
PUAN_MUST_USE enum puan_status
puan_host_start(struct puan_host **out, struct puan_store *st,
                const struct puan_feature *const *features,
                const struct puan_host_options *opt, struct puan_err *err);
const char *puan_host_address(const struct puan_host *h);
/* Finishes what is under way and stops.  NULL is fine. */
void puan_host_stop(struct puan_host *h);

struct puan_sessions *puan_host_sessions(struct puan_host *h);
int64_t puan_host_households(const struct puan_host *h); /* the option */
/* It ends TLS itself, so cookies may say Secure. */
bool puan_host_secure(const struct puan_host *h);

/* Routes in the order of the tables. */
size_t puan_host_routes(const struct puan_host *h);
const struct puan_route *puan_host_route(const struct puan_host *h, size_t i);
/* Whether a role (ordinal in the plan) may use a route at all. */
bool puan_host_may(const struct puan_host *h, size_t role, size_t route);

/*
 * The area a seat stands on contains `area`; 0 is the whole installation.
 * Areas above the installation's own contain it.
 */
bool puan_area_covers(struct puan_store *st, int64_t seat_area, int64_t area);
/*
 * The installation's top area: the innermost one, not below the plan's shard
 * level, that holds everything; 0 while there is none or there are several.
 */
int64_t puan_area_top(struct puan_store *st);

/* The one switch from status to HTTP, and its stable code. */
unsigned puan_problem_status(enum puan_status st);
const char *puan_problem_code(enum puan_status st);

/* OpenAPI 3.1 of all rows; `campaign` is put into the server's path. */
void puan_openapi_write(struct puan_out *o,
                        const struct puan_feature *const *features,
                        const char *campaign);
/* Routes against a plan's roles, as a table (or Markdown). */
struct puan_plan;
void puan_permissions_write(struct puan_out *o,
                            const struct puan_feature *const *features,
                            const struct puan_plan *plan, bool markdown);
/* The path as the outside sees it: "/api/v1/c/{campaign}/lots". */
const char *puan_route_path(const struct puan_route *row,
                            struct puan_arena *a);
const char *puan_method_name(enum puan_method m);

/* Looks like a request from this machine itself, not through a proxy. */
bool puan_request_is_local(const struct puan_request *rq);

extern const struct puan_feature puan_feature_host;

#endif
