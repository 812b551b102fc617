/*
 * Fuzz: texts about keys that people type or files hold.  base32 and base64
 * that are accepted come back as they were written; a share from outside never
 * gives our secret; a sealed value that we did not make never opens.
 */
#include <stdlib.h>

#include "kit/crypto/crypto.h"
#include "kit/crypto/keys.h"
#include "kit/os/os.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void alphabets(struct puan_str s)
{
    uint8_t raw[256], again[256];
    char text[600];
    int n = puan_unbase32(raw, sizeof(raw), s);

    if (n > 0) {
        puan_base32(text, raw, (size_t)n);
        if (puan_unbase32(again, sizeof(again), puan_str_of(text)) != n ||
            memcmp(raw, again, (size_t)n) != 0)
            abort();
    }
    n = puan_unbase64(raw, sizeof(raw), s);
    if (n > 0) {
        puan_base64(text, raw, (size_t)n);
        if (!puan_str_eq(puan_str_of(text), s))
            abort(); /* one text for one value */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t secret[32] = { 1 };
    struct puan_str s = { (const char *)data, size }, plain;
    struct puan_err err = { 0 };
    struct puan_key_shares shares;
    struct puan_seal_key key;
    struct puan_arena a;
    uint8_t got[32];
    int64_t step = 0;

    puan_arena_init(&a, puan_os_alloc());
    alphabets(s);
    if (puan_shares_split(&shares, secret, &err) != PUAN_OK)
        abort();
    /* a share from outside may fit our form, but gives our secret only when
       it is one of ours */
    if (puan_shares_join(got, s, puan_str_of(shares.text[0]), &err) ==
            PUAN_OK &&
        memcmp(got, secret, 32) == 0)
        abort();
    for (uint8_t suite = 1; suite <= 2; suite++) {
        puan_seal_key_init(&key, suite, 1, secret);
        if (puan_unseal(&plain, &key, PUAN_STR("x"), s, &a, &err) == PUAN_OK)
            abort();
    }
    if (puan_totp_check(&step, PUAN_STR("12345678901234567890"), s, 59) &&
        size != 6)
        abort();
    puan_arena_clear(&a);
    return 0;
}
