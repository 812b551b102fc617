/*
 * How well ages were told: indices of heaping over single years of age.
 *
 * Each index says which ages it really used.  Ages beyond the last closed age
 * are never used: the upper limit is lowered to what the data have, and where
 * too little is left the index is not given, rather than wrong.  The open age
 * group is never counted.
 *
 * Real numbers (double) are allowed here.  Depends on: base.  Does no I/O,
 * allocates nothing, keeps no state.
 */
#ifndef PUAN_CORE_EVALUATE_AGE_H
#define PUAN_CORE_EVALUATE_AGE_H

#include "base/status.h"

/* Persons (or their weights) by completed age: n[0 .. closed - 1]. */
struct puan_ages {
    const double *n;
    unsigned closed; /* single years that are complete: an open "85 and over"
                        at n[85] gives 85 */
};

struct puan_index {
    bool given; /* false: too few ages, or nobody in them */
    double value;
    unsigned from, to;  /* ages in the numerator, both included */
    unsigned low, high; /* youngest and oldest age that had a part */
};

#define PUAN_DIGITS_FIVES 10u /* 0 and 5 together, beside 0..9 */

/*
 * Whipple's index, times 100: 100 no preference for the digits, 500 (for 0 and
 * 5) or 1,000 (for one digit) everyone.  `digit` is 0..9, or
 * PUAN_DIGITS_FIVES for 0 and 5 together.  Numerator: ages from..to with the
 * digit.  Denominator: from 2 (7 for one digit) years below the first of them
 * to 2 above the last, divided by 5 (10).
 * With 0 and 5, 25..60: the textbook's 23..62 (UN Demographic Yearbook 1988;
 * United States Census Bureau, PAS, SINGAGE; one digit: Roger, Waltisperger,
 * Corbille-Guitton, 1981, p. 148).
 */
struct puan_index puan_whipple(struct puan_ages a, unsigned from, unsigned to,
                               unsigned digit);

/*
 * Myers' blended index: half the sum of absolute deviations of the blended
 * shares from 10 %; 0 none, 90 everyone at one digit.  digit[10] gets the
 * blended shares in per cent (may be NULL).  The span is cut to a multiple of
 * ten years; at least twenty are needed.
 * (Myers, Transactions of the Actuarial Society of America 41, 1940.  The
 * second of the two sums begins ten years later than the first and both have
 * the same number of ages for each digit.)
 */
struct puan_index puan_myers(double *digit, struct puan_ages a, unsigned from,
                             unsigned to);

/*
 * Bachi's index: as Myers', with each digit's share from Whipple's method over
 * whole decades centred on it, two such shares averaged.  (Bachi, Bulletin of
 * the International Statistical Institute 33, 1951; Shryock and Siegel, The
 * Methods and Materials of Demography, 1973, p. 206.)
 */
struct puan_index puan_bachi(double *digit, struct puan_ages a, unsigned from,
                             unsigned to);

/*
 * Noumbissi's index of one digit, times 100: five times the ages with the
 * digit, by the five-year groups centred on them; 100 no preference.
 * (Noumbissi, Population 47, 1992.)
 */
struct puan_index puan_noumbissi(struct puan_ages a, unsigned from, unsigned to,
                                 unsigned digit);

/*
 * Spoorenberg's total modified Whipple index: the sum over all digits of
 * |1 - Noumbissi / 100|; 0 none, 16 everyone at 0 and 5.  (Spoorenberg,
 * Population-E 62, 2007.)
 */
struct puan_index puan_spoorenberg(struct puan_ages a, unsigned from,
                                   unsigned to);

/*
 * Coale and Li's ratio for old ages: mean over ages from..to with the digit of
 * the number by its twice repeated five-term mean; 1 no preference.  (Coale
 * and Li, Demography 28, 1991.)
 */
struct puan_index puan_coale_li(struct puan_ages a, unsigned from, unsigned to,
                                unsigned digit);

/*
 * Kannisto's ratio of one age to the geometric mean of the five around it.
 * (Kannisto, The Advancing Frontier of Survival, 1999.)  Not given when one of
 * the five is empty.
 */
struct puan_index puan_kannisto(struct puan_ages a, unsigned age);

/*
 * Jdanov's index for old ages, times 100: five times the ages listed, by the
 * five-year groups around them.  (Jdanov, Scholz, Shkolnikov, 2008.)
 */
struct puan_index puan_jdanov(struct puan_ages a, const unsigned *age,
                              size_t n_ages);

/* Shares (per cent) of values by last digit, and how unequal they are. */
struct puan_digit_shares {
    double share[10];
    double total;
    double dissimilarity; /* half the sum of |share - 10|: 0..90 */
    double chi_square;    /* against equal shares, 9 degrees of freedom */
};
void puan_digit_shares(struct puan_digit_shares *out,
                       const double by_digit[10]);

#endif
