/*
 * Tabulation of returns by a plan's programme; see table.h.
 */
#include "core/table/table.h"

#define CELLS_MAX ((size_t)1 << 26)
#define DIMS_MAX 8

struct dim {
    enum puan_by_kind kind;
    const struct puan_by *by;
    const struct puan_codelist *codes; /* item, variable */
    const uint32_t *areas;             /* level: tree indexes, in order */
    size_t n;                          /* classes without "unknown" */
    size_t stride;
};

struct table {
    const struct puan_table_plan *plan;
    struct dim *dim;
    size_t n_dims, first, n_cells; /* cells [first, first + n_cells) */
};

/* What a table reads of one form. */
struct use {
    bool usable;
    uint16_t entity;
    const struct puan_expr *where; /* NULL: all */
    struct use_dim {
        int item;                     /* item: index in the entity */
        const struct puan_expr *expr; /* variable */
    } * dim;
};

struct form_use {
    const struct puan_form *form;
    int entity;  /* residence entity, -1 none */
    bool judged; /* its cases are compiled; else nobody fits any */
    const struct puan_expr **residence;
    struct use *use; /* by table */
};

struct puan_tally {
    const struct puan_plan *plan;
    const struct puan_area_tree *tree;
    uint32_t area;
    struct table *table;
    size_t n_tables, n_cells;
    struct form_use *form;
    size_t n_forms;
};

/* A variable or item used by a table must exist in some form; labels too. */
static const struct puan_codelist *item_codes(const struct puan_plan *p,
                                              struct puan_str entity,
                                              struct puan_str name)
{
    for (size_t f = 0; f < p->n_forms; f++) {
        int e = puan_form_entity(p->form[f], entity);
        int i = e < 0 ? -1 : puan_entity_item(&p->form[f]->entity[e], name);

        if (i >= 0)
            return p->form[f]->entity[e].items[i].codes;
    }
    return NULL;
}

static enum puan_status dim_open(struct dim *d, struct puan_tally *t,
                                 const struct puan_table_plan *tp,
                                 const struct puan_by *by, struct puan_arena *a,
                                 struct puan_err *err)
{
    const struct puan_plan *p = t->plan;
    uint32_t *areas, i = PUAN_AREA_NONE;
    int level;

    d->kind = by->kind;
    d->by = by;
    switch (by->kind) {
    case PUAN_BY_LEVEL:
        level = puan_area_level_of(t->tree, p->level[by->index].id);
        if (level < 0)
            return puan_node_fail(tp->at, err,
                                  "level '%.*s' is above every area of this "
                                  "installation",
                                  PUAN_FMT(p->level[by->index].id));
        while ((i = puan_area_next(t->tree, t->area, (unsigned)level, i)) !=
               PUAN_AREA_NONE)
            d->n++;
        d->areas = areas = puan_new_n(a, d->n, uint32_t);
        for (size_t k = 0; areas && k < d->n; k++)
            areas[k] =
                puan_area_next(t->tree, t->area, (unsigned)level,
                               k ? areas[k - 1] : PUAN_AREA_NONE);
        return puan_arena_check(a, err);
    case PUAN_BY_ITEM:
        d->codes = item_codes(p, tp->entity, by->name);
        break;
    case PUAN_BY_VARIABLE:
        d->codes = p->variable[by->index].codes;
        break;
    case PUAN_BY_RESIDENTS:
        d->n = PUAN_TABLE_SIZES;
        return PUAN_OK;
    }
    if (d->codes == NULL)
        return puan_node_fail(tp->at, err,
                              "'%.*s' has no code list to tabulate by",
                              PUAN_FMT(by->name));
    d->n = d->codes->n;
    return PUAN_OK;
}

/* A village has no table by townships: it would say less than its name. */
static bool is_above(const struct puan_tally *t,
                     const struct puan_table_plan *tp)
{
    for (size_t i = 0; i < tp->n_by; i++) {
        int level = tp->by[i].kind != PUAN_BY_LEVEL
                        ? -1
                        : puan_area_level_of(
                              t->tree, t->plan->level[tp->by[i].index].id);

        if (level >= 0 && (unsigned)level < t->tree->area[t->area].level)
            return true;
    }
    return false;
}

static enum puan_status table_open(struct table *tb, struct puan_tally *t,
                                   const struct puan_table_plan *tp,
                                   struct puan_arena *a, struct puan_err *err)
{
    size_t cells = 1;

    if (tp->n_by > DIMS_MAX)
        return puan_node_fail(tp->at, err, "a table has at most %d dimensions",
                              DIMS_MAX);
    tb->plan = tp;
    tb->n_dims = tp->n_by;
    tb->dim = puan_new_n(a, tp->n_by, struct dim);
    if (tb->dim == NULL)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < tp->n_by; i++) {
        enum puan_status st = dim_open(&tb->dim[i], t, tp, &tp->by[i], a, err);

        if (st != PUAN_OK)
            return st;
    }
    for (size_t i = tp->n_by; i-- > 0;) {
        tb->dim[i].stride = cells;
        if (__builtin_mul_overflow(cells, tb->dim[i].n + 1, &cells) ||
            cells > CELLS_MAX)
            return puan_fail(err, PUAN_ELIMIT, "tables",
                             "table '%.*s' has more than %zu cells; use a "
                             "coarser level or fewer dimensions",
                             PUAN_FMT(tp->id), CELLS_MAX);
    }
    tb->first = t->n_cells;
    tb->n_cells = cells;
    t->n_cells += cells;
    if (t->n_cells > CELLS_MAX)
        return puan_fail(err, PUAN_ELIMIT, "tables",
                         "all tables together have more than %zu cells",
                         CELLS_MAX);
    return PUAN_OK;
}

/*
 * Binds a table to a form.  A form that lacks the entity, or an item the table
 * reads (the form for foreigners asks no registration), takes no part; that is
 * not a failure, so the compiler's message is dropped.
 */
static void use_open(struct use *u, struct puan_tally *t,
                     const struct table *tb, const struct puan_form *f,
                     struct puan_arena *a)
{
    const struct puan_plan *p = t->plan;
    int e = puan_form_entity(f, tb->plan->entity);
    struct puan_expr *x;

    if (e < 0)
        return;
    u->entity = (uint16_t)e;
    u->dim = puan_new_n(a, tb->n_dims, struct use_dim);
    if (u->dim == NULL)
        return;
    if (tb->plan->where.n) {
        if (puan_expr_compile_truth(&x, f, u->entity, p->consts, p->n_consts,
                                    tb->plan->where, "tables", 0, a,
                                    NULL) != PUAN_OK)
            return;
        u->where = x;
    }
    for (size_t i = 0; i < tb->n_dims; i++) {
        const struct puan_by *by = tb->dim[i].by;

        if (by->kind == PUAN_BY_ITEM) {
            u->dim[i].item = puan_entity_item(&f->entity[e], by->name);
            if (u->dim[i].item < 0)
                return;
        } else if (by->kind == PUAN_BY_VARIABLE) {
            if (puan_expr_compile(&x, f, u->entity, p->consts, p->n_consts,
                                  p->variable[by->index].expr, "tables", 0, a,
                                  NULL) != PUAN_OK)
                return;
            u->dim[i].expr = x;
        }
    }
    u->usable = true;
}

static void form_open(struct form_use *fu, struct puan_tally *t,
                      const struct puan_form *f, struct puan_arena *a)
{
    const struct puan_plan *p = t->plan;

    fu->form = f;
    fu->entity = puan_form_entity(f, p->residence_entity);
    fu->residence = puan_new_n(a, p->n_residence, const struct puan_expr *);
    fu->use = puan_new_n(a, t->n_tables, struct use);
    if (fu->residence == NULL || fu->use == NULL)
        return;
    fu->judged = fu->entity >= 0;
    for (size_t i = 0; fu->judged && i < p->n_residence; i++) {
        struct puan_expr *x;

        if (puan_expr_compile(&x, f, (uint16_t)fu->entity, p->consts,
                              p->n_consts, p->residence[i].when, "residence", 0,
                              a, NULL) != PUAN_OK)
            fu->judged = false;
        else
            fu->residence[i] = x;
    }
    for (size_t i = 0; i < t->n_tables; i++)
        use_open(&fu->use[i], t, &t->table[i], f, a);
}

enum puan_status puan_tally_compile(struct puan_tally **out,
                                    const struct puan_plan *plan,
                                    const struct puan_area_tree *tree,
                                    uint32_t area, struct puan_arena *a,
                                    struct puan_err *err)
{
    struct puan_tally *t = puan_new(a, struct puan_tally);

    if (t == NULL || area >= tree->n)
        return t ? puan_fail(err, PUAN_ENOTFOUND, "area", "no such area")
                 : puan_arena_check(a, err);
    t->plan = plan;
    t->tree = tree;
    t->area = area;
    t->table = puan_new_n(a, plan->n_tables, struct table);
    t->form = puan_new_n(a, plan->n_forms, struct form_use);
    for (size_t i = 0; t->table && i < plan->n_tables; i++) {
        enum puan_status st;

        if (is_above(t, &plan->table[i]))
            continue;
        st = table_open(&t->table[t->n_tables], t, &plan->table[i], a, err);
        if (st != PUAN_OK)
            return st;
        t->n_tables++;
    }
    for (size_t i = 0; t->form && i < plan->n_forms; i++) {
        form_open(&t->form[i], t, plan->form[i], a);
        t->n_forms++;
    }
    if (a->failed)
        return puan_arena_check(a, err);
    *out = t;
    return PUAN_OK;
}

size_t puan_tally_cells(const struct puan_tally *t)
{
    return t->n_cells;
}

static const struct form_use *use_of(const struct puan_tally *t,
                                     const struct puan_form *f)
{
    for (size_t i = 0; i < t->n_forms; i++)
        if (t->form[i].form == f)
            return &t->form[i];
    return NULL;
}

void puan_tally_status(struct puan_status_of *out, const struct puan_tally *t,
                       const struct puan_record *r)
{
    const struct form_use *fu = use_of(t, r->form);
    const struct puan_residence_case *rc = t->plan->residence;

    if (fu == NULL || fu->entity < 0)
        return;
    for (uint32_t row = 0; row < r->rows[fu->entity].n; row++) {
        struct puan_status_of s = { -1, false, false, false };

        for (size_t i = 0; fu->judged && i < t->plan->n_residence; i++) {
            if (puan_expr_truth(fu->residence[i], r, row) != PUAN_TRUE)
                continue;
            s = (struct puan_status_of){ (int16_t)i, rc[i].de_facto,
                                         rc[i].registered, rc[i].resident };
            break;
        }
        out[row] = s;
    }
}

static bool in_base(enum puan_base base, const struct puan_status_of *s)
{
    switch (base) {
    case PUAN_BASE_RESIDENT:
        return s->resident;
    case PUAN_BASE_DE_FACTO:
        return s->de_facto;
    case PUAN_BASE_REGISTERED:
        return s->registered;
    case PUAN_BASE_ALL:
        return true;
    }
    return false;
}

/* Class of an area: binary search over the level's areas, in preorder. */
static size_t area_class(const struct dim *d, const struct puan_area_tree *tree,
                         uint32_t ea)
{
    size_t lo = 0, hi = d->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (tree->area[d->areas[mid]].end <= ea)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < d->n && d->areas[lo] <= ea ? lo : d->n;
}

static size_t code_class(const struct puan_codelist *l, int64_t value)
{
    const struct puan_code *c = puan_code_by_value(l, value);

    return c ? (size_t)(c - l->codes) : l->n;
}

static size_t class_of(const struct dim *d, const struct use_dim *u,
                       const struct puan_tally *t, uint16_t entity,
                       const struct puan_record *r, uint32_t row, uint32_t ea,
                       size_t base_rows)
{
    const struct puan_entity *e = &r->form->entity[entity];
    enum puan_state state;
    int64_t v;
    size_t at;

    switch (d->kind) {
    case PUAN_BY_LEVEL:
        return area_class(d, t->tree, ea);
    case PUAN_BY_RESIDENTS:
        return base_rows < d->n ? base_rows : d->n - 1;
    case PUAN_BY_ITEM:
        at = (size_t)row * e->n_items + (size_t)u->item;
        if (r->rows[entity].st[at] != PUAN_GIVEN)
            return d->n;
        return code_class(d->codes, r->rows[entity].v[at]);
    case PUAN_BY_VARIABLE:
        puan_expr_eval(&v, &state, u->expr, r, row);
        return state == PUAN_GIVEN ? code_class(d->codes, v) : d->n;
    }
    return d->n;
}

void puan_tally_count(int64_t *cells, const struct puan_tally *t,
                      int64_t household, const struct puan_record *r,
                      const struct puan_status_of *status, const bool *skip)
{
    const struct form_use *fu = use_of(t, r->form);
    uint32_t ea = puan_area_of_household(t->tree, household);

    if (fu == NULL || ea == PUAN_AREA_NONE ||
        !puan_area_contains(t->tree, t->area, ea))
        return;
    for (size_t i = 0; i < t->n_tables; i++) {
        const struct table *tb = &t->table[i];
        const struct use *u = &fu->use[i];
        bool persons = u->usable && fu->entity == u->entity;
        size_t base_rows = 0;

        if (!u->usable)
            continue;
        for (uint32_t k = 0; fu->entity >= 0 && k < r->rows[fu->entity].n; k++)
            base_rows +=
                !(skip && skip[k]) && in_base(tb->plan->base, &status[k]);
        /* a household counts when somebody of the base lives in it */
        if (base_rows == 0 && tb->plan->base != PUAN_BASE_ALL)
            continue;
        for (uint32_t row = 0; row < r->rows[u->entity].n; row++) {
            size_t cell = tb->first;

            if (persons &&
                ((skip && skip[row]) || !in_base(tb->plan->base, &status[row])))
                continue;
            if (u->where && puan_expr_truth(u->where, r, row) != PUAN_TRUE)
                continue;
            for (size_t d = 0; d < tb->n_dims; d++)
                cell += tb->dim[d].stride * class_of(&tb->dim[d], &u->dim[d], t,
                                                     u->entity, r, row, ea,
                                                     base_rows);
            cells[cell]++;
        }
    }
}

size_t puan_tally_tables(const struct puan_tally *t)
{
    return t->n_tables;
}

const struct puan_table_plan *puan_tally_plan(const struct puan_tally *t,
                                              size_t table)
{
    return t->table[table].plan;
}

size_t puan_tally_dims(const struct puan_tally *t, size_t table)
{
    return t->table[table].n_dims;
}

size_t puan_tally_classes(const struct puan_tally *t, size_t table, size_t dim)
{
    return t->table[table].dim[dim].n + 1;
}

void puan_tally_class(struct puan_class *out, char code[24],
                      const struct puan_tally *t, size_t table, size_t dim,
                      size_t class_)
{
    const struct dim *d = &t->table[table].dim[dim];

    if (class_ > d->n) {
        *out = (struct puan_class){ PUAN_STR("total"), PUAN_STR("合计"),
                                    PUAN_STR("total") };
    } else if (class_ == d->n) {
        *out = (struct puan_class){ PUAN_STR("unknown"), PUAN_STR("不详"),
                                    PUAN_STR("unknown") };
    } else if (d->kind == PUAN_BY_LEVEL) {
        const struct puan_area *a = &t->tree->area[d->areas[class_]];

        *out = (struct puan_class){ a->digits, a->zh, a->en };
    } else if (d->kind == PUAN_BY_RESIDENTS) {
        bool last = class_ == d->n - 1;

        puan_format(code, 24, "%zu%s", class_, last ? "+" : "");
        out->code = out->zh = out->en = puan_str_of(code);
    } else {
        const struct puan_code *c = &d->codes->codes[class_];

        *out = (struct puan_class){ c->text, c->zh, c->en };
    }
}

/* Sum over dimensions from `dim` on whose coordinate asks for the total. */
static int64_t sum(const struct table *tb, const int64_t *cells, size_t dim,
                   size_t at, const size_t *coordinate)
{
    const struct dim *d = &tb->dim[dim];
    int64_t total = 0;

    if (dim == tb->n_dims)
        return cells[at];
    if (coordinate[dim] <= d->n)
        return sum(tb, cells, dim + 1, at + d->stride * coordinate[dim],
                   coordinate);
    for (size_t i = 0; i <= d->n; i++)
        total += sum(tb, cells, dim + 1, at + d->stride * i, coordinate);
    return total;
}

int64_t puan_tally_value(const struct puan_tally *t, const int64_t *cells,
                         size_t table, const size_t *coordinate)
{
    const struct table *tb = &t->table[table];

    return sum(tb, cells, 0, tb->first, coordinate);
}

/* Next coordinate in order, last dimension fastest; false after the last. */
static bool advance(const struct table *tb, size_t *coordinate, size_t extra)
{
    for (size_t d = tb->n_dims; d-- > 0;) {
        if (++coordinate[d] <= tb->dim[d].n + extra)
            return true;
        coordinate[d] = 0;
    }
    return false;
}

void puan_tally_csv(struct puan_out *o, const struct puan_tally *t,
                    const int64_t *cells, size_t table)
{
    const struct table *tb = &t->table[table];
    size_t at[DIMS_MAX] = { 0 };
    struct puan_class c;
    char code[24];

    for (size_t d = 0; d < tb->n_dims; d++)
        puan_out_fmt(o, "%.*s,%.*s_zh,%.*s_en,", PUAN_FMT(tb->dim[d].by->name),
                     PUAN_FMT(tb->dim[d].by->name),
                     PUAN_FMT(tb->dim[d].by->name));
    puan_out_text(o, "count\r\n");
    do {
        int64_t v = puan_tally_value(t, cells, table, at);
        bool unknown = false;

        for (size_t d = 0; d < tb->n_dims; d++)
            unknown |= at[d] == tb->dim[d].n;
        if (unknown && v == 0)
            continue;
        for (size_t d = 0; d < tb->n_dims; d++) {
            puan_tally_class(&c, code, t, table, d, at[d]);
            puan_csv_put(o, c.code);
            puan_out_char(o, ',');
            puan_csv_put(o, c.zh);
            puan_out_char(o, ',');
            puan_csv_put(o, c.en);
            puan_out_char(o, ',');
        }
        puan_out_int(o, v);
        puan_out_text(o, "\r\n");
    } while (advance(tb, at, 1));
}

static const char *base_name(enum puan_base base)
{
    static const char *const name[] = { "resident", "de_facto", "registered",
                                        "all" };

    return name[base];
}

void puan_tally_json(struct puan_jw *w, const struct puan_tally *t,
                     const int64_t *cells, size_t table)
{
    const struct table *tb = &t->table[table];
    size_t at[DIMS_MAX] = { 0 };
    struct puan_class c;
    char code[24];
    int64_t total = 0;

    puan_jw_map(w);
    puan_jw_kstr(w, "id", tb->plan->id);
    puan_jw_kstr(w, "zh", tb->plan->zh);
    puan_jw_kstr(w, "en", tb->plan->en);
    puan_jw_kstr(w, "entity", tb->plan->entity);
    puan_jw_ktext(w, "base", base_name(tb->plan->base));
    puan_jw_key(w, "dims");
    puan_jw_list(w);
    for (size_t d = 0; d < tb->n_dims; d++) {
        puan_jw_map(w);
        puan_jw_kstr(w, "name", tb->dim[d].by->name);
        puan_jw_key(w, "classes");
        puan_jw_list(w);
        for (size_t i = 0; i <= tb->dim[d].n; i++) {
            puan_tally_class(&c, code, t, table, d, i);
            puan_jw_map(w);
            puan_jw_kstr(w, "code", c.code);
            puan_jw_kstr(w, "zh", c.zh);
            puan_jw_kstr(w, "en", c.en);
            puan_jw_end(w, '}');
        }
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "cells");
    puan_jw_list(w);
    do {
        int64_t v = puan_tally_value(t, cells, table, at);

        total += v;
        puan_jw_int(w, v);
    } while (advance(tb, at, 0));
    puan_jw_end(w, ']');
    puan_jw_kint(w, "total", total);
    puan_jw_end(w, '}');
}
