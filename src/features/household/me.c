/*
 * GET /me: everything the first screen of a household says.
 */
#include "base/calendar.h"
#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/accounts/accounts.h"
#include "features/household/internal.h"
#include "features/ingest/ingest.h"
#include "features/lots/lots.h"
#include "kit/crypto/keys.h"
#include "kit/os/os.h"

#define SELF "self"

/* ---- who and where ------------------------------------------------------------------ */

/*
 * The address as the household knows it, the last number hidden: enough to say
 * "that is not my door", not enough to learn where somebody lives.
 */
static struct puan_str masked(struct puan_arena *a, struct puan_str s)
{
    size_t end = s.n, start;
    struct puan_out o;

    while (end > 0 && !(s.p[end - 1] >= '0' && s.p[end - 1] <= '9'))
        end--;
    if (end == 0)
        return PUAN_STR("");
    start = end;
    while (start > 0 && s.p[start - 1] >= '0' && s.p[start - 1] <= '9')
        start--;
    puan_out_init(&o, a);
    puan_out_str(&o, (struct puan_str){ s.p, start });
    puan_out_char(&o, '*');
    puan_out_str(&o, (struct puan_str){ s.p + end, s.n - end });
    return puan_out_view(&o);
}

struct dwelling {
    struct puan_str address, cells;
    const struct puan_channel *channel; /* by which it reports; NULL none */
    bool listed;
};

static enum puan_status open_listing(struct dwelling *out,
                                     struct puan_request *rq,
                                     struct puan_shard *sh, int64_t household,
                                     struct puan_str sealed,
                                     struct puan_err *err)
{
    int version = puan_sealed_version(sealed);
    const struct puan_seal_key *key =
        version < 0 ? NULL
                    : puan_keys_data_version(puan_store_keys(rq->store),
                                             puan_shard_area(sh), "vault",
                                             (uint16_t)version);
    struct puan_str plain, text = { 0 };
    struct puan_in in;
    enum puan_status st;

    out->address = PUAN_STR("");
    if (!key)
        return PUAN_OK; /* found at the door: nothing was listed */
    st = puan_unseal(&plain, key,
                     puan_seal_aad(rq->arena, puan_shard_area(sh), "listing",
                                   "sealed", (uint16_t)version,
                                   puan_str_of(puan_arena_fmt(
                                       rq->arena, "%lld",
                                       (long long)household))),
                     sealed, rq->arena, err);
    if (st != PUAN_OK)
        return st;
    in = puan_in_of(plain);
    for (int i = 0; i < 3; i++) /* name, phone, address */
        text = puan_in_bytes(&in, (size_t)puan_in_varint(&in));
    if (!in.bad)
        out->address = masked(rq->arena, text);
    return PUAN_OK;
}

static enum puan_status read_listing(struct dwelling *out,
                                     struct puan_request *rq,
                                     struct puan_shard *sh, struct puan_db *db,
                                     int64_t household, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st =
        puan_sql(&s, db,
                 "SELECT sealed, cells, mode FROM listing WHERE household = $1",
                 err);

    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, household);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more) {
        struct puan_str cells = puan_col_text(s, 1);

        out->listed = true;
        out->channel = puan_plan_channel(puan_store_plan(rq->store),
                                         puan_col_text(s, 2));
        out->cells = (struct puan_str){ puan_arena_dup(rq->arena, cells),
                                        cells.n };
        st = open_listing(out, rq, sh, household, puan_col_bytes(s, 0), err);
    }
    puan_stmt_done(s);
    return st;
}

static void put_areas(struct puan_jw *w, const struct puan_area_tree *t,
                      const struct puan_plan *plan, uint32_t ea)
{
    uint32_t chain[PUAN_AREA_LEVELS];
    size_t n = 0;

    for (uint32_t i = ea; i != PUAN_AREA_NONE && n < PUAN_AREA_LEVELS;
         i = t->area[i].parent)
        chain[n++] = i;
    puan_jw_key(w, "areas");
    puan_jw_list(w);
    while (n > 0) {
        const struct puan_area *a = &t->area[chain[--n]];
        int level = puan_plan_level(plan, t->level[a->level].name);

        puan_jw_map(w);
        puan_jw_kstr(w, "code", a->digits);
        puan_jw_kstr(w, "level", t->level[a->level].name);
        puan_jw_kstr(w, "zh", a->zh);
        puan_jw_kstr(w, "en", a->en);
        if (level >= 0 && plan->level[level].office_zh.n) {
            puan_jw_kstr(w, "office_zh", plan->level[level].office_zh);
            puan_jw_kstr(w, "office_en", plan->level[level].office_en);
        }
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

/* ---- when ------------------------------------------------------------------------- */

static bool takes(const struct puan_window *x, const char *mode)
{
    for (size_t i = 0; i < x->n_modes; i++)
        if (puan_str_is(x->modes[i], mode))
            return true;
    return false;
}

/* Its first form that comes by the channel (NULL: by none); "" without. */
static struct puan_str form_of(const struct puan_plan *plan,
                               const struct puan_window *x,
                               const struct puan_channel *channel)
{
    for (size_t i = 0; x && i < x->n_forms; i++)
        if (puan_plan_channel_of(plan, x->forms[i]) == channel)
            return x->forms[i];
    return PUAN_STR("");
}

/* The window it fills in: open now, else the next, else the last. */
static const struct puan_window *own_window(const struct puan_plan *plan,
                                            const struct puan_channel *channel,
                                            int64_t now)
{
    const struct puan_window *best = NULL;

    for (size_t i = 0; i < plan->n_windows; i++) {
        const struct puan_window *x = &plan->window[i];

        if (!form_of(plan, x, channel).n || !takes(x, SELF))
            continue;
        if (!best || (best->until_ms <= now && x->until_ms > best->until_ms) ||
            (x->until_ms > now && x->from_ms < best->from_ms))
            best = x;
    }
    return best;
}

/* Until when somebody may still come: the last window of other modes that
 * opens one of its forms and is not over. */
static const struct puan_window *visits(const struct puan_plan *plan,
                                        const struct puan_window *own,
                                        struct puan_str form, int64_t now)
{
    const struct puan_window *best = NULL;

    for (size_t i = 0; i < plan->n_windows; i++) {
        const struct puan_window *x = &plan->window[i];

        if (x == own || x->until_ms <= now || takes(x, SELF))
            continue;
        for (size_t f = 0; f < x->n_forms; f++)
            if (puan_str_eq(x->forms[f], form) &&
                (!best || x->from_ms < best->from_ms))
                best = x;
    }
    return best;
}

static void put_window(struct puan_jw *w, const char *key,
                       const struct puan_window *x, int64_t now, int offset)
{
    puan_jw_key(w, key);
    if (!x) {
        puan_jw_null(w);
        return;
    }
    puan_jw_map(w);
    puan_jw_kstr(w, "id", x->id);
    puan_jw_kstr(w, "zh", x->zh);
    puan_jw_kstr(w, "en", x->en);
    puan_jw_kinstant(w, "from", x->from_ms, offset);
    puan_jw_kinstant(w, "until", x->until_ms, offset);
    puan_jw_ktext(w, "state",
                  now < x->from_ms    ? "before"
                  : now < x->until_ms ? "open"
                                      : "closed");
    puan_jw_end(w, '}');
}

/* ---- what became of it ---------------------------------------------------------------- */

struct own_query {
    int64_t id, version, asked;
    struct puan_str reason, findings;
    bool answered; /* the last one has been answered */
};

static enum puan_status read_query(struct own_query *out,
                                   struct puan_request *rq, struct puan_db *db,
                                   int64_t household, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st =
        puan_sql(&s, db,
                 "SELECT id, version, reason, findings, asked, state FROM query"
                 " WHERE household = $1 ORDER BY id DESC LIMIT 1",
                 err);

    *out = (struct own_query){ 0 };
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, household);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more) {
        if (!puan_str_is(puan_col_text(s, 5), "open")) {
            out->answered = true;
        } else {
            struct puan_str reason = puan_col_text(s, 2),
                            findings = puan_col_text(s, 3);

            out->id = puan_col_int(s, 0);
            out->version = puan_col_int(s, 1);
            out->asked = puan_col_int(s, 4);
            out->reason = (struct puan_str){
                puan_arena_dup(rq->arena, reason), reason.n };
            out->findings = (struct puan_str){
                puan_arena_dup(rq->arena, findings), findings.n };
        }
    }
    puan_stmt_done(s);
    return st;
}

/* The same words as everywhere: delivered, queried, recheck, accepted, locked. */
static const char *state_of(struct puan_request *rq, uint32_t ea,
                            const struct own_query *q, struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const char *state = q->id ? "queried" : q->answered ? "recheck" : "delivered";

    for (uint32_t i = ea; i != PUAN_AREA_NONE; i = t->area[i].parent) {
        struct puan_lot lot;

        if (puan_lot_of(&lot, rq->store, t->area[i].code, rq->arena, err) ==
            PUAN_OK)
            state = puan_str_is(lot.state, "locked") ? "locked" : "accepted";
        else
            *err = (struct puan_err){ 0 };
    }
    return state;
}

static void put_return(struct puan_jw *w, const struct puan_ret *r,
                       const char *state, int64_t received, int offset)
{
    puan_jw_key(w, "return");
    puan_jw_map(w);
    puan_jw_ktext(w, "state", state);
    puan_jw_kint(w, "version", r->version);
    puan_jw_kstr(w, "mode", r->head.mode);
    puan_jw_kint(w, "persons", r->persons);
    puan_jw_kint(w, "hard", r->hard);
    puan_jw_kint(w, "soft", r->soft);
    puan_jw_kinstant(w, "finished", r->head.finished_ms, offset);
    puan_jw_kinstant(w, "received", received, offset);
    puan_jw_kint(w, "entry", (int64_t)r->entry);
    puan_jw_kdigest(w, "digest", r->digest);
    puan_jw_end(w, '}');
}

static void put_query(struct puan_jw *w, const struct own_query *q, int offset)
{
    puan_jw_key(w, "query");
    if (!q->id) {
        puan_jw_null(w);
        return;
    }
    puan_jw_map(w);
    puan_jw_kint(w, "id", q->id);
    puan_jw_kint(w, "version", q->version);
    puan_jw_kinstant(w, "asked", q->asked, offset);
    puan_jw_kstr(w, "reason", q->reason);
    puan_jw_key(w, "findings");
    puan_jw_raw(w, q->findings);
    puan_jw_end(w, '}');
}

/*
 * What a phone seals its own copy of a draft with: given to a session only, so
 * that the copy left behind in a browser opens with code and password alone.
 * The same for as long as the campaign lasts.
 */
static void put_draft_key(struct puan_jw *w, struct puan_request *rq)
{
    const struct puan_digest_fn *fn = puan_store_digest(rq->store);
    struct puan_str parts[2] = { PUAN_STR("draft on a phone, household "),
                                 puan_str_of(rq->who.name) };
    uint8_t key[PUAN_DIGEST_SIZE];

    fn->mac(fn->ctx, key, puan_keys_credential(puan_store_keys(rq->store)),
            parts, 2);
    puan_jw_kdigest(w, "draft_key", key);
    puan_os_wipe(key, sizeof(key));
}

/* ---- the answer -------------------------------------------------------------------------- */

struct facts {
    struct dwelling home;
    struct household_draft draft;
    struct own_query query;
    struct puan_ret ret;
    bool sent;
};

static enum puan_status read_facts(struct facts *f, struct puan_request *rq,
                                   struct puan_shard *sh, int64_t household,
                                   struct puan_err *err)
{
    struct puan_ret_head head = { 0 };
    struct puan_db *db;
    enum puan_status st = puan_read_begin(&db, sh, err);

    if (st != PUAN_OK)
        return st;
    st = read_listing(&f->home, rq, sh, db, household, err);
    if (st == PUAN_OK)
        st = household_draft_look(&f->draft, db, household, err);
    if (st == PUAN_OK)
        st = read_query(&f->query, rq, db, household, err);
    f->sent = puan_ret_head(&head, rq->store, household) && head.ret;
    if (st == PUAN_OK && f->sent)
        st = puan_ret_read(&f->ret, sh, db, head.ret, rq->arena, err);
    puan_read_end(sh, db);
    /* what was delivered later than the draft is the answer */
    if (f->sent && head.self && f->ret.received_ms >= f->draft.real)
        f->draft = (struct household_draft){ 0 };
    return st;
}

static enum puan_status get_me(struct puan_request *rq, const void *in,
                               struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_window *own;
    uint32_t ea = puan_area_of_household(t, rq->who.household);
    struct puan_shard *sh =
        rq->who.household
            ? puan_store_shard_of_household(rq->store, rq->who.household)
            : NULL;
    int offset = plan->offset_minutes;
    struct facts f = { 0 };
    struct puan_str form;
    struct puan_jw *w;
    enum puan_status st;

    (void)in;
    if (!sh || ea == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_EDENIED, "household",
                         "only a household's own account has a household");
    st = read_facts(&f, rq, sh, rq->who.household, err);
    if (st != PUAN_OK)
        return st;
    own = own_window(plan, f.home.channel, rq->now);
    form = form_of(plan, own, f.home.channel);
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kcode(w, "household", rq->who.household);
    puan_jw_kinstant(w, "as_of", rq->now, offset);
    puan_jw_ktext(w, "birth", puan_store_birth(rq->store));
    puan_jw_key(w, "form");
    if (form.n)
        puan_jw_str(w, form);
    else
        puan_jw_null(w);
    put_areas(w, t, plan, ea);
    puan_jw_kbool(w, "listed", f.home.listed);
    puan_jw_kstr(w, "dwelling", f.home.address);
    puan_jw_key(w, "counts"); /* of the listing roll, as the plan names them */
    if (f.home.cells.n)
        puan_jw_raw(w, f.home.cells);
    else
        puan_jw_null(w);
    put_window(w, "window", own, rq->now, offset);
    put_window(w, "visits", own ? visits(plan, own, form, rq->now) : NULL, rq->now,
               offset);
    puan_jw_kbool(w, "password_set",
                  puan_household_protected(rq->store, rq->who.household));
    put_draft_key(w, rq);
    puan_jw_key(w, "draft");
    if (f.draft.rev) {
        puan_jw_map(w);
        puan_jw_kint(w, "rev", f.draft.rev);
        puan_jw_kinstant(w, "at", f.draft.at, offset);
        puan_jw_end(w, '}');
    } else {
        puan_jw_null(w);
    }
    if (f.sent) {
        put_return(w, &f.ret, state_of(rq, ea, &f.query, err),
                   f.ret.received_ms, offset);
    } else {
        puan_jw_key(w, "return");
        puan_jw_null(w);
    }
    put_query(w, &f.query, offset);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- for a call desk -------------------------------------------------------------------- */

static void put_channel(struct puan_jw *w, const struct puan_channel *c)
{
    puan_jw_key(w, "channel");
    if (c == NULL) {
        puan_jw_null(w);
        return;
    }
    puan_jw_map(w);
    puan_jw_kstr(w, "id", c->id);
    puan_jw_kstr(w, "zh", c->zh);
    puan_jw_kstr(w, "en", c->en);
    puan_jw_end(w, '}');
}

enum puan_status puan_household_brief(struct puan_str *json,
                                      struct puan_request *rq,
                                      int64_t household, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    struct puan_shard *sh = puan_store_shard_of_household(rq->store, household);
    uint32_t ea = puan_area_of_household(t, household);
    int offset = plan->offset_minutes;
    const struct puan_window *own;
    struct facts f = { 0 };
    struct puan_out out;
    struct puan_jw w;

    if (sh == NULL || ea == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "household",
                         "no area here has this household");
    TRY(read_facts(&f, rq, sh, household, err));
    if (!f.home.listed && !f.sent)
        return puan_fail(err, PUAN_ENOTFOUND, "household",
                         "no household has this number");
    own = own_window(plan, f.home.channel, rq->now);
    puan_out_init(&out, rq->arena);
    puan_jw_init(&w, &out);
    puan_jw_map(&w);
    puan_jw_kcode(&w, "household", household);
    puan_jw_kinstant(&w, "as_of", rq->now, offset);
    put_areas(&w, t, plan, ea);
    puan_jw_kbool(&w, "listed", f.home.listed);
    puan_jw_kstr(&w, "dwelling", f.home.address);
    put_channel(&w, f.home.channel);
    put_window(&w, "window", own, rq->now, offset);
    put_window(&w, "visits",
               own ? visits(plan, own, form_of(plan, own, f.home.channel),
                            rq->now)
                   : NULL,
               rq->now, offset);
    puan_jw_ktext(&w, "code", puan_household_code(rq->store, household,
                                                  rq->now));
    puan_jw_kbool(&w, "password_set",
                  puan_household_protected(rq->store, household));
    if (f.draft.rev)
        puan_jw_kinstant(&w, "draft_at", f.draft.at, offset);
    if (f.sent) {
        puan_jw_ktext(&w, "state", state_of(rq, ea, &f.query, err));
        puan_jw_kstr(&w, "by", f.ret.head.mode);
        puan_jw_kinstant(&w, "finished", f.ret.head.finished_ms, offset);
    } else {
        puan_jw_ktext(&w, "state", f.draft.rev ? "begun" : "none");
    }
    if (f.query.id)
        puan_jw_kinstant(&w, "queried", f.query.asked, offset);
    puan_jw_end(&w, '}');
    TRY(puan_arena_check(rq->arena, err));
    *json = puan_out_view(&out);
    return PUAN_OK;
}

/* ---- the feature --------------------------------------------------------------------------- */

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_RETURNS, 1,
      "CREATE TABLE household_draft(household BIGINT PRIMARY KEY,"
      " rev BIGINT NOT NULL, at BIGINT NOT NULL, real BIGINT NOT NULL,"
      " sealed BYTEA NOT NULL);" },
};

static const struct puan_param draft_params[] = {
    { "household", PUAN_PARAM_HOUSEHOLD,
      offsetof(struct household_draft_in, household), 0, 0, true },
};

struct handover_in {
    int64_t area;
};
static const struct puan_param handover_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct handover_in, area), 0, 0, true },
};

static const struct puan_route routes[] = {
    { PUAN_GET, "/c/{campaign}/handover", "listing.view", PUAN_SCOPE_AREA, "",
      "Households that fill in themselves and have sent nothing, by "
      "enumeration area or of one",
      household_get_handover,
      PUAN_PARAMS(handover_params, struct handover_in) },
    { PUAN_GET, "/c/{campaign}/me", "return.own", PUAN_SCOPE_SESSION, "",
      "A household's own facts: place, window, draft, state of its return",
      get_me, .with_first_secret = true },
    { PUAN_GET, "/c/{campaign}/me/draft", "return.own", PUAN_SCOPE_SESSION, "",
      "The household's draft", household_get_draft,
      PUAN_PARAMS(draft_params, struct household_draft_in) },
    { .method = PUAN_PUT,
      .path = "/c/{campaign}/me/draft",
      .capability = "return.own",
      .scope = PUAN_SCOPE_SESSION,
      .verb = "",
      .summary = "Replace the household's draft",
      .handle = household_put_draft,
      PUAN_PARAMS(draft_params, struct household_draft_in),
      .max_body = PUAN_DRAFT_MAX,
      .raw_body = true },
    { PUAN_DELETE, "/c/{campaign}/me/draft", "return.own", PUAN_SCOPE_SESSION,
      "", "Delete the household's draft", household_delete_draft,
      PUAN_PARAMS(draft_params, struct household_draft_in) },
};

static const struct puan_job jobs[] = {
    { "drafts", 60000, household_sweep },
};

const struct puan_feature puan_feature_household = {
    .name = "household",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .jobs = jobs,
    .n_jobs = PUAN_COUNT(jobs),
};
