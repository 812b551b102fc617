/*
 * Values for the answers that localisation says must change.  In this order,
 * each only where the one before does not serve:
 *
 *   deductive  the rules leave one value only
 *   donor      all of them from one passing unit nearby, the nearest by its
 *              other answers, so that they suit one another (the nearest-
 *              neighbour imputation of the Canadian census: M. Bankier,
 *              M. Lachance and P. Poirier, "2001 Canadian Census Minimum Change
 *              Donor Imputation Methodology", UNECE work session on statistical
 *              data editing, Cardiff 2000, paper 17)
 *   hot deck   each from the nearest passing unit whose value serves
 *   nearest    the value nearest to the one reported with which all hard rules
 *              pass
 *   ask        a sealed text cannot be made up: it is to be asked again, and
 *              the facts say what it must agree with
 *
 * Every value is tried against all hard rules, with the rest still open
 * (core/edit/localise.h, filling in), and the whole is run again by the
 * ordinary executor.  Donors are units of the same chunk of the file, which is
 * in area order: neighbours; units with as many rows come first.
 *
 * Pure; depends on core/edit.
 */
#ifndef PUAN_FEATURES_EDIT_IMPUTE_H
#define PUAN_FEATURES_EDIT_IMPUTE_H

#include "core/edit/localise.h"
#include "features/edit/source.h"

enum puan_impute_method {
    PUAN_IMPUTE_DEDUCTIVE,
    PUAN_IMPUTE_DONOR,
    PUAN_IMPUTE_HOT_DECK,
    PUAN_IMPUTE_NEAREST,
    PUAN_IMPUTE_ASK,
    PUAN_IMPUTE_METHODS
};
const char *puan_impute_name(enum puan_impute_method m);

struct puan_imputed {
    enum puan_impute_method *method; /* by change of the localisation; facts
                                        as their item */
    const struct puan_edit_return **donor; /* NULL: none */
    struct puan_record record;             /* checked */
};

struct puan_impute_options {
    unsigned donors; /* tried; 0: 5 */
    uint64_t budget; /* of one question; 0: the localiser's */
};

/*
 * got: FOUND for r.  donor: the chunk's passing units.  The changes of `got`
 * get the values filled in.
 */
PUAN_MUST_USE enum puan_status
puan_impute(struct puan_imputed *out, struct puan_localised *got,
            const struct puan_localiser *l, const struct puan_record *r,
            const struct puan_edit_return *const *donor, size_t n_donors,
            const struct puan_impute_options *opt, struct puan_arena *a,
            struct puan_err *err);

#endif
