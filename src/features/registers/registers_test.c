/*
 * Registers over HTTP: what is due back stands first, stocks balance over rows
 * and offices, the next sheet opens by itself, a copy is entered in the ledger
 * and holds neither secrets nor formulas.
 */
#include "features/registers/registers.h"

#include <stdlib.h>

#include "features/host/test_desk.h"
#include "kit/os/os.h"

/* A file as evidence; its digest. */
static const char *paper(const char *token)
{
    assert_int_equal(call(token, "POST", "/evidence", "slip"), 201);
    return puan_arena_dup(&fix->a,
                          puan_node_str_opt(tree(), "digest", ""));
}

/* A row of goods, received (or issued). */
static unsigned goods(const char *token, const char *area, const char *item,
                      const char *act, int amount, const char *party)
{
    const char *id, *body;

    body = puan_arena_fmt(&fix->a,
                          "{'area':'%s','flow':'goods','fields':{'item':'%s',"
                          "'stage':'listing','standard':10}}",
                          area, item);
    if (call(token, "POST", "/cases", body) != 201)
        return fix->reply.status;
    id = puan_arena_dup(&fix->a, puan_node_str_opt(tree(), "id", ""));
    body = puan_arena_fmt(&fix->a,
                          "{'transition':'%s','fields':{'amount':%d,'party':"
                          "'%s'},'evidence':[{'kind':'slip','digest':'%s'}]}",
                          act, amount, party, paper(token));
    return call(token, "POST",
                puan_arena_fmt(&fix->a, "/cases/%s/act", id), body);
}

static void stocks_balance_by_office_and_goods(void **state)
{
    const struct puan_node *v, *s;
    const char *desk, *town, *duty;

    (void)state;
    desk_county(NULL, "sm");
    desk = seat("r", "records-desk", 370883);
    duty = seat("d", "duty-officer", 370883);
    assert_int_equal(goods(desk, "370883", "PDA", "receive", 100, "city"), 200);
    assert_int_equal(goods(desk, "370883", "PDA", "issue", 30, "=1+1"), 200);
    assert_int_equal(goods(desk, "370883", "bag", "receive", 5, "city"), 200);
    /* more than is there is refused, and moves nothing */
    assert_int_equal(goods(desk, "370883", "bag", "issue", 6, "A"), 409);
    assert_int_equal(call(duty, "GET", "/registers/goods", NULL), 200);
    v = tree();
    assert_true(is(v, "total", "4"));
    s = in(puan_node_get(v, "register"), "stocks", "of", "PDA");
    assert_true(is(s, "in", "100") && is(s, "out", "30") && is(s, "left", "70"));
    s = in(puan_node_get(v, "register"), "stocks", "of", "bag");
    assert_true(is(s, "left", "5"));
    /* values stand in the order of the columns */
    assert_true(is(puan_node_at(puan_node_get(v, "columns"), 0), "id", "item"));
    s = in(v, "items", "ended", "false"); /* the row that was refused */
    assert_true(is(puan_node_at(puan_node_get(s, "values"), 0), "zh", "bag"));
    assert_int_equal(call(duty, "GET", "/registers/goods?open=true", NULL), 200);
    assert_true(is(tree(), "total", "1"));
    /* another office has none of it */
    town = seat("x", "township-office", 370883002);
    assert_int_equal(call(town, "GET", "/registers/goods", NULL), 200);
    assert_true(is(tree(), "total", "0") && says("\"stocks\":[]"));
    /* a flow that is no register is none here */
    assert_int_equal(call(duty, "GET", "/registers/incident", NULL), 404);
    puan_fix_end(fix);
}

static void what_is_due_back_stands_first_and_sheets_recur(void **state)
{
    const struct puan_node *v, *r;
    const char *desk, *security;

    (void)state;
    desk_county(NULL, "sm");
    desk = seat("r", "records-desk", 370883);
    security = seat("s", "security-group-head", 370883);
    assert_int_equal(
        call(desk, "POST", "/cases",
             "{'area':'370883','flow':'secret_custody','fields':{'carrier':"
             "'M-1','kind':'device','label':'secret'}}"),
        201);
    assert_int_equal(call(security, "POST", "/cases",
                          "{'area':'370883','flow':'room_check'}"),
                     201);
    assert_int_equal(call(desk, "GET", "/registers", NULL), 200);
    v = tree();
    /* in custody at once; the desk is told what to do with it */
    r = puan_node_at(puan_node_get(v, "today"), 0);
    assert_true(is(r, "flow", "secret_custody") && is(r, "overdue", "false") &&
                puan_node_get(r, "next_act") != NULL);
    r = in(v, "items", "flow", "secret_custody");
    assert_true(is(r, "today", "1") && is(r, "overdue", "0"));
    /* copies that go out are a register though they are approvals */
    assert_non_null(in(v, "items", "flow", "export"));
    /* opened on Monday the second: the next on Monday the ninth, at nine */
    r = in(v, "items", "flow", "room_check");
    assert_true(is(r, "next", "2020-11-09T09:00:00.000+08:00") &&
                is(puan_node_get(r, "recurrence"), "every", "week"));
    /* late is late, and still first */
    puan_fix_clock_ms(fix, T0 + 5 * HOUR);
    assert_int_equal(call(desk, "GET", "/registers", NULL), 200);
    r = in(tree(), "items", "flow", "secret_custody");
    assert_true(is(r, "overdue", "1"));
    puan_fix_end(fix);
}

static void a_copy_is_entered_and_holds_no_formula(void **state)
{
    const char *desk, *duty;
    int64_t before;

    (void)state;
    desk_county(NULL, "sm");
    desk = seat("r", "records-desk", 370883);
    duty = seat("d", "duty-officer", 370883);
    assert_int_equal(goods(desk, "370883", "PDA", "receive", 100, "=1+1"), 200);
    before = puan_fix_office(fix, "SELECT COUNT(*) FROM ledger");
    assert_int_equal(call(duty, "POST", "/registers/goods/export",
                          "{'format':'csv'}"),
                     200);
    assert_true(says("物资名称") && says("PDA") && says(",100,") &&
                says("'=1+1") && says("收发单"));
    assert_int_equal(call(duty, "POST", "/registers/goods/export",
                          "{'format':'csv','lang':'en'}"),
                     200);
    assert_true(says("Received") && !says("已入库"));
    assert_int_equal(call(duty, "POST", "/registers/goods/export",
                          "{'format':'xlsx'}"),
                     200);
    assert_true(fix->reply.body.n > 2000);
    assert_memory_equal(fix->reply.body.p, "PK\3\4", 4);
    assert_int_equal(puan_fix_office(fix, "SELECT COUNT(*) FROM ledger"),
                     before + 3);
    /* asked wrongly: nothing is given and nothing is entered */
    assert_int_equal(call(duty, "POST", "/registers/goods/export",
                          "{'format':'pdf'}"),
                     400);
    assert_int_equal(call(duty, "POST", "/registers/incident/export",
                          "{'format':'csv'}"),
                     404);
    assert_int_equal(puan_fix_office(fix, "SELECT COUNT(*) FROM ledger"),
                     before + 3);
    puan_fix_verify(fix);
    puan_fix_end(fix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stocks_balance_by_office_and_goods),
        cmocka_unit_test(what_is_due_back_stands_first_and_sheets_recur),
        cmocka_unit_test(a_copy_is_entered_and_holds_no_formula),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
