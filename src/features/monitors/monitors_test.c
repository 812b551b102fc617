/*
 * Monitors over a real store: a metric opens one case, and a flapping one
 * does not flood.
 */
#include <string.h>

#include "features/host/test_fixture.h"
#include "features/monitors/monitors.h"

static const char *engines[2];
static size_t n_engines;

/* a house without rooms: hard (Z09) */
#define BAD "{\"missing\":\"refused\"}"

static int64_t look(struct puan_fix *f)
{
    int64_t raised = -1;

    ok(puan_monitors_look(f->st, true, &raised, err));
    return raised;
}

static void forward(struct puan_fix *f, int64_t hours)
{
    struct puan_act act = { .actor = PUAN_STR("tester"),
                            .verb = PUAN_STR("clock.set") };

    ok(puan_store_clock_set(f->st, &act,
                            puan_store_now(f->st) + hours * 3600000, 0, err));
}

static void a_metric_opens_one_case(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = puan_fix_canton(engines[e]);
        struct puan_flow_run *run = NULL;
        struct puan_case_row row;
        struct puan_db *db = NULL;
        int at;

        puan_fix_send(f, 110020010001, 0, "3");
        assert_int_equal(look(f), 0); /* the control: a sound parish */
        puan_fix_send(f, 110010010001, 0, BAD);
        assert_int_equal(look(f), 1);
        assert_int_equal(look(f), 0);
        assert_int_equal(puan_fix_office(f, "SELECT level FROM monitor_state"),
                         4);
        assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM case_run"),
                         1);
        ok(puan_read_begin(&db, puan_store_office(f->st), err));
        ok(puan_case_read(&row, &run, f->st, db, 1, &f->a, err));
        puan_read_end(puan_store_office(f->st), db);
        assert_int_equal(row.area, 11001);
        at = puan_flow_field(run->flow, PUAN_STR("raised_by"));
        assert_true(puan_str_starts(run->field[at].text, "hard_findings"));
        at = puan_flow_field(run->flow, PUAN_STR("level"));
        assert_int_equal(run->field[at].v, 3); /* red */
        /* its clock is running */
        assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM case_clock"),
                         1);

        /* flapping: mended, broken, mended, broken: the same case */
        for (unsigned i = 1; i < 5; i++) {
            puan_fix_send(f, 110010010001, i, i % 2 ? "3" : BAD);
            assert_int_equal(look(f), 0);
        }
        assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM case_run"),
                         1);
        /* also after a restart, which forgets what was seen last */
        puan_fix_reopen(f);
        forward(f, 30);
        assert_int_equal(look(f), 0);
        assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM case_run"),
                         1);
        puan_fix_close(f);
        puan_fix_verify(f);
        puan_fix_end(f);
    }
}

/* Between raising (20 %) and clearing (10 %) nothing changes. */
static void it_stays_raised_until_it_is_clear(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);

    (void)state;
    puan_fix_send(f, 110010010001, 0, BAD);
    puan_fix_send(f, 110010010002, 0, "3");
    assert_int_equal(look(f), 1);
    assert_int_equal(puan_fix_office(f, "SELECT level FROM monitor_state"), 2);
    puan_fix_send(f, 110010010001, 1, "3");
    assert_int_equal(look(f), 0);
    assert_int_equal(puan_fix_office(f, "SELECT level FROM monitor_state"), 0);
    /* broken again within the quiet time: the alarm is up, no second case */
    puan_fix_send(f, 110010010001, 2, BAD);
    assert_int_equal(look(f), 0);
    assert_int_equal(puan_fix_office(f, "SELECT level FROM monitor_state"), 2);
    puan_fix_end(f);
}

/* `n` readings of running results by a seat at an area. */
static void readings(struct puan_fix *f, const char *seat, int n)
{
    for (int i = 0; i < n; i++) {
        struct puan_act act = { .actor = PUAN_STR("reader"),
                                .seat = puan_str_of(seat),
                                .device = PUAN_STR(""),
                                .verb = PUAN_STR("evaluation.view"),
                                .subject = PUAN_STR("area/11/evaluation") };

        ok(puan_commit(puan_store_office(f->st), &act, NULL, NULL, err));
    }
}

static int64_t level_in(struct puan_fix *f, int64_t area)
{
    return puan_fix_office(
        f, puan_arena_fmt(&f->a,
                          "SELECT COALESCE(MAX(level), 0) FROM monitor_state"
                          " WHERE monitor = 'results_read' AND area = %lld",
                          (long long)area));
}

/* Acts of the ledger are counted where their seat stands, for as long as the
 * plan says; alarms of two parishes share the case of their canton. */
static void acts_are_counted_and_gathered(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = puan_fix_canton(engines[e]);

        readings(f, "parish-clerk@11001", 49);
        readings(f, "national-board@1", 60); /* of no watched level */
        readings(f, "operator", 60);         /* no seat at all */
        assert_int_equal(look(f), 0);
        readings(f, "parish-clerk@11001", 1);
        assert_int_equal(look(f), 1);
        assert_int_equal(level_in(f, 11001), 2);
        assert_int_equal(level_in(f, 11002), 0);
        assert_int_equal(puan_fix_office(f, "SELECT area FROM case_run"), 11);
        /* the second parish joins, and says so to the case: opened, told */
        readings(f, "parish-clerk@11002", 50);
        assert_int_equal(look(f), 0);
        assert_int_equal(level_in(f, 11002), 2);
        assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM case_run"),
                         1);
        assert_int_equal(puan_fix_office(f, "SELECT n FROM case_run"), 2);
        /* worse: told once */
        readings(f, "parish-clerk@11001", 50);
        assert_int_equal(look(f), 0);
        assert_int_equal(look(f), 0);
        assert_int_equal(level_in(f, 11001), 4);
        assert_int_equal(puan_fix_office(f, "SELECT n FROM case_run"), 3);
        assert_int_equal(
            puan_fix_office(f, "SELECT COUNT(*) FROM case_notice WHERE role ="
                               " 'canton-registrar' AND kind = 'notify'"),
            2);
        /* a day later they are of yesterday; a restart reads them again */
        puan_fix_reopen(f);
        assert_int_equal(look(f), 0);
        assert_int_equal(level_in(f, 11001), 4);
        forward(f, 25);
        assert_int_equal(look(f), 0);
        assert_int_equal(level_in(f, 11001), 0);
        puan_fix_close(f);
        puan_fix_verify(f);
        puan_fix_end(f);
    }
}

/* Cases are counted by state, field, age and overdue clock. */
static void cases_are_counted(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);

    (void)state;
    readings(f, "parish-clerk@11001", 50); /* an incident of class social */
    puan_fix_send(f, 110010010001, 0, BAD); /* and one of class technical */
    assert_int_equal(look(f), 2);
    forward(f, 24 * 19);
    ok(puan_cases_tick(f->st, NULL, err));
    assert_int_equal(look(f), 0);
    forward(f, 24);
    assert_int_equal(look(f), 1);
    assert_int_equal(
        puan_fix_office(f, "SELECT value FROM monitor_state WHERE monitor ="
                           " 'old_incidents'"),
        1);
    puan_fix_end(f);
}

/* What cannot be read is told apart from what is not there yet. */
static void blindness_is_counted(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    int64_t v = -1;

    (void)state;
    assert_int_equal(look(f), 0);
    for (size_t i = 0; i < puan_feature_monitors.n_metrics; i++)
        if (strcmp(puan_feature_monitors.metrics[i].name,
                   "puan_monitors_unread") == 0)
            ok(puan_feature_monitors.metrics[i].read(&v, f->st, 1, err));
    assert_int_equal(v, 0);
    puan_fix_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_metric_opens_one_case),
        cmocka_unit_test(it_stays_raised_until_it_is_clear),
        cmocka_unit_test(acts_are_counted_and_gathered),
        cmocka_unit_test(cases_are_counted),
        cmocka_unit_test(blindness_is_counted),
    };

    n_engines = puan_fix_engines(engines);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
