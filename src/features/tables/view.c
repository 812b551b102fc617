/*
 * A table as somebody reads it: the dimensions asked for, margins, and cells
 * withheld; see tables.h.
 */
#include "core/form/form.h"
#include "features/tables/tables.h"

#define DIMS 8

/* Every cell of the view and every margin, the last class of a dimension being
 * its total; dimensions that are not kept have the total alone. */
struct grid {
    const struct puan_tally *tally;
    const struct puan_table_plan *plan;
    size_t table, n_dims;
    size_t dim[DIMS]; /* of the table, those kept */
    size_t n[DIMS];   /* classes of it, "unknown" among them, total not */
    size_t stride[DIMS];
    size_t size;
    int64_t *value;
    bool *withheld;
    size_t n_withheld;
};

static bool is_fine(const struct puan_plan *plan, const struct puan_count *c,
                    const struct puan_table_plan *t, uint64_t keep)
{
    const struct puan_setting *s =
        puan_plan_setting(plan, PUAN_STR("release_cell_level"));
    int level = s ? puan_plan_level(plan, s->text) : -1;

    if (level < 0)
        return false;
    for (size_t i = 0; i < t->n_by; i++)
        if ((keep >> i & 1) && t->by[i].kind == PUAN_BY_LEVEL &&
            (int)t->by[i].index > level)
            return true;
    return puan_count_level(c) > level;
}

enum puan_status puan_view_make(struct puan_view *out,
                                const struct puan_count *c, size_t table,
                                struct puan_str by, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(puan_count_store(c));
    const struct puan_table_plan *t =
        puan_tally_plan(puan_count_tally(c), table);
    struct puan_str rest = by, name;

    *out = (struct puan_view){ .table = table };
    if (by.n == 0)
        out->keep = (UINT64_C(1) << t->n_by) - 1;
    while (rest.n && puan_str_split(&name, &rest, ',')) {
        size_t i = 0;

        while (i < t->n_by && !puan_str_eq(t->by[i].name, name))
            i++;
        if (i == t->n_by)
            return puan_fail(err, PUAN_EINVAL, "by",
                             "the table has no dimension '%.*s'",
                             PUAN_FMT(name));
        out->keep |= UINT64_C(1) << i;
    }
    if (is_fine(plan, c, t, out->keep))
        out->least = puan_plan_number(plan, "release_min_cell", 3);
    return PUAN_OK;
}

/* ---- values ----------------------------------------------------------------
 */

/* Next position, last dimension fastest; `margins`: totals too. */
static bool advance(const struct grid *g, size_t *at, bool margins)
{
    for (size_t d = g->n_dims; d-- > 0;) {
        if (++at[d] < g->n[d] + margins)
            return true;
        at[d] = 0;
    }
    return false;
}

static size_t place(const struct grid *g, const size_t *at)
{
    size_t k = 0;

    for (size_t d = 0; d < g->n_dims; d++)
        k += g->stride[d] * at[d];
    return k;
}

static void withhold(struct grid *g, size_t k)
{
    g->n_withheld += !g->withheld[k];
    g->withheld[k] = true;
}

/*
 * One withheld cell of a line whose total is shown is told by subtraction: the
 * smallest other one that is not zero is withheld with it.
 */
static bool cover_line(struct grid *g, size_t first, size_t d)
{
    size_t n = 0, best = SIZE_MAX;

    for (size_t i = 0; i <= g->n[d]; i++) {
        size_t k = first + i * g->stride[d];

        if (g->withheld[k])
            n++;
        else if (g->value[k] > 0 && i < g->n[d] &&
                 (best == SIZE_MAX || g->value[k] < g->value[best]))
            best = k;
    }
    if (n != 1)
        return false;
    if (best == SIZE_MAX)
        best = first + g->n[d] * g->stride[d];
    if (g->withheld[best])
        return false;
    withhold(g, best);
    return true;
}

static void cover(struct grid *g)
{
    bool again = true;

    while (again) {
        again = false;
        for (size_t d = 0; d < g->n_dims; d++) {
            size_t at[DIMS] = { 0 };

            do
                if (at[d] == 0)
                    again |= cover_line(g, place(g, at), d);
            while (advance(g, at, true));
        }
    }
}

static enum puan_status grid_make(struct grid *g, const struct puan_count *c,
                                  const struct puan_view *v,
                                  struct puan_arena *a, struct puan_err *err)
{
    size_t at[DIMS] = { 0 }, full[DIMS];
    size_t dims;

    *g = (struct grid){ .tally = puan_count_tally(c),
                        .table = v->table,
                        .size = 1 };
    g->plan = puan_tally_plan(g->tally, v->table);
    dims = puan_tally_dims(g->tally, v->table);
    for (size_t d = 0; d < dims; d++)
        if (v->keep >> d & 1) {
            g->n[g->n_dims] = puan_tally_classes(g->tally, v->table, d);
            g->dim[g->n_dims++] = d;
        }
    for (size_t d = g->n_dims; d-- > 0;) {
        g->stride[d] = g->size;
        g->size *= g->n[d] + 1;
    }
    g->value = puan_new_n(a, g->size, int64_t);
    g->withheld = puan_new_n(a, g->size, bool);
    if (g->value == NULL || g->withheld == NULL)
        return puan_arena_check(a, err);
    for (size_t d = 0; d < dims; d++)
        full[d] = puan_tally_classes(g->tally, v->table, d);
    do {
        size_t k = place(g, at);

        for (size_t d = 0; d < g->n_dims; d++)
            full[g->dim[d]] = at[d];
        g->value[k] =
            puan_tally_value(g->tally, puan_count_cells(c), v->table, full);
        if (g->value[k] > 0 && g->value[k] < v->least)
            withhold(g, k);
    } while (advance(g, at, true));
    if (g->n_withheld)
        cover(g);
    return PUAN_OK;
}

/* ---- JSON
 * -------------------------------------------------------------------- */

/* What a dimension is called; a household's size has no name in a plan. */
static void put_label(struct puan_jw *w, const struct puan_plan *plan,
                      const struct puan_table_plan *t, const struct puan_by *by)
{
    struct puan_str zh = by->name, en = by->name;

    if (by->kind == PUAN_BY_LEVEL) {
        zh = plan->level[by->index].zh;
        en = plan->level[by->index].en;
    } else if (by->kind == PUAN_BY_VARIABLE) {
        zh = plan->variable[by->index].zh;
        en = plan->variable[by->index].en;
    } else if (by->kind == PUAN_BY_ITEM) {
        for (size_t f = 0; f < plan->n_forms; f++) {
            int e = puan_form_entity(plan->form[f], t->entity), item;

            if (e < 0)
                continue;
            item = puan_entity_item(&plan->form[f]->entity[e], by->name);
            if (item < 0)
                continue;
            zh = plan->form[f]->entity[e].items[item].zh;
            en = plan->form[f]->entity[e].items[item].en;
            break;
        }
    }
    puan_jw_kstr(w, "name", by->name);
    puan_jw_ktext(w, "kind",
                  by->kind == PUAN_BY_LEVEL      ? "level"
                  : by->kind == PUAN_BY_VARIABLE ? "variable"
                  : by->kind == PUAN_BY_ITEM     ? "item"
                                                 : "residents");
    puan_jw_kstr(w, "zh", zh);
    puan_jw_kstr(w, "en", en);
}

static void put_class(struct puan_jw *w, const struct grid *g, size_t dim,
                      size_t i)
{
    struct puan_class c;
    char code[24];

    puan_tally_class(&c, code, g->tally, g->table, dim, i);
    puan_jw_map(w);
    puan_jw_kstr(w, "code", c.code);
    puan_jw_kstr(w, "zh", c.zh);
    puan_jw_kstr(w, "en", c.en);
    puan_jw_end(w, '}');
}

static void put_cell(struct puan_jw *w, const struct grid *g, size_t k)
{
    if (g->withheld[k])
        puan_jw_null(w);
    else
        puan_jw_int(w, g->value[k]);
}

void puan_table_names(struct puan_jw *w, const struct puan_plan *plan,
                      const struct puan_table_plan *t)
{
    static const char *const base[] = { "resident", "de_facto", "registered",
                                        "all" };

    puan_jw_kstr(w, "id", t->id);
    puan_jw_kstr(w, "zh", t->zh);
    puan_jw_kstr(w, "en", t->en);
    puan_jw_kstr(w, "entity", t->entity);
    puan_jw_key(w, "by");
    puan_jw_list(w);
    for (size_t d = 0; d < t->n_by; d++)
        puan_jw_str(w, t->by[d].name);
    puan_jw_end(w, ']');
    puan_jw_ktext(w, "base", base[t->base]);
    puan_jw_kstr(w, "where", t->where);
    puan_jw_key(w, "base_cases");
    puan_jw_list(w);
    for (size_t i = 0; i < plan->n_residence; i++) {
        const struct puan_residence_case *r = &plan->residence[i];

        if (!(t->base == PUAN_BASE_ALL ||
              (t->base == PUAN_BASE_RESIDENT && r->resident) ||
              (t->base == PUAN_BASE_DE_FACTO && r->de_facto) ||
              (t->base == PUAN_BASE_REGISTERED && r->registered)))
            continue;
        puan_jw_map(w);
        puan_jw_kint(w, "case", r->id);
        puan_jw_kstr(w, "zh", r->zh);
        puan_jw_kstr(w, "en", r->en);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "dims_of");
    puan_jw_list(w);
    for (size_t d = 0; d < t->n_by; d++) {
        puan_jw_map(w);
        put_label(w, plan, t, &t->by[d]);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

enum puan_status puan_view_json(struct puan_jw *w, const struct puan_count *c,
                                const struct puan_view *v, struct puan_arena *a,
                                struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(puan_count_store(c));
    size_t at[DIMS] = { 0 };
    struct grid g;
    enum puan_status st = grid_make(&g, c, v, a, err);

    if (st != PUAN_OK)
        return st;
    puan_jw_map(w);
    puan_table_names(w, plan, g.plan);
    puan_jw_key(w, "dims");
    puan_jw_list(w);
    for (size_t d = 0; d < g.n_dims; d++) {
        puan_jw_map(w);
        put_label(w, plan, g.plan, &g.plan->by[g.dim[d]]);
        puan_jw_key(w, "classes");
        puan_jw_list(w);
        for (size_t i = 0; i < g.n[d]; i++)
            put_class(w, &g, g.dim[d], i);
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "cells");
    puan_jw_list(w);
    do
        put_cell(w, &g, place(&g, at));
    while (advance(&g, at, false));
    puan_jw_end(w, ']');
    puan_jw_key(w, "total");
    put_cell(w, &g, g.size - 1);
    /* the same with the total of each dimension as its last class */
    puan_jw_key(w, "margins");
    puan_jw_list(w);
    for (size_t k = 0; k < g.size; k++)
        put_cell(w, &g, k);
    puan_jw_end(w, ']');
    puan_jw_kint(w, "withheld", (int64_t)g.n_withheld);
    puan_jw_kint(w, "least", v->least);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- CSV
 * ----------------------------------------------------------------------- */

enum puan_status puan_view_csv(struct puan_out *o, const struct puan_count *c,
                               const struct puan_view *v, struct puan_arena *a,
                               struct puan_err *err)
{
    size_t at[DIMS] = { 0 };
    struct puan_class k;
    struct grid g;
    char code[24];
    enum puan_status st = grid_make(&g, c, v, a, err);

    if (st != PUAN_OK)
        return st;
    for (size_t d = 0; d < g.n_dims; d++) {
        struct puan_str n = g.plan->by[g.dim[d]].name;

        puan_out_fmt(o, "%.*s,%.*s_zh,%.*s_en,", PUAN_FMT(n), PUAN_FMT(n),
                     PUAN_FMT(n));
    }
    puan_out_text(o, "count\r\n");
    do {
        size_t i = place(&g, at);
        bool unknown = false;

        for (size_t d = 0; d < g.n_dims; d++)
            unknown |= at[d] == g.n[d] - 1;
        if (unknown && g.value[i] == 0)
            continue;
        for (size_t d = 0; d < g.n_dims; d++) {
            puan_tally_class(&k, code, g.tally, g.table, g.dim[d], at[d]);
            puan_csv_put(o, k.code);
            puan_out_char(o, ',');
            puan_csv_put(o, k.zh);
            puan_out_char(o, ',');
            puan_csv_put(o, k.en);
            puan_out_char(o, ',');
        }
        if (g.withheld[i])
            puan_out_text(o, "不予公布");
        else
            puan_out_int(o, g.value[i]);
        puan_out_text(o, "\r\n");
    } while (advance(&g, at, true));
    return PUAN_OK;
}
