/*
 * puan evaluate: how good a count is, from the count itself (ages and sexes),
 * from an earlier one, and from a second count of part of it.
 */
#ifndef PUAN_FEATURES_EVALUATE_EVALUATE_H
#define PUAN_FEATURES_EVALUATE_EVALUATE_H

#include "features/host/feature.h"

int puan_evaluate_ages(int argc, char **argv);
int puan_evaluate_growth(int argc, char **argv);
int puan_evaluate_coverage(int argc, char **argv);

extern const struct puan_route puan_evaluate_routes[1];

/* Says the error on standard error; the exit code that fits it. */
int puan_evaluate_fail(const struct puan_err *err);

/* A real number with so many decimals; "" for none (NAN). */
void puan_put_real(struct puan_out *o, double v, int places);
/* The same as key and value, null for none. */
void puan_jw_kreal(struct puan_jw *w, const char *key, double v, int places);

extern const struct puan_feature puan_feature_evaluate;

#endif
