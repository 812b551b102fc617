/*
 * Boundary files: what is read comes out of its packed bytes the same, thinning
 * keeps rings whole, and damaged bytes never bring the program down.
 */
#include <stdlib.h>

#include "features/maps/maps.h"
#include "kit/os/heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_str text = { (const char *)data, size };
    struct puan_geo_feature loose;
    struct puan_err err = { 0 };
    struct puan_arena a;
    struct puan_geo g;

    puan_arena_init(&a, &puan_heap);
    (void)!puan_geo_unpack(&loose, text, &a, NULL);
    if (puan_geo_read(&g, text, "fuzz", &a, &err) != PUAN_OK) {
        if (!err.text[0])
            abort();
        puan_arena_clear(&a);
        return 0;
    }
    for (uint32_t i = 0; i < g.n; i++) {
        struct puan_geo_feature back;
        struct puan_out o, again;

        puan_out_init(&o, &a);
        puan_out_init(&again, &a);
        puan_geo_pack(&o, &g.feature[i]);
        if (puan_geo_unpack(&back, puan_out_view(&o), &a, NULL) != PUAN_OK)
            abort();
        puan_geo_pack(&again, &back);
        if (!puan_str_eq(puan_out_view(&o), puan_out_view(&again)))
            abort();
    }
    if (puan_geo_thin(&g, 5000, &a, NULL) != PUAN_OK)
        abort();
    for (uint32_t i = 0; i < g.n; i++)
        for (uint32_t k = 0; k < g.feature[i].n_rings; k++)
            if (g.feature[i].ring[k].n < 3)
                abort();
    puan_arena_clear(&a);
    return 0;
}
