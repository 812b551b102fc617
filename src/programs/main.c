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
#include "kit/os/part.h"
#include "programs/man.h"

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

#define WIDTH 78

/* First sentence of a help text: up to the first full stop or colon. */
static size_t first_sentence(const char *help)
{
    size_t n = 0;

    while (help[n] &&
           !((help[n] == '.' || help[n] == ':') &&
             (!help[n + 1] || help[n + 1] == ' ' || help[n + 1] == '\n')))
        n++;
    return n;
}

/*
 * Words of `text`, broken into lines of WIDTH.  The first line goes on at
 * column `at`, the others begin at column `indent`.
 */
static void put_words(FILE *to, const char *text, size_t n, int at, int indent)
{
    const char *end = text + n;
    bool first = true;

    while (text < end) {
        size_t word = 0;
        int cells = 0;

        while (text < end && (*text == ' ' || *text == '\n'))
            text++;
        while (text + word < end && text[word] != ' ' && text[word] != '\n') {
            /* a byte that begins a character; Chinese ones are two wide */
            unsigned char c = (unsigned char)text[word++];

            cells += c < 0x80 || (c >= 0xc0 && c < 0xe3) ? 1
                     : c >= 0xe3                         ? 2
                                                         : 0;
        }
        if (word == 0)
            break;
        if (!first && at + 1 + cells > WIDTH) {
            fprintf(to, "\n%*s", indent, "");
            at = indent;
            first = true;
        }
        fprintf(to, "%s%.*s", first ? "" : " ", (int)word, text);
        at += cells + !first;
        first = false;
        text += word;
    }
    fputc('\n', to);
}

/* Every command that begins with `prefix` (NULL: all), two lines each. */
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

        if (prefix &&
            (strncmp(name, prefix, k) != 0 || (name[k] != ' ' && name[k] != 0)))
            continue;
        fprintf(to, "  %-18s ", name);
        if (all[i]->zh)
            fprintf(to, "%s\n%21s", all[i]->zh, "");
        put_words(to, all[i]->help, first_sentence(all[i]->help), 21, 21);
        shown++;
    }
    free(all);
    return shown;
}

static const char exit_codes[] =
    "0 完成 done, 1 完成，有问题 done with findings, 2 用法不对 usage,\n"
    "    3 输入有误 unreadable or invalid input, 4 拒绝 refused, "
    "5 系统故障 system\n";

static int general_help(FILE *to)
{
    fputs("puan 普安 " PUAN_VERSION "\n"
          "承担一次普查的全过程：采集、审核、比对、汇总、保护、发布\n"
          "runs a census: collects, checks, links, tabulates, protects\n\n"
          "usage 用法:\n"
          "  puan COMMAND [ARGUMENT…]\n"
          "  puan help COMMAND      一条命令的说明 what a command does\n"
          "  puan --version\n\n"
          "commands 命令:\n",
          to);
    list(to, NULL);
    fprintf(to, "\nexit codes 退出码:\n    %s", exit_codes);
    return PUAN_EXIT_DONE;
}

/* A word that begins commands but is none, or no word of any command. */
static int unknown(const char *word)
{
    const struct puan_command *any = NULL;
    size_t n = strlen(word);

    for (size_t f = 0; puan_features[f]; f++)
        for (size_t i = 0; i < puan_features[f]->n_commands; i++) {
            const char *name = puan_features[f]->commands[i].name;

            if (strncmp(name, word, n) == 0 && name[n] == ' ')
                any = &puan_features[f]->commands[i];
        }
    if (any) {
        fprintf(stderr, "puan: '%s' needs a second word, one of these:\n",
                word);
        list(stderr, word);
    } else {
        fprintf(stderr,
                "puan: no command '%s'; 'puan help' lists all of them\n", word);
    }
    return PUAN_EXIT_USAGE;
}

static int help(int argc, char **argv)
{
    int words;
    size_t n, k;
    const struct puan_command *c;

    if (argc < 1)
        return general_help(stdout);
    if (argc == 2 && strcmp(argv[0], "--man") == 0) { /* pages into a folder */
        struct puan_err err = { 0 };

        if (puan_man_write(argv[1], &err) == PUAN_OK)
            return PUAN_EXIT_DONE;
        fprintf(stderr, "puan help: %s: %s\n", err.where, err.text);
        return PUAN_EXIT_SYSTEM;
    }
    c = find(&words, argc, argv);
    if (!c || words < argc) {
        if (argc > 1 ||
            (strncmp(argv[0], "help", 5) != 0 && list(stdout, argv[0]) == 0))
            return unknown(argv[0]);
        return strncmp(argv[0], "help", 5) == 0 ? general_help(stdout)
                                                : PUAN_EXIT_DONE;
    }
    n = first_sentence(c->help);
    printf("NAME 名称\n    puan %s", c->name);
    if (c->zh)
        printf(" — %s", c->zh);
    printf("\n    ");
    put_words(stdout, c->help, n, 4, 4);
    printf("\nUSAGE 用法\n    puan %s ", c->name);
    put_words(stdout, c->usage, strlen(c->usage), 10 + (int)strlen(c->name), 8);
    k = n + strspn(c->help + n, ".: \n");
    if (c->help[n] == ':')
        k = 0; /* the name has half a sentence only */
    if (c->help[k]) {
        printf("\nDESCRIPTION 说明\n    ");
        put_words(stdout, c->help + k, strlen(c->help + k), 4, 4);
    }
    printf("\nEXIT STATUS 退出码\n    %s", exit_codes);
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
    if (!c)
        return unknown(argv[1]);
    if (argc > words + 1 && strcmp(argv[words + 1], "--help") == 0)
        return help(words, argv + 1);
    puan_part_tidy();
    code = c->run(argc - words, argv + words);
    if (code == PUAN_EXIT_USAGE)
        fprintf(stderr, "usage: puan %s %s\n'puan help %s' says more\n",
                c->name, c->usage, c->name);
    if ((fflush(stdout) != 0 || ferror(stdout)) &&
        (code == PUAN_EXIT_DONE || code == PUAN_EXIT_FINDINGS)) {
        fputs("puan: standard output cannot be written\n", stderr);
        code = PUAN_EXIT_SYSTEM;
    }
    return code;
}
