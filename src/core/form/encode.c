/*
 * The canonical encoding of a record, and its document form.
 */
#include "base/calendar.h"
#include "core/form/record.h"

#define VERSION 1

/* Does a GIVEN cell of this item carry a number? */
static bool has_value(const struct puan_item *it)
{
    return it->zone == PUAN_ZONE_FRAME;
}

static void encode_rows(struct puan_out *o, const struct puan_entity *e,
                        const struct puan_rows *rows, uint16_t from,
                        uint16_t to)
{
    puan_out_varint(o, rows->n);
    for (uint32_t row = 0; row < rows->n; row++) {
        size_t at = (size_t)row * e->n_items;
        unsigned bits = 0, shift = 0;

        for (uint16_t i = from; i < to; i++) {
            bits |= (unsigned)(rows->st[at + i] & 3u) << shift;
            shift += 2;
            if (shift == 8 || i + 1 == to) {
                puan_out_u8(o, (uint8_t)bits);
                bits = shift = 0;
            }
        }
        for (uint16_t i = from; i < to; i++) {
            uint8_t st = rows->st[at + i];

            if (st == PUAN_MISSING ||
                (st == PUAN_GIVEN && has_value(&e->items[i])))
                puan_out_svarint(o, rows->v[at + i]);
        }
    }
}

static void encode_vault(struct puan_out *o, uint16_t entity,
                         const struct puan_entity *e,
                         const struct puan_rows *rows)
{
    for (uint32_t row = 0; row < rows->n; row++) {
        for (uint16_t i = 0; i < e->n_asked; i++) {
            struct puan_str t = rows->txt[(size_t)row * e->n_items + i];

            if (t.n == 0)
                continue;
            puan_out_varint(o, entity);
            puan_out_varint(o, row);
            puan_out_varint(o, i);
            puan_out_varint(o, t.n);
            puan_out_str(o, t);
        }
    }
}

void puan_record_encode(struct puan_out *frame, struct puan_out *facts,
                        struct puan_out *vault, const struct puan_record *r)
{
    const struct puan_form *f = r->form;

    puan_out_u8(frame, VERSION);
    puan_out_varint(frame, f->ordinal);
    puan_out_u8(facts, VERSION);
    puan_out_varint(facts, f->ordinal);
    puan_out_u8(vault, VERSION);
    for (uint16_t e = 0; e < f->n_entities; e++) {
        const struct puan_entity *ent = &f->entity[e];

        encode_rows(frame, ent, &r->rows[e], 0, ent->n_asked);
        encode_rows(facts, ent, &r->rows[e], ent->n_asked, ent->n_items);
        encode_vault(vault, e, ent, &r->rows[e]);
    }
}

static enum puan_status damaged(struct puan_err *err, const char *what)
{
    return puan_fail(err, PUAN_EINVAL, "return record", "damaged: %s", what);
}

/* A value that the reader could have given for this item. */
static bool value_ok(const struct puan_item *it, int64_t v)
{
    int64_t end = 1;

    if (it->from == PUAN_FROM_KEY && it->type == PUAN_TYPE_INT)
        return v >= 0;
    switch (it->type) {
    case PUAN_TYPE_CODE:
        return puan_code_by_value(it->codes, v) != NULL;
    case PUAN_TYPE_AREA:
        for (unsigned i = 0; i < it->digits; i++)
            end *= 10;
        return v >= 0 && v < end;
    case PUAN_TYPE_INT:
    case PUAN_TYPE_FIXED:
    case PUAN_TYPE_MONTH:
    case PUAN_TYPE_DATE:
    case PUAN_TYPE_FACT:
        return v >= it->min && v <= it->max;
    case PUAN_TYPE_TEXT:
    case PUAN_TYPE_NAME:
    case PUAN_TYPE_CITIZEN_ID:
    case PUAN_TYPE_PHONE:
    case PUAN_TYPE_POINT:
        break;
    }
    return v == 0;
}

static bool reason_ok(const struct puan_item *it, int64_t v)
{
    return v == 0 || puan_code_by_value(it->reasons, v) != NULL;
}

static enum puan_status decode_row(struct puan_in *in,
                                   const struct puan_entity *e, int64_t *v,
                                   uint8_t *st, uint16_t from, uint16_t to,
                                   struct puan_err *err)
{
    unsigned bits = 0;

    for (uint16_t i = from; i < to; i++) {
        unsigned k = (unsigned)(i - from) % 4;

        if (k == 0)
            bits = puan_in_u8(in);
        st[i] = (uint8_t)(bits >> 2 * k & 3u);
    }
    for (uint16_t i = from; i < to; i++) {
        const struct puan_item *it = &e->items[i];

        if (st[i] == PUAN_GIVEN && has_value(it)) {
            v[i] = puan_in_svarint(in);
            if (!value_ok(it, v[i]))
                return damaged(err, "value outside its item's range");
        } else if (st[i] == PUAN_MISSING) {
            v[i] = puan_in_svarint(in);
            if (from == 0 && !reason_ok(it, v[i]))
                return damaged(err, "unknown reason");
        }
    }
    if (in->bad)
        return damaged(err, "ends early");
    return PUAN_OK;
}

static enum puan_status decode_head(struct puan_in *in,
                                    const struct puan_form *form,
                                    struct puan_err *err)
{
    if (puan_in_u8(in) != VERSION)
        return damaged(err, "unknown version of the encoding");
    if (puan_in_varint(in) != form->ordinal)
        return damaged(err, "belongs to another form");
    return PUAN_OK;
}

static enum puan_status
decode_vault(struct puan_record *r, struct puan_str vault, struct puan_err *err)
{
    struct puan_in in = puan_in_of(vault);

    if (puan_in_u8(&in) != VERSION)
        return damaged(err, "unknown version of the texts");
    while (in.p < in.end) {
        uint64_t e = puan_in_varint(&in);
        uint64_t row = puan_in_varint(&in);
        uint64_t item = puan_in_varint(&in);
        uint64_t n = puan_in_varint(&in);
        struct puan_str t;
        size_t at;

        if (in.bad || n > (uint64_t)(in.end - in.p))
            return damaged(err, "texts end early");
        t = puan_in_bytes(&in, (size_t)n);
        if (e >= r->form->n_entities || row >= r->rows[e].n ||
            item >= r->form->entity[e].n_asked || !puan_utf8_valid(t))
            return damaged(err, "text of no cell");
        at = (size_t)row * r->form->entity[e].n_items + (size_t)item;
        if (r->rows[e].st[at] != PUAN_GIVEN &&
            r->rows[e].st[at] != PUAN_INVALID)
            return damaged(err, "text of a cell without answer");
        r->rows[e].txt[at] = t;
    }
    return PUAN_OK;
}

enum puan_status puan_record_decode(struct puan_record *out,
                                    const struct puan_form *form,
                                    struct puan_str frame,
                                    struct puan_str facts,
                                    struct puan_str vault, struct puan_arena *a,
                                    struct puan_err *err)
{
    struct puan_in in = puan_in_of(frame), fin = puan_in_of(facts);
    enum puan_status st = decode_head(&in, form, err);

    *out = (struct puan_record){ .form = form };
    if (st == PUAN_OK && facts.n > 0)
        st = decode_head(&fin, form, err);
    for (uint16_t e = 0; st == PUAN_OK && e < form->n_entities; e++) {
        const struct puan_entity *ent = &form->entity[e];
        struct puan_rows *rows = &out->rows[e];
        uint64_t n = puan_in_varint(&in);
        size_t cells;

        if (in.bad || n > ent->max_rows || (!ent->roster && n != 1) ||
            n * ((ent->n_asked + 3u) / 4) > (uint64_t)(in.end - in.p))
            return damaged(err, "number of rows");
        if (facts.n > 0 && puan_in_varint(&fin) != n)
            return damaged(err, "number of rows of facts");
        rows->n = (uint32_t)n;
        cells = (size_t)n * ent->n_items;
        rows->v = puan_new_n(a, cells, int64_t);
        rows->txt = puan_new_n(a, cells, struct puan_str);
        rows->st = puan_new_n(a, cells, uint8_t);
        if (a->failed)
            return puan_arena_check(a, err);
        for (uint32_t row = 0; st == PUAN_OK && row < rows->n; row++) {
            size_t at = (size_t)row * ent->n_items;

            st = decode_row(&in, ent, rows->v + at, rows->st + at, 0,
                            ent->n_asked, err);
            if (st == PUAN_OK && facts.n > 0)
                st = decode_row(&fin, ent, rows->v + at, rows->st + at,
                                ent->n_asked, ent->n_items, err);
        }
    }
    if (st == PUAN_OK && (in.p != in.end || fin.p != fin.end))
        return damaged(err, "bytes after its end");
    if (st == PUAN_OK && vault.n > 0)
        st = decode_vault(out, vault, err);
    return st;
}

/* --- documents ---------------------------------------------------------- */

static void cell_json(struct puan_jw *w, const struct puan_item *it, int64_t v,
                      uint8_t st, struct puan_str txt)
{
    const struct puan_code *c;
    struct puan_arena *a = w->out->arena;

    puan_jw_key_s(w, it->name);
    if (st == PUAN_MISSING) {
        c = puan_code_by_value(it->reasons, v);
        puan_jw_map(w);
        puan_jw_kstr(w, "missing", v != 0 && c ? c->text : PUAN_STR(""));
        puan_jw_end(w, '}');
    } else if (txt.p != NULL) {
        puan_jw_str(w, txt);
    } else if (st == PUAN_INVALID || !has_value(it)) {
        puan_jw_map(w);
        puan_jw_kbool(w, st == PUAN_INVALID ? "invalid" : "sealed", true);
        puan_jw_end(w, '}');
    } else if (it->type == PUAN_TYPE_INT ||
               (it->type == PUAN_TYPE_CODE && it->codes->numeric)) {
        puan_jw_int(w, v);
    } else {
        puan_jw_text(w, puan_item_text(it, v, a));
    }
}

static void row_json(struct puan_jw *w, const struct puan_entity *e,
                     const struct puan_rows *rows, uint32_t row)
{
    size_t at = (size_t)row * e->n_items;

    puan_jw_map(w);
    for (uint16_t i = 0; i < e->n_asked; i++)
        if (rows->st[at + i] != PUAN_NOT_ASKED)
            cell_json(w, &e->items[i], rows->v[at + i], rows->st[at + i],
                      rows->txt[at + i]);
    puan_jw_end(w, '}');
}

void puan_record_json(struct puan_jw *w, const struct puan_record *r)
{
    puan_jw_key(w, "answers");
    row_json(w, &r->form->entity[0], &r->rows[0], 0);
    for (uint16_t e = 1; e < r->form->n_entities; e++) {
        puan_jw_key_s(w, r->form->entity[e].name);
        puan_jw_list(w);
        for (uint32_t row = 0; row < r->rows[e].n; row++)
            row_json(w, &r->form->entity[e], &r->rows[e], row);
        puan_jw_end(w, ']');
    }
}
