/*
 * Tests of the ledger's pure functions, with a SHA-256 of their own so that
 * the vectors of RFC 6962's test suite apply.
 */
#include "core/ledger/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/test_heap.h"

/* ---- SHA-256 (FIPS 180-4), plain ---------------------------------------- */

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
};

static uint32_t rotr(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static void block(uint32_t s[8], const uint8_t *p)
{
    uint32_t w[64], v[8];

    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 |
               (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
    for (int i = 16; i < 64; i++)
        w[i] = w[i - 16] + w[i - 7] +
               (rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ w[i - 15] >> 3) +
               (rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ w[i - 2] >> 10);
    memcpy(v, s, sizeof(v));
    for (int i = 0; i < 64; i++) {
        uint32_t t1 = v[7] +
                      (rotr(v[4], 6) ^ rotr(v[4], 11) ^ rotr(v[4], 25)) +
                      ((v[4] & v[5]) ^ (~v[4] & v[6])) + K[i] + w[i];
        uint32_t t2 = (rotr(v[0], 2) ^ rotr(v[0], 13) ^ rotr(v[0], 22)) +
                      ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

        memmove(v + 1, v, 7 * sizeof(v[0]));
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        s[i] += v[i];
}

static void sha256(void *ctx, uint8_t out[32], const struct puan_str *parts,
                   size_t n)
{
    uint32_t s[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    uint8_t buf[64];
    size_t have = 0;
    uint64_t bits = 0;

    (void)ctx;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < parts[i].n; k++) {
            buf[have++] = (uint8_t)parts[i].p[k];
            bits += 8;
            if (have == 64) {
                block(s, buf);
                have = 0;
            }
        }
    buf[have++] = 0x80;
    if (have > 56) {
        memset(buf + have, 0, 64 - have);
        block(s, buf);
        have = 0;
    }
    memset(buf + have, 0, 56 - have);
    for (int i = 0; i < 8; i++)
        buf[56 + i] = (uint8_t)(bits >> (56 - 8 * i));
    block(s, buf);
    for (int i = 0; i < 32; i++)
        out[i] = (uint8_t)(s[i / 4] >> (24 - 8 * (i % 4)));
}

static const struct puan_digest_fn fn = { .name = "sha256", .hash = sha256 };

/* ---- set-up --------------------------------------------------------------- */

static struct puan_test_scarce scarce = { .left = -1 };

static const struct puan_alloc heap = { puan_test_get, puan_test_put,
                                        &scarce };
static struct puan_arena a;

static int setup(void **state)
{
    (void)state;
    puan_arena_init(&a, &heap);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    puan_arena_clear(&a);
    return 0;
}

static void assert_hex(const uint8_t d[32], const char *want)
{
    char hex[65];

    puan_hex(hex, d, 32);
    assert_string_equal(hex, want);
}

static struct puan_entry sample(struct puan_cover_item *cover)
{
    static const char digest[33] = "01234567890123456789012345678901";
    struct puan_entry e = {
        .run = PUAN_RUN_DEMO,
        .scope = PUAN_STR("370883"),
        .seq = 300,
        .event_ms = 1604160000000,
        .entry_ms = -5,
        .actor = PUAN_STR("e-0001"),
        .seat = PUAN_STR("enumerator@370883001001001"),
        .device = PUAN_STR("d-17"),
        .verb = PUAN_STR("return.submit"),
        .subject = PUAN_STR("370883001001001001"),
        .new_digest = { digest, 32 },
        .plan = { digest, 32 },
        .note = PUAN_STR("首次"),
        .cover = cover,
        .n_cover = 2,
    };

    cover[0] = (struct puan_cover_item){ PUAN_STR("lot"), PUAN_STR("9"),
                                         { 1, 2, 3 } };
    cover[1] = (struct puan_cover_item){ PUAN_STR("lot"), PUAN_STR("10"),
                                         { 0 } };
    memset(e.previous, 0xab, sizeof(e.previous));
    return e;
}

/* ---- entries -------------------------------------------------------------- */

static void an_entry_comes_back_as_it_was(void **state)
{
    struct puan_cover_item cover[2];
    struct puan_entry e = sample(cover), d;
    struct puan_err err = { 0 };
    struct puan_out o;

    (void)state;
    puan_out_init(&o, &a);
    puan_entry_encode(&o, &e);
    assert_int_equal(puan_entry_decode(&d, puan_out_view(&o), &a, &err),
                     PUAN_OK);
    assert_int_equal(d.run, PUAN_RUN_DEMO);
    assert_int_equal(d.seq, 300);
    assert_true(d.entry_ms == -5 && d.event_ms == 1604160000000);
    assert_true(puan_str_is(d.verb, "return.submit"));
    assert_true(puan_str_is(d.note, "首次"));
    assert_int_equal(d.old_digest.n, 0);
    assert_int_equal(d.new_digest.n, 32);
    assert_int_equal(d.n_cover, 2);
    assert_true(puan_str_is(d.cover[1].key, "10"));
    assert_int_equal(d.cover[0].digest[2], 3);
    assert_int_equal(d.previous[31], 0xab);
}

static void a_damaged_entry_is_refused_or_is_another(void **state)
{
    struct puan_cover_item cover[2];
    struct puan_entry e = sample(cover), d;
    struct puan_out o;
    struct puan_str whole;
    uint8_t before[32], after[32];

    (void)state;
    puan_out_init(&o, &a);
    puan_entry_encode(&o, &e);
    whole = puan_out_view(&o);
    puan_entry_digest(before, &fn, whole);
    for (size_t n = 0; n < whole.n; n++)
        assert_int_equal(puan_entry_decode(
                             &d, (struct puan_str){ whole.p, n }, &a, NULL),
                         PUAN_EINVAL);
    for (size_t i = 0; i < whole.n; i++) {
        o.p[i] ^= 0x41;
        puan_entry_digest(after, &fn, whole);
        assert_memory_not_equal(before, after, 32);
        if (puan_entry_decode(&d, whole, &a, NULL) == PUAN_OK) {
            struct puan_out again; /* accepted: then it is canonical */

            puan_out_init(&again, &a);
            puan_entry_encode(&again, &d);
            assert_true(puan_str_eq(puan_out_view(&again), whole));
        }
        o.p[i] ^= 0x41;
    }
    puan_out_char(&o, 'x');
    assert_int_equal(puan_entry_decode(&d, puan_out_view(&o), &a, NULL),
                     PUAN_EINVAL);
}

static void a_longer_varint_of_the_same_number_is_refused(void **state)
{
    struct puan_entry e = { .scope = PUAN_STR("office"), .seq = 5 }, d;
    struct puan_out o, b;
    struct puan_str s;

    (void)state;
    puan_out_init(&o, &a);
    puan_entry_encode(&o, &e);
    s = puan_out_view(&o);
    /* seq stands behind version, run, length and "office" */
    assert_int_equal(s.p[9], 5);
    puan_out_init(&b, &a);
    puan_out_bytes(&b, s.p, 9);
    puan_out_u8(&b, 0x85);
    puan_out_u8(&b, 0x00);
    puan_out_bytes(&b, s.p + 10, s.n - 10);
    assert_int_equal(puan_entry_decode(&d, puan_out_view(&b), &a, NULL),
                     PUAN_EINVAL);
}

static void content_tells_kinds_and_borders_apart(void **state)
{
    struct puan_out x, y;
    uint8_t d1[32], d2[32];

    (void)state;
    puan_out_init(&x, &a);
    puan_out_init(&y, &a);
    puan_content_text(&x, PUAN_STR("ab"));
    puan_content_text(&x, PUAN_STR("c"));
    puan_content_text(&y, PUAN_STR("a"));
    puan_content_text(&y, PUAN_STR("bc"));
    assert_false(puan_str_eq(puan_out_view(&x), puan_out_view(&y)));
    puan_out_init(&x, &a);
    puan_out_init(&y, &a);
    puan_content_null(&x);
    puan_content_int(&y, 0);
    assert_false(puan_str_eq(puan_out_view(&x), puan_out_view(&y)));
    puan_cover_digest(d1, &fn, PUAN_STR("t"), PUAN_STR("1k"), PUAN_STR("c"));
    puan_cover_digest(d2, &fn, PUAN_STR("t1"), PUAN_STR("k"), PUAN_STR("c"));
    assert_memory_not_equal(d1, d2, 32);
}

static void a_return_digest_depends_on_every_part(void **state)
{
    struct puan_return_head h = { .household = 370883001001001001,
                                  .form = PUAN_STR("short"),
                                  .device = PUAN_STR("d"),
                                  .mode = PUAN_STR("self") };
    struct puan_str f = PUAN_STR("frame"), c = PUAN_STR("facts"),
                    s = PUAN_STR("sealed");
    uint8_t form[32] = { 1 }, d[12][32];
    size_t n = 0;

    (void)state;
    puan_return_digest(d[n++], &fn, &h, 1, form, f, c, s);
    puan_return_digest(d[n++], &fn, &h, 2, form, f, c, s);
    puan_return_digest(d[n++], &fn, &h, 1, form, PUAN_STR("framefac"),
                       PUAN_STR("ts"), s);
    puan_return_digest(d[n++], &fn, &h, 1, form, f, c, PUAN_STR("Sealed"));
    form[0] = 2;
    puan_return_digest(d[n++], &fn, &h, 1, form, f, c, s);
    form[0] = 1;
    h.is_signed = true;
    puan_return_digest(d[n++], &fn, &h, 1, form, f, c, s);
    h.household++;
    puan_return_digest(d[n++], &fn, &h, 1, form, f, c, s);
    h.counter = 7;
    puan_return_digest(d[n++], &fn, &h, 1, form, f, c, s);
    h.finished_ms = 7;
    puan_return_digest(d[n++], &fn, &h, 1, form, f, c, s);
    h.query = PUAN_STR("q");
    puan_return_digest(d[n++], &fn, &h, 1, form, f, c, s);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(d[i], d[k], 32);
}

/* ---- the tree ------------------------------------------------------------- */

/* The leaves of certificate-transparency's own tests are not 32 bytes, so the
   empty tree is theirs and the rest is checked against the definition. */
static void naive_root(uint8_t out[32], const struct puan_hash *d, uint64_t n)
{
    uint8_t l[32], r[32];
    uint64_t k = 1;

    if (n == 0) {
        sha256(NULL, out, NULL, 0);
    } else if (n == 1) {
        struct puan_str p[] = { { "\0", 1 }, { (const char *)d[0].b, 32 } };

        sha256(NULL, out, p, 2);
    } else {
        struct puan_str p[] = { { "\1", 1 },
                                { (const char *)l, 32 },
                                { (const char *)r, 32 } };

        while (k * 2 < n)
            k *= 2;
        naive_root(l, d, k);
        naive_root(r, d + k, n - k);
        sha256(NULL, out, p, 3);
    }
}

enum { LEAVES = 40 };
static struct puan_hash leaf[LEAVES];

static void make_leaves(void)
{
    for (int i = 0; i < LEAVES; i++) {
        struct puan_str s = { (const char *)&i, sizeof(i) };

        sha256(NULL, leaf[i].b, &s, 1);
    }
}

static void the_tree_grows_as_rfc_6962_defines_it(void **state)
{
    struct puan_err err = { 0 };
    struct puan_merkle m, back;
    uint8_t got[32], want[32];

    (void)state;
    make_leaves();
    puan_merkle_init(&m);
    puan_merkle_root(got, &m, &fn);
    assert_hex(
        got,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (uint64_t n = 1; n <= LEAVES; n++) {
        struct puan_out o;

        puan_merkle_add(&m, &fn, leaf[n - 1].b);
        naive_root(want, leaf, n);
        puan_merkle_root(got, &m, &fn);
        assert_memory_equal(got, want, 32);
        puan_merkle_tree_root(got, &fn, leaf, n);
        assert_memory_equal(got, want, 32);
        puan_out_init(&o, &a);
        puan_merkle_encode(&o, &m);
        assert_int_equal(puan_merkle_decode(&back, puan_out_view(&o), &err),
                         PUAN_OK);
        puan_merkle_root(got, &back, &fn);
        assert_memory_equal(got, want, 32);
        o.n--;
        assert_int_equal(puan_merkle_decode(&back, puan_out_view(&o), NULL),
                         PUAN_EINVAL);
    }
}

static void every_entry_is_proven_and_no_other(void **state)
{
    (void)state;
    make_leaves();
    for (uint64_t n = 1; n <= LEAVES; n++) {
        uint8_t root[32];

        puan_merkle_tree_root(root, &fn, leaf, n);
        for (uint64_t i = 0; i < n; i++) {
            struct puan_proof p;

            puan_merkle_inclusion(&p, &fn, leaf, n, i);
            assert_true(
                puan_merkle_inclusion_ok(&p, &fn, leaf[i].b, i, n, root));
            assert_false(puan_merkle_inclusion_ok(
                &p, &fn, leaf[(i + 1) % LEAVES].b, i, n, root));
            assert_false(
                puan_merkle_inclusion_ok(&p, &fn, leaf[i].b, n, n, root));
            if (n > 1) {
                assert_false(puan_merkle_inclusion_ok(&p, &fn, leaf[i].b,
                                                      (i + 1) % n, n, root));
                p.hash[p.n - 1][5] ^= 1;
                assert_false(
                    puan_merkle_inclusion_ok(&p, &fn, leaf[i].b, i, n, root));
                p.n--;
                assert_false(
                    puan_merkle_inclusion_ok(&p, &fn, leaf[i].b, i, n, root));
            }
        }
    }
}

static void a_longer_tree_proves_that_it_extends_a_shorter(void **state)
{
    (void)state;
    make_leaves();
    for (uint64_t n = 1; n <= LEAVES; n++)
        for (uint64_t m = 1; m <= n; m++) {
            uint8_t old[32], now[32], other[32];
            struct puan_proof p;

            puan_merkle_tree_root(old, &fn, leaf, m);
            puan_merkle_tree_root(now, &fn, leaf, n);
            puan_merkle_consistency(&p, &fn, leaf, m, n);
            assert_true(
                puan_merkle_consistency_ok(&p, &fn, m, n, old, now));
            leaf[m - 1].b[0] ^= 1; /* history rewritten */
            puan_merkle_tree_root(other, &fn, leaf, n);
            leaf[m - 1].b[0] ^= 1;
            assert_false(
                puan_merkle_consistency_ok(&p, &fn, m, n, old, other));
            if (p.n > 0) {
                p.hash[0][0] ^= 1;
                assert_false(
                    puan_merkle_consistency_ok(&p, &fn, m, n, old, now));
            }
            assert_false(
                puan_merkle_consistency_ok(&p, &fn, n + 1, n, old, now));
        }
}

/* ---- checkpoints ---------------------------------------------------------- */

static void a_checkpoint_comes_back_with_the_same_body(void **state)
{
    struct puan_err err = { 0 };
    struct puan_head head[] = {
        { PUAN_STR("office"), 12, { 1 }, { 2 } },
        { PUAN_STR("370883"), 0, { 0 }, { 0 } },
    };
    struct puan_checkpoint c = { PUAN_STR("ab\"c"), 1604160000000,
                                 PUAN_STR("sm3"),   head,
                                 2,                 PUAN_STR("sm2"),
                                 PUAN_STR("\x01\xff") },
                           d;
    struct puan_out body, text, again;

    (void)state;
    puan_out_init(&body, &a);
    puan_out_init(&text, &a);
    puan_out_init(&again, &a);
    puan_checkpoint_body(&body, &c);
    puan_checkpoint_text(&text, &c);
    assert_int_equal(puan_checkpoint_parse(&d, puan_out_view(&text), "w.json",
                                           &a, &err),
                     PUAN_OK);
    assert_int_equal(d.n, 2);
    assert_int_equal(d.store[0].height, 12);
    assert_int_equal(d.store[0].merkle[0], 2);
    assert_true(puan_str_is(d.alg, "sm2"));
    assert_true(puan_str_is(d.signature, "\x01\xff"));
    puan_checkpoint_body(&again, &d);
    assert_true(puan_str_eq(puan_out_view(&again), puan_out_view(&body)));
}

static void a_malformed_checkpoint_says_where(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{\"puan_checkpoint\":2}",
        "{\"puan_checkpoint\":1,\"installation\":\"a\",\"time_ms\":1,"
        "\"digest\":\"sm3\",\"stores\":{}}",
        "{\"puan_checkpoint\":1,\"installation\":\"a\",\"time_ms\":1,"
        "\"digest\":\"sm3\",\"stores\":[{\"name\":\"o\",\"height\":-1,"
        "\"head\":\"\",\"merkle\":\"\"}]}",
        "{\"puan_checkpoint\":1,\"installation\":\"a\",\"time_ms\":1,"
        "\"digest\":\"sm3\",\"stores\":[],\"signature\":\"0g\"}",
        "{\"puan_checkpoint\":1,\"installation\":\"a\",\"time_ms\":1,"
        "\"digest\":\"sm3\",\"stores\":[],\"extra\":1}",
    };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(bad); i++) {
        struct puan_err err = { 0 };
        struct puan_checkpoint c;

        assert_int_equal(puan_checkpoint_parse(&c, puan_str_of(bad[i]), "w",
                                               &a, &err),
                         PUAN_EINVAL);
        assert_true(err.text[0] != '\0');
    }
}

static void out_of_memory_is_said_at_every_allocation(void **state)
{
    struct puan_cover_item cover[2];
    struct puan_entry e = sample(cover), d;
    struct puan_head head[] = { { PUAN_STR("office"), 1, { 1 }, { 2 } } };
    struct puan_checkpoint c = { .installation = PUAN_STR("a"),
                                 .digest = PUAN_STR("sm3"),
                                 .store = head,
                                 .n = 1 },
                           back;
    struct puan_out entry, text;
    int tried = 0;

    (void)state;
    puan_out_init(&entry, &a);
    puan_entry_encode(&entry, &e);
    puan_out_init(&text, &a);
    puan_checkpoint_text(&text, &c);
    for (int pass = 0; pass < 2; pass++)
        for (int n = 0;; n++) {
            struct puan_err err = { 0 };
            struct puan_arena own;
            enum puan_status st;

            puan_arena_init(&own, &heap);
            scarce.left = n;
            st = pass == 0
                     ? puan_entry_decode(&d, puan_out_view(&entry), &own, &err)
                     : puan_checkpoint_parse(&back, puan_out_view(&text), "c",
                                             &own, &err);
            scarce.left = -1;
            puan_arena_clear(&own);
            if (st == PUAN_OK)
                break;
            assert_int_equal(st, PUAN_ENOMEM);
            tried++;
        }
    assert_true(tried >= 2);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_entry_comes_back_as_it_was),
        T(a_damaged_entry_is_refused_or_is_another),
        T(a_longer_varint_of_the_same_number_is_refused),
        T(content_tells_kinds_and_borders_apart),
        T(a_return_digest_depends_on_every_part),
        T(the_tree_grows_as_rfc_6962_defines_it),
        T(every_entry_is_proven_and_no_other),
        T(a_longer_tree_proves_that_it_extends_a_shorter),
        T(a_checkpoint_comes_back_with_the_same_body),
        T(a_malformed_checkpoint_says_where),
        T(out_of_memory_is_said_at_every_allocation),
    };

    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
