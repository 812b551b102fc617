/*
 * The command: chunks of units on all cores, changes in the order of the file.
 */
#include "features/edit/edit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan/plan.h"
#include "core/rule/lookup.h"
#include "features/check/lookup_csv.h"
#include "features/edit/campaign.h"
#include "features/edit/clean.h"
#include "features/edit/tables.h"
#include "features/edit/unit.h"
#include "features/host/args.h"
#include "features/plans/plans.h"
#include "kit/crypto/crypto.h"
#include "kit/job/job.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"
#include "kit/sheet/parts.h"

#define PATHS_MOST 64
#define RULES_BYTES (8u << 20)

struct options {
    const char *plan, *form, *out, *rates, *clean, *by, *unit, *entity;
    const char *campaign; /* DATA is a campaign directory */
    const char *rules[PATHS_MOST], *data[PATHS_MOST], *weight[PATHS_MOST],
        *lookup[PATHS_MOST];
    size_t n_rules, n_data, n_weights, n_lookups;
    bool json, quiet, ignore_unknown, dry_run, report;
    int64_t threads, budget, seed, donors, area, run, redo;
};

struct worker {
    struct puan_edit_cursor *cursor;
    struct puan_arena arena, one;
    struct puan_rates *rates;
    struct puan_clean *clean;
    uint64_t weight, changes;
};

struct job {
    const struct options *o;
    const struct puan_form *form;
    struct puan_edit_set set;
    struct puan_edit_left_out *left_out;
    size_t n_left_out;
    struct puan_edit_source *source;
    struct worker *worker;
    size_t n_workers;
    struct puan_progress bar;
    struct puan_sheet_out *out;
    struct puan_sheet_parts *parts;
};

static const char usage[] =
    "(--plan PACK --form F | --rules FILE…) [--lookup NAME=FILE.csv]… "
    "[--unit LEVEL] [--weight ITEM=N]… [--out FILE] [--clean DIR] "
    "[--rates FILE] [--by ITEM] [--donors N] [--budget N] [--seed N] "
    "[--entity NAME] [--threads N] [--ignore-unknown] [--json] [--quiet] "
    "DATA… | DIR [--form F] [--area CODE] [--weight ITEM=N]… [--donors N] "
    "[--budget N] [--seed N] [--rates FILE] [--dry-run --by ITEM] "
    "[--threads N] [--json] [--quiet] | --report DIR [--run N] [--area CODE] "
    "[--rates FILE] [--json] | --redo N DIR [--threads N] [--json]";

static int fail(const struct puan_err *err)
{
    return puan_verb_fail("edit", err);
}

static bool flag(struct options *o, const char *a)
{
    if (strcmp(a, "--json") == 0)
        return o->json = true;
    if (strcmp(a, "--quiet") == 0)
        return o->quiet = true;
    if (strcmp(a, "--ignore-unknown") == 0)
        return o->ignore_unknown = true;
    if (strcmp(a, "--dry-run") == 0)
        return o->dry_run = true;
    if (strcmp(a, "--report") == 0)
        return o->report = true;
    return false;
}

static const char *number(int64_t *out, const char *v, int64_t most,
                          const char *wrong)
{
    if (!puan_int_parse(out, puan_str_of(v)) || *out < 1 || *out > most)
        return wrong;
    return NULL;
}

static const char *add(const char **list, size_t *n, const char *v)
{
    if (*n == PATHS_MOST)
        return "too many of them";
    list[(*n)++] = v;
    return NULL;
}

/* An option with a value; NULL when it is fine, else what is wrong. */
static const char *value(struct options *o, const char *a, const char *v)
{
    const struct {
        const char *name;
        const char **to;
    } texts[] = { { "--plan", &o->plan },     { "--form", &o->form },
                  { "--out", &o->out },       { "--rates", &o->rates },
                  { "--by", &o->by },         { "--unit", &o->unit },
                  { "--entity", &o->entity }, { "--clean", &o->clean } };

    for (size_t i = 0; i < PUAN_COUNT(texts); i++)
        if (strcmp(a, texts[i].name) == 0) {
            *texts[i].to = v;
            return NULL;
        }
    if (strcmp(a, "--rules") == 0)
        return add(o->rules, &o->n_rules, v);
    if (strcmp(a, "--weight") == 0)
        return add(o->weight, &o->n_weights, v);
    if (strcmp(a, "--lookup") == 0)
        return strchr(v, '=') ? add(o->lookup, &o->n_lookups, v)
                              : "a lookup is NAME=FILE.csv";
    if (strcmp(a, "--area") == 0)
        return number(&o->area, v, INT64_MAX, "--area is the code of an area");
    if (strcmp(a, "--run") == 0)
        return number(&o->run, v, INT64_MAX, "--run is the number of an edit");
    if (strcmp(a, "--redo") == 0)
        return number(&o->redo, v, INT64_MAX,
                      "--redo is the number of an edit");
    if (strcmp(a, "--threads") == 0)
        return number(&o->threads, v, 256, "--threads is 1 to 256");
    if (strcmp(a, "--budget") == 0)
        return number(&o->budget, v, INT64_MAX, "--budget is 1 or more");
    if (strcmp(a, "--seed") == 0)
        return number(&o->seed, v, INT64_MAX, "--seed is 1 or more");
    if (strcmp(a, "--donors") == 0)
        return number(&o->donors, v, 20, "--donors is 1 to 20");
    return "unknown option";
}

/* What is wrong with the options together, or NULL. */
static const char *fits(const struct options *o)
{
    bool kept = o->report || o->run || o->redo || o->area || o->dry_run;

    if (!o->campaign) {
        if (kept)
            return "--report, --run, --redo, --area and --dry-run are of a "
                   "campaign directory; name one";
        if (o->n_data == 0 || (!o->plan && o->n_rules == 0) ||
            (o->plan && !o->form))
            return "--plan and --form, or --rules, and at least one file are "
                   "needed";
        return NULL;
    }
    if (o->n_lookups)
        return "--lookup is for files: a campaign's rules read what it holds";
    if (o->dry_run && (o->report || o->redo || o->run || o->area))
        return "--dry-run counts the whole campaign and keeps nothing";
    if (o->dry_run && !o->form)
        return "--dry-run wants one --form";
    if (o->by && !o->dry_run)
        return "--by is for files and --dry-run: a kept edit has rates of every "
               "area (--report)";
    if ((o->report || o->redo) &&
        (o->out || o->clean || o->seed || o->n_weights || o->budget ||
         o->donors))
        return "--report and --redo take an edit as it was made";
    return NULL;
}

static bool parse(struct options *o, int argc, char **argv)
{
    const char *bad = NULL, *at = "";

    *o = (struct options){ 0 };
    for (int i = 1; i < argc && !bad; i++) {
        at = argv[i];
        if (strncmp(argv[i], "--", 2) != 0) {
            bad = add(o->data, &o->n_data, argv[i]);
        } else if (flag(o, argv[i])) {
            continue;
        } else if (i + 1 == argc) {
            bad = "needs a value or is unknown";
        } else {
            bad = value(o, argv[i], argv[i + 1]);
            i++;
        }
    }
    if (!bad && o->n_data == 1 && !o->plan && o->n_rules == 0 &&
        puan_dir_exists(o->data[0]))
        o->campaign = o->data[0];
    if (!bad)
        bad = fits(o);
    if (bad && at[0] != '-')
        at = "edit";
    if (!bad)
        return true;
    fprintf(stderr, "puan: %s: %s\n", at, bad);
    return false;
}

/* ---- what is asked for ---- */

struct texts {
    const struct puan_str *text;
    const char *const *name;
    size_t n;
};

static enum puan_status rule_texts(struct texts *out, struct job *j,
                                   const struct puan_plan *plan,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_str *mine;
    enum puan_status st = PUAN_OK;

    if (j->o->n_rules == 0 && plan) {
        *out =
            (struct texts){ plan->rule_text, plan->rule_name, plan->n_rules };
        return PUAN_OK;
    }
    mine = puan_new_n(a, j->o->n_rules, struct puan_str);
    if (!mine)
        return puan_arena_check(a, err);
    for (size_t i = 0; st == PUAN_OK && i < j->o->n_rules; i++)
        st = puan_file_read(&mine[i], j->o->rules[i], RULES_BYTES, a, err);
    *out = (struct texts){ mine, j->o->rules, j->o->n_rules };
    return st;
}

static enum puan_status open_source(struct job *j, const struct texts *t,
                                    const struct puan_plan *plan,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_edit_frame opt = { 0 };
    struct puan_rule_decls decls;
    enum puan_status st;

    if (plan) {
        const struct puan_form *f =
            puan_plan_form(plan, puan_str_of(j->o->form));

        if (!f)
            return puan_fail(err, PUAN_ENOTFOUND, j->o->plan,
                             "the plan has no form %s", j->o->form);
        return puan_edit_source_form(&j->source, plan, f, j->o->data,
                                     j->o->n_data, j->o->ignore_unknown, err);
    }
    st = puan_rule_declared(&decls, t->text, t->name, t->n, a, err);
    if (st != PUAN_OK)
        return st;
    opt.level = decls.level;
    opt.n_levels = decls.n_levels;
    opt.unit = puan_str_of(j->o->unit ? j->o->unit : "");
    opt.entity = puan_str_of(j->o->entity ? j->o->entity : "");
    return puan_edit_source_frame(&j->source, j->o->data, j->o->n_data, &opt,
                                  err);
}

/* Answers leave a campaign by approval only: it is told in counts. */
static enum puan_status open_campaign(struct job *j,
                                      const struct puan_plan **plan,
                                      struct puan_err *err)
{
    enum puan_status st;

    if (j->o->out || j->o->clean)
        return puan_fail(err, PUAN_EDENIED, j->o->campaign,
                         "answers leave a campaign by approval only: ask for "
                         "counts (--rates), without --out and --clean");
    st = puan_edit_source_campaign(&j->source, j->o->campaign, j->o->form, err);
    if (st == PUAN_OK)
        *plan = puan_edit_source_plan(j->source);
    return st;
}

/* The form as a frame without rows: what lookups are read by. */
static enum puan_status shape_of(struct puan_frame *out,
                                 const struct puan_form *form,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_frame_entity *e =
        puan_new_n(a, form->n_entities, struct puan_frame_entity);

    *out = (struct puan_frame){ .entity = e, .n_entities = form->n_entities };
    for (uint16_t k = 0; e && k < form->n_entities; k++) {
        const struct puan_entity *from = &form->entity[k];
        struct puan_frame_item *it =
            puan_new_n(a, from->n_items, struct puan_frame_item);

        if (!it)
            break;
        e[k].name = from->name;
        e[k].item = it;
        e[k].n_items = from->n_items;
        for (uint16_t i = 0; i < from->n_items; i++)
            it[i] = (struct puan_frame_item){ .name = from->items[i].name,
                                              .type = from->items[i].type,
                                              .places = from->items[i].places,
                                              .digits = from->items[i].digits,
                                              .codes = from->items[i].codes };
    }
    return puan_arena_check(a, err);
}

/* NAME=FILE.csv of a table the rules declare; its path, or NULL. */
static const char *lookup_path(const struct options *o, struct puan_str name)
{
    const char *path = NULL;

    for (size_t i = 0; i < o->n_lookups; i++) {
        struct puan_str own, rest = puan_str_of(o->lookup[i]);

        if (puan_str_split(&own, &rest, '=') && puan_str_eq(own, name))
            path = strchr(o->lookup[i], '=') + 1;
    }
    return path;
}

/*
 * Data of the reference tables.  With rules of one's own each table needs
 * them, as for puan check; a plan's tables may stay without, and their rules
 * are named as silent.
 */
static enum puan_status lookups(struct puan_edit_rules *rules,
                                const struct job *j, bool plan,
                                struct puan_arena *a, struct puan_err *err)
{
    const struct options *o = j->o;
    struct puan_rule_decls decls;
    struct puan_lookup *list;
    struct puan_frame shape;
    enum puan_status st =
        puan_rule_declared(&decls, rules->text, rules->file, rules->n, a, err);

    for (size_t i = 0; st == PUAN_OK && i < o->n_lookups; i++) {
        struct puan_str name, rest = puan_str_of(o->lookup[i]);
        bool known = false;

        puan_str_split(&name, &rest, '=');
        for (size_t t = 0; t < decls.n_tables; t++)
            known |= puan_str_eq(decls.table[t].name, name);
        if (!known)
            st = puan_fail(err, PUAN_EINVAL, "--lookup",
                           "no rule text declares the table '%.*s': write "
                           "table %.*s by ITEM, … gives COLUMN, …",
                           PUAN_FMT(name), PUAN_FMT(name));
    }
    if (st == PUAN_OK)
        st = shape_of(&shape, j->form, a, err);
    if (st != PUAN_OK)
        return st;
    list = puan_new_n(a, decls.n_tables, struct puan_lookup);
    for (size_t t = 0; st == PUAN_OK && list && t < decls.n_tables; t++) {
        const struct puan_rule_table *d = &decls.table[t];
        const char *path = lookup_path(o, d->name);

        if (path)
            st = puan_lookup_csv(&list[rules->n_lookups++], d, path, &shape, a,
                                 err);
        else if (!plan)
            st = puan_fail_at(err, PUAN_EINVAL, d->file, d->line, d->col,
                              "table '%.*s' has no data: give it with "
                              "--lookup %.*s=FILE.csv",
                              PUAN_FMT(d->name), PUAN_FMT(d->name));
    }
    rules->lookup = list;
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

static enum puan_status compile(struct job *j, const struct texts *t,
                                const struct puan_plan *plan,
                                struct puan_arena *a, struct puan_err *err)
{
    const struct options *o = j->o;
    struct puan_edit_rules rules = { .consts = plan ? plan->consts : NULL,
                                     .n_consts = plan ? plan->n_consts : 0,
                                     .text = t->text,
                                     .file = t->name,
                                     .n = t->n };
    struct puan_edit_how how = { .budget = (uint64_t)o->budget,
                                 .seed = (uint64_t)o->seed,
                                 .donors = (unsigned)o->donors,
                                 .weight = o->weight,
                                 .n_weights = o->n_weights };
    enum puan_status st;

    j->form = puan_edit_source_of(j->source);
    st = lookups(&rules, j, plan != NULL, a, err);
    if (st == PUAN_OK)
        st = puan_edit_set_open(&j->set, j->form,
                                puan_edit_source_routing(j->source), &rules,
                                &how, a, err);
    if (st == PUAN_OK)
        st = puan_edit_set_left_out(&j->left_out, &j->n_left_out, &j->set,
                                    &rules, plan ? plan->form : NULL,
                                    plan ? plan->n_forms : 0, a, err);
    if (st == PUAN_OK && !o->quiet && !o->json)
        puan_edit_say_left_out(j->left_out, j->n_left_out);
    return st;
}

/* ---- one chunk ---- */

static const char *said(const struct puan_item *it, uint8_t st, int64_t v,
                        struct puan_arena *a)
{
    return st == PUAN_GIVEN ? puan_item_text(it, v, a) : "";
}

static const char *state_name(uint8_t st)
{
    static const char *const name[] = { "not asked", "given", "missing",
                                        "invalid" };

    return name[st & 3];
}

/* unit,outcome,entity,row,line,item,was,value,now,new,method,donor,weight */
static void list_changes(struct puan_out *t, const struct job *j,
                         const struct puan_edit_return *r,
                         const struct puan_localised *got,
                         const struct puan_imputed *imputed,
                         struct puan_arena *a)
{
    for (size_t i = 0; i < got->n; i++) {
        const struct puan_cell_change *c = &got->change[i];
        const struct puan_entity *e = &j->form->entity[c->at.entity];
        const struct puan_item *it = &e->items[c->at.item];
        const struct puan_rows *rows = &r->record.rows[c->at.entity];
        size_t at = (size_t)c->at.row * e->n_items + c->at.item;

        puan_csv_put(t, r->key);
        puan_out_text(t, ",repaired,");
        puan_csv_put(t, e->name);
        puan_out_fmt(t, ",%u,%u,", e->roster ? c->at.row + 1 : 0,
                     r->line[c->at.entity][c->at.row]);
        puan_csv_put(t, it->name);
        puan_out_fmt(t, ",%s,", state_name(rows->st[at]));
        puan_csv_put(t, puan_str_of(said(it, rows->st[at], rows->v[at], a)));
        puan_out_fmt(t, ",%s,", state_name((uint8_t)c->state));
        puan_csv_put(t, puan_str_of(said(it, (uint8_t)c->state, c->value, a)));
        puan_out_fmt(t, ",%s,", puan_impute_name(imputed->method[i]));
        if (imputed->donor[i])
            puan_csv_put(t, imputed->donor[i]->key);
        puan_out_fmt(t, ",%u\n", c->weight);
    }
}

static void list_left(struct puan_out *t, const struct puan_edit_return *r,
                      const char *outcome)
{
    puan_csv_put(t, r->key);
    puan_out_fmt(t, ",%s,,,,,,,,,,,\n", outcome);
}

static enum puan_status edit_unit(struct job *j, struct worker *w,
                                  struct puan_out *text,
                                  const struct puan_edit_return *r,
                                  const struct puan_findings *found,
                                  const struct puan_edit_return *const *donor,
                                  size_t n_donors, struct puan_err *err)
{
    struct puan_edit_one one;
    enum puan_status st = puan_edit_one(&one, &j->set, &r->record, found, donor,
                                        n_donors, &w->one, err);

    if (st != PUAN_OK)
        return st;
    if (one.outcome == PUAN_RATES_REPAIRED) {
        w->weight += one.got.weight;
        w->changes += one.got.n_items;
        if (j->out)
            list_changes(text, j, r, &one.got, &one.imputed, &w->one);
        if (w->clean)
            st = puan_clean_unit(w->clean, r, &one.got, &one.imputed, err);
        if (st != PUAN_OK)
            return st;
    } else if (one.outcome != PUAN_RATES_CLEAN && j->out) {
        list_left(text, r,
                  one.outcome == PUAN_RATES_IMPOSSIBLE ? "impossible"
                                                       : "undecided");
    }
    return puan_rates_unit(w->rates, &r->record, NULL, found, one.outcome,
                           &one.got, one.imputed.method ? &one.imputed : NULL,
                           err);
}

static enum puan_status one_chunk(struct job *j, struct worker *w, size_t chunk,
                                  struct puan_err *err)
{
    const struct puan_edit_return **donor;
    struct puan_edit_return *list = NULL;
    const struct puan_record **record;
    struct puan_findings *found;
    struct puan_out text;
    size_t n = 0, n_donors = 0;
    enum puan_status st;

    puan_arena_reset(&w->arena);
    st = puan_edit_cursor_chunk(&list, &n, w->cursor, chunk, &w->arena, err);
    if (st != PUAN_OK)
        return st;
    record = puan_arena_get_n(&w->arena, n, sizeof(*record));
    donor = puan_arena_get_n(&w->arena, n, sizeof(*donor));
    found = puan_new_n(&w->arena, n, struct puan_findings);
    st = puan_arena_check(&w->arena, err);
    if (st != PUAN_OK || !record || !found || !donor)
        return st;
    for (size_t i = 0; i < n; i++)
        record[i] = &list[i].record;
    st = puan_ruleset_run_block(found, j->set.rs, record, n, &w->arena, err);
    for (size_t i = 0; st == PUAN_OK && i < n; i++)
        if (!found[i].any_hard)
            donor[n_donors++] = &list[i];
    puan_out_init(&text, &w->arena);
    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        puan_arena_reset(&w->one);
        st = edit_unit(j, w, &text, &list[i], &found[i], donor, n_donors, err);
    }
    if (st == PUAN_OK)
        st = puan_arena_check(&w->arena, err);
    if (st == PUAN_OK && j->out)
        st = puan_sheet_parts_put(j->parts, chunk, puan_out_view(&text), err);
    puan_progress_add(&j->bar, n);
    return st;
}

static enum puan_status range(void *arg, uint64_t begin, uint64_t end,
                              unsigned worker, struct puan_err *err)
{
    struct job *j = arg;
    enum puan_status st = PUAN_OK;

    for (uint64_t c = begin; st == PUAN_OK && c < end; c++)
        st = one_chunk(j, &j->worker[worker], (size_t)c, err);
    return st;
}

static enum puan_status start_workers(struct job *j, unsigned n, int by,
                                      struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    j->worker = calloc(n, sizeof(*j->worker));
    if (!j->worker)
        return puan_fail(err, PUAN_ENOMEM, "edit", "out of memory");
    for (unsigned i = 0; st == PUAN_OK && i < n; i++) {
        struct worker *w = &j->worker[i];

        j->n_workers++;
        puan_arena_init(&w->arena, &puan_heap);
        puan_arena_init(&w->one, &puan_heap);
        st = puan_rates_open(&w->rates, j->form, j->set.rs, by, err);
        if (st == PUAN_OK && j->o->clean)
            st = puan_clean_open(&w->clean, err);
        if (st == PUAN_OK)
            st = puan_edit_cursor_open(&w->cursor, j->source, err);
    }
    return st;
}

static void stop_workers(struct job *j)
{
    for (size_t i = 0; i < j->n_workers; i++) {
        puan_edit_cursor_close(j->worker[i].cursor);
        puan_rates_close(j->worker[i].rates);
        puan_clean_close(j->worker[i].clean);
        puan_arena_clear(&j->worker[i].arena);
        puan_arena_clear(&j->worker[i].one);
    }
    free(j->worker);
}

/* ---- what is said ---- */

static void print_summary(const struct job *j, int64_t ms)
{
    const struct worker *t = &j->worker[0];
    const uint64_t *u = puan_rates_units(t->rates);
    uint64_t failing = u[PUAN_RATES_REPAIRED] + u[PUAN_RATES_IMPOSSIBLE] +
                       u[PUAN_RATES_UNDECIDED];

    printf("%.*s: %" PRIu64 ", failing a hard rule: %" PRIu64 ", %" PRId64
           ".%03" PRId64 " s\n"
           "repaired: %" PRIu64 " (%" PRIu64 " answers, weight %" PRIu64
           ", each proved least), impossible: %" PRIu64 ", undecided: %" PRIu64
           "\n",
           PUAN_FMT(j->form->entity[0].name), failing + u[PUAN_RATES_CLEAN],
           failing, ms / 1000, ms % 1000, u[PUAN_RATES_REPAIRED], t->changes,
           t->weight, u[PUAN_RATES_IMPOSSIBLE], u[PUAN_RATES_UNDECIDED]);
    if (j->o->seed)
        printf("sets of equal weight chosen by seed %" PRId64 "\n", j->o->seed);
    if (t->changes == 0)
        return;
    printf("  %-12s %-10s %10s %9s %9s %9s %9s %9s %9s %9s\n", "entity", "item",
           "answers", "failing", "changed", "deductive", "donor", "hot-deck",
           "nearest", "ask");
    for (uint16_t e = 0; e < j->form->n_entities; e++)
        for (uint16_t i = 0; i < j->form->entity[e].n_items; i++) {
            const struct puan_rates_row *r = puan_rates_item(t->rates, e, i);

            if (r->changed == 0)
                continue;
            printf("  %-12.*s %-10.*s %10" PRIu64 " %9" PRIu64 " %9" PRIu64,
                   PUAN_FMT(j->form->entity[e].name),
                   PUAN_FMT(j->form->entity[e].items[i].name), r->answers,
                   r->failing, r->changed);
            for (size_t m = 0; m < PUAN_IMPUTE_METHODS; m++)
                printf(" %9" PRIu64, r->method[m]);
            printf("\n");
        }
}

static enum puan_status print_json(const struct job *j, int64_t ms,
                                   struct puan_arena *a, struct puan_err *err)
{
    const struct worker *t = &j->worker[0];
    const uint64_t *u = puan_rates_units(t->rates);
    struct puan_out out;
    struct puan_jw w;
    enum puan_status st;

    puan_out_init(&out, a);
    puan_jw_init(&w, &out);
    puan_jw_map(&w);
    puan_jw_kstr(&w, "form", j->form->id);
    puan_jw_kint(&w, "clean", (int64_t)u[PUAN_RATES_CLEAN]);
    puan_jw_kint(&w, "repaired", (int64_t)u[PUAN_RATES_REPAIRED]);
    puan_jw_kint(&w, "impossible", (int64_t)u[PUAN_RATES_IMPOSSIBLE]);
    puan_jw_kint(&w, "undecided", (int64_t)u[PUAN_RATES_UNDECIDED]);
    puan_jw_kint(&w, "answers", (int64_t)t->changes);
    puan_jw_kint(&w, "weight", (int64_t)t->weight);
    puan_jw_kint(&w, "seed", j->o->seed);
    puan_jw_kint(&w, "ms", ms);
    puan_edit_left_out_json(&w, j->left_out, j->n_left_out);
    puan_jw_key(&w, "items");
    puan_jw_list(&w);
    for (uint16_t e = 0; e < j->form->n_entities; e++)
        for (uint16_t i = 0; i < j->form->entity[e].n_items; i++) {
            const struct puan_rates_row *r = puan_rates_item(t->rates, e, i);

            if (r->changed == 0 && r->failing == 0)
                continue;
            puan_jw_map(&w);
            puan_jw_kstr(&w, "entity", j->form->entity[e].name);
            puan_jw_kstr(&w, "item", j->form->entity[e].items[i].name);
            puan_jw_kint(&w, "answers", (int64_t)r->answers);
            puan_jw_kint(&w, "failing", (int64_t)r->failing);
            puan_jw_kint(&w, "changed", (int64_t)r->changed);
            for (size_t m = 0; m < PUAN_IMPUTE_METHODS; m++)
                puan_jw_kint(&w, puan_impute_name((enum puan_impute_method)m),
                             (int64_t)r->method[m]);
            puan_jw_end(&w, '}');
        }
    puan_jw_end(&w, ']');
    puan_jw_end(&w, '}');
    st = puan_arena_check(a, err);
    if (st == PUAN_OK)
        printf("%.*s\n", PUAN_FMT(puan_out_view(&out)));
    return st;
}

static enum puan_status write_rates(const struct job *j, struct puan_err *err)
{
    struct puan_sheet_out *to;
    enum puan_status st;

    if (!j->o->rates)
        return PUAN_OK;
    st = puan_sheet_create(&to, j->o->rates, err);
    if (st != PUAN_OK)
        return st;
    puan_rates_write(to, j->worker[0].rates);
    return puan_sheet_finish(to, err);
}

static enum puan_status write_clean(const struct job *j, struct puan_err *err)
{
    struct puan_clean *list[256];
    size_t n = 0;

    if (!j->o->clean)
        return PUAN_OK;
    while (n < j->n_workers && n < PUAN_COUNT(list)) {
        list[n] = j->worker[n].clean;
        n++;
    }
    return puan_clean_write(j->o->clean, j->source, list, n, err);
}

static enum puan_status begin_out(struct job *j, struct puan_err *err)
{
    if (!j->o->out)
        return PUAN_OK;
    TRY(puan_sheet_create(&j->out, j->o->out, err));
    puan_sheet_put_raw(
        j->out, PUAN_STR("unit,outcome,entity,row,line,item,was,value,now,"
                         "new,method,donor,weight\n"));
    return puan_sheet_parts_open(&j->parts, j->out,
                                 puan_edit_source_chunks(j->source), err);
}

static enum puan_status work(uint64_t *left, struct job *j,
                             const struct puan_plan *plan, struct puan_arena *a,
                             struct puan_err *err)
{
    int64_t began = puan_monotonic_ms();
    unsigned threads = j->o->threads ? (unsigned)j->o->threads : puan_cores();
    struct puan_localise_weight by = { 0 };
    struct texts t = { 0 };
    const uint64_t *u;
    enum puan_status st = PUAN_OK;

    if (j->o->campaign)
        st = open_campaign(j, &plan, err);
    if (st == PUAN_OK)
        st = rule_texts(&t, j, plan, a, err);
    if (st == PUAN_OK && !j->source)
        st = open_source(j, &t, plan, a, err);
    if (st == PUAN_OK)
        st = compile(j, &t, plan, a, err);
    if (st == PUAN_OK && j->o->by)
        st = puan_edit_item(&by, j->form, puan_str_of(j->o->by), "--by", err);
    if (st == PUAN_OK && by.entity != 0)
        st = puan_fail(err, PUAN_EINVAL, "--by",
                       "'%s' is no item of the %.*s: rates are by what a whole "
                       "unit has",
                       j->o->by, PUAN_FMT(j->form->entity[0].name));
    if (st == PUAN_OK)
        st = begin_out(j, err);
    if (st == PUAN_OK)
        st = start_workers(j, threads, j->o->by ? (int)by.item : -1, err);
    if (st != PUAN_OK)
        return st;
    puan_progress_begin(&j->bar, "编辑 editing",
                        puan_edit_source_units(j->source));
    st = puan_parallel(threads, puan_edit_source_chunks(j->source), 1, range, j,
                       err);
    puan_progress_end(&j->bar);
    if (st == PUAN_OK && j->out) {
        st = puan_sheet_finish(j->out, err);
        j->out = NULL;
    }
    for (size_t i = 1; st == PUAN_OK && i < j->n_workers; i++) {
        st = puan_rates_add(j->worker[0].rates, j->worker[i].rates, err);
        j->worker[0].changes += j->worker[i].changes;
        j->worker[0].weight += j->worker[i].weight;
    }
    if (st == PUAN_OK)
        st = write_rates(j, err);
    if (st == PUAN_OK)
        st = write_clean(j, err);
    if (st != PUAN_OK)
        return st;
    u = puan_rates_units(j->worker[0].rates);
    *left = u[PUAN_RATES_REPAIRED] + u[PUAN_RATES_IMPOSSIBLE] +
            u[PUAN_RATES_UNDECIDED];
    if (j->o->json)
        return print_json(j, puan_monotonic_ms() - began, a, err);
    if (!j->o->out || strcmp(j->o->out, "-") != 0)
        print_summary(j, puan_monotonic_ms() - began);
    return PUAN_OK;
}

/* What a campaign keeps. */
static int campaign(const struct options *o)
{
    const struct puan_edit_campaign c = {
        .dir = o->campaign,
        .form = o->form,
        .rates = o->rates,
        .area = o->area,
        .run = o->redo ? o->redo : o->run,
        .report = o->report,
        .redo = o->redo != 0,
        .json = o->json,
        .quiet = o->quiet,
        .threads = (unsigned)o->threads,
        .how = { .budget = (uint64_t)o->budget,
                 .seed = (uint64_t)o->seed,
                 .donors = (unsigned)o->donors,
                 .weight = o->weight,
                 .n_weights = o->n_weights },
    };
    struct puan_err err = { 0 };
    int code = PUAN_EXIT_DONE;

    return puan_edit_campaign(&code, &c, &err) == PUAN_OK ? code : fail(&err);
}

static int run(int argc, char **argv)
{
    struct options o;
    struct job j = { .o = &o };
    struct puan_plan_held *held = NULL;
    struct puan_err err = { 0 };
    struct puan_arena a;
    uint64_t left = 0;
    enum puan_status st = PUAN_OK;

    if (!parse(&o, argc, argv))
        return PUAN_EXIT_USAGE;
    puan_progress_quiet(o.quiet || o.json);
    if (o.campaign && !o.dry_run && !o.out && !o.clean)
        return campaign(&o);
    puan_arena_init(&a, &puan_heap);
    if (o.plan)
        st = puan_plan_load_dir(&held, o.plan, puan_digest_sm3(), &err);
    if (st == PUAN_OK)
        st = work(&left, &j, held ? puan_plan_held_plan(held) : NULL, &a, &err);
    puan_sheet_abandon(j.out);
    stop_workers(&j);
    puan_sheet_parts_close(j.parts);
    puan_edit_source_close(j.source);
    puan_plan_close(held);
    puan_arena_clear(&a);
    if (st != PUAN_OK)
        return fail(&err);
    return left ? PUAN_EXIT_FINDINGS : PUAN_EXIT_DONE;
}

static const struct puan_command commands[] = {
    { "edit", usage,
      "For every unit (household) that fails hard rules, finds the least "
      "weighted set of answers to change so that all hard rules can pass, "
      "proved least, and fills in values: what the rules leave no choice "
      "about, a near passing unit's answers, or the nearest value that serves. "
      "DATA is one file an entity as for 'puan check', or with --rules and no "
      "plan any CSV or frame whose rules declare 'level household by …'. "
      "--lookup gives a reference table of the rules its data. Rules above "
      "one unit cannot say which answer is wrong; they are named and take no "
      "part. --weight ITEM=N says how far an item is trusted (1 unless told; "
      "0: never changed). --out lists every changed answer with what it was, "
      "how its new value was found and from whom; the data are never changed: "
      "--clean DIR writes them again with the new values and a column that "
      "says which. --rates counts failing and changed answers by item, and by "
      "area with --by ITEM. A unit no change of answers can repair is "
      "'impossible', one the budget did not settle 'undecided'. "
      "Of a campaign directory the result is kept beside the returns as a "
      "layer with flags, by entries of the ledgers that name rule set, seed "
      "and digest; what was collected stays as it is, and 'puan table DIR "
      "--values edited' counts by it. --report lists what is kept with rates "
      "by item and area, --redo N does an edit again and compares it byte by "
      "byte, --dry-run only counts, beside a running server. Exit code 1 when "
      "a unit fails a hard rule, or a redo differs.",
      run,
      "错误定位与插补：找出使全部硬性规则成立而权重最小的改动项，并给出插补"
      "值" },
};

const struct puan_feature puan_feature_edit = {
    .name = "edit",
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
    .routes = puan_edit_routes,
    .n_routes = PUAN_EDIT_ROUTES,
    .schema = puan_edit_schema,
    .n_schema = PUAN_EDIT_STEPS,
    .covered = puan_edit_covered,
    .n_covered = PUAN_EDIT_COVERED,
};
