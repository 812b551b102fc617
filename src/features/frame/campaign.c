/*
 * A campaign's returns as a frame (campaign.h).
 *
 * The area is parted into units, areas one level below the stores'.  A thread
 * reads a unit's returns in order of their households into columns of 64 bits,
 * narrows them to pieces, and takes the next; at last the pieces of a column
 * are put together.  A unit of a store that has not changed since the frame
 * before was made borrows its pieces from that frame.
 */
#include "features/frame/campaign.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/duplicates/duplicates.h"
#include "features/frame/parts.h"
#include "features/ingest/ingest.h"
#include "kit/job/job.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"

#define FORM_ITEM UINT16_MAX        /* which form it was */
#define KEY_ITEM (UINT16_MAX - 1u)  /* key of the household */

/* ---- what the frame will hold ------------------------------------------------- */

/* An item of the frame, and where each form has it. */
struct target {
    const struct puan_item *item; /* NULL: KEY_ITEM, FORM_ITEM */
    struct puan_frame_item out;
    uint16_t *of; /* [form] index there; UINT16_MAX: not asked */
};

struct entity {
    struct puan_str name, zh, en;
    struct target *target;
    size_t n, cap;
    uint16_t *of; /* [form] entity there; UINT16_MAX: none */
};

struct store {
    struct puan_shard *shard;
    uint64_t height;
    char head[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_dropped *dropped;
    bool unchanged; /* since the frame before */
};

/* The returns of an area. */
struct unit {
    const struct store *store;
    int64_t from, to;
    uint64_t households;
    uint32_t *ea;   /* [household] index in the tree */
    uint32_t *rows[PUAN_FRAME_ENTITIES]; /* [entity][household] of rosters */
    struct puan_piece *piece[PUAN_FRAME_ENTITIES]; /* [entity][item] */
};

struct growing {
    int64_t *v;
    uint8_t *st;
};

struct worker {
    struct puan_arena arena; /* one return */
    const struct unit *unit;
    struct reading *r;
    /* of the unit: households, and rows of each entity */
    uint64_t n[PUAN_FRAME_ENTITIES], cap[PUAN_FRAME_ENTITIES];
    struct growing *column[PUAN_FRAME_ENTITIES];
    uint32_t *ea, *rows[PUAN_FRAME_ENTITIES];
    uint64_t cap_households;
    bool *skip; /* rows of the residence entity that were dropped */
    uint32_t n_skip;
    uint64_t returns, dropped;
};

struct reading {
    struct puan_store *st;
    const struct puan_plan *plan;
    const struct puan_area_tree *tree;
    const struct puan_frames_campaign_options *opt;
    struct puan_frames *f;
    bool *wanted;  /* [form ordinal] */
    struct entity *entity;
    size_t n_entities;
    struct store *store;
    size_t n_stores;
    struct unit *unit;
    size_t n_units;
    struct worker *worker;
    struct puan_progress bar;
    atomic_uint_fast64_t taken;
};

static enum puan_status no_memory(struct puan_err *err)
{
    return puan_fail(err, PUAN_ENOMEM, "frame", "out of memory");
}

/* Not asked, invalid, missing without a reason, and with each of a list. */
static enum puan_status states_of(struct puan_frame_item *out,
                                  const struct puan_codelist *reasons,
                                  struct puan_arena *a, struct puan_err *err)
{
    size_t n = reasons ? reasons->n : 0;
    struct puan_frame_state *s;

    if (n > PUAN_FRAME_STATES - 3)
        n = 0; /* then they are all missing, reason not told */
    s = puan_new_n(a, n + 3, struct puan_frame_state);
    if (!s)
        return no_memory(err);
    s[0].state = PUAN_NOT_ASKED;
    s[1].state = PUAN_INVALID;
    s[2].state = PUAN_MISSING;
    for (size_t i = 0; i < n; i++)
        s[3 + i] = (struct puan_frame_state){ PUAN_MISSING,
                                              reasons->codes[i].value };
    out->states = s;
    out->n_states = n + 3;
    return PUAN_OK;
}

static struct target *new_target(struct entity *e, const struct reading *r,
                                 struct puan_arena *a)
{
    struct target *t;

    if (e->n == e->cap) {
        size_t cap = e->cap ? 2 * e->cap : 64;
        struct target *more = puan_new_n(a, cap, struct target);

        if (!more)
            return NULL;
        if (e->n)
            memcpy(more, e->target, e->n * sizeof(*more));
        e->target = more;
        e->cap = cap;
    }
    t = &e->target[e->n];
    t->of = puan_new_n(a, r->plan->n_forms, uint16_t);
    if (!t->of)
        return NULL;
    for (size_t i = 0; i < r->plan->n_forms; i++)
        t->of[i] = UINT16_MAX;
    e->n++;
    return t;
}

static bool same_item(const struct puan_item *a, const struct puan_item *b)
{
    return a->type == b->type && a->fact == b->fact &&
           (puan_str_eq(a->name, b->name) ||
            (a->alias.n && puan_str_eq(a->alias, b->name)) ||
            (b->alias.n && puan_str_eq(a->name, b->alias)) ||
            (a->alias.n && puan_str_eq(a->alias, b->alias)));
}

static enum puan_status add_item(struct entity *e, const struct reading *r,
                                 const struct puan_item *it, size_t form,
                                 uint16_t index, struct puan_arena *a,
                                 struct puan_err *err)
{
    struct target *t;

    for (size_t i = 0; i < e->n; i++) {
        t = &e->target[i];
        if (t->item && t->of[form] == UINT16_MAX && same_item(t->item, it)) {
            t->of[form] = index;
            return PUAN_OK;
        }
    }
    t = new_target(e, r, a);
    if (!t)
        return no_memory(err);
    t->item = it;
    t->of[form] = index;
    t->out = (struct puan_frame_item){ .name = it->name,
                                       .zh = it->zh,
                                       .en = it->en,
                                       .type = it->type,
                                       .places = it->places,
                                       .digits = it->digits,
                                       .codes = it->type == PUAN_TYPE_CODE
                                                    ? it->codes
                                                    : NULL };
    for (size_t i = 0; i + 1 < e->n; i++)
        if (puan_str_eq(e->target[i].out.name, it->name))
            return puan_fail(err, PUAN_EINVAL, "frame",
                             "%.*s.%.*s is of two kinds in the forms; take "
                             "one (--form)",
                             PUAN_FMT(e->name), PUAN_FMT(it->name));
    return states_of(&t->out, it->reasons, a, err);
}

static struct entity *entity_of(struct reading *r, struct puan_str name)
{
    for (size_t i = 0; i < r->n_entities; i++)
        if (puan_str_eq(r->entity[i].name, name))
            return &r->entity[i];
    return NULL;
}

static enum puan_status add_form(struct reading *r, const struct puan_form *f,
                                 struct puan_arena *a, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    for (uint16_t i = 0; i < f->n_entities; i++) {
        const struct puan_entity *from = &f->entity[i];
        struct entity *e = entity_of(r, from->name);

        if (!e) {
            if (r->n_entities == PUAN_FRAME_ENTITIES / 2)
                return puan_fail(err, PUAN_ELIMIT, "frame",
                                 "the forms have too many entities");
            e = &r->entity[r->n_entities++];
            *e = (struct entity){ .name = from->name, .zh = from->zh,
                                  .en = from->en };
            e->of = puan_new_n(a, r->plan->n_forms, uint16_t);
            if (!e->of)
                return no_memory(err);
            for (size_t k = 0; k < r->plan->n_forms; k++)
                e->of[k] = UINT16_MAX;
        }
        if ((i == 0) != (e == r->entity))
            return puan_fail(err, PUAN_EINVAL, "frame",
                             "form %.*s is of other units than the first: "
                             "take forms of one kind (--form)",
                             PUAN_FMT(f->id));
        e->of[f->ordinal] = i;
        for (uint16_t k = 0; st == PUAN_OK && k < from->n_items; k++)
            st = add_item(e, r, &from->items[k], f->ordinal, k, a, err);
    }
    return st;
}

/* The household's key and its form stand before its own items. */
static enum puan_status add_keys(struct reading *r, struct puan_arena *a,
                                 struct puan_err *err)
{
    struct entity *e = &r->entity[0];
    struct puan_codelist *list = puan_new(a, struct puan_codelist);
    struct puan_code *code = puan_new_n(a, r->plan->n_forms, struct puan_code);
    struct target *t;

    if (!list || !code)
        return no_memory(err);
    for (size_t i = 0; i < r->plan->n_forms; i++)
        code[i] = (struct puan_code){ (int64_t)i, r->plan->form[i]->id,
                                      r->plan->form[i]->zh,
                                      r->plan->form[i]->en };
    *list = (struct puan_codelist){ .name = PUAN_STR("form"), .codes = code,
                                    .n = r->plan->n_forms, .dense = true };
    t = new_target(e, r, a);
    if (!t)
        return no_memory(err);
    t->of[0] = KEY_ITEM;
    t->out.name = PUAN_STR("key");
    t->out.type = PUAN_TYPE_INT;
    t = new_target(e, r, a);
    if (!t)
        return no_memory(err);
    t->of[0] = FORM_ITEM;
    t->out.name = PUAN_STR("form");
    t->out.type = PUAN_TYPE_CODE;
    t->out.codes = list;
    return PUAN_OK;
}

static enum puan_status shape_of_frame(struct reading *r,
                                       struct puan_arena *a,
                                       struct puan_err *err)
{
    const struct puan_plan *plan = r->plan;
    enum puan_status st = PUAN_OK;

    r->wanted = puan_new_n(a, plan->n_forms, bool);
    r->entity = puan_new_n(a, PUAN_FRAME_ENTITIES, struct entity);
    if (!r->wanted || !r->entity)
        return no_memory(err);
    for (size_t i = 0; i < r->opt->n_forms; i++) {
        const struct puan_form *f = puan_plan_form(plan, r->opt->form[i]);

        if (!f)
            return puan_fail(err, PUAN_ENOTFOUND, "--form",
                             "the plan has no form %.*s",
                             PUAN_FMT(r->opt->form[i]));
        r->wanted[f->ordinal] = true;
    }
    for (size_t i = 0; st == PUAN_OK && i < plan->n_forms; i++) {
        r->wanted[i] |= r->opt->n_forms == 0;
        if (!r->wanted[i])
            continue;
        st = add_form(r, plan->form[i], a, err);
    }
    if (st == PUAN_OK && r->n_entities == 0)
        return puan_fail(err, PUAN_EINVAL, "frame", "the plan has no forms");
    return st == PUAN_OK ? add_keys(r, a, err) : st;
}

/* ---- stores and units ------------------------------------------------------------ */

/* "store height head" lines of a frame's source. */
static bool was(const struct puan_frame *before, const struct store *s)
{
    struct puan_str rest = before->source, line;
    char want[160];

    puan_format(want, sizeof(want), "%s %llu %s", puan_shard_name(s->shard),
                (unsigned long long)s->height, s->head);
    while (puan_str_split(&line, &rest, '\n'))
        if (puan_str_is(line, want))
            return true;
    return false;
}

/* The frame before holds the same values: "values …" of its source; one with
   codes of a file holds others. */
static bool same_values(const struct puan_frames_campaign_options *opt)
{
    struct puan_str rest = opt->before->source, line, word, name = { "", 0 };

    while (puan_str_split(&line, &rest, '\n')) {
        if (!puan_str_split(&word, &line, ' '))
            continue;
        if (puan_str_is(word, "codes"))
            return false;
        if (puan_str_is(word, "values"))
            name = line;
    }
    return puan_str_eq(name, opt->values_name);
}

/* Head and dropped records of every returns store, as they stand together. */
static enum puan_status note_stores(struct reading *r, struct puan_arena *a,
                                    struct puan_err *err)
{
    r->n_stores = puan_store_shards(r->st);
    r->store = puan_new_n(a, r->n_stores, struct store);
    if (!r->store)
        return no_memory(err);
    for (size_t i = 1; i < r->n_stores; i++) {
        struct store *s = &r->store[i];
        struct puan_stmt *q = NULL;
        struct puan_db *db;
        bool more = false;
        enum puan_status st;

        s->shard = puan_store_shard(r->st, i);
        st = puan_read_begin(&db, s->shard, err);
        if (st != PUAN_OK)
            return st;
        st = puan_db_begin(db, err);
        if (st != PUAN_OK) {
            puan_read_end(s->shard, db);
            return st;
        }
        st = puan_sql(&q, db,
                      "SELECT seq, digest FROM ledger ORDER BY seq DESC LIMIT 1",
                      err);
        if (st == PUAN_OK)
            st = puan_stmt_step(&more, q, err);
        if (st == PUAN_OK && more) {
            struct puan_str d = puan_col_bytes(q, 1);

            s->height = (uint64_t)puan_col_int(q, 0) + 1;
            if (d.n == PUAN_DIGEST_SIZE)
                puan_hex(s->head, (const uint8_t *)d.p, d.n);
        }
        puan_stmt_done(q);
        if (st == PUAN_OK)
            st = puan_dropped_open(&s->dropped, db, err);
        puan_db_rollback(db);
        puan_read_end(s->shard, db);
        if (st != PUAN_OK)
            return st;
        s->unchanged = r->opt->before && r->opt->n_codes == 0 &&
                       same_values(r->opt) &&
                       was(r->opt->before, s);
    }
    return PUAN_OK;
}

static uint32_t top_of(const struct reading *r)
{
    return r->opt->area ? puan_area_find(r->tree, r->opt->area) : 0;
}

static enum puan_status make_units(struct reading *r, struct puan_arena *a,
                                   struct puan_err *err)
{
    uint32_t top, end;
    unsigned level;

    if (!r->tree || r->tree->n == 0)
        return puan_fail(err, PUAN_ENOTFOUND, "frame",
                         "the campaign has no areas yet");
    top = top_of(r);
    if (top == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "--area", "no area %lld",
                         (long long)r->opt->area);
    end = r->opt->area ? r->tree->area[top].end : r->tree->n;
    level = (unsigned)(puan_area_level_of(
                           r->tree, r->plan->level[r->plan->shard_level].id) +
                       1);
    if (level >= r->tree->n_levels)
        level = r->tree->n_levels - 1;
    if (level < r->tree->area[top].level)
        level = r->tree->area[top].level;
    r->unit = puan_new_n(a, end - top, struct unit);
    if (!r->unit)
        return no_memory(err);
    for (uint32_t i = top; i < end; i++) {
        struct unit *u = &r->unit[r->n_units];
        const struct puan_area *x = &r->tree->area[i];
        struct puan_shard *sh;

        if (x->level != level)
            continue;
        sh = puan_store_shard_of_area(r->st, x->code);
        if (!sh || puan_shard_ordinal(sh) >= r->n_stores)
            continue; /* nothing is collected there, or a store made since */
        u->store = &r->store[puan_shard_ordinal(sh)];
        puan_area_keys(&u->from, &u->to, r->st, x->code);
        r->n_units++;
    }
    return PUAN_OK;
}

/* ---- reading a unit ------------------------------------------------------------------ */

static bool room(struct worker *w, size_t entity, uint64_t more)
{
    const struct entity *e = &w->r->entity[entity];
    uint64_t cap = w->cap[entity];

    if (w->n[entity] + more <= cap)
        return true;
    cap = cap * 2 > w->n[entity] + more ? cap * 2 : w->n[entity] + more + 1024;
    for (size_t i = 0; i < e->n; i++) {
        struct growing *g = &w->column[entity][i];
        int64_t *v = realloc(g->v, cap * sizeof(*v));
        uint8_t *st;

        if (!v)
            return false;
        g->v = v;
        st = realloc(g->st, cap);
        if (!st)
            return false;
        g->st = st;
    }
    w->cap[entity] = cap;
    return true;
}

static bool room_for_household(struct worker *w)
{
    uint64_t cap = 2 * w->cap_households + 1024;
    uint32_t *p;

    if (w->n[0] < w->cap_households)
        return true;
    p = realloc(w->ea, cap * sizeof(*p));
    if (!p)
        return false;
    w->ea = p;
    for (size_t e = 1; e < w->r->n_entities; e++) {
        p = realloc(w->rows[e], cap * sizeof(*p));
        if (!p)
            return false;
        w->rows[e] = p;
    }
    w->cap_households = cap;
    return true;
}

/* Number of a state among those of an item, + 1. */
static uint8_t state_number(const struct puan_frame_item *it, uint8_t st,
                            int64_t reason)
{
    if (st == PUAN_NOT_ASKED)
        return 1;
    if (st == PUAN_INVALID)
        return 2;
    for (size_t i = 3; i < it->n_states; i++)
        if (it->states[i].reason == reason)
            return (uint8_t)(i + 1);
    return 3;
}

/* The code given to the answer since, if the item has none of its own. */
static bool coded(int64_t *v, const struct puan_frames_campaign_options *opt,
                  const struct target *t, int64_t household, uint32_t line)
{
    for (size_t i = 0; i < opt->n_codes; i++)
        if (puan_str_eq(opt->codes[i].item, t->item->name)) {
            const struct puan_frames_code *c =
                puan_frames_code_of(&opt->codes[i], household, line);

            if (c)
                *v = c->value;
            return c != NULL;
        }
    return false;
}

/* Rows of one entity of a return, those skipped left out. */
static void put_rows(struct worker *w, size_t entity, const struct puan_ret *ret,
                     const struct puan_record *rec, const bool *skip)
{
    const struct entity *e = &w->r->entity[entity];
    size_t form = ret->form->ordinal;
    uint16_t at = e->of[form];
    const struct puan_rows *rows = at == UINT16_MAX ? NULL : &rec->rows[at];
    uint16_t n_items = rows ? ret->form->entity[at].n_items : 0;
    uint32_t n = rows ? rows->n : 0, kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint64_t row = w->n[entity] + kept;

        if (skip && skip[i])
            continue;
        kept++;
        for (size_t k = 0; k < e->n; k++) {
            const struct target *t = &e->target[k];
            struct growing *g = &w->column[entity][k];
            size_t cell;

            g->v[row] = 0;
            g->st[row] = 0;
            if (!t->item) {
                g->v[row] = t->of[0] == KEY_ITEM ? ret->head.household
                                                 : (int64_t)form;
                continue;
            }
            if (t->of[form] == UINT16_MAX) {
                g->st[row] = 1;
                continue;
            }
            cell = (size_t)i * n_items + t->of[form];
            if (rows->st[cell] != PUAN_GIVEN &&
                coded(&g->v[row], w->r->opt, t, ret->head.household, i + 1))
                continue;
            if (rows->st[cell] != PUAN_GIVEN)
                g->st[row] = state_number(&t->out, rows->st[cell],
                                          rows->v[cell]);
            else if (t->item->zone == PUAN_ZONE_FRAME)
                g->v[row] = rows->v[cell];
        }
    }
    w->n[entity] += kept;
    if (entity > 0)
        w->rows[entity][w->n[0] - 1] = kept;
}

/* The version that stood when the heads were noted; *none: there was none. */
static enum puan_status version_then(struct puan_ret *out, struct worker *w,
                                     const struct puan_ret *last, bool *none,
                                     struct puan_err *err)
{
    struct puan_shard *sh = w->unit->store->shard;
    struct puan_db *db;
    enum puan_status st;

    *out = *last;
    st = puan_read_begin(&db, sh, err);
    while (st == PUAN_OK && out->entry >= w->unit->store->height) {
        *none = out->prev == 0;
        if (*none)
            break;
        st = puan_ret_read(out, sh, db, out->prev, &w->arena, err);
    }
    puan_read_end(sh, db);
    return st;
}

/* Which rows of the residence entity were dropped by decision. */
static const bool *dropped(struct worker *w, const struct puan_ret *ret,
                           uint32_t n)
{
    if (puan_dropped_n(w->unit->store->dropped) == 0)
        return NULL;
    if (n > w->n_skip) {
        bool *p = realloc(w->skip, n * sizeof(*p));

        if (!p)
            return NULL;
        w->skip = p;
        w->n_skip = n;
    }
    for (uint32_t i = 0; i < n; i++) {
        w->skip[i] = puan_dropped_has(w->unit->store->dropped,
                                      ret->head.household, ret->seq, i);
        w->dropped += w->skip[i];
    }
    return w->skip;
}

static enum puan_status one_return(void *arg, const struct puan_ret *ret,
                                   struct puan_err *err)
{
    struct worker *w = arg;
    struct reading *r = w->r;
    struct puan_record rec;
    struct puan_ret then;
    uint32_t ea;
    enum puan_status st;

    puan_arena_reset(&w->arena);
    if (ret->entry >= w->unit->store->height) {
        bool none = false;

        st = version_then(&then, w, ret, &none, err);
        if (st != PUAN_OK || none)
            return st;
        ret = &then;
    }
    ea = puan_area_of_household(r->tree, ret->head.household);
    if (!r->wanted[ret->form->ordinal] || ea == PUAN_AREA_NONE)
        return PUAN_OK;
    st = puan_record_decode(&rec, ret->form, ret->frame, ret->facts,
                            PUAN_STR(""), &w->arena, err);
    if (st != PUAN_OK)
        return st;
    if (r->opt->values)
        r->opt->values(r->opt->values_ctx, &rec, ret->head.household, ret->seq);
    if (!room_for_household(w) || !room(w, 0, 1))
        return no_memory(err);
    w->ea[w->n[0]] = ea;
    put_rows(w, 0, ret, &rec, NULL);
    for (size_t e = 1; e < r->n_entities; e++) {
        uint16_t at = r->entity[e].of[ret->form->ordinal];
        uint32_t n = at == UINT16_MAX ? 0 : rec.rows[at].n;
        const bool *skip = NULL;

        if (!room(w, e, n))
            return no_memory(err);
        if (puan_str_eq(r->entity[e].name, r->plan->residence_entity))
            skip = dropped(w, ret, n);
        put_rows(w, e, ret, &rec, skip);
    }
    w->returns++;
    puan_progress_add(&r->bar, 1);
    return PUAN_OK;
}

static bool keep_piece(struct puan_piece *p, const struct growing *g,
                       uint64_t n, const struct puan_frame_item *it)
{
    return puan_piece_make(p, g->v, it->n_states ? g->st : NULL, n,
                           (unsigned)it->n_states);
}

static void *copy_of(const void *p, uint64_t n, size_t size)
{
    void *q = malloc(n ? (size_t)n * size : 1);

    if (q && n)
        memcpy(q, p, (size_t)n * size);
    return q;
}

/* ---- the frame before ------------------------------------------------------------------ */

/* First row of the entity whose key is not below `key`. */
static uint64_t lower_bound(const struct puan_frame_entity *e,
                            const struct puan_frame_item *it, int64_t key)
{
    uint64_t lo = 0, hi = e->rows;

    while (lo < hi) {
        uint64_t m = (lo + hi) / 2;
        enum puan_state st;

        if (puan_frame_value(&st, it, m) < key)
            lo = m + 1;
        else
            hi = m;
    }
    return lo;
}

static void borrow(struct puan_piece *p, const struct puan_frame_item *it,
                   uint64_t from, uint64_t to)
{
    *p = (struct puan_piece){
        .borrowed = true,
        .shape = { it->width, (uint64_t)it->base },
        .range = { it->least, it->most, false },
        .rows = to - from,
    };
    /* never written to: puan_piece_clear leaves it alone */
    p->data = (char *)(uintptr_t)((const char *)it->data + from * it->width);
    for (uint64_t i = from; i < to; i++)
        p->given += it->n_states == 0 || puan_frame_stored(it, i) < it->stop;
}

/* A unit's rows out of the frame before; false when they are not to be had. */
static bool take_over(struct unit *u, struct reading *r)
{
    const struct puan_frame *f = r->opt->before;
    int home = puan_frame_entity(f, r->entity[0].name), key;
    const struct puan_frame_entity *h;
    uint64_t from, to;

    if (home < 0)
        return false;
    h = &f->entity[home];
    key = puan_frame_item(h, PUAN_STR("key"));
    if (key < 0)
        return false;
    from = lower_bound(h, &h->item[key], u->from);
    to = lower_bound(h, &h->item[key], u->to);
    u->households = to - from;
    u->ea = malloc((to - from + 1) * sizeof(*u->ea));
    if (!u->ea)
        return false;
    for (uint64_t i = from; i < to; i++) {
        enum puan_state st;

        u->ea[i - from] = puan_area_of_household(
            r->tree, puan_frame_value(&st, &h->item[key], i));
        if (u->ea[i - from] == PUAN_AREA_NONE)
            return false;
    }
    for (size_t e = 0; e < r->n_entities; e++) {
        int at = puan_frame_entity(f, r->entity[e].name);
        const struct puan_frame_entity *x;
        uint64_t a = from, b = to;

        if (at < 0)
            return false;
        x = &f->entity[at];
        if (e > 0) {
            u->rows[e] = malloc((to - from + 1) * sizeof(*u->rows[e]));
            if (!u->rows[e] || x->parent != home)
                return false;
            for (uint64_t i = from; i < to; i++)
                u->rows[e][i - from] = x->first[i + 1] - x->first[i];
            a = x->first[from];
            b = x->first[to];
        }
        u->piece[e] = calloc(r->entity[e].n, sizeof(*u->piece[e]));
        if (!u->piece[e] || x->n_items != r->entity[e].n)
            return false;
        for (size_t k = 0; k < x->n_items; k++) {
            const struct puan_frame_item *it = &x->item[k];
            const struct puan_frame_item *want = &r->entity[e].target[k].out;

            if (!puan_str_eq(it->name, want->name) ||
                it->n_states != want->n_states)
                return false;
            borrow(&u->piece[e][k], it, a, b);
        }
    }
    return true;
}

static void clear_unit(struct unit *u, const struct reading *r)
{
    free(u->ea);
    for (size_t e = 0; e < r->n_entities; e++) {
        free(u->rows[e]);
        for (size_t k = 0; u->piece[e] && k < r->entity[e].n; k++)
            puan_piece_clear(&u->piece[e][k]);
        free(u->piece[e]);
        u->rows[e] = NULL;
        u->piece[e] = NULL;
    }
    u->ea = NULL;
}

static enum puan_status one_unit(struct reading *r, struct worker *w,
                                 struct unit *u, struct puan_err *err)
{
    enum puan_status st;

    if (u->store->unchanged) {
        if (take_over(u, r)) {
            atomic_fetch_add(&r->taken, u->households);
            puan_progress_add(&r->bar, u->households);
            return PUAN_OK;
        }
        clear_unit(u, r);
    }
    w->unit = u;
    memset(w->n, 0, sizeof(w->n));
    st = puan_ret_each(u->store->shard, u->from, u->to, one_return, w, err);
    if (st != PUAN_OK)
        return st;
    u->households = w->n[0];
    u->ea = copy_of(w->ea, w->n[0], sizeof(*w->ea));
    if (!u->ea)
        return no_memory(err);
    for (size_t e = 0; e < r->n_entities; e++) {
        const struct entity *x = &r->entity[e];

        if (e > 0) {
            u->rows[e] = copy_of(w->rows[e], w->n[0], sizeof(*w->rows[e]));
            if (!u->rows[e])
                return no_memory(err);
        }
        u->piece[e] = calloc(x->n, sizeof(*u->piece[e]));
        if (!u->piece[e])
            return no_memory(err);
        for (size_t k = 0; k < x->n; k++)
            if (!keep_piece(&u->piece[e][k], &w->column[e][k], w->n[e],
                            &x->target[k].out))
                return no_memory(err);
    }
    return PUAN_OK;
}

static enum puan_status unit_range(void *arg, uint64_t begin, uint64_t end,
                                   unsigned worker, struct puan_err *err)
{
    struct reading *r = arg;
    enum puan_status st = PUAN_OK;

    for (uint64_t i = begin; st == PUAN_OK && i < end; i++)
        st = one_unit(r, &r->worker[worker], &r->unit[i], err);
    return st;
}

static enum puan_status read_units(struct reading *r, unsigned threads,
                                   struct puan_frames_campaign_told *told,
                                   struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    r->worker = calloc(threads, sizeof(*r->worker));
    if (!r->worker)
        return no_memory(err);
    for (unsigned i = 0; i < threads; i++) {
        struct worker *w = &r->worker[i];

        w->r = r;
        puan_arena_init(&w->arena, &puan_heap);
        for (size_t e = 0; e < r->n_entities; e++) {
            w->column[e] = calloc(r->entity[e].n, sizeof(*w->column[e]));
            if (!w->column[e])
                st = no_memory(err);
        }
    }
    puan_progress_begin(&r->bar, "读入答卷 reading returns", 0);
    if (st == PUAN_OK)
        st = puan_parallel(threads, r->n_units, 1, unit_range, r, err);
    puan_progress_end(&r->bar);
    for (unsigned i = 0; i < threads; i++) {
        struct worker *w = &r->worker[i];

        told->returns += w->returns;
        told->dropped += w->dropped;
        puan_arena_clear(&w->arena);
        for (size_t e = 0; e < r->n_entities; e++) {
            for (size_t k = 0; w->column[e] && k < r->entity[e].n; k++) {
                free(w->column[e][k].v);
                free(w->column[e][k].st);
            }
            free(w->column[e]);
            free(w->rows[e]);
        }
        free(w->ea);
        free(w->skip);
    }
    free(r->worker);
    told->taken_over = atomic_load(&r->taken);
    return st;
}

/* ---- putting it together ------------------------------------------------------------------- */

static enum puan_status join_entity(struct reading *r,
                                    struct puan_frame_entity *out, size_t e,
                                    struct puan_err *err)
{
    const struct entity *x = &r->entity[e];
    struct puan_arena *a = &r->f->arena;
    struct puan_frame_item *item = puan_new_n(a, x->n, struct puan_frame_item);
    const struct puan_piece **list = calloc(r->n_units + 1, sizeof(*list));
    enum puan_status st = item && list ? PUAN_OK : no_memory(err);

    for (size_t k = 0; st == PUAN_OK && k < x->n; k++) {
        item[k] = x->target[k].out;
        for (size_t u = 0; u < r->n_units; u++)
            list[u] = &r->unit[u].piece[e][k];
        st = puan_pieces_join(&item[k], r->f, list, r->n_units, err);
    }
    free(list);
    out->name = x->name;
    out->zh = x->zh;
    out->en = x->en;
    out->item = item;
    out->n_items = x->n;
    for (size_t u = 0; st == PUAN_OK && u < r->n_units; u++)
        out->rows += r->unit[u].piece[e][0].rows;
    if (out->rows > PUAN_FRAME_ROWS)
        return puan_fail(err, PUAN_ELIMIT, "frame", "too many rows");
    return st;
}

/* Rows of a roster by household. */
static enum puan_status join_first(struct reading *r,
                                   struct puan_frame_entity *out,
                                   const struct puan_frame_entity *home,
                                   size_t e, struct puan_err *err)
{
    uint32_t *first =
        puan_frames_pages(r->f, (size_t)(home->rows + 1) * sizeof(*first));
    uint64_t at = 0, k = 0;

    if (!first)
        return no_memory(err);
    for (size_t u = 0; u < r->n_units; u++)
        for (uint64_t i = 0; i < r->unit[u].households; i++) {
            first[k++] = (uint32_t)at;
            at += r->unit[u].rows[e][i];
        }
    first[k] = (uint32_t)at;
    out->first = first;
    return PUAN_OK;
}

/* An area level: its areas inside the top, in preorder, with their codes. */
static enum puan_status area_level(struct puan_frame_entity *out,
                                   struct reading *r, unsigned level,
                                   uint32_t top, uint32_t end,
                                   struct puan_err *err)
{
    const struct puan_area_tree *t = r->tree;
    const struct puan_area_level *l = &t->level[level];
    struct puan_arena *a = &r->f->arena;
    struct puan_frame_item *item = puan_new(a, struct puan_frame_item);
    const struct puan_piece *list[1];
    struct puan_piece piece;
    int64_t *code = malloc((end - top + 1u) * sizeof(*code));
    uint64_t n = 0;
    enum puan_status st;

    if (!item || !code) {
        free(code);
        return no_memory(err);
    }
    for (uint32_t i = top; i < end; i++)
        if (t->area[i].level == level)
            code[n++] = t->area[i].code;
    *item = (struct puan_frame_item){ .name = PUAN_STR("area"),
                                      .type = PUAN_TYPE_AREA,
                                      .digits = l->digits };
    if (!puan_piece_make(&piece, code, NULL, n, 0)) {
        free(code);
        return no_memory(err);
    }
    list[0] = &piece;
    st = puan_pieces_join(item, r->f, list, 1, err);
    puan_piece_clear(&piece);
    free(code);
    out->name = puan_arena_keep(a, l->name);
    out->zh = puan_arena_keep(a, l->zh);
    out->en = puan_arena_keep(a, l->en);
    out->rows = n;
    out->item = item;
    out->n_items = 1;
    out->parent = -1;
    return st;
}

/* Rows of a level by the areas of the one outside it. */
static enum puan_status area_first(struct puan_frame_entity *out,
                                   const struct puan_frame_entity *outer,
                                   struct reading *r, unsigned level,
                                   uint32_t top, uint32_t end,
                                   struct puan_err *err)
{
    uint32_t *first =
        puan_frames_pages(r->f, (size_t)(outer->rows + 1) * sizeof(*first));
    uint32_t n = 0, k = 0;

    if (!first)
        return no_memory(err);
    for (uint32_t i = top; i < end; i++) {
        const struct puan_area *x = &r->tree->area[i];

        if (x->level == level - 1)
            first[n++] = k;
        k += x->level == level;
        if (x->level == level && (n == 0 || x->parent == PUAN_AREA_NONE ||
                                  r->tree->area[x->parent].level != level - 1))
            return puan_fail(err, PUAN_EINVAL, "areas",
                             "area %.*s lies in none of the level above it",
                             PUAN_FMT(x->digits));
    }
    first[n] = k;
    out->first = first;
    return PUAN_OK;
}

/* Households by enumeration area. */
static enum puan_status home_first(struct puan_frame_entity *home,
                                   const struct puan_frame_entity *eas,
                                   struct reading *r, unsigned level,
                                   uint32_t top, uint32_t end,
                                   struct puan_err *err)
{
    uint32_t *first =
        puan_frames_pages(r->f, (size_t)(eas->rows + 1) * sizeof(*first));
    uint32_t *index = calloc(end - top + 1u, sizeof(*index)), n = 0, at = 0;

    if (!first || !index) {
        free(index);
        return no_memory(err);
    }
    for (uint32_t i = top; i < end; i++) {
        index[i - top] = n;
        n += r->tree->area[i].level == level;
    }
    for (size_t u = 0; u < r->n_units; u++)
        for (uint64_t i = 0; i < r->unit[u].households; i++)
            first[index[r->unit[u].ea[i] - top] + 1]++;
    for (uint32_t i = 0; i <= n; i++) {
        at += first[i];
        first[i] = at;
    }
    free(index);
    home->first = first;
    return PUAN_OK;
}

static struct puan_str source_of(const struct reading *r, struct puan_arena *a)
{
    struct puan_out o;

    puan_out_init(&o, a);
    puan_out_fmt(&o, "campaign %s plan %.*s area %lld", puan_store_id(r->st),
                 PUAN_FMT(r->plan->id), (long long)r->opt->area);
    for (size_t i = 0; i < r->plan->n_forms; i++)
        if (r->wanted[i])
            puan_out_fmt(&o, " %.*s", PUAN_FMT(r->plan->form[i]->id));
    for (size_t i = 1; i < r->n_stores; i++)
        puan_out_fmt(&o, "\n%s %llu %s", puan_shard_name(r->store[i].shard),
                     (unsigned long long)r->store[i].height, r->store[i].head);
    for (size_t i = 0; i < r->opt->n_codes; i++)
        puan_out_fmt(&o, "\ncodes %.*s %zu", PUAN_FMT(r->opt->codes[i].item),
                     r->opt->codes[i].n);
    if (r->opt->values_name.n)
        puan_out_fmt(&o, "\nvalues %.*s", PUAN_FMT(r->opt->values_name));
    return puan_out_view(&o);
}

static enum puan_status put_together(struct reading *r, struct puan_err *err)
{
    const struct puan_area_tree *t = r->tree;
    uint32_t top = top_of(r);
    uint32_t end = r->opt->area ? t->area[top].end : t->n;
    unsigned level = t->area[top].level, n = 0, home;
    struct puan_frame_entity *e =
        puan_new_n(&r->f->arena, PUAN_FRAME_ENTITIES,
                   struct puan_frame_entity);
    enum puan_status st = e ? PUAN_OK : no_memory(err);

    for (; st == PUAN_OK && level < t->n_levels; level++, n++) {
        st = area_level(&e[n], r, level, top, end, err);
        if (st == PUAN_OK && n > 0) {
            e[n].parent = (int)n - 1;
            st = area_first(&e[n], &e[n - 1], r, level, top, end, err);
        }
    }
    home = n;
    for (size_t k = 0; st == PUAN_OK && k < r->n_entities; k++, n++) {
        st = join_entity(r, &e[n], k, err);
        e[n].parent = k ? (int)home : (int)home - 1;
        if (st == PUAN_OK && k > 0)
            st = join_first(r, &e[n], &e[home], k, err);
        else if (st == PUAN_OK)
            st = home_first(&e[n], &e[n - 1], r, t->n_levels - 1, top, end,
                            err);
    }
    r->f->frame.entity = e;
    r->f->frame.n_entities = n;
    r->f->frame.source = source_of(r, &r->f->arena);
    return st == PUAN_OK ? puan_arena_check(&r->f->arena, err) : st;
}

/* Texts of the plan are kept: the frame outlives the store. */
static const struct puan_codelist *keep_list(const struct puan_codelist *l,
                                             struct puan_arena *a)
{
    struct puan_codelist *copy = puan_new(a, struct puan_codelist);
    struct puan_code *code = puan_new_n(a, l->n, struct puan_code);

    if (!copy || !code)
        return NULL;
    for (size_t i = 0; i < l->n; i++)
        code[i] = (struct puan_code){ l->codes[i].value,
                                      puan_arena_keep(a, l->codes[i].text),
                                      puan_arena_keep(a, l->codes[i].zh),
                                      puan_arena_keep(a, l->codes[i].en) };
    *copy = *l;
    copy->name = puan_arena_keep(a, l->name);
    copy->codes = code;
    return copy;
}

static enum puan_status keep_texts(struct reading *r, struct puan_err *err)
{
    struct puan_arena *a = &r->f->arena;
    const struct puan_codelist **was_list, **now;
    size_t n = 0, cap = 1;

    for (size_t e = 0; e < r->n_entities; e++)
        cap += r->entity[e].n;
    was_list = puan_arena_get_n(a, cap, sizeof(*was_list));
    now = puan_arena_get_n(a, cap, sizeof(*now));
    if (!was_list || !now)
        return no_memory(err);
    for (size_t e = 0; e < r->n_entities; e++) {
        struct entity *x = &r->entity[e];

        x->name = puan_arena_keep(a, x->name);
        x->zh = puan_arena_keep(a, x->zh);
        x->en = puan_arena_keep(a, x->en);
        for (size_t k = 0; k < x->n; k++) {
            struct puan_frame_item *it = &x->target[k].out;
            size_t i = 0;

            it->name = puan_arena_keep(a, it->name);
            it->zh = puan_arena_keep(a, it->zh);
            it->en = puan_arena_keep(a, it->en);
            if (!it->codes)
                continue;
            while (i < n && was_list[i] != it->codes)
                i++;
            if (i == n) {
                was_list[n] = it->codes;
                now[n++] = keep_list(it->codes, a);
            }
            it->codes = now[i];
        }
    }
    return puan_arena_check(a, err);
}

enum puan_status puan_frames_campaign(
    struct puan_frames **out, struct puan_frames_campaign_told *told,
    struct puan_store *st, const struct puan_frames_campaign_options *opt,
    struct puan_err *err)
{
    struct reading r = { .st = st, .opt = opt };
    struct puan_frames *f = calloc(1, sizeof(*f));
    enum puan_status x;

    *out = NULL;
    *told = (struct puan_frames_campaign_told){ .returns = 0 };
    if (!f)
        return no_memory(err);
    puan_arena_init(&f->arena, &puan_heap);
    f->threads = opt->threads ? opt->threads : puan_cores();
    f->threads = f->threads > 64 ? 64 : f->threads;
    r.f = f;
    r.plan = puan_store_plan(st);
    r.tree = puan_store_areas(st);
    x = shape_of_frame(&r, &f->arena, err);
    if (x == PUAN_OK)
        x = keep_texts(&r, err);
    if (x == PUAN_OK)
        x = note_stores(&r, &f->arena, err);
    if (x == PUAN_OK)
        x = make_units(&r, &f->arena, err);
    if (x == PUAN_OK)
        x = read_units(&r, f->threads, told, err);
    if (x == PUAN_OK)
        x = put_together(&r, err);
    for (size_t i = 0; i < r.n_units; i++)
        clear_unit(&r.unit[i], &r);
    for (size_t i = 1; r.store && i < r.n_stores; i++)
        puan_dropped_close(r.store[i].dropped);
    if (x == PUAN_OK && r.opt->n_forms == 1)
        f->frame.form = puan_arena_keep(&f->arena, opt->form[0]);
    if (x != PUAN_OK) {
        puan_frames_close(f);
        return x;
    }
    *out = f;
    return PUAN_OK;
}
