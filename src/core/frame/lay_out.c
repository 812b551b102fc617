/*
 * Lays out a frame file and writes its head; what holds of every frame.
 */
#include "core/frame/internal.h"

#define HEAD_MOST (1u << 30)

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

    if (it->type == PUAN_TYPE_TEXT || it->type == PUAN_TYPE_NAME ||
        it->type == PUAN_TYPE_CITIZEN_ID || it->type == PUAN_TYPE_PHONE ||
        it->type == PUAN_TYPE_POINT)
        return "is a text; frames hold numbers and codes";
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
    uint64_t *offset; /* of columns, as they stand if the head ends at 0 */
    size_t column;
    uint64_t at;    /* end of the columns so far, from the first one */
    uint64_t start; /* where the first one stands */
};

static void put_column(struct writer *w, uint64_t rows, unsigned width)
{
    uint64_t n = rows * width;

    w->offset[w->column++] = w->start + w->at;
    puan_out_varint(&w->o, w->start + w->at);
    w->at += (n + PUAN_FRAME_ALIGN - 1) / PUAN_FRAME_ALIGN * PUAN_FRAME_ALIGN;
}

static void put_item(struct writer *w, const struct puan_frame_item *it,
                     uint64_t rows)
{
    put(&w->o, it->name);
    put(&w->o, it->zh);
    put(&w->o, it->en);
    puan_out_varint(&w->o, it->type);
    puan_out_u8(&w->o, (uint8_t)it->places);
    puan_out_u8(&w->o, (uint8_t)it->digits);
    puan_out_varint(&w->o, it->codes ? list_of(w->list, &w->n_lists,
                                               it->codes) + 1 : 0);
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
    put_column(w, rows, it->width);
}

/* The codebook, for a first column at w->start. */
static struct puan_str codebook(struct writer *w, const struct puan_frame *f,
                                struct puan_arena *a)
{
    w->column = 0;
    w->at = 0;
    puan_out_init(&w->o, a);
    put(&w->o, f->source);
    put(&w->o, f->form);
    put_lists(&w->o, w->list, w->n_lists);
    puan_out_varint(&w->o, f->n_entities);
    for (size_t i = 0; i < f->n_entities; i++) {
        const struct puan_frame_entity *e = &f->entity[i];

        put(&w->o, e->name);
        put(&w->o, e->zh);
        put(&w->o, e->en);
        puan_out_varint(&w->o, (uint64_t)(e->parent + 1));
        puan_out_varint(&w->o, e->rows);
        if (e->parent >= 0)
            put_column(w, f->entity[e->parent].rows + 1, sizeof(*e->first));
        else
            puan_out_varint(&w->o, 0);
        puan_out_varint(&w->o, e->n_key);
        for (size_t k = 0; k < e->n_key; k++)
            puan_out_varint(&w->o, e->key[k]);
        puan_out_varint(&w->o, e->n_items);
        for (size_t k = 0; k < e->n_items; k++)
            put_item(w, &e->item[k], e->rows);
    }
    return puan_out_view(&w->o);
}

static void put_head(struct puan_out *o, const struct puan_frame *f,
                     struct puan_str codes, uint64_t size)
{
    puan_out_bytes(o, PUAN_FRAME_MAGIC, 8);
    puan_out_u64(o, size);
    puan_out_u32(o, (uint32_t)codes.n);
    puan_out_u32(o, 0);
    puan_out_u64(o, 0);
    puan_out_bytes(o, f->digest, PUAN_DIGEST_SIZE);
    puan_out_str(o, codes);
}

enum puan_status puan_frame_lay_out(struct puan_frame_layout *out,
                                    const struct puan_frame *f,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct writer w = { .start = 0 };
    struct puan_out head;
    struct puan_str codes = PUAN_STR("");
    size_t items = 0;

    for (size_t i = 0; i < f->n_entities; i++) {
        enum puan_status st = puan_frame_sound(f, i, err);

        if (st != PUAN_OK)
            return st;
        items += f->entity[i].n_items + 1;
    }
    w.list = puan_arena_get_n(a, items, sizeof(*w.list));
    w.offset = puan_arena_get_n(a, items, sizeof(*w.offset));
    if (!w.list || !w.offset)
        return puan_fail(err, PUAN_ENOMEM, where, "out of memory");
    for (size_t i = 0; i < f->n_entities; i++)
        for (size_t k = 0; k < f->entity[i].n_items; k++)
            if (f->entity[i].item[k].codes)
                (void)list_of(w.list, &w.n_lists, f->entity[i].item[k].codes);
    /* the offsets are part of the codebook whose length they rest on */
    for (;;) {
        uint64_t need;

        codes = codebook(&w, f, a);
        if (a->failed)
            return puan_fail(err, PUAN_ENOMEM, where, "out of memory");
        if (codes.n > HEAD_MOST)
            return puan_fail(err, PUAN_ELIMIT, where,
                             "the code lists are too large");
        need = PUAN_FRAME_HEAD + codes.n;
        if (need <= w.start)
            break;
        w.start = (need + PUAN_FRAME_ALIGN - 1) / PUAN_FRAME_ALIGN *
                  PUAN_FRAME_ALIGN;
    }
    *out = (struct puan_frame_layout){ .size = w.start + w.at,
                                       .offset = w.offset,
                                       .n_columns = w.column };
    puan_out_init(&head, a);
    put_head(&head, f, codes, out->size);
    out->head = puan_out_view(&head);
    return puan_arena_check(a, err);
}
