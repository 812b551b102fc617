/*
 * Monitors over a real store: a metric opens one case, and a flapping one
 * does not flood.
 */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_metric_opens_one_case),
        cmocka_unit_test(it_stays_raised_until_it_is_clear),
    };

    n_engines = puan_fix_engines(engines);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
