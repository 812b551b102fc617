/*
 * What pages are shown of cases: one case whole, lists by what is due, the
 * drawing of its flow, notices, taking over; what is secret stays out, what is
 * not this seat's is not there.
 */
#include <stdlib.h>

#include "features/cases/cases.h"
#include "features/host/test_desk.h"
#include "kit/os/os.h"

static const char *engines[2];
static size_t n_engines;

static const struct puan_node *by_id(const struct puan_node *list,
                                     const char *id)
{
    PUAN_NODE_EACH(c, list)
    if (puan_str_is(puan_node_str_opt(c, "id", ""), id))
        return c;
    fail_msg("no \"%s\" in the list", id);
    return NULL;
}

#define OPEN                                                                   \
    "{'area':'370883001','flow':'incident','fields':{'class':'technical',"     \
    "'level':'yellow','title':'uploads fail'}}"
#define REPORT                                                                 \
    "{'transition':'report','fields':{'happened':'2020-11-02T07:30:00+08:00'," \
    "'place':'A','cause':'unknown','details':'d','loss':'none',"               \
    "'scope':'wider','trend':'steady','measures':'m','way':'phone'}}"

static void a_case_says_what_is_due_and_what_is_locked(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        const struct puan_node *v, *a;
        const char *town, *duty, *risk, *lead;

        desk_county(engines[e], "sm");
        town = seat("t", "township-office", TOWN);
        duty = seat("d", "duty-officer", COUNTY);
        risk = seat("o", "risk-office", COUNTY);
        lead = seat("l", "leading-group", COUNTY);
        assert_int_equal(call(town, "POST", "/cases", OPEN), 201);
        assert_int_equal(call(duty, "GET", "/cases/1", NULL), 200);
        v = tree();
        assert_true(is(v, "number", "2020-001") && is(v, "level", "yellow") &&
                    is(v, "title_zh", "uploads fail") &&
                    is(v, "class_zh", "二类（技术）") && is(v, "expect", "1"));
        /* woken: take it over first, in ten minutes */
        a = puan_node_get(v, "now");
        assert_true(is(a, "do", "take") && is(a, "mine", "true") &&
                    is(a, "clock", "answer"));
        assert_int_equal(call(duty, "POST", "/cases/1/take", "{}"), 200);
        assert_int_equal(call(duty, "POST", "/cases/1/take", "{}"), 409);
        assert_int_equal(call(duty, "GET", "/cases/1", NULL), 200);
        v = tree();
        a = puan_node_get(v, "now");
        assert_true(is(a, "do", "step") && is(a, "id", "first_aid") &&
                    is(a, "mine", "true") && is(a, "authority", "own"));
        assert_true(is(by_id(puan_node_get(v, "clocks"), "answer"), "state",
                       "stopped"));
        assert_true(is(by_id(puan_node_get(v, "acts"), "report"), "mine",
                       "true"));
        /* the other seat sees that it waits */
        assert_int_equal(call(lead, "GET", "/cases/1", NULL), 200);
        assert_true(is(puan_node_get(tree(), "now"), "mine", "false"));

        assert_int_equal(call(town, "POST", "/cases/1/act", REPORT), 200);
        assert_int_equal(
            call(risk, "POST", "/cases/1/act", "{'transition':'inform'}"),
            200);
        assert_int_equal(call(lead, "GET", "/cases/1", NULL), 200);
        a = by_id(puan_node_get(tree(), "acts"), "start");
        assert_true(is(a, "mine", "true"));
        assert_true(says("\"kind\":\"approval\",\"id\":\"start\",\"zh\":"
                         "\"缺少批准：启动批准\""));
        /* the report's eight fields are filled */
        assert_true(says("\"missing\":[],\"last\":"));
        assert_int_equal(call(risk, "POST", "/cases/1/ask",
                              "{'approval':'start'}"),
                         200);
        assert_int_equal(call(lead, "GET", "/cases/1", NULL), 200);
        v = tree();
        assert_true(is(puan_node_get(v, "now"), "do", "sign"));
        assert_true(is(by_id(puan_node_get(v, "approvals"), "start"),
                       "may_sign", "true"));
        assert_int_equal(call(risk, "GET", "/cases/1", NULL), 200);
        a = by_id(puan_node_get(tree(), "approvals"), "start");
        assert_true(is(a, "may_sign", "false") && is(a, "excluded", "true"));
        /* an event entered an hour after it happened is marked */
        puan_fix_clock_ms(fix, T0 + 2 * HOUR);
        assert_int_equal(call(duty, "POST", "/cases/1/step",
                              "{'step':'first_aid','at':"
                              "'2020-11-02T08:59:00+08:00'}"),
                         200);
        assert_int_equal(call(duty, "GET", "/cases/1", NULL), 200);
        assert_true(says("\"late\":true"));
        /* another township knows nothing of it */
        town = seat("x", "township-office", 370883002);
        assert_int_equal(call(town, "GET", "/cases/1", NULL), 404);
        assert_int_equal(call(town, "GET", "/cases/1/diagram.svg", NULL), 404);
        assert_int_equal(call(town, "GET", "/cases", NULL), 200);
        assert_true(says("\"total\":0"));
        puan_fix_end(fix);
    }
}

static void a_list_goes_by_what_is_mine_and_due(void **state)
{
    const struct puan_node *v, *row;
    const char *town, *duty, *lead, *risk;

    (void)state;
    desk_county(NULL, "sm");
    town = seat("t", "township-office", TOWN);
    duty = seat("d", "duty-officer", COUNTY);
    risk = seat("o", "risk-office", COUNTY);
    lead = seat("l", "leading-group", COUNTY);
    assert_int_equal(call(town, "POST", "/cases", OPEN), 201);
    assert_int_equal(call(town, "POST", "/cases", OPEN), 201);
    assert_int_equal(call(duty, "POST", "/cases/2/take", "{}"), 200);
    assert_int_equal(call(duty, "GET", "/cases", NULL), 200);
    v = tree();
    assert_true(is(v, "total", "2"));
    row = puan_node_at(puan_node_get(v, "items"), 0);
    /* the one nobody has taken is due first */
    assert_true(is(row, "id", "1") && is(row, "group", "soon") &&
                is(puan_node_get(row, "next_act"), "do", "take"));
    row = puan_node_at(puan_node_get(v, "items"), 1);
    assert_true(is(row, "number", "2020-002") &&
                is(puan_node_get(row, "next_act"), "id", "first_aid"));
    assert_int_equal(call(lead, "GET", "/cases?group=others", NULL), 200);
    assert_true(says("\"total\":2") && says("\"waits_zh\":\"值班员"));
    /* time alone moves it to what is overdue */
    puan_fix_clock_ms(fix, T0 + HOUR);
    assert_int_equal(call(duty, "GET", "/cases?group=overdue", NULL), 200);
    assert_true(says("\"total\":1") && says("\"overdue\":1"));
    assert_int_equal(call(duty, "GET", "/cases?group=yesterday", NULL), 400);
    assert_int_equal(call(duty, "GET", "/cases?limit=1", NULL), 200);
    assert_true(says("\"total\":2") && says("\"next\":1"));
    assert_int_equal(call(duty, "GET", "/cases?limit=1&cursor=1", NULL), 200);
    assert_true(says("\"next\":null"));
    /* what it was told, and taking all of it by one act */
    assert_int_equal(call(duty, "GET", "/notices", NULL), 200);
    assert_true(says("\"vacant\":"));
    /* what has ended leaves the open list */
    assert_int_equal(call(risk, "POST", "/cases/2/act",
                          "{'transition':'keep_local','fields':"
                          "{'scope':'one_city'}}"),
                     200);
    assert_int_equal(call(duty, "GET", "/cases?open=true", NULL), 200);
    assert_true(says("\"total\":1"));
    assert_int_equal(call(duty, "GET", "/cases?state=local", NULL), 200);
    assert_true(says("\"total\":1") && says("\"group\":\"ended\""));
    puan_fix_end(fix);
}

static void a_report_from_the_public_is_for_its_seats_only(void **state)
{
    const char *town, *law, *duty, *lead;

    (void)state;
    desk_county(NULL, "sm");
    town = seat("t", "township-office", TOWN);
    law = seat("e", "enforcement", COUNTY);
    duty = seat("d", "duty-officer", COUNTY);
    lead = seat("l", "leading-group", COUNTY);
    assert_int_equal(call(NULL, "POST", "/public/reports",
                          "{'area':'370883001','kind':'conduct','text':"
                          "'SENTINEL the town officer','contact':'CONTACT'}"),
                     201);
    /* those it may be about do not see that it is there */
    assert_int_equal(call(town, "GET", "/cases", NULL), 200);
    assert_true(says("\"total\":0"));
    assert_int_equal(call(town, "GET", "/cases/1", NULL), 404);
    assert_int_equal(call(town, "POST", "/cases/1/evidence",
                          "{'evidence':[]}"),
                     404);
    assert_int_equal(call(law, "GET", "/cases", NULL), 200);
    assert_true(says("举报查处：普查人员行为不当") && says("\"mine\":true"));
    assert_false(says("SENTINEL") || says("CONTACT"));
    assert_int_equal(call(law, "GET", "/cases/1", NULL), 200);
    assert_true(says("SENTINEL"));
    /* the duty officer's clearance is lower: the words stay sealed */
    assert_int_equal(call(duty, "GET", "/cases/1", NULL), 200);
    assert_false(says("SENTINEL") || says("CONTACT"));
    assert_int_equal(call(lead, "GET", "/cases/1", NULL), 200);
    assert_true(says("\"do\":\"act\"") || says("\"do\":\"ask\""));
    puan_fix_end(fix);
}

/* No script, no style, nothing from a text that could become markup. */
static const struct puan_node *how(const struct puan_node *v, const char *word,
                                   const char *flow)
{
    PUAN_NODE_EACH(c, puan_node_get(v, "links"))
    if (is(c, "how", word) && is(c, "flow", flow))
        return c;
    return NULL;
}

static void a_case_names_those_that_wait_for_it(void **state)
{
    const char *duty, *publicity, *town;

    (void)state;
    desk_county(NULL, "sm");
    duty = seat("d", "duty-officer", COUNTY);
    publicity = seat("p", "publicity", COUNTY);
    town = seat("t", "township-office", 370883002);
    assert_int_equal(call(publicity, "POST", "/cases",
                          "{'area':'370883','flow':'statement','fields':"
                          "{'title':'line'}}"),
                     201);
    assert_int_equal(call(duty, "POST", "/cases",
                          "{'area':'370883','flow':'leak','fields':{'title':"
                          "'l','known_elsewhere':false}}"),
                     201);
    /* the leak says what waits for its end */
    assert_int_equal(call(publicity, "GET", "/cases/1", NULL), 200);
    assert_null(how(tree(), "holds", "leak"));
    assert_int_equal(call(duty, "GET", "/cases/2", NULL), 200);
    assert_non_null(how(tree(), "holds", "statement"));
    assert_null(how(tree(), "blocks", "statement"));
    /* a leak in one township does not hold up what another says */
    assert_int_equal(call(town, "POST", "/cases",
                          "{'area':'370883002','flow':'leak','fields':{'title':"
                          "'m','known_elsewhere':false}}"),
                     201);
    assert_int_equal(call(seat("q", "publicity", COUNTY), "POST", "/cases",
                          "{'area':'370883001','flow':'statement','fields':"
                          "{'title':'other'}}"),
                     201);
    assert_int_equal(call(town, "GET", "/cases/3", NULL), 200);
    PUAN_NODE_EACH(c, puan_node_get(tree(), "links"))
    assert_false(is(c, "how", "holds") && is(c, "id", "4"));
    puan_fix_end(fix);
}

static void a_drawing_is_only_a_drawing(void **state)
{
    static const char *const never[] = { "<script", "style=", "onload",
                                         "href=", "<foreignObject", "<image",
                                         "&lt;b&gt;<", "url(http" };
    const char *town;

    (void)state;
    desk_county(NULL, "sm");
    town = seat("t", "township-office", TOWN);
    assert_int_equal(call(town, "POST", "/cases",
                          "{'area':'370883001','flow':'incident','fields':"
                          "{'class':'technical','title':"
                          "'<script>alert(1)</script>'}}"),
                     201);
    assert_int_equal(call(town, "GET", "/cases/1/diagram.svg", NULL), 200);
    assert_true(says("<svg") && says("pf-now") && says("已发现"));
    for (size_t i = 0; i < PUAN_COUNT(never); i++)
        if (says(never[i]))
            fail_msg("the drawing holds %s", never[i]);
    assert_int_equal(call(town, "GET", "/cases/1/diagram.svg?lang=en", NULL),
                     200);
    assert_true(says("Found") && !says("已发现"));
    assert_int_equal(call(town, "GET", "/cases/1/diagram.svg?lang=xx", NULL),
                     400);
    puan_fix_end(fix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_case_says_what_is_due_and_what_is_locked),
        cmocka_unit_test(a_list_goes_by_what_is_mine_and_due),
        cmocka_unit_test(a_report_from_the_public_is_for_its_seats_only),
        cmocka_unit_test(a_case_names_those_that_wait_for_it),
        cmocka_unit_test(a_drawing_is_only_a_drawing),
    };

    n_engines = puan_fix_engines(engines);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
