/* Frames from CSV: what columns become, borders within quotes, levels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/csv.h"
#include "features/frame/doubt.h"
#include "features/frame/frames.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

struct fixture {
    struct puan_arena a;
    const char *dir;
};

static int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof(*x));
    struct puan_err err = { 0 };

    puan_arena_init(&x->a, &puan_heap);
    if (puan_dir_temp(&x->dir, &x->a, &err) != PUAN_OK)
        return -1;
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *x = *state;
    struct puan_err err = { 0 };
    enum puan_status st = puan_dir_remove(x->dir, &err);

    puan_arena_clear(&x->a);
    free(x);
    return st == PUAN_OK ? 0 : -1;
}

static const char *file(void **state, const char *name, struct puan_str text)
{
    struct fixture *x = *state;
    const char *path = puan_arena_fmt(&x->a, "%s/%s", x->dir, name);
    struct puan_err err = { 0 };

    assert_int_equal(puan_file_write(path, text, 0600, &err), PUAN_OK);
    return path;
}

static struct puan_frames *load(const char *path,
                                const struct puan_frames_options *opt)
{
    struct puan_err err = { 0 };
    struct puan_frames *f = NULL;
    enum puan_status st = puan_frames_load(&f, &path, 1, opt, &err);

    if (st != PUAN_OK)
        fail_msg("%s:%u: %s", err.where, err.line, err.text);
    return f;
}

static const struct puan_frame_item *item(const struct puan_frames *f,
                                          const char *name)
{
    const struct puan_frame *fr = puan_frames_frame(f);
    const struct puan_frame_entity *e = &fr->entity[fr->n_entities - 1];
    int i = puan_frame_item(e, puan_str_of(name));

    assert_true(i >= 0);
    return &e->item[i];
}

/* Many rows, read by blocks: empty cells among numbers, codes, months, dates. */
static void empty_cells_stand_among_values(void **state)
{
    struct fixture *x = *state;
    enum { ROWS = 1500 };
    struct puan_out o;
    struct puan_frames *f;
    enum puan_state st;

    puan_out_init(&o, &x->a);
    puan_out_text(&o, "n,code,m,big,d\r\n");
    for (int i = 0; i < ROWS; i++) {
        bool gone = i % 7 == 3;

        puan_out_fmt(&o, gone ? "," : "%d,", i * 3);
        puan_out_fmt(&o, gone ? "," : "%04d,", i);
        puan_out_fmt(&o, gone ? "," : "%04d-%02d,", 1900 + i % 120, 1 + i % 12);
        puan_out_fmt(&o, gone ? "," : "%lld,", 12345678901234LL + i);
        puan_out_fmt(&o, gone ? "\r\n" : "2020-02-%02d\r\n", 1 + i % 29);
    }
    f = load(file(state, "gaps.csv", puan_out_view(&o)), NULL);
    assert_int_equal(item(f, "n")->type, PUAN_TYPE_INT);
    assert_int_equal(item(f, "code")->type, PUAN_TYPE_AREA);
    assert_int_equal(item(f, "code")->digits, 4);
    assert_int_equal(item(f, "m")->type, PUAN_TYPE_MONTH);
    assert_int_equal(item(f, "d")->type, PUAN_TYPE_DATE);
    assert_int_equal(item(f, "n")->n_given, ROWS - (ROWS + 3) / 7);
    for (int i = 0; i < ROWS; i++) {
        bool gone = i % 7 == 3;
        const int64_t want[] = {
            i * 3, i, (1900 + i % 120) * 12 + i % 12, 12345678901234LL + i,
            puan_day_of(2020, 2, 1 + i % 29)
        };
        static const char *const name[] = { "n", "code", "m", "big", "d" };

        for (size_t k = 0; k < PUAN_COUNT(name); k++) {
            int64_t v = puan_frame_value(&st, item(f, name[k]), (uint64_t)i);

            assert_int_equal(st, gone ? PUAN_MISSING : PUAN_GIVEN);
            assert_int_equal(v, gone ? 0 : want[k]);
        }
    }
    puan_frames_close(f);
}

/* A number may stand for no answer. */
static void a_number_may_mean_missing(void **state)
{
    const struct puan_frames_options opt = { .missing = PUAN_STR("99") };
    struct puan_frames *f =
        load(file(state, "gone.csv", PUAN_STR("n\n7\n99\n12\n")), &opt);

    assert_int_equal(item(f, "n")->n_given, 2);
    assert_int_equal(item(f, "n")->most, 12);
    puan_frames_close(f);
}

/* A text that means missing stands beside empty cells, column by column. */
static void missing_texts_and_empty_cells_go_together(void **state)
{
    const struct puan_frames_options opt = { .missing = PUAN_STR("!") };
    struct puan_frames *f =
        load(file(state, "both.csv",
                  PUAN_STR("a,b,c\nx,5,10\ny,!,11\nx,,12\ny,7,13\n")),
             &opt);

    assert_int_equal(item(f, "b")->type, PUAN_TYPE_INT);
    assert_int_equal(item(f, "b")->n_given, 2);
    assert_int_equal(item(f, "b")->most, 7);
    assert_int_equal(item(f, "c")->type, PUAN_TYPE_INT);
    assert_int_equal(item(f, "c")->n_given, 4);
    puan_frames_close(f);
}

/* Codes without a zero in front are numbers, unless their digits are wanted. */
static void digits_are_kept_when_asked_for(void **state)
{
    const char *path = file(state, "codes.csv",
                            PUAN_STR("code,n\n430102,7\n,12\n441900,1\n"));
    const struct puan_str code = PUAN_STR("code"), n = PUAN_STR("n");
    struct puan_frames_options opt = { .digits = &code, .n_digits = 1 };
    struct puan_frames *f = load(path, NULL), *none = NULL;
    struct puan_err err = { 0 };

    assert_int_equal(item(f, "code")->type, PUAN_TYPE_INT);
    puan_frames_close(f);
    f = load(path, &opt);
    assert_int_equal(item(f, "code")->type, PUAN_TYPE_AREA);
    assert_int_equal(item(f, "code")->digits, 6);
    assert_int_equal(item(f, "n")->type, PUAN_TYPE_INT);
    puan_frames_close(f);
    opt.digits = &n;
    assert_int_equal(puan_frames_load(&none, &path, 1, &opt, &err), PUAN_EINVAL);
    assert_non_null(strstr(err.text, "column n: --digits is for codes"));
}

static void columns_are_what_their_values_are(void **state)
{
    const char *path = file(
        state, "a.csv",
        PUAN_STR("\xef\xbb\xbfn,neg,dec,m,d,area,text,big,gap\r\n"
                 "1,-5,1.5,2020-11,2020-11-01,001,\"b, \"\"q\"\"\",18446744073709551614,\r\n"
                 "250,7,-2,1980-03,1999-12-31,112,a,3,4\r\n"
                 "7,0,0.25,2020-01,2020-02-29,999, a ,0,\r\n"));
    struct puan_frames *f = load(path, NULL);
    const struct puan_frame_item *it;
    enum puan_state st;

    assert_int_equal(puan_frames_frame(f)->entity[0].rows, 3);
    it = item(f, "n");
    assert_int_equal(it->type, PUAN_TYPE_INT);
    assert_int_equal(it->width, 1);
    assert_int_equal(it->most, 250);
    it = item(f, "neg");
    assert_int_equal(it->base, -5);
    assert_int_equal(puan_frame_value(&st, it, 1), 7);
    it = item(f, "dec");
    assert_int_equal(it->type, PUAN_TYPE_FIXED);
    assert_int_equal(it->places, 2);
    assert_int_equal(puan_frame_value(&st, it, 0), 150);
    assert_int_equal(puan_frame_value(&st, it, 1), -200);
    assert_int_equal(item(f, "m")->type, PUAN_TYPE_MONTH);
    assert_int_equal(item(f, "d")->type, PUAN_TYPE_DATE);
    it = item(f, "area");
    assert_int_equal(it->type, PUAN_TYPE_AREA);
    assert_int_equal(it->digits, 3);
    assert_true(it->sorted);
    it = item(f, "text");
    assert_int_equal(it->type, PUAN_TYPE_CODE);
    assert_int_equal(it->codes->n, 2);
    assert_true(puan_str_is(it->codes->codes[1].text, "b, \"q\""));
    assert_int_equal(puan_frame_value(&st, it, 2), 0);
    it = item(f, "big");
    assert_true(it->token);
    assert_true((uint64_t)puan_frame_value(&st, it, 0) ==
                18446744073709551614u);
    it = item(f, "gap");
    assert_int_equal(it->n_given, 1);
    puan_frame_value(&st, it, 0);
    assert_int_equal(st, PUAN_MISSING);
    assert_int_equal(puan_frame_value(&st, it, 1), 4);
    assert_int_equal(st, PUAN_GIVEN);
    puan_frames_close(f);
}

/* Rows over many chunks, written and opened again; values by formula. */
static void many_rows_come_back(void **state)
{
    const uint32_t n = 200000;
    struct puan_out o;
    struct fixture *x = *state;
    struct puan_err err = { 0 };
    struct puan_frames *f, *g;
    const char *path, *frame;

    puan_out_init(&o, &x->a);
    puan_out_text(&o, "id,note,late,v\n");
    for (uint32_t i = 0; i < n; i++) {
        puan_out_fmt(&o, "%u,", i * 7919u);
        /* some cells have line ends and commas in quotes */
        puan_out_text(&o, i % 3 ? "plain," : "\"two\nlines, here\",");
        /* late: numbers, and a text only at the end */
        puan_out_fmt(&o, i + 1 == n ? "x%u," : "%u,", i % 100);
        puan_out_fmt(&o, i % 1000 ? "%u\n" : "\n", i % 300);
    }
    path = file(state, "many.csv", puan_out_view(&o));
    frame = puan_arena_fmt(&x->a, "%s/many.frame", x->dir);
    f = load(path, &(struct puan_frames_options){ .digest = true });
    assert_int_equal(puan_frames_write(f, frame, &err), PUAN_OK);
    g = load(frame, NULL);
    assert_memory_equal(puan_frames_frame(f)->digest,
                        puan_frames_frame(g)->digest, PUAN_DIGEST_SIZE);
    assert_int_equal(puan_frames_frame(g)->entity[0].rows, n);
    assert_int_equal(item(g, "late")->type, PUAN_TYPE_CODE);
    for (uint32_t i = 0; i < n; i++) {
        enum puan_state st;
        char late[16];

        assert_int_equal(puan_frame_value(&st, item(g, "id"), i), i * 7919u);
        assert_int_equal(puan_frame_value(&st, item(g, "note"), i), i % 3 == 0);
        puan_format(late, sizeof(late), i + 1 == n ? "x%u" : "%u", i % 100);
        assert_true(puan_str_is(
            item(g, "late")
                ->codes
                ->codes[puan_frame_value(&st, item(g, "late"), i)]
                .text,
            late));
        assert_int_equal(puan_frame_value(&st, item(g, "v"), i),
                         i % 1000 ? i % 300 : 0);
        assert_int_equal(st, i % 1000 ? PUAN_GIVEN : PUAN_MISSING);
    }
    puan_frames_close(f);
    puan_frames_close(g);
}

static void levels_are_found_and_rows_brought_together(void **state)
{
    const char *path = file(state, "l.csv",
                            PUAN_STR("r,h,p\n1,1,10\n1,1,11\n1,2,12\n2,1,13\n"
                                     "1,1,14\n2,2,15\n"));
    struct puan_str keys[] = { PUAN_STR("r"), PUAN_STR("h") };
    struct puan_frames_level level[] = { { PUAN_STR("area"), keys, 1 },
                                         { PUAN_STR("household"), keys, 2 } };
    struct puan_frames *f = load(path, NULL);
    const struct puan_frame *fr = puan_frames_frame(f);
    struct puan_err err = { 0 };
    static const int order[] = { 10, 11, 14, 12, 13, 15 };
    uint64_t moved = 99;
    enum puan_state st;

    assert_int_equal(puan_frames_group(f, &level[1], 1, &moved, &err),
                     PUAN_OK);
    assert_int_equal(moved, 3);
    assert_int_equal(fr->n_entities, 2);
    /* the outer one later */
    assert_int_equal(puan_frames_group(f, level, 2, &moved, &err), PUAN_OK);
    assert_int_equal(moved, 0);
    assert_int_equal(fr->n_entities, 3);
    assert_int_equal(fr->entity[0].rows, 2);
    assert_int_equal(fr->entity[1].rows, 4);
    assert_int_equal(fr->entity[1].first[1], 2);
    assert_int_equal(fr->entity[2].first[1], 3);
    assert_int_equal(fr->entity[2].first[4], 6);
    assert_int_equal(fr->entity[1].n_key, 2);
    assert_int_equal(puan_frame_value(&st, &fr->entity[1].item[0], 1), 2);
    for (size_t i = 0; i < PUAN_COUNT(order); i++)
        assert_int_equal(puan_frame_value(&st, item(f, "p"), i), order[i]);
    puan_frames_close(f);
}

static void faults_have_a_place(void **state)
{
    static const struct {
        const char *text;
        uint32_t line;
    } cases[] = {
        { "a,b\n1,2\n3\n", 3 },
        { "a,b\n1,2\n3,4,5\n", 3 },
        { "a,b\n\"x\ny\",2\n3\n", 4 },
        { "a,b\n1,\"2\n", 2 },
        { "a,b\n1,x\"y\"\n", 2 },
        { "a,b\n1,\xff\n", 2 },
        { "a,a\n1,2\n", 1 },
    };

    for (size_t i = 0; i < PUAN_COUNT(cases); i++) {
        const char *path = file(state, "bad.csv", puan_str_of(cases[i].text));
        struct puan_err err = { 0 };
        struct puan_frames *f = NULL;

        assert_int_equal(puan_frames_load(&f, &path, 1, NULL, &err),
                         PUAN_EINVAL);
        assert_int_equal(err.line, cases[i].line);
        assert_string_equal(err.where, path);
    }
}

/* Against a plain search, with few and with many that are the same. */
static void duplicates_are_those_of_a_plain_search(void **state)
{
    static const uint32_t spread[] = { 3, 200, 5000, 1u << 30 };
    struct fixture *x = *state;

    for (size_t k = 0; k < PUAN_COUNT(spread); k++) {
        const uint32_t n = 3000;
        uint32_t *v = puan_new_n(&x->a, n, uint32_t), seed = 7;
        struct puan_frames_twice t;
        struct puan_err err = { 0 };
        struct puan_frames *f;
        struct puan_out o;
        uint64_t at = 0, groups = 0;
        int items[2];

        puan_out_init(&o, &x->a);
        puan_out_text(&o, "a,b\n");
        for (uint32_t i = 0; i < n; i++) {
            seed = seed * 1664525u + 1013904223u;
            v[i] = (seed >> 2) % spread[k];
            if (v[i] % 7 == 6)
                puan_out_text(&o, ",1\n");
            else
                puan_out_fmt(&o, "%u,%u\n", v[i] / 2, v[i] % 2);
        }
        f = load(file(state, "dup.csv", puan_out_view(&o)), NULL);
        items[0] = 1;
        items[1] = 0;
        for (unsigned threads = 1; threads <= 3; threads++) {
            assert_int_equal(
                puan_frames_duplicates(&t, puan_frames_frame(f)->entity, items,
                                       2, threads, &err),
                PUAN_OK);
            at = groups = 0;
            for (uint32_t i = 0; i < n; i++) {
                uint32_t first = n, others = 0;

                if (v[i] % 7 == 6)
                    continue;
                for (uint32_t j = 0; j < n; j++)
                    if (v[j] == v[i]) {
                        first = first == n ? j : first;
                        others += j != i;
                    }
                if (!others)
                    continue;
                assert_int_equal(t.row[at], i);
                if (first == i)
                    assert_int_equal(t.group[at], groups++);
                at++;
            }
            assert_int_equal(t.n, at);
            assert_int_equal(t.groups, groups);
            free(t.row);
            free(t.group);
        }
        puan_frames_close(f);
    }
}

/* A column of ages with a few texts in it. */
static void a_few_bad_cells_in_a_column_of_numbers_are_named(void **state)
{
    struct fixture *x = *state;
    struct puan_frames_doubt d[4];
    struct puan_frames_options opt = { .missing = PUAN_STR("-") };
    struct puan_frames *f;
    struct puan_out o;
    const char *path;

    puan_out_init(&o, &x->a);
    puan_out_text(&o, "name,age,month,sex,mixed\n");
    for (int i = 0; i < 100; i++)
        puan_out_fmt(&o, "\"x\n%d\",%s,2020-%02d,%s,%s\n", i,
                     i == 7    ? " n/a "
                     : i == 9  ? "old"
                     : i == 3  ? "-"
                     : i == 11 ? ""
                               : puan_arena_fmt(&x->a, "%d", i),
                     i % 12 + 1, i % 2 ? "m" : "f", i % 3 ? "1" : "b");
    puan_out_text(&o, "x,1,20-1,m,2\n");
    path = file(state, "doubt.csv", puan_out_view(&o));
    f = load(path, &opt);
    assert_int_equal(puan_frames_doubts(d, 4, f, &path, 1, &opt, &x->a), 2);
    assert_true(puan_str_is(d[0].item, "age"));
    assert_true(puan_str_is(d[0].text, "n/a"));
    assert_string_equal(d[0].kind, "number");
    assert_int_equal(d[0].amiss, 2);
    assert_int_equal(d[0].given, 99);
    assert_string_equal(d[0].file, path);
    assert_int_equal(d[0].line, 17); /* the second of its row */
    assert_int_equal(d[0].column, 2);
    assert_true(puan_str_is(d[1].item, "month"));
    assert_string_equal(d[1].kind, "month");
    assert_int_equal(d[1].line, 202);
    puan_frames_close(f);
}

/* As many columns as base/csv and every other verb take, and no more. */
static void a_file_may_have_16384_columns(void **state)
{
    struct fixture *x = *state;
    struct puan_err err = { 0 };
    struct puan_frames *f = NULL;
    const char *path;

    for (int more = 0; more < 2; more++) {
        struct puan_out o;
        int n = PUAN_FRAME_ITEMS + more;

        assert_int_equal(PUAN_FRAME_ITEMS, PUAN_CSV_COLUMNS);
        puan_out_init(&o, &x->a);
        for (int row = 0; row < 2; row++)
            for (int i = 0; i < n; i++)
                puan_out_fmt(&o, "%s%d%s", row ? "" : "c", i,
                             i + 1 < n ? "," : "\n");
        path = file(state, "wide.csv", puan_out_view(&o));
        if (more) {
            assert_int_equal(puan_frames_load(&f, &path, 1, NULL, &err),
                             PUAN_EINVAL);
            assert_string_equal(err.text, "more than 16384 columns");
        } else {
            f = load(path, NULL);
            assert_int_equal(puan_frames_frame(f)->entity[0].n_items, n);
            puan_frames_close(f);
        }
    }
}

static void cells_parted_by_something_else_are_told(void **state)
{
    static const char *const all[] = { "a;b;c\n1;2;3\n", "a\tb\n1\t2\n" };
    struct puan_err err = { 0 };
    struct puan_frames *f = NULL;

    for (size_t i = 0; i < PUAN_COUNT(all); i++) {
        const char *path = file(state, "parted.csv", puan_str_of(all[i]));

        err = (struct puan_err){ 0 };
        assert_int_equal(puan_frames_load(&f, &path, 1, NULL, &err),
                         PUAN_EINVAL);
        assert_non_null(strstr(err.text, "are parted by "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_are_kept_when_asked_for),
        cmocka_unit_test(empty_cells_stand_among_values),
        cmocka_unit_test(a_number_may_mean_missing),
        cmocka_unit_test(missing_texts_and_empty_cells_go_together),
        cmocka_unit_test(columns_are_what_their_values_are),
        cmocka_unit_test(many_rows_come_back),
        cmocka_unit_test(levels_are_found_and_rows_brought_together),
        cmocka_unit_test(faults_have_a_place),
        cmocka_unit_test(a_few_bad_cells_in_a_column_of_numbers_are_named),
        cmocka_unit_test(a_file_may_have_16384_columns),
        cmocka_unit_test(cells_parted_by_something_else_are_told),
        cmocka_unit_test(duplicates_are_those_of_a_plain_search),
    };

    return cmocka_run_group_tests_name("frames", tests, setup, teardown);
}
