/*
 * Tests of the workflow model: what the loader refuses, and the laws of a run.
 * Definitions are JSON with ' for ", read by the same tree as YAML.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/test_heap.h"
#include "core/flow/flow.h"
#include "core/flow/look.h"

/* Enough of a digest to tell texts apart (FNV-1a, four lanes). */
static void fnv(void *ctx, uint8_t out[PUAN_DIGEST_SIZE],
                const struct puan_str *parts, size_t n)
{
    uint64_t h[4] = { 1469598103934665603u, 2, 3, 4 };

    (void)ctx;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < parts[i].n; k++)
            for (size_t l = 0; l < 4; l++)
                h[l] = (h[l] ^ (uint8_t)parts[i].p[k]) * 1099511628211u;
    memcpy(out, h, PUAN_DIGEST_SIZE);
}
static const struct puan_digest_fn digest = { "fnv", NULL, fnv, NULL };

#define HOUR INT64_C(3600000)
#define T0 INT64_C(1604188800000) /* 2020-11-01T00:00:00Z, a Sunday */

static const struct puan_flow_role roles[] = {
    { { "duty", 4 }, false },   { { "office", 6 }, false },
    { { "leaders", 7 }, false }, { { "expert", 6 }, false },
    { { "crew", 4 }, false },   { { "upper", 5 }, true },
};
static const struct puan_str levels[] = { { "province", 8 }, { "county", 6 },
                                          { "township", 8 } };
static const struct puan_flow_setting settings[] = {
    { { "at_once", 7 }, { "30m", 3 } },
    { { "top", 3 }, { "county", 6 } },
};
static const struct puan_str flows[] = { { "incident", 8 }, { "statement", 9 } };
static const struct puan_office_hours hours = {
    .offset_minutes = 480, .from_minute = 540, .to_minute = 1020,
    .weekdays = 0x1f,
};
static const struct puan_flow_env env = {
    roles, PUAN_COUNT(roles), levels, PUAN_COUNT(levels), settings,
    PUAN_COUNT(settings), flows, PUAN_COUNT(flows), &hours
};

struct fix {
    struct puan_arena a;
    struct puan_err err;
    struct puan_flow *flow;
    struct puan_flow_run run;
    struct puan_flow_decision dec;
    struct puan_flow_world world;
    int64_t now;
};

static struct puan_str json_of(struct puan_arena *a, const char *s)
{
    size_t n = strlen(s);
    char *p = puan_arena_get(a, n + 1);

    for (size_t i = 0; i < n; i++)
        p[i] = s[i] == '\'' ? '"' : s[i];
    return (struct puan_str){ p, n };
}

static enum puan_status load(struct fix *x, const char *text)
{
    struct puan_node *tree = NULL;

    x->err = (struct puan_err){ 0 };
    if (puan_json_tree(&tree, json_of(&x->a, text), "t.yaml", &x->a, &x->err))
        return PUAN_EINVAL;
    return puan_flow_load(&x->flow, tree, &env, &x->a, &x->err);
}

/* A class 2 incident, small: two hops, own steps, approvals, a block. */
#define HEAD                                                                   \
    "'flow':'incident','version':1,'owner':'office',"
#define SEATS                                                                  \
    "'seats':{'finder':'any@any','city':'crew@own',"                           \
    "'office':'office@ancestor:setting.top','leaders':'leaders@ancestor:county'," \
    "'expert':'expert@ancestor:county','system':'system@any',"                 \
    "'above':'upper@ancestor:province'},'entered_by':['office'],"
#define FIELDS                                                                 \
    "'fields':{'place':{'type':'text','required_at':['report']},"              \
    "'scope':{'type':'enum','of':['one','wider'],'required_at':['report']},"   \
    "'grade':{'type':'enum','of':['general','gravest'],'by':['leaders'],"      \
    "'required_at':['judge','close']},"                                        \
    "'why':{'type':'text'},'fix':{'type':'text'},"                             \
    "'result':{'type':'text','secret':true}},"
#define REST                                                                   \
    "'states':{'initial':'found','active':['reported','informed','active'],"   \
    "'terminal':['local','closed']},"                                          \
    "'evidence':{'photo':{}},"                                                 \
    "'open':{'by':['finder','system'],'sets':['scope']},"                      \
    "'transitions':["                                                          \
    "{'id':'keep','from':'found','to':'local','by':'city','when':'scope = one'}," \
    "{'id':'report','from':'found','to':'reported','by':'finder','report':'up'}," \
    "{'id':'inform','from':'reported','to':'informed','by':'office'},"         \
    "{'id':'start','from':'informed','to':'active','by':'leaders','needs':{'approval':'start'}}," \
    "{'id':'judge','from':'active','to':'same','by':'leaders'},"               \
    "{'id':'hear','from':'active','to':'same','by':'above'},"                  \
    "{'id':'close','from':'active','to':'closed','by':'leaders',"              \
    "'needs':{'approval':'end','steps':'required','none_open':['estimate']}}],"    \
    "'steps':["                                                                \
    "{'id':'aid','authority':'own','by':'city'},"                              \
    "{'id':'net','authority':'own','by':'city'},"                              \
    "{'id':'app','authority':'own','by':'city','after':['net']},"              \
    "{'id':'fixit','authority':'order','by':'city','optional':true,'needs':{'approval':'unplanned'}}," \
    "{'id':'call','authority':'order','by':'office','ordered_by':'leaders','optional':true}," \
    "{'id':'other','authority':'own','by':'office','opens_at':'alt.due','optional':true}]," \
    "'approvals':{'start':{'rule':'one','seats':['leaders'],'asked_by':['office','leaders']}," \
    "'end':{'rule':'one','seats':['leaders'],'covers':['result'],'expires':'24h'}," \
    "'unplanned':{'rule':'all','seats':['leaders','expert'],'covers':['fix']}}," \
    "'clocks':{'up':{'start':'event.time','stop':['report','keep'],'limit':'24h','warn':['12h','20h'],'overdue':['office','leaders'],'every':'1h'}," \
    "'second':{'start':'report','stop':'inform','limit':'setting.at_once','overdue':['leaders']}," \
    "'alt':{'start':'event.time','stop':'step.app','limit':'8h','overdue':['office']}}," \
    "'reports':{'up':{'to':'office','fields':['place'],'skip_level':{'reason':'why','copy_to':'office'}}}," \
    "'links':{'blocks':[{'flow':'statement','transition':'use','until':'end'}]}," \
    "'atomic':[{'on':'judge','when':'grade = gravest','do':['report:up','notify:leaders']}]"

static const char incident[] = "{" HEAD SEATS FIELDS REST "}";

static int setup(void **state)
{
    struct fix *x = calloc(1, sizeof *x);

    puan_arena_init(&x->a, &puan_test_heap);
    x->world.digest = &digest;
    x->now = T0;
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct fix *x = *state;

    puan_arena_clear(&x->a);
    free(x);
    return 0;
}

static struct puan_flow_who seat(const char *actor, const char *role,
                                 const char *level, int above)
{
    return (struct puan_flow_who){ .actor = puan_str_of(actor),
                                   .role = puan_str_of(role),
                                   .level = puan_str_of(level),
                                   .above = above };
}
#define CREW seat("c1", "crew", "township", 0)
#define OFFICE seat("o1", "office", "county", 1)
#define LEADER seat("l1", "leaders", "county", 1)
#define LEADER2 seat("l2", "leaders", "county", 1)
#define EXPERT seat("e1", "expert", "county", 1)
#define SYSTEM ((struct puan_flow_who){ .system = true })

static struct puan_flow_event event(struct fix *x, enum puan_flow_event_kind k,
                                    const char *name, struct puan_flow_who who,
                                    const char *fields)
{
    struct puan_flow_event e = { .kind = k, .name = puan_str_of(name),
                                 .event_ms = x->now, .entry_ms = x->now,
                                 .who = who };
    struct puan_node *tree = NULL;

    if (fields != NULL) {
        assert_int_equal(puan_json_tree(&tree, json_of(&x->a, fields), "f",
                                        &x->a, NULL),
                         PUAN_OK);
        e.fields = tree;
    }
    return e;
}

static enum puan_status apply(struct fix *x, const struct puan_flow_event *e)
{
    x->err = (struct puan_err){ 0 };
    return puan_flow_apply(&x->dec, &x->run, e, &x->world, &x->err);
}

static enum puan_status did(struct fix *x, enum puan_flow_event_kind k,
                            const char *name, struct puan_flow_who who,
                            const char *fields)
{
    struct puan_flow_event e = event(x, k, name, who, fields);

    return apply(x, &e);
}

static enum puan_status tick(struct fix *x, const char *clock, const char *part)
{
    struct puan_flow_event e = event(x, PUAN_FLOW_TICK, clock, SYSTEM, NULL);

    e.part = puan_str_of(part);
    return apply(x, &e);
}

static enum puan_status sign(struct fix *x, const char *name,
                             struct puan_flow_who who)
{
    struct puan_flow_event e = event(x, PUAN_FLOW_SIGN, name, who, NULL);
    uint8_t seen[PUAN_DIGEST_SIZE];

    puan_flow_covered(seen, &x->run,
                      puan_flow_approval(x->flow, puan_str_of(name)), &digest);
    e.digest = seen;
    e.yes = true;
    return apply(x, &e);
}

static void open_run(struct fix *x)
{
    if (load(x, incident) != PUAN_OK)
        fail_msg("%s:%u:%u %s", x->err.where, x->err.line, x->err.col,
                 x->err.text);
    puan_flow_run_init(&x->run, x->flow);
    assert_int_equal(did(x, PUAN_FLOW_OPEN, "", CREW, NULL), PUAN_OK);
}

/* found -> active, approvals given */
static void to_active(struct fix *x)
{
    open_run(x);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "report", CREW,
                         "{'place':'p','scope':'wider'}"),
                     PUAN_OK);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "inform", OFFICE, NULL), PUAN_OK);
    assert_int_equal(did(x, PUAN_FLOW_ASK, "start", OFFICE, NULL), PUAN_OK);
    assert_int_equal(sign(x, "start", LEADER), PUAN_OK);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "start", LEADER, NULL), PUAN_OK);
}

static int64_t next(struct fix *x, const char **part, int *clock)
{
    int64_t at = -1;

    assert_true(puan_flow_next_tick(clock, part, &at, &x->run));
    return at;
}

/* ---- the loader ------------------------------------------------------- */

static void refuses(struct fix *x, const char *what, const char *seats,
                    const char *fields, const char *rest)
{
    size_t n = strlen(seats) + strlen(fields) + strlen(rest) + 256;
    char *text = malloc(n);
    bool told;

    puan_format(text, n, "{%s%s%s%s}", HEAD, seats, fields, rest);
    if (load(x, text) != PUAN_EINVAL) {
        free(text);
        fail_msg("accepted: %s", what);
    }
    free(text);
    told = strstr(x->err.text, what) != NULL;
    if (!told)
        fail_msg("said \"%s\", not \"%s\"", x->err.text, what);
    assert_string_equal(x->err.where, "t.yaml");
    assert_true(x->err.line > 0 && x->err.col > 0);
}

/* A small flow; `t` its transitions, `more` anything behind. */
static void refuses_small(struct fix *x, const char *what, const char *t,
                          const char *more)
{
    char rest[4096];

    puan_format(rest, sizeof rest,
                "'states':{'initial':'a','active':['b'],'terminal':['z']},"
                "'open':{'by':'city'},'transitions':[%s]%s",
                t, more);
    refuses(x, what,
            "'seats':{'city':'crew@own','sys':'system@any','o':'office@own'},",
            "'fields':{'n':{'type':'int'},'t':{'type':'time'},"
            "'r':{'type':'text','by':['o']}},",
            rest);
}

#define AB "{'id':'ab','from':'a','to':'b','by':'city'}"
#define BZ "{'id':'bz','from':'b','to':'z','by':'city'}"

/* A notice: written, approved by another, out, withdrawn. */
static enum puan_status notice(struct fix *x, const char *transitions,
                               const char *approval, const char *key)
{
    char text[4096];

    puan_format(
        text, sizeof text,
        "{'flow':'incident','version':1,'owner':'office',"
        "'seats':{'city':'crew@own','o':'office@own'},"
        "'fields':{'t':{'type':'text','required_at':['open']},"
        "'x':{'type':'text','required_at':['open']},"
        "'e':{'type':'text','required_at':['open']},"
        "'s':{'type':'text','secret':true,'required_at':['open']}},"
        "'states':{'initial':'a','active':['b'],'terminal':['z']},"
        "'open':{'by':'city'},'transitions':[%s,"
        "{'id':'bz','from':'b','to':'z','by':'city'}],"
        "'approvals':{'p':{'rule':'one','seats':['o'],'asked_by':['city'],%s}},"
        "'notice':%s}",
        transitions, approval, key);
    return load(x, text);
}

static void refuses_notice(struct fix *x, const char *what,
                           const char *transitions, const char *approval,
                           const char *key)
{
    assert_int_equal(notice(x, transitions, approval, key), PUAN_EINVAL);
    if (strstr(x->err.text, what) == NULL)
        fail_msg("said \"%s\", not \"%s\"", x->err.text, what);
}

static void a_notice_goes_out_as_it_was_approved(void **state)
{
    static const char out[] =
        "{'id':'ab','from':'a','to':'b','by':'city','needs':{'approval':'p'}}";
    static const char whole[] = "'covers':['t','x'],'void_on_change':true";
    static const char key[] =
        "{'in':['b'],'over':['z'],'title':'t','text':'x'}";
    struct fix *x = *state;

    if (notice(x, out, whole, key) != PUAN_OK)
        fail_msg("%s", x->err.text);
    assert_int_equal(x->flow->notice.title, 0);
    assert_int_equal(x->flow->notice.text_en, -1);
    assert_true(PUAN_FLOW_HAS(x->flow->notice.in,
                              puan_flow_state(x->flow, PUAN_STR("b"))));
    /* without an approval, or with one that does not bind every word */
    refuses_notice(x, "transition ab makes the notice public",
                   "{'id':'ab','from':'a','to':'b','by':'city'},"
                   "{'id':'aa','from':'a','to':'same','by':'city',"
                   "'needs':{'approval':'p'}}",
                   whole, key);
    refuses_notice(x, "transition ab makes the notice public", out,
                   "'covers':['t'],'void_on_change':true", key);
    refuses_notice(x, "transition ab makes the notice public", out,
                   "'covers':['t','x'],'void_on_change':false", key);
    refuses_notice(x, "transition ab makes the notice public", out, whole,
                   "{'in':['b'],'title':'t','text':'x','text_en':'e'}");
    /* a word changed while it stands */
    refuses_notice(x, "transition bb makes the notice public",
                   "{'id':'ab','from':'a','to':'b','by':'city',"
                   "'needs':{'approval':'p'}},"
                   "{'id':'bb','from':'b','to':'same','by':'city',"
                   "'sets':['x']}",
                   whole, key);
    refuses_notice(x, "does not stand from the start", out, whole,
                   "{'in':['a','b'],'title':'t','text':'x'}");
    refuses_notice(x, "open field of type text", out, whole,
                   "{'in':['b'],'title':'t','text':'s'}");
    refuses_notice(x, "open field of type enum", out, whole,
                   "{'in':['b'],'title':'t','text':'x','kind':'t'}");
    refuses_notice(x, "open field of type text", out, whole,
                   "{'in':['b'],'title':'t'}");
    refuses_notice(x, "none of them also under over", out, whole,
                   "{'in':['b'],'over':['b'],'title':'t','text':'x'}");
}

static void the_loader_names_what_is_wrong(void **state)
{
    struct fix *x = *state;

    assert_int_equal(load(x, incident), PUAN_OK);
    refuses_small(x, "no seat \"ctiy\" in this flow, did you mean \"city\"",
                  "{'id':'ab','from':'a','to':'b','by':'ctiy'}", "");
    refuses_small(x, "no setting \"at_onec\" in the plan, did you mean \"at_once\"",
                  AB "," BZ, ",'clocks':{'c':{'start':'ab','limit':'setting.at_onec','overdue':'o'}}");
    refuses_small(x, "no flow \"incidnet\" in the plan, did you mean \"incident\"",
                  AB ",{'id':'bz','from':'b','to':'z','by':'city','effects':['open:incidnet']}", "");
    refuses_small(x, "a transition leads to \"zz\", which states: does not have; "
                     "name it there under active, or under terminal when it "
                     "ends the run",
                  AB ",{'id':'bz','from':'b','to':'zz','by':'city'}",
                  ",'labels':{'zz':{'zh':'x'}}");
    refuses_small(x, "which does not exist; add it to states: or take it out",
                  AB "," BZ, ",'labels':{'nowhere':{'zh':'x'}}");
    refuses_small(x, "no state \"bb\"", AB "," BZ,
                  ",'approvals':{'p':{'rule':'one','seats':['o'],'states':['bb']}}");
    refuses_small(x, "can only be given later; name an earlier state",
                  "{'id':'ab','from':'a','to':'b','by':'city','needs':{'approval':'p'}}," BZ,
                  ",'approvals':{'p':{'rule':'one','seats':['o'],'asked_by':['city'],'states':['b']}}");
    refuses_small(x, "can never be reached", "{'id':'az','from':'a','to':'z','by':'city'}", "");
    refuses_small(x, "can never end", AB ",{'id':'az','from':'a','to':'z','by':'city'}", "");
    refuses_small(x, "no state \"c\"", "{'id':'ab','from':'a','to':'c','by':'city'}", "");
    refuses_small(x, "no seat \"nobody\"", "{'id':'ab','from':'a','to':'b','by':'nobody'}", "");
    refuses_small(x, "terminal state", AB "," BZ ",{'id':'zb','from':'z','to':'b','by':'city'}", "");
    refuses_small(x, "defined twice", AB "," AB, "");
    refuses_small(x, "needs from, to and by", "{'id':'ab','from':'a','to':'b'}", "");
    refuses_small(x, "nobody can fill before",
                  AB ",{'id':'bz','from':'b','to':'z','by':'city','needs':{'fields':['r']}}", "");
    refuses_small(x, "nobody can fill before",
                  AB ",{'id':'bz','from':'b','to':'z','by':'sys','needs':{'fields':['r']}}", "");
    refuses_small(x, "no act ever fills the field", AB "," BZ, "");
    refuses_small(x, "no setting \"soon\"", AB "," BZ,
                  ",'clocks':{'c':{'start':'ab','limit':'setting.soon','overdue':'o'}}");
    refuses_small(x, "a clock needs a number", AB "," BZ,
                  ",'clocks':{'c':{'start':'ab','overdue':'o'}}");
    refuses_small(x, "no length of time", AB "," BZ,
                  ",'clocks':{'c':{'start':'ab','limit':'promptly','overdue':'o'}}");
    refuses_small(x, "nothing happens when", AB "," BZ,
                  ",'clocks':{'c':{'start':'ab','limit':'1h'}}");
    refuses_small(x, "needs every", AB "," BZ,
                  ",'clocks':{'c':{'start':'ab','limit':'1h','overdue':['o','city']}}");
    refuses_small(x, "may start before the field", AB "," BZ,
                  ",'clocks':{'c':{'start':'ab','at':'t','overdue':['o']}}");
    refuses_small(x, "may start before the field", AB "," BZ,
                  ",'clocks':{'c':{'start':'ab','limit':'field.n','when':'r >= 1','overdue':['o']}}");
    refuses_small(x, "warnings must rise", AB "," BZ,
                  ",'clocks':{'c':{'start':'ab','limit':'1h','warn':['2h'],'overdue':['o']}}");
    refuses_small(x, "could approve what he asked",
                  AB ",{'id':'bz','from':'b','to':'z','by':'city','needs':{'approval':'p'}}",
                  ",'approvals':{'p':{'rule':'one','seats':['city'],'not_requester':false}}");
    refuses_small(x, "nothing rests on the approval", AB "," BZ,
                  ",'approvals':{'p':{'rule':'one','seats':['city']}}");
    refuses_small(x, "nothing can order", AB "," BZ,
                  ",'steps':[{'id':'s','authority':'order','by':'city'}]");
    refuses_small(x, "waits for itself", AB "," BZ,
                  ",'steps':[{'id':'s','authority':'own','by':'city','after':['u']},"
                  "{'id':'u','authority':'own','by':'city','after':['s']}]");
    refuses_small(x, "only be done later",
                  "{'id':'ab','from':'a','to':'b','by':'city','needs':{'steps':['s']}}," BZ,
                  ",'steps':[{'id':'s','authority':'own','by':'city','states':['b']}]");
    refuses_small(x, "no flow \"ghost\"", AB "," BZ, ",'links':{'opens':['ghost']}");
    refuses_small(x, "no effect \"shout\"",
                  "{'id':'ab','from':'a','to':'b','by':'city','effects':['shout:o']}," BZ, "");
    refuses(x, "no role \"ghost\"", "'seats':{'s':'ghost@own'},", "", REST);
    refuses(x, "no level \"village\"", "'seats':{'s':'crew@ancestor:village'},", "", REST);
    refuses(x, "after @ write", "'seats':{'s':'crew@somewhere'},", "", REST);
}

static void an_external_seat_needs_a_local_one(void **state)
{
    struct fix *x = *state;

    refuses(x, "external seat",
            "'seats':{'city':'crew@own','above':'upper@parent'},", "",
            "'states':{'initial':'a','terminal':['z']},'open':{'by':'city'},"
            "'transitions':[{'id':'az','from':'a','to':'z','by':'above'}]");
}

/* Before it is approved and in force a plan can be drilled, nothing else. */
static void a_plan_not_in_force_is_only_drilled(void **state)
{
    static const char *const text[] = {
        "'issued':{'interpreter':'office','effective':'1970-01-01'}",
        "'in_force':'approval','issued':{'interpreter':'office',"
        "'effective':'1970-01-01'}",
        "'in_force':'approval','issued':{'interpreter':'office',"
        "'effective':'1970-01-01','approved':'1970-01-01'}",
        "'issued':{'interpreter':'office','effective':'2199-01-01'}",
    };
    static const char moves[] =
        "{'id':'k','from':'a','to':'b','by':'city'},"
        "{'id':'m','from':'b','to':'z','by':'city'}";
    static const enum puan_status st[] = { PUAN_OK, PUAN_ECONFLICT, PUAN_OK,
                                           PUAN_ECONFLICT };
    struct fix *x = *state;

    refuses_small(x, "must name its interpreter", moves,
                  ",'issued':{'interpreter':'office'}");
    refuses_small(x, "no role", moves,
                  ",'issued':{'interpreter':'moon','effective':'1970-01-01'}");
    refuses_small(x, "must be a day like", moves,
                  ",'issued':{'interpreter':'office','effective':'soon'}");
    for (size_t i = 0; i < 4; i++) {
        char flow[1024];
        struct puan_flow_event e;

        puan_format(flow, sizeof flow,
                    "{'flow':'f','version':1,'owner':'office',%s,"
                    "'seats':{'city':'crew@own'},'open':{'by':'city'},"
                    "'states':{'initial':'a','terminal':['z']},'transitions':"
                    "[{'id':'k','from':'a','to':'z','by':'city'}]}",
                    text[i]);
        assert_int_equal(load(x, flow), PUAN_OK);
        for (int drill = 0; drill < 2; drill++) {
            puan_flow_run_init(&x->run, x->flow);
            e = event(x, PUAN_FLOW_OPEN, "", CREW, NULL);
            e.drill = drill != 0;
            assert_int_equal(apply(x, &e), drill ? PUAN_OK : st[i]);
        }
    }
}

static void a_guard_must_type_check(void **state)
{
    struct fix *x = *state;

    assert_int_equal(
        load(x, "{" HEAD "'seats':{'city':'crew@own'},"
                "'states':{'initial':'a','terminal':['z']},'open':{'by':'city'},"
                "'transitions':[{'id':'az','from':'a','to':'z','by':'city',"
                "'when':'no_such_name = 1'}]}"),
        PUAN_EINVAL);
}

/* Memory ends at any point: said so, and nothing read that is not there. */
static void running_out_of_memory_is_told(void **state)
{
    struct fix *x = *state;
    struct puan_node *tree = NULL;
    enum puan_status st = PUAN_ENOMEM;
    size_t steps = 0;

    assert_int_equal(puan_json_tree(&tree, json_of(&x->a, incident), "t.yaml",
                                    &x->a, NULL),
                     PUAN_OK);
    for (size_t limit = 16; st != PUAN_OK; limit += 97, steps++) {
        struct puan_flow *flow = NULL;
        struct puan_err err = { 0 };
        struct puan_arena a;

        puan_arena_init(&a, &puan_test_heap);
        a.limit = limit;
        st = puan_flow_load(&flow, tree, &env, &a, &err);
        if (st != PUAN_OK && st != PUAN_ENOMEM)
            fail_msg("%zu bytes: %s", limit, err.text);
        assert_true((st == PUAN_OK) == (flow != NULL));
        puan_arena_clear(&a);
        assert_true(steps < 20000);
    }
    assert_true(steps > 20);
}

/* ---- runs ------------------------------------------------------------- */

static void what_is_not_declared_is_refused(void **state)
{
    struct fix *x = *state;

    open_run(x);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "dance", CREW, NULL),
                     PUAN_ENOTFOUND);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "inform", CREW, NULL), PUAN_EDENIED);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "inform", OFFICE, NULL),
                     PUAN_ECONFLICT);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "report", CREW, "{'place':'p'}"),
                     PUAN_EINVAL);
    assert_non_null(strstr(x->err.text, "scope"));
    assert_int_equal(did(x, PUAN_FLOW_ACT, "report", CREW,
                         "{'place':'p','scope':'huge'}"),
                     PUAN_EINVAL);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "report", CREW,
                         "{'place':'p','scope':'one','result':'r'}"),
                     PUAN_EINVAL);
    /* the grade is the leaders' to fill */
    assert_int_equal(x->run.n_events, 1);
    assert_int_equal(x->run.state, x->flow->initial);
}

static void a_seat_elsewhere_may_not_act(void **state)
{
    struct fix *x = *state;
    struct puan_flow_who far = seat("c9", "crew", "township", -1);

    open_run(x);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "report", far,
                         "{'place':'p','scope':'one'}"),
                     PUAN_EDENIED);
}

/* trap 3: two hops, two clocks, each with its own time */
static void each_hop_has_its_clock(void **state)
{
    struct fix *x = *state;
    const char *part;
    int clock, up, second;

    open_run(x);
    up = puan_flow_clock(x->flow, PUAN_STR("up"));
    second = puan_flow_clock(x->flow, PUAN_STR("second"));
    assert_int_equal(x->run.clock[up].due_ms, T0 + 24 * HOUR);
    assert_int_equal(x->run.clock[second].state, PUAN_FLOW_CLOCK_OFF);
    x->now += 5 * HOUR;
    assert_int_equal(did(x, PUAN_FLOW_ACT, "report", CREW,
                         "{'place':'p','scope':'one'}"),
                     PUAN_OK);
    assert_int_equal(x->run.clock[up].state, PUAN_FLOW_CLOCK_STOPPED);
    assert_int_equal(x->run.clock[up].stop_ms, T0 + 5 * HOUR);
    assert_int_equal(x->run.clock[second].due_ms, T0 + 5 * HOUR + HOUR / 2);
    assert_int_equal(next(x, &part, &clock), T0 + 5 * HOUR + HOUR / 2);
    assert_int_equal(clock, second);
    assert_string_equal(part, "due");
}

/* trap 2: 24 hours, warned twice, escalated once a rung, acting once */
static void an_overdue_clock_climbs_its_ladder_once(void **state)
{
    struct fix *x = *state;
    const char *part;
    int clock;

    open_run(x);
    x->now = T0 + 8 * HOUR;
    assert_int_equal(tick(x, "alt", "due"), PUAN_OK); /* the change of channel */
    x->now = T0 + 12 * HOUR - 1;
    assert_int_equal(tick(x, "up", "warn"), PUAN_ECONFLICT);
    x->now++;
    assert_int_equal(next(x, &part, &clock), x->now);
    assert_int_equal(tick(x, "up", "warn"), PUAN_OK);
    assert_int_equal(tick(x, "up", "warn"), PUAN_ECONFLICT);
    x->now = T0 + 20 * HOUR;
    assert_int_equal(tick(x, "up", "warn"), PUAN_OK);
    x->now = T0 + 24 * HOUR;
    assert_int_equal(tick(x, "up", "due"), PUAN_OK);
    assert_int_equal(x->dec.n, 1);
    assert_int_equal(x->dec.effect[0].kind, PUAN_FLOW_ESCALATE);
    assert_true(puan_str_is(x->dec.effect[0].name, "office"));
    assert_int_equal(tick(x, "up", "due"), PUAN_ECONFLICT);
    assert_int_equal(next(x, &part, &clock), T0 + 25 * HOUR);
    x->now = T0 + 25 * HOUR;
    assert_int_equal(tick(x, "up", "rung"), PUAN_OK);
    assert_true(puan_str_is(x->dec.effect[0].name, "leaders"));
    assert_false(puan_flow_next_tick(&clock, &part, &x->now, &x->run));
    /* a deadline never fails the step itself: the report can still be made */
    x->now = T0 + 26 * HOUR;
    assert_int_equal(did(x, PUAN_FLOW_ACT, "report", CREW,
                         "{'place':'p','scope':'one'}"),
                     PUAN_OK);
}

static void a_vacant_seat_escalates_at_once(void **state)
{
    struct fix *x = *state;
    struct puan_flow_event e;

    open_run(x);
    for (int i = 12; i <= 24; i += 4) {
        x->now = T0 + i * HOUR;
        if (i == 16)
            continue;
        assert_int_equal(tick(x, "up", i < 24 ? "warn" : "due"), PUAN_OK);
    }
    e = event(x, PUAN_FLOW_TICK, "up", SYSTEM, NULL);
    e.part = PUAN_STR("rung");
    assert_int_equal(apply(x, &e), PUAN_ECONFLICT);
    e.yes = true; /* nobody holds the seat before */
    assert_int_equal(apply(x, &e), PUAN_OK);
    assert_true(puan_str_is(x->dec.effect[0].name, "leaders"));
}

/* the fourth clock opens another channel; it is not a report */
static void the_eight_hour_clock_opens_a_step(void **state)
{
    struct fix *x = *state;
    int other;

    open_run(x);
    other = puan_flow_step(x->flow, PUAN_STR("other"));
    assert_false(puan_flow_step_open(&x->run, other));
    assert_int_equal(did(x, PUAN_FLOW_DO, "other", OFFICE, NULL),
                     PUAN_ECONFLICT);
    x->now = T0 + 8 * HOUR;
    assert_int_equal(tick(x, "alt", "due"), PUAN_OK);
    assert_true(puan_flow_step_open(&x->run, other));
    assert_int_equal(did(x, PUAN_FLOW_DO, "other", OFFICE, NULL), PUAN_OK);
}

/* trap 5: own authority opens at once, an order opens the rest */
static void steps_wait_for_orders_only_where_said(void **state)
{
    struct fix *x = *state;

    open_run(x);
    assert_int_equal(did(x, PUAN_FLOW_DO, "aid", CREW, NULL), PUAN_OK);
    assert_int_equal(did(x, PUAN_FLOW_DO, "aid", CREW, NULL), PUAN_ECONFLICT);
    assert_int_equal(did(x, PUAN_FLOW_DO, "app", CREW, NULL), PUAN_ECONFLICT);
    assert_int_equal(did(x, PUAN_FLOW_DO, "call", OFFICE, NULL),
                     PUAN_ECONFLICT);
    assert_int_equal(did(x, PUAN_FLOW_ORDER, "call", CREW, NULL),
                     PUAN_EDENIED);
    assert_int_equal(did(x, PUAN_FLOW_ORDER, "call", LEADER, NULL), PUAN_OK);
    assert_int_equal(did(x, PUAN_FLOW_DO, "call", OFFICE, NULL), PUAN_OK);
}

/* A typo in a condition is pointed at where it stands. */
static void a_guard_is_pointed_at(void **state)
{
    static const char *const when[] = { "'when':'n = 1 and nn = 2'",
                                        "'when':'n = 1 and'" };
    static const char *const said[] = { "the nearest is 'n'",
                                        "but the text ends" };
    struct fix *x = *state;

    for (size_t i = 0; i < PUAN_COUNT(when); i++) {
        char t[256];

        puan_format(t, sizeof t,
                    "\n{'id':'ab',%s,'from':'a','to':'b','by':'city'}," BZ,
                    when[i]);
        refuses_small(x, said[i], t, "");
        assert_int_equal(x->err.line, 2);
        /* {'id':'ab','when':' is 19 columns */
        assert_int_equal(x->err.col, 20 + (i == 0 ? 10 : 9));
    }
}

/* An approval bound to states is neither asked for nor signed elsewhere. */
static void an_approval_has_its_states(void **state)
{
    static const char flow[] =
        "{" HEAD "'seats':{'city':'crew@own','o':'office@any'},"
        "'states':{'initial':'a','active':['b'],'terminal':['z']},"
        "'open':{'by':'city'},'transitions':[" AB "," BZ ","
        "{'id':'ba','from':'b','to':'a','by':'city'},"
        "{'id':'az','from':'a','to':'z','by':'city','needs':{'approval':'p'}}],"
        "'approvals':{'p':{'rule':'one','seats':['o'],'asked_by':['city'],"
        "'states':['b']}}}";
    const struct puan_flow_who crew = CREW, office = OFFICE;
    struct fix *x = *state;
    int p;

    if (load(x, flow) != PUAN_OK)
        fail_msg("%s", x->err.text);
    p = puan_flow_approval(x->flow, PUAN_STR("p"));
    puan_flow_run_init(&x->run, x->flow);
    assert_int_equal(did(x, PUAN_FLOW_OPEN, "", CREW, NULL), PUAN_OK);
    assert_false(puan_flow_may_ask(&x->run, p, x->now, &crew));
    assert_int_equal(did(x, PUAN_FLOW_ASK, "p", CREW, NULL), PUAN_ECONFLICT);
    assert_string_equal(x->err.text,
                        "the approval \"p\" has no place in state \"a\"");
    assert_int_equal(did(x, PUAN_FLOW_ACT, "ab", CREW, NULL), PUAN_OK);
    assert_true(puan_flow_may_ask(&x->run, p, x->now, &crew));
    assert_int_equal(did(x, PUAN_FLOW_ASK, "p", CREW, NULL), PUAN_OK);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "ba", CREW, NULL), PUAN_OK);
    assert_false(puan_flow_may_sign(&x->run, p, &office));
    assert_int_equal(sign(x, "p", OFFICE), PUAN_ECONFLICT);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "ab", CREW, NULL), PUAN_OK);
    assert_true(puan_flow_may_sign(&x->run, p, &office));
    assert_int_equal(sign(x, "p", OFFICE), PUAN_OK);
    /* given there, it holds afterwards */
    assert_int_equal(did(x, PUAN_FLOW_ACT, "ba", CREW, NULL), PUAN_OK);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "az", CREW, NULL), PUAN_OK);
    assert_true(x->dec.ended);
}

struct said {
    struct puan_err e[64];
    size_t n;
};

static void keep(void *arg, struct puan_err *e)
{
    struct said *s = arg;

    assert_true(s->n < PUAN_COUNT(s->e));
    assert_true(e->line > 0 && e->col > 0);
    s->e[s->n++] = *e;
}

static struct said linted(struct fix *x, const char *clocks, const char *effect)
{
    static const struct puan_str calls[] = { { "release:publish", 15 },
                                             { "lot:lock", 8 } };
    struct puan_flow_env with = env;
    struct puan_node *tree = NULL;
    struct said s = { .n = 0 };
    char text[2048];

    with.calls = calls;
    with.n_calls = PUAN_COUNT(calls);
    puan_format(text, sizeof text,
                "{" HEAD "'zh':'x','en':'x','subject':'release',"
                "'seats':{'city':{'seat':'crew@own','zh':'x','en':'x'}},"
                "'states':{'initial':'a','terminal':['z']},"
                "'labels':{'a':{'zh':'x','en':'x'},'z':{'zh':'x'}},"
                "'fields':{'f':{'type':'enum','of':['p','q'],'zh':'x','en':'x',"
                "'words':{'p':{'zh':'x','en':'x'}},'required_at':['az']}},"
                "'open':{'by':'city'},'transitions':["
                "{'id':'az','from':'a','to':'z','by':'city','en':'x',"
                "'effects':['%s']}],'clocks':{%s}}",
                effect, clocks);
    x->err = (struct puan_err){ 0 };
    if (puan_json_tree(&tree, json_of(&x->a, text), "t.yaml", &x->a, &x->err) !=
            PUAN_OK ||
        puan_flow_load(&x->flow, tree, &with, &x->a, &x->err) != PUAN_OK)
        fail_msg("%s", x->err.text);
    puan_flow_lint(x->flow, tree, &with, keep, &s);
    return s;
}

#define DUE "'zh':'x','en':'x','limit':'1h','start':'open'"

static void lint_finds_what_a_flow_lacks(void **state)
{
    struct fix *x = *state;
    struct said s = linted(x, "", "call:publish");

    assert_int_equal(s.n, 3);
    assert_string_equal(s.e[0].text,
                        "the state \"z\" has no en, so that people would read "
                        "the bare name; add under labels: en: …");
    assert_string_equal(s.e[1].text,
                        "the word \"q\" has no words, so that people would "
                        "read the bare name; add under words: zh: …, en: …");
    assert_string_equal(s.e[2].text,
                        "the transition \"az\" has no zh, so that people would "
                        "read the bare name; add zh: …");
    s = linted(x, "", "call:publsh");
    assert_int_equal(s.n, 4);
    assert_string_equal(s.e[3].text, "no function \"publsh\" of subject "
                                     "release, did you mean call:publish");
    s = linted(x, "", "call:lock"); /* of lots alone */
    assert_int_equal(s.n, 4);
    /* a deadline that somebody is told of, by itself, or by the next clock */
    s = linted(x, "'c':{" DUE ",'stop':'az','overdue':'city'}", "notify:city");
    assert_int_equal(s.n, 3);
    s = linted(x, "'c':{" DUE ",'stop':'az','on_due':['notify:city']}",
               "notify:city");
    assert_int_equal(s.n, 3);
    s = linted(x,
               "'c':{" DUE ",'stop':'az'},'d':{'zh':'x','en':'x','limit':'1h',"
               "'start':'c.due','stop':'az','overdue':'city'}",
               "notify:city");
    assert_int_equal(s.n, 3);
    s = linted(x, "'c':{" DUE ",'stop':'az','on_due':['call:publish']}",
               "notify:city");
    assert_int_equal(s.n, 4);
    assert_string_equal(s.e[3].text, "nobody is told when the deadline \"c\" "
                                     "has passed; name a seat under overdue:");
    /* what nothing stops is no deadline but an alarm clock */
    s = linted(x, "'c':{" DUE ",'on_due':['call:publish']}", "notify:city");
    assert_int_equal(s.n, 3);
}

/* trap 9: signed by leaders and experts before anyone touches it, and again
 * when it changes */
static void a_signature_dies_with_a_change(void **state)
{
    struct fix *x = *state;
    struct puan_flow_event e;
    uint8_t old[PUAN_DIGEST_SIZE];
    int at;

    open_run(x);
    at = puan_flow_approval(x->flow, PUAN_STR("unplanned"));
    assert_int_equal(did(x, PUAN_FLOW_DO, "fixit", CREW, NULL),
                     PUAN_ECONFLICT);
    assert_int_equal(did(x, PUAN_FLOW_ASK, "unplanned", CREW, NULL),
                     PUAN_EINVAL);
    assert_int_equal(did(x, PUAN_FLOW_ASK, "unplanned", CREW, "{'fix':'a'}"),
                     PUAN_OK);
    puan_flow_covered(old, &x->run, at, &digest);
    assert_int_equal(sign(x, "unplanned", LEADER), PUAN_OK);
    assert_int_equal(sign(x, "unplanned", LEADER), PUAN_EDENIED);
    assert_int_equal(sign(x, "unplanned", LEADER2), PUAN_EDENIED);
    assert_int_equal(did(x, PUAN_FLOW_DO, "fixit", CREW, NULL),
                     PUAN_ECONFLICT);
    assert_int_equal(sign(x, "unplanned", EXPERT), PUAN_OK);
    assert_int_equal(x->run.approval[at].state, PUAN_FLOW_GRANTED);
    /* a changed text: the grant is dead and an old reading does not count */
    x->run.approval[at].state = PUAN_FLOW_VOIDED;
    assert_int_equal(did(x, PUAN_FLOW_ASK, "unplanned", CREW, "{'fix':'b'}"),
                     PUAN_OK);
    e = event(x, PUAN_FLOW_SIGN, "unplanned", LEADER, NULL);
    e.digest = old;
    e.yes = true;
    assert_int_equal(apply(x, &e), PUAN_ECONFLICT);
    assert_int_equal(sign(x, "unplanned", LEADER), PUAN_OK);
    assert_int_equal(sign(x, "unplanned", EXPERT), PUAN_OK);
    assert_int_equal(did(x, PUAN_FLOW_DO, "fixit", CREW, NULL), PUAN_OK);
    assert_int_equal(x->run.approval[at].state, PUAN_FLOW_USED);
}

static void a_change_of_a_covered_field_voids(void **state)
{
    struct fix *x = *state;
    int end;

    to_active(x);
    end = puan_flow_approval(x->flow, PUAN_STR("end"));
    assert_int_equal(did(x, PUAN_FLOW_ASK, "end", OFFICE, "{'result':'r1'}"),
                     PUAN_OK);
    assert_int_equal(sign(x, "end", LEADER), PUAN_OK);
    /* the other approval covers another field; nothing happens to this one */
    assert_int_equal(did(x, PUAN_FLOW_ASK, "unplanned", CREW, "{'fix':'a'}"),
                     PUAN_OK);
    assert_int_equal(x->run.approval[end].state, PUAN_FLOW_GRANTED);
    x->now += 25 * HOUR; /* expired */
    assert_int_equal(did(x, PUAN_FLOW_ASK, "end", OFFICE, "{'result':'r2'}"),
                     PUAN_OK);
    assert_int_equal(x->run.approval[end].state, PUAN_FLOW_ASKED);
}

static void nobody_approves_his_own_request(void **state)
{
    struct fix *x = *state;

    open_run(x);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "report", CREW,
                         "{'place':'p','scope':'one'}"),
                     PUAN_OK);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "inform", OFFICE, NULL), PUAN_OK);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "start", LEADER, NULL),
                     PUAN_ECONFLICT);
    assert_int_equal(did(x, PUAN_FLOW_ASK, "start", LEADER, NULL), PUAN_OK);
    assert_int_equal(sign(x, "start", LEADER), PUAN_EDENIED);
    assert_int_equal(sign(x, "start", OFFICE), PUAN_EDENIED);
    assert_int_equal(sign(x, "start", LEADER2), PUAN_OK);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "start", LEADER, NULL), PUAN_OK);
}

/* trap 4: skipping a level needs its reason and copies the level skipped */
static void a_skip_is_never_silent(void **state)
{
    struct fix *x = *state;
    struct puan_flow_event e;

    open_run(x);
    e = event(x, PUAN_FLOW_ACT, "report", CREW, "{'place':'p','scope':'one'}");
    e.skip = PUAN_STR("province");
    assert_int_equal(apply(x, &e), PUAN_EINVAL);
    e = event(x, PUAN_FLOW_ACT, "report", CREW,
              "{'place':'p','scope':'one','why':'line down'}");
    e.skip = PUAN_STR("province");
    assert_int_equal(apply(x, &e), PUAN_OK);
    assert_int_equal(x->dec.n, 2);
    assert_int_equal(x->dec.effect[0].kind, PUAN_FLOW_SEND);
    assert_int_equal(x->dec.effect[1].kind, PUAN_FLOW_COPY);
    e = event(x, PUAN_FLOW_ACT, "inform", OFFICE, NULL);
    e.skip = PUAN_STR("province");
    assert_int_equal(apply(x, &e), PUAN_EDENIED);
}

/* top grade: report and notices with the grade, in one decision */
static void the_top_grade_is_one_act(void **state)
{
    struct fix *x = *state;

    to_active(x);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "judge", LEADER,
                         "{'grade':'general'}"),
                     PUAN_OK);
    assert_int_equal(x->dec.n, 0);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "judge", LEADER,
                         "{'grade':'gravest'}"),
                     PUAN_OK);
    assert_int_equal(x->dec.n, 2);
    assert_true(x->dec.effect[0].atomic && x->dec.effect[1].atomic);
}

/* trap 10: estimates still open, or not known, block the end */
static void closing_waits_for_estimates_and_steps(void **state)
{
    struct fix *x = *state;
    struct puan_flow_given open = { PUAN_STR("open.estimate"), 1 };

    to_active(x);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "judge", LEADER,
                         "{'grade':'general'}"),
                     PUAN_OK);
    assert_int_equal(did(x, PUAN_FLOW_ASK, "end", OFFICE, "{'result':'r'}"),
                     PUAN_OK);
    assert_int_equal(sign(x, "end", LEADER), PUAN_OK);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "close", LEADER, NULL),
                     PUAN_ECONFLICT);
    assert_non_null(strstr(x->err.text, "aid"));
    assert_int_equal(did(x, PUAN_FLOW_DO, "aid", CREW, NULL), PUAN_OK);
    assert_int_equal(did(x, PUAN_FLOW_DO, "net", CREW, NULL), PUAN_OK);
    assert_int_equal(did(x, PUAN_FLOW_DO, "app", CREW, NULL), PUAN_OK);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "close", LEADER, NULL),
                     PUAN_ECONFLICT);
    x->world.facts = &open;
    x->world.n_facts = 1;
    assert_int_equal(did(x, PUAN_FLOW_ACT, "close", LEADER, NULL),
                     PUAN_ECONFLICT);
    open.value = 0;
    assert_int_equal(did(x, PUAN_FLOW_ACT, "close", LEADER, NULL), PUAN_OK);
    assert_true(x->dec.ended);
    assert_int_equal(did(x, PUAN_FLOW_ACT, "judge", LEADER,
                         "{'grade':'general'}"),
                     PUAN_ECONFLICT);
}

/* trap 26: the run blocks a statement until its approval says otherwise */
static void a_leak_goes_before_a_statement(void **state)
{
    struct fix *x = *state;
    struct puan_str blocker = PUAN_STR("incident 1");

    to_active(x);
    assert_true(puan_flow_run_blocks(&x->run, PUAN_STR("statement"),
                                     PUAN_STR("use")));
    assert_false(puan_flow_run_blocks(&x->run, PUAN_STR("statement"),
                                      PUAN_STR("draft")));
    assert_int_equal(did(x, PUAN_FLOW_ASK, "end", OFFICE, "{'result':'r'}"),
                     PUAN_OK);
    assert_int_equal(sign(x, "end", LEADER), PUAN_OK);
    assert_false(puan_flow_run_blocks(&x->run, PUAN_STR("statement"),
                                      PUAN_STR("use")));
    x->world.blockers = &blocker;
    x->world.n_blockers = 1;
    assert_int_equal(did(x, PUAN_FLOW_ACT, "judge", LEADER,
                         "{'grade':'general'}"),
                     PUAN_ECONFLICT);
}

static void an_external_act_needs_its_paper_and_its_seat(void **state)
{
    struct fix *x = *state;
    struct puan_flow_who above = seat("o1", "upper", "province", 2);
    struct puan_flow_paper paper = { PUAN_STR("external"), { 1 } };
    struct puan_flow_event e;

    to_active(x);
    above.external = true;
    above.entered_role = PUAN_STR("crew");
    above.entered_level = PUAN_STR("township");
    e = event(x, PUAN_FLOW_ACT, "hear", above, NULL);
    e.papers = &paper;
    e.n_papers = 1;
    assert_int_equal(apply(x, &e), PUAN_EDENIED);
    e.who.entered_role = PUAN_STR("office");
    e.who.entered_level = PUAN_STR("county");
    e.who.entered_above = 1;
    e.n_papers = 0;
    assert_int_equal(apply(x, &e), PUAN_EINVAL);
    e.n_papers = 1;
    assert_int_equal(apply(x, &e), PUAN_OK);
}

static void times_do_not_lie_ahead(void **state)
{
    struct fix *x = *state;
    struct puan_flow_event e;

    open_run(x);
    e = event(x, PUAN_FLOW_DO, "aid", CREW, NULL);
    e.event_ms = x->now + 1;
    assert_int_equal(apply(x, &e), PUAN_EINVAL);
    e.event_ms = T0 - 1;
    assert_int_equal(apply(x, &e), PUAN_EINVAL);
    /* entered late: both times are kept, the clock counts the event's */
    e = event(x, PUAN_FLOW_ACT, "report", CREW, "{'place':'p','scope':'one'}");
    e.event_ms = T0 + HOUR;
    e.entry_ms = x->now = T0 + 3 * HOUR;
    assert_int_equal(apply(x, &e), PUAN_OK);
    assert_int_equal(
        x->run.clock[puan_flow_clock(x->flow, PUAN_STR("up"))].stop_ms,
        T0 + HOUR);
}

/* What was allowed, written, read and folded again gives the same run. */
static void the_state_is_the_fold_of_its_events(void **state)
{
    struct fix *x = *state;
    struct puan_flow_run again;
    struct puan_flow_event e[4], back;
    struct puan_out o, first, second;
    struct puan_jw w;

    open_run(x);
    puan_flow_run_init(&again, x->flow);
    e[0] = event(x, PUAN_FLOW_OPEN, "", CREW, NULL);
    x->now += HOUR;
    e[1] = event(x, PUAN_FLOW_ACT, "report", CREW,
                 "{'place':'\\n\\u4e2d','scope':'wider'}");
    x->now += HOUR;
    e[2] = event(x, PUAN_FLOW_TICK, "second", SYSTEM, NULL);
    e[2].part = PUAN_STR("due");
    e[3] = event(x, PUAN_FLOW_ACT, "inform", OFFICE, NULL);
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            assert_int_equal(apply(x, &e[i]), PUAN_OK);
        puan_out_init(&o, &x->a);
        puan_flow_event_write(&o, &e[i]);
        assert_int_equal(puan_flow_event_read(&back, puan_out_view(&o), &x->a,
                                              &x->err),
                         PUAN_OK);
        assert_int_equal(puan_flow_fold(&again, &back, &x->err), PUAN_OK);
    }
    puan_out_init(&first, &x->a);
    puan_jw_init(&w, &first);
    puan_flow_run_json(&w, &x->run, true, 480);
    puan_out_init(&second, &x->a);
    puan_jw_init(&w, &second);
    puan_flow_run_json(&w, &again, true, 480);
    assert_true(puan_str_eq(puan_out_view(&first), puan_out_view(&second)));
    assert_true(first.n > 500);
}

static void secrets_are_shown_only_on_purpose(void **state)
{
    struct fix *x = *state;
    struct puan_out o;
    struct puan_jw w;

    to_active(x);
    assert_int_equal(did(x, PUAN_FLOW_ASK, "end", OFFICE,
                         "{'result':'hush-hush'}"),
                     PUAN_OK);
    puan_out_init(&o, &x->a);
    puan_jw_init(&w, &o);
    puan_flow_run_json(&w, &x->run, false, 480);
    assert_null(strstr(o.p, "hush-hush"));
    puan_flow_run_json(&w, &x->run, true, 480);
    assert_non_null(strstr(o.p, "hush-hush"));
}

static void office_time_skips_nights_and_week_ends(void **state)
{
    /* Friday 2020-11-06 16:30 +08:00 */
    int64_t friday = T0 + 5 * 24 * HOUR + 8 * HOUR + HOUR / 2, ms;
    const int64_t holiday = puan_day_of(2020, 11, 9);
    struct puan_office_hours h = hours;

    (void)state;
    /* half an hour is left on Friday, the other half on Monday 09:00 */
    assert_int_equal(puan_office_add(&h, friday, HOUR),
                     T0 + 8 * 24 * HOUR + HOUR + HOUR / 2);
    h.holidays = &holiday;
    h.n_holidays = 1;
    assert_int_equal(puan_office_add(&h, friday, HOUR),
                     T0 + 9 * 24 * HOUR + HOUR + HOUR / 2);
    assert_true(puan_flow_duration(&ms, PUAN_STR("36h")));
    assert_int_equal(ms, 36 * HOUR);
    assert_false(puan_flow_duration(&ms, PUAN_STR("soon")));
    assert_false(puan_flow_duration(&ms, PUAN_STR("-1h")));
    assert_false(puan_flow_duration(&ms, PUAN_STR("h")));
}

/* A register: boxes in and out, a new sheet by itself. */
#define REGISTER(every)                                                        \
    "{'flow':'incident','version':1,'owner':'office',"                         \
    "'seats':{'keeper':'office@own','system':'system@any'},"                   \
    "'fields':{'goods':{'type':'text','required_at':['open']},"                \
    "'n':{'type':'int','required_at':['take_in','hand_out']}},"                \
    "'states':{'initial':'drafted','active':[],'terminal':['in','out']},"      \
    "'open':{'by':['keeper','system']},"                                       \
    "'transitions':[{'id':'take_in','from':'drafted','to':'in','by':'keeper'}," \
    "{'id':'hand_out','from':'drafted','to':'out','by':'keeper'}],"            \
    "'quantities':{'boxes':{'in':['take_in'],'out':['hand_out'],"              \
    "'field':'n','of':'goods'}}," every "}"

static int64_t next_at(struct fix *x, const char *text, int64_t open_ms)
{
    int clock = -1;
    const char *part = NULL;
    int64_t at = 0;
    struct puan_flow_event e = { .kind = PUAN_FLOW_OPEN };
    struct puan_node *given = NULL;

    assert_int_equal(load(x, text), PUAN_OK);
    puan_flow_run_init(&x->run, x->flow);
    assert_int_equal(puan_json_tree(&given,
                                    json_of(&x->a, "{'goods':'pens'}"), "f",
                                    &x->a, &x->err),
                     PUAN_OK);
    e.fields = given;
    e.who.role = PUAN_STR("system");
    e.who.system = true;
    e.event_ms = e.entry_ms = open_ms;
    assert_int_equal(puan_flow_apply(&x->dec, &x->run, &e, &x->world, &x->err),
                     PUAN_OK);
    assert_true(puan_flow_next_tick(&clock, &part, &at, &x->run));
    assert_int_equal(clock, x->flow->recurrence.clock);
    return at;
}

/* T0 is Sunday, 1 November 2020, 08:00 by the plan's clock. */
static void a_flow_recurs_by_the_calendar(void **state)
{
    struct fix *x = *state;

    assert_int_equal(next_at(x, REGISTER("'recurrence':{'every':'day','at':'17:30'}"), T0),
                     T0 + 33 * HOUR + HOUR / 2);
    assert_int_equal(next_at(x, REGISTER("'recurrence':{'every':'week'}"), T0),
                     T0 + 24 * HOUR);
    assert_int_equal(next_at(x, REGISTER("'recurrence':{'every':'week'}"), T0 + 24 * HOUR),
                     T0 + 8 * 24 * HOUR);
    assert_int_equal(next_at(x, REGISTER("'recurrence':{'every':'month'}"), T0),
                     T0 + 30 * 24 * HOUR);
    assert_int_equal(next_at(x, REGISTER("'recurrence':{'every':'month'}"), T0 + 60 * 24 * HOUR),
                     T0 + 61 * 24 * HOUR);
    assert_int_equal(next_at(x, REGISTER("'recurrence':{'every':'36h'}"), T0),
                     T0 + 36 * HOUR);
    assert_int_equal(load(x, REGISTER("'recurrence':{'every':'30s'}")), PUAN_EINVAL);
    assert_int_equal(load(x, REGISTER("'recurrence':{'every':'day','at':'25:00'}")),
                     PUAN_EINVAL);
}

#define COUNTED(unit)                                                          \
    "{'flow':'incident','version':1,'owner':'office',"                         \
    "'seats':{'keeper':'office@own'},"                                         \
    "'fields':{'n':{'type':'int','required_at':['take_in','hand_out']}},"      \
    "'states':{'initial':'drafted','active':[],'terminal':['in','out']},"      \
    "'open':{'by':['keeper']},"                                                \
    "'transitions':[{'id':'take_in','from':'drafted','to':'in','by':'keeper'}," \
    "{'id':'hand_out','from':'drafted','to':'out','by':'keeper'}],"            \
    "'quantities':{'boxes':{" unit "'in':['take_in'],'out':['hand_out'],"      \
    "'field':'n'}}}"

/* What is counted is said in both languages. */
static void a_unit_has_both_languages(void **state)
{
    struct fix *x = *state;

    assert_int_equal(load(x, COUNTED("")), PUAN_OK);
    assert_int_equal(x->flow->quantities[0].unit_zh.n, 0);
    assert_int_equal(load(x, COUNTED("'unit':{'zh':'箱','en':'boxes'},")),
                     PUAN_OK);
    assert_true(puan_str_is(x->flow->quantities[0].unit_zh, "箱"));
    assert_true(puan_str_is(x->flow->quantities[0].unit_en, "boxes"));
    assert_int_equal(load(x, COUNTED("'unit':'箱',")), PUAN_EINVAL);
    assert_non_null(strstr(x->err.text, "both languages"));
    assert_int_equal(load(x, COUNTED("'unit':{'zh':'箱'},")), PUAN_EINVAL);
}

static void a_text_of_the_plan_has_two_halves(void **state)
{
    struct puan_str two = PUAN_STR("值班表有空岗｜Nobody stands");

    (void)state;
    assert_true(puan_str_is(puan_flow_half(two, true), "值班表有空岗"));
    assert_true(puan_str_is(puan_flow_half(two, false), "Nobody stands"));
    assert_true(puan_str_is(puan_flow_half(PUAN_STR("甲|乙"), false), "甲|乙"));
    assert_true(puan_str_is(puan_flow_half(PUAN_STR("｜乙"), true), "｜乙"));
    assert_true(puan_str_is(puan_flow_half(PUAN_STR("甲｜乙｜丙"), true),
                            "甲｜乙｜丙"));
    assert_int_equal(puan_flow_half(PUAN_STR(""), true).n, 0);
}

/* The row goes on after a sheet has ended, and what goes out must be there. */
static void a_stock_is_never_below_nothing(void **state)
{
    struct fix *x = *state;
    struct puan_flow_given fact = { PUAN_STR("stock.boxes"), 5 };
    struct puan_flow_event e = { .kind = PUAN_FLOW_ACT };
    struct puan_node *given = NULL;
    int64_t at = next_at(x, REGISTER("'recurrence':{'every':'day'}"), T0);

    e.name = PUAN_STR("hand_out");
    e.who.role = PUAN_STR("office");
    e.who.actor = PUAN_STR("li");
    e.event_ms = e.entry_ms = T0 + HOUR;
    assert_int_equal(puan_json_tree(&given,
                                    json_of(&x->a, "{'n':6}"), "f", &x->a,
                                    &x->err),
                     PUAN_OK);
    e.fields = given;
    /* nobody knows the stock; too little of it; enough */
    assert_int_equal(puan_flow_apply(&x->dec, &x->run, &e, &x->world, &x->err),
                     PUAN_ECONFLICT);
    x->world.facts = &fact;
    x->world.n_facts = 1;
    assert_int_equal(puan_flow_apply(&x->dec, &x->run, &e, &x->world, &x->err),
                     PUAN_ECONFLICT);
    fact.value = 6;
    assert_int_equal(puan_flow_apply(&x->dec, &x->run, &e, &x->world, &x->err),
                     PUAN_OK);
    assert_true(x->dec.ended);
    assert_int_equal(x->run.moved[0], -6);
    /* it has ended; the next one opens all the same, once */
    e = (struct puan_flow_event){ .kind = PUAN_FLOW_TICK };
    e.name = PUAN_STR("recurrence");
    e.part = PUAN_STR("due");
    e.who.role = PUAN_STR("system");
    e.who.system = true;
    e.event_ms = e.entry_ms = at - 1;
    assert_int_equal(puan_flow_apply(&x->dec, &x->run, &e, &x->world, &x->err),
                     PUAN_ECONFLICT);
    e.event_ms = e.entry_ms = at;
    assert_int_equal(puan_flow_apply(&x->dec, &x->run, &e, &x->world, &x->err),
                     PUAN_OK);
    assert_int_equal(x->dec.n, 1);
    assert_int_equal(x->dec.effect[0].kind, PUAN_FLOW_SPAWN);
    assert_int_equal(puan_flow_apply(&x->dec, &x->run, &e, &x->world, &x->err),
                     PUAN_ECONFLICT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_loader_names_what_is_wrong),
        TEST(a_notice_goes_out_as_it_was_approved),
        TEST(an_external_seat_needs_a_local_one),
        TEST(a_plan_not_in_force_is_only_drilled),
        TEST(a_guard_must_type_check),
        TEST(a_guard_is_pointed_at),
        TEST(an_approval_has_its_states),
        TEST(lint_finds_what_a_flow_lacks),
        TEST(running_out_of_memory_is_told),
        TEST(what_is_not_declared_is_refused),
        TEST(a_seat_elsewhere_may_not_act),
        TEST(each_hop_has_its_clock),
        TEST(an_overdue_clock_climbs_its_ladder_once),
        TEST(a_vacant_seat_escalates_at_once),
        TEST(the_eight_hour_clock_opens_a_step),
        TEST(steps_wait_for_orders_only_where_said),
        TEST(a_signature_dies_with_a_change),
        TEST(a_change_of_a_covered_field_voids),
        TEST(nobody_approves_his_own_request),
        TEST(a_skip_is_never_silent),
        TEST(the_top_grade_is_one_act),
        TEST(closing_waits_for_estimates_and_steps),
        TEST(a_leak_goes_before_a_statement),
        TEST(an_external_act_needs_its_paper_and_its_seat),
        TEST(times_do_not_lie_ahead),
        TEST(the_state_is_the_fold_of_its_events),
        TEST(secrets_are_shown_only_on_purpose),
        TEST(a_flow_recurs_by_the_calendar),
        TEST(a_unit_has_both_languages),
        TEST(a_text_of_the_plan_has_two_halves),
        TEST(a_stock_is_never_below_nothing),
        TEST(office_time_skips_nights_and_week_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
