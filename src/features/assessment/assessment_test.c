/*
 * The assessment over HTTP on a real store: papers, scores, bonus, veto, the
 * total and an appeal, each by who may; what the system measures from cases and
 * what a case takes away; the ledger proves all of it.
 */
#include <stdlib.h>

#include "features/assessment/internal.h"
#include "features/cases/cases.h"
#include "features/host/session.h"
#include "features/host/test_fixture.h"
#include "kit/crypto/crypto.h"
#include "kit/os/os.h"

#define T0 INT64_C(1606780800000) /* 2020-12-01T08:00:00+08:00 */
#define DAY INT64_C(86400000)
#define CITY 3708
#define COUNTY 370883
#define TOWN 370883001

static struct puan_http_reply reply;

static struct puan_fix *make(void)
{
    struct puan_fix *f = puan_fix_begin(NULL);

    puan_fix_create(f, "demo", "plans/cn-population-2020", "sm");
    puan_fix_open(f);
    puan_fix_import(f, PUAN_IMPORT_AREAS,
                    "code,parent,level,name_zh,name_en\n"
                    "37,,province,山东省,Shandong\n"
                    "3708,37,prefecture,济宁市,Jining\n"
                    "3709,37,prefecture,泰安市,Taian\n"
                    "370883,3708,county,邹城市,Zoucheng\n"
                    "370983,3709,county,肥城市,Feicheng\n"
                    "370883001,370883,township,a,A\n");
    puan_fix_clock_ms(f, T0);
    puan_fix_serve(f, 2, 1);
    return f;
}

/* Somebody at a seat calls; a body with ' for ". */
static unsigned call(struct puan_fix *f, const char *role, int64_t area,
                     const char *person, const char *method, const char *path,
                     const char *json)
{
    struct puan_who who = { .credential = PUAN_CRED_HUMAN,
                            .area = area,
                            .account = 900,
                            .seat = 900 };
    struct puan_http_call c = { .method = method };

    who.factor_ms = puan_real_now();
    puan_format(who.name, sizeof(who.name), "%s", person);
    c.token = puan_fix_session(f, who, role);
    c.path = puan_arena_fmt(&f->a, "/api/v1/c/cn-population-2020/assessment%s",
                            path);
    if (json)
        c.body = puan_str_of(puan_fix_quotes(f, json));
    ok(puan_http_call(&reply, f->client, &c, err));
    return reply.status;
}
#define GENERAL "assess-general", 37, "gao"
#define OFFICE "city-office", CITY, "shi"
#define PROVINCE "province-office", 37, "sheng"
#define BODY(...) puan_arena_fmt(&f->a, __VA_ARGS__)

static bool says(const char *text)
{
    return memmem(reply.body.p, reply.body.n, text, strlen(text)) != NULL;
}

static const struct puan_node *answer(struct puan_fix *f)
{
    struct puan_node *n = NULL;

    ok(puan_json_tree(&n,
                      (struct puan_str){ puan_arena_dup(&f->a, reply.body),
                                         reply.body.n },
                      "reply", &f->a, err));
    return n;
}

/* The digest of a paper that is there. */
static const char *paper(struct puan_fix *f, const char *text)
{
    uint8_t digest[PUAN_DIGEST_SIZE];
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    ok(puan_blob_put(digest, f->st, puan_str_of(text), &f->a, err));
    puan_hex(hex, digest, PUAN_DIGEST_SIZE);
    return puan_arena_fmt(&f->a, "%s", hex);
}

static const struct puan_node *item(struct puan_fix *f, const char *id)
{
    const struct puan_node *n;

    assert_int_equal(call(f, GENERAL, "GET", "/sheet?area=3708", NULL), 200);
    n = answer(f);
    PUAN_NODE_EACH(s, puan_node_get(n, "sections"))
    PUAN_NODE_EACH(i, puan_node_get(s, "items"))
    if (puan_str_is(puan_node_str_opt(i, "id", ""), id))
        return i;
    fail_msg("no item %s", id);
    return NULL;
}

static bool is(const struct puan_node *n, const char *key, const char *want)
{
    return puan_str_is(puan_node_str_opt(n, key, ""), want);
}

/* ---- by hand ----------------------------------------------------------------- */

static void each_writes_what_is_his(void **state)
{
    struct puan_fix *f = make();
    const char *d = paper(f, "a paper");
    const char *gone = "0000000000000000000000000000000000000000000000000000000"
                       "000000000";

    (void)state;
    /* a paper that is not there, not its seat, not its area, no such item */
    assert_int_equal(
        call(f, OFFICE, "POST", "/evidence",
             BODY("{'area':'3708','item':'HN-4.1.1.2','evidence':'staff',"
                  "'digest':'%s','day':'2020-11-02'}",
                  gone)),
        400);
    assert_true(says("POST /evidence"));
    assert_int_equal(
        call(f, "city-office", 3709, "tai", "POST", "/evidence",
             BODY("{'area':'3708','item':'HN-4.1.1.2','evidence':'staff',"
                  "'digest':'%s','day':'2020-11-02'}",
                  d)),
        403);
    assert_int_equal(
        call(f, OFFICE, "POST", "/evidence",
             BODY("{'area':'3708','item':'HN-0','evidence':'staff',"
                  "'digest':'%s','day':'2020-11-02'}",
                  d)),
        404);
    assert_int_equal(call(f, GENERAL, "POST", "/score",
                          "{'area':'3708','item':'HN-4.1.1.2'}"),
                     409);
    assert_int_equal(
        call(f, OFFICE, "POST", "/evidence",
             BODY("{'area':'3708','item':'HN-4.1.1.2','evidence':'staff',"
                  "'digest':'%s','day':'2020-11-02'}",
                  d)),
        201);
    assert_int_equal(call(f, OFFICE, "POST", "/score",
                          "{'area':'3708','item':'HN-4.1.1.2'}"),
                     403);
    assert_int_equal(call(f, "assess-publicity", 37, "xuan", "POST", "/score",
                          "{'area':'3708','item':'HN-4.1.1.2'}"),
                     403);
    assert_int_equal(call(f, GENERAL, "POST", "/score",
                          "{'area':'3708','item':'HN-4.1.1.2'}"),
                     201);
    assert_true(is(item(f, "HN-4.1.1.2"), "points", "1"));
    /* half a point off needs its reason; points are halves */
    assert_int_equal(
        call(f, GENERAL, "POST", "/score",
             BODY("{'area':'3708','item':'HN-4.1.1.2','points':'0.5',"
                  "'digest':'%s'}",
                  d)),
        400);
    assert_int_equal(
        call(f, GENERAL, "POST", "/score",
             BODY("{'area':'3708','item':'HN-4.1.1.2','points':'0.3',"
                  "'reason':'late','digest':'%s'}",
                  d)),
        400);
    assert_int_equal(
        call(f, GENERAL, "POST", "/score",
             BODY("{'area':'3708','item':'HN-4.1.1.2','points':'0.5',"
                  "'reason':'late','digest':'%s'}",
                  d)),
        201);
    assert_true(is(item(f, "HN-4.1.1.2"), "points", "0.5"));
    /* nobody writes what is measured */
    assert_int_equal(call(f, "assess-business", 37, "ye", "POST", "/score",
                          "{'area':'3708','item':'HN-4.6.5'}"),
                     409);
    puan_fix_end(f);
}

static void bonus_veto_and_total(void **state)
{
    struct puan_fix *f = make();
    const char *d = paper(f, "praise");
    const struct puan_node *n;
    const char *id;

    (void)state;
    assert_int_equal(
        call(f, OFFICE, "POST", "/bonus",
             BODY("{'area':'3708','points':'2','reason':'commended',"
                  "'digest':'%s'}",
                  d)),
        201);
    id = puan_arena_dup(&f->a, puan_node_str_opt(answer(f), "id", ""));
    assert_int_equal(call(f, OFFICE, "POST", "/confirm",
                          BODY("{'area':'3708','of':%s}", id)),
                     403);
    assert_int_equal(call(f, PROVINCE, "POST", "/confirm",
                          "{'area':'3708','of':77}"),
                     404);
    assert_int_equal(call(f, GENERAL, "GET", "/sheet?area=3708", NULL), 200);
    assert_true(says("\"bonus_open\":\"2\""));
    assert_int_equal(call(f, PROVINCE, "POST", "/confirm",
                          BODY("{'area':'3708','of':%s}", id)),
                     201);
    assert_int_equal(call(f, PROVINCE, "POST", "/confirm",
                          BODY("{'area':'3708','of':%s}", id)),
                     409);
    /* a veto is set, shown in the ranking, and lifted with its reason */
    assert_int_equal(call(f, PROVINCE, "POST", "/veto",
                          BODY("{'area':'3708','item':'fraud',"
                               "'reason':'r','digest':'%s'}",
                               d)),
                     201);
    id = puan_arena_dup(&f->a, puan_node_str_opt(answer(f), "id", ""));
    assert_int_equal(call(f, PROVINCE, "GET", "?area=37", NULL), 200);
    n = puan_node_at(puan_node_get(answer(f), "items"), 0);
    assert_true(is(n, "area", "3708"));
    assert_true(is(n, "bonus", "2"));
    assert_false(is(n, "veto", ""));
    assert_int_equal(call(f, OFFICE, "POST", "/lift",
                          BODY("{'area':'3708','of':%s,'reason':'r'}", id)),
                     403);
    assert_int_equal(call(f, PROVINCE, "POST", "/lift",
                          BODY("{'area':'3708','of':%s,'reason':'r'}", id)),
                     201);
    assert_int_equal(call(f, PROVINCE, "GET", "/sheet?area=3708", NULL), 200);
    assert_true(says("\"veto\":\"\""));
    /* no total while items are open, no appeal before it */
    assert_int_equal(call(f, PROVINCE, "POST", "/publish",
                          "{'area':'3708','points':'0'}"),
                     409);
    assert_true(says("is not scored yet"));
    assert_int_equal(call(f, OFFICE, "POST", "/appeal",
                          BODY("{'area':'3708','item':'HN-4.1.1.2',"
                               "'reason':'r','digest':'%s'}",
                               d)),
                     409);
    assert_int_equal(call(f, PROVINCE, "GET", "/sheet?area=370883", NULL), 200);
    assert_int_equal(call(f, PROVINCE, "POST", "/publish",
                          "{'area':'370883','points':'0'}"),
                     409); /* a county has no sheet */
    puan_fix_end(f);
}

/* ---- by the system ------------------------------------------------------------- */

static int64_t act(struct puan_fix *f, int64_t run, const char *flow,
                   enum puan_flow_event_kind kind, const char *name,
                   const char *role, int64_t seat, const char *json)
{
    struct puan_act a = { .actor = puan_str_of(role) };
    struct puan_case_call c = { .run = run, .area = TOWN, .arena = &f->a };
    uint8_t digest[PUAN_DIGEST_SIZE];

    c.flow = puan_str_of(flow);
    c.event.kind = kind;
    c.event.name = puan_str_of(name);
    c.event.who = puan_case_seat(f->st, puan_str_of(role), puan_str_of(role),
                                 seat, TOWN);
    c.event.fields = puan_fix_json(f, json);
    if (kind == PUAN_FLOW_SIGN) {
        puan_fix_covered(digest, f, run, name);
        c.event.digest = digest;
        c.event.yes = true;
    }
    ok(puan_case_do(f->st, &a, &c, err));
    return c.row.id;
}

static void tickets_are_measured(void **state)
{
    struct puan_fix *f = make();
    const struct puan_node *i;
    int64_t run;

    (void)state;
    /* nothing to measure: what the scheme says of that */
    ok(puan_assess_job(f->st, err));
    assert_true(is(item(f, "HN-4.7.5"), "points", "1"));
    assert_true(is(item(f, "HN-4.6.5"), "points", "0"));
    for (int k = 0; k < 4; k++) {
        run = act(f, 0, "ticket", PUAN_FLOW_OPEN, "", "helpdesk", COUNTY,
                  "{'kind':'question','title':'how is it done'}");
        if (k < 3) /* the last is left lying */
            act(f, run, "ticket", PUAN_FLOW_ACT, "answer", "helpdesk", COUNTY,
                "{'reply':'so it is done'}");
    }
    puan_fix_clock_ms(f, T0 + 2 * DAY);
    ok(puan_cases_tick(f->st, NULL, err));
    ok(puan_assess_job(f->st, err));
    i = item(f, "HN-4.7.5");
    assert_true(is(i, "points", "0")); /* 75 of a hundred */
    assert_true(is(puan_node_get(i, "by"), "count", "3"));
    assert_true(is(puan_node_get(i, "by"), "total", "4"));
    for (int k = 0; k < 12; k++) {
        run = act(f, 0, "ticket", PUAN_FLOW_OPEN, "", "helpdesk", COUNTY,
                  "{'kind':'question','title':'how is it done'}");
        act(f, run, "ticket", PUAN_FLOW_ACT, "answer", "helpdesk", COUNTY,
            "{'reply':'so it is done'}");
    }
    puan_fix_clock_ms(f, T0 + 4 * DAY);
    ok(puan_assess_job(f->st, err));
    assert_true(is(item(f, "HN-4.7.5"), "points", "0.5")); /* 93 of a hundred */
    /* the other city had none of it */
    assert_int_equal(call(f, PROVINCE, "GET", "/sheet?area=3709", NULL), 200);
    assert_false(says("\"count\":15"));
    puan_fix_end(f);
}

static void a_leak_stands_against_full_points(void **state)
{
    static const char *const kinds[] = { "seals", "archive", "custody" };
    struct puan_fix *f = make();
    const char *d = paper(f, "list");
    int64_t run;

    (void)state;
    for (size_t k = 0; k < PUAN_COUNT(kinds); k++)
        assert_int_equal(
            call(f, OFFICE, "POST", "/evidence",
                 BODY("{'area':'3708','item':'HN-4.1.7.0','evidence':'%s',"
                      "'digest':'%s','day':'2020-11-02'}",
                      kinds[k], d)),
            201);
    assert_int_equal(call(f, GENERAL, "POST", "/score",
                          "{'area':'3708','item':'HN-4.1.7.0'}"),
                     201);
    run = act(f, 0, "leak", PUAN_FLOW_OPEN, "", "duty-officer", TOWN,
              "{'title':'a roll is lost','known_elsewhere':'false'}");
    act(f, run, "leak", PUAN_FLOW_ACT, "report", "duty-officer", TOWN,
        "{'unit':'u','content':'c','class':'secret','quantity':'1',"
        "'carrier':'c','happened':'2020-12-01T08:00:00+08:00','place':'p',"
        "'course':'c','harm':'h','persons':'p','measures':'m',"
        "'way':'writing'}");
    act(f, run, "leak", PUAN_FLOW_ACT, "verify", "secrecy-office", COUNTY,
        "{'verification':'v','major':'true','in_media':'true'}");
    act(f, run, "leak", PUAN_FLOW_ASK, "start", "secrecy-office", COUNTY, NULL);
    act(f, run, "leak", PUAN_FLOW_SIGN, "start", "leading-group", COUNTY, NULL);
    act(f, run, "leak", PUAN_FLOW_ACT, "start", "leading-group", COUNTY,
        "{'decision_reason':'grave'}");
    act(f, run, "leak", PUAN_FLOW_ACT, "own_inquiry", "leading-group", COUNTY,
        "{'notify_secrecy':'false','notify_security':'false',"
        "'notify_police':'false','investigator':'g'}");
    ok(puan_assess_job(f->st, err));
    assert_true(is(item(f, "HN-4.1.7.0"), "weak", "false"));
    act(f, run, "leak", PUAN_FLOW_ACT, "find_inside", "secrecy-office", COUNTY,
        "{'fact_class':'s','fact_content':'c','fact_term':'t',"
        "'fact_made':'2020-10-01T00:00:00+08:00','fact_audience':'a',"
        "'fact_time':'2020-12-01T08:00:00+08:00','fact_channel':'c',"
        "'fact_range':'r','fact_persons':'p'}");
    ok(puan_assess_job(f->st, err));
    ok(puan_assess_job(f->st, err)); /* entered once */
    assert_true(is(item(f, "HN-4.1.7.0"), "weak", "true"));
    assert_int_equal(puan_node_get(item(f, "HN-4.1.7.0"), "cases")->n, 1);
    assert_int_equal(call(f, GENERAL, "POST", "/score",
                          "{'area':'3708','item':'HN-4.1.7.0'}"),
                     409);
    assert_true(says("stands against"));
    assert_int_equal(
        call(f, GENERAL, "POST", "/score",
             BODY("{'area':'3708','item':'HN-4.1.7.0','points':'1',"
                  "'reason':'a leak','digest':'%s'}",
                  d)),
        201);
    assert_true(is(item(f, "HN-4.1.7.0"), "weak", "false"));
    assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM assess_entry"
                                        " WHERE kind = 'against'"),
                     1);
    puan_fix_close(f);
    puan_fix_verify(f);
    puan_fix_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_writes_what_is_his),
        cmocka_unit_test(bonus_veto_and_total),
        cmocka_unit_test(tickets_are_measured),
        cmocka_unit_test(a_leak_stands_against_full_points),
    };

    return cmocka_run_group_tests_name("assessment", tests, NULL, NULL);
}
