/*
 * Separators of CSV, 64 bytes at a time: three masks of a block, quotes
 * spread over what they enclose, and a walk over the bits that are left.
 */
#include "features/frame/scan.h"

#if defined(__SSE2__)
#include <emmintrin.h>

struct masks {
    uint64_t comma, line, quote;
};

static uint64_t equal(const __m128i b[4], char c)
{
    const __m128i x = _mm_set1_epi8(c);
    uint64_t m = 0;

    for (unsigned i = 0; i < 4; i++)
        m |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(b[i], x))
             << 16 * i;
    return m;
}

static struct masks look(const char *p)
{
    __m128i b[4];

    for (unsigned i = 0; i < 4; i++)
        b[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
    return (struct masks){ equal(b, ','), equal(b, '\n'), equal(b, '"') };
}
#else
struct masks {
    uint64_t comma, line, quote;
};

static struct masks look(const char *p)
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
static uint64_t spread(uint64_t m)
{
    m ^= m << 1;
    m ^= m << 2;
    m ^= m << 4;
    m ^= m << 8;
    m ^= m << 16;
    m ^= m << 32;
    return m;
}

void puan_scan_cells(struct puan_scan *out, uint32_t *end, const char *p,
                     size_t n)
{
    struct puan_scan s = { 0, 0, 0 };
    uint64_t within = 0; /* all ones: the block begins within quotes */

    for (size_t at = 0; at < n; at += 64) {
        struct masks m = look(p + at);
        uint64_t live = n - at < 64 ? ((uint64_t)1 << (n - at)) - 1 : ~(uint64_t)0;
        uint64_t quote = m.quote & live, line = m.line & live;
        uint64_t ends = (m.comma & live) | line;
        uint32_t *to = end + s.cells;
        unsigned k;

        if (quote | within) {
            uint64_t inside = spread(quote) ^ within;

            ends &= ~inside;
            line &= ~inside;
            within = (uint64_t)((int64_t)inside >> 63);
            s.quotes += (size_t)__builtin_popcountll(quote);
        }
        s.lines += (size_t)__builtin_popcountll(line);
        k = (unsigned)__builtin_popcountll(ends);
        s.cells += k;
        /* eight at a time, so that the number of them is seldom guessed wrong;
           what is written too much is written over */
        for (unsigned i = 0; i < k; i += 8)
            for (unsigned j = 0; j < 8; j++) {
                to[i + j] =
                    (uint32_t)at + (uint32_t)__builtin_ctzll(ends | (uint64_t)1 << 63);
                ends &= ends - 1;
            }
    }
    *out = s;
}

void puan_scan_count(struct puan_scan_count *out, const char *p, size_t n)
{
    uint64_t lines[2] = { 0, 0 }, quotes = 0;

    for (size_t at = 0; at < n; at += 64) {
        struct masks m = look(p + at);
        uint64_t live =
            n - at < 64 ? ((uint64_t)1 << (n - at)) - 1 : ~(uint64_t)0;
        uint64_t quote = m.quote & live, line = m.line & live;

        if (quote) {
            uint64_t odd = spread(quote);

            if (quotes & 1)
                odd = ~odd;
            lines[0] += (uint64_t)__builtin_popcountll(line & ~odd);
            lines[1] += (uint64_t)__builtin_popcountll(line & odd);
            quotes += (uint64_t)__builtin_popcountll(quote);
        } else {
            lines[quotes & 1] += (uint64_t)__builtin_popcountll(line);
        }
    }
    *out = (struct puan_scan_count){ quotes, { lines[0], lines[1] } };
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
