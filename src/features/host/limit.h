/*
 * How often an address may ask: a bucket of so many requests, one more every
 * so many milliseconds.  For public rows that a machine would like to ask in a
 * row: certificates, tip-offs.  In memory; bounded, an address that shares a
 * place with a later one begins again.
 *
 * Depends on: base.
 */
#ifndef PUAN_FEATURES_HOST_LIMIT_H
#define PUAN_FEATURES_HOST_LIMIT_H

#include "base/status.h"

struct puan_limit;

/* NULL: out of memory. */
struct puan_limit *puan_limit_open(int64_t burst, int64_t refill_ms);
void puan_limit_close(struct puan_limit *l);
/* Takes one for this address (rq->http->peer); false: none is left. */
bool puan_limit_take(struct puan_limit *l, const char *peer, int64_t now_ms);

#endif
