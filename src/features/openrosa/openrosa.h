/*
 * ODK's clients at the door: the plan's forms as XForms, the OpenRosa protocol
 * (form list, form, manifest, submission) behind a capability URL, and
 * arrivals as documents of contract 1, so that they pass the same rules.
 *
 * Depends on: core/xform, kit/xml, kit/multipart, accounts, ingest, host.
 */
#ifndef PUAN_FEATURES_OPENROSA_OPENROSA_H
#define PUAN_FEATURES_OPENROSA_OPENROSA_H

#include "features/host/feature.h"

extern const struct puan_feature puan_feature_openrosa;

#endif
