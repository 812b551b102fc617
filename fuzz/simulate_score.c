/*
 * Fuzz target: truth.csv and a list of detections, the two parted by the first
 * NUL byte.  Never crashes.
 */
#include <stdlib.h>

#include "features/simulate/score.h"
#include "kit/os/os.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_memory_file truth, list;
    struct puan_arena a;
    struct puan_err err = { 0 };
    struct puan_out out;
    const char *path = list.path;
    size_t cut = 0;

    while (cut < size && data[cut] != 0)
        cut++;
    puan_arena_init(&a, puan_os_alloc());
    puan_out_init(&out, &a);
    if (puan_memory_file_open(
            &truth, (struct puan_str){ (const char *)data, cut }, &err) !=
            PUAN_OK ||
        puan_memory_file_open(
            &list,
            cut < size ? (struct puan_str){ (const char *)data + cut + 1,
                                            size - cut - 1 }
                       : PUAN_STR("detector,household\n"),
            &err) != PUAN_OK)
        abort();
    if (sim_score(&out, truth.path, &path, 1, &a, &err) != PUAN_OK &&
        err.text[0] == 0)
        abort();
    puan_memory_file_close(&truth);
    puan_memory_file_close(&list);
    puan_arena_clear(&a);
    return 0;
}
