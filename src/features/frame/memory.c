/*
 * Memory by pages, large ones where the system has them.
 */
#include <sys/mman.h>

#include "features/frame/internal.h"

#define LARGE_PAGE ((size_t)2 << 20)

void *puan_pages_get(size_t n)
{
    void *p;

    if (n == 0)
        n = 1;
    p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
             0);
    if (p == MAP_FAILED)
        return NULL;
    if (n >= LARGE_PAGE)
        (void)madvise(p, n, MADV_HUGEPAGE); /* a wish */
    return p;
}

void puan_pages_put(void *p, size_t n)
{
    if (p)
        munmap(p, n ? n : 1);
}
