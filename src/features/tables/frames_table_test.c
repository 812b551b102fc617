/*
 * puan table over CSV as a user meets it: files written, exit codes, a
 * programme, a workbook that opens, large and disordered tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "features/host/feature.h"
#include "features/tables/tabulate.h"
#include "kit/os/os.h"

static struct puan_arena a;
static const char *dir;

static const char *in(const char *name)
{
    return puan_arena_fmt(&a, "%s/%s", dir, name);
}

static void put(const char *name, const char *text)
{
    assert_int_equal(puan_file_write(in(name), puan_str_of(text), 0644, NULL),
                     PUAN_OK);
}

static const char *get(const char *name)
{
    struct puan_str s;

    assert_int_equal(puan_file_read(&s, in(name), 0, &a, NULL), PUAN_OK);
    return s.p;
}

static int run(const char *const *word)
{
    char *argv[32];
    int n = 0;

    for (; word[n]; n++) {
        argv[n] = malloc(strlen(word[n]) + 1);
        assert_non_null(argv[n]);
        strcpy(argv[n], word[n]);
    }
    argv[n] = NULL;
    {
        int code = puan_table_frames(n, argv);

        for (int i = 0; i < n; i++)
            free(argv[i]);
        return code;
    }
}
#define TABLE(...)                                                             \
    run((const char *const[]){ "table", __VA_ARGS__, "--quiet", NULL })

static const char persons[] = "region,hh,age,sex,rooms\n"
                              "110101,1,34,1,3\n"
                              "110101,1,33,2,3\n"
                              "110101,1,2,2,3\n"
                              "110101,2,70,1,1\n"
                              "110102,1,15,1,2\n"
                              "110102,1,,2,2\n"
                              "110102,2,61,2,\n";

static int set_up(void **state)
{
    (void)state;
    puan_arena_init(&a, puan_os_alloc());
    assert_int_equal(puan_dir_temp(&dir, &a, NULL), PUAN_OK);
    put("p.csv", persons);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(puan_dir_remove(dir, NULL), PUAN_OK);
    puan_arena_clear(&a);
    return 0;
}

static void cells_margins_and_states(void **state)
{
    (void)state;
    assert_int_equal(TABLE(in("p.csv"), "--by",
                           "region, bands(age, 0, 15, 60) as age3", "--out",
                           in("t.csv"), "--totals"),
                     0);
    assert_string_equal(get("t.csv"), "region,age3,n\n"
                                      "110101,0-14,1\n"
                                      "110101,15-59,2\n"
                                      "110101,60+,1\n"
                                      "110102,15-59,1\n"
                                      "110102,60+,1\n"
                                      "110102,_U,1\n"
                                      "_T,0-14,1\n"
                                      "_T,15-59,3\n"
                                      "_T,60+,2\n"
                                      "_T,_U,1\n"
                                      "110101,_T,4\n"
                                      "110102,_T,3\n"
                                      "_T,_T,7\n");
}

static void households_from_levels(void **state)
{
    (void)state;
    assert_int_equal(
        TABLE(in("p.csv"), "--level", "household=region,hh", "--of",
              "household", "--by", "region", "--show",
              "count as houses, count of person as persons, "
              "rate(persons / houses) as size, "
              "count where count(person where age < 15) > 0 as kids, "
              "median(count(person)) as half",
              "--out", in("t.csv")),
        0);
    assert_string_equal(get("t.csv"), "region,houses,persons,size,kids,half\n"
                                      "110101,2,4,2.0000,1,2.0\n"
                                      "110102,2,3,1.5000,0,1.5\n");
}

static const char programme[] =
    "programme: p\nzh: 试\nen: Trial\n"
    "levels: {household: [region, hh]}\n"
    "variables: {old: age >= 60}\n"
    "tables:\n"
    "  a:\n    zh: 各县人口\n    en: Persons by county\n"
    "    by: [{is: region, zh: 县, en: County}, "
    "{is: sex, codes: {1: {zh: 男, en: Male}, 2: {zh: 女, en: Female}}}]\n"
    "    totals: true\n"
    "  b:\n    of: household\n    by: [region]\n"
    "    show: [count, {is: \"sum(age) of person\", where: old, name: years}]\n";

static void a_programme_gives_files_and_a_workbook(void **state)
{
    (void)state;
    put("p.yaml", programme);
    assert_int_equal(TABLE(in("p.csv"), "--programme", in("p.yaml"), "--out",
                           in("out"), "--labels", "en"),
                     0);
    assert_string_equal(get("out/a.csv"),
                        "region,County,sex,sex label,n\n"
                        "110101,110101,1,Male,2\n"
                        "110101,110101,2,Female,2\n"
                        "110102,110102,1,Male,1\n"
                        "110102,110102,2,Female,2\n"
                        "_T,Total,1,Male,3\n"
                        "_T,Total,2,Female,4\n"
                        "110101,110101,_T,Total,4\n"
                        "110102,110102,_T,Total,3\n"
                        "_T,Total,_T,Total,7\n");
    assert_non_null(strstr(get("out/b.csv"), "110101,110101,2,70\n"));
    assert_non_null(strstr(get("out/b.csv"), "110102,110102,2,61\n"));
    assert_int_equal(TABLE(in("p.csv"), "--programme", in("p.yaml"), "--out",
                           in("t.xlsx")),
                     0);
    assert_memory_equal(get("t.xlsx"), "PK\3\4", 4);
    assert_int_equal(TABLE(in("p.csv"), "--programme", in("p.yaml"), "--format",
                           "sdmx", "--table", "a", "--out", in("s.csv")),
                     0);
    assert_non_null(strstr(get("s.csv"),
                           "STRUCTURE,STRUCTURE_ID,ACTION,REGION,SEX,MEASURE,"
                           "OBS_VALUE\n"
                           "dataflow,PUAN:A(1.0.0),I,110101,1,N,2\n"));
    assert_non_null(strstr(get("s.csv"), "I,_T,_T,N,7\n"));
}

static void wrong_input_is_named(void **state)
{
    (void)state;
    assert_int_equal(TABLE(in("p.csv")), PUAN_EXIT_USAGE);
    assert_int_equal(TABLE(in("p.csv"), "--by", "sex", "--format", "pdf"),
                     PUAN_EXIT_USAGE);
    assert_int_equal(TABLE(in("p.csv"), "--by", "sexx"), PUAN_EXIT_INPUT);
    assert_int_equal(TABLE(in("nothing.csv"), "--by", "sex"),
                     PUAN_EXIT_INPUT);
    put("bad.yaml", "tables:\n  a:\n    by: [sex]\n    shw: [count]\n");
    assert_int_equal(TABLE(in("p.csv"), "--programme", in("bad.yaml")),
                     PUAN_EXIT_INPUT);
}

/* 40,000 rows by three dimensions of many classes, in order and mixed. */
static void order_does_not_matter(void **state)
{
    enum { ROWS = 40000 };
    struct puan_out ordered, mixed;
    const char *one;

    (void)state;
    puan_out_init(&ordered, &a);
    puan_out_init(&mixed, &a);
    puan_out_text(&ordered, "area,age,code\n");
    puan_out_text(&mixed, "area,age,code\n");
    for (unsigned i = 0; i < ROWS; i++) {
        unsigned k = (unsigned)((uint64_t)i * 15485863 % ROWS);

        puan_out_fmt(&ordered, "%u,%u,%u\n", 1000 + i / 100 * 1000,
                     i * 7919 % 101, i * 104729 % 5000);
        puan_out_fmt(&mixed, "%u,%u,%u\n", 1000 + k / 100 * 1000,
                     k * 7919 % 101, k * 104729 % 5000);
    }
    assert_int_equal(puan_file_write(in("o.csv"), puan_out_view(&ordered), 0644,
                                     NULL),
                     PUAN_OK);
    assert_int_equal(puan_file_write(in("m.csv"), puan_out_view(&mixed), 0644,
                                     NULL),
                     PUAN_OK);
    assert_int_equal(TABLE(in("o.csv"), "--by", "area, age, code", "--out",
                           in("1.csv")),
                     0);
    assert_int_equal(TABLE(in("m.csv"), "--by", "area, age, code", "--out",
                           in("2.csv"), "--threads", "3"),
                     0);
    one = get("1.csv");
    assert_true(strlen(one) > 400000);
    assert_string_equal(one, get("2.csv"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_margins_and_states),
        cmocka_unit_test(households_from_levels),
        cmocka_unit_test(a_programme_gives_files_and_a_workbook),
        cmocka_unit_test(wrong_input_is_named),
        cmocka_unit_test(order_does_not_matter),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
