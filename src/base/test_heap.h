/*
 * For unit tests and fuzz targets only: the C library's heap as the host of an
 * arena, and one that refuses after a number of blocks.  Product code takes
 * its host from kit/os; never part of a program.
 *
 * Depends on: base/arena, libc.
 */
#ifndef PUAN_BASE_TEST_HEAP_H
#define PUAN_BASE_TEST_HEAP_H

#include <stdlib.h>

#include "base/arena.h"

/* The ctx of a scarce host; live: blocks given and not yet taken back. */
struct puan_test_scarce {
    int left; /* blocks until it refuses; -1 never */
    unsigned live;
};

static inline void *puan_test_get(void *ctx, size_t n)
{
    struct puan_test_scarce *s = (struct puan_test_scarce *)ctx;

    if (s == NULL)
        return malloc(n);
    if (s->left == 0)
        return NULL;
    if (s->left > 0)
        s->left--;
    s->live++;
    return malloc(n);
}

static inline void puan_test_put(void *ctx, void *p, size_t n)
{
    struct puan_test_scarce *s = (struct puan_test_scarce *)ctx;

    (void)n;
    if (s != NULL)
        s->live--;
    free(p);
}

static const struct puan_alloc puan_test_heap = { puan_test_get, puan_test_put,
                                                  NULL };

#endif
