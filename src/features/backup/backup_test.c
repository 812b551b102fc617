/*
 * A backup is one moment, is found out when it is touched, and gives the
 * campaign back.
 */
#include <stdlib.h>

#include "features/backup/backup.h"
#include "features/host/test_fixture.h"
#include "kit/os/os.h"

static const struct puan_act who = { .actor = { "tester", 6 } };

static struct puan_store *campaign(const char *dir, const char *url)
{
    struct puan_store_options opt = { .url = url };
    struct puan_import_result res;
    struct puan_store *st = NULL;

    ok(puan_store_create(dir, "demo", "plans/zz-test", "intl", &opt, err));
    ok(puan_store_open(&st, dir, &opt, err));
    ok(puan_import(&res, st, PUAN_IMPORT_AREAS,
                   PUAN_STR("code,parent,level,name_zh,name_en\n"
                            "11,,canton,a,A\n11001,11,parish,b,B\n"
                            "11001001,11001,round,c,C\n"),
                   "areas.csv", false, &who, err));
    return st;
}

static void a_backup_gives_the_campaign_back(void **state)
{
    struct puan_arena a;
    const char *root, *dir, *out, *back, *file;
    struct puan_store *st;
    struct puan_backup b;
    struct puan_err err1 = { 0 };
    struct puan_str text;
    char *copy;
    uint64_t height;

    (void)state;
    puan_arena_init(&a, puan_os_alloc());
    ok(puan_dir_temp(&root, &a, err));
    dir = puan_arena_fmt(&a, "%s/c", root);
    out = puan_arena_fmt(&a, "%s/b", root);
    back = puan_arena_fmt(&a, "%s/r", root);
    st = campaign(dir, NULL);
    height = puan_shard_height(puan_store_office(st));
    ok(puan_backup_make(&b, st, out, &who, err));
    assert_int_equal(puan_shard_height(puan_store_office(st)), height + 1);
    assert_true(b.files > 5);
    assert_int_equal(puan_backup_make(&b, st, out, &who, &err1),
                     PUAN_ECONFLICT);
    puan_store_close(st);
    ok(puan_backup_check(&b, out, err));
    ok(puan_backup_restore(&b, out, back, NULL, err));
    ok(puan_store_open(&st, back, NULL, err));
    assert_int_equal(puan_shard_height(puan_store_office(st)), height);
    assert_int_equal(puan_store_shards(st), 2);
    puan_store_close(st);

    /* one byte of a database: found, and nothing is restored */
    file = puan_arena_fmt(&a, "%s/office.db", out);
    ok(puan_file_read(&text, file, 0, &a, err));
    copy = puan_arena_get(&a, text.n);
    memcpy(copy, text.p, text.n);
    copy[text.n / 2] = (char)(copy[text.n / 2] ^ 1);
    ok(puan_file_write(file, (struct puan_str){ copy, text.n }, 0640, err));
    memset(&err1, 0, sizeof(err1));
    assert_int_equal(puan_backup_check(&b, out, &err1), PUAN_EDENIED);
    memset(&err1, 0, sizeof(err1));
    assert_int_equal(puan_backup_restore(
                         &b, out, puan_arena_fmt(&a, "%s/r2", root), NULL,
                         &err1),
                     PUAN_EDENIED);
    assert_false(puan_file_exists(
        puan_arena_fmt(&a, "%s/r2/directory.json", root)));
    ok(puan_file_write(file, text, 0640, err));
    ok(puan_backup_check(&b, out, err));
    /* a file more, a manifest changed */
    ok(puan_file_write(puan_arena_fmt(&a, "%s/plan/extra", out),
                       PUAN_STR("x"), 0640, err));
    memset(&err1, 0, sizeof(err1));
    assert_int_equal(puan_backup_check(&b, out, &err1), PUAN_EDENIED);
    ok(puan_file_remove(puan_arena_fmt(&a, "%s/plan/extra", out), err));
    file = puan_arena_fmt(&a, "%s/manifest.json", out);
    ok(puan_file_read(&text, file, 0, &a, err));
    copy = puan_arena_get(&a, text.n);
    memcpy(copy, text.p, text.n);
    copy[30] = copy[30] == 'a' ? 'b' : 'a';
    ok(puan_file_write(file, (struct puan_str){ copy, text.n }, 0640, err));
    memset(&err1, 0, sizeof(err1));
    assert_int_not_equal(puan_backup_check(&b, out, &err1), PUAN_OK);
    ok(puan_dir_remove(root, err));
    puan_arena_clear(&a);
}

/* From PostgreSQL to files and, after the schemas are gone, back again. */
static void postgresql_goes_through_files(void **state)
{
    const char *url = getenv("PUAN_TEST_PG");
    struct puan_store_options opt = { .url = url };
    const char *root, *dir, *out, *id;
    struct puan_arena a;
    struct puan_store *st;
    struct puan_backup b;
    struct puan_err err1 = { 0 };
    struct puan_db *db = NULL;
    uint64_t height, county;

    (void)state;
    if (!url || !*url)
        skip();
    puan_arena_init(&a, puan_os_alloc());
    ok(puan_dir_temp(&root, &a, err));
    dir = puan_arena_fmt(&a, "%s/c", root);
    out = puan_arena_fmt(&a, "%s/b", root);
    st = campaign(dir, url);
    height = puan_shard_height(puan_store_office(st));
    county = puan_shard_height(puan_store_shard(st, 1));
    ok(puan_backup_make(&b, st, out, &who, err));
    ok(puan_backup_check(&b, out, err));
    /* into files */
    ok(puan_backup_restore(&b, out, puan_arena_fmt(&a, "%s/f", root), NULL,
                           err));
    /* the database still has it */
    assert_int_equal(puan_backup_restore(&b, out,
                                         puan_arena_fmt(&a, "%s/p", root), url,
                                         &err1),
                     PUAN_ECONFLICT);
    id = puan_arena_dup(&a, puan_str_of(puan_store_id(st)));
    puan_store_close(st);
    ok(puan_db_open(&db, url, 0, err));
    for (size_t i = 0; i < 2; i++)
        ok(puan_db_exec(db,
                        puan_arena_fmt(&a,
                                       "DROP SCHEMA \"puan_%s_%s\" CASCADE;",
                                       id, i ? "11" : "office"),
                        err));
    puan_db_close(db);
    ok(puan_backup_restore(&b, out, puan_arena_fmt(&a, "%s/p", root), url,
                           err));
    ok(puan_store_open(&st, puan_arena_fmt(&a, "%s/p", root), &opt, err));
    assert_int_equal(puan_shard_height(puan_store_office(st)), height);
    assert_int_equal(puan_shard_height(puan_store_shard(st, 1)), county);
    puan_store_close(st);
    ok(puan_dir_remove(root, err));
    puan_arena_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_backup_gives_the_campaign_back),
        cmocka_unit_test(postgresql_goes_through_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
