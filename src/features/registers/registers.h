/*
 * Registers: the flows of the plan that are kept as books (doc/flows.md,
 * `register`).  What is due back today, when the next sheet opens by itself,
 * what is in stock, the rows with their fields, and copies to take away.
 *
 * Reads only; a row is entered and attested as any case is.  A copy that is
 * taken away is an act, with the digest of what was taken.  Secret values are
 * in no list and in no copy.
 *
 * Depends on: cases.
 */
#ifndef PUAN_FEATURES_REGISTERS_REGISTERS_H
#define PUAN_FEATURES_REGISTERS_REGISTERS_H

#include "features/cases/cases.h"

extern const struct puan_feature puan_feature_registers;

#endif
