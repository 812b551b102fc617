/*
 * Tests of the area tree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/test_heap.h"
#include "core/area/area.h"

#define S(lit) { lit, sizeof(lit) - 1 }
static const struct puan_area_level levels[] = {
    { S("nation"), S("全国"), S("Nation"), 0 },
    { S("province"), S("省"), S("Province"), 2 },
    { S("county"), S("县"), S("County"), 6 },
    { S("ea"), S("普查小区"), S("Enumeration area"), 9 },
};
#define HEAD "code,parent,level,name_zh,name_en,kind,valid_from,valid_to,successor\n"

static struct puan_arena a, scratch;

static enum puan_status load(struct puan_area_tree **t, const char *csv,
                             struct puan_err *err)
{
    return puan_area_read_csv(t, levels, 4, 3, puan_str_of(csv), "areas.csv",
                              &a, &scratch, err);
}

static int setup(void **state)
{
    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    puan_arena_init(&scratch, &puan_test_heap);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    puan_arena_clear(&a);
    puan_arena_clear(&scratch);
    return 0;
}

static const char *const sample = HEAD
    "370883002,370883,ea,,,virtual,,,\n"
    "37,0,province,山东省,Shandong,,,,\n"
    "370883,37,county,邹城市,Zoucheng,,,,\n"
    "0,,nation,全国,Nation,,,,\n"
    "370882,37,county,\"a,\"\"b\"\"\",,zone,2001-01-01,2020-06-30,370883\n"
    "370883001,370883,ea,,,,,,\n"
    "370882001,370882,ea,,,synthetic,,,\n";

static void rows_in_any_order_become_a_preorder_tree(void **state)
{
    struct puan_area_tree *t;
    struct puan_err err = { 0 };
    uint32_t county, i, seen = 0;

    (void)state;
    assert_int_equal(load(&t, sample, &err), PUAN_OK);
    assert_int_equal(t->n, 7);
    assert_true(puan_str_is(t->area[0].digits, "0"));
    assert_int_equal(t->area[0].end, 7);
    assert_true(t->area[0].parent == PUAN_AREA_NONE);
    county = puan_area_find(t, 370883);
    assert_true(county != PUAN_AREA_NONE);
    assert_true(puan_str_is(t->area[county].zh, "邹城市"));
    assert_int_equal(t->area[county].end - county, 3);
    assert_int_equal(puan_area_find_digits(t, PUAN_STR("370883")), county);
    assert_true(puan_area_find_digits(t, PUAN_STR("0370883")) ==
                PUAN_AREA_NONE);
    assert_true(puan_area_find(t, 3708) == PUAN_AREA_NONE);
    for (i = puan_area_next(t, 0, 3, PUAN_AREA_NONE); i != PUAN_AREA_NONE;
         i = puan_area_next(t, 0, 3, i)) {
        seen++;
        assert_int_equal(t->area[i].level, 3);
        assert_int_equal(t->area[puan_area_ancestor(t, i, 1)].code, 37);
    }
    assert_int_equal(seen, 3);
    assert_true(puan_area_contains_code(t, 37, 370883001));
    assert_true(puan_area_contains_code(t, 370883, 370883));
    assert_false(puan_area_contains_code(t, 370882, 370883001));
    assert_false(puan_area_contains_code(t, 370883001, 370883));
    assert_false(puan_area_contains_code(t, 99, 370883));
}

static void households_find_their_area(void **state)
{
    struct puan_area_tree *t;
    struct puan_err err = { 0 };
    uint32_t ea;

    (void)state;
    assert_int_equal(load(&t, sample, &err), PUAN_OK);
    ea = puan_area_of_household(t, 370883002017);
    assert_int_equal(t->area[ea].code, 370883002);
    assert_int_equal(t->area[ea].kind, PUAN_AREA_VIRTUAL);
    assert_true(puan_area_household(t, ea, 17) == 370883002017);
    assert_true(puan_area_household(t, ea, 1000) == -1);
    assert_true(puan_area_household(t, 0, 1) == -1);
    assert_true(puan_area_of_household(t, 370883003017) == PUAN_AREA_NONE);
    assert_true(puan_area_of_household(t, -5) == PUAN_AREA_NONE);
}

static void validity_and_successor_are_kept(void **state)
{
    struct puan_area_tree *t;
    struct puan_err err = { 0 };
    uint32_t old;

    (void)state;
    assert_int_equal(load(&t, sample, &err), PUAN_OK);
    old = puan_area_find(t, 370882);
    assert_true(puan_str_is(t->area[old].zh, "a,\"b\""));
    assert_true(t->area[old].successor == 370883);
    assert_true(puan_area_valid(t, old, puan_day_of(2020, 6, 30)));
    assert_false(puan_area_valid(t, old, puan_day_of(2020, 7, 1)));
    assert_true(puan_area_valid(t, 0, puan_day_of(2020, 7, 1)));
}

static void a_bad_row_is_named(void **state)
{
    static const struct {
        const char *rows, *says;
        uint32_t line;
    } bad[] = {
        { "", "holds no area rows", 0 },
        { "37,,province,,,,,,\n370883001,370883,ea,,,,,,\n",
          "area 370883001: its parent 370883 is not among the rows; add it", 3 },
        { "37,,province,,,,,,\n370883,45,county,,,,,,\n",
          "area 370883: parent 45 should be 37", 3 },
        { "45,,province,,,,,,\n370883,45,county,,,,,,\n",
          "area 370883: its parent 45 is not among the rows; add it", 3 },
        { "37,,province,,,,,,\n3708,37,county,,,,,,\n",
          "code \"3708\" must have 6 digits at level county", 3 },
        { "37,,province,,,,,,\n37,,province,,,,,,\n", "area 37 is given twice",
          3 },
        { "37,,region,,,,,,\n", "area 37: level \"region\" is not in the plan",
          2 },
        { "3x,,province,,,,,,\n", "code \"3x\" must be all digits", 2 },
        { "37,,province,,,,,,\n370883,,county,,,,,,\n",
          "area 370883 has no parent; name 37", 3 },
        { "37,,province,,,odd,,,\n",
          "kind \"odd\" must be ordinary, virtual, zone or synthetic", 2 },
        { "37,,province,,,,2020-02-30,,\n",
          "valid_from \"2020-02-30\" is not a date; write YYYY-MM-DD", 2 },
        { "37,,province,,,,2020-02-20,2020-02-19,\n",
          "area 37 is valid from after it is valid to", 2 },
        { "37,,province,,,,,,4a\n",
          "successor \"4a\" must be the code of an area", 2 },
        { "01,,province,,,,,,\n000001,,county,,,,,,\n", NULL, 3 },
    };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(bad); i++) {
        struct puan_area_tree *t;
        struct puan_err err = { 0 };
        const char *csv = puan_arena_fmt(&scratch, "%s%s", HEAD, bad[i].rows);

        assert_int_equal(load(&t, csv, &err), PUAN_EINVAL);
        assert_null(t);
        if (bad[i].says != NULL)
            assert_string_equal(err.text, bad[i].says);
        assert_int_equal(err.line, bad[i].line);
    }
}

static void keys_must_fit_eighteen_digits(void **state)
{
    struct puan_area_tree *t;
    struct puan_err err = { 0 };

    (void)state;
    assert_int_equal(puan_area_read_csv(&t, levels, 4, 10, puan_str_of(sample),
                                        "areas.csv", &a, &scratch, &err),
                     PUAN_EINVAL);
    assert_string_equal(err.text, "household keys of 19 digits do not fit 18");
}

static const char *put(const struct puan_area_tree *t, int64_t code,
                       void (*how)(struct puan_jw *,
                                   const struct puan_area_tree *, int64_t))
{
    struct puan_out o;
    struct puan_jw w;

    puan_out_init(&o, &a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    how(&w, t, code);
    puan_jw_end(&w, '}');
    return puan_arena_dup(&a, puan_out_view(&o));
}

static void an_area_is_named_in_answers(void **state)
{
    struct puan_area_tree *t;

    (void)state;
    assert_int_equal(load(&t, sample, NULL), PUAN_OK);
    assert_string_equal(put(t, 37, puan_area_put),
                        "{\"area\":\"37\",\"area_zh\":\"山东省\","
                        "\"area_en\":\"Shandong\"}");
    assert_string_equal(put(t, 37, puan_area_put_always),
                        put(t, 37, puan_area_put));
    assert_string_equal(put(t, 38, puan_area_put), "{\"area\":\"38\"}");
    assert_string_equal(put(NULL, 38, puan_area_put_always),
                        "{\"area\":\"38\",\"area_zh\":\"\","
                        "\"area_en\":\"\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            rows_in_any_order_become_a_preorder_tree, setup, teardown),
        cmocka_unit_test_setup_teardown(households_find_their_area, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(validity_and_successor_are_kept, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_bad_row_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(an_area_is_named_in_answers, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(keys_must_fit_eighteen_digits, setup,
                                        teardown),
    };

    return cmocka_run_group_tests_name("area", tests, NULL, NULL);
}
