/*
 * Rules over frames with levels: what is counted over areas, what belongs to
 * which level, looks at expressions, and, for random expressions over random
 * frames of four levels, the lanes against the plain reading of one row
 * (lane_row.c).  That findings are those of the record executor is held in
 * random_test.c.
 */
#include "core/rule/frame_help.h"

#include "base/out.h"

#define FORM "test/vectors/forms/census.json"

static struct puan_arena arena;
static uint64_t seed_state;

static uint32_t rnd(uint32_t n)
{
    seed_state ^= seed_state << 13;
    seed_state ^= seed_state >> 7;
    seed_state ^= seed_state << 17;
    return (uint32_t)((seed_state >> 20) % n);
}

static int setup(void **state)
{
    (void)state;
    puan_arena_init(&arena, &puan_test_heap);
    seed_state = 20301101;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    puan_arena_clear(&arena);
    return 0;
}

/* ---- a small plain file ---- */

/*
 * Ten persons: region, household, sex, age.  Two regions of 6 and 4 persons;
 * households of 2, 3, 1 and 4.  Ages of 255 are missing, of 254 invalid.
 */
static const uint8_t region[] = { 1, 1, 1, 1, 1, 1, 2, 2, 2, 2 };
static const uint8_t house[] = { 1, 1, 2, 2, 2, 3, 4, 4, 4, 4 };
static const uint8_t sex[] = { 1, 2, 1, 2, 1, 2, 1, 1, 1, 2 };
static const uint8_t age[] = { 30, 28, 50, 45, 12, 80, 20, 255, 22, 23 };
static const uint32_t house_first[] = { 0, 3, 4 };
static const uint32_t person_first[] = { 0, 2, 5, 6, 10 };
static const struct puan_frame_state why[] = { { PUAN_INVALID, 0 },
                                               { PUAN_MISSING, 7 } };

#define ITEM(n, lo, hi, d)                                                     \
    {                                                                          \
        .name = { n, sizeof(n) - 1 }, .type = PUAN_TYPE_INT, .width = 1,       \
        .stop = UINT64_MAX, .least = lo, .most = hi, .n_given = 10, .data = d  \
    }

static const struct puan_frame *plain(void)
{
    static const struct puan_frame_item items[] = {
        ITEM("region", 1, 2, region),
        ITEM("house", 1, 4, house),
        ITEM("sex", 1, 2, sex),
        { .name = { "age", 3 },
          .type = PUAN_TYPE_INT,
          .width = 1,
          .stop = 254,
          .states = why,
          .n_states = 2,
          .least = 12,
          .most = 80,
          .n_given = 9,
          .data = age },
    };
    static const uint16_t key[] = { 0, 1 };
    static const struct puan_frame_entity entity[] = {
        { .name = { "region_", 7 },
          .parent = -1,
          .rows = 2,
          .key = key,
          .n_key = 1 },
        { .name = { "household", 9 },
          .parent = 0,
          .rows = 4,
          .first = house_first,
          .key = key,
          .n_key = 2 },
        { .name = { "person", 6 },
          .parent = 1,
          .rows = 10,
          .first = person_first,
          .item = items,
          .n_items = 4 },
    };
    static const struct puan_frame f = { .entity = entity, .n_entities = 3 };

    return &f;
}

static void collect(void *ctx, uint16_t rule, uint64_t row, uint32_t n,
                    const uint64_t *bits)
{
    struct puan_out *o = ctx;

    for (uint32_t i = 0; i < n; i++)
        if (bits[i / 64] >> (i % 64) & 1)
            puan_out_fmt(o, "%u:%u ", (unsigned)rule, (unsigned)(row + i));
}

static struct puan_lanes *compile(const struct puan_frame *f, const char *text,
                                  const struct puan_lanes_options *opt)
{
    struct puan_str s = puan_str_of(text);
    struct puan_lanes *l = NULL;
    struct puan_err err = { 0 };
    static const char *const files[] = { "t.rules" };

    if (puan_lanes_compile(&l, f, &s, files, 1, opt, &arena, &err) != PUAN_OK)
        fail_msg("%s:%u:%u: %s", err.where, err.line, err.col, err.text);
    return l;
}

static const char *findings(const struct puan_lanes *l,
                            struct puan_lanes_count *count)
{
    struct puan_lanes_work *w = NULL;
    struct puan_err err = { 0 };
    struct puan_out o;

    puan_out_init(&o, &arena);
    assert_int_equal(puan_lanes_work_new(&w, l, &arena, &err), PUAN_OK);
    for (size_t p = 0; p < puan_lanes_passes(l); p++)
        puan_lanes_run(w, p, 0, puan_lanes_rows(l, p), collect, &o);
    if (count)
        *count = puan_lanes_counts(w)[0];
    return puan_arena_dup(&arena, puan_str_trim(puan_out_view(&o)));
}

#define MSG " zh \"中\" en \"e\" "

static void a_rule_runs_once_for_each_row_of_its_level(void **state)
{
    (void)state;
    assert_string_equal(
        findings(compile(plain(),
                         "rule A hard region_" MSG "check count(person) <= 5\n"
                         "rule B hard household" MSG
                         "check count(person where sex = 1) = 1\n"
                         "rule C hard person" MSG
                         "check row <= 3 and sex <= 2\n",
                         NULL),
                 NULL),
        "0:0 1:1 1:2 1:3 2:9");
}

static void counts_go_two_levels_down_and_over_derived_items(void **state)
{
    (void)state;
    assert_string_equal(
        findings(compile(plain(),
                         "define men for household = "
                         "count(person where sex = 1)\n"
                         "define most for region_ = max(household.men)\n"
                         "rule A hard region_" MSG "check most <= 2\n"
                         "rule B hard region_" MSG
                         "check count(household where men = 0) = 0\n"
                         "rule C hard household" MSG "check men < most\n"
                         "rule D hard person" MSG
                         "fail when row = 1 and men = most\n",
                         NULL),
                 NULL),
        "0:1 1:0 2:1 2:3 3:2 3:6");
}

/* What is read row by row is looked at only where it matters, and says the same
   where the rule or the other side of an `and` leaves it open. */
static void a_row_is_looked_at_where_it_matters(void **state)
{
    (void)state;
    assert_string_equal(
        findings(compile(plain(),
                         "define twins for person = count(person where "
                         "sex = self.sex and row != self.row)\n"
                         "rule A hard person" MSG "when sex = 2 "
                         "check any(person where sex != self.sex)\n"
                         "rule B hard household" MSG
                         "fail when any(person where sex = 1 and twins > 0)\n"
                         "rule C hard person" MSG "check twins = "
                         "count(person where sex = self.sex) - 1\n"
                         "rule D hard person" MSG "fail when not (sex = 1 and "
                         "any(person where sex != self.sex))\n",
                         NULL),
                 NULL),
        "0:5 1:1 1:3 3:1 3:3 3:5 3:9");
}

static void the_key_of_a_level_is_its_item(void **state)
{
    (void)state;
    assert_string_equal(
        findings(compile(plain(),
                         "rule A hard region_" MSG "check region != 2\n"
                         "rule B hard household" MSG
                         "check house != 3 or region != 1\n",
                         NULL),
                 NULL),
        "0:1 1:2");
}

static void a_doubt_over_an_area_is_not_evaluable(void **state)
{
    struct puan_lanes_count c;

    (void)state;
    /* the age of one person of region 2 is missing */
    assert_string_equal(
        findings(compile(plain(),
                         "rule A hard region_" MSG
                         "check count(person where age < 18) = 0\n",
                         NULL),
                 &c),
        "0:0");
    assert_int_equal(c.evaluated, 1);
    assert_int_equal(c.not_evaluable, 1);
}

static void a_row_of_a_table_is_found_by_an_areas_key(void **state)
{
    static const int64_t keys[] = { 2 }, values[] = { 5 };
    struct puan_lookup t;
    struct puan_lanes_options opt = { .lookups = &t, .n_lookups = 1 };
    struct puan_err err = { 0 };

    (void)state;
    assert_int_equal(puan_lookup_build(&t, PUAN_STR("geo"), keys, 1, values,
                                       NULL, 1, 1, &arena, &err),
                     PUAN_OK);
    assert_string_equal(
        findings(compile(plain(),
                         "table geo by region gives control\n"
                         "rule A hard region_" MSG "check found(geo)\n"
                         "rule B hard region_" MSG
                         "check count(person) = geo.control\n",
                         &opt),
                 NULL),
        "0:0 1:1");
}

static void a_rule_of_a_level_that_is_not_there_is_left_out(void **state)
{
    const struct puan_rule_skip *skip;
    size_t n;

    (void)state;
    skip = puan_ruleset_skips(
        puan_lanes_ruleset(
            compile(plain(),
                    "rule A hard town" MSG "check count(person) > 0\n"
                    "rule B hard person" MSG "check children = 0\n",
                    NULL)),
        &n);
    assert_int_equal(n, 2);
    assert_string_equal(skip[0].why, "form 'file' has no level 'town'");
    assert_int_equal(skip[1].line, 2);
}

static void an_expression_has_a_type_and_a_narrow_lane(void **state)
{
    static const struct puan_lanes_source s[] = {
        { .text = { "age / 5", 7 } },
        { .text = { "age >= 18 and sex = 1", 21 }, .truth = true },
        { .text = { "count(person)", 13 } },
    };
    struct puan_lanes *l = NULL;
    struct puan_lanes_work *w = NULL;
    struct puan_lanes_value v[3];
    struct puan_lanes_type type;
    struct puan_err err = { 0 };
    enum puan_state st;

    (void)state;
    assert_int_equal(puan_lanes_expr_compile(&l, plain(), 2, s, 3, NULL, NULL,
                                             0, NULL, &arena, &err),
                     PUAN_OK);
    puan_lanes_expr_type(&type, l, 0);
    assert_int_equal(type.least, 2);
    assert_int_equal(type.most, 16);
    assert_false(type.known);
    puan_lanes_expr_type(&type, l, 2);
    assert_true(type.known);
    assert_int_equal(puan_lanes_work_new(&w, l, &arena, &err), PUAN_OK);
    puan_lanes_look(v, w, 3, 6); /* from the middle of a household */
    assert_int_equal(v[0].width, 1);
    assert_int_equal(puan_lanes_at(&st, &v[0], 0), 9);  /* 45 */
    assert_int_equal(puan_lanes_at(&st, &v[0], 2), 16); /* 80 */
    puan_lanes_at(&st, &v[0], 4);
    assert_int_equal(st, PUAN_MISSING);
    assert_int_equal(v[1].width, 0);
    assert_int_equal(v[1].bits[0], 1u << 3 | 1u << 5); /* 20 and 22, men */
    assert_int_equal(puan_lanes_at(&st, &v[2], 0), 3);
    assert_int_equal(puan_lanes_at(&st, &v[2], 2), 1);
    assert_int_equal(puan_lanes_at(&st, &v[2], 3), 4);
}

static void a_wrong_expression_is_told_where(void **state)
{
    static const struct puan_lanes_source s = { .text = { "agee > 3", 8 },
                                                .file = "plan.yaml",
                                                .line = 9 };
    struct puan_lanes *l = NULL;
    struct puan_err err = { 0 };

    (void)state;
    assert_int_equal(puan_lanes_expr_compile(&l, plain(), 2, &s, 1, NULL, NULL,
                                             0, NULL, &arena, &err),
                     PUAN_EINVAL);
    assert_int_equal(err.line, 9);
    assert_string_equal(err.where, "plan.yaml");
    assert_string_equal(err.text, "unknown name 'agee'; the nearest is 'age'");
}

/* ---- loops ---- */

#ifdef __x86_64__ /* meson.build compiles their loops there */
#define ROWS 700

static uint8_t in[2][ROWS * 8 + 2048], loop_got[ROWS * 8 + 2048],
    loop_want[ROWS * 8 + 2048];
static uint64_t word[2][5][ROWS / 64 + 8];

static void same_loop(const char *name, unsigned width, size_t n, size_t bytes)
{
    if (memcmp(loop_got, loop_want, bytes) != 0)
        fail_msg("%s, width %u, %zu rows", name, width, n);
}

#define BOTH(name, bytes, ...)                                                 \
    do {                                                                       \
        void *to = loop_want;                                                  \
        memset(loop_got, 7, sizeof(loop_got));                                 \
        memset(loop_want, 7, sizeof(loop_want));                               \
        puan_lane_plain.__VA_ARGS__;                                           \
        to = loop_got;                                                         \
        k->__VA_ARGS__;                                                        \
        same_loop(name, 1u << w, n, bytes);                                    \
    } while (0)

static void one_loop(const struct puan_lane_kernels *k, unsigned w, size_t n)
{
    size_t lanes = n << w, bits = (n + 63) / 64 * 8;
    size_t words = (n + 63) / 64, units = 0;
    uint64_t c = rnd(300), d = rnd(2) ? rnd(300) : (uint64_t)0 - rnd(300);
    uint32_t first[ROWS + 2], row0 = rnd(1000);
    uint8_t left[ROWS + 64] = { 0 };
    const uint64_t *b = word[0][0], *b2 = word[1][0];

    BOTH("range", bits, range[w](to, in[0], n, c, d));
    BOTH("less", bits, less[w](to, in[0], in[1], n, c, d));
    BOTH("same", bits, same[w](to, in[0], in[1], n, c));
    BOTH("add", lanes, add[w](to, in[0], in[1], n, c));
    BOTH("sub", lanes, sub[w](to, in[0], in[1], n, c));
    BOTH("scale", lanes, scale[w](to, in[0], n, c, d));
    BOTH("mul", lanes, mul[w](to, in[0], in[1], n, c, d, c));
    BOTH("least", lanes, least[w](to, in[0], in[1], n));
    BOTH("most", lanes, most[w](to, in[0], in[1], n));
    for (unsigned v = 0; v < 4; v++)
        BOTH("cast", n << v, cast[w][v](to, in[0], n, c));
    BOTH("choose", lanes, choose[w](to, b, in[0], in[1], n));
    BOTH("keep", lanes, keep[w](to, b, in[0], n, false));
    BOTH("keep not", lanes, keep[w](to, b, in[0], n, true));
    assert_true(k->sum[w](in[0], n) == puan_lane_plain.sum[w](in[0], n));
    assert_true(k->count(b, words) == puan_lane_plain.count(b, words));
    BOTH("set", bits, in_set(to, in[0], n, in[1]));
    BOTH("map", n, map(to, in[0], n, in[1]));
    BOTH("both", bits, both(to, b, b2, words));
    BOTH("either", bits, either(to, b, b2, words));
    BOTH("without", bits, without(to, b, b2, words));
    assert_true(
        k->differ((uint64_t *)(void *)loop_got, b, b2, words) ==
        puan_lane_plain.differ((uint64_t *)(void *)loop_want, b, b2, words));
    assert_true(
        k->meet((uint64_t *)(void *)loop_got, b, b2, words) ==
        puan_lane_plain.meet((uint64_t *)(void *)loop_want, b, b2, words));
    for (first[0] = row0; first[units] < row0 + n; units++) {
        uint32_t m = rnd(rnd(9) ? 5 : 120);
        uint32_t end = (uint32_t)n + row0;

        m = first[units] + m > end ? end - first[units] : m;
        first[units + 1] = first[units] + m;
        for (uint32_t i = 0; i < m; i++)
            left[first[units] - row0 + i] = (uint8_t)(m - i);
        if (units == ROWS)
            return;
    }
    for (size_t step = 1; step < 128; step *= 2)
        BOTH("reach", lanes, reach[w](to, in[0], left, n, step));
    BOTH("unit count", units << w, unit_count[w](to, b, first, units, row0));
    BOTH("unit any", (units + 63) / 64 * 8,
         unit_any(to, b, first, units, row0));
}

static void loops_of(const struct puan_lane_kernels *k)
{
    for (int round = 0; round < 400; round++) {
        size_t n = 1 + rnd(rnd(3) ? 200 : ROWS - 1);

        for (size_t i = 0; i < sizeof(in[0]); i++) {
            in[0][i] = (uint8_t)rnd(256);
            in[1][i] = rnd(3) ? (uint8_t)rnd(256) : in[0][i];
        }
        for (size_t i = 0; i < PUAN_COUNT(word[0][0]); i++)
            for (unsigned j = 0; j < 2; j++)
                word[j][0][i] =
                    (uint64_t)rnd(UINT32_MAX) << 32 | rnd(UINT32_MAX);
        for (unsigned w = 0; w < 4; w++)
            one_loop(k, w, n);
    }
}

static void every_processor_gets_the_same(void **state)
{
    (void)state;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
        loops_of(&puan_lane_avx2);
    if (puan_lane_kernels() == &puan_lane_avx512)
        loops_of(&puan_lane_avx512);
}
#endif

/* ---- random expressions over four levels ---- */

static void number(struct puan_out *o, int level, bool in_row, int depth);

static void truth(struct puan_out *o, int level, bool in_row, int depth)
{
    if (depth > 5 || rnd(4) == 0) {
        number(o, level, in_row, depth + 1);
        puan_out_fmt(o, " %s %u",
                     (const char *[]){ "<", ">=", "=", "!=" }[rnd(4)], rnd(40));
        return;
    }
    switch (rnd(4)) {
    case 0:
        puan_out_text(o, "not ");
        puan_out_text(o, "(");
        truth(o, level, in_row, depth + 1);
        puan_out_text(o, ")");
        break;
    case 1:
        if (level == 3 || in_row) {
            puan_out_text(o, rnd(2) ? "given(D9)" : "D4 = 1");
            break;
        } /* fall through */
    default:
        puan_out_text(o, "(");
        truth(o, level, in_row, depth + 1);
        puan_out_text(o, rnd(2) ? " and " : " or ");
        truth(o, level, in_row, depth + 1);
        puan_out_text(o, ")");
        break;
    }
}

/* Items as they are seen from a level: 0 town, 1 ea, 2 household, 3 person. */
static void item(struct puan_out *o, int level, bool in_row)
{
    static const char *const person[] = { "D9",  "age", "number(D2)",
                                          "row", "H7",  "kids" };
    static const char *const home[] = { "H7", "H2a", "kids", "row", "size" };

    if (in_row || level == 3)
        puan_out_text(o, person[rnd(6)]);
    else if (level == 2)
        puan_out_text(o, home[rnd(5)]);
    else
        puan_out_text(o, level == 1 && rnd(2) ? "homes" : "row");
}

static void number(struct puan_out *o, int level, bool in_row, int depth)
{
    static const char *const over[] = {
        "count(person where ",    "sum(person.D9 where ",
        "min(person.D9 where ",   "max(person.age where ",
        "first(person.D9 where ", "min(person.age where "
    };

    if (depth > 6 || rnd(4) == 0) {
        item(o, level, in_row);
        return;
    }
    switch (rnd(in_row ? 3 : 5)) {
    case 0:
        puan_out_fmt(o, "%u", rnd(50));
        break;
    case 1:
        puan_out_text(o, "(");
        number(o, level, in_row, depth + 1);
        puan_out_text(o,
                      (const char *[]){ " + ", " - ", " * ", " mod " }[rnd(4)]);
        puan_out_fmt(o, "%u)", 1 + rnd(9));
        break;
    case 2:
        puan_out_text(o, "if(");
        truth(o, level, in_row, depth + 1);
        puan_out_text(o, ", ");
        number(o, level, in_row, depth + 1);
        puan_out_text(o, ", ");
        number(o, level, in_row, depth + 1);
        puan_out_text(o, ")");
        break;
    default:
        if (level < 2 && rnd(3) == 0) {
            puan_out_text(o, rnd(2) ? "sum(household.size where size > 2)"
                                    : "count(household where kids = 1)");
            break;
        }
        puan_out_text(o, over[rnd(6)]);
        truth(o, level, true, depth + 1);
        puan_out_text(o, ")");
        break;
    }
}

static void fill(struct puan_record *r, const struct puan_form *f,
                 uint32_t persons)
{
    uint32_t n[PUAN_FORM_ENTITIES] = { 1, persons, 0 };
    struct puan_err err = { 0 };

    assert_int_equal(puan_record_new(r, f, n, &arena, &err), PUAN_OK);
    for (uint16_t e = 0; e < 2; e++)
        for (uint32_t row = 0; row < r->rows[e].n; row++)
            for (uint16_t i = 0; i < f->entity[e].n_asked; i++) {
                const struct puan_item *it = &f->entity[e].items[i];
                size_t at = (size_t)row * f->entity[e].n_items + i;
                uint32_t s = rnd(20);

                r->rows[e].st[at] = s == 0   ? PUAN_MISSING
                                    : s == 1 ? PUAN_NOT_ASKED
                                    : s == 2 ? PUAN_INVALID
                                             : PUAN_GIVEN;
                r->rows[e].v[at] = 0;
                if (r->rows[e].st[at] != PUAN_GIVEN)
                    continue;
                if (it->type == PUAN_TYPE_CODE)
                    r->rows[e].v[at] =
                        it->codes->codes[rnd((uint32_t)it->codes->n)].value;
                else if (it->type == PUAN_TYPE_MONTH)
                    r->rows[e].v[at] = 1930 * 12 + rnd(12 * 90);
                else
                    r->rows[e].v[at] = rnd(30);
            }
}

static const char *const level_name[] = { "town", "ea", "household", "person" };

/* Every value of an expression, looked at in pieces, against one row's. */
static void look_at_all(const struct puan_frame *f, int level,
                        struct puan_str text, uint64_t seed,
                        unsigned long *known_rows)
{
    const struct puan_str defines =
        PUAN_STR("define age for person = age_at(D5, ref_month)\n"
                 "define kids for household = count(person where age < 15)\n"
                 "define size for household = count(person)\n"
                 "define homes for ea = count(household where size > 1)\n");
    static const struct puan_const settings[] = { { { "ref_month", 9 },
                                                    2020 * 12 + 10 } };
    const struct puan_lanes_options opt = { .consts = settings, .n_consts = 1 };
    struct puan_lanes_source s = { .text = text };
    struct puan_lanes *l = NULL;
    struct puan_lanes_work *w = NULL;
    struct puan_err err = { 0 };
    struct puan_lex lex;
    struct puan_ast_node *tree = NULL;
    struct puan_rule_names names;
    struct puan_ruleset *rs = NULL;
    uint64_t rows = f->entity[level].rows;

    if (puan_lanes_expr_compile(&l, f, (uint16_t)level, &s, 1, &defines, NULL,
                                1, &opt, &arena, &err) != PUAN_OK) {
        if (strstr(err.text, "constant") || strstr(err.text, "reads no"))
            return;
        fail_msg("seed %llu: %s: %u %s\n%.*s", (unsigned long long)seed,
                 level_name[level], err.col, err.text, PUAN_FMT(text));
    }
    /* the same tree once more, checked against the same names */
    names = (struct puan_rule_names){ .form = &l->names.form,
                                      .parent = l->names.parent,
                                      .settings = settings,
                                      .n_settings = 1,
                                      .arena = &arena,
                                      .err = &err };
    assert_int_equal(puan_ruleset_build(&rs, &names, &defines, NULL, 1, false),
                     PUAN_OK);
    assert_int_equal(puan_lex_init(&lex, text, "", 1, &arena, &err), PUAN_OK);
    assert_int_equal(puan_lex_next(&lex), PUAN_OK);
    assert_int_equal(puan_rule_parse_expr(&tree, &lex), PUAN_OK);
    if (puan_rule_check(tree, &(struct puan_rule_scope){
                                  .names = &names,
                                  .file = "",
                                  .level = (uint16_t)level }) != PUAN_OK)
        fail_msg("%s\n%.*s", err.text, PUAN_FMT(text));
    assert_int_equal(puan_lanes_work_new(&w, l, &arena, &err), PUAN_OK);
    for (size_t p = 0; p < puan_lanes_passes(l); p++)
        puan_lanes_run(w, p, 0, puan_lanes_rows(l, p), NULL, NULL);
    for (uint64_t row = 0; row < rows;) {
        struct puan_lanes_value v;
        uint32_t n = 1 + rnd(300);

        n = n > rows - row ? (uint32_t)(rows - row) : n;
        puan_lanes_look(&v, w, row, n);
        for (uint32_t i = 0; i < n; i++) {
            val want = lane_row_value(l, tree, (uint16_t)level, row + i);
            enum puan_state st;
            int64_t got = puan_lanes_at(&st, &v, i);

            *known_rows += want.s == PUAN_KNOWN;
            if (want.s == PUAN_KNOWN ? st != PUAN_GIVEN || got != want.v
                                     : st != (enum puan_state)state_of(want.s))
                fail_msg("seed %llu: %s %llu: %d %lld, expected %d %lld\n%.*s",
                         (unsigned long long)seed, level_name[level],
                         (unsigned long long)(row + i), st, (long long)got,
                         want.s, (long long)want.v, PUAN_FMT(text));
        }
        row += n;
    }
}

static void lanes_read_as_a_single_row_does(void **state)
{
    const char *s = getenv("PUAN_SEED"), *r = getenv("PUAN_ROUNDS");
    uint64_t seed = s ? strtoull(s, NULL, 10) : 1;
    uint64_t rounds = r ? strtoull(r, NULL, 10) : 60;
    unsigned long known_rows = 0;
    struct puan_arena forms;
    struct puan_form *form;

    (void)state;
    puan_arena_init(&forms, &puan_test_heap);
    form = help_form(FORM, &forms);
    /* an institution: more rows than the form allows */
    ((struct puan_entity *)(uintptr_t)&form->entity[1])->max_rows = 5000;
    for (uint64_t i = 0; i < rounds; i++) {
        struct puan_record rec[80];
        bool large;
        size_t n;
        const struct puan_frame *f;

        seed_state = (seed + i) * 0x9e3779b97f4a7c15u + 3;
        large = rnd(12) == 0; /* units too long to run in one piece */
        n = large ? 5 : 80;
        puan_arena_reset(&arena);
        for (size_t k = 0; k < n; k++)
            fill(&rec[k], form, large ? 200 + rnd(400) : rnd(7));
        f = help_frame(form, rec, n, large ? 2 : 1 + rnd(20), rnd, &arena);
        for (int k = 0; k < (large ? 2 : 8); k++) {
            struct puan_out o;
            int level = (int)rnd(large ? 3 : 4);

            puan_out_init(&o, &arena);
            if (rnd(2))
                truth(&o, level, false, 0);
            else
                number(&o, level, false, 0);
            look_at_all(f, level, puan_out_view(&o), seed + i, &known_rows);
        }
    }
    print_message("%lu known values\n", known_rows);
    assert_true(known_rows > 20 * rounds);
    puan_arena_clear(&forms);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_rule_runs_once_for_each_row_of_its_level),
        TEST(counts_go_two_levels_down_and_over_derived_items),
        TEST(a_row_is_looked_at_where_it_matters),
        TEST(the_key_of_a_level_is_its_item),
        TEST(a_doubt_over_an_area_is_not_evaluable),
        TEST(a_row_of_a_table_is_found_by_an_areas_key),
        TEST(a_rule_of_a_level_that_is_not_there_is_left_out),
        TEST(an_expression_has_a_type_and_a_narrow_lane),
        TEST(a_wrong_expression_is_told_where),
#ifdef __x86_64__ /* meson.build compiles their loops there */
        TEST(every_processor_gets_the_same),
#endif
        TEST(lanes_read_as_a_single_row_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
