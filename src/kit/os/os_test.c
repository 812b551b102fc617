/* Tests of kit/os: every test makes its own directory and removes it. */
#include "kit/os/os.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct puan_arena a;
static const char *dir;

static int setup(void **state)
{
    struct puan_err err = { 0 };

    (void)state;
    puan_arena_init(&a, puan_os_alloc());
    return puan_dir_temp(&dir, &a, &err) != PUAN_OK;
}

static int teardown(void **state)
{
    struct puan_err err = { 0 };
    enum puan_status st = puan_dir_remove(dir, &err);

    (void)state;
    puan_arena_clear(&a);
    return st != PUAN_OK;
}

static const char *in_dir(const char *name)
{
    return puan_arena_fmt(&a, "%s/%s", dir, name);
}

static void a_file_is_replaced_as_a_whole(void **state)
{
    struct puan_err err = { 0 };
    const char **names;
    struct puan_str s;
    struct stat sb;
    size_t n;

    (void)state;
    assert_int_equal(
        puan_file_write(in_dir("f"), PUAN_STR("old content"), 0600, &err), 0);
    assert_int_equal(puan_file_write(in_dir("f"), PUAN_STR("new"), 0640, &err),
                     0);
    assert_int_equal(puan_file_read(&s, in_dir("f"), 0, &a, &err), 0);
    assert_true(puan_str_is(s, "new"));
    assert_int_equal(stat(in_dir("f"), &sb), 0);
    assert_int_equal(sb.st_mode & 0777, 0640);
    assert_int_equal(puan_dir_list(&names, &n, dir, &a, &err), 0);
    assert_int_equal(n, 1); /* nothing left beside it */
}

static void a_missing_file_and_a_large_one_are_told_apart(void **state)
{
    struct puan_err err = { 0 };
    struct puan_str s;

    (void)state;
    assert_int_equal(puan_file_read(&s, in_dir("none"), 0, &a, &err),
                     PUAN_ENOTFOUND);
    assert_int_equal(
        puan_file_write(in_dir("f"), PUAN_STR("12345"), 0600, NULL), 0);
    assert_int_equal(puan_file_read(&s, in_dir("f"), 4, &a, NULL),
                     PUAN_ELIMIT);
    assert_int_equal(puan_file_size(in_dir("f")), 5);
    assert_int_equal(puan_file_size(in_dir("none")), -1);
}

static void a_copy_never_overwrites(void **state)
{
    struct puan_err err = { 0 };
    struct puan_str s;

    (void)state;
    assert_int_equal(puan_file_write(in_dir("f"), PUAN_STR("x"), 0600, &err),
                     0);
    assert_int_equal(puan_file_copy(in_dir("f"), in_dir("g"), &err), 0);
    assert_int_equal(puan_file_copy(in_dir("f"), in_dir("g"), &err),
                     PUAN_ECONFLICT);
    assert_int_equal(puan_file_read(&s, in_dir("g"), 0, &a, NULL), 0);
    assert_true(puan_str_is(s, "x"));
}

static void names_are_listed_in_order_and_removed_with_their_tree(void **state)
{
    struct puan_err err = { 0 };
    const char **names;
    size_t n;

    (void)state;
    assert_int_equal(puan_dir_make(in_dir("t/b/c"), &err), 0);
    assert_int_equal(puan_dir_make(in_dir("t/b/c"), &err), 0);
    assert_int_equal(puan_file_write(in_dir("t/a"), PUAN_STR(""), 0600, &err),
                     0);
    assert_int_equal(symlink("/etc", in_dir("t/b/link")), 0);
    assert_int_equal(puan_dir_list(&names, &n, in_dir("t"), &a, &err), 0);
    assert_int_equal(n, 2);
    assert_string_equal(names[0], "a");
    assert_string_equal(names[1], "b");
    assert_int_equal(puan_dir_remove(in_dir("t"), &err), 0);
    assert_false(puan_file_exists(in_dir("t")));
    assert_true(puan_dir_exists("/etc"));
}

static void a_link_is_not_replaced_by_a_file(void **state)
{
    struct puan_err err = { 0 };

    (void)state;
    assert_true(puan_file_replaceable(in_dir("none")));
    assert_int_equal(symlink("/dev/full", in_dir("link")), 0);
    assert_false(puan_file_replaceable(in_dir("link")));
    assert_false(puan_file_replaceable("/dev/full"));
    assert_int_equal(puan_file_write(in_dir("link"), PUAN_STR("x"), 0600, &err),
                     PUAN_EWRITE);
    assert_string_equal(err.text, "cannot be written: is no ordinary file");
}

static void a_file_is_known_under_another_name(void **state)
{
    const char *others[2] = { in_dir("none"), in_dir("f") };

    (void)state;
    assert_int_equal(puan_file_write(in_dir("f"), PUAN_STR("x"), 0600, NULL),
                     PUAN_OK);
    assert_int_equal(symlink("f", in_dir("same")), 0);
    assert_true(puan_file_among(in_dir("same"), others, 2));
    assert_false(puan_file_among(in_dir("same"), others, 1));
    assert_false(puan_file_among(in_dir("none"), others, 2));
    assert_false(puan_file_among(NULL, others, 2));
}

static void a_mapped_file_reads_as_it_was_written(void **state)
{
    struct puan_err err = { 0 };
    struct puan_map m = { { 0 } };

    (void)state;
    assert_int_equal(
        puan_file_write(in_dir("m"), PUAN_STR("mapped"), 0600, &err), 0);
    assert_int_equal(puan_map_open(&m, in_dir("m"), &err), 0);
    assert_true(puan_str_is(m.bytes, "mapped"));
    puan_map_close(&m);
    assert_int_equal(puan_file_write(in_dir("m"), PUAN_STR(""), 0600, &err),
                     0);
    assert_int_equal(puan_map_open(&m, in_dir("m"), &err), 0);
    assert_int_equal(m.bytes.n, 0);
    puan_map_close(&m);
}

static void random_bytes_differ_and_clocks_run(void **state)
{
    uint8_t x[32] = { 0 }, y[32] = { 0 };
    int64_t t = puan_os_mono_ns();

    (void)state;
    assert_int_equal(puan_os_random(x, 32, NULL), 0);
    assert_int_equal(puan_os_random(y, 32, NULL), 0);
    assert_memory_not_equal(x, y, 32);
    puan_os_wipe(x, 32);
    for (int i = 0; i < 32; i++)
        assert_int_equal(x[i], 0);
    assert_true(puan_os_mono_ns() >= t);
    assert_true(puan_os_now_ms() > 1600000000000);
    assert_true(puan_os_cpus() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_replaced_as_a_whole, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_missing_file_and_a_large_one_are_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(a_copy_never_overwrites, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            names_are_listed_in_order_and_removed_with_their_tree, setup,
            teardown),
        cmocka_unit_test_setup_teardown(a_mapped_file_reads_as_it_was_written,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_link_is_not_replaced_by_a_file, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_is_known_under_another_name,
                                        setup, teardown),
        cmocka_unit_test(random_bytes_differ_and_clocks_run),
    };

    return cmocka_run_group_tests_name("os", tests, NULL, NULL);
}
