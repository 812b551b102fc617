/*
 * Inside features/library: what its files share.
 */
#ifndef PUAN_FEATURES_LIBRARY_INTERNAL_H
#define PUAN_FEATURES_LIBRARY_INTERNAL_H

#include "features/host/request.h"
#include "features/library/library.h"

/* The members id, zh, en of an open map. */
void puan_library_label(struct puan_jw *w, const struct puan_flow_label *l);
/* `prefix`_zh and _en: a role's words. */
void puan_library_role(struct puan_jw *w, const struct puan_plan *p,
                       const char *key, struct puan_str role);

/*
 * May the flow be run at `now`: "in-force", "trial", "not-yet" (before its
 * day), "unapproved".
 */
const char *puan_library_standing(const struct puan_flow *f, int64_t now);

/* All of a definition, as members of an open map. */
void puan_library_definition(struct puan_jw *w, const struct puan_plan *p,
                             const struct puan_flow *f,
                             const struct puan_flows *all,
                             struct puan_arena *a);

/* "runs": those open, then those that ended last. */
PUAN_MUST_USE enum puan_status puan_library_runs(struct puan_jw *w,
                                                 struct puan_request *rq,
                                                 const struct puan_flow *f,
                                                 struct puan_err *err);

/* May this seat see runs of the flow at all (a flow with a public entry is
 * for the seats it names)? */
bool puan_library_seen(const struct puan_request *rq,
                       const struct puan_flow *f);

#endif
