/*
 * Review over HTTP: what waits where, an office's word on one version, taken
 * back, passed up, too late; and the same counts from an index made anew.
 */
#include <stdlib.h>

#include "core/plan/plan.h"
#include "features/host/test_desk.h"
#include "features/review/review.h"

#define H1 "110010010001"
#define H2 "110010010002"
#define H3 "110020010001"
#define REFUSED "{\"missing\":\"refused\"}" /* rooms: hard finding Z09 */

static char clerk[PUAN_TOKEN_TEXT], second[PUAN_TOKEN_TEXT],
    foreign[PUAN_TOKEN_TEXT], registrar[PUAN_TOKEN_TEXT],
    device[PUAN_TOKEN_TEXT];

static void session(char token[PUAN_TOKEN_TEXT], const char *role,
                    enum puan_credential credential, int64_t account,
                    int64_t area)
{
    struct puan_who who = {
        .credential = credential, .account = account, .seat = 1, .area = area
    };

    if (credential == PUAN_CRED_DEVICE)
        puan_format(who.device, sizeof(who.device), "d-1");
    puan_format(token, PUAN_TOKEN_TEXT, "%s", puan_fix_session(fix, who, role));
}

static int64_t total(const char *token, const char *query)
{
    struct puan_node *n = NULL;
    int64_t v = -1;

    assert_int_equal(
        call(token, "GET", puan_arena_fmt(&fix->a, "/review%s", query), NULL),
        200);
    ok(puan_json_tree(&n, fix->reply.body, "reply", &fix->a, err));
    ok(puan_node_int(&v, n, "total", 0, 1000, err));
    return v;
}

static int set_up(void **state)
{
    (void)state;
    fix = puan_fix_canton(NULL);
    puan_fix_serve(fix, 2, 1);
    session(device, "enumerator", PUAN_CRED_DEVICE, 1, 11001001);
    session(clerk, "parish-clerk", PUAN_CRED_HUMAN, 2, 11001);
    session(second, "parish-clerk", PUAN_CRED_HUMAN, 3, 11001);
    session(foreign, "parish-clerk", PUAN_CRED_HUMAN, 4, 11002);
    session(registrar, "canton-registrar", PUAN_CRED_HUMAN, 5, 11);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    puan_fix_close(fix);
    puan_fix_verify(fix);
    puan_fix_end(fix);
    return 0;
}

/* One story, in order: each step rests on the one before. */
static void an_office_speaks_of_one_version(void **state)
{
    (void)state;
    assert_int_equal(total(clerk, ""), 0);
    puan_fix_send(fix, 110010010001, 0, REFUSED);
    puan_fix_send(fix, 110010010002, 0, "3");
    puan_fix_send(fix, 110020010001, 0, REFUSED);
    /* own area only; a household without findings waits nowhere */
    assert_int_equal(total(clerk, ""), 1);
    assert_true(says(H1));
    assert_true(says("\"rule\":\"Z09\""));
    assert_false(says("Ann"));
    assert_int_equal(total(clerk, "?rule=Z09&kind=hard&mode=enumerator"
                                  "&enumerator=enum-1"),
                     1);
    assert_int_equal(total(clerk, "?kind=soft"), 0);
    assert_int_equal(total(clerk, "?rule=Z01"), 0);
    assert_int_equal(total(registrar, ""), 2);
    assert_int_equal(total(registrar, "?ea=11002"), 1);
    assert_true(says(H3));
    assert_int_equal(call(clerk, "GET", "/review?area=11002", NULL), 403);
    assert_int_equal(call(clerk, "GET", "/review?state=lost", NULL), 400);

    /* accepting over an open finding wants a reason, and the version seen */
    assert_int_equal(
        call(clerk, "POST", "/review/" H1 "/accept", "{\"version\":1}"), 400);
    assert_int_equal(call(clerk, "POST", "/review/" H1 "/accept",
                          "{\"version\":2,\"reason\":\"seen\"}"),
                     409);
    assert_true(says("stale-version"));
    assert_int_equal(call(foreign, "POST", "/review/" H1 "/accept",
                          "{\"version\":1,\"reason\":\"seen\"}"),
                     403);
    assert_int_equal(call(device, "POST", "/review/" H1 "/accept",
                          "{\"version\":1,\"reason\":\"seen\"}"),
                     403);
    assert_int_equal(call(clerk, "POST", "/review/" H1 "/accept",
                          "{\"version\":1,\"reason\":\"seen\"}"),
                     201);
    assert_int_equal(total(clerk, ""), 0);
    assert_int_equal(total(clerk, "?state=reviewed"), 1);
    assert_true(says("\"mark\":\"accept\""));
    assert_int_equal(total(registrar, ""), 1);
    assert_int_equal(call(clerk, "POST", "/review/" H1 "/pass",
                          "{\"version\":1,\"reason\":\"again\"}"),
                     409);
    assert_true(says("\"acted\""));

    /* taken back: a second entry, and it waits again */
    assert_int_equal(call(clerk, "POST", "/review/" H1 "/undo",
                          "{\"version\":1,\"reason\":\"slip\"}"),
                     201);
    assert_int_equal(
        call(clerk, "POST", "/review/" H1 "/undo", "{\"version\":1}"), 409);
    assert_true(says("nothing-to-undo"));
    assert_int_equal(total(clerk, ""), 1);
    assert_int_equal(puan_fix_int(puan_store_shard(fix->st, 1),
                                  "SELECT COUNT(*) FROM review_act"),
                     2);

    /* passed up: told to the office above, which accepts; then no way back */
    assert_int_equal(
        call(clerk, "POST", "/review/" H1 "/pass", "{\"version\":1}"), 400);
    assert_int_equal(call(clerk, "POST", "/review/" H1 "/pass",
                          "{\"version\":1,\"reason\":\"unsure\"}"),
                     201);
    assert_int_equal(total(clerk, ""), 0);
    assert_int_equal(total(registrar, "?passed=true"), 1);
    assert_true(says("\"passed_by\":\"11001\""));
    assert_int_equal(call(registrar, "POST", "/review/" H1 "/pass",
                          "{\"version\":1,\"reason\":\"up\"}"),
                     403); /* nobody above reviews */
    assert_int_equal(call(registrar, "POST", "/review/" H1 "/accept",
                          "{\"version\":1,\"reason\":\"refused, seen\"}"),
                     201);
    assert_int_equal(
        call(clerk, "POST", "/review/" H1 "/undo", "{\"version\":1}"), 409);
    assert_true(says("acted-above"));
}

static void a_query_and_its_answer_move_it_on(void **state)
{
    struct puan_review_counts c;

    (void)state;
    assert_int_equal(call(registrar, "POST", "/households/" H3 "/queries",
                          "{\"version\":1,\"reason\":\"ask again\","
                          "\"findings\":[{\"rule\":\"Z09\"}]}"),
                     201);
    assert_int_equal(total(foreign, "?state=querying"), 1);
    assert_int_equal(total(foreign, "?state=querying&overdue=true"), 0);
    assert_int_equal(call(foreign, "POST", "/review/" H3 "/accept",
                          "{\"version\":1,\"reason\":\"seen\"}"),
                     409);
    assert_true(says("query-open"));
    puan_fix_clock(fix, "2021-04-09T12:00:00-03:30");
    assert_int_equal(total(foreign, "?state=querying&overdue=true"), 1);
    assert_int_equal(call(foreign, "GET", "/review/counts", NULL), 200);
    assert_true(says("\"querying\":1,"));
    assert_true(says("\"overdue\":1,"));
    puan_fix_send(fix, 110020010001, 1, "4");
    assert_int_equal(total(foreign, "?state=corrected"), 1);
    assert_true(says("\"version\":2"));
    /* the office's word on the version before means nothing now */
    assert_int_equal(call(foreign, "POST", "/review/" H3 "/accept",
                          "{\"version\":1,\"reason\":\"seen\"}"),
                     409);
    assert_int_equal(
        call(foreign, "POST", "/review/" H3 "/accept", "{\"version\":2}"), 201);
    assert_int_equal(total(foreign, "?state=corrected"), 0);
    /* a newer version starts anew */
    puan_fix_send(fix, 110020010001, 2, "5");
    assert_int_equal(total(foreign, "?state=corrected"), 1);
    ok(puan_review_counts_of(&c, fix->st, 11, 0, err));
    assert_int_equal(c.state[PUAN_REVIEW_CORRECTED], 1);
    assert_int_equal(c.state[PUAN_REVIEW_REVIEWED], 1);
}

static void a_page_masks_and_opens_one_person(void **state)
{
    struct puan_shard *sh = puan_store_shard(fix->st, 1);
    int64_t before;

    (void)state;
    assert_int_equal(call(foreign, "GET", "/households/" H3 "/page", NULL),
                     200);
    assert_false(says("Ann"));
    assert_false(says("X1"));
    assert_true(says("\"full_name\":\"A***\""));
    /* what the correction changed, and which query it answered */
    assert_true(says("\"item\":\"rooms\",\"old\":\"4\",\"new\":\"5\""));
    assert_true(says("\"old\":{\"missing\":\"refused\"},\"new\":\"4\""));
    assert_true(says("\"reason\":\"ask again\""));
    /* the same card in another round: a person counted twice */
    assert_true(says("\"kind\":\"twice\""));
    assert_false(says(H1)); /* of another office: marks only */
    assert_int_equal(call(registrar, "GET", "/households/" H3 "/page", NULL),
                     200);
    assert_true(says(H1));
    assert_int_equal(call(clerk, "GET", "/households/" H3 "/page", NULL), 403);
    /* one person, for a purpose, with an entry */
    before = puan_fix_int(sh, "SELECT COUNT(*) FROM ledger");
    assert_int_equal(
        call(foreign, "POST", "/households/" H3 "/identity", "{\"row\":1}"),
        400);
    assert_int_equal(call(foreign, "POST", "/households/" H3 "/identity",
                          "{\"row\":2,\"purpose\":\"check\"}"),
                     404);
    assert_int_equal(puan_fix_int(sh, "SELECT COUNT(*) FROM ledger"), before);
    assert_int_equal(call(foreign, "POST", "/households/" H3 "/identity",
                          "{\"row\":1,\"purpose\":\"check\"}"),
                     200);
    assert_true(says("\"full_name\":\"Ann Zed\""));
    assert_int_equal(puan_fix_int(sh, "SELECT COUNT(*) FROM ledger"),
                     before + 1);
}

static void two_readers_see_each_other(void **state)
{
    (void)state;
    assert_int_equal(call(clerk, "POST", "/review/" H1 "/look", "{}"), 200);
    assert_false(says("\"other\""));
    assert_int_equal(call(second, "POST", "/review/" H1 "/look", "{}"), 200);
    assert_true(says("\"other\""));
    assert_true(says("Parish clerk"));
    assert_false(says("parish-clerk.11001")); /* no account's name */
    assert_int_equal(
        call(clerk, "POST", "/review/" H1 "/look", "{\"leave\":true}"), 200);
    assert_int_equal(call(second, "POST", "/review/" H1 "/look", "{}"), 200);
    assert_false(says("\"other\""));
}

static void whole_areas_are_those_without_a_doubt(void **state)
{
    (void)state;
    assert_int_equal(call(registrar, "GET", "/review/eas", NULL), 200);
    assert_false(says("11001001")); /* a finding stands open there */
    assert_int_equal(
        call(foreign, "POST", "/review/" H3 "/accept", "{\"version\":3}"), 201);
    assert_int_equal(call(registrar, "GET", "/review/eas", NULL), 200);
    assert_true(says("\"ea\":\"11002001\""));
    assert_true(says("\"total\":1"));
}

/* What is in memory can be made again from what is stored. */
static void a_new_index_says_the_same(void **state)
{
    struct puan_review_counts before, after;

    (void)state;
    ok(puan_review_counts_of(&before, fix->st, 11, 0, err));
    puan_http_client_close(fix->client);
    puan_host_stop(fix->host);
    fix->client = NULL;
    fix->host = NULL;
    puan_fix_reopen(fix);
    ok(puan_review_counts_of(&after, fix->st, 11, 0, err));
    assert_true(after.complete);
    assert_memory_equal(before.state, after.state, sizeof(before.state));
    assert_int_equal(before.overdue, after.overdue);
    assert_true(after.state[PUAN_REVIEW_REVIEWED] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_office_speaks_of_one_version),
        cmocka_unit_test(a_query_and_its_answer_move_it_on),
        cmocka_unit_test(a_page_masks_and_opens_one_person),
        cmocka_unit_test(two_readers_see_each_other),
        cmocka_unit_test(whole_areas_are_those_without_a_doubt),
        cmocka_unit_test(a_new_index_says_the_same),
    };

    setenv("PUAN_LOG", "off", 1);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
