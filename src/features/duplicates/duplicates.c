/*
 * Routes, schema and decisions of duplicates; see duplicates.h and search.h.
 */
#include "features/duplicates/duplicates.h"

#include "base/json.h"
#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "features/duplicates/search.h"
#include "features/host/request.h"
#include "features/ingest/ingest.h"
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

#define LIST(field) offsetof(struct puan_dup_list_in, field)

static const struct puan_param list_params[] = {
    { "area", PUAN_PARAM_AREA, LIST(area), 0, INT64_MAX, false },
    { "state", PUAN_PARAM_TEXT, LIST(state), 1, 16, true },
    { "kind", PUAN_PARAM_TEXT, LIST(kind), 1, 16, true },
    { "page", PUAN_PARAM_INT, LIST(page_no), 1, 1000000, true },
    PUAN_PAGE_PARAMS(struct puan_dup_list_in, page),
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
    const struct puan_dup_list_in *q = in;
    const struct puan_area_tree *tree = puan_store_areas(rq->store);
    int64_t limit = puan_page_limit(&q->page), n = 0, next = 0;
    struct puan_stmt *s = NULL;
    struct puan_db *db;
    struct puan_jw *w;
    bool more = false;
    enum puan_status st;

    if (q->page_no > 0)
        return puan_dup_desk_list(rq, in, err);
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

#define DECIDE(field) offsetof(struct puan_dup_decide_in, field)

static const struct puan_param decide_params[] = {
    { "id", PUAN_PARAM_INT, DECIDE(id), 1, INT64_MAX, false },
    { "verdict", PUAN_PARAM_INT, DECIDE(verdict), 1, 5, true },
    { "keep", PUAN_PARAM_INT, DECIDE(keep), 1, 16, true },
    { "basis", PUAN_PARAM_TEXT, DECIDE(basis), 1, 16, true },
    { "drop", PUAN_PARAM_JSON, DECIDE(drop), 1, 4096, true },
    { "reason", PUAN_PARAM_TEXT, DECIDE(reason), 1, 500, false },
};
static const struct puan_param id_params[] = {
    { "id", PUAN_PARAM_INT, offsetof(struct puan_dup_id_in, id), 1, INT64_MAX,
      false },
};

static enum puan_status area_of_group(int64_t *area, struct puan_request *rq,
                                      const void *in, struct puan_err *err)
{
    const struct puan_dup_decide_in *q = in;

    return puan_dup_area(area, rq, q->id, err);
}

static enum puan_status area_of_pair(int64_t *area, struct puan_request *rq,
                                     const void *in, struct puan_err *err)
{
    const struct puan_dup_id_in *q = in;

    return puan_dup_area(area, rq, q->id, err);
}

struct decision {
    const struct puan_dup_decide_in *q;
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

static bool drops(const struct puan_node *list, int64_t household, int64_t line)
{
    PUAN_NODE_EACH(c, list)
    {
        int64_t h = 0, l = 0;

        if (puan_int_parse(&h, puan_node_str_opt(c, "household", "")) &&
            puan_int_parse(&l, puan_node_str_opt(c, "line", "")) &&
            h == household && l == line)
            return true;
    }
    return false;
}

enum puan_status puan_dup_send(struct puan_shard *sh, struct puan_db *db,
                               int64_t group, const struct puan_dup_record *r,
                               bool dropped, struct puan_arena *a,
                               struct puan_err *err)
{
    struct puan_store *store = puan_shard_store(sh);
    struct puan_shard *to = puan_store_shard_of_household(store, r->household);
    struct puan_out body;
    struct puan_jw w;

    if (to == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "household", "no such store");
    puan_out_init(&body, a);
    puan_jw_init(&w, &body);
    puan_jw_map(&w);
    puan_jw_kint(&w, "household", r->household);
    puan_jw_kint(&w, "line", r->line);
    puan_jw_kint(&w, "ret", r->ret);
    puan_jw_kint(&w, "dropped", dropped);
    puan_jw_kint(&w, "group", group);
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
    struct puan_dup_record *r = NULL;
    struct puan_node *records;
    struct puan_out text;
    struct puan_dup dup;
    size_t n = 0;
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
    st = puan_dup_write(sh, db, act, &dup, a, err);
    if (st == PUAN_OK)
        st = puan_dup_event(sh, db, act, &dup, -1, d->q->reason, a, err);
    if (st == PUAN_OK)
        st = puan_dup_records(&r, &n, dup.records, a, err);
    for (size_t i = 0; st == PUAN_OK && i < n; i++)
        st = puan_dup_send(sh, db, dup.id, &r[i],
                           drops(d->drop, r[i].household, r[i].line), a, err);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

static enum puan_status decide(struct puan_request *rq, const void *in,
                               struct puan_err *err)
{
    struct decision d = { .q = in, .rq = rq };
    struct puan_act act;
    enum puan_status st;

    if ((d.q->verdict == 0) == (d.q->drop.n == 0))
        return puan_fail(err, PUAN_EINVAL, "verdict",
                         "give a verdict, or a list to drop");
    if (d.q->verdict > 0)
        return puan_dup_desk_decide(rq, d.q, err);
    st = puan_json_tree(&d.drop, d.q->drop, "drop", rq->arena, err);
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
    st = puan_stmt_once(s, err);
    if (st == PUAN_OK)
        st = puan_cover(sh, db, act, "dup_drop",
                        puan_str_of(puan_arena_fmt(a, "%lld.%lld",
                                                   (long long)v[0],
                                                   (long long)v[1])),
                        puan_out_view(&content), err);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

/*
 * Both places are to be visited: the last return is sent back, as by a query.
 * Who has answered anew meanwhile is not asked; the group is open again.
 */
static enum puan_status visit_in(struct puan_shard *sh, struct puan_db *db,
                                 struct puan_act *act, struct puan_str body,
                                 struct puan_arena *a, struct puan_err *err)
{
    int64_t household = 0, line = 0, ret = 0, group = 0, id = 0;
    struct puan_ret_head head = { 0 };
    struct puan_node *tree;
    enum puan_status st = puan_json_tree(&tree, body, "parcel", a, err);

    if (st == PUAN_OK)
        st = puan_node_int(&household, tree, "household", 1, INT64_MAX, err);
    if (st == PUAN_OK)
        st = puan_node_int(&line, tree, "line", 1, INT64_MAX, err);
    if (st == PUAN_OK)
        st = puan_node_int(&ret, tree, "ret", 1, INT64_MAX, err);
    if (st == PUAN_OK)
        st = puan_node_int(&group, tree, "group", 1, INT64_MAX, err);
    if (st != PUAN_OK)
        return st;
    if (!puan_ret_head(&head, puan_shard_store(sh), household) ||
        head.ret != ret)
        return PUAN_OK;
    return puan_query_ask(
        &id, sh, db, act, household, head.version,
        puan_str_of(puan_arena_fmt(
            a, "重复登记待核实（第%lld人，编号%lld）：%.*s", (long long)line,
            (long long)group,
            PUAN_FMT(puan_node_str_opt(tree, "reason", "")))),
        PUAN_STR("[]"), puan_node_str_opt(tree, "actor", ""),
        puan_node_str_opt(tree, "seat", ""), a, err);
}

static enum puan_status apply(struct puan_store *store, struct puan_shard *sh,
                              struct puan_db *db, struct puan_act *act,
                              struct puan_str body, struct puan_err *err)
{
    struct puan_arena a;
    enum puan_status st;

    (void)store;
    puan_arena_init(&a, puan_os_alloc());
    st = puan_str_is(act->verb, "duplicate.visit")
             ? visit_in(sh, db, act, body, &a, err)
             : apply_in(sh, db, act, body, &a, err);
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
    { PUAN_STORE_OFFICE, 2,
      "CREATE TABLE dup_event(id BIGINT PRIMARY KEY, dup BIGINT NOT NULL,"
      " at BIGINT NOT NULL, seat TEXT NOT NULL, verdict BIGINT NOT NULL,"
      " reason TEXT NOT NULL, records TEXT NOT NULL, decision TEXT NOT NULL);"
      "CREATE INDEX dup_event_dup ON dup_event(dup);"
      "CREATE TABLE dup_pair(a BIGINT NOT NULL, a_line BIGINT NOT NULL,"
      " b BIGINT NOT NULL, b_line BIGINT NOT NULL, a_case BIGINT NOT NULL,"
      " b_case BIGINT NOT NULL, PRIMARY KEY(a, a_line));"
      "CREATE INDEX dup_pair_b ON dup_pair(b);"
      "CREATE TABLE dup_search(area BIGINT PRIMARY KEY, at BIGINT NOT NULL,"
      " tokens BIGINT NOT NULL, groups BIGINT NOT NULL,"
      " pairs BIGINT NOT NULL);" },
};

static const struct puan_covered covered[] = {
    { PUAN_STORE_OFFICE, "dup",
      "SELECT CAST(id AS TEXT), token, kinds, area, records, state, decision,"
      " found FROM dup" },
    { PUAN_STORE_OFFICE, "dup_event",
      "SELECT CAST(id AS TEXT), dup, at, seat, verdict, reason, records,"
      " decision FROM dup_event" },
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
      PUAN_PARAMS(list_params, struct puan_dup_list_in) },
    { PUAN_GET, "/c/{campaign}/duplicates/{id}", "duplicate.view",
      PUAN_SCOPE_OBJECT, "identity.compare",
      "One pair: two sides, what agrees, what each verdict does, history",
      puan_dup_desk_pair, PUAN_PARAMS(id_params, struct puan_dup_id_in),
      .area_of = area_of_pair },
    { PUAN_POST, "/c/{campaign}/duplicates/{id}/decide", "duplicate.decide",
      PUAN_SCOPE_OBJECT, "duplicate.decide",
      "Decide on a group: a verdict of the desk, or the records that do not"
      " count",
      decide,
      PUAN_PARAMS(decide_params, struct puan_dup_decide_in),
      .area_of = area_of_group },
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

static const char *const kinds[] = { "duplicate.decided", "duplicate.visit",
                                     NULL };

static const struct puan_job jobs[] = {
    { "duplicates.refresh", 5000, puan_dup_current },
};

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
    .jobs = jobs,
    .n_jobs = PUAN_COUNT(jobs),
    .open = puan_dup_open,
    .close = puan_dup_close,
};
