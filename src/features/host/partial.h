/*
 * How many stores of an area could answer in full, and which could not: the
 * `partial` of an answer that was put together from several.
 */
#ifndef PUAN_FEATURES_HOST_PARTIAL_H
#define PUAN_FEATURES_HOST_PARTIAL_H

#include "base/json.h"

struct puan_partial { /* begins zeroed */
    int64_t have, of;
    int64_t missing[16]; /* areas of the first that are missing */
};

/* One more store; `whole`: it answered in full. */
void puan_partial_add(struct puan_partial *k, int64_t area, bool whole);

/* "partial": {"have", "of", "missing": ["code", …]}; nothing when all did. */
void puan_partial_json(struct puan_jw *w, const struct puan_partial *k);

#endif
