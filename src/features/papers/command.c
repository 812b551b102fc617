/*
 * puan paper: what papers a pack has, one of them filled in with the labels of
 * what it takes, a document set as PDF.
 */
#include <stdio.h>

#include "core/plan/plan.h"
#include "features/host/args.h"
#include "features/papers/internal.h"
#include "features/plans/plans.h"
#include "kit/crypto/crypto.h"
#include "kit/os/os.h"
#include "kit/os/part.h"

struct pack {
    struct puan_plan_held *held;
    struct puan_flows flows;
    struct puan_paper_list list;
    struct puan_arena a;
};

static enum puan_status pack_open(struct pack *p, const char *name,
                                  struct puan_err *err)
{
    enum puan_status st;

    puan_arena_init(&p->a, puan_os_alloc());
    p->held = NULL;
    st = puan_plan_load_dir(&p->held, name, puan_digest_sm3(), err);
    if (st == PUAN_OK)
        st = puan_flows_load(&p->flows, puan_plan_held_plan(p->held), &p->a,
                             err);
    if (st == PUAN_OK)
        st = puan_papers_read(&p->list, puan_plan_held_plan(p->held), &p->flows,
                              NULL, &p->a, err);
    return st;
}

static void pack_close(struct pack *p)
{
    puan_plan_close(p->held);
    puan_arena_clear(&p->a);
}

static enum puan_status save(const char *path, struct puan_str bytes,
                             struct puan_err *err)
{
    if (puan_str_is(puan_str_of(path), "-"))
        return fwrite(bytes.p, 1, bytes.n, stdout) == bytes.n &&
                       fflush(stdout) == 0
                   ? PUAN_OK
                   : puan_fail(err, PUAN_EWRITE, "standard output",
                               "cannot be written");
    return puan_file_write(path, bytes, 0644, err);
}

/* ---- list ---------------------------------------------------------------------- */

static int cmd_list(int argc, char **argv)
{
    const char *name = NULL;
    const struct puan_arg args[] = { { NULL, &name, NULL } };
    struct puan_err err = { 0 };
    struct pack p;
    enum puan_status st;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || name == NULL)
        return PUAN_EXIT_USAGE;
    st = pack_open(&p, name, &err);
    for (size_t i = 0; st == PUAN_OK && i < p.list.n; i++) {
        const struct puan_paper_template *t = p.list.at[i];

        printf("%.*s\t%s\t%.*s\t%.*s\t", PUAN_FMT(t->id),
               t->of_case ? "case" : "area", PUAN_FMT(t->zh), PUAN_FMT(t->en));
        for (size_t k = 0; k < t->n_flows; k++)
            printf("%s%.*s", k ? " " : "", PUAN_FMT(t->flow[k]));
        printf("\n");
    }
    pack_close(&p);
    return st == PUAN_OK ? PUAN_EXIT_DONE : puan_command_fail(st, &err);
}

/* ---- sample --------------------------------------------------------------------- */

static void pair(struct puan_jw *w, const char *key, const char *zh,
                 const char *en)
{
    puan_jw_key(w, key);
    puan_jw_map(w);
    puan_jw_ktext(w, "zh", zh);
    puan_jw_ktext(w, "en", en);
    puan_jw_end(w, '}');
}

/* Every field filled in with its own label, so that a reader sees what comes
 * from where. */
static void fields(struct puan_jw *w, const struct puan_flow *f, bool en)
{
    static const char *const type[] = { "text", "int",  "enum", "bool",
                                        "time", "area", "ref" };

    puan_jw_key(w, "fields");
    puan_jw_list(w);
    for (size_t i = 0; i < f->n_fields; i++) {
        const struct puan_flow_field *x = &f->fields[i];
        bool text = x->type == PUAN_FLOW_TEXT || x->type == PUAN_FLOW_REF;

        puan_jw_map(w);
        puan_jw_kstr(w, "id", x->label.name);
        puan_jw_kstr(w, "zh", x->label.zh);
        puan_jw_kstr(w, "en", x->label.en);
        puan_jw_ktext(w, "type", text ? "text" : type[x->type]);
        puan_jw_kbool(w, "set", true);
        if (x->type == PUAN_FLOW_TIME)
            puan_jw_ktext(w, "value", "2020-11-04T20:11:00.000+08:00");
        else if (x->type == PUAN_FLOW_INT)
            puan_jw_kint(w, "value", x->min > 1 ? x->min : 1);
        else if (x->type == PUAN_FLOW_BOOL)
            puan_jw_kbool(w, "value", true);
        else if (x->type == PUAN_FLOW_ENUM)
            puan_jw_kstr(w, "value", en ? x->words->codes[0].en
                                        : x->words->codes[0].zh);
        else
            puan_jw_kstr(w, "value", en ? x->label.en : x->label.zh);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

static const struct puan_node *specimen(const struct pack *p,
                                        const struct puan_paper_template *t,
                                        bool en, struct puan_arena *a,
                                        struct puan_err *err)
{
    const struct puan_plan *plan = puan_plan_held_plan(p->held);
    const struct puan_flow *f =
        t->n_flows ? puan_flows_get(&p->flows, t->flow[0]) : NULL;
    struct puan_node *tree = NULL;
    struct puan_out o;
    struct puan_jw w;

    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_key(&w, "seat");
    puan_jw_map(&w);
    pair(&w, "area", "某县", "A County");
    pair(&w, "role", "应急办", "Risk office");
    puan_jw_end(&w, '}');
    pair(&w, "above", "某市", "A City");
    pair(&w, "area", "某县", "A County");
    puan_jw_key(&w, "plan");
    puan_jw_map(&w);
    puan_jw_kstr(&w, "zh", plan->zh);
    puan_jw_kstr(&w, "en", plan->en);
    puan_jw_end(&w, '}');
    puan_jw_ktext(&w, "now", "2020-11-05T08:00:00.000+08:00");
    puan_jw_ktext(&w, "year", "2020");
    puan_jw_ktext(&w, "n", "1");
    if (f != NULL) {
        puan_jw_key(&w, "case");
        puan_jw_map(&w);
        puan_jw_ktext(&w, "number", "2020-001");
        puan_jw_kstr(&w, "flow_zh", f->label.zh);
        puan_jw_kstr(&w, "flow_en", f->label.en);
        puan_jw_ktext(&w, "title_zh", "（事项名称）");
        puan_jw_ktext(&w, "title_en", "(title)");
        puan_jw_ktext(&w, "area_zh", "某镇");
        puan_jw_ktext(&w, "area_en", "A Town");
        puan_jw_kstr(&w, "state_zh", f->states[0].zh);
        puan_jw_kstr(&w, "state_en", f->states[0].en);
        puan_jw_ktext(&w, "opened", "2020-11-04T20:11:00.000+08:00");
        fields(&w, f, en);
        puan_jw_end(&w, '}');
    }
    puan_jw_end(&w, '}');
    if (puan_json_tree(&tree, puan_out_view(&o), "specimen", a, err) != PUAN_OK)
        return NULL;
    return tree;
}

static enum puan_status sample(const struct pack *p, const char *paper,
                               const char *out, bool en, bool json,
                               struct puan_err *err)
{
    const struct puan_paper_template *t =
        puan_papers_get(&p->list, puan_str_of(paper));
    struct puan_paper_fill how = {
        .en = en,
        .mark = en ? PUAN_STR("SPECIMEN") : PUAN_STR("样张"),
        .page = p->list.page
    };
    const struct puan_node *values;
    struct puan_arena a;
    struct puan_str pdf = { 0 };
    struct puan_out o;
    enum puan_status st;

    if (t == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, paper,
                         "no such paper in this pack; puan paper list");
    puan_arena_init(&a, puan_os_alloc());
    puan_out_init(&o, &a);
    values = specimen(p, t, en, &a, err);
    st = values ? puan_paper_fill(&o, t, values, &how, &a, err) : err->code;
    if (st == PUAN_OK && json)
        st = save(out, puan_out_view(&o), err);
    else if (st == PUAN_OK) {
        st = puan_papers_set(&pdf, puan_out_view(&o), &a, err);
        if (st == PUAN_OK)
            st = save(out, pdf, err);
    }
    puan_arena_clear(&a);
    return st;
}

static int cmd_sample(int argc, char **argv)
{
    const char *name = NULL, *paper = NULL, *out = NULL, *lang = "zh";
    bool json = false;
    const struct puan_arg args[] = { { NULL, &name, NULL },
                                     { NULL, &paper, NULL },
                                     { "--out", &out, NULL },
                                     { "--lang", &lang, NULL },
                                     { "--json", NULL, &json } };
    struct puan_err err = { 0 };
    struct pack p;
    enum puan_status st;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || paper == NULL ||
        out == NULL)
        return PUAN_EXIT_USAGE;
    st = pack_open(&p, name, &err);
    if (st == PUAN_OK)
        st = sample(&p, paper, out, puan_str_is(puan_str_of(lang), "en"), json,
                    &err);
    pack_close(&p);
    return st == PUAN_OK ? PUAN_EXIT_DONE : puan_command_fail(st, &err);
}

/* ---- set -------------------------------------------------------------------------- */

static int cmd_set(int argc, char **argv)
{
    const char *from = NULL, *out = NULL;
    const struct puan_arg args[] = { { NULL, &from, NULL },
                                     { "--out", &out, NULL } };
    struct puan_str json = { 0 }, bytes = { 0 };
    struct puan_err err = { 0 };
    struct puan_paper *p = NULL;
    struct puan_arena a;
    enum puan_status st;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || from == NULL ||
        out == NULL)
        return PUAN_EXIT_USAGE;
    puan_arena_init(&a, puan_os_alloc());
    st = puan_file_read(&json, from, PUAN_PAPER_BYTES, &a, &err);
    if (st == PUAN_OK)
        st = puan_paper_read(&p, json, &a, &err);
    if (st == PUAN_OK)
        st = puan_str_of(out).n > 5 &&
                     puan_str_is(puan_str_of(out + puan_str_of(out).n - 5),
                                 ".xlsx")
                 ? puan_papers_book(&bytes, p, &a, &err)
                 : puan_papers_set(&bytes, json, &a, &err);
    if (st == PUAN_OK)
        st = save(out, bytes, &err);
    puan_arena_clear(&a);
    return st == PUAN_OK ? PUAN_EXIT_DONE : puan_command_fail(st, &err);
}

const struct puan_command puan_paper_commands[PUAN_PAPER_COMMANDS] = {
    { "paper list", "PACK",
      "Official papers a pack knows: name, about what, titles, workflows.",
      cmd_list, "列出方案包的公文模板" },
    { "paper sample", "PACK PAPER --out FILE.pdf [--lang zh|en] [--json]",
      "One paper of a pack, each place filled in with the label of what it "
      "takes.\n--json writes the document instead of setting it.",
      cmd_sample, "以字段名称填充一份公文样张" },
    { "paper set", "DOCUMENT.json --out FILE.pdf|FILE.xlsx",
      "Sets a document as PDF in the official layout, or its tables as a "
      "workbook.\nThe format is doc/papers.md. A character that no font has "
      "is named, and nothing\nis written. Exit code 3: not such a document.",
      cmd_set, "按公文格式排印一份文档" },
};
