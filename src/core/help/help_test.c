/*
 * Topics of the knowledge base: what is read, what is refused and in which
 * words, one name once over all packs of a plan.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/test_heap.h"
#include "core/help/help.h"

static struct puan_arena a;
static struct puan_err err;

static int open_arena(void **state)
{
    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    err = (struct puan_err){ 0 };
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    puan_arena_clear(&a);
    return 0;
}

static const struct puan_node *tree(const char *text, const char *file)
{
    char *json = puan_arena_get(&a, strlen(text) + 1);
    struct puan_node *n = NULL;

    memcpy(json, text, strlen(text) + 1);
    for (char *c = json; *c; c++)
        if (*c == '\'')
            *c = '"';
    if (puan_json_tree(&n, puan_str_of(json), file, &a, &err) != PUAN_OK)
        fail_msg("%s", err.text);
    return n;
}

#define HEAD "{'help':'self','order':10,'zh':'填报','en':'Online','for':'public',"
#define ONE                                                                    \
    "{'id':'code-lost','zh':'登录码丢了','en':'Code lost','words':['密码'],"     \
    "'kind':'online','page':'/verify','text_zh':'补发','text_en':'Ask for it'}"

static void a_topic_is_read(void **state)
{
    struct puan_help_topic t;

    (void)state;
    assert_int_equal(
        puan_help_topic_load(&t, tree(HEAD "'articles':[" ONE "]}", "x"), &a,
                             &err),
        PUAN_OK);
    assert_true(puan_str_is(t.id, "self"));
    assert_int_equal(t.audience, PUAN_HELP_PUBLIC);
    assert_int_equal(t.n, 1);
    assert_true(puan_str_is(t.article[0].kind, "online"));
    assert_true(puan_str_is(t.article[0].page, "/verify"));
    assert_int_equal(t.article[0].n_words, 1);
    assert_true(puan_str_is(t.article[0].text_zh, "补发"));
}

static void what_is_wrong_is_said(void **state)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        { "[]", "is a map {help" },
        { HEAD "'articles':[]}", "add one" },
        { HEAD "'articles':[" ONE "," ONE "]}", "stands twice" },
        { HEAD "'articles':[3]}", "an article is a map" },
        { HEAD "'article':[" ONE "]}", "articles" },
        { "{'help':'Self','order':1,'zh':'填','en':'x','for':'public'}",
          "small letters" },
        { "{'help':'s','order':1,'zh':' ','en':'x','for':'public'}",
          "is empty" },
        { "{'help':'s','order':1000,'zh':'填','en':'x','for':'public'}", "999" },
        { "{'help':'s','order':1,'zh':'填','en':'x','for':'all'}",
          "public, field or desk" },
        { HEAD "'articles':[{'id':'b','zh':'填','en':'x','text_zh':'填'}]}",
          "text_en" },
        { HEAD "'articles':[{'id':'b','zh':'填','en':'x','text_zh':'填',"
               "'text_en':'x','page':'verify'}]}",
          "like /verify" },
        { HEAD "'articles':[{'id':'b','zh':'填','en':'x','text_zh':'填',"
               "'text_en':'x','words':'y'}]}",
          "list of words" },
        { HEAD "'articles':[{'id':'b','zh':"
               "'一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十"
               "一二三四五六七八九十一','en':'x','text_zh':'填','text_en':'x'}]}",
          "41 characters" },
    };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(bad); i++) {
        struct puan_help_topic t;

        err = (struct puan_err){ 0 };
        assert_int_equal(
            puan_help_topic_load(&t, tree(bad[i].text, "x"), &a, &err),
            PUAN_EINVAL);
        if (strstr(err.text, bad[i].says) == NULL)
            fail_msg("%s: %s", bad[i].text, err.text);
    }
}

static void a_plan_has_each_name_once(void **state)
{
    struct puan_plan_file file[4] = {
        { .path = PUAN_STR("help/b.yaml"),
          .tree = tree("{'help':'late','order':20,'zh':'后','en':'L','for':"
                       "'desk','articles':[{'id':'z','zh':'后','en':'L',"
                       "'text_zh':'后','text_en':'L'}]}",
                       "b") },
        { .path = PUAN_STR("help/c.yaml"),
          .tree = tree(HEAD "'articles':[" ONE "]}", "c") },
        { .path = PUAN_STR("plan.yaml"), .tree = tree("{}", "plan.yaml") },
        { .path = PUAN_STR("help/d.yaml"),
          .tree = tree("{'help':'more','order':1,'zh':'多','en':'M','for':"
                       "'desk','articles':[" ONE "]}",
                       "d") },
    };
    struct puan_plan_pack pack[2] = { { .file = file, .n_files = 2 },
                                      { .file = file + 2, .n_files = 1 } };
    struct puan_plan p = { .pack = pack, .n_packs = 2 };
    struct puan_problems problems = { .arena = &a };
    struct puan_help h;

    (void)state;
    assert_int_equal(puan_help_load(&h, &p, NULL, &a, &err), PUAN_OK);
    assert_int_equal(h.n, 2);
    assert_true(puan_str_is(h.topic[0].id, "self")); /* by order */
    assert_non_null(puan_help_find(&h, PUAN_STR("z")));
    assert_null(puan_help_find(&h, PUAN_STR("y")));
    /* the article of the other pack bears a name that is taken */
    pack[1].n_files = 2;
    assert_int_equal(puan_help_load(&h, &p, &problems, &a, &err), PUAN_EINVAL);
    assert_non_null(strstr(err.text, "article \"code-lost\" stands twice"));
    assert_int_equal(problems.n, 1);
    assert_int_equal(h.n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_topic_is_read, open_arena,
                                        close_arena),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_said, open_arena,
                                        close_arena),
        cmocka_unit_test_setup_teardown(a_plan_has_each_name_once, open_arena,
                                        close_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
