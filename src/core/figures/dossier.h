/*
 * Dossiers: all records that speak of one thing, gathered from many returns,
 * as one record that rules can be written about.  An identity's dossier holds
 * what forms say of one citizen ID wherever it occurs; a likeness's holds
 * records of one name, sex and month of birth in a household or county.
 *
 * A dossier (doc/plan.md "Dossiers") names its rosters; each takes rows of
 * forms, or entries of registers, and the items it keeps of them.  It is also a
 * form of its own: entity 0, named like the dossier, has one row that says
 * which registers are at hand; each roster is an entity below it with the kept
 * items, `household`, `ea`, and for each area item X also `X_here`: 1 when the
 * data hold households of that area.  Which rows belong together is the
 * caller's knowledge: a key of 16 bytes (identity token, digest of texts).
 *
 * Depends on: form, rule.  Does no I/O, keeps no state; in one arena, one
 * thread at a time.
 */
#ifndef PUAN_CORE_FIGURES_DOSSIER_H
#define PUAN_CORE_FIGURES_DOSSIER_H

#include "core/figures/figures.h"

#define PUAN_DOSSIER_ITEMS 16
#define PUAN_DOSSIER_SOURCES 8
#define PUAN_DOSSIER_REGISTERS 8

/* Rows of one form that a roster takes. */
struct puan_dossier_source {
    uint16_t form, entity;              /* ordinal in the plan */
    uint16_t item[PUAN_DOSSIER_ITEMS];  /* kept */
    uint16_t key[PUAN_DOSSIER_ITEMS];   /* items that make the key */
    const struct puan_expr *where;      /* NULL: all rows */
};

struct puan_dossier_roster {
    struct puan_str name;
    struct puan_dossier_source source[PUAN_DOSSIER_SOURCES];
    size_t n_sources;
    size_t n_items, n_keys; /* of each source */
    bool registers;         /* takes entries of registers instead */
};

struct puan_dossier {
    struct puan_form *form;
    const struct puan_dossier_roster *roster; /* entity 1 + i of the form */
    size_t n_rosters;
    int within; /* level whose areas keep keys apart; -1 none, n_levels:
                   the household itself */
    struct puan_str reg[PUAN_DOSSIER_REGISTERS]; /* names of registers */
    size_t n_regs;
};

/* EINVAL names file, line, column and remedy. */
PUAN_MUST_USE enum puan_status
puan_dossier_load(struct puan_dossier **out, const struct puan_node *tree,
                  const struct puan_sheet_in *in, struct puan_arena *a,
                  struct puan_err *err);

/* ---- gathering ------------------------------------------------------------ */

struct puan_dossiers;

PUAN_MUST_USE enum puan_status
puan_dossiers_new(struct puan_dossiers **out, const struct puan_dossier *d,
                  struct puan_arena *a, struct puan_err *err);
/* Does roster r take this row, by its source s? */
bool puan_dossier_takes(const struct puan_dossier_source *s,
                        const struct puan_record *r, uint16_t entity,
                        uint32_t row);
/* One row; `household` and the innermost area it lies in. */
void puan_dossiers_add(struct puan_dossiers *x, size_t roster,
                       const struct puan_dossier_source *s,
                       const struct puan_record *r, uint32_t row,
                       int64_t household, int64_t ea, const uint8_t key[16]);
/* One entry of the register of that place in `reg`. */
void puan_dossiers_entry(struct puan_dossiers *x, size_t reg, int64_t ea,
                         const uint8_t key[16]);
/* The data hold this area (6 digits and the like): for X_here. */
void puan_dossiers_here(struct puan_dossiers *x, int64_t area);
/* Behind the last row. */
PUAN_MUST_USE enum puan_status puan_dossiers_close(struct puan_dossiers *x,
                                                   struct puan_err *err);
/*
 * The next dossier as a record; *more is false at the end.  It lives in `a`.
 */
PUAN_MUST_USE enum puan_status
puan_dossiers_next(bool *more, struct puan_record *out,
                   struct puan_dossiers *x, struct puan_arena *a,
                   struct puan_err *err);
size_t puan_dossiers_rows(const struct puan_dossiers *x);

#endif
