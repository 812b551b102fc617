/*
 * An XLSForm (the spreadsheet format of ODK and KoboToolbox) made into a form
 * and rules of a plan, with a report of all that could not be carried over.
 *
 * What becomes of what is set down in README.md.  The form that comes out has
 * been loaded, its routing and its rules compiled: an expression that would
 * not is left out and reported.  Nothing is guessed: what has no counterpart
 * is left out with its place and what to do about it.
 *
 * Depends on: base, form, rule, plan/routing.  Does no I/O, reads no clock.
 */
#ifndef PUAN_CORE_XLSFORM_XLSFORM_H
#define PUAN_CORE_XLSFORM_XLSFORM_H

#include "base/grid.h"
#include "core/form/form.h"

enum puan_xlsform_level {
    PUAN_XLSFORM_LOST,    /* not carried over */
    PUAN_XLSFORM_CHANGED, /* carried over as something else */
    PUAN_XLSFORM_NOTE     /* carried over, or needless; worth knowing */
};

struct puan_xlsform_remark {
    enum puan_xlsform_level level;
    struct puan_str sheet;
    uint32_t line, column; /* of the cell, from 1; 0: the sheet, the row */
    const char *text;      /* one line, no full stop */
    const char *remedy;    /* what to do; "" when there is nothing to do */
    const struct puan_xlsform_remark *next;
};

struct puan_xlsform_in {
    const struct puan_grid *sheet;
    size_t n;
    struct puan_str name; /* id when the settings have none: "household" */
    struct puan_str id;   /* overrides the settings' form_id; may be empty */
    /* Languages (as the headers name them, "English (en)") for the labels of
       the form; empty: the one that looks like it, see README.md. */
    struct puan_str zh, en;
};

struct puan_xlsform {
    struct puan_str id;
    struct puan_node *tree;         /* the form, as a plan file is read */
    const struct puan_form *form;   /* loaded from it, without a digest */
    struct puan_str yaml;           /* the same as the text of a plan file */
    struct puan_str rules;          /* text of a rule file; empty: none */
    const struct puan_xlsform_remark *remarks; /* by sheet, row, column */
    size_t n_lost, n_changed, n_notes;
    /* What there was, and how much of it was carried over. */
    struct puan_xlsform_count {
        uint32_t of, done;
    } questions, conditions, constraints, calculations;
    uint32_t items, lists;
};

/*
 * EINVAL  no sheet "survey" with the columns type and name, no question that
 *         can be carried over, groups that do not nest
 * ELIMIT  more than PUAN_XLSFORM_ROWS rows
 */
#define PUAN_XLSFORM_ROWS 20000
PUAN_MUST_USE enum puan_status puan_xlsform(struct puan_xlsform *out,
                                            const struct puan_xlsform_in *in,
                                            struct puan_arena *a,
                                            struct puan_err *err);

/* "survey!F12"; the sheet alone, or with its row, when that is all there is. */
const char *puan_xlsform_place(const struct puan_xlsform_remark *r,
                               struct puan_arena *a);

#endif
