/*
 * A census held against an earlier one: growth, the balancing equation,
 * survival of cohorts, generalized growth balance.
 *
 * Real numbers (double) are allowed here.  Depends on: base.  Does no I/O,
 * allocates nothing, keeps no state.
 */
#ifndef PUAN_CORE_EVALUATE_GROWTH_H
#define PUAN_CORE_EVALUATE_GROWTH_H

#include "base/status.h"

/* Mean growth a year, per cent: exponential, and compounded yearly.  0 when a
   population or the time is not above 0. */
double puan_growth_exponential(double first, double second, double years);
double puan_growth_yearly(double first, double second, double years);

/*
 * The balancing equation: second = first + births - deaths + net migration +
 * residual.  The residual ("error of closure") is what the two censuses and
 * the registers disagree about.  (Siegel and Swanson, The Methods and Materials
 * of Demography, 2nd edition, 2004, chapter 2.)
 */
struct puan_balance {
    double expected, residual;
    double percent; /* residual of the second census */
};
struct puan_balance puan_balance_of(double first, double second, double births,
                                    double deaths, double net_migration);

/*
 * Survival ratios of cohorts between two censuses `steps` five-year groups
 * apart: out[i] = second[i + steps] / first[i], i < closed - steps.  0 where
 * nobody was.
 */
void puan_cohort_ratios(double *out, const double *first, const double *second,
                        unsigned closed, unsigned steps);

/*
 * Survivors from group to group implied by two censuses, 1 for the first
 * group: by the cohorts themselves where the censuses are 5 or 10 years apart
 * (within 0.01 years), else by Preston and Bennett's synthetic method with
 * growth rates.  out holds `closed` values; migration and coverage errors are
 * in them, so values above 1 occur.
 * (Feeney's spreadsheets CENSUR; Preston and Bennett, Population Studies 37,
 * 1983.)  False for another interval when a group is empty.
 */
bool puan_census_survivors(double *out, const double *first,
                           const double *second, unsigned closed, double years);

/*
 * How far the life expectancies implied by two censuses are from known ones:
 * the median of |e - known| / known over the groups, per cent.  known[i] at
 * exact age 5 i (known[0] is not used); the last one closes the table.
 * -1 when it cannot be said.
 */
double puan_survival_error(const double *first, const double *second,
                           const double *known, unsigned closed, double years);

/*
 * Generalized growth balance (Hill, Asian and Pacific Population Forum 1,
 * 1987; Moultrie and others, Tools for Demographic Estimation, 2013, chapter
 * 24).  Five-year groups, the last one open; deaths (and net migrants, may be
 * NULL) are those of the whole time between the censuses.  The line
 *   entries - growth = a + deaths / completeness
 * over the ages from..to (groups; exact age 5 · group) is fitted with slope
 * sd(y) / sd(x).
 *   relative  k1 / k2 = exp(years · a): coverage of the first census over
 *             that of the second; above 1: the second counted less well
 *   deaths    share of deaths registered, against the mean of both censuses
 */
struct puan_growth_balance {
    bool given;
    double a, slope;
    double relative, deaths;
    double r2;         /* of the points */
    unsigned from, to; /* groups */
};
struct puan_growth_balance
puan_growth_balance(const double *first, const double *second,
                    const double *deaths, const double *migrants,
                    unsigned groups, double years, unsigned from, unsigned to);

#endif
