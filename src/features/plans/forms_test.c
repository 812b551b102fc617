/*
 * What a browser is given of a form: whole, only the lists it uses, the same
 * text as long as the plan is the same.
 */
#include "features/host/test_fixture.h"
#include "features/plans/plans.h"

static struct puan_fix *fix;
static struct puan_http_reply reply;

static int open_cn(void **state)
{
    (void)state;
    fix = puan_fix_begin(NULL);
    puan_fix_create(fix, "demo", "plans/cn-population-2020", "sm");
    puan_fix_open(fix);
    puan_fix_serve(fix, 2, 1);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    puan_fix_end(fix);
    return 0;
}

static unsigned get(const char *form, const char *etag)
{
    struct puan_http_call c = {
        .method = "GET",
        .path = puan_arena_fmt(
            &fix->a, "/api/v1/c/cn-population-2020/public/plan/forms/%s", form),
        .headers = etag ? puan_arena_fmt(&fix->a, "If-None-Match: %s\r\n", etag)
                        : NULL
    };

    ok(puan_http_call(&reply, fix->client, &c, err));
    return reply.status;
}

static void a_form_is_given_whole_without_a_session(void **state)
{
    struct puan_node *n;
    const struct puan_node *rules;
    size_t persons = 0;

    (void)state;
    assert_int_equal(get("short", NULL), 200);
    ok(puan_json_tree(&n, reply.body, "reply", &fix->a, err));
    assert_true(puan_str_is(
        puan_node_str_opt(puan_node_get(n, "form"), "form", ""), "short"));
    assert_true(puan_str_is(puan_node_str_opt(n, "reference_month", ""),
                            "2020-11"));
    assert_int_equal(puan_node_str_opt(n, "digest", "").n, 64);
    /* lists of items and of reasons, but not those of other forms */
    assert_non_null(puan_node_get(puan_node_get(n, "codes"), "relation"));
    assert_non_null(puan_node_get(puan_node_get(n, "codes"), "missing_id"));
    assert_null(puan_node_get(puan_node_get(n, "codes"), "industry"));
    assert_non_null(puan_node_get(puan_node_get(n, "settings"), "ref_month"));
    rules = puan_node_get(n, "rules");
    PUAN_NODE_EACH(c, rules)
    {
        /* as the pack names it, not where it lies on this machine */
        if (puan_str_is(puan_node_str_opt(c, "file", ""), "rules/person.rules"))
            persons += puan_node_str_opt(c, "text", "").n > 1000;
    }
    assert_int_equal(persons, 1);
}

static void the_same_plan_need_not_be_sent_again(void **state)
{
    const char *tag;

    (void)state;
    assert_int_equal(get("short", NULL), 200);
    tag = puan_arena_dup(&fix->a, puan_http_reply_header(&reply, "ETag"));
    assert_int_equal(get("short", tag), 304);
    assert_int_equal(reply.body.n, 0);
    assert_int_equal(get("short", "\"0\""), 200);
}

static void a_form_nobody_knows_is_not_there(void **state)
{
    (void)state;
    assert_int_equal(get("nothing", NULL), 404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_is_given_whole_without_a_session),
        cmocka_unit_test(the_same_plan_need_not_be_sent_again),
        cmocka_unit_test(a_form_nobody_knows_is_not_there),
    };

    return cmocka_run_group_tests(tests, open_cn, close_all);
}
