/*
 * Localisation over files (puan.h).
 */
#include "features/edit/unit.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"
#include "programs/lib/internal.h"

struct run {
    pu_localised *out;
    struct puan_edit_source *source;
    struct puan_edit_set set;
    struct puan_arena arena;
    void (*change)(void *ctx, const pu_change *c);
    void *ctx;
};

/* Levels as the caller names them, then those the rules declare. */
static enum puan_status open_source(struct run *r, const char *const *paths,
                                    size_t n, const pu_options *o,
                                    const struct puan_edit_rules *rules,
                                    struct puan_err *err)
{
    struct puan_edit_frame opt = { .n_levels = 0 };
    struct puan_rule_decls decls = { 0 };
    size_t own = o ? o->n_levels : 0;
    struct puan_rule_level *level;
    enum puan_status st = puan_rule_declared(&decls, rules->text, rules->file,
                                             rules->n, &r->arena, err);

    if (st != PUAN_OK)
        return st;
    level =
        puan_new_n(&r->arena, own + decls.n_levels + 1, struct puan_rule_level);
    for (size_t i = 0; level && i < own; i++) {
        size_t items = lib_list_length(o->levels[i].items);
        struct puan_str *by = puan_new_n(&r->arena, items + 1, struct puan_str);

        for (size_t k = 0; by && k < items; k++)
            by[k] = puan_str_of(o->levels[i].items[k]);
        level[opt.n_levels++] =
            (struct puan_rule_level){ .name = puan_str_of(o->levels[i].name),
                                      .by = by,
                                      .n_by = items };
    }
    for (size_t i = 0; level && i < decls.n_levels; i++)
        level[opt.n_levels++] = decls.level[i];
    st = puan_arena_check(&r->arena, err);
    if (st != PUAN_OK)
        return st;
    opt.level = level;
    opt.entity = puan_str_of(o && o->entity ? o->entity : "");
    return puan_edit_source_frame(&r->source, paths, n, &opt, err);
}

static enum puan_status tell(struct run *r, const struct puan_edit_return *u,
                             const struct puan_localised *got,
                             struct puan_arena *a, struct puan_err *err)
{
    const struct puan_form *f = puan_edit_source_of(r->source);

    for (size_t i = 0; r->change && i < got->n; i++) {
        const struct puan_cell_change *x = &got->change[i];
        const struct puan_entity *e = &f->entity[x->at.entity];
        const struct puan_item *it = &e->items[x->at.item];
        const uint32_t *line = u->line[x->at.entity];
        pu_change c = { .unit = puan_arena_dup(a, u->key),
                        .entity = puan_arena_dup(a, e->name),
                        .item = puan_arena_dup(a, it->name),
                        .row = line ? line[x->at.row] - 1u : 0,
                        .weight = x->weight,
                        .value = x->state == PUAN_GIVEN
                                     ? puan_item_text(it, x->value, a)
                                     : "" };
        enum puan_status st = puan_arena_check(a, err);

        if (st != PUAN_OK)
            return st;
        r->change(r->ctx, &c);
    }
    return PUAN_OK;
}

static enum puan_status one(struct run *r, const struct puan_edit_return *u,
                            struct puan_arena *a, struct puan_err *err)
{
    struct puan_localised got = { .n = 0 };
    enum puan_status st = puan_localise(&got, r->set.l, &u->record,
                                        &r->set.localise, a, err);

    if (st != PUAN_OK)
        return st;
    r->out->units++;
    switch (got.state) {
    case PUAN_LOCALISE_CLEAN:
        r->out->clean++;
        return PUAN_OK;
    case PUAN_LOCALISE_FOUND:
        r->out->found++;
        r->out->weight += got.weight;
        return tell(r, u, &got, a, err);
    case PUAN_LOCALISE_IMPOSSIBLE:
        r->out->impossible++;
        return PUAN_OK;
    case PUAN_LOCALISE_UNDECIDED:
        r->out->undecided++;
        return PUAN_OK;
    }
    return PUAN_OK;
}

static enum puan_status all(struct run *r, struct puan_err *err)
{
    struct puan_edit_cursor *cursor = NULL;
    struct puan_arena a;
    enum puan_status st = puan_edit_cursor_open(&cursor, r->source, err);

    puan_arena_init(&a, &puan_heap);
    for (size_t c = 0; st == PUAN_OK && c < puan_edit_source_chunks(r->source);
         c++) {
        struct puan_edit_return *list = NULL;
        size_t n = 0;

        puan_arena_reset(&a);
        st = puan_edit_cursor_chunk(&list, &n, cursor, c, &a, err);
        for (size_t i = 0; st == PUAN_OK && i < n; i++)
            st = one(r, &list[i], &a, err);
    }
    puan_arena_clear(&a);
    puan_edit_cursor_close(cursor);
    return st;
}

pu_status pu_localise(pu_localised *out, const char *const *paths, size_t n,
                      const pu_options *options, const char *const *rules,
                      const char *const *files, size_t n_rules,
                      const char *const *weights,
                      void (*change)(void *ctx, const pu_change *c), void *ctx,
                      pu_error *err)
{
    struct run r = { .out = out, .change = change, .ctx = ctx };
    struct puan_edit_how how = { .weight = weights,
                                 .n_weights = lib_list_length(weights) };
    struct puan_edit_rules set = { .file = files, .n = n_rules };
    struct puan_str *text;
    struct puan_err e = { 0 };
    enum puan_status st;

    *out = (pu_localised){ .units = 0 };
    puan_progress_quiet(true); /* a library prints nothing */
    puan_arena_init(&r.arena, &puan_heap);
    text = puan_new_n(&r.arena, n_rules + 1, struct puan_str);
    for (size_t i = 0; text && i < n_rules; i++)
        text[i] = puan_str_of(rules[i]);
    set.text = text;
    st = puan_arena_check(&r.arena, &e);
    if (st == PUAN_OK)
        st = open_source(&r, paths, n, options, &set, &e);
    if (st == PUAN_OK)
        st = puan_edit_set_open(&r.set, puan_edit_source_of(r.source),
                                puan_edit_source_routing(r.source), &set, &how,
                                &r.arena, &e);
    if (st == PUAN_OK)
        st = all(&r, &e);
    puan_edit_source_close(r.source);
    puan_arena_clear(&r.arena);
    return st == PUAN_OK ? PU_OK : lib_failed(err, &e);
}
