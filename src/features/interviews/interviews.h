/*
 * How interviews are done, by enumerator: a projection in memory that follows
 * the returns behind the commits, and the metrics monitors read of it.
 *
 *   interview   the first version of a household's return, mode "enumerator"
 *   fast        it took less than the plan's setting `interview_least` (3m)
 *   night       it began at `interview_night_from` (22) o'clock or later, or
 *               before `interview_night_until` (6), by the plan's clock
 *   flawed      it came with a hard finding
 *   corrected   a later version followed; counted to who sent the one before
 *
 * They are signs, not verdicts: an enumerator with fewer than
 * PUAN_INTERVIEWS_LEAST interviews is not judged, and what is counted of one
 * is shown beside the middle of the others in the area.
 *
 * Derived; nothing of it is stored.  Depends on: store.
 */
#ifndef PUAN_FEATURES_INTERVIEWS_INTERVIEWS_H
#define PUAN_FEATURES_INTERVIEWS_INTERVIEWS_H

#include "features/store/store.h"

extern const struct puan_feature puan_feature_interviews;

#define PUAN_INTERVIEWS_LEAST 20

struct puan_interviews {
    int64_t interviews, fast, night, flawed, corrected;
};
struct puan_interviewer {
    struct puan_str actor; /* account, in the arena */
    struct puan_interviews n;
};
/*
 * Of every enumerator with interviews in the area, in no order.  EBUSY while a
 * store it needs has not been read to its end yet.
 */
PUAN_MUST_USE enum puan_status
puan_interviewers(struct puan_interviewer **out, size_t *n,
                  struct puan_store *st, int64_t area, struct puan_arena *a,
                  struct puan_err *err);

/* Reads on until nothing is left to read; the job does it by itself. */
PUAN_MUST_USE enum puan_status puan_interviews_look(struct puan_store *st,
                                                    struct puan_err *err);

#endif
