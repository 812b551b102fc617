/*
 * Releases: tables of one area, frozen when the release is made, filed,
 * approved and published by the plan's flow with subject "release".
 *
 *   release_doc(id, run, area, title, document, digest, tables, version,
 *               published, signature)                          covered
 *     document   {"source":{…},"tables":[…]} as it will be published
 *     digest     H(document); tables: H(the tables alone, one after another);
 *     version    H(source): the data version
 *     published  campaign time, 0 not yet; signature over
 *                "puan-release-1|id|digest|published" by the ledger's key
 *
 * A published release is public with all that is needed to check it: `puan
 * release verify FILE` checks digests and signature, and with a campaign
 * directory also plan, ledger heads and the tables, counted again.
 *
 * Facts for the flow's guards: release_level (level of the area), unaccepted
 * (1 unless the area's lot is in force), small_cells (cells below setting
 * release_min_cell in tables broken down below level release_cell_level),
 * secret_cells (dimensions that are not open statistics), same_tables (counted
 * now, the tables are those of the document).
 *
 * Depends on: cases, lots, tables.
 */
#ifndef PUAN_FEATURES_RELEASES_RELEASES_H
#define PUAN_FEATURES_RELEASES_RELEASES_H

#include "features/cases/cases.h"

extern const struct puan_feature puan_feature_releases;
extern const struct puan_case_owner puan_releases_owner;

struct puan_release {
    int64_t id, run, area, published_ms;
    struct puan_str title, document, signature;
    uint8_t digest[PUAN_DIGEST_SIZE], tables[PUAN_DIGEST_SIZE],
        version[PUAN_DIGEST_SIZE];
};

/*
 * Counts the area's tables now and opens a run for them.  `ids` names tables of
 * the plan.  ENOTFOUND names one it does not have.
 */
PUAN_MUST_USE enum puan_status
puan_release_open(struct puan_release *out, struct puan_store *st,
                  struct puan_act *act, const struct puan_flow_who *who,
                  int64_t area, struct puan_str title,
                  const struct puan_str *ids, size_t n_ids,
                  struct puan_arena *a, struct puan_err *err);

PUAN_MUST_USE enum puan_status puan_release_read(struct puan_release *out,
                                                 struct puan_db *db,
                                                 int64_t id,
                                                 struct puan_arena *a,
                                                 struct puan_err *err);
/* The public text: document, what it came from, digests, signature. */
PUAN_MUST_USE enum puan_status puan_release_text(struct puan_out *o,
                                                 struct puan_store *st,
                                                 const struct puan_release *r,
                                                 struct puan_err *err);

/* What `release verify` found; each is "ok", "differs" or "not checked". */
struct puan_release_check {
    const char *document, *tables, *version, *signature, *signer, *plan,
        *ledger, *recount;
    bool sound; /* nothing differs */
};
/*
 * Checks a published text; `st` NULL: only what the text itself shows.  `key`
 * (hexadecimal SubjectPublicKeyInfo, may be empty) is the key expected.
 *
 * EINVAL  the text is no release
 */
PUAN_MUST_USE enum puan_status
puan_release_check(struct puan_release_check *out, struct puan_str text,
                   struct puan_str key, struct puan_store *st,
                   struct puan_arena *a, struct puan_err *err);

#endif
