/*
 * Returns over HTTP, as a device, a household and an office would: sent,
 * receipted, masked, asked back, corrected, counted.
 */
#include "core/plan/plan.h"
#include "features/host/test_desk.h"

#define HOUSEHOLD "110010010001"

static char device[PUAN_TOKEN_TEXT], home[PUAN_TOKEN_TEXT],
    clerk[PUAN_TOKEN_TEXT], foreign[PUAN_TOKEN_TEXT],
    registrar[PUAN_TOKEN_TEXT];

static void session(char token[PUAN_TOKEN_TEXT], const char *role,
                    enum puan_credential credential, int64_t area,
                    int64_t household)
{
    struct puan_who who = { .credential = credential,
                            .account = area,
                            .seat = 1,
                            .area = area,
                            .household = household };

    if (credential == PUAN_CRED_DEVICE)
        puan_format(who.device, sizeof(who.device), "d-1");
    puan_format(token, PUAN_TOKEN_TEXT, "%s", puan_fix_session(fix, who, role));
}

static const char *doc(unsigned base, unsigned counter, const char *rooms,
                       const char *mode, const char *more)
{
    return puan_fix_return(fix, 110010010001, base, counter, rooms, mode, more)
        .p;
}

static int set_up(void **state)
{
    (void)state;
    fix = puan_fix_begin(NULL);
    puan_fix_create(fix, "demo", "plans/zz-test", "intl");
    puan_fix_open(fix);
    puan_fix_import(fix, PUAN_IMPORT_AREAS,
           "code,parent,level,name_zh,name_en\n"
           "11,,canton,a,A\n11001,11,parish,b,B\n11001001,11001,round,c,C\n"
           "11002,11,parish,x,X\n11002001,11002,round,y,Y\n");
    puan_fix_import(fix, PUAN_IMPORT_LISTING,
           "household,ea,head_name\n" HOUSEHOLD ",11001001,Ann Zed\n"
           "110020010001,11002001,Eve Yard\n");
    puan_fix_import(fix, PUAN_IMPORT_ASSIGNMENT, "ea,staff\n11001001,s-1\n11002001,s-2\n");
    puan_fix_clock(fix, "2021-04-02T12:00:00Z");
    puan_fix_serve(fix, 2, 1);
    session(device, "enumerator", PUAN_CRED_DEVICE, 11001001, 0);
    session(home, "household", PUAN_CRED_HOUSEHOLD, 11001001, 110010010001);
    session(clerk, "parish-clerk", PUAN_CRED_HUMAN, 11001, 0);
    session(foreign, "parish-clerk", PUAN_CRED_HUMAN, 11002, 0);
    session(registrar, "canton-registrar", PUAN_CRED_HUMAN, 11, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    puan_fix_end(fix);
    return 0;
}

/* The status page shows the whole installation: to its top seats from afar. */
static void figures_of_all_are_for_the_top(void **state)
{
    struct puan_http_call c = { .method = "GET", .path = "/status",
                                .headers = "X-Forwarded-For: 203.0.113.9\r\n" };
    const struct {
        const char *token;
        bool figures;
    } seat[] = { { NULL, false }, { home, false }, { clerk, false },
                 { registrar, true } };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(seat); i++) {
        c.token = seat[i].token;
        ok(puan_http_call(&fix->reply, fix->client, &c, err));
        assert_int_equal(fix->reply.status, 200);
        assert_int_equal(says("<table"), seat[i].figures);
        assert_false(says("persons"));
    }
}

/* One story, in order: each step rests on the one before. */
static void a_return_lives_over_http(void **state)
{
    (void)state;
    /* sent, and sent again */
    assert_int_equal(
        call(device, "POST", "/returns", doc(0, 1, "3", "enumerator", "")),
        201);
    assert_true(says("\"outcome\":\"accepted\""));
    assert_true(says("\"version\":1"));
    assert_int_equal(
        call(device, "POST", "/returns", doc(0, 1, "3", "enumerator", "")),
        200);
    assert_true(says("\"outcome\":\"repeated\""));
    /* nobody without a session, no foreign seat, no role without the right */
    assert_int_equal(
        call(NULL, "POST", "/returns", doc(0, 2, "3", "enumerator", "")), 401);
    assert_int_equal(
        call(clerk, "POST", "/returns", doc(0, 2, "3", "enumerator", "")), 403);
    assert_int_equal(
        call(home, "POST", "/returns", doc(0, 2, "3", "enumerator", "")), 403);
    assert_false(says("Ann"));
    /* what cannot be accepted */
    assert_int_equal(
        call(device, "POST", "/returns", doc(0, 1, "9", "enumerator", "")),
        409);
    assert_true(says("counter-reused"));
    assert_int_equal(
        call(device, "POST", "/returns", doc(0, 5, "9", "enumerator", "")),
        409);
    assert_true(says("stale-base"));
    assert_int_equal(call(device, "POST", "/returns", "{\"form\":7"), 400);
    assert_true(says("unreadable"));
    /* read: identities masked */
    assert_int_equal(
        call(clerk, "GET", "/households/" HOUSEHOLD "/return", NULL), 200);
    assert_true(says("\"rooms\":"));
    assert_false(says("Ann Zed"));
    assert_int_equal(call(clerk, "GET",
                          "/households/" HOUSEHOLD "/return?identity=true",
                          NULL),
                     400);
    assert_int_equal(call(clerk, "GET",
                          "/households/" HOUSEHOLD
                          "/return?identity=true&purpose=complaint-7",
                          NULL),
                     200);
    assert_true(says("Ann Zed"));
    assert_int_equal(call(foreign, "GET",
                          "/households/" HOUSEHOLD
                          "/return?identity=true&purpose=curiosity",
                          NULL),
                     403);
    assert_false(says("Ann Zed"));
    assert_int_equal(call(home, "GET", "/me/return", NULL), 200);
    assert_true(says("Ann Zed"));
    assert_int_equal(
        call(foreign, "GET", "/households/" HOUSEHOLD "/return", NULL), 403);
    assert_false(says("rooms"));
    /* asked back, of the version that was read */
    assert_int_equal(call(clerk, "POST", "/households/" HOUSEHOLD "/queries",
                          "{\"version\":2,\"reason\":\"check the rooms\"}"),
                     409);
    assert_int_equal(call(clerk, "POST", "/households/" HOUSEHOLD "/queries",
                          "{\"version\":1,\"reason\":\"check the rooms\","
                          "\"findings\":[{\"rule\":\"R1\",\"row\":1}]}"),
                     201);
    assert_true(says("\"id\":1"));
    assert_int_equal(call(foreign, "POST", "/households/" HOUSEHOLD "/queries",
                          "{\"version\":1,\"reason\":\"x\"}"),
                     403);
    assert_int_equal(call(device, "GET", "/queries", NULL), 200);
    assert_true(says("check the rooms"));
    /* corrected, naming the query */
    assert_int_equal(call(device, "POST", "/returns",
                          doc(1, 6, "4", "enumerator", "\"query\":\"99\",")),
                     404);
    assert_int_equal(call(device, "POST", "/returns",
                          doc(1, 6, "4", "enumerator", "\"query\":\"1\",")),
                     201);
    assert_true(says("\"version\":2"));
    assert_int_equal(call(device, "GET", "/queries", NULL), 200);
    assert_false(says("check the rooms"));
    /* the household corrects its own */
    assert_int_equal(
        call(home, "POST", "/returns", doc(2, 77, "5", "self", "")), 201);
    assert_int_equal(
        call(clerk, "GET", "/households/" HOUSEHOLD "/history", NULL), 200);
    assert_true(says("\"version\":3"));
    assert_true(says("\"version\":1"));
    assert_true(says("answered"));
    /* counted */
    assert_int_equal(call(clerk, "GET", "/counts?area=11001", NULL), 200);
    assert_true(says("\"submitted\":1"));
    assert_true(says("\"versions\":3"));
    assert_false(says("persons")); /* a result */
    assert_int_equal(call(clerk, "GET", "/counts?area=11002", NULL), 403);
    /* the listing shows where a household stands, not who it is */
    assert_int_equal(call(device, "GET", "/listing", NULL), 200);
    assert_true(says("\"version\":3"));
    assert_false(says("Ann"));
    /* a cursor made up by the client opens no other area */
    for (const char *const *q =
             (const char *const[]){ "/listing?cursor=1", "/assignments?cursor=1",
                                    "/listing?cursor=110010010000",
                                    "/assignments?cursor=11001000", NULL };
         *q; q++) {
        assert_int_equal(
            call(foreign, "GET", puan_arena_fmt(&fix->a, "%s", *q), NULL), 200);
        assert_true(says("11002001"));
        assert_false(says("11001001"));
    }
    /* quarantine: seen and decided by the county */
    assert_int_equal(call(registrar, "GET", "/quarantine", NULL), 200);
    assert_true(says("\"reason\":\"stale\""));
    assert_true(says("\"reason\":\"unreadable\""));
    assert_int_equal(call(registrar, "POST", "/quarantine/11/2",
                          "{\"decision\":\"burn\",\"reason\":\"x\"}"),
                     400);
    assert_int_equal(call(registrar, "POST", "/quarantine/11/2",
                          "{\"decision\":\"aside\",\"reason\":\"superseded\"}"),
                     204);
    assert_int_equal(call(registrar, "POST", "/quarantine/11/2",
                          "{\"decision\":\"aside\",\"reason\":\"superseded\"}"),
                     404);
    assert_int_equal(call(registrar, "GET", "/quarantine", NULL), 200);
    assert_false(says("\"reason\":\"stale\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_of_all_are_for_the_top),
        cmocka_unit_test(a_return_lives_over_http),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
