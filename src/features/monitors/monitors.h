/*
 * Monitors: the plan's risks.yaml judges metrics by expressions, raises a
 * level and opens a case, once.
 *
 *   risks:
 *     progress: {zh: 工作进度风险, en: Progress}
 *   monitors:
 *     - id: slow_progress
 *       zh: …
 *       en: …
 *       risk: progress
 *       metric: puan_returns_submitted # or `cases`, or `acts`, see below
 *       of: puan_returns_listed        # optional: names total and percent
 *       level: township                # areas judged; absent: the whole
 *       gather: county                 # optional: their alarms share one case
 *       every: 10m                     # campaign time between looks
 *       hold: 30m                      # optional: a change counts when it has
 *                                      # stood for so long, up or down
 *       levels:
 *         - {raise: yellow, when: "percent < 80 and elapsed_hours > 120"}
 *         - {raise: red, when: "percent < 50 and elapsed_hours > 120"}
 *       clear: "percent >= 85"         # optional; else: no level holds
 *       quiet: 12h                     # no second case sooner after the first
 *       opens: incident
 *       feeds: alarm                   # optional: transition of `opens` that a
 *                                      # further alarm takes on the open case
 *       fields: {class: technical, title: "…"}
 *
 * Instead of a metric a monitor counts, without a line of C,
 *
 *   cases: {flows: [opinion], states: [found], where: {known_elsewhere: true},
 *           older: 2h, within: 30d, overdue: true,
 *           without: {flows: [incident], states: [reported], before: 1d}}
 *     cases of these flows (no drills): in these states (absent: open; with
 *     `within` any), whose fields have these values, opened at least `older`
 *     and less than `within` ago, with an overdue clock, and for which none of
 *     the flows under `without` was opened in an area that holds theirs or lies
 *     in it, from `before` before it (7d) until now;
 *   acts: {verbs: [evaluation.view], roles: [], levels: [township],
 *          within: 24h, without: {flows: [export], states: [out], before: 3d}}
 *     entries of the office ledger with these verbs by seats of these roles, at
 *     areas of these levels, of the last `within` (24h), for which no such case
 *     was opened in the `before` before them.
 * An area's count is of what stands at it or below it.
 *
 * Names of the expressions: value (the metric, the count), before (at the look
 * before), rise (value - before), total and percent (with `of`), known (no: it
 * could not be read; then value is unknown), unread_hours (since when not),
 * elapsed_hours (since the first window for returns opened), hour (of the local
 * day), raised (level now).  Levels: blue yellow orange red; the highest that
 * holds counts.
 *
 * The case gets the fields of the monitor plus raised_by and level where the
 * flow takes them.  While it is open, and for `quiet` after it was opened,
 * further alarms open no other, however the metric flaps; a rise of the level
 * is told to it by `feeds`.
 *
 *   monitor_state(monitor, area, level, value, since, run, opened)  covered
 *     one row for each alarm that ever was; changed when the level changes
 *
 * What was seen before, how long a change has stood and the line drawn of it
 * are kept in memory only: after a restart `hold` begins anew.
 *
 * Depends on: cases.  Reads metrics only through the registry (contract 9).
 */
#ifndef PUAN_FEATURES_MONITORS_MONITORS_H
#define PUAN_FEATURES_MONITORS_MONITORS_H

#include "features/cases/cases.h"

extern const struct puan_feature puan_feature_monitors;

/*
 * Looks at every monitor whose time has come (`all`: at every one); *raised
 * gets how many cases were opened (may be NULL).  The job does it by itself.
 */
PUAN_MUST_USE enum puan_status puan_monitors_look(struct puan_store *st,
                                                  bool all, int64_t *raised,
                                                  struct puan_err *err);

/*
 * Without a store: monitors judged on values that are given, as proofs and
 * drills do.  The list lives in the arena and borrows from plan and flows.
 */
struct puan_monitor_list;
PUAN_MUST_USE enum puan_status
puan_monitors_read(struct puan_monitor_list **out, const struct puan_plan *plan,
                   const struct puan_flows *flows, struct puan_arena *a,
                   struct puan_err *err);
/* Does some feature count this? */
bool puan_monitor_metric(struct puan_str name);
struct puan_sight { /* what the metrics show now */
    bool known, total_known;
    bool absent; /* there is nothing to count yet: unread, and no fault */
    int64_t value, total;
};
struct puan_alarm { /* of one monitor and area; the caller keeps it */
    bool seen, open; /* a case of it is open */
    int64_t before, opened_ms;
    int level;
    int want; /* level a change goes to, standing since want_ms; 0: none does */
    int64_t want_ms, unread_ms; /* 0: it is read */
};
struct puan_verdict {
    int level;  /* that is raised now */
    bool opens; /* a case of `flow`, with these fields */
    int feeds;  /* transition the open case takes instead; -1 none */
    struct puan_str flow;
    const struct puan_node *fields;
};
/* ENOTFOUND  no monitor of that name */
PUAN_MUST_USE enum puan_status puan_monitor_rehearse(
    struct puan_verdict *out, const struct puan_monitor_list *of,
    struct puan_str id, struct puan_alarm *alarm, const struct puan_sight *sight,
    int64_t now, struct puan_arena *a, struct puan_err *err);

/* A case, as a monitor that counts cases sees it. */
struct puan_watched {
    struct puan_str flow, state;
    int64_t id, area, opened_ms;
    bool open, drill;
    const struct puan_flow_run *run; /* given to puan_monitor_cases */
};
/* Does the area `outer` hold `inner`, or is it the same? */
typedef bool (*puan_holds_fn)(const void *arg, int64_t outer, int64_t inner);
/*
 * What the monitor counts of these cases in an area; -1: there is no such
 * monitor, or it counts no cases.
 */
int64_t puan_monitor_cases(const struct puan_monitor_list *list,
                           struct puan_str id, const struct puan_watched *of,
                           size_t n, int64_t area, puan_holds_fn holds,
                           const void *arg, int64_t now);

/*
 * One risk kind of the plan as it stands inside an area: the alarm of the
 * highest level (the oldest of them).  A kind nobody watches has no monitors;
 * a monitor whose metric could not be read at the last look is `unread`:
 * neither is safety.
 */
struct puan_risk {
    struct puan_str risk, zh, en;
    unsigned monitors, unread;
    int level; /* 0 none, 1 blue ... 4 red */
    unsigned alarms; /* inside the area */
    /* of the alarm shown; empty at level 0 */
    struct puan_str monitor, monitor_zh, monitor_en, when;
    int64_t area, value, since_ms, run;
};
const char *puan_risk_level(int level); /* "none", "blue", ... */
/* All kinds in the order of risks.yaml; *n gets how many, in the arena. */
PUAN_MUST_USE enum puan_status
puan_risks_of(struct puan_risk **out, size_t *n, struct puan_store *st,
              int64_t area, struct puan_arena *a, struct puan_err *err);

#endif
