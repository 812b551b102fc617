/* Tests of kit/log: standard error is read back through a pipe. */
#include "kit/log/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static char got[16384];

static void grab(void (*fn)(void))
{
    int p[2], keep = dup(2);
    ssize_t n;

    assert_int_equal(pipe(p), 0);
    dup2(p[1], 2);
    fn();
    dup2(keep, 2);
    close(p[1]);
    close(keep);
    n = read(p[0], got, sizeof(got) - 1);
    got[n > 0 ? n : 0] = '\0';
    close(p[0]);
}

static void one(void)
{
    puan_log(PUAN_LOG_INFO, "commit", PUAN_LOG_I("acts", 17),
             PUAN_LOG_T("store", "370883"), PUAN_LOG_T("note", "a \"b\"\nc"));
    puan_log(PUAN_LOG_DEBUG, "hidden", PUAN_LOG_I("x", 1));
}

static void a_line_stays_one_line(void **state)
{
    (void)state;
    puan_log_level_set(PUAN_LOG_INFO);
    grab(one);
    assert_non_null(strstr(
        got, " info commit acts=17 store=370883 note=\"a \\\"b\\\"\\x0ac\"\n"));
    assert_null(strstr(got, "hidden"));
    assert_ptr_equal(strchr(got, '\n'), got + strlen(got) - 1);
}

static void lengthy(void)
{
    static char big[3000];

    memset(big, 'x', sizeof(big) - 1);
    puan_log(PUAN_LOG_ERROR, "big", PUAN_LOG_T("v", big));
}

static void a_long_line_is_cut_and_says_so(void **state)
{
    (void)state;
    grab(lengthy);
    assert_true(strlen(got) < 1024);
    assert_string_equal(got + strlen(got) - 4, "...\n");
}

static void flood(void)
{
    for (int i = 0; i < 2000; i++)
        puan_log(PUAN_LOG_ERROR, "f", PUAN_LOG_I("i", i));
}

/* 2,000 lines take far less than a second, but may fall into two. */
static void a_flood_does_not_fill_the_disk(void **state)
{
    size_t n = 0;

    (void)state;
    grab(flood);
    for (const char *p = got; (p = strchr(p, '\n')) != NULL; p++)
        n++;
    assert_true(n > 0 && n <= 100);
}

static void quietly(void)
{
    puan_log_level_set(PUAN_LOG_OFF);
    for (int i = 0; i < 5000; i++)
        puan_log(PUAN_LOG_DEBUG, "kept", PUAN_LOG_I("i", i));
}

/* Also what no level writes, newest to the end, in whole lines. */
static void what_is_kept_can_be_read(void **state)
{
    static char text[PUAN_LOG_KEPT + 1];
    size_t n;

    (void)state;
    puan_log_keep();
    grab(quietly);
    puan_log_level_set(PUAN_LOG_INFO);
    assert_string_equal(got, "");
    n = puan_log_kept(text, PUAN_LOG_KEPT);
    text[n] = '\0';
    assert_true(n > PUAN_LOG_KEPT / 4);
    assert_non_null(strstr(text, " debug kept i=4999\n"));
    assert_null(strstr(text, " debug kept i=0\n"));
    assert_int_equal(text[0], '2'); /* a year */
    n = puan_log_kept(text, 60);
    text[n] = '\0';
    assert_true(n > 0 && n <= 60);
    assert_int_equal(text[0], '2');
    assert_non_null(strstr(text, "i=4999\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_stays_one_line),
        cmocka_unit_test(a_long_line_is_cut_and_says_so),
        cmocka_unit_test(a_flood_does_not_fill_the_disk),
        cmocka_unit_test(what_is_kept_can_be_read),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
