/*
 * Fuzz: the sealed envelope.  Whatever arrives either opens or says why not;
 * sealed by us under the same data it opens to what was sealed.
 */
#include <stdlib.h>

#include "kit/crypto/p256.h"
#include "kit/os/os.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct puan_p256 *own;
    struct puan_str s = { (const char *)data, size }, plain;
    struct puan_err err = { 0 };
    struct puan_arena a;
    struct puan_out o;
    enum puan_status st;

    if (!own && puan_p256_generate(&own, &err) != PUAN_OK)
        abort();
    puan_arena_init(&a, puan_os_alloc());
    st = puan_envelope_open(&plain, own, PUAN_STR("c|d|1|1"), s, &a, &err);
    if (st == PUAN_OK || !err.text[0])
        abort(); /* nobody guesses a tag */
    if (puan_envelope_key(s) < 0 && st != PUAN_EINVAL)
        abort();
    puan_out_init(&o, &a);
    if (puan_envelope_seal(&o, own, 1, PUAN_STR("x"), s, &err) != PUAN_OK ||
        puan_envelope_open(&plain, own, PUAN_STR("x"), puan_out_view(&o), &a,
                           &err) != PUAN_OK ||
        !puan_str_eq(plain, s))
        abort();
    puan_arena_clear(&a);
    return 0;
}
