/*
 * Tests of kit/sheet: what is written is read back, faults name their place,
 * a file appears only when it is whole.
 */
#include "kit/sheet/sheet.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kit/os/os.h"
#include "kit/sheet/parts.h"

static const char *temp_dir(struct puan_arena *a)
{
    const char *dir = NULL;
    struct puan_err err = { 0 };

    puan_arena_init(a, puan_os_alloc());
    assert_int_equal(puan_dir_temp(&dir, a, &err), PUAN_OK);
    return dir;
}

static void done(struct puan_arena *a, const char *dir)
{
    assert_int_equal(puan_dir_remove(dir, NULL), PUAN_OK);
    puan_arena_clear(a);
}

static void what_is_written_is_read_back(void **state)
{
    struct puan_arena a;
    const char *dir = temp_dir(&a);
    const char *path = puan_arena_fmt(&a, "%s/x.csv", dir);
    struct puan_err err = { 0 };
    struct puan_sheet_out *o = NULL;
    struct puan_sheet *s = NULL;
    bool more = false;

    (void)state;
    assert_int_equal(puan_sheet_create(&o, path, &err), PUAN_OK);
    puan_sheet_put_text(o, "a");
    puan_sheet_put_text(o, "b");
    puan_sheet_end_row(o);
    for (int i = 0; i < 30000; i++) { /* more than one buffer */
        puan_sheet_put_int(o, i);
        puan_sheet_put_text(o, "say \"普安\", \"\"\nend\"");
        puan_sheet_end_row(o);
    }
    assert_false(puan_file_exists(path));
    assert_int_equal(puan_sheet_finish(o, &err), PUAN_OK);
    assert_true(puan_file_exists(path));

    assert_int_equal(puan_sheet_open(&s, path, &err), PUAN_OK);
    assert_int_equal(puan_sheet_column(s, "b"), 1);
    assert_int_equal(puan_sheet_column(s, "c"), -1);
    for (int i = 0; i < 30000; i++) {
        int64_t v = -1;

        assert_int_equal(puan_sheet_next(&more, s, &err), PUAN_OK);
        assert_true(more);
        assert_true(puan_int_parse(&v, puan_sheet_row(s)->field[0]));
        assert_int_equal(v, i);
        assert_true(puan_str_is(puan_sheet_row(s)->field[1],
                                "say \"普安\", \"\"\nend\""));
    }
    assert_int_equal(puan_sheet_next(&more, s, &err), PUAN_OK);
    assert_false(more);
    puan_sheet_close(s);
    done(&a, dir);
}

static void count(void *ctx, uint64_t at, uint64_t all)
{
    uint64_t *last = ctx;

    assert_true(at >= *last && at <= all);
    *last = at;
}

static void a_mark_leads_back_to_its_row_also_in_a_clone(void **state)
{
    struct puan_arena a;
    const char *dir = temp_dir(&a);
    const char *path = puan_arena_fmt(&a, "%s/x.csv", dir);
    struct puan_err err = { 0 };
    struct puan_sheet *s = NULL, *c = NULL;
    struct puan_sheet_mark m;
    uint64_t progress = 0;
    bool more = false;

    (void)state;
    assert_int_equal(puan_file_write(path, PUAN_STR("\xef\xbb\xbfk,v\r\n1,x\r\n"
                                                    "2,y\r\n3,z\r\n"),
                                     0600, &err),
                     PUAN_OK);
    assert_int_equal(puan_sheet_open(&s, path, &err), PUAN_OK);
    puan_sheet_progress(s, count, &progress);
    assert_int_equal(puan_sheet_next(&more, s, &err), PUAN_OK);
    m = puan_sheet_tell(s);
    do
        assert_int_equal(puan_sheet_next(&more, s, &err), PUAN_OK);
    while (more);
    assert_int_equal(progress, puan_sheet_size(s));
    assert_int_equal(puan_sheet_clone(&c, s, &err), PUAN_OK);
    puan_sheet_seek(c, m);
    assert_int_equal(puan_sheet_next(&more, c, &err), PUAN_OK);
    assert_true(puan_str_is(puan_sheet_row(c)->field[1], "y"));
    assert_int_equal(puan_sheet_row(c)->line, 3);
    puan_sheet_close(c);
    puan_sheet_close(s);
    done(&a, dir);
}

static void faults_name_file_and_line(void **state)
{
    struct puan_arena a;
    const char *dir = temp_dir(&a);
    const char *path = puan_arena_fmt(&a, "%s/x.csv", dir);
    struct puan_err err = { 0 };
    struct puan_sheet *s = NULL;
    bool more = false;
    int column = 0;

    (void)state;
    assert_int_equal(puan_sheet_open(&s, path, &err), PUAN_EIO);
    assert_non_null(strstr(err.where, "x.csv"));
    err = (struct puan_err){ 0 };
    assert_int_equal(puan_sheet_open(&s, dir, &err), PUAN_EIO);
    assert_int_equal(puan_file_write(path, PUAN_STR("a,b\n1,2\n1,2,3\n"), 0600,
                                     NULL),
                     PUAN_OK);
    err = (struct puan_err){ 0 };
    assert_int_equal(puan_sheet_open(&s, path, &err), PUAN_OK);
    assert_int_equal(puan_sheet_need(&column, s, "c", &err), PUAN_EINVAL);
    assert_non_null(strstr(err.text, "column named c"));
    err = (struct puan_err){ 0 };
    assert_int_equal(puan_sheet_next(&more, s, &err), PUAN_OK);
    assert_int_equal(puan_sheet_next(&more, s, &err), PUAN_EINVAL);
    assert_int_equal(err.line, 3);
    puan_sheet_close(s);
    assert_int_equal(puan_file_write(path, PUAN_STR(""), 0600, NULL), PUAN_OK);
    assert_int_equal(puan_sheet_open(&s, path, &err), PUAN_EINVAL);
    done(&a, dir);
}

static void an_abandoned_file_leaves_nothing(void **state)
{
    struct puan_arena a;
    const char *dir = temp_dir(&a);
    const char *path = puan_arena_fmt(&a, "%s/x.csv", dir);
    struct puan_sheet_out *o = NULL;
    const char **names = NULL;
    size_t n = 1;

    (void)state;
    assert_int_equal(puan_sheet_create(&o, path, NULL), PUAN_OK);
    puan_sheet_put_text(o, "x");
    puan_sheet_abandon(o);
    assert_int_equal(puan_dir_list(&names, &n, dir, &a, NULL), PUAN_OK);
    assert_int_equal(n, 0);
    done(&a, dir);
}

/* By a link, so that a fault costs the machine no device. */
static void a_device_is_written_to_and_stays(void **state)
{
    struct puan_arena a;
    const char *dir = temp_dir(&a);
    const char *path = puan_arena_fmt(&a, "%s/full", dir);
    struct puan_sheet_out *o = NULL;

    (void)state;
    assert_int_equal(symlink("/dev/full", path), 0);
    assert_int_equal(puan_sheet_create(&o, path, NULL), PUAN_OK);
    puan_sheet_put_text(o, "x");
    puan_sheet_end_row(o);
    assert_int_equal(puan_sheet_finish(o, NULL), PUAN_EWRITE);
    assert_false(puan_file_replaceable(path));
    done(&a, dir);
}

static void a_full_disk_is_reported_and_leaves_no_file(void **state)
{
    struct puan_sheet_out *o = NULL;
    struct puan_err err = { 0 };

    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    /* /dev/full.part cannot be made by most users: either way it is EIO */
    if (puan_sheet_create(&o, "/dev/full/x", &err) == PUAN_OK) {
        puan_sheet_put_text(o, "x");
        assert_int_equal(puan_sheet_finish(o, &err), PUAN_EWRITE);
    } else {
        assert_int_equal(err.code, PUAN_EWRITE);
    }
}

enum { PARTS = 500, HANDS = 4 };

struct hand {
    struct puan_sheet_parts *parts;
    int first;
    pthread_t thread;
};

/* Every fourth part, the last first. */
static void *puts_parts(void *arg)
{
    struct hand *h = arg;
    char row[32];

    for (int i = PARTS - HANDS + h->first; i >= 0; i -= HANDS) {
        int n = i % 7 == 0 ? 0 : snprintf(row, sizeof row, "%d,x\n", i);

        if (puan_sheet_parts_put(h->parts, (size_t)i,
                                 (struct puan_str){ row, (size_t)n }, NULL) !=
            PUAN_OK)
            abort();
    }
    return NULL;
}

static void parts_of_many_threads_stand_in_order(void **state)
{
    const char *dir, *path;
    struct puan_sheet_out *o;
    struct hand hand[HANDS];
    struct puan_arena a;
    struct puan_str text;
    struct puan_out want;
    char row[32];

    (void)state;
    puan_arena_init(&a, puan_os_alloc());
    assert_int_equal(puan_dir_temp(&dir, &a, NULL), PUAN_OK);
    path = puan_arena_fmt(&a, "%s/parts.csv", dir);
    assert_int_equal(puan_sheet_create(&o, path, NULL), PUAN_OK);
    assert_int_equal(puan_sheet_parts_open(&hand[0].parts, o, PARTS, NULL),
                     PUAN_OK);
    for (int k = 0; k < HANDS; k++) {
        hand[k].parts = hand[0].parts;
        hand[k].first = k;
        assert_int_equal(
            pthread_create(&hand[k].thread, NULL, puts_parts, &hand[k]), 0);
    }
    for (int k = 0; k < HANDS; k++)
        assert_int_equal(pthread_join(hand[k].thread, NULL), 0);
    puan_sheet_parts_close(hand[0].parts);
    assert_int_equal(puan_sheet_finish(o, NULL), PUAN_OK);
    puan_out_init(&want, &a);
    for (int i = 0; i < PARTS; i++)
        if (i % 7 != 0) {
            snprintf(row, sizeof row, "%d,x\n", i);
            puan_out_text(&want, row);
        }
    assert_int_equal(puan_file_read(&text, path, 0, &a, NULL), PUAN_OK);
    assert_true(puan_str_eq(text, puan_out_view(&want)));
    /* a part that never came holds back what follows, and is let go */
    assert_int_equal(puan_sheet_create(&o, path, NULL), PUAN_OK);
    assert_int_equal(puan_sheet_parts_open(&hand[0].parts, o, 2, NULL),
                     PUAN_OK);
    assert_int_equal(
        puan_sheet_parts_put(hand[0].parts, 1, PUAN_STR("late\n"), NULL),
        PUAN_OK);
    puan_sheet_parts_close(hand[0].parts);
    assert_int_equal(puan_sheet_finish(o, NULL), PUAN_OK);
    assert_int_equal(puan_file_read(&text, path, 0, &a, NULL), PUAN_OK);
    assert_int_equal(text.n, 0);
    done(&a, dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_mark_leads_back_to_its_row_also_in_a_clone),
        cmocka_unit_test(faults_name_file_and_line),
        cmocka_unit_test(an_abandoned_file_leaves_nothing),
        cmocka_unit_test(a_full_disk_is_reported_and_leaves_no_file),
        cmocka_unit_test(a_device_is_written_to_and_stays),
        cmocka_unit_test(parts_of_many_threads_stand_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
