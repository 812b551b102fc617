/*
 * What is seen, judged: no store, no clock.
 */
#include "features/monitors/internal.h"

const char *const puan_level_name[PUAN_MONITOR_LEVELS + 1] = {
    "none", "blue", "yellow", "orange", "red"
};
const char *const puan_watch_name[PUAN_V_NAMES] = {
    "value",        "before",        "rise", "total", "percent", "known",
    "unread_hours", "elapsed_hours", "hour", "raised"
};

const char *puan_risk_level(int level)
{
    return puan_level_name[level > 0 && level <= PUAN_MONITOR_LEVELS ? level
                                                                     : 0];
}

const char *puan_watch_what(const struct puan_monitor *m)
{
    return m->kind == PUAN_WATCH_METRIC  ? m->metric->name
           : m->kind == PUAN_WATCH_CASES ? "cases"
                                         : "acts";
}

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

struct puan_node *puan_watch_fields(const struct puan_monitor *m, bool feeding,
                                    int64_t value, int raised,
                                    struct puan_arena *a)
{
    const struct puan_flow *f = m->opens;
    struct puan_node *map = puan_new(a, struct puan_node);
    puan_flow_set takes = f->open_needs | f->open_may;
    int by = puan_flow_field(f, PUAN_STR("raised_by"));
    int level = puan_flow_field(f, PUAN_STR("level"));

    if (map == NULL)
        return NULL;
    if (feeding)
        takes = f->transitions[m->feeds].needs_fields |
                f->transitions[m->feeds].may_fields;
    map->kind = PUAN_NODE_MAP;
    map->file = "monitor";
    PUAN_NODE_EACH(c, m->fields) {
        int at = puan_flow_field(f, c->key);

        if (at >= 0 && PUAN_FLOW_HAS(takes, at))
            add(map, a, c->key, c->text, c->quoted);
    }
    if (by >= 0 && PUAN_FLOW_HAS(takes, by))
        add(map, a, PUAN_STR("raised_by"),
            puan_str_of(puan_arena_fmt(a, "%.*s: %s = %lld",
                                       PUAN_FMT(m->label.name),
                                       puan_watch_what(m), (long long)value)),
            true);
    if (level >= 0 && PUAN_FLOW_HAS(takes, level))
        add(map, a, PUAN_STR("level"), puan_str_of(puan_risk_level(raised)),
            true);
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

/* The level the values call for, given the one that is raised now. */
static int level_of(const struct puan_monitor *m, const int64_t *v,
                    const uint8_t *st, int now)
{
    int level = 0;

    for (size_t i = 0; i < m->n_levels; i++)
        if (m->at[i].raise > level &&
            puan_expr_scope_truth(m->at[i].when, v, st) == PUAN_TRUE)
            level = m->at[i].raise;
    /* what cannot be read clears nothing */
    if (level < now && v[PUAN_V_KNOWN] == 0)
        return now;
    /* between raising and clearing it stays as it is */
    if (level < now && m->clear != NULL &&
        puan_expr_scope_truth(m->clear, v, st) != PUAN_TRUE)
        return now;
    return level;
}

/*
 * A change counts when it has stood for the time of `hold`: upwards the lowest
 * level of that time, downwards the highest.
 */
static int held(const struct puan_monitor *m, struct puan_alarm *x, int judged,
                int64_t now)
{
    bool up = judged > x->level;

    if (judged == x->level || m->hold_ms == 0) {
        x->want_ms = 0;
        return judged;
    }
    if (x->want_ms == 0 || now < x->want_ms || (x->want > x->level) != up) {
        x->want = judged;
        x->want_ms = now;
    } else if (up ? judged < x->want : judged > x->want) {
        x->want = judged;
    }
    if (now - x->want_ms < m->hold_ms)
        return x->level;
    x->want_ms = 0;
    return x->want;
}

int puan_watch_judge(const struct puan_monitor *m, const struct puan_plan *plan,
                     struct puan_alarm *x, const struct puan_sight *now_seen,
                     int64_t now)
{
    int64_t v[PUAN_V_NAMES] = { 0 }, minute = now / 60000 + plan->offset_minutes;
    uint8_t have[PUAN_V_NAMES];

    for (size_t i = 0; i < PUAN_V_NAMES; i++)
        have[i] = PUAN_MISSING;
    v[PUAN_V_KNOWN] = now_seen->known;
    if (now_seen->known) {
        x->unread_ms = 0;
        v[PUAN_V_VALUE] = now_seen->value;
        have[PUAN_V_VALUE] = PUAN_GIVEN;
        if (x->seen) {
            v[PUAN_V_BEFORE] = x->before;
            v[PUAN_V_RISE] = v[PUAN_V_VALUE] - v[PUAN_V_BEFORE];
            have[PUAN_V_BEFORE] = have[PUAN_V_RISE] = PUAN_GIVEN;
        }
    } else if (x->unread_ms == 0) {
        x->unread_ms = now;
    }
    if (now_seen->total_known) {
        v[PUAN_V_TOTAL] = now_seen->total;
        have[PUAN_V_TOTAL] = PUAN_GIVEN;
        if (now_seen->known && now_seen->total > 0) {
            v[PUAN_V_PERCENT] = v[PUAN_V_VALUE] * 100 / v[PUAN_V_TOTAL];
            have[PUAN_V_PERCENT] = PUAN_GIVEN;
        }
    }
    if (x->unread_ms != 0)
        v[PUAN_V_UNREAD] = (now - x->unread_ms) / 3600000;
    v[PUAN_V_ELAPSED] = elapsed_hours(plan, now);
    v[PUAN_V_HOUR] = (minute / 60 % 24 + 24) % 24;
    v[PUAN_V_RAISED] = x->level;
    have[PUAN_V_KNOWN] = have[PUAN_V_UNREAD] = have[PUAN_V_ELAPSED] =
        have[PUAN_V_HOUR] = have[PUAN_V_RAISED] = PUAN_GIVEN;
    if (now_seen->known) {
        x->seen = true;
        x->before = now_seen->value;
    }
    return held(m, x, level_of(m, v, have, x->level), now);
}

bool puan_watch_opens(const struct puan_monitor *m, int from, int to, bool open,
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
    const struct puan_monitor *m = NULL;
    int from = alarm->level;

    *out = (struct puan_verdict){ .feeds = -1 };
    for (size_t i = 0; i < of->n; i++)
        if (puan_str_eq(of->list[i].label.name, id))
            m = &of->list[i];
    if (m == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "monitor",
                         "the plan has no monitor \"%.*s\"", PUAN_FMT(id));
    out->level = puan_watch_judge(m, of->plan, alarm, sight, now);
    out->opens = puan_watch_opens(m, from, out->level, alarm->open,
                                  alarm->opened_ms, now);
    if (out->opens) {
        out->flow = m->opens->label.name;
        out->fields = puan_watch_fields(m, false, sight->value, out->level, a);
        alarm->opened_ms = now;
        alarm->open = true;
    } else if (out->level > from && alarm->open && m->feeds >= 0) {
        out->feeds = m->feeds;
        out->flow = m->opens->label.name;
        out->fields = puan_watch_fields(m, true, sight->value, out->level, a);
    }
    alarm->level = out->level;
    return puan_arena_check(a, err);
}
