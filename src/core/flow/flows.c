/*
 * The workflows of a plan.  Never opens a file: the plan has read them.
 */
#include "core/flow/flows.h"

#define TRY(x)                                                                 \
    do {                                                                       \
        enum puan_status try_ = (x);                                           \
        if (try_ != PUAN_OK)                                                   \
            return try_;                                                       \
    } while (0)

/* "09:30" as minutes of the day. */
static bool minutes(int *out, struct puan_str s)
{
    struct puan_str h, m;
    int64_t hour, minute;

    m = s;
    if (!puan_str_split(&h, &m, ':') || m.p == NULL ||
        !puan_int_parse(&hour, h) || !puan_int_parse(&minute, m) || hour < 0 ||
        hour > 24 || minute < 0 || minute > 59 || hour * 60 + minute > 1440)
        return false;
    *out = (int)(hour * 60 + minute);
    return true;
}

static enum puan_status days(const int64_t **out, size_t *n_out,
                             const struct puan_node *n, struct puan_arena *a,
                             struct puan_err *err)
{
    int64_t *list = puan_new_n(a, n ? n->n : 0, int64_t);
    size_t k = 0;

    if (list == NULL)
        return puan_arena_check(a, err);
    PUAN_NODE_EACH(c, n) {
        if (c->kind != PUAN_NODE_SCALAR || !puan_day_parse(&list[k], c->text))
            return puan_node_fail(c, err, "expected a day like 2020-10-01");
        k++;
    }
    *out = list;
    *n_out = k;
    return PUAN_OK;
}

enum puan_status puan_office_hours_read(const struct puan_office_hours **out,
                                        const struct puan_plan *plan,
                                        struct puan_arena *a,
                                        struct puan_err *err)
{
    static const char *const keys[] = { "from", "to", "weekdays", "holidays",
                                        "workdays", NULL };
    const struct puan_node *n = NULL, *list;
    struct puan_office_hours *h;
    struct puan_str from, to;

    *out = NULL;
    /* the plan's own pack first, then those it uses */
    for (size_t p = 0; p < plan->n_packs && n == NULL; p++)
        for (size_t i = 0; i < plan->pack[p].n_files && n == NULL; i++)
            if (puan_str_is(plan->pack[p].file[i].path, "plan.yaml"))
                n = puan_node_get(plan->pack[p].file[i].tree, "office_hours");
    if (n == NULL)
        return PUAN_OK;
    h = puan_new(a, struct puan_office_hours);
    if (h == NULL)
        return puan_arena_check(a, err);
    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err, "office_hours is a map {from, to, "
                                      "weekdays}");
    TRY(puan_node_only(n, keys, err));
    TRY(puan_node_str(&from, n, "from", err));
    TRY(puan_node_str(&to, n, "to", err));
    h->offset_minutes = plan->offset_minutes;
    if (!minutes(&h->from_minute, from) || !minutes(&h->to_minute, to) ||
        h->from_minute >= h->to_minute)
        return puan_node_fail(n, err, "office hours run from: \"HH:MM\" to a "
                                      "later to: \"HH:MM\"");
    list = puan_node_get(n, "weekdays");
    if (list == NULL)
        h->weekdays = 0x1f;
    PUAN_NODE_EACH(c, list) {
        int64_t d;

        if (c->kind != PUAN_NODE_SCALAR || !puan_int_parse(&d, c->text) ||
            d < 1 || d > 7)
            return puan_node_fail(c, err, "weekdays are 1 (Monday) to 7");
        h->weekdays |= 1U << (unsigned)(d - 1);
    }
    TRY(days(&h->holidays, &h->n_holidays, puan_node_get(n, "holidays"), a,
             err));
    TRY(days(&h->workdays, &h->n_workdays, puan_node_get(n, "workdays"), a,
             err));
    *out = h;
    return PUAN_OK;
}

/* The setting as it is written: "24h", "county", "3". */
static struct puan_str written(const struct puan_setting *s,
                               struct puan_arena *a)
{
    const struct puan_node *at = s->at;

    if (at != NULL && at->kind == PUAN_NODE_SCALAR)
        return at->text;
    at = puan_node_get(at, "value");
    if (at != NULL && at->kind == PUAN_NODE_SCALAR)
        return at->text;
    if (s->kind == PUAN_SETTING_DURATION)
        return puan_str_of(
            puan_arena_fmt(a, "%llds", (long long)(s->value / 1000)));
    return puan_str_of(puan_arena_fmt(a, "%lld", (long long)s->value));
}

static enum puan_status environment(struct puan_flow_env *env,
                                    const struct puan_plan *plan,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_flow_role *roles =
        puan_new_n(a, plan->n_roles, struct puan_flow_role);
    struct puan_str *levels = puan_new_n(a, plan->n_levels, struct puan_str);
    struct puan_flow_setting *settings =
        puan_new_n(a, plan->n_settings, struct puan_flow_setting);
    struct puan_str *names = puan_new_n(a, plan->n_flows, struct puan_str);

    if (!roles || !levels || !settings || !names)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < plan->n_roles; i++) {
        roles[i].name = plan->role[i].id;
        roles[i].external = plan->role[i].external;
    }
    for (size_t i = 0; i < plan->n_levels; i++)
        levels[i] = plan->level[i].id;
    for (size_t i = 0; i < plan->n_settings; i++) {
        settings[i].name = plan->setting[i].id;
        settings[i].value = written(&plan->setting[i], a);
    }
    for (size_t i = 0; i < plan->n_flows; i++)
        names[i] = puan_node_str_opt(plan->flows[i]->tree, "flow", "");
    *env = (struct puan_flow_env){ roles,    plan->n_roles,    levels,
                                   plan->n_levels, settings,   plan->n_settings,
                                   names,    plan->n_flows,    NULL };
    return puan_office_hours_read(&env->hours, plan, a, err);
}

enum puan_status puan_flows_load(struct puan_flows *out,
                                 const struct puan_plan *plan,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_flow_env env;
    const struct puan_flow **list =
        (const struct puan_flow **)puan_arena_get_n(a, plan->n_flows,
                                                    sizeof(void *));

    *out = (struct puan_flows){ 0 };
    if (list == NULL)
        return puan_arena_check(a, err);
    TRY(environment(&env, plan, a, err));
    for (size_t i = 0; i < plan->n_flows; i++) {
        struct puan_flow *f = NULL;

        if (plan->flows[i]->tree == NULL)
            return puan_fail(err, PUAN_EINVAL,
                             puan_arena_dup(a, plan->flows[i]->path),
                             "the file holds no workflow");
        TRY(puan_flow_load(&f, plan->flows[i]->tree, &env, a, err));
        for (size_t k = 0; k < i; k++)
            if (puan_str_eq(list[k]->label.name, f->label.name))
                return puan_node_fail(puan_node_get(plan->flows[i]->tree,
                                                    "flow"),
                                      err,
                                      "the flow \"%.*s\" stands in %s too; "
                                      "rename one",
                                      PUAN_FMT(f->label.name), list[k]->file);
        list[i] = f;
    }
    out->flow = list;
    out->n = plan->n_flows;
    return PUAN_OK;
}

const struct puan_flow *puan_flows_get(const struct puan_flows *f,
                                       struct puan_str name)
{
    for (size_t i = 0; i < f->n; i++)
        if (puan_str_eq(f->flow[i]->label.name, name))
            return f->flow[i];
    return NULL;
}
