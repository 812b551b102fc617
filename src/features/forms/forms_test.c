/*
 * Import and check through the feature: a workbook in, plan files out, and
 * faults of a form found without a plan.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/test_heap.h"
#include "features/forms/forms.h"
#include "kit/os/os.h"

static struct puan_str file(const char *path, struct puan_arena *a)
{
    struct puan_str text = { "", 0 };
    struct puan_err err = { 0 };

    if (puan_file_read(&text, path, 1 << 22, a, &err) != PUAN_OK)
        fail_msg("%s: %s", path, err.text);
    return text;
}

/* The workbook of the fuzz corpus has no form in it; that is said with its
   place. */
static void another_workbook_is_refused(void **state)
{
    static const struct puan_xlsform_in how = { 0 };
    struct puan_arena a;
    struct puan_xlsform x;
    struct puan_err err = { 0 };

    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    assert_int_equal(puan_forms_import(&x,
                                       file("fuzz/corpus/xlsx/book.xlsx", &a),
                                       "dir/book.xlsx", &how, &a, &err),
                     PUAN_EINVAL);
    assert_string_equal(err.where, "dir/book.xlsx:survey");
    assert_non_null(strstr(err.text, "no XLSForm"));
    puan_arena_clear(&a);
}

static void a_small_workbook_is_imported(void **state)
{
    static const struct puan_xlsform_in how = { 0 };
    struct puan_arena a;
    struct puan_problems problems = { .arena = &a };
    const struct puan_form *f;
    struct puan_xlsform x;
    struct puan_err err = { 0 };

    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    assert_int_equal(puan_forms_import(&x,
                                       file("fuzz/corpus/xlsx/form.xlsx", &a),
                                       "dir/small form.xlsx", &how, &a, &err),
                     PUAN_OK);
    assert_true(puan_str_is(x.id, "small_form"));
    assert_int_equal(x.questions.done, 2);
    assert_int_equal(puan_forms_check(&f, x.yaml, "form", x.rules, "rules",
                                      &problems, &a, &err),
                     PUAN_OK);
    assert_int_equal(f->entity[0].n_asked, 2);
    puan_arena_clear(&a);
}

struct fault {
    const char *form, *rules, *text;
};

#define HEAD "form: f\nzh: f\nen: f\nentities:\n  household:\n    zh: h\n    en: h\n    items:\n"
#define CODE "      a: {type: code, codes: {1: {zh: x, en: x}, 2: {zh: y, en: y}}, zh: a, en: a}\n"

static const struct fault faults[] = {
    { "form: [", "", "not well-formed YAML" },
    { HEAD "      a: {type: whole, zh: a, en: a}\n", "", "unknown type" },
    { HEAD CODE "      b: {type: int, zh: b, en: b, asked_if: \"c = 1\"}\n", "",
      "'c'" },
    { HEAD CODE, "rule r hard household\n zh \"x\" en \"x\" check b = 1\n",
      "'b'" },
    { HEAD CODE,
      "rule r hard household\n zh \"x\" en \"x\" check a = 1\n"
      "rule s hard household\n zh \"x\" en \"x\" check a = 2\n",
      "contradict" },
};

static void faults_are_found_without_a_plan(void **state)
{
    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(faults); i++) {
        struct puan_arena a;
        struct puan_problems problems = { .arena = &a };
        const struct puan_form *f;
        struct puan_err err = { 0 };

        puan_arena_init(&a, &puan_test_heap);
        assert_int_not_equal(puan_forms_check(&f, puan_str_of(faults[i].form),
                                              "f.yaml",
                                              puan_str_of(faults[i].rules),
                                              "f.rules", &problems, &a, &err),
                             PUAN_OK);
        assert_int_equal(problems.n, 1);
        if (!strstr(problems.first->text, faults[i].text))
            fail_msg("%s", problems.first->text);
        assert_true(problems.first->line > 0);
        assert_string_equal(err.text, problems.first->text);
        puan_arena_clear(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_workbook_is_refused),
        cmocka_unit_test(a_small_workbook_is_imported),
        cmocka_unit_test(faults_are_found_without_a_plan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
