/*
 * Documents are read whole or refused with their place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/test_heap.h"
#include "core/paper/paper.h"

static enum puan_status reads(struct puan_paper **p, struct puan_arena *a,
                              const char *json, struct puan_err *err)
{
    *err = (struct puan_err){ 0 };
    return puan_paper_read(p, puan_str_of(json), a, err);
}

static void the_sheet_is_the_standards_unless_told(void **state)
{
    struct puan_arena a;
    struct puan_paper *p;
    struct puan_err err;

    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    assert_int_equal(reads(&p, &a, "{\"title\":\"t\"}", &err), PUAN_OK);
    assert_int_equal(p->page.text_width, 15600);
    assert_int_equal(p->page.text_height, 22500);
    assert_int_equal(p->page.lines, 22);
    assert_int_equal(p->page.chars, 28);
    assert_false(p->en);
    assert_int_equal(reads(&p, &a,
                           "{\"title\":\"t\",\"lang\":\"en\",\"page\":{\"top\":"
                           "35.5,\"lines\":24,\"fonts\":{\"body\":[\"X\"]}}}",
                           &err),
                     PUAN_OK);
    assert_int_equal(p->page.top, 3550);
    assert_int_equal(p->page.lines, 24);
    assert_int_equal(p->page.fonts[PUAN_PAPER_BODY].n, 1);
    assert_true(p->page.fonts[PUAN_PAPER_TITLE].n > 1);
    assert_true(p->en);
    puan_arena_clear(&a);
}

static void blocks_are_read_in_order(void **state)
{
    struct puan_arena a;
    struct puan_paper *p;
    struct puan_err err;

    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    assert_int_equal(
        reads(&p, &a,
              "{\"title\":\"t\",\"to\":[\"a\",\"b\"],\"body\":["
              "{\"heading\":\"h\",\"level\":2},{\"label\":\"l\",\"text\":\"x\"},"
              "{\"table\":{\"columns\":[{\"head\":\"n\"},{\"width\":3,"
              "\"align\":\"right\"}],\"rows\":[[\"1\",null],{\"group\":\"g\"},"
              "{\"cells\":[\"3\",\"4\"]}]}},{\"signs\":[\"s\"]}]}",
              &err),
        PUAN_OK);
    assert_int_equal(p->n_to, 2);
    assert_int_equal(p->n_blocks, 4);
    assert_int_equal(p->block[0].level, 2);
    assert_true(puan_str_is(p->block[1].label, "l"));
    assert_int_equal(p->block[2].table.n_rows, 3);
    assert_true(p->block[2].table.headed);
    assert_int_equal(p->block[2].table.column[1].align, PUAN_PAPER_RIGHT);
    assert_int_equal(p->block[2].table.row[0].cell[1].n, 0);
    assert_true(p->block[2].table.row[1].group);
    assert_true(p->block[2].table.row[2].strong);
    assert_int_equal(p->block[3].n_signs, 1);
    puan_arena_clear(&a);
}

static void what_is_no_paper_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *json;
        unsigned col;
        const char *say;
    } bad[] = {
        { "{\"title\":\"\"}", 1, "needs a \"title\"" },
        { "{\"title\":\"t\",\"titel\":\"u\"}", 22, "titel" },
        { "{\"title\":\"t\",\"body\":[{}]}", 22, "one of text" },
        { "{\"title\":\"t\",\"body\":[{\"heading\":\"h\",\"level\":5}]}", 45,
          "between 1 and 4" },
        { "{\"title\":\"t\",\"body\":[{\"table\":{\"columns\":[{}],\"rows\":[["
          "]]}}]}",
          55, "1 cells" },
        { "{\"title\":\"t\",\"page\":{\"left\":100}}", 21, "does not lie" },
        { "{\"title\":\"t\",\"page\":{\"top\":3.555}}", 28, "a number" },
        { "{\"title\":\"t\",\"lang\":\"fr\"}", 21, "zh or en" },
    };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(bad); i++) {
        struct puan_arena a;
        struct puan_paper *p;
        struct puan_err err;

        puan_arena_init(&a, &puan_test_heap);
        assert_int_equal(reads(&p, &a, bad[i].json, &err), PUAN_EINVAL);
        assert_int_equal(err.line, 1);
        assert_int_equal(err.col, bad[i].col);
        if (strstr(err.text, bad[i].say) == NULL)
            fail_msg("%zu: %s", i, err.text);
        puan_arena_clear(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sheet_is_the_standards_unless_told),
        cmocka_unit_test(blocks_are_read_in_order),
        cmocka_unit_test(what_is_no_paper_is_refused_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
