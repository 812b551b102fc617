/*
 * What a measure prints: the rows of bench/README.md.
 *
 * Test code: never part of the product.
 */
#ifndef PUAN_BENCH_ROW_H
#define PUAN_BENCH_ROW_H

#include "base/status.h"

/* One row of bench/README.md; a ratio or share below 0 is left empty. */
void bench_row(const char *name, double value, const char *unit,
              const char *against, double ratio, const char *limit,
              double reached);
/* Says what failed; 1, to leave main with. */
int bench_failed(const char *program, const struct puan_err *err);

#endif
