/*
 * Returns out of the CSV files of a form, or out of a frame.
 */
#include "features/edit/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan/plan.h"
#include "features/check/csv_record.h"
#include "features/frame/frames.h"
#include "features/ingest/ingest.h"
#include "features/store/store.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"

#define CHUNK 1024   /* units */
#define CODE_MOST 32 /* bytes of a code of a form */

/* Some households of one store, in a row. */
struct stretch {
    struct puan_shard *shard;
    int64_t from, to;
    size_t n;
};

struct puan_edit_source {
    struct puan_store *store; /* a campaign */
    struct stretch *stretch;
    size_t n_stretches;
    uint64_t held;
    struct puan_arena arena;
    const struct puan_form *form;
    const struct puan_routing *routing;
    struct puan_csv_set *set; /* a form's files, or */
    struct puan_frames *frames;
    const struct puan_frame *frame;
    uint16_t unit;                       /* frame entity of a unit */
    uint16_t entity[PUAN_FORM_ENTITIES]; /* frame entity of each of the form */
    uint16_t n_key, key[PUAN_FORM_ENTITIES * 8]; /* items of the unit's rows */
    bool *left_out[PUAN_FORM_ENTITIES]; /* frame items rules cannot read */
    const char *path[PUAN_EDIT_FILES];  /* of a frame */
    size_t n_paths;
};

struct puan_edit_cursor {
    const struct puan_edit_source *s;
    struct puan_csv_cursor *csv;
};

static enum puan_status new_source(struct puan_edit_source **out,
                                   struct puan_err *err)
{
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return puan_fail(err, PUAN_ENOMEM, "edit", "out of memory");
    puan_arena_init(&(*out)->arena, &puan_heap);
    return PUAN_OK;
}

void puan_edit_source_close(struct puan_edit_source *s)
{
    if (!s)
        return;
    puan_csv_set_close(s->set);
    puan_frames_close(s->frames);
    puan_store_close(s->store);
    puan_arena_clear(&s->arena);
    free(s);
}

/* ---- a form's files ---- */

static void scanned(void *ctx, uint64_t done, uint64_t all)
{
    struct puan_progress *p = ctx;

    p->total = all;
    puan_progress_set(p, done);
}

enum puan_status puan_edit_source_form(struct puan_edit_source **out,
                                       const struct puan_plan *plan,
                                       const struct puan_form *form,
                                       const char *const *paths, size_t n,
                                       bool ignore_unknown,
                                       struct puan_err *err)
{
    struct puan_edit_source *s;
    struct puan_progress bar;
    struct puan_csv_options opt = { .ignore_unknown = ignore_unknown,
                                    .chunk = CHUNK,
                                    .progress = scanned,
                                    .progress_ctx = &bar };
    enum puan_status st = new_source(&s, err);

    if (st != PUAN_OK)
        return st;
    s->form = form;
    s->routing = plan->routing[form->ordinal];
    puan_progress_begin(&bar, "读入 reading", 0);
    st = puan_csv_set_open(&s->set, form, s->routing, paths, n, &opt, err);
    puan_progress_end(&bar);
    if (st != PUAN_OK) {
        puan_edit_source_close(s);
        return st;
    }
    *out = s;
    return PUAN_OK;
}

/* ---- a campaign ---- */

static int by_key(const void *x, const void *y)
{
    const struct puan_ret_head *a = x, *b = y;

    return (a->household > b->household) - (a->household < b->household);
}

/* Stretches of households of one store that have answered. */
static enum puan_status add_shard(struct puan_edit_source *s,
                                  struct puan_shard *sh, struct puan_err *err)
{
    struct puan_ret_head *head = NULL;
    struct stretch *more;
    size_t n = 0, kept = 0;
    enum puan_status st = puan_ret_heads(&head, &n, sh, 0, INT64_MAX, err);

    if (st != PUAN_OK)
        return st;
    for (size_t i = 0; i < n; i++)
        if (head[i].ret)
            head[kept++] = head[i];
    if (kept)
        qsort(head, kept, sizeof(*head), by_key);
    more = puan_new_n(&s->arena, s->n_stretches + kept / CHUNK + 1,
                      struct stretch);
    if (more && s->n_stretches)
        memcpy(more, s->stretch, s->n_stretches * sizeof(*more));
    for (size_t i = 0; more && i < kept; i += CHUNK) {
        size_t end = kept - i < CHUNK ? kept : i + CHUNK;

        more[s->n_stretches++] =
            (struct stretch){ sh, head[i].household,
                              head[end - 1].household + 1, end - i };
    }
    free(head);
    s->stretch = more;
    s->held += kept;
    return puan_arena_check(&s->arena, err);
}

enum puan_status puan_edit_source_campaign(struct puan_edit_source **out,
                                           const char *dir, const char *form,
                                           struct puan_err *err)
{
    struct puan_store_options opt = { .readonly = true, .no_writers = true };
    const struct puan_plan *plan;
    struct puan_edit_source *s;
    enum puan_status st = new_source(&s, err);

    if (st != PUAN_OK)
        return st;
    st = puan_store_open(&s->store, dir, &opt, err);
    if (st == PUAN_OK) {
        plan = puan_store_plan(s->store);
        s->form = puan_plan_form(plan, puan_str_of(form));
        if (s->form)
            s->routing = plan->routing[s->form->ordinal];
        else
            st = puan_fail(err, PUAN_ENOTFOUND, dir,
                           "the campaign's plan has no form %s", form);
    }
    for (size_t i = 1; st == PUAN_OK && i < puan_store_shards(s->store); i++)
        st = add_shard(s, puan_store_shard(s->store, i), err);
    if (st != PUAN_OK) {
        puan_edit_source_close(s);
        return st;
    }
    *out = s;
    return PUAN_OK;
}

const struct puan_plan *puan_edit_source_plan(const struct puan_edit_source *s)
{
    return s->store ? puan_store_plan(s->store) : NULL;
}

struct gather {
    const struct puan_edit_source *s;
    struct puan_edit_return *list;
    size_t n, cap;
    struct puan_arena *a;
};

static enum puan_status take_return(void *arg, const struct puan_ret *r,
                                    struct puan_err *err)
{
    struct gather *g = arg;
    struct puan_edit_return *x;
    enum puan_status st;

    if (r->form != g->s->form || g->n == g->cap)
        return PUAN_OK; /* of another form, or come since the source opened */
    x = &g->list[g->n];
    st = puan_record_decode(&x->record, r->form, r->frame, r->facts,
                            PUAN_STR(""), g->a, err);
    if (st != PUAN_OK)
        return st;
    x->key =
        puan_str_of(puan_arena_fmt(g->a, "%lld", (long long)r->head.household));
    for (size_t e = 0; e < r->form->n_entities; e++)
        x->line[e] = puan_new_n(g->a, x->record.rows[e].n, uint32_t);
    g->n++;
    return puan_arena_check(g->a, err);
}

static enum puan_status campaign_chunk(struct puan_edit_return **list,
                                       size_t *n,
                                       const struct puan_edit_source *s,
                                       size_t chunk, struct puan_arena *a,
                                       struct puan_err *err)
{
    const struct stretch *t = &s->stretch[chunk];
    struct gather g = { .s = s, .cap = t->n, .a = a };
    enum puan_status st;

    g.list = puan_new_n(a, t->n, struct puan_edit_return);
    if (!g.list)
        return puan_arena_check(a, err);
    st = puan_ret_each(t->shard, t->from, t->to, take_return, &g, err);
    *list = g.list;
    *n = g.n;
    return st;
}

/* ---- a frame ---- */

/* An item that names a unit, of the file's own rows or of a level. */
static bool names_unit(const struct puan_frame *f, uint16_t entity,
                       uint16_t item)
{
    bool last = entity + 1u == f->n_entities;

    if (!last)
        return true; /* what a level has again from its rows */
    for (size_t e = 0; e < f->n_entities; e++)
        for (size_t k = 0; k < f->entity[e].n_key; k++)
            if (f->entity[e].key[k] == item)
                return true;
    return false;
}

/*
 * Can rules read it?  Tokens are for equality only, and a column of long texts
 * is no list of codes.
 */
static bool readable(const struct puan_frame_item *it)
{
    if (it->token)
        return false;
    for (size_t i = 0; it->type == PUAN_TYPE_CODE && i < it->codes->n; i++)
        if (it->codes->codes[i].text.n == 0 ||
            it->codes->codes[i].text.n > CODE_MOST)
            return false;
    return true;
}

static void say_codes(struct puan_jw *w, const struct puan_codelist *l)
{
    puan_jw_map(w);
    for (size_t i = 0; i < l->n; i++) {
        const struct puan_code *c = &l->codes[i];

        puan_jw_key_s(w, c->text);
        puan_jw_map(w);
        puan_jw_key(w, "value");
        puan_jw_int(w, c->value);
        puan_jw_kstr(w, "zh", c->zh.n ? c->zh : c->text);
        puan_jw_kstr(w, "en", c->en.n ? c->en : c->text);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, '}');
}

static void say_item(struct puan_jw *w, const struct puan_frame *f, uint16_t e,
                     uint16_t i, struct puan_arena *a)
{
    static const char *const type[] = { "code", "int",  "decimal", "month",
                                        "date", "area", "int" };
    const struct puan_frame_item *it = &f->entity[e].item[i];
    unsigned t = it->type <= PUAN_TYPE_AREA ? it->type : PUAN_TYPE_INT;

    puan_jw_key_s(w, it->name);
    puan_jw_map(w);
    puan_jw_kstr(w, "type", puan_str_of(type[t]));
    puan_jw_kstr(w, "zh", it->zh.n ? it->zh : it->name);
    puan_jw_kstr(w, "en", it->en.n ? it->en : it->name);
    if (t == PUAN_TYPE_CODE) {
        puan_jw_key(w, "codes");
        puan_jw_str(w,
                    puan_str_of(puan_arena_fmt(a, "%.*s.%.*s", PUAN_FMT(f->entity[e].name),
                                       PUAN_FMT(it->name))));
    } else if (t == PUAN_TYPE_AREA) {
        puan_jw_key(w, "digits");
        puan_jw_int(w, it->digits);
    } else if (t == PUAN_TYPE_FIXED) {
        puan_jw_key(w, "places");
        puan_jw_int(w, it->places);
    }
    if (it->n_given < f->entity[e].rows) {
        puan_jw_key(w, "required");
        puan_jw_bool(w, false);
    }
    puan_jw_end(w, '}');
}

/* Form entity 0 is the unit; the others are the frame's entities below it. */
static void say_form(struct puan_jw *w, const struct puan_edit_source *s,
                     size_t n, struct puan_arena *a)
{
    const struct puan_frame *f = s->frame;

    puan_jw_map(w);
    puan_jw_kstr(w, "form", PUAN_STR("file"));
    puan_jw_kstr(w, "zh", PUAN_STR("文件"));
    puan_jw_kstr(w, "en", PUAN_STR("file"));
    puan_jw_key(w, "codes");
    puan_jw_map(w);
    for (size_t k = 0; k < n; k++)
        for (uint16_t i = 0; i < f->entity[s->entity[k]].n_items; i++) {
            const struct puan_frame_item *it = &f->entity[s->entity[k]].item[i];

            if (it->type != PUAN_TYPE_CODE || !readable(it))
                continue;
            puan_jw_key_s(w, puan_str_of(puan_arena_fmt(
                                 a, "%.*s.%.*s",
                                 PUAN_FMT(f->entity[s->entity[k]].name),
                                 PUAN_FMT(it->name))));
            say_codes(w, it->codes);
        }
    puan_jw_end(w, '}');
    puan_jw_key(w, "entities");
    puan_jw_map(w);
    for (size_t k = 0; k < n; k++) {
        const struct puan_frame_entity *e = &f->entity[s->entity[k]];

        puan_jw_key_s(w, e->name);
        puan_jw_map(w);
        if (k > 0) {
            puan_jw_key(w, "rows");
            puan_jw_int(w, 9999);
        }
        puan_jw_kstr(w, "zh", e->zh.n ? e->zh : e->name);
        puan_jw_kstr(w, "en", e->en.n ? e->en : e->name);
        puan_jw_key(w, "items");
        puan_jw_map(w);
        for (uint16_t i = 0; i < e->n_items; i++)
            if (readable(&e->item[i]))
                say_item(w, f, s->entity[k], i, a);
        puan_jw_end(w, '}');
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, '}');
    puan_jw_end(w, '}');
}

/* Keys, and what levels repeat, are no answers. */
static void fix_keys(struct puan_form *form, const struct puan_edit_source *s,
                     size_t n, bool single)
{
    for (size_t k = 0; k < n; k++) {
        const struct puan_frame_entity *e = &s->frame->entity[s->entity[k]];

        for (uint16_t i = 0; i < e->n_items; i++) {
            int at = puan_entity_item(&form->entity[k], e->item[i].name);
            struct puan_item *it;

            if (at < 0)
                continue;
            /* the form was made here and is ours to finish */
            it = (struct puan_item *)(uintptr_t)&form->entity[k].items[at];
            if (!single && names_unit(s->frame, s->entity[k], i))
                it->from = PUAN_FROM_KEY;
            it->min = e->item[i].least;
            it->max = e->item[i].most;
            if (it->type == PUAN_TYPE_CODE || it->type == PUAN_TYPE_AREA)
                it->min = it->max = 0;
        }
    }
}

static enum puan_status make_form(struct puan_edit_source *s, size_t n,
                                  bool single, struct puan_err *err)
{
    struct puan_out text;
    struct puan_node *tree;
    struct puan_form *form;
    struct puan_jw w;
    enum puan_status st;

    puan_out_init(&text, &s->arena);
    puan_jw_init(&w, &text);
    say_form(&w, s, n, &s->arena);
    st = puan_arena_check(&s->arena, err);
    if (st == PUAN_OK)
        st = puan_json_tree(&tree, puan_out_view(&text), "codebook", &s->arena,
                            err);
    if (st == PUAN_OK)
        st = puan_form_load(&form, tree, NULL, NULL, &s->arena, err);
    if (st != PUAN_OK)
        return st;
    fix_keys(form, s, n, single);
    s->form = form;
    for (size_t k = 0; k < n; k++) {
        const struct puan_frame_entity *e = &s->frame->entity[s->entity[k]];

        s->left_out[k] = puan_new_n(&s->arena, e->n_items, bool);
        for (size_t i = 0; s->left_out[k] && i < e->n_items; i++)
            s->left_out[k][i] = !readable(&e->item[i]);
    }
    return puan_arena_check(&s->arena, err);
}

/* The level that is one unit, and the entities below it. */
static enum puan_status find_unit(struct puan_edit_source *s, size_t *n,
                                  bool *single,
                                  const struct puan_edit_frame *opt,
                                  const char *path, struct puan_err *err)
{
    const struct puan_frame *f = s->frame;
    size_t last = f->n_entities - 1;
    int unit = f->entity[last].parent;

    if (opt->unit.n) {
        unit = puan_frame_entity(f, opt->unit);
        if (unit < 0)
            return puan_fail(err, PUAN_ENOTFOUND, path,
                             "there is no level '%.*s'; declare it with "
                             "'level %.*s by …' in the rules",
                             PUAN_FMT(opt->unit), PUAN_FMT(opt->unit));
    }
    *single = unit < 0 || (size_t)unit == last;
    s->unit = (uint16_t)(unit < 0 ? (int)last : unit);
    s->entity[0] = s->unit;
    *n = 1;
    for (size_t e = 0; e < f->n_entities; e++)
        if (f->entity[e].parent == (int)s->unit) {
            if (*n == PUAN_FORM_ENTITIES)
                return puan_fail(err, PUAN_ELIMIT, path,
                                 "too many entities below a unit");
            s->entity[(*n)++] = (uint16_t)e;
        }
    return PUAN_OK;
}

enum puan_status puan_edit_source_frame(struct puan_edit_source **out,
                                        const char *const *paths, size_t n,
                                        const struct puan_edit_frame *opt,
                                        struct puan_err *err)
{
    struct puan_frames_options fo = { .n_levels = opt->n_levels,
                                      .entity = opt->entity };
    struct puan_frames_level *level;
    struct puan_edit_source *s;
    size_t entities = 0;
    bool single = false;
    enum puan_status st = new_source(&s, err);

    if (st != PUAN_OK)
        return st;
    level = puan_new_n(&s->arena, opt->n_levels, struct puan_frames_level);
    st = puan_arena_check(&s->arena, err);
    for (size_t i = 0; st == PUAN_OK && i < opt->n_levels; i++)
        level[i] =
            (struct puan_frames_level){ opt->level[i].name, opt->level[i].by,
                                        opt->level[i].n_by };
    fo.level = level;
    for (size_t i = 0; i < n && i < PUAN_EDIT_FILES; i++)
        s->path[s->n_paths++] =
            puan_arena_dup(&s->arena, puan_str_of(paths[i]));
    if (st == PUAN_OK)
        st = puan_frames_load(&s->frames, paths, n, &fo, err);
    if (st == PUAN_OK) {
        s->frame = puan_frames_frame(s->frames);
        st = find_unit(s, &entities, &single, opt, paths[0], err);
    }
    if (st == PUAN_OK)
        st = make_form(s, entities, single, err);
    if (st != PUAN_OK) {
        puan_edit_source_close(s);
        return st;
    }
    *out = s;
    return PUAN_OK;
}

/* ---- both ---- */

const struct puan_form *puan_edit_source_of(const struct puan_edit_source *s)
{
    return s->form;
}

const struct puan_routing *
puan_edit_source_routing(const struct puan_edit_source *s)
{
    return s->routing;
}

size_t puan_edit_source_files(const struct puan_edit_source *s,
                              struct puan_edit_file list[PUAN_EDIT_FILES])
{
    uint16_t last = (uint16_t)(s->form->n_entities - 1);
    size_t n = 0;

    for (size_t i = 0; i < s->n_paths; i++)
        list[n++] = (struct puan_edit_file){ s->path[i], last, true };
    for (uint16_t e = 0; s->set && e <= last; e++) {
        const char *path = puan_csv_set_path(s->set, e);

        if (path)
            list[n++] = (struct puan_edit_file){ path, e, false };
    }
    return n;
}

uint64_t puan_edit_source_units(const struct puan_edit_source *s)
{
    if (s->store)
        return s->held;
    return s->set ? puan_csv_set_rows(s->set, 0)
                  : s->frame->entity[s->unit].rows;
}

size_t puan_edit_source_chunks(const struct puan_edit_source *s)
{
    if (s->store)
        return s->n_stretches;
    if (s->set)
        return puan_csv_set_chunks(s->set);
    return (size_t)((puan_edit_source_units(s) + CHUNK - 1) / CHUNK);
}

enum puan_status puan_edit_cursor_open(struct puan_edit_cursor **out,
                                       const struct puan_edit_source *s,
                                       struct puan_err *err)
{
    struct puan_edit_cursor *c = calloc(1, sizeof(*c));
    enum puan_status st = PUAN_OK;

    if (!c)
        return puan_fail(err, PUAN_ENOMEM, "edit", "out of memory");
    c->s = s;
    if (s->set)
        st = puan_csv_cursor_open(&c->csv, s->set, err);
    if (st != PUAN_OK) {
        free(c);
        return st;
    }
    *out = c;
    return PUAN_OK;
}

void puan_edit_cursor_close(struct puan_edit_cursor *c)
{
    if (!c)
        return;
    puan_csv_cursor_close(c->csv);
    free(c);
}

static enum puan_status csv_chunk(struct puan_edit_return **list, size_t *n,
                                  struct puan_edit_cursor *c, size_t chunk,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_csv_return *from;
    enum puan_status st =
        puan_csv_cursor_chunk(&from, n, c->csv, chunk, a, err);

    if (st != PUAN_OK)
        return st;
    *list = puan_new_n(a, *n, struct puan_edit_return);
    if (!*list)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < *n; i++) {
        struct puan_edit_return *r = &(*list)[i];

        r->key = puan_str_of(
            puan_arena_fmt(a, "%lld", (long long)from[i].household));
        r->record = from[i].record;
        for (size_t e = 0; e < c->s->form->n_entities; e++)
            r->line[e] = from[i].line[e];
    }
    return puan_arena_check(a, err);
}

/* Rows [from, from + n) of a frame entity into the record. */
static void copy_rows(struct puan_rows *to, const struct puan_edit_source *s,
                      size_t k, uint64_t from, uint32_t n)
{
    const struct puan_frame_entity *e = &s->frame->entity[s->entity[k]];
    const struct puan_entity *ent = &s->form->entity[k];
    uint16_t x = 0;

    for (uint16_t i = 0; i < e->n_items; i++) {
        const struct puan_frame_item *it = &e->item[i];

        if (s->left_out[k][i])
            continue;
        for (uint32_t row = 0; row < n; row++) {
            size_t at = (size_t)row * ent->n_items + x;
            enum puan_state state;
            int64_t v = puan_frame_value(&state, it, from + row);

            to->st[at] = (uint8_t)state;
            to->v[at] = v;
            if (state == PUAN_MISSING) {
                uint64_t stored = puan_frame_stored(it, from + row) - it->stop;

                to->v[at] =
                    stored < it->n_states ? it->states[stored].reason : 0;
            }
        }
        x++;
    }
}

static const char *key_of(const struct puan_edit_source *s, uint64_t unit,
                          struct puan_arena *a)
{
    const struct puan_frame_entity *e = &s->frame->entity[s->unit];
    struct puan_out o;

    puan_out_init(&o, a);
    for (size_t i = 0; e->n_key && i < e->n_items; i++) {
        const struct puan_frame_item *it = &e->item[i];
        const struct puan_item like = { .type = it->type,
                                        .places = it->places,
                                        .digits = it->digits,
                                        .codes = it->codes };
        enum puan_state state;
        int64_t v = puan_frame_value(&state, it, unit);

        if (i)
            puan_out_char(&o, '-');
        if (state == PUAN_GIVEN)
            puan_out_text(&o, puan_item_text(&like, v, a));
    }
    if (e->n_key == 0 || e->n_items == 0)
        puan_out_int(&o, (int64_t)unit + 1);
    puan_out_char(&o, '\0');
    return o.p;
}

static enum puan_status frame_unit(struct puan_edit_return *r,
                                   const struct puan_edit_source *s,
                                   uint64_t unit, struct puan_arena *a,
                                   struct puan_err *err)
{
    uint32_t n[PUAN_FORM_ENTITIES] = { 1 };
    uint64_t from[PUAN_FORM_ENTITIES] = { unit };
    enum puan_status st;

    for (size_t k = 1; k < s->form->n_entities; k++) {
        const uint32_t *first = s->frame->entity[s->entity[k]].first;

        from[k] = first[unit];
        n[k] = first[unit + 1] - first[unit];
    }
    st = puan_record_new(&r->record, s->form, n, a, err);
    if (st != PUAN_OK)
        return st;
    r->key = puan_str_of(key_of(s, unit, a));
    for (size_t k = 0; k < s->form->n_entities; k++) {
        uint32_t *line = puan_new_n(a, n[k], uint32_t);

        if (!line)
            return puan_arena_check(a, err);
        for (uint32_t row = 0; row < n[k]; row++)
            line[row] = (uint32_t)(from[k] + row + 1);
        r->line[k] = line;
        copy_rows(&r->record.rows[k], s, k, from[k], n[k]);
    }
    return PUAN_OK;
}

enum puan_status puan_edit_cursor_chunk(struct puan_edit_return **list,
                                        size_t *n, struct puan_edit_cursor *c,
                                        size_t chunk, struct puan_arena *a,
                                        struct puan_err *err)
{
    uint64_t all, from = chunk * (uint64_t)CHUNK;
    enum puan_status st = PUAN_OK;

    if (c->s->store)
        return campaign_chunk(list, n, c->s, chunk, a, err);
    if (c->csv)
        return csv_chunk(list, n, c, chunk, a, err);
    all = puan_edit_source_units(c->s);
    *n = (size_t)(all - from < CHUNK ? all - from : CHUNK);
    *list = puan_new_n(a, *n, struct puan_edit_return);
    if (!*list)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < *n && st == PUAN_OK; i++)
        st = frame_unit(&(*list)[i], c->s, from + i, a, err);
    return st;
}
