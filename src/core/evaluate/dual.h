/*
 * Coverage of a census from a second count of part of it: dual-system
 * estimates with their errors.
 *
 * What they assume is part of the report: the two counts are independent, both
 * reach everyone with some chance, matches are right, and what the census
 * counted wrongly (duplicates, persons that should not be there) is taken out
 * by a sample of its own records.
 *
 * Real numbers (double) are allowed here.  Depends on: base.  Does no I/O,
 * allocates nothing, keeps no state.
 */
#ifndef PUAN_CORE_EVALUATE_DUAL_H
#define PUAN_CORE_EVALUATE_DUAL_H

#include "base/status.h"

/*
 * Two complete lists: n1 and n2 persons, m of them in both.
 *   petersen  n1 n2 / m
 *   chapman   (n1 + 1)(n2 + 1)/(m + 1) - 1, whose error is
 *   se        sqrt((n1+1)(n2+1)(n1-m)(n2-m) / ((m+1)²(m+2)))
 * (Chapman, University of California Publications in Statistics 1, 1951;
 * Seber, Biometrika 57, 1970.)
 */
struct puan_two_lists {
    bool given;      /* counts make sense */
    double petersen; /* 0 when m is 0 */
    double chapman, se;
    double low, high; /* chapman +- z · se */
};
struct puan_two_lists puan_two_lists(double n1, double n2, double m, double z);

/* Who of a household that moved between the census and the second count stands
   for the moved (Marks, United States Bureau of the Census, 1979). */
enum puan_movers {
    PUAN_MOVERS_A, /* those who were there on census day: non-movers, out-movers
                    */
    PUAN_MOVERS_B, /* those who are there now: non-movers and in-movers, matched
                      where they lived on census day */
    PUAN_MOVERS_C /* as many as in B, matched as well as the out-movers: matched
                     in-movers = in-movers × (matched out-movers / out-movers),
                     as in Statistics South Africa's post-enumeration surveys;
                     without any out-mover as well as the non-movers */
};

/* Weighted sums over a domain, or what one record adds to them. */
struct puan_coverage {
    /* the second count's persons (P sample) */
    double stayed, stayed_matched;
    double out, out_matched;
    double in, in_matched; /* in_matched: procedure B only */
    /* a sample of the census's own records (E sample) */
    double records, correct, duplicate, erroneous;
};

struct puan_dual {
    bool given;
    double persons, matched; /* P, M after the rule for movers */
    double match_rate;       /* M / P */
    double correct_rate;     /* correct / records; 1 without E sample */
    double estimate;         /* N */
    double net;              /* N - census */
    double net_rate;         /* net undercount, per cent of N; below 0: the
                                census counted too many */
    double omission_rate;    /* persons missed, per cent of N: 1 - M/P */
    double duplicate_rate, erroneous_rate; /* per cent of the census records */
    double gross_rate; /* omissions + duplicates + erroneous, per cent of N */
};

/*
 * N = (census - imputed) · (correct / records) · (P / M).  `imputed` are
 * persons in the count without data enough to match.  Without E records all are
 * taken as correct, which the report must say.
 */
struct puan_dual puan_dual(const struct puan_coverage *t, double census,
                           double imputed, enum puan_movers how);

/*
 * What one record adds to the linearized estimate: the variance of N over the
 * design is that of the weighted sum of these.  `u` are one record's values
 * (unweighted), `t` the weighted sums.  Likewise for the omission rate.
 */
double puan_dual_linear(const struct puan_coverage *t,
                        const struct puan_coverage *u,
                        const struct puan_dual *d, enum puan_movers how);
double puan_omission_linear(const struct puan_coverage *t,
                            const struct puan_coverage *u,
                            const struct puan_dual *d, enum puan_movers how);

#endif
