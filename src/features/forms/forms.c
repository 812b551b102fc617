/*
 * puan form import, puan form check.
 */
#include "features/forms/forms.h"

#include <stdio.h>

#include "base/out.h"
#include "core/plan/routing.h"
#include "core/rule/prove.h"
#include "features/host/args.h"
#include "kit/crypto/crypto.h"
#include "kit/os/os.h"
#include "kit/xlsx/xlsx.h"
#include "kit/yaml/yaml.h"

/* ---- import ---- */

/* "census" of "dir/census.xlsx". */
static struct puan_str stem(const char *file)
{
    struct puan_str s = puan_str_of(file);
    size_t from = s.n;

    while (from > 0 && s.p[from - 1] != '/')
        from--;
    s = (struct puan_str){ s.p + from, s.n - from };
    for (size_t i = s.n; i > 1; i--)
        if (s.p[i - 1] == '.')
            return (struct puan_str){ s.p, i - 1 };
    return s;
}

enum puan_status puan_forms_import(struct puan_xlsform *out,
                                   struct puan_str bytes, const char *file,
                                   const struct puan_xlsform_in *how,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_xlsform_in in = *how;
    struct puan_xlsx book;
    struct puan_err own = { 0 };
    enum puan_status st = puan_xlsx_read(&book, bytes, file, a, err);

    if (st != PUAN_OK)
        return st;
    in.sheet = book.sheet;
    in.n = book.n;
    if (in.name.n == 0)
        in.name = stem(file);
    st = puan_xlsform(out, &in, a, &own);
    if (st != PUAN_OK)
        return puan_fail_at(err, st,
                            puan_arena_fmt(a, "%s:%s", file, own.where),
                            own.line, own.col, "%s", own.text);
    return PUAN_OK;
}

static void put_remarks(struct puan_out *o, const char *file,
                        const struct puan_xlsform *x)
{
    static const char *const levels[] = { "not carried over", "changed",
                                          "note" };

    for (const struct puan_xlsform_remark *r = x->remarks; r; r = r->next) {
        puan_out_fmt(o, "%s:%s: %s: %s", file, puan_xlsform_place(r, o->arena),
                     levels[r->level], r->text);
        if (r->remedy[0])
            puan_out_fmt(o, " -> %s", r->remedy);
        puan_out_char(o, '\n');
    }
}

static void put_summary(struct puan_out *o, const struct puan_xlsform *x)
{
    puan_out_fmt(o,
                 "%.*s: %u of %u questions, %u items in %u entities, %u code "
                 "lists; %u of %u relevant, %u of %u constraint, %u of %u "
                 "calculation\n%zu 处未导入 not carried over, %zu 处改动 "
                 "changed, %zu 处说明 notes\n",
                 PUAN_FMT(x->id), x->questions.done, x->questions.of, x->items,
                 (unsigned)x->form->n_entities, x->lists, x->conditions.done,
                 x->conditions.of, x->constraints.done, x->constraints.of,
                 x->calculations.done, x->calculations.of, x->n_lost,
                 x->n_changed, x->n_notes);
}

/* FORM.yaml -> FORM.rules, whatever it ends with. */
static const char *rules_beside(const char *form, struct puan_arena *a)
{
    struct puan_str s = puan_str_of(form);

    for (size_t i = s.n; i > 1 && s.p[i - 1] != '/'; i--)
        if (s.p[i - 1] == '.') {
            s.n = i - 1;
            break;
        }
    return puan_arena_fmt(a, "%.*s.rules", PUAN_FMT(s));
}

static struct puan_str headed(const char *file, struct puan_str text,
                              struct puan_arena *a)
{
    struct puan_out o;

    puan_out_init(&o, a);
    puan_out_fmt(&o, "# Imported from %.*s.  What could not be carried over "
                     "stands in the\n# report of puan form import.\n",
                 PUAN_FMT(stem(file)));
    puan_out_str(&o, text);
    return puan_out_view(&o);
}

static enum puan_status write_one(const char *path, struct puan_str text,
                                  bool replace, struct puan_err *err)
{
    if (!replace && puan_file_exists(path))
        return puan_fail(err, PUAN_ECONFLICT, path,
                         "exists already; --replace writes over it");
    return puan_file_write(path, text, 0644, err);
}

static enum puan_status import(struct puan_out *report, const char *file,
                               const char *form, const char *rules,
                               bool replace, const struct puan_xlsform_in *how,
                               struct puan_arena *a, struct puan_err *err)
{
    const struct puan_form *f;
    struct puan_problems problems = { .arena = a };
    struct puan_xlsform x;
    struct puan_str bytes, yaml, rule_text;
    enum puan_status st =
        puan_file_read(&bytes, file, PUAN_XLSX_BYTES + 1, a, err);

    if (st == PUAN_OK)
        st = puan_forms_import(&x, bytes, file, how, a, err);
    if (st != PUAN_OK)
        return st;
    put_remarks(report, file, &x);
    put_summary(report, &x);
    yaml = headed(file, x.yaml, a);
    rule_text = headed(file, x.rules, a);
    if (form && !rules)
        rules = rules_beside(form, a);
    if (form)
        st = write_one(form, yaml, replace, err);
    if (st == PUAN_OK && form && x.rules.n)
        st = write_one(rules, rule_text, replace, err);
    /* what only shows when all rules stand together: they contradict */
    if (st == PUAN_OK)
        st = puan_forms_check(&f, yaml, form ? form : "form", rule_text,
                              rules ? rules : "rules", &problems, a, err);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

static int cmd_import(int argc, char **argv)
{
    const char *file = NULL, *form = NULL, *rules = NULL, *id = NULL;
    const char *zh = NULL, *en = NULL;
    bool replace = false;
    const struct puan_arg args[] = {
        { NULL, &file, NULL },     { "--out", &form, NULL },
        { "--rules", &rules, NULL },
        { "--form", &id, NULL },   { "--zh", &zh, NULL },
        { "--en", &en, NULL },     { "--replace", NULL, &replace },
    };
    struct puan_xlsform_in how = { 0 };
    struct puan_arena a;
    struct puan_out o;
    struct puan_str text;
    struct puan_err err = { 0 };
    enum puan_status st;
    int code = PUAN_EXIT_DONE;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || !file)
        return PUAN_EXIT_USAGE;
    how.id = puan_str_of(id);
    how.zh = puan_str_of(zh);
    how.en = puan_str_of(en);
    puan_arena_init(&a, puan_os_alloc());
    puan_out_init(&o, &a);
    st = import(&o, file, form, rules, replace, &how, &a, &err);
    text = puan_out_view(&o);
    if (text.n && (fwrite(text.p, 1, text.n, stdout) != text.n ||
                   fflush(stdout) != 0))
        code = PUAN_EXIT_SYSTEM;
    if (st != PUAN_OK)
        code = puan_command_fail(st, &err);
    puan_arena_clear(&a);
    return code;
}

/* ---- check ---- */

enum puan_status puan_forms_check(const struct puan_form **out,
                                  struct puan_str form, const char *form_file,
                                  struct puan_str rules, const char *rules_file,
                                  struct puan_problems *problems,
                                  struct puan_arena *a, struct puan_err *err)
{
    static const struct puan_prove_limits limits = { .conflicts_only = true };
    struct puan_node *tree;
    struct puan_form *f;
    struct puan_routing *routing;
    struct puan_ruleset *rs = NULL;
    struct puan_rule_proofs proofs;
    struct puan_err own = { 0 };
    enum puan_status st = puan_yaml_tree(&tree, form, form_file, a, &own);

    *out = NULL;
    if (st != PUAN_OK)
        puan_problem_take(problems, &own);
    if (st != PUAN_OK)
        return puan_fail_at(err, st, problems->first->file,
                            problems->first->line, problems->first->col, "%s",
                            problems->first->text);
    st = puan_form_load_all(&f, tree, NULL, puan_digest_sm3(), problems, a, err);
    if (st != PUAN_OK)
        return st;
    st = puan_routing_compile(&routing, f, NULL, 0, problems, a, err);
    if (rules.n && st == PUAN_OK) {
        st = puan_ruleset_compile(&rs, f, NULL, 0, &rules, &rules_file, 1, a,
                                  &own);
        if (st == PUAN_OK)
            st = puan_ruleset_all_used((const struct puan_ruleset *const *)&rs,
                                       1, &own);
        if (st == PUAN_OK)
            st = puan_rules_prove(&proofs, f, NULL, 0, &rules, &rules_file, 1,
                                  &limits, a, &own);
        if (st == PUAN_OK)
            st = puan_rule_proofs_refuse(&proofs, &own);
        if (st != PUAN_OK) {
            if (err && err->code == PUAN_OK)
                *err = own;
            puan_problem_take(problems, &own);
        }
    }
    *out = f;
    return st;
}

static int cmd_check(int argc, char **argv)
{
    const char *file = NULL, *rules_file = NULL;
    const struct puan_arg args[] = { { NULL, &file, NULL },
                                     { NULL, &rules_file, NULL } };
    const struct puan_form *f = NULL;
    struct puan_str form, rules = { "", 0 };
    struct puan_arena a;
    struct puan_problems problems = { .arena = &a };
    struct puan_err err = { 0 };
    enum puan_status st;
    int code = PUAN_EXIT_DONE;

    if (!puan_args(argc, argv, args, PUAN_COUNT(args)) || !file)
        return PUAN_EXIT_USAGE;
    puan_arena_init(&a, puan_os_alloc());
    st = puan_file_read(&form, file, PUAN_YAML_BYTES, &a, &err);
    if (st == PUAN_OK && rules_file)
        st = puan_file_read(&rules, rules_file, PUAN_YAML_BYTES, &a, &err);
    if (st == PUAN_OK)
        st = puan_forms_check(&f, form, file, rules,
                              rules_file ? rules_file : "rules", &problems, &a,
                              &err);
    for (const struct puan_problem *p = problems.first; p; p = p->next)
        (void)printf("%s:%u:%u: %s\n", p->file, p->line, p->col, p->text);
    if (st == PUAN_OK) {
        (void)printf("%.*s:", PUAN_FMT(f->id));
        for (uint16_t e = 0; e < f->n_entities; e++)
            (void)printf("%s %.*s %u", e ? "," : "",
                         PUAN_FMT(f->entity[e].name),
                         (unsigned)f->entity[e].n_asked);
        (void)printf("\n");
    } else if (problems.n > 0) {
        code = PUAN_EXIT_INPUT;
    } else {
        code = puan_command_fail(st, &err);
    }
    puan_arena_clear(&a);
    return code;
}

static const struct puan_command commands[] = {
    { "form import",
      "FILE.xlsx [--out FORM.yaml] [--rules FORM.rules] [--form ID] [--zh LANG] "
      "[--en LANG] [--replace]",
      "Makes a form and rules of a plan out of an XLSForm (ODK, KoboToolbox) "
      "and reports\nsheet, row and column of all that could not be carried "
      "over. Without --out it only reports.\n--zh and --en name the languages of "
      "its label columns.",
      cmd_import, "把 XLSForm 表格（.xlsx）导入为普查表和审核规则，并报告未能导入的内容" },
    { "form check", "FORM.yaml [FORM.rules]",
      "Proves one form and its rules without a plan: names, types, code lists, "
      "routing,\nrules, and that some return can pass. Exit code 3 when there "
      "is a fault.",
      cmd_check, "单独检查一张普查表及其审核规则" },
};

const struct puan_feature puan_feature_forms = {
    .name = "forms",
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
};
