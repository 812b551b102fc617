/*
 * Notices: what an office says to everybody, and the public reads without
 * signing in.  A notice is a run of a flow that declares `notice:`
 * (doc/flows.md); this feature finds the runs that stand and shows the fields
 * the flow names, nothing else of the case.
 *
 * Stores nothing.  Depends on: cases.
 */
#ifndef PUAN_FEATURES_NOTICES_NOTICES_H
#define PUAN_FEATURES_NOTICES_NOTICES_H

#include "features/cases/cases.h"

extern const struct puan_feature puan_feature_notices;

#define PUAN_NOTICES_MOST 60       /* shown */
#define PUAN_NOTICES_KEEP_MS 2000  /* an answer is used again so long */

#endif
