/*
 * puan check: runs a form's edit rules over CSV files of returns, on all
 * cores, and lists the findings in the order of households.  Never changes the
 * data.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rule/prove.h"
#include "features/check/csv_record.h"
#include "features/check/frame_check.h"
#include "features/check/explain_row.h"
#include "features/check/figures.h"
#include "features/check/routes.h"
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
    const char *plan, *form, *out;
    const char *explain, *row; /* --explain RULE ROW */
    const char *rules[PATHS_MOST], *data[PATHS_MOST];
    size_t n_rules, n_data;
    bool summary, json, zh, ignore_unknown, quiet;
    int64_t threads;
};

/* What one thread owns. */
struct worker {
    struct puan_csv_cursor *cursor;
    struct puan_arena arena;
    uint64_t *by_rule; /* findings */
    uint64_t households, with_hard, evaluated, not_evaluable;
};

struct job {
    const struct options *o;
    const struct puan_form *form;
    const struct puan_ruleset *rs;
    struct puan_csv_set *set;
    struct puan_str *tail; /* per rule: ",RULE,severity,message\n" */
    struct worker *worker;
    size_t n_workers;
    struct puan_progress bar;
    /* findings of chunks, written in order */
    struct puan_sheet_out *out;
    struct puan_sheet_parts *parts;
};

static const char usage[] =
    "--plan PACK --form F [--rules FILE]… [--out FILE] [--summary] [--json] "
    "[--lang zh|en] [--threads N] [--ignore-unknown] [--quiet] "
    "[--explain RULE ROW] DATA… | "
    "--rules FILE… [--lookup NAME=FILE.csv]… [--level NAME=ITEM,ITEM…]… "
    "[--entity NAME] [--set NAME=NUMBER]… [--missing TEXT] [--plan PACK "
    "[--form F]] [--out FILE] [--summary] [--json] [--lang zh|en] [--threads N] "
    "[--quiet] FRAME|CSV… | "
    "[--form F] [--area CODE] [--rules FILE]… [--out FILE] [--summary] [--json] "
    "[--lang zh|en] [--threads N] [--quiet] CAMPAIGN";

static int fail(const struct puan_err *err)
{
    return puan_verb_fail("check", err);
}

static bool flag(struct options *o, const char *a)
{
    if (strcmp(a, "--summary") == 0)
        return o->summary = true;
    if (strcmp(a, "--json") == 0)
        return o->json = true;
    if (strcmp(a, "--quiet") == 0)
        return o->quiet = true;
    if (strcmp(a, "--ignore-unknown") == 0)
        return o->ignore_unknown = true;
    return false;
}

/* An option with a value; NULL when it is fine, else what is wrong. */
static const char *value(struct options *o, const char *a, const char *v)
{
    if (strcmp(a, "--plan") == 0) {
        o->plan = v;
    } else if (strcmp(a, "--form") == 0) {
        o->form = v;
    } else if (strcmp(a, "--out") == 0) {
        o->out = v;
    } else if (strcmp(a, "--rules") == 0) {
        if (o->n_rules == PATHS_MOST)
            return "too many --rules";
        o->rules[o->n_rules++] = v;
    } else if (strcmp(a, "--lang") == 0) {
        o->zh = strcmp(v, "zh") == 0;
        if (!o->zh && strcmp(v, "en") != 0)
            return "--lang is zh or en";
    } else if (strcmp(a, "--threads") == 0) {
        if (!puan_int_parse(&o->threads, puan_str_of(v)) || o->threads < 1 ||
            o->threads > 256)
            return "--threads is 1 to 256";
    } else {
        return "unknown option";
    }
    return NULL;
}

static bool parse(struct options *o, int argc, char **argv)
{
    const char *bad = NULL, *at = "";

    *o = (struct options){ .zh = true };
    for (int i = 1; i < argc && !bad; i++) {
        at = argv[i];
        if (strncmp(argv[i], "--", 2) != 0) {
            if (o->n_data == PATHS_MOST)
                bad = "too many files";
            else
                o->data[o->n_data++] = argv[i];
        } else if (flag(o, argv[i])) {
            continue;
        } else if (strcmp(argv[i], "--explain") == 0 && i + 2 < argc) {
            o->explain = argv[++i];
            o->row = argv[++i];
        } else if (i + 1 == argc) {
            bad = "needs a value or is unknown";
        } else {
            bad = value(o, argv[i], argv[i + 1]);
            i++;
        }
    }
    if (!bad && (!o->plan || !o->form || o->n_data == 0)) {
        at = "check";
        bad = "--plan, --form and at least one file are needed";
    }
    if (!bad && puan_file_among(o->out, o->data, o->n_data)) {
        at = "--out";
        bad = "the output would take the place of the data it is made of";
    }
    if (!bad)
        return true;
    fprintf(stderr, "puan: %s: %s\n", at, bad);
    return false;
}

/*
 * A rule that fits no form of the plan has a wrong name in it.  The plan's own
 * rules were looked at by lint; those of --rules are looked at here.
 */
static enum puan_status all_used(const struct puan_plan *plan,
                                 const struct puan_str *texts,
                                 const char *const *names, size_t n,
                                 struct puan_arena *a, struct puan_err *err)
{
    size_t n_sets = plan->n_forms + plan->n_sheets + plan->n_dossiers;
    const struct puan_ruleset **set =
        puan_arena_get_n(a, n_sets, sizeof(*set));
    enum puan_status st = puan_arena_check(a, err);

    for (size_t i = 0; st == PUAN_OK && set && i < n_sets; i++) {
        const struct puan_form *form = puan_plan_rule_form(plan, i);
        struct puan_ruleset *rs = NULL;

        st = puan_ruleset_compile(&rs, form, plan->consts, plan->n_consts,
                                  texts, names, n, a, err);
        set[i] = rs;
    }
    return st == PUAN_OK ? puan_ruleset_all_used(set, n_sets, err) : st;
}

/* Rules that contradict each other are refused; a plan's own were by lint. */
static enum puan_status consistent(const struct puan_plan *plan,
                                   const struct puan_form *form,
                                   const struct puan_str *texts,
                                   const char *const *names, size_t n,
                                   struct puan_arena *a, struct puan_err *err)
{
    const struct puan_prove_limits limits = { .conflicts_only = true };
    struct puan_rule_proofs proofs;
    enum puan_status st =
        puan_rules_prove(&proofs, form, plan->consts, plan->n_consts, texts,
                         names, n, &limits, a, err);

    return st == PUAN_OK ? puan_rule_proofs_refuse(&proofs, err) : st;
}

static enum puan_status compile(const struct puan_ruleset **out,
                                const struct options *o,
                                const struct puan_plan *plan,
                                const struct puan_form *form,
                                struct puan_arena *a, struct puan_err *err)
{
    const struct puan_str *texts = plan->rule_text;
    const char *const *names = plan->rule_name;
    struct puan_str mine[PATHS_MOST];
    struct puan_ruleset *rs = NULL;
    size_t n = plan->n_rules;
    enum puan_status st = PUAN_OK;

    if (o->n_rules > 0) {
        for (size_t i = 0; st == PUAN_OK && i < o->n_rules; i++)
            st = puan_file_read(&mine[i], o->rules[i], RULES_BYTES, a, err);
        texts = mine;
        names = o->rules;
        n = o->n_rules;
    }
    if (st == PUAN_OK)
        st = puan_ruleset_compile(&rs, form, plan->consts, plan->n_consts,
                                  texts, names, n, a, err);
    if (st == PUAN_OK && o->n_rules > 0)
        st = all_used(plan, texts, names, n, a, err);
    if (st == PUAN_OK && o->n_rules > 0)
        st = consistent(plan, form, texts, names, n, a, err);
    if (st == PUAN_OK && puan_ruleset_count(rs) == 0)
        st = puan_fail(err, PUAN_EINVAL, o->plan,
                       "no rule applies to form %.*s", PUAN_FMT(form->id));
    *out = rs;
    return st;
}

static enum puan_status tails(struct job *j, struct puan_arena *a,
                              struct puan_err *err)
{
    size_t n = puan_ruleset_count(j->rs);

    j->tail = puan_new_n(a, n, struct puan_str);
    for (size_t i = 0; j->tail && i < n; i++) {
        const struct puan_rule_info *info = puan_ruleset_info(j->rs, i);
        struct puan_out o;

        puan_out_init(&o, a);
        puan_out_char(&o, ',');
        puan_csv_put(&o, info->id);
        puan_out_text(&o, info->severity == PUAN_HARD ? ",hard," : ",soft,");
        puan_csv_put(&o, j->o->zh ? info->zh : info->en);
        puan_out_char(&o, '\n');
        j->tail[i] = puan_out_view(&o);
    }
    return puan_arena_check(a, err);
}

/* household,row,line,rule,severity,message of one return's findings */
static void list_findings(struct puan_out *text, const struct job *j,
                          const struct puan_csv_return *r,
                          const struct puan_findings *f)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct puan_finding *x = &f->list[i];
        uint16_t e = puan_ruleset_info(j->rs, x->rule)->entity;

        puan_out_int(text, r->household);
        puan_out_char(text, ',');
        puan_out_int(text, j->form->entity[e].roster ? (int64_t)x->row + 1 : 0);
        puan_out_char(text, ',');
        puan_out_int(text, r->line[e][x->row]);
        puan_out_str(text, j->tail[x->rule]);
    }
}

static void tally(struct worker *w, const struct puan_findings *f)
{
    w->households++;
    w->with_hard += f->any_hard;
    w->evaluated += f->evaluated;
    w->not_evaluable += f->not_evaluable;
    for (size_t i = 0; i < f->n; i++)
        w->by_rule[f->list[i].rule]++;
}

static enum puan_status one_chunk(struct job *j, struct worker *w, size_t chunk,
                                  struct puan_err *err)
{
    struct puan_csv_return *list = NULL;
    const struct puan_record **record;
    struct puan_findings *found;
    struct puan_out text;
    size_t n = 0;
    enum puan_status st;

    puan_arena_reset(&w->arena);
    st = puan_csv_cursor_chunk(&list, &n, w->cursor, chunk, &w->arena, err);
    if (st != PUAN_OK)
        return st;
    record = puan_arena_get_n(&w->arena, n, sizeof(*record));
    found = puan_new_n(&w->arena, n, struct puan_findings);
    st = puan_arena_check(&w->arena, err);
    if (st != PUAN_OK || !record || !found)
        return st;
    for (size_t i = 0; i < n; i++)
        record[i] = &list[i].record;
    st = puan_ruleset_run_block(found, j->rs, record, n, &w->arena, err);
    if (st != PUAN_OK)
        return st;
    puan_out_init(&text, &w->arena);
    for (size_t i = 0; i < n; i++) {
        tally(w, &found[i]);
        if (j->out)
            list_findings(&text, j, &list[i], &found[i]);
    }
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

static enum puan_status start_workers(struct job *j, unsigned n,
                                      struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    j->worker = calloc(n, sizeof(*j->worker));
    if (!j->worker)
        return puan_fail(err, PUAN_ENOMEM, "check", "out of memory");
    for (unsigned i = 0; st == PUAN_OK && i < n; i++) {
        struct worker *w = &j->worker[i];

        j->n_workers++;
        puan_arena_init(&w->arena, &puan_heap);
        w->by_rule = calloc(puan_ruleset_count(j->rs), sizeof(*w->by_rule));
        if (!w->by_rule)
            return puan_fail(err, PUAN_ENOMEM, "check", "out of memory");
        st = puan_csv_cursor_open(&w->cursor, j->set, err);
    }
    return st;
}

static void stop_workers(struct job *j)
{
    for (size_t i = 0; i < j->n_workers; i++) {
        puan_csv_cursor_close(j->worker[i].cursor);
        puan_arena_clear(&j->worker[i].arena);
        free(j->worker[i].by_rule);
    }
    free(j->worker);
}

/* Adds all workers to the first. */
static const struct worker *total(struct job *j)
{
    struct worker *t = &j->worker[0];

    for (size_t i = 1; i < j->n_workers; i++) {
        const struct worker *w = &j->worker[i];

        t->households += w->households;
        t->with_hard += w->with_hard;
        t->evaluated += w->evaluated;
        t->not_evaluable += w->not_evaluable;
        for (size_t r = 0; r < puan_ruleset_count(j->rs); r++)
            t->by_rule[r] += w->by_rule[r];
    }
    return t;
}

static void split(uint64_t *hard, uint64_t *soft, const struct job *j,
                  const struct worker *t)
{
    *hard = *soft = 0;
    for (size_t r = 0; r < puan_ruleset_count(j->rs); r++)
        *(puan_ruleset_info(j->rs, r)->severity == PUAN_HARD ? hard : soft) +=
            t->by_rule[r];
}

static void print_summary(FILE *to, const struct job *j,
                          const struct worker *t, int64_t ms)
{
    uint64_t hard, soft;

    split(&hard, &soft, j, t);
    fprintf(to, "%.*s: %" PRIu64, PUAN_FMT(j->form->entity[0].name),
            t->households);
    for (size_t e = 1; e < j->form->n_entities; e++)
        fprintf(to, ", %.*s: %" PRIu64, PUAN_FMT(j->form->entity[e].name),
                puan_csv_set_rows(j->set, e));
    fprintf(to,
            "\nrules: %zu, evaluated: %" PRIu64 ", not evaluable: %" PRIu64
            ", %" PRId64 ".%03" PRId64 " s\nfindings: %" PRIu64
            " hard (in %" PRIu64 " %.*s), %" PRIu64 " soft\n",
            puan_ruleset_count(j->rs), t->evaluated, t->not_evaluable,
            ms / 1000, ms % 1000, hard, t->with_hard,
            PUAN_FMT(j->form->entity[0].name), soft);
    for (size_t r = 0; r < puan_ruleset_count(j->rs); r++) {
        const struct puan_rule_info *info = puan_ruleset_info(j->rs, r);

        if (t->by_rule[r] > 0)
            fprintf(to, "  %-8.*s %s %9" PRIu64 "  %.*s\n", PUAN_FMT(info->id),
                    info->severity == PUAN_HARD ? "hard" : "soft",
                    t->by_rule[r], PUAN_FMT(j->o->zh ? info->zh : info->en));
    }
}

static enum puan_status print_json(FILE *to, const struct job *j,
                                   const struct worker *t, int64_t ms,
                                   struct puan_arena *a, struct puan_err *err)
{
    uint64_t hard, soft;
    struct puan_out out;
    struct puan_jw w;
    enum puan_status st;

    split(&hard, &soft, j, t);
    puan_out_init(&out, a);
    puan_jw_init(&w, &out);
    puan_jw_map(&w);
    puan_jw_kstr(&w, "form", j->form->id);
    puan_jw_kstr(&w, "set", puan_ruleset_name(j->rs));
    puan_jw_kint(&w, "version", puan_ruleset_version(j->rs));
    puan_jw_key(&w, "rows");
    puan_jw_map(&w);
    for (size_t e = 0; e < j->form->n_entities; e++) {
        puan_jw_key_s(&w, j->form->entity[e].name);
        puan_jw_int(&w, (int64_t)puan_csv_set_rows(j->set, e));
    }
    puan_jw_end(&w, '}');
    puan_jw_kint(&w, "findings", (int64_t)(hard + soft));
    puan_jw_kint(&w, "hard", (int64_t)hard);
    puan_jw_kint(&w, "soft", (int64_t)soft);
    puan_jw_kint(&w, "returns_with_hard", (int64_t)t->with_hard);
    puan_jw_kint(&w, "evaluated", (int64_t)t->evaluated);
    puan_jw_kint(&w, "not_evaluable", (int64_t)t->not_evaluable);
    puan_jw_kint(&w, "milliseconds", ms);
    puan_jw_key(&w, "rules");
    puan_jw_list(&w);
    for (size_t r = 0; r < puan_ruleset_count(j->rs); r++) {
        const struct puan_rule_info *info = puan_ruleset_info(j->rs, r);

        puan_jw_map(&w);
        puan_jw_kstr(&w, "rule", info->id);
        puan_jw_ktext(&w, "severity",
                      info->severity == PUAN_HARD ? "hard" : "soft");
        puan_jw_kstr(&w, "entity", j->form->entity[info->entity].name);
        puan_jw_kint(&w, "findings", (int64_t)t->by_rule[r]);
        puan_jw_end(&w, '}');
    }
    puan_jw_end(&w, ']');
    puan_jw_end(&w, '}');
    st = puan_arena_check(a, err);
    if (st == PUAN_OK)
        fprintf(to, "%.*s\n", PUAN_FMT(puan_out_view(&out)));
    return st;
}

static enum puan_status begin_out(struct job *j, struct puan_err *err)
{
    if (!j->o->out)
        return PUAN_OK;
    TRY(puan_sheet_create(&j->out, j->o->out, err));
    puan_sheet_put_raw(
        j->out, PUAN_STR("household,row,line,rule,severity,message\n"));
    return puan_sheet_parts_open(&j->parts, j->out,
                                 puan_csv_set_chunks(j->set), err);
}

static void scanned(void *ctx, uint64_t done, uint64_t all)
{
    struct puan_progress *p = ctx;

    p->total = all;
    puan_progress_set(p, done);
}

/* Opens the files; says on stderr what a reader should know. */
static enum puan_status open_data(struct job *j,
                                  const struct puan_routing *routing,
                                  struct puan_err *err)
{
    struct puan_progress bar;
    struct puan_csv_options opt = { .ignore_unknown = j->o->ignore_unknown,
                                    .progress = scanned,
                                    .progress_ctx = &bar };
    enum puan_status st;

    puan_progress_begin(&bar, "读入 reading", 0);
    st = puan_csv_set_open(&j->set, j->form, routing, j->o->data, j->o->n_data,
                           &opt, err);
    puan_progress_end(&bar);
    for (size_t e = 0; st == PUAN_OK && e < j->form->n_entities; e++) {
        if (puan_csv_set_indexed(j->set, e))
            fprintf(stderr,
                    "puan check: %s is not sorted by household; %" PRIu64
                    " rows are indexed in memory\n",
                    puan_csv_set_path(j->set, e),
                    puan_csv_set_rows(j->set, e));
        if (!puan_csv_set_path(j->set, e))
            fprintf(stderr, "puan check: no file for %.*s: none is assumed\n",
                    PUAN_FMT(j->form->entity[e].name));
    }
    return st;
}

static enum puan_status work(uint64_t *findings, struct job *j,
                             const struct puan_plan *plan, struct puan_arena *a,
                             struct puan_err *err)
{
    int64_t began = puan_monotonic_ms();
    unsigned threads = j->o->threads ? (unsigned)j->o->threads : puan_cores();
    const struct worker *t;
    uint64_t hard, soft;
    enum puan_status st;

    j->form = puan_plan_form(plan, puan_str_of(j->o->form));
    if (!j->form)
        return puan_fail(err, PUAN_ENOTFOUND, j->o->plan,
                         "the plan has no form %s", j->o->form);
    st = compile(&j->rs, j->o, plan, j->form, a, err);
    if (st == PUAN_OK)
        st = tails(j, a, err);
    if (st == PUAN_OK)
        st = open_data(j, plan->routing[j->form->ordinal], err);
    if (st == PUAN_OK && j->o->explain) {
        const struct puan_explain_ask ask = {
            .rule = j->o->explain, .row = j->o->row, .rules = j->o->rules,
            .n_rules = j->o->n_rules, .zh = j->o->zh, .json = j->o->json
        };
        bool finding = false;

        st = puan_explain_row(&finding, stdout, &ask, plan, j->form, j->set, a,
                              err);
        *findings = finding;
        return st;
    }
    if (st == PUAN_OK)
        st = begin_out(j, err);
    if (st == PUAN_OK)
        st = start_workers(j, threads, err);
    if (st != PUAN_OK)
        return st;
    puan_progress_begin(&j->bar, "审核 checking", puan_csv_set_rows(j->set, 0));
    st = puan_parallel(threads, puan_csv_set_chunks(j->set), 1, range, j, err);
    puan_progress_end(&j->bar);
    if (st == PUAN_OK && j->out) {
        st = puan_sheet_finish(j->out, err);
        j->out = NULL;
    }
    if (st != PUAN_OK)
        return st;
    t = total(j);
    split(&hard, &soft, j, t);
    *findings = hard + soft;
    if (j->o->json)
        return print_json(stdout, j, t, puan_monotonic_ms() - began, a, err);
    if (j->o->summary || !j->o->out)
        print_summary(j->o->out && strcmp(j->o->out, "-") == 0 ? stderr
                                                               : stdout,
                      j, t, puan_monotonic_ms() - began);
    return PUAN_OK;
}

static int run(int argc, char **argv)
{
    struct options o;
    struct job j = { .o = &o };
    struct puan_plan_held *held = NULL;
    struct puan_err err = { 0 };
    struct puan_arena a;
    uint64_t findings = 0;
    enum puan_status st;

    if (puan_check_takes_frame(argc, argv))
        return puan_check_frame(argc, argv);
    if (!parse(&o, argc, argv))
        return PUAN_EXIT_USAGE;
    puan_progress_quiet(o.quiet || o.json);
    puan_arena_init(&a, &puan_heap);
    st = puan_plan_load_dir(&held, o.plan, puan_digest_sm3(), &err);
    if (st == PUAN_OK)
        st = work(&findings, &j, puan_plan_held_plan(held), &a, &err);
    puan_sheet_abandon(j.out);
    stop_workers(&j);
    puan_sheet_parts_close(j.parts);
    puan_csv_set_close(j.set);
    puan_plan_close(held);
    puan_arena_clear(&a);
    if (st != PUAN_OK)
        return fail(&err);
    return findings ? PUAN_EXIT_FINDINGS : PUAN_EXIT_DONE;
}

static const struct puan_command commands[] = {
    { "check", usage,
      "Checks returns in CSV files against a plan's edit rules. DATA is one "
      "file an entity (household.csv person.csv death.csv), with a header of "
      "item names, joined by the column household; visit.csv may say how and "
      "when each was interviewed. --out writes "
      "household,row,line,rule,severity,message: row is the line of the roster "
      "(0 for the household), line that of the file. --rules replaces the "
      "plan's rule files. Without --out, or with --summary, the counts of each "
      "rule are printed; --json prints them for machines. --explain shows one "
      "rule in one row (HOUSEHOLD, or HOUSEHOLD:LINE of its roster), every "
      "part of it with its value. Without --plan, or over a frame file, the "
      "data are a frame or CSV files of any columns: the rules name the "
      "levels above a row (level household by region, hh) and the reference "
      "tables (table geo by region gives control) whose data --lookup gives; "
      "--set names a constant; --out writes level,row,key,rule,severity,"
      "message. Over a campaign directory every form's returns are checked by "
      "the plan's rules for that form (all forms, or the one of --form; the "
      "whole campaign, or --area), without opening the vault; --out writes "
      "form,household,level,row,rule,severity,message. Exit code 1 when there "
      "are findings.",
      run, "按方案的审核规则审核 CSV 数据文件" },
    { "figures", puan_figures_usage, puan_figures_help, puan_figures_command,
      "按区域汇总数据并按区域规则审核" },
};

static const struct puan_param rules_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct puan_rules_in, area), 0, 0,
      true },
};
static const struct puan_param try_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct puan_rules_try_in, area), 0, 0,
      true },
    { "form", PUAN_PARAM_TEXT, offsetof(struct puan_rules_try_in, form), 1,
      64 },
    { "text", PUAN_PARAM_TEXT, offsetof(struct puan_rules_try_in, text), 1,
      20000 },
};

static const struct puan_route routes[] = {
    { PUAN_GET, "/c/{campaign}/rules", "return.view", PUAN_SCOPE_AREA, "",
      "The rules of the plan, and how often each finds something in an area",
      puan_rules_get, PUAN_PARAMS(rules_params, struct puan_rules_in) },
    { PUAN_POST, "/c/{campaign}/rules/try", "return.view", PUAN_SCOPE_AREA,
      "rules.try",
      "Tries a rule on returns of an area; faults of its text are an answer",
      puan_rules_try, PUAN_PARAMS(try_params, struct puan_rules_try_in) },
};

const struct puan_feature puan_feature_check = {
    .name = "check",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
};
