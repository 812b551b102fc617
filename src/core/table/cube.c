/*
 * Counting of cubes over a frame; see cube.h.
 *
 * A compiled cube has its sorted axes first ("outer": they change only at the
 * borders of runs) and the others behind them ("inner": they are computed for
 * every row).  A key is outer * inner cells + inner index.
 */
#include "core/table/cube.h"

#include "core/table/cube_in.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define WHOLE_MOST ((uint64_t)1 << 21) /* cells of a cube held whole: 8 MB */
#define RUNS_MOST ((uint64_t)1 << 20)  /* inner cells of a run */
#define COPIES_BYTES 32768 /* copies of a cube stay within the first cache */
#define LENT_LEAST ((size_t)1 << 16) /* bytes of a block of cells; doubles */
#define LENT_MOST ((size_t)1 << 22)

/* ---- what an item's stored values mean -------------------------------------
 */

static uint64_t given_classes(const struct puan_frame_item *it)
{
    return it->least > it->most
               ? 0
               : (uint64_t)it->most - (uint64_t)it->least + 1;
}

uint64_t puan_cube_classes(const struct puan_frame_item *it)
{
    uint64_t n = given_classes(it) + it->n_states;

    return n ? n : 1; /* an entity without rows */
}

int64_t puan_cube_value(enum puan_state *state,
                        const struct puan_frame_item *it, uint64_t class_)
{
    uint64_t given = given_classes(it);

    *state = PUAN_GIVEN;
    if (class_ < given)
        return (int64_t)((uint64_t)it->least + class_);
    *state = class_ - given < it->n_states ? it->states[class_ - given].state
                                           : PUAN_INVALID;
    return 0;
}

struct puan_cube_codes puan_cube_codes_of(const struct puan_frame_item *it)
{
    uint64_t given = given_classes(it);
    uint64_t off = given ? (uint64_t)it->least - (uint64_t)it->base : 0;

    return (struct puan_cube_codes){
        .off = off,
        .stop = it->n_states ? it->stop : UINT64_MAX,
        /* what a state is lowered by beside `off` */
        .gap = it->n_states ? it->stop - off - given : 0,
        .top = puan_cube_classes(it) - 1,
    };
}

static bool sum_fits(const struct puan_frame_item *it, uint64_t rows)
{
    uint64_t span = given_classes(it), x, y;
    uint64_t least = it->least < 0 ? 0 - (uint64_t)it->least
                                   : (uint64_t)it->least;

    if (it->least > it->most)
        return true;
    return span && !__builtin_mul_overflow(span, rows, &x) &&
           !__builtin_mul_overflow(least, rows, &y) && x < INT64_MAX / 2 &&
           y < INT64_MAX / 2;
}

/* ---- the tree of entities --------------------------------------------------
 */

/* Checks the parting of rows on the way down to an entity, each once. */
static enum puan_status check_way(struct puan_cubes *s, int up, int entity,
                                  struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    for (int e = entity; st == PUAN_OK && e != up; e = s->f->entity[e].parent) {
        if (!s->checked[e])
            st = puan_frame_check_one(s->f, (size_t)e, err);
        s->checked[e] = true;
    }
    return st;
}

/* Is `up` the entity itself or above it?  Gives the way down to it. */
static bool way_down(struct puan_cube_way_down *w, const struct puan_frame *f,
                     int up, int entity)
{
    const uint32_t *step[PUAN_CUBE_STEPS];
    size_t n = 0;

    for (int e = entity; e != up; e = f->entity[e].parent) {
        if (f->entity[e].parent < 0 || n == PUAN_CUBE_STEPS)
            return false;
        step[n++] = f->entity[e].first;
    }
    w->n = n;
    for (size_t i = 0; i < n; i++)
        w->first[i] = step[n - 1 - i];
    return true;
}

/* First row below of row x (or the end, for x one past the last). */
static uint64_t down(const struct puan_cube_way_down *w, uint64_t x)
{
    for (size_t i = 0; i < w->n; i++)
        x = w->first[i][x];
    return x;
}

/* The row above that `row` belongs to: the last one that begins by then. */
static uint64_t up(const struct puan_cube_way_down *w, uint64_t rows,
                   uint64_t row)
{
    uint64_t lo = 0, hi = rows;

    if (w->n == 0)
        return row;
    while (hi - lo > 1) {
        uint64_t mid = lo + (hi - lo) / 2;

        if (down(w, mid) <= row)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

PUAN_CUBE_WIDE
static uint32_t most_below(const uint32_t *first, uint64_t rows)
{
    uint32_t most = 0;

    for (uint64_t i = 0; i < rows; i++) {
        uint32_t d = first[i + 1] - first[i];

        most = d > most ? d : most;
    }
    return most;
}

/* ---- compiling -------------------------------------------------------------
 */

static enum puan_status axis_open(struct puan_cube_axis_in *x,
                                  struct puan_cubes *s,
                                  const struct puan_cube_axis *spec,
                                  struct puan_err *err)
{
    const struct puan_frame *f = s->f;
    enum puan_status st;

    x->spec = spec;
    if (spec->entity >= f->n_entities ||
        !way_down(&x->way, f, spec->entity, s->unit))
        return puan_fail(err, PUAN_EINVAL, "cube",
                         "an axis is neither of the unit nor above it");
    st = check_way(s, spec->entity, s->unit, err);
    if (st != PUAN_OK)
        return st;
    x->rows = f->entity[spec->entity].rows;
    x->map = spec->map;
    if (spec->item) {
        x->codes = puan_cube_codes_of(spec->item);
        x->n = puan_cube_classes(spec->item);
        x->sorted = spec->item->sorted && !spec->map && x->n > 1;
    } else {
        if (!way_down(&x->below, f, spec->entity, spec->below) ||
            x->below.n == 0)
            return puan_fail(err, PUAN_EINVAL, "cube",
                             "rows can be counted only of an entity below");
        st = check_way(s, spec->entity, spec->below, err);
        if (st != PUAN_OK)
            return st;
        if (x->below.n == 1)
            x->n = most_below(x->below.first[0], x->rows);
        else
            for (uint64_t i = 0; i < x->rows; i++) {
                uint64_t d = down(&x->below, i + 1) - down(&x->below, i);

                x->n = d > x->n ? d : x->n;
            }
        x->codes = (struct puan_cube_codes){ 0, UINT64_MAX, 0, x->n };
        x->n++;
    }
    if (spec->map) {
        uint64_t raw = x->n;

        x->n = spec->n;
        for (uint64_t i = 0; i < raw; i++)
            if (spec->map[i] == PUAN_CUBE_OUT)
                x->outs = true;
        x->n += x->outs;
    }
    return PUAN_OK;
}

/* Mean length of the runs of an axis, from a few places. */
static uint64_t run_length(const struct puan_cubes *s,
                           const struct puan_cube_in *c)
{
    uint64_t rows = s->rows, sum = 0;
    unsigned n = 16;

    for (unsigned i = 0; i < n; i++) {
        uint64_t row = rows / n * i, end = rows;

        for (size_t k = 0; k < c->n_outer; k++) {
            uint64_t guess = 1,
                     e = puan_cube_run_end(&c->axis[k], row, rows, &guess);

            end = e < end ? e : end;
        }
        sum += end - row;
    }
    return sum / n;
}

static enum puan_status cube_open(struct puan_cube_in *c, struct puan_cubes *s,
                                  const struct puan_cube_spec *spec,
                                  struct puan_err *err)
{
    uint64_t cells = 1;
    size_t at = 0;

    if (spec->n_axes > PUAN_CUBE_AXES || spec->n_sums > PUAN_CUBE_SUMS)
        return puan_fail(err, PUAN_ELIMIT, "cube",
                         "at most %d axes and %d sums", PUAN_CUBE_AXES,
                         PUAN_CUBE_SUMS);
    c->spec = spec;
    for (size_t pass = 0; pass < 2; pass++) { /* sorted axes first */
        for (size_t i = 0; i < spec->n_axes; i++) {
            struct puan_cube_axis_in x = { 0 };
            enum puan_status st = axis_open(&x, s, &spec->axis[i], err);

            if (st != PUAN_OK)
                return st;
            if (x.sorted != (pass == 0))
                continue;
            x.of = i;
            c->axis[at++] = x;
        }
        if (pass == 0)
            c->n_outer = at;
    }
    for (size_t i = spec->n_axes; i-- > 0;) {
        c->axis[i].stride = cells;
        if (i + 1 == c->n_outer)
            c->inner = cells;
        if (__builtin_mul_overflow(cells, c->axis[i].n, &cells) ||
            cells > INT64_MAX)
            return puan_fail(err, PUAN_ELIMIT, "cube",
                             "too many possible cells; use fewer or coarser "
                             "dimensions");
    }
    if (c->n_outer == 0)
        c->inner = cells;
    c->cells = cells;
    for (size_t i = 0; i < spec->n_sums; i++) {
        struct puan_cube_sum_in *m = &c->sum[i];

        m->item = spec->sum[i].item;
        m->codes = puan_cube_codes_of(m->item);
        if (spec->sum[i].entity >= s->f->n_entities ||
            !way_down(&m->way, s->f, spec->sum[i].entity, s->unit))
            return puan_fail(err, PUAN_EINVAL, "cube",
                             "a summed item is neither of the unit nor above "
                             "it");
        if (check_way(s, spec->sum[i].entity, s->unit, err) != PUAN_OK)
            return PUAN_EINVAL;
        m->rows = s->f->entity[spec->sum[i].entity].rows;
        if (!sum_fits(m->item, s->rows))
            return puan_fail(err, PUAN_ELIMIT, "cube",
                             "sums of '%.*s' might not fit 64 bits",
                             PUAN_FMT(m->item->name));
    }
    c->words = 2 + 2 * spec->n_sums;
    if (c->n_outer && c->inner <= RUNS_MOST)
        c->way = PUAN_CUBE_RUNS;
    else if (cells <= WHOLE_MOST)
        c->way = PUAN_CUBE_WHOLE;
    else
        c->way = PUAN_CUBE_SCATTER;
    if (c->way == PUAN_CUBE_WHOLE) { /* no axis is taken out */
        c->n_outer = 0;
        c->inner = cells;
    }
    if (c->way == PUAN_CUBE_SCATTER) {
        c->n_outer = 0;
        c->width = 8;
        return PUAN_OK;
    }
    c->width = c->inner <= 65536 ? 2 : 4;
    c->copies = c->inner * 16 <= COPIES_BYTES  ? 4
                : c->inner * 8 <= COPIES_BYTES ? 2
                                               : 1;
    if (c->way == PUAN_CUBE_RUNS) {
        uint64_t length = run_length(s, c);

        /* emptying looks at every copy of every cell */
        while (c->copies > 1 && c->inner * c->copies * 8 > length)
            c->copies /= 2;
        c->marked = c->inner > 64 && c->inner > length * 4;
        if (c->marked)
            c->copies = 1;
        if (spec->n_axes == c->n_outer + 1 && spec->n_sums == 0 &&
            c->axis[c->n_outer].way.n == 0 && c->axis[c->n_outer].map == NULL &&
            c->axis[c->n_outer].spec->item &&
            c->axis[c->n_outer].spec->item->width == 1 && length > 1024)
            c->bytes = true;
    }
    return PUAN_OK;
}

enum puan_status puan_cubes_compile(struct puan_cubes **out,
                                    const struct puan_frame *f,
                                    const struct puan_cube_spec *spec,
                                    size_t n_specs, struct puan_arena *a,
                                    struct puan_err *err)
{
    struct puan_cubes *s = puan_new(a, struct puan_cubes);

    if (s == NULL || n_specs == 0 || spec[0].unit >= f->n_entities)
        return s ? puan_fail(err, PUAN_EINVAL, "cube", "nothing to count")
                 : puan_arena_check(a, err);
    s->f = f;
    s->unit = spec[0].unit;
    s->rows = f->entity[s->unit].rows;
    s->cube = puan_new_n(a, n_specs, struct puan_cube_in);
    if (s->cube == NULL)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < n_specs; i++) {
        enum puan_status st =
            spec[i].unit != s->unit
                ? puan_fail(err, PUAN_EINVAL, "cube",
                            "cubes of a set count the same rows")
                : cube_open(&s->cube[i], s, &spec[i], err);

        if (st != PUAN_OK)
            return st;
        s->n_cubes++;
        if (s->cube[i].way == PUAN_CUBE_SCATTER)
            s->n_scattered++;
    }
    if (s->n_scattered) {
        enum puan_status st = puan_cube_scatter_open(s, a, err);

        if (st != PUAN_OK)
            return st;
    }
    *out = s;
    return PUAN_OK;
}

uint64_t puan_cubes_rows(const struct puan_cubes *s)
{
    return s->rows;
}

enum puan_cube_way puan_cubes_way(const struct puan_cubes *s, size_t cube)
{
    return s->cube[cube].way;
}

/* ---- runs of equal values --------------------------------------------------
 */

/*
 * First row of the unit from `row` on that has another value, at most `end`.
 * The item never falls.  Runs of areas are alike in length, so the search
 * begins where the run before would end and widens by doubling from there,
 * forward or back.
 */
uint64_t puan_cube_run_end(const struct puan_cube_axis_in *x, uint64_t row,
                           uint64_t end, uint64_t *guess)
{
    const struct puan_frame_item *it = x->spec->item;
    uint64_t at = up(&x->way, x->rows, row), lo = at, step = 1, hi;
    uint64_t value = puan_frame_stored(it, at), ahead = *guess ? *guess : 1;

    hi = x->rows - at > ahead ? at + ahead : x->rows;
    if (hi < x->rows && puan_frame_stored(it, hi) == value) {
        lo = hi; /* longer than the one before */
        for (;;) {
            hi = x->rows - lo > step ? lo + step : x->rows;
            if (hi == x->rows || puan_frame_stored(it, hi) != value)
                break;
            lo = hi;
            step *= 2;
        }
    } else { /* it ends by then */
        while (hi - lo > step) {
            if (puan_frame_stored(it, hi - step) == value) {
                lo = hi - step;
                break;
            }
            hi -= step;
            step *= 2;
        }
    }
    while (hi - lo > 1) { /* lo is equal; hi is not, or the end */
        uint64_t mid = lo + (hi - lo) / 2;

        if (puan_frame_stored(it, mid) == value)
            lo = mid;
        else
            hi = mid;
    }
    *guess = hi - at;
    hi = down(&x->way, hi);
    return hi < end ? hi : end;
}

static uint64_t class_at(const struct puan_cube_axis_in *x, uint64_t row,
                         bool *bad)
{
    const struct puan_cube_codes *c = &x->codes;
    uint64_t v =
        puan_frame_stored(x->spec->item, up(&x->way, x->rows, row));

    v = v - c->off - (v >= c->stop ? c->gap : 0);
    if (v > c->top) {
        *bad = true;
        v = c->top;
    }
    return v;
}

/* ---- the index of every row of a block -------------------------------------
 */

/*
 * Adds stride x class of a column to the indexes; in lanes, so no look-up.
 * Returns true when a value lies beyond the codebook (and is taken as the last
 * class, so that no index leaves the cube).
 */
#define RAW_PASS(S, K)                                                         \
    PUAN_CUBE_WIDE                                                             \
    static bool raw_##S##_##K(K *restrict ix, const S *restrict c, size_t n,   \
                              const struct puan_cube_axis_in *x, bool first)   \
    {                                                                          \
        S off = (S)x->codes.off, top = (S)x->codes.top;                        \
        S stop = (S)x->codes.stop, gap = (S)x->codes.gap, bad = 0;             \
        K stride = (K)x->stride;                                               \
                                                                               \
        if (gap && first)                                                      \
            for (size_t i = 0; i < n; i++) {                                   \
                S v = (S)(c[i] - off - (c[i] >= stop ? gap : 0));              \
                S w = v < top ? v : top;                                       \
                bad |= (S)(v ^ w);                                             \
                ix[i] = (K)((K)w * stride);                                    \
            }                                                                  \
        else if (gap)                                                          \
            for (size_t i = 0; i < n; i++) {                                   \
                S v = (S)(c[i] - off - (c[i] >= stop ? gap : 0));              \
                S w = v < top ? v : top;                                       \
                bad |= (S)(v ^ w);                                             \
                ix[i] = (K)(ix[i] + (K)((K)w * stride));                       \
            }                                                                  \
        else if (first)                                                        \
            for (size_t i = 0; i < n; i++) {                                   \
                S v = (S)(c[i] - off), w = v < top ? v : top;                  \
                bad |= (S)(v ^ w);                                             \
                ix[i] = (K)((K)w * stride);                                    \
            }                                                                  \
        else                                                                   \
            for (size_t i = 0; i < n; i++) {                                   \
                S v = (S)(c[i] - off), w = v < top ? v : top;                  \
                bad |= (S)(v ^ w);                                             \
                ix[i] = (K)(ix[i] + (K)((K)w * stride));                       \
            }                                                                  \
        return bad != 0;                                                       \
    }

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* clang-format off */
RAW_PASS(u8, u16) RAW_PASS(u16, u16) RAW_PASS(u32, u16) RAW_PASS(u64, u16)
RAW_PASS(u8, u32) RAW_PASS(u16, u32) RAW_PASS(u32, u32) RAW_PASS(u64, u32)
RAW_PASS(u8, u64) RAW_PASS(u16, u64) RAW_PASS(u32, u64) RAW_PASS(u64, u64)
/* clang-format on */

/* The same through a map; an offset for each code of a narrow column. */
#define MAP_PASS(S, K)                                                         \
    static bool map_##S##_##K(K *restrict ix, const S *restrict c, size_t n,   \
                              const struct puan_cube_axis_in *x, bool first)   \
    {                                                                          \
        const struct puan_cube_codes *q = &x->codes;                           \
        uint64_t bad = 0;                                                      \
                                                                               \
        for (size_t i = 0; i < n; i++) {                                       \
            uint64_t v = (uint64_t)c[i] - q->off;                              \
            uint64_t cls;                                                      \
                                                                               \
            v -= c[i] >= q->stop ? q->gap : 0;                                 \
            bad |= v > q->top;                                                 \
            v = v < q->top ? v : q->top;                                       \
            cls = x->map[v];                                                   \
            cls = cls < x->n ? cls : x->n - 1;                                 \
            ix[i] = (K)((first ? 0 : ix[i]) + (K)cls * (K)x->stride);          \
        }                                                                      \
        return bad != 0;                                                       \
    }
/* clang-format off */
MAP_PASS(u8, u16) MAP_PASS(u16, u16) MAP_PASS(u32, u16) MAP_PASS(u64, u16)
MAP_PASS(u8, u32) MAP_PASS(u16, u32) MAP_PASS(u32, u32) MAP_PASS(u64, u32)
MAP_PASS(u8, u64) MAP_PASS(u16, u64) MAP_PASS(u32, u64) MAP_PASS(u64, u64)

#define TABLE_PASS(K)                                                          \
    static void table_##K(K *restrict ix, const u8 *restrict c, size_t n,      \
                          const u32 *restrict t, bool first)                   \
    {                                                                          \
        if (first)                                                             \
            for (size_t i = 0; i < n; i++)                                     \
                ix[i] = (K)t[c[i]];                                            \
        else                                                                   \
            for (size_t i = 0; i < n; i++)                                     \
                ix[i] = (K)(ix[i] + (K)t[c[i]]);                               \
    }
TABLE_PASS(u16) TABLE_PASS(u32)
/* clang-format on */

/* Bands of equal width, as ages in fives: a product instead of a look-up. */
PUAN_CUBE_WIDE
static bool divide_u8(u16 *restrict ix, const u8 *restrict c, size_t n,
                      const struct puan_cube_axis_in *x, bool first)
{
    u8 off = (u8)x->codes.off, top = (u8)x->codes.top, bad = 0;
    u16 most = (u16)x->div_most, stride = (u16)x->stride;
    u32 times = 65536u / x->div_by + 1;

    for (size_t i = 0; i < n; i++) {
        u8 v = (u8)(c[i] - off), w = v < top ? v : top;
        u16 q = (u16)((u32)w * times >> 16);

        bad |= (u8)(v ^ w);
        q = q < most ? q : most;
        ix[i] = (u16)((first ? 0 : ix[i]) + (u16)(q * stride));
    }
    return bad != 0;
}

static bool own_pass(void *ix, const struct puan_cube_axis_in *x,
                     uint64_t from, size_t n, unsigned width, bool first)
{
    const struct puan_frame_item *it = x->spec->item;
    bool map = x->map != NULL;

#define BY_KEY(S)                                                              \
    {                                                                          \
        const S *c = (const S *)it->data + from;                               \
                                                                               \
        if (width == 2)                                                        \
            return map ? map_##S##_u16(ix, c, n, x, first)                     \
                       : raw_##S##_u16(ix, c, n, x, first);                    \
        if (width == 4)                                                        \
            return map ? map_##S##_u32(ix, c, n, x, first)                     \
                       : raw_##S##_u32(ix, c, n, x, first);                    \
        return map ? map_##S##_u64(ix, c, n, x, first)                         \
                   : raw_##S##_u64(ix, c, n, x, first);                        \
    }
    if (x->div_by && width == 2)
        return divide_u8(ix, (const u8 *)it->data + from, n, x, first);
    if (x->table && it->width == 1 && width < 8) {
        const u8 *c = (const u8 *)it->data + from;

        if (width == 2)
            table_u16(ix, c, n, x->table, first);
        else
            table_u32(ix, c, n, x->table, first);
        return false;
    }
    switch (it->width) {
    case 1:
        BY_KEY(u8)
    case 2:
        BY_KEY(u16)
    case 4:
        BY_KEY(u32)
    default:
        BY_KEY(u64)
    }
}

/* Class of a row of the axis' own entity. */
static uint64_t class_of(const struct puan_cube_axis_in *x, uint64_t row,
                         bool *bad)
{
    uint64_t v;

    if (x->spec->item) {
        v = puan_frame_stored(x->spec->item, row);
        v = v - x->codes.off - (v >= x->codes.stop ? x->codes.gap : 0);
    } else {
        v = down(&x->below, row + 1) - down(&x->below, row);
    }
    if (v > x->codes.top) {
        *bad = true;
        v = x->codes.top;
    }
    if (x->map) {
        v = x->map[v];
        v = v < x->n ? v : x->n - 1;
    }
    return v;
}

static void put_run(void *ix, size_t at, size_t n, unsigned width, uint64_t v,
                    bool first)
{
#define PUT(K)                                                                 \
    {                                                                          \
        K *p = (K *)ix + at, k = (K)v;                                         \
                                                                               \
        if (first)                                                             \
            for (size_t i = 0; i < n; i++)                                     \
                p[i] = k;                                                      \
        else                                                                   \
            for (size_t i = 0; i < n; i++)                                     \
                p[i] = (K)(p[i] + k);                                          \
        break;                                                                 \
    }
    switch (width) {
    case 2:
        PUT(u16)
    case 4:
        PUT(u32)
    default:
        PUT(u64)
    }
}

/* An axis above the unit: one class for each stretch of rows. */
static bool up_pass(void *ix, const struct puan_cube_axis_in *x, uint64_t from,
                    size_t n, unsigned width, bool first)
{
    uint64_t p = up(&x->way, x->rows, from), row = from, end = from + n;
    bool bad = false;

    while (row < end) {
        uint64_t stop = down(&x->way, p + 1);

        stop = stop < end ? stop : end;
        if (stop > row) {
            put_run(ix, (size_t)(row - from), (size_t)(stop - row), width,
                    class_of(x, p, &bad) * x->stride, first);
            row = stop;
        }
        p++;
    }
    return bad;
}

static bool below_pass(void *ix, const struct puan_cube_axis_in *x,
                       uint64_t from, size_t n, unsigned width, bool first)
{
    bool bad = false;

    if (x->below.n == 1 && !x->map && width == 2) {
        const u32 *f = x->below.first[0] + from;
        u16 *p = ix, stride = (u16)x->stride;

        for (size_t i = 0; i < n; i++)
            p[i] = (u16)((first ? 0 : p[i]) +
                         (u16)((u16)(f[i + 1] - f[i]) * stride));
        return false;
    }
    for (size_t i = 0; i < n; i++)
        put_run(ix, i, 1, width, class_of(x, from + i, &bad) * x->stride,
                first);
    return bad;
}

bool puan_cube_index(void *ix, const struct puan_cube_in *c, uint64_t from,
                     size_t n)
{
    bool bad = false, first = true;

    for (size_t i = c->n_outer; i < c->spec->n_axes; i++) {
        const struct puan_cube_axis_in *x = &c->axis[i];

        if (x->n == 1)
            continue; /* adds nothing */
        if (x->way.n)
            bad |= up_pass(ix, x, from, n, c->width, first);
        else if (x->spec->item)
            bad |= own_pass(ix, x, from, n, c->width, first);
        else
            bad |= below_pass(ix, x, from, n, c->width, first);
        first = false;
    }
    if (first)
        memset(ix, 0, n * c->width);
    return bad;
}

/* Values of a summed item, above the least; UINT64_MAX where not given. */
void puan_cube_values(uint64_t *v, const struct puan_cube_sum_in *m,
                      uint64_t from, size_t n)
{
    uint64_t given = given_classes(m->item), p, row = from, end = from + n;

    if (m->way.n == 0) {
        for (size_t i = 0; i < n; i++) {
            uint64_t s = puan_frame_stored(m->item, from + i) - m->codes.off;

            v[i] = s < given ? s : UINT64_MAX;
        }
        return;
    }
    p = up(&m->way, m->rows, from);
    while (row < end) {
        uint64_t stop = down(&m->way, p + 1);
        uint64_t s = puan_frame_stored(m->item, p) - m->codes.off;

        s = s < given ? s : UINT64_MAX;
        for (; row < stop && row < end; row++)
            v[row - from] = s;
        p++;
    }
}

/* ---- counting --------------------------------------------------------------
 */

#define COUNT(K)                                                               \
    static void count_##K(u32 *restrict cube, const K *restrict ix, size_t n,  \
                          size_t cells, unsigned copies)                       \
    {                                                                          \
        size_t i = 0;                                                          \
                                                                               \
        if (copies == 4) {                                                     \
            u32 *b = cube + cells, *c = b + cells, *d = c + cells;             \
                                                                               \
            for (; i + 4 <= n; i += 4) {                                       \
                cube[ix[i]]++;                                                 \
                b[ix[i + 1]]++;                                                \
                c[ix[i + 2]]++;                                                \
                d[ix[i + 3]]++;                                                \
            }                                                                  \
        } else if (copies == 2) {                                              \
            u32 *b = cube + cells;                                             \
                                                                               \
            for (; i + 2 <= n; i += 2) {                                       \
                cube[ix[i]]++;                                                 \
                b[ix[i + 1]]++;                                                \
            }                                                                  \
        }                                                                      \
        for (; i < n; i++)                                                     \
            cube[ix[i]]++;                                                     \
    }                                                                          \
    /* the same, noting which cells were met: few rows in a large cube */      \
    static void mark_##K(u32 *restrict cube, u64 *restrict mark,               \
                         u64 *restrict page, const K *restrict ix, size_t n)   \
    {                                                                          \
        for (size_t i = 0; i < n; i++) {                                       \
            size_t k = ix[i];                                                  \
                                                                               \
            cube[k]++;                                                         \
            mark[k / 64] |= (u64)1 << k % 64;                                  \
            page[k / 4096] |= (u64)1 << k / 64 % 64;                           \
        }                                                                      \
    }                                                                          \
    static void add_##K(u64 *restrict given, u64 *restrict sum,                \
                        const K *restrict ix, const u64 *restrict v, size_t n) \
    {                                                                          \
        for (size_t i = 0; i < n; i++) {                                       \
            u64 ok = v[i] != UINT64_MAX;                                       \
                                                                               \
            given[ix[i]] += ok;                                                \
            sum[ix[i]] += v[i] & (0 - ok);                                     \
        }                                                                      \
    }
/* clang-format off */
COUNT(u16) COUNT(u32)
/* clang-format on */

/*
 * Of a column of bytes, eight at a time into eight cubes of 256: in a column
 * of few values (nine in ten of one) each waits for the one before otherwise.
 */
static void count_bytes(u32 *restrict cube, const u8 *restrict c, size_t n)
{
    size_t i = 0;

    for (; i + 8 <= n; i += 8) {
        u64 v;

        memcpy(&v, c + i, sizeof(v));
        cube[v & 255]++;
        cube[256 + (v >> 8 & 255)]++;
        cube[512 + (v >> 16 & 255)]++;
        cube[768 + (v >> 24 & 255)]++;
        cube[1024 + (v >> 32 & 255)]++;
        cube[1280 + (v >> 40 & 255)]++;
        cube[1536 + (v >> 48 & 255)]++;
        cube[1792 + (v >> 56)]++;
    }
    for (; i < n; i++)
        cube[c[i]]++;
}

#if defined(__x86_64__)
/*
 * The same where one value is usual: it is counted by comparing 64 rows at a
 * time; the others are drawn together and counted as above.
 */
__attribute__((target("avx512f,avx512bw,avx512vbmi2,popcnt"))) static void
count_usual(u32 *restrict cube, const u8 *restrict c, size_t n)
{
    const u8 usual = c[n / 2];
    const __m512i u = _mm512_set1_epi8((char)usual);
    u8 other[1024 + 64];
    size_t i = 0, k = 0, others = 0;

    for (; i + 64 <= n; i += 64) {
        const __m512i v = _mm512_loadu_si512(c + i);
        const u64 m = _mm512_cmpneq_epi8_mask(v, u);

        _mm512_storeu_si512(other + k, _mm512_maskz_compress_epi8(m, v));
        k += (size_t)__builtin_popcountll(m);
        if (k > 1024 - 64) {
            count_bytes(cube, other, k);
            others += k;
            k = 0;
        }
    }
    cube[usual] += (u32)(i - others - k);
    count_bytes(cube, other, k);
    count_bytes(cube, c + i, n - i);
}
#endif

static void count_column(u32 *restrict cube, const u8 *restrict c, size_t n)
{
#if defined(__x86_64__)
    if (n >= 64 && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vbmi2")) {
        count_usual(cube, c, n);
        return;
    }
#endif
    count_bytes(cube, c, n);
}

static void count_piece(struct puan_cube_state *t, const struct puan_cube_in *c,
                        const void *ix, size_t at, size_t n)
{
    if (c->width == 2) {
        const u16 *k = (const u16 *)ix + at;

        if (c->marked)
            mark_u16(t->cube, t->mark, t->page, k, n);
        else
            count_u16(t->cube, k, n, c->inner, c->copies);
    } else {
        const u32 *k = (const u32 *)ix + at;

        if (c->marked)
            mark_u32(t->cube, t->mark, t->page, k, n);
        else
            count_u32(t->cube, k, n, c->inner, c->copies);
    }
}

static void sum_piece(struct puan_cube_worker *w, struct puan_cube_state *t,
                      const struct puan_cube_in *c, uint64_t from, size_t n)
{
    for (size_t k = 0; k < c->spec->n_sums; k++) {
        uint64_t *given = t->sums + 2 * k * c->inner;

        puan_cube_values(w->value, &c->sum[k], from, n);
        if (c->width == 2)
            add_u16(given, given + c->inner,
                    (const u16 *)w->ix + (from - w->block), w->value, n);
        else
            add_u32(given, given + c->inner,
                    (const u32 *)w->ix + (from - w->block), w->value, n);
    }
}

/* ---- emptying a cube into cells --------------------------------------------
 */

uint64_t *puan_cube_room(struct puan_cube_worker *w, struct puan_cube_state *t,
                         const struct puan_cube_in *c, size_t cells)
{
    struct puan_cube_lent *l = t->lent;
    size_t need = cells * c->words, n;

    if (l && l->cap - l->used >= need && t->open)
        return l->cell + l->used;
    if (t->open) { /* this piece ends here */
        t->open = false;
        t->part++;
    }
    if (l == NULL || l->cap - l->used < need) {
        n = l == NULL ? LENT_LEAST : l->bytes * 2;
        n = (n < LENT_MOST ? n : LENT_MOST) - sizeof(*l);
        n = need * sizeof(uint64_t) > n ? need * sizeof(uint64_t) : n;
        l = w->arena->host->get(w->arena->host->ctx, sizeof(*l) + n);
        if (l == NULL)
            return NULL;
        l->next = t->lent;
        l->cap = n / sizeof(uint64_t);
        l->used = 0;
        l->bytes = sizeof(*l) + n;
        t->lent = l;
    }
    return l->cell + l->used;
}

enum puan_status puan_cube_piece(struct puan_cube_worker *w,
                                 struct puan_cube_state *t,
                                 const struct puan_cube_in *c, uint64_t *cell,
                                 size_t n, uint64_t order)
{
    struct puan_cube_piece *p;

    if (n == 0)
        return PUAN_OK;
    if (!t->open) {
        p = puan_new(w->arena, struct puan_cube_piece);
        if (p == NULL)
            return puan_arena_check(w->arena, NULL);
        p->cell = cell;
        p->order = order;
        p->part = t->part;
        p->next = t->piece;
        t->piece = p;
        t->open = true;
    }
    t->piece->n += n;
    t->lent->used += n * c->words;
    return PUAN_OK;
}

/* A cell some axis of which says "left out". */
static bool left_out(const struct puan_cube_in *c, uint64_t ix)
{
    for (size_t i = c->n_outer; i < c->spec->n_axes; i++) {
        const struct puan_cube_axis_in *x = &c->axis[i];

        if (x->outs && ix / x->stride % x->n == x->n - 1)
            return true;
    }
    return false;
}

static void emit(uint64_t **at, const struct puan_cube_state *t,
                 const struct puan_cube_in *c, uint64_t outer, uint64_t ix,
                 uint64_t n)
{
    uint64_t *cell = *at;

    if (c->outs && left_out(c, ix))
        return;
    cell[0] = outer * c->inner + ix;
    cell[1] = n;
    for (size_t k = 0; k < c->spec->n_sums; k++) {
        const uint64_t *given = t->sums + 2 * k * c->inner;

        cell[2 + 2 * k] = given[ix];
        cell[3 + 2 * k] = given[c->inner + ix] +
                          given[ix] * (uint64_t)c->sum[k].item->least;
    }
    *at = cell + c->words;
}

static void empty_marked(uint64_t **at, struct puan_cube_state *t,
                         const struct puan_cube_in *c)
{
    size_t pages = (size_t)(c->inner / 4096 + 1);

    for (size_t p = 0; p < pages; p++) {
        uint64_t page = t->page[p];

        for (t->page[p] = 0; page; page &= page - 1) {
            size_t m = p * 64 + (size_t)__builtin_ctzll(page);
            uint64_t mark = t->mark[m];

            for (t->mark[m] = 0; mark; mark &= mark - 1) {
                size_t ix = m * 64 + (size_t)__builtin_ctzll(mark);

                emit(at, t, c, t->outer, ix, t->cube[ix]);
                t->cube[ix] = 0;
                for (size_t k = 0; k < 2 * c->spec->n_sums; k++)
                    t->sums[k * c->inner + ix] = 0;
            }
        }
    }
}

PUAN_CUBE_WIDE
static void add_copies(u32 *restrict cube, size_t cells, unsigned copies)
{
    for (unsigned k = 1; k < copies; k++) {
        u32 *b = cube + k * cells;

        for (size_t i = 0; i < cells; i++) {
            cube[i] += b[i];
            b[i] = 0;
        }
    }
}

static void empty_all(uint64_t **at, struct puan_cube_state *t,
                      const struct puan_cube_in *c)
{
    size_t n = c->inner, i = 0;

    if (c->copies > 1)
        add_copies(t->cube, n, c->copies);
    for (; i + 8 <= n; i += 8) {
        const u32 *q = t->cube + i;

        if ((q[0] | q[1] | q[2] | q[3] | q[4] | q[5] | q[6] | q[7]) == 0)
            continue;
        for (size_t k = i; k < i + 8; k++)
            if (t->cube[k])
                emit(at, t, c, t->outer, k, t->cube[k]);
    }
    for (; i < n; i++)
        if (t->cube[i])
            emit(at, t, c, t->outer, i, t->cube[i]);
    memset(t->cube, 0, n * sizeof(u32));
    if (c->spec->n_sums)
        memset(t->sums, 0, 2 * c->spec->n_sums * n * sizeof(uint64_t));
}

/* Cells by stored byte become classes; *bad: a byte no codebook knows. */
static void empty_bytes(uint64_t **at, struct puan_cube_state *t,
                        const struct puan_cube_in *c, bool *bad)
{
    const struct puan_cube_axis_in *x = &c->axis[c->n_outer];
    size_t given = x->codes.stop == UINT64_MAX
                       ? 256
                       : (size_t)x->codes.stop; /* the states lie behind */

    add_copies(t->cube, 256, 8);
    for (size_t v = 0; v < 256; v++) {
        uint64_t r = v - x->codes.off - (v >= given ? x->codes.gap : 0);

        if (t->cube[v] == 0)
            continue;
        *bad |= r > x->codes.top;
        emit(at, t, c, t->outer, r < x->codes.top ? r : x->codes.top,
             t->cube[v]);
    }
    memset(t->cube, 0, 256 * sizeof(u32));
}

static enum puan_status damaged(struct puan_err *err)
{
    return puan_fail(err, PUAN_EINVAL, "frame",
                     "a column holds a value its codebook does not know: the "
                     "frame is damaged; make it again");
}

static enum puan_status empty(struct puan_cube_worker *w,
                              struct puan_cube_state *t,
                              const struct puan_cube_in *c, uint64_t rows,
                              struct puan_err *err)
{
    size_t most = (size_t)(rows < c->inner ? rows : c->inner);
    uint64_t *room = puan_cube_room(w, t, c, c->bytes ? 256 : most),
             *at = room;
    bool bad = false;

    if (room == NULL)
        return puan_fail(err, PUAN_ENOMEM, "table", "out of memory");
    if (c->bytes)
        empty_bytes(&at, t, c, &bad);
    else if (c->marked)
        empty_marked(&at, t, c);
    else
        empty_all(&at, t, c);
    return bad ? damaged(err)
               : puan_cube_piece(w, t, c, room,
                                 (size_t)(at - room) / c->words, w->order);
}

/* ---- one cube over a block -------------------------------------------------
 */

/* The next run: its key and where it ends within the range. */
static void run_begin(struct puan_cube_state *t, const struct puan_cube_in *c,
                      uint64_t row, uint64_t to, bool *bad)
{
    t->outer = 0;
    t->run_from = row;
    t->run_end = to;
    for (size_t i = 0; i < c->n_outer; i++) {
        const struct puan_cube_axis_in *x = &c->axis[i];

        t->outer = t->outer * x->n + class_at(x, row, bad);
        t->run_end = puan_cube_run_end(x, row, t->run_end, &t->guess[i]);
    }
}

/* Rows of a run where nothing but their number is asked. */
static void count_rows(struct puan_cube_state *t, size_t n)
{
    t->cube[0] += (u32)n;
}

static enum puan_status run_block(struct puan_cube_worker *w,
                                  struct puan_cube_state *t,
                                  const struct puan_cube_in *c, uint64_t from,
                                  uint64_t end, uint64_t to,
                                  struct puan_err *err)
{
    enum puan_status st = PUAN_OK;
    bool plain = c->inner == 1 && c->spec->n_sums == 0, bad = false;

    w->block = from;
    if (!plain && !c->bytes)
        bad = puan_cube_index(w->ix, c, from, (size_t)(end - from));
    for (uint64_t row = from; st == PUAN_OK && row < end;) {
        uint64_t stop;

        if (row >= t->run_end)
            run_begin(t, c, row, to, &bad);
        stop = t->run_end < end ? t->run_end : end;
        if (plain) {
            count_rows(t, (size_t)(stop - row));
        } else if (c->bytes) {
            count_column(t->cube,
                         (const u8 *)c->axis[c->n_outer].spec->item->data + row,
                         (size_t)(stop - row));
        } else {
            count_piece(t, c, w->ix, (size_t)(row - from),
                        (size_t)(stop - row));
            if (c->spec->n_sums)
                sum_piece(w, t, c, row, (size_t)(stop - row));
        }
        row = stop;
        if (row == t->run_end)
            st = empty(w, t, c, t->run_end - t->run_from, err);
    }
    if (st == PUAN_OK && bad)
        st = damaged(err);
    return st;
}

static enum puan_status whole_block(struct puan_cube_worker *w,
                                    struct puan_cube_state *t,
                                    const struct puan_cube_in *c,
                                    uint64_t from, uint64_t end,
                                    struct puan_err *err)
{
    bool bad = puan_cube_index(w->ix, c, from, (size_t)(end - from));

    w->block = from;
    count_piece(t, c, w->ix, 0, (size_t)(end - from));
    if (c->spec->n_sums)
        sum_piece(w, t, c, from, (size_t)(end - from));
    return bad ? damaged(err) : PUAN_OK;
}

/* ---- workers ---------------------------------------------------------------
 */

/* Whether a map of a byte is min(raw / k, most), as bands of equal width are. */
static void divides(struct puan_cube_axis_in *x)
{
    uint64_t k = 1, top = x->codes.top;

    while (k <= top && x->map[k] == x->map[0])
        k++;
    if (x->map[0] != 0 || x->codes.stop != UINT64_MAX || k < 2 || k > top ||
        x->n > 256)
        return;
    for (uint64_t r = 0; r <= top; r++) {
        uint64_t q = r * (65536u / k + 1) >> 16;

        if (x->map[r] != (q < x->n - 1 ? q : x->n - 1))
            return;
    }
    x->div_by = (uint32_t)k;
    x->div_most = (uint32_t)(x->n - 1);
}

/* Offsets by code, where a narrow column is mapped. */
static void table_make(struct puan_cube_axis_in *x, struct puan_arena *a)
{
    uint32_t *t;

    if (!x->map || x->spec->item == NULL || x->spec->item->width != 1 ||
        x->way.n)
        return;
    divides(x);
    t = puan_new_n(a, 256, uint32_t);
    for (uint64_t v = 0; t && v < 256; v++) {
        uint64_t r = v - x->codes.off - (v >= x->codes.stop ? x->codes.gap : 0);
        uint64_t cls = x->map[r < x->codes.top ? r : x->codes.top];

        cls = cls < x->n ? cls : x->n - 1;
        t[v] = (uint32_t)(cls * x->stride);
    }
    x->table = t;
}

enum puan_status puan_cube_worker_open(struct puan_cube_worker **out,
                                       const struct puan_cubes *s,
                                       struct puan_arena *a,
                                       struct puan_err *err)
{
    struct puan_cube_worker *w = puan_new(a, struct puan_cube_worker);
    size_t sums = 0;

    *out = NULL;
    if (w == NULL)
        return puan_arena_check(a, err);
    w->s = s;
    w->arena = a;
    w->ix = puan_arena_get(a, PUAN_CUBE_BLOCK * sizeof(uint64_t));
    w->state = puan_new_n(a, s->n_cubes, struct puan_cube_state);
    w->cube = puan_new_n(a, s->n_cubes, struct puan_cube_in);
    for (size_t i = 0; w->cube && w->state && i < s->n_cubes; i++) {
        struct puan_cube_in *c = &w->cube[i];
        struct puan_cube_state *t = &w->state[i];

        *c = s->cube[i];
        sums = c->spec->n_sums > sums ? c->spec->n_sums : sums;
        if (c->way == PUAN_CUBE_SCATTER)
            continue;
        for (size_t k = 0; k < c->spec->n_axes; k++)
            if (c->axis[k].outs)
                c->outs = true;
        for (size_t k = c->n_outer; k < c->spec->n_axes; k++)
            table_make(&c->axis[k], a);
        t->cube = puan_new_n(
            a, c->bytes ? 2048 : (size_t)c->inner * c->copies, uint32_t);
        if (c->marked) {
            t->mark = puan_new_n(a, (size_t)(c->inner / 64 + 64), uint64_t);
            t->page = puan_new_n(a, (size_t)(c->inner / 4096 + 2), uint64_t);
        }
        if (c->spec->n_sums)
            t->sums = puan_new_n(a, (size_t)c->inner * 2 * c->spec->n_sums,
                                 uint64_t);
    }
    w->value = w->values = puan_new_n(a, PUAN_CUBE_BLOCK * sums, uint64_t);
    if (a->failed)
        return puan_arena_check(a, err);
    *out = w;
    return PUAN_OK;
}

static void give_back(struct puan_cube_worker *w, struct puan_cube_lent *l)
{
    while (l) {
        struct puan_cube_lent *next = l->next;

        w->arena->host->put(w->arena->host->ctx, l, l->bytes);
        l = next;
    }
}

void puan_cube_worker_clear(struct puan_cube_worker *w)
{
    for (size_t i = 0; w && i < w->s->n_cubes; i++) {
        struct puan_cube_state *t = &w->state[i];

        give_back(w, t->lent);
        give_back(w, t->store);
        t->lent = t->store = NULL;
    }
}

enum puan_status puan_cubes_run(struct puan_cube_worker *w, uint64_t from,
                                uint64_t to, struct puan_err *err)
{
    const struct puan_cubes *s = w->s;
    enum puan_status st = PUAN_OK;

    w->order = from;
    for (size_t i = 0; i < s->n_cubes; i++) {
        w->state[i].open = false;
        w->state[i].part = 0;
        w->state[i].run_end = 0;
    }
    for (uint64_t b = from; st == PUAN_OK && b < to;) {
        uint64_t end = to - b < PUAN_CUBE_BLOCK ? to : b + PUAN_CUBE_BLOCK;

        for (size_t i = 0; st == PUAN_OK && i < s->n_cubes; i++) {
            const struct puan_cube_in *c = &w->cube[i];
            struct puan_cube_state *t = &w->state[i];

            switch (c->way) {
            case PUAN_CUBE_RUNS:
                st = run_block(w, t, c, b, end, to, err);
                break;
            case PUAN_CUBE_WHOLE:
                st = whole_block(w, t, c, b, end, err);
                break;
            case PUAN_CUBE_SCATTER:
                st = puan_cube_scatter(w, i, b, (size_t)(end - b), err);
                break;
            }
        }
        b = end;
    }
    return st;
}

/* ---- the cells -------------------------------------------------------------
 */

/* Cells of the whole cube, all workers' added up into the first one's. */
static enum puan_status whole_cells(struct puan_cells *out,
                                    const struct puan_cubes *s, size_t cube,
                                    struct puan_cube_worker *const *all,
                                    size_t n_all, struct puan_arena *a,
                                    struct puan_err *err)
{
    struct puan_cube_worker *w = all[0];
    const struct puan_cube_in *c = &w->cube[cube];
    size_t n = (size_t)c->inner, live = 0;
    uint64_t *count, *cell, *at;
    struct puan_cube_state *t = &w->state[cube];

    (void)s;
    count = puan_new_n(a, n, uint64_t);
    if (count == NULL)
        return puan_arena_check(a, err);
    for (size_t k = 0; k < n_all; k++) {
        const struct puan_cube_state *o = &all[k]->state[cube];

        for (size_t j = 0; j < c->copies; j++)
            for (size_t i = 0; i < n; i++)
                count[i] += o->cube[j * n + i];
        for (size_t i = 0; k > 0 && i < 2 * c->spec->n_sums * n; i++)
            t->sums[i] += o->sums[i];
    }
    for (size_t i = 0; i < n; i++)
        live += count[i] > 0;
    cell = at = puan_arena_get_n(a, live * c->words, sizeof(uint64_t));
    out->piece = puan_new(a, struct puan_cells_piece);
    if (a->failed || cell == NULL)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < n; i++)
        if (count[i])
            emit(&at, t, c, 0, i, count[i]);
    out->piece[0] = (struct puan_cells_piece){
        cell, (size_t)(at - cell) / c->words
    };
    out->n_pieces = 1;
    out->n = out->piece[0].n;
    return PUAN_OK;
}

static void sort_pieces(struct puan_cube_piece **p, size_t n)
{
    for (size_t gap = n / 2; gap > 0; gap /= 2) /* Shell sort */
        for (size_t i = gap; i < n; i++) {
            struct puan_cube_piece *x = p[i];
            size_t k = i;

            for (; k >= gap && (p[k - gap]->order > x->order ||
                                (p[k - gap]->order == x->order &&
                                 p[k - gap]->part > x->part));
                 k -= gap)
                p[k] = p[k - gap];
            p[k] = x;
        }
}

static void add_cell(uint64_t *to, const uint64_t *from, size_t words)
{
    for (size_t i = 1; i < words; i++)
        to[i] += from[i];
}

/*
 * A run that crosses the border of two ranges has cells at the end of one
 * piece and again at the begin of the next: both are in order, so the second
 * ones are merged into the first's.  Gives the merged stretch as a piece.
 */
struct seam {
    struct puan_cells *out;
    const struct puan_cube_in *c;
    struct puan_arena *arena;
    uint64_t *cell; /* cells of the run not yet passed on */
    size_t n;
};

static void pass_on(struct seam *m, const uint64_t *cell, size_t n)
{
    if (n == 0)
        return;
    m->out->piece[m->out->n_pieces++] = (struct puan_cells_piece){ cell, n };
    m->out->n += n;
}

/* Merges two ordered stretches of cells into a new one. */
static size_t merge(uint64_t *to, const uint64_t *a, size_t n, const uint64_t *b,
                    size_t m, size_t words)
{
    uint64_t *at = to;

    while (n || m) {
        bool take_a = n && (m == 0 || a[0] <= b[0]);
        bool both = n && m && a[0] == b[0];

        memcpy(at, take_a ? a : b, words * sizeof(*at));
        if (both)
            add_cell(at, b, words);
        at += words;
        if (take_a) {
            a += words;
            n--;
        }
        if (!take_a || both) {
            b += words;
            m--;
        }
    }
    return (size_t)(at - to) / words;
}

static enum puan_status runs_cells(struct puan_cells *out,
                                   const struct puan_cubes *s, size_t cube,
                                   struct puan_cube_worker *const *all,
                                   size_t n_all, struct puan_arena *a,
                                   struct puan_err *err)
{
    const struct puan_cube_in *c = &s->cube[cube];
    struct puan_cube_piece **p;
    struct seam m = { out, c, a, NULL, 0 };
    size_t n = 0, at = 0;

    for (size_t k = 0; k < n_all; k++)
        for (struct puan_cube_piece *q = all[k]->state[cube].piece; q;
             q = q->next)
            n++;
    p = puan_new_n(a, n, struct puan_cube_piece *);
    out->piece = puan_new_n(a, 3 * n + 1, struct puan_cells_piece);
    if (p == NULL || out->piece == NULL)
        return puan_arena_check(a, err);
    for (size_t k = 0; k < n_all; k++)
        for (struct puan_cube_piece *q = all[k]->state[cube].piece; q;
             q = q->next)
            p[at++] = q;
    sort_pieces(p, n);
    for (size_t i = 0; i < n; i++) {
        const uint64_t *cell = p[i]->cell;
        size_t rest = p[i]->n, head = 0, tail = 0;
        uint64_t run;

        if (m.n) { /* cells of the run left open by the pieces before */
            run = m.cell[0] / c->inner;
            while (head < rest && cell[head * c->words] / c->inner == run)
                head++;
            if (head) {
                uint64_t *to =
                    puan_arena_get_n(a, (m.n + head) * c->words, sizeof(*to));

                if (to == NULL)
                    return puan_arena_check(a, err);
                m.n = merge(to, m.cell, m.n, cell, head, c->words);
                m.cell = to;
                cell += head * c->words;
                rest -= head;
            }
            if (rest == 0)
                continue;
            pass_on(&m, m.cell, m.n);
            m.n = 0;
        }
        run = cell[(rest - 1) * c->words] / c->inner;
        while (tail < rest &&
               cell[(rest - 1 - tail) * c->words] / c->inner == run)
            tail++;
        pass_on(&m, cell, rest - tail);
        m.cell = puan_arena_get_n(a, tail * c->words, sizeof(uint64_t));
        if (m.cell == NULL)
            return puan_arena_check(a, err);
        memcpy(m.cell, cell + (rest - tail) * c->words,
               tail * c->words * sizeof(uint64_t));
        m.n = tail;
    }
    pass_on(&m, m.cell, m.n);
    return PUAN_OK;
}

enum puan_status puan_cubes_cells(struct puan_cells *out,
                                  const struct puan_cubes *s, size_t cube,
                                  struct puan_cube_worker *const *all,
                                  size_t n_all, struct puan_arena *a,
                                  struct puan_err *err)
{
    const struct puan_cube_in *c = &s->cube[cube];

    *out = (struct puan_cells){ .words = c->words };
    for (size_t i = 0; i < c->spec->n_axes; i++) {
        out->stride[c->axis[i].of] = c->axis[i].stride;
        out->classes[c->axis[i].of] = c->axis[i].n;
    }
    switch (c->way) {
    case PUAN_CUBE_WHOLE:
        return whole_cells(out, s, cube, all, n_all, a, err);
    case PUAN_CUBE_RUNS:
        return runs_cells(out, s, cube, all, n_all, a, err);
    case PUAN_CUBE_SCATTER:
        break;
    }
    return puan_cube_scatter_cells(out, s, cube, all, n_all, a, err);
}
