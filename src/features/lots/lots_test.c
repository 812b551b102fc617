/*
 * Lots over a real store: accepted only without open hard findings and in
 * order of the levels, void as soon as one of their returns changes.
 */
#include "core/plan/plan.h"
#include "features/host/test_fixture.h"

static const char *engines[2];
static size_t n_engines;

static enum puan_status lot_of(struct puan_fix *f, int64_t area)
{
    return puan_lot_of(&f->lot, f->st, area, &f->a, NULL);
}

static void lots_are_accepted_from_below_and_die_with_a_change(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = puan_fix_canton(engines[e]);

        puan_fix_send(f, 110010010001, 0, "3");
        puan_fix_send(f, 110010010002, 0, "4");
        puan_fix_send(f, 110020010001, 0, "2");
        /* the canton waits for its parishes; the empty third has nothing */
        assert_int_equal(puan_fix_accept(f, "canton-registrar", 11, 11, ""),
                         PUAN_ECONFLICT);
        assert_int_equal(lot_of(f, 11), PUAN_ENOTFOUND);
        /* a seat accepts its own area only */
        assert_int_equal(puan_fix_accept(f, "parish-clerk", 11002, 11001, ""),
                         PUAN_EDENIED);
        assert_int_equal(puan_fix_accept(f, "enumerator", 11001001, 11001, ""),
                         PUAN_EDENIED);
        assert_int_equal(puan_fix_accept(f, "parish-clerk", 11001, 11001, ""),
                         PUAN_OK);
        assert_int_equal(f->lot.households, 2);
        assert_int_equal(puan_fix_accept(f, "parish-clerk", 11001, 11001, ""),
                         PUAN_ECONFLICT);
        assert_int_equal(puan_fix_accept(f, "parish-clerk", 11002, 11002, ""),
                         PUAN_OK);
        assert_int_equal(puan_fix_accept(f, "canton-registrar", 11, 11, ""),
                         PUAN_OK);
        assert_int_equal(f->lot.households, 3);
        ok(puan_store_deliver(f->st, err));
        assert_int_equal(lot_of(f, 11), PUAN_OK);

        /* a drill's clock may be set back; what is delivered is still taken */
        puan_fix_clock(f, "2021-04-02T11:00:00-03:30");
        /* one return changes: its parish and the canton are void, the other
         * parish is not */
        puan_fix_send(f, 110010010002, 1, "5");
        ok(puan_store_deliver(f->st, err));
        assert_int_equal(lot_of(f, 11001), PUAN_ENOTFOUND);
        assert_int_equal(lot_of(f, 11), PUAN_ENOTFOUND);
        assert_int_equal(lot_of(f, 11002), PUAN_OK);
        assert_int_equal(puan_fix_accept(f, "canton-registrar", 11, 11, ""),
                         PUAN_ECONFLICT);
        assert_int_equal(puan_fix_accept(f, "parish-clerk", 11001, 11001, ""),
                         PUAN_OK);
        assert_int_equal(puan_fix_accept(f, "canton-registrar", 11, 11, ""),
                         PUAN_OK);
        puan_fix_close(f);
        puan_fix_verify(f);
        puan_fix_end(f);
    }
}

static void open_hard_findings_need_a_reason(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    struct puan_counts c;

    (void)state;
    /* a house without its number of rooms (Z09) */
    puan_fix_send(f, 110010010001, 0, "{\"missing\":\"refused\"}");
    puan_counts_of(&c, f->st, 11001);
    assert_true(c.hard > 0);
    assert_int_equal(puan_fix_accept(f, "parish-clerk", 11001, 11001, ""),
                     PUAN_ECONFLICT);
    assert_non_null(strstr(f->err.text, "open_hard"));
    assert_int_equal(lot_of(f, 11001), PUAN_ENOTFOUND);
    assert_int_equal(puan_fix_accept(f, "parish-clerk", 11001, 11001, "short"),
                     PUAN_EINVAL);
    assert_int_equal(puan_fix_accept(f, "parish-clerk", 11001, 11001,
                                     "the house burnt down"),
                     PUAN_OK);
    assert_int_equal(lot_of(f, 11001), PUAN_OK);
    puan_fix_end(f);
}

/* Answers a page of lots; its text lives in the fixture. */
static const char *page_of_lots(struct puan_fix *f, const char *token,
                                const char *rest)
{
    struct puan_http_call c = {
        .method = "GET",
        .path = puan_arena_fmt(&f->a, "/api/v1/c/zz-test/lots?area=%s", rest),
        .token = token,
    };
    struct puan_http_reply r;

    ok(puan_http_call(&r, f->client, &c, err));
    assert_int_equal(r.status, 200);
    return puan_arena_dup(&f->a, r.body);
}

static void lots_are_listed_in_pages_of_the_area(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    const struct puan_plan *plan = puan_store_plan(f->st);
    struct puan_who who = { .credential = PUAN_CRED_HUMAN,
                            .account = 1,
                            .seat = 1,
                            .area = 11,
                            .role = -1,
                            .name = "u1" };
    char token[PUAN_TOKEN_TEXT];
    int64_t now = puan_real_now();
    const char *text;

    (void)state;
    puan_fix_send(f, 110010010001, 0, "3");
    puan_fix_send(f, 110010010002, 0, "4");
    puan_fix_send(f, 110020010001, 0, "2");
    assert_int_equal(puan_fix_accept(f, "parish-clerk", 11001, 11001, ""),
                     PUAN_OK);
    assert_int_equal(puan_fix_accept(f, "parish-clerk", 11002, 11002, ""),
                     PUAN_OK);
    puan_fix_serve(f, 2, 1);
    for (size_t i = 0; i < plan->n_roles; i++)
        if (puan_str_is(plan->role[i].id, "canton-registrar"))
            who.role = (int32_t)i;
    assert_true(who.role >= 0);
    ok(puan_session_open(token, puan_host_sessions(f->host), &who, now, 60000,
                         now + 60000, err));
    text = page_of_lots(f, token, "11&limit=1");
    assert_non_null(strstr(text, "\"area\":11001"));
    assert_null(strstr(text, "\"area\":11002"));
    assert_non_null(strstr(text, "\"next\":1}"));
    text = page_of_lots(f, token, "11&limit=1&cursor=1");
    assert_null(strstr(text, "\"area\":11001"));
    assert_non_null(strstr(text, "\"area\":11002"));
    assert_non_null(strstr(text, "\"next\":null}"));
    /* another area's lots are passed over and fill no page */
    text = page_of_lots(f, token, "11002&limit=1");
    assert_null(strstr(text, "\"area\":11001"));
    assert_non_null(strstr(text, "\"area\":11002"));
    assert_non_null(strstr(text, "\"next\":null}"));
    puan_fix_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lots_are_accepted_from_below_and_die_with_a_change),
        cmocka_unit_test(open_hard_findings_need_a_reason),
        cmocka_unit_test(lots_are_listed_in_pages_of_the_area),
    };

    n_engines = puan_fix_engines(engines);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
