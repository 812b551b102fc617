/*
 * Inside audit: the index of the ledgers and what the search shares.  No other
 * feature includes this.
 *
 * The index holds, for every entry of every store, hashes of who, where, with
 * what and about what, the number its subject names, and when: 40 bytes.  It
 * follows the ledgers by itself while little is written and catches up at a
 * search; it is derived, in memory only, and every hit is read again from the
 * ledger before it is shown.
 */
#ifndef PUAN_FEATURES_AUDIT_INTERNAL_H
#define PUAN_FEATURES_AUDIT_INTERNAL_H

#include <pthread.h>

#include "core/ledger/ledger.h"
#include "features/host/request.h"

struct puan_audit_row {
    int64_t key;      /* the first number of the subject; 0 none */
    uint32_t event_s; /* event time in seconds */
    uint32_t actor, seat, role, device, subject; /* hashes; 0 empty */
    uint32_t head;    /* first four bytes of the new digest */
    uint16_t verb;    /* place in `verb` of the index */
};

#define PUAN_AUDIT_VERBS 512

struct puan_audit_store {
    struct puan_shard *sh;
    struct puan_audit_row *row; /* by seq */
    size_t n, cap;
    uint64_t seen_height; /* at the last tick */
};

struct puan_audit {
    struct puan_store *store;
    pthread_mutex_t lock;
    struct puan_audit_store *of; /* by ordinal of the store */
    size_t n_stores;
    char *verb[PUAN_AUDIT_VERBS]; /* 0: any further one */
    size_t n_verbs;
};

extern const struct puan_feature puan_feature_audit;

uint32_t puan_audit_hash(struct puan_str s);
/* Reads on by at most `most` entries (0: to the end).  The lock is held. */
PUAN_MUST_USE enum puan_status puan_audit_follow(struct puan_audit *x,
                                                 size_t most,
                                                 struct puan_err *err);
enum puan_status puan_audit_open(void **state, struct puan_store *st,
                                 struct puan_err *err);
void puan_audit_close(void *state, struct puan_store *st);
/* The job: keeps up while the ledgers are at rest. */
enum puan_status puan_audit_tick(struct puan_store *st, struct puan_err *err);

#endif
