/*
 * Rows of kept edits: writing, reading, and the values to count by.
 */
#include "features/edit/layer.h"

#include <stdlib.h>
#include <string.h>

#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "core/plan/plan.h"
#include "features/ingest/ingest.h"
#include "kit/os/heap.h"

#define RUN_COLUMNS                                                            \
    "SELECT id, form, area, state, made, seat, plan, program, rules, version," \
    " options, heads, clean, repaired, impossible, undecided, answers, weight," \
    " digest FROM edit_run "

/* ---- runs ------------------------------------------------------------------ */

static void run_row(struct puan_edit_run *r, struct puan_stmt *s,
                    struct puan_arena *a)
{
    struct puan_str d = puan_col_bytes(s, 18);

    *r = (struct puan_edit_run){
        .id = puan_col_int(s, 0),
        .form = puan_arena_keep(a, puan_col_text(s, 1)),
        .area = puan_col_int(s, 2),
        .state = puan_arena_keep(a, puan_col_text(s, 3)),
        .made_ms = puan_col_int(s, 4),
        .seat = puan_arena_keep(a, puan_col_text(s, 5)),
        .plan = puan_arena_keep(a, puan_col_text(s, 6)),
        .program = puan_arena_keep(a, puan_col_text(s, 7)),
        .rules = puan_arena_keep(a, puan_col_text(s, 8)),
        .version = puan_col_int(s, 9),
        .options = puan_arena_keep(a, puan_col_text(s, 10)),
        .heads = puan_arena_keep(a, puan_col_text(s, 11)),
        .answers = (uint64_t)puan_col_int(s, 16),
        .weight = (uint64_t)puan_col_int(s, 17),
    };
    for (int i = 0; i < PUAN_LAYER_OUTCOMES; i++)
        r->unit[i] = (uint64_t)puan_col_int(s, 12 + i);
    if (d.n == PUAN_DIGEST_SIZE)
        memcpy(r->digest, d.p, d.n);
}

enum puan_status puan_edit_runs(struct puan_edit_run **out, size_t *n,
                                struct puan_store *st, struct puan_arena *a,
                                struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_stmt *s = NULL;
    struct puan_db *db;
    bool more = false;
    size_t cap = 16;
    enum puan_status x = puan_read_begin(&db, office, err);

    *n = 0;
    *out = puan_new_n(a, cap, struct puan_edit_run);
    if (x != PUAN_OK)
        return x;
    x = puan_sql(&s, db, RUN_COLUMNS "ORDER BY id", err);
    while (x == PUAN_OK && !a->failed) {
        x = puan_stmt_step(&more, s, err);
        if (x != PUAN_OK || !more)
            break;
        if (*n == cap) {
            struct puan_edit_run *p =
                puan_new_n(a, 2 * cap, struct puan_edit_run);

            if (!p)
                break;
            memcpy(p, *out, cap * sizeof(*p));
            *out = p;
            cap *= 2;
        }
        run_row(&(*out)[(*n)++], s, a);
    }
    puan_stmt_done(s);
    puan_read_end(office, db);
    return x == PUAN_OK ? puan_arena_check(a, err) : x;
}

enum puan_status puan_edit_run_read(struct puan_edit_run *out,
                                    struct puan_store *st, int64_t id,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_stmt *s = NULL;
    struct puan_db *db;
    bool more = false;
    enum puan_status x = puan_read_begin(&db, office, err);

    if (x != PUAN_OK)
        return x;
    x = puan_sql(&s, db, RUN_COLUMNS "WHERE id = $1", err);
    if (x == PUAN_OK) {
        puan_bind_int(s, 1, id);
        x = puan_stmt_step(&more, s, err);
    }
    if (x == PUAN_OK && more)
        run_row(out, s, a);
    puan_stmt_done(s);
    puan_read_end(office, db);
    if (x == PUAN_OK && !more)
        return puan_fail(err, PUAN_ENOTFOUND, "edit",
                         "there is no edit %lld; puan edit --report DIR lists "
                         "them",
                         (long long)id);
    return x == PUAN_OK ? puan_arena_check(a, err) : x;
}

static void run_content(struct puan_out *c, const struct puan_edit_run *r)
{
    puan_content_text(c, r->form);
    puan_content_int(c, r->area);
    puan_content_text(c, r->state);
    puan_content_int(c, r->made_ms);
    puan_content_text(c, r->seat);
    puan_content_text(c, r->plan);
    puan_content_text(c, r->program);
    puan_content_text(c, r->rules);
    puan_content_int(c, r->version);
    puan_content_text(c, r->options);
    puan_content_text(c, r->heads);
    for (size_t i = 0; i < PUAN_LAYER_OUTCOMES; i++)
        puan_content_int(c, (int64_t)r->unit[i]);
    puan_content_int(c, (int64_t)r->answers);
    puan_content_int(c, (int64_t)r->weight);
    puan_content_bytes(
        c, (struct puan_str){ (const char *)r->digest, sizeof(r->digest) });
}

enum puan_status puan_edit_run_write(struct puan_shard *sh, struct puan_db *db,
                                     struct puan_act *act,
                                     const struct puan_edit_run *r,
                                     struct puan_err *err)
{
    const struct puan_str text[] = { r->form,    r->state,   r->seat,
                                     r->plan,    r->program, r->rules,
                                     r->options, r->heads };
    static const int text_at[] = { 2, 4, 6, 7, 8, 9, 11, 12 };
    struct puan_stmt *s = NULL;
    struct puan_arena a;
    struct puan_out c;
    enum puan_status x = puan_sql(
        &s, db,
        "INSERT INTO edit_run(id, form, area, state, made, seat, plan, program,"
        " rules, version, options, heads, clean, repaired, impossible,"
        " undecided, answers, weight, digest) VALUES($1, $2, $3, $4, $5, $6,"
        " $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)"
        " ON CONFLICT (id) DO UPDATE SET state = excluded.state,"
        " heads = excluded.heads, clean = excluded.clean,"
        " repaired = excluded.repaired, impossible = excluded.impossible,"
        " undecided = excluded.undecided, answers = excluded.answers,"
        " weight = excluded.weight, digest = excluded.digest",
        err);

    if (x != PUAN_OK)
        return x;
    puan_bind_int(s, 1, r->id);
    puan_bind_int(s, 3, r->area);
    puan_bind_int(s, 5, r->made_ms);
    puan_bind_int(s, 10, r->version);
    for (size_t i = 0; i < PUAN_COUNT(text); i++)
        puan_bind_text(s, text_at[i], text[i]);
    for (int i = 0; i < PUAN_LAYER_OUTCOMES; i++)
        puan_bind_int(s, 13 + i, (int64_t)r->unit[i]);
    puan_bind_int(s, 17, (int64_t)r->answers);
    puan_bind_int(s, 18, (int64_t)r->weight);
    puan_bind_bytes(s, 19, r->digest, sizeof(r->digest));
    TRY(puan_stmt_once(s, err));
    puan_arena_init(&a, &puan_heap);
    puan_out_init(&c, &a);
    run_content(&c, r);
    x = puan_arena_check(&a, err);
    if (x == PUAN_OK)
        x = puan_cover_id(sh, db, act, "edit_run", r->id, puan_out_view(&c),
                          err);
    puan_arena_clear(&a);
    return x;
}

/* ---- chunks and rates ------------------------------------------------------ */

enum puan_status puan_edit_chunks(struct puan_edit_chunk **out, size_t *n,
                                  struct puan_shard *sh, int64_t run,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_db *db;
    bool more = false;
    size_t cap = 64;
    enum puan_status x = puan_read_begin(&db, sh, err);

    *n = 0;
    *out = puan_new_n(a, cap, struct puan_edit_chunk);
    if (x != PUAN_OK)
        return x;
    x = puan_sql(&s, db,
                 "SELECT first, past, body FROM edit_chunk WHERE id >= $1"
                 " AND id < $2 ORDER BY id",
                 err);
    if (x == PUAN_OK) {
        puan_bind_int(s, 1, run << 24);
        puan_bind_int(s, 2, (run + 1) << 24);
    }
    while (x == PUAN_OK && !a->failed) {
        x = puan_stmt_step(&more, s, err);
        if (x != PUAN_OK || !more)
            break;
        if (*n == cap) {
            struct puan_edit_chunk *p =
                puan_new_n(a, 2 * cap, struct puan_edit_chunk);

            if (!p)
                break;
            memcpy(p, *out, cap * sizeof(*p));
            *out = p;
            cap *= 2;
        }
        (*out)[(*n)++] = (struct puan_edit_chunk){
            puan_col_int(s, 0), puan_col_int(s, 1),
            puan_arena_keep(a, puan_col_bytes(s, 2))
        };
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    return x == PUAN_OK ? puan_arena_check(a, err) : x;
}

void puan_edit_digest(uint8_t digest[PUAN_DIGEST_SIZE],
                      const struct puan_digest_fn *fn, const char *store,
                      const struct puan_edit_chunk *c)
{
    char text[96];
    uint8_t next[PUAN_DIGEST_SIZE];
    struct puan_str part[3] = { { (const char *)digest, PUAN_DIGEST_SIZE } };

    puan_format(text, sizeof(text), "%s %lld %lld;", store,
                (long long)c->first, (long long)c->past);
    part[1] = puan_str_of(text);
    part[2] = c->body;
    fn->hash(fn->ctx, next, part, PUAN_COUNT(part));
    memcpy(digest, next, sizeof(next));
}

static enum puan_status rates_row(struct puan_str *body, struct puan_shard *sh,
                                  int64_t run, int64_t area,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_db *db;
    bool more = false;
    enum puan_status x = puan_read_begin(&db, sh, err);

    *body = (struct puan_str){ 0 };
    if (x != PUAN_OK)
        return x;
    x = puan_sql(&s, db,
                 "SELECT body FROM edit_rate WHERE run = $1 AND area = $2",
                 err);
    if (x == PUAN_OK) {
        puan_bind_int(s, 1, run);
        puan_bind_int(s, 2, area);
        x = puan_stmt_step(&more, s, err);
    }
    if (x == PUAN_OK && more)
        *body = puan_arena_keep(a, puan_col_bytes(s, 0));
    puan_stmt_done(s);
    puan_read_end(sh, db);
    return x;
}

static struct puan_layer_rate *rate_of(struct puan_layer_area *to,
                                       const struct puan_layer_rate *like,
                                       struct puan_arena *a)
{
    struct puan_layer_rate *more;

    for (size_t i = 0; i < to->n; i++)
        if (to->rate[i].entity == like->entity &&
            to->rate[i].item == like->item)
            return &to->rate[i];
    more = puan_new_n(a, to->n + 1, struct puan_layer_rate);
    if (!more)
        return NULL;
    if (to->n)
        memcpy(more, to->rate, to->n * sizeof(*more));
    to->rate = more;
    more[to->n] = (struct puan_layer_rate){ .entity = like->entity,
                                            .item = like->item };
    return &more[to->n++];
}

static void add_area(struct puan_layer_area *to,
                     const struct puan_layer_area *from, struct puan_arena *a)
{
    for (size_t i = 0; i < PUAN_LAYER_OUTCOMES; i++)
        to->unit[i] += from->unit[i];
    for (size_t i = 0; i < from->n; i++) {
        const struct puan_layer_rate *f = &from->rate[i];
        struct puan_layer_rate *r = rate_of(to, f, a);

        if (!r)
            return;
        r->answers += f->answers;
        r->failing += f->failing;
        r->changed += f->changed;
        for (size_t m = 0; m < PUAN_LAYER_METHODS; m++)
            r->method[m] += f->method[m];
    }
}

/* An area inside a store: its row, or (an enumeration area) its parent's. */
static enum puan_status rates_inside(struct puan_layer_area **out, size_t *n,
                                     struct puan_shard *sh, int64_t run,
                                     const struct puan_area_tree *t, uint32_t i,
                                     struct puan_arena *a, struct puan_err *err)
{
    bool leaf = t->area[i].level + 1U == t->n_levels;
    int64_t code = t->area[leaf ? t->area[i].parent : i].code;
    struct puan_str body;
    enum puan_status x = rates_row(&body, sh, run, code, a, err);

    *n = 0;
    if (x != PUAN_OK || body.n == 0)
        return x;
    x = puan_layer_rates_decode(out, n, body, a, err);
    for (size_t k = 0; x == PUAN_OK && leaf && k < *n; k++)
        if ((*out)[k].code == t->area[i].code) {
            *out += k;
            *n = 1;
            return PUAN_OK;
        }
    if (leaf)
        *n = 0;
    return x;
}

/* The area just below i that holds (or is) the store's, or i itself. */
static uint32_t part_of(const struct puan_area_tree *t, uint32_t i,
                        uint32_t store)
{
    uint32_t k = store;

    while (k != i && t->area[k].parent != i && k != PUAN_AREA_NONE)
        k = t->area[k].parent;
    return k;
}

enum puan_status puan_edit_rates_of(struct puan_layer_area **out, size_t *n,
                                    struct puan_store *st,
                                    const struct puan_edit_run *run,
                                    int64_t area, struct puan_arena *a,
                                    struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    uint32_t i = t ? puan_area_find(t, area) : PUAN_AREA_NONE;
    struct puan_shard *own = puan_store_shard_of_area(st, area);
    size_t cap = puan_store_shards(st) + 1;
    enum puan_status x = PUAN_OK;

    *n = 0;
    if (i == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "no area %lld",
                         (long long)area);
    if (own && puan_shard_ordinal(own) > 0 &&
        puan_area_contains_code(t, puan_shard_area(own), area))
        return rates_inside(out, n, own, run->id, t, i, a, err);
    *out = puan_new_n(a, cap, struct puan_layer_area);
    if (!*out)
        return puan_arena_check(a, err);
    (*out)[0].code = area;
    for (size_t k = 1; x == PUAN_OK && k < puan_store_shards(st); k++) {
        struct puan_shard *sh = puan_store_shard(st, k);
        uint32_t s = puan_area_find(t, puan_shard_area(sh)), part;
        struct puan_layer_area *list;
        size_t m = 0, at = 1;

        if (s == PUAN_AREA_NONE || !puan_area_contains(t, i, s))
            continue;
        x = rates_inside(&list, &m, sh, run->id, t, s, a, err);
        if (x != PUAN_OK || m == 0)
            continue;
        if (*n == 0)
            *n = 1;
        add_area(&(*out)[0], &list[0], a);
        part = part_of(t, i, s);
        if (part == PUAN_AREA_NONE || part == i)
            continue;
        while (at < *n && (*out)[at].code != t->area[part].code)
            at++;
        if (at == *n)
            (*out)[(*n)++].code = t->area[part].code;
        add_area(&(*out)[at], &list[0], a);
    }
    return x == PUAN_OK ? puan_arena_check(a, err) : x;
}

/* ---- values to count by ---------------------------------------------------- */

/* One run in one store: the units of its chunks, by household. */
struct part {
    size_t run; /* in `run` below */
    int64_t from, to;
    struct puan_layer_unit *unit;
    size_t n;
};

struct puan_edit_values {
    struct puan_arena arena;
    struct puan_edit_run *run; /* those that are used */
    size_t n_runs;
    struct part *part; /* the newest run first, then by key */
    size_t n_parts;
};

void puan_edit_values_close(struct puan_edit_values *v)
{
    if (!v)
        return;
    puan_arena_clear(&v->arena);
    free(v);
}

static enum puan_status read_part(struct part *p, struct puan_shard *sh,
                                  int64_t run, struct puan_arena *a,
                                  struct puan_err *err)
{
    struct puan_edit_chunk *chunk;
    struct puan_layer_unit **list;
    size_t n, *units, at = 0;
    enum puan_status x = puan_edit_chunks(&chunk, &n, sh, run, a, err);

    if (x != PUAN_OK)
        return x;
    list = puan_arena_get_n(a, n + 1, sizeof(*list));
    units = puan_new_n(a, n, size_t);
    if (a->failed)
        return puan_arena_check(a, err);
    for (size_t i = 0; x == PUAN_OK && i < n; i++) {
        x = puan_layer_decode(&list[i], &units[i], chunk[i].body, a, err);
        p->n += units[i];
    }
    if (x != PUAN_OK)
        return x;
    p->unit = puan_new_n(a, p->n, struct puan_layer_unit);
    if (a->failed)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < n; i++) {
        if (units[i])
            memcpy(p->unit + at, list[i], units[i] * sizeof(*p->unit));
        at += units[i];
    }
    return PUAN_OK;
}

/* Does a newer run of the same form cover all of run i? */
static bool superseded(const struct puan_area_tree *t,
                       const struct puan_edit_run *run, size_t n, size_t i)
{
    for (size_t k = i + 1; k < n; k++)
        if (puan_str_is(run[k].state, "kept") &&
            puan_str_eq(run[k].form, run[i].form) &&
            puan_area_contains_code(t, run[k].area, run[i].area))
            return true;
    return false;
}

static enum puan_status read_runs(struct puan_edit_values *v,
                                  struct puan_store *st, struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    struct puan_edit_run *run;
    size_t n;
    enum puan_status x = puan_edit_runs(&run, &n, st, &v->arena, err);

    if (x != PUAN_OK)
        return x;
    v->run = puan_new_n(&v->arena, n, struct puan_edit_run);
    v->part = puan_new_n(&v->arena, n * puan_store_shards(st), struct part);
    if (v->arena.failed)
        return puan_arena_check(&v->arena, err);
    for (size_t i = 0; i < n; i++)
        if (puan_str_is(run[i].state, "kept") && !superseded(t, run, n, i))
            v->run[v->n_runs++] = run[i];
    for (size_t i = v->n_runs; x == PUAN_OK && i-- > 0;)
        for (size_t k = 1; x == PUAN_OK && k < puan_store_shards(st); k++) {
            struct puan_shard *sh = puan_store_shard(st, k);
            struct part *p = &v->part[v->n_parts];
            int64_t area = v->run[i].area;
            bool wide = puan_area_contains_code(t, area, puan_shard_area(sh));

            if (!wide &&
                !puan_area_contains_code(t, puan_shard_area(sh), area))
                continue;
            p->run = i;
            puan_area_keys(&p->from, &p->to, st,
                           wide ? puan_shard_area(sh) : area);
            x = read_part(p, sh, v->run[i].id, &v->arena, err);
            v->n_parts++;
        }
    return x;
}

enum puan_status puan_edit_values_open(struct puan_edit_values **out,
                                       struct puan_store *st,
                                       struct puan_err *err)
{
    struct puan_edit_values *v = calloc(1, sizeof(*v));
    enum puan_status x;

    *out = NULL;
    if (!v)
        return puan_fail(err, PUAN_ENOMEM, "edit", "out of memory");
    puan_arena_init(&v->arena, &puan_heap);
    x = read_runs(v, st, err);
    if (x == PUAN_OK && v->n_runs == 0)
        x = puan_fail(err, PUAN_ENOTFOUND, puan_store_dir(st),
                      "nothing of this campaign has been edited yet: puan edit "
                      "%s keeps edited values beside the collected ones",
                      puan_store_dir(st));
    if (x != PUAN_OK) {
        puan_edit_values_close(v);
        return x;
    }
    *out = v;
    return PUAN_OK;
}

static const struct puan_layer_unit *find(const struct part *p, int64_t key)
{
    size_t lo = 0, hi = p->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (p->unit[mid].household < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < p->n && p->unit[lo].household == key ? &p->unit[lo] : NULL;
}

size_t puan_edit_values_apply(const struct puan_edit_values *v,
                              struct puan_record *r, int64_t household,
                              int64_t ret)
{
    for (size_t i = 0; i < v->n_parts; i++) {
        const struct part *p = &v->part[i];
        const struct puan_layer_unit *u;

        if (household < p->from || household >= p->to ||
            !puan_str_eq(v->run[p->run].form, r->form->id))
            continue;
        u = find(p, household); /* the newest run there speaks alone */
        return u && u->ret == ret ? puan_layer_apply(r, u) : 0;
    }
    return 0;
}

size_t puan_edit_values_runs(const struct puan_edit_values *v,
                             const struct puan_edit_run **list)
{
    *list = v->run;
    return v->n_runs;
}

void puan_edit_values_say(struct puan_out *o, const struct puan_edit_values *v)
{
    for (size_t i = 0; i < v->n_runs; i++) {
        const struct puan_edit_run *r = &v->run[i];
        char hex[2 * PUAN_DIGEST_SIZE + 1];

        puan_hex(hex, r->digest, PUAN_DIGEST_SIZE);
        puan_out_fmt(o,
                     "%sedit %lld, form %.*s, area %lld, rule set %.*s version "
                     "%lld, %.*s, digest %.16s",
                     i ? "; " : "", (long long)r->id, PUAN_FMT(r->form),
                     (long long)r->area, PUAN_FMT(r->rules),
                     (long long)r->version, PUAN_FMT(r->options), hex);
    }
}
