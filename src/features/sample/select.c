/* A draw over a frame. */
#include "features/sample/select.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sample/allocate.h"
#include "features/sample/columns.h"
#include "kit/sheet/sheet.h"

/* An item of an entity, and where to find the row of it from a unit's row. */
struct ref {
    int entity, item;
};

struct draw {
    const struct puan_frame *f;
    const struct puan_select *s;
    struct puan_drawn_rows *out;
    struct puan_arena *a;
    int unit, within; /* entities; within -1: one stage */
    struct ref strata[PUAN_KEY_MOST];
    size_t n_strata_items;
    struct ref column[PUAN_COLUMNS_MOST];
    size_t n_columns;
    struct puan_keys keys;
    uint32_t *order; /* rows of the unit, by stratum, rising in each */
    uint32_t *begin; /* of each stratum in order; n_strata + 1 */
    uint64_t *size;  /* PPS: of each row of the unit */
    bool failed;     /* out of memory while writing */
};

/* ---- looking up a frame
 * -------------------------------------------------------- */

/* The row of entity `to`, at or above `from`, that row `row` of `from` is in.
 */
static uint64_t row_above(const struct puan_frame *f, int from, uint64_t row,
                          int to)
{
    while (from != to) {
        const struct puan_frame_entity *e = &f->entity[from];
        uint64_t low = 0, high = f->entity[e->parent].rows;

        while (low + 1 < high) { /* the last p with first[p] <= row */
            uint64_t mid = (low + high) / 2;

            if (e->first[mid] <= row)
                low = mid;
            else
                high = mid;
        }
        row = low;
        from = e->parent;
    }
    return row;
}

/* Rows of `to`, below `from`, that row `row` of `from` holds. */
static void rows_below(uint64_t *first, uint64_t *end,
                       const struct puan_frame *f, int from, uint64_t row,
                       int to)
{
    int chain[PUAN_FRAME_ENTITIES], n = 0;

    for (int e = to; e != from; e = f->entity[e].parent)
        chain[n++] = e;
    *first = row;
    *end = row + 1;
    while (n-- > 0) {
        const uint32_t *at = f->entity[chain[n]].first;

        *first = at[*first];
        *end = at[*end];
    }
}

static bool below(const struct puan_frame *f, int e, int above)
{
    for (; e >= 0; e = f->entity[e].parent)
        if (e == above)
            return true;
    return false;
}

static enum puan_status entity(int *out, const struct puan_frame *f,
                               const char *name, const char *option,
                               struct puan_err *err)
{
    *out =
        name ? puan_frame_entity(f, puan_str_of(name)) : (int)f->n_entities - 1;
    if (*out < 0)
        return puan_fail(err, PUAN_ENOTFOUND, option,
                         "the frame has no entity \"%s\"; say --level "
                         "NAME=ITEM,… to make one",
                         name);
    return PUAN_OK;
}

static bool item_at_or_above(struct ref *r, const struct puan_frame *f, int e,
                             struct puan_str name)
{
    for (; e >= 0; e = f->entity[e].parent) {
        r->item = puan_frame_item(&f->entity[e], name);
        r->entity = e;
        if (r->item >= 0)
            return true;
    }
    return false;
}

static enum puan_status items(struct ref *out, size_t *n, size_t most,
                              const struct puan_frame *f, int e,
                              const char *list, const char *option,
                              struct puan_err *err)
{
    struct puan_str name[PUAN_COLUMNS_MOST];

    if (!puan_names_split(name, n, most, list))
        return puan_fail(err, PUAN_EINVAL, option,
                         "\"%s\" is not one to %zu items", list, most);
    for (size_t i = 0; i < *n; i++)
        if (!item_at_or_above(&out[i], f, e, name[i]))
            return puan_fail(err, PUAN_ENOTFOUND, option,
                             "no item \"%.*s\" of %.*s or above it",
                             PUAN_FMT(name[i]), PUAN_FMT(f->entity[e].name));
    return PUAN_OK;
}

/* The items that name a row: those of every level at or above. */
static void naming(struct draw *d, int e)
{
    int chain[PUAN_FRAME_ENTITIES], n = 0;

    for (; e >= 0; e = d->f->entity[e].parent)
        if (d->f->entity[e].n_key > 0)
            chain[n++] = e;
    while (n-- > 0)
        for (size_t i = 0; i < d->f->entity[chain[n]].n_items; i++)
            if (d->n_columns < PUAN_COLUMNS_MOST)
                d->column[d->n_columns++] = (struct ref){ chain[n], (int)i };
}

/* ---- strata
 * --------------------------------------------------------------------- */

static struct puan_str stratum_label(const struct draw *d, const int64_t *key)
{
    struct puan_out o;

    if (d->n_strata_items == 0)
        return PUAN_STR("all");
    puan_out_init(&o, d->a);
    for (size_t i = 0; i < d->n_strata_items; i++) {
        const struct ref *r = &d->strata[i];

        if (i)
            puan_out_char(&o, '/');
        if (key[i] > INT64_MIN + 16)
            puan_out_str(&o,
                         puan_frame_text(&d->f->entity[r->entity].item[r->item],
                                         key[i], d->a));
    }
    return puan_out_view(&o);
}

struct ranked {
    struct puan_str label;
    uint32_t old;
};

static int by_label(const void *a, const void *b)
{
    return puan_label_cmp(((const struct ranked *)a)->label,
                          ((const struct ranked *)b)->label);
}

/* Sorts the rows of the unit into strata, those by label. */
static enum puan_status stratify(struct draw *d, struct puan_err *err)
{
    const struct puan_frame_entity *e = &d->f->entity[d->unit];
    uint32_t n = (uint32_t)e->rows, *of, *now, strata;
    struct ranked *rank;

    of = puan_arena_get_n(d->a, n ? n : 1, sizeof(*of));
    d->order = puan_arena_get_n(d->a, n ? n : 1, sizeof(*d->order));
    if (!of || !d->order)
        return puan_arena_check(d->a, err);
    for (uint32_t r = 0; r < n; r++) {
        int64_t key[PUAN_KEY_MOST] = { 0 };

        for (size_t i = 0; i < d->n_strata_items; i++) {
            const struct ref *x = &d->strata[i];
            enum puan_state state;

            key[i] =
                puan_frame_value(&state, &d->f->entity[x->entity].item[x->item],
                                 row_above(d->f, d->unit, r, x->entity));
            if (state != PUAN_GIVEN)
                key[i] = INT64_MIN + (int64_t)state;
        }
        of[r] = puan_keys_of(&d->keys, key);
        if (of[r] == UINT32_MAX)
            return puan_fail(err, PUAN_ENOMEM, "strata", "out of memory");
    }
    strata = d->keys.n;
    rank = puan_new_n(d->a, strata ? strata : 1, struct ranked);
    now = puan_arena_get_n(d->a, strata ? strata : 1, sizeof(*now));
    d->begin = puan_arena_get_n(d->a, strata + 2, sizeof(*d->begin));
    d->out->stratum =
        puan_new_n(d->a, strata ? strata : 1, struct puan_stratum_drawn);
    if (!rank || !now || !d->begin || !d->out->stratum)
        return puan_arena_check(d->a, err);
    for (uint32_t s = 0; s < strata; s++)
        rank[s] = (struct ranked){
            stratum_label(d, d->keys.key + (size_t)s * PUAN_KEY_MOST), s
        };
    qsort(rank, strata, sizeof(*rank), by_label);
    for (uint32_t s = 0; s < strata; s++) {
        now[rank[s].old] = s;
        d->out->stratum[s].label = rank[s].label;
    }
    d->out->n_strata = strata;
    for (uint32_t r = 0; r < n; r++)
        d->begin[now[of[r]] + 2]++;
    for (uint32_t s = 2; s < strata + 2; s++)
        d->begin[s] += d->begin[s - 1];
    for (uint32_t r = 0; r < n; r++)
        d->order[d->begin[now[of[r]] + 1]++] = r;
    for (uint32_t s = 0; s < strata; s++)
        d->out->stratum[s].units = d->begin[s + 1] - d->begin[s];
    return puan_arena_check(d->a, err);
}

/* ---- sizes and numbers
 * ------------------------------------------------------------ */

static enum puan_status sizes(struct draw *d, struct puan_err *err)
{
    const struct puan_frame *f = d->f;
    uint64_t n = f->entity[d->unit].rows;
    int e = puan_frame_entity(f, puan_str_of(d->s->size));
    struct ref r;

    d->size = puan_arena_get_n(d->a, n ? n : 1, sizeof(*d->size));
    if (!d->size)
        return puan_arena_check(d->a, err);
    if (e >= 0 && e != d->unit && below(f, e, d->unit)) {
        for (uint64_t i = 0; i < n; i++) {
            uint64_t first, end;

            rows_below(&first, &end, f, d->unit, i, e);
            d->size[i] = end - first;
        }
        return PUAN_OK;
    }
    if (!item_at_or_above(&r, f, d->unit, puan_str_of(d->s->size)))
        return puan_fail(err, PUAN_ENOTFOUND, "--size",
                         "neither an item of %.*s nor an entity below it: "
                         "\"%s\"",
                         PUAN_FMT(f->entity[d->unit].name), d->s->size);
    for (uint64_t i = 0; i < n; i++) {
        enum puan_state state;
        int64_t v = puan_frame_value(&state, &f->entity[r.entity].item[r.item],
                                     row_above(f, d->unit, i, r.entity));

        /* without a size it could never be taken, and no weight would tell */
        if (state != PUAN_GIVEN || v < 0)
            return puan_fail(err, PUAN_EINVAL, "--size", "row %llu has %s",
                             (unsigned long long)i + 1,
                             state == PUAN_GIVEN ? "a size below 0"
                                                 : "no size");
        d->size[i] = (uint64_t)v;
    }
    return PUAN_OK;
}

static enum puan_status from_file(struct draw *d, struct puan_err *err)
{
    struct puan_column col[2] = { { .name = PUAN_STR("stratum") },
                                  { .name = PUAN_STR("take"),
                                    .number = true } };
    uint32_t rows = 0;
    enum puan_status st =
        puan_columns_load(col, 2, &rows, &d->s->takes, 1, d->a, err);

    for (uint32_t i = 0; st == PUAN_OK && i < rows; i++) {
        struct puan_str label = col[0].label[i] == PUAN_NO_LABEL
                                    ? (struct puan_str){ "", 0 }
                                    : col[0].text[col[0].label[i]];
        size_t s = 0;

        while (s < d->out->n_strata &&
               !puan_str_eq(d->out->stratum[s].label, label))
            s++;
        if (s == d->out->n_strata || !(col[1].value[i] >= 0) ||
            col[1].value[i] > d->out->stratum[s].units)
            return puan_fail(err, PUAN_EINVAL, d->s->takes,
                             "row %u: no stratum \"%.*s\", or more than it has",
                             i + 2, PUAN_FMT(label));
        d->out->stratum[s].take = (uint32_t)col[1].value[i];
    }
    return st;
}

/* Numbers to take of each stratum. */
static enum puan_status numbers(struct draw *d, struct puan_err *err)
{
    const struct puan_select *s = d->s;
    struct puan_drawn_rows *o = d->out;
    size_t n = o->n_strata;
    enum puan_allocation how = PUAN_ALLOCATE_PROPORTIONAL;
    struct puan_stratum_size *h;
    uint32_t *take;
    double *share;
    enum puan_status st;

    if (s->takes)
        return from_file(d, err);
    if (s->method == PUAN_EVERY)
        return PUAN_OK; /* the interval decides */
    if (s->take == 0) {
        for (size_t i = 0; i < n; i++) {
            uint64_t want = s->take_each;

            if (s->rate_den)
                want = ((uint64_t)o->stratum[i].units * s->rate_num * 2 +
                        s->rate_den) /
                       (2 * (uint64_t)s->rate_den);
            if (want < s->least)
                want = s->least;
            o->stratum[i].take = want > o->stratum[i].units
                                     ? o->stratum[i].units
                                     : (uint32_t)want;
        }
        return PUAN_OK;
    }
    if (s->allocate && strcmp(s->allocate, "equal") == 0)
        how = PUAN_ALLOCATE_EQUAL;
    else if (s->allocate && strcmp(s->allocate, "root") == 0)
        how = PUAN_ALLOCATE_SQUARE_ROOT;
    else if (s->allocate && strcmp(s->allocate, "proportional") != 0)
        return puan_fail(err, PUAN_EINVAL, "--allocate",
                         "proportional, equal or root; other numbers by "
                         "--takes FILE");
    h = puan_new_n(d->a, n ? n : 1, struct puan_stratum_size);
    share = puan_new_n(d->a, n ? n : 1, double);
    take = puan_new_n(d->a, n ? n : 1, uint32_t);
    if (!h || !share || !take)
        return puan_arena_check(d->a, err);
    for (size_t i = 0; i < n; i++)
        h[i].units = o->stratum[i].units;
    if (!puan_allocate(share, h, n, how, s->take))
        return puan_fail(err, PUAN_EINVAL, "--take",
                         "there is nothing to draw");
    st = puan_allocate_whole(take, share, h, n, s->take, s->least, d->a, err);
    for (size_t i = 0; st == PUAN_OK && i < n; i++)
        o->stratum[i].take = take[i];
    return st;
}

/* ---- writing
 * ---------------------------------------------------------------------- */

static void put(struct draw *d, const char *p, size_t n)
{
    struct puan_drawn_rows *o = d->out;

    if (o->n + n > o->room) {
        size_t room = (o->room ? o->room * 2 : 1 << 16) + n;
        char *more = realloc(o->csv, room);

        if (!more) {
            d->failed = true;
            return;
        }
        o->csv = more;
        o->room = room;
    }
    memcpy(o->csv + o->n, p, n);
    o->n += n;
}

static void put_text(struct draw *d, const char *s)
{
    put(d, s, strlen(s));
}

static void put_number(struct draw *d, unsigned long long v)
{
    char text[32];

    put(d, text, (size_t)snprintf(text, sizeof(text), "%llu", v));
}

static void put_field(struct draw *d, struct puan_str s)
{
    struct puan_arena *a = d->a;
    struct puan_out o;

    if (!memchr(s.p ? s.p : "", ',', s.n) &&
        !memchr(s.p ? s.p : "", '"', s.n)) {
        put(d, s.p ? s.p : "", s.n);
        return;
    }
    puan_out_init(&o, a);
    puan_csv_put(&o, s);
    put(d, puan_out_view(&o).p, puan_out_view(&o).n);
}

/* As short as it can be without losing a digit. */
static void put_real(struct draw *d, double v)
{
    char text[40];
    int places = 6;

    do
        snprintf(text, sizeof(text), "%.*g", places, v);
    while (places++ < 17 && fabs(strtod(text, NULL) - v) > 0);
    put_text(d, text);
}

static void header(struct draw *d)
{
    put_text(d, "stratum,row");
    if (d->within >= 0)
        put_text(d, ",unit_row");
    for (size_t i = 0; i < d->n_columns; i++) {
        const struct ref *r = &d->column[i];

        put_text(d, ",");
        put_field(d, d->f->entity[r->entity].item[r->item].name);
    }
    put_text(d, ",weight,p,stratum_units");
    put_text(d, d->within >= 0 ? ",second_units\n" : "\n");
}

struct chosen {
    uint32_t stratum;
    uint32_t row;     /* of the first-stage unit */
    double p, weight; /* its probability; one by it */
    uint64_t under;   /* rows of the second stage in it */
    double weight2;
};

static void line(struct draw *d, const struct chosen *c, uint64_t row)
{
    const struct puan_stratum_drawn *s = &d->out->stratum[c->stratum];
    int e = d->within >= 0 ? d->within : d->unit;
    char text[32];

    put_field(d, s->label);
    put_text(d, ",");
    put_number(d, row + 1);
    if (d->within >= 0) {
        put_text(d, ",");
        put_number(d, (unsigned long long)c->row + 1);
    }
    for (size_t i = 0; i < d->n_columns; i++) {
        const struct ref *r = &d->column[i];
        const struct puan_frame_item *it =
            &d->f->entity[r->entity].item[r->item];
        enum puan_state state;
        int64_t v =
            puan_frame_value(&state, it, row_above(d->f, e, row, r->entity));

        put_text(d, ",");
        if (state != PUAN_GIVEN)
            continue;
        if (it->type == PUAN_TYPE_INT || it->type == PUAN_TYPE_FACT)
            put(d, text,
                (size_t)snprintf(text, sizeof(text), "%lld", (long long)v));
        else if (it->type == PUAN_TYPE_AREA)
            put(d, text,
                (size_t)snprintf(text, sizeof(text), "%0*lld", (int)it->digits,
                                 (long long)v));
        else
            put_field(d, puan_frame_text(it, v, d->a));
    }
    put_text(d, ",");
    put_real(d, c->weight * c->weight2);
    put_text(d, ",");
    put_real(d, c->p);
    put_text(d, ",");
    put_number(d, s->units);
    if (d->within >= 0) {
        put_text(d, ",");
        put_number(d, c->under);
    }
    put_text(d, "\n");
    d->out->rows++;
}

/* ---- drawing
 * ----------------------------------------------------------------------- */

static enum puan_status second(struct draw *d, struct chosen *c,
                               struct puan_err *err)
{
    const struct puan_select *s = d->s;
    struct puan_random r;
    struct puan_chosen got = { 0 };
    struct puan_arena scratch;
    char stream[32];
    uint64_t first, end;
    uint32_t n, take, start;
    enum puan_status st;

    rows_below(&first, &end, d->f, d->unit, c->row, d->within);
    n = (uint32_t)(end - first);
    c->under = n;
    if (n == 0)
        return PUAN_OK;
    take = s->then_take < n ? s->then_take : n;
    snprintf(stream, sizeof(stream), "2/%u", c->row + 1);
    r = puan_random_of(s->digest, s->seed, puan_str_of(stream));
    puan_arena_init(&scratch, d->a->host);
    if (s->then_every)
        st = puan_draw_every(&got, &start, n, s->then_every, &r, &scratch, err);
    else if (s->then == PUAN_SIMPLE)
        st = puan_draw_simple(&got, n, take, &r, &scratch, err);
    else
        st = puan_draw_systematic(&got, n, take, &r, &scratch, err);
    c->weight2 = s->then_every ? s->then_every : (double)n / take;
    for (size_t i = 0; st == PUAN_OK && i < got.n; i++)
        line(d, c, first + got.unit[i]);
    d->out->stratum[c->stratum].second += got.n;
    puan_arena_clear(&scratch);
    return st;
}

/* Size times what is left to take reaches the rest: probability 1. */
static bool is_certain(const struct puan_chosen *got, size_t i, uint32_t take)
{
    return got->size[i] * (take - got->certain) >= got->rest;
}

static enum puan_status one_stratum(struct draw *d, uint32_t h,
                                    struct puan_err *err)
{
    const struct puan_select *s = d->s;
    struct puan_stratum_drawn *o = &d->out->stratum[h];
    const uint32_t *rows = d->order + d->begin[h];
    struct puan_arena scratch;
    struct puan_chosen got = { 0 };
    struct puan_random r;
    struct puan_out stream;
    uint32_t start;
    uint64_t *size = NULL;
    enum puan_status st = PUAN_OK;

    puan_arena_init(&scratch, d->a->host);
    puan_out_init(&stream, &scratch);
    puan_out_text(&stream, "1/");
    puan_out_str(&stream, o->label);
    r = puan_random_of(s->digest, s->seed, puan_out_view(&stream));
    if (s->method == PUAN_PPS) {
        size =
            puan_arena_get_n(&scratch, o->units ? o->units : 1, sizeof(*size));
        for (uint32_t i = 0; size && i < o->units; i++) {
            size[i] = d->size[rows[i]];
            o->size += size[i];
        }
        st = puan_arena_check(&scratch, err);
        if (st == PUAN_OK)
            st =
                puan_draw_pps(&got, size, o->units, o->take, &r, &scratch, err);
    } else if (s->method == PUAN_EVERY) {
        st = puan_draw_every(&got, &start, o->units, s->every, &r, &scratch,
                             err);
        o->take = (uint32_t)got.n;
    } else if (s->method == PUAN_SIMPLE) {
        st = puan_draw_simple(&got, o->units, o->take, &r, &scratch, err);
    } else {
        st = puan_draw_systematic(&got, o->units, o->take, &r, &scratch, err);
    }
    o->certain = (uint32_t)got.certain;
    for (size_t i = 0; st == PUAN_OK && i < got.n && !d->failed; i++) {
        struct chosen c = { .stratum = h, .row = rows[got.unit[i]] };

        c.weight2 = 1;
        c.p = 1;
        c.weight = 1;
        if (s->method == PUAN_EVERY) {
            c.p = 1.0 / s->every;
            c.weight = s->every;
        } else if (s->method != PUAN_PPS) {
            c.p = (double)o->take / o->units;
            c.weight = (double)o->units / o->take;
        } else if (!is_certain(&got, i, o->take)) {
            double times = (double)got.size[i] * (o->take - o->certain);

            c.p = times / (double)got.rest;
            c.weight = (double)got.rest / times;
        }
        if (d->within >= 0)
            st = second(d, &c, err);
        else
            line(d, &c, c.row);
    }
    puan_arena_clear(&scratch);
    return st;
}

static enum puan_status look_up(struct draw *d, struct puan_err *err)
{
    const struct puan_select *s = d->s;
    enum puan_status st = entity(&d->unit, d->f, s->unit, "--unit", err);

    d->within = -1;
    if (st == PUAN_OK && s->within) {
        st = entity(&d->within, d->f, s->within, "--within", err);
        if (st == PUAN_OK &&
            (d->within == d->unit || !below(d->f, d->within, d->unit)))
            st = puan_fail(err, PUAN_EINVAL, "--within",
                           "%s does not stand below %.*s", s->within,
                           PUAN_FMT(d->f->entity[d->unit].name));
    }
    if (st == PUAN_OK && s->strata)
        st = items(d->strata, &d->n_strata_items, PUAN_KEY_MOST, d->f, d->unit,
                   s->strata, "--strata", err);
    if (st == PUAN_OK && s->columns)
        st = items(d->column, &d->n_columns, PUAN_COLUMNS_MOST, d->f,
                   d->within >= 0 ? d->within : d->unit, s->columns,
                   "--columns", err);
    else if (st == PUAN_OK)
        naming(d, d->within >= 0 ? d->within : d->unit);
    if (st == PUAN_OK && d->f->entity[d->unit].rows == 0)
        st = puan_fail(err, PUAN_EINVAL, "draw", "there is nothing to draw");
    return st;
}

enum puan_status puan_select(struct puan_drawn_rows *out,
                             const struct puan_frame *f,
                             const struct puan_select *s, struct puan_arena *a,
                             struct puan_err *err)
{
    struct draw d = { .f = f, .s = s, .out = out, .a = a };
    enum puan_status st;

    *out = (struct puan_drawn_rows){ 0 };
    st = look_up(&d, err);
    if (st == PUAN_OK)
        st = stratify(&d, err);
    if (st == PUAN_OK && s->method == PUAN_PPS)
        st = sizes(&d, err);
    if (st == PUAN_OK)
        st = numbers(&d, err);
    if (st == PUAN_OK)
        header(&d);
    for (uint32_t h = 0; st == PUAN_OK && h < out->n_strata; h++)
        st = one_stratum(&d, h, err);
    if (st == PUAN_OK && d.failed)
        st = puan_fail(err, PUAN_ENOMEM, "draw", "out of memory");
    if (st == PUAN_OK) {
        struct puan_str all = { out->csv, out->n };

        s->digest->hash(s->digest->ctx, out->digest, &all, 1);
        st = puan_arena_check(a, err);
    }
    puan_keys_clear(&d.keys);
    return st;
}

void puan_drawn_clear(struct puan_drawn_rows *d)
{
    free(d->csv);
    d->csv = NULL;
}
