/*
 * Frames from files, in memory and back into files (frames.h).
 */
#include "features/frame/frames.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "features/frame/internal.h"
#include "kit/crypto/crypto.h"
#include "kit/job/job.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"
#include "kit/os/part.h"

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
                                  bool check, struct puan_err *err)
{
    struct puan_frame *frame = NULL;
    enum puan_status st = puan_map_open(&f->map, path, err);

    puan_map_large(&f->map);
    if (st == PUAN_OK)
        st = puan_frame_open(&frame, f->map.bytes.p, f->map.bytes.n, &f->arena,
                             err);
    if (st == PUAN_OK && check)
        st = puan_frame_check(frame, err);
    if (st == PUAN_OK)
        f->frame = *frame;
    else if (err && strcmp(err->where, "frame") == 0)
        puan_format(err->where, sizeof(err->where), "%s", path);
    return st;
}

/* ---- from CSV --------------------------------------------------------------------- */

/* The one entity of a plain file; its items' data are given. */
static enum puan_status one_entity(struct puan_frames *f,
                                   const char *const *paths, size_t n,
                                   const struct puan_frames_options *opt,
                                   struct puan_err *err)
{
    const struct puan_csv_read *csv = &f->csv;
    struct puan_frame_entity *e = puan_new(&f->arena, struct puan_frame_entity);
    struct puan_frame_item *item =
        puan_new_n(&f->arena, csv->image.n_columns, struct puan_frame_item);
    struct puan_out source;

    puan_out_init(&source, &f->arena);
    for (size_t i = 0; i < n; i++)
        puan_out_fmt(&source, "%s%s", i ? " " : "", paths[i]);
    f->frame.source = puan_out_view(&source);
    if (!e || !item)
        return puan_fail(err, PUAN_ENOMEM, "", "out of memory");
    for (size_t c = 0; c < csv->image.n_columns; c++)
        if (csv->image.width[c])
            item[e->n_items++] = csv->item[c];
    e->name = puan_arena_keep(&f->arena,
                              opt->entity.n ? opt->entity : PUAN_STR("person"));
    e->parent = -1;
    e->rows = csv->image.rows;
    e->item = item;
    f->frame.entity = e;
    f->frame.n_entities = 1;
    return puan_arena_check(&f->arena, err);
}

static enum puan_status begin(struct puan_frames **out, const char *const *paths,
                              size_t n, const struct puan_frames_options *opt,
                              bool *is_frame, struct puan_err *err)
{
    struct puan_frames *f = calloc(1, sizeof(*f));
    size_t frames = 0;

    *out = f;
    if (!f)
        return puan_fail(err, PUAN_ENOMEM, "", "out of memory");
    puan_arena_init(&f->arena, &puan_heap);
    f->threads = opt->threads ? opt->threads : puan_cores();
    f->threads = f->threads > 64 ? 64 : f->threads;
    for (size_t i = 0; i < n; i++)
        frames += puan_frames_is(paths[i]);
    if (n == 0)
        return puan_fail(err, PUAN_EINVAL, "", "no file is named");
    if (frames > 0 && n > 1)
        return puan_fail(err, PUAN_EINVAL, paths[0],
                         "a frame file stands alone; several CSV files may be "
                         "given");
    *is_frame = frames > 0;
    return PUAN_OK;
}

static const struct puan_frames_options no_options = { .n_levels = 0 };

enum puan_status puan_frames_load(struct puan_frames **out,
                                  const char *const *paths, size_t n,
                                  const struct puan_frames_options *opt,
                                  struct puan_err *err)
{
    struct puan_frames *f;
    bool is_frame = false;
    enum puan_status st;

    opt = opt ? opt : &no_options;
    *out = NULL;
    st = begin(&f, paths, n, opt, &is_frame, err);
    if (st == PUAN_OK && is_frame) {
        st = open_file(f, paths[0], !opt->unchecked || opt->n_levels > 0,
                       err);
    } else if (st == PUAN_OK) {
        f->from_csv = true;
        st = puan_csv_frame_read(&f->csv, paths, n, opt, -1, NULL, err);
        if (st == PUAN_OK)
            st = one_entity(f, paths, n, opt, err);
    }
    if (st == PUAN_OK && opt->n_levels > 0)
        st = puan_frames_group(f, opt->level, opt->n_levels, NULL, err);
    if (st == PUAN_OK && opt->digest && !is_frame)
        st = puan_frames_digest(f, err);
    if (st != PUAN_OK) {
        puan_frames_close(f);
        return st;
    }
    *out = f;
    return PUAN_OK;
}

/* ---- into files --------------------------------------------------------------------- */

static enum puan_status part_open(struct puan_part *p, const char *path,
                                  struct puan_err *err)
{
    return puan_part_open(p, path, PUAN_PART_WHOLE, 0640, err);
}

/* In its place if all went well, away if not. */
static enum puan_status part_close(struct puan_part *p, enum puan_status st,
                                   struct puan_err *err)
{
    if (st == PUAN_OK)
        return puan_part_keep(p, false, err);
    puan_part_drop(p);
    return st;
}

struct column {
    const char *p;
    uint64_t n;
    bool there;      /* in the file already, digest known */
    size_t chunk;    /* index of its first digest */
};

struct write_job {
    struct column *column;
    size_t n_columns, n_chunks;
    uint64_t *offset;
    uint8_t *digest; /* of every chunk */
    const struct puan_part *to; /* NULL: digest only */
};

/* Digests and writes chunks, which are numbered through all columns. */
static enum puan_status write_range(void *arg, uint64_t begin, uint64_t end,
                                    unsigned worker, struct puan_err *err)
{
    struct write_job *j = arg;
    enum puan_status st = PUAN_OK;

    (void)worker;
    for (uint64_t i = begin; st == PUAN_OK && i < end; i++) {
        const struct column *x;
        size_t c = 0;
        uint64_t from, n;

        while (c + 1 < j->n_columns && j->column[c + 1].chunk <= i)
            c++;
        x = &j->column[c];
        if (x->there)
            continue;
        from = (i - x->chunk) * PUAN_FRAME_DIGEST_CHUNK;
        n = x->n - from < PUAN_FRAME_DIGEST_CHUNK ? x->n - from
                                                  : PUAN_FRAME_DIGEST_CHUNK;
        puan_digest_one(j->digest + i * PUAN_DIGEST_SIZE, puan_digest_sha256(),
                        (struct puan_str){ x->p + from, (size_t)n });
        if (j->to)
            st = puan_put_bytes(j->to->fd, j->to->path, j->offset[c] + from,
                                x->p + from, n, err);
    }
    return st;
}

/* The columns of a frame and where they go; those of f->csv are there when
   `csv`. */
static enum puan_status columns_of(struct write_job *j, uint64_t *end,
                                   const struct puan_frames *f, bool csv,
                                   struct puan_arena *a, struct puan_err *err)
{
    const struct puan_frame *fr = &f->frame;
    const struct puan_image *im = &f->csv.image;
    size_t k = 0, own = 0;

    j->n_columns = puan_frame_columns(fr);
    j->column = puan_arena_get_n(a, j->n_columns, sizeof(*j->column));
    j->offset = puan_arena_get_n(a, j->n_columns, sizeof(*j->offset));
    if (!j->column || !j->offset)
        return puan_fail(err, PUAN_ENOMEM, "", "out of memory");
    *end = csv ? im->end : PUAN_FRAME_COLUMNS_AT;
    for (size_t i = 0; i < fr->n_entities; i++) {
        const struct puan_frame_entity *e = &fr->entity[i];

        if (e->parent >= 0)
            j->column[k++].p = (const char *)e->first;
        for (size_t c = 0; c < e->n_items; c++, k++) {
            j->column[k].p = e->item[c].data;
            if (!csv || i + 1 < fr->n_entities)
                continue;
            while (im->width[own] == 0)
                own++;
            j->column[k].there = true;
            j->offset[k] = im->offset[own++];
        }
    }
    for (k = 0; k < j->n_columns; k++) {
        struct column *x = &j->column[k];

        x->n = puan_frame_column_size(fr, k);
        x->chunk = j->n_chunks;
        j->n_chunks += (size_t)((x->n + PUAN_FRAME_DIGEST_CHUNK - 1) /
                                PUAN_FRAME_DIGEST_CHUNK);
        if (x->there)
            continue;
        j->offset[k] = *end;
        *end += (x->n + PUAN_FRAME_ALIGN - 1) / PUAN_FRAME_ALIGN *
                PUAN_FRAME_ALIGN;
    }
    j->digest = puan_arena_get_n(a, j->n_chunks, PUAN_DIGEST_SIZE);
    return puan_arena_check(a, err);
}

/* Digests of the columns that the reader wrote. */
static void known_digests(struct write_job *j, const struct puan_csv_read *csv)
{
    size_t own = 0;

    for (size_t k = 0; k < j->n_columns; k++) {
        const struct column *x = &j->column[k];
        size_t n = (k + 1 < j->n_columns ? j->column[k + 1].chunk
                                         : j->n_chunks) - x->chunk;

        if (!x->there)
            continue;
        while (csv->image.width[own] == 0)
            own++;
        memcpy(j->digest + x->chunk * PUAN_DIGEST_SIZE,
               csv->finish[own++].digest, n * PUAN_DIGEST_SIZE);
    }
}

/* Digest of the frame, and into a file what is not there yet. */
static enum puan_status write_frame(struct puan_frames *f,
                                    const struct puan_part *to, bool csv,
                                    struct puan_err *err)
{
    struct write_job j = { .to = to };
    struct puan_arena a;
    struct puan_str book[2];
    uint8_t head[PUAN_FRAME_HEAD];
    uint64_t end = 0;
    enum puan_status st;

    puan_arena_init(&a, &puan_heap);
    st = columns_of(&j, &end, f, csv, &a, err);
    if (st == PUAN_OK && csv)
        known_digests(&j, &f->csv);
    if (st == PUAN_OK)
        st = puan_parallel(f->threads, j.n_chunks, 1, write_range, &j, err);
    if (st == PUAN_OK)
        st = puan_frame_codebook(&book[0], &f->frame, NULL, &a, err);
    if (st == PUAN_OK) {
        book[1] = (struct puan_str){ (const char *)j.digest,
                                     j.n_chunks * PUAN_DIGEST_SIZE };
        puan_digest_sha256()->hash(puan_digest_sha256()->ctx, f->frame.digest,
                                   book, 2);
    }
    if (st == PUAN_OK && to)
        st = puan_frame_codebook(&book[0], &f->frame, j.offset, &a, err);
    if (st == PUAN_OK && to) {
        puan_frame_head(head, &f->frame, end + book[0].n, end, book[0].n);
        st = puan_put_bytes(to->fd, to->path, end, book[0].p, book[0].n, err);
        if (st == PUAN_OK)
            st = puan_put_bytes(to->fd, to->path, 0, head, sizeof(head), err);
    }
    puan_arena_clear(&a);
    return st;
}

enum puan_status puan_frames_digest(struct puan_frames *f, struct puan_err *err)
{
    return write_frame(f, NULL, false, err);
}

enum puan_status puan_frames_write(struct puan_frames *f, const char *path,
                                   struct puan_err *err)
{
    struct puan_part to = { .fd = -1 };
    enum puan_status st = part_open(&to, path, err);

    if (st == PUAN_OK)
        st = write_frame(f, &to, false, err);
    return part_close(&to, st, err);
}

/* CSV straight into a file; the columns are then mapped. */
static enum puan_status csv_to_file(struct puan_frames *f,
                                    const struct puan_part *to,
                                    const char *const *paths, size_t n,
                                    const struct puan_frames_options *opt,
                                    uint64_t *moved, struct puan_err *err)
{
    struct puan_frames_options want = *opt;
    struct puan_image *im = &f->csv.image;
    enum puan_status st;

    want.digest = true;
    f->from_csv = true;
    st = puan_csv_frame_read(&f->csv, paths, n, &want, to->fd, to->path, err);
    if (st == PUAN_OK && ftruncate(to->fd, (off_t)im->end) != 0)
        st = puan_part_fault(err, to->path, errno);
    if (st == PUAN_OK)
        st = puan_map_open(&f->map, to->at, err);
    puan_map_large(&f->map);
    for (size_t c = 0; st == PUAN_OK && c < im->n_columns; c++)
        f->csv.item[c].data = f->map.bytes.p + im->offset[c];
    if (st == PUAN_OK)
        st = one_entity(f, paths, n, opt, err);
    if (st == PUAN_OK && opt->n_levels > 0)
        st = puan_frames_group(f, opt->level, opt->n_levels, moved, err);
    if (st == PUAN_OK && *moved == 0)
        st = write_frame(f, to, true, err);
    return st;
}

enum puan_status puan_frames_make(struct puan_frames **out, const char *path,
                                  const char *const *paths, size_t n,
                                  const struct puan_frames_options *opt,
                                  uint64_t *moved, struct puan_err *err)
{
    struct puan_part to = { .fd = -1 };
    struct puan_frames *f;
    bool is_frame = false;
    uint64_t count = 0;
    enum puan_status st;

    opt = opt ? opt : &no_options;
    *out = NULL;
    st = begin(&f, paths, n, opt, &is_frame, err);
    if (st == PUAN_OK && is_frame) {
        st = open_file(f, paths[0], true, err);
        if (st == PUAN_OK && opt->n_levels > 0)
            st = puan_frames_group(f, opt->level, opt->n_levels, &count, err);
        if (st == PUAN_OK)
            st = puan_frames_write(f, path, err);
    } else if (st == PUAN_OK) {
        st = part_open(&to, path, err);
        if (st == PUAN_OK)
            st = csv_to_file(f, &to, paths, n, opt, &count, err);
        if (st == PUAN_OK && count > 0) {
            /* rows were moved: the columns in memory count, not those there */
            struct puan_part again = { .fd = -1 };

            puan_part_drop(&to);
            st = part_open(&again, path, err);
            if (st == PUAN_OK)
                st = write_frame(f, &again, false, err);
            st = part_close(&again, st, err);
        } else {
            st = part_close(&to, st, err);
        }
    }
    if (moved)
        *moved = count;
    if (st != PUAN_OK) {
        puan_frames_close(f);
        return st;
    }
    *out = f;
    return PUAN_OK;
}
