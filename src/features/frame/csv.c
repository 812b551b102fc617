/*
 * CSV to columns, on all cores.
 *
 * The files are cut into chunks of about a MiB at line ends.  A thread reads a
 * chunk, finds all separators of it 64 bytes at a time, and then reads it
 * column by column, 256 rows at a time, so that text and positions stay in the
 * first-level cache: 220 million cells of ten million persons take less than a
 * second of two cores.  What every column holds is guessed from the first
 * chunk; where a later cell says otherwise, the columns concerned are read
 * again as what they turned out to be.
 *
 * A chunk border may lie within quotes.  A chunk with an odd number of quotes
 * tells so; then the quotes before every border are counted and the files are
 * read again with borders outside of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/csv.h"
#include "features/frame/internal.h"
#include "features/frame/scan.h"
#include "kit/crypto/crypto.h"
#include "kit/job/job.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"

#define CHUNK ((uint64_t)1 << 20)
#define PAD 64
#define COLUMNS_MOST PUAN_FRAME_ITEMS
#define PLACES_MOST 9
#define ROWS 256

/* What cells look like; a column's set of these decides what it is. */
enum {
    SEEN_NUMBER = 1,   /* whole, not below zero, no zero in front */
    SEEN_NEGATIVE = 2,
    SEEN_ZEROS = 4,    /* digits, zero in front */
    SEEN_DECIMAL = 8,
    SEEN_MONTH = 16,
    SEEN_DATE = 32,
    SEEN_TEXT = 64,
    SEEN_BIG = 128,    /* whole, from 2^63 */
    SEEN_EMPTY = 256
};

enum kind { NUMBER, FIXED, MONTH, DATE, DIGITS, TEXT, TOKEN, SKIP };

/* What is held of a column between readings. */
struct plan {
    enum kind kind;
    unsigned places; /* FIXED */
    unsigned digits; /* DIGITS */
    bool again;      /* to be read in this pass */
};

struct source {
    const char *path;
    int fd;                /* -1: all of it is in memory */
    struct puan_str bytes; /* then */
    uint64_t size, body;   /* where the rows begin */
    size_t chunk;          /* index of its first */
};

struct chunk {
    uint32_t source;
    bool in_quotes;  /* the byte before its begin lies within quotes */
    bool odd;        /* number of quotes read */
    bool any_quotes;
    bool crlf;
    uint32_t rows;
    struct puan_err err;
};

/* Texts of a column as one thread met them. */
struct texts {
    struct puan_str *text;
    uint32_t n, cap;
    uint32_t *slot; /* number + 1 */
    uint32_t mask;
};

struct worker {
    struct puan_arena arena; /* texts */
    char *buf;               /* PAD, text, PAD */
    size_t cap;
    uint32_t *pos;
    size_t pos_cap;
    struct texts *texts; /* [column] */
    struct puan_shape *shape; /* [column] guess for the next piece */
    struct puan_range *range;
};

struct reader {
    const struct puan_frames_options *opt;
    struct puan_csv_read *out;
    struct source *source;
    size_t n_sources;
    struct chunk *chunk;
    size_t n_chunks;
    bool quoted; /* line ends may lie within quotes */
    struct plan *plan;
    size_t n; /* columns of the file, skipped ones included */
    struct worker *worker;
    unsigned threads;
    atomic_size_t failed; /* least chunk with an error */
    struct puan_progress bar;
};

/* ---- cells ------------------------------------------------------------------ */

struct cell {
    uint64_t v;
    uint16_t seen;
    uint8_t places, digits;
};

static bool all_digits(struct puan_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)(s.p[i] - '0') > 9)
            return false;
    return s.n > 0;
}

/* Whole number below 2^64 - 1. */
static bool whole(uint64_t *v, struct puan_str s)
{
    uint64_t x = 0;

    if (s.n > 20 || !all_digits(s))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        uint64_t d = (uint64_t)(unsigned char)(s.p[i] - '0');

        if (x > (UINT64_MAX - 1 - d) / 10)
            return false;
        x = x * 10 + d;
    }
    *v = x;
    return true;
}

static bool decimal(struct cell *c, struct puan_str s)
{
    struct puan_str t = s, head, rest;
    int64_t v;

    if (t.n && t.p[0] == '-')
        t = (struct puan_str){ t.p + 1, t.n - 1 };
    rest = t;
    if (!puan_str_split(&head, &rest, '.') || rest.p == NULL ||
        !all_digits(head) || !all_digits(rest) || rest.n > PLACES_MOST ||
        head.n > 17 || (head.n > 1 && head.p[0] == '0') ||
        !puan_fixed_parse(&v, s, PLACES_MOST))
        return false;
    c->places = (uint8_t)rest.n;
    return true;
}

/* What a cell looks like; its value where that is a whole number. */
static void look(struct cell *c, struct puan_str s)
{
    int64_t v;

    *c = (struct cell){ .seen = SEEN_TEXT };
    if (s.n == 0) {
        c->seen = SEEN_EMPTY;
    } else if (all_digits(s)) {
        if (s.n > 1 && s.p[0] == '0') {
            c->seen = s.n <= 18 ? SEEN_ZEROS : SEEN_TEXT;
        } else if (whole(&c->v, s)) {
            c->seen = SEEN_NUMBER;
            if (c->v > INT64_MAX)
                c->seen = SEEN_BIG;
        }
        c->digits = s.n > 255 ? 255 : (uint8_t)s.n;
    } else if (s.p[0] == '-' && puan_int_parse(&v, s) &&
               !(s.n > 2 && s.p[1] == '0')) {
        c->seen = SEEN_NEGATIVE;
        c->v = (uint64_t)v;
    } else if (decimal(c, s)) {
        c->seen = SEEN_DECIMAL;
    } else if (puan_month_parse(&v, s)) {
        c->seen = SEEN_MONTH;
    } else if (puan_day_parse(&v, s)) {
        c->seen = SEEN_DATE;
    }
}

/* What a column is, that has cells of these looks. */
static struct plan plan_of(uint16_t seen, unsigned places, unsigned least,
                           unsigned most)
{
    struct plan p = { .kind = TEXT };
    unsigned s = seen & ~(unsigned)SEEN_EMPTY;

    if ((s & SEEN_BIG) && (s & SEEN_NEGATIVE))
        p.kind = TEXT;
    else if ((s & ~(unsigned)(SEEN_NUMBER | SEEN_NEGATIVE | SEEN_BIG)) == 0)
        p.kind = NUMBER;
    else if ((s & SEEN_DECIMAL) &&
             (s & ~(unsigned)(SEEN_NUMBER | SEEN_NEGATIVE | SEEN_DECIMAL)) == 0)
        p = (struct plan){ .kind = FIXED, .places = places };
    else if (s == SEEN_MONTH)
        p.kind = MONTH;
    else if (s == SEEN_DATE)
        p.kind = DATE;
    else if ((s & ~(unsigned)(SEEN_NUMBER | SEEN_ZEROS)) == 0 &&
             least == most && most <= 18)
        p = (struct plan){ .kind = DIGITS, .digits = most };
    return p;
}

/* ---- texts -------------------------------------------------------------------- */

static uint32_t hash_of(struct puan_str s)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ s.n;

    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
    return (uint32_t)(h ^ h >> 29);
}

static bool texts_grow(struct texts *t)
{
    uint32_t cap = t->cap ? 2 * t->cap : 64, mask = 4 * cap - 1;
    struct puan_str *text = realloc(t->text, cap * sizeof(*text));
    uint32_t *slot = calloc((size_t)mask + 1, sizeof(*slot));

    if (text)
        t->text = text;
    if (!text || !slot) {
        free(slot);
        return false;
    }
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t h = hash_of(text[i]) & mask;

        while (slot[h])
            h = (h + 1) & mask;
        slot[h] = i + 1;
    }
    free(t->slot);
    t->slot = slot;
    t->mask = mask;
    t->cap = cap;
    return true;
}

/* Number of a text; UINT32_MAX when there are too many or no memory. */
static uint32_t text_number(struct texts *t, struct puan_str s,
                            struct puan_arena *a)
{
    uint32_t h;

    if (t->n == t->cap && !texts_grow(t))
        return UINT32_MAX;
    for (h = hash_of(s) & t->mask; t->slot[h]; h = (h + 1) & t->mask)
        if (puan_str_eq(t->text[t->slot[h] - 1], s))
            return t->slot[h] - 1;
    if (t->n == PUAN_FRAMES_TEXTS)
        return UINT32_MAX;
    t->text[t->n] = puan_arena_keep(a, s);
    if (a->failed)
        return UINT32_MAX;
    t->slot[h] = t->n + 1;
    return t->n++;
}

/* ---- a block of one column ------------------------------------------------------- */

struct block {
    const char *text;    /* of the chunk; PAD bytes before it may be read */
    const uint32_t *end; /* of the first row's cell; end[-1] of the one before */
    size_t stride;
    uint32_t rows;
    bool last; /* column of the row: may end in CR */
    uint64_t v[ROWS];
    uint8_t st[ROWS]; /* 1: empty */
    bool some_empty;
    struct puan_range range; /* of given values */
    uint32_t given;
    uint16_t seen;
    uint8_t places, least_digits, most_digits;
};

static struct puan_str cell_at(const struct block *b, uint32_t i)
{
    const uint32_t *e = b->end + (size_t)i * b->stride;
    uint32_t from = e[-1] + 1;

    return (struct puan_str){ b->text + from, *e - from };
}

/*
 * The text of a cell: without its quotes, trimmed, doubled quotes once.  `room`
 * holds a cell with doubled ones.  False when a quote stands where none may, or
 * it is no UTF-8, or has a zero byte.
 */
static bool cell_text(struct puan_str *out, const struct block *b, uint32_t i,
                      struct puan_arena *room)
{
    struct puan_str s = cell_at(b, i);
    size_t quotes = 0;

    if (b->last && s.n && s.p[s.n - 1] == '\r')
        s.n--;
    if (s.n && s.p[0] == '"') {
        char *p;
        size_t n = 0;

        if (s.n < 2 || s.p[s.n - 1] != '"')
            return false;
        s = (struct puan_str){ s.p + 1, s.n - 2 };
        for (size_t k = 0; k < s.n; k++)
            quotes += s.p[k] == '"';
        if (quotes) {
            p = puan_arena_get(room, s.n);
            if (!p)
                return false;
            for (size_t k = 0; k < s.n; k++) {
                p[n++] = s.p[k];
                if (s.p[k] == '"' && (++k == s.n || s.p[k] != '"'))
                    return false;
            }
            s = (struct puan_str){ p, n };
        }
    } else {
        for (size_t k = 0; k < s.n; k++)
            quotes += s.p[k] == '"';
        if (quotes)
            return false;
    }
    for (size_t k = 0; k < s.n; k++)
        if (s.p[k] == '\0')
            return false;
    if (!puan_utf8_valid(s))
        return false;
    *out = puan_str_trim(s);
    return true;
}

/* A value of a cell by the column's plan; what it looked like in any case. */
static void slow_cell(struct block *b, uint32_t i, const struct plan *p,
                      struct puan_str s, struct puan_str missing)
{
    struct cell c;
    int64_t v;

    if (missing.n && puan_str_eq(s, missing))
        s.n = 0;
    look(&c, s);
    b->seen |= c.seen;
    if (c.places > b->places)
        b->places = c.places;
    if (c.digits) {
        b->least_digits = c.digits < b->least_digits ? c.digits
                                                     : b->least_digits;
        b->most_digits = c.digits > b->most_digits ? c.digits : b->most_digits;
    }
    b->v[i] = 0;
    if (c.seen == SEEN_EMPTY) {
        b->st[i] = 1;
        b->some_empty = true;
        return;
    }
    b->v[i] = c.v;
    if (p->kind == FIXED && puan_fixed_parse(&v, s, p->places))
        b->v[i] = (uint64_t)v;
    else if (p->kind == MONTH && puan_month_parse(&v, s))
        b->v[i] = (uint64_t)v;
    else if (p->kind == DATE && puan_day_parse(&v, s))
        b->v[i] = (uint64_t)v;
    else if (p->kind == DIGITS && c.seen == SEEN_ZEROS &&
             whole(&b->v[i], s))
        return;
}

/* Range and count of a block whose cells were looked at one by one. */
static void slow_range(struct block *b, bool big)
{
    int64_t lo = INT64_MAX, hi = INT64_MIN;
    uint64_t ulo = UINT64_MAX, uhi = 0;

    for (uint32_t i = 0; i < b->rows; i++) {
        int64_t v = (int64_t)b->v[i];

        if (b->st[i])
            continue;
        b->given++;
        lo = v < lo ? v : lo;
        hi = v > hi ? v : hi;
        ulo = b->v[i] < ulo ? b->v[i] : ulo;
        uhi = b->v[i] > uhi ? b->v[i] : uhi;
    }
    b->range = (struct puan_range){ lo, hi, false };
    if (big && b->given)
        b->range = (struct puan_range){ (int64_t)ulo, (int64_t)uhi, true };
}

static enum puan_status bad_cell(size_t column, struct puan_err *err)
{
    return puan_fail(err, PUAN_EINVAL, "", "column %zu: %s", column + 1,
                     "a cell is not CSV as it should be: double quotes stand "
                     "around the whole of it and are written twice inside, it "
                     "is UTF-8 and has no zero byte");
}

static uint64_t token_of(struct puan_str s)
{
    uint8_t d[PUAN_DIGEST_SIZE];
    uint64_t v;

    puan_digest_one(d, puan_digest_sha256(), s);
    memcpy(&v, d, sizeof(v));
    return v == UINT64_MAX ? 0 : v; /* the largest is a state */
}

/* Any column, cell by cell. */
static enum puan_status slow_block(uint32_t *row, struct block *b,
                                   struct reader *r, struct worker *w,
                                   size_t column, struct puan_arena *room,
                                   struct puan_err *err)
{
    const struct plan *p = &r->plan[column];

    memset(b->st, 0, b->rows);
    for (uint32_t i = 0; i < b->rows; i++) {
        struct puan_str s;

        *row = i;
        if (!cell_text(&s, b, i, room))
            return room->failed
                       ? puan_fail(err, PUAN_ENOMEM, "", "out of memory")
                       : bad_cell(column, err);
        slow_cell(b, i, p, s, r->opt->missing);
        if (b->st[i])
            continue;
        if (p->kind == TOKEN)
            b->v[i] = token_of(s);
        if (p->kind == TEXT) {
            uint32_t k = text_number(&w->texts[column], s, &w->arena);

            if (k == UINT32_MAX)
                return puan_fail(
                    err, PUAN_ELIMIT, "",
                    "column %zu has more than %u different texts: leave it "
                    "out (--skip), or keep tokens of it (--token)",
                    column + 1, PUAN_FRAMES_TEXTS);
            b->v[i] = k;
        }
    }
    slow_range(b, p->kind == TOKEN ||
                      (p->kind == NUMBER && (b->seen & SEEN_BIG)));
    return PUAN_OK;
}

/* Eight digits at most, in the upper bytes of w, zeros below. */
static inline uint64_t digits8(uint64_t w)
{
    w = (w * 2561) >> 8 & 0x00ff00ff00ff00ffu;
    w = (w * 6553601) >> 16 & 0x0000ffff0000ffffu;
    return (w * 42949672960001u) >> 32;
}

static inline uint64_t load8(const char *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof(w));
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

/* Bytes that are no digits have their high bit set. */
static inline uint64_t no_digits(uint64_t w)
{
    return ((w + 0x7676767676767676u) | w) & 0x8080808080808080u;
}

/* Cells of 9 to 19 digits; false when it is none of these. */
static bool long_number(uint64_t *v, const char *end, uint32_t len)
{
    const uint64_t zeros = 0x3030303030303030u;
    uint64_t low, mid, high = 0, bad;
    uint32_t rest = len - 8;

    if (len > 19 || end[-(ptrdiff_t)len] == '0')
        return false;
    low = load8(end - 8) ^ zeros;
    mid = load8(end - 16) ^ zeros;
    if (rest < 8)
        mid &= ~(uint64_t)0 << (64 - 8 * rest);
    bad = no_digits(low) | no_digits(mid);
    if (rest > 8) {
        high = (load8(end - 24) ^ zeros) &
               ~(uint64_t)0 << (64 - 8 * (rest - 8));
        bad |= no_digits(high);
    }
    *v = digits8(low) + 100000000u * (digits8(mid) +
                                      100000000u * digits8(high));
    return !bad;
}

/*
 * Cells of whole numbers; false when a cell is something else, and then
 * nothing is said of the block.  With DIGITS a zero may stand in front and
 * all are p->digits long.
 */
static bool number_block(struct block *b, bool zeros, uint32_t digits)
{
    const uint64_t zero8 = 0x3030303030303030u;
    const char *text = b->text;
    const uint32_t *e = b->end;
    uint64_t lo = UINT64_MAX, hi = 0, odd = 0;

    for (uint32_t i = 0; i < b->rows; i++, e += b->stride) {
        uint32_t to = *e, len;
        uint64_t v;

        if (b->last)
            to -= text[(ptrdiff_t)to - 1] == '\r';
        len = to - (e[-1] + 1);
        if (len - 1 < 8) {
            uint64_t w = load8(text + (ptrdiff_t)to - 8) ^ zero8;
            unsigned shift = 64 - 8 * len;

            w &= ~(uint64_t)0 << shift;
            odd |= no_digits(w);
            /* a zero in front of other digits */
            odd |= (uint64_t)((w >> shift & 0xff) == 0) &
                   (uint64_t)(len > 1) & (uint64_t)!zeros;
            v = digits8(w);
        } else if (zeros || len - 9 >= 11 ||
                   !long_number(&v, text + to, len)) {
            return false;
        }
        odd |= zeros && len != digits;
        b->v[i] = v;
        lo = v < lo ? v : lo;
        hi = v > hi ? v : hi;
    }
    if (odd)
        return false;
    b->given = b->rows;
    b->seen = hi > INT64_MAX ? SEEN_BIG : SEEN_NUMBER;
    b->range = (struct puan_range){ (int64_t)lo, (int64_t)hi, hi > INT64_MAX };
    if (zeros) {
        b->seen = SEEN_ZEROS;
        b->least_digits = b->most_digits = (uint8_t)digits;
    }
    return true;
}

/* Cells of one digit; false when one is not. */
static bool digit_block(struct block *b)
{
    const uint32_t *e = b->end;
    uint32_t odd = 0, lo = 9, hi = 0;

    for (uint32_t i = 0; i < b->rows; i++, e += b->stride) {
        uint32_t d = (uint32_t)(unsigned char)b->text[e[-1] + 1] - '0';

        odd |= (*e - e[-1]) ^ 2;
        odd |= d > 9 ? 1u : 0u;
        b->v[i] = d;
        lo = d < lo ? d : lo;
        hi = d > hi ? d : hi;
    }
    if (odd)
        return false;
    b->given = b->rows;
    b->seen = SEEN_NUMBER;
    b->range = (struct puan_range){ lo, hi, false };
    return true;
}

/* ---- a chunk ------------------------------------------------------------------------ */

static bool holds(struct puan_shape s, struct puan_range r)
{
    uint64_t most = puan_width_most(s.width) - 1; /* one state */

    if (r.big)
        return s.width == 8 && s.base == 0;
    if (r.lo > r.hi)
        return true;
    if ((int64_t)s.base > r.lo)
        return false;
    return (uint64_t)r.hi - s.base <= most;
}

static void join(struct puan_range *r, struct puan_range x)
{
    if (!x.big && x.lo > x.hi)
        return;
    if (!r->big && r->lo > r->hi)
        *r = x;
    if (r->big || x.big) {
        uint64_t lo = (uint64_t)(r->lo), hi = (uint64_t)(r->hi);

        lo = (uint64_t)x.lo < lo ? (uint64_t)x.lo : lo;
        hi = (uint64_t)x.hi > hi ? (uint64_t)x.hi : hi;
        *r = (struct puan_range){ (int64_t)lo, (int64_t)hi, true };
        return;
    }
    r->lo = x.lo < r->lo ? x.lo : r->lo;
    r->hi = x.hi > r->hi ? x.hi : r->hi;
}

/* Makes a piece wide enough for `range`, of which `done` rows are stored. */
static bool widen(struct puan_piece *p, struct worker *w, size_t column,
                  struct puan_slab *slab, uint32_t done,
                  struct puan_range range)
{
    struct puan_shape shape;
    void *data;

    join(&w->range[column], range);
    shape = puan_shape_of(w->range[column], 1);
    data = puan_slab_get(slab, (size_t)p->rows * shape.width);
    if (!data)
        return false;
    puan_shape_convert(data, shape, p->data, p->shape, done, 1);
    p->data = data;
    p->shape = w->shape[column] = shape;
    return true;
}

static enum puan_status store(struct puan_piece *p, struct worker *w,
                              size_t column, struct puan_slab *slab,
                              const struct block *b, uint32_t row,
                              struct puan_err *err)
{
    if (!holds(p->shape, b->range) &&
        !widen(p, w, column, slab, row, b->range))
        return puan_fail(err, PUAN_ENOMEM, "", "out of memory");
    puan_piece_put(p, row, b->v, b->some_empty ? b->st : NULL, b->rows, 1);
    join(&p->range, b->range);
    p->given += b->given;
    p->seen |= b->seen;
    p->places = b->places > p->places ? b->places : p->places;
    if (b->least_digits < p->least_digits)
        p->least_digits = b->least_digits;
    if (b->most_digits > p->most_digits)
        p->most_digits = b->most_digits;
    return PUAN_OK;
}

/* Fits `b` to a column's plan. */
static enum puan_status fill(uint32_t *row, struct block *b, struct reader *r,
                             struct worker *w, size_t column, bool *one_digit,
                             struct puan_arena *room, struct puan_err *err)
{
    const struct plan *p = &r->plan[column];

    b->given = 0;
    b->seen = 0;
    b->places = b->most_digits = 0;
    b->least_digits = 255;
    b->some_empty = false;
    if (p->kind == NUMBER) {
        if (*one_digit && digit_block(b))
            return PUAN_OK;
        if (number_block(b, false, 0)) {
            *one_digit = b->range.hi <= 9 && !b->range.big;
            return PUAN_OK;
        }
        *one_digit = false;
    } else if (p->kind == DIGITS && p->digits <= 8) {
        if (number_block(b, true, p->digits))
            return PUAN_OK;
    }
    return slow_block(row, b, r, w, column, room, err);
}

/* All columns that are read in this pass, of a chunk whose cells are found. */
static enum puan_status columns(uint32_t *bad_row, struct reader *r,
                                struct worker *w, unsigned worker, size_t chunk,
                                const char *text, struct puan_err *err)
{
    struct puan_parts *parts = &r->out->parts;
    struct puan_slab *slab = &r->out->slab[worker];
    uint32_t rows = r->chunk[chunk].rows;
    bool one_digit[COLUMNS_MOST];
    enum puan_status st = PUAN_OK;
    struct puan_arena room;
    struct block b = { .text = text, .stride = r->n };

    puan_arena_init(&room, &puan_heap);
    for (size_t c = 0; c < r->n; c++) {
        struct puan_piece *p = &parts->column[c].piece[chunk];

        one_digit[c] = true;
        if (!r->plan[c].again)
            continue;
        *p = (struct puan_piece){ .shape = w->shape[c],
                                  .range = { 1, 0, false },
                                  .rows = rows,
                                  .least_digits = 255,
                                  .worker = (uint8_t)worker };
        p->data = puan_slab_get(slab, (size_t)rows * p->shape.width);
        if (!p->data)
            return puan_fail(err, PUAN_ENOMEM, "", "out of memory");
    }
    for (uint32_t row = 0; st == PUAN_OK && row < rows; row += ROWS) {
        b.rows = rows - row < ROWS ? rows - row : ROWS;
        for (size_t c = 0; st == PUAN_OK && c < r->n; c++) {
            if (!r->plan[c].again)
                continue;
            b.end = w->pos + 1 + (size_t)row * r->n + c;
            b.last = c + 1 == r->n;
            *bad_row = 0;
            st = fill(bad_row, &b, r, w, c, &one_digit[c], &room, err);
            *bad_row += row;
            if (st == PUAN_OK)
                st = store(&parts->column[c].piece[chunk], w, c, slab, &b, row,
                           err);
        }
        puan_arena_reset(&room);
    }
    puan_arena_clear(&room);
    return st;
}

/* Bytes [from, to) of a source, at w->buf + PAD. */
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
    if (s->fd < 0) {
        memcpy(w->buf + PAD, s->bytes.p + from, n);
        return PUAN_OK;
    }
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
    return PUAN_OK;
}

/*
 * Where the rows of a chunk begin: behind the first line end at or after the
 * byte before it.  The chunk behind the last of a file begins at its end.
 */
static enum puan_status border(uint64_t *out, struct worker *w,
                               const struct reader *r, const struct source *s,
                               size_t chunk, struct puan_err *err)
{
    uint64_t at = s->body + (chunk - s->chunk) * CHUNK, step = 4096;
    bool quotes;

    *out = at;
    if (at == s->body || at >= s->size) {
        *out = at < s->size ? at : s->size;
        return PUAN_OK;
    }
    quotes = r->quoted && r->chunk[chunk].in_quotes;
    for (at--; at < s->size; at += step) {
        uint64_t to = at + step < s->size ? at + step : s->size;
        size_t found = 0;
        enum puan_status st = take(w, s, at, to, err);

        if (st != PUAN_OK)
            return st;
        if (puan_scan_line_end(&found, w->buf + PAD, (size_t)(to - at),
                               r->quoted ? &quotes : NULL)) {
            *out = at + found + 1;
            return PUAN_OK;
        }
    }
    *out = s->size;
    return PUAN_OK;
}

/* The rows that begin in a chunk, at w->buf + PAD; ends with a line end. */
static enum puan_status rows_of(size_t *n, struct worker *w,
                                const struct reader *r, size_t chunk,
                                struct puan_err *err)
{
    const struct source *s = &r->source[r->chunk[chunk].source];
    uint64_t from, to;
    enum puan_status st = border(&from, w, r, s, chunk, err);

    *n = 0;
    if (st == PUAN_OK)
        st = border(&to, w, r, s, chunk + 1, err);
    if (st != PUAN_OK || from == to)
        return st;
    st = take(w, s, from, to, err);
    *n = (size_t)(to - from);
    if (st == PUAN_OK && w->buf[PAD + *n - 1] != '\n')
        w->buf[PAD + (*n)++] = '\n';
    if (st == PUAN_OK)
        memset(w->buf + PAD + *n, 0, PAD);
    return st;
}

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

/*
 * An error of a row of a chunk gets its file and line.  The row is counted in
 * line ends outside of quotes, so the text is looked through once more.
 */
static void locate(struct worker *w, const struct reader *r, size_t chunk,
                   uint32_t row, struct puan_err *err)
{
    const struct source *s = &r->source[r->chunk[chunk].source];
    struct puan_err ignored = { 0 };
    uint64_t from = 0;
    size_t n = 0, at = 0;
    bool quotes = false;

    puan_format(err->where, sizeof(err->where), "%s", s->path);
    if (border(&from, w, r, s, chunk, &ignored) != PUAN_OK ||
        rows_of(&n, w, r, chunk, &ignored) != PUAN_OK)
        return;
    for (uint32_t i = 0; i < row && at < n; i++) {
        size_t found;

        if (!puan_scan_line_end(&found, w->buf + PAD + at, n - at, &quotes))
            break;
        at += found + 1;
    }
    err->line = line_at(w, s, from + at);
}

/* Finds the cells of the chunk in w->buf; counts its rows. */
static enum puan_status cells(struct reader *r, struct worker *w, size_t chunk,
                              size_t n, struct puan_err *err)
{
    struct chunk *c = &r->chunk[chunk];
    const char *text = w->buf + PAD;
    struct puan_scan scan;
    size_t row = 0;

    if (n + PAD > w->pos_cap) {
        size_t cap = n + n / 4 + PAD;
        uint32_t *pos = realloc(w->pos, (cap + 1) * sizeof(*pos));

        if (!pos)
            return puan_fail(err, PUAN_ENOMEM, "", "out of memory");
        w->pos = pos;
        w->pos_cap = cap;
    }
    w->pos[0] = UINT32_MAX; /* + 1 is 0, where the first cell begins */
    puan_scan_cells(&scan, w->pos + 1, text, n);
    c->any_quotes = scan.quotes > 0;
    c->odd = scan.quotes % 2;
    if (scan.lines > UINT32_MAX / r->n)
        return puan_fail(err, PUAN_ELIMIT, "", "a row is too long");
    if (scan.cells == scan.lines * r->n) {
        const uint32_t *end = w->pos + r->n;
        size_t bad = 0;

        for (row = 0; row < scan.lines; row++, end += r->n)
            bad += text[*end] != '\n';
        if (bad == 0) {
            c->rows = (uint32_t)scan.lines;
            return PUAN_OK;
        }
    }
    /* which row has another number of cells, and how many */
    for (size_t k = 0, i = 1; i <= scan.cells; i++) {
        k++;
        if (text[w->pos[i]] != '\n')
            continue;
        if (k != r->n) {
            locate(w, r, chunk, (uint32_t)row, err);
            return puan_fail_at(
                err, PUAN_EINVAL, err->where, err->line, 0,
                k == 1 ? "has %zu cell, the header has %zu: an empty line, or "
                         "another separator than the comma"
                       : "has %zu cells, the header has %zu: put a cell with "
                         "a comma in double quotes",
                k, r->n);
        }
        k = 0;
        row++;
    }
    locate(w, r, chunk, (uint32_t)row, err);
    return puan_fail_at(err, PUAN_EINVAL, err->where, err->line, 0,
                        "a quoted cell that begins here has no closing quote");
}

static enum puan_status one_chunk(struct reader *r, unsigned worker,
                                  size_t chunk, struct puan_err *err)
{
    struct worker *w = &r->worker[worker];
    struct chunk *c = &r->chunk[chunk];
    uint32_t row = 0;
    size_t n;
    enum puan_status st = rows_of(&n, w, r, chunk, err);

    if (st != PUAN_OK)
        return st;
    c->rows = 0;
    st = cells(r, w, chunk, n, err);
    if (st != PUAN_OK)
        return st;
    st = columns(&row, r, w, worker, chunk, w->buf + PAD, err);
    if (st != PUAN_OK) {
        struct puan_err at = { 0 };

        locate(w, r, chunk, row, &at);
        memcpy(err->where, at.where, sizeof(at.where));
        err->line = at.line;
    }
    return st;
}

/* The first chunk's error counts, whichever comes first. */
static enum puan_status read_range(void *arg, uint64_t begin, uint64_t end,
                                   unsigned worker, struct puan_err *err)
{
    struct reader *r = arg;

    (void)err;
    for (uint64_t i = begin; i < end; i++) {
        struct chunk *c = &r->chunk[i];
        size_t least = atomic_load(&r->failed);

        if (i > least)
            return PUAN_OK;
        c->err = (struct puan_err){ 0 };
        if (one_chunk(r, worker, (size_t)i, &c->err) != PUAN_OK)
            while (i < least &&
                   !atomic_compare_exchange_weak(&r->failed, &least,
                                                 (size_t)i))
                ;
        puan_progress_add(&r->bar, CHUNK);
    }
    return PUAN_OK;
}

/* ---- passes ------------------------------------------------------------------------- */

static enum puan_status quotes_range(void *arg, uint64_t begin, uint64_t end,
                                     unsigned worker, struct puan_err *err)
{
    struct reader *r = arg;
    struct worker *w = &r->worker[worker];

    /* of the bytes from before this chunk to before the next */
    for (uint64_t i = begin; i < end; i++) {
        const struct source *s = &r->source[r->chunk[i].source];
        uint64_t from = s->body + (i - s->chunk) * CHUNK, to = from + CHUNK - 1;
        size_t quotes = 0;
        enum puan_status st;

        if (from > s->body)
            from--;
        to = to < s->size ? to : s->size;
        st = take(w, s, from, to, err);
        if (st != PUAN_OK)
            return st;
        for (uint64_t k = 0; k < to - from; k++)
            quotes += w->buf[PAD + k] == '"';
        r->chunk[i].odd = quotes % 2;
    }
    return PUAN_OK;
}

/* Finds out which chunks begin within quotes. */
static enum puan_status quote_borders(struct reader *r, struct puan_err *err)
{
    enum puan_status st =
        puan_parallel(r->threads, r->n_chunks, 1, quotes_range, r, err);
    bool within = false;

    for (size_t i = 0; i < r->n_chunks; i++) {
        if (i == r->source[r->chunk[i].source].chunk)
            within = false;
        r->chunk[i].in_quotes = within;
        within ^= r->chunk[i].odd;
    }
    r->quoted = true;
    return st;
}

static enum puan_status pass(struct reader *r, struct puan_err *err)
{
    size_t failed;
    bool odd = false, any = false;
    enum puan_status st;

    atomic_store(&r->failed, SIZE_MAX);
    st = puan_parallel(r->threads, r->n_chunks, 1, read_range, r, err);
    if (st != PUAN_OK)
        return st;
    failed = atomic_load(&r->failed);
    for (size_t i = 0; i < r->n_chunks; i++) {
        odd |= r->chunk[i].odd;
        any |= r->chunk[i].any_quotes;
    }
    if (any && !r->quoted && (odd || failed != SIZE_MAX)) {
        st = quote_borders(r, err);
        return st == PUAN_OK ? pass(r, err) : st;
    }
    if (failed != SIZE_MAX) {
        *err = r->chunk[failed].err;
        return err->code;
    }
    if (odd)
        return puan_fail(err, PUAN_EINVAL, r->source[0].path,
                         "a quoted cell has no closing quote");
    return PUAN_OK;
}

/* Columns that turned out to be something else are to be read again. */
static bool replan(struct reader *r)
{
    struct puan_parts *p = &r->out->parts;
    bool some = false;

    for (size_t c = 0; c < r->n; c++) {
        unsigned places = 0, least = 255, most = 0;
        uint16_t seen = 0;
        struct plan now;

        r->plan[c].again = false;
        if (r->plan[c].kind == SKIP || r->plan[c].kind == TOKEN)
            continue;
        for (size_t i = 0; i < r->n_chunks; i++) {
            const struct puan_piece *x = &p->column[c].piece[i];

            seen |= x->seen;
            places = x->places > places ? x->places : places;
            if (x->most_digits) {
                least = x->least_digits < least ? x->least_digits : least;
                most = x->most_digits > most ? x->most_digits : most;
            }
        }
        now = plan_of(seen, places, least, most);
        /* a column read as texts stays that, where that is what is seen */
        if (now.kind != r->plan[c].kind || now.places != r->plan[c].places ||
            now.digits != r->plan[c].digits) {
            r->plan[c] = now;
            r->plan[c].again = some = true;
            for (unsigned k = 0; k < r->threads; k++) {
                r->worker[k].range[c] = (struct puan_range){ 1, 0, false };
                r->worker[k].shape[c] = (struct puan_shape){ 1, 0 };
            }
        }
    }
    return some;
}

/* ---- opening ------------------------------------------------------------------------ */

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
    struct puan_str line;
    size_t at = 0;
    uint64_t n;
    bool quotes = false;
    enum puan_status st = PUAN_OK;
    char *copy;

    for (n = 4096;; n *= 8) {
        n = n < s->size ? n : s->size;
        st = take(w, s, 0, n, err);
        quotes = false;
        if (st != PUAN_OK ||
            puan_scan_line_end(&at, w->buf + PAD, (size_t)n, &quotes) ||
            n == s->size)
            break;
    }
    if (st != PUAN_OK)
        return st;
    s->body = at + 1 < n ? at + 1 : n;
    copy = puan_arena_get(a, (size_t)s->body);
    if (!copy)
        return puan_fail(err, PUAN_ENOMEM, s->path, "out of memory");
    memcpy(copy, w->buf + PAD, (size_t)s->body);
    line = (struct puan_str){ copy, (size_t)s->body };
    puan_arena_init(&row, &puan_heap);
    st = puan_csv_open(csv, line, s->path, a, &row, err);
    puan_arena_clear(&row);
    return st;
}

static enum puan_status headers(struct reader *r, const char *const *paths,
                                struct puan_str **names, struct puan_err *err)
{
    struct puan_arena *a = &r->out->arena;
    struct puan_csv csv;
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; st == PUAN_OK && i < r->n_sources; i++) {
        st = open_source(&r->source[i], paths[i], a, err);
        if (st == PUAN_OK)
            st = header(&csv, &r->source[i], &r->worker[0], a, err);
        if (st != PUAN_OK)
            return st;
        if (i == 0) {
            r->n = csv.n;
            *names = csv.header;
        }
        for (size_t k = 0; k < csv.n || k < r->n; k++) {
            if (k < csv.n)
                csv.header[k] = puan_str_trim(csv.header[k]);
            if (i > 0 && (k >= csv.n || k >= r->n ||
                          !puan_str_eq((*names)[k], csv.header[k])))
                return puan_fail_at(err, PUAN_EINVAL, paths[i], 1, 0,
                                    "its columns are not those of %s", paths[0]);
        }
        r->source[i].chunk = r->n_chunks;
        r->n_chunks +=
            (size_t)((r->source[i].size - r->source[i].body + CHUNK - 1) / CHUNK);
    }
    if (r->n > COLUMNS_MOST)
        return puan_fail_at(err, PUAN_ELIMIT, paths[0], 1, 0,
                            "has more than %d columns", COLUMNS_MOST);
    for (size_t k = 0; k < r->n; k++)
        if ((*names)[k].n == 0)
            return puan_fail_at(err, PUAN_EINVAL, paths[0], 1, 0,
                                "column %zu has no name", k + 1);
    return PUAN_OK;
}

static enum puan_status start_workers(struct reader *r, struct puan_err *err)
{
    for (unsigned i = 0; i < r->threads; i++) {
        struct worker *w = &r->worker[i];

        w->texts = calloc(r->n, sizeof(*w->texts));
        w->shape = calloc(r->n, sizeof(*w->shape));
        w->range = calloc(r->n, sizeof(*w->range));
        if (!w->texts || !w->shape || !w->range)
            return puan_fail(err, PUAN_ENOMEM, "", "out of memory");
        for (size_t c = 0; c < r->n; c++) {
            w->shape[c] = (struct puan_shape){ 1, 0 };
            w->range[c] = (struct puan_range){ 1, 0, false };
        }
    }
    return PUAN_OK;
}

/* What every column holds, as the first chunk has it. */
static void guess(struct reader *r)
{
    struct puan_err err = { 0 };

    if (r->n_chunks == 0)
        return;
    (void)(one_chunk(r, 0, 0, &err) == PUAN_OK);
    (void)replan(r);
    for (unsigned i = 1; i < r->threads; i++) {
        memcpy(r->worker[i].range, r->worker[0].range,
               r->n * sizeof(*r->worker[i].range));
        memcpy(r->worker[i].shape, r->worker[0].shape,
               r->n * sizeof(*r->worker[i].shape));
    }
    for (size_t c = 0; c < r->n; c++)
        r->plan[c].again = r->plan[c].kind != SKIP;
}

static enum puan_status make_columns(struct reader *r,
                                     const struct puan_str *names,
                                     struct puan_err *err)
{
    struct puan_parts *p = &r->out->parts;
    struct puan_arena *a = &r->out->arena;

    p->column = puan_arena_get_n(a, r->n, sizeof(*p->column));
    p->n_columns = r->n;
    p->n_parts = r->n_chunks;
    p->row = puan_arena_get_n(a, r->n_chunks + 1, sizeof(*p->row));
    r->plan = puan_arena_get_n(a, r->n, sizeof(*r->plan));
    r->chunk = puan_arena_get_n(a, r->n_chunks, sizeof(*r->chunk));
    if (a->failed)
        return puan_fail(err, PUAN_ENOMEM, "", "out of memory");
    for (size_t i = 0; i < r->n_sources; i++) {
        size_t to = i + 1 < r->n_sources ? r->source[i + 1].chunk : r->n_chunks;

        for (size_t k = r->source[i].chunk; k < to; k++)
            r->chunk[k].source = (uint32_t)i;
    }
    for (size_t c = 0; c < r->n; c++) {
        struct puan_column *col = &p->column[c];

        col->item.name = names[c];
        col->left_out = named(r->opt->skip, r->opt->n_skip, names[c]);
        if (col->left_out)
            r->plan[c].kind = SKIP;
        else if (named(r->opt->token, r->opt->n_token, names[c]))
            r->plan[c].kind = TOKEN;
        r->plan[c].again = !col->left_out;
        col->piece = puan_arena_get_n(a, r->n_chunks, sizeof(*col->piece));
    }
    return puan_arena_check(a, err);
}

/* ---- code lists ---------------------------------------------------------------------- */

struct entry {
    struct puan_str text;
    unsigned worker;
    uint32_t number;
};

static int by_text(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;

    return puan_str_cmp(a->text, b->text);
}

/* One list of the texts of all threads, and where their numbers went. */
static enum puan_status code_list(struct puan_column *col, struct reader *r,
                                  size_t c, struct puan_err *err)
{
    struct puan_arena *a = &r->out->arena;
    struct puan_codelist *list = puan_new(a, struct puan_codelist);
    uint32_t **map = puan_arena_get_n(a, r->threads, sizeof(*map));
    struct puan_code *code;
    struct entry *all;
    size_t n = 0, k = 0;
    enum puan_status st = PUAN_OK;

    for (unsigned i = 0; map && i < r->threads; i++) {
        n += r->worker[i].texts[c].n;
        map[i] = puan_arena_get_n(a, r->worker[i].texts[c].n, sizeof(**map));
    }
    all = malloc((n ? n : 1) * sizeof(*all));
    code = puan_arena_get_n(a, n, sizeof(*code));
    if (!all || a->failed) {
        st = puan_fail(err, PUAN_ENOMEM, "", "out of memory");
        goto out;
    }
    for (unsigned i = 0; i < r->threads; i++)
        for (uint32_t j = 0; j < r->worker[i].texts[c].n; j++)
            all[k++] = (struct entry){ r->worker[i].texts[c].text[j], i, j };
    qsort(all, n, sizeof(*all), by_text);
    list->dense = true;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !puan_str_eq(all[i].text, all[i - 1].text)) {
            code[list->n] = (struct puan_code){
                .value = (int64_t)list->n,
                .text = puan_arena_keep(a, all[i].text)
            };
            list->n++;
        }
        map[all[i].worker][all[i].number] = (uint32_t)list->n - 1;
    }
    if (list->n > PUAN_FRAMES_TEXTS)
        st = puan_fail_at(err, PUAN_ELIMIT, r->source[0].path, 1, 0,
                          "column %.*s has more than %u different texts: leave "
                          "it out (--skip), or keep tokens of it (--token)",
                          PUAN_FMT(col->item.name), PUAN_FRAMES_TEXTS);
    list->name = col->item.name;
    list->codes = code;
    col->item.codes = list;
    col->text = (const uint32_t *const *)map;
    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
out:
    free(all);
    return st;
}

static enum puan_status finish(struct reader *r, struct puan_err *err)
{
    static const struct puan_frame_state empty = { PUAN_MISSING, 0 };
    static const enum puan_item_type types[] = {
        [NUMBER] = PUAN_TYPE_INT, [FIXED] = PUAN_TYPE_FIXED,
        [MONTH] = PUAN_TYPE_MONTH, [DATE] = PUAN_TYPE_DATE,
        [DIGITS] = PUAN_TYPE_AREA, [TEXT] = PUAN_TYPE_CODE,
        [TOKEN] = PUAN_TYPE_INT, [SKIP] = PUAN_TYPE_INT
    };
    struct puan_parts *p = &r->out->parts;
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; i < r->n_chunks; i++)
        p->row[i + 1] = p->row[i] + r->chunk[i].rows;
    if (p->row[r->n_chunks] > PUAN_FRAME_ROWS)
        return puan_fail(err, PUAN_ELIMIT, r->source[0].path,
                         "has more rows than a frame may have");
    for (size_t c = 0; st == PUAN_OK && c < r->n; c++) {
        struct puan_column *col = &p->column[c];
        uint64_t given = 0;

        if (col->left_out)
            continue;
        col->item.type = types[r->plan[c].kind];
        col->item.places = r->plan[c].places;
        col->item.digits = r->plan[c].digits;
        if (r->plan[c].kind == TEXT)
            st = code_list(col, r, c, err);
        for (size_t i = 0; i < r->n_chunks; i++)
            given += col->piece[i].given;
        if (given < p->row[r->n_chunks]) {
            col->item.states = &empty;
            col->item.n_states = 1;
        }
        puan_column_settle(col, r->n_chunks);
    }
    return st;
}

static enum puan_status read_all(struct reader *r, const char *const *paths,
                                 struct puan_err *err)
{
    struct puan_str *names = NULL;
    uint64_t size = 0;
    enum puan_status st = headers(r, paths, &names, err);

    if (st == PUAN_OK)
        st = start_workers(r, err);
    if (st == PUAN_OK)
        st = make_columns(r, names, err);
    if (st != PUAN_OK)
        return st;
    for (size_t i = 0; i < r->n_sources; i++)
        size += r->source[i].size;
    puan_progress_begin(&r->bar, "读入 reading", r->n_chunks * CHUNK);
    guess(r);
    puan_progress_set(&r->bar, 0);
    do
        st = pass(r, err);
    while (st == PUAN_OK && replan(r));
    puan_progress_end(&r->bar);
    return st == PUAN_OK ? finish(r, err) : st;
}

enum puan_status puan_csv_frame_read(struct puan_csv_read *out,
                                     const char *const *paths, size_t n,
                                     const struct puan_frames_options *opt,
                                     struct puan_err *err)
{
    struct reader r = { .opt = opt, .out = out, .n_sources = n };
    enum puan_status st;

    *out = (struct puan_csv_read){ .n_workers = 0 };
    puan_arena_init(&out->arena, &puan_heap);
    r.threads = opt->threads ? opt->threads : puan_cores();
    r.threads = r.threads > 64 ? 64 : r.threads;
    out->slab = calloc(r.threads, sizeof(*out->slab));
    r.worker = calloc(r.threads, sizeof(*r.worker));
    r.source = calloc(n ? n : 1, sizeof(*r.source));
    if (!out->slab || !r.worker || !r.source) {
        st = puan_fail(err, PUAN_ENOMEM, "", "out of memory");
        goto out;
    }
    out->n_workers = r.threads;
    out->parts.threads = r.threads;
    for (size_t i = 0; i < n; i++)
        r.source[i].fd = -1;
    for (unsigned i = 0; i < r.threads; i++)
        puan_arena_init(&r.worker[i].arena, &puan_heap);
    st = read_all(&r, paths, err);
out:
    for (unsigned i = 0; r.worker && i < r.threads; i++) {
        struct worker *w = &r.worker[i];

        for (size_t c = 0; w->texts && c < r.n; c++) {
            free(w->texts[c].text);
            free(w->texts[c].slot);
        }
        puan_arena_clear(&w->arena);
        free(w->texts);
        free(w->shape);
        free(w->range);
        free(w->buf);
        free(w->pos);
    }
    for (size_t i = 0; r.source && i < n; i++)
        if (r.source[i].fd > 0)
            close(r.source[i].fd);
    free(r.worker);
    free(r.source);
    return st;
}

void puan_csv_frame_clear(struct puan_csv_read *r)
{
    for (unsigned i = 0; i < r->n_workers; i++)
        puan_slab_clear(&r->slab[i]);
    free(r->slab);
    puan_arena_clear(&r->arena);
}
