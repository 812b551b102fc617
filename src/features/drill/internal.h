/*
 * What the files of this folder share.
 */
#ifndef PUAN_FEATURES_DRILL_INTERNAL_H
#define PUAN_FEATURES_DRILL_INTERNAL_H

#include <pthread.h>

#include "core/drill/drill.h"
#include "features/drill/drill.h"
#include "features/host/request.h"

struct puan_drill_state_of { /* beside the store */
    struct puan_arena arena;
    struct puan_drills drills;
    pthread_mutex_t lock;
    pthread_t thread; /* the technical drill under way */
    bool busy, joinable;
};
struct puan_drill_state_of *puan_drill_state(struct puan_store *st);
/* The plan's drill of that name; ENOTFOUND names it. */
PUAN_MUST_USE enum puan_status puan_drill_find(const struct puan_drill **out,
                                               struct puan_store *st,
                                               struct puan_str id,
                                               struct puan_err *err);

struct puan_drill_row {
    int64_t id, version, area, lead_area, planned, started, ended, points, full;
    struct puan_str drill, state, lead_role, lead_person, report;
    bool passed;
};
struct puan_drill_event {
    int64_t run, n, at, area, case_run;
    struct puan_str kind, name, role, person, body;
    bool yes;
};

/* ---- rows.c ---------------------------------------------------------------- */

PUAN_MUST_USE enum puan_status
puan_drill_row_read(struct puan_drill_row *out, struct puan_db *db, int64_t id,
                    struct puan_arena *a, struct puan_err *err);
PUAN_MUST_USE enum puan_status
puan_drill_row_write(struct puan_shard *sh, struct puan_db *db,
                     struct puan_act *act, const struct puan_drill_row *r,
                     struct puan_arena *a, struct puan_err *err);
/* Adds it behind the others; n is given. */
PUAN_MUST_USE enum puan_status
puan_drill_event_add(struct puan_shard *sh, struct puan_db *db,
                     struct puan_act *act, struct puan_drill_event e,
                     struct puan_arena *a, struct puan_err *err);
PUAN_MUST_USE enum puan_status
puan_drill_events(struct puan_drill_event **out, size_t *n, struct puan_db *db,
                  int64_t run, struct puan_arena *a, struct puan_err *err);
/* Ids of runs in that state, oldest first; empty: all. At most 1024. */
PUAN_MUST_USE enum puan_status
puan_drill_ids(int64_t **out, size_t *n, struct puan_db *db,
               struct puan_str state, struct puan_arena *a,
               struct puan_err *err);

/* ---- contacts.c --------------------------------------------------------------- */

/* The area a contact sits at; 0: not in this installation. */
int64_t puan_drill_contact_area(struct puan_store *st,
                                const struct puan_drill_contact *c,
                                int64_t place);
/* Is the seat told anything in this run? */
bool puan_drill_takes_part(struct puan_store *st,
                           const struct puan_drill_row *r,
                           struct puan_str role, int64_t area);

/* ---- story.c: what happened --------------------------------------------------- */

struct puan_drill_case {
    struct puan_case_row row;
    struct puan_flow_run *run;
    struct puan_flow_event *event;
    size_t n;
};
struct puan_drill_story {
    struct puan_drill_row row;
    const struct puan_drill *drill; /* NULL: outside any */
    struct puan_drill_event *event;
    size_t n_events;
    struct puan_drill_case *cases; /* and those they opened */
    size_t n_cases;
    struct puan_drill_mark *mark;
    size_t n_marks;
    struct puan_drill_times times;
    struct puan_drill_result result;
};
PUAN_MUST_USE enum puan_status
puan_drill_story_read(struct puan_drill_story *out, struct puan_store *st,
                      struct puan_db *db, int64_t id, int64_t now,
                      struct puan_arena *a, struct puan_err *err);
/* Cases of the drill and of those they opened, by id. */
PUAN_MUST_USE enum puan_status
puan_drill_cases(int64_t **out, size_t *n, struct puan_db *db, int64_t run,
                 struct puan_arena *a, struct puan_err *err);

/* ---- acts.c --------------------------------------------------------------------- */

enum puan_drill_do {
    PUAN_DRILL_DO_PLAN,
    PUAN_DRILL_DO_START,
    PUAN_DRILL_DO_INJECT, /* name; system or lead */
    PUAN_DRILL_DO_HEAR,   /* name: inject */
    PUAN_DRILL_DO_OBSERVE, /* name: expectation; yes; text */
    PUAN_DRILL_DO_MEASURE, /* name; yes; text: what was measured */
    PUAN_DRILL_DO_END,
    PUAN_DRILL_DO_ABORT, /* text: why */
    PUAN_DRILL_DO_IMPROVE, /* fields */
    PUAN_DRILL_DO_REPORT   /* text: summary */
};
struct puan_drill_call {
    enum puan_drill_do what;
    int64_t run;                  /* all but PLAN */
    struct puan_str drill;        /* PLAN */
    int64_t area, at_ms;          /* PLAN */
    struct puan_str role, person; /* who acts; role "system": Puan */
    int64_t seat_area;
    struct puan_str name, text;
    bool yes;
    const struct puan_node *fields;
    uint8_t digest[PUAN_DIGEST_SIZE]; /* REPORT: of its file */
    struct puan_arena *arena;
    int64_t made; /* out: id of the run, or of the improvement's case */
};
PUAN_MUST_USE enum puan_status puan_drill_do(struct puan_store *st,
                                             struct puan_act *act,
                                             struct puan_drill_call *c,
                                             struct puan_err *err);

/* ---- view.c ------------------------------------------------------------------ */

/* "area", "area_zh", "area_en". */
void puan_drill_area(struct puan_jw *w, struct puan_store *st, int64_t area);
/* `all`: also what is still to come, for who leads it. */
void puan_drill_json(struct puan_jw *w, struct puan_store *st,
                     const struct puan_drill_story *s, bool all,
                     struct puan_str role, int64_t area);
/* The after-action report as Markdown. */
void puan_drill_report(struct puan_out *o, struct puan_store *st,
                       const struct puan_drill_story *s);

/* ---- technical.c ---------------------------------------------------------------- */

/*
 * Runs the procedure of a started technical drill on a copy and enters each
 * measure, then its end.
 */
PUAN_MUST_USE enum puan_status puan_drill_procedure(struct puan_store *st,
                                                    int64_t run,
                                                    struct puan_err *err);
/* The same in the background. */
PUAN_MUST_USE enum puan_status puan_drill_procedure_begin(struct puan_store *st,
                                                          int64_t run,
                                                          struct puan_err *err);

/* ---- routes.c, command.c ----------------------------------------------------------- */

#define PUAN_DRILL_ROUTES 12
extern const struct puan_route puan_drill_routes[PUAN_DRILL_ROUTES];
#define PUAN_DRILL_COMMANDS 3
extern const struct puan_command puan_drill_commands[PUAN_DRILL_COMMANDS];

/* ---- load.c ------------------------------------------------------------------ */

/* A server over a copy, on a free port of this machine; without jobs. */
struct puan_load_server;
PUAN_MUST_USE enum puan_status puan_load_begin(struct puan_load_server **out,
                                               const char *dir, int64_t area,
                                               struct puan_err *err);
void puan_load_end(struct puan_load_server *s); /* NULL is fine */

struct puan_load {
    unsigned connections;
    int64_t ms; /* it took */
    uint64_t requests, writes, refused; /* refused: any answer from 400 on, and
                                           none at all */
    int64_t p50_us, p95_us, p99_us;
    char fault[160]; /* the first refused one; empty */
};
/* Seats at the server's area ask it as fast as it answers, all at once. */
PUAN_MUST_USE enum puan_status puan_load_run(struct puan_load *out,
                                             const struct puan_load_server *s,
                                             int64_t length_ms,
                                             struct puan_err *err);

#endif
