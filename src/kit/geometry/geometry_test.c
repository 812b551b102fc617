#include "kit/geometry/geometry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit/os/heap.h"

static struct puan_plane *plane;
static struct puan_arena a;

static int set_up(void **state)
{
    (void)state;
    puan_arena_init(&a, &puan_heap);
    return puan_plane_open(&plane, NULL) == PUAN_OK ? 0 : -1;
}

static int take_down(void **state)
{
    (void)state;
    puan_plane_close(plane);
    puan_arena_clear(&a);
    return 0;
}

static struct puan_shape *box(int32_t x0, int32_t y0, int32_t x1, int32_t y1)
{
    struct puan_plane_point p[4] = {
        { x0, y0 }, { x1, y0 }, { x1, y1 }, { x0, y1 }
    };
    struct puan_plane_ring r = { p, 4, true };
    struct puan_shape *s = NULL;

    assert_int_equal(puan_shape_make(&s, plane, &r, 1, NULL), PUAN_OK);
    return s;
}

static uint32_t pieces(struct puan_shape_piece **out, struct puan_shape *s)
{
    uint32_t n = 0;

    assert_int_equal(puan_shape_pieces(out, &n, plane, s, 0, &a, NULL),
                     PUAN_OK);
    return n;
}

static void what_two_share_is_ground_and_not_a_line(void **state)
{
    struct puan_shape *one = box(0, 0, 10, 10), *two = box(8, 2, 20, 6),
                      *beside = box(10, 0, 20, 10), *s;
    struct puan_shape_piece *k;

    (void)state;
    assert_int_equal(puan_shape_both(&s, plane, one, two, NULL), PUAN_OK);
    assert_int_equal(pieces(&k, s), 1);
    assert_true(k[0].area == 8);
    assert_true(k[0].inside.x >= 8 && k[0].inside.x <= 10);
    assert_int_equal(puan_shape_both(&s, plane, one, beside, NULL), PUAN_OK);
    assert_int_equal(pieces(&k, s), 0);
}

static void what_is_left_comes_in_pieces_the_largest_first(void **state)
{
    struct puan_shape *one = box(0, 0, 10, 10), *cut = box(3, -1, 4, 11), *s,
                      *both[2], *all, *full;
    struct puan_shape_piece *k;

    (void)state;
    assert_int_equal(puan_shape_minus(&s, plane, one, cut, NULL), PUAN_OK);
    assert_int_equal(pieces(&k, s), 2);
    assert_true(k[0].area == 60 && k[1].area == 30);
    both[0] = s;
    both[1] = cut;
    assert_int_equal(puan_shape_all(&all, plane, both, 2, NULL), PUAN_OK);
    assert_int_equal(pieces(&k, all), 1);
    assert_true(k[0].area == 102);
    /* a yard in the middle is a hole, and can be filled */
    assert_int_equal(puan_shape_minus(&s, plane, one, box(4, 4, 6, 6), NULL),
                     PUAN_OK);
    assert_int_equal(pieces(&k, s), 1);
    assert_int_equal(k[0].n_rings, 2);
    assert_true(k[0].area == 96);
    assert_int_equal(puan_shape_filled(&full, plane, s, NULL), PUAN_OK);
    assert_int_equal(pieces(&k, full), 1);
    assert_true(k[0].area == 100);
}

static void a_ring_that_crosses_itself_is_told_and_mended(void **state)
{
    struct puan_plane_point p[4] = { { 0, 0 }, { 4, 4 }, { 4, 0 }, { 0, 4 } };
    struct puan_plane_ring r = { p, 4, true };
    struct puan_plane_point at;
    struct puan_shape_piece *k;
    struct puan_shape *s, *mended;
    bool sound = true;

    (void)state;
    assert_int_equal(puan_shape_make(&s, plane, &r, 1, NULL), PUAN_OK);
    assert_int_equal(puan_shape_sound(&sound, &at, plane, s, NULL), PUAN_OK);
    assert_false(sound);
    assert_int_equal(at.x, 2);
    assert_int_equal(at.y, 2);
    assert_int_equal(puan_shape_mend(&mended, plane, s, NULL), PUAN_OK);
    assert_int_equal(puan_shape_sound(&sound, &at, plane, mended, NULL),
                     PUAN_OK);
    assert_true(sound);
    assert_int_equal(pieces(&k, mended), 2);
    assert_true(k[0].area + k[1].area == 8);
}

static void nothing_is_a_shape_too(void **state)
{
    struct puan_shape *none, *s;
    struct puan_shape_piece *k;

    (void)state;
    assert_int_equal(puan_shape_make(&none, plane, NULL, 0, NULL), PUAN_OK);
    assert_int_equal(puan_shape_both(&s, plane, none, box(0, 0, 1, 1), NULL),
                     PUAN_OK);
    assert_int_equal(pieces(&k, s), 0);
    assert_int_equal(puan_shape_all(&s, plane, NULL, 0, NULL), PUAN_OK);
    assert_int_equal(pieces(&k, s), 0);
    assert_int_equal(puan_shape_filled(&s, plane, none, NULL), PUAN_OK);
    assert_int_equal(pieces(&k, s), 0);
    puan_shape_free(plane, s);
    puan_shape_free(plane, NULL);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, take_down)
    const struct CMUnitTest tests[] = {
        T(what_two_share_is_ground_and_not_a_line),
        T(what_is_left_comes_in_pieces_the_largest_first),
        T(a_ring_that_crosses_itself_is_told_and_mended),
        T(nothing_is_a_shape_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
