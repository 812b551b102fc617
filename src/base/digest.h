/*
 * Digests as functions the host lends: core hashes without knowing a
 * cryptographic library (kit/crypto fills this from OpenSSL or a certified
 * module).
 *
 * Depends on: text.
 */
#ifndef PUAN_BASE_DIGEST_H
#define PUAN_BASE_DIGEST_H

#include "base/text.h"

#define PUAN_DIGEST_SIZE 32 /* SM3 and SHA-256 alike */

struct puan_digest_fn {
    const char *name; /* "sm3", "sha256" */
    void *ctx;
    /* One digest over the concatenation of n parts. */
    void (*hash)(void *ctx, uint8_t out[PUAN_DIGEST_SIZE],
                 const struct puan_str *parts, size_t n);
    /* Keyed (HMAC) over the concatenation of n parts. */
    void (*mac)(void *ctx, uint8_t out[PUAN_DIGEST_SIZE], struct puan_str key,
                const struct puan_str *parts, size_t n);
};

#endif
