/*
 * The same value twice, exactly, without a copy of the column.
 *
 * Every key is spread over 64 bits, one to one where it is a single item.
 *
 *   1  Threads part the keys among themselves; each walks over all rows and
 *      minds its own.  Each key sets a bit of a table of 8 bits a key; where
 *      the bit was set already, the key may have been there: it is noted (one
 *      in twenty for no reason).
 *   2  The noted keys set bits of a small table.  Threads part the rows; those
 *      whose bit is set there are collected, with their rows.
 *   3  What was collected goes through a hash table by its full key, part by
 *      part.
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
#define MORE 0x80000000u /* of a slot: its key was there twice */
#define AHEAD 16u /* keys to fetch table lines before they are needed */

struct hit {
    uint64_t key;
    uint32_t row;
};

/* What was found, in blocks that never move. */
#define BLOCK 16384u /* hits */
struct block {
    struct block *next;
    uint32_t n;
    struct hit hit[BLOCK];
};

struct list {
    struct block *first, *last;
    size_t n;
};

struct bits {
    uint64_t *word;
    unsigned shift; /* of a hash, to its bit */
    size_t size;    /* bytes */
};

struct search {
    const struct puan_frame_item *item[32];
    size_t n_items;
    uint64_t rows;
    unsigned parts;
    bool exact;         /* keys are one to one */
    struct bits maybe;  /* of noted keys of all parts */
    struct part {
        struct list noted; /* keys of this part that may be there twice */
        struct list hits;  /* rows of this stretch that may have such a key */
        struct list found; /* rows of groups of this part; key: first row */
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
    struct block *b = l->last;

    if (!b || b->n == BLOCK) {
        b = puan_pages_get(sizeof(*b));
        if (!b)
            return false;
        b->next = NULL;
        b->n = 0;
        *(l->last ? &l->last->next : &l->first) = b;
        l->last = b;
    }
    b->hit[b->n++] = (struct hit){ key, row };
    l->n++;
    return true;
}

static void clear(struct list *l)
{
    for (struct block *b = l->first, *next; b; b = next) {
        next = b->next;
        puan_pages_put(b, sizeof(*b));
    }
    *l = (struct list){ .n = 0 };
}

/*
 * Memory that is read before it is written is first shared with all that is
 * empty and then parted from it, page by page, while every other thread is
 * told: twice the price.  So it is written to first.
 */
static void touch(void *p, size_t n)
{
    for (size_t i = 0; i < n; i += 4096)
        ((volatile char *)p)[i] = 0;
}

/* ---- the steps --------------------------------------------------------------- */

static bool bits_new(struct bits *b, uint64_t n)
{
    unsigned log = 16;

    while (log < 40 && (uint64_t)1 << log < n)
        log++;
    b->shift = 64 - log;
    b->size = (size_t)1 << (log - 3);
    b->word = puan_pages_get(b->size);
    if (b->word)
        touch(b->word, b->size);
    return b->word != NULL;
}

static inline uint64_t place(const struct bits *b, uint64_t key)
{
    return key * GOLD >> b->shift;
}

/* Step 1: keys that may have been there before. */
static bool note(struct search *s, unsigned part)
{
    struct list *noted = &s->part[part].noted;
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

static bool noted_bits(struct search *s)
{
    size_t n = 0;

    for (unsigned p = 0; p < s->parts; p++)
        n += s->part[p].noted.n;
    if (!bits_new(&s->maybe, 16 * (uint64_t)n))
        return false;
    for (unsigned p = 0; p < s->parts; p++)
        for (const struct block *q = s->part[p].noted.first; q; q = q->next)
            for (uint32_t i = 0; i < q->n; i++) {
                uint64_t at = place(&s->maybe, mix(q->hit[i].key));

                s->maybe.word[at >> 6] |= (uint64_t)1 << (at & 63);
            }
    return true;
}

/* Step 2: rows of a stretch whose key may be one of the noted. */
static bool collect(struct search *s, unsigned stretch)
{
    uint64_t begin = s->rows / s->parts * stretch, absent = 0;
    uint64_t end = stretch + 1 == s->parts ? s->rows
                                           : s->rows / s->parts * (stretch + 1);
    struct list *hits = &s->part[stretch].hits;
    const struct bits *b = &s->maybe;
    uint64_t key[STEP + 8];
    uint32_t row[STEP + 8];
    struct search every = { .n_items = s->n_items, .parts = 1 };
    bool good = true;

    memcpy(every.item, s->item, sizeof(every.item));
    for (uint64_t from = begin; good && from < end; from += STEP) {
        uint32_t n = end - from < STEP ? (uint32_t)(end - from) : STEP;
        uint32_t k = mine(key, row, &every, 0, from, n, &absent), some = 0;

        for (uint32_t i = 0; i < k; i++) {
            uint64_t at = place(b, mix(key[i]));

            row[some] = row[i];
            key[some] = key[i];
            some += b->word[at >> 6] >> (at & 63) & 1;
        }
        for (uint32_t i = 0; good && i < some; i++)
            good = keep(hits, key[i], (uint32_t)from + row[i]);
    }
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
static bool settle(struct search *s, unsigned part)
{
    struct list *found = &s->part[part].found;
    size_t n = 0, mask = 1023, k = 0;
    struct hit *all;
    uint32_t *slot;
    bool good = true;

    for (unsigned p = 0; p < s->parts; p++)
        n += s->part[p].hits.n;
    all = malloc((n ? n : 1) * sizeof(*all));
    for (unsigned p = 0; all && p < s->parts; p++)
        for (const struct block *q = s->part[p].hits.first; q; q = q->next)
            for (uint32_t i = 0; i < q->n; i++) {
                all[k] = q->hit[i];
                k += (all[k].key >> 32) * s->parts >> 32 == part;
            }
    while (mask < 2 * k)
        mask = 2 * mask + 1;
    slot = puan_pages_get((mask + 1) * sizeof(*slot)); /* of the first, + 1 */
    good = all && slot && k < MORE;
    if (slot)
        touch(slot, (mask + 1) * sizeof(*slot));
    for (size_t i = 0; good && i < k; i++) {
        struct hit *x = &all[i];
        size_t h = (size_t)(x->key * GOLD >> 20) & mask;

        for (; slot[h]; h = (h + 1) & mask) {
            const struct hit *y = &all[(slot[h] & ~MORE) - 1];

            if (y->key == x->key && (s->exact || same(s, x->row, y->row)))
                break;
        }
        if (!slot[h]) {
            slot[h] = (uint32_t)i + 1;
            continue;
        }
        {
            uint32_t first = all[(slot[h] & ~MORE) - 1].row;

            if (!(slot[h] & MORE))
                good &= keep(found, first, first);
            slot[h] |= MORE;
            good &= keep(found, first, x->row);
        }
    }
    puan_pages_put(slot, (mask + 1) * sizeof(*slot));
    free(all);
    return good;
}

static enum puan_status each(bool (*step)(struct search *, unsigned),
                             struct search *s, uint64_t begin, uint64_t end,
                             struct puan_err *err)
{
    for (uint64_t p = begin; p < end; p++)
        if (!step(s, (unsigned)p))
            return puan_fail(err, PUAN_ENOMEM, "duplicates", "out of memory");
    return PUAN_OK;
}

#define STEP_OF(NAME)                                                          \
    static enum puan_status each_##NAME(void *arg, uint64_t begin,             \
                                        uint64_t end, unsigned worker,         \
                                        struct puan_err *err)                  \
    {                                                                          \
        (void)worker;                                                          \
        return each(NAME, arg, begin, end, err);                               \
    }
/* clang-format off */
STEP_OF(note) STEP_OF(collect) STEP_OF(settle)
/* clang-format on */

/* ---- the answer ---------------------------------------------------------------- */

/* By row, or by the lower 32 bits of the key; keeps the order of equals. */
static struct hit *sort_hits(struct hit *p, struct hit *spare, size_t n,
                             bool by_row)
{
    for (unsigned shift = 0; shift < 33; shift += 11) {
        size_t at[2049] = { 0 };
        struct hit *swap = p;

#define DIGIT(x) (((by_row ? (uint64_t)(x).row : (x).key) >> shift) & 2047)
        for (size_t i = 0; i < n; i++)
            at[DIGIT(p[i]) + 1]++;
        for (size_t b = 1; b < 2049; b++)
            at[b] += at[b - 1];
        for (size_t i = 0; i < n; i++)
            spare[at[DIGIT(p[i])]++] = p[i];
#undef DIGIT
        p = spare;
        spare = swap;
    }
    return p;
}

/* First rows of groups to numbers of groups, ascending by row. */
static enum puan_status number(struct puan_frames_twice *out, struct search *s,
                               struct puan_err *err)
{
    struct hit *all, *p;
    size_t n = 0, k = 0;

    for (unsigned i = 0; i < s->parts; i++)
        n += s->part[i].found.n;
    all = malloc((2 * n + 1) * sizeof(*all));
    out->row = malloc((n ? n : 1) * sizeof(*out->row));
    out->group = malloc((n ? n : 1) * sizeof(*out->group));
    if (!all || !out->row || !out->group) {
        free(all);
        return puan_fail(err, PUAN_ENOMEM, "duplicates", "out of memory");
    }
    for (unsigned i = 0; i < s->parts; i++) {
        for (const struct block *b = s->part[i].found.first; b; b = b->next) {
            memcpy(all + k, b->hit, b->n * sizeof(*all));
            k += b->n;
        }
        out->absent += s->part[i].absent;
    }
    p = sort_hits(all, all + n, n, false); /* groups by their first rows */
    for (size_t i = 0; i < n; i++) {
        bool first = p[i].key == p[i].row;

        out->groups += first;
        out->group[i] = (uint32_t)(out->groups - 1);
    }
    for (size_t i = 0; i < n; i++)
        p[i].key = out->group[i];
    p = sort_hits(p, p == all ? all + n : all, n, true);
    for (size_t i = 0; i < n; i++) {
        out->row[i] = p[i].row;
        out->group[i] = (uint32_t)p[i].key;
    }
    out->n = n;
    free(all);
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
    st = puan_parallel(s.parts, s.parts, 1, each_note, &s, err);
    if (st == PUAN_OK && !noted_bits(&s))
        st = puan_fail(err, PUAN_ENOMEM, "duplicates", "out of memory");
    if (st == PUAN_OK)
        st = puan_parallel(s.parts, s.parts, 1, each_collect, &s, err);
    if (st == PUAN_OK)
        st = puan_parallel(s.parts, s.parts, 1, each_settle, &s, err);
    if (st == PUAN_OK)
        st = number(out, &s, err);
    for (unsigned p = 0; p < s.parts; p++) {
        clear(&s.part[p].noted);
        clear(&s.part[p].hits);
        clear(&s.part[p].found);
    }
    if (s.maybe.word)
        puan_pages_put(s.maybe.word, s.maybe.size);
    free(s.part);
    if (st != PUAN_OK) {
        free(out->row);
        free(out->group);
        *out = (struct puan_frames_twice){ .n = 0 };
    }
    return st;
}
