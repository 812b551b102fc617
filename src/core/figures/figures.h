/*
 * Figures of areas: what a plan counts and adds up for each enumeration area,
 * township or county, so that rules can be written about an area as they are
 * about a household.
 *
 * A sheet (doc/plan.md "Figures") names its figures; each is made from the
 * rows of forms (count, sum, the size of the largest group with one value, the
 * median, the largest value), given from outside (a register, an earlier census), or taken from
 * the area above.  A sheet is also a form of its own with one row, whose items
 * are the figures: rules `in SHEET` run over it with the ordinary executors.
 *
 * What cannot be told is not asked, so that rules about it are silent: a
 * figure of forms of which no row was added, a median or a largest value over
 * nothing, a figure that was not given.
 *
 * Depends on: form, rule.  Does no I/O, keeps no state; figures belong to one
 * thread at a time and live in their arena.
 */
#ifndef PUAN_CORE_FIGURES_FIGURES_H
#define PUAN_CORE_FIGURES_FIGURES_H

#include "core/rule/rule.h"

enum puan_figure_kind {
    PUAN_FIGURE_COUNT,  /* rows for which `where` is true */
    PUAN_FIGURE_SUM,    /* of `value`; rows where it is unknown are left out */
    PUAN_FIGURE_MOST,   /* rows in the largest group with one `value` */
    PUAN_FIGURE_MEDIAN, /* of `value`; the lower of two middle ones */
    PUAN_FIGURE_LARGEST, /* `value` of the row where it is largest */
    PUAN_FIGURE_GIVEN,
    PUAN_FIGURE_ABOVE /* `figure` of the area of `level` that contains it */
};

/* Rows a figure is made from. */
struct puan_figure_source {
    uint16_t form; /* ordinal in the plan */
    uint16_t entity;
    const struct puan_expr *value, *where; /* NULL: none */
    int text; /* MOST: a text item instead of a value, -1 none */
};

struct puan_figure {
    struct puan_str name, zh, en;
    enum puan_figure_kind kind;
    const struct puan_figure_source *source;
    size_t n_sources;
    int level;  /* ABOVE: index of the plan's level */
    int figure; /* ABOVE: place in the sheet */
    const struct puan_node *at;
};

/* Items of a sheet's form before the figures. */
enum { PUAN_SHEET_AREA, PUAN_SHEET_LEVEL, PUAN_SHEET_FIRST };

struct puan_sheet {
    struct puan_form *form; /* id and its only entity: the sheet's name */
    const struct puan_figure *figure; /* figure i is item FIRST + i */
    size_t n;
    uint32_t levels; /* bit per level of the plan: rules run there */
    uint32_t kept;   /* levels figures are kept for: those and ABOVE's */
};

/* What a sheet is read against. */
struct puan_sheet_in {
    const struct puan_form *const *form; /* by ordinal */
    size_t n_forms;
    const struct puan_str *level; /* ids, top down */
    const unsigned *digits;       /* of each; 0: above any installation */
    size_t n_levels;
    const struct puan_const *consts;
    size_t n_consts;
};

/* EINVAL names file, line, column and remedy. */
PUAN_MUST_USE enum puan_status
puan_sheet_load(struct puan_sheet **out, const struct puan_node *tree,
                const struct puan_sheet_in *in, struct puan_arena *a,
                struct puan_err *err);
/* Place of a figure, or -1. */
int puan_sheet_figure(const struct puan_sheet *s, struct puan_str name);

/* ---- adding up ------------------------------------------------------------ */

struct puan_figures;

/* `digits` as in puan_sheet_in; both must outlive the figures. */
PUAN_MUST_USE enum puan_status
puan_figures_new(struct puan_figures **out, const struct puan_sheet *s,
                 const unsigned *digits, size_t n_levels, struct puan_arena *a,
                 struct puan_err *err);
/*
 * The rows of one return or roll entry of the innermost area `ea` (digits of
 * the last level).  Forms no figure is made from are passed over.  skip[row],
 * which may be NULL, leaves rows of entity `skipped` out.
 */
void puan_figures_add(struct puan_figures *f, int64_t ea,
                      const struct puan_record *r, uint16_t skipped,
                      const bool *skip);
/*
 * A given figure of one area, added to what was given before; an area counts
 * for those above it only when `up`.  False: no such level.
 */
bool puan_figures_give(struct puan_figures *f, int level, int64_t area,
                       size_t figure, int64_t value, bool up);
/* Behind the last row: medians, largest groups, figures from above. */
PUAN_MUST_USE enum puan_status puan_figures_close(struct puan_figures *f,
                                                  struct puan_err *err);

/* Areas of a level that have figures, ascending by code. */
size_t puan_figures_areas(const struct puan_figures *f, int level);
int64_t puan_figures_area(const struct puan_figures *f, int level, size_t i);
/* One figure; *state GIVEN or NOT_ASKED. */
int64_t puan_figures_value(enum puan_state *state,
                           const struct puan_figures *f, int level, size_t i,
                           size_t figure);
/* The area as a record of the sheet's form, for rules. */
PUAN_MUST_USE enum puan_status
puan_figures_record(struct puan_record *out, const struct puan_figures *f,
                    int level, size_t i, struct puan_arena *a,
                    struct puan_err *err);

#endif
