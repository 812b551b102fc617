/*
 * Reading risks.yaml; the format stands in monitors.h.
 */
#include <string.h>

#include "core/plan/plan.h"
#include "features/monitors/internal.h"

static const struct puan_metric *metric_of(struct puan_str name)
{
    for (size_t f = 0; puan_features[f] != NULL; f++)
        for (size_t i = 0; i < puan_features[f]->n_metrics; i++)
            if (puan_str_is(name, puan_features[f]->metrics[i].name))
                return &puan_features[f]->metrics[i];
    return NULL;
}

bool puan_monitor_metric(struct puan_str name)
{
    return metric_of(name) != NULL;
}

static int raise_of(struct puan_str s)
{
    for (int i = 1; i <= PUAN_MONITOR_LEVELS; i++)
        if (puan_str_is(s, puan_level_name[i]))
            return i;
    return 0;
}

static enum puan_status codelist(const struct puan_codelist **out,
                                 struct puan_arena *a, const char *const *words,
                                 size_t n, struct puan_err *err)
{
    struct puan_codelist *l = puan_new(a, struct puan_codelist);
    struct puan_code *c = puan_new_n(a, n, struct puan_code);

    if (l == NULL || c == NULL)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < n; i++) {
        c[i].value = (int64_t)i;
        c[i].text = c[i].zh = c[i].en = puan_str_of(words[i]);
    }
    l->codes = c;
    l->n = n;
    *out = l;
    return PUAN_OK;
}

static enum puan_status names(struct puan_scope_name out[PUAN_V_NAMES],
                              struct puan_arena *a, struct puan_err *err)
{
    static const char *const no_yes[] = { "no", "yes" };

    for (size_t i = 0; i < PUAN_V_NAMES; i++)
        out[i] = (struct puan_scope_name){ puan_str_of(puan_watch_name[i]),
                                           NULL };
    TRY(codelist(&out[PUAN_V_KNOWN].words, a, no_yes, 2, err));
    return codelist(&out[PUAN_V_RAISED].words, a, puan_level_name,
                    PUAN_MONITOR_LEVELS + 1, err);
}

static enum puan_status read_expr(struct puan_expr **out,
                                  const struct puan_scope_name *scope,
                                  const struct puan_node *n,
                                  struct puan_arena *a, struct puan_err *err)
{
    if (n->kind != PUAN_NODE_SCALAR)
        return puan_node_fail(n, err, "expected an expression");
    return puan_expr_compile_scope(out, scope, PUAN_V_NAMES, n->text, n->file,
                                   n->line, puan_node_text_col(n), a, err);
}

static enum puan_status read_span(int64_t *ms, const struct puan_node *map,
                                  const char *key, const char *dflt,
                                  struct puan_err *err)
{
    struct puan_str s = puan_node_str_opt(map, key, dflt);

    if (puan_flow_duration(ms, s))
        return PUAN_OK;
    return puan_node_fail(puan_node_get(map, key), err,
                          "\"%.*s\" is no length of time; write 10m or 2h",
                          PUAN_FMT(s));
}

static enum puan_status read_metric(const struct puan_metric **out,
                                    const struct puan_node *n,
                                    struct puan_err *err)
{
    *out = NULL;
    if (n == NULL)
        return PUAN_OK;
    *out = metric_of(n->text);
    if (*out != NULL)
        return PUAN_OK;
    return puan_node_fail(n, err,
                          "no metric \"%.*s\"; name one of /metrics",
                          PUAN_FMT(n->text));
}

/* The case must open without a hand: every field it needs is given here. */
static enum puan_status check_fields(const struct puan_monitor *m,
                                     const struct puan_node *n,
                                     struct puan_err *err)
{
    const struct puan_flow *f = m->opens;
    bool system = false;

    for (size_t i = 0; i < f->n_seats; i++)
        system = system || (PUAN_FLOW_HAS(f->open_by, i) &&
                            puan_str_is(f->seats[i].role, "system"));
    if (!system)
        return puan_node_fail(n, err,
                              "the flow \"%.*s\" lets no seat system@any open "
                              "it; add one to its open: by",
                              PUAN_FMT(f->label.name));
    for (size_t i = 0; i < f->n_fields; i++) {
        struct puan_str name = f->fields[i].label.name;

        if (PUAN_FLOW_HAS(f->open_needs, i) &&
            puan_node_get_s(m->fields, name) == NULL)
            return puan_node_fail(n, err,
                                  "opening \"%.*s\" needs the field \"%.*s\"; "
                                  "give it under fields",
                                  PUAN_FMT(f->label.name), PUAN_FMT(name));
    }
    PUAN_NODE_EACH(c, m->fields) {
        int at = puan_flow_field(f, c->key);

        if (at < 0 || !PUAN_FLOW_HAS(f->open_needs | f->open_may, at))
            return puan_node_fail(c, err,
                                  "opening \"%.*s\" takes no field \"%.*s\"; "
                                  "remove it or mend the name",
                                  PUAN_FMT(f->label.name), PUAN_FMT(c->key));
    }
    return PUAN_OK;
}

/* One text or a list of them. */
static enum puan_status read_names(struct puan_watch_list *out,
                                   const struct puan_node *map,
                                   const char *key, struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(map, key);

    *out = (struct puan_watch_list){ .n = 0 };
    if (n == NULL)
        return PUAN_OK;
    if (n->kind == PUAN_NODE_SCALAR) {
        out->at[out->n++] = n->text;
        return PUAN_OK;
    }
    if (n->kind != PUAN_NODE_LIST || n->n == 0 || n->n > PUAN_WATCH_NAMES)
        return puan_node_fail(n, err, "expected a name or a list of 1 to %d",
                              PUAN_WATCH_NAMES);
    PUAN_NODE_EACH(c, n) {
        if (c->kind != PUAN_NODE_SCALAR)
            return puan_node_fail(c, err, "expected a name");
        out->at[out->n++] = c->text;
    }
    return PUAN_OK;
}

/* Workflows of the plan, and states each of which one of them has. */
static enum puan_status read_flows(struct puan_watch_list *flows,
                                   struct puan_watch_list *states,
                                   const struct puan_monitor_list *of,
                                   const struct puan_node *map,
                                   struct puan_err *err)
{
    TRY(read_names(flows, map, "flows", err));
    TRY(read_names(states, map, "states", err));
    if (flows->n == 0)
        return puan_node_fail(map, err, "no workflow is named; write "
                                        "flows: [NAME]");
    for (size_t i = 0; i < flows->n; i++)
        if (puan_flows_get(of->flows, flows->at[i]) == NULL)
            return puan_node_fail(puan_node_get(map, "flows"), err,
                                  "the plan has no workflow \"%.*s\"; add it "
                                  "under flows/ or mend the name",
                                  PUAN_FMT(flows->at[i]));
    for (size_t k = 0; k < states->n; k++) {
        bool has = false;

        for (size_t i = 0; i < flows->n; i++)
            has = has || puan_flow_state(puan_flows_get(of->flows,
                                                        flows->at[i]),
                                         states->at[k]) >= 0;
        if (!has)
            return puan_node_fail(puan_node_get(map, "states"), err,
                                  "none of these workflows has a state "
                                  "\"%.*s\"; mend the name",
                                  PUAN_FMT(states->at[k]));
    }
    return PUAN_OK;
}

static enum puan_status read_without(struct puan_without *w,
                                     const struct puan_monitor_list *of,
                                     const struct puan_node *map,
                                     struct puan_err *err)
{
    static const char *const keys[] = { "flows", "states", "before", NULL };
    const struct puan_node *n = puan_node_get(map, "without");

    if (n == NULL)
        return PUAN_OK;
    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err, "without must be a map {flows, states, "
                                      "before}");
    TRY(puan_node_only(n, keys, err));
    TRY(read_flows(&w->flows, &w->states, of, n, err));
    return read_span(&w->before_ms, n, "before", "7d", err);
}

/* What is compared with is a value the field can have. */
static enum puan_status check_where(const struct puan_watch_cases *c,
                                    const struct puan_monitor_list *of,
                                    const struct puan_node *v,
                                    struct puan_err *err)
{
    for (size_t i = 0; i < c->flows.n; i++) {
        const struct puan_flow *f = puan_flows_get(of->flows, c->flows.at[i]);
        const struct puan_codelist *words;
        int at = puan_flow_field(f, v->key);
        bool there = false;
        int64_t whole;

        if (at < 0)
            return puan_node_fail(v, err,
                                  "the workflow \"%.*s\" has no field "
                                  "\"%.*s\"; mend the name",
                                  PUAN_FMT(c->flows.at[i]), PUAN_FMT(v->key));
        words = f->fields[at].words;
        for (size_t k = 0; words != NULL && k < words->n; k++)
            there = there || puan_str_eq(words->codes[k].text, v->text);
        if (words == NULL)
            there = puan_int_parse(&whole, v->text);
        if (!there)
            return puan_node_fail(v, err,
                                  "the field \"%.*s\" of \"%.*s\" is never "
                                  "\"%.*s\"; give a value it can have",
                                  PUAN_FMT(v->key), PUAN_FMT(c->flows.at[i]),
                                  PUAN_FMT(v->text));
    }
    return PUAN_OK;
}

static enum puan_status read_cases(struct puan_watch_cases *c,
                                   const struct puan_monitor_list *of,
                                   const struct puan_node *n,
                                   struct puan_err *err)
{
    static const char *const keys[] = { "flows",  "states",  "where", "older",
                                        "within", "overdue", "without", NULL };
    const struct puan_node *where, *overdue;

    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err, "cases must be a map {flows, states, "
                                      "where, older, within, overdue, "
                                      "without}");
    TRY(puan_node_only(n, keys, err));
    TRY(read_flows(&c->flows, &c->states, of, n, err));
    TRY(read_span(&c->older_ms, n, "older", "0m", err));
    TRY(read_span(&c->within_ms, n, "within", "0m", err));
    overdue = puan_node_get(n, "overdue");
    if (overdue != NULL && !puan_str_is(overdue->text, "true") &&
        !puan_str_is(overdue->text, "false"))
        return puan_node_fail(overdue, err, "expected true or false");
    c->overdue = overdue != NULL && puan_str_is(overdue->text, "true");
    where = puan_node_get(n, "where");
    if (where != NULL &&
        (where->kind != PUAN_NODE_MAP || where->n > PUAN_WATCH_WHERE))
        return puan_node_fail(where, err, "where must be a map of at most %d "
                                          "fields and their values",
                              PUAN_WATCH_WHERE);
    PUAN_NODE_EACH(v, where) {
        if (v->kind != PUAN_NODE_SCALAR)
            return puan_node_fail(v, err, "expected a value");
        TRY(check_where(c, of, v, err));
        c->where[c->n_where].field = v->key;
        c->where[c->n_where++].value = v->text;
    }
    return read_without(&c->without, of, n, err);
}

static bool verb_known(struct puan_str verb)
{
    for (size_t f = 0; puan_features[f] != NULL; f++)
        for (size_t i = 0; i < puan_features[f]->n_routes; i++)
            if (puan_str_is(verb, puan_features[f]->routes[i].verb))
                return true;
    return false;
}

static enum puan_status read_acts(struct puan_watch_acts *c,
                                  const struct puan_monitor_list *of,
                                  const struct puan_node *n,
                                  struct puan_err *err)
{
    static const char *const keys[] = { "verbs",  "roles",   "levels",
                                        "within", "without", NULL };

    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err, "acts must be a map {verbs, roles, "
                                      "levels, within, without}");
    TRY(puan_node_only(n, keys, err));
    TRY(read_names(&c->verbs, n, "verbs", err));
    TRY(read_names(&c->roles, n, "roles", err));
    TRY(read_names(&c->levels, n, "levels", err));
    TRY(read_span(&c->within_ms, n, "within", "24h", err));
    if (c->verbs.n == 0)
        return puan_node_fail(n, err, "no act is named; write verbs: [VERB] as "
                                      "the ledger has it");
    for (size_t i = 0; i < c->verbs.n; i++)
        if (!verb_known(c->verbs.at[i]))
            return puan_node_fail(puan_node_get(n, "verbs"), err,
                                  "no route writes the verb \"%.*s\"; name one "
                                  "of puan permissions",
                                  PUAN_FMT(c->verbs.at[i]));
    for (size_t i = 0; i < c->roles.n; i++)
        if (puan_plan_role(of->plan, c->roles.at[i]) == NULL)
            return puan_node_fail(puan_node_get(n, "roles"), err,
                                  "the plan has no role \"%.*s\"; name one of "
                                  "roles in plan.yaml",
                                  PUAN_FMT(c->roles.at[i]));
    for (size_t i = 0; i < c->levels.n; i++)
        if (puan_plan_level(of->plan, c->levels.at[i]) < 0)
            return puan_node_fail(puan_node_get(n, "levels"), err,
                                  "the plan has no level \"%.*s\"; name one of "
                                  "levels in plan.yaml",
                                  PUAN_FMT(c->levels.at[i]));
    return read_without(&c->without, of, n, err);
}

/* A metric of a feature, or what the plan lets the monitor count itself. */
static enum puan_status read_source(struct puan_monitor *m,
                                    const struct puan_monitor_list *of,
                                    const struct puan_node *n,
                                    struct puan_err *err)
{
    const struct puan_node *metric = puan_node_get(n, "metric");
    const struct puan_node *cases = puan_node_get(n, "cases");
    const struct puan_node *acts = puan_node_get(n, "acts");

    if ((metric != NULL) + (cases != NULL) + (acts != NULL) != 1)
        return puan_node_fail(n, err, "a monitor watches one of metric, cases "
                                      "or acts; give exactly one");
    TRY(read_metric(&m->metric, metric, err));
    TRY(read_metric(&m->of, puan_node_get(n, "of"), err));
    if (m->of != NULL && metric == NULL)
        return puan_node_fail(puan_node_get(n, "of"), err,
                              "`of` goes with a metric; remove it");
    if (cases != NULL) {
        m->kind = PUAN_WATCH_CASES;
        return read_cases(&m->cases, of, cases, err);
    }
    if (acts != NULL) {
        m->kind = PUAN_WATCH_ACTS;
        return read_acts(&m->acts, of, acts, err);
    }
    return PUAN_OK;
}

/* A further alarm goes into the case by itself: the system may do it, and what
 * it needs is at hand. */
static enum puan_status read_feeds(struct puan_monitor *m,
                                   const struct puan_node *n,
                                   struct puan_err *err)
{
    const struct puan_node *x = puan_node_get(n, "feeds");
    const struct puan_flow *f = m->opens;
    const struct puan_flow_transition *t;
    bool system = false;

    m->feeds = -1;
    if (x == NULL)
        return PUAN_OK;
    m->feeds = puan_flow_transition(f, x->text);
    if (m->feeds < 0)
        return puan_node_fail(x, err,
                              "\"%.*s\" has no transition \"%.*s\"; add it or "
                              "mend the name",
                              PUAN_FMT(f->label.name), PUAN_FMT(x->text));
    t = &f->transitions[m->feeds];
    for (size_t i = 0; i < f->n_seats; i++)
        system = system || (PUAN_FLOW_HAS(t->by, i) &&
                            puan_str_is(f->seats[i].role, "system"));
    if (!system)
        return puan_node_fail(x, err,
                              "no seat system@any may do \"%.*s\"; add one to "
                              "its by",
                              PUAN_FMT(x->text));
    for (size_t i = 0; i < f->n_fields; i++) {
        struct puan_str name = f->fields[i].label.name;

        if (PUAN_FLOW_HAS(t->needs_fields, i) &&
            !puan_str_is(name, "raised_by") && !puan_str_is(name, "level") &&
            puan_node_get_s(m->fields, name) == NULL)
            return puan_node_fail(x, err,
                                  "\"%.*s\" needs the field \"%.*s\"; give it "
                                  "under fields",
                                  PUAN_FMT(x->text), PUAN_FMT(name));
    }
    return PUAN_OK;
}

static enum puan_status read_monitor(struct puan_monitor *m,
                                     const struct puan_monitor_list *of,
                                     const struct puan_node *n,
                                     const struct puan_node *risks,
                                     const struct puan_scope_name *scope,
                                     struct puan_arena *a, struct puan_err *err)
{
    static const char *const keys[] = { "id",    "zh",     "en",     "risk",
                                        "metric", "of",    "cases",  "acts",
                                        "level", "gather", "every",  "hold",
                                        "levels", "clear", "quiet",  "opens",
                                        "feeds", "fields", NULL };
    static const char *const level_keys[] = { "raise", "when", NULL };
    const struct puan_node *levels = puan_node_get(n, "levels");
    const struct puan_node *clear = puan_node_get(n, "clear");
    struct puan_str name;

    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err, "a monitor must be a map");
    TRY(puan_node_only(n, keys, err));
    TRY(puan_node_str(&m->label.name, n, "id", err));
    TRY(puan_node_str(&m->label.zh, n, "zh", err));
    TRY(puan_node_str(&m->label.en, n, "en", err));
    TRY(puan_node_str(&m->risk, n, "risk", err));
    if (puan_node_get_s(risks, m->risk) == NULL)
        return puan_node_fail(puan_node_get(n, "risk"), err,
                              "no risk \"%.*s\"; name it under risks",
                              PUAN_FMT(m->risk));
    TRY(read_source(m, of, n, err));
    m->level = puan_node_str_opt(n, "level", "");
    if (m->level.n > 0 && puan_plan_level(of->plan, m->level) < 0)
        return puan_node_fail(puan_node_get(n, "level"), err,
                              "the plan has no level \"%.*s\"; name one of "
                              "levels in plan.yaml",
                              PUAN_FMT(m->level));
    TRY(read_span(&m->every_ms, n, "every", "10m", err));
    TRY(read_span(&m->quiet_ms, n, "quiet", "12h", err));
    TRY(read_span(&m->hold_ms, n, "hold", "0m", err));
    TRY(puan_node_str(&name, n, "opens", err));
    m->opens = puan_flows_get(of->flows, name);
    if (m->opens == NULL)
        return puan_node_fail(puan_node_get(n, "opens"), err,
                              "the plan has no workflow \"%.*s\"; add it "
                              "under flows/ or mend the name",
                              PUAN_FMT(name));
    m->fields = puan_node_get(n, "fields");
    TRY(check_fields(m, n, err));
    TRY(read_feeds(m, n, err));
    m->gather = puan_node_str_opt(n, "gather", "");
    if (m->gather.n > 0 &&
        (m->level.n == 0 || puan_plan_level(of->plan, m->gather) < 0 ||
         puan_plan_level(of->plan, m->gather) >
             puan_plan_level(of->plan, m->level)))
        return puan_node_fail(puan_node_get(n, "gather"), err,
                              "\"%.*s\" is no level above that of the monitor; "
                              "name one of levels in plan.yaml",
                              PUAN_FMT(m->gather));
    if (levels == NULL || levels->kind != PUAN_NODE_LIST || levels->n == 0 ||
        levels->n > PUAN_MONITOR_LEVELS)
        return puan_node_fail(levels ? levels : n, err,
                              "levels must be a list of 1 to 4 {raise, when}");
    PUAN_NODE_EACH(c, levels) {
        struct puan_str raise;
        const struct puan_node *when = puan_node_get(c, "when");

        if (c->kind != PUAN_NODE_MAP || when == NULL)
            return puan_node_fail(c, err, "expected {raise, when}");
        TRY(puan_node_only(c, level_keys, err));
        TRY(puan_node_str(&raise, c, "raise", err));
        m->at[m->n_levels].raise = raise_of(raise);
        if (m->at[m->n_levels].raise == 0)
            return puan_node_fail(c, err,
                                  "no level \"%.*s\"; use blue, yellow, orange "
                                  "or red",
                                  PUAN_FMT(raise));
        TRY(read_expr(&m->at[m->n_levels].when, scope, when, a, err));
        m->at[m->n_levels++].text = when->text;
    }
    return clear ? read_expr(&m->clear, scope, clear, a, err) : PUAN_OK;
}

static enum puan_status read_kinds(const struct puan_node *risks,
                                   struct puan_err *err)
{
    static const char *const keys[] = { "zh", "en", "clauses", NULL };

    PUAN_NODE_EACH(c, risks) {
        struct puan_str title;

        TRY(puan_node_only(c, keys, err));
        TRY(puan_node_str(&title, c, "zh", err));
        TRY(puan_node_str(&title, c, "en", err));
    }
    return PUAN_OK;
}

static enum puan_status read_risks(struct puan_monitor_list *ms,
                                   const struct puan_node *tree,
                                   struct puan_err *err)
{
    static const char *const keys[] = { "risks", "monitors", NULL };
    const struct puan_node *risks = puan_node_get(tree, "risks");
    struct puan_scope_name scope[PUAN_V_NAMES], *kept;

    if (tree->kind != PUAN_NODE_MAP)
        return puan_node_fail(tree, err, "risks.yaml must be a map {risks, "
                                         "monitors}");
    TRY(puan_node_only(tree, keys, err));
    TRY(read_kinds(risks, err));
    TRY(names(scope, ms->arena, err));
    kept = puan_new_n(ms->arena, PUAN_V_NAMES, struct puan_scope_name);
    if (kept == NULL)
        return puan_arena_check(ms->arena, err);
    memcpy(kept, scope, sizeof scope);
    PUAN_NODE_EACH(c, puan_node_get(tree, "monitors")) {
        struct puan_monitor *m = &ms->list[ms->n];

        if (ms->n == PUAN_MONITORS)
            return puan_node_fail(c, err,
                                  "more than %d monitors; remove some",
                                  PUAN_MONITORS);
        TRY(read_monitor(m, ms, c, risks, kept, ms->arena, err));
        for (size_t i = 0; i < ms->n; i++)
            if (puan_str_eq(ms->list[i].label.name, m->label.name))
                return puan_node_fail(c, err, "monitor \"%.*s\" stands twice; "
                                              "rename one",
                                      PUAN_FMT(m->label.name));
        ms->n++;
    }
    return PUAN_OK;
}

enum puan_status puan_monitors_read(struct puan_monitor_list **out,
                                    const struct puan_plan *plan,
                                    const struct puan_flows *flows,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_monitor_list *ms = puan_new(a, struct puan_monitor_list);

    *out = ms;
    if (ms == NULL)
        return puan_arena_check(a, err);
    ms->arena = a;
    ms->plan = plan;
    ms->flows = flows;
    for (size_t p = 0; p < plan->n_packs; p++)
        for (size_t i = 0; i < plan->pack[p].n_files; i++)
            if (puan_str_is(plan->pack[p].file[i].path, "risks.yaml") &&
                plan->pack[p].file[i].tree != NULL)
                TRY(read_risks(ms, plan->pack[p].file[i].tree, err));
    return PUAN_OK;
}
