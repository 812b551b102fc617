/*
 * The list of features, made by the build from the folders' own names
 * (feature_names in each meson.build).  Holds nothing else.
 */
#include "features/host/feature.h"

#define PUAN_FEATURE(n) extern const struct puan_feature puan_feature_##n;
#include "features/features_list.h"
#undef PUAN_FEATURE

const struct puan_feature *const puan_features[] = {
#define PUAN_FEATURE(n) &puan_feature_##n,
#include "features/features_list.h"
#undef PUAN_FEATURE
    NULL
};
