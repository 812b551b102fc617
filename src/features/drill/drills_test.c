/*
 * Drills on a real store: who is told, what is sent when and once, what it is
 * worth, where the result goes; and the technical ones for real.
 */
#include <stdlib.h>

#include "features/drill/internal.h"
#include "features/host/test_desk.h"
#include "kit/os/os.h"

#define MIN INT64_C(60000)

static const char *engines[2];
static size_t n_engines;

static struct puan_drill_call last;

static enum puan_status does(struct puan_fix *f, enum puan_drill_do what,
                             int64_t run, const char *role, int64_t area,
                             const char *name, const char *text)
{
    struct puan_act act = { .actor = puan_str_of(role),
                            .seat = puan_str_of(role),
                            .device = PUAN_STR("") };

    f->err = (struct puan_err){ 0 };
    last = (struct puan_drill_call){ .what = what,
                                     .run = run,
                                     .area = area,
                                     .role = puan_str_of(role),
                                     .person = puan_str_of(role),
                                     .seat_area = area,
                                     .name = puan_str_of(name),
                                     .text = puan_str_of(text),
                                     .yes = true,
                                     .arena = &f->a };
    if (what == PUAN_DRILL_DO_PLAN) {
        last.drill = puan_str_of(name);
        last.name = PUAN_STR("");
    }
    if (what == PUAN_DRILL_DO_IMPROVE)
        last.fields = puan_fix_json(f, text);
    if (what == PUAN_DRILL_DO_REPORT)
        ok(puan_blob_put(last.digest, f->st, PUAN_STR("report"), &f->a, err));
    return puan_drill_do(f->st, &act, &last, &f->err);
}

#define fine(call)                                                             \
    do {                                                                       \
        enum puan_status got_ = (call);                                        \
        if (got_ != PUAN_OK)                                                   \
            fail_msg("%s: %s %s", #call, f->err.where, f->err.text);           \
    } while (0)

static enum puan_status acts(struct puan_fix *f, int64_t run,
                             enum puan_flow_event_kind kind, const char *name,
                             const char *role, int64_t area, int64_t place,
                             bool drill, const char *json)
{
    struct puan_act act = { .actor = puan_str_of(role),
                            .seat = puan_str_of(role) };
    struct puan_case_call *c = puan_new(&f->a, struct puan_case_call);

    f->err = (struct puan_err){ 0 };
    c->run = run;
    c->flow = PUAN_STR("incident");
    c->area = place;
    c->arena = &f->a;
    c->event.kind = kind;
    c->event.name = puan_str_of(name);
    c->event.who = puan_case_seat(f->st, puan_str_of(role), puan_str_of(role),
                                  area, place);
    c->event.fields = puan_fix_json(f, json);
    c->event.drill = drill;
    return puan_case_do(f->st, &act, c, &f->err);
}

static void tick(struct puan_fix *f, int64_t minute)
{
    puan_fix_clock_ms(f, T0 + minute * MIN);
    ok(puan_drills_tick(f->st, err));
    ok(puan_cases_tick(f->st, NULL, err));
}

static struct puan_drill_story *story(struct puan_fix *f, int64_t id)
{
    struct puan_drill_story *s = puan_new(&f->a, struct puan_drill_story);
    struct puan_db *db = NULL;

    ok(puan_read_begin(&db, puan_store_office(f->st), err));
    ok(puan_drill_story_read(s, f->st, db, id, puan_store_now(f->st), &f->a,
                             err));
    puan_read_end(puan_store_office(f->st), db);
    return s;
}

static const struct puan_drill_verdict *verdict(const struct puan_drill_story *s,
                                                const char *id)
{
    int k = puan_drill_expect_of(s->drill, puan_str_of(id));

    assert_true(k >= 0);
    return &s->result.verdict[k];
}

#define REPORT                                                                 \
    "{'happened':'2020-11-02T08:00:00+08:00','place':'p','cause':'c',"         \
    "'details':'d','loss':'l','scope':'one_city','trend':'t','measures':'m',"  \
    "'way':'phone'}"

/* From the timetable to the register, over a restart in the middle. */
static void a_drill_goes_by_its_timetable_and_is_judged(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = desk_county_store(engines[e], "sm");
        struct puan_drill_story *s;

        /* only its lead, at an area of its level */
        assert_int_equal(does(f, PUAN_DRILL_DO_PLAN, 0, "duty-officer", COUNTY,
                              "flood_night", ""),
                         PUAN_EDENIED);
        assert_int_equal(does(f, PUAN_DRILL_DO_PLAN, 0, "risk-office", TOWN,
                              "flood_night", ""),
                         PUAN_EINVAL);
        fine(does(f, PUAN_DRILL_DO_PLAN, 0, "risk-office", COUNTY,
                  "flood_night", ""));
        assert_int_equal(last.made, 1);
        assert_int_equal(does(f, PUAN_DRILL_DO_START, 1, "duty-officer", COUNTY,
                              "", ""),
                         PUAN_EDENIED);
        fine(does(f, PUAN_DRILL_DO_START, 1, "risk-office", COUNTY, "", ""));
        /* the first inject: a case that is a drill, a message */
        assert_int_equal(puan_fix_office(f, "SELECT drill FROM case_run"), 1);
        fine(does(f, PUAN_DRILL_DO_PLAN, 0, "risk-office", COUNTY,
                  "direct_report_down", ""));
        assert_int_equal(does(f, PUAN_DRILL_DO_START, 2, "risk-office", COUNTY,
                              "", ""),
                         PUAN_ECONFLICT); /* one at a place */

        puan_fix_clock_ms(f, T0 + 5 * MIN);
        assert_int_equal(does(f, PUAN_DRILL_DO_HEAR, 1, "expert", COUNTY,
                              "rain", ""),
                         PUAN_ENOTFOUND);
        fine(does(f, PUAN_DRILL_DO_HEAR, 1, "duty-officer", COUNTY, "rain",
                  ""));
        assert_int_equal(does(f, PUAN_DRILL_DO_HEAR, 1, "duty-officer", COUNTY,
                              "rain", ""),
                         PUAN_ECONFLICT);
        fine(acts(f, 1, PUAN_FLOW_TAKE, "", "duty-officer", COUNTY, COUNTY,
                  false, NULL));
        puan_fix_clock_ms(f, T0 + 10 * MIN);
        fine(acts(f, 1, PUAN_FLOW_DO, "first_aid", "duty-officer", COUNTY,
                  COUNTY, false, "{'measures':'m'}"));

        /* the server dies; the timetable goes on, nothing comes twice */
        puan_fix_reopen(f);
        tick(f, 21);
        tick(f, 21);
        assert_int_equal(
            puan_fix_office(f, "SELECT COUNT(*) FROM drill_event WHERE"
                               " kind = 'inject'"),
            2);
        /* reported after 90 minutes: late, half the points */
        tick(f, 90);
        assert_int_equal(
            puan_fix_office(f, "SELECT COUNT(*) FROM drill_event WHERE"
                               " kind = 'inject'"),
            3);
        fine(acts(f, 1, PUAN_FLOW_ACT, "report", "duty-officer", COUNTY, COUNTY,
                  false, REPORT));
        s = story(f, 1);
        assert_int_equal(verdict(s, "heard")->state, PUAN_DRILL_MET);
        assert_int_equal(verdict(s, "taken")->state, PUAN_DRILL_MET);
        assert_int_equal(verdict(s, "aid")->state, PUAN_DRILL_MET);
        assert_int_equal(verdict(s, "report")->state, PUAN_DRILL_LATE);
        assert_int_equal(verdict(s, "report")->points, 10);
        assert_int_equal(verdict(s, "second")->state, PUAN_DRILL_WAITING);
        assert_int_equal(verdict(s, "press")->state, PUAN_DRILL_WAITING);
        fine(does(f, PUAN_DRILL_DO_OBSERVE, 1, "risk-office", COUNTY, "press",
                  ""));
        assert_int_equal(does(f, PUAN_DRILL_DO_OBSERVE, 1, "risk-office",
                              COUNTY, "report", ""),
                         PUAN_EINVAL); /* what is measured is not ticked */
        assert_int_equal(does(f, PUAN_DRILL_DO_REPORT, 1, "risk-office", COUNTY,
                              "", "s"),
                         PUAN_ECONFLICT);

        /* it ends by itself; nothing goes on in its case */
        tick(f, 241);
        assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM drill_run"
                                            " WHERE state = 'ended'"),
                         1);
        assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM case_run"
                                            " WHERE ended = 0"),
                         0);
        assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM case_clock"),
                         0);
        assert_int_equal(acts(f, 1, PUAN_FLOW_ACT, "inform", "risk-office",
                              COUNTY, COUNTY, false, NULL),
                         PUAN_ECONFLICT);
        s = story(f, 1);
        assert_int_equal(verdict(s, "start")->state, PUAN_DRILL_MISSED);
        assert_int_equal(verdict(s, "no_order")->state, PUAN_DRILL_MET);
        assert_int_equal(s->result.points, 10 + 10 + 15 + 10 + 5 + 10);
        assert_int_equal(s->result.full, 100);
        assert_false(s->result.passed);

        /* improvements are tasks, the result stands in the register */
        fine(does(f, PUAN_DRILL_DO_IMPROVE, 1, "risk-office", COUNTY, "",
                  "{'title':'夜间上报','drill_ref':'drill/1','what':'w','owner':"
                  "'duty','due':'2020-12-01T08:00:00+08:00'}"));
        assert_int_equal(
            puan_fix_office(f, "SELECT COUNT(*) FROM case_run WHERE flow ="
                               " 'drill_task' AND drill = 0 AND ended = 0"),
            1);
        fine(does(f, PUAN_DRILL_DO_REPORT, 1, "risk-office", COUNTY, "",
                  "要练夜间上报"));
        assert_int_equal(
            puan_fix_office(f, "SELECT COUNT(*) FROM case_run WHERE flow ="
                               " 'drill_register' AND state = 'held' AND"
                               " drill = 0"),
            1);
        assert_int_equal(puan_fix_office(f, "SELECT points FROM drill_run"
                                            " WHERE state = 'reported'"),
                         60);
        puan_fix_close(f);
        puan_fix_verify(f);
        puan_fix_end(f);
    }
}

/* Whoever is no contact hears nothing of a drill; of a real case he does. */
static void a_drill_tells_nobody_else(void **state)
{
    struct puan_fix *f = desk_county_store(NULL, "sm");
    const char *fields = "{'class':'technical','title':'t'}";

    (void)state;
    for (int drill = 1; drill >= 0; drill--) {
        int64_t id = drill ? 1 : 2;

        fine(acts(f, 0, PUAN_FLOW_OPEN, "", "duty-officer", TOWN, TOWN,
                  drill != 0, fields));
        fine(acts(f, id, PUAN_FLOW_ACT, "report", "duty-officer", TOWN, TOWN,
                  false, REPORT));
        assert_int_equal(puan_fix_office(f, drill
                                                ? "SELECT COUNT(*) FROM"
                                                  " case_notice WHERE run = 1"
                                                  " AND area <> 370883001"
                                                : "SELECT COUNT(*) FROM"
                                                  " case_notice WHERE run = 2"
                                                  " AND area <> 370883001") > 0,
                         !drill);
    }
    /* what it would have told the office above, its opener hears instead */
    assert_true(puan_fix_office(f, "SELECT COUNT(*) FROM case_notice WHERE"
                                   " run = 1 AND seat = 'office' AND role ="
                                   " 'duty-officer'") > 0);
    puan_fix_end(f);
}

/* A contact who opens the case himself joins the drill that runs there. */
static void a_contacts_case_joins_the_drill(void **state)
{
    struct puan_fix *f = desk_county_store(NULL, "sm");
    struct puan_drill_story *s;

    (void)state;
    fine(does(f, PUAN_DRILL_DO_PLAN, 0, "risk-office", COUNTY,
              "direct_report_down", ""));
    fine(does(f, PUAN_DRILL_DO_START, 1, "risk-office", COUNTY, "", ""));
    puan_fix_clock_ms(f, T0 + 9 * MIN);
    fine(acts(f, 0, PUAN_FLOW_OPEN, "", "duty-officer", COUNTY, COUNTY, true,
              "{'class':'technical','title':'t'}"));
    s = story(f, 1);
    assert_int_equal(s->n_cases, 1);
    assert_int_equal(verdict(s, "found")->state, PUAN_DRILL_MET);
    assert_int_equal(verdict(s, "heard")->state, PUAN_DRILL_WAITING);
    /* something real happens: broken off by one act, with its reason */
    fine(does(f, PUAN_DRILL_DO_ABORT, 1, "risk-office", COUNTY, "", "实战"));
    s = story(f, 1);
    assert_int_equal(verdict(s, "heard")->state, PUAN_DRILL_MISSED);
    assert_true(puan_str_is(s->row.state, "aborted"));
    puan_fix_end(f);
}

static void technical_drills_run_the_real_thing(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = puan_fix_canton(engines[e]);
        static const char *const drills[] = { "restore", "tamper", "load" };

        puan_fix_send(f, 110010010001, 0, "3");
        for (size_t i = 0; i < PUAN_COUNT(drills); i++) {
            struct puan_drill_story *s;
            int64_t id;

            fine(does(f, PUAN_DRILL_DO_PLAN, 0, "canton-registrar", 11,
                      drills[i], ""));
            id = last.made;
            fine(does(f, PUAN_DRILL_DO_START, id, "canton-registrar", 11, "",
                      ""));
            assert_int_equal(does(f, PUAN_DRILL_DO_MEASURE, id,
                                  "canton-registrar", 11, "same", ""),
                             PUAN_EDENIED);
            ok(puan_drill_procedure(f->st, id, err));
            s = story(f, id);
            for (size_t k = 0; k < s->n_events; k++)
                if (!s->event[k].yes)
                    fail_msg("%.*s: %.*s", PUAN_FMT(s->event[k].name),
                             PUAN_FMT(s->event[k].body));
            assert_true(s->result.passed);
            assert_int_equal(s->result.points, s->result.full);
            assert_false(puan_dir_exists(puan_arena_fmt(
                &f->a, "%s.drills/%lld", f->dir, (long long)id)));
        }
        puan_fix_close(f);
        puan_fix_verify(f); /* the live one is as it was */
        puan_fix_end(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_drill_goes_by_its_timetable_and_is_judged),
        cmocka_unit_test(a_drill_tells_nobody_else),
        cmocka_unit_test(a_contacts_case_joins_the_drill),
        cmocka_unit_test(technical_drills_run_the_real_thing),
    };

    n_engines = puan_fix_engines(engines);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
