/*
 * Thinner borders that still fit together: corners where three borders meet
 * stay, and each border between two of them is thinned the same way whichever
 * area it is read from (Douglas and Peucker, 1973).
 */
#include "features/maps/maps.h"

struct place {
    uint64_t key;         /* the point; 0 is shifted away */
    uint64_t neighbour[2];
    uint8_t n;
    bool corner;
};

struct places {
    struct place *p;
    size_t mask;
};

static uint64_t key_of(struct puan_geo_point p)
{
    return ((uint64_t)(uint32_t)p.x << 32 | (uint32_t)p.y) + 1;
}

static struct place *place_of(struct places *s, struct puan_geo_point p)
{
    uint64_t key = key_of(p), h = key * UINT64_C(0x9e3779b97f4a7c15);
    size_t i = (size_t)(h >> 20) & s->mask;

    while (s->p[i].key != 0 && s->p[i].key != key)
        i = (i + 1) & s->mask;
    s->p[i].key = key;
    return &s->p[i];
}

static void meet(struct place *p, uint64_t neighbour)
{
    for (unsigned i = 0; i < p->n; i++)
        if (p->neighbour[i] == neighbour)
            return;
    if (p->n == 2)
        p->corner = true;
    else
        p->neighbour[p->n++] = neighbour;
}

struct span {
    uint32_t from, to;
};

struct thinner {
    const struct puan_geo_point *p; /* the ring, begun at a corner, closed */
    bool *stays;
    struct span *stack;
    double limit2, narrow; /* tolerance squared; degrees of longitude shrink */
};

/* Squared distance of q from the segment; the same from both ends. */
static double away(const struct thinner *t, struct puan_geo_point q,
                   struct puan_geo_point a, struct puan_geo_point b)
{
    double ax, ay, dx, dy, qx, qy, l2, u;

    if (key_of(a) > key_of(b)) {
        struct puan_geo_point s = a;

        a = b;
        b = s;
    }
    ax = a.x * t->narrow;
    ay = a.y;
    dx = b.x * t->narrow - ax;
    dy = b.y - ay;
    qx = q.x * t->narrow - ax;
    qy = q.y - ay;
    l2 = dx * dx + dy * dy;
    u = l2 > 0 ? (qx * dx + qy * dy) / l2 : 0;
    u = u < 0 ? 0 : u > 1 ? 1 : u;
    qx -= u * dx;
    qy -= u * dy;
    return qx * qx + qy * qy;
}

static void thin_span(struct thinner *t, uint32_t from, uint32_t to)
{
    size_t n = 0;

    t->stack[n++] = (struct span){ from, to };
    while (n > 0) {
        struct span s = t->stack[--n];
        double worst = -1;
        uint32_t at = s.from;

        for (uint32_t i = s.from + 1; i < s.to; i++) {
            double d = away(t, t->p[i], t->p[s.from], t->p[s.to]);

            if (d > worst ||
                (d >= worst && key_of(t->p[i]) < key_of(t->p[at]))) {
                worst = d;
                at = i;
            }
        }
        if (at == s.from || worst <= t->limit2)
            continue;
        t->stays[at] = true;
        t->stack[n++] = (struct span){ s.from, at };
        t->stack[n++] = (struct span){ at, s.to };
    }
}

/* A ring without corners begins at its least point, the same for all. */
static uint32_t begin_of(struct places *s, const struct puan_geo_ring *r)
{
    uint32_t least = 0;

    for (uint32_t i = 0; i < r->n; i++) {
        if (place_of(s, r->p[i])->corner)
            return i;
        if (key_of(r->p[i]) < key_of(r->p[least]))
            least = i;
    }
    return least;
}

static enum puan_status thin_ring(struct places *s, struct puan_geo_ring *r,
                                  struct thinner *t, struct puan_arena *a,
                                  struct puan_err *err)
{
    uint32_t begin = begin_of(s, r), last = 0, n = 0;
    struct puan_geo_point *turned =
        puan_new_n(a, (size_t)r->n + 1, struct puan_geo_point);

    t->stays = puan_new_n(a, (size_t)r->n + 1, bool);
    t->stack = puan_new_n(a, (size_t)r->n + 2, struct span);
    if (!turned || !t->stays || !t->stack)
        return puan_arena_check(a, err);
    for (uint32_t i = 0; i <= r->n; i++)
        turned[i] = r->p[(begin + i) % r->n];
    t->p = turned;
    t->stays[0] = true;
    for (uint32_t i = 1; i <= r->n; i++)
        if (i == r->n || place_of(s, turned[i])->corner) {
            t->stays[i] = true;
            thin_span(t, last, i);
            last = i;
        }
    for (uint32_t i = 0; i < r->n; i++)
        n += t->stays[i];
    if (n < 3)
        return PUAN_OK; /* too small to be thinned */
    n = 0;
    for (uint32_t i = 0; i < r->n; i++)
        if (t->stays[i])
            turned[n++] = turned[i];
    r->p = turned;
    r->n = n;
    return PUAN_OK;
}

enum puan_status puan_geo_thin(struct puan_geo *g, int32_t tolerance,
                               struct puan_arena *a, struct puan_err *err)
{
    struct thinner t = { .limit2 = (double)tolerance * tolerance };
    struct places s = { 0 };
    size_t points = 0, cap = 64;
    double lat = 0, rad;
    enum puan_status st = PUAN_OK;

    for (uint32_t i = 0; i < g->n; i++)
        for (uint32_t k = 0; k < g->feature[i].n_rings; k++) {
            points += g->feature[i].ring[k].n;
            lat = g->feature[i].ring[k].p[0].y / 1e6;
        }
    while (cap < points * 2)
        cap *= 2;
    s.p = puan_new_n(a, cap, struct place);
    s.mask = cap - 1;
    if (!s.p)
        return puan_arena_check(a, err);
    rad = lat * 0.017453292519943295;
    /* cos, to a thousandth below 70 degrees, which is enough for a line */
    t.narrow = 1 - rad * rad / 2 + rad * rad * rad * rad / 24;
    for (uint32_t i = 0; i < g->n; i++)
        for (uint32_t k = 0; k < g->feature[i].n_rings; k++) {
            const struct puan_geo_ring *r = &g->feature[i].ring[k];

            for (uint32_t m = 0; m < r->n; m++) {
                struct place *p = place_of(&s, r->p[m]);

                meet(p, key_of(r->p[(m + 1) % r->n]));
                meet(p, key_of(r->p[(m + r->n - 1) % r->n]));
            }
        }
    for (uint32_t i = 0; i < g->n && st == PUAN_OK; i++)
        for (uint32_t k = 0; k < g->feature[i].n_rings && st == PUAN_OK; k++)
            st = thin_ring(&s, &g->feature[i].ring[k], &t, a, err);
    return st;
}
