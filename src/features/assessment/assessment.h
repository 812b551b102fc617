/*
 * Assessment: the sheets of the offices that the plan's scoring.yaml assesses
 * (core/score).
 *
 *   assess_entry(id, area, at, kind, role, person, body)   covered
 *     one row for each thing written on a sheet, in order; never changed.
 *     kind: a word of puan_score_entry_word; body: its JSON
 *
 * A sheet is the fold of its entries, computed whenever it is read.  A job
 * writes what the system measures itself, and the vetoes that cases set.
 *
 * Depends on: cases (what cases say), core/score.
 */
#ifndef PUAN_FEATURES_ASSESSMENT_ASSESSMENT_H
#define PUAN_FEATURES_ASSESSMENT_ASSESSMENT_H

#include "features/host/feature.h"

extern const struct puan_feature puan_feature_assessment;

#endif
