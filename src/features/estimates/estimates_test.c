/*
 * Estimates of the economic census: apart from the returns, by the office that
 * may, never beside a unit's own answers, and open until these have come.
 */
#include "features/estimates/estimates.h"

#include "features/host/test_fixture.h"

#define EA INT64_C(370883001001001)
#define COUNTY 370883
#define UNIT "370883001001001003"
#define OTHER "370883001001001004"

static struct puan_fix *fix;
static const char *office, *visitor;

static int set_up(void **state)
{
    (void)state;
    fix = puan_fix_begin(NULL);
    puan_fix_create(fix, "demo", "plans/cn-economic-2018", "sm");
    puan_fix_open(fix);
    puan_fix_import(fix, PUAN_IMPORT_AREAS,
                    "code,parent,level,name_zh,name_en\n"
                    "37,,province,山东省,Shandong\n"
                    "3708,37,prefecture,济宁市,Jining\n"
                    "370883,3708,county,邹城市,Zoucheng\n"
                    "370883001,370883,township,钢山街道,Gangshan\n"
                    "370883001001,370883001,district,兴盛,Xingsheng\n"
                    "370883001001001,370883001001,ea,第一普查小区,First\n");
    puan_fix_import(fix, PUAN_IMPORT_LISTING,
                    "household,ea,mode\n" UNIT ",370883001001001,enumerator\n"
                    OTHER ",370883001001001,direct\n");
    puan_fix_clock(fix, "2019-01-15T12:00:00+08:00");
    puan_fix_serve(fix, 2, 1);
    office = puan_fix_session(fix,
                              (struct puan_who){ .account = 1,
                                                 .seat = 1,
                                                 .area = COUNTY },
                              "county-business");
    visitor = puan_fix_session(fix,
                               (struct puan_who){
                                   .credential = PUAN_CRED_DEVICE,
                                   .account = 2,
                                   .seat = 2,
                                   .area = EA,
                                   .device = "d-1" },
                               "enumerator");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    puan_fix_end(fix);
    return 0;
}

/* A document of a unit; `mode` and `answers` (" as \") may vary. */
static const char *document(const char *unit, const char *form,
                            const char *mode, const char *answers, int counter)
{
    return puan_arena_fmt(
        &fix->a,
        "{\"form\":\"%s\",\"household\":\"%s\",\"base\":0,\"device\":\"d-1\","
        "\"counter\":%d,\"mode\":\"%s\","
        "\"started\":\"2019-01-15T10:00:00+08:00\","
        "\"finished\":\"2019-01-15T10:30:00+08:00\",\"signed\":false,"
        "\"answers\":{%s}}",
        form, unit, counter, mode, answers);
}

static unsigned estimate(const char *token, const char *unit, const char *form,
                         const char *mode, const char *answers)
{
    struct puan_http_call call = {
        .method = "POST",
        .path = puan_arena_fmt(&fix->a,
                               "/api/v1/c/cn-economic-2018/households/%s"
                               "/estimates",
                               unit),
        .token = token,
    };
    struct puan_out o;
    struct puan_jw w;

    puan_out_init(&o, &fix->a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_ktext(&w, "basis", "按用电量和上年数推算");
    puan_jw_ktext(&w, "document", document(unit, form, mode, answers, 1));
    puan_jw_end(&w, '}');
    call.body = puan_out_view(&o);
    ok(puan_http_call(&fix->reply, fix->client, &call, err));
    return fix->reply.status;
}

static int64_t rows(const char *sql)
{
    return puan_fix_int(puan_store_shard_of_area(fix->st, EA), sql);
}

static int64_t open_ones(void)
{
    int64_t n = -1;

    ok(puan_estimates_open(&n, fix->st, COUNTY, err));
    return n;
}

static unsigned list(const char *token, const char *unit)
{
    return puan_fix_call(fix, token, "GET",
                         puan_arena_fmt(&fix->a, "/households/%s/estimates",
                                        unit),
                         NULL);
}

static void it_stands_apart_from_the_returns(void **state)
{
    (void)state;
    assert_int_equal(
        estimate(office, UNIT, "unit", "office-estimate", "\"U110\":\"1\""),
        201);
    assert_int_equal(rows("SELECT COUNT(*) FROM ret"), 0);
    assert_int_equal(open_ones(), 1);
    assert_int_equal(list(office, UNIT), 200);
    assert_true(puan_fix_says(fix, "\"U110\":"));
    assert_true(puan_fix_says(fix, "按用电量"));
    /* a later one takes its place, and the first stays */
    assert_int_equal(
        estimate(office, UNIT, "unit", "office-estimate", "\"U110\":\"2\""),
        201);
    assert_int_equal(open_ones(), 1);
    assert_int_equal(rows("SELECT COUNT(*) FROM estimate"), 2);
    assert_int_equal(
        rows("SELECT COUNT(*) FROM estimate WHERE state = 'replaced'"), 1);
    /* who looks over an area sees that there is one, not what it says */
    assert_int_equal(puan_fix_call(fix, office, "GET",
                                   "/estimates?area=370883", NULL),
                     200);
    assert_true(puan_fix_says(fix, "\"total\":2"));
    assert_false(puan_fix_says(fix, "U110"));
}

static void nobody_else_and_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(
        estimate(visitor, UNIT, "unit", "office-estimate", ""), 403);
    assert_int_equal(list(visitor, UNIT), 403);
    assert_int_equal(estimate(office, UNIT, "unit", "enumerator", ""), 400);
    assert_int_equal(estimate(office, UNIT, "unit", "office-estimate",
                              "\"U102\":\"某某公司\""),
                     400);
    assert_int_equal(estimate(office, UNIT, "unit", "office-estimate",
                              "\"U110\":\"77\""),
                     400);
    assert_int_equal(estimate(office, "370883001001001999", "unit",
                              "office-estimate", ""),
                     404);
    /* of a unit that reports directly it is as much apart as of another */
    assert_int_equal(estimate(office, OTHER, "direct", "office-estimate", ""),
                     201);
    assert_int_equal(rows("SELECT COUNT(*) FROM ret"), 0);
    assert_int_equal(open_ones(), 2);
    assert_int_equal(puan_fix_call(fix, office, "POST",
                                   "/households/" OTHER "/estimates/withdraw",
                                   "{'reason':'单位已恢复直报'}"),
                     200);
    assert_int_equal(puan_fix_call(fix, office, "POST",
                                   "/households/" OTHER "/estimates/withdraw",
                                   "{'reason':'单位已恢复直报'}"),
                     404);
    assert_int_equal(open_ones(), 1);
}

static void the_units_own_answers_end_it(void **state)
{
    struct puan_http_call call = { .method = "POST",
                                   .path = "/api/v1/c/cn-economic-2018/returns",
                                   .token = visitor };

    (void)state;
    /* as a return it is taken from nobody */
    call.body = puan_str_of(document(UNIT, "unit", "office-estimate", "", 5));
    ok(puan_http_call(&fix->reply, fix->client, &call, err));
    assert_int_equal(fix->reply.status, 403);
    call.body = puan_str_of(document(UNIT, "unit", "enumerator", "", 6));
    ok(puan_http_call(&fix->reply, fix->client, &call, err));
    assert_int_equal(fix->reply.status, 201);
    assert_int_equal(rows("SELECT MAX(version) FROM ret"), 1);
    assert_int_equal(open_ones(), 0);
    assert_int_equal(list(office, UNIT), 200);
    assert_true(puan_fix_says(fix, "adjusted"));
    assert_int_equal(estimate(office, UNIT, "unit", "office-estimate", ""),
                     409);
    assert_true(puan_fix_verify(fix) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_stands_apart_from_the_returns),
        cmocka_unit_test(nobody_else_and_nothing_else),
        cmocka_unit_test(the_units_own_answers_end_it),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
