/*
 * Requests about drills: the calendar, one drill, what is done in it.
 */
#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/drill/internal.h"
#include "features/host/host.h"

struct drill_in {
    int64_t area, id;
    struct puan_str drill, at, inject, expectation, text, fields;
    bool yes;
};

/* ---- the calendar ----------------------------------------------------------- */

#define OFFICES 400

struct held { /* the last drill of a plan at an office */
    int64_t at, id;
    bool passed;
};

static struct held last_held(const struct puan_drill_row *r, size_t n,
                             struct puan_str drill, int64_t area)
{
    struct held out = { 0 };

    for (size_t i = 0; i < n; i++)
        if (r[i].area == area && puan_str_eq(r[i].drill, drill) &&
            puan_str_is(r[i].state, "reported") && r[i].ended > out.at)
            out = (struct held){ r[i].ended, r[i].id, r[i].passed };
    return out;
}

static void put_time(struct puan_jw *w, struct puan_request *rq,
                     const char *key, int64_t ms)
{
    if (ms != 0) {
        puan_jw_kinstant(w, key, ms, puan_store_plan(rq->store)->offset_minutes);
        return;
    }
    puan_jw_key(w, key);
    puan_jw_null(w);
}

static void put_offices(struct puan_jw *w, struct puan_request *rq,
                        const struct puan_drill *d,
                        const struct puan_drill_row *r, size_t n)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    int level = t ? puan_area_level_of(t, d->level) : -1;
    size_t shown = 0;

    puan_jw_key(w, "offices");
    puan_jw_list(w);
    for (uint32_t i = 0; level >= 0 && i < t->n && shown < OFFICES; i++) {
        int64_t area = t->area[i].code;
        struct held h;

        if ((int)t->area[i].level != level ||
            !(puan_area_contains_code(t, rq->area, area) ||
              puan_area_contains_code(t, area, rq->area)))
            continue;
        h = last_held(r, n, d->id, area);
        shown++;
        puan_jw_map(w);
        puan_drill_area(w, rq->store, area);
        puan_jw_key(w, "last");
        if (h.id != 0)
            puan_jw_int(w, h.id);
        else
            puan_jw_null(w);
        put_time(w, rq, "held", h.at);
        puan_jw_kbool(w, "passed", h.passed);
        put_time(w, rq, "next", h.at ? h.at + d->every_ms : 0);
        /* a plan never drilled is due now */
        puan_jw_kbool(w, "overdue", h.at + d->every_ms < rq->now);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

static void put_role(struct puan_jw *w, const struct puan_plan *plan,
                     struct puan_str role)
{
    const struct puan_role *x = puan_plan_role(plan, role);

    puan_jw_kstr(w, "role", role);
    puan_jw_kstr(w, "role_zh", x ? x->zh : role);
    puan_jw_kstr(w, "role_en", x ? x->en : role);
}

static void put_plan(struct puan_jw *w, struct puan_request *rq,
                     const struct puan_drill *d, const struct puan_drill_row *r,
                     size_t n)
{
    const struct puan_flow *f =
        d->of.n ? puan_flows_get(puan_cases_flows(rq->store), d->of) : NULL;

    puan_jw_map(w);
    puan_jw_kstr(w, "drill", d->id);
    puan_jw_kstr(w, "zh", d->zh);
    puan_jw_kstr(w, "en", d->en);
    puan_jw_kstr(w, "goal_zh", d->goal_zh);
    puan_jw_kstr(w, "goal_en", d->goal_en);
    puan_jw_kstr(w, "of", d->of);
    puan_jw_kstr(w, "of_zh", f ? f->label.zh : PUAN_STR(""));
    puan_jw_kstr(w, "of_en", f ? f->label.en : PUAN_STR(""));
    puan_jw_kstr(w, "does", d->does);
    puan_jw_kstr(w, "level", d->level);
    puan_jw_kint(w, "every_days", d->every_ms / 86400000);
    puan_jw_kint(w, "minutes", d->length_ms / 60000);
    puan_jw_kint(w, "points", d->points);
    puan_jw_kint(w, "pass", d->pass);
    puan_jw_kint(w, "injects", (int64_t)d->n_injects);
    put_role(w, puan_store_plan(rq->store), d->lead);
    puan_jw_kbool(w, "mine", puan_str_is(d->lead, rq->who.role_name));
    put_offices(w, rq, d, r, n);
    puan_jw_end(w, '}');
}

static void put_run(struct puan_jw *w, struct puan_request *rq,
                    const struct puan_drill_row *r)
{
    const struct puan_drill *d =
        puan_drills_get(&puan_drill_state(rq->store)->drills, r->drill);

    puan_jw_map(w);
    puan_jw_kint(w, "id", r->id);
    puan_jw_kstr(w, "drill", r->drill);
    puan_jw_kstr(w, "zh", d ? d->zh : PUAN_STR("临时演练"));
    puan_jw_kstr(w, "en", d ? d->en : PUAN_STR("Drill outside a scenario"));
    puan_jw_kstr(w, "does", d ? d->does : PUAN_STR(""));
    puan_jw_kstr(w, "state", r->state);
    puan_drill_area(w, rq->store, r->area);
    put_role(w, puan_store_plan(rq->store), r->lead_role);
    put_time(w, rq, "planned", r->planned);
    put_time(w, rq, "started", r->started);
    put_time(w, rq, "ended", r->ended);
    puan_jw_kint(w, "points", r->points);
    puan_jw_kint(w, "full", r->full);
    puan_jw_kbool(w, "passed", r->passed);
    puan_jw_end(w, '}');
}

/* What this seat was told in drills that run, and has not confirmed. */
static enum puan_status put_messages(struct puan_jw *w, struct puan_request *rq,
                                     struct puan_db *db,
                                     const struct puan_drill_row *r, size_t n,
                                     struct puan_err *err)
{
    const struct puan_str role = puan_str_of(rq->who.role_name);

    puan_jw_key(w, "messages");
    puan_jw_list(w);
    for (size_t i = 0; i < n; i++) {
        const struct puan_drill *d =
            puan_drills_get(&puan_drill_state(rq->store)->drills, r[i].drill);
        struct puan_drill_event *e = NULL;
        size_t n_e = 0;

        if (!puan_str_is(r[i].state, "running") || d == NULL)
            continue;
        TRY(puan_drill_events(&e, &n_e, db, r[i].id, rq->arena, err));
        for (size_t k = 0; k < n_e; k++) {
            int at = puan_drill_inject_of(d, e[k].name);
            bool heard = false;

            if (at < 0 || !puan_str_is(e[k].kind, "message") ||
                !puan_str_eq(e[k].role, role) || e[k].area != rq->who.area)
                continue;
            for (size_t j = 0; j < n_e; j++)
                heard = heard || (puan_str_is(e[j].kind, "heard") &&
                                  puan_str_eq(e[j].name, e[k].name) &&
                                  puan_str_eq(e[j].role, role) &&
                                  e[j].area == rq->who.area);
            if (heard)
                continue;
            puan_jw_map(w);
            puan_jw_kint(w, "id", r[i].id);
            puan_jw_kstr(w, "inject", e[k].name);
            puan_jw_kstr(w, "drill_zh", d->zh);
            puan_jw_kstr(w, "drill_en", d->en);
            puan_jw_kstr(w, "zh", d->inject[at].zh);
            puan_jw_kstr(w, "en", d->inject[at].en);
            put_time(w, rq, "at", e[k].at);
            puan_jw_end(w, '}');
        }
    }
    puan_jw_end(w, ']');
    return PUAN_OK;
}

static enum puan_status calendar(struct puan_request *rq, const void *v,
                                 struct puan_err *err)
{
    const struct puan_drills *all = &puan_drill_state(rq->store)->drills;
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_drill_row *r = NULL;
    struct puan_db *db = NULL;
    struct puan_jw *w;
    int64_t *id = NULL;
    size_t n = 0, k = 0;
    enum puan_status st;

    (void)v;
    TRY(puan_read_begin(&db, office, err));
    st = puan_drill_ids(&id, &n, db, PUAN_STR(""), rq->arena, err);
    r = puan_new_n(rq->arena, n, struct puan_drill_row);
    for (size_t i = 0; st == PUAN_OK && r != NULL && i < n; i++) {
        st = puan_drill_row_read(&r[k], db, id[i], rq->arena, err);
        k += puan_area_contains_code(t, rq->area, r[k].area) ||
             puan_area_contains_code(t, r[k].area, rq->area);
    }
    if (st == PUAN_OK && puan_arena_check(rq->arena, err) == PUAN_OK) {
        w = puan_answer_begin(rq, 200);
        puan_jw_map(w);
        puan_jw_kcode(w, "area", rq->area);
        puan_jw_kbool(w, "may_run", puan_request_can(rq, "drill.run"));
        st = put_messages(w, rq, db, r, k, err);
        puan_jw_key(w, "plans");
        puan_jw_list(w);
        for (size_t i = 0; i < all->n; i++)
            put_plan(w, rq, all->drill[i], r, k);
        puan_jw_end(w, ']');
        puan_jw_key(w, "runs");
        puan_jw_list(w);
        for (size_t i = 0; i < k; i++)
            put_run(w, rq, &r[i]);
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
    }
    puan_read_end(office, db);
    return st;
}

/* ---- one drill ---------------------------------------------------------------- */

static enum puan_status area_of(int64_t *area, struct puan_request *rq,
                                const void *v, struct puan_err *err)
{
    const struct drill_in *in = v;
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_drill_row r;
    struct puan_db *db = NULL;
    enum puan_status st;

    TRY(puan_read_begin(&db, office, err));
    st = puan_drill_row_read(&r, db, in->id, rq->arena, err);
    puan_read_end(office, db);
    if (st == PUAN_OK)
        *area = r.area;
    return st;
}

static enum puan_status story_of(struct puan_drill_story **out,
                                 struct puan_request *rq, int64_t id,
                                 struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_db *db = NULL;
    enum puan_status st;

    *out = puan_new(rq->arena, struct puan_drill_story);
    if (*out == NULL)
        return puan_arena_check(rq->arena, err);
    TRY(puan_read_begin(&db, office, err));
    st = puan_drill_story_read(*out, rq->store, db, id, rq->now, rq->arena,
                               err);
    puan_read_end(office, db);
    return st;
}

/* While it goes on, what is expected is seen by those who run drills and take
 * no part in this one. */
static bool sees_all(struct puan_request *rq, const struct puan_drill_row *r)
{
    const struct puan_str role = puan_str_of(rq->who.role_name);

    if (!puan_str_is(r->state, "planned") && !puan_str_is(r->state, "running"))
        return true;
    if (puan_str_eq(role, r->lead_role) && rq->who.area == r->lead_area)
        return true;
    return puan_request_can(rq, "drill.run") &&
           !puan_drill_takes_part(rq->store, r, role, rq->who.area);
}

static enum puan_status show(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    const struct drill_in *in = v;
    struct puan_drill_story *s = NULL;

    TRY(story_of(&s, rq, in->id, err));
    puan_drill_json(puan_answer_begin(rq, 200), rq->store, s,
                    sees_all(rq, &s->row), puan_str_of(rq->who.role_name),
                    rq->who.area);
    return PUAN_OK;
}

static enum puan_status show_report(struct puan_request *rq, const void *v,
                                    struct puan_err *err)
{
    const struct drill_in *in = v;
    struct puan_drill_story *s = NULL;
    struct puan_out o;

    TRY(story_of(&s, rq, in->id, err));
    if (!sees_all(rq, &s->row))
        return puan_fail(err, PUAN_ECONFLICT, "drill",
                         "the report is there when the drill has ended");
    puan_out_init(&o, rq->arena);
    puan_drill_report(&o, rq->store, s);
    TRY(puan_arena_check(rq->arena, err));
    puan_answer_bytes(rq, 200, "text/markdown; charset=utf-8",
                      puan_out_view(&o));
    return PUAN_OK;
}

/* ---- acts --------------------------------------------------------------------- */

static enum puan_status act_on(struct puan_drill_call *c,
                               struct puan_request *rq,
                               const struct drill_in *in,
                               enum puan_drill_do what, struct puan_err *err)
{
    struct puan_act act;

    *c = (struct puan_drill_call){ .what = what,
                                   .run = in->id,
                                   .drill = in->drill,
                                   .area = rq->area,
                                   .role = puan_str_of(rq->who.role_name),
                                   .person = puan_str_of(rq->who.name),
                                   .seat_area = rq->who.area,
                                   .text = in->text.p ? in->text
                                                      : PUAN_STR(""),
                                   .yes = in->yes,
                                   .arena = rq->arena };
    c->name = in->inject.n ? in->inject : in->expectation;
    if (c->name.p == NULL)
        c->name = PUAN_STR("");
    puan_request_act(&act, rq, PUAN_STR(""));
    if (in->at.n > 0 && !puan_instant_parse(&c->at_ms, in->at))
        return puan_fail(err, PUAN_EINVAL, "at",
                         "\"at\" must be a time like "
                         "2020-11-01T08:00:00+08:00");
    if (in->fields.n > 0) {
        struct puan_node *n = NULL;

        TRY(puan_json_tree(&n, in->fields, "fields", rq->arena, err));
        if (n->kind != PUAN_NODE_MAP)
            return puan_fail(err, PUAN_EINVAL, "fields",
                             "fields must be a map of names to values");
        c->fields = n;
    }
    if (what == PUAN_DRILL_DO_REPORT) {
        struct puan_drill_story *s = NULL;
        struct puan_out o;

        TRY(story_of(&s, rq, in->id, err));
        puan_out_init(&o, rq->arena);
        puan_drill_report(&o, rq->store, s);
        puan_out_text(&o, "\n## 小结 Summary\n\n");
        puan_out_str(&o, c->text);
        puan_out_char(&o, '\n');
        TRY(puan_arena_check(rq->arena, err));
        TRY(puan_blob_put(c->digest, rq->store, puan_out_view(&o), rq->arena,
                          err));
    }
    return puan_drill_do(rq->store, &act, c, err);
}

static enum puan_status answer(struct puan_request *rq,
                               const struct puan_drill_call *c, unsigned status)
{
    struct puan_jw *w = puan_answer_begin(rq, status);

    puan_jw_map(w);
    puan_jw_kint(w, "id", c->what == PUAN_DRILL_DO_IMPROVE ? c->run
                          : c->made                        ? c->made
                                                           : c->run);
    if (c->what == PUAN_DRILL_DO_IMPROVE)
        puan_jw_kint(w, "case", c->made);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

#define ACT(name, what, status)                                                \
    static enum puan_status name(struct puan_request *rq, const void *v,       \
                                 struct puan_err *err)                         \
    {                                                                          \
        struct puan_drill_call c;                                              \
                                                                               \
        TRY(act_on(&c, rq, v, what, err));                                     \
        return answer(rq, &c, status);                                         \
    }
ACT(plan_drill, PUAN_DRILL_DO_PLAN, 201)
ACT(send_inject, PUAN_DRILL_DO_INJECT, 200)
ACT(hear, PUAN_DRILL_DO_HEAR, 200)
ACT(observe, PUAN_DRILL_DO_OBSERVE, 200)
ACT(end, PUAN_DRILL_DO_END, 200)
ACT(abort_drill, PUAN_DRILL_DO_ABORT, 200)
ACT(improve, PUAN_DRILL_DO_IMPROVE, 201)
ACT(report, PUAN_DRILL_DO_REPORT, 200)

/* A technical drill goes on by itself in the background. */
static enum puan_status start(struct puan_request *rq, const void *v,
                              struct puan_err *err)
{
    const struct drill_in *in = v;
    struct puan_drill_story *s = NULL;
    struct puan_drill_call c;

    TRY(story_of(&s, rq, in->id, err));
    TRY(act_on(&c, rq, in, PUAN_DRILL_DO_START, err));
    if (s->drill != NULL && s->drill->does.n > 0)
        TRY(puan_drill_procedure_begin(rq->store, in->id, err));
    return answer(rq, &c, 200);
}

#define ID                                                                     \
    { "id", PUAN_PARAM_INT, offsetof(struct drill_in, id), 1, INT64_MAX, false }
#define TEXT(key, member, max, opt)                                            \
    { key, PUAN_PARAM_TEXT, offsetof(struct drill_in, member), opt ? 0 : 1,    \
      max, opt }

static const struct puan_param list_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct drill_in, area), 1, INT64_MAX,
      true },
};
static const struct puan_param plan_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct drill_in, area), 1, INT64_MAX,
      false },
    TEXT("drill", drill, 64, false), TEXT("at", at, 40, true)
};
static const struct puan_param id_params[] = { ID };
static const struct puan_param inject_params[] = {
    ID, TEXT("inject", inject, 64, false)
};
static const struct puan_param observe_params[] = {
    ID, TEXT("expectation", expectation, 64, false),
    { "yes", PUAN_PARAM_BOOL, offsetof(struct drill_in, yes), 0, 1, false },
    TEXT("reason", text, 1000, true)
};
static const struct puan_param why_params[] = {
    ID, TEXT("reason", text, 1000, false)
};
static const struct puan_param report_params[] = {
    ID, TEXT("summary", text, 6000, false)
};
static const struct puan_param improve_params[] = {
    ID, { "fields", PUAN_PARAM_JSON, offsetof(struct drill_in, fields), 1,
          65536, false }
};

#define ROW(m, p, cap, v, s, f, t)                                             \
    { .method = m, .path = "/c/{campaign}/drills/{id}" p, .capability = cap,   \
      .scope = PUAN_SCOPE_OBJECT, .verb = v, .summary = s, .handle = f,        \
      PUAN_PARAMS(t, struct drill_in), .area_of = area_of }

const struct puan_route puan_drill_routes[PUAN_DRILL_ROUTES] = {
    { .method = PUAN_GET, .path = "/c/{campaign}/drills",
      .capability = "drill.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "Drills of the plan with their terms, drills held, what this "
                 "seat was told",
      .handle = calendar, PUAN_PARAMS(list_params, struct drill_in) },
    { .method = PUAN_POST, .path = "/c/{campaign}/drills",
      .capability = "drill.run", .scope = PUAN_SCOPE_AREA,
      .verb = "drill.plan", .summary = "Plan a drill", .handle = plan_drill,
      PUAN_PARAMS(plan_params, struct drill_in) },
    ROW(PUAN_GET, "", "drill.view", "", "A drill", show, id_params),
    ROW(PUAN_GET, "/report", "drill.view", "", "The report of a drill",
        show_report, id_params),
    ROW(PUAN_POST, "/start", "drill.run", "drill.start", "Start a drill", start,
        id_params),
    ROW(PUAN_POST, "/inject", "drill.run", "drill.inject",
        "Send an inject before its time", send_inject, inject_params),
    ROW(PUAN_POST, "/hear", "drill.view", "drill.hear",
        "Confirm what this seat was told", hear, inject_params),
    ROW(PUAN_POST, "/observe", "drill.run", "drill.observe",
        "Tick what was observed", observe, observe_params),
    ROW(PUAN_POST, "/end", "drill.run", "drill.end", "End a drill", end,
        id_params),
    ROW(PUAN_POST, "/abort", "drill.run", "drill.abort",
        "Break a drill off: something real has happened", abort_drill,
        why_params),
    ROW(PUAN_POST, "/improve", "drill.run", "drill.improve",
        "Open a task for an improvement", improve, improve_params),
    ROW(PUAN_POST, "/report", "drill.run", "drill.report",
        "Close a drill with its report", report, report_params),
};
