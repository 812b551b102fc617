/*
 * The register of the cards that enumerators and supervisors show at a door,
 * and what a stranger may learn from the number on one.
 *
 *   office store
 *     certificate(id, no, staff, role, area, sealed)   covered as one group
 *     certificate_stop(no, at, why, seat, reason)      covered
 *       sealed   the name: purpose "staff", table "certificate", column
 *                "sealed", row key = no
 *       why      stopped (by an office), replaced (another card for the same
 *                person)
 *
 * A card comes into the register with the import of staff.  It counts while it
 * was not stopped, its holder's sign-in was not ended, and the last window in
 * which somebody comes to the door is not over.  A stopped card stays stopped;
 * who needs one gets another number.
 *
 * Numbers: when the plan's setting certificate_check is "mod31" every number
 * ends in a check character (core/codes/codes.h), an import of another is
 * refused, and a stranger's slip is told from a number that does not exist.
 *
 * Never gives a list to the public, nor more of a name than its first and last
 * character.
 *
 * Depends on: store, host, accounts (ended sign-ins).
 */
#ifndef PUAN_FEATURES_CERTIFICATES_CERTIFICATES_H
#define PUAN_FEATURES_CERTIFICATES_CERTIFICATES_H

#include "features/store/store.h"

struct puan_seal_key;

extern const struct puan_feature puan_feature_certificates;

struct puan_certificate {
    struct puan_str no, staff, role, name;
    int64_t area;
};

/* May the plan's numbers look like this?  EINVAL says what is wrong. */
PUAN_MUST_USE enum puan_status
puan_certificate_check(const struct puan_plan *plan, struct puan_str no,
                       struct puan_err *err);
/*
 * Inside the act that imports staff: enters or changes one card.  `key` is the
 * office store's data key "staff".
 *
 * EINVAL  the number is somebody else's
 */
PUAN_MUST_USE enum puan_status
puan_certificate_put(struct puan_shard *sh, struct puan_db *db,
                     struct puan_act *act, const struct puan_seal_key *key,
                     const struct puan_certificate *c, struct puan_arena *a,
                     struct puan_err *err);
/*
 * The number of a person's card that is not stopped, in `a`; empty when there
 * is none.
 */
PUAN_MUST_USE enum puan_status
puan_certificate_of(struct puan_str *no, struct puan_store *st,
                    struct puan_str staff, struct puan_arena *a,
                    struct puan_err *err);
/* The same act, after the last of them. */
PUAN_MUST_USE enum puan_status
puan_certificates_cover(struct puan_shard *sh, struct puan_db *db,
                        struct puan_act *act, struct puan_err *err);

#endif
