/*
 * Fuzz: frame files.  What is accepted can be read whole, and its codebook
 * written again is taken for the same.
 */
#include <stdlib.h>

#include "base/test_heap.h"
#include "core/frame/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every value, so that a column beyond the file is found. */
static void read_all(const struct puan_frame *f)
{
    for (size_t i = 0; i < f->n_entities; i++)
        for (size_t k = 0; k < f->entity[i].n_items; k++)
            for (uint64_t r = 0; r < f->entity[i].rows; r++) {
                enum puan_state st;

                (void)puan_frame_value(&st, &f->entity[i].item[k], r);
            }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_err err = { 0 };
    struct puan_arena a;
    struct puan_frame *f;
    struct puan_str first, again;
    uint8_t *copy;

    puan_arena_init(&a, &puan_test_heap);
    copy = aligned_alloc(PUAN_FRAME_ALIGN, (size / PUAN_FRAME_ALIGN + 1) *
                                               PUAN_FRAME_ALIGN);
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    if (puan_frame_open(&f, copy, size, &a, &err) == PUAN_OK) {
        read_all(f);
        if (puan_frame_check(f, &err) == PUAN_OK)
            for (size_t i = 0; i < f->n_entities; i++)
                (void)puan_frame_entity(f, f->entity[i].name);
        if (puan_frame_codebook(&first, f, NULL, &a, &err) != PUAN_OK ||
            puan_frame_codebook(&again, f, NULL, &a, &err) != PUAN_OK ||
            !puan_str_eq(first, again))
            abort();
    } else if (err.text[0] == '\0') {
        abort();
    }
    puan_arena_clear(&a);
    free(copy);
    return 0;
}
