/*
 * Groups of records that speak of one person and may not, as the office store
 * keeps them.
 *
 *   dup(id, token, kinds, area, records, state, decision, found)
 *     token    hex of the identity token; means nothing outside the campaign
 *     kinds    bits 1 << enum puan_link_kind
 *     area     innermost area that contains all records: a seat there decides
 *     records  JSON list of {household, line, ret, case, present, registered}
 *     state    open, decided
 *     decision JSON {"drop":[{household, line}], "reason":…}; "" while open
 *   dup_drop(household, line, ret, dropped, group_id) in each returns store
 *
 * Of this folder only.
 */
#ifndef PUAN_FEATURES_DUPLICATES_SEARCH_H
#define PUAN_FEATURES_DUPLICATES_SEARCH_H

#include "features/duplicates/duplicates.h"

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
PUAN_MUST_USE enum puan_status
puan_dup_cover(struct puan_shard *sh, struct puan_db *db, struct puan_act *act,
               const struct puan_dup *d, struct puan_arena *a,
               struct puan_err *err);

#endif
