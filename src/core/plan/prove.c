/*
 * The slower proofs of a plan: rules against forms, workflows against roles,
 * levels and settings, capabilities against routes.
 */
#include "core/plan/flows.h"
#include "core/roster/roster.h"
#include "core/rule/prove.h"
#include "core/score/score.h"

struct proof {
    const struct puan_plan *p;
    struct puan_problems *problems;
    struct puan_arena *a;
    struct puan_err *err;
    enum puan_status st; /* of the first failure */
};

static void note(struct proof *f, struct puan_err *e)
{
    if (e->code == PUAN_OK)
        return;
    if (f->st == PUAN_OK) {
        f->st = e->code;
        if (f->err != NULL && f->err->code == PUAN_OK)
            *f->err = *e;
    }
    puan_problem_take(f->problems, e);
}

/* The rules that hold for one form do not contradict each other. */
static void contradictions(struct proof *f, const struct puan_form *form)
{
    const struct puan_prove_limits limits = { .cells = 20000,
                                              .nodes = 2000,
                                              .conflicts_only = true };
    struct puan_rule_proofs proofs;
    struct puan_arena own;
    struct puan_err e = { 0 };

    puan_arena_init(&own, f->a->host);
    if (puan_rules_prove(&proofs, form, f->p->consts, f->p->n_consts,
                         f->p->rule_text, f->p->rule_name, f->p->n_rules,
                         &limits, &own, &e) != PUAN_OK)
        note(f, &e);
    for (size_t i = 0; i < proofs.n; i++) {
        struct puan_rule_proofs one = { .list = &proofs.list[i], .n = 1 };

        if (puan_rule_proofs_refuse(&one, &e) != PUAN_OK)
            note(f, &e);
    }
    puan_arena_clear(&own);
}

/* Each rule compiles for the forms it applies to, and applies to one. */
static void rules(struct proof *f)
{
    size_t n = f->p->n_forms + f->p->n_sheets + f->p->n_dossiers, at = 0;
    const struct puan_ruleset **set =
        puan_new_n(f->a, n + 1, const struct puan_ruleset *);
    bool all = set != NULL;

    for (size_t i = 0; i < n; i++) {
        const struct puan_form *form = puan_plan_rule_form(f->p, i);
        struct puan_ruleset *rs = NULL;
        struct puan_err e = { 0 };

        if (puan_ruleset_compile(&rs, form, f->p->consts,
                                 f->p->n_consts, f->p->rule_text,
                                 f->p->rule_name, f->p->n_rules, f->a,
                                 &e) != PUAN_OK) {
            note(f, &e);
            all = false;
        }
        if (all)
            set[i] = rs;
        if (rs)
            contradictions(f, form);
    }
    while (all) {
        struct puan_err e = { 0 };

        all = puan_ruleset_next_used(set, n, &at, &e) != PUAN_OK;
        note(f, &e);
    }
}

static void capabilities(struct proof *f, const struct puan_plan_known *known)
{
    for (size_t i = 0; i < f->p->n_roles; i++) {
        const struct puan_role *r = &f->p->role[i];

        for (size_t k = 0; k < r->n_can; k++) {
            struct puan_err e = { 0 };
            bool found = false;

            for (size_t j = 0; !found && j < known->n_capabilities; j++)
                found = puan_str_eq(known->capability[j], r->can[k]);
            if (found)
                continue;
            (void)puan_node_fail(puan_node_get(r->at, "can"), &e,
                                 "role %.*s: no route asks for capability "
                                 "'%.*s', see puan permissions",
                                 PUAN_FMT(r->id), PUAN_FMT(r->can[k]));
            note(f, &e);
        }
    }
}

static struct puan_str flow_name(const struct puan_plan_file *file)
{
    return puan_node_str_opt(file->tree, "flow", "");
}

static const struct puan_office_hours *hours(const struct puan_plan *p,
                                             struct puan_arena *a)
{
    const struct puan_plan_hours *h = p->hours;
    struct puan_office_hours *o;

    if (h == NULL)
        return NULL;
    o = puan_new(a, struct puan_office_hours);
    if (o != NULL)
        *o = (struct puan_office_hours){ .offset_minutes = p->offset_minutes,
                                         .from_minute = h->from_minute,
                                         .to_minute = h->to_minute,
                                         .weekdays = h->weekdays,
                                         .holidays = h->holidays,
                                         .n_holidays = h->n_holidays,
                                         .workdays = h->workdays,
                                         .n_workdays = h->n_workdays };
    return o;
}

enum puan_status puan_plan_flow_env(struct puan_flow_env *env,
                                    const struct puan_plan *p,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_flow_role *role =
        puan_new_n(a, p->n_roles, struct puan_flow_role);
    struct puan_str *level = puan_new_n(a, p->n_levels, struct puan_str);
    struct puan_flow_setting *setting =
        puan_new_n(a, p->n_settings, struct puan_flow_setting);
    struct puan_str *flow = puan_new_n(a, p->n_flows + 1, struct puan_str);

    *env = (struct puan_flow_env){ .roles = role,
                                   .n_roles = p->n_roles,
                                   .levels = level,
                                   .n_levels = p->n_levels,
                                   .settings = setting,
                                   .n_settings = p->n_settings,
                                   .flows = flow,
                                   .n_flows = p->n_flows,
                                   .hours = hours(p, a) };
    if (a->failed)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < p->n_roles; i++)
        role[i] = (struct puan_flow_role){ p->role[i].id, p->role[i].external };
    for (size_t i = 0; i < p->n_levels; i++)
        level[i] = p->level[i].id;
    for (size_t i = 0; i < p->n_settings; i++)
        setting[i] =
            (struct puan_flow_setting){ p->setting[i].id, p->setting[i].text };
    for (size_t i = 0; i < p->n_flows; i++)
        flow[i] = flow_name(p->flows[i]);
    return PUAN_OK;
}

/* What a flow blocks in another is a transition there. */
static void blocked(struct proof *f, struct puan_flow *const *read, size_t at)
{
    const struct puan_node *list = puan_node_get(
        puan_node_get(f->p->flows[at]->tree, "links"), "blocks");

    for (size_t b = 0; read[at] != NULL && b < read[at]->n_blocks; b++)
        for (size_t k = 0; k < f->p->n_flows; k++) {
            const struct puan_flow_block *x = &read[at]->blocks[b];
            struct puan_err e = { 0 };

            if (read[k] == NULL ||
                !puan_str_eq(read[k]->label.name, x->flow) ||
                puan_flow_transition(read[k], x->transition) >= 0)
                continue;
            (void)puan_node_fail(
                puan_node_get(puan_node_at(list, b), "transition"), &e,
                "no transition \"%.*s\" in the flow \"%.*s\"; mend the name",
                PUAN_FMT(x->transition), PUAN_FMT(x->flow));
            note(f, &e);
        }
}

/* A seat that acts but whose role may not use the routes of cases.  Runs of
   lots, releases and returns act through routes of their own. */
static void capable(struct proof *f, const struct puan_flow *flow,
                    const struct puan_node *tree)
{
    puan_flow_set act = 0;

    if (!puan_str_is(flow->subject, "area"))
        return;
    for (size_t i = 0; i < flow->n_transitions; i++)
        act |= flow->transitions[i].by;
    for (size_t i = 0; i < flow->n_steps; i++)
        act |= flow->steps[i].by | flow->steps[i].ordered_by;
    for (size_t i = 0; i < flow->n_approvals; i++) {
        act |= flow->approvals[i].asked_by;
        for (size_t k = 0; k < flow->approvals[i].n_seats; k++)
            act |= (puan_flow_set)1 << (unsigned)flow->approvals[i].seats[k];
    }
    for (size_t i = 0; i < flow->n_seats; i++) {
        const struct puan_flow_seat *seat = &flow->seats[i];
        const struct puan_role *role = puan_plan_role(f->p, seat->role);
        bool opens = PUAN_FLOW_HAS(flow->open_by, i);
        bool acts = PUAN_FLOW_HAS(act, i);
        const char *lacks =
            opens && role && !puan_role_can(role, PUAN_STR("case.open"))
                ? "case.open"
            : acts && role && !puan_role_can(role, PUAN_STR("case.act"))
                ? "case.act"
                : NULL;
        struct puan_err e = { 0 };

        if (!lacks || role->external)
            continue;
        (void)puan_node_fail(
            puan_node_get(puan_node_get(tree, "seats"),
                          puan_arena_fmt(f->a, "%.*s",
                                         PUAN_FMT(seat->label.name))),
            &e,
            "the seat \"%.*s\" %s, which the role \"%.*s\" may not; add %s to "
            "its can: in plan.yaml, or take another role",
            PUAN_FMT(seat->label.name),
            lacks[5] == 'o' ? "opens a case" : "acts in a case",
            PUAN_FMT(seat->role), lacks);
        note(f, &e);
    }
}

static void take(void *arg, struct puan_err *e)
{
    note(arg, e);
}

static void flows(struct proof *f, const struct puan_plan_known *known)
{
    struct puan_flow_env env;
    struct puan_err e = { 0 };
    struct puan_flow **read =
        puan_new_n(f->a, f->p->n_flows + 1, struct puan_flow *);

    if (read == NULL)
        return;
    if (puan_plan_flow_env(&env, f->p, f->a, &e) != PUAN_OK) {
        note(f, &e);
        return;
    }
    if (known != NULL) {
        env.calls = known->call;
        env.n_calls = known->n_calls;
    }
    for (size_t i = 0; i < f->p->n_flows; i++) {
        struct puan_flow *flow;

        for (size_t k = 0; k < i; k++) {
            if (!puan_str_eq(env.flows[k], env.flows[i]))
                continue;
            (void)puan_node_fail(f->p->flows[i]->tree, &e,
                                 "workflow '%.*s' is defined in %s already, rename one",
                                 PUAN_FMT(env.flows[i]), f->p->flows[k]->name);
            note(f, &e);
        }
        e = (struct puan_err){ 0 };
        if (puan_flow_load(&flow, f->p->flows[i]->tree, &env, f->a, &e) !=
            PUAN_OK)
            note(f, &e);
        else
            read[i] = flow;
        if (read[i] == NULL)
            continue;
        capable(f, flow, f->p->flows[i]->tree);
        puan_flow_lint(flow, f->p->flows[i]->tree, &env, take, f);
    }
    for (size_t i = 0; i < f->p->n_flows; i++)
        blocked(f, read, i);
}

static bool has_role(const void *of, struct puan_str id)
{
    return puan_plan_role(of, id) != NULL;
}
static bool has_level(const void *of, struct puan_str id)
{
    return puan_plan_level(of, id) >= 0;
}

/* The scheme of points adds up and names what is there. */
static void scoring(struct proof *f)
{
    const struct puan_score_scheme_env env = { has_role, has_level, f->p };
    const struct puan_plan_file *file =
        puan_plan_file(f->p, PUAN_STR("scoring.yaml"));
    struct puan_score_scheme *s = NULL;
    struct puan_err e = { 0 };

    if (file != NULL && file->tree != NULL &&
        puan_score_scheme_load(&s, file->tree, &env, f->a, &e) != PUAN_OK)
        note(f, &e);
}

static bool has_duration(int64_t *ms, const void *of, struct puan_str id)
{
    const struct puan_setting *s = puan_plan_setting(of, id);

    if (s == NULL || s->kind != PUAN_SETTING_DURATION)
        return false;
    *ms = s->value;
    return true;
}

/* How offices keep watch. */
static void duty(struct proof *f)
{
    const struct puan_duty_env env = { has_role, has_level, has_duration,
                                       f->p };
    const struct puan_plan_file *file =
        puan_plan_file(f->p, PUAN_STR("duty.yaml"));
    struct puan_duty *d = NULL;
    struct puan_err e = { 0 };

    if (file != NULL && file->tree != NULL &&
        puan_duty_load(&d, file->tree, &env, f->a, &e) != PUAN_OK)
        note(f, &e);
}

enum puan_status puan_plan_prove(const struct puan_plan *p,
                                 const struct puan_plan_known *known,
                                 struct puan_problems *problems,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct proof f = { p, problems, a, err, PUAN_OK };

    rules(&f);
    flows(&f, known);
    scoring(&f);
    duty(&f);
    if (known != NULL && known->capability != NULL)
        capabilities(&f, known);
    if (a->failed)
        return puan_arena_check(a, err);
    return f.st;
}
