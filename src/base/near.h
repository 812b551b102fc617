/*
 * The known name nearest to one nobody knows, for messages that offer it.
 *
 *   struct puan_near near = puan_near_to(name);
 *   for (each known) puan_near_try(&near, known);
 *   if (near.name.n) ... "did you mean near.name"
 *
 * Nearest by letters changed, added or left out, whatever the case of Latin
 * letters: at most one in names of one or two bytes, two in three or four, three
 * in more; nothing is near a name of more than 40.
 *
 * Depends on: text.  Allocates nothing; `name` is borrowed from what was tried.
 */
#ifndef PUAN_BASE_NEAR_H
#define PUAN_BASE_NEAR_H

#include "base/text.h"

struct puan_near {
    struct puan_str to, name; /* name.n == 0: none is near enough */
    unsigned at;              /* changes from `to` to `name`; before that, what
                                 is too many */
};

struct puan_near puan_near_to(struct puan_str name);
void puan_near_try(struct puan_near *n, struct puan_str known);

#endif
