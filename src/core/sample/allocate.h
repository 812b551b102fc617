/*
 * How many units to take of each stratum, and how large a sample must be.
 *
 * Real numbers (double) are allowed here.  Depends on: base.  Does no I/O,
 * keeps no state.
 */
#ifndef PUAN_CORE_SAMPLE_ALLOCATE_H
#define PUAN_CORE_SAMPLE_ALLOCATE_H

#include "base/arena.h"

struct puan_stratum_size {
    double units; /* N: units in the stratum */
    double sd;    /* S: standard deviation of what is measured (Neyman …) */
    double cost;  /* of one unit (cost-optimal) */
    double size;  /* of the stratum, for the power allocation */
};

enum puan_allocation {
    PUAN_ALLOCATE_PROPORTIONAL, /* n · N / sum of N */
    PUAN_ALLOCATE_EQUAL,
    PUAN_ALLOCATE_SQUARE_ROOT, /* n · sqrt(N) / sum of sqrt(N) */
    PUAN_ALLOCATE_NEYMAN,      /* n · N S / sum of N S */
    PUAN_ALLOCATE_COST         /* n · N S / sqrt(c) / sum of the same */
};

/*
 * Shares of the sample by stratum, real numbers that add up to `take`
 * (Cochran, Sampling Techniques, 3rd edition, 1977, sections 5.5-5.9).
 * False when all of what decides is 0.
 */
bool puan_allocate(double *out, const struct puan_stratum_size *s, size_t n,
                   enum puan_allocation how, double take);

/* The sample size that spends `budget` under the cost-optimal allocation
   (Cochran 5.24) and that which reaches the variance `v` of the mean at least
   cost (Cochran 5.25). */
double puan_size_for_budget(const struct puan_stratum_size *s, size_t n,
                            double budget);
double puan_size_for_variance(const struct puan_stratum_size *s, size_t n,
                              double v);

/* Standard error of the stratified mean under numbers n[]: (5.6 of Cochran),
   with the finite population correction. */
double puan_allocated_error(const double *take,
                            const struct puan_stratum_size *s, size_t n);

/*
 * Whole numbers out of shares: at least `least` and at most N in each stratum
 * (what a full stratum cannot take goes to the others in proportion), adding
 * up to `take`, by largest remainders, the earlier stratum first where equal.
 *
 * EINVAL  `take` lies below n · least or above the sum of N
 */
PUAN_MUST_USE enum puan_status
puan_allocate_whole(uint32_t *out, const double *share,
                    const struct puan_stratum_size *s, size_t n, uint32_t take,
                    uint32_t least, struct puan_arena *a, struct puan_err *err);

#endif
