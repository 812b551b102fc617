/*
 * Figures of areas: what a sheet counts, against small cases worked by hand,
 * at two levels; what cannot be told is not asked; faults of a sheet's file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/test_heap.h"
#include "core/figures/figures.h"

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

static const char form_text[] =
    "{\"form\":\"f\",\"version\":1,\"zh\":\"表\",\"en\":\"form\",\"codes\":{"
    "\"sex\":{\"1\":{\"zh\":\"男\",\"en\":\"m\"},\"2\":{\"zh\":\"女\",\"en\":"
    "\"f\"}}},\"entities\":{\"household\":{\"zh\":\"户\",\"en\":\"h\","
    "\"items\":{\"A\":{\"type\":\"int\",\"min\":0,\"max\":999,\"zh\":\"a\","
    "\"en\":\"a\"},\"T\":{\"type\":\"text\",\"zh\":\"t\",\"en\":\"t\"}}},"
    "\"person\":{\"zh\":\"人\",\"en\":\"p\",\"rows\":9,\"items\":{\"S\":{"
    "\"type\":\"code\",\"codes\":\"sex\",\"zh\":\"s\",\"en\":\"s\"}}}}}";

static const struct puan_str levels[] = { { "top", 3 },
                                          { "county", 6 },
                                          { "ea", 2 } };
static const unsigned digits[] = { 0, 2, 4 };

static struct puan_form *form(void)
{
    struct puan_node *tree;
    struct puan_form *f = NULL;
    struct puan_err err = { 0 };

    if (puan_json_tree(&tree, puan_str_of(form_text), "f", &arena, &err) !=
            PUAN_OK ||
        puan_form_load(&f, tree, NULL, NULL, &arena, &err) != PUAN_OK)
        fail_msg("%u:%u: %s", err.line, err.col, err.text);
    return f;
}

static enum puan_status load(struct puan_sheet **s, const struct puan_form **f,
                             const char *text, struct puan_err *err)
{
    static const struct puan_form *list[1];
    const struct puan_sheet_in in = { .form = list,
                                      .n_forms = 1,
                                      .level = levels,
                                      .digits = digits,
                                      .n_levels = 3 };
    struct puan_node *tree;

    list[0] = *f = form();
    if (puan_json_tree(&tree, puan_str_of(text), "s.yaml", &arena, err) !=
        PUAN_OK)
        fail_msg("%u:%u: %s", err->line, err->col, err->text);
    return puan_sheet_load(s, tree, &in, &arena, err);
}

#define Z "\"zh\":\"z\",\"en\":\"e\","
#define SHEET(figures)                                                         \
    "{\"sheet\":\"sheet\"," Z "\"levels\":[\"county\",\"ea\"],"                \
    "\"bases\":{\"men\":\"S = 1\"},\"figures\":{" figures "}}"

static const char good[] =
    SHEET("\"men\":{" Z "\"count\":[\"f.person\"],\"base\":\"men\"},"
          "\"space\":{" Z "\"sum\":[\"f.household\"],\"value\":\"A\"},"
          "\"mid\":{" Z "\"median\":[\"f.household\"],\"value\":\"A\","
          "\"where\":\"A < 100\"},"
          "\"same\":{" Z "\"most\":[\"f.household\"],\"value\":\"A\"},"
          "\"text\":{" Z "\"most\":[\"f.household\"],\"text\":\"T\"},"
          "\"police\":{" Z "\"given\":true},"
          "\"above\":{" Z "\"above\":\"county\",\"figure\":\"mid\"},"
          "\"top\":{" Z "\"largest\":[\"f.household\"],\"value\":\"A\"},"
          "\"debt\":{" Z "\"largest\":[\"f.household\"],\"value\":\"0 - A\","
          "\"where\":\"A < 100\"}");

static void add(struct puan_figures *f, const struct puan_form *form,
                int64_t ea, const char *answers)
{
    struct puan_return_head head;
    struct puan_record r;
    struct puan_err err = { 0 };

    if (puan_record_read(&r, &head, &form, 1, puan_str_of(answers), &arena,
                         &err) != PUAN_OK)
        fail_msg("%s: %s", answers, err.text);
    puan_figures_add(f, ea, &r, 0, NULL);
}

static void expect(const struct puan_figures *f, const struct puan_sheet *s,
                   int level, size_t i, const char *name, int64_t want)
{
    enum puan_state state;
    int figure = puan_sheet_figure(s, puan_str_of(name));
    int64_t v;

    assert_true(figure >= 0);
    v = puan_figures_value(&state, f, level, i, (size_t)figure);
    if (want < 0)
        assert_int_equal(state, PUAN_NOT_ASKED);
    else if (state != PUAN_GIVEN || v != want)
        fail_msg("%s: %lld, expected %lld", name, (long long)v,
                 (long long)want);
}

static int64_t value(const struct puan_figures *f, const struct puan_sheet *s,
                     int level, size_t i, const char *name)
{
    enum puan_state state;
    int64_t v = puan_figures_value(
        &state, f, level, i,
        (size_t)puan_sheet_figure(s, puan_str_of(name)));

    assert_int_equal(state, PUAN_GIVEN);
    return v;
}

static void what_a_sheet_counts(void **state)
{
    const struct puan_form *f;
    struct puan_sheet *s;
    struct puan_figures *x;
    struct puan_record r;
    struct puan_err err = { 0 };

    (void)state;
    if (load(&s, &f, good, &err) != PUAN_OK)
        fail_msg("%u:%u: %s", err.line, err.col, err.text);
    assert_int_equal(puan_figures_new(&x, s, digits, 3, &arena, &err),
                     PUAN_OK);
    add(x, f, 1202, "{\"form\":\"f\",\"household\":\"120100000000000001\",\"answers\":{\"A\":50,\"T\":\"x\"},\"person\":[{\"S\":1},{\"S\":2}]}");
    add(x, f, 1201, "{\"form\":\"f\",\"household\":\"120100000000000001\",\"answers\":{\"A\":10,\"T\":\" y\"},\"person\":[{\"S\":1}]}");
    add(x, f, 1201, "{\"form\":\"f\",\"household\":\"120100000000000001\",\"answers\":{\"A\":20,\"T\":\"y\"},\"person\":[{\"S\":1},{\"S\":1}]}");
    add(x, f, 1201, "{\"form\":\"f\",\"household\":\"120100000000000001\",\"answers\":{\"A\":20,\"T\":\"z\"}}");
    add(x, f, 1201, "{\"form\":\"f\",\"household\":\"120100000000000001\",\"answers\":{\"A\":400}}");
    add(x, f, 3401, "{\"form\":\"f\",\"household\":\"120100000000000001\",\"answers\":{},\"person\":[{\"S\":null}]}");
    assert_true(puan_figures_give(x, 2, 1201, 5, 7, true));
    assert_true(puan_figures_give(x, 2, 1202, 5, 8, true));
    assert_true(puan_figures_give(x, 2, 1202, 5, 1, true));
    assert_false(puan_figures_give(x, 0, 1, 5, 8, false)); /* above us */
    assert_false(puan_figures_give(x, 2, 1202, 0, 1, true)); /* counted */
    assert_int_equal(puan_figures_close(x, &err), PUAN_OK);
    assert_int_equal(puan_figures_areas(x, 2), 3);
    assert_int_equal(puan_figures_areas(x, 1), 2);
    assert_int_equal(puan_figures_areas(x, 0), 0);
    assert_int_equal(puan_figures_area(x, 2, 0), 1201);
    assert_int_equal(puan_figures_area(x, 2, 2), 3401);
    assert_int_equal(puan_figures_area(x, 1, 0), 12);
    expect(x, s, 2, 0, "men", 3);
    expect(x, s, 2, 0, "space", 450);
    expect(x, s, 2, 0, "mid", 20); /* 10 20 20 */
    expect(x, s, 2, 0, "same", 2);
    expect(x, s, 2, 0, "text", 2);
    expect(x, s, 2, 0, "police", 7);
    expect(x, s, 2, 0, "top", 400);
    expect(x, s, 2, 1, "top", 50);
    expect(x, s, 1, 0, "top", 400);
    assert_int_equal(value(x, s, 2, 0, "debt"), -10);
    assert_int_equal(value(x, s, 1, 0, "debt"), -10);
    assert_int_equal(value(x, s, 2, 1, "debt"), -50);
    expect(x, s, 2, 0, "above", 20); /* of 10 20 20 50 the lower middle */
    expect(x, s, 2, 1, "men", 1);
    expect(x, s, 2, 1, "mid", 50);
    expect(x, s, 2, 1, "above", 20);
    expect(x, s, 1, 0, "men", 4);
    expect(x, s, 1, 0, "space", 500);
    expect(x, s, 1, 0, "mid", 20);
    expect(x, s, 1, 0, "police", 16);
    /* nothing to take a median of, nothing given */
    expect(x, s, 2, 2, "men", 0);
    expect(x, s, 2, 2, "space", 0);
    expect(x, s, 2, 2, "mid", -1);
    expect(x, s, 2, 2, "police", -1);
    expect(x, s, 2, 2, "top", -1);
    expect(x, s, 2, 2, "above", -1);
    assert_int_equal(puan_figures_record(&r, x, 2, 0, &arena, &err), PUAN_OK);
    assert_int_equal(r.rows[0].v[PUAN_SHEET_AREA], 1201);
    assert_int_equal(r.rows[0].v[PUAN_SHEET_LEVEL], 2);
    assert_int_equal(r.rows[0].v[PUAN_SHEET_FIRST + 1], 450);
}

static void a_form_nobody_sent_is_not_asked(void **state)
{
    const struct puan_form *f;
    struct puan_sheet *s;
    struct puan_figures *x;
    struct puan_err err = { 0 };

    (void)state;
    assert_int_equal(load(&s, &f, good, &err), PUAN_OK);
    assert_int_equal(puan_figures_new(&x, s, digits, 3, &arena, &err),
                     PUAN_OK);
    assert_true(puan_figures_give(x, 2, 1201, 5, 7, true));
    assert_int_equal(puan_figures_close(x, &err), PUAN_OK);
    expect(x, s, 2, 0, "men", -1);
    expect(x, s, 2, 0, "police", 7);
}

static void faults_of_a_sheet(void **state)
{
    static const struct {
        const char *text, *say;
    } bad[] = {
        { SHEET("\"a\":{" Z "\"count\":[\"g.person\"]}"), "no form 'g'" },
        { SHEET("\"a\":{" Z "\"count\":[\"f.people\"]}"),
          "no entity 'people'" },
        { SHEET("\"a\":{" Z "\"count\":[\"f.person\"],\"where\":\"X = 1\"}"),
          "unknown name 'X'" },
        { SHEET("\"a\":{" Z "\"count\":[\"f.person\"],\"value\":\"S\"}"),
          "no 'value'" },
        { SHEET("\"a\":{" Z "\"sum\":[\"f.household\"]}"),
          "needs a 'value'" },
        { SHEET("\"a\":{" Z "\"given\":true,\"count\":[\"f.person\"]}"),
          "one of count" },
        { SHEET("\"a\":{" Z "\"base\":\"b\",\"count\":[\"f.person\"]}"),
          "'bases' have no 'b'" },
        { SHEET("\"a\":{" Z "\"above\":\"county\",\"figure\":\"b\"}"),
          "'b' is no figure" },
        { SHEET("\"a\":{" Z "\"above\":\"top\",\"figure\":\"b\"}"),
          "above any installation" },
        { SHEET("\"a\":{" Z "\"cuont\":[\"f.person\"]}"), "unknown key" },
        { SHEET("\"level\":{" Z "\"given\":true}"), "item of every sheet" },
        { "{\"sheet\":\"s\"," Z "\"levels\":[\"village\"],\"figures\":{}}",
          "'village' is no level" },
    };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(bad); i++) {
        const struct puan_form *f;
        struct puan_sheet *s;
        struct puan_err err = { 0 };

        assert_int_equal(load(&s, &f, bad[i].text, &err), PUAN_EINVAL);
        if (!strstr(err.text, bad[i].say))
            fail_msg("%zu: %s", i, err.text);
        assert_string_equal(err.where, "s.yaml");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_sheet_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(a_form_nobody_sent_is_not_asked, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(faults_of_a_sheet, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
