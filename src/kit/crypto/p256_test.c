/*
 * P-256: published values, envelopes, pairs of a directory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kit/crypto/keys.h"
#include "kit/os/os.h"

static struct puan_arena a;
static struct puan_err err;

static int setup(void **state)
{
    (void)state;
    puan_arena_init(&a, puan_os_alloc());
    memset(&err, 0, sizeof(err));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    puan_arena_clear(&a);
    return 0;
}

static struct puan_str hex(const char *digits)
{
    size_t n = strlen(digits) / 2;
    uint8_t *p = puan_arena_get(&a, n + 1);

    assert_true(puan_unhex(p, n, puan_str_of(digits)));
    return (struct puan_str){ (const char *)p, n };
}

/* RFC 6979, A.2.5: the key and its signature of "sample" with SHA-256. */
static void verifies_the_signature_of_rfc_6979(void **state)
{
    struct puan_str point = hex(
        "0460FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
        "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299");
    struct puan_str sig = hex(
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8");
    struct puan_p256 *k;

    (void)state;
    assert_int_equal(puan_p256_load_public(&k, point, &err), PUAN_OK);
    assert_int_equal(puan_p256_verify(k, PUAN_STR("sample"), sig, &err),
                     PUAN_OK);
    assert_int_equal(puan_p256_verify(k, PUAN_STR("simple"), sig, NULL),
                     PUAN_EDENIED);
    sig.n--;
    assert_int_equal(puan_p256_verify(k, PUAN_STR("sample"), sig, NULL),
                     PUAN_EDENIED);
    puan_p256_free(k);
}

static void refuses_what_is_no_point(void **state)
{
    char raw[PUAN_P256_PUBLIC] = { 4, 1 };
    struct puan_p256 *k;

    (void)state;
    assert_int_equal(puan_p256_load_public(
                         &k, (struct puan_str){ raw, sizeof(raw) }, NULL),
                     PUAN_EINVAL);
    assert_null(k);
    assert_int_equal(puan_p256_load_public(&k, PUAN_STR("short"), NULL),
                     PUAN_EINVAL);
}

static void an_envelope_opens_for_its_holder_only(void **state)
{
    struct puan_str text = PUAN_STR("{\"household\":\"110010010001\"}");
    struct puan_str aad = PUAN_STR("c|d1-1|110010010001|1"), plain, sealed;
    struct puan_p256 *own, *other, *half;
    uint8_t point[PUAN_P256_PUBLIC];
    struct puan_out o;

    (void)state;
    assert_int_equal(puan_p256_generate(&own, &err), PUAN_OK);
    assert_int_equal(puan_p256_generate(&other, &err), PUAN_OK);
    puan_p256_public(point, own);
    assert_int_equal(
        puan_p256_load_public(
            &half, (struct puan_str){ (const char *)point, sizeof(point) },
            &err),
        PUAN_OK);
    puan_out_init(&o, &a);
    assert_int_equal(puan_envelope_seal(&o, half, 7, aad, text, &err), PUAN_OK);
    sealed = puan_out_view(&o);
    assert_int_equal(sealed.n, text.n + PUAN_ENVELOPE_OVERHEAD);
    assert_int_equal(puan_envelope_key(sealed), 7);
    assert_false(puan_str_holds(sealed, PUAN_STR("110010010001")));
    assert_int_equal(puan_envelope_open(&plain, own, aad, sealed, &a, &err),
                     PUAN_OK);
    assert_true(puan_str_eq(plain, text));
    /* the device that sealed it, another office, another household */
    assert_int_equal(puan_envelope_open(&plain, half, aad, sealed, &a, NULL),
                     PUAN_EIO);
    assert_int_equal(puan_envelope_open(&plain, other, aad, sealed, &a, NULL),
                     PUAN_EDENIED);
    assert_int_equal(puan_envelope_open(&plain, own, PUAN_STR("c|d1-1|2|1"),
                                        sealed, &a, NULL),
                     PUAN_EDENIED);
    for (size_t i = 0; i < sealed.n; i++) { /* every bit counts */
        o.p[i] ^= 1;
        /* the key id only says where to look */
        if (i != 2 && i != 3)
            assert_int_not_equal(
                puan_envelope_open(&plain, own, aad, sealed, &a, NULL),
                PUAN_OK);
        o.p[i] ^= 1;
    }
    sealed.n = PUAN_ENVELOPE_OVERHEAD - 1;
    assert_int_equal(puan_envelope_open(&plain, own, aad, sealed, &a, NULL),
                     PUAN_EINVAL);
    puan_p256_free(own);
    puan_p256_free(other);
    puan_p256_free(half);
}

static void what_is_signed_verifies_after_a_round_trip(void **state)
{
    uint8_t sig[PUAN_P256_SIGNATURE];
    struct puan_p256 *k, *again;
    struct puan_str der;

    (void)state;
    assert_int_equal(puan_p256_generate(&k, &err), PUAN_OK);
    assert_int_equal(puan_p256_sign(sig, k, PUAN_STR("head"), &err), PUAN_OK);
    assert_int_equal(puan_p256_private(&der, k, &a, &err), PUAN_OK);
    assert_int_equal(puan_p256_load(&again, der, &err), PUAN_OK);
    assert_int_equal(
        puan_p256_verify(
            again, PUAN_STR("head"),
            (struct puan_str){ (const char *)sig, sizeof(sig) }, &err),
        PUAN_OK);
    sig[10] ^= 4;
    assert_int_equal(
        puan_p256_verify(
            again, PUAN_STR("head"),
            (struct puan_str){ (const char *)sig, sizeof(sig) }, NULL),
        PUAN_EDENIED);
    puan_p256_free(k);
    puan_p256_free(again);
}

static void pairs_of_a_directory_are_found_again(void **state)
{
    uint8_t before[PUAN_P256_PUBLIC], after[PUAN_P256_PUBLIC];
    const struct puan_p256 *p, *r;
    struct puan_keys *k;
    const char *dir;
    uint16_t id;

    (void)state;
    assert_int_equal(puan_dir_temp(&dir, &a, &err), PUAN_OK);
    assert_int_equal(puan_keys_create(dir, puan_suite_by_name("sm"), true, NULL,
                                      NULL, &err),
                     PUAN_OK);
    assert_int_equal(puan_keys_open(&k, dir, NULL, &err), PUAN_OK);
    assert_null(puan_keys_pair(k, "field", 1));
    assert_int_equal(puan_keys_pair_make(&p, &id, k, "field", &err), PUAN_OK);
    assert_int_equal(id, 1);
    assert_int_equal(puan_keys_pair_make(&r, &id, k, "receipt", &err), PUAN_OK);
    puan_p256_public(before, p);
    puan_p256_public(after, r);
    assert_memory_not_equal(before, after, sizeof(before));
    puan_keys_close(k);
    assert_int_equal(puan_keys_open(&k, dir, NULL, &err), PUAN_OK);
    p = puan_keys_pair(k, "field", 1);
    assert_non_null(p);
    puan_p256_public(after, p);
    assert_memory_equal(before, after, sizeof(before));
    puan_keys_close(k);
    assert_int_equal(puan_dir_remove(dir, &err), PUAN_OK);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(verifies_the_signature_of_rfc_6979),
        T(refuses_what_is_no_point),
        T(an_envelope_opens_for_its_holder_only),
        T(what_is_signed_verifies_after_a_round_trip),
        T(pairs_of_a_directory_are_found_again),
    };

    return cmocka_run_group_tests_name("p256", tests, NULL, NULL);
}
