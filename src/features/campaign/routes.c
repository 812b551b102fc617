/*
 * Setting up over HTTP: imports, the listing and its people, windows, clock.
 */
#include "features/campaign/internal.h"

#include "base/calendar.h"
#include "core/area/area.h"
#include "features/host/request.h"
#include "features/ingest/ingest.h"
#include "features/ledgers/ledgers.h"

/* ---- imports -------------------------------------------------------------------- */

struct import_in {
    struct puan_str file;
    bool dry_run;
};
static const struct puan_param import_params[] = {
    { "file", PUAN_PARAM_TEXT, offsetof(struct import_in, file), 1, 120 },
    { "dry_run", PUAN_PARAM_BOOL, offsetof(struct import_in, dry_run), 0, 0,
      true },
};

static enum puan_status post_import(struct puan_request *rq, const void *arg,
                                    struct puan_err *err)
{
    const struct import_in *in = arg;
    struct puan_import_result res;
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_act act;
    struct puan_jw *w;
    /* the row's path ends in the kind */
    struct puan_str last = puan_str_of(strrchr(rq->route->path, '/') + 1);
    int kind = -1;
    enum puan_status st;

    for (int k = 0; k <= PUAN_IMPORT_ASSIGNMENT; k++)
        if (puan_str_starts(last, puan_import_name((enum puan_import_kind)k)))
            kind = k;
    if (kind < 0)
        return puan_fail(err, PUAN_EBUG, "import", "no such kind");
    puan_request_act(&act, rq, in->file);
    st = puan_import(&res, rq->store, (enum puan_import_kind)kind, rq->body,
                     puan_arena_dup(rq->arena, in->file), in->dry_run, &act,
                     err);
    if (st != PUAN_OK)
        return st;
    puan_hex(hex, res.digest, PUAN_DIGEST_SIZE);
    w = puan_answer_begin(rq, in->dry_run ? 200 : 201);
    puan_jw_map(w);
    puan_jw_kint(w, "rows", (int64_t)res.rows);
    puan_jw_kint(w, "written", (int64_t)res.written);
    puan_jw_kbool(w, "dry_run", in->dry_run);
    puan_jw_ktext(w, "digest", hex);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- who goes where ---------------------------------------------------------------- */

struct assign_in {
    int64_t area;
    struct puan_str staff;
};
static const struct puan_param assign_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct assign_in, area) },
    { "staff", PUAN_PARAM_TEXT, offsetof(struct assign_in, staff), 1, 60 },
};

static enum puan_status assign_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    const struct assign_in *in = arg;
    struct puan_stmt *s = NULL;
    enum puan_status st;

    st = puan_sql(&s, db,
                  "INSERT INTO assignment(ea, staff) VALUES ($1, $2)"
                  " ON CONFLICT(ea) DO UPDATE SET staff = excluded.staff",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, in->area);
    puan_bind_text(s, 2, in->staff);
    st = puan_stmt_once(s, err);
    if (st == PUAN_OK)
        st = puan_ledger_cover(sh, db, act,
                               &puan_campaign_covered[PUAN_COVER_ASSIGNMENT],
                               PUAN_STR("*"), err);
    return st;
}

static enum puan_status put_enumerator(struct puan_request *rq,
                                       const void *arg, struct puan_err *err)
{
    struct assign_in in = *(const struct assign_in *)arg;
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t i = puan_area_find(t, in.area);
    char subject[24];
    struct puan_act act;
    enum puan_status st;

    if (i == PUAN_AREA_NONE || t->area[i].level + 1u != t->n_levels)
        return puan_fail(err, PUAN_EINVAL, "area",
                         "is not an enumeration area");
    puan_format(subject, sizeof(subject), "%lld", (long long)in.area);
    puan_request_act(&act, rq, puan_str_of(subject));
    act.note = in.staff;
    st = puan_commit(puan_store_shard_of_area(rq->store, in.area), &act,
                     assign_body, &in, err);
    if (st == PUAN_OK)
        puan_answer_empty(rq);
    return st;
}

struct area_in {
    int64_t area;
    struct puan_page page;
};
static const struct puan_param area_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct area_in, area), 0, 0, true },
    PUAN_PAGE_PARAMS(struct area_in, page),
};

/* Pages over the stores of an area by a key that is unique over all of them. */
typedef void (*put_fn)(struct puan_jw *w, struct puan_stmt *s,
                       struct puan_request *rq);

static enum puan_status list_by_key(struct puan_request *rq,
                                    const struct area_in *in, const char *sql,
                                    int64_t from, int64_t to, put_fn put,
                                    struct puan_err *err)
{
    int64_t left = puan_page_limit(&in->page), next = 0;
    /* a cursor is the client's word: it never reaches before the area */
    int64_t after = in->page.cursor >= from ? in->page.cursor : from - 1;
    struct puan_jw *w = puan_answer_items(rq);
    bool full = false;
    enum puan_status st = PUAN_OK;

    /* stores in order of their areas, so that keys ascend over all of them */
    for (int64_t done = 0; st == PUAN_OK && !full;) {
        struct puan_shard *sh = NULL;
        struct puan_stmt *s = NULL;
        struct puan_db *db = NULL;
        bool more = true;

        for (size_t i = 1; i < puan_store_shards(rq->store); i++) {
            struct puan_shard *c = puan_store_shard(rq->store, i);

            if (puan_shard_area(c) > done &&
                (!sh || puan_shard_area(c) < puan_shard_area(sh)))
                sh = c;
        }
        if (!sh)
            break;
        done = puan_shard_area(sh);
        st = puan_read_begin(&db, sh, err);
        if (st == PUAN_OK)
            st = puan_sql(&s, db, sql, err);
        if (st == PUAN_OK) {
            puan_bind_int(s, 1, after);
            puan_bind_int(s, 2, to);
        }
        while (st == PUAN_OK) {
            st = puan_stmt_step(&more, s, err);
            if (st != PUAN_OK || !more)
                break;
            if (left-- == 0) {
                next = after;
                full = true;
                break;
            }
            after = puan_col_int(s, 0);
            put(w, s, rq);
        }
        puan_stmt_done(s);
        puan_read_end(sh, db);
    }
    puan_answer_items_end(rq, next);
    return st;
}

static void put_listed(struct puan_jw *w, struct puan_stmt *s,
                       struct puan_request *rq)
{
    struct puan_ret_head h = { 0 };

    (void)puan_ret_head(&h, rq->store, puan_col_int(s, 0));
    puan_jw_map(w);
    puan_jw_kcode(w, "household", puan_col_int(s, 0));
    puan_jw_kcode(w, "ea", puan_col_int(s, 1));
    puan_jw_kstr(w, "building", puan_col_text(s, 2));
    puan_jw_kstr(w, "unit", puan_col_text(s, 3));
    puan_jw_kstr(w, "status", puan_col_text(s, 4));
    puan_jw_kstr(w, "mode", puan_col_text(s, 5));
    puan_jw_kint(w, "version", h.version);
    puan_jw_kint(w, "persons", h.persons);
    puan_jw_kint(w, "hard", h.hard);
    puan_jw_kint(w, "soft", h.soft);
    puan_jw_kbool(w, "self", h.self);
    puan_jw_end(w, '}');
}

static enum puan_status get_listing(struct puan_request *rq, const void *arg,
                                    struct puan_err *err)
{
    const struct area_in *in = arg;
    int64_t from, to;

    puan_area_keys(&from, &to, rq->store, in->area);
    return list_by_key(rq, in,
                       "SELECT household, ea, building, unit, status, mode"
                       " FROM listing WHERE household > $1 AND household < $2"
                       " ORDER BY household LIMIT 1001",
                       from, to, put_listed, err);
}

static void put_assigned(struct puan_jw *w, struct puan_stmt *s,
                         struct puan_request *rq)
{
    struct puan_counts c;

    puan_counts_of(&c, rq->store, puan_col_int(s, 0));
    puan_jw_map(w);
    puan_jw_kcode(w, "ea", puan_col_int(s, 0));
    puan_jw_kstr(w, "staff", puan_col_text(s, 1));
    puan_jw_kint(w, "listed", c.listed);
    puan_jw_kint(w, "submitted", c.submitted);
    puan_jw_kint(w, "hard", c.hard);
    puan_jw_kint(w, "soft", c.soft);
    puan_jw_end(w, '}');
}

static enum puan_status get_assignments(struct puan_request *rq,
                                        const void *arg, struct puan_err *err)
{
    const struct area_in *in = arg;
    const struct puan_plan *plan = puan_store_plan(rq->store);
    int64_t from, to;

    puan_area_keys(&from, &to, rq->store, in->area);
    for (unsigned i = 0; i < plan->household_digits; i++) {
        from /= 10;
        to /= 10;
    }
    return list_by_key(rq, in,
                       "SELECT ea, staff FROM assignment"
                       " WHERE ea > $1 AND ea < $2 ORDER BY ea LIMIT 1001",
                       from, to, put_assigned, err);
}

/* ---- time ------------------------------------------------------------------------- */

static enum puan_status get_clock(struct puan_request *rq, const void *arg,
                                  struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_jw *w = puan_answer_begin(rq, 200);

    (void)arg;
    (void)err;
    puan_jw_map(w);
    puan_jw_kinstant(w, "now", rq->now, plan->offset_minutes);
    puan_jw_kinstant(w, "real", rq->real_now, plan->offset_minutes);
    puan_jw_ktext(w, "birth", puan_store_birth(rq->store));
    puan_jw_key(w, "windows");
    puan_jw_list(w);
    for (size_t i = 0; i < plan->n_windows; i++) {
        const struct puan_window *x = &plan->window[i];

        puan_jw_map(w);
        puan_jw_kstr(w, "id", x->id);
        puan_jw_kstr(w, "zh", x->zh);
        puan_jw_kstr(w, "en", x->en);
        puan_jw_kinstant(w, "from", x->from_ms, plan->offset_minutes);
        puan_jw_kinstant(w, "until", x->until_ms, plan->offset_minutes);
        puan_jw_kbool(w, "open", x->from_ms <= rq->now && rq->now < x->until_ms);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

struct clock_in {
    struct puan_str now;
    int64_t rate;
};
static const struct puan_param clock_params[] = {
    { "now", PUAN_PARAM_TEXT, offsetof(struct clock_in, now), 10, 40 },
    { "rate", PUAN_PARAM_INT, offsetof(struct clock_in, rate), 0, 100000000,
      true },
};

static enum puan_status post_clock(struct puan_request *rq, const void *arg,
                                   struct puan_err *err)
{
    const struct clock_in *in = arg;
    struct puan_act act;
    int64_t ms;
    enum puan_status st;

    if (!puan_instant_parse(&ms, in->now))
        return puan_fail(err, PUAN_EINVAL, "now",
                         "expected a time such as 2020-11-01T09:30:00+08:00");
    puan_request_act(&act, rq, in->now);
    st = puan_store_clock_set(rq->store, &act, ms, in->rate, err);
    if (st == PUAN_OK)
        puan_answer_empty(rq);
    return st;
}

static const struct puan_param areas_params[] = {
    { "parent", PUAN_PARAM_AREA, offsetof(struct puan_areas_in, parent), 0, 0,
      true },
    { "depth", PUAN_PARAM_INT, offsetof(struct puan_areas_in, depth), 1,
      PUAN_AREA_LEVELS, true },
    PUAN_PAGE_PARAMS(struct puan_areas_in, page),
};
static const struct puan_param areas_search_params[] = {
    { "q", PUAN_PARAM_TEXT, offsetof(struct puan_areas_search_in, q), 1, 120 },
    PUAN_PAGE_PARAMS(struct puan_areas_search_in, page),
};

#define IMPORT(where, can, what)                                               \
    { PUAN_POST, (where), (can), PUAN_SCOPE_OFFICE, "import", (what),          \
      post_import, PUAN_PARAMS(import_params, struct import_in),               \
      .max_body = 256u << 20, .raw_body = true }

const struct puan_route puan_campaign_routes[PUAN_CAMPAIGN_ROUTES] = {
    IMPORT("/c/{campaign}/imports/areas", "area.import", "Import the area tree (CSV)"),
    IMPORT("/c/{campaign}/imports/listing", "listing.import", "Import the listing roll (CSV)"),
    IMPORT("/c/{campaign}/imports/register", "register.import", "Import an extract of a register (CSV)"),
    IMPORT("/c/{campaign}/imports/staff", "staff.import", "Import staff and their areas (CSV)"),
    IMPORT("/c/{campaign}/imports/assignments", "assignment.import", "Import enumerators of areas (CSV)"),
    { PUAN_PUT, "/c/{campaign}/areas/{area}/enumerator", "assignment.make",
      PUAN_SCOPE_AREA, "assign", "Give an enumeration area to an enumerator",
      put_enumerator, PUAN_PARAMS(assign_params, struct assign_in) },
    { PUAN_GET, "/c/{campaign}/assignments", "assignment.view", PUAN_SCOPE_AREA,
      "", "Enumerators of an area and what each has sent", get_assignments,
      PUAN_PARAMS(area_params, struct area_in) },
    { PUAN_GET, "/c/{campaign}/listing", "listing.view", PUAN_SCOPE_AREA, "",
      "Households of an area and where they stand", get_listing,
      PUAN_PARAMS(area_params, struct area_in) },
    { PUAN_GET, "/campaign", "", PUAN_SCOPE_PUBLIC, "",
      "Which census this is: names, levels, windows, time, plan",
      puan_campaign_about, .idle = true },
    { PUAN_GET, "/c/{campaign}/areas", "", PUAN_SCOPE_SESSION, "",
      "Areas below one inside the seat's own, `depth` levels deep",
      puan_campaign_areas, PUAN_PARAMS(areas_params, struct puan_areas_in) },
    { PUAN_GET, "/c/{campaign}/areas/search", "", PUAN_SCOPE_SESSION, "",
      "Areas inside the seat's own by part of a name or code, outer ones first",
      puan_campaign_areas_search,
      PUAN_PARAMS(areas_search_params, struct puan_areas_search_in) },
    { PUAN_GET, "/c/{campaign}/clock", "", PUAN_SCOPE_SESSION, "",
      "Campaign time and windows", get_clock },
    { PUAN_POST, "/c/{campaign}/clock", "clock.set", PUAN_SCOPE_OFFICE,
      "clock.set", "Set the clock of a drill or demonstration", post_clock,
      PUAN_PARAMS(clock_params, struct clock_in) },
};
