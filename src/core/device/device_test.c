/*
 * What devices send, read and written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/test_heap.h"
#include "core/device/device.h"

static struct puan_arena a;

static int setup(void **state)
{
    (void)state;
    puan_arena_init(&a, &puan_test_heap);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    puan_arena_clear(&a);
    return 0;
}

static struct puan_sealed one(void)
{
    struct puan_sealed s = { .campaign = PUAN_STR("00ff00ff00ff00ff"),
                             .device = PUAN_STR("d11-1"),
                             .household = 110010010001,
                             .counter = 7,
                             .envelope = PUAN_STR("sealed bytes") };

    memset(s.digest, 0xab, sizeof(s.digest));
    return s;
}

static struct puan_str bytes_of(const struct puan_sealed *s)
{
    struct puan_out o;

    puan_out_init(&o, &a);
    puan_sealed_write(&o, s);
    return puan_out_view(&o);
}

static void a_sealed_return_comes_back(void **state)
{
    struct puan_sealed s = one(), t;
    struct puan_str b = bytes_of(&s);

    (void)state;
    assert_int_equal(puan_sealed_read(&t, b, NULL), PUAN_OK);
    assert_int_equal(t.household, s.household);
    assert_int_equal(t.counter, 7);
    assert_true(puan_str_eq(t.envelope, s.envelope));
    assert_memory_equal(t.digest, s.digest, sizeof(s.digest));
    assert_true(puan_str_is(puan_sealed_aad(&a, &t),
                            "00ff00ff00ff00ff|d11-1|110010010001|7"));
    /* cut anywhere in its head it is refused, never read beyond */
    for (size_t n = 0; n <= b.n - s.envelope.n; n++)
        assert_int_equal(
            puan_sealed_read(&t, (struct puan_str){ b.p, n }, NULL),
            PUAN_EINVAL);
    s.device = PUAN_STR("d|1"); /* would shift what is signed */
    assert_int_equal(puan_sealed_read(&t, bytes_of(&s), NULL), PUAN_EINVAL);
}

static void a_link_is_read_in_its_one_way_of_writing(void **state)
{
    static const char *const bad[] = {
        "",
        "1|5|opened|9|0",
        "1|5|opened|9|0||",
        "0|5|opened|9|0|",
        "01|5|opened|9|0|",
        "-1|5|opened|9|0|",
        "1|5|fetched|9|0|",
        "1|5|opened|9|4294967296|",
        "1|5|opened|9|0|abc",
        "1|5|sealed|9|1|",
    };
    struct puan_link l;
    struct puan_out o;

    (void)state;
    assert_int_equal(puan_link_read(&l, PUAN_STR("3|5|opened|9|0|"), NULL),
                     PUAN_OK);
    assert_int_equal(l.n, 3);
    assert_int_equal(l.act, PUAN_LINK_OPENED);
    puan_out_init(&o, &a);
    puan_link_write(&o, &l);
    assert_string_equal(o.p, "3|5|opened|9|0|");
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (puan_link_read(&l, puan_str_of(bad[i]), NULL) == PUAN_OK)
            fail_msg("taken: %s", bad[i]);
}

static struct puan_str bundle(struct puan_bundle *b)
{
    struct puan_out o;

    puan_out_init(&o, &a);
    puan_bundle_write(&o, b);
    for (int i = 0; i < 64; i++)
        puan_out_char(&o, 's');
    return puan_out_view(&o);
}

static void a_bundle_is_read_whole_or_not_at_all(void **state)
{
    struct puan_sealed s = one(), other = one();
    struct puan_str sealed[2] = { bytes_of(&s), bytes_of(&s) };
    struct puan_str links[2] = { PUAN_STR("4|5|opened|9|0|"),
                                 PUAN_STR("5|6|note|0|0|") };
    struct puan_bundle b = { .campaign = s.campaign, .device = s.device,
                             .sealed = sealed, .n_sealed = 2,
                             .link = links, .n_links = 2, .from = 4 },
                       t;
    struct puan_str text = bundle(&b);

    (void)state;
    assert_int_equal(puan_bundle_read(&t, text, &a, NULL), PUAN_OK);
    assert_int_equal(t.n_sealed, 2);
    assert_int_equal(t.n_links, 2);
    assert_int_equal(t.covered.n + 64, text.n);
    for (size_t n = 0; n < text.n; n++)
        assert_int_not_equal(
            puan_bundle_read(&t, (struct puan_str){ text.p, n }, &a, NULL),
            PUAN_OK);
    b.from = 3;
    assert_int_equal(puan_bundle_read(&t, bundle(&b), &a, NULL), PUAN_EINVAL);
    b.from = 4;
    other.device = PUAN_STR("d11-2");
    sealed[1] = bytes_of(&other);
    assert_int_equal(puan_bundle_read(&t, bundle(&b), &a, NULL), PUAN_EINVAL);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_sealed_return_comes_back),
        T(a_link_is_read_in_its_one_way_of_writing),
        T(a_bundle_is_read_whole_or_not_at_all),
    };

    return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
