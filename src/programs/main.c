/*
 * puan: finds the command its words name in the features' tables and runs it.
 * Knows no command itself but help and version.
 */
#if defined(__linux__)
#include <malloc.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "features/host/feature.h"


/* Words of `name` that argv begins with: all of them, or 0. */
static int matches(const char *name, int argc, char **argv)
{
    int words = 0;
    const char *p = name;

    while (*p) {
        size_t n = strcspn(p, " ");

        if (words >= argc || strlen(argv[words]) != n ||
            strncmp(argv[words], p, n) != 0)
            return 0;
        words++;
        p += n;
        while (*p == ' ')
            p++;
    }
    return words;
}

static const struct puan_command *find(int *words, int argc, char **argv)
{
    const struct puan_command *best = NULL;

    *words = 0;
    for (size_t f = 0; puan_features[f]; f++)
        for (size_t i = 0; i < puan_features[f]->n_commands; i++) {
            const struct puan_command *c = &puan_features[f]->commands[i];
            int w = matches(c->name, argc, argv);

            if (w > *words) {
                *words = w;
                best = c;
            }
        }
    return best;
}

static int by_name(const void *a, const void *b)
{
    const struct puan_command *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

/* First sentence of a help text: up to the first full stop or line end. */
static int first_sentence(const char *help)
{
    const char *p = help;

    while (*p && *p != '\n' && !(*p == '.' && (!p[1] || p[1] == ' ' ||
                                               p[1] == '\n')))
        p++;
    return (int)(p - help);
}

/* Every command that begins with `prefix` (NULL: all), one line each. */
static size_t list(FILE *to, const char *prefix)
{
    const struct puan_command **all;
    size_t n = 0, shown = 0, k = prefix ? strlen(prefix) : 0;

    for (size_t f = 0; puan_features[f]; f++)
        n += puan_features[f]->n_commands;
    all = calloc(n + 1, sizeof(*all));
    if (!all)
        return 0;
    n = 0;
    for (size_t f = 0; puan_features[f]; f++)
        for (size_t i = 0; i < puan_features[f]->n_commands; i++)
            all[n++] = &puan_features[f]->commands[i];
    qsort(all, n, sizeof(all[0]), by_name);
    for (size_t i = 0; i < n; i++) {
        const char *name = all[i]->name;

        if (prefix && (strncmp(name, prefix, k) != 0 ||
                       (name[k] != ' ' && name[k] != 0)))
            continue;
        fprintf(to, "  %-22s %.*s\n", name, first_sentence(all[i]->help),
                all[i]->help);
        shown++;
    }
    free(all);
    return shown;
}

static int general_help(FILE *to)
{
    fputs("puan 普安 " PUAN_VERSION
          " — runs a census: collects, checks, links, tabulates, protects.\n\n"
          "usage: puan COMMAND [ARGUMENT…]\n"
          "       puan help COMMAND\n"
          "       puan --version\n\ncommands:\n",
          to);
    list(to, NULL);
    fputs("\nexit codes: 0 done, 1 done with findings, 2 usage, 3 unreadable "
          "or invalid input,\n            4 refused, 5 system\n",
          to);
    return PUAN_EXIT_DONE;
}

static int help(int argc, char **argv)
{
    int words;
    const struct puan_command *c;

    if (argc < 1)
        return general_help(stdout);
    c = find(&words, argc, argv);
    if (!c || words < argc) {
        printf("commands that begin with '%s':\n", argv[0]);
        if (list(stdout, argv[0]))
            return PUAN_EXIT_DONE;
        fprintf(stderr,
                "puan: no command '%s'; 'puan help' lists all of them\n",
                argv[0]);
        return PUAN_EXIT_USAGE;
    }
    printf("NAME\n    puan %s — %.*s\n\nUSAGE\n    puan %s %s\n\n"
           "DESCRIPTION\n",
           c->name, first_sentence(c->help), c->help, c->name, c->usage);
    for (const char *p = c->help; *p;) {
        size_t n = strcspn(p, "\n");

        printf("    %.*s\n", (int)n, p);
        p += n + (p[n] == '\n');
    }
    fputs("\nEXIT STATUS\n    0 done, 1 done with findings, 2 usage, 3 "
          "invalid input, 4 refused, 5 system\n",
          stdout);
    return PUAN_EXIT_DONE;
}

int main(int argc, char **argv)
{
    const struct puan_command *c;
    int words, code;

#if defined(__GLIBC__)
    /*
     * Large blocks go back to the system at once.  Left to itself the library
     * raises this bound to the largest block ever freed, and each thread that
     * once checked a password keeps its 19 MiB.
     */
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
    if (argc < 2) {
        general_help(stderr);
        return PUAN_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
        puts("puan " PUAN_VERSION);
        return PUAN_EXIT_DONE;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0)
        return help(argc - 2, argv + 2);
    c = find(&words, argc - 1, argv + 1);
    if (!c) {
        fprintf(stderr, "puan: no command '%s'", argv[1]);
        fputs("; 'puan help' lists all of them\n", stderr);
        list(stderr, argv[1]);
        return PUAN_EXIT_USAGE;
    }
    if (argc > words + 1 && strcmp(argv[words + 1], "--help") == 0)
        return help(words, argv + 1);
    code = c->run(argc - words, argv + words);
    if (code == PUAN_EXIT_USAGE)
        fprintf(stderr, "usage: puan %s %s\n", c->name, c->usage);
    if (fflush(stdout) != 0 && code == PUAN_EXIT_DONE) {
        fputs("puan: standard output cannot be written\n", stderr);
        code = PUAN_EXIT_SYSTEM;
    }
    return code;
}
