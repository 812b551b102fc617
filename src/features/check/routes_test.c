/*
 * The catalogue of rules and the trial of a rule, over HTTP.
 */
#include "core/plan/plan.h"
#include "features/host/test_desk.h"

#define HOUSEHOLD "110010010001"

static char device[PUAN_TOKEN_TEXT], clerk[PUAN_TOKEN_TEXT],
    foreign[PUAN_TOKEN_TEXT];

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
    session(clerk, "parish-clerk", PUAN_CRED_HUMAN, 11001, 0);
    session(foreign, "parish-clerk", PUAN_CRED_HUMAN, 11002, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    puan_fix_end(fix);
    return 0;
}

/* One return with a finding has arrived in the clerk's area, none elsewhere. */
static void rules_with_what_they_found(void **state)
{
    (void)state;
    assert_int_equal(
        call(device, "POST", "/returns", doc(0, 1, "3", "enumerator", "")),
        201);
    assert_int_equal(call(clerk, "GET", "/rules", NULL), 200);
    assert_true(says("\"id\":\"Z01\""));
    assert_true(says("\"returns\":1"));
    assert_int_equal(call(foreign, "GET", "/rules", NULL), 200);
    assert_true(says("\"returns\":0"));
    assert_int_equal(call(clerk, "GET", "/rules?area=11002", NULL), 403);
    assert_int_equal(call(NULL, "GET", "/rules", NULL), 401);
}

static void a_rule_is_tried(void **state)
{
    (void)state;
    assert_int_equal(
        call(clerk, "POST", "/rules/try",
             "{\"form\":\"household\",\"text\":\"rule T1 soft household zh "
             "\\\"x\\\" en \\\"x\\\" fail when members >= 0\"}"),
        200);
    assert_true(says("\"returns\":1,\"all\":true,\"findings\":1"));
    assert_true(says("\"shown\":[\"" HOUSEHOLD "\"]"));
    assert_true(says("\"entry\":{\"store\":\"office\",\"seq\":"));
    assert_int_equal(
        call(foreign, "POST", "/rules/try",
             "{\"form\":\"household\",\"text\":\"rule T1 soft household zh "
             "\\\"x\\\" en \\\"x\\\" fail when members >= 0\"}"),
        200);
    assert_true(says("\"returns\":0"));
    /* what is wrong with the text is told with its place */
    assert_int_equal(
        call(clerk, "POST", "/rules/try",
             "{\"form\":\"household\",\"text\":\"rule T1 soft household zh "
             "\\\"x\\\" en \\\"x\\\"\\n fail when membres >= 0\"}"),
        200);
    assert_true(says("\"fault\":{\"line\":1,\"col\":6,"));
    assert_true(says("members"));
    assert_int_equal(call(clerk, "POST", "/rules/try",
                          "{\"form\":\"nothing\",\"text\":\"x\"}"),
                     400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_with_what_they_found),
        cmocka_unit_test(a_rule_is_tried),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
