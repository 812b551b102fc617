/* What the commands of this feature share. */
#ifndef PUAN_FEATURES_CODE_INTERNAL_H
#define PUAN_FEATURES_CODE_INTERNAL_H

#include "features/code/code.h"
#include "kit/sheet/sheet.h"

#define COLUMNS_MOST 4 /* fields one answer is given in */

int code_fail(const struct puan_err *err); /* says it; the exit code */
int code_test(int argc, char **argv);
int code_texts(int argc, char **argv); /* texts.c */
extern const char code_texts_usage[], code_texts_help[];

/* Columns by a list "C20,C20b". */
struct columns {
    int at[COLUMNS_MOST];
    size_t n;
};
enum puan_status code_columns(struct columns *out, const struct puan_sheet *s,
                              const char *list, struct puan_err *err);
size_t code_fields(struct puan_str *field, const struct columns *c,
                   const struct puan_csv *row);

/* Codes that clerks have given: a file with the columns text and code. */
struct code_known;
enum puan_status code_known_open(struct code_known **out, const char *path,
                                 const struct puan_coder *c,
                                 struct puan_arena *a, struct puan_err *err);
/* The class given to such an answer, or -1. */
int32_t code_known_find(const struct code_known *k,
                        const struct puan_str *field, size_t n,
                        struct puan_arena *scratch);

#endif
