/*
 * Requests that enter something: rosters, swaps, numbers, calls, the log, the
 * handing over.  Each is one act of the office store.
 */
#include "core/area/area.h"
#include "features/cases/cases.h"
#include "features/duty/internal.h"

#define PEOPLE 100

struct write {
    struct puan_request *rq;
    struct puan_roster_entry e;
    bool all; /* a test of everybody */
};

/* "2020-11-02T08:00:00+08:00"; a day alone: its first moment. */
bool duty_instant(int64_t *ms, struct puan_str s, int offset_minutes)
{
    int64_t day;

    if (puan_instant_parse(ms, s))
        return true;
    if (!puan_day_parse(&day, s))
        return false;
    *ms = day * INT64_C(86400000) - offset_minutes * INT64_C(60000);
    return true;
}

static enum puan_status time_of(int64_t *ms, struct puan_request *rq,
                                struct puan_str s, const char *name,
                                struct puan_err *err)
{
    *ms = 0;
    if (s.n == 0 ||
        duty_instant(ms, s, puan_store_plan(rq->store)->offset_minutes))
        return PUAN_OK;
    return puan_fail(err, PUAN_EINVAL, name,
                     "write the time as 2020-11-02T08:00:00+08:00");
}

static enum puan_status people_of(struct puan_roster_entry *e,
                                  struct puan_request *rq, struct puan_str json,
                                  struct puan_err *err)
{
    struct puan_str *list = puan_new_n(rq->arena, PEOPLE, struct puan_str);
    struct puan_node *tree = NULL;

    if (list == NULL)
        return puan_arena_check(rq->arena, err);
    TRY(puan_json_tree(&tree, json, "people", rq->arena, err));
    if (tree->kind != PUAN_NODE_LIST || tree->n > PEOPLE)
        return puan_fail(err, PUAN_EINVAL, "people",
                         "is a list of at most %d names of accounts", PEOPLE);
    PUAN_NODE_EACH(c, tree) {
        if (c->kind != PUAN_NODE_SCALAR)
            return puan_fail(err, PUAN_EINVAL, "people",
                             "is a list of names of accounts");
        list[e->n_people++] = c->text;
    }
    e->people = list;
    return PUAN_OK;
}

/* Offices of the plan's levels keep watch; others have no roster. */
static enum puan_status kept(struct puan_request *rq, struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_duty *d = puan_duty_of(rq->store);
    uint32_t i = t ? puan_area_find(t, rq->area) : PUAN_AREA_NONE;

    if (d == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "duty",
                         "this plan does not say how an office keeps watch");
    if (i != PUAN_AREA_NONE &&
        puan_duty_kept(d, t->level[t->area[i].level].name))
        return PUAN_OK;
    return puan_fail(err, PUAN_ECONFLICT, "area",
                     "the plan keeps no watch at this level");
}

/* ---- what follows from an entry --------------------------------------------------- */

static struct puan_node *field(struct puan_node *map, struct puan_node *n,
                               const char *key, struct puan_str text)
{
    n->kind = PUAN_NODE_SCALAR;
    n->quoted = true;
    n->key = puan_str_of(key);
    n->text = text;
    n->file = "duty";
    n->next = map->first;
    map->first = n;
    map->n++;
    return n;
}

/* Opens a case of the plan for this entry, and makes `move` when it is named. */
static enum puan_status open_case(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, struct write *w,
                                  struct puan_str flow, struct puan_str move,
                                  const struct puan_node *fields,
                                  struct puan_err *err)
{
    struct puan_request *rq = w->rq;
    struct puan_case_call *call =
        puan_new_n(rq->arena, 2, struct puan_case_call);

    if (call == NULL)
        return puan_arena_check(rq->arena, err);
    call[0].flow = flow;
    call[0].subject = PUAN_STR("");
    call[0].area = rq->area;
    call[0].arena = call[1].arena = rq->arena;
    call[0].event.kind = PUAN_FLOW_OPEN;
    call[0].event.fields = fields;
    call[0].event.who = call[1].event.who = puan_case_seat(
        rq->store, puan_str_of(rq->who.name), puan_str_of(rq->who.role_name),
        rq->who.area, rq->area);
    TRY(puan_case_in(sh, db, act, &call[0], err));
    w->e.ref = call[0].row.id;
    if (move.n == 0)
        return PUAN_OK;
    call[1].run = call[0].row.id;
    call[1].event.kind = PUAN_FLOW_ACT;
    call[1].event.name = move;
    return puan_case_in(sh, db, act, &call[1], err);
}

static enum puan_status contact(struct puan_shard *sh, struct puan_db *db,
                                struct puan_act *act, struct write *w,
                                struct puan_err *err)
{
    const struct puan_duty *d = puan_duty_of(w->rq->store);
    struct puan_node map = { .kind = PUAN_NODE_MAP, .file = "duty" }, n = { 0 };

    if (d->contact_flow.n == 0)
        return PUAN_OK;
    (void)field(&map, &n, "holder", w->e.who);
    return open_case(sh, db, act, w, d->contact_flow, PUAN_STR(""), &map, err);
}

static enum puan_status pass(struct puan_shard *sh, struct puan_db *db,
                             struct puan_act *act, struct write *w,
                             struct puan_err *err)
{
    const struct puan_duty *d = puan_duty_of(w->rq->store);
    struct puan_node map = { .kind = PUAN_NODE_MAP, .file = "duty" }, n[4];
    const struct puan_roster_entry *log = NULL;
    struct puan_roster_entry probe = w->e;
    struct puan_roster r;
    struct puan_str title;
    char heard[32];
    int g = puan_duty_group(d, w->e.group);

    memset(n, 0, sizeof n);
    TRY(duty_read(&r, w->rq->store, db, w->rq->area, w->rq->arena, err));
    probe.at_ms = puan_store_now(w->rq->store);
    probe.id = INT64_MAX;
    TRY(puan_roster_accept(&r, &probe, err));
    for (size_t i = 0; i < r.n; i++)
        if (r.entry[i].id == w->e.of)
            log = &r.entry[i];
    if (log == NULL || g < 0 || d->transfer_flow.n == 0)
        return PUAN_OK; /* accepted above: the plan opens nothing for it */
    puan_instant_text(heard, log->from_ms, r.offset_minutes);
    title = log->text;
    for (size_t k = 0; title.n > 0 && k < 40; k++)
        (void)puan_utf8_next(&title);
    (void)field(&map, &n[0], "record", log->text);
    (void)field(&map, &n[1], "from_whom", log->who);
    (void)field(&map, &n[2], "heard_at", puan_str_of(heard));
    (void)field(&map, &n[3], "title",
                (struct puan_str){ log->text.p, log->text.n - title.n });
    return open_case(sh, db, act, w, d->transfer_flow, d->group[g].act, &map,
                     err);
}

/* Everybody who holds the seat of duty now is called once. */
static enum puan_status test_all(struct puan_shard *sh, struct puan_db *db,
                                 struct puan_act *act, struct write *w,
                                 struct puan_err *err)
{
    struct puan_request *rq = w->rq;
    int64_t now = puan_store_now(rq->store);
    struct puan_roster r;
    size_t n = 0;

    TRY(duty_read(&r, rq->store, db, rq->area, rq->arena, err));
    for (size_t i = 0; i < r.n_seats; i++) {
        struct puan_roster_entry e = w->e;
        bool again = false;

        for (size_t k = 0; k < i; k++)
            again = again || puan_str_eq(r.seat[k].person, r.seat[i].person);
        if (again || r.seat[i].from_ms > now ||
            (r.seat[i].until_ms != 0 && r.seat[i].until_ms <= now))
            continue;
        e.who = r.seat[i].person;
        TRY(duty_ring(sh, db, act, rq->area, &e, rq->arena, err));
        w->e.id = e.id;
        n++;
    }
    if (n > 0)
        return PUAN_OK;
    return puan_fail(err, PUAN_ECONFLICT, "area",
                     "nobody holds the seat of duty here");
}

static enum puan_status answer(struct puan_shard *sh, struct puan_db *db,
                               struct puan_act *act, struct write *w,
                               struct puan_err *err)
{
    struct puan_roster r;

    TRY(duty_put(sh, db, act, w->rq->area, &w->e, w->rq->arena, err));
    TRY(duty_read(&r, w->rq->store, db, w->rq->area, w->rq->arena, err));
    return duty_call_done(sh, db, act, &r, w->e.of, err);
}

/* The digest of an offer is of what is open at this moment. */
static enum puan_status handover(struct puan_shard *sh, struct puan_db *db,
                                 struct puan_act *act, struct write *w,
                                 struct puan_err *err)
{
    struct puan_request *rq = w->rq;
    struct puan_str words = w->e.text;
    struct duty_open open;
    struct puan_roster r;

    if (w->e.kind == PUAN_ROSTER_RELIEVE) {
        TRY(duty_read(&r, rq->store, db, rq->area, rq->arena, err));
        for (size_t i = 0; i < r.n; i++)
            if (r.entry[i].id == w->e.of &&
                r.entry[i].kind == PUAN_ROSTER_OFFER)
                words = r.entry[i].text;
    }
    TRY(duty_open_now(&open, rq->store, db, rq->area, words, rq->arena, err));
    if (w->e.kind == PUAN_ROSTER_OFFER)
        w->e.digest = open.digest;
    else if (!puan_str_eq(w->e.digest, open.digest))
        return puan_fail(err, PUAN_ECONFLICT, "digest",
                         "what is open has changed since it was signed; let it "
                         "be offered again");
    return duty_put(sh, db, act, rq->area, &w->e, rq->arena, err);
}

static enum puan_status body(struct puan_shard *sh, struct puan_db *db,
                             struct puan_act *act, void *arg,
                             struct puan_err *err)
{
    struct write *w = arg;
    const struct puan_roster_entry given = w->e; /* may be run again */
    enum puan_status st;

    switch ((int)w->e.kind) {
    case PUAN_ROSTER_CONTACT:
        st = contact(sh, db, act, w, err);
        break;
    case PUAN_ROSTER_PASS:
        st = pass(sh, db, act, w, err);
        break;
    case PUAN_ROSTER_TEST:
        if (w->all)
            return test_all(sh, db, act, w, err);
        return duty_ring(sh, db, act, w->rq->area, &w->e, w->rq->arena, err);
    case PUAN_ROSTER_CALL:
        return duty_call_out(sh, db, act, w->rq->area, &w->e, w->rq->arena,
                             err);
    case PUAN_ROSTER_ANSWER:
        return answer(sh, db, act, w, err);
    case PUAN_ROSTER_OFFER:
    case PUAN_ROSTER_RELIEVE:
        return handover(sh, db, act, w, err);
    default:
        st = PUAN_OK;
    }
    if (st == PUAN_OK)
        st = duty_put(sh, db, act, w->rq->area, &w->e, w->rq->arena, err);
    if (st != PUAN_OK)
        w->e = given;
    return st;
}

static enum puan_status enter(struct puan_request *rq, const struct duty_in *in,
                              enum puan_roster_kind kind, struct puan_err *err)
{
    struct write w = { .rq = rq };
    struct puan_act act;
    struct puan_jw *j;

    TRY(kept(rq, err));
    w.e.kind = kind;
    w.e.role = puan_str_of(rq->who.role_name);
    w.e.person = puan_str_of(rq->who.name);
    w.e.post = in->post;
    w.e.shift = in->shift;
    w.e.who = in->who;
    w.e.text = in->text;
    w.e.group = in->group;
    w.e.digest = in->digest;
    w.e.of = in->of;
    w.e.turn = in->turn ? (int)in->turn : 1;
    if (kind == PUAN_ROSTER_CALL) { /* of: the case it is about */
        w.e.ref = in->of;
        w.e.of = 0;
    }
    if (kind == PUAN_ROSTER_ROTATE) {
        if (!puan_day_parse(&w.e.from_day, in->from) ||
            (in->until.n > 0 && !puan_day_parse(&w.e.until_day, in->until)))
            return puan_fail(err, PUAN_EINVAL, "from",
                             "write the day as 2020-11-02");
        TRY(people_of(&w.e, rq, in->people, err));
    } else {
        TRY(time_of(&w.e.from_ms, rq, in->from, "from", err));
        TRY(time_of(&w.e.until_ms, rq, in->until, "until", err));
    }
    if (kind != PUAN_ROSTER_ROTATE)
        w.e.turn = 0;
    w.all = kind == PUAN_ROSTER_TEST && in->who.n == 0;
    puan_request_act(&act, rq,
                     puan_str_of(puan_arena_fmt(rq->arena, "%lld",
                                                (long long)rq->area)));
    act.note = puan_str_of(puan_arena_fmt(rq->arena, "duty %s",
                                          puan_roster_word[kind]));
    TRY(puan_commit(puan_store_office(rq->store), &act, body, &w, err));
    j = puan_answer_begin(rq, 201);
    puan_jw_map(j);
    puan_jw_kint(j, "id", w.e.id);
    puan_jw_kint(j, "case", w.e.ref);
    if (w.e.digest.n > 0)
        puan_jw_kstr(j, "digest", w.e.digest);
    puan_jw_end(j, '}');
    return PUAN_OK;
}

#define ENTERS(name, KIND)                                                     \
    static enum puan_status name(struct puan_request *rq, const void *in,      \
                                 struct puan_err *err)                         \
    {                                                                          \
        return enter(rq, in, KIND, err);                                       \
    }
ENTERS(put_rotation, PUAN_ROSTER_ROTATE)
ENTERS(put_cover, PUAN_ROSTER_COVER)
ENTERS(put_rest, PUAN_ROSTER_REST)
ENTERS(put_swap, PUAN_ROSTER_SWAP)
ENTERS(put_agree, PUAN_ROSTER_AGREE)
ENTERS(put_approve, PUAN_ROSTER_APPROVE)
ENTERS(put_decline, PUAN_ROSTER_DECLINE)
ENTERS(put_confirm, PUAN_ROSTER_CONFIRM)
ENTERS(put_contact, PUAN_ROSTER_CONTACT)
ENTERS(put_test, PUAN_ROSTER_TEST)
ENTERS(put_call, PUAN_ROSTER_CALL)
ENTERS(put_answer, PUAN_ROSTER_ANSWER)
ENTERS(put_log, PUAN_ROSTER_LOG)
ENTERS(put_pass, PUAN_ROSTER_PASS)
ENTERS(put_offer, PUAN_ROSTER_OFFER)
ENTERS(put_relieve, PUAN_ROSTER_RELIEVE)

/* ---- the table ------------------------------------------------------------------- */

#define TEXT(name, most, may)                                                  \
    { #name, PUAN_PARAM_TEXT, offsetof(struct duty_in, name), 0, most, may }
#define AREA                                                                   \
    { "area", PUAN_PARAM_AREA, offsetof(struct duty_in, area), 0, 0, true }
#define OF                                                                     \
    { "of", PUAN_PARAM_INT, offsetof(struct duty_in, of), 1, INT64_MAX, false }
#define STRETCH                                                                \
    TEXT(post, 31, false), TEXT(from, 40, false), TEXT(until, 40, false)

static const struct puan_param view_params[] = { AREA, TEXT(from, 40, true),
                                                 TEXT(until, 40, true) };
static const struct puan_param area_params[] = { AREA };
static const struct puan_param rotation_params[] = {
    AREA,
    STRETCH,
    TEXT(shift, 31, false),
    { "turn", PUAN_PARAM_INT, offsetof(struct duty_in, turn), 1, 366, true },
    { "people", PUAN_PARAM_JSON, offsetof(struct duty_in, people), 0, 0,
      false },
};
static const struct puan_param cover_params[] = { AREA, STRETCH,
                                                  TEXT(who, 64, false) };
static const struct puan_param rest_params[] = { AREA, STRETCH,
                                                 TEXT(text, 300, false) };
static const struct puan_param stretch_params[] = { AREA, STRETCH };
static const struct puan_param of_params[] = { AREA, OF };
static const struct puan_param contact_params[] = { AREA, TEXT(who, 64, false),
                                                    TEXT(text, 200, false) };
static const struct puan_param test_params[] = { AREA, TEXT(who, 64, true) };
static const struct puan_param call_params[] = {
    AREA,
    TEXT(text, 300, false),
    { "of", PUAN_PARAM_INT, offsetof(struct duty_in, of), 1, INT64_MAX, true },
};
static const struct puan_param answer_params[] = { AREA, OF,
                                                   TEXT(text, 300, true) };
static const struct puan_param log_params[] = {
    AREA, TEXT(text, 2000, false), TEXT(who, 100, true), TEXT(from, 40, true)
};
static const struct puan_param pass_params[] = { AREA, OF,
                                                 TEXT(group, 31, false) };
static const struct puan_param offer_params[] = { AREA, TEXT(post, 31, true),
                                                  TEXT(text, 4000, false) };
static const struct puan_param relieve_params[] = { AREA, OF,
                                                    TEXT(digest, 64, false) };

#define ROW(m, p, cap, v, sum, fn, par)                                        \
    { .method = m, .path = "/c/{campaign}/duty" p, .capability = cap,          \
      .scope = PUAN_SCOPE_AREA, .verb = v, .summary = sum, .handle = fn,       \
      PUAN_PARAMS(par, struct duty_in) }

const struct puan_route duty_routes[DUTY_ROUTES] = {
    ROW(PUAN_GET, "", "duty.view", "",
        "Roster of an office: who stands when, gaps, swaps, who is reached",
        duty_view, view_params),
    ROW(PUAN_GET, "/desk", "duty.view", "",
        "The duty now: who is on, who is next, log, handing over", duty_desk,
        area_params),
    ROW(PUAN_GET, "/below", "duty.view", "",
        "Duty of the offices inside an area", duty_lower, area_params),
    ROW(PUAN_POST, "/rotation", "duty.draw", "duty.rotate",
        "Draw up the turns of a shift", put_rotation, rotation_params),
    ROW(PUAN_POST, "/cover", "duty.draw", "duty.cover",
        "Put a person in for a time", put_cover, cover_params),
    ROW(PUAN_POST, "/rest", "duty.draw", "duty.rest",
        "Say that a time stays empty on purpose", put_rest, rest_params),
    ROW(PUAN_POST, "/swap", "duty.act", "duty.swap",
        "Ask somebody to stand your duty", put_swap, cover_params),
    ROW(PUAN_POST, "/swap/agree", "duty.act", "duty.agree",
        "Agree to a swap you were asked for", put_agree, of_params),
    ROW(PUAN_POST, "/swap/approve", "duty.draw", "duty.approve",
        "Approve a swap both agreed to", put_approve, of_params),
    ROW(PUAN_POST, "/swap/decline", "duty.act", "duty.decline",
        "Refuse a swap", put_decline, of_params),
    ROW(PUAN_POST, "/confirm", "duty.act", "duty.confirm",
        "Confirm that you will stand your duty", put_confirm, stretch_params),
    ROW(PUAN_POST, "/contact", "duty.act", "duty.contact",
        "Enter how somebody is reached; the office above is told", put_contact,
        contact_params),
    ROW(PUAN_POST, "/test", "duty.act", "duty.test",
        "Call somebody, or everybody, as a test", put_test, test_params),
    ROW(PUAN_POST, "/call", "duty.act", "duty.call",
        "Call out, rung after rung until somebody answers", put_call,
        call_params),
    ROW(PUAN_POST, "/answer", "duty.view", "duty.answer", "Answer a call",
        put_answer, answer_params),
    ROW(PUAN_POST, "/log", "duty.act", "duty.log", "Enter a line in the log",
        put_log, log_params),
    ROW(PUAN_POST, "/pass", "duty.act", "duty.pass",
        "Hand a matter of the log to another group", put_pass, pass_params),
    { .method = PUAN_POST, .path = "/c/{campaign}/duty/offer",
      .capability = "duty.act", .scope = PUAN_SCOPE_AREA, .verb = "duty.offer",
      .summary = "Hand the duty over: sign what is open", .handle = put_offer,
      .fresh_factor = true, PUAN_PARAMS(offer_params, struct duty_in) },
    { .method = PUAN_POST, .path = "/c/{campaign}/duty/relieve",
      .capability = "duty.act", .scope = PUAN_SCOPE_AREA,
      .verb = "duty.relieve", .summary = "Take the duty over: sign the same",
      .handle = put_relieve, .fresh_factor = true,
      PUAN_PARAMS(relieve_params, struct duty_in) },
    ROW(PUAN_GET, "/contacts", "duty.view", "",
        "Contacts of an office, as published inside", duty_contacts,
        area_params),
};
