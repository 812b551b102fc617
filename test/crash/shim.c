/*
 * A disk that fails: preloaded under the server, it lets the first N writes
 * and flushes of regular files through and fails those behind them.
 *
 *   PUAN_FAULT=full:N    ENOSPC from the Nth write on
 *   PUAN_FAULT=io:N      EIO from the Nth write on
 *   PUAN_FAULT=flush:N   EIO from the Nth flush on, writes go through
 *   PUAN_FAULT=once:N    EIO at the Nth write or flush only
 *
 * Test code: never part of the product.
 */
/* pwrite and pwrite64 are two symbols here */
#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

ssize_t write(int fd, const void *p, size_t n);
ssize_t pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t pwrite64(int fd, const void *p, size_t n, off_t at);
int fsync(int fd);
int fdatasync(int fd);

typedef ssize_t (*write_fn)(int, const void *, size_t);
typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off_t);
typedef int (*flush_fn)(int);

static atomic_long writes, flushes;

static int failure(int fd, int flush)
{
    const char *what = getenv("PUAN_FAULT");
    const char *colon = what ? strchr(what, ':') : NULL;
    long at, n, f;
    struct stat s;

    if (!colon || fstat(fd, &s) != 0 || !S_ISREG(s.st_mode))
        return 0;
    at = strtol(colon + 1, NULL, 10);
    n = flush ? atomic_load(&writes) : atomic_fetch_add(&writes, 1) + 1;
    f = flush ? atomic_fetch_add(&flushes, 1) + 1 : atomic_load(&flushes);
    if (strncmp(what, "full", 4) == 0)
        return !flush && n >= at ? ENOSPC : 0;
    if (strncmp(what, "io", 2) == 0)
        return n >= at ? EIO : 0;
    if (strncmp(what, "flush", 5) == 0)
        return flush && f >= at ? EIO : 0;
    return n + f == at ? EIO : 0;
}

#define REAL(name, type)                                                       \
    static type real;                                                          \
    if (!real) {                                                               \
        void *found = dlsym(RTLD_NEXT, name);                                  \
        memcpy(&real, &found, sizeof(real));                                   \
    }

ssize_t write(int fd, const void *p, size_t n)
{
    REAL("write", write_fn)
    int e = failure(fd, 0);

    if (e == 0)
        return real(fd, p, n);
    errno = e;
    return -1;
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
    REAL("pwrite64", pwrite_fn)
    int e = failure(fd, 0);

    if (e == 0)
        return real(fd, p, n, at);
    errno = e;
    return -1;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return pwrite64(fd, p, n, at);
}

int fsync(int fd)
{
    REAL("fsync", flush_fn)
    int e = failure(fd, 1);

    if (e == 0)
        return real(fd);
    errno = e;
    return -1;
}

int fdatasync(int fd)
{
    REAL("fdatasync", flush_fn)
    int e = failure(fd, 1);

    if (e == 0)
        return real(fd);
    errno = e;
    return -1;
}
