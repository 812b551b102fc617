/*
 * puan edit over a campaign directory: counts of what is wrong in the last
 * versions, and no answer leaves it.
 */
#include "features/host/test_fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/plan/plan.h"
#include "features/edit/edit.h"
#include "features/edit/layer.h"
#include "features/ledgers/ledgers.h"
#include "features/tables/tables.h"
#include "kit/os/os.h"

static int command(struct puan_fix *f, const struct puan_feature *feature,
                   const char *name, const char *const *arguments)
{
    char *argv[16] = { 0 };
    int argc = 0, code, out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);

    argv[argc++] = (char *)(uintptr_t)name;
    while (*arguments)
        argv[argc++] = (char *)(uintptr_t)*arguments++;
    fflush(stdout);
    assert_non_null(
        freopen(puan_arena_fmt(&f->a, "%s/stdout", f->root), "w", stdout));
    assert_non_null(
        freopen(puan_arena_fmt(&f->a, "%s/stderr", f->root), "w", stderr));
    code = feature->commands[0].run(argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    return code;
}

static int edit(struct puan_fix *f, const char *const *arguments)
{
    return command(f, &puan_feature_edit, "edit", arguments);
}

static int table(struct puan_fix *f, const char *const *arguments)
{
    return command(f, &puan_feature_tables, "table", arguments);
}

static void a_campaign_is_told_in_counts(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    const char *rates = puan_arena_fmt(&f->a, "%s/rates.csv", f->root);
    const char *count[] = { "--weight", "dwelling=2", "--form",    "household",
                            "--json",   "--rates",    rates,       "--dry-run",
                            f->dir,     NULL };
    const char *list[] = { "--form", "household", "--out", "-", f->dir, NULL };
    const char *none[] = { "--form", "nobody", "--dry-run", f->dir, NULL };

    (void)state;
    puan_fix_send(f, 110010010001, 0, "3");
    puan_fix_send(f, 110010010002, 0, "null");
    puan_fix_send(f, 110020010001, 0, "null");
    puan_fix_send(f, 110020010001, 1, "4"); /* corrected */
    assert_int_equal(edit(f, count), PUAN_EXIT_FINDINGS);
    assert_non_null(strstr(puan_fix_file(f, "stdout"), "\"clean\":2,\"repaired\":1"));
    assert_non_null(
        strstr(puan_fix_file(f, "rates.csv"), ",household,rooms,3,2,1,0,0,3,1,1,"));
    assert_int_equal(edit(f, list), PUAN_EXIT_REFUSED);
    assert_non_null(strstr(puan_fix_file(f, "stderr"), "by approval only"));
    assert_int_equal(edit(f, none), PUAN_EXIT_INPUT);
    assert_non_null(strstr(puan_fix_file(f, "stderr"), "no form nobody"));
    puan_fix_end(f);
}

/* The kept values of a household: what a table by edited values counts. */
static int64_t rooms_of(struct puan_fix *f, int64_t household, size_t *n_set)
{
    struct puan_shard *sh = puan_store_shard_of_household(f->st, household);
    struct puan_edit_values *v = NULL;
    struct puan_ret_head head;
    struct puan_record rec;
    struct puan_ret ret;
    struct puan_db *db;
    int64_t rooms = -1;
    int item;

    assert_true(puan_ret_head(&head, f->st, household));
    ok(puan_read_begin(&db, sh, err));
    ok(puan_ret_read(&ret, sh, db, head.ret, &f->a, err));
    puan_read_end(sh, db);
    ok(puan_record_decode(&rec, ret.form, ret.frame, ret.facts, PUAN_STR(""),
                          &f->a, err));
    ok(puan_edit_values_open(&v, f->st, err));
    *n_set = puan_edit_values_apply(v, &rec, household, ret.seq);
    puan_edit_values_close(v);
    item = puan_entity_item(&ret.form->entity[0], PUAN_STR("rooms"));
    assert_true(item >= 0);
    if (rec.rows[0].st[item] == PUAN_GIVEN)
        rooms = rec.rows[0].v[item];
    return rooms;
}

static void an_edit_is_kept_redone_and_reported(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    const char *rates = puan_arena_fmt(&f->a, "%s/rates.csv", f->root);
    const char *make[] = { "--form", "household", "--seed", "7",
                           "--weight", "dwelling=2", f->dir, NULL };
    const char *redo[] = { "--redo", "1", f->dir, NULL };
    const char *report[] = { "--report", "--run",   "1",   "--area", "11001",
                             "--rates",  rates,     f->dir, NULL };
    const char *twice[] = { "--report", "--redo", "1", "--seed", "1", f->dir,
                            NULL };
    const char *first;
    uint64_t covered;
    size_t n = 0;

    (void)state;
    puan_fix_send(f, 110010010001, 0, "3");
    puan_fix_send(f, 110010010002, 0, "null"); /* rooms are missing */
    puan_fix_send(f, 110020010001, 0, "null");
    puan_fix_close(f);
    assert_int_equal(edit(f, make), PUAN_EXIT_FINDINGS);
    first = puan_fix_file(f, "stdout");
    assert_non_null(strstr(first, "edit 1: form household, area 11, kept"));
    assert_non_null(strstr(first, "repaired: 2 (2 answers, weight 2"));
    assert_int_equal(edit(f, redo), PUAN_EXIT_DONE);
    assert_non_null(strstr(puan_fix_file(f, "stdout"), "edit 1 is the same"));
    assert_int_equal(edit(f, report), PUAN_EXIT_DONE);
    assert_non_null(strstr(puan_fix_file(f, "rates.csv"),
                           "\n11001,household,rooms,2,1,1,0,0,2,1,1,"));
    assert_non_null(
        strstr(puan_fix_file(f, "rates.csv"), "\n11001001,,,2,1,1,0,0,,,"));
    assert_int_equal(edit(f, twice), PUAN_EXIT_USAGE);

    /* the collected value stays, the layer gives another */
    puan_fix_open(f);
    assert_int_equal(rooms_of(f, 110010010001, &n), 3);
    assert_int_equal(n, 0);
    assert_true(rooms_of(f, 110010010002, &n) > 0);
    assert_int_equal(n, 1);
    /* a version that has come since is not spoken of */
    puan_fix_send(f, 110010010002, 1, "4");
    assert_int_equal(rooms_of(f, 110010010002, &n), 4);
    assert_int_equal(n, 0);
    covered = puan_fix_verify(f);
    assert_true(covered > 0);
    puan_fix_close(f);

    /* and a redo is of what stood then */
    assert_int_equal(edit(f, redo), PUAN_EXIT_DONE);
    assert_non_null(strstr(puan_fix_file(f, "stdout"), "0 differ"));
    puan_fix_end(f);
}

/* Tables by collected and by edited values, and each says which. */
static void tables_say_by_which_values(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    const char *make[] = { "--seed", "7", f->dir, NULL };
    const char *collected[] = { f->dir,     "--of",      "household",
                                "--show",   "count where given(rooms)",
                                "--values", "collected", NULL };
    const char *edited[] = { f->dir,     "--of",   "household",
                             "--show",   "count where given(rooms)",
                             "--values", "edited", NULL };
    const char *plain[] = { f->dir,   "--of", "household",
                            "--show", "count where given(rooms)", NULL };
    const char *sdmx[] = { f->dir,     "--of",   "household", "--show",
                           "count",    "--values", "edited",
                           "--format", "sdmx",   NULL };
    const char *json[] = { f->dir,     "--of",   "household", "--show",
                           "count",    "--values", "edited",
                           "--format", "json",   NULL };
    const char *own[] = { f->dir, "--values", "edited", NULL };
    const char *own_json[] = { f->dir,     "--values", "edited",
                               "--format", "json",     NULL };
    const char *before[] = { f->dir, "--values", "edited", "--by", "rooms",
                             NULL };

    (void)state;
    puan_fix_send(f, 110010010001, 0, "3");
    puan_fix_send(f, 110010010002, 0, "null");
    puan_fix_send(f, 110020010001, 0, "null");
    puan_fix_close(f);
    assert_int_equal(table(f, before), PUAN_EXIT_INPUT);
    assert_non_null(strstr(puan_fix_file(f, "stderr"), "puan edit"));
    assert_int_equal(edit(f, make), PUAN_EXIT_FINDINGS);
    assert_int_equal(table(f, plain), PUAN_EXIT_DONE);
    assert_non_null(strstr(puan_fix_file(f, "stdout"), "\n1\n"));
    assert_null(strstr(puan_fix_file(f, "stdout"), "#"));
    assert_int_equal(table(f, collected), PUAN_EXIT_DONE);
    assert_memory_equal(puan_fix_file(f, "stdout"), "# values: collected", 19);
    assert_non_null(strstr(puan_fix_file(f, "stdout"), "\n1\n"));
    assert_int_equal(table(f, edited), PUAN_EXIT_DONE);
    assert_memory_equal(puan_fix_file(f, "stdout"), "# values: edited", 16);
    assert_non_null(strstr(puan_fix_file(f, "stdout"), "edit 1, form household"));
    assert_non_null(strstr(puan_fix_file(f, "stdout"), "\"seed\":7"));
    assert_non_null(strstr(puan_fix_file(f, "stdout"), "\n3\n"));
    assert_int_equal(table(f, sdmx), PUAN_EXIT_DONE);
    assert_non_null(strstr(puan_fix_file(f, "stdout"), "OBS_VALUE,COMMENT_DSET\n"));
    assert_int_equal(table(f, json), PUAN_EXIT_DONE);
    assert_non_null(strstr(puan_fix_file(f, "stdout"), "\"note\":\"values: edited"));
    assert_int_equal(table(f, own), PUAN_EXIT_DONE);
    assert_memory_equal(puan_fix_file(f, "stdout"), "# values: edited", 16);
    assert_int_equal(table(f, own_json), PUAN_EXIT_DONE);
    assert_non_null(strstr(puan_fix_file(f, "stdout"), "\"values\":\"edited\""));
    puan_fix_end(f);
}

/* What GET `path` says to a seat at `area` that may see edits. */
static const struct puan_node *asked(struct puan_fix *f, int64_t area,
                                     const char *path)
{
    struct puan_who who = { .credential = PUAN_CRED_HUMAN, .account = area,
                            .seat = area, .area = area };
    struct puan_http_call c = { .method = "GET", .path = path };
    struct puan_http_reply r;
    struct puan_node *n = NULL;

    puan_format(who.name, sizeof(who.name), "u%lld", (long long)area);
    c.token = puan_fix_session(f, who, "canton-registrar");
    ok(puan_http_call(&r, f->client, &c, err));
    assert_int_equal(r.status, 200);
    ok(puan_json_tree(&n, puan_arena_keep(&f->a, r.body), "reply", &f->a, err));
    return n;
}

/* A parish sees of the canton's edit its own part, not how many failed. */
static void counts_are_for_who_sees_the_area(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    const char *make[] = { "--form", "household", f->dir, NULL };
    const struct puan_node *n;

    (void)state;
    puan_fix_send(f, 110010010001, 0, "3");
    puan_fix_send(f, 110020010001, 0, "null");
    puan_fix_close(f);
    assert_int_equal(edit(f, make), PUAN_EXIT_FINDINGS);
    puan_fix_open(f);
    puan_fix_serve(f, 1, 1);
    n = asked(f, 11, "/api/v1/c/zz-test/edits?area=11");
    n = puan_node_at(puan_node_get(n, "items"), 0);
    assert_true(puan_str_is(puan_node_get(n, "repaired")->text, "1"));
    n = asked(f, 11001, "/api/v1/c/zz-test/edits?area=11001");
    n = puan_node_at(puan_node_get(n, "items"), 0);
    assert_non_null(puan_node_get(n, "digest"));
    assert_null(puan_node_get(n, "repaired"));
    assert_null(puan_node_get(n, "answers"));
    n = asked(f, 11001, "/api/v1/c/zz-test/edits/1/rates?area=11001");
    assert_null(puan_node_get(puan_node_get(n, "run"), "repaired"));
    n = puan_node_at(puan_node_get(n, "areas"), 0);
    assert_true(puan_str_is(puan_node_get(n, "code")->text, "11001"));
    assert_true(puan_str_is(puan_node_get(n, "repaired")->text, "0"));
    puan_fix_end(f);
}

/* Bytes in the layer that no entry knows are found by both. */
static void a_changed_layer_is_found(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    const char *make[] = { "--form", "household", f->dir, NULL };
    const char *redo[] = { "--redo", "1", f->dir, NULL };
    struct puan_verify_options opt = { 0 };
    struct puan_verify v;
    struct puan_shard *sh;
    struct puan_db *db;

    (void)state;
    puan_fix_send(f, 110010010001, 0, "3");
    puan_fix_send(f, 110010010002, 0, "null");
    puan_fix_close(f);
    assert_int_equal(edit(f, make), PUAN_EXIT_FINDINGS);
    puan_fix_open(f);
    sh = puan_store_shard_of_household(f->st, 110010010002);
    ok(puan_read_begin(&db, sh, err));
    puan_read_end(sh, db);
    puan_fix_close(f);
    ok(puan_db_open(&db,
                    puan_arena_fmt(&f->a, "sqlite:%s/returns/11.db", f->dir),
                    0, err));
    {
        struct puan_stmt *s = NULL;

        ok(puan_sql(&s, db, "UPDATE edit_chunk SET past = past + 1", err));
        ok(puan_stmt_run(s, err));
        puan_stmt_done(s);
        puan_db_close(db);
    }
    assert_int_equal(edit(f, redo), PUAN_EXIT_FINDINGS);
    assert_non_null(strstr(puan_fix_file(f, "stdout"), "NOT THE SAME"));
    ok(puan_ledger_verify(&v, f->dir, &opt, &f->a, err));
    assert_true(v.n_problems > 0);
    assert_string_equal(v.problem[0].kind, "row-changed");
    puan_fix_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_campaign_is_told_in_counts),
        cmocka_unit_test(an_edit_is_kept_redone_and_reported),
        cmocka_unit_test(tables_say_by_which_values),
        cmocka_unit_test(counts_are_for_who_sees_the_area),
        cmocka_unit_test(a_changed_layer_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
