/*
 * The checker of boundaries; check.h says what it looks for.
 */
#include "features/maps/check.h"

#include <math.h>
#include <stdlib.h>

#include "kit/geometry/geometry.h"

static const struct {
    const char *name, *zh;
} kinds[PUAN_MAP_FAULT_KINDS] = {
    [PUAN_MAP_UNDRAWN] = { "undrawn", "缺边界" },
    [PUAN_MAP_GROUNDLESS] = { "groundless", "虚拟小区有地块" },
    [PUAN_MAP_MISNUMBERED] = { "misnumbered", "虚拟小区编号不符" },
    [PUAN_MAP_CROSSED] = { "crossed", "边界自交" },
    [PUAN_MAP_OVERLAP] = { "overlap", "重叠" },
    [PUAN_MAP_GAP] = { "gap", "空隙" },
    [PUAN_MAP_BEYOND] = { "beyond", "越出上级边界" },
    [PUAN_MAP_ASTRAY] = { "astray", "建筑物在别的区域" },
    [PUAN_MAP_ORPHAN] = { "orphan", "建筑物不在任何区域" },
};

const char *puan_map_fault_name(unsigned kind)
{
    return kind < PUAN_MAP_FAULT_KINDS ? kinds[kind].name : "";
}

const char *puan_map_fault_zh(unsigned kind)
{
    return kind < PUAN_MAP_FAULT_KINDS ? kinds[kind].zh : "";
}

/* ---- points ------------------------------------------------------------------- */

/* Is p on the segment, or does a ray from p to the east meet it? */
static bool on_or_meets(bool *meets, struct puan_geo_point p,
                        struct puan_geo_point a, struct puan_geo_point b)
{
    int64_t turn;

    *meets = false;
    if ((a.y > p.y) == (b.y > p.y) && a.y != p.y && b.y != p.y)
        return false;
    turn = ((int64_t)b.x - a.x) * ((int64_t)p.y - a.y) -
           ((int64_t)b.y - a.y) * ((int64_t)p.x - a.x);
    if (turn == 0 && p.x >= (a.x < b.x ? a.x : b.x) &&
        p.x <= (a.x > b.x ? a.x : b.x) && p.y >= (a.y < b.y ? a.y : b.y) &&
        p.y <= (a.y > b.y ? a.y : b.y))
        return true;
    if ((a.y > p.y) != (b.y > p.y))
        *meets = b.y > a.y ? turn > 0 : turn < 0;
    return false;
}

bool puan_geo_holds(const struct puan_geo_feature *f, struct puan_geo_point p)
{
    bool in = false, meets;

    for (uint32_t i = 0; i < f->n_rings; i++) {
        const struct puan_geo_ring *r = &f->ring[i];

        for (uint32_t k = 0; k < r->n; k++) {
            if (on_or_meets(&meets, p, r->p[k], r->p[(k + 1) % r->n]))
                return true;
            in ^= meets;
        }
    }
    return in;
}

/* ---- what is at hand --------------------------------------------------------------- */

struct box {
    int32_t west, south, east, north;
};

struct place {
    uint32_t at, up; /* area; the drawn level above, PUAN_AREA_NONE */
    const struct puan_geo_feature *f;
    struct box box;
    struct puan_shape *shape; /* sound */
    bool drawn, crossed;
    bool dirty; /* laid over its neighbours */
};

struct edge {
    uint64_t from, to; /* from < to */
    int32_t sum;
    bool used;
};

struct checker {
    struct puan_map_check *out;
    const struct puan_ground *g;
    struct puan_plane *plane;
    struct puan_arena *a;       /* of the faults */
    struct puan_arena scratch;  /* of one group */
    struct puan_err *err;
    unsigned level;
    double least;
    uint32_t cap;
    struct place *place;
    uint32_t n;
    uint32_t *west; /* drawn places by their western end */
    uint32_t n_west;
    uint32_t *found; /* what near() gives */
    int32_t widest;
};

static struct box box_of(const struct puan_geo_feature *f)
{
    struct box b = { INT32_MAX, INT32_MAX, INT32_MIN, INT32_MIN };

    for (uint32_t i = 0; i < f->n_rings; i++)
        for (uint32_t k = 0; k < f->ring[i].n; k++) {
            struct puan_geo_point p = f->ring[i].p[k];

            b.west = p.x < b.west ? p.x : b.west;
            b.east = p.x > b.east ? p.x : b.east;
            b.south = p.y < b.south ? p.y : b.south;
            b.north = p.y > b.north ? p.y : b.north;
        }
    return b;
}

static bool boxes_meet(const struct box *x, const struct box *y)
{
    return x->west < y->east && y->west < x->east && x->south < y->north &&
           y->south < x->north;
}

/* Square metres of a square millionth of a degree there. */
static double metres(int32_t lat)
{
    double rad = lat * 1e-6 * 0.017453292519943295;

    return 0.11132 * cos(rad) * (0.111133 - 0.00056 * cos(2 * rad));
}

static struct puan_map_fault *fault(struct checker *c, unsigned kind,
                                    uint32_t area, uint32_t other)
{
    static const uint32_t most = PUAN_MAP_FAULTS;
    struct puan_map_fault *f;

    c->out->of[kind]++;
    if (c->out->n == most) {
        c->out->more++;
        return NULL;
    }
    if (c->out->n == c->cap) {
        uint32_t cap = c->cap ? c->cap * 2 : 64;

        f = puan_new_n(c->a, cap, struct puan_map_fault);
        if (f == NULL)
            return NULL;
        if (c->out->n > 0)
            memcpy(f, c->out->fault, c->out->n * sizeof(*f));
        c->out->fault = f;
        c->cap = cap;
    }
    f = &c->out->fault[c->out->n++];
    *f = (struct puan_map_fault){ .kind = (uint8_t)kind,
                                  .level = (uint8_t)c->level,
                                  .area = area,
                                  .other = other };
    return f;
}

static void place_at(struct puan_map_fault *f, struct puan_geo_point p)
{
    if (f != NULL) {
        f->at = p;
        f->placed = true;
    }
}

/* A shape of the kit from an area's rings, and back. */
static enum puan_status shape_of(struct puan_shape **out, struct checker *c,
                                 const struct puan_geo_feature *f,
                                 struct puan_arena *a)
{
    struct puan_plane_ring *r = puan_new_n(a, f->n_rings + 1,
                                           struct puan_plane_ring);

    if (r == NULL)
        return puan_arena_check(a, c->err);
    for (uint32_t i = 0; i < f->n_rings; i++) {
        r[i].n = f->ring[i].n;
        r[i].outer = f->ring[i].outer;
        r[i].p = puan_new_n(a, r[i].n, struct puan_plane_point);
        if (r[i].p == NULL)
            return puan_arena_check(a, c->err);
        for (uint32_t k = 0; k < r[i].n; k++)
            r[i].p[k] = (struct puan_plane_point){ f->ring[i].p[k].x,
                                                   f->ring[i].p[k].y };
    }
    return puan_shape_make(out, c->plane, r, f->n_rings, c->err);
}

/* The pieces [0, n) as one feature. */
static struct puan_geo_feature feature_of(const struct puan_shape_piece *piece,
                                          uint32_t n, struct puan_arena *a)
{
    struct puan_geo_feature f = { 0 };
    uint32_t rings = 0;

    for (uint32_t i = 0; i < n; i++)
        rings += piece[i].n_rings;
    f.ring = puan_new_n(a, rings + 1, struct puan_geo_ring);
    for (uint32_t i = 0; i < n && f.ring != NULL; i++)
        for (uint32_t k = 0; k < piece[i].n_rings; k++) {
            const struct puan_plane_ring *from = &piece[i].ring[k];
            struct puan_geo_ring *to = &f.ring[f.n_rings];

            to->p = puan_new_n(a, from->n, struct puan_geo_point);
            if (to->p == NULL)
                return f;
            to->n = from->n;
            to->outer = from->outer;
            for (uint32_t m = 0; m < from->n; m++)
                to->p[m] = (struct puan_geo_point){ from->p[m].x,
                                                    from->p[m].y };
            f.n_rings++;
        }
    return f;
}

/* Ground at fault: the pieces of a shape that are large enough. */
static enum puan_status ground_fault(struct checker *c, unsigned kind,
                                     uint32_t area, uint32_t other,
                                     struct puan_shape *s, double scale)
{
    struct puan_shape_piece *piece;
    struct puan_map_fault *f;
    uint32_t n;

    TRY(puan_shape_pieces(&piece, &n, c->plane, s, c->least / scale,
                          &c->scratch, c->err));
    if (n == 0)
        return PUAN_OK;
    f = fault(c, kind, area, other);
    if (f == NULL)
        return puan_arena_check(c->a, c->err);
    place_at(f, (struct puan_geo_point){ piece[0].inside.x,
                                         piece[0].inside.y });
    for (uint32_t i = 0; i < n; i++)
        f->m2 += piece[i].area * scale;
    f->shape = feature_of(piece, n, c->a);
    return puan_arena_check(c->a, c->err);
}

/* ---- borders that add up ------------------------------------------------------------- */

static uint64_t key_of(struct puan_geo_point p)
{
    return (uint64_t)(uint32_t)p.x << 32 | (uint32_t)p.y;
}

struct edges {
    struct edge *e;
    size_t mask;
};

/* Twice the area; positive when the ground is at the left. */
static double turn_of(const struct puan_geo_ring *r)
{
    double sum = 0;

    for (uint32_t i = 0; i < r->n; i++) {
        struct puan_geo_point p = r->p[i], q = r->p[(i + 1) % r->n];

        sum += ((double)p.x - r->p[0].x) * ((double)q.y - r->p[0].y) -
               ((double)q.x - r->p[0].x) * ((double)p.y - r->p[0].y);
    }
    return sum;
}

static void add_edge(struct edges *s, struct puan_geo_point p,
                     struct puan_geo_point q, int32_t sign)
{
    uint64_t from = key_of(p), to = key_of(q), h;
    size_t i;

    if (from == to)
        return;
    if (from > to) {
        uint64_t t = from;

        from = to;
        to = t;
        sign = -sign;
    }
    h = (from * UINT64_C(0x9e3779b97f4a7c15)) ^
        (to * UINT64_C(0xc2b2ae3d27d4eb4f));
    i = (size_t)(h >> 24) & s->mask;
    while (s->e[i].used && (s->e[i].from != from || s->e[i].to != to))
        i = (i + 1) & s->mask;
    s->e[i] = (struct edge){ from, to, s->e[i].sum + sign, true };
}

static void add_border(struct edges *s, const struct puan_geo_feature *f,
                       int32_t sign)
{
    for (uint32_t i = 0; i < f->n_rings; i++) {
        const struct puan_geo_ring *r = &f->ring[i];
        int32_t way = (turn_of(r) > 0) == r->outer ? sign : -sign;

        for (uint32_t k = 0; k < r->n; k++)
            add_edge(s, r->p[k], r->p[(k + 1) % r->n], way);
    }
}

static uint64_t points_of(const struct puan_geo_feature *f)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < f->n_rings; i++)
        n += f->ring[i].n;
    return n;
}

/* Do the borders of places [from, to) add up to that of the area above? */
static enum puan_status adds_up(bool *yes, struct checker *c, uint32_t from,
                                uint32_t to, const struct puan_geo_feature *up)
{
    uint64_t points = points_of(up);
    struct edges s = { 0 };
    size_t size = 64;

    for (uint32_t i = from; i < to; i++)
        points += points_of(c->place[i].f);
    while (size < 2 * points)
        size *= 2;
    s.e = puan_new_n(&c->scratch, size, struct edge);
    s.mask = size - 1;
    if (s.e == NULL)
        return puan_arena_check(&c->scratch, c->err);
    for (uint32_t i = from; i < to; i++)
        add_border(&s, c->place[i].f, 1);
    add_border(&s, up, -1);
    *yes = true;
    for (size_t i = 0; i < size && *yes; i++)
        *yes = s.e[i].sum == 0;
    return PUAN_OK;
}

/* ---- neighbours -------------------------------------------------------------------- */

static int by_west(const void *x, const void *y, void *places)
{
    const struct place *p = places;
    const struct place *a = &p[*(const uint32_t *)x],
                       *b = &p[*(const uint32_t *)y];

    return a->box.west != b->box.west ? (a->box.west < b->box.west ? -1 : 1)
           : a < b                    ? -1
                                      : a > b;
}

/* Places whose boxes meet this one: c->found until the next call. */
static uint32_t near(struct checker *c, const struct box *b)
{
    uint32_t lo = 0, hi = c->n_west, n = 0;
    int64_t first = (int64_t)b->west - c->widest;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (c->place[c->west[mid]].box.west < first)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < c->n_west && c->place[c->west[lo]].box.west < b->east; lo++)
        if (boxes_meet(&c->place[c->west[lo]].box, b))
            c->found[n++] = c->west[lo];
    return n;
}

/* ---- overlaps, holes, ground beyond --------------------------------------------------- */

static enum puan_status overlaps(struct checker *c, uint32_t i)
{
    struct place *p = &c->place[i];
    uint32_t n = near(c, &p->box);
    const uint32_t *other = c->found;

    for (uint32_t k = 0; k < n; k++) {
        const struct place *q = &c->place[other[k]];
        struct puan_shape *s;
        enum puan_status st;

        if (other[k] == i || (q->dirty && other[k] < i))
            continue;
        TRY(puan_shape_both(&s, c->plane, p->shape, q->shape, c->err));
        st = ground_fault(c, PUAN_MAP_OVERLAP, p->at < q->at ? p->at : q->at,
                          p->at < q->at ? q->at : p->at, s,
                          metres(p->box.south));
        puan_shape_free(c->plane, s);
        if (st != PUAN_OK)
            return st;
    }
    return PUAN_OK;
}

/* a becomes a - b. */
static enum puan_status take(struct puan_shape **a, struct checker *c,
                             const struct puan_shape *b)
{
    struct puan_shape *left;

    TRY(puan_shape_minus(&left, c->plane, *a, b, c->err));
    puan_shape_free(c->plane, *a);
    *a = left;
    return PUAN_OK;
}

/* Ground outside the area above that is not an overlap already. */
static enum puan_status beyond(struct checker *c, uint32_t i,
                               const struct puan_shape *up)
{
    const struct place *p = &c->place[i];
    struct puan_shape *left;
    uint32_t n = near(c, &p->box);

    TRY(puan_shape_minus(&left, c->plane, p->shape, up, c->err));
    for (uint32_t k = 0; k < n; k++)
        if (c->found[k] != i)
            TRY(take(&left, c, c->place[c->found[k]].shape));
    TRY(ground_fault(c, PUAN_MAP_BEYOND, p->at, p->up, left,
                     metres(p->box.south)));
    puan_shape_free(c->plane, left);
    return PUAN_OK;
}

/* The first building of an area, and how many it has. */
static const struct puan_building *buildings_of(size_t *n,
                                                const struct puan_ground *g,
                                                uint32_t area)
{
    size_t lo = 0, hi = g->n_buildings;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (g->building[mid].area < area)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (*n = 0;
         lo + *n < g->n_buildings && g->building[lo + *n].area == area; ++*n)
        ;
    return g->building + lo;
}

/* Which area of the group has most points in common with the gap. */
static uint32_t beside(const struct checker *c,
                       const struct puan_geo_feature *gap, uint32_t from,
                       uint32_t to)
{
    const struct box b = box_of(gap);
    uint32_t best = PUAN_AREA_NONE, most = 0;

    for (uint32_t i = from; i < to; i++) {
        uint32_t same = 0;

        if (!c->place[i].drawn || !boxes_meet(&b, &c->place[i].box))
            continue;

        for (uint32_t r = 0; r < c->place[i].f->n_rings; r++)
            for (uint32_t k = 0; k < c->place[i].f->ring[r].n; k++)
                for (uint32_t m = 0; m < gap->ring[0].n; m++)
                    same += memcmp(&c->place[i].f->ring[r].p[k],
                                   &gap->ring[0].p[m],
                                   sizeof(gap->ring[0].p[m])) == 0;
        if (same > most) {
            most = same;
            best = c->place[i].at;
        }
    }
    return best;
}

/*
 * What nobody has.  A hole in which an undrawn area has its buildings, or the
 * largest where only one area without buildings is undrawn, is told with that
 * area and not apart.
 */
static enum puan_status gaps(struct checker *c, uint32_t from, uint32_t to,
                             struct puan_shape *left, double scale,
                             const uint32_t *missing, uint32_t n_missing)
{
    struct puan_shape_piece *piece;
    uint32_t n;

    TRY(puan_shape_pieces(&piece, &n, c->plane, left, c->least / scale,
                          &c->scratch, c->err));
    for (uint32_t i = 0; i < n; i++) {
        struct puan_geo_feature ground = feature_of(&piece[i], 1, c->a);
        struct puan_geo_point at = { piece[i].inside.x, piece[i].inside.y };
        struct puan_map_fault *f;
        bool told = false;

        TRY(puan_arena_check(c->a, c->err));
        for (uint32_t k = 0; k < n_missing; k++) {
            const struct puan_building *b;
            size_t n_b, in = 0;

            f = &c->out->fault[missing[k]];
            b = buildings_of(&n_b, c->g, f->area);
            for (size_t m = 0; m < n_b; m++)
                in += puan_geo_holds(&ground, b[m].at);
            if (in == 0 && (n_b > 0 || n_missing > 1 || i > 0))
                continue;
            told = true;
            if (f->placed)
                continue;
            place_at(f, at);
            f->m2 = piece[i].area * scale;
            f->shape = ground;
        }
        if (told)
            continue;
        f = fault(c, PUAN_MAP_GAP, c->place[from].up,
                  beside(c, &ground, from, to));
        if (f == NULL)
            return puan_arena_check(c->a, c->err);
        place_at(f, at);
        f->m2 = piece[i].area * scale;
        f->shape = ground;
    }
    return PUAN_OK;
}

/* A group whose borders do not add up, or with nothing to add up to. */
static enum puan_status look_closer(struct checker *c, uint32_t from,
                                    uint32_t to,
                                    const struct puan_geo_feature *up,
                                    const uint32_t *missing, uint32_t n_missing)
{
    struct puan_shape *whole = NULL, *left = NULL, **s, *all = NULL;
    struct box b = { INT32_MAX, INT32_MAX, INT32_MIN, INT32_MIN };
    uint32_t n, n_s = 0;
    struct puan_plane_point at;
    bool sound;

    for (uint32_t i = from; i < to; i++)
        if (c->place[i].drawn) {
            const struct box *x = &c->place[i].box;

            b.west = x->west < b.west ? x->west : b.west;
            b.south = x->south < b.south ? x->south : b.south;
            b.east = x->east > b.east ? x->east : b.east;
            b.north = x->north > b.north ? x->north : b.north;
            TRY(overlaps(c, i));
        }
    if (up != NULL) {
        b = box_of(up);
        TRY(shape_of(&whole, c, up, &c->scratch));
        TRY(puan_shape_sound(&sound, &at, c->plane, whole, c->err));
        if (!sound) {
            TRY(puan_shape_mend(&left, c->plane, whole, c->err));
            puan_shape_free(c->plane, whole);
            whole = left;
        }
    }
    n = near(c, &b);
    s = puan_new_n(&c->scratch, (size_t)n + 1, struct puan_shape *);
    if (s == NULL)
        return puan_arena_check(&c->scratch, c->err);
    for (uint32_t i = 0; i < n; i++)
        s[n_s++] = c->place[c->found[i]].shape;
    TRY(puan_shape_all(&all, c->plane, s, n_s, c->err));
    if (whole == NULL)
        TRY(puan_shape_filled(&whole, c->plane, all, c->err));
    TRY(puan_shape_minus(&left, c->plane, whole, all, c->err));
    TRY(gaps(c, from, to, left, metres(b.south), missing,
             n_missing));
    for (uint32_t i = from; up != NULL && i < to; i++)
        if (c->place[i].drawn)
            TRY(beyond(c, i, whole));
    puan_shape_free(c->plane, left);
    puan_shape_free(c->plane, all);
    puan_shape_free(c->plane, whole);
    return PUAN_OK;
}

/* ---- a level ---------------------------------------------------------------------------- */

static const struct puan_geo_feature *feature_at(const struct puan_ground *g,
                                                 uint32_t i)
{
    return i >= g->top && i < g->end ? &g->feature[i - g->top] : NULL;
}

/* The nearest area above whose level has been drawn; NONE when it has not. */
static uint32_t above(const struct checker *c, uint32_t i)
{
    const struct puan_area_tree *t = c->g->tree;

    for (i = t->area[i].parent; i != PUAN_AREA_NONE && i >= c->g->top;
         i = t->area[i].parent)
        if (c->out->drawn[t->area[i].level] > 0)
            return i;
    return PUAN_AREA_NONE;
}

/* What an area says about itself: sound, drawn when it should be. */
static enum puan_status alone(struct checker *c, struct place *p)
{
    const struct puan_area_tree *t = c->g->tree;
    const struct puan_area *area = &t->area[p->at];
    bool is_virtual = area->kind == PUAN_AREA_VIRTUAL, sound = true;
    struct puan_plane_point where;
    struct puan_shape *mended;
    struct puan_map_fault *f;

    if (c->g->virtual_from > 0 && c->level + 1 == t->n_levels &&
        area->parent != PUAN_AREA_NONE) {
        int64_t base = 1;

        for (unsigned i = t->level[t->area[area->parent].level].digits;
             i < t->level[c->level].digits; i++)
            base *= 10;
        if ((area->code % base >= c->g->virtual_from) != is_virtual) {
            f = fault(c, PUAN_MAP_MISNUMBERED, p->at, PUAN_AREA_NONE);
            if (p->drawn)
                place_at(f, p->f->ring[0].p[0]);
        }
    }
    if (!p->drawn)
        return PUAN_OK;
    if (is_virtual) {
        f = fault(c, PUAN_MAP_GROUNDLESS, p->at, PUAN_AREA_NONE);
        if (f != NULL)
            f->shape = *p->f;
        place_at(f, p->f->ring[0].p[0]);
    }
    TRY(shape_of(&p->shape, c, p->f, &c->scratch));
    TRY(puan_shape_sound(&sound, &where, c->plane, p->shape, c->err));
    if (sound)
        return PUAN_OK;
    f = fault(c, PUAN_MAP_CROSSED, p->at, PUAN_AREA_NONE);
    place_at(f, (struct puan_geo_point){ where.x, where.y });
    TRY(puan_shape_mend(&mended, c->plane, p->shape, c->err));
    puan_shape_free(c->plane, p->shape);
    p->shape = mended;
    p->crossed = true;
    return puan_arena_check(c->a, c->err);
}

static enum puan_status gather(struct checker *c)
{
    const struct puan_ground *g = c->g;
    const struct puan_area_tree *t = g->tree;
    uint32_t n = 0;

    for (uint32_t i = g->top; i < g->end; i++)
        n += t->area[i].level == c->level;
    c->place = puan_new_n(c->a, n + 1, struct place);
    c->west = puan_new_n(c->a, n + 1, uint32_t);
    c->found = puan_new_n(c->a, n + 1, uint32_t);
    c->n = c->n_west = 0;
    c->widest = 0;
    if (c->place == NULL || c->west == NULL || c->found == NULL)
        return puan_arena_check(c->a, c->err);
    for (uint32_t i = g->top; i < g->end; i++) {
        struct place *p = &c->place[c->n];

        if (t->area[i].level != c->level || !puan_area_valid(t, i, g->day))
            continue;
        *p = (struct place){ .at = i, .up = above(c, i),
                             .f = &g->feature[i - g->top] };
        p->drawn = p->f->n_rings > 0;
        if (p->drawn) {
            p->box = box_of(p->f);
            c->west[c->n_west++] = c->n;
            if (p->box.east - p->box.west > c->widest)
                c->widest = p->box.east - p->box.west;
        }
        puan_arena_reset(&c->scratch);
        TRY(alone(c, p));
        c->n++;
    }
    qsort_r(c->west, c->n_west, sizeof(*c->west), by_west, c->place);
    return PUAN_OK;
}

static enum puan_status group(struct checker *c, uint32_t from, uint32_t to)
{
    const struct puan_area_tree *t = c->g->tree;
    const struct puan_geo_feature *up = feature_at(c->g, c->place[from].up);
    uint32_t *missing, n_missing = 0, drawn = 0;
    bool clean = false;

    puan_arena_reset(&c->scratch);
    missing = puan_new_n(&c->scratch, (size_t)(to - from) + 1, uint32_t);
    if (missing == NULL)
        return puan_arena_check(&c->scratch, c->err);
    for (uint32_t i = from; i < to; i++) {
        drawn += c->place[i].drawn;
        if (c->place[i].drawn ||
            t->area[c->place[i].at].kind == PUAN_AREA_VIRTUAL)
            continue;
        if (fault(c, PUAN_MAP_UNDRAWN, c->place[i].at, PUAN_AREA_NONE) != NULL)
            missing[n_missing++] = c->out->n - 1;
    }
    if (up != NULL && up->n_rings == 0)
        up = NULL;
    if (drawn == 0 && up == NULL)
        return puan_arena_check(c->a, c->err);
    if (up == NULL && c->place[from].up == PUAN_AREA_NONE && to - from == 1)
        return puan_arena_check(c->a, c->err); /* the top itself */
    if (up != NULL)
        TRY(adds_up(&clean, c, from, to, up));
    for (uint32_t i = from; i < to; i++)
        clean = clean && !c->place[i].crossed;
    for (uint32_t i = from; i < to; i++)
        c->place[i].dirty = !clean;
    return clean ? puan_arena_check(c->a, c->err)
                 : look_closer(c, from, to, up, missing, n_missing);
}

/* ---- buildings ----------------------------------------------------------------------------- */

static uint32_t who_holds(const struct checker *c, struct puan_geo_point p)
{
    for (uint32_t k = 0; k < c->n_west; k++) {
        const struct place *x = &c->place[c->west[k]];

        if (x->box.west > p.x)
            break;
        if (x->box.east >= p.x && x->box.south <= p.y && x->box.north >= p.y &&
            puan_geo_holds(x->f, p))
            return x->at;
    }
    return PUAN_AREA_NONE;
}

static enum puan_status buildings(struct checker *c)
{
    const struct puan_ground *g = c->g;

    for (size_t i = 0; i < g->n_buildings; i++) {
        const struct puan_building *b = &g->building[i];
        const struct puan_geo_feature *f = feature_at(g, b->area);
        struct puan_map_fault *x;
        uint32_t other;

        if (f == NULL || g->tree->area[b->area].level != c->level)
            continue;
        c->out->buildings++;
        if (g->tree->area[b->area].kind == PUAN_AREA_VIRTUAL) {
            x = fault(c, PUAN_MAP_GROUNDLESS, b->area, PUAN_AREA_NONE);
        } else if (f->n_rings == 0 || puan_geo_holds(f, b->at)) {
            continue;
        } else {
            other = who_holds(c, b->at);
            x = fault(c,
                      other == PUAN_AREA_NONE ? PUAN_MAP_ORPHAN
                                              : PUAN_MAP_ASTRAY,
                      b->area, other);
        }
        if (x != NULL)
            x->building = b;
        place_at(x, b->at);
    }
    return puan_arena_check(c->a, c->err);
}

/* ---- all ----------------------------------------------------------------------------------- */

static enum puan_status check_level(struct checker *c)
{
    enum puan_status st = gather(c);

    for (uint32_t from = 0, to; st == PUAN_OK && from < c->n; from = to) {
        for (to = from + 1; to < c->n && c->place[to].up == c->place[from].up;
             to++)
            ;
        st = group(c, from, to);
    }
    if (st == PUAN_OK)
        st = buildings(c);
    for (uint32_t i = 0; i < c->n; i++)
        puan_shape_free(c->plane, c->place[i].shape);
    return st;
}

static int by_weight(const void *x, const void *y)
{
    const struct puan_map_fault *a = x, *b = y;

    if (a->level != b->level)
        return a->level < b->level ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->m2 > b->m2 || a->m2 < b->m2)
        return a->m2 > b->m2 ? -1 : 1;
    if (a->area != b->area)
        return a->area < b->area ? -1 : 1;
    if (a->other != b->other)
        return a->other < b->other ? -1 : 1;
    return a->building < b->building ? -1 : a->building > b->building;
}

enum puan_status puan_map_check(struct puan_map_check *out,
                                const struct puan_ground *g, int level,
                                double least, struct puan_arena *a,
                                struct puan_err *err)
{
    const struct puan_area_tree *t = g->tree;
    struct puan_err own = { 0 };
    struct checker c = { .out = out, .g = g, .a = a,
                         .err = err ? err : &own,
                         .least = least > 0.001 ? least : 0.001 };
    enum puan_status st;

    memset(out, 0, sizeof(*out));
    for (uint32_t i = g->top; i < g->end; i++) {
        const struct puan_geo_feature *f = &g->feature[i - g->top];

        if (!puan_area_valid(t, i, g->day))
            continue;
        out->areas[t->area[i].level]++;
        out->drawn[t->area[i].level] += f->n_rings > 0;
        out->points += points_of(f);
    }
    TRY(puan_plane_open(&c.plane, c.err));
    puan_arena_init(&c.scratch, a->host);
    st = PUAN_OK;
    for (c.level = 0; c.level < t->n_levels && st == PUAN_OK; c.level++)
        if (out->drawn[c.level] > 0 &&
            (level < 0 || (unsigned)level == c.level))
            st = check_level(&c);
    puan_plane_close(c.plane);
    puan_arena_clear(&c.scratch);
    if (out->n > 1)
        qsort(out->fault, out->n, sizeof(*out->fault), by_weight);
    return st;
}
