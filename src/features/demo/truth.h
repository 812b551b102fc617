/*
 * What is true of the simulated area, from truth.csv: how many residents there
 * are, and what each planted fault adds to the count while it stands.
 *
 * Residents are computed by the SQL of test/oracle/resident.sql over truth.csv
 * alone, in a database of its own: independent of everything that counts them
 * in the census.
 */
#ifndef PUAN_FEATURES_DEMO_TRUTH_H
#define PUAN_FEATURES_DEMO_TRUTH_H

#include "base/out.h"

struct puan_fault {
    int64_t id, household, other_household;
    uint32_t line, other_line; /* 0: the household */
    int64_t delta;             /* on the resident count, while it stands */
    struct puan_str kind, detectable;
    bool closed; /* corrected, or decided, in the census */
};

struct puan_true_state {
    struct puan_arena arena;
    struct puan_fault *fault; /* in order of household, then id */
    size_t n, cap;
    int64_t resident; /* by the oracle */
};

/*
 * Reads DIR/truth.csv; `oracle` is the SQL file, `scratch` a database file
 * that is made and removed.
 */
PUAN_MUST_USE enum puan_status puan_true_open(struct puan_true_state *t,
                                               const char *csv,
                                               const char *oracle,
                                               const char *scratch,
                                               struct puan_err *err);
void puan_true_close(struct puan_true_state *t);

/* First fault of a household, or NULL; the next ones stand behind it. */
struct puan_fault *puan_true_of(struct puan_true_state *t, int64_t household);
/* The household answered again, truly: its own faults are closed. */
void puan_true_answered(struct puan_true_state *t, int64_t household);
/* Sum of delta over faults that still stand. */
int64_t puan_true_open_delta(const struct puan_true_state *t);

#endif
