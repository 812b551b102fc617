/*
 * Fuzz: what devices send.  The first byte says what the rest is read as: a
 * sealed return, a link, a bundle.  What is taken comes out of the writer as
 * the same bytes; what is refused says why.
 */
#include <stdlib.h>

#include "core/device/device.h"
#include "kit/os/os.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct puan_out *o, struct puan_str s)
{
    if (!o->arena->failed && !puan_str_eq(puan_out_view(o), s))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_str s;
    struct puan_err err = { 0 };
    struct puan_arena a;
    struct puan_out o;
    enum puan_status st = PUAN_EINVAL;

    if (size == 0)
        return 0;
    s = (struct puan_str){ (const char *)data + 1, size - 1 };
    puan_arena_init(&a, puan_os_alloc());
    puan_out_init(&o, &a);
    if (data[0] == 's') {
        struct puan_sealed r;

        st = puan_sealed_read(&r, s, &err);
        if (st == PUAN_OK) {
            puan_sealed_write(&o, &r);
            same(&o, s);
        }
    } else if (data[0] == 'l') {
        struct puan_link l;

        st = puan_link_read(&l, s, &err);
        if (st == PUAN_OK) {
            puan_link_write(&o, &l);
            same(&o, s);
        }
    } else {
        struct puan_bundle b;

        st = puan_bundle_read(&b, s, &a, &err);
        if (st == PUAN_OK) {
            puan_bundle_write(&o, &b);
            puan_out_str(&o, b.signature);
            same(&o, s);
        }
    }
    if (st != PUAN_OK && !err.text[0])
        abort();
    puan_arena_clear(&a);
    return 0;
}
