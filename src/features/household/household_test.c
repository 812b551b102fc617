/*
 * A household of plans/zz-test over HTTP: its facts, its draft from phone to
 * phone, the end of both.
 */
#include "core/plan/plan.h"
#include "features/host/session.h"
#include "features/host/test_fixture.h"
#include "features/household/household.h"

#define BASE "/api/v1/c/zz-test"
#define OWN INT64_C(110010010001)

static struct puan_fix *fix;
static struct puan_http_reply reply;
static const char *engine;

static int open_canton(void **state)
{
    (void)state;
    fix = puan_fix_canton(engine);
    puan_fix_serve(fix, 2, 1);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    puan_fix_end(fix);
    return 0;
}

static int close_and_open(void **state)
{
    (void)close_all(state);
    return open_canton(state);
}

/* A session of a household, or of a role at an area. */
static const char *session(const char *role, int64_t area, int64_t household)
{
    struct puan_who who = { .credential = household ? PUAN_CRED_HOUSEHOLD
                                                    : PUAN_CRED_HUMAN,
                            .account = household ? 7 : 8,
                            .area = area,
                            .household = household };

    if (household)
        puan_format(who.name, sizeof(who.name), "%lld", (long long)household);
    else
        puan_format(who.name, sizeof(who.name), "u8");
    return puan_fix_session(fix, who, role);
}

static unsigned call(const char *method, const char *path, const char *token,
                     const char *match, struct puan_str body)
{
    struct puan_http_call c = {
        .method = method,
        .path = puan_arena_fmt(&fix->a, BASE "%s", path),
        .token = token,
        .headers = match ? puan_arena_fmt(&fix->a, "If-Match: %s\r\n", match)
                         : NULL,
        .body = body
    };

    ok(puan_http_call(&reply, fix->client, &c, err));
    return reply.status;
}

static const struct puan_node *answer(void)
{
    struct puan_node *n;

    ok(puan_json_tree(&n, reply.body, "reply", &fix->a, err));
    return n;
}

static const struct puan_node *me(const char *token)
{
    assert_int_equal(call("GET", "/me", token, NULL, PUAN_STR("")), 200);
    return answer();
}

static bool says(const struct puan_node *n, const char *key, const char *value)
{
    return puan_str_is(puan_node_str_opt(n, key, "(none)"), value);
}

/* The page that asks for the password says whose it is; no more than that. */
static void before_its_password_it_sees_its_facts_alone(void **state)
{
    const char *first = puan_fix_session(
        fix,
        (struct puan_who){ .credential = PUAN_CRED_HOUSEHOLD, .account = 7,
                           .area = 11001001, .household = OWN,
                           .name = "110010010001", .must_change = true },
        "household");

    (void)state;
    assert_true(says(me(first), "household", "110010010001"));
    assert_int_equal(call("GET", "/me/draft", first, NULL, PUAN_STR("")), 403);
    assert_true(says(answer(), "code", "first-secret"));
    assert_int_equal(call("PUT", "/me/draft", first, "\"0\"",
                          PUAN_STR("{}")),
                     403);
    assert_int_equal(call("GET", "/me/return", first, NULL, PUAN_STR("")), 403);
    assert_int_equal(call("POST", "/returns", first, NULL, PUAN_STR("{}")),
                     403);
}

static void a_household_sees_its_own_facts(void **state)
{
    const char *own = session("household", 11001001, OWN);
    const struct puan_node *n = me(own);

    (void)state;
    assert_true(says(n, "household", "110010010001"));
    assert_true(says(n, "form", "household"));
    assert_true(says(puan_node_get(n, "window"), "state", "open"));
    assert_true(says(puan_node_get(n, "visits"), "id", "follow-up"));
    assert_true(says(n, "password_set", "false"));
    assert_int_equal(puan_node_get(n, "return")->kind, PUAN_NODE_NULL);
    assert_int_equal(puan_node_str_opt(n, "draft_key", "").n, 64);
    assert_int_equal(puan_node_get(n, "areas")->n, 3);
    /* an office has no household of its own */
    assert_int_equal(call("GET", "/me",
                          session("canton-registrar", 11, 0), NULL,
                          PUAN_STR("")),
                     403);
    /* another household's key is another one */
    assert_false(puan_str_eq(
        puan_node_str_opt(n, "draft_key", ""),
        puan_node_str_opt(me(session("household", 11002001, 110020010001)),
                          "draft_key", "")));
}

static void a_draft_goes_from_phone_to_phone(void **state)
{
    const char *one = session("household", 11001001, OWN),
               *two = session("household", 11001001, OWN);
    const char *secret = "{\"answers\":{\"name\":\"Ann Zed\"}}";
    struct puan_str big;
    char *p;

    (void)state;
    assert_int_equal(call("GET", "/me/draft", one, NULL, PUAN_STR("")), 404);
    assert_int_equal(call("PUT", "/me/draft", one, NULL, puan_str_of(secret)),
                     400); /* says what it read */
    assert_int_equal(call("PUT", "/me/draft", one, "\"0\"",
                          PUAN_STR("{\"broken\"")),
                     400);
    assert_int_equal(call("PUT", "/me/draft", one, "\"0\"",
                          puan_str_of(secret)),
                     200);
    assert_true(says(answer(), "rev", "1"));
    assert_int_equal(call("GET", "/me/draft", two, NULL, PUAN_STR("")), 200);
    assert_true(puan_str_is(reply.body, secret));
    assert_true(puan_str_is(puan_http_reply_header(&reply, "ETag"), "\"1\""));
    assert_true(says(puan_node_get(me(two), "draft"), "rev", "1"));
    /* the other phone goes on; the first is told, and loses nothing */
    assert_int_equal(call("PUT", "/me/draft", two, "\"1\"",
                          PUAN_STR("{\"n\":2}")),
                     200);
    assert_int_equal(call("PUT", "/me/draft", one, "\"1\"",
                          PUAN_STR("{\"n\":3}")),
                     412);
    /* bounded */
    p = puan_arena_get(&fix->a, PUAN_DRAFT_MAX + 8);
    memset(p, 'x', PUAN_DRAFT_MAX + 8);
    p[0] = p[PUAN_DRAFT_MAX + 7] = '"';
    big = (struct puan_str){ p, PUAN_DRAFT_MAX + 8 };
    assert_int_equal(call("PUT", "/me/draft", two, "\"2\"", big), 413);
    /* nobody's but the household's, and no entry of the ledger */
    assert_int_equal(call("GET", "/me/draft",
                          session("canton-registrar", 11, 0), NULL,
                          PUAN_STR("")),
                     403);
    assert_int_equal(puan_fix_int(puan_store_shard(fix->st, 1),
                                  "SELECT COUNT(*) FROM household_draft"),
                     1);
    assert_int_equal(
        puan_fix_int(puan_store_shard(fix->st, 1),
                     "SELECT COUNT(*) FROM household_draft WHERE"
                     " CAST(sealed AS TEXT) LIKE '%Ann%'"),
        0);
    /* a tab of another household, under this one's cookie */
    assert_int_equal(call("PUT", "/me/draft?household=110010010002", two,
                          "\"2\"", PUAN_STR("{\"n\":4}")),
                     401);
    assert_int_equal(call("GET", "/me/draft?household=110010010002", two, NULL,
                          PUAN_STR("")),
                     401);
    assert_int_equal(call("DELETE", "/me/draft?household=110010010002", two,
                          NULL, PUAN_STR("")),
                     401);
    assert_int_equal(call("GET", "/me/draft?household=110010010001", two, NULL,
                          PUAN_STR("")),
                     200);
    assert_true(puan_str_is(reply.body, "{\"n\":2}"));
    assert_int_equal(call("DELETE", "/me/draft", two, NULL, PUAN_STR("")), 204);
    assert_int_equal(call("GET", "/me/draft", one, NULL, PUAN_STR("")), 404);
    assert_true(puan_fix_verify(fix) > 0);
}

static enum puan_status many_given_up(struct puan_shard *sh, struct puan_db *db,
                                      struct puan_act *act, void *arg,
                                      struct puan_err *err)
{
    (void)sh;
    (void)arg;
    act->silent = true;
    return puan_db_exec(db,
                        "WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT"
                        " n + 1 FROM k WHERE n < 600) INSERT INTO"
                        " household_draft(household, rev, at, real, sealed)"
                        " SELECT n, 1, 0, 0, CAST('' AS BYTEA) FROM k",
                        err);
}

static void delivery_and_the_end_of_the_windows_delete_it(void **state)
{
    const char *own = session("household", 11001001, OWN);
    const struct puan_node *n;
    struct puan_err err = { 0 };
    struct puan_act act;

    (void)state;
    assert_int_equal(call("PUT", "/me/draft", own, "\"0\"", PUAN_STR("{}")),
                     200);
    assert_int_equal(puan_feature_household.jobs[0].run(fix->st, &err),
                     PUAN_OK);
    assert_int_equal(call("GET", "/me/draft", own, NULL, PUAN_STR("")), 200);
    assert_int_equal(
        call("POST", "/returns", own, NULL,
             puan_fix_return(fix, OWN, 0, 1, "3", "self", "")),
        201);
    n = me(own);
    assert_true(says(puan_node_get(n, "return"), "state", "delivered"));
    assert_true(says(puan_node_get(n, "return"), "version", "1"));
    assert_int_equal(puan_node_get(n, "draft")->kind, PUAN_NODE_NULL);
    /* those that nobody goes on with do not stand before it */
    act = (struct puan_act){ .actor = PUAN_STR("test"),
                             .verb = PUAN_STR("test") };
    assert_int_equal(puan_commit(puan_store_shard(fix->st, 1), &act,
                                 many_given_up, NULL, &err),
                     PUAN_OK);
    assert_int_equal(puan_feature_household.jobs[0].run(fix->st, &err),
                     PUAN_OK);
    assert_int_equal(call("GET", "/me/draft", own, NULL, PUAN_STR("")), 404);
    /* one that was never sent: kept while somebody may come, then deleted */
    own = session("household", 11001001, 110010010002);
    assert_int_equal(call("PUT", "/me/draft", own, "\"0\"", PUAN_STR("{}")),
                     200);
    puan_fix_clock(fix, "2021-05-02T12:00:00-03:30");
    assert_true(says(puan_node_get(me(own), "window"), "state", "closed"));
    assert_int_equal(puan_feature_household.jobs[0].run(fix->st, &err),
                     PUAN_OK);
    assert_int_equal(call("GET", "/me/draft", own, NULL, PUAN_STR("")), 200);
    puan_fix_clock(fix, "2021-05-17T12:00:00-03:30");
    assert_int_equal(puan_feature_household.jobs[0].run(fix->st, &err),
                     PUAN_OK);
    assert_int_equal(call("GET", "/me/draft", own, NULL, PUAN_STR("")), 404);
}

/* ---- at the close ---------------------------------------------------------- */

static bool holds(const char *text)
{
    return memmem(reply.body.p, reply.body.n, text, strlen(text)) != NULL;
}

static void who_sent_nothing_by_the_close_is_visited(void **state)
{
    const char *clerk = session("parish-clerk", 11002, 0);
    struct puan_str none = PUAN_STR("");

    (void)state;
    puan_fix_import(fix, PUAN_IMPORT_LISTING,
                    "household,ea,mode,building\n"
                    "110020010002,11002001,self,Mill\n"
                    "110020010003,11002001,self,Mill\n");
    /* before the close: how many are still out, and nobody handed over */
    assert_int_equal(call("GET", "/handover", clerk, NULL, none), 200);
    assert_true(holds("\"closed\":false"));
    assert_true(holds("\"households\":2"));
    assert_true(holds("\"ea\":\"11002001\""));
    assert_false(puan_handed_over(fix->st, PUAN_STR("self"), 0,
                                  puan_store_now(fix->st)));
    puan_fix_send(fix, INT64_C(110020010002), 0, "2");
    puan_fix_clock(fix, "2021-05-01T00:00:00-03:30");
    assert_int_equal(call("GET", "/handover", clerk, NULL, none), 200);
    assert_true(holds("\"closed\":true"));
    assert_true(holds("\"total\":1"));
    assert_true(puan_handed_over(fix->st, PUAN_STR("self"), 0,
                                 puan_store_now(fix->st)));
    assert_false(puan_handed_over(fix->st, PUAN_STR("self"), 1,
                                  puan_store_now(fix->st)));
    assert_false(puan_handed_over(fix->st, PUAN_STR("enumerator"), 0,
                                  puan_store_now(fix->st)));
    /* one by one for the area somebody walks */
    assert_int_equal(call("GET", "/handover?area=11002001", clerk, NULL, none),
                     200);
    assert_true(holds("\"household\":\"110020010003\""));
    assert_false(holds("110020010002"));
    /* a visit takes it off at once */
    puan_fix_send(fix, INT64_C(110020010003), 0, "3");
    assert_int_equal(call("GET", "/handover", clerk, NULL, none), 200);
    assert_true(holds("\"total\":0"));
    /* and no household reads the list */
    assert_int_equal(call("GET", "/handover",
                          session("household", 11001001, OWN), NULL, none),
                     403);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_its_password_it_sees_its_facts_alone),
        cmocka_unit_test(a_household_sees_its_own_facts),
        cmocka_unit_test(a_draft_goes_from_phone_to_phone),
        cmocka_unit_test(delivery_and_the_end_of_the_windows_delete_it),
        cmocka_unit_test_setup_teardown(
            who_sent_nothing_by_the_close_is_visited, close_and_open, NULL),
    };
    const char *url[2];
    size_t n = puan_fix_engines(url);
    int bad = 0;

    for (size_t i = 0; i < n; i++) {
        engine = url[i];
        bad += cmocka_run_group_tests(tests, open_canton, close_all);
    }
    return bad;
}
