/*
 * What is in stock: in less out over every run of one flow at one area.
 */
#include "features/cases/internal.h"

enum puan_status puan_case_stocks(struct puan_case_facts *out,
                                  struct puan_store *st, struct puan_db *db,
                                  const struct puan_flow_run *run,
                                  struct puan_arena *a, struct puan_err *err)
{
    const struct puan_flow *f = run->flow;
    int64_t stock[PUAN_FLOW_QUANTITIES] = { 0 };
    struct puan_stmt *s = NULL;
    int64_t *id = NULL;
    size_t n = 0, cap = 0;
    enum puan_status rc;
    bool more = false;

    if (f->n_quantities == 0)
        return PUAN_OK;
    rc = puan_sql(&s, db,
                  "SELECT id FROM case_run WHERE flow = $1 AND area = $2"
                  " ORDER BY id",
                  err);
    if (rc != PUAN_OK)
        return rc;
    puan_bind_text(s, 1, f->label.name);
    puan_bind_int(s, 2, run->area);
    while ((rc = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        if (n == cap) {
            size_t wider = cap ? 2 * cap : 64;
            int64_t *to = puan_new_n(a, wider, int64_t);

            if (to == NULL)
                break;
            for (size_t i = 0; i < n; i++)
                to[i] = id[i];
            id = to;
            cap = wider;
        }
        id[n++] = puan_col_int(s, 0);
    }
    puan_stmt_done(s);
    if (rc != PUAN_OK)
        return rc;
    for (size_t i = 0; i < n; i++) {
        struct puan_case_row row = { 0 };
        struct puan_flow_run *other = NULL;

        TRY(puan_case_read(&row, &other, st, db, id[i], a, err));
        for (size_t q = 0; q < f->n_quantities; q++)
            if (puan_flow_same_stock(run, other, q))
                stock[q] += other->moved[q];
    }
    TRY(puan_arena_check(a, err));
    for (size_t q = 0; q < f->n_quantities; q++)
        puan_case_fact(out,
                       puan_arena_fmt(a, "stock.%.*s",
                                      PUAN_FMT(f->quantities[q].label.name)),
                       stock[q]);
    return PUAN_OK;
}
