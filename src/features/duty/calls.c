/*
 * Calling out: rung after rung until somebody answers.  What the ladder is
 * stands in the plan; a rung nobody stands on is written down and passed at
 * once.
 */
#include "core/area/area.h"
#include "features/duty/internal.h"
#include "features/live/live.h"
#include "features/notify/notify.h"
#include "kit/log/log.h"
#include "kit/os/heap.h"

#define PEOPLE 16

enum puan_status duty_ring(struct puan_shard *sh, struct puan_db *db,
                           struct puan_act *act, int64_t area,
                           struct puan_roster_entry *e, struct puan_arena *a,
                           struct puan_err *err)
{
    static const struct puan_flow_label what[] = {
        { { "test", 4 }, { "值班试呼", 12 }, { "Test call", 9 } },
        { { "call", 4 }, { "紧急叫应", 12 }, { "Call-out", 8 } },
    };
    struct puan_store *st = puan_shard_store(sh);
    const struct puan_duty *d = puan_duty_of(st);
    int64_t now = puan_store_now(st);

    if (e->who.n > 0) {
        const struct puan_notify m = {
            .kind = e->kind == PUAN_ROSTER_TEST ? PUAN_NOTIFY_TEST
                                                : PUAN_NOTIFY_CALL,
            .what = &what[e->kind != PUAN_ROSTER_TEST],
            .about = PUAN_STR("roster"), .level = PUAN_STR(""),
            .role = d->seat, .area = area, .account = e->who, .at_ms = now,
            .due_ms = now + d->answer_ms
        };

        TRY(puan_notify_in(&e->message, sh, db, act, &m, a, err));
    }
    TRY(duty_put(sh, db, act, area, e, a, err));
    puan_live_touch(st, "cases", area);
    return PUAN_OK;
}

/* Whoever holds a role at an area now. */
static enum puan_status holders(struct puan_str *list, size_t *n,
                                struct puan_store *st, struct puan_db *db,
                                struct puan_str role, int64_t area, int64_t now,
                                struct puan_arena *a, struct puan_err *err)
{
    struct puan_duty_on on;
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status rc;

    TRY(puan_duty_on(&on, st, db, role, area, now, a, err));
    if (on.asked) {
        for (size_t i = 0; i < on.n && *n < PEOPLE; i++)
            list[(*n)++] = on.person[i];
        return PUAN_OK;
    }
    TRY(puan_sql(&s, db,
                 "SELECT a.name FROM seat s JOIN account a ON a.id = s.account"
                 " WHERE s.role = $1 AND s.area = $2 AND s.ended = 0 AND"
                 " a.state = 1 AND s.from_ms <= $3 AND (s.until_ms = 0 OR"
                 " s.until_ms > $3) ORDER BY s.id",
                 err));
    puan_bind_text(s, 1, role);
    puan_bind_int(s, 2, area);
    puan_bind_int(s, 3, now);
    while (*n < PEOPLE && (rc = puan_stmt_step(&more, s, err)) == PUAN_OK &&
           more)
        list[(*n)++] = puan_arena_keep(a, puan_col_text(s, 0));
    puan_stmt_done(s);
    return rc;
}

static int64_t parent_of(struct puan_store *st, int64_t area)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    uint32_t i = t ? puan_area_find(t, area) : PUAN_AREA_NONE;

    if (i == PUAN_AREA_NONE || t->area[i].parent == PUAN_AREA_NONE)
        return 0;
    return t->area[t->area[i].parent].code;
}

static enum puan_status people_of(struct puan_str *list, size_t *n,
                                  const struct puan_roster *r, int rung,
                                  struct puan_store *st, struct puan_db *db,
                                  int64_t area, int64_t now,
                                  struct puan_arena *a, struct puan_err *err)
{
    const struct puan_duty_rung *g = &r->duty->rung[rung];
    struct puan_roster_cell c;

    *n = 0;
    switch (g->reach) {
    case PUAN_DUTY_POST:
        /* no roster: whoever holds the seat stands on the first post */
        if (r->duty->leader || !puan_roster_drawn(r))
            return g->post == 0 ? holders(list, n, st, db, r->duty->seat, area,
                                          now, a, err)
                                : PUAN_OK;
        puan_roster_at(&c, r, g->post, now);
        if (c.state == PUAN_ROSTER_HELD)
            list[(*n)++] = c.person;
        return PUAN_OK;
    case PUAN_DUTY_OWN:
        return holders(list, n, st, db, g->role, area, now, a, err);
    case PUAN_DUTY_PARENT:
        area = parent_of(st, area);
        return area ? holders(list, n, st, db, g->role, area, now, a, err)
                    : PUAN_OK;
    }
    return PUAN_OK;
}

static bool called(const struct puan_roster *r, int64_t root,
                   struct puan_str who)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->entry[i].kind == PUAN_ROSTER_CALL &&
            (r->entry[i].id == root || r->entry[i].of == root) &&
            puan_str_eq(r->entry[i].who, who))
            return true;
    return false;
}

static enum puan_status wait_for(struct puan_db *db, int64_t root, int64_t area,
                                 int64_t at, struct puan_err *err)
{
    struct puan_stmt *s = NULL;

    TRY(puan_sql(&s, db,
                 "INSERT INTO duty_call(entry, area, at) VALUES($1, $2, $3)"
                 " ON CONFLICT (entry) DO UPDATE SET at = excluded.at",
                 err));
    puan_bind_int(s, 1, root);
    puan_bind_int(s, 2, area);
    puan_bind_int(s, 3, at);
    return puan_stmt_once(s, err);
}

static enum puan_status forget(struct puan_db *db, int64_t root,
                               struct puan_err *err)
{
    struct puan_stmt *s = NULL;

    TRY(puan_sql(&s, db, "DELETE FROM duty_call WHERE entry = $1", err));
    puan_bind_int(s, 1, root);
    return puan_stmt_once(s, err);
}

/*
 * Calls rung `rung` and, while nobody stands there, the next.  A last entry
 * without a person says that the ladder has ended.
 */
static enum puan_status climb(struct puan_shard *sh, struct puan_db *db,
                              struct puan_act *act, int64_t area,
                              const struct puan_roster_entry *from, int rung,
                              int64_t *root, struct puan_arena *a,
                              struct puan_err *err)
{
    struct puan_store *st = puan_shard_store(sh);
    struct puan_str *list = puan_new_n(a, PEOPLE, struct puan_str);
    int64_t now = puan_store_now(st);

    if (list == NULL)
        return puan_arena_check(a, err);
    for (;; rung++) {
        struct puan_roster r;
        bool last, rang = false;
        size_t n = 0;

        TRY(duty_read(&r, st, db, area, a, err));
        last = rung >= (int)r.duty->n_rungs;
        if (!last)
            TRY(people_of(list, &n, &r, rung, st, db, area, now, a, err));
        for (size_t i = 0; i < n || (i == 0 && n == 0); i++) {
            struct puan_roster_entry e = {
                .kind = PUAN_ROSTER_CALL, .role = from->role,
                .person = from->person, .text = from->text, .ref = from->ref,
                .who = n ? list[i] : PUAN_STR(""), .rung = rung, .of = *root
            };

            /* once is enough, be he on several rungs */
            if (n > 0 && *root != 0 && called(&r, *root, e.who))
                continue;
            TRY(duty_ring(sh, db, act, area, &e, a, err));
            if (*root == 0)
                *root = e.id;
            rang = rang || n > 0;
        }
        if (last)
            return forget(db, *root, err);
        if (rang)
            return wait_for(db, *root, area, now + r.duty->answer_ms, err);
    }
}

enum puan_status duty_call_out(struct puan_shard *sh, struct puan_db *db,
                               struct puan_act *act, int64_t area,
                               struct puan_roster_entry *first,
                               struct puan_arena *a, struct puan_err *err)
{
    int64_t root = 0;

    TRY(climb(sh, db, act, area, first, 0, &root, a, err));
    first->id = root;
    return PUAN_OK;
}

enum puan_status duty_call_done(struct puan_shard *sh, struct puan_db *db,
                                struct puan_act *act,
                                const struct puan_roster *r, int64_t call,
                                struct puan_err *err)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct puan_roster_entry *e = &r->entry[i];

        if (e->id != call)
            continue;
        if (e->message != 0)
            TRY(puan_notify_taken_in(sh, db, act, 0, e->message, err));
        if (e->kind == PUAN_ROSTER_CALL)
            return forget(db, e->of ? e->of : call, err);
    }
    return PUAN_OK;
}

/* ---- the job ----------------------------------------------------------------------- */

struct due {
    int64_t root, area;
    struct puan_arena *a;
};

static enum puan_status body(struct puan_shard *sh, struct puan_db *db,
                             struct puan_act *act, void *arg,
                             struct puan_err *err)
{
    const struct due *d = arg;
    struct puan_store *st = puan_shard_store(sh);
    const struct puan_roster_entry *root = NULL;
    struct puan_roster_entry next;
    struct puan_roster r;
    int64_t at = d->root, last_ms = 0;
    int rung = 0;

    TRY(duty_read(&r, st, db, d->area, d->a, err));
    for (size_t i = 0; i < r.n; i++) {
        const struct puan_roster_entry *e = &r.entry[i];

        if (e->kind != PUAN_ROSTER_CALL ||
            (e->id != d->root && e->of != d->root))
            continue;
        if (e->id == d->root)
            root = e;
        if (puan_roster_answer(&r, e->id) != NULL)
            root = NULL;
        if (root == NULL)
            break;
        rung = e->rung > rung ? e->rung : rung;
        last_ms = e->at_ms;
    }
    if (root == NULL || last_ms + r.duty->answer_ms > puan_store_now(st)) {
        act->silent = true;
        return root ? PUAN_OK : forget(db, d->root, err);
    }
    next = *root;
    next.role = PUAN_STR("system");
    next.person = PUAN_STR("puan");
    return climb(sh, db, act, d->area, &next, rung + 1, &at, d->a, err);
}

enum puan_status puan_duty_work(struct puan_store *st, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct due list[64];
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    bool more = false;
    size_t n = 0;
    enum puan_status rc;

    if (puan_duty_of(st) == NULL)
        return PUAN_OK;
    TRY(puan_read_begin(&db, office, err));
    rc = puan_sql(&s, db,
                  "SELECT entry, area FROM duty_call WHERE at <= $1 ORDER BY at"
                  " LIMIT 64",
                  err);
    if (rc == PUAN_OK) {
        puan_bind_int(s, 1, puan_store_now(st));
        while (n < PUAN_COUNT(list) &&
               (rc = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
            list[n].root = puan_col_int(s, 0);
            list[n++].area = puan_col_int(s, 1);
        }
        puan_stmt_done(s);
    }
    puan_read_end(office, db);
    for (size_t i = 0; rc == PUAN_OK && i < n; i++) {
        struct puan_act act = { .actor = PUAN_STR("puan"),
                                .seat = PUAN_STR("system"),
                                .verb = PUAN_STR("duty.call"),
                                .device = PUAN_STR("") };
        struct puan_arena a;

        puan_arena_init(&a, &puan_heap);
        list[i].a = &a;
        act.subject = puan_str_of(
            puan_arena_fmt(&a, "call/%lld", (long long)list[i].root));
        rc = puan_commit(office, &act, body, &list[i], err);
        puan_arena_clear(&a);
    }
    return rc;
}
