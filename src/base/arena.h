/*
 * Memory with a named owner: allocate freely, release all of it at one place.
 *
 * An arena never calls malloc; the host lends it blocks (malloc, a PostgreSQL
 * context, WASM pages).  A failed allocation is sticky: build freely and look
 * at `failed` once.  With PUAN_ARENA_DEBUG each object is its own block, so
 * that a sanitizer sees overruns.
 *
 * Depends on: status, text.  Keeps no global state; an arena belongs to one
 * thread at a time.
 */
#ifndef PUAN_BASE_ARENA_H
#define PUAN_BASE_ARENA_H

#include "base/status.h"
#include "base/text.h"

struct puan_alloc {
    void *(*get)(void *ctx, size_t n); /* NULL when out of memory */
    void (*put)(void *ctx, void *p, size_t n);
    void *ctx;
};

struct puan_arena {
    const struct puan_alloc *host;
    struct puan_arena_block *top;
    size_t used, limit; /* bytes handed out; most it may hold, 0 = no limit */
    bool failed;
};

void puan_arena_init(struct puan_arena *a, const struct puan_alloc *host);

/* Gives everything back but keeps the first block for the next use. */
void puan_arena_reset(struct puan_arena *a);

/* Gives everything back.  Safe on a zeroed or cleared arena. */
void puan_arena_clear(struct puan_arena *a);

/*
 * Zeroed memory, aligned for any type.  NULL sets a->failed, which stays set
 * until reset.  A size of zero gives a valid pointer.
 */
void *puan_arena_get(struct puan_arena *a, size_t n);

/* A zeroed array of n objects of `size` bytes, overflow checked. */
void *puan_arena_get_n(struct puan_arena *a, size_t n, size_t size);

#define puan_new(a, T) ((T *)puan_arena_get((a), sizeof(T)))
#define puan_new_n(a, n, T) ((T *)puan_arena_get_n((a), (n), sizeof(T)))

/* A terminated copy; "" and failed when out of memory, so never NULL. */
const char *puan_arena_dup(struct puan_arena *a, struct puan_str s);
/* The same as a text with its length; empty when out of memory. */
struct puan_str puan_arena_keep(struct puan_arena *a, struct puan_str s);

/* A terminated, formatted text; formats as puan_fail.  Never NULL. */
const char *puan_arena_fmt(struct puan_arena *a, const char *fmt, ...)
    PUAN_PRINTF(2, 3);

/* ENOMEM when the arena has failed, else OK. */
enum puan_status puan_arena_check(const struct puan_arena *a,
                                  struct puan_err *err);

#endif
