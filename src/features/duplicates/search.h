/*
 * Groups of records that speak of one person and may not, as the office store
 * keeps them.
 *
 *   dup(id, token, kinds, area, records, state, decision, found)
 *     token    hex of the identity token; means nothing outside the campaign
 *     kinds    bits 1 << enum puan_link_kind
 *     area     innermost area that contains all records: a seat there decides
 *     records  JSON list of {household, line, ret, case, present, registered}
 *              in order of household and line
 *     state    open; field: both places are to be visited; passed: to the
 *              office above; decided; gone: the records contradict no more
 *     decision JSON {"verdict":…, "drop":[{household, line}], "to":area,
 *              "reason":…}; "" while open
 *   dup_event(id, dup, at, seat, verdict, reason, records, decision)
 *     what was decided on which versions; verdict 0: opened again because a
 *     household was corrected
 *   dup_pair(a, a_line, b, b_line, a_case, b_case)  derived: persons living
 *     apart from their registration, a where present, b where registered, as
 *     the last search found them
 *   dup_search(area, at, tokens, groups, pairs)  derived: the last searches
 *   dup_drop(household, line, ret, dropped, group_id) in each returns store
 *
 * Of this folder only.
 */
#ifndef PUAN_FEATURES_DUPLICATES_SEARCH_H
#define PUAN_FEATURES_DUPLICATES_SEARCH_H

#include "features/duplicates/duplicates.h"
#include "features/host/request.h"

struct puan_search {
    int64_t tokens; /* looked at */
    int64_t groups; /* to be decided or decided before */
    int64_t pairs;  /* persons living apart from their registration */
};

/*
 * Searches the returns stores inside `area` and writes what is new or has
 * changed; a group whose records changed since it was decided is open again.
 *
 * EINVAL  the area is smaller than what one store holds
 */
PUAN_MUST_USE enum puan_status puan_dup_search(struct puan_search *sum,
                                               struct puan_store *st,
                                               int64_t area,
                                               const struct puan_act *who,
                                               struct puan_err *err);

struct puan_dup {
    int64_t id, kinds, area, found_ms;
    struct puan_str token, records, state, decision;
};
PUAN_MUST_USE enum puan_status puan_dup_read(struct puan_dup *out,
                                             struct puan_db *db, int64_t id,
                                             struct puan_arena *a,
                                             struct puan_err *err);
/* The current row of a SELECT of all columns in their order. */
void puan_dup_row(struct puan_dup *out, struct puan_stmt *q,
                  struct puan_arena *a);
/* The group's row as it is in `d`. */
PUAN_MUST_USE enum puan_status puan_dup_write(struct puan_shard *sh,
                                              struct puan_db *db,
                                              struct puan_act *act,
                                              const struct puan_dup *d,
                                              struct puan_arena *a,
                                              struct puan_err *err);

/* One record of a group, as `records` says. */
struct puan_dup_record {
    int64_t household, line, ret, case_id;
    bool present, registered;
};
PUAN_MUST_USE enum puan_status
puan_dup_records(struct puan_dup_record **out, size_t *n, struct puan_str json,
                 struct puan_arena *a, struct puan_err *err);
/*
 * Whether a record's household lies in [from, to), by the text alone: for who
 * looks at all groups and shows fifty.
 */
bool puan_dup_touches(struct puan_str records, int64_t from, int64_t to);
void puan_dup_records_json(struct puan_out *o, struct puan_dup_record *r,
                           size_t n);

/* A line of the group's history; `d` as it is after it. */
PUAN_MUST_USE enum puan_status
puan_dup_event(struct puan_shard *sh, struct puan_db *db, struct puan_act *act,
               const struct puan_dup *d, int64_t verdict,
               struct puan_str reason, struct puan_arena *a,
               struct puan_err *err);

/*
 * Looks at every group whose households have answered anew since: its records
 * are read again by their tokens, and it is open again, or gone when nothing
 * contradicts any more.  Cheap when nothing has come.
 */
PUAN_MUST_USE enum puan_status puan_dup_refresh(struct puan_store *st,
                                                struct puan_err *err);

/* What the feature keeps in memory (desk.c). */
PUAN_MUST_USE enum puan_status puan_dup_open(void **state,
                                             struct puan_store *st,
                                             struct puan_err *err);
void puan_dup_close(void *state, struct puan_store *st);
/* Runs the refresh when a store has grown since; under the feature's lock. */
PUAN_MUST_USE enum puan_status puan_dup_current(struct puan_store *st,
                                                struct puan_err *err);

/* ---- routes (desk.c) ------------------------------------------------------ */

struct puan_dup_list_in {
    int64_t area, page_no;
    struct puan_str state, kind;
    struct puan_page page;
};
struct puan_dup_id_in {
    int64_t id;
};
struct puan_dup_decide_in {
    int64_t id, verdict, keep;
    struct puan_str drop, reason, basis;
};
enum puan_status puan_dup_desk_list(struct puan_request *rq, const void *in,
                                    struct puan_err *err);
enum puan_status puan_dup_desk_pair(struct puan_request *rq, const void *in,
                                    struct puan_err *err);
/* Sends the records what was decided, to each returns store. */
PUAN_MUST_USE enum puan_status
puan_dup_send(struct puan_shard *sh, struct puan_db *db, int64_t group,
              const struct puan_dup_record *r, bool dropped,
              struct puan_arena *a, struct puan_err *err);
enum puan_status puan_dup_desk_decide(struct puan_request *rq,
                                      const struct puan_dup_decide_in *q,
                                      struct puan_err *err);
/*
 * The area a seat must contain to look at a group or to pass it on: one of a
 * side of its own, else the group's.
 */
enum puan_status puan_dup_area(int64_t *area, struct puan_request *rq,
                               int64_t id, struct puan_err *err);

PUAN_MUST_USE enum puan_status
puan_dup_cover(struct puan_shard *sh, struct puan_db *db, struct puan_act *act,
               const struct puan_dup *d, struct puan_arena *a,
               struct puan_err *err);

#endif
