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
    puan_fix_send(f, 110010010002, 0, "3");
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

static void a_missing_household_needs_a_reason(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);

    (void)state;
    puan_fix_send(f, 110010010001, 0, "3");
    assert_int_equal(puan_fix_accept(f, "parish-clerk", 11001, 11001, ""),
                     PUAN_ECONFLICT);
    assert_non_null(strstr(f->err.text, "unsubmitted"));
    assert_int_equal(puan_fix_accept(f, "parish-clerk", 11001, 11001,
                                     "moved away since the listing"),
                     PUAN_OK);
    assert_int_equal(f->lot.households, 1);
    puan_fix_end(f);
}

static void an_empty_dwelling_is_not_missing(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);

    (void)state;
    puan_fix_import(f, PUAN_IMPORT_LISTING,
                    "household,ea,status\n110030010001,11003001,vacant\n"
                    "110030010002,11003001,empty\n"
                    "110030010003,11003001,ordinary\n");
    assert_int_equal(puan_fix_accept(f, "parish-clerk", 11003, 11003, ""),
                     PUAN_ECONFLICT);
    assert_non_null(strstr(f->err.text, "unsubmitted"));
    puan_fix_send(f, 110030010003, 0, "3");
    assert_int_equal(puan_fix_accept(f, "parish-clerk", 11003, 11003, ""),
                     PUAN_OK);
    assert_int_equal(f->lot.households, 1);
    puan_fix_end(f);
}

/* ---- before signing, over HTTP ------------------------------------------- */

static struct puan_http_reply reply;

static unsigned call(struct puan_fix *f, const char *method, const char *path,
                     const char *token, const char *body)
{
    struct puan_http_call c = { .method = method, .token = token };

    c.path = puan_arena_fmt(&f->a, "/api/v1/c/zz-test/%s", path);
    if (body)
        c.body = puan_str_of(body);
    ok(puan_http_call(&reply, f->client, &c, err));
    return reply.status;
}

static bool says(const char *text)
{
    return memmem(reply.body.p, reply.body.n, text, strlen(text)) != NULL;
}

static void seat(char token[PUAN_TOKEN_TEXT], struct puan_fix *f,
                 const char *role, int64_t area, int64_t factor_ms)
{
    struct puan_who who = { .credential = PUAN_CRED_HUMAN, .account = 1,
                            .seat = 1, .area = area, .name = "u1",
                            .factor_ms = factor_ms };

    puan_format(token, PUAN_TOKEN_TEXT, "%s", puan_fix_session(f, who, role));
}

static const char *digest_shown(struct puan_fix *f)
{
    struct puan_node *tree = NULL;
    struct puan_str text = { puan_arena_dup(&f->a, reply.body), reply.body.n };
    struct puan_str d;

    ok(puan_json_tree(&tree, text, "preview", &f->a, err));
    d = puan_node_str_opt(tree, "digest", "");
    assert_int_equal(d.n, 2 * PUAN_DIGEST_SIZE);
    return puan_arena_dup(&f->a, d);
}

static void what_is_signed_is_what_was_shown(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    char clerk[PUAN_TOKEN_TEXT], registrar[PUAN_TOKEN_TEXT],
        late[PUAN_TOKEN_TEXT];
    const char *digest;
    int64_t now = puan_real_now();

    (void)state;
    puan_fix_send(f, 110010010001, 0, "3");
    puan_fix_serve(f, 2, 1);
    seat(clerk, f, "parish-clerk", 11001, now);
    seat(registrar, f, "canton-registrar", 11, now);
    seat(late, f, "canton-registrar", 11, now - 3600000);

    /* one household is missing and is named */
    assert_int_equal(call(f, "GET", "lots/preview?area=11001001", clerk, NULL),
                     200);
    assert_true(says("\"missing\":{\"n\":1,\"items\":[\"110010010002\"]}"));
    assert_true(says("{\"id\":\"missing\",\"n\":1,\"rule\":\"reason\"}"));
    puan_fix_send(f, 110010010002, 0, "4");
    assert_int_equal(call(f, "GET", "lots/preview?area=11001001", clerk, NULL),
                     200);
    digest = digest_shown(f);
    assert_true(says(puan_arena_fmt(
        &f->a, "\"covers\":[{\"field\":\"digest\",\"zh\":\"摘要\","
               "\"en\":\"Digest\",\"value\":\"%s\"},"
               "{\"field\":\"households\",\"zh\":\"户数\","
               "\"en\":\"Households\",\"value\":2}]",
        digest)));
    assert_true(says("\"mine\":true"));
    assert_true(says("\"next\":{\"code\":\"11001\""));

    /* it changes between showing and signing */
    puan_fix_send(f, 110010010002, 1, "5");
    assert_int_equal(
        call(f, "POST", "lots", clerk,
             puan_arena_fmt(&f->a, "{\"area\":\"11001001\",\"digest\":\"%s\"}",
                            digest)),
        409);
    assert_true(says("changed since they were shown"));
    assert_int_equal(call(f, "GET", "lots/preview?area=11001001", clerk, NULL),
                     200);
    digest = digest_shown(f);
    assert_int_equal(
        call(f, "POST", "lots", clerk,
             puan_arena_fmt(&f->a, "{\"area\":\"11001001\",\"digest\":\"%s\"}",
                            digest)),
        201);
    assert_int_equal(call(f, "GET", "lots/areas?area=11001", clerk, NULL), 200);
    assert_true(says("\"state\":\"accepted\""));

    /* one return changes: void, and shown with why */
    puan_fix_send(f, 110010010001, 1, "6");
    ok(puan_store_deliver(f->st, err));
    assert_int_equal(call(f, "GET", "lots/areas?area=11001", clerk, NULL), 200);
    assert_true(says("\"kind\":\"changed\",\"household\":\"110010010001\""));
    assert_int_equal(call(f, "GET", "lots/preview?area=11001001", clerk, NULL),
                     200);
    assert_true(says("\"changed\":{\"n\":1,\"items\":[\"110010010001\"]}"));

    /* the level above waits for the parishes, and wants a fresh factor */
    assert_int_equal(call(f, "GET", "lots/preview?area=11", registrar, NULL),
                     200);
    assert_true(says("{\"id\":\"lower\",\"n\":2,\"rule\":\"stop\"}"));
    assert_int_equal(call(f, "POST", "lots", late, "{\"area\":\"11\"}"), 403);
    assert_true(says("second-factor"));
    assert_int_equal(call(f, "GET", "lots/preview?area=11002", clerk, NULL),
                     403);
    assert_int_equal(call(f, "GET", "lots/preview?area=11002", NULL, NULL),
                     401);
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
    char token[PUAN_TOKEN_TEXT];
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
    seat(token, f, "canton-registrar", 11, 0);
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
        cmocka_unit_test(a_missing_household_needs_a_reason),
        cmocka_unit_test(an_empty_dwelling_is_not_missing),
        cmocka_unit_test(what_is_signed_is_what_was_shown),
        cmocka_unit_test(lots_are_listed_in_pages_of_the_area),
    };

    n_engines = puan_fix_engines(engines);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
