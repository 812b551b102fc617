/*
 * What is done in a drill; every act is decided and entered in one body.
 */
#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/drill/internal.h"
#include "features/live/live.h"
#include "features/notify/notify.h"

struct doing { /* one act under way */
    struct puan_shard *sh;
    struct puan_db *db;
    struct puan_act *act;
    struct puan_store *st;
    struct puan_drill_call *c;
    struct puan_drill_row row;
    const struct puan_drill *drill; /* NULL: outside any */
    struct puan_arena *a;
    int64_t now;
};

static bool is_system(const struct puan_drill_call *c)
{
    return puan_str_is(c->role, "system");
}

static enum puan_status note(const struct doing *d, const char *kind,
                             struct puan_str name, bool yes, int64_t of_case,
                             struct puan_str body, struct puan_err *err)
{
    const struct puan_drill_event e = { .run = d->row.id,
                                        .at = d->now,
                                        .kind = puan_str_of(kind),
                                        .name = name,
                                        .role = d->c->role,
                                        .area = d->c->seat_area,
                                        .person = d->c->person,
                                        .yes = yes,
                                        .case_run = of_case,
                                        .body = body };

    return puan_drill_event_add(d->sh, d->db, d->act, e, d->a, err);
}

static enum puan_status lead_only(const struct doing *d, struct puan_err *err)
{
    if (is_system(d->c) || (puan_str_eq(d->c->role, d->row.lead_role) &&
                            d->c->seat_area == d->row.lead_area))
        return PUAN_OK;
    return puan_fail(err, PUAN_EDENIED, "drill",
                     "only the seat that leads this drill may do this");
}

static enum puan_status in_state(const struct doing *d, const char *one,
                                 const char *other, struct puan_err *err)
{
    if (puan_str_is(d->row.state, one) ||
        (other != NULL && puan_str_is(d->row.state, other)))
        return PUAN_OK;
    return puan_fail(err, PUAN_ECONFLICT, "drill", "the drill is %.*s",
                     PUAN_FMT(d->row.state));
}

static bool has_event(const struct puan_drill_event *e, size_t n,
                      const char *kind, struct puan_str name,
                      struct puan_str role, int64_t area)
{
    for (size_t i = 0; i < n; i++)
        if (puan_str_is(e[i].kind, kind) && puan_str_eq(e[i].name, name) &&
            (role.n == 0 ||
             (puan_str_eq(e[i].role, role) && e[i].area == area)))
            return true;
    return false;
}

static enum puan_status write_row(struct doing *d, struct puan_err *err)
{
    puan_live_touch(d->st, "drills", d->row.area);
    return puan_drill_row_write(d->sh, d->db, d->act, &d->row, d->a, err);
}

/* ---- injects ---------------------------------------------------------------- */

/* A message to one contact: an event, and what leaves the office. */
static enum puan_status message(const struct doing *d,
                                const struct puan_drill_inject *i,
                                struct puan_str role, int64_t area,
                                struct puan_err *err)
{
    const struct puan_drill_event e = { .run = d->row.id,
                                        .at = d->now,
                                        .kind = PUAN_STR("message"),
                                        .name = i->id,
                                        .role = role,
                                        .area = area,
                                        .yes = true };
    struct puan_flow_label *what = puan_new(d->a, struct puan_flow_label);
    struct puan_notify m = { .kind = PUAN_NOTIFY_NOTICE,
                             .role = role,
                             .area = area,
                             .level = PUAN_STR(""),
                             .account = PUAN_STR(""),
                             .at_ms = d->now,
                             .drill = true };

    if (what == NULL)
        return puan_arena_check(d->a, err);
    *what = (struct puan_flow_label){ d->drill->id, d->drill->zh,
                                      d->drill->en };
    m.what = what;
    m.about = PUAN_STR("drills");
    TRY(puan_drill_event_add(d->sh, d->db, d->act, e, d->a, err));
    puan_live_touch(d->st, "notices", area);
    return puan_notify_in(NULL, d->sh, d->db, d->act, &m, d->a, err);
}

static enum puan_status open_case(const struct doing *d,
                                  const struct puan_drill_inject *i,
                                  struct puan_err *err)
{
    struct puan_case_call *call = puan_new(d->a, struct puan_case_call);

    if (call == NULL)
        return puan_arena_check(d->a, err);
    call->arena = d->a;
    call->flow = i->open;
    call->area = d->row.area;
    call->subject = puan_str_of(
        puan_arena_fmt(d->a, "drill/%lld", (long long)d->row.id));
    call->event.kind = PUAN_FLOW_OPEN;
    call->event.who = puan_case_system();
    call->event.fields = i->fields;
    call->event.drill = true;
    return puan_case_in(d->sh, d->db, d->act, call, err);
}

static enum puan_status send(const struct doing *d, size_t at,
                             struct puan_err *err)
{
    const struct puan_drill_inject *i = &d->drill->inject[at];

    TRY(note(d, "inject", i->id, true, 0, PUAN_STR(""), err));
    for (size_t k = 0; k < d->drill->n_contacts; k++) {
        const struct puan_drill_contact *c = &d->drill->contact[k];
        int64_t area = puan_drill_contact_area(d->st, c, d->row.area);

        if ((i->to >> k & 1) && area != 0)
            TRY(message(d, i, c->role, area, err));
    }
    return i->open.n > 0 ? open_case(d, i, err) : PUAN_OK;
}

/* Those whose time has come and that were not sent. */
static enum puan_status send_due(const struct doing *d, size_t *sent,
                                 struct puan_err *err)
{
    struct puan_drill_event *e = NULL;
    size_t n = 0;

    *sent = 0;
    if (d->drill == NULL)
        return PUAN_OK;
    TRY(puan_drill_events(&e, &n, d->db, d->row.id, d->a, err));
    for (size_t i = 0; i < d->drill->n_injects; i++) {
        const struct puan_drill_inject *x = &d->drill->inject[i];

        if (d->row.started + x->at_ms > d->now ||
            has_event(e, n, "inject", x->id, PUAN_STR(""), 0))
            continue;
        TRY(send(d, i, err));
        ++*sent;
    }
    return PUAN_OK;
}

/* ---- acts ------------------------------------------------------------------- */

static enum puan_status plan_it(struct doing *d, struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(d->st);
    uint32_t i = puan_area_find(t, d->c->area);

    TRY(puan_drill_find(&d->drill, d->st, d->c->drill, err));
    if (i == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "there is no such area");
    if (!puan_str_eq(t->level[t->area[i].level].name, d->drill->level))
        return puan_fail(err, PUAN_EINVAL, "area",
                         "this drill takes place at an area of level %.*s",
                         PUAN_FMT(d->drill->level));
    if (!is_system(d->c) && !puan_str_eq(d->c->role, d->drill->lead))
        return puan_fail(err, PUAN_EDENIED, "drill",
                         "this drill is led by another seat");
    d->row = (struct puan_drill_row){
        .drill = d->drill->id,
        .version = d->drill->version,
        .area = d->c->area,
        .state = PUAN_STR("planned"),
        .lead_role = d->drill->lead,
        .lead_area = is_system(d->c) ? d->c->area : d->c->seat_area,
        .lead_person = d->c->person,
        .planned = d->c->at_ms ? d->c->at_ms : d->now,
        .report = PUAN_STR("")
    };
    TRY(puan_db_int(&d->row.id, d->db,
                    "SELECT COALESCE(MAX(id), 0) + 1 FROM drill_run", 1, err));
    d->c->made = d->row.id;
    return write_row(d, err);
}

/* One drill of workflows at a place at a time: else nobody knew which one a
 * case belongs to. */
static enum puan_status place_free(const struct doing *d, struct puan_err *err)
{
    int64_t *id = NULL;
    size_t n = 0;

    TRY(puan_drill_ids(&id, &n, d->db, PUAN_STR("running"), d->a, err));
    for (size_t i = 0; i < n; i++) {
        struct puan_drill_row r;

        TRY(puan_drill_row_read(&r, d->db, id[i], d->a, err));
        if (r.area == d->row.area && r.drill.n > 0)
            return puan_fail(err, PUAN_ECONFLICT, "drill",
                             "another drill is running here; end it first");
    }
    return PUAN_OK;
}

static enum puan_status start(struct doing *d, struct puan_err *err)
{
    size_t sent;

    TRY(lead_only(d, err));
    TRY(in_state(d, "planned", NULL, err));
    TRY(place_free(d, err));
    d->row.state = PUAN_STR("running");
    d->row.started = d->now;
    TRY(write_row(d, err));
    TRY(note(d, "start", PUAN_STR(""), true, 0, PUAN_STR(""), err));
    return send_due(d, &sent, err);
}

static enum puan_status inject(struct doing *d, struct puan_err *err)
{
    struct puan_drill_event *e = NULL;
    size_t n = 0, sent = 0;
    int at;

    TRY(lead_only(d, err));
    TRY(in_state(d, "running", NULL, err));
    puan_live_touch(d->st, "drills", d->row.area);
    if (d->c->name.n == 0) { /* the timetable */
        TRY(send_due(d, &sent, err));
        d->act->silent = sent == 0;
        return PUAN_OK;
    }
    at = d->drill ? puan_drill_inject_of(d->drill, d->c->name) : -1;
    if (at < 0)
        return puan_fail(err, PUAN_ENOTFOUND, "inject",
                         "the drill has no such inject");
    TRY(puan_drill_events(&e, &n, d->db, d->row.id, d->a, err));
    if (has_event(e, n, "inject", d->c->name, PUAN_STR(""), 0))
        return puan_fail(err, PUAN_ECONFLICT, "inject", "it was sent already");
    return send(d, (size_t)at, err);
}

static enum puan_status hear(struct doing *d, struct puan_err *err)
{
    struct puan_drill_event *e = NULL;
    size_t n = 0;

    TRY(in_state(d, "running", NULL, err));
    TRY(puan_drill_events(&e, &n, d->db, d->row.id, d->a, err));
    if (!has_event(e, n, "message", d->c->name, d->c->role, d->c->seat_area))
        return puan_fail(err, PUAN_ENOTFOUND, "inject",
                         "this seat was told nothing of the kind");
    if (has_event(e, n, "heard", d->c->name, d->c->role, d->c->seat_area))
        return puan_fail(err, PUAN_ECONFLICT, "inject",
                         "its receipt was given already");
    puan_live_touch(d->st, "drills", d->row.area);
    return note(d, "heard", d->c->name, true, 0, PUAN_STR(""), err);
}

static enum puan_status observe(struct doing *d, struct puan_err *err)
{
    int at = d->drill ? puan_drill_expect_of(d->drill, d->c->name) : -1;

    TRY(lead_only(d, err));
    if (!puan_str_is(d->row.state, "aborted"))
        TRY(in_state(d, "running", "ended", err));
    if (at < 0 || d->drill->expect[at].kind != PUAN_DRILL_OBSERVED)
        return puan_fail(err, PUAN_EINVAL, "expectation",
                         "only what is to be observed is ticked by hand");
    puan_live_touch(d->st, "drills", d->row.area);
    return note(d, "observed", d->c->name, d->c->yes, 0, d->c->text, err);
}

static enum puan_status measure(struct doing *d, struct puan_err *err)
{
    if (!is_system(d->c))
        return puan_fail(err, PUAN_EDENIED, "drill",
                         "measures are entered by Puan itself");
    TRY(in_state(d, "running", NULL, err));
    puan_live_touch(d->st, "drills", d->row.area);
    return note(d, "measured", d->c->name, d->c->yes, 0, d->c->text, err);
}

/* Nothing goes on in the cases of a drill that is over. */
static enum puan_status stop_cases(const struct doing *d, struct puan_err *err)
{
    int64_t *id = NULL;
    size_t n = 0;

    TRY(puan_drill_cases(&id, &n, d->db, d->row.id, d->a, err));
    for (size_t i = 0; i < n; i++) {
        struct puan_case_call *call = puan_new(d->a, struct puan_case_call);
        struct puan_case_row row = { 0 };

        if (call == NULL)
            return puan_arena_check(d->a, err);
        TRY(puan_case_read(&row, NULL, d->st, d->db, id[i], d->a, err));
        if (row.ended_ms != 0)
            continue;
        call->arena = d->a;
        call->run = id[i];
        call->event.kind = PUAN_FLOW_STOP;
        call->event.who = puan_case_system();
        TRY(puan_case_in(d->sh, d->db, d->act, call, err));
    }
    return PUAN_OK;
}

static enum puan_status end(struct doing *d, const char *kind,
                            const char *state, struct puan_err *err)
{
    TRY(lead_only(d, err));
    TRY(in_state(d, "running", NULL, err));
    d->row.state = puan_str_of(state);
    d->row.ended = d->now;
    TRY(write_row(d, err));
    TRY(note(d, kind, PUAN_STR(""), true, 0, d->c->text, err));
    return stop_cases(d, err);
}

static enum puan_status improve(struct doing *d, struct puan_err *err)
{
    struct puan_case_call *call = puan_new(d->a, struct puan_case_call);

    if (call == NULL)
        return puan_arena_check(d->a, err);
    TRY(lead_only(d, err));
    if (!puan_str_is(d->row.state, "aborted"))
        TRY(in_state(d, "ended", "reported", err));
    if (d->drill == NULL || d->drill->improve.n == 0)
        return puan_fail(err, PUAN_ECONFLICT, "improve",
                         "this drill names no workflow for improvements");
    call->arena = d->a;
    call->flow = d->drill->improve;
    call->area = d->row.area;
    call->event.kind = PUAN_FLOW_OPEN;
    call->event.who = puan_case_seat(d->st, d->c->person, d->c->role,
                                     d->c->seat_area, d->row.area);
    call->event.fields = d->c->fields;
    TRY(puan_case_in(d->sh, d->db, d->act, call, err));
    d->c->made = call->row.id;
    puan_live_touch(d->st, "drills", d->row.area);
    return note(d, "improvement", PUAN_STR(""), true, call->row.id,
                puan_node_str_opt(d->c->fields, "title", ""), err);
}

/* ---- the report, and the register ------------------------------------------ */

static struct puan_node *field(struct puan_node *map, struct puan_arena *a,
                               const char *key, struct puan_str text,
                               bool quoted)
{
    struct puan_node *n = puan_new(a, struct puan_node);

    if (n == NULL)
        return NULL;
    n->kind = PUAN_NODE_SCALAR;
    n->key = puan_str_of(key);
    n->text = text;
    n->quoted = quoted;
    n->file = "drill";
    n->next = map->first;
    map->first = n;
    map->n++;
    return n;
}

/* Persons who did something, the lead not among them. */
static int64_t taking_part(const struct puan_drill_story *s)
{
    struct puan_str seen[256];
    size_t n = 0;

    for (size_t i = 0; i < s->n_cases; i++)
        for (size_t k = 0; k < s->cases[i].n; k++) {
            const struct puan_flow_who *w = &s->cases[i].event[k].who;
            size_t j = 0;

            if (w->system || puan_str_eq(w->actor, s->row.lead_person))
                continue;
            while (j < n && !puan_str_eq(seen[j], w->actor))
                j++;
            if (j == n && n < PUAN_COUNT(seen))
                seen[n++] = w->actor;
        }
    for (size_t i = 0; i < s->n_events; i++) {
        size_t j = 0;

        if (!puan_str_is(s->event[i].kind, "heard"))
            continue;
        while (j < n && !puan_str_eq(seen[j], s->event[i].person))
            j++;
        if (j == n && n < PUAN_COUNT(seen))
            seen[n++] = s->event[i].person;
    }
    return n > 0 ? (int64_t)n : 1;
}

static struct puan_str improvements(const struct puan_drill_story *s,
                                    struct puan_arena *a)
{
    struct puan_out o;

    puan_out_init(&o, a);
    for (size_t i = 0; i < s->n_events; i++) {
        if (!puan_str_is(s->event[i].kind, "improvement"))
            continue;
        if (puan_out_view(&o).n > 0)
            puan_out_text(&o, "；");
        if (puan_out_view(&o).n + s->event[i].body.n < 1800)
            puan_out_str(&o, s->event[i].body);
    }
    if (puan_out_view(&o).n == 0)
        puan_out_text(&o, "无 none");
    return puan_out_view(&o);
}

static const struct puan_node *result_of(const struct puan_drill_story *s,
                                         struct puan_arena *a)
{
    struct puan_node *map = puan_new(a, struct puan_node);
    char *when = puan_arena_get(a, 40);

    if (map == NULL || when == NULL)
        return NULL;
    map->kind = PUAN_NODE_MAP;
    map->file = "drill";
    puan_instant_text(when, s->row.started, 0);
    field(map, a, "held_at", puan_str_of(when), true);
    field(map, a, "taking_part",
          puan_str_of(puan_arena_fmt(a, "%lld", (long long)taking_part(s))),
          false);
    field(map, a, "result",
          puan_str_of(s->result.passed ? "passed" : "failed"), true);
    field(map, a, "improvements", improvements(s, a), true);
    return map;
}

/* The sheet of this plan that waits for its drill; 0: none. */
static enum puan_status sheet_of(int64_t *out, const struct doing *d,
                                 struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    int64_t id[256];
    size_t n = 0;
    bool more = false;
    enum puan_status st;

    *out = 0;
    TRY(puan_sql(&s, d->db,
                 "SELECT id FROM case_run WHERE flow = $1 AND area = $2 AND"
                 " ended = 0 AND drill = 0 ORDER BY id",
                 err));
    puan_bind_text(s, 1, d->drill->register_flow);
    puan_bind_int(s, 2, d->row.area);
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more &&
           n < PUAN_COUNT(id))
        id[n++] = puan_col_int(s, 0);
    puan_stmt_done(s);
    TRY(st);
    for (size_t i = 0; i < n && *out == 0; i++) {
        struct puan_case_row row;
        struct puan_flow_run *run = NULL;
        int at;

        TRY(puan_case_read(&row, &run, d->st, d->db, id[i], d->a, err));
        at = puan_flow_field(run->flow, PUAN_STR("plan"));
        if (at >= 0 && run->state == run->flow->initial &&
            puan_str_eq(run->field[at].text, d->drill->zh))
            *out = id[i];
    }
    return PUAN_OK;
}

/* The result goes into the register, by the lead and with its report. */
static enum puan_status enter(const struct doing *d,
                              const struct puan_drill_story *s,
                              struct puan_err *err)
{
    struct puan_flow_paper *paper = puan_new(d->a, struct puan_flow_paper);
    struct puan_case_call *call = puan_new(d->a, struct puan_case_call);
    const struct puan_flow_who who =
        puan_case_seat(d->st, d->c->person, d->c->role, d->c->seat_area,
                       d->row.area);
    const struct puan_node *fields = result_of(s, d->a);
    struct puan_node *first = puan_new(d->a, struct puan_node);
    int64_t sheet = 0;

    if (paper == NULL || call == NULL || fields == NULL || first == NULL)
        return puan_arena_check(d->a, err);
    TRY(sheet_of(&sheet, d, err));
    if (sheet == 0) {
        call->arena = d->a;
        call->flow = d->drill->register_flow;
        call->area = d->row.area;
        call->event.kind = PUAN_FLOW_OPEN;
        call->event.who = who;
        first->kind = PUAN_NODE_MAP;
        first->file = "drill";
        field(first, d->a, "plan", d->drill->zh, true);
        call->event.fields = first;
        TRY(puan_case_in(d->sh, d->db, d->act, call, err));
        sheet = call->row.id;
        call = puan_new(d->a, struct puan_case_call);
        if (call == NULL)
            return puan_arena_check(d->a, err);
    }
    paper->kind = PUAN_STR("record");
    memcpy(paper->digest, d->c->digest, PUAN_DIGEST_SIZE);
    call->arena = d->a;
    call->run = sheet;
    call->event.kind = PUAN_FLOW_ACT;
    call->event.name = PUAN_STR("record");
    call->event.who = who;
    call->event.fields = fields;
    call->event.papers = paper;
    call->event.n_papers = 1;
    return puan_case_in(d->sh, d->db, d->act, call, err);
}

static enum puan_status report(struct doing *d, struct puan_err *err)
{
    struct puan_drill_story *s = puan_new(d->a, struct puan_drill_story);
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    if (s == NULL)
        return puan_arena_check(d->a, err);
    TRY(lead_only(d, err));
    TRY(in_state(d, "ended", "aborted", err));
    TRY(puan_drill_story_read(s, d->st, d->db, d->row.id, d->now, d->a, err));
    puan_hex(hex, d->c->digest, PUAN_DIGEST_SIZE);
    d->row.state = PUAN_STR("reported");
    d->row.points = s->result.points;
    d->row.full = s->result.full;
    d->row.passed = s->result.passed;
    d->row.report = puan_arena_keep(d->a, puan_str_of(hex));
    TRY(write_row(d, err));
    TRY(note(d, "report", PUAN_STR(""), s->result.passed, 0, d->c->text, err));
    if (d->drill == NULL || d->drill->register_flow.n == 0)
        return PUAN_OK;
    return enter(d, s, err);
}

static enum puan_status body(struct puan_shard *sh, struct puan_db *db,
                             struct puan_act *act, void *arg,
                             struct puan_err *err)
{
    struct puan_drill_call *c = arg;
    struct doing d = { .sh = sh, .db = db, .act = act, .c = c,
                       .st = puan_shard_store(sh), .a = c->arena };

    d.now = puan_store_now(d.st);
    if (c->what == PUAN_DRILL_DO_PLAN)
        return plan_it(&d, err);
    TRY(puan_drill_row_read(&d.row, db, c->run, c->arena, err));
    d.drill = puan_drills_get(&puan_drill_state(d.st)->drills, d.row.drill);
    switch (c->what) {
    case PUAN_DRILL_DO_PLAN:
        break;
    case PUAN_DRILL_DO_START:
        return start(&d, err);
    case PUAN_DRILL_DO_INJECT:
        return inject(&d, err);
    case PUAN_DRILL_DO_HEAR:
        return hear(&d, err);
    case PUAN_DRILL_DO_OBSERVE:
        return observe(&d, err);
    case PUAN_DRILL_DO_MEASURE:
        return measure(&d, err);
    case PUAN_DRILL_DO_END:
        return end(&d, "end", "ended", err);
    case PUAN_DRILL_DO_ABORT:
        return end(&d, "abort", "aborted", err);
    case PUAN_DRILL_DO_IMPROVE:
        return improve(&d, err);
    case PUAN_DRILL_DO_REPORT:
        return report(&d, err);
    }
    return PUAN_OK;
}

enum puan_status puan_drill_do(struct puan_store *st, struct puan_act *act,
                               struct puan_drill_call *c, struct puan_err *err)
{
    static const char *const verbs[] = {
        "drill.plan",    "drill.start", "drill.inject", "drill.hear",
        "drill.observe", "drill.measure", "drill.end",  "drill.abort",
        "drill.improve", "drill.report"
    };

    if (act->verb.n == 0)
        act->verb = puan_str_of(verbs[c->what]);
    if (act->subject.n == 0 && c->run != 0)
        act->subject = puan_str_of(
            puan_arena_fmt(c->arena, "drill/%lld", (long long)c->run));
    else if (act->subject.n == 0)
        act->subject = c->drill;
    if (act->note.n == 0)
        act->note = c->name.n ? c->name : c->text;
    return puan_commit(puan_store_office(st), act, body, c, err);
}
