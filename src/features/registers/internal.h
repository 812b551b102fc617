/*
 * Inside features/registers: what its files share.
 */
#ifndef PUAN_FEATURES_REGISTERS_INTERNAL_H
#define PUAN_FEATURES_REGISTERS_INTERNAL_H

#include "features/host/request.h"
#include "features/registers/registers.h"

#define PUAN_REGISTER_ROWS 20000 /* of one export */

/* One kind of goods at one office: what came in, what went out. */
struct puan_register_stock {
    int64_t area;
    size_t quantity;    /* of the flow */
    struct puan_str of; /* the goods; empty when the flow names none */
    int64_t in, out;
};
/* Over all rows that are no drill, by area, quantity and goods. */
PUAN_MUST_USE enum puan_status
puan_register_stocks(struct puan_register_stock **out, size_t *n,
                     struct puan_request *rq, const struct puan_flow *f,
                     const struct puan_case_glance *rows, size_t n_rows,
                     struct puan_err *err);

/*
 * The rows as a sheet: a head and one line each, in one language; cells are
 * what people read.  Whole numbers are marked, so that a spreadsheet can add.
 */
struct puan_register_cell {
    struct puan_str text;
    bool number;
};
struct puan_register_sheet {
    struct puan_str title;
    size_t n_columns, n_rows;
    const struct puan_register_cell *cell; /* head first, row after row */
};
PUAN_MUST_USE enum puan_status
puan_register_sheet(struct puan_register_sheet *out, struct puan_request *rq,
                    const struct puan_flow *f,
                    const struct puan_case_glance *rows, size_t n_rows, bool zh,
                    struct puan_err *err);
void puan_register_csv(struct puan_out *o, const struct puan_register_sheet *s);
PUAN_MUST_USE enum puan_status
puan_register_xlsx(struct puan_str *out, const struct puan_register_sheet *s,
                   bool zh, struct puan_arena *a, struct puan_err *err);

/* The value of a field as people read it; empty when it is not set. */
struct puan_str puan_register_value(const struct puan_flow_run *run,
                                    size_t field, bool zh, int offset,
                                    struct puan_arena *a);

#endif
