/*
 * The command over a campaign directory.
 */
#include "features/edit/campaign.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/area/area.h"
#include "core/plan/plan.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"
#include "kit/sheet/sheet.h"

/* ---- rules that take no part ------------------------------------------------- */

void puan_edit_say_left_out(const struct puan_edit_left_out *l, size_t n)
{
    if (n == 0)
        return;
    fprintf(stderr,
            "puan edit: %zu hard rules or tables look above one unit or at "
            "what is not here; they cannot say which answer is wrong and take "
            "no part (puan check and puan figures run them):\n",
            n);
    for (size_t i = 0; i < n; i++) {
        bool new_file = i == 0 || strcmp(l[i].file, l[i - 1].file) != 0;

        if (new_file)
            fprintf(stderr, "%s  %s:%u: %s\n   ", i ? "\n" : "", l[i].file,
                    l[i].line, l[i].why);
        fprintf(stderr, " %.*s", PUAN_FMT(l[i].id));
    }
    fprintf(stderr, "\n");
}

void puan_edit_left_out_json(struct puan_jw *w,
                             const struct puan_edit_left_out *l, size_t n)
{
    puan_jw_key(w, "left_out");
    puan_jw_list(w);
    for (size_t i = 0; i < n; i++) {
        puan_jw_map(w);
        puan_jw_kstr(w, "rule", l[i].id);
        puan_jw_ktext(w, "file", l[i].file);
        puan_jw_kint(w, "line", l[i].line);
        puan_jw_ktext(w, "why", l[i].why);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

/* ---- runs ---------------------------------------------------------------------- */

static const char *const outcome_name[PUAN_LAYER_OUTCOMES] = {
    "clean", "repaired", "impossible", "undecided"
};

void puan_edit_run_json(struct puan_jw *w, const struct puan_edit_run *r,
                        const struct puan_store *st, bool counts)
{
    const struct puan_plan *plan = puan_store_plan(st);
    const struct puan_form *f = puan_plan_form(plan, r->form);
    const struct puan_area_tree *t = puan_store_areas(st);
    uint32_t i = t ? puan_area_find(t, r->area) : PUAN_AREA_NONE;
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    puan_hex(hex, r->digest, PUAN_DIGEST_SIZE);
    puan_jw_kint(w, "id", r->id);
    puan_jw_key(w, "form");
    puan_jw_map(w);
    puan_jw_kstr(w, "code", r->form);
    puan_jw_kstr(w, "zh", f ? f->zh : r->form);
    puan_jw_kstr(w, "en", f ? f->en : r->form);
    puan_jw_end(w, '}');
    puan_jw_key(w, "area");
    puan_jw_map(w);
    puan_jw_kcode(w, "code", r->area);
    if (i != PUAN_AREA_NONE) {
        puan_jw_kstr(w, "zh", t->area[i].zh);
        puan_jw_kstr(w, "en", t->area[i].en);
    }
    puan_jw_end(w, '}');
    puan_jw_kstr(w, "state", r->state);
    puan_jw_kinstant(w, "made", r->made_ms, plan->offset_minutes);
    puan_jw_kstr(w, "seat", r->seat);
    puan_jw_kstr(w, "plan", r->plan);
    puan_jw_kstr(w, "program", r->program);
    puan_jw_kstr(w, "rules", r->rules);
    puan_jw_kint(w, "version", r->version);
    puan_jw_key(w, "options");
    puan_jw_raw(w, r->options);
    for (size_t k = 0; counts && k < PUAN_LAYER_OUTCOMES; k++)
        puan_jw_kint(w, outcome_name[k], (int64_t)r->unit[k]);
    if (counts) {
        puan_jw_kint(w, "answers", (int64_t)r->answers);
        puan_jw_kint(w, "weight", (int64_t)r->weight);
    }
    puan_jw_ktext(w, "digest", hex);
}

void puan_edit_mix(uint64_t method[PUAN_LAYER_METHODS],
                   const struct puan_layer_area *a)
{
    memset(method, 0, PUAN_LAYER_METHODS * sizeof(*method));
    for (size_t i = 0; i < a->n; i++)
        for (size_t m = 0; m < PUAN_LAYER_METHODS; m++)
            method[m] += a->rate[i].method[m];
}

static void say_run(const struct puan_edit_run *r)
{
    uint64_t all = 0;
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    for (size_t k = 0; k < PUAN_LAYER_OUTCOMES; k++)
        all += r->unit[k];
    puan_hex(hex, r->digest, PUAN_DIGEST_SIZE);
    printf("edit %" PRId64 ": form %.*s, area %" PRId64 ", %.*s\n", r->id,
           PUAN_FMT(r->form), r->area, PUAN_FMT(r->state));
    printf("  rule set %.*s version %" PRId64 ", plan %.16s, program %.*s, "
           "%.*s\n",
           PUAN_FMT(r->rules), r->version, r->plan.n ? r->plan.p : "",
           PUAN_FMT(r->program), PUAN_FMT(r->options));
    printf("  returns: %" PRIu64 ", failing a hard rule: %" PRIu64
           "; repaired: %" PRIu64 " (%" PRIu64 " answers, weight %" PRIu64
           ", each proved least), impossible: %" PRIu64 ", undecided: %" PRIu64
           "\n",
           all, all - r->unit[PUAN_RATES_CLEAN], r->unit[PUAN_RATES_REPAIRED],
           r->answers, r->weight, r->unit[PUAN_RATES_IMPOSSIBLE],
           r->unit[PUAN_RATES_UNDECIDED]);
    printf("  digest %s\n", hex);
}

/* ---- rates ----------------------------------------------------------------------- */

static const struct puan_item *item_of(const struct puan_form *f,
                                       const struct puan_layer_rate *r)
{
    return r->entity < f->n_entities && r->item < f->entity[r->entity].n_items
               ? &f->entity[r->entity].items[r->item]
               : NULL;
}

static void say_rates(const struct puan_layer_area *a,
                      const struct puan_form *f)
{
    uint64_t method[PUAN_LAYER_METHODS], all = 0;

    puan_edit_mix(method, a);
    for (size_t m = 0; m < PUAN_LAYER_METHODS; m++)
        all += method[m];
    printf("area %" PRId64 ", method of %" PRIu64 " changed answers:", a->code,
           all);
    for (size_t m = 0; m < PUAN_LAYER_METHODS; m++)
        printf(" %s %" PRIu64, puan_impute_name((enum puan_impute_method)m),
               method[m]);
    printf("\n  %-12s %-10s %10s %9s %9s %9s %9s %9s %9s %9s %9s\n", "entity",
           "item", "answers", "failing", "changed", "per 1000", "deductive",
           "donor", "hot-deck", "nearest", "ask");
    for (size_t i = 0; i < a->n; i++) {
        const struct puan_layer_rate *r = &a->rate[i];
        const struct puan_item *it = item_of(f, r);

        if (!it || (r->failing == 0 && r->changed == 0))
            continue;
        printf("  %-12.*s %-10.*s %10" PRIu64 " %9" PRIu64 " %9" PRIu64
               " %9.2f",
               PUAN_FMT(f->entity[r->entity].name), PUAN_FMT(it->name),
               r->answers, r->failing, r->changed,
               r->answers ? 1000.0 * (double)r->changed / (double)r->answers
                          : 0.0);
        for (size_t m = 0; m < PUAN_LAYER_METHODS; m++)
            printf(" %9" PRIu64, r->method[m]);
        printf("\n");
    }
}

static void csv_area(struct puan_sheet_out *to, const struct puan_layer_area *a,
                     const struct puan_form *f, const struct puan_area_tree *t)
{
    uint32_t at = puan_area_find(t, a->code);
    struct puan_str none = PUAN_STR("");
    struct puan_str code = at == PUAN_AREA_NONE ? none : t->area[at].digits;
    uint64_t units = 0;

    for (size_t i = 0; i < PUAN_LAYER_OUTCOMES; i++)
        units += a->unit[i];
    for (size_t i = 0; i <= a->n; i++) { /* the units, then each item */
        const struct puan_layer_rate *r = i ? &a->rate[i - 1] : NULL;
        const struct puan_item *it = r ? item_of(f, r) : NULL;

        if (r && !it)
            continue;
        puan_sheet_put(to, code);
        puan_sheet_put(to, r ? f->entity[r->entity].name : none);
        puan_sheet_put(to, it ? it->name : none);
        puan_sheet_put_int(to, (int64_t)units);
        for (size_t k = 0; k < PUAN_LAYER_OUTCOMES; k++)
            puan_sheet_put_int(to, (int64_t)a->unit[k]);
        if (!r) {
            for (size_t k = 0; k < 3 + PUAN_LAYER_METHODS; k++)
                puan_sheet_put(to, none);
        } else {
            puan_sheet_put_int(to, (int64_t)r->answers);
            puan_sheet_put_int(to, (int64_t)r->failing);
            puan_sheet_put_int(to, (int64_t)r->changed);
            for (size_t m = 0; m < PUAN_LAYER_METHODS; m++)
                puan_sheet_put_int(to, (int64_t)r->method[m]);
        }
        puan_sheet_end_row(to);
    }
}

/* The columns of rates.h, the area and those just below it. */
static enum puan_status write_csv(const char *path,
                                  const struct puan_layer_area *list, size_t n,
                                  const struct puan_form *f,
                                  const struct puan_area_tree *t,
                                  struct puan_err *err)
{
    struct puan_sheet_out *to;
    enum puan_status st = puan_sheet_create(&to, path, err);

    if (st != PUAN_OK)
        return st;
    puan_sheet_put_raw(to, PUAN_STR("area,entity,item,units,clean,repaired,"
                                    "impossible,undecided,answers,failing,"
                                    "changed,deductive,donor,hot-deck,nearest,"
                                    "ask\n"));
    for (size_t i = 0; i < n; i++)
        csv_area(to, &list[i], f, t);
    return puan_sheet_finish(to, err);
}

static void json_area(struct puan_jw *w, const struct puan_layer_area *a,
                      const struct puan_form *f)
{
    puan_jw_map(w);
    puan_jw_kcode(w, "area", a->code);
    for (size_t k = 0; k < PUAN_LAYER_OUTCOMES; k++)
        puan_jw_kint(w, outcome_name[k], (int64_t)a->unit[k]);
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t i = 0; i < a->n; i++) {
        const struct puan_layer_rate *r = &a->rate[i];
        const struct puan_item *it = item_of(f, r);

        if (!it)
            continue;
        puan_jw_map(w);
        puan_jw_kstr(w, "entity", f->entity[r->entity].name);
        puan_jw_kstr(w, "item", it->name);
        puan_jw_kint(w, "answers", (int64_t)r->answers);
        puan_jw_kint(w, "failing", (int64_t)r->failing);
        puan_jw_kint(w, "changed", (int64_t)r->changed);
        for (size_t m = 0; m < PUAN_LAYER_METHODS; m++)
            puan_jw_kint(w, puan_impute_name((enum puan_impute_method)m),
                         (int64_t)r->method[m]);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}

/* Rates of a run for an area: on standard output, and into --rates. */
static enum puan_status tell_rates(struct puan_jw *w, struct puan_store *st,
                                   const struct puan_edit_campaign *c,
                                   const struct puan_edit_run *run,
                                   struct puan_arena *a, struct puan_err *err)
{
    const struct puan_form *f =
        puan_plan_form(puan_store_plan(st), run->form);
    struct puan_layer_area *list = NULL;
    size_t n = 0;
    enum puan_status x = puan_edit_rates_of(
        &list, &n, st, run, c->area ? c->area : run->area, a, err);

    if (x == PUAN_OK && !f)
        x = puan_fail(err, PUAN_ECONFLICT, c->dir,
                      "the plan has no form %.*s any more",
                      PUAN_FMT(run->form));
    if (x == PUAN_OK && c->rates)
        x = write_csv(c->rates, list, n, f, puan_store_areas(st), err);
    if (x != PUAN_OK)
        return x;
    if (c->json) {
        puan_jw_key(w, "rates");
        puan_jw_list(w);
        for (size_t i = 0; i < n; i++)
            json_area(w, &list[i], f);
        puan_jw_end(w, ']');
    } else if (n) {
        say_rates(&list[0], f);
    }
    return PUAN_OK;
}

/* ---- report ---------------------------------------------------------------------- */

static enum puan_status report(struct puan_jw *w, struct puan_store *st,
                               const struct puan_edit_campaign *c,
                               struct puan_arena *a, struct puan_err *err)
{
    const struct puan_edit_run *chosen = NULL;
    struct puan_edit_run *run;
    size_t n;
    enum puan_status x = puan_edit_runs(&run, &n, st, a, err);

    if (x != PUAN_OK)
        return x;
    puan_jw_key(w, "edits");
    puan_jw_list(w);
    for (size_t i = 0; i < n; i++) {
        if (c->run ? run[i].id == c->run : puan_str_is(run[i].state, "kept"))
            chosen = &run[i];
        puan_jw_map(w);
        puan_edit_run_json(w, &run[i], st, true);
        puan_jw_end(w, '}');
        if (!c->json && (!c->run || run[i].id == c->run))
            say_run(&run[i]);
    }
    puan_jw_end(w, ']');
    if (!chosen)
        return puan_fail(err, PUAN_ENOTFOUND, c->dir,
                         c->run ? "there is no edit %lld; without --run all "
                                  "are listed"
                                : "nothing of this campaign has been edited "
                                  "yet: puan edit DIR does (%lld edits)",
                         (long long)c->run);
    return tell_rates(w, st, c, chosen, a, err);
}

/* ---- doing one again --------------------------------------------------------------- */

static enum puan_status redo(int *code, struct puan_jw *w,
                             struct puan_store *st,
                             const struct puan_edit_campaign *c,
                             struct puan_arena *a, struct puan_err *err)
{
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_edit_redone r;
    struct puan_edit_run run;
    struct puan_progress bar;
    uint64_t all = 0;
    enum puan_status x = puan_edit_run_read(&run, st, c->run, a, err);

    if (x != PUAN_OK)
        return x;
    for (size_t i = 0; i < PUAN_LAYER_OUTCOMES; i++)
        all += run.unit[i];
    puan_progress_begin(&bar, "重做编辑 editing again", all);
    x = puan_edit_redo(&r, st, &run, c->threads, &bar, a, err);
    puan_progress_end(&bar);
    if (x != PUAN_OK)
        return x;
    *code = r.same ? PUAN_EXIT_DONE : PUAN_EXIT_FINDINGS;
    puan_hex(hex, r.digest, PUAN_DIGEST_SIZE);
    puan_jw_kint(w, "id", run.id);
    puan_jw_kbool(w, "same", r.same);
    puan_jw_kint(w, "chunks", (int64_t)r.chunks);
    puan_jw_kint(w, "differ", (int64_t)r.differ);
    puan_jw_ktext(w, "digest", hex);
    if (!c->json)
        printf("edit %" PRId64 " %s: %" PRIu64 " chunks done again, %" PRIu64
               " differ, digest %s\n",
               run.id, r.same ? "is the same" : "IS NOT THE SAME", r.chunks,
               r.differ, hex);
    return PUAN_OK;
}

/* ---- making one ----------------------------------------------------------------------- */

static enum puan_status make(int *code, struct puan_jw *w,
                             struct puan_store *st,
                             const struct puan_edit_campaign *c,
                             const struct puan_form *form, bool say,
                             struct puan_arena *a, struct puan_err *err)
{
    struct puan_act who = { .actor = PUAN_STR("operator"),
                            .seat = PUAN_STR("command line") };
    struct puan_edit_left_out *left;
    struct puan_progress bar;
    struct puan_edit_keep k = { .form = form->id,
                                .area = c->area,
                                .how = c->how,
                                .threads = c->threads,
                                .bar = &bar };
    struct puan_edit_run run;
    size_t n;
    enum puan_status x = puan_edit_plan_left_out(&left, &n, st, form, a, err);

    if (x != PUAN_OK)
        return x;
    if (say && !c->quiet && !c->json)
        puan_edit_say_left_out(left, n);
    puan_progress_begin(&bar, "编辑 editing", 0);
    x = puan_edit_keep(&run, st, &who, &k, a, err);
    puan_progress_end(&bar);
    if (x != PUAN_OK)
        return x;
    if (run.unit[PUAN_RATES_REPAIRED] || run.unit[PUAN_RATES_IMPOSSIBLE] ||
        run.unit[PUAN_RATES_UNDECIDED])
        *code = PUAN_EXIT_FINDINGS;
    puan_jw_map(w);
    puan_edit_run_json(w, &run, st, true);
    puan_edit_left_out_json(w, left, n);
    if (!c->json)
        say_run(&run);
    x = tell_rates(w, st, c, &run, a, err);
    puan_jw_end(w, '}');
    return x;
}

static enum puan_status make_all(int *code, struct puan_jw *w,
                                 struct puan_store *st,
                                 const struct puan_edit_campaign *c,
                                 struct puan_arena *a, struct puan_err *err)
{
    const struct puan_form *const *list;
    const struct puan_form *one;
    size_t n, made = 0;
    enum puan_status x = puan_edit_plan_forms(&list, &n, st, a, err);

    if (x == PUAN_OK && c->form) {
        one = puan_plan_form(puan_store_plan(st), puan_str_of(c->form));
        if (!one)
            return puan_fail(err, PUAN_ENOTFOUND, c->dir,
                             "the campaign's plan has no form %s", c->form);
        list = &one;
        n = 1;
    }
    if (x == PUAN_OK && c->rates && n != 1)
        return puan_fail(err, PUAN_EINVAL, "--rates",
                         "the plan has %zu forms with hard rules: name one "
                         "with --form, or ask with --report",
                         n);
    puan_jw_key(w, "edits");
    puan_jw_list(w);
    for (size_t i = 0; x == PUAN_OK && i < n; i++) {
        bool held = true;

        if (!c->form)
            x = puan_edit_form_held(&held, st, list[i], err);
        if (x == PUAN_OK && held)
            x = make(code, w, st, c, list[i], made++ == 0, a, err);
    }
    puan_jw_end(w, ']');
    if (x == PUAN_OK && made == 0)
        return puan_fail(err, PUAN_ENOTFOUND, c->dir,
                         "no return has come yet: there is nothing to edit");
    return x;
}

enum puan_status puan_edit_campaign(int *code,
                                    const struct puan_edit_campaign *c,
                                    struct puan_err *err)
{
    bool reads = c->report || c->redo;
    struct puan_store_options opt = { .readonly = reads,
                                      .no_writers = reads };
    struct puan_store *st = NULL;
    struct puan_arena a;
    struct puan_out out;
    struct puan_jw w;
    enum puan_status x = puan_store_open(&st, c->dir, &opt, err);

    if (x == PUAN_EBUSY && !reads)
        fprintf(stderr,
                "puan edit: a server has %s open: make the edit on the page "
                "编辑与插补, or count only with --dry-run\n",
                c->dir);
    if (x != PUAN_OK)
        return x;
    puan_arena_init(&a, &puan_heap);
    puan_out_init(&out, &a);
    puan_jw_init(&w, &out);
    puan_jw_map(&w);
    if (c->report)
        x = report(&w, st, c, &a, err);
    else if (c->redo)
        x = redo(code, &w, st, c, &a, err);
    else
        x = make_all(code, &w, st, c, &a, err);
    puan_jw_end(&w, '}');
    if (x == PUAN_OK)
        x = puan_arena_check(&a, err);
    if (x == PUAN_OK && c->json)
        printf("%.*s\n", PUAN_FMT(puan_out_view(&out)));
    puan_store_close(st);
    puan_arena_clear(&a);
    return x;
}
