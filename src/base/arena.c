/*
 * Arenas: blocks from the host, handed out by moving a mark.
 */
#include "base/arena.h"

struct puan_arena_block {
    struct puan_arena_block *next; /* towards the oldest */
    size_t size, used;             /* of the bytes behind this header */
};

#define ALIGN 16u
#define FIRST 4096u
#define LARGEST (1024u * 1024u)

static size_t header(void)
{
    return (sizeof(struct puan_arena_block) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static char *bytes(struct puan_arena_block *b)
{
    return (char *)b + header();
}

void puan_arena_init(struct puan_arena *a, const struct puan_alloc *host)
{
    *a = (struct puan_arena){ .host = host };
}

static void give_back(struct puan_arena *a, struct puan_arena_block *keep)
{
    while (a->top && a->top != keep) {
        struct puan_arena_block *b = a->top;

        a->top = b->next;
        a->host->put(a->host->ctx, b, header() + b->size);
    }
}

void puan_arena_reset(struct puan_arena *a)
{
    struct puan_arena_block *oldest = a->top;

    while (oldest && oldest->next)
        oldest = oldest->next;
#ifdef PUAN_ARENA_DEBUG
    oldest = NULL;
#endif
    give_back(a, oldest);
    if (a->top)
        a->top->used = 0;
    a->used = 0;
    a->failed = false;
}

void puan_arena_clear(struct puan_arena *a)
{
    if (a->host)
        give_back(a, NULL);
    a->used = 0;
    a->failed = false;
}

void *puan_arena_get(struct puan_arena *a, size_t n)
{
    struct puan_arena_block *b = a->top;
    size_t size;
    void *p;

    if (n > SIZE_MAX / 2) {
        a->failed = true;
        return NULL;
    }
    /* rounded first: what is handed out never passes the limit */
    n = n ? (n + ALIGN - 1) & ~(size_t)(ALIGN - 1) : ALIGN;
    if (a->limit && (a->used > a->limit || n > a->limit - a->used)) {
        a->failed = true;
        return NULL;
    }
#ifdef PUAN_ARENA_DEBUG
    b = NULL;
#endif
    if (b == NULL || b->size - b->used < n) {
        size = b ? b->size * 2 : FIRST - header();
        if (size > LARGEST)
            size = LARGEST;
#ifdef PUAN_ARENA_DEBUG
        size = n;
#endif
        if (size < n)
            size = n;
        b = a->host->get(a->host->ctx, header() + size);
        if (b == NULL) {
            a->failed = true;
            return NULL;
        }
        b->next = a->top;
        b->size = size;
        b->used = 0;
        a->top = b;
    }
    p = bytes(b) + b->used;
    b->used += n;
    a->used += n;
    return memset(p, 0, n);
}

void *puan_arena_get_n(struct puan_arena *a, size_t n, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(n, size, &total)) {
        a->failed = true;
        return NULL;
    }
    return puan_arena_get(a, total);
}

const char *puan_arena_dup(struct puan_arena *a, struct puan_str s)
{
    char *p = puan_arena_get(a, s.n + 1);

    if (p == NULL)
        return "";
    if (s.n)
        memcpy(p, s.p, s.n);
    return p;
}

struct puan_str puan_arena_keep(struct puan_arena *a, struct puan_str s)
{
    const char *p = puan_arena_dup(a, s);

    return a->failed ? PUAN_STR("") : (struct puan_str){ p, s.n };
}

const char *puan_arena_fmt(struct puan_arena *a, const char *fmt, ...)
{
    va_list ap;
    size_t n;
    char *p;

    va_start(ap, fmt);
    n = puan_vformat(NULL, 0, fmt, ap);
    va_end(ap);
    p = puan_arena_get(a, n + 1);
    if (p == NULL)
        return "";
    va_start(ap, fmt);
    puan_vformat(p, n + 1, fmt, ap);
    va_end(ap);
    return p;
}

enum puan_status puan_arena_check(const struct puan_arena *a,
                                  struct puan_err *err)
{
    if (a->failed)
        return puan_fail(err, PUAN_ENOMEM, "", "out of memory");
    return PUAN_OK;
}
