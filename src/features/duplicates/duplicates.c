/*
 * Routes, schema and decisions of duplicates; see duplicates.h and search.h.
 */
#include "features/duplicates/duplicates.h"

#include "base/json.h"
#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "features/duplicates/search.h"
#include "features/host/request.h"
#include "kit/os/os.h"

/* ---- POST duplicates/search -------------------------------------------------- */

struct search_in {
    int64_t area;
};
static const struct puan_param search_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct search_in, area), 0, INT64_MAX,
      false },
};

static enum puan_status search(struct puan_request *rq, const void *in,
                               struct puan_err *err)
{
    const struct search_in *q = in;
    struct puan_search sum;
    struct puan_act act;
    struct puan_jw *w;
    enum puan_status st;

    puan_request_act(&act, rq,
                     puan_str_of(puan_arena_fmt(rq->arena, "area/%lld",
                                                (long long)q->area)));
    st = puan_dup_search(&sum, rq->store, q->area, &act, err);
    if (st != PUAN_OK)
        return st;
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kint(w, "tokens", sum.tokens);
    puan_jw_kint(w, "groups", sum.groups);
    puan_jw_kint(w, "pairs", sum.pairs);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- GET duplicates ------------------------------------------------------------ */

struct list_in {
    int64_t area;
    struct puan_str state;
    struct puan_page page;
};
static const struct puan_param list_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct list_in, area), 0, INT64_MAX,
      false },
    { "state", PUAN_PARAM_TEXT, offsetof(struct list_in, state), 1, 16, true },
    PUAN_PAGE_PARAMS(struct list_in, page),
};

static void write_group(struct puan_jw *w, const struct puan_dup *d)
{
    puan_jw_map(w);
    puan_jw_kint(w, "id", d->id);
    puan_jw_kint(w, "area", d->area);
    puan_jw_kbool(w, "present_twice", (d->kinds >> 1) & 1);
    puan_jw_kbool(w, "registered_twice", (d->kinds >> 2) & 1);
    puan_jw_kstr(w, "state", d->state);
    puan_jw_key(w, "records");
    puan_jw_raw(w, d->records);
    if (d->decision.n) {
        puan_jw_key(w, "decision");
        puan_jw_raw(w, d->decision);
    }
    puan_jw_end(w, '}');
}

static enum puan_status list(struct puan_request *rq, const void *in,
                             struct puan_err *err)
{
    const struct list_in *q = in;
    const struct puan_area_tree *tree = puan_store_areas(rq->store);
    int64_t limit = puan_page_limit(&q->page), n = 0, next = 0;
    struct puan_stmt *s = NULL;
    struct puan_db *db;
    struct puan_jw *w;
    bool more = false;
    enum puan_status st;

    st = puan_read_begin(&db, puan_store_office(rq->store), err);
    if (st != PUAN_OK)
        return st;
    st = puan_sql(&s, db,
                  "SELECT id, token, kinds, area, records, state, decision,"
                  " found FROM dup WHERE id > $1 ORDER BY id",
                  err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, q->page.cursor);
        st = puan_stmt_step(&more, s, err);
    }
    if (st == PUAN_OK) {
        w = puan_answer_items(rq);
        while (st == PUAN_OK && more) {
            struct puan_dup d;

            puan_dup_row(&d, s, rq->arena);
            if (puan_area_contains_code(tree, q->area, d.area) &&
                (q->state.n == 0 || puan_str_eq(q->state, d.state))) {
                if (n++ == limit)
                    break;
                write_group(w, &d);
                next = d.id;
            }
            st = puan_stmt_step(&more, s, err);
        }
        puan_answer_items_end(rq, n > limit ? next : 0);
    }
    puan_stmt_done(s);
    puan_read_end(puan_store_office(rq->store), db);
    return st;
}

/* ---- POST duplicates/{id}/decide ------------------------------------------------ */

struct decide_in {
    int64_t id;
    struct puan_str drop, reason;
};
static const struct puan_param decide_params[] = {
    { "id", PUAN_PARAM_INT, offsetof(struct decide_in, id), 1, INT64_MAX,
      false },
    { "drop", PUAN_PARAM_JSON, offsetof(struct decide_in, drop), 1, 4096,
      false },
    { "reason", PUAN_PARAM_TEXT, offsetof(struct decide_in, reason), 1, 500,
      false },
};

static enum puan_status area_of_group(int64_t *area, struct puan_request *rq,
                                      const void *in, struct puan_err *err)
{
    const struct decide_in *q = in;
    struct puan_dup d;
    struct puan_db *db;
    enum puan_status st;

    st = puan_read_begin(&db, puan_store_office(rq->store), err);
    if (st != PUAN_OK)
        return st;
    st = puan_dup_read(&d, db, q->id, rq->arena, err);
    puan_read_end(puan_store_office(rq->store), db);
    if (st == PUAN_OK)
        *area = d.area;
    return st;
}

struct decision {
    const struct decide_in *q;
    struct puan_request *rq;
    struct puan_node *drop;
};

/* The record of the group that a line of the decision names, or NULL. */
static const struct puan_node *named(const struct puan_node *list,
                                     const struct puan_node *record)
{
    PUAN_NODE_EACH(c, list)
        if (puan_str_eq(puan_node_str_opt(c, "household", ""),
                        puan_node_str_opt(record, "household", "-")) &&
            puan_str_eq(puan_node_str_opt(c, "line", ""),
                        puan_node_str_opt(record, "line", "-")))
            return c;
    return NULL;
}

static enum puan_status send_decision(struct puan_shard *sh, struct puan_db *db,
                                      const struct decision *d,
                                      const struct puan_node *record,
                                      struct puan_err *err)
{
    struct puan_store *store = puan_shard_store(sh);
    int64_t household = 0, line = 0, ret = 0;
    struct puan_shard *to;
    struct puan_out body;
    struct puan_jw w;
    enum puan_status st = puan_node_int(&household, record, "household", 1,
                                        INT64_MAX, err);

    if (st == PUAN_OK)
        st = puan_node_int(&line, record, "line", 1, 65536, err);
    if (st == PUAN_OK)
        st = puan_node_int(&ret, record, "ret", 1, INT64_MAX, err);
    if (st != PUAN_OK)
        return st;
    to = puan_store_shard_of_household(store, household);
    if (to == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "household", "no such store");
    puan_out_init(&body, d->rq->arena);
    puan_jw_init(&w, &body);
    puan_jw_map(&w);
    puan_jw_kint(&w, "household", household);
    puan_jw_kint(&w, "line", line);
    puan_jw_kint(&w, "ret", ret);
    puan_jw_kint(&w, "dropped", named(d->drop, record) != NULL);
    puan_jw_kint(&w, "group", d->q->id);
    puan_jw_end(&w, '}');
    return puan_outbox_put(sh, db, puan_shard_ordinal(to), "duplicate.decided",
                           puan_out_view(&body), err);
}

static enum puan_status decide_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    struct decision *d = arg;
    struct puan_arena *a = d->rq->arena;
    struct puan_node *records;
    struct puan_stmt *s = NULL;
    struct puan_out text;
    struct puan_dup dup;
    struct puan_jw w;
    enum puan_status st = puan_dup_read(&dup, db, d->q->id, a, err);

    if (st == PUAN_OK)
        st = puan_json_tree(&records, dup.records, "records", a, err);
    if (st != PUAN_OK)
        return st;
    PUAN_NODE_EACH(c, d->drop)
        if (named(records, c) == NULL)
            return puan_fail(err, PUAN_EINVAL, "drop",
                             "household %.*s line %.*s is not of this group",
                             PUAN_FMT(puan_node_str_opt(c, "household", "?")),
                             PUAN_FMT(puan_node_str_opt(c, "line", "?")));
    if (d->drop->n >= records->n)
        return puan_fail(err, PUAN_EINVAL, "drop",
                         "at least one record must stand");
    puan_out_init(&text, a);
    puan_jw_init(&w, &text);
    puan_jw_map(&w);
    puan_jw_key(&w, "drop");
    puan_jw_raw(&w, d->q->drop);
    puan_jw_kstr(&w, "reason", d->q->reason);
    puan_jw_end(&w, '}');
    dup.state = PUAN_STR("decided");
    dup.decision = puan_out_view(&text);
    st = puan_sql(&s, db,
                  "UPDATE dup SET state = $2, decision = $3 WHERE id = $1",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, dup.id);
    puan_bind_text(s, 2, dup.state);
    puan_bind_text(s, 3, dup.decision);
    st = puan_stmt_run(s, err);
    puan_stmt_done(s);
    for (const struct puan_node *r = records->first; st == PUAN_OK && r;
         r = r->next)
        st = send_decision(sh, db, d, r, err);
    if (st == PUAN_OK)
        st = puan_dup_cover(sh, db, act, &dup, a, err);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

static enum puan_status decide(struct puan_request *rq, const void *in,
                               struct puan_err *err)
{
    struct decision d = { .q = in, .rq = rq };
    struct puan_act act;
    enum puan_status st =
        puan_json_tree(&d.drop, d.q->drop, "drop", rq->arena, err);

    if (st == PUAN_OK && d.drop->kind != PUAN_NODE_LIST)
        st = puan_fail(err, PUAN_EINVAL, "drop",
                       "expected a list of {household, line}");
    if (st != PUAN_OK)
        return st;
    puan_request_act(&act, rq,
                     puan_str_of(puan_arena_fmt(rq->arena, "duplicate/%lld",
                                                (long long)d.q->id)));
    act.note = d.q->reason;
    st = puan_commit(puan_store_office(rq->store), &act, decide_body, &d, err);
    if (st == PUAN_OK)
        puan_answer_empty(rq);
    return st;
}

/* ---- what a returns store is told ------------------------------------------------ */

static enum puan_status apply_in(struct puan_shard *sh, struct puan_db *db,
                                 struct puan_act *act, struct puan_str body,
                                 struct puan_arena *a, struct puan_err *err)
{
    static const char *const names[] = { "household", "line", "ret", "dropped",
                                         "group" };
    int64_t v[PUAN_COUNT(names)];
    struct puan_stmt *s = NULL;
    struct puan_out content;
    struct puan_node *tree;
    enum puan_status st = puan_json_tree(&tree, body, "parcel", a, err);

    for (size_t i = 0; st == PUAN_OK && i < PUAN_COUNT(names); i++)
        st = puan_node_int(&v[i], tree, names[i], 0, INT64_MAX, err);
    if (st == PUAN_OK)
        st = puan_sql(&s, db,
                      "INSERT INTO dup_drop(household, line, ret, dropped,"
                      " group_id) VALUES ($1,$2,$3,$4,$5)"
                      " ON CONFLICT(household, line) DO UPDATE SET"
                      " ret = excluded.ret, dropped = excluded.dropped,"
                      " group_id = excluded.group_id",
                      err);
    if (st != PUAN_OK)
        return st;
    puan_out_init(&content, a);
    for (size_t i = 0; i < PUAN_COUNT(names); i++) {
        puan_bind_int(s, (int)i + 1, v[i]);
        if (i > 1)
            puan_content_int(&content, v[i]);
    }
    st = puan_stmt_run(s, err);
    puan_stmt_done(s);
    if (st == PUAN_OK)
        st = puan_cover(sh, db, act, "dup_drop",
                        puan_str_of(puan_arena_fmt(a, "%lld.%lld",
                                                   (long long)v[0],
                                                   (long long)v[1])),
                        puan_out_view(&content), err);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

static enum puan_status apply(struct puan_store *store, struct puan_shard *sh,
                              struct puan_db *db, struct puan_act *act,
                              struct puan_str body, struct puan_err *err)
{
    struct puan_arena a;
    enum puan_status st;

    (void)store;
    puan_arena_init(&a, puan_os_alloc());
    st = apply_in(sh, db, act, body, &a, err);
    puan_arena_clear(&a);
    return st;
}

/* ---- tables of the feature ---------------------------------------------------------- */

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE dup(id BIGINT PRIMARY KEY, token TEXT NOT NULL UNIQUE,"
      " kinds BIGINT NOT NULL, area BIGINT NOT NULL, records TEXT NOT NULL,"
      " state TEXT NOT NULL, decision TEXT NOT NULL, found BIGINT NOT NULL);" },
    { PUAN_STORE_RETURNS, 1,
      "CREATE TABLE dup_drop(household BIGINT NOT NULL, line BIGINT NOT NULL,"
      " ret BIGINT NOT NULL, dropped BIGINT NOT NULL, group_id BIGINT NOT NULL,"
      " PRIMARY KEY(household, line));" },
};

static const struct puan_covered covered[] = {
    { PUAN_STORE_OFFICE, "dup",
      "SELECT CAST(id AS TEXT), token, kinds, area, records, state, decision,"
      " found FROM dup" },
    { PUAN_STORE_RETURNS, "dup_drop",
      "SELECT CAST(household AS TEXT) || '.' || CAST(line AS TEXT), ret,"
      " dropped, group_id FROM dup_drop" },
};

static const struct puan_route routes[] = {
    { PUAN_POST, "/c/{campaign}/duplicates/search", "duplicate.run",
      PUAN_SCOPE_AREA, "duplicate.search",
      "Search an area's returns for persons registered twice", search,
      PUAN_PARAMS(search_params, struct search_in) },
    { PUAN_GET, "/c/{campaign}/duplicates", "duplicate.view", PUAN_SCOPE_AREA,
      "", "Groups of records of one person inside an area", list,
      PUAN_PARAMS(list_params, struct list_in) },
    { PUAN_POST, "/c/{campaign}/duplicates/{id}/decide", "duplicate.decide",
      PUAN_SCOPE_OBJECT, "duplicate.decide",
      "Decide which records of a group do not count", decide,
      PUAN_PARAMS(decide_params, struct decide_in), .area_of = area_of_group },
};

static enum puan_status open_groups(int64_t *value, struct puan_store *st,
                                    int64_t area, struct puan_err *err)
{
    struct puan_db *db;
    enum puan_status x = puan_read_begin(&db, puan_store_office(st), err);

    (void)area;
    if (x != PUAN_OK)
        return x;
    x = puan_db_int(value, db, "SELECT count(*) FROM dup WHERE state = 'open'",
                    0, err);
    puan_read_end(puan_store_office(st), db);
    return x;
}

static const struct puan_metric metrics[] = {
    { "puan_duplicates_open", "groups", "installation",
      "Groups of records of one person that wait for a decision", open_groups },
};

static const char *const kinds[] = { "duplicate.decided", NULL };

const struct puan_feature puan_feature_duplicates = {
    .name = "duplicates",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .covered = covered,
    .n_covered = PUAN_COUNT(covered),
    .metrics = metrics,
    .n_metrics = PUAN_COUNT(metrics),
    .inbox_kinds = kinds,
    .inbox = apply,
};
