/*
 * The ledger as an auditor asks it: a corrected household gives who, when and
 * which answers, and never a value; each search is an entry; a proof holds
 * against the checkpoint in it; a damaged chain gives none.
 */
#include <stdlib.h>

#include "core/plan/plan.h"
#include "features/host/test_fixture.h"
#include "features/ledgers/ledgers.h"
#include "kit/os/os.h"

#define BASE "/api/v1/c/zz-test"

static struct puan_fix *fix;
static struct puan_http_reply reply;
static const char *token;

static const char *seat(const char *role, int64_t area)
{
    struct puan_who who = { .credential = PUAN_CRED_HUMAN, .account = 1,
                            .area = area };

    puan_format(who.name, sizeof(who.name), "auditor");
    return puan_fix_session(fix, who, role);
}

static int open_all(void **state)
{
    (void)state;
    setenv("PUAN_LOG", "off", 1);
    fix = puan_fix_canton(NULL);
    puan_fix_send(fix, 110010010001, 0, "3");
    puan_fix_send(fix, 110010010001, 1, "4");
    puan_fix_serve(fix, 2, 1);
    token = seat("audit-admin", 0);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    puan_fix_end(fix);
    return 0;
}

static struct puan_node *get(unsigned status, const char *path)
{
    struct puan_http_call c = { .method = "GET",
                                .path = puan_arena_fmt(&fix->a, BASE "%s", path),
                                .token = token };
    struct puan_node *n = NULL;

    ok(puan_http_call(&reply, fix->client, &c, err));
    if (reply.status != status)
        fail_msg("%s: %u %.*s", path, reply.status, PUAN_FMT(reply.body));
    ok(puan_json_tree(&n, puan_arena_keep(&fix->a, reply.body), "reply",
                      &fix->a, err));
    return n;
}

static int64_t number(const struct puan_node *n, const char *key)
{
    int64_t v = -1;

    ok(puan_node_int(&v, n, key, 0, INT64_MAX, err));
    return v;
}

static const char *text(const struct puan_node *n, const char *key)
{
    return puan_arena_dup(&fix->a, puan_node_str_opt(n, key, ""));
}

static void a_correction_is_told_without_its_values(void **state)
{
    const struct puan_node *n = get(200, "/audit/search?q=110010010001"),
                           *changes = puan_node_get(n, "changes"), *c, *items;
    bool rooms = false;

    (void)state;
    assert_string_equal(text(n, "kind"), "household");
    assert_int_equal(number(n, "versions"), 2);
    assert_int_equal(changes->n, 1);
    c = puan_node_at(changes, 0);
    assert_string_equal(text(c, "verb"), "return.correct");
    assert_string_equal(text(c, "device"), "d-1");
    items = puan_node_get(c, "items");
    assert_int_equal(items->n, 1);
    PUAN_NODE_EACH(i, items)
    rooms = rooms || puan_node_str_opt(i, "item", "").n > 0;
    assert_true(rooms);
    assert_null(puan_node_get(puan_node_at(items, 0), "old"));
    assert_null(puan_node_get(puan_node_at(items, 0), "new"));
    assert_null(puan_node_get(puan_node_at(items, 0), "value"));
    /* nobody is named */
    assert_null(strstr(puan_arena_dup(&fix->a, reply.body), "Zed"));
    /* both entries of the household are found, in the order of their time */
    assert_int_equal(number(n, "total"), 2);
}

static void each_search_is_an_entry(void **state)
{
    const struct puan_node *n = get(200, "/audit/search?q=d-1"), *again;
    int64_t own = number(puan_node_get(n, "self"), "seq");

    (void)state;
    assert_true(number(n, "total") >= 2);
    again = get(200, puan_arena_fmt(&fix->a, "/audit/search?q=%%23%lld",
                                    (long long)own));
    PUAN_NODE_EACH(i, puan_node_get(again, "items"))
    if (puan_str_is(puan_node_str_opt(i, "store", ""), "office")) {
        assert_string_equal(text(i, "verb"), "ledger.search");
        assert_string_equal(text(i, "subject"), "d-1");
        assert_string_equal(text(i, "actor"), "auditor");
    }
    /* a text that may be somebody's name is not written down */
    n = get(200, "/audit/search?q=Ann%27s%20Zed");
    own = number(puan_node_get(n, "self"), "seq");
    n = get(200, puan_arena_fmt(&fix->a, "/audit/search?q=%%23%lld",
                                (long long)own));
    PUAN_NODE_EACH(i, puan_node_get(n, "items"))
    if (puan_str_is(puan_node_str_opt(i, "store", ""), "office"))
        assert_true(puan_str_starts(puan_node_str_opt(i, "subject", ""),
                                    "text:"));
}

static void by_receipt_time_area_and_verb(void **state)
{
    const struct puan_node *n = get(200, "/audit/search?q=110010010001&verb=return.correct");
    const char *receipt = text(puan_node_at(puan_node_get(n, "items"), 0),
                               "new");

    (void)state;
    assert_int_equal(strlen(receipt), 64);
    n = get(200, puan_arena_fmt(&fix->a, "/audit/search?q=%.24s", receipt));
    assert_string_equal(text(n, "kind"), "receipt");
    assert_int_equal(number(n, "total"), 1);
    n = get(200, "/audit/search?q=2021-04-02&verb=return.submit");
    assert_string_equal(text(n, "kind"), "time");
    assert_int_equal(number(n, "total"), 1);
    assert_int_equal(number(get(200, "/audit/search?q=1999-01-01"), "total"),
                     0);
    n = get(200, "/audit/search?q=11001&verb=return.correct");
    assert_string_equal(text(n, "kind"), "area");
    assert_int_equal(number(n, "total"), 1);
    assert_int_equal(number(get(200, "/audit/search?q=11002&verb=return.correct"),
                            "total"),
                     0);
    get(400, "/audit/search?q=x&since=yesterday!!");
}

static void a_proof_holds_against_the_checkpoint_in_it(void **state)
{
    const struct puan_node *n =
        get(200, "/audit/search?q=110010010001&verb=return.correct");
    const struct puan_node *hit = puan_node_at(puan_node_get(n, "items"), 0);
    const char *file = puan_arena_fmt(&fix->a, "%s/proof.json", fix->root);
    char a0[] = "prove", a1[] = "--check", a2[512];
    char *argv[] = { a0, a1, a2, NULL };
    int (*run)(int, char **) = NULL;
    struct puan_str proof;

    (void)state;
    for (size_t i = 0; i < puan_feature_ledgers.n_commands; i++)
        if (strcmp(puan_feature_ledgers.commands[i].name, "ledger prove") == 0)
            run = puan_feature_ledgers.commands[i].run;
    assert_non_null(run);
    get(200, puan_arena_fmt(&fix->a, "/audit/proof?store=%s&seq=%lld",
                            text(hit, "store"),
                            (long long)number(hit, "seq")));
    proof = puan_arena_keep(&fix->a, reply.body);
    ok(puan_file_write(file, proof, 0600, err));
    puan_format(a2, sizeof(a2), "%s", file);
    assert_int_equal(run(3, argv), PUAN_EXIT_DONE);
    /* another root in the checkpoint: no longer */
    {
        char *bad = puan_arena_get(&fix->a, proof.n + 1), *at;

        memcpy(bad, proof.p, proof.n);
        bad[proof.n] = 0;
        at = strstr(bad, "\\\"merkle\\\":\\\"");
        while (at && strstr(at + 1, "\\\"merkle\\\":\\\""))
            at = strstr(at + 1, "\\\"merkle\\\":\\\"");
        if (!at)
            fail_msg("no checkpoint in the proof");
        else
            at[13] = at[13] == '0' ? '1' : '0';
        ok(puan_file_write(file, (struct puan_str){ bad, proof.n }, 0600, err));
        assert_int_equal(run(3, argv), PUAN_EXIT_FINDINGS);
    }
    get(404, "/audit/proof?store=11&seq=99999");
    get(404, "/audit/proof?store=nowhere&seq=0");
    n = get(200, "/audit/chain");
    assert_non_null(puan_node_get(n, "checkpoint"));
}

static enum puan_status spoil(struct puan_shard *sh, struct puan_db *db,
                              struct puan_act *act, void *arg,
                              struct puan_err *err)
{
    (void)sh;
    (void)act;
    (void)arg;
    return puan_db_exec(db,
                        "UPDATE ledger SET digest = zeroblob(32)"
                        " WHERE seq = (SELECT MAX(seq) FROM ledger)",
                        err);
}

static void a_broken_chain_gives_no_proof(void **state)
{
    struct puan_shard *sh = puan_store_shard_of_area(fix->st, 11);
    struct puan_act act = { .actor = PUAN_STR("intruder"),
                            .verb = PUAN_STR("test.put") };
    int64_t last = (int64_t)puan_shard_height(sh) - 1;
    const struct puan_node *n;

    (void)state;
    ok(puan_commit(sh, &act, spoil, NULL, err));
    n = get(409, "/audit/proof?store=11&seq=1");
    assert_string_equal(text(n, "code"), "chain-broken");
    assert_int_equal(number(n, "first_bad"), last);
    /* searching goes on */
    assert_true(number(get(200, "/audit/search?q=110010010001"), "total") >= 2);
}

static void only_those_who_may(void **state)
{
    (void)state;
    token = seat("canton-registrar", 11);
    get(403, "/audit/search?q=110010010001");
    get(403, "/audit/proof?store=11&seq=1");
    token = "";
    get(401, "/audit/search?q=110010010001");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_correction_is_told_without_its_values),
        cmocka_unit_test(each_search_is_an_entry),
        cmocka_unit_test(by_receipt_time_area_and_verb),
        cmocka_unit_test(a_proof_holds_against_the_checkpoint_in_it),
        cmocka_unit_test(a_broken_chain_gives_no_proof),
        cmocka_unit_test(only_those_who_may),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
