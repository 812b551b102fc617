/*
 * Cards in the office store; see certificates.h.
 */
#include "features/certificates/certificates.h"

#include <string.h>

#include "core/area/area.h"
#include "core/codes/codes.h"
#include "core/ledger/ledger.h"
#include "core/plan/plan.h"
#include "features/accounts/accounts.h"
#include "features/host/host.h"
#include "features/host/limit.h"
#include "features/host/request.h"
#include "features/ledgers/ledgers.h"
#include "kit/crypto/keys.h"
#include "kit/http/http.h"

#define NO_MIN 4
#define NO_MAX 20
#define BURST 60
#define REFILL_MS 1000

enum { COVER_CARD, COVER_STOP };

static const struct puan_covered covered[] = {
    [COVER_CARD] = { PUAN_STORE_OFFICE, "certificate",
                     "SELECT '*', id, no, staff, role, area, sealed"
                     " FROM certificate ORDER BY id",
                     "SELECT '*', id, no, staff, role, area, sealed"
                     " FROM certificate WHERE $1 = '*' ORDER BY id" },
    [COVER_STOP] = { PUAN_STORE_OFFICE, "certificate_stop",
                     "SELECT no, at, why, seat, reason"
                     " FROM certificate_stop" },
};

/* ---- numbers ------------------------------------------------------------- */

static bool has_check(const struct puan_plan *plan)
{
    const struct puan_setting *s =
        puan_plan_setting(plan, PUAN_STR("certificate_check"));

    return s && puan_str_is(s->text, "mod31");
}

enum puan_status puan_certificate_check(const struct puan_plan *plan,
                                        struct puan_str no,
                                        struct puan_err *err)
{
    if (no.n < NO_MIN || no.n > NO_MAX)
        return puan_fail(err, PUAN_EINVAL, "certificate",
                         "give %d to %d letters and digits", NO_MIN, NO_MAX);
    for (size_t i = 0; i < no.n; i++)
        if (!((no.p[i] >= '0' && no.p[i] <= '9') ||
              (no.p[i] >= 'A' && no.p[i] <= 'Z')))
            return puan_fail(err, PUAN_EINVAL, "certificate",
                             "digits and capital letters only");
    if (has_check(plan) && !puan_mark_ok(no))
        return puan_fail(err, PUAN_EINVAL, "certificate",
                         "its check character is wrong; numbers are of %s and "
                         "end in a check character",
                         PUAN_MARK_ALPHABET);
    return PUAN_OK;
}

/* ---- rows ---------------------------------------------------------------- */

struct card {
    struct puan_str no, staff, role, sealed, why;
    int64_t area, stopped_ms; /* 0: not by an office and not replaced */
};

static enum puan_status card_read(bool *found, struct card *c,
                                  struct puan_db *db, struct puan_str no,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    enum puan_status st;

    *c = (struct card){ 0 };
    *found = false;
    TRY(puan_sql(&s, db,
                 "SELECT c.no, c.staff, c.role, c.area, c.sealed, s.at, s.why"
                 " FROM certificate c LEFT JOIN certificate_stop s"
                 " ON s.no = c.no WHERE c.no = $1",
                 err));
    puan_bind_text(s, 1, no);
    st = puan_stmt_step(found, s, err);
    if (st == PUAN_OK && *found) {
        c->no = puan_arena_keep(a, puan_col_text(s, 0));
        c->staff = puan_arena_keep(a, puan_col_text(s, 1));
        c->role = puan_arena_keep(a, puan_col_text(s, 2));
        c->area = puan_col_int(s, 3);
        c->sealed = puan_arena_keep(a, puan_col_bytes(s, 4));
        c->stopped_ms = puan_col_null(s, 5) ? 0 : puan_col_int(s, 5);
        c->why = puan_arena_keep(a, puan_col_text(s, 6));
        st = puan_arena_check(a, err);
    }
    puan_stmt_done(s);
    return st;
}

enum puan_status puan_certificate_of(struct puan_str *no, struct puan_store *st,
                                     struct puan_str staff,
                                     struct puan_arena *a, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    bool more = false;
    enum puan_status rc;

    *no = PUAN_STR("");
    TRY(puan_read_begin(&db, office, err));
    rc = puan_sql(&s, db,
                  "SELECT no FROM certificate WHERE staff = $1 AND no NOT IN"
                  " (SELECT no FROM certificate_stop) ORDER BY id DESC LIMIT 1",
                  err);
    if (rc == PUAN_OK) {
        puan_bind_text(s, 1, staff);
        rc = puan_stmt_step(&more, s, err);
    }
    if (rc == PUAN_OK && more)
        *no = puan_arena_keep(a, puan_col_text(s, 0));
    puan_stmt_done(s);
    puan_read_end(office, db);
    return rc == PUAN_OK ? puan_arena_check(a, err) : rc;
}

static enum puan_status stop_write(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act, struct puan_str no,
                                   int64_t at, const char *why,
                                   struct puan_str seat, struct puan_str reason,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_out o;
    enum puan_status st;

    TRY(puan_sql(&s, db,
                 "INSERT INTO certificate_stop(no, at, why, seat, reason)"
                 " VALUES($1, $2, $3, $4, $5)",
                 err));
    puan_bind_text(s, 1, no);
    puan_bind_int(s, 2, at);
    puan_bind_text(s, 3, puan_str_of(why));
    puan_bind_text(s, 4, seat);
    puan_bind_text(s, 5, reason);
    st = puan_stmt_once(s, err);
    TRY(st);
    puan_out_init(&o, a);
    puan_content_int(&o, at);
    puan_content_text(&o, puan_str_of(why));
    puan_content_text(&o, seat);
    puan_content_text(&o, reason);
    TRY(puan_arena_check(a, err));
    return puan_cover(sh, db, act, "certificate_stop", no, puan_out_view(&o),
                      err);
}

/* Other cards of this person that still count are replaced by this one. */
static enum puan_status replace_others(struct puan_shard *sh,
                                       struct puan_db *db, struct puan_act *act,
                                       const struct puan_certificate *c,
                                       struct puan_arena *a,
                                       struct puan_err *err)
{
    struct puan_str old[8];
    size_t n = 0;
    bool more = true;
    struct puan_stmt *s = NULL;
    enum puan_status st;

    TRY(puan_sql(&s, db,
                 "SELECT no FROM certificate WHERE staff = $1 AND no <> $2"
                 " AND no NOT IN (SELECT no FROM certificate_stop)"
                 " ORDER BY id LIMIT 8",
                 err));
    puan_bind_text(s, 1, c->staff);
    puan_bind_text(s, 2, c->no);
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more &&
           n < PUAN_COUNT(old))
        old[n++] = puan_arena_keep(a, puan_col_text(s, 0));
    puan_stmt_done(s);
    for (size_t i = 0; i < n && st == PUAN_OK; i++)
        st = stop_write(sh, db, act, old[i], act->entry_ms, "replaced",
                        act->seat, c->no, a, err);
    return st;
}

enum puan_status puan_certificate_put(struct puan_shard *sh, struct puan_db *db,
                                      struct puan_act *act,
                                      const struct puan_seal_key *key,
                                      const struct puan_certificate *c,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_out sealed;
    int64_t changes, id;
    enum puan_status st;

    puan_out_init(&sealed, a);
    TRY(puan_seal(&sealed, key,
                  puan_seal_aad(a, puan_shard_area(sh), "certificate",
                                "sealed", key->version, c->no),
                  c->name, err));
    TRY(puan_arena_check(a, err));
    TRY(puan_db_int(&id, db, "SELECT COALESCE(MAX(id), 0) + 1 FROM certificate",
                    1, err));
    TRY(puan_sql(&s, db,
                 "INSERT INTO certificate(id, no, staff, role, area, sealed)"
                 " VALUES($1, $2, $3, $4, $5, $6)"
                 " ON CONFLICT(no) DO UPDATE SET role = excluded.role,"
                 " area = excluded.area, sealed = excluded.sealed"
                 " WHERE certificate.staff = excluded.staff",
                 err));
    puan_bind_int(s, 1, id);
    puan_bind_text(s, 2, c->no);
    puan_bind_text(s, 3, c->staff);
    puan_bind_text(s, 4, c->role);
    puan_bind_int(s, 5, c->area);
    puan_bind_bytes(s, 6, puan_out_view(&sealed).p, puan_out_view(&sealed).n);
    st = puan_stmt_run(s, err);
    changes = st == PUAN_OK ? puan_stmt_changes(s) : 0;
    puan_stmt_done(s);
    TRY(st);
    if (changes == 0)
        return puan_fail(err, PUAN_EINVAL, "certificate",
                         "number %.*s of %.*s is somebody else's; give another",
                         PUAN_FMT(c->no), PUAN_FMT(c->staff));
    return replace_others(sh, db, act, c, a, err);
}

enum puan_status puan_certificates_cover(struct puan_shard *sh,
                                         struct puan_db *db,
                                         struct puan_act *act,
                                         struct puan_err *err)
{
    return puan_ledger_cover(sh, db, act, &covered[COVER_CARD],
                             (struct puan_str){ 0 }, err);
}

/* ---- what counts --------------------------------------------------------- */

/* End of the last window in which somebody comes to the door; 0 none. */
static int64_t valid_until(const struct puan_plan *plan)
{
    int64_t until = 0;

    for (size_t i = 0; i < plan->n_windows; i++) {
        const struct puan_window *w = &plan->window[i];
        bool door = w->n_forms > 0 && w->n_modes == 0;

        for (size_t m = 0; m < w->n_modes && w->n_forms > 0; m++)
            door = door || puan_str_is(w->modes[m], "enumerator");
        if (door && w->until_ms > until)
            until = w->until_ms;
    }
    return until;
}

/* "" while it counts, else why not. */
static enum puan_status why_stopped(const char **why, int64_t *at,
                                    struct puan_store *store,
                                    struct puan_db *db, const struct card *c,
                                    int64_t now, struct puan_err *err)
{
    int64_t until = valid_until(puan_store_plan(store));
    bool left = false;

    *why = "";
    *at = 0;
    if (c->stopped_ms) {
        *why = puan_str_is(c->why, "replaced") ? "replaced" : "stopped";
        *at = c->stopped_ms;
        return PUAN_OK;
    }
    TRY(puan_sign_in_ended(&left, store, db, c->staff, err));
    if (left) {
        *why = "left";
    } else if (until && now >= until) {
        *why = "over";
        *at = until;
    }
    return PUAN_OK;
}

static enum puan_status open_name(struct puan_str *name,
                                  struct puan_store *store,
                                  const struct card *c, struct puan_arena *a,
                                  struct puan_err *err)
{
    int version = puan_sealed_version(c->sealed);
    const struct puan_seal_key *key =
        version < 0 ? NULL
                    : puan_keys_data_version(puan_store_keys(store), 0, "staff",
                                             (uint16_t)version);

    if (!key)
        return puan_fail(err, PUAN_EIO, "certificate",
                         "the key of names is missing");
    return puan_unseal(name, key,
                       puan_seal_aad(a, 0, "certificate", "sealed",
                                     (uint16_t)version, c->no),
                       c->sealed, a, err);
}

/* First and last character, one star between: tells nothing of the length. */
static struct puan_str veil(struct puan_str name, struct puan_arena *a)
{
    size_t first = 1, last;

    name = puan_name_trim(name);
    if (name.n == 0)
        return PUAN_STR("");
    while (first < name.n && ((unsigned char)name.p[first] & 0xc0) == 0x80)
        first++;
    for (last = name.n - 1;
         last > 0 && ((unsigned char)name.p[last] & 0xc0) == 0x80; last--)
        ;
    if (last < first) /* one character only */
        return puan_str_of(
            puan_arena_fmt(a, "%.*s*", (int)first, name.p));
    return puan_str_of(puan_arena_fmt(a, "%.*s*%.*s", (int)first, name.p,
                                      (int)(name.n - last), name.p + last));
}

/* ---- the public question -------------------------------------------------- */

struct no_in {
    struct puan_str no, reason, q, state;
    int64_t area, page;
};

static void put_areas(struct puan_jw *w, struct puan_store *store, int64_t area)
{
    const struct puan_area_tree *t = puan_store_areas(store);
    uint32_t i = area ? puan_area_find(t, area) : PUAN_AREA_NONE;
    uint32_t path[PUAN_AREA_LEVELS];
    size_t n = 0;

    for (; i != PUAN_AREA_NONE && n < PUAN_COUNT(path); i = t->area[i].parent)
        path[n++] = i;
    puan_jw_key(w, "areas");
    puan_jw_list(w);
    while (n > 0) {
        const struct puan_area *x = &t->area[path[--n]];

        puan_jw_map(w);
        puan_jw_kstr(w, "level", t->level[x->level].name);
        puan_jw_kstr(w, "zh", x->zh);
        puan_jw_kstr(w, "en", x->en);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

static void put_office(struct puan_jw *w, struct puan_store *store,
                       int64_t area)
{
    const struct puan_plan *plan = puan_store_plan(store);
    const struct puan_area_tree *t = puan_store_areas(store);
    const struct puan_level *l = &plan->level[plan->shard_level];
    int level = puan_area_level_of(t, l->id);
    uint32_t i = area ? puan_area_find(t, area) : PUAN_AREA_NONE;

    if (i != PUAN_AREA_NONE && level >= 0)
        i = puan_area_ancestor(t, i, (unsigned)level);
    puan_jw_key(w, "office");
    puan_jw_map(w);
    puan_jw_kstr(w, "zh", area ? l->office_zh : PUAN_STR(""));
    puan_jw_kstr(w, "en", area ? l->office_en : PUAN_STR(""));
    puan_jw_kstr(w, "area_zh",
                 i != PUAN_AREA_NONE ? t->area[i].zh : PUAN_STR(""));
    puan_jw_kstr(w, "area_en",
                 i != PUAN_AREA_NONE ? t->area[i].en : PUAN_STR(""));
    puan_jw_end(w, '}');
}

static void put_instant(struct puan_jw *w, const char *key, int64_t ms,
                        const struct puan_plan *plan)
{
    if (ms)
        puan_jw_kinstant(w, key, ms, plan->offset_minutes);
    else
        puan_jw_ktext(w, key, "");
}

/* One shape for all four answers: who reads along learns the word only. */
static void answer(struct puan_request *rq, struct puan_str no,
                   const char *state, const struct card *c,
                   struct puan_str name, int64_t stopped_ms)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_role *role = c ? puan_plan_role(plan, c->role) : NULL;
    struct puan_jw *w;

    puan_answer_header(rq, "Cache-Control", "no-store");
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kstr(w, "no", no);
    puan_jw_ktext(w, "state", state);
    puan_jw_kstr(w, "name", name);
    puan_jw_kstr(w, "role_zh", role ? role->zh : PUAN_STR(""));
    puan_jw_kstr(w, "role_en", role ? role->en : PUAN_STR(""));
    put_areas(w, rq->store, c ? c->area : 0);
    put_instant(w, "until", c ? valid_until(plan) : 0, plan);
    put_office(w, rq->store, c ? c->area : 0);
    put_instant(w, "stopped", stopped_ms, plan);
    puan_jw_ktext(w, "check", has_check(plan) ? "mod31" : "");
    puan_jw_kinstant(w, "as_of", rq->now, plan->offset_minutes);
    puan_jw_end(w, '}');
}

static enum puan_status look_up(struct puan_request *rq, const void *v,
                                struct puan_err *err)
{
    const struct no_in *in = v;
    struct puan_limit *limit =
        puan_store_state(rq->store, &puan_feature_certificates);
    struct puan_shard *office = puan_store_office(rq->store);
    char text[64];
    size_t n = puan_mark_normal(text, sizeof(text), in->no);
    struct puan_str no = { text, n < sizeof(text) ? n : 0 };
    struct puan_str name = PUAN_STR("");
    struct puan_db *db = NULL;
    const char *why = "";
    struct card c;
    int64_t at = 0;
    bool found = false;
    enum puan_status st;

    if (!puan_limit_take(limit, rq->http->peer, rq->real_now)) {
        puan_answer_header(rq, "Retry-After", "30");
        return puan_fail(err, PUAN_ELIMIT, "certificate",
                         "too many numbers from this address; wait half a "
                         "minute");
    }
    if (puan_certificate_check(puan_store_plan(rq->store), no, NULL) !=
        PUAN_OK) {
        /* the echo is of our own alphabet only */
        answer(rq, PUAN_STR(""), "mistyped", NULL, name, 0);
        return PUAN_OK;
    }
    TRY(puan_read_begin(&db, office, err));
    st = card_read(&found, &c, db, no, rq->arena, err);
    if (st == PUAN_OK && found)
        st = why_stopped(&why, &at, rq->store, db, &c, rq->now, err);
    puan_read_end(office, db);
    TRY(st);
    if (!found) {
        answer(rq, no, "unknown", NULL, name, 0);
        return PUAN_OK;
    }
    if (*why) {
        answer(rq, no, "stopped", NULL, name, at);
        return PUAN_OK;
    }
    TRY(open_name(&name, rq->store, &c, rq->arena, err));
    name = veil(name, rq->arena);
    TRY(puan_arena_check(rq->arena, err));
    answer(rq, no, "valid", &c, name, 0);
    return PUAN_OK;
}

/* ---- the office ------------------------------------------------------------ */

static enum puan_status area_of_card(int64_t *area, struct puan_request *rq,
                                     const void *v, struct puan_err *err)
{
    const struct no_in *in = v;
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_db *db = NULL;
    struct card c;
    bool found = false;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    st = card_read(&found, &c, db, in->no, rq->arena, err);
    puan_read_end(office, db);
    if (st == PUAN_OK && !found)
        st = puan_fail(err, PUAN_ENOTFOUND, "certificate",
                       "there is no such certificate");
    *area = c.area;
    return st;
}

struct stopping {
    const struct no_in *in;
    struct puan_arena *arena;
    struct puan_str seat;
    int64_t at;
};

static enum puan_status stop_body(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    struct stopping *x = arg;
    struct card c;
    bool found = false;

    TRY(card_read(&found, &c, db, x->in->no, x->arena, err));
    if (!found)
        return puan_fail(err, PUAN_ENOTFOUND, "certificate",
                         "there is no such certificate");
    if (c.stopped_ms)
        return puan_fail(err, PUAN_ECONFLICT, "certificate",
                         "was stopped before");
    return stop_write(sh, db, act, c.no, x->at, "stopped", x->seat,
                      x->in->reason, x->arena, err);
}

static enum puan_status stop(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    const struct no_in *in = v;
    struct stopping x = { in, rq->arena, puan_str_of(rq->who.seat_text),
                          rq->now };
    struct puan_act act;

    puan_request_act(&act, rq, in->no);
    act.note = in->reason;
    TRY(puan_commit(puan_store_office(rq->store), &act, stop_body, &x, err));
    puan_answer_empty(rq);
    return PUAN_OK;
}

/* The area's name and that of the one above, without codes to read out. */
static void put_place(struct puan_jw *w, struct puan_store *store, int64_t code)
{
    const struct puan_area_tree *t = puan_store_areas(store);
    uint32_t i = puan_area_find(t, code);
    bool has = i != PUAN_AREA_NONE;
    bool above = has && t->area[i].parent != PUAN_AREA_NONE;

    puan_area_put_always(w, t, code);
    puan_jw_kstr(w, "in_zh",
                 above ? t->area[t->area[i].parent].zh : PUAN_STR(""));
    puan_jw_kstr(w, "in_en",
                 above ? t->area[t->area[i].parent].en : PUAN_STR(""));
}

static void put_card(struct puan_jw *w, struct puan_request *rq,
                     const struct card *c, const char *why, int64_t at,
                     struct puan_str seat, struct puan_str reason)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_role *role = puan_plan_role(plan, c->role);

    puan_jw_map(w);
    puan_jw_kstr(w, "no", c->no);
    puan_jw_kstr(w, "staff", c->staff);
    puan_jw_kstr(w, "role", c->role);
    puan_jw_kstr(w, "role_zh", role ? role->zh : PUAN_STR(""));
    puan_jw_kstr(w, "role_en", role ? role->en : PUAN_STR(""));
    put_place(w, rq->store, c->area);
    puan_jw_ktext(w, "state", *why ? "stopped" : "valid");
    puan_jw_ktext(w, "why", why);
    put_instant(w, "stopped", at, plan);
    puan_jw_kstr(w, "seat", seat);
    puan_jw_kstr(w, "reason", reason);
    puan_jw_end(w, '}');
}

static bool contains(struct puan_str text, struct puan_str part)
{
    for (size_t i = 0; i + part.n <= text.n; i++)
        if (memcmp(text.p + i, part.p, part.n) == 0)
            return true;
    return false;
}

#define PAGE 50

/* Cards of an area in the order they came: the number or holder holds `q`. */
static enum puan_status list(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    const struct no_in *in = v;
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_shard *office = puan_store_office(rq->store);
    int64_t skip = (in->page > 0 ? in->page - 1 : 0) * PAGE, shown = 0;
    int64_t total = 0, counts[2] = { 0 }; /* valid, stopped */
    bool any = in->state.n == 0;
    char q[80];
    struct puan_str part = { q, puan_mark_normal(q, sizeof(q), in->q) };
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    struct puan_jw *w;
    bool more = false;
    enum puan_status st;

    if (!any && !puan_str_is(in->state, "valid") &&
        !puan_str_is(in->state, "stopped"))
        return puan_fail(err, PUAN_EINVAL, "state", "valid or stopped");
    TRY(puan_read_begin(&db, office, err));
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kinstant(w, "as_of", rq->now, plan->offset_minutes);
    put_instant(w, "until", valid_until(plan), plan);
    puan_jw_key(w, "items");
    puan_jw_list(w);
    st = puan_sql(&s, db,
                  "SELECT c.no, c.staff, c.role, c.area, s.at, s.why, s.seat,"
                  " s.reason FROM certificate c LEFT JOIN certificate_stop s"
                  " ON s.no = c.no ORDER BY c.id",
                  err);
    while (st == PUAN_OK &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        struct card c = { .no = puan_col_text(s, 0),
                          .staff = puan_col_text(s, 1),
                          .role = puan_col_text(s, 2),
                          .area = puan_col_int(s, 3),
                          .stopped_ms = puan_col_null(s, 4) ? 0
                                                            : puan_col_int(s, 4),
                          .why = puan_col_text(s, 5) };
        const char *why;
        int64_t at;
        char staff[80];
        struct puan_str holder = { staff, puan_mark_normal(staff, sizeof(staff),
                                                           c.staff) };

        if (!puan_area_covers(rq->store, rq->area, c.area) ||
            (in->q.n && !contains(c.no, part) && !contains(holder, part)))
            continue;
        st = why_stopped(&why, &at, rq->store, db, &c, rq->now, err);
        if (st != PUAN_OK)
            break;
        counts[*why != 0]++;
        if (!any && (*why != 0) != puan_str_is(in->state, "stopped"))
            continue;
        total++;
        if (total <= skip || shown == PAGE)
            continue;
        shown++;
        put_card(w, rq, &c, why, at, puan_col_text(s, 6), puan_col_text(s, 7));
    }
    puan_stmt_done(s);
    puan_read_end(office, db);
    puan_jw_end(w, ']');
    puan_jw_kint(w, "total", total);
    puan_jw_key(w, "counts");
    puan_jw_map(w);
    puan_jw_kint(w, "valid", counts[0]);
    puan_jw_kint(w, "stopped", counts[1]);
    puan_jw_end(w, '}');
    puan_jw_end(w, '}');
    return st;
}

/* ---- tables ---------------------------------------------------------------- */

static const struct puan_param look_params[] = {
    { "no", PUAN_PARAM_TEXT, offsetof(struct no_in, no), 1, 120 },
};
static const struct puan_param stop_params[] = {
    { "no", PUAN_PARAM_TEXT, offsetof(struct no_in, no), NO_MIN, NO_MAX },
    { "reason", PUAN_PARAM_TEXT, offsetof(struct no_in, reason), 1, 1000 },
};
static const struct puan_param list_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct no_in, area), 0, 0, true },
    { "q", PUAN_PARAM_TEXT, offsetof(struct no_in, q), 0, 60, true },
    { "state", PUAN_PARAM_TEXT, offsetof(struct no_in, state), 0, 16, true },
    { "page", PUAN_PARAM_INT, offsetof(struct no_in, page), 1, 100000, true },
};

static const struct puan_route routes[] = {
    { .method = PUAN_GET, .path = "/c/{campaign}/public/certificates/{no}",
      .capability = "", .scope = PUAN_SCOPE_PUBLIC, .verb = "",
      .summary = "Does this number of a certificate count?", .handle = look_up,
      PUAN_PARAMS(look_params, struct no_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/certificates",
      .capability = "certificate.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "Certificates of an area, without names", .handle = list,
      PUAN_PARAMS(list_params, struct no_in) },
    { .method = PUAN_POST, .path = "/c/{campaign}/certificates/{no}/stop",
      .capability = "certificate.stop", .scope = PUAN_SCOPE_OBJECT,
      .verb = "certificate.stop", .summary = "Stop a certificate",
      .handle = stop, .area_of = area_of_card,
      PUAN_PARAMS(stop_params, struct no_in) },
};

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE certificate(id BIGINT PRIMARY KEY, no TEXT NOT NULL UNIQUE,"
      " staff TEXT NOT NULL, role TEXT NOT NULL, area BIGINT NOT NULL,"
      " sealed BYTEA NOT NULL);"
      "CREATE INDEX certificate_staff ON certificate(staff);"
      "CREATE TABLE certificate_stop(no TEXT PRIMARY KEY, at BIGINT NOT NULL,"
      " why TEXT NOT NULL, seat TEXT NOT NULL, reason TEXT NOT NULL);" },
};

static enum puan_status open_state(void **state, struct puan_store *st,
                                   struct puan_err *err)
{
    (void)st;
    *state = puan_limit_open(BURST, REFILL_MS);
    return *state ? PUAN_OK
                  : puan_fail(err, PUAN_ENOMEM, "certificates",
                              "out of memory");
}

static void close_state(void *state, struct puan_store *st)
{
    (void)st;
    puan_limit_close(state);
}

const struct puan_feature puan_feature_certificates = {
    .name = "certificates",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .covered = covered,
    .n_covered = PUAN_COUNT(covered),
    .open = open_state,
    .close = close_state,
};
