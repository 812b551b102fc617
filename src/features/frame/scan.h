/*
 * Where the cells of a CSV text end.
 *
 * Depends on: base.  Does no I/O.
 */
#ifndef PUAN_FEATURES_FRAME_SCAN_H
#define PUAN_FEATURES_FRAME_SCAN_H

#include "base/text.h"

struct puan_scan {
    size_t cells, lines, quotes;
};

/*
 * Writes the offset of every comma and line end outside of double quotes; the
 * text begins outside of them.  `end` has room for n + 64; 64 bytes behind the
 * text may be read.
 */
void puan_scan_cells(struct puan_scan *out, uint32_t *end, const char *p,
                     size_t n);

/*
 * Counts double quotes, and line ends apart by whether the number of quotes
 * before them is even [0] or odd [1].
 */
struct puan_scan_count {
    uint64_t quotes, lines[2];
};
void puan_scan_count(struct puan_scan_count *out, const char *p, size_t n);

/*
 * The first line end; with `quotes`, the first outside of double quotes, where
 * *quotes says whether the text begins within some and is kept up.
 */
bool puan_scan_line_end(size_t *at, const char *p, size_t n, bool *quotes);

#endif
