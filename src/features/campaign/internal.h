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

/* Covered tables, by place in the feature's list. */
enum {
    PUAN_COVER_AREA,
    PUAN_COVER_STAFF,
    PUAN_COVER_LISTING,
    PUAN_COVER_REGISTER,
    PUAN_COVER_ASSIGNMENT,
    PUAN_COVER_IMPORT,        /* office store */
    PUAN_COVER_IMPORT_RETURNS,
    PUAN_COVER_TABLES
};
extern const struct puan_covered puan_campaign_covered[PUAN_COVER_TABLES];

#define PUAN_CAMPAIGN_ROUTES 10
extern const struct puan_route puan_campaign_routes[PUAN_CAMPAIGN_ROUTES];

#endif
