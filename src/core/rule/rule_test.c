/*
 * The rule language: what applies to a form, findings and their counts, what a
 * refused text is told.  The meaning of each operator is in test/vectors.
 */
#include "core/rule/test_help.h"

#include "core/rule/lang.h"

static struct puan_arena arena;

static int setup(void **state)
{
    (void)state;
    puan_arena_init(&arena, &help_host);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    puan_arena_clear(&arena);
    return 0;
}

#define FORM "test/vectors/forms/census.json"
static const struct puan_const settings[] = {
    { { "ref_month", 9 }, 2020 * 12 + 10 },
    { { "spouse_gap", 10 }, 15 },
};

static enum puan_status compile(struct puan_ruleset **rs, const char *text,
                                struct puan_err *err)
{
    struct puan_str s = puan_str_of(text);
    static const char *const files[] = { "t.rules" };

    return puan_ruleset_compile(rs, help_form(FORM, &arena), settings,
                                PUAN_COUNT(settings), &s, files, 1, &arena,
                                err);
}

static struct puan_ruleset *rules(const char *text)
{
    struct puan_ruleset *rs = NULL;
    struct puan_err err = { 0 };

    if (compile(&rs, text, &err) != PUAN_OK)
        fail_msg("%s:%u:%u: %s", err.where, err.line, err.col, err.text);
    return rs;
}

static struct puan_findings run(const struct puan_ruleset *rs,
                                const char *answers)
{
    struct puan_record r = help_record(rs->prog.form, answers, &arena);
    struct puan_findings f;
    struct puan_err err = { 0 };

    assert_int_equal(puan_ruleset_run(&f, rs, &r, &arena, &err), PUAN_OK);
    return f;
}

#define MSG " zh \"中\" en \"e\" "

static void a_finding_names_the_rule_and_the_row(void **state)
{
    struct puan_ruleset *rs = rules(
        "define age for person = age_at(D5, ref_month)\n"
        "rule A hard person" MSG "when D2 = 1 check age >= 15\n"
        "rule B soft household" MSG "check count(person where D7 = 1) = H2a\n");
    struct puan_findings f;

    (void)state;
    assert_int_equal(puan_ruleset_count(rs), 2);
    assert_int_equal(puan_ruleset_info(rs, 0)->entity, 1);
    assert_string_equal(puan_arena_dup(&arena, puan_ruleset_info(rs, 1)->zh),
                        "中");
    f = run(rs, "{\"form\":\"census\",\"household\":\"1\",\"answers\":{\"H2a\":2},\"person\":["
                "{\"D2\":0,\"D5\":\"1980-01\",\"D7\":1},"
                "{\"D2\":1,\"D5\":\"2010-01\",\"D7\":2}]}");
    assert_int_equal(f.n, 2);
    assert_int_equal(f.list[0].rule, 0);
    assert_int_equal(f.list[0].row, 1);
    assert_int_equal(f.list[1].rule, 1);
    assert_int_equal(f.list[1].row, 0);
    assert_true(f.any_hard);
    assert_int_equal(f.evaluated, 2);
    assert_int_equal(f.not_evaluable, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_finding_names_the_rule_and_the_row,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
