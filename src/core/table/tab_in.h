/*
 * Inside of tabulation: what tabulate.c and fold.c share.  Only the files of
 * this folder include it.
 */
#ifndef PUAN_CORE_TABLE_TAB_IN_H
#define PUAN_CORE_TABLE_TAB_IN_H

#include "core/table/tabulate.h"

#define PUAN_TAB_READS 8 /* items of one expression */

struct puan_tab_ref { /* an item of an entity, or rows of one below it */
    uint16_t entity;
    const struct puan_frame_item *item;
    uint16_t below;
};

struct puan_tab_unit { /* a unit's items as a form of one row */
    bool open;
    uint16_t entity;
    const struct puan_form *form;
    struct puan_tab_ref *of; /* by item of the form */
    size_t n;
    struct puan_record rec; /* one row, for looks */
};

/* An item (ref), a function of items (expr, read), or a column (want >= 0). */
struct puan_tab_expr {
    uint16_t unit;
    const struct puan_tab_ref *ref;
    struct puan_expr *expr;
    uint16_t read[PUAN_TAB_READS];
    size_t n;
    int want;
};

struct puan_tab_show_open {
    uint16_t unit;
    bool has_value, has_where;
    struct puan_tab_expr value, where;
};

struct puan_tab_unit_of { /* a table's dimensions over one unit */
    bool used, has_where;
    struct puan_tab_expr dim[PUAN_TAB_DIMS], where;
};

/* An expression over the axes of a part. */
struct puan_tab_fn {
    const struct puan_tab_expr *x;
    const struct puan_expr *expr; /* NULL: the only axis is the value */
    uint16_t axis[PUAN_TAB_READS];
    size_t n;
    bool mapped; /* by class of the only axis: val, state; bands applied */
    int64_t *val;
    uint8_t *state;
};

struct puan_tab_show_part {
    size_t show;
    int sum; /* sum of the cube, -1: value is a function */
    bool has_value, has_where;
    struct puan_tab_fn value, where;
};

struct puan_tab_part { /* measures of a table that one cube answers */
    struct puan_tab_part *next;
    uint16_t unit;
    struct puan_cube_axis axis[PUAN_CUBE_AXES];
    unsigned uses[PUAN_CUBE_AXES];
    size_t n_axes;
    struct puan_cube_sum sum[PUAN_CUBE_SUMS];
    size_t n_sums;
    struct puan_tab_fn dim[PUAN_TAB_DIMS], where;
    bool has_where;
    struct puan_tab_show_part *shows;
    size_t n_shows;
    size_t set, cube;
};

struct puan_tab_open {
    const struct puan_tab_table *table;
    struct puan_tab_show_open *show;
    struct puan_tab_unit_of *unit; /* by entity */
    struct puan_tab_bands bands[PUAN_TAB_DIMS];
    const struct puan_codelist *codes[PUAN_TAB_DIMS];
    struct puan_str zh[PUAN_TAB_DIMS], en[PUAN_TAB_DIMS];
    struct puan_tab_part *part;
};

struct puan_tab {
    const struct puan_frame *f;
    const struct puan_tab_programme *p;
    struct puan_tab_unit *unit; /* by entity */
    struct puan_tab_open *table;
    struct puan_tab_want *want;
    struct puan_tab_ref *made;
    size_t n_wants;
    struct puan_cubes **set;
    size_t n_sets;
    struct puan_err flat_error; /* why an expression became a want */
};

/* The column an expression was made into, or NULL. */
static inline const struct puan_tab_ref *
puan_tab_made(const struct puan_tab *t, const struct puan_tab_expr *x)
{
    return x->want >= 0 && t->made[x->want].item ? &t->made[x->want] : NULL;
}

/* Value of a function for classes of its axes; not for mapped ones. */
void puan_tab_look(int64_t *value, enum puan_state *state,
                   const struct puan_tab *t, const struct puan_tab_part *pt,
                   const struct puan_tab_fn *fn, const uint64_t *class_);
/* Index of the band of a value; -1 below the first. */
int64_t puan_tab_band(const struct puan_tab_bands *b, int64_t v);

#endif
