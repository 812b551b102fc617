/*
 * Whole numbers out of text, 256 cells at a time, without a branch on the
 * length of a cell: the eight bytes before its end are read, those before its
 * begin masked off, and three multiplications make a number of the digits.
 */
#include "features/frame/cell.h"

#define ZEROS 0x3030303030303030u

static inline uint64_t load8(const char *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof(w));
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

/* Eight digits 0 … 9, the first in the lowest byte. */
static inline uint64_t digits8(uint64_t w)
{
    w = (w * 2561) >> 8 & 0x00ff00ff00ff00ffu;
    w = (w * 6553601) >> 16 & 0x0000ffff0000ffffu;
    return (w * 42949672960001u) >> 32;
}

/* Bytes that are no digits have their high bit set. */
static inline uint64_t no_digits(uint64_t w)
{
    return ((w + 0x7676767676767676u) | w) & 0x8080808080808080u;
}

/* The `len` bytes before end, 1 to 8, as digits. */
static inline uint64_t last8(const char *end, uint32_t len)
{
    return (load8(end - 8) ^ ZEROS) & ~(uint64_t)0 << (64 - 8 * len);
}

/* Cells of 9 to 20 digits; false when it is no number below 2^64 - 1. */
static bool long_number(uint64_t *v, const char *end, uint32_t len)
{
    const uint64_t e8 = 100000000u;
    uint64_t low = load8(end - 8) ^ ZEROS, mid, high = 0, bad;
    uint64_t tail;

    mid = last8(end - 8, len < 16 ? len - 8 : 8);
    if (len > 16)
        high = last8(end - 16, len - 16);
    bad = no_digits(low) | no_digits(mid) | no_digits(high);
    tail = digits8(mid) * e8 + digits8(low);
    high = digits8(high);
    /* 2^64 - 1 is 1844 6744073709551615 */
    if (len == 20 &&
        (high > 1844 || (high == 1844 && tail >= 6744073709551615u)))
        return false;
    *v = high * e8 * e8 + tail;
    return !bad && end[-(ptrdiff_t)len] != '0';
}

static bool numbers(struct puan_block *b)
{
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
            uint64_t w = last8(text + to, len);

            /* a zero in front of other digits */
            odd |= no_digits(w) |
                   ((uint64_t)((w >> (64 - 8 * len) & 0xff) == 0) &
                    (uint64_t)(len > 1));
            v = digits8(w);
        } else if (len - 9 >= 12 || !long_number(&v, text + to, len)) {
            return false;
        }
        b->v[i] = v;
        lo = v < lo ? v : lo;
        hi = v > hi ? v : hi;
    }
    b->sum.given = b->rows;
    b->sum.seen = hi > INT64_MAX ? PUAN_SEEN_BIG : PUAN_SEEN_NUMBER;
    b->sum.range = (struct puan_range){ (int64_t)lo, (int64_t)hi,
                                        hi > INT64_MAX };
    return !odd;
}

/* Cells of one length, up to 8, zeros in front or not. */
static bool of_length(struct puan_block *b, uint32_t digits)
{
    const uint32_t *e = b->end;
    uint64_t lo = UINT64_MAX, hi = 0, odd = 0;

    for (uint32_t i = 0; i < b->rows; i++, e += b->stride) {
        uint32_t to = *e;
        uint64_t w, v;

        if (b->last)
            to -= b->text[(ptrdiff_t)to - 1] == '\r';
        w = last8(b->text + to, digits);
        odd |= no_digits(w) | ((to - (e[-1] + 1)) ^ digits);
        v = digits8(w);
        b->v[i] = v;
        lo = v < lo ? v : lo;
        hi = v > hi ? v : hi;
    }
    b->sum.given = b->rows;
    b->sum.seen = PUAN_SEEN_ZEROS;
    b->sum.least_digits = b->sum.most_digits = (uint8_t)digits;
    b->sum.range = (struct puan_range){ (int64_t)lo, (int64_t)hi, false };
    return !odd;
}

/* Cells of one digit. */
static bool one_digit(struct puan_block *b)
{
    const uint32_t *e = b->end;
    uint32_t odd = 0, lo = 9, hi = 0;

    for (uint32_t i = 0; i < b->rows; i++, e += b->stride) {
        uint32_t d = (uint32_t)(unsigned char)b->text[e[-1] + 1] - '0';

        odd |= ((*e - e[-1]) ^ 2) | (uint32_t)(d > 9);
        b->v[i] = d;
        lo = d < lo ? d : lo;
        hi = d > hi ? d : hi;
    }
    b->sum.given = b->rows;
    b->sum.seen = PUAN_SEEN_NUMBER;
    b->sum.range = (struct puan_range){ lo, hi, false };
    return !odd;
}

bool puan_block_numbers(struct puan_block *b, const struct puan_cell_plan *p)
{
    bool yes = false;

    b->sum = PUAN_CELL_SUM_NONE;
    b->some_empty = false;
    if (p->kind == PUAN_CELL_DIGITS && p->digits <= 8)
        yes = of_length(b, p->digits);
    if (p->kind == PUAN_CELL_NUMBER) {
        yes = (b->one_digit && one_digit(b)) || numbers(b);
        b->one_digit = yes && b->sum.range.hi <= 9 && !b->sum.range.big;
    }
    if (!yes)
        b->sum = PUAN_CELL_SUM_NONE;
    return yes;
}
