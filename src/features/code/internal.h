/* What the commands of this feature share. */
#ifndef PUAN_FEATURES_CODE_INTERNAL_H
#define PUAN_FEATURES_CODE_INTERNAL_H

#include "features/code/code.h"
#include "kit/sheet/sheet.h"

#define COLUMNS_MOST 4 /* fields one answer is given in */

int code_fail(const struct puan_err *err); /* says it; the exit code */
int code_test(int argc, char **argv);

/* Columns by a list "C20,C20b". */
struct columns {
    int at[COLUMNS_MOST];
    size_t n;
};
enum puan_status code_columns(struct columns *out, const struct puan_sheet *s,
                              const char *list, struct puan_err *err);
size_t code_fields(struct puan_str *field, const struct columns *c,
                   const struct puan_csv *row);

#endif
