/*
 * Requests about cases: lists, one case, acts on it, notices.  Which seat may
 * do what stands in the flow; the routes only say that somebody signed in at
 * a seat whose area holds the case.
 */
#include "core/area/area.h"
#include "features/cases/view.h"

struct puan_flow_who puan_case_who(const struct puan_request *rq, int64_t area)
{
    return puan_case_seat(rq->store, puan_str_of(rq->who.name),
                          puan_str_of(rq->who.role_name), rq->who.area, area);
}

/*
 * The seat acts for an external one: role and level it stands for.  The plan
 * must call that role external; if it names who enters its acts, it is him.
 */
static enum puan_status stand_in(struct puan_flow_who *who,
                                 const struct puan_request *rq,
                                 struct puan_str role, struct puan_str level,
                                 int64_t area, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_role *r = puan_plan_role(plan, role);

    if (role.n == 0)
        return PUAN_OK;
    if (r == NULL || !r->external)
        return puan_fail(err, PUAN_EDENIED, "as_role",
                         "only acts of external seats are entered for others");
    if (r->via.n > 0 && !puan_str_is(r->via, rq->who.role_name))
        return puan_fail(err, PUAN_EDENIED, "as_role",
                         "this seat may not enter acts of that external seat");
    who->external = true;
    who->entered_role = who->role;
    who->entered_level = who->level;
    who->entered_above = who->above;
    /* the external seat acts, not the person who writes it down; he stands in
     * the ledger entry */
    who->actor = puan_str_of(puan_arena_fmt(rq->arena, "%.*s@%.*s",
                                            PUAN_FMT(role), PUAN_FMT(level)));
    who->role = role;
    who->level = level;
    who->above = puan_case_level_above(rq->store, level, area);
    if (who->above < 0)
        return puan_fail(err, PUAN_EINVAL, "as_level",
                         "no such level at or above the area of the case");
    return PUAN_OK;
}

static enum puan_status fields_of(const struct puan_node **out,
                                  struct puan_request *rq,
                                  struct puan_str json, struct puan_err *err)
{
    struct puan_node *n = NULL;

    *out = NULL;
    if (json.n == 0)
        return PUAN_OK;
    TRY(puan_json_tree(&n, json, "fields", rq->arena, err));
    if (n->kind != PUAN_NODE_MAP)
        return puan_fail(err, PUAN_EINVAL, "fields",
                         "fields must be a map of names to values");
    *out = n;
    return PUAN_OK;
}

/* [{"kind":"…","digest":"<64 hex>"}] */
static enum puan_status papers_of(struct puan_flow_event *e,
                                  struct puan_request *rq,
                                  struct puan_str json, struct puan_err *err)
{
    static const char *const keys[] = { "kind", "digest", NULL };
    struct puan_node *n = NULL;
    struct puan_flow_paper *list;
    size_t k = 0;

    if (json.n == 0)
        return PUAN_OK;
    TRY(puan_json_tree(&n, json, "evidence", rq->arena, err));
    if (n->kind != PUAN_NODE_LIST || n->n > PUAN_FLOW_MAX)
        return puan_fail(err, PUAN_EINVAL, "evidence",
                         "evidence must be a list of {kind, digest}");
    list = puan_new_n(rq->arena, n->n, struct puan_flow_paper);
    if (list == NULL)
        return puan_arena_check(rq->arena, err);
    PUAN_NODE_EACH(c, n) {
        struct puan_str digest;

        if (c->kind != PUAN_NODE_MAP)
            return puan_fail(err, PUAN_EINVAL, "evidence",
                             "evidence must be a list of {kind, digest}");
        TRY(puan_node_only(c, keys, err));
        TRY(puan_node_str(&list[k].kind, c, "kind", err));
        TRY(puan_node_str(&digest, c, "digest", err));
        if (!puan_unhex(list[k].digest, PUAN_DIGEST_SIZE, digest))
            return puan_fail(err, PUAN_EINVAL, "evidence",
                             "digest must be 64 hex digits");
        if (!puan_blob_there(rq->store, list[k].digest, rq->arena))
            return puan_fail(err, PUAN_EINVAL, "evidence",
                             "no such file here: send it to /evidence first");
        k++;
    }
    e->papers = list;
    e->n_papers = k;
    return PUAN_OK;
}

static enum puan_status time_of(int64_t *out, struct puan_str s,
                                struct puan_err *err)
{
    *out = 0;
    if (s.n == 0 || puan_instant_parse(out, s))
        return PUAN_OK;
    return puan_fail(err, PUAN_EINVAL, "at",
                     "\"at\" must be a time like 2020-11-01T08:00:00+08:00");
}

bool puan_case_cleared(const struct puan_request *rq)
{
    const struct puan_role *r = puan_plan_role(
        puan_store_plan(rq->store), puan_str_of(rq->who.role_name));

    return r != NULL && r->clearance >= 2;
}

static void answer_run(struct puan_request *rq, unsigned status,
                       const struct puan_case_call *call)
{
    struct puan_jw *w = puan_answer_begin(rq, status);

    puan_jw_map(w);
    puan_jw_kint(w, "id", call->row.id);
    puan_jw_kstr(w, "state", call->row.state);
    puan_jw_kint(w, "events", call->row.n);
    puan_jw_kbool(w, "ended", call->row.ended_ms != 0);
    puan_jw_key(w, "case");
    puan_flow_run_json(w, call->after, puan_case_cleared(rq),
                       puan_store_plan(rq->store)->offset_minutes);
    puan_jw_end(w, '}');
}

/* ---- acts --------------------------------------------------------------- */

/* One struct for all kinds of acts; each row declares what it takes. */
struct act_in {
    int64_t area, id, expect;
    struct puan_str flow, subject, name, fields, at, evidence, skip, reason,
        as_role, as_level, digest;
    bool yes, drill;
};

#define COMMON                                                                 \
    { "fields", PUAN_PARAM_JSON, offsetof(struct act_in, fields), 0, 65536,    \
      true },                                                                  \
    { "at", PUAN_PARAM_TEXT, offsetof(struct act_in, at), 0, 40, true },       \
    { "evidence", PUAN_PARAM_JSON, offsetof(struct act_in, evidence), 0,       \
      16384, true },                                                           \
    { "as_role", PUAN_PARAM_TEXT, offsetof(struct act_in, as_role), 1, 64,     \
      true },                                                                  \
    { "as_level", PUAN_PARAM_TEXT, offsetof(struct act_in, as_level), 1, 64,   \
      true }
#define OF_CASE                                                                \
    { "id", PUAN_PARAM_INT, offsetof(struct act_in, id), 1, INT64_MAX,         \
      false },                                                                 \
    { "expect", PUAN_PARAM_INT, offsetof(struct act_in, expect), 1, INT64_MAX, \
      true }
#define NAMED(key)                                                             \
    { key, PUAN_PARAM_TEXT, offsetof(struct act_in, name), 1, 64, false }

static const struct puan_param open_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct act_in, area), 1, INT64_MAX,
      false },
    { "flow", PUAN_PARAM_TEXT, offsetof(struct act_in, flow), 1, 64, false },
    { "drill", PUAN_PARAM_BOOL, offsetof(struct act_in, drill), 0, 1, true },
    COMMON,
};
static const struct puan_param act_params[] = {
    OF_CASE, NAMED("transition"),
    { "skip", PUAN_PARAM_TEXT, offsetof(struct act_in, skip), 1, 64, true },
    COMMON,
};
static const struct puan_param step_params[] = { OF_CASE, NAMED("step"),
                                                 COMMON };
static const struct puan_param ask_params[] = { OF_CASE, NAMED("approval"),
                                                COMMON };
static const struct puan_param sign_params[] = {
    OF_CASE, NAMED("approval"),
    { "yes", PUAN_PARAM_BOOL, offsetof(struct act_in, yes), 0, 1, false },
    { "digest", PUAN_PARAM_TEXT, offsetof(struct act_in, digest), 64, 64,
      true },
    { "reason", PUAN_PARAM_TEXT, offsetof(struct act_in, reason), 1, 1000,
      true },
    COMMON,
};
static const struct puan_param evidence_params[] = { OF_CASE, COMMON };

static enum puan_status act_on(struct puan_request *rq, const struct act_in *in,
                               enum puan_flow_event_kind kind,
                               struct puan_err *err)
{
    struct puan_case_call *call = puan_new(rq->arena, struct puan_case_call);
    uint8_t *digest = puan_arena_get(rq->arena, PUAN_DIGEST_SIZE);
    struct puan_act act;
    int64_t area = rq->area;

    if (call == NULL || digest == NULL)
        return puan_arena_check(rq->arena, err);
    call->arena = rq->arena;
    call->run = in->id;
    call->expect = in->expect;
    call->flow = in->flow;
    call->area = in->area;
    call->event.kind = kind;
    call->event.name = in->name;
    call->event.who = puan_case_who(rq, area);
    TRY(stand_in(&call->event.who, rq, in->as_role, in->as_level, area, err));
    TRY(fields_of(&call->event.fields, rq, in->fields, err));
    TRY(papers_of(&call->event, rq, in->evidence, err));
    TRY(time_of(&call->event.event_ms, in->at, err));
    call->event.yes = in->yes;
    call->event.drill = in->drill;
    call->event.skip = in->skip;
    call->event.reason = in->reason;
    if (in->digest.n > 0) {
        if (!puan_unhex(digest, PUAN_DIGEST_SIZE, in->digest))
            return puan_fail(err, PUAN_EINVAL, "digest",
                             "digest must be 64 hex digits");
        call->event.digest = digest;
    }
    puan_request_act(&act, rq, PUAN_STR(""));
    TRY(puan_case_do(rq->store, &act, call, err));
    answer_run(rq, kind == PUAN_FLOW_OPEN ? 201 : 200, call);
    return PUAN_OK;
}

#define HANDLER(name, kind)                                                    \
    static enum puan_status name(struct puan_request *rq, const void *in,      \
                                 struct puan_err *err)                         \
    {                                                                          \
        return act_on(rq, in, kind, err);                                      \
    }
HANDLER(act_case, PUAN_FLOW_ACT)
HANDLER(do_step, PUAN_FLOW_DO)
HANDLER(order_step, PUAN_FLOW_ORDER)
HANDLER(ask, PUAN_FLOW_ASK)
HANDLER(sign, PUAN_FLOW_SIGN)
HANDLER(attach, PUAN_FLOW_EVIDENCE)

/* The notices this seat was given about a run are taken with it. */
static enum puan_status take_notices(struct puan_shard *sh, struct puan_db *db,
                                     struct puan_act *act,
                                     const struct puan_request *rq, int64_t run,
                                     struct puan_err *err)
{
    struct puan_case_notice n[64];
    struct puan_stmt *s = NULL;
    size_t k = 0;
    bool more = false;
    enum puan_status st;

    TRY(puan_sql(&s, db,
                 "SELECT id, n, kind, seat, level, at, vacant FROM case_notice"
                 " WHERE run = $1 AND role = $2 AND area = $3 AND taken = 0"
                 " ORDER BY id",
                 err));
    puan_bind_int(s, 1, run);
    puan_bind_text(s, 2, puan_str_of(rq->who.role_name));
    puan_bind_int(s, 3, rq->who.area);
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more &&
           k < PUAN_COUNT(n)) {
        n[k] = (struct puan_case_notice){
            .id = puan_col_int(s, 0), .run = run, .n = puan_col_int(s, 1),
            .kind = puan_arena_keep(rq->arena, puan_col_text(s, 2)),
            .seat = puan_arena_keep(rq->arena, puan_col_text(s, 3)),
            .role = puan_str_of(rq->who.role_name),
            .level = puan_arena_keep(rq->arena, puan_col_text(s, 4)),
            .area = rq->who.area, .at = puan_col_int(s, 5),
            .vacant = puan_col_int(s, 6),
            .taken = puan_store_now(puan_shard_store(sh)),
            .taken_by = puan_str_of(rq->who.name)
        };
        k++;
    }
    puan_stmt_done(s);
    for (size_t i = 0; st == PUAN_OK && i < k; i++)
        st = puan_case_notice_write(sh, db, act, &n[i], rq->arena, err);
    return st;
}

struct takeover {
    struct puan_request *rq;
    struct puan_case_call *call;
};

static enum puan_status takeover_body(struct puan_shard *sh, struct puan_db *db,
                                      struct puan_act *act, void *arg,
                                      struct puan_err *err)
{
    struct takeover *t = arg;

    TRY(puan_case_in(sh, db, act, t->call, err));
    return take_notices(sh, db, act, t->rq, t->call->run, err);
}

/* "This is mine now": stops what waits for somebody to answer. */
static enum puan_status take_case(struct puan_request *rq, const void *v,
                                  struct puan_err *err)
{
    const struct act_in *in = v;
    struct puan_case_call *call = puan_new(rq->arena, struct puan_case_call);
    struct takeover t = { rq, call };
    struct puan_act act;

    if (call == NULL)
        return puan_arena_check(rq->arena, err);
    call->arena = rq->arena;
    call->run = in->id;
    call->expect = in->expect;
    call->event.kind = PUAN_FLOW_TAKE;
    call->event.who = puan_case_who(rq, rq->area);
    puan_request_act(&act, rq, PUAN_STR(""));
    TRY(puan_commit(puan_store_office(rq->store), &act, takeover_body, &t,
                    err));
    answer_run(rq, 200, call);
    return PUAN_OK;
}

/* Runs that belong to a feature are opened by it. */
static enum puan_status open_case(struct puan_request *rq, const void *v,
                                  struct puan_err *err)
{
    const struct act_in *in = v;
    const struct puan_flow *flow;

    TRY(puan_cases_flow(&flow, rq->store, in->flow, err));
    for (size_t i = 0; puan_case_owners[i] != NULL; i++)
        if (puan_str_is(flow->subject, puan_case_owners[i]->subject))
            return puan_fail(err, PUAN_EINVAL, "flow",
                             "runs of \"%.*s\" are opened by their own route",
                             PUAN_FMT(in->flow));
    return act_on(rq, in, PUAN_FLOW_OPEN, err);
}

/* ---- reading ------------------------------------------------------------ */

bool puan_case_seen_by(const struct puan_flow *f,
                       const struct puan_flow_who *who)
{
    if (f->public_kind < 0)
        return true;
    for (size_t i = 0; i < f->n_seats; i++)
        if (!puan_str_is(f->seats[i].role, "any") &&
            puan_flow_seat_fits(f, (int)i, who))
            return true;
    return false;
}

/* The area of the case: the seat must hold it. */
static enum puan_status area_of_case(int64_t *area, struct puan_request *rq,
                                     const void *v, struct puan_err *err)
{
    const struct act_in *in = v;
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_case_row row;
    struct puan_db *db = NULL;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    st = puan_case_row_read(&row, db, in->id, rq->arena, err);
    puan_read_end(office, db);
    *area = st == PUAN_OK ? row.area : 0;
    if (st == PUAN_OK) {
        const struct puan_flow *f;
        struct puan_flow_who who = puan_case_who(rq, row.area);

        TRY(puan_cases_flow(&f, rq->store, row.flow, err));
        if (!puan_case_seen_by(f, &who))
            return puan_fail(err, PUAN_ENOTFOUND, "case",
                             "there is no such case");
    }
    return st;
}

static enum puan_status show(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    return puan_case_show(rq, ((const struct act_in *)v)->id, err);
}

static enum puan_status draw(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    const struct act_in *in = v;

    return puan_case_svg(rq, in->id, in->name, err);
}

static const struct puan_param list_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct puan_case_list, area), 1,
      INT64_MAX, true },
    { "flow", PUAN_PARAM_TEXT, offsetof(struct puan_case_list, flow), 1, 64,
      true },
    { "state", PUAN_PARAM_TEXT, offsetof(struct puan_case_list, state), 1, 64,
      true },
    { "open", PUAN_PARAM_BOOL, offsetof(struct puan_case_list, open), 0, 1,
      true },
    { "mine", PUAN_PARAM_BOOL, offsetof(struct puan_case_list, mine), 0, 1,
      true },
    { "due", PUAN_PARAM_TEXT, offsetof(struct puan_case_list, due), 1, 16,
      true },
    { "group", PUAN_PARAM_TEXT, offsetof(struct puan_case_list, group), 1, 16,
      true },
    PUAN_PAGE_PARAMS(struct puan_case_list, page),
};

static enum puan_status list(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    return puan_case_list(rq, v, err);
}

/* ---- evidence ----------------------------------------------------------- */

/* The body is the file; the answer is the digest an act may name. */
static enum puan_status put_evidence(struct puan_request *rq, const void *v,
                                     struct puan_err *err)
{
    uint8_t digest[PUAN_DIGEST_SIZE];
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_jw *w;

    (void)v;
    if (rq->body.n == 0)
        return puan_fail(err, PUAN_EINVAL, "body", "the file is empty");
    TRY(puan_blob_put(digest, rq->store, rq->body, rq->arena, err));
    puan_hex(hex, digest, sizeof digest);
    w = puan_answer_begin(rq, 201);
    puan_jw_map(w);
    puan_jw_ktext(w, "digest", hex);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* A file named by an event of this case. */
static enum puan_status get_evidence(struct puan_request *rq, const void *v,
                                     struct puan_err *err)
{
    const struct act_in *in = v;
    struct puan_shard *office = puan_store_office(rq->store);
    uint8_t digest[PUAN_DIGEST_SIZE];
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    struct puan_str plain;
    bool more = false, named = false;
    enum puan_status st;

    if (!puan_unhex(digest, sizeof digest, in->digest))
        return puan_fail(err, PUAN_EINVAL, "digest",
                         "digest must be 64 hex digits");
    TRY(puan_read_begin(&db, office, err));
    st = puan_sql(&s, db,
                  "SELECT n, body, sealed FROM case_event WHERE run = $1"
                  " ORDER BY n",
                  err);
    if (st == PUAN_OK)
        puan_bind_int(s, 1, in->id);
    while (st == PUAN_OK && !named &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        struct puan_flow_event e;
        struct puan_str body;

        if (puan_col_bytes(s, 2).n > 0 && !puan_case_cleared(rq))
            continue;
        st = puan_case_event_open(&body, rq->store, in->id, puan_col_int(s, 0),
                                  puan_col_text(s, 1), puan_col_bytes(s, 2),
                                  rq->arena, err);
        if (st == PUAN_OK)
            st = puan_flow_event_read(&e, body, rq->arena, err);
        for (size_t i = 0; st == PUAN_OK && i < e.n_papers; i++)
            named = named || memcmp(e.papers[i].digest, digest,
                                    sizeof digest) == 0;
    }
    puan_stmt_done(s);
    puan_read_end(office, db);
    if (st == PUAN_OK && !named)
        st = puan_fail(err, PUAN_ENOTFOUND, "evidence",
                       "no event of this case names such a file");
    if (st == PUAN_OK)
        st = puan_blob_get(&plain, rq->store, digest, rq->arena, err);
    if (st == PUAN_OK)
        puan_answer_bytes(rq, 200, "application/octet-stream", plain);
    return st;
}

/* ---- notices ------------------------------------------------------------ */

struct mine_in {
    struct puan_page page;
};
static const struct puan_param mine_params[] = {
    PUAN_PAGE_PARAMS(struct mine_in, page),
};

#define NOTICES 100

/* One line of the list; its case is looked up after the rows were read. */
struct told {
    int64_t id, run, at, area;
    struct puan_str kind, seat, flow, state;
    bool drill;
};

/* Notices inside the seat's area that nobody holds a seat to take. */
static enum puan_status count_vacant(int64_t *n, const struct puan_request *rq,
                                     struct puan_db *db, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *n = 0;
    TRY(puan_sql(&s, db,
                 "SELECT n.area FROM case_notice n JOIN case_run r ON"
                 " r.id = n.run WHERE n.vacant = 1 AND n.taken = 0 AND"
                 " r.ended = 0",
                 err));
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more)
        *n += puan_request_covers(rq, puan_col_int(s, 0));
    puan_stmt_done(s);
    return st;
}

/*
 * What was said to this seat and not yet taken, oldest first: level, number
 * and due time, never what it is about in words of others.
 */
static enum puan_status mine(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    const struct mine_in *in = v;
    struct puan_shard *office = puan_store_office(rq->store);
    int offset = puan_store_plan(rq->store)->offset_minutes;
    int64_t limit = puan_page_limit(&in->page), next = 0, vacant = 0;
    struct told *t = puan_new_n(rq->arena, NOTICES, struct told);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    struct puan_out o;
    struct puan_jw w;
    size_t n = 0;
    bool more = false;
    enum puan_status st;

    if (t == NULL)
        return puan_arena_check(rq->arena, err);
    if (limit > NOTICES)
        limit = NOTICES;
    TRY(puan_read_begin(&db, office, err));
    st = puan_sql(&s, db,
                  "SELECT n.id, n.run, n.kind, n.seat, n.at, r.flow, r.area,"
                  " r.state, r.drill FROM case_notice n JOIN case_run r ON"
                  " r.id = n.run WHERE n.id > $1 AND n.taken = 0 AND"
                  " n.role = $2 AND n.area = $3 AND r.ended = 0 ORDER BY n.id"
                  " LIMIT $4",
                  err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, in->page.cursor);
        puan_bind_text(s, 2, puan_str_of(rq->who.role_name));
        puan_bind_int(s, 3, rq->who.area);
        puan_bind_int(s, 4, limit + 1);
        while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
            if ((int64_t)n == limit) {
                next = t[n - 1].id;
                break;
            }
            t[n++] = (struct told){
                puan_col_int(s, 0), puan_col_int(s, 1), puan_col_int(s, 4),
                puan_col_int(s, 6), puan_arena_keep(rq->arena,
                                                    puan_col_text(s, 2)),
                puan_arena_keep(rq->arena, puan_col_text(s, 3)),
                puan_arena_keep(rq->arena, puan_col_text(s, 5)),
                puan_arena_keep(rq->arena, puan_col_text(s, 7)),
                puan_col_int(s, 8) != 0
            };
        }
        puan_stmt_done(s);
    }
    if (st == PUAN_OK)
        st = count_vacant(&vacant, rq, db, err);
    puan_out_init(&o, rq->arena);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kinstant(&w, "as_of", rq->now, offset);
    puan_jw_kint(&w, "vacant", vacant);
    puan_jw_key(&w, "items");
    puan_jw_list(&w);
    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        struct puan_case_brief b;

        st = puan_case_brief(&b, rq, db, t[i].run, err);
        if (st != PUAN_OK)
            break;
        puan_jw_map(&w);
        puan_jw_kint(&w, "id", t[i].id);
        puan_jw_kint(&w, "case", t[i].run);
        puan_jw_ktext(&w, "number", b.number);
        puan_jw_kstr(&w, "level", b.level);
        puan_jw_kstr(&w, "kind", t[i].kind);
        puan_jw_kstr(&w, "seat", t[i].seat);
        puan_jw_kinstant(&w, "at", t[i].at, offset);
        puan_jw_kstr(&w, "flow", t[i].flow);
        puan_jw_kint(&w, "area", t[i].area);
        puan_jw_kstr(&w, "state", t[i].state);
        puan_jw_kbool(&w, "drill", t[i].drill);
        if (b.clock != NULL) {
            puan_jw_kstr(&w, "clock_zh", b.clock->zh);
            puan_jw_kstr(&w, "clock_en", b.clock->en);
            puan_jw_kinstant(&w, "due", b.due_ms, offset);
        }
        puan_jw_end(&w, '}');
    }
    puan_jw_end(&w, ']');
    puan_jw_key(&w, "next");
    if (next != 0)
        puan_jw_int(&w, next);
    else
        puan_jw_null(&w);
    puan_jw_end(&w, '}');
    puan_read_end(office, db);
    if (st == PUAN_OK)
        st = puan_arena_check(rq->arena, err);
    if (st == PUAN_OK)
        puan_answer_json(rq, 200, puan_out_view(&o));
    return st;
}

static enum puan_status openable(struct puan_request *rq, const void *v,
                                 struct puan_err *err)
{
    (void)v;
    return puan_case_openable(rq, err);
}

struct take_in {
    int64_t notice;
};
static const struct puan_param take_params[] = {
    { "notice", PUAN_PARAM_INT, offsetof(struct take_in, notice), 1, INT64_MAX,
      false },
};
struct take {
    struct puan_request *rq;
    int64_t id;
};

static enum puan_status take_body(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    const struct take *t = arg;
    struct puan_arena *a = t->rq->arena;
    struct puan_case_notice n = { .id = t->id };
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    st = puan_sql(&s, db,
                  "SELECT run, n, kind, seat, role, level, area, at, vacant,"
                  " taken FROM case_notice WHERE id = $1",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, t->id);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more) {
        n.run = puan_col_int(s, 0);
        n.n = puan_col_int(s, 1);
        n.kind = puan_str_of(puan_arena_dup(a, puan_col_text(s, 2)));
        n.seat = puan_str_of(puan_arena_dup(a, puan_col_text(s, 3)));
        n.role = puan_str_of(puan_arena_dup(a, puan_col_text(s, 4)));
        n.level = puan_str_of(puan_arena_dup(a, puan_col_text(s, 5)));
        n.area = puan_col_int(s, 6);
        n.at = puan_col_int(s, 7);
        n.vacant = puan_col_int(s, 8);
        n.taken = puan_col_int(s, 9);
    }
    puan_stmt_done(s);
    if (st != PUAN_OK)
        return st;
    if (!more || !puan_str_is(n.role, t->rq->who.role_name) ||
        n.area != t->rq->who.area)
        return puan_fail(err, PUAN_ENOTFOUND, "notice",
                         "there is no such notice for this seat");
    if (n.taken != 0)
        return puan_fail(err, PUAN_ECONFLICT, "notice", "taken already");
    n.taken = puan_store_now(puan_shard_store(sh));
    n.taken_by = puan_str_of(t->rq->who.name);
    return puan_case_notice_write(sh, db, act, &n, a, err);
}

static enum puan_status take(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    const struct take_in *in = v;
    struct take t = { rq, in->notice };
    struct puan_act act;

    puan_request_act(&act, rq,
                     puan_str_of(puan_arena_fmt(rq->arena, "notice/%lld",
                                                (long long)in->notice)));
    TRY(puan_commit(puan_store_office(rq->store), &act, take_body, &t, err));
    puan_answer_empty(rq);
    return PUAN_OK;
}

static const struct puan_param id_params[] = {
    { "id", PUAN_PARAM_INT, offsetof(struct act_in, id), 1, INT64_MAX, false },
};

static const struct puan_param take_case_params[] = { OF_CASE };

static const struct puan_param draw_params[] = {
    { "id", PUAN_PARAM_INT, offsetof(struct act_in, id), 1, INT64_MAX, false },
    { "lang", PUAN_PARAM_TEXT, offsetof(struct act_in, name), 2, 2, true },
};

static const struct puan_param file_params[] = {
    { "id", PUAN_PARAM_INT, offsetof(struct act_in, id), 1, INT64_MAX, false },
    { "digest", PUAN_PARAM_TEXT, offsetof(struct act_in, digest), 64, 64,
      false },
};

#define ROW(method_, path_, cap, verb_, summary_, fn, table)                   \
    { .method = method_, .path = "/c/{campaign}/cases" path_,                  \
      .capability = cap, .scope = PUAN_SCOPE_OBJECT, .verb = verb_,            \
      .summary = summary_, .handle = fn, .area_of = area_of_case,              \
      PUAN_PARAMS(table, struct act_in) }

const struct puan_route puan_case_routes[PUAN_CASE_ROUTES] = {
    { .method = PUAN_GET, .path = "/c/{campaign}/cases",
      .capability = "case.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "List cases of an area", .handle = list,
      PUAN_PARAMS(list_params, struct puan_case_list) },
    { .method = PUAN_POST, .path = "/c/{campaign}/cases",
      .capability = "case.open", .scope = PUAN_SCOPE_AREA, .verb = "case.open",
      .summary = "Open a case", .handle = open_case,
      PUAN_PARAMS(open_params, struct act_in) },
    ROW(PUAN_GET, "/{id}", "case.view", "", "One case with its history", show,
        id_params),
    ROW(PUAN_GET, "/{id}/diagram.svg", "case.view", "",
        "The flow of a case, drawn", draw, draw_params),
    ROW(PUAN_POST, "/{id}/act", "case.act", "case.act", "Take a transition",
        act_case, act_params),
    ROW(PUAN_POST, "/{id}/step", "case.act", "case.step", "A step is done",
        do_step, step_params),
    ROW(PUAN_POST, "/{id}/order", "case.act", "case.order", "Order a step",
        order_step, step_params),
    ROW(PUAN_POST, "/{id}/ask", "case.act", "case.ask", "Ask for an approval",
        ask, ask_params),
    { .method = PUAN_POST, .path = "/c/{campaign}/cases/{id}/sign",
      .capability = "case.act", .scope = PUAN_SCOPE_OBJECT,
      .verb = "case.sign", .summary = "Sign or refuse an approval",
      .handle = sign, .area_of = area_of_case, .fresh_factor = true,
      PUAN_PARAMS(sign_params, struct act_in) },
    ROW(PUAN_POST, "/{id}/take", "case.act", "case.take",
        "Take a case over; notices of it are taken with it", take_case,
        take_case_params),
    ROW(PUAN_POST, "/{id}/evidence", "case.act", "case.evidence",
        "Attach evidence", attach, evidence_params),
    ROW(PUAN_GET, "/{id}/evidence/{digest}", "case.view", "",
        "A file that a case names", get_evidence, file_params),
    { .method = PUAN_POST, .path = "/c/{campaign}/evidence",
      .capability = "case.act", .scope = PUAN_SCOPE_SESSION, .verb = "",
      .summary = "Send a file, to be named as evidence", .handle = put_evidence,
      .max_body = PUAN_BLOB_MAX, .raw_body = true },
    { .method = PUAN_GET, .path = "/c/{campaign}/flows",
      .capability = "case.open", .scope = PUAN_SCOPE_SESSION, .verb = "",
      .summary = "What this seat may open, and the fields it takes",
      .handle = openable },
    { .method = PUAN_GET, .path = "/c/{campaign}/notices",
      .capability = "case.view", .scope = PUAN_SCOPE_SESSION, .verb = "",
      .summary = "What this seat was told and has not taken", .handle = mine,
      PUAN_PARAMS(mine_params, struct mine_in) },
    { .method = PUAN_POST, .path = "/c/{campaign}/notices/{notice}/take",
      .capability = "case.view", .scope = PUAN_SCOPE_SESSION,
      .verb = "notice.take", .summary = "Take a notice", .handle = take,
      PUAN_PARAMS(take_params, struct take_in) },
};
