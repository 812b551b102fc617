/*
 * Maps with faults put in; see test_plant.h.
 */
#include "features/maps/test_plant.h"

#include <math.h>

static uint64_t draw(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* ---- a map -------------------------------------------------------------------- */

#define CELL 500 /* millionths of a degree */

/* A point of the lattice, moved by less than a fifth of a cell. */
static struct puan_geo_point lattice(uint64_t seed, int64_t x, int64_t y)
{
    uint64_t s = seed * 1000003 + (uint64_t)x * 7919 + (uint64_t)y * 104729;
    int32_t dx = (int32_t)(draw(&s) % 201) - 100;
    int32_t dy = (int32_t)(draw(&s) % 201) - 100;

    return (struct puan_geo_point){ (int32_t)(116000000 + x * CELL + dx),
                                    (int32_t)(35000000 + y * CELL + dy) };
}

static enum puan_status square(struct puan_geo_feature *f, uint64_t seed,
                               int64_t x, int64_t y, int64_t size,
                               struct puan_arena *a, struct puan_err *err)
{
    static const int step[4][2] = { { 1, 0 }, { 0, 1 }, { -1, 0 }, { 0, -1 } };
    struct puan_geo_ring *r = puan_new_n(a, 1, struct puan_geo_ring);

    if (r == NULL)
        return puan_arena_check(a, err);
    r->p = puan_new_n(a, (size_t)size * 4, struct puan_geo_point);
    if (r->p == NULL)
        return puan_arena_check(a, err);
    r->outer = true;
    for (int side = 0; side < 4; side++)
        for (int64_t i = 0; i < size; i++) {
            r->p[r->n++] = lattice(seed, x, y);
            x += step[side][0];
            y += step[side][1];
        }
    f->ring = r;
    f->n_rings = 1;
    return PUAN_OK;
}

static void put_row(struct puan_out *o, const char *code, const char *parent,
                    const char *level)
{
    puan_out_fmt(o, "%s,%s,%s,%s,%s\n", code, parent, level, code, code);
}

enum puan_status puan_plant_map(struct puan_ground *g, unsigned side,
                                unsigned part, unsigned cells, uint64_t seed,
                                struct puan_arena *a, struct puan_err *err)
{
    static const struct puan_area_level level[] = {
        { { "county", 6 }, { "县", 3 }, { "County", 6 }, 2 },
        { { "district", 8 }, { "普查区", 9 }, { "District", 8 }, 5 },
        { { "ea", 2 }, { "小区", 6 }, { "Area", 4 }, 8 },
    };
    const unsigned n = side * side, m = part * part;
    struct puan_area_tree *t;
    struct puan_building *b;
    struct puan_arena scratch;
    struct puan_out o;
    uint32_t i = 0;
    enum puan_status st;

    memset(g, 0, sizeof(*g));
    puan_out_init(&o, a);
    puan_out_text(&o, "code,parent,level,name_zh,name_en\n");
    put_row(&o, "11", "", "county");
    for (unsigned d = 0; d < n; d++) {
        char code[16], inner[16];

        puan_format(code, sizeof(code), "11%03u", d + 1);
        put_row(&o, code, "11", "district");
        for (unsigned e = 0; e < m; e++) {
            puan_format(inner, sizeof(inner), "%s%03u", code, e + 1);
            put_row(&o, inner, code, "ea");
        }
    }
    puan_arena_init(&scratch, a->host);
    st = puan_area_read_csv(&t, level, 3, 3, puan_out_view(&o), "plant", a,
                            &scratch, err);
    puan_arena_clear(&scratch);
    if (st != PUAN_OK)
        return st;
    g->tree = t;
    g->end = t->n;
    g->feature = puan_new_n(a, t->n, struct puan_geo_feature);
    b = puan_new_n(a, (size_t)n * m * 5, struct puan_building);
    if (g->feature == NULL || b == NULL)
        return puan_arena_check(a, err);
    TRY(square(&g->feature[i++], seed, 0, 0, side * part * cells, a, err));
    for (unsigned d = 0; d < n; d++) {
        int64_t x = d % side * part * cells, y = d / side * part * cells;

        TRY(square(&g->feature[i++], seed, x, y, part * cells, a, err));
        for (unsigned e = 0; e < m; e++, i++) {
            int64_t ex = x + e % part * cells, ey = y + e / part * cells;

            TRY(square(&g->feature[i], seed, ex, ey, cells, a, err));
            for (unsigned k = 0; k < 5; k++) {
                static const char *const number[5] = { "1", "2", "3", "4",
                                                       "5" };
                int64_t cx = ex + 3 + k, cy = ey + 3 + k * 2 % (cells - 6);
                struct puan_geo_point p = lattice(seed, cx, cy),
                                      q = lattice(seed, cx + 1, cy + 1);

                b[g->n_buildings++] = (struct puan_building){
                    .area = i,
                    .units = 1,
                    .number = puan_str_of(number[k]),
                    .kind = PUAN_STR("residential"),
                    .at = { (p.x + q.x) / 2, (p.y + q.y) / 2 },
                };
            }
        }
    }
    g->building = b;
    for (uint32_t k = 0; k < t->n; k++)
        g->feature[k].code = t->area[k].digits;
    return puan_arena_check(a, err);
}

/* ---- planting ------------------------------------------------------------------- */

static bool same(struct puan_geo_point p, struct puan_geo_point q)
{
    return p.x == q.x && p.y == q.y;
}

/* Do the two points follow one another, in this order, on the border? */
static bool has_edge(const struct puan_geo_feature *f, struct puan_geo_point p,
                     struct puan_geo_point q)
{
    const struct puan_geo_ring *r = &f->ring[0];

    for (uint32_t i = 0; f->n_rings > 0 && i < r->n; i++)
        if (same(r->p[i], p) && same(r->p[(i + 1) % r->n], q))
            return true;
    return false;
}

/* Square metres of a four-cornered piece. */
static double metres_of(struct puan_geo_point a, struct puan_geo_point b,
                        struct puan_geo_point c, struct puan_geo_point d)
{
    double rad = a.y * 1e-6 * 0.017453292519943295;
    double twice = ((double)c.x - a.x) * ((double)d.y - b.y) -
                   ((double)d.x - b.x) * ((double)c.y - a.y);

    return fabs(twice) / 2 * 0.11132 * cos(rad) *
           (0.111133 - 0.00056 * cos(2 * rad));
}

struct spot { /* a point between two areas of one parent */
    uint32_t own, other, at;
    struct puan_geo_point before, here, after, out, in;
};

/* The point `share` of an edge's length away from here, to either side. */
static void sides(struct spot *s, double share)
{
    double dx = (double)s->after.x - s->before.x,
           dy = (double)s->after.y - s->before.y, len = hypot(dx, dy),
           step = share * len / 2;

    if (!(len > 0))
        len = 1;
    s->out = (struct puan_geo_point){ s->here.x + (int32_t)(dy / len * step),
                                      s->here.y - (int32_t)(dx / len * step) };
    s->in = (struct puan_geo_point){ s->here.x - (int32_t)(dy / len * step),
                                     s->here.y + (int32_t)(dx / len * step) };
}

static bool find_spot(struct spot *s, const struct puan_ground *g,
                      uint32_t parent, uint64_t *seed)
{
    const struct puan_area_tree *t = g->tree;

    for (uint32_t i = parent + 1; i < t->area[parent].end; i++) {
        const struct puan_geo_feature *f = &g->feature[i - g->top];
        uint32_t begin;

        if (f->n_rings != 1 || f->ring[0].n < 8)
            continue;
        begin = (uint32_t)(draw(seed) % f->ring[0].n);
        for (uint32_t k = 0; k < f->ring[0].n; k++) {
            const struct puan_geo_ring *r = &f->ring[0];
            uint32_t at = (begin + k) % r->n;

            *s = (struct spot){ .own = i, .at = at,
                                .before = r->p[(at + r->n - 1) % r->n],
                                .here = r->p[at],
                                .after = r->p[(at + 1) % r->n] };
            sides(s, 0.3);
            for (uint32_t o = parent + 1; o < t->area[parent].end; o++) {
                const struct puan_geo_feature *x = &g->feature[o - g->top];

                if (o == i || !has_edge(x, s->here, s->before) ||
                    !has_edge(x, s->after, s->here) ||
                    !puan_geo_holds(x, s->out) || !puan_geo_holds(f, s->in))
                    continue;
                s->other = o;
                return true;
            }
        }
    }
    return false;
}

/* A yard cut out of the area, away from every building. */
static bool yard(struct puan_plant *p, struct puan_ground *g, struct spot *s,
                 struct puan_arena *a)
{
    struct puan_geo_feature *f = &g->feature[s->own - g->top];
    struct puan_geo_ring *r = puan_new_n(a, 2, struct puan_geo_ring);
    struct puan_geo_point *q = puan_new_n(a, 3, struct puan_geo_point), c;
    int32_t w;

    if (r == NULL || q == NULL)
        return false;
    sides(s, 0.9);
    c = s->in;
    w = (int32_t)(hypot((double)s->after.x - s->before.x,
                        (double)s->after.y - s->before.y) *
                  0.04);
    q[0] = (struct puan_geo_point){ c.x, c.y + w };
    q[1] = (struct puan_geo_point){ c.x + w, c.y - w };
    q[2] = (struct puan_geo_point){ c.x - w, c.y - w };
    for (int i = 0; i < 3; i++)
        if (!puan_geo_holds(f, q[i]))
            return false;
    r[0] = f->ring[0];
    r[1] = (struct puan_geo_ring){ q, 3, false };
    f->ring = r;
    f->n_rings = 2;
    p->m2 = metres_of(q[0], q[1], q[2], q[2]);
    return true;
}

static struct puan_building *building_of(struct puan_ground *g, uint32_t area,
                                         struct puan_building *b)
{
    for (size_t i = 0; i < g->n_buildings; i++)
        if (b[i].area == area)
            return &b[i];
    return NULL;
}

/* What is planted, in turns; false when it does not fit here. */
static bool plant_one(struct puan_plant *p, struct puan_ground *g,
                      struct puan_building *b, unsigned what, uint32_t parent,
                      uint64_t *seed, struct puan_arena *a)
{
    struct puan_building *moved, *to;
    struct puan_geo_feature *f;
    struct spot s;

    if (!find_spot(&s, g, parent, seed))
        return false;
    f = &g->feature[s.own - g->top];
    *p = (struct puan_plant){ .area = s.own, .other = PUAN_AREA_NONE };
    switch (what) {
    case 0: /* the area takes ground of its neighbour */
        p->kind = PUAN_MAP_OVERLAP;
        p->area = s.own < s.other ? s.own : s.other;
        p->other = s.own < s.other ? s.other : s.own;
        f->ring[0].p[s.at] = s.out;
        p->m2 = metres_of(s.before, s.here, s.after, s.out);
        return true;
    case 1: /* it withdraws from the common border */
        p->kind = PUAN_MAP_GAP;
        p->area = parent;
        f->ring[0].p[s.at] = s.in;
        p->m2 = metres_of(s.before, s.here, s.after, s.in);
        return true;
    case 2:
        p->kind = PUAN_MAP_GAP;
        p->area = parent;
        return yard(p, g, &s, a);
    case 3:
        p->kind = PUAN_MAP_UNDRAWN;
        f->n_rings = 0;
        return true;
    case 4:
        p->kind = PUAN_MAP_ORPHAN;
        moved = building_of(g, s.own, b);
        if (moved == NULL)
            return false;
        p->building = moved;
        moved->at.x -= 20000000; /* twenty degrees to the west */
        return true;
    default:
        p->kind = PUAN_MAP_ASTRAY;
        p->other = s.other;
        moved = building_of(g, s.own, b);
        to = building_of(g, s.other, b);
        if (moved == NULL || to == NULL)
            return false;
        p->building = moved;
        moved->at = to->at;
        return true;
    }
}

enum puan_status puan_plant(struct puan_plant **out, size_t *n,
                            struct puan_ground *g, size_t each, uint64_t seed,
                            struct puan_arena *a, struct puan_err *err)
{
    const struct puan_area_tree *t = g->tree;
    struct puan_building *b = puan_new_n(a, g->n_buildings + 1,
                                         struct puan_building);
    uint32_t *parent = puan_new_n(a, t->n, uint32_t), n_parents = 0;
    size_t want = each * 6;

    *out = puan_new_n(a, want + 1, struct puan_plant);
    *n = 0;
    if (b == NULL || parent == NULL || *out == NULL)
        return puan_arena_check(a, err);
    if (g->n_buildings > 0)
        memcpy(b, g->building, g->n_buildings * sizeof(*b));
    g->building = b;
    for (uint32_t i = g->top; i < g->end; i++) {
        uint32_t first = i + 1;

        /* the borders of the level are the checker's to move here */
        if (g->feature[i - g->top].n_rings > 0 &&
            t->area[i].level + 1U == t->n_levels) {
            struct puan_geo_feature *f = &g->feature[i - g->top];
            struct puan_geo_ring *r = puan_new_n(a, f->n_rings,
                                                 struct puan_geo_ring);

            if (r == NULL)
                return puan_arena_check(a, err);
            for (uint32_t k = 0; k < f->n_rings; k++) {
                r[k] = f->ring[k];
                r[k].p = puan_new_n(a, r[k].n, struct puan_geo_point);
                if (r[k].p == NULL)
                    return puan_arena_check(a, err);
                memcpy(r[k].p, f->ring[k].p, r[k].n * sizeof(*r[k].p));
            }
            f->ring = r;
        }
        if (t->area[i].level + 2U == t->n_levels && t->area[i].end > first + 1)
            parent[n_parents++] = i;
    }
    for (uint32_t i = n_parents; i > 1; i--) {
        uint32_t k = (uint32_t)(draw(&seed) % i), x = parent[k];

        parent[k] = parent[i - 1];
        parent[i - 1] = x;
    }
    for (uint32_t i = 0; i < n_parents && *n < want; i++)
        *n += plant_one(&(*out)[*n], g, b, (unsigned)(*n % 6), parent[i],
                        &seed, a);
    return puan_arena_check(a, err);
}

/* ---- scoring ---------------------------------------------------------------------- */

static bool answers(const struct puan_map_fault *f, const struct puan_plant *p)
{
    if (f->kind != p->kind || f->area != p->area)
        return false;
    if (f->kind == PUAN_MAP_OVERLAP || f->kind == PUAN_MAP_ASTRAY ||
        f->kind == PUAN_MAP_ORPHAN)
        if (f->other != p->other)
            return false;
    if (f->building != p->building)
        return false;
    return p->m2 <= 0 || fabs(f->m2 - p->m2) <= 0.5 + p->m2 * 0.05;
}

void puan_plant_score(struct puan_plant_score *out, struct puan_plant *p,
                      size_t n, const struct puan_map_check *c)
{
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < n; i++)
        out->planted[p[i].kind]++;
    for (uint32_t k = 0; k < c->n; k++) {
        size_t i = 0;

        while (i < n && (p[i].found || !answers(&c->fault[k], &p[i])))
            i++;
        if (i == n) {
            out->false_alarms++;
        } else {
            p[i].found = true;
            out->found[p[i].kind]++;
        }
    }
    out->false_alarms += c->more;
}
