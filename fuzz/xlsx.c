/*
 * Workbooks: the whole file as a ZIP archive when it begins like one, else the
 * XML of one sheet.  What is accepted keeps its order, its bounds and UTF-8;
 * what is refused says why.
 */
#include <stdlib.h>

#include "kit/os/os.h"
#include "kit/xlsx/xlsx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void held(const struct puan_grid *g)
{
    uint32_t line = 0;

    for (uint32_t i = 0; i < g->n; i++) {
        const struct puan_grid_row *r = &g->row[i];

        if (r->line <= line || r->n == 0 || r->n > PUAN_XLSX_COLUMNS ||
            r->cell[r->n - 1].n == 0)
            abort();
        line = r->line;
        for (uint32_t k = 0; k < r->n; k++)
            if (!puan_utf8_valid(r->cell[k]))
                abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct puan_str shared[] = { { "a", 1 }, { "b", 1 } };
    struct puan_str in = { (const char *)data, size };
    struct puan_arena a;
    struct puan_err err = { 0 };
    enum puan_status st;

    puan_arena_init(&a, puan_os_alloc());
    if (size > 1 && data[0] == 'P' && data[1] == 'K') {
        struct puan_xlsx x;

        st = puan_xlsx_read(&x, in, "fuzz", &a, &err);
        for (size_t i = 0; st == PUAN_OK && i < x.n; i++)
            held(&x.sheet[i]);
    } else {
        struct puan_grid g = { 0 };

        st = puan_xlsx_sheet(&g, in, shared, 2, "fuzz", &a, &err);
        if (st == PUAN_OK)
            held(&g);
    }
    if (st != PUAN_OK && err.text[0] == '\0')
        abort();
    puan_arena_clear(&a);
    return 0;
}
