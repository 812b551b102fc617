/*
 * Conformance of kit/db: the same tests on SQLite and, when $PUAN_TEST_PG
 * holds an address, on PostgreSQL.
 */
#include "kit/db/db.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kit/os/os.h"

struct fixture {
    struct puan_arena a;
    const char *dir, *url;
    struct puan_db *db;
};

static bool on_pg; /* which engine this group runs on */

static struct puan_db *again(const struct fixture *f, unsigned flags)
{
    struct puan_err err = { 0 };
    struct puan_db *db = NULL;

    if (puan_db_open(&db, f->url, flags, &err) != PUAN_OK)
        print_message("%s: %s\n", err.where, err.text);
    return db;
}

static int setup(void **state)
{
    static unsigned serial;
    struct fixture *f = calloc(1, sizeof(*f));
    struct puan_err err = { 0 };

    puan_arena_init(&f->a, puan_os_alloc());
    if (on_pg) {
        f->url = puan_arena_fmt(&f->a, "%s#t%d_%u", getenv("PUAN_TEST_PG"),
                                (int)getpid(), serial++);
    } else {
        if (puan_dir_temp(&f->dir, &f->a, &err) != PUAN_OK)
            return 1;
        f->url = puan_arena_fmt(&f->a, "sqlite:%s/t.db", f->dir);
    }
    f->db = again(f, PUAN_DB_CREATE);
    if (!f->db)
        return 1;
    *state = f;
    return puan_db_exec(f->db,
                        "CREATE TABLE t (id BIGINT PRIMARY KEY,"
                        " name TEXT, data BYTEA, n BIGINT);"
                        "CREATE TABLE u (k TEXT PRIMARY KEY,"
                        " t BIGINT NOT NULL REFERENCES t(id))",
                        &err) != PUAN_OK;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    int bad = 0;

    if (on_pg)
        bad = puan_db_exec(f->db,
                           puan_arena_fmt(&f->a, "DROP SCHEMA %s CASCADE",
                                          strchr(f->url, '#') + 1),
                           &err) != PUAN_OK;
    puan_db_close(f->db);
    if (f->dir)
        bad |= puan_dir_remove(f->dir, &err) != PUAN_OK;
    puan_arena_clear(&f->a);
    free(f);
    return bad;
}

static enum puan_status insert(struct puan_db *db, int64_t id,
                               struct puan_str name, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    enum puan_status st = puan_sql(
        &s, db, "INSERT INTO t (id, name, n) VALUES ($1, $2, $1 * 2)", err);

    if (st == PUAN_OK) {
        puan_bind_int(s, 1, id);
        puan_bind_text(s, 2, name);
        st = puan_stmt_run(s, err);
    }
    puan_stmt_done(s);
    return st;
}

static int64_t count(struct puan_db *db)
{
    struct puan_err err = { 0 };
    int64_t n = -1;

    assert_int_equal(
        puan_db_int(&n, db, "SELECT COUNT(*) FROM t", -1, &err), PUAN_OK);
    return n;
}

static void values_come_back_as_they_went(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    struct puan_stmt *s = NULL;
    bool more;
    static const uint8_t raw[] = { 0, 1, 0xff, '\\', 'x', 0 };

    assert_int_equal(puan_sql(&s, f->db,
                              "INSERT INTO t (name, data, n, id) VALUES"
                              " ($2, $3, $4, $1) RETURNING id, n, data, name",
                              &err),
                     PUAN_OK);
    puan_bind_int(s, 1, 370883001004001001);
    puan_bind_text(s, 2, PUAN_STR("普查 'it''s' \\x00"));
    puan_bind_bytes(s, 3, raw, sizeof(raw));
    puan_bind_null(s, 4);
    assert_int_equal(puan_stmt_step(&more, s, &err), PUAN_OK);
    assert_true(more);
    assert_true(puan_col_int(s, 0) == 370883001004001001);
    assert_true(puan_col_null(s, 1));
    assert_int_equal(puan_col_bytes(s, 2).n, sizeof(raw));
    assert_memory_equal(puan_col_bytes(s, 2).p, raw, sizeof(raw));
    assert_true(puan_str_is(puan_col_text(s, 3), "普查 'it''s' \\x00"));
    assert_int_equal(puan_col_kind_of(s, 0), PUAN_COL_INT);
    assert_int_equal(puan_col_kind_of(s, 1), PUAN_COL_NULL);
    assert_int_equal(puan_col_kind_of(s, 2), PUAN_COL_BYTES);
    assert_int_equal(puan_col_kind_of(s, 3), PUAN_COL_TEXT);
    assert_int_equal(puan_stmt_cols(s), 4);
    assert_int_equal(puan_stmt_step(&more, s, &err), PUAN_OK);
    assert_false(more);
    puan_stmt_done(s);
}

static void the_extremes_of_integers_survive(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    struct puan_stmt *s = NULL;
    static const int64_t v[] = { INT64_MAX, INT64_MIN, 0, -1 };
    bool more;

    for (size_t i = 0; i < PUAN_COUNT(v); i++) {
        assert_int_equal(
            puan_sql(&s, f->db, "INSERT INTO t (id, n) VALUES ($1, $2)", &err),
            PUAN_OK);
        puan_bind_int(s, 1, (int64_t)i);
        puan_bind_int(s, 2, v[i]);
        assert_int_equal(puan_stmt_run(s, &err), PUAN_OK);
        assert_int_equal(puan_stmt_changes(s), 1);
        puan_stmt_done(s);
    }
    assert_int_equal(
        puan_sql(&s, f->db, "SELECT n FROM t ORDER BY id", &err), PUAN_OK);
    for (size_t i = 0; i < PUAN_COUNT(v); i++) {
        assert_int_equal(puan_stmt_step(&more, s, &err), PUAN_OK);
        assert_true(more && puan_col_int(s, 0) == v[i]);
    }
    puan_stmt_done(s);
}

static void a_column_of_numbers_is_read_whole_or_up_to_a_bound(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    struct puan_stmt *s;
    int64_t list[8] = { 7 };
    size_t n = 1;

    for (int64_t id = 1; id <= 4; id++)
        assert_int_equal(insert(f->db, id, PUAN_STR("x"), &err), PUAN_OK);
    for (int pass = 0; pass < 2; pass++) {
        assert_int_equal(puan_sql(&s, f->db, "SELECT n, id FROM t ORDER BY id",
                                  &err),
                         PUAN_OK);
        assert_int_equal(puan_stmt_ints(list, &n, 6, s, &err), PUAN_OK);
        assert_int_equal(n, pass == 0 ? 5 : 6);
        assert_true(list[0] == 7 && list[1] == 2 && list[4] == 8);
    }
    assert_int_equal(list[5], 2); /* behind the rest, and no further */
}

static void once_is_done_also_when_it_fails(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };

    for (int pass = 0; pass < 3; pass++) {
        struct puan_stmt *s;

        assert_int_equal(puan_sql(&s, f->db, "INSERT INTO t (id, n) VALUES"
                                             " (5, 1)", &err),
                         PUAN_OK);
        assert_int_equal(puan_stmt_once(s, NULL),
                         pass == 0 ? PUAN_OK : PUAN_ECONFLICT);
    }
}

static void sums_and_counts_are_integers(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    int64_t v;

    assert_int_equal(
        puan_db_int(&v, f->db, "SELECT SUM(n) FROM t", 77, &err), PUAN_OK);
    assert_int_equal(v, 77);
    for (int64_t i = 1; i <= 3; i++)
        assert_int_equal(insert(f->db, i * 1000000007, PUAN_STR("x"), &err),
                         PUAN_OK);
    assert_int_equal(
        puan_db_int(&v, f->db, "SELECT SUM(n) FROM t", 0, &err), PUAN_OK);
    assert_true(v == 12LL * 1000000007);
    assert_int_equal(
        puan_db_int(&v, f->db, "SELECT SUM(-n) FROM t", 0, &err), PUAN_OK);
    assert_true(v == -12LL * 1000000007);
    assert_int_equal(
        puan_db_int(&v, f->db, "SELECT MAX(id) FROM t", 0, &err), PUAN_OK);
    assert_true(v == 3LL * 1000000007);
}

static void the_same_key_twice_is_a_conflict(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };

    assert_int_equal(insert(f->db, 1, PUAN_STR("a"), &err), PUAN_OK);
    assert_int_equal(insert(f->db, 1, PUAN_STR("b"), &err), PUAN_ECONFLICT);
    assert_int_equal(count(f->db), 1);
}

static void a_missing_parent_is_refused(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };

    assert_int_equal(
        puan_db_exec(f->db, "INSERT INTO u (k, t) VALUES ('a', 9)", &err),
        PUAN_EINVAL);
}

static void on_conflict_replaces(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    int64_t v;

    for (int i = 0; i < 2; i++)
        assert_int_equal(
            puan_db_exec(f->db,
                         "INSERT INTO t (id, n) VALUES (1, 5)"
                         " ON CONFLICT (id) DO UPDATE SET n = t.n + 1",
                         &err),
            PUAN_OK);
    assert_int_equal(
        puan_db_int(&v, f->db, "SELECT n FROM t WHERE id = 1", 0, &err),
        PUAN_OK);
    assert_int_equal(v, 6);
}

static void an_act_is_undone_alone(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };

    assert_int_equal(puan_db_begin(f->db, &err), PUAN_OK);
    assert_int_equal(puan_db_savepoint(f->db, &err), PUAN_OK);
    assert_int_equal(insert(f->db, 1, PUAN_STR("a"), &err), PUAN_OK);
    assert_int_equal(puan_db_release(f->db, &err), PUAN_OK);
    assert_int_equal(puan_db_savepoint(f->db, &err), PUAN_OK);
    assert_int_equal(insert(f->db, 2, PUAN_STR("b"), &err), PUAN_OK);
    assert_int_equal(insert(f->db, 1, PUAN_STR("c"), &err), PUAN_ECONFLICT);
    puan_db_undo(f->db);
    assert_int_equal(puan_db_savepoint(f->db, &err), PUAN_OK);
    assert_int_equal(insert(f->db, 3, PUAN_STR("d"), NULL), PUAN_OK);
    assert_int_equal(puan_db_release(f->db, NULL), PUAN_OK);
    assert_int_equal(puan_db_commit(f->db, NULL), PUAN_OK);
    assert_int_equal(count(f->db), 2);
}

static void a_rollback_leaves_nothing_and_frees_statements(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    struct puan_stmt *s = NULL;
    bool more;

    assert_int_equal(puan_db_begin(f->db, &err), PUAN_OK);
    assert_int_equal(insert(f->db, 1, PUAN_STR("a"), &err), PUAN_OK);
    assert_int_equal(puan_sql(&s, f->db, "SELECT id FROM t", &err), PUAN_OK);
    assert_int_equal(puan_stmt_step(&more, s, &err), PUAN_OK);
    puan_db_rollback(f->db); /* the select was never done */
    assert_int_equal(count(f->db), 0);
    assert_int_equal(insert(f->db, 1, PUAN_STR("a"), &err), PUAN_OK);
}

static void a_statement_in_use_is_not_given_twice(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    struct puan_stmt *s = NULL, *t = NULL;
    static const char sql[] = "SELECT id FROM t WHERE id = $1";

    assert_int_equal(puan_sql(&s, f->db, sql, &err), PUAN_OK);
    assert_int_equal(puan_sql(&t, f->db, sql, &err), PUAN_EBUG);
    puan_stmt_done(s);
    assert_int_equal(puan_sql(&t, f->db, sql, NULL), PUAN_OK);
    assert_ptr_equal(s, t); /* from the cache */
    puan_stmt_done(t);
}

static void a_wrong_parameter_is_reported_by_the_run(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    struct puan_stmt *s = NULL;

    assert_int_equal(
        puan_sql(&s, f->db, "DELETE FROM t WHERE id = $1", &err), PUAN_OK);
    puan_bind_int(s, 2, 1);
    assert_int_equal(puan_stmt_run(s, &err), PUAN_EBUG);
    puan_stmt_done(s);
}

static void a_statement_runs_many_times(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    struct puan_stmt *s = NULL;

    assert_int_equal(
        puan_sql(&s, f->db, "INSERT INTO t (id, name) VALUES ($1, $2)", &err),
        PUAN_OK);
    for (int64_t i = 0; i < 100; i++) {
        puan_bind_int(s, 1, i);
        puan_bind_text(s, 2, PUAN_STR("n"));
        assert_int_equal(puan_stmt_run(s, &err), PUAN_OK);
    }
    puan_stmt_done(s);
    assert_int_equal(count(f->db), 100);
}

static void a_reader_sees_one_moment(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    struct puan_db *r = again(f, PUAN_DB_READONLY);

    assert_non_null(r);
    assert_int_equal(insert(f->db, 1, PUAN_STR("a"), &err), PUAN_OK);
    assert_int_equal(puan_db_begin(r, &err), PUAN_OK);
    assert_int_equal(count(r), 1);
    assert_int_equal(insert(f->db, 2, PUAN_STR("b"), &err), PUAN_OK);
    assert_int_equal(count(r), 1);
    puan_db_rollback(r);
    assert_int_equal(count(r), 2);
    assert_int_not_equal(insert(r, 3, PUAN_STR("c"), &err), PUAN_OK);
    puan_db_close(r);
    assert_int_equal(count(f->db), 2);
}

struct busy {
    int runs;
};

static enum puan_status busy_twice(struct puan_db *db, void *arg,
                                   struct puan_err *err)
{
    struct busy *b = arg;
    enum puan_status st = insert(db, 1, PUAN_STR("a"), err);

    if (st == PUAN_OK && ++b->runs < 3)
        st = puan_fail(err, PUAN_EBUSY, "test", "again");
    return st;
}

static void a_transaction_is_run_again_when_busy(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    struct busy b = { 0 };

    assert_int_equal(puan_db_txn(f->db, busy_twice, &b, &err), PUAN_OK);
    assert_int_equal(b.runs, 3);
    assert_int_equal(err.code, PUAN_OK);
    assert_int_equal(count(f->db), 1);
}

static void what_was_committed_is_there_after_opening_again(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };

    assert_int_equal(insert(f->db, 1, PUAN_STR("a"), &err), PUAN_OK);
    puan_db_close(f->db);
    f->db = again(f, 0);
    assert_non_null(f->db);
    assert_int_equal(count(f->db), 1);
}

static void bad_sql_is_our_own_mistake(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    struct puan_stmt *s = NULL;

    enum puan_status st = puan_sql(&s, f->db, "SELEC 1", &err);

    if (st == PUAN_OK) /* PostgreSQL tells at the first run */
        st = puan_stmt_run(s, &err);
    puan_stmt_done(s);
    assert_int_equal(st, PUAN_EBUG);
    assert_true(err.text[0]);
}

static void a_missing_database_is_told(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    struct puan_db *db = NULL;

    assert_int_equal(
        puan_db_open(&db, puan_arena_fmt(&f->a, "%s_none", f->url), 0, &err),
        PUAN_ENOTFOUND);
    assert_null(db);
    assert_int_equal(puan_db_open(&db, "mysql:x", 0, NULL), PUAN_EINVAL);
}

/* As an auditor gets it; a name that means something in a URI. */
static void a_medium_that_cannot_be_written_is_read(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    struct puan_db *db = NULL;
    const char *place, *path;

    if (on_pg || unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        skip(); /* mounting is for root */
    place = puan_arena_fmt(&f->a, "%s/medium", f->dir);
    path = puan_arena_fmt(&f->a, "%s/a?b%%20#c.db", place);
    assert_int_equal(mkdir(place, 0700), 0);
    if (mount("none", place, "tmpfs", 0, "size=4m") != 0)
        skip();
    assert_int_equal(insert(f->db, 1, PUAN_STR("a"), &err), PUAN_OK);
    assert_int_equal(puan_db_copy_to(f->db, path, &err), PUAN_OK);
    /* as it lies in a campaign: WAL, nothing of it left over */
    assert_int_equal(
        puan_db_open(&db, puan_arena_fmt(&f->a, "sqlite:%s", path), 0, &err),
        PUAN_OK);
    puan_db_close(db);
    assert_int_equal(mount("none", place, NULL, MS_REMOUNT | MS_RDONLY, NULL),
                     0);
    if (puan_db_open(&db, puan_arena_fmt(&f->a, "sqlite:%s", path),
                     PUAN_DB_READONLY, &err) != PUAN_OK)
        fail_msg("%s: %s", err.where, err.text);
    assert_int_equal(count(db), 1);
    puan_db_close(db);
    assert_int_equal(umount(place), 0);
}

static void a_copy_stands_alone(void **state)
{
    struct fixture *f = *state;
    struct puan_err err = { 0 };
    struct puan_db *db = NULL;
    struct stat file;
    const char *path;

    if (on_pg) {
        assert_int_equal(puan_db_copy_to(f->db, "/tmp/none", &err),
                         PUAN_EINVAL);
        return;
    }
    path = puan_arena_fmt(&f->a, "%s/copy.db", f->dir);
    assert_int_equal(insert(f->db, 1, PUAN_STR("a"), &err), PUAN_OK);
    assert_int_equal(puan_db_copy_to(f->db, path, &err), PUAN_OK);
    assert_int_equal(insert(f->db, 2, PUAN_STR("b"), &err), PUAN_OK);
    /* nobody but owner and group reads a store or its copy */
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 07, 0);
    assert_int_equal(stat(f->url + strlen("sqlite:"), &file), 0);
    assert_int_equal(file.st_mode & 07, 0);
    assert_int_equal(puan_db_copy_to(f->db, path, &err), PUAN_ECONFLICT);
    assert_int_equal(puan_db_open(&db,
                                  puan_arena_fmt(&f->a, "sqlite:%s", path),
                                  PUAN_DB_READONLY, NULL),
                     PUAN_OK);
    assert_int_equal(count(db), 1);
    puan_db_close(db);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(values_come_back_as_they_went),
        T(the_extremes_of_integers_survive),
        T(a_column_of_numbers_is_read_whole_or_up_to_a_bound),
        T(once_is_done_also_when_it_fails),
        T(sums_and_counts_are_integers),
        T(the_same_key_twice_is_a_conflict),
        T(a_missing_parent_is_refused),
        T(on_conflict_replaces),
        T(an_act_is_undone_alone),
        T(a_rollback_leaves_nothing_and_frees_statements),
        T(a_statement_in_use_is_not_given_twice),
        T(a_wrong_parameter_is_reported_by_the_run),
        T(a_statement_runs_many_times),
        T(a_reader_sees_one_moment),
        T(a_transaction_is_run_again_when_busy),
        T(what_was_committed_is_there_after_opening_again),
        T(bad_sql_is_our_own_mistake),
        T(a_missing_database_is_told),
        T(a_medium_that_cannot_be_written_is_read),
        T(a_copy_stands_alone),
    };
    int bad = cmocka_run_group_tests_name("sqlite", tests, NULL, NULL);

    if (getenv("PUAN_TEST_PG")) {
        on_pg = true;
        bad += cmocka_run_group_tests_name("postgresql", tests, NULL, NULL);
    }
    return bad;
}
