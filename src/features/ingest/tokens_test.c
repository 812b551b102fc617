/*
 * The token index says the same of the same returns, whether its tokens are in
 * memory, in runs, merged, lost or damaged.
 */
#include "../../../bench/load.h"
#include "features/host/test_fixture.h"
#include "kit/os/os.h"

#define N 200

static struct puan_arena a;
static const char *root;
static struct load_options o = { .suite = "sm", .counties = 2, .eas = 2,
                                 .households = N / 4 };
static struct puan_store *store;

static int set_up(void **state)
{
    (void)state;
    puan_arena_init(&a, puan_os_alloc());
    ok(puan_dir_temp(&root, &a, err));
    o.dir = puan_arena_fmt(&a, "%s/c", root);
    ok(load_prepare(&o, true, err));
    ok(puan_store_open(&store, o.dir, NULL, err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    puan_store_close(store);
    ok(puan_dir_remove(root, err));
    puan_arena_clear(&a);
    return 0;
}

static void reopen(void)
{
    puan_store_close(store);
    ok(puan_store_open(&store, o.dir, NULL, err));
}

static struct puan_receipt send(uint64_t i, unsigned base, uint64_t counter,
                                const char *confirm)
{
    struct puan_sender who = { .actor = PUAN_STR("tester") };
    char *body = puan_arena_get(&a, 8192);
    size_t n = load_document(body, 4096, load_household(&o, i), base, counter,
                             (unsigned)counter);
    struct puan_receipt r = { 0 };

    if (*confirm) { /* behind the opening brace */
        size_t m = strlen(confirm);

        memmove(body + 1 + m, body + 1, n - 1);
        memcpy(body + 1, confirm, m);
        n += m;
    }
    ok(puan_submit_wait(&r, store, &who, (struct puan_str){ body, n }, &a,
                        err));
    return r;
}

struct seen {
    uint64_t n, sum; /* records; a sum over all of them */
};

static struct seen walk(void)
{
    struct seen s = { 0 };

    for (size_t k = 1; k < puan_store_shards(store); k++) {
        struct puan_tokens *t = NULL;
        struct puan_token x, before = { 0 };
        bool first = true;

        ok(puan_tokens_open(&t, puan_store_shard(store, k), err));
        while (puan_tokens_next(&x, t)) {
            uint64_t h;

            if (!first)
                assert_true(memcmp(before.token, x.token, 16) <= 0);
            first = false;
            before = x;
            memcpy(&h, x.token, sizeof(h));
            s.sum += h * (x.ret * 31u + x.row * 7u + x.residence + k);
            s.n++;
        }
        puan_tokens_close(t);
    }
    return s;
}

static void same(struct seen x, struct seen y)
{
    assert_int_equal(x.n, y.n);
    assert_true(x.sum == y.sum);
}

static void the_index_is_the_same_wherever_it_is(void **state)
{
    struct seen first, after;
    const char **name;
    const char *dir;
    struct puan_str text;
    char *copy;
    size_t n;

    (void)state;
    for (uint64_t i = 0; i < N; i++)
        assert_int_equal(send(i, 0, i + 1, "").outcome, PUAN_SUBMIT_ACCEPTED);
    first = walk();
    assert_int_equal(first.n, 3 * N);
    /* in one run; then with tokens beside it; then in two runs made one */
    for (size_t k = 1; k < puan_store_shards(store); k++)
        ok(puan_tokens_merge(puan_store_shard(store, k), err));
    same(walk(), first);
    for (uint64_t i = 0; i < N; i += 4) /* the old version's count no more */
        assert_int_equal(send(i, 1, 1000 + i, "").version, 2);
    after = walk();
    assert_int_equal(after.n, 3 * N);
    assert_true(after.sum != first.sum);
    reopen();
    same(walk(), after);
    for (size_t k = 1; k < puan_store_shards(store); k++)
        ok(puan_tokens_merge(puan_store_shard(store, k), err));
    same(walk(), after);
    reopen();
    same(walk(), after);
    /* a run that is damaged, and one that is gone */
    dir = puan_arena_fmt(&a, "%s/returns/370883.tok", o.dir);
    ok(puan_dir_list(&name, &n, dir, &a, err));
    assert_int_equal(n, 1);
    dir = puan_arena_fmt(&a, "%s/%s", dir, name[0]);
    ok(puan_file_read(&text, dir, 0, &a, err));
    copy = puan_arena_get(&a, text.n);
    memcpy(copy, text.p, text.n);
    copy[text.n / 2] = (char)(copy[text.n / 2] ^ 4);
    puan_store_close(store);
    ok(puan_file_write(dir, (struct puan_str){ copy, text.n }, 0640, err));
    ok(puan_store_open(&store, o.dir, NULL, err));
    same(walk(), after);
    puan_store_close(store);
    ok(puan_dir_remove(puan_arena_fmt(&a, "%s/returns/370883.tok", o.dir),
                       err));
    ok(puan_store_open(&store, o.dir, NULL, err));
    same(walk(), after);
}

static void a_soft_finding_can_be_confirmed(void **state)
{
    struct puan_receipt r = send(1, 1, 5000, ""), c;
    const struct puan_rule_info *info = NULL;
    uint32_t row = 0;
    struct puan_ret_head before, after;
    const char *confirm;

    (void)state;
    assert_int_equal(r.outcome, PUAN_SUBMIT_ACCEPTED);
    for (size_t i = 0; i < r.edits.n && !info; i++)
        if (puan_ruleset_info(r.rules, r.edits.list[i].rule)->severity ==
            PUAN_SOFT) {
            info = puan_ruleset_info(r.rules, r.edits.list[i].rule);
            row = info->entity ? r.edits.list[i].row + 1 : 0;
        }
    assert_non_null(info); /* the documents of load.c have some */
    assert_true(puan_ret_head(&before, store, load_household(&o, 1)));
    confirm = row ? puan_arena_fmt(&a,
                                   "\"confirm\":[{\"rule\":\"%.*s\",\"row\":%u,"
                                   "\"reason\":\"asked at the door\"}],",
                                   PUAN_FMT(info->id), row)
                  : puan_arena_fmt(&a,
                                   "\"confirm\":[{\"rule\":\"%.*s\","
                                   "\"reason\":\"asked at the door\"}],",
                                   PUAN_FMT(info->id));
    c = send(1, 2, 5000 + 9000, confirm);
    assert_int_equal(c.outcome, PUAN_SUBMIT_ACCEPTED);
    assert_true(puan_ret_head(&after, store, load_household(&o, 1)));
    assert_int_equal(after.soft + 1, before.soft);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_index_is_the_same_wherever_it_is),
        cmocka_unit_test(a_soft_finding_can_be_confirmed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
