/*
 * What the pages are shown: the roster, the duty now, the offices below.
 */
#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "features/cases/cases.h"
#include "features/duty/internal.h"
#include "features/notify/notify.h"

#define LINES 60
#define CALLS 20
#define DAY_MS INT64_C(86400000)

/* ---- names -------------------------------------------------------------------------- */

/* Who stands behind an account: as the office writes it, under `key`. */
static void put_written(struct puan_jw *w, struct puan_db *db, const char *key,
                        struct puan_str name)
{
    struct puan_err ignored = { 0 };
    struct puan_stmt *s = NULL;
    bool more = false;

    if (puan_sql(&s, db, "SELECT person FROM account WHERE name = $1",
                 &ignored) != PUAN_OK)
        return;
    puan_bind_text(s, 1, name);
    if (puan_stmt_step(&more, s, &ignored) == PUAN_OK && more)
        puan_jw_kstr(w, key, puan_col_text(s, 0));
    puan_stmt_done(s);
}

static void put_person(struct puan_jw *w, struct puan_db *db,
                       struct puan_str name)
{
    puan_jw_kstr(w, "name", name);
    put_written(w, db, "person", name);
}

struct ask {
    struct puan_request *rq;
    struct puan_db *db;
    struct puan_roster r;
    struct duty_state now;
    int offset;
    struct puan_str me;
    struct puan_out o;
    struct puan_jw w;
};

/* What a handler answers with: the roster as it is now, and an open map. */
static enum puan_status begin(struct ask **out, struct puan_jw **w,
                              struct puan_request *rq, struct puan_err *err)
{
    struct ask *x = puan_new(rq->arena, struct ask);
    enum puan_status st;

    *out = x;
    *w = NULL;
    if (x == NULL)
        return puan_arena_check(rq->arena, err);
    x->rq = rq;
    x->offset = puan_store_plan(rq->store)->offset_minutes;
    x->me = puan_str_of(rq->who.name);
    TRY(puan_read_begin(&x->db, puan_store_office(rq->store), err));
    st = duty_read(&x->r, rq->store, x->db, rq->area, rq->arena, err);
    if (st == PUAN_OK)
        st = duty_state_of(&x->now, &x->r, rq->now, rq->arena, err);
    if (st != PUAN_OK)
        puan_read_end(puan_store_office(rq->store), x->db);
    puan_out_init(&x->o, rq->arena);
    puan_jw_init(&x->w, &x->o);
    puan_jw_map(&x->w);
    *w = &x->w;
    return st;
}

/* Answers with it, unless `st` says that something failed. */
static enum puan_status finish(struct ask *x, enum puan_status st,
                               struct puan_err *err)
{
    puan_jw_end(&x->w, '}');
    puan_read_end(puan_store_office(x->rq->store), x->db);
    TRY(st);
    TRY(puan_arena_check(x->rq->arena, err));
    puan_answer_json(x->rq, 200, puan_out_view(&x->o));
    return PUAN_OK;
}

static bool kept_here(const struct ask *x)
{
    const struct puan_area_tree *t = puan_store_areas(x->rq->store);
    uint32_t i = t ? puan_area_find(t, x->rq->area) : PUAN_AREA_NONE;

    return i != PUAN_AREA_NONE &&
           puan_duty_kept(x->r.duty, t->level[t->area[i].level].name);
}

static void put_head(struct puan_jw *w, const struct ask *x)
{
    const struct puan_duty *d = x->r.duty;

    puan_jw_kcode(w, "area", x->rq->area);
    puan_jw_kinstant(w, "as_of", x->rq->now, x->offset);
    puan_jw_key(w, "model");
    puan_jw_map(w);
    puan_jw_kstr(w, "zh", d->zh);
    puan_jw_kstr(w, "en", d->en);
    puan_jw_kbool(w, "leader", d->leader);
    puan_jw_kint(w, "horizon_hours", d->horizon_ms / 3600000);
    puan_jw_kint(w, "answer_minutes", d->answer_ms / 60000);
    puan_jw_kint(w, "test_days", d->test_every_ms / DAY_MS);
    puan_jw_kbool(w, "swaps_approved", d->swaps_by.n > 0);
    puan_jw_end(w, '}');
    puan_jw_kbool(w, "kept", kept_here(x));
    puan_jw_kbool(w, "drawn", x->now.drawn);
    puan_jw_kstr(w, "me", x->me);
    puan_jw_kbool(w, "may_draw",
                  puan_request_can(x->rq, "duty.draw") &&
                      puan_str_is(d->office, x->rq->who.role_name));
    puan_jw_kbool(w, "may_act", puan_request_can(x->rq, "duty.act"));
    puan_jw_kbool(w, "stands", puan_str_is(d->seat, x->rq->who.role_name));
    puan_jw_kint(w, "gap_minutes", x->now.gap_minutes);
    if (x->now.gap_from_ms != 0)
        puan_jw_kinstant(w, "gap_from", x->now.gap_from_ms, x->offset);
    puan_jw_kint(w, "unreachable", x->now.unreachable);
    puan_jw_kint(w, "untested", x->now.untested);
    puan_jw_kint(w, "no_number", x->now.no_number);
}

static void put_posts(struct puan_jw *w, const struct puan_duty *d)
{
    puan_jw_key(w, "posts");
    puan_jw_list(w);
    for (size_t i = 0; i < d->n_posts; i++) {
        puan_jw_map(w);
        puan_jw_kstr(w, "id", d->post[i].id);
        puan_jw_kstr(w, "zh", d->post[i].zh);
        puan_jw_kstr(w, "en", d->post[i].en);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "shifts");
    puan_jw_list(w);
    for (size_t i = 0; i < d->n_shifts; i++) {
        puan_jw_map(w);
        puan_jw_kstr(w, "id", d->shift[i].id);
        puan_jw_kstr(w, "zh", d->shift[i].zh);
        puan_jw_kstr(w, "en", d->shift[i].en);
        puan_jw_kint(w, "from_minute", d->shift[i].from_minute);
        puan_jw_kint(w, "minutes", d->shift[i].minutes);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

/* ---- the roster --------------------------------------------------------------------- */

static void put_cell(struct puan_jw *w, const struct ask *x,
                     const struct puan_roster_cell *c)
{
    const struct puan_duty *d = x->r.duty;

    puan_jw_map(w);
    puan_jw_kstr(w, "post", d->post[c->post].id);
    puan_jw_kstr(w, "shift", c->shift < 0 ? PUAN_STR("")
                                          : d->shift[c->shift].id);
    puan_jw_kinstant(w, "from", c->from_ms, x->offset);
    puan_jw_kinstant(w, "until", c->until_ms, x->offset);
    puan_jw_ktext(w, "state", puan_roster_state_word[c->state]);
    puan_jw_kbool(w, "confirmed", c->confirmed);
    puan_jw_kbool(w, "changed", c->entry != 0);
    puan_jw_kbool(w, "mine", c->person.n > 0 && puan_str_eq(c->person, x->me));
    put_person(w, x->db, c->person);
    for (size_t i = 0; i < x->r.n; i++)
        if (x->r.entry[i].id == c->entry && c->entry != 0)
            puan_jw_kstr(w, "why", x->r.entry[i].text);
    puan_jw_end(w, '}');
}

static void put_swaps(struct puan_jw *w, const struct ask *x)
{
    puan_jw_key(w, "swaps");
    puan_jw_list(w);
    for (size_t i = x->r.n; i-- > 0;) {
        const struct puan_roster_entry *e = &x->r.entry[i];
        enum puan_swap_state now;

        if (e->kind != PUAN_ROSTER_SWAP || e->until_ms <= x->rq->now)
            continue;
        now = puan_roster_swap(&x->r, e);
        puan_jw_map(w);
        puan_jw_kint(w, "id", e->id);
        puan_jw_kstr(w, "post", e->post);
        puan_jw_kinstant(w, "from", e->from_ms, x->offset);
        puan_jw_kinstant(w, "until", e->until_ms, x->offset);
        puan_jw_kstr(w, "by", e->person);
        put_written(w, x->db, "by_person", e->person);
        puan_jw_kstr(w, "who", e->who);
        put_written(w, x->db, "who_person", e->who);
        puan_jw_ktext(w, "state", puan_swap_word[now]);
        puan_jw_kbool(w, "asked_of_me", now == PUAN_SWAP_ASKED &&
                                            puan_str_eq(e->who, x->me));
        puan_jw_kbool(w, "may_approve",
                      now == PUAN_SWAP_AGREED &&
                          puan_str_is(x->r.duty->swaps_by,
                                      x->rq->who.role_name) &&
                          !puan_str_eq(e->person, x->me) &&
                          !puan_str_eq(e->who, x->me));
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

/* Where the case that an entry opened stands. */
static enum puan_status put_case(struct puan_jw *w, const struct ask *x,
                                 int64_t id, struct puan_err *err)
{
    const struct puan_flow *f = NULL;
    struct puan_case_row row;
    int at;

    puan_jw_kint(w, "case", id);
    if (id == 0)
        return PUAN_OK;
    TRY(puan_case_read(&row, NULL, x->rq->store, x->db, id, x->rq->arena,
                       err));
    TRY(puan_cases_flow(&f, x->rq->store, row.flow, err));
    at = puan_flow_state(f, row.state);
    puan_jw_kbool(w, "case_ended", row.ended_ms != 0);
    if (row.ended_ms != 0)
        puan_jw_kinstant(w, "case_ended_at", row.ended_ms, x->offset);
    if (at >= 0) {
        puan_jw_kstr(w, "case_zh", f->states[at].zh);
        puan_jw_kstr(w, "case_en", f->states[at].en);
    }
    return PUAN_OK;
}

static const char *reach_word(const struct puan_roster_reach *y)
{
    return y->unreachable         ? "unreachable"
           : y->pending           ? "calling"
           : y->contact == NULL   ? "no-number"
           : y->answered_ms == 0  ? "untested"
           : y->stale             ? "stale"
                                  : "reached";
}

static enum puan_status put_people(struct puan_jw *w, const struct ask *x,
                                   bool numbers, struct puan_err *err)
{
    puan_jw_key(w, "people");
    puan_jw_list(w);
    for (size_t i = 0; i < x->r.n_seats; i++) {
        const struct puan_roster_seat *s = &x->r.seat[i];
        struct puan_roster_reach y;
        bool again = false;

        for (size_t k = i + 1; k < x->r.n_seats; k++)
            again = again || puan_str_eq(x->r.seat[k].person, s->person);
        if (again)
            continue;
        puan_roster_reach(&y, &x->r, s->person, x->rq->now);
        puan_jw_map(w);
        put_person(w, x->db, s->person);
        puan_jw_kbool(w, "left",
                      s->until_ms != 0 && s->until_ms <= x->rq->now);
        puan_jw_kbool(w, "mine", puan_str_eq(s->person, x->me));
        puan_jw_ktext(w, "reach", reach_word(&y));
        if (y.call != NULL) {
            puan_jw_kint(w, "call", y.call->id);
            puan_jw_kinstant(w, "called_at", y.call->at_ms, x->offset);
            puan_jw_kbool(w, "waits", y.answer == NULL);
        }
        if (y.answered_ms != 0)
            puan_jw_kinstant(w, "answered_at", y.answered_ms, x->offset);
        if (y.contact != NULL) {
            puan_jw_kinstant(w, "number_at", y.contact->at_ms, x->offset);
            TRY(put_case(w, x, y.contact->ref, err));
        }
        if (numbers && y.contact != NULL) {
            struct puan_str plain = PUAN_STR("");

            TRY(duty_unseal(&plain, x->rq->store, x->db, y.contact->id,
                            x->rq->arena, err));
            puan_jw_kstr(w, "number", plain);
        }
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    return PUAN_OK;
}

/* What became of the message of a call: said only where one went out. */
static void put_fate(struct puan_jw *w, const struct ask *x, int64_t message)
{
    struct puan_notify_fate f = { 0 };
    struct puan_err ignored = { 0 };

    if (message == 0 ||
        puan_notify_fate(&f, x->db, message, &ignored) != PUAN_OK)
        return;
    puan_jw_ktext(w, "sent", puan_notify_fate_word(&f));
}

static void put_call(struct puan_jw *w, const struct ask *x,
                     const struct puan_roster_entry *root)
{
    const struct puan_duty *d = x->r.duty;
    bool answered = false, ended = false;

    puan_jw_map(w);
    puan_jw_kint(w, "id", root->id);
    puan_jw_kinstant(w, "at", root->at_ms, x->offset);
    puan_jw_kstr(w, "by", root->person);
    put_written(w, x->db, "by_person", root->person);
    puan_jw_kstr(w, "text", root->text);
    puan_jw_kint(w, "case", root->ref);
    puan_jw_key(w, "rungs");
    puan_jw_list(w);
    for (size_t i = 0; i < x->r.n; i++) {
        const struct puan_roster_entry *e = &x->r.entry[i], *back;

        if (e->kind != PUAN_ROSTER_CALL ||
            (e->id != root->id && e->of != root->id))
            continue;
        back = puan_roster_answer(&x->r, e->id);
        answered = answered || back != NULL;
        ended = e->rung >= (int)d->n_rungs;
        if (ended)
            continue;
        puan_jw_map(w);
        puan_jw_kint(w, "id", e->id);
        puan_jw_kint(w, "rung", e->rung + 1);
        puan_jw_kinstant(w, "at", e->at_ms, x->offset);
        puan_jw_kbool(w, "vacant", e->who.n == 0);
        puan_jw_kstr(w, "who", e->who);
        put_written(w, x->db, "who_person", e->who);
        puan_jw_kbool(w, "mine", e->who.n > 0 && puan_str_eq(e->who, x->me));
        put_fate(w, x, e->message);
        if (back != NULL) {
            puan_jw_kinstant(w, "answered_at", back->at_ms, x->offset);
            puan_jw_kstr(w, "answered_by", back->person);
            puan_jw_kstr(w, "how", back->text);
        } else {
            puan_jw_kinstant(w, "due", e->at_ms + d->answer_ms, x->offset);
        }
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_ktext(w, "state", answered ? "answered"
                              : ended  ? "nobody"
                                       : "calling");
    puan_jw_end(w, '}');
}

static void put_calls(struct puan_jw *w, const struct ask *x)
{
    size_t n = 0;

    puan_jw_key(w, "calls");
    puan_jw_list(w);
    for (size_t i = x->r.n; i-- > 0 && n < CALLS;)
        if (x->r.entry[i].kind == PUAN_ROSTER_CALL && x->r.entry[i].of == 0) {
            put_call(w, x, &x->r.entry[i]);
            n++;
        }
    puan_jw_end(w, ']');
}

enum puan_status duty_view(struct puan_request *rq, const void *v,
                           struct puan_err *err)
{
    const struct duty_in *in = v;
    struct puan_roster_cell *cell = NULL;
    struct ask *x;
    struct puan_jw *w;
    int64_t from = 0, until = 0;
    size_t n = 0;
    enum puan_status st;

    TRY(begin(&x, &w, rq, err));
    from = puan_instant_day(rq->now, x->offset) * DAY_MS -
           x->offset * INT64_C(60000);
    st = in->from.n == 0 || duty_instant(&from, in->from, x->offset)
             ? PUAN_OK
             : puan_fail(err, PUAN_EINVAL, "from",
                         "write the day as 2020-11-02");
    until = from + 7 * DAY_MS;
    if (st == PUAN_OK && in->until.n > 0 &&
        !duty_instant(&until, in->until, x->offset))
        st = puan_fail(err, PUAN_EINVAL, "until",
                       "write the day as 2020-11-02");
    if (st == PUAN_OK && x->now.drawn)
        st = puan_roster_cells(&cell, &n, &x->r, from, until, rq->arena, err);
    put_head(w, x);
    put_posts(w, x->r.duty);
    puan_jw_kinstant(w, "from", from, x->offset);
    puan_jw_kinstant(w, "until", until, x->offset);
    puan_jw_key(w, "cells");
    puan_jw_list(w);
    for (size_t i = 0; i < n; i++)
        put_cell(w, x, &cell[i]);
    puan_jw_end(w, ']');
    put_swaps(w, x);
    put_calls(w, x);
    if (st == PUAN_OK)
        st = put_people(w, x, false, err);
    return finish(x, st, err);
}

enum puan_status duty_contacts(struct puan_request *rq, const void *v,
                               struct puan_err *err)
{
    struct ask *x;
    struct puan_jw *w;
    enum puan_status st;

    (void)v;
    TRY(begin(&x, &w, rq, err));
    st = put_people(w, x, true, err);
    return finish(x, st, err);
}

/* ---- the desk ------------------------------------------------------------------------ */

enum puan_status duty_open_now(struct duty_open *out, struct puan_store *st,
                               struct puan_db *db, int64_t area,
                               struct puan_str words, struct puan_arena *a,
                               struct puan_err *err)
{
    const struct puan_digest_fn *fn = puan_store_digest(st);
    uint8_t digest[PUAN_DIGEST_SIZE];
    char *hex = puan_arena_get(a, 2 * PUAN_DIGEST_SIZE + 1);
    struct puan_stmt *s = NULL;
    struct puan_str part;
    struct puan_out o;
    bool more = false;
    enum puan_status rc;

    out->run = puan_new_n(a, 500, int64_t);
    out->n = 0;
    if (out->run == NULL || hex == NULL)
        return puan_arena_check(a, err);
    puan_out_init(&o, a);
    puan_content_int(&o, area);
    puan_content_text(&o, words);
    TRY(puan_sql(&s, db,
                 "SELECT id, state FROM case_run WHERE area = $1 AND ended = 0"
                 " AND subject = '' ORDER BY id",
                 err));
    puan_bind_int(s, 1, area);
    while ((rc = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        puan_content_int(&o, puan_col_int(s, 0));
        puan_content_text(&o, puan_col_text(s, 1));
        if (out->n < 500)
            out->run[out->n++] = puan_col_int(s, 0);
    }
    puan_stmt_done(s);
    TRY(rc);
    part = puan_out_view(&o);
    fn->hash(fn->ctx, digest, &part, 1);
    puan_hex(hex, digest, sizeof digest);
    out->digest = (struct puan_str){ hex, 2 * PUAN_DIGEST_SIZE };
    return puan_arena_check(a, err);
}

static void put_on(struct puan_jw *w, const struct ask *x)
{
    const struct puan_duty *d = x->r.duty;

    puan_jw_key(w, "on");
    puan_jw_list(w);
    for (size_t i = 0; i < x->now.n_on; i++) {
        int post = puan_roster_post_of(&x->r, x->now.on[i], x->rq->now);

        puan_jw_map(w);
        put_person(w, x->db, x->now.on[i]);
        puan_jw_kbool(w, "mine", puan_str_eq(x->now.on[i], x->me));
        if (post >= 0) {
            puan_jw_kstr(w, "post", d->post[post].id);
            puan_jw_kstr(w, "post_zh", d->post[post].zh);
            puan_jw_kstr(w, "post_en", d->post[post].en);
        }
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

/* The first post: until when it is as it is, and who comes then. */
static enum puan_status put_next(struct puan_jw *w, const struct ask *x,
                                 struct puan_err *err)
{
    struct puan_roster_cell *cell = NULL;
    size_t n = 0, i = 1;

    if (!x->now.drawn)
        return PUAN_OK;
    TRY(puan_roster_cells(&cell, &n, &x->r, x->rq->now, x->rq->now + 3 * DAY_MS,
                          x->rq->arena, err));
    if (n == 0)
        return PUAN_OK;
    puan_jw_ktext(w, "now", puan_roster_state_word[cell[0].state]);
    while (i < n && cell[i].post == 0 &&
           puan_str_eq(cell[i].person, cell[0].person) &&
           cell[i].state == cell[0].state)
        i++;
    puan_jw_kinstant(w, "until", cell[i - 1].until_ms, x->offset);
    if (i == n || cell[i].post != 0)
        return PUAN_OK;
    puan_jw_key(w, "next");
    puan_jw_map(w);
    put_person(w, x->db, cell[i].person);
    puan_jw_ktext(w, "state", puan_roster_state_word[cell[i].state]);
    puan_jw_kbool(w, "confirmed", cell[i].confirmed);
    puan_jw_kbool(w, "mine", puan_str_eq(cell[i].person, x->me));
    puan_jw_kinstant(w, "from", cell[i].from_ms, x->offset);
    puan_jw_kinstant(w, "until", cell[i].until_ms, x->offset);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static enum puan_status put_line(struct puan_jw *w, const struct ask *x,
                                 const struct puan_roster_entry *e,
                                 struct puan_err *err)
{
    const struct puan_duty *d = x->r.duty;

    puan_jw_map(w);
    puan_jw_kint(w, "id", e->id);
    puan_jw_kinstant(w, "at", e->at_ms, x->offset);
    puan_jw_kstr(w, "by", e->person);
    put_written(w, x->db, "by_person", e->person);
    puan_jw_kstr(w, "text", e->text);
    puan_jw_kstr(w, "from_whom", e->who);
    if (e->from_ms != 0)
        puan_jw_kinstant(w, "heard", e->from_ms, x->offset);
    for (size_t i = 0; i < x->r.n; i++) {
        const struct puan_roster_entry *p = &x->r.entry[i];
        int g;

        if (p->kind != PUAN_ROSTER_PASS || p->of != e->id)
            continue;
        g = puan_duty_group(d, p->group);
        puan_jw_key(w, "passed");
        puan_jw_map(w);
        puan_jw_kinstant(w, "at", p->at_ms, x->offset);
        if (g >= 0) {
            puan_jw_kstr(w, "zh", d->group[g].zh);
            puan_jw_kstr(w, "en", d->group[g].en);
        }
        TRY(put_case(w, x, p->ref, err));
        puan_jw_end(w, '}');
        break;
    }
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static enum puan_status put_log(struct puan_jw *w, const struct ask *x,
                                struct puan_err *err)
{
    size_t n = 0;

    puan_jw_key(w, "log");
    puan_jw_list(w);
    for (size_t i = x->r.n; i-- > 0 && n < LINES;)
        if (x->r.entry[i].kind == PUAN_ROSTER_LOG) {
            TRY(put_line(w, x, &x->r.entry[i], err));
            n++;
        }
    puan_jw_end(w, ']');
    return PUAN_OK;
}

static const struct puan_roster_entry *
relief_of(const struct puan_roster *r, const struct puan_roster_entry *offer)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->entry[i].kind == PUAN_ROSTER_RELIEVE &&
            r->entry[i].of == offer->id)
            return &r->entry[i];
    return NULL;
}

static enum puan_status put_handover(struct puan_jw *w, const struct ask *x,
                                     struct puan_err *err)
{
    const struct puan_roster_entry *offer = NULL, *relief;
    struct duty_open open;

    for (size_t i = 0; i < x->r.n; i++)
        if (x->r.entry[i].kind == PUAN_ROSTER_OFFER)
            offer = &x->r.entry[i];
    TRY(duty_open_now(&open, x->rq->store, x->db, x->rq->area,
                      offer ? offer->text : PUAN_STR(""), x->rq->arena, err));
    puan_jw_kint(w, "open", (int64_t)open.n);
    if (offer == NULL)
        return PUAN_OK;
    relief = relief_of(&x->r, offer);
    puan_jw_key(w, "offer");
    puan_jw_map(w);
    puan_jw_kint(w, "id", offer->id);
    puan_jw_kinstant(w, "at", offer->at_ms, x->offset);
    puan_jw_kstr(w, "by", offer->person);
    put_written(w, x->db, "by_person", offer->person);
    puan_jw_kstr(w, "text", offer->text);
    puan_jw_kstr(w, "digest", offer->digest);
    puan_jw_kbool(w, "stands",
                  relief != NULL || puan_str_eq(offer->digest, open.digest));
    puan_jw_kbool(w, "mine", puan_str_eq(offer->person, x->me));
    if (relief != NULL) {
        puan_jw_kstr(w, "taken_by", relief->person);
        put_written(w, x->db, "taken_by_person", relief->person);
        puan_jw_kinstant(w, "taken_at", relief->at_ms, x->offset);
    }
    puan_jw_end(w, '}');
    return PUAN_OK;
}

enum puan_status duty_desk(struct puan_request *rq, const void *v,
                           struct puan_err *err)
{
    struct ask *x;
    struct puan_jw *w;
    enum puan_status st;

    (void)v;
    TRY(begin(&x, &w, rq, err));
    put_head(w, x);
    puan_jw_kbool(w, "on_duty",
                  puan_roster_post_of(&x->r, x->me, rq->now) >= 0 ||
                      (!x->now.drawn && puan_str_is(x->r.duty->seat,
                                                    rq->who.role_name)));
    put_on(w, x);
    st = put_next(w, x, err);
    puan_jw_key(w, "groups");
    puan_jw_list(w);
    for (size_t i = 0; i < x->r.duty->n_groups; i++) {
        puan_jw_map(w);
        puan_jw_kstr(w, "id", x->r.duty->group[i].id);
        puan_jw_kstr(w, "zh", x->r.duty->group[i].zh);
        puan_jw_kstr(w, "en", x->r.duty->group[i].en);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    put_calls(w, x);
    if (st == PUAN_OK)
        st = put_log(w, x, err);
    if (st == PUAN_OK)
        st = put_handover(w, x, err);
    return finish(x, st, err);
}

/* ---- the offices below --------------------------------------------------------------- */

static enum puan_status put_below(struct puan_jw *w, const struct ask *x,
                                  int64_t area, struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(x->rq->store);
    uint32_t i = puan_area_find(t, area);
    struct duty_state now;
    struct puan_roster r;

    TRY(duty_read(&r, x->rq->store, x->db, area, x->rq->arena, err));
    TRY(duty_state_of(&now, &r, x->rq->now, x->rq->arena, err));
    puan_jw_map(w);
    puan_jw_kcode(w, "area", area);
    puan_jw_kstr(w, "zh", t->area[i].zh);
    puan_jw_kstr(w, "en", t->area[i].en);
    puan_jw_kbool(w, "drawn", now.drawn);
    puan_jw_kint(w, "seats", (int64_t)r.n_seats);
    puan_jw_kint(w, "on", (int64_t)now.n_on);
    puan_jw_kint(w, "gap_minutes", now.gap_minutes);
    puan_jw_kint(w, "unreachable", now.unreachable);
    puan_jw_kint(w, "untested", now.untested + now.no_number);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

#define OFFICES 400

enum puan_status duty_lower(struct puan_request *rq, const void *v,
                            struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    struct ask *x;
    uint32_t own = t ? puan_area_find(t, rq->area) : PUAN_AREA_NONE;
    struct puan_jw *w;
    size_t n = 0;
    enum puan_status st;

    (void)v;
    TRY(begin(&x, &w, rq, err));
    st = PUAN_OK;
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t l = 0; own != PUAN_AREA_NONE && l < x->r.duty->n_levels; l++) {
        int level = puan_area_level_of(t, x->r.duty->level[l]);
        uint32_t at = PUAN_AREA_NONE;

        if (level <= (int)t->area[own].level)
            continue;
        while (st == PUAN_OK && n < OFFICES &&
               (at = puan_area_next(t, own, (unsigned)level, at)) !=
                   PUAN_AREA_NONE) {
            st = put_below(w, x, t->area[at].code, err);
            n++;
        }
    }
    puan_jw_end(w, ']');
    puan_jw_kbool(w, "more", n == OFFICES);
    return finish(x, st, err);
}
