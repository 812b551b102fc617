/*
 * Parts of a form as clients send them.
 */
#include "kit/multipart/multipart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/test_heap.h"

static struct puan_arena arena;
static const struct puan_part *part;
static size_t n;
static struct puan_err err;

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

static enum puan_status parse(const char *type, const char *body)
{
    err = (struct puan_err){ 0 };
    return puan_multipart_parse(&part, &n, puan_str_of(type),
                                puan_str_of(body), &arena, &err);
}

static void two_parts_as_sent(void **state)
{
    (void)state;
    assert_int_equal(
        parse("multipart/form-data; charset=x; boundary=\"a b\"",
              "preamble\r\n--a b\r\nContent-Disposition: form-data; "
              "name=\"xml_submission_file\"; filename=\"s.xml\"\r\n"
              "Content-Type: text/xml\r\n\r\n<a>\r\n</a>\r\n--a b  \r\n"
              "content-disposition: form-data; name=\"*isIncomplete*\"\r\n"
              "\r\nyes\r\n--a b--\r\nepilogue"),
        PUAN_OK);
    assert_int_equal(n, 2);
    assert_true(puan_str_is(part[0].name, "xml_submission_file"));
    assert_true(puan_str_is(part[0].file, "s.xml"));
    assert_true(puan_str_is(part[0].type, "text/xml"));
    assert_true(puan_str_is(part[0].body, "<a>\r\n</a>"));
    assert_true(puan_str_is(part[1].name, "*isIncomplete*"));
    assert_int_equal(part[1].file.n, 0);
    assert_true(puan_str_is(part[1].body, "yes"));
}

static void an_empty_part(void **state)
{
    (void)state;
    assert_int_equal(parse("multipart/form-data;boundary=b",
                           "--b\r\nContent-Disposition: form-data; name=x\r\n"
                           "\r\n--b\r\nContent-Disposition: form-data; "
                           "name=y\r\n\r\n\r\n--b--"),
                     PUAN_OK);
    assert_int_equal(n, 2);
    assert_int_equal(part[0].body.n, 0);
    assert_int_equal(part[1].body.n, 0);
    assert_int_equal(parse("multipart/form-data; boundary=b", "--b--"),
                     PUAN_OK);
    assert_int_equal(n, 0);
}

static void what_is_malformed(void **state)
{
    static const struct {
        const char *type, *body;
    } bad[] = {
        { "text/xml", "--b--" },
        { "multipart/form-data", "--b--" },
        { "multipart/form-data; boundary=", "--b--" },
        { "multipart/form-data; boundary=\"b", "--b--" },
        { "multipart/form-data; boundary=b", "" },
        { "multipart/form-data; boundary=b", "--c--" },
        { "multipart/form-data; boundary=b", "--b" },
        { "multipart/form-data; boundary=b", "--b\r\n\r\nx\r\n--b--" },
        { "multipart/form-data; boundary=b",
          "--b\r\nContent-Disposition: form-data; name=x\r\n\r\nyes" },
        { "multipart/form-data; boundary=b",
          "--b\r\nContent-Disposition: form-data; name=x" },
    };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(bad); i++) {
        assert_int_equal(parse(bad[i].type, bad[i].body), PUAN_EINVAL);
        assert_true(*err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_parts_as_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_part, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_malformed, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
