/*
 * Whole numbers out of text, 256 cells at a time, without a branch on the
 * length of a cell: the eight bytes before its end are read, those before its
 * begin masked off, and three multiplications make a number of the digits.
 */
#include "features/frame/cell.h"

#include "base/calendar.h"

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

/*
 * Cells of 1 to 8 digits, in two steps that processors with vectors like: where
 * the bytes are, then all of them alike.  *longest is that of the cells when it
 * is more than 8.
 */
struct gathered {
    uint64_t w[PUAN_BLOCK_ROWS]; /* the 8 bytes before a cell's end */
    uint64_t len[PUAN_BLOCK_ROWS];
};

static void gather(struct gathered *g, const struct puan_block *b)
{
    const uint32_t *e = b->end;
    const char *text = b->text;

    for (uint32_t i = 0; i < b->rows; i++, e += b->stride) {
        uint32_t to = *e;

        if (b->last)
            to -= text[(ptrdiff_t)to - 1] == '\r';
        g->w[i] = load8(text + (ptrdiff_t)to - 8);
        g->len[i] = to - (e[-1] + 1);
    }
    for (uint32_t i = b->rows; i % 8; i++) { /* to whole vectors */
        g->w[i] = g->w[0];
        g->len[i] = g->len[0];
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

#define WIDE __attribute__((target("avx512f,avx512bw,avx512dq")))

static bool have_wide(void)
{
    return __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq");
}

/* As numbers() and of_length() (digits > 0); false also for longer cells. */
WIDE static bool short_wide(struct puan_block *b, uint32_t digits)
{
    const __m512i zero8 = _mm512_set1_epi8('0'), nine = _mm512_set1_epi8(9),
                  tens = _mm512_set1_epi16(0x010a),
                  hundreds = _mm512_set1_epi32(0x00010064),
                  e4 = _mm512_set1_epi64(10000),
                  one = _mm512_set1_epi64(1), eight = _mm512_set1_epi64(8),
                  bits = _mm512_set1_epi64(64),
                  wanted = _mm512_set1_epi64((long long)digits);
    __m512i lo = _mm512_set1_epi64(-1), hi = _mm512_setzero_si512();
    uint64_t odd = 0;
    struct gathered g;

    gather(&g, b);
    for (uint32_t i = 0; i < b->rows; i += 8) {
        const __m512i w = _mm512_loadu_si512(g.w + i);
        const __m512i len = _mm512_loadu_si512(g.len + i);
        const __m512i shift =
            _mm512_sub_epi64(bits, _mm512_slli_epi64(len, 3));
        const __m512i all = _mm512_set1_epi64(-1);
        /* digits, and zeros before the cell */
        __m512i d = _mm512_and_si512(_mm512_xor_si512(w, zero8),
                                     _mm512_sllv_epi64(all, shift));
        const __m512i front = _mm512_and_si512(_mm512_srlv_epi64(d, shift),
                                               _mm512_set1_epi64(0xff));
        __m512i v;

        odd |= _mm512_cmpgt_epu8_mask(d, nine);
        if (digits)
            odd |= _mm512_cmpneq_epi64_mask(len, wanted);
        else
            odd |= (uint64_t)(_mm512_cmpgt_epu64_mask(
                                  _mm512_sub_epi64(len, one),
                                  _mm512_sub_epi64(eight, one)) |
                              (_mm512_testn_epi64_mask(front, front) &
                               _mm512_cmpgt_epu64_mask(len, one)));
        d = _mm512_madd_epi16(_mm512_maddubs_epi16(d, tens), hundreds);
        v = _mm512_add_epi64(_mm512_mul_epu32(d, e4), _mm512_srli_epi64(d, 32));
        _mm512_storeu_si512(b->v + i, v);
        lo = _mm512_min_epu64(lo, v);
        hi = _mm512_max_epu64(hi, v);
    }
    b->sum.given = b->rows;
    b->sum.seen = digits ? PUAN_SEEN_ZEROS : PUAN_SEEN_NUMBER;
    if (digits)
        b->sum.least_digits = b->sum.most_digits = (uint8_t)digits;
    b->sum.range = (struct puan_range){
        (int64_t)_mm512_reduce_min_epu64(lo),
        (int64_t)_mm512_reduce_max_epu64(hi), false
    };
    return odd == 0;
}
#endif

static bool short_numbers(struct puan_block *b, uint32_t digits)
{
#if defined(__x86_64__)
    if (have_wide())
        return short_wide(b, digits);
#endif
    return digits ? of_length(b, digits) : numbers(b);
}

/* The same where some cells are empty. */
static bool sparse(struct puan_block *b, uint32_t digits)
{
    const uint32_t *e = b->end;
    uint64_t lo = UINT64_MAX, hi = 0, odd = 0;
    uint32_t given = 0;

    for (uint32_t i = 0; i < b->rows; i++, e += b->stride) {
        uint32_t to = *e, len;
        uint64_t v = 0, w;

        if (b->last)
            to -= b->text[(ptrdiff_t)to - 1] == '\r';
        len = to - (e[-1] + 1);
        b->st[i] = len == 0;
        b->v[i] = 0;
        if (len == 0)
            continue;
        if (len <= 8) {
            w = last8(b->text + to, len);
            odd |= no_digits(w) |
                   (digits ? len ^ digits
                           : (uint64_t)((w >> (64 - 8 * len) & 0xff) == 0) &
                                 (uint64_t)(len > 1));
            v = digits8(w);
        } else if (digits || len > 20 || !long_number(&v, b->text + to, len)) {
            return false;
        }
        given++;
        b->v[i] = v;
        lo = v < lo ? v : lo;
        hi = v > hi ? v : hi;
    }
    if (odd)
        return false;
    b->some_empty = given < b->rows;
    b->sum.seen = b->some_empty ? PUAN_SEEN_EMPTY : 0;
    b->sum.given = given;
    if (given == 0)
        return true;
    b->sum.seen |= digits               ? PUAN_SEEN_ZEROS
                   : hi > INT64_MAX     ? PUAN_SEEN_BIG
                                        : PUAN_SEEN_NUMBER;
    if (digits)
        b->sum.least_digits = b->sum.most_digits = (uint8_t)digits;
    b->sum.range = (struct puan_range){ (int64_t)lo, (int64_t)hi,
                                        hi > INT64_MAX };
    return true;
}

/* Months and dates as they are mostly written, some cells empty. */
static bool of_calendar(struct puan_block *b, bool day)
{
    const uint32_t *e = b->end;
    int64_t lo = INT64_MAX, hi = INT64_MIN;
    uint32_t given = 0;

    for (uint32_t i = 0; i < b->rows; i++, e += b->stride) {
        struct puan_str s = { b->text + e[-1] + 1, *e - (e[-1] + 1) };
        int64_t v;

        if (b->last && s.n && s.p[s.n - 1] == '\r')
            s.n--;
        b->st[i] = s.n == 0;
        b->v[i] = 0;
        if (s.n == 0)
            continue;
        if (day ? !puan_day_parse(&v, s) : !puan_month_parse(&v, s))
            return false;
        given++;
        b->v[i] = (uint64_t)v;
        lo = v < lo ? v : lo;
        hi = v > hi ? v : hi;
    }
    b->some_empty = given < b->rows;
    b->sum.seen = b->some_empty ? PUAN_SEEN_EMPTY : 0;
    b->sum.given = given;
    if (given == 0)
        return true;
    b->sum.seen |= day ? PUAN_SEEN_DATE : PUAN_SEEN_MONTH;
    b->sum.range = (struct puan_range){ lo, hi, false };
    return true;
}

bool puan_block_numbers(struct puan_block *b, const struct puan_cell_plan *p)
{
    uint32_t digits = p->kind == PUAN_CELL_DIGITS ? p->digits : 0;
    bool yes = false;

    b->sum = PUAN_CELL_SUM_NONE;
    b->some_empty = false;
    if (p->kind == PUAN_CELL_DIGITS && p->digits <= 8)
        yes = short_numbers(b, p->digits);
    if (p->kind == PUAN_CELL_NUMBER) {
        yes = !b->some_long && short_numbers(b, 0);
        if (!yes) {
            yes = numbers(b);
            b->some_long = yes && (uint64_t)b->sum.range.hi > 99999999;
        }
    }
    if (p->kind == PUAN_CELL_MONTH || p->kind == PUAN_CELL_DATE)
        yes = of_calendar(b, p->kind == PUAN_CELL_DATE);
    if (!yes && digits <= 8 &&
        (p->kind == PUAN_CELL_NUMBER || p->kind == PUAN_CELL_DIGITS)) {
        b->sum = PUAN_CELL_SUM_NONE;
        yes = sparse(b, digits);
    }
    if (!yes) {
        b->sum = PUAN_CELL_SUM_NONE;
        b->some_empty = false;
    }
    return yes;
}
