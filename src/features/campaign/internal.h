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

#include "features/host/request.h"

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

/* returns.c */
struct puan_csv_returns {
    uint64_t households, taken, again, waiting; /* waiting: in quarantine */
};
/*
 * Returns of one form from CSV files (features/check/csv_record.h), sent as an
 * import at the campaign's time; dry_run reads them and sends nothing.
 *
 * ENOTFOUND  the plan has no such form   EINVAL  as puan_csv_set_open
 */
PUAN_MUST_USE enum puan_status
puan_import_csv_returns(struct puan_csv_returns *out, struct puan_store *store,
                        struct puan_str form, const char *const *paths,
                        size_t n, bool dry_run, struct puan_err *err);

/* places.c */
struct puan_areas_in {
    int64_t parent, depth;
    struct puan_page page;
};
struct puan_areas_search_in {
    struct puan_str q;
    struct puan_page page;
};
enum puan_status puan_campaign_about(struct puan_request *rq, const void *in,
                                     struct puan_err *err);
enum puan_status puan_campaign_areas(struct puan_request *rq, const void *in,
                                     struct puan_err *err);
enum puan_status puan_campaign_areas_search(struct puan_request *rq,
                                            const void *in,
                                            struct puan_err *err);

#define PUAN_CAMPAIGN_ROUTES 13
extern const struct puan_route puan_campaign_routes[PUAN_CAMPAIGN_ROUTES];

#endif
