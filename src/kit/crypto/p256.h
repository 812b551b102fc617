/*
 * Key pairs on the curve P-256 as browsers have them (WebCrypto): sealing to an
 * office's public key, and signatures of devices (contract 18).
 *
 * A sealed envelope, little endian: u8 version 1, u8 suite 2, u16 key id, 65
 * bytes ephemeral public key, 12 bytes nonce, ciphertext, 16 bytes tag.  The
 * AES-256-GCM key is HKDF-SHA-256 of the shared x, salt the ephemeral key, info
 * "puan return".
 *
 * Never keeps a text in clear.  Depends on: base, crypto.  Any thread; a key is
 * read only once it is made.
 */
#ifndef PUAN_KIT_CRYPTO_P256_H
#define PUAN_KIT_CRYPTO_P256_H

#include "kit/crypto/crypto.h"

#define PUAN_P256_PUBLIC 65    /* 04, x, y */
#define PUAN_P256_SIGNATURE 64 /* r, s */
#define PUAN_ENVELOPE_OVERHEAD 97

struct puan_p256; /* a pair, or its public half */

PUAN_MUST_USE enum puan_status puan_p256_generate(struct puan_p256 **out,
                                                  struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_p256_load(struct puan_p256 **out,
                                              struct puan_str pkcs8,
                                              struct puan_err *err);
/* EINVAL  not 65 bytes, or no point of the curve */
PUAN_MUST_USE enum puan_status puan_p256_load_public(struct puan_p256 **out,
                                                     struct puan_str point,
                                                     struct puan_err *err);
void puan_p256_free(struct puan_p256 *k); /* NULL is fine */
/* PKCS#8 in DER, in the arena. */
PUAN_MUST_USE enum puan_status puan_p256_private(struct puan_str *pkcs8,
                                                 const struct puan_p256 *k,
                                                 struct puan_arena *a,
                                                 struct puan_err *err);
void puan_p256_public(uint8_t point[PUAN_P256_PUBLIC],
                      const struct puan_p256 *k);

/* ECDSA with SHA-256. */
PUAN_MUST_USE enum puan_status
puan_p256_sign(uint8_t sig[PUAN_P256_SIGNATURE], const struct puan_p256 *k,
               struct puan_str message, struct puan_err *err);
/* EDENIED  the signature does not fit message and key */
PUAN_MUST_USE enum puan_status puan_p256_verify(const struct puan_p256 *k,
                                                struct puan_str message,
                                                struct puan_str sig,
                                                struct puan_err *err);

/* Appends the envelope of `plain` for the holder of `to`. */
PUAN_MUST_USE enum puan_status
puan_envelope_seal(struct puan_out *out, const struct puan_p256 *to,
                   uint16_t key_id, struct puan_str aad, struct puan_str plain,
                   struct puan_err *err);
/* The key it was sealed to; -1 when this is no envelope of version 1. */
int puan_envelope_key(struct puan_str envelope);
/*
 * The plain text, in the arena.
 *
 * EINVAL   no envelope of this version and suite
 * EDENIED  changed, under other associated data, or for another key
 */
PUAN_MUST_USE enum puan_status
puan_envelope_open(struct puan_str *plain, const struct puan_p256 *own,
                   struct puan_str aad, struct puan_str envelope,
                   struct puan_arena *a, struct puan_err *err);

#endif
