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
void puan_count_close(struct puan_count *c); /* NULL is fine */

const struct puan_population *puan_count_population(const struct puan_count *c);
const struct puan_tally *puan_count_tally(const struct puan_count *c);
const int64_t *puan_count_cells(const struct puan_count *c);
/* Index of a table by its id in the plan, or -1. */
int puan_count_table(const struct puan_count *c, struct puan_str id);
/*
 * {"plan":digest,"program":version,"area":code,"time":…,"heads":[{"store":…,
 * "height":n,"head":digest}]} : what it was computed from.
 */
void puan_count_source(struct puan_jw *w, const struct puan_count *c);
/* A table as one JSON object with its source: what a release publishes. */
void puan_count_table_json(struct puan_jw *w, const struct puan_count *c,
                           size_t table);
void puan_population_json(struct puan_jw *w, const struct puan_count *c);

/*
 * The newest count of an area, made anew when a return has come or a decision
 * has been taken since.  Give it back with puan_count_release.
 */
PUAN_MUST_USE enum puan_status puan_count_current(const struct puan_count **out,
                                                  struct puan_store *st,
                                                  int64_t area,
                                                  struct puan_err *err);
void puan_count_release(struct puan_store *st, const struct puan_count *c);

#endif
