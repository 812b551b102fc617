/*
 * Detectors judged against planted truth.  Reads truth.csv and lists of
 * detections; knows no detector and no rule by itself.
 */
#ifndef PUAN_FEATURES_SIMULATE_SCORE_H
#define PUAN_FEATURES_SIMULATE_SCORE_H

#include "base/out.h"

/*
 * One JSON object, a member a detector: planted, found, false, beside (fired in
 * a household with another planted fault: a consequence, not a false alarm),
 * recall_ppm, precision_ppm.  Every detector that truth names and every one that a list
 * names gets a member; the order is that of their names.
 */
PUAN_MUST_USE enum puan_status sim_score(struct puan_out *out,
                                         const char *truth,
                                         const char *const *lists,
                                         size_t n_lists, struct puan_arena *a,
                                         struct puan_err *err);

#endif
