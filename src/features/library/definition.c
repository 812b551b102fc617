/*
 * One workflow as JSON, in words of the plan: what a page draws and lists.
 */
#include "core/flow/look.h"
#include "features/library/internal.h"

/* What is passed along while one flow is written. */
struct def {
    struct puan_jw *w;
    const struct puan_plan *plan;
    const struct puan_flow *f;
    struct puan_arena *a;
};

void puan_library_label(struct puan_jw *w, const struct puan_flow_label *l)
{
    puan_jw_kstr(w, "id", l->name);
    puan_jw_kstr(w, "zh", l->zh);
    puan_jw_kstr(w, "en", l->en);
}

void puan_library_role(struct puan_jw *w, const struct puan_plan *p,
                       const char *key, struct puan_str role)
{
    const struct puan_role *r = puan_plan_role(p, role);
    bool any = puan_str_is(role, "any"), system = puan_str_is(role, "system");

    puan_jw_key(w, key);
    puan_jw_map(w);
    puan_jw_kstr(w, "id", role);
    puan_jw_kstr(w, "zh",
                 r        ? r->zh
                 : any    ? PUAN_STR("任何岗位")
                 : system ? PUAN_STR("系统")
                          : role);
    puan_jw_kstr(w, "en",
                 r        ? r->en
                 : any    ? PUAN_STR("Any seat")
                 : system ? PUAN_STR("Puan")
                          : role);
    puan_jw_kbool(w, "external", r != NULL && r->external);
    puan_jw_end(w, '}');
}

const char *puan_library_standing(const struct puan_flow *f, int64_t now)
{
    if (f->issued.interpreter.n == 0)
        return "in-force";
    if (f->on_approval &&
        (f->issued.approved_ms == 0 || now < f->issued.approved_ms))
        return "unapproved";
    if (now < f->issued.effective_ms)
        return "not-yet";
    return f->issued.trial ? "trial" : "in-force";
}

/* ---- parts ----------------------------------------------------------------- */

static void open_list(struct def *d, const char *key)
{
    puan_jw_key(d->w, key);
    puan_jw_list(d->w);
}

static void labels(struct def *d, const char *key, puan_flow_set set,
                   size_t n, const struct puan_flow_label *(*of)(
                                 const struct puan_flow *f, size_t i))
{
    open_list(d, key);
    for (size_t i = 0; i < n; i++)
        if (PUAN_FLOW_HAS(set, i))
            puan_jw_str(d->w, of(d->f, i)->name);
    puan_jw_end(d->w, ']');
}

static const struct puan_flow_label *seat_of(const struct puan_flow *f,
                                             size_t i)
{
    return &f->seats[i].label;
}
static const struct puan_flow_label *field_of(const struct puan_flow *f,
                                              size_t i)
{
    return &f->fields[i].label;
}
static const struct puan_flow_label *state_of(const struct puan_flow *f,
                                              size_t i)
{
    return &f->states[i];
}
static const struct puan_flow_label *step_of(const struct puan_flow *f,
                                             size_t i)
{
    return &f->steps[i].label;
}
static const struct puan_flow_label *paper_of(const struct puan_flow *f,
                                              size_t i)
{
    return &f->evidence[i];
}

static void seats(struct def *d, const char *key, puan_flow_set s)
{
    labels(d, key, s, d->f->n_seats, seat_of);
}
static void fields(struct def *d, const char *key, puan_flow_set s)
{
    labels(d, key, s, d->f->n_fields, field_of);
}

static void words(struct def *d, struct puan_str when)
{
    struct puan_out zh, en;

    if (when.n == 0)
        return;
    puan_out_init(&zh, d->a);
    puan_out_init(&en, d->a);
    puan_flow_words(&zh, d->f, when, true);
    puan_flow_words(&en, d->f, when, false);
    puan_jw_kstr(d->w, "when_zh", puan_out_view(&zh));
    puan_jw_kstr(d->w, "when_en", puan_out_view(&en));
}

static void approval_name(struct def *d, int approval)
{
    if (approval >= 0)
        puan_jw_kstr(d->w, "approval",
                     d->f->approvals[approval].label.name);
}

static void seats_json(struct def *d)
{
    static const char *const reach[] = { "own", "parent", "ancestor", "any" };

    open_list(d, "seats");
    for (size_t i = 0; i < d->f->n_seats; i++) {
        const struct puan_flow_seat *s = &d->f->seats[i];
        int level = s->reach == PUAN_FLOW_ANCESTOR
                        ? puan_plan_level(d->plan, s->level)
                        : -1;

        puan_jw_map(d->w);
        puan_library_label(d->w, &s->label);
        puan_library_role(d->w, d->plan, "role", s->role);
        puan_jw_ktext(d->w, "reach", reach[s->reach]);
        if (level >= 0) {
            puan_jw_kstr(d->w, "level_zh", d->plan->level[level].zh);
            puan_jw_kstr(d->w, "level_en", d->plan->level[level].en);
        }
        puan_jw_end(d->w, '}');
    }
    puan_jw_end(d->w, ']');
}

static void fields_json(struct def *d)
{
    static const char *const type[] = { "text", "int",  "enum", "bool",
                                        "time", "area", "ref" };

    open_list(d, "fields");
    for (size_t i = 0; i < d->f->n_fields; i++) {
        const struct puan_flow_field *x = &d->f->fields[i];

        puan_jw_map(d->w);
        puan_library_label(d->w, &x->label);
        puan_jw_ktext(d->w, "type", type[x->type]);
        puan_jw_kbool(d->w, "secret", x->secret);
        seats(d, "by", x->by);
        puan_jw_end(d->w, '}');
    }
    puan_jw_end(d->w, ']');
    open_list(d, "papers");
    for (size_t i = 0; i < d->f->n_evidence; i++) {
        puan_jw_map(d->w);
        puan_library_label(d->w, &d->f->evidence[i]);
        puan_jw_end(d->w, '}');
    }
    puan_jw_end(d->w, ']');
}

static void states_json(struct def *d)
{
    open_list(d, "states");
    for (size_t i = 0; i < d->f->n_states; i++) {
        puan_jw_map(d->w);
        puan_library_label(d->w, &d->f->states[i]);
        puan_jw_ktext(d->w, "is",
                      (int)i == d->f->initial             ? "first"
                      : PUAN_FLOW_HAS(d->f->terminal, i) ? "last"
                                                          : "active");
        puan_jw_end(d->w, '}');
    }
    puan_jw_end(d->w, ']');
    puan_jw_key(d->w, "open");
    puan_jw_map(d->w);
    seats(d, "by", d->f->open_by);
    fields(d, "needs", d->f->open_needs);
    puan_jw_end(d->w, '}');
}

static void flow_words(struct def *d, const struct puan_flows *all,
                       struct puan_str name)
{
    const struct puan_flow *f = puan_flows_get(all, name);

    puan_jw_map(d->w);
    puan_jw_kstr(d->w, "id", name);
    puan_jw_kstr(d->w, "zh", f ? f->label.zh : name);
    puan_jw_kstr(d->w, "en", f ? f->label.en : name);
    puan_jw_kbool(d->w, "here", f != NULL);
    puan_jw_end(d->w, '}');
}

/* Who is told and what is opened by it; what the host is called for is not a
 * reader's matter. */
static void effects_json(struct def *d, const struct puan_flows *all,
                         const struct puan_flow_effect *e, size_t n)
{
    puan_flow_set told = 0;

    for (size_t i = 0; i < n; i++)
        if (e[i].kind == PUAN_FLOW_NOTIFY && e[i].index >= 0)
            told |= (puan_flow_set)1 << e[i].index;
    seats(d, "tells", told);
    open_list(d, "opens");
    for (size_t i = 0; i < n; i++)
        if (e[i].kind == PUAN_FLOW_SPAWN)
            flow_words(d, all, e[i].name);
    puan_jw_end(d->w, ']');
}

static void transitions_json(struct def *d, const struct puan_flows *all)
{
    const struct puan_flow *f = d->f;

    open_list(d, "transitions");
    for (size_t i = 0; i < f->n_transitions; i++) {
        const struct puan_flow_transition *t = &f->transitions[i];

        puan_jw_map(d->w);
        puan_library_label(d->w, &t->label);
        labels(d, "from", t->from, f->n_states, state_of);
        if (t->to >= 0)
            puan_jw_kstr(d->w, "to", f->states[t->to].name);
        seats(d, "by", t->by);
        if (t->clock >= 0)
            puan_jw_kstr(d->w, "clock", f->clocks[t->clock].label.name);
        approval_name(d, t->approval);
        fields(d, "needs", t->needs_fields);
        labels(d, "papers", t->needs_evidence, f->n_evidence, paper_of);
        labels(d, "steps", t->needs_steps, f->n_steps, step_of);
        puan_jw_kbool(d->w, "all_steps", t->all_steps);
        open_list(d, "none_open");
        for (size_t k = 0; k < t->n_none_open; k++)
            if (puan_str_is(t->none_open[k], "estimate")) {
                puan_jw_map(d->w);
                puan_jw_ktext(d->w, "id", "estimate");
                puan_jw_ktext(d->w, "zh", "推算数");
                puan_jw_ktext(d->w, "en", "Estimates");
                puan_jw_kbool(d->w, "here", false);
                puan_jw_end(d->w, '}');
            } else {
                flow_words(d, all, t->none_open[k]);
            }
        puan_jw_end(d->w, ']');
        words(d, t->when_text);
        if (t->report >= 0)
            puan_jw_kstr(d->w, "report", f->reports[t->report].label.name);
        effects_json(d, all, t->effects, t->n_effects);
        puan_jw_end(d->w, '}');
    }
    puan_jw_end(d->w, ']');
}

static void steps_json(struct def *d)
{
    const struct puan_flow *f = d->f;

    open_list(d, "steps");
    for (size_t i = 0; i < f->n_steps; i++) {
        const struct puan_flow_step *s = &f->steps[i];

        puan_jw_map(d->w);
        puan_library_label(d->w, &s->label);
        puan_jw_ktext(d->w, "authority", s->own_authority ? "own" : "order");
        seats(d, "by", s->by);
        seats(d, "ordered_by", s->ordered_by);
        labels(d, "states", s->states, f->n_states, state_of);
        labels(d, "after", s->after, f->n_steps, step_of);
        words(d, s->when_text);
        puan_jw_kbool(d->w, "optional", s->optional);
        approval_name(d, s->approval);
        if (s->opens_due >= 0)
            puan_jw_kstr(d->w, "opens_due",
                         f->clocks[s->opens_due].label.name);
        fields(d, "needs", s->needs_fields);
        labels(d, "papers", s->needs_evidence, f->n_evidence, paper_of);
        puan_jw_end(d->w, '}');
    }
    puan_jw_end(d->w, ']');
}

static void approvals_json(struct def *d)
{
    static const char *const rule[] = { "one", "all", "n", "sequence" };

    open_list(d, "approvals");
    for (size_t i = 0; i < d->f->n_approvals; i++) {
        const struct puan_flow_approval *p = &d->f->approvals[i];

        puan_jw_map(d->w);
        puan_library_label(d->w, &p->label);
        puan_jw_ktext(d->w, "rule", rule[p->rule]);
        puan_jw_kint(d->w, "n", (int64_t)p->n);
        open_list(d, "seats"); /* in their order */
        for (size_t k = 0; k < p->n_seats; k++)
            puan_jw_str(d->w, d->f->seats[p->seats[k]].label.name);
        puan_jw_end(d->w, ']');
        seats(d, "asked_by", p->asked_by);
        labels(d, "states", p->states, d->f->n_states, state_of);
        puan_jw_kbool(d->w, "not_requester", p->not_requester);
        puan_jw_kbool(d->w, "void_on_change", p->void_on_change);
        fields(d, "covers", p->covers);
        puan_jw_kint(d->w, "expires_ms", p->expires_ms);
        puan_jw_end(d->w, '}');
    }
    puan_jw_end(d->w, ']');
}

/* "接报 / 上报": what starts or stops a clock, in words. */
static void events_words(struct def *d, const char *key,
                         const struct puan_flow_when *e, size_t n)
{
    open_list(d, key);
    for (size_t i = 0; i < n; i++) {
        const struct puan_flow *f = d->f;
        struct puan_flow_label l = { PUAN_STR("open"), PUAN_STR("立案"),
                                     PUAN_STR("opening") };

        switch (e[i].kind) {
        case PUAN_FLOW_ON_OPEN:
            break;
        case PUAN_FLOW_ON_TRANSITION:
            l = f->transitions[e[i].index].label;
            break;
        case PUAN_FLOW_ON_STEP:
            l = f->steps[e[i].index].label;
            break;
        case PUAN_FLOW_ON_DUE:
            l = f->clocks[e[i].index].label;
            l.zh = puan_str_of(
                puan_arena_fmt(d->a, "%.*s到时", PUAN_FMT(l.zh)));
            l.en = puan_str_of(
                puan_arena_fmt(d->a, "%.*s is due", PUAN_FMT(l.en)));
            break;
        case PUAN_FLOW_ON_FIELD:
            l = f->fields[e[i].index].label;
            break;
        case PUAN_FLOW_ON_TAKE:
            l = (struct puan_flow_label){ PUAN_STR("take"), PUAN_STR("接手"),
                                          PUAN_STR("Take over") };
            break;
        }
        puan_jw_map(d->w);
        puan_library_label(d->w, &l);
        puan_jw_end(d->w, '}');
    }
    puan_jw_end(d->w, ']');
}

/* A limit the plan leaves to a setting is shown with the setting beside it. */
static void setting_json(struct def *d, struct puan_str text)
{
    const struct puan_setting *s;

    if (!puan_str_starts(text, "setting."))
        return;
    s = puan_plan_setting(d->plan,
                          (struct puan_str){ text.p + 8, text.n - 8 });
    if (s == NULL)
        return;
    puan_jw_key(d->w, "setting");
    puan_jw_map(d->w);
    puan_jw_kstr(d->w, "id", s->id);
    puan_jw_kstr(d->w, "zh", s->zh);
    puan_jw_kstr(d->w, "en", s->en);
    puan_jw_kstr(d->w, "text", s->text);
    puan_jw_end(d->w, '}');
}

static void clocks_json(struct def *d)
{
    const struct puan_flow *f = d->f;

    open_list(d, "clocks");
    for (size_t i = 0; i < f->n_clocks; i++) {
        const struct puan_flow_clock *c = &f->clocks[i];

        if (f->recurrence.clock == (int)i)
            continue;
        puan_jw_map(d->w);
        puan_library_label(d->w, &c->label);
        events_words(d, "start", c->start, c->n_start);
        events_words(d, "stop", c->stop, c->n_stop);
        if (c->limit_ms >= 0)
            puan_jw_kint(d->w, "limit_ms", c->limit_ms);
        if (c->at_field >= 0)
            puan_jw_kstr(d->w, "at", f->fields[c->at_field].label.name);
        if (c->limit_field >= 0)
            puan_jw_kstr(d->w, "minutes",
                         f->fields[c->limit_field].label.name);
        setting_json(d, c->limit_text);
        puan_jw_kbool(d->w, "office", c->office);
        words(d, c->when_text);
        open_list(d, "warn");
        for (size_t k = 0; k < c->n_warn; k++)
            puan_jw_int(d->w, c->warn[k]);
        puan_jw_end(d->w, ']');
        open_list(d, "ladder");
        for (size_t k = 0; k < c->n_ladder; k++)
            puan_jw_str(d->w, f->seats[c->ladder[k]].label.name);
        puan_jw_end(d->w, ']');
        puan_jw_kint(d->w, "every_ms", c->every_ms);
        puan_jw_end(d->w, '}');
    }
    puan_jw_end(d->w, ']');
}

static void reports_json(struct def *d)
{
    open_list(d, "reports");
    for (size_t i = 0; i < d->f->n_reports; i++) {
        const struct puan_flow_report *r = &d->f->reports[i];

        puan_jw_map(d->w);
        puan_library_label(d->w, &r->label);
        puan_jw_kstr(d->w, "to", d->f->seats[r->to].label.name);
        fields(d, "fields", r->fields);
        puan_jw_kbool(d->w, "may_skip", r->skip_reason >= 0);
        puan_jw_end(d->w, '}');
    }
    puan_jw_end(d->w, ']');
}

static void links_json(struct def *d, const struct puan_flows *all)
{
    const struct puan_flow *f = d->f;

    open_list(d, "opens");
    for (size_t i = 0; i < f->n_opens; i++)
        flow_words(d, all, f->opens[i]);
    puan_jw_end(d->w, ']');
    open_list(d, "outranks");
    for (size_t i = 0; i < f->n_outranks; i++)
        flow_words(d, all, f->outranks[i]);
    puan_jw_end(d->w, ']');
    open_list(d, "blocks");
    for (size_t i = 0; i < f->n_blocks; i++) {
        const struct puan_flow *o = puan_flows_get(all, f->blocks[i].flow);
        int t = o ? puan_flow_transition(o, f->blocks[i].transition) : -1;

        puan_jw_map(d->w);
        puan_jw_key(d->w, "flow");
        flow_words(d, all, f->blocks[i].flow);
        puan_jw_key(d->w, "act");
        puan_jw_map(d->w);
        if (t >= 0)
            puan_library_label(d->w, &o->transitions[t].label);
        puan_jw_end(d->w, '}');
        if (f->blocks[i].until >= 0)
            puan_jw_kstr(d->w, "until",
                         f->approvals[f->blocks[i].until].label.name);
        puan_jw_end(d->w, '}');
    }
    puan_jw_end(d->w, ']');
}

static void register_json(struct def *d)
{
    const struct puan_flow *f = d->f;

    if (f->recurrence.clock >= 0) {
        puan_jw_key(d->w, "recurrence");
        puan_jw_map(d->w);
        puan_jw_kstr(d->w, "every", f->recurrence.every);
        puan_jw_kint(d->w, "every_ms", f->recurrence.every_ms);
        puan_jw_kstr(d->w, "at", f->recurrence.at);
        puan_jw_end(d->w, '}');
    }
    open_list(d, "quantities");
    for (size_t i = 0; i < f->n_quantities; i++) {
        puan_jw_map(d->w);
        puan_library_label(d->w, &f->quantities[i].label);
        puan_jw_kstr(d->w, "unit_zh", f->quantities[i].unit_zh);
        puan_jw_kstr(d->w, "unit_en", f->quantities[i].unit_en);
        puan_jw_end(d->w, '}');
    }
    puan_jw_end(d->w, ']');
}

void puan_library_definition(struct puan_jw *w, const struct puan_plan *p,
                             const struct puan_flow *f,
                             const struct puan_flows *all,
                             struct puan_arena *a)
{
    struct def d = { w, p, f, a };

    open_list(&d, "clauses");
    for (size_t i = 0; i < f->n_clauses; i++)
        puan_jw_str(w, f->clauses[i]);
    puan_jw_end(w, ']');
    seats_json(&d);
    fields_json(&d);
    states_json(&d);
    transitions_json(&d, all);
    steps_json(&d);
    approvals_json(&d);
    clocks_json(&d);
    reports_json(&d);
    links_json(&d, all);
    register_json(&d);
}
