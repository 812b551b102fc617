/*
 * The keys of one campaign directory (contract 11): made once, kept wrapped
 * under the key-encryption key (KEK), unwrapped at open, wiped at close.
 *
 *   keys/kek.check            tells a wrong KEK from a damaged key
 *   keys/kek.demo             only in directories born demo: the KEK itself
 *   keys/token.key  keys/credential.key  keys/sign.key  keys/sign.pub
 *   keys/data-<county>-<purpose>-<version>.key
 *   keys/pair-<purpose>-<id>.key   pairs of P-256 (contract 18)
 *
 * Each .key is a sealed value in hexadecimal, its associated data its own
 * name, so that one key cannot take another's place.
 *
 * Never writes a key in clear but kek.demo and the file the caller names.
 * Depends on: base, os, crypto.  Any thread after open.
 */
#ifndef PUAN_KIT_CRYPTO_KEYS_H
#define PUAN_KIT_CRYPTO_KEYS_H

#include "kit/crypto/p256.h"

struct puan_keys;

#define PUAN_KEY_SHARES 3
#define PUAN_KEY_SHARE_TEXT 80

/* "PUAN1-…" lines: any two of the three give the KEK back. */
struct puan_key_shares {
    char text[PUAN_KEY_SHARES][PUAN_KEY_SHARE_TEXT];
};

/*
 * Makes all keys in `dir`/keys (which must not exist yet).  With kek_file the
 * KEK is also written there, mode 0600, for unattended start; with demo into
 * keys/kek.demo.  `shares` may be NULL only with one of the two.
 *
 * ECONFLICT  the directory has keys already
 */
PUAN_MUST_USE enum puan_status
puan_keys_create(const char *dir, const struct puan_suite *suite, bool demo,
                 const char *kek_file, struct puan_key_shares *shares,
                 struct puan_err *err);

/* Where the KEK comes from; all NULL: kek.demo, else $PUAN_KEK_FILE. */
struct puan_kek_source {
    const char *file;
    const char *share[2];
};

/*
 * Opens and unwraps everything.
 *
 * ENOTFOUND  no keys, or no KEK given (the text says how to give it)
 * EDENIED    the KEK does not fit these keys
 */
PUAN_MUST_USE enum puan_status
puan_keys_open(struct puan_keys **out, const char *dir,
               const struct puan_kek_source *src, struct puan_err *err);
void puan_keys_close(struct puan_keys *k); /* wipes; NULL is fine */

const struct puan_suite *puan_keys_suite(const struct puan_keys *k);
/* Newest data key of a county and purpose ("vault", "text", "blob",
   "quarantine"), or NULL when it was never made. */
const struct puan_seal_key *puan_keys_data(const struct puan_keys *k,
                                           int64_t county,
                                           const char *purpose);
/* The key of one version, for old values. */
const struct puan_seal_key *puan_keys_data_version(const struct puan_keys *k,
                                                   int64_t county,
                                                   const char *purpose,
                                                   uint16_t version);
/*
 * Makes the key if it is missing, and gives it.  Durable before it is given.
 * The result lives until puan_keys_close.
 */
PUAN_MUST_USE enum puan_status
puan_keys_data_make(const struct puan_seal_key **out, struct puan_keys *k,
                    int64_t county, const char *purpose, struct puan_err *err);

/*
 * The newest pair of a purpose ("field", "receipt") and its id, made when
 * there is none; durable before it is given, lives until close.
 */
PUAN_MUST_USE enum puan_status
puan_keys_pair_make(const struct puan_p256 **out, uint16_t *id,
                    struct puan_keys *k, const char *purpose,
                    struct puan_err *err);
/* The pair of one id, or NULL. */
const struct puan_p256 *puan_keys_pair(const struct puan_keys *k,
                                       const char *purpose, uint16_t id);

/* 32 bytes each; live until close. */
struct puan_str puan_keys_token(const struct puan_keys *k);
struct puan_str puan_keys_credential(const struct puan_keys *k);
/* For checkpoints and manifests. */
const struct puan_sign_key *puan_keys_sign(const struct puan_keys *k);

/*
 * Keyed token of a value: HMAC(token key, campaign ‖ 0 ‖ kind ‖ 0 ‖ value)
 * cut to 16 bytes (contract 4).  The value is normalised by the caller.
 */
void puan_keys_token_of(uint8_t out[16], const struct puan_keys *k,
                        struct puan_str campaign, const char *kind,
                        struct puan_str value);

/* Any two of the three shares give the 32 secret bytes back. */
PUAN_MUST_USE enum puan_status puan_shares_split(struct puan_key_shares *out,
                                                 const uint8_t secret[32],
                                                 struct puan_err *err);
/* EINVAL when a share is mistyped (it has a check) or both are the same. */
PUAN_MUST_USE enum puan_status puan_shares_join(uint8_t secret[32],
                                                struct puan_str a,
                                                struct puan_str b,
                                                struct puan_err *err);

#endif
