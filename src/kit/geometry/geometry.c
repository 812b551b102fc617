/*
 * Shapes by GEOS.  What its operations give besides polygons (lines and points
 * where shapes only touch) is no ground and is left out.
 */
#include "kit/geometry/geometry.h"

#include <math.h>
#include <stdlib.h>

#include "kit/geometry/geos.h"

struct puan_shape {
    GEOSGeometry *g;
    struct puan_shape *next, **self; /* of the plane's shapes */
};

struct puan_plane {
    GEOSContextHandle_t h;
    struct puan_shape *shapes;
    char said[160]; /* the last complaint of GEOS */
};

static void complain(const char *message, void *plane)
{
    struct puan_plane *p = plane;

    puan_format(p->said, sizeof(p->said), "%s", message);
}

static enum puan_status failed(struct puan_plane *p, struct puan_err *err)
{
    return puan_fail(err, PUAN_EIO, "geometry", "%s",
                     p->said[0] ? p->said : "GEOS ran out of memory");
}

enum puan_status puan_plane_open(struct puan_plane **out, struct puan_err *err)
{
    struct puan_plane *p;

    *out = NULL;
    TRY(geos_load(err));
    p = calloc(1, sizeof(*p));
    if (p != NULL)
        p->h = geos.GEOS_init_r();
    if (p == NULL || p->h == NULL) {
        free(p);
        return puan_fail(err, PUAN_ENOMEM, "geometry", "out of memory");
    }
    (void)geos.GEOSContext_setErrorMessageHandler_r(p->h, complain, p);
    *out = p;
    return PUAN_OK;
}

void puan_plane_close(struct puan_plane *p)
{
    if (p == NULL)
        return;
    while (p->shapes != NULL)
        puan_shape_free(p, p->shapes);
    geos.GEOS_finish_r(p->h);
    free(p);
}

void puan_shape_free(struct puan_plane *p, struct puan_shape *s)
{
    if (s == NULL)
        return;
    *s->self = s->next;
    if (s->next != NULL)
        s->next->self = s->self;
    geos.GEOSGeom_destroy_r(p->h, s->g);
    free(s);
}

/* Takes what GEOS gave; NULL is its failure. */
static enum puan_status keep(struct puan_shape **out, struct puan_plane *p,
                             GEOSGeometry *g, struct puan_err *err)
{
    struct puan_shape *s;

    *out = NULL;
    if (g == NULL)
        return failed(p, err);
    s = calloc(1, sizeof(*s));
    if (s == NULL) {
        geos.GEOSGeom_destroy_r(p->h, g);
        return puan_fail(err, PUAN_ENOMEM, "geometry", "out of memory");
    }
    s->g = g;
    s->self = &p->shapes;
    s->next = p->shapes;
    if (s->next != NULL)
        s->next->self = &s->next;
    p->shapes = s;
    *out = s;
    return PUAN_OK;
}

/* ---- in ----------------------------------------------------------------------- */

static GEOSGeometry *ring_of(struct puan_plane *p,
                             const struct puan_plane_ring *r)
{
    GEOSCoordSequence *c;
    double *xy = calloc((size_t)r->n + 1, 2 * sizeof(*xy));

    if (xy == NULL)
        return NULL;
    for (uint32_t i = 0; i <= r->n; i++) {
        xy[2 * i] = r->p[i % r->n].x;
        xy[2 * i + 1] = r->p[i % r->n].y;
    }
    c = geos.GEOSCoordSeq_copyFromBuffer_r(p->h, xy, r->n + 1, 0, 0);
    free(xy);
    return c == NULL ? NULL : geos.GEOSGeom_createLinearRing_r(p->h, c);
}

static GEOSGeometry *polygon_of(struct puan_plane *p,
                                const struct puan_plane_ring *ring, uint32_t n)
{
    GEOSGeometry *outer = ring_of(p, &ring[0]), *g = NULL;
    GEOSGeometry **hole = calloc(n, sizeof(GEOSGeometry *));
    uint32_t made = 0;

    while (outer != NULL && hole != NULL && made + 1 < n) {
        hole[made] = ring_of(p, &ring[made + 1]);
        if (hole[made] == NULL)
            break;
        made++;
    }
    if (outer != NULL && hole != NULL && made + 1 == n) {
        /* takes the rings, also when it fails */
        g = geos.GEOSGeom_createPolygon_r(p->h, outer, hole, made);
    } else {
        for (uint32_t i = 0; i < made; i++)
            geos.GEOSGeom_destroy_r(p->h, hole[i]);
        if (outer != NULL)
            geos.GEOSGeom_destroy_r(p->h, outer);
    }
    free(hole);
    return g;
}

enum puan_status puan_shape_make(struct puan_shape **out, struct puan_plane *p,
                                 const struct puan_plane_ring *ring, uint32_t n,
                                 struct puan_err *err)
{
    uint32_t parts = 0, made = 0;
    GEOSGeometry **part, *g = NULL;

    *out = NULL;
    p->said[0] = '\0';
    if (n == 0)
        return keep(out, p, geos.GEOSGeom_createEmptyPolygon_r(p->h), err);
    for (uint32_t i = 0; i < n; i++)
        parts += ring[i].outer || i == 0;
    part = calloc(parts, sizeof(GEOSGeometry *));
    if (part == NULL)
        return puan_fail(err, PUAN_ENOMEM, "geometry", "out of memory");
    for (uint32_t i = 0, end; i < n; i = end, made++) {
        for (end = i + 1; end < n && !ring[end].outer; end++)
            ;
        part[made] = polygon_of(p, &ring[i], end - i);
        if (part[made] == NULL)
            break;
    }
    if (made < parts) {
        for (uint32_t i = 0; i < made; i++)
            geos.GEOSGeom_destroy_r(p->h, part[i]);
    } else if (parts == 1) {
        g = part[0];
    } else {
        g = geos.GEOSGeom_createCollection_r(p->h, GEOS_MULTIPOLYGON, part,
                                             parts);
    }
    free(part);
    return keep(out, p, g, err);
}

/* ---- asking and joining ---------------------------------------------------------- */

static int32_t whole(double v)
{
    double r = floor(v + 0.5);

    return r >= INT32_MAX ? INT32_MAX : r <= INT32_MIN ? INT32_MIN : (int32_t)r;
}

static enum puan_status point_of(struct puan_plane_point *out,
                                 struct puan_plane *p, const GEOSGeometry *g,
                                 struct puan_err *err)
{
    double x = 0, y = 0;

    if (geos.GEOSGeomGetX_r(p->h, g, &x) != 1 ||
        geos.GEOSGeomGetY_r(p->h, g, &y) != 1)
        return failed(p, err);
    *out = (struct puan_plane_point){ whole(x), whole(y) };
    return PUAN_OK;
}

enum puan_status puan_shape_sound(bool *sound, struct puan_plane_point *where,
                                  struct puan_plane *p,
                                  const struct puan_shape *s,
                                  struct puan_err *err)
{
    GEOSGeometry *at = NULL;
    enum puan_status st = PUAN_OK;
    char valid;

    p->said[0] = '\0';
    *where = (struct puan_plane_point){ 0, 0 };
    valid = geos.GEOSisValid_r(p->h, s->g);
    if (valid == 0)
        valid = geos.GEOSisValidDetail_r(p->h, s->g, 0, NULL, &at);
    if (valid == 2)
        st = failed(p, err);
    *sound = valid == 1;
    if (at != NULL && valid == 0)
        st = point_of(where, p, at, err);
    if (at != NULL)
        geos.GEOSGeom_destroy_r(p->h, at);
    return st;
}

/* The polygons among what an operation gave; takes `g`. */
static GEOSGeometry *ground_of(struct puan_plane *p, GEOSGeometry *g)
{
    int type = g == NULL ? -1 : geos.GEOSGeomTypeId_r(p->h, g);
    int n = type == GEOS_GEOMETRYCOLLECTION
                ? geos.GEOSGetNumGeometries_r(p->h, g)
                : 0;
    GEOSGeometry **kept, *joined = NULL;
    unsigned n_kept = 0;

    if (g == NULL || type == GEOS_POLYGON || type == GEOS_MULTIPOLYGON)
        return g;
    if (n == 0) { /* a line, a point or nothing */
        geos.GEOSGeom_destroy_r(p->h, g);
        return geos.GEOSGeom_createEmptyPolygon_r(p->h);
    }
    kept = calloc((size_t)n, sizeof(GEOSGeometry *));
    for (int i = 0; kept != NULL && i < n; i++) {
        const GEOSGeometry *x = geos.GEOSGetGeometryN_r(p->h, g, i);
        int t = geos.GEOSGeomTypeId_r(p->h, x);

        if (t != GEOS_POLYGON && t != GEOS_MULTIPOLYGON)
            continue;
        kept[n_kept] = geos.GEOSGeom_clone_r(p->h, x);
        n_kept += kept[n_kept] != NULL;
    }
    if (kept != NULL)
        joined = geos.GEOSGeom_createCollection_r(
            p->h, GEOS_GEOMETRYCOLLECTION, kept, n_kept);
    free(kept);
    geos.GEOSGeom_destroy_r(p->h, g);
    if (joined != NULL && n_kept > 1) {
        g = geos.GEOSUnaryUnion_r(p->h, joined);
        geos.GEOSGeom_destroy_r(p->h, joined);
        return g;
    }
    if (joined != NULL && n_kept == 1) {
        g = geos.GEOSGeom_clone_r(p->h,
                                  geos.GEOSGetGeometryN_r(p->h, joined, 0));
        geos.GEOSGeom_destroy_r(p->h, joined);
        return g;
    }
    if (joined != NULL)
        geos.GEOSGeom_destroy_r(p->h, joined);
    return kept == NULL ? NULL : geos.GEOSGeom_createEmptyPolygon_r(p->h);
}

enum puan_status puan_shape_mend(struct puan_shape **out, struct puan_plane *p,
                                 const struct puan_shape *s,
                                 struct puan_err *err)
{
    p->said[0] = '\0';
    return keep(out, p, ground_of(p, geos.GEOSMakeValid_r(p->h, s->g)), err);
}

enum puan_status puan_shape_both(struct puan_shape **out, struct puan_plane *p,
                                 const struct puan_shape *a,
                                 const struct puan_shape *b,
                                 struct puan_err *err)
{
    p->said[0] = '\0';
    return keep(out, p,
                ground_of(p, geos.GEOSIntersection_r(p->h, a->g, b->g)), err);
}

enum puan_status puan_shape_minus(struct puan_shape **out, struct puan_plane *p,
                                  const struct puan_shape *a,
                                  const struct puan_shape *b,
                                  struct puan_err *err)
{
    p->said[0] = '\0';
    return keep(out, p, ground_of(p, geos.GEOSDifference_r(p->h, a->g, b->g)),
                err);
}

enum puan_status puan_shape_all(struct puan_shape **out, struct puan_plane *p,
                                struct puan_shape *const *s, uint32_t n,
                                struct puan_err *err)
{
    GEOSGeometry **part = calloc(n ? n : 1, sizeof(GEOSGeometry *));
    GEOSGeometry *together, *g = NULL;
    uint32_t made = 0;

    *out = NULL;
    p->said[0] = '\0';
    if (part == NULL)
        return puan_fail(err, PUAN_ENOMEM, "geometry", "out of memory");
    for (; made < n; made++) {
        part[made] = geos.GEOSGeom_clone_r(p->h, s[made]->g);
        if (part[made] == NULL)
            break;
    }
    if (made == n) {
        together = geos.GEOSGeom_createCollection_r(
            p->h, GEOS_GEOMETRYCOLLECTION, part, n);
        if (together != NULL) {
            g = ground_of(p, geos.GEOSUnaryUnion_r(p->h, together));
            geos.GEOSGeom_destroy_r(p->h, together);
        }
    } else {
        for (uint32_t i = 0; i < made; i++)
            geos.GEOSGeom_destroy_r(p->h, part[i]);
    }
    free(part);
    return keep(out, p, g, err);
}

/* ---- out ----------------------------------------------------------------------- */

static enum puan_status ring_out(struct puan_plane_ring *out,
                                 struct puan_plane *p, const GEOSGeometry *ring,
                                 bool outer, struct puan_arena *a,
                                 struct puan_err *err)
{
    const GEOSCoordSequence *c =
        ring == NULL ? NULL : geos.GEOSGeom_getCoordSeq_r(p->h, ring);
    unsigned n = 0;
    double *xy;

    if (c == NULL || !geos.GEOSCoordSeq_getSize_r(p->h, c, &n) || n < 4)
        return failed(p, err);
    xy = puan_new_n(a, (size_t)n * 2, double);
    out->p = puan_new_n(a, n, struct puan_plane_point);
    if (xy == NULL || out->p == NULL)
        return puan_arena_check(a, err);
    if (!geos.GEOSCoordSeq_copyToBuffer_r(p->h, c, xy, 0, 0))
        return failed(p, err);
    out->n = n - 1;
    out->outer = outer;
    for (unsigned i = 0; i + 1 < n; i++)
        out->p[i] = (struct puan_plane_point){ whole(xy[2 * i]),
                                               whole(xy[2 * i + 1]) };
    return PUAN_OK;
}

static int by_area(const void *x, const void *y)
{
    double a = ((const struct puan_shape_piece *)x)->area,
           b = ((const struct puan_shape_piece *)y)->area;

    return a > b ? -1 : a < b;
}

static enum puan_status piece_out(struct puan_shape_piece *out,
                                  struct puan_plane *p, const GEOSGeometry *g,
                                  struct puan_arena *a, struct puan_err *err)
{
    int holes = geos.GEOSGetNumInteriorRings_r(p->h, g);
    GEOSGeometry *at;
    enum puan_status st;

    if (holes < 0)
        return failed(p, err);
    out->n_rings = (uint32_t)holes + 1;
    out->ring = puan_new_n(a, out->n_rings, struct puan_plane_ring);
    if (out->ring == NULL)
        return puan_arena_check(a, err);
    TRY(ring_out(&out->ring[0], p, geos.GEOSGetExteriorRing_r(p->h, g), true,
                 a, err));
    for (int i = 0; i < holes; i++)
        TRY(ring_out(&out->ring[i + 1], p,
                     geos.GEOSGetInteriorRingN_r(p->h, g, i), false, a, err));
    at = geos.GEOSPointOnSurface_r(p->h, g);
    if (at == NULL)
        return failed(p, err);
    st = point_of(&out->inside, p, at, err);
    geos.GEOSGeom_destroy_r(p->h, at);
    return st;
}

enum puan_status puan_shape_pieces(struct puan_shape_piece **out, uint32_t *n,
                                   struct puan_plane *p,
                                   const struct puan_shape *s, double least,
                                   struct puan_arena *a, struct puan_err *err)
{
    int all = geos.GEOSGetNumGeometries_r(p->h, s->g);

    *n = 0;
    p->said[0] = '\0';
    if (all < 0)
        return failed(p, err);
    *out = puan_new_n(a, all ? (size_t)all : 1, struct puan_shape_piece);
    if (*out == NULL)
        return puan_arena_check(a, err);
    for (int i = 0; i < all; i++) {
        const GEOSGeometry *g = geos.GEOSGetGeometryN_r(p->h, s->g, i);
        double area = 0;

        if (g == NULL || !geos.GEOSArea_r(p->h, g, &area))
            return failed(p, err);
        if (area <= 0 || area < least || geos.GEOSisEmpty_r(p->h, g))
            continue;
        (*out)[*n].area = area;
        TRY(piece_out(&(*out)[*n], p, g, a, err));
        ++*n;
    }
    if (*n > 1)
        qsort(*out, *n, sizeof(**out), by_area);
    return PUAN_OK;
}

enum puan_status puan_shape_filled(struct puan_shape **out,
                                   struct puan_plane *p,
                                   const struct puan_shape *s,
                                   struct puan_err *err)
{
    int all = geos.GEOSGetNumGeometries_r(p->h, s->g);
    GEOSGeometry **part, *together, *g = NULL;
    int made = 0;

    *out = NULL;
    p->said[0] = '\0';
    if (all < 0)
        return failed(p, err);
    part = calloc(all ? (size_t)all : 1, sizeof(GEOSGeometry *));
    if (part == NULL)
        return puan_fail(err, PUAN_ENOMEM, "geometry", "out of memory");
    for (int i = 0; i < all; i++) {
        const GEOSGeometry *x = geos.GEOSGetGeometryN_r(p->h, s->g, i);
        GEOSGeometry *ring;

        if (x == NULL || geos.GEOSisEmpty_r(p->h, x))
            continue;
        ring = geos.GEOSGeom_clone_r(p->h,
                                     geos.GEOSGetExteriorRing_r(p->h, x));
        part[made] = ring == NULL
                         ? NULL
                         : geos.GEOSGeom_createPolygon_r(p->h, ring, NULL, 0);
        made += part[made] != NULL;
    }
    together = geos.GEOSGeom_createCollection_r(p->h, GEOS_GEOMETRYCOLLECTION,
                                                part, (unsigned)made);
    if (together != NULL) {
        g = ground_of(p, geos.GEOSUnaryUnion_r(p->h, together));
        geos.GEOSGeom_destroy_r(p->h, together);
    }
    free(part);
    return keep(out, p, g, err);
}
