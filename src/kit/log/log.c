/*
 * Structured lines on standard error (log.h).  A line is built in one buffer
 * and written by one call, so that lines of threads do not mix; a line that
 * does not fit ends in "...".  Never fails.
 */
#include "kit/log/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/calendar.h"
#include "kit/os/os.h"

#define LINES_A_SECOND 50 /* neither a full disk nor a client fills another */

static _Atomic int chosen = -1; /* not read from the environment yet */

static const char *const names[] = { "debug", "info", "warn", "error", "off" };

void puan_log_level_set(enum puan_log_level level)
{
    atomic_store(&chosen, (int)level);
}

static int level_now(void)
{
    int level = atomic_load(&chosen);

    if (level < 0) {
        const char *e = getenv("PUAN_LOG");

        level = PUAN_LOG_INFO;
        for (int i = 0; e && i <= PUAN_LOG_OFF; i++)
            if (strcmp(e, names[i]) == 0)
                level = i;
        atomic_store(&chosen, level);
    }
    return level;
}

bool puan_log_on(enum puan_log_level level)
{
    return level != PUAN_LOG_OFF && (int)level >= level_now();
}

static _Atomic int64_t second;
static _Atomic int64_t lines; /* in that second */

/* What puan_log_keep keeps: a text that loses its oldest half when it is full. */
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic bool keeping;
static char kept[PUAN_LOG_KEPT];
static size_t n_kept;

static void keep(const char *p, size_t n)
{
    pthread_mutex_lock(&kept_lock);
    if (n_kept + n > sizeof(kept)) {
        size_t cut = sizeof(kept) / 2;

        while (cut < n_kept && kept[cut - 1] != '\n')
            cut++;
        n_kept -= cut;
        memmove(kept, kept + cut, n_kept);
    }
    memcpy(kept + n_kept, p, n);
    n_kept += n;
    pthread_mutex_unlock(&kept_lock);
}

void puan_log_keep(void)
{
    atomic_store(&keeping, true);
}

size_t puan_log_kept(char *out, size_t size)
{
    size_t from = 0;

    pthread_mutex_lock(&kept_lock);
    if (n_kept > size)
        from = n_kept - size;
    while (from > 0 && from < n_kept && kept[from - 1] != '\n')
        from++;
    size = n_kept - from;
    if (size > 0)
        memcpy(out, kept + from, size);
    pthread_mutex_unlock(&kept_lock);
    return size;
}

struct line {
    char p[1024];
    size_t n;
};

static void put(struct line *l, const char *p, size_t n)
{
    size_t room = sizeof(l->p) - 5 - l->n; /* for "...\n" */

    if (n > room)
        n = room;
    memcpy(l->p + l->n, p, n);
    l->n += n;
}

static void put_value(struct line *l, struct puan_str v)
{
    bool plain = v.n > 0;

    for (size_t i = 0; i < v.n; i++)
        if ((unsigned char)v.p[i] <= ' ' || v.p[i] == '"' || v.p[i] == '=' ||
            v.p[i] == '\\' || v.p[i] == 0x7f)
            plain = false;
    if (plain) {
        put(l, v.p, v.n);
        return;
    }
    put(l, "\"", 1);
    for (size_t i = 0; i < v.n; i++) {
        unsigned char c = (unsigned char)v.p[i];
        char esc[8];

        if (c == '"' || c == '\\') {
            esc[0] = '\\';
            esc[1] = (char)c;
            put(l, esc, 2);
        } else if (c < ' ' || c == 0x7f) {
            put(l, esc, puan_format(esc, sizeof(esc), "\\x%02x", c));
        } else {
            put(l, v.p + i, 1);
        }
    }
    put(l, "\"", 1);
}

/* Is there room in this second?  *missed: lines the one before left out. */
static bool room(int64_t *missed)
{
    int64_t now = puan_os_mono_ns() / 1000000000;

    *missed = 0;
    if (atomic_exchange(&second, now) != now)
        *missed = atomic_exchange(&lines, 0) - LINES_A_SECOND;
    return atomic_fetch_add(&lines, 1) < LINES_A_SECOND;
}

void puan_log_line(enum puan_log_level level, const char *event,
                   const struct puan_log_field *fields, size_t n)
{
    struct line l = { .n = 0 };
    char buf[40];
    int64_t missed = 0;
    bool wanted = puan_log_on(level) &&
                  (level == PUAN_LOG_DEBUG || room(&missed));
    bool is_kept = atomic_load(&keeping);

    if (!wanted && !is_kept)
        return;
    puan_instant_text(buf, puan_os_now_ms(), 0);
    put(&l, buf, strlen(buf));
    put(&l, " ", 1);
    put(&l, names[level], strlen(names[level]));
    put(&l, " ", 1);
    put(&l, event, strlen(event));
    for (size_t i = 0; i < n; i++) {
        put(&l, " ", 1);
        put(&l, fields[i].key, strlen(fields[i].key));
        put(&l, "=", 1);
        if (fields[i].is_int)
            put(&l, buf,
                puan_format(buf, sizeof(buf), "%lld",
                            (long long)fields[i].num));
        else
            put_value(&l, fields[i].text);
    }
    if (missed > 0) {
        put(&l, " left_out=", 10);
        put(&l, buf,
            puan_format(buf, sizeof(buf), "%lld", (long long)missed));
    }
    if (l.n == sizeof(l.p) - 5) {
        memcpy(l.p + l.n, "...", 3);
        l.n += 3;
    }
    l.p[l.n++] = '\n';
    if (is_kept)
        keep(l.p, l.n);
    /* A log that cannot be written has nowhere to say so. */
    if (wanted && write(STDERR_FILENO, l.p, l.n) < 0)
        return;
}

void puan_log_err(enum puan_log_level level, const char *event,
                  const struct puan_err *err)
{
    puan_log(level, event, PUAN_LOG_T("code", puan_status_name(err->code)),
             PUAN_LOG_T("where", err->where), PUAN_LOG_I("line", err->line),
             PUAN_LOG_T("text", err->text));
}
