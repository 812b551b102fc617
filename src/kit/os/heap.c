/*
 * malloc and free behind struct puan_alloc.  Never aborts: out of memory is
 * NULL, which an arena remembers.
 */
#include "kit/os/heap.h"

#include <stdlib.h>
#include <sys/mman.h>

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

/* ---- large pages ----------------------------------------------------------- */

#define LARGE ((size_t)2 << 20)

static void *get_large(void *ctx, size_t n)
{
    void *p;

    (void)ctx;
    if (n < LARGE)
        return malloc(n);
    if (n > SIZE_MAX - LARGE)
        return NULL;
    p = aligned_alloc(LARGE, (n + LARGE - 1) / LARGE * LARGE);
#ifdef MADV_HUGEPAGE
    if (p)
        (void)madvise(p, n, MADV_HUGEPAGE); /* a wish: no matter if refused */
#endif
    return p;
}

const struct puan_alloc puan_heap_large = { .get = get_large, .put = put };
