/*
 * Tests of floor 0: text, arena, output, calendar, JSON, CSV.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/csv.h"
#include "base/json.h"
#include "base/test_heap.h"

static struct puan_test_scarce scarce = { .left = -1 };

static const struct puan_alloc host = { puan_test_get, puan_test_put,
                                        &scarce };

static void formats_as_the_c_library_does(void **state)
{
    char a[64];

    (void)state;
    assert_int_equal(puan_format(a, sizeof(a), "%05d|%-4s|%4s|%.*s|%x|%llu%%",
                                 -42, "ab", "cd", 2, "xyz", 255u,
                                 18446744073709551615ull),
                     43);
    assert_string_equal(a, "-0042|ab  |  cd|xy|ff|18446744073709551615%");
    assert_int_equal(puan_format(a, 4, "%s", "abcdef"), 6);
    assert_string_equal(a, "abc");
}

static void a_limit_is_never_passed(void **state)
{
    struct puan_arena a;
    size_t n = 0;

    (void)state;
    scarce.left = -1;
    puan_arena_init(&a, &host);
    a.limit = 100; /* 13 bytes take 16 */
    while (puan_arena_get(&a, 13) != NULL)
        n++;
    assert_int_equal(n, 6);
    assert_true(a.failed && a.used <= a.limit);
    assert_null(puan_arena_get(&a, 13));
    puan_arena_clear(&a);
}

static void numbers_parse_whole_or_not_at_all(void **state)
{
    int64_t v;

    (void)state;
    assert_true(puan_int_parse(&v, PUAN_STR("-9223372036854775808")));
    assert_true(v == INT64_MIN);
    assert_false(puan_int_parse(&v, PUAN_STR("9223372036854775808")));
    assert_false(puan_int_parse(&v, PUAN_STR("")));
    assert_false(puan_int_parse(&v, PUAN_STR("-")));
    assert_false(puan_int_parse(&v, PUAN_STR("1 ")));
    assert_true(puan_fixed_parse(&v, PUAN_STR("-3.5"), 2));
    assert_int_equal(v, -350);
    assert_true(puan_fixed_parse(&v, PUAN_STR("7"), 1));
    assert_int_equal(v, 70);
    assert_false(puan_fixed_parse(&v, PUAN_STR("3.555"), 2));
    assert_false(puan_fixed_parse(&v, PUAN_STR("3."), 2));
}

static void utf8_refuses_what_is_not(void **state)
{
    (void)state;
    assert_true(puan_utf8_valid(PUAN_STR("普安 a")));
    assert_false(puan_utf8_valid(PUAN_STR("\xc0\x80")));
    assert_false(puan_utf8_valid(PUAN_STR("\xed\xa0\x80")));
    assert_false(puan_utf8_valid(PUAN_STR("\xf4\x90\x80\x80")));
    assert_false(puan_utf8_valid(PUAN_STR("\xe6\x99")));
    assert_int_equal(puan_utf8_length(PUAN_STR("普安 a")), 4);
}

static void days_and_instants_go_there_and_back(void **state)
{
    int y, m, d;
    int64_t ms;
    char t[32];

    (void)state;
    for (int64_t day = -200000; day < 200000; day += 37) {
        puan_day_split(day, &y, &m, &d);
        assert_true(puan_day_exists(y, m, d));
        assert_int_equal(puan_day_of(y, m, d), day);
    }
    assert_int_equal(puan_day_of(2020, 11, 1), 18567);
    assert_int_equal(puan_weekday(puan_day_of(2020, 11, 1)), 7);
    assert_false(puan_day_exists(1900, 2, 29));
    assert_true(
        puan_instant_parse(&ms, PUAN_STR("2020-11-01T00:00:00+08:00")));
    assert_int_equal(ms, 1604160000000);
    puan_instant_text(t, ms, 480);
    assert_string_equal(t, "2020-11-01T00:00:00.000+08:00");
    assert_int_equal(puan_instant_day(ms, 480), 18567);
    assert_false(puan_instant_parse(&ms, PUAN_STR("2020-11-01T00:00:00")));
    assert_false(puan_instant_parse(&ms, PUAN_STR("2020-02-30T00:00:00Z")));
}

static void age_turns_in_the_month_before_the_reference(void **state)
{
    int64_t ref = 2020 * 12 + 10; /* 2020-11 */

    (void)state;
    assert_int_equal(puan_age_at(2017 * 12 + 9, ref), 3);
    assert_int_equal(puan_age_at(2017 * 12 + 10, ref), 2);
    assert_int_equal(puan_age_at(2020 * 12 + 9, ref), 0);
}

static void varints_have_one_encoding(void **state)
{
    struct puan_arena a;
    struct puan_out o;
    struct puan_in in;
    const int64_t v[] = { 0, 1, -1, 63, -64, 64, INT64_MAX, INT64_MIN };

    (void)state;
    scarce.left = -1;
    puan_arena_init(&a, &host);
    puan_out_init(&o, &a);
    for (size_t i = 0; i < PUAN_COUNT(v); i++)
        puan_out_svarint(&o, v[i]);
    in = puan_in_of(puan_out_view(&o));
    for (size_t i = 0; i < PUAN_COUNT(v); i++)
        assert_true(puan_in_svarint(&in) == v[i]);
    assert_false(in.bad);
    assert_true(in.p == in.end);
    in = puan_in_of(PUAN_STR("\x80\x00"));
    puan_in_varint(&in);
    assert_true(in.bad);
    puan_arena_clear(&a);
}

static void json_is_read_strictly(void **state)
{
    static const char *const good[] = { "{}", "[]", " [1, -0, 2.5e+3] ",
                                        "{\"a\":{\"a\":null}}", "\"\\u00e9\"",
                                        "\"\\ud83d\\ude00\"", "true" };
    static const char *const wrong[] = {
        "", "{", "[1,]", "{\"a\":1,}", "01", "+1", "1.", "[1 2]", "nul",
        "{\"a\":1,\"a\":2}", "\"\\ud800\"", "\"\\u0000\"", "\"a\nb\"",
        "{a:1}", "[]]", "1 2", "\"\xff\"", "'a'", "NaN", "{\"a\" 1}", "[,1]",
        "\"abc", "\"\\x\"", "[{\"b\":[{\"a\":1,\"a\":1}]}]", "]"
    };
    struct puan_arena a;

    (void)state;
    scarce.left = -1;
    puan_arena_init(&a, &host);
    for (size_t i = 0; i < PUAN_COUNT(good); i++) {
        struct puan_node *n;
        struct puan_err err = { 0 };

        if (puan_json_tree(&n, puan_str_of(good[i]), "t", &a, &err) != PUAN_OK)
            fail_msg("refused: %s: %s", good[i], err.text);
    }
    for (size_t i = 0; i < PUAN_COUNT(wrong); i++) {
        struct puan_node *n;
        struct puan_err err = { 0 };

        if (puan_json_tree(&n, puan_str_of(wrong[i]), "t", &a, &err) !=
            PUAN_EINVAL)
            fail_msg("accepted: %s", wrong[i]);
        assert_true(err.text[0] != '\0' && err.line > 0);
    }
    puan_arena_clear(&a);
}

static void json_nested_too_deep_is_refused(void **state)
{
    char deep[80];
    struct puan_arena a;
    struct puan_node *n;
    struct puan_err err = { 0 };

    (void)state;
    scarce.left = -1;
    puan_arena_init(&a, &host);
    memset(deep, '[', 40);
    memset(deep + 40, ']', 40);
    assert_int_equal(puan_json_tree(&n, (struct puan_str){ deep, 80 }, "t", &a,
                                    &err),
                     PUAN_EINVAL);
    assert_string_equal(err.text, "nested more than 32 deep");
    puan_arena_clear(&a);
}

static void json_goes_out_as_it_came_in(void **state)
{
    struct puan_arena a;
    struct puan_out o;
    struct puan_jw w;
    struct puan_node *n;
    struct puan_err err = { 0 };

    (void)state;
    scarce.left = -1;
    puan_arena_init(&a, &host);
    puan_out_init(&o, &a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kstr(&w, "name", PUAN_STR("张\"三\"\n\x01"));
    puan_jw_key(&w, "list");
    puan_jw_list(&w);
    puan_jw_int(&w, -5);
    puan_jw_map(&w);
    puan_jw_end(&w, '}');
    puan_jw_bool(&w, true);
    puan_jw_end(&w, ']');
    puan_jw_kint(&w, "n", 7);
    puan_jw_end(&w, '}');
    assert_string_equal(o.p, "{\"name\":\"张\\\"三\\\"\\n\\u0001\",\"list\":[-5,"
                             "{},true],\"n\":7}");
    assert_int_equal(puan_json_tree(&n, puan_out_view(&o), "t", &a, &err),
                     PUAN_OK);
    assert_true(puan_str_is(puan_node_get(n, "name")->text,
                            "张\"三\"\n\x01"));
    assert_int_equal(puan_node_get(n, "list")->n, 3);
    puan_arena_clear(&a);
}

static void unknown_keys_get_the_nearest_as_remedy(void **state)
{
    static const char *const known[] = { "household", "person", NULL };
    struct puan_arena a;
    struct puan_node *n;
    struct puan_err err = { 0 };

    (void)state;
    scarce.left = -1;
    puan_arena_init(&a, &host);
    assert_int_equal(puan_json_tree(&n, PUAN_STR("{\n \"huosehold\": 1}"),
                                    "f.json", &a, &err),
                     PUAN_OK);
    assert_int_equal(puan_node_only(n, known, &err), PUAN_EINVAL);
    assert_string_equal(err.where, "f.json");
    assert_int_equal(err.line, 2);
    assert_string_equal(err.text,
                        "unknown key 'huosehold', did you mean 'household'");
    puan_arena_clear(&a);
}

static void words_are_no_formulas(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "=1+1", "'=1+1" },
        { "+86", "'+86" },
        { "-2", "'-2" },
        { "@SUM(A1)", "'@SUM(A1)" },
        { "\tx", "'\tx" },
        { "=A1,\"b\"", "\"'=A1,\"\"b\"\"\"" },
        { "a=b", "a=b" },
        { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(cases); i++) {
        struct puan_arena a;
        struct puan_out o;

        puan_arena_init(&a, &host);
        puan_out_init(&o, &a);
        puan_csv_put_words(&o, puan_str_of(cases[i].in));
        puan_out_char(&o, '\0');
        assert_string_equal(o.p, cases[i].out);
        puan_arena_clear(&a);
    }
}

static void csv_reads_quotes_and_line_ends(void **state)
{
    struct puan_arena a, row;
    struct puan_csv c;
    struct puan_err err = { 0 };
    bool more;

    (void)state;
    scarce.left = -1;
    puan_arena_init(&a, &host);
    puan_arena_init(&row, &host);
    assert_int_equal(
        puan_csv_open(&c,
                      PUAN_STR("\xef\xbb\xbfk,\"n \"\"x\"\"\"\r\n1,\"a,\n"
                               "\"\"b\"\"\"\r\n2,"),
                      "f.csv", &a, &row, &err),
        PUAN_OK);
    assert_int_equal(puan_csv_column(&c, "n \"x\""), 1);
    assert_int_equal(puan_csv_next(&more, &c, &err), PUAN_OK);
    assert_true(puan_str_is(c.field[1], "a,\n\"b\""));
    assert_int_equal(puan_csv_next(&more, &c, &err), PUAN_OK);
    assert_true(puan_str_is(c.field[0], "2") && c.field[1].n == 0);
    assert_int_equal(c.line, 4);
    assert_int_equal(puan_csv_next(&more, &c, &err), PUAN_OK);
    assert_false(more);
    puan_arena_clear(&a);
    puan_arena_clear(&row);
}

static void csv_names_the_line_of_what_is_wrong(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
    } wrong[] = { { "", 1 },       { "a,a\n", 1 },     { "a,b\n1\n", 2 },
                  { "a\n\"x", 2 }, { "a\n\"x\"y\n", 2 }, { "a\nx\"y\n", 2 },
                  { "a\n\n1\n\xff\n", 4 } };
    struct puan_arena a, row;

    (void)state;
    scarce.left = -1;
    puan_arena_init(&a, &host);
    puan_arena_init(&row, &host);
    for (size_t i = 0; i < PUAN_COUNT(wrong); i++) {
        struct puan_csv c;
        struct puan_err err = { 0 };
        bool more = true;
        enum puan_status st = puan_csv_open(&c, puan_str_of(wrong[i].text),
                                            "f.csv", &a, &row, &err);

        while (st == PUAN_OK && more)
            st = puan_csv_next(&more, &c, &err);
        assert_int_equal(st, PUAN_EINVAL);
        assert_int_equal(err.line, wrong[i].line);
    }
    puan_arena_clear(&a);
    puan_arena_clear(&row);
}

static void memory_that_runs_out_is_said_and_nothing_leaks(void **state)
{
    struct puan_str text = PUAN_STR("{\"a\":[1,2,{\"b\":\"c\\n\"}],\"d\":\"e\"}");

    (void)state;
    for (int n = 0;; n++) {
        struct puan_arena a;
        struct puan_node *tree;
        struct puan_err err = { 0 };
        enum puan_status st;

        scarce.left = n;
        puan_arena_init(&a, &host);
        st = puan_json_tree(&tree, text, "t", &a, &err);
        puan_arena_clear(&a);
        if (st == PUAN_OK)
            break;
        assert_int_equal(st, PUAN_ENOMEM);
        assert_string_equal(err.text, "out of memory");
    }
}

static void codes_moments_and_digests_are_written_as_text(void **state)
{
    const uint8_t digest[32] = { 0xab, [31] = 0x01 };
    struct puan_arena a;
    struct puan_out o;
    struct puan_jw w;

    (void)state;
    scarce.left = -1;
    puan_arena_init(&a, &host);
    puan_out_init(&o, &a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kcode(&w, "c", INT64_C(370883001001001001));
    puan_jw_kinstant(&w, "t", INT64_C(1604275200000), 480);
    puan_jw_kdigest(&w, "d", digest);
    puan_jw_end(&w, '}');
    assert_true(puan_str_is(
        puan_out_view(&o),
        "{\"c\":\"370883001001001001\","
        "\"t\":\"2020-11-02T08:00:00.000+08:00\",\"d\":\"ab0000000000"
        "00000000000000000000000000000000000000000000000000"
        "01\"}"));
    /* a kept text is a copy with its length; without memory it is empty */
    assert_true(puan_str_is(puan_arena_keep(&a, PUAN_STR("kept")), "kept"));
    puan_arena_clear(&a);
    puan_arena_init(&a, &host);
    scarce.left = 0;
    assert_int_equal(puan_arena_keep(&a, PUAN_STR("kept")).n, 0);
    assert_true(a.failed);
    scarce.left = -1;
    puan_arena_clear(&a);
}

static void texts_compare_whatever_the_case(void **state)
{
    (void)state;
    assert_true(puan_str_same(PUAN_STR("Zhang 张"), PUAN_STR("zHANG 张")));
    assert_false(puan_str_same(PUAN_STR("Zhang"), PUAN_STR("Zhan")));
    assert_false(puan_str_same(PUAN_STR("@"), PUAN_STR("`")));
    assert_true(puan_str_holds(PUAN_STR("370883001 Tangcun"), PUAN_STR("tANG")));
    assert_true(puan_str_holds(PUAN_STR("a"), PUAN_STR("")));
    assert_false(puan_str_holds(PUAN_STR("tan"), PUAN_STR("tang")));
    assert_false(puan_str_holds(PUAN_STR(""), PUAN_STR("t")));
}

static void markup_is_written_as_entities(void **state)
{
    struct puan_arena a;
    struct puan_out o;

    (void)state;
    scarce.left = -1;
    puan_arena_init(&a, &host);
    puan_out_init(&o, &a);
    puan_out_markup(&o, PUAN_STR("<b x=\"1\">&\n张"));
    assert_true(puan_str_is(puan_out_view(&o),
                            "&lt;b x=&quot;1&quot;&gt;&amp;张"));
    puan_arena_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_compare_whatever_the_case),
        cmocka_unit_test(markup_is_written_as_entities),
        cmocka_unit_test(formats_as_the_c_library_does),
        cmocka_unit_test(a_limit_is_never_passed),
        cmocka_unit_test(numbers_parse_whole_or_not_at_all),
        cmocka_unit_test(utf8_refuses_what_is_not),
        cmocka_unit_test(days_and_instants_go_there_and_back),
        cmocka_unit_test(age_turns_in_the_month_before_the_reference),
        cmocka_unit_test(varints_have_one_encoding),
        cmocka_unit_test(json_is_read_strictly),
        cmocka_unit_test(json_nested_too_deep_is_refused),
        cmocka_unit_test(json_goes_out_as_it_came_in),
        cmocka_unit_test(unknown_keys_get_the_nearest_as_remedy),
        cmocka_unit_test(words_are_no_formulas),
        cmocka_unit_test(csv_reads_quotes_and_line_ends),
        cmocka_unit_test(csv_names_the_line_of_what_is_wrong),
        cmocka_unit_test(memory_that_runs_out_is_said_and_nothing_leaks),
        cmocka_unit_test(codes_moments_and_digests_are_written_as_text),
    };

    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
