/*
 * GET …/board: everything the command board shows of an area, in one answer.
 *
 * Each part that cannot be read is null and named in "lost": a figure that is
 * not there is never a zero.
 */
#include "features/progress/internal.h"

#include <stdlib.h>

#include "base/calendar.h"
#include "core/area/area.h"
#include "core/rule/rule.h"
#include "features/cases/cases.h"
#include "features/ingest/ingest.h"
#include "features/lots/lots.h"
#include "features/monitors/monitors.h"

#define DECISIONS 5  /* shown; all are counted */
#define FOLDED 400   /* runs looked into for them */
#define LAGGING 5
#define RULES 5
#define DAY (INT64_C(24) * 3600 * 1000)

typedef enum puan_status (*part_fn)(struct puan_jw *w, struct puan_request *rq,
                                    struct puan_err *err);

/* A part as member `key`; what fails is null and named. */
static void part(struct puan_jw *w, struct puan_request *rq, const char *key,
                 part_fn make, const char **lost, size_t *n_lost)
{
    struct puan_err err = { 0 };
    struct puan_out o;
    struct puan_jw own;

    puan_out_init(&o, rq->arena);
    puan_jw_init(&own, &o);
    puan_jw_key(w, key);
    if (make(&own, rq, &err) == PUAN_OK) {
        puan_jw_raw(w, puan_out_view(&o));
        return;
    }
    puan_jw_null(w);
    lost[(*n_lost)++] = key;
}

/* ---- what I must decide --------------------------------------------------------- */

struct decision {
    int64_t run, area, due_ms, opened_ms, n;
    struct puan_str flow_id, flow_zh, flow_en, act_id, act_zh, act_en, title,
        subject;
    const char *what; /* "sign", "step", "act", "accept" */
    bool drill;
};

static bool fits_any(const struct puan_flow *f, puan_flow_set by,
                     const struct puan_flow_who *who)
{
    for (size_t k = 0; k < f->n_seats; k++)
        if (PUAN_FLOW_HAS(by, k) && puan_flow_seat_fits(f, (int)k, who))
            return true;
    return false;
}

/* Without folding: could this seat have anything to do in this flow at all? */
static bool concerns_seat(const struct puan_flow *f, int state,
                          const struct puan_flow_who *who)
{
    for (size_t i = 0; i < f->n_transitions; i++)
        if (state >= 0 && PUAN_FLOW_HAS(f->transitions[i].from, state) &&
            fits_any(f, f->transitions[i].by, who))
            return true;
    for (size_t i = 0; i < f->n_steps; i++)
        if (fits_any(f, f->steps[i].by, who))
            return true;
    for (size_t i = 0; i < f->n_approvals; i++)
        for (size_t k = 0; k < f->approvals[i].n_seats; k++)
            if (puan_flow_seat_fits(f, f->approvals[i].seats[k], who))
                return true;
    return false;
}

static bool has_signed(const struct puan_flow_approval_run *a,
                       struct puan_str actor)
{
    for (size_t i = 0; i < a->n_sig; i++)
        if (puan_str_eq(a->sig[i].actor, actor))
            return true;
    return false;
}

/* A signature asked of this seat, and its turn. */
static const struct puan_flow_label *to_sign(const struct puan_flow_run *run,
                                             const struct puan_flow_who *who)
{
    const struct puan_flow *f = run->flow;

    for (size_t i = 0; i < f->n_approvals; i++) {
        const struct puan_flow_approval *a = &f->approvals[i];
        const struct puan_flow_approval_run *r = &run->approval[i];

        if (r->state != PUAN_FLOW_ASKED || has_signed(r, who->actor) ||
            (a->not_requester && puan_str_eq(r->requester, who->actor)))
            continue;
        for (size_t k = 0; k < a->n_seats; k++) {
            if (a->rule == PUAN_FLOW_SEQUENCE && k != r->n_sig)
                continue;
            if (puan_flow_seat_fits(f, a->seats[k], who))
                return &a->label;
        }
    }
    return NULL;
}

static const struct puan_flow_label *to_do(const struct puan_flow_run *run,
                                           const struct puan_flow_who *who)
{
    const struct puan_flow *f = run->flow;

    for (size_t i = 0; i < f->n_steps; i++)
        if (!f->steps[i].optional && puan_flow_step_open(run, (int)i) &&
            fits_any(f, f->steps[i].by, who))
            return &f->steps[i].label;
    return NULL;
}

static bool clock_runs(const struct puan_flow_run *run)
{
    for (size_t i = 0; i < run->flow->n_clocks; i++)
        if (run->clock[i].state == PUAN_FLOW_CLOCK_RUNNING ||
            run->clock[i].state == PUAN_FLOW_CLOCK_DUE)
            return true;
    return false;
}

/* A transition that takes the thing on; ending it counts under a clock. */
static const struct puan_flow_label *to_act(const struct puan_flow_run *run,
                                            const struct puan_flow_who *who)
{
    const struct puan_flow *f = run->flow;

    for (size_t i = 0; i < f->n_transitions; i++) {
        const struct puan_flow_transition *t = &f->transitions[i];

        if (!PUAN_FLOW_HAS(t->from, run->state) || t->clock >= 0 ||
            t->to < 0 || t->to == run->state || !fits_any(f, t->by, who))
            continue;
        if (PUAN_FLOW_HAS(f->terminal, t->to) && !clock_runs(run))
            continue;
        return &t->label;
    }
    return NULL;
}

static int64_t due_of(const struct puan_flow_run *run)
{
    int64_t due = 0;

    for (size_t i = 0; i < run->flow->n_clocks; i++) {
        const struct puan_flow_clock_run *c = &run->clock[i];

        if ((c->state == PUAN_FLOW_CLOCK_RUNNING ||
             c->state == PUAN_FLOW_CLOCK_DUE) &&
            (due == 0 || c->due_ms < due))
            due = c->due_ms;
    }
    return due;
}

/* The text field the flow calls title, if it has one and it is not secret. */
static struct puan_str title_of(const struct puan_flow_run *run)
{
    int i = puan_flow_field(run->flow, PUAN_STR("title"));

    if (i < 0 || run->flow->fields[i].secret || !run->field[i].set)
        return PUAN_STR("");
    return run->field[i].text;
}

static enum puan_status decide_one(struct decision *out, bool *yes,
                                   struct puan_request *rq, struct puan_db *db,
                                   const struct puan_case_row *row,
                                   struct puan_err *err)
{
    struct puan_flow_who who = puan_case_seat(
        rq->store, puan_str_of(rq->who.name), puan_str_of(rq->who.role_name),
        rq->who.area, row->area);
    const struct puan_flow *f;
    const struct puan_flow_label *l;
    struct puan_flow_run *run = NULL;
    struct puan_case_row again;

    *yes = false;
    TRY(puan_cases_flow(&f, rq->store, row->flow, err));
    if (!puan_case_seen_by(f, &who) ||
        !concerns_seat(f, puan_flow_state(f, row->state), &who))
        return PUAN_OK;
    TRY(puan_case_read(&again, &run, rq->store, db, row->id, rq->arena, err));
    f = run->flow; /* of the version it runs by */
    out->what = "sign";
    l = to_sign(run, &who);
    if (!l) {
        out->what = "step";
        l = to_do(run, &who);
    }
    if (!l) {
        out->what = "act";
        l = to_act(run, &who);
    }
    if (!l)
        return PUAN_OK;
    out->run = row->id;
    out->area = row->area;
    out->opened_ms = row->opened_ms;
    out->n = again.n;
    out->drill = row->drill;
    out->due_ms = due_of(run);
    out->flow_id = f->label.name;
    out->flow_zh = f->label.zh;
    out->flow_en = f->label.en;
    out->act_id = l->name;
    out->act_zh = l->zh;
    out->act_en = l->en;
    out->title = title_of(run);
    out->subject = row->subject;
    *yes = true;
    return PUAN_OK;
}

/* The seat's own area waits for its acceptance. */
static enum puan_status decide_lot(struct decision *out, bool *yes,
                                   struct puan_request *rq, struct puan_db *db,
                                   struct puan_err *err)
{
    struct puan_work_basis basis;
    struct puan_work x;
    struct puan_lot lot;
    int64_t missing = 0;
    enum puan_status st;

    *yes = false;
    if (!puan_request_can(rq, "lot.accept") || rq->who.area == 0)
        return PUAN_OK;
    puan_work_of(&x, &basis, rq->store, rq->who.area, puan_seat_level(rq));
    if (basis.have < basis.of || x.delivered == 0 ||
        x.delivered < x.listed - x.vacant || x.hard > 0 || x.queried > 0)
        return PUAN_OK;
    st = puan_lot_of(&lot, rq->store, rq->who.area, rq->arena, NULL);
    if (st != PUAN_ENOTFOUND)
        return st;
    TRY(puan_lots_missing(&missing, rq->store, db, rq->who.area, err));
    if (missing > 0)
        return PUAN_OK;
    *out = (struct decision){
        .area = rq->who.area,
        .n = x.delivered,
        .what = "accept",
        .flow_id = PUAN_STR("lot"),
    };
    *yes = true;
    return PUAN_OK;
}

static int by_due(const void *x, const void *y)
{
    const struct decision *a = x, *b = y;
    int64_t ad = a->due_ms ? a->due_ms : INT64_MAX;
    int64_t bd = b->due_ms ? b->due_ms : INT64_MAX;

    if (ad != bd)
        return ad < bd ? -1 : 1;
    return a->run < b->run ? -1 : a->run > b->run;
}

static void put_decision(struct puan_jw *w, struct puan_request *rq,
                         const struct decision *d)
{
    int offset = puan_store_plan(rq->store)->offset_minutes;

    puan_jw_map(w);
    if (d->run)
        puan_jw_kint(w, "case", d->run);
    puan_jw_ktext(w, "do", d->what);
    puan_jw_kstr(w, "flow", d->flow_id);
    puan_jw_kstr(w, "flow_zh", d->flow_zh);
    puan_jw_kstr(w, "flow_en", d->flow_en);
    puan_jw_kstr(w, "act", d->act_id);
    puan_jw_kstr(w, "act_zh", d->act_zh);
    puan_jw_kstr(w, "act_en", d->act_en);
    puan_jw_kstr(w, "title", d->title);
    puan_jw_kstr(w, "subject", d->subject);
    puan_jw_kint(w, "n", d->n);
    puan_jw_kbool(w, "drill", d->drill);
    puan_put_area(w, rq->store, d->area);
    if (d->opened_ms)
        puan_jw_kinstant(w, "opened", d->opened_ms, offset);
    if (d->due_ms)
        puan_jw_kinstant(w, "due", d->due_ms, offset);
    puan_jw_end(w, '}');
}

static enum puan_status decide(struct puan_jw *w, struct puan_request *rq,
                               struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    struct puan_shard *office = puan_store_office(rq->store);
    struct decision *list = puan_new_n(rq->arena, FOLDED + 1, struct decision);
    struct puan_case_row *row = puan_new_n(rq->arena, FOLDED,
                                           struct puan_case_row);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    size_t n = 0, rows = 0;
    bool more = false, yes, all = true;
    enum puan_status st;

    if (!list || !row)
        return puan_arena_check(rq->arena, err);
    TRY(puan_read_begin(&db, office, err));
    /* those under a clock first, so that a bound leaves out the idle ones */
    st = puan_sql(&s, db,
                  "SELECT r.id, r.flow, r.area, r.subject, r.state, r.drill,"
                  " r.opened FROM case_run r LEFT JOIN case_clock c ON c.run ="
                  " r.id WHERE r.ended = 0 ORDER BY CASE WHEN c.at IS NULL"
                  " THEN 1 ELSE 0 END, c.at, r.id",
                  err);
    while (st == PUAN_OK &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        const struct puan_flow *f;

        if (!puan_area_contains_code(t, rq->area, puan_col_int(s, 2)) ||
            puan_cases_flow(&f, rq->store, puan_col_text(s, 1), NULL) !=
                PUAN_OK ||
            puan_str_is(f->subject, "lot") || puan_str_is(f->subject, "return"))
            continue; /* those have their own pages */
        if (rows == FOLDED) {
            all = false;
            break;
        }
        row[rows++] = (struct puan_case_row){
            .id = puan_col_int(s, 0),
            .flow = puan_arena_keep(rq->arena, puan_col_text(s, 1)),
            .area = puan_col_int(s, 2),
            .subject = puan_arena_keep(rq->arena, puan_col_text(s, 3)),
            .state = puan_arena_keep(rq->arena, puan_col_text(s, 4)),
            .drill = puan_col_int(s, 5) != 0,
            .opened_ms = puan_col_int(s, 6),
        };
    }
    puan_stmt_done(s);
    for (size_t i = 0; st == PUAN_OK && i < rows; i++) {
        st = decide_one(&list[n], &yes, rq, db, &row[i], err);
        n += st == PUAN_OK && yes;
    }
    if (st == PUAN_OK) {
        st = decide_lot(&list[n], &yes, rq, db, err);
        n += st == PUAN_OK && yes;
    }
    puan_read_end(office, db);
    if (st != PUAN_OK)
        return st;
    qsort(list, n, sizeof(*list), by_due);
    puan_jw_map(w);
    puan_jw_kint(w, "total", (int64_t)n);
    puan_jw_kbool(w, "all", all);
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t i = 0; i < n && i < DECISIONS; i++)
        put_decision(w, rq, &list[i]);
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- risks, cases, what holds the floor ------------------------------------------- */

static enum puan_status risks(struct puan_jw *w, struct puan_request *rq,
                              struct puan_err *err)
{
    int offset = puan_store_plan(rq->store)->offset_minutes;
    struct puan_risk *r;
    size_t n;

    TRY(puan_risks_of(&r, &n, rq->store, rq->area, rq->arena, err));
    puan_jw_list(w);
    for (size_t i = 0; i < n; i++) {
        puan_jw_map(w);
        puan_jw_kstr(w, "risk", r[i].risk);
        puan_jw_kstr(w, "zh", r[i].zh);
        puan_jw_kstr(w, "en", r[i].en);
        puan_jw_kint(w, "monitors", r[i].monitors);
        puan_jw_kint(w, "unread", r[i].unread);
        puan_jw_ktext(w, "level", puan_risk_level(r[i].level));
        puan_jw_kint(w, "alarms", r[i].alarms);
        if (r[i].level > 0) {
            puan_jw_key(w, "alarm");
            puan_jw_map(w);
            puan_jw_kstr(w, "monitor", r[i].monitor);
            puan_jw_kstr(w, "monitor_zh", r[i].monitor_zh);
            puan_jw_kstr(w, "monitor_en", r[i].monitor_en);
            puan_jw_kstr(w, "when", r[i].when);
            puan_jw_kint(w, "value", r[i].value);
            puan_jw_kint(w, "case", r[i].run);
            puan_jw_kinstant(w, "since", r[i].since_ms, offset);
            puan_put_area(w, rq->store, r[i].area);
            puan_jw_end(w, '}');
        }
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    return PUAN_OK;
}

/*
 * Open cases as the list of cases has them for this seat: acceptance and the
 * return have their own pages, a report of a violation is seen by whom its
 * flow names.
 */
static enum puan_status cases(struct puan_jw *w, struct puan_request *rq,
                              struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    int64_t n = 0, due = 0, due_run = 0;
    bool more = false;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    st = puan_sql(&s, db,
                  "SELECT r.id, r.area, c.at, r.flow FROM case_run r LEFT JOIN"
                  " case_clock c ON c.run = r.id WHERE r.ended = 0",
                  err);
    while (st == PUAN_OK &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        int64_t area = puan_col_int(s, 1);
        struct puan_flow_who who;
        const struct puan_flow *f;

        if (!puan_area_contains_code(t, rq->area, area) ||
            puan_cases_flow(&f, rq->store, puan_col_text(s, 3), NULL) !=
                PUAN_OK ||
            puan_str_is(f->subject, "lot") || puan_str_is(f->subject, "return"))
            continue;
        who = puan_case_seat(rq->store, puan_str_of(rq->who.name),
                             puan_str_of(rq->who.role_name), rq->who.area,
                             area);
        if (!puan_case_seen_by(f, &who))
            continue;
        n++;
        if (!puan_col_null(s, 2) && (!due || puan_col_int(s, 2) < due)) {
            due = puan_col_int(s, 2);
            due_run = puan_col_int(s, 0);
        }
    }
    puan_stmt_done(s);
    puan_read_end(office, db);
    if (st != PUAN_OK)
        return st;
    puan_jw_map(w);
    puan_jw_kint(w, "open", n);
    if (due) {
        puan_jw_kinstant(w, "due", due,
                         puan_store_plan(rq->store)->offset_minutes);
        puan_jw_kint(w, "case", due_run);
    }
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static enum puan_status metric(int64_t *v, struct puan_store *st,
                               const char *name, int64_t area,
                               struct puan_err *err)
{
    for (size_t f = 0; puan_features[f] != NULL; f++)
        for (size_t i = 0; i < puan_features[f]->n_metrics; i++)
            if (puan_str_is(puan_str_of(name),
                            puan_features[f]->metrics[i].name))
                return puan_features[f]->metrics[i].read(v, st, area, err);
    return puan_fail(err, PUAN_ENOTFOUND, name, "no such metric");
}

/* Figures of the registry that say whether the floor holds. */
static enum puan_status base(struct puan_jw *w, struct puan_request *rq,
                             struct puan_err *err)
{
    static const char *const name[][2] = {
        { "puan_backup_age", "backup_age_s" },
        { "puan_ledger_verified_age", "ledger_age_s" },
    };

    (void)err;
    puan_jw_map(w);
    for (size_t i = 0; i < PUAN_COUNT(name); i++) {
        int64_t v = 0;
        enum puan_status st =
            metric(&v, rq->store, name[i][0], rq->area, NULL);

        if (st == PUAN_OK)
            puan_jw_kint(w, name[i][1], v);
        else if (st == PUAN_ENOTFOUND) { /* never happened yet */
            puan_jw_key(w, name[i][1]);
            puan_jw_null(w);
        } /* else: left out, which is "not loaded" */
    }
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- how far, who lags --------------------------------------------------------------- */

struct lag {
    int64_t area;
    struct puan_work x;
    int64_t behind; /* thousandths under the plan */
    bool few;
};

static int by_lag(const void *x, const void *y)
{
    const struct lag *a = x, *b = y;

    if (a->few != b->few)
        return a->few ? 1 : -1;
    if (a->behind != b->behind)
        return a->behind > b->behind ? -1 : 1;
    return a->area < b->area ? -1 : a->area > b->area;
}

static void lagging(struct puan_jw *w, struct puan_request *rq)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t top = t ? puan_area_find(t, rq->area) : PUAN_AREA_NONE;
    struct puan_plan_curve curve;
    int64_t planned;
    struct lag *list;
    size_t n = 0, shown = 0, below = 0;

    puan_curve_of(&curve, puan_store_plan(rq->store));
    planned = puan_curve_at(&curve, rq->now);
    puan_jw_key(w, "lagging");
    if (top == PUAN_AREA_NONE) {
        puan_jw_null(w);
        return;
    }
    for (uint32_t i = top + 1; i < t->area[top].end; i = t->area[i].end)
        n++;
    list = puan_new_n(rq->arena, n ? n : 1, struct lag);
    if (!list) {
        puan_jw_null(w);
        return;
    }
    n = 0;
    for (uint32_t i = top + 1; i < t->area[top].end; i = t->area[i].end) {
        struct puan_work_basis basis;
        struct lag *l = &list[n];
        int64_t due;

        puan_work_of(&l->x, &basis, rq->store, t->area[i].code, puan_seat_level(rq));
        due = l->x.listed - l->x.vacant;
        if (basis.have < basis.of || due == 0)
            continue;
        l->area = t->area[i].code;
        l->few = due < PUAN_UNDER;
        l->behind = planned - l->x.delivered * 1000 / due;
        below += l->behind > 0;
        n++;
    }
    qsort(list, n, sizeof(*list), by_lag);
    puan_jw_map(w);
    puan_jw_kint(w, "areas", (int64_t)n);
    puan_jw_kint(w, "behind", (int64_t)below);
    if (top + 1 < t->area[top].end) {
        puan_jw_kstr(w, "level", t->level[t->area[top + 1].level].name);
        puan_jw_kstr(w, "level_zh", t->level[t->area[top + 1].level].zh);
        puan_jw_kstr(w, "level_en", t->level[t->area[top + 1].level].en);
    }
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t i = 0; i < n && shown < LAGGING; i++, shown++) {
        puan_jw_map(w);
        puan_put_area(w, rq->store, list[i].area);
        puan_put_counts(w, &list[i].x);
        puan_put_outlook(w, rq->store, &list[i].x, rq->now, list[i].area);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}

static void window_day(struct puan_jw *w, struct puan_request *rq)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_plan_curve c;
    int64_t day, last;

    puan_curve_of(&c, plan);
    puan_jw_key(w, "window");
    if (c.until_ms <= c.from_ms) {
        puan_jw_null(w);
        return;
    }
    day = puan_instant_day(rq->now, plan->offset_minutes) -
          puan_instant_day(c.from_ms, plan->offset_minutes) + 1;
    last = puan_instant_day(c.until_ms - 1, plan->offset_minutes) -
           puan_instant_day(c.from_ms, plan->offset_minutes) + 1;
    puan_jw_map(w);
    for (size_t i = 0; i < plan->n_windows; i++)
        if (plan->window[i].from_ms == c.from_ms &&
            plan->window[i].until_ms == c.until_ms &&
            plan->window[i].n_forms > 0) {
            puan_jw_kstr(w, "window", plan->window[i].id);
            puan_jw_kstr(w, "zh", plan->window[i].zh);
            puan_jw_kstr(w, "en", plan->window[i].en);
            break;
        }
    puan_jw_kint(w, "day", day);
    puan_jw_kint(w, "days", last);
    puan_jw_kinstant(w, "from", c.from_ms, plan->offset_minutes);
    puan_jw_kinstant(w, "until", c.until_ms, plan->offset_minutes);
    puan_jw_end(w, '}');
}

static void live(struct puan_jw *w, struct puan_request *rq,
                 const struct puan_work *x)
{
    puan_jw_key(w, "minutes");
    puan_jw_list(w);
    for (size_t i = 0; i < PUAN_WORK_MINUTES; i++)
        puan_jw_int(w, x->minute[i]);
    puan_jw_end(w, ']');
    puan_jw_key(w, "review");
    puan_jw_map(w);
    puan_jw_kint(w, "waiting", x->waiting);
    puan_jw_kint(w, "corrected", x->corrected);
    puan_jw_kint(w, "queried", x->queried);
    if (x->oldest_ms) {
        puan_jw_kinstant(w, "oldest", x->oldest_ms,
                         puan_store_plan(rq->store)->offset_minutes);
        puan_jw_kint(w, "oldest_s", (rq->now - x->oldest_ms) / 1000);
    }
    puan_jw_end(w, '}');
}

static void rules(struct puan_jw *w, struct puan_request *rq)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_work_rule r[RULES];
    size_t n = puan_work_rules(r, RULES, rq->store, rq->area);

    puan_jw_key(w, "rules");
    puan_jw_list(w);
    for (size_t i = 0; i < n; i++) {
        const struct puan_ruleset *rs =
            puan_ingest_rules(rq->store, plan->form[r[i].form]);
        const struct puan_rule_info *info =
            rs ? puan_ruleset_info(rs, r[i].rule) : NULL;

        if (!info)
            continue;
        puan_jw_map(w);
        puan_jw_kstr(w, "rule", info->id);
        puan_jw_kstr(w, "form", plan->form[r[i].form]->id);
        puan_jw_ktext(w, "severity",
                      info->severity == PUAN_HARD ? "hard" : "soft");
        puan_jw_kstr(w, "zh", info->zh);
        puan_jw_kstr(w, "en", info->en);
        puan_jw_kint(w, "households", r[i].households);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

/* What all who may see this area see of it: all but the decisions. */
static enum puan_status make(struct puan_out *o, struct puan_request *rq,
                             const void *in, struct puan_err *err)
{
    const char *lost[8];
    struct puan_work_basis basis;
    struct puan_work x;
    struct puan_jw w;
    size_t n_lost = 0;

    (void)in;
    puan_work_of(&x, &basis, rq->store, rq->area, puan_seat_level(rq));
    puan_jw_init(&w, o);
    puan_jw_map(&w);
    puan_put_basis(&w, rq, &basis);
    puan_jw_kinstant(&w, "now", rq->now,
                     puan_store_plan(rq->store)->offset_minutes);
    puan_put_area(&w, rq->store, rq->area);
    window_day(&w, rq);
    part(&w, rq, "risks", risks, lost, &n_lost);
    part(&w, rq, "base", base, lost, &n_lost);
    puan_jw_key(&w, "counts");
    if (basis.have > 0) {
        puan_jw_map(&w);
        puan_put_counts(&w, &x);
        puan_put_outlook(&w, rq->store, &x, rq->now, rq->area);
        puan_jw_end(&w, '}');
        lagging(&w, rq);
        live(&w, rq, &x);
        rules(&w, rq);
    } else {
        puan_jw_null(&w);
        lost[n_lost++] = "counts";
    }
    puan_jw_key(&w, "lost");
    puan_jw_list(&w);
    for (size_t i = 0; i < n_lost; i++)
        puan_jw_text(&w, lost[i]);
    puan_jw_end(&w, ']');
    puan_jw_end(&w, '}');
    return puan_arena_check(rq->arena, err);
}

static void own_part(struct puan_out *o, struct puan_request *rq,
                     const char *key, part_fn make_it)
{
    struct puan_err err = { 0 };
    struct puan_out own;
    struct puan_jw w;

    puan_out_init(&own, rq->arena);
    puan_jw_init(&w, &own);
    puan_out_fmt(o, ",\"%s\":", key);
    if (make_it(&w, rq, &err) == PUAN_OK)
        puan_out_str(o, puan_out_view(&own));
    else
        puan_out_text(o, "null"); /* the page says: not loaded */
}

enum puan_status puan_get_board(struct puan_request *rq, const void *in,
                                struct puan_err *err)
{
    /* decisions are those of the account: who signed may not sign again */
    struct puan_str key = puan_str_of(puan_arena_fmt(
        rq->arena, "board/%lld/%lld/%lld", (long long)rq->area,
        (long long)rq->who.account, (long long)rq->who.seat));
    struct puan_str common = puan_str_of(puan_arena_fmt(
        rq->arena, "common/%lld/%u", (long long)rq->area,
        puan_seat_level(rq)));
    uint64_t version = puan_work_version(rq->store) * 1000003 +
                       puan_shard_height(puan_store_office(rq->store));
    struct puan_str shared;
    struct puan_out o;

    if (puan_unchanged(rq, key, version))
        return PUAN_OK;
    TRY(puan_kept(&shared, rq, in, common, make, err));
    if (shared.n == 0)
        return PUAN_OK;
    puan_out_init(&o, rq->arena);
    puan_out_bytes(&o, shared.p, shared.n - 1); /* without its last brace */
    own_part(&o, rq, "decide", decide);
    own_part(&o, rq, "cases", cases);
    puan_out_char(&o, '}');
    TRY(puan_arena_check(rq->arena, err));
    puan_give(rq, puan_out_view(&o), key, version);
    return PUAN_OK;
}
