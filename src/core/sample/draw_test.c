/*
 * Tests of draws: random numbers that can be redone by hand, exact
 * probabilities, certain units, every draw of a small frame.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/test_heap.h"
#include "core/sample/draw.h"

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

/* A stand-in for a digest: mixes the bytes it is given (FNV-1a, then the
   finalizer of SplitMix64); the commands use SM3. */
static void mix(void *ctx, uint8_t out[PUAN_DIGEST_SIZE],
                const struct puan_str *parts, size_t n)
{
    uint64_t h = 1469598103934665603u;

    (void)ctx;
    for (size_t i = 0; i < n; i++)
        for (size_t b = 0; b < parts[i].n; b++)
            h = (h ^ (uint8_t)parts[i].p[b]) * 1099511628211u;
    for (unsigned w = 0; w < PUAN_DIGEST_SIZE / 8; w++) {
        uint64_t z = h + (w + 1) * 0x9e3779b97f4a7c15u;

        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        z ^= z >> 31;
        for (unsigned b = 0; b < 8; b++)
            out[8 * w + b] = (uint8_t)(z >> (56 - 8 * b));
    }
}

static const struct puan_digest_fn mixed = { "mix", NULL, mix, NULL };

/* What the digest is taken of, and a chosen answer. */
static char asked[64];
static uint64_t answer[4];
static unsigned turn;

static void told(void *ctx, uint8_t out[PUAN_DIGEST_SIZE],
                 const struct puan_str *parts, size_t n)
{
    uint64_t v = answer[turn++ % 4];
    size_t at = 0;

    (void)ctx;
    for (size_t i = 0; i < n; i++) {
        memcpy(asked + at, parts[i].p, parts[i].n);
        at += parts[i].n;
    }
    asked[at] = 0;
    memset(out, 0, PUAN_DIGEST_SIZE);
    for (unsigned b = 0; b < 8; b++)
        out[b] = (uint8_t)(v >> (56 - 8 * b));
}

static const struct puan_digest_fn chosen = { "told", NULL, told, NULL };

static void numbers_come_from_seed_stream_and_count(void **state)
{
    struct puan_random r =
        puan_random_of(&chosen, PUAN_STR("2030-11-20"), PUAN_STR("3708"));

    (void)state;
    turn = 0;
    answer[0] = 0x0102030405060708u;
    assert_true(puan_random_u64(&r) == 0x0102030405060708u);
    assert_string_equal(asked, "2030-11-20/3708/1");
    (void)puan_random_u64(&r);
    assert_string_equal(asked, "2030-11-20/3708/2");
}

/* 2^64 mod 10 is 6: the six highest numbers are passed over. */
static void no_unit_has_an_advantage(void **state)
{
    struct puan_random r = puan_random_of(&chosen, PUAN_STR("s"), PUAN_STR(""));

    (void)state;
    turn = 0;
    answer[0] = UINT64_MAX;
    answer[1] = UINT64_MAX - 5;
    answer[2] = UINT64_MAX - 6;
    assert_int_equal(puan_random_below(&r, 10), (UINT64_MAX - 6) % 10);
    assert_int_equal(turn, 3);
    turn = 0;
    assert_int_equal(puan_random_below(&r, 16), 15);
    assert_int_equal(turn, 1);
    assert_int_equal(puan_random_below(&r, 1), 0);
}

static bool rising(const struct puan_chosen *c, uint32_t units)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->unit[i] >= units || (i > 0 && c->unit[i] <= c->unit[i - 1]))
            return false;
    return true;
}

static void simple_draws_are_distinct_and_even(void **state)
{
    uint32_t hits[7] = { 0 }, pairs = 0;
    const uint32_t trials = 21000;

    (void)state;
    for (uint32_t i = 0; i < trials; i++) {
        char seed[16];
        struct puan_random r;
        struct puan_chosen c;

        snprintf(seed, sizeof(seed), "s%u", i);
        r = puan_random_of(&mixed, puan_str_of(seed), PUAN_STR("x"));
        puan_arena_reset(&arena);
        assert_int_equal(puan_draw_simple(&c, 7, 3, &r, &arena, NULL), PUAN_OK);
        assert_int_equal(c.n, 3);
        assert_true(rising(&c, 7));
        for (unsigned k = 0; k < 3; k++)
            hits[c.unit[k]]++;
        pairs += c.unit[0] == 0 && c.unit[1] == 6 ? 1 : 0;
        pairs += c.unit[0] == 0 && c.unit[2] == 6 ? 1 : 0;
    }
    /* 3/7 of 21,000 is 9,000, standard error 72; pairs 1/7: 3,000, 51 */
    for (unsigned u = 0; u < 7; u++)
        assert_in_range(hits[u], 9000 - 360, 9000 + 360);
    assert_in_range(pairs, 3000 - 255, 3000 + 255);
}

static void all_or_none_or_too_many(void **state)
{
    struct puan_random r = puan_random_of(&mixed, PUAN_STR("s"), PUAN_STR("x"));
    struct puan_chosen c;
    struct puan_err err = { 0 };

    (void)state;
    assert_int_equal(puan_draw_simple(&c, 1000, 1000, &r, &arena, &err),
                     PUAN_OK);
    assert_true(c.n == 1000 && rising(&c, 1000));
    assert_int_equal(puan_draw_simple(&c, 5, 0, &r, &arena, &err), PUAN_OK);
    assert_int_equal(c.n, 0);
    assert_int_equal(puan_draw_systematic(&c, 5, 5, &r, &arena, &err), PUAN_OK);
    assert_true(c.n == 5 && rising(&c, 5));
    assert_int_equal(puan_draw_simple(&c, 5, 6, &r, &arena, &err), PUAN_EINVAL);
}

/* Over all starts each unit is taken equally often: `take` of `units` times. */
static void systematic_probabilities_are_exact(void **state)
{
    static const uint32_t shape[][2] = {
        { 10, 3 }, { 7, 7 }, { 23, 10 }, { 12, 4 }, { 100, 9 }
    };

    (void)state;
    for (size_t s = 0; s < PUAN_COUNT(shape); s++) {
        uint32_t units = shape[s][0], take = shape[s][1], hits[100] = { 0 };

        for (uint32_t start = 0; start < units; start++) {
            struct puan_random r =
                puan_random_of(&chosen, PUAN_STR("s"), PUAN_STR("x"));
            struct puan_chosen c;

            turn = 0;
            answer[0] = start;
            puan_arena_reset(&arena);
            assert_int_equal(
                puan_draw_systematic(&c, units, take, &r, &arena, NULL),
                PUAN_OK);
            assert_true(c.n == take && rising(&c, units));
            for (size_t i = 0; i < c.n; i++)
                hits[c.unit[i]]++;
        }
        for (uint32_t u = 0; u < units; u++)
            assert_int_equal(hits[u], take);
    }
}

static void every_tenth(void **state)
{
    struct puan_random r =
        puan_random_of(&chosen, PUAN_STR("s"), PUAN_STR("x"));
    struct puan_chosen c;
    struct puan_err err = { 0 };
    uint32_t start;

    (void)state;
    turn = 0;
    answer[0] = 3;
    assert_int_equal(puan_draw_every(&c, &start, 25, 10, &r, &arena, &err),
                     PUAN_OK);
    assert_int_equal(start, 3);
    assert_int_equal(c.n, 3);
    assert_int_equal(c.unit[2], 23);
    turn = 0;
    answer[0] = 7;
    assert_int_equal(puan_draw_every(&c, &start, 25, 10, &r, &arena, &err),
                     PUAN_OK);
    assert_int_equal(c.n, 2);
    assert_int_equal(puan_draw_every(&c, &start, 25, 0, &r, &arena, &err),
                     PUAN_EINVAL);
}

/* Over all starts a unit of size x is taken take · x times of T; a unit that
   is larger than a step is certain; size 0 never. */
static void pps_probabilities_are_exact(void **state)
{
    static const uint64_t size[8] = { 5, 0, 40, 3, 1, 9, 2, 0 };
    uint32_t hits[8] = { 0 };

    (void)state;
    for (uint32_t start = 0; start < 20; start++) {
        struct puan_random r =
            puan_random_of(&chosen, PUAN_STR("s"), PUAN_STR("x"));
        struct puan_chosen c;

        turn = 0;
        answer[0] = start;
        puan_arena_reset(&arena);
        assert_int_equal(puan_draw_pps(&c, size, 8, 3, &r, &arena, NULL),
                         PUAN_OK);
        assert_int_equal(c.n, 3);
        assert_int_equal(c.certain, 1);
        assert_int_equal(c.rest, 20);
        assert_true(rising(&c, 8));
        for (size_t i = 0; i < c.n; i++) {
            assert_int_equal(c.size[i], size[c.unit[i]]);
            hits[c.unit[i]]++;
        }
    }
    assert_int_equal(hits[2], 20); /* certain: 3 · 40 >= 60 */
    for (unsigned u = 0; u < 8; u++)
        if (u != 2)
            assert_int_equal(hits[u], 2 * size[u]);
}

/* One certain unit can make the next one certain. */
static void certainty_is_found_in_turn(void **state)
{
    static const uint64_t size[5] = { 1000, 60, 10, 10, 10 };
    struct puan_random r = puan_random_of(&mixed, PUAN_STR("s"), PUAN_STR("x"));
    struct puan_chosen c;
    struct puan_err err = { 0 };
    static const uint64_t huge[2] = { UINT64_MAX / 4, UINT64_MAX / 4 };

    (void)state;
    assert_int_equal(puan_draw_pps(&c, size, 5, 3, &r, &arena, &err), PUAN_OK);
    assert_int_equal(c.certain, 2);
    assert_int_equal(c.rest, 30);
    assert_int_equal(c.unit[0], 0);
    assert_int_equal(c.unit[1], 1);
    assert_int_equal(puan_draw_pps(&c, huge, 2, 2, &r, &arena, &err),
                     PUAN_ELIMIT);
    err = (struct puan_err){ 0 };
    assert_int_equal(puan_draw_pps(&c, size, 5, 6, &r, &arena, &err),
                     PUAN_EINVAL);
}

static void the_same_seed_redoes_the_draw(void **state)
{
    struct puan_chosen a, b, other;
    struct puan_random r = puan_random_of(&mixed, PUAN_STR("s"), PUAN_STR("x"));
    struct puan_random again = r;
    struct puan_random next =
        puan_random_of(&mixed, PUAN_STR("s"), PUAN_STR("y"));

    (void)state;
    assert_int_equal(puan_draw_simple(&a, 100000, 500, &r, &arena, NULL),
                     PUAN_OK);
    assert_int_equal(puan_draw_simple(&b, 100000, 500, &again, &arena, NULL),
                     PUAN_OK);
    assert_int_equal(puan_draw_simple(&other, 100000, 500, &next, &arena, NULL),
                     PUAN_OK);
    assert_memory_equal(a.unit, b.unit, 500 * sizeof(*a.unit));
    assert_memory_not_equal(a.unit, other.unit, 500 * sizeof(*a.unit));
}

static void memory_runs_out(void **state)
{
    static const uint64_t size[8] = { 5, 1, 40, 3, 1, 9, 2, 3 };
    unsigned failed = 0;

    (void)state;
    for (int left = 0; left < 3; left++) {
        struct puan_test_scarce s = { left, 0 };
        struct puan_alloc host = { puan_test_get, puan_test_put, &s };
        struct puan_random r =
            puan_random_of(&mixed, PUAN_STR("s"), PUAN_STR("x"));
        struct puan_chosen c;
        struct puan_arena a;

        puan_arena_init(&a, &host);
        failed += puan_draw_pps(&c, size, 8, 3, &r, &a, NULL) == PUAN_ENOMEM;
        failed += puan_draw_simple(&c, 1u << 22, 1u << 20, &r, &a, NULL) ==
                  PUAN_ENOMEM;
        puan_arena_clear(&a);
        assert_int_equal(s.live, 0);
    }
    assert_true(failed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_from_seed_stream_and_count),
        cmocka_unit_test(no_unit_has_an_advantage),
        cmocka_unit_test(simple_draws_are_distinct_and_even),
        cmocka_unit_test(all_or_none_or_too_many),
        cmocka_unit_test(systematic_probabilities_are_exact),
        cmocka_unit_test(every_tenth),
        cmocka_unit_test(pps_probabilities_are_exact),
        cmocka_unit_test(certainty_is_found_in_turn),
        cmocka_unit_test(the_same_seed_redoes_the_draw),
        cmocka_unit_test(memory_runs_out),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
