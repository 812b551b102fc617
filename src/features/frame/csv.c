/*
 * CSV to columns, on all cores.
 *
 * The files are cut into chunks of a MiB.  A first look counts line ends and
 * quotes of every chunk, so that it is known which row each begins with and
 * whether its begin lies within quotes.  Some chunks are then read on trial:
 * what a column is and how wide is guessed from them.  At last all of them are
 * read: a thread finds all separators of a chunk, 64 bytes at a time, and
 * reads the chunk column by column, 256 rows at a time, so that text and
 * positions stay in the first-level cache; each column goes to its place at
 * once.  Where a cell says that the guess was wrong, all is read again with
 * what is known by then.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/csv.h"
#include "features/frame/cell.h"
#include "features/frame/scan.h"
#include "features/frame/texts.h"
#include "kit/crypto/crypto.h"
#include "kit/job/job.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"

#define CHUNK ((uint64_t)1 << 20) /* bytes */
#define PAD 64
#define TRIALS 8 /* chunks read on trial */
#define READINGS_MOST 8
#define STATES 1 /* room for: nothing there */

struct source {
    const char *path;
    int fd;                /* -1: all of it is in memory */
    struct puan_str bytes; /* then */
    uint64_t size, body;   /* where the rows begin */
    size_t chunk;          /* index of its first */
};

struct chunk {
    uint32_t source;
    bool in_quotes; /* the byte before its begin lies within quotes */
    struct puan_scan_count count;
    uint64_t row; /* first */
    struct puan_err err;
};

/* What a column is being read as. */
struct plan {
    struct puan_cell_plan cell;
    struct puan_shape shape;
    struct puan_texts *texts; /* TEXT */
};

/* What one thread owns. */
struct worker {
    char *buf; /* PAD, text, PAD */
    size_t cap;
    uint32_t *pos; /* of separators; [0] lies before the first */
    size_t pos_cap;
    void **piece; /* [column] values of the chunk */
    uint32_t piece_cap; /* rows */
    struct puan_cell_sum *sum;     /* [column] */
    struct puan_texts_seen **seen; /* [column] */
    bool *misfit, *some_long;      /* [column] */
};

struct reader {
    const struct puan_frames_options *opt;
    struct puan_csv_read *out;
    struct source *source;
    size_t n_sources;
    struct chunk *chunk; /* n_chunks + 1 */
    size_t n_chunks;
    uint64_t step; /* bytes of a chunk */
    struct plan *plan;
    const struct puan_str *name;
    size_t n; /* columns of the file, skipped ones included */
    struct worker *worker;
    unsigned threads;
    bool trial; /* values go nowhere */
    size_t trials;
    atomic_size_t failed; /* least chunk with an error */
    struct puan_progress bar;
};

static enum puan_status no_memory(struct puan_err *err)
{
    return puan_fail(err, PUAN_ENOMEM, "", "out of memory");
}

/* ---- bytes of a source ------------------------------------------------------ */

/* Bytes [from, to), at w->buf + PAD. */
static enum puan_status take(struct worker *w, const struct source *s,
                             uint64_t from, uint64_t to, struct puan_err *err)
{
    size_t n = (size_t)(to - from), have = 0;

    if (n + 2 * PAD + 1 > w->cap) {
        size_t cap = n + n / 4 + 4 * PAD;
        char *p = realloc(w->buf, cap);

        if (!p)
            return puan_fail(err, PUAN_ENOMEM, s->path, "out of memory");
        memset(p, 0, PAD);
        w->buf = p;
        w->cap = cap;
    }
    if (s->fd < 0 && n > 0)
        memcpy(w->buf + PAD, s->bytes.p + from, n);
    if (s->fd < 0)
        have = n;
    while (have < n) {
        ssize_t k = pread(s->fd, w->buf + PAD + have, n - have,
                          (off_t)(from + have));

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return puan_fail(err, PUAN_EIO, s->path,
                             "cannot be read whole; was it changed meanwhile?");
        have += (size_t)k;
    }
    memset(w->buf + PAD + n, 0, PAD);
    return PUAN_OK;
}

/* Where a chunk begins by its number alone. */
static uint64_t nominal(const struct reader *r, const struct source *s,
                        size_t chunk)
{
    uint64_t at = s->body + (chunk - s->chunk) * r->step;

    return at < s->size ? at : s->size;
}

/*
 * Where the rows of a chunk begin: behind the first line end at or after the
 * byte before it.  The chunk behind the last of a file begins at its end.
 */
static enum puan_status border(uint64_t *out, struct worker *w,
                               const struct reader *r, const struct source *s,
                               size_t chunk, struct puan_err *err)
{
    uint64_t at = nominal(r, s, chunk);
    bool quotes;

    *out = at;
    if (at == s->body || at == s->size)
        return PUAN_OK;
    quotes = r->chunk[chunk].in_quotes;
    for (at--; at < s->size; at += 4096) {
        uint64_t to = at + 4096 < s->size ? at + 4096 : s->size;
        size_t found = 0;
        enum puan_status st = take(w, s, at, to, err);

        if (st != PUAN_OK)
            return st;
        if (puan_scan_line_end(&found, w->buf + PAD, (size_t)(to - at),
                               &quotes)) {
            *out = at + found + 1;
            return PUAN_OK;
        }
    }
    *out = s->size;
    return PUAN_OK;
}

/* The rows that begin in a chunk, at w->buf + PAD; ends with a line end. */
static enum puan_status rows_of(uint64_t *from, size_t *n, struct worker *w,
                                const struct reader *r, size_t chunk,
                                struct puan_err *err)
{
    const struct source *s = &r->source[r->chunk[chunk].source];
    uint64_t to;
    enum puan_status st = border(from, w, r, s, chunk, err);

    *n = 0;
    if (st == PUAN_OK)
        st = border(&to, w, r, s, chunk + 1, err);
    if (st != PUAN_OK || *from == to)
        return st;
    st = take(w, s, *from, to, err);
    *n = (size_t)(to - *from);
    if (st == PUAN_OK && w->buf[PAD + *n - 1] != '\n')
        w->buf[PAD + (*n)++] = '\n';
    return st;
}

/* ---- the first look ------------------------------------------------------------ */

static enum puan_status count_range(void *arg, uint64_t begin, uint64_t end,
                                    unsigned worker, struct puan_err *err)
{
    struct reader *r = arg;
    struct worker *w = &r->worker[worker];

    /* a row begins behind a line end from the byte before the chunk to the
       byte before the next, but for the last byte of the file */
    for (uint64_t i = begin; i < end; i++) {
        const struct source *s = &r->source[r->chunk[i].source];
        uint64_t from = nominal(r, s, (size_t)i), to = nominal(r, s, (size_t)i + 1);
        enum puan_status st;

        if (from > s->body)
            from--;
        st = take(w, s, from, to - 1, err);
        if (st != PUAN_OK)
            return st;
        puan_scan_count(&r->chunk[i].count, w->buf + PAD,
                        (size_t)(to - 1 - from));
    }
    return PUAN_OK;
}

static enum puan_status count(struct reader *r, struct puan_err *err)
{
    enum puan_status st =
        puan_parallel(r->threads, r->n_chunks, 1, count_range, r, err);
    uint64_t row = 0;
    bool within = false;

    for (size_t i = 0; i < r->n_chunks; i++) {
        struct chunk *c = &r->chunk[i];
        bool first = i == r->source[c->source].chunk;

        within &= !first;
        c->in_quotes = within;
        c->row = row;
        row += c->count.lines[within] + first;
        within ^= c->count.quotes & 1;
    }
    r->chunk[r->n_chunks].row = row;
    if (st == PUAN_OK && row > PUAN_FRAME_ROWS)
        return puan_fail(err, PUAN_ELIMIT, r->source[0].path,
                         "has more rows than a frame may have");
    return st;
}

/* ---- places of errors ------------------------------------------------------------ */

/* Line of the byte at `at` of a source. */
static uint32_t line_at(struct worker *w, const struct source *s, uint64_t at)
{
    uint32_t line = 1;

    for (uint64_t from = 0; from < at; from += CHUNK) {
        uint64_t to = from + CHUNK < at ? from + CHUNK : at;

        if (take(w, s, from, to, NULL) != PUAN_OK)
            return 0;
        for (uint64_t i = 0; i < to - from; i++)
            line += w->buf[PAD + i] == '\n';
    }
    return line;
}

/* A failure at a row of a chunk. */
static enum puan_status fail_at(struct worker *w, const struct reader *r,
                                size_t chunk, uint32_t row, const char *text,
                                enum puan_status code, struct puan_err *err)
{
    const struct source *s = &r->source[r->chunk[chunk].source];
    uint64_t from = 0;
    size_t n = 0, at = 0;
    bool quotes = false;

    if (rows_of(&from, &n, w, r, chunk, err) != PUAN_OK)
        return err->code;
    for (uint32_t i = 0; i < row && at < n; i++) {
        size_t found;

        if (!puan_scan_line_end(&found, w->buf + PAD + at, n - at, &quotes))
            break;
        at += found + 1;
    }
    return puan_fail_at(err, code, s->path, line_at(w, s, from + at), 0, "%s",
                        text);
}

/* ---- a chunk ------------------------------------------------------------------------ */

/* Finds the cells of the chunk in w->buf. */
static enum puan_status cells(uint32_t *rows, struct reader *r,
                              struct worker *w, size_t chunk, size_t n,
                              struct puan_err *err)
{
    const char *text = w->buf + PAD;
    struct puan_scan scan;
    char what[160];
    uint32_t row = 0;

    if (n + PAD > w->pos_cap) {
        size_t cap = n + n / 4 + PAD;
        uint32_t *pos = realloc(w->pos, (cap + 1) * sizeof(*pos));

        if (!pos)
            return no_memory(err);
        w->pos = pos;
        w->pos_cap = cap;
    }
    w->pos[0] = UINT32_MAX; /* + 1 is 0, where the first cell begins */
    puan_scan_cells(&scan, w->pos + 1, text, n);
    if (scan.cells == scan.lines * r->n) {
        const uint32_t *end = w->pos + r->n;
        size_t bad = 0;

        for (size_t i = 0; i < scan.lines; i++, end += r->n)
            bad += text[*end] != '\n';
        if (bad == 0 && scan.quotes % 2 == 0) {
            *rows = (uint32_t)scan.lines;
            if (*rows != r->chunk[chunk + 1].row - r->chunk[chunk].row)
                return puan_fail(err, PUAN_EIO,
                                 r->source[r->chunk[chunk].source].path,
                                 "was changed while it was read");
            return PUAN_OK;
        }
    }
    /* which row has another number of cells, and how many */
    for (size_t k = 0, i = 1; i <= scan.cells; i++) {
        k++;
        if (text[w->pos[i]] != '\n')
            continue;
        if (k != r->n) {
            puan_format(what, sizeof(what),
                        k == 1 ? "has %zu cell, the header has %zu: an empty "
                                 "line, or another separator than the comma"
                               : "has %zu cells, the header has %zu: put a "
                                 "cell with a comma in double quotes",
                        k, r->n);
            return fail_at(w, r, chunk, row, what, PUAN_EINVAL, err);
        }
        k = 0;
        row++;
    }
    return fail_at(w, r, chunk, row,
                   "a quoted cell that begins here has no closing quote",
                   PUAN_EINVAL, err);
}

static uint64_t token_of(struct puan_str s)
{
    uint8_t d[PUAN_DIGEST_SIZE];
    uint64_t v = 0;

    puan_digest_one(d, puan_digest_sha256(), s);
    for (unsigned i = 0; i < 8; i++)
        v = v << 8 | d[i];
    return v == UINT64_MAX ? 0 : v; /* the largest is a state */
}

/* A block cell by cell; *row is the one that failed. */
static enum puan_status slow_block(uint32_t *row, const char **what,
                                   struct puan_block *b, struct reader *r,
                                   struct worker *w, size_t c,
                                   struct puan_arena *room)
{
    const struct plan *p = &r->plan[c];

    b->sum = PUAN_CELL_SUM_NONE; /* of this block alone, whoever looked first */
    b->some_empty = false;
    for (uint32_t i = 0; i < b->rows; i++) {
        struct puan_str s;
        int64_t k;

        *row = i;
        if (!puan_block_text(&s, b, i, room)) {
            *what = "a cell is not CSV as it should be: double quotes stand "
                    "around the whole of it and are written twice inside, it "
                    "is UTF-8 and has no zero byte";
            return room->failed ? PUAN_ENOMEM : PUAN_EINVAL;
        }
        if (r->opt->missing.n && puan_str_eq(s, r->opt->missing))
            s.n = 0;
        puan_block_cell(b, i, &p->cell, s);
        if (b->st[i])
            continue;
        if (p->cell.kind == PUAN_CELL_TOKEN)
            b->v[i] = token_of(s);
        if (p->cell.kind != PUAN_CELL_TEXT)
            continue;
        k = puan_texts_number(p->texts, &w->seen[c], s);
        if (k == -1) {
            *what = "has too many different texts: leave it out (--skip), or "
                    "keep tokens of it (--token)";
            return PUAN_ELIMIT;
        }
        if (k < 0)
            return PUAN_ENOMEM;
        b->v[i] = (uint64_t)k;
    }
    puan_block_sum(b, &p->cell);
    return PUAN_OK;
}

/* Room for the values of a chunk in their shapes. */
static bool room_for(struct worker *w, const struct reader *r, uint32_t rows)
{
    if (rows <= w->piece_cap || r->trial)
        return true;
    rows += rows / 4;
    for (size_t c = 0; c < r->n; c++) {
        free(w->piece[c]);
        w->piece[c] = malloc((size_t)rows * 8);
        if (!w->piece[c])
            return false;
    }
    w->piece_cap = rows;
    return true;
}

/* All columns of a chunk whose cells are found, into w->piece. */
static enum puan_status columns(struct reader *r, struct worker *w,
                                size_t chunk, uint32_t rows,
                                struct puan_err *err)
{
    enum puan_status st = PUAN_OK;
    struct puan_arena room;
    struct puan_block b = { .text = w->buf + PAD, .stride = r->n };
    const char *what = "out of memory";
    uint32_t bad = 0, at = 0;
    size_t c = 0;

    puan_arena_init(&room, &puan_heap);
    for (; st == PUAN_OK && at < rows; at += PUAN_BLOCK_ROWS) {
        b.rows = rows - at < PUAN_BLOCK_ROWS ? rows - at : PUAN_BLOCK_ROWS;
        for (c = 0; c < r->n; c++) {
            struct plan *p = &r->plan[c];

            if (p->cell.kind == PUAN_CELL_SKIP)
                continue;
            b.end = w->pos + 1 + (size_t)at * r->n + c;
            b.last = c + 1 == r->n;
            b.some_long = w->some_long[c];
            b.sum = PUAN_CELL_SUM_NONE;
            b.some_empty = false;
            if (r->opt->missing.n || !puan_block_numbers(&b, &p->cell)) {
                st = slow_block(&bad, &what, &b, r, w, c, &room);
                if (st != PUAN_OK)
                    break;
            }
            w->some_long[c] = b.some_long;
            puan_cell_sum_join(&w->sum[c], &b.sum);
            if (r->trial)
                continue;
            if (puan_shape_holds(p->shape, b.sum.range, STATES))
                puan_shape_put((char *)w->piece[c] +
                                   (size_t)at * p->shape.width,
                               p->shape, b.v, b.some_empty ? b.st : NULL,
                               b.rows, STATES);
            else
                w->misfit[c] = true;
        }
        puan_arena_reset(&room);
        if (st != PUAN_OK)
            break;
    }
    puan_arena_clear(&room);
    if (st == PUAN_OK)
        return PUAN_OK;
    if (st == PUAN_ENOMEM)
        return no_memory(err);
    {
        char text[256];

        puan_format(text, sizeof(text), "%.*s: %s", PUAN_FMT(r->name[c]),
                    what);
        return fail_at(w, r, chunk, at + bad, text, st, err);
    }
}

static enum puan_status one_chunk(struct reader *r, unsigned worker,
                                  size_t chunk, struct puan_err *err)
{
    struct worker *w = &r->worker[worker];
    const struct puan_image *im = &r->out->image;
    uint32_t rows = 0;
    uint64_t from;
    size_t n;
    enum puan_status st = rows_of(&from, &n, w, r, chunk, err);

    if (st == PUAN_OK)
        st = cells(&rows, r, w, chunk, n, err);
    if (st == PUAN_OK && !room_for(w, r, rows))
        st = no_memory(err);
    if (st == PUAN_OK)
        st = columns(r, w, chunk, rows, err);
    for (size_t c = 0; st == PUAN_OK && !r->trial && c < r->n; c++)
        if (im->width[c] && rows)
            st = puan_image_put(im, c, r->chunk[chunk].row, w->piece[c], rows,
                                err);
    return st;
}

/* The first chunk's error counts, whichever thread comes first. */
static enum puan_status read_range(void *arg, uint64_t begin, uint64_t end,
                                   unsigned worker, struct puan_err *err)
{
    struct reader *r = arg;

    (void)err;
    for (uint64_t i = begin; i < end; i++) {
        size_t k = r->trial ? (size_t)(i * (r->n_chunks - 1) /
                                       (r->trials > 1 ? r->trials - 1 : 1))
                            : (size_t)i;
        struct chunk *c = &r->chunk[k];
        size_t least = atomic_load(&r->failed);

        if (k > least)
            return PUAN_OK;
        c->err = (struct puan_err){ 0 };
        if (one_chunk(r, worker, k, &c->err) != PUAN_OK)
            while (k < least &&
                   !atomic_compare_exchange_weak(&r->failed, &least, k))
                ;
        if (!r->trial)
            puan_progress_add(&r->bar, r->step);
    }
    return PUAN_OK;
}

/* ---- readings ------------------------------------------------------------------------- */

/* Reads all chunks, or some on trial; sum[c] gets what was seen. */
static enum puan_status reading(struct puan_cell_sum *sum, bool *misfit,
                                struct reader *r, bool trial,
                                struct puan_err *err)
{
    size_t failed;
    enum puan_status st;

    r->trial = trial;
    r->trials = r->n_chunks < TRIALS ? r->n_chunks : TRIALS;
    atomic_store(&r->failed, SIZE_MAX);
    for (unsigned i = 0; i < r->threads; i++)
        for (size_t c = 0; c < r->n; c++) {
            r->worker[i].sum[c] = PUAN_CELL_SUM_NONE;
            r->worker[i].misfit[c] = false;
            r->worker[i].some_long[c] = false;
        }
    st = puan_parallel(r->threads, trial ? r->trials : r->n_chunks, 1,
                       read_range, r, err);
    failed = atomic_load(&r->failed);
    if (st == PUAN_OK && failed != SIZE_MAX) {
        *err = r->chunk[failed].err;
        st = err->code;
    }
    *misfit = false;
    for (size_t c = 0; c < r->n; c++) {
        sum[c] = PUAN_CELL_SUM_NONE;
        for (unsigned i = 0; i < r->threads; i++) {
            puan_cell_sum_join(&sum[c], &r->worker[i].sum[c]);
            *misfit |= r->worker[i].misfit[c];
        }
    }
    return st;
}

/* Plans by what was seen; false when all was read as it is. */
static bool replan(struct reader *r, const struct puan_cell_sum *sum)
{
    bool changed = false;

    for (size_t c = 0; c < r->n; c++) {
        struct puan_cell_plan *p = &r->plan[c].cell, now;

        if (p->kind == PUAN_CELL_SKIP || p->kind == PUAN_CELL_TOKEN)
            continue;
        now = puan_cell_plan_of(&sum[c]);
        if (now.kind == p->kind && now.places == p->places &&
            now.digits == p->digits)
            continue;
        *p = now;
        changed = true;
    }
    return changed;
}

static enum puan_status need_texts(struct reader *r, struct puan_err *err)
{
    for (size_t c = 0; c < r->n; c++)
        if (r->plan[c].cell.kind == PUAN_CELL_TEXT && !r->plan[c].texts) {
            r->plan[c].texts = puan_texts_new(PUAN_FRAMES_TEXTS);
            if (!r->plan[c].texts)
                return no_memory(err);
        }
    return PUAN_OK;
}

/* Shapes wide enough for what was seen, with some room where it is to be had
   for nothing. */
static void shapes(struct reader *r, const struct puan_cell_sum *sum)
{
    for (size_t c = 0; c < r->n; c++) {
        struct puan_range x = sum[c].range;
        struct puan_shape s;
        uint64_t room;

        if (r->plan[c].texts)
            x = (struct puan_range){
                0, (int64_t)puan_texts_count(r->plan[c].texts) - 1, false
            };
        s = puan_shape_of(x, STATES);
        room = puan_width_most(s.width) - STATES -
               ((uint64_t)x.hi - (uint64_t)x.lo);
        if (s.base != 0 && x.lo > INT64_MIN / 2 && room < INT64_MAX / 2)
            s.base -= room / 2;
        r->plan[c].shape = s;
    }
}

/* Makes room for the columns as planned. */
static enum puan_status image(struct reader *r, struct puan_err *err)
{
    struct puan_image *im = &r->out->image;
    uint64_t at = PUAN_FRAME_COLUMNS_AT;
    enum puan_status st;

    for (size_t c = 0; c < r->n; c++) {
        unsigned width = r->plan[c].shape.width;
        size_t n = (size_t)im->rows * width;

        if (r->plan[c].cell.kind == PUAN_CELL_SKIP)
            continue;
        if (im->fd >= 0) {
            im->offset[c] = at;
            at += (n + PUAN_FRAME_ALIGN - 1) / PUAN_FRAME_ALIGN *
                  PUAN_FRAME_ALIGN;
        } else if (im->width[c] != width) {
            puan_pages_put(im->data[c], (size_t)im->rows * im->width[c]);
            im->data[c] = puan_pages_get(n);
            if (!im->data[c])
                return no_memory(err);
        }
        im->width[c] = width;
    }
    im->end = at;
    if (im->fd < 0)
        return PUAN_OK;
    puan_blocks_free(im->blocks);
    st = puan_blocks_new(&im->blocks, im->fd, im->path, im->end, err);
    for (size_t c = 0; st == PUAN_OK && c < r->n; c++)
        puan_blocks_expect(im->blocks, im->offset[c], im->rows * im->width[c]);
    return st;
}

/* What columns are, from some chunks; errors are told by the reading of all. */
static enum puan_status on_trial(struct puan_cell_sum *sum, struct reader *r,
                                 struct puan_err *err)
{
    bool misfit, changed = true;

    for (unsigned i = 0; i < 3 && changed; i++) {
        struct puan_err ignored = { 0 };
        enum puan_status st = need_texts(r, err);

        if (st != PUAN_OK)
            return st;
        if (reading(sum, &misfit, r, true, &ignored) != PUAN_OK)
            break;
        changed = replan(r, sum);
    }
    return PUAN_OK;
}

/* Ranges of columns that turned out to be something else, on trial. */
static enum puan_status ranges(struct puan_cell_sum *sum, struct reader *r,
                               const enum puan_cell_kind *was,
                               struct puan_err *err)
{
    struct puan_cell_sum *some = calloc(r->n, sizeof(*some));
    bool misfit;
    enum puan_status st = some ? need_texts(r, err) : no_memory(err);

    if (st == PUAN_OK)
        st = reading(some, &misfit, r, true, err);
    for (size_t c = 0; st == PUAN_OK && c < r->n; c++)
        if (was[c] != r->plan[c].cell.kind)
            sum[c].range = some[c].range;
    free(some);
    return st;
}

static enum puan_status read_all(struct puan_cell_sum *sum, struct reader *r,
                                 struct puan_err *err)
{
    enum puan_cell_kind *was = calloc(r->n, sizeof(*was));
    bool misfit = false;
    enum puan_status st = was ? on_trial(sum, r, err) : no_memory(err);

    for (unsigned i = 0; st == PUAN_OK && i < READINGS_MOST; i++) {
        st = need_texts(r, err);
        if (st != PUAN_OK)
            break;
        shapes(r, sum);
        st = image(r, err);
        puan_progress_set(&r->bar, 0);
        if (st == PUAN_OK)
            st = reading(sum, &misfit, r, false, err);
        if (st != PUAN_OK)
            break;
        for (size_t c = 0; c < r->n; c++)
            was[c] = r->plan[c].cell.kind;
        if (replan(r, sum))
            st = ranges(sum, r, was, err);
        else if (!misfit)
            goto out;
    }
    if (st == PUAN_OK)
        st = puan_fail(err, PUAN_EBUG, r->source[0].path,
                       "its columns cannot be settled");
out:
    free(was);
    return st;
}

/* ---- opening ---------------------------------------------------------------------------- */

static bool named(const struct puan_str *list, size_t n, struct puan_str name)
{
    for (size_t i = 0; i < n; i++)
        if (puan_str_eq(list[i], name))
            return true;
    return false;
}

/* All of what cannot be read at a place of choice. */
static enum puan_status slurp(struct source *s, struct puan_arena *a,
                              struct puan_err *err)
{
    struct puan_out o;
    char *buf = malloc(CHUNK);
    ssize_t k = 0;

    if (!buf)
        return puan_fail(err, PUAN_ENOMEM, s->path, "out of memory");
    puan_out_init(&o, a);
    do {
        k = read(s->fd, buf, CHUNK);
        if (k > 0)
            puan_out_bytes(&o, buf, (size_t)k);
    } while (k > 0 || (k < 0 && errno == EINTR));
    free(buf);
    if (s->fd > 0)
        close(s->fd);
    s->fd = -1;
    s->bytes = puan_out_view(&o);
    s->size = s->bytes.n;
    if (k < 0)
        return puan_fail(err, PUAN_EIO, s->path, "cannot be read");
    return puan_arena_check(a, err);
}

static enum puan_status open_source(struct source *s, const char *path,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct stat sb;

    s->path = path;
    s->fd = strcmp(path, "-") == 0 ? 0 : open(path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0)
        return puan_fail(err, errno == ENOENT ? PUAN_ENOTFOUND : PUAN_EIO, path,
                         errno == ENOENT ? "there is no such file"
                                         : "cannot be opened");
    if (fstat(s->fd, &sb) != 0)
        return puan_fail(err, PUAN_EIO, path, "cannot be read");
    if (S_ISDIR(sb.st_mode))
        return puan_fail(err, PUAN_EIO, path, "is a directory");
    if (!S_ISREG(sb.st_mode))
        return slurp(s, a, err);
    s->size = (uint64_t)sb.st_size;
    return PUAN_OK;
}

/* The names in the first line; s->body behind it. */
static enum puan_status header(struct puan_csv *csv, struct source *s,
                               struct worker *w, struct puan_arena *a,
                               struct puan_err *err)
{
    struct puan_arena row;
    size_t at = 0;
    uint64_t n = 4096;
    enum puan_status st;
    char *copy;

    for (;; n *= 8) {
        bool quotes = false;

        n = n < s->size ? n : s->size;
        st = take(w, s, 0, n, err);
        if (st != PUAN_OK)
            return st;
        if (puan_scan_line_end(&at, w->buf + PAD, (size_t)n, &quotes) ||
            n == s->size)
            break;
    }
    s->body = at + 1 < n ? at + 1 : n;
    copy = puan_arena_get(a, (size_t)s->body);
    if (!copy)
        return no_memory(err);
    memcpy(copy, w->buf + PAD, (size_t)s->body);
    puan_arena_init(&row, &puan_heap);
    st = puan_csv_open(csv, (struct puan_str){ copy, (size_t)s->body }, s->path,
                       a, &row, err);
    puan_arena_clear(&row);
    for (size_t k = 0; st == PUAN_OK && k < csv->n; k++) {
        csv->header[k] = puan_str_trim(csv->header[k]);
        if (csv->header[k].n == 0)
            return puan_fail_at(err, PUAN_EINVAL, s->path, 1, 0,
                                "column %zu has no name", k + 1);
        for (size_t i = 0; i < k; i++)
            if (puan_str_eq(csv->header[i], csv->header[k]))
                return puan_fail_at(err, PUAN_EINVAL, s->path, 1, 0,
                                    "column %.*s is there twice",
                                    PUAN_FMT(csv->header[k]));
    }
    return st;
}

static bool same_names(const struct puan_csv *a, const struct reader *r)
{
    if (a->n != r->n)
        return false;
    for (size_t k = 0; k < r->n; k++)
        if (!puan_str_eq(a->header[k], r->name[k]))
            return false;
    return true;
}

static enum puan_status headers(struct reader *r, const char *const *paths,
                                struct puan_err *err)
{
    struct puan_arena *a = &r->out->arena;
    struct puan_csv csv;
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; i < r->n_sources; i++) {
        struct source *s = &r->source[i];

        st = open_source(s, paths[i], a, err);
        if (st == PUAN_OK)
            st = header(&csv, s, &r->worker[0], a, err);
        if (st != PUAN_OK)
            return st;
        if (i == 0) {
            r->n = csv.n;
            r->name = csv.header;
        } else if (!same_names(&csv, r)) {
            return puan_fail_at(err, PUAN_EINVAL, paths[i], 1, 0,
                                "its columns are not those of %s", paths[0]);
        }
        s->chunk = r->n_chunks;
        r->n_chunks += (size_t)((s->size - s->body + r->step - 1) / r->step);
    }
    if (r->n > PUAN_FRAME_ITEMS)
        return puan_fail_at(err, PUAN_ELIMIT, paths[0], 1, 0,
                            "has more than %d columns", PUAN_FRAME_ITEMS);
    return PUAN_OK;
}

static enum puan_status start(struct reader *r, struct puan_err *err)
{
    struct puan_arena *a = &r->out->arena;
    struct puan_image *im = &r->out->image;

    r->plan = puan_arena_get_n(a, r->n, sizeof(*r->plan));
    r->chunk = puan_arena_get_n(a, r->n_chunks + 1, sizeof(*r->chunk));
    r->out->item = puan_arena_get_n(a, r->n, sizeof(*r->out->item));
    r->out->finish = puan_arena_get_n(a, r->n, sizeof(*r->out->finish));
    im->n_columns = r->n;
    im->width = puan_arena_get_n(a, r->n, sizeof(*im->width));
    im->data = puan_arena_get_n(a, r->n, sizeof(*im->data));
    im->offset = puan_arena_get_n(a, r->n, sizeof(*im->offset));
    for (unsigned i = 0; i < r->threads; i++) {
        struct worker *w = &r->worker[i];

        w->piece = puan_arena_get_n(a, r->n, sizeof(*w->piece));
        w->sum = puan_arena_get_n(a, r->n, sizeof(*w->sum));
        w->seen = puan_arena_get_n(a, r->n, sizeof(*w->seen));
        w->misfit = puan_arena_get_n(a, r->n, sizeof(*w->misfit));
        w->some_long = puan_arena_get_n(a, r->n, sizeof(*w->some_long));
    }
    if (a->failed)
        return no_memory(err);
    for (size_t i = 0; i < r->n_sources; i++) {
        size_t to = i + 1 < r->n_sources ? r->source[i + 1].chunk : r->n_chunks;

        for (size_t k = r->source[i].chunk; k < to; k++)
            r->chunk[k].source = (uint32_t)i;
    }
    for (size_t c = 0; c < r->n; c++)
        if (named(r->opt->skip, r->opt->n_skip, r->name[c]))
            r->plan[c].cell.kind = PUAN_CELL_SKIP;
        else if (named(r->opt->token, r->opt->n_token, r->name[c]))
            r->plan[c].cell.kind = PUAN_CELL_TOKEN;
    return PUAN_OK;
}

/* ---- the items ----------------------------------------------------------------------------- */

static const enum puan_item_type types[] = {
    [PUAN_CELL_NUMBER] = PUAN_TYPE_INT, [PUAN_CELL_FIXED] = PUAN_TYPE_FIXED,
    [PUAN_CELL_MONTH] = PUAN_TYPE_MONTH, [PUAN_CELL_DATE] = PUAN_TYPE_DATE,
    [PUAN_CELL_DIGITS] = PUAN_TYPE_AREA, [PUAN_CELL_TEXT] = PUAN_TYPE_CODE,
    [PUAN_CELL_TOKEN] = PUAN_TYPE_INT,   [PUAN_CELL_SKIP] = PUAN_TYPE_INT
};

/* How many digits all numbers of a range have; 0: not all the same. */
static unsigned digits_of(struct puan_range x)
{
    unsigned n = 1;

    if (x.lo > x.hi)
        return 0;
    for (int64_t least = 1; n < 18; n++, least *= 10)
        if (x.lo >= least && x.hi < 10 * least)
            return n;
    return 0;
}

static enum puan_status settle(struct reader *r, size_t c,
                               const struct puan_cell_sum *sum,
                               struct puan_err *err)
{
    static const struct puan_frame_state empty = { PUAN_MISSING, 0 };
    const struct plan *p = &r->plan[c];
    struct puan_csv_read *out = r->out;
    struct puan_frame_item *it = &out->item[c];
    struct puan_finish *f = &out->finish[c];
    struct puan_range x = sum->range;
    struct puan_shape shape;

    if (p->cell.kind == PUAN_CELL_TEXT) {
        uint32_t *map = NULL;

        it->codes = puan_texts_list(&map, p->texts, r->name[c], &out->arena);
        if (!it->codes)
            return no_memory(err);
        f->map = map;
        x = (struct puan_range){ 0, (int64_t)it->codes->n - 1, false };
    }
    shape = puan_shape_of(x, STATES);
    it->name = r->name[c];
    it->type = types[p->cell.kind];
    it->places = p->cell.places;
    it->digits = p->cell.digits;
    it->width = shape.width;
    it->base = (int64_t)shape.base;
    it->token = x.big || p->cell.kind == PUAN_CELL_TOKEN;
    it->least = x.lo;
    it->most = x.hi;
    it->n_given = sum->given;
    it->stop = puan_width_most(shape.width);
    if (sum->given < out->image.rows) {
        it->states = &empty;
        it->n_states = 1;
    } else if (shape.width < 8) {
        it->stop++;
    }
    if (it->type != PUAN_TYPE_AREA && sum->given > 0 &&
        named(r->opt->digits, r->opt->n_digits, it->name)) {
        it->digits = it->type == PUAN_TYPE_INT && !it->token ? digits_of(x) : 0;
        it->type = PUAN_TYPE_AREA;
        if (it->digits == 0)
            return puan_fail(err, PUAN_EINVAL, r->source[0].path,
                             "column %.*s: --digits is for codes that are all "
                             "as long, in digits alone",
                             PUAN_FMT(it->name));
    }
    f->states = STATES;
    f->add = p->shape.base - shape.base;
    if (shape.width != p->shape.width)
        return puan_fail(err, PUAN_EBUG, r->source[0].path,
                         "column %.*s has two widths", PUAN_FMT(it->name));
    return PUAN_OK;
}

static enum puan_status run(struct reader *r, const char *const *paths,
                            struct puan_err *err)
{
    struct puan_arena *a = &r->out->arena;
    struct puan_image *im = &r->out->image;
    struct puan_cell_sum *sum;
    enum puan_status st = headers(r, paths, err);

    if (st == PUAN_OK)
        st = start(r, err);
    if (st == PUAN_OK)
        st = count(r, err);
    if (st != PUAN_OK)
        return st;
    im->rows = r->chunk[r->n_chunks].row;
    sum = puan_arena_get_n(a, r->n, sizeof(*sum));
    if (!sum)
        return no_memory(err);
    puan_progress_begin(&r->bar, "读入 reading", r->n_chunks * r->step);
    r->bar.quiet |= r->opt->quiet;
    st = read_all(sum, r, err);
    puan_blocks_free(im->blocks);
    im->blocks = NULL;
    puan_progress_end(&r->bar);
    for (size_t c = 0; st == PUAN_OK && c < r->n; c++) {
        if (r->plan[c].cell.kind == PUAN_CELL_SKIP)
            continue;
        st = settle(r, c, &sum[c], err);
        if (r->opt->digest)
            r->out->finish[c].digest = puan_arena_get_n(
                a,
                (size_t)(im->rows * im->width[c] / PUAN_FRAME_DIGEST_CHUNK + 1),
                PUAN_DIGEST_SIZE);
    }
    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
    if (st == PUAN_OK)
        st = puan_image_finish(r->out->finish, im, r->threads, err);
    for (size_t c = 0; c < r->n; c++) {
        r->out->item[c].sorted = r->out->finish[c].sorted;
        r->out->item[c].data = im->data[c];
    }
    return st;
}

static void stop(struct reader *r)
{
    for (unsigned i = 0; r->worker && i < r->threads; i++) {
        struct worker *w = &r->worker[i];

        for (size_t c = 0; w->piece && c < r->n; c++)
            free(w->piece[c]);
        for (size_t c = 0; w->seen && c < r->n; c++)
            puan_texts_seen_free(w->seen[c]);
        free(w->buf);
        free(w->pos);
    }
    for (size_t c = 0; r->plan && c < r->n; c++)
        puan_texts_free(r->plan[c].texts);
    for (size_t i = 0; r->source && i < r->n_sources; i++)
        if (r->source[i].fd > 0)
            close(r->source[i].fd);
    free(r->worker);
    free(r->source);
}

enum puan_status puan_csv_frame_read(struct puan_csv_read *out,
                                     const char *const *paths, size_t n,
                                     const struct puan_frames_options *opt,
                                     int fd, const char *file,
                                     struct puan_err *err)
{
    struct reader r = { .opt = opt, .out = out, .n_sources = n };
    enum puan_status st;

    *out = (struct puan_csv_read){ .image = { .fd = fd, .path = file } };
    puan_arena_init(&out->arena, &puan_heap);
    r.step = opt->chunk ? opt->chunk : CHUNK;
    r.threads = opt->threads ? opt->threads : puan_cores();
    r.threads = r.threads > 64 ? 64 : r.threads;
    r.worker = calloc(r.threads, sizeof(*r.worker));
    r.source = calloc(n ? n : 1, sizeof(*r.source));
    if (!r.worker || !r.source) {
        st = no_memory(err);
    } else {
        for (size_t i = 0; i < n; i++)
            r.source[i].fd = -1;
        st = run(&r, paths, err);
    }
    stop(&r);
    return st;
}

void puan_csv_frame_clear(struct puan_csv_read *r)
{
    for (size_t c = 0; r->image.data && c < r->image.n_columns; c++)
        puan_pages_put(r->image.data[c],
                       (size_t)r->image.rows * r->image.width[c]);
    puan_arena_clear(&r->arena);
}
