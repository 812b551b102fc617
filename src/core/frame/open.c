/*
 * Reads the head of a frame file; never a column.
 */
#include "core/frame/frame.h"

#include "core/frame/internal.h"

struct reader {
    struct puan_in in;
    const uint8_t *bytes;
    uint64_t size; /* of the file */
    struct puan_arena *a;
    struct puan_codelist **list;
    size_t n_lists;
    bool bad;
};

static const char where[] = "frame";

static struct puan_str text(struct reader *r)
{
    uint64_t n = puan_in_varint(&r->in);

    if (n > r->size) {
        r->in.bad = true;
        return PUAN_STR("");
    }
    return puan_in_bytes(&r->in, (size_t)n);
}

/* A number of things that take at least one byte each. */
static size_t count(struct reader *r, size_t most)
{
    uint64_t n = puan_in_varint(&r->in);

    if (r->in.bad || n > most || n > (uint64_t)(r->in.end - r->in.p)) {
        r->in.bad = true;
        return 0;
    }
    return (size_t)n;
}

/* The bytes of a column, or NULL when it does not lie within the file. */
static const void *column_at(struct reader *r, uint64_t rows, unsigned width)
{
    uint64_t at = puan_in_varint(&r->in);

    /* rows and width are bounded, so this does not overflow */
    if (at % PUAN_FRAME_ALIGN || at < PUAN_FRAME_HEAD || at > r->size ||
        rows * width > r->size - at) {
        r->bad = true;
        return NULL;
    }
    return r->bytes + at;
}

static bool one_list(struct reader *r, struct puan_codelist *l)
{
    struct puan_code *c;

    l->name = text(r);
    l->n = count(r, SIZE_MAX);
    c = puan_arena_get_n(r->a, l->n, sizeof(*c));
    if (!c)
        return false;
    l->numeric = true;
    l->dense = true;
    for (size_t i = 0; i < l->n; i++) {
        char plain[24];
        size_t n;

        c[i].value = puan_in_svarint(&r->in);
        c[i].text = text(r);
        c[i].zh = text(r);
        c[i].en = text(r);
        if (i > 0 && c[i].value <= c[i - 1].value)
            r->bad = true;
        n = puan_format(plain, sizeof(plain), "%lld", (long long)c[i].value);
        if (!puan_str_eq(c[i].text, (struct puan_str){ plain, n }))
            l->numeric = false;
        if ((uint64_t)c[i].value - (uint64_t)c[0].value != i)
            l->dense = false;
    }
    l->codes = c;
    return true;
}

static bool lists(struct reader *r)
{
    r->n_lists = count(r, SIZE_MAX);
    r->list = puan_arena_get_n(r->a, r->n_lists, sizeof(*r->list));
    for (size_t i = 0; r->list && i < r->n_lists; i++) {
        r->list[i] = puan_new(r->a, struct puan_codelist);
        if (!r->list[i] || !one_list(r, r->list[i]))
            return false;
    }
    return r->list != NULL;
}

static bool one_item(struct reader *r, struct puan_frame_item *it,
                     uint64_t rows)
{
    struct puan_frame_state *state;
    uint64_t type, list, width, flags;

    it->name = text(r);
    it->zh = text(r);
    it->en = text(r);
    type = puan_in_varint(&r->in);
    it->places = (unsigned)puan_in_u8(&r->in);
    it->digits = (unsigned)puan_in_u8(&r->in);
    list = puan_in_varint(&r->in);
    width = puan_in_varint(&r->in);
    flags = puan_in_varint(&r->in);
    it->base = puan_in_svarint(&r->in);
    it->stop = puan_in_varint(&r->in);
    it->n_states = count(r, PUAN_FRAME_STATES);
    state = puan_arena_get_n(r->a, it->n_states, sizeof(*state));
    if (!state)
        return false;
    for (size_t i = 0; i < it->n_states; i++) {
        unsigned s = puan_in_u8(&r->in);

        if (s > PUAN_INVALID)
            r->bad = true;
        state[i].state = (enum puan_state)s;
        state[i].reason = puan_in_svarint(&r->in);
    }
    it->states = it->n_states ? state : NULL;
    it->least = puan_in_svarint(&r->in);
    it->most = puan_in_svarint(&r->in);
    it->n_given = puan_in_varint(&r->in);
    if (r->in.bad || type > PUAN_TYPE_FACT || list > r->n_lists ||
        flags > (PUAN_FRAME_SORTED | PUAN_FRAME_TOKEN) ||
        (width != 1 && width != 2 && width != 4 && width != 8)) {
        r->bad = true;
        return true;
    }
    it->type = (enum puan_item_type)type;
    it->codes = list ? r->list[list - 1] : NULL;
    it->width = (uint8_t)width;
    it->sorted = (flags & PUAN_FRAME_SORTED) != 0;
    it->token = (flags & PUAN_FRAME_TOKEN) != 0;
    it->data = column_at(r, rows, it->width);
    return true;
}

static bool one_entity(struct reader *r, struct puan_frame_entity *e,
                       const struct puan_frame_entity *before, size_t index)
{
    struct puan_frame_item *item;
    uint16_t *key;
    uint64_t parent, at;

    e->name = text(r);
    e->zh = text(r);
    e->en = text(r);
    parent = puan_in_varint(&r->in);
    e->rows = puan_in_varint(&r->in);
    if (r->in.bad || parent > index || e->rows > PUAN_FRAME_ROWS) {
        r->bad = true;
        return true;
    }
    e->parent = (int)parent - 1;
    if (e->parent >= 0) {
        e->first = column_at(r, before[e->parent].rows + 1, sizeof(*e->first));
    } else {
        at = puan_in_varint(&r->in);
        r->bad |= at != 0;
    }
    e->n_key = count(r, PUAN_FRAME_ITEMS);
    key = puan_arena_get_n(r->a, e->n_key, sizeof(*key));
    if (!key)
        return false;
    for (size_t i = 0; i < e->n_key; i++) {
        uint64_t k = puan_in_varint(&r->in);

        r->bad |= k >= PUAN_FRAME_ITEMS;
        key[i] = (uint16_t)k;
    }
    e->key = e->n_key ? key : NULL;
    e->n_items = count(r, PUAN_FRAME_ITEMS);
    item = puan_arena_get_n(r->a, e->n_items, sizeof(*item));
    if (!item)
        return false;
    e->item = item;
    for (size_t i = 0; !r->bad && !r->in.bad && i < e->n_items; i++)
        if (!one_item(r, &item[i], e->rows))
            return false;
    return true;
}

/* False: out of memory; what is wrong with the bytes sets r->bad. */
static bool codebook(struct puan_frame *f, struct reader *r)
{
    struct puan_frame_entity *e;

    f->source = text(r);
    f->form = text(r);
    if (!lists(r))
        return false;
    f->n_entities = count(r, PUAN_FRAME_ENTITIES);
    e = puan_arena_get_n(r->a, f->n_entities, sizeof(*e));
    if (!e)
        return false;
    f->entity = e;
    for (size_t i = 0; !r->bad && !r->in.bad && i < f->n_entities; i++)
        if (!one_entity(r, &e[i], e, i))
            return false;
    r->bad |= r->in.bad || r->in.p != r->in.end;
    return true;
}

enum puan_status puan_frame_open(struct puan_frame **out, const void *bytes,
                                 size_t n, struct puan_arena *a,
                                 struct puan_err *err)
{
    struct puan_frame *f = puan_new(a, struct puan_frame);
    struct reader r = { .bytes = bytes, .size = n, .a = a };
    struct puan_in in;
    uint64_t size, at, codes;

    *out = NULL;
    if (!f)
        return puan_fail(err, PUAN_ENOMEM, where, "out of memory");
    if (n < PUAN_FRAME_HEAD || memcmp(bytes, PUAN_FRAME_MAGIC, 7) != 0)
        return puan_fail(err, PUAN_EINVAL, where,
                         "is no frame; puan frame makes one from CSV");
    if (memcmp(bytes, PUAN_FRAME_MAGIC, 8) != 0)
        return puan_fail(err, PUAN_EINVAL, where,
                         "is a frame of another version; make it again");
    in = puan_in_of((struct puan_str){ (const char *)r.bytes + 8, 24 });
    size = puan_in_u64(&in);
    at = puan_in_u64(&in);
    codes = puan_in_u64(&in);
    if (size != n || at < PUAN_FRAME_HEAD || at > n || codes > n - at)
        return puan_fail(err, PUAN_EINVAL, where,
                         "is cut short or not whole; make it again");
    memcpy(f->digest, r.bytes + 32, PUAN_DIGEST_SIZE);
    r.in = puan_in_of(
        (struct puan_str){ (const char *)r.bytes + at, (size_t)codes });
    if (!codebook(f, &r))
        return puan_fail(err, PUAN_ENOMEM, where, "out of memory");
    if (r.bad)
        return puan_fail(err, PUAN_EINVAL, where,
                         "is damaged; make it again");
    for (size_t i = 0; i < f->n_entities; i++) {
        enum puan_status st = puan_frame_sound(f, i, err);

        if (st != PUAN_OK)
            return st;
    }
    *out = f;
    return PUAN_OK;
}

enum puan_status puan_frame_check_one(const struct puan_frame *f,
                                      size_t entity, struct puan_err *err)
{
    const struct puan_frame_entity *e = &f->entity[entity];
    uint32_t falls = 0;
    uint64_t n;

    if (e->parent < 0)
        return PUAN_OK;
    n = f->entity[e->parent].rows;
    for (uint64_t p = 0; p < n; p++)
        falls |= e->first[p] > e->first[p + 1];
    if (falls || e->first[0] != 0 || e->first[n] != e->rows)
        return puan_fail(err, PUAN_EINVAL, where,
                         "is damaged: rows of %.*s have no parent; make it "
                         "again",
                         PUAN_FMT(e->name));
    return PUAN_OK;
}

enum puan_status puan_frame_check(const struct puan_frame *f,
                                  struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; st == PUAN_OK && i < f->n_entities; i++)
        st = puan_frame_check_one(f, i, err);
    return st;
}

int puan_frame_entity(const struct puan_frame *f, struct puan_str name)
{
    for (size_t i = 0; i < f->n_entities; i++)
        if (puan_str_eq(f->entity[i].name, name))
            return (int)i;
    return -1;
}

static unsigned lower(char c)
{
    unsigned u = (unsigned char)c;

    return u >= 'A' && u <= 'Z' ? u + 32 : u;
}

static bool same_letters(struct puan_str a, struct puan_str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

int puan_frame_item(const struct puan_frame_entity *e, struct puan_str name)
{
    for (size_t i = 0; i < e->n_items; i++)
        if (puan_str_eq(e->item[i].name, name))
            return (int)i;
    for (size_t i = 0; i < e->n_items; i++)
        if (same_letters(e->item[i].name, name))
            return (int)i;
    return -1;
}
