/*
 * Data: frames behind plain C (puan.h).
 */
#include "programs/lib/internal.h"

#include <stdlib.h>

#include "features/frame/frames.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"

const char *pu_version(void)
{
    return PUAN_VERSION;
}

pu_status lib_fail(pu_error *to, pu_status code, const char *where,
                  const char *text)
{
    if (to) {
        *to = (pu_error){ .code = code };
        puan_format(to->where, sizeof(to->where), "%s", where);
        puan_format(to->text, sizeof(to->text), "%s", text);
    }
    return code;
}

pu_status lib_failed(pu_error *to, const struct puan_err *from)
{
    static const pu_status codes[] = {
        [PUAN_OK] = PU_OK,           [PUAN_EINVAL] = PU_INVALID,
        [PUAN_ENOTFOUND] = PU_NOT_FOUND, [PUAN_ECONFLICT] = PU_CONFLICT,
        [PUAN_EDENIED] = PU_DENIED,  [PUAN_ELIMIT] = PU_LIMIT,
        [PUAN_EBUSY] = PU_BUSY,      [PUAN_EIO] = PU_IO,
        [PUAN_ENOMEM] = PU_NO_MEMORY, [PUAN_EBUG] = PU_BUG,
        [PUAN_EWRITE] = PU_IO,
    };
    pu_status code = lib_fail(to, codes[from->code], from->where, from->text);

    if (to) {
        to->line = from->line;
        to->column = from->col;
    }
    return code;
}

size_t lib_list_length(const char *const *list)
{
    size_t n = 0;

    while (list && list[n])
        n++;
    return n;
}

static struct puan_str *texts_of(const char *const *list, size_t n,
                                 struct puan_arena *a)
{
    struct puan_str *out = puan_new_n(a, n, struct puan_str);

    for (size_t i = 0; out && i < n; i++)
        out[i] = puan_str_of(list[i]);
    return out;
}

static struct puan_frames_level *levels_of(const pu_level *l, size_t n,
                                           struct puan_arena *a)
{
    struct puan_frames_level *out = puan_new_n(a, n, struct puan_frames_level);

    for (size_t i = 0; out && i < n; i++) {
        out[i].name = puan_str_of(l[i].name);
        out[i].n_items = lib_list_length(l[i].items);
        out[i].item = texts_of(l[i].items, out[i].n_items, a);
    }
    return out;
}

/* Terminated names of what is there. */
static enum puan_status name_all(pu_data *d, struct puan_err *err)
{
    const struct puan_frame *f = puan_frames_frame(d->frames);
    struct puan_arena *a = &d->arena;

    d->entity_name = puan_arena_get_n(a, f->n_entities, sizeof(char *));
    d->item_name = puan_arena_get_n(a, f->n_entities, sizeof(char **));
    d->code_text = puan_arena_get_n(a, f->n_entities, sizeof(char ***));
    for (size_t e = 0; !a->failed && e < f->n_entities; e++) {
        const struct puan_frame_entity *x = &f->entity[e];

        d->entity_name[e] = puan_arena_dup(a, x->name);
        d->item_name[e] = puan_arena_get_n(a, x->n_items, sizeof(char *));
        d->code_text[e] = puan_arena_get_n(a, x->n_items, sizeof(char **));
        for (size_t i = 0; !a->failed && i < x->n_items; i++) {
            const struct puan_codelist *l = x->item[i].codes;

            d->item_name[e][i] = puan_arena_dup(a, x->item[i].name);
            if (l)
                d->code_text[e][i] = puan_arena_get_n(a, l->n, sizeof(char *));
            for (size_t k = 0; l && !a->failed && k < l->n; k++)
                d->code_text[e][i][k] = puan_arena_dup(a, l->codes[k].text);
        }
    }
    return puan_arena_check(a, err);
}

static pu_status load(pu_data **out, const char *file, const char *const *paths,
                      size_t n, const pu_options *o, pu_error *err)
{
    static const pu_options none = { .n_levels = 0 };
    pu_data *d = calloc(1, sizeof(*d));
    struct puan_frames_options opt = { .n_levels = 0 };
    struct puan_err e = { 0 };
    enum puan_status st;

    *out = NULL;
    if (!d)
        return lib_fail(err, PU_NO_MEMORY, "", "out of memory");
    o = o ? o : &none;
    puan_arena_init(&d->arena, &puan_heap);
    opt.level = levels_of(o->levels, o->n_levels, &d->arena);
    opt.n_levels = o->n_levels;
    opt.entity = puan_str_of(o->entity);
    opt.missing = puan_str_of(o->missing);
    opt.n_skip = lib_list_length(o->skip);
    opt.skip = texts_of(o->skip, opt.n_skip, &d->arena);
    opt.n_token = lib_list_length(o->token);
    opt.token = texts_of(o->token, opt.n_token, &d->arena);
    opt.threads = d->threads = o->threads;
    opt.quiet = true;
    st = puan_arena_check(&d->arena, &e);
    if (st == PUAN_OK && file)
        st = puan_frames_make(&d->frames, file, paths, n, &opt, NULL, &e);
    else if (st == PUAN_OK)
        st = puan_frames_load(&d->frames, paths, n, &opt, &e);
    if (st == PUAN_OK)
        st = name_all(d, &e);
    if (st != PUAN_OK) {
        pu_close(d);
        return lib_failed(err, &e);
    }
    d->digested = file || (n == 1 && puan_frames_is(paths[0]) && !o->n_levels);
    *out = d;
    return PU_OK;
}

pu_status pu_open(pu_data **out, const char *const *paths, size_t n,
                  const pu_options *options, pu_error *err)
{
    return load(out, NULL, paths, n, options, err);
}

pu_status pu_make(pu_data **out, const char *file, const char *const *paths,
                  size_t n, const pu_options *options, pu_error *err)
{
    return load(out, file, paths, n, options, err);
}

void pu_close(pu_data *d)
{
    if (!d)
        return;
    puan_frames_close(d->frames);
    puan_arena_clear(&d->arena);
    free(d);
}

pu_status pu_group(pu_data *d, const pu_level *levels, size_t n,
                   uint64_t *moved, pu_error *err)
{
    struct puan_err e = { 0 };
    struct puan_frames_level *l = levels_of(levels, n, &d->arena);
    enum puan_status st = puan_arena_check(&d->arena, &e);

    if (st == PUAN_OK)
        st = puan_frames_group(d->frames, l, n, moved, &e);
    if (st == PUAN_OK)
        st = name_all(d, &e);
    d->digested = false;
    return st == PUAN_OK ? PU_OK : lib_failed(err, &e);
}

size_t pu_entities(const pu_data *d)
{
    return puan_frames_frame(d->frames)->n_entities;
}

static const struct puan_frame_entity *entity_at(const pu_data *d, int entity)
{
    const struct puan_frame *f = puan_frames_frame(d->frames);

    return entity >= 0 && (size_t)entity < f->n_entities ? &f->entity[entity]
                                                         : NULL;
}

static const struct puan_frame_item *item_at(const pu_data *d, int entity,
                                             int item)
{
    const struct puan_frame_entity *e = entity_at(d, entity);

    return e && item >= 0 && (size_t)item < e->n_items ? &e->item[item] : NULL;
}

int pu_find_entity(const pu_data *d, const char *name)
{
    return puan_frame_entity(puan_frames_frame(d->frames), puan_str_of(name));
}

int pu_find_item(const pu_data *d, int entity, const char *name)
{
    const struct puan_frame_entity *e = entity_at(d, entity);

    return e ? puan_frame_item(e, puan_str_of(name)) : -1;
}

pu_status pu_entity_info(pu_entity *out, const pu_data *d, int entity)
{
    const struct puan_frame_entity *e = entity_at(d, entity);

    *out = (pu_entity){ .parent = -1 };
    if (!e)
        return PU_NOT_FOUND;
    *out = (pu_entity){ .name = d->entity_name[entity],
                        .parent = e->parent,
                        .rows = e->rows,
                        .first = e->first,
                        .items = e->n_items };
    return PU_OK;
}

static pu_type type_of(const struct puan_frame_item *it)
{
    if (it->token)
        return PU_TOKEN;
    switch (it->type) {
    case PUAN_TYPE_CODE:
        return PU_CODE;
    case PUAN_TYPE_FIXED:
        return PU_FIXED;
    case PUAN_TYPE_MONTH:
        return PU_MONTH;
    case PUAN_TYPE_DATE:
        return PU_DATE;
    case PUAN_TYPE_AREA:
        return PU_AREA;
    case PUAN_TYPE_TEXT:
    case PUAN_TYPE_NAME:
    case PUAN_TYPE_CITIZEN_ID:
    case PUAN_TYPE_PHONE:
    case PUAN_TYPE_POINT:
        return PU_STATE;
    case PUAN_TYPE_INT:
    case PUAN_TYPE_FACT:
        break;
    }
    return PU_INT;
}

pu_status pu_item_info(pu_item *out, const pu_data *d, int entity, int item)
{
    const struct puan_frame_item *it = item_at(d, entity, item);

    *out = (pu_item){ .least = 1 };
    if (!it)
        return PU_NOT_FOUND;
    *out = (pu_item){ .name = d->item_name[entity][item],
                      .type = type_of(it),
                      .places = it->places,
                      .digits = it->digits,
                      .least = it->least,
                      .most = it->most,
                      .given = it->n_given,
                      .width = it->width,
                      .base = it->base,
                      .stop = it->n_states ? it->stop : UINT64_MAX,
                      .data = it->data,
                      .codes = it->codes ? it->codes->n : 0 };
    return PU_OK;
}

const char *pu_code(int64_t *value, const pu_data *d, int entity, int item,
                    size_t i)
{
    const struct puan_frame_item *it = item_at(d, entity, item);

    if (!it || !it->codes || i >= it->codes->n)
        return NULL;
    *value = it->codes->codes[i].value;
    return d->code_text[entity][item][i];
}

pu_status pu_values(int64_t *value, uint8_t *state, const pu_data *d,
                    int entity, int item, uint64_t row, uint64_t n,
                    pu_error *err)
{
    const struct puan_frame_entity *e = entity_at(d, entity);
    const struct puan_frame_item *it = item_at(d, entity, item);

    if (!it)
        return lib_fail(err, PU_NOT_FOUND, "values", "no such item");
    if (row > e->rows || n > e->rows - row)
        return lib_fail(err, PU_INVALID, "values",
                       "the rows lie beyond the last one");
    for (uint64_t i = 0; i < n; i++) {
        enum puan_state st;
        int64_t v = puan_frame_value(&st, it, row + i);

        if (value)
            value[i] = v;
        if (state)
            state[i] = (uint8_t)st;
    }
    return PU_OK;
}

size_t pu_text(char *out, size_t cap, const pu_data *d, int entity, int item,
               uint64_t row)
{
    const struct puan_frame_entity *e = entity_at(d, entity);
    const struct puan_frame_item *it = item_at(d, entity, item);
    struct puan_arena a;
    struct puan_out o;
    struct puan_str s;
    size_t n;

    if (cap)
        out[0] = '\0';
    if (!it || row >= e->rows)
        return 0;
    puan_arena_init(&a, &puan_heap);
    puan_out_init(&o, &a);
    puan_frames_text(&o, it, row);
    s = puan_out_view(&o);
    n = s.n;
    if (cap) {
        size_t k = n < cap - 1 ? n : cap - 1;

        if (k)
            memcpy(out, s.p, k);
        out[k] = '\0';
    }
    puan_arena_clear(&a);
    return n;
}

pu_status pu_digest(char out[65], pu_data *d, pu_error *err)
{
    struct puan_err e = { 0 };

    if (!d->digested && puan_frames_digest(d->frames, &e) != PUAN_OK)
        return lib_failed(err, &e);
    d->digested = true;
    puan_hex(out, puan_frames_frame(d->frames)->digest, PUAN_DIGEST_SIZE);
    return PU_OK;
}

pu_status pu_find_duplicates(pu_duplicates *out, const pu_data *d, int entity,
                             const char *const *items, pu_error *err)
{
    const struct puan_frame_entity *e = entity_at(d, entity);
    size_t n = lib_list_length(items);
    struct puan_frames_twice t;
    struct puan_err x = { 0 };
    int item[32];

    *out = (pu_duplicates){ .rows = 0 };
    if (!e)
        return lib_fail(err, PU_NOT_FOUND, "duplicates", "no such entity");
    if (n > PUAN_COUNT(item))
        return lib_fail(err, PU_LIMIT, "duplicates", "too many items");
    for (size_t i = 0; i < n; i++) {
        item[i] = puan_frame_item(e, puan_str_of(items[i]));
        if (item[i] < 0)
            return lib_fail(err, PU_NOT_FOUND, items[i], "no such item");
    }
    if (puan_frames_duplicates(&t, e, item, n, d->threads, &x) != PUAN_OK)
        return lib_failed(err, &x);
    *out = (pu_duplicates){ .groups = t.groups, .rows = t.n,
                            .absent = t.absent, .row = t.row,
                            .group = t.group };
    return PU_OK;
}

void pu_duplicates_free(pu_duplicates *x)
{
    if (!x)
        return;
    free(x->row);
    free(x->group);
    *x = (pu_duplicates){ .rows = 0 };
}
