/*
 * A file put together from small pieces, written in whole blocks of 2 MiB.
 * The page cache then holds it in large pages, as far as the system can: such
 * a file is mapped in a hundredth of the page faults, and the writers do not
 * wait for one another at every piece.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "features/frame/internal.h"
#include "kit/os/part.h"

#define BLOCK ((size_t)2 << 20)
#define AT_ONCE 128 /* blocks in the making; what is beyond goes straight */

struct block {
    char *buf;   /* NULL: none yet, or written */
    size_t left; /* bytes that are still to come */
    bool straight; /* no buffer was left for it */
};

struct puan_blocks {
    int fd;
    const char *path;
    uint64_t end;
    pthread_mutex_t m;
    struct block *block;
    size_t n;
    char *room, *next; /* of the buffers; where the next new one stands */
    char *idle[AT_ONCE];
    size_t n_idle, n_new;
};

enum puan_status puan_blocks_new(struct puan_blocks **out, int fd,
                                 const char *path, uint64_t end,
                                 struct puan_err *err)
{
    struct puan_blocks *b = calloc(1, sizeof(*b));
    uintptr_t off;

    *out = NULL;
    if (b) {
        b->n = (size_t)((end + BLOCK - 1) / BLOCK);
        b->block = calloc(b->n ? b->n : 1, sizeof(*b->block));
        b->room = puan_pages_get((AT_ONCE + 1) * BLOCK);
    }
    if (!b || !b->block || !b->room) {
        if (b) {
            puan_pages_put(b->room, (AT_ONCE + 1) * BLOCK);
            free(b->block);
        }
        free(b);
        return puan_fail(err, PUAN_ENOMEM, path, "out of memory");
    }
    off = (uintptr_t)b->room % BLOCK;
    b->next = b->room + (off ? BLOCK - off : 0);
    b->fd = fd;
    b->path = path;
    b->end = end;
    pthread_mutex_init(&b->m, NULL);
    *out = b;
    return PUAN_OK;
}

void puan_blocks_free(struct puan_blocks *b)
{
    if (!b)
        return;
    pthread_mutex_destroy(&b->m);
    puan_pages_put(b->room, (AT_ONCE + 1) * BLOCK);
    free(b->block);
    free(b);
}

void puan_blocks_expect(struct puan_blocks *b, uint64_t at, uint64_t n)
{
    while (n > 0) {
        uint64_t k = BLOCK - at % BLOCK;

        k = k < n ? k : n;
        b->block[at / BLOCK].left += (size_t)k;
        at += k;
        n -= k;
    }
}

static size_t length(const struct puan_blocks *b, size_t i)
{
    uint64_t n = b->end - (uint64_t)i * BLOCK;

    return n < BLOCK ? (size_t)n : BLOCK;
}

/* Where the bytes of a block are gathered; NULL: they go straight. */
static char *buffer(struct puan_blocks *b, size_t i)
{
    struct block *x = &b->block[i];

    pthread_mutex_lock(&b->m);
    if (!x->buf && !x->straight) {
        if (b->n_idle > 0) {
            x->buf = b->idle[--b->n_idle];
        } else if (b->n_new < AT_ONCE) {
            x->buf = b->next + b->n_new++ * BLOCK;
        } else {
            x->straight = true;
        }
        if (x->buf && x->left < length(b, i))
            memset(x->buf, 0, BLOCK); /* between columns */
    }
    pthread_mutex_unlock(&b->m);
    return x->buf;
}

enum puan_status puan_put_bytes(int fd, const char *path, uint64_t at,
                                const void *data, uint64_t n,
                                struct puan_err *err)
{
    const char *p = data;

    while (n > 0) {
        ssize_t k = pwrite(fd, p, (size_t)n, (off_t)at);

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return puan_part_fault(err, path, errno);
        p += k;
        at += (uint64_t)k;
        n -= (uint64_t)k;
    }
    return PUAN_OK;
}

/* So many bytes of a block have come. */
static enum puan_status came(struct puan_blocks *b, size_t i, size_t n,
                             struct puan_err *err)
{
    struct block *x = &b->block[i];
    enum puan_status st;
    bool whole;

    pthread_mutex_lock(&b->m);
    x->left -= n;
    whole = x->left == 0;
    pthread_mutex_unlock(&b->m);
    if (!whole)
        return PUAN_OK;
    st = puan_put_bytes(b->fd, b->path, (uint64_t)i * BLOCK, x->buf,
                        length(b, i), err);
    pthread_mutex_lock(&b->m);
    b->idle[b->n_idle++] = x->buf;
    x->buf = NULL;
    pthread_mutex_unlock(&b->m);
    return st;
}

enum puan_status puan_blocks_put(struct puan_blocks *b, uint64_t at,
                                 const void *data, uint64_t n,
                                 struct puan_err *err)
{
    const char *p = data;
    enum puan_status st = PUAN_OK;

    while (st == PUAN_OK && n > 0) {
        size_t i = (size_t)(at / BLOCK), from = (size_t)(at % BLOCK);
        size_t k = BLOCK - from < n ? BLOCK - from : (size_t)n;
        char *to = buffer(b, i);

        if (to) {
            memcpy(to + from, p, k);
            st = came(b, i, k, err);
        } else {
            st = puan_put_bytes(b->fd, b->path, at, p, k, err);
        }
        p += k;
        at += k;
        n -= k;
    }
    return st;
}
