/*
 * Inside features/cases: what its files share.
 */
#ifndef PUAN_FEATURES_CASES_INTERNAL_H
#define PUAN_FEATURES_CASES_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/flow/look.h"
#include "features/cases/cases.h"

/* ---- faces: what lists know of a run without reading it (view.h) ---------- */

#define PUAN_FACE_TODOS 12
struct puan_face_todo {
    struct puan_flow_todo todo;
    uint64_t barred[9]; /* hashes of accounts; 0 none */
};
struct puan_face {
    int64_t id, area, parent, opened_ms, ended_ms;
    int64_t n; /* events when it was folded; 0: not yet */
    int64_t folded_ms;
    const struct puan_flow *flow;
    int state;
    bool drill;
    int year, number; /* "2020-031": its place among those begun that year */
    char *title_zh, *title_en;
    struct puan_str level; /* word of a field "level"; may be empty */
    int clock;             /* running, due first; -1 */
    int64_t due_ms;
    int64_t again_ms; /* when its recurrence opens the next run; 0 never */
    uint64_t opener; /* hash of the account */
    struct puan_face_todo todo[PUAN_FACE_TODOS];
    size_t n_todos;
};
struct puan_faces {
    pthread_mutex_t lock;
    struct puan_face *at; /* ascending by id */
    size_t n, cap;
    int64_t last; /* id up to which numbers are given */
    int year[64], count[64];
    size_t n_years;
};
void puan_faces_init(struct puan_faces *f);
void puan_faces_clear(struct puan_faces *f);

struct puan_cases {
    struct puan_arena arena;
    struct puan_flows flows;
    struct puan_faces faces;
    _Atomic int64_t next_ms; /* campaign time of the first tick known of */
    int64_t looked_ms;       /* monotonic: when the rows were last read */
};

enum puan_status puan_cases_open(void **state, struct puan_store *st,
                                 struct puan_err *err);
void puan_cases_close(void *state, struct puan_store *st);

enum puan_status puan_case_row_read(struct puan_case_row *row,
                                    struct puan_db *db, int64_t id,
                                    struct puan_arena *a, struct puan_err *err);
/* The text of a stored event, unsealed where it was sealed. */
enum puan_status puan_case_event_open(struct puan_str *out,
                                      struct puan_store *st, int64_t run,
                                      int64_t n, struct puan_str body,
                                      struct puan_str sealed,
                                      struct puan_arena *a,
                                      struct puan_err *err);

struct puan_case_notice {
    int64_t id, run, n, area, at, vacant, taken;
    struct puan_str kind, seat, role, level, taken_by;
};
enum puan_status puan_case_notice_write(struct puan_shard *sh,
                                        struct puan_db *db,
                                        struct puan_act *act,
                                        const struct puan_case_notice *n,
                                        struct puan_arena *a,
                                        struct puan_err *err);

/* The rows of case_attest as the run has them now; who lost a record is signed
   out of the seats that need it. */
enum puan_status puan_case_attest_write(struct puan_store *st,
                                        struct puan_db *db,
                                        const struct puan_flow_run *run,
                                        struct puan_err *err);

/* The row of case_clock as the run has it now. */
enum puan_status puan_case_clock_write(struct puan_store *st,
                                       struct puan_db *db,
                                       const struct puan_flow_run *run,
                                       struct puan_err *err);
/* A tick will be due at that campaign time: the job looks no later. */
void puan_case_clock_hint(struct puan_store *st, int64_t at);
/*
 * The job itself, to be run often from one thread: asks the store only when a
 * tick is due, and each second for what cannot be foreseen.
 */
enum puan_status puan_cases_clocks(struct puan_store *st,
                                   struct puan_err *err);
/* Levels from the run's area up to `level`; -1 when it is not above. */
int puan_case_level_above(struct puan_store *st, struct puan_str level,
                          int64_t run_area);
/* Fact "open.estimate": returns of the area that are estimates. */
enum puan_status puan_case_estimates(struct puan_case_facts *out,
                                     struct puan_store *st, int64_t area,
                                     struct puan_arena *a,
                                     struct puan_err *err);

/* Facts "stock.NAME" of the quantities a run draws on. */
enum puan_status puan_case_stocks(struct puan_case_facts *out,
                                  struct puan_store *st, struct puan_db *db,
                                  const struct puan_flow_run *run,
                                  struct puan_arena *a, struct puan_err *err);

/* The effects `on_refused` of a clock whose transition was refused. */
enum puan_status puan_case_refused(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act,
                                   struct puan_case_call *call, int clock,
                                   struct puan_err *err);

/* routes.c */
#define PUAN_CASE_ROUTES 16
extern const struct puan_route puan_case_routes[PUAN_CASE_ROUTES];

#endif
