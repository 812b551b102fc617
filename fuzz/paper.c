/*
 * Fuzz target: a paper as JSON.  What is read keeps its bounds.
 */
#include <stdlib.h>

#include "base/test_heap.h"
#include "core/paper/paper.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_str text = { (const char *)data, size };
    struct puan_paper *p = NULL;
    struct puan_arena a;
    struct puan_err err = { 0 };

    puan_arena_init(&a, &puan_test_heap);
    a.limit = 16u << 20;
    if (puan_paper_read(&p, text, &a, &err) == PUAN_OK) {
        if (p->title.n == 0 ||
            p->page.left + p->page.text_width > p->page.width)
            abort();
        for (size_t i = 0; i < p->n_blocks; i++) {
            const struct puan_paper_block *b = &p->block[i];

            if (b->kind == PUAN_PAPER_HEADING && (b->level < 1 || b->level > 4))
                abort();
            if (b->kind == PUAN_PAPER_TABLE && b->table.n_columns == 0)
                abort();
            for (size_t r = 0; r < b->table.n_rows; r++)
                if (b->table.row[r].cell == NULL)
                    abort();
        }
    } else if (err.code == PUAN_OK || err.text[0] == '\0') {
        abort();
    }
    puan_arena_clear(&a);
    return 0;
}
