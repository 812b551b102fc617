/*
 * Tests of tabulation: bases, unknown classes, totals, what counts nowhere,
 * what is refused, the texts it gives.  A census of a few households, counted
 * by hand.
 */
#include "core/rule/test_help.h"

#include "core/table/table.h"

#define S(lit)                                                                 \
    {                                                                          \
        lit, sizeof(lit) - 1                                                   \
    }

static struct puan_arena arena;

static int setup(void **state)
{
    (void)state;
    puan_arena_init(&arena, &puan_test_heap);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    puan_arena_clear(&arena);
    return 0;
}

/* ---- a plan, areas ----------------------------------------------------------
 */

#define CODES(more)                                                            \
    "\"codes\":{\"sex\":{\"1\":{\"zh\":\"男\",\"en\":\"male\"},"              \
    "\"2\":{\"zh\":\"女\",\"en\":\"female\"}" more "},"                        \
    "\"place\":{\"1\":{\"zh\":\"此\",\"en\":\"here\"},"                       \
    "\"2\":{\"zh\":\"彼\",\"en\":\"away\"}}},"
#define UNIT                                                                   \
    "\"household\":{\"zh\":\"户\",\"en\":\"Household\",\"items\":{"           \
    "\"kind\":{\"type\":\"code\",\"codes\":\"place\",\"zh\":\"类\","          \
    "\"en\":\"Kind\"}}}"
#define PERSON(more)                                                           \
    ",\"person\":{\"zh\":\"人\",\"en\":\"Person\",\"rows\":20,\"items\":{"    \
    "\"sex\":{\"type\":\"code\",\"codes\":\"sex\",\"zh\":\"性\","             \
    "\"en\":\"Sex\"},"                                                         \
    "\"age\":{\"type\":\"int\",\"min\":0,\"max\":150,\"zh\":\"龄\","          \
    "\"en\":\"Age\"}" more "}}"
#define WHERE                                                                  \
    ",\"stay\":{\"type\":\"code\",\"codes\":\"place\",\"zh\":\"在\","         \
    "\"en\":\"Stay\"},\"reg\":{\"type\":\"code\",\"codes\":\"place\","         \
    "\"zh\":\"籍\",\"en\":\"Registered\"}"

/* the census form; one without registration whose list of sexes is longer;
 * one of units without persons */
static const char *const form_json[] = {
    "{\"form\":\"long\",\"version\":1,\"zh\":\"表\",\"en\":\"F\"," CODES(
        "") "\"entities\":{" UNIT PERSON(WHERE) "}}",
    "{\"form\":\"guests\",\"version\":1,\"zh\":\"表\",\"en\":\"F\"," CODES(
        ",\"3\":{\"zh\":\"他\",\"en\":\"other\"}") "\"entities\":{" UNIT
        PERSON("") "}}",
    "{\"form\":\"units\",\"version\":1,\"zh\":\"表\",\"en\":\"F\"," CODES(
        "") "\"entities\":{" UNIT "}}",
};

static const struct puan_residence_case cases[] = {
    { .id = 1,
      .when = S("stay = 1 and reg = 1"),
      .de_facto = true,
      .registered = true,
      .resident = true },
    { .id = 2, .when = S("stay = 1"), .de_facto = true, .resident = true },
    { .id = 3, .when = S("reg = 1"), .registered = true },
    { .id = 4,
      .when = S("reg = 1 and stay = 2"),
      .resident = true }, /* never: the third comes first */
};

static const struct puan_code age_code[] = {
    { 0, S("0"), S("少"), S("young") },
    { 1, S("1"), S("壮"), S("grown") },
};
static const struct puan_codelist age_list = { S("age"), age_code, 2, true,
                                               true };
/* 120 and over gives class 2, which the list does not have */
static const struct puan_variable variables[] = {
    { .id = S("grown"),
      .entity = S("person"),
      .expr = S("age / 60"),
      .codes = &age_list },
};

enum { COUNTY, TOWN, EA };
static const struct puan_level levels[] = {
    { .id = S("county"), .digits = 2 },
    { .id = S("town"), .digits = 4 },
    { .id = S("ea"), .digits = 6 },
};

#define BY_SEX                                                                 \
    {                                                                          \
        PUAN_BY_ITEM, 0, S("sex")                                              \
    }
#define BY_TOWN                                                                \
    {                                                                          \
        PUAN_BY_LEVEL, TOWN, S("town")                                         \
    }
#define BY_AGE                                                                 \
    {                                                                          \
        PUAN_BY_VARIABLE, 0, S("grown")                                        \
    }
#define BY_SIZE                                                                \
    {                                                                          \
        PUAN_BY_RESIDENTS, 0, S("residents")                                   \
    }
static const struct puan_by by_sex[] = { BY_SEX };
static const struct puan_by by_all[] = { BY_TOWN, BY_AGE, BY_SEX };
static const struct puan_by by_size[] = { BY_SIZE };
static const struct puan_by by_size_town[] = { BY_TOWN, BY_SIZE };

#define TABLE(name, what, of, filter, dims)                                    \
    {                                                                          \
        .id = S(name), .zh = S("表"), .en = S("T"), .entity = S(what),         \
        .base = (of), .where = S(filter), .by = (dims),                        \
        .n_by = PUAN_COUNT(dims)                                               \
    }

enum { RESIDENT, DE_FACTO, REGISTERED, ALL, CUBE, SIZE, SIZE_ALL, OLD };
static const struct puan_table_plan tables[] = {
    TABLE("resident", "person", PUAN_BASE_RESIDENT, "", by_sex),
    TABLE("de-facto", "person", PUAN_BASE_DE_FACTO, "", by_sex),
    TABLE("registered", "person", PUAN_BASE_REGISTERED, "", by_sex),
    TABLE("all", "person", PUAN_BASE_ALL, "", by_sex),
    TABLE("cube", "person", PUAN_BASE_ALL, "", by_all),
    TABLE("size", "household", PUAN_BASE_RESIDENT, "kind = 1", by_size),
    TABLE("size-all", "household", PUAN_BASE_ALL, "", by_size_town),
    TABLE("old", "person", PUAN_BASE_ALL, "age >= 60", by_sex),
};

static struct puan_plan plan_of(const struct puan_table_plan *t, size_t n)
{
    static const struct puan_form *form[PUAN_COUNT(form_json)];
    struct puan_err err = { 0 };

    for (uint16_t i = 0; i < PUAN_COUNT(form_json); i++) {
        struct puan_node *tree;
        struct puan_form *f = NULL;

        if (puan_json_tree(&tree, puan_str_of(form_json[i]), "f.json", &arena,
                           &err) != PUAN_OK ||
            puan_form_load(&f, tree, NULL, NULL, &arena, &err) != PUAN_OK)
            fail_msg("%s:%u:%u: %s", err.where, err.line, err.col, err.text);
        f->ordinal = i;
        form[i] = f;
    }
    return (struct puan_plan){
        .level = levels,
        .n_levels = PUAN_COUNT(levels),
        .ea_level = EA,
        .household_digits = 2,
        .form = form,
        .n_forms = PUAN_COUNT(form_json),
        .residence = cases,
        .n_residence = PUAN_COUNT(cases),
        .residence_entity = PUAN_STR("person"),
        .variable = variables,
        .n_variables = PUAN_COUNT(variables),
        .table = t,
        .n_tables = n,
    };
}

/* Towns 1101 (areas 110101, 110102), 1102 (none), 1103 (110301); county 12. */
static const struct puan_area_tree *areas(void)
{
    struct puan_area_level l[PUAN_COUNT(levels)];
    struct puan_area_tree *t;
    struct puan_err err = { 0 };

    memset(l, 0, sizeof(l));
    for (size_t i = 0; i < PUAN_COUNT(levels); i++) {
        l[i].name = levels[i].id;
        l[i].digits = levels[i].digits;
    }
    if (puan_area_read_csv(
            &t, l, PUAN_COUNT(l), 2,
            PUAN_STR("code,parent,level,name_zh,name_en\n"
                     "11,,county,甲,A\n1101,11,town,乙,B\n"
                     "1102,11,town,丙,C\n1103,11,town,\"丁,丁\",D\n"
                     "110101,1101,ea,,\n110102,1101,ea,,\n"
                     "110301,1103,ea,,\n12,,county,,\n1201,12,town,,\n"
                     "120101,1201,ea,,\n"),
            "areas.csv", &arena, &arena, &err) != PUAN_OK)
        fail_msg("%u: %s", err.line, err.text);
    return t;
}

struct run {
    struct puan_plan plan;
    const struct puan_area_tree *tree;
    struct puan_tally *t;
    int64_t *cells;
};

static void open_run(struct run *r, int64_t area)
{
    struct puan_err err = { 0 };

    r->plan = plan_of(tables, PUAN_COUNT(tables));
    r->tree = areas();
    if (puan_tally_compile(&r->t, &r->plan, r->tree,
                           puan_area_find(r->tree, area), &arena,
                           &err) != PUAN_OK)
        fail_msg("%s: %s", err.where, err.text);
    r->cells = puan_new_n(&arena, puan_tally_cells(r->t), int64_t);
    assert_non_null(r->cells);
}

static struct puan_record record(const struct puan_plan *p, const char *doc)
{
    struct puan_return_head head;
    struct puan_record rec;
    struct puan_err err = { 0 };

    if (puan_record_read(&rec, &head, p->form, p->n_forms, puan_str_of(doc),
                         &arena, &err) != PUAN_OK)
        fail_msg("%s: %s: %s", doc, err.where, err.text);
    return rec;
}

static void count(struct run *r, int64_t household, const char *form,
                  const char *rest, const bool *skip)
{
    struct puan_status_of status[20] = { 0 };
    struct puan_record rec = record(
        &r->plan,
        puan_arena_fmt(&arena, "{\"form\":\"%s\",\"household\":\"%lld\",%s}",
                       form, (long long)household, rest));

    puan_tally_status(status, r->t, &rec);
    puan_tally_count(r->cells, r->t, household, &rec, status, skip);
}

static int64_t at1(const struct run *r, size_t table, size_t a)
{
    return puan_tally_value(r->t, r->cells, table, &a);
}

static int64_t at3(const struct run *r, size_t table, size_t a, size_t b,
                   size_t c)
{
    size_t at[] = { a, b, c };

    return puan_tally_value(r->t, r->cells, table, at);
}

#define SEX_TOTAL 3
#define P(s, a, st, rg)                                                        \
    "{\"sex\":" #s ",\"age\":" #a ",\"stay\":" #st ",\"reg\":" #rg "}"
#define FAMILY(people) "\"answers\":{\"kind\":1},\"person\":[" people "]"

/* ---- tests
 * ------------------------------------------------------------------- */

static void the_first_true_case_decides_the_bases(void **state)
{
    struct run r;
    struct puan_status_of s[6];
    struct puan_record rec;

    (void)state;
    open_run(&r, 11);
    rec = record(
        &r.plan,
        "{\"form\":\"long\",\"household\":\"11010101\"," FAMILY(
            P(1, 1, 1, 1) "," P(1, 1, 1, 2) "," P(1, 1, 2, 1) "," P(
                1, 1, 2, 2) "," P(1, 1, 1, { "missing" : "" }) "," P(1, 1, 9,
                                                                     1)) "}");
    memset(s, 0xff, sizeof(s));
    puan_tally_status(s, r.t, &rec);
    assert_int_equal(s[0].status_case, 0);
    assert_true(s[0].de_facto && s[0].registered && s[0].resident);
    assert_int_equal(s[1].status_case, 1);
    assert_true(s[1].de_facto && !s[1].registered && s[1].resident);
    assert_int_equal(s[2].status_case, 2);
    assert_true(!s[2].de_facto && s[2].registered && !s[2].resident);
    assert_int_equal(s[3].status_case, -1); /* fits none */
    assert_true(!s[3].de_facto && !s[3].registered && !s[3].resident);
    assert_int_equal(s[4].status_case, 1); /* registration missing: unknown */
    assert_int_equal(s[5].status_case, 2); /* a stay outside the list */

    count(&r, 11010101, "long",
          FAMILY(P(1, 1, 1, 1) "," P(1, 1, 1, 2) "," P(2, 1, 2, 1) "," P(2, 1,
                                                                         2, 2)),
          NULL);
    assert_int_equal(at1(&r, RESIDENT, SEX_TOTAL), 2);
    assert_int_equal(at1(&r, RESIDENT, 1), 0);
    assert_int_equal(at1(&r, DE_FACTO, 0), 2);
    assert_int_equal(at1(&r, REGISTERED, 0), 1);
    assert_int_equal(at1(&r, REGISTERED, 1), 1);
    assert_int_equal(at1(&r, ALL, SEX_TOTAL), 4);
}

static void what_cannot_be_placed_is_unknown_and_never_lost(void **state)
{
    struct run r;

    (void)state;
    open_run(&r, 11);
    count(&r, 11010101, "long",
          FAMILY(P(1, 20, 1, 1) ","                  /* placed */
                 P({ "missing" : "" }, 70, 1, 1) "," /* missing */
                 P(7, 20, 1, 1) ","                  /* no such code */
                 P("x", 20, 1,
                   1) ","                                  /* no number */
                      "{\"age\":20,\"stay\":1,\"reg\":1}," /* not asked */
                 P(2, 130, 1, 1) ","              /* class not listed */
                 P(2, { "missing" : "" }, 1, 1)), /* no operand */
          NULL);
    /* another form's list goes further than the table's */
    count(&r, 11010102, "guests",
          FAMILY("{\"sex\":3,\"age\":20},{\"sex\":2,\"age\":20}"), NULL);
    assert_int_equal(at1(&r, ALL, 0), 1);
    assert_int_equal(at1(&r, ALL, 1), 3);
    assert_int_equal(at1(&r, ALL, 2), 5);
    assert_int_equal(at1(&r, ALL, SEX_TOTAL), 9);
    assert_int_equal(at3(&r, CUBE, 4, 2, 1), 2); /* age unknown */
    assert_int_equal(at3(&r, CUBE, 4, 1, 2), 1); /* age known, sex not */
    assert_int_equal(at3(&r, CUBE, 4, 3, 3), 9);
    /* an unknown condition is not true */
    assert_int_equal(at1(&r, OLD, SEX_TOTAL), 2);
}

/* Every margin of the cube is the sum of what it covers. */
static void totals_add_up_over_every_margin(void **state)
{
    static const int64_t ea[] = { 110101, 110102, 110301 };
    uint64_t seed = 7;
    struct run r;
    size_t n[3];
    int64_t persons = 0;

    (void)state;
    open_run(&r, 11);
    for (int h = 0; h < 60; h++) {
        struct puan_out o;

        puan_out_init(&o, &arena);
        puan_out_text(&o, "\"answers\":{\"kind\":1},\"person\":[");
        for (int i = 0; i <= h % 5; i++, persons++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            puan_out_fmt(&o, "%s{\"sex\":%d,\"age\":%d,\"stay\":1,\"reg\":1}",
                         i ? "," : "", (int)(seed >> 62),
                         (int)((seed >> 40) % 150));
        }
        puan_out_char(&o, ']');
        count(&r, ea[h % 3] * 100 + h, "long",
              puan_arena_dup(&arena, puan_out_view(&o)), NULL);
    }
    for (size_t d = 0; d < 3; d++)
        n[d] = puan_tally_classes(r.t, CUBE, d);
    assert_int_equal(n[0], 4);
    assert_int_equal(n[1], 3);
    assert_int_equal(n[2], 3);
    assert_int_equal(at3(&r, CUBE, n[0], n[1], n[2]), persons);
    for (size_t a = 0; a <= n[0]; a++)
        for (size_t b = 0; b <= n[1]; b++)
            for (size_t c = 0; c <= n[2]; c++) {
                int64_t sum[3] = { 0 };

                for (size_t i = 0; i < n[0]; i++)
                    sum[0] += at3(&r, CUBE, i, b, c);
                for (size_t i = 0; i < n[1]; i++)
                    sum[1] += at3(&r, CUBE, a, i, c);
                for (size_t i = 0; i < n[2]; i++)
                    sum[2] += at3(&r, CUBE, a, b, i);
                assert_int_equal(sum[0], at3(&r, CUBE, n[0], b, c));
                assert_int_equal(sum[1], at3(&r, CUBE, a, n[1], c));
                assert_int_equal(sum[2], at3(&r, CUBE, a, b, n[2]));
            }
    assert_true(at3(&r, CUBE, n[0], n[1], 2) > 0);     /* some are unknown */
    assert_int_equal(at3(&r, CUBE, 1, n[1], n[2]), 0); /* nobody lives there */
    assert_int_equal(at3(&r, CUBE, 3, n[1], n[2]), 0); /* no area unknown */
}

static void households_fall_into_size_classes(void **state)
{
    struct run r;
    size_t at[2];

    (void)state;
    open_run(&r, 11);
    for (int n = 0; n <= 12; n++) {
        struct puan_out o;

        puan_out_init(&o, &arena);
        puan_out_fmt(&o, "\"answers\":{\"kind\":%d},\"person\":[",
                     n == 3 ? 2 : 1);
        for (int i = 0; i < n; i++)
            puan_out_fmt(&o, "%s{\"stay\":1}", i ? "," : "");
        /* one who does not live here */
        puan_out_fmt(&o, "%s{\"stay\":2,\"reg\":1}]", n ? "," : "");
        count(&r, 11030100 + n, "long",
              puan_arena_dup(&arena, puan_out_view(&o)), NULL);
    }
    count(&r, 11030120, "units", "\"answers\":{\"kind\":1}", NULL);
    assert_int_equal(puan_tally_classes(r.t, SIZE, 0), PUAN_TABLE_SIZES + 1);
    assert_int_equal(at1(&r, SIZE, 0),
                     0); /* nobody of the base: no household */
    assert_int_equal(at1(&r, SIZE, 1), 1);
    assert_int_equal(at1(&r, SIZE, 2), 1);
    assert_int_equal(at1(&r, SIZE, 3), 0); /* another kind */
    assert_int_equal(at1(&r, SIZE, 9), 1);
    assert_int_equal(at1(&r, SIZE, 10), 3); /* ten and more */
    assert_int_equal(at1(&r, SIZE, 12), 11);
    /* all persons count, so do households without any */
    at[0] = 2;
    at[1] = 0;
    assert_int_equal(puan_tally_value(r.t, r.cells, SIZE_ALL, at), 1);
    at[1] = 1;
    assert_int_equal(puan_tally_value(r.t, r.cells, SIZE_ALL, at), 1);
    at[1] = 12;
    assert_int_equal(puan_tally_value(r.t, r.cells, SIZE_ALL, at), 14);
}

static void dropped_rows_count_nowhere(void **state)
{
    static const bool skip[] = { false, true, true };
    struct run r;

    (void)state;
    open_run(&r, 11);
    count(&r, 11010101, "long",
          FAMILY(P(1, 70, 1, 1) "," P(1, 70, 1, 1) "," P(2, 70, 1, 1)), skip);
    assert_int_equal(at1(&r, RESIDENT, SEX_TOTAL), 1);
    assert_int_equal(at1(&r, REGISTERED, SEX_TOTAL), 1);
    assert_int_equal(at1(&r, ALL, SEX_TOTAL), 1);
    assert_int_equal(at1(&r, OLD, 1), 0);
    assert_int_equal(at1(&r, SIZE, 1), 1);
    /* also in a form whose persons fit no case */
    count(&r, 11010102, "guests",
          FAMILY("{\"sex\":1,\"age\":3},{\"sex\":1},{\"sex\":2}"), skip);
    assert_int_equal(at1(&r, ALL, SEX_TOTAL), 2);
    assert_int_equal(at1(&r, ALL, 1), 0);
    assert_int_equal(at1(&r, RESIDENT, SEX_TOTAL), 1);
    /* a household of dropped records only */
    count(&r, 11010103, "long", FAMILY(P(1, 1, 1, 1)), &skip[1]);
    assert_int_equal(at1(&r, SIZE, 12), 1);
}

static void only_the_area_counts(void **state)
{
    static const int64_t elsewhere[] = { 12010101, 11030101, 11999901, 99 };
    struct puan_class c;
    char code[24];
    struct run r;

    (void)state;
    open_run(&r, 1101);
    for (size_t i = 0; i < PUAN_COUNT(elsewhere); i++)
        count(&r, elsewhere[i], "long", FAMILY(P(1, 1, 1, 1)), NULL);
    for (size_t i = 0; i < puan_tally_cells(r.t); i++)
        assert_int_equal(r.cells[i], 0);
    count(&r, 11010201, "long", FAMILY(P(1, 1, 1, 1)), NULL);
    assert_int_equal(at1(&r, ALL, SEX_TOTAL), 1);
    /* the level dimension holds the subtree only */
    assert_int_equal(puan_tally_classes(r.t, CUBE, 0), 2);
    puan_tally_class(&c, code, r.t, CUBE, 0, 0);
    assert_true(puan_str_is(c.code, "1101"));
    puan_tally_class(&c, code, r.t, CUBE, 0, 1);
    assert_true(puan_str_is(c.code, "unknown"));
    puan_tally_class(&c, code, r.t, CUBE, 0, 2);
    assert_true(puan_str_is(c.code, "total"));
}

static enum puan_status compile(const struct puan_table_plan *t, size_t n,
                                int64_t area, struct puan_err *err)
{
    struct puan_plan p = plan_of(t, n);
    const struct puan_area_tree *tree = areas();
    struct puan_tally *out;

    *err = (struct puan_err){ 0 };
    return puan_tally_compile(&out, &p, tree, puan_area_find(tree, area),
                              &arena, err);
}

static void what_cannot_be_tabulated_is_refused(void **state)
{
    static const struct puan_by nine[] = { BY_SEX, BY_SEX, BY_SEX,
                                           BY_SEX, BY_SEX, BY_SEX,
                                           BY_SEX, BY_SEX, BY_SEX };
    static const struct puan_by wide[] = { BY_SIZE, BY_SIZE, BY_SIZE, BY_SIZE,
                                           BY_SIZE, BY_SIZE, BY_SIZE, BY_SIZE };
    static const struct puan_by seven[] = { BY_SIZE, BY_SIZE, BY_SIZE, BY_SIZE,
                                            BY_SIZE, BY_SIZE, BY_SIZE };
    static const struct puan_by age[] = { { PUAN_BY_ITEM, 0, S("age") } };
    struct puan_node at = { .file = "plan.yaml", .line = 7, .col = 3 };
    struct puan_table_plan t[] = {
        TABLE("x", "person", PUAN_BASE_ALL, "", nine),
        TABLE("y", "person", PUAN_BASE_ALL, "", seven)
    };
    struct puan_err err;

    (void)state;
    t[0].at = t[1].at = &at;
    assert_int_equal(compile(t, 1, 11, &err), PUAN_EINVAL);
    assert_string_equal(err.text, "a table has at most 8 dimensions");
    assert_int_equal(err.line, 7);
    t[0].by = wide;
    t[0].n_by = PUAN_COUNT(wide); /* 12 to the eighth */
    assert_int_equal(compile(t, 1, 11, &err), PUAN_ELIMIT);
    assert_string_equal(err.text,
                        "table 'x' has more than 67108864 cells; use a coarser "
                        "level or fewer dimensions");
    t[0] = t[1]; /* twice 12 to the seventh */
    assert_int_equal(compile(t, 1, 11, &err), PUAN_OK);
    assert_int_equal(compile(t, 2, 11, &err), PUAN_ELIMIT);
    assert_string_equal(err.text,
                        "all tables together have more than 67108864 cells");
    t[0].by = age;
    t[0].n_by = 1;
    assert_int_equal(compile(t, 1, 11, &err), PUAN_EINVAL);
    assert_string_equal(err.text, "'age' has no code list to tabulate by");
    assert_int_equal(compile(&tables[CUBE], 1, 99, &err), PUAN_ENOTFOUND);
}

/* A table by towns is none of an enumeration area; the others stay. */
static void a_table_by_a_level_above_the_area_is_left_out(void **state)
{
    struct run r;

    (void)state;
    open_run(&r, 110101);
    assert_int_equal(puan_tally_tables(r.t), PUAN_COUNT(tables) - 2);
    for (size_t i = 0; i < puan_tally_tables(r.t); i++)
        assert_false(puan_str_is(puan_tally_plan(r.t, i)->id, "cube") ||
                     puan_str_is(puan_tally_plan(r.t, i)->id, "size-all"));
    count(&r, 11010101, "long", FAMILY(P(1, 70, 1, 1)), NULL);
    count(&r, 11010201, "long", FAMILY(P(1, 70, 1, 1)), NULL);
    assert_int_equal(at1(&r, RESIDENT, 0), 1);
    assert_true(puan_str_is(puan_tally_plan(r.t, 5)->id, "old"));
    assert_int_equal(at1(&r, 5, 0), 1);
}

static void the_csv_says_codes_labels_and_totals(void **state)
{
    struct puan_out o;
    struct run r;
    size_t lines = 0;

    (void)state;
    open_run(&r, 11);
    count(&r, 11010101, "long", FAMILY(P(1, 1, 1, 1) "," P(2, 1, 1, 1)), NULL);
    puan_out_init(&o, &arena);
    puan_tally_csv(&o, r.t, r.cells, ALL);
    assert_string_equal(puan_arena_dup(&arena, puan_out_view(&o)),
                        "sex,sex_zh,sex_en,count\r\n"
                        "1,男,male,1\r\n2,女,female,1\r\n"
                        "total,合计,total,2\r\n");
    count(&r, 11030101, "long", FAMILY("{\"stay\":1}"), NULL);
    puan_out_init(&o, &arena);
    puan_tally_csv(&o, r.t, r.cells, ALL);
    assert_string_equal(puan_arena_dup(&arena, puan_out_view(&o)),
                        "sex,sex_zh,sex_en,count\r\n"
                        "1,男,male,1\r\n2,女,female,1\r\n"
                        "unknown,不详,unknown,1\r\ntotal,合计,total,3\r\n");
    puan_out_init(&o, &arena);
    puan_tally_csv(&o, r.t, r.cells, SIZE_ALL);
    assert_true(puan_str_starts(puan_out_view(&o),
                                "town,town_zh,town_en,residents,residents_zh,"
                                "residents_en,count\r\n1101,乙,B,0,0,0,0\r\n"));
    assert_non_null(strstr(puan_arena_dup(&arena, puan_out_view(&o)),
                           "\r\n1103,\"丁,丁\",D,1,1,1,1\r\n"));
    assert_non_null(strstr(puan_arena_dup(&arena, puan_out_view(&o)),
                           "\r\n1102,丙,C,10+,10+,10+,0\r\n"));
    for (size_t i = 0; i < o.n; i++)
        lines += o.p[i] == '\n';
    assert_int_equal(lines, 1 + 4 * 12); /* three towns and all, 11 and all */
}

static void the_json_gives_every_cell_in_order(void **state)
{
    struct puan_out o;
    struct puan_jw w;
    struct run r;

    (void)state;
    open_run(&r, 11);
    count(&r, 11010101, "long", FAMILY(P(1, 1, 1, 1) "," P(2, 1, 1, 1)), NULL);
    count(&r, 11030101, "long", FAMILY("{\"stay\":1},{\"sex\":2}"), NULL);
    puan_out_init(&o, &arena);
    puan_jw_init(&w, &o);
    puan_tally_json(&w, r.t, r.cells, RESIDENT);
    assert_string_equal(
        puan_arena_dup(&arena, puan_out_view(&o)),
        "{\"id\":\"resident\",\"zh\":\"表\",\"en\":\"T\",\"entity\":\"person\","
        "\"base\":\"resident\",\"dims\":[{\"name\":\"sex\",\"classes\":["
        "{\"code\":\"1\",\"zh\":\"男\",\"en\":\"male\"},"
        "{\"code\":\"2\",\"zh\":\"女\",\"en\":\"female\"},"
        "{\"code\":\"unknown\",\"zh\":\"不详\",\"en\":\"unknown\"}]}],"
        "\"cells\":[1,1,1],\"total\":3}");
}

static void the_parts_of_two_threads_add_up(void **state)
{
    struct run r;
    int64_t *whole, *half;
    size_t n;

    (void)state;
    open_run(&r, 11);
    n = puan_tally_cells(r.t);
    half = puan_new_n(&arena, n, int64_t);
    whole = puan_new_n(&arena, n, int64_t);
    for (int i = 0; i < 6; i++)
        for (int twice = 0; twice < 2; twice++) {
            int64_t *keep = r.cells;

            r.cells = twice ? whole : i % 2 ? half : keep;
            count(&r, 11010100 + i, "long",
                  FAMILY(P(1, 30, 1, 1) "," P(2, 70, 1, 2)), NULL);
            r.cells = keep;
        }
    for (size_t i = 0; i < n; i++)
        assert_int_equal(r.cells[i] + half[i], whole[i]);
}

/* Whatever the allocation that fails, the compiler says so and leaves. */
static void memory_may_end_anywhere(void **state)
{
    struct puan_plan p = plan_of(tables, PUAN_COUNT(tables));
    const struct puan_area_tree *tree = areas();
    uint32_t top = puan_area_find(tree, 11);
    struct puan_test_scarce scarce = { 0 };
    const struct puan_alloc host = { puan_test_get, puan_test_put, &scarce };
    size_t need = 0;

    (void)state;
    for (size_t limit = 64;; limit += 64) {
        struct puan_tally *t = NULL;
        struct puan_err err = { 0 };
        struct puan_arena a;
        enum puan_status st;

        puan_arena_init(&a, &puan_test_heap);
        a.limit = limit;
        st = puan_tally_compile(&t, &p, tree, top, &a, &err);
        puan_arena_clear(&a);
        if (st == PUAN_OK)
            break;
        assert_int_equal(st, PUAN_ENOMEM);
        assert_null(t);
        need = limit;
    }
    assert_true(need > 1000);
    for (int blocks = 0;; blocks++) {
        struct puan_tally *t = NULL;
        struct puan_err err = { 0 };
        struct puan_arena a;
        enum puan_status st;

        scarce.left = blocks;
        puan_arena_init(&a, &host);
        st = puan_tally_compile(&t, &p, tree, top, &a, &err);
        puan_arena_clear(&a);
        assert_int_equal(scarce.live, 0);
        if (st == PUAN_OK)
            break;
        assert_int_equal(st, PUAN_ENOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_true_case_decides_the_bases,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_cannot_be_placed_is_unknown_and_never_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(totals_add_up_over_every_margin, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(households_fall_into_size_classes,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(dropped_rows_count_nowhere, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(only_the_area_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_tabulated_is_refused,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_table_by_a_level_above_the_area_is_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(the_csv_says_codes_labels_and_totals,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_json_gives_every_cell_in_order,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_parts_of_two_threads_add_up, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(memory_may_end_anywhere, setup,
                                        teardown),
    };

    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
