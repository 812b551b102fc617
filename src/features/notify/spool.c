/*
 * Tries on disk and their programs; see spool.h.
 */
#include "features/notify/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kit/os/os.h"

#define LOCK_FD 9

static const char *folder(struct puan_store *st, struct puan_arena *a)
{
    return puan_arena_fmt(a, "%s/notify", puan_store_dir(st));
}

static const char *file(struct puan_store *st, struct puan_arena *a,
                        int64_t delivery, int64_t number, const char *what)
{
    return puan_arena_fmt(a, "%s/notify/%lld.%lld.%s", puan_store_dir(st),
                          (long long)delivery, (long long)number, what);
}

const char *puan_receipt_folder(struct puan_store *st, struct puan_arena *a)
{
    const char *path =
        puan_arena_fmt(a, "%s/notify/receipts", puan_store_dir(st));

    if (path != NULL && !puan_dir_exists(path))
        (void)!puan_dir_make(path, NULL);
    return path;
}

bool puan_receipt_token(struct puan_str name)
{
    uint8_t bytes[16];

    return name.n == 32 && puan_unhex(bytes, sizeof bytes, name);
}

int puan_receipt_read(struct puan_str text)
{
    struct puan_str word = puan_str_trim(text);

    if (puan_str_is(word, "received"))
        return 1;
    return puan_str_is(word, "failed") ? 0 : -1;
}

/* ---- tries that were begun -------------------------------------------------- */

/* "31.2.lock" */
static bool name_of_try(struct puan_spool_try *t, const char *name)
{
    struct puan_str rest = puan_str_of(name), delivery, number;

    *t = (struct puan_spool_try){ 0 };
    return puan_str_split(&delivery, &rest, '.') &&
           puan_str_split(&number, &rest, '.') && puan_str_is(rest, "lock") &&
           puan_int_parse(&t->delivery, delivery) &&
           puan_int_parse(&t->number, number) && t->delivery > 0 &&
           t->number > 0;
}

static bool held(const char *path, int64_t *age_ms)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct stat at;
    bool is;

    if (fd < 0)
        return false;
    *age_ms = 0;
    if (fstat(fd, &at) == 0)
        *age_ms = puan_os_now_ms() - (int64_t)at.st_mtim.tv_sec * 1000 -
                  at.st_mtim.tv_nsec / 1000000;
    is = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return is;
}

static void judge(struct puan_spool_try *t, struct puan_store *st,
                  struct puan_arena *a)
{
    const char *lock = file(st, a, t->delivery, t->number, "lock");
    const char *exit_file = file(st, a, t->delivery, t->number, "exit");
    struct puan_str text;
    int64_t code = 0;

    t->state = PUAN_SPOOL_CUT_OFF;
    if (lock == NULL || exit_file == NULL)
        return;
    /* the lock first: the exit code is written before it is let go */
    if (held(lock, &t->age_ms)) {
        t->state = PUAN_SPOOL_RUNS;
        return;
    }
    if (puan_file_read(&text, exit_file, 64, a, NULL) != PUAN_OK)
        return;
    text = puan_str_trim(text);
    if (puan_str_is(text, "late")) {
        t->state = PUAN_SPOOL_LATE;
    } else if (puan_int_parse(&code, text) && code >= 0 && code < 256) {
        t->state = PUAN_SPOOL_DONE;
        t->code = (int)code;
    }
}

enum puan_status puan_spool_list(struct puan_spool_try **out, size_t *n,
                                 struct puan_store *st, struct puan_arena *a,
                                 struct puan_err *err)
{
    const char *path = folder(st, a);
    const char **names = NULL;
    size_t all = 0;

    *n = 0;
    *out = NULL;
    TRY(puan_arena_check(a, err));
    if (!puan_dir_exists(path))
        return PUAN_OK;
    TRY(puan_dir_list(&names, &all, path, a, err));
    *out = puan_new_n(a, all ? all : 1, struct puan_spool_try);
    if (*out == NULL)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < all; i++)
        if (name_of_try(&(*out)[*n], names[i]))
            judge(&(*out)[(*n)++], st, a);
    return puan_arena_check(a, err);
}

void puan_spool_clear(struct puan_store *st, int64_t delivery, int64_t number)
{
    /* the lock last: without it the try was never begun */
    static const char *const what[] = { "msg", "exit", "exit.tmp", "pid",
                                        "lock" };
    struct puan_arena a;

    puan_arena_init(&a, puan_os_alloc());
    for (size_t i = 0; i < PUAN_COUNT(what); i++) {
        const char *path = file(st, &a, delivery, number, what[i]);

        if (path != NULL)
            (void)unlink(path);
    }
    puan_arena_clear(&a);
}

void puan_spool_end(struct puan_store *st, const struct puan_spool_try *t,
                    bool kill_it)
{
    struct puan_arena a;
    struct puan_str text;
    const char *pid_file, *exit_file;
    int64_t pid = 0;

    puan_arena_init(&a, puan_os_alloc());
    pid_file = file(st, &a, t->delivery, t->number, "pid");
    exit_file = file(st, &a, t->delivery, t->number, "exit");
    if (pid_file != NULL && exit_file != NULL &&
        puan_file_read(&text, pid_file, 64, &a, NULL) == PUAN_OK &&
        puan_int_parse(&pid, puan_str_trim(text)) && pid > 1 &&
        pid <= INT32_MAX) {
        (void)!puan_file_write(exit_file, PUAN_STR("late\n"), 0600, NULL);
        /* the lock is held, so the group's leader lives and is ours */
        (void)kill(-(pid_t)pid, kill_it ? SIGKILL : SIGTERM);
    }
    puan_arena_clear(&a);
}

/* ---- starting one ------------------------------------------------------------ */

/* fd 9 is the lock: held by this shell, not by what the program leaves behind */
static const char script[] =
    "e=$1; shift; echo $$ >\"$e.pid\"; \"$@\" 9>&-; c=$?;"
    " echo $c >\"$e.exit.tmp\" && mv \"$e.exit.tmp\" \"$e.exit\"";

static char *var(struct puan_arena *a, const char *name, struct puan_str value)
{
    return (char *)(uintptr_t)puan_arena_fmt(a, "%s=%.*s", name,
                                             PUAN_FMT(value));
}

static char *word(const char *s)
{
    return (char *)(uintptr_t)s;
}

static int spawn(int *pid, int lock, const char *msg, char *const *argv,
                 char *const *envp)
{
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t attr;
    sigset_t none, dflt;
    pid_t child = 0;
    int rc;

    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_addopen(&fa, 0, msg, O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&fa, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&fa, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&fa, lock, LOCK_FD);
    posix_spawn_file_actions_addclosefrom_np(&fa, LOCK_FD + 1);
    posix_spawnattr_init(&attr);
    sigemptyset(&none);
    sigemptyset(&dflt);
    sigaddset(&dflt, SIGPIPE);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &dflt);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP |
                                        POSIX_SPAWN_SETSIGMASK |
                                        POSIX_SPAWN_SETSIGDEF);
    rc = posix_spawn(&child, "/bin/sh", &fa, &attr, argv, envp);
    posix_spawn_file_actions_destroy(&fa);
    posix_spawnattr_destroy(&attr);
    *pid = (int)child;
    return rc;
}

enum puan_status puan_spool_start(int *pid, struct puan_store *st,
                                  const struct puan_notify_channel *c,
                                  const struct puan_notify_delivery_row *d,
                                  struct puan_str body, struct puan_str to,
                                  bool again, struct puan_arena *a,
                                  struct puan_err *err)
{
    int64_t number = d->tries + 1;
    const char *dir = folder(st, a);
    const char *msg = file(st, a, d->id, number, "msg");
    const char *lock = file(st, a, d->id, number, "lock");
    const char *prefix =
        puan_arena_fmt(a, "%s/notify/%lld.%lld", puan_store_dir(st),
                       (long long)d->id, (long long)number);
    const char *receipts = puan_receipt_folder(st, a);
    char *whole = receipts != NULL ? realpath(receipts, NULL) : NULL;
    char *argv[PUAN_NOTIFY_ARGS + 6], *envp[8];
    size_t n = 0;
    int fd, low, rc;

    *pid = 0;
    argv[n++] = word("/bin/sh");
    argv[n++] = word("-c");
    argv[n++] = word(script);
    argv[n++] = word("puan-notify");
    argv[n++] = word(prefix);
    for (size_t i = 0; c->command[i] != NULL; i++)
        argv[n++] = word(c->command[i]);
    argv[n] = NULL;
    envp[0] = word("PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
    envp[1] = word(puan_arena_fmt(a, "PUAN_MESSAGE=%s-%lld", puan_store_id(st),
                                  (long long)d->id));
    envp[2] = var(a, "PUAN_TO", to);
    envp[3] = word(puan_arena_fmt(a, "PUAN_TRY=%lld", (long long)number));
    envp[4] = word(again ? "PUAN_AGAIN=1" : "PUAN_AGAIN=0");
    /* whole, for a program that goes elsewhere */
    envp[5] = word(puan_arena_fmt(a, "PUAN_RECEIPT=%s/%.*s",
                                  whole != NULL ? whole : receipts,
                                  PUAN_FMT(d->token)));
    free(whole);
    envp[6] = word("LANG=C.UTF-8");
    envp[7] = NULL;
    TRY(puan_arena_check(a, err));
    if (!puan_dir_exists(dir))
        TRY(puan_dir_make(dir, err));
    TRY(puan_file_write(msg, body, 0600, err));
    fd = open(lock, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return puan_fail(err, PUAN_EIO, "notify", "%s: %s", lock,
                         strerror(errno));
    /* dup2 onto itself would keep the close mark: take a number apart */
    low = fcntl(fd, F_DUPFD_CLOEXEC, LOCK_FD + 1);
    close(fd);
    if (low < 0 || flock(low, LOCK_EX | LOCK_NB) != 0) {
        if (low >= 0)
            close(low);
        (void)unlink(lock);
        return puan_fail(err, PUAN_EIO, "notify", "%s: cannot be locked", lock);
    }
    (void)!puan_dir_sync(dir, NULL); /* begun, also after a loss of power */
    rc = spawn(pid, low, msg, argv, envp);
    close(low);
    if (rc == 0)
        return PUAN_OK;
    (void)unlink(lock); /* nothing was started */
    *pid = 0;
    return puan_fail(err, PUAN_EIO, "notify", "/bin/sh: %s", strerror(rc));
}
