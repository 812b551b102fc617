/*
 * Frames from files, in memory and back into files (frames.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "features/frame/internal.h"
#include "kit/crypto/crypto.h"
#include "kit/job/job.h"
#include "kit/os/heap.h"

void *puan_frames_pages(struct puan_frames *f, size_t n)
{
    struct puan_frames_pages *p = puan_new(&f->arena, struct puan_frames_pages);

    if (!p)
        return NULL;
    p->p = puan_pages_get(n);
    if (!p->p)
        return NULL;
    p->n = n;
    p->next = f->pages;
    f->pages = p;
    return p->p;
}

const struct puan_frame *puan_frames_frame(const struct puan_frames *f)
{
    return &f->frame;
}

void puan_frames_close(struct puan_frames *f)
{
    if (!f)
        return;
    for (struct puan_frames_pages *p = f->pages; p; p = p->next)
        puan_pages_put(p->p, p->n);
    puan_map_close(&f->map);
    if (f->from_csv)
        puan_csv_frame_clear(&f->csv);
    puan_arena_clear(&f->arena);
    free(f);
}

bool puan_frames_is(const char *path)
{
    char head[7];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is;

    if (fd < 0)
        return false;
    is = read(fd, head, sizeof(head)) == (ssize_t)sizeof(head) &&
         memcmp(head, "PUANFRM", sizeof(head)) == 0;
    close(fd);
    return is;
}

static enum puan_status open_file(struct puan_frames *f, const char *path,
                                  struct puan_err *err)
{
    struct puan_frame *frame = NULL;
    enum puan_status st = puan_map_open(&f->map, path, err);

    if (st == PUAN_OK)
        st = puan_frame_open(&frame, f->map.bytes.p, f->map.bytes.n, &f->arena,
                             err);
    if (st == PUAN_OK)
        st = puan_frame_check(frame, err);
    if (st == PUAN_OK)
        f->frame = *frame;
    else if (err && strcmp(err->where, "frame") == 0)
        puan_format(err->where, sizeof(err->where), "%s", path);
    return st;
}

/* ---- from CSV --------------------------------------------------------------------- */

struct copy_job {
    struct puan_parts *parts;
    void **data; /* [column] */
};

static enum puan_status copy_range(void *arg, uint64_t begin, uint64_t end,
                                   unsigned worker, struct puan_err *err)
{
    const struct copy_job *j = arg;

    (void)worker;
    (void)err;
    for (uint64_t part = begin; part < end; part++)
        for (size_t c = 0; c < j->parts->n_columns; c++)
            if (!j->parts->column[c].left_out)
                puan_column_copy(j->data[c], &j->parts->column[c], j->parts,
                                 (size_t)part);
    return PUAN_OK;
}

struct sort_job {
    struct puan_frame_item *item;
    uint64_t rows;
};

static enum puan_status sorted_range(void *arg, uint64_t begin, uint64_t end,
                                     unsigned worker, struct puan_err *err)
{
    const struct sort_job *j = arg;

    (void)worker;
    (void)err;
    for (uint64_t i = begin; i < end; i++)
        j->item[i].sorted = puan_stored_sorted(j->item[i].data,
                                               j->item[i].width, j->rows);
    return PUAN_OK;
}

static enum puan_status from_parts(struct puan_frames *f,
                                   struct puan_parts *p, struct puan_str entity,
                                   struct puan_err *err)
{
    uint64_t rows = p->row[p->n_parts];
    struct puan_frame_entity *e = puan_new(&f->arena, struct puan_frame_entity);
    struct puan_frame_item *item =
        puan_arena_get_n(&f->arena, p->n_columns, sizeof(*item));
    struct copy_job copy = { .parts = p };
    struct sort_job sort = { .item = item, .rows = rows };
    enum puan_status st;

    copy.data = puan_arena_get_n(&f->arena, p->n_columns, sizeof(*copy.data));
    if (f->arena.failed)
        return puan_fail(err, PUAN_ENOMEM, "", "out of memory");
    for (size_t c = 0; c < p->n_columns; c++) {
        if (p->column[c].left_out)
            continue;
        copy.data[c] =
            puan_frames_pages(f, (size_t)rows * p->column[c].item.width);
        if (!copy.data[c])
            return puan_fail(err, PUAN_ENOMEM, "", "out of memory");
        item[e->n_items] = p->column[c].item;
        item[e->n_items++].data = copy.data[c];
    }
    e->name = puan_arena_keep(&f->arena, entity.n ? entity
                                                  : PUAN_STR("person"));
    e->parent = -1;
    e->rows = rows;
    e->item = item;
    st = puan_parallel(p->threads, p->n_parts, 1, copy_range, &copy, err);
    if (st == PUAN_OK)
        st = puan_parallel(p->threads, e->n_items, 1, sorted_range, &sort, err);
    f->frame.entity = e;
    f->frame.n_entities = 1;
    return st == PUAN_OK ? puan_arena_check(&f->arena, err) : st;
}

static enum puan_status from_csv(struct puan_frames *f,
                                 const char *const *paths, size_t n,
                                 const struct puan_frames_options *opt,
                                 struct puan_err *err)
{
    struct puan_out source;
    enum puan_status st = puan_csv_frame_read(&f->csv, paths, n, opt, err);

    f->from_csv = true;
    if (st == PUAN_OK)
        st = from_parts(f, &f->csv.parts, opt->entity, err);
    for (unsigned i = 0; i < f->csv.n_workers; i++)
        puan_slab_clear(&f->csv.slab[i]);
    puan_out_init(&source, &f->arena);
    for (size_t i = 0; i < n; i++)
        puan_out_fmt(&source, "%s%s", i ? " " : "", paths[i]);
    f->frame.source = puan_out_view(&source);
    return st == PUAN_OK ? puan_arena_check(&f->arena, err) : st;
}

enum puan_status puan_frames_load(struct puan_frames **out,
                                  const char *const *paths, size_t n,
                                  const struct puan_frames_options *opt,
                                  struct puan_err *err)
{
    static const struct puan_frames_options none = { .n_levels = 0 };
    struct puan_frames *f = calloc(1, sizeof(*f));
    size_t frames = 0;
    enum puan_status st;

    *out = NULL;
    if (!f)
        return puan_fail(err, PUAN_ENOMEM, "", "out of memory");
    opt = opt ? opt : &none;
    puan_arena_init(&f->arena, &puan_heap);
    f->threads = opt->threads ? opt->threads : puan_cores();
    for (size_t i = 0; i < n; i++)
        frames += puan_frames_is(paths[i]);
    if (n == 0)
        st = puan_fail(err, PUAN_EINVAL, "", "no file is named");
    else if (frames > 0 && n > 1)
        st = puan_fail(err, PUAN_EINVAL, paths[0],
                       "a frame file stands alone; several CSV files may be "
                       "given");
    else if (frames)
        st = open_file(f, paths[0], err);
    else
        st = from_csv(f, paths, n, opt, err);
    if (st == PUAN_OK && opt->n_levels > 0)
        st = puan_frames_group(f, opt->level, opt->n_levels, &f->moved, err);
    if (st == PUAN_OK && opt->digest && !f->map.bytes.n)
        st = puan_frames_digest(f, err);
    if (st != PUAN_OK) {
        puan_frames_close(f);
        return st;
    }
    *out = f;
    return PUAN_OK;
}

/* ---- into files --------------------------------------------------------------------- */

struct column {
    const char *p;
    uint64_t n, at; /* bytes; offset in the file */
    size_t chunk;   /* index of its first digest */
};

struct write_job {
    struct column *column;
    size_t n_columns, n_chunks;
    uint8_t *digest; /* of every chunk */
    int fd;
    const char *path;
};

static bool put_all(int fd, const char *p, uint64_t n, uint64_t at)
{
    while (n > 0) {
        ssize_t k = pwrite(fd, p, (size_t)n, (off_t)at);

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return false;
        p += k;
        at += (uint64_t)k;
        n -= (uint64_t)k;
    }
    return true;
}

/* Digests and writes chunks, which are numbered through all columns. */
static enum puan_status write_range(void *arg, uint64_t begin, uint64_t end,
                                    unsigned worker, struct puan_err *err)
{
    struct write_job *j = arg;

    (void)worker;
    for (uint64_t i = begin; i < end; i++) {
        size_t c = 0;
        uint64_t from, n;
        const char *p;

        while (c + 1 < j->n_columns && j->column[c + 1].chunk <= i)
            c++;
        from = (i - j->column[c].chunk) * PUAN_FRAME_DIGEST_CHUNK;
        n = j->column[c].n - from;
        n = n < PUAN_FRAME_DIGEST_CHUNK ? n : PUAN_FRAME_DIGEST_CHUNK;
        p = j->column[c].p + from;
        puan_digest_one(j->digest + i * PUAN_DIGEST_SIZE, puan_digest_sha256(),
                        (struct puan_str){ p, (size_t)n });
        if (j->fd >= 0 && !put_all(j->fd, p, n, j->column[c].at + from))
            return puan_fail(err, PUAN_EIO, j->path, "cannot be written: %s",
                             strerror(errno));
    }
    return PUAN_OK;
}

static void add_column(struct write_job *j, const struct puan_frame_layout *l,
                       const void *p, uint64_t n)
{
    struct column *c = &j->column[j->n_columns];

    c->p = p;
    c->n = n;
    c->at = l->offset[j->n_columns++];
    c->chunk = j->n_chunks;
    j->n_chunks += (size_t)((n + PUAN_FRAME_DIGEST_CHUNK - 1) /
                            PUAN_FRAME_DIGEST_CHUNK);
}

/* Writes the columns (fd < 0: not) and settles digest and head. */
static enum puan_status columns(struct puan_frames *f,
                                struct puan_frame_layout *l, int fd,
                                const char *path, struct puan_arena *a,
                                struct puan_err *err)
{
    struct write_job j = { .fd = fd, .path = path };
    struct puan_str part[2];
    char *head;
    enum puan_status st;

    memset(f->frame.digest, 0, sizeof(f->frame.digest));
    st = puan_frame_lay_out(l, &f->frame, a, err);
    if (st != PUAN_OK)
        return st;
    j.column = puan_arena_get_n(a, l->n_columns, sizeof(*j.column));
    head = puan_arena_get(a, l->head.n);
    if (!j.column || !head)
        return puan_fail(err, PUAN_ENOMEM, path, "out of memory");
    for (size_t i = 0; i < f->frame.n_entities; i++) {
        const struct puan_frame_entity *e = &f->frame.entity[i];

        if (e->first)
            add_column(&j, l, e->first,
                       (f->frame.entity[e->parent].rows + 1) *
                           sizeof(*e->first));
        for (size_t k = 0; k < e->n_items; k++)
            add_column(&j, l, e->item[k].data, e->rows * e->item[k].width);
    }
    j.digest = puan_arena_get_n(a, j.n_chunks, PUAN_DIGEST_SIZE);
    if (!j.digest)
        return puan_fail(err, PUAN_ENOMEM, path, "out of memory");
    st = puan_parallel(f->threads, j.n_chunks, 1, write_range, &j, err);
    if (st != PUAN_OK)
        return st;
    part[0] = l->head;
    part[1] = (struct puan_str){ (const char *)j.digest,
                                 j.n_chunks * PUAN_DIGEST_SIZE };
    puan_digest_sha256()->hash(puan_digest_sha256()->ctx, f->frame.digest, part,
                               2);
    memcpy(head, l->head.p, l->head.n);
    memcpy(head + PUAN_FRAME_DIGEST_AT, f->frame.digest, PUAN_DIGEST_SIZE);
    l->head = (struct puan_str){ head, l->head.n };
    return PUAN_OK;
}

enum puan_status puan_frames_digest(struct puan_frames *f, struct puan_err *err)
{
    struct puan_frame_layout l;
    struct puan_arena a;
    enum puan_status st;

    puan_arena_init(&a, &puan_heap);
    st = columns(f, &l, -1, "frame", &a, err);
    puan_arena_clear(&a);
    return st;
}

enum puan_status puan_frames_write(struct puan_frames *f, const char *path,
                                   struct puan_err *err)
{
    struct puan_frame_layout l;
    struct puan_arena a;
    const char *beside;
    int fd;
    enum puan_status st;

    puan_arena_init(&a, &puan_heap);
    beside = puan_arena_fmt(&a, "%s.%ld.part", path, (long)getpid());
    fd = open(beside, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0) {
        st = puan_fail(err, PUAN_EIO, path, "cannot be written: %s",
                       strerror(errno));
        goto out;
    }
    st = columns(f, &l, fd, path, &a, err);
    if (st == PUAN_OK && (ftruncate(fd, (off_t)l.size) != 0 ||
                          !put_all(fd, l.head.p, l.head.n, 0)))
        st = puan_fail(err, PUAN_EIO, path, "cannot be written: %s",
                       strerror(errno));
    if (close(fd) != 0 && st == PUAN_OK)
        st = puan_fail(err, PUAN_EIO, path, "cannot be written: %s",
                       strerror(errno));
    if (st == PUAN_OK && rename(beside, path) != 0)
        st = puan_fail(err, PUAN_EIO, path, "cannot be written: %s",
                       strerror(errno));
    if (st != PUAN_OK)
        (void)unlink(beside);
out:
    puan_arena_clear(&a);
    return st;
}
