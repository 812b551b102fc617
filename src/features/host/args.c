/*
 * Command arguments by table.
 */
#include "features/host/args.h"

#include <stdio.h>
#include <string.h>

static bool one(const char *word, int *i, int argc, char **argv,
                const struct puan_arg *args, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        size_t len = args[k].name ? strlen(args[k].name) : 0;

        if (!len || strncmp(word, args[k].name, len) != 0)
            continue;
        if (args[k].flag && !word[len]) {
            *args[k].flag = true;
            return true;
        }
        if (args[k].value && word[len] == '=') {
            *args[k].value = word + len + 1;
            return true;
        }
        if (args[k].value && !word[len]) {
            if (*i + 1 >= argc) {
                fprintf(stderr, "puan: %s wants a value\n", word);
                return false;
            }
            *args[k].value = argv[++*i];
            return true;
        }
    }
    fprintf(stderr, "puan: no option '%s' here\n", word);
    return false;
}

bool puan_args(int argc, char **argv, const struct puan_arg *args, size_t n)
{
    size_t next = 0;

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0 && argv[i][2]) {
            if (!one(argv[i], &i, argc, argv, args, n))
                return false;
            continue;
        }
        while (next < n && args[next].name)
            next++;
        if (next == n) {
            fprintf(stderr, "puan: '%s' is one word too many\n", argv[i]);
            return false;
        }
        *args[next++].value = argv[i];
    }
    return true;
}

int puan_command_fail(enum puan_status st, const struct puan_err *err)
{
    if (err->line)
        fprintf(stderr, "puan: %s:%u:%u: %s\n", err->where, err->line,
                err->col, err->text);
    else if (err->where[0])
        fprintf(stderr, "puan: %s: %s\n", err->where, err->text);
    else
        fprintf(stderr, "puan: %s\n",
                err->text[0] ? err->text : puan_status_name(st));
    switch (st) {
    case PUAN_OK:
        return PUAN_EXIT_DONE;
    case PUAN_EINVAL:
    case PUAN_ENOTFOUND:
        return PUAN_EXIT_INPUT;
    case PUAN_EDENIED:
    case PUAN_ECONFLICT:
    case PUAN_ELIMIT:
        return PUAN_EXIT_REFUSED;
    case PUAN_EBUSY:
    case PUAN_EIO:
    case PUAN_EWRITE:
    case PUAN_ENOMEM:
    case PUAN_EBUG:
    default:
        return PUAN_EXIT_SYSTEM;
    }
}

int puan_verb_fail(const char *command, const struct puan_err *err)
{
    fprintf(stderr, "puan %s: %s", command, err->where);
    if (err->line)
        fprintf(stderr, ":%u", err->line);
    if (err->line && err->col)
        fprintf(stderr, ":%u", err->col);
    fprintf(stderr, "%s%s\n", err->where[0] ? ": " : "", err->text);
    switch (err->code) {
    case PUAN_EINVAL:
    case PUAN_ENOTFOUND:
    case PUAN_ECONFLICT:
    case PUAN_ELIMIT:
    case PUAN_EIO:
        return PUAN_EXIT_INPUT;
    case PUAN_EDENIED:
        return PUAN_EXIT_REFUSED;
    case PUAN_OK:
    case PUAN_EBUSY:
    case PUAN_ENOMEM:
    case PUAN_EBUG:
    case PUAN_EWRITE:
        break;
    }
    return PUAN_EXIT_SYSTEM;
}
