/*
 * Cubes against plain loops: frames of three entities made by chance, every
 * way of counting, any order of ranges, several workers.
 */
#include "core/table/cube.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/test_heap.h"

static uint64_t state_of_chance;

static uint64_t chance(uint64_t n)
{
    state_of_chance ^= state_of_chance << 13;
    state_of_chance ^= state_of_chance >> 7;
    state_of_chance ^= state_of_chance << 17;
    return n ? state_of_chance % n : 0;
}

static const struct puan_frame_state states[] = {
    { PUAN_NOT_ASKED, 0 },
    { PUAN_MISSING, 0 },
    { PUAN_MISSING, 2 },
    { PUAN_INVALID, 0 },
};

/* A column of chance values; `runs`: equal for stretches and never falling. */
static void fill(struct puan_frame_item *it, uint64_t rows, uint8_t width,
                 uint64_t values, bool runs, struct puan_arena *a)
{
    uint8_t *data = puan_arena_get_n(a, (size_t)rows + 1, width);
    uint64_t v = 0;

    assert_non_null(data);
    it->width = width;
    it->base = (int64_t)chance(50) - 20;
    it->least = it->base + (int64_t)chance(4);
    it->most = it->least + (int64_t)values - 1;
    it->n_states = runs ? 0 : chance(3) ? 0 : chance(5);
    it->states = states;
    it->stop = (uint64_t)(it->most - it->base) + 1 + chance(3);
    if (it->n_states == 0)
        it->stop = UINT64_MAX;
    it->sorted = runs;
    it->data = data;
    for (uint64_t i = 0; i < rows; i++) {
        uint64_t s, off = (uint64_t)(it->least - it->base);

        if (runs)
            v += v + 1 < values && chance(rows) < 2 * values;
        else
            v = chance(2) ? chance(values) : chance(2);
        s = v % values + off;
        if (it->n_states && chance(5) == 0)
            s = it->stop + chance(it->n_states);
        memcpy(data + i * width, &s, width);
    }
}

struct world {
    struct puan_frame f;
    struct puan_frame_entity entity[3];
    struct puan_frame_item item[3][6];
};

static void build(struct world *w, struct puan_arena *a)
{
    uint64_t rows = 1 + chance(40);

    memset(w, 0, sizeof(*w));
    for (size_t e = 0; e < 3; e++) {
        struct puan_frame_entity *en = &w->entity[e];

        en->parent = (int)e - 1;
        if (e > 0) {
            uint32_t *first = puan_new_n(a, (size_t)rows + 1, uint32_t);
            uint64_t n = 0;

            for (uint64_t i = 0; i < rows; i++) {
                first[i] = (uint32_t)n;
                n += chance(8) ? chance(e == 1 ? 60 : 25) : 0;
            }
            first[rows] = (uint32_t)n;
            en->first = first;
            rows = n;
        }
        en->rows = rows;
        en->item = w->item[e];
        en->n_items = 6;
        fill(&w->item[e][0], rows, 1, 1 + chance(5), false, a);
        fill(&w->item[e][1], rows, 1, 1 + chance(120), false, a);
        fill(&w->item[e][2], rows, 2, 1 + chance(900), false, a);
        fill(&w->item[e][3], rows, 4, 1 + chance(90000), false, a);
        fill(&w->item[e][4], rows, chance(2) ? 2 : 4, 1 + chance(12), true, a);
        fill(&w->item[e][5], rows, 8, 1 + chance(300), false, a);
    }
    w->f.entity = w->entity;
    w->f.n_entities = 3;
}

/* The plain way: the row of `e` a row of the unit belongs to. */
static uint64_t row_above(const struct world *w, int e, int unit, uint64_t row)
{
    for (int x = unit; x != e; x--) {
        uint64_t p = 0;

        while (w->entity[x].first[p + 1] <= row)
            p++;
        row = p;
    }
    return row;
}

struct plain {
    uint64_t cls[8], n, given[2];
    int64_t sum[2];
};

static int by_class(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(((struct plain *)0)->cls));
}

static uint64_t class_by_value(const struct puan_frame_item *it, uint64_t row)
{
    enum puan_state st;
    int64_t v = puan_frame_value(&st, it, row);

    return st == PUAN_GIVEN
               ? (uint64_t)(v - it->least)
               : (uint64_t)(it->most - it->least) + 1 +
                     (puan_frame_stored(it, row) - it->stop);
}

static size_t plainly(struct plain **out, const struct world *w,
                      const struct puan_cube_spec *s)
{
    uint64_t rows = w->entity[s->unit].rows;
    struct plain *p = calloc(rows + 1, sizeof(*p));
    size_t n = 0, m = 0;

    assert_non_null(p);
    for (uint64_t r = 0; r < rows; r++) {
        bool out_of = false;

        memset(&p[n], 0, sizeof(p[n]));
        for (size_t i = 0; i < s->n_axes; i++) {
            const struct puan_cube_axis *x = &s->axis[i];
            uint64_t at = row_above(w, x->entity, s->unit, r), v;

            if (x->item)
                v = class_by_value(x->item, at);
            else
                v = w->entity[x->below].first[at + 1] -
                    w->entity[x->below].first[at];
            if (x->map) {
                out_of |= x->map[v] == PUAN_CUBE_OUT;
                v = x->map[v];
            }
            p[n].cls[i] = __builtin_bswap64(v); /* so that memcmp orders */
        }
        for (size_t i = 0; i < s->n_sums; i++) {
            enum puan_state st;
            int64_t v = puan_frame_value(
                &st, s->sum[i].item,
                row_above(w, s->sum[i].entity, s->unit, r));

            p[n].given[i] = st == PUAN_GIVEN;
            p[n].sum[i] = st == PUAN_GIVEN ? v : 0;
        }
        p[n].n = 1;
        n += !out_of;
    }
    qsort(p, n, sizeof(*p), by_class);
    for (size_t i = 0; i < n; i++) {
        if (m && by_class(&p[m - 1], &p[i]) == 0) {
            p[m - 1].n++;
            for (size_t k = 0; k < 2; k++) {
                p[m - 1].given[k] += p[i].given[k];
                p[m - 1].sum[k] += p[i].sum[k];
            }
        } else {
            p[m++] = p[i];
        }
    }
    *out = p;
    return m;
}

/* Holds one cube's cells against the plain ones. */
static void compare(const struct puan_cells *cells, const struct world *w,
                    const struct puan_cube_spec *s)
{
    struct plain *p, *got;
    size_t n = plainly(&p, w, s), m = 0;
    uint64_t before = 0;

    got = calloc(cells->n + 1, sizeof(*got));
    assert_non_null(got);
    for (size_t i = 0; i < cells->n_pieces; i++)
        for (size_t k = 0; k < cells->piece[i].n; k++) {
            const uint64_t *c = cells->piece[i].cell + k * cells->words;

            if (m)
                assert_true(c[0] > before);
            before = c[0];
            for (size_t x = 0; x < s->n_axes; x++)
                got[m].cls[x] = __builtin_bswap64(c[0] / cells->stride[x] %
                                                  cells->classes[x]);
            got[m].n = c[1];
            for (size_t x = 0; x < s->n_sums; x++) {
                got[m].given[x] = c[2 + 2 * x];
                got[m].sum[x] = (int64_t)c[3 + 2 * x];
            }
            m++;
        }
    qsort(got, m, sizeof(*got), by_class);
    assert_int_equal(m, cells->n);
    assert_int_equal(m, n);
    assert_memory_equal(got, p, n * sizeof(*p));
    free(p);
    free(got);
}

#define WORKERS 3

static void count(const struct world *w, const struct puan_cube_spec *spec,
                  size_t n, unsigned *ways, struct puan_arena *a)
{
    struct puan_cube_worker *worker[WORKERS];
    struct puan_cubes *s;
    struct puan_err err = { 0 };
    uint64_t rows, step;

    assert_int_equal(puan_cubes_compile(&s, &w->f, spec, n, a, &err), PUAN_OK);
    for (size_t i = 0; i < WORKERS; i++)
        assert_int_equal(puan_cube_worker_open(&worker[i], s, a, &err),
                         PUAN_OK);
    rows = puan_cubes_rows(s);
    step = 1 + chance(rows);
    /* ranges backwards, each by whoever comes */
    for (uint64_t k = rows ? (rows - 1) / step + 1 : 0; k-- > 0;)
        assert_int_equal(puan_cubes_run(worker[chance(WORKERS)], k * step,
                                        (k + 1) * step < rows ? (k + 1) * step
                                                              : rows,
                                        &err),
                         PUAN_OK);
    for (size_t t = 0; t < puan_cubes_tasks(s); t++)
        assert_int_equal(puan_cubes_task(worker[chance(WORKERS)], worker,
                                         WORKERS, t, &err),
                         PUAN_OK);
    for (size_t i = 0; i < n; i++) {
        struct puan_cells cells;

        assert_int_equal(
            puan_cubes_cells(&cells, s, i, worker, WORKERS, a, &err), PUAN_OK);
        compare(&cells, w, &spec[i]);
        ways[puan_cubes_way(s, i)]++;
    }
    for (size_t i = 0; i < WORKERS; i++)
        puan_cube_worker_clear(worker[i]);
}

static uint32_t *some_map(uint64_t raw, uint32_t n, struct puan_arena *a)
{
    uint32_t *map = puan_new_n(a, (size_t)raw, uint32_t);

    for (uint64_t i = 0; map && i < raw; i++)
        map[i] = chance(6) ? (uint32_t)chance(n) : PUAN_CUBE_OUT;
    return map;
}

static void cubes_of_chance_equal_plain_loops(void **state)
{
    unsigned ways[3] = { 0 };

    (void)state;
    for (unsigned seed = 1; seed <= 250; seed++) {
        struct puan_cube_axis axis[4][5];
        struct puan_cube_sum sum[4][2];
        struct puan_cube_spec spec[4];
        struct puan_arena a;
        struct world w;
        uint16_t unit;

        puan_arena_init(&a, &puan_test_heap);
        state_of_chance = seed * 0x9e3779b97f4a7c15u;
        build(&w, &a);
        unit = (uint16_t)chance(3);
        for (size_t i = 0; i < 4; i++) {
            size_t n = 1 + chance(5);

            for (size_t k = 0; k < n; k++) {
                uint16_t e = (uint16_t)chance(unit + 1u);
                struct puan_cube_axis *x = &axis[i][k];

                *x = (struct puan_cube_axis){ .entity = e };
                if (e < 2 && chance(6) == 0) {
                    x->below = (uint16_t)(e + 1);
                } else {
                    x->item = &w.item[e][chance(6)];
                    if (chance(3) == 0) {
                        x->n = 1 + (uint32_t)chance(9);
                        x->map = some_map(puan_cube_classes(x->item), x->n, &a);
                    }
                }
            }
            spec[i] = (struct puan_cube_spec){ unit, axis[i], n, sum[i],
                                               chance(3) };
            for (size_t k = 0; k < spec[i].n_sums; k++) {
                uint16_t e = (uint16_t)chance(unit + 1u);

                sum[i][k] = (struct puan_cube_sum){ e, &w.item[e][chance(6)] };
            }
        }
        count(&w, spec, 4, ways, &a);
        puan_arena_clear(&a);
    }
    /* every way was taken often enough to mean something */
    for (size_t i = 0; i < 3; i++)
        assert_in_range(ways[i], 40, 1000);
}

static void a_damaged_column_is_told(void **state)
{
    uint8_t bytes[] = { 1, 2, 3, 9, 1 };
    struct puan_frame_item it = { .width = 1,
                                  .least = 1,
                                  .most = 3,
                                  .base = 0,
                                  .stop = UINT64_MAX,
                                  .data = bytes };
    struct puan_frame_entity en = { .parent = -1,
                                    .rows = 5,
                                    .item = &it,
                                    .n_items = 1 };
    struct puan_frame f = { .entity = &en, .n_entities = 1 };
    struct puan_cube_axis axis = { .item = &it };
    struct puan_cube_spec spec = { .axis = &axis, .n_axes = 1 };
    struct puan_cube_worker *w;
    struct puan_cubes *s;
    struct puan_arena a;
    struct puan_err err = { 0 };

    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    assert_int_equal(puan_cubes_compile(&s, &f, &spec, 1, &a, &err), PUAN_OK);
    assert_int_equal(puan_cube_worker_open(&w, s, &a, &err), PUAN_OK);
    assert_int_equal(puan_cubes_run(w, 0, 5, &err), PUAN_EINVAL);
    puan_cube_worker_clear(w);
    puan_arena_clear(&a);
}

/* Long runs of a sorted item with a column of bytes beside it: in nine rows of
 * ten one value, or any; lengths that are no multiple of a register. */
static void a_usual_value_is_counted_as_any_other(void **state)
{
    enum { ROWS = 40007, RUNS = 7 };
    static uint16_t area[ROWS];
    static uint8_t code[ROWS];
    static uint64_t want[RUNS][256], got[RUNS][256];
    struct puan_frame_item item[2] = {
        { .width = 2, .most = RUNS - 1, .stop = UINT64_MAX, .sorted = true,
          .data = area },
        { .width = 1, .most = 255, .stop = UINT64_MAX, .data = code },
    };
    struct puan_frame_entity en = { .parent = -1, .rows = ROWS, .item = item,
                                    .n_items = 2 };
    struct puan_frame f = { .entity = &en, .n_entities = 1 };
    struct puan_cube_axis axis[2] = { { .item = &item[0] },
                                      { .item = &item[1] } };
    struct puan_cube_spec spec = { .axis = axis, .n_axes = 2 };

    (void)state;
    state_of_chance = 99;
    for (unsigned often = 0; often < 3; often++) { /* never, nine in ten, all */
        struct puan_cube_worker *w;
        struct puan_cubes *s;
        struct puan_cells cells;
        struct puan_arena a;
        struct puan_err err = { 0 };

        memset(want, 0, sizeof(want));
        memset(got, 0, sizeof(got));
        for (size_t i = 0; i < ROWS; i++) {
            area[i] = (uint16_t)(i * RUNS / ROWS);
            code[i] = often == 2 || (often == 1 && chance(10))
                          ? 7
                          : (uint8_t)chance(256);
            want[area[i]][code[i]]++;
        }
        puan_arena_init(&a, &puan_test_heap);
        assert_int_equal(puan_cubes_compile(&s, &f, &spec, 1, &a, &err),
                         PUAN_OK);
        assert_int_equal(puan_cubes_way(s, 0), PUAN_CUBE_RUNS);
        assert_int_equal(puan_cube_worker_open(&w, s, &a, &err), PUAN_OK);
        assert_int_equal(puan_cubes_run(w, 0, ROWS, &err), PUAN_OK);
        assert_int_equal(puan_cubes_cells(&cells, s, 0, &w, 1, &a, &err),
                         PUAN_OK);
        for (size_t p = 0; p < cells.n_pieces; p++)
            for (size_t k = 0; k < cells.piece[p].n; k++) {
                const uint64_t *c = cells.piece[p].cell + k * cells.words;

                got[c[0] / cells.stride[0] % cells.classes[0]]
                   [c[0] / cells.stride[1] % cells.classes[1]] = c[1];
            }
        assert_memory_equal(got, want, sizeof(want));
        puan_cube_worker_clear(w);
        puan_arena_clear(&a);
    }
}

static void sums_that_might_not_fit_are_refused(void **state)
{
    uint64_t words[4] = { 0 };
    struct puan_frame_item it = { .width = 8,
                                  .least = 0,
                                  .most = INT64_MAX / 2,
                                  .stop = UINT64_MAX,
                                  .data = words };
    struct puan_frame_entity en = { .parent = -1,
                                    .rows = 4,
                                    .item = &it,
                                    .n_items = 1 };
    struct puan_frame f = { .entity = &en, .n_entities = 1 };
    struct puan_cube_sum sum = { 0, &it };
    struct puan_cube_spec spec = { .sum = &sum, .n_sums = 1 };
    struct puan_cubes *s;
    struct puan_arena a;
    struct puan_err err = { 0 };

    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    assert_int_equal(puan_cubes_compile(&s, &f, &spec, 1, &a, &err),
                     PUAN_ELIMIT);
    puan_arena_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cubes_of_chance_equal_plain_loops),
        cmocka_unit_test(a_damaged_column_is_told),
        cmocka_unit_test(a_usual_value_is_counted_as_any_other),
        cmocka_unit_test(sums_that_might_not_fit_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
