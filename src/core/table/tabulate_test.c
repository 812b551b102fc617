/*
 * Tables over a small frame of households and persons, against plain loops;
 * published figures; what is refused and how it is said.
 */
#include "core/table/programme.h"
#include "core/table/tabulate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/test_heap.h"

#define HOUSES 400u
#define PERSONS 1500u

static const struct puan_frame_state states[] = { { PUAN_MISSING, 0 },
                                                  { PUAN_NOT_ASKED, 0 } };

static struct {
    uint32_t first[HOUSES + 1];
    uint16_t region[HOUSES];
    uint8_t rooms[HOUSES];
    uint8_t age[PERSONS], sex[PERSONS], edu[PERSONS];
    uint32_t income[PERSONS], house[PERSONS];
} d;

static struct puan_frame_item house_items[2], person_items[4];
static struct puan_frame_entity entities[2];
static struct puan_frame frame = { .entity = entities, .n_entities = 2 };

static const struct puan_code sexes[] = {
    { 1, { "1", 1 }, { "男", 3 }, { "Male", 4 } },
    { 2, { "2", 1 }, { "女", 3 }, { "Female", 6 } },
};
static const struct puan_codelist sex_list = {
    .codes = sexes, .n = 2, .numeric = true, .dense = true
};

static uint32_t chance(uint32_t n)
{
    static uint64_t x = 88172645463325252u;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return (uint32_t)(x % n);
}

static void item(struct puan_frame_item *it, const char *name, uint8_t width,
                 const void *data, int64_t least, int64_t most)
{
    *it = (struct puan_frame_item){ .name = puan_str_of(name),
                                    .type = PUAN_TYPE_INT,
                                    .width = width,
                                    .data = data,
                                    .least = least,
                                    .most = most,
                                    .stop = UINT64_MAX };
}

static int set_up(void **state)
{
    uint32_t n = 0;

    (void)state;
    for (uint32_t h = 0; h < HOUSES; h++) {
        uint32_t size = chance(7);

        d.first[h] = n;
        d.region[h] = (uint16_t)(1101 + h / 40);
        d.rooms[h] = (uint8_t)(1 + chance(5));
        for (; size && n < PERSONS; size--, n++) {
            d.house[n] = h;
            d.age[n] = (uint8_t)chance(101);
            d.sex[n] = (uint8_t)(1 + chance(2));
            /* not asked below three; sometimes not stated */
            d.edu[n] = (uint8_t)(d.age[n] < 3      ? 12
                                 : chance(20) == 0 ? 11
                                                   : 1 + chance(9));
            d.income[n] = chance(3) ? chance(100000) : chance(50);
        }
    }
    d.first[HOUSES] = n;
    item(&house_items[0], "region", 2, d.region, 1101, 1110);
    house_items[0].sorted = true;
    item(&house_items[1], "rooms", 1, d.rooms, 1, 5);
    item(&person_items[0], "age", 1, d.age, 0, 100);
    item(&person_items[1], "sex", 1, d.sex, 1, 2);
    person_items[1].type = PUAN_TYPE_CODE;
    person_items[1].codes = &sex_list;
    item(&person_items[2], "edu", 1, d.edu, 1, 9);
    person_items[2].stop = 11;
    person_items[2].states = states;
    person_items[2].n_states = 2;
    item(&person_items[3], "income", 4, d.income, 0, 99999);
    entities[0] = (struct puan_frame_entity){ .name = PUAN_STR("household"),
                                              .parent = -1,
                                              .rows = HOUSES,
                                              .item = house_items,
                                              .n_items = 2 };
    entities[1] = (struct puan_frame_entity){ .name = PUAN_STR("person"),
                                              .parent = 0,
                                              .rows = n,
                                              .first = d.first,
                                              .item = person_items,
                                              .n_items = 4 };
    return 0;
}

/* ---- counting --------------------------------------------------------------
 */

#define WORKERS 2

struct run {
    struct puan_arena a;
    struct puan_tab_by by[6];
    struct puan_tab_show show[12];
    struct puan_tab_table table;
    struct puan_tab_programme p;
    struct puan_tab *t;
    struct puan_cube_worker *worker[2][WORKERS];
    struct puan_cube_worker **of_set[2];
    struct puan_tab_result r;
    struct puan_err err;
};

static enum puan_status count(struct run *x)
{
    enum puan_status st =
        puan_tab_compile(&x->t, &frame, &x->p, &x->a, &x->err);

    if (st == PUAN_OK)
        st = puan_tab_plan(x->t, &x->a, &x->err);
    for (size_t s = 0; st == PUAN_OK && s < puan_tab_sets(x->t); s++) {
        const struct puan_cubes *c = puan_tab_set(x->t, s);
        uint64_t rows = puan_cubes_rows(c);

        x->of_set[s] = x->worker[s];
        for (size_t w = 0; w < WORKERS; w++)
            assert_int_equal(
                puan_cube_worker_open(&x->worker[s][w], c, &x->a, &x->err),
                PUAN_OK);
        for (uint64_t i = 0; i < rows; i += 97)
            assert_int_equal(puan_cubes_run(x->worker[s][i / 97 % WORKERS], i,
                                            i + 97 < rows ? i + 97 : rows,
                                            &x->err),
                             PUAN_OK);
        for (size_t i = 0; i < puan_cubes_tasks(c); i++)
            assert_int_equal(puan_cubes_task(x->worker[s][i % WORKERS],
                                             x->worker[s], WORKERS, i,
                                             &x->err),
                             PUAN_OK);
    }
    if (st == PUAN_OK)
        st = puan_tab_fold(&x->r, x->t, 0,
                           (struct puan_cube_worker *const *const *)x->of_set,
                           WORKERS, &x->a, &x->err);
    return st;
}

static enum puan_status tabulate(struct run *x, const char *of, const char *by,
                                 const char *show, const char *where)
{
    struct puan_str rest = puan_str_of(by), part;

    memset(x, 0, sizeof(*x));
    puan_arena_init(&x->a, &puan_test_heap);
    x->table = (struct puan_tab_table){ .id = PUAN_STR("t"),
                                        .of = puan_str_of(of),
                                        .where = puan_str_of(where),
                                        .by = x->by,
                                        .show = x->show,
                                        .file = "x",
                                        .line = 1 };
    x->p.table = &x->table;
    x->p.n_tables = 1;
    while (rest.n && puan_tab_part(&part, &rest)) {
        enum puan_status st = puan_tab_by_parse(
            &x->by[x->table.n_by++], part, "x", 1, &x->a, &x->err);

        if (st != PUAN_OK)
            return st;
    }
    rest = puan_str_of(show);
    while (puan_tab_part(&part, &rest)) {
        enum puan_status st =
            puan_tab_show_parse(&x->show[x->table.n_show], part, x->show,
                                x->table.n_show, "x", 1, &x->a, &x->err);

        if (st != PUAN_OK)
            return st;
        x->table.n_show++;
    }
    return count(x);
}

static void done(struct run *x)
{
    for (size_t s = 0; s < 2; s++)
        for (size_t w = 0; w < WORKERS; w++)
            puan_cube_worker_clear(x->worker[s][w]);
    puan_arena_clear(&x->a);
}

#define counted(x, of, by, show, where)                                        \
    do {                                                                       \
        if (tabulate(x, of, by, show, where) != PUAN_OK)                       \
            fail_msg("%s", (x)->err.text);                                     \
    } while (0)

/* Value of a measure at given class codes; INT64_MIN: none. */
static int64_t at(const struct run *x, size_t show, const char *const *code)
{
    uint64_t key = 0;

    for (size_t i = 0; i < x->r.n_dims; i++) {
        size_t k = 0;

        while (k < x->r.dim[i].n &&
               !puan_str_is(x->r.dim[i].class_[k].code, code[i]))
            k++;
        if (k == x->r.dim[i].n)
            return INT64_MIN;
        key += k * x->r.stride[i];
    }
    for (uint64_t i = 0; i < x->r.n; i++) {
        int64_t v;
        unsigned places;

        if (x->r.key[i] == key)
            return puan_tab_cell(&v, &places, &x->r, i, show) ? v : INT64_MIN;
    }
    return INT64_MIN;
}

#define AT(x, show, ...) at(x, show, (const char *const[]){ __VA_ARGS__ })

/* ---- tests -----------------------------------------------------------------
 */

static void expressions_count_as_plain_loops(void **state)
{
    struct run x;
    uint64_t sum = 0;

    (void)state;
    counted(&x, "person", "household.region, min(age, 100) / 5 as a5, sex",
            "count", "age >= 15 and (edu >= 3 or missing(edu)) and rooms < 4");
    for (uint32_t r = 1101; r <= 1110; r++)
        for (uint32_t a = 0; a <= 20; a++)
            for (uint32_t s = 1; s <= 2; s++) {
                char region[8], a5[8], sex[4];
                int64_t n = 0, got;

                for (uint32_t i = 0; i < d.first[HOUSES]; i++)
                    n += d.region[d.house[i]] == r && d.age[i] / 5u == a &&
                         d.sex[i] == s && d.age[i] >= 15 &&
                         (d.edu[i] == 11 || (d.edu[i] >= 3 && d.edu[i] < 10)) &&
                         d.rooms[d.house[i]] < 4;
                snprintf(region, sizeof(region), "%u", r);
                snprintf(a5, sizeof(a5), "%u", a);
                snprintf(sex, sizeof(sex), "%u", s);
                got = AT(&x, 0, region, a5, sex);
                assert_int_equal(got == INT64_MIN ? 0 : got, n);
                sum += (uint64_t)n;
            }
    for (uint64_t i = 0; i < x.r.n; i++)
        sum -= (uint64_t)x.r.acc[i];
    assert_int_equal(sum, 0);
    done(&x);
}

static void states_are_classes_of_their_own(void **state)
{
    struct run x;
    int64_t missing = 0, young = 0;

    (void)state;
    for (uint32_t i = 0; i < d.first[HOUSES]; i++) {
        missing += d.edu[i] == 11;
        young += d.edu[i] == 12;
    }
    counted(&x, "person", "edu", "count", "");
    assert_int_equal(AT(&x, 0, "_U"), missing);
    assert_int_equal(AT(&x, 0, "_Z"), young);
    done(&x);
    /* an expression of it is unknown for the same reason */
    counted(&x, "person", "edu / 3, sex", "count", "");
    assert_int_equal(AT(&x, 0, "_U", "1") + AT(&x, 0, "_U", "2"), missing);
    done(&x);
}

static void units_stand_in_one_row(void **state)
{
    struct run x;

    (void)state;
    counted(&x, "person", "region",
            "count as persons, count of household as houses, "
            "count of household where count(person) = 1 as alone, "
            "sum(rooms) of household as rooms, "
            "rate(persons / houses) as size, "
            "count where sex = 2 and age >= 60 as old",
            "");
    for (uint32_t r = 1101; r <= 1110; r++) {
        int64_t persons = 0, houses = 0, alone = 0, rooms = 0, old = 0, size;
        char region[8];

        for (uint32_t h = 0; h < HOUSES; h++) {
            if (d.region[h] != r)
                continue;
            houses++;
            alone += d.first[h + 1] - d.first[h] == 1;
            rooms += d.rooms[h];
            for (uint32_t i = d.first[h]; i < d.first[h + 1]; i++) {
                persons++;
                old += d.sex[i] == 2 && d.age[i] >= 60;
            }
        }
        size = (persons * 100000 / houses + 5) / 10; /* 4 decimals, half up */
        snprintf(region, sizeof(region), "%u", r);
        assert_int_equal(AT(&x, 0, region), persons);
        assert_int_equal(AT(&x, 1, region), houses);
        assert_int_equal(AT(&x, 2, region), alone);
        assert_int_equal(AT(&x, 3, region), rooms);
        assert_int_equal(AT(&x, 4, region), size);
        assert_int_equal(AT(&x, 5, region), old);
    }
    done(&x);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void sums_and_percentiles_of_wide_values(void **state)
{
    struct run x;

    (void)state;
    counted(&x, "person", "sex",
            "sum(income), mean(income), median(income), p90(income), "
            "p2.5(age)",
            "");
    for (uint32_t s = 1; s <= 2; s++) {
        uint32_t v[PERSONS], ages[PERSONS], n = 0;
        int64_t sum = 0, half, nine, low;
        char sex[4];

        for (uint32_t i = 0; i < d.first[HOUSES]; i++)
            if (d.sex[i] == s) {
                ages[n] = d.age[i];
                v[n++] = d.income[i];
                sum += d.income[i];
            }
        qsort(v, n, sizeof(*v), by_value);
        qsort(ages, n, sizeof(*ages), by_value);
        /* ten times the value, as printed with one decimal */
        half = n % 2 ? 10 * (int64_t)v[n / 2]
                     : 5 * ((int64_t)v[n / 2 - 1] + v[n / 2]);
        nine = n * 9 % 10 ? 10 * (int64_t)v[n * 9 / 10]
                          : 5 * ((int64_t)v[n * 9 / 10 - 1] + v[n * 9 / 10]);
        low = n * 25 % 1000
                  ? 10 * (int64_t)ages[n * 25 / 1000]
                  : 5 * ((int64_t)ages[n * 25 / 1000 - 1] +
                         ages[n * 25 / 1000]);
        snprintf(sex, sizeof(sex), "%u", s);
        assert_int_equal(AT(&x, 0, sex), sum);
        assert_int_equal(AT(&x, 1, sex), (sum * 1000 / n + 5) / 10);
        assert_int_equal(AT(&x, 2, sex), half);
        assert_int_equal(AT(&x, 3, sex), nine);
        assert_int_equal(AT(&x, 4, sex), low);
    }
    done(&x);
}

static void margins_add_up_and_equal_the_direct_table(void **state)
{
    struct run x, y;
    struct puan_tab_result m;

    (void)state;
    counted(&x, "person", "sex, region, bands(age, 15, 60)",
            "count, mean(income), median(age)", "");
    assert_int_equal(puan_tab_margin(&m, &x.r, 5, &x.a, &x.err), PUAN_OK);
    counted(&y, "person", "sex, bands(age, 15, 60)",
            "count, mean(income), median(age)", "");
    assert_int_equal(m.n, y.r.n);
    for (uint64_t i = 0; i < m.n; i++)
        for (size_t s = 0; s < 3; s++) {
            int64_t a, b;
            unsigned p, q;

            assert_int_equal(m.key[i], y.r.key[i]);
            assert_int_equal(puan_tab_cell(&a, &p, &m, i, s),
                             puan_tab_cell(&b, &q, &y.r, i, s));
            assert_int_equal(a, b);
        }
    assert_int_equal(puan_tab_margin(&m, &x.r, 0, &x.a, &x.err), PUAN_OK);
    assert_int_equal(m.n, 1);
    assert_int_equal(m.acc[0], d.first[HOUSES]);
    done(&x);
    done(&y);
}

static void bands_and_codes_have_labels(void **state)
{
    struct run x;
    static const char *const bands[] = { "<15", "15-59", "60", "61+" };

    (void)state;
    counted(&x, "person", "bands(age, 15, 60, 61) as age3, sex", "count", "");
    assert_int_equal(x.r.dim[0].n, 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(puan_str_is(x.r.dim[0].class_[i].code, bands[i]));
    assert_true(puan_str_is(x.r.dim[0].name, "age3"));
    assert_true(puan_str_is(x.r.dim[1].class_[1].en, "Female"));
    done(&x);
    counted(&x, "person", "bands(age, 0..20/5, 60)", "count", "");
    assert_true(puan_str_is(x.r.dim[0].class_[3].code, "15-19"));
    assert_true(puan_str_is(x.r.dim[0].class_[4].code, "20-59"));
    done(&x);
}

static void the_check_equals_the_cells(void **state)
{
    static const char *const by[] = { "region, sex, age", "age, region",
                                      "min(age, 90) / 10, sex",
                                      "bands(age, 15), edu" };

    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (int w = 0; w < 2; w++) {
            struct puan_tab_check a, b;
            struct run x;

            counted(&x, "person", by[i], "count", w ? "income > 20000" : "");
            puan_tab_check_of(&a, &x.r);
            if (puan_tab_check(
                    &b, x.t, 0,
                    (struct puan_cube_worker *const *const *)x.of_set, WORKERS,
                    &x.a))
                assert_memory_equal(&a, &b, sizeof(a));
            else
                assert_true(w || i == 3);
            done(&x);
        }
}

/*
 * Communique of the Seventh National Population Census of China (National
 * Bureau of Statistics, 11 May 2021), No. 4 (sex) and No. 5 (age): sex ratio
 * 105.07; shares of ages 0-14 17.95 %, 15-59 63.35 %, 60 and over 18.70 %, of
 * it 65 and over 13.50 %.
 */
static void published_shares_and_sex_ratio(void **state)
{
    static const uint32_t men_women[] = { 723339956, 688438768 };
    static const uint32_t ages[] = { 253383938, 894376020, 264018766 - 190635280,
                                     190635280 };
    static const uint8_t what[] = { 1, 2, 3, 4, 5, 6 };
    uint32_t persons[6];
    struct puan_frame_item items[2];
    struct puan_frame_entity en = { .name = PUAN_STR("line"),
                                    .parent = -1,
                                    .rows = 6,
                                    .item = items,
                                    .n_items = 2 };
    struct puan_frame keep = frame;
    struct run x;

    (void)state;
    memcpy(persons, men_women, sizeof(men_women));
    memcpy(persons + 2, ages, sizeof(ages));
    item(&items[0], "what", 1, what, 1, 6);
    item(&items[1], "persons", 4, persons, 0, 894376020);
    frame = (struct puan_frame){ .entity = &en, .n_entities = 1 };
    counted(&x, "line", "",
            "sum(persons) where what = 1 as men, "
            "sum(persons) where what = 2 as women, "
            "rate(men / women * 100) as ratio, "
            "sum(persons) where what in {1, 2} as all_, "
            "sum(persons) where what = 3 as young, "
            "sum(persons) where what = 4 as middle, "
            "sum(persons) where what >= 5 as old, "
            "sum(persons) where what = 6 as older, "
            "rate(young / all_ * 100) as y, rate(middle / all_ * 100) as m, "
            "rate(old / all_ * 100) as o, rate(older / all_ * 100) as oo",
            "");
    assert_int_equal(AT(&x, 3, ""), 1411778724);
    assert_int_equal(AT(&x, 2, ""), 10507);
    assert_int_equal(AT(&x, 8, ""), 1795);
    assert_int_equal(AT(&x, 9, ""), 6335);
    assert_int_equal(AT(&x, 10, ""), 1870);
    assert_int_equal(AT(&x, 11, ""), 1350);
    done(&x);
    frame = keep;
}

static void refused(const char *by, const char *show, const char *where,
                    const char *why)
{
    struct run x;

    assert_int_equal(tabulate(&x, "person", by, show, where), PUAN_EINVAL);
    if (strstr(x.err.text, why) == NULL)
        fail_msg("expected '%s' in '%s'", why, x.err.text);
    done(&x);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    refused("agee", "count", "", "'age'");
    refused("age", "count", "age >", "expected");
    refused("age", "counts", "", "is no measure");
    refused("age", "rate(a / b)", "", "stands before");
    refused("bands(age, 5, 3)", "count", "", "rise");
    refused("bands(age)", "count", "", "bands are written");
    refused("age as 5 x", "count", "", "after 'as'");
    refused("age", "count as n, count as n", "", "two measures");
    refused("age", "count of flat", "", "no 'flat' to count");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_count_as_plain_loops),
        cmocka_unit_test(states_are_classes_of_their_own),
        cmocka_unit_test(units_stand_in_one_row),
        cmocka_unit_test(sums_and_percentiles_of_wide_values),
        cmocka_unit_test(margins_add_up_and_equal_the_direct_table),
        cmocka_unit_test(bands_and_codes_have_labels),
        cmocka_unit_test(the_check_equals_the_cells),
        cmocka_unit_test(published_shares_and_sex_ratio),
        cmocka_unit_test(what_is_wrong_is_said),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
