/*
 * What the files of this folder share.
 */
#ifndef PUAN_FEATURES_DUTY_INTERNAL_H
#define PUAN_FEATURES_DUTY_INTERNAL_H

#include "core/plan/plan.h"
#include "features/duty/duty.h"
#include "features/host/host.h"
#include "features/host/request.h"
#include "features/store/store.h"

/* ---- rows.c ---------------------------------------------------------------------- */

/* The roster of an office as entered, into the arena; numbers stay sealed. */
PUAN_MUST_USE enum puan_status duty_read(struct puan_roster *out,
                                         struct puan_store *st,
                                         struct puan_db *db, int64_t area,
                                         struct puan_arena *a,
                                         struct puan_err *err);
/* The same with only what says who stands a post at `at_ms` or later. */
PUAN_MUST_USE enum puan_status duty_read_posts(struct puan_roster *out,
                                               struct puan_store *st,
                                               struct puan_db *db,
                                               int64_t area, int64_t at_ms,
                                               struct puan_arena *a,
                                               struct puan_err *err);
/* Opens the number of a contact entry. */
PUAN_MUST_USE enum puan_status duty_unseal(struct puan_str *out,
                                           struct puan_store *st,
                                           struct puan_db *db, int64_t id,
                                           struct puan_arena *a,
                                           struct puan_err *err);
/*
 * Inside a body: decides by the roster as it now is and writes the entry; id
 * and time are filled.
 */
PUAN_MUST_USE enum puan_status duty_put(struct puan_shard *sh,
                                        struct puan_db *db,
                                        struct puan_act *act, int64_t area,
                                        struct puan_roster_entry *e,
                                        struct puan_arena *a,
                                        struct puan_err *err);
/* Areas that drew a roster or were told anything, ascending. */
PUAN_MUST_USE enum puan_status duty_areas(int64_t **out, size_t *n,
                                          struct puan_db *db,
                                          struct puan_arena *a,
                                          struct puan_err *err);

/* ---- calls.c --------------------------------------------------------------------- */

/* Inside a body: calls all persons of the first rung somebody stands on. */
PUAN_MUST_USE enum puan_status duty_call_out(struct puan_shard *sh,
                                             struct puan_db *db,
                                             struct puan_act *act, int64_t area,
                                             struct puan_roster_entry *first,
                                             struct puan_arena *a,
                                             struct puan_err *err);
/* Inside a body: one person is called (kind TEST or CALL). */
PUAN_MUST_USE enum puan_status duty_ring(struct puan_shard *sh,
                                         struct puan_db *db,
                                         struct puan_act *act, int64_t area,
                                         struct puan_roster_entry *e,
                                         struct puan_arena *a,
                                         struct puan_err *err);
/* Inside a body: nothing more is done about a call and its row. */
PUAN_MUST_USE enum puan_status duty_call_done(struct puan_shard *sh,
                                              struct puan_db *db,
                                              struct puan_act *act,
                                              const struct puan_roster *r,
                                              int64_t call,
                                              struct puan_err *err);

/* ---- desk.c ----------------------------------------------------------------------- */

/* What is open at an office, and the digest of it with the words of an offer. */
struct duty_open {
    int64_t *run;
    size_t n;
    struct puan_str digest; /* 64 hex digits */
};
PUAN_MUST_USE enum puan_status duty_open_now(struct duty_open *out,
                                             struct puan_store *st,
                                             struct puan_db *db, int64_t area,
                                             struct puan_str words,
                                             struct puan_arena *a,
                                             struct puan_err *err);

/* ---- routes.c, view.c ---------------------------------------------------------------- */

#define DUTY_ROUTES 20
extern const struct puan_route duty_routes[DUTY_ROUTES];

struct duty_in {
    int64_t area, of, turn;
    struct puan_str post, shift, from, until, who, text, group, digest, people;
};
enum puan_status duty_view(struct puan_request *rq, const void *in,
                           struct puan_err *err);
enum puan_status duty_desk(struct puan_request *rq, const void *in,
                           struct puan_err *err);
enum puan_status duty_contacts(struct puan_request *rq, const void *in,
                               struct puan_err *err);
enum puan_status duty_lower(struct puan_request *rq, const void *in,
                            struct puan_err *err);
/* Minutes of gap at an office within the plan's horizon, and who is wanting. */
struct duty_state {
    bool drawn;
    int64_t gap_minutes, gap_from_ms; /* 0: none */
    unsigned unreachable, untested, no_number;
    struct puan_str on[PUAN_DUTY_ON];
    size_t n_on;
};
PUAN_MUST_USE enum puan_status duty_state_of(struct duty_state *out,
                                             const struct puan_roster *r,
                                             int64_t now, struct puan_arena *a,
                                             struct puan_err *err);
bool duty_instant(int64_t *ms, struct puan_str s, int offset_minutes);

int duty_command(int argc, char **argv);

#endif
