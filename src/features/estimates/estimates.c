/*
 * Estimates of offices; see estimates.h.
 */
#include "features/estimates/estimates.h"

#include "core/form/record.h"
#include "core/ledger/ledger.h"
#include "core/plan/plan.h"
#include "core/plan/routing.h"
#include "features/host/request.h"
#include "features/ingest/ingest.h"
#include "kit/os/heap.h"

#define DOCUMENT_MAX 32768

struct estimate_in {
    int64_t household, area;
    struct puan_str basis, document, reason;
};

struct estimate {
    int64_t id, household, form, at_ms, ended_ms;
    struct puan_str basis, actor, seat, answers, state, why;
};

#define COLUMNS                                                                \
    "SELECT id, household, form, basis, actor, seat, at, answers, state,"      \
    " ended, why FROM estimate "

static void row_of(struct estimate *e, struct puan_stmt *s,
                   struct puan_arena *a)
{
    *e = (struct estimate){
        .id = puan_col_int(s, 0),
        .household = puan_col_int(s, 1),
        .form = puan_col_int(s, 2),
        .basis = puan_arena_keep(a, puan_col_text(s, 3)),
        .actor = puan_arena_keep(a, puan_col_text(s, 4)),
        .seat = puan_arena_keep(a, puan_col_text(s, 5)),
        .at_ms = puan_col_int(s, 6),
        .answers = puan_arena_keep(a, puan_col_bytes(s, 7)),
        .state = puan_arena_keep(a, puan_col_text(s, 8)),
        .ended_ms = puan_col_int(s, 9),
        .why = puan_arena_keep(a, puan_col_text(s, 10)),
    };
}

/* ---- writing ------------------------------------------------------------- */

static enum puan_status write_row(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act,
                                  const struct estimate *e,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_out c;

    TRY(puan_sql(&s, db,
                 "INSERT INTO estimate(id, household, form, basis, actor, seat,"
                 " at, answers, state, ended, why) VALUES($1, $2, $3, $4, $5,"
                 " $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO UPDATE SET"
                 " state = excluded.state, ended = excluded.ended,"
                 " why = excluded.why",
                 err));
    puan_bind_int(s, 1, e->id);
    puan_bind_int(s, 2, e->household);
    puan_bind_int(s, 3, e->form);
    puan_bind_text(s, 4, e->basis);
    puan_bind_text(s, 5, e->actor);
    puan_bind_text(s, 6, e->seat);
    puan_bind_int(s, 7, e->at_ms);
    puan_bind_bytes(s, 8, e->answers.p, e->answers.n);
    puan_bind_text(s, 9, e->state);
    puan_bind_int(s, 10, e->ended_ms);
    puan_bind_text(s, 11, e->why);
    TRY(puan_stmt_once(s, err));
    puan_out_init(&c, a);
    puan_content_int(&c, e->household);
    puan_content_int(&c, e->form);
    puan_content_text(&c, e->basis);
    puan_content_text(&c, e->actor);
    puan_content_text(&c, e->seat);
    puan_content_int(&c, e->at_ms);
    puan_content_bytes(&c, e->answers);
    puan_content_text(&c, e->state);
    puan_content_int(&c, e->ended_ms);
    puan_content_text(&c, e->why);
    TRY(puan_arena_check(a, err));
    return puan_cover_id(sh, db, act, "estimate", e->id, puan_out_view(&c),
                         err);
}

/* The one of a household that stands, as its row says; false: none. */
static enum puan_status standing(bool *found, struct estimate *e,
                                 struct puan_db *db, int64_t household,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    enum puan_status st;

    *found = false;
    TRY(puan_sql(&s, db, COLUMNS "WHERE household = $1 AND state = 'open'",
                 err));
    puan_bind_int(s, 1, household);
    st = puan_stmt_step(found, s, err);
    if (st == PUAN_OK && *found)
        row_of(e, s, a);
    puan_stmt_done(s);
    return st;
}

struct writing {
    struct estimate e; /* the new one; state "" only ends the standing one */
    struct puan_str ended; /* what becomes of the standing one */
    struct puan_str why;
    int64_t at_ms;
    struct puan_arena *arena;
};

static enum puan_status next_id(int64_t *id, struct puan_db *db,
                                struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *id = 1;
    TRY(puan_sql(&s, db, "SELECT COALESCE(MAX(id), 0) + 1 FROM estimate", err));
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more)
        *id = puan_col_int(s, 0);
    puan_stmt_done(s);
    return st;
}

static enum puan_status write_body(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act, void *arg,
                                   struct puan_err *err)
{
    struct writing *w = arg;
    struct estimate old;
    bool found = false;

    TRY(standing(&found, &old, db, w->e.household, w->arena, err));
    if (!found && w->e.state.n == 0)
        return puan_fail(err, PUAN_ENOTFOUND, "household",
                         "no estimate stands for this unit");
    if (found) {
        old.state = w->ended;
        old.ended_ms = w->at_ms;
        old.why = w->why;
        TRY(write_row(sh, db, act, &old, w->arena, err));
    }
    if (w->e.state.n == 0)
        return PUAN_OK;
    TRY(next_id(&w->e.id, db, err));
    return write_row(sh, db, act, &w->e, w->arena, err);
}

/* ---- what may be estimated ----------------------------------------------- */

static const struct puan_form *form_of(const struct puan_plan *plan,
                                       int64_t ordinal)
{
    for (size_t i = 0; i < plan->n_forms; i++)
        if (plan->form[i]->ordinal == ordinal)
            return plan->form[i];
    return NULL;
}

/* Figures and codes only: an estimate names nobody. */
static enum puan_status names_nobody(const struct puan_record *rec,
                                     struct puan_err *err)
{
    for (uint16_t e = 0; e < rec->form->n_entities; e++) {
        const struct puan_entity *ent = &rec->form->entity[e];
        const struct puan_rows *rows = &rec->rows[e];

        for (uint32_t r = 0; r < rows->n; r++)
            for (uint16_t i = 0; i < ent->n_asked; i++) {
                size_t at = (size_t)r * ent->n_items + i;

                if (rows->st[at] == PUAN_INVALID)
                    return puan_fail(err, PUAN_EINVAL, "document",
                                     "%.*s is out of its type or list",
                                     PUAN_FMT(ent->items[i].name));
                if (rows->st[at] == PUAN_GIVEN &&
                    ent->items[i].zone != PUAN_ZONE_FRAME)
                    return puan_fail(err, PUAN_EINVAL, "document",
                                     "%.*s is a name, a number of somebody or "
                                     "a text: an estimate has none",
                                     PUAN_FMT(ent->items[i].name));
            }
    }
    return PUAN_OK;
}

static enum puan_status has_not_answered(struct puan_store *st,
                                         int64_t household,
                                         struct puan_err *err)
{
    struct puan_ret_head head;

    if (!puan_ret_head(&head, st, household))
        return puan_fail(err, PUAN_ENOTFOUND, "household", "not listed");
    if (head.ret != 0)
        return puan_fail(err, PUAN_ECONFLICT, "household",
                         "this unit has answered; its answers are its own, ask "
                         "back with a query");
    return PUAN_OK;
}

/* Reads the document and leaves its frame bytes. */
static enum puan_status read_document(struct estimate *e,
                                      struct puan_request *rq,
                                      const struct estimate_in *in,
                                      struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_return_head head = { 0 };
    struct puan_out frame, facts, vault;
    struct puan_record rec;

    TRY(puan_record_read(&rec, &head, plan->form, plan->n_forms, in->document,
                         rq->arena, err));
    if (head.household != in->household)
        return puan_fail(err, PUAN_EINVAL, "document",
                         "the document is of another household");
    if (!puan_str_is(head.mode, "office-estimate"))
        return puan_fail(err, PUAN_EINVAL, "document",
                         "the mode of an estimate is office-estimate");
    puan_routing_apply(plan->routing[rec.form->ordinal], &rec);
    puan_record_facts(&rec);
    TRY(names_nobody(&rec, err));
    puan_out_init(&frame, rq->arena);
    puan_out_init(&facts, rq->arena);
    puan_out_init(&vault, rq->arena);
    puan_record_encode(&frame, &facts, &vault, &rec);
    e->form = rec.form->ordinal;
    e->answers = puan_out_view(&frame);
    return puan_arena_check(rq->arena, err);
}

/* ---- requests ------------------------------------------------------------ */

static enum puan_status commit(struct puan_request *rq, struct writing *w,
                               struct puan_act *act, struct puan_err *err)
{
    struct puan_shard *sh =
        puan_store_shard_of_household(rq->store, w->e.household);

    if (!sh)
        return puan_fail(err, PUAN_ENOTFOUND, "household", "not listed");
    puan_request_act(act, rq,
                     puan_str_of(puan_arena_fmt(rq->arena, "%lld",
                                                (long long)w->e.household)));
    act->note = w->e.state.n ? w->e.basis : w->why;
    w->arena = rq->arena;
    w->at_ms = rq->now;
    return puan_commit(sh, act, write_body, w, err);
}

static enum puan_status post_estimate(struct puan_request *rq, const void *v,
                                      struct puan_err *err)
{
    const struct estimate_in *in = v;
    struct writing w = { .ended = PUAN_STR("replaced"),
                         .why = PUAN_STR("") };
    struct puan_act act;
    struct puan_jw *jw;

    TRY(has_not_answered(rq->store, in->household, err));
    TRY(read_document(&w.e, rq, in, err));
    w.e.household = in->household;
    w.e.basis = in->basis;
    w.e.actor = puan_str_of(rq->who.name);
    w.e.seat = puan_str_of(rq->who.seat_text);
    w.e.at_ms = rq->now;
    w.e.state = PUAN_STR("open");
    w.e.why = PUAN_STR("");
    TRY(commit(rq, &w, &act, err));
    jw = puan_answer_begin(rq, 201);
    puan_jw_map(jw);
    puan_jw_kint(jw, "id", w.e.id);
    puan_jw_kcode(jw, "household", in->household);
    puan_jw_kint(jw, "entry", (int64_t)act.seq);
    puan_jw_end(jw, '}');
    return PUAN_OK;
}

static enum puan_status withdraw(struct puan_request *rq, const void *v,
                                 struct puan_err *err)
{
    const struct estimate_in *in = v;
    struct writing w = { .e.household = in->household,
                         .ended = PUAN_STR("withdrawn"),
                         .why = in->reason };
    struct puan_act act;
    struct puan_jw *jw;

    TRY(commit(rq, &w, &act, err));
    jw = puan_answer_begin(rq, 200);
    puan_jw_map(jw);
    puan_jw_kcode(jw, "household", in->household);
    puan_jw_kint(jw, "entry", (int64_t)act.seq);
    puan_jw_end(jw, '}');
    return PUAN_OK;
}

static void put_one(struct puan_jw *w, struct puan_request *rq,
                    const struct estimate *e)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_form *form = form_of(plan, e->form);
    struct puan_ret_head head;
    bool answered = puan_ret_head(&head, rq->store, e->household) &&
                    head.ret != 0;

    puan_jw_kint(w, "id", e->id);
    puan_jw_kcode(w, "household", e->household);
    puan_jw_kstr(w, "form", form ? form->id : PUAN_STR(""));
    puan_jw_kstr(w, "basis", e->basis);
    puan_jw_kstr(w, "seat", e->seat);
    puan_jw_kinstant(w, "at", e->at_ms, plan->offset_minutes);
    if (answered && puan_str_is(e->state, "open"))
        puan_jw_ktext(w, "state", "adjusted");
    else
        puan_jw_kstr(w, "state", e->state);
    if (e->ended_ms)
        puan_jw_kinstant(w, "ended", e->ended_ms, plan->offset_minutes);
    puan_jw_kstr(w, "why", e->why);
}

static enum puan_status put_answers(struct puan_jw *w, struct puan_request *rq,
                                    const struct estimate *e,
                                    struct puan_err *err)
{
    const struct puan_form *form =
        form_of(puan_store_plan(rq->store), e->form);
    struct puan_record rec;

    if (!form)
        return puan_fail(err, PUAN_EIO, "estimate", "its form is gone");
    TRY(puan_record_decode(&rec, form, e->answers, PUAN_STR(""), PUAN_STR(""),
                           rq->arena, err));
    puan_record_json(w, &rec);
    return PUAN_OK;
}

static enum puan_status of_household(struct puan_request *rq, const void *v,
                                     struct puan_err *err)
{
    const struct estimate_in *in = v;
    struct puan_shard *sh =
        puan_store_shard_of_household(rq->store, in->household);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    struct puan_jw *w;
    bool more = false;
    enum puan_status st;

    if (!sh)
        return puan_fail(err, PUAN_ENOTFOUND, "household", "not listed");
    TRY(puan_read_begin(&db, sh, err));
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_key(w, "items");
    puan_jw_list(w);
    st = puan_sql(&s, db, COLUMNS "WHERE household = $1 ORDER BY id", err);
    if (st == PUAN_OK)
        puan_bind_int(s, 1, in->household);
    while (st == PUAN_OK) {
        struct estimate e;

        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        row_of(&e, s, rq->arena);
        puan_jw_map(w);
        put_one(w, rq, &e);
        st = put_answers(w, rq, &e, err);
        puan_jw_end(w, '}');
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return st;
}

/* ---- over an area -------------------------------------------------------- */

#define SHOWN 500

typedef enum puan_status (*each_fn)(void *arg, const struct estimate *e,
                                    struct puan_err *err);

static enum puan_status each_in(struct puan_shard *sh, int64_t from, int64_t to,
                                struct puan_arena *a, each_fn fn, void *arg,
                                struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    enum puan_status st;

    TRY(puan_read_begin(&db, sh, err));
    st = puan_sql(&s, db,
                  COLUMNS "WHERE household >= $1 AND household < $2"
                          " ORDER BY id DESC",
                  err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, from);
        puan_bind_int(s, 2, to);
    }
    while (st == PUAN_OK) {
        bool more = false;
        struct estimate e;

        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        row_of(&e, s, a);
        st = fn(arg, &e, err);
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    return st;
}

static enum puan_status each(struct puan_store *store, int64_t area,
                             struct puan_arena *a, each_fn fn, void *arg,
                             struct puan_err *err)
{
    struct puan_shard *own = puan_store_shard_of_area(store, area);
    int64_t from = 0, to = 0;

    puan_area_keys(&from, &to, store, area);
    for (size_t i = 1; i < puan_store_shards(store); i++) {
        struct puan_shard *sh = puan_store_shard(store, i);

        if (own == NULL || sh == own)
            TRY(each_in(sh, from, to, a, fn, arg, err));
    }
    return PUAN_OK;
}

struct listing {
    struct puan_request *rq;
    struct puan_jw *w;
    int64_t shown, total;
};

static enum puan_status list_one(void *arg, const struct estimate *e,
                                 struct puan_err *err)
{
    struct listing *x = arg;

    (void)err;
    x->total++;
    if (x->shown == SHOWN)
        return PUAN_OK;
    x->shown++;
    puan_jw_map(x->w);
    put_one(x->w, x->rq, e);
    puan_jw_end(x->w, '}');
    return PUAN_OK;
}

static enum puan_status of_area(struct puan_request *rq, const void *v,
                                struct puan_err *err)
{
    struct listing x = { .rq = rq };
    enum puan_status st;

    (void)v;
    x.w = puan_answer_begin(rq, 200);
    puan_jw_map(x.w);
    puan_jw_key(x.w, "items");
    puan_jw_list(x.w);
    st = each(rq->store, rq->area, rq->arena, list_one, &x, err);
    puan_jw_end(x.w, ']');
    puan_jw_kint(x.w, "total", x.total);
    puan_jw_end(x.w, '}');
    return st;
}

struct counting {
    struct puan_store *store;
    int64_t n;
};

static enum puan_status count_one(void *arg, const struct estimate *e,
                                  struct puan_err *err)
{
    struct counting *x = arg;
    struct puan_ret_head head;

    (void)err;
    if (puan_str_is(e->state, "open") &&
        !(puan_ret_head(&head, x->store, e->household) && head.ret != 0))
        x->n++;
    return PUAN_OK;
}

enum puan_status puan_estimates_open(int64_t *n, struct puan_store *st,
                                     int64_t area, struct puan_err *err)
{
    struct counting x = { .store = st };
    struct puan_arena a;
    enum puan_status rc;

    puan_arena_init(&a, &puan_heap);
    rc = each(st, area, &a, count_one, &x, err);
    puan_arena_clear(&a);
    *n = x.n;
    return rc;
}

/* ---- tables -------------------------------------------------------------- */

static const struct puan_param post_params[] = {
    { "household", PUAN_PARAM_HOUSEHOLD,
      offsetof(struct estimate_in, household) },
    { "basis", PUAN_PARAM_TEXT, offsetof(struct estimate_in, basis), 10, 2000,
      false },
    { "document", PUAN_PARAM_TEXT, offsetof(struct estimate_in, document), 2,
      DOCUMENT_MAX, false },
};
static const struct puan_param household_params[] = {
    { "household", PUAN_PARAM_HOUSEHOLD,
      offsetof(struct estimate_in, household) },
};
static const struct puan_param withdraw_params[] = {
    { "household", PUAN_PARAM_HOUSEHOLD,
      offsetof(struct estimate_in, household) },
    { "reason", PUAN_PARAM_TEXT, offsetof(struct estimate_in, reason), 4, 1000,
      false },
};
static const struct puan_param area_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct estimate_in, area), 0, 0, true },
};

static const struct puan_route routes[] = {
    { .method = PUAN_POST,
      .path = "/c/{campaign}/households/{household}/estimates",
      .capability = "return.estimate", .scope = PUAN_SCOPE_HOUSEHOLD,
      .verb = "return.estimate",
      .summary = "Estimate a unit that has not answered, as a record apart",
      .handle = post_estimate, .max_body = 2 * DOCUMENT_MAX,
      PUAN_PARAMS(post_params, struct estimate_in) },
    { .method = PUAN_GET,
      .path = "/c/{campaign}/households/{household}/estimates",
      .capability = "return.estimate", .scope = PUAN_SCOPE_HOUSEHOLD,
      .verb = "", .summary = "Estimates of a unit, with their figures",
      .handle = of_household,
      PUAN_PARAMS(household_params, struct estimate_in) },
    { .method = PUAN_POST,
      .path = "/c/{campaign}/households/{household}/estimates/withdraw",
      .capability = "return.estimate", .scope = PUAN_SCOPE_HOUSEHOLD,
      .verb = "estimate.withdraw",
      .summary = "Withdraw the estimate that stands", .handle = withdraw,
      PUAN_PARAMS(withdraw_params, struct estimate_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/estimates",
      .capability = "counts.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "Estimates of an area, without their figures",
      .handle = of_area, PUAN_PARAMS(area_params, struct estimate_in) },
};

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_RETURNS, 1,
      "CREATE TABLE estimate(id BIGINT PRIMARY KEY, household BIGINT NOT NULL,"
      " form BIGINT NOT NULL, basis TEXT NOT NULL, actor TEXT NOT NULL,"
      " seat TEXT NOT NULL, at BIGINT NOT NULL, answers BYTEA NOT NULL,"
      " state TEXT NOT NULL, ended BIGINT NOT NULL, why TEXT NOT NULL);"
      "CREATE INDEX estimate_household ON estimate(household);" },
};

static const struct puan_covered covered[] = {
    { PUAN_STORE_RETURNS, "estimate",
      "SELECT CAST(id AS TEXT), household, form, basis, actor, seat, at,"
      " answers, state, ended, why FROM estimate" },
};

const struct puan_feature puan_feature_estimates = {
    .name = "estimates",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .covered = covered,
    .n_covered = PUAN_COUNT(covered),
};
