/*
 * Drills held: runs of the plan's drills (core/drill, doc/drills.md) in the
 * office store.
 *
 *   drill_run(id, drill, version, area, state, lead_role, lead_area,
 *             lead_person, planned, started, ended, points, full_points,
 *             passed, report)                    covered
 *     drill: empty when a case was opened as a drill outside any; state:
 *     planned, running, ended, aborted, reported; points and report: as
 *     reported, digest of the report's file
 *   drill_event(run, n, at, kind, name, role, area, person, yes, case_run,
 *               body)                            covered, only added
 *     kind: start, inject, message, heard, case, observed, measured,
 *     improvement, end, abort, report; name: of the inject, expectation or
 *     measure
 *
 * What a drill is worth is judged whenever it is asked for, from these events
 * and from those of its cases.  A job sends the injects and ends what is over,
 * each an act of its own that is decided again inside.
 *
 * Depends on: cases, backup, ledgers, notify, core/drill.
 */
#ifndef PUAN_FEATURES_DRILL_DRILL_H
#define PUAN_FEATURES_DRILL_DRILL_H

#include "features/cases/cases.h"

extern const struct puan_feature puan_feature_drill;
extern const struct puan_case_drills puan_drill_of_cases;

/* Sends the injects that are due and ends what is over; the job does it. */
PUAN_MUST_USE enum puan_status puan_drills_tick(struct puan_store *st,
                                                struct puan_err *err);

#endif
