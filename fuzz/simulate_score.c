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
    struct puan_arena a;
    struct puan_err err = { 0 };
    struct puan_out out;
    const char *dir, *truth, *list;
    size_t cut = 0;

    while (cut < size && data[cut] != 0)
        cut++;
    puan_arena_init(&a, puan_os_alloc());
    puan_out_init(&out, &a);
    if (puan_dir_temp(&dir, &a, &err) != PUAN_OK)
        abort();
    truth = puan_arena_fmt(&a, "%s/truth.csv", dir);
    list = puan_arena_fmt(&a, "%s/list.csv", dir);
    if (puan_file_write(truth, (struct puan_str){ (const char *)data, cut },
                        0600, &err) != PUAN_OK ||
        puan_file_write(list,
                        cut < size
                            ? (struct puan_str){ (const char *)data + cut + 1,
                                                 size - cut - 1 }
                            : PUAN_STR("detector,household\n"),
                        0600, &err) != PUAN_OK)
        abort();
    if (sim_score(&out, truth, &list, 1, &a, &err) != PUAN_OK &&
        err.text[0] == 0)
        abort();
    err = (struct puan_err){ 0 };
    if (puan_dir_remove(dir, &err) != PUAN_OK)
        abort();
    puan_arena_clear(&a);
    return 0;
}
