/*
 * Routes, commands and look-ups of the campaign; see campaign.h.
 */
#include "features/campaign/campaign.h"

#include <stdio.h>

#include "base/calendar.h"
#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/host/args.h"
#include "features/host/request.h"
#include "kit/crypto/crypto.h"
#include "kit/crypto/keys.h"
#include "kit/os/os.h"

#define IMPORT_MAX ((size_t)512 << 20)

enum puan_status puan_assigned(struct puan_str *staff, struct puan_store *st,
                               int64_t ea, struct puan_arena *a,
                               struct puan_err *err)
{
    struct puan_shard *sh = puan_store_shard_of_area(st, ea);
    struct puan_stmt *s = NULL;
    struct puan_db *db;
    bool more = false;
    enum puan_status x;

    *staff = PUAN_STR("");
    if (sh == NULL)
        return PUAN_OK;
    x = puan_read_begin(&db, sh, err);
    if (x != PUAN_OK)
        return x;
    x = puan_sql(&s, db, "SELECT staff FROM assignment WHERE ea = $1", err);
    if (x == PUAN_OK) {
        puan_bind_int(s, 1, ea);
        x = puan_stmt_step(&more, s, err);
    }
    if (x == PUAN_OK && more) {
        struct puan_str t = puan_col_text(s, 0);

        *staff = (struct puan_str){ puan_arena_dup(a, t), t.n };
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    return x;
}

static enum puan_status unseal_two(struct puan_str text[2],
                                   struct puan_store *st, struct puan_str row,
                                   struct puan_str sealed, struct puan_arena *a,
                                   struct puan_err *err)
{
    int version = puan_sealed_version(sealed);
    const struct puan_seal_key *key;
    struct puan_str plain;
    struct puan_in in;
    enum puan_status x;

    if (version < 0)
        return puan_fail(err, PUAN_EINVAL, "staff", "damaged sealed value");
    key = puan_keys_data_version(puan_store_keys(st), 0, "vault",
                                 (uint16_t)version);
    if (key == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "staff", "no key %d", version);
    x = puan_unseal(&plain, key,
                    puan_seal_aad(a, 0, "staff", "sealed", key->version, row),
                    sealed, a, err);
    if (x != PUAN_OK)
        return x;
    in = puan_in_of(plain);
    for (size_t i = 0; i < 2; i++)
        text[i] = puan_in_bytes(&in, (size_t)puan_in_varint(&in));
    return in.bad ? puan_fail(err, PUAN_EINVAL, "staff", "damaged sealed value")
                  : PUAN_OK;
}

enum puan_status puan_staff_each(struct puan_store *st, puan_staff_fn fn,
                                 void *arg, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_stmt *s = NULL;
    struct puan_arena a;
    struct puan_db *db;
    bool more;
    enum puan_status x = puan_read_begin(&db, office, err);

    if (x != PUAN_OK)
        return x;
    puan_arena_init(&a, puan_os_alloc());
    x = puan_sql(&s, db,
                 "SELECT staff, role, area, device, certificate, sealed"
                 " FROM staff ORDER BY staff",
                 err);
    while (x == PUAN_OK) {
        struct puan_str two[2];
        struct puan_staff row;

        x = puan_stmt_step(&more, s, err);
        if (x != PUAN_OK || !more)
            break;
        puan_arena_reset(&a);
        row.staff = puan_col_text(s, 0);
        x = unseal_two(two, st, row.staff, puan_col_bytes(s, 5), &a, err);
        if (x != PUAN_OK)
            break;
        row.staff = puan_col_text(s, 0);
        row.role = puan_col_text(s, 1);
        row.area = puan_col_int(s, 2);
        row.device = puan_col_text(s, 3);
        row.certificate = puan_col_text(s, 4);
        row.name = two[0];
        row.phone = two[1];
        x = fn(arg, &row, err);
    }
    puan_stmt_done(s);
    puan_read_end(office, db);
    puan_arena_clear(&a);
    return x;
}

/* ---- GET campaign ------------------------------------------------------------------ */

static void text_at(struct puan_jw *w, const char *key, int64_t ms, int offset)
{
    char t[32];

    puan_instant_text(t, ms, offset);
    puan_jw_ktext(w, key, t);
}

static enum puan_status show(struct puan_request *rq, const void *in,
                             struct puan_err *err)
{
    const struct puan_plan *p = puan_store_plan(rq->store);
    struct puan_jw *w = puan_answer_begin(rq, 200);
    char digest[2 * PUAN_DIGEST_SIZE + 1];

    (void)in;
    (void)err;
    puan_jw_map(w);
    puan_jw_kstr(w, "id", p->id);
    puan_jw_kstr(w, "version", p->version);
    puan_jw_kstr(w, "zh", p->zh);
    puan_jw_kstr(w, "en", p->en);
    puan_jw_ktext(w, "birth", puan_store_birth(rq->store));
    puan_hex(digest, p->digest, PUAN_DIGEST_SIZE);
    puan_jw_ktext(w, "plan_digest", digest);
    text_at(w, "now", rq->now, p->offset_minutes);
    puan_jw_key(w, "windows");
    puan_jw_list(w);
    for (size_t i = 0; i < p->n_windows; i++) {
        const struct puan_window *x = &p->window[i];

        puan_jw_map(w);
        puan_jw_kstr(w, "id", x->id);
        puan_jw_kstr(w, "zh", x->zh);
        puan_jw_kstr(w, "en", x->en);
        text_at(w, "from", x->from_ms, p->offset_minutes);
        text_at(w, "until", x->until_ms, p->offset_minutes);
        puan_jw_kbool(w, "open",
                      rq->now >= x->from_ms && rq->now < x->until_ms);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- POST clock ------------------------------------------------------------------------ */

struct clock_in {
    struct puan_str time;
    int64_t rate;
};
static const struct puan_param clock_params[] = {
    { "time", PUAN_PARAM_TEXT, offsetof(struct clock_in, time), 20, 32, false },
    { "rate", PUAN_PARAM_INT, offsetof(struct clock_in, rate), 0, 100000000,
      true },
};

static enum puan_status set_clock(struct puan_request *rq, const void *in,
                                  struct puan_err *err)
{
    const struct clock_in *q = in;
    struct puan_act act;
    int64_t ms;
    enum puan_status st;

    if (!puan_instant_parse(&ms, q->time))
        return puan_fail(err, PUAN_EINVAL, "time",
                         "expected a time such as 2020-11-01T08:00:00+08:00");
    puan_request_act(&act, rq, PUAN_STR("clock"));
    st = puan_store_clock_set(rq->store, &act, ms, q->rate ? q->rate : 1000,
                              err);
    if (st == PUAN_OK)
        puan_answer_empty(rq);
    return st;
}

/* ---- GET areas ----------------------------------------------------------------------------- */

struct areas_in {
    int64_t area;
    struct puan_page page;
};
static const struct puan_param areas_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct areas_in, area), 0, INT64_MAX,
      false },
    PUAN_PAGE_PARAMS(struct areas_in, page),
};

static enum puan_status list_areas(struct puan_request *rq, const void *in,
                                   struct puan_err *err)
{
    const struct areas_in *q = in;
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t top = puan_area_find(t, q->area), next = PUAN_AREA_NONE;
    int64_t limit = puan_page_limit(&q->page), n = 0, last = 0;
    struct puan_jw *w;

    if (top == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "no such area");
    w = puan_answer_items(rq);
    for (uint32_t i = top + 1; i < t->area[top].end; i = t->area[i].end) {
        const struct puan_area *a = &t->area[i];

        if (a->code <= q->page.cursor)
            continue;
        if (n++ == limit) {
            next = i;
            break;
        }
        last = a->code;
        puan_jw_map(w);
        puan_jw_kstr(w, "code", a->digits);
        puan_jw_kstr(w, "level", t->level[a->level].name);
        puan_jw_kstr(w, "zh", a->zh);
        puan_jw_kstr(w, "en", a->en);
        puan_jw_ktext(w, "kind",
                      puan_area_kind_name((enum puan_area_kind)a->kind));
        puan_jw_end(w, '}');
    }
    puan_answer_items_end(rq, next == PUAN_AREA_NONE ? 0 : last);
    return PUAN_OK;
}

/* ---- GET listing ------------------------------------------------------------------------------ */

struct ea_in {
    int64_t area;
};
static const struct puan_param ea_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct ea_in, area), 0, INT64_MAX,
      false },
};

/* The roll of one enumeration area, without names: they are a look of their
 * own at identities. */
static enum puan_status list_roll(struct puan_request *rq, const void *in,
                                  struct puan_err *err)
{
    const struct ea_in *q = in;
    struct puan_shard *sh = puan_store_shard_of_area(rq->store, q->area);
    struct puan_stmt *s = NULL;
    struct puan_db *db;
    struct puan_jw *w;
    bool more;
    enum puan_status st;

    if (sh == NULL)
        return puan_fail(err, PUAN_EINVAL, "area",
                         "the roll is listed by enumeration area");
    st = puan_read_begin(&db, sh, err);
    if (st != PUAN_OK)
        return st;
    st = puan_sql(&s, db,
                  "SELECT household, building, unit, status, mode FROM listing"
                  " WHERE ea = $1 ORDER BY household",
                  err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, q->area);
        st = puan_stmt_step(&more, s, err);
    }
    if (st == PUAN_OK) {
        w = puan_answer_items(rq);
        while (st == PUAN_OK && more) {
            char key[24];

            puan_format(key, sizeof(key), "%lld", (long long)puan_col_int(s, 0));
            puan_jw_map(w);
            puan_jw_ktext(w, "household", key);
            puan_jw_kstr(w, "building", puan_col_text(s, 1));
            puan_jw_kstr(w, "unit", puan_col_text(s, 2));
            puan_jw_kstr(w, "status", puan_col_text(s, 3));
            puan_jw_kstr(w, "mode", puan_col_text(s, 4));
            puan_jw_end(w, '}');
            st = puan_stmt_step(&more, s, err);
        }
        puan_answer_items_end(rq, 0);
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    return st;
}

/* ---- POST assignments ----------------------------------------------------------------------------- */

struct assign_in {
    int64_t area;
    struct puan_str staff;
};
static const struct puan_param assign_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct assign_in, area), 0, INT64_MAX,
      false },
    { "staff", PUAN_PARAM_TEXT, offsetof(struct assign_in, staff), 1, 60,
      false },
};

static enum puan_status assign_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    const struct assign_in *q = arg;
    struct puan_stmt *s;
    enum puan_status st;

    (void)sh;
    (void)act;
    st = puan_sql(&s, db,
                  "INSERT INTO assignment(ea, staff) VALUES ($1,$2)"
                  " ON CONFLICT(ea) DO UPDATE SET staff = excluded.staff",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, q->area);
    puan_bind_text(s, 2, q->staff);
    st = puan_stmt_run(s, err);
    puan_stmt_done(s);
    return st;
}

static enum puan_status assign(struct puan_request *rq, const void *in,
                               struct puan_err *err)
{
    struct assign_in q = *(const struct assign_in *)in;
    struct puan_shard *sh = puan_store_shard_of_area(rq->store, q.area);
    struct puan_act act;
    enum puan_status st;

    if (sh == NULL)
        return puan_fail(err, PUAN_EINVAL, "area",
                         "an enumeration area is assigned");
    puan_request_act(&act, rq,
                     puan_str_of(puan_arena_fmt(rq->arena, "ea/%lld",
                                                (long long)q.area)));
    act.note = q.staff;
    st = puan_commit(sh, &act, assign_body, &q, err);
    if (st == PUAN_OK)
        puan_answer_empty(rq);
    return st;
}

/* ---- POST imports ------------------------------------------------------------------------------------ */

struct import_in {
    struct puan_str file;
    bool dry_run;
};
static const struct puan_param import_params[] = {
    { "file", PUAN_PARAM_TEXT, offsetof(struct import_in, file), 1, 120, true },
    { "dry_run", PUAN_PARAM_BOOL, offsetof(struct import_in, dry_run), 0, 1,
      true },
};

static enum puan_status post_import(struct puan_request *rq, const void *in,
                                    struct puan_err *err)
{
    const struct import_in *q = in;
    int kind = puan_import_kind_of(rq->body);
    struct puan_import_result r;
    struct puan_act act;
    struct puan_jw *w;
    enum puan_status st;

    if (kind < 0)
        return puan_fail(err, PUAN_EINVAL, "body",
                         "the header is not that of areas, listing, staff, "
                         "register or assignment");
    puan_request_act(&act, rq, PUAN_STR("import"));
    st = puan_import(&r, rq->store, (enum puan_import_kind)kind, rq->body,
                     q->file.n ? puan_arena_dup(rq->arena, q->file) : "body",
                     q->dry_run, &act, err);
    if (st != PUAN_OK)
        return st;
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_ktext(w, "kind", puan_import_name(r.kind));
    puan_jw_kint(w, "rows", (int64_t)r.rows);
    puan_jw_kint(w, "written", (int64_t)r.added);
    puan_jw_kbool(w, "dry_run", q->dry_run);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- puan import ------------------------------------------------------------------------------------------ */

static enum puan_status import_file(struct puan_store *st, const char *path,
                                    bool dry_run, struct puan_err *err)
{
    struct puan_act act = { .actor = PUAN_STR("console"),
                            .seat = PUAN_STR("console"),
                            .verb = PUAN_STR("import") };
    struct puan_import_result r;
    struct puan_map map = { 0 };
    enum puan_status x = puan_map_open(&map, path, err);
    int kind;

    if (x != PUAN_OK)
        return x;
    kind = puan_import_kind_of(map.bytes);
    if (kind < 0)
        x = puan_fail(err, PUAN_EINVAL, path,
                      "the header is not that of areas, listing, staff, "
                      "register or assignment");
    else
        x = puan_import(&r, st, (enum puan_import_kind)kind, map.bytes, path,
                        dry_run, &act, err);
    puan_map_close(&map);
    if (x == PUAN_OK)
        fprintf(stderr, "    %s: %llu rows%s\n", puan_import_name(r.kind),
                (unsigned long long)r.rows,
                dry_run                                 ? " would be written"
                : r.added + r.same == 0 && r.rows != 0 ? ", imported before"
                                                        : "");
    return x;
}

static int run_import(int argc, char **argv)
{
    struct puan_store_options so = { 0 };
    struct puan_err err = { 0 };
    struct puan_store *st = NULL;
    bool dry_run = false;
    const char *dir = NULL;
    enum puan_status x;
    int first = 0;

    for (int i = 1; i < argc && first == 0; i++) {
        if (strcmp(argv[i], "--dry-run") == 0) {
            dry_run = true;
        } else if (argv[i][0] == '-') {
            break;
        } else if (dir == NULL) {
            dir = argv[i];
        } else {
            first = i;
        }
    }
    if (first == 0) {
        fprintf(stderr, "usage: puan import [--dry-run] DIR FILE…\n");
        return PUAN_EXIT_USAGE;
    }
    x = puan_store_open(&st, dir, &so, &err);
    for (int i = first; x == PUAN_OK && i < argc; i++)
        x = import_file(st, argv[i], dry_run, &err);
    puan_store_close(st);
    return x == PUAN_OK ? PUAN_EXIT_DONE : puan_command_fail(x, &err);
}

/* ---- the feature --------------------------------------------------------------------------------------------- */

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE staff(staff TEXT PRIMARY KEY, role TEXT NOT NULL,"
      " area BIGINT NOT NULL, device TEXT NOT NULL, certificate TEXT NOT NULL,"
      " sealed BYTEA NOT NULL);"
      "CREATE TABLE import(seq BIGINT PRIMARY KEY, kind TEXT NOT NULL,"
      " digest BYTEA NOT NULL, rows BIGINT NOT NULL, made BIGINT NOT NULL);" },
    { PUAN_STORE_RETURNS, 1,
      "CREATE TABLE listing(household BIGINT PRIMARY KEY, ea BIGINT NOT NULL,"
      " building TEXT NOT NULL, unit TEXT NOT NULL, status TEXT NOT NULL,"
      " mode TEXT NOT NULL, sealed BYTEA NOT NULL, cells TEXT NOT NULL);"
      "CREATE INDEX listing_ea ON listing(ea);"
      "CREATE TABLE assignment(ea BIGINT PRIMARY KEY, staff TEXT NOT NULL);"
      "CREATE TABLE register(token BYTEA PRIMARY KEY, ea BIGINT NOT NULL,"
      " status TEXT NOT NULL, sealed BYTEA NOT NULL);"
      "CREATE TABLE import(seq BIGINT PRIMARY KEY, kind TEXT NOT NULL,"
      " digest BYTEA NOT NULL, rows BIGINT NOT NULL, made BIGINT NOT NULL);" },
};

static const struct puan_route routes[] = {
    { PUAN_GET, "/c/{campaign}/campaign", "", PUAN_SCOPE_SESSION, "",
      "The campaign, its windows and its clock", show },
    { PUAN_POST, "/c/{campaign}/clock", "clock.set", PUAN_SCOPE_OFFICE,
      "clock.set", "Set the campaign clock (demo and drill directories)",
      set_clock, PUAN_PARAMS(clock_params, struct clock_in) },
    { PUAN_GET, "/c/{campaign}/areas", "area.view", PUAN_SCOPE_AREA, "",
      "The areas directly inside an area", list_areas,
      PUAN_PARAMS(areas_params, struct areas_in) },
    { PUAN_GET, "/c/{campaign}/listing", "listing.view", PUAN_SCOPE_AREA, "",
      "The roll of an enumeration area, without names", list_roll,
      PUAN_PARAMS(ea_params, struct ea_in) },
    { PUAN_POST, "/c/{campaign}/assignments", "assignment.set",
      PUAN_SCOPE_AREA, "assignment.set",
      "Give an enumeration area to an enumerator", assign,
      PUAN_PARAMS(assign_params, struct assign_in) },
    { PUAN_POST, "/c/{campaign}/imports", "import.write", PUAN_SCOPE_OFFICE,
      "import", "Import areas, listing, staff, register or assignments (CSV)",
      post_import, PUAN_PARAMS(import_params, struct import_in),
      .max_body = IMPORT_MAX, .raw_body = true },
};

static const struct puan_command commands[] = {
    { "import", "[--dry-run] DIR FILE…",
      "Imports areas, listing, staff, register extract or assignments from "
      "CSV; what a file is, its header tells. Every row is looked at before "
      "the first is written: all rows of a file or none. The same file again "
      "changes nothing. --dry-run only looks.",
      run_import },
};

const struct puan_feature puan_feature_campaign = {
    .name = "campaign",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
};
