/*
 * Layers and rates as bytes; see layer.h.
 */
#include "core/edit/layer.h"

#define LAYER_VERSION 1

static enum puan_status damaged(struct puan_err *err)
{
    return puan_fail(err, PUAN_EINVAL, "edit layer",
                     "damaged or of another version");
}

static void put_change(struct puan_out *o, const struct puan_layer_change *c)
{
    puan_out_varint(o, c->entity);
    puan_out_varint(o, c->item);
    puan_out_varint(o, c->row);
    puan_out_u8(o, (uint8_t)(c->state | c->method << 4));
    puan_out_varint(o, c->weight);
    if (c->state == PUAN_GIVEN)
        puan_out_svarint(o, c->value);
    puan_out_svarint(o, c->donor);
}

void puan_layer_encode(struct puan_out *out, const struct puan_layer_unit *u,
                       size_t n)
{
    int64_t before = 0;

    puan_out_u8(out, LAYER_VERSION);
    puan_out_varint(out, n);
    for (size_t i = 0; i < n; i++) {
        puan_out_svarint(out, u[i].household - before);
        before = u[i].household;
        puan_out_varint(out, (uint64_t)u[i].ret);
        puan_out_u8(out, u[i].outcome);
        puan_out_varint(out, u[i].n);
        for (size_t k = 0; k < u[i].n; k++)
            put_change(out, &u[i].change[k]);
    }
}

/* A count of things of at least `least` bytes each that are still to come. */
static size_t get_count(struct puan_in *in, size_t least)
{
    uint64_t n = puan_in_varint(in);

    if (in->bad || n > (uint64_t)(in->end - in->p) / least ||
        n > PUAN_LAYER_MOST) {
        in->bad = true;
        return 0;
    }
    return (size_t)n;
}

static uint64_t get_below(struct puan_in *in, uint64_t most)
{
    uint64_t v = puan_in_varint(in);

    if (v > most)
        in->bad = true;
    return in->bad ? 0 : v;
}

static void get_change(struct puan_layer_change *c, struct puan_in *in)
{
    unsigned how;

    c->entity = (uint16_t)get_below(in, UINT16_MAX);
    c->item = (uint16_t)get_below(in, UINT16_MAX);
    c->row = (uint32_t)get_below(in, UINT32_MAX);
    how = puan_in_u8(in);
    c->state = how & 15;
    c->method = (uint8_t)(how >> 4);
    c->weight = (uint32_t)get_below(in, UINT32_MAX);
    if (c->state > PUAN_INVALID || c->method >= PUAN_LAYER_METHODS)
        in->bad = true;
    if (c->state == PUAN_GIVEN)
        c->value = puan_in_svarint(in);
    c->donor = puan_in_svarint(in);
}

/* The sum of two numbers read; out of range makes the bytes bad. */
static int64_t plus(struct puan_in *in, int64_t a, int64_t b)
{
    if (b > 0 ? a > INT64_MAX - b : a < INT64_MIN - b) {
        in->bad = true;
        return 0;
    }
    return a + b;
}

enum puan_status puan_layer_decode(struct puan_layer_unit **out, size_t *n,
                                   struct puan_str bytes, struct puan_arena *a,
                                   struct puan_err *err)
{
    struct puan_in in = puan_in_of(bytes);
    struct puan_layer_unit *u;
    int64_t before = 0;
    size_t all;

    *n = 0;
    if (puan_in_u8(&in) != LAYER_VERSION)
        return damaged(err);
    all = get_count(&in, 4);
    u = puan_new_n(a, all, struct puan_layer_unit);
    if (a->failed)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < all && !in.bad; i++) {
        u[i].household = plus(&in, before, puan_in_svarint(&in));
        if (i > 0 && u[i].household <= before)
            in.bad = true;
        before = u[i].household;
        u[i].ret = (int64_t)get_below(&in, INT64_MAX);
        u[i].outcome = puan_in_u8(&in);
        if (u[i].outcome < 1 || u[i].outcome >= PUAN_LAYER_OUTCOMES)
            in.bad = true;
        u[i].n = get_count(&in, 6);
        u[i].change = puan_new_n(a, u[i].n, struct puan_layer_change);
        if (a->failed)
            return puan_arena_check(a, err);
        for (size_t k = 0; k < u[i].n && !in.bad; k++)
            get_change(&u[i].change[k], &in);
    }
    if (in.bad || in.p != in.end)
        return damaged(err);
    *out = u;
    *n = all;
    return PUAN_OK;
}

size_t puan_layer_apply(struct puan_record *r, const struct puan_layer_unit *u)
{
    size_t n = 0;

    for (size_t i = 0; i < u->n; i++) {
        const struct puan_layer_change *c = &u->change[i];
        const struct puan_entity *e;
        struct puan_rows *rows;
        size_t at;

        if (c->entity >= r->form->n_entities)
            continue;
        e = &r->form->entity[c->entity];
        rows = &r->rows[c->entity];
        if (c->item >= e->n_items || c->row >= rows->n)
            continue;
        if (e->items[c->item].fact_of < 0 &&
            e->items[c->item].zone != PUAN_ZONE_FRAME)
            continue;
        at = (size_t)c->row * e->n_items + c->item;
        rows->st[at] = c->state;
        rows->v[at] = c->state == PUAN_GIVEN ? c->value : 0;
        n++;
    }
    return n;
}

/* ---- rates ---------------------------------------------------------------- */

void puan_layer_rates_encode(struct puan_out *out,
                             const struct puan_layer_area *area, size_t n)
{
    puan_out_u8(out, LAYER_VERSION);
    puan_out_varint(out, n);
    for (size_t i = 0; i < n; i++) {
        puan_out_svarint(out, area[i].code);
        for (size_t k = 0; k < PUAN_LAYER_OUTCOMES; k++)
            puan_out_varint(out, area[i].unit[k]);
        puan_out_varint(out, area[i].n);
        for (size_t k = 0; k < area[i].n; k++) {
            const struct puan_layer_rate *r = &area[i].rate[k];

            puan_out_varint(out, r->entity);
            puan_out_varint(out, r->item);
            puan_out_varint(out, r->answers);
            puan_out_varint(out, r->failing);
            puan_out_varint(out, r->changed);
            for (size_t m = 0; m < PUAN_LAYER_METHODS; m++)
                puan_out_varint(out, r->method[m]);
        }
    }
}

enum puan_status puan_layer_rates_decode(struct puan_layer_area **out,
                                         size_t *n, struct puan_str bytes,
                                         struct puan_arena *a,
                                         struct puan_err *err)
{
    struct puan_in in = puan_in_of(bytes);
    struct puan_layer_area *area;
    size_t all;

    *n = 0;
    if (puan_in_u8(&in) != LAYER_VERSION)
        return damaged(err);
    all = get_count(&in, 2 + PUAN_LAYER_OUTCOMES);
    area = puan_new_n(a, all, struct puan_layer_area);
    if (a->failed)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < all && !in.bad; i++) {
        area[i].code = puan_in_svarint(&in);
        for (size_t k = 0; k < PUAN_LAYER_OUTCOMES; k++)
            area[i].unit[k] = get_below(&in, INT64_MAX);
        area[i].n = get_count(&in, 5 + PUAN_LAYER_METHODS);
        area[i].rate = puan_new_n(a, area[i].n, struct puan_layer_rate);
        if (a->failed)
            return puan_arena_check(a, err);
        for (size_t k = 0; k < area[i].n && !in.bad; k++) {
            struct puan_layer_rate *r = &area[i].rate[k];

            r->entity = (uint16_t)get_below(&in, UINT16_MAX);
            r->item = (uint16_t)get_below(&in, UINT16_MAX);
            r->answers = get_below(&in, INT64_MAX);
            r->failing = get_below(&in, INT64_MAX);
            r->changed = get_below(&in, INT64_MAX);
            for (size_t m = 0; m < PUAN_LAYER_METHODS; m++)
                r->method[m] = get_below(&in, INT64_MAX);
        }
    }
    if (in.bad || in.p != in.end)
        return damaged(err);
    *out = area;
    *n = all;
    return PUAN_OK;
}
