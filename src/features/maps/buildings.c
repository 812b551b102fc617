/*
 * Buildings: a number, a place and a kind in an enumeration area, from CSV.
 * Who lives there is the listing's and is not known here.
 */
#include <stdlib.h>

#include "base/csv.h"
#include "core/ledger/ledger.h"
#include "features/ledgers/ledgers.h"
#include "features/maps/internal.h"
#include "kit/crypto/crypto.h"

/* ---- reading -------------------------------------------------------------------- */

static int compare(const void *x, const void *y)
{
    const struct puan_building *a = x, *b = y;
    int64_t m, n;
    size_t k;
    int c;

    if (a->area != b->area)
        return a->area < b->area ? -1 : 1;
    if (puan_int_parse(&m, a->number) && puan_int_parse(&n, b->number) &&
        m != n)
        return m < n ? -1 : 1;
    k = a->number.n < b->number.n ? a->number.n : b->number.n;
    c = k > 0 ? memcmp(a->number.p, b->number.p, k) : 0;
    if (c != 0)
        return c;
    return a->number.n < b->number.n ? -1 : a->number.n > b->number.n;
}

struct columns {
    int ea, number, lon, lat, kind, units;
};

static enum puan_status read_row(struct puan_building *b,
                                 const struct columns *at,
                                 const struct puan_csv *c,
                                 const struct puan_area_tree *t,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_str ea = c->field[at->ea], number = c->field[at->number];
    int64_t x, y, units = 0;

    b->area = puan_area_find_digits(t, ea);
    if (b->area == PUAN_AREA_NONE)
        return puan_fail_at(err, PUAN_EINVAL, c->file, c->line, 0,
                            "ea: area %.*s is not known here; import the "
                            "areas first",
                            PUAN_FMT(ea));
    if (t->area[b->area].level + 1U != t->n_levels)
        return puan_fail_at(err, PUAN_EINVAL, c->file, c->line, 0,
                            "ea: area %.*s is not of the innermost level",
                            PUAN_FMT(ea));
    if (number.n == 0 || number.n > PUAN_BUILDING_TEXT)
        return puan_fail_at(err, PUAN_EINVAL, c->file, c->line, 0,
                            "building: a number of 1 to %d characters",
                            PUAN_BUILDING_TEXT);
    if (!puan_geo_degrees(&x, c->field[at->lon]) || x < -180000000 ||
        x > 180000000)
        return puan_fail_at(err, PUAN_EINVAL, c->file, c->line, 0,
                            "lon: degrees between -180 and 180, without "
                            "exponent");
    if (!puan_geo_degrees(&y, c->field[at->lat]) || y < -90000000 ||
        y > 90000000)
        return puan_fail_at(err, PUAN_EINVAL, c->file, c->line, 0,
                            "lat: degrees between -90 and 90, without "
                            "exponent");
    if (at->units >= 0 && c->field[at->units].n > 0 &&
        (!puan_int_parse(&units, c->field[at->units]) || units < 0 ||
         units > 100000))
        return puan_fail_at(err, PUAN_EINVAL, c->file, c->line, 0,
                            "units: a number of dwellings, 0 to 100000");
    if (at->kind >= 0) {
        b->kind = c->field[at->kind];
        if (b->kind.n > PUAN_BUILDING_TEXT)
            return puan_fail_at(err, PUAN_EINVAL, c->file, c->line, 0,
                                "kind: a word of at most %d characters",
                                PUAN_BUILDING_TEXT);
        b->kind = puan_arena_keep(a, b->kind);
    }
    b->number = puan_arena_keep(a, number);
    b->at = (struct puan_geo_point){ (int32_t)x, (int32_t)y };
    b->units = (uint32_t)units;
    return puan_arena_check(a, err);
}

enum puan_status puan_buildings_read(struct puan_building **out, size_t *n,
                                     const struct puan_area_tree *t,
                                     struct puan_str csv, const char *file,
                                     struct puan_arena *a, struct puan_err *err)
{
    struct puan_arena row;
    struct puan_csv c;
    struct columns at;
    size_t cap = 0;
    bool more = false;
    enum puan_status st;

    *out = NULL;
    *n = 0;
    puan_arena_init(&row, a->host);
    st = puan_csv_open(&c, csv, file, a, &row, err);
    if (st == PUAN_OK) {
        at = (struct columns){
            puan_csv_column(&c, "ea"),   puan_csv_column(&c, "building"),
            puan_csv_column(&c, "lon"),  puan_csv_column(&c, "lat"),
            puan_csv_column(&c, "kind"), puan_csv_column(&c, "units")
        };
        if (at.ea < 0 || at.number < 0 || at.lon < 0 || at.lat < 0)
            st = puan_fail_at(err, PUAN_EINVAL, file, 1, 0,
                              "needs the columns ea, building, lon, lat");
    }
    while (st == PUAN_OK &&
           (st = puan_csv_next(&more, &c, err)) == PUAN_OK && more) {
        if (*n == cap) {
            struct puan_building *grown;

            cap = cap ? cap * 2 : 256;
            grown = puan_new_n(a, cap, struct puan_building);
            if (grown == NULL) {
                st = puan_arena_check(a, err);
                break;
            }
            if (*n > 0)
                memcpy(grown, *out, *n * sizeof(*grown));
            *out = grown;
        }
        st = read_row(&(*out)[*n], &at, &c, t, a, err);
        *n += st == PUAN_OK;
    }
    puan_arena_clear(&row);
    if (st != PUAN_OK)
        return st;
    if (*n > 1)
        qsort(*out, *n, sizeof(**out), compare);
    for (size_t i = 1; i < *n; i++)
        if (compare(&(*out)[i - 1], &(*out)[i]) == 0)
            return puan_fail(err, PUAN_EINVAL, file,
                             "building %.*s of area %.*s stands there twice",
                             PUAN_FMT((*out)[i].number),
                             PUAN_FMT(t->area[(*out)[i].area].digits));
    return PUAN_OK;
}

/* ---- bytes ------------------------------------------------------------------------ */

static void put_text(struct puan_out *o, struct puan_str s)
{
    puan_out_varint(o, s.n);
    puan_out_str(o, s);
}

void puan_buildings_pack(struct puan_out *o, const struct puan_building *b,
                         size_t n)
{
    struct puan_geo_point at = { 0, 0 };

    puan_out_u8(o, 1);
    puan_out_varint(o, n);
    for (size_t i = 0; i < n; i++) {
        put_text(o, b[i].number);
        put_text(o, b[i].kind);
        puan_out_varint(o, b[i].units);
        puan_out_svarint(o, (int64_t)b[i].at.x - at.x);
        puan_out_svarint(o, (int64_t)b[i].at.y - at.y);
        at = b[i].at;
    }
}

enum puan_status puan_buildings_unpack(struct puan_building **out, size_t *n,
                                       uint32_t area, struct puan_str bytes,
                                       struct puan_arena *a,
                                       struct puan_err *err)
{
    struct puan_in in = puan_in_of(bytes);
    int64_t x = 0, y = 0;
    uint64_t all;

    *n = 0;
    if (puan_in_u8(&in) != 1)
        return puan_fail(err, PUAN_EINVAL, "buildings", "unknown version");
    all = puan_in_varint(&in);
    if (in.bad || all > bytes.n)
        return puan_fail(err, PUAN_EINVAL, "buildings", "damaged");
    *out = puan_new_n(a, all ? all : 1, struct puan_building);
    if (*out == NULL)
        return puan_arena_check(a, err);
    for (uint64_t i = 0; i < all; i++) {
        struct puan_building *b = &(*out)[i];
        uint64_t len = puan_in_varint(&in), units;
        int64_t dx, dy;

        b->area = area;
        b->number = puan_in_bytes(&in, len <= bytes.n ? (size_t)len : 0);
        if (len == 0 || len > PUAN_BUILDING_TEXT)
            in.bad = true;
        len = puan_in_varint(&in);
        b->kind = puan_in_bytes(&in, len <= bytes.n ? (size_t)len : 0);
        if (len > PUAN_BUILDING_TEXT)
            in.bad = true;
        units = puan_in_varint(&in);
        dx = puan_in_svarint(&in);
        dy = puan_in_svarint(&in);
        if (in.bad || units > 100000 || dx < -360000000 || dx > 360000000 ||
            dy < -180000000 || dy > 180000000)
            return puan_fail(err, PUAN_EINVAL, "buildings", "damaged");
        x += dx;
        y += dy;
        if (x < -180000000 || x > 180000000 || y < -90000000 || y > 90000000)
            return puan_fail(err, PUAN_EINVAL, "buildings", "damaged");
        b->number = puan_arena_keep(a, b->number);
        b->kind = puan_arena_keep(a, b->kind);
        b->units = (uint32_t)units;
        b->at = (struct puan_geo_point){ (int32_t)x, (int32_t)y };
    }
    if (in.bad || in.p != in.end)
        return puan_fail(err, PUAN_EINVAL, "buildings", "damaged");
    *n = (size_t)all;
    return puan_arena_check(a, err);
}

/* ---- importing ---------------------------------------------------------------------- */

struct parcel { /* the buildings of one area */
    int64_t ea, parent;
    struct puan_str packed;
};

struct import {
    struct puan_map_result *out;
    struct parcel *parcel;
    size_t n;
    const char *file;
    struct puan_arena *a;
};

static enum puan_status put_file(struct import *m, struct puan_shard *sh,
                                 struct puan_db *db, struct puan_act *act,
                                 struct puan_err *err)
{
    struct puan_str digest = { (const char *)m->out->digest,
                               sizeof(m->out->digest) };
    struct puan_stmt *s = NULL;
    struct puan_out c;
    int64_t id = 1;
    bool more = false;
    enum puan_status st;

    TRY(puan_sql(&s, db, "SELECT MAX(id) FROM building_file", err));
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more)
        id = puan_col_int(s, 0) + 1;
    puan_stmt_done(s);
    if (st != PUAN_OK)
        return st;
    TRY(puan_sql(&s, db,
                 "INSERT INTO building_file(id, file, digest, areas, buildings,"
                 " at) VALUES ($1, $2, $3, $4, $5, $6)",
                 err));
    puan_bind_int(s, 1, id);
    puan_bind_text(s, 2, puan_str_of(m->file));
    puan_bind_bytes(s, 3, digest.p, digest.n);
    puan_bind_int(s, 4, (int64_t)m->n);
    puan_bind_int(s, 5, (int64_t)m->out->features);
    puan_bind_int(s, 6, act->entry_ms);
    st = puan_stmt_run(s, err);
    puan_stmt_done(s);
    if (st != PUAN_OK)
        return st;
    puan_out_init(&c, m->a);
    puan_content_text(&c, puan_str_of(m->file));
    puan_content_bytes(&c, digest);
    puan_content_int(&c, (int64_t)m->n);
    puan_content_int(&c, (int64_t)m->out->features);
    puan_content_int(&c, act->entry_ms);
    return puan_cover(sh, db, act, "building_file",
                      puan_str_of(puan_arena_fmt(m->a, "%lld", (long long)id)),
                      puan_out_view(&c), err);
}

static enum puan_status import_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    struct import *m = arg;
    struct puan_stmt *s = NULL;
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; i < m->n && st == PUAN_OK; i++) {
        const struct parcel *p = &m->parcel[i];

        st = puan_sql(&s, db,
                      "INSERT INTO building(ea, parent, packed)"
                      " VALUES ($1, $2, $3) ON CONFLICT (ea) DO UPDATE SET"
                      " parent = excluded.parent, packed = excluded.packed",
                      err);
        if (st != PUAN_OK)
            return st;
        puan_bind_int(s, 1, p->ea);
        puan_bind_int(s, 2, p->parent);
        puan_bind_bytes(s, 3, p->packed.p, p->packed.n);
        st = puan_stmt_run(s, err);
        puan_stmt_done(s);
        if (st == PUAN_OK &&
            (i + 1 == m->n || m->parcel[i + 1].parent != p->parent))
            st = puan_ledger_cover(
                sh, db, act, &puan_maps_covered[PUAN_COVER_BUILDING],
                puan_str_of(
                    puan_arena_fmt(m->a, "%lld", (long long)p->parent)),
                err);
    }
    return st == PUAN_OK ? put_file(m, sh, db, act, err) : st;
}

/* Does the store hold these very buildings? */
static enum puan_status known(bool *same, const struct import *m,
                              struct puan_store *st, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    enum puan_status rc;

    *same = true;
    TRY(puan_read_begin(&db, office, err));
    rc = PUAN_OK;
    for (size_t i = 0; i < m->n && *same && rc == PUAN_OK; i++) {
        bool more = false;

        rc = puan_sql(&s, db, "SELECT packed FROM building WHERE ea = $1", err);
        if (rc != PUAN_OK)
            break;
        puan_bind_int(s, 1, m->parcel[i].ea);
        rc = puan_stmt_step(&more, s, err);
        *same = rc == PUAN_OK && more &&
                puan_str_eq(puan_col_bytes(s, 0), m->parcel[i].packed);
        puan_stmt_done(s);
    }
    puan_read_end(office, db);
    return rc;
}

bool puan_buildings_header(struct puan_str csv)
{
    struct puan_str line;

    /* the columns in the order `puan simulate` and the export write them, or
       any other: three names tell the file */
    return puan_str_split(&line, &csv, '\n') &&
           memmem(line.p, line.n, "building", 8) &&
           memmem(line.p, line.n, "lon", 3) && memmem(line.p, line.n, "lat", 3);
}

enum puan_status puan_buildings_import(struct puan_map_result *out,
                                       struct puan_store *st,
                                       struct puan_str csv, const char *file,
                                       bool dry_run,
                                       const struct puan_act *who,
                                       struct puan_arena *a,
                                       struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    struct import m = { .out = out, .file = file, .a = a };
    struct puan_building *b;
    struct puan_act act = *who;
    bool same = false;
    size_t n;

    memset(out, 0, sizeof(*out));
    if (t == NULL)
        return puan_fail(err, PUAN_EINVAL, file, "import the areas first");
    TRY(puan_buildings_read(&b, &n, t, csv, file, a, err));
    if (n == 0)
        return puan_fail(err, PUAN_EINVAL, file, "there is no building in it");
    m.parcel = puan_new_n(a, n, struct parcel);
    if (m.parcel == NULL)
        return puan_arena_check(a, err);
    for (size_t i = 0, end; i < n; i = end, m.n++) {
        const struct puan_area *area = &t->area[b[i].area];
        struct puan_out o;

        for (end = i + 1; end < n && b[end].area == b[i].area; end++)
            ;
        puan_out_init(&o, a);
        puan_buildings_pack(&o, &b[i], end - i);
        m.parcel[m.n] = (struct parcel){
            .ea = area->code,
            .parent = area->parent == PUAN_AREA_NONE
                          ? 0
                          : t->area[area->parent].code,
            .packed = puan_out_view(&o),
        };
    }
    TRY(puan_arena_check(a, err));
    out->level = t->level[t->n_levels - 1].name;
    out->features = n;
    out->points = m.n;
    puan_digest_one(out->digest, puan_store_digest(st), csv);
    TRY(known(&same, &m, st, err));
    if (same || dry_run)
        return PUAN_OK;
    act.verb = PUAN_STR("import.buildings");
    act.subject = PUAN_STR("buildings");
    act.note = puan_str_of(puan_arena_fmt(a, "%s: %zu buildings in %zu areas",
                                          file, n, m.n));
    memcpy(act.new_digest, out->digest, sizeof(act.new_digest));
    act.has_new = true;
    TRY(puan_commit(puan_store_office(st), &act, import_body, &m, err));
    out->written = true;
    return PUAN_OK;
}

/* ---- loading ------------------------------------------------------------------------- */

enum puan_status puan_buildings_load(struct puan_building **out, size_t *n,
                                     struct puan_store *st, uint32_t top,
                                     uint32_t end, struct puan_arena *a,
                                     struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    struct puan_shard *office = puan_store_office(st);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    size_t cap = 0;
    enum puan_status rc;

    *out = NULL;
    *n = 0;
    TRY(puan_read_begin(&db, office, err));
    rc = PUAN_OK;
    for (uint32_t i = top; i < end && rc == PUAN_OK; i++) {
        struct puan_building *own = NULL;
        bool more = false;
        size_t m = 0;

        if (t->area[i].level + 1U != t->n_levels)
            continue;
        rc = puan_sql(&s, db, "SELECT packed FROM building WHERE ea = $1", err);
        if (rc != PUAN_OK)
            break;
        puan_bind_int(s, 1, t->area[i].code);
        rc = puan_stmt_step(&more, s, err);
        if (rc == PUAN_OK && more)
            rc = puan_buildings_unpack(&own, &m, i, puan_col_bytes(s, 0), a,
                                       err);
        puan_stmt_done(s);
        if (rc == PUAN_OK && *n + m > cap) {
            struct puan_building *grown;

            cap = (*n + m) * 2;
            grown = puan_new_n(a, cap, struct puan_building);
            if (grown == NULL) {
                rc = puan_arena_check(a, err);
                break;
            }
            if (*n > 0)
                memcpy(grown, *out, *n * sizeof(*grown));
            *out = grown;
        }
        if (rc == PUAN_OK && m > 0) {
            memcpy(*out + *n, own, m * sizeof(*own));
            *n += m;
        }
    }
    puan_read_end(office, db);
    return rc;
}
