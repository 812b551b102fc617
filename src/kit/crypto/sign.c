/*
 * Signatures (crypto.h): SM2 with SM3, and Ed25519.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "kit/crypto/crypto.h"

static const char sm2_id[] = "1234567812345678";

struct puan_sign_key {
    EVP_PKEY *pkey;
    enum puan_sign_alg alg;
};

static enum puan_status wrap(struct puan_sign_key **out, EVP_PKEY *pkey,
                             struct puan_err *err)
{
    enum puan_sign_alg alg;
    struct puan_sign_key *k;

    *out = NULL;
    if (!pkey)
        return puan_fail(err, PUAN_EINVAL, "key", "this is not a key in DER");
    if (EVP_PKEY_is_a(pkey, "ED25519")) {
        alg = PUAN_SIGN_ED25519;
    } else if (EVP_PKEY_is_a(pkey, "SM2")) {
        alg = PUAN_SIGN_SM2;
    } else {
        EVP_PKEY_free(pkey);
        return puan_fail(err, PUAN_EINVAL, "key",
                         "only SM2 and Ed25519 keys are taken");
    }
    k = calloc(1, sizeof(*k));
    if (!k) {
        EVP_PKEY_free(pkey);
        return puan_fail(err, PUAN_ENOMEM, "key", "out of memory");
    }
    k->pkey = pkey;
    k->alg = alg;
    *out = k;
    return PUAN_OK;
}

enum puan_status puan_sign_generate(struct puan_sign_key **out,
                                    enum puan_sign_alg alg,
                                    struct puan_err *err)
{
    EVP_PKEY *pkey =
        EVP_PKEY_Q_keygen(NULL, NULL, alg == PUAN_SIGN_SM2 ? "SM2" : "ED25519");

    if (!pkey)
        return puan_fail(err, PUAN_EIO, "key",
                         "no key can be made; check OpenSSL's providers");
    return wrap(out, pkey, err);
}

enum puan_status puan_sign_load(struct puan_sign_key **out,
                                struct puan_str pkcs8, struct puan_err *err)
{
    const unsigned char *p = (const unsigned char *)pkcs8.p;

    return wrap(out, d2i_AutoPrivateKey(NULL, &p, (long)pkcs8.n), err);
}

enum puan_status puan_sign_load_public(struct puan_sign_key **out,
                                       struct puan_str spki,
                                       struct puan_err *err)
{
    const unsigned char *p = (const unsigned char *)spki.p;

    return wrap(out, d2i_PUBKEY(NULL, &p, (long)spki.n), err);
}

void puan_sign_free(struct puan_sign_key *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->pkey);
    free(k);
}

enum puan_sign_alg puan_sign_alg_of(const struct puan_sign_key *k)
{
    return k->alg;
}

static enum puan_status take_der(struct puan_str *out, unsigned char *der,
                                 int n, struct puan_arena *a,
                                 struct puan_err *err)
{
    char *p;

    *out = (struct puan_str){ "", 0 };
    if (n <= 0)
        return puan_fail(err, PUAN_EINVAL, "key", "cannot be written as DER");
    p = puan_arena_get(a, (size_t)n);
    if (p) {
        memcpy(p, der, (size_t)n);
        *out = (struct puan_str){ p, (size_t)n };
    }
    OPENSSL_clear_free(der, (size_t)n);
    return puan_arena_check(a, err);
}

enum puan_status puan_sign_private(struct puan_str *pkcs8,
                                   const struct puan_sign_key *k,
                                   struct puan_arena *a, struct puan_err *err)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(k->pkey);
    unsigned char *der = NULL;
    int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : 0;

    PKCS8_PRIV_KEY_INFO_free(info);
    return take_der(pkcs8, der, n, a, err);
}

enum puan_status puan_sign_public(struct puan_str *spki,
                                  const struct puan_sign_key *k,
                                  struct puan_arena *a, struct puan_err *err)
{
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(k->pkey, &der);

    return take_der(spki, der, n, a, err);
}

/* A digest-sign context with the identity SM2 mixes in. */
static EVP_MD_CTX *start(const struct puan_sign_key *k, bool sign)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pc = NULL;
    const char *md = k->alg == PUAN_SIGN_SM2 ? "SM3" : NULL;
    int ok;

    if (!c)
        return NULL;
    if (k->alg == PUAN_SIGN_SM2) {
        /* the identity must be set before the digest begins */
        pc = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
        ok = pc && EVP_PKEY_CTX_set1_id(pc, sm2_id, sizeof(sm2_id) - 1) > 0;
        if (!ok) {
            EVP_PKEY_CTX_free(pc);
            EVP_MD_CTX_free(c);
            return NULL;
        }
        EVP_MD_CTX_set_pkey_ctx(c, pc);
    }
    ok = sign ? EVP_DigestSignInit_ex(c, NULL, md, NULL, NULL, k->pkey, NULL)
              : EVP_DigestVerifyInit_ex(c, NULL, md, NULL, NULL, k->pkey,
                                        NULL);
    if (ok != 1) {
        EVP_MD_CTX_free(c);
        EVP_PKEY_CTX_free(pc);
        return NULL;
    }
    return c;
}

static void stop(EVP_MD_CTX *c, const struct puan_sign_key *k)
{
    EVP_PKEY_CTX *pc = NULL;

    if (!c)
        return;
    /* a context set by us is ours to free */
    if (k->alg == PUAN_SIGN_SM2)
        pc = EVP_MD_CTX_get_pkey_ctx(c);
    EVP_MD_CTX_free(c);
    EVP_PKEY_CTX_free(pc);
}

enum puan_status puan_sign(uint8_t sig[PUAN_SIGNATURE_MAX], size_t *sig_n,
                           const struct puan_sign_key *k,
                           struct puan_str message, struct puan_err *err)
{
    EVP_MD_CTX *c = start(k, true);
    enum puan_status st = PUAN_OK;
    size_t n = PUAN_SIGNATURE_MAX;

    if (!c || EVP_DigestSign(c, sig, &n, (const unsigned char *)message.p,
                             message.n) != 1)
        st = puan_fail(err, PUAN_EIO, "signature",
                       "cannot be made; is this a private key");
    else
        *sig_n = n;
    stop(c, k);
    return st;
}

enum puan_status puan_sign_verify(const struct puan_sign_key *k,
                                  struct puan_str message, struct puan_str sig,
                                  struct puan_err *err)
{
    EVP_MD_CTX *c = start(k, false);
    enum puan_status st = PUAN_OK;

    if (!c)
        st = puan_fail(err, PUAN_EIO, "signature", "cannot be checked");
    else if (EVP_DigestVerify(c, (const unsigned char *)sig.p, sig.n,
                              (const unsigned char *)message.p,
                              message.n) != 1)
        st = puan_fail(err, PUAN_EDENIED, "signature",
                       "does not fit the text and the key");
    stop(c, k);
    return st;
}
