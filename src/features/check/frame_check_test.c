/*
 * puan check over CSV files of any columns and over frames, as a user meets
 * it: the list of findings with the keys of levels, the same from a frame file
 * and with any number of threads, and what is said of rules and tables that do
 * not fit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "features/frame/frames.h"
#include "features/host/feature.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

extern const struct puan_feature puan_feature_check;

struct fix {
    struct puan_arena a;
    const char *dir, *csv, *rules, *geo, *out;
};

static const char rules_text[] =
    "level area by region\n"
    "level household by region, hh\n"
    "table geo by region gives control\n"
    "rule P1 hard person zh \"甲\" en \"Age\" check age <= 120\n"
    "rule P2 soft person zh \"乙\" en \"Young head\"\n"
    "  fail when row = 1 and age < 15\n"
    "rule H1 hard household zh \"丙\" en \"No adult\"\n"
    "  check any(person where age >= 18)\n"
    "rule A1 soft area zh \"丁\" en \"Control\" check count(person) = "
    "geo.control\n";

static const char *write_text(struct fix *f, const char *name, const char *text)
{
    const char *path = puan_arena_fmt(&f->a, "%s/%s", f->dir, name);

    assert_int_equal(puan_file_write(path, puan_str_of(text), 0600, NULL),
                     PUAN_OK);
    return path;
}

static int set_up(void **state)
{
    static struct fix f;

    puan_arena_init(&f.a, &puan_heap);
    assert_int_equal(puan_dir_temp(&f.dir, &f.a, NULL), PUAN_OK);
    f.csv = write_text(&f, "persons.csv",
                       "region,hh,age,sex\n"
                       "0101,1,40,1\n0101,1,130,2\n0101,2,12,1\n0101,2,9,2\n"
                       "0102,1,,1\n0102,1,3,2\n0102,3,50,1\n");
    f.rules = write_text(&f, "r.rules", rules_text);
    f.geo = write_text(&f, "geo.csv", "region,name,control\n0101,East,4\n"
                                      "0102,West,5\n");
    f.out = puan_arena_fmt(&f.a, "%s/findings.csv", f.dir);
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

/* The exit code of the command; what it prints goes to files. */
static int check(struct fix *f, const char *const *arguments)
{
    char *argv[24] = { 0 };
    int argc = 0, code, out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);

    argv[argc++] = (char *)(uintptr_t) "check";
    while (*arguments)
        argv[argc++] = (char *)(uintptr_t)*arguments++;
    fflush(stdout);
    assert_non_null(freopen(puan_arena_fmt(&f->a, "%s/stdout", f->dir), "w",
                            stdout));
    assert_non_null(freopen(puan_arena_fmt(&f->a, "%s/stderr", f->dir), "w",
                            stderr));
    code = puan_feature_check.commands[0].run(argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    return code;
}

static const char *text_of(struct fix *f, const char *path)
{
    struct puan_str s = { 0 };

    assert_int_equal(puan_file_read(&s, path, 0, &f->a, NULL), PUAN_OK);
    return puan_arena_dup(&f->a, s);
}

static const char *printed(struct fix *f, const char *which)
{
    return text_of(f, puan_arena_fmt(&f->a, "%s/%s", f->dir, which));
}

/* The household without an adult by its key; the one in doubt is not there. */
static const char want[] = "level,row,key,rule,severity,message\n"
                           "person,2,0101/1:2,P1,hard,Age\n"
                           "household,2,0101/2,H1,hard,No adult\n"
                           "person,3,0101/2:1,P2,soft,Young head\n"
                           "area,2,0102,A1,soft,Control\n";

static void findings_name_level_row_and_key(void **state)
{
    struct fix *f = *state;
    const char *geo = puan_arena_fmt(&f->a, "geo=%s", f->geo);
    const char *frame = puan_arena_fmt(&f->a, "%s/p.frame", f->dir);
    const char *a[] = { f->csv,    "--rules", f->rules, "--lookup", geo,
                        "--lang",  "en",      "--out",  f->out,     "--quiet",
                        "--threads", "1",     NULL };
    const char *b[] = { f->csv,    "--rules", f->rules, "--lookup", geo,
                        "--lang",  "en",      "--out",  f->out,     "--quiet",
                        "--threads", "3",     NULL };
    const char *c[] = { frame,    "--rules", f->rules, "--lookup", geo,
                        "--lang", "en",      "--out",  f->out,     "--quiet",
                        NULL };
    struct puan_frames *frames = NULL;
    struct puan_err err = { 0 };

    assert_int_equal(check(f, a), PUAN_EXIT_FINDINGS);
    assert_string_equal(text_of(f, f->out), want);
    assert_int_equal(check(f, b), PUAN_EXIT_FINDINGS);
    assert_string_equal(text_of(f, f->out), want);
    /* a frame file without the levels: they are made on the way */
    assert_int_equal(puan_frames_load(&frames, &f->csv, 1, NULL, &err),
                     PUAN_OK);
    assert_int_equal(puan_frames_write(frames, frame, &err), PUAN_OK);
    puan_frames_close(frames);
    assert_int_equal(check(f, c), PUAN_EXIT_FINDINGS);
    assert_string_equal(text_of(f, f->out), want);
}

static void counts_are_printed_for_machines(void **state)
{
    struct fix *f = *state;
    const char *geo = puan_arena_fmt(&f->a, "geo=%s", f->geo);
    const char *a[] = { f->csv, "--rules", f->rules, "--lookup", geo,
                        "--json", NULL };
    const char *out;

    assert_int_equal(check(f, a), PUAN_EXIT_FINDINGS);
    out = printed(f, "stdout");
    assert_non_null(strstr(out, "\"rows\":{\"area\":2,\"household\":4,"
                                "\"person\":7}"));
    assert_non_null(strstr(out, "\"findings\":4,\"hard\":2,\"soft\":2"));
    /* P1 of the person without an age, P2 and H1 of that household */
    assert_non_null(strstr(out, "\"not_evaluable\":3"));
    assert_non_null(strstr(out, "{\"rule\":\"H1\",\"severity\":\"hard\","
                                "\"entity\":\"household\",\"evaluated\":3,"
                                "\"not_evaluable\":1,\"findings\":1}"));
}

static void what_does_not_fit_is_told_with_the_remedy(void **state)
{
    struct fix *f = *state;
    const char *geo = puan_arena_fmt(&f->a, "geo=%s", f->geo);
    const char *twice = puan_arena_fmt(
        &f->a, "geo=%s",
        write_text(f, "twice.csv", "region,control\n0101,4\n0101,5\n"));
    const char *word = puan_arena_fmt(
        &f->a, "geo=%s", write_text(f, "word.csv", "region,control\n0101,x\n"));
    const char *wrong =
        write_text(f, "wrong.rules",
                   "rule P1 hard person zh \"x\" en \"x\" check agee = 1\n");
    const char *none[] = { f->csv, "--rules", f->rules, "--quiet", NULL };
    const char *other[] = { f->csv, "--rules", f->rules, "--lookup", geo,
                            "--lookup", "gee=x.csv", "--quiet", NULL };
    const char *same[] = { f->csv, "--rules", f->rules, "--lookup", twice,
                           "--quiet", NULL };
    const char *cell[] = { f->csv, "--rules", f->rules, "--lookup", word,
                           "--quiet", NULL };
    const char *name[] = { f->csv, "--rules", wrong, "--quiet", NULL };
    const char *usage[] = { "--rules", f->rules, NULL };

    assert_int_equal(check(f, none), PUAN_EXIT_INPUT);
    assert_non_null(strstr(printed(f, "stderr"),
                           "r.rules:3:7: table 'geo' has no data: give it "
                           "with --lookup geo=FILE.csv"));
    assert_int_equal(check(f, other), PUAN_EXIT_INPUT);
    assert_non_null(strstr(printed(f, "stderr"), "declares the table 'gee'"));
    assert_int_equal(check(f, same), PUAN_EXIT_INPUT);
    assert_non_null(strstr(printed(f, "stderr"),
                           "rows 1 and 2 of table 'geo' have the same keys"));
    assert_int_equal(check(f, cell), PUAN_EXIT_INPUT);
    assert_non_null(strstr(printed(f, "stderr"),
                           "word.csv:2:2: 'x' is no value of column "
                           "'control'"));
    assert_int_equal(check(f, name), PUAN_EXIT_INPUT);
    assert_non_null(strstr(printed(f, "stderr"), "wrong.rules:1:6: 'P1': "
                                                 "unknown name 'agee'"));
    assert_int_equal(check(f, usage), PUAN_EXIT_USAGE);
}

/* As the plan loader refuses them; what another row may pass is no reason. */
static void rules_that_contradict_each_other_are_refused(void **state)
{
    static const struct {
        const char *rules, *says; /* NULL: they stand */
    } all[] = {
        { "rule A hard person zh \"x\" en \"x\" check age > 30\n"
          "rule B hard person zh \"x\" en \"x\" check age < 20\n",
          "set.rules:1:6: the rules contradict each other: no complete row at "
          "all passes A " },
        { "rule A hard person zh \"x\" en \"x\" when sex = 1 check age > 30\n"
          "rule B hard person zh \"x\" en \"x\" when sex = 1 check age < 20\n",
          "no complete row with sex = 1 passes A " },
        /* only one of them a soft one, or one after the other */
        { "rule A hard person zh \"x\" en \"x\" check age > 30\n"
          "rule B soft person zh \"x\" en \"x\" check age < 20\n", NULL },
        { "rule A hard person zh \"x\" en \"x\" when sex = 1 check age > 30\n"
          "rule B hard person zh \"x\" en \"x\" when sex = 2 check age < 20\n",
          NULL },
        /* nothing seen passes, something may */
        { "rule A hard person zh \"x\" en \"x\" when sex = 1 check age > 300\n"
          "rule B hard person zh \"x\" en \"x\" when sex = 1 check age != 5\n",
          NULL },
        /* each is empty where the other is not */
        { "rule A hard person zh \"x\" en \"x\" when given(age) check "
          "missing(sex)\n"
          "rule B hard person zh \"x\" en \"x\" when given(sex) check "
          "missing(age)\n", NULL },
    };
    struct fix *f = *state;
    const char *csv =
        write_text(f, "set.csv", "sex,age\n1,25\n2,40\n1,31\n2,12\n");

    for (size_t i = 0; i < PUAN_COUNT(all); i++) {
        const char *rules = write_text(f, "set.rules", all[i].rules);
        const char *a[] = { csv, "--rules", rules, "--quiet", NULL };
        int code = check(f, a);

        if (all[i].says) {
            assert_int_equal(code, PUAN_EXIT_INPUT);
            assert_non_null(strstr(printed(f, "stderr"), all[i].says));
        } else {
            assert_int_equal(code, PUAN_EXIT_FINDINGS);
        }
    }
}

static void output_that_cannot_be_written_is_the_systems_fault(void **state)
{
    struct fix *f = *state;
    const char *csv = write_text(f, "set.csv", "sex,age\n1,25\n");
    const char *rules = write_text(
        f, "set.rules", "rule A hard person zh \"x\" en \"x\" check age > 0\n");
    const char *a[] = { csv, "--rules", rules, "--quiet", "--out",
                        puan_arena_fmt(&f->a, "%s/no/such", f->dir), NULL };

    assert_int_equal(check(f, a), PUAN_EXIT_SYSTEM);
    a[5] = "/dev/full";
    assert_int_equal(check(f, a), PUAN_EXIT_SYSTEM);
    a[5] = f->dir;
    assert_int_equal(check(f, a), PUAN_EXIT_SYSTEM);
}

static void settings_and_levels_may_come_from_the_call(void **state)
{
    struct fix *f = *state;
    const char *rules = write_text(
        f, "s.rules",
        "const oldest = 120\n"
        "rule P1 hard person zh \"x\" en \"x\" check age <= oldest\n"
        "rule H1 hard household zh \"x\" en \"x\" check count(person) < 3\n");
    const char *a[] = { f->csv,   "--rules", rules, "--level",
                        "household=region,hh", "--set", "oldest=140",
                        "--quiet", NULL };
    const char *b[] = { f->csv,   "--rules", rules, "--level",
                        "household=region,hh", "--quiet", NULL };

    assert_int_equal(check(f, a), PUAN_EXIT_DONE);
    assert_int_equal(check(f, b), PUAN_EXIT_FINDINGS);
}

/* A plain file with the items of a form: what it lacks is left out, and told. */
static void a_plan_runs_over_a_plain_file(void **state)
{
    struct fix *f = *state;
    const char *csv = write_text(f, "short.csv",
                                 "A3,hh,H1,D2,D4,D5,D8,D8a\n"
                                 "430102,1,1,0,1,1970-03,1,\n"
                                 "430102,1,1,1,3,1971-05,4,430102\n"
                                 "430103,1,1,1,2,1850-01,4,430102\n");
    const char *frame = puan_arena_fmt(&f->a, "%s/short.frame", f->dir);
    const struct puan_str digits[] = { PUAN_STR("A3"), PUAN_STR("D8a") };
    const struct puan_str keys[] = { PUAN_STR("A3"), PUAN_STR("hh"),
                                     PUAN_STR("H1") };
    const struct puan_frames_level level = { PUAN_STR("household"), keys, 3 };
    const struct puan_frames_options opt = { .digits = digits,
                                             .n_digits = 2,
                                             .level = &level,
                                             .n_levels = 1,
                                             .quiet = true };
    const char *a[] = { frame,     "--plan", "plans/cn-population-2020",
                        "--form",  "short",  "--json",
                        NULL };
    struct puan_frames *frames = NULL;
    struct puan_err err = { 0 };
    const char *out;

    assert_int_equal(puan_frames_make(&frames, frame, &csv, 1, &opt, NULL, &err),
                     PUAN_OK);
    puan_frames_close(frames);
    assert_int_equal(check(f, a), PUAN_EXIT_FINDINGS);
    out = printed(f, "stdout");
    /* too old; registered in its own county; no head */
    assert_non_null(strstr(out, "\"rule\":\"RP06\",\"severity\":\"hard\","
                                "\"entity\":\"person\",\"evaluated\":3,"
                                "\"not_evaluable\":0,\"findings\":1"));
    assert_non_null(strstr(out, "\"rule\":\"RP23\",\"severity\":\"hard\","
                                "\"entity\":\"person\",\"evaluated\":2,"
                                "\"not_evaluable\":0,\"findings\":1"));
    assert_non_null(strstr(out, "\"rule\":\"RH08\",\"severity\":\"hard\","
                                "\"entity\":\"household\",\"evaluated\":2,"
                                "\"not_evaluable\":0,\"findings\":1"));
    assert_null(strstr(out, "\"RP10\""));
    assert_non_null(strstr(printed(f, "stderr"), "do not apply to this frame"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_name_level_row_and_key),
        cmocka_unit_test(counts_are_printed_for_machines),
        cmocka_unit_test(what_does_not_fit_is_told_with_the_remedy),
        cmocka_unit_test(rules_that_contradict_each_other_are_refused),
        cmocka_unit_test(output_that_cannot_be_written_is_the_systems_fault),
        cmocka_unit_test(settings_and_levels_may_come_from_the_call),
        cmocka_unit_test(a_plan_runs_over_a_plain_file),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
