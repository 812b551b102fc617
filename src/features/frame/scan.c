/*
 * Separators of CSV, 64 bytes at a time: three masks of a block, quotes
 * spread over what they enclose, and a walk over the bits that are left.
 * Processors with AVX-512 do a block in a few instructions.
 */
#include "features/frame/scan.h"

struct masks {
    uint64_t comma, line, quote;
};

#if defined(__x86_64__)
#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))

INLINE uint64_t equal(const __m128i b[4], char c)
{
    const __m128i x = _mm_set1_epi8(c);
    uint64_t m = 0;

    for (unsigned i = 0; i < 4; i++)
        m |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(b[i], x))
             << 16 * i;
    return m;
}

INLINE struct masks look(const char *p)
{
    __m128i b[4];

    for (unsigned i = 0; i < 4; i++)
        b[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
    return (struct masks){ equal(b, ','), equal(b, '\n'), equal(b, '"') };
}

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,"    \
                                   "popcnt,bmi,bmi2")))

static bool have_wide(void)
{
    return __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vbmi2");
}

WIDE static inline struct masks look_wide(const char *p)
{
    const __m512i b = _mm512_loadu_si512(p);

    return (struct masks){
        _mm512_cmpeq_epi8_mask(b, _mm512_set1_epi8(',')),
        _mm512_cmpeq_epi8_mask(b, _mm512_set1_epi8('\n')),
        _mm512_cmpeq_epi8_mask(b, _mm512_set1_epi8('"')),
    };
}
#else
#define INLINE static inline

INLINE struct masks look(const char *p)
{
    struct masks m = { 0, 0, 0 };

    for (unsigned i = 0; i < 64; i++) {
        m.comma |= (uint64_t)(p[i] == ',') << i;
        m.line |= (uint64_t)(p[i] == '\n') << i;
        m.quote |= (uint64_t)(p[i] == '"') << i;
    }
    return m;
}
#endif

/* Bit i: an odd number of bits stands at or below i. */
INLINE uint64_t spread(uint64_t m)
{
    m ^= m << 1;
    m ^= m << 2;
    m ^= m << 4;
    m ^= m << 8;
    m ^= m << 16;
    m ^= m << 32;
    return m;
}

/* Those of the last block that are of the text. */
INLINE uint64_t live_of(size_t at, size_t n)
{
    return n - at < 64 ? ((uint64_t)1 << (n - at)) - 1 : ~(uint64_t)0;
}

/* What ends a cell in a block; keeps up counts and whether quotes are open. */
INLINE uint64_t ends_of(struct puan_scan *s, uint64_t *within, struct masks m,
                        uint64_t live)
{
    uint64_t quote = m.quote & live, line = m.line & live;
    uint64_t ends = (m.comma & live) | line;

    if (quote | *within) {
        uint64_t inside = spread(quote) ^ *within;

        ends &= ~inside;
        line &= ~inside;
        *within = (uint64_t)((int64_t)inside >> 63);
        s->quotes += (size_t)__builtin_popcountll(quote);
    }
    s->lines += (size_t)__builtin_popcountll(line);
    return ends;
}

static void cells(struct puan_scan *s, uint32_t *end, const char *p, size_t n)
{
    uint64_t within = 0; /* all ones: the block begins within quotes */

    for (size_t at = 0; at < n; at += 64) {
        uint64_t ends = ends_of(s, &within, look(p + at), live_of(at, n));
        uint32_t *to = end + s->cells;
        unsigned k = (unsigned)__builtin_popcountll(ends);

        s->cells += k;
        /* eight at a time, so that the number of them is seldom guessed wrong;
           what is written too much is written over */
        for (unsigned i = 0; i < k; i += 8)
            for (unsigned j = 0; j < 8; j++) {
                to[i + j] = (uint32_t)at + (uint32_t)__builtin_ctzll(
                                               ends | (uint64_t)1 << 63);
                ends &= ends - 1;
            }
    }
}

INLINE void count_block(struct puan_scan_count *c, struct masks m,
                        uint64_t live)
{
    uint64_t quote = m.quote & live, line = m.line & live;

    if (quote) {
        uint64_t odd = spread(quote);

        if (c->quotes & 1)
            odd = ~odd;
        c->lines[0] += (uint64_t)__builtin_popcountll(line & ~odd);
        c->lines[1] += (uint64_t)__builtin_popcountll(line & odd);
        c->quotes += (uint64_t)__builtin_popcountll(quote);
    } else {
        c->lines[c->quotes & 1] += (uint64_t)__builtin_popcountll(line);
    }
}

#if defined(__x86_64__)
WIDE static void cells_wide(struct puan_scan *s, uint32_t *end, const char *p,
                            size_t n)
{
    const __m512i index = _mm512_set_epi8(
        63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46,
        45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28,
        27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10,
        9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    uint64_t within = 0;

    for (size_t at = 0; at < n; at += 64) {
        uint64_t ends = ends_of(s, &within, look_wide(p + at), live_of(at, n));
        __m512i which = _mm512_maskz_compress_epi8(ends, index);
        const __m512i base = _mm512_set1_epi32((int)at);
        uint32_t *to = end + s->cells;
        unsigned k = (unsigned)__builtin_popcountll(ends);

        s->cells += k;
        /* 16 at a time; what is written too much is written over */
        for (unsigned i = 0; i < k; i += 16) {
            _mm512_storeu_si512(
                to + i, _mm512_add_epi32(_mm512_cvtepu8_epi32(
                                             _mm512_castsi512_si128(which)),
                                         base));
            which = _mm512_alignr_epi64(_mm512_setzero_si512(), which, 2);
        }
    }
}

WIDE static void count_wide(struct puan_scan_count *c, const char *p, size_t n)
{
    for (size_t at = 0; at < n; at += 64)
        count_block(c, look_wide(p + at), live_of(at, n));
}
#endif

void puan_scan_cells(struct puan_scan *out, uint32_t *end, const char *p,
                     size_t n)
{
    *out = (struct puan_scan){ 0, 0, 0 };
#if defined(__x86_64__)
    if (have_wide()) {
        cells_wide(out, end, p, n);
        return;
    }
#endif
    cells(out, end, p, n);
}

void puan_scan_count(struct puan_scan_count *out, const char *p, size_t n)
{
    *out = (struct puan_scan_count){ 0, { 0, 0 } };
#if defined(__x86_64__)
    if (have_wide()) {
        count_wide(out, p, n);
        return;
    }
#endif
    for (size_t at = 0; at < n; at += 64)
        count_block(out, look(p + at), live_of(at, n));
}

bool puan_scan_line_end(size_t *at, const char *p, size_t n, bool *quotes)
{
    bool within = quotes && *quotes;
    size_t i = 0;

    for (; i < n; i++) {
        if (quotes && p[i] == '"')
            within = !within;
        else if (p[i] == '\n' && !within)
            break;
    }
    if (quotes)
        *quotes = within;
    *at = i;
    return i < n;
}
