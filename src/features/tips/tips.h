/*
 * Tip-offs and questions to the helpdesk: what anybody may write without
 * signing in.  A flow that declares
 * `public: {kind, text, contact}` (doc/flows.md) is opened by the seat
 * system@any; the answer is a receipt and the way to follow the case with it.
 *
 *   case_tip(id, run, at)   covered; id: keyed hash of the receipt number, so
 *                           that the number stands nowhere but with its owner
 *
 * What is kept: the matter, the text and the contact details, sealed, and the
 * time.  Not kept: the address it came from.  What the receipt shows: words of
 * states and dates, nothing that was written and nothing that was found; of a
 * flow that names a field for the answer, that field once the run has ended.
 *
 * Depends on: cases.
 */
#ifndef PUAN_FEATURES_TIPS_TIPS_H
#define PUAN_FEATURES_TIPS_TIPS_H

#include "features/cases/cases.h"

extern const struct puan_feature puan_feature_tips;

/*
 * "7H3K-92QF-M4WT": 11 characters of chance (55 bits) and one that checks
 * them, from an alphabet without 0 O 1 I.  Any one wrong character, and any
 * two neighbours exchanged, are found.
 */
#define PUAN_TIP_RECEIPT 15
void puan_tip_receipt(char out[PUAN_TIP_RECEIPT], const uint8_t chance[11]);
/*
 * Reads a receipt as people type it: small letters, spaces and hyphens are
 * nothing.  `out` gets the 12 characters.  EINVAL tells wrong length, a
 * character that no receipt has, and a typing slip apart.
 */
PUAN_MUST_USE enum puan_status puan_tip_read(char out[13], struct puan_str s,
                                             struct puan_err *err);

/* How often one address and all together may report: in memory, real time. */
struct puan_tip_limits;
PUAN_MUST_USE enum puan_status puan_tip_limits_open(struct puan_tip_limits **l,
                                                    struct puan_err *err);
void puan_tip_limits_close(struct puan_tip_limits *l);
/*
 * May this address send (`send`) or look something up now?  Counts it.
 * Bursts: 10 reports, then one in six minutes; 60 look-ups, then one a second;
 * all addresses together 600 reports, then one a second.
 */
bool puan_tip_allowed(struct puan_tip_limits *l, const char *peer, bool send,
                      int64_t real_ms);

#endif
