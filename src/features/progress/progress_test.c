#include "features/progress/internal.h"

#include <string.h>

#include "features/host/test_fixture.h"
#include "features/review/review.h"

enum { CANTON, PARISH }; /* levels of the plan */

static struct puan_work at(struct puan_fix *f, int64_t area)
{
    struct puan_work_basis b;
    struct puan_work x;

    puan_work_of(&x, &b, f->st, area, CANTON);
    assert_int_equal(b.of, 1);
    assert_int_equal(b.have, 1);
    return x;
}

static void nothing_is_counted_before_the_first_look(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    struct puan_work_basis b;
    struct puan_work x;

    (void)state;
    puan_work_of(&x, &b, f->st, 11, CANTON);
    assert_int_equal(b.of, 1);
    assert_int_equal(b.have, 0);
    assert_int_equal(b.n_missing, 1);
    assert_int_equal(b.missing[0], 11);
    ok(puan_work_look(f->st, err));
    assert_int_equal(at(f, 11).listed, 3);
    puan_fix_end(f);
}

static void figures_follow_returns_and_roll_up(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    struct puan_work x;

    (void)state;
    ok(puan_work_look(f->st, err));
    puan_fix_send(f, 110010010001, 0, "2");
    puan_fix_send(f, 110020010001, 0, "2");
    assert_int_equal(at(f, 11).delivered, 0); /* behind the commit */
    ok(puan_work_look(f->st, err));
    x = at(f, 11);
    assert_int_equal(x.delivered, 2);
    assert_int_equal(x.waiting, 0); /* nothing found: in no queue */
    assert_int_equal(x.day[1], 2); /* 2 April, the window opened on the 1st */
    assert_int_equal(x.minute[PUAN_WORK_MINUTES - 1] +
                         x.minute[PUAN_WORK_MINUTES - 2],
                     2);
    assert_int_equal(x.persons, 2);
    assert_int_equal(at(f, 11001).delivered, 1);
    assert_int_equal(at(f, 11002001).delivered, 1);
    assert_int_equal(at(f, 11003).delivered, 0);
    assert_true(x.last_ms > 0);
    puan_fix_end(f);
}

static void a_correction_moves_a_household_and_a_lot_accepts_it(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    struct puan_work x;

    (void)state;
    puan_fix_send(f, 110010010001, 0, "2");
    puan_fix_send(f, 110010010001, 1, "3");
    ok(puan_work_look(f->st, err));
    x = at(f, 11001);
    assert_int_equal(x.delivered, 1); /* a household, not a version */
    assert_int_equal(x.day[1], 1);
    puan_fix_send(f, 110010010002, 0, "2");
    assert_int_equal(puan_fix_accept(f, "parish-clerk", 11001, 11001, ""),
                     PUAN_OK);
    ok(puan_work_look(f->st, err));
    x = at(f, 11001);
    assert_int_equal(x.accepted, 2);
    assert_int_equal(at(f, 11002).accepted, 0);
    puan_fix_end(f);
}

struct write {
    const char *sql;
};
static enum puan_status write_body(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act, void *arg,
                                   struct puan_err *err)
{
    (void)sh;
    (void)act;
    return puan_db_exec(db, ((const struct write *)arg)->sql, err);
}
static void put(struct puan_fix *f, const char *sql)
{
    struct puan_act act = { .actor = PUAN_STR("t"), .verb = PUAN_STR("t") };
    struct write w = { sql };

    ok(puan_commit(puan_store_shard(f->st, 1), &act, write_body, &w, err));
}

/* Both sides of the queue's figures, for the office of one level. */
static void same_as_the_queue(struct puan_fix *f, unsigned level, int waiting,
                              int corrected, int queried)
{
    struct puan_review_counts r;
    struct puan_work_basis b;
    struct puan_work x;

    ok(puan_work_look(f->st, err));
    puan_work_of(&x, &b, f->st, 11, level);
    assert_int_equal(x.waiting, waiting);
    assert_int_equal(x.corrected, corrected);
    assert_int_equal(x.queried, queried);
    ok(puan_review_counts_of(&r, f->st, 11, level, err));
    assert_int_equal(r.state[PUAN_REVIEW_WAITING], waiting);
    assert_int_equal(r.state[PUAN_REVIEW_CORRECTED], corrected);
    assert_int_equal(r.state[PUAN_REVIEW_QUERYING], queried);
}

static void figures_equal_the_review_queue(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);

    (void)state;
    puan_fix_send(f, 110010010001, 0, "45"); /* a finding each */
    puan_fix_send(f, 110010010002, 0, "45");
    puan_fix_send(f, 110020010001, 0, "45");
    same_as_the_queue(f, PARISH, 3, 0, 0);
    put(f, "INSERT INTO query(id, household, version, reason, findings, actor,"
           " seat, asked, state, answered) VALUES (1, 110010010001, 1, 'r',"
           " '[]', 'a', 's', 5, 'open', 0);");
    same_as_the_queue(f, PARISH, 2, 0, 1);
    puan_fix_send(f, 110010010001, 1, "44");
    same_as_the_queue(f, PARISH, 2, 1, 0);
    put(f, "INSERT INTO review_act(id, household, version, kind, level, office,"
           " actor, seat, at, entered, reason, findings, undoes) VALUES"
           " (1, 110010010001, 2, 'accept', 'parish', 11001, 'a', 's', 9, 9,"
           " '', '[]', 0),"
           " (2, 110010010002, 1, 'pass', 'parish', 11001, 'a', 's', 9, 9,"
           " '', '[]', 0);");
    same_as_the_queue(f, PARISH, 1, 0, 0);
    same_as_the_queue(f, CANTON, 2, 0, 0); /* one passed up, one untouched */
    assert_int_equal(at(f, 11).accepted, 1);
    put(f, "INSERT INTO review_act(id, household, version, kind, level, office,"
           " actor, seat, at, entered, reason, findings, undoes) VALUES"
           " (3, 110010010001, 2, 'undo', 'parish', 11001, 'a', 's', 9, 9, '',"
           " '[]', 1);");
    same_as_the_queue(f, PARISH, 1, 1, 0);
    assert_int_equal(at(f, 11).accepted, 0);
    puan_fix_end(f);
}

static void a_unit_that_needs_no_return_is_not_due(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    struct puan_work x;

    (void)state;
    ok(puan_work_look(f->st, err));
    puan_fix_import(f, PUAN_IMPORT_LISTING,
                    "household,ea,status\n110030010001,11003001,vacant\n"
                    "110030010002,11003001,empty\n"
                    "110030010003,11003001,ordinary\n");
    ok(puan_work_look(f->st, err)); /* a new listing: made anew */
    x = at(f, 11003);
    assert_int_equal(x.listed, 3);
    assert_int_equal(x.vacant, 2);
    puan_fix_send(f, 110030010001, 0, "2"); /* somebody lived there after all */
    ok(puan_work_look(f->st, err));
    x = at(f, 11003);
    assert_int_equal(x.vacant, 1);
    assert_int_equal(x.delivered, 1);
    puan_fix_end(f);
}

static void a_restart_gives_the_same_figures(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    struct puan_work a, b;

    (void)state;
    puan_fix_send(f, 110010010001, 0, "2");
    puan_fix_send(f, 110010010001, 1, "99"); /* with a finding or without */
    puan_fix_send(f, 110020010001, 0, "2");
    ok(puan_work_look(f->st, err));
    a = at(f, 11);
    puan_fix_reopen(f);
    ok(puan_work_look(f->st, err));
    b = at(f, 11);
    memset(a.minute, 0, sizeof(a.minute));
    memset(b.minute, 0, sizeof(b.minute));
    assert_memory_equal(&a, &b, sizeof(a));
    puan_fix_end(f);
}

static void rules_count_households_of_last_versions(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    struct puan_work_rule r[8];
    size_t n;

    (void)state;
    puan_fix_send(f, 110010010001, 0, "45"); /* more rooms than is usual */
    ok(puan_work_look(f->st, err));
    n = puan_work_rules(r, 8, f->st, 11);
    assert_int_equal(at(f, 11).flagged, n > 0);
    assert_true(n > 0);
    assert_int_equal(r[0].households, 1);
    puan_fix_send(f, 110010010001, 1, "3");
    ok(puan_work_look(f->st, err));
    assert_int_equal(at(f, 11).flagged, 0);
    assert_int_equal(puan_work_rules(r, 8, f->st, 11), 0);
    puan_fix_end(f);
}

/* ---- curve and forecast ------------------------------------------------------ */

#define DAY (INT64_C(24) * 3600 * 1000)

static void the_curve_rises_evenly_between_its_days(void **state)
{
    struct puan_plan_curve c = { .from_ms = 0, .until_ms = 4 * DAY,
                                 .n = 4, .at = { 400, 700, 900, 1000 } };

    (void)state;
    assert_int_equal(puan_curve_at(&c, -1), 0);
    assert_int_equal(puan_curve_at(&c, DAY / 2), 200);
    assert_int_equal(puan_curve_at(&c, DAY), 400);
    assert_int_equal(puan_curve_at(&c, DAY + DAY / 2), 550);
    assert_int_equal(puan_curve_at(&c, 9 * DAY), 1000);
    c.n = 0;
    assert_int_equal(puan_curve_at(&c, DAY), 250);
}

static void a_steady_half_a_day_is_forecast_to_the_day(void **state)
{
    /* each day brings half of what is out; 12.5 % are out after three days,
       under 1 % after seven: four more days, today being untouched */
    struct puan_forecast_part p = { 8000, 7000, { 4000, 2000, 1000 } };
    struct puan_forecast f;

    (void)state;
    puan_forecast_of(&f, &p, 1, 3, 0, 990, 1, true);
    assert_true(f.known);
    assert_int_equal(f.basis, 3);
    assert_int_equal(f.early, 3); /* days 0, 1, 2, 3 from today */
    assert_int_equal(f.middle, 3);
    assert_int_equal(f.late, 3);
    assert_int_equal(f.mid[0], 937);
}

static void a_slow_part_holds_the_whole_back(void **state)
{
    struct puan_forecast_part p[2] = { { 8000, 7000, { 4000, 2000, 1000 } },
                                       { 8000, 1141, { 400, 380, 361 } } };
    struct puan_forecast fast, both, slow;

    (void)state;
    puan_forecast_of(&fast, p, 1, 3, 0, 990, 1, false);
    puan_forecast_of(&slow, p + 1, 1, 3, 0, 990, 1, false);
    puan_forecast_of(&both, p, 2, 3, 0, 990, 1, true);
    assert_true(both.middle > fast.middle + 20);
    assert_true(both.middle <= slow.middle);
    /* tomorrow: half of one part's rest, a twentieth of the other's */
    assert_in_range(both.mid[0], 560, 568);
}

static void uneven_days_give_a_band_and_the_same_seed_the_same_band(void **state)
{
    struct puan_forecast_part p = { 10000, 7100,
                                    { 3000, 500, 2000, 100, 1500 } };
    struct puan_forecast f, g;

    (void)state;
    puan_forecast_of(&f, &p, 1, 5, 500, 990, 7, true);
    puan_forecast_of(&g, &p, 1, 5, 500, 990, 7, true);
    assert_memory_equal(&f, &g, sizeof(f));
    assert_true(f.early < f.late);
    assert_true(f.low[3] < f.high[3]);
    assert_true(f.mid[5] > f.mid[1]);
    puan_forecast_of(&g, &p, 1, 5, 500, 990, 7, false);
    assert_int_equal(g.n, 0); /* without the band, the same end or nearly */
    assert_in_range(g.middle, f.middle - 2, f.middle + 2);
}

static void without_movement_there_is_no_forecast(void **state)
{
    struct puan_forecast_part p = { 1000, 0, { 0 } };
    struct puan_forecast f;

    (void)state;
    puan_forecast_of(&f, &p, 1, 4, 300, 990, 1, true);
    assert_false(f.known);
    p.due = 0;
    puan_forecast_of(&f, &p, 1, 4, 300, 990, 1, true);
    assert_false(f.known);
    puan_forecast_of(&f, &p, 0, 4, 300, 990, 1, true);
    assert_false(f.known);
    p = (struct puan_forecast_part){ 1000, 999, { 999 } };
    puan_forecast_of(&f, &p, 1, 1, 0, 990, 1, true);
    assert_true(f.complete);
}

static void the_first_day_stands_for_itself_pro_rata(void **state)
{
    struct puan_forecast_part p = { 1000, 500, { 500 } };
    struct puan_forecast f;

    (void)state;
    /* half a day brought half: a whole one brings three quarters */
    puan_forecast_of(&f, &p, 1, 0, 500, 990, 1, true);
    assert_true(f.known);
    assert_int_equal(f.basis, 0);
    assert_in_range(f.mid[0], 740, 760);
}

static int64_t metric(struct puan_fix *f, const char *name, int64_t area)
{
    for (size_t i = 0; i < puan_feature_progress.n_metrics; i++)
        if (strcmp(puan_feature_progress.metrics[i].name, name) == 0) {
            int64_t v = -1;

            if (puan_feature_progress.metrics[i].read(&v, f->st, area, NULL) !=
                PUAN_OK)
                return -1;
            return v;
        }
    fail_msg("no metric %s", name);
    return -1;
}

/* Against the plan, against the roll, day against day. */
static void monitors_read_the_work(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);

    (void)state;
    assert_int_equal(metric(f, "puan_households_due", 11), -1); /* not 0 */
    ok(puan_work_look(f->st, err));
    assert_int_equal(metric(f, "puan_households_due", 11), 3);
    assert_int_equal(metric(f, "puan_roll_difference", 11), -1);
    assert_int_equal(metric(f, "puan_delivered_day_before", 11), -1);
    /* the roll said three persons; one came.  Where it says none, none is
     * compared */
    puan_fix_send(f, 110010010001, 0, "3");
    puan_fix_send(f, 110010010002, 0, "3");
    ok(puan_work_look(f->st, err));
    assert_int_equal(metric(f, "puan_roll_difference", 11), 666);
    assert_int_equal(metric(f, "puan_roll_difference", 11001), 666);
    assert_int_equal(metric(f, "puan_roll_difference", 11002), -1);
    puan_fix_clock(f, "2021-04-03T12:00:00-03:30");
    assert_int_equal(metric(f, "puan_delivered_yesterday", 11), 2);
    assert_int_equal(metric(f, "puan_delivered_yesterday", 11002), 0);
    puan_fix_clock(f, "2021-04-04T12:00:00-03:30");
    assert_int_equal(metric(f, "puan_delivered_yesterday", 11), 0);
    assert_int_equal(metric(f, "puan_delivered_day_before", 11), 2);
    assert_int_equal(metric(f, "puan_areas_still", 11001), 0); /* complete */
    puan_fix_clock(f, "2021-04-20T12:00:00-03:30");
    assert_int_equal(metric(f, "puan_areas_still", 11002), 1);
    assert_int_equal(metric(f, "puan_households_behind", 11001), 0);
    assert_true(metric(f, "puan_households_behind", 11002) >= 0);
    puan_fix_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_counted_before_the_first_look),
        cmocka_unit_test(figures_follow_returns_and_roll_up),
        cmocka_unit_test(a_correction_moves_a_household_and_a_lot_accepts_it),
        cmocka_unit_test(figures_equal_the_review_queue),
        cmocka_unit_test(a_unit_that_needs_no_return_is_not_due),
        cmocka_unit_test(monitors_read_the_work),
        cmocka_unit_test(a_restart_gives_the_same_figures),
        cmocka_unit_test(rules_count_households_of_last_versions),
        cmocka_unit_test(the_curve_rises_evenly_between_its_days),
        cmocka_unit_test(a_steady_half_a_day_is_forecast_to_the_day),
        cmocka_unit_test(a_slow_part_holds_the_whole_back),
        cmocka_unit_test(
            uneven_days_give_a_band_and_the_same_seed_the_same_band),
        cmocka_unit_test(without_movement_there_is_no_forecast),
        cmocka_unit_test(the_first_day_stands_for_itself_pro_rata),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
