/*
 * malloc and free behind struct puan_alloc.  Never aborts: out of memory is
 * NULL, which an arena remembers.
 */
#include "kit/os/heap.h"

#include <stdlib.h>

static void *get(void *ctx, size_t n)
{
    (void)ctx;
    return malloc(n);
}

static void put(void *ctx, void *p, size_t n)
{
    (void)ctx;
    (void)n;
    free(p);
}

const struct puan_alloc puan_heap = { .get = get, .put = put };
