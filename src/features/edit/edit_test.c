/*
 * The edit command as a user meets it, over a plain file whose rules part it
 * into households: what is changed and how, what cannot be repaired, what the
 * budget leaves open, the same list with one thread and several, and the data
 * as they were.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "features/edit/edit.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

#define HOUSEHOLDS 3000

struct fix {
    struct puan_arena a;
    const char *dir, *data, *rules, *out, *rates;
};

static const char rule_text[] =
    "level household by hh\n"
    "rule a hard person zh \"a\" en \"a\" check sex in {1, 2}\n"
    "rule b hard person zh \"b\" en \"b\"\n"
    "  fail when age < 15 and marital != 0 or age >= 15 and marital = 0\n"
    "rule c hard household zh \"c\" en \"c\"\n"
    "  check count(person where rel = 0) = 1\n"
    "rule d hard household zh \"d\" en \"d\" check count(person) <= 4\n"
    "rule e soft person zh \"e\" en \"e\" check age < 40\n";

static const char *write_file(struct fix *f, const char *name,
                              const struct puan_out *o)
{
    const char *path = puan_arena_fmt(&f->a, "%s/%s", f->dir, name);

    assert_int_equal(puan_file_write(path, puan_out_view(o), 0600, NULL),
                     PUAN_OK);
    return path;
}

/*
 * Household 7: a child is married.  11: two heads.  20: five persons, which no
 * answer can mend.  1500: sex is 3 and the child is a widow of 9.
 */
static int set_up(void **state)
{
    static struct fix f;
    struct puan_out d, r;

    puan_arena_init(&f.a, &puan_heap);
    assert_int_equal(puan_dir_temp(&f.dir, &f.a, NULL), PUAN_OK);
    puan_out_init(&d, &f.a);
    puan_out_init(&r, &f.a);
    puan_out_text(&d, "hh,rel,sex,age,marital\n");
    for (int i = 1; i <= HOUSEHOLDS; i++) {
        puan_out_fmt(&d, "%d,0,%d,40,2\n", i, i == 1500 ? 3 : 1);
        puan_out_fmt(&d, "%d,%d,2,38,2\n", i, i == 11 ? 0 : 1);
        puan_out_fmt(&d, "%d,2,1,%d,%d\n", i, i == 1500 ? 9 : 10,
                     i == 7      ? 3
                     : i == 1500 ? 4
                                 : 0);
        for (int k = 0; i == 20 && k < 2; k++)
            puan_out_fmt(&d, "%d,2,1,5,0\n", i);
    }
    puan_out_text(&r, rule_text);
    f.data = write_file(&f, "persons.csv", &d);
    f.rules = write_file(&f, "my.rules", &r);
    f.out = puan_arena_fmt(&f.a, "%s/changes.csv", f.dir);
    f.rates = puan_arena_fmt(&f.a, "%s/rates.csv", f.dir);
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

static int edit(struct fix *f, const char *const *arguments)
{
    char *argv[24] = { 0 };
    int argc = 0, code, out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);

    argv[argc++] = (char *)(uintptr_t) "edit";
    while (*arguments)
        argv[argc++] = (char *)(uintptr_t)*arguments++;
    fflush(stdout);
    assert_non_null(
        freopen(puan_arena_fmt(&f->a, "%s/stdout", f->dir), "w", stdout));
    assert_non_null(
        freopen(puan_arena_fmt(&f->a, "%s/stderr", f->dir), "w", stderr));
    code = puan_feature_edit.commands[0].run(argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    return code;
}

static struct puan_str text_of(struct fix *f, const char *path)
{
    struct puan_str s = { 0 };

    assert_int_equal(puan_file_read(&s, path, 0, &f->a, NULL), PUAN_OK);
    return s;
}

static struct puan_str printed(struct fix *f, const char *which)
{
    return text_of(f, puan_arena_fmt(&f->a, "%s/%s", f->dir, which));
}

static void changes_are_least_and_say_how(void **state)
{
    struct fix *f = *state;
    const char *one[] = { "--rules",  f->rules, "--out",     f->out,
                          "--rates",  f->rates, "--threads", "1",
                          "--weight", "age=3",  "--quiet",   f->data,
                          NULL };
    const char *many[] = { "--rules",   f->rules, "--out",    f->out,
                           "--threads", "4",      "--weight", "age=3",
                           "--quiet",   f->data,  NULL };
    struct puan_str before = text_of(f, f->data), want, rates;

    assert_int_equal(edit(f, one), PUAN_EXIT_FINDINGS);
    want = text_of(f, f->out);
    assert_non_null(strstr(
        want.p,
        "7,repaired,person,3,21,marital,given,3,given,0,deductive,,1\n"));
    assert_non_null(strstr(want.p, "\n20,impossible,"));
    assert_non_null(strstr(want.p,
                           "\n1500,repaired,person,1,4500,sex,given,3,given,1,"
                           "donor,"));
    assert_non_null(strstr(want.p,
                           "\n1500,repaired,person,3,4502,marital,given,"
                           "4,given,0,deductive,,1\n"));
    /* one of the two heads is somebody else, and nothing more is changed */
    assert_non_null(strstr(want.p, "\n11,repaired,person,"));
    assert_non_null(strstr(want.p, ",rel,given,0,given,"));
    assert_non_null(strstr(printed(f, "stdout").p,
                           "repaired: 3 (4 answers, weight 4, each proved "
                           "least), impossible: 1, undecided: 0"));
    rates = text_of(f, f->rates);
    assert_non_null(strstr(rates.p, ",,,3000,2996,3,1,0,"));
    assert_non_null(
        strstr(rates.p, ",person,marital,3000,2996,3,1,0,9002,2,2,2,0,0,0,0"));
    assert_int_equal(edit(f, many), PUAN_EXIT_FINDINGS);
    assert_string_equal(text_of(f, f->out).p, want.p);
    assert_string_equal(text_of(f, f->data).p, before.p);
}

/* The files with the changes in them pass; those they came from stay. */
static void cleaned_files_pass(void **state)
{
    struct fix *f = *state;
    const char *dir = puan_arena_fmt(&f->a, "%s/clean", f->dir);
    const char *cleaned = puan_arena_fmt(&f->a, "%s/persons.csv", dir);
    const char *write[] = { "--rules", f->rules,  "--clean", dir, "--weight",
                            "age=3",   "--quiet", f->data,   NULL };
    const char *over[] = { "--rules", f->rules, "--clean", f->dir,
                           "--quiet", f->data,  NULL };
    const char *again[] = { "--rules", f->rules, "--quiet", cleaned, NULL };
    struct puan_str before = text_of(f, f->data);

    assert_int_equal(edit(f, write), PUAN_EXIT_FINDINGS);
    assert_non_null(
        strstr(text_of(f, cleaned).p, "\n1500,0,1,40,2,sex:donor\n"));
    assert_non_null(strstr(text_of(f, cleaned).p, "\n1501,0,1,40,2,\n"));
    assert_int_equal(edit(f, again), PUAN_EXIT_FINDINGS); /* household 20 */
    assert_non_null(strstr(printed(f, "stdout").p,
                           "repaired: 0 (0 answers, weight 0, each proved "
                           "least), impossible: 1,"));
    assert_int_equal(edit(f, over), PUAN_EXIT_REFUSED);
    assert_non_null(strstr(printed(f, "stderr").p, "never written over"));
    assert_string_equal(text_of(f, f->data).p, before.p);
}

static void weights_decide_what_is_changed(void **state)
{
    struct fix *f = *state;
    const char *kept[] = { "--rules",   f->rules,  "--out", f->out, "--weight",
                           "marital=0", "--quiet", f->data, NULL };
    const char *wrong[] = { "--rules", f->rules, "--weight",
                            "hh=2",    f->data,  NULL };
    const char *nobody[] = { "--rules", f->rules, "--weight",
                             "size=2",  f->data,  NULL };

    assert_int_equal(edit(f, kept), PUAN_EXIT_FINDINGS);
    assert_null(strstr(text_of(f, f->out).p, ",marital,"));
    assert_non_null(strstr(text_of(f, f->out).p,
                           "7,repaired,person,3,21,age,given,10,given,"));
    assert_int_equal(edit(f, wrong), PUAN_EXIT_INPUT);
    assert_non_null(strstr(printed(f, "stderr").p, "cannot be changed"));
    assert_int_equal(edit(f, nobody), PUAN_EXIT_INPUT);
    assert_non_null(strstr(printed(f, "stderr").p, "no item 'size'"));
}

static void a_small_budget_leaves_undecided(void **state)
{
    struct fix *f = *state;
    const char *args[] = { "--rules", f->rules, "--out", f->out, "--budget",
                           "1",       "--json", f->data, NULL };

    assert_int_equal(edit(f, args), PUAN_EXIT_FINDINGS);
    assert_non_null(strstr(printed(f, "stdout").p, "\"repaired\":0"));
    assert_non_null(strstr(printed(f, "stdout").p, "\"undecided\":3"));
    assert_non_null(strstr(text_of(f, f->out).p, "\n7,undecided,"));
    /* what fails whatever is changed is proved at once */
    assert_non_null(strstr(text_of(f, f->out).p, "\n20,impossible,"));
}

static void what_cannot_be_used_says_why(void **state)
{
    struct fix *f = *state;
    const char *none[] = { f->data, NULL };
    const char *by[] = { "--rules", f->rules, "--by", "sex", f->data, NULL };
    const char *unit[] = { "--rules", f->rules, "--unit", "ea", f->data, NULL };

    assert_int_equal(edit(f, none), PUAN_EXIT_USAGE);
    assert_int_equal(edit(f, by), PUAN_EXIT_INPUT);
    assert_non_null(strstr(printed(f, "stderr").p, "no item of the household"));
    assert_int_equal(edit(f, unit), PUAN_EXIT_INPUT);
    assert_non_null(strstr(printed(f, "stderr").p, "no level 'ea'"));
}

/*
 * A reference table says how old the oldest of a town is; a rule over the town
 * cannot say whose answer is wrong, and is named.
 */
static void tables_of_rules_get_data_and_wider_rules_are_named(void **state)
{
    static const char text[] =
        "level town by town\nlevel household by town, hh\n"
        "table oldest by town gives most\n"
        "rule L hard person zh \"l\" en \"l\" check age <= oldest.most\n"
        "rule T hard town zh \"t\" en \"t\" check count(person) > 100\n"
        "rule S soft town zh \"s\" en \"s\" check count(person) > 100\n";
    struct fix *f = *state;
    struct puan_out d, r, l;
    const char *data, *rules, *lookup;

    puan_out_init(&d, &f->a);
    puan_out_init(&r, &f->a);
    puan_out_init(&l, &f->a);
    puan_out_text(&d, "town,hh,age\n1,1,60\n1,1,95\n1,2,61\n2,1,95\n");
    puan_out_text(&r, text);
    puan_out_text(&l, "town,most\n1,90\n2,99\n");
    data = write_file(f, "towns.csv", &d);
    rules = write_file(f, "towns.rules", &r);
    lookup = puan_arena_fmt(&f->a, "oldest=%s", write_file(f, "oldest.csv", &l));
    {
        const char *none[] = { "--rules", rules, data, NULL };
        const char *with[] = { "--rules", rules, "--lookup", lookup, "--out",
                               f->out,    data,  NULL };
        const char *json[] = { "--rules", rules, "--lookup", lookup,
                               "--json",  data,  NULL };
        const char *wrong[] = { "--rules", rules, "--lookup", "new=x.csv",
                                data,      NULL };

        assert_int_equal(edit(f, none), PUAN_EXIT_INPUT);
        assert_non_null(strstr(printed(f, "stderr").p,
                               "towns.rules:3:7: table 'oldest' has no data: "
                               "give it with --lookup oldest=FILE.csv"));
        assert_int_equal(edit(f, wrong), PUAN_EXIT_INPUT);
        assert_int_equal(edit(f, with), PUAN_EXIT_FINDINGS);
        /* the person of 95 in town 1 alone, and by the table's value */
        assert_non_null(strstr(text_of(f, f->out).p, ",repaired,person,2,"));
        assert_null(strstr(text_of(f, f->out).p, "2-1,"));
        assert_non_null(strstr(printed(f, "stderr").p, "1 hard rules"));
        assert_non_null(
            strstr(printed(f, "stderr").p, "has no level 'town'\n    T\n"));
        assert_int_equal(edit(f, json), PUAN_EXIT_FINDINGS);
        assert_non_null(strstr(printed(f, "stdout").p,
                               "\"left_out\":[{\"rule\":\"T\""));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_least_and_say_how),
        cmocka_unit_test(cleaned_files_pass),
        cmocka_unit_test(weights_decide_what_is_changed),
        cmocka_unit_test(a_small_budget_leaves_undecided),
        cmocka_unit_test(what_cannot_be_used_says_why),
        cmocka_unit_test(tables_of_rules_get_data_and_wider_rules_are_named),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
