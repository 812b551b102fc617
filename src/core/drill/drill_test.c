/*
 * A drill that cannot be run or judged is refused with place and remedy; what
 * happened is judged by step and time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/test_heap.h"
#include "core/drill/drill.h"

#define FLOW                                                                   \
    "{'flow':'incident','version':1,'zh':'t','en':'t','owner':'office',"       \
    "'subject':'area','in_force':'issue',"                                     \
    "'seats':{'system':{'seat':'system@any'},'duty':{'seat':'duty@any'},"      \
    "'office':{'seat':'office@any'}},"                                         \
    "'fields':{'title':{'type':'text','required_at':['open']},"                \
    "'class':{'type':'enum','of':['rain','fire']},"                            \
    "'plan':{'type':'text'},'held_at':{'type':'time'},"                        \
    "'taking_part':{'type':'int'},'result':{'type':'text'},"                   \
    "'improvements':{'type':'text'}},"                                         \
    "'states':{'initial':'found','active':['reported'],'terminal':['closed']},"\
    "'open':{'by':['system','duty'],'sets':['class','plan','held_at',"         \
    "'taking_part','result','improvements']},"                                 \
    "'transitions':[{'id':'report','from':'found','to':'reported','by':'duty'},"\
    "{'id':'close','from':'reported','to':'closed','by':'office'}],"           \
    "'steps':[{'id':'aid','authority':'own','by':['duty'],'optional':true}],"  \
    "'clocks':{'up':{'start':'open','stop':['report'],'limit':'1h',"           \
    "'overdue':['office']}}}"

#define DRILL                                                                  \
    "{'drill':'flood','version':1,'zh':'t','en':'t','of':'incident',"          \
    "'level':'county','every':'180d','length':'4h','lead':'office',"           \
    "'contacts':['duty','office@county'],'goal':{'zh':'g','en':'g'},"          \
    "'register':'incident','pass':50,"                                         \
    "'injects':[{'id':'rain','at':'0','zh':'r','en':'r','to':['duty'],"        \
    "'open':'incident','fields':{'title':'water','class':'rain'}},"            \
    "{'id':'press','at':'1h','zh':'p','en':'p','to':['office']}],"             \
    "'expect':[{'id':'heard','heard':'rain','within':'10m','points':10,"       \
    "'zh':'h','en':'h'},"                                                      \
    "{'id':'report','act':'report','by':'duty','after':'rain','within':'30m'," \
    "'points':20,'late':5,'zh':'r','en':'r'},"                                 \
    "{'id':'up','clock':'up','points':10,'late':2,'zh':'u','en':'u'},"         \
    "{'id':'early','act':'close','never':true,'within':'30m','points':10,"     \
    "'zh':'e','en':'e'},"                                                      \
    "{'id':'press','observed':true,'after':'press','points':10,'zh':'p',"      \
    "'en':'p'}]}"

static const struct puan_level levels[] = { { .id = { "county", 6 } } };
static const struct puan_role roles[] = {
    { .id = { "duty", 4 } },
    { .id = { "office", 6 } },
    { .id = { "mayor", 5 }, .external = true },
    { .id = { "idle", 4 } },
};
static const struct puan_plan plan = { .level = levels,
                                       .n_levels = PUAN_COUNT(levels),
                                       .role = roles,
                                       .n_roles = PUAN_COUNT(roles) };
static const struct puan_flow_role flow_roles[] = { { { "duty", 4 }, false },
                                                    { { "office", 6 }, false } };
static const struct puan_str flow_levels[] = { { "county", 6 } };

static struct puan_arena arena;
static struct puan_err err;
static struct puan_flows flows;

static struct puan_node *tree_of(const char *text)
{
    struct puan_node *tree = NULL;
    char *t = (char *)(uintptr_t)puan_arena_fmt(&arena, "%s", text);

    for (char *c = t; *c; c++)
        if (*c == '\'')
            *c = '"';
    if (puan_json_tree(&tree, puan_str_of(t), "drill.yaml", &arena, &err) !=
        PUAN_OK)
        fail_msg("%s", err.text);
    return tree;
}

static int setup(void **state)
{
    static const struct puan_flow *list[1];
    const struct puan_flow_env env = { .roles = flow_roles,
                                       .n_roles = PUAN_COUNT(flow_roles),
                                       .levels = flow_levels,
                                       .n_levels = 1 };
    struct puan_flow *f = NULL;

    (void)state;
    puan_arena_init(&arena, &puan_test_heap);
    if (puan_flow_load(&f, tree_of(FLOW), &env, &arena, &err) != PUAN_OK)
        fail_msg("%s", err.text);
    list[0] = f;
    flows = (struct puan_flows){ list, 1 };
    return 0;
}
static int teardown(void **state)
{
    (void)state;
    puan_arena_clear(&arena);
    return 0;
}

/* The drill with `from` made `to`. */
static enum puan_status load(struct puan_drill **d, const char *from,
                             const char *to)
{
    const char *at = strstr(DRILL, from);

    if (at == NULL)
        fail_msg("no %s", from);
    err = (struct puan_err){ 0 };
    return puan_drill_load(d,
                           tree_of(puan_arena_fmt(&arena, "%.*s%s%s",
                                                  (int)(at - DRILL), DRILL, to,
                                                  at + strlen(from))),
                           &plan, &flows, &arena, &err);
}

static void refused(const char *from, const char *to, const char *why)
{
    struct puan_drill *d;

    assert_int_equal(load(&d, from, to), PUAN_EINVAL);
    if (strstr(err.text, why) == NULL)
        fail_msg("%s -> %s: %s", from, to, err.text);
    assert_true(err.line > 0);
}

static void what_cannot_be_run_or_judged_is_refused(void **state)
{
    struct puan_drill *d;

    (void)state;
    assert_int_equal(load(&d, "'t'", "'t'"), PUAN_OK);
    assert_int_equal(d->n_injects, 2);
    assert_int_equal(d->points, 60);
    refused("'of':'incident'", "'of':'nothing'", "no workflow");
    refused("'of':'incident',", "", "say one of the two");
    refused("'of':'incident'", "'does':'wonders'", "use restore, tamper or load");
    refused("'level':'county'", "'level':'moon'", "no level");
    refused("'every':'180d'", "'every':'often'", "length of time");
    refused("'every':'180d'", "'every':'setting.often'", "no setting");
    refused("'lead':'office'", "'lead':'mayor'", "stands outside");
    refused("'contacts':['duty',", "'contacts':['nobody',", "no role");
    refused("'office@county'", "'office@moon'", "no level");
    refused("'office@county'", "'duty'", "stands twice");
    refused("'register':'incident'", "'register':'x'", "no workflow");
    refused("'register':'incident'", "'improve':'incident'", "no field");
    refused("'to':['duty']", "'to':['idle']", "no contact");
    refused("'to':['office']", "'to':[]", "tells somebody");
    refused("'at':'1h'", "'at':'5h'", "over by then");
    refused("'id':'press','at'", "'id':'rain','at'", "stands twice");
    refused("'at':'0'", "'at':'2h'", "order of their times");
    refused("'title':'water',", "", "needs the field");
    refused("'class':'rain'", "'class':'snow'", "no word of that field");
    refused("'class':'rain'", "'colour':'red'", "no field");
    refused("'heard':'rain'", "'heard':'wind'", "no inject");
    refused("'act':'report'", "'act':'fly'", "no transition");
    refused("'act':'report'", "'step':'fly'", "no step");
    refused("'act':'report'", "'step':'aid','act':'report'", "one thing");
    refused("'act':'report'", "'measured':'restore'", "only a technical");
    refused("'by':'duty','after'", "'by':'idle','after'", "takes no part");
    refused("'after':'rain'", "'after':'snow'", "no inject");
    refused("'clock':'up'", "'clock':'down'", "no clock");
    refused("'clock':'up'", "'clock':'up','within':'1h'", "take `within` out");
    refused("'points':10,'zh':'h'", "'points':10,'late':11,'zh':'h'", "late");
    refused("'never':true,", "'never':true,'late':1,", "nothing is late");
    refused("'pass':50", "'pass':0", "pass");
    refused("'drill':'flood'", "'drill':'flood','x':1", "unknown key");
}

static const struct puan_drill_times begun = { .start_ms = 1000000,
                                               .now_ms = 1000000,
                                               .sent_ms = { 1000000 } };
#define MIN 60000

static void what_happened_is_judged_by_step_and_time(void **state)
{
    const struct puan_str flow = PUAN_STR("incident"), duty = PUAN_STR("duty");
    struct puan_drill_mark m[] = {
        { PUAN_DRILL_HEARD, PUAN_STR("rain"), PUAN_STR(""), duty,
          1000000 + 5 * MIN, true },
        { PUAN_DRILL_ACT, PUAN_STR("report"), flow, PUAN_STR("office"),
          1000000 + 10 * MIN, true },
        { PUAN_DRILL_ACT, PUAN_STR("report"), flow, duty, 1000000 + 40 * MIN,
          true },
        { PUAN_DRILL_CLOCK, PUAN_STR("up"), flow, duty, 1000000 + 40 * MIN,
          true },
        { PUAN_DRILL_OBSERVED, PUAN_STR("press"), PUAN_STR(""),
          PUAN_STR("office"), 1000000 + 200 * MIN, true },
        { PUAN_DRILL_OBSERVED, PUAN_STR("press"), PUAN_STR(""),
          PUAN_STR("office"), 1000000 + 210 * MIN, false },
    };
    struct puan_drill_times t = begun;
    struct puan_drill_result r;
    struct puan_drill *d;

    (void)state;
    assert_int_equal(load(&d, "'t'", "'t'"), PUAN_OK);
    puan_drill_judge(&r, d, &t, m, 0);
    assert_int_equal(r.waiting, 5);
    assert_int_equal(r.verdict[0].due_ms, 1000000 + 10 * MIN);
    assert_false(r.passed);
    /* nobody has answered by then: missed, and nothing is passed yet */
    t.now_ms = 1000000 + 31 * MIN;
    puan_drill_judge(&r, d, &t, m, 0);
    assert_int_equal(r.verdict[0].state, PUAN_DRILL_MISSED);
    assert_int_equal(r.verdict[1].state, PUAN_DRILL_MISSED);
    assert_int_equal(r.verdict[3].state, PUAN_DRILL_MET); /* it did not happen */
    assert_int_equal(r.verdict[4].state, PUAN_DRILL_WAITING);
    /* done by the right role, too late; by another it does not count */
    t.now_ms = 1000000 + 60 * MIN;
    puan_drill_judge(&r, d, &t, m, 4);
    assert_int_equal(r.verdict[0].state, PUAN_DRILL_MET);
    assert_int_equal(r.verdict[1].state, PUAN_DRILL_LATE);
    assert_int_equal(r.verdict[1].points, 5);
    assert_int_equal(r.verdict[1].mark, 2);
    assert_int_equal(r.verdict[2].state, PUAN_DRILL_MET);
    /* ended before the second inject: what hangs on it does not count */
    t.end_ms = t.now_ms = 1000000 + 240 * MIN;
    puan_drill_judge(&r, d, &t, m, 4);
    assert_int_equal(r.untested, 1);
    assert_int_equal(r.full, 50);
    assert_int_equal(r.points, 35);
    assert_true(r.passed);
    /* sent and observed: the last word of the observer counts */
    t.sent_ms[1] = 1000000 + 60 * MIN;
    puan_drill_judge(&r, d, &t, m, 5);
    assert_int_equal(r.points, 45);
    puan_drill_judge(&r, d, &t, m, 6);
    assert_int_equal(r.verdict[4].state, PUAN_DRILL_MISSED);
    assert_int_equal(r.full, 60);
    assert_int_equal(r.points, 35);
}

static void what_must_not_happen_costs_its_points(void **state)
{
    struct puan_drill_mark m[] = {
        { PUAN_DRILL_ACT, PUAN_STR("close"), PUAN_STR("incident"),
          PUAN_STR("office"), 1000000 + 5 * MIN, true },
        { PUAN_DRILL_CLOCK, PUAN_STR("up"), PUAN_STR("incident"),
          PUAN_STR(""), 1000000 + 90 * MIN, false },
    };
    struct puan_drill_times t = begun;
    struct puan_drill_result r;
    struct puan_drill *d;

    (void)state;
    assert_int_equal(load(&d, "'t'", "'t'"), PUAN_OK);
    t.now_ms = 1000000 + 6 * MIN;
    puan_drill_judge(&r, d, &t, m, 1);
    assert_int_equal(r.verdict[3].state, PUAN_DRILL_MISSED);
    m[0].at_ms = 1000000 + 31 * MIN; /* after its time it may */
    t.now_ms = 1000000 + 91 * MIN;
    puan_drill_judge(&r, d, &t, m, 2);
    assert_int_equal(r.verdict[3].state, PUAN_DRILL_MET);
    assert_int_equal(r.verdict[2].state, PUAN_DRILL_LATE);
    assert_int_equal(r.verdict[2].points, 2);
    t.end_ms = t.now_ms;
    puan_drill_judge(&r, d, &t, m, 2);
    assert_int_equal(r.points, 12);
    assert_false(r.passed);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_cannot_be_run_or_judged_is_refused),
        TEST(what_happened_is_judged_by_step_and_time),
        TEST(what_must_not_happen_costs_its_points),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
