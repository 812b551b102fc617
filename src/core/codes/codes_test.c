/*
 * Citizen IDs, names and phones: published examples and planted mistakes.
 */
#include "core/codes/codes.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int64_t ref_day(void)
{
    return puan_day_of(2020, 11, 1);
}

static struct puan_id_parts parse(const char *text)
{
    struct puan_id_parts p;

    puan_id_parse(&p, puan_str_of(text), ref_day());
    return p;
}

static void the_standards_examples_and_synthetic_numbers_pass(void **state)
{
    static const struct {
        const char *id;
        int sex;
        int month;
    } good[] = {
        { "11010519491231002X", 2, 1949 * 12 + 11 },
        { "440524188001010014", 1, 1880 * 12 },
        { "370883188506150133", 1, 1885 * 12 + 5 },
        { "370883188709230248", 2, 1887 * 12 + 8 },
        { "37088318850615007X", 1, 1885 * 12 + 5 },
        { "430407189201101165", 2, 1892 * 12 },
        { "350402189910311083", 2, 1899 * 12 + 9 },
        { "450102189602293271", 1, 1896 * 12 + 1 },
        { "370883188506150002", 2, 1885 * 12 + 5 },
    };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(good); i++) {
        struct puan_id_parts p = parse(good[i].id);
        struct puan_str region = { good[i].id, 6 };
        int64_t r;

        assert_int_equal(p.check, PUAN_ID_OK);
        assert_int_equal(p.sex, good[i].sex);
        assert_int_equal(p.birth_month, good[i].month);
        assert_true(puan_int_parse(&r, region));
        assert_int_equal(p.region, r);
    }
}

static void what_scanners_and_spreadsheets_do_is_undone(void **state)
{
    char out[24];

    (void)state;
    assert_int_equal(parse("37088318850615007x").check, PUAN_ID_OK);
    assert_int_equal(parse(" 37088318850615007X\r\n").check, PUAN_ID_OK);
    assert_int_equal(parse("'37088318850615007X").check, PUAN_ID_OK);
    assert_int_equal(parse("３７０８８３１８８５０６１５００７Ｘ").check,
                     PUAN_ID_OK);
    assert_int_equal(parse("37088318850615007Х").check, PUAN_ID_OK);
    assert_int_equal(puan_id_normal(out, sizeof(out), PUAN_STR("　３7x\n")), 3);
    assert_string_equal(out, "37X");
    assert_int_equal(puan_id_normal(out, 4, PUAN_STR("12345")), 4);
}

static void each_fault_is_named_in_order(void **state)
{
    struct puan_id_parts p;

    (void)state;
    assert_int_equal(parse("").check, PUAN_ID_LENGTH);
    assert_int_equal(parse("370883850615013").check, PUAN_ID_LENGTH);
    assert_int_equal(parse("3.70883E+17").check, PUAN_ID_LENGTH);
    assert_int_equal(parse("3708831885061501333").check, PUAN_ID_LENGTH);
    assert_int_equal(parse("37O883188506150133").check, PUAN_ID_CHARACTER);
    assert_int_equal(parse("37088318850615013I").check, PUAN_ID_CHARACTER);
    assert_int_equal(parse("370883188502300133").check, PUAN_ID_DATE);
    assert_int_equal(parse("370883170002010133").check, PUAN_ID_DATE);
    assert_int_equal(parse("370883202011010137").check, PUAN_ID_AFTER);
    assert_int_equal(parse("370883188506150134").check, PUAN_ID_DIGIT);
    /* a wrong check character leaves the rest readable */
    p = parse("370883188506150134");
    assert_true(p.has_birth && p.has_sex && p.has_region);
    p = parse("37088318850615O133");
    assert_true(p.has_birth && p.has_region);
    assert_false(parse("37O883188506150133").has_region);
    /* ill-formed UTF-8 is a wrong character, never a crash */
    assert_int_equal(parse("37088318850615013\xff").check, PUAN_ID_CHARACTER);
}

static void an_old_number_becomes_a_new_one(void **state)
{
    char out[19];

    (void)state;
    assert_true(puan_id_from15(out, PUAN_STR("370883490615013")));
    assert_memory_equal(out, "37088319490615013", 17);
    assert_int_equal(parse(out).check, PUAN_ID_OK);
    assert_false(puan_id_from15(out, PUAN_STR("370883491315013")));
    assert_false(puan_id_from15(out, PUAN_STR("37088349061501")));
}

static void names_have_letters(void **state)
{
    static const struct puan_str words[] = { { "测试", 6 }, { "test", 4 } };

    (void)state;
    assert_int_equal(puan_name_class(PUAN_STR("王小明"), words, 2), 0);
    assert_int_equal(puan_name_class(PUAN_STR("买买提·艾力"), words, 2), 0);
    assert_int_equal(puan_name_class(PUAN_STR("O'Neil"), words, 2), 0);
    assert_int_equal(puan_name_class(PUAN_STR("未取名"), words, 2), 0);
    assert_int_equal(puan_name_class(PUAN_STR("123"), words, 2), 1);
    assert_int_equal(puan_name_class(PUAN_STR("１２３。"), words, 2), 1);
    assert_int_equal(puan_name_class(PUAN_STR("  "), words, 2), 1);
    assert_int_equal(puan_name_class(PUAN_STR(" TEST "), words, 2), 2);
    assert_int_equal(puan_name_class(PUAN_STR("测试　"), words, 2), 2);
    assert_int_equal(puan_utf8_length(puan_name_trim(PUAN_STR("　王 "))), 1);
}

static void phones_are_classed(void **state)
{
    (void)state;
    assert_int_equal(puan_phone_class(PUAN_STR("13800001234")), 0);
    assert_int_equal(puan_phone_class(PUAN_STR("+86 (537) 521-1234")), 0);
    assert_int_equal(puan_phone_class(PUAN_STR("110")), 1);
    assert_int_equal(puan_phone_class(PUAN_STR("1380000l234")), 2);
    assert_int_equal(puan_phone_class(PUAN_STR("11111111111")), 3);
}

static void a_number_on_a_card_tells_a_slip(void **state)
{
    static const char alphabet[] = PUAN_MARK_ALPHABET;
    char out[32], full[] = "PC7K3M9Q4x";
    const size_t n = sizeof(full) - 1;

    (void)state;
    assert_int_equal(strlen(alphabet), 31);
    for (const char *c = "01IOL"; *c; c++)
        assert_null(strchr(alphabet, *c));
    full[n - 1] = puan_mark_check_char((struct puan_str){ full, n - 1 });
    assert_int_not_equal(full[n - 1], 0);
    assert_true(puan_mark_ok(puan_str_of(full)));
    /* every character replaced by every other one */
    for (size_t i = 0; i < n; i++)
        for (const char *c = alphabet; *c; c++) {
            char t[sizeof(full)];

            memcpy(t, full, sizeof(full));
            t[i] = *c;
            assert_int_equal(puan_mark_ok(puan_str_of(t)), *c == full[i]);
        }
    /* every two exchanged */
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++) {
            char t[sizeof(full)];

            memcpy(t, full, sizeof(full));
            t[i] = full[k];
            t[k] = full[i];
            assert_int_equal(puan_mark_ok(puan_str_of(t)),
                             full[i] == full[k]);
        }
    assert_false(puan_mark_ok(PUAN_STR("")));
    assert_false(puan_mark_ok(PUAN_STR("PC0")));
    assert_int_equal(puan_mark_check_char(PUAN_STR("PC0")), 0);
    assert_int_equal(
        puan_mark_normal(out, sizeof(out), PUAN_STR(" pc-7k3m ９Ｑ４ａ　")), 10);
    assert_string_equal(out, "PC7K3M9Q4A");
    assert_int_equal(puan_mark_normal(out, 4, PUAN_STR("PC7K")), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_standards_examples_and_synthetic_numbers_pass),
        cmocka_unit_test(what_scanners_and_spreadsheets_do_is_undone),
        cmocka_unit_test(each_fault_is_named_in_order),
        cmocka_unit_test(an_old_number_becomes_a_new_one),
        cmocka_unit_test(names_have_letters),
        cmocka_unit_test(phones_are_classed),
        cmocka_unit_test(a_number_on_a_card_tells_a_slip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
