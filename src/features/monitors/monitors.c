/*
 * Monitors; see monitors.h.
 */
#include "features/monitors/monitors.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "features/host/host.h"
#include "features/host/request.h"
#include "kit/log/log.h"
#include "kit/os/heap.h"

#define TRY(x)                                                                 \
    do {                                                                       \
        enum puan_status try_ = (x);                                           \
        if (try_ != PUAN_OK)                                                   \
            return try_;                                                       \
    } while (0)

enum { VALUE, BEFORE, RISE, TOTAL, PERCENT, KNOWN, ELAPSED, HOUR, RAISED,
       NAMES };
enum { LEVELS = 4, MONITORS = 64 };
static const char *const level_name[] = { "none", "blue", "yellow", "orange",
                                          "red" };

struct monitor {
    struct puan_flow_label label;
    struct puan_str risk;
    const struct puan_metric *metric, *of;
    struct puan_str level; /* of areas; empty: the whole */
    int64_t every_ms, quiet_ms;
    struct {
        int raise;
        struct puan_expr *when;
        struct puan_str text;
    } at[LEVELS];
    size_t n_levels;
    struct puan_expr *clear;
    const struct puan_flow *opens;
    const struct puan_node *fields;
};

/* What one monitor saw of one area at the last look. */
struct seen {
    size_t monitor;
    int64_t area, value;
    bool known;
    struct seen *next;
};
#define SEEN_SLOTS 4096

struct puan_monitor_list {
    struct puan_arena *arena;
    const struct puan_plan *plan;
    const struct puan_flows *flows;
    struct monitor list[MONITORS];
    size_t n;
};
struct monitors {
    struct puan_arena arena;
    struct puan_monitor_list *of;
    pthread_mutex_t lock; /* looks, one at a time */
    int64_t looked[MONITORS];
    struct seen *seen[SEEN_SLOTS];
};

/* ---- reading risks.yaml ------------------------------------------------------ */

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
    for (int i = 1; i <= LEVELS; i++)
        if (puan_str_is(s, level_name[i]))
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

static enum puan_status names(struct puan_scope_name out[NAMES],
                              struct puan_arena *a, struct puan_err *err)
{
    static const char *const word[NAMES] = { "value", "before", "rise",
                                             "total", "percent", "known",
                                             "elapsed_hours", "hour",
                                             "raised" };
    static const char *const no_yes[] = { "no", "yes" };

    for (size_t i = 0; i < NAMES; i++)
        out[i] = (struct puan_scope_name){ puan_str_of(word[i]), NULL };
    TRY(codelist(&out[KNOWN].words, a, no_yes, 2, err));
    return codelist(&out[RAISED].words, a, level_name, LEVELS + 1, err);
}

static enum puan_status read_expr(struct puan_expr **out,
                                  const struct puan_scope_name *scope,
                                  const struct puan_node *n,
                                  struct puan_arena *a, struct puan_err *err)
{
    if (n->kind != PUAN_NODE_SCALAR)
        return puan_node_fail(n, err, "expected an expression");
    return puan_expr_compile_scope(out, scope, NAMES, n->text, n->file, n->line,
                                   a, err);
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
static enum puan_status check_fields(const struct monitor *m,
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

static enum puan_status read_monitor(struct monitor *m,
                                     const struct puan_monitor_list *of,
                                     const struct puan_node *n,
                                     const struct puan_node *risks,
                                     const struct puan_scope_name *scope,
                                     struct puan_arena *a, struct puan_err *err)
{
    static const char *const keys[] = { "id",     "zh",    "en",    "risk",
                                        "metric", "of",    "level", "every",
                                        "levels", "clear", "quiet", "opens",
                                        "fields", NULL };
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
    TRY(puan_node_str(&name, n, "metric", err));
    TRY(read_metric(&m->metric, puan_node_get(n, "metric"), err));
    TRY(read_metric(&m->of, puan_node_get(n, "of"), err));
    m->level = puan_node_str_opt(n, "level", "");
    if (m->level.n > 0 && puan_plan_level(of->plan, m->level) < 0)
        return puan_node_fail(puan_node_get(n, "level"), err,
                              "the plan has no level \"%.*s\"; name one of "
                              "levels in plan.yaml",
                              PUAN_FMT(m->level));
    TRY(read_span(&m->every_ms, n, "every", "10m", err));
    TRY(read_span(&m->quiet_ms, n, "quiet", "12h", err));
    TRY(puan_node_str(&name, n, "opens", err));
    m->opens = puan_flows_get(of->flows, name);
    if (m->opens == NULL)
        return puan_node_fail(puan_node_get(n, "opens"), err,
                              "the plan has no workflow \"%.*s\"; add it "
                              "under flows/ or mend the name",
                              PUAN_FMT(name));
    m->fields = puan_node_get(n, "fields");
    TRY(check_fields(m, n, err));
    if (levels == NULL || levels->kind != PUAN_NODE_LIST || levels->n == 0 ||
        levels->n > LEVELS)
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
    struct puan_scope_name scope[NAMES], *kept;

    if (tree->kind != PUAN_NODE_MAP)
        return puan_node_fail(tree, err, "risks.yaml must be a map {risks, "
                                         "monitors}");
    TRY(puan_node_only(tree, keys, err));
    TRY(read_kinds(risks, err));
    TRY(names(scope, ms->arena, err));
    kept = puan_new_n(ms->arena, NAMES, struct puan_scope_name);
    if (kept == NULL)
        return puan_arena_check(ms->arena, err);
    memcpy(kept, scope, sizeof scope);
    PUAN_NODE_EACH(c, puan_node_get(tree, "monitors")) {
        struct monitor *m = &ms->list[ms->n];

        if (ms->n == MONITORS)
            return puan_node_fail(c, err, "more than %d monitors", MONITORS);
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

static void close_state(void *state, struct puan_store *st)
{
    struct monitors *ms = state;

    (void)st;
    if (ms == NULL)
        return;
    for (size_t i = 0; i < SEEN_SLOTS; i++) {
        while (ms->seen[i] != NULL) {
            struct seen *s = ms->seen[i];

            ms->seen[i] = s->next;
            free(s);
        }
    }
    pthread_mutex_destroy(&ms->lock);
    puan_arena_clear(&ms->arena);
    free(ms);
}

/* risks.yaml of every pack of the plan. */
static enum puan_status open_state(void **state, struct puan_store *st,
                                   struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(st);
    struct monitors *ms = calloc(1, sizeof *ms);
    enum puan_status rc = PUAN_OK;

    if (ms == NULL)
        return puan_fail(err, PUAN_ENOMEM, "monitors", "out of memory");
    puan_arena_init(&ms->arena, &puan_heap);
    pthread_mutex_init(&ms->lock, NULL);
    rc = puan_monitors_read(&ms->of, plan, puan_cases_flows(st), &ms->arena,
                            err);
    if (rc != PUAN_OK) {
        close_state(ms, st);
        return rc;
    }
    *state = ms;
    return PUAN_OK;
}

/* ---- what is seen, judged: no store --------------------------------------- */

static struct puan_node *add(struct puan_node *map, struct puan_arena *a,
                             struct puan_str key, struct puan_str text,
                             bool quoted)
{
    struct puan_node *n = puan_new(a, struct puan_node);

    if (n == NULL)
        return NULL;
    n->kind = PUAN_NODE_SCALAR;
    n->key = key;
    n->text = text;
    n->quoted = quoted;
    n->file = "monitor";
    n->next = map->first;
    map->first = n;
    map->n++;
    return n;
}

/* Fields of the case: the monitor's, and what raised it. */
static struct puan_node *case_fields(const struct monitor *m, int64_t value,
                                     int raised, struct puan_arena *a)
{
    const struct puan_flow *f = m->opens;
    struct puan_node *map = puan_new(a, struct puan_node);
    int by, level;

    if (map == NULL)
        return NULL;
    map->kind = PUAN_NODE_MAP;
    map->file = "monitor";
    PUAN_NODE_EACH(c, m->fields)
    add(map, a, c->key, c->text, c->quoted);
    by = puan_flow_field(f, PUAN_STR("raised_by"));
    level = puan_flow_field(f, PUAN_STR("level"));
    if (by >= 0 && PUAN_FLOW_HAS(f->open_needs | f->open_may, by))
        add(map, a, PUAN_STR("raised_by"),
            puan_str_of(puan_arena_fmt(a, "%.*s: %s = %lld",
                                       PUAN_FMT(m->label.name), m->metric->name,
                                       (long long)value)),
            true);
    if (level >= 0 && PUAN_FLOW_HAS(f->open_needs | f->open_may, level))
        add(map, a, PUAN_STR("level"), puan_str_of(level_name[raised]), true);
    return map;
}

static int64_t elapsed_hours(const struct puan_plan *plan, int64_t now)
{
    int64_t from = 0;
    bool any = false;

    for (size_t i = 0; i < plan->n_windows; i++) {
        if (plan->window[i].n_forms == 0)
            continue;
        if (!any || plan->window[i].from_ms < from)
            from = plan->window[i].from_ms;
        any = true;
    }
    return any ? (now - from) / 3600000 : 0;
}

/* The level the metric calls for, given the one that is raised now. */
static int judge(const struct monitor *m, const int64_t *v, const uint8_t *st,
                 int now)
{
    int level = 0;

    for (size_t i = 0; i < m->n_levels; i++)
        if (m->at[i].raise > level &&
            puan_expr_scope_truth(m->at[i].when, v, st) == PUAN_TRUE)
            level = m->at[i].raise;
    /* what cannot be read clears nothing */
    if (level < now && v[KNOWN] == 0)
        return now;
    /* between raising and clearing it stays as it is */
    if (level < now && m->clear != NULL &&
        puan_expr_scope_truth(m->clear, v, st) != PUAN_TRUE)
        return now;
    return level;
}

/* The values of the names, from what is seen now and was seen before. */
static void values(int64_t v[NAMES], uint8_t have[NAMES],
                   const struct puan_sight *now, bool seen, int64_t before,
                   int64_t elapsed, int64_t hour, int raised)
{
    for (size_t i = 0; i < NAMES; i++) {
        v[i] = 0;
        have[i] = PUAN_MISSING;
    }
    v[KNOWN] = now->known;
    if (now->known) {
        v[VALUE] = now->value;
        have[VALUE] = PUAN_GIVEN;
        if (seen) {
            v[BEFORE] = before;
            v[RISE] = v[VALUE] - v[BEFORE];
            have[BEFORE] = have[RISE] = PUAN_GIVEN;
        }
    }
    if (now->total_known) {
        v[TOTAL] = now->total;
        have[TOTAL] = PUAN_GIVEN;
        if (now->known && now->total > 0) {
            v[PERCENT] = v[VALUE] * 100 / v[TOTAL];
            have[PERCENT] = PUAN_GIVEN;
        }
    }
    v[ELAPSED] = elapsed;
    v[HOUR] = hour;
    v[RAISED] = raised;
    have[KNOWN] = have[ELAPSED] = have[HOUR] = have[RAISED] = PUAN_GIVEN;
}

static int look(const struct monitor *m, const struct puan_plan *plan,
                const struct puan_sight *sight, bool seen, int64_t before,
                int64_t now, int raised)
{
    int64_t v[NAMES], minute = now / 60000 + plan->offset_minutes;
    uint8_t have[NAMES];

    values(v, have, sight, seen, before, elapsed_hours(plan, now),
           (minute / 60 % 24 + 24) % 24, raised);
    return judge(m, v, have, raised);
}

/* A higher level opens a case, unless one is open or was a short while ago. */
static bool opens_case(const struct monitor *m, int from, int to, bool open,
                       int64_t opened, int64_t now)
{
    return to > from && !open && (opened == 0 || now - opened >= m->quiet_ms);
}

enum puan_status puan_monitor_rehearse(struct puan_verdict *out,
                                       const struct puan_monitor_list *of,
                                       struct puan_str id,
                                       struct puan_alarm *alarm,
                                       const struct puan_sight *sight,
                                       int64_t now, struct puan_arena *a,
                                       struct puan_err *err)
{
    const struct monitor *m = NULL;

    *out = (struct puan_verdict){ 0 };
    for (size_t i = 0; i < of->n; i++)
        if (puan_str_eq(of->list[i].label.name, id))
            m = &of->list[i];
    if (m == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "monitor",
                         "the plan has no monitor \"%.*s\"", PUAN_FMT(id));
    out->level = look(m, of->plan, sight, alarm->seen, alarm->before, now,
                      alarm->level);
    out->opens = opens_case(m, alarm->level, out->level, alarm->open,
                            alarm->opened_ms, now);
    if (out->opens) {
        out->flow = m->opens->label.name;
        out->fields = case_fields(m, sight->value, out->level, a);
        alarm->opened_ms = now;
        alarm->open = true;
    }
    if (sight->known) {
        alarm->seen = true;
        alarm->before = sight->value;
    }
    alarm->level = out->level;
    return puan_arena_check(a, err);
}

/* ---- looking ------------------------------------------------------------------ */

static struct seen *last_seen(struct monitors *ms, size_t monitor, int64_t area)
{
    size_t h = (size_t)(((uint64_t)area * 31 + monitor) % SEEN_SLOTS);
    struct seen *s;

    for (s = ms->seen[h]; s != NULL; s = s->next)
        if (s->monitor == monitor && s->area == area)
            return s;
    s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->monitor = monitor;
    s->area = area;
    s->next = ms->seen[h];
    ms->seen[h] = s;
    return s;
}

/* A row of monitor_state. */
struct state {
    int64_t area, level, value, since, run, opened;
    bool exists;
};

static enum puan_status read_state(struct state *out, struct puan_db *db,
                                   struct puan_str monitor, int64_t area,
                                   struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *out = (struct state){ .area = area };
    TRY(puan_sql(&s, db,
                 "SELECT level, value, since, run, opened FROM monitor_state"
                 " WHERE monitor = $1 AND area = $2",
                 err));
    puan_bind_text(s, 1, monitor);
    puan_bind_int(s, 2, area);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more) {
        out->exists = true;
        out->level = puan_col_int(s, 0);
        out->value = puan_col_int(s, 1);
        out->since = puan_col_int(s, 2);
        out->run = puan_col_int(s, 3);
        out->opened = puan_col_int(s, 4);
    }
    puan_stmt_done(s);
    return st;
}

static enum puan_status write_state(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act,
                                    struct puan_str monitor,
                                    const struct state *x, struct puan_arena *a,
                                    struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_out c;
    enum puan_status st;

    TRY(puan_sql(&s, db,
                 "INSERT INTO monitor_state(monitor, area, level, value, since,"
                 " run, opened) VALUES($1, $2, $3, $4, $5, $6, $7)"
                 " ON CONFLICT (monitor, area) DO UPDATE SET level ="
                 " excluded.level, value = excluded.value, since ="
                 " excluded.since, run = excluded.run, opened ="
                 " excluded.opened",
                 err));
    puan_bind_text(s, 1, monitor);
    puan_bind_int(s, 2, x->area);
    puan_bind_int(s, 3, x->level);
    puan_bind_int(s, 4, x->value);
    puan_bind_int(s, 5, x->since);
    puan_bind_int(s, 6, x->run);
    puan_bind_int(s, 7, x->opened);
    st = puan_stmt_run(s, err);
    puan_stmt_done(s);
    if (st != PUAN_OK)
        return st;
    puan_out_init(&c, a);
    puan_content_int(&c, x->level);
    puan_content_int(&c, x->value);
    puan_content_int(&c, x->since);
    puan_content_int(&c, x->run);
    puan_content_int(&c, x->opened);
    return puan_cover(sh, db, act, "monitor_state",
                      puan_str_of(puan_arena_fmt(a, "%.*s.%lld",
                                                 PUAN_FMT(monitor),
                                                 (long long)x->area)),
                      puan_out_view(&c), err);
}

struct change {
    const struct monitor *m;
    int64_t area, value, now;
    int level;
    bool opened; /* out: a case was made */
    struct puan_arena *arena;
};

static enum puan_status run_open(bool *out, struct puan_db *db, int64_t run,
                                 struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *out = false;
    if (run == 0)
        return PUAN_OK;
    TRY(puan_sql(&s, db, "SELECT ended FROM case_run WHERE id = $1", err));
    puan_bind_int(s, 1, run);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more)
        *out = puan_col_int(s, 0) == 0;
    puan_stmt_done(s);
    return st;
}

/* Opens the case. */
static enum puan_status open_case(int64_t *run, const struct change *x,
                                  struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, struct puan_err *err)
{
    struct puan_case_call *call = puan_new(x->arena, struct puan_case_call);

    if (call == NULL)
        return puan_arena_check(x->arena, err);
    call->event.fields = case_fields(x->m, x->value, x->level, x->arena);
    if (call->event.fields == NULL)
        return puan_arena_check(x->arena, err);
    call->arena = x->arena;
    call->flow = x->m->opens->label.name;
    call->area = x->area;
    call->subject = puan_str_of(puan_arena_fmt(x->arena, "monitor/%.*s",
                                               PUAN_FMT(x->m->label.name)));
    call->event.kind = PUAN_FLOW_OPEN;
    call->event.who = puan_case_system();
    TRY(puan_case_in(sh, db, act, call, err));
    *run = call->row.id;
    return PUAN_OK;
}

static enum puan_status change_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    struct change *x = arg;
    struct state s;
    bool open = false;

    x->opened = false;
    TRY(read_state(&s, db, x->m->label.name, x->area, err));
    if (s.level == x->level) {
        act->silent = true; /* another look was faster */
        return PUAN_OK;
    }
    TRY(run_open(&open, db, s.run, err));
    if (opens_case(x->m, (int)s.level, x->level, open, s.run ? s.opened : 0,
                   x->now)) {
        TRY(open_case(&s.run, x, sh, db, act, err));
        s.opened = x->now;
        x->opened = true;
    }
    s.level = x->level;
    s.value = x->value;
    s.since = x->now;
    return write_state(sh, db, act, x->m->label.name, &s, x->arena, err);
}

static enum puan_status look_at(struct monitors *ms, size_t at,
                                struct puan_store *st, int64_t area,
                                int64_t now, int64_t *raised,
                                struct puan_err *err)
{
    const struct monitor *m = &ms->of->list[at];
    const struct puan_plan *plan = puan_store_plan(st);
    struct puan_shard *office = puan_store_office(st);
    struct seen *seen = last_seen(ms, at, area);
    struct puan_sight sight = { 0 };
    struct puan_db *db = NULL;
    struct state s;
    struct puan_arena a;
    struct change x = { m, area, 0, now, 0, false, &a };
    struct puan_act act = { .actor = PUAN_STR("puan"),
                            .seat = PUAN_STR("system"),
                            .device = PUAN_STR(""),
                            .verb = PUAN_STR("monitor.raise"),
                            .event_ms = now };
    enum puan_status rc;

    if (seen == NULL)
        return puan_fail(err, PUAN_ENOMEM, "monitors", "out of memory");
    TRY(puan_read_begin(&db, office, err));
    rc = read_state(&s, db, m->label.name, area, err);
    puan_read_end(office, db);
    if (rc != PUAN_OK)
        return rc;
    sight.known = m->metric->read(&sight.value, st, area, NULL) == PUAN_OK;
    if (m->of != NULL)
        sight.total_known =
            m->of->read(&sight.total, st, area, NULL) == PUAN_OK;
    x.level = look(m, plan, &sight, seen->known, seen->value, now,
                   (int)s.level);
    if (sight.known) {
        seen->value = sight.value;
        seen->known = true;
    }
    x.value = sight.known ? sight.value : 0;
    if (x.level == s.level)
        return PUAN_OK;
    puan_arena_init(&a, &puan_heap);
    act.subject = puan_str_of(puan_arena_fmt(&a, "monitor/%.*s/%lld",
                                             PUAN_FMT(m->label.name),
                                             (long long)area));
    act.note = puan_str_of(puan_arena_fmt(
        &a, "%s to %s, %s = %lld", level_name[s.level], level_name[x.level],
        m->metric->name, (long long)x.value));
    rc = puan_commit(office, &act, change_body, &x, err);
    if (rc == PUAN_OK && x.opened)
        ++*raised;
    puan_arena_clear(&a);
    return rc;
}

enum puan_status puan_monitors_look(struct puan_store *st, bool all,
                                    int64_t *raised, struct puan_err *err)
{
    struct monitors *ms = puan_store_state(st, &puan_feature_monitors);
    const struct puan_area_tree *t = puan_store_areas(st);
    int64_t now = puan_store_now(st), n = 0, top;
    enum puan_status rc = PUAN_OK;

    if (ms == NULL || t == NULL || t->n == 0)
        return PUAN_OK;
    /* an installation with several tops: the first of them answers for all */
    top = puan_area_top(st) ? puan_area_top(st) : t->area[0].code;
    pthread_mutex_lock(&ms->lock);
    for (size_t i = 0; rc == PUAN_OK && i < ms->of->n; i++) {
        const struct monitor *m = &ms->of->list[i];
        int level = m->level.n ? puan_area_level_of(t, m->level) : -1;

        if (!all && ms->looked[i] != 0 && now >= ms->looked[i] &&
            now - ms->looked[i] < m->every_ms)
            continue;
        ms->looked[i] = now;
        if (m->level.n == 0) {
            rc = look_at(ms, i, st, top, now, &n, err);
            continue;
        }
        for (uint32_t k = 0; level >= 0 && rc == PUAN_OK && k < t->n; k++)
            if (t->area[k].level == (uint8_t)level)
                rc = look_at(ms, i, st, t->area[k].code, now, &n, err);
    }
    pthread_mutex_unlock(&ms->lock);
    if (raised != NULL)
        *raised = n;
    return rc;
}

static enum puan_status job(struct puan_store *st, struct puan_err *err)
{
    return puan_monitors_look(st, false, NULL, err);
}

/* ---- how the risks stand ---------------------------------------------------- */

const char *puan_risk_level(int level)
{
    return level > 0 && level <= LEVELS ? level_name[level] : level_name[0];
}

/* Has the last look at this monitor failed to read its metric somewhere? */
static bool unread(struct monitors *ms, size_t monitor)
{
    bool found = false;

    if (ms->looked[monitor] == 0)
        return true; /* nobody has looked yet */
    for (size_t i = 0; i < SEEN_SLOTS && !found; i++)
        for (const struct seen *s = ms->seen[i]; s != NULL && !found;
             s = s->next)
            found = s->monitor == monitor && !s->known;
    return found;
}

static void kind_of(struct puan_risk *r, struct monitors *ms,
                    const struct puan_node *n)
{
    r->risk = n->key;
    r->zh = n->kind == PUAN_NODE_MAP ? puan_node_str_opt(n, "zh", "") : n->text;
    r->en = n->kind == PUAN_NODE_MAP ? puan_node_str_opt(n, "en", "") : n->text;
    for (size_t i = 0; i < ms->of->n; i++)
        if (puan_str_eq(ms->of->list[i].risk, r->risk)) {
            r->monitors++;
            r->unread += unread(ms, i);
        }
}

static void alarm_of(struct puan_risk *r, size_t n, const struct monitors *ms,
                     struct puan_stmt *s, struct puan_arena *a)
{
    const struct monitor *m = NULL;
    int level = (int)puan_col_int(s, 2);

    for (size_t i = 0; i < ms->of->n; i++)
        if (puan_str_eq(ms->of->list[i].label.name, puan_col_text(s, 0)))
            m = &ms->of->list[i];
    for (size_t k = 0; k < n && m != NULL; k++) {
        if (!puan_str_eq(r[k].risk, m->risk))
            continue;
        r[k].alarms++;
        if (level <= r[k].level) /* rows come oldest first */
            return;
        r[k].level = level > LEVELS ? LEVELS : level;
        r[k].monitor = m->label.name;
        r[k].monitor_zh = m->label.zh;
        r[k].monitor_en = m->label.en;
        for (size_t i = 0; i < m->n_levels; i++)
            if (m->at[i].raise == level)
                r[k].when = puan_arena_keep(a, m->at[i].text);
        r[k].area = puan_col_int(s, 1);
        r[k].value = puan_col_int(s, 3);
        r[k].since_ms = puan_col_int(s, 4);
        r[k].run = puan_col_int(s, 5);
        return;
    }
}

enum puan_status puan_risks_of(struct puan_risk **out, size_t *n,
                               struct puan_store *st, int64_t area,
                               struct puan_arena *a, struct puan_err *err)
{
    struct monitors *ms = puan_store_state(st, &puan_feature_monitors);
    const struct puan_area_tree *t = puan_store_areas(st);
    const struct puan_plan_file *f =
        puan_plan_file(puan_store_plan(st), PUAN_STR("risks.yaml"));
    const struct puan_node *map = NULL;
    struct puan_shard *office = puan_store_office(st);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    bool more = false;
    enum puan_status rc;

    *out = NULL;
    *n = 0;
    if (f != NULL && f->tree != NULL)
        map = puan_node_get(f->tree, "risks");
    if (ms == NULL || map == NULL || map->kind != PUAN_NODE_MAP)
        return PUAN_OK;
    *out = puan_new_n(a, map->n, struct puan_risk);
    if (*out == NULL)
        return puan_arena_check(a, err);
    pthread_mutex_lock(&ms->lock);
    PUAN_NODE_EACH(c, map) kind_of(&(*out)[(*n)++], ms, c);
    pthread_mutex_unlock(&ms->lock);
    TRY(puan_read_begin(&db, office, err));
    rc = puan_sql(&s, db,
                  "SELECT monitor, area, level, value, since, run FROM"
                  " monitor_state WHERE level > 0 ORDER BY since, monitor,"
                  " area",
                  err);
    while (rc == PUAN_OK &&
           (rc = puan_stmt_step(&more, s, err)) == PUAN_OK && more)
        if (puan_area_contains_code(t, area, puan_col_int(s, 1)))
            alarm_of(*out, *n, ms, s, a);
    puan_stmt_done(s);
    puan_read_end(office, db);
    return rc;
}

/* ---- requests ------------------------------------------------------------------- */

struct monitor_in {
    int64_t area;
};
static const struct puan_param area_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct monitor_in, area), 1, INT64_MAX,
      false },
};

/* Every monitor, and the alarms raised inside the area. */
static enum puan_status list(struct puan_request *rq, const void *v,
                             struct puan_err *err)
{
    const struct monitors *ms =
        puan_store_state(rq->store, &puan_feature_monitors);
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    struct puan_jw *w;
    bool more = false;
    enum puan_status st;

    (void)v;
    TRY(puan_read_begin(&db, office, err));
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_key(w, "monitors");
    puan_jw_list(w);
    for (size_t i = 0; ms != NULL && i < ms->of->n; i++) {
        puan_jw_map(w);
        puan_jw_kstr(w, "id", ms->of->list[i].label.name);
        puan_jw_kstr(w, "zh", ms->of->list[i].label.zh);
        puan_jw_kstr(w, "en", ms->of->list[i].label.en);
        puan_jw_kstr(w, "risk", ms->of->list[i].risk);
        puan_jw_ktext(w, "metric", ms->of->list[i].metric->name);
        puan_jw_kstr(w, "level", ms->of->list[i].level);
        puan_jw_kstr(w, "opens", ms->of->list[i].opens->label.name);
        puan_jw_key(w, "levels");
        puan_jw_list(w);
        for (size_t k = 0; k < ms->of->list[i].n_levels; k++) {
            puan_jw_map(w);
            puan_jw_ktext(w, "raise", level_name[ms->of->list[i].at[k].raise]);
            puan_jw_kstr(w, "when", ms->of->list[i].at[k].text);
            puan_jw_end(w, '}');
        }
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "alarms");
    puan_jw_list(w);
    st = puan_sql(&s, db,
                  "SELECT monitor, area, level, value, since, run FROM"
                  " monitor_state WHERE level > 0 ORDER BY monitor, area",
                  err);
    while (st == PUAN_OK &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        int64_t level = puan_col_int(s, 2);

        if (!puan_area_contains_code(t, rq->area, puan_col_int(s, 1)) ||
            level > LEVELS)
            continue;
        puan_jw_map(w);
        puan_jw_kstr(w, "monitor", puan_col_text(s, 0));
        puan_jw_kint(w, "area", puan_col_int(s, 1));
        puan_jw_ktext(w, "raised", level_name[level]);
        puan_jw_kint(w, "value", puan_col_int(s, 3));
        puan_jw_kinstant(w, "since", puan_col_int(s, 4),
                         puan_store_plan(rq->store)->offset_minutes);
        puan_jw_kint(w, "case", puan_col_int(s, 5));
        puan_jw_end(w, '}');
    }
    puan_stmt_done(s);
    puan_read_end(office, db);
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return st;
}

static const struct puan_route routes[] = {
    { .method = PUAN_GET, .path = "/c/{campaign}/monitors",
      .capability = "monitor.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "Monitors, and the alarms of an area", .handle = list,
      PUAN_PARAMS(area_params, struct monitor_in) },
};

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE monitor_state(monitor TEXT NOT NULL, area BIGINT NOT NULL,"
      " level BIGINT NOT NULL, value BIGINT NOT NULL, since BIGINT NOT NULL,"
      " run BIGINT NOT NULL, opened BIGINT NOT NULL,"
      " PRIMARY KEY(monitor, area));" },
};

static const struct puan_covered covered[] = {
    { PUAN_STORE_OFFICE, "monitor_state",
      "SELECT monitor || '.' || CAST(area AS TEXT), level, value, since, run,"
      " opened FROM monitor_state" },
};

static enum puan_status alarms(int64_t *v, struct puan_store *st, int64_t area,
                               struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_db *db = NULL;
    enum puan_status rc;

    (void)area;
    TRY(puan_read_begin(&db, office, err));
    rc = puan_db_int(v, db, "SELECT COUNT(*) FROM monitor_state WHERE level > 0",
                     0, err);
    puan_read_end(office, db);
    return rc;
}

static const struct puan_metric metrics[] = {
    { "puan_alarms", "alarms", "installation", "Monitors above their threshold",
      alarms },
};

static const struct puan_job jobs[] = { { "monitors", 2000, job } };

const struct puan_feature puan_feature_monitors = {
    .name = "monitors",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .metrics = metrics,
    .n_metrics = PUAN_COUNT(metrics),
    .jobs = jobs,
    .n_jobs = PUAN_COUNT(jobs),
    .open = open_state,
    .close = close_state,
    .covered = covered,
    .n_covered = PUAN_COUNT(covered),
};
