/*
 * Fuzz target: area rows as CSV.  Never crashes; a tree that is accepted is
 * consistent (every area finds itself, lies inside its parent).
 */
#include <stdlib.h>

#include "base/test_heap.h"
#include "core/area/area.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct puan_area_level level[] = {
        { { "nation", 6 }, { "", 0 }, { "", 0 }, 0 },
        { { "province", 8 }, { "", 0 }, { "", 0 }, 2 },
        { { "county", 6 }, { "", 0 }, { "", 0 }, 6 },
        { { "ea", 2 }, { "", 0 }, { "", 0 }, 9 },
    };
    struct puan_arena a, scratch;
    struct puan_area_tree *t;
    struct puan_err err = { 0 };

    puan_arena_init(&a, &puan_test_heap);
    puan_arena_init(&scratch, &puan_test_heap);
    if (puan_area_read_csv(&t, level, 4, 3,
                           (struct puan_str){ (const char *)data, size },
                           "areas.csv", &a, &scratch, &err) == PUAN_OK)
        for (uint32_t i = 0; i < t->n; i++) {
            if (puan_area_find(t, t->area[i].code) != i)
                abort();
            if (t->area[i].parent != PUAN_AREA_NONE &&
                !puan_area_contains(t, t->area[i].parent, i))
                abort();
        }
    puan_arena_clear(&a);
    puan_arena_clear(&scratch);
    return 0;
}
