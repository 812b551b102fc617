/*
 * Fuzz target: a published release as a stranger's text.
 */
#include "features/releases/releases.h"
#include "kit/os/heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_str text = { (const char *)data, size };
    struct puan_release_check c;
    struct puan_err err = { 0 };
    struct puan_arena a;

    puan_arena_init(&a, &puan_heap);
    a.limit = 32u << 20;
    if (puan_release_check(&c, text, PUAN_STR(""), NULL, &a, &err) == PUAN_OK &&
        c.sound && size < 64)
        __builtin_trap(); /* nothing that short can be sound */
    puan_arena_clear(&a);
    return 0;
}
