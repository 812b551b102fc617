/*
 * Mapped CSV reader and buffered CSV writer; see sheet.h.  Never interprets a
 * field and never leaves a half-written file under its final name.
 */
#include "kit/sheet/sheet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kit/os/os.h"
#include "kit/os/part.h"

/* Rows between two calls of the progress function. */
#define PROGRESS_ROWS 4096

struct puan_sheet {
    struct puan_csv csv;
    struct puan_arena arena, row_arena;
    char *path;
    void *bytes;
    size_t size;
    bool mapped, shared; /* shared: a clone does not own the bytes */
    uint32_t rows;
    puan_sheet_progress_fn fn;
    void *ctx;
};

static enum puan_status read_all(struct puan_sheet *s, int fd,
                                 struct puan_err *err)
{
    size_t cap = 1 << 16;
    char *p = malloc(cap);

    for (;;) {
        ssize_t n;

        if (s->size == cap) {
            char *q = p ? realloc(p, cap * 2) : NULL;

            if (!q) {
                free(p);
                return puan_fail(err, PUAN_ENOMEM, s->path, "out of memory");
            }
            p = q;
            cap *= 2;
        }
        if (!p)
            return puan_fail(err, PUAN_ENOMEM, s->path, "out of memory");
        n = read(fd, p + s->size, cap - s->size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            free(p);
            return puan_fail(err, PUAN_EIO, s->path, "%s", strerror(errno));
        }
        if (n == 0)
            break;
        s->size += (size_t)n;
    }
    s->bytes = p;
    return PUAN_OK;
}

static enum puan_status load(struct puan_sheet *s, struct puan_err *err)
{
    bool std = strcmp(s->path, "-") == 0;
    int fd = std ? STDIN_FILENO : open(s->path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    enum puan_status st = PUAN_OK;

    if (fd < 0)
        return puan_fail(err, PUAN_EIO, s->path, "%s", strerror(errno));
    if (fstat(fd, &info) != 0) {
        st = puan_fail(err, PUAN_EIO, s->path, "%s", strerror(errno));
    } else if (S_ISDIR(info.st_mode)) {
        st = puan_fail(err, PUAN_EIO, s->path,
                       "is a directory; name a CSV file");
    } else if (S_ISREG(info.st_mode) && info.st_size > 0) {
        void *p = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd,
                       0);

        if (p != MAP_FAILED) {
            s->bytes = p;
            s->size = (size_t)info.st_size;
            s->mapped = true;
            (void)madvise(p, s->size, MADV_SEQUENTIAL);
        } else {
            st = read_all(s, fd, err);
        }
    } else {
        st = read_all(s, fd, err);
    }
    if (!std)
        (void)close(fd);
    return st;
}

static struct puan_sheet *fresh(const char *path)
{
    struct puan_sheet *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->path = strdup(path);
    puan_arena_init(&s->arena, puan_os_alloc());
    puan_arena_init(&s->row_arena, puan_os_alloc());
    if (!s->path) {
        puan_sheet_close(s);
        return NULL;
    }
    return s;
}

static enum puan_status start(struct puan_sheet *s, struct puan_err *err)
{
    struct puan_str src = { s->bytes ? s->bytes : "", s->size };

    return puan_csv_open(&s->csv, src, s->path, &s->arena, &s->row_arena, err);
}

enum puan_status puan_sheet_open(struct puan_sheet **out, const char *path,
                                 struct puan_err *err)
{
    struct puan_sheet *s = fresh(path);
    enum puan_status st;

    *out = NULL;
    if (!s)
        return puan_fail(err, PUAN_ENOMEM, path, "out of memory");
    st = load(s, err);
    if (st == PUAN_OK)
        st = start(s, err);
    if (st != PUAN_OK) {
        puan_sheet_close(s);
        return st;
    }
    *out = s;
    return PUAN_OK;
}

enum puan_status puan_sheet_clone(struct puan_sheet **out,
                                  const struct puan_sheet *s,
                                  struct puan_err *err)
{
    struct puan_sheet *c = fresh(s->path);
    enum puan_status st;

    *out = NULL;
    if (!c)
        return puan_fail(err, PUAN_ENOMEM, s->path, "out of memory");
    c->bytes = s->bytes;
    c->size = s->size;
    c->shared = true;
    st = start(c, err);
    if (st != PUAN_OK) {
        puan_sheet_close(c);
        return st;
    }
    *out = c;
    return PUAN_OK;
}

void puan_sheet_close(struct puan_sheet *s)
{
    if (!s)
        return;
    if (!s->shared && s->mapped)
        (void)munmap(s->bytes, s->size);
    else if (!s->shared)
        free(s->bytes);
    puan_arena_clear(&s->arena);
    puan_arena_clear(&s->row_arena);
    free(s->path);
    free(s);
}

void puan_sheet_progress(struct puan_sheet *s, puan_sheet_progress_fn fn,
                         void *ctx)
{
    s->fn = fn;
    s->ctx = ctx;
}

const struct puan_csv *puan_sheet_row(const struct puan_sheet *s)
{
    return &s->csv;
}

int puan_sheet_column(const struct puan_sheet *s, const char *name)
{
    return puan_csv_column(&s->csv, name);
}

enum puan_status puan_sheet_need(int *column, const struct puan_sheet *s,
                                 const char *name, struct puan_err *err)
{
    *column = puan_csv_column(&s->csv, name);
    if (*column < 0)
        return puan_fail_at(err, PUAN_EINVAL, s->path, 1, 0,
                            "expected a column named %s in the header", name);
    return PUAN_OK;
}

enum puan_status puan_sheet_next(bool *more, struct puan_sheet *s,
                                 struct puan_err *err)
{
    enum puan_status st = puan_csv_next(more, &s->csv, err);

    if (s->fn && st == PUAN_OK && (!*more || s->rows++ % PROGRESS_ROWS == 0))
        s->fn(s->ctx, s->csv.at, s->size);
    return st;
}

struct puan_sheet_mark puan_sheet_tell(const struct puan_sheet *s)
{
    return (struct puan_sheet_mark){ s->csv.at, s->csv.line };
}

void puan_sheet_seek(struct puan_sheet *s, struct puan_sheet_mark m)
{
    s->csv.at = (size_t)m.at;
    s->csv.line = m.line;
}

uint64_t puan_sheet_size(const struct puan_sheet *s)
{
    return s->size;
}

#define OUT_BUFFER (1 << 18)

struct puan_sheet_out {
    struct puan_part part; /* not open: fd 1 */
    int fd, fault;         /* errno of the first failure */
    bool mid_row;
    size_t n;
    char buffer[OUT_BUFFER];
};

static enum puan_status create(struct puan_sheet_out **out, const char *path,
                               unsigned mode, struct puan_err *err)
{
    struct puan_sheet_out *o = calloc(1, sizeof(*o));
    enum puan_status st = PUAN_OK;

    *out = NULL;
    if (!o)
        return puan_fail(err, PUAN_ENOMEM, path, "out of memory");
    o->fd = STDOUT_FILENO;
    if (strcmp(path, "-") != 0) {
        st = puan_part_open(&o->part, path, PUAN_PART_ANY, mode, err);
        o->fd = o->part.fd;
    }
    if (st != PUAN_OK) {
        free(o);
        return st;
    }
    *out = o;
    return PUAN_OK;
}

enum puan_status puan_sheet_create(struct puan_sheet_out **out,
                                   const char *path, struct puan_err *err)
{
    return create(out, path, 0666, err);
}

enum puan_status puan_sheet_create_own(struct puan_sheet_out **out,
                                       const char *path, struct puan_err *err)
{
    return create(out, path, 0600, err);
}

static void flush(struct puan_sheet_out *o)
{
    size_t at = 0;

    while (at < o->n && o->fault == 0) {
        ssize_t w = write(o->fd, o->buffer + at, o->n - at);

        if (w >= 0)
            at += (size_t)w;
        else if (errno != EINTR)
            o->fault = errno;
    }
    o->n = 0;
}

static void put(struct puan_sheet_out *o, const char *p, size_t n)
{
    while (n > 0) {
        size_t room = OUT_BUFFER - o->n, k = n < room ? n : room;

        memcpy(o->buffer + o->n, p, k);
        o->n += k;
        p += k;
        n -= k;
        if (o->n == OUT_BUFFER)
            flush(o);
    }
}

static bool needs_quotes(struct puan_str f)
{
    for (size_t i = 0; i < f.n; i++)
        if (f.p[i] == ',' || f.p[i] == '"' || f.p[i] == '\n' || f.p[i] == '\r')
            return true;
    return false;
}

static void put_quoted(struct puan_sheet_out *o, const char *before,
                       struct puan_str f)
{
    put(o, "\"", 1);
    put(o, before, strlen(before));
    for (size_t i = 0, from = 0; i < f.n; i++) {
        if (f.p[i] == '"') {
            put(o, f.p + from, i + 1 - from);
            from = i; /* written again: a quote is doubled */
        }
        if (i + 1 == f.n)
            put(o, f.p + from, f.n - from);
    }
    put(o, "\"", 1);
}

static void next_field(struct puan_sheet_out *o)
{
    if (o->mid_row)
        put(o, ",", 1);
    o->mid_row = true;
}

void puan_sheet_put(struct puan_sheet_out *o, struct puan_str f)
{
    next_field(o);
    if (needs_quotes(f))
        put_quoted(o, "", f);
    else
        put(o, f.p, f.n);
}

void puan_sheet_put_words(struct puan_sheet_out *o, struct puan_str f)
{
    if (!puan_csv_formula(f)) {
        puan_sheet_put(o, f);
        return;
    }
    next_field(o);
    put_quoted(o, "'", f);
}

void puan_sheet_put_text(struct puan_sheet_out *o, const char *field)
{
    puan_sheet_put(o, puan_str_of(field));
}

void puan_sheet_put_int(struct puan_sheet_out *o, int64_t v)
{
    char text[24];
    size_t n = puan_format(text, sizeof(text), "%lld", (long long)v);

    puan_sheet_put(o, (struct puan_str){ text, n });
}

void puan_sheet_end_row(struct puan_sheet_out *o)
{
    put(o, "\n", 1);
    o->mid_row = false;
}

void puan_sheet_put_raw(struct puan_sheet_out *o, struct puan_str rows)
{
    put(o, rows.p, rows.n);
}

static bool to_stdout(const struct puan_sheet_out *o)
{
    return o->fd == STDOUT_FILENO;
}

enum puan_status puan_sheet_finish(struct puan_sheet_out *o,
                                   struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    flush(o);
    if (o->fault != 0)
        st = puan_part_fault(err, to_stdout(o) ? "standard output"
                                               : o->part.path, o->fault);
    else if (!to_stdout(o))
        st = puan_part_keep(&o->part, true, err);
    if (st != PUAN_OK)
        puan_sheet_abandon(o);
    else
        free(o);
    return st;
}

void puan_sheet_abandon(struct puan_sheet_out *o)
{
    if (o && !to_stdout(o) && o->part.path)
        puan_part_drop(&o->part);
    free(o);
}
