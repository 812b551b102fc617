/*
 * A report from the public on a real store: sealed, answered by a receipt,
 * followed by it to its end; nothing of what was written is shown; the limits
 * hold; a mistyped receipt is told from an unknown one.
 */
#include <stdlib.h>

#include "features/cases/cases.h"
#include "features/host/test_desk.h"
#include "features/tips/tips.h"
#include "kit/os/os.h"

#define DAY INT64_C(86400000)

static const char *engines[2];
static size_t n_engines;

static struct puan_fix *make(const char *url)
{
    desk_county(url, "sm");
    return fix;
}

static struct puan_str value(const char *key)
{
    return puan_node_str_opt(tree(), key, "");
}

static void act(struct puan_fix *f, enum puan_flow_event_kind kind,
                const char *name, const char *actor, const char *role,
                const char *json)
{
    struct puan_act a = { .actor = puan_str_of(actor) };
    struct puan_case_call c = { .run = 1, .arena = &f->a };
    uint8_t digest[PUAN_DIGEST_SIZE];

    c.event.kind = kind;
    c.event.name = puan_str_of(name);
    c.event.who = puan_case_seat(f->st, puan_str_of(actor), puan_str_of(role),
                                 COUNTY, TOWN);
    c.event.fields = puan_fix_json(f, json);
    if (kind == PUAN_FLOW_SIGN) {
        puan_fix_covered(digest, f, 1, name);
        c.event.digest = digest;
        c.event.yes = true;
    }
    ok(puan_case_do(f->st, &a, &c, err));
}

static enum puan_status refused(struct puan_fix *f, const char *name,
                                const char *json)
{
    struct puan_act a = { .actor = PUAN_STR("x") };
    struct puan_case_call c = { .run = 1, .arena = &f->a };

    c.event.kind = PUAN_FLOW_ACT;
    c.event.name = puan_str_of(name);
    c.event.who = puan_case_seat(f->st, PUAN_STR("x"), PUAN_STR("enforcement"),
                                 COUNTY, TOWN);
    c.event.fields = puan_fix_json(f, json);
    return puan_case_do(f->st, &a, &c, NULL);
}

static void from_report_to_answer(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        const char *receipt, *path;

        assert_int_equal(call(NULL, "GET", "/public/reports/kinds", NULL), 200);
        assert_true(says("\"kind\":\"leaked\",\"zh\":\"泄露个人信息\""));
        assert_int_equal(
            call(NULL, "POST", "/public/reports",
                 "{\"area\":\"370883001\",\"kind\":\"fee\",\"text\":"
                 "\"SENTINEL asked for money\",\"contact\":\"CONTACTMARK\"}"),
            201);
        receipt = puan_arena_dup(&f->a, value("receipt"));
        assert_int_equal(strlen(receipt), 14);
        assert_true(says("\"state\":\"received\""));
        assert_true(says("\"due\":\"2020-11-03T08:00:0"));
        /* its enforcement seat is told, and nobody reads it in the store */
        assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM case_notice"
                                            " WHERE role = 'enforcement' AND"
                                            " area = 370883"),
                         1);
        assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM case_event"
                                            " WHERE body = ''"),
                         1);

        path = puan_arena_fmt(&f->a, "/public/reports/%s", receipt);
        assert_int_equal(call(NULL, "GET", path, NULL), 200);
        assert_false(says("SENTINEL") || says("CONTACTMARK") || says("fee"));
        assert_int_equal(refused(f, "accept", "{'interest':true}"),
                         PUAN_ECONFLICT);
        assert_int_equal(refused(f, "decline", "{'decline_reason':'handled'}"),
                         PUAN_EINVAL);
        assert_int_equal(refused(f, "decline", NULL), PUAN_ECONFLICT);
        puan_fix_clock_ms(f, T0 + DAY / 2);
        act(f, PUAN_FLOW_ACT, "accept", "x", "enforcement",
            "{'interest':false}");
        assert_int_equal(call(NULL, "GET", path, NULL), 200);
        assert_true(says("\"state_zh\":\"已受理\""));
        assert_true(says("\"due\":\"2020-12-02T20:00:0"));
        assert_int_equal(
            refused(f, "decide",
                    "{'outcome':'penalty','finding':'so','liable':'one',"
                    "'leader':false,'repeated':false}"),
            PUAN_ECONFLICT);
        act(f, PUAN_FLOW_DO, "verify", "x", "enforcement",
            "{'checked':'two households asked'}");
        act(f, PUAN_FLOW_DO, "inspect", "x", "enforcement",
            "{'inspected':'confirmed'}");
        act(f, PUAN_FLOW_ASK, "decision", "x", "enforcement",
            "{'outcome':'penalty','finding':'so'}");
        act(f, PUAN_FLOW_SIGN, "decision", "l", "leading-group", NULL);
        act(f, PUAN_FLOW_ACT, "decide", "x", "enforcement",
            "{'liable':'one','leader':false,'repeated':false}");
        act(f, PUAN_FLOW_ACT, "answer", "x", "enforcement",
            "{'answer':'handled','way':'receipt'}");
        assert_int_equal(call(NULL, "GET", path, NULL), 200);
        assert_true(says("\"ended\":true") && says("\"due\":null"));
        assert_false(says("SENTINEL") || says("penalty") || says("handled"));
        puan_fix_close(f);
        assert_true(puan_fix_verify(f) > 5);
        puan_fix_end(f);
    }
}

/* A question is answered in words, to whoever has the receipt; a report never. */
static void a_question_is_answered(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        const char *asked, *desk, *expert, *path;

        assert_int_equal(call(NULL, "GET", "/public/questions/kinds", NULL),
                         200);
        assert_true(says("\"kind\":\"question\",\"zh\":\"业务咨询\""));
        assert_false(says("\"kind\":\"device\"")); /* that is for staff */
        assert_int_equal(
            call(NULL, "POST", "/public/questions",
                 "{\"kind\":\"device\",\"text\":\"a tablet\"}"),
            400);
        assert_int_equal(
            call(NULL, "POST", "/public/questions",
                 "{\"area\":\"370883001\",\"kind\":\"question\",\"text\":"
                 "\"SENTINEL lives abroad\",\"contact\":\"CONTACTMARK\"}"),
            201);
        path = puan_arena_fmt(&f->a, "/public/questions/%s",
                              puan_arena_dup(&f->a, value("receipt")));
        asked = puan_arena_dup(&f->a, value("receipt"));
        /* the desk reads it though it is sealed; other seats do not see it */
        desk = seat("h", "helpdesk", TOWN);
        expert = seat("e", "expert", COUNTY);
        must(200, desk, "GET", "/cases/1", NULL);
        assert_true(says("SENTINEL") && says("CONTACTMARK"));
        assert_true(says("\"title_zh\":\"业务咨询\"") ||
                    says("\"title_zh\":\"业务咨询｜Question\""));
        must(404, expert, "GET", "/cases/1", NULL);
        act(f, PUAN_FLOW_ACT, "to_publicity", "h", "helpdesk",
            "{'record':'the whole record of it'}");
        /* the group it went to reads the question, not how to reach him */
        must(200, seat("p", "publicity", COUNTY), "GET", "/cases/1", NULL);
        assert_true(says("SENTINEL"));
        assert_false(says("CONTACTMARK"));
        act(f, PUAN_FLOW_ACT, "agree_publicity", "p", "publicity",
            "{'view':'ANSWERMARK'}");
        must(200, NULL, "GET", path, NULL);
        assert_true(says("\"state_zh\":\"已协商\""));
        assert_false(says("ANSWERMARK") || says("SENTINEL"));
        act(f, PUAN_FLOW_ACT, "answer_agreed", "h", "helpdesk",
            "{'reply':'REPLYMARK'}");
        must(200, NULL, "GET", path, NULL);
        assert_true(says("\"answer\":\"REPLYMARK\"") && says("\"ended\":true"));
        assert_false(says("SENTINEL") || says("CONTACTMARK"));
        /* a number of the one is none of the other */
        must(404, NULL, "GET", puan_arena_fmt(&f->a, "/public/reports/%s", asked),
             NULL);
        puan_fix_close(f);
        assert_true(puan_fix_verify(f) > 3);
        puan_fix_end(f);
    }
}

/* An enumerator and a household ask from their own accounts. */
static void who_has_signed_in_asks_as_himself(void **state)
{
    struct puan_fix *f = make(NULL);
    const char *device, *own, *desk;

    (void)state;
    puan_fix_import(f, PUAN_IMPORT_AREAS,
                    "code,parent,level,name_zh,name_en\n"
                    "370883001001,370883001,district,一区,One\n"
                    "370883001001001,370883001001,ea,一小区,One\n"
                    "370883001001002,370883001001,ea,二小区,Two\n");
    device = puan_fix_session(f, (struct puan_who){ .name = "e-1",
                                   .credential = PUAN_CRED_DEVICE,
                                   .area = 370883001001001 }, "enumerator");
    own = puan_fix_session(f, (struct puan_who){ .name = "hh",
                                .credential = PUAN_CRED_HOUSEHOLD,
                                .household = 370883001001001007,
                                .area = 370883001001001 }, "household");
    desk = seat("h", "helpdesk", TOWN);
    must(401, NULL, "POST", "/help/questions",
         "{'kind':'device','text':'no upload'}");
    must(200, device, "GET", "/help/kinds", NULL);
    assert_true(says("\"kind\":\"device\""));
    must(201, device, "POST", "/help/questions",
         "{'kind':'device','text':'no upload since nine',"
         "'household':'370883001001001003'}");
    must(200, desk, "GET", "/cases/1", NULL);
    assert_true(says("e-1") && says("370883001001001003"));
    assert_true(says("no upload since nine"));
    assert_true(says("采集设备提问"));
    /* a household of another enumeration area is not his to name */
    must(403, device, "POST", "/help/questions",
         "{'kind':'device','text':'no upload',"
         "'household':'370883001001002003'}");
    must(201, own, "POST", "/help/questions",
         "{'kind':'online','text':'how do I send it'}");
    must(200, desk, "GET", "/cases/2", NULL);
    assert_true(says("370883001001001007"));
    puan_fix_end(f);
}

/* Who has an interest hands it on and may do no more in it. */
static void the_same_report_is_one(void **state)
{
    static const char body[] = "{\"kind\":\"fee\",\"text\":\"asked for money\"}",
                      other[] = "{\"kind\":\"fee\",\"text\":\"asked for more\"}";

    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        const char *first, *second;

        fix->headers = "Idempotency-Key: 0123456789abcdef\r\n";
        assert_int_equal(call(NULL, "POST", "/public/reports", body), 201);
        first = puan_arena_dup(&f->a, value("receipt"));
        assert_int_equal(call(NULL, "POST", "/public/reports", body), 201);
        assert_true(puan_str_is(value("receipt"), first));
        assert_true(says("\"state\":\"received\""));
        assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM case_tip"), 1);
        /* other words, or another key, are another report */
        assert_int_equal(call(NULL, "POST", "/public/reports", other), 201);
        second = puan_arena_dup(&f->a, value("receipt"));
        assert_string_not_equal(second, first);
        fix->headers = "Idempotency-Key: 0123456789abcdeg\r\n";
        assert_int_equal(call(NULL, "POST", "/public/reports", body), 201);
        assert_false(puan_str_is(value("receipt"), first));
        fix->headers = "Idempotency-Key: 1\r\n"; /* too short to be one's own */
        assert_int_equal(call(NULL, "POST", "/public/reports", body), 201);
        assert_int_equal(call(NULL, "POST", "/public/reports", body), 201);
        fix->headers = NULL;
        assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM case_tip"), 5);
        puan_fix_end(f);
    }
}

static void recusal_takes_it_out_of_the_hand(void **state)
{
    struct puan_fix *f = make(NULL);

    (void)state;
    assert_int_equal(call(NULL, "POST", "/public/reports",
                          "{\"kind\":\"conduct\",\"text\":\"a report\"}"),
                     201);
    assert_int_equal(puan_fix_office(f, "SELECT area FROM case_run"), COUNTY);
    act(f, PUAN_FLOW_ACT, "recuse", "x", "enforcement",
        "{'recusal_reason':'a relative'}");
    assert_int_equal(refused(f, "decide", NULL), PUAN_ECONFLICT);
    assert_int_equal(refused(f, "decide_referred",
                             "{'outcome':'unfounded','finding':'none',"
                             "'liable':'nobody','leader':false,"
                             "'repeated':false}"),
                     PUAN_EDENIED);
    assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM case_notice"
                                        " WHERE role = 'leading-group'"),
                     1);
    act(f, PUAN_FLOW_ACT, "decide_referred", "l", "leading-group",
        "{'outcome':'unfounded','finding':'none','liable':'nobody',"
        "'leader':false,'repeated':false}");
    puan_fix_end(f);
}

static void what_does_not_fit_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "{}", "{\"kind\":\"fee\"}", "{\"text\":\"long enough\"}",
        "{\"kind\":\"bribe\",\"text\":\"long enough\"}",
        "{\"kind\":\"fee\",\"text\":\"x\"}",
        "{\"kind\":\"fee\",\"text\":\" \\n\\t      　　\"}",
        "{\"kind\":\"fee\",\"text\":\"long enough\",\"area\":\"110000\"}",
    };
    struct puan_fix *f = make(NULL);
    char *big = puan_arena_get(&f->a, 20001);

    (void)state;
    /* other addresses than this one are not to be had here: the limit of one
     * address is 10, and refused requests count too */
    for (size_t i = 0; i < PUAN_COUNT(bad); i++)
        assert_int_equal(call(NULL, "POST", "/public/reports", bad[i]), 400);
    puan_format(big, 20001, "{\"kind\":\"fee\",\"text\":\"%0*d\"}", 6001, 0);
    assert_int_equal(call(NULL, "POST", "/public/reports", big), 400);
    puan_format(big, 20001, "{\"kind\":\"fee\",\"text\":\"%0*d\"}", 17000, 0);
    assert_int_equal(call(NULL, "POST", "/public/reports", big), 413);
    assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM case_run"), 0);
    puan_fix_end(f);
}

static void one_address_is_held_back(void **state)
{
    struct puan_fix *f = make(NULL);
    unsigned taken = 0, held = 0;

    (void)state;
    for (int i = 0; i < 15; i++) {
        unsigned s = call(NULL, "POST", "/public/reports",
                          "{\"kind\":\"fee\",\"text\":\"long enough\"}");

        taken += s == 201;
        held += s == 429;
    }
    assert_int_equal(taken, 10);
    assert_int_equal(held, 5);
    assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM case_run"), 10);
    puan_fix_end(f);
}

static void limits_refill_and_hold_for_all(void **state)
{
    struct puan_tip_limits *l = NULL;
    unsigned n = 0;
    char peer[32];

    (void)state;
    ok(puan_tip_limits_open(&l, err));
    for (int i = 0; i < 20; i++)
        n += puan_tip_allowed(l, "10.0.0.1", true, T0);
    assert_int_equal(n, 10);
    /* looking something up is another matter */
    assert_true(puan_tip_allowed(l, "10.0.0.1", false, T0));
    assert_false(puan_tip_allowed(l, "10.0.0.1", true, T0 + 359000));
    assert_true(puan_tip_allowed(l, "10.0.0.1", true, T0 + 360000));
    assert_false(puan_tip_allowed(l, "10.0.0.1", true, T0 + 360001));
    /* a clock that goes backwards opens nothing */
    assert_false(puan_tip_allowed(l, "10.0.0.1", true, T0));
    n = 0;
    for (int i = 0; i < 3000; i++) {
        puan_format(peer, sizeof peer, "10.1.%d.%d", i / 250, i % 250);
        n += puan_tip_allowed(l, peer, true, T0 + 400000);
    }
    assert_int_equal(n, 600);
    puan_tip_limits_close(l);
}

/* Every single slip and every exchange of neighbours is found. */
static void a_slip_in_a_receipt_is_found(void **state)
{
    static const char alphabet[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    unsigned seed = 7;

    (void)state;
    for (int round = 0; round < 200; round++) {
        char text[PUAN_TIP_RECEIPT], whole[13], got[13], t[13];
        uint8_t chance[11];

        for (size_t i = 0; i < sizeof chance; i++)
            chance[i] = (uint8_t)(seed = seed * 1103515245u + 12345u, seed >> 16);
        puan_tip_receipt(text, chance);
        ok(puan_tip_read(whole, puan_str_of(text), err));
        for (size_t i = 0; i < 12; i++) {
            for (size_t k = 0; k < 32; k++) {
                memcpy(t, whole, sizeof t);
                t[i] = alphabet[k];
                assert_int_equal(puan_tip_read(got, puan_str_of(t), NULL),
                                 t[i] == whole[i] ? PUAN_OK : PUAN_EINVAL);
            }
            if (i == 0 || whole[i] == whole[i - 1])
                continue;
            memcpy(t, whole, sizeof t);
            t[i] = whole[i - 1];
            t[i - 1] = whole[i];
            assert_int_equal(puan_tip_read(got, puan_str_of(t), NULL),
                             PUAN_EINVAL);
        }
    }
}

/* Whatever is typed or sent, the answer is an answer. */
static void anything_may_be_typed(void **state)
{
    struct puan_fix *f = make(NULL);
    struct puan_err why;
    char got[13], any[24];
    unsigned seed = 20201101;

    (void)state;
    print_message("seed %u\n", seed);
    for (int i = 0; i < 20000; i++) {
        size_t n = (seed = seed * 1103515245u + 12345u, seed >> 16) % sizeof any;
        enum puan_status st;

        for (size_t k = 0; k < n; k++)
            any[k] = (char)(seed = seed * 1103515245u + 12345u, seed >> 16);
        why = (struct puan_err){ 0 };
        st = puan_tip_read(got, (struct puan_str){ any, n }, &why);
        assert_true(st == PUAN_OK || (st == PUAN_EINVAL && why.text[0]));
    }
    assert_int_equal(call(NULL, "GET", "/public/reports/ABC", NULL), 400);
    assert_int_equal(call(NULL, "GET", "/public/reports/%00%ff", NULL), 400);
    assert_int_equal(call(NULL, "GET", "/public/reports/2222-2222-2222", NULL), 404);
    puan_fix_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_report_to_answer),
        cmocka_unit_test(a_question_is_answered),
        cmocka_unit_test(who_has_signed_in_asks_as_himself),
        cmocka_unit_test(the_same_report_is_one),
        cmocka_unit_test(recusal_takes_it_out_of_the_hand),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(one_address_is_held_back),
        cmocka_unit_test(limits_refill_and_hold_for_all),
        cmocka_unit_test(a_slip_in_a_receipt_is_found),
        cmocka_unit_test(anything_may_be_typed),
    };

    n_engines = puan_fix_engines(engines);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
