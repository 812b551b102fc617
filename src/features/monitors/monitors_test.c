/*
 * Monitors over a real store: a metric opens one case, and a flapping one
 * does not flood.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <stdio.h>

#include "base/calendar.h"
#include "features/campaign/campaign.h"
#include "features/ingest/ingest.h"
#include "features/ledgers/ledgers.h"
#include "features/monitors/monitors.h"
#include "kit/os/os.h"

#define ok(call)                                                               \
    do {                                                                       \
        struct puan_err err_ = { 0 }, *err = &err_;                            \
        enum puan_status got_ = (call);                                        \
        if (got_ != PUAN_OK)                                                   \
            fail_msg("%s: %s: %s:%u: %s", #call, puan_status_name(got_),       \
                     err_.where, err_.line, err_.text);                        \
    } while (0)

static const char *engines[2];
static size_t n_engines;

struct fix {
    struct puan_arena a;
    const char *root, *dir;
    struct puan_store_options opt;
    struct puan_store *st;
    unsigned counter;
};

static void import(struct fix *f, enum puan_import_kind kind, const char *csv)
{
    struct puan_act act = { .actor = PUAN_STR("tester") };
    struct puan_import_result res;

    ok(puan_import(&res, f->st, kind, puan_str_of(csv), "test.csv", false, &act,
                   err));
}

static struct fix *make(const char *url)
{
    struct fix *f = calloc(1, sizeof *f);
    struct puan_act act = { .actor = PUAN_STR("tester"),
                            .verb = PUAN_STR("clock.set") };
    int64_t ms;

    puan_arena_init(&f->a, puan_os_alloc());
    ok(puan_dir_temp(&f->root, &f->a, err));
    f->dir = puan_arena_fmt(&f->a, "%s/c", f->root);
    f->opt.url = url;
    ok(puan_store_create(f->dir, "demo", "plans/zz-test", "sm", &f->opt, err));
    ok(puan_store_open(&f->st, f->dir, &f->opt, err));
    import(f, PUAN_IMPORT_AREAS,
           "code,parent,level,name_zh,name_en\n"
           "11,,canton,a,A\n11001,11,parish,b,B\n11001001,11001,round,c,C\n"
           "11002,11,parish,d,D\n11002001,11002,round,e,E\n"
           "11003,11,parish,f,F\n11003001,11003,round,g,G\n");
    import(f, PUAN_IMPORT_LISTING,
           "household,ea,head_name,c1\n"
           "110010010001,11001001,Ann Zed,3\n110010010002,11001001,,\n"
           "110020010001,11002001,,\n");
    assert_true(puan_instant_parse(&ms, PUAN_STR("2021-04-02T12:00:00-03:30")));
    ok(puan_store_clock_set(f->st, &act, ms, 0, err));
    return f;
}

static void unmake(struct fix *f)
{
    struct puan_err err = { 0 };

    puan_store_close(f->st);
    assert_int_equal(puan_dir_remove(f->root, &err), PUAN_OK);
    puan_arena_clear(&f->a);
    free(f);
}

static uint32_t send(struct fix *f, int64_t household, unsigned base,
                     const char *rooms)
{
    struct puan_sender who = { .actor = PUAN_STR("enum-1"),
                               .seat = PUAN_STR("enumerator"),
                               .device = PUAN_STR("d-1"),
                               .area = household / 10000 };
    struct puan_receipt r = { 0 };
    struct puan_str doc = puan_str_of(puan_arena_fmt(
        &f->a,
        "{\"form\":\"household\",\"household\":\"%lld\",\"base\":%u,"
        "\"device\":\"d-1\",\"counter\":%u,\"mode\":\"enumerator\","
        "\"started\":\"2021-04-02T10:00:00-03:30\","
        "\"finished\":\"2021-04-02T10:10:00-03:30\",\"signed\":true,"
        "\"answers\":{\"members\":1,\"dwelling\":1,\"rooms\":%s},"
        "\"member\":[{\"full_name\":\"Ann Zed\",\"place\":1,\"sex\":\"F\","
        "\"born\":\"1980-03\",\"card\":\"X1\",\"usual\":1,\"tongue\":\"01\","
        "\"school\":2,\"job\":\"baker\"}]}",
        (long long)household, base, ++f->counter, rooms));

    ok(puan_submit_wait(&r, f->st, &who, doc, &f->a, err));
    assert_int_equal(r.outcome, PUAN_SUBMIT_ACCEPTED);
    return r.edits.n > 0;
}


#define BAD "{\"missing\":\"refused\"}" /* a house without rooms: hard (Z09) */

static int64_t look(struct fix *f)
{
    int64_t raised = -1;

    ok(puan_monitors_look(f->st, true, &raised, err));
    return raised;
}

static int64_t count(struct fix *f, const char *sql)
{
    struct puan_shard *sh = puan_store_office(f->st);
    struct puan_db *db = NULL;
    int64_t n = -1;

    ok(puan_read_begin(&db, sh, err));
    ok(puan_db_int(&n, db, sql, -1, err));
    puan_read_end(sh, db);
    return n;
}

static void forward(struct fix *f, int64_t hours)
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
        struct fix *f = make(engines[e]);
        struct puan_verify v;
        struct puan_verify_options opt = { .url = f->opt.url, .threads = 1 };
        struct puan_flow_run *run = NULL;
        struct puan_case_row row;
        struct puan_db *db = NULL;
        int at;

        send(f, 110020010001, 0, "3");
        assert_int_equal(look(f), 0); /* the control: a sound parish */
        send(f, 110010010001, 0, BAD);
        assert_int_equal(look(f), 1);
        assert_int_equal(look(f), 0);
        assert_int_equal(count(f, "SELECT level FROM monitor_state"), 4);
        assert_int_equal(count(f, "SELECT COUNT(*) FROM case_run"), 1);
        ok(puan_read_begin(&db, puan_store_office(f->st), err));
        ok(puan_case_read(&row, &run, f->st, db, 1, &f->a, err));
        puan_read_end(puan_store_office(f->st), db);
        assert_int_equal(row.area, 11001);
        at = puan_flow_field(run->flow, PUAN_STR("raised_by"));
        assert_true(puan_str_starts(run->field[at].text, "hard_findings"));
        at = puan_flow_field(run->flow, PUAN_STR("level"));
        assert_int_equal(run->field[at].v, 3); /* red */
        /* its clock is running */
        assert_int_equal(count(f, "SELECT COUNT(*) FROM case_clock"), 1);

        /* flapping: mended, broken, mended, broken: the same case */
        for (unsigned i = 1; i < 5; i++) {
            send(f, 110010010001, i, i % 2 ? "3" : BAD);
            assert_int_equal(look(f), 0);
        }
        assert_int_equal(count(f, "SELECT COUNT(*) FROM case_run"), 1);
        /* also after a restart, which forgets what was seen last */
        puan_store_close(f->st);
        ok(puan_store_open(&f->st, f->dir, &f->opt, err));
        forward(f, 30);
        assert_int_equal(look(f), 0);
        assert_int_equal(count(f, "SELECT COUNT(*) FROM case_run"), 1);
        puan_store_close(f->st);
        f->st = NULL;
        ok(puan_ledger_verify(&v, f->dir, &opt, &f->a, err));
        if (v.n_problems > 0)
            fail_msg("%s %s", v.problem[0].kind, v.problem[0].text);
        unmake(f);
    }
}

/* Between raising (20 %) and clearing (10 %) nothing changes. */
static void it_stays_raised_until_it_is_clear(void **state)
{
    struct fix *f = make(NULL);

    (void)state;
    send(f, 110010010001, 0, BAD);
    send(f, 110010010002, 0, "3");
    assert_int_equal(look(f), 1);
    assert_int_equal(count(f, "SELECT level FROM monitor_state"), 2);
    send(f, 110010010001, 1, "3");
    assert_int_equal(look(f), 0);
    assert_int_equal(count(f, "SELECT level FROM monitor_state"), 0);
    /* broken again within the quiet time: the alarm is up, no second case */
    send(f, 110010010001, 2, BAD);
    assert_int_equal(look(f), 0);
    assert_int_equal(count(f, "SELECT level FROM monitor_state"), 2);
    unmake(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_metric_opens_one_case),
        cmocka_unit_test(it_stays_raised_until_it_is_clear),
    };
    const char *pg = getenv("PUAN_TEST_PG");

    engines[n_engines++] = NULL; /* SQLite */
    if (pg && *pg)
        engines[n_engines++] = pg;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
