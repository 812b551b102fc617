/*
 * Cryptography from OpenSSL 3 and libargon2 behind our own shapes: digests and
 * HMAC for the core, sealed values, key derivation, signatures, passwords,
 * one-time codes.
 *
 * Two suites: "sm" (SM3, SM4-CTR + HMAC-SM3, SM2) and "intl" (SHA-256,
 * AES-256-GCM, Ed25519).  Never logs, never keeps a key it was not given to
 * keep; callers wipe theirs with puan_os_wipe.
 *
 * Depends on: base, os.  Any thread; contexts are reused per thread.
 */
#ifndef PUAN_KIT_CRYPTO_CRYPTO_H
#define PUAN_KIT_CRYPTO_CRYPTO_H

#include "base/digest.h"
#include "base/out.h"

enum puan_sign_alg { PUAN_SIGN_SM2 = 1, PUAN_SIGN_ED25519 = 2 };

struct puan_suite {
    const char *name; /* "sm", "intl" */
    uint8_t byte;     /* first byte of sealed values: 1, 2 */
    const struct puan_digest_fn *digest;
    enum puan_sign_alg sign;
};
/* By name or by suite byte; NULL when unknown.  Lives for ever. */
const struct puan_suite *puan_suite_by_name(const char *name);
const struct puan_suite *puan_suite_by_byte(uint8_t byte);

const struct puan_digest_fn *puan_digest_sm3(void);
const struct puan_digest_fn *puan_digest_sha256(void);
const struct puan_digest_fn *puan_digest_by_name(struct puan_str name);

/* One digest of one text: fn->hash over a single part. */
void puan_digest_one(uint8_t out[PUAN_DIGEST_SIZE],
                     const struct puan_digest_fn *fn, struct puan_str s);
/*
 * MD5 in hexadecimal, for protocols that name a file's content so; it protects
 * nothing.  EIO: this machine's OpenSSL does not offer it.
 */
PUAN_MUST_USE enum puan_status puan_md5_hex(char out[33], struct puan_str s,
                                            struct puan_err *err);
/* Equal in time that does not depend on the content. */
bool puan_equal_const(const void *a, const void *b, size_t n);

/* HKDF (RFC 5869) with the digest's HMAC; out_n at most 255 * 32. */
void puan_hkdf(uint8_t *out, size_t out_n, const struct puan_digest_fn *fn,
               struct puan_str key, struct puan_str salt,
               struct puan_str info);
/* PBKDF2-HMAC with SM3 or SHA-256 by fn->name. */
PUAN_MUST_USE enum puan_status
puan_pbkdf2(uint8_t *out, size_t out_n, const struct puan_digest_fn *fn,
            struct puan_str password, struct puan_str salt, unsigned rounds,
            struct puan_err *err);

/*
 * Sealed values (contract 11): suite byte, key version u16, nonce 12,
 * ciphertext, tag 16; the associated data are authenticated, not stored.
 */
#define PUAN_SEAL_OVERHEAD 31

struct puan_seal_key {
    uint8_t suite; /* of puan_suite.byte */
    uint16_t version;
    uint8_t enc[32]; /* SM4 uses the first 16 */
    uint8_t mac[32]; /* suite 1 only */
};
/* Working keys from a 32-byte data key. */
void puan_seal_key_init(struct puan_seal_key *k, uint8_t suite,
                        uint16_t version, const uint8_t key[32]);
/* county|table|column|key version|row key, into the arena. */
struct puan_str puan_seal_aad(struct puan_arena *a, int64_t county,
                              const char *table, const char *column,
                              uint16_t version, struct puan_str row);
/* Appends the sealed value to `out`. */
PUAN_MUST_USE enum puan_status puan_seal(struct puan_out *out,
                                         const struct puan_seal_key *k,
                                         struct puan_str aad,
                                         struct puan_str plain,
                                         struct puan_err *err);
/*
 * The plain text, in the arena (clear it when done).
 *
 * EINVAL   too short, other suite or key version
 * EDENIED  the tag does not match: changed, moved to another row, or
 *          another key
 */
PUAN_MUST_USE enum puan_status puan_unseal(struct puan_str *plain,
                                           const struct puan_seal_key *k,
                                           struct puan_str aad,
                                           struct puan_str sealed,
                                           struct puan_arena *a,
                                           struct puan_err *err);
/* Key version a sealed value was made with, or -1. */
int puan_sealed_version(struct puan_str sealed);
/* SM4 in counter mode, 128-bit big-endian counter; in and out may be one. */
PUAN_MUST_USE enum puan_status puan_sm4_ctr(uint8_t *out,
                                            const uint8_t key[16],
                                            const uint8_t iv[16],
                                            const uint8_t *in, size_t n,
                                            struct puan_err *err);

/*
 * Signatures.  SM2 with SM3 and the usual identity "1234567812345678",
 * signature in DER; Ed25519 64 bytes.  Keys travel as PKCS#8 and
 * SubjectPublicKeyInfo in DER.
 */
#define PUAN_SIGNATURE_MAX 80
struct puan_sign_key;

PUAN_MUST_USE enum puan_status
puan_sign_generate(struct puan_sign_key **out, enum puan_sign_alg alg,
                   struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_sign_load(struct puan_sign_key **out,
                                              struct puan_str pkcs8,
                                              struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_sign_load_public(struct puan_sign_key **out,
                                                     struct puan_str spki,
                                                     struct puan_err *err);
void puan_sign_free(struct puan_sign_key *k);
enum puan_sign_alg puan_sign_alg_of(const struct puan_sign_key *k);
PUAN_MUST_USE enum puan_status puan_sign_private(struct puan_str *pkcs8,
                                                 const struct puan_sign_key *k,
                                                 struct puan_arena *a,
                                                 struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_sign_public(struct puan_str *spki,
                                                const struct puan_sign_key *k,
                                                struct puan_arena *a,
                                                struct puan_err *err);
PUAN_MUST_USE enum puan_status
puan_sign(uint8_t sig[PUAN_SIGNATURE_MAX], size_t *sig_n,
          const struct puan_sign_key *k, struct puan_str message,
          struct puan_err *err);
/* EDENIED when the signature does not fit message and key. */
PUAN_MUST_USE enum puan_status puan_sign_verify(const struct puan_sign_key *k,
                                                struct puan_str message,
                                                struct puan_str sig,
                                                struct puan_err *err);

/*
 * Passwords of persons: Argon2id, 19 MiB, 2 passes, encoded as
 * "$argon2id$v=19$m=19456,t=2,p=1$salt$hash".  At most two run at a time, the
 * rest wait, so that log-ins cannot exhaust memory.
 */
#define PUAN_PASSWORD_MAX 128
PUAN_MUST_USE enum puan_status puan_password_hash(char out[PUAN_PASSWORD_MAX],
                                                  struct puan_str password,
                                                  struct puan_err *err);
/* EDENIED when it is not the password. */
PUAN_MUST_USE enum puan_status puan_password_check(const char *encoded,
                                                   struct puan_str password,
                                                   struct puan_err *err);

/* RFC 4648 base32 without padding; upper case out, either case in. */
size_t puan_base32_size(size_t n); /* characters for n bytes, no end */
void puan_base32(char *out, const uint8_t *p, size_t n); /* terminated */
/* Bytes written (at most cap), or -1; ignores spaces, '-' and '='. */
int puan_unbase32(uint8_t *out, size_t cap, struct puan_str s);

/* base64 (RFC 4648 section 4, padded); out holds 4 * ((n + 2) / 3) + 1. */
void puan_base64(char *out, const uint8_t *p, size_t n);
int puan_unbase64(uint8_t *out, size_t cap, struct puan_str s);

/* TOTP (RFC 6238), HMAC-SHA-1, step 30 s, `digits` 6 or 8. */
uint32_t puan_totp(struct puan_str secret, int64_t unix_s, unsigned digits);
/*
 * True when `code` is that of the step at unix_s or one step to either side
 * and later than *last_step, which is then advanced (a code works once).
 */
bool puan_totp_check(int64_t *last_step, struct puan_str secret,
                     struct puan_str code, int64_t unix_s);

/* A machine-made secret of `bits` bits (multiple of 5) as base32 text. */
PUAN_MUST_USE enum puan_status puan_secret_make(char *out, size_t cap,
                                                unsigned bits,
                                                struct puan_err *err);

#endif
