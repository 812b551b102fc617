/*
 * What the files of this folder share.
 */
#ifndef PUAN_FEATURES_PROOF_INTERNAL_H
#define PUAN_FEATURES_PROOF_INTERNAL_H

#include "core/proof/world.h"
#include "features/proof/proof.h"

/* Lists of verbs of features, NULL-ended: verbs.c. */
extern const struct puan_verb *const puan_proof_verbs[];

extern const struct puan_command puan_proof_commands[1];

#endif
