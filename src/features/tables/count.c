/*
 * One pass over returns by all cores; see tables.h.
 */
#include "features/tables/tables.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "core/plan/plan.h"
#include "features/duplicates/duplicates.h"
#include "features/edit/layer.h"
#include "features/ingest/ingest.h"
#include "features/tables/build.h"
#include "features/tables/cache.h"
#include "kit/job/job.h"
#include "kit/os/os.h"

/* An enumeration area more or less is one range; a thread takes them in turn. */
#define WORKERS_MAX 64
/* Counts kept in memory; one of a county's tables is some 100 KB. */
#define KEPT 64

struct puan_count {
    struct puan_arena arena;
    int64_t area, time_ms;
    const struct puan_store *store;
    struct puan_tally *tally;
    int64_t *cells;
    struct puan_population pop;
    /* the areas just below the counted one; part_of[index - top] + 1 of any
     * area inside, 0: none */
    uint32_t top;
    const uint32_t *part_area;
    const uint32_t *part_of;
    struct puan_population *part;
    size_t n_parts;
    int64_t asof_ms; /* campaign time */
    const struct puan_edit_values *values; /* while counting; NULL: collected */
    struct puan_str edits; /* what they are */
    struct source {
        const char *name;
        uint64_t height;
        char head[2 * PUAN_DIGEST_SIZE + 1];
        struct puan_dropped *dropped; /* returns stores; while counting */
    } *source;
    size_t n_sources;
    const struct puan_area_tree *tree;
    /* of the cache (tables.c) */
    unsigned users;
    bool stale;
    struct puan_count *next;
};

struct range {
    struct puan_shard *shard;
    int64_t from, to;
    const struct source *source;
};

struct worker {
    struct puan_arena arena; /* one return */
    int64_t *cells;
    struct puan_population pop, *part;
    const struct puan_count *count;
    const struct puan_tally *tally;
    const struct range *range;
    atomic_uint_fast64_t *households;
};

struct pass {
    struct range *range;
    struct worker *worker;
    atomic_uint_fast64_t households;
    void (*tell)(void *arg, uint64_t households);
    void *arg;
};

/*
 * The version of a household that stood when the heads were noted: walks back
 * over what has come since.  *none: it had not answered yet.
 */
static enum puan_status version_then(struct puan_ret *out, struct worker *w,
                                     const struct puan_ret *last, bool *none,
                                     struct puan_err *err)
{
    struct puan_shard *sh = w->range->shard;
    struct puan_db *db;
    enum puan_status st;

    *out = *last;
    st = puan_read_begin(&db, sh, err);
    while (st == PUAN_OK && out->entry >= w->range->source->height) {
        *none = out->prev == 0;
        if (*none)
            break;
        st = puan_ret_read(out, sh, db, out->prev, &w->arena, err);
    }
    puan_read_end(sh, db);
    return st;
}

static void add(struct puan_population *to, const struct puan_population *p)
{
    to->households += p->households;
    to->persons += p->persons;
    to->de_facto += p->de_facto;
    to->registered += p->registered;
    to->resident += p->resident;
    to->dropped += p->dropped;
    to->no_case += p->no_case;
    for (size_t i = 0; i < PUAN_COUNT_CASES; i++)
        to->by_case[i] += p->by_case[i];
}

/* The part of the counted area that a household lies in, or NULL. */
static struct puan_population *part_of(struct worker *w, int64_t household)
{
    const struct puan_count *c = w->count;
    uint32_t ea = puan_area_of_household(c->tree, household), part;

    if (ea == PUAN_AREA_NONE || ea < c->top || ea >= c->tree->area[c->top].end)
        return NULL;
    part = c->part_of[ea - c->top];
    return part ? &w->part[part - 1] : NULL;
}

static enum puan_status count_return(void *arg, const struct puan_ret *r,
                                     struct puan_err *err)
{
    struct worker *w = arg;
    struct puan_ret then;
    const struct puan_plan *plan =
        puan_store_plan(puan_shard_store(w->range->shard));
    struct puan_population pop = { .households = 1 }, *part;
    struct puan_status_of *status = NULL;
    struct puan_record rec;
    enum puan_status st;
    uint32_t rows = 0;
    bool *skip = NULL;
    int entity;

    puan_arena_reset(&w->arena);
    if (r->entry >= w->range->source->height) {
        bool new = false;

        st = version_then(&then, w, r, &new, err);
        if (st != PUAN_OK || new)
            return st;
        r = &then;
    }
    st = puan_record_decode(&rec, r->form, r->frame, r->facts, PUAN_STR(""),
                            &w->arena, err);
    if (st != PUAN_OK)
        return st;
    if (w->count->values)
        puan_edit_values_apply(w->count->values, &rec, r->head.household,
                               r->seq);
    entity = puan_form_entity(r->form, plan->residence_entity);
    if (entity >= 0) {
        rows = rec.rows[entity].n;
        status = puan_new_n(&w->arena, rows, struct puan_status_of);
        skip = puan_new_n(&w->arena, rows, bool);
        if (w->arena.failed)
            return puan_arena_check(&w->arena, err);
        puan_tally_status(status, w->tally, &rec);
    }
    for (uint32_t i = 0; i < rows; i++) {
        skip[i] = puan_dropped_has(w->range->source->dropped,
                                   r->head.household, r->seq, i);
        if (skip[i]) {
            pop.dropped++;
            continue;
        }
        pop.persons++;
        pop.de_facto += status[i].de_facto;
        pop.registered += status[i].registered;
        pop.resident += status[i].resident;
        if (status[i].status_case < 0)
            pop.no_case++;
        else if (status[i].status_case < PUAN_COUNT_CASES)
            pop.by_case[status[i].status_case]++;
    }
    add(&w->pop, &pop);
    part = part_of(w, r->head.household);
    if (part)
        add(part, &pop);
    puan_tally_count(w->cells, w->tally, r->head.household, &rec, status, skip);
    atomic_fetch_add_explicit(w->households, 1, memory_order_relaxed);
    return PUAN_OK;
}

static enum puan_status count_ranges(void *arg, uint64_t begin, uint64_t end,
                                     unsigned worker, struct puan_err *err)
{
    struct pass *p = arg;
    struct worker *w = &p->worker[worker];
    enum puan_status st = PUAN_OK;

    for (uint64_t i = begin; st == PUAN_OK && i < end; i++) {
        w->range = &p->range[i];
        st = puan_ret_each_arrived(w->range->shard, w->range->from,
                                   w->range->to, count_return, w, err);
        if (p->tell && worker == 0)
            p->tell(p->arg, atomic_load(&p->households));
    }
    return st;
}

/*
 * A range is an area one level below the stores': few, because each walk of
 * puan_ret_each looks at its store's whole head map, and enough for the cores.
 */
static enum puan_status make_ranges(struct range **out, size_t *n,
                                    struct puan_count *c, struct puan_store *st,
                                    struct puan_err *err)
{
    const struct puan_area_tree *tree = c->tree;
    uint32_t top = tree ? puan_area_find(tree, c->area) : PUAN_AREA_NONE;
    const struct puan_plan *plan = puan_store_plan(st);
    unsigned level;

    *n = 0;
    if (top == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "no area %lld",
                         (long long)c->area);
    level = (unsigned)(puan_area_level_of(
                           tree, plan->level[plan->shard_level].id) +
                       1);
    if (level >= tree->n_levels)
        level = tree->n_levels - 1;
    if (level < tree->area[top].level)
        level = tree->area[top].level;
    *out = puan_new_n(&c->arena, tree->area[top].end - top, struct range);
    if (*out == NULL)
        return puan_arena_check(&c->arena, err);
    for (uint32_t i = top; i < tree->area[top].end; i++) {
        struct range *r = &(*out)[*n];
        size_t s;

        if (tree->area[i].level != level)
            continue;
        r->shard = puan_store_shard_of_area(st, tree->area[i].code);
        if (r->shard == NULL)
            continue; /* above the shard level: nothing is collected there */
        puan_area_keys(&r->from, &r->to, st, tree->area[i].code);
        s = puan_shard_ordinal(r->shard);
        if (s >= c->n_sources)
            continue; /* a store made since */
        r->source = &c->source[s];
        ++*n;
    }
    return PUAN_OK;
}

/*
 * Head and dropped records of every store, as they stand together.  What is
 * read afterwards may be newer; count_return then goes back to this.
 */
static enum puan_status note_sources(struct puan_count *c,
                                     struct puan_store *st,
                                     struct puan_err *err)
{
    c->n_sources = puan_store_shards(st);
    c->source = puan_new_n(&c->arena, c->n_sources, struct source);
    for (size_t i = 0; c->source && i < c->n_sources; i++) {
        struct puan_shard *sh = puan_store_shard(st, i);
        struct puan_stmt *q = NULL;
        struct puan_db *db;
        enum puan_status x = puan_read_begin(&db, sh, err);
        bool more = false;

        if (x != PUAN_OK)
            return x;
        x = puan_db_begin(db, err);
        if (x != PUAN_OK) {
            puan_read_end(sh, db);
            return x;
        }
        c->source[i].name = puan_arena_dup(
            &c->arena, puan_str_of(puan_shard_name(sh)));
        x = puan_sql(&q, db,
                     "SELECT seq, digest FROM ledger ORDER BY seq DESC LIMIT 1",
                     err);
        if (x == PUAN_OK)
            x = puan_stmt_step(&more, q, err);
        if (x == PUAN_OK && more) {
            struct puan_str d = puan_col_bytes(q, 1);

            c->source[i].height = (uint64_t)puan_col_int(q, 0) + 1;
            if (d.n == PUAN_DIGEST_SIZE)
                puan_hex(c->source[i].head, (const uint8_t *)d.p, d.n);
        }
        puan_stmt_done(q);
        if (x == PUAN_OK && i > 0)
            x = puan_dropped_open(&c->source[i].dropped, db, err);
        puan_db_rollback(db);
        puan_read_end(sh, db);
        if (x != PUAN_OK)
            return x;
    }
    return puan_arena_check(&c->arena, err);
}

/* The areas just below the counted one. */
static enum puan_status make_parts(struct puan_count *c, struct puan_err *err)
{
    const struct puan_area_tree *t = c->tree;
    uint32_t top = t ? puan_area_find(t, c->area) : PUAN_AREA_NONE, n;
    uint32_t *area, *of;

    if (top == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "no area %lld",
                         (long long)c->area);
    n = t->area[top].end - top;
    area = puan_new_n(&c->arena, n, uint32_t);
    of = puan_new_n(&c->arena, n, uint32_t);
    if (area == NULL || of == NULL)
        return puan_arena_check(&c->arena, err);
    for (uint32_t i = top + 1; i < t->area[top].end; i++) {
        if (t->area[i].parent == top)
            area[c->n_parts++] = i;
        of[i - top] = (uint32_t)c->n_parts;
    }
    c->top = top;
    c->part_area = area;
    c->part_of = of;
    c->part = puan_new_n(&c->arena, c->n_parts, struct puan_population);
    return puan_arena_check(&c->arena, err);
}

static void merge(struct puan_count *c, const struct worker *w, size_t cells)
{
    for (size_t i = 0; i < cells; i++)
        c->cells[i] += w->cells[i];
    add(&c->pop, &w->pop);
    for (size_t i = 0; i < c->n_parts; i++)
        add(&c->part[i], &w->part[i]);
}

enum puan_status puan_count_area(struct puan_count **out, struct puan_store *st,
                                 int64_t area,
                                 void (*tell)(void *arg, uint64_t households),
                                 void *arg, struct puan_err *err)
{
    return puan_count_edited(out, st, area, NULL, tell, arg, err);
}

enum puan_status
puan_count_edited(struct puan_count **out, struct puan_store *st, int64_t area,
                  const struct puan_edit_values *values,
                  void (*tell)(void *arg, uint64_t households), void *arg,
                  struct puan_err *err)
{
    struct puan_count *c = calloc(1, sizeof(*c));
    size_t n = 0, cells = 0;
    struct pass p = { .tell = tell, .arg = arg };
    unsigned threads = puan_cores();
    enum puan_status x = PUAN_OK;

    if (threads > WORKERS_MAX)
        threads = WORKERS_MAX;
    p.worker = calloc(threads, sizeof(struct worker));
    if (c == NULL || p.worker == NULL) {
        x = puan_fail(err, PUAN_ENOMEM, "tables", "out of memory");
        goto out;
    }
    puan_arena_init(&c->arena, puan_os_alloc());
    c->store = st;
    c->area = area;
    c->values = values;
    if (values) {
        struct puan_out o;

        puan_out_init(&o, &c->arena);
        puan_edit_values_say(&o, values);
        c->edits = puan_out_view(&o);
    }
    c->tree = puan_store_areas(st);
    c->time_ms = puan_real_now();
    c->asof_ms = puan_store_now(st);
    x = make_parts(c, err);
    if (x != PUAN_OK)
        goto out;
    x = note_sources(c, st, err);
    if (x != PUAN_OK)
        goto out;
    x = make_ranges(&p.range, &n, c, st, err);
    if (x != PUAN_OK)
        goto out;
    x = puan_tally_compile(&c->tally, puan_store_plan(st), c->tree,
                           puan_area_find(c->tree, area), &c->arena, err);
    if (x != PUAN_OK)
        goto out;
    cells = puan_tally_cells(c->tally);
    c->cells = puan_new_n(&c->arena, cells, int64_t);
    for (unsigned i = 0; i < threads; i++) {
        p.worker[i].tally = c->tally;
        p.worker[i].households = &p.households;
        p.worker[i].count = c;
        p.worker[i].part =
            calloc(c->n_parts ? c->n_parts : 1, sizeof(struct puan_population));
        p.worker[i].cells = calloc(cells ? cells : 1, sizeof(int64_t));
        puan_arena_init(&p.worker[i].arena, puan_os_alloc());
        if (p.worker[i].cells == NULL || p.worker[i].part == NULL)
            x = puan_fail(err, PUAN_ENOMEM, "tables", "out of memory");
    }
    if (x == PUAN_OK)
        x = puan_arena_check(&c->arena, err);
    if (x == PUAN_OK)
        x = puan_parallel(threads, n, 1, count_ranges, &p, err);
    for (unsigned i = 0; x == PUAN_OK && i < threads; i++)
        merge(c, &p.worker[i], cells);
out:
    for (unsigned i = 0; p.worker && i < threads; i++) {
        if (p.worker[i].tally)
            puan_arena_clear(&p.worker[i].arena);
        free(p.worker[i].cells);
        free(p.worker[i].part);
    }
    for (size_t i = 0; c && c->source && i < c->n_sources; i++) {
        puan_dropped_close(c->source[i].dropped);
        c->source[i].dropped = NULL;
    }
    free(p.worker);
    if (x != PUAN_OK) {
        puan_count_close(c);
        return x;
    }
    c->values = NULL;
    *out = c;
    return PUAN_OK;
}

void puan_count_close(struct puan_count *c)
{
    if (c == NULL)
        return;
    puan_arena_clear(&c->arena);
    free(c);
}

const struct puan_population *puan_count_population(const struct puan_count *c)
{
    return &c->pop;
}

const struct puan_tally *puan_count_tally(const struct puan_count *c)
{
    return c->tally;
}

const int64_t *puan_count_cells(const struct puan_count *c)
{
    return c->cells;
}

size_t puan_count_parts(const struct puan_count *c)
{
    return c->n_parts;
}

const struct puan_population *puan_count_part(uint32_t *area,
                                              const struct puan_count *c,
                                              size_t part)
{
    *area = c->part_area[part];
    return &c->part[part];
}

int64_t puan_count_asof(const struct puan_count *c)
{
    return c->asof_ms;
}

const struct puan_store *puan_count_store(const struct puan_count *c)
{
    return c->store;
}

int puan_count_level(const struct puan_count *c)
{
    return puan_plan_level(puan_store_plan(c->store),
                           c->tree->level[c->tree->area[c->top].level].name);
}

int puan_count_table(const struct puan_count *c, struct puan_str id)
{
    for (size_t i = 0; i < puan_tally_tables(c->tally); i++)
        if (puan_str_eq(puan_tally_plan(c->tally, i)->id, id))
            return (int)i;
    return -1;
}

void puan_count_source(struct puan_jw *w, const struct puan_count *c)
{
    const struct puan_plan *plan = puan_store_plan(c->store);
    char hex[2 * PUAN_DIGEST_SIZE + 1], when[32];

    puan_jw_map(w);
    puan_jw_kstr(w, "plan", plan->id);
    puan_hex(hex, plan->digest, PUAN_DIGEST_SIZE);
    puan_jw_ktext(w, "plan_digest", hex);
    puan_jw_ktext(w, "program", PUAN_VERSION);
    puan_jw_kint(w, "area", c->area);
    puan_instant_text(when, c->time_ms, plan->offset_minutes);
    puan_jw_ktext(w, "time", when);
    if (c->edits.n) {
        puan_jw_ktext(w, "values", "edited");
        puan_jw_kstr(w, "edits", c->edits);
    }
    puan_jw_key(w, "heads");
    puan_jw_list(w);
    for (size_t i = 0; i < c->n_sources; i++) {
        puan_jw_map(w);
        puan_jw_ktext(w, "store", c->source[i].name);
        puan_jw_kint(w, "height", (int64_t)c->source[i].height);
        puan_jw_ktext(w, "head", c->source[i].head);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}

void puan_count_table_json(struct puan_jw *w, const struct puan_count *c,
                           size_t table)
{
    puan_jw_map(w);
    puan_jw_key(w, "source");
    puan_count_source(w, c);
    puan_jw_key(w, "table");
    puan_tally_json(w, c->tally, c->cells, table);
    puan_jw_end(w, '}');
}

void puan_population_json(struct puan_jw *w, const struct puan_count *c,
                          const struct puan_population *pop)
{
    const struct puan_plan *plan = puan_store_plan(c->store);

    puan_jw_kint(w, "households", pop->households);
    puan_jw_kint(w, "persons", pop->persons);
    puan_jw_kint(w, "resident", pop->resident);
    puan_jw_kint(w, "de_facto", pop->de_facto);
    puan_jw_kint(w, "registered", pop->registered);
    puan_jw_kint(w, "dropped", pop->dropped);
    puan_jw_kint(w, "no_case", pop->no_case);
    puan_jw_key(w, "cases");
    puan_jw_list(w);
    for (size_t i = 0; i < plan->n_residence && i < PUAN_COUNT_CASES; i++) {
        puan_jw_map(w);
        puan_jw_kint(w, "case", plan->residence[i].id);
        puan_jw_kstr(w, "zh", plan->residence[i].zh);
        puan_jw_kstr(w, "en", plan->residence[i].en);
        puan_jw_kint(w, "persons", pop->by_case[i]);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

/* ---- the cache ------------------------------------------------------------ */

struct cache {
    pthread_mutex_t lock;
    struct puan_count *list;
    struct puan_builder *builder;
};

enum puan_status puan_tables_open(void **state, struct puan_store *st,
                                  struct puan_err *err)
{
    struct cache *k = calloc(1, sizeof(*k));

    (void)st;
    if (k == NULL)
        return puan_fail(err, PUAN_ENOMEM, "tables", "out of memory");
    if (puan_builder_open(&k->builder, err) != PUAN_OK) {
        free(k);
        return PUAN_ENOMEM;
    }
    pthread_mutex_init(&k->lock, NULL);
    *state = k;
    return PUAN_OK;
}

struct puan_builder *puan_builder_of(struct puan_store *st)
{
    struct cache *k = puan_store_state(st, &puan_feature_tables);

    return k->builder;
}

void puan_tables_close(void *state, struct puan_store *st)
{
    struct cache *k = state;

    (void)st;
    while (k->list) {
        struct puan_count *c = k->list;

        k->list = c->next;
        puan_count_close(c);
    }
    puan_builder_close(k->builder);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

/*
 * Drops what nobody uses any more, and beyond the newest 64; called under the
 * lock.
 */
static void sweep(struct cache *k)
{
    struct puan_count **at = &k->list;
    size_t n = 0;

    for (struct puan_count *c = k->list; c; c = c->next)
        if (++n > KEPT)
            c->stale = true;

    while (*at) {
        struct puan_count *c = *at;

        if (c->stale && c->users == 0) {
            *at = c->next;
            puan_count_close(c);
        } else {
            at = &c->next;
        }
    }
}

/*
 * Returns stores whose height has moved make a count stale, so does another
 * tree of areas; office acts that matter to counts (decisions) are entries of
 * the returns stores too.
 */
static bool is_fresh(const struct puan_count *c, struct puan_store *st)
{
    if (c->stale || c->n_sources != puan_store_shards(st) ||
        c->tree != puan_store_areas(st))
        return false;
    for (size_t i = 1; i < c->n_sources; i++)
        if (puan_shard_height(puan_store_shard(st, i)) != c->source[i].height)
            return false;
    return true;
}

enum puan_status puan_count_recent(const struct puan_count **out,
                                   struct puan_store *st, int64_t area,
                                   int64_t age_ms, struct puan_err *err)
{
    struct cache *k = puan_store_state(st, &puan_feature_tables);
    struct puan_count *c;
    enum puan_status x;

    pthread_mutex_lock(&k->lock);
    for (c = k->list; c; c = c->next) {
        if (c->area != area)
            continue;
        if (is_fresh(c, st) ||
            (age_ms > 0 && !c->stale && c->tree == puan_store_areas(st) &&
             puan_real_now() - c->time_ms <= age_ms)) {
            c->users++;
            *out = c;
            pthread_mutex_unlock(&k->lock);
            return PUAN_OK;
        }
        c->stale = true;
    }
    sweep(k);
    pthread_mutex_unlock(&k->lock);
    x = puan_count_area(&c, st, area, NULL, NULL, err);
    if (x != PUAN_OK)
        return x;
    pthread_mutex_lock(&k->lock);
    c->users = 1;
    c->next = k->list;
    k->list = c;
    pthread_mutex_unlock(&k->lock);
    *out = c;
    return PUAN_OK;
}

enum puan_status puan_count_current(const struct puan_count **out,
                                    struct puan_store *st, int64_t area,
                                    struct puan_err *err)
{
    return puan_count_recent(out, st, area, 0, err);
}

void puan_count_release(struct puan_store *st, const struct puan_count *c)
{
    struct cache *k = puan_store_state(st, &puan_feature_tables);

    pthread_mutex_lock(&k->lock);
    for (struct puan_count *i = k->list; i; i = i->next)
        if (i == c)
            i->users--;
    sweep(k);
    pthread_mutex_unlock(&k->lock);
}
