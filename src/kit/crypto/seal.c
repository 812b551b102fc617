/*
 * Sealed values (crypto.h): SM4-CTR then HMAC-SM3, or AES-256-GCM.  Cipher
 * contexts are kept per thread; no key outlives the call in them.
 *
 * Layout: suite u8, key version u16, nonce 12, ciphertext, tag 16.
 */
#include <limits.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

#include "kit/crypto/crypto.h"
#include "kit/os/os.h"

enum { HEAD = 15, NONCE = 12, TAG = 16 };

static EVP_CIPHER *sm4, *aes;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;

static void thread_end(void *p)
{
    EVP_CIPHER_CTX_free(p);
}

static void fetch_all(void)
{
    sm4 = EVP_CIPHER_fetch(NULL, "SM4-CTR", NULL);
    aes = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    if (pthread_key_create(&key, thread_end) != 0)
        abort();
}

/* The thread's context, or NULL when out of memory. */
static EVP_CIPHER_CTX *context(void)
{
    EVP_CIPHER_CTX *c;

    pthread_once(&once, fetch_all);
    c = pthread_getspecific(key);
    if (!c) {
        c = EVP_CIPHER_CTX_new();
        if (c && pthread_setspecific(key, c) != 0) {
            EVP_CIPHER_CTX_free(c);
            c = NULL;
        }
    }
    return c;
}

static enum puan_status broken(struct puan_err *err)
{
    return puan_fail(err, PUAN_EIO, "crypto",
                     "the cipher is not available; check OpenSSL's providers");
}

enum puan_status puan_sm4_ctr(uint8_t *out, const uint8_t k[16],
                              const uint8_t iv[16], const uint8_t *in,
                              size_t n, struct puan_err *err)
{
    EVP_CIPHER_CTX *c = context();
    enum puan_status st = PUAN_OK;
    int len = 0;

    if (n > INT_MAX / 2)
        return puan_fail(err, PUAN_ELIMIT, "crypto", "the value is too long");
    if (!c || !sm4 || EVP_EncryptInit_ex2(c, sm4, k, iv, NULL) != 1 ||
        EVP_EncryptUpdate(c, out, &len, in, (int)n) != 1 || (size_t)len != n)
        st = broken(err);
    if (c)
        EVP_CIPHER_CTX_reset(c);
    return st;
}

void puan_seal_key_init(struct puan_seal_key *k, uint8_t suite,
                        uint16_t version, const uint8_t data_key[32])
{
    const struct puan_suite *s = puan_suite_by_byte(suite);
    struct puan_str secret = { (const char *)data_key, 32 };

    memset(k, 0, sizeof(*k));
    k->suite = suite;
    k->version = version;
    if (!s)
        return; /* every use of it fails by its suite */
    puan_hkdf(k->enc, 32, s->digest, secret, PUAN_STR(""),
              PUAN_STR("puan seal enc"));
    puan_hkdf(k->mac, 32, s->digest, secret, PUAN_STR(""),
              PUAN_STR("puan seal mac"));
}

struct puan_str puan_seal_aad(struct puan_arena *a, int64_t county,
                              const char *table, const char *column,
                              uint16_t version, struct puan_str row)
{
    return puan_str_of(puan_arena_fmt(a, "%lld|%s|%s|%u|%.*s",
                                      (long long)county, table, column,
                                      (unsigned)version, PUAN_FMT(row)));
}

/* Encrypt-then-MAC: the lengths are in it, so parts cannot be shifted. */
static void tag_sm(uint8_t tag[PUAN_DIGEST_SIZE],
                   const struct puan_seal_key *k, struct puan_str aad,
                   const uint8_t *sealed, size_t n)
{
    const struct puan_digest_fn *fn = puan_digest_sm3();
    uint8_t len[8];
    struct puan_str parts[] = {
        { (const char *)len, sizeof(len) },
        aad,
        { (const char *)sealed, n },
    };

    for (size_t i = 0; i < 8; i++)
        len[i] = (uint8_t)((uint64_t)aad.n >> (8 * i));
    fn->mac(fn->ctx, tag,
            (struct puan_str){ (const char *)k->mac, sizeof(k->mac) }, parts,
            3);
}

static enum puan_status seal_gcm(uint8_t *p, const struct puan_seal_key *k,
                                 struct puan_str aad, struct puan_str plain,
                                 struct puan_err *err)
{
    EVP_CIPHER_CTX *c = context();
    enum puan_status st = PUAN_OK;
    int len = 0;

    if (!c || !aes || EVP_EncryptInit_ex2(c, aes, k->enc, p + 3, NULL) != 1 ||
        EVP_EncryptUpdate(c, NULL, &len, p, 3) != 1 ||
        (aad.n && EVP_EncryptUpdate(c, NULL, &len,
                                    (const unsigned char *)aad.p,
                                    (int)aad.n) != 1) ||
        (plain.n && EVP_EncryptUpdate(c, p + HEAD, &len,
                                      (const unsigned char *)plain.p,
                                      (int)plain.n) != 1) ||
        EVP_EncryptFinal_ex(c, p + HEAD + plain.n, &len) != 1 ||
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG,
                            p + HEAD + plain.n) != 1)
        st = broken(err);
    if (c)
        EVP_CIPHER_CTX_reset(c);
    return st;
}

enum puan_status puan_seal(struct puan_out *out, const struct puan_seal_key *k,
                           struct puan_str aad, struct puan_str plain,
                           struct puan_err *err)
{
    static const uint8_t zeros[TAG];
    uint8_t head[HEAD], iv[16] = { 0 }, tag[PUAN_DIGEST_SIZE];
    enum puan_status st;
    uint8_t *p;
    size_t at;

    if (plain.n > (1u << 28) || aad.n > 4096)
        return puan_fail(err, PUAN_ELIMIT, "seal", "the value is too long");
    head[0] = k->suite;
    head[1] = (uint8_t)(k->version & 0xff);
    head[2] = (uint8_t)(k->version >> 8);
    st = puan_os_random(head + 3, NONCE, err);
    if (st != PUAN_OK)
        return st;
    at = out->n;
    puan_out_bytes(out, head, HEAD);
    puan_out_str(out, plain);
    puan_out_bytes(out, zeros, TAG);
    st = puan_arena_check(out->arena, err);
    if (st != PUAN_OK)
        return st;
    p = (uint8_t *)out->p + at;
    switch (k->suite) {
    case 1:
        memcpy(iv, head + 3, NONCE);
        st = puan_sm4_ctr(p + HEAD, k->enc, iv, p + HEAD, plain.n, err);
        if (st != PUAN_OK)
            break;
        tag_sm(tag, k, aad, p, HEAD + plain.n);
        memcpy(p + HEAD + plain.n, tag, TAG);
        break;
    case 2:
        st = seal_gcm(p, k, aad, plain, err);
        break;
    default:
        st = puan_fail(err, PUAN_EINVAL, "seal", "unknown suite %u",
                       (unsigned)k->suite);
    }
    if (st != PUAN_OK) { /* nothing in clear stays behind */
        puan_os_wipe(p, HEAD + plain.n + TAG);
        out->n = at;
    }
    return st;
}

int puan_sealed_version(struct puan_str s)
{
    if (s.n < PUAN_SEAL_OVERHEAD)
        return -1;
    return (uint8_t)s.p[1] | (uint8_t)s.p[2] << 8;
}

static enum puan_status wrong_tag(struct puan_err *err)
{
    return puan_fail(err, PUAN_EDENIED, "seal",
                     "the sealed value was changed, moved, or is under "
                     "another key");
}

static enum puan_status unseal_gcm(uint8_t *plain,
                                   const struct puan_seal_key *k,
                                   struct puan_str aad, const uint8_t *p,
                                   size_t n, struct puan_err *err)
{
    EVP_CIPHER_CTX *c = context();
    enum puan_status st = PUAN_OK;
    uint8_t tag[TAG];
    int len = 0;

    memcpy(tag, p + HEAD + n, TAG);
    if (!c || !aes || EVP_DecryptInit_ex2(c, aes, k->enc, p + 3, NULL) != 1 ||
        EVP_DecryptUpdate(c, NULL, &len, p, 3) != 1 ||
        (aad.n && EVP_DecryptUpdate(c, NULL, &len,
                                    (const unsigned char *)aad.p,
                                    (int)aad.n) != 1) ||
        (n && EVP_DecryptUpdate(c, plain, &len, p + HEAD, (int)n) != 1) ||
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG, tag) != 1)
        st = broken(err);
    else if (EVP_DecryptFinal_ex(c, plain + n, &len) != 1)
        st = wrong_tag(err);
    if (c)
        EVP_CIPHER_CTX_reset(c);
    return st;
}

enum puan_status puan_unseal(struct puan_str *plain,
                             const struct puan_seal_key *k,
                             struct puan_str aad, struct puan_str sealed,
                             struct puan_arena *a, struct puan_err *err)
{
    const uint8_t *p = (const uint8_t *)sealed.p;
    uint8_t iv[16] = { 0 }, tag[PUAN_DIGEST_SIZE];
    enum puan_status st;
    uint8_t *out;
    size_t n;

    *plain = (struct puan_str){ "", 0 };
    if (sealed.n < PUAN_SEAL_OVERHEAD || sealed.n > (1u << 29) ||
        aad.n > 4096)
        return puan_fail(err, PUAN_EINVAL, "seal",
                         "this is not a sealed value");
    if (p[0] != k->suite)
        return puan_fail(err, PUAN_EINVAL, "seal",
                         "sealed under suite %u, the key is of suite %u",
                         (unsigned)p[0], (unsigned)k->suite);
    if (puan_sealed_version(sealed) != k->version)
        return puan_fail(err, PUAN_EINVAL, "seal",
                         "sealed under key version %d, the key is version %u",
                         puan_sealed_version(sealed), (unsigned)k->version);
    n = sealed.n - PUAN_SEAL_OVERHEAD;
    out = puan_arena_get(a, n + 1);
    if (!out)
        return puan_arena_check(a, err);
    if (k->suite == 1) {
        tag_sm(tag, k, aad, p, HEAD + n);
        if (!puan_equal_const(tag, p + HEAD + n, TAG))
            return wrong_tag(err);
        memcpy(iv, p + 3, NONCE);
        st = puan_sm4_ctr(out, k->enc, iv, p + HEAD, n, err);
    } else if (k->suite == 2) {
        st = unseal_gcm(out, k, aad, p, n, err);
    } else {
        st = puan_fail(err, PUAN_EINVAL, "seal", "unknown suite %u",
                       (unsigned)k->suite);
    }
    if (st != PUAN_OK) {
        puan_os_wipe(out, n); /* nothing unauthenticated gets out */
        return st;
    }
    *plain = (struct puan_str){ (const char *)out, n };
    return PUAN_OK;
}
