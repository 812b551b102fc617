/*
 * Rows told apart by up to four values: each new combination gets the next
 * number.
 *
 * Memory from malloc, given back by puan_keys_clear.
 */
#ifndef PUAN_FEATURES_SAMPLE_KEYS_H
#define PUAN_FEATURES_SAMPLE_KEYS_H

#include "base/status.h"

#define PUAN_KEY_MOST 4

struct puan_keys {
    int64_t *key; /* PUAN_KEY_MOST of each number */
    uint32_t *slot;
    uint32_t n, room, slots, last;
};

/* The number of a combination; UINT32_MAX when out of memory.  Rows in order
   often repeat the one before, which costs one comparison. */
uint32_t puan_keys_of(struct puan_keys *k, const int64_t key[PUAN_KEY_MOST]);
void puan_keys_clear(struct puan_keys *k);

#endif
