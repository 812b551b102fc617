/*
 * Arguments of commands by table, and the exit code of a failure.
 *
 * Depends on: base.
 */
#ifndef PUAN_FEATURES_HOST_ARGS_H
#define PUAN_FEATURES_HOST_ARGS_H

#include "features/host/feature.h"

/*
 * One option ("--out FILE", "--out=FILE": value set; "--json": flag set) or,
 * when name is NULL, the next plain word.
 */
struct puan_arg {
    const char *name;
    const char **value;
    bool *flag;
};

/*
 * Reads argv[1…] by the table.  False after an unknown option, a missing
 * value or too many words, said on standard error.
 */
bool puan_args(int argc, char **argv, const struct puan_arg *args, size_t n);

/*
 * The same for the verbs over data: "puan check: file:3:5: what is wrong".  A
 * file that cannot be read is input (3), one that cannot be written is the
 * system's (5).
 */
int puan_verb_fail(const char *command, const struct puan_err *err);

/* Says the error on standard error and gives the exit code that fits it. */
int puan_command_fail(enum puan_status st, const struct puan_err *err);

#endif
