/*
 * Signing in and out, seats of a session, changing one's secret.  An unknown
 * name costs the same work and gets the same answer as a wrong secret.
 */
#include <stdio.h>

#include "core/area/area.h"
#include "features/accounts/internal.h"
#include "features/queue/queue.h"
#include "kit/crypto/crypto.h"
#include "kit/http/http.h"
#include "kit/log/log.h"
#include "kit/os/os.h"

#define DAY_MS INT64_C(86400000)
#define PAST_SECRETS 5
#define FACTOR_FRESH_MS INT64_C(300000) /* as host/dispatch.c */

/* Of no password: checked when the name is unknown. */
static const char nobody[] =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

struct accounts *accounts_of(const struct puan_request *rq)
{
    return puan_store_state(rq->store, &puan_feature_accounts);
}

uint64_t login_name_hash(const struct accounts *a, enum puan_credential c,
                         struct puan_str name)
{
    const struct puan_digest_fn *fn = puan_digest_sha256();
    uint8_t full[PUAN_DIGEST_SIZE];
    char cc[1] = { (char)c };
    struct puan_str parts[2] = { { cc, 1 }, name };
    uint64_t h;

    fn->mac(fn->ctx, full,
            (struct puan_str){ (const char *)a->name_key, sizeof(a->name_key) },
            parts, 2);
    memcpy(&h, full, sizeof(h));
    return h ? h : 1;
}

/* Says for how long, so that a page can say until when. */
static void locked_out(struct puan_request *rq, int64_t wait_ms)
{
    const char *s = puan_arena_fmt(rq->arena, "%lld",
                                   (long long)(wait_ms / 1000 + 1));

    puan_answer_header(rq, "Retry-After", s);
    puan_answer_problem(rq, 429, "locked",
                        puan_arena_fmt(rq->arena,
                                       "too many failed attempts; try again "
                                       "in %s s",
                                       s));
}

/* False when the answer has been given: this name or source must wait. */
static bool wait_or_go(struct puan_request *rq, uint64_t name,
                       const char *peer)
{
    int64_t wait = attempts_wait(accounts_of(rq)->attempts, name, peer,
                                 rq->real_now);

    if (wait)
        locked_out(rq, wait);
    return !wait;
}

static enum puan_status wrong(struct puan_request *rq)
{
    atomic_fetch_add(&accounts_of(rq)->failed, 1);
    puan_answer_problem(rq, 401, "sign-in-failed",
                        "name, secret or code is not right");
    return PUAN_OK;
}

/* ---- seats in words ------------------------------------------------------------ */

/* The members of a seat: number, role and area with their names. */
static void put_seat(struct puan_jw *w, const struct puan_request *rq,
                     int64_t id, struct puan_str role_id, int64_t area)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_role *role =
        puan_plan_role(puan_store_plan(rq->store), role_id);
    uint32_t i = PUAN_AREA_NONE;

    puan_jw_kint(w, "seat", id);
    puan_jw_kstr(w, "role", role_id);
    puan_jw_kstr(w, "role_zh", role ? role->zh : role_id);
    puan_jw_kstr(w, "role_en", role ? role->en : role_id);
    if (!area) /* the whole installation */
        area = puan_area_top(rq->store);
    puan_jw_kcode(w, "area", area);
    if (t && t->n)
        i = puan_area_find(t, area);
    puan_jw_kstr(w, "area_zh", i == PUAN_AREA_NONE ? PUAN_STR("")
                                                   : t->area[i].zh);
    puan_jw_kstr(w, "area_en", i == PUAN_AREA_NONE ? PUAN_STR("")
                                                   : t->area[i].en);
    puan_jw_kstr(w, "level", i == PUAN_AREA_NONE
                                 ? PUAN_STR("")
                                 : t->level[t->area[i].level].name);
}

/* ---- the answer with the token ------------------------------------------------- */

static enum puan_status open_session(struct puan_request *rq,
                                     const struct puan_who *who, int64_t until,
                                     const struct seat_row *seats, size_t n,
                                     bool cookie, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    int64_t idle = idle_ms(plan, who->credential);
    char token[PUAN_TOKEN_TEXT];
    struct puan_jw *w;
    enum puan_status st =
        puan_session_open(token, puan_host_sessions(rq->host), who,
                          rq->real_now, idle, until, err);

    if (st != PUAN_OK)
        return st;
    atomic_fetch_add(&accounts_of(rq)->signed_in, 1);
    if (cookie)
        puan_answer_header(rq, "Set-Cookie",
                           puan_arena_fmt(rq->arena,
                                          "puan_session=%s; Path=/; HttpOnly; "
                                          "SameSite=Strict%s",
                                          token,
                                          puan_host_secure(rq->host)
                                              ? "; Secure"
                                              : ""));
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    if (!cookie)
        puan_jw_ktext(w, "token", token);
    puan_jw_ktext(w, "name", who->name);
    puan_jw_ktext(w, "role", who->role_name);
    puan_jw_ktext(w, "area",
                  puan_arena_fmt(rq->arena, "%lld", (long long)who->area));
    puan_jw_kint(w, "seat", who->seat);
    puan_jw_kbool(w, "must_change", who->must_change);
    puan_jw_kint(w, "idle_ms", idle);
    if (n) {
        puan_jw_key(w, "seats");
        puan_jw_list(w);
        for (size_t i = 0; i < n; i++) {
            puan_jw_map(w);
            put_seat(w, rq, seats[i].id, seats[i].role, seats[i].area);
            puan_jw_end(w, '}');
        }
        puan_jw_end(w, ']');
    }
    puan_jw_end(w, '}');
    puan_os_wipe(token, sizeof(token));
    return PUAN_OK;
}

void login_who_of_machine(struct puan_who *who, const struct puan_plan *plan,
                          enum puan_credential c, const struct machine *m)
{
    memset(who, 0, sizeof(*who));
    who->credential = c;
    who->account = m->id;
    who->area = m->area;
    who->household = m->household;
    who->until_ms = m->until_ms;
    who->batch = m->batch;
    who->role = m->role;
    puan_format(who->name, sizeof(who->name), "%.*s", PUAN_FMT(m->name));
    puan_format(who->role_name, sizeof(who->role_name), "%.*s",
                PUAN_FMT(plan->role[m->role].id));
    puan_format(who->device, sizeof(who->device), "%.*s", PUAN_FMT(m->device));
    seat_text(who->seat_text, plan->role[m->role].id, m->area);
}

enum puan_status login_answer(struct puan_request *rq,
                              const struct puan_who *who, bool cookie,
                              struct puan_err *err)
{
    return open_session(rq, who, rq->real_now + DAY_MS, NULL, 0, cookie, err);
}

/* ---- machines: no SQL, no commit, so it may run in the event loop ---------------- */

HANDLER(h_login_machine)
{
    const struct machine_in *p = in;
    struct accounts *a = accounts_of(rq);
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_who who = { 0 };
    struct machine m = { 0 };
    uint8_t hash[16];
    enum puan_status st;
    uint64_t key;
    bool good;

    who.credential = puan_str_is(p->kind, "device")      ? PUAN_CRED_DEVICE
                     : puan_str_is(p->kind, "household") ? PUAN_CRED_HOUSEHOLD
                                                         : PUAN_CRED_NONE;
    if (who.credential == PUAN_CRED_NONE)
        return puan_fail(err, PUAN_EINVAL, "kind",
                         "device or household is wanted");
    if (who.credential == PUAN_CRED_HOUSEHOLD &&
        !puan_queue_pass(rq, p->ticket))
        return PUAN_OK;
    key = login_name_hash(a, who.credential, p->name);
    /* By name only: nobody guesses 80 bits, and a county's devices come from
     * one address, where a stranger's failures must not shut them out. */
    if (!wait_or_go(rq, key, NULL))
        return PUAN_OK;
    good = machines_find(&m, a->machines, who.credential, p->name);
    machine_hash(hash, rq->store, who.credential, p->name, p->secret);
    if (who.credential == PUAN_CRED_HOUSEHOLD && good &&
        !puan_equal_const(hash, m.hash, sizeof(hash)))
        machine_hash(hash, rq->store, who.credential, PUAN_STR(""), p->secret);
    good = puan_equal_const(hash, m.hash, sizeof(hash)) && good && !m.ended &&
           m.from_ms <= rq->now && (!m.until_ms || m.until_ms > rq->now) &&
           m.role >= 0;
    if (!good) {
        if (attempts_failed(a->attempts, key, NULL, rq->real_now,
                            (int)puan_plan_number(plan, "login_attempts", 5),
                            puan_plan_number(plan, "login_lock", 15 * 60000)))
            atomic_fetch_add(&a->locked, 1);
        return wrong(rq);
    }
    attempts_clear(a->attempts, key);
    if (m.has_password) {
        puan_answer_problem(rq, 403, "password-needed",
                            "this household has set a password; sign in at "
                            "login/household with code and password");
        return PUAN_OK;
    }
    if (m.bound) {
        puan_answer_problem(rq, 403, "device-bound",
                            "this account signs in on its enrolled device "
                            "only");
        return PUAN_OK;
    }
    login_who_of_machine(&who, plan, who.credential, &m);
    who.must_change = who.credential == PUAN_CRED_HOUSEHOLD &&
                      strcmp(puan_store_birth(rq->store), "demo") != 0;
    st = login_answer(rq, &who, false, err);
    if (st == PUAN_OK)
        puan_queue_in(rq, p->ticket);
    return st;
}

/* ---- humans -------------------------------------------------------------------------- */

/* The code of the second factor, once for each step. */
static bool code_ok(struct puan_request *rq, const struct account_row *r,
                    struct puan_str code)
{
    struct accounts *a = accounts_of(rq);
    struct totp_step *s = &a->steps[(size_t)r->id % PUAN_COUNT(a->steps)];
    struct puan_str secret;
    struct puan_err why = { 0 };
    int64_t last;
    bool ok;

    if (totp_open(&secret, rq->store, r, rq->arena, &why) != PUAN_OK)
        return false;
    pthread_mutex_lock(&a->lock);
    last = s->account == r->id ? s->step : 0;
    ok = puan_totp_check(&last, secret, code, rq->real_now / 1000);
    if (ok)
        *s = (struct totp_step){ r->id, last };
    pthread_mutex_unlock(&a->lock);
    return ok;
}

struct lock_arg {
    struct account_row *row;
    struct puan_arena *arena;
    int64_t until;
};

static enum puan_status write_lock(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act, void *arg,
                                   struct puan_err *err)
{
    struct lock_arg *k = arg;
    enum puan_status st =
        account_read(k->row, db, k->row->id, PUAN_STR(""), k->arena, err);

    if (st != PUAN_OK)
        return st;
    k->row->locked_ms = k->until;
    return account_write(k->row, false, sh, db, act, k->arena, err);
}

/* A lock outlives a restart; one entry per lock, so it cannot fill a ledger. */
static void lock_account(struct puan_request *rq, struct account_row *row,
                         int64_t until)
{
    struct lock_arg k = { row, rq->arena, until };
    struct puan_act act;
    struct puan_err why = { 0 };

    puan_request_act(&act, rq, row->name);
    act.actor = PUAN_STR("system");
    act.verb = PUAN_STR("account.lock");
    act.note = PUAN_STR("failed attempts");
    if (puan_commit(puan_store_office(rq->store), &act, write_lock, &k, &why) !=
        PUAN_OK)
        puan_log_err(PUAN_LOG_WARN, "account.lock", &why);
    atomic_fetch_add(&accounts_of(rq)->locked, 1);
}

static void who_of_seat(struct puan_who *who, const struct puan_plan *plan,
                        const struct account_row *r,
                        const struct seat_row *seat)
{
    memset(who, 0, sizeof(*who));
    who->credential = PUAN_CRED_HUMAN;
    who->account = r->id;
    who->role = -1;
    puan_format(who->name, sizeof(who->name), "%.*s", PUAN_FMT(r->name));
    if (!seat)
        return;
    who->seat = seat->id;
    who->area = seat->area;
    who->until_ms = seat->until_ms;
    who->role = role_ordinal(plan, seat->role);
    if (who->role >= 0)
        who->external = plan->role[who->role].external;
    puan_format(who->role_name, sizeof(who->role_name), "%.*s",
                PUAN_FMT(seat->role));
    seat_text(who->seat_text, seat->role, seat->area);
}

static const struct seat_row *choose(const struct seat_row *seats, size_t n,
                                     int64_t wanted)
{
    for (size_t i = 0; i < n; i++)
        if (!wanted || seats[i].id == wanted)
            return &seats[i];
    return NULL;
}

HANDLER(h_login)
{
    const struct login_in *p = in;
    struct accounts *a = accounts_of(rq);
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_shard *office = puan_store_office(rq->store);
    uint64_t key = login_name_hash(a, PUAN_CRED_HUMAN, p->name);
    struct account_row r = { 0 };
    struct seat_row *seats = NULL;
    const struct seat_row *seat;
    size_t n = 0;
    struct puan_who who;
    struct puan_act act;
    struct puan_db *db;
    struct puan_err why = { 0 };
    struct puan_str lacks = PUAN_STR("");
    struct puan_str site = rq->http->header[PUAN_H_FETCH_SITE];
    bool known, good;
    enum puan_status st;

    /* another site may not sign a browser in */
    if (p->cookie && site.n && !puan_str_is(site, "same-origin") &&
        !puan_str_is(site, "none"))
        return PUAN_EDENIED;
    if (!wait_or_go(rq, key, rq->http->peer))
        return PUAN_OK;
    if (!puan_request_costly(rq))
        return PUAN_OK;
    st = puan_read_begin(&db, office, err);
    if (st != PUAN_OK)
        return st;
    st = account_read(&r, db, 0, p->name, rq->arena, &why);
    if (st == PUAN_OK)
        st = seats_of(&seats, &n, db, r.id, rq->now, rq->arena, &why);
    if (st == PUAN_OK)
        st = seats_standing(seats, &n, &lacks, rq->store, db, r.name, p->seat,
                            &why);
    puan_read_end(office, db);
    if (st != PUAN_OK && st != PUAN_ENOTFOUND)
        return puan_fail(err, st, why.where, "%s", why.text);
    known = st == PUAN_OK;
    if (known && r.locked_ms > rq->real_now) {
        locked_out(rq, r.locked_ms - rq->real_now);
        return PUAN_OK;
    }
    memset(&why, 0, sizeof(why));
    good = puan_password_check(known ? r.secret.p : nobody, p->secret, &why) ==
               PUAN_OK &&
           known && r.state == ACCOUNT_ACTIVE;
    seat = choose(seats, n, p->seat);
    who_of_seat(&who, plan, &r, seat);
    if (good && who.role >= 0 && plan->role[who.role].second_factor)
        good = code_ok(rq, &r, p->code);
    if (good && who.role >= 0 && plan->role[who.role].second_factor)
        who.factor_ms = rq->real_now;
    if (!good) {
        int64_t lock = puan_plan_number(plan, "login_lock", 15 * 60000);

        if (attempts_failed(a->attempts, key, rq->http->peer, rq->real_now,
                            (int)puan_plan_number(plan, "login_attempts", 5),
                            lock) &&
            known)
            lock_account(rq, &r, rq->real_now + lock);
        return wrong(rq);
    }
    attempts_clear(a->attempts, key);
    if (!seat && lacks.n > 0) {
        puan_answer_problem(rq, 403, "seat-closed",
                            puan_arena_fmt(rq->arena,
                                           "the seat is closed until %.*s is "
                                           "attested",
                                           PUAN_FMT(lacks)));
        return PUAN_OK;
    }
    if (p->seat && !seat)
        return puan_fail(err, PUAN_EDENIED, "seat", "is not yours or is over");
    if (who.role >= 0 && plan->role[who.role].n_needs > 0)
        atomic_store(&a->sessions, puan_host_sessions(rq->host));
    if (strcmp(puan_store_birth(rq->store), "demo") != 0)
        who.must_change =
            r.first != 0 ||
            rq->real_now - r.secret_ms >=
                puan_plan_number(plan, "secret_age", 90 * DAY_MS);
    puan_request_act(&act, rq, r.name);
    act.actor = r.name;
    act.seat = puan_str_of(who.seat_text);
    st = puan_commit(office, &act, NULL, NULL, err);
    if (st != PUAN_OK)
        return st;
    return open_session(rq, &who, rq->real_now + DAY_MS / 2, seats, n,
                        p->cookie, err);
}

/* ---- the session itself ----------------------------------------------------------------- */

HANDLER(h_logout)
{
    struct puan_act act;
    enum puan_status st = PUAN_OK;

    (void)in;
    if (rq->who.credential == PUAN_CRED_HUMAN) {
        puan_request_act(&act, rq, puan_str_of(rq->who.name));
        st = puan_commit(puan_store_office(rq->store), &act, NULL, NULL,
                         err);
    }
    puan_session_end(puan_host_sessions(rq->host), rq->token);
    if (rq->cookie)
        puan_answer_header(rq, "Set-Cookie",
                           "puan_session=; Path=/; Max-Age=0; HttpOnly; "
                           "SameSite=Strict");
    if (st == PUAN_OK)
        puan_answer_empty(rq);
    return st;
}

static enum puan_status own_seats(struct account_row *r, struct seat_row **seats,
                                  size_t *n, struct puan_request *rq,
                                  struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_str lacks = PUAN_STR("");
    struct puan_db *db;
    enum puan_status st = puan_read_begin(&db, office, err);

    if (st != PUAN_OK)
        return st;
    st = account_read(r, db, rq->who.account, PUAN_STR(""), rq->arena, err);
    if (st == PUAN_OK)
        st = seats_of(seats, n, db, r->id, rq->now, rq->arena, err);
    if (st == PUAN_OK)
        st = seats_standing(*seats, n, &lacks, rq->store, db, r->name, 0, err);
    puan_read_end(office, db);
    return st;
}

HANDLER(h_session)
{
    const struct session_in *p = in;
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_sessions *sessions = puan_host_sessions(rq->host);
    struct puan_session_key key = puan_session_key(sessions, rq->token);
    const struct puan_role *role =
        rq->who.role >= 0 ? &plan->role[rq->who.role] : NULL;
    int64_t idle = 0, left = 0,
            fresh = puan_plan_number(plan, "factor_fresh", FACTOR_FRESH_MS) -
                    (rq->real_now - rq->who.factor_ms);
    struct account_row r = { 0 };
    struct seat_row *seats = NULL;
    struct puan_who who;
    size_t n = 0;
    struct puan_jw *w;
    enum puan_status st = PUAN_OK;

    if (rq->who.credential == PUAN_CRED_HUMAN)
        st = own_seats(&r, &seats, &n, rq, err);
    if (st != PUAN_OK)
        return st;
    /* the row is no use by itself: asking without peek is */
    if (!p->peek && !rq->http->header[PUAN_H_UNATTENDED].n)
        (void)puan_session_find(&who, sessions, rq->token, rq->real_now);
    (void)puan_session_left(&idle, &left, sessions, &key, rq->real_now);
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_ktext(w, "name", rq->who.name);
    if (rq->who.credential == PUAN_CRED_HUMAN)
        puan_jw_kstr(w, "person", r.person);
    put_seat(w, rq, rq->who.seat, puan_str_of(rq->who.role_name),
             rq->who.area);
    puan_jw_kbool(w, "must_change", rq->who.must_change);
    puan_jw_kbool(w, "second_factor", role && role->second_factor);
    puan_jw_ktext(w, "birth", puan_store_birth(rq->store));
    puan_jw_kint(w, "idle_ms", idle);
    puan_jw_kint(w, "idle_left_ms", left);
    puan_jw_kint(w, "factor_left_ms",
                 rq->who.factor_ms && fresh > 0 ? fresh : 0);
    puan_jw_key(w, "can");
    puan_jw_list(w);
    for (size_t i = 0; role && i < role->n_can; i++)
        puan_jw_str(w, role->can[i]);
    puan_jw_end(w, ']');
    puan_jw_key(w, "seats");
    puan_jw_list(w);
    for (size_t i = 0; i < n; i++) {
        puan_jw_map(w);
        put_seat(w, rq, seats[i].id, seats[i].role, seats[i].area);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* The code again; what it opens is the row's business (fresh_factor). */
HANDLER(h_factor)
{
    const struct factor_in *p = in;
    struct accounts *a = accounts_of(rq);
    const struct puan_plan *plan = puan_store_plan(rq->store);
    uint64_t key = login_name_hash(a, PUAN_CRED_HUMAN, puan_str_of(rq->who.name));
    struct account_row r;
    struct seat_row *seats;
    struct puan_act act;
    size_t n;
    enum puan_status st;

    if (rq->who.credential != PUAN_CRED_HUMAN)
        return PUAN_EDENIED;
    if (!wait_or_go(rq, key, rq->http->peer))
        return PUAN_OK;
    st = own_seats(&r, &seats, &n, rq, err);
    if (st != PUAN_OK)
        return st;
    if (!code_ok(rq, &r, p->code)) {
        int64_t lock = puan_plan_number(plan, "login_lock", 15 * 60000);

        atomic_fetch_add(&a->failed, 1);
        if (attempts_failed(a->attempts, key, rq->http->peer, rq->real_now,
                            (int)puan_plan_number(plan, "login_attempts", 5),
                            lock))
            lock_account(rq, &r, rq->real_now + lock);
        puan_answer_problem(rq, 403, "code-wrong",
                            "this code is not right or was used already");
        return PUAN_OK;
    }
    attempts_clear(a->attempts, key);
    puan_request_act(&act, rq, r.name);
    st = puan_commit(puan_store_office(rq->store), &act, NULL, NULL,
                     err);
    if (st != PUAN_OK)
        return st;
    puan_session_factor(puan_host_sessions(rq->host), rq->token, rq->real_now);
    puan_answer_empty(rq);
    return PUAN_OK;
}

HANDLER(h_switch)
{
    const struct switch_in *p = in;
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_shard *office = puan_store_office(rq->store);
    struct account_row r = { 0 };
    struct seat_row *seats = NULL;
    const struct seat_row *seat;
    size_t n = 0;
    struct puan_who who;
    struct puan_act act;
    enum puan_status st;

    if (rq->who.credential != PUAN_CRED_HUMAN)
        return PUAN_EDENIED;
    st = own_seats(&r, &seats, &n, rq, err);
    if (st != PUAN_OK)
        return st;
    seat = choose(seats, n, p->seat);
    who_of_seat(&who, plan, &r, seat);
    if (!seat || who.role < 0 ||
        /* A seat with a second factor is entered by signing in there. */
        (plan->role[who.role].second_factor &&
         !(rq->who.role >= 0 && plan->role[rq->who.role].second_factor)))
        return PUAN_EDENIED;
    puan_request_act(&act, rq, r.name);
    act.seat = puan_str_of(who.seat_text);
    act.note = puan_str_of(rq->who.seat_text);
    st = puan_commit(office, &act, NULL, NULL, err);
    if (st != PUAN_OK)
        return st;
    if (plan->role[who.role].n_needs > 0)
        atomic_store(&accounts_of(rq)->sessions, puan_host_sessions(rq->host));
    puan_session_end(puan_host_sessions(rq->host), rq->token);
    who.factor_ms = rq->who.factor_ms;
    return open_session(rq, &who, rq->real_now + DAY_MS / 2, seats, n,
                        rq->cookie, err);
}

/* ---- changing one's own password --------------------------------------------------------- */

struct change {
    struct account_row *row;
    struct puan_str old_secret;
    const char *encoded;
    int64_t now;
    struct puan_arena *arena;
};

static enum puan_status write_password(struct puan_shard *sh,
                                       struct puan_db *db,
                                       struct puan_act *act, void *arg,
                                       struct puan_err *err)
{
    struct change *k = arg;
    struct puan_stmt *s = NULL;
    int64_t id = k->row->id;
    enum puan_status st =
        account_read(k->row, db, id, PUAN_STR(""), k->arena, err);

    if (st == PUAN_OK && !puan_str_eq(k->row->secret, k->old_secret))
        st = puan_fail(err, PUAN_ECONFLICT, "password",
                       "was changed in the meantime");
    if (st == PUAN_OK)
        st = puan_sql(&s, db,
                      "INSERT INTO account_past(account, secret_ms, secret)"
                      " VALUES ($1, $2, $3)"
                      " ON CONFLICT(account, secret_ms) DO NOTHING",
                      err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, id);
    puan_bind_int(s, 2, k->row->secret_ms);
    puan_bind_text(s, 3, k->row->secret);
    TRY(puan_stmt_once(s, err));
    k->row->secret = puan_str_of(k->encoded);
    k->row->secret_ms = k->now;
    k->row->first = 0;
    return account_write(k->row, false, sh, db, act, k->arena, err);
}

/* One of the last five? */
static enum puan_status not_past(const struct account_row *r,
                                 struct puan_db *db, struct puan_str fresh,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    const char *past[PAST_SECRETS];
    size_t n = 0;
    bool more;
    enum puan_status st;

    past[n++] = r->secret.p;
    st = puan_sql(&s, db,
                  "SELECT secret FROM account_past WHERE account = $1"
                  " ORDER BY secret_ms DESC LIMIT 4",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, r->id);
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more &&
           n < PAST_SECRETS)
        past[n++] = puan_arena_dup(a, puan_col_text(s, 0));
    puan_stmt_done(s);
    for (size_t i = 0; i < n && st == PUAN_OK; i++) {
        struct puan_err no = { 0 };

        if (puan_password_check(past[i], fresh, &no) == PUAN_OK)
            st = puan_fail(err, PUAN_EINVAL, "password",
                           "is one of your last %d", PAST_SECRETS);
    }
    return st;
}

HANDLER(h_password)
{
    const struct password_in *p = in;
    struct accounts *a = accounts_of(rq);
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_shard *office = puan_store_office(rq->store);
    uint64_t key =
        login_name_hash(a, PUAN_CRED_HUMAN, puan_str_of(rq->who.name));
    struct account_row r = { 0 };
    char encoded[PUAN_PASSWORD_MAX];
    struct change k = { .row = &r, .encoded = encoded, .now = rq->real_now,
                        .arena = rq->arena };
    struct puan_act act;
    struct puan_db *db;
    struct puan_err why = { 0 };
    enum puan_status st;

    if (rq->who.credential != PUAN_CRED_HUMAN)
        return PUAN_EDENIED;
    if (!wait_or_go(rq, key, rq->http->peer))
        return PUAN_OK;
    st = puan_password_rules(
        p->fresh, puan_str_of(rq->who.name),
        rq->who.role >= 0 && role_admin(&plan->role[rq->who.role]) != 0, err);
    if (st != PUAN_OK)
        return st;
    if (!puan_request_costly(rq))
        return PUAN_OK;
    st = puan_read_begin(&db, office, err);
    if (st != PUAN_OK)
        return st;
    st = account_read(&r, db, rq->who.account, PUAN_STR(""), rq->arena, err);
    if (st == PUAN_OK &&
        puan_password_check(r.secret.p, p->old, &why) != PUAN_OK) {
        puan_read_end(office, db);
        (void)attempts_failed(
            a->attempts, key, rq->http->peer, rq->real_now,
            (int)puan_plan_number(plan, "login_attempts", 5),
            puan_plan_number(plan, "login_lock", 15 * 60000));
        return wrong(rq);
    }
    if (st == PUAN_OK)
        st = not_past(&r, db, p->fresh, rq->arena, err);
    puan_read_end(office, db);
    if (st == PUAN_OK)
        st = puan_password_hash(encoded, p->fresh, err);
    if (st != PUAN_OK)
        return st;
    k.old_secret = r.secret;
    puan_request_act(&act, rq, r.name);
    st = puan_commit(office, &act, write_password, &k, err);
    if (st != PUAN_OK)
        return st;
    /* Everything signed in with the old one ends, this session too. */
    puan_session_end_account(puan_host_sessions(rq->host), PUAN_CRED_HUMAN,
                             r.id, 0);
    puan_answer_empty(rq);
    return PUAN_OK;
}
