/*
 * The bodies of lane_kernel.h, once for each file that includes this; LANES is
 * the name of the table, that for any processor when nothing is said.  Only
 * what a compiler does not find by itself is written for a kind of processor:
 * comparisons into bits, bits into lanes, sets of bytes.
 */
#ifndef PUAN_CORE_RULE_LANE_LOOPS_H
#define PUAN_CORE_RULE_LANE_LOOPS_H

#include "base/mem.h"
#include "core/rule/lane_kernel.h"

#ifndef LANES
#define LANES puan_lane_plain
#define LANES_NAME "plain"
#endif

#if defined(__SSE2__) || defined(__AVX2__) || defined(__AVX512BW__)
#include <immintrin.h>
#endif

/* 64 bytes, each 0 or 255, to a word. */
static inline uint64_t lanes_pack(const uint8_t *t)
{
#if defined(__AVX512BW__)
    return (uint64_t)_mm512_movepi8_mask(_mm512_loadu_si512(t));
#elif defined(__AVX2__)
    uint32_t a =
        (uint32_t)_mm256_movemask_epi8(_mm256_loadu_si256((const void *)t));
    uint32_t b = (uint32_t)_mm256_movemask_epi8(
        _mm256_loadu_si256((const void *)(t + 32)));

    return (uint64_t)b << 32 | a;
#elif defined(__SSE2__)
    uint64_t m = 0;

    for (unsigned i = 0; i < 4; i++)
        m |= (uint64_t)(uint32_t)_mm_movemask_epi8(
                 _mm_loadu_si128((const void *)(t + 16 * i)))
             << (16 * i);
    return m;
#else
    uint64_t m = 0;

    for (unsigned i = 0; i < 8; i++) {
        uint64_t x = 0;

        for (unsigned j = 0; j < 8; j++)
            x |= (uint64_t)(t[8 * i + j] & 1u) << j;
        m |= x << (8 * i);
    }
    return m;
#endif
}

/* A word to 64 bytes, each 0 or 255. */
static inline void lanes_unpack(uint8_t *t, uint64_t m)
{
#if defined(__AVX512BW__)
    _mm512_storeu_si512(t, _mm512_movm_epi8((__mmask64)m));
#else
    for (unsigned i = 0; i < 8; i++) {
        uint64_t x = (m >> (8 * i) & 255) * 0x0101010101010101u;

        x &= 0x8040201008040201u;
        /* 255 where the byte is not zero */
        x = ((((x & 0x7f7f7f7f7f7f7f7fu) + 0x7f7f7f7f7f7f7f7fu) | x) >> 7) &
            0x0101010101010101u;
        x *= 255;
        memcpy(t + 8 * i, &x, 8);
    }
#endif
}

/* f(i) for each of n rows, 64 at a time, as bits */
#define LANES_BITS(n, wide, one)                                               \
    do {                                                                       \
        size_t at_ = 0, w_ = 0;                                                \
        for (; at_ + 64 <= (n); at_ += 64, w_++) {                             \
            uint8_t t_[64];                                                    \
            for (size_t i = 0; i < 64; i++)                                    \
                t_[i] = (uint8_t)(0 - (unsigned)(wide));                       \
            bits[w_] = lanes_pack(t_);                                         \
        }                                                                      \
        if (at_ < (n)) {                                                       \
            uint64_t m_ = 0;                                                   \
            for (size_t i = 0; at_ + i < (n); i++)                             \
                m_ |= (uint64_t)(one) << i;                                    \
            bits[w_] = m_;                                                     \
        }                                                                      \
    } while (0)

#define LANES_COMPARE(T, S, EPI, PER, LT)                                      \
    static void range_##S(uint64_t *bits, const void *p, size_t n,             \
                          uint64_t lo, uint64_t span)                          \
    {                                                                          \
        const T *a = p;                                                        \
        const T l = (T)lo, s = (T)span;                                        \
        LANES_RANGE(T, EPI, PER)                                               \
        LANES_BITS(n, (T)(a[at_ + i] - l) <= s, (T)(a[at_ + i] - l) <= s);     \
    }                                                                          \
    static void less_##S(uint64_t *bits, const void *p, const void *q,         \
                         size_t n, uint64_t ka, uint64_t kb)                   \
    {                                                                          \
        const T *a = p, *b = q;                                                \
        const T x = (T)ka, y = (T)kb;                                          \
        LANES_LESS(T, EPI, PER)                                                \
        LANES_BITS(n, (T)(a[at_ + i] + x) < (T)(b[at_ + i] + y),               \
                   (T)(a[at_ + i] + x) < (T)(b[at_ + i] + y));                 \
    }                                                                          \
    static void same_##S(uint64_t *bits, const void *p, const void *q,         \
                         size_t n, uint64_t ka)                                \
    {                                                                          \
        const T *a = p, *b = q;                                                \
        const T x = (T)ka;                                                     \
        LANES_SAME(T, EPI, PER)                                                \
        LANES_BITS(n, (T)(a[at_ + i] + x) == b[at_ + i],                       \
                   (T)(a[at_ + i] + x) == b[at_ + i]);                         \
    }

#if defined(__AVX512BW__)
/*
 * Whole words at once; what is left goes the common way.  Masks of fewer than
 * 64 lanes are stored as they are: gcc 12 may spill such a mask in its own
 * width and read it back as 64 bits.
 */
#define LANES_512(PER, compare)                                                \
    {                                                                          \
        size_t whole_ = n / 64;                                                \
        for (size_t w_ = 0; w_ < whole_; w_++)                                 \
            for (size_t j = 0; j < 64; j += (PER)) {                           \
                const __mmask##PER m_ = compare;                               \
                memcpy((char *)bits + (64 * w_ + j) / 8, &m_, sizeof(m_));     \
            }                                                                  \
        bits += whole_;                                                        \
        n -= 64 * whole_;                                                      \
        a += 64 * whole_;                                                      \
    }
#define LANES_AT(p) _mm512_loadu_si512((p) + 64 * w_ + j)
#define LANES_RANGE(T, EPI, PER)                                               \
    const __m512i vl = _mm512_set1_##EPI(LANES_SIGNED_##EPI(l)),               \
                  vs = _mm512_set1_##EPI(LANES_SIGNED_##EPI(s));               \
    LANES_512(PER, LANES_LE_##EPI(_mm512_sub_##EPI(LANES_AT(a), vl), vs))
#define LANES_LESS(T, EPI, PER)                                                \
    const __m512i vx = _mm512_set1_##EPI(LANES_SIGNED_##EPI(x)),               \
                  vy = _mm512_set1_##EPI(LANES_SIGNED_##EPI(y));               \
    const size_t all_ = n;                                                     \
    LANES_512(PER, LANES_LT_##EPI(_mm512_add_##EPI(LANES_AT(a), vx),           \
                                  _mm512_add_##EPI(LANES_AT(b), vy)))          \
    b += 64 * (all_ / 64);
#define LANES_SAME(T, EPI, PER)                                                \
    const __m512i vx = _mm512_set1_##EPI(LANES_SIGNED_##EPI(x));               \
    const size_t all_ = n;                                                     \
    LANES_512(PER,                                                             \
              LANES_EQ_##EPI(_mm512_add_##EPI(LANES_AT(a), vx), LANES_AT(b)))  \
    b += 64 * (all_ / 64);
#define LANES_SIGNED_epi8(v) ((char)(v))
#define LANES_SIGNED_epi16(v) ((short)(v))
#define LANES_SIGNED_epi32(v) ((int)(v))
#define LANES_SIGNED_epi64(v) ((long long)(v))
#define LANES_LE_epi8(a, b) _mm512_cmple_epu8_mask(a, b)
#define LANES_LE_epi16(a, b) _mm512_cmple_epu16_mask(a, b)
#define LANES_LE_epi32(a, b) _mm512_cmple_epu32_mask(a, b)
#define LANES_LE_epi64(a, b) _mm512_cmple_epu64_mask(a, b)
#define LANES_LT_epi8(a, b) _mm512_cmplt_epu8_mask(a, b)
#define LANES_LT_epi16(a, b) _mm512_cmplt_epu16_mask(a, b)
#define LANES_LT_epi32(a, b) _mm512_cmplt_epu32_mask(a, b)
#define LANES_LT_epi64(a, b) _mm512_cmplt_epu64_mask(a, b)
#define LANES_EQ_epi8(a, b) _mm512_cmpeq_epi8_mask(a, b)
#define LANES_EQ_epi16(a, b) _mm512_cmpeq_epi16_mask(a, b)
#define LANES_EQ_epi32(a, b) _mm512_cmpeq_epi32_mask(a, b)
#define LANES_EQ_epi64(a, b) _mm512_cmpeq_epi64_mask(a, b)
#else
#define LANES_RANGE(T, EPI, PER)
#define LANES_LESS(T, EPI, PER)
#define LANES_SAME(T, EPI, PER)
#endif

LANES_COMPARE(uint8_t, 8, epi8, 64, )
LANES_COMPARE(uint16_t, 16, epi16, 32, )
LANES_COMPARE(uint32_t, 32, epi32, 16, )
LANES_COMPARE(uint64_t, 64, epi64, 8, )

/*
 * Bytes in a set of 256: the low half of a byte chooses a byte of the set, the
 * high half a bit of it (W. Mula, "SIMD byte lookup", 2018).
 */
static void in_set(uint64_t *bits, const uint8_t *a, size_t n,
                   const uint8_t *set)
{
#if defined(__AVX2__)
    uint8_t low[32] = { 0 }, high[32] = { 0 };
    size_t whole = n / 64;
    const __m256i half = _mm256_set1_epi8(15);
    const __m256i one = _mm256_setr_epi8(
        1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8,
        16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);

    for (unsigned v = 0; v < 256; v++)
        if (set[v / 8] >> (v % 8) & 1) {
            uint8_t *to = v < 128 ? low : high;

            to[v % 16] = (uint8_t)(to[v % 16] | 1u << (v / 16 % 8));
            to[v % 16 + 16] = to[v % 16];
        }
    const __m256i l = _mm256_loadu_si256((const void *)low);
    const __m256i h = _mm256_loadu_si256((const void *)high);
    for (size_t w = 0; w < whole; w++) {
        uint64_t m = 0;

        for (unsigned j = 0; j < 64; j += 32) {
            __m256i v = _mm256_loadu_si256((const void *)(a + 64 * w + j));
            __m256i at = _mm256_and_si256(v, half);
            __m256i row = _mm256_blendv_epi8(_mm256_shuffle_epi8(l, at),
                                             _mm256_shuffle_epi8(h, at), v);
            __m256i bit = _mm256_shuffle_epi8(
                one, _mm256_and_si256(_mm256_srli_epi16(v, 4), half));
            __m256i hit = _mm256_cmpeq_epi8(_mm256_and_si256(row, bit), bit);

            m |= (uint64_t)(uint32_t)_mm256_movemask_epi8(hit) << j;
        }
        bits[w] = m;
    }
    bits += whole;
    a += 64 * whole;
    n -= 64 * whole;
#endif
    LANES_BITS(n, set[a[at_ + i] / 8] >> (a[at_ + i] % 8) & 1,
               set[a[at_ + i] / 8] >> (a[at_ + i] % 8) & 1);
}

static void map(uint8_t *to, const uint8_t *a, size_t n, const uint8_t *table)
{
    size_t i = 0;

#if defined(__AVX512VBMI__)
    const __m512i t0 = _mm512_loadu_si512(table),
                  t1 = _mm512_loadu_si512(table + 64),
                  t2 = _mm512_loadu_si512(table + 128),
                  t3 = _mm512_loadu_si512(table + 192);

    for (; i + 64 <= n; i += 64) {
        __m512i v = _mm512_loadu_si512(a + i);
        __m512i low = _mm512_permutex2var_epi8(t0, v, t1);
        __m512i high = _mm512_permutex2var_epi8(t2, v, t3);

        _mm512_storeu_si512(
            to + i, _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(v), high));
    }
#endif
    for (; i < n; i++)
        to[i] = table[a[i]];
}

#define LANES_EACH for (size_t i = 0; i < n; i++)

#define LANES_ARITHMETIC(T, S)                                                 \
    static void add_##S(void *to, const void *p, const void *q, size_t n,      \
                        uint64_t k)                                            \
    {                                                                          \
        T *restrict o = to;                                                    \
        const T *a = p, *b = q;                                                \
        const T c = (T)k;                                                      \
        LANES_EACH o[i] = (T)(a[i] + b[i] + c);                                \
    }                                                                          \
    static void sub_##S(void *to, const void *p, const void *q, size_t n,      \
                        uint64_t k)                                            \
    {                                                                          \
        T *restrict o = to;                                                    \
        const T *a = p, *b = q;                                                \
        const T c = (T)k;                                                      \
        LANES_EACH o[i] = (T)(a[i] - b[i] + c);                                \
    }                                                                          \
    static void scale_##S(void *to, const void *p, size_t n, uint64_t m,       \
                          uint64_t k)                                          \
    {                                                                          \
        T *restrict o = to;                                                    \
        const T *a = p;                                                        \
        const T f = (T)m, c = (T)k;                                            \
        LANES_EACH o[i] = (T)((T)((uint64_t)a[i] * f) + c);                    \
    }                                                                          \
    static void mul_##S(void *to, const void *p, const void *q, size_t n,      \
                        uint64_t ka, uint64_t kb, uint64_t k)                  \
    {                                                                          \
        T *restrict o = to;                                                    \
        const T *a = p, *b = q;                                                \
        const T x = (T)ka, y = (T)kb, c = (T)k;                                \
        LANES_EACH o[i] =                                                      \
            (T)((T)((uint64_t)(T)(a[i] + x) * (T)(b[i] + y)) + c);             \
    }                                                                          \
    static void least_##S(void *to, const void *p, const void *q, size_t n)    \
    {                                                                          \
        T *restrict o = to;                                                    \
        const T *a = p, *b = q;                                                \
        LANES_EACH o[i] = a[i] < b[i] ? a[i] : b[i];                           \
    }                                                                          \
    static void most_##S(void *to, const void *p, const void *q, size_t n)     \
    {                                                                          \
        T *restrict o = to;                                                    \
        const T *a = p, *b = q;                                                \
        LANES_EACH o[i] = a[i] > b[i] ? a[i] : b[i];                           \
    }                                                                          \
    static void choose_##S(void *to, const uint64_t *bits, const void *p,      \
                           const void *q, size_t n)                            \
    {                                                                          \
        T *restrict o = to;                                                    \
        const T *a = p, *b = q;                                                \
        size_t at = 0;                                                         \
        for (; at + 64 <= n; at += 64) {                                       \
            uint8_t t[64];                                                     \
            lanes_unpack(t, bits[at / 64]);                                    \
            for (size_t i = 0; i < 64; i++) {                                  \
                const T x = a[at + i], y = b[at + i];                          \
                o[at + i] = t[i] ? x : y;                                      \
            }                                                                  \
        }                                                                      \
        for (; at < n; at++)                                                   \
            o[at] = bits[at / 64] >> (at % 64) & 1 ? a[at] : b[at];            \
    }                                                                          \
    static void keep_##S(void *to, const uint64_t *bits, const void *p,        \
                         size_t n, bool complement)                            \
    {                                                                          \
        T *restrict o = to;                                                    \
        const T *a = p;                                                        \
        const T x = (T)(complement ? ~(uint64_t)0 : 0);                        \
        size_t at = 0;                                                         \
        for (; at + 64 <= n; at += 64) {                                       \
            uint8_t t[64];                                                     \
            lanes_unpack(t, bits[at / 64]);                                    \
            for (size_t i = 0; i < 64; i++) {                                  \
                const T y = (T)(a[at + i] ^ x);                                \
                o[at + i] = (T)(t[i] ? y : 0);                                 \
            }                                                                  \
        }                                                                      \
        for (; at < n; at++)                                                   \
            o[at] = (T)(bits[at / 64] >> (at % 64) & 1 ? (T)(a[at] ^ x) : 0);  \
    }                                                                          \
    static void reach_##S(void *to, const void *p, const uint8_t *left,        \
                          size_t n, size_t k)                                  \
    {                                                                          \
        T *restrict o = to;                                                    \
        const T *a = p, *b = a + k;                                            \
        const uint8_t kk = (uint8_t)k;                                         \
        LANES_EACH                                                             \
        {                                                                      \
            const T y = a[i], z = b[i]; /* read in any case: no branch */      \
            const T x = (T)(left[i] > kk ? z : 0);                             \
            o[i] = x > y ? x : y;                                              \
        }                                                                      \
    }                                                                          \
    static uint64_t sum_##S(const void *p, size_t n)                           \
    {                                                                          \
        const T *a = p;                                                        \
        uint64_t s = 0;                                                        \
        LANES_EACH s += a[i];                                                  \
        return s;                                                              \
    }                                                                          \
    static void cast_8_##S(void *to, const void *p, size_t n, uint64_t k)      \
    {                                                                          \
        T *restrict o = to;                                                    \
        const uint8_t *a = p;                                                  \
        const T c = (T)k;                                                      \
        LANES_EACH o[i] = (T)((T)a[i] + c);                                    \
    }                                                                          \
    static void cast_16_##S(void *to, const void *p, size_t n, uint64_t k)     \
    {                                                                          \
        T *restrict o = to;                                                    \
        const uint16_t *a = p;                                                 \
        const T c = (T)k;                                                      \
        LANES_EACH o[i] = (T)((T)a[i] + c);                                    \
    }                                                                          \
    static void cast_32_##S(void *to, const void *p, size_t n, uint64_t k)     \
    {                                                                          \
        T *restrict o = to;                                                    \
        const uint32_t *a = p;                                                 \
        const T c = (T)k;                                                      \
        LANES_EACH o[i] = (T)((T)a[i] + c);                                    \
    }                                                                          \
    static void cast_64_##S(void *to, const void *p, size_t n, uint64_t k)     \
    {                                                                          \
        T *restrict o = to;                                                    \
        const uint64_t *a = p;                                                 \
        const T c = (T)k;                                                      \
        LANES_EACH o[i] = (T)((T)a[i] + c);                                    \
    }

LANES_ARITHMETIC(uint8_t, 8)
LANES_ARITHMETIC(uint16_t, 16)
LANES_ARITHMETIC(uint32_t, 32)
LANES_ARITHMETIC(uint64_t, 64)

/* ---- words ---- */

static void both(uint64_t *to, const uint64_t *a, const uint64_t *b, size_t n)
{
    LANES_EACH to[i] = a[i] & b[i];
}

static void either(uint64_t *to, const uint64_t *a, const uint64_t *b, size_t n)
{
    LANES_EACH to[i] = a[i] | b[i];
}

static void without(uint64_t *to, const uint64_t *a, const uint64_t *b,
                    size_t n)
{
    LANES_EACH to[i] = a[i] & ~b[i];
}

static bool differ(uint64_t *to, const uint64_t *a, const uint64_t *b, size_t n)
{
    uint64_t any = 0;

    LANES_EACH
    {
        to[i] = a[i] & ~b[i];
        any |= to[i];
    }
    return any != 0;
}

static bool meet(uint64_t *to, const uint64_t *a, const uint64_t *b, size_t n)
{
    uint64_t any = 0;

    LANES_EACH
    {
        to[i] = a[i] & b[i];
        any |= to[i];
    }
    return any != 0;
}

static uint64_t count(const uint64_t *a, size_t n)
{
    uint64_t s = 0;

    LANES_EACH s += (uint64_t)__builtin_popcountll(a[i]);
    return s;
}

/*
 * op_and and op_or of ops.h over planes.  `or` is `and` with true and false
 * exchanged on both sides.
 */
static void both_of(uint64_t *const *to, const struct puan_lane_bits *a,
                    const struct puan_lane_bits *b, size_t n, bool is_or)
{
    LANES_EACH
    {
        uint64_t ua = a->p[1][i] | a->p[2][i] | a->p[3][i] | a->p[4][i];
        uint64_t ub = b->p[1][i] | b->p[2][i] | b->p[3][i] | b->p[4][i];
        uint64_t ta = a->p[0][i], tb = b->p[0][i];
        uint64_t fa = ~(ta | ua), fb = ~(tb | ub);
        uint64_t ia = a->p[4][i], ib = b->p[4][i];
        uint64_t sa = is_or ? ta : fa, sb = is_or ? tb : fb; /* settles it */
        uint64_t no = sa | (sb & ~ia), left;
        uint64_t inv = ~sa & (ia | ib), mis, out;

        no &= ~inv;
        left = ~(no | inv);
        mis = left & (a->p[3][i] | b->p[3][i]);
        left &= ~mis;
        out = left & (a->p[2][i] | b->p[2][i]);
        left &= ~out;
        to[1][i] = left & (a->p[1][i] | b->p[1][i]);
        to[0][i] = is_or ? no : ta & tb;
        to[2][i] = out;
        to[3][i] = mis;
        to[4][i] = inv;
    }
}

/* ---- units ---- */

/* Up to 57 bits from bit s on; a word behind the last is readable. */
static inline uint64_t lanes_window(const uint64_t *bits, uint32_t s)
{
    uint64_t x;

    memcpy(&x, (const char *)bits + s / 8, 8);
    return x >> (s % 8);
}

static uint64_t lanes_count_range(const uint64_t *bits, uint32_t s, uint32_t e)
{
    uint64_t c = 0;

    while (s < e) {
        uint32_t take = 64 - s % 64;
        uint64_t x = bits[s / 64] >> (s % 64);

        if (take > e - s) {
            take = e - s;
            x &= ((uint64_t)1 << take) - 1;
        }
        c += (uint64_t)__builtin_popcountll(x);
        s += take;
    }
    return c;
}

#define LANES_UNITS(T, S)                                                      \
    static void unit_count_##S(void *to, const uint64_t *bits,                 \
                               const uint32_t *first, size_t units,            \
                               uint32_t row0)                                  \
    {                                                                          \
        T *restrict o = to;                                                    \
        uint32_t s = first[0] - row0;                                          \
        for (size_t u = 0; u < units; u++) {                                   \
            uint32_t e = first[u + 1] - row0;                                  \
            uint64_t c;                                                        \
            if (e - s <= 57) {                                                 \
                uint64_t in = ((uint64_t)1 << (e - s)) - 1;                    \
                c = (uint64_t)__builtin_popcountll(lanes_window(bits, s) &     \
                                                   in);                        \
            } else {                                                           \
                c = lanes_count_range(bits, s, e);                             \
            }                                                                  \
            o[u] = (T)c;                                                       \
            s = e;                                                             \
        }                                                                      \
    }
LANES_UNITS(uint8_t, 8)
LANES_UNITS(uint16_t, 16)
LANES_UNITS(uint32_t, 32)
LANES_UNITS(uint64_t, 64)

static void unit_any(uint64_t *to, const uint64_t *bits, const uint32_t *first,
                     size_t units, uint32_t row0)
{
    uint32_t s = first[0] - row0;

    for (size_t u = 0; u < units; u += 64) {
        uint64_t m = 0;

        for (size_t i = 0; i < 64 && u + i < units; i++) {
            uint32_t e = first[u + i + 1] - row0;
            uint64_t c;

            if (e - s <= 57)
                c = lanes_window(bits, s) & (((uint64_t)1 << (e - s)) - 1);
            else
                c = lanes_count_range(bits, s, e);
            m |= (uint64_t)(c != 0) << i;
            s = e;
        }
        to[u / 64] = m;
    }
}

#define LANES_FOUR(f)                                                          \
    {                                                                          \
        f##_8, f##_16, f##_32, f##_64                                          \
    }

const struct puan_lane_kernels LANES = {
    .name = LANES_NAME,
    .range = LANES_FOUR(range),
    .less = LANES_FOUR(less),
    .same = LANES_FOUR(same),
    .in_set = in_set,
    .map = map,
    .add = LANES_FOUR(add),
    .sub = LANES_FOUR(sub),
    .scale = LANES_FOUR(scale),
    .mul = LANES_FOUR(mul),
    .least = LANES_FOUR(least),
    .most = LANES_FOUR(most),
    .cast = { LANES_FOUR(cast_8), LANES_FOUR(cast_16), LANES_FOUR(cast_32),
              LANES_FOUR(cast_64) },
    .choose = LANES_FOUR(choose),
    .keep = LANES_FOUR(keep),
    .reach = LANES_FOUR(reach),
    .sum = LANES_FOUR(sum),
    .both = both,
    .either = either,
    .without = without,
    .both_of = both_of,
    .count = count,
    .differ = differ,
    .meet = meet,
    .unit_count = LANES_FOUR(unit_count),
    .unit_any = unit_any,
};

#endif
