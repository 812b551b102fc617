/*
 * The same value twice, exactly, without a copy of the column.
 *
 * Every key is spread over 64 bits, one to one where it is a single item.
 * Threads part the keys among themselves; each walks over all rows and minds
 * its own.
 *
 *   1  Each key sets a bit of a table of 16 bits a key; where the bit was set
 *      already, the key may have been there: it is noted (about one in thirty
 *      for no reason).
 *   2  The noted keys set bits of a small table.  All rows are walked over
 *      again; those whose bit is set there are collected, with their rows.
 *   3  What was collected goes through a hash table by its full key.
 *
 * A radix sort of keys and rows takes as long and writes 16 bytes a row first.
 */
#include <stdlib.h>

#include "features/frame/internal.h"
#include "kit/job/job.h"

#define STEP 1024u
#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif
#define AHEAD 16u /* keys to fetch table lines before they are needed */

struct hit {
    uint64_t key;
    uint32_t row;
};

struct list {
    struct hit *hit;
    size_t n, cap;
};

struct search {
    const struct puan_frame_item *item[32];
    size_t n_items;
    uint64_t rows;
    unsigned parts;
    bool exact; /* keys are one to one */
    struct part {
        struct list found; /* rows of groups */
        uint64_t absent;
    } *part;
};

/* ---- keys ------------------------------------------------------------------ */

#define GOLD 0x9e3779b97f4a7c15u

static inline uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    return x * 0xd6e8feb86659fd93u;
}

/* Of the first item one to one; the upper bits depend on all bits of it. */
#define LOAD(T)                                                                \
    do {                                                                       \
        const T *p = (const T *)it->data + row;                                \
                                                                               \
        for (uint32_t i = 0; i < n; i++)                                       \
            key[i] = (mix(key[i]) ^ p[i]) * GOLD;                              \
    } while (0)
#define LOAD_FIRST(T)                                                          \
    do {                                                                       \
        const T *p = (const T *)it->data + row;                                \
                                                                               \
        for (uint32_t i = 0; i < n; i++)                                       \
            key[i] = p[i] * GOLD;                                              \
    } while (0)
#define ABSENT(T)                                                              \
    do {                                                                       \
        const T *p = (const T *)it->data + row;                                \
                                                                               \
        for (uint32_t i = 0; i < n; i++)                                       \
            gone[i] |= p[i] >= it->stop;                                       \
    } while (0)
#define WIDTHS(X)                                                              \
    switch (it->width) {                                                       \
    case 1:                                                                    \
        X(uint8_t);                                                            \
        break;                                                                 \
    case 2:                                                                    \
        X(uint16_t);                                                           \
        break;                                                                 \
    case 4:                                                                    \
        X(uint32_t);                                                           \
        break;                                                                 \
    default:                                                                   \
        X(uint64_t);                                                           \
        break;                                                                 \
    }

/* Keys of n rows; true when some have none, which gone[] then says. */
INLINE bool keys(uint64_t *key, uint8_t *gone, const struct search *s,
                 uint64_t row, uint32_t n)
{
    bool some = false;

    for (size_t k = 0; k < s->n_items; k++) {
        const struct puan_frame_item *it = s->item[k];

        if (k == 0) {
            WIDTHS(LOAD_FIRST)
        } else {
            WIDTHS(LOAD)
        }
        if (it->n_states == 0)
            continue;
        if (!some)
            memset(gone, 0, n);
        some = true;
        WIDTHS(ABSENT)
    }
    return some;
}

/* here[i]: key i is of the part and all its items are given. */
INLINE void sift(uint64_t *key, uint8_t *here, const struct search *s,
                 unsigned part, uint64_t from, uint32_t n, uint64_t *absent)
{
    uint8_t gone[STEP];
    bool some = keys(key, gone, s, from, n);

    /* the upper half of a key, times parts, is its part and the rest */
    for (uint32_t i = 0; i < n; i++)
        here[i] = (key[i] >> 32) * s->parts >> 32 == part;
    for (uint32_t i = 0; some && i < n; i++) {
        *absent += here[i] & gone[i];
        here[i] &= !gone[i];
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

#define WIDE                                                                   \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,popcnt")))

static bool have_wide(void)
{
    return __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}

WIDE static uint32_t mine_wide(uint64_t *key, uint32_t *row,
                               const struct search *s, unsigned part,
                               uint64_t from, uint32_t n, uint64_t *absent)
{
    uint8_t here[STEP];
    uint64_t all[STEP];
    __m256i at = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
    uint32_t k = 0;

    sift(all, here, s, part, from, n, absent);
    for (uint32_t i = n; i % 8; i++) /* to whole vectors */
        here[i] = 0;
    for (uint32_t i = 0; i < n; i += 8) {
        const __mmask8 m = (__mmask8)_mm_test_epi8_mask(
            _mm_loadl_epi64((const __m128i *)(const void *)(here + i)),
            _mm_set1_epi8(1));

        _mm512_storeu_si512(key + k, _mm512_maskz_compress_epi64(
                                         m, _mm512_loadu_si512(all + i)));
        _mm256_storeu_si256((__m256i *)(void *)(row + k),
                            _mm256_maskz_compress_epi32(m, at));
        k += (uint32_t)__builtin_popcount(m);
        at = _mm256_add_epi32(at, _mm256_set1_epi32(8));
    }
    return k;
}
#endif

/* Keys of the part among n rows, and which rows they are; room for STEP + 8. */
static uint32_t mine(uint64_t *key, uint32_t *row, const struct search *s,
                     unsigned part, uint64_t from, uint32_t n,
                     uint64_t *absent)
{
    uint8_t here[STEP];
    uint64_t all[STEP];
    uint32_t k = 0;

#if defined(__x86_64__)
    if (have_wide())
        return mine_wide(key, row, s, part, from, n, absent);
#endif
    sift(all, here, s, part, from, n, absent);
    for (uint32_t i = 0; i < n; i++) {
        key[k] = all[i];
        row[k] = i;
        k += here[i];
    }
    return k;
}

static bool keep(struct list *l, uint64_t key, uint32_t row)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 4096;
        struct hit *hit = realloc(l->hit, cap * sizeof(*hit));

        if (!hit)
            return false;
        l->hit = hit;
        l->cap = cap;
    }
    l->hit[l->n++] = (struct hit){ key, row };
    return true;
}

/* ---- the steps --------------------------------------------------------------- */

struct bits {
    uint64_t *word;
    unsigned shift; /* of a hash, to its bit */
    size_t size;    /* bytes */
};

static bool bits_new(struct bits *b, uint64_t n)
{
    unsigned log = 16;

    while (log < 40 && (uint64_t)1 << log < n)
        log++;
    b->shift = 64 - log;
    b->size = (size_t)1 << (log - 3);
    b->word = puan_pages_get(b->size);
    return b->word != NULL;
}

static inline uint64_t place(const struct bits *b, uint64_t key)
{
    return key * GOLD >> b->shift;
}

/* Step 1: keys that may have been there before. */
static bool note(struct list *noted, struct search *s, unsigned part)
{
    uint64_t key[STEP + AHEAD] = { 0 };
    uint32_t row[STEP + 8];
    struct bits b;
    bool good = true;

    if (!bits_new(&b, 16 * (s->rows / s->parts + 1)))
        return false;
    for (uint64_t from = 0; good && from < s->rows; from += STEP) {
        uint32_t n = s->rows - from < STEP ? (uint32_t)(s->rows - from) : STEP;
        uint32_t k = mine(key, row, s, part, from, n, &s->part[part].absent);

        for (uint32_t i = 0; i < AHEAD; i++)
            key[k + i] = 0;
        for (uint32_t i = 0; i < k && i < AHEAD; i++)
            __builtin_prefetch(&b.word[place(&b, key[i]) >> 6], 1);
        for (uint32_t i = 0; i < k; i++) {
            uint64_t at = place(&b, key[i]), bit = (uint64_t)1 << (at & 63);

            __builtin_prefetch(&b.word[place(&b, key[i + AHEAD]) >> 6], 1);
            if (b.word[at >> 6] & bit)
                good &= keep(noted, key[i], 0);
            b.word[at >> 6] |= bit;
        }
    }
    puan_pages_put(b.word, b.size);
    return good;
}

/* Step 2: all rows whose key may be one of the noted. */
static bool collect(struct list *hits, const struct list *noted,
                    const struct search *s, unsigned part)
{
    uint64_t key[STEP + 8], absent = 0;
    uint32_t row[STEP + 8];
    struct bits b;
    bool good = true;

    if (noted->n == 0)
        return true;
    if (!bits_new(&b, 32 * (uint64_t)noted->n))
        return false;
    for (size_t i = 0; i < noted->n; i++) {
        uint64_t at = place(&b, mix(noted->hit[i].key));

        b.word[at >> 6] |= (uint64_t)1 << (at & 63);
    }
    for (uint64_t from = 0; good && from < s->rows; from += STEP) {
        uint32_t n = s->rows - from < STEP ? (uint32_t)(s->rows - from) : STEP;
        uint32_t k = mine(key, row, s, part, from, n, &absent), some = 0;

        for (uint32_t i = 0; i < k; i++) {
            uint64_t at = place(&b, mix(key[i]));

            row[some] = row[i];
            key[some] = key[i];
            some += b.word[at >> 6] >> (at & 63) & 1;
        }
        for (uint32_t i = 0; good && i < some; i++)
            good = keep(hits, key[i], (uint32_t)from + row[i]);
    }
    puan_pages_put(b.word, b.size);
    return good;
}

static bool same(const struct search *s, uint32_t a, uint32_t b)
{
    for (size_t k = 0; k < s->n_items; k++)
        if (puan_frame_stored(s->item[k], a) !=
            puan_frame_stored(s->item[k], b))
            return false;
    return true;
}

/* Step 3: those that are there twice; key becomes the first row of theirs. */
static bool settle(struct list *found, struct list *hits,
                   const struct search *s)
{
    size_t mask = 1023;
    uint32_t *slot;
    uint8_t *more;
    bool good = true;

    while (mask < 2 * hits->n)
        mask = 2 * mask + 1;
    if (hits->n == 0)
        return true;
    slot = calloc(mask + 1, sizeof(*slot)); /* index of the first + 1 */
    more = calloc(hits->n, 1);
    if (!slot || !more) {
        free(slot);
        free(more);
        return false;
    }
    for (size_t i = 0; i < hits->n; i++) {
        struct hit *x = &hits->hit[i];
        size_t h = (size_t)(x->key * GOLD >> 20) & mask;

        for (; slot[h]; h = (h + 1) & mask) {
            const struct hit *y = &hits->hit[slot[h] - 1];

            if (y->key == x->key && (s->exact || same(s, x->row, y->row)))
                break;
        }
        if (!slot[h]) {
            slot[h] = (uint32_t)i + 1;
            continue;
        }
        if (!more[slot[h] - 1])
            good &= keep(found, hits->hit[slot[h] - 1].row,
                         hits->hit[slot[h] - 1].row);
        more[slot[h] - 1] = 1;
        good &= keep(found, hits->hit[slot[h] - 1].row, x->row);
    }
    free(slot);
    free(more);
    return good;
}

static enum puan_status range(void *arg, uint64_t begin, uint64_t end,
                              unsigned worker, struct puan_err *err)
{
    struct search *s = arg;

    (void)worker;
    for (uint64_t p = begin; p < end; p++) {
        struct list noted = { .n = 0 }, hits = { .n = 0 };
        bool good = note(&noted, s, (unsigned)p) &&
                    collect(&hits, &noted, s, (unsigned)p) &&
                    settle(&s->part[p].found, &hits, s);

        free(noted.hit);
        free(hits.hit);
        if (!good)
            return puan_fail(err, PUAN_ENOMEM, "duplicates", "out of memory");
    }
    return PUAN_OK;
}

/* ---- the answer ---------------------------------------------------------------- */

static int by_row(const void *x, const void *y)
{
    const struct hit *a = x, *b = y;

    return (a->row > b->row) - (a->row < b->row);
}

/* First rows of groups to numbers of groups, in one sweep. */
static enum puan_status number(struct puan_frames_twice *out, struct search *s,
                               struct puan_err *err)
{
    struct hit *all;
    size_t n = 0, k = 0;
    uint32_t *group_of; /* of a first row, at its place in `all` */

    for (unsigned p = 0; p < s->parts; p++)
        n += s->part[p].found.n;
    all = malloc((n ? n : 1) * sizeof(*all));
    group_of = malloc((n ? n : 1) * sizeof(*group_of));
    out->row = malloc((n ? n : 1) * sizeof(*out->row));
    out->group = malloc((n ? n : 1) * sizeof(*out->group));
    if (!all || !group_of || !out->row || !out->group) {
        free(all);
        free(group_of);
        return puan_fail(err, PUAN_ENOMEM, "duplicates", "out of memory");
    }
    for (unsigned p = 0; p < s->parts; p++) {
        const struct list *l = &s->part[p].found;

        if (l->n)
            memcpy(all + k, l->hit, l->n * sizeof(*all));
        k += l->n;
        out->absent += s->part[p].absent;
    }
    qsort(all, n, sizeof(*all), by_row);
    for (size_t i = 0; i < n; i++) {
        size_t lo = 0, hi = i;

        out->row[i] = all[i].row;
        if (all[i].key == all[i].row) {
            group_of[i] = (uint32_t)out->groups++;
        } else {
            while (lo < hi) { /* its first row stands before it */
                size_t m = (lo + hi) / 2;

                if (all[m].row < all[i].key)
                    lo = m + 1;
                else
                    hi = m;
            }
            group_of[i] = group_of[lo];
        }
        out->group[i] = group_of[i];
    }
    out->n = n;
    free(all);
    free(group_of);
    return PUAN_OK;
}

enum puan_status puan_frames_duplicates(struct puan_frames_twice *out,
                                        const struct puan_frame_entity *e,
                                        const int *item, size_t n_items,
                                        unsigned threads, struct puan_err *err)
{
    struct search s = { .rows = e->rows, .n_items = n_items };
    enum puan_status st;

    *out = (struct puan_frames_twice){ .n = 0 };
    if (n_items == 0 || n_items > PUAN_COUNT(s.item))
        return puan_fail(err, PUAN_EINVAL, "duplicates",
                         "name one to %zu items", PUAN_COUNT(s.item));
    for (size_t i = 0; i < n_items; i++)
        s.item[i] = &e->item[item[i]];
    s.exact = n_items == 1;
    s.parts = threads ? threads : puan_cores();
    s.parts = s.parts > 64 ? 64 : s.parts;
    s.part = calloc(s.parts, sizeof(*s.part));
    if (!s.part)
        return puan_fail(err, PUAN_ENOMEM, "duplicates", "out of memory");
    st = puan_parallel(s.parts, s.parts, 1, range, &s, err);
    if (st == PUAN_OK)
        st = number(out, &s, err);
    for (unsigned p = 0; p < s.parts; p++)
        free(s.part[p].found.hit);
    free(s.part);
    if (st != PUAN_OK) {
        free(out->row);
        free(out->group);
        *out = (struct puan_frames_twice){ .n = 0 };
    }
    return st;
}
