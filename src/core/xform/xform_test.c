/*
 * XForms: what of a form and its rules a device can be told, and what is left.
 */
#include "core/xform/xform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/test_heap.h"

static struct puan_arena arena;
static struct puan_str text;
static struct puan_xform_report report;

static const char FORM[] =
    "{\"form\":\"t\",\"zh\":\"表\",\"en\":\"Form\",\"reasons\":\"why\","
    "\"codes\":{\"why\":{\"refused\":{\"value\":1,\"zh\":\"拒绝\",\"en\":"
    "\"refused\"}},"
    "\"sex\":{\"1\":{\"zh\":\"男 & 女\",\"en\":\"m\"},\"2\":{\"zh\":\"女\","
    "\"en\":\"f\"}},"
    "\"kind\":{\"F\":{\"value\":1,\"zh\":\"一\",\"en\":\"one\"},\"M\":{"
    "\"value\":2,\"zh\":\"二\",\"en\":\"two\"}}},"
    "\"entities\":{\"household\":{\"zh\":\"户\",\"en\":\"h\",\"items\":{"
    "\"A9\":{\"type\":\"int\",\"from\":\"key\",\"key_digits\":3,\"zh\":\"a\","
    "\"en\":\"a\"},"
    "\"H2\":{\"type\":\"int\",\"min\":0,\"max\":99,\"zh\":\"b\",\"en\":\"b\","
    "\"asked_if\":\"A9 != 999\"}}},"
    "\"person\":{\"rows\":9,\"zh\":\"人\",\"en\":\"p\",\"items\":{"
    "\"D4\":{\"type\":\"code\",\"codes\":\"sex\",\"zh\":\"c\",\"en\":\"c\"},"
    "\"K\":{\"type\":\"code\",\"codes\":\"kind\",\"required\":false,\"zh\":"
    "\"k\",\"en\":\"k\"},"
    "\"D5\":{\"type\":\"month\",\"min\":\"1880-01\",\"max\":\"2020-12\","
    "\"zh\":\"d\",\"en\":\"d\"},"
    "\"D11\":{\"type\":\"int\",\"min\":0,\"max\":9,\"zh\":\"e\",\"en\":\"e\","
    "\"asked_if\":\"age_at(D5, ref_month) >= 3 and K = 2\"},"
    "\"D3\":{\"type\":\"citizen-id\",\"zh\":\"f\",\"en\":\"f\"}}}}}";

static const char RULES[] =
    "rule R1 hard household zh \"甲\" en \"first\""
    " check count(person where D4 = 1) = H2\n"
    "rule R2 soft person zh \"乙\" en \"second\" check D11 < 5\n"
    "rule R3 hard person zh \"丙\" en \"third\" when given(D3)"
    " check D5 = id_month(D3)\n"
    "rule R4 hard person zh \"丁\" en \"fourth\""
    " fail when any(person where row < self.row and same_id(D3, self.D3))\n"
    "rule R5 hard person zh \"戊\" en \"fifth\" check D11 != 7\n"
    "rule R6 hard person, override zh \"己\" en \"sixth\" check D11 != 8\n";

static int set_up(void **state)
{
    static const struct puan_const consts[] = { { { "ref_month", 9 },
                                                  2020 * 12 + 10 } };
    struct puan_str texts[] = { puan_str_of(RULES) };
    const char *files[] = { "r" };
    struct puan_err err = { 0 };
    struct puan_node *tree;
    struct puan_form *f = NULL;
    struct puan_ruleset *rs;
    struct puan_out o;
    struct puan_xform in = { .consts = consts, .n_consts = 1,
                             .mode = { "enumerator", 10 },
                             .version = { "7", 1 } };

    (void)state;
    puan_arena_init(&arena, &puan_test_heap);
    puan_out_init(&o, &arena);
    if (puan_json_tree(&tree, puan_str_of(FORM), "f", &arena, &err) !=
            PUAN_OK ||
        puan_form_load(&f, tree, NULL, NULL, &arena, &err) != PUAN_OK)
        fail_msg("%s", err.text);
    f->reference_month = 2020 * 12 + 10;
    f->key_width = 12;
    if (puan_ruleset_compile(&rs, f, consts, 1, texts, files, 1, &arena,
                             &err) != PUAN_OK)
        fail_msg("%s", err.text);
    in.form = f;
    in.rules = rs;
    assert_int_equal(puan_xform_write(&o, &report, &in, &arena, &err),
                     PUAN_OK);
    text = puan_out_view(&o);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    puan_arena_clear(&arena);
    return 0;
}

static bool says(const char *what)
{
    return memmem(text.p, text.n, what, strlen(what)) != NULL;
}

/* The bind of a node, "" when there is none. */
static const char *bind_of(const char *node)
{
    const char *key =
        puan_arena_fmt(&arena, "<bind nodeset=\"/data/%s\"", node);
    const char *p = memmem(text.p, text.n, key, strlen(key));
    const char *end;

    if (!p)
        return "";
    end = strstr(p, "/>\n");
    return puan_arena_dup(&arena, (struct puan_str){ p, (size_t)(end - p) });
}

static void routing_is_relevance(void **state)
{
    (void)state;
    assert_non_null(strstr(
        bind_of("household/H2"),
        "number(substr(/data/puan_head/household, 9, 12)) != 999)"));
    assert_non_null(strstr(bind_of("person/D11"), "- 1 + 12000) div 12)"));
    /* a code that is no number is compared as it is written */
    assert_non_null(strstr(bind_of("person/D11"), "(../K = 'M')"));
    assert_int_equal(report.asked, 2);
    assert_int_equal(report.n_asked_left, 0);
}

/* One that counts rows would hold up who has not filled them in yet. */
static void a_hard_rule_is_a_constraint(void **state)
{
    (void)state;
    assert_non_null(
        strstr(bind_of("household/puan_notes/r0"),
               "count(/data/person[(((./D4 != '')) and number(./D4) = 1)])"));
    assert_non_null(
        strstr(bind_of("person/D11"), "jr:constraintMsg=\"jr:itext('r.4')\""));
    assert_non_null(strstr(bind_of("person/D3"), "regex(../D3"));
    assert_int_equal(report.constraints, 2);
}

static void a_doubt_is_a_note(void **state)
{
    (void)state;
    assert_string_not_equal(bind_of("person/puan_notes/r1"), "");
    assert_string_not_equal(bind_of("person/puan_notes/r5"), "");
    assert_non_null(strstr(bind_of("person/puan_notes/r1"), "../../D11"));
    assert_string_equal(bind_of("person/puan_notes/r4"), "");
    assert_int_equal(report.notes, 3);
}

static void what_xpath_cannot_say_is_named(void **state)
{
    (void)state;
    assert_int_equal(report.n_rules_left, 1);
    assert_true(puan_str_is(report.rules_left[0], "R4"));
}

static void answers_may_be_missing_for_a_reason(void **state)
{
    (void)state;
    assert_non_null(strstr(bind_of("person/D4"),
                           "required=\"not(selected(../puan_unanswered, "
                           "'D4'))\""));
    assert_non_null(strstr(bind_of("person/puan_why/D4"),
                           "selected(../../puan_unanswered, 'D4')"));
    assert_null(strstr(bind_of("person/K"), "required"));
}

static void both_languages_stand_there(void **state)
{
    (void)state;
    assert_true(says("<value>男 &amp; 女</value>"));
    assert_true(says("<value>m</value>"));
    assert_true(says("<person jr:template=\"\">"));
    assert_false(says("<A9"));
    assert_true(says("jr://file-csv/households.csv"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routing_is_relevance),
        cmocka_unit_test(a_hard_rule_is_a_constraint),
        cmocka_unit_test(a_doubt_is_a_note),
        cmocka_unit_test(what_xpath_cannot_say_is_named),
        cmocka_unit_test(answers_may_be_missing_for_a_reason),
        cmocka_unit_test(both_languages_stand_there),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
