/*
 * Levels above a plain file: where the rows of each begin, in two passes over
 * its key columns (how many, then where), in ranges of rows by all cores.
 *
 * Rows that stand together need no order.  A level whose key comes up again
 * later is found by a hash of its rows, which are far fewer than the file's;
 * only then are the rows brought into the order of the keys.
 */
#include <stdlib.h>

#include "features/frame/internal.h"
#include "kit/job/job.h"

#define LEVELS_MOST PUAN_FRAME_ENTITIES
#define STEP 4096u
#define RANGE (1u << 18)

/* A level as it will be: the items of its whole key, outer ones first. */
struct level {
    struct puan_str name;
    uint16_t key[64];
    size_t n_key, own; /* key[own …] are not those of the level outside */
    uint32_t *start;   /* first row of each; rows + 1 */
    uint64_t rows;
    uint32_t *first; /* rows of the level outside + 1; NULL: outermost */
    void *data[64];  /* of its own items */
    int rising;      /* one of its own that is sorted in the file; -1: none */
    uint64_t changes; /* of that, the first row counted */
};

struct group {
    struct puan_frames *f;
    struct puan_frame_entity own; /* of the file */
    struct level level[LEVELS_MOST];
    size_t n;
    uint64_t *count; /* [range][level]; then where it begins */
    uint64_t *changes; /* [range][level] */
    size_t n_ranges;
};

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

/* ---- which rows begin something ----------------------------------------------------- */

#define DIFFER(T)                                                              \
    do {                                                                       \
        const T *p = (const T *)it->data + row;                                \
                                                                               \
        for (uint32_t i = 0; i < n; i++)                                       \
            d[i] |= p[i] != p[(ptrdiff_t)i - 1];                               \
    } while (0)

INLINE void differ(uint8_t *d, const struct puan_frame_item *it, uint64_t row,
                   uint32_t n)
{
    switch (it->width) {
    case 1:
        DIFFER(uint8_t);
        break;
    case 2:
        DIFFER(uint16_t);
        break;
    case 4:
        DIFFER(uint32_t);
        break;
    default:
        DIFFER(uint64_t);
        break;
    }
}

/* d[i]: how many levels begin at row + i, the innermost ones. */
INLINE void begins_at(uint8_t *d, const struct group *g, uint64_t row,
                      uint32_t n)
{
    uint8_t now[STEP];
    uint32_t skip = row == 0; /* the first row has none before it */

    memset(d, 0, n);
    memset(now, 0, n);
    for (size_t k = 0; k < g->n; k++) {
        const struct level *l = &g->level[k];

        for (size_t i = l->own; i < l->n_key; i++)
            differ(now + skip, &g->own.item[l->key[i]], row + skip, n - skip);
        if (skip)
            now[0] = 1;
        for (uint32_t i = 0; i < n; i++)
            d[i] = (uint8_t)(d[i] + now[i]);
    }
}

#if defined(__x86_64__)
#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl")))

static bool have_wide(void)
{
    return __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
}

WIDE static void begins_wide(uint8_t *d, const struct group *g, uint64_t row,
                             uint32_t n)
{
    begins_at(d, g, row, n);
}
#endif

static void begins(uint8_t *d, const struct group *g, uint64_t row, uint32_t n)
{
#if defined(__x86_64__)
    if (have_wide()) {
        begins_wide(d, g, row, n);
        return;
    }
#endif
    begins_at(d, g, row, n);
}

/* Changes of an item among rows [row, row + n). */
static uint32_t changes(const struct puan_frame_item *it, uint64_t row,
                        uint32_t n)
{
    uint32_t skip = row == 0, c = skip;
    uint8_t d[STEP];

    memset(d, 0, n);
    differ(d + skip, it, row + skip, n - skip);
    for (uint32_t i = skip; i < n; i++)
        c += d[i];
    return c;
}

static enum puan_status count_range(void *arg, uint64_t begin, uint64_t end,
                                    unsigned worker, struct puan_err *err)
{
    struct group *g = arg;
    uint8_t d[STEP];

    (void)worker;
    (void)err;
    for (uint64_t r = begin; r < end; r++) {
        uint64_t to = (r + 1) * RANGE < g->own.rows ? (r + 1) * RANGE
                                                    : g->own.rows;
        uint64_t *count = g->count + r * g->n;

        for (uint64_t row = r * RANGE; row < to; row += STEP) {
            uint32_t n = to - row < STEP ? (uint32_t)(to - row) : STEP;

            begins(d, g, row, n);
            for (size_t k = 0; k < g->n; k++) {
                uint32_t c = 0;

                for (uint32_t i = 0; i < n; i++)
                    c += d[i] >= g->n - k;
                count[k] += c;
                if (g->level[k].rising >= 0)
                    g->changes[r * g->n + k] += changes(
                        &g->own.item[g->level[k].rising], row, n);
            }
        }
    }
    return PUAN_OK;
}

/* Row `at` of a level begins at a row of the file. */
static void put_start(struct group *g, struct level *l, uint64_t at, uint64_t row)
{
    l->start[at] = (uint32_t)row;
    for (size_t i = l->own; i < l->n_key; i++) {
        const struct puan_frame_item *it = &g->own.item[l->key[i]];
        void *to = l->data[i - l->own];
        uint64_t v = puan_frame_stored(it, row);

        switch (it->width) {
        case 1:
            ((uint8_t *)to)[at] = (uint8_t)v;
            break;
        case 2:
            ((uint16_t *)to)[at] = (uint16_t)v;
            break;
        case 4:
            ((uint32_t *)to)[at] = (uint32_t)v;
            break;
        default:
            ((uint64_t *)to)[at] = v;
            break;
        }
    }
}

#define PICK(T)                                                                \
    do {                                                                       \
        T *to = (T *)l->data[i - l->own] + at;                                 \
        const T *p = (const T *)it->data + row;                                \
                                                                               \
        for (uint32_t j = 0; j < m; j++)                                       \
            to[j] = p[which[j]];                                               \
    } while (0)

/* The innermost level's rows that begin at row + which[]; most begin there
   alone, so they are not put one by one. */
static void put_inner(struct group *g, uint64_t at, uint64_t row,
                      const uint16_t *which, uint32_t m)
{
    struct level *l = &g->level[g->n - 1];

    for (uint32_t j = 0; j < m; j++)
        l->start[at + j] = (uint32_t)row + which[j];
    for (size_t i = l->own; i < l->n_key; i++) {
        const struct puan_frame_item *it = &g->own.item[l->key[i]];

        switch (it->width) {
        case 1:
            PICK(uint8_t);
            break;
        case 2:
            PICK(uint16_t);
            break;
        case 4:
            PICK(uint32_t);
            break;
        default:
            PICK(uint64_t);
            break;
        }
    }
}

/* The d innermost levels begin at a row, the innermost with number `inner`. */
static void put_outer(struct group *g, uint64_t *at, unsigned d, uint64_t inner,
                      uint64_t row)
{
    for (size_t k = g->n - d; k + 1 < g->n; k++) {
        put_start(g, &g->level[k], at[k], row);
        g->level[k + 1].first[at[k]] =
            (uint32_t)(k + 2 < g->n ? at[k + 1] : inner);
        at[k]++;
    }
}

static enum puan_status start_range(void *arg, uint64_t begin, uint64_t end,
                                    unsigned worker, struct puan_err *err)
{
    struct group *g = arg;
    uint8_t d[STEP];
    uint16_t which[STEP];

    (void)worker;
    (void)err;
    for (uint64_t r = begin; r < end; r++) {
        uint64_t to = (r + 1) * RANGE < g->own.rows ? (r + 1) * RANGE
                                                    : g->own.rows;
        uint64_t *at = g->count + r * g->n;

        for (uint64_t row = r * RANGE; row < to; row += STEP) {
            uint32_t n = to - row < STEP ? (uint32_t)(to - row) : STEP, m = 0;

            begins(d, g, row, n);
            for (uint32_t i = 0; i < n; i++) {
                which[m] = (uint16_t)i;
                m += d[i] != 0;
            }
            put_inner(g, at[g->n - 1], row, which, m);
            for (uint32_t j = 0; j < m; j++)
                if (d[which[j]] > 1)
                    put_outer(g, at, d[which[j]], at[g->n - 1] + j,
                              row + which[j]);
            at[g->n - 1] += m;
        }
    }
    return PUAN_OK;
}

static void *pages_of(struct group *g, uint64_t n, size_t size)
{
    return puan_frames_pages(g->f, (size_t)n * size);
}

/* Finds the rows of all levels as the file stands. */
static enum puan_status find(struct group *g, struct puan_err *err)
{
    uint64_t total[LEVELS_MOST] = { 0 };
    enum puan_status st;

    memset(g->count, 0, g->n_ranges * g->n * sizeof(*g->count));
    memset(g->changes, 0, g->n_ranges * g->n * sizeof(*g->changes));
    for (size_t k = 0; k < g->n; k++) {
        struct level *l = &g->level[k];

        l->rising = -1;
        l->changes = 0;
        for (size_t i = l->own; i < l->n_key && l->rising < 0; i++)
            if (g->own.item[l->key[i]].sorted)
                l->rising = l->key[i];
    }
    st = puan_parallel(g->f->threads, g->n_ranges, 1, count_range, g, err);
    if (st != PUAN_OK)
        return st;
    for (size_t r = 0; r < g->n_ranges; r++)
        for (size_t k = 0; k < g->n; k++) {
            uint64_t c = g->count[r * g->n + k];

            g->count[r * g->n + k] = total[k];
            total[k] += c;
            g->level[k].changes += g->changes[r * g->n + k];
        }
    for (size_t k = 0; k < g->n; k++) {
        struct level *l = &g->level[k];

        l->rows = total[k];
        l->start = pages_of(g, l->rows + 1, sizeof(*l->start));
        if (k > 0)
            l->first = pages_of(g, total[k - 1] + 1, sizeof(*l->first));
        if (!l->start || (k > 0 && !l->first))
            return puan_fail(err, PUAN_ENOMEM, "levels", "out of memory");
        for (size_t i = l->own; i < l->n_key; i++) {
            l->data[i - l->own] =
                pages_of(g, l->rows, g->own.item[l->key[i]].width);
            if (!l->data[i - l->own])
                return puan_fail(err, PUAN_ENOMEM, "levels", "out of memory");
        }
        l->start[l->rows] = (uint32_t)g->own.rows;
        if (k > 0)
            l->first[total[k - 1]] = (uint32_t)total[k];
    }
    return puan_parallel(g->f->threads, g->n_ranges, 1, start_range, g, err);
}

/* ---- whether rows stand together ------------------------------------------------------ */

static int compare(const struct group *g, const struct level *l, uint32_t a,
                   uint32_t b, size_t from)
{
    for (size_t i = from; i < l->n_key; i++) {
        const struct puan_frame_item *it = &g->own.item[l->key[i]];
        uint64_t x = puan_frame_stored(it, a), y = puan_frame_stored(it, b);

        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

static uint64_t hash_of(const struct group *g, const struct level *l,
                        uint32_t row)
{
    uint64_t h = 0;

    for (size_t i = 0; i < l->n_key; i++) {
        h ^= puan_frame_stored(&g->own.item[l->key[i]], row);
        h *= 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    return h;
}

/* Whether no key of a level comes twice; -1: out of memory. */
static int together(const struct group *g, const struct level *l)
{
    uint64_t mask = 1023, i;
    uint32_t *slot;
    bool rising = true;
    int yes = 1;

    /* an item that never falls and changes wherever a row of the level begins
       has another value in each */
    if (l->rising >= 0 && l->changes == l->rows)
        return 1;
    for (i = 1; rising && i < l->rows; i++)
        rising = compare(g, l, l->start[i - 1], l->start[i], 0) < 0;
    if (rising)
        return 1;
    while (mask < 2 * l->rows)
        mask = 2 * mask + 1;
    slot = puan_pages_get((mask + 1) * sizeof(*slot));
    if (!slot)
        return -1;
    for (i = 0; yes && i < l->rows; i++) {
        uint64_t h = hash_of(g, l, l->start[i]) & mask;

        for (; slot[h]; h = (h + 1) & mask)
            if (compare(g, l, l->start[slot[h] - 1], l->start[i], 0) == 0) {
                yes = 0;
                break;
            }
        slot[h] = (uint32_t)i + 1;
    }
    puan_pages_put(slot, (mask + 1) * sizeof(*slot));
    return yes;
}

/* ---- bringing them together ------------------------------------------------------------ */

/* One step of a radix sort of row numbers: by 16 bits of a column. */
static void radix(uint32_t *to, const uint32_t *from, uint64_t n,
                  const struct puan_frame_item *it, unsigned shift)
{
    static const size_t bins = 65536;
    uint64_t *count = calloc(bins + 1, sizeof(*count));

    if (!count) { /* the order is still a permutation, found out later */
        memcpy(to, from, n * sizeof(*to));
        return;
    }
    for (uint64_t i = 0; i < n; i++)
        count[(puan_frame_stored(it, i) >> shift & 0xffff) + 1]++;
    for (size_t i = 0; i < bins; i++)
        count[i + 1] += count[i];
    for (uint64_t i = 0; i < n; i++)
        to[count[puan_frame_stored(it, from[i]) >> shift & 0xffff]++] = from[i];
    free(count);
}

struct move_job {
    struct puan_frame_item *item;
    void **data;
    const uint32_t *row;
    uint64_t n;
};

#define MOVE(T)                                                                \
    do {                                                                       \
        T *d = j->data[i];                                                     \
        const T *s = j->item[i].data;                                          \
                                                                               \
        for (uint64_t r = 0; r < j->n; r++)                                    \
            d[r] = s[j->row[r]];                                               \
    } while (0)

static enum puan_status move_range(void *arg, uint64_t begin, uint64_t end,
                                   unsigned worker, struct puan_err *err)
{
    const struct move_job *j = arg;

    (void)worker;
    (void)err;
    for (uint64_t i = begin; i < end; i++) {
        switch (j->item[i].width) {
        case 1:
            MOVE(uint8_t);
            break;
        case 2:
            MOVE(uint16_t);
            break;
        case 4:
            MOVE(uint32_t);
            break;
        default:
            MOVE(uint64_t);
            break;
        }
        j->item[i].data = j->data[i];
        j->item[i].sorted = puan_stored_sorted(j->data[i], j->item[i].width,
                                               j->n);
    }
    return PUAN_OK;
}

static enum puan_status reorder(struct group *g, uint64_t *moved,
                                struct puan_err *err)
{
    const struct level *inner = &g->level[g->n - 1];
    uint64_t n = g->own.rows;
    size_t bytes = (size_t)n * sizeof(uint32_t);
    uint32_t *row = puan_pages_get(bytes), *other = puan_pages_get(bytes);
    struct puan_arena *a = &g->f->arena;
    struct move_job j = { .n = n };
    enum puan_status st = PUAN_OK;

    j.item = puan_arena_get_n(a, g->own.n_items, sizeof(*j.item));
    j.data = puan_arena_get_n(a, g->own.n_items, sizeof(*j.data));
    if (!row || !other || !j.item || !j.data) {
        st = puan_fail(err, PUAN_ENOMEM, "levels", "out of memory");
        goto out;
    }
    for (uint64_t i = 0; i < n; i++)
        row[i] = (uint32_t)i;
    for (size_t k = inner->n_key; k-- > 0;) {
        const struct puan_frame_item *it = &g->own.item[inner->key[k]];

        for (unsigned shift = 0; shift < 8u * it->width; shift += 16) {
            uint32_t *t = row;

            radix(other, row, n, it, shift);
            row = other;
            other = t;
        }
    }
    for (uint64_t i = 0; i < n; i++)
        *moved += row[i] != i;
    memcpy(j.item, g->own.item, g->own.n_items * sizeof(*j.item));
    for (size_t i = 0; i < g->own.n_items; i++) {
        j.data[i] = pages_of(g, n, j.item[i].width);
        if (!j.data[i]) {
            st = puan_fail(err, PUAN_ENOMEM, "levels", "out of memory");
            goto out;
        }
    }
    j.row = row;
    st = puan_parallel(g->f->threads, g->own.n_items, 1, move_range, &j, err);
    g->own.item = j.item;
out:
    puan_pages_put(row, bytes);
    puan_pages_put(other, bytes);
    return st;
}

/* ---- which levels ------------------------------------------------------------------------ */

static bool has_key(const struct level *l, uint16_t item)
{
    for (size_t i = 0; i < l->n_key; i++)
        if (l->key[i] == item)
            return true;
    return false;
}

static bool key_within(const struct level *l, const struct level *in)
{
    for (size_t i = 0; i < l->n_key; i++)
        if (!has_key(in, l->key[i]))
            return false;
    return true;
}

/* A level as asked for, with the key of the one before it. */
static enum puan_status ask(struct level *l, const struct group *g,
                            const struct puan_frames_level *want,
                            const struct level *before, struct puan_err *err)
{
    *l = (struct level){ .name = puan_arena_keep(&g->f->arena, want->name) };
    if (before) {
        memcpy(l->key, before->key, sizeof(l->key));
        l->n_key = before->n_key;
    }
    for (size_t i = 0; i < want->n_items; i++) {
        int at = puan_frame_item(&g->own, want->item[i]);

        if (at < 0)
            return puan_fail(err, PUAN_EINVAL, "levels",
                             "level %.*s: the file has no item %.*s",
                             PUAN_FMT(want->name), PUAN_FMT(want->item[i]));
        if (has_key(l, (uint16_t)at))
            continue;
        if (l->n_key == PUAN_COUNT(l->key))
            return puan_fail(err, PUAN_ELIMIT, "levels",
                             "level %.*s has too many items",
                             PUAN_FMT(want->name));
        l->key[l->n_key++] = (uint16_t)at;
    }
    if (l->n_key == 0)
        return puan_fail(err, PUAN_EINVAL, "levels",
                         "level %.*s is by no item", PUAN_FMT(want->name));
    return PUAN_OK;
}

/* Puts a level into its place in the chain, or finds it there. */
static enum puan_status add(struct group *g, const struct level *l,
                            bool *added, struct puan_err *err)
{
    size_t at = g->n;

    if (puan_str_eq(l->name, g->own.name))
        return puan_fail(err, PUAN_EINVAL, "levels",
                         "the rows of the file are %.*s already; name the "
                         "level or the rows (--entity) otherwise",
                         PUAN_FMT(l->name));
    for (size_t i = 0; i < g->n; i++)
        if (puan_str_eq(g->level[i].name, l->name)) {
            if (key_within(l, &g->level[i]) && key_within(&g->level[i], l))
                return PUAN_OK;
            return puan_fail(err, PUAN_EINVAL, "levels",
                             "level %.*s is there by other items",
                             PUAN_FMT(l->name));
        }
    if (g->n + 1 == LEVELS_MOST)
        return puan_fail(err, PUAN_ELIMIT, "levels", "too many levels");
    while (at > 0 && !key_within(&g->level[at - 1], l))
        at--;
    if (at < g->n && !key_within(l, &g->level[at]))
        return puan_fail(err, PUAN_EINVAL, "levels",
                         "%.*s and %.*s do not lie in one another: name the "
                         "outer level first",
                         PUAN_FMT(l->name), PUAN_FMT(g->level[at].name));
    memmove(&g->level[at + 1], &g->level[at],
            (g->n - at) * sizeof(g->level[0]));
    g->level[at] = *l;
    g->n++;
    *added = true;
    return PUAN_OK;
}

/* Each level's key: that of the level outside first, then what is its own. */
static void order_keys(struct group *g)
{
    for (size_t k = 1; k < g->n; k++) {
        const struct level *out = &g->level[k - 1];
        struct level *l = &g->level[k];
        uint16_t key[PUAN_COUNT(l->key)];
        size_t n = out->n_key;

        memcpy(key, out->key, sizeof(key));
        for (size_t i = 0; i < l->n_key; i++)
            if (!has_key(out, l->key[i]))
                key[n++] = l->key[i];
        memcpy(l->key, key, sizeof(l->key));
        l->n_key = n;
        l->own = out->n_key;
    }
}

/* The levels that are there, as they were asked for once. */
static enum puan_status there(struct group *g, struct puan_err *err)
{
    const struct puan_frame *fr = &g->f->frame;

    for (size_t i = 0; i + 1 < fr->n_entities; i++) {
        const struct puan_frame_entity *e = &fr->entity[i];
        struct level *l = &g->level[g->n++];

        if (e->n_key == 0 || e->n_key > PUAN_COUNT(l->key) ||
            g->n == LEVELS_MOST)
            return puan_fail(err, PUAN_EINVAL, "levels",
                             "levels are made of plain files only; this frame "
                             "has %.*s of its own",
                             PUAN_FMT(e->name));
        *l = (struct level){ .name = e->name, .n_key = e->n_key };
        memcpy(l->key, e->key, e->n_key * sizeof(*e->key));
    }
    return PUAN_OK;
}

/* ---- the frame ----------------------------------------------------------------------------- */

/* An item of a level: what its rows have in common. */
static void pick(struct puan_frame_item *out, const struct level *l, size_t i,
                 const struct puan_frame_item *it)
{
    *out = *it;
    out->data = l->data[i - l->own];
    out->sorted = it->sorted ||
                  puan_stored_sorted(out->data, it->width, l->rows);
    out->n_given = l->rows;
    for (uint64_t r = 0; it->n_states && r < l->rows; r++)
        out->n_given -= puan_frame_stored(out, r) >= it->stop;
}

static enum puan_status level_items(struct puan_frame_entity *e,
                                    struct group *g, const struct level *l,
                                    struct puan_err *err)
{
    struct puan_arena *a = &g->f->arena;
    struct puan_frame_item *item =
        puan_arena_get_n(a, l->n_key - l->own, sizeof(*item));
    uint16_t *key = puan_arena_get_n(a, l->n_key, sizeof(*key));
    enum puan_status st = puan_arena_check(a, err);

    if (st != PUAN_OK || !item || !key)
        return st;
    memcpy(key, l->key, l->n_key * sizeof(*key));
    e->key = key;
    e->n_key = l->n_key;
    e->item = item;
    for (size_t i = l->own; i < l->n_key; i++)
        pick(&item[e->n_items++], l, i, &g->own.item[l->key[i]]);
    return PUAN_OK;
}

static enum puan_status build(struct group *g, struct puan_err *err)
{
    struct puan_frame_entity *e =
        puan_arena_get_n(&g->f->arena, g->n + 1, sizeof(*e));
    enum puan_status st = PUAN_OK;

    if (!e)
        return puan_fail(err, PUAN_ENOMEM, "levels", "out of memory");
    for (size_t k = 0; st == PUAN_OK && k < g->n; k++) {
        e[k].name = g->level[k].name;
        e[k].parent = (int)k - 1;
        e[k].rows = g->level[k].rows;
        e[k].first = g->level[k].first;
        st = level_items(&e[k], g, &g->level[k], err);
    }
    e[g->n] = g->own;
    e[g->n].parent = (int)g->n - 1;
    e[g->n].first = g->level[g->n - 1].start;
    if (st == PUAN_OK) {
        g->f->frame.entity = e;
        g->f->frame.n_entities = g->n + 1;
    }
    return st;
}

static enum puan_status group(struct group *g,
                              const struct puan_frames_level *level, size_t n,
                              uint64_t *moved, struct puan_err *err)
{
    struct level before = { .n_key = 0 };
    bool added = false;
    enum puan_status st = there(g, err);

    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        struct level want;

        st = ask(&want, g, &level[i], i ? &before : NULL, err);
        if (st == PUAN_OK)
            st = add(g, &want, &added, err);
        before = want;
    }
    if (st != PUAN_OK || !added)
        return st;
    order_keys(g);
    g->n_ranges = (size_t)((g->own.rows + RANGE - 1) / RANGE);
    g->count = puan_arena_get_n(&g->f->arena, g->n_ranges * g->n,
                                sizeof(*g->count));
    g->changes = puan_arena_get_n(&g->f->arena, g->n_ranges * g->n,
                                  sizeof(*g->changes));
    st = puan_arena_check(&g->f->arena, err);
    if (st == PUAN_OK)
        st = find(g, err);
    for (size_t k = 0; st == PUAN_OK && k < g->n; k++) {
        int yes = together(g, &g->level[k]);

        if (yes < 0)
            return puan_fail(err, PUAN_ENOMEM, "levels", "out of memory");
        if (yes)
            continue;
        st = reorder(g, moved, err);
        if (st == PUAN_OK)
            st = find(g, err);
        break;
    }
    return st == PUAN_OK ? build(g, err) : st;
}

enum puan_status puan_frames_group(struct puan_frames *f,
                                   const struct puan_frames_level *level,
                                   size_t n, uint64_t *moved,
                                   struct puan_err *err)
{
    struct group *g = calloc(1, sizeof(*g));
    uint64_t count = 0;
    enum puan_status st;

    if (!g)
        return puan_fail(err, PUAN_ENOMEM, "levels", "out of memory");
    g->f = f;
    if (f->frame.n_entities == 0) {
        st = puan_fail(err, PUAN_EINVAL, "levels", "the frame has no rows");
    } else {
        g->own = f->frame.entity[f->frame.n_entities - 1];
        st = group(g, level, n, &count, err);
    }
    if (moved)
        *moved = count;
    free(g);
    return st;
}
