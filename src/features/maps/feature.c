/*
 * Importing boundaries and giving them out.
 */
#include "features/maps/maps.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/json.h"
#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "core/plan/plan.h"
#include "features/host/request.h"
#include "features/ledgers/ledgers.h"
#include "features/maps/internal.h"
#include "features/web/web.h"
#include "kit/crypto/crypto.h"
#include "kit/gzip/gzip.h"
#include "kit/http/http.h"
#include "kit/os/heap.h"

/* ---- importing --------------------------------------------------------------- */

struct import {
    struct puan_map_result *out;
    const struct puan_geo *geo;
    int64_t *code;
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

    TRY(puan_sql(&s, db,
                 "INSERT INTO boundary_file(level, file, digest, features,"
                 " points, at) VALUES ($1, $2, $3, $4, $5, $6)"
                 " ON CONFLICT (level) DO UPDATE SET file = excluded.file,"
                 " digest = excluded.digest, features = excluded.features,"
                 " points = excluded.points, at = excluded.at",
                 err));
    puan_bind_text(s, 1, m->out->level);
    puan_bind_text(s, 2, puan_str_of(m->file));
    puan_bind_bytes(s, 3, digest.p, digest.n);
    puan_bind_int(s, 4, (int64_t)m->out->features);
    puan_bind_int(s, 5, (int64_t)m->out->points);
    puan_bind_int(s, 6, act->entry_ms);
    TRY(puan_stmt_once(s, err));
    puan_out_init(&c, m->a);
    puan_content_text(&c, puan_str_of(m->file));
    puan_content_bytes(&c, digest);
    puan_content_int(&c, (int64_t)m->out->features);
    puan_content_int(&c, (int64_t)m->out->points);
    puan_content_int(&c, act->entry_ms);
    return puan_cover(sh, db, act, "boundary_file", m->out->level,
                      puan_out_view(&c), err);
}

static enum puan_status import_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    struct import *m = arg;
    struct puan_stmt *s = NULL;
    enum puan_status st;

    TRY(puan_sql(&s, db, "DELETE FROM boundary WHERE level = $1", err));
    puan_bind_text(s, 1, m->out->level);
    st = puan_stmt_once(s, err);
    for (uint32_t i = 0; i < m->geo->n && st == PUAN_OK; i++) {
        struct puan_arena a;
        struct puan_out o;

        puan_arena_init(&a, &puan_heap);
        puan_out_init(&o, &a);
        puan_geo_pack(&o, &m->geo->feature[i]);
        st = puan_arena_check(&a, err);
        if (st == PUAN_OK)
            st = puan_sql(&s, db,
                          "INSERT INTO boundary(code, level, rings)"
                          " VALUES ($1, $2, $3)",
                          err);
        if (st == PUAN_OK) {
            struct puan_str v = puan_out_view(&o);

            puan_bind_int(s, 1, m->code[i]);
            puan_bind_text(s, 2, m->out->level);
            puan_bind_bytes(s, 3, v.p, v.n);
            st = puan_stmt_once(s, err);
        }
        puan_arena_clear(&a);
    }
    if (st == PUAN_OK)
        st = puan_ledger_cover(sh, db, act, &puan_maps_covered[PUAN_COVER_BOUNDARY],
                               m->out->level, err);
    return st == PUAN_OK ? put_file(m, sh, db, act, err) : st;
}

static enum puan_status known(bool *same, struct puan_store *st,
                              const struct puan_map_result *r,
                              struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    bool more = false;
    enum puan_status rc;

    *same = false;
    TRY(puan_read_begin(&db, office, err));
    rc = puan_sql(&s, db, "SELECT digest FROM boundary_file WHERE level = $1",
                  err);
    if (rc == PUAN_OK) {
        puan_bind_text(s, 1, r->level);
        rc = puan_stmt_step(&more, s, err);
        if (rc == PUAN_OK && more) {
            struct puan_str d = puan_col_bytes(s, 0);

            *same = d.n == sizeof(r->digest) &&
                    memcmp(d.p, r->digest, d.n) == 0;
        }
        puan_stmt_done(s);
    }
    puan_read_end(office, db);
    return rc;
}

static int by_code(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

    return a < b ? -1 : a > b;
}

/* Every code is an area of one and the same level, and stands there once. */
static enum puan_status place(struct import *m, struct puan_store *st,
                              struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    int level = -1;
    int64_t *sorted = puan_new_n(m->a, m->geo->n, int64_t);

    m->code = puan_new_n(m->a, m->geo->n, int64_t);
    if (!m->code || !sorted)
        return puan_arena_check(m->a, err);
    for (uint32_t i = 0; i < m->geo->n; i++) {
        struct puan_str code = m->geo->feature[i].code;
        uint32_t at = t ? puan_area_find_digits(t, code) : PUAN_AREA_NONE;

        if (at == PUAN_AREA_NONE)
            return puan_fail(err, PUAN_EINVAL, m->file,
                             "area %.*s is not known here; import the areas "
                             "first",
                             PUAN_FMT(code));
        if (level >= 0 && t->area[at].level != level)
            return puan_fail(err, PUAN_EINVAL, m->file,
                             "area %.*s is of another level than those before "
                             "it; one file a level",
                             PUAN_FMT(code));
        level = t->area[at].level;
        m->code[i] = sorted[i] = t->area[at].code;
    }
    qsort(sorted, m->geo->n, sizeof(*sorted), by_code);
    for (uint32_t i = 1; i < m->geo->n; i++)
        if (sorted[i] == sorted[i - 1])
            return puan_fail(err, PUAN_EINVAL, m->file,
                             "area %lld stands there twice",
                             (long long)sorted[i]);
    m->out->level = puan_arena_keep(m->a, t->level[level].name);
    return puan_arena_check(m->a, err);
}

enum puan_status puan_map_import(struct puan_map_result *out,
                                 struct puan_store *st, struct puan_str json,
                                 const char *file, bool dry_run,
                                 const struct puan_act *who,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_geo geo;
    struct import m = { .out = out, .geo = &geo, .file = file, .a = a };
    struct puan_act act = *who;
    bool same = false;

    memset(out, 0, sizeof(*out));
    TRY(puan_geo_read(&geo, json, file, a, err));
    if (geo.n == 0)
        return puan_fail(err, PUAN_EINVAL, file, "there is no feature in it");
    TRY(place(&m, st, err));
    out->features = geo.n;
    out->points = geo.points;
    puan_digest_one(out->digest, puan_store_digest(st), json);
    TRY(known(&same, st, out, err));
    if (same || dry_run)
        return PUAN_OK;
    act.verb = PUAN_STR("import.boundaries");
    act.subject = out->level;
    act.note = puan_str_of(puan_arena_fmt(a, "%s: %u features, %llu points",
                                          file, geo.n,
                                          (unsigned long long)geo.points));
    memcpy(act.new_digest, out->digest, sizeof(act.new_digest));
    act.has_new = true;
    TRY(puan_commit(puan_store_office(st), &act, import_body, &m, err));
    out->written = true;
    return PUAN_OK;
}

/* ---- maps kept ----------------------------------------------------------------- */

#define KEPT 64

struct kept {
    char key[120];
    const char *type;
    char *json, *packed;
    size_t n, n_packed;
    char tag[40], packed_tag[44];
    uint64_t used;
};

struct maps {
    pthread_mutex_t lock, making, checking;
    struct kept kept[KEPT];
    uint64_t uses;
};

static void drop(struct kept *k)
{
    free(k->json);
    free(k->packed);
    memset(k, 0, sizeof(*k));
}

static enum puan_status maps_open(void **state, struct puan_store *st,
                                  struct puan_err *err)
{
    struct maps *m = calloc(1, sizeof(*m));

    (void)st;
    if (!m)
        return puan_fail(err, PUAN_ENOMEM, "maps", "out of memory");
    pthread_mutex_init(&m->lock, NULL);
    pthread_mutex_init(&m->making, NULL);
    pthread_mutex_init(&m->checking, NULL);
    *state = m;
    return PUAN_OK;
}

static void maps_close(void *state, struct puan_store *st)
{
    struct maps *m = state;

    (void)st;
    if (!m)
        return;
    for (size_t i = 0; i < KEPT; i++)
        drop(&m->kept[i]);
    pthread_mutex_destroy(&m->lock);
    pthread_mutex_destroy(&m->making);
    pthread_mutex_destroy(&m->checking);
    free(m);
}

/* ---- giving them out ------------------------------------------------------------ */

struct map_in {
    struct puan_str level;
    int64_t area;
};
static const struct puan_param map_params[] = {
    { "level", PUAN_PARAM_TEXT, offsetof(struct map_in, level), 1, 32 },
    { "area", PUAN_PARAM_AREA, offsetof(struct map_in, area), 1, INT64_MAX,
      true },
};

struct box {
    int32_t west, south, east, north;
    bool any;
};

static void grow(struct box *b, const struct puan_geo_feature *f)
{
    for (uint32_t i = 0; i < f->n_rings; i++)
        for (uint32_t k = 0; k < f->ring[i].n; k++) {
            struct puan_geo_point p = f->ring[i].p[k];

            if (!b->any)
                *b = (struct box){ p.x, p.y, p.x, p.y, true };
            b->west = p.x < b->west ? p.x : b->west;
            b->east = p.x > b->east ? p.x : b->east;
            b->south = p.y < b->south ? p.y : b->south;
            b->north = p.y > b->north ? p.y : b->north;
        }
}

/* The boundaries of a level inside the area, in order of the tree. */
static enum puan_status load(struct puan_geo *g, uint32_t **at,
                             struct puan_request *rq, unsigned level,
                             uint32_t top, struct puan_arena *a,
                             struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    bool more = false;
    size_t n = 0;
    enum puan_status st;

    for (uint32_t i = puan_area_next(t, top, level, PUAN_AREA_NONE);
         i != PUAN_AREA_NONE; i = puan_area_next(t, top, level, i))
        n++;
    g->feature = puan_new_n(a, n ? n : 1, struct puan_geo_feature);
    *at = puan_new_n(a, n ? n : 1, uint32_t);
    if (!g->feature || !*at)
        return puan_arena_check(a, err);
    TRY(puan_read_begin(&db, office, err));
    st = PUAN_OK;
    for (uint32_t i = puan_area_next(t, top, level, PUAN_AREA_NONE);
         i != PUAN_AREA_NONE && st == PUAN_OK;
         i = puan_area_next(t, top, level, i)) {
        struct puan_geo_feature *f = &g->feature[g->n];

        (*at)[g->n++] = i;
        f->code = t->area[i].digits;
        st = puan_sql(&s, db, "SELECT rings FROM boundary WHERE code = $1",
                      err);
        if (st != PUAN_OK)
            break;
        puan_bind_int(s, 1, t->area[i].code);
        st = puan_stmt_step(&more, s, err);
        if (st == PUAN_OK && more)
            st = puan_geo_unpack(f, puan_col_bytes(s, 0), a, err);
        puan_stmt_done(s);
    }
    puan_read_end(office, db);
    return st;
}

static enum puan_status make(struct puan_str *json, struct puan_request *rq,
                             const void *what, struct puan_arena *a,
                             struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const unsigned level = *(const unsigned *)what;
    const uint32_t top = puan_area_find(t, rq->area);
    struct puan_geo g = { 0 };
    struct box b = { 0 };
    struct puan_out o;
    struct puan_jw w;
    uint32_t *at;
    unsigned decimals = 6;
    int32_t width;

    TRY(load(&g, &at, rq, level, top, a, err));
    for (uint32_t i = 0; i < g.n; i++)
        grow(&b, &g.feature[i]);
    width = b.east - b.west > b.north - b.south ? b.east - b.west
                                                : b.north - b.south;
    /* half a dot of a map 2,000 dots wide */
    if (width / 4000 > 5) {
        TRY(puan_geo_thin(&g, width / 4000, a, err));
        decimals = 5;
    }
    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_ktext(&w, "type", "FeatureCollection");
    puan_jw_kstr(&w, "level", t->level[level].name);
    puan_jw_kbool(&w, "drawn", b.any);
    if (b.any) {
        struct puan_geo_point corner[2] = { { b.west, b.south },
                                            { b.east, b.north } };

        puan_jw_key(&w, "bbox");
        puan_jw_list(&w);
        for (int i = 0; i < 2; i++) {
            char text[2][24];

            puan_format(text[0], sizeof(text[0]), "%s%d.%06d",
                        corner[i].x < 0 ? "-" : "", abs(corner[i].x) / 1000000,
                        abs(corner[i].x) % 1000000);
            puan_format(text[1], sizeof(text[1]), "%s%d.%06d",
                        corner[i].y < 0 ? "-" : "", abs(corner[i].y) / 1000000,
                        abs(corner[i].y) % 1000000);
            puan_jw_raw(&w, puan_str_of(text[0]));
            puan_jw_raw(&w, puan_str_of(text[1]));
        }
        puan_jw_end(&w, ']');
    }
    puan_jw_key(&w, "features");
    puan_jw_list(&w);
    for (uint32_t i = 0; i < g.n; i++) {
        const struct puan_area *area = &t->area[at[i]];

        puan_jw_map(&w);
        puan_jw_ktext(&w, "type", "Feature");
        puan_jw_key(&w, "properties");
        puan_jw_map(&w);
        puan_jw_kstr(&w, "code", area->digits);
        puan_jw_kstr(&w, "zh", area->zh);
        puan_jw_kstr(&w, "en", area->en);
        puan_jw_ktext(&w, "kind", puan_area_kind_name(area->kind));
        puan_jw_end(&w, '}');
        puan_jw_key(&w, "geometry");
        if (g.feature[i].n_rings > 0) {
            struct puan_out shape;

            puan_out_init(&shape, a);
            puan_geo_json(&shape, &g.feature[i], decimals);
            puan_jw_raw(&w, puan_out_view(&shape));
        } else {
            puan_jw_null(&w); /* no ground, or nobody has drawn it */
        }
        puan_jw_end(&w, '}');
    }
    puan_jw_end(&w, ']');
    puan_jw_end(&w, '}');
    *json = puan_out_view(&o);
    return puan_arena_check(a, err);
}

static void give(struct puan_request *rq, const struct kept *k)
{
    bool packed =
        k->packed &&
        puan_web_takes_gzip(rq->http->header[PUAN_H_ACCEPT_ENCODING]);
    const char *tag = packed ? k->packed_tag : k->tag;

    if (puan_web_tag_matches(rq->http->header[PUAN_H_IF_NONE_MATCH],
                             puan_str_of(tag))) {
        puan_answer_bytes(rq, 304, NULL, PUAN_STR(""));
    } else {
        puan_answer_bytes(rq, 200, k->type,
                          packed ? (struct puan_str){ k->packed, k->n_packed }
                                 : (struct puan_str){ k->json, k->n });
        if (packed)
            puan_answer_header(rq, "Content-Encoding", "gzip");
    }
    puan_answer_header(rq, "Vary", "Accept-Encoding");
    puan_answer_header(rq, "ETag", tag);
}

static bool from_kept(struct maps *m, struct puan_request *rq, const char *key)
{
    bool found = false;

    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < KEPT && !found; i++)
        if (m->kept[i].json && strcmp(m->kept[i].key, key) == 0) {
            m->kept[i].used = ++m->uses;
            give(rq, &m->kept[i]);
            found = true;
        }
    pthread_mutex_unlock(&m->lock);
    return found;
}

static void keep(struct maps *m, struct puan_request *rq, const char *key,
                 const char *type, struct puan_str json, struct puan_str packed)
{
    uint8_t digest[PUAN_DIGEST_SIZE];
    struct kept k = { .type = type };
    char hex[33];
    size_t old = 0;

    puan_digest_one(digest, puan_store_digest(rq->store), json);
    puan_hex(hex, digest, 16);
    puan_format(k.key, sizeof(k.key), "%s", key);
    puan_format(k.tag, sizeof(k.tag), "\"%s\"", hex);
    puan_format(k.packed_tag, sizeof(k.packed_tag), "\"%s-gz\"", hex);
    k.json = malloc(json.n ? json.n : 1);
    k.packed = packed.n ? malloc(packed.n) : NULL;
    if (!k.json || (packed.n && !k.packed)) {
        drop(&k);
        puan_answer_bytes(rq, 200, type, json);
        return;
    }
    memcpy(k.json, json.p, json.n);
    k.n = json.n;
    if (packed.n)
        memcpy(k.packed, packed.p, packed.n);
    k.n_packed = packed.n;
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < KEPT; i++)
        if (m->kept[i].used < m->kept[old].used)
            old = i;
    drop(&m->kept[old]);
    k.used = ++m->uses;
    m->kept[old] = k;
    give(rq, &m->kept[old]);
    pthread_mutex_unlock(&m->lock);
}

/* What drawings rest on: the files of all levels, and of buildings. */
static enum puan_status stamp(int64_t at[2], struct puan_request *rq,
                              struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_db *db = NULL;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    st = PUAN_OK;
    for (int i = 0; i < 2 && st == PUAN_OK; i++) {
        struct puan_stmt *s = NULL;
        bool more = false;

        at[i] = 0;
        st = i == 0 ? puan_sql(&s, db, "SELECT MAX(at) FROM boundary_file", err)
                    : puan_sql(&s, db, "SELECT MAX(id) FROM building_file",
                               err);
        if (st == PUAN_OK)
            st = puan_stmt_step(&more, s, err);
        if (st == PUAN_OK && more)
            at[i] = puan_col_int(s, 0);
        puan_stmt_done(s);
    }
    puan_read_end(office, db);
    return st;
}

enum puan_status puan_map_answer(struct puan_request *rq, const char *name,
                                 const char *type, bool slow,
                                 puan_map_make_fn make_it, const void *what,
                                 struct puan_err *err)
{
    struct maps *m = puan_store_state(rq->store, &puan_feature_maps);
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    pthread_mutex_t *one = slow ? &m->checking : &m->making;
    struct puan_str json = { 0 }, packed = { 0 };
    struct puan_arena a;
    int64_t at[2];
    char key[120];
    enum puan_status st;

    if (!t || puan_area_find(t, rq->area) == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "no such area");
    TRY(stamp(at, rq, err));
    /* a tree is made anew when areas change, and the old one stays in place;
       areas begin and cease to be valid by the day */
    puan_format(key, sizeof(key), "%s/%lld/%llx/%llx/%llx/%lld", name,
                (long long)rq->area, (unsigned long long)at[0],
                (unsigned long long)at[1], (unsigned long long)(uintptr_t)t,
                (long long)puan_instant_day(
                    rq->now, puan_store_plan(rq->store)->offset_minutes));
    if (from_kept(m, rq, key))
        return PUAN_OK;
    pthread_mutex_lock(one); /* one drawing, and one check, at a time */
    if (from_kept(m, rq, key)) {
        pthread_mutex_unlock(one);
        return PUAN_OK;
    }
    puan_arena_init(&a, &puan_heap);
    st = make_it(&json, rq, what, &a, err);
    if (st == PUAN_OK)
        st = puan_gzip(&packed, json, &a, err);
    if (st == PUAN_OK)
        keep(m, rq, key, type, json, packed);
    puan_arena_clear(&a);
    pthread_mutex_unlock(one);
    return st;
}

static enum puan_status get_map(struct puan_request *rq, const void *v,
                                struct puan_err *err)
{
    const struct map_in *in = v;
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    int level = t ? puan_area_level_of(t, in->level) : -1;
    unsigned what;
    char name[24];

    if (level < 0)
        return puan_fail(err, PUAN_EINVAL, "level", "no such level");
    what = (unsigned)level;
    puan_format(name, sizeof(name), "map/%u", what);
    return puan_map_answer(rq, name, "application/geo+json", false, make, &what,
                           err);
}

struct import_in {
    struct puan_str file;
    bool dry_run;
};
static const struct puan_param import_params[] = {
    { "file", PUAN_PARAM_TEXT, offsetof(struct import_in, file), 1, 120 },
    { "dry_run", PUAN_PARAM_BOOL, offsetof(struct import_in, dry_run), 0, 0,
      true },
};

static enum puan_status import_by(struct puan_request *rq,
                                  const struct import_in *in, bool buildings,
                                  struct puan_err *err)
{
    const char *file = puan_arena_dup(rq->arena, in->file);
    struct puan_map_result r;
    char hex[65];
    struct puan_act act;
    struct puan_jw *w;

    puan_request_act(&act, rq, in->file);
    if (buildings)
        TRY(puan_buildings_import(&r, rq->store, rq->body, file, in->dry_run,
                                  &act, rq->arena, err));
    else
        TRY(puan_map_import(&r, rq->store, rq->body, file, in->dry_run, &act,
                            rq->arena, err));
    puan_hex(hex, r.digest, sizeof(r.digest));
    w = puan_answer_begin(rq, r.written ? 201 : 200);
    puan_jw_map(w);
    puan_jw_kstr(w, "level", r.level);
    puan_jw_kint(w, "rows", (int64_t)r.features);
    puan_jw_kint(w, buildings ? "areas" : "points", (int64_t)r.points);
    puan_jw_kbool(w, "written", r.written);
    puan_jw_kbool(w, "dry_run", in->dry_run);
    puan_jw_ktext(w, "digest", hex);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static enum puan_status post_import(struct puan_request *rq, const void *v,
                                    struct puan_err *err)
{
    return import_by(rq, v, false, err);
}

static enum puan_status post_buildings(struct puan_request *rq, const void *v,
                                       struct puan_err *err)
{
    return import_by(rq, v, true, err);
}

static const struct puan_route routes[] = {
    { .method = PUAN_GET, .path = "/c/{campaign}/map/{level}",
      .capability = "counts.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "Boundaries of the areas of a level inside an area (GeoJSON)",
      .handle = get_map, PUAN_PARAMS(map_params, struct map_in) },
    { .method = PUAN_POST, .path = "/c/{campaign}/boundaries/import",
      .capability = "area.import", .scope = PUAN_SCOPE_OFFICE,
      .verb = "import.boundaries",
      .summary = "Imports the boundaries of one level (GeoJSON)",
      .handle = post_import, PUAN_PARAMS(import_params, struct import_in),
      .raw_body = true, .max_body = (size_t)64 << 20 },
    { .method = PUAN_POST, .path = "/c/{campaign}/buildings/import",
      .capability = "area.import", .scope = PUAN_SCOPE_OFFICE,
      .verb = "import.buildings",
      .summary = "Imports buildings (CSV: ea building lon lat [kind units])",
      .handle = post_buildings, PUAN_PARAMS(import_params, struct import_in),
      .raw_body = true, .max_body = (size_t)64 << 20 },
    { .method = PUAN_GET, .path = "/c/{campaign}/boundaries/faults",
      .capability = "counts.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "What is wrong with the boundaries and buildings of an area",
      .handle = puan_get_faults,
      PUAN_PARAMS(puan_map_area_params, struct puan_map_area_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/buildings",
      .capability = "listing.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "Buildings of an area (GeoJSON points)",
      .handle = puan_get_buildings,
      PUAN_PARAMS(puan_map_area_params, struct puan_map_area_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/field/map",
      .capability = "listing.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "The map an enumerator carries: boundary and buildings of an "
                 "area (GeoJSON)",
      .handle = puan_get_field_map,
      PUAN_PARAMS(puan_map_area_params, struct puan_map_area_in) },
};

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE boundary(code BIGINT PRIMARY KEY, level TEXT NOT NULL,"
      " rings BYTEA NOT NULL);"
      "CREATE INDEX boundary_level ON boundary(level);"
      "CREATE TABLE boundary_file(level TEXT PRIMARY KEY, file TEXT NOT NULL,"
      " digest BYTEA NOT NULL, features BIGINT NOT NULL, points BIGINT NOT"
      " NULL, at BIGINT NOT NULL);" },
    { PUAN_STORE_OFFICE, 2,
      "CREATE TABLE building(ea BIGINT PRIMARY KEY, parent BIGINT NOT NULL,"
      " packed BYTEA NOT NULL);"
      "CREATE INDEX building_parent ON building(parent);"
      "CREATE TABLE building_file(id BIGINT PRIMARY KEY, file TEXT NOT NULL,"
      " digest BYTEA NOT NULL, areas BIGINT NOT NULL, buildings BIGINT NOT"
      " NULL, at BIGINT NOT NULL);" },
};

#define BOUNDARY_COLUMNS "SELECT level, code, rings FROM boundary"
#define BUILDING_COLUMNS                                                       \
    "SELECT CAST(parent AS TEXT), ea, packed FROM building"
const struct puan_covered puan_maps_covered[PUAN_COVER_MAPS] = {
    [PUAN_COVER_BOUNDARY] = { PUAN_STORE_OFFICE, "boundary",
                         BOUNDARY_COLUMNS " ORDER BY level, code",
                         BOUNDARY_COLUMNS " WHERE level = $1 ORDER BY code" },
    [PUAN_COVER_BOUNDARY_FILE] = { PUAN_STORE_OFFICE, "boundary_file",
                                   "SELECT level, file, digest, features,"
                                   " points, at FROM boundary_file" },
    [PUAN_COVER_BUILDING] = { PUAN_STORE_OFFICE, "building",
                              BUILDING_COLUMNS " ORDER BY parent, ea",
                              BUILDING_COLUMNS
                              " WHERE parent = CAST($1 AS BIGINT)"
                              " ORDER BY ea" },
    [PUAN_COVER_BUILDING_FILE] = { PUAN_STORE_OFFICE, "building_file",
                                   "SELECT CAST(id AS TEXT), file, digest,"
                                   " areas, buildings, at FROM"
                                   " building_file" },
};

const struct puan_feature puan_feature_maps = {
    .name = "maps",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .covered = puan_maps_covered,
    .n_covered = PUAN_COVER_MAPS,
    .commands = puan_map_commands,
    .n_commands = PUAN_MAP_COMMANDS,
    .open = maps_open,
    .close = maps_close,
};
