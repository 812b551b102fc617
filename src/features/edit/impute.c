/*
 * Deductive, donor and hot-deck imputation over the filling-in of core/edit.
 */
#include "features/edit/impute.h"

#include <string.h>

#include "base/arena.h"

#define FAR 100       /* of one answer that differs */
#define ROW_FAR 2000  /* of a row that is there and not there */
#define CANDIDATES 20 /* donors kept, nearest first */

const char *puan_impute_name(enum puan_impute_method m)
{
    static const char *const name[] = { "deductive", "donor", "hot-deck",
                                        "nearest", "ask" };

    return m < PUAN_IMPUTE_METHODS ? name[m] : "";
}

struct near {
    const struct puan_edit_return *unit;
    uint64_t distance;
};

struct work {
    const struct puan_localiser *l;
    const struct puan_record *r;
    const struct puan_form *form;
    struct puan_cell *cell; /* the answers to fill in */
    size_t *change;         /* their places among the changes */
    size_t n;
    bool *wrong[PUAN_FORM_ENTITIES]; /* cells that change, by entity */
    struct near near[CANDIDATES];
    size_t n_near;
    uint64_t budget;
    struct puan_arena *a;
    struct puan_err *err;
};

static bool sealed(const struct puan_item *it)
{
    return it->zone != PUAN_ZONE_FRAME;
}

/* ---- distance ---- */

static uint64_t apart(const struct puan_item *it, int64_t x, int64_t y)
{
    uint64_t d = x > y ? (uint64_t)x - (uint64_t)y : (uint64_t)y - (uint64_t)x;
    uint64_t scale = 4, big;

    if (d == 0)
        return 0;
    if (it->type == PUAN_TYPE_MONTH)
        scale = 240;
    else if (it->type == PUAN_TYPE_DATE)
        scale = 7300;
    else if (it->type == PUAN_TYPE_INT || it->type == PUAN_TYPE_FIXED) {
        big = (uint64_t)(x > y ? x : y);
        scale = (x > 0 || y > 0) && big > 4 ? big : 4;
    } else {
        return FAR;
    }
    return d >= scale ? FAR : FAR * d / scale;
}

/* Of one row against a row of a donor; answers that change do not count. */
static uint64_t row_distance(const struct work *w, uint16_t e, uint32_t row,
                             const struct puan_record *d, uint32_t donor_row)
{
    const struct puan_entity *ent = &w->form->entity[e];
    size_t a = (size_t)row * ent->n_items;
    size_t b = (size_t)donor_row * ent->n_items;
    const struct puan_rows *x = &w->r->rows[e], *y = &d->rows[e];
    uint64_t sum = 0;

    for (uint16_t i = 0; i < ent->n_asked; i++) {
        const struct puan_item *it = &ent->items[i];

        if (it->from != PUAN_FROM_ANSWER || it->zone != PUAN_ZONE_FRAME ||
            w->wrong[e][a + i])
            continue;
        if (x->st[a + i] != y->st[b + i])
            sum += FAR;
        else if (x->st[a + i] == PUAN_GIVEN)
            sum += apart(it, x->v[a + i], y->v[b + i]);
    }
    return sum;
}

/* The donor's row that is most like a row; its own place first. */
static uint32_t match(uint64_t *distance, const struct work *w, uint16_t e,
                      uint32_t row, const struct puan_record *d)
{
    uint32_t best = 0;

    *distance = UINT64_MAX;
    for (uint32_t i = 0; i < d->rows[e].n; i++) {
        uint32_t j = i == 0 && row < d->rows[e].n ? row : i <= row ? i - 1 : i;
        uint64_t x;

        if (row >= d->rows[e].n)
            j = i;
        x = row_distance(w, e, row, d, j);
        if (x < *distance) {
            *distance = x;
            best = j;
        }
    }
    return best;
}

static uint64_t distance(const struct work *w, const struct puan_record *d,
                         uint64_t most)
{
    uint64_t sum = 0;

    for (uint16_t e = 0; e < w->form->n_entities && sum < most; e++) {
        uint32_t n = w->r->rows[e].n, m = d->rows[e].n;

        sum += ROW_FAR * (uint64_t)(n > m ? n - m : m - n);
        for (uint32_t row = 0; row < n && sum < most; row++) {
            uint64_t x;

            match(&x, w, e, row, d);
            sum += x == UINT64_MAX ? 0 : x;
        }
    }
    return sum;
}

static void find_donors(struct work *w,
                        const struct puan_edit_return *const *donor, size_t n,
                        size_t keep)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t most =
            w->n_near == keep ? w->near[keep - 1].distance : UINT64_MAX;
        uint64_t x = distance(w, &donor[i]->record, most);
        size_t at;

        if (x >= most)
            continue;
        at = w->n_near < keep ? w->n_near++ : keep - 1;
        for (; at > 0 && w->near[at - 1].distance > x; at--)
            w->near[at] = w->near[at - 1];
        w->near[at] = (struct near){ donor[i], x };
    }
}

/* ---- filling in ---- */

static const struct puan_item *item_of(const struct work *w, size_t k)
{
    return &w->form->entity[w->cell[k].entity].items[w->cell[k].item];
}

/* What a donor has for cell k; false: nothing that can be given. */
static bool value_of(enum puan_state *st, int64_t *v, const struct work *w,
                     size_t k, const struct puan_record *d)
{
    struct puan_cell c = w->cell[k];
    uint64_t far;
    uint32_t row;
    size_t at;

    if (d->rows[c.entity].n == 0)
        return false;
    row = match(&far, w, c.entity, c.row, d);
    at = (size_t)row * w->form->entity[c.entity].n_items + c.item;
    *st = (enum puan_state)d->rows[c.entity].st[at];
    *v = d->rows[c.entity].v[at];
    if (*st == PUAN_MISSING && *v == 0)
        *st = PUAN_NOT_ASKED; /* empty, where that may be */
    return *st == PUAN_GIVEN || *st == PUAN_NOT_ASKED;
}

static enum puan_status open_fill(struct puan_fill **f, const struct work *w)
{
    enum puan_fill_state s;
    enum puan_status st = puan_fill_open(f, &s, w->l, w->r, w->cell, w->n,
                                         w->budget, w->a, w->err);

    if (st == PUAN_OK && s != PUAN_FILL_YES)
        *f = NULL;
    return st;
}

/* All values from one donor; *served says whether they all do. */
static enum puan_status from_one(bool *served, struct puan_fill **f,
                                 const struct work *w, const bool *forced,
                                 const struct puan_record *d)
{
    enum puan_status st = open_fill(f, w);

    *served = st == PUAN_OK && *f;
    for (size_t k = 0; st == PUAN_OK && *served && k < w->n; k++) {
        enum puan_fill_state s;
        enum puan_state state;
        int64_t v;

        if (forced[k] || sealed(item_of(w, k)))
            continue;
        *served = value_of(&state, &v, w, k, d);
        if (!*served)
            break;
        st = puan_fill_try(&s, *f, k, state, state == PUAN_GIVEN ? v : 0,
                           w->err);
        *served = st == PUAN_OK && s == PUAN_FILL_YES;
    }
    return st;
}

/* Each value from the nearest donor whose value serves. */
static enum puan_status from_each(struct puan_imputed *out, struct puan_fill *f,
                                  const struct work *w, const bool *forced)
{
    enum puan_status st = PUAN_OK;

    for (size_t k = 0; st == PUAN_OK && k < w->n; k++) {
        bool served = forced[k] || sealed(item_of(w, k));

        for (size_t i = 0; st == PUAN_OK && !served && i < w->n_near; i++) {
            enum puan_fill_state s;
            enum puan_state state;
            int64_t v;

            if (!value_of(&state, &v, w, k, &w->near[i].unit->record))
                continue;
            st = puan_fill_try(&s, f, k, state, state == PUAN_GIVEN ? v : 0,
                               w->err);
            served = st == PUAN_OK && s == PUAN_FILL_YES;
            if (served) {
                out->method[w->change[k]] = PUAN_IMPUTE_HOT_DECK;
                out->donor[w->change[k]] = w->near[i].unit;
            }
        }
    }
    return st;
}

static enum puan_status begin(struct work *w, struct puan_imputed *out,
                              const struct puan_localised *got)
{
    out->method = puan_new_n(w->a, got->n, enum puan_impute_method);
    out->donor =
        puan_arena_get_n(w->a, got->n, sizeof(const struct puan_edit_return *));
    w->cell = puan_new_n(w->a, got->n, struct puan_cell);
    w->change = puan_new_n(w->a, got->n, size_t);
    for (uint16_t e = 0; e < w->form->n_entities; e++)
        w->wrong[e] = puan_new_n(
            w->a, (size_t)w->r->rows[e].n * w->form->entity[e].n_items, bool);
    if (w->a->failed)
        return puan_arena_check(w->a, w->err);
    for (size_t i = 0; i < got->n; i++) {
        struct puan_cell c = got->change[i].at;

        w->wrong[c.entity][(size_t)c.row * w->form->entity[c.entity].n_items +
                           c.item] = true;
        if (w->form->entity[c.entity].items[c.item].fact_of >= 0)
            continue;
        out->method[i] = sealed(&w->form->entity[c.entity].items[c.item])
                             ? PUAN_IMPUTE_ASK
                             : PUAN_IMPUTE_NEAREST;
        w->change[w->n] = i;
        w->cell[w->n++] = c;
    }
    return PUAN_OK;
}

/* The first of a few donors that serves in everything. */
static enum puan_status some_donor(struct puan_fill **f,
                                   struct puan_imputed *out,
                                   const struct work *w, const bool *forced,
                                   size_t donors)
{
    enum puan_status st = PUAN_OK;
    bool served = false;

    for (size_t i = 0; st == PUAN_OK && !served && i < w->n_near && i < donors;
         i++) {
        st = from_one(&served, f, w, forced, &w->near[i].unit->record);
        for (size_t k = 0; st == PUAN_OK && served && k < w->n; k++) {
            if (forced[k] || sealed(item_of(w, k)))
                continue;
            out->method[w->change[k]] = PUAN_IMPUTE_DONOR;
            out->donor[w->change[k]] = w->near[i].unit;
        }
    }
    if (st != PUAN_OK || served)
        return st;
    st = open_fill(f, w);
    return st == PUAN_OK && *f ? from_each(out, *f, w, forced) : st;
}

/* What the return holds now becomes what the changes say. */
static void values(struct puan_localised *got, const struct puan_imputed *out,
                   const struct puan_form *form)
{
    for (size_t i = 0; i < got->n; i++) {
        struct puan_cell_change *c = &got->change[i];
        const struct puan_rows *rows = &out->record.rows[c->at.entity];
        size_t at =
            (size_t)c->at.row * form->entity[c->at.entity].n_items + c->at.item;

        c->state = (enum puan_state)rows->st[at];
        c->value = rows->v[at];
    }
    got->record = out->record;
}

enum puan_status
puan_impute(struct puan_imputed *out, struct puan_localised *got,
            const struct puan_localiser *l, const struct puan_record *r,
            const struct puan_edit_return *const *donor, size_t n_donors,
            const struct puan_impute_options *opt, struct puan_arena *a,
            struct puan_err *err)
{
    struct work w = { .l = l, .r = r, .form = r->form, .a = a, .err = err };
    bool *forced, all = true;
    struct puan_fill *f = NULL;
    enum puan_status st;

    *out = (struct puan_imputed){ 0 };
    w.budget = opt && opt->budget ? opt->budget : 200000;
    st = begin(&w, out, got);
    if (st != PUAN_OK)
        return st;
    forced = puan_new_n(a, w.n, bool);
    if (!forced)
        return puan_arena_check(a, err);
    st = open_fill(&f, &w);
    for (size_t k = 0; st == PUAN_OK && f && k < w.n; k++) {
        enum puan_fill_state s;

        if (sealed(item_of(&w, k)))
            continue;
        st = puan_fill_forced(&s, f, k, err);
        forced[k] = st == PUAN_OK && s == PUAN_FILL_YES;
        if (forced[k])
            out->method[w.change[k]] = PUAN_IMPUTE_DEDUCTIVE;
        all &= forced[k];
    }
    if (st == PUAN_OK && f && !all) {
        find_donors(&w, donor, n_donors, CANDIDATES);
        st = some_donor(&f, out, &w, forced,
                        opt && opt->donors ? opt->donors : 5);
    }
    if (st != PUAN_OK)
        return st;
    if (!f) { /* out of budget: the localiser's own repair stands */
        out->record = got->record;
        return PUAN_OK;
    }
    st = puan_fill_done(&out->record, f, err);
    if (st != PUAN_OK)
        return st;
    values(got, out, r->form);
    for (size_t i = 1; i < got->n; i++)
        if (got->change[i].weight == 0 &&
            w.form->entity[got->change[i].at.entity]
                    .items[got->change[i].at.item]
                    .fact_of >= 0)
            out->method[i] = out->method[i - 1];
    return PUAN_OK;
}
