/*
 * The entry every reading of a running result leaves.  Of this folder only.
 */
#ifndef PUAN_FEATURES_TABLES_TRACE_H
#define PUAN_FEATURES_TABLES_TRACE_H

#include "features/host/feature.h"

/* "evaluation.view" of area/<code>/<what>; *seq gets the entry. */
PUAN_MUST_USE enum puan_status puan_tables_trace(uint64_t *seq,
                                                 struct puan_request *rq,
                                                 int64_t area,
                                                 struct puan_str what,
                                                 struct puan_err *err);

#endif
