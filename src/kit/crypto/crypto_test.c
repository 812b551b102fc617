/*
 * Tests of kit/crypto: published vectors first, then what must be refused.
 * Sources: GM/T 0004, 0002, GB/T 32918.5, RFC 4231, 5869, 6238, 8032, 4648.
 */
#include "kit/crypto/crypto.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kit/crypto/keys.h"
#include "kit/os/os.h"

static struct puan_arena a;

static int setup(void **state)
{
    (void)state;
    puan_arena_init(&a, puan_os_alloc());
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    puan_arena_clear(&a);
    return 0;
}

static struct puan_str unhex(const char *hex)
{
    size_t n = strlen(hex) / 2;
    uint8_t *p = puan_arena_get(&a, n + 1);

    assert_true(puan_unhex(p, n, puan_str_of(hex)));
    return (struct puan_str){ (const char *)p, n };
}

static void assert_hex(const void *p, size_t n, const char *want)
{
    char *hex = puan_arena_get(&a, 2 * n + 1);

    puan_hex(hex, p, n);
    assert_string_equal(hex, want);
}

static void digest_is(const struct puan_digest_fn *fn, const char *text,
                      int times, const char *want)
{
    struct puan_str parts[16];
    uint8_t d[32];

    for (int i = 0; i < times; i++)
        parts[i] = puan_str_of(text);
    fn->hash(fn->ctx, d, parts, (size_t)times);
    assert_hex(d, 32, want);
}

static void digests_give_the_published_values(void **state)
{
    const struct puan_digest_fn *sm3 = puan_digest_sm3();
    uint8_t d[32];
    struct puan_str fox =
        PUAN_STR("The quick brown fox jumps over the lazy dog");

    (void)state;
    digest_is(
        sm3, "", 1,
        "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b");
    digest_is(
        sm3, "abc", 1,
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
    digest_is(
        sm3, "abcd", 16,
        "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732");
    digest_is(
        puan_digest_sha256(), "abc", 1,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sm3->mac(sm3->ctx, d, PUAN_STR("key"), &fox, 1);
    assert_hex(
        d, 32,
        "bd4a34077888162b210645b8ebf74b9af357303789357a27c7fc457244ebd398");
    assert_ptr_equal(puan_digest_by_name(PUAN_STR("sm3")), sm3);
    assert_null(puan_digest_by_name(PUAN_STR("md5")));
}

static void hmac_sha256_gives_rfc_4231(void **state)
{
    const struct puan_digest_fn *fn = puan_digest_sha256();
    struct puan_str text =
        PUAN_STR("Test Using Larger Than Block-Size Key - Hash Key First");
    uint8_t key[131], d[32];

    (void)state;
    memset(key, 0xaa, sizeof(key));
    fn->mac(fn->ctx, d, (struct puan_str){ (char *)key, sizeof(key) }, &text,
            1);
    assert_hex(
        d, 32,
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    text = PUAN_STR("what do ya want for nothing?");
    fn->mac(fn->ctx, d, PUAN_STR("Jefe"), &text, 1);
    assert_hex(
        d, 32,
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void hkdf_gives_rfc_5869(void **state)
{
    uint8_t okm[42];

    (void)state;
    puan_hkdf(okm, sizeof(okm), puan_digest_sha256(),
              unhex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
              unhex("000102030405060708090a0b0c"),
              unhex("f0f1f2f3f4f5f6f7f8f9"));
    assert_hex(okm, sizeof(okm),
               "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5"
               "bf34007208d5b887185865");
}

static void pbkdf2_sm3_gives_the_published_values(void **state)
{
    struct puan_err err = { 0 };
    uint8_t d[32];

    (void)state;
    assert_int_equal(puan_pbkdf2(d, 32, puan_digest_sm3(),
                                 PUAN_STR("password"), PUAN_STR("salt"), 1,
                                 &err),
                     PUAN_OK);
    assert_hex(
        d, 32,
        "4612f922a1fdcefaf4312fc6f8f3322b489cbf24f2ea361b44c2bd8fa2c6dcb0");
    assert_int_equal(puan_pbkdf2(d, 32, puan_digest_sm3(),
                                 PUAN_STR("password"), PUAN_STR("salt"), 4096,
                                 &err),
                     PUAN_OK);
    assert_hex(
        d, 32,
        "b6e8f2074c87432b78f62e5ced980fdff89e86af2f693dab1638e2b3683045dd");
}

static void sm4_counter_mode_gives_the_published_value(void **state)
{
    struct puan_err err = { 0 };
    struct puan_str key = unhex("0123456789abcdeffedcba9876543210");
    struct puan_str iv = unhex("000102030405060708090a0b0c0d0e0f");
    struct puan_str in = unhex("aaaaaaaabbbbbbbbccccccccdddddddd"
                               "eeeeeeeeffffffffaaaaaaaabbbbbbbb");
    uint8_t out[32], zero[16] = { 0 };

    (void)state;
    assert_int_equal(puan_sm4_ctr(out, (const uint8_t *)key.p,
                                  (const uint8_t *)iv.p,
                                  (const uint8_t *)in.p, 32, &err),
                     PUAN_OK);
    assert_hex(
        out, 32,
        "ac3236cb861dd316e6413b4e3c7524b781e9e3a5bf5c03fe703bb94f3abb16a1");
    /* one block: the counter block itself enciphered */
    assert_int_equal(puan_sm4_ctr(out, (const uint8_t *)key.p,
                                  (const uint8_t *)key.p, zero, 16, &err),
                     PUAN_OK);
    assert_hex(out, 16, "681edf34d206965e86b3e94f536e4246");
}

static void a_sealed_value_opens_only_where_it_belongs(void **state)
{
    (void)state;
    for (uint8_t suite = 1; suite <= 2; suite++) {
        struct puan_err err = { 0 };
        struct puan_seal_key k, other;
        uint8_t raw[32] = { 7 };
        struct puan_out o;
        struct puan_str plain, sealed;
        struct puan_str aad = puan_seal_aad(&a, 370883, "ret", "vault", 1,
                                            PUAN_STR("370883001001001001"));
        struct puan_str text = PUAN_STR("张三丰 370883198001010011");

        puan_seal_key_init(&k, suite, 1, raw);
        raw[0] = 8;
        puan_seal_key_init(&other, suite, 1, raw);
        puan_out_init(&o, &a);
        assert_int_equal(puan_seal(&o, &k, aad, text, &err), PUAN_OK);
        sealed = puan_out_view(&o);
        assert_int_equal(sealed.n, text.n + PUAN_SEAL_OVERHEAD);
        assert_int_equal(sealed.p[0], suite);
        assert_int_equal(puan_sealed_version(sealed), 1);
        assert_int_equal(puan_unseal(&plain, &k, aad, sealed, &a, &err),
                         PUAN_OK);
        assert_true(puan_str_eq(plain, text));

        /* another row, another key, any changed bit, a shorter one */
        assert_int_equal(puan_unseal(&plain, &k,
                                     puan_seal_aad(&a, 370883, "ret", "vault",
                                                   1, PUAN_STR("1")),
                                     sealed, &a, NULL),
                         PUAN_EDENIED);
        assert_int_equal(puan_unseal(&plain, &other, aad, sealed, &a, NULL),
                         PUAN_EDENIED);
        for (size_t i = 0; i < sealed.n; i++) {
            o.p[i] ^= 0x10;
            assert_int_not_equal(
                puan_unseal(&plain, &k, aad, sealed, &a, NULL), PUAN_OK);
            assert_int_equal(plain.n, 0);
            o.p[i] ^= 0x10;
        }
        for (size_t n = 0; n < sealed.n; n++)
            assert_int_not_equal(
                puan_unseal(&plain, &k, aad,
                            (struct puan_str){ sealed.p, n }, &a, NULL),
                PUAN_OK);
    }
}

static void the_empty_value_seals_and_nonces_differ(void **state)
{
    (void)state;
    for (uint8_t suite = 1; suite <= 2; suite++) {
        struct puan_err err = { 0 };
        struct puan_seal_key k;
        uint8_t raw[32] = { 1 };
        struct puan_out x, y;
        struct puan_str plain;

        puan_seal_key_init(&k, suite, 3, raw);
        puan_out_init(&x, &a);
        puan_out_init(&y, &a);
        assert_int_equal(puan_seal(&x, &k, PUAN_STR(""), PUAN_STR(""), &err),
                         PUAN_OK);
        assert_int_equal(puan_seal(&y, &k, PUAN_STR(""), PUAN_STR(""), &err),
                         PUAN_OK);
        assert_memory_not_equal(x.p, y.p, PUAN_SEAL_OVERHEAD);
        assert_int_equal(puan_unseal(&plain, &k, PUAN_STR(""),
                                     puan_out_view(&x), &a, &err),
                         PUAN_OK);
        assert_int_equal(plain.n, 0);
    }
}

/* Signature of GB/T 32918.5 for "message digest", as DER. */
static void sm2_accepts_the_published_signature(void **state)
{
    struct puan_err err = { 0 };
    struct puan_sign_key *k = NULL;
    struct puan_str spki = unhex(
        "3059301306072a8648ce3d020106082a811ccf5501822d034200"
        "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
        "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13");
    struct puan_str sig = unhex(
        "3046022100"
        "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
        "022100"
        "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa");
    /* ZA and e as the standard prints them */
    struct puan_str za = unhex(
        "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3");
    struct puan_str parts[2] = { za, PUAN_STR("message digest") };
    struct puan_str za_in = unhex(
        "008031323334353637383132333435363738"
        "fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc"
        "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93"
        "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
        "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
        "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
        "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13");
    uint8_t d[32];

    (void)state;
    puan_digest_one(d, puan_digest_sm3(), za_in);
    assert_memory_equal(d, za.p, 32);
    puan_digest_sm3()->hash(puan_digest_sm3()->ctx, d, parts, 2);
    assert_hex(
        d, 32,
        "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640");

    assert_int_equal(puan_sign_load_public(&k, spki, &err), PUAN_OK);
    assert_int_equal(puan_sign_alg_of(k), PUAN_SIGN_SM2);
    assert_int_equal(
        puan_sign_verify(k, PUAN_STR("message digest"), sig, &err), PUAN_OK);
    assert_int_equal(
        puan_sign_verify(k, PUAN_STR("message digesT"), sig, &err),
        PUAN_EDENIED);
    puan_sign_free(k);
}

/* RFC 8032 7.1, test 2. */
static void ed25519_gives_rfc_8032(void **state)
{
    struct puan_err err = { 0 };
    struct puan_sign_key *k = NULL;
    uint8_t sig[PUAN_SIGNATURE_MAX];
    size_t n;

    (void)state;
    assert_int_equal(
        puan_sign_load(
            &k,
            unhex("302e020100300506032b657004220420"
                  "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8"
                  "a6fb"),
            &err),
        PUAN_OK);
    assert_int_equal(puan_sign(sig, &n, k, unhex("72"), &err), PUAN_OK);
    assert_hex(sig, n,
               "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69"
               "da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb"
               "0c00");
    puan_sign_free(k);
}

static void keys_sign_and_verify_after_a_round_trip(void **state)
{
    static const enum puan_sign_alg algs[] = { PUAN_SIGN_SM2,
                                               PUAN_SIGN_ED25519 };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct puan_err err = { 0 };
        struct puan_sign_key *k = NULL, *pub = NULL, *priv = NULL;
        struct puan_str der;
        uint8_t sig[PUAN_SIGNATURE_MAX];
        size_t n;

        assert_int_equal(puan_sign_generate(&k, algs[i], &err), PUAN_OK);
        assert_int_equal(puan_sign_private(&der, k, &a, &err), PUAN_OK);
        assert_int_equal(puan_sign_load(&priv, der, &err), PUAN_OK);
        assert_int_equal(puan_sign_public(&der, k, &a, &err), PUAN_OK);
        assert_int_equal(puan_sign_load_public(&pub, der, &err), PUAN_OK);
        assert_int_equal(puan_sign(sig, &n, priv, PUAN_STR("cut"), &err),
                         PUAN_OK);
        assert_int_equal(
            puan_sign_verify(pub, PUAN_STR("cut"),
                             (struct puan_str){ (char *)sig, n }, &err),
            PUAN_OK);
        sig[10] ^= 1;
        assert_int_equal(
            puan_sign_verify(pub, PUAN_STR("cut"),
                             (struct puan_str){ (char *)sig, n }, NULL),
            PUAN_EDENIED);
        assert_int_not_equal(puan_sign(sig, &n, pub, PUAN_STR("cut"), NULL),
                             PUAN_OK);
        puan_sign_free(k);
        puan_sign_free(pub);
        puan_sign_free(priv);
    }
    struct puan_sign_key *none = NULL;

    assert_int_equal(puan_sign_load(&none, PUAN_STR("junk"), NULL),
                     PUAN_EINVAL);
}

static void a_password_is_known_again_and_no_other(void **state)
{
    struct puan_err err = { 0 };
    char x[PUAN_PASSWORD_MAX], y[PUAN_PASSWORD_MAX];

    (void)state;
    assert_int_equal(puan_password_hash(x, PUAN_STR("普查2020!"), &err),
                     PUAN_OK);
    assert_int_equal(puan_password_hash(y, PUAN_STR("普查2020!"), &err),
                     PUAN_OK);
    assert_string_not_equal(x, y); /* salted */
    assert_int_equal(strncmp(x, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
    assert_int_equal(puan_password_check(x, PUAN_STR("普查2020!"), &err),
                     PUAN_OK);
    assert_int_equal(puan_password_check(x, PUAN_STR("普查2020"), NULL),
                     PUAN_EDENIED);
    assert_int_equal(puan_password_check("junk", PUAN_STR("x"), NULL),
                     PUAN_EDENIED);
}

static void totp_gives_rfc_6238(void **state)
{
    struct puan_str secret = PUAN_STR("12345678901234567890");
    int64_t last = 0;

    (void)state;
    assert_int_equal(puan_totp(secret, 59, 8), 94287082);
    assert_int_equal(puan_totp(secret, 1111111109, 8), 7081804);
    assert_int_equal(puan_totp(secret, 1234567890, 8), 89005924);
    assert_int_equal(puan_totp(secret, 20000000000, 8), 65353130);
    /* one code, once, within a step to either side */
    assert_true(
        puan_totp_check(&last, secret, PUAN_STR("005924"), 1234567890 + 30));
    assert_false(
        puan_totp_check(&last, secret, PUAN_STR("005924"), 1234567890));
    last = 0;
    assert_false(
        puan_totp_check(&last, secret, PUAN_STR("005924"), 1234567890 + 90));
    assert_false(
        puan_totp_check(&last, secret, PUAN_STR("05924"), 1234567890));
}

static void base32_and_base64_give_rfc_4648(void **state)
{
    static const char *const t[][3] = {
        { "", "", "" },
        { "f", "MY", "Zg==" },
        { "fo", "MZXQ", "Zm8=" },
        { "foo", "MZXW6", "Zm9v" },
        { "foob", "MZXW6YQ", "Zm9vYg==" },
        { "fooba", "MZXW6YTB", "Zm9vYmE=" },
        { "foobar", "MZXW6YTBOI", "Zm9vYmFy" },
    };
    char text[32];
    uint8_t raw[16];

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(t); i++) {
        size_t n = strlen(t[i][0]);

        puan_base32(text, (const uint8_t *)t[i][0], n);
        assert_string_equal(text, t[i][1]);
        assert_int_equal(puan_base32_size(n), strlen(text));
        assert_int_equal(puan_unbase32(raw, 16, puan_str_of(text)), n);
        assert_memory_equal(raw, t[i][0], n);
        puan_base64(text, (const uint8_t *)t[i][0], n);
        assert_string_equal(text, t[i][2]);
        assert_int_equal(puan_unbase64(raw, 16, puan_str_of(text)), n);
        assert_memory_equal(raw, t[i][0], n);
    }
    assert_int_equal(puan_unbase32(raw, 16, PUAN_STR("mzxw-6ytb oi==")), 6);
    assert_int_equal(puan_unbase32(raw, 16, PUAN_STR("MZ1")), -1);
    assert_int_equal(puan_unbase32(raw, 16, PUAN_STR("MZ")), -1);
    assert_int_equal(puan_unbase32(raw, 2, PUAN_STR("MZXW6")), -1);
    assert_int_equal(puan_unbase64(raw, 16, PUAN_STR("Zg=")), -1);
    assert_int_equal(puan_unbase64(raw, 16, PUAN_STR("Zh==")), -1);
    assert_int_equal(puan_unbase64(raw, 16, PUAN_STR("=g==")), -1);
}

static void any_two_shares_give_the_key_back(void **state)
{
    struct puan_err err = { 0 };
    struct puan_key_shares s;
    uint8_t secret[32], got[32];
    char typo[PUAN_KEY_SHARE_TEXT];

    (void)state;
    assert_int_equal(puan_os_random(secret, 32, &err), PUAN_OK);
    assert_int_equal(puan_shares_split(&s, secret, &err), PUAN_OK);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            memset(got, 0, 32);
            if (i == j) {
                assert_int_equal(puan_shares_join(got,
                                                  puan_str_of(s.text[i]),
                                                  puan_str_of(s.text[j]),
                                                  NULL),
                                 PUAN_EINVAL);
                continue;
            }
            assert_int_equal(puan_shares_join(got, puan_str_of(s.text[i]),
                                              puan_str_of(s.text[j]), &err),
                             PUAN_OK);
            assert_memory_equal(got, secret, 32);
        }
    memcpy(typo, s.text[0], sizeof(typo));
    typo[20] = typo[20] == 'A' ? 'B' : 'A';
    assert_int_equal(puan_shares_join(got, puan_str_of(typo),
                                      puan_str_of(s.text[1]), NULL),
                     PUAN_EINVAL);
    assert_int_equal(puan_shares_join(got, PUAN_STR("PUAN1-"),
                                      puan_str_of(s.text[1]), NULL),
                     PUAN_EINVAL);
}

static void keys_open_again_and_refuse_a_wrong_kek(void **state)
{
    static const char *const suites[] = { "sm", "intl" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct puan_err err = { 0 };
        struct puan_key_shares s;
        struct puan_keys *k = NULL;
        const struct puan_seal_key *v = NULL, *w = NULL;
        uint8_t t1[16], t2[16];
        struct puan_str plain, sealed;
        struct puan_out o;
        const char *dir, *kek;

        assert_int_equal(puan_dir_temp(&dir, &a, &err), PUAN_OK);
        kek = puan_arena_fmt(&a, "%s/kek", dir);
        assert_int_equal(puan_keys_create(dir, puan_suite_by_name(suites[i]),
                                          false, kek, &s, &err),
                         PUAN_OK);
        assert_int_equal(puan_keys_create(dir, puan_suite_by_name(suites[i]),
                                          false, kek, &s, NULL),
                         PUAN_ECONFLICT);
        assert_int_equal(
            puan_keys_open(&k, dir, &(struct puan_kek_source){ .file = kek },
                           &err),
            PUAN_OK);
        assert_null(puan_keys_data(k, 370883, "vault"));
        assert_int_equal(
            puan_keys_data_make(&v, k, 370883, "vault", &err), PUAN_OK);
        assert_int_equal(
            puan_keys_data_make(&w, k, 370883, "vault", &err), PUAN_OK);
        assert_ptr_equal(v, w);
        assert_int_equal(
            puan_keys_data_make(&w, k, 370881, "vault", &err), PUAN_OK);
        assert_memory_not_equal(v->enc, w->enc, 32);
        assert_int_equal(puan_keys_data_make(&w, k, 1, "../x", NULL),
                         PUAN_EBUG);
        puan_out_init(&o, &a);
        assert_int_equal(
            puan_seal(&o, v, PUAN_STR("r"), PUAN_STR("secret"), &err),
            PUAN_OK);
        sealed = puan_out_view(&o);
        puan_keys_token_of(t1, k, PUAN_STR("c"), "id", PUAN_STR("1"));
        puan_keys_close(k);

        /* with two shares instead of the file */
        assert_int_equal(puan_keys_open(&k, dir,
                                        &(struct puan_kek_source){
                                            .share = { s.text[2],
                                                       s.text[0] } },
                                        &err),
                         PUAN_OK);
        v = puan_keys_data(k, 370883, "vault");
        assert_non_null(v);
        assert_int_equal(
            puan_unseal(&plain, v, PUAN_STR("r"), sealed, &a, &err), PUAN_OK);
        assert_true(puan_str_is(plain, "secret"));
        puan_keys_token_of(t2, k, PUAN_STR("c"), "id", PUAN_STR("1"));
        assert_memory_equal(t1, t2, 16);
        puan_keys_token_of(t2, k, PUAN_STR("c"), "phone", PUAN_STR("1"));
        assert_memory_not_equal(t1, t2, 16);
        puan_keys_close(k);

        assert_int_equal(
            puan_file_write(kek, PUAN_STR("00000000000000000000000000000000"
                                          "00000000000000000000000000000000"),
                            0600, &err),
            PUAN_OK);
        assert_int_equal(
            puan_keys_open(&k, dir, &(struct puan_kek_source){ .file = kek },
                           NULL),
            PUAN_EDENIED);
        assert_null(k);
        /* no KEK named at all */
        unsetenv("PUAN_KEK_FILE");
        assert_int_equal(puan_keys_open(&k, dir, NULL, NULL), PUAN_ENOTFOUND);
        assert_int_equal(puan_dir_remove(dir, &err), PUAN_OK);
    }
}

static void one_key_cannot_take_the_place_of_another(void **state)
{
    struct puan_err err = { 0 };
    struct puan_keys *k = NULL;
    struct puan_str s;
    const char *dir;

    (void)state;
    assert_int_equal(puan_dir_temp(&dir, &a, &err), PUAN_OK);
    assert_int_equal(puan_keys_create(dir, puan_suite_by_name("sm"), true,
                                      NULL, NULL, &err),
                     PUAN_OK);
    assert_int_equal(puan_keys_open(&k, dir, NULL, &err), PUAN_OK);
    puan_keys_close(k);
    assert_int_equal(
        puan_file_read(&s, puan_arena_fmt(&a, "%s/keys/token.key", dir), 0, &a,
                       &err),
        PUAN_OK);
    assert_int_equal(
        puan_file_write(puan_arena_fmt(&a, "%s/keys/credential.key", dir), s,
                        0600, &err),
        PUAN_OK);
    assert_int_equal(puan_keys_open(&k, dir, NULL, NULL), PUAN_EDENIED);
    assert_int_equal(puan_dir_remove(dir, &err), PUAN_OK);
}

static void *hash_much(void *p)
{
    const struct puan_digest_fn *fn = puan_digest_sm3();
    struct puan_str s = PUAN_STR("abc");
    uint8_t d[32];
    char hex[65];

    for (int i = 0; i < 2000; i++) {
        fn->hash(fn->ctx, d, &s, 1);
        puan_hex(hex, d, 32);
        if (strncmp(hex, "66c7f0f4", 8) != 0)
            return p;
    }
    return NULL;
}

static void threads_hash_at_the_same_time(void **state)
{
    pthread_t t[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, hash_much, t), 0);
    for (int i = 0; i < 4; i++) {
        void *bad = t;

        assert_int_equal(pthread_join(t[i], &bad), 0);
        assert_null(bad);
    }
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(digests_give_the_published_values),
        T(hmac_sha256_gives_rfc_4231),
        T(hkdf_gives_rfc_5869),
        T(pbkdf2_sm3_gives_the_published_values),
        T(sm4_counter_mode_gives_the_published_value),
        T(a_sealed_value_opens_only_where_it_belongs),
        T(the_empty_value_seals_and_nonces_differ),
        T(sm2_accepts_the_published_signature),
        T(ed25519_gives_rfc_8032),
        T(keys_sign_and_verify_after_a_round_trip),
        T(a_password_is_known_again_and_no_other),
        T(totp_gives_rfc_6238),
        T(base32_and_base64_give_rfc_4648),
        T(any_two_shares_give_the_key_back),
        T(keys_open_again_and_refuse_a_wrong_kek),
        T(one_key_cannot_take_the_place_of_another),
        T(threads_hash_at_the_same_time),
    };

    return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
