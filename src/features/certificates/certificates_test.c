/*
 * Cards over a real store: what a stranger learns from a number, who may stop
 * one, what a new card does to the old, and that the ledger agrees.
 */
#include "core/codes/codes.h"
#include "core/plan/plan.h"
#include "features/accounts/accounts.h"
#include "features/certificates/certificates.h"
#include "features/host/session.h"
#include "features/host/test_fixture.h"

static const char *engines[2];
static size_t n_engines;

static struct puan_http_reply reply;

/* A number of this plan: `body` and its check character. */
static const char *number(struct puan_fix *f, const char *body)
{
    return puan_arena_fmt(&f->a, "%s%c", body,
                          puan_mark_check_char(puan_str_of(body)));
}

static const char *ask(struct puan_fix *f, const char *no)
{
    struct puan_http_call c = { .method = "GET" };

    c.path = puan_arena_fmt(&f->a, "/api/v1/c/zz-test/public/certificates/%s",
                            no);
    ok(puan_http_call(&reply, f->client, &c, err));
    return puan_arena_dup(&f->a, reply.body);
}

static void asked(struct puan_fix *f, const char *no, const char *state)
{
    const char *body = ask(f, no);

    if (reply.status != 200 ||
        !strstr(body, puan_arena_fmt(&f->a, "\"state\":\"%s\"", state)))
        fail_msg("%s is not %s: %u %s", no, state, reply.status, body);
    /* one shape, whatever the answer */
    for (const char *const *k = (const char *const[]){
             "\"no\":", "\"state\":", "\"name\":", "\"role_zh\":",
             "\"role_en\":", "\"areas\":[", "\"until\":", "\"office\":{",
             "\"stopped\":", "\"as_of\":", NULL };
         *k; k++)
        if (!strstr(body, *k))
            fail_msg("%s: no %s in %s", no, *k, body);
}

static const char *sign_in(struct puan_fix *f, const char *role, int64_t area)
{
    struct puan_who who = { .credential = PUAN_CRED_HUMAN, .account = 1,
                            .seat = 1, .area = area };

    puan_format(who.name, sizeof(who.name), "clerk-%lld", (long long)area);
    return puan_fix_session(f, who, role);
}

static unsigned stop(struct puan_fix *f, const char *token, const char *no)
{
    struct puan_http_call c = { .method = "POST", .token = token,
                                .body = PUAN_STR("{\"reason\":\"lost\"}") };

    c.path =
        puan_arena_fmt(&f->a, "/api/v1/c/zz-test/certificates/%s/stop", no);
    ok(puan_http_call(&reply, f->client, &c, err));
    return reply.status;
}

static const char *listed(struct puan_fix *f, const char *token,
                          const char *query)
{
    struct puan_http_call c = { .method = "GET", .token = token };

    c.path = puan_arena_fmt(&f->a, "/api/v1/c/zz-test/certificates%s", query);
    ok(puan_http_call(&reply, f->client, &c, err));
    assert_int_equal(reply.status, 200);
    return puan_arena_dup(&f->a, reply.body);
}

static enum puan_status import(struct puan_fix *f, const char *rows)
{
    struct puan_act act = { .actor = PUAN_STR("tester") };
    struct puan_import_result res;

    f->err = (struct puan_err){ 0 };
    return puan_import(&res, f->st, PUAN_IMPORT_STAFF,
                       puan_str_of(puan_arena_fmt(
                           &f->a, "staff,role,name,phone,area,certificate\n%s",
                           rows)),
                       "staff.csv", false, &act, &f->err);
}

static void a_card_counts_until_it_is_stopped(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = puan_fix_canton(engines[e]);
        const char *one = number(f, "PC7K3M9Q4"), *two = number(f, "PC2222222"),
                   *new_two = number(f, "PC3333333"),
                   *none = number(f, "PC4444444"), *clerk, *other, *body;
        char slip[16];

        assert_int_equal(import(f, puan_arena_fmt(
                         &f->a, "e1,enumerator,欧阳娜娜,1,11001001,%s\n"
                                "e2,enumerator,Bo,2,11002001,%s\n",
                         one, two)),
                         PUAN_OK);
        puan_fix_serve(f, 2, 1);
        asked(f, one, "valid");
        body = puan_arena_dup(&f->a, reply.body);
        assert_non_null(strstr(body, "\"name\":\"欧*娜\""));
        assert_null(strstr(body, "欧阳"));
        assert_null(strstr(body, "阳娜"));
        assert_null(strstr(body, "e1"));
        assert_non_null(strstr(body, "Cantonal office"));
        assert_non_null(strstr(body, "\"until\":\"2021-05-16T00:00:00.000-03:30\""));
        /* as it is typed at a door */
        asked(f, puan_arena_fmt(&f->a, "pc%%207k3m-%s", one + 6), "valid");
        /* a slip, a number nobody has, none at all */
        puan_format(slip, sizeof(slip), "%s", one);
        slip[4] = slip[4] == '9' ? '8' : '9';
        asked(f, slip, "mistyped");
        asked(f, "PC7K3M9O4A", "mistyped");
        asked(f, "PC", "mistyped");
        asked(f, "%E5%BC%A0", "mistyped");
        asked(f, none, "unknown");
        /* another parish's clerk has no such card; the own one stops it */
        clerk = sign_in(f, "parish-clerk", 11001);
        other = sign_in(f, "parish-clerk", 11002);
        assert_int_equal(stop(f, other, one), 404);
        assert_int_equal(stop(f, clerk, none), 404);
        asked(f, one, "valid");
        /* the office's list: its own area's, and no name */
        body = listed(f, clerk, "");
        assert_non_null(strstr(body, one));
        assert_null(strstr(body, two));
        assert_null(strstr(body, "欧"));
        assert_non_null(strstr(body, "\"total\":1"));
        assert_non_null(strstr(listed(f, clerk, "?q=E1"), one));
        assert_non_null(strstr(listed(f, clerk, "?q=nobody"), "\"total\":0"));
        assert_non_null(strstr(listed(f, clerk, "?state=stopped"),
                               "\"counts\":{\"valid\":1,\"stopped\":0}"));
        assert_int_equal(stop(f, clerk, one), 204);
        body = listed(f, clerk, "?state=stopped");
        assert_non_null(strstr(body, one));
        assert_non_null(strstr(body, "parish-clerk@11001"));
        asked(f, one, "stopped");
        assert_null(strstr(puan_arena_dup(&f->a, reply.body), "欧"));
        assert_int_equal(stop(f, clerk, one), 409);
        /* imported again it stays stopped */
        assert_int_equal(import(f, puan_arena_fmt(
                         &f->a, "e1,enumerator,Ann Zed,1,11001001,%s\n", one)),
                         PUAN_OK);
        asked(f, one, "stopped");
        /* a new card for the same person ends the old one */
        assert_int_equal(import(f, puan_arena_fmt(
                         &f->a, "e2,enumerator,Bo,2,11002001,%s\n", new_two)),
                         PUAN_OK);
        asked(f, two, "stopped");
        asked(f, new_two, "valid");
        /* nobody gets another's number, and no number without its check */
        assert_int_equal(import(f, puan_arena_fmt(&f->a,
                                                  "e3,enumerator,Cy,3,11002001,"
                                                  "%s\n",
                                                  new_two)),
                         PUAN_EINVAL);
        assert_int_equal(import(f, "e3,enumerator,Cy,3,11002001,PC33333339\n"),
                         PUAN_EINVAL);
        assert_int_equal(f->err.line, 2);
        assert_int_equal(
            puan_fix_office(f, "SELECT COUNT(*) FROM certificate"), 3);
        /* nobody comes to the door any more */
        puan_fix_clock(f, "2021-05-15T23:59:59-03:30");
        asked(f, new_two, "valid");
        puan_fix_clock(f, "2021-05-16T00:00:01-03:30");
        asked(f, new_two, "stopped");
        puan_http_client_close(f->client);
        puan_host_stop(f->host);
        f->client = NULL;
        f->host = NULL;
        puan_fix_close(f);
        (void)puan_fix_verify(f);
        puan_fix_end(f);
    }
}

static void an_address_may_not_try_all_numbers(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    int served = 0;

    (void)state;
    puan_fix_serve(f, 2, 1);
    for (int i = 0; i < 200 && (served == 0 || reply.status == 200); i++) {
        (void)ask(f, "PC2222222");
        served += reply.status == 200;
    }
    assert_int_equal(reply.status, 429);
    assert_true(served >= 60 && served < 100);
    puan_fix_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_counts_until_it_is_stopped),
        cmocka_unit_test(an_address_may_not_try_all_numbers),
    };

    n_engines = puan_fix_engines(engines);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
