/*
 * Fuzz: stored findings and their reasons.  What is accepted must come out of
 * the encoder as bytes that decode to the same.
 */
#include <stdlib.h>

#include "core/edit/edit.h"
#include "kit/os/heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n = size > 0 ? data[0] : 0;
    struct puan_str found, why;
    struct puan_edits e, again;
    struct puan_arena a;

    if (n + 1 > size)
        return 0;
    found = (struct puan_str){ (const char *)data + 1, n };
    why = (struct puan_str){ found.p + n, size - 1 - n };
    puan_arena_init(&a, &puan_heap);
    if (puan_edits_decode(&e, found, why, &a, NULL) == PUAN_OK) {
        struct puan_out o, r;

        puan_out_init(&o, &a);
        puan_out_init(&r, &a);
        puan_edits_encode(&o, &r, &e);
        if (puan_edits_decode(&again, puan_out_view(&o), puan_out_view(&r), &a,
                              NULL) != PUAN_OK ||
            again.n != e.n)
            abort();
        for (size_t i = 0; i < e.n; i++)
            if (again.list[i].rule != e.list[i].rule ||
                again.list[i].row != e.list[i].row ||
                again.list[i].state != e.list[i].state ||
                !puan_str_eq(again.list[i].reason, e.list[i].reason))
                abort();
    }
    puan_arena_clear(&a);
    return 0;
}
