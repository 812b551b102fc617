/*
 * Exact linkage on identity tokens: which records speak of one person, and
 * whether they may.
 *
 * A census that registers by presence and by registration at once has two
 * records of a person who lives away from the place of registration, by
 * design: one present and registered elsewhere, one registered here and living
 * elsewhere.  That pair is paired, not flagged.  What a person may have is at
 * most one record that counts him present and at most one that counts him
 * registered (cases 1-9 of the plan's residence table give the two bits); more
 * than one of either is a duplicate to be decided (rules RX01, RX02).  A plan
 * with one registration a person sets both bits always, and any second record
 * is a duplicate.
 *
 * Depends on: base.  Does no I/O, keeps no state; sees tokens, never names.
 */
#ifndef PUAN_CORE_LINK_LINK_H
#define PUAN_CORE_LINK_LINK_H

#include "base/status.h"

#define PUAN_TOKEN_SIZE 16

enum { PUAN_LINK_PRESENT = 1, PUAN_LINK_REGISTERED = 2 };

/* One record of a person, as the token log keeps it. */
struct puan_link_entry {
    uint8_t token[PUAN_TOKEN_SIZE];
    int64_t household;
    uint32_t line;  /* from 1 */
    uint16_t store; /* ordinal */
    uint8_t bits;   /* PUAN_LINK_* */
    uint8_t spare;
};

enum puan_link_kind {
    PUAN_LINK_PAIR,            /* lives apart from the registration */
    PUAN_LINK_PRESENT_TWICE,   /* RX01 */
    PUAN_LINK_REGISTERED_TWICE /* RX02 */
};

/* Sorts by token, then store, household and line.  In place, O(n log n). */
void puan_link_sort(struct puan_link_entry *e, size_t n);

/*
 * Is called once a group of two or more entries of one token, with its kinds
 * as bits (1 << kind); 0 when the records do not contradict each other and
 * form no pair (a present record whose registration lies outside, met by
 * another of neither kind).  `group` points into the sorted array.
 */
typedef enum puan_status (*puan_link_fn)(void *ctx, unsigned kinds,
                                         const struct puan_link_entry *group,
                                         size_t n, struct puan_err *err);
PUAN_MUST_USE enum puan_status
puan_link_groups(const struct puan_link_entry *e, size_t n, puan_link_fn fn,
                 void *ctx, struct puan_err *err);

/* The kinds of one group, as above. */
unsigned puan_link_kinds(const struct puan_link_entry *group, size_t n);

#endif
