/*
 * Tables over data (puan.h).
 */
#include <stdlib.h>

#include "features/tables/tables.h"
#include "features/tables/tabulate.h"
#include "kit/os/heap.h"
#include "kit/sheet/sheet.h"
#include "programs/lib/internal.h"

struct pu_table {
    struct puan_arena arena;
    struct puan_tab_table table;
    struct puan_tab_programme programme;
    struct puan_tabulation *counted;
    struct puan_tab_result result;
    const char **dimension, ***class_; /* terminated */
};

static size_t parts_of(struct puan_str text)
{
    struct puan_str part;
    size_t n = 0;

    while (puan_tab_part(&part, &text))
        n++;
    return n;
}

static enum puan_status plan_table(pu_table *t, const pu_data *d,
                                   const pu_table_plan *p,
                                   struct puan_err *err)
{
    const struct puan_frame *f = puan_frames_frame(d->frames);
    struct puan_arena *a = &t->arena;
    struct puan_str by = puan_arena_keep(a, puan_str_of(p->by));
    struct puan_str show =
        puan_arena_keep(a, puan_str_of(p->show ? p->show : "count"));
    size_t n_by = parts_of(by), n_show = parts_of(show);
    struct puan_tab_by *b = puan_new_n(a, n_by, struct puan_tab_by);
    struct puan_tab_show *s = puan_new_n(a, n_show, struct puan_tab_show);
    struct puan_str part;
    enum puan_status st = puan_arena_check(a, err);

    t->table.id = PUAN_STR("table");
    t->table.of = p->of ? puan_arena_keep(a, puan_str_of(p->of))
                        : f->entity[f->n_entities - 1].name;
    t->table.where = puan_arena_keep(a, puan_str_of(p->where));
    t->table.file = "plan";
    t->table.by = b;
    t->table.show = s;
    while (st == PUAN_OK && puan_tab_part(&part, &by))
        st = puan_tab_by_parse(&b[t->table.n_by++], part, "by", 1, a, err);
    while (st == PUAN_OK && puan_tab_part(&part, &show)) {
        st = puan_tab_show_parse(&s[t->table.n_show], part, s, t->table.n_show,
                                 "show", 1, a, err);
        t->table.n_show++;
    }
    t->programme = (struct puan_tab_programme){ .id = PUAN_STR("table"),
                                                .table = &t->table,
                                                .n_tables = 1 };
    return st;
}

/* Terminated names of dimensions and classes. */
static enum puan_status name_all(pu_table *t, struct puan_err *err)
{
    struct puan_arena *a = &t->arena;
    const struct puan_tab_result *r = &t->result;

    t->dimension = puan_arena_get_n(a, r->n_dims, sizeof(char *));
    t->class_ = puan_arena_get_n(a, r->n_dims, sizeof(char **));
    for (size_t d = 0; !a->failed && d < r->n_dims; d++) {
        t->dimension[d] = puan_arena_dup(a, r->dim[d].name);
        t->class_[d] = puan_arena_get_n(a, r->dim[d].n, sizeof(char *));
        for (size_t i = 0; !a->failed && i < r->dim[d].n; i++)
            t->class_[d][i] = puan_arena_dup(a, r->dim[d].class_[i].code);
    }
    return puan_arena_check(a, err);
}

pu_status pu_table_make(pu_table **out, const pu_data *d,
                        const pu_table_plan *plan, pu_error *err)
{
    pu_table *t = calloc(1, sizeof(*t));
    struct puan_err e = { 0 };
    enum puan_status st;

    *out = NULL;
    if (!t)
        return lib_fail(err, PU_NO_MEMORY, "", "out of memory");
    puan_arena_init(&t->arena, &puan_heap);
    st = plan_table(t, d, plan, &e);
    if (st == PUAN_OK)
        st = puan_tabulate(&t->counted, puan_frames_frame(d->frames),
                           &t->programme, NULL, d->threads, &e);
    if (st == PUAN_OK)
        st = puan_tabulation_result(&t->result, t->counted, 0, &t->arena, &e);
    if (st == PUAN_OK)
        st = name_all(t, &e);
    if (st != PUAN_OK) {
        pu_table_free(t);
        return lib_failed(err, &e);
    }
    *out = t;
    return PU_OK;
}

void pu_table_free(pu_table *t)
{
    if (!t)
        return;
    puan_tabulation_close(t->counted);
    puan_arena_clear(&t->arena);
    free(t);
}

size_t pu_table_dimensions(const pu_table *t)
{
    return t->result.n_dims;
}

size_t pu_table_measures(const pu_table *t)
{
    return t->table.n_show;
}

const char *pu_table_dimension(const pu_table *t, size_t dimension)
{
    return dimension < t->result.n_dims ? t->dimension[dimension] : NULL;
}

const char *pu_table_class(const pu_table *t, size_t dimension, size_t i)
{
    if (dimension >= t->result.n_dims || i >= t->result.dim[dimension].n)
        return NULL;
    return t->class_[dimension][i];
}

uint64_t pu_table_cells(const pu_table *t)
{
    return t->result.n;
}

pu_status pu_table_cell(size_t *classes, const pu_table *t, uint64_t cell)
{
    const struct puan_tab_result *r = &t->result;

    if (cell >= r->n)
        return PU_NOT_FOUND;
    for (size_t i = 0; i < r->n_dims; i++)
        classes[i] = (size_t)(r->key[cell] / r->stride[i] % r->dim[i].n);
    return PU_OK;
}

int pu_table_value(int64_t *value, unsigned *places, const pu_table *t,
                   uint64_t cell, size_t measure)
{
    *value = 0;
    *places = 0;
    if (cell >= t->result.n || measure >= t->table.n_show)
        return 0;
    return puan_tab_cell(value, places, &t->result, cell, measure);
}

pu_status pu_table_csv(const pu_table *t, const char *path, pu_error *err)
{
    const struct puan_tab_view view = { .whole = &t->result,
                                        .cells = &t->result,
                                        .kept = UINT64_MAX };
    const uint64_t step = 65536;
    struct puan_sheet_out *out = NULL;
    struct puan_arena a;
    struct puan_out o;
    struct puan_err e = { 0 };
    enum puan_status st = puan_sheet_create(&out, path, &e);

    if (st != PUAN_OK)
        return lib_failed(err, &e);
    puan_arena_init(&a, &puan_heap);
    puan_out_init(&o, &a);
    puan_tab_csv_head(&o, &t->result, PUAN_TAB_CODES);
    puan_sheet_put_raw(out, puan_out_view(&o));
    for (uint64_t i = 0; i < t->result.n && !a.failed; i += step) {
        puan_arena_reset(&a);
        puan_out_init(&o, &a);
        puan_tab_csv_rows(&o, &view, i,
                          i + step < t->result.n ? i + step : t->result.n,
                          PUAN_TAB_CODES);
        puan_sheet_put_raw(out, puan_out_view(&o));
    }
    st = puan_arena_check(&a, &e);
    puan_arena_clear(&a);
    if (st == PUAN_OK)
        st = puan_sheet_finish(out, &e);
    else
        puan_sheet_abandon(out);
    return st == PUAN_OK ? PU_OK : lib_failed(err, &e);
}
