/*
 * Human accounts and seats: made, given, ended.  Nobody gives a seat to
 * himself; nobody holds two of the three administrations.
 */
#include <stdio.h>

#include "core/area/area.h"
#include "features/accounts/internal.h"
#include "kit/crypto/crypto.h"
#include "kit/os/os.h"

static void secret_answer(struct puan_request *rq, unsigned status,
                          const struct account_row *r,
                          const struct fresh_secret *f)
{
    struct puan_jw *w = puan_answer_begin(rq, status);

    puan_jw_map(w);
    puan_jw_kint(w, "account", r->id);
    puan_jw_kstr(w, "name", r->name);
    puan_jw_ktext(w, "secret", f->secret);
    puan_jw_ktext(w, "totp", f->totp);
    puan_jw_end(w, '}');
}

/* ---- accounts ------------------------------------------------------------------- */

struct write_account {
    struct account_row row;
    bool insert;
    int what; /* 1 disable, 2 unlock, 3 new secret */
    const struct fresh_secret *fresh;
    int64_t now;
    struct puan_arena *arena;
};

static enum puan_status body_account(struct puan_shard *sh, struct puan_db *db,
                                     struct puan_act *act, void *arg,
                                     struct puan_err *err)
{
    struct write_account *k = arg;
    enum puan_status st;

    if (!k->insert) {
        st = account_read(&k->row, db, k->row.id, PUAN_STR(""), k->arena, err);
        if (st != PUAN_OK)
            return st;
        if (k->what == 1)
            k->row.state = ACCOUNT_DISABLED;
        if (k->what == 2) {
            k->row.locked_ms = 0;
            k->row.state = ACCOUNT_ACTIVE;
        }
    }
    if (k->fresh) {
        k->row.secret = puan_str_of(k->fresh->encoded);
        k->row.totp = k->fresh->sealed_totp;
        k->row.secret_ms = k->now;
        k->row.first = 1;
        k->row.locked_ms = 0;
    }
    return account_write(&k->row, k->insert, sh, db, act, k->arena, err);
}

HANDLER(h_account_create)
{
    const struct account_in *p = in;
    struct fresh_secret f;
    struct write_account k = { .insert = true, .fresh = &f,
                               .now = rq->real_now, .arena = rq->arena };
    struct puan_act act;
    enum puan_status st;

    if (!name_ok(p->name))
        return puan_fail(err, PUAN_EINVAL, "name",
                         "letters, digits, '.', '_' and '-', 2 to 60 bytes");
    st = secret_make(&f, rq->store, p->name, rq->arena, err);
    if (st != PUAN_OK)
        return st;
    k.row.name = p->name;
    k.row.person = p->person;
    k.row.state = ACCOUNT_ACTIVE;
    puan_request_act(&act, rq, p->name);
    st = puan_commit(puan_store_office(rq->store), &act, body_account, &k, err);
    if (st == PUAN_OK)
        secret_answer(rq, 201, &k.row, &f);
    puan_os_wipe(&f, sizeof(f));
    return st;
}

static enum puan_status change_account(struct puan_request *rq,
                                       const struct account_id_in *p, int what,
                                       struct fresh_secret *f,
                                       struct write_account *k,
                                       struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_act act;
    struct puan_db *db;
    enum puan_status st;

    if (p->account == rq->who.account)
        return puan_fail(err, PUAN_ECONFLICT, "account",
                         "is your own: another administrator does this");
    *k = (struct write_account){ .what = what, .fresh = f,
                                 .now = rq->real_now, .arena = rq->arena };
    st = puan_read_begin(&db, office, err);
    if (st != PUAN_OK)
        return st;
    st = account_read(&k->row, db, p->account, PUAN_STR(""), rq->arena, err);
    puan_read_end(office, db);
    if (st == PUAN_OK && f)
        st = secret_make(f, rq->store, k->row.name, rq->arena, err);
    if (st != PUAN_OK)
        return st;
    puan_request_act(&act, rq, k->row.name);
    act.note = p->reason;
    st = puan_commit(office, &act, body_account, k, err);
    if (st == PUAN_OK && what != 2)
        puan_session_end_account(puan_host_sessions(rq->host), PUAN_CRED_HUMAN,
                                 p->account, 0);
    return st;
}

HANDLER(h_account_disable)
{
    struct write_account k;

    return change_account(rq, in, 1, NULL, &k, err);
}

HANDLER(h_account_unlock)
{
    struct write_account k;

    return change_account(rq, in, 2, NULL, &k, err);
}

HANDLER(h_account_secret)
{
    struct fresh_secret f;
    struct write_account k;
    enum puan_status st = change_account(rq, in, 3, &f, &k, err);

    if (st == PUAN_OK)
        secret_answer(rq, 200, &k.row, &f);
    puan_os_wipe(&f, sizeof(f));
    return st;
}

HANDLER(h_accounts)
{
    const struct accounts_in *p = in;
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_db *db;
    struct puan_stmt *s = NULL;
    struct puan_jw *w;
    int64_t left = puan_page_limit(&p->page), last = 0;
    bool more = false;
    enum puan_status st = puan_read_begin(&db, office, err);

    if (st != PUAN_OK)
        return st;
    w = puan_answer_items(rq);
    st = puan_sql(&s, db,
                  "SELECT id, name, person, state, secret_ms, first, locked_ms"
                  " FROM account WHERE id > $1 ORDER BY id LIMIT $2",
                  err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, p->page.cursor);
        puan_bind_int(s, 2, left + 1);
    }
    while (st == PUAN_OK &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more && left) {
        last = puan_col_int(s, 0);
        puan_jw_map(w);
        puan_jw_kint(w, "account", last);
        puan_jw_kstr(w, "name", puan_col_text(s, 1));
        puan_jw_kstr(w, "person", puan_col_text(s, 2));
        puan_jw_ktext(w, "state",
                      puan_col_int(s, 3) == ACCOUNT_DISABLED ? "disabled"
                      : puan_col_int(s, 6) > rq->real_now    ? "locked"
                                                             : "active");
        puan_jw_kbool(w, "first_secret", puan_col_int(s, 5) != 0);
        puan_jw_end(w, '}');
        left--;
    }
    puan_stmt_done(s);
    puan_read_end(office, db);
    if (st == PUAN_OK)
        puan_answer_items_end(rq, more ? last : 0);
    return st;
}

/* ---- seats ----------------------------------------------------------------------------- */

enum puan_status area_fits(const struct puan_request *rq,
                           const struct puan_role *role, int64_t area,
                           struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_plan *plan = puan_store_plan(rq->store);
    uint32_t i = t ? puan_area_find(t, area) : PUAN_AREA_NONE;
    int level;

    if (i == PUAN_AREA_NONE) {
        if (role->external || (area == 0 && role_admin(role)))
            return PUAN_OK;
        return puan_fail(err, PUAN_EINVAL, "area", "there is no such area");
    }
    level = puan_plan_level(plan, t->level[t->area[i].level].name);
    if (role->levels && !role->external && !role_admin(role) &&
        (level < 0 || !(role->levels >> level & 1)))
        return puan_fail(err, PUAN_EINVAL, "area",
                         "the plan has no seat of this role at this level");
    return PUAN_OK;
}

struct grant {
    struct seat_row row;
    struct account_row account;
    const struct puan_role *role;
    const struct puan_plan *plan;
    int64_t actor, now;
    struct puan_arena *arena;
};

static enum puan_status body_grant(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act, void *arg,
                                   struct puan_err *err)
{
    struct grant *k = arg;
    struct puan_str lacks = PUAN_STR("");
    struct seat_row *seats;
    bool stands = true;
    size_t n;
    enum puan_status st =
        account_read(&k->account, db, 0, k->account.name, k->arena, err);

    if (st == PUAN_OK && k->account.state != ACCOUNT_ACTIVE)
        st = puan_fail(err, PUAN_ECONFLICT, "account-disabled", "is disabled");
    if (st == PUAN_OK && k->account.id == k->actor)
        st = puan_fail(err, PUAN_ECONFLICT, "account-own",
                       "is your own: nobody gives a seat to himself");
    if (st == PUAN_OK)
        st = seat_stands(&stands, &lacks, puan_shard_store(sh), db, k->role,
                         k->account.name, &k->row.attested, err);
    if (st == PUAN_OK && !stands)
        st = puan_fail(err, PUAN_ECONFLICT, "attested",
                       "the seat opens when %.*s is attested",
                       PUAN_FMT(lacks));
    if (st == PUAN_OK)
        st = seats_of(&seats, &n, db, k->account.id, k->now, k->arena, err);
    if (st != PUAN_OK)
        return st;
    for (size_t i = 0; i < n; i++) {
        const struct puan_role *held = puan_plan_role(k->plan, seats[i].role);

        if (!held)
            continue;
        if (held == k->role && seats[i].area == k->row.area)
            return puan_fail(err, PUAN_ECONFLICT, "seat-held",
                             "this account holds it already");
        /* None of the three holds another, nor sees business content. */
        if (held != k->role && (role_admin(held) || role_admin(k->role)))
            return puan_fail(err, PUAN_ECONFLICT, "two-powers",
                             "an administrator holds no other role");
        for (size_t q = 0; q < k->role->n_excludes; q++)
            if (puan_str_eq(k->role->excludes[q], held->id))
                return puan_fail(err, PUAN_ECONFLICT, "two-powers",
                                 "the plan forbids it beside %.*s",
                                 PUAN_FMT(held->id));
        for (size_t q = 0; q < held->n_excludes; q++)
            if (puan_str_eq(held->excludes[q], k->role->id))
                return puan_fail(err, PUAN_ECONFLICT, "two-powers",
                                 "the plan forbids it beside %.*s",
                                 PUAN_FMT(held->id));
    }
    k->row.account = k->account.id;
    return seat_write(&k->row, true, sh, db, act, k->arena, err);
}

HANDLER(h_seat_grant)
{
    const struct grant_in *p = in;
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct grant k = { .plan = plan, .actor = rq->who.account, .now = rq->now,
                       .arena = rq->arena };
    struct puan_act act;
    struct puan_jw *w;
    char text[64];
    enum puan_status st;

    k.role = puan_plan_role(plan, p->role);
    if (!k.role)
        return puan_fail(err, PUAN_EINVAL, "role", "the plan has no such role");
    if (k.role->credential != PUAN_CREDENTIAL_HUMAN)
        return puan_fail(err, PUAN_EINVAL, "role",
                         "signs in with a machine-made credential: issue one");
    if (p->until_ms && p->until_ms <= p->from_ms)
        return puan_fail(err, PUAN_EINVAL, "until_ms", "is before from_ms");
    st = area_fits(rq, k.role, p->area, err);
    if (st != PUAN_OK)
        return st;
    k.account.name = p->account;
    k.row.role = k.role->id;
    k.row.area = p->area;
    k.row.from_ms = p->from_ms;
    k.row.until_ms = p->until_ms;
    k.row.attested = p->attested.p ? p->attested : PUAN_STR("");
    seat_text(text, k.role->id, p->area);
    puan_request_act(&act, rq, puan_str_of(text));
    act.note = p->account;
    st = puan_commit(puan_store_office(rq->store), &act, body_grant, &k, err);
    if (st != PUAN_OK)
        return st;
    w = puan_answer_begin(rq, 201);
    puan_jw_map(w);
    puan_jw_kint(w, "seat", k.row.id);
    puan_jw_kstr(w, "account", p->account);
    puan_jw_ktext(w, "at", text);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

HANDLER(h_seats)
{
    const struct seats_in *p = in;
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_db *db;
    struct puan_stmt *s = NULL;
    struct puan_jw *w;
    int64_t left = puan_page_limit(&p->page), last = 0;
    bool more = false;
    enum puan_status st = puan_read_begin(&db, office, err);

    if (st != PUAN_OK)
        return st;
    w = puan_answer_items(rq);
    st = puan_sql(&s, db,
                  "SELECT s.id, a.name, s.role, s.area, s.from_ms, s.until_ms,"
                  " s.ended FROM seat s JOIN account a ON a.id = s.account"
                  " WHERE s.id > $1 ORDER BY s.id",
                  err);
    if (st == PUAN_OK)
        puan_bind_int(s, 1, p->page.cursor);
    while (st == PUAN_OK &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        if (!puan_area_covers(rq->store, rq->who.area ? p->area : 0,
                              puan_col_int(s, 3)))
            continue;
        if (!left)
            break;
        last = puan_col_int(s, 0);
        puan_jw_map(w);
        puan_jw_kint(w, "seat", last);
        puan_jw_kstr(w, "account", puan_col_text(s, 1));
        puan_jw_kstr(w, "role", puan_col_text(s, 2));
        puan_jw_ktext(w, "area",
                      puan_arena_fmt(rq->arena, "%lld",
                                     (long long)puan_col_int(s, 3)));
        puan_jw_kint(w, "from_ms", puan_col_int(s, 4));
        puan_jw_kint(w, "until_ms", puan_col_int(s, 5));
        puan_jw_kbool(w, "ended", puan_col_int(s, 6) != 0);
        puan_jw_end(w, '}');
        left--;
    }
    puan_stmt_done(s);
    puan_read_end(office, db);
    if (st == PUAN_OK)
        puan_answer_items_end(rq, more ? last : 0);
    return st;
}

static enum puan_status seat_read(struct seat_row *out, struct puan_db *db,
                                  int64_t id, struct puan_arena *a,
                                  struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st =
        puan_sql(&s, db,
                 "SELECT id, account, role, area, from_ms, until_ms, ended,"
                 " attested FROM seat WHERE id = $1",
                 err);

    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, id);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && !more)
        st = puan_fail(err, PUAN_ENOTFOUND, "seat", "there is none");
    if (st == PUAN_OK) {
        struct puan_str role = puan_col_text(s, 2), att = puan_col_text(s, 7);

        out->id = puan_col_int(s, 0);
        out->account = puan_col_int(s, 1);
        out->role = (struct puan_str){ puan_arena_dup(a, role), role.n };
        out->area = puan_col_int(s, 3);
        out->from_ms = puan_col_int(s, 4);
        out->until_ms = puan_col_int(s, 5);
        out->ended = puan_col_int(s, 6);
        out->attested = (struct puan_str){ puan_arena_dup(a, att), att.n };
    }
    puan_stmt_done(s);
    return st;
}

enum puan_status seat_area_of(int64_t *area, struct puan_request *rq,
                              const void *in, struct puan_err *err)
{
    const struct seat_end_in *p = in;
    struct puan_shard *office = puan_store_office(rq->store);
    struct seat_row r;
    struct puan_db *db;
    enum puan_status st = puan_read_begin(&db, office, err);

    if (st != PUAN_OK)
        return st;
    st = seat_read(&r, db, p->seat, rq->arena, err);
    puan_read_end(office, db);
    if (st == PUAN_OK)
        *area = r.area;
    return st;
}

struct seat_end {
    struct seat_row row;
    int64_t now;
    struct puan_arena *arena;
};

static enum puan_status body_end(struct puan_shard *sh, struct puan_db *db,
                                 struct puan_act *act, void *arg,
                                 struct puan_err *err)
{
    struct seat_end *k = arg;
    enum puan_status st = seat_read(&k->row, db, k->row.id, k->arena, err);

    if (st == PUAN_OK && k->row.ended)
        st = puan_fail(err, PUAN_ECONFLICT, "seat", "has ended already");
    if (st != PUAN_OK)
        return st;
    k->row.ended = k->now ? k->now : 1;
    return seat_write(&k->row, false, sh, db, act, k->arena, err);
}

HANDLER(h_seat_end)
{
    const struct seat_end_in *p = in;
    struct seat_end k = { .row = { .id = p->seat }, .now = rq->now,
                          .arena = rq->arena };
    struct puan_act act;
    enum puan_status st;

    puan_request_act(&act, rq,
                     puan_str_of(puan_arena_fmt(rq->arena, "seat %lld",
                                                (long long)p->seat)));
    act.note = p->handover;
    st = puan_commit(puan_store_office(rq->store), &act, body_end, &k, err);
    if (st != PUAN_OK)
        return st;
    puan_session_end_account(puan_host_sessions(rq->host), PUAN_CRED_HUMAN,
                             k.row.account, k.row.id);
    puan_answer_empty(rq);
    return PUAN_OK;
}
