/*
 * What is in stock: the quantities of a flow over its rows, by office and by
 * kind of goods.  The same sum the engine holds an issue against
 * (cases/stocks.c).
 */
#include <stdlib.h>

#include "features/registers/internal.h"

static int by_place(const void *a, const void *b)
{
    const struct puan_register_stock *x = a, *y = b;

    if (x->area != y->area)
        return x->area < y->area ? -1 : 1;
    if (x->quantity != y->quantity)
        return x->quantity < y->quantity ? -1 : 1;
    return puan_str_cmp(x->of, y->of);
}

enum puan_status puan_register_stocks(struct puan_register_stock **out,
                                      size_t *n, struct puan_request *rq,
                                      const struct puan_flow *f,
                                      const struct puan_case_glance *rows,
                                      size_t n_rows, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(rq->store);
    int offset = puan_store_plan(rq->store)->offset_minutes;
    struct puan_register_stock *s;
    struct puan_db *db = NULL;
    enum puan_status st = PUAN_OK;
    size_t k = 0, w = 0;

    *n = 0;
    *out = NULL;
    if (f->n_quantities == 0 || n_rows == 0)
        return PUAN_OK;
    s = puan_new_n(rq->arena, n_rows * f->n_quantities,
                   struct puan_register_stock);
    if (s == NULL)
        return puan_arena_check(rq->arena, err);
    TRY(puan_read_begin(&db, office, err));
    for (size_t i = 0; st == PUAN_OK && i < n_rows; i++) {
        struct puan_flow_run *run = NULL;
        struct puan_case_row row;

        if (rows[i].drill)
            continue;
        st = puan_case_read(&row, &run, rq->store, db, rows[i].id, rq->arena,
                            err);
        for (size_t q = 0; st == PUAN_OK && q < f->n_quantities; q++) {
            int of = f->quantities[q].of;
            int64_t moved = run->moved[q];

            s[k++] = (struct puan_register_stock){
                .area = rows[i].area, .quantity = q,
                .of = of < 0 ? PUAN_STR("")
                             : puan_register_value(run, (size_t)of, true,
                                                   offset, rq->arena),
                .in = moved > 0 ? moved : 0, .out = moved < 0 ? -moved : 0
            };
        }
    }
    puan_read_end(office, db);
    TRY(st);
    if (k == 0)
        return PUAN_OK;
    qsort(s, k, sizeof *s, by_place);
    for (size_t i = 1; i < k; i++) {
        if (by_place(&s[w], &s[i]) == 0) {
            s[w].in += s[i].in;
            s[w].out += s[i].out;
        } else {
            s[++w] = s[i];
        }
    }
    *n = w + 1;
    *out = s;
    return PUAN_OK;
}
