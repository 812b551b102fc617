/*
 * Derived columns by the lanes executor; see derive.h.
 */
#include "features/tables/derive.h"

#include <stdlib.h>

#include "core/rule/lanes.h"
#include "kit/job/job.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

#define THREADS_MOST 64
#define RANGE ((uint64_t)PUAN_LANES_ROWS * 16)
#define WANTS_MOST 512

static const struct puan_frame_state states[] = { { PUAN_NOT_ASKED, 0 },
                                                  { PUAN_MISSING, 0 },
                                                  { PUAN_INVALID, 0 } };

struct column {
    struct puan_frame_item item;
    void *data;
};

struct seen { /* of one column by one thread */
    int64_t least, most;
    uint64_t n_given;
};

struct derive {
    const struct puan_lanes *lanes;
    struct column *column;
    size_t n, pass;
    unsigned threads;
    struct puan_arena arena[THREADS_MOST];
    struct puan_lanes_work *work[THREADS_MOST];
    struct puan_lanes_value *value[THREADS_MOST];
    struct seen *seen[THREADS_MOST];
};

/* ---- columns ---------------------------------------------------------------
 */

static enum puan_status column_open(struct column *c,
                                    const struct puan_lanes_type *t,
                                    struct puan_str name, uint64_t rows,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_frame_item *it = &c->item;
    uint64_t span = t->least > t->most
                        ? 0
                        : (uint64_t)t->most - (uint64_t)t->least;

    if (span > UINT64_MAX - 4)
        return puan_fail(err, PUAN_ELIMIT, "table",
                         "'%.*s' may take values beyond 64 bits",
                         PUAN_FMT(name));
    *it = (struct puan_frame_item){
        .name = name,
        .zh = name,
        .en = name,
        .type = t->truth ? PUAN_TYPE_INT : t->type,
        .places = t->places,
        .digits = t->digits,
        .codes = t->truth ? NULL : t->codes,
        .base = t->least > t->most ? 0 : t->least,
        .stop = span + 1,
        .states = states,
        .n_states = PUAN_COUNT(states),
    };
    it->width = span + 4 <= UINT8_MAX    ? 1
                : span + 4 <= UINT16_MAX ? 2
                : span + 4 <= UINT32_MAX ? 4
                                         : 8;
    c->data = puan_arena_get_n(a, (size_t)rows + 1, it->width);
    it->data = c->data;
    return puan_arena_check(a, err);
}

static void store(const struct column *c, uint64_t row, uint64_t v)
{
    switch (c->item.width) {
    case 1:
        ((uint8_t *)c->data)[row] = (uint8_t)v;
        break;
    case 2:
        ((uint16_t *)c->data)[row] = (uint16_t)v;
        break;
    case 4:
        ((uint32_t *)c->data)[row] = (uint32_t)v;
        break;
    default:
        ((uint64_t *)c->data)[row] = v;
        break;
    }
}

/* Rows [at, at + n) one by one, states and all. */
static void fill_some(const struct column *c, struct seen *s,
                      const struct puan_lanes_value *v, uint64_t row,
                      uint32_t at, uint32_t n)
{
    for (uint32_t i = at; i < at + n; i++) {
        enum puan_state state;
        int64_t x = puan_lanes_at(&state, v, i);

        if (state == PUAN_GIVEN) {
            s->least = x < s->least ? x : s->least;
            s->most = x > s->most ? x : s->most;
            s->n_given++;
            store(c, row + i, (uint64_t)x - (uint64_t)c->item.base);
        } else {
            store(c, row + i,
                  c->item.stop + (state == PUAN_NOT_ASKED ? 0u
                                  : state == PUAN_MISSING ? 1u
                                                          : 2u));
        }
    }
}

/* Lanes of type T, from `p` on, to stored values of type O. */
#define MOVE(T, O)                                                             \
    do {                                                                       \
        O *to = (O *)c->data + row + at, move = (O)delta;                      \
        T lo = p[0], hi = p[0];                                                \
                                                                               \
        for (uint32_t i = 0; i < n; i++) {                                     \
            lo = p[i] < lo ? p[i] : lo;                                        \
            hi = p[i] > hi ? p[i] : hi;                                        \
        }                                                                      \
        for (uint32_t i = 0; i < n; i++)                                       \
            to[i] = (O)((O)p[i] + move);                                       \
        least = (int64_t)(base + lo);                             \
        most = (int64_t)(base + hi);                              \
    } while (0)
#define FROM(T)                                                                \
    do {                                                                       \
        const T *p = (const T *)lane + from;                                   \
                                                                               \
        switch (c->item.width) {                                               \
        case 1:                                                                \
            MOVE(T, uint8_t);                                                  \
            break;                                                             \
        case 2:                                                                \
            MOVE(T, uint16_t);                                                 \
            break;                                                             \
        case 4:                                                                \
            MOVE(T, uint32_t);                                                 \
            break;                                                             \
        default:                                                               \
            MOVE(T, uint64_t);                                                 \
            break;                                                             \
        }                                                                      \
    } while (0)

/* At most 64 rows from `at`, a multiple of 64, on; all of them are given.
   Their values do not wrap: lanes count up from their base. */
static void fill_given(const struct column *c, struct seen *s,
                       const struct puan_lanes_value *v, uint64_t row,
                       uint32_t at, uint32_t n)
{
    uint64_t base = v->width ? (uint64_t)v->base : 0;
    uint64_t delta = base - (uint64_t)c->item.base;
    const void *lane = v->lane;
    int64_t least = 0, most = 0;
    uint32_t from = at;
    uint8_t bit[64];

    switch (v->width) {
    case 0:
        for (uint32_t i = 0; i < 64; i++)
            bit[i] = (uint8_t)(v->bits[at / 64] >> i & 1);
        lane = bit;
        from = 0;
        FROM(uint8_t);
        break;
    case 1:
        FROM(uint8_t);
        break;
    case 2:
        FROM(uint16_t);
        break;
    case 4:
        FROM(uint32_t);
        break;
    default: /* lanes of 64 bits may begin anywhere */
        fill_some(c, s, v, row, at, n);
        return;
    }
    s->least = least < s->least ? least : s->least;
    s->most = most > s->most ? most : s->most;
    s->n_given += n;
}

static void fill(const struct column *c, struct seen *s,
                 const struct puan_lanes_value *v, uint64_t row, uint32_t n)
{
    const uint64_t *none[] = { v->not_asked, v->missing, v->invalid };

    for (uint32_t at = 0; at < n; at += 64) {
        uint32_t some = n - at < 64 ? n - at : 64;
        uint64_t gone = 0;

        for (size_t k = 0; k < PUAN_COUNT(none); k++)
            gone |= none[k] ? none[k][at / 64] : 0;
        if (gone)
            fill_some(c, s, v, row, at, some);
        else
            fill_given(c, s, v, row, at, some);
    }
}

/* ---- running ---------------------------------------------------------------
 */

static enum puan_status work_of(struct puan_lanes_work **out, struct derive *d,
                                unsigned w, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    if (d->work[w] == NULL) {
        st = puan_lanes_work_new(&d->work[w], d->lanes, &d->arena[w], err);
        d->value[w] =
            puan_new_n(&d->arena[w], d->n, struct puan_lanes_value);
        d->seen[w] = puan_new_n(&d->arena[w], d->n, struct seen);
        for (size_t i = 0; d->seen[w] && i < d->n; i++)
            d->seen[w][i] = (struct seen){ INT64_MAX, INT64_MIN, 0 };
        if (st == PUAN_OK)
            st = puan_arena_check(&d->arena[w], err);
    }
    *out = d->work[w];
    return st;
}

static enum puan_status pass(void *arg, uint64_t begin, uint64_t end,
                             unsigned w, struct puan_err *err)
{
    struct derive *d = arg;
    struct puan_lanes_work *k;
    enum puan_status st = work_of(&k, d, w, err);

    if (st == PUAN_OK)
        puan_lanes_run(k, d->pass, begin, end, NULL, NULL);
    return st;
}

static enum puan_status look(void *arg, uint64_t begin, uint64_t end,
                             unsigned w, struct puan_err *err)
{
    struct derive *d = arg;
    struct puan_lanes_work *k;
    enum puan_status st = work_of(&k, d, w, err);

    for (uint64_t row = begin; st == PUAN_OK && row < end;) {
        uint32_t n = (uint32_t)(end - row < PUAN_LANES_ROWS ? end - row
                                                            : PUAN_LANES_ROWS);

        puan_lanes_look(d->value[w], k, row, n);
        for (size_t i = 0; i < d->n; i++)
            fill(&d->column[i], &d->seen[w][i], &d->value[w][i], row, n);
        row += n;
    }
    return st;
}

/* What the codebook of a column would say. */
static void describe(struct column *c, const struct derive *d, size_t i)
{
    struct seen all = { INT64_MAX, INT64_MIN, 0 };

    for (unsigned w = 0; w < d->threads; w++) {
        const struct seen *s = d->seen[w] ? &d->seen[w][i] : NULL;

        if (s == NULL || s->n_given == 0)
            continue;
        all.least = s->least < all.least ? s->least : all.least;
        all.most = s->most > all.most ? s->most : all.most;
        all.n_given += s->n_given;
    }
    c->item.least = all.least;
    c->item.most = all.most;
    c->item.n_given = all.n_given;
}

static enum puan_status derive_of(struct puan_tab_want **want, size_t n,
                                  const struct puan_frame *f, uint16_t entity,
                                  const struct puan_tab_programme *p,
                                  const struct puan_derive_texts *texts,
                                  unsigned threads, struct puan_arena *a,
                                  struct puan_err *err)
{
    struct derive *d = calloc(1, sizeof(*d));
    struct puan_lanes_options opt = { .consts = p->consts,
                                      .n_consts = p->n_consts,
                                      .lookups = texts->lookups,
                                      .n_lookups = texts->n_lookups };
    struct puan_lanes_source *source =
        puan_new_n(a, n, struct puan_lanes_source);
    struct puan_lanes *lanes = NULL;
    uint64_t rows = f->entity[entity].rows;
    enum puan_status st;

    if (d == NULL || source == NULL) {
        free(d);
        return puan_fail(err, PUAN_ENOMEM, "table", "out of memory");
    }
    d->n = n;
    d->threads = threads ? threads : puan_cores();
    if (d->threads > THREADS_MOST)
        d->threads = THREADS_MOST;
    d->column = puan_new_n(a, n, struct column);
    for (unsigned w = 0; w < d->threads; w++)
        puan_arena_init(&d->arena[w], puan_os_alloc());
    for (size_t i = 0; i < n; i++)
        source[i] = (struct puan_lanes_source){ want[i]->text, want[i]->file,
                                                want[i]->line,
                                                want[i]->truth };
    st = d->column ? puan_lanes_expr_compile(
                         &lanes, f, entity, source, n, texts->text,
                         texts->file, texts->n, &opt, a, err)
                   : puan_arena_check(a, err);
    d->lanes = lanes;
    for (size_t i = 0; st == PUAN_OK && d->column && i < n; i++) {
        struct puan_lanes_type t;

        puan_lanes_expr_type(&t, lanes, i);
        st = column_open(&d->column[i], &t, want[i]->text, rows, a, err);
    }
    for (size_t k = 0; st == PUAN_OK && k < puan_lanes_passes(lanes); k++) {
        d->pass = k;
        st = puan_parallel(d->threads, puan_lanes_rows(lanes, k), RANGE, pass,
                           d, err);
    }
    if (st == PUAN_OK)
        st = puan_parallel(d->threads, rows, RANGE, look, d, err);
    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        describe(&d->column[i], d, i);
        want[i]->item = &d->column[i].item;
    }
    for (unsigned w = 0; w < d->threads; w++)
        puan_arena_clear(&d->arena[w]);
    free(d);
    return st;
}

enum puan_status puan_derive(struct puan_tab_want *want, size_t n,
                             const struct puan_frame *f,
                             const struct puan_tab_programme *p,
                             const struct puan_derive_texts *texts,
                             unsigned threads, struct puan_arena *a,
                             struct puan_err *err)
{
    static const struct puan_derive_texts none;
    struct puan_tab_want *of[WANTS_MOST];
    enum puan_status st = PUAN_OK;

    if (n > WANTS_MOST)
        return puan_fail(err, PUAN_ELIMIT, "table",
                         "more than %d derived columns", WANTS_MOST);
    for (uint16_t e = 0; st == PUAN_OK && e < f->n_entities; e++) {
        size_t k = 0;

        for (size_t i = 0; i < n; i++)
            if (want[i].entity == e)
                of[k++] = &want[i];
        if (k)
            st = derive_of(of, k, f, e, p, texts ? texts : &none, threads, a,
                           err);
    }
    return st;
}
