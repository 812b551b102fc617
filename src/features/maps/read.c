/*
 * GeoJSON in, packed rings in and out, GeoJSON out.  No I/O.
 */
#include "features/maps/internal.h"

#include "base/json.h"

#define SCALE 1000000
#define EAST (180 * SCALE)
#define NORTH (90 * SCALE)

struct reader {
    struct puan_json j;
    const char *file;
    struct puan_arena *a;
    struct puan_err *err;
    uint64_t points;
    /* rings of the feature being read */
    struct puan_geo_ring *ring;
    uint32_t n_rings, cap_rings;
    struct puan_geo_point *p;
    uint32_t n, cap;
};

static enum puan_status bad(struct reader *r, const char *what)
{
    uint32_t line, col;

    puan_json_position(&line, &col, r->j.src, r->j.start);
    return puan_fail_at(r->err, PUAN_EINVAL, r->file, line, col, "%s", what);
}

static enum puan_status next(enum puan_json_kind *k, struct reader *r)
{
    enum puan_status st = puan_json_next(k, &r->j, r->err);

    if (st != PUAN_OK && r->err && !r->err->where[0])
        puan_format(r->err->where, sizeof(r->err->where), "%s", r->file);
    return st;
}

static enum puan_status want(struct reader *r, enum puan_json_kind kind,
                             const char *what)
{
    enum puan_json_kind k;

    TRY(next(&k, r));
    return k == kind ? PUAN_OK : bad(r, what);
}

/* A decimal without exponent, in millionths, rounded to the nearest. */
bool puan_geo_degrees(int64_t *out, struct puan_str s)
{
    bool minus = s.n > 0 && s.p[0] == '-', up = false;
    int64_t v = 0;
    size_t i = minus, places = 0;

    if (i == s.n)
        return false;
    for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
        v = v * 10 + (s.p[i] - '0');
        if (v > 360)
            return false;
    }
    if (i < s.n) {
        if (s.p[i++] != '.' || i == s.n)
            return false;
        for (; i < s.n; i++) {
            if (s.p[i] < '0' || s.p[i] > '9')
                return false;
            if (places < 6) {
                v = v * 10 + (s.p[i] - '0');
                places++;
            } else if (places == 6) {
                up = s.p[i] >= '5';
                places++;
            }
        }
    }
    for (; places < 6; places++)
        v *= 10;
    v += up;
    *out = minus ? -v : v;
    return true;
}

static enum puan_status number(int64_t *out, struct reader *r, int64_t most)
{
    enum puan_json_kind k;

    TRY(next(&k, r));
    if (k != PUAN_JSON_NUMBER || !puan_geo_degrees(out, r->j.text))
        return bad(r, "a position is two numbers, longitude and latitude in "
                      "degrees, written without exponent");
    if (*out < -most || *out > most)
        return bad(r, "a position lies outside the globe; longitude comes "
                      "first");
    return PUAN_OK;
}

/* After the ring's opening bracket. */
static enum puan_status read_ring(struct reader *r, bool outer)
{
    struct puan_geo_point *own;
    enum puan_json_kind k;

    r->n = 0;
    for (;;) {
        int64_t x, y;

        TRY(next(&k, r));
        if (k == PUAN_JSON_CLOSE)
            break;
        if (k != PUAN_JSON_LIST)
            return bad(r, "a ring is a list of positions");
        TRY(number(&x, r, EAST));
        TRY(number(&y, r, NORTH));
        TRY(next(&k, r)); /* an altitude may stand there */
        if (k == PUAN_JSON_NUMBER)
            TRY(next(&k, r));
        if (k != PUAN_JSON_CLOSE)
            return bad(r, "a position has two or three numbers");
        if (++r->points > PUAN_GEO_POINTS)
            return puan_fail(r->err, PUAN_ELIMIT, r->file,
                             "more than %d points", PUAN_GEO_POINTS);
        if (r->n == r->cap) {
            uint32_t cap = r->cap ? r->cap * 2 : 1024;
            struct puan_geo_point *p =
                puan_new_n(r->a, cap, struct puan_geo_point);

            if (!p)
                return puan_arena_check(r->a, r->err);
            if (r->n)
                memcpy(p, r->p, r->n * sizeof(*p));
            r->p = p;
            r->cap = cap;
        }
        r->p[r->n++] = (struct puan_geo_point){ (int32_t)x, (int32_t)y };
    }
    if (r->n < 4)
        return bad(r, "a ring has at least three corners and ends where it "
                      "begins");
    if (memcmp(&r->p[0], &r->p[r->n - 1], sizeof(r->p[0])) != 0)
        return bad(r, "a ring ends where it begins");
    own = puan_new_n(r->a, r->n - 1, struct puan_geo_point);
    if (!own)
        return puan_arena_check(r->a, r->err);
    memcpy(own, r->p, (r->n - 1) * sizeof(*own));
    if (r->n_rings == r->cap_rings) {
        uint32_t cap = r->cap_rings ? r->cap_rings * 2 : 8;
        struct puan_geo_ring *g = puan_new_n(r->a, cap, struct puan_geo_ring);

        if (!g)
            return puan_arena_check(r->a, r->err);
        if (r->n_rings)
            memcpy(g, r->ring, r->n_rings * sizeof(*g));
        r->ring = g;
        r->cap_rings = cap;
    }
    r->ring[r->n_rings++] = (struct puan_geo_ring){ own, r->n - 1, outer };
    return PUAN_OK;
}

/* After a polygon's opening bracket. */
static enum puan_status read_polygon(struct reader *r)
{
    enum puan_json_kind k;
    bool first = true;

    for (;; first = false) {
        TRY(next(&k, r));
        if (k == PUAN_JSON_CLOSE)
            return first ? bad(r, "a polygon without a ring") : PUAN_OK;
        if (k != PUAN_JSON_LIST)
            return bad(r, "a polygon is a list of rings");
        TRY(read_ring(r, first));
    }
}

/*
 * "coordinates" may come before "type": it is remembered where they begin and
 * read once the kind is known.
 */
static enum puan_status read_geometry(struct reader *r)
{
    struct puan_json at = { 0 }, end;
    bool there = false, multi = false, typed = false;
    enum puan_json_kind k;

    r->n_rings = 0;
    for (;;) {
        TRY(next(&k, r));
        if (k == PUAN_JSON_CLOSE)
            break;
        if (puan_str_is(r->j.key, "type")) {
            if (k != PUAN_JSON_STRING ||
                (!puan_str_is(r->j.text, "Polygon") &&
                 !puan_str_is(r->j.text, "MultiPolygon")))
                return bad(r, "a boundary is a Polygon or a MultiPolygon");
            multi = puan_str_is(r->j.text, "MultiPolygon");
            typed = true;
        } else if (puan_str_is(r->j.key, "coordinates")) {
            if (k != PUAN_JSON_LIST)
                return bad(r, "coordinates must be a list");
            at = r->j;
            there = true;
            TRY(puan_json_skip(&r->j, r->err));
        } else if (k == PUAN_JSON_LIST || k == PUAN_JSON_MAP) {
            TRY(puan_json_skip(&r->j, r->err));
        }
    }
    if (!typed || !there)
        return bad(r, "a geometry has a type and coordinates");
    end = r->j;
    r->j = at;
    if (!multi)
        TRY(read_polygon(r));
    while (multi) {
        TRY(next(&k, r));
        if (k == PUAN_JSON_CLOSE)
            break;
        if (k != PUAN_JSON_LIST)
            return bad(r, "a MultiPolygon is a list of polygons");
        TRY(read_polygon(r));
    }
    if (r->n_rings == 0)
        return bad(r, "a MultiPolygon without a polygon");
    r->j = end;
    return PUAN_OK;
}

static enum puan_status read_code(struct puan_str *code, struct reader *r)
{
    enum puan_json_kind k;

    for (;;) {
        TRY(next(&k, r));
        if (k == PUAN_JSON_CLOSE)
            return PUAN_OK;
        if (k == PUAN_JSON_LIST || k == PUAN_JSON_MAP) {
            TRY(puan_json_skip(&r->j, r->err));
        } else if (puan_str_is(r->j.key, "code")) {
            if (k != PUAN_JSON_STRING || r->j.text.n == 0 ||
                r->j.text.n > 18)
                return bad(r, "code must be the area's code, a text of digits");
            for (size_t i = 0; i < r->j.text.n; i++)
                if (r->j.text.p[i] < '0' || r->j.text.p[i] > '9')
                    return bad(r,
                               "code must be the area's code, a text of digits");
            *code = puan_arena_keep(r->a, r->j.text);
        }
    }
}

static enum puan_status read_feature(struct puan_geo_feature *f,
                                     struct reader *r)
{
    bool shape = false;
    enum puan_json_kind k;

    for (;;) {
        TRY(next(&k, r));
        if (k == PUAN_JSON_CLOSE)
            break;
        if (puan_str_is(r->j.key, "type")) {
            if (k != PUAN_JSON_STRING || !puan_str_is(r->j.text, "Feature"))
                return bad(r, "expected a Feature");
        } else if (puan_str_is(r->j.key, "properties")) {
            if (k != PUAN_JSON_MAP)
                return bad(r, "properties must be a map");
            TRY(read_code(&f->code, r));
        } else if (puan_str_is(r->j.key, "geometry")) {
            if (k != PUAN_JSON_MAP)
                return bad(r, "geometry must be a map");
            TRY(read_geometry(r));
            f->ring = puan_new_n(r->a, r->n_rings, struct puan_geo_ring);
            if (!f->ring)
                return puan_arena_check(r->a, r->err);
            memcpy(f->ring, r->ring, r->n_rings * sizeof(*f->ring));
            f->n_rings = r->n_rings;
            shape = true;
        } else if (k == PUAN_JSON_LIST || k == PUAN_JSON_MAP) {
            TRY(puan_json_skip(&r->j, r->err));
        }
    }
    if (f->code.n == 0)
        return bad(r, "a feature needs the property \"code\"");
    return shape ? PUAN_OK : bad(r, "a feature needs a geometry");
}

static enum puan_status read_features(struct puan_geo *out, struct reader *r)
{
    uint32_t cap = 0;
    enum puan_json_kind k;

    for (;;) {
        TRY(next(&k, r));
        if (k == PUAN_JSON_CLOSE)
            return PUAN_OK;
        if (k != PUAN_JSON_MAP)
            return bad(r, "features must be a list of features");
        if (out->n == cap) {
            struct puan_geo_feature *f;

            if (out->n >= PUAN_GEO_FEATURES)
                return puan_fail(r->err, PUAN_ELIMIT, r->file,
                                 "more than %d features", PUAN_GEO_FEATURES);
            cap = cap ? cap * 2 : 64;
            f = puan_new_n(r->a, cap, struct puan_geo_feature);
            if (!f)
                return puan_arena_check(r->a, r->err);
            if (out->n)
                memcpy(f, out->feature, out->n * sizeof(*f));
            out->feature = f;
        }
        TRY(read_feature(&out->feature[out->n], r));
        out->n++;
    }
}

enum puan_status puan_geo_read(struct puan_geo *out, struct puan_str json,
                               const char *file, struct puan_arena *a,
                               struct puan_err *err)
{
    struct puan_err own = { 0 };
    struct reader r = { .file = file, .a = a, .err = err ? err : &own };
    bool typed = false, there = false;
    enum puan_json_kind k;

    memset(out, 0, sizeof(*out));
    if (json.n > PUAN_GEO_BYTES)
        return puan_fail(r.err, PUAN_ELIMIT, file, "more than %zu bytes",
                         PUAN_GEO_BYTES);
    puan_json_init(&r.j, json, a);
    TRY(want(&r, PUAN_JSON_MAP, "expected a GeoJSON FeatureCollection"));
    for (;;) {
        TRY(next(&k, &r));
        if (k == PUAN_JSON_CLOSE)
            break;
        if (puan_str_is(r.j.key, "type")) {
            if (k != PUAN_JSON_STRING ||
                !puan_str_is(r.j.text, "FeatureCollection"))
                return bad(&r, "expected a GeoJSON FeatureCollection");
            typed = true;
        } else if (puan_str_is(r.j.key, "features") && !there) {
            if (k != PUAN_JSON_LIST)
                return bad(&r, "features must be a list of features");
            there = true;
            TRY(read_features(out, &r));
        } else if (k == PUAN_JSON_LIST || k == PUAN_JSON_MAP) {
            TRY(puan_json_skip(&r.j, r.err));
        }
    }
    TRY(want(&r, PUAN_JSON_END, "text after the end"));
    if (!typed || !there)
        return bad(&r, "expected a GeoJSON FeatureCollection");
    out->points = r.points;
    return puan_arena_check(a, r.err);
}

/* ---- bytes ------------------------------------------------------------------ */

void puan_geo_pack(struct puan_out *o, const struct puan_geo_feature *f)
{
    struct puan_geo_point at = { 0, 0 };

    puan_out_u8(o, 1);
    puan_out_varint(o, f->n_rings);
    for (uint32_t i = 0; i < f->n_rings; i++) {
        const struct puan_geo_ring *r = &f->ring[i];

        puan_out_varint(o, (uint64_t)r->n << 1 | r->outer);
        for (uint32_t k = 0; k < r->n; k++) {
            puan_out_svarint(o, (int64_t)r->p[k].x - at.x);
            puan_out_svarint(o, (int64_t)r->p[k].y - at.y);
            at = r->p[k];
        }
    }
}

enum puan_status puan_geo_unpack(struct puan_geo_feature *f,
                                 struct puan_str bytes, struct puan_arena *a,
                                 struct puan_err *err)
{
    struct puan_in in = puan_in_of(bytes);
    int64_t x = 0, y = 0;
    uint64_t n;

    f->n_rings = 0;
    if (puan_in_u8(&in) != 1)
        return puan_fail(err, PUAN_EINVAL, "boundary", "unknown version");
    n = puan_in_varint(&in);
    if (in.bad || n > bytes.n)
        return puan_fail(err, PUAN_EINVAL, "boundary", "damaged");
    f->ring = puan_new_n(a, n ? n : 1, struct puan_geo_ring);
    if (!f->ring)
        return puan_arena_check(a, err);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t head = puan_in_varint(&in), m = head >> 1;
        struct puan_geo_ring *r = &f->ring[i];

        if (in.bad || m < 3 || m > bytes.n)
            return puan_fail(err, PUAN_EINVAL, "boundary", "damaged");
        r->p = puan_new_n(a, m, struct puan_geo_point);
        if (!r->p)
            return puan_arena_check(a, err);
        r->n = (uint32_t)m;
        r->outer = head & 1;
        for (uint64_t k = 0; k < m; k++) {
            int64_t dx = puan_in_svarint(&in), dy = puan_in_svarint(&in);

            if (in.bad || dx < -2 * EAST || dx > 2 * EAST || dy < -2 * NORTH ||
                dy > 2 * NORTH)
                return puan_fail(err, PUAN_EINVAL, "boundary", "damaged");
            x += dx;
            y += dy;
            if (x < -EAST || x > EAST || y < -NORTH || y > NORTH)
                return puan_fail(err, PUAN_EINVAL, "boundary", "damaged");
            r->p[k] = (struct puan_geo_point){ (int32_t)x, (int32_t)y };
        }
    }
    if (in.p != in.end || (n > 0 && !f->ring[0].outer))
        return puan_fail(err, PUAN_EINVAL, "boundary", "damaged");
    f->n_rings = (uint32_t)n;
    return PUAN_OK;
}

/* ---- out --------------------------------------------------------------------- */

static void put_degrees(struct puan_out *o, int32_t v, unsigned decimals)
{
    int64_t unit = decimals >= 6 ? 1 : decimals == 5 ? 10 : 100;
    int64_t whole = 1000000 / unit, x = v < 0 ? -(int64_t)v : v;

    x = (x + unit / 2) / unit;
    puan_out_fmt(o, "%s%lld.%0*lld", v < 0 && x > 0 ? "-" : "",
                 (long long)(x / whole),
                 decimals >= 6 ? 6 : decimals == 5 ? 5 : 4,
                 (long long)(x % whole));
}

static void put_ring(struct puan_out *o, const struct puan_geo_ring *r,
                     unsigned decimals)
{
    puan_out_char(o, '[');
    for (uint32_t k = 0; k <= r->n; k++) {
        puan_out_text(o, k ? ",[" : "[");
        put_degrees(o, r->p[k % r->n].x, decimals);
        puan_out_char(o, ',');
        put_degrees(o, r->p[k % r->n].y, decimals);
        puan_out_char(o, ']');
    }
    puan_out_char(o, ']');
}

void puan_geo_json(struct puan_out *o, const struct puan_geo_feature *f,
                   unsigned decimals)
{
    uint32_t outer = 0;

    for (uint32_t i = 0; i < f->n_rings; i++)
        outer += f->ring[i].outer;
    puan_out_text(o, outer > 1 ? "{\"type\":\"MultiPolygon\",\"coordinates\":[["
                               : "{\"type\":\"Polygon\",\"coordinates\":[");
    for (uint32_t i = 0; i < f->n_rings; i++) {
        if (i > 0)
            puan_out_text(o, f->ring[i].outer ? "],[" : ",");
        put_ring(o, &f->ring[i], decimals);
    }
    puan_out_text(o, outer > 1 ? "]]}" : "]}");
}
