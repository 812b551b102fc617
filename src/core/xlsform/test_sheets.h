/*
 * For tests and fuzzing only: sheets out of a text.  A sheet is its name on a
 * line, its rows, and an empty line; cells stand apart by tabs.
 */
#ifndef PUAN_CORE_XLSFORM_TEST_SHEETS_H
#define PUAN_CORE_XLSFORM_TEST_SHEETS_H

#include "base/arena.h"
#include "base/grid.h"

/* One row of cells; those at its end that are empty are left out. */
static inline struct puan_grid_row
puan_test_row(struct puan_str line, uint32_t number, struct puan_arena *a)
{
    struct puan_grid_row row = { .line = number };
    struct puan_str *cell, one;
    size_t n = 1;

    for (size_t i = 0; i < line.n; i++)
        n += line.p[i] == '\t';
    cell = puan_new_n(a, n, struct puan_str);
    for (uint32_t i = 0; cell && puan_str_split(&one, &line, '\t'); i++) {
        cell[i] = one;
        if (one.n > 0)
            row.n = i + 1;
    }
    row.cell = cell;
    return row;
}

/* Room for 8 sheets; the texts borrow from `text`. */
static inline size_t puan_test_sheets(struct puan_grid *sheet,
                                      struct puan_str text,
                                      struct puan_arena *a)
{
    struct puan_str line;
    size_t n = 0, lines = 1;
    uint32_t number = 0;
    struct puan_grid_row *row = NULL;

    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    while (puan_str_split(&line, &text, '\n')) {
        struct puan_grid_row r;

        if (line.n == 0) {
            row = NULL;
            continue;
        }
        if (!row) {
            if (n == 8)
                break;
            row = puan_new_n(a, lines, struct puan_grid_row);
            if (!row)
                break;
            sheet[n++] = (struct puan_grid){ .name = line, .row = row };
            number = 0;
            continue;
        }
        r = puan_test_row(line, ++number, a);
        if (r.n > 0)
            row[sheet[n - 1].n++] = r;
    }
    return n;
}

#endif
