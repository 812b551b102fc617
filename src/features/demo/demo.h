/*
 * The demonstration: a simulated census driven through the real programs, as
 * the people of an office, its enumerators and households would.
 *
 * This folder is a client: it starts `puan simulate`, `puan init`, `puan
 * import` and `puan serve` as processes and talks HTTP to the server.  It opens
 * a store only at the end, read-only, to hold what is in it against what the
 * server acknowledged.  Of this folder only.
 */
#ifndef PUAN_FEATURES_DEMO_DEMO_H
#define PUAN_FEATURES_DEMO_DEMO_H

#include <spawn.h>
#include <stdatomic.h>

#include "base/json.h"
#include "features/demo/city.h"
#include "features/demo/truth.h"
#include "features/plans/plans.h"
#include "kit/http/client.h"

struct puan_demo_options {
    const char *plans, *data, *pack, *area, *dir, *report, *listen, *oracle, *web;
    const char *scale; /* as given; NULL: 1 */
    int64_t seed;
    bool once;
};

/* Somebody signed in: one connection, one token. */
struct puan_desk {
    struct puan_http_client *http;
    char token[96];
    const char *campaign;
    struct puan_str totp; /* base32: answers when a fresh code is asked for */
};

#define PUAN_DEMO_STAGES 16
#define PUAN_DEMO_COUNTIES 64

struct puan_people; /* people.c */
struct puan_review; /* review.c */
struct puan_day;    /* day.c */

struct puan_demo {
    struct puan_demo_options o;
    struct puan_arena arena;
    struct puan_plan_held *held;
    const struct puan_plan *plan;
    const char *campaign; /* plan->id, terminated */
    struct puan_people *people;
    struct puan_review *review;
    struct puan_day *day; /* NULL: the plan names no day to keep */
    int64_t clock_ms;     /* the campaign clock as last set */
    char self[512];                 /* this program */
    const char *sim, *census, *log; /* folders; server's log */
    char address[64];
    _Atomic int server, second, child; /* process ids, 0 none */
    atomic_bool ending;                /* a signal has come */
    atomic_bool serving;               /* all is done: a signal ends it well */
    int64_t peak_rss_kib;

    struct puan_city *city[PUAN_DEMO_COUNTIES];
    struct puan_city *again[PUAN_DEMO_COUNTIES]; /* true answers; may be NULL */
    int64_t county[PUAN_DEMO_COUNTIES];
    size_t n_counties;
    /* the innermost area that contains all counties, or each of them */
    int64_t top[PUAN_DEMO_COUNTIES];
    size_t n_tops;
    struct puan_true_state truth;

    struct {
        const char *name;
        int64_t ms;
    } stage[PUAN_DEMO_STAGES];
    size_t n_stages;
    int64_t stage_began;

    struct puan_ack *ack; /* one a simulated household, by county and place */
    size_t n_ack;
    struct puan_out facts; /* JSON members of the report, comma separated */
    struct puan_jw report;
};

/* What the server acknowledged of a household, in order of cities and keys. */
struct puan_ack {
    int64_t household;
    uint32_t version; /* acknowledged versions */
    bool hard, soft;    /* findings of the first one */
    bool asked;         /* sent back while returns arrived */
    bool met;           /* found in the store at the end */
    uint8_t digest[PUAN_DIGEST_SIZE]; /* of the last one */
};
struct puan_ack *puan_demo_ack(struct puan_demo *d, int64_t household);

/* ---- process and stages (demo.c) ----------------------------------------- */

/* Ends the stage before and names the next on the terminal. */
void puan_demo_stage(struct puan_demo *d, const char *name, const char *zh,
                     const char *en);
/* A line under the stage: what was found or done. */
void puan_demo_say(const char *fmt, ...) PUAN_PRINTF(1, 2);

/* Runs a command of this program to its end; output to `log` when given. */
PUAN_MUST_USE enum puan_status puan_demo_run(struct puan_demo *d,
                                             const char *const *argv,
                                             const char *log,
                                             struct puan_err *err);
/* Starts this program with other words and no signal blocked. */
PUAN_MUST_USE enum puan_status
puan_demo_spawn(int *pid, const struct puan_demo *d, const char *const *argv,
                posix_spawn_file_actions_t *fa, struct puan_err *err);

/* Serves a folder at an address until it answers. */
PUAN_MUST_USE enum puan_status puan_demo_start(struct puan_demo *d,
                                               _Atomic int *server,
                                               const char *folder,
                                               const char *listen,
                                               struct puan_err *err);
/* The first free port from `port` on: "HOST:PORT" in d->arena. */
PUAN_MUST_USE enum puan_status puan_demo_port(const char **listen,
                                              struct puan_demo *d,
                                              const char *host, int port,
                                              struct puan_err *err);
/* Serves both ends with returns trickling in, until a signal (live.c). */
PUAN_MUST_USE enum puan_status puan_demo_live(struct puan_demo *d,
                                              struct puan_err *err);
/* The page with everybody's keys, on 127.0.0.1 alone (ring.c). */
PUAN_MUST_USE enum puan_status puan_demo_ring(struct puan_demo *d,
                                              const char *listen,
                                              const char *day, const char *end,
                                              struct puan_err *err);

/* ---- client (desk.c) ------------------------------------------------------
 */

PUAN_MUST_USE enum puan_status puan_desk_open(struct puan_desk *k,
                                              const struct puan_demo *d,
                                              struct puan_err *err);
void puan_desk_close(struct puan_desk *k);
/*
 * One call below /api/v1/c/CAMPAIGN; `body` NULL for none.  A status of 400
 * and above is a failure that names the call and the problem's detail, unless
 * it equals `allow`.  *reply (may be NULL) lives in `a`.
 */
PUAN_MUST_USE enum puan_status
puan_desk_call(struct puan_node **reply, unsigned *status, struct puan_desk *k,
               const char *method, const char *path, const char *body,
               unsigned allow, struct puan_arena *a, struct puan_err *err);

/* ---- the day that is kept (day.c) ------------------------------------------
 */

/* Reads the plan's demo/day.yaml, when there is one. */
PUAN_MUST_USE enum puan_status puan_day_open(struct puan_demo *d,
                                             struct puan_err *err);
void puan_day_close(struct puan_day *y); /* NULL is fine */
/* The moment that is kept; INT64_MAX there is none. */
int64_t puan_day_moment(const struct puan_demo *d);
/* When the offices do something next; INT64_MAX nothing more. */
int64_t puan_day_next(const struct puan_demo *d);
/* They do it: all that is due by then. */
PUAN_MUST_USE enum puan_status puan_day_work(struct puan_demo *d, int64_t until,
                                             struct puan_err *err);
/* At the moment: everybody's account, the clock held, a backup. */
PUAN_MUST_USE enum puan_status puan_day_keep(struct puan_demo *d,
                                             struct puan_err *err);
/* At the end: the backup, verified, becomes DIR/day. */
PUAN_MUST_USE enum puan_status puan_day_restore(struct puan_demo *d,
                                                struct puan_err *err);
/* The n-th query that waited at the moment; false there are no more. */
bool puan_day_left(const struct puan_demo *d, size_t n, int64_t *household,
                   int64_t *query);
/* Plays a script of the plan at an area (script.c). */
PUAN_MUST_USE enum puan_status puan_demo_play(struct puan_demo *d,
                                              const char *path, int64_t area,
                                              struct puan_err *err);

/* ---- parts (people.c, field.c, office.c, account.c) ------------------------
 */

PUAN_MUST_USE enum puan_status puan_demo_people(struct puan_demo *d,
                                                struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_demo_field(struct puan_demo *d,
                                               struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_demo_review(struct puan_demo *d,
                                                struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_demo_lots(struct puan_demo *d,
                                              struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_demo_duplicates(struct puan_demo *d,
                                                    struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_demo_tables(struct puan_demo *d,
                                                struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_demo_release(struct puan_demo *d,
                                                 struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_demo_incident(struct puan_demo *d,
                                                  struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_demo_account(struct puan_demo *d,
                                                 struct puan_err *err);

#endif
