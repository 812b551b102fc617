/*
 * Handing over at the close: households that chose to fill in themselves and
 * have sent nothing when the plan's window for it ends are visited.  Their
 * drafts stay where they are.  The list is derived from listing and returns,
 * so that a return that arrives takes its household off at once.
 */
#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/household/internal.h"
#include "features/ingest/ingest.h"

#define AREAS 5000 /* enumeration areas counted in one answer */
#define SHOWN 1000 /* households of one enumeration area */

/* The window at whose end they are handed over; NULL: the plan has none. */
static const struct puan_window *window_of(struct puan_store *st)
{
    const struct puan_plan *plan = puan_store_plan(st);
    const struct puan_setting *s =
        puan_plan_setting(plan, PUAN_STR("self_handover"));

    return s ? puan_plan_window(plan, s->text) : NULL;
}

bool puan_handed_over(struct puan_store *st, struct puan_str mode,
                      uint32_t version, int64_t now)
{
    const struct puan_window *w = window_of(st);

    return w && now >= w->until_ms && version == 0 &&
           puan_str_is(mode, "self");
}

/* ---- one store ------------------------------------------------------------ */

struct row {
    int64_t household, ea;
    struct puan_str building, unit;
};
struct walk {
    struct puan_request *rq;
    void (*take)(struct walk *w, const struct row *r);
    struct puan_jw *jw;
    int64_t only; /* enumeration area whose households are listed; 0: counts */
    int64_t ea, n, areas, total, shown;
    struct puan_db *db;
};

static enum puan_status each(struct walk *w, struct puan_shard *sh,
                             int64_t from, int64_t to, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    enum puan_status st =
        puan_sql(&s, w->db,
                 "SELECT household, ea, building, unit, status FROM listing"
                 " WHERE mode = 'self' AND household >= $1 AND household < $2"
                 " ORDER BY household",
                 err);

    (void)sh;
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, from);
    puan_bind_int(s, 2, to);
    for (;;) {
        struct puan_ret_head h = { 0 };
        bool more = false;
        struct row r;

        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        r = (struct row){ puan_col_int(s, 0), puan_col_int(s, 1),
                          puan_col_text(s, 2), puan_col_text(s, 3) };
        if (puan_ret_head(&h, w->rq->store, r.household) && h.ret != 0)
            continue;
        w->take(w, &r);
    }
    puan_stmt_done(s);
    return st;
}

/* Who goes there; empty: nobody was given the area. */
static struct puan_str staff_of(struct walk *w, int64_t ea)
{
    struct puan_str staff = PUAN_STR("");
    struct puan_stmt *s = NULL;
    struct puan_err err = { 0 };
    bool more = false;

    if (puan_sql(&s, w->db, "SELECT staff FROM assignment WHERE ea = $1",
                 &err) != PUAN_OK)
        return staff;
    puan_bind_int(s, 1, ea);
    if (puan_stmt_step(&more, s, &err) == PUAN_OK && more)
        staff = puan_arena_keep(w->rq->arena, puan_col_text(s, 0));
    puan_stmt_done(s);
    return staff;
}

static void put_area(struct walk *w)
{
    const struct puan_area_tree *t = puan_store_areas(w->rq->store);
    uint32_t i = puan_area_find(t, w->ea);

    if (w->n == 0 || i == PUAN_AREA_NONE || w->areas == AREAS)
        return;
    w->areas++;
    puan_jw_map(w->jw);
    puan_jw_kstr(w->jw, "ea", t->area[i].digits);
    puan_jw_kstr(w->jw, "zh", t->area[i].zh);
    puan_jw_kstr(w->jw, "en", t->area[i].en);
    if (t->area[i].parent != PUAN_AREA_NONE) {
        puan_jw_kstr(w->jw, "in_zh", t->area[t->area[i].parent].zh);
        puan_jw_kstr(w->jw, "in_en", t->area[t->area[i].parent].en);
    }
    puan_jw_kstr(w->jw, "staff", staff_of(w, w->ea));
    puan_jw_kint(w->jw, "households", w->n);
    puan_jw_end(w->jw, '}');
}

static void count_one(struct walk *w, const struct row *r)
{
    w->total++;
    if (r->ea != w->ea) {
        put_area(w);
        w->ea = r->ea;
        w->n = 0;
    }
    w->n++;
}

static void list_one(struct walk *w, const struct row *r)
{
    w->total++;
    if (w->shown == SHOWN)
        return;
    w->shown++;
    puan_jw_map(w->jw);
    puan_jw_kcode(w->jw, "household", r->household);
    puan_jw_kstr(w->jw, "building", r->building);
    puan_jw_kstr(w->jw, "unit", r->unit);
    puan_jw_end(w->jw, '}');
}

static enum puan_status over_stores(struct walk *w, struct puan_err *err)
{
    struct puan_store *st = w->rq->store;
    struct puan_shard *own = puan_store_shard_of_area(st, w->rq->area);
    int64_t from, to;
    enum puan_status rc = PUAN_OK;

    puan_area_keys(&from, &to, st, w->rq->area);
    for (size_t i = 1; rc == PUAN_OK && i < puan_store_shards(st); i++) {
        struct puan_shard *sh = puan_store_shard(st, i);

        if (own && sh != own)
            continue;
        rc = puan_read_begin(&w->db, sh, err);
        if (rc != PUAN_OK)
            break;
        w->ea = w->n = 0;
        rc = each(w, sh, from, to, err);
        if (rc == PUAN_OK && !w->only)
            put_area(w);
        puan_read_end(sh, w->db);
    }
    return rc;
}

/* ---- the request ---------------------------------------------------------- */

enum puan_status household_get_handover(struct puan_request *rq,
                                        const void *in, struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_window *win = window_of(rq->store);
    int offset = puan_store_plan(rq->store)->offset_minutes;
    uint32_t i = t ? puan_area_find(t, rq->area) : PUAN_AREA_NONE;
    struct walk w = { .rq = rq, .take = count_one };
    enum puan_status st = PUAN_OK;
    bool closed;

    (void)in;
    if (i == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "no such area");
    closed = win && rq->now >= win->until_ms;
    if (t->area[i].level + 1u == t->n_levels) {
        w.only = rq->area;
        w.take = list_one;
    }
    w.jw = puan_answer_begin(rq, 200);
    puan_jw_map(w.jw);
    puan_jw_kbool(w.jw, "planned", win != NULL);
    puan_jw_kbool(w.jw, "closed", closed);
    if (win)
        puan_jw_kinstant(w.jw, "closes", win->until_ms, offset);
    puan_jw_kinstant(w.jw, "as_of", rq->now, offset);
    puan_jw_kbool(w.jw, "last", w.only != 0);
    puan_jw_key(w.jw, "items");
    puan_jw_list(w.jw);
    if (win)
        st = over_stores(&w, err);
    puan_jw_end(w.jw, ']');
    puan_jw_kint(w.jw, "total", w.total);
    puan_jw_end(w.jw, '}');
    return st;
}
