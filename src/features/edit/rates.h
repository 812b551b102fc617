/*
 * Rates of an edit: of each item, and of each area apart, how many answers
 * there were, how many stood in a failing hard rule, how many were changed and
 * how.
 *
 * A tally belongs to one thread; tallies are added up at the end.
 */
#ifndef PUAN_FEATURES_EDIT_RATES_H
#define PUAN_FEATURES_EDIT_RATES_H

#include "core/edit/layer.h"
#include "features/edit/impute.h"
#include "kit/sheet/sheet.h"

struct puan_rates;

/* by_item: an item of the unit that says its area, or -1. */
PUAN_MUST_USE enum puan_status puan_rates_open(struct puan_rates **out,
                                               const struct puan_form *form,
                                               const struct puan_ruleset *rs,
                                               int by_item,
                                               struct puan_err *err);
void puan_rates_close(struct puan_rates *r); /* NULL is fine */

enum puan_rates_outcome {
    PUAN_RATES_CLEAN,
    PUAN_RATES_REPAIRED,
    PUAN_RATES_IMPOSSIBLE,
    PUAN_RATES_UNDECIDED,
    PUAN_RATES_OUTCOMES
};

/*
 * One unit as collected; change and method of a repaired one.  area: counts it
 * for that area, too; NULL: for what by_item says.
 */
PUAN_MUST_USE enum puan_status
puan_rates_unit(struct puan_rates *r, const struct puan_record *record,
                const int64_t *area,
                const struct puan_findings *found,
                enum puan_rates_outcome outcome,
                const struct puan_localised *got,
                const struct puan_imputed *imputed, struct puan_err *err);
/* Adds what `from` counted. */
PUAN_MUST_USE enum puan_status puan_rates_add(struct puan_rates *to,
                                              const struct puan_rates *from,
                                              struct puan_err *err);

/*
 * area,entity,item,units,clean,repaired,impossible,undecided,answers,failing,
 * changed,deductive,donor,hot-deck,nearest,ask: a row with an empty item for
 * the units of an area, then one for each item; the whole first, its area
 * empty.
 */
void puan_rates_write(struct puan_sheet_out *to, const struct puan_rates *r);

/* Of the whole, by item: for the summary. */
struct puan_rates_row {
    uint64_t answers, failing, changed, method[PUAN_IMPUTE_METHODS];
};
const struct puan_rates_row *puan_rates_item(const struct puan_rates *r,
                                             uint16_t entity, uint16_t item);
const uint64_t *puan_rates_units(const struct puan_rates *r); /* by outcome */

/* The areas counted apart, in no order; room for puan_rates_n of them. */
size_t puan_rates_n(const struct puan_rates *r);
void puan_rates_areas(int64_t *list, const struct puan_rates *r);
/* Adds what `from` counted for one area to what `to` has for another. */
PUAN_MUST_USE enum puan_status
puan_rates_give(struct puan_rates *to, int64_t area,
                const struct puan_rates *from, int64_t from_area,
                struct puan_err *err);
/* As it is kept (core/edit/layer.h): answers alone, without empty items. */
PUAN_MUST_USE enum puan_status
puan_rates_layer(struct puan_layer_area *out, const struct puan_rates *r,
                 int64_t area, struct puan_arena *a, struct puan_err *err);

#endif
