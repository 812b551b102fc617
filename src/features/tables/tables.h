/*
 * Counting: one pass over the last version of every return of an area, giving
 * the plan's tables and the population by residence case.
 *
 * A count names the ledger heads, the plan and the program it came from, and is
 * of exactly what stood under those heads: a return that arrives while it runs
 * is left for the next one.  Records a decision dropped (features/duplicates)
 * are left out and counted apart.
 *
 * Never opens the vault.
 */
#ifndef PUAN_FEATURES_TABLES_TABLES_H
#define PUAN_FEATURES_TABLES_TABLES_H

#include "core/table/table.h"
#include "features/store/store.h"

extern const struct puan_feature puan_feature_tables;

#define PUAN_COUNT_CASES 64

struct puan_population {
    int64_t households, persons; /* returns and rows read */
    int64_t de_facto, registered, resident;
    int64_t dropped;   /* records left out by decision */
    int64_t no_case;   /* persons that fit no case of the plan */
    int64_t by_case[PUAN_COUNT_CASES]; /* index in plan->residence */
};

struct puan_count; /* a finished count; never changes */

/* A new count, by all cores.  `tell` (may be NULL) hears of progress. */
PUAN_MUST_USE enum puan_status
puan_count_area(struct puan_count **out, struct puan_store *st, int64_t area,
                void (*tell)(void *arg, uint64_t households), void *arg,
                struct puan_err *err);
/*
 * The same by the values an edit put in the place of collected ones; `values`
 * must outlive the counting.  The source of its tables names the edits.
 */
struct puan_edit_values;
PUAN_MUST_USE enum puan_status
puan_count_edited(struct puan_count **out, struct puan_store *st, int64_t area,
                  const struct puan_edit_values *values,
                  void (*tell)(void *arg, uint64_t households), void *arg,
                  struct puan_err *err);
void puan_count_close(struct puan_count *c); /* NULL is fine */

const struct puan_population *puan_count_population(const struct puan_count *c);
const struct puan_tally *puan_count_tally(const struct puan_count *c);
const int64_t *puan_count_cells(const struct puan_count *c);
/*
 * The population of each area just below the counted one, in order of their
 * codes; together they are the whole.  *area gets the index in the tree.
 */
size_t puan_count_parts(const struct puan_count *c);
const struct puan_population *puan_count_part(uint32_t *area,
                                              const struct puan_count *c,
                                              size_t part);
/* Campaign time at which the heads were noted. */
int64_t puan_count_asof(const struct puan_count *c);
/* Index of a table by its id in the plan, or -1. */
int puan_count_table(const struct puan_count *c, struct puan_str id);
const struct puan_store *puan_count_store(const struct puan_count *c);
/* The plan's level of the counted area. */
int puan_count_level(const struct puan_count *c);
/*
 * {"plan":digest,"program":version,"area":code,"time":…,"heads":[{"store":…,
 * "height":n,"head":digest}]} : what it was computed from.
 */
void puan_count_source(struct puan_jw *w, const struct puan_count *c);
/* A table as one JSON object with its source: what a release publishes. */
void puan_count_table_json(struct puan_jw *w, const struct puan_count *c,
                           size_t table);
/* Members of a map: households, persons, bases, cases. */
void puan_population_json(struct puan_jw *w, const struct puan_count *c,
                          const struct puan_population *pop);

/*
 * What of a table is asked for: its dimensions in their order, each kept or
 * summed up.  Cells below the plan's release_min_cell are withheld (null in
 * JSON, words in CSV) where the breakdown is finer than release_cell_level;
 * so are cells from which one alone could be told by subtraction.
 */
struct puan_view {
    size_t table;
    uint64_t keep; /* bit per dimension */
    int64_t least; /* 0: nothing is withheld */
};
/*
 * `by`: names of dimensions with commas between, empty for all.
 *
 * EINVAL  the table has no such dimension
 */
PUAN_MUST_USE enum puan_status puan_view_make(struct puan_view *out,
                                              const struct puan_count *c,
                                              size_t table, struct puan_str by,
                                              struct puan_err *err);
/* Members of a map: id, labels, base and the residence cases it takes in. */
void puan_table_names(struct puan_jw *w, const struct puan_plan *plan,
                      const struct puan_table_plan *t);
/* {"id":…,"base":…,"base_cases":[…],"dims":[…],"cells":[…],"total":n,…} */
PUAN_MUST_USE enum puan_status puan_view_json(struct puan_jw *w,
                                              const struct puan_count *c,
                                              const struct puan_view *v,
                                              struct puan_arena *a,
                                              struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_view_csv(struct puan_out *o,
                                             const struct puan_count *c,
                                             const struct puan_view *v,
                                             struct puan_arena *a,
                                             struct puan_err *err);

/*
 * The newest count of an area, made anew when a return has come or a decision
 * has been taken since.  Give it back with puan_count_release.
 */
PUAN_MUST_USE enum puan_status puan_count_current(const struct puan_count **out,
                                                  struct puan_store *st,
                                                  int64_t area,
                                                  struct puan_err *err);
/* The same, or one made at most `age_ms` of real time ago. */
PUAN_MUST_USE enum puan_status puan_count_recent(const struct puan_count **out,
                                                 struct puan_store *st,
                                                 int64_t area, int64_t age_ms,
                                                 struct puan_err *err);
void puan_count_release(struct puan_store *st, const struct puan_count *c);

#endif
