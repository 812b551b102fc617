/*
 * What becomes of findings: counting, confirming, overriding, comparing, bytes.
 */
#include "core/edit/edit.h"

#include "core/rule/test_help.h"

static const char RULES[] =
    "rule A1 hard household zh \"甲\" en \"a\" check H1 = 1\n"
    "rule A2 soft household zh \"乙\" en \"b\" check H2a < 5\n"
    "rule B1 hard person override zh \"丙\" en \"c\" check D4 = 1\n"
    "rule B2 soft person zh \"丁\" en \"d\" check D2 = 0\n";

struct fix {
    struct puan_arena a;
    struct puan_form *form;
    struct puan_ruleset *rs;
};

static int set_up(void **state)
{
    static struct fix f;
    struct puan_str text = puan_str_of(RULES);
    const char *name = "r";
    struct puan_err err = { 0 };

    puan_arena_init(&f.a, &puan_test_heap);
    f.form = help_form("test/vectors/forms/census.json", &f.a);
    if (puan_ruleset_compile(&f.rs, f.form, NULL, 0, &text, &name, 1, &f.a,
                             &err) != PUAN_OK)
        fail_msg("%u: %s", err.line, err.text);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fix *f = *state;

    puan_arena_clear(&f->a);
    return 0;
}

static struct puan_edits run(struct fix *f, const char *answers)
{
    struct puan_record r = help_record(f->form, answers, &f->a);
    struct puan_findings found;
    struct puan_edits e;

    assert_int_equal(puan_ruleset_run(&found, f->rs, &r, &f->a, NULL), PUAN_OK);
    assert_int_equal(puan_edits_from(&e, &found, &f->a, NULL), PUAN_OK);
    return e;
}

/* A1, A2, B1 of line 2, B2 of lines 2 and 3 */
#define BAD                                                                    \
    "{\"form\":\"census\",\"household\":1,\"answers\":{\"H1\":2,\"H2a\":7},"   \
    "\"person\":[{\"D2\":0,\"D4\":1},{\"D2\":1,\"D4\":2},{\"D2\":9,"           \
    "\"D4\":1}]}"

static uint16_t rule(struct fix *f, const char *id)
{
    int i = puan_edits_rule(f->rs, puan_str_of(id));

    assert_true(i >= 0);
    return (uint16_t)i;
}

static enum puan_status resolve(struct fix *f, struct puan_edits *e,
                                const char *id, uint32_t row, const char *why,
                                const char *by, const char *second)
{
    return puan_edits_resolve(e, f->rs, rule(f, id), row, puan_str_of(why),
                              puan_str_of(by), puan_str_of(second), NULL);
}

static void findings_start_open_and_are_counted(void **state)
{
    struct fix *f = *state;
    struct puan_edits e = run(f, BAD);
    struct puan_edit_counts c = puan_edits_count(&e, f->rs);

    assert_int_equal(e.n, 5);
    assert_int_equal(c.hard_open, 2);
    assert_int_equal(c.soft_open, 3);
    assert_int_equal(c.hard_overridden + c.soft_confirmed, 0);
    assert_false(puan_edits_settled(&e, f->rs));
    assert_true(puan_edits_find(&e, rule(f, "B2"), 2) >= 0);
    assert_int_equal(puan_edits_find(&e, rule(f, "B2"), 0), -1);
    assert_int_equal(puan_edits_rule(f->rs, PUAN_STR("Z9")), -1);
}

static void soft_is_confirmed_by_one_hard_only_by_two(void **state)
{
    struct fix *f = *state;
    struct puan_edits e = run(f, BAD);
    struct puan_edit_counts c;

    assert_int_equal(resolve(f, &e, "A2", 0, "", "zhang", ""), PUAN_EINVAL);
    assert_int_equal(resolve(f, &e, "A2", 0, "  ", "zhang", ""), PUAN_EINVAL);
    assert_int_equal(resolve(f, &e, "A2", 0, "dormitory", "", ""), PUAN_EINVAL);
    assert_int_equal(resolve(f, &e, "A2", 1, "x", "zhang", ""), PUAN_ENOTFOUND);
    assert_int_equal(resolve(f, &e, "A2", 0, "dormitory", "zhang", ""),
                     PUAN_OK);
    assert_int_equal(resolve(f, &e, "A1", 0, "x", "zhang", "li"), PUAN_EDENIED);
    assert_int_equal(resolve(f, &e, "B1", 1, "x", "zhang", ""), PUAN_ECONFLICT);
    assert_int_equal(resolve(f, &e, "B1", 1, "x", "zhang", "zhang"),
                     PUAN_ECONFLICT);
    assert_int_equal(resolve(f, &e, "B1", 1, "x", "zhang", "li"), PUAN_OK);
    c = puan_edits_count(&e, f->rs);
    assert_int_equal(c.hard_open, 1);
    assert_int_equal(c.hard_overridden, 1);
    assert_int_equal(c.soft_open, 2);
    assert_int_equal(c.soft_confirmed, 1);
}

static void a_sender_confirms_soft_findings_only(void **state)
{
    struct fix *f = *state;
    struct puan_edits e = run(f, BAD);
    struct puan_err err = { 0 };
    uint32_t unused = 9;
#define CONFIRM(text)                                                          \
    puan_edits_confirm(&e, &unused, f->rs, PUAN_STR(text), PUAN_STR("d-17"),   \
                       &f->a, &err)

    assert_int_equal(CONFIRM(""), PUAN_OK);
    assert_int_equal(unused, 0);
    assert_int_equal(CONFIRM("[{\"rule\":\"B2\",\"row\":3,\"reason\":\"是\"},"
                             "{\"rule\":\"B2\",\"row\":1,\"reason\":\"x\"},"
                             "{\"rule\":\"A2\",\"reason\":\"宿舍\"}]"),
                     PUAN_OK);
    assert_int_equal(unused, 1);
    assert_int_equal(puan_edits_count(&e, f->rs).soft_confirmed, 2);
    assert_int_equal(CONFIRM("[{\"rule\":\"B1\",\"row\":2,\"reason\":\"x\"}]"),
                     PUAN_EDENIED);
    assert_non_null(strstr(err.text, "B1"));
    assert_int_equal(CONFIRM("[{\"rule\":\"Q\",\"reason\":\"x\"}]"),
                     PUAN_EINVAL);
    assert_int_equal(CONFIRM("[{\"rule\":\"A2\",\"reason\":\"\"}]"),
                     PUAN_EINVAL);
    assert_int_equal(CONFIRM("[{\"rule\":\"A2\",\"why\":\"x\"}]"), PUAN_EINVAL);
    assert_int_equal(CONFIRM("{}"), PUAN_EINVAL);
    assert_int_equal(CONFIRM("[1]"), PUAN_EINVAL);
    assert_int_equal(CONFIRM("["), PUAN_EINVAL);
}

static void a_correction_shows_what_came_and_went(void **state)
{
    struct fix *f = *state;
    struct puan_edits before = run(f, BAD);
    struct puan_edits after =
        run(f, "{\"form\":\"census\",\"household\":1,\"answers\":{\"H1\":1,"
               "\"H2a\":7},\"person\":[{\"D2\":0,\"D4\":2},{\"D2\":1,\"D4\":1},"
               "{\"D2\":9,\"D4\":1}]}");
    struct puan_edits_diff d;

    assert_int_equal(puan_edits_compare(&d, &before, &after, &f->a, NULL),
                     PUAN_OK);
    assert_int_equal(d.kept, 3);
    assert_int_equal(d.appeared, 1);
    assert_int_equal(d.new_list[0].rule, rule(f, "B1"));
    assert_int_equal(d.new_list[0].row, 0);
    assert_int_equal(d.gone, 2);
    assert_int_equal(d.gone_list[0].rule, rule(f, "A1"));
    assert_int_equal(d.gone_list[1].row, 1);
}

static void bytes_come_back_and_damage_is_refused(void **state)
{
    struct fix *f = *state;
    struct puan_edits e = run(f, BAD), back;
    struct puan_out found, why;
    struct puan_str fs, ws;

    assert_int_equal(resolve(f, &e, "A2", 0, "dormitory", "zhang", ""),
                     PUAN_OK);
    assert_int_equal(resolve(f, &e, "B1", 1, "x", "zhang", "li"), PUAN_OK);
    puan_out_init(&found, &f->a);
    puan_out_init(&why, &f->a);
    puan_edits_encode(&found, &why, &e);
    fs = puan_out_view(&found);
    ws = puan_out_view(&why);
    assert_true(fs.n <= 2 + 3 * e.n);
    assert_int_equal(puan_edits_decode(&back, fs, ws, &f->a, NULL), PUAN_OK);
    assert_int_equal(back.n, e.n);
    for (size_t i = 0; i < e.n; i++) {
        assert_int_equal(back.list[i].rule, e.list[i].rule);
        assert_int_equal(back.list[i].row, e.list[i].row);
        assert_int_equal(back.list[i].state, e.list[i].state);
        assert_true(puan_str_eq(back.list[i].reason, e.list[i].reason));
        assert_true(puan_str_eq(back.list[i].second, e.list[i].second));
    }
    assert_int_equal(
        puan_edits_decode(&back, fs, (struct puan_str){ 0 }, &f->a, NULL),
        PUAN_OK);
    for (size_t n = 0; n < fs.n; n++)
        assert_int_equal(puan_edits_decode(&back, (struct puan_str){ fs.p, n },
                                           ws, &f->a, NULL),
                         PUAN_EINVAL);
    for (size_t n = 1; n < ws.n; n++)
        assert_int_equal(puan_edits_decode(&back, fs,
                                           (struct puan_str){ ws.p, n }, &f->a,
                                           NULL),
                         PUAN_EINVAL);
    assert_int_equal(
        puan_edits_decode(&back, PUAN_STR("\2\0"), ws, &f->a, NULL),
        PUAN_EINVAL);
    /* twice the same finding; the fourth state */
    assert_int_equal(puan_edits_decode(&back, PUAN_STR("\1\2\4\1\0\1"),
                                       (struct puan_str){ 0 }, &f->a, NULL),
                     PUAN_EINVAL);
    assert_int_equal(puan_edits_decode(&back, PUAN_STR("\1\1\7\1"),
                                       (struct puan_str){ 0 }, &f->a, NULL),
                     PUAN_EINVAL);
    assert_int_equal(puan_edits_decode(&back, PUAN_STR("\1\xff\xff\xff\x7f"),
                                       (struct puan_str){ 0 }, &f->a, NULL),
                     PUAN_ELIMIT);
}

static void people_read_them_as_json(void **state)
{
    struct fix *f = *state;
    struct puan_edits e = run(f, BAD);
    struct puan_out o;
    struct puan_jw w;

    assert_int_equal(resolve(f, &e, "B2", 1, "y", "zhang", ""), PUAN_OK);
    e.list += 3;
    e.n = 1;
    puan_out_init(&o, &f->a);
    puan_jw_init(&w, &o);
    puan_edits_json(&w, &e, f->rs, f->form, true);
    assert_string_equal(
        o.p, "[{\"rule\":\"B2\",\"severity\":\"soft\",\"entity\":\"person\","
             "\"row\":2,\"state\":\"confirmed\",\"zh\":\"丁\",\"en\":\"d\","
             "\"reason\":\"y\",\"by\":\"zhang\"}]");
}

/* The version of the rule set stands with the findings, and only then. */
static void the_version_of_the_rules_is_kept(void **state)
{
    struct fix *f = *state;
    struct puan_edits e = run(f, BAD), back;
    struct puan_out plain, stamped, reasons;
    struct puan_err err = { 0 };

    puan_out_init(&plain, &f->a);
    puan_out_init(&stamped, &f->a);
    puan_out_init(&reasons, &f->a);
    puan_edits_encode(&plain, &reasons, &e);
    e.version = 300;
    puan_edits_encode(&stamped, &reasons, &e);
    assert_int_equal(puan_out_view(&stamped).n, puan_out_view(&plain).n + 2);
    assert_int_equal(puan_edits_decode(&back, puan_out_view(&stamped),
                                       PUAN_STR(""), &f->a, &err),
                     PUAN_OK);
    assert_int_equal(back.version, 300);
    assert_int_equal(back.n, e.n);
    assert_int_equal(puan_edits_decode(&back, puan_out_view(&plain),
                                       PUAN_STR(""), &f->a, &err),
                     PUAN_OK);
    assert_int_equal(back.version, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_version_of_the_rules_is_kept),
        cmocka_unit_test(findings_start_open_and_are_counted),
        cmocka_unit_test(soft_is_confirmed_by_one_hard_only_by_two),
        cmocka_unit_test(a_sender_confirms_soft_findings_only),
        cmocka_unit_test(a_correction_shows_what_came_and_went),
        cmocka_unit_test(bytes_come_back_and_damage_is_refused),
        cmocka_unit_test(people_read_them_as_json),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
