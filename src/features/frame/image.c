/*
 * Columns on their way into memory or a file.  The last pass reads each once,
 * 4 MiB at a time: numbers of texts become codes, bases are moved, order is
 * noted, digests are taken.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "features/frame/internal.h"
#include "kit/crypto/crypto.h"
#include "kit/job/job.h"

static enum puan_status get_bytes(int fd, const char *path, uint64_t at,
                                  void *data, uint64_t n, struct puan_err *err)
{
    char *p = data;

    while (n > 0) {
        ssize_t k = pread(fd, p, (size_t)n, (off_t)at);

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return puan_fail(err, PUAN_EIO, path, "cannot be read again");
        p += k;
        at += (uint64_t)k;
        n -= (uint64_t)k;
    }
    return PUAN_OK;
}

enum puan_status puan_image_put(const struct puan_image *im, size_t column,
                                uint64_t row, const void *p, uint64_t rows,
                                struct puan_err *err)
{
    uint64_t at = row * im->width[column], n = rows * im->width[column];

    if (im->fd >= 0)
        return puan_blocks_put(im->blocks, im->offset[column] + at, p, n, err);
    memcpy((char *)im->data[column] + at, p, (size_t)n);
    return PUAN_OK;
}

struct piece {
    size_t column;
    uint64_t row, rows;
    size_t digest; /* index of its digest */
    uint64_t first, last; /* stored */
    bool sorted;
};

struct job {
    struct puan_finish *finish;
    const struct puan_image *im;
    struct piece *piece;
    void **buf; /* [worker], of a file */
};

static uint64_t stored(const void *p, unsigned width, uint64_t i)
{
    struct puan_frame_item it = { .width = (uint8_t)width, .data = p };

    return puan_frame_stored(&it, i);
}

static enum puan_status one_piece(struct job *j, struct piece *x,
                                  unsigned worker, struct puan_err *err)
{
    const struct puan_image *im = j->im;
    const struct puan_finish *f = &j->finish[x->column];
    unsigned width = im->width[x->column];
    uint64_t n = x->rows * width, at = 0;
    bool change = f->map || f->add;
    void *p;

    if (im->fd >= 0) {
        enum puan_status st;

        if (!j->buf[worker])
            j->buf[worker] = malloc(PUAN_FRAME_DIGEST_CHUNK);
        p = j->buf[worker];
        at = im->offset[x->column] + x->row * width;
        if (!p)
            return puan_fail(err, PUAN_ENOMEM, im->path, "out of memory");
        st = get_bytes(im->fd, im->path, at, p, n, err);
        if (st != PUAN_OK)
            return st;
    } else {
        p = (char *)im->data[x->column] + x->row * width;
    }
    if (f->map)
        puan_stored_map(p, width, f->map, x->rows, f->states);
    else if (f->add)
        puan_shape_rebase(p, width, f->add, x->rows, f->states);
    x->sorted = puan_stored_sorted(p, width, x->rows);
    x->first = stored(p, width, 0);
    x->last = stored(p, width, x->rows - 1);
    if (f->digest)
        puan_digest_one(f->digest + x->digest * PUAN_DIGEST_SIZE,
                        puan_digest_sha256(),
                        (struct puan_str){ p, (size_t)n });
    if (change && im->fd >= 0)
        return puan_put_bytes(im->fd, im->path, at, p, n, err);
    return PUAN_OK;
}

static enum puan_status range(void *arg, uint64_t begin, uint64_t end,
                              unsigned worker, struct puan_err *err)
{
    struct job *j = arg;
    enum puan_status st = PUAN_OK;

    for (uint64_t i = begin; st == PUAN_OK && i < end; i++)
        st = one_piece(j, &j->piece[i], worker, err);
    return st;
}

enum puan_status puan_image_finish(struct puan_finish *f,
                                   const struct puan_image *im,
                                   unsigned threads, struct puan_err *err)
{
    struct job j = { .finish = f, .im = im };
    size_t n = 0, cap = 0;
    enum puan_status st = PUAN_OK;

    for (size_t c = 0; c < im->n_columns; c++)
        cap += (size_t)(im->rows * im->width[c] / PUAN_FRAME_DIGEST_CHUNK + 1);
    j.piece = calloc(cap, sizeof(*j.piece));
    j.buf = calloc(threads, sizeof(*j.buf));
    if (!j.piece || !j.buf) {
        st = puan_fail(err, PUAN_ENOMEM, "", "out of memory");
        goto out;
    }
    for (size_t c = 0; c < im->n_columns; c++) {
        uint64_t step;

        f[c].sorted = true;
        if (im->width[c] == 0)
            continue;
        step = PUAN_FRAME_DIGEST_CHUNK / im->width[c];
        for (uint64_t row = 0; row < im->rows; row += step)
            j.piece[n++] = (struct piece){
                .column = c,
                .row = row,
                .rows = im->rows - row < step ? im->rows - row : step,
                .digest = (size_t)(row / step)
            };
    }
    st = puan_parallel(threads, n, 1, range, &j, err);
    for (size_t i = 0; i < n; i++) {
        const struct piece *x = &j.piece[i];

        f[x->column].sorted &=
            x->sorted && (x->row == 0 || j.piece[i - 1].last <= x->first);
    }
out:
    for (unsigned i = 0; j.buf && i < threads; i++)
        free(j.buf[i]);
    free(j.buf);
    free(j.piece);
    return st;
}
