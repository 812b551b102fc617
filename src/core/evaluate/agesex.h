/*
 * How smooth five-year age groups are: age and sex ratios and the scores made
 * of them; how far two age distributions are apart.
 *
 * The scores alarm on correct data where cohorts really differ (China's of
 * 1959-61, 1962-71, 1982-90): read them beside the empirical bands
 * (bands.h of features/evaluate), not against the textbook's limits alone.
 *
 * Real numbers (double) are allowed here.  Depends on: base.  Does no I/O,
 * allocates nothing, keeps no state.
 */
#ifndef PUAN_CORE_EVALUATE_AGESEX_H
#define PUAN_CORE_EVALUATE_AGESEX_H

#include "base/status.h"

#define PUAN_GROUPS_MOST 32 /* five-year groups */

/* Persons of five-year groups 0-4, 5-9 …; closed ones only. */
struct puan_groups {
    const double *male, *female;
    unsigned closed;
};

/*
 * Scores over the groups first..last (0 is ages 0-4), cut to what is closed.
 * Age ratios use neighbours on both sides, so those of first + 1 .. last - 1
 * are scored; sex ratios differ from group to group.
 *
 *   age ratio score   mean of |100 · 2 · P(x) / (P(x-5) + P(x+5)) - 100|
 *   sex ratio score   mean of |SR(x) - SR(x-5)|
 *   UN index          3 · sex ratio score + both age ratio scores
 * (United Nations, Population Bulletin 2, 1952; United States Census Bureau,
 * PAS, AGESEX).  `zelnik` puts P(x) into the neighbours' sum (3 · P / sum of
 * three), `ramachandran` twice (4 · P / …), each joined as the UN's.
 * `das_gupta`: Das Gupta, Human Biology 27, 1955; on another scale.
 * `small` is the correction that the UN's method subtracts for populations
 * under a million, 3500 / sqrt(P) - 3.5, P in persons over all closed groups
 * and `open_persons`; it is not subtracted here.
 */
struct puan_age_sex {
    bool given;
    unsigned first, last; /* groups used */
    double male, female;  /* age ratio scores */
    double sex;
    double un, zelnik, ramachandran, das_gupta;
    double small; /* 0 for a million or more */
};
struct puan_age_sex puan_age_sex(struct puan_groups g, unsigned first,
                                 unsigned last, double open_persons);

/* 100 · 2 · P(x) / (P(x-5) + P(x+5)); 0 at the ends or where nobody is. */
double puan_age_ratio(const double *n, unsigned closed, unsigned group);

/*
 * Index of dissimilarity: half the sum of the absolute differences of the
 * shares, per cent.  Index of relative difference: half the mean of
 * |100 · b / a - 100| of the shares; groups where a has nobody are left out.
 * (Siegel and Swanson, The Methods and Materials of Demography, 2nd edition,
 * 2004, chapter 7.)  -1 when one of the two is empty.
 */
double puan_dissimilarity(const double *a, const double *b, unsigned n);
double puan_relative_difference(const double *a, const double *b, unsigned n);

/*
 * Feeney's measure of zigzag (Feeney, "Removing Zigzag from Age Data", 2013).
 * value[0..n) are adjacent five-year groups; p[0..n_p) the shares moved out of
 * groups at, at + 2, at + 4 … into their two neighbours by halves.  Gives the
 * sum over the groups at - 1 .. at + 2 n_p - 1 (the range of the movement) of
 * (moved - mean of neighbours)² / moved.  -1 when the range or one neighbour
 * of it lies outside.  With `out`, the moved values are written there.
 */
double puan_zigzag(double *out, const double *value, unsigned n, unsigned at,
                   const double *p, unsigned n_p);

#endif
