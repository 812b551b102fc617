/*
 * Fuzz: what an edit changed, and its rates, as stored.  What is accepted must
 * come out of the encoder as bytes that decode to the same.
 */
#include <stdlib.h>

#include "core/edit/layer.h"
#include "kit/os/heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void layer(struct puan_str bytes, struct puan_arena *a)
{
    struct puan_layer_unit *u = NULL, *again = NULL;
    struct puan_out o, p;
    size_t n, m;

    if (puan_layer_decode(&u, &n, bytes, a, NULL) != PUAN_OK)
        return;
    puan_out_init(&o, a);
    puan_layer_encode(&o, u, n);
    if (puan_layer_decode(&again, &m, puan_out_view(&o), a, NULL) != PUAN_OK ||
        m != n)
        abort();
    puan_out_init(&p, a);
    puan_layer_encode(&p, again, m);
    if (!puan_str_eq(puan_out_view(&o), puan_out_view(&p)))
        abort();
}

static void rates(struct puan_str bytes, struct puan_arena *a)
{
    struct puan_layer_area *x = NULL, *again = NULL;
    struct puan_out o, p;
    size_t n, m;

    if (puan_layer_rates_decode(&x, &n, bytes, a, NULL) != PUAN_OK)
        return;
    puan_out_init(&o, a);
    puan_layer_rates_encode(&o, x, n);
    if (puan_layer_rates_decode(&again, &m, puan_out_view(&o), a, NULL) !=
            PUAN_OK ||
        m != n)
        abort();
    puan_out_init(&p, a);
    puan_layer_rates_encode(&p, again, m);
    if (!puan_str_eq(puan_out_view(&o), puan_out_view(&p)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_arena a;
    struct puan_str bytes;

    if (size == 0)
        return 0;
    bytes = (struct puan_str){ (const char *)data + 1, size - 1 };
    puan_arena_init(&a, &puan_heap);
    if (data[0] & 1)
        rates(bytes, &a);
    else
        layer(bytes, &a);
    puan_arena_clear(&a);
    return 0;
}
