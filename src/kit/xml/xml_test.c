/*
 * XML from outside: what is read, and what is refused.
 */
#include "kit/xml/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/test_heap.h"

static struct puan_arena arena;
static struct puan_xml_doc doc;
static struct puan_err err;

static int setup(void **state)
{
    (void)state;
    puan_arena_init(&arena, &puan_test_heap);
    err = (struct puan_err){ 0 };
    return 0;
}
static int teardown(void **state)
{
    (void)state;
    puan_arena_clear(&arena);
    return 0;
}

static enum puan_status parse(const char *text)
{
    err = (struct puan_err){ 0 };
    return puan_xml_parse(&doc, puan_str_of(text), &arena, &err);
}

static void elements_and_their_texts(void **state)
{
    const struct puan_xml *p;

    (void)state;
    assert_int_equal(
        parse("<?xml version='1.0'?>\n<data id=\"a\" x:version='7' "
              "xmlns:x='u'><!-- c --><h> 1 &amp; 2 </h><p><n>李<![CDATA[<b>]]>"
              "</n></p><p/><x:meta><x:instanceID>uuid:1</x:instanceID>"
              "</x:meta></data>"),
        PUAN_OK);
    assert_true(puan_str_is(doc.root->name, "data"));
    assert_true(puan_str_is(puan_xml_attribute(&doc, "id"), "a"));
    assert_true(puan_str_is(puan_xml_attribute(&doc, "version"), "7"));
    assert_true(puan_str_is(puan_xml_value(doc.root, "h"), "1 & 2"));
    p = puan_xml_child(doc.root, "p");
    assert_true(puan_str_is(puan_xml_value(p, "n"), "李<b>"));
    assert_true(puan_str_is(p->next->name, "p"));
    assert_null(p->next->first);
    assert_true(puan_str_is(
        puan_xml_value(puan_xml_child(doc.root, "meta"), "instanceID"),
        "uuid:1"));
    assert_int_equal(puan_xml_value(doc.root, "none").n, 0);
}

static void what_is_refused(void **state)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        { "", "" },
        { "<a>", "" },
        { "<a></b>", "mismatch" },
        { "<a>&x;</a>", "" },
        { "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "document type" },
        { "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "document type" },
        { "<a>\xff</a>", "UTF-8" },
        { "<a/><b/>", "" },
        { "plain", "" },
    };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(bad); i++) {
        assert_int_equal(parse(bad[i].text), PUAN_EINVAL);
        assert_true(*err.text);
        assert_non_null(strstr(err.text, bad[i].says));
    }
}

static void depth_is_bounded(void **state)
{
    char text[2 * 4 * (PUAN_XML_DEPTH + 1) + 1] = "";
    size_t n = 0;

    (void)state;
    for (int i = 0; i <= PUAN_XML_DEPTH; i++, n += 3)
        memcpy(text + n, "<a>", 4);
    for (int i = 0; i <= PUAN_XML_DEPTH; i++, n += 4)
        memcpy(text + n, "</a>", 5);
    assert_int_equal(parse(text), PUAN_EINVAL);
    assert_non_null(strstr(err.text, "deeply"));
    text[n - 4] = '\0';
    assert_int_equal(parse(text + 3), PUAN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(elements_and_their_texts, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(depth_is_bounded, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
