/*
 * Who sits where: the lists behind the page of people and seats, with names
 * of roles and areas, filters, true totals; and the roles that can be given.
 * Never writes.
 */
#include <stdlib.h>

#include "core/area/area.h"
#include "features/accounts/internal.h"

#define MOST 20000 /* rows one answer looks at; an installation has fewer */

/* ---- seats ------------------------------------------------------------------------ */

struct line {
    int64_t seat, account, area, from_ms, until_ms, ended;
    struct puan_str name, person, role_id;
    const struct puan_role *role; /* NULL: no longer in the plan */
    int64_t account_state, locked_ms;
    uint32_t at; /* place of the area, PUAN_AREA_NONE: none */
};

static bool open_now(const struct line *l, int64_t now)
{
    return !l->ended && l->from_ms <= now &&
           (!l->until_ms || l->until_ms > now);
}

static const char *state_of(const struct line *l, int64_t now)
{
    return l->ended                                ? "ended"
           : l->until_ms && l->until_ms <= now     ? "over"
           : l->from_ms > now                      ? "later"
           : l->account_state == ACCOUNT_DISABLED  ? "disabled"
                                                   : "open";
}

static const char *account_state(int64_t state, int64_t locked, int64_t now)
{
    return state == ACCOUNT_DISABLED ? "disabled"
           : locked > now            ? "locked"
                                     : "active";
}

static enum puan_status read_seats(struct line **out, size_t *n,
                                   struct puan_request *rq,
                                   struct puan_db *db, struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_stmt *s = NULL;
    size_t cap = 256;
    bool more;
    enum puan_status st;

    *n = 0;
    *out = puan_new_n(rq->arena, cap, struct line);
    st = puan_sql(&s, db,
                  "SELECT s.id, s.account, s.area, s.from_ms, s.until_ms,"
                  " s.ended, a.name, a.person, s.role, a.state, a.locked_ms"
                  " FROM seat s JOIN account a ON a.id = s.account"
                  " ORDER BY s.id",
                  err);
    while (st == PUAN_OK && *out &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more &&
           *n < MOST) {
        struct line *l;

        if (*n == cap) {
            struct line *wider = puan_new_n(rq->arena, cap * 2, struct line);

            if (!wider)
                break;
            memcpy(wider, *out, *n * sizeof(**out));
            *out = wider;
            cap *= 2;
        }
        l = &(*out)[(*n)++];
        l->seat = puan_col_int(s, 0);
        l->account = puan_col_int(s, 1);
        l->area = puan_col_int(s, 2);
        if (!l->area)
            l->area = puan_area_top(rq->store);
        l->from_ms = puan_col_int(s, 3);
        l->until_ms = puan_col_int(s, 4);
        l->ended = puan_col_int(s, 5);
        l->name = puan_arena_keep(rq->arena, puan_col_text(s, 6));
        l->person = puan_arena_keep(rq->arena, puan_col_text(s, 7));
        l->role_id = puan_arena_keep(rq->arena, puan_col_text(s, 8));
        l->role = puan_plan_role(plan, l->role_id);
        l->account_state = puan_col_int(s, 9);
        l->locked_ms = puan_col_int(s, 10);
        l->at = t ? puan_area_find(t, l->area) : PUAN_AREA_NONE;
    }
    puan_stmt_done(s);
    return st == PUAN_OK ? puan_arena_check(rq->arena, err) : st;
}

static int by_area(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    int c;

    /* preorder: an office before those below it */
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    c = puan_str_cmp(x->role_id, y->role_id);
    return c ? c : x->seat < y->seat ? -1 : x->seat > y->seat;
}

static int by_role(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    int c = puan_str_cmp(x->role_id, y->role_id);

    return c ? c : by_area(a, b);
}

static int by_account(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    int c = puan_str_cmp(x->name, y->name);

    return c ? c : by_area(a, b);
}

static int by_from(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    return x->from_ms != y->from_ms ? (x->from_ms < y->from_ms ? -1 : 1)
                                    : by_area(a, b);
}

static void put_area(struct puan_jw *w, const struct puan_area_tree *t,
                     const struct line *l)
{
    puan_jw_kcode(w, "area", l->area);
    puan_jw_kstr(w, "area_zh",
                 l->at == PUAN_AREA_NONE ? PUAN_STR("") : t->area[l->at].zh);
    puan_jw_kstr(w, "area_en",
                 l->at == PUAN_AREA_NONE ? PUAN_STR("") : t->area[l->at].en);
    puan_jw_kstr(w, "level",
                 l->at == PUAN_AREA_NONE
                     ? PUAN_STR("")
                     : t->level[t->area[l->at].level].name);
}

static void put_role(struct puan_jw *w, const struct line *l)
{
    puan_jw_kstr(w, "role", l->role_id);
    puan_jw_kstr(w, "role_zh", l->role ? l->role->zh : l->role_id);
    puan_jw_kstr(w, "role_en", l->role ? l->role->en : l->role_id);
}

static void put_when(struct puan_jw *w, const char *key, int64_t ms, int offset)
{
    if (ms > 1) /* 1: ended at a time nobody knew */
        puan_jw_kinstant(w, key, ms, offset);
}

static void put_line(struct puan_jw *w, struct puan_request *rq,
                     const struct line *l)
{
    int offset = puan_store_plan(rq->store)->offset_minutes;

    puan_jw_map(w);
    puan_jw_kint(w, "seat", l->seat);
    puan_jw_kint(w, "account", l->account);
    puan_jw_kstr(w, "name", l->name);
    puan_jw_kstr(w, "person", l->person);
    put_role(w, l);
    put_area(w, puan_store_areas(rq->store), l);
    put_when(w, "from", l->from_ms, offset);
    put_when(w, "until", l->until_ms, offset);
    put_when(w, "ended", l->ended, offset);
    puan_jw_ktext(w, "state", state_of(l, rq->now));
    puan_jw_ktext(w, "account_state",
                  account_state(l->account_state, l->locked_ms, rq->real_now));
    puan_jw_end(w, '}');
}

/* The three administrators, each with who holds it now. */
static void put_admins(struct puan_jw *w, struct puan_request *rq,
                       const struct line *l, size_t n)
{
    static const char *const kinds[] = { "", "system", "security", "audit" };
    const struct puan_plan *plan = puan_store_plan(rq->store);

    puan_jw_key(w, "administrators");
    puan_jw_list(w);
    for (int k = 1; k <= 3; k++)
        for (size_t r = 0; r < plan->n_roles; r++) {
            if (role_admin(&plan->role[r]) != k)
                continue;
            puan_jw_map(w);
            puan_jw_ktext(w, "kind", kinds[k]);
            puan_jw_kstr(w, "role", plan->role[r].id);
            puan_jw_kstr(w, "role_zh", plan->role[r].zh);
            puan_jw_kstr(w, "role_en", plan->role[r].en);
            puan_jw_key(w, "holders");
            puan_jw_list(w);
            for (size_t i = 0; i < n; i++)
                if (l[i].role == &plan->role[r] && open_now(&l[i], rq->now))
                    puan_jw_str(w, l[i].name);
            puan_jw_end(w, ']');
            puan_jw_end(w, '}');
        }
    puan_jw_end(w, ']');
}

static bool wanted(const struct roster_in *p, const struct line *l,
                   struct puan_request *rq, bool of_state)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const char *state = state_of(l, rq->now);

    if (!(t && puan_area_contains_code(t, p->area, l->area)) &&
        !(l->role && l->role->external && p->area == puan_area_top(rq->store)))
        return false;
    if (p->role.n && !puan_str_eq(p->role, l->role_id))
        return false;
    if (p->account && p->account != l->account)
        return false;
    if (p->q.n && !puan_str_holds(l->name, p->q) &&
        !puan_str_holds(l->person, p->q))
        return false;
    if (!of_state)
        return true;
    if (puan_str_is(p->state, "all"))
        return true;
    if (puan_str_is(p->state, "ended"))
        return strcmp(state, "ended") == 0 || strcmp(state, "over") == 0;
    if (p->state.n)
        return puan_str_is(p->state, state);
    return strcmp(state, "open") == 0 || strcmp(state, "disabled") == 0 ||
           strcmp(state, "later") == 0;
}

static void close_list(struct puan_jw *w, struct puan_request *rq,
                       int64_t total)
{
    puan_jw_kint(w, "total", total);
    puan_jw_kinstant(w, "as_of", rq->now,
                     puan_store_plan(rq->store)->offset_minutes);
    puan_jw_end(w, '}');
}

HANDLER(h_roster)
{
    const struct roster_in *p = in;
    struct puan_shard *office = puan_store_office(rq->store);
    int64_t limit = p->limit ? p->limit : 50, total = 0, ended = 0, holding = 0;
    struct line *l = NULL;
    struct puan_str sort = p->sort;
    size_t n = 0, kept = 0;
    struct puan_db *db;
    struct puan_jw *w;
    bool down = puan_str_starts(sort, "-");
    enum puan_status st = puan_read_begin(&db, office, err);

    if (st != PUAN_OK)
        return st;
    st = read_seats(&l, &n, rq, db, err);
    puan_read_end(office, db);
    if (st != PUAN_OK)
        return st;
    if (down) {
        sort.p++;
        sort.n--;
    }
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    put_admins(w, rq, l, n);
    for (size_t i = 0; i < n; i++) {
        if (wanted(p, &l[i], rq, false)) {
            const char *state = state_of(&l[i], rq->now);

            ended += strcmp(state, "ended") == 0 || strcmp(state, "over") == 0;
            holding += strcmp(state, "disabled") == 0;
        }
        if (wanted(p, &l[i], rq, true))
            l[kept++] = l[i];
    }
    if (kept)
        qsort(l, kept, sizeof(l[0]),
              puan_str_is(sort, "role")      ? by_role
              : puan_str_is(sort, "account") ? by_account
              : puan_str_is(sort, "from")    ? by_from
                                             : by_area);
    total = (int64_t)kept;
    puan_jw_key(w, "counts");
    puan_jw_map(w);
    puan_jw_kint(w, "ended", ended);
    puan_jw_kint(w, "disabled", holding);
    puan_jw_end(w, '}');
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (int64_t i = p->offset; i < total && i < p->offset + limit; i++)
        put_line(w, rq, &l[down ? total - 1 - i : i]);
    puan_jw_end(w, ']');
    close_list(w, rq, total);
    return PUAN_OK;
}

/* ---- accounts ------------------------------------------------------------------------- */

HANDLER(h_roster_accounts)
{
    const struct roster_accounts_in *p = in;
    struct puan_shard *office = puan_store_office(rq->store);
    int64_t limit = p->limit ? p->limit : 50, at = 0, total = 0;
    int64_t locked = 0, idle = 0, disabled = 0;
    struct puan_stmt *s = NULL;
    struct line *l = NULL;
    size_t n = 0;
    struct puan_db *db;
    struct puan_jw *w;
    int offset = puan_store_plan(rq->store)->offset_minutes;
    bool more;
    enum puan_status st = puan_read_begin(&db, office, err);

    if (st != PUAN_OK)
        return st;
    st = read_seats(&l, &n, rq, db, err);
    if (st == PUAN_OK)
        st = puan_sql(&s, db,
                      "SELECT id, name, person, state, secret_ms, first,"
                      " locked_ms FROM account ORDER BY name",
                      err);
    w = puan_answer_items(rq);
    while (st == PUAN_OK &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        int64_t id = puan_col_int(s, 0), seats = 0;
        struct puan_str name = puan_col_text(s, 1),
                        person = puan_col_text(s, 2);
        const char *state =
            account_state(puan_col_int(s, 3), puan_col_int(s, 6), rq->real_now);
        bool no_seat;

        if (p->q.n && !puan_str_holds(name, p->q) &&
            !puan_str_holds(person, p->q))
            continue;
        for (size_t i = 0; i < n; i++)
            seats += l[i].account == id && open_now(&l[i], rq->now);
        no_seat = seats == 0 && strcmp(state, "disabled") != 0;
        locked += strcmp(state, "locked") == 0;
        disabled += strcmp(state, "disabled") == 0;
        idle += no_seat;
        if (p->state.n && !puan_str_is(p->state, state) &&
            !(puan_str_is(p->state, "idle") && no_seat))
            continue;
        total++;
        if (at++ < p->offset || at > p->offset + limit)
            continue;
        puan_jw_map(w);
        puan_jw_kint(w, "account", id);
        puan_jw_kstr(w, "name", name);
        puan_jw_kstr(w, "person", person);
        puan_jw_ktext(w, "state", state);
        puan_jw_kbool(w, "first_secret", puan_col_int(s, 5) != 0);
        puan_jw_kbool(w, "own", id == rq->who.account);
        put_when(w, "secret_changed", puan_col_int(s, 4), offset);
        if (strcmp(state, "locked") == 0)
            put_when(w, "locked_until", puan_col_int(s, 6), offset);
        puan_jw_kint(w, "seats", seats);
        puan_jw_end(w, '}');
    }
    puan_stmt_done(s);
    puan_read_end(office, db);
    if (st != PUAN_OK)
        return st;
    puan_jw_end(w, ']');
    puan_jw_key(w, "counts");
    puan_jw_map(w);
    puan_jw_kint(w, "locked", locked);
    puan_jw_kint(w, "disabled", disabled);
    puan_jw_kint(w, "idle", idle);
    puan_jw_end(w, '}');
    close_list(w, rq, total);
    return PUAN_OK;
}

/* ---- roles ---------------------------------------------------------------------------- */

static void put_texts(struct puan_jw *w, const char *key,
                      const struct puan_str *t, size_t n)
{
    puan_jw_key(w, key);
    puan_jw_list(w);
    for (size_t i = 0; i < n; i++)
        puan_jw_str(w, t[i]);
    puan_jw_end(w, ']');
}

HANDLER(h_roles)
{
    static const char *const kinds[] = { "", "system", "security", "audit" };
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_jw *w = puan_answer_items(rq);

    (void)in;
    (void)err;
    for (size_t i = 0; i < plan->n_roles; i++) {
        const struct puan_role *r = &plan->role[i];

        if (r->credential != PUAN_CREDENTIAL_HUMAN)
            continue;
        puan_jw_map(w);
        puan_jw_kstr(w, "role", r->id);
        puan_jw_kstr(w, "zh", r->zh);
        puan_jw_kstr(w, "en", r->en);
        puan_jw_ktext(w, "administrator", kinds[role_admin(r)]);
        puan_jw_kbool(w, "second_factor", r->second_factor);
        puan_jw_kbool(w, "external", r->external);
        puan_jw_key(w, "levels"); /* none: any */
        puan_jw_list(w);
        for (size_t k = 0; k < plan->n_levels; k++)
            if (r->levels >> k & 1)
                puan_jw_str(w, plan->level[k].id);
        puan_jw_end(w, ']');
        put_texts(w, "needs", r->needs, r->n_needs);
        puan_jw_key(w, "by_case"); /* of these: what a case must attest */
        puan_jw_list(w);
        for (size_t k = 0; k < r->n_needs; k++)
            if (need_by_case(rq->store, r->needs[k]))
                puan_jw_str(w, r->needs[k]);
        puan_jw_end(w, ']');
        put_texts(w, "excludes", r->excludes, r->n_excludes);
        puan_jw_end(w, '}');
    }
    puan_answer_items_end(rq, 0);
    return PUAN_OK;
}
