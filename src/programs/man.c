/*
 * Manual pages out of the features' tables.
 */
#include "programs/man.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/out.h"
#include "features/host/feature.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

/* Text of a page: what roff would take for its own is escaped. */
static void put_n(struct puan_out *o, const char *text, size_t n)
{
    bool start = o->n > 0 && o->p[o->n - 1] == '\n';

    for (size_t i = 0; i < n; i++) {
        if (start && (text[i] == '.' || text[i] == '\''))
            puan_out_text(o, "\\&");
        if (text[i] == '\\')
            puan_out_text(o, "\\e");
        else if (text[i] == '-')
            puan_out_text(o, "\\-");
        else
            puan_out_char(o, text[i]);
        start = text[i] == '\n';
    }
}

static void put(struct puan_out *o, const char *text)
{
    put_n(o, text, strlen(text));
}

/* "ledger verify" as "ledger-verify". */
static void put_dashed(struct puan_out *o, const char *name)
{
    for (; *name; name++)
        puan_out_char(o, *name == ' ' ? '-' : *name);
}

static void head(struct puan_out *o, const char *name)
{
    puan_out_text(o, ".TH PUAN");
    if (name[0]) {
        puan_out_char(o, '-');
        for (; *name; name++)
            puan_out_char(o, *name == ' ' ? '-'
                             : *name >= 'a' && *name <= 'z'
                                 ? (char)(*name - 'a' + 'A')
                                 : *name);
    }
    puan_out_text(o, " 1 \"\" \"puan " PUAN_VERSION "\" \"Puan\"\n.ad l\n");
}

/* First sentence of a help text, without its full stop. */
static size_t first_sentence(const char *help)
{
    size_t n = 0;

    while (help[n] &&
           !((help[n] == '.' || help[n] == ':') &&
             (!help[n + 1] || help[n + 1] == ' ' || help[n + 1] == '\n')))
        n++;
    return n;
}

static void tail(struct puan_out *o)
{
    puan_out_text(o, ".SH EXIT STATUS\n"
                     ".TP\n.B 0\ndone, 完成\n"
                     ".TP\n.B 1\ndone, with findings, 完成，有问题\n"
                     ".TP\n.B 2\nused wrongly, 用法不对\n"
                     ".TP\n.B 3\nunreadable or invalid input, 输入有误\n"
                     ".TP\n.B 4\nrefused, 拒绝\n"
                     ".TP\n.B 5\nthe system failed, 系统故障\n");
}

static void page(struct puan_out *o, const struct puan_command *c)
{
    size_t n = first_sentence(c->help);

    head(o, c->name);
    puan_out_text(o, ".SH NAME\npuan\\-");
    for (const char *p = c->name; *p; p++)
        puan_out_text(o, *p == ' ' || *p == '-' ? "\\-" : (char[]){ *p, 0 });
    puan_out_text(o, " \\- ");
    put_n(o, c->help, n);
    puan_out_text(o, "\n.SH SYNOPSIS\n.B puan ");
    put(o, c->name);
    puan_out_text(o, "\n");
    put(o, c->usage);
    puan_out_text(o, "\n.SH DESCRIPTION\n");
    if (c->zh) {
        put(o, c->zh);
        puan_out_text(o, "\n.PP\n");
    }
    put(o, c->help);
    puan_out_char(o, '\n');
    tail(o);
    puan_out_text(o, ".SH SEE ALSO\n.BR puan (1)\n");
}

static void overview(struct puan_out *o,
                     const struct puan_command *const *all, size_t n)
{
    head(o, "");
    puan_out_text(o, ".SH NAME\npuan \\- runs a census: collects, checks, "
                     "links, tabulates, protects, publishes\n"
                     ".SH SYNOPSIS\n.B puan\n.I COMMAND\n[\\fIARGUMENT\\fR…]\n"
                     ".br\n.B puan help\n[\\fICOMMAND\\fR]\n"
                     ".SH DESCRIPTION\n承担一次普查的全过程：采集、审核、比对、"
                     "汇总、保护、发布\n"
                     ".SH COMMANDS\n");
    for (size_t i = 0; i < n; i++) {
        puan_out_text(o, ".TP\n.BR puan\\-");
        for (const char *p = all[i]->name; *p; p++)
            puan_out_text(o, *p == ' ' || *p == '-' ? "\\-"
                                                    : (char[]){ *p, 0 });
        puan_out_text(o, " (1)\n");
        if (all[i]->zh) {
            put(o, all[i]->zh);
            puan_out_text(o, "\n.br\n");
        }
        put_n(o, all[i]->help, first_sentence(all[i]->help));
        puan_out_char(o, '\n');
    }
    tail(o);
}

static int by_name(const void *a, const void *b)
{
    const struct puan_command *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

static enum puan_status save(const char *dir, const char *name,
                             const struct puan_out *text, struct puan_arena *a,
                             struct puan_err *err)
{
    struct puan_out path;

    puan_out_init(&path, a);
    puan_out_fmt(&path, "%s/puan%s", dir, name[0] ? "-" : "");
    put_dashed(&path, name);
    puan_out_text(&path, ".1");
    if (a->failed)
        return puan_arena_check(a, err);
    return puan_file_write(path.p, puan_out_view(text), 0644, err);
}

enum puan_status puan_man_write(const char *dir, struct puan_err *err)
{
    const struct puan_command **all;
    struct puan_arena a;
    struct puan_out o;
    size_t n = 0, k = 0;
    enum puan_status st;

    puan_arena_init(&a, &puan_heap);
    for (size_t f = 0; puan_features[f]; f++)
        n += puan_features[f]->n_commands;
    all = puan_arena_get_n(&a, n, sizeof(*all));
    st = puan_arena_check(&a, err);
    for (size_t f = 0; st == PUAN_OK && puan_features[f]; f++)
        for (size_t i = 0; i < puan_features[f]->n_commands; i++)
            all[k++] = &puan_features[f]->commands[i];
    if (st == PUAN_OK) {
        qsort(all, n, sizeof(all[0]), by_name);
        st = puan_dir_make(dir, err);
    }
    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        puan_out_init(&o, &a);
        page(&o, all[i]);
        st = save(dir, all[i]->name, &o, &a, err);
    }
    if (st == PUAN_OK) {
        puan_out_init(&o, &a);
        overview(&o, all, n);
        st = save(dir, "", &o, &a, err);
    }
    puan_arena_clear(&a);
    return st;
}
