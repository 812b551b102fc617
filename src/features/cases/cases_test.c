/*
 * A real incident on a real store, with the plan of 2020: raised by the
 * machine, reported late, escalated by its clocks on the campaign clock over a
 * restart, handled and closed; what is forbidden is refused, and the ledger
 * proves all of it.
 */
#include "core/ledger/ledger.h"
#include "features/cases/internal.h"
#include "features/host/test_desk.h"
#include "kit/os/os.h"


static const char *engines[2];
static size_t n_engines;
static struct puan_case_call last; /* what did() asked for, and got */

/* One act on case `run`; 0 opens an incident in TOWN. */
static enum puan_status did(struct puan_fix *f, int64_t run,
                            enum puan_flow_event_kind kind, const char *name,
                            const char *actor, const char *role, int64_t area,
                            const char *json)
{
    struct puan_act act = { .actor = puan_str_of(actor),
                            .seat = puan_str_of(role) };
    struct puan_case_call *c = &last;

    memset(c, 0, sizeof *c);
    f->err = (struct puan_err){ 0 };
    c->run = run;
    c->flow = PUAN_STR("incident");
    c->area = TOWN;
    c->arena = &f->a;
    c->event.kind = kind;
    c->event.name = puan_str_of(name);
    c->event.who = strcmp(role, "system") == 0
                       ? puan_case_system()
                       : puan_case_seat(f->st, puan_str_of(actor),
                                        puan_str_of(role), area, TOWN);
    c->event.fields = puan_fix_json(f, json);
    c->event.yes = true;
    return puan_case_do(f->st, &act, c, &f->err);
}

/* Signs an approval over what is there now. */
static enum puan_status sign(struct puan_fix *f, int64_t run, const char *name,
                             const char *actor, const char *role)
{
    struct puan_act act = { .actor = puan_str_of(actor) };
    struct puan_case_call c = { .run = run, .arena = &f->a };
    uint8_t digest[PUAN_DIGEST_SIZE];

    puan_fix_covered(digest, f, run, name);
    c.event.kind = PUAN_FLOW_SIGN;
    c.event.name = puan_str_of(name);
    c.event.who = puan_case_seat(f->st, puan_str_of(actor), puan_str_of(role),
                                 COUNTY, TOWN);
    c.event.yes = true;
    c.event.digest = digest;
    f->err = (struct puan_err){ 0 };
    return puan_case_do(f->st, &act, &c, &f->err);
}

static int64_t ticks(struct puan_fix *f)
{
    int64_t n = -1;

    ok(puan_cases_tick(f->st, &n, err));
    return n;
}

#define EIGHT                                                                  \
    "{'happened':'2020-11-02T07:30:00+08:00','place':'A','cause':'unknown',"   \
    "'details':'uploads fail','loss':'none','scope':'wider','trend':'steady'," \
    "'measures':'lines checked','way':'phone'}"

static void an_incident_from_alarm_to_end(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = desk_county_store(engines[e], "sm");
        int64_t run;

        puan_fix_hold(f, 1, NULL, "risk-office", COUNTY);
        puan_fix_hold(f, 2, NULL, "leading-group", COUNTY);
        puan_fix_hold(f, 3, NULL, "duty-officer", COUNTY);
        assert_int_equal(did(f, 0, PUAN_FLOW_OPEN, "", "puan", "system", 0,
                             "{'class':'technical','title':'uploads fail',"
                             "'raised_by':'puan_returns_submitted',"
                             "'level':'red'}"),
                         PUAN_OK);
        run = last.row.id;
        assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM case_clock"),
                         1);
        /* told at once; taken over before anybody else is */
        assert_int_equal(
            puan_fix_office(f, "SELECT COUNT(*) FROM case_notice WHERE kind"
                               " = 'notify' AND role = 'duty-officer'"),
            1);
        assert_int_equal(did(f, run, PUAN_FLOW_TAKE, "", "t",
                             "township-office", TOWN, NULL),
                         PUAN_EDENIED);
        assert_int_equal(did(f, run, PUAN_FLOW_TAKE, "", "o", "risk-office",
                             COUNTY, NULL),
                         PUAN_OK);
        assert_int_equal(did(f, run, PUAN_FLOW_TAKE, "", "o", "risk-office",
                             COUNTY, NULL),
                         PUAN_ECONFLICT);

        /* 8 h: the change of channel; 12 h, 20 h: warnings; 24 h: overdue */
        assert_int_equal(ticks(f), 0);
        puan_fix_clock_ms(f, T0 + 8 * HOUR);
        assert_int_equal(ticks(f), 1);
        assert_int_equal(ticks(f), 0);
        puan_fix_clock_ms(f, T0 + 21 * HOUR);
        assert_int_equal(ticks(f), 2);
        puan_fix_clock_ms(f, T0 + 24 * HOUR);
        puan_fix_reopen(f); /* a restart loses no clock */
        assert_int_equal(ticks(f), 1);
        assert_int_equal(ticks(f), 0);
        puan_fix_clock_ms(f, T0 + 25 * HOUR);
        assert_int_equal(ticks(f), 1);
        assert_int_equal(
            puan_fix_office(f, "SELECT COUNT(*) FROM case_notice WHERE kind"
                               " = 'escalate' AND role = 'leading-group'"),
            1);
        assert_int_equal(
            puan_fix_office(f, "SELECT COUNT(*) FROM case_notice WHERE"
                               " vacant = 1"),
            0);

        /* what is forbidden leaves no trace in the store */
        assert_int_equal(did(f, run, PUAN_FLOW_ACT, "start", "l",
                             "leading-group", COUNTY, NULL),
                         PUAN_ECONFLICT);
        assert_int_equal(did(f, run, PUAN_FLOW_ACT, "inform", "t",
                             "township-office", TOWN, NULL),
                         PUAN_EDENIED);
        assert_int_equal(did(f, run, PUAN_FLOW_ACT, "report", "x",
                             "township-office", 370883002, EIGHT),
                         PUAN_EDENIED);
        assert_int_equal(did(f, run, PUAN_FLOW_ACT, "report", "t",
                             "township-office", TOWN, "{'place':'A'}"),
                         PUAN_EINVAL);

        assert_int_equal(did(f, run, PUAN_FLOW_ACT, "report", "t",
                             "township-office", TOWN, EIGHT),
                         PUAN_OK);
        assert_int_equal(did(f, run, PUAN_FLOW_DO, "first_aid", "t",
                             "township-office", TOWN, NULL),
                         PUAN_OK);
        assert_int_equal(did(f, run, PUAN_FLOW_ACT, "inform", "o",
                             "risk-office", COUNTY, NULL),
                         PUAN_OK);
        assert_int_equal(did(f, run, PUAN_FLOW_ASK, "start", "o", "risk-office",
                             COUNTY, NULL),
                         PUAN_OK);
        assert_int_equal(sign(f, run, "start", "l", "leading-group"), PUAN_OK);
        assert_int_equal(did(f, run, PUAN_FLOW_ACT, "start", "l",
                             "leading-group", COUNTY, NULL),
                         PUAN_OK);
        /* especially grave: report and notices are there with the grade */
        assert_int_equal(did(f, run, PUAN_FLOW_ACT, "set_grade", "l",
                             "leading-group", COUNTY,
                             "{'nature':'n','degree':'d','extent':'e',"
                             "'grade':'gravest'}"),
                         PUAN_OK);
        assert_int_equal(last.decision.n, 2);
        assert_int_equal(
            puan_fix_office(f, "SELECT COUNT(*) FROM case_notice WHERE seat"
                               " IN ('government', 'departments') AND role"
                               " = 'duty-officer'"),
            2);
        assert_int_equal(did(f, run, PUAN_FLOW_DO, "network_login", "t",
                             "township-office", TOWN, NULL),
                         PUAN_OK);
        assert_int_equal(did(f, run, PUAN_FLOW_DO, "base_server_app", "t",
                             "township-office", TOWN, NULL),
                         PUAN_OK);
        assert_int_equal(did(f, run, PUAN_FLOW_ASK, "end", "o", "risk-office",
                             COUNTY, "{'result_report':'all lines are up'}"),
                         PUAN_OK);
        assert_int_equal(sign(f, run, "end", "o", "risk-office"), PUAN_EDENIED);
        assert_int_equal(sign(f, run, "end", "l", "leading-group"), PUAN_OK);
        /* class 2 ends by its own test and by no other */
        assert_int_equal(did(f, run, PUAN_FLOW_ACT, "close_technical", "l",
                             "leading-group", COUNTY, "{'handled':false}"),
                         PUAN_ECONFLICT);
        assert_int_equal(did(f, run, PUAN_FLOW_ACT, "close_economic", "l",
                             "leading-group", COUNTY, "{'effect_major':false}"),
                         PUAN_ECONFLICT);
        assert_int_equal(did(f, run, PUAN_FLOW_ACT, "close_technical", "l",
                             "leading-group", COUNTY, "{'handled':true}"),
                         PUAN_OK);
        assert_true(last.decision.ended);
        assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM case_clock"),
                         0);
        assert_int_equal(did(f, run, PUAN_FLOW_ACT, "set_grade", "l",
                             "leading-group", COUNTY,
                             "{'nature':'n','degree':'d','extent':'e',"
                             "'grade':'major'}"),
                         PUAN_ECONFLICT);
        puan_fix_close(f);
        assert_true(puan_fix_verify(f) > 10);
        puan_fix_end(f);
    }
}

static void an_empty_seat_escalates_at_once(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = desk_county_store(engines[e], "sm");

        puan_fix_hold(f, 2, NULL, "leading-group", COUNTY); /* nobody at the risk office */
        puan_fix_hold(f, 3, NULL, "duty-officer", COUNTY);  /* and one above the township */
        assert_int_equal(did(f, 0, PUAN_FLOW_OPEN, "", "t", "township-office",
                             TOWN, "{'class':'disaster','title':'flood'}"),
                         PUAN_OK);
        assert_int_equal(
            puan_fix_office(f, "SELECT COUNT(*) FROM case_notice WHERE role"
                               " = 'duty-officer' AND area = 370883 AND"
                               " vacant = 0"),
            1);
        /* nobody says "mine": the duty officer again, then all at once */
        puan_fix_clock_ms(f, T0 + HOUR / 6);
        assert_int_equal(ticks(f), 1);
        puan_fix_clock_ms(f, T0 + HOUR / 3);
        assert_int_equal(ticks(f), 1); /* vacant, so the leaders with it */
        assert_int_equal(
            puan_fix_office(f, "SELECT COUNT(*) FROM case_notice WHERE kind"
                               " = 'escalate' AND role = 'leading-group'"),
            1);
        assert_int_equal(did(f, 1, PUAN_FLOW_TAKE, "", "d", "duty-officer",
                             COUNTY, NULL),
                         PUAN_OK);
        puan_fix_clock_ms(f, T0 + 24 * HOUR);
        assert_int_equal(ticks(f), 3); /* two warnings and the deadline */
        assert_int_equal(
            puan_fix_office(f, "SELECT COUNT(*) FROM case_notice WHERE kind"
                               " = 'escalate' AND role = 'risk-office' AND"
                               " vacant = 1"),
            2);
        assert_int_equal(
            puan_fix_office(f, "SELECT COUNT(*) FROM case_notice WHERE kind"
                               " = 'escalate' AND role = 'leading-group' AND"
                               " vacant = 0"),
            2);
        puan_fix_clock_ms(f, T0 + 26 * HOUR);
        assert_int_equal(ticks(f), 0); /* the ladder has been climbed */
        puan_fix_end(f);
    }
}

static void a_stale_reader_is_told(void **state)
{
    struct puan_fix *f = desk_county_store(NULL, "sm");
    struct puan_act act = { .actor = PUAN_STR("t") };
    struct puan_case_call c;

    (void)state;
    assert_int_equal(did(f, 0, PUAN_FLOW_OPEN, "", "t", "township-office", TOWN,
                         "{'class':'technical','title':'x'}"),
                     PUAN_OK);
    c = last;
    memset(&c, 0, sizeof c);
    c.run = last.row.id;
    c.arena = &f->a;
    c.expect = 7;
    c.event.kind = PUAN_FLOW_DO;
    c.event.name = PUAN_STR("first_aid");
    c.event.who = puan_case_seat(f->st, PUAN_STR("t"),
                                 PUAN_STR("township-office"), TOWN, TOWN);
    assert_int_equal(puan_case_do(f->st, &act, &c, NULL), PUAN_ECONFLICT);
    c.expect = 1;
    assert_int_equal(puan_case_do(f->st, &act, &c, NULL), PUAN_OK);
    assert_int_equal(puan_fix_office(f, "SELECT n FROM case_run"), 2);
    puan_fix_end(f);
}

/* Many due at once: each acts once, over a restart in the middle. */
static void many_clocks_act_once(void **state)
{
    struct puan_fix *f = desk_county_store(NULL, "sm");
    int64_t first;

    (void)state;
    for (int i = 0; i < 300; i++) {
        assert_int_equal(did(f, 0, PUAN_FLOW_OPEN, "", "t", "township-office",
                             TOWN, "{'class':'disaster','title':'x'}"),
                         PUAN_OK);
    }
    puan_fix_clock_ms(f, T0 + 13 * HOUR);
    first = ticks(f);
    puan_fix_reopen(f);
    /* nobody took them over, and every seat is vacant: one tick each climbs
     * the whole ladder (three events); then the warning */
    assert_int_equal(first + ticks(f), 600);
    assert_int_equal(
        puan_fix_office(f, "SELECT COUNT(*) FROM case_event WHERE n = 5"), 300);
    assert_int_equal(
        puan_fix_office(f, "SELECT COUNT(*) FROM case_event WHERE n > 5"), 0);
    puan_fix_end(f);
}

/* The job asks the store at once when a clock it was told of is due, and not
 * before. */
static void the_job_knows_when_to_look(void **state)
{
    static const char acted[] = "SELECT COUNT(*) FROM case_event WHERE n > 1";
    struct puan_fix *f = desk_county_store(NULL, "sm");

    (void)state;
    ok(puan_cases_clocks(f->st, err)); /* nothing is due, nothing will be */
    assert_int_equal(did(f, 0, PUAN_FLOW_OPEN, "", "t", "township-office", TOWN,
                         "{'class':'disaster','title':'x'}"),
                     PUAN_OK);
    ok(puan_cases_clocks(f->st, err));
    assert_int_equal(puan_fix_office(f, acted), 0);
    /* take_over is ten minutes; the second of the last look has not passed */
    puan_fix_clock_ms(f, T0 + HOUR);
    ok(puan_cases_clocks(f->st, err));
    assert_true(puan_fix_office(f, acted) > 0);
    puan_fix_end(f);
}

/* A switch to the backup, as its head asks for it. */
static enum puan_status switched(struct puan_fix *f, int64_t run,
                                 const char *fields)
{
    struct puan_act act = { .actor = PUAN_STR("sun") };
    struct puan_case_call c = { .run = run, .arena = &f->a };
    uint8_t digest[PUAN_DIGEST_SIZE];
    struct puan_flow_paper log = { .kind = PUAN_STR("log") };

    ok(puan_blob_put(digest, f->st, PUAN_STR("log of the switch"), &f->a,
                     err));
    memcpy(log.digest, digest, sizeof digest);
    c.event.kind = PUAN_FLOW_ACT;
    c.event.name = PUAN_STR("switch");
    c.event.who = puan_case_seat(f->st, PUAN_STR("sun"),
                                 PUAN_STR("security-group-head"), COUNTY, TOWN);
    c.event.papers = &log;
    c.event.n_papers = 1;
    c.event.fields = puan_fix_json(f, fields);
    f->err = (struct puan_err){ 0 };
    return puan_case_do(f->st, &act, &c, &f->err);
}

/* What the guard of a flow asks of the registry is counted, not believed. */
static void a_guard_asks_for_figures(void **state)
{
    static const char *const way[] = { "off_site", "phone" };

    (void)state;
    for (size_t k = 0; k < PUAN_COUNT(way); k++) {
        struct puan_fix *f = desk_county_store(NULL, "sm");
        struct puan_act act = { .actor = PUAN_STR("sun") };
        struct puan_case_call c = { .area = TOWN, .arena = &f->a };
        const char *ask = puan_arena_fmt(
            &f->a, "{'way':'%s','site':'city'}", way[k]);

        c.flow = PUAN_STR("backup_switch");
        c.event.kind = PUAN_FLOW_OPEN;
        c.event.who =
            puan_case_seat(f->st, PUAN_STR("sun"),
                           PUAN_STR("security-group-head"), COUNTY, TOWN);
        c.event.fields = puan_fix_json(f, "{'title':'flood','grade':'major'}");
        ok(puan_case_do(f->st, &act, &c, err));
        assert_int_equal(did(f, c.row.id, PUAN_FLOW_ASK, "decision", "sun",
                             "security-group-head", COUNTY, ask),
                         PUAN_OK);
        assert_int_equal(sign(f, c.row.id, "decision", "li", "leading-group"),
                         PUAN_OK);
        /* the store holds no return: a number typed is not taken */
        assert_int_equal(switched(f, c.row.id,
                                  "{'records_before':'7',"
                                  "'switched_at':'2020-11-02T08:00:00+08:00'}"),
                         PUAN_ECONFLICT);
        /* nor is a switch to a backup that was never made */
        assert_int_equal(switched(f, c.row.id,
                                  "{'records_before':'0',"
                                  "'switched_at':'2020-11-02T08:00:00+08:00'}"),
                         k == 0 ? PUAN_ECONFLICT : PUAN_OK);
        puan_fix_end(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_job_knows_when_to_look),
        cmocka_unit_test(a_guard_asks_for_figures),
        cmocka_unit_test(an_incident_from_alarm_to_end),
        cmocka_unit_test(an_empty_seat_escalates_at_once),
        cmocka_unit_test(a_stale_reader_is_told),
        cmocka_unit_test(many_clocks_act_once),
    };

    n_engines = puan_fix_engines(engines);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
