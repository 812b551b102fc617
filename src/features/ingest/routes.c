/*
 * Returns over HTTP: sending one, reading it and its history, asking back,
 * counting, and what waits in quarantine.
 */
#include "features/ingest/internal.h"

#include "base/calendar.h"
#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "features/host/request.h"

/* ---- sending ------------------------------------------------------------------ */

struct sending {
    struct puan_request *rq;
    struct puan_sender who;
};

static void answer_submit(void *arg, enum puan_status st,
                          const struct puan_receipt *r,
                          const struct puan_err *err)
{
    struct sending *s = arg;
    struct puan_request *rq = s->rq;
    const char *detail;

    if (st == PUAN_ELIMIT) {
        puan_answer_problem(rq, 429, "quarantine-full",
                            err ? err->text : "too much waits in quarantine");
        puan_request_resume(rq, PUAN_OK, NULL);
        return;
    }
    if (st != PUAN_OK) {
        puan_request_resume(rq, st, err);
        return;
    }
    switch (r->outcome) {
    case PUAN_SUBMIT_ACCEPTED:
    case PUAN_SUBMIT_REPEATED:
        puan_receipt_json(
            puan_answer_begin(rq,
                              r->outcome == PUAN_SUBMIT_ACCEPTED ? 201 : 200),
            r);
        break;
    case PUAN_SUBMIT_STALE:
        detail = puan_arena_fmt(
            rq->arena,
            "the last version is %u; read it, put your changes on it and send "
            "again; this document waits in quarantine as %lld",
            r->version, (long long)r->ret);
        puan_answer_problem(rq, 409, "stale-base", detail);
        break;
    case PUAN_SUBMIT_CONFLICT:
        detail = puan_arena_fmt(
            rq->arena,
            "this device's counter was used for other answers of this "
            "household; this document waits in quarantine as %lld",
            (long long)r->ret);
        puan_answer_problem(rq, 409, "counter-reused", detail);
        break;
    case PUAN_SUBMIT_WINDOW:
        detail = puan_arena_fmt(
            rq->arena,
            "no window is open for this form and mode; this document waits in "
            "quarantine as %lld",
            (long long)r->ret);
        puan_answer_problem(rq, 403, "window-closed", detail);
        break;
    case PUAN_SUBMIT_UNREADABLE:
        detail = puan_arena_fmt(
            rq->arena, "%s%s%s; this document waits in quarantine as %lld",
            err ? err->where : "", err && *err->where ? ": " : "",
            err ? err->text : "unreadable", (long long)r->ret);
        puan_answer_problem(rq, 400, "unreadable", detail);
        break;
    case PUAN_SUBMIT_HELD: /* nobody who holds a session is */
        puan_answer_problem(rq, 403, "held", "it waits in quarantine");
        break;
    }
    puan_request_resume(rq, PUAN_OK, NULL);
}

static enum puan_status post_return(struct puan_request *rq, const void *in,
                                    struct puan_err *err)
{
    struct sending *s = puan_new(rq->arena, struct sending);

    (void)in;
    if (!s)
        return puan_arena_check(rq->arena, err);
    s->rq = rq;
    s->who = (struct puan_sender){
        .actor = puan_str_of(rq->who.name),
        .seat = puan_str_of(rq->who.seat_text),
        .device = puan_str_of(rq->who.device),
        .household_account = rq->who.credential == PUAN_CRED_HOUSEHOLD,
        .household = rq->who.household,
        .area = rq->who.area,
    };
    puan_request_suspend(rq);
    puan_submit(rq->store, &s->who, rq->body, rq->arena, answer_submit, s);
    return PUAN_OK;
}

/* ---- reading ------------------------------------------------------------------ */

struct return_in {
    int64_t household, version;
    bool identity;
    struct puan_str purpose;
};

static const struct puan_param return_params[] = {
    { "household", PUAN_PARAM_HOUSEHOLD, offsetof(struct return_in, household) },
    { "version", PUAN_PARAM_INT, offsetof(struct return_in, version), 1,
      PUAN_VERSIONS_MAX, true },
    { "identity", PUAN_PARAM_BOOL, offsetof(struct return_in, identity), 0, 0,
      true },
    { "purpose", PUAN_PARAM_TEXT, offsetof(struct return_in, purpose), 1, 200,
      true },
};

static void put_meta(struct puan_jw *w, const struct puan_ret *r, int offset)
{
    puan_jw_kint(w, "version", r->version);
    puan_jw_kstr(w, "form", r->form->id);
    puan_jw_kstr(w, "mode", r->head.mode);
    puan_jw_kstr(w, "device", r->head.device);
    puan_jw_kint(w, "counter", (int64_t)r->head.counter);
    puan_jw_kstr(w, "actor", r->actor);
    puan_jw_kinstant(w, "started", r->head.started_ms, offset);
    puan_jw_kinstant(w, "finished", r->head.finished_ms, offset);
    puan_jw_kinstant(w, "received", r->received_ms, offset);
    puan_jw_kbool(w, "signed", r->head.is_signed);
    puan_jw_kint(w, "persons", r->persons);
    puan_jw_kint(w, "hard", r->hard);
    puan_jw_kint(w, "soft", r->soft);
    puan_jw_kint(w, "entry", (int64_t)r->entry);
    puan_jw_kdigest(w, "digest", r->digest);
}

/* A look at identities is an act of its own; its body changes nothing. */
static enum puan_status look_body(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    (void)sh;
    (void)db;
    (void)act;
    (void)arg;
    (void)err;
    return PUAN_OK;
}

static enum puan_status leave_trace(struct puan_request *rq,
                                    struct puan_shard *sh, int64_t household,
                                    struct puan_str purpose,
                                    struct puan_err *err)
{
    bool own = rq->who.household == household && household != 0;
    char subject[24];
    struct puan_act act;

    if (!own && !puan_request_can(rq, "vault.view"))
        return puan_fail(err, PUAN_EDENIED, "identity",
                         "this seat may not see identities");
    if (!own && purpose.n == 0)
        return puan_fail(err, PUAN_EINVAL, "purpose",
                         "say what the identities are needed for");
    puan_format(subject, sizeof(subject), "%lld", (long long)household);
    puan_request_act(&act, rq, puan_str_of(subject));
    act.verb = PUAN_STR("vault.view");
    act.note = own ? PUAN_STR("own return") : purpose;
    return puan_commit(sh, &act, look_body, NULL, err);
}

static enum puan_status get_return(struct puan_request *rq, const void *arg,
                                   struct puan_err *err)
{
    const struct return_in *in = arg;
    struct puan_shard *sh =
        puan_store_shard_of_household(rq->store, in->household);
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_ret_head head;
    struct puan_record rec;
    struct puan_edits edits;
    struct puan_db *db = NULL;
    struct puan_ret r;
    struct puan_jw *w;
    int64_t at;
    enum puan_status st;

    if (!sh || !puan_ret_head(&head, rq->store, in->household) ||
        head.ret == 0)
        return puan_fail(err, PUAN_ENOTFOUND, "household",
                         "no return has arrived");
    st = puan_read_begin(&db, sh, err);
    for (at = head.ret; st == PUAN_OK; at = r.prev) {
        st = puan_ret_read(&r, sh, db, at, rq->arena, err);
        if (st != PUAN_OK || in->version == 0 || r.version == in->version)
            break;
        if (r.prev == 0)
            st = puan_fail(err, PUAN_ENOTFOUND, "version", "no such version");
    }
    puan_read_end(sh, db);
    if (st == PUAN_OK && in->identity)
        st = leave_trace(rq, sh, in->household, in->purpose, err);
    if (st == PUAN_OK)
        st = puan_ret_record(&rec, &r, sh, in->identity, rq->arena, err);
    if (st == PUAN_OK)
        st = puan_ret_edits(&edits, &r, sh, in->identity, rq->arena, err);
    if (st != PUAN_OK)
        return st;
    puan_answer_etag(rq, r.version);
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kcode(w, "household", in->household);
    put_meta(w, &r, plan->offset_minutes);
    puan_jw_kint(w, "base", r.version);
    puan_record_json(w, &rec);
    puan_jw_key(w, "findings");
    puan_edits_json(w, &edits, puan_ingest_rules(rq->store, r.form), r.form,
                    in->identity);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* The household's own account: its own return, identities included. */
static enum puan_status get_own(struct puan_request *rq, const void *arg,
                                struct puan_err *err)
{
    struct return_in in = { .household = rq->who.household, .identity = true };

    (void)arg;
    if (in.household == 0)
        return puan_fail(err, PUAN_EDENIED, "household",
                         "only a household's own account has a return of its "
                         "own");
    return get_return(rq, &in, err);
}

struct household_in {
    int64_t household;
};
static const struct puan_param household_params[] = {
    { "household", PUAN_PARAM_HOUSEHOLD,
      offsetof(struct household_in, household) },
};

static void put_query(struct puan_jw *w, struct puan_stmt *s, int offset)
{
    puan_jw_map(w);
    puan_jw_kint(w, "id", puan_col_int(s, 0));
    puan_jw_kcode(w, "household", puan_col_int(s, 1));
    puan_jw_kint(w, "version", puan_col_int(s, 2));
    puan_jw_kstr(w, "reason", puan_col_text(s, 3));
    puan_jw_key(w, "findings");
    puan_jw_raw(w, puan_col_text(s, 4));
    puan_jw_kstr(w, "actor", puan_col_text(s, 5));
    puan_jw_kstr(w, "seat", puan_col_text(s, 6));
    puan_jw_kinstant(w, "asked", puan_col_int(s, 7), offset);
    puan_jw_kstr(w, "state", puan_col_text(s, 8));
    puan_jw_end(w, '}');
}

static enum puan_status get_history(struct puan_request *rq, const void *arg,
                                    struct puan_err *err)
{
    const struct household_in *in = arg;
    struct puan_shard *sh =
        puan_store_shard_of_household(rq->store, in->household);
    int offset = puan_store_plan(rq->store)->offset_minutes;
    struct puan_ret_head head = { 0 };
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    struct puan_jw *w;
    bool more = true;
    enum puan_status st;

    if (!sh || !puan_ret_head(&head, rq->store, in->household))
        return puan_fail(err, PUAN_ENOTFOUND, "household", "not listed");
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kcode(w, "household", in->household);
    puan_jw_key(w, "versions");
    puan_jw_list(w);
    st = puan_read_begin(&db, sh, err);
    for (int64_t at = head.ret; at != 0 && st == PUAN_OK;) {
        struct puan_ret r;

        st = puan_ret_read(&r, sh, db, at, rq->arena, err);
        if (st != PUAN_OK)
            break;
        puan_jw_map(w);
        put_meta(w, &r, offset);
        puan_jw_kstr(w, "query", r.head.query);
        puan_jw_end(w, '}');
        at = r.prev;
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "queries");
    puan_jw_list(w);
    if (st == PUAN_OK)
        st = puan_sql(&s, db,
                      "SELECT id, household, version, reason, findings, actor,"
                      " seat, asked, state FROM query WHERE household = $1"
                      " ORDER BY id",
                      err);
    if (st == PUAN_OK)
        puan_bind_int(s, 1, in->household);
    while (st == PUAN_OK) {
        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        put_query(w, s, offset);
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return st;
}

/* ---- asking back ---------------------------------------------------------------- */

struct query_in {
    int64_t household, version;
    struct puan_str reason, findings;
};
static const struct puan_param query_params[] = {
    { "household", PUAN_PARAM_HOUSEHOLD, offsetof(struct query_in, household) },
    { "version", PUAN_PARAM_INT, offsetof(struct query_in, version), 1,
      PUAN_VERSIONS_MAX },
    { "reason", PUAN_PARAM_TEXT, offsetof(struct query_in, reason), 1, 1000 },
    { "findings", PUAN_PARAM_JSON, offsetof(struct query_in, findings), 0, 8000,
      true },
};

struct asking {
    const struct query_in *in;
    struct puan_str findings;
    struct puan_arena *arena;
    int64_t id;
};

enum puan_status puan_query_ask(int64_t *id, struct puan_shard *sh,
                                struct puan_db *db, struct puan_act *act,
                                int64_t household, int64_t asked,
                                struct puan_str reason,
                                struct puan_str findings, struct puan_str actor,
                                struct puan_str seat, struct puan_arena *a,
                                struct puan_err *err)
{
    struct puan_ingest_shard *is = puan_ingest_shard_of(sh);
    struct puan_slot *slot;
    struct puan_stmt *s = NULL;
    struct puan_out content;
    uint32_t version = 0;
    enum puan_status st;

    pthread_mutex_lock(&is->lock);
    slot = puan_heads_find(is, household);
    if (slot && slot->ret != 0)
        version = slot->version;
    pthread_mutex_unlock(&is->lock);
    if (version == 0)
        return puan_fail(err, PUAN_ENOTFOUND, "household",
                         "no return has arrived");
    if (asked != version)
        return puan_fail(err, PUAN_ECONFLICT, "version",
                         "the last version is %u; look at it first", version);
    *id = is->next_query;
    puan_out_init(&content, a);
    puan_content_int(&content, household);
    puan_content_int(&content, asked);
    puan_content_text(&content, reason);
    puan_content_text(&content, findings);
    puan_content_text(&content, actor);
    puan_content_text(&content, seat);
    puan_content_int(&content, act->entry_ms);
    st = puan_arena_check(a, err);
    if (st == PUAN_OK)
        st = puan_sql(&s, db,
                      "INSERT INTO query(id, household, version, reason,"
                      " findings, actor, seat, asked, state, answered)"
                      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', 0)",
                      err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, *id);
    puan_bind_int(s, 2, household);
    puan_bind_int(s, 3, asked);
    puan_bind_text(s, 4, reason);
    puan_bind_text(s, 5, findings);
    puan_bind_text(s, 6, actor);
    puan_bind_text(s, 7, seat);
    puan_bind_int(s, 8, act->entry_ms);
    st = puan_stmt_once(s, err);
    if (st == PUAN_OK)
        st = puan_cover_id(sh, db, act, "query", *id, puan_out_view(&content),
                           err);
    if (st == PUAN_OK)
        is->next_query++; /* a number lost to a rollback is not missed */
    return st;
}

static enum puan_status ask_body(struct puan_shard *sh, struct puan_db *db,
                                 struct puan_act *act, void *arg,
                                 struct puan_err *err)
{
    struct asking *q = arg;

    return puan_query_ask(&q->id, sh, db, act, q->in->household,
                          q->in->version, q->in->reason, q->findings,
                          act->actor, act->seat, q->arena, err);
}

/*
 * Only what findings are: a list of {"rule":"X","row":n}.  *names gets their
 * rules, for the ledger entry: " [X Y]".
 */
static enum puan_status check_findings(struct puan_str *out,
                                       struct puan_str *names,
                                       struct puan_str json,
                                       struct puan_arena *a,
                                       struct puan_err *err)
{
    static const char *const known[] = { "rule", "row", NULL };
    struct puan_node *tree = NULL;
    struct puan_out o, said;
    struct puan_jw w;
    size_t n = 0;
    enum puan_status st = PUAN_OK;

    puan_out_init(&o, a);
    puan_out_init(&said, a);
    puan_jw_init(&w, &o);
    puan_jw_list(&w);
    if (json.n > 0)
        st = puan_json_tree(&tree, json, "findings", a, err);
    if (st == PUAN_OK && tree && tree->kind != PUAN_NODE_LIST)
        st = puan_fail(err, PUAN_EINVAL, "findings", "expected a list");
    PUAN_NODE_EACH(c, tree)
    {
        struct puan_str rule = { 0 };
        int64_t row = 0;

        if (st == PUAN_OK)
            st = puan_node_only(c, known, err);
        if (st == PUAN_OK)
            st = puan_node_str(&rule, c, "rule", err);
        if (st == PUAN_OK && puan_node_get(c, "row"))
            st = puan_node_int(&row, c, "row", 0, 1000000, err);
        if (st != PUAN_OK)
            return st;
        puan_jw_map(&w);
        puan_jw_kstr(&w, "rule", rule);
        if (row > 0)
            puan_jw_kint(&w, "row", row);
        puan_jw_end(&w, '}');
        if (n++ < 20)
            puan_out_fmt(&said, "%s%.*s", n == 1 ? " [" : " ", PUAN_FMT(rule));
    }
    puan_jw_end(&w, ']');
    if (n > 0)
        puan_out_char(&said, ']');
    *out = puan_out_view(&o);
    *names = puan_out_view(&said);
    return st;
}

static enum puan_status post_query(struct puan_request *rq, const void *arg,
                                   struct puan_err *err)
{
    const struct query_in *in = arg;
    struct puan_shard *sh =
        puan_store_shard_of_household(rq->store, in->household);
    struct asking q = { .in = in, .arena = rq->arena };
    struct puan_str names = { 0 };
    struct puan_act act;
    struct puan_jw *w;
    char subject[24];
    enum puan_status st;

    if (!sh || !puan_ingest_shard_of(sh))
        return puan_fail(err, PUAN_ENOTFOUND, "household", "not listed");
    st = check_findings(&q.findings, &names, in->findings, rq->arena, err);
    if (st != PUAN_OK)
        return st;
    puan_format(subject, sizeof(subject), "%lld", (long long)in->household);
    puan_request_act(&act, rq, puan_str_of(subject));
    act.note = puan_str_of(puan_arena_fmt(rq->arena, "%.*s%.*s",
                                          PUAN_FMT(in->reason),
                                          PUAN_FMT(names)));
    st = puan_commit(sh, &act, ask_body, &q, err);
    if (st != PUAN_OK)
        return st;
    w = puan_answer_begin(rq, 201);
    puan_jw_map(w);
    puan_jw_kint(w, "id", q.id);
    puan_jw_kcode(w, "household", in->household);
    puan_jw_kint(w, "entry", (int64_t)act.seq);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- lists over an area ------------------------------------------------------------ */

struct area_in {
    int64_t area;
    struct puan_page page;
    struct puan_str state;
};
static const struct puan_param query_list_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct area_in, area), 0, 0, true },
    { "state", PUAN_PARAM_TEXT, offsetof(struct area_in, state), 1, 16, true },
    PUAN_PAGE_PARAMS(struct area_in, page),
};

/*
 * Rows of one table over the stores an area touches.  A cursor is the store's
 * ordinal and the row's id; rows of other areas of the same store are left out
 * by the key range.
 */
typedef void (*put_row_fn)(struct puan_jw *w, struct puan_stmt *s, int offset);

static enum puan_status list_rows(struct puan_request *rq,
                                  const struct area_in *in, const char *sql,
                                  struct puan_str state, put_row_fn put,
                                  struct puan_err *err)
{
    int offset = puan_store_plan(rq->store)->offset_minutes;
    int64_t left = puan_page_limit(&in->page), next = 0, from, to;
    size_t first = (size_t)(in->page.cursor >> 40);
    int64_t after = in->page.cursor & ((INT64_C(1) << 40) - 1);
    struct puan_jw *w = puan_answer_items(rq);
    enum puan_status st = PUAN_OK;

    puan_area_keys(&from, &to, rq->store, in->area);
    for (size_t i = first ? first : 1;
         i < puan_store_shards(rq->store) && st == PUAN_OK && next == 0; i++) {
        struct puan_shard *sh = puan_store_shard(rq->store, i);
        struct puan_stmt *s = NULL;
        struct puan_db *db = NULL;
        int64_t f, t;
        bool more = true;

        puan_area_keys(&f, &t, rq->store, puan_shard_area(sh));
        if (f >= to || from >= t)
            continue;
        st = puan_read_begin(&db, sh, err);
        if (st == PUAN_OK)
            st = puan_sql(&s, db, sql, err);
        if (st == PUAN_OK) {
            puan_bind_int(s, 1, i == first ? after : 0);
            puan_bind_int(s, 2, from);
            puan_bind_int(s, 3, to);
            puan_bind_text(s, 4, state);
        }
        while (st == PUAN_OK) {
            st = puan_stmt_step(&more, s, err);
            if (st != PUAN_OK || !more)
                break;
            if (left == 0) {
                /* resume behind the last one shown */
                next = (int64_t)i << 40 | after;
                if (i != first && after == 0)
                    next = (int64_t)i << 40;
                break;
            }
            after = puan_col_int(s, 0);
            put(w, s, offset);
            left--;
        }
        puan_stmt_done(s);
        puan_read_end(sh, db);
        if (next == 0)
            after = 0;
    }
    puan_answer_items_end(rq, next);
    return st;
}

static enum puan_status get_queries(struct puan_request *rq, const void *arg,
                                    struct puan_err *err)
{
    const struct area_in *in = arg;

    return list_rows(rq, in,
                     "SELECT id, household, version, reason, findings, actor,"
                     " seat, asked, state FROM query WHERE id > $1"
                     " AND household >= $2 AND household < $3 AND state = $4"
                     " ORDER BY id LIMIT 1001",
                     in->state.n ? in->state : PUAN_STR("open"), put_query,
                     err);
}

static void put_quarantined(struct puan_jw *w, struct puan_stmt *s, int offset)
{
    puan_jw_map(w);
    puan_jw_kint(w, "id", puan_col_int(s, 0));
    puan_jw_kcode(w, "household", puan_col_int(s, 1));
    puan_jw_kinstant(w, "at", puan_col_int(s, 2), offset);
    puan_jw_kstr(w, "source", puan_col_text(s, 3));
    puan_jw_kstr(w, "reason", puan_col_text(s, 4));
    puan_jw_kint(w, "size", puan_col_int(s, 5));
    puan_jw_end(w, '}');
}

/* An unreadable document has no household: only a whole county sees it. */
static enum puan_status get_quarantine(struct puan_request *rq,
                                       const void *arg, struct puan_err *err)
{
    const struct area_in *in = arg;
    struct puan_shard *own = puan_store_shard_of_area(rq->store, in->area);
    const char *sql = "SELECT id, household, at, source, reason, size"
                      " FROM quarantine WHERE id > $1 AND state = 0"
                      " AND (household >= $2 AND household < $3"
                      " OR household = 0) AND $4 = ''"
                      " ORDER BY id LIMIT 1001";

    if (own && puan_shard_area(own) != in->area)
        sql = "SELECT id, household, at, source, reason, size"
              " FROM quarantine WHERE id > $1 AND state = 0"
              " AND household >= $2 AND household < $3 AND $4 = ''"
              " ORDER BY id LIMIT 1001";
    return list_rows(rq, in, sql, PUAN_STR(""), put_quarantined, err);
}

/* ---- deciding about what waits ----------------------------------------------------- */

struct decide_in {
    int64_t area, id;
    struct puan_str decision, reason;
};
static const struct puan_param decide_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct decide_in, area) },
    { "id", PUAN_PARAM_INT, offsetof(struct decide_in, id), 1, INT64_MAX },
    { "decision", PUAN_PARAM_TEXT, offsetof(struct decide_in, decision), 1,
      16 },
    { "reason", PUAN_PARAM_TEXT, offsetof(struct decide_in, reason), 1, 500 },
};

/* 1: set aside; 2: the sender was told to send it again. */
static int64_t decision_state(struct puan_str word)
{
    return puan_str_is(word, "aside")      ? 1
           : puan_str_is(word, "send-again") ? 2
                                           : 0;
}

static enum puan_status decide_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    const struct decide_in *in = arg;
    struct puan_stmt *s = NULL;
    enum puan_status st;

    (void)sh;
    (void)act;
    st = puan_sql(&s, db,
                  "UPDATE quarantine SET state = $1 WHERE id = $2"
                  " AND state = 0",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, decision_state(in->decision));
    puan_bind_int(s, 2, in->id);
    st = puan_stmt_run(s, err);
    if (st == PUAN_OK && puan_stmt_changes(s) == 0)
        st = puan_fail(err, PUAN_ENOTFOUND, "id",
                       "nothing of that number waits here");
    puan_stmt_done(s);
    return st;
}

static enum puan_status post_decision(struct puan_request *rq, const void *arg,
                                      struct puan_err *err)
{
    struct decide_in in = *(const struct decide_in *)arg;
    struct puan_shard *sh = puan_store_shard_of_area(rq->store, in.area);
    struct puan_act act;
    char subject[32];
    enum puan_status st;

    if (decision_state(in.decision) == 0)
        return puan_fail(err, PUAN_EINVAL, "decision",
                         "give aside or send-again");
    if (!sh || puan_shard_area(sh) != in.area)
        return puan_fail(err, PUAN_ENOTFOUND, "area",
                         "quarantine is kept by county");
    puan_format(subject, sizeof(subject), "quarantine %lld",
                (long long)in.id);
    puan_request_act(&act, rq, puan_str_of(subject));
    act.note = in.reason;
    st = puan_commit(sh, &act, decide_body, &in, err);
    if (st == PUAN_OK)
        puan_answer_empty(rq);
    return st;
}

static const struct puan_param list_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct area_in, area), 0, 0, true },
    PUAN_PAGE_PARAMS(struct area_in, page),
};
static const struct puan_param counts_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct area_in, area), 0, 0, true },
};

static void put_counts(struct puan_jw *w, const struct puan_area_tree *t,
                       uint32_t i, struct puan_store *store)
{
    const struct puan_area *a = &t->area[i];
    struct puan_counts c;

    puan_counts_of(&c, store, a->code);
    puan_jw_map(w);
    puan_jw_kstr(w, "area", a->digits);
    puan_jw_kstr(w, "zh", a->zh);
    puan_jw_kstr(w, "en", a->en);
    puan_jw_kstr(w, "level", t->level[a->level].name);
    puan_jw_kint(w, "listed", c.listed);
    puan_jw_kint(w, "submitted", c.submitted);
    puan_jw_kint(w, "self", c.self);
    puan_jw_kint(w, "hard", c.hard);
    puan_jw_kint(w, "soft", c.soft);
    puan_jw_kint(w, "corrected", c.corrected);
    puan_jw_kint(w, "versions", c.versions);
    puan_jw_end(w, '}');
}

/* The area and, one by one, those just below it. */
static enum puan_status get_counts(struct puan_request *rq, const void *arg,
                                   struct puan_err *err)
{
    const struct area_in *in = arg;
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t i = puan_area_find(t, in->area);
    struct puan_jw *w;

    if (i == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "no such area");
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_key(w, "total");
    put_counts(w, t, i, rq->store);
    puan_jw_key(w, "below");
    puan_jw_list(w);
    for (uint32_t c = i + 1; c < t->area[i].end; c = t->area[c].end)
        put_counts(w, t, c, rq->store);
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

const struct puan_route puan_ingest_routes[PUAN_INGEST_ROUTES] = {
    { .method = PUAN_POST,
      .path = "/c/{campaign}/returns",
      .capability = "return.submit",
      .scope = PUAN_SCOPE_SESSION,
      .verb = "return.submit",
      .summary = "Send a household's return",
      .handle = post_return,
      .max_body = PUAN_RETURN_MAX,
      .raw_body = true,
      .direct = true },
    { PUAN_GET, "/c/{campaign}/households/{household}/return", "return.view",
      PUAN_SCOPE_HOUSEHOLD, "", "Read a household's return", get_return,
      PUAN_PARAMS(return_params, struct return_in) },
    { PUAN_GET, "/c/{campaign}/households/{household}/history",
      "return.view", PUAN_SCOPE_HOUSEHOLD, "",
      "Versions of a return and the queries about it", get_history,
      PUAN_PARAMS(household_params, struct household_in) },
    { PUAN_GET, "/c/{campaign}/me/return", "return.own", PUAN_SCOPE_SESSION,
      "vault.view", "Read the own household's return", get_own },
    { PUAN_POST, "/c/{campaign}/households/{household}/queries",
      "return.query", PUAN_SCOPE_HOUSEHOLD, "return.query",
      "Send a return back with a reason", post_query,
      PUAN_PARAMS(query_params, struct query_in) },
    { PUAN_GET, "/c/{campaign}/queries", "return.queries", PUAN_SCOPE_AREA, "",
      "Queries about returns of an area", get_queries,
      PUAN_PARAMS(query_list_params, struct area_in) },
    { PUAN_GET, "/c/{campaign}/counts", "counts.view", PUAN_SCOPE_AREA, "",
      "What has arrived in an area and in those below", get_counts,
      PUAN_PARAMS(counts_params, struct area_in) },
    { PUAN_GET, "/c/{campaign}/quarantine", "quarantine.view", PUAN_SCOPE_AREA,
      "", "Documents that could not be accepted", get_quarantine,
      PUAN_PARAMS(list_params, struct area_in) },
    { PUAN_POST, "/c/{campaign}/quarantine/{area}/{id}", "quarantine.decide",
      PUAN_SCOPE_AREA, "quarantine.decide",
      "Decide what becomes of such a document", post_decision,
      PUAN_PARAMS(decide_params, struct decide_in) },
};
