/*
 * An area as answers name it.
 */
#include "core/area/area.h"

static void put(struct puan_jw *w, const struct puan_area_tree *t, int64_t code,
                bool always)
{
    uint32_t i = t != NULL ? puan_area_find(t, code) : PUAN_AREA_NONE;

    puan_jw_kcode(w, "area", code);
    if (i != PUAN_AREA_NONE) {
        puan_jw_kstr(w, "area_zh", t->area[i].zh);
        puan_jw_kstr(w, "area_en", t->area[i].en);
    } else if (always) {
        puan_jw_kstr(w, "area_zh", PUAN_STR(""));
        puan_jw_kstr(w, "area_en", PUAN_STR(""));
    }
}

void puan_area_put(struct puan_jw *w, const struct puan_area_tree *t,
                   int64_t code)
{
    put(w, t, code, false);
}

void puan_area_put_always(struct puan_jw *w, const struct puan_area_tree *t,
                          int64_t code)
{
    put(w, t, code, true);
}
