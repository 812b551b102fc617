#include "features/maps/maps.h"

#include "features/host/test_fixture.h"
#include "features/maps/internal.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

#define TWO                                                                    \
    "{\"type\":\"FeatureCollection\",\"features\":["                           \
    "{\"type\":\"Feature\",\"properties\":{\"code\":\"11001\"},\"geometry\":"  \
    "{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,0],[1,0.5],[1.0000001,"  \
    "1],[0,1],[0,0]]]}},"                                                      \
    "{\"type\":\"Feature\",\"properties\":{\"name\":\"x\",\"code\":"           \
    "\"11002\"},\"geometry\":{\"coordinates\":[[[[1,0],[2,0,7],[2,1],[1,1],"   \
    "[1,0.5],[1,0]]],[[[5,5],[6,5],[6,6],[5,5]]]],\"type\":\"MultiPolygon\""   \
    "}}]}"

static struct puan_arena a;

static int set_up(void **state)
{
    (void)state;
    puan_arena_init(&a, &puan_heap);
    return 0;
}

static int take_down(void **state)
{
    (void)state;
    puan_arena_clear(&a);
    return 0;
}

static void a_file_comes_back_from_its_bytes(void **state)
{
    struct puan_geo g;

    (void)state;
    ok(puan_geo_read(&g, PUAN_STR(TWO), "f", &a, err));
    assert_int_equal(g.n, 2);
    assert_int_equal(g.feature[0].n_rings, 1);
    assert_int_equal(g.feature[0].ring[0].n, 5);
    assert_int_equal(g.feature[1].n_rings, 2);
    assert_int_equal(g.feature[0].ring[0].p[3].x, 1000000); /* rounded */
    for (uint32_t i = 0; i < g.n; i++) {
        struct puan_geo_feature back;
        struct puan_out o, once, twice;

        puan_out_init(&o, &a);
        puan_geo_pack(&o, &g.feature[i]);
        ok(puan_geo_unpack(&back, puan_out_view(&o), &a, err));
        puan_out_init(&once, &a);
        puan_out_init(&twice, &a);
        puan_geo_json(&once, &g.feature[i], 6);
        puan_geo_json(&twice, &back, 6);
        assert_string_equal(once.p, twice.p);
    }
}

static void what_is_no_boundary_is_refused_where_it_stands(void **state)
{
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"type\":\"FeatureCollection\"}",
        "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\","
        "\"properties\":{\"code\":\"1\"},\"geometry\":null}]}",
        "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\","
        "\"properties\":{\"code\":\"x\"},\"geometry\":{\"type\":\"Polygon\","
        "\"coordinates\":[[[0,0],[1,0],[1,1],[0,0]]]}}]}",
        /* open, too short, off the globe, an exponent, a point */
        "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\","
        "\"properties\":{\"code\":\"1\"},\"geometry\":{\"type\":\"Polygon\","
        "\"coordinates\":[[[0,0],[1,0],[1,1],[0,1]]]}}]}",
        "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\","
        "\"properties\":{\"code\":\"1\"},\"geometry\":{\"type\":\"Polygon\","
        "\"coordinates\":[[[0,0],[1,0],[0,0]]]}}]}",
        "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\","
        "\"properties\":{\"code\":\"1\"},\"geometry\":{\"type\":\"Polygon\","
        "\"coordinates\":[[[0,91],[1,0],[1,1],[0,91]]]}}]}",
        "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\","
        "\"properties\":{\"code\":\"1\"},\"geometry\":{\"type\":\"Polygon\","
        "\"coordinates\":[[[0,1e1],[1,0],[1,1],[0,1e1]]]}}]}",
        "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\","
        "\"properties\":{\"code\":\"1\"},\"geometry\":{\"type\":\"Point\","
        "\"coordinates\":[0,1]}}]}",
    };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(bad); i++) {
        struct puan_err err = { 0 };
        struct puan_geo g;

        assert_int_equal(puan_geo_read(&g, puan_str_of(bad[i]), "f", &a, &err),
                         PUAN_EINVAL);
        assert_true(err.text[0] != '\0');
    }
}

static void neighbours_share_a_thinned_border(void **state)
{
    struct puan_geo g;

    (void)state;
    ok(puan_geo_read(&g, PUAN_STR(TWO), "f", &a, err));
    ok(puan_geo_thin(&g, 1000, &a, err));
    /* the middle of the straight border is gone from both sides */
    assert_int_equal(g.feature[0].ring[0].n, 4);
    assert_int_equal(g.feature[1].ring[0].n, 4);
    assert_int_equal(g.feature[1].ring[1].n, 3);
}

static void boundaries_are_imported_covered_and_given_out(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    struct puan_act who = { .actor = PUAN_STR("op"),
                            .seat = PUAN_STR("command line") };
    struct puan_map_result r;
    struct puan_err e = { 0 };

    (void)state;
    ok(puan_map_import(&r, f->st, PUAN_STR(TWO), "b.geojson", true, &who, &a,
                       err));
    assert_false(r.written);
    assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM boundary"), 0);
    ok(puan_map_import(&r, f->st, PUAN_STR(TWO), "b.geojson", false, &who, &a,
                       err));
    assert_true(r.written);
    assert_true(puan_str_is(r.level, "parish"));
    assert_int_equal(r.features, 2);
    ok(puan_map_import(&r, f->st, PUAN_STR(TWO), "again.geojson", false, &who,
                       &a, err));
    assert_false(r.written);
    assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM boundary"), 2);
    assert_int_equal(
        puan_map_import(
            &r, f->st,
            PUAN_STR("{\"type\":\"FeatureCollection\",\"features\":[{\"type\":"
                     "\"Feature\",\"properties\":{\"code\":\"11009\"},"
                     "\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[[0,"
                     "0],[1,0],[1,1],[0,0]]]}}]}"),
            "c.geojson", false, &who, &a, &e),
        PUAN_EINVAL);
    assert_non_null(strstr(e.text, "11009"));
    puan_fix_verify(f);
    puan_fix_end(f);
}

/* A command of this folder on the fixture's directory; its exit code. */
static int run(struct puan_fix *f, const char *name, const char *words)
{
    for (size_t i = 0; i < PUAN_MAP_COMMANDS; i++)
        if (strcmp(puan_map_commands[i].name, name) == 0)
            return puan_fix_run(f, puan_map_commands[i].run, words);
    fail_msg("no command %s", name);
    return -1;
}

static void write_text(struct puan_fix *f, const char *name, const char *text)
{
    ok(puan_file_write(puan_arena_fmt(&a, "%s/%s", f->root, name),
                       puan_str_of(text), 0644, err));
}

#define ROUND(code, x0, x1)                                                    \
    "{\"type\":\"Feature\",\"properties\":{\"code\":\"" code "\"},"             \
    "\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[[" x0 ",0],[" x1      \
    ",0],[" x1 ",1],[" x0 ",1],[" x0 ",0]]]}}"

static void commands_check_import_and_export(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    const char *once;

    (void)state;
    write_text(f, "parish.geojson",
               "{\"type\":\"FeatureCollection\",\"features\":[" ROUND(
                   "11001", "0", "1") "," ROUND("11002", "1", "2") "]}");
    write_text(f, "round.geojson",
               "{\"type\":\"FeatureCollection\",\"features\":[" ROUND(
                   "11001001", "0",
                   "1.01") "," ROUND("11002001", "1", "2") "]}");
    write_text(f, "b.csv", "ea,building,lon,lat,kind,units\n"
                           "11001001,1,0.5,0.5,house,2\n"
                           "11001001,2,1.5,0.5,house,1\n"
                           "11002001,1,-3,0.5,,\n");
    puan_fix_close(f);
    assert_int_equal(
        run(f, "map import",
            "import DIR TMP/parish.geojson TMP/round.geojson TMP/b.csv"),
        PUAN_EXIT_DONE);
    assert_int_equal(run(f, "map import", "import DIR TMP/b.csv"),
                     PUAN_EXIT_DONE);
    assert_non_null(strstr(puan_fix_file(f, "said"), "imported before"));
    assert_int_equal(run(f, "map check", "check DIR --geojson TMP/f.geojson"),
                     PUAN_EXIT_FINDINGS);
    once = puan_fix_file(f, "said");
    /* parish and round 3 are not drawn; one overlap, told once; two buildings */
    assert_non_null(strstr(once, "undrawn  11003 "));
    assert_non_null(strstr(once, "undrawn  11003001 "));
    assert_non_null(strstr(once, "overlap  11001001 "));
    assert_null(strstr(once, "beyond"));
    assert_non_null(strstr(once, "astray  11001001 "));
    assert_non_null(strstr(once, "orphan  11002001 "));
    assert_non_null(strstr(once, "faults 5"));
    assert_non_null(strstr(puan_fix_file(f, "f.geojson"), "\"Polygon\""));
    assert_int_equal(run(f, "map check", "check DIR --area 11002 --level round"),
                     PUAN_EXIT_FINDINGS);
    assert_null(strstr(puan_fix_file(f, "said"), "overlap"));
    assert_int_equal(run(f, "map check", "check DIR --area 99"),
                     PUAN_EXIT_INPUT);
    assert_int_equal(run(f, "map check", "check DIR --least x"),
                     PUAN_EXIT_USAGE);
    /* what is exported is what was imported */
    assert_int_equal(run(f, "map export",
                         "export DIR round --out TMP/out.geojson"),
                     PUAN_EXIT_DONE);
    assert_int_equal(run(f, "map import", "import DIR TMP/out.geojson"),
                     PUAN_EXIT_DONE);
    once = puan_fix_file(f, "out.geojson");
    assert_int_equal(run(f, "map export",
                         "export DIR round --out TMP/again.geojson"),
                     PUAN_EXIT_DONE);
    assert_string_equal(once, puan_fix_file(f, "again.geojson"));
    assert_int_equal(run(f, "map export",
                         "export DIR buildings --area 11001 --out TMP/c.csv"),
                     PUAN_EXIT_DONE);
    assert_string_equal(puan_fix_file(f, "c.csv"),
                        "ea,building,lon,lat,kind,units\n"
                        "11001001,1,0.500000,0.500000,house,2\n"
                        "11001001,2,1.500000,0.500000,house,1\n");
    assert_int_equal(run(f, "map export", "export DIR street --out TMP/x"),
                     PUAN_EXIT_INPUT);
    puan_fix_open(f);
    assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM building"), 2);
    puan_fix_verify(f);
    puan_fix_end(f);
}

static void what_is_no_building_is_refused_with_its_line(void **state)
{
    static const char *const bad[][2] = {
        { "ea,building,lon\n", "lat" },
        { "ea,building,lon,lat\n11009001,1,0,0\n", "11009001" },
        { "ea,building,lon,lat\n11001,1,0,0\n", "innermost" },
        { "ea,building,lon,lat\n11001001,,0,0\n", "building" },
        { "ea,building,lon,lat\n11001001,1,181,0\n", "lon" },
        { "ea,building,lon,lat\n11001001,1,0,1e1\n", "lat" },
        { "ea,building,lon,lat,units\n11001001,1,0,0,-1\n", "units" },
        { "ea,building,lon,lat\n11001001,1,0,0\n11001001,1,1,1\n", "twice" },
        { "ea,building,lon,lat\n", "no building" },
    };
    struct puan_fix *f = puan_fix_canton(NULL);
    struct puan_act who = { .actor = PUAN_STR("op"),
                            .seat = PUAN_STR("command line") };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(bad); i++) {
        struct puan_map_result r;
        struct puan_err e = { 0 };

        assert_int_equal(puan_buildings_import(&r, f->st,
                                               puan_str_of(bad[i][0]), "b.csv",
                                               false, &who, &a, &e),
                         PUAN_EINVAL);
        if (!strstr(e.text, bad[i][1]))
            fail_msg("%s: %s", bad[i][0], e.text);
    }
    assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM building"), 0);
    puan_fix_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_comes_back_from_its_bytes,
                                        set_up, take_down),
        cmocka_unit_test_setup_teardown(
            what_is_no_boundary_is_refused_where_it_stands, set_up, take_down),
        cmocka_unit_test_setup_teardown(neighbours_share_a_thinned_border,
                                        set_up, take_down),
        cmocka_unit_test_setup_teardown(
            boundaries_are_imported_covered_and_given_out, set_up, take_down),
        cmocka_unit_test_setup_teardown(commands_check_import_and_export,
                                        set_up, take_down),
        cmocka_unit_test_setup_teardown(
            what_is_no_building_is_refused_with_its_line, set_up, take_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
