/*
 * Layers of an edit: bytes and back, and values put into a record.
 */
#include "core/edit/layer.h"

#include "core/rule/test_help.h"

static void bytes_come_back(void **state)
{
    struct puan_layer_change change[2] = {
        { .entity = 0, .item = 2, .row = 0, .state = PUAN_GIVEN, .method = 3,
          .weight = 2, .value = -7, .donor = 0 },
        { .entity = 1, .item = 300, .row = 40, .state = PUAN_NOT_ASKED,
          .method = 1, .weight = 1, .value = 0, .donor = 370883001001001002 },
    };
    struct puan_layer_unit u[2] = {
        { 370883001001001001, 9, 1, change, 2 },
        { 370883001001001003, 1, 2, NULL, 0 },
    };
    struct puan_layer_unit *got;
    struct puan_arena a;
    struct puan_out o;
    struct puan_err err = { 0 };
    size_t n;

    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    puan_out_init(&o, &a);
    puan_layer_encode(&o, u, 2);
    assert_int_equal(puan_layer_decode(&got, &n, puan_out_view(&o), &a, &err),
                     PUAN_OK);
    assert_int_equal(n, 2);
    assert_int_equal(got[1].household, 370883001001001003);
    assert_int_equal(got[1].outcome, 2);
    assert_int_equal(got[0].ret, 9);
    assert_int_equal(got[0].n, 2);
    assert_int_equal(got[0].change[0].value, -7);
    assert_int_equal(got[0].change[0].method, 3);
    assert_int_equal(got[0].change[1].item, 300);
    assert_int_equal(got[0].change[1].state, PUAN_NOT_ASKED);
    assert_int_equal(got[0].change[1].donor, 370883001001001002);
    /* whatever is cut off or put behind is refused */
    for (size_t k = 0; k < o.n; k++)
        assert_int_equal(puan_layer_decode(&got, &n,
                                           (struct puan_str){ o.p, k }, &a,
                                           NULL),
                         PUAN_EINVAL);
    puan_out_char(&o, 'x');
    assert_int_equal(puan_layer_decode(&got, &n, puan_out_view(&o), &a, &err),
                     PUAN_EINVAL);
    puan_arena_clear(&a);
}

static void rates_come_back(void **state)
{
    struct puan_layer_rate rate = { 1, 4, 900, 20, 11, { 1, 2, 3, 4, 1 } };
    struct puan_layer_area area[2] = { { 370883, { 5, 1, 0, 2 }, &rate, 1 },
                                       { 0, { 0 }, NULL, 0 } };
    struct puan_layer_area *got;
    struct puan_arena a;
    struct puan_out o;
    size_t n;

    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    puan_out_init(&o, &a);
    puan_layer_rates_encode(&o, area, 2);
    assert_int_equal(
        puan_layer_rates_decode(&got, &n, puan_out_view(&o), &a, NULL),
        PUAN_OK);
    assert_int_equal(n, 2);
    assert_int_equal(got[0].code, 370883);
    assert_int_equal(got[0].unit[3], 2);
    assert_int_equal(got[0].rate[0].answers, 900);
    assert_int_equal(got[0].rate[0].method[3], 4);
    assert_int_equal(got[1].n, 0);
    puan_arena_clear(&a);
}

static void values_go_into_a_record(void **state)
{
    struct puan_arena a;
    struct puan_form *f;
    struct puan_record r;
    struct puan_layer_unit u = { .outcome = 1 };
    struct puan_layer_change c[3];
    int h2a, d4;

    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    f = help_form("test/vectors/forms/census.json", &a);
    r = help_record(f,
                    "{\"form\":\"census\",\"household\":1,\"answers\":"
                    "{\"H1\":2,\"H2a\":7},\"person\":[{\"D2\":0,\"D4\":1}]}",
                    &a);
    h2a = puan_entity_item(&f->entity[0], PUAN_STR("H2a"));
    d4 = puan_entity_item(&f->entity[1], PUAN_STR("D4"));
    c[0] = (struct puan_layer_change){ .item = (uint16_t)h2a,
                                       .state = PUAN_GIVEN,
                                       .value = 1 };
    c[1] = (struct puan_layer_change){ .entity = 1,
                                       .item = (uint16_t)d4,
                                       .state = PUAN_NOT_ASKED };
    c[2] = (struct puan_layer_change){ .entity = 1, .row = 1 }; /* no row */
    u.change = c;
    u.n = 3;
    assert_int_equal(puan_layer_apply(&r, &u), 2);
    assert_int_equal(r.rows[0].v[h2a], 1);
    assert_int_equal(r.rows[1].st[d4], PUAN_NOT_ASKED);
    puan_arena_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_back),
        cmocka_unit_test(rates_come_back),
        cmocka_unit_test(values_go_into_a_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
