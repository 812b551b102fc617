/*
 * Inside campaign.  No other feature includes this.
 */
#ifndef PUAN_FEATURES_CAMPAIGN_INTERNAL_H
#define PUAN_FEATURES_CAMPAIGN_INTERNAL_H

#include "base/csv.h"
#include "base/json.h"
#include "core/codes/codes.h"
#include "core/plan/plan.h"
#include "features/campaign/campaign.h"
#include "kit/crypto/keys.h"

#include "features/host/feature.h"

#define PUAN_CAMPAIGN_ROUTES 10
extern const struct puan_route puan_campaign_routes[PUAN_CAMPAIGN_ROUTES];

#endif
