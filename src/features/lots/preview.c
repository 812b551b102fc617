/*
 * What stands before somebody who is about to accept an area: the gates and
 * what is behind each, the fields that are signed with their values, what has
 * changed since the last signature, who has signed; see lots.h.
 *
 * Reads only; the digest is taken anew by the acceptance itself.
 */
#include <pthread.h>
#include <stdlib.h>

#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/duplicates/duplicates.h"
#include "features/ingest/ingest.h"
#include "features/lots/internal.h"

/* Households named one by one; beyond it their number says enough. */
#define NAMED 200
/* Areas up to this size show every return that is signed. */
#define WHOLE 400

/* ---- households
 * --------------------------------------------------------------- */

static bool lies_in(struct puan_store *st, const struct puan_shard *sh,
                    int64_t area)
{
    const struct puan_area_tree *t = puan_store_areas(st);

    return puan_area_contains_code(t, puan_shard_area(sh), area) ||
           puan_area_contains_code(t, area, puan_shard_area(sh));
}

/* The first row of a store whose entry is not below `height`. */
static enum puan_status first_since(int64_t *seq, struct puan_shard *sh,
                                    int64_t height, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    enum puan_status st;
    bool more = false;

    *seq = INT64_MAX;
    TRY(puan_read_begin(&db, sh, err));
    st = puan_sql(&s, db, "SELECT seq, entry FROM ret ORDER BY seq DESC", err);
    while (st == PUAN_OK) {
        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more || puan_col_int(s, 1) < height)
            break;
        *seq = puan_col_int(s, 0);
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    return st;
}

/* ---- the digest, kept while nothing arrives
 * ------------------------------------- */

#define KEPT 64

struct kept {
    int64_t area;
    uint64_t heights; /* of the stores it lies in, added up: they only grow */
    uint8_t digest[PUAN_DIGEST_SIZE];
    uint64_t n;
};
struct desk {
    pthread_mutex_t lock;
    struct kept kept[KEPT];
    size_t n;
};

enum puan_status puan_lots_open(void **state, struct puan_store *st,
                                struct puan_err *err)
{
    struct desk *d = calloc(1, sizeof(*d));

    (void)st;
    if (d == NULL)
        return puan_fail(err, PUAN_ENOMEM, "lots", "out of memory");
    pthread_mutex_init(&d->lock, NULL);
    *state = d;
    return PUAN_OK;
}

void puan_lots_close(void *state, struct puan_store *st)
{
    struct desk *d = state;

    (void)st;
    pthread_mutex_destroy(&d->lock);
    free(d);
}

static enum puan_status digest_of(uint8_t out[PUAN_DIGEST_SIZE], uint64_t *n,
                                  struct puan_store *st, int64_t area,
                                  struct puan_err *err)
{
    struct desk *d = puan_store_state(st, &puan_feature_lots);
    uint64_t heights = 0;
    bool known = false;

    for (size_t i = 1; i < puan_store_shards(st); i++)
        if (lies_in(st, puan_store_shard(st, i), area))
            heights += puan_shard_height(puan_store_shard(st, i));
    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < d->n && i < KEPT; i++)
        if (d->kept[i].area == area && d->kept[i].heights == heights) {
            memcpy(out, d->kept[i].digest, PUAN_DIGEST_SIZE);
            *n = d->kept[i].n;
            known = true;
        }
    pthread_mutex_unlock(&d->lock);
    if (known)
        return PUAN_OK;
    /* a return that comes meanwhile may or may not be in it: the height above
     * is from before, so it is not kept for the time after */
    TRY(puan_area_digest(out, n, st, area, err));
    pthread_mutex_lock(&d->lock);
    d->kept[d->n % KEPT] =
        (struct kept){ .area = area, .heights = heights, .n = *n };
    memcpy(d->kept[d->n++ % KEPT].digest, out, PUAN_DIGEST_SIZE);
    pthread_mutex_unlock(&d->lock);
    return PUAN_OK;
}

/* ---- what is said of areas and lots
 * --------------------------------------------- */

static void put_area(struct puan_jw *w, const struct puan_area_tree *t,
                     uint32_t i)
{
    puan_jw_kcode(w, "code", t->area[i].code);
    puan_jw_kstr(w, "zh", t->area[i].zh);
    puan_jw_kstr(w, "en", t->area[i].en);
    puan_jw_kstr(w, "level", t->level[t->area[i].level].name);
}

static struct puan_str field_of(const struct puan_flow_run *run,
                                const char *name)
{
    int k = puan_flow_field(run->flow, puan_str_of(name));

    return k >= 0 && run->field[k].set ? run->field[k].text
                                       : (struct puan_str){ 0 };
}

/* When the run last took a transition of that name; 0 never. */
static int64_t passed(const struct puan_flow_run *run, const char *name)
{
    int k = puan_flow_transition(run->flow, puan_str_of(name));

    return k >= 0 ? run->passed_ms[k] : 0;
}

/* A lot: its signature, and why it is void. */
static enum puan_status put_lot(struct puan_jw *w, struct puan_request *rq,
                                struct puan_db *db, const struct puan_lot *l,
                                struct puan_err *err)
{
    int offset = puan_store_plan(rq->store)->offset_minutes;
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_flow_run *run = NULL;
    struct puan_case_row row;
    int64_t at, gone;

    TRY(puan_case_read(&row, &run, rq->store, db, l->run, rq->arena, err));
    puan_jw_map(w);
    puan_jw_kint(w, "id", l->id);
    puan_jw_kint(w, "case", l->run);
    puan_jw_kstr(w, "state", l->state);
    puan_hex(hex, l->digest, PUAN_DIGEST_SIZE);
    puan_jw_ktext(w, "digest", hex);
    puan_jw_kint(w, "households", l->households);
    puan_jw_kstr(w, "by", run->opener);
    at = passed(run, "accept_over");
    puan_jw_kbool(w, "over", at != 0);
    if (at == 0)
        at = passed(run, "accept");
    if (at == 0)
        at = l->made_ms;
    puan_jw_kinstant(w, "at", at, offset);
    if (field_of(run, "override_reason").n)
        puan_jw_kstr(w, "reason", field_of(run, "override_reason"));
    if (puan_str_is(l->state, "void")) {
        struct puan_str why = field_of(run, "void_reason"), word, rest = why;

        gone = passed(run, "change");
        if (passed(run, "withdraw"))
            gone = passed(run, "withdraw");
        puan_jw_key(w, "voided");
        puan_jw_map(w);
        puan_jw_kinstant(w, "at", gone, offset);
        if (passed(run, "withdraw")) {
            puan_jw_ktext(w, "kind", "withdrawn");
            puan_jw_kstr(w, "reason", why);
        } else if (puan_str_split(&word, &rest, ' ') &&
                   puan_str_is(word, "household") &&
                   puan_str_split(&word, &rest, ' ')) {
            puan_jw_ktext(w, "kind", "changed");
            puan_jw_kstr(w, "household", word);
        } else {
            puan_jw_ktext(w, "kind", "below");
        }
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* The newest lot of an area, whatever became of it; ENOTFOUND. */
static enum puan_status newest(struct puan_lot *out, struct puan_db *db,
                               int64_t area, bool is_void, struct puan_arena *a,
                               struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *out = (struct puan_lot){ 0 };
    if (is_void)
        TRY(puan_sql(&s, db,
                     PUAN_LOT_COLUMNS "WHERE area = $1 AND state = 'void'"
                                      " ORDER BY id DESC LIMIT 1",
                     err));
    else
        TRY(puan_sql(
            &s, db, PUAN_LOT_COLUMNS "WHERE area = $1 ORDER BY id DESC LIMIT 1",
            err));
    puan_bind_int(s, 1, area);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more)
        puan_lot_row(out, s, a);
    puan_stmt_done(s);
    return st == PUAN_OK && !more
               ? puan_fail(err, PUAN_ENOTFOUND, "lot", "there is none")
               : st;
}

/* May this seat accept that area, as far as the flow's seats go? */
static bool may_sign(struct puan_request *rq, int64_t area)
{
    const struct puan_flow *flow = NULL;
    struct puan_flow_who who;

    if (!puan_request_can(rq, "lot.accept") ||
        puan_cases_flow(&flow, rq->store, PUAN_STR("lot"), NULL) != PUAN_OK)
        return false;
    who = puan_case_seat(rq->store, puan_str_of(rq->who.name),
                         puan_str_of(rq->who.role_name), rq->who.area, area);
    for (size_t i = 0; i < flow->n_seats; i++)
        if ((flow->open_by >> i & 1) && puan_flow_seat_fits(flow, (int)i, &who))
            return true;
    return false;
}

/* ---- GET lots/areas
 * ------------------------------------------------------------- */

static enum puan_status put_row(struct puan_jw *w, struct puan_request *rq,
                                struct puan_db *db, uint32_t i,
                                struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    struct puan_counts counts;
    struct puan_err none = { 0 };
    struct puan_lot l;
    int64_t missing = 0;
    enum puan_status st;
    uint32_t up = t->area[i].parent;

    puan_counts_of(&counts, rq->store, t->area[i].code);
    TRY(puan_lots_missing(&missing, rq->store, db, t->area[i].code, err));
    puan_jw_map(w);
    put_area(w, t, i);
    if (up != PUAN_AREA_NONE) {
        puan_jw_kstr(w, "up_zh", t->area[up].zh);
        puan_jw_kstr(w, "up_en", t->area[up].en);
    }
    puan_jw_kbool(w, "mine", may_sign(rq, t->area[i].code));
    puan_jw_kint(w, "listed", counts.listed);
    puan_jw_kint(w, "submitted", counts.submitted);
    puan_jw_kint(w, "hard", counts.hard);
    puan_jw_kint(w, "soft", counts.soft);
    puan_jw_kint(w, "lower", missing);
    puan_jw_key(w, "lot");
    st = newest(&l, db, t->area[i].code, false, rq->arena, &none);
    if (st == PUAN_ENOTFOUND)
        puan_jw_null(w);
    else if (st == PUAN_OK)
        TRY(put_lot(w, rq, db, &l, err));
    else
        return puan_fail(err, st, "lot", "the lots cannot be read");
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/*
 * The area itself and what is accepted below it: areas of the next level that
 * has lots; where there is none, enumeration areas.
 */
static enum puan_status put_rows(struct puan_jw *w, struct puan_request *rq,
                                 struct puan_db *db, int64_t area,
                                 struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t top = puan_area_find(t, area);
    int below;

    if (top == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "no such area");
    below = puan_lot_below(rq->store, top);
    if (below < 0)
        below = (int)t->n_levels - 1;
    TRY(put_row(w, rq, db, top, err));
    if (below > (int)t->area[top].level)
        for (uint32_t c =
                 puan_area_next(t, top, (unsigned)below, PUAN_AREA_NONE);
             c != PUAN_AREA_NONE;
             c = puan_area_next(t, top, (unsigned)below, c))
            TRY(put_row(w, rq, db, c, err));
    return PUAN_OK;
}

enum puan_status puan_lot_areas(struct puan_request *rq, const void *in,
                                struct puan_err *err)
{
    const struct puan_lot_in *q = in;
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_db *db = NULL;
    struct puan_out o;
    struct puan_jw w;
    enum puan_status st;

    puan_out_init(&o, rq->arena);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kinstant(&w, "as_of", rq->now,
                     puan_store_plan(rq->store)->offset_minutes);
    puan_jw_key(&w, "items");
    puan_jw_list(&w);
    TRY(puan_read_begin(&db, office, err));
    st = put_rows(&w, rq, db, q->area, err);
    puan_read_end(office, db);
    TRY(st);
    puan_jw_end(&w, ']');
    puan_jw_end(&w, '}');
    TRY(puan_arena_check(rq->arena, err));
    puan_answer_json(rq, 200, puan_out_view(&o));
    return PUAN_OK;
}

/* ---- GET lots/preview
 * ------------------------------------------------------------ */

struct gathered {
    size_t n_missing, n_hard, n_soft, n_changed, n_returns;
    struct puan_lot_idle idle; /* need no return */
    int64_t queries, duplicates;
    struct puan_out missing, hard, soft, changed, returns;
    struct puan_jw jm, jh, js, jc, jr;
};

static void begin(struct puan_out *o, struct puan_jw *w, struct puan_arena *a)
{
    puan_out_init(o, a);
    puan_jw_init(w, o);
    puan_jw_list(w);
}

static void put_code(struct puan_jw *w, int64_t code)
{
    char text[24];

    puan_format(text, sizeof(text), "%lld", (long long)code);
    puan_jw_text(w, text);
}

static void put_open(struct puan_jw *w, const struct puan_ret_head *h,
                     uint32_t n)
{
    puan_jw_map(w);
    puan_jw_kcode(w, "household", h->household);
    puan_jw_kint(w, "version", h->version);
    puan_jw_kint(w, "n", n);
    puan_jw_end(w, '}');
}

static bool is_changed(const struct puan_ret_head *h, int64_t since)
{
    return since != 0 && h->ret != 0 && h->ret >= since;
}

static int by_household(const void *x, const void *y)
{
    const struct puan_ret_head *a = x, *b = y;

    return a->household < b->household ? -1 : a->household > b->household;
}

/*
 * Brings them into order.  Of a large area only those that are named one by
 * one are kept; the others are counted: sorting a city's takes longer than
 * all the rest.
 */
static size_t in_order(struct puan_ret_head *h, size_t n, int64_t since,
                       struct gathered *g)
{
    size_t m = n;

    if (n > WHOLE) {
        m = 0;
        for (size_t i = 0; i < n; i++)
            if (h[i].ret == 0 || h[i].hard || h[i].soft ||
                is_changed(&h[i], since))
                h[m++] = h[i];
            else
                g->n_returns++;
    }
    qsort(h, m, sizeof(*h), by_household);
    return m;
}

static void gather_one(struct gathered *g, const struct puan_ret_head *h,
                       int64_t since)
{
    bool changed = is_changed(h, since);

    if (h->ret == 0) {
        if (puan_lot_is_idle(&g->idle, h->household))
            return;
        if (g->n_missing++ < NAMED)
            put_code(&g->jm, h->household);
        return;
    }
    if (h->hard && g->n_hard++ < NAMED)
        put_open(&g->jh, h, h->hard);
    if (h->soft && g->n_soft++ < NAMED)
        put_open(&g->js, h, h->soft);
    if (changed && g->n_changed++ < NAMED)
        put_code(&g->jc, h->household);
    if (g->n_returns++ < WHOLE) {
        puan_jw_map(&g->jr);
        puan_jw_kcode(&g->jr, "household", h->household);
        puan_jw_kint(&g->jr, "version", h->version);
        puan_jw_kbool(&g->jr, "changed", changed);
        puan_jw_end(&g->jr, '}');
    }
}

/* `before`: heights of the last signature; empty: there was none. */
static enum puan_status gather(struct gathered *g, struct puan_request *rq,
                               int64_t area, struct puan_str before,
                               struct puan_err *err)
{
    int64_t from, to;

    puan_area_keys(&from, &to, rq->store, area);
    TRY(puan_lot_idle(&g->idle, rq->store, area, rq->arena, err));
    for (size_t i = 1; i < puan_store_shards(rq->store); i++) {
        struct puan_shard *sh = puan_store_shard(rq->store, i);
        struct puan_ret_head *head = NULL;
        struct puan_stmt *s = NULL;
        struct puan_db *db = NULL;
        int64_t since = 0;
        bool more = false;
        enum puan_status st;
        size_t n = 0;

        if (!lies_in(rq->store, sh, area))
            continue;
        if (before.n)
            TRY(first_since(&since, sh,
                            puan_lot_height(before, puan_shard_ordinal(sh)),
                            err));
        TRY(puan_ret_heads(&head, &n, sh, from, to, err));
        n = in_order(head, n, since, g);
        for (size_t k = 0; k < n; k++)
            gather_one(g, &head[k], since);
        free(head);
        TRY(puan_read_begin(&db, sh, err));
        st = puan_sql(&s, db,
                      "SELECT count(*) FROM query WHERE state = 'open' AND"
                      " household >= $1 AND household < $2",
                      err);
        if (st == PUAN_OK) {
            puan_bind_int(s, 1, from);
            puan_bind_int(s, 2, to);
            st = puan_stmt_step(&more, s, err);
            if (st == PUAN_OK && more)
                g->queries += puan_col_int(s, 0);
            puan_stmt_done(s);
        }
        puan_read_end(sh, db);
        TRY(st);
    }
    return puan_dup_open_in(&g->duplicates, rq->store, area, err);
}

static void put_named(struct puan_jw *w, const char *key, size_t n,
                      struct puan_jw *list)
{
    puan_jw_end(list, ']');
    puan_jw_key(w, key);
    puan_jw_map(w);
    puan_jw_kint(w, "n", (int64_t)n);
    puan_jw_key(w, "items");
    puan_jw_raw(w, puan_out_view(list->out));
    puan_jw_end(w, '}');
}

/*
 * A gate: how many stand against it, and what that means: "stop" (cannot be
 * accepted), "reason" (only with a reason), "note".
 */
static void put_gate(struct puan_jw *w, const char *id, int64_t n,
                     const char *rule)
{
    puan_jw_map(w);
    puan_jw_ktext(w, "id", id);
    puan_jw_kint(w, "n", n);
    puan_jw_ktext(w, "rule", rule);
    puan_jw_end(w, '}');
}

static enum puan_status put_lower(struct puan_jw *w, int64_t *n,
                                  struct puan_request *rq, struct puan_db *db,
                                  uint32_t top, struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    int below = puan_lot_below(rq->store, top);

    *n = 0;
    puan_jw_key(w, "lower");
    puan_jw_list(w);
    for (uint32_t c = below < 0 ? PUAN_AREA_NONE
                                : puan_area_next(t, top, (unsigned)below,
                                                 PUAN_AREA_NONE);
         c != PUAN_AREA_NONE; c = puan_area_next(t, top, (unsigned)below, c)) {
        struct puan_err none = { 0 };
        struct puan_counts counts;
        struct puan_lot l;
        enum puan_status st;

        puan_counts_of(&counts, rq->store, t->area[c].code);
        if (counts.listed == 0 && counts.submitted == 0)
            continue;
        puan_jw_map(w);
        put_area(w, t, c);
        puan_jw_key(w, "lot");
        st = newest(&l, db, t->area[c].code, false, rq->arena, &none);
        if (st == PUAN_ENOTFOUND) {
            ++*n;
            puan_jw_null(w);
        } else if (st == PUAN_OK) {
            *n += !puan_str_is(l.state, "accepted") &&
                  !puan_str_is(l.state, "locked");
            TRY(put_lot(w, rq, db, &l, err));
        } else {
            return puan_fail(err, st, "lot", "the lots cannot be read");
        }
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    return PUAN_OK;
}

/* What is signed: the fields the flow wants when a lot is offered. */
static void put_covers(struct puan_jw *w, const struct puan_flow *flow,
                       const char *digest, int64_t households)
{
    puan_jw_key(w, "covers");
    puan_jw_list(w);
    for (size_t i = 0; i < flow->n_fields; i++) {
        const struct puan_flow_label *l = &flow->fields[i].label;

        if (!(flow->open_needs >> i & 1))
            continue;
        puan_jw_map(w);
        puan_jw_kstr(w, "field", l->name);
        puan_jw_kstr(w, "zh", l->zh);
        puan_jw_kstr(w, "en", l->en);
        if (puan_str_is(l->name, "digest"))
            puan_jw_ktext(w, "value", digest);
        else if (puan_str_is(l->name, "households"))
            puan_jw_kint(w, "value", households);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

/* The office that accepts next above; null when nobody does. */
static void put_next(struct puan_jw *w, struct puan_store *st, uint32_t i)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    const struct puan_plan *plan = puan_store_plan(st);
    uint64_t levels = puan_lot_levels(plan);

    puan_jw_key(w, "next");
    for (i = t->area[i].parent; i != PUAN_AREA_NONE; i = t->area[i].parent) {
        int level = puan_plan_level(plan, t->level[t->area[i].level].name);

        if (level < 0 || !(levels >> (unsigned)level & 1))
            continue;
        puan_jw_map(w);
        put_area(w, t, i);
        puan_jw_kstr(w, "office_zh", plan->level[level].office_zh);
        puan_jw_kstr(w, "office_en", plan->level[level].office_en);
        puan_jw_end(w, '}');
        return;
    }
    puan_jw_null(w);
}

static enum puan_status preview_in(struct puan_jw *w, struct puan_request *rq,
                                   struct puan_db *db, int64_t area, bool quick,
                                   struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_plan *plan = puan_store_plan(rq->store);
    uint32_t top = puan_area_find(t, area);
    struct puan_lot last = { 0 }, live = { 0 };
    struct puan_err none = { 0 };
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    uint8_t digest[PUAN_DIGEST_SIZE] = { 0 };
    const struct puan_flow *flow = NULL;
    struct puan_counts counts;
    struct gathered *g = puan_new(rq->arena, struct gathered);
    int64_t lower = 0;
    uint64_t n = 0;
    enum puan_status st;

    if (g == NULL)
        return puan_arena_check(rq->arena, err);
    if (top == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "no such area");
    TRY(puan_cases_flow(&flow, rq->store, PUAN_STR("lot"), err));
    begin(&g->missing, &g->jm, rq->arena);
    begin(&g->hard, &g->jh, rq->arena);
    begin(&g->soft, &g->js, rq->arena);
    begin(&g->changed, &g->jc, rq->arena);
    begin(&g->returns, &g->jr, rq->arena);
    st = newest(&last, db, area, true, rq->arena, &none);
    if (st != PUAN_OK && st != PUAN_ENOTFOUND)
        return puan_fail(err, st, "lot", "the lots cannot be read");
    TRY(gather(g, rq, area, last.heights, err));
    if (!quick)
        TRY(digest_of(digest, &n, rq->store, area, err));
    else
        n = g->n_returns;
    puan_hex(hex, digest, sizeof digest);
    puan_counts_of(&counts, rq->store, area);

    puan_jw_kinstant(w, "as_of", rq->now, plan->offset_minutes);
    puan_jw_key(w, "area");
    puan_jw_map(w);
    put_area(w, t, top);
    puan_jw_end(w, '}');
    puan_jw_kbool(w, "mine", may_sign(rq, area));
    puan_jw_kbool(w, "factor",
                  rq->who.role >= 0 && plan->role[rq->who.role].second_factor);
    puan_jw_kint(w, "listed", counts.listed);
    puan_jw_kint(w, "households", (int64_t)n);
    puan_jw_kint(w, "version", flow->version);
    if (!quick) {
        puan_jw_ktext(w, "digest", hex);
        put_covers(w, flow, hex, (int64_t)n);
    }
    TRY(put_lower(w, &lower, rq, db, top, err));
    puan_jw_key(w, "gates");
    puan_jw_list(w);
    put_gate(w, "lower", lower, "stop");
    put_gate(w, "empty", n == 0, "stop");
    put_gate(w, "missing", (int64_t)g->n_missing, "reason");
    put_gate(w, "hard", (int64_t)g->n_hard, "reason");
    put_gate(w, "soft", (int64_t)g->n_soft, "note");
    put_gate(w, "queries", g->queries, "note");
    put_gate(w, "duplicates", g->duplicates, "note");
    puan_jw_end(w, ']');
    put_named(w, "missing", g->n_missing, &g->jm);
    put_named(w, "hard", g->n_hard, &g->jh);
    put_named(w, "soft", g->n_soft, &g->js);
    put_named(w, "changed", g->n_changed, &g->jc);
    if (g->n_returns <= WHOLE) {
        puan_jw_end(&g->jr, ']');
        puan_jw_key(w, "returns");
        puan_jw_raw(w, puan_out_view(&g->returns));
    }
    puan_jw_key(w, "lot");
    none = (struct puan_err){ 0 };
    st = puan_lot_live(&live, db, area, rq->arena, &none);
    if (st == PUAN_OK)
        TRY(put_lot(w, rq, db, &live, err));
    else
        puan_jw_null(w);
    if (st == PUAN_OK && !quick)
        puan_jw_kbool(w, "unchanged",
                      memcmp(live.digest, digest, sizeof digest) == 0);
    puan_jw_key(w, "last");
    if (last.id)
        TRY(put_lot(w, rq, db, &last, err));
    else
        puan_jw_null(w);
    put_next(w, rq->store, top);
    return PUAN_OK;
}

enum puan_status puan_lot_preview(struct puan_request *rq, const void *in,
                                  struct puan_err *err)
{
    const struct puan_lot_in *q = in;
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_db *db = NULL;
    struct puan_out o;
    struct puan_jw w;
    enum puan_status st;

    puan_out_init(&o, rq->arena);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    TRY(puan_read_begin(&db, office, err));
    st = preview_in(&w, rq, db, q->area, q->quick, err);
    puan_read_end(office, db);
    TRY(st);
    puan_jw_end(&w, '}');
    TRY(puan_arena_check(rq->arena, err));
    puan_answer_json(rq, 200, puan_out_view(&o));
    return PUAN_OK;
}
