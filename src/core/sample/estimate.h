/*
 * Estimates from a sample with their design-based standard errors: totals,
 * means, ratios, shares, of the whole and of domains.
 *
 * The design: units inside primary units (clusters) inside strata, perhaps a
 * second stage of selection inside the primary units.  Variance by the
 * recursive formula of without-replacement sampling at each stage with its
 * finite population correction; without the sizes N, as if the primary units
 * had been drawn with replacement ("ultimate cluster").  Means and ratios by
 * linearization (Särndal, Swensson, Wretman, Model Assisted Survey Sampling,
 * 1992, sections 4.3 and 5.5-5.6; Wolter, Introduction to Variance Estimation,
 * 2nd edition, 2007, chapter 6).
 *
 * Real numbers (double) are allowed here.  Depends on: base.  Does no I/O,
 * keeps no state.
 */
#ifndef PUAN_CORE_SAMPLE_ESTIMATE_H
#define PUAN_CORE_SAMPLE_ESTIMATE_H

#include "base/arena.h"

/* What a stratum with a single sampled primary unit does to the variance. */
enum puan_lonely {
    PUAN_LONELY_FAIL,      /* an error names the stratum */
    PUAN_LONELY_CERTAINTY, /* adds nothing, as if it were certain */
    PUAN_LONELY_CENTRE,    /* its distance from the mean of all primary units */
    PUAN_LONELY_AVERAGE    /* the mean variance of the other strata */
};

/* How the primary units of a stratum were drawn. */
enum puan_drawn {
    PUAN_DRAWN_SIMPLE,     /* simple random; also taken for systematic */
    PUAN_DRAWN_SYSTEMATIC, /* successive differences in the order given
                              (Wolter 2007, section 8.2, estimator v2) */
    PUAN_DRAWN_UNEQUAL     /* with unequal probabilities without replacement:
                              Brewer's approximation n/(n-1) · sum of (1 - p)
                              (t - mean t)², p the probabilities of the primary
                              units (Brewer, Combined Survey Sampling
                              Inference, 2002, chapter 9) */
};

struct puan_sample_stratum {
    uint32_t first, n; /* its primary units in `primary` */
    double units;      /* N of primary units; 0: no correction is made */
    uint32_t label;    /* the caller's number, for errors */
};

struct puan_sample_primary {
    uint32_t first, n; /* its units in the caller's arrays */
    double units;      /* M of second-stage units; 0: all were taken */
    double p;          /* probability of inclusion; PUAN_DRAWN_UNEQUAL only */
};

/* Units stand in the order of primary units, these in that of strata.  The
   units of a primary unit are the second stage. */
struct puan_design {
    const struct puan_sample_stratum *stratum;
    uint32_t n_strata;
    const struct puan_sample_primary *primary;
    uint32_t n_primary;
    const double *weight; /* of each unit */
    uint32_t n_units;
    enum puan_drawn drawn;
    enum puan_lonely lonely;
};

/*
 * Variance of the sum of z over all units of the sample; z is already weighted
 * (w · y, or w times a linearized value).
 *
 * EINVAL  a stratum with one primary unit under PUAN_LONELY_FAIL
 */
PUAN_MUST_USE enum puan_status
puan_design_variance(double *out, const struct puan_design *d, const double *z,
                     struct puan_arena *a, struct puan_err *err);

struct puan_estimate {
    bool given; /* false: nothing in the domain */
    double value, se;
    double cv;        /* se / |value|, 0 when the value is 0 */
    double low, high; /* confidence limits, Student's t */
    double df;        /* primary units - strata (those with one left out) */
    double deff;      /* variance over that of a simple random sample of as many
                         units; 0 where it cannot be said */
    uint32_t n;       /* units in the domain */
    double weight;    /* their weights */
};

/*
 * Total of y; ratio of the totals of y and x (x NULL: 1 for each unit, so the
 * mean; y 0/1 gives a share).  in[u] says whether a unit is of the domain
 * (NULL: all); the whole sample's design stays in force.  `level` of the
 * limits: 0.95.
 */
PUAN_MUST_USE enum puan_status
puan_estimate_total(struct puan_estimate *out, const struct puan_design *d,
                    const double *y, const bool *in, double level,
                    struct puan_arena *a, struct puan_err *err);
PUAN_MUST_USE enum puan_status
puan_estimate_ratio(struct puan_estimate *out, const struct puan_design *d,
                    const double *y, const double *x, const bool *in,
                    double level, struct puan_arena *a, struct puan_err *err);

/* Quantile of Student's t with df degrees of freedom (the normal for df <= 0)
   and of the normal distribution; 0 < p < 1. */
double puan_t_quantile(double p, double df);
double puan_normal_quantile(double p);

#endif
