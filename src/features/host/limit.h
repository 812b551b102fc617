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
/*
 * What stands for an address in such buckets: of IPv6 its network of 64 bits,
 * since whoever has one address there has them all.  Never 0.
 */
uint64_t puan_peer_hash(const char *peer);
/* Takes one for this address (rq->http->peer); false: none is left. */
bool puan_limit_take(struct puan_limit *l, const char *peer, int64_t now_ms);

#endif
