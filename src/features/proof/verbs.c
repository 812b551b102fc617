/*
 * Verbs of plays that need more than core/proof knows.  A feature or a subject
 * of core that has something to show adds a file beside this one, with a table
 * `const struct puan_verb puan_proof_NAME[]` ended by an empty row, and its
 * name here.
 */
#include "features/proof/internal.h"

const struct puan_verb *const puan_proof_verbs[] = {
    puan_proof_assessment,
    puan_proof_monitor,
    NULL,
};
