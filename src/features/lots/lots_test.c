/*
 * Lots over a real store: accepted only without open hard findings and in
 * order of the levels, void as soon as one of their returns changes.
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
#include "features/lots/lots.h"
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
    struct puan_lot lot;
    struct puan_err err;
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

static void set_clock(struct fix *f, const char *text)
{
    struct puan_act act = { .actor = PUAN_STR("tester"),
                            .verb = PUAN_STR("clock.set") };
    int64_t ms = 0;

    assert_true(puan_instant_parse(&ms, puan_str_of(text)));
    ok(puan_store_clock_set(f->st, &act, ms, 0, err));
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

static enum puan_status accept(struct fix *f, const char *role,
                               int64_t seat_area, int64_t area,
                               const char *reason)
{
    struct puan_act act = { .actor = PUAN_STR("u1"),
                            .seat = puan_str_of(role) };
    struct puan_flow_who who =
        puan_case_seat(f->st, PUAN_STR("u1"), puan_str_of(role), seat_area,
                       area);

    f->err = (struct puan_err){ 0 };
    act.verb = PUAN_STR("lot.accept");
    return puan_lot_accept(&f->lot, f->st, &act, &who, area,
                           puan_str_of(reason), &f->a, &f->err);
}

static enum puan_status lot_of(struct fix *f, int64_t area)
{
    return puan_lot_of(&f->lot, f->st, area, &f->a, NULL);
}

static void lots_are_accepted_from_below_and_die_with_a_change(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct fix *f = make(engines[e]);
        struct puan_verify v;
        struct puan_verify_options opt = { .url = f->opt.url, .threads = 1 };

        send(f, 110010010001, 0, "3");
        send(f, 110010010002, 0, "4");
        send(f, 110020010001, 0, "2");
        /* the canton waits for its parishes; the empty third has nothing */
        assert_int_equal(accept(f, "canton-registrar", 11, 11, ""),
                         PUAN_ECONFLICT);
        assert_int_equal(lot_of(f, 11), PUAN_ENOTFOUND);
        /* a seat accepts its own area only */
        assert_int_equal(accept(f, "parish-clerk", 11002, 11001, ""),
                         PUAN_EDENIED);
        assert_int_equal(accept(f, "enumerator", 11001001, 11001, ""),
                         PUAN_EDENIED);
        assert_int_equal(accept(f, "parish-clerk", 11001, 11001, ""), PUAN_OK);
        assert_int_equal(f->lot.households, 2);
        assert_int_equal(accept(f, "parish-clerk", 11001, 11001, ""),
                         PUAN_ECONFLICT);
        assert_int_equal(accept(f, "parish-clerk", 11002, 11002, ""), PUAN_OK);
        assert_int_equal(accept(f, "canton-registrar", 11, 11, ""), PUAN_OK);
        assert_int_equal(f->lot.households, 3);
        ok(puan_store_deliver(f->st, err));
        assert_int_equal(lot_of(f, 11), PUAN_OK);

        /* a drill's clock may be set back; what is delivered is still taken */
        set_clock(f, "2021-04-02T11:00:00-03:30");
        /* one return changes: its parish and the canton are void, the other
         * parish is not */
        send(f, 110010010002, 1, "5");
        ok(puan_store_deliver(f->st, err));
        assert_int_equal(lot_of(f, 11001), PUAN_ENOTFOUND);
        assert_int_equal(lot_of(f, 11), PUAN_ENOTFOUND);
        assert_int_equal(lot_of(f, 11002), PUAN_OK);
        assert_int_equal(accept(f, "canton-registrar", 11, 11, ""),
                         PUAN_ECONFLICT);
        assert_int_equal(accept(f, "parish-clerk", 11001, 11001, ""), PUAN_OK);
        assert_int_equal(accept(f, "canton-registrar", 11, 11, ""), PUAN_OK);
        puan_store_close(f->st);
        f->st = NULL;
        ok(puan_ledger_verify(&v, f->dir, &opt, &f->a, err));
        if (v.n_problems > 0)
            fail_msg("%s %s", v.problem[0].kind, v.problem[0].text);
        unmake(f);
    }
}

static void open_hard_findings_need_a_reason(void **state)
{
    struct fix *f = make(NULL);
    struct puan_counts c;

    (void)state;
    /* a house without its number of rooms (Z09) */
    send(f, 110010010001, 0, "{\"missing\":\"refused\"}");
    puan_counts_of(&c, f->st, 11001);
    assert_true(c.hard > 0);
    assert_int_equal(accept(f, "parish-clerk", 11001, 11001, ""),
                     PUAN_ECONFLICT);
    assert_non_null(strstr(f->err.text, "open_hard"));
    assert_int_equal(lot_of(f, 11001), PUAN_ENOTFOUND);
    assert_int_equal(accept(f, "parish-clerk", 11001, 11001, "short"),
                     PUAN_EINVAL);
    assert_int_equal(accept(f, "parish-clerk", 11001, 11001,
                            "the house burnt down"),
                     PUAN_OK);
    assert_int_equal(lot_of(f, 11001), PUAN_OK);
    unmake(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lots_are_accepted_from_below_and_die_with_a_change),
        cmocka_unit_test(open_hard_findings_need_a_reason),
    };
    const char *pg = getenv("PUAN_TEST_PG");

    engines[n_engines++] = NULL; /* SQLite */
    if (pg && *pg)
        engines[n_engines++] = pg;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
