/*
 * Reads a reference table: keys and values, row-major, and hands them over to
 * be hashed.
 */
#include "features/check/lookup_csv.h"

#include <string.h>

#include "base/arena.h"
#include "kit/sheet/sheet.h"

struct column {
    int at; /* in the file */
    struct puan_str name;
    struct puan_item as;
};

struct table {
    struct column *column; /* keys, then values */
    size_t n_keys, n_columns;
    int64_t *keys, *values;
    uint8_t *states;
    size_t n, cap;
    const char *path;
};

/* As the frame's item of that name, else a whole number. */
static struct puan_item read_as(const struct puan_frame *f,
                                struct puan_str name)
{
    struct puan_item as = {
        .name = name, .type = PUAN_TYPE_INT, .min = INT64_MIN, .max = INT64_MAX
    };

    for (size_t e = f->n_entities; e-- > 0;) {
        int i = puan_frame_item(&f->entity[e], name);
        const struct puan_frame_item *it;

        if (i < 0)
            continue;
        it = &f->entity[e].item[i];
        as.type = it->type;
        as.places = it->places;
        as.digits = it->digits;
        as.codes = it->codes;
        if (it->type >= PUAN_TYPE_TEXT) /* or a fact */
            as.type = PUAN_TYPE_INT;
        return as;
    }
    return as;
}

static enum puan_status columns(struct table *t, const struct puan_sheet *s,
                                const struct puan_rule_table *d,
                                const struct puan_frame *f,
                                struct puan_arena *a, struct puan_err *err)
{
    t->n_keys = d->n_by;
    t->n_columns = d->n_gives;
    t->column = puan_new_n(a, t->n_keys + t->n_columns, struct column);
    if (!t->column)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < t->n_keys + t->n_columns; i++) {
        struct column *c = &t->column[i];
        enum puan_status st;

        c->name = i < t->n_keys ? d->by[i] : d->gives[i - t->n_keys];
        st = puan_sheet_need(&c->at, s, puan_arena_dup(a, c->name), err);
        if (st != PUAN_OK)
            return st;
        c->as = read_as(f, c->name);
    }
    return PUAN_OK;
}

static enum puan_status room(struct table *t, struct puan_arena *a,
                             struct puan_err *err)
{
    size_t cap = t->cap ? 2 * t->cap : 4096;
    int64_t *keys, *values;
    uint8_t *states;

    if (t->n < t->cap)
        return PUAN_OK;
    keys = puan_new_n(a, cap * t->n_keys, int64_t);
    values = puan_new_n(a, cap * t->n_columns, int64_t);
    states = puan_new_n(a, cap * t->n_columns, uint8_t);
    if (!keys || !values || !states)
        return puan_arena_check(a, err);
    if (t->n && t->keys && t->values && t->states) {
        memcpy(keys, t->keys, t->n * t->n_keys * sizeof(*keys));
        memcpy(values, t->values, t->n * t->n_columns * sizeof(*values));
        memcpy(states, t->states, t->n * t->n_columns);
    }
    t->keys = keys;
    t->values = values;
    t->states = states;
    t->cap = cap;
    return PUAN_OK;
}

static enum puan_status one_row(struct table *t, const struct puan_csv *row,
                                struct puan_err *err)
{
    for (size_t i = 0; i < t->n_keys + t->n_columns; i++) {
        const struct column *c = &t->column[i];
        struct puan_str cell = puan_str_trim(row->field[c->at]);
        bool key = i < t->n_keys;
        int64_t v = 0;
        enum puan_state st = puan_item_parse(&v, &c->as, cell);

        if (st == PUAN_INVALID || (key && st != PUAN_GIVEN))
            return puan_fail_at(
                err, PUAN_EINVAL, t->path, row->line, (uint32_t)c->at + 1,
                "'%.*s' is no %s of column '%.*s'", PUAN_FMT(cell),
                key ? "key" : "value", PUAN_FMT(c->name));
        if (key) {
            t->keys[t->n * t->n_keys + i] = v;
        } else {
            size_t at = t->n * t->n_columns + i - t->n_keys;

            t->values[at] = st == PUAN_GIVEN ? v : 0;
            t->states[at] = (uint8_t)st;
        }
    }
    t->n++;
    return PUAN_OK;
}

enum puan_status puan_lookup_csv(struct puan_lookup *out,
                                 const struct puan_rule_table *decl,
                                 const char *path,
                                 const struct puan_frame *frame,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct table t = { .path = path };
    struct puan_sheet *s = NULL;
    bool more = true;
    enum puan_status st = puan_sheet_open(&s, path, err);

    if (st == PUAN_OK)
        st = columns(&t, s, decl, frame, a, err);
    while (st == PUAN_OK) {
        st = puan_sheet_next(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        st = room(&t, a, err);
        if (st == PUAN_OK)
            st = one_row(&t, puan_sheet_row(s), err);
    }
    puan_sheet_close(s);
    if (st != PUAN_OK)
        return st;
    st = puan_lookup_build(out, decl->name, t.keys, t.n_keys, t.values,
                           t.states, t.n_columns, t.n, a, err);
    if (st != PUAN_OK && err)
        puan_format(err->where, sizeof(err->where), "%s", path);
    return st;
}
