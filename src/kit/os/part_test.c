/*
 * Files in the making: whole or not there, and nothing beside them, however
 * the program ends.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kit/os/heap.h"
#include "kit/os/os.h"
#include "kit/os/part.h"

struct fixture {
    struct puan_arena a;
    const char *dir, *file;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    puan_arena_init(&f->a, &puan_heap);
    assert_int_equal(puan_dir_temp(&f->dir, &f->a, NULL), PUAN_OK);
    f->file = puan_arena_fmt(&f->a, "%s/out.csv", f->dir);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(puan_dir_remove(f->dir, NULL), PUAN_OK);
    puan_arena_clear(&f->a);
    free(f);
    return 0;
}

static size_t files(struct fixture *f)
{
    const char **names;
    size_t n = 0;

    assert_int_equal(puan_dir_list(&names, &n, f->dir, &f->a, NULL), PUAN_OK);
    return n;
}

static void holds(struct fixture *f, const char *want)
{
    struct puan_str got;

    assert_int_equal(puan_file_read(&got, f->file, 0, &f->a, NULL), PUAN_OK);
    assert_string_equal(got.p, want);
}

static void what_is_kept_takes_the_name_and_what_is_dropped_leaves_nothing(
    void **state)
{
    struct fixture *f = *state;
    struct puan_part p;

    assert_int_equal(puan_part_open(&p, f->file, PUAN_PART_ANY, 0644, NULL),
                     PUAN_OK);
    assert_int_equal(write(p.fd, "one", 3), 3);
    assert_false(puan_file_exists(f->file));
    assert_int_equal(puan_file_size(p.at), 3); /* it can be opened again */
    assert_int_equal(puan_part_keep(&p, true, NULL), PUAN_OK);
    holds(f, "one");
    assert_int_equal(puan_part_open(&p, f->file, PUAN_PART_WHOLE, 0644, NULL),
                     PUAN_OK);
    assert_int_equal(write(p.fd, "two", 3), 3);
    holds(f, "one");
    puan_part_drop(&p);
    puan_part_drop(&p); /* twice is once */
    holds(f, "one");
    assert_int_equal(puan_part_open(&p, f->file, PUAN_PART_WHOLE, 0644, NULL),
                     PUAN_OK);
    assert_int_equal(write(p.fd, "three", 5), 5);
    assert_int_equal(puan_part_keep(&p, false, NULL), PUAN_OK);
    holds(f, "three");
    assert_int_equal(files(f), 1);
}

static void a_signal_takes_the_unfinished_file_along(void **state)
{
    static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
    struct fixture *f = *state;

    assert_int_equal(puan_file_write(f->file, PUAN_STR("old"), 0644, NULL),
                     PUAN_OK);
    for (size_t i = 0; i < PUAN_COUNT(signals); i++) {
        int status = 0, ready[2];
        char c;
        pid_t child;

        assert_int_equal(pipe(ready), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct puan_part p;
            sigset_t one;

            /* whoever runs the tests may ignore it, or hold it back */
            sigemptyset(&one);
            sigaddset(&one, signals[i]);
            sigprocmask(SIG_UNBLOCK, &one, NULL);
            signal(signals[i], SIG_DFL);
            puan_part_tidy();
            if (puan_part_open(&p, f->file, PUAN_PART_ANY, 0644, NULL) !=
                    PUAN_OK ||
                write(p.fd, "new", 3) != 3 || write(ready[1], "x", 1) != 1)
                _exit(9);
            for (;;)
                pause();
        }
        assert_int_equal(read(ready[0], &c, 1), 1);
        assert_int_equal(kill(child, signals[i]), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status)); /* and ends as it would have */
        assert_int_equal(WTERMSIG(status), signals[i]);
        assert_int_equal(files(f), 1);
        holds(f, "old");
        close(ready[0]);
        close(ready[1]);
    }
}

static void what_cannot_be_written_is_said_in_one_way(void **state)
{
    struct fixture *f = *state;
    struct puan_part p;
    struct puan_err err = { 0 };
    const char *nowhere = puan_arena_fmt(&f->a, "%s/no/such.csv", f->dir);
    const char *link = puan_arena_fmt(&f->a, "%s/link", f->dir);

    assert_int_equal(puan_part_open(&p, nowhere, PUAN_PART_ANY, 0644, &err),
                     PUAN_EWRITE);
    assert_string_equal(err.where, nowhere);
    assert_non_null(strstr(err.text, "cannot be written: "));
    puan_part_drop(&p);
    assert_int_equal(puan_part_open(&p, f->dir, PUAN_PART_ANY, 0644, NULL),
                     PUAN_EWRITE);
    assert_int_equal(puan_part_open(&p, "", PUAN_PART_ANY, 0644, NULL),
                     PUAN_EWRITE);
    assert_int_equal(symlink(f->file, link), 0);
    assert_int_equal(puan_part_open(&p, link, PUAN_PART_WHOLE, 0644, NULL),
                     PUAN_EWRITE);
    assert_int_equal(puan_part_open(&p, "/dev/null", PUAN_PART_ANY, 0644, NULL),
                     PUAN_OK);
    assert_int_equal(puan_part_keep(&p, true, NULL), PUAN_OK);
    assert_int_equal(puan_file_write(nowhere, PUAN_STR("x"), 0644, NULL),
                     PUAN_EWRITE);
    assert_int_equal(files(f), 1); /* the link */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_is_kept_takes_the_name_and_what_is_dropped_leaves_nothing,
            set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_signal_takes_the_unfinished_file_along, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_cannot_be_written_is_said_in_one_way, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
