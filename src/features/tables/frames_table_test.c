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

#include "core/table/programme.h"
#include "features/frame/frames.h"
#include "features/host/feature.h"
#include "features/tables/tabulate.h"
#include "kit/os/os.h"
#include "kit/yaml/yaml.h"

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

/* A look-up gives a region its class; one without a row is not known. */
static void lookups_are_read_for_tables(void **state)
{
    (void)state;
    put("class.rules", "table class by region gives kind\n"
                       "define town for person = class.kind / 100 = 1\n");
    put("class.csv", "region,kind,name\n110101,111,East\n");
    assert_int_equal(TABLE(in("p.csv"), "--by", "region", "--show",
                           "count where town as town, "
                           "count where known(town) as known",
                           "--rules", in("class.rules"), "--lookup",
                           puan_arena_fmt(&a, "class=%s", in("class.csv")),
                           "--out", in("t.csv")),
                     0);
    assert_string_equal(get("t.csv"), "region,town,known\n"
                                      "110101,4,4\n110102,0,0\n");
    /* without its data, and with data nobody asked for */
    assert_int_equal(TABLE(in("p.csv"), "--by", "region", "--show",
                           "count where town as town", "--rules",
                           in("class.rules"), "--out", in("t.csv")),
                     3);
    assert_int_equal(TABLE(in("p.csv"), "--by", "region", "--lookup",
                           puan_arena_fmt(&a, "class=%s", in("class.csv")),
                           "--out", in("t.csv")),
                     3);
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

/* What the classification has not is of no section, not of the last one. */
static void a_code_of_no_class_is_of_no_section(void **state)
{
    (void)state;
    put("u.csv", "unit,main\n1,111\n2,1610\n3,9999\n4,3\n5,9720\n");
    assert_int_equal(
        TABLE(in("u.csv"), "--class",
              "main=plans/cn-economic-2018:industry", "--by",
              "industry_section", "--out", in("s.csv")),
        PUAN_EXIT_DONE);
    assert_string_equal(get("s.csv"),
                        "industry_section,n\n0,2\nA,1\nC,1\nT,1\n");
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

/* One letter among ages makes them texts; their places are no ages. */
static void texts_are_not_taken_for_numbers(void **state)
{
    (void)state;
    put("t.csv", "id,age\n1,40\n2,5\n3,3O\n4,70\n");
    assert_int_equal(TABLE(in("t.csv"), "--show", "mean(age)"), 3);
    assert_int_equal(TABLE(in("t.csv"), "--by", "age >= 18"), 3);
    assert_int_equal(TABLE(in("t.csv"), "--by", "bands(age, 0, 15)"), 3);
    assert_int_equal(TABLE(in("t.csv"), "--show", "sum(number(age))"), 3);
    assert_int_equal(TABLE(in("t.csv"), "--by", "id", "--where", "age = \"5\"",
                           "--out", in("t.out")),
                     0);
    assert_string_equal(get("t.out"), "id,n\n2,1\n");
}

/* ---- the programme of the published county table ---------------------------
 */

#define COUNTY "plans/cn-population-2020/programmes/county-2020.yaml"

static const char houses[] = "household,A3,H1,H5,H6,H7\n"
                             "1,370881,1,1,100,4\n"
                             "2,370881,1,1,61,2\n"
                             "3,370881,2,2,,\n"
                             "4,370883,1,1,90,3\n"
                             "5,370883,1,5,,\n";
/* three generations; a couple, one of them away; a dormitory; a grandmother
   with a grandchild; a man of whom nobody knows where he belongs */
static const char people[] =
    "household,D2,D4,D5,D6,D7,D8,D8a,D9,D11,D12\n"
    "1,0,1,1980-05,01,1,1,,1,5,1\n"
    "1,1,2,1982-11,01,1,1,,1,5,1\n"
    "1,2,2,2014-10,01,1,1,,1,3,\n"
    "1,3,2,1955-10,02,1,1,,1,3,2\n"
    "2,0,1,1990-01,01,1,3,,4,7,1\n"
    "2,1,2,1991-01,01,5,1,,4,6,1\n"
    "3,9,1,2001-03,01,1,4,370102,3,5,1\n"
    "3,9,1,2000-03,01,1,4,410102,3,6,1\n"
    "3,9,2,2000-07,01,1,4,410102,2,6,1\n"
    "4,0,2,1950-02,01,1,1,,1,1,2\n"
    "4,7,1,2019-11,01,1,1,,1,,\n"
    "5,0,1,1970-06,01,,1,,1,4,1\n";

/* Both files as one frame: households and their persons. */
struct family {
    struct puan_frames *part[2];
    struct puan_frame frame;
    struct puan_frame_entity entity[2];
    uint32_t first[16];
};

static void family_open(struct family *x)
{
    const struct puan_frame *h, *p;
    struct puan_frame_item *items;
    const char *path[2] = { in("h.csv"), in("i.csv") };
    struct puan_frames_options opt = { .quiet = true };
    uint32_t row = 0;

    put("h.csv", houses);
    put("i.csv", people);
    memset(x, 0, sizeof(*x));
    for (int i = 0; i < 2; i++)
        assert_int_equal(puan_frames_load(&x->part[i], &path[i], 1, &opt, NULL),
                         PUAN_OK);
    h = puan_frames_frame(x->part[0]);
    p = puan_frames_frame(x->part[1]);
    x->entity[0] = h->entity[0];
    x->entity[0].name = PUAN_STR("household");
    x->entity[1] = p->entity[0];
    x->entity[1].parent = 0;
    x->entity[1].first = x->first;
    for (uint64_t i = 0; i <= h->entity[0].rows; i++) {
        enum puan_state st;

        x->first[i] = row;
        while (row < p->entity[0].rows &&
               puan_frame_value(&st, &p->entity[0].item[0], row) ==
                   (int64_t)i + 1)
            row++;
    }
    items = puan_new_n(&a, 16, struct puan_frame_item);
    assert_non_null(items);
    for (int e = 0; e < 2; e++) { /* areas are areas, as in a form */
        struct puan_frame_entity *en = &x->entity[e];

        memcpy(items, en->item, en->n_items * sizeof(*items));
        for (size_t i = 0; i < en->n_items; i++)
            if (puan_str_is(items[i].name, "A3") ||
                puan_str_is(items[i].name, "D8a")) {
                items[i].type = PUAN_TYPE_AREA;
                items[i].digits = 6;
            }
        en->item = items;
        items = puan_new_n(&a, 16, struct puan_frame_item);
        assert_non_null(items);
    }
    x->frame = (struct puan_frame){ .entity = x->entity, .n_entities = 2 };
}

static const char *county_column(const struct puan_tab_result *r,
                                 const char *name, uint64_t cell)
{
    for (size_t s = 0; s < r->table->n_show; s++) {
        int64_t v;
        unsigned places;

        if (!puan_str_is(r->table->show[s].name, name))
            continue;
        return puan_tab_cell(&v, &places, r, cell, s)
                   ? puan_arena_fmt(&a, "%lld/%u", (long long)v, places)
                   : "none";
    }
    return "no such column";
}

static void the_county_table_of_2020(void **state)
{
    static const struct {
        const char *name, *first, *second;
    } want[] = {
        /* the wife of house 2 is away half a year and more, one student of
           the dormitory is there under half a year, the last man unknown */
        { "pop", "7/0", "2/0" },
        { "pop_m", "4/0", "1/0" },
        { "sex_ratio", "13333/2", "10000/2" },
        { "ethnic_minority_pct", "1429/2", "0/2" },
        { "fam_hh", "2/0", "1/0" },
        { "fam_pop", "5/0", "2/0" },
        { "hh_1person", "1/0", "0/0" },
        { "hh_1gen", "1/0", "0/0" },
        { "hh_2gen", "0/0", "1/0" },
        { "hh_3gen", "1/0", "0/0" },
        { "m_0", "0/0", "1/0" }, /* born in November 2019: no year yet */
        { "f_5_9", "1/0", "0/0" },
        { "m_40_44", "1/0", "0/0" },
        { "f_35_39", "1/0", "0/0" }, /* 38 on the 1st of November */
        { "f_65_69", "1/0", "0/0" },
        { "f_70_74", "0/0", "1/0" },
        { "hh_with_65p", "1/0", "1/0" },
        { "hh_two_65p", "0/0", "0/0" },
        { "mig_same_county", "1/0", "0/0" },
        { "mig_same_province", "1/0", "0/0" },
        { "mig_other_province", "1/0", "0/0" },
        { "edu_primary_f", "2/0", "0/0" },
        { "edu_none_f", "0/0", "1/0" },
        { "illit15", "1/0", "1/0" },
        { "fam_hh_housed", "2/0", "1/0" },
        { "rooms_per_hh", "300/2", "300/2" },
        { "area_per_person", "3220/2", "4500/2" },
    };
    struct family x;
    struct puan_str text;
    struct puan_node *tree;
    struct puan_tab_file file;
    struct puan_tabulation *t = NULL;
    struct puan_tab_result r;
    struct puan_err err = { 0 };

    (void)state;
    family_open(&x);
    assert_int_equal(puan_file_read(&text, COUNTY, 0, &a, &err), PUAN_OK);
    assert_int_equal(puan_yaml_tree(&tree, text, COUNTY, &a, &err), PUAN_OK);
    if (puan_tab_file_read(&file, tree, &a, &err) != PUAN_OK ||
        puan_tabulate(&t, &x.frame, &file.programme, NULL, 2, &err) != PUAN_OK)
        fail_msg("%s:%u: %s", err.where, err.line, err.text);
    assert_int_equal(puan_tabulation_result(&r, t, 0, &a, &err), PUAN_OK);
    assert_int_equal(r.n, 2);
    for (size_t i = 0; i < PUAN_COUNT(want); i++)
        for (uint64_t c = 0; c < 2; c++) {
            const char *expected = c ? want[i].second : want[i].first;
            const char *got = county_column(&r, want[i].name, c);

            if (strcmp(got, expected) != 0)
                fail_msg("%s of county %d: %s, not %s", want[i].name,
                         (int)c + 1, got, expected);
        }
    puan_tabulation_close(t);
    for (int i = 0; i < 2; i++)
        puan_frames_close(x.part[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_margins_and_states),
        cmocka_unit_test(lookups_are_read_for_tables),
        cmocka_unit_test(households_from_levels),
        cmocka_unit_test(a_programme_gives_files_and_a_workbook),
        cmocka_unit_test(wrong_input_is_named),
        cmocka_unit_test(a_code_of_no_class_is_of_no_section),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(texts_are_not_taken_for_numbers),
        cmocka_unit_test(the_county_table_of_2020),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
