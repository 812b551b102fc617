/*
 * Inside features/cases: what its files share.
 */
#ifndef PUAN_FEATURES_CASES_INTERNAL_H
#define PUAN_FEATURES_CASES_INTERNAL_H

#include "features/cases/cases.h"

struct puan_cases {
    struct puan_arena arena;
    struct puan_flows flows;
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

/* The row of case_clock as the run has it now. */
enum puan_status puan_case_clock_write(struct puan_db *db,
                                       const struct puan_flow_run *run,
                                       struct puan_err *err);
/* Levels from the run's area up to `level`; -1 when it is not above. */
int puan_case_level_above(struct puan_store *st, struct puan_str level,
                          int64_t run_area);
/* Fact "open.estimate": returns of the area that are estimates. */
enum puan_status puan_case_estimates(struct puan_case_facts *out,
                                     struct puan_store *st, int64_t area,
                                     struct puan_arena *a,
                                     struct puan_err *err);

/* The effects `on_refused` of a clock whose transition was refused. */
enum puan_status puan_case_refused(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act,
                                   struct puan_case_call *call, int clock,
                                   struct puan_err *err);

/* routes.c */
#define PUAN_CASE_ROUTES 13
extern const struct puan_route puan_case_routes[PUAN_CASE_ROUTES];

#endif
