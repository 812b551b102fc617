#include "row.h"

#include <stdio.h>

void bench_row(const char *name, double value, const char *unit,
              const char *against, double ratio, const char *limit,
              double reached)
{
    char r[32] = "", x[32] = "";

    if (ratio >= 0)
        snprintf(r, sizeof(r), "%.3f", ratio);
    if (reached >= 0)
        snprintf(x, sizeof(x), "%.2f", reached);
    printf("%s\t%.*f\t%s\t%s\t%s\t%s\t%s\n", name, value < 10 ? 2 : 1, value,
           unit, against, r, limit, x);
    fflush(stdout);
}

int bench_failed(const char *program, const struct puan_err *err)
{
    fprintf(stderr, "%s: %s", program, err->where);
    if (err->line)
        fprintf(stderr, ":%u:%u", err->line, err->col);
    fprintf(stderr, ": %s\n", err->text);
    return 1;
}
