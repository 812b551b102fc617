/*
 * The code command as a user meets it: a row for every row read, exit codes,
 * the same file whatever the number of threads, and faults with their place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "features/host/feature.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

#define ROWS 9000 /* more than a batch */

extern const struct puan_feature puan_feature_code;

struct fix {
    struct puan_arena a;
    const char *dir, *data, *out, *known;
};

static const char *write_text(struct fix *f, const char *name,
                              struct puan_str text)
{
    const char *path = puan_arena_fmt(&f->a, "%s/%s", f->dir, name);

    assert_int_equal(puan_file_write(path, text, 0600, NULL), PUAN_OK);
    return path;
}

static int set_up(void **state)
{
    static const char *const says[] = { "种水稻", "賣水果", "打工", "", "鑫" };
    static struct fix f;
    struct puan_out o;

    puan_arena_init(&f.a, &puan_heap);
    assert_int_equal(puan_dir_temp(&f.dir, &f.a, NULL), PUAN_OK);
    write_text(&f, "industry.txt",
               PUAN_STR("A 农业\n01 农业\n0111 稻谷种植 | 水稻\n"
                        "F 批发和零售业\n52 零售业\n5223 果品零售 | 水果\n"));
    write_text(&f, "words.txt",
               PUAN_STR("vague 打工\nrole grow 种\nrole retail 卖 零售\n"
                        "with 01 grow\nwith 52 retail\n"));
    write_text(&f, "traditional.txt", PUAN_STR("賣卖\n"));
    puan_out_init(&o, &f.a);
    puan_out_text(&o, "id,unit,what\n");
    for (int i = 0; i < ROWS; i++)
        puan_out_fmt(&o, "%d,\"a, b\",%s\n", i, says[i % 5]);
    f.data = write_text(&f, "data.csv", puan_out_view(&o));
    f.known = write_text(&f, "known.csv",
                         PUAN_STR("what,code\n种水稻,0111\n卖水果,5223\n"
                                  "打工,0111\n鑫,0111\n"));
    f.out = puan_arena_fmt(&f.a, "%s/coded.csv", f.dir);
    assert_false(f.a.failed);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fix *f = *state;

    assert_int_equal(puan_dir_remove(f->dir, NULL), PUAN_OK);
    puan_arena_clear(&f->a);
    return 0;
}

/* The exit code of a command; what it prints is in `printed`. */
static int run(struct fix *f, size_t command, const char *const *arguments,
               struct puan_str *printed)
{
    const struct puan_command *c = &puan_feature_code.commands[command];
    char *argv[24] = { 0 };
    const char *path = puan_arena_fmt(&f->a, "%s/stdout", f->dir);
    int argc = 0, code, keep = dup(1);
    FILE *to;

    argv[argc++] = (char *)(uintptr_t)c->name;
    for (; *arguments; arguments++)
        argv[argc++] = (char *)(uintptr_t)*arguments;
    fflush(stdout);
    to = freopen(path, "w", stdout);
    assert_non_null(to);
    code = c->run(argc, argv);
    fflush(stdout);
    assert_true(dup2(keep, 1) >= 0);
    close(keep);
    if (printed)
        assert_int_equal(puan_file_read(printed, path, 1 << 20, &f->a, NULL),
                         PUAN_OK);
    return code;
}

static struct puan_str read_out(struct fix *f)
{
    struct puan_str s;

    assert_int_equal(puan_file_read(&s, f->out, 8 << 20, &f->a, NULL), PUAN_OK);
    return s;
}

static bool has(struct puan_str s, const char *part)
{
    return memmem(s.p, s.n, part, strlen(part)) != NULL;
}

static void every_row_is_given_back_with_what_became_of_it(void **state)
{
    struct fix *f = *state;
    const char *args[] = { "--plan", f->dir,  "--text",  "what",
                           "--out",  f->out,  "--quiet", "--threads",
                           "1",      f->data, NULL };
    struct puan_str one, two;
    size_t lines = 0;

    assert_int_equal(run(f, 0, args, NULL), PUAN_EXIT_FINDINGS);
    one = read_out(f);
    for (size_t i = 0; i < one.n; i++)
        lines += one.p[i] == '\n';
    assert_int_equal(lines, ROWS + 1);
    assert_true(has(one, "id,unit,what,coding,code,name,score,like\n"));
    assert_true(has(one, "\n5,\"a, b\",种水稻,coded,0111,稻谷种植,"));
    assert_true(has(one, "\n6,\"a, b\",賣水果,coded,5223,果品零售,"));
    assert_true(has(one, "\n7,\"a, b\",打工,vague,,,,\n"));
    assert_true(has(one, "\n8,\"a, b\",,empty,,,,\n"));
    assert_true(has(one, "\n9,\"a, b\",鑫,unknown,,,,\n"));
    args[8] = "3";
    assert_int_equal(run(f, 0, args, NULL), PUAN_EXIT_FINDINGS);
    two = read_out(f);
    assert_true(puan_str_eq(one, two));
}

static void a_test_counts_what_is_right_of_the_surest(void **state)
{
    struct fix *f = *state;
    const char *args[] = { "--plan", f->dir,   "--text", "what", "--digits",
                           "4",      "--json", f->known, NULL };
    struct puan_str said;

    assert_int_equal(run(f, 1, args, &said), PUAN_EXIT_DONE);
    /* two of four are right, and the two surest are those */
    assert_true(has(said, "\"texts\":4"));
    assert_true(has(said, "\"right\":[100.00,66.67,50.00,50.00]"));
}

static void what_clerks_coded_goes_before_a_guess(void **state)
{
    struct fix *f = *state;
    const char *known = write_text(
        f, "clerks.csv",
        PUAN_STR("text,code,state\n賣水果，,0111,done\n种水稻,,vague\n"));
    const char *wrong =
        write_text(f, "wrong.csv", PUAN_STR("text,code\n种水稻,9999\n"));
    const char *args[] = { "--plan",  f->dir,  "--text",  "what",
                           "--out",   f->out,  "--known", known,
                           "--quiet", f->data, NULL };

    assert_int_equal(run(f, 0, args, NULL), PUAN_EXIT_FINDINGS);
    assert_true(has(read_out(f), "\n6,\"a, b\",賣水果,known,0111,稻谷种植,"
                                 "100.0,\n"));
    assert_true(has(read_out(f), "\n5,\"a, b\",种水稻,coded,0111,"));
    args[7] = wrong;
    assert_int_equal(run(f, 0, args, NULL), PUAN_EXIT_INPUT);
}

/* 果稻 is like one entry, but not so that a machine may decide. */
static void an_answer_that_is_not_sure_is_left_to_a_clerk(void **state)
{
    struct fix *f = *state;
    const char *data =
        write_text(f, "unsure.csv", PUAN_STR("text,code\n果稻,1\n卖水果,2\n"));
    const char *args[] = { "--plan", f->dir, "--text",  "text", "--out",
                           f->out,   data,   "--quiet", NULL,   NULL,
                           NULL };

    assert_int_equal(run(f, 0, args, NULL), PUAN_EXIT_FINDINGS);
    /* and the data's own columns keep their names */
    assert_true(
        has(read_out(f), "text,code,coding,coding_code,name,score,like\n"));
    assert_true(has(read_out(f), "\n果稻,1,doubtful,"));
    assert_true(has(read_out(f), "\n卖水果,2,coded,5223,"));
    args[8] = "--sure";
    args[9] = "0";
    assert_int_equal(run(f, 0, args, NULL), PUAN_EXIT_DONE);
    assert_true(has(read_out(f), "\n果稻,1,coded,"));
}

static void output_that_cannot_be_written_is_the_systems_fault(void **state)
{
    struct fix *f = *state;
    const char *nowhere = puan_arena_fmt(&f->a, "%s/no/such.csv", f->dir);
    const char *args[] = { "--plan", f->dir,  "--text",  "what", "--out",
                           nowhere,  f->data, "--quiet", NULL };

    assert_int_equal(run(f, 0, args, NULL), PUAN_EXIT_SYSTEM);
    args[5] = "/dev/full";
    assert_int_equal(run(f, 0, args, NULL), PUAN_EXIT_SYSTEM);
}

static void faults_have_their_exit_codes(void **state)
{
    struct fix *f = *state;
    const char *none[] = { f->data, NULL };
    const char *column[] = { "--plan", f->dir, "--text", "nothing",
                             "--out",  f->out, f->data,  NULL };
    const char *list[] = { "--plan", f->dir,  "--of", "trade", "--text",
                           "what",   "--out", f->out, f->data, NULL };

    assert_int_equal(run(f, 0, none, NULL), PUAN_EXIT_USAGE);
    assert_int_equal(run(f, 0, column, NULL), PUAN_EXIT_INPUT);
    assert_int_equal(run(f, 0, list, NULL), PUAN_EXIT_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_given_back_with_what_became_of_it),
        cmocka_unit_test(what_clerks_coded_goes_before_a_guess),
        cmocka_unit_test(a_test_counts_what_is_right_of_the_surest),
        cmocka_unit_test(an_answer_that_is_not_sure_is_left_to_a_clerk),
        cmocka_unit_test(output_that_cannot_be_written_is_the_systems_fault),
        cmocka_unit_test(faults_have_their_exit_codes),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
