/*
 * The checker against planted faults, and each kind of fault by hand.
 */
#include "features/maps/check.h"

#include <stdlib.h>

#include "features/host/test_fixture.h"
#include "features/maps/test_plant.h"
#include "kit/os/heap.h"

static struct puan_arena a;
static struct puan_ground g;

static int set_up(void **state)
{
    (void)state;
    puan_arena_init(&a, &puan_heap);
    ok(puan_plant_map(&g, 6, 3, 26, 1, &a, err));
    return 0;
}

static int take_down(void **state)
{
    (void)state;
    puan_arena_clear(&a);
    return 0;
}

static struct puan_map_check check(void)
{
    struct puan_map_check c;

    ok(puan_map_check(&c, &g, -1, 1, &a, err));
    return c;
}

/* The areas of the innermost level, from 0. */
static uint32_t ea(uint32_t n)
{
    uint32_t i = 0;

    for (;; i++)
        if (g.tree->area[i].level == 2 && n-- == 0)
            return i;
}

static void a_map_that_fits_has_no_fault(void **state)
{
    struct puan_map_check c = check();

    (void)state;
    assert_int_equal(c.n, 0);
    assert_int_equal(c.areas[2], 324);
    assert_int_equal(c.drawn[2], 324);
    assert_int_equal(c.buildings, 324 * 5);
    assert_true(c.points >= 324 * 100);
    /* nor when the levels above are not drawn and all is laid over all */
    for (uint32_t i = 0; i < g.end; i++)
        if (g.tree->area[i].level < 2)
            g.feature[i].n_rings = 0;
    assert_int_equal(check().n, 0);
}

static void what_is_planted_is_found_and_nothing_else(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct puan_plant_score s;
        struct puan_map_check c;
        struct puan_plant *p;
        size_t n;

        ok(puan_plant_map(&g, 6, 3, 26, seed, &a, err));
        ok(puan_plant(&p, &n, &g, 5, seed, &a, err));
        assert_int_equal(n, 30);
        c = check();
        puan_plant_score(&s, p, n, &c);
        for (size_t i = 0; i < n; i++)
            if (!p[i].found)
                fail_msg("seed %llu: %s of %.*s (%.1f m2) not found",
                         (unsigned long long)seed,
                         puan_map_fault_name(p[i].kind),
                         PUAN_FMT(g.tree->area[p[i].area].digits), p[i].m2);
        if (s.false_alarms > 0)
            fail_msg("seed %llu: %zu false alarms", (unsigned long long)seed,
                     s.false_alarms);
    }
}

/* The short way (borders add up) and the long one find the same overlaps. */
static void overlaps_are_the_same_without_the_level_above(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct puan_map_check c, again;
        struct puan_plant *p;
        uint32_t k = 0;
        size_t n;

        ok(puan_plant_map(&g, 4, 3, 26, seed, &a, err));
        ok(puan_plant(&p, &n, &g, 2, seed, &a, err));
        c = check();
        for (uint32_t i = 0; i < g.end; i++)
            if (g.tree->area[i].level < 2)
                g.feature[i].n_rings = 0;
        again = check();
        assert_int_equal(c.of[PUAN_MAP_OVERLAP], again.of[PUAN_MAP_OVERLAP]);
        for (uint32_t i = 0; i < c.n; i++) {
            if (c.fault[i].kind != PUAN_MAP_OVERLAP)
                continue;
            while (k < again.n && again.fault[k].kind != PUAN_MAP_OVERLAP)
                k++;
            assert_true(k < again.n);
            assert_int_equal(c.fault[i].area, again.fault[k].area);
            assert_int_equal(c.fault[i].other, again.fault[k].other);
            k++;
        }
    }
}

static void an_area_laid_whole_over_another_is_an_overlap(void **state)
{
    struct puan_map_check c;

    (void)state;
    /* far from each other in the tree, each of them whole */
    g.feature[ea(0)] = g.feature[ea(100)];
    c = check();
    assert_int_equal(c.of[PUAN_MAP_OVERLAP], 1);
    assert_int_equal(c.of[PUAN_MAP_GAP], 1);
    assert_int_equal(c.of[PUAN_MAP_ASTRAY] + c.of[PUAN_MAP_ORPHAN], 5);
    assert_int_equal(c.of[PUAN_MAP_BEYOND], 0); /* the overlap says it */
}

static void a_ring_that_crosses_itself_is_named_with_its_place(void **state)
{
    struct puan_geo_feature *f = &g.feature[ea(10)];
    struct puan_geo_point p = f->ring[0].p[5];
    struct puan_map_check c;

    (void)state;
    f->ring[0].p[5] = f->ring[0].p[7];
    f->ring[0].p[7] = p;
    c = check();
    assert_int_equal(c.of[PUAN_MAP_CROSSED], 1);
    for (uint32_t i = 0; i < c.n; i++)
        if (c.fault[i].kind == PUAN_MAP_CROSSED) {
            assert_int_equal(c.fault[i].area, ea(10));
            assert_true(c.fault[i].placed);
            assert_true(abs(c.fault[i].at.x - p.x) < 2000);
        }
}

static void ground_taken_across_the_parents_border_is_beyond(void **state)
{
    /* the ground of an area goes whole to one of the next district */
    uint32_t from = ea(0), to = ea(9);
    struct puan_geo_feature *f = &g.feature[to];
    struct puan_geo_ring *r = puan_new_n(&a, 2, struct puan_geo_ring);
    struct puan_map_check c;

    (void)state;
    r[0] = f->ring[0];
    r[1] = g.feature[from].ring[0];
    f->ring = r;
    f->n_rings = 2;
    g.feature[from].n_rings = 0;
    c = check();
    assert_int_equal(c.of[PUAN_MAP_BEYOND], 1);
    assert_int_equal(c.of[PUAN_MAP_UNDRAWN], 1);
    assert_int_equal(c.of[PUAN_MAP_GAP], 0); /* somebody has it */
    assert_int_equal(c.of[PUAN_MAP_OVERLAP], 0);
    assert_int_equal(c.n, 2);
}

static void an_area_without_buildings_is_found_by_its_hole(void **state)
{
    struct puan_map_check c;

    (void)state;
    g.n_buildings = 0;
    g.feature[ea(40)].n_rings = 0;
    c = check();
    assert_int_equal(c.n, 1);
    assert_int_equal(c.fault[0].kind, PUAN_MAP_UNDRAWN);
    assert_true(c.fault[0].placed);
    assert_int_equal(c.fault[0].shape.n_rings, 1);
}

static void virtual_areas_have_numbers_from_900_and_no_ground(void **state)
{
    struct puan_area *area = puan_new_n(&a, g.tree->n, struct puan_area);
    struct puan_area_tree t = *g.tree;
    struct puan_map_check c;

    (void)state;
    memcpy(area, t.area, t.n * sizeof(*area));
    t.area = area;
    g.tree = &t;
    g.virtual_from = 900;
    area[ea(3)].kind = PUAN_AREA_VIRTUAL; /* drawn, numbered 004, lived in */
    c = check();
    assert_int_equal(c.of[PUAN_MAP_GROUNDLESS], 6);
    assert_int_equal(c.of[PUAN_MAP_MISNUMBERED], 1);
    assert_int_equal(c.n, 7);
    /* a virtual area that nobody has drawn is as it should be */
    g.virtual_from = 0;
    g.n_buildings = 0;
    g.feature[ea(3)].n_rings = 0;
    c = check();
    assert_int_equal(c.of[PUAN_MAP_UNDRAWN], 0);
}

static void ground_below_the_least_is_no_fault(void **state)
{
    struct puan_geo_feature *f = &g.feature[ea(0)];
    struct puan_map_check c;

    (void)state;
    f->ring[0].p[30].x += 3;
    c = check();
    assert_int_equal(c.n, 1);
    ok(puan_map_check(&c, &g, -1, 1000, &a, err));
    assert_int_equal(c.n, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, take_down)
    const struct CMUnitTest tests[] = {
        T(a_map_that_fits_has_no_fault),
        T(what_is_planted_is_found_and_nothing_else),
        T(overlaps_are_the_same_without_the_level_above),
        T(an_area_laid_whole_over_another_is_an_overlap),
        T(a_ring_that_crosses_itself_is_named_with_its_place),
        T(ground_taken_across_the_parents_border_is_beyond),
        T(an_area_without_buildings_is_found_by_its_hole),
        T(virtual_areas_have_numbers_from_900_and_no_ground),
        T(ground_below_the_least_is_no_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
