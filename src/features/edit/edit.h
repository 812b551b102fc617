/*
 * puan edit: localises the errors of returns in plain files, fills in values,
 * and reports what was changed, why and how often.  Never changes the data:
 * what it finds is a layer of its own, a row a changed answer.
 */
#ifndef PUAN_FEATURES_EDIT_EDIT_H
#define PUAN_FEATURES_EDIT_EDIT_H

#include "features/host/feature.h"

extern const struct puan_feature puan_feature_edit;

#endif
