/*
 * What everybody may know of the progress: shares of the day before, down to
 * the plan's level, and nothing that is a number of households.
 */
#include "features/progress/internal.h"

#include <string.h>

#include "features/host/test_fixture.h"

#define HOUSES 40

static struct puan_fix *fix;

/* Parish 11001 has 40 households, 11002 one. */
static int set_up(void **state)
{
    char csv[HOUSES * 32 + 64];
    size_t n = 0;

    (void)state;
    fix = puan_fix_canton(NULL);
    n += puan_format(csv, sizeof(csv), "household,ea\n");
    for (int i = 1; i <= HOUSES; i++)
        n += puan_format(csv + n, sizeof(csv) - n, "11001001%04d,11001001\n",
                         i);
    puan_fix_import(fix, PUAN_IMPORT_LISTING, csv);
    puan_fix_serve(fix, 2, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    puan_fix_end(fix);
    return 0;
}

static const struct puan_node *progress(const char *path)
{
    char whole[128];

    ok(puan_work_look(fix->st, err));
    puan_format(whole, sizeof(whole), "/public/progress%s", path);
    assert_int_equal(puan_fix_call(fix, NULL, "GET", whole, NULL), 200);
    return puan_fix_tree(fix);
}

static struct puan_str member(const struct puan_node *map, const char *name)
{
    const struct puan_node *n = puan_node_get(map, name);

    assert_non_null(n);
    return n->text;
}

/* The percent of an area in the list; "" when none is said. */
static struct puan_str percent_of(const struct puan_node *tree,
                                  const char *area)
{
    const struct puan_node *items = puan_node_get(tree, "items");

    for (const struct puan_node *i = items->first; i; i = i->next)
        if (puan_str_is(member(i, "area"), area))
            return member(i, "percent");
    fail_msg("no area %s", area);
    return PUAN_STR("");
}

static void today_is_not_told_and_yesterday_is(void **state)
{
    const struct puan_node *tree;

    (void)state;
    for (int i = 1; i <= 10; i++)
        puan_fix_send(fix, INT64_C(110010010000) + i, 0, "2");
    tree = progress("");
    assert_string_equal(puan_arena_dup(&fix->a, percent_of(tree, "11001")),
                        "0"); /* of 2 April, and it is 2 April */
    puan_fix_clock(fix, "2021-04-03T09:00:00-03:30");
    tree = progress("");
    assert_string_equal(puan_arena_dup(&fix->a, percent_of(tree, "11001")),
                        "25");
    assert_string_equal(puan_arena_dup(&fix->a, member(tree, "as_of")),
                        "2021-04-03T00:00:00.000-03:30");
    /* what comes today waits for tomorrow */
    puan_fix_send(fix, INT64_C(110010010011), 0, "2");
    puan_fix_send(fix, INT64_C(110010010012), 0, "2");
    tree = progress("");
    assert_true(percent_of(tree, "11001").n == 2);
    puan_fix_clock(fix, "2021-04-04T09:00:00-03:30");
    tree = progress("");
    assert_string_equal(puan_arena_dup(&fix->a, percent_of(tree, "11001")),
                        "30");
}

static void a_small_place_has_no_share_and_nobody_a_number(void **state)
{
    const struct puan_node *tree;

    (void)state;
    puan_fix_send(fix, INT64_C(110020010001), 0, "2");
    puan_fix_clock(fix, "2021-04-05T09:00:00-03:30");
    tree = progress("");
    assert_false(puan_str_is(percent_of(tree, "11002"), "100"));
    for (const struct puan_node *i = puan_node_get(tree, "items")->first; i;
         i = i->next)
        if (puan_str_is(member(i, "area"), "11002"))
            assert_true(puan_str_is(member(i, "few"), "true"));
    assert_false(puan_fix_says(fix, "delivered"));
    assert_false(puan_fix_says(fix, "due"));
    assert_false(puan_fix_says(fix, "persons"));
}

static void below_the_open_level_is_as_if_not_there(void **state)
{
    char first[1024];

    (void)state;
    assert_int_equal(
        puan_fix_call(fix, NULL, "GET", "/public/progress?area=11001001", NULL),
        404);
    puan_format(first, sizeof(first), "%.*s", PUAN_FMT(fix->reply.body));
    assert_int_equal(
        puan_fix_call(fix, NULL, "GET", "/public/progress?area=99001001", NULL),
        404);
    assert_true(puan_str_is(fix->reply.body, first));
    assert_int_equal(puan_node_get(progress("?area=11001"), "items")->n, 0);
}

static void before_the_window_there_is_no_share(void **state)
{
    const struct puan_node *tree;

    (void)state;
    puan_fix_clock(fix, "2021-04-01T20:00:00-03:30");
    tree = progress("");
    assert_true(puan_str_is(member(tree, "begun"), "false"));
    assert_false(puan_str_is(percent_of(tree, "11001"), "0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(today_is_not_told_and_yesterday_is),
        cmocka_unit_test(a_small_place_has_no_share_and_nobody_a_number),
        cmocka_unit_test(below_the_open_level_is_as_if_not_there),
        cmocka_unit_test(before_the_window_there_is_no_share),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
