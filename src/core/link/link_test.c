/*
 * Tests of exact linkage: sorting, pairs that live apart, duplicates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/link/link.h"

#define P PUAN_LINK_PRESENT
#define R PUAN_LINK_REGISTERED
#define PAIR (1u << PUAN_LINK_PAIR)
#define TWO_P (1u << PUAN_LINK_PRESENT_TWICE)
#define TWO_R (1u << PUAN_LINK_REGISTERED_TWICE)

static unsigned kinds(size_t n, unsigned a, unsigned b, unsigned c)
{
    struct puan_link_entry e[3] = { { .bits = (uint8_t)a },
                                    { .bits = (uint8_t)b },
                                    { .bits = (uint8_t)c } };

    return puan_link_kinds(e, n);
}

static void living_apart_is_a_pair_and_no_duplicate(void **state)
{
    (void)state;
    assert_int_equal(kinds(2, P, R, 0), PAIR);
    assert_int_equal(kinds(2, R, P, 0), PAIR);
}

static void present_twice_is_a_duplicate(void **state)
{
    (void)state;
    assert_int_equal(kinds(2, P | R, P, 0), TWO_P);
    assert_int_equal(kinds(2, P | R, P | R, 0), TWO_P | TWO_R);
    assert_int_equal(kinds(3, P, R, P), PAIR | TWO_P);
    assert_int_equal(kinds(2, P, P, 0), TWO_P);
}

static void registered_twice_is_a_duplicate(void **state)
{
    (void)state;
    assert_int_equal(kinds(2, P | R, R, 0), TWO_R);
    assert_int_equal(kinds(2, R, R, 0), TWO_R);
}

static int by_token(const void *a, const void *b)
{
    return memcmp(a, b, PUAN_TOKEN_SIZE);
}

static void sorting_agrees_with_the_c_library(void **state)
{
    enum { N = 20000 };
    struct puan_link_entry *e = calloc(N, sizeof(*e));
    struct puan_link_entry *f = calloc(N, sizeof(*f));
    uint64_t x = 88172645463325252u;

    (void)state;
    assert_true(e && f);
    for (size_t i = 0; i < N; i++) {
        for (size_t k = 0; k < PUAN_TOKEN_SIZE; k++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            e[i].token[k] = (uint8_t)(k < 14 ? 0 : x); /* many equal */
        }
        e[i].token[0] = (uint8_t)(x >> 20);
        e[i].household = (int64_t)i;
    }
    memcpy(f, e, N * sizeof(*e));
    puan_link_sort(e, N);
    qsort(f, N, sizeof(*f), by_token);
    for (size_t i = 0; i < N; i++)
        assert_memory_equal(e[i].token, f[i].token, PUAN_TOKEN_SIZE);
    for (size_t i = 1; i < N; i++)
        if (memcmp(e[i].token, e[i - 1].token, PUAN_TOKEN_SIZE) == 0)
            assert_true(e[i].household > e[i - 1].household);
    free(e);
    free(f);
}

static enum puan_status count(void *ctx, unsigned k,
                              const struct puan_link_entry *group, size_t n,
                              struct puan_err *err)
{
    size_t *total = ctx;

    (void)k;
    (void)group;
    (void)err;
    *total += n;
    return PUAN_OK;
}

static void groups_are_all_and_only_equal_tokens(void **state)
{
    struct puan_link_entry e[6] = { { .token = "a" }, { .token = "b" },
                                    { .token = "b" }, { .token = "c" },
                                    { .token = "d" }, { .token = "d" } };
    struct puan_err err = { 0 };
    size_t total = 0;

    (void)state;
    assert_int_equal(puan_link_groups(e, 6, count, &total, &err), PUAN_OK);
    assert_int_equal(total, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(living_apart_is_a_pair_and_no_duplicate),
        cmocka_unit_test(present_twice_is_a_duplicate),
        cmocka_unit_test(registered_twice_is_a_duplicate),
        cmocka_unit_test(sorting_agrees_with_the_c_library),
        cmocka_unit_test(groups_are_all_and_only_equal_tokens),
    };

    return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
