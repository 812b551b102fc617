/*
 * Devices of the field (contract 18): enrolment, lease, wipe orders and their
 * receipts; sealed returns opened here and handed to ingest exactly once,
 * whatever the path; the devices' own chains, and by them what is taken but
 * not yet here.
 *
 *   office store
 *   device(id, device, account, role, area, name, sign_key, secret, enrolled,
 *          state, ordered, revoked, lost, reason, seat, wiped, wipe_head,
 *          wipe_sig)                                                   covered
 *       state    1 active, 2 revoked, 3 wiped; ordered: ledger number of the
 *                order; secret: keyed hash; times real, ms
 *   enrolment(id, hash, account, made, until, used)                    covered
 *
 *   returns stores, by the area of the device's account
 *   device_contact(id, device, at, clock, first, n, head, signature, links)
 *       one a contact that brought links: their texts, a line each     covered
 *   device_seen(device, at, lease, clock, n, head, broken)   derived but lease
 *   device_return(id, device, household, counter, digest, sealed, announced,
 *                 state, arrived, receipt)                             derived
 *       state    0 announced by a chain, 1 in the ledger, 2 in quarantine
 *
 *   uploads/<device>/<digest>-<size>   pieces of sealed returns under way
 *
 * Never stores a secret, a lease key or a document.
 *
 * Depends on: store, host, accounts, ingest, campaign (listing).
 */
#ifndef PUAN_FEATURES_DEVICES_DEVICES_H
#define PUAN_FEATURES_DEVICES_DEVICES_H

#include "features/store/store.h"

extern const struct puan_feature puan_feature_devices;

struct puan_bundle_result {
    struct puan_str device;
    uint32_t returns;  /* in the bundle */
    uint32_t ledger;   /* of these in the ledger, now or before */
    uint32_t waiting;  /* in quarantine */
    uint32_t refused;  /* could not be opened, or not this device's to send */
    uint32_t links;    /* new to us */
    uint32_t known;    /* links of the device's chain now known */
};
/*
 * Takes a bundle from any carrier.  When `w` is given, an element for each
 * return is written into the list it has open: its receipt, or {"refused":why}.
 * The same bundle again gives the same.
 *
 * EINVAL     no bundle, or of another campaign   ENOTFOUND  no such device
 * EDENIED    its signature does not fit
 */
PUAN_MUST_USE enum puan_status
puan_bundle_take(struct puan_bundle_result *out, struct puan_store *st,
                 struct puan_str bytes, struct puan_jw *w,
                 struct puan_arena *a, struct puan_err *err);

#endif
