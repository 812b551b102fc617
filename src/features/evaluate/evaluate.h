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

extern const struct puan_route puan_evaluate_routes[2];

/* Of the second route (pes.c). */
struct puan_coverage_in {
    int64_t sample;
    struct puan_str by, base;
};
extern const struct puan_param puan_coverage_params[3];
enum puan_status puan_coverage_area(int64_t *area, struct puan_request *rq,
                                    const void *in, struct puan_err *err);
enum puan_status puan_coverage_show(struct puan_request *rq, const void *in,
                                    struct puan_err *err);

/* Says the error on standard error; the exit code that fits it. */
int puan_evaluate_fail(const struct puan_err *err);

/* A real number with so many decimals; "" for none (NAN). */
void puan_put_real(struct puan_out *o, double v, int places);
/* The same as key and value, null for none. */
void puan_jw_kreal(struct puan_jw *w, const char *key, double v, int places);

extern const struct puan_feature puan_feature_evaluate;

#endif
