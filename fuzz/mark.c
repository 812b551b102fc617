/*
 * Fuzz: numbers of certificates as strangers type them.  The normal form fits
 * its room; a number with the check character made for it is right, and stays
 * right however it is spaced; with another last character it is wrong.
 */
#include <stdlib.h>

#include "core/codes/codes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_str s = { (const char *)data, size };
    char text[64], full[68], spaced[160], again[64];
    char check;
    size_t n;

    for (size_t cap = 1; cap <= sizeof(text); cap++) {
        n = puan_mark_normal(text, cap, s);
        if (n > cap || (n < cap && text[n] != 0) || (n == cap && text[0] != 0))
            abort();
    }
    n = puan_mark_normal(text, sizeof(text), s);
    if (n == 0 || n == sizeof(text))
        return 0;
    check = puan_mark_check_char((struct puan_str){ text, n });
    if (!check) {
        if (puan_mark_ok((struct puan_str){ text, n }))
            abort(); /* a character that no number has */
        return 0;
    }
    memcpy(full, text, n);
    full[n] = check;
    if (!puan_mark_ok((struct puan_str){ full, n + 1 }))
        abort();
    for (const char *c = PUAN_MARK_ALPHABET; *c; c++) {
        full[n] = *c;
        if (puan_mark_ok((struct puan_str){ full, n + 1 }) != (*c == check))
            abort();
    }
    for (size_t i = 0; i < n; i++) {
        spaced[2 * i] = text[i];
        spaced[2 * i + 1] = i % 2 ? '-' : ' ';
    }
    if (puan_mark_normal(again, sizeof(again),
                         (struct puan_str){ spaced, 2 * n }) != n ||
        memcmp(again, text, n) != 0)
        abort();
    return 0;
}
