/*
 * puan figures: figures of areas and the findings of the rules over them, from
 * CSV files of returns and the listing, or from a campaign directory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "features/check/csv_record.h"
#include "features/check/figures.h"
#include "features/host/args.h"
#include "features/plans/plans.h"
#include "kit/crypto/crypto.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

#define MOST 64

const char puan_figures_usage[] =
    "[--plan PACK] [--sheet S | --dossier D] [--register NAME=FILE]… "
    "[--level L] [--given FILE]… [--figures FILE] "
    "[--findings FILE] [--json] [--lang zh|en] [--area CODE] [--quiet] "
    "CAMPAIGN | FORM:FILE…";
const char puan_figures_help[] =
    "Adds up the figures that a plan's sheets name for every area (households "
    "registered and listed, births, ages, vacant dwellings, …) and runs the "
    "rules over them: the totals of an enumeration area against its roll, the "
    "macro checks of townships and counties. Data are a campaign directory, or "
    "CSV files of returns named with their form: short:household.csv "
    "short:person.csv listing:listing.csv. --given reads "
    "area,figure,value: registers, an earlier census. --dossier gathers all "
    "records of one identity number (or of one name, sex and birth) and runs "
    "the rules over those; --register names a register with a column "
    "id_number. --figures and --findings "
    "write CSV; --json prints both; without them the findings are printed. "
    "Exit code 1 when there are findings.";

struct options {
    const char *plan, *sheet, *level, *figures, *findings, *lang;
    const char *dossier;
    const char *given[MOST], *data[MOST], *reg[MOST];
    size_t n_given, n_data, n_reg;
    int64_t area;
    bool json, quiet;
};

static const char *set(struct options *o, const char *name, const char *v)
{
    const struct {
        const char *name;
        const char **to;
    } text[] = {
        { "--plan", &o->plan },       { "--sheet", &o->sheet },
        { "--level", &o->level },     { "--figures", &o->figures },
        { "--findings", &o->findings }, { "--lang", &o->lang },
        { "--dossier", &o->dossier },
    };

    for (size_t i = 0; i < PUAN_COUNT(text); i++)
        if (strcmp(name, text[i].name) == 0) {
            *text[i].to = v;
            return NULL;
        }
    if (strcmp(name, "--area") == 0)
        return puan_int_parse(&o->area, puan_str_of(v)) ? NULL
                                                        : "no area code";
    if (strcmp(name, "--register") == 0) {
        if (o->n_reg == MOST || !strchr(v, '='))
            return "write NAME=FILE";
        o->reg[o->n_reg++] = v;
        return NULL;
    }
    if (strcmp(name, "--given") != 0)
        return "unknown option";
    if (o->n_given == MOST)
        return "too many --given";
    o->given[o->n_given++] = v;
    return NULL;
}

static bool parse(struct options *o, int argc, char **argv)
{
    const char *bad = NULL, *at = "figures";

    *o = (struct options){ .lang = "zh" };
    for (int i = 1; i < argc && !bad; i++) {
        at = argv[i];
        if (strcmp(at, "--json") == 0) {
            o->json = true;
        } else if (strcmp(at, "--quiet") == 0) {
            o->quiet = true;
        } else if (strncmp(at, "--", 2) == 0) {
            bad = i + 1 < argc ? set(o, at, argv[i + 1]) : "needs a value";
            i++;
        } else if (o->n_data == MOST) {
            bad = "too many files";
        } else {
            o->data[o->n_data++] = at;
        }
    }
    if (!bad && o->n_data == 0)
        bad = "a campaign directory or files FORM:FILE are needed";
    if (!bad && strcmp(o->lang, "zh") != 0 && strcmp(o->lang, "en") != 0)
        bad = "--lang is zh or en";
    if (bad)
        fprintf(stderr, "puan figures: %s: %s\n", at, bad);
    return !bad;
}

/* ---- CSV ----------------------------------------------------------------- */

struct csv_form { /* the files of one form */
    const struct puan_form *form;
    const char *path[MOST];
    size_t n;
};

static enum puan_status by_form(struct csv_form *list, size_t *n,
                                const struct options *o,
                                const struct puan_plan *plan,
                                struct puan_arena *a, struct puan_err *err)
{
    *n = 0;
    for (size_t i = 0; i < o->n_data; i++) {
        struct puan_str rest = puan_str_of(o->data[i]), id;
        const struct puan_form *form;
        size_t k = 0;

        if (!puan_str_split(&id, &rest, ':') || rest.n == 0)
            return puan_fail(err, PUAN_EINVAL, o->data[i],
                             "write FORM:FILE, such as short:person.csv, or a "
                             "campaign directory alone");
        form = puan_plan_form(plan, id);
        if (!form)
            return puan_fail(err, PUAN_ENOTFOUND, o->data[i],
                             "the plan has no form '%.*s'", PUAN_FMT(id));
        while (k < *n && list[k].form != form)
            k++;
        if (k == *n) {
            list[k].form = form;
            list[k].n = 0;
            ++*n;
        }
        list[k].path[list[k].n++] =
            form->n_entities == 1 && !strchr(puan_arena_dup(a, rest), '=')
                ? puan_arena_fmt(a, "%.*s=%.*s",
                                 PUAN_FMT(form->entity[0].name),
                                 PUAN_FMT(rest))
                : puan_arena_dup(a, rest);
    }
    return puan_arena_check(a, err);
}

static enum puan_status add_returns(struct puan_area_figures *f,
                                    const struct puan_csv_set *set,
                                    const struct csv_form *c,
                                    const struct puan_ruleset *rs,
                                    struct puan_err *err)
{
    const struct puan_plan *plan = f->plan;
    struct puan_csv_cursor *cursor = NULL;
    struct puan_progress bar;
    struct puan_arena work;
    bool listing = puan_str_is(c->form->id, "listing");
    enum puan_status st = puan_csv_cursor_open(&cursor, set, err);

    puan_arena_init(&work, &puan_heap);
    puan_progress_begin(&bar, "汇总 adding up", puan_csv_set_rows(set, 0));
    for (size_t k = 0; st == PUAN_OK && k < puan_csv_set_chunks(set); k++) {
        struct puan_csv_return *r;
        size_t n;

        puan_arena_reset(&work);
        st = puan_csv_cursor_chunk(&r, &n, cursor, k, &work, err);
        for (size_t i = 0; st == PUAN_OK && i < n; i++) {
            int64_t ea = puan_plan_area_of_household(plan, r[i].household,
                                                     plan->ea_level);
            struct puan_findings found = { 0 };
            int64_t hard = 0;

            puan_figures_add(f->figures, ea, &r[i].record, 0, NULL);
            if (listing) {
                f->listed++;
                continue;
            }
            f->returns++;
            st = puan_ruleset_run(&found, rs, &r[i].record, &work, err);
            for (size_t j = 0; j < found.n; j++)
                hard += puan_ruleset_info(rs, found.list[j].rule)->severity ==
                        PUAN_HARD;
            puan_area_figures_give(f, ea, "hard_open", hard);
        }
        if (st == PUAN_OK)
            puan_progress_add(&bar, n);
    }
    puan_progress_end(&bar);
    puan_csv_cursor_close(cursor);
    puan_arena_clear(&work);
    return st;
}

static enum puan_status from_csv(struct puan_area_figures *f,
                                 const struct options *o, struct puan_arena *a,
                                 struct puan_err *err)
{
    const struct puan_csv_options opt = { .ignore_unknown = true };
    struct csv_form list[MOST];
    size_t n;
    enum puan_status st = by_form(list, &n, o, f->plan, a, err);

    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        struct puan_csv_set *set = NULL;
        struct puan_ruleset *rs = NULL;

        st = puan_ruleset_compile(&rs, list[i].form, f->plan->consts,
                                  f->plan->n_consts, f->plan->rule_text,
                                  f->plan->rule_name, f->plan->n_rules, a,
                                  err);
        if (st == PUAN_OK)
            st = puan_csv_set_open(
                &set, list[i].form,
                f->plan->routing[list[i].form->ordinal],
                (const char *const *)list[i].path, list[i].n, &opt, err);
        if (st == PUAN_OK)
            st = add_returns(f, set, &list[i], rs, err);
        puan_csv_set_close(set);
    }
    return st;
}

/* ---- dossiers ------------------------------------------------------------ */

static enum puan_status gather(struct puan_dossier_run *d,
                               const struct csv_form *c, struct puan_err *err)
{
    const struct puan_csv_options opt = { .ignore_unknown = true };
    struct puan_csv_cursor *cursor = NULL;
    struct puan_csv_set *set = NULL;
    struct puan_arena work;
    enum puan_status st =
        puan_csv_set_open(&set, c->form, d->plan->routing[c->form->ordinal],
                          (const char *const *)c->path, c->n, &opt, err);

    puan_arena_init(&work, &puan_heap);
    if (st == PUAN_OK)
        st = puan_csv_cursor_open(&cursor, set, err);
    for (size_t k = 0; st == PUAN_OK && k < puan_csv_set_chunks(set); k++) {
        struct puan_csv_return *r;
        size_t n;

        puan_arena_reset(&work);
        st = puan_csv_cursor_chunk(&r, &n, cursor, k, &work, err);
        for (size_t i = 0; st == PUAN_OK && i < n; i++)
            puan_dossier_return(d, &r[i].record, r[i].household);
    }
    puan_csv_cursor_close(cursor);
    puan_csv_set_close(set);
    puan_arena_clear(&work);
    return st;
}

static enum puan_status dossiers(size_t *found, const struct options *o,
                                 const struct puan_plan *plan,
                                 struct puan_store *store, struct puan_arena *a,
                                 struct puan_err *err)
{
    const struct puan_dossier *dossier =
        puan_plan_dossier(plan, puan_str_of(o->dossier));
    struct puan_dossier_run d;
    struct csv_form list[MOST];
    size_t n = 0;
    enum puan_status st;

    if (!dossier)
        return puan_fail(err, PUAN_ENOTFOUND, "--dossier",
                         "the plan has no dossier '%s'", o->dossier);
    st = puan_dossier_begin(&d, plan, dossier, a, err);
    if (st == PUAN_OK && store)
        st = puan_dossier_store(&d, store, o->area, err);
    else if (st == PUAN_OK)
        st = by_form(list, &n, o, plan, a, err);
    for (size_t i = 0; st == PUAN_OK && i < n; i++)
        st = gather(&d, &list[i], err);
    for (size_t i = 0; st == PUAN_OK && i < o->n_reg; i++) {
        struct puan_str file = puan_str_of(o->reg[i]), name;

        (void)puan_str_split(&name, &file, '=');
        st = puan_dossier_register(&d, name, puan_arena_dup(a, file), err);
    }
    if (st == PUAN_OK)
        st = puan_dossier_end(&d, strcmp(o->lang, "zh") == 0, err);
    if (st == PUAN_OK && o->findings)
        st = puan_file_write(o->findings, puan_out_view(&d.findings), 0644,
                             err);
    if (st != PUAN_OK)
        return st;
    if (!o->findings)
        printf("%.*s", PUAN_FMT(puan_out_view(&d.findings)));
    if (!o->quiet)
        fprintf(stderr, "%.*s: %zu rows in %zu dossiers, %zu findings\n",
                PUAN_FMT(dossier->form->id), puan_dossiers_rows(d.rows),
                d.n_dossiers, d.n_findings);
    *found = d.n_findings;
    return PUAN_OK;
}

/* ---- the command --------------------------------------------------------- */

static enum puan_status answer(const struct puan_area_figures *f,
                               const struct options *o, int level,
                               struct puan_arena *a, struct puan_err *err)
{
    bool zh = strcmp(o->lang, "zh") == 0;
    struct puan_out figures, findings, json;
    enum puan_status st;

    puan_out_init(&figures, a);
    puan_out_init(&findings, a);
    puan_out_init(&json, a);
    if (o->figures)
        puan_area_figures_csv(&figures, f, level);
    puan_area_findings_csv(&findings, f, level, zh);
    if (o->json) {
        struct puan_jw w;

        puan_jw_init(&w, &json);
        puan_area_figures_json(&w, f, level);
    }
    st = puan_arena_check(a, err);
    if (st == PUAN_OK && o->figures)
        st = puan_file_write(o->figures, puan_out_view(&figures), 0644, err);
    if (st == PUAN_OK && o->findings)
        st = puan_file_write(o->findings, puan_out_view(&findings), 0644, err);
    if (st != PUAN_OK)
        return st;
    if (o->json)
        printf("%.*s\n", PUAN_FMT(puan_out_view(&json)));
    else if (!o->findings)
        printf("%.*s", PUAN_FMT(puan_out_view(&findings)));
    if (!o->quiet)
        fprintf(stderr,
                "%.*s: %llu returns, %llu on the roll, %zu findings\n",
                PUAN_FMT(f->sheet->form->id), (unsigned long long)f->returns,
                (unsigned long long)f->listed, f->n_found);
    return PUAN_OK;
}

/* The sheet asked for; the plan's first when none is. */
static enum puan_status choose(const struct puan_sheet **sheet, int *level,
                               const struct puan_plan *plan,
                               const struct options *o, struct puan_err *err)
{
    *level = -1;
    *sheet = o->sheet          ? puan_plan_sheet(plan, puan_str_of(o->sheet))
             : plan->n_sheets ? plan->sheet[0]
                               : NULL;
    if (!*sheet)
        return puan_fail(err, PUAN_ENOTFOUND, o->plan ? o->plan : "plan",
                         o->sheet ? "the plan has no sheet '%s'"
                                  : "the plan has no sheet of figures%s",
                         o->sheet ? o->sheet : "");
    if (!o->level)
        return PUAN_OK;
    *level = puan_plan_level(plan, puan_str_of(o->level));
    if (*level < 0 || !((*sheet)->levels >> *level & 1))
        return puan_fail(err, PUAN_ENOTFOUND, "--level",
                         "sheet '%.*s' has no level '%s'",
                         PUAN_FMT((*sheet)->form->id), o->level);
    return PUAN_OK;
}

static enum puan_status work(size_t *found, const struct options *o,
                             const struct puan_plan *plan,
                             struct puan_store *store, struct puan_arena *a,
                             struct puan_err *err)
{
    struct puan_area_figures f;
    const struct puan_sheet *sheet;
    int level;
    enum puan_status st = choose(&sheet, &level, plan, o, err);

    if (st == PUAN_OK)
        st = puan_area_figures_begin(&f, plan, sheet, a, err);
    if (st == PUAN_OK)
        st = store ? puan_area_figures_store(&f, store, o->area, err)
                   : from_csv(&f, o, a, err);
    for (size_t i = 0; st == PUAN_OK && i < o->n_given; i++)
        st = puan_area_figures_file(&f, o->given[i], err);
    if (st == PUAN_OK)
        st = puan_area_figures_end(&f, err);
    if (st == PUAN_OK)
        st = answer(&f, o, level, a, err);
    *found = st == PUAN_OK ? f.n_found : 0;
    return st;
}

int puan_figures_command(int argc, char **argv)
{
    const struct puan_store_options readonly = { .readonly = true,
                                                 .no_writers = true };
    struct puan_plan_held *held = NULL;
    struct puan_store *store = NULL;
    const struct puan_plan *plan = NULL;
    struct puan_err err = { 0 };
    struct puan_arena a;
    struct options o;
    size_t found = 0;
    enum puan_status st;

    if (!parse(&o, argc, argv))
        return PUAN_EXIT_USAGE;
    puan_progress_quiet(o.quiet || o.json);
    puan_arena_init(&a, &puan_heap);
    if (o.n_data == 1 && puan_dir_exists(o.data[0])) {
        st = puan_store_open(&store, o.data[0], &readonly, &err);
        if (st == PUAN_OK)
            plan = puan_store_plan(store);
    } else {
        st = puan_plan_load_dir(&held, o.plan ? o.plan : PUAN_DEFAULT_PLAN,
                                puan_digest_sm3(), &err);
        if (st == PUAN_OK)
            plan = puan_plan_held_plan(held);
    }
    if (st == PUAN_OK)
        st = (o.dossier ? dossiers : work)(&found, &o, plan, store, &a, &err);
    if (store)
        puan_store_close(store);
    puan_plan_close(held);
    puan_arena_clear(&a);
    if (st != PUAN_OK)
        return puan_verb_fail("figures", &err);
    return found ? PUAN_EXIT_FINDINGS : PUAN_EXIT_DONE;
}
