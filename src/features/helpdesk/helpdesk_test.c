/*
 * Articles for those who may read them; a look at a household that shows how
 * far it has come, stands in the ledger, and gives away no answer.
 */
#include "core/help/help.h"
#include "core/plan/plan.h"
#include "features/helpdesk/helpdesk.h"
#include "features/host/test_desk.h"

#define EA INT64_C(370883001001001)

static const char *engines[2];
static size_t n_engines;

static struct puan_fix *make(const char *url)
{
    struct puan_fix *f = desk_county_store(url, "sm");

    puan_fix_import(f, PUAN_IMPORT_AREAS,
                    "code,parent,level,name_zh,name_en\n"
                    "370883001001,370883001,district,一区,One\n"
                    "370883001001001,370883001001,ea,一小区,One\n"
                    "370883002001,370883002,district,二区,Two\n"
                    "370883002001001,370883002001,ea,二小区,Two\n");
    puan_fix_import(f, PUAN_IMPORT_LISTING,
                    "household,ea,building,unit,status,mode,head,phone,address\n"
                    "370883001001001007,370883001001001,B1,1,occupied,self,"
                    "张测试,,幸福路12号3室\n"
                    "370883002001001001,370883002001001,B1,1,occupied,self,"
                    "李测试,,和平路9号\n");
    fix = f;
    puan_fix_serve(f, 2, 1);
    return f;
}

static void articles_are_for_their_readers(void **state)
{
    struct puan_fix *f = make(NULL);
    struct puan_who who = { .name = "e-1",
                            .credential = PUAN_CRED_DEVICE,
                            .area = EA };
    struct puan_who home = { .name = "hh",
                             .credential = PUAN_CRED_HOUSEHOLD,
                             .household = EA * 1000 + 7,
                             .area = EA };

    (void)state;
    must(200, NULL, "GET", "/public/help", NULL);
    assert_true(says("\"id\":\"code-lost\"") && says("\"page\":\"/verify\""));
    assert_false(says("\"id\":\"no-network\"") || says("\"id\":\"call-basics\""));
    must(401, NULL, "GET", "/help", NULL);
    must(200, puan_fix_session(f, home, "household"), "GET", "/help", NULL);
    assert_false(says("\"id\":\"no-network\"") || says("\"id\":\"call-basics\""));
    must(200, puan_fix_session(f, who, "enumerator"), "GET", "/help", NULL);
    assert_true(says("\"id\":\"no-network\"") && says("\"id\":\"code-lost\""));
    assert_false(says("\"id\":\"call-basics\""));
    must(200, seat("h", "helpdesk", COUNTY), "GET", "/help", NULL);
    assert_true(says("\"id\":\"call-basics\""));
    puan_fix_end(f);
}

/* Entries of the office ledger: nothing else is written there meanwhile. */
static int64_t entries(struct puan_fix *f)
{
    return puan_fix_office(f, "SELECT COUNT(*) FROM ledger");
}

static void a_look_says_how_far_and_no_more(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        const char *desk = seat("h", "helpdesk", TOWN);
        const char *path = "/calldesk/370883001001001007";
        int64_t had = entries(f);
        /* a stranger, an enumerator's seat, a purpose that is not said */
        must(401, NULL, "POST", path, "{'purpose':'online'}");
        must(403, seat("p", "publicity", COUNTY), "POST", path,
             "{'purpose':'online'}");
        must(400, desk, "POST", path, "{}");
        /* another township's household is not this desk's */
        must(403, desk, "POST", "/calldesk/370883002001001001",
             "{'purpose':'online'}");
        assert_int_equal(entries(f), had);
        must(200, desk, "POST", path, "{'purpose':'online'}");
        assert_true(says("\"dwelling\":\"幸福路12号*室\""));
        assert_true(says("\"state\":\"none\"") && says("\"code\":\"none\""));
        assert_false(says("张测试") || says("3室"));
        assert_int_equal(entries(f), had + 1);
        /* one that is not there is a look, too */
        must(404, desk, "POST", "/calldesk/370883001001001999",
             "{'purpose':'online'}");
        assert_int_equal(entries(f), had + 2);
        /* a login code is no number of a household */
        must(400, desk, "POST", "/calldesk/7H3K92QFM4WT7H3K",
             "{'purpose':'online'}");
        puan_fix_close(f);
        assert_true(puan_fix_verify(f) > 2);
        puan_fix_end(f);
    }
}

/* What a return says is not told, nor how many persons it has. */
static void a_delivered_return_is_delivered(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    const char *desk;

    (void)state;
    fix = f;
    puan_fix_serve(f, 2, 1);
    desk = seat("r", "canton-registrar", 11);
    must(200, desk, "POST", "/calldesk/110010010001", "{'purpose':'question'}");
    assert_true(says("\"state\":\"none\""));
    puan_fix_send(f, 110010010001, 0, "3");
    must(200, desk, "POST", "/calldesk/110010010001", "{'purpose':'question'}");
    assert_true(says("\"state\":\"delivered\"") &&
                says("\"by\":\"enumerator\""));
    assert_false(says("Ann") || says("persons") || says("rooms") ||
                 says("digest") || says("findings"));
    puan_fix_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(articles_are_for_their_readers),
        cmocka_unit_test(a_look_says_how_far_and_no_more),
        cmocka_unit_test(a_delivered_return_is_delivered),
    };

    n_engines = puan_fix_engines(engines);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
