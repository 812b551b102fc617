/*
 * Runs the cases of this folder natively.  One test a file; every mismatch is
 * shown before the test fails.
 */
#include "core/rule/test_help.h"

#include <dirent.h>

#include "case.h"

#define FOLDER "test/vectors/"

static size_t cases;

/* The next line that is not a comment; false at the end. */
static bool next_line(struct puan_str *line, struct puan_str *rest,
                      unsigned *number)
{
    while (puan_str_split(line, rest, '\n')) {
        ++*number;
        *line = puan_str_trim(*line);
        if (line->n > 0 && line->p[0] != '#')
            return true;
    }
    return false;
}

static void run_file(void **state)
{
    const char *path = *state;
    struct puan_arena keep, a;
    struct puan_str rest, line, program, input = PUAN_STR("{}");
    struct puan_form *form = NULL;
    unsigned number = 0, bad = 0, n = 0;

    puan_arena_init(&keep, &puan_test_heap);
    puan_arena_init(&a, &puan_test_heap);
    rest = help_read(path, &keep);
    while (next_line(&line, &rest, &number)) {
        const char *got;
        unsigned at = number;

        if (puan_str_starts(line, "form ")) {
            line.p += 5;
            line.n -= 5;
            form = help_form(
                puan_arena_fmt(&keep, FOLDER "forms/%.*s.json", PUAN_FMT(line)),
                &keep);
            continue;
        }
        program = line;
        if (!form || !next_line(&line, &rest, &number))
            fail_msg("%s:%u: a case has three lines, after 'form NAME'", path,
                     number);
        if (!puan_str_is(line, "="))
            input = line;
        if (!next_line(&line, &rest, &number))
            fail_msg("%s:%u: a case has three lines", path, number);
        puan_arena_reset(&a);
        got = puan_vector_case(form, program, input, &a);
        n++;
        if (puan_str_is(line, got))
            continue;
        bad++;
        print_message("%s:%u: %.*s\n  gives    %s\n  expected %.*s\n", path, at,
                      PUAN_FMT(program), got, PUAN_FMT(line));
    }
    cases += n;
    puan_arena_clear(&a);
    puan_arena_clear(&keep);
    if (bad)
        fail_msg("%u of %u cases", bad, n);
    assert_true(n > 0);
}

static void there_are_enough_cases(void **state)
{
    (void)state;
    print_message("%zu cases\n", cases);
    assert_true(cases >= 300);
}

int main(void)
{
    struct CMUnitTest tests[64] = { 0 };
    static char paths[64][300];
    size_t n = 0;
    DIR *d = opendir(FOLDER);

    if (!d) {
        fprintf(stderr, "cannot open " FOLDER ": run from the source root\n");
        return 1;
    }
    for (struct dirent *e; (e = readdir(d)) && n < 63;) {
        size_t len = strlen(e->d_name);

        if (len < 5 || strcmp(e->d_name + len - 4, ".vec") != 0)
            continue;
        snprintf(paths[n], sizeof(paths[n]), FOLDER "%s", e->d_name);
        tests[n] =
            (struct CMUnitTest){ paths[n], run_file, NULL, NULL, paths[n] };
        n++;
    }
    closedir(d);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(there_are_enough_cases);
    return _cmocka_run_group_tests("vectors", tests, n, NULL, NULL);
}
