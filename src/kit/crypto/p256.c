/*
 * P-256 from OpenSSL (p256.h): ECDSA, and ECDH with a key made for one
 * envelope.
 */
#include "kit/crypto/p256.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "kit/os/os.h"

enum { VERSION = 1, SUITE = 2, POINT = PUAN_P256_PUBLIC, NONCE = 12, TAG = 16 };
enum { HEAD = 4 + POINT + NONCE };

struct puan_p256 {
    EVP_PKEY *pkey;
};

static enum puan_status broken(struct puan_err *err)
{
    return puan_fail(err, PUAN_EIO, "p256",
                     "the curve is not available; check OpenSSL's providers");
}

static enum puan_status wrap(struct puan_p256 **out, EVP_PKEY *pkey,
                             struct puan_err *err)
{
    char group[32] = "";
    size_t n;
    struct puan_p256 *k;

    *out = NULL;
    if (!pkey || !EVP_PKEY_is_a(pkey, "EC") ||
        EVP_PKEY_get_group_name(pkey, group, sizeof(group), &n) != 1 ||
        strcmp(group, "prime256v1") != 0) {
        EVP_PKEY_free(pkey);
        return puan_fail(err, PUAN_EINVAL, "key", "is no key of P-256");
    }
    k = calloc(1, sizeof(*k));
    if (!k) {
        EVP_PKEY_free(pkey);
        return puan_fail(err, PUAN_ENOMEM, "key", "out of memory");
    }
    k->pkey = pkey;
    *out = k;
    return PUAN_OK;
}

enum puan_status puan_p256_generate(struct puan_p256 **out,
                                    struct puan_err *err)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

    *out = NULL;
    return pkey ? wrap(out, pkey, err) : broken(err);
}

enum puan_status puan_p256_load(struct puan_p256 **out, struct puan_str pkcs8,
                                struct puan_err *err)
{
    const unsigned char *p = (const unsigned char *)pkcs8.p;

    return wrap(out, d2i_AutoPrivateKey(NULL, &p, (long)pkcs8.n), err);
}

enum puan_status puan_p256_load_public(struct puan_p256 **out,
                                       struct puan_str point,
                                       struct puan_err *err)
{
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *pkey = NULL;

    *out = NULL;
    if (b && c && point.n == POINT && point.p[0] == 4 &&
        OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME,
                                        "prime256v1", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point.p,
                                         point.n) == 1)
        params = OSSL_PARAM_BLD_to_param(b);
    if (params && EVP_PKEY_fromdata_init(c) == 1 &&
        EVP_PKEY_fromdata(c, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(b);
    EVP_PKEY_CTX_free(c);
    return wrap(out, pkey, err);
}

void puan_p256_free(struct puan_p256 *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->pkey);
    free(k);
}

enum puan_status puan_p256_private(struct puan_str *pkcs8,
                                   const struct puan_p256 *k,
                                   struct puan_arena *a, struct puan_err *err)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(k->pkey);
    unsigned char *der = NULL;
    int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : 0;
    char *p;

    PKCS8_PRIV_KEY_INFO_free(info);
    *pkcs8 = (struct puan_str){ "", 0 };
    if (n <= 0)
        return puan_fail(err, PUAN_EINVAL, "key", "cannot be written as DER");
    p = puan_arena_get(a, (size_t)n);
    if (p) {
        memcpy(p, der, (size_t)n);
        *pkcs8 = (struct puan_str){ p, (size_t)n };
    }
    OPENSSL_clear_free(der, (size_t)n);
    return puan_arena_check(a, err);
}

void puan_p256_public(uint8_t point[PUAN_P256_PUBLIC],
                      const struct puan_p256 *k)
{
    unsigned char *p = NULL;
    size_t n = EVP_PKEY_get1_encoded_public_key(k->pkey, &p);

    memset(point, 0, POINT);
    if (n == POINT)
        memcpy(point, p, POINT);
    OPENSSL_free(p);
}

/* ---- signatures ------------------------------------------------------------ */

enum puan_status puan_p256_sign(uint8_t sig[PUAN_P256_SIGNATURE],
                                const struct puan_p256 *k,
                                struct puan_str message, struct puan_err *err)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    unsigned char der[128];
    const unsigned char *p = der;
    size_t n = sizeof(der);
    ECDSA_SIG *s = NULL;
    enum puan_status st = PUAN_EIO;

    if (c &&
        EVP_DigestSignInit_ex(c, NULL, "SHA256", NULL, NULL, k->pkey, NULL) ==
            1 &&
        EVP_DigestSign(c, der, &n, (const unsigned char *)message.p,
                       message.n) == 1)
        s = d2i_ECDSA_SIG(NULL, &p, (long)n);
    if (s && BN_bn2binpad(ECDSA_SIG_get0_r(s), sig, 32) == 32 &&
        BN_bn2binpad(ECDSA_SIG_get0_s(s), sig + 32, 32) == 32)
        st = PUAN_OK;
    ECDSA_SIG_free(s);
    EVP_MD_CTX_free(c);
    return st == PUAN_OK ? st
                         : puan_fail(err, st, "signature",
                                     "cannot be made; is this a private key");
}

enum puan_status puan_p256_verify(const struct puan_p256 *k,
                                  struct puan_str message, struct puan_str sig,
                                  struct puan_err *err)
{
    const unsigned char *raw = (const unsigned char *)sig.p;
    ECDSA_SIG *s = ECDSA_SIG_new();
    BIGNUM *r = NULL, *t = NULL;
    unsigned char *der = NULL;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    int n = 0;
    bool good = false;

    if (s && c && sig.n == PUAN_P256_SIGNATURE) {
        r = BN_bin2bn(raw, 32, NULL);
        t = BN_bin2bn(raw + 32, 32, NULL);
        if (r && t && ECDSA_SIG_set0(s, r, t) == 1)
            r = t = NULL; /* now the signature's */
        n = r ? 0 : i2d_ECDSA_SIG(s, &der);
    }
    good = n > 0 &&
           EVP_DigestVerifyInit_ex(c, NULL, "SHA256", NULL, NULL, k->pkey,
                                   NULL) == 1 &&
           EVP_DigestVerify(c, der, (size_t)n,
                            (const unsigned char *)message.p, message.n) == 1;
    BN_free(r);
    BN_free(t);
    OPENSSL_free(der);
    ECDSA_SIG_free(s);
    EVP_MD_CTX_free(c);
    return good ? PUAN_OK
                : puan_fail(err, PUAN_EDENIED, "signature",
                            "does not fit the text and the key");
}

/* ---- envelopes ------------------------------------------------------------- */

/* The AES key that `own` and the public half `other` share. */
static enum puan_status agree(uint8_t key[32], const struct puan_p256 *own,
                              const struct puan_p256 *other,
                              struct puan_str ephemeral, struct puan_err *err)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, own->pkey, NULL);
    uint8_t x[32];
    size_t n = sizeof(x);
    bool good = c && EVP_PKEY_derive_init(c) == 1 &&
                EVP_PKEY_derive_set_peer(c, other->pkey) == 1 &&
                EVP_PKEY_derive(c, x, &n) == 1 && n == sizeof(x);

    EVP_PKEY_CTX_free(c);
    if (good)
        puan_hkdf(key, 32, puan_digest_sha256(),
                  (struct puan_str){ (const char *)x, sizeof(x) }, ephemeral,
                  PUAN_STR("puan return"));
    puan_os_wipe(x, sizeof(x));
    return good ? PUAN_OK : broken(err);
}

static bool gcm(uint8_t *out, uint8_t tag[TAG], bool seal,
                const uint8_t key[32], const uint8_t *nonce,
                struct puan_str aad, const uint8_t *in, size_t n)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int len = 0, op = seal ? 1 : 0;
    bool good =
        c && EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce, op) ==
                 1 &&
        (aad.n == 0 || EVP_CipherUpdate(c, NULL, &len,
                                        (const unsigned char *)aad.p,
                                        (int)aad.n) == 1) &&
        (n == 0 || EVP_CipherUpdate(c, out, &len, in, (int)n) == 1) &&
        (seal || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG, tag) ==
                     1) &&
        EVP_CipherFinal_ex(c, out + n, &len) == 1 &&
        (!seal ||
         EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG, tag) == 1);

    EVP_CIPHER_CTX_free(c);
    return good;
}

enum puan_status puan_envelope_seal(struct puan_out *out,
                                    const struct puan_p256 *to,
                                    uint16_t key_id, struct puan_str aad,
                                    struct puan_str plain, struct puan_err *err)
{
    uint8_t key[32], tag[TAG], point[POINT], nonce[NONCE];
    struct puan_p256 *once = NULL;
    uint8_t *body = NULL;
    enum puan_status st;

    if (plain.n > (1u << 28) || aad.n > 4096)
        return puan_fail(err, PUAN_ELIMIT, "seal", "the value is too long");
    st = puan_os_random(nonce, sizeof(nonce), err);
    if (st == PUAN_OK)
        st = puan_p256_generate(&once, err);
    if (st != PUAN_OK)
        return st;
    puan_p256_public(point, once);
    st = agree(key, once, to,
               (struct puan_str){ (const char *)point, POINT }, err);
    if (st == PUAN_OK)
        body = puan_arena_get(out->arena, plain.n + 1);
    if (st == PUAN_OK && !body)
        st = puan_arena_check(out->arena, err);
    if (st == PUAN_OK && !gcm(body, tag, true, key, nonce, aad,
                              (const uint8_t *)plain.p, plain.n))
        st = broken(err);
    if (st == PUAN_OK) {
        puan_out_u8(out, VERSION);
        puan_out_u8(out, SUITE);
        puan_out_u16(out, key_id);
        puan_out_bytes(out, point, POINT);
        puan_out_bytes(out, nonce, NONCE);
        puan_out_bytes(out, body, plain.n);
        puan_out_bytes(out, tag, TAG);
        st = puan_arena_check(out->arena, err);
    }
    puan_os_wipe(key, sizeof(key));
    puan_p256_free(once);
    return st;
}

int puan_envelope_key(struct puan_str e)
{
    if (e.n < PUAN_ENVELOPE_OVERHEAD || e.p[0] != VERSION || e.p[1] != SUITE)
        return -1;
    return (uint8_t)e.p[2] | (uint8_t)e.p[3] << 8;
}

enum puan_status puan_envelope_open(struct puan_str *plain,
                                    const struct puan_p256 *own,
                                    struct puan_str aad,
                                    struct puan_str envelope,
                                    struct puan_arena *a, struct puan_err *err)
{
    const uint8_t *p = (const uint8_t *)envelope.p;
    struct puan_str point;
    struct puan_p256 *other = NULL;
    uint8_t key[32], tag[TAG], *out;
    enum puan_status st;
    size_t n;

    *plain = (struct puan_str){ "", 0 };
    if (puan_envelope_key(envelope) < 0 || envelope.n > (1u << 28) ||
        aad.n > 4096)
        return puan_fail(err, PUAN_EINVAL, "seal",
                         "this is no sealed envelope of version 1, suite 2");
    n = envelope.n - HEAD - TAG;
    point = (struct puan_str){ envelope.p + 4, POINT };
    out = puan_arena_get(a, n + 1);
    if (!out)
        return puan_arena_check(a, err);
    st = puan_p256_load_public(&other, point, err);
    if (st == PUAN_OK)
        st = agree(key, own, other, point, err);
    if (st != PUAN_OK) {
        puan_p256_free(other);
        return st;
    }
    memcpy(tag, p + HEAD + n, TAG);
    if (gcm(out, tag, false, key, p + 4 + POINT, aad, p + HEAD, n)) {
        out[n] = 0;
        *plain = (struct puan_str){ (const char *)out, n };
    } else {
        puan_os_wipe(out, n); /* nothing unauthenticated gets out */
        st = puan_fail(err, PUAN_EDENIED, "seal",
                       "the sealed value was changed, moved, or is for "
                       "another key");
    }
    puan_os_wipe(key, sizeof(key));
    puan_p256_free(other);
    return st;
}
