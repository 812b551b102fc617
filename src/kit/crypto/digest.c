/*
 * Digests, HMAC, key derivation (crypto.h).  Algorithms are fetched once a
 * process and contexts are kept per thread: a fetch costs more than the digest
 * of an entry.
 *
 * A digest that cannot be computed stops the process: a wrong one would be
 * written into the ledger.
 */
#include "kit/crypto/crypto.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

#include "kit/os/os.h"

struct algorithm {
    const char *fetch;
    size_t index; /* of the thread's contexts */
};

/* Never written to; not const because the core hands it back as void *. */
static struct algorithm algorithms[] = { { "SM3", 0 }, { "SHA256", 1 } };
static EVP_MD *md[PUAN_COUNT(algorithms)];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;

struct thread_state {
    EVP_MD_CTX *ctx[PUAN_COUNT(algorithms)];
};

static void thread_end(void *p)
{
    struct thread_state *t = p;

    for (size_t i = 0; i < PUAN_COUNT(algorithms); i++)
        EVP_MD_CTX_free(t->ctx[i]);
    free(t);
}

static void fetch_all(void)
{
    for (size_t i = 0; i < PUAN_COUNT(algorithms); i++) {
        md[i] = EVP_MD_fetch(NULL, algorithms[i].fetch, NULL);
        if (!md[i])
            abort();
    }
    if (pthread_key_create(&key, thread_end) != 0)
        abort();
}

static EVP_MD_CTX *context(const struct algorithm *alg)
{
    struct thread_state *t;

    pthread_once(&once, fetch_all);
    t = pthread_getspecific(key);
    if (!t) {
        t = calloc(1, sizeof(*t));
        if (!t || pthread_setspecific(key, t) != 0)
            abort();
    }
    if (!t->ctx[alg->index]) {
        t->ctx[alg->index] = EVP_MD_CTX_new();
        if (!t->ctx[alg->index] ||
            EVP_DigestInit_ex2(t->ctx[alg->index], md[alg->index], NULL) != 1)
            abort();
    }
    return t->ctx[alg->index];
}

static void run(EVP_MD_CTX *c, const void *first, size_t first_n,
                const struct puan_str *parts, size_t n,
                uint8_t out[PUAN_DIGEST_SIZE])
{
    /* NULL: the same algorithm again, without a new look-up */
    int ok = EVP_DigestInit_ex2(c, NULL, NULL);

    if (first_n)
        ok &= EVP_DigestUpdate(c, first, first_n);
    for (size_t i = 0; i < n; i++)
        if (parts[i].n)
            ok &= EVP_DigestUpdate(c, parts[i].p, parts[i].n);
    if (ok != 1 || EVP_DigestFinal_ex(c, out, NULL) != 1)
        abort();
}

static void hash(void *ctx, uint8_t out[PUAN_DIGEST_SIZE],
                 const struct puan_str *parts, size_t n)
{
    run(context(ctx), NULL, 0, parts, n, out);
}

#define BLOCK 64 /* SM3 and SHA-256 alike */

static void mac(void *ctx, uint8_t out[PUAN_DIGEST_SIZE], struct puan_str k,
                const struct puan_str *parts, size_t n)
{
    EVP_MD_CTX *c = context(ctx);
    uint8_t pad[BLOCK] = { 0 }, inner[PUAN_DIGEST_SIZE];
    struct puan_str in = { (const char *)inner, sizeof(inner) };

    if (k.n > BLOCK)
        run(c, k.p, k.n, NULL, 0, pad);
    else if (k.n)
        memcpy(pad, k.p, k.n);
    for (size_t i = 0; i < BLOCK; i++)
        pad[i] ^= 0x36;
    run(c, pad, BLOCK, parts, n, inner);
    for (size_t i = 0; i < BLOCK; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    run(c, pad, BLOCK, &in, 1, out);
    puan_os_wipe(pad, sizeof(pad));
}

static const struct puan_digest_fn sm3 = { "sm3", &algorithms[0], hash, mac };
static const struct puan_digest_fn sha256 = { "sha256", &algorithms[1], hash,
                                              mac };

const struct puan_digest_fn *puan_digest_sm3(void)
{
    return &sm3;
}

const struct puan_digest_fn *puan_digest_sha256(void)
{
    return &sha256;
}

const struct puan_digest_fn *puan_digest_by_name(struct puan_str name)
{
    if (puan_str_is(name, "sm3"))
        return puan_digest_sm3();
    if (puan_str_is(name, "sha256"))
        return puan_digest_sha256();
    return NULL;
}

static const struct puan_suite suites[] = {
    { "sm", 1, &sm3, PUAN_SIGN_SM2 },
    { "intl", 2, &sha256, PUAN_SIGN_ED25519 },
};

const struct puan_suite *puan_suite_by_name(const char *name)
{
    for (size_t i = 0; i < PUAN_COUNT(suites); i++)
        if (strcmp(suites[i].name, name) == 0)
            return &suites[i];
    return NULL;
}

const struct puan_suite *puan_suite_by_byte(uint8_t byte)
{
    for (size_t i = 0; i < PUAN_COUNT(suites); i++)
        if (suites[i].byte == byte)
            return &suites[i];
    return NULL;
}

void puan_digest_one(uint8_t out[PUAN_DIGEST_SIZE],
                     const struct puan_digest_fn *fn, struct puan_str s)
{
    fn->hash(fn->ctx, out, &s, 1);
}

bool puan_equal_const(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

void puan_hkdf(uint8_t *out, size_t out_n, const struct puan_digest_fn *fn,
               struct puan_str secret, struct puan_str salt,
               struct puan_str info)
{
    uint8_t prk[PUAN_DIGEST_SIZE], t[PUAN_DIGEST_SIZE], i = 0;
    static const char zeros[PUAN_DIGEST_SIZE];
    struct puan_str prk_s = { (const char *)prk, sizeof(prk) };

    if (salt.n == 0)
        salt = (struct puan_str){ zeros, sizeof(zeros) };
    fn->mac(fn->ctx, prk, salt, &secret, 1);
    while (out_n > 0) {
        size_t n = out_n < sizeof(t) ? out_n : sizeof(t);
        uint8_t counter = (uint8_t)(i + 1);
        struct puan_str parts[] = {
            { (const char *)t, i ? sizeof(t) : 0 },
            info,
            { (const char *)&counter, 1 },
        };

        fn->mac(fn->ctx, t, prk_s, parts, 3);
        memcpy(out, t, n);
        out += n;
        out_n -= n;
        i = counter;
    }
    puan_os_wipe(prk, sizeof(prk));
    puan_os_wipe(t, sizeof(t));
}

enum puan_status puan_pbkdf2(uint8_t *out, size_t out_n,
                             const struct puan_digest_fn *fn,
                             struct puan_str password, struct puan_str salt,
                             unsigned rounds, struct puan_err *err)
{
    pthread_once(&once, fetch_all);
    if (out_n > INT_MAX || password.n > INT_MAX || salt.n > INT_MAX ||
        rounds > INT_MAX || rounds == 0)
        return puan_fail(err, PUAN_EINVAL, "pbkdf2", "out of range");
    if (PKCS5_PBKDF2_HMAC(password.p, (int)password.n,
                          (const unsigned char *)salt.p, (int)salt.n,
                          (int)rounds, strcmp(fn->name, "sm3") ? md[1] : md[0],
                          (int)out_n, out) != 1)
        return puan_fail(err, PUAN_ENOMEM, "pbkdf2", "out of memory");
    return PUAN_OK;
}

enum puan_status puan_md5_hex(char out[33], struct puan_str s,
                              struct puan_err *err)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (EVP_Digest(s.p, s.n, sum, &n, EVP_md5(), NULL) != 1 || n != 16)
        return puan_fail(err, PUAN_EIO, "md5", "is not offered here");
    puan_hex(out, sum, 16);
    return PUAN_OK;
}
