/*
 * Messages over requests: addresses are given, masked and removed; a case's
 * notice goes out and is seen with what became of it; taking the notice is the
 * receipt; what failed is sent again; a gateway tells a receipt by its token;
 * who may not see the case does not see its message.
 */
#include <stdlib.h>
#include <unistd.h>

#include "features/cases/cases.h"
#include "features/host/test_desk.h"
#include "features/notify/notify.h"
#include "kit/os/os.h"

#define PROGRAM                                                                \
    "#!/bin/sh\n"                                                              \
    "d=$(dirname \"$0\")\n"                                                    \
    "cat >>\"$d/text\"\n"                                                      \
    "basename \"$PUAN_RECEIPT\" >\"$d/token\"\n"                               \
    "[ ! -e \"$d/fail\" ]\n"

static const char *in_root(const char *name)
{
    return puan_arena_fmt(&fix->a, "%s/%s", fix->root, name);
}

static void begin(void)
{
    desk_county(NULL, "intl");
    ok(puan_file_write(in_root("program"), PUAN_STR(PROGRAM), 0700, err));
    ok(puan_file_write(
        puan_arena_fmt(&fix->a, "%s/notify.yaml", fix->dir),
        puan_str_of(puan_arena_fmt(&fix->a,
                                   "channels:\n  note: {zh: 便条, en: Note,"
                                   " command: [%s/program], tries: 1,"
                                   " first: 1s, longest: 1s}\n",
                                   fix->root)),
        0600, err));
}

static void until(const char *sql, int64_t want)
{
    for (int i = 0; i < 400; i++) {
        ok(puan_notify_work(fix->st, err));
        if (puan_fix_office(fix, sql) == want)
            return;
        usleep(25000);
    }
    fail_msg("%s never gave %lld", sql, (long long)want);
}

#define OPEN                                                                   \
    "{'area':'370883001','flow':'incident','fields':{'class':'technical',"     \
    "'level':'yellow','title':'MARKER'}}"

static void addresses_are_kept_sealed_and_shown_masked(void **state)
{
    const char *office, *duty;

    (void)state;
    begin();
    office = seat("wang", "risk-office", COUNTY);
    duty = seat("li", "duty-officer", TOWN);
    assert_int_equal(call(office, "POST", "/addresses",
                          "{'channel':'fax','role':'duty-officer','address':"
                          "'desk seven'}"),
                     400);
    assert_int_equal(call(office, "POST", "/addresses",
                          "{'channel':'note','role':'nobody','address':'x'}"),
                     400);
    assert_int_equal(call(office, "POST", "/addresses",
                          "{'channel':'note','role':'duty-officer','address':"
                          "'-rf'}"),
                     400);
    assert_int_equal(call(duty, "POST", "/addresses",
                          "{'channel':'note','role':'duty-officer','address':"
                          "'desk seven'}"),
                     403);
    assert_int_equal(call(office, "POST", "/addresses",
                          "{'area':'370883001','channel':'note','role':"
                          "'duty-officer','address':'desk seven'}"),
                     201);
    assert_int_equal(call(office, "GET", "/addresses", NULL), 200);
    /* the seats of this office that may be given one, by their names */
    assert_true(says("{\"role\":\"duty-officer\",\"zh\":\"值班员\""));
    assert_false(says("\"role\":\"enumerator\""));
    assert_true(says("\"address\":\"***en\""));
    assert_false(says("desk seven"));
    assert_true(says("\"drill\":true")); /* a demo: nothing is real */
    assert_int_equal(
        puan_fix_office(fix, "SELECT COUNT(*) FROM notify_address WHERE"
                             " CAST(sealed AS TEXT) LIKE '%desk%'"),
        0);
    assert_int_equal(call(duty, "DELETE", "/addresses/1", NULL), 403);
    assert_int_equal(call(office, "DELETE", "/addresses/1", NULL), 204);
    assert_int_equal(call(office, "DELETE", "/addresses/1", NULL), 404);
    assert_true(puan_fix_verify(fix) > 0);
    puan_fix_end(fix);
}

static void a_notice_goes_out_and_taking_it_is_the_receipt(void **state)
{
    const char *office, *duty, *finder;

    (void)state;
    begin();
    office = seat("wang", "risk-office", COUNTY);
    duty = seat("li", "duty-officer", TOWN);
    finder = seat("zhao", "duty-officer", TOWN);
    assert_int_equal(call(office, "POST", "/addresses",
                          "{'area':'370883001','channel':'note','role':"
                          "'duty-officer','address':'desk'}"),
                     201);
    assert_int_equal(call(finder, "POST", "/cases", OPEN), 201);
    until("SELECT COUNT(*) FROM notify_delivery WHERE state = 'waiting'", 0);
    assert_int_equal(call(duty, "GET", "/messages", NULL), 200);
    assert_true(says("\"state\":\"handed\""));
    assert_true(says("\"channel_zh\":\"便条\""));
    assert_true(says("\"number\":\"2020-001\""));
    assert_true(says("\"level\":\"yellow\""));
    assert_true(says("【普安演练】"));
    assert_false(says("MARKER"));
    assert_false(says("\"received\":"));
    /* the case says it too */
    assert_int_equal(call(duty, "GET", "/cases/1", NULL), 200);
    assert_true(says("\"sent\":\"handed\""));
    assert_int_equal(call(duty, "POST", "/cases/1/take", "{}"), 200);
    assert_int_equal(call(duty, "GET", "/cases/1", NULL), 200);
    assert_true(says("\"sent\":\"received\""));
    assert_int_equal(call(duty, "GET", "/messages", NULL), 200);
    assert_true(says("\"received\":"));
    assert_int_equal(call(duty, "POST", "/messages/1/send", "{}"), 409);
    /* another township's office knows nothing of it */
    assert_int_equal(call(seat("qian", "duty-officer", 370883002), "GET",
                          "/messages", NULL),
                     200);
    assert_true(says("\"items\":[]"));
    assert_int_equal(call(seat("qian", "duty-officer", 370883002), "POST",
                          "/messages/1/send", "{}"),
                     404);
    assert_int_equal(call(office, "GET", "/channels", NULL), 200);
    assert_true(says("\"handed\":1"));
    puan_fix_end(fix);
}

static void what_failed_is_seen_and_sent_again(void **state)
{
    const char *office, *duty;
    struct puan_str token = { "", 0 };

    (void)state;
    begin();
    office = seat("wang", "risk-office", COUNTY);
    duty = seat("li", "duty-officer", TOWN);
    assert_int_equal(call(duty, "POST", "/cases", OPEN), 201);
    assert_int_equal(call(duty, "GET", "/messages?state=failed", NULL), 200);
    assert_true(says("\"state\":\"no-address\""));
    assert_int_equal(call(duty, "GET", "/messages?state=nonsense", NULL), 400);
    assert_int_equal(call(office, "POST", "/addresses",
                          "{'area':'370883001','channel':'note','role':"
                          "'duty-officer','address':'desk'}"),
                     201);
    ok(puan_file_write(in_root("fail"), PUAN_STR(""), 0600, err));
    assert_int_equal(call(duty, "POST", "/messages/1/send", "{}"), 204);
    assert_int_equal(call(duty, "POST", "/messages/1/send", "{}"), 409);
    until("SELECT COUNT(*) FROM notify_delivery WHERE state = 'given-up'", 1);
    ok(puan_file_remove(in_root("fail"), err));
    assert_int_equal(call(duty, "POST", "/messages/1/send", "{}"), 204);
    until("SELECT COUNT(*) FROM notify_delivery WHERE state = 'handed'", 1);
    assert_int_equal(call(duty, "GET", "/messages?state=failed", NULL), 200);
    assert_false(says("\"id\":1,\"kind\""));
    /* a gateway tells: by the token it was given, by no other */
    ok(puan_file_read(&token, in_root("token"), 64, &fix->a, err));
    assert_int_equal(call(NULL, "POST", "/public/receipts",
                          "{'token':'00112233445566778899aabbccddeeff',"
                          "'state':'received'}"),
                     404);
    assert_int_equal(
        call(NULL, "POST", "/public/receipts",
             puan_arena_fmt(&fix->a, "{'token':'%.32s','state':'perhaps'}",
                            token.p)),
        400);
    assert_int_equal(
        call(NULL, "POST", "/public/receipts",
             puan_arena_fmt(&fix->a, "{'token':'%.32s','state':'received'}",
                            token.p)),
        204);
    assert_int_equal(puan_fix_office(fix, "SELECT COUNT(*) FROM notify_message"
                                          " WHERE received > 0"),
                     1);
    assert_true(puan_fix_verify(fix) > 0);
    puan_fix_end(fix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_kept_sealed_and_shown_masked),
        cmocka_unit_test(a_notice_goes_out_and_taking_it_is_the_receipt),
        cmocka_unit_test(what_failed_is_seen_and_sent_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
