/*
 * A population pyramid as SVG: men to the left, women to the right, youngest
 * below; a second population as an outline over it.
 *
 * Writes text into an arena; does no I/O.
 */
#ifndef PUAN_FEATURES_EVALUATE_PYRAMID_H
#define PUAN_FEATURES_EVALUATE_PYRAMID_H

#include "base/out.h"
#include "features/evaluate/areas.h"

struct puan_pyramid {
    struct puan_str title, note; /* note: below it, small; may be empty */
    bool zh;
    bool fives; /* five-year groups though single years are there */
    /* the outline, by the same ages; may be NULL */
    const struct puan_age_area *against;
    struct puan_str against_title;
};

void puan_pyramid_svg(struct puan_out *o, const struct puan_pyramid *p,
                      const struct puan_age_area *a,
                      const struct puan_age_data *d);

#endif
