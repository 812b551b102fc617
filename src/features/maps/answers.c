/*
 * What pages and devices ask of maps: the faults of an area, its buildings,
 * the map an enumerator carries.
 */
#include "base/json.h"
#include "features/host/request.h"
#include "features/maps/internal.h"

const struct puan_param puan_map_area_params[PUAN_MAP_AREA_PARAMS] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct puan_map_area_in, area), 1,
      INT64_MAX, true },
};

static enum puan_status too_many(uint32_t n, uint32_t most,
                                 struct puan_err *err)
{
    return puan_fail(err, PUAN_EINVAL, "area",
                     "%u areas lie inside, more than %u; ask for one of them",
                     n, most);
}

/* Areas of the innermost level inside the one asked for. */
static uint32_t inner_areas(const struct puan_request *rq)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t top = puan_area_find(t, rq->area), n = 0;

    for (uint32_t i = top; i < t->area[top].end; i++)
        n += t->area[i].level + 1U == t->n_levels;
    return n;
}

/* ---- faults ---------------------------------------------------------------------- */

static void put_levels(struct puan_jw *w, const struct puan_ground *g,
                       const struct puan_map_check *c)
{
    puan_jw_key(w, "levels");
    puan_jw_list(w);
    for (unsigned i = 0; i < g->tree->n_levels; i++) {
        if (c->areas[i] == 0)
            continue;
        puan_jw_map(w);
        puan_jw_kstr(w, "level", g->tree->level[i].name);
        puan_jw_kstr(w, "zh", g->tree->level[i].zh);
        puan_jw_kstr(w, "en", g->tree->level[i].en);
        puan_jw_kint(w, "areas", c->areas[i]);
        puan_jw_kint(w, "drawn", c->drawn[i]);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

/* Virtual areas have no place on a map; they are listed. */
static void put_virtual(struct puan_jw *w, const struct puan_ground *g)
{
    uint32_t n = 0;

    puan_jw_key(w, "virtual");
    puan_jw_list(w);
    for (uint32_t i = g->top; i < g->end && n < PUAN_MAP_SHOWN; i++) {
        const struct puan_area *x = &g->tree->area[i];

        if (x->kind != PUAN_AREA_VIRTUAL ||
            !puan_area_valid(g->tree, i, g->day))
            continue;
        n++;
        puan_jw_map(w);
        puan_jw_kstr(w, "code", x->digits);
        puan_jw_kstr(w, "zh", x->zh);
        puan_jw_kstr(w, "en", x->en);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

static enum puan_status make_faults(struct puan_str *json,
                                    struct puan_request *rq, const void *what,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_map_check c;
    struct puan_ground g;
    struct puan_out o;
    struct puan_jw w;

    (void)what;
    TRY(puan_ground_load(&g, rq->store, rq->area, true, a, err));
    TRY(puan_map_check(&c, &g, -1, 1, a, err));
    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    put_levels(&w, &g, &c);
    puan_jw_kint(&w, "points", (int64_t)c.points);
    puan_jw_kint(&w, "buildings", (int64_t)g.n_buildings);
    puan_jw_key(&w, "of");
    puan_jw_map(&w);
    for (unsigned k = 0; k < PUAN_MAP_FAULT_KINDS; k++)
        puan_jw_kint(&w, puan_map_fault_name(k), c.of[k]);
    puan_jw_end(&w, '}');
    put_virtual(&w, &g);
    puan_jw_key(&w, "items");
    puan_jw_list(&w);
    for (uint32_t i = 0; i < c.n && i < PUAN_MAP_SHOWN; i++)
        puan_map_fault_json(&w, g.tree, &c.fault[i], true, a);
    puan_jw_end(&w, ']');
    puan_jw_kint(&w, "more",
                 c.n > PUAN_MAP_SHOWN ? c.n - PUAN_MAP_SHOWN + c.more : c.more);
    puan_jw_end(&w, '}');
    *json = puan_out_view(&o);
    return puan_arena_check(a, err);
}

enum puan_status puan_get_faults(struct puan_request *rq, const void *in,
                                 struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t n;

    (void)in;
    if (!t || puan_area_find(t, rq->area) == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "no such area");
    n = inner_areas(rq);
    if (n > PUAN_MAP_CHECKED)
        return too_many(n, PUAN_MAP_CHECKED, err);
    return puan_map_answer(rq, "faults", "application/json", true, make_faults,
                           NULL, err);
}

/* ---- buildings, and the map of a device ------------------------------------------------ */

static void put_building(struct puan_jw *w, const struct puan_area_tree *t,
                         const struct puan_building *b)
{
    puan_jw_map(w);
    puan_jw_ktext(w, "type", "Feature");
    puan_jw_key(w, "properties");
    puan_jw_map(w);
    puan_jw_kstr(w, "ea", t->area[b->area].digits);
    puan_jw_kstr(w, "building", b->number);
    puan_jw_kstr(w, "kind", b->kind);
    puan_jw_kint(w, "units", b->units);
    puan_jw_end(w, '}');
    puan_jw_key(w, "geometry");
    puan_jw_map(w);
    puan_jw_ktext(w, "type", "Point");
    puan_jw_key(w, "coordinates");
    puan_geo_position(w, b->at);
    puan_jw_end(w, '}');
    puan_jw_end(w, '}');
}

static void put_area(struct puan_jw *w, const struct puan_ground *g, uint32_t i,
                     struct puan_arena *a)
{
    const struct puan_area *x = &g->tree->area[i];
    const struct puan_geo_feature *f = &g->feature[i - g->top];

    puan_jw_map(w);
    puan_jw_ktext(w, "type", "Feature");
    puan_jw_key(w, "properties");
    puan_jw_map(w);
    puan_jw_kstr(w, "code", x->digits);
    puan_jw_kstr(w, "level", g->tree->level[x->level].name);
    puan_jw_kstr(w, "zh", x->zh);
    puan_jw_kstr(w, "en", x->en);
    puan_jw_ktext(w, "kind", puan_area_kind_name(x->kind));
    puan_jw_end(w, '}');
    puan_jw_key(w, "geometry");
    if (f->n_rings > 0) {
        struct puan_out o;

        puan_out_init(&o, a);
        puan_geo_json(&o, f, 6);
        puan_jw_raw(w, puan_out_view(&o));
    } else {
        puan_jw_null(w);
    }
    puan_jw_end(w, '}');
}

/* `what`: whether the areas come with the buildings. */
static enum puan_status make_points(struct puan_str *json,
                                    struct puan_request *rq, const void *what,
                                    struct puan_arena *a, struct puan_err *err)
{
    const bool areas = *(const bool *)what;
    struct puan_ground g;
    struct puan_out o;
    struct puan_jw w;
    bool whole;

    TRY(puan_ground_load(&g, rq->store, rq->area, true, a, err));
    whole = areas || g.n_buildings <= PUAN_MAP_BUILDINGS;
    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_ktext(&w, "type", "FeatureCollection");
    puan_jw_kint(&w, "total", (int64_t)g.n_buildings);
    puan_jw_kbool(&w, "whole", whole);
    puan_jw_key(&w, "features");
    puan_jw_list(&w);
    for (uint32_t i = g.top; areas && i < g.end; i++)
        if (g.tree->area[i].level + 1U == g.tree->n_levels &&
            puan_area_valid(g.tree, i, g.day))
            put_area(&w, &g, i, a);
    for (size_t i = 0; whole && i < g.n_buildings; i++)
        put_building(&w, g.tree, &g.building[i]);
    puan_jw_end(&w, ']');
    puan_jw_end(&w, '}');
    *json = puan_out_view(&o);
    return puan_arena_check(a, err);
}

enum puan_status puan_get_buildings(struct puan_request *rq, const void *in,
                                    struct puan_err *err)
{
    static const bool areas = false;

    (void)in;
    return puan_map_answer(rq, "buildings", "application/geo+json", false,
                           make_points, &areas, err);
}

enum puan_status puan_get_field_map(struct puan_request *rq, const void *in,
                                    struct puan_err *err)
{
    static const bool areas = true;
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t n;

    (void)in;
    if (!t || puan_area_find(t, rq->area) == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "no such area");
    n = inner_areas(rq);
    if (n > PUAN_MAP_FIELD)
        return too_many(n, PUAN_MAP_FIELD, err);
    return puan_map_answer(rq, "field", "application/geo+json", false,
                           make_points, &areas, err);
}
