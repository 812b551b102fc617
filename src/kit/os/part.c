/* Files in the making (part.h). */
#include "kit/os/part.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "kit/os/os.h"

/* Names on the way, for the signals: a slot is empty or holds one. */
#define SLOTS 128
static _Atomic(char *) on_the_way[SLOTS];

static int remember(char *name)
{
    for (int i = 0; i < SLOTS; i++) {
        char *none = NULL;

        if (atomic_compare_exchange_strong(&on_the_way[i], &none, name))
            return i;
    }
    return -1; /* more at once than anybody writes: it may stay */
}

static void forget(struct puan_part *p)
{
    if (p->slot >= 0)
        atomic_store(&on_the_way[p->slot], NULL);
    p->slot = -1;
}

static void killed(int sig)
{
    for (int i = 0; i < SLOTS; i++) {
        const char *name = atomic_load(&on_the_way[i]);

        if (name)
            (void)unlink(name);
    }
    (void)raise(sig); /* SA_RESETHAND: ends the program when we return */
}

void puan_part_tidy(void)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

    for (size_t i = 0; i < PUAN_COUNT(signals); i++) {
        struct sigaction a = { .sa_handler = killed,
                               .sa_flags = (int)SA_RESETHAND };
        struct sigaction is;

        if (sigaction(signals[i], NULL, &is) == 0 && is.sa_handler == SIG_DFL)
            (void)sigaction(signals[i], &a, NULL);
    }
}

enum puan_status puan_part_fault(struct puan_err *err, const char *path,
                                 int fault)
{
    return puan_fail(err, PUAN_EWRITE, path, "cannot be written: %s",
                     strerror(fault));
}

static void clear(struct puan_part *p)
{
    free(p->path);
    free(p->beside);
    *p = (struct puan_part){ .fd = -1, .slot = -1 };
}

/* A file without a name in the directory of `path`; -1: not to be had. */
static int nameless(const char *path, mode_t mode)
{
#ifdef O_TMPFILE
    const char *slash = strrchr(path, '/');
    char *dir;
    int fd;

    if (access("/proc/self/fd", X_OK) != 0)
        return -1; /* it could not be given a name */
    dir = slash ? strndup(path, slash > path ? (size_t)(slash - path) : 1)
                : strdup(".");
    if (!dir)
        return -1;
    fd = open(dir, O_RDWR | O_TMPFILE | O_CLOEXEC, mode);
    free(dir);
    return fd;
#else
    (void)path;
    (void)mode;
    return -1;
#endif
}

static int make(struct puan_part *p, mode_t mode)
{
    p->fd = nameless(p->path, mode);
    if (p->fd >= 0) {
        puan_format(p->by, sizeof(p->by), "/proc/self/fd/%d", p->fd);
        p->at = p->by;
        return 0;
    }
    p->slot = remember(p->beside);
    (void)unlink(p->beside); /* of a process of this number, long gone */
    p->fd = open(p->beside, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                 mode);
    if (p->fd < 0)
        return errno;
    p->at = p->beside;
    p->named = true;
    return 0;
}

enum puan_status puan_part_open(struct puan_part *p, const char *path,
                                enum puan_part_kind kind, unsigned mode,
                                struct puan_err *err)
{
    size_t n = strlen(path) + 32;
    int fault;

    *p = (struct puan_part){ .fd = -1, .slot = -1 };
    p->path = strdup(path);
    if (!p->path)
        return puan_fail(err, PUAN_ENOMEM, path, "out of memory");
    if (!path[0] || puan_dir_exists(path)) {
        clear(p);
        return puan_part_fault(err, path, path[0] ? EISDIR : ENOENT);
    }
    if (!puan_file_replaceable(path)) {
        if (kind != PUAN_PART_ANY) {
            clear(p);
            return puan_fail(err, PUAN_EWRITE, path,
                             "cannot be written: is no ordinary file");
        }
        p->fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
        fault = p->fd < 0 ? errno : 0;
        p->at = p->path;
    } else {
        p->beside = malloc(n);
        if (!p->beside) {
            clear(p);
            return puan_fail(err, PUAN_ENOMEM, path, "out of memory");
        }
        puan_format(p->beside, n, "%s.%ld.part", path, (long)getpid());
        fault = make(p, (mode_t)mode);
    }
    if (p->fd >= 0)
        return PUAN_OK;
    forget(p);
    clear(p);
    return puan_part_fault(err, path, fault);
}

/* Swaps the two names, in one step as rename.  A rename over another file would
   wait for the disk on some file systems (ext4 then allots all blocks). */
static bool exchange(const struct puan_part *p)
{
#ifdef RENAME_EXCHANGE
    return renameat2(AT_FDCWD, p->beside, AT_FDCWD, p->path, RENAME_EXCHANGE) ==
           0;
#else
    (void)p;
    return false;
#endif
}

/* Through a name beside it, as a link does not replace a file. */
static int put_in_place(struct puan_part *p, bool flushed)
{
    if (!p->named) {
        p->slot = remember(p->beside);
        (void)unlink(p->beside);
        if (linkat(AT_FDCWD, p->by, AT_FDCWD, p->beside, AT_SYMLINK_FOLLOW) !=
            0)
            return errno;
        p->named = true;
    }
    if (!flushed && exchange(p))
        return 0; /* what was there goes away under the name beside */
    if (rename(p->beside, p->path) != 0)
        return errno;
    p->named = false;
    return 0;
}

enum puan_status puan_part_keep(struct puan_part *p, bool flush,
                                struct puan_err *err)
{
    enum puan_status st = PUAN_OK;
    int fault = 0;

    if (p->fd < 0)
        return puan_fail(err, PUAN_EBUG, "file", "is not open");
    if (flush && p->beside && fsync(p->fd) != 0 && errno != EINVAL &&
        errno != EROFS)
        fault = errno;
    if (fault == 0 && p->beside)
        fault = put_in_place(p, flush);
    if (close(p->fd) != 0 && fault == 0)
        fault = errno;
    p->fd = -1;
    if (fault != 0)
        st = puan_part_fault(err, p->path, fault);
    puan_part_drop(p);
    return st;
}

void puan_part_drop(struct puan_part *p)
{
    if (p->fd >= 0)
        (void)close(p->fd);
    if (p->named)
        (void)unlink(p->beside);
    if (p->path)
        forget(p);
    clear(p);
}
