/* Frame files: what is written is read; damage is told, never followed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/test_heap.h"
#include "core/frame/frame.h"

static const struct puan_code codes[] = { { 1, { "1", 1 }, { "男", 3 }, { "male", 4 } },
                                          { 2, { "2", 1 }, { "女", 3 }, { "female", 6 } } };
static const struct puan_codelist sex = { { "sex", 3 }, codes, 2, true, true };
static const struct puan_frame_state states[] = { { PUAN_NOT_ASKED, 0 },
                                                  { PUAN_MISSING, 3 } };
static const struct puan_frame_item person_items[] = {
    { .name = { "sex", 3 }, .type = PUAN_TYPE_CODE, .codes = &sex, .width = 1,
      .stop = 256, .least = 1, .most = 2, .n_given = 5 },
    { .name = { "age", 3 }, .type = PUAN_TYPE_INT, .width = 2, .base = -3,
      .stop = 300, .states = states, .n_states = 2, .least = 0, .most = 99,
      .n_given = 3 },
};
static const uint32_t first[] = { 0, 2, 5 };
static const uint16_t key[] = { 0 };
static const struct puan_frame_entity entities[] = {
    { .name = { "household", 9 }, .parent = -1, .rows = 2, .key = key,
      .n_key = 1 },
    { .name = { "person", 6 }, .parent = 0, .rows = 5, .first = first,
      .item = person_items, .n_items = 2 },
};
static const struct puan_frame frame = { .entity = entities, .n_entities = 2,
                                         .source = { "test", 4 } };

/* The file's bytes, at a multiple of the alignment. */
static uint8_t *file(size_t *n, struct puan_arena *a)
{
    static const uint8_t sexes[] = { 1, 2, 1, 1, 2 };
    static const uint16_t ages[] = { 3, 102, 300, 301, 33 };
    const void *data[] = { first, sexes, ages };
    static const size_t sizes[] = { sizeof(first), sizeof(sexes), sizeof(ages) };
    struct puan_str book;
    struct puan_err err = { 0 };
    uint64_t offset[PUAN_COUNT(data)], at = PUAN_FRAME_HEAD;
    uint8_t *p;

    assert_int_equal(puan_frame_columns(&frame), PUAN_COUNT(data));
    for (size_t i = 0; i < PUAN_COUNT(data); i++) {
        assert_int_equal(puan_frame_column_size(&frame, i), sizes[i]);
        offset[i] = at;
        at += PUAN_FRAME_ALIGN;
    }
    assert_int_equal(puan_frame_codebook(&book, &frame, offset, a, &err),
                     PUAN_OK);
    *n = (size_t)at + book.n;
    p = puan_arena_get(a, *n + PUAN_FRAME_ALIGN);
    p += PUAN_FRAME_ALIGN - (uintptr_t)p % PUAN_FRAME_ALIGN;
    puan_frame_head(p, &frame, *n, at, book.n);
    for (size_t i = 0; i < PUAN_COUNT(data); i++)
        memcpy(p + offset[i], data[i], sizes[i]);
    memcpy(p + at, book.p, book.n);
    return p;
}

static void what_is_written_is_read(void **state)
{
    struct puan_arena a;
    struct puan_err err = { 0 };
    struct puan_frame *f;
    enum puan_state st;
    size_t n;
    uint8_t *p;

    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    p = file(&n, &a);
    assert_int_equal(puan_frame_open(&f, p, n, &a, &err), PUAN_OK);
    assert_int_equal(puan_frame_check(f, &err), PUAN_OK);
    assert_int_equal(puan_frame_entity(f, PUAN_STR("person")), 1);
    assert_int_equal(puan_frame_item(&f->entity[1], PUAN_STR("AGE")), 1);
    assert_int_equal(puan_frame_value(&st, &f->entity[1].item[1], 1), 99);
    assert_int_equal(puan_frame_value(&st, &f->entity[1].item[1], 3), 0);
    assert_int_equal(st, PUAN_MISSING);
    assert_int_equal(f->entity[1].item[1].states[1].reason, 3);
    assert_true(f->entity[1].item[0].codes->dense);
    assert_int_equal(f->entity[0].key[0], 0);
    puan_arena_clear(&a);
}

/* Every byte of the head, changed in every bit: refused or read within. */
static void damage_is_told(void **state)
{
    struct puan_arena a, b;
    size_t n;
    uint8_t *p;
    unsigned refused = 0;

    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    p = file(&n, &a);
    for (size_t i = 0; i < n; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            struct puan_err err = { 0 };
            struct puan_frame *f;

            puan_arena_init(&b, &puan_test_heap);
            p[i] ^= (uint8_t)(1u << bit);
            if (puan_frame_open(&f, p, n, &b, &err) != PUAN_OK ||
                puan_frame_check(f, &err) != PUAN_OK) {
                assert_true(err.text[0] != 0);
                refused++;
            } else {
                for (size_t e = 0; e < f->n_entities; e++)
                    for (size_t k = 0; k < f->entity[e].n_items; k++)
                        for (uint64_t r = 0; r < f->entity[e].rows; r++) {
                            enum puan_state st;

                            (void)puan_frame_value(&st, &f->entity[e].item[k],
                                                   r);
                        }
            }
            p[i] ^= (uint8_t)(1u << bit);
            puan_arena_clear(&b);
        }
    assert_true(refused > 500);
    for (size_t cut = 0; cut < n; cut++) {
        struct puan_err err = { 0 };
        struct puan_frame *f;

        puan_arena_init(&b, &puan_test_heap);
        assert_int_equal(puan_frame_open(&f, p, cut, &b, &err), PUAN_EINVAL);
        puan_arena_clear(&b);
    }
    puan_arena_clear(&a);
}

static void what_does_not_fit_is_refused(void **state)
{
    struct puan_frame_entity e[2] = { entities[0], entities[1] };
    struct puan_frame f = { .entity = e, .n_entities = 2 };
    struct puan_str book;
    struct puan_arena a;
    struct puan_err err = { 0 };

    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    e[1].name = e[0].name;
    assert_int_equal(puan_frame_codebook(&book, &f, NULL, &a, &err), PUAN_EINVAL);
    err = (struct puan_err){ 0 };
    e[1].name = PUAN_STR("person");
    e[1].first = NULL;
    assert_int_equal(puan_frame_codebook(&book, &f, NULL, &a, &err), PUAN_EINVAL);
    puan_arena_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(damage_is_told),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
