/*
 * Runs over a campaign's stores; see keep.h.
 */
#include "features/edit/keep.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "core/plan/plan.h"
#include "features/ingest/ingest.h"
#include "kit/job/job.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"

#define CHUNK 1024       /* households that are one another's donors */
#define CHUNKS_PER_ACT 64
#define RATES_PER_ACT 256

/* One chunk as it is worked on. */
struct chunk {
    int64_t first, past;
    char *body;
    size_t n;
};

struct worker {
    struct puan_arena arena, one;
    struct puan_rates *rates;
    uint64_t answers, weight;
};

/* A run over one returns store. */
struct work {
    struct puan_store *st;
    const struct puan_plan *plan;
    const struct puan_area_tree *tree;
    struct puan_edit_set set;
    struct puan_shard *shard;
    uint64_t height;
    struct chunk *chunk;
    size_t n_chunks, cap;
    struct worker *worker;
    unsigned threads;
    struct puan_progress *bar;
};

static enum puan_status no_memory(struct puan_err *err)
{
    return puan_fail(err, PUAN_ENOMEM, "edit", "out of memory");
}

/* ---- one chunk --------------------------------------------------------------- */

struct gather {
    struct work *w;
    struct worker *me;
    struct puan_edit_return *list;
    struct puan_layer_unit *unit; /* whose: household and version */
    size_t n, cap;
};

/* The version that stood when the run began; *none: there was none. */
static enum puan_status version_then(struct puan_ret *out, struct gather *g,
                                     const struct puan_ret *last, bool *none,
                                     struct puan_err *err)
{
    struct puan_shard *sh = g->w->shard;
    struct puan_db *db;
    enum puan_status st = puan_read_begin(&db, sh, err);

    *out = *last;
    if (st != PUAN_OK)
        return st;
    while (st == PUAN_OK && out->entry >= g->w->height) {
        *none = out->prev == 0;
        if (*none)
            break;
        st = puan_ret_read(out, sh, db, out->prev, &g->me->arena, err);
    }
    puan_read_end(sh, db);
    return st;
}

static bool room(struct gather *g)
{
    struct puan_arena *a = &g->me->arena;
    size_t cap = g->cap ? 2 * g->cap : CHUNK;
    struct puan_edit_return *list;
    struct puan_layer_unit *unit;

    if (g->n < g->cap)
        return true;
    list = puan_new_n(a, cap, struct puan_edit_return);
    unit = puan_new_n(a, cap, struct puan_layer_unit);
    if (!list || !unit)
        return false;
    if (g->n) {
        memcpy(list, g->list, g->n * sizeof(*list));
        memcpy(unit, g->unit, g->n * sizeof(*unit));
    }
    g->list = list;
    g->unit = unit;
    g->cap = cap;
    return true;
}

static enum puan_status take(void *arg, const struct puan_ret *last,
                             struct puan_err *err)
{
    struct gather *g = arg;
    struct puan_arena *a = &g->me->arena;
    struct puan_ret then;
    const struct puan_ret *r = last;
    bool none = false;
    enum puan_status st = PUAN_OK;

    if (last->entry >= g->w->height) {
        st = version_then(&then, g, last, &none, err);
        r = &then;
    }
    if (st != PUAN_OK || none || r->form != g->w->set.form)
        return st;
    if (!room(g))
        return no_memory(err);
    st = puan_record_decode(&g->list[g->n].record, r->form, r->frame, r->facts,
                            PUAN_STR(""), a, err);
    if (st != PUAN_OK)
        return st;
    g->unit[g->n].household = r->head.household;
    g->unit[g->n].ret = r->seq;
    g->n++;
    return PUAN_OK;
}

/* The changes of a repaired return, out of the worker's arena of one. */
static enum puan_status keep_changes(struct puan_layer_unit *u,
                                     const struct puan_edit_one *one,
                                     const struct gather *g,
                                     struct puan_err *err)
{
    u->n = one->got.n;
    u->change =
        puan_new_n(&g->me->arena, u->n, struct puan_layer_change);
    if (!u->change)
        return no_memory(err);
    for (size_t i = 0; i < u->n; i++) {
        const struct puan_cell_change *c = &one->got.change[i];
        const struct puan_edit_return *donor = one->imputed.donor[i];

        u->change[i] = (struct puan_layer_change){
            .entity = c->at.entity,
            .item = c->at.item,
            .row = c->at.row,
            .state = (uint8_t)c->state,
            .method = (uint8_t)one->imputed.method[i],
            .weight = c->weight,
            .value = c->state == PUAN_GIVEN ? c->value : 0,
            .donor = donor ? g->unit[donor - g->list].household : 0,
        };
    }
    return PUAN_OK;
}

static enum puan_status edit_one(struct gather *g, size_t i,
                                 const struct puan_findings *found,
                                 const struct puan_edit_return *const *donor,
                                 size_t n_donors, struct puan_err *err)
{
    struct worker *me = g->me;
    const struct puan_record *r = &g->list[i].record;
    uint32_t ea =
        puan_area_of_household(g->w->tree, g->unit[i].household);
    int64_t area = ea == PUAN_AREA_NONE ? 0 : g->w->tree->area[ea].code;
    struct puan_edit_one one;
    enum puan_status st;

    puan_arena_reset(&me->one);
    st = puan_edit_one(&one, &g->w->set, r, found, donor, n_donors, &me->one,
                       err);
    if (st != PUAN_OK)
        return st;
    g->unit[i].outcome = (uint8_t)one.outcome;
    if (one.outcome == PUAN_RATES_REPAIRED) {
        st = keep_changes(&g->unit[i], &one, g, err);
        me->answers += one.got.n_items;
        me->weight += one.got.weight;
    }
    if (st != PUAN_OK)
        return st;
    return puan_rates_unit(me->rates, r, &area, found, one.outcome, &one.got,
                           one.imputed.method ? &one.imputed : NULL, err);
}

/* The failing ones alone, as bytes. */
static enum puan_status write_body(struct chunk *c, struct gather *g,
                                   struct puan_err *err)
{
    struct puan_out o;
    size_t n = 0;

    for (size_t i = 0; i < g->n; i++)
        if (g->unit[i].outcome != PUAN_RATES_CLEAN)
            g->unit[n++] = g->unit[i];
    puan_out_init(&o, &g->me->arena);
    puan_layer_encode(&o, g->unit, n);
    if (g->me->arena.failed)
        return no_memory(err);
    c->body = malloc(o.n);
    if (!c->body)
        return no_memory(err);
    memcpy(c->body, o.p, o.n);
    c->n = o.n;
    return PUAN_OK;
}

static enum puan_status do_chunk(struct work *w, struct worker *me,
                                 struct chunk *c, struct puan_err *err)
{
    struct gather g = { .w = w, .me = me };
    const struct puan_edit_return **donor;
    const struct puan_record **record;
    struct puan_findings *found;
    size_t n_donors = 0;
    enum puan_status st;

    puan_arena_reset(&me->arena);
    st = puan_ret_each(w->shard, c->first, c->past, take, &g, err);
    if (st != PUAN_OK)
        return st;
    record = puan_arena_get_n(&me->arena, g.n + 1, sizeof(*record));
    donor = puan_arena_get_n(&me->arena, g.n + 1, sizeof(*donor));
    found = puan_new_n(&me->arena, g.n + 1, struct puan_findings);
    if (me->arena.failed || !record || !donor || !found)
        return no_memory(err);
    for (size_t i = 0; i < g.n; i++)
        record[i] = &g.list[i].record;
    st = puan_ruleset_run_block(found, w->set.rs, record, g.n, &me->arena,
                                err);
    for (size_t i = 0; st == PUAN_OK && i < g.n; i++)
        if (!found[i].any_hard)
            donor[n_donors++] = &g.list[i];
    for (size_t i = 0; st == PUAN_OK && i < g.n; i++)
        st = edit_one(&g, i, &found[i], donor, n_donors, err);
    if (st == PUAN_OK)
        st = write_body(c, &g, err);
    if (w->bar)
        puan_progress_add(w->bar, g.n);
    return st;
}

static enum puan_status range(void *arg, uint64_t begin, uint64_t end,
                              unsigned worker, struct puan_err *err)
{
    struct work *w = arg;
    enum puan_status st = PUAN_OK;

    for (uint64_t c = begin; st == PUAN_OK && c < end; c++)
        st = do_chunk(w, &w->worker[worker], &w->chunk[c], err);
    return st;
}

/* ---- one store --------------------------------------------------------------- */

static int by_key(const void *x, const void *y)
{
    const struct puan_ret_head *a = x, *b = y;

    return (a->household > b->household) - (a->household < b->household);
}

static enum puan_status add_chunk(struct work *w, int64_t first, int64_t past,
                                  struct puan_err *err)
{
    if (w->n_chunks == w->cap) {
        size_t cap = w->cap ? 2 * w->cap : 64;
        struct chunk *p = realloc(w->chunk, cap * sizeof(*p));

        if (!p)
            return no_memory(err);
        w->chunk = p;
        w->cap = cap;
    }
    w->chunk[w->n_chunks++] = (struct chunk){ .first = first, .past = past };
    return PUAN_OK;
}

/* Households of [from, to) that have answered, a thousand a chunk. */
static enum puan_status cut(struct work *w, int64_t from, int64_t to,
                            struct puan_err *err)
{
    struct puan_ret_head *head = NULL;
    size_t n = 0, kept = 0;
    enum puan_status st = puan_ret_heads(&head, &n, w->shard, from, to, err);

    for (size_t i = 0; st == PUAN_OK && i < n; i++)
        if (head[i].ret)
            head[kept++] = head[i];
    if (kept)
        qsort(head, kept, sizeof(*head), by_key);
    for (size_t i = 0; st == PUAN_OK && i < kept; i += CHUNK) {
        size_t end = kept - i < CHUNK ? kept : i + CHUNK;

        st = add_chunk(w, head[i].household, head[end - 1].household + 1, err);
    }
    free(head);
    return st;
}

static enum puan_status open_workers(struct work *w, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    w->worker = calloc(w->threads, sizeof(*w->worker));
    if (!w->worker)
        return no_memory(err);
    for (unsigned i = 0; i < w->threads; i++) {
        puan_arena_init(&w->worker[i].arena, &puan_heap);
        puan_arena_init(&w->worker[i].one, &puan_heap);
        if (st == PUAN_OK)
            st = puan_rates_open(&w->worker[i].rates, w->set.form, w->set.rs,
                                 -1, err);
    }
    return st;
}

static void clear_store(struct work *w)
{
    for (unsigned i = 0; w->worker && i < w->threads; i++) {
        puan_arena_clear(&w->worker[i].arena);
        puan_arena_clear(&w->worker[i].one);
        puan_rates_close(w->worker[i].rates);
    }
    free(w->worker);
    w->worker = NULL;
    for (size_t i = 0; i < w->n_chunks; i++)
        free(w->chunk[i].body);
    w->n_chunks = 0;
}

/* All chunks of the store; rates of all threads end with the first. */
static enum puan_status do_store(struct work *w, struct puan_err *err)
{
    enum puan_status st = open_workers(w, err);

    if (st == PUAN_OK)
        st = puan_parallel(w->threads, w->n_chunks, 1, range, w, err);
    for (unsigned i = 1; st == PUAN_OK && i < w->threads; i++) {
        st = puan_rates_add(w->worker[0].rates, w->worker[i].rates, err);
        w->worker[0].answers += w->worker[i].answers;
        w->worker[0].weight += w->worker[i].weight;
    }
    return st;
}

static struct puan_edit_chunk kept_form(const struct chunk *c)
{
    return (struct puan_edit_chunk){ c->first, c->past, { c->body, c->n } };
}

/* ---- rates of a store -------------------------------------------------------- */

/* Every area of the store with something in it, summed up from below. */
static enum puan_status roll_up(struct puan_rates *to, const struct work *w,
                                struct puan_err *err)
{
    const struct puan_rates *from = w->worker[0].rates;
    size_t n = puan_rates_n(from);
    int64_t *list = malloc((n + 1) * sizeof(*list));
    enum puan_status st = PUAN_OK;

    if (!list)
        return no_memory(err);
    puan_rates_areas(list, from);
    for (size_t k = 0; st == PUAN_OK && k < n; k++) {
        uint32_t i = puan_area_find(w->tree, list[k]);

        while (st == PUAN_OK && i != PUAN_AREA_NONE) {
            int64_t code = w->tree->area[i].code;

            st = puan_rates_give(to, code, from, list[k], err);
            i = code == puan_shard_area(w->shard) ? PUAN_AREA_NONE
                                                  : w->tree->area[i].parent;
        }
    }
    free(list);
    return st;
}

struct rate_rows {
    struct rate_row {
        int64_t area;
        struct puan_str body;
    } *row;
    size_t n;
    int64_t run;
    size_t from, to; /* of this act */
};

static bool counted(const struct puan_layer_area *x)
{
    for (size_t i = 0; i < PUAN_LAYER_OUTCOMES; i++)
        if (x->unit[i])
            return true;
    return false;
}

/* An area and those just below it. */
static enum puan_status rate_row(struct rate_rows *rows, const struct work *w,
                                 const struct puan_rates *all, uint32_t i,
                                 struct puan_arena *a, struct puan_err *err)
{
    const struct puan_area *x = &w->tree->area[i];
    struct puan_layer_area *list;
    struct puan_out o;
    size_t n = 1;
    enum puan_status st;

    for (uint32_t k = i + 1; k < x->end; k++)
        n += w->tree->area[k].parent == i;
    list = puan_new_n(a, n, struct puan_layer_area);
    if (!list)
        return no_memory(err);
    n = 1;
    st = puan_rates_layer(&list[0], all, x->code, a, err);
    if (st != PUAN_OK || !counted(&list[0]))
        return st;
    for (uint32_t k = i + 1; st == PUAN_OK && k < x->end; k++) {
        if (w->tree->area[k].parent != i)
            continue;
        st = puan_rates_layer(&list[n], all, w->tree->area[k].code, a, err);
        n += counted(&list[n]);
    }
    puan_out_init(&o, a);
    puan_layer_rates_encode(&o, list, n);
    if (st != PUAN_OK || a->failed)
        return st != PUAN_OK ? st : no_memory(err);
    rows->row[rows->n++] = (struct rate_row){ x->code, puan_out_view(&o) };
    return PUAN_OK;
}

static enum puan_status rate_body(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    const struct rate_rows *r = arg;
    enum puan_status st = PUAN_OK;

    for (size_t i = r->from; st == PUAN_OK && i < r->to; i++) {
        int64_t id = (r->run << 24) | (int64_t)i;
        struct puan_stmt *s = NULL;
        struct puan_arena a;
        struct puan_out c;

        st = puan_sql(&s, db,
                      "INSERT INTO edit_rate(id, run, area, body)"
                      " VALUES($1, $2, $3, $4)",
                      err);
        if (st != PUAN_OK)
            break;
        puan_bind_int(s, 1, id);
        puan_bind_int(s, 2, r->run);
        puan_bind_int(s, 3, r->row[i].area);
        puan_bind_bytes(s, 4, r->row[i].body.p, r->row[i].body.n);
        st = puan_stmt_once(s, err);
        puan_arena_init(&a, &puan_heap);
        puan_out_init(&c, &a);
        puan_content_int(&c, r->run);
        puan_content_int(&c, r->row[i].area);
        puan_content_bytes(&c, r->row[i].body);
        if (st == PUAN_OK)
            st = puan_arena_check(&a, err);
        if (st == PUAN_OK)
            st = puan_cover_id(sh, db, act, "edit_rate", id, puan_out_view(&c),
                               err);
        puan_arena_clear(&a);
    }
    return st;
}

static void act_of(struct puan_act *act, const struct puan_act *who,
                   const char *verb, const char *subject)
{
    *act = (struct puan_act){ .actor = who->actor,
                              .seat = who->seat,
                              .device = who->device,
                              .event_ms = who->event_ms,
                              .verb = puan_str_of(verb),
                              .subject = puan_str_of(subject) };
}

static enum puan_status write_rates(struct work *w, int64_t run,
                                    const struct puan_act *who,
                                    const char *subject, struct puan_err *err)
{
    uint32_t top = puan_area_find(w->tree, puan_shard_area(w->shard));
    struct rate_rows rows = { .run = run };
    struct puan_rates *all = NULL;
    struct puan_arena a;
    enum puan_status st =
        puan_rates_open(&all, w->set.form, w->set.rs, -1, err);

    puan_arena_init(&a, &puan_heap);
    if (st == PUAN_OK)
        st = roll_up(all, w, err);
    if (st == PUAN_OK && top != PUAN_AREA_NONE) {
        rows.row = puan_new_n(&a, w->tree->area[top].end - top,
                              struct rate_row);
        st = puan_arena_check(&a, err);
        for (uint32_t i = top; st == PUAN_OK && i < w->tree->area[top].end;
             i++)
            if (w->tree->area[i].level + 1U < w->tree->n_levels ||
                i == top)
                st = rate_row(&rows, w, all, i, &a, err);
    }
    while (st == PUAN_OK && rows.from < rows.n) {
        struct puan_act act;

        rows.to = rows.n - rows.from < RATES_PER_ACT
                      ? rows.n
                      : rows.from + RATES_PER_ACT;
        act_of(&act, who, "edit.layer", subject);
        st = puan_commit(w->shard, &act, rate_body, &rows, err);
        rows.from = rows.to;
    }
    puan_rates_close(all);
    puan_arena_clear(&a);
    return st;
}

/* ---- chunks of a store ------------------------------------------------------- */

struct chunk_rows {
    const struct work *w;
    int64_t run;
    size_t from, to;
};

static enum puan_status chunk_body(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act, void *arg,
                                   struct puan_err *err)
{
    const struct chunk_rows *r = arg;
    enum puan_status st = PUAN_OK;

    for (size_t i = r->from; st == PUAN_OK && i < r->to; i++) {
        const struct chunk *k = &r->w->chunk[i];
        int64_t id = (r->run << 24) | (int64_t)i;
        struct puan_stmt *s = NULL;
        struct puan_arena a;
        struct puan_out c;

        st = puan_sql(&s, db,
                      "INSERT INTO edit_chunk(id, run, first, past, body)"
                      " VALUES($1, $2, $3, $4, $5)",
                      err);
        if (st != PUAN_OK)
            break;
        puan_bind_int(s, 1, id);
        puan_bind_int(s, 2, r->run);
        puan_bind_int(s, 3, k->first);
        puan_bind_int(s, 4, k->past);
        puan_bind_bytes(s, 5, k->body, k->n);
        st = puan_stmt_once(s, err);
        puan_arena_init(&a, &puan_heap);
        puan_out_init(&c, &a);
        puan_content_int(&c, r->run);
        puan_content_int(&c, k->first);
        puan_content_int(&c, k->past);
        puan_content_bytes(&c, (struct puan_str){ k->body, k->n });
        if (st == PUAN_OK)
            st = puan_arena_check(&a, err);
        if (st == PUAN_OK)
            st = puan_cover_id(sh, db, act, "edit_chunk", id,
                               puan_out_view(&c), err);
        puan_arena_clear(&a);
    }
    return st;
}

static enum puan_status write_chunks(struct work *w, int64_t run,
                                     const struct puan_act *who,
                                     const char *subject, struct puan_err *err)
{
    struct chunk_rows rows = { .w = w, .run = run };
    enum puan_status st = PUAN_OK;

    while (st == PUAN_OK && rows.from < w->n_chunks) {
        struct puan_act act;

        rows.to = w->n_chunks - rows.from < CHUNKS_PER_ACT
                      ? w->n_chunks
                      : rows.from + CHUNKS_PER_ACT;
        act_of(&act, who, "edit.layer", subject);
        st = puan_commit(w->shard, &act, chunk_body, &rows, err);
        rows.from = rows.to;
    }
    return st;
}

/* ---- heads ------------------------------------------------------------------- */

/* "name entries digest" of a store as it stands. */
static enum puan_status note_head(struct puan_out *o, uint64_t *height,
                                  struct puan_shard *sh, struct puan_err *err)
{
    char hex[2 * PUAN_DIGEST_SIZE + 1] = "";
    struct puan_stmt *q = NULL;
    struct puan_db *db;
    bool more = false;
    enum puan_status st = puan_read_begin(&db, sh, err);

    *height = 0;
    if (st != PUAN_OK)
        return st;
    st = puan_sql(&q, db,
                  "SELECT seq, digest FROM ledger ORDER BY seq DESC LIMIT 1",
                  err);
    if (st == PUAN_OK)
        st = puan_stmt_step(&more, q, err);
    if (st == PUAN_OK && more) {
        struct puan_str d = puan_col_bytes(q, 1);

        *height = (uint64_t)puan_col_int(q, 0) + 1;
        if (d.n == PUAN_DIGEST_SIZE)
            puan_hex(hex, (const uint8_t *)d.p, d.n);
    }
    puan_stmt_done(q);
    puan_read_end(sh, db);
    puan_out_fmt(o, "%s %llu %s\n", puan_shard_name(sh),
                 (unsigned long long)*height, hex);
    return st;
}

/* Entries of a store in such lines; false when it is not among them. */
static bool height_of(uint64_t *height, struct puan_str heads, const char *name)
{
    struct puan_str rest = heads, line, word;
    int64_t n;

    while (puan_str_split(&line, &rest, '\n'))
        if (puan_str_split(&word, &line, ' ') && puan_str_is(word, name) &&
            puan_str_split(&word, &line, ' ') && puan_int_parse(&n, word)) {
            *height = (uint64_t)n;
            return true;
        }
    return false;
}

/* ---- a run ------------------------------------------------------------------- */

static struct puan_edit_rules rules_of(const struct puan_plan *plan)
{
    return (struct puan_edit_rules){ .consts = plan->consts,
                                     .n_consts = plan->n_consts,
                                     .text = plan->rule_text,
                                     .file = plan->rule_name,
                                     .n = plan->n_rules };
}

enum puan_status puan_edit_plan_left_out(struct puan_edit_left_out **out,
                                         size_t *n, struct puan_store *st,
                                         const struct puan_form *form,
                                         struct puan_arena *a,
                                         struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(st);
    struct puan_edit_rules rules = rules_of(plan);
    struct puan_edit_set set;
    struct puan_edit_how how = { 0 };
    enum puan_status x = puan_edit_set_open(
        &set, form, plan->routing[form->ordinal], &rules, &how, a, err);

    if (x != PUAN_OK)
        return x;
    return puan_edit_set_left_out(out, n, &set, &rules, plan->form,
                                  plan->n_forms, a, err);
}

enum puan_status puan_edit_plan_forms(const struct puan_form *const **out,
                                      size_t *n, struct puan_store *st,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(st);
    const struct puan_form **list =
        puan_arena_get_n(a, plan->n_forms + 1, sizeof(*list));

    *n = 0;
    *out = list;
    if (!list)
        return puan_arena_check(a, err);
    for (size_t f = 0; f < plan->n_forms; f++) {
        struct puan_ruleset *rs = NULL;
        enum puan_status x = puan_ruleset_compile(
            &rs, plan->form[f], plan->consts, plan->n_consts, plan->rule_text,
            plan->rule_name, plan->n_rules, a, err);

        if (x != PUAN_OK)
            return x;
        for (size_t i = 0; i < puan_ruleset_count(rs); i++)
            if (puan_ruleset_info(rs, i)->severity == PUAN_HARD) {
                list[(*n)++] = plan->form[f];
                break;
            }
    }
    return PUAN_OK;
}

enum puan_status puan_edit_form_held(bool *out, struct puan_store *st,
                                     const struct puan_form *form,
                                     struct puan_err *err)
{
    enum puan_status x = PUAN_OK;

    *out = false;
    for (size_t i = 1; x == PUAN_OK && !*out && i < puan_store_shards(st);
         i++) {
        struct puan_shard *sh = puan_store_shard(st, i);
        struct puan_stmt *s = NULL;
        struct puan_db *db;

        x = puan_read_begin(&db, sh, err);
        if (x != PUAN_OK)
            break;
        x = puan_sql(&s, db, "SELECT seq FROM ret WHERE form = $1 LIMIT 1",
                     err);
        if (x == PUAN_OK) {
            puan_bind_int(s, 1, form->ordinal);
            x = puan_stmt_step(out, s, err);
        }
        puan_stmt_done(s);
        puan_read_end(sh, db);
    }
    return x;
}

static enum puan_status begin_work(struct work *w, struct puan_store *st,
                                   struct puan_str form,
                                   const struct puan_edit_how *how,
                                   unsigned threads, struct puan_progress *bar,
                                   struct puan_arena *a, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(st);
    const struct puan_form *f = puan_plan_form(plan, form);
    struct puan_edit_rules rules = rules_of(plan);

    *w = (struct work){ .st = st,
                        .plan = plan,
                        .tree = puan_store_areas(st),
                        .threads = threads ? threads : puan_cores(),
                        .bar = bar };
    if (!f)
        return puan_fail(err, PUAN_ENOTFOUND, "form",
                         "the campaign's plan has no form %.*s",
                         PUAN_FMT(form));
    if (!w->tree || w->tree->n == 0)
        return puan_fail(err, PUAN_ENOTFOUND, "edit",
                         "the campaign has no areas yet");
    return puan_edit_set_open(&w->set, f, plan->routing[f->ordinal], &rules,
                              how, a, err);
}

static const char *options_text(const struct puan_edit_how *how,
                                struct puan_arena *a)
{
    struct puan_out o;
    struct puan_jw w;

    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kint(&w, "seed", (int64_t)how->seed);
    puan_jw_kint(&w, "budget", (int64_t)how->budget);
    puan_jw_kint(&w, "donors", how->donors);
    puan_jw_key(&w, "weights");
    puan_jw_list(&w);
    for (size_t i = 0; i < how->n_weights; i++)
        puan_jw_text(&w, how->weight[i]);
    puan_jw_end(&w, ']');
    puan_jw_end(&w, '}');
    return o.p ? o.p : "{}";
}

static enum puan_status options_read(struct puan_edit_how *how,
                                     struct puan_str text, struct puan_arena *a,
                                     struct puan_err *err)
{
    const struct puan_node *list;
    struct puan_node *tree = NULL;
    const char **weight;
    int64_t seed = 0, budget = 0, donors = 0;
    size_t n = 0;
    enum puan_status st = puan_json_tree(&tree, text, "edit", a, err);

    if (st == PUAN_OK)
        st = puan_node_int(&seed, tree, "seed", 0, INT64_MAX, err);
    if (st == PUAN_OK)
        st = puan_node_int(&budget, tree, "budget", 0, INT64_MAX, err);
    if (st == PUAN_OK)
        st = puan_node_int(&donors, tree, "donors", 0, 1000, err);
    if (st != PUAN_OK)
        return st;
    list = puan_node_get(tree, "weights");
    if (list)
        PUAN_NODE_EACH(x, list)
            n += x->kind == PUAN_NODE_SCALAR;
    weight = puan_arena_get_n(a, n + 1, sizeof(*weight));
    n = 0;
    if (list && weight)
        PUAN_NODE_EACH(x, list)
            if (x->kind == PUAN_NODE_SCALAR)
                weight[n++] = puan_arena_dup(a, x->text);
    *how = (struct puan_edit_how){ .seed = (uint64_t)seed,
                                   .budget = (uint64_t)budget,
                                   .donors = (unsigned)donors,
                                   .weight = weight,
                                   .n_weights = n };
    return puan_arena_check(a, err);
}

static enum puan_status run_body(struct puan_shard *sh, struct puan_db *db,
                                 struct puan_act *act, void *arg,
                                 struct puan_err *err)
{
    struct puan_edit_run *r = arg;
    int64_t last = 0;
    enum puan_status st = PUAN_OK;

    if (r->id == 0) {
        st = puan_db_int(&last, db, "SELECT coalesce(max(id), 0) FROM edit_run",
                         0, err);
        r->id = last + 1;
    }
    if (puan_str_is(r->state, "kept")) {
        act->has_new = true;
        memcpy(act->new_digest, r->digest, sizeof(r->digest));
    }
    return st == PUAN_OK ? puan_edit_run_write(sh, db, act, r, err) : st;
}

static enum puan_status one_store(struct work *w, struct puan_edit_run *run,
                                  struct puan_out *heads,
                                  const struct puan_act *who,
                                  const char *subject, struct puan_err *err)
{
    const struct puan_digest_fn *fn = puan_store_digest(w->st);
    bool wide = puan_area_contains_code(w->tree, run->area,
                                        puan_shard_area(w->shard));
    const uint64_t *unit;
    int64_t from, to;
    enum puan_status st = note_head(heads, &w->height, w->shard, err);

    puan_area_keys(&from, &to, w->st,
                   wide ? puan_shard_area(w->shard) : run->area);
    if (st == PUAN_OK)
        st = cut(w, from, to, err);
    if (st == PUAN_OK)
        st = do_store(w, err);
    for (size_t i = 0; st == PUAN_OK && i < w->n_chunks; i++) {
        struct puan_edit_chunk c = kept_form(&w->chunk[i]);

        puan_edit_digest(run->digest, fn, puan_shard_name(w->shard), &c);
    }
    if (st == PUAN_OK)
        st = write_chunks(w, run->id, who, subject, err);
    if (st == PUAN_OK)
        st = write_rates(w, run->id, who, subject, err);
    if (st == PUAN_OK) {
        unit = puan_rates_units(w->worker[0].rates);
        for (size_t i = 0; i < PUAN_LAYER_OUTCOMES; i++)
            run->unit[i] += unit[i];
        run->answers += w->worker[0].answers;
        run->weight += w->worker[0].weight;
    }
    clear_store(w);
    return st;
}

enum puan_status puan_edit_keep(struct puan_edit_run *out,
                                struct puan_store *st,
                                const struct puan_act *who,
                                const struct puan_edit_keep *k,
                                struct puan_arena *a, struct puan_err *err)
{
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    const char *subject = "edit";
    struct puan_out heads;
    struct puan_act act;
    struct work w;
    enum puan_status x =
        begin_work(&w, st, k->form, &k->how, k->threads, k->bar, a, err);

    if (x != PUAN_OK)
        return x;
    puan_hex(hex, w.plan->digest, PUAN_DIGEST_SIZE);
    *out = (struct puan_edit_run){
        .form = w.set.form->id,
        .area = k->area ? k->area : w.tree->area[0].code,
        .state = PUAN_STR("begun"),
        .made_ms = puan_store_now(st),
        .seat = who->seat.n ? who->seat : who->actor,
        .plan = puan_str_of(puan_arena_fmt(a, "%s", hex)),
        .program = PUAN_STR(PUAN_VERSION),
        .rules = puan_ruleset_name(w.set.rs),
        .version = puan_ruleset_version(w.set.rs),
        .options = puan_str_of(options_text(&k->how, a)),
    };
    if (puan_area_find(w.tree, out->area) == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "no area %lld",
                         (long long)out->area);
    act_of(&act, who, "edit.run", subject);
    x = puan_commit(puan_store_office(st), &act, run_body, out, err);
    subject = puan_arena_fmt(a, "edit/%lld", (long long)out->id);
    puan_out_init(&heads, a);
    for (size_t i = 1; x == PUAN_OK && i < puan_store_shards(st); i++) {
        w.shard = puan_store_shard(st, i);
        if (puan_area_contains_code(w.tree, out->area,
                                    puan_shard_area(w.shard)) ||
            puan_area_contains_code(w.tree, puan_shard_area(w.shard),
                                    out->area))
            x = one_store(&w, out, &heads, who, subject, err);
    }
    free(w.chunk);
    if (x == PUAN_OK)
        x = puan_arena_check(a, err);
    if (x != PUAN_OK)
        return x;
    out->state = PUAN_STR("kept");
    out->heads = puan_out_view(&heads);
    act_of(&act, who, "edit.run", subject);
    return puan_commit(puan_store_office(st), &act, run_body, out, err);
}

/* ---- doing it again ----------------------------------------------------------- */

static enum puan_status redo_store(struct puan_edit_redone *out,
                                   struct work *w,
                                   const struct puan_edit_run *run,
                                   struct puan_err *err)
{
    const struct puan_digest_fn *fn = puan_store_digest(w->st);
    struct puan_edit_chunk *kept;
    struct puan_arena a;
    size_t n;
    enum puan_status st;

    puan_arena_init(&a, &puan_heap);
    st = puan_edit_chunks(&kept, &n, w->shard, run->id, &a, err);
    for (size_t i = 0; st == PUAN_OK && i < n; i++)
        st = add_chunk(w, kept[i].first, kept[i].past, err);
    if (st == PUAN_OK)
        st = do_store(w, err);
    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        struct puan_edit_chunk c = kept_form(&w->chunk[i]);

        puan_edit_digest(out->digest, fn, puan_shard_name(w->shard), &c);
        out->chunks++;
        out->differ += !puan_str_eq(c.body, kept[i].body);
    }
    clear_store(w);
    puan_arena_clear(&a);
    return st;
}

enum puan_status puan_edit_redo(struct puan_edit_redone *out,
                                struct puan_store *st,
                                const struct puan_edit_run *run,
                                unsigned threads, struct puan_progress *bar,
                                struct puan_arena *a, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(st);
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_edit_how how;
    struct work w;
    enum puan_status x;

    *out = (struct puan_edit_redone){ 0 };
    if (!puan_str_is(run->state, "kept"))
        return puan_fail(err, PUAN_ECONFLICT, "edit",
                         "edit %lld was never finished; make a new one",
                         (long long)run->id);
    puan_hex(hex, plan->digest, PUAN_DIGEST_SIZE);
    if (!puan_str_is(run->plan, hex))
        return puan_fail(err, PUAN_ECONFLICT, "edit",
                         "edit %lld was made by plan %.16s, the plan is %.16s "
                         "now: it can be redone only where that plan stands",
                         (long long)run->id, run->plan.n ? run->plan.p : "",
                         hex);
    x = options_read(&how, run->options, a, err);
    if (x == PUAN_OK)
        x = begin_work(&w, st, run->form, &how, threads, bar, a, err);
    if (x != PUAN_OK)
        return x;
    for (size_t i = 1; x == PUAN_OK && i < puan_store_shards(st); i++) {
        w.shard = puan_store_shard(st, i);
        if (height_of(&w.height, run->heads, puan_shard_name(w.shard)))
            x = redo_store(out, &w, run, err);
    }
    free(w.chunk);
    out->same = x == PUAN_OK && out->differ == 0 &&
                memcmp(out->digest, run->digest, sizeof(out->digest)) == 0;
    return x;
}
