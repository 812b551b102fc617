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
 *       metric: puan_returns_submitted
 *       of: puan_returns_listed        # optional: names total and percent
 *       level: township                # areas judged; absent: the whole
 *       every: 10m                     # campaign time between looks
 *       levels:
 *         - {raise: yellow, when: "percent < 80 and elapsed_hours > 120"}
 *         - {raise: red, when: "percent < 50 and elapsed_hours > 120"}
 *       clear: "percent >= 85"         # optional; else: no level holds
 *       quiet: 12h                     # no second case sooner after the first
 *       opens: incident
 *       fields: {class: technical, title: "…"}
 *
 * Names of the expressions: value (the metric), before (at the look before),
 * rise (value - before), total and percent (with `of`), known (no: the metric
 * could not be read; then value is unknown), elapsed_hours (since the first
 * window for returns opened), hour (of the local day), raised (level now).
 * Levels: blue yellow orange red; the highest that holds counts.
 *
 * The case gets the fields of the monitor plus raised_by and level where the
 * flow takes them.  While it is open, and for `quiet` after it was opened,
 * further alarms feed it and open no other, however the metric flaps.
 *
 *   monitor_state(monitor, area, level, value, since, run, opened)  covered
 *     one row for each alarm that ever was; changed when the level changes
 *
 * What a metric showed at the last look is kept in memory only.
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

#endif
