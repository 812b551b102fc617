/*
 * Finding one's way over HTTP: which census this is, areas by parent and by
 * name, inside the seat's own area only, in pages.
 */
#include <stdlib.h>

#include "core/plan/plan.h"
#include "features/host/test_fixture.h"

#define BASE "/api/v1/c/zz-test"

static struct puan_fix *fix;
static struct puan_http_reply reply;

static int open_all(void **state)
{
    (void)state;
    setenv("PUAN_LOG", "off", 1);
    fix = puan_fix_canton(NULL);
    puan_fix_serve(fix, 2, 1);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    puan_fix_end(fix);
    return 0;
}

static const char *seat(enum puan_credential credential, int64_t area)
{
    struct puan_who who = { .credential = credential, .account = 1,
                            .area = area, .role = 0 };
    char token[PUAN_TOKEN_TEXT];

    ok(puan_session_open(token, puan_host_sessions(fix->host), &who,
                         puan_real_now(), 600000, puan_real_now() + 600000,
                         err));
    return puan_arena_dup(&fix->a, puan_str_of(token));
}

static unsigned get(const char *path, const char *token)
{
    struct puan_http_call c = { .method = "GET", .path = path,
                                .token = token };

    ok(puan_http_call(&reply, fix->client, &c, err));
    return reply.status;
}

/* Codes of the items, with a space behind each; "…" behind an open page. */
static const char *codes(void)
{
    struct puan_node *n = NULL;
    const struct puan_node *items;
    struct puan_out o;

    ok(puan_json_tree(&n, reply.body, "reply", &fix->a, err));
    items = puan_node_get(n, "items");
    assert_non_null(items);
    puan_out_init(&o, &fix->a);
    PUAN_NODE_EACH(x, items) {
        puan_out_str(&o, puan_node_str_opt(x, "code", "?"));
        puan_out_char(&o, ' ');
    }
    if (*puan_arena_dup(&fix->a, puan_node_str_opt(n, "next", "")))
        puan_out_text(&o, "…");
    return o.p ? o.p : "";
}

static void the_campaign_is_public(void **state)
{
    struct puan_node *n = NULL;

    (void)state;
    assert_int_equal(get("/api/v1/campaign", NULL), 200);
    ok(puan_json_tree(&n, reply.body, "reply", &fix->a, err));
    assert_true(puan_str_is(puan_node_str_opt(n, "campaign", ""), "zz-test"));
    assert_true(puan_str_starts(puan_node_str_opt(n, "now", ""),
                                "2021-04-02T12:00:0"));
    assert_int_equal(puan_node_str_opt(n, "plan_digest", "").n, 64);
    assert_int_equal(puan_node_get(n, "levels")->n,
                     puan_store_plan(fix->st)->n_levels);
    assert_true(puan_node_get(n, "windows")->n > 0);
}

static void areas_by_parent(void **state)
{
    const char *top = seat(PUAN_CRED_HUMAN, 11);
    const char *parish = seat(PUAN_CRED_HUMAN, 11001);

    (void)state;
    assert_int_equal(get(BASE "/areas", top), 200);
    assert_string_equal(codes(), "11001 11002 11003 ");
    assert_int_equal(get(BASE "/areas?parent=11001", top), 200);
    assert_string_equal(codes(), "11001001 ");
    assert_int_equal(get(BASE "/areas?depth=2", top), 200);
    assert_string_equal(
        codes(), "11001 11001001 11002 11002001 11003 11003001 ");
    /* in pages, as deep as before */
    assert_int_equal(get(BASE "/areas?depth=2&limit=2", top), 200);
    assert_string_equal(codes(), "11001 11001001 …");
    assert_int_equal(get(BASE "/areas?depth=2&limit=3&cursor=11001001", top),
                     200);
    assert_string_equal(codes(), "11002 11002001 11003 …");
    assert_int_equal(get(BASE "/areas?limit=9&cursor=11001", top), 200);
    assert_string_equal(codes(), "11002 11003 ");
    assert_int_equal(get(BASE "/areas?cursor=12345", top), 400);
    /* a foreign area and none at all look the same */
    assert_int_equal(get(BASE "/areas", parish), 200);
    assert_string_equal(codes(), "11001001 ");
    assert_int_equal(get(BASE "/areas?parent=11002", parish), 404);
    assert_int_equal(get(BASE "/areas?parent=11", parish), 404);
    assert_int_equal(get(BASE "/areas?parent=99999", parish), 404);
    assert_int_equal(get(BASE "/areas?cursor=11002", parish), 400);
    assert_int_equal(get(BASE "/areas", NULL), 401);
    assert_int_equal(get(BASE "/areas", seat(PUAN_CRED_HOUSEHOLD, 11001001)),
                     404);
}

static void areas_by_name(void **state)
{
    const char *top = seat(PUAN_CRED_HUMAN, 11);
    const char *parish = seat(PUAN_CRED_HUMAN, 11001);

    (void)state;
    /* by code, with or without spaces; outer levels first */
    assert_int_equal(get(BASE "/areas/search?q=11001", top), 200);
    assert_string_equal(codes(), "11001 11001001 ");
    assert_int_equal(get(BASE "/areas/search?q=11%20002%20001", top), 200);
    assert_string_equal(codes(), "11002001 ");
    assert_int_equal(get(BASE "/areas/search?q=110&limit=2", top), 200);
    assert_string_equal(codes(), "11001 11002 …");
    assert_int_equal(get(BASE "/areas/search?q=110&limit=3&cursor=11002", top),
                     200);
    assert_string_equal(codes(), "11003 11001001 11002001 …");
    assert_int_equal(get(BASE "/areas/search?q=%20", top), 400);
    assert_int_equal(get(BASE "/areas/search?q=nowhere", top), 200);
    assert_string_equal(codes(), "");
    /* nothing of a neighbour, whatever is looked for */
    assert_int_equal(get(BASE "/areas/search?q=11", parish), 200);
    assert_string_equal(codes(), "11001 11001001 ");
    assert_int_equal(get(BASE "/areas/search?q=11002", parish), 200);
    assert_string_equal(codes(), "");
    assert_int_equal(get(BASE "/areas/search?q=11&cursor=11002", parish), 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_campaign_is_public),
        cmocka_unit_test(areas_by_parent),
        cmocka_unit_test(areas_by_name),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
