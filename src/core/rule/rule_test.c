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
    puan_arena_init(&arena, &puan_test_heap);
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
    f = run(rs, "{\"form\":\"census\",\"household\":\"1\",\"answers\":{\"H2a\":"
                "2},\"person\":["
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

static void a_rule_without_in_applies_where_the_form_can_hold_it(void **state)
{
    struct puan_ruleset *rs =
        rules("define x for person = D77 + 1\n"
              "rule A hard person" MSG "check D4 = 1\n"
              "rule B hard person" MSG "check D44 = 1\n"
              "rule C hard vehicle" MSG "check D4 = 1\n"
              "rule D hard person" MSG "check x = 1\n"
              "rule E hard person in other" MSG "check nothing = 1\n");
    const struct puan_rule_skip *k;
    size_t n;

    (void)state;
    assert_int_equal(puan_ruleset_count(rs), 1);
    k = puan_ruleset_skips(rs, &n);
    assert_int_equal(n, 5);
    assert_string_equal(k[0].why, "unknown name 'D77'; the nearest is 'D7'");
    assert_int_equal(k[0].line, 1);
    assert_string_equal(k[1].why, "unknown name 'D44'; the nearest is 'D4'");
    assert_string_equal(k[2].why, "form 'census' has no level 'vehicle'");
    assert_string_equal(k[3].why,
                        "derived item 'x' does not apply to form 'census': "
                        "unknown name 'D77'; the nearest is 'D7'");
    assert_string_equal(k[4].why, "its 'in' does not name form 'census'");
}

static void a_rule_that_applies_nowhere_is_found(void **state)
{
    static const char text[] = "rule A hard person" MSG "check D4 = 1\n"
                               "rule B hard person" MSG "check D44 = 1\n";
    const struct puan_ruleset *sets[2] = { rules(text), rules(text) };
    struct puan_err err = { 0 };

    (void)state;
    assert_int_equal(puan_ruleset_all_used(sets, 2, &err), PUAN_EINVAL);
    assert_int_equal(err.line, 2);
    assert_string_equal(err.where, "t.rules");
    assert_string_equal(err.text, "'B' applies to no form: unknown name 'D44'; "
                                  "the nearest is 'D4'");
    sets[1] = rules("rule B hard person" MSG "check D4 = 1\n");
    err = (struct puan_err){ 0 };
    assert_int_equal(puan_ruleset_all_used(sets, 2, &err), PUAN_OK);
}

static void files_share_their_names_and_errors_name_the_file(void **state)
{
    struct puan_str texts[2] = {
        PUAN_STR("const most = 3\ndefine n for household = count(person)\n"),
        PUAN_STR("# 注释\r\nrule A hard household zh \"中\" en \"e\"\r\n"
                 "  check n <= most\r\n"),
    };
    static const char *const files[] = { "a.rules", "b.rules" };
    struct puan_form *f = help_form(FORM, &arena);
    struct puan_ruleset *rs;
    struct puan_err err = { 0 };

    (void)state;
    assert_int_equal(
        puan_ruleset_compile(&rs, f, NULL, 0, texts, files, 2, &arena, &err),
        PUAN_OK);
    assert_string_equal(puan_ruleset_info(rs, 0)->file, "b.rules");
    assert_int_equal(puan_ruleset_info(rs, 0)->line, 2);
    texts[1] = PUAN_STR("\xef\xbb\xbfrule A hard household\n  zh \"人数“多”\"\n"
                        "  en \"e\"\n  check\n    /* no */ n <= most\n");
    assert_int_equal(
        puan_ruleset_compile(&rs, f, NULL, 0, texts, files, 2, &arena, &err),
        PUAN_EINVAL);
    assert_string_equal(err.where, "b.rules");
    assert_int_equal(err.line, 5);
    assert_int_equal(err.col, 5);
    assert_string_equal(err.text, "expected a value but found '/'");
}

static void a_text_that_is_not_utf8_is_refused(void **state)
{
    struct puan_ruleset *rs;
    struct puan_err err = { 0 };

    (void)state;
    assert_int_equal(compile(&rs, "rule A hard person zh \"\xc4\xea\"", &err),
                     PUAN_EINVAL);
    assert_string_equal(err.text, "the text is not UTF-8: save it as UTF-8");
}

static void a_rule_knows_the_items_it_reads(void **state)
{
    struct puan_ruleset *rs =
        rules("define age for person = age_at(D5, ref_month)\n"
              "rule A hard person" MSG
              "when given(D3) and H1 = 1 check id_month(D3) = D5 or age > 3\n");
    const struct puan_rule_info *i = puan_ruleset_info(rs, 0);

    (void)state;
    assert_int_equal(i->n_items, 3);
    assert_int_equal(i->items[0].entity, 1);
    assert_int_equal(
        i->items[0].item,
        puan_entity_item(&rs->prog.form->entity[1], PUAN_STR("D3")));
    assert_int_equal(i->items[1].entity, 0);
    assert_int_equal(
        i->items[2].item,
        puan_entity_item(&rs->prog.form->entity[1], PUAN_STR("D5")));
}

static void a_rule_says_why(void **state)
{
    static const struct {
        const char *text, *value; /* "?": unknown */
    } want[] = {
        { "given(D3)", "false" },
        { "(D9 + 1) * 2 > least", "false" },
        { "(D9 + 1) * 2", "6" },
        { "least", "10" },
        { "twice in {2, 4}", "true" },
        { "twice", "4" },
        { "count(person where not (D9 = 2 or D9 = 3))", "0" },
        { "sum(person.D9 where row != self.row)", "0" },
        { "D4 = 1", "?" },
        { "D4", "?" },
    };
    struct puan_ruleset *rs = rules(
        "const least = 10\ndefine twice for person = D9 * 2\n"
        "rule A hard person" MSG
        "fail when not given(D3) and (D9 + 1) * 2 > least or twice in {2, 4}\n"
        "  and count(person where not (D9 = 2 or D9 = 3)) = 0\n"
        "  and sum(person.D9 where row != self.row) = 0 or D4 = 1\n");
    struct puan_record r = help_record(
        rs->prog.form,
        "{\"form\":\"census\",\"household\":\"1\",\"answers\":{\"H1\":1},"
        "\"person\":[{\"D9\":2}]}",
        &arena);
    struct puan_rule_value *v;
    size_t n;

    (void)state;
    assert_int_equal(puan_ruleset_explain(&v, &n, rs, 0, &r, 0, &arena, NULL),
                     PUAN_OK);
    for (size_t i = 0, k = 0; i < PUAN_COUNT(want); i++) {
        while (k < n && !puan_str_is(v[k].text, want[i].text))
            k++; /* comparisons with the sides shown here */
        if (k == n)
            fail_msg("no part %s", want[i].text);
        if (want[i].value[0] == '?')
            assert_int_not_equal(v[k].state, PUAN_GIVEN);
        else
            assert_string_equal(v[k].value, want[i].value);
    }
    assert_int_equal(puan_ruleset_explain(&v, &n, rs, 0, &r, 1, &arena, NULL),
                     PUAN_EBUG);
}

static void a_derived_item_no_rule_needs_is_not_computed(void **state)
{
    struct puan_ruleset *rs = rules("define a for person = D9 + 1\n"
                                    "define b for person = a + 1\n"
                                    "define c for person = D9 + 2\n"
                                    "rule A hard person" MSG "check b > 0\n");

    (void)state;
    assert_int_equal(rs->prog.n_columns, 3);
    assert_true(rs->prog.column[0].code.n > 0);
    assert_true(rs->prog.column[1].code.n > 0);
    assert_int_equal(rs->prog.column[2].code.n, 0);
}

static void
without_the_vault_a_comparison_of_texts_is_not_evaluable(void **state)
{
    struct puan_ruleset *rs = rules(
        "rule A hard person" MSG
        "fail when any(person where row < self.row and same_id(D3, self.D3))\n"
        "rule B hard person" MSG "check id_check(D3) = 0\n");
    struct puan_record
        r = help_record(
            rs->prog.form,
            "{\"form\":\"census\",\"household\":\"1\",\"answers\":{},"
            "\"person\":["
            "{\"D3\":\"11010519491231002X\"},{\"D3\":\"11010519491231002x\"}]}",
            &arena),
        back;
    struct puan_out frame, facts, vault;
    struct puan_findings f;
    struct puan_err err = { 0 };

    (void)state;
    assert_int_equal(puan_ruleset_run(&f, rs, &r, &arena, &err), PUAN_OK);
    assert_int_equal(f.n, 1);
    assert_int_equal(f.not_evaluable, 0);
    puan_out_init(&frame, &arena);
    puan_out_init(&facts, &arena);
    puan_out_init(&vault, &arena);
    puan_record_encode(&frame, &facts, &vault, &r);
    assert_int_equal(
        puan_record_decode(&back, rs->prog.form, puan_out_view(&frame),
                           puan_out_view(&facts), PUAN_STR(""), &arena, &err),
        PUAN_OK);
    assert_int_equal(puan_ruleset_run(&f, rs, &back, &arena, &err), PUAN_OK);
    assert_int_equal(f.n, 0);
    assert_int_equal(f.not_evaluable, 1);
    assert_int_equal(f.evaluated, 3); /* A of line 1, B of both: facts stay */
}

static void a_record_of_another_form_is_a_bug_not_a_crash(void **state)
{
    struct puan_ruleset *rs = rules("rule A hard person" MSG "check D4 = 1\n");
    struct puan_record r = help_record(
        help_form(FORM, &arena),
        "{\"form\":\"census\",\"household\":\"1\",\"answers\":{}}", &arena);
    const struct puan_record *p = &r;
    struct puan_findings f;
    struct puan_err err = { 0 };

    (void)state;
    assert_int_equal(puan_ruleset_run(&f, rs, &r, &arena, &err), PUAN_EBUG);
    assert_int_equal(puan_ruleset_run_block(&f, rs, &p, 1, &arena, NULL),
                     PUAN_EBUG);
}

/* A collective household: quantifiers within quantifier-sized blocks. */
static void a_large_household_gives_the_same_in_both_executors(void **state)
{
    struct puan_form *f = help_form("test/vectors/forms/large.json", &arena);
    struct puan_str text =
        PUAN_STR("define twins for person = count(person where a = self.a)\n"
                 "rule A hard person" MSG
                 "fail when any(person where row < self.row and a = self.a)\n"
                 "rule B hard household" MSG "check count(person) = n\n"
                 "rule C soft person" MSG "when a mod 7 = 0 check twins < 3\n");
    enum { N = 40 };
    struct puan_record r[N];
    const struct puan_record *p[N];
    struct puan_findings one, many[N];
    struct puan_ruleset *rs;
    struct puan_err err = { 0 };
    size_t found = 0;

    (void)state;
    assert_int_equal(
        puan_ruleset_compile(&rs, f, NULL, 0, &text, NULL, 1, &arena, &err),
        PUAN_OK);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t n[PUAN_FORM_ENTITIES] = { 1, i % 13 == 5 ? 900 : i % 5 };

        assert_int_equal(puan_record_new(&r[i], f, n, &arena, &err), PUAN_OK);
        r[i].rows[0].v[0] = 900;
        r[i].rows[0].st[0] = PUAN_GIVEN;
        for (uint32_t k = 0; k < n[1]; k++) {
            r[i].rows[1].v[k] = (k * 7919 + i) % 600;
            r[i].rows[1].st[k] = k % 97 == 96 ? PUAN_MISSING : PUAN_GIVEN;
        }
        p[i] = &r[i];
    }
    assert_int_equal(puan_ruleset_run_block(many, rs, p, N, &arena, &err),
                     PUAN_OK);
    for (uint32_t i = 0; i < N; i++) {
        assert_int_equal(puan_ruleset_run(&one, rs, &r[i], &arena, &err),
                         PUAN_OK);
        assert_int_equal(one.n, many[i].n);
        assert_int_equal(one.evaluated, many[i].evaluated);
        assert_int_equal(one.not_evaluable, many[i].not_evaluable);
        assert_memory_equal(one.list, many[i].list,
                            one.n * sizeof(one.list[0]));
        found += one.n;
    }
    assert_true(found > 500);
}

static void depth_and_size_have_limits(void **state)
{
    static const struct {
        const char *open, *mid, *close, *text;
        unsigned times;
    } cases[] = {
        { "(", "D4 = 1", ")", "nested too deeply", 300 },
        { "not ", "D4 = 1", "", "nested too deeply", 300 },
        { "- ", "1 > D9", "", "nested too deeply", 300 },
        { "abs(", "D9", ")", "nested too deeply", 300 },
        { "(1 + ", "D9 > 1", "", "nested too deeply", 300 },
        { "D9 + ", "1 > 2", "", "nested too deeply", 300 },
        { "D4 = 1 and ", "D4 = 2", "", "nested too deeply", 300 },
        { "(1 + ", "D9", ")", "nested too deeply", 100 },
    };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(cases); i++) {
        struct puan_out o;
        struct puan_ruleset *rs;
        struct puan_err err = { 0 };

        puan_out_init(&o, &arena);
        puan_out_text(&o, "rule A hard person" MSG "check ");
        for (unsigned k = 0; k < cases[i].times; k++)
            puan_out_text(&o, cases[i].open);
        puan_out_text(&o, cases[i].mid);
        for (unsigned k = 0; k < cases[i].times; k++)
            puan_out_text(&o, cases[i].close);
        puan_out_text(&o, i == 7 ? " > 3" : "");
        assert_int_equal(compile(&rs, o.p, &err), PUAN_ELIMIT);
        if (!strstr(err.text, cases[i].text))
            fail_msg("case %zu: %s", i, err.text);
    }
}

static void a_derived_chain_may_not_be_endless(void **state)
{
    struct puan_out o;
    struct puan_ruleset *rs;
    struct puan_err err = { 0 };

    (void)state;
    puan_out_init(&o, &arena);
    for (int i = 0; i < 50; i++)
        puan_out_fmt(&o, "define d%d for person = d%d + 1\n", i, i + 1);
    puan_out_text(&o, "define d50 for person = D9\n");
    assert_int_equal(compile(&rs, o.p, &err), PUAN_ELIMIT);
    assert_string_equal(err.text, "derived items are built on one another more "
                                  "than 32 deep");
}

/* ---- out of memory at the nth allocation ---- */

static void every_failing_allocation_is_reported(void **state)
{
    static const char text[] =
        "const c = 3 * 4\n"
        "define age for person = age_at(D5, ref_month)\n"
        "define head for household = first(person.age where D2 = 0)\n"
        "rule A hard person zh \"中\\\"\" en \"e\" when D2 in {1, 100..200} "
        "check age >= head - c\n"
        "rule B soft household" MSG "check count(person where D7 = 1) = H2a\n"
        "rule C soft person" MSG "check any(person where D4 = self.D4)\n";
    struct puan_form *form = help_form(FORM, &arena);
    struct puan_record rec = help_record(
        form,
        "{\"form\":\"census\",\"household\":\"1\",\"answers\":{\"H2a\":9},"
        "\"person\":[{\"D2\":0,\"D4\":1},{\"D2\":1,\"D5\":\"2000-01\"}]}",
        &arena);
    const struct puan_record *p[2] = { &rec, &rec };
    unsigned n, failures = 0;
    bool by_size = false;

    (void)state;
    /* first the host refuses its nth block, then the arena its nth 64 bytes */
    for (n = 0; n < 10000; n++) {
        struct puan_test_scarce s = { by_size ? -1 : (int)n, 0 };
        struct puan_alloc host = { puan_test_get, puan_test_put, &s };
        struct puan_str t = puan_str_of(text);
        struct puan_findings f[2];
        struct puan_ruleset *rs;
        struct puan_err err = { 0 };
        struct puan_arena a;
        enum puan_status st;

        puan_arena_init(&a, &host);
        a.limit = by_size ? 64 + (size_t)n * 64 : 0;
        st =
            puan_ruleset_compile(&rs, form, settings, 2, &t, NULL, 1, &a, &err);
        if (st == PUAN_OK)
            st = puan_ruleset_run(f, rs, &rec, &a, &err);
        if (st == PUAN_OK)
            st = puan_ruleset_run_block(f, rs, p, 2, &a, &err);
        if (st == PUAN_OK)
            assert_int_equal(f[1].n, 1); /* B */
        puan_arena_clear(&a);
        assert_int_equal(s.live, 0);
        if (st == PUAN_OK && by_size)
            break;
        if (st == PUAN_OK) {
            by_size = true;
            n = 0;
            continue;
        }
        failures++;
        assert_int_equal(st, PUAN_ENOMEM);
        assert_int_equal(err.code, PUAN_ENOMEM);
    }
    assert_true(failures > 100 && n < 10000);
}

static void a_condition_must_be_a_truth_value(void **state)
{
    struct puan_form *f = help_form(FORM, &arena);
    struct puan_expr *e;
    struct puan_err err = { 0 };

    (void)state;
    assert_int_equal(puan_expr_compile_truth(&e, f, 1, NULL, 0,
                                             PUAN_STR("D4 = 1"), "p.yaml", 7,
                                             &arena, &err),
                     PUAN_OK);
    assert_int_equal(puan_expr_compile_truth(&e, f, 1, NULL, 0, PUAN_STR("D4"),
                                             "p.yaml", 7, &arena, &err),
                     PUAN_EINVAL);
    assert_int_equal(err.line, 7);
    assert_string_equal(err.where, "p.yaml");
    assert_string_equal(err.text, "a condition takes a truth value, such as a "
                                  "comparison, not a code of sex");
}

/* Both executors over one return; as many findings, of the same rules. */
static size_t findings_with(const struct puan_lookup *tables, size_t n_tables,
                            const char *text, const char *answers,
                            uint16_t *first_rule, uint32_t *evaluated)
{
    struct puan_str s = puan_str_of(text);
    struct puan_form *form = help_form(FORM, &arena);
    struct puan_ruleset *rs = NULL;
    struct puan_findings f, g;
    struct puan_err err = { 0 };
    struct puan_record r;
    const struct puan_record *list = &r;

    if (puan_ruleset_compile_with(&rs, form, settings, PUAN_COUNT(settings),
                                  tables, n_tables, &s, NULL, 1, &arena,
                                  &err) != PUAN_OK)
        fail_msg("%u:%u: %s", err.line, err.col, err.text);
    r = help_record(form, answers, &arena);
    assert_int_equal(puan_ruleset_run(&f, rs, &r, &arena, &err), PUAN_OK);
    assert_int_equal(puan_ruleset_run_block(&g, rs, &list, 1, &arena, &err),
                     PUAN_OK);
    assert_int_equal(f.n, g.n);
    assert_int_equal(f.evaluated, g.evaluated);
    for (size_t i = 0; i < f.n; i++)
        assert_int_equal(f.list[i].rule, g.list[i].rule);
    *first_rule = f.n ? f.list[0].rule : UINT16_MAX;
    *evaluated = f.evaluated;
    return f.n;
}

static void a_row_of_a_reference_table_is_found_by_the_rules_own_items(void **s)
{
    static const int64_t keys[] = { 0, 1, 0, 2, 1, 2 };
    static const int64_t values[] = { 30, 20, 40 };
    static const uint8_t states[] = { PUAN_GIVEN, PUAN_GIVEN, PUAN_MISSING };
    static const char text[] =
        "table least by D2, D4 gives age\n"
        "rule A hard person" MSG "check found(least)\n"
        "rule B hard person" MSG "check age_at(D5, ref_month) >= least.age\n";
    struct puan_lookup t;
    struct puan_err err = { 0 };
    uint16_t rule;
    uint32_t evaluated;

    (void)s;
    assert_int_equal(puan_lookup_build(&t, PUAN_STR("least"), keys, 2, values,
                                       states, 1, 3, &arena, &err),
                     PUAN_OK);
#define PERSON(d2, d4)                                                         \
    "{\"form\":\"census\",\"household\":\"1\",\"answers\":{},\"person\":[{"    \
    "\"D2\":" d2 ",\"D4\":" d4 ",\"D5\":\"1995-01\"}]}"
    /* 25 years old: too young for 0,1 and old enough for 0,2 */
    assert_int_equal(
        findings_with(&t, 1, text, PERSON("0", "1"), &rule, &evaluated), 1);
    assert_int_equal(rule, 1);
    assert_int_equal(evaluated, 2);
    assert_int_equal(
        findings_with(&t, 1, text, PERSON("0", "2"), &rule, &evaluated), 0);
    /* no such row: A finds it, B is silent */
    assert_int_equal(
        findings_with(&t, 1, text, PERSON("9", "2"), &rule, &evaluated), 1);
    assert_int_equal(rule, 0);
    assert_int_equal(evaluated, 1);
    /* a value that is missing: B cannot be evaluated */
    assert_int_equal(
        findings_with(&t, 1, text, PERSON("1", "2"), &rule, &evaluated), 0);
    assert_int_equal(evaluated, 1);
    /* no data at all: both silent */
    assert_int_equal(
        findings_with(NULL, 0, text, PERSON("0", "1"), &rule, &evaluated), 0);
    assert_int_equal(evaluated, 0);
}

static void a_reference_table_with_a_key_twice_is_refused(void **state)
{
    static const int64_t keys[] = { 7, 8, 7 }, values[] = { 1, 2, 3 };
    struct puan_lookup t;
    struct puan_err err = { 0 };

    (void)state;
    assert_int_equal(puan_lookup_build(&t, PUAN_STR("geo"), keys, 1, values,
                                       NULL, 1, 3, &arena, &err),
                     PUAN_ECONFLICT);
    assert_string_equal(err.text,
                        "rows 1 and 3 of table 'geo' have the same keys");
}

static void texts_declare_levels_and_tables(void **state)
{
    struct puan_str text =
        PUAN_STR("level township by region, township\n"
                 "level ea by region, township, ea\n"
                 "const x = 3\n"
                 "table geo by region, township gives control, households\n"
                 "rule A hard ea" MSG "check x = 3\n"
                 "table prior by region gives persons\n");
    struct puan_rule_decls d;
    struct puan_err err = { 0 };

    (void)state;
    assert_int_equal(puan_rule_declared(&d, &text, NULL, 1, &arena, &err),
                     PUAN_OK);
    assert_int_equal(d.n_levels, 2);
    assert_true(puan_str_is(d.level[1].name, "ea"));
    assert_int_equal(d.level[1].n_by, 3);
    assert_true(puan_str_is(d.level[1].by[2], "ea"));
    assert_int_equal(d.n_tables, 2);
    assert_int_equal(d.table[0].n_gives, 2);
    assert_true(puan_str_is(d.table[0].gives[1], "households"));
    text = PUAN_STR("table geo by region control\n");
    assert_int_equal(puan_rule_declared(&d, &text, NULL, 1, &arena, &err),
                     PUAN_EINVAL);
    assert_string_equal(err.text,
                        "expected 'gives' and the columns of the table but "
                        "found 'control'");
    assert_int_equal(err.col, 21);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void rules_are_left_out_and_sets_have_versions(void **state)
{
    static const char two[] =
        "set a.b version 7\n"
        "rule R1 hard household zh \"x\" en \"x\" check H1 = 1\n"
        "without R2\n"
        "rule R2 hard household zh \"x\" en \"x\" check H1 = 2\n";
    const struct puan_ruleset *rs = rules(two), *sets[1];
    const struct puan_rule_skip *skip;
    struct puan_ruleset *none;
    struct puan_err err = { 0 };
    size_t n;

    (void)state;
    assert_int_equal(puan_ruleset_count(rs), 1);
    assert_true(puan_str_is(puan_ruleset_name(rs), "a.b"));
    assert_int_equal(puan_ruleset_version(rs), 7);
    skip = puan_ruleset_skips(rs, &n);
    assert_int_equal(n, 1);
    assert_true(skip[0].off);
    assert_string_equal(skip[0].why, "switched off in t.rules:3");
    sets[0] = rs;
    assert_int_equal(puan_ruleset_all_used(sets, 1, &err), PUAN_OK);
    assert_int_equal(compile(&none, "without R9", &err), PUAN_EINVAL);
    assert_int_equal(err.line, 1);
    assert_int_equal(err.col, 9);
    rs = rules("rule R1 hard household zh \"x\" en \"x\" check H1 = 1\n");
    assert_int_equal(puan_ruleset_version(rs), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rules_are_left_out_and_sets_have_versions),
        TEST(a_finding_names_the_rule_and_the_row),
        TEST(a_rule_without_in_applies_where_the_form_can_hold_it),
        TEST(a_rule_that_applies_nowhere_is_found),
        TEST(files_share_their_names_and_errors_name_the_file),
        TEST(a_text_that_is_not_utf8_is_refused),
        TEST(a_rule_knows_the_items_it_reads),
        TEST(a_rule_says_why),
        TEST(a_derived_item_no_rule_needs_is_not_computed),
        TEST(without_the_vault_a_comparison_of_texts_is_not_evaluable),
        TEST(a_record_of_another_form_is_a_bug_not_a_crash),
        TEST(a_large_household_gives_the_same_in_both_executors),
        TEST(depth_and_size_have_limits),
        TEST(a_derived_chain_may_not_be_endless),
        TEST(a_condition_must_be_a_truth_value),
        TEST(a_row_of_a_reference_table_is_found_by_the_rules_own_items),
        TEST(a_reference_table_with_a_key_twice_is_refused),
        TEST(texts_declare_levels_and_tables),
        TEST(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
