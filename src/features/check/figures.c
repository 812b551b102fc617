/*
 * Filling a sheet and running its rules; given figures from a file; answers.
 */
#include "features/check/figures.h"

#include "base/csv.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

#define FILE_MOST ((size_t)256 << 20)

static unsigned *digits_of(const struct puan_plan *p, struct puan_arena *a)
{
    unsigned *digits = puan_new_n(a, p->n_levels, unsigned);

    for (size_t i = 0; digits && i < p->n_levels; i++)
        digits[i] = p->level[i].digits;
    return digits;
}

enum puan_status puan_area_figures_begin(struct puan_area_figures *f,
                                         const struct puan_plan *plan,
                                         const struct puan_sheet *sheet,
                                         struct puan_arena *a,
                                         struct puan_err *err)
{
    unsigned *digits = digits_of(plan, a);
    struct puan_ruleset *rs = NULL;
    enum puan_status st;

    *f = (struct puan_area_figures){ .plan = plan, .sheet = sheet, .arena = a };
    if (!digits)
        return puan_arena_check(a, err);
    st = puan_figures_new(&f->figures, sheet, digits, plan->n_levels, a, err);
    if (st == PUAN_OK)
        st = puan_ruleset_compile(&rs, sheet->form, plan->consts,
                                  plan->n_consts, plan->rule_text,
                                  plan->rule_name, plan->n_rules, a, err);
    f->rules = rs;
    return st;
}

void puan_area_figures_give(struct puan_area_figures *f, int64_t ea,
                            const char *figure, int64_t value)
{
    int k = puan_sheet_figure(f->sheet, puan_str_of(figure));

    if (k >= 0)
        (void)puan_figures_give(f->figures, (int)f->plan->ea_level, ea,
                                (size_t)k, value, true);
}

static enum puan_status add_finding(struct puan_area_figures *f, size_t *cap,
                                    int level, size_t area, uint16_t rule,
                                    struct puan_err *err)
{
    if (f->n_found == *cap) {
        size_t more = *cap ? *cap * 2 : 256;
        struct puan_area_finding *l =
            puan_new_n(f->arena, more, struct puan_area_finding);

        if (!l)
            return puan_arena_check(f->arena, err);
        if (f->n_found)
            memcpy(l, f->found, f->n_found * sizeof(*l));
        f->found = l;
        *cap = more;
    }
    f->found[f->n_found++] = (struct puan_area_finding){
        .level = (uint16_t)level, .area = (uint32_t)area, .rule = rule
    };
    return PUAN_OK;
}

enum puan_status puan_area_figures_end(struct puan_area_figures *f,
                                       struct puan_err *err)
{
    struct puan_arena one;
    size_t cap = 0;
    enum puan_status st = puan_figures_close(f->figures, err);

    puan_arena_init(&one, &puan_heap);
    for (int l = 0; st == PUAN_OK && l < (int)f->plan->n_levels; l++) {
        if (!(f->sheet->levels >> l & 1))
            continue;
        for (size_t i = 0;
             st == PUAN_OK && i < puan_figures_areas(f->figures, l); i++) {
            struct puan_findings found = { 0 };
            struct puan_record r;

            puan_arena_reset(&one);
            st = puan_figures_record(&r, f->figures, l, i, &one, err);
            if (st == PUAN_OK)
                st = puan_ruleset_run(&found, f->rules, &r, &one, err);
            for (size_t k = 0; st == PUAN_OK && k < found.n; k++)
                st = add_finding(f, &cap, l, i, found.list[k].rule, err);
        }
    }
    puan_arena_clear(&one);
    return st;
}

/* ---- given figures ------------------------------------------------------- */

static enum puan_status given_row(struct puan_area_figures *f,
                                  const struct puan_csv *c, const int *at,
                                  struct puan_err *err)
{
    struct puan_str area = puan_str_trim(c->field[at[0]]);
    struct puan_str name = puan_str_trim(c->field[at[1]]);
    int level = puan_plan_level_of_digits(f->plan, (unsigned)area.n);
    int figure = puan_sheet_figure(f->sheet, name);
    int64_t code, value;

    if (level < 0 || !puan_int_parse(&code, area))
        return puan_fail_at(err, PUAN_EINVAL, c->file, c->line,
                            (uint32_t)at[0] + 1,
                            "'%.*s' is no area: no level of the plan has codes "
                            "of %zu digits",
                            PUAN_FMT(area), area.n);
    if (!puan_int_parse(&value, puan_str_trim(c->field[at[2]])))
        return puan_fail_at(err, PUAN_EINVAL, c->file, c->line,
                            (uint32_t)at[2] + 1, "the value is a whole number");
    if (figure < 0)
        return PUAN_OK; /* of another sheet */
    if (f->sheet->figure[figure].kind != PUAN_FIGURE_GIVEN)
        return puan_fail_at(err, PUAN_EINVAL, c->file, c->line,
                            (uint32_t)at[1] + 1,
                            "figure '%.*s' is counted from the returns and is "
                            "not given",
                            PUAN_FMT(name));
    if (f->sheet->kept >> level & 1)
        (void)puan_figures_give(f->figures, level, code, (size_t)figure, value,
                                false);
    return PUAN_OK;
}

enum puan_status puan_area_figures_file(struct puan_area_figures *f,
                                        const char *path, struct puan_err *err)
{
    static const char *const column[] = { "area", "figure", "value" };
    struct puan_arena a, row;
    struct puan_csv c;
    struct puan_str text;
    int at[3];
    bool more = true;
    enum puan_status st;

    puan_arena_init(&a, &puan_heap);
    puan_arena_init(&row, &puan_heap);
    st = puan_file_read(&text, path, FILE_MOST, &a, err);
    if (st == PUAN_OK)
        st = puan_csv_open(&c, text, path, &a, &row, err);
    for (int i = 0; st == PUAN_OK && i < 3; i++) {
        at[i] = puan_csv_column(&c, column[i]);
        if (at[i] < 0)
            st = puan_fail_at(err, PUAN_EINVAL, path, 1, 0,
                              "column %s is missing: a file of figures has "
                              "area,figure,value",
                              column[i]);
    }
    while (st == PUAN_OK) {
        st = puan_csv_next(&more, &c, err);
        if (st != PUAN_OK || !more)
            break;
        st = given_row(f, &c, at, err);
    }
    puan_arena_clear(&row);
    puan_arena_clear(&a);
    return st;
}

/* ---- answers ------------------------------------------------------------- */

static bool shown(const struct puan_area_figures *f, int l, int level)
{
    return (f->sheet->levels >> l & 1) && (level < 0 || l == level);
}

void puan_area_figures_csv(struct puan_out *o,
                           const struct puan_area_figures *f, int level)
{
    puan_out_text(o, "level,area");
    for (size_t k = 0; k < f->sheet->n; k++)
        puan_out_fmt(o, ",%.*s", PUAN_FMT(f->sheet->figure[k].name));
    puan_out_char(o, '\n');
    for (int l = 0; l < (int)f->plan->n_levels; l++)
        for (size_t i = 0;
             shown(f, l, level) && i < puan_figures_areas(f->figures, l); i++) {
            puan_out_fmt(o, "%.*s,%lld", PUAN_FMT(f->plan->level[l].id),
                         (long long)puan_figures_area(f->figures, l, i));
            for (size_t k = 0; k < f->sheet->n; k++) {
                enum puan_state s;
                int64_t v = puan_figures_value(&s, f->figures, l, i, k);

                puan_out_char(o, ',');
                if (s == PUAN_GIVEN)
                    puan_out_int(o, v);
            }
            puan_out_char(o, '\n');
        }
}

void puan_area_findings_csv(struct puan_out *o,
                            const struct puan_area_figures *f, int level,
                            bool zh)
{
    puan_out_text(o, "level,area,rule,severity,message\n");
    for (size_t i = 0; i < f->n_found; i++) {
        const struct puan_area_finding *x = &f->found[i];
        const struct puan_rule_info *r = puan_ruleset_info(f->rules, x->rule);

        if (level >= 0 && x->level != level)
            continue;
        puan_out_fmt(o, "%.*s,%lld,", PUAN_FMT(f->plan->level[x->level].id),
                     (long long)puan_figures_area(f->figures, x->level,
                                                  x->area));
        puan_csv_put(o, r->id);
        puan_out_text(o, r->severity == PUAN_HARD ? ",hard," : ",soft,");
        puan_csv_put(o, zh ? r->zh : r->en);
        puan_out_char(o, '\n');
    }
}

static void json_figures(struct puan_jw *w, const struct puan_area_figures *f,
                         int l, size_t i)
{
    puan_jw_key(w, "values");
    puan_jw_list(w);
    for (size_t k = 0; k < f->sheet->n; k++) {
        enum puan_state s;
        int64_t v = puan_figures_value(&s, f->figures, l, i, k);

        if (s == PUAN_GIVEN)
            puan_jw_int(w, v);
        else
            puan_jw_null(w);
    }
    puan_jw_end(w, ']');
}

void puan_area_figures_json(struct puan_jw *w,
                            const struct puan_area_figures *f, int level)
{
    puan_jw_map(w);
    puan_jw_kstr(w, "sheet", f->sheet->form->id);
    puan_jw_kstr(w, "zh", f->sheet->form->zh);
    puan_jw_kstr(w, "en", f->sheet->form->en);
    puan_jw_kint(w, "returns", (int64_t)f->returns);
    puan_jw_kint(w, "listed", (int64_t)f->listed);
    puan_jw_key(w, "figures");
    puan_jw_list(w);
    for (size_t k = 0; k < f->sheet->n; k++) {
        puan_jw_map(w);
        puan_jw_kstr(w, "id", f->sheet->figure[k].name);
        puan_jw_kstr(w, "zh", f->sheet->figure[k].zh);
        puan_jw_kstr(w, "en", f->sheet->figure[k].en);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "areas");
    puan_jw_list(w);
    for (int l = 0; l < (int)f->plan->n_levels; l++)
        for (size_t i = 0;
             shown(f, l, level) && i < puan_figures_areas(f->figures, l); i++) {
            puan_jw_map(w);
            puan_jw_kstr(w, "level", f->plan->level[l].id);
            puan_jw_kcode(w, "area", puan_figures_area(f->figures, l, i));
            json_figures(w, f, l, i);
            puan_jw_end(w, '}');
        }
    puan_jw_end(w, ']');
    puan_jw_key(w, "findings");
    puan_jw_list(w);
    for (size_t i = 0; i < f->n_found; i++) {
        const struct puan_area_finding *x = &f->found[i];
        const struct puan_rule_info *r = puan_ruleset_info(f->rules, x->rule);

        if (level >= 0 && x->level != level)
            continue;
        puan_jw_map(w);
        puan_jw_kstr(w, "level", f->plan->level[x->level].id);
        puan_jw_kcode(w, "area",
                      puan_figures_area(f->figures, x->level, x->area));
        puan_jw_kstr(w, "rule", r->id);
        puan_jw_ktext(w, "severity",
                      r->severity == PUAN_HARD ? "hard" : "soft");
        puan_jw_kstr(w, "zh", r->zh);
        puan_jw_kstr(w, "en", r->en);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}
