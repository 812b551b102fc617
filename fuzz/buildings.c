/*
 * Files of buildings: what is read comes out of its packed bytes the same, and
 * damaged bytes never bring the program down.
 */
#include <stdlib.h>

#include "features/maps/internal.h"
#include "kit/os/heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct puan_building *a, const struct puan_building *b)
{
    return puan_str_eq(a->number, b->number) && puan_str_eq(a->kind, b->kind) &&
           a->units == b->units && a->at.x == b->at.x && a->at.y == b->at.y;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct puan_area_level level[] = {
        { { "county", 6 }, { "", 0 }, { "", 0 }, 1 },
        { { "ea", 2 }, { "", 0 }, { "", 0 }, 2 },
    };
    struct puan_str text = { (const char *)data, size };
    struct puan_building *b, *back;
    struct puan_area_tree *t;
    struct puan_arena a, scratch;
    struct puan_err err = { 0 };
    size_t n, n_back;

    puan_arena_init(&a, &puan_heap);
    puan_arena_init(&scratch, &puan_heap);
    if (puan_area_read_csv(&t, level, 2, 3,
                           PUAN_STR("code,parent,level,name_zh,name_en\n"
                                    "1,,county,c,c\n11,1,ea,e,e\n"
                                    "12,1,ea,f,f\n"),
                           "areas", &a, &scratch, &err) != PUAN_OK)
        abort();
    (void)puan_buildings_header(text);
    (void)!puan_buildings_unpack(&back, &n_back, 1, text, &a, NULL);
    if (puan_buildings_read(&b, &n, t, text, "fuzz", &a, &err) != PUAN_OK) {
        if (!err.text[0])
            abort();
    } else {
        struct puan_out o;

        puan_out_init(&o, &a);
        puan_buildings_pack(&o, b, n);
        if (puan_buildings_unpack(&back, &n_back, 1, puan_out_view(&o), &a,
                                  NULL) != PUAN_OK ||
            n_back != n)
            abort();
        for (size_t i = 0; i < n; i++)
            if (!same(&b[i], &back[i]))
                abort();
    }
    puan_arena_clear(&scratch);
    puan_arena_clear(&a);
    return 0;
}
