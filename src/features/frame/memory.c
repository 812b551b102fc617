/*
 * Memory by pages, large ones where the system has them: columns are hundreds
 * of megabytes, and the faults of small pages cost as much as parsing.
 */
#include <sys/mman.h>

#include "features/frame/internal.h"

#define BLOCK ((size_t)32 << 20)
#define LARGE_PAGE ((size_t)2 << 20)

struct puan_slab_block {
    struct puan_slab_block *next;
    size_t size;
};

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

void *puan_slab_get(struct puan_slab *s, size_t n)
{
    size_t head = 64, room;
    struct puan_slab_block *b;

    n = (n + 63) / 64 * 64;
    room = s->top ? s->top->size - s->used : 0;
    if (n > room) {
        size_t size = n + head > BLOCK ? n + head : BLOCK;

        b = puan_pages_get(size);
        if (!b)
            return NULL;
        b->next = s->top;
        b->size = size;
        s->top = b;
        s->used = head;
    }
    s->used += n;
    return (char *)s->top + s->used - n;
}

void puan_slab_clear(struct puan_slab *s)
{
    while (s->top) {
        struct puan_slab_block *b = s->top;

        s->top = b->next;
        puan_pages_put(b, b->size);
    }
    s->used = 0;
}
