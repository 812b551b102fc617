/*
 * The plan library over HTTP: what stands in the plan is told whole, runs are
 * told with the version they began with and who signed their start, and what
 * is not this seat's is not counted for it.
 */
#include "features/library/library.h"

#include <stdlib.h>
#include <unistd.h>

#include "features/host/test_desk.h"
#include "features/plans/plans.h"
#include "kit/crypto/crypto.h"
#include "kit/os/os.h"

#define OPEN                                                                   \
    "{'area':'370883001','flow':'incident','fields':{'class':'technical',"     \
    "'level':'yellow','title':'uploads fail'}}"
#define REPORT                                                                 \
    "{'transition':'report','fields':{'happened':'2020-11-02T07:30:00+08:00'," \
    "'place':'A','cause':'unknown','details':'d','loss':'none',"               \
    "'scope':'wider','trend':'steady','measures':'m','way':'phone'}}"

static void a_workflow_is_told_whole(void **state)
{
    const struct puan_node *v, *x;
    const char *duty;

    (void)state;
    desk_county(NULL, "sm");
    duty = seat("d", "duty-officer", 370883);
    assert_int_equal(call(duty, "GET", "/library/incident", NULL), 200);
    v = tree();
    assert_true(is(v, "group", "event") && is(v, "standing", "trial") &&
                is(v, "pack", "cn-office-gx") &&
                is(v, "file", "flows/incident.yaml"));
    x = in(v, "states", "id", "found");
    assert_true(is(x, "is", "first") && is(x, "zh", "已发现"));
    x = in(v, "steps", "id", "call_up");
    assert_true(is(x, "authority", "order") && is(x, "optional", "true") &&
                puan_node_get(x, "when_zh") != NULL);
    x = in(v, "transitions", "id", "start");
    assert_true(is(x, "to", "active") && is(x, "approval", "start"));
    x = in(v, "approvals", "id", "end");
    assert_true(is(x, "rule", "one") && is(x, "not_requester", "true"));
    /* a word without a figure stands beside its setting */
    x = puan_node_get(in(v, "clocks", "id", "second"), "setting");
    assert_true(x != NULL && is(x, "id", "at_once"));
    /* a deadline of a recurrence is nobody's; it is told apart */
    assert_int_equal(call(duty, "GET", "/library/room_check", NULL), 200);
    v = tree();
    assert_true(is(puan_node_get(v, "recurrence"), "every", "week"));
    PUAN_NODE_EACH(c, puan_node_get(v, "clocks"))
    assert_false(is(c, "id", "recurrence"));
    assert_int_equal(call(duty, "GET", "/library/nothing", NULL), 404);
    puan_fix_end(fix);
}

static void runs_are_told_with_their_version_and_acts(void **state)
{
    const struct puan_node *v, *run, *act;
    const char *town, *duty, *risk, *lead;
    uint8_t d[PUAN_DIGEST_SIZE];
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    (void)state;
    desk_county(NULL, "sm");
    town = seat("t", "township-office", 370883001);
    duty = seat("d", "duty-officer", 370883);
    risk = seat("o", "risk-office", 370883);
    lead = seat("l", "leading-group", 370883);
    assert_int_equal(call(town, "POST", "/cases", OPEN), 201);
    assert_int_equal(call(town, "POST", "/cases/1/act", REPORT), 200);
    assert_int_equal(
        call(risk, "POST", "/cases/1/act", "{'transition':'inform'}"), 200);
    assert_int_equal(call(risk, "POST", "/cases/1/ask", "{'approval':'start'}"),
                     200);
    puan_fix_covered(d, fix, 1, "start");
    puan_hex(hex, d, sizeof d);
    assert_int_equal(call(lead, "POST", "/cases/1/sign",
                          puan_arena_fmt(&fix->a,
                                         "{'approval':'start','yes':true,"
                                         "'digest':'%s'}",
                                         hex)),
                     200);
    assert_int_equal(call(lead, "GET", "/library/incident", NULL), 200);
    run = puan_node_at(puan_node_get(tree(), "runs"), 0);
    assert_int_equal(puan_node_get(run, "acts")->n, 0); /* signed, not begun */
    assert_int_equal(
        call(lead, "POST", "/cases/1/act", "{'transition':'start'}"), 200);
    assert_int_equal(call(duty, "GET", "/library/incident", NULL), 200);
    v = tree();
    assert_true(is(puan_node_get(v, "counts"), "open", "1"));
    run = puan_node_at(puan_node_get(v, "runs"), 0);
    assert_true(is(run, "number", "2020-001") && is(run, "version", "1") &&
                is(run, "old", "false") && is(run, "state", "active"));
    act = in(run, "acts", "id", "start");
    assert_true(is(puan_node_at(puan_node_get(act, "signed"), 0), "id",
                   "leaders"));
    assert_int_equal(call(duty, "GET", "/library", NULL), 200);
    v = tree();
    act = in(v, "items", "flow", "incident");
    assert_true(is(act, "open", "1") && is(act, "old", "0"));
    assert_true(is(in(puan_node_get(v, "plan"), "packs", "name",
                      "cn-office-gx"),
                   "overlay", "false"));
    /* two orders under one incident name each other */
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            call(lead, "POST", "/cases/1/act",
                 "{'transition':'direct','fields':{'order_text':'o',"
                 "'order_due':'2020-11-03T08:00:00+08:00','responsible':'r',"
                 "'commander':'c'}}"),
            200);
    assert_int_equal(call(lead, "GET", "/cases/2", NULL), 200);
    assert_true(is(in(tree(), "links", "how", "parent"), "id", "1") &&
                is(in(tree(), "links", "how", "beside"), "id", "3"));
    /* another township: the plan is the same, the run is not its own */
    town = seat("x", "township-office", 370883002);
    assert_int_equal(call(town, "GET", "/library/incident", NULL), 200);
    assert_int_equal(puan_node_get(tree(), "runs")->n, 0);
    assert_int_equal(call(town, "GET", "/library", NULL), 200);
    assert_true(is(in(tree(), "items", "flow", "incident"), "open", "0"));
    /* of what the public may report only its own seats learn how much */
    assert_null(puan_node_get(in(tree(), "items", "flow", "violation"),
                              "open"));
    puan_fix_end(fix);
}

/* The trial plan with a lower office's pack over it: one deadline shorter. */
static void begin_with_overlay(void)
{
    struct puan_plan_held *h = NULL;
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    const char *dir;
    char *real = realpath("plans/zz-test", NULL);

    assert_non_null(real);
    fix = puan_fix_begin(NULL);
    ok(puan_plan_load_dir(&h, "plans/zz-test", puan_digest_sm3(), err));
    puan_hex(hex, puan_plan_held_plan(h)->pack[0].digest, PUAN_DIGEST_SIZE);
    puan_plan_close(h);
    dir = puan_arena_fmt(&fix->a, "%s/packs", fix->root);
    ok(puan_dir_make(puan_arena_fmt(&fix->a, "%s/stricter", dir), err));
    assert_int_equal(
        symlink(real, puan_arena_fmt(&fix->a, "%s/zz-test", dir)), 0);
    free(real);
    ok(puan_file_write(
        puan_arena_fmt(&fix->a, "%s/stricter/plan.yaml", dir),
        puan_str_of(puan_arena_fmt(
            &fix->a,
            "plan: stricter\nversion: \"1\"\nscope: campaign\nzh: 严\nen: "
            "Stricter\noverlay_of: zz-test@%s\nsettings:\n  at_once: {value: "
            "20m, zh: 立即, en: At once}\n",
            hex)),
        0644, err));
    puan_fix_create(fix, "demo", puan_arena_fmt(&fix->a, "%s/stricter", dir),
                    "sm");
    puan_fix_open(fix);
    puan_fix_import(fix, PUAN_IMPORT_AREAS,
                    "code,parent,level,name_zh,name_en\n"
                    "11,,canton,州,Canton\n");
    puan_fix_clock_ms(fix, T0);
    puan_fix_serve(fix, 2, 1);
}

static void what_a_lower_office_tightens_is_seen(void **state)
{
    const struct puan_node *packs, *over;

    (void)state;
    begin_with_overlay();
    assert_int_equal(call(seat("r", "canton-registrar", 11), "GET", "/library",
                          NULL),
                     200);
    packs = puan_node_get(tree(), "plan");
    assert_true(is(in(packs, "packs", "name", "zz-test"), "overlay", "false"));
    over = in(packs, "packs", "name", "stricter");
    assert_true(is(over, "overlay", "true"));
    over = in(over, "changes", "id", "at_once");
    assert_true(is(over, "text", "20m") && is(over, "zh", "立即"));
    puan_fix_end(fix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_workflow_is_told_whole),
        cmocka_unit_test(runs_are_told_with_their_version_and_acts),
        cmocka_unit_test(what_a_lower_office_tightens_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
