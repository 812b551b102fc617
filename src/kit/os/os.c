/*
 * What the operating system gives (os.h).  Never follows a link when it
 * removes, never leaves a half-written file under its final name.
 */
#include "kit/os/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "kit/os/heap.h"
#include "kit/os/part.h"

const struct puan_alloc *puan_os_alloc(void)
{
    return &puan_heap;
}

int64_t puan_os_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t puan_os_mono_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

enum puan_status puan_os_random(void *p, size_t n, struct puan_err *err)
{
    uint8_t *at = p;

    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return puan_fail(err, PUAN_EIO, "random",
                             "the system gives no random bytes: %s",
                             strerror(errno));
        at += got;
        n -= (size_t)got;
    }
    return PUAN_OK;
}

void puan_os_wipe(void *p, size_t n)
{
    if (p && n)
        explicit_bzero(p, n);
}

unsigned puan_os_cpus(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
        return (unsigned)CPU_COUNT(&set);
    return 1;
}

int64_t puan_os_peak_kib(void)
{
    struct rusage u;

    return getrusage(RUSAGE_SELF, &u) == 0 ? u.ru_maxrss : 0;
}

bool puan_os_is_terminal(int fd)
{
    return isatty(fd) == 1;
}

unsigned puan_os_terminal_width(int fd)
{
    struct winsize w;

    if (ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
        return w.ws_col;
    return 80;
}

/* The status an errno stands for. */
static enum puan_status fail_errno(struct puan_err *err, const char *path,
                                   const char *what, int e)
{
    enum puan_status st = e == ENOENT || e == ENOTDIR ? PUAN_ENOTFOUND
                          : e == EEXIST               ? PUAN_ECONFLICT
                          : e == ENOMEM               ? PUAN_ENOMEM
                                                      : PUAN_EIO;

    return puan_fail(err, st, path, "%s: %s", what, strerror(e));
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = write(fd, p, n);

        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

enum puan_status puan_file_read(struct puan_str *out, const char *path,
                                size_t max, struct puan_arena *a,
                                struct puan_err *err)
{
    enum puan_status st = PUAN_OK;
    struct stat sb;
    char *buf;
    size_t n = 0, want;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    *out = (struct puan_str){ "", 0 };
    if (fd < 0)
        return fail_errno(err, path, "cannot be opened", errno);
    if (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode)) {
        st = puan_fail(err, PUAN_EIO, path, "is not a regular file");
        goto out;
    }
    want = (size_t)sb.st_size;
    if (max && want > max) {
        st = puan_fail(err, PUAN_ELIMIT, path,
                       "has %zu bytes; at most %zu are read", want, max);
        goto out;
    }
    buf = puan_arena_get(a, want + 1);
    if (!buf) {
        st = puan_arena_check(a, err);
        goto out;
    }
    while (n < want) {
        ssize_t k = read(fd, buf + n, want - n);

        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0) {
            st = fail_errno(err, path, "cannot be read", errno);
            goto out;
        }
        if (k == 0)
            break;
        n += (size_t)k;
    }
    *out = (struct puan_str){ buf, n };
out:
    close(fd);
    return st;
}

enum puan_status puan_memory_file_open(struct puan_memory_file *m,
                                       struct puan_str text,
                                       struct puan_err *err)
{
    m->path[0] = '\0';
    m->fd = memfd_create("puan", MFD_CLOEXEC);
    if (m->fd < 0 || !write_all(m->fd, text.p, text.n)) {
        enum puan_status st =
            fail_errno(err, "memory", "cannot be written", errno);

        puan_memory_file_close(m);
        return st;
    }
    puan_format(m->path, sizeof(m->path), "/proc/self/fd/%d", m->fd);
    return PUAN_OK;
}

void puan_memory_file_close(struct puan_memory_file *m)
{
    if (m->fd >= 0)
        close(m->fd);
    m->fd = -1;
}

/* The directory part of a path, "." when it has none. */
static void parent_of(char *out, size_t cap, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;

    if (!slash) {
        puan_format(out, cap, ".");
    } else if (n == 0) {
        puan_format(out, cap, "/");
    } else {
        if (n >= cap)
            n = cap - 1;
        memcpy(out, path, n);
        out[n] = '\0';
    }
}

enum puan_status puan_dir_sync(const char *path, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return fail_errno(err, path, "cannot be opened", errno);
    if (fsync(fd) != 0)
        st = fail_errno(err, path, "cannot be flushed", errno);
    close(fd);
    return st;
}

enum puan_status puan_file_write(const char *path, struct puan_str data,
                                 unsigned mode, struct puan_err *err)
{
    struct puan_part part;
    char dir[4096];
    enum puan_status st =
        puan_part_open(&part, path, PUAN_PART_WHOLE, mode, err);

    if (st != PUAN_OK)
        return st;
    if (fchmod(part.fd, (mode_t)mode) != 0 ||
        !write_all(part.fd, data.p, data.n)) {
        st = puan_part_fault(err, path, errno);
        puan_part_drop(&part);
        return st;
    }
    parent_of(dir, sizeof(dir), path);
    st = puan_part_keep(&part, true, err);
    return st == PUAN_OK ? puan_dir_sync(dir, err) : st;
}

bool puan_file_exists(const char *path)
{
    struct stat sb;

    return lstat(path, &sb) == 0;
}

bool puan_file_replaceable(const char *path)
{
    struct stat sb;

    return lstat(path, &sb) != 0 || S_ISREG(sb.st_mode);
}

bool puan_file_among(const char *path, const char *const *others, size_t n)
{
    struct stat sb, other;

    if (!path || stat(path, &sb) != 0 || !S_ISREG(sb.st_mode))
        return false;
    for (size_t i = 0; i < n; i++)
        if (stat(others[i], &other) == 0 && other.st_dev == sb.st_dev &&
            other.st_ino == sb.st_ino)
            return true;
    return false;
}

bool puan_dir_exists(const char *path)
{
    struct stat sb;

    return stat(path, &sb) == 0 && S_ISDIR(sb.st_mode);
}

bool puan_disk_space(int64_t *left, int64_t *all, const char *path)
{
    struct statvfs x;

    if (statvfs(path, &x) != 0 || x.f_blocks == 0)
        return false;
    *left = (int64_t)(x.f_bavail * x.f_frsize);
    *all = (int64_t)(x.f_blocks * x.f_frsize);
    return true;
}

int64_t puan_file_size(const char *path)
{
    struct stat sb;

    return stat(path, &sb) == 0 ? (int64_t)sb.st_size : -1;
}

enum puan_status puan_file_remove(const char *path, struct puan_err *err)
{
    if (unlink(path) != 0)
        return fail_errno(err, path, "cannot be removed", errno);
    return PUAN_OK;
}

enum puan_status puan_file_copy(const char *from, const char *to,
                                struct puan_err *err)
{
    enum puan_status st = PUAN_OK;
    char buf[65536];
    struct stat sb;
    int in, out = -1;

    in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return fail_errno(err, from, "cannot be opened", errno);
    if (fstat(in, &sb) != 0) {
        st = fail_errno(err, from, "cannot be read", errno);
        goto out;
    }
    out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
               sb.st_mode & 0777);
    if (out < 0) {
        st = fail_errno(err, to, "cannot be written", errno);
        goto out;
    }
    for (;;) {
        ssize_t k = read(in, buf, sizeof(buf));

        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0) {
            st = fail_errno(err, from, "cannot be read", errno);
            goto out;
        }
        if (k == 0)
            break;
        if (!write_all(out, buf, (size_t)k)) {
            st = fail_errno(err, to, "cannot be written", errno);
            goto out;
        }
    }
    if (fsync(out) != 0)
        st = fail_errno(err, to, "cannot be flushed", errno);
out:
    close(in);
    if (out >= 0) {
        close(out);
        if (st != PUAN_OK)
            unlink(to);
    }
    return st;
}

enum puan_status puan_map_open(struct puan_map *m, const char *path,
                               struct puan_err *err)
{
    enum puan_status st = PUAN_OK;
    struct stat sb;
    void *p;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    m->bytes = (struct puan_str){ "", 0 };
    if (fd < 0)
        return fail_errno(err, path, "cannot be opened", errno);
    if (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode)) {
        st = puan_fail(err, PUAN_EIO, path, "is not a regular file");
    } else if (sb.st_size > 0) {
        p = mmap(NULL, (size_t)sb.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
            st = fail_errno(err, path, "cannot be mapped", errno);
        else
            m->bytes = (struct puan_str){ p, (size_t)sb.st_size };
    }
    close(fd);
    return st;
}

void puan_map_large(const struct puan_map *m)
{
#ifdef MADV_HUGEPAGE
    union {
        const char *c;
        void *v;
    } u = { m->bytes.p };

    if (m->bytes.n > 0)
        (void)madvise(u.v, m->bytes.n, MADV_HUGEPAGE);
#else
    (void)m;
#endif
}

void puan_map_close(struct puan_map *m)
{
    union {
        const char *c;
        void *v;
    } u = { m->bytes.p };

    if (m->bytes.n > 0)
        munmap(u.v, m->bytes.n);
    m->bytes = (struct puan_str){ "", 0 };
}

enum puan_status puan_dir_make(const char *path, struct puan_err *err)
{
    char buf[4096];
    size_t n = puan_format(buf, sizeof(buf), "%s", path);

    if (n >= sizeof(buf) || n == 0)
        return puan_fail(err, PUAN_EINVAL, "directory",
                         "the path is empty or too long");
    for (size_t i = 1; i <= n; i++) {
        if (buf[i] != '/' && buf[i] != '\0')
            continue;
        buf[i] = '\0';
        if (mkdir(buf, 0750) != 0 && errno != EEXIST)
            return puan_fail(err, PUAN_EWRITE, buf, "cannot be made: %s",
                             strerror(errno));
        if (i < n)
            buf[i] = '/';
    }
    if (!puan_dir_exists(path))
        return puan_fail(err, PUAN_EWRITE, path, "is not a directory");
    return PUAN_OK;
}

enum puan_status puan_dir_temp(const char **out, struct puan_arena *a,
                               struct puan_err *err)
{
    const char *base = getenv("TMPDIR");
    char buf[4096];

    *out = "";
    if (!base || !base[0])
        base = "/tmp";
    if (puan_format(buf, sizeof(buf), "%s/puan-XXXXXX", base) >= sizeof(buf))
        return puan_fail(err, PUAN_EINVAL, "TMPDIR", "is too long");
    if (!mkdtemp(buf))
        return fail_errno(err, base, "a temporary directory cannot be made",
                          errno);
    *out = puan_arena_dup(a, puan_str_of(buf));
    return puan_arena_check(a, err);
}

/* Depth is bounded: our own trees are a few levels deep. */
static enum puan_status remove_in(int at, const char *name, unsigned depth,
                                  struct puan_err *err)
{
    enum puan_status st = PUAN_OK;
    struct dirent *e;
    DIR *d;
    int fd = openat(at, name,
                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return fail_errno(err, name, "cannot be opened", errno);
    d = fdopendir(fd);
    if (!d) {
        close(fd);
        return fail_errno(err, name, "cannot be read", errno);
    }
    while (st == PUAN_OK && (e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (unlinkat(fd, e->d_name, 0) == 0)
            continue;
        if (errno != EISDIR && errno != EPERM)
            st = fail_errno(err, e->d_name, "cannot be removed", errno);
        else if (depth == 0)
            st = puan_fail(err, PUAN_ELIMIT, name, "is nested too deeply");
        else
            st = remove_in(fd, e->d_name, depth - 1, err);
    }
    closedir(d);
    if (st == PUAN_OK && unlinkat(at, name, AT_REMOVEDIR) != 0)
        st = fail_errno(err, name, "cannot be removed", errno);
    return st;
}

enum puan_status puan_dir_remove(const char *path, struct puan_err *err)
{
    return remove_in(AT_FDCWD, path, 32, err);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum puan_status puan_dir_list(const char ***names, size_t *n,
                               const char *path, struct puan_arena *a,
                               struct puan_err *err)
{
    enum puan_status st;
    const char **list = NULL;
    size_t k = 0, cap = 0;
    struct dirent *e;
    DIR *d = opendir(path);

    *names = NULL;
    *n = 0;
    if (!d)
        return fail_errno(err, path, "cannot be opened", errno);
    while ((e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (k == cap) {
            const char **more = puan_new_n(a, cap ? cap * 2 : 32, const char *);

            if (!more)
                break;
            if (k)
                memcpy(more, list, k * sizeof(*list));
            list = more;
            cap = cap ? cap * 2 : 32;
        }
        list[k++] = puan_arena_dup(a, puan_str_of(e->d_name));
    }
    closedir(d);
    st = puan_arena_check(a, err);
    if (st != PUAN_OK)
        return st;
    if (k)
        qsort(list, k, sizeof(*list), by_bytes);
    *names = list;
    *n = k;
    return PUAN_OK;
}
