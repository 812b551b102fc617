/*
 * Counts by area and item: a table of areas, open addressing by value.
 */
#include "features/edit/rates.h"

#include <stdlib.h>
#include <string.h>

#include "kit/os/heap.h"

struct area {
    int64_t value;
    bool used;
    uint64_t unit[PUAN_RATES_OUTCOMES];
    struct puan_rates_row *row; /* by place of an item in the form */
};

struct puan_rates {
    const struct puan_form *form;
    const struct puan_ruleset *rs;
    int by;
    uint32_t base[PUAN_FORM_ENTITIES], n_items;
    struct area whole, *slot;
    size_t n, cap;
};

static enum puan_status begin_area(struct area *a, int64_t value, uint32_t n,
                                   struct puan_err *err)
{
    *a = (struct area){ .value = value, .used = true };
    a->row = calloc(n ? n : 1, sizeof(*a->row));
    if (!a->row)
        return puan_fail(err, PUAN_ENOMEM, "rates", "out of memory");
    return PUAN_OK;
}

enum puan_status puan_rates_open(struct puan_rates **out,
                                 const struct puan_form *form,
                                 const struct puan_ruleset *rs, int by_item,
                                 struct puan_err *err)
{
    struct puan_rates *r = calloc(1, sizeof(*r));
    enum puan_status st;

    if (!r)
        return puan_fail(err, PUAN_ENOMEM, "rates", "out of memory");
    r->form = form;
    r->rs = rs;
    r->by = by_item;
    for (uint16_t e = 0; e < form->n_entities; e++) {
        r->base[e] = r->n_items;
        r->n_items += form->entity[e].n_items;
    }
    st = begin_area(&r->whole, 0, r->n_items, err);
    *out = r;
    return st;
}

void puan_rates_close(struct puan_rates *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->cap; i++)
        free(r->slot[i].row);
    free(r->slot);
    free(r->whole.row);
    free(r);
}

static size_t place(const struct puan_rates *r, int64_t value)
{
    size_t i = (size_t)((uint64_t)value * 0x9e3779b97f4a7c15u >> 20);

    for (i &= r->cap - 1; r->slot[i].used && r->slot[i].value != value;)
        i = (i + 1) & (r->cap - 1);
    return i;
}

static enum puan_status grow(struct puan_rates *r, struct puan_err *err)
{
    struct area *old = r->slot;
    size_t n = r->cap;

    r->cap = n ? n * 2 : 64;
    r->slot = calloc(r->cap, sizeof(*r->slot));
    if (!r->slot) {
        r->slot = old;
        r->cap = n;
        return puan_fail(err, PUAN_ENOMEM, "rates", "out of memory");
    }
    for (size_t i = 0; i < n; i++)
        if (old[i].used)
            r->slot[place(r, old[i].value)] = old[i];
    free(old);
    return PUAN_OK;
}

static enum puan_status area_of(struct area **out, struct puan_rates *r,
                                int64_t value, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    if (r->n * 2 >= r->cap)
        st = grow(r, err);
    if (st != PUAN_OK)
        return st;
    *out = &r->slot[place(r, value)];
    if (!(*out)->used) {
        st = begin_area(*out, value, r->n_items, err);
        r->n++;
    }
    return st;
}

static void count_answers(struct area *a, const struct puan_rates *r,
                          const struct puan_record *rec)
{
    for (uint16_t e = 0; e < r->form->n_entities; e++) {
        uint16_t width = r->form->entity[e].n_items;

        for (uint32_t row = 0; row < rec->rows[e].n; row++)
            for (uint16_t i = 0; i < width; i++)
                a->row[r->base[e] + i].answers +=
                    rec->rows[e].st[(size_t)row * width + i] != PUAN_NOT_ASKED;
    }
}

static void count_failing(struct area *a, const struct puan_rates *r,
                          const struct puan_findings *f)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct puan_rule_info *info =
            puan_ruleset_info(r->rs, f->list[i].rule);

        if (info->severity != PUAN_HARD)
            continue;
        for (size_t k = 0; k < info->n_items; k++)
            a->row[r->base[info->items[k].entity] + info->items[k].item]
                .failing++;
    }
}

static void count_changes(struct area *a, const struct puan_rates *r,
                          const struct puan_localised *got,
                          const struct puan_imputed *imputed)
{
    for (size_t i = 0; i < got->n; i++) {
        struct puan_cell c = got->change[i].at;
        struct puan_rates_row *row = &a->row[r->base[c.entity] + c.item];

        if (r->form->entity[c.entity].items[c.item].fact_of >= 0)
            continue;
        row->changed++;
        if (imputed)
            row->method[imputed->method[i]]++;
    }
}

enum puan_status puan_rates_unit(struct puan_rates *r,
                                 const struct puan_record *record,
                                 const int64_t *area,
                                 const struct puan_findings *found,
                                 enum puan_rates_outcome outcome,
                                 const struct puan_localised *got,
                                 const struct puan_imputed *imputed,
                                 struct puan_err *err)
{
    struct area *at[2] = { &r->whole, NULL };
    enum puan_status st = PUAN_OK;

    if (!area && r->by >= 0)
        area = &record->rows[0].v[r->by];
    if (area)
        st = area_of(&at[1], r, *area, err);
    for (size_t k = 0; st == PUAN_OK && k < 2 && at[k]; k++) {
        at[k]->unit[outcome]++;
        count_answers(at[k], r, record);
        count_failing(at[k], r, found);
        if (outcome == PUAN_RATES_REPAIRED)
            count_changes(at[k], r, got, imputed);
    }
    return st;
}

static void add_area(struct area *to, const struct area *from, uint32_t n)
{
    for (size_t i = 0; i < PUAN_RATES_OUTCOMES; i++)
        to->unit[i] += from->unit[i];
    for (uint32_t i = 0; i < n; i++) {
        to->row[i].answers += from->row[i].answers;
        to->row[i].failing += from->row[i].failing;
        to->row[i].changed += from->row[i].changed;
        for (size_t m = 0; m < PUAN_IMPUTE_METHODS; m++)
            to->row[i].method[m] += from->row[i].method[m];
    }
}

enum puan_status puan_rates_add(struct puan_rates *to,
                                const struct puan_rates *from,
                                struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    add_area(&to->whole, &from->whole, to->n_items);
    for (size_t i = 0; st == PUAN_OK && i < from->cap; i++) {
        struct area *a = NULL;

        if (!from->slot[i].used)
            continue;
        st = area_of(&a, to, from->slot[i].value, err);
        if (st == PUAN_OK)
            add_area(a, &from->slot[i], to->n_items);
    }
    return st;
}

static void write_row(struct puan_sheet_out *to, const struct puan_rates *r,
                      const struct area *a, struct puan_str area,
                      struct puan_str entity, struct puan_str item,
                      const struct puan_rates_row *row)
{
    uint64_t units = 0;

    for (size_t i = 0; i < PUAN_RATES_OUTCOMES; i++)
        units += a->unit[i];
    puan_sheet_put(to, area);
    puan_sheet_put(to, entity);
    puan_sheet_put(to, item);
    puan_sheet_put_int(to, (int64_t)units);
    for (size_t i = 0; i < PUAN_RATES_OUTCOMES; i++)
        puan_sheet_put_int(to, (int64_t)a->unit[i]);
    if (row) {
        puan_sheet_put_int(to, (int64_t)row->answers);
        puan_sheet_put_int(to, (int64_t)row->failing);
        puan_sheet_put_int(to, (int64_t)row->changed);
        for (size_t m = 0; m < PUAN_IMPUTE_METHODS; m++)
            puan_sheet_put_int(to, (int64_t)row->method[m]);
    } else {
        for (size_t m = 0; m < 3 + PUAN_IMPUTE_METHODS; m++)
            puan_sheet_put_text(to, "");
    }
    puan_sheet_end_row(to);
    (void)r;
}

static void write_area(struct puan_sheet_out *to, const struct puan_rates *r,
                       const struct area *a, struct puan_str name)
{
    write_row(to, r, a, name, PUAN_STR(""), PUAN_STR(""), NULL);
    for (uint16_t e = 0; e < r->form->n_entities; e++)
        for (uint16_t i = 0; i < r->form->entity[e].n_items; i++) {
            const struct puan_item *it = &r->form->entity[e].items[i];

            if (it->from == PUAN_FROM_ANSWER && it->fact_of < 0)
                write_row(to, r, a, name, r->form->entity[e].name, it->name,
                          &a->row[r->base[e] + i]);
        }
}

static int by_value(const void *x, const void *y)
{
    const struct area *a = *(const struct area *const *)x;
    const struct area *b = *(const struct area *const *)y;

    return (a->value > b->value) - (a->value < b->value);
}

void puan_rates_write(struct puan_sheet_out *to, const struct puan_rates *r)
{
    const struct area **list = malloc((r->n + 1) * sizeof(*list));
    struct puan_arena a;
    size_t n = 0;

    puan_arena_init(&a, &puan_heap);
    puan_sheet_put_raw(
        to, PUAN_STR("area,entity,item,units,clean,repaired,impossible,"
                     "undecided,answers,failing,changed,deductive,donor,"
                     "hot-deck,nearest,ask\n"));
    write_area(to, r, &r->whole, PUAN_STR(""));
    for (size_t i = 0; list && i < r->cap; i++)
        if (r->slot[i].used)
            list[n++] = &r->slot[i];
    if (n)
        qsort(list, n, sizeof(*list), by_value);
    for (size_t i = 0; i < n; i++)
        write_area(to, r, list[i],
                   puan_str_of(puan_item_text(&r->form->entity[0].items[r->by],
                                              list[i]->value, &a)));
    puan_arena_clear(&a);
    free(list);
}

const struct puan_rates_row *puan_rates_item(const struct puan_rates *r,
                                             uint16_t entity, uint16_t item)
{
    return &r->whole.row[r->base[entity] + item];
}

const uint64_t *puan_rates_units(const struct puan_rates *r)
{
    return r->whole.unit;
}

/* ---- areas ----------------------------------------------------------------- */

size_t puan_rates_n(const struct puan_rates *r)
{
    return r->n;
}

void puan_rates_areas(int64_t *list, const struct puan_rates *r)
{
    for (size_t i = 0; i < r->cap; i++)
        if (r->slot[i].used)
            *list++ = r->slot[i].value;
}

static const struct area *held(const struct puan_rates *r, int64_t area)
{
    const struct area *a = r->cap ? &r->slot[place(r, area)] : NULL;

    return a && a->used ? a : NULL;
}

enum puan_status puan_rates_give(struct puan_rates *to, int64_t area,
                                 const struct puan_rates *from,
                                 int64_t from_area, struct puan_err *err)
{
    const struct area *f = held(from, from_area);
    struct area *a = NULL;
    enum puan_status st;

    if (!f)
        return PUAN_OK;
    st = area_of(&a, to, area, err);
    if (st == PUAN_OK)
        add_area(a, f, to->n_items);
    return st;
}

enum puan_status puan_rates_layer(struct puan_layer_area *out,
                                  const struct puan_rates *r, int64_t area,
                                  struct puan_arena *a, struct puan_err *err)
{
    const struct area *x = held(r, area);

    *out = (struct puan_layer_area){ .code = area };
    if (!x)
        return PUAN_OK;
    out->rate = puan_new_n(a, r->n_items, struct puan_layer_rate);
    if (!out->rate)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < PUAN_LAYER_OUTCOMES; i++)
        out->unit[i] = x->unit[i];
    for (uint16_t e = 0; e < r->form->n_entities; e++)
        for (uint16_t i = 0; i < r->form->entity[e].n_items; i++) {
            const struct puan_item *it = &r->form->entity[e].items[i];
            const struct puan_rates_row *row = &x->row[r->base[e] + i];
            struct puan_layer_rate *to = &out->rate[out->n];

            if (it->from != PUAN_FROM_ANSWER || it->fact_of >= 0 ||
                (row->answers == 0 && row->failing == 0 && row->changed == 0))
                continue;
            *to = (struct puan_layer_rate){ .entity = e,
                                            .item = i,
                                            .answers = row->answers,
                                            .failing = row->failing,
                                            .changed = row->changed };
            for (size_t m = 0; m < PUAN_LAYER_METHODS; m++)
                to->method[m] = row->method[m];
            out->n++;
        }
    return PUAN_OK;
}

_Static_assert(PUAN_LAYER_METHODS == PUAN_IMPUTE_METHODS &&
                   PUAN_LAYER_OUTCOMES == PUAN_RATES_OUTCOMES,
               "kept as they are counted");
