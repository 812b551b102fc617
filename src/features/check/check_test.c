/*
 * The check command as a user meets it: exit codes, the list of findings, the
 * same list whatever the order of rows and the number of threads.
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

#define HOUSEHOLDS 3000

extern const struct puan_feature puan_feature_check;

struct fix {
    struct puan_arena a;
    const char *dir, *household, *member, *shuffled, *out;
};

static const char *write_file(struct fix *f, const char *name,
                              const struct puan_out *o)
{
    const char *path = puan_arena_fmt(&f->a, "%s/%s", f->dir, name);

    assert_int_equal(puan_file_write(path, puan_out_view(o), 0600, NULL),
                     PUAN_OK);
    return path;
}

/* One member to a household; every 7th says two, every 5th has no sex. */
static int set_up(void **state)
{
    static struct fix f;
    struct puan_out h, m, s;

    puan_arena_init(&f.a, &puan_heap);
    assert_int_equal(puan_dir_temp(&f.dir, &f.a, NULL), PUAN_OK);
    puan_out_init(&h, &f.a);
    puan_out_init(&m, &f.a);
    puan_out_init(&s, &f.a);
    puan_out_text(&h, "household,members,dwelling\n");
    puan_out_text(&m, "household,full_name,place,sex,born,card,usual,tongue,"
                      "school\n");
    puan_out_text(&s, "household,full_name,place,sex,born,card,usual,tongue,"
                      "school\n");
    for (int i = 0; i < HOUSEHOLDS; i++) {
        int k = i * 1009 % HOUSEHOLDS; /* no divisor in common: each once */

        puan_out_fmt(&h, "10203%03d%04d,%d,4\n", i / 1000, i, i % 7 ? 1 : 2);
        puan_out_fmt(&m, "10203%03d%04d,Ana,1,%s,1980-01,A%d,1,01,2\n",
                     i / 1000, i, i % 5 ? "F" : "", i);
        puan_out_fmt(&s, "10203%03d%04d,Ana,1,%s,1980-01,A%d,1,01,2\n",
                     k / 1000, k, k % 5 ? "F" : "", k);
    }
    f.household = write_file(&f, "household.csv", &h);
    f.member = write_file(&f, "member.csv", &m);
    f.shuffled = write_file(&f, "shuffled.csv", &s);
    f.out = puan_arena_fmt(&f.a, "%s/findings.csv", f.dir);
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

/* The exit code of the command; what it prints goes to a file. */
static int run_command(struct fix *f, size_t command,
                       const char *const *arguments)
{
    char *argv[24] = { 0 };
    int argc = 0, code, out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);

    argv[argc++] = (char *)(uintptr_t)puan_feature_check.commands[command].name;
    while (*arguments)
        argv[argc++] = (char *)(uintptr_t)*arguments++;
    fflush(stdout);
    assert_non_null(freopen(puan_arena_fmt(&f->a, "%s/stdout", f->dir), "w",
                            stdout));
    assert_non_null(freopen(puan_arena_fmt(&f->a, "%s/stderr", f->dir), "w",
                            stderr));
    code = puan_feature_check.commands[command].run(argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    return code;
}

static int check(struct fix *f, const char *const *arguments)
{
    return run_command(f, 0, arguments);
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

#define PACK "--plan", "plans/zz-test", "--form", "household", "--quiet"

static void findings_are_listed_in_order_whatever_the_way(void **state)
{
    struct fix *f = *state;
    const char *one[] = { PACK,      "--threads", "1",       "--lang",
                          "en",      "--out",     f->out,    f->household,
                          f->member, NULL };
    const char *many[] = { PACK,      "--threads", "4",       "--lang",
                           "en",      "--out",     f->out,    f->household,
                           f->member, NULL };
    const char *mixed[] = {
        PACK, "--lang", "en", "--out", f->out,
        puan_arena_fmt(&f->a, "member=%s", f->shuffled), f->household, NULL
    };
    struct puan_str want, got;
    const char *line;
    int a = 0, b = 0;

    assert_int_equal(check(f, one), PUAN_EXIT_FINDINGS);
    want = text_of(f, f->out);
    for (line = want.p; (line = strstr(line, ",Z01,hard,")); line++)
        a++;
    for (line = want.p; (line = strstr(line, ",Z25,hard,")); line++)
        b++;
    assert_int_equal(a, (HOUSEHOLDS + 6) / 7);
    assert_int_equal(b, (HOUSEHOLDS + 4) / 5);
    assert_true(puan_str_starts(
        want, "household,row,line,rule,severity,message\n"
              "102030000000,0,2,Z01,hard,The number of usual members differs "
              "from the members who usually live here\n"
              "102030000000,1,2,Z25,hard,Sex is missing or invalid\n"
              "102030000005,1,7,Z25,hard,"));
    assert_int_equal(check(f, many), PUAN_EXIT_FINDINGS);
    got = text_of(f, f->out);
    assert_true(puan_str_eq(want, got));
    /* the shuffled file has other line numbers, and nothing else */
    assert_int_equal(check(f, mixed), PUAN_EXIT_FINDINGS);
    got = text_of(f, f->out);
    a = b = 0;
    for (line = got.p; (line = strstr(line, ",Z01,hard,")); line++)
        a++;
    for (line = got.p; (line = strstr(line, ",Z25,hard,")); line++)
        b++;
    assert_int_equal(a, (HOUSEHOLDS + 6) / 7);
    assert_int_equal(b, (HOUSEHOLDS + 4) / 5);
    assert_non_null(strstr(printed(f, "stderr").p, "not sorted"));
}

static void counts_are_printed_for_people_and_machines(void **state)
{
    struct fix *f = *state;
    const char *people[] = { PACK, f->household, f->member, NULL };
    const char *machine[] = { PACK, "--json", f->household, f->member, NULL };
    struct puan_node *tree = NULL;
    int64_t n = 0;

    assert_int_equal(check(f, people), PUAN_EXIT_FINDINGS);
    assert_non_null(strstr(printed(f, "stdout").p, "Z25"));
    assert_int_equal(check(f, machine), PUAN_EXIT_FINDINGS);
    assert_int_equal(puan_json_tree(&tree, printed(f, "stdout"), "stdout",
                                    &f->a, NULL),
                     PUAN_OK);
    assert_int_equal(puan_node_int(&n, tree, "findings", 0, 99999, NULL),
                     PUAN_OK);
    assert_int_equal(n, (HOUSEHOLDS + 6) / 7 + (HOUSEHOLDS + 4) / 5);
    assert_int_equal(puan_node_int(&n, puan_node_get(tree, "rows"), "member", 0,
                                   99999, NULL),
                     PUAN_OK);
    assert_int_equal(n, HOUSEHOLDS);
}

static void the_exit_code_says_what_happened(void **state)
{
    struct fix *f = *state;
    struct puan_out o;
    const char *clean, *broken, *rules;

    puan_out_init(&o, &f->a);
    puan_out_text(&o, "household,members,dwelling\n102030000001,0,4\n");
    clean = puan_arena_fmt(&f->a, "household=%s", write_file(f, "c.csv", &o));
    puan_out_text(&o, "102030000002,0\n");
    broken = puan_arena_fmt(&f->a, "household=%s", write_file(f, "b.csv", &o));
    puan_out_init(&o, &f->a);
    puan_out_text(&o, "rule Q1 hard household zh \"x\" en \"x\" check nobody = 1");
    rules = write_file(f, "q.rules", &o);
    {
        const char *a[] = { PACK, clean, NULL };
        const char *b[] = { PACK, broken, "--out", f->out, NULL };
        const char *c[] = { PACK, f->member, NULL };
        const char *d[] = { PACK, NULL };
        const char *e[] = { PACK, "--frob", "1", clean, NULL };
        const char *g[] = { PACK, "--rules", rules, clean, NULL };
        const char *h[] = { "--plan", "plans/none", "--form", "x", clean, NULL };

        assert_int_equal(check(f, a), PUAN_EXIT_DONE);
        (void)unlink(f->out);
        assert_int_equal(check(f, b), PUAN_EXIT_INPUT);
        assert_non_null(strstr(printed(f, "stderr").p, "b.csv:3: row has"));
        assert_false(puan_file_exists(f->out));
        assert_int_equal(check(f, c), PUAN_EXIT_INPUT);
        assert_non_null(strstr(printed(f, "stderr").p, "household"));
        assert_int_equal(check(f, d), PUAN_EXIT_USAGE);
        assert_int_equal(check(f, e), PUAN_EXIT_USAGE);
        assert_int_equal(check(f, g), PUAN_EXIT_INPUT);
        assert_non_null(strstr(printed(f, "stderr").p, "nobody"));
        assert_int_equal(check(f, h), PUAN_EXIT_INPUT);
    }
}

static void rules_that_contradict_each_other_are_refused(void **state)
{
    struct fix *f = *state;
    struct puan_out o;
    const char *rules;

    puan_out_init(&o, &f->a);
    puan_out_text(&o,
                  "rule Q1 hard member zh \"x\" en \"x\"\n"
                  "  when school = 2 check sex = \"F\"\n"
                  "rule Q2 hard member zh \"x\" en \"x\"\n"
                  "  when school = 2 check sex = \"M\"\n");
    rules = write_file(f, "contradict.rules", &o);
    {
        const char *a[] = { PACK,         "--rules", rules,
                            f->household, f->member, NULL };

        assert_int_equal(check(f, a), PUAN_EXIT_INPUT);
        assert_non_null(strstr(printed(f, "stderr").p,
                               "contradict.rules:1:6: the rules contradict "
                               "each other: no complete return with school = "
                               "2 passes Q1"));
    }
}

static void a_rule_is_explained_part_by_part(void **state)
{
    struct fix *f = *state;
    const char *a[] = { PACK,        "--lang",       "en",      "--explain",
                        "Z01",       "102030000007", f->household,
                        f->member,   NULL };
    const char *b[] = { PACK,        "--lang",       "en",      "--explain",
                        "Z25",       "102030000005:1", f->household,
                        f->member,   NULL };
    const char *c[] = { PACK,        "--explain", "Z25", "102030000005",
                        f->household, f->member,  NULL };
    const char *d[] = { PACK,        "--explain", "Z99", "102030000005",
                        f->household, f->member,  NULL };
    const char *e[] = { PACK,        "--explain", "Z01", "102039999999",
                        f->household, f->member,  NULL };

    assert_int_equal(check(f, a), PUAN_EXIT_FINDINGS);
    assert_non_null(strstr(printed(f, "stdout").p, "102030000007: finding"));
    assert_non_null(strstr(printed(f, "stdout").p, "false"));
    assert_int_equal(check(f, b), PUAN_EXIT_FINDINGS);
    assert_non_null(strstr(printed(f, "stdout").p, "given(sex)"));
    assert_int_equal(check(f, c), PUAN_EXIT_INPUT);
    assert_non_null(strstr(printed(f, "stderr").p, "102030000005:1"));
    assert_int_equal(check(f, d), PUAN_EXIT_INPUT);
    assert_non_null(strstr(printed(f, "stderr").p, "no rule Z99"));
    assert_int_equal(check(f, e), PUAN_EXIT_INPUT);
    assert_non_null(strstr(printed(f, "stderr").p, "no household"));
}

/* The households of an enumeration area against a roll that has one more. */
static void figures_of_areas_are_added_up_and_judged(void **state)
{
    struct fix *f = *state;
    struct puan_out h, l, g;
    const char *house, *roll, *given, *csv;
    int code;

    puan_out_init(&h, &f->a);
    puan_out_init(&l, &f->a);
    puan_out_init(&g, &f->a);
    puan_out_text(&h, "household,H1,H2a,H2b,H3m,H3f,H4m,H4f,H5,H6,H7\n");
    puan_out_text(&l, "household,status,mode,c1,c7,c12,c13\n");
    puan_out_text(&g, "area,figure,value\n370883001001001,long_drawn,3\n"
                      "370883,live_births,5\n");
    for (int i = 1; i <= 40; i++) {
        puan_out_fmt(&h, "370883001001001%03d,1,3,0,0,0,0,0,1,%d,3\n", i,
                     60 + i);
        puan_out_fmt(&l, "370883001001001%03d,ordinary,enumerator,3,0,0,0\n",
                     i);
    }
    puan_out_text(&l, "370883001001001041,ordinary,enumerator,1,0,1,0\n");
    house = puan_arena_fmt(&f->a, "short:household=%s",
                           write_file(f, "h40.csv", &h));
    roll = puan_arena_fmt(&f->a, "listing:%s", write_file(f, "roll.csv", &l));
    given = write_file(f, "given.csv", &g);
    csv = puan_arena_fmt(&f->a, "%s/figures.csv", f->dir);
    {
        const char *a[] = { "--sheet",   "ea",   "--lang", "en",
                            "--quiet",   "--figures", csv, "--given",
                            given,       house,  roll,     NULL };
        const char *bad[] = { "--sheet", "ea", "--quiet", "--given", f->out,
                              house,     NULL };

        code = run_command(f, 1, a);
        assert_int_equal(code, PUAN_EXIT_FINDINGS);
        assert_non_null(strstr(printed(f, "stdout").p,
                               "ea,370883001001001,RE01,hard,"));
        assert_non_null(strstr(printed(f, "stdout").p, ",RE04,soft,"));
        assert_null(strstr(printed(f, "stdout").p, ",RE02,"));
        assert_non_null(strstr(text_of(f, csv).p,
                               "ea,370883001001001,40,41,0,,120,0,121,0,"));
        puan_out_init(&g, &f->a);
        puan_out_text(&g, "area,figure,value\n37088300100,births,3\n");
        (void)write_file(f, "findings.csv", &g);
        assert_int_equal(run_command(f, 1, bad), PUAN_EXIT_INPUT);
        assert_non_null(strstr(printed(f, "stderr").p, "findings.csv:2:1:"));
    }
}

/* The same person in two areas; a register that knows one nobody entered. */
static void records_of_one_identity_are_judged_together(void **state)
{
    struct fix *f = *state;
    struct puan_out h, p, r;
    const char *house, *person, *reg;

    puan_out_init(&h, &f->a);
    puan_out_init(&p, &f->a);
    puan_out_init(&r, &f->a);
    puan_out_text(&h, "household,H1\n370883001001001001,1\n"
                      "370883001001002001,1\n");
    puan_out_text(&p, "household,D1,D2,D3,D4,D5,D6,D7,D8,D9,D11\n"
                      "370883001001001001,Zhang,0,11010519491231002X,2,1949-12,"
                      "01,1,1,1,4\n"
                      "370883001001002001,Zhang,0,11010519491231002x,2,1949-12,"
                      "01,1,3,3,6\n");
    puan_out_text(&r, "id_number,ea\n11010519491231002X,370883001001001\n"
                      "440524188001010014,370883001001001\n");
    house = puan_arena_fmt(&f->a, "short:household=%s",
                           write_file(f, "h2.csv", &h));
    person = puan_arena_fmt(&f->a, "short:person=%s",
                            write_file(f, "p2.csv", &p));
    reg = puan_arena_fmt(&f->a, "police=%s", write_file(f, "r2.csv", &r));
    {
        const char *a[] = { "--dossier", "identity", "--lang", "en",
                            "--quiet",   "--register", reg,    house,
                            person,      NULL };
        const char *out;

        assert_int_equal(run_command(f, 1, a), PUAN_EXIT_FINDINGS);
        out = printed(f, "stdout").p;
        assert_non_null(strstr(out, "RX01,hard,370883001001001001 "
                                    "370883001001002001,"));
        assert_non_null(strstr(out, "RX06,soft,"));
        assert_non_null(strstr(out, "RX07,soft,"));
        assert_null(strstr(out, "RX05,"));
        assert_non_null(strstr(out, "RX10,soft,,"));
        assert_null(strstr(strstr(out, "RX10") + 1, "RX10"));
        assert_null(strstr(out, "1949"));
        assert_null(strstr(out, "Zhang"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_are_listed_in_order_whatever_the_way),
        cmocka_unit_test(counts_are_printed_for_people_and_machines),
        cmocka_unit_test(the_exit_code_says_what_happened),
        cmocka_unit_test(rules_that_contradict_each_other_are_refused),
        cmocka_unit_test(a_rule_is_explained_part_by_part),
        cmocka_unit_test(figures_of_areas_are_added_up_and_judged),
        cmocka_unit_test(records_of_one_identity_are_judged_together),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
