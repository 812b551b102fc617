/*
 * Cases: runs of the plan's workflows, kept in the office store, and the
 * clocks that drive them.
 *
 *   case_run(id, flow, version, plan, area, subject, state, drill, opened,
 *            ended, parent, n)           covered
 *     plan: digest of the plan it began with; subject: what it is about
 *     ("lot/12"), may be empty; parent: the run that opened it, 0 none;
 *     n: number of its events; ended: campaign time, 0 open
 *   case_event(run, n, at, body, sealed) covered; body as core/flow writes it,
 *     or, for flows with secret fields, sealed (purpose "case", county 0, table
 *     "case_event", column "sealed", row key "run.n")
 *   case_notice(id, run, n, kind, seat, role, level, area, at, vacant, taken,
 *               taken_by)                covered; who is told what
 *   case_clock(run, clock, part, at)     derived: the next tick of each run
 *   case_attest(record, who, run)        derived: what runs attest of whom now
 *
 * Every event is an act on the office store and so a ledger entry of its own.
 * A run is rebuilt by folding its events.  Clocks are driven by a job on the
 * campaign clock: a tick that is not due any more is refused by the engine, so
 * each acts once, also over a restart.
 *
 * Depends on: store, core/flow.  Never decides what a flow allows.
 */
#ifndef PUAN_FEATURES_CASES_CASES_H
#define PUAN_FEATURES_CASES_CASES_H

#include "core/flow/flows.h"
#include "features/store/store.h"

extern const struct puan_feature puan_feature_cases;

/* The plan's flow of that name; ENOTFOUND names it. */
PUAN_MUST_USE enum puan_status puan_cases_flow(const struct puan_flow **out,
                                               struct puan_store *st,
                                               struct puan_str name,
                                               struct puan_err *err);

/* All of them. */
const struct puan_flows *puan_cases_flows(struct puan_store *st);

/* Is there a flow of the plan whose runs attest this record? */
bool puan_case_attests(struct puan_store *st, struct puan_str record);
/* Does a run attest it of this account now? */
PUAN_MUST_USE enum puan_status puan_case_attested(bool *stands,
                                                  struct puan_db *db,
                                                  struct puan_str record,
                                                  struct puan_str who,
                                                  struct puan_err *err);

/* A row of case_run; texts live in the arena they were read into. */
struct puan_case_row {
    int64_t id, area, opened_ms, ended_ms, parent, n;
    struct puan_str flow, subject, state;
    bool drill;
};

/*
 * How cases of a flow inside the area kept one of its clocks: `all` are those
 * whose clock was stopped or has passed, `met` those stopped in time.  Drills
 * do not count.  Reads every such case.
 */
PUAN_MUST_USE enum puan_status
puan_case_kept(int64_t *met, int64_t *all, struct puan_store *st,
               struct puan_str flow, struct puan_str clock, int64_t area,
               struct puan_err *err);
/* Cases of the flow inside the area, newest first, at most `most`; no drills. */
PUAN_MUST_USE enum puan_status
puan_cases_of(struct puan_case_row *out, size_t *n, size_t most,
              struct puan_store *st, struct puan_str flow, int64_t area,
              struct puan_arena *a, struct puan_err *err);

#define PUAN_CASE_FACTS 24
struct puan_case_facts {
    struct puan_flow_given given[PUAN_CASE_FACTS];
    size_t n;
};
/* Adds a fact; one too many is dropped, and what is not known refuses. */
void puan_case_fact(struct puan_case_facts *f, const char *name, int64_t v);

/*
 * The feature that runs of a subject belong to ("lot", "release"): it answers
 * what the guards of its flow ask, and does what `call:` effects name.  The
 * list is cases/owners.c.
 */
struct puan_case_owner {
    const char *subject; /* of the flow */
    /* Before the act, outside the writer; may read any store. */
    enum puan_status (*facts)(struct puan_case_facts *out,
                              struct puan_store *st,
                              const struct puan_case_row *row,
                              struct puan_arena *a, struct puan_err *err);
    /* Inside the act, after the event was folded; `call` is the effect's
     * name, empty for every event. */
    enum puan_status (*after)(struct puan_shard *sh, struct puan_db *db,
                              struct puan_act *act,
                              const struct puan_case_row *row,
                              const struct puan_flow_run *run,
                              const struct puan_flow_event *event,
                              struct puan_str call, struct puan_err *err);
};
extern const struct puan_case_owner *const puan_case_owners[]; /* NULL-ended */

/*
 * What features/drill says of the cases of drills (owners.c).  Both run inside
 * the act.
 */
struct puan_case_drills {
    /* A new case that is a drill and was opened by no other case. */
    enum puan_status (*join)(struct puan_shard *sh, struct puan_db *db,
                             struct puan_act *act,
                             const struct puan_case_row *row,
                             const struct puan_flow_event *event,
                             struct puan_arena *a, struct puan_err *err);
    /*
     * Who is told in a drill: a seat that takes part, or instead of it who
     * leads the drill.  Role and area are changed in place.
     */
    enum puan_status (*address)(struct puan_str *role, int64_t *area,
                                struct puan_shard *sh, struct puan_db *db,
                                const struct puan_case_row *row,
                                struct puan_arena *a, struct puan_err *err);
};
extern const struct puan_case_drills *const puan_case_drills;

/* One event on one run. */
struct puan_case_call {
    int64_t run;             /* 0: event OPEN makes one */
    struct puan_str flow, subject; /* of a new run */
    int64_t area, parent;    /* of a new run */
    int64_t expect;          /* events the caller has read; 0: any */
    struct puan_flow_event event;
    struct puan_case_facts facts; /* added to what the owner gives */
    struct puan_arena *arena;
    /* out, in the arena */
    struct puan_case_row row;
    struct puan_flow_run *after;
    struct puan_flow_decision decision;
};

/*
 * Asks the owner for its facts, commits the event on the office store and
 * waits.  `act` names actor, seat, device; verb and subject are filled when
 * empty.  event.who, event_ms (0: now) and the rest are the caller's; entry_ms
 * is set inside.
 *
 * Refusals are those of puan_flow_apply; ECONFLICT also when `expect` is
 * stale.
 */
PUAN_MUST_USE enum puan_status puan_case_do(struct puan_store *st,
                                            struct puan_act *act,
                                            struct puan_case_call *call,
                                            struct puan_err *err);
/*
 * The same inside a body on the office store, for a feature whose own rows
 * change in the same act.  The facts must have been gathered before.
 */
PUAN_MUST_USE enum puan_status puan_case_in(struct puan_shard *sh,
                                            struct puan_db *db,
                                            struct puan_act *act,
                                            struct puan_case_call *call,
                                            struct puan_err *err);
/* What the owner of the run's flow knows. */
PUAN_MUST_USE enum puan_status
puan_case_facts_of(struct puan_case_facts *out, struct puan_store *st,
                   const struct puan_case_row *row, struct puan_arena *a,
                   struct puan_err *err);

/* Reads a run: its row and, when `run` is not NULL, its fold. */
PUAN_MUST_USE enum puan_status
puan_case_read(struct puan_case_row *row, struct puan_flow_run **run,
               struct puan_store *st, struct puan_db *db, int64_t id,
               struct puan_arena *a, struct puan_err *err);

/*
 * "2020-031"; "" for a run that has none (lots, returns).  Not inside a body:
 * what it reads must be there to stay.
 */
void puan_case_number(char out[24], struct puan_store *st, struct puan_db *db,
                      int64_t id);

/* All events of a run in order, unsealed, in the arena. */
PUAN_MUST_USE enum puan_status
puan_case_events(struct puan_flow_event **out, size_t *n,
                 struct puan_store *st, struct puan_db *db, int64_t id,
                 struct puan_arena *a, struct puan_err *err);

struct puan_request; /* host/request.h */
/*
 * The whole case as a JSON map, as GET /cases/{id} answers it to this seat
 * (README); *n gets the number of its events.
 */
PUAN_MUST_USE enum puan_status puan_case_json(struct puan_jw *w, int64_t *n,
                                              struct puan_request *rq,
                                              int64_t id, struct puan_err *err);

/*
 * What lists know of one run, from memory: for features that show the runs of
 * a flow in their own way.
 */
struct puan_case_glance {
    int64_t id, area, opened_ms, ended_ms;
    int64_t due_ms;   /* of `clock`; 0 none */
    int64_t again_ms; /* when the next run opens by itself; 0 never */
    int state;
    bool drill;
    char number[24];       /* may be empty */
    struct puan_str level; /* "blue" ...; may be empty */
    const char *title_zh, *title_en;
    const struct puan_flow_label *clock; /* NULL: none runs */
    const char *act_kind;                /* NULL: not this seat's turn */
    struct puan_flow_label act;          /* what this seat has to do */
};
/*
 * The runs of a flow inside the request's area that the seat may see, by id;
 * `open`: those that have not ended.  In the request's arena.
 */
PUAN_MUST_USE enum puan_status
puan_case_glances(struct puan_case_glance **out, size_t *n,
                  struct puan_request *rq, const struct puan_flow *f,
                  bool open, struct puan_err *err);

/*
 * May this seat know of the case: inside its area, and, when its flow has a
 * public entry, named by the flow?
 */
bool puan_case_open_to(struct puan_request *rq, struct puan_db *db,
                       int64_t id);

/* Puan itself as the one who acts. */
struct puan_flow_who puan_case_system(void);
/* A seat: role at an area, seen from the run's area. */
struct puan_flow_who puan_case_seat(struct puan_store *st,
                                    struct puan_str actor,
                                    struct puan_str role, int64_t seat_area,
                                    int64_t run_area);

/*
 * What anybody may report (flow `public:`) is seen by the seats its flow names
 * and by no other, be it in their area: it may be about them.
 */
bool puan_case_seen_by(const struct puan_flow *f,
                       const struct puan_flow_who *who);

/*
 * Evidence: sealed into blobs/<two hex>/<digest> and flushed; the digest is of
 * the sealed form and goes into the event that names it.  An act whose
 * evidence is not there is refused by the routes.
 */
#define PUAN_BLOB_MAX (8u << 20)
PUAN_MUST_USE enum puan_status puan_blob_put(uint8_t digest[PUAN_DIGEST_SIZE],
                                             struct puan_store *st,
                                             struct puan_str plain,
                                             struct puan_arena *a,
                                             struct puan_err *err);
bool puan_blob_there(struct puan_store *st,
                     const uint8_t digest[PUAN_DIGEST_SIZE],
                     struct puan_arena *a);
/* ENOTFOUND, or EIO when the file is not what its name says. */
PUAN_MUST_USE enum puan_status
puan_blob_get(struct puan_str *plain, struct puan_store *st,
              const uint8_t digest[PUAN_DIGEST_SIZE], struct puan_arena *a,
              struct puan_err *err);

/*
 * Lets every clock that is due at campaign time act; the job does it by
 * itself.  *ticks gets how many acted (may be NULL).
 */
PUAN_MUST_USE enum puan_status puan_cases_tick(struct puan_store *st,
                                               int64_t *ticks,
                                               struct puan_err *err);

#endif
