/*
 * The plan library: every workflow of the plan as it was read, in words of
 * the plan; who issued it and whether it is in force; its runs, each with the
 * version it began with and the acts that started and ended it.
 *
 * Reads only.  A definition is no secret; of runs a seat sees what lists of
 * cases would show it (cases.h).
 *
 * Depends on: cases.
 */
#ifndef PUAN_FEATURES_LIBRARY_LIBRARY_H
#define PUAN_FEATURES_LIBRARY_LIBRARY_H

#include "features/cases/cases.h"

extern const struct puan_feature puan_feature_library;

#endif
