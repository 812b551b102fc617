/*
 * Tests of the coder: what an answer's form may not change, faults of its
 * files, and that a code follows from the entries alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/test_heap.h"
#include "core/coder/coder.h"
#include "core/coder/number.h"

static const char list[] = "A 农业\n"
                           "01 农业\n"
                           "011 谷物种植\n"
                           "0111 稻谷种植 | 水稻 早稻\n"
                           "0112 小麦种植 | 冬小麦\n"
                           "F 批发和零售业\n"
                           "52 零售业\n"
                           "522 食品零售\n"
                           "5221 粮油零售 | 大米 面粉\n"
                           "5223 果品、蔬菜零售 | 水果 苹果 蔬菜\n";
static const char words[] = "stop 在 的 镇上 市场\n"
                            "vague 打工\n"
                            "role retail 卖 零售 # a remark\n"
                            "role grow 种\n"
                            "same 水稻 稻子\n"
                            "with 01 grow\n"
                            "with 52 retail\n";
static const char chars[] = "種种 賣卖 蘋苹 麥麦\n";

static struct puan_coder_source source(const char *text, const char *name)
{
    return (struct puan_coder_source){ puan_str_of(text), name };
}

static const struct puan_coder *coder(struct puan_arena *a)
{
    struct puan_coder *c = NULL;
    struct puan_err err = { 0 };

    assert_int_equal(puan_coder_build(&c, source(list, "list"),
                                      source(words, "words"),
                                      source(chars, "chars"), a, &err),
                     PUAN_OK);
    return c;
}

static struct puan_coder_answer ask(const struct puan_coder *c,
                                    const char *text, unsigned digits,
                                    struct puan_arena *a)
{
    struct puan_coder_answer out;
    struct puan_str s = puan_str_of(text);
    struct puan_err err = { 0 };

    assert_int_equal(puan_coder_suggest(&out, c, &s, 1, digits, a, &err),
                     PUAN_OK);
    return out;
}

static void gives(const struct puan_coder *c, const char *text,
                  const char *code, struct puan_arena *a)
{
    struct puan_coder_answer out = ask(c, text, 0, a);

    assert_int_equal(out.state, PUAN_CODED);
    assert_true(puan_str_is(puan_coder_node(c, out.hit[0].node)->code, code));
}

static void the_class_named_or_done_is_found(void **state)
{
    struct puan_arena a;
    const struct puan_coder *c;

    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    c = coder(&a);
    gives(c, "种早稻", "0111", &a);
    gives(c, "在镇上卖水果", "5223", &a);
    gives(c, "卖大米的", "5221", &a);
    gives(c, "冬小麦", "0112", &a);
    puan_arena_clear(&a);
}

static void form_does_not_change_an_answer(void **state)
{
    static const char *const same[][2] = {
        { "在镇上卖苹果", "賣蘋果，在鎮上" }, { "种小麦", "種 小麥" },
        { "卖水果 镇上", "镇上卖水果" },      { "种水稻", "稻子，种" },
        { "ＡＢＣ小麦", "abc小麦" },
    };
    struct puan_arena a;
    const struct puan_coder *c;

    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    c = coder(&a);
    for (size_t i = 0; i < PUAN_COUNT(same); i++) {
        struct puan_coder_answer x = ask(c, same[i][0], 0, &a);
        struct puan_coder_answer y = ask(c, same[i][1], 0, &a);

        assert_int_equal(x.hit[0].node, y.hit[0].node);
    }
    puan_arena_clear(&a);
}

static void too_little_is_told_from_nothing_and_from_the_unknown(void **state)
{
    struct puan_arena a;
    const struct puan_coder *c;

    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    c = coder(&a);
    assert_int_equal(ask(c, "", 0, &a).state, PUAN_CODE_EMPTY);
    assert_int_equal(ask(c, " ，。", 0, &a).state, PUAN_CODE_EMPTY);
    assert_int_equal(ask(c, "打工", 0, &a).state, PUAN_CODE_VAGUE);
    assert_int_equal(ask(c, "在镇上打工", 0, &a).state, PUAN_CODE_VAGUE);
    assert_int_equal(ask(c, "鑫", 0, &a).state, PUAN_CODE_UNKNOWN);
    puan_arena_clear(&a);
}

static void groups_add_their_classes_up(void **state)
{
    struct puan_arena a;
    const struct puan_coder *c;
    struct puan_coder_answer leaf, top;
    uint64_t sum = 0;

    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    c = coder(&a);
    leaf = ask(c, "卖", 0, &a);
    assert_int_equal(leaf.state, PUAN_CODE_VAGUE);
    leaf = ask(c, "卖蔬菜 小麦", 0, &a);
    top = ask(c, "卖蔬菜 小麦", 1, &a);
    assert_int_equal(top.n, 2);
    for (size_t i = 0; i < leaf.n; i++)
        if (puan_coder_node(c, leaf.hit[i].node)->code.p[0] == '5')
            sum += leaf.hit[i].ppm;
    assert_true(sum + 4 >= top.hit[0].ppm && sum <= top.hit[0].ppm + 4u);
    assert_true(puan_str_is(puan_coder_node(c, top.hit[0].node)->code, "F"));
    puan_arena_clear(&a);
}

static void faults_name_line_and_column(void **state)
{
    static const struct {
        const char *list, *words, *chars;
        uint32_t line, col;
    } cases[] = {
        { "A x\n01\n", "", "", 2, 3 },
        { "A x\nA y\n", "", "", 2, 1 },
        { "", "", "", 0, 0 },
        { "A x\n", "stop 在\nwhat 在\n", "", 2, 1 },
        { "A x\n", "stop 在 在\n", "", 1, 10 },
        { "A x\n", "with A make\n", "", 1, 8 },
        { "A x\n", "", "ab\n", 1, 1 },
        { "A x\n", "keep 一二三四五六七八九十一\n", "", 1, 6 },
    };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(cases); i++) {
        struct puan_coder *c = NULL;
        struct puan_err err = { 0 };
        struct puan_arena a;

        puan_arena_init(&a, &puan_test_heap);
        assert_int_equal(puan_coder_build(&c, source(cases[i].list, "list"),
                                          source(cases[i].words, "words"),
                                          source(cases[i].chars, "chars"), &a,
                                          &err),
                         PUAN_EINVAL);
        assert_int_equal(err.line, cases[i].line);
        assert_int_equal(err.col, cases[i].col);
        assert_true(err.text[0] != 0);
        puan_arena_clear(&a);
    }
}

static void likeness_is_one_for_the_same_and_nought_for_nothing(void **state)
{
    struct puan_arena a;
    const struct puan_coder *c;

    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    c = coder(&a);
    assert_int_equal(
        puan_coder_alike(c, PUAN_STR("卖水果"), PUAN_STR("賣水果"), &a),
        1000000);
    assert_int_equal(
        puan_coder_alike(c, PUAN_STR("水果"), PUAN_STR("小麦"), &a), 0);
    puan_arena_clear(&a);
}

/* Values of ln and exp from Abramowitz and Stegun (1964), tables 4.2, 4.4. */
static void logarithm_and_exponential_are_right(void **state)
{
    (void)state;
    assert_true(coder_ln(1) == 0);
    assert_true(coder_ln(2) > 0.69314718055994 &&
                coder_ln(2) < 0.69314718055995);
    assert_true(coder_ln(10) > 2.30258509299404 &&
                coder_ln(10) < 2.30258509299405);
    assert_true(coder_exp(1) > 2.71828182845904 &&
                coder_exp(1) < 2.71828182845905);
    for (double x = -30; x < 30; x += 0.37) {
        double back = coder_ln(coder_exp(x)) - x;

        assert_true(back < 1e-12 && back > -1e-12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_class_named_or_done_is_found),
        cmocka_unit_test(form_does_not_change_an_answer),
        cmocka_unit_test(too_little_is_told_from_nothing_and_from_the_unknown),
        cmocka_unit_test(groups_add_their_classes_up),
        cmocka_unit_test(faults_name_line_and_column),
        cmocka_unit_test(likeness_is_one_for_the_same_and_nought_for_nothing),
        cmocka_unit_test(logarithm_and_exponential_are_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
