/*
 * Requests about messages, channels, addresses and receipts.
 */
#include "features/notify/routes.h"

#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "core/plan/plan.h"
#include "features/cases/cases.h"
#include "features/host/host.h"
#include "features/host/limit.h"
#include "features/host/request.h"
#include "features/notify/spool.h"
#include "kit/http/http.h"

#define PAGE 50

/* ---- what went out ------------------------------------------------------------- */

struct list_in {
    int64_t area, page;
    struct puan_str state;
};
static const struct puan_param list_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct list_in, area), 0, 0, true },
    { "state", PUAN_PARAM_TEXT, offsetof(struct list_in, state), 0, 16, true },
    { "page", PUAN_PARAM_INT, offsetof(struct list_in, page), 1, 100, true },
};

/* What anybody may report is seen by the seats its flow names. */
static bool shown(struct puan_request *rq, struct puan_db *db,
                  struct puan_str about)
{
    struct puan_str rest = about, head;
    int64_t id = 0;

    if (!puan_str_starts(about, "cases/") ||
        !puan_str_split(&head, &rest, '/') || !puan_int_parse(&id, rest))
        return true;
    return puan_case_open_to(rq, db, id);
}

static void channel_words(struct puan_jw *w,
                          const struct puan_notify_channels *c,
                          struct puan_str name)
{
    const struct puan_notify_channel *ch =
        c != NULL ? puan_notify_channel(c, name) : NULL;

    puan_jw_kstr(w, "channel", name);
    puan_jw_kstr(w, "channel_zh", ch != NULL ? ch->zh : name);
    puan_jw_kstr(w, "channel_en", ch != NULL ? ch->en : name);
}

static void seat_words(struct puan_jw *w, struct puan_request *rq,
                       struct puan_str role, int64_t area)
{
    const struct puan_role *r =
        puan_plan_role(puan_store_plan(rq->store), role);

    puan_jw_kstr(w, "role", role);
    puan_jw_kstr(w, "role_zh", r != NULL ? r->zh : role);
    puan_jw_kstr(w, "role_en", r != NULL ? r->en : role);
    puan_area_put_always(w, puan_store_areas(rq->store), area);
}

static enum puan_status message_json(struct puan_jw *w, struct puan_request *rq,
                                     struct puan_db *db,
                                     const struct puan_notify_channels *c,
                                     const struct puan_notify_message_row *m,
                                     struct puan_err *err)
{
    int offset = (int)puan_store_plan(rq->store)->offset_minutes;
    struct puan_notify_delivery_row *d = NULL;
    struct puan_notify_words words;
    struct puan_out text;
    size_t n = 0;

    puan_notify_words_of(&words, m, rq->store, db, NULL, rq->arena);
    puan_jw_map(w);
    puan_jw_kint(w, "id", m->id);
    puan_jw_kstr(w, "kind", m->kind);
    puan_jw_kstr(w, "about", m->about);
    puan_jw_kstr(w, "what_zh", m->zh);
    puan_jw_kstr(w, "what_en", m->en);
    puan_jw_kstr(w, "number", words.number);
    puan_jw_kstr(w, "level", m->level);
    for (int english = 0; english < 2; english++) {
        puan_out_init(&text, rq->arena);
        puan_notify_text(&text, &words, english != 0);
        puan_jw_kstr(w, english ? "text_en" : "text_zh", puan_out_view(&text));
    }
    seat_words(w, rq, m->role, m->area);
    puan_jw_kstr(w, "account", m->account);
    puan_jw_kinstant(w, "at", m->at, offset);
    if (m->due != 0)
        puan_jw_kinstant(w, "due", m->due, offset);
    puan_jw_kbool(w, "drill", m->drill != 0);
    if (m->received != 0)
        puan_jw_kinstant(w, "received", m->received, offset);
    puan_jw_key(w, "deliveries");
    puan_jw_list(w);
    TRY(puan_notify_deliveries(&d, &n, db, m->id, rq->arena, err));
    for (size_t i = 0; i < n; i++) {
        puan_jw_map(w);
        puan_jw_kint(w, "id", d[i].id);
        channel_words(w, c, d[i].channel);
        puan_jw_kstr(w, "state", d[i].state);
        puan_jw_kint(w, "tries", d[i].tries);
        puan_jw_kinstant(w, "at", d[i].at, offset);
        if (puan_str_is(d[i].state, PUAN_NOTIFY_WAITING) && d[i].tries > 0)
            puan_jw_kinstant(w, "next", d[i].next, offset);
        puan_jw_kstr(w, "why", d[i].why);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* Messages of a state, newest first; those of a page, and how many in all. */
static enum puan_status ids_of(int64_t ids[PAGE], size_t *n, int64_t *total,
                               struct puan_request *rq, struct puan_db *db,
                               const struct list_in *in, struct puan_err *err)
{
    int64_t from = in->page > 1 ? (in->page - 1) * PAGE : 0;
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *n = 0;
    *total = 0;
    TRY(puan_sql(&s, db,
                 "SELECT m.id, m.area, m.about FROM notify_message m WHERE"
                 " $1 = 0 OR EXISTS (SELECT 1 FROM notify_delivery d WHERE"
                 " d.message = m.id AND (($1 = 1 AND d.state IN ('given-up',"
                 " 'no-address')) OR ($1 = 2 AND d.state = 'waiting')))"
                 " ORDER BY m.id DESC LIMIT 5000",
                 err));
    puan_bind_int(s, 1, puan_str_is(in->state, "failed")  ? 1 :
                        puan_str_is(in->state, "waiting") ? 2 :
                                                            0);
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        if (!puan_area_covers(rq->store, rq->area, puan_col_int(s, 1)) ||
            !shown(rq, db, puan_arena_keep(rq->arena, puan_col_text(s, 2))))
            continue;
        if (*total >= from && *n < PAGE)
            ids[(*n)++] = puan_col_int(s, 0);
        ++*total;
    }
    puan_stmt_done(s);
    return st;
}

static enum puan_status list(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    const struct list_in *in = v;
    struct puan_shard *office = puan_store_office(rq->store);
    const struct puan_notify_channels *c = puan_notify_now(rq->store);
    int64_t ids[PAGE], total = 0;
    struct puan_db *db = NULL;
    struct puan_out o;
    struct puan_jw w;
    size_t n = 0;
    enum puan_status st;

    if (in->state.n > 0 && !puan_str_is(in->state, "failed") &&
        !puan_str_is(in->state, "waiting"))
        return puan_fail(err, PUAN_EINVAL, "state",
                         "state is failed or waiting, or left out");
    puan_out_init(&o, rq->arena);
    puan_jw_init(&w, &o);
    TRY(puan_read_begin(&db, office, err));
    st = ids_of(ids, &n, &total, rq, db, in, err);
    puan_jw_map(&w);
    puan_jw_kinstant(&w, "as_of", rq->now,
                     (int)puan_store_plan(rq->store)->offset_minutes);
    puan_jw_kbool(&w, "may_send",
                  puan_request_can(rq, "notify.send") && c != NULL);
    puan_jw_kint(&w, "total", total);
    puan_jw_key(&w, "items");
    puan_jw_list(&w);
    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        struct puan_notify_message_row m;

        st = puan_notify_message_read(&m, db, ids[i], rq->arena, err);
        if (st == PUAN_OK)
            st = message_json(&w, rq, db, c, &m, err);
    }
    puan_read_end(office, db);
    if (st != PUAN_OK)
        return st;
    puan_jw_end(&w, ']');
    puan_jw_end(&w, '}');
    TRY(puan_arena_check(rq->arena, err));
    puan_answer_json(rq, 200, puan_out_view(&o));
    return PUAN_OK;
}

/* ---- one message, again ---------------------------------------------------------- */

struct message_in {
    int64_t message;
};
static const struct puan_param message_params[] = {
    { "message", PUAN_PARAM_INT, offsetof(struct message_in, message), 1,
      INT64_MAX, false },
};

static enum puan_status area_of_message(int64_t *area, struct puan_request *rq,
                                        const void *v, struct puan_err *err)
{
    const struct message_in *in = v;
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_notify_message_row m = { 0 };
    struct puan_db *db = NULL;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    st = puan_notify_message_read(&m, db, in->message, rq->arena, err);
    if (st == PUAN_OK && !shown(rq, db, m.about))
        st = puan_fail(err, PUAN_ENOTFOUND, "message",
                       "there is no message %lld", (long long)in->message);
    puan_read_end(office, db);
    *area = m.area;
    return st;
}

struct again {
    struct puan_request *rq;
    int64_t message;
};

static enum puan_status again_body(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act, void *arg,
                                   struct puan_err *err)
{
    const struct again *g = arg;

    return puan_notify_again_in(sh, db, act, g->message, g->rq->arena, err);
}

static enum puan_status again(struct puan_request *rq, const void *v,
                              struct puan_err *err)
{
    const struct message_in *in = v;
    struct again g = { rq, in->message };
    struct puan_act act;

    if (puan_notify_now(rq->store) == NULL)
        return puan_fail(err, PUAN_ECONFLICT, "message",
                         "this installation has no channel; put notify.yaml "
                         "into the campaign directory");
    puan_request_act(&act, rq,
                     puan_str_of(puan_arena_fmt(rq->arena, "message/%lld",
                                                (long long)in->message)));
    TRY(puan_commit(puan_store_office(rq->store), &act, again_body, &g, err));
    puan_answer_empty(rq);
    return PUAN_OK;
}

/* ---- channels ----------------------------------------------------------------------- */

struct area_in {
    int64_t area;
};
static const struct puan_param area_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct area_in, area), 0, 0, true },
};

static enum puan_status count(int64_t out[4], struct puan_db *db,
                              struct puan_str channel, struct puan_err *err)
{
    static const char *const state[] = { "waiting", "handed", "received",
                                         "given-up" };
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    memset(out, 0, 4 * sizeof *out);
    TRY(puan_sql(&s, db,
                 "SELECT state, COUNT(*) FROM notify_delivery WHERE channel ="
                 " $1 GROUP BY state",
                 err));
    puan_bind_text(s, 1, channel);
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more)
        for (size_t i = 0; i < 4; i++)
            if (puan_str_is(puan_col_text(s, 0), state[i]))
                out[i] = puan_col_int(s, 1);
    puan_stmt_done(s);
    return st;
}

static enum puan_status channels(struct puan_request *rq, const void *v,
                                 struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(rq->store);
    const struct puan_notify_channels *c = puan_notify_now(rq->store);
    struct puan_err fault;
    struct puan_db *db = NULL;
    struct puan_out o;
    struct puan_jw w;
    enum puan_status st = PUAN_OK;

    (void)v;
    puan_out_init(&o, rq->arena);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    if (puan_notify_fault(&fault, rq->store))
        puan_jw_ktext(&w, "fault",
                      puan_arena_fmt(rq->arena, "%s:%u:%u: %s", fault.where,
                                     fault.line, fault.col, fault.text));
    puan_jw_key(&w, "items");
    puan_jw_list(&w);
    TRY(puan_read_begin(&db, office, err));
    for (size_t i = 0; c != NULL && st == PUAN_OK && i < c->n; i++) {
        const struct puan_notify_channel *ch = &c->channel[i];
        int64_t n[4];

        st = count(n, db, ch->name, err);
        puan_jw_map(&w);
        channel_words(&w, c, ch->name);
        puan_jw_kbool(&w, "told", ch->told);
        puan_jw_key(&w, "carries");
        puan_jw_list(&w);
        for (unsigned k = 0; k < PUAN_NOTIFY_KINDS; k++)
            if (ch->carries >> k & 1U)
                puan_jw_text(&w, puan_notify_kind_name(
                                     (enum puan_notify_kind)k));
        puan_jw_end(&w, ']');
        puan_jw_kint(&w, "tries", ch->tries);
        puan_jw_kint(&w, "waiting", n[0]);
        puan_jw_kint(&w, "handed", n[1]);
        puan_jw_kint(&w, "received", n[2]);
        puan_jw_kint(&w, "given_up", n[3]);
        puan_jw_end(&w, '}');
    }
    puan_read_end(office, db);
    puan_jw_end(&w, ']');
    puan_jw_end(&w, '}');
    if (st == PUAN_OK)
        st = puan_arena_check(rq->arena, err);
    if (st == PUAN_OK)
        puan_answer_json(rq, 200, puan_out_view(&o));
    return st;
}

/* ---- addresses ------------------------------------------------------------------------ */

struct address_in {
    int64_t area;
    struct puan_str channel, role, account, address;
    bool drill;
};
static const struct puan_param address_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct address_in, area), 0, 0, true },
    { "channel", PUAN_PARAM_TEXT, offsetof(struct address_in, channel), 1, 31,
      false },
    { "role", PUAN_PARAM_TEXT, offsetof(struct address_in, role), 1, 48,
      false },
    { "account", PUAN_PARAM_TEXT, offsetof(struct address_in, account), 0, 63,
      true },
    { "address", PUAN_PARAM_TEXT, offsetof(struct address_in, address), 1, 200,
      false },
    { "drill", PUAN_PARAM_BOOL, offsetof(struct address_in, drill), 0, 0,
      true },
};

/* All but the last two characters, which tell a holder that it is his. */
static struct puan_str masked(struct puan_request *rq, struct puan_str s)
{
    size_t n = puan_utf8_length(s), at = 0;
    struct puan_out o;

    puan_out_init(&o, rq->arena);
    puan_out_text(&o, "***");
    while (s.n > 0) {
        struct puan_str before = s;

        (void)puan_utf8_next(&s);
        if (++at > n - (n > 4 ? 2 : 0))
            puan_out_bytes(&o, before.p, before.n - s.n);
    }
    return puan_out_view(&o);
}

/* Seats that persons hold at this area: those an address can be given to. */
static void roles_of(struct puan_jw *w, const struct puan_request *rq)
{
    const struct puan_plan *p = puan_store_plan(rq->store);
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t i = t != NULL ? puan_area_find(t, rq->area) : PUAN_AREA_NONE;

    puan_jw_key(w, "roles");
    puan_jw_list(w);
    for (size_t k = 0; k < p->n_roles; k++) {
        const struct puan_role *r = &p->role[k];

        if (r->credential != PUAN_CREDENTIAL_HUMAN || r->external ||
            (i != PUAN_AREA_NONE && r->levels != 0 &&
             !(r->levels >> t->area[i].level & 1U)))
            continue;
        puan_jw_map(w);
        puan_jw_kstr(w, "role", r->id);
        puan_jw_kstr(w, "zh", r->zh);
        puan_jw_kstr(w, "en", r->en);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

static enum puan_status addresses(struct puan_request *rq, const void *v,
                                  struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(rq->store);
    const struct puan_notify_channels *c = puan_notify_now(rq->store);
    struct puan_notify_address_row *r;
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    struct puan_out o;
    struct puan_jw w;
    size_t n = 0, cap = 1000;
    bool more = false;
    enum puan_status st;

    (void)v;
    r = puan_new_n(rq->arena, cap, struct puan_notify_address_row);
    if (r == NULL)
        return puan_arena_check(rq->arena, err);
    TRY(puan_read_begin(&db, office, err));
    st = puan_sql(&s, db,
                  "SELECT id, channel, role, area, account, drill FROM"
                  " notify_address ORDER BY area, role, channel, id",
                  err);
    if (st == PUAN_OK) {
        while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more &&
               n < cap) {
            if (!puan_area_covers(rq->store, rq->area, puan_col_int(s, 3)))
                continue;
            r[n++] = (struct puan_notify_address_row){
                .id = puan_col_int(s, 0),
                .channel = puan_arena_keep(rq->arena, puan_col_text(s, 1)),
                .role = puan_arena_keep(rq->arena, puan_col_text(s, 2)),
                .area = puan_col_int(s, 3),
                .account = puan_arena_keep(rq->arena, puan_col_text(s, 4)),
                .drill = puan_col_int(s, 5)
            };
        }
        puan_stmt_done(s);
    }
    puan_out_init(&o, rq->arena);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_key(&w, "items");
    puan_jw_list(&w);
    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        struct puan_str plain = { "", 0 };

        /* one that cannot be opened is listed, so that it can be removed */
        if (puan_notify_address_open(&plain, rq->store, db, r[i].id, rq->arena,
                                     NULL) != PUAN_OK)
            plain = PUAN_STR("");
        puan_jw_map(&w);
        puan_jw_kint(&w, "id", r[i].id);
        channel_words(&w, c, r[i].channel);
        seat_words(&w, rq, r[i].role, r[i].area);
        puan_jw_kstr(&w, "account", r[i].account);
        puan_jw_kstr(&w, "address", masked(rq, plain));
        puan_jw_kbool(&w, "drill", r[i].drill != 0);
        puan_jw_end(&w, '}');
    }
    puan_read_end(office, db);
    puan_jw_end(&w, ']');
    roles_of(&w, rq);
    puan_jw_end(&w, '}');
    if (st == PUAN_OK)
        st = puan_arena_check(rq->arena, err);
    if (st == PUAN_OK)
        puan_answer_json(rq, 200, puan_out_view(&o));
    return st;
}

struct setting {
    struct puan_request *rq;
    const struct address_in *in;
    int64_t id;
};

static enum puan_status account_there(struct puan_db *db, struct puan_str name,
                                      struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    TRY(puan_sql(&s, db, "SELECT id FROM account WHERE name = $1", err));
    puan_bind_text(s, 1, name);
    st = puan_stmt_step(&more, s, err);
    puan_stmt_done(s);
    if (st == PUAN_OK && !more)
        st = puan_fail(err, PUAN_ENOTFOUND, "account",
                       "nobody signs in by that name");
    return st;
}

static enum puan_status set_body(struct puan_shard *sh, struct puan_db *db,
                                 struct puan_act *act, void *arg,
                                 struct puan_err *err)
{
    struct setting *t = arg;
    struct puan_request *rq = t->rq;
    struct puan_notify_address_row r = {
        .channel = t->in->channel, .role = t->in->role, .area = rq->area,
        .account = t->in->account,
        .drill = t->in->drill || puan_notify_all_drill(rq->store)
    };

    if (r.account.n > 0)
        TRY(account_there(db, r.account, err));
    TRY(puan_db_int(&r.id, db,
                    "SELECT COALESCE(MAX(id), 0) + 1 FROM notify_address", 1,
                    err));
    TRY(puan_notify_address_seal(&r.sealed, rq->store, r.id, t->in->address,
                                 rq->arena, err));
    t->id = r.id;
    return puan_notify_address_write(sh, db, act, &r, rq->arena, err);
}

static enum puan_status set_address(struct puan_request *rq, const void *v,
                                    struct puan_err *err)
{
    const struct address_in *in = v;
    const struct puan_notify_channels *c = puan_notify_now(rq->store);
    const struct puan_notify_channel *ch =
        c != NULL ? puan_notify_channel(c, in->channel) : NULL;
    struct setting t = { rq, in, 0 };
    struct puan_act act;
    struct puan_jw *w;

    if (ch == NULL)
        return puan_fail(err, PUAN_EINVAL, "channel",
                         "this installation has no channel of that name");
    if (puan_plan_role(puan_store_plan(rq->store), in->role) == NULL)
        return puan_fail(err, PUAN_EINVAL, "role",
                         "the plan has no role of that name");
    TRY(puan_notify_address(ch, in->address, err));
    puan_request_act(&act, rq,
                     puan_str_of(puan_arena_fmt(
                         rq->arena, "%.*s@%lld", PUAN_FMT(in->role),
                         (long long)rq->area)));
    TRY(puan_commit(puan_store_office(rq->store), &act, set_body, &t, err));
    w = puan_answer_begin(rq, 201);
    puan_jw_map(w);
    puan_jw_kint(w, "id", t.id);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

struct remove_in {
    int64_t address;
};
static const struct puan_param remove_params[] = {
    { "address", PUAN_PARAM_INT, offsetof(struct remove_in, address), 1,
      INT64_MAX, false },
};

static enum puan_status area_of_address(int64_t *area, struct puan_request *rq,
                                        const void *v, struct puan_err *err)
{
    const struct remove_in *in = v;
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    bool more = false;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    st = puan_sql(&s, db, "SELECT area FROM notify_address WHERE id = $1",
                  err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, in->address);
        st = puan_stmt_step(&more, s, err);
        *area = more ? puan_col_int(s, 0) : 0;
        puan_stmt_done(s);
    }
    puan_read_end(office, db);
    if (st == PUAN_OK && !more)
        st = puan_fail(err, PUAN_ENOTFOUND, "address",
                       "there is no address %lld", (long long)in->address);
    return st;
}

static enum puan_status remove_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    const int64_t *id = arg;
    struct puan_stmt *s = NULL;
    enum puan_status st;

    TRY(puan_sql(&s, db, "DELETE FROM notify_address WHERE id = $1", err));
    puan_bind_int(s, 1, *id);
    st = puan_stmt_run(s, err);
    if (st == PUAN_OK && puan_stmt_changes(s) == 0)
        st = puan_fail(err, PUAN_ENOTFOUND, "address",
                       "it has been removed already");
    puan_stmt_done(s);
    if (st != PUAN_OK)
        return st;
    return puan_cover_id(sh, db, act, "notify_address", *id,
                         (struct puan_str){ NULL, 0 }, err);
}

static enum puan_status remove_address(struct puan_request *rq, const void *v,
                                       struct puan_err *err)
{
    const struct remove_in *in = v;
    int64_t id = in->address;
    struct puan_act act;

    puan_request_act(&act, rq,
                     puan_str_of(puan_arena_fmt(rq->arena, "address/%lld",
                                                (long long)id)));
    TRY(puan_commit(puan_store_office(rq->store), &act, remove_body, &id, err));
    puan_answer_empty(rq);
    return PUAN_OK;
}

/* ---- a receipt from outside -------------------------------------------------------------- */

struct receipt_in {
    struct puan_str token, state;
};
static const struct puan_param receipt_params[] = {
    { "token", PUAN_PARAM_TEXT, offsetof(struct receipt_in, token), 32, 32,
      false },
    { "state", PUAN_PARAM_TEXT, offsetof(struct receipt_in, state), 1, 16,
      false },
};

static enum puan_status receipt(struct puan_request *rq, const void *v,
                                struct puan_err *err)
{
    const struct receipt_in *in = v;
    struct puan_notify_state *s =
        puan_store_state(rq->store, &puan_feature_notify);
    int says = puan_receipt_read(in->state);

    if (!puan_limit_take(s->peers, rq->http->peer, rq->real_now))
        return puan_fail(err, PUAN_ELIMIT, "receipt",
                         "too many receipts from this address; wait a minute");
    if (says < 0)
        return puan_fail(err, PUAN_EINVAL, "state",
                         "state is received or failed");
    if (!puan_receipt_token(in->token))
        return puan_fail(err, PUAN_EINVAL, "token",
                         "a token is 32 hexadecimal digits");
    TRY(puan_notify_receipt(rq->store, in->token, says == 1, err));
    puan_answer_empty(rq);
    return PUAN_OK;
}

const struct puan_route puan_notify_routes[PUAN_NOTIFY_ROUTES] = {
    { .method = PUAN_GET, .path = "/c/{campaign}/messages",
      .capability = "notify.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "What went out, to which seats, and what became of it",
      .handle = list, PUAN_PARAMS(list_params, struct list_in) },
    { .method = PUAN_POST, .path = "/c/{campaign}/messages/{message}/send",
      .capability = "notify.send", .scope = PUAN_SCOPE_OBJECT,
      .verb = "notify.send", .summary = "Send a message again",
      .handle = again, .area_of = area_of_message,
      PUAN_PARAMS(message_params, struct message_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/channels",
      .capability = "notify.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "Channels of this installation", .handle = channels,
      PUAN_PARAMS(area_params, struct area_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/addresses",
      .capability = "notify.address", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "Addresses of seats, masked", .handle = addresses,
      PUAN_PARAMS(area_params, struct area_in) },
    { .method = PUAN_POST, .path = "/c/{campaign}/addresses",
      .capability = "notify.address", .scope = PUAN_SCOPE_AREA,
      .verb = "notify.address", .summary = "Give a seat an address",
      .handle = set_address, PUAN_PARAMS(address_params, struct address_in) },
    { .method = PUAN_DELETE, .path = "/c/{campaign}/addresses/{address}",
      .capability = "notify.address", .scope = PUAN_SCOPE_OBJECT,
      .verb = "notify.unaddress", .summary = "Remove an address",
      .handle = remove_address, .area_of = area_of_address,
      PUAN_PARAMS(remove_params, struct remove_in) },
    { .method = PUAN_POST, .path = "/c/{campaign}/public/receipts",
      .capability = "", .scope = PUAN_SCOPE_PUBLIC, .verb = "notify.receipt",
      .summary = "A channel tells what became of a message",
      .handle = receipt, PUAN_PARAMS(receipt_params, struct receipt_in) },
};
