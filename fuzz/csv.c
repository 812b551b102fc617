/*
 * Fuzz: CSV.  Every row that is accepted has the header's number of fields.
 */
#include <stdlib.h>

#include "base/csv.h"
#include "base/test_heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_str text = { (const char *)data, size };
    struct puan_err err = { 0 };
    struct puan_arena a, row;
    struct puan_csv c;
    bool more = true;
    size_t bytes = 0;

    puan_arena_init(&a, &puan_test_heap);
    puan_arena_init(&row, &puan_test_heap);
    if (puan_csv_open(&c, text, "input", &a, &row, &err) == PUAN_OK)
        while (more && puan_csv_next(&more, &c, &err) == PUAN_OK)
            for (size_t i = 0; more && i < c.n; i++)
                bytes += c.field[i].n;
    if (bytes > size * 2)
        abort();
    puan_arena_clear(&row);
    puan_arena_clear(&a);
    return 0;
}
