/*
 * Findings over HTTP: what stands open, what was confirmed and what was
 * corrected, by rule, area and day; the list behind each figure; the sheet;
 * and the same from an index made anew.
 */
#include <stdlib.h>

#include "core/plan/plan.h"
#include "features/findings/findings.h"
#include "features/host/test_desk.h"

#define H1 "110010010001"
#define REFUSED "{\"missing\":\"refused\"}" /* rooms: hard finding Z09 */
#define MANY "31" /* rooms: soft finding Z11 */

static char clerk[PUAN_TOKEN_TEXT], foreign[PUAN_TOKEN_TEXT],
    registrar[PUAN_TOKEN_TEXT], device[PUAN_TOKEN_TEXT];

static void session(char token[PUAN_TOKEN_TEXT], const char *role,
                    enum puan_credential credential, int64_t account,
                    int64_t area)
{
    struct puan_who who = {
        .credential = credential, .account = account, .seat = 1, .area = area
    };

    if (credential == PUAN_CRED_DEVICE)
        puan_format(who.device, sizeof(who.device), "d-1");
    puan_format(token, PUAN_TOKEN_TEXT, "%s", puan_fix_session(fix, who, role));
}

/* The answer to a query, 200. */
static const struct puan_node *get(const char *path, const char *token)
{
    struct puan_node *n = NULL;

    assert_int_equal(
        call(token, "GET", puan_arena_fmt(&fix->a, "%s", path), NULL), 200);
    ok(puan_json_tree(&n, fix->reply.body, "reply", &fix->a, err));
    return n;
}

static int64_t number(const struct puan_node *n, const char *group,
                      const char *key)
{
    int64_t v = -1;

    if (group)
        n = puan_node_get(n, group);
    assert_non_null(n);
    ok(puan_node_int(&v, n, key, 0, 1000000, err));
    return v;
}

/* Households in a state: by the figures, and by the list behind them. */
static int64_t homes(const char *token, const char *state, const char *more)
{
    const char *q = puan_arena_fmt(&fix->a, "?state=%s%s", state, more);
    int64_t n = number(
        get(puan_arena_fmt(&fix->a, "/findings%s", q), token), "households",
        state);

    assert_int_equal(
        number(get(puan_arena_fmt(&fix->a, "/findings/households%s", q),
                   token),
               NULL, "total"),
        n);
    return n;
}

static int64_t in_queue(const char *token, const char *query)
{
    return number(get(puan_arena_fmt(&fix->a, "/review%s", query), token),
                  NULL, "total");
}

static void send_with(int64_t household, unsigned base, const char *rooms,
                      const char *more)
{
    struct puan_sender who = { .actor = PUAN_STR("enum-1"),
                               .seat = PUAN_STR("enumerator"),
                               .device = PUAN_STR("d-1"),
                               .area = household / 10000 };
    struct puan_receipt r =
        puan_fix_submit(fix, &who,
                        puan_fix_return(fix, household, base, ++fix->counter,
                                        rooms, "enumerator", more));

    assert_int_equal(r.outcome, PUAN_SUBMIT_ACCEPTED);
}

static int set_up(void **state)
{
    (void)state;
    fix = puan_fix_canton(NULL);
    puan_fix_serve(fix, 2, 1);
    session(device, "enumerator", PUAN_CRED_DEVICE, 1, 11001001);
    session(clerk, "parish-clerk", PUAN_CRED_HUMAN, 2, 11001);
    session(foreign, "parish-clerk", PUAN_CRED_HUMAN, 4, 11002);
    session(registrar, "canton-registrar", PUAN_CRED_HUMAN, 5, 11);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    puan_fix_close(fix);
    puan_fix_verify(fix);
    puan_fix_end(fix);
    return 0;
}

static void nothing_has_been_found_yet(void **state)
{
    const struct puan_node *n = get("/findings", registrar);

    (void)state;
    assert_int_equal(number(n, NULL, "returns"), 0);
    assert_true(says("\"rules\":[]"));
    assert_true(says("\"days\":[]"));
    assert_true(says("\"code\":\"11003\"")); /* an area without returns */
}

/* One story, in order: each step rests on the one before. */
static void figures_follow_the_returns(void **state)
{
    (void)state;
    puan_fix_send(fix, 110010010001, 0, REFUSED);
    puan_fix_send(fix, 110010010002, 0, "3");
    puan_fix_send(fix, 110020010001, 0, REFUSED);
    assert_int_equal(homes(registrar, "open", "&rule=Z09"), 2);
    assert_true(says("\"household\":\"" H1 "\""));
    assert_false(says("Ann")); /* no name */
    assert_int_equal(homes(registrar, "open", "&rule=Z09&area=11002"), 1);
    assert_int_equal(homes(clerk, "open", "&rule=Z09"), 1);
    assert_int_equal(homes(clerk, "open", "&rule=Z11"), 0);
    assert_int_equal(homes(clerk, "open", "&severity=hard&form=household"), 1);
    assert_int_equal(homes(clerk, "corrected", ""), 0);
    get("/findings?rule=Z09", registrar);
    assert_true(says("\"by\":[1,1,0]")); /* the three parishes */
    assert_true(says("\"returns\":3,"));
    /* the queue behind a figure holds as many */
    assert_int_equal(in_queue(registrar, "?state=open&rule=Z09"), 2);
    assert_int_equal(in_queue(registrar, "?state=open&form=household"),
                     homes(registrar, "open", ""));

    /* corrected: gone from the open ones, and kept in mind */
    puan_fix_send(fix, 110020010001, 1, "4");
    assert_int_equal(homes(registrar, "open", "&rule=Z09"), 1);
    assert_int_equal(homes(registrar, "corrected", "&rule=Z09"), 1);
    assert_true(says("\"household\":\"110020010001\""));
    assert_true(says("\"version\":2"));
    assert_int_equal(in_queue(registrar, "?state=open&rule=Z09"), 1);

    /* it comes back: open again, and no longer corrected */
    puan_fix_send(fix, 110020010001, 2, REFUSED);
    assert_int_equal(homes(registrar, "open", "&rule=Z09"), 2);
    assert_int_equal(homes(registrar, "corrected", "&rule=Z09"), 0);
}

static void what_was_confirmed_is_told_apart(void **state)
{
    (void)state;
    assert_int_equal(homes(clerk, "confirmed", ""), 0);
    send_with(110010010002, 1, MANY, "");
    assert_int_equal(homes(clerk, "open", "&rule=Z11"), 1);
    assert_int_equal(homes(clerk, "open", "&severity=soft&rule=Z11"), 1);
    send_with(110010010002, 2, MANY,
              "\"confirm\":[{\"rule\":\"Z11\",\"reason\":\"an inn\"}],");
    assert_int_equal(homes(clerk, "open", "&rule=Z11"), 0);
    assert_int_equal(homes(clerk, "confirmed", "&rule=Z11"), 1);
    assert_int_equal(homes(clerk, "corrected", "&rule=Z11"), 0);
    assert_false(says("an inn")); /* reasons stay sealed */
}

static void days_add_up_to_what_stands_open(void **state)
{
    const struct puan_node *n = get("/findings?rule=Z11", registrar);
    const struct puan_node *days = puan_node_get(n, "days");
    int64_t found = 0, corrected = 0, confirmed = 0, open = -1;

    (void)state;
    assert_true(days->n > 0);
    for (const struct puan_node *d = days->first; d; d = d->next) {
        found += number(d, NULL, "found");
        corrected += number(d, NULL, "corrected");
        confirmed += number(d, NULL, "confirmed");
        open = number(d, NULL, "open");
    }
    assert_int_equal(found, 1);
    assert_int_equal(corrected, 0);
    assert_int_equal(confirmed, 1);
    assert_int_equal(open, 0);
}

static void only_ones_own_area_and_what_there_is(void **state)
{
    (void)state;
    assert_int_equal(call(clerk, "GET", "/findings?area=11002", NULL), 403);
    assert_int_equal(
        call(clerk, "GET", "/findings/households?area=11002", NULL), 403);
    assert_int_equal(call(device, "GET", "/findings", NULL), 403);
    assert_int_equal(call(NULL, "GET", "/findings", NULL), 401);
    assert_int_equal(call(clerk, "GET", "/findings?rule=none", NULL), 400);
    assert_int_equal(call(clerk, "GET", "/findings?form=none", NULL), 400);
    assert_int_equal(call(clerk, "GET", "/findings?state=lost", NULL), 400);
    assert_int_equal(call(clerk, "GET", "/findings?severity=mild", NULL), 400);
    assert_int_equal(call(clerk, "GET", "/review?form=none", NULL), 400);
    assert_int_equal(homes(foreign, "open", "&rule=Z09"), 1);
    assert_false(says(H1));
}

static void a_sheet_is_registered(void **state)
{
    int64_t before = puan_fix_int(puan_store_office(fix->st),
                                  "SELECT COUNT(*) FROM ledger");

    (void)state;
    assert_int_equal(
        call(registrar, "POST", "/findings/sheet", "{\"rule\":\"Z09\"}"), 201);
    assert_true(says("\"entry\":"));
    assert_true(says("11001,"));
    assert_true(says(",household,Z09,hard,open,1,2,"));
    assert_false(says(H1)); /* figures only */
    assert_int_equal(puan_fix_int(puan_store_office(fix->st),
                                  "SELECT COUNT(*) FROM ledger"),
                     before + 1);
}

/* What is in memory can be made again from what is stored. */
static void a_new_index_says_the_same(void **state)
{
    struct puan_findings_sum before, after;
    const struct puan_plan *plan;

    (void)state;
    ok(puan_findings_of(&before, fix->st, 11, &fix->a, err));
    puan_http_client_close(fix->client);
    puan_host_stop(fix->host);
    fix->client = NULL;
    fix->host = NULL;
    puan_fix_reopen(fix);
    plan = puan_store_plan(fix->st);
    ok(puan_findings_of(&after, fix->st, 11, &fix->a, err));
    assert_true(before.complete && after.complete);
    for (size_t f = 0; f < plan->n_forms; f++) {
        size_t n =
            puan_ruleset_count(puan_ingest_rules(fix->st, plan->form[f]));

        assert_memory_equal(before.rule[f], after.rule[f],
                            n * sizeof(*after.rule[f]));
        assert_int_equal(before.returns[f], after.returns[f]);
    }
    assert_int_equal(after.returns[0], 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_has_been_found_yet),
        cmocka_unit_test(figures_follow_the_returns),
        cmocka_unit_test(what_was_confirmed_is_told_apart),
        cmocka_unit_test(days_add_up_to_what_stands_open),
        cmocka_unit_test(only_ones_own_area_and_what_there_is),
        cmocka_unit_test(a_sheet_is_registered),
        cmocka_unit_test(a_new_index_says_the_same),
    };

    setenv("PUAN_LOG", "off", 1);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
