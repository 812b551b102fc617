/*
 * What a check works on, read from the store; and how a fault is said.
 */
#include "base/calendar.h"
#include "core/plan/plan.h"
#include "features/maps/internal.h"

/* The codes of a level below an area are one range. */
static void range_of(int64_t *least, int64_t *most,
                     const struct puan_area_tree *t, unsigned level,
                     uint32_t top)
{
    int64_t base = 1;

    for (unsigned i = t->level[t->area[top].level].digits;
         i < t->level[level].digits; i++)
        base *= 10;
    *least = t->area[top].code * base;
    *most = *least + base - 1;
}

enum puan_status puan_boundaries_load(struct puan_geo_feature *feature,
                                      struct puan_store *st, unsigned level,
                                      uint32_t top, uint32_t end,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    struct puan_shard *office = puan_store_office(st);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    int64_t least = 0, most = INT64_MAX;
    bool more = true;
    enum puan_status rc;

    if (top < end && t->area[top].end == end)
        range_of(&least, &most, t, level, top);
    TRY(puan_read_begin(&db, office, err));
    rc = puan_sql(&s, db,
                  "SELECT code, rings FROM boundary WHERE level = $1 AND"
                  " code BETWEEN $2 AND $3",
                  err);
    if (rc == PUAN_OK) {
        puan_bind_text(s, 1, t->level[level].name);
        puan_bind_int(s, 2, least);
        puan_bind_int(s, 3, most);
    }
    while (rc == PUAN_OK) {
        uint32_t i;

        rc = puan_stmt_step(&more, s, err);
        if (rc != PUAN_OK || !more)
            break;
        i = puan_area_find(t, puan_col_int(s, 0));
        if (i == PUAN_AREA_NONE || i < top || i >= end ||
            t->area[i].level != level)
            continue; /* the areas have changed since it was drawn */
        feature[i - top].code = t->area[i].digits;
        rc = puan_geo_unpack(&feature[i - top], puan_col_bytes(s, 1), a, err);
    }
    if (s)
        puan_stmt_done(s);
    puan_read_end(office, db);
    return rc;
}

enum puan_status puan_ground_load(struct puan_ground *g, struct puan_store *st,
                                  int64_t area, bool buildings,
                                  struct puan_arena *a, struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    const struct puan_plan *plan = puan_store_plan(st);
    struct puan_building *b = NULL;

    memset(g, 0, sizeof(*g));
    if (t == NULL || t->n == 0)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "no areas are imported");
    g->tree = t;
    g->end = t->n;
    if (area != 0) {
        g->top = puan_area_find(t, area);
        if (g->top == PUAN_AREA_NONE)
            return puan_fail(err, PUAN_ENOTFOUND, "area", "no such area");
        g->end = t->area[g->top].end;
    }
    g->day = puan_instant_day(puan_store_now(st), plan->offset_minutes);
    g->virtual_from = puan_plan_number(plan, "virtual_from", 0);
    g->feature = puan_new_n(a, (size_t)(g->end - g->top) + 1,
                            struct puan_geo_feature);
    if (g->feature == NULL)
        return puan_arena_check(a, err);
    for (uint32_t i = g->top; i < g->end; i++)
        g->feature[i - g->top].code = t->area[i].digits;
    for (unsigned level = t->area[g->top].level; level < t->n_levels; level++)
        TRY(puan_boundaries_load(g->feature, st, level, g->top, g->end, a,
                                 err));
    if (buildings)
        TRY(puan_buildings_load(&b, &g->n_buildings, st, g->top, g->end, a,
                                err));
    g->building = b;
    return PUAN_OK;
}

/* ---- saying it ------------------------------------------------------------------------ */

static void put_millionths(struct puan_jw *w, int32_t v)
{
    char text[24];
    int64_t x = v < 0 ? -(int64_t)v : v;

    puan_format(text, sizeof(text), "%s%lld.%06lld", v < 0 ? "-" : "",
                (long long)(x / 1000000), (long long)(x % 1000000));
    puan_jw_raw(w, puan_str_of(text));
}

void puan_geo_position(struct puan_jw *w, struct puan_geo_point p)
{
    puan_jw_list(w);
    put_millionths(w, p.x);
    put_millionths(w, p.y);
    puan_jw_end(w, ']');
}

static void put_area(struct puan_jw *w, const char *name,
                     const struct puan_area_tree *t, uint32_t i)
{
    if (i == PUAN_AREA_NONE)
        return;
    puan_jw_key(w, name);
    puan_jw_map(w);
    puan_jw_kstr(w, "code", t->area[i].digits);
    puan_jw_kstr(w, "level", t->level[t->area[i].level].name);
    puan_jw_kstr(w, "zh", t->area[i].zh);
    puan_jw_kstr(w, "en", t->area[i].en);
    puan_jw_end(w, '}');
}

void puan_map_fault_json(struct puan_jw *w, const struct puan_area_tree *t,
                         const struct puan_map_fault *f, bool shape,
                         struct puan_arena *a)
{
    puan_jw_map(w);
    puan_jw_ktext(w, "kind", puan_map_fault_name(f->kind));
    puan_jw_kstr(w, "level", t->level[f->level].name);
    put_area(w, "area", t, f->area);
    put_area(w, "other", t, f->other);
    if (f->building != NULL)
        puan_jw_kstr(w, "building", f->building->number);
    if (f->m2 > 0)
        puan_jw_kint(w, "m2", (int64_t)(f->m2 + 0.5));
    if (f->placed) {
        puan_jw_key(w, "at");
        puan_geo_position(w, f->at);
    }
    if (shape && f->shape.n_rings > 0) {
        struct puan_out o;

        puan_out_init(&o, a);
        puan_geo_json(&o, &f->shape, 6);
        puan_jw_key(w, "shape");
        puan_jw_raw(w, puan_out_view(&o));
    }
    puan_jw_end(w, '}');
}
