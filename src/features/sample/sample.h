/*
 * puan sample: draws that anyone can redo, and estimates from them.
 */
#ifndef PUAN_FEATURES_SAMPLE_SAMPLE_H
#define PUAN_FEATURES_SAMPLE_SAMPLE_H

#include "features/host/feature.h"

int puan_sample_draw(int argc, char **argv);
int puan_sample_verify(int argc, char **argv);
int puan_sample_estimate(int argc, char **argv);
int puan_sample_allocate(int argc, char **argv);

/* Says the error on standard error; the exit code that fits it. */
int puan_sample_fail(const struct puan_err *err);

extern const struct puan_feature puan_feature_sample;

#endif
