/*
 * Tests of the CSV reader of returns: joining, states, chunks, unsorted files,
 * and refusals that name their place.
 */
#include "features/check/csv_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kit/os/heap.h"
#include "kit/os/os.h"

static const char FORM[] =
    "{\"form\":\"t\",\"zh\":\"表\",\"en\":\"Form\",\"reasons\":\"why\",\n"
    "\"codes\":{\"why\":{\"refused\":{\"value\":1,\"zh\":\"拒\",\"en\":\"r\"}},\n"
    " \"mode\":{\"enumerator\":{\"value\":1,\"zh\":\"员\",\"en\":\"e\"},\"self\":{\"value\":2,\"zh\":\"自\",\"en\":\"s\"}},\n"
    " \"sex\":{\"1\":{\"zh\":\"男\",\"en\":\"m\"},\"2\":{\"zh\":\"女\",\"en\":\"f\"}}},\n"
    "\"entities\":{\"household\":{\"zh\":\"户\",\"en\":\"h\",\"items\":{\n"
    " \"A3\":{\"type\":\"area\",\"digits\":6,\"key_digits\":6,\"zh\":\"县\",\"en\":\"c\"},\n"
    " \"A9\":{\"type\":\"int\",\"key_digits\":3,\"zh\":\"号\",\"en\":\"n\"},\n"
    " \"H6\":{\"type\":\"int\",\"min\":1,\"zh\":\"面积\",\"en\":\"space\"},\n"
    " \"PM\":{\"type\":\"code\",\"codes\":\"mode\",\"from\":\"mode\",\"required\":false,\"zh\":\"式\",\"en\":\"m\"},\n"
    " \"PG\":{\"type\":\"code\",\"codes\":\"sex\",\"from\":\"signed\",\"required\":false,\"zh\":\"签\",\"en\":\"g\"},\n"
    " \"PS\":{\"type\":\"int\",\"from\":\"seconds\",\"required\":false,\"zh\":\"秒\",\"en\":\"s\"}}},\n"
    "\"person\":{\"rows\":3,\"zh\":\"人\",\"en\":\"p\",\"items\":{\n"
    " \"D1\":{\"type\":\"name\",\"zh\":\"姓名\",\"en\":\"name\"},\n"
    " \"D4\":{\"type\":\"code\",\"codes\":\"sex\",\"zh\":\"性别\",\"en\":\"sex\"}}}}}";

struct fix {
    struct puan_arena a;
    const char *dir;
    struct puan_form *form;
};

static int set_up(void **state)
{
    static struct fix f;
    struct puan_node *tree;

    puan_arena_init(&f.a, &puan_heap);
    assert_int_equal(puan_dir_temp(&f.dir, &f.a, NULL), PUAN_OK);
    assert_int_equal(puan_json_tree(&tree, puan_str_of(FORM), "t", &f.a, NULL),
                     PUAN_OK);
    assert_int_equal(puan_form_load(&f.form, tree, NULL, NULL, &f.a, NULL),
                     PUAN_OK);
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

static const char *file(struct fix *f, const char *name, const char *text)
{
    const char *path = puan_arena_fmt(&f->a, "%s/%s", f->dir, name);

    assert_int_equal(puan_file_write(path, puan_str_of(text), 0600, NULL),
                     PUAN_OK);
    return path;
}

static struct puan_csv_set *open_ok(struct fix *f, const char *h, const char *p,
                                    uint32_t chunk)
{
    const char *paths[2] = { file(f, "person.csv", p),
                             file(f, "household.csv", h) };
    struct puan_csv_options opt = { .chunk = chunk };
    struct puan_csv_set *s = NULL;
    struct puan_err err = { 0 };

    if (puan_csv_set_open(&s, f->form, NULL, paths, 2, &opt, &err) != PUAN_OK)
        fail_msg("%s:%u: %s", err.where, err.line, err.text);
    return s;
}

static int64_t cell(const struct puan_csv_return *r, size_t e, uint32_t row,
                    const char *item, enum puan_state state)
{
    const struct puan_entity *ent = &r->record.form->entity[e];
    int i = puan_entity_item(ent, puan_str_of(item));
    size_t at = (size_t)row * ent->n_items + (size_t)i;

    assert_true(i >= 0);
    assert_int_equal(r->record.rows[e].st[at], state);
    return r->record.rows[e].v[at];
}

static void rows_are_joined_and_cells_have_states(void **state)
{
    struct fix *f = *state;
    struct puan_csv_set *s = open_ok(f,
                                     "household,H6\n"
                                     "370883001001001001,70\n"
                                     "370883001001001002,\n"
                                     "370883001001001003,x\n",
                                     "D4,household,D1\n"
                                     "1,370883001001001001,\"王 \"\"小\"\"\"\n"
                                     "!refused,370883001001001001,张三\n"
                                     "7,370883001001001003,!\n",
                                     0);
    struct puan_csv_cursor *c = NULL;
    struct puan_csv_return *r = NULL;
    size_t n = 0;

    assert_int_equal(puan_csv_set_chunks(s), 1);
    assert_int_equal(puan_csv_set_rows(s, 1), 3);
    assert_int_equal(puan_csv_cursor_open(&c, s, NULL), PUAN_OK);
    assert_int_equal(puan_csv_cursor_chunk(&r, &n, c, 0, &f->a, NULL), PUAN_OK);
    assert_int_equal(n, 3);
    assert_true(r[0].household == 370883001001001001);
    assert_int_equal(cell(&r[0], 0, 0, "A3", PUAN_GIVEN), 370883);
    assert_int_equal(cell(&r[2], 0, 0, "A9", PUAN_GIVEN), 3);
    assert_int_equal(cell(&r[0], 0, 0, "H6", PUAN_GIVEN), 70);
    cell(&r[1], 0, 0, "H6", PUAN_NOT_ASKED);
    cell(&r[2], 0, 0, "H6", PUAN_INVALID);
    assert_int_equal(r[0].record.rows[1].n, 2);
    assert_int_equal(r[1].record.rows[1].n, 0);
    assert_int_equal(r[2].record.rows[1].n, 1);
    assert_true(puan_str_is(r[0].record.rows[1].txt[0], "王 \"小\""));
    assert_int_equal(cell(&r[0], 1, 1, "D4", PUAN_MISSING), 1);
    assert_int_equal(cell(&r[2], 1, 0, "D1", PUAN_MISSING), 0);
    cell(&r[2], 1, 0, "D4", PUAN_INVALID);
    assert_int_equal(cell(&r[0], 1, 0, "D1.name_length", PUAN_GIVEN), 5);
    assert_int_equal(r[0].line[1][1], 3);
    assert_int_equal(r[2].line[0][0], 4);
    puan_csv_cursor_close(c);
    puan_csv_set_close(s);
}

/* All keys and roster sizes, chunk by chunk, last chunk first. */
static uint64_t walk(struct fix *f, struct puan_csv_set *s)
{
    struct puan_csv_cursor *c = NULL;
    uint64_t sum = 0;

    assert_int_equal(puan_csv_cursor_open(&c, s, NULL), PUAN_OK);
    for (size_t i = puan_csv_set_chunks(s); i-- > 0;) {
        struct puan_csv_return *r = NULL;
        size_t n = 0;

        assert_int_equal(puan_csv_cursor_chunk(&r, &n, c, i, &f->a, NULL),
                         PUAN_OK);
        for (size_t k = 0; k < n; k++)
            sum = sum + (uint64_t)r[k].household * 131 +
                  r[k].record.rows[1].n *
                      ((uint64_t)r[k].household % 1009);
    }
    puan_csv_cursor_close(c);
    return sum;
}

static void order_and_chunk_size_change_nothing(void **state)
{
    struct fix *f = *state;
    struct puan_out h, hr, p, pr;
    uint64_t want = 0;

    puan_out_init(&h, &f->a);
    puan_out_init(&hr, &f->a);
    puan_out_init(&p, &f->a);
    puan_out_init(&pr, &f->a);
    puan_out_text(&h, "household,H6\n");
    puan_out_text(&hr, "household,H6\n");
    puan_out_text(&p, "household,D4\n");
    puan_out_text(&pr, "household,D4\n");
    for (int i = 1; i <= 50; i++) {
        puan_out_fmt(&h, "%d,5\n", 1000 + i * 3);
        puan_out_fmt(&hr, "%d,5\n", 1000 + (i * 20 % 51) * 3);
        for (int k = 0; k < i % 4; k++)
            puan_out_fmt(&p, "%d,1\n", 1000 + i * 3);
        for (int k = 0; k < (51 - i) % 4; k++)
            puan_out_fmt(&pr, "%d,1\n", 1000 + (51 - i) * 3);
    }
    assert_false(f->a.failed);
    for (uint32_t chunk = 1; chunk < 60; chunk += 6)
        for (int way = 0; way < 4; way++) {
            struct puan_csv_set *s =
                open_ok(f, way & 1 ? hr.p : h.p, way & 2 ? pr.p : p.p, chunk);
            uint64_t got = walk(f, s);

            assert_int_equal(puan_csv_set_indexed(s, 0), way & 1);
            assert_int_equal(puan_csv_set_indexed(s, 1), (way & 2) != 0);
            if (want == 0)
                want = got;
            assert_true(got == want);
            assert_int_equal(puan_csv_set_chunks(s), (50 + chunk - 1) / chunk);
            puan_csv_set_close(s);
        }
}

/* Opening or walking h and p fails with this file, line and text. */
static void refused(struct fix *f, const char *h, const char *p,
                    const char *where, uint32_t line, const char *text)
{
    const char *paths[2] = { file(f, "household.csv", h),
                             file(f, "person.csv", p) };
    struct puan_csv_set *s = NULL;
    struct puan_csv_cursor *c = NULL;
    struct puan_csv_return *r;
    struct puan_err err = { 0 };
    size_t n = 0;
    enum puan_status st = puan_csv_set_open(&s, f->form, NULL, paths, 2, NULL,
                                            &err);

    if (st == PUAN_OK)
        assert_int_equal(puan_csv_cursor_open(&c, s, NULL), PUAN_OK);
    for (size_t i = 0; st == PUAN_OK && i < puan_csv_set_chunks(s); i++)
        st = puan_csv_cursor_chunk(&r, &n, c, i, &f->a, &err);
    if (st != PUAN_EINVAL || err.line != line || !strstr(err.where, where) ||
        !strstr(err.text, text))
        fail_msg("%d %s:%u: %s", (int)st, err.where, err.line, err.text);
    puan_csv_cursor_close(c);
    puan_csv_set_close(s);
}

static void what_cannot_be_joined_is_refused_with_its_place(void **state)
{
    struct fix *f = *state;
    const char *h = "household,H6\n5,1\n8,1\n", *p = "household,D4\n5,1\n";

    refused(f, "H6\n1\n", p, "household.csv", 1, "column named household");
    refused(f, "household,H66\n5,1\n", p, "household.csv", 1, "H66");
    refused(f, "household,H6\n5,1\n5,2\n", p, "household.csv", 3, "twice");
    refused(f, "household,H6\n5,1\n4,1\n5,2\n", p, "household.csv", 4, "twice");
    refused(f, "household,H6\n5,1\nx,2\n", p, "household.csv", 3, "digits");
    refused(f, "household,H6\n5,1\n0,2\n", p, "household.csv", 3, "digits");
    refused(f, "household,H6\n5,1,1\n", p, "household.csv", 2, "fields");
    refused(f, h, "household,D4\n5,1\n6,1\n8,1\n", "person.csv", 3, "not in");
    refused(f, h, "household,D4\n4,1\n5,1\n", "person.csv", 2, "not in");
    refused(f, h, "household,D4\n8,1\n5,1\n4,1\n", "person.csv", 4, "not in");
    refused(f, h, "household,D4\n8,1\n9,1\n", "person.csv", 3, "not in");
    refused(f, h, "household,D4\n5,1\n5,1\n5,1\n5,1\n", "person.csv", 5,
            "more than 3");
    refused(f, h, "household,D4\n5,!lost\n", "person.csv", 2, "reasons");
    refused(f, "household,H6\n", p, "person.csv", 2, "no household");
}

static void a_visit_says_what_a_documents_head_says(void **state)
{
    struct fix *f = *state;
    const char *paths[2] = { file(f, "household.csv", "household,H6\n5,1\n6,1\n"
                                                      "7,1\n"),
                             NULL };
    struct puan_csv_set *s = NULL;
    struct puan_csv_cursor *c = NULL;
    struct puan_csv_return *r = NULL;
    struct puan_err err = { 0 };
    size_t n = 0;

    paths[1] = file(f, "visit.csv",
                    "household,staff,mode,started,finished,signed\n"
                    "5,e1,self,2020-11-03T09:05:00+08:00,"
                    "2020-11-03T09:07:00+08:00,true\n"
                    "7,,enumerator,,,false\n");
    assert_int_equal(puan_csv_set_open(&s, f->form, NULL, paths, 2, NULL, &err),
                     PUAN_OK);
    assert_int_equal(puan_csv_cursor_open(&c, s, NULL), PUAN_OK);
    assert_int_equal(puan_csv_cursor_chunk(&r, &n, c, 0, &f->a, NULL), PUAN_OK);
    assert_int_equal(n, 3);
    assert_int_equal(cell(&r[0], 0, 0, "PM", PUAN_GIVEN), 2);
    assert_int_equal(cell(&r[0], 0, 0, "PS", PUAN_GIVEN), 120);
    assert_int_equal(cell(&r[0], 0, 0, "PG", PUAN_GIVEN), 1);
    cell(&r[1], 0, 0, "PM", PUAN_NOT_ASKED);
    cell(&r[1], 0, 0, "PG", PUAN_NOT_ASKED);
    assert_int_equal(cell(&r[2], 0, 0, "PM", PUAN_GIVEN), 1);
    assert_int_equal(cell(&r[2], 0, 0, "PG", PUAN_GIVEN), 2);
    cell(&r[2], 0, 0, "PS", PUAN_NOT_ASKED);
    puan_csv_cursor_close(c);
    puan_csv_set_close(s);
    paths[1] = file(f, "visit.csv", "household,signed\n5,yes\n");
    assert_int_equal(puan_csv_set_open(&s, f->form, NULL, paths, 2, NULL, &err),
                     PUAN_OK);
    assert_int_equal(puan_csv_cursor_open(&c, s, NULL), PUAN_OK);
    assert_int_equal(puan_csv_cursor_chunk(&r, &n, c, 0, &f->a, &err),
                     PUAN_EINVAL);
    assert_non_null(strstr(err.text, "true or false"));
    assert_int_equal(err.line, 2);
    assert_int_equal(err.col, 2);
    puan_csv_cursor_close(c);
    puan_csv_set_close(s);
}

static void an_empty_census_is_no_error(void **state)
{
    struct fix *f = *state;
    struct puan_csv_set *s = open_ok(f, "household,H6\n", "household,D4\n", 0);

    assert_int_equal(puan_csv_set_chunks(s), 0);
    puan_csv_set_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_joined_and_cells_have_states),
        cmocka_unit_test(order_and_chunk_size_change_nothing),
        cmocka_unit_test(what_cannot_be_joined_is_refused_with_its_place),
        cmocka_unit_test(a_visit_says_what_a_documents_head_says),
        cmocka_unit_test(an_empty_census_is_no_error),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
