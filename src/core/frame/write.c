/*
 * The codebook and head of a frame file; what holds of every frame.
 */
#include "core/frame/internal.h"

static const char where[] = "frame";

static enum puan_status bad(const struct puan_frame_entity *e,
                            struct puan_str item, struct puan_err *err,
                            const char *what)
{
    return puan_fail(err, PUAN_EINVAL, where, "%.*s%s%.*s %s",
                     PUAN_FMT(e->name), item.n ? "." : "", PUAN_FMT(item),
                     what);
}

static const char *item_fault(const struct puan_frame_item *it, uint64_t rows)
{
    uint64_t most = it->width == 8 ? UINT64_MAX
                                   : ((uint64_t)1 << (8 * it->width)) - 1;

    if ((it->type == PUAN_TYPE_TEXT || it->type == PUAN_TYPE_NAME ||
         it->type == PUAN_TYPE_CITIZEN_ID || it->type == PUAN_TYPE_PHONE ||
         it->type == PUAN_TYPE_POINT) &&
        it->n_given > 0 && (it->least != 0 || it->most != 0))
        return "is a text; frames hold no texts, only whether they are there";
    if (it->places > 18 || it->digits > 18)
        return "has too many digits";
    if ((it->type == PUAN_TYPE_CODE) != (it->codes != NULL))
        return "has codes and no code list, or a list and no codes";
    if (it->n_states > PUAN_FRAME_STATES ||
        (it->n_states && (it->stop > most || it->n_states - 1 > most - it->stop)))
        return "has states beyond its width";
    if (it->n_states == 0 && it->stop <= most && it->width < 8)
        return "has no states and an end of its values";
    for (size_t i = 0; i < it->n_states; i++)
        if (it->states[i].state == PUAN_GIVEN)
            return "has a state that is none";
    if (it->n_given > rows || (it->n_states == 0 && it->n_given != rows))
        return "counts what is given wrongly";
    if (it->token && (it->base != 0 || it->type != PUAN_TYPE_INT))
        return "is no token";
    return NULL;
}

enum puan_status puan_frame_sound(const struct puan_frame *f, size_t i,
                                  struct puan_err *err)
{
    const struct puan_frame_entity *e = &f->entity[i];
    const struct puan_str none = PUAN_STR("");

    if (e->name.n == 0 || !puan_utf8_valid(e->name))
        return bad(e, none, err, "has no name");
    for (size_t k = 0; k < i; k++)
        if (puan_str_eq(f->entity[k].name, e->name))
            return bad(e, none, err, "is there twice");
    if (e->rows > PUAN_FRAME_ROWS)
        return bad(e, none, err, "has too many rows");
    if (e->parent < -1 || e->parent >= (int)i)
        return bad(e, none, err, "stands before what it lies in");
    if ((e->parent < 0) != (e->first == NULL))
        return bad(e, none, err, "has a parent and no rows of it");
    /* the file's own entity is the last one that stands in this one */
    for (size_t k = 0; k < e->n_key; k++)
        if (e->key[k] >= f->entity[f->n_entities - 1].n_items)
            return bad(e, none, err, "is named by an item that is not there");
    for (size_t k = 0; k < e->n_items; k++) {
        const struct puan_frame_item *it = &e->item[k];
        const char *fault = item_fault(it, e->rows);

        if (it->name.n == 0 || !puan_utf8_valid(it->name))
            return bad(e, none, err, "has an item without a name");
        if (fault)
            return bad(e, it->name, err, fault);
        for (size_t j = 0; j < k; j++)
            if (puan_str_eq(e->item[j].name, it->name))
                return bad(e, it->name, err, "is there twice");
    }
    return PUAN_OK;
}

static void put(struct puan_out *o, struct puan_str s)
{
    puan_out_varint(o, s.n);
    puan_out_str(o, s);
}

/* Index of a code list among those already seen; adds it. */
static size_t list_of(const struct puan_codelist **list, size_t *n,
                      const struct puan_codelist *l)
{
    for (size_t i = 0; i < *n; i++)
        if (list[i] == l)
            return i;
    list[*n] = l;
    return (*n)++;
}

static void put_lists(struct puan_out *o, const struct puan_codelist **list,
                      size_t n)
{
    puan_out_varint(o, n);
    for (size_t i = 0; i < n; i++) {
        put(o, list[i]->name);
        puan_out_varint(o, list[i]->n);
        for (size_t k = 0; k < list[i]->n; k++) {
            const struct puan_code *c = &list[i]->codes[k];

            puan_out_svarint(o, c->value);
            put(o, c->text);
            put(o, c->zh);
            put(o, c->en);
        }
    }
}

struct writer {
    struct puan_out o;
    const struct puan_codelist **list;
    size_t n_lists;
    const uint64_t *offset; /* NULL: for the digest */
    size_t column;
};

static void put_place(struct writer *w)
{
    puan_out_varint(&w->o, w->offset ? w->offset[w->column] : 0);
    w->column++;
}

static void put_item(struct writer *w, const struct puan_frame_item *it)
{
    put(&w->o, it->name);
    put(&w->o, it->zh);
    put(&w->o, it->en);
    puan_out_varint(&w->o, it->type);
    puan_out_u8(&w->o, (uint8_t)it->places);
    puan_out_u8(&w->o, (uint8_t)it->digits);
    puan_out_varint(&w->o, it->codes ? list_of(w->list, &w->n_lists,
                                               it->codes) + 1
                                     : 0);
    puan_out_varint(&w->o, it->width);
    puan_out_varint(&w->o, (it->sorted ? PUAN_FRAME_SORTED : 0) |
                               (it->token ? PUAN_FRAME_TOKEN : 0));
    puan_out_svarint(&w->o, it->base);
    puan_out_varint(&w->o, it->stop);
    puan_out_varint(&w->o, it->n_states);
    for (size_t i = 0; i < it->n_states; i++) {
        puan_out_u8(&w->o, (uint8_t)it->states[i].state);
        puan_out_svarint(&w->o, it->states[i].reason);
    }
    puan_out_svarint(&w->o, it->least);
    puan_out_svarint(&w->o, it->most);
    puan_out_varint(&w->o, it->n_given);
    put_place(w);
}

static void put_entity(struct writer *w, const struct puan_frame_entity *e)
{
    put(&w->o, e->name);
    put(&w->o, e->zh);
    put(&w->o, e->en);
    puan_out_varint(&w->o, (uint64_t)(e->parent + 1));
    puan_out_varint(&w->o, e->rows);
    if (e->parent >= 0)
        put_place(w);
    else
        puan_out_varint(&w->o, 0);
    puan_out_varint(&w->o, e->n_key);
    for (size_t k = 0; k < e->n_key; k++)
        puan_out_varint(&w->o, e->key[k]);
    puan_out_varint(&w->o, e->n_items);
    for (size_t k = 0; k < e->n_items; k++)
        put_item(w, &e->item[k]);
}

size_t puan_frame_columns(const struct puan_frame *f)
{
    size_t n = 0;

    for (size_t i = 0; i < f->n_entities; i++)
        n += f->entity[i].n_items + (f->entity[i].parent >= 0);
    return n;
}

uint64_t puan_frame_column_size(const struct puan_frame *f, size_t column)
{
    for (size_t i = 0; i < f->n_entities; i++) {
        const struct puan_frame_entity *e = &f->entity[i];

        if (e->parent >= 0 && column-- == 0)
            return (f->entity[e->parent].rows + 1) * sizeof(*e->first);
        if (column < e->n_items)
            return e->rows * e->item[column].width;
        column -= e->n_items;
    }
    return 0;
}

enum puan_status puan_frame_codebook(struct puan_str *out,
                                     const struct puan_frame *f,
                                     const uint64_t *offset,
                                     struct puan_arena *a,
                                     struct puan_err *err)
{
    struct writer w = { .offset = offset };

    w.list = puan_arena_get_n(a, puan_frame_columns(f), sizeof(*w.list));
    if (!w.list)
        return puan_fail(err, PUAN_ENOMEM, where, "out of memory");
    for (size_t i = 0; i < f->n_entities; i++) {
        enum puan_status st = puan_frame_sound(f, i, err);

        if (st != PUAN_OK)
            return st;
        for (size_t k = 0; k < f->entity[i].n_items; k++)
            if (f->entity[i].item[k].codes)
                (void)list_of(w.list, &w.n_lists, f->entity[i].item[k].codes);
    }
    puan_out_init(&w.o, a);
    put(&w.o, offset ? f->source : PUAN_STR(""));
    put(&w.o, f->form);
    put_lists(&w.o, w.list, w.n_lists);
    puan_out_varint(&w.o, f->n_entities);
    for (size_t i = 0; i < f->n_entities; i++)
        put_entity(&w, &f->entity[i]);
    *out = puan_out_view(&w.o);
    return puan_arena_check(a, err);
}

void puan_frame_head(uint8_t out[PUAN_FRAME_HEAD], const struct puan_frame *f,
                     uint64_t size, uint64_t at, uint64_t n)
{
    const uint64_t number[] = { size, at, n };

    memcpy(out, PUAN_FRAME_MAGIC, 8);
    for (size_t i = 0; i < PUAN_COUNT(number); i++)
        for (unsigned b = 0; b < 8; b++)
            out[8 + 8 * i + b] = (uint8_t)(number[i] >> 8 * b);
    memcpy(out + 32, f->digest, PUAN_DIGEST_SIZE);
}
