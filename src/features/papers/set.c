/*
 * A document set by the program puan-paper.  It gets the document in a file
 * without a name and answers into another; nothing of it reaches a disk.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "features/papers/internal.h"
#include "kit/os/os.h"

#define WAIT_MS 60000
#define PDF_MOST (64u << 20)

/* $PUAN_PAPER, beside this program, else on the path. */
static const char *program(struct puan_arena *a)
{
    const char *named = getenv("PUAN_PAPER");
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    const char *beside;

    if (named != NULL && named[0])
        return named;
    while (n > 0 && self[n - 1] != '/')
        n--;
    if (n > 0) {
        beside = puan_arena_fmt(a, "%.*spuan-paper", (int)n, self);
        if (access(beside, X_OK) == 0)
            return beside;
    }
    return "puan-paper";
}

/* No secret of the server is in its environment. */
static char **environment(struct puan_arena *a)
{
    static const char *const names[] = { "PATH", "HOME", "XDG_CACHE_HOME",
                                         "FONTCONFIG_FILE",
                                         "FONTCONFIG_PATH", "LD_LIBRARY_PATH" };
    char **env = (char **)puan_arena_get_n(a, PUAN_COUNT(names) + 2,
                                           sizeof(*env));
    size_t n = 0;

    if (env == NULL)
        return NULL;
    env[n++] = (char *)(uintptr_t)puan_arena_dup(a, PUAN_STR("LANG=C.UTF-8"));
    for (size_t i = 0; i < PUAN_COUNT(names); i++) {
        const char *v = getenv(names[i]);

        if (v != NULL)
            env[n++] = (char *)(uintptr_t)puan_arena_fmt(a, "%s=%s", names[i],
                                                         v);
    }
    return env;
}

static int memory(const char *name, struct puan_str text)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    size_t done = 0;

    while (fd >= 0 && done < text.n) {
        ssize_t n = write(fd, text.p + done, text.n - done);

        if (n <= 0) {
            close(fd);
            return -1;
        }
        done += (size_t)n;
    }
    if (fd >= 0)
        (void)lseek(fd, 0, SEEK_SET);
    return fd;
}

static enum puan_status content(struct puan_str *out, int fd, size_t most,
                                struct puan_arena *a, struct puan_err *err)
{
    struct stat s;
    size_t n = 0;
    char *p;

    if (fstat(fd, &s) != 0 || s.st_size < 0 || (size_t)s.st_size > most)
        return puan_fail(err, PUAN_ELIMIT, "puan-paper",
                         "answered more than %zu bytes", most);
    p = puan_arena_get(a, (size_t)s.st_size + 1);
    if (p == NULL)
        return puan_arena_check(a, err);
    while (n < (size_t)s.st_size) {
        ssize_t got = pread(fd, p + n, (size_t)s.st_size - n, (off_t)n);

        if (got <= 0)
            return puan_fail(err, PUAN_EIO, "puan-paper",
                             "its answer cannot be read");
        n += (size_t)got;
    }
    *out = (struct puan_str){ p, n };
    return PUAN_OK;
}

/* Its exit code; -1 when it was ended, -2 when it took too long. */
static int wait_for(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0), status = 0;
    struct pollfd p = { .fd = fd, .events = POLLIN };
    bool late = false;

    if (fd >= 0) {
        int rc;

        do
            rc = poll(&p, 1, WAIT_MS);
        while (rc < 0 && errno == EINTR);
        late = rc == 0;
        close(fd);
    }
    if (late)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (late)
        return -2;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int start(pid_t *pid, const char *name, int in, int out, int said,
                 struct puan_arena *a)
{
    char *argv[] = { (char *)(uintptr_t)puan_arena_dup(a, puan_str_of(name)),
                     NULL };
    char **env = environment(a);
    posix_spawn_file_actions_t fa;
    int rc;

    if (env == NULL)
        return ENOMEM;
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, in, 0);
    posix_spawn_file_actions_adddup2(&fa, out, 1);
    posix_spawn_file_actions_adddup2(&fa, said, 2);
    posix_spawn_file_actions_addclosefrom_np(&fa, 3);
    rc = posix_spawnp(pid, name, &fa, NULL, argv, env);
    posix_spawn_file_actions_destroy(&fa);
    return rc;
}

enum puan_status puan_papers_set(struct puan_str *pdf, struct puan_str json,
                                 struct puan_arena *a, struct puan_err *err)
{
    int in = memory("paper", json), out = memory("pdf", PUAN_STR("")),
        said = memory("said", PUAN_STR("")), rc;
    const char *name = program(a);
    struct puan_str words = { 0 };
    enum puan_status st;
    pid_t pid = 0;

    if (in < 0 || out < 0 || said < 0) {
        st = puan_fail(err, PUAN_EIO, "puan-paper", "no memory files here");
        goto done;
    }
    rc = start(&pid, name, in, out, said, a);
    if (rc != 0) {
        st = puan_fail(err, PUAN_ENOTFOUND, "puan-paper",
                       "%s: %s; build it with pango and cairo (tools/install.sh"
                       " build), or name it in PUAN_PAPER",
                       name, strerror(rc));
        goto done;
    }
    rc = wait_for(pid);
    if (rc == 0) {
        st = content(pdf, out, PDF_MOST, a, err);
        if (st == PUAN_OK && !puan_str_starts(*pdf, "%PDF-"))
            st = puan_fail(err, PUAN_EIO, "puan-paper", "answered no PDF");
        goto done;
    }
    st = content(&words, said, 4096, a, err);
    if (st != PUAN_OK)
        goto done;
    words = puan_str_trim(words);
    if (puan_str_starts(words, "puan-paper: "))
        words = (struct puan_str){ words.p + 12, words.n - 12 };
    if (rc == -2)
        st = puan_fail(err, PUAN_ELIMIT, "paper", "took more than a minute");
    else
        st = puan_fail(err, rc == 3 ? PUAN_EINVAL : PUAN_EIO, "paper",
                       "%.*s", PUAN_FMT(words));
done:
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    if (said >= 0)
        close(said);
    return st;
}
