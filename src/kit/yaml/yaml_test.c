/*
 * YAML as plan files use it: what is read, what is refused and how it is said.
 */
#include "kit/yaml/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/test_heap.h"

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

static const struct puan_node *tree(const char *text)
{
    struct puan_node *n = NULL;
    struct puan_err err = { 0 };

    if (puan_yaml_tree(&n, puan_str_of(text), "p.yaml", &arena, &err) !=
        PUAN_OK)
        fail_msg("%s:%u:%u: %s", err.where, err.line, err.col, err.text);
    return n;
}

static void a_text_becomes_a_tree_with_places(void **state)
{
    const struct puan_node *n = tree("# head\n"
                                     "plan: x\n"
                                     "levels:\n"
                                     "  - {id: county, digits: 6}\n"
                                     "  - {id: ea, zh: 普查小区, n: ~}\n"
                                     "flag: \"true\"\n"
                                     "text: |\n"
                                     "  one\n"
                                     "  two\n");
    const struct puan_node *c;

    (void)state;
    assert_int_equal(n->kind, PUAN_NODE_MAP);
    assert_int_equal(n->n, 4);
    c = puan_node_at(puan_node_get(n, "levels"), 1);
    assert_int_equal(c->line, 5);
    assert_int_equal(c->col, 5);
    assert_int_equal(puan_node_get(c, "n")->kind, PUAN_NODE_NULL);
    c = puan_node_get(c, "zh");
    assert_true(puan_str_is(c->text, "普查小区"));
    assert_int_equal(c->col, 18);
    assert_int_equal(c->key_col, 14);
    assert_false(puan_node_get(n, "plan")->quoted);
    assert_true(puan_node_get(n, "flag")->quoted);
    assert_true(puan_str_is(puan_node_get(n, "text")->text, "one\ntwo\n"));
    assert_string_equal(n->file, "p.yaml");
}

static void refused(const char *text, uint32_t line, uint32_t col,
                    const char *what)
{
    struct puan_node *n = NULL;
    struct puan_err err = { 0 };

    assert_int_equal(
        puan_yaml_tree(&n, puan_str_of(text), "p.yaml", &arena, &err),
        PUAN_EINVAL);
    assert_string_equal(err.text, what);
    assert_string_equal(err.where, "p.yaml");
    assert_int_equal(err.line, line);
    assert_int_equal(err.col, col);
}

static void what_plans_must_not_use_is_refused(void **state)
{
    (void)state;
    refused("a: &x 1\nb: *x\n", 1, 4,
            "anchors (&name) are not allowed, write the value out");
    refused("a: *x\n", 1, 4,
            "aliases (*name) are not allowed, write the value out");
    refused("a: 1\n<<: {b: 1}\n", 2, 1,
            "merge keys (<<) are not allowed, write the keys out");
    refused("a: !!int 1\n", 1, 4,
            "tags (!name) are not allowed, quote the text instead");
    refused("%YAML 1.1\n---\na: 1\n", 1, 1,
            "directives (%YAML, %TAG) are not allowed");
    refused("a: 1\n---\nb: 1\n", 2, 1,
            "a second document, put it into its own file");
    refused("a: 1\nb: 2\na: 3\n", 3, 1,
            "key 'a' stands twice in this map, remove one");
    refused("{a: 1, a: 2}\n", 1, 8,
            "key 'a' stands twice in this map, remove one");
    refused("? [a]\n: 1\n", 1, 3, "a key must be a text");
    refused("", 1, 1, "the file is empty");
    refused("a: [1, 2\n", 2, 1,
            "not well-formed YAML: did not find expected ',' or ']'; mend "
            "the indentation, brackets or quotes here");
    refused("a:\n\t- 1\n", 2, 1,
            "a tabulator stands here, and YAML is indented with spaces; "
            "write spaces instead");
    refused("a: 1\n\xe6\x99\xae: {b: 1,\tc: 2, d: `x`}\n", 2, 20,
            "not well-formed YAML: found character that cannot start any "
            "token; mend the indentation, brackets or quotes here");
}

static void depth_and_encoding_are_bounded(void **state)
{
    char deep[200];
    struct puan_err err = { 0 };
    struct puan_node *n;

    (void)state;
    memset(deep, '[', 100);
    memset(deep + 100, ']', 99);
    deep[199] = '\0';
    refused(deep, 1, 33, "nested more than 32 deep");
    assert_int_equal(
        puan_yaml_tree(&n, PUAN_STR("a: \xff\n"), "p.yaml", &arena, &err),
        PUAN_EINVAL);
    assert_string_equal(err.text, "byte 3: invalid leading UTF-8 octet; plan "
                                  "files are UTF-8");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_text_becomes_a_tree_with_places),
        T(what_plans_must_not_use_is_refused),
        T(depth_and_encoding_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
