#include "features/host/partial.h"

void puan_partial_add(struct puan_partial *k, int64_t area, bool whole)
{
    if (!whole && k->of - k->have < (int64_t)PUAN_COUNT(k->missing))
        k->missing[k->of - k->have] = area;
    k->have += whole;
    k->of++;
}

void puan_partial_json(struct puan_jw *w, const struct puan_partial *k)
{
    if (k->have == k->of)
        return;
    puan_jw_key(w, "partial");
    puan_jw_map(w);
    puan_jw_kint(w, "have", k->have);
    puan_jw_kint(w, "of", k->of);
    puan_jw_key(w, "missing");
    puan_jw_list(w);
    for (int64_t i = 0; i < k->of - k->have &&
                        i < (int64_t)PUAN_COUNT(k->missing);
         i++) {
        char code[24];

        puan_format(code, sizeof(code), "%lld", (long long)k->missing[i]);
        puan_jw_text(w, code);
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}
