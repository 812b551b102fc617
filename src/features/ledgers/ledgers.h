/*
 * Reading the ledgers of a campaign directory: verify, show, search, prove.
 *
 * Works on the tables themselves, without the keys and without opening the
 * campaign, so that an auditor needs only read access and a damaged directory
 * can still be examined.  Never writes.
 *
 * Covered, and therefore found when changed: every entry; every version of a
 * return; every row of the tables that features list as covered.  Derived, and
 * therefore not covered: `covered` itself (held against the entries), token
 * runs, counters, snapshots, findings, clocks of cases, what cases attest, the outbox and inbox,
 * marks of changed lots, pairs living apart; and, as no part of a census, past secrets of accounts
 * and the list of backups.
 */
#ifndef PUAN_FEATURES_LEDGERS_LEDGERS_H
#define PUAN_FEATURES_LEDGERS_LEDGERS_H

#include "core/ledger/ledger.h"
#include "features/store/store.h"

extern const struct puan_feature puan_feature_ledgers;

/* What verify names as not covered. */
#define PUAN_LEDGER_DERIVED                                                    \
    "covered", "token runs", "counters", "head snapshots", "findings",         \
        "case_clock", "case_attest", "watch, lot_change", "outbox, inbox",                    \
        "dup_pair, dup_search",                                                \
        "account_past, backup"

struct puan_verify_options {
    const char *url; /* PostgreSQL stores; NULL: files, or $PUAN_STORE */
    const char *const *witness; /* checkpoint files kept outside */
    size_t n_witness;
    unsigned threads; /* 0: one a core */
    /* Whose covered tables there are, NULL-ended; NULL: puan_features. */
    const struct puan_feature *const *features;
    /* Hears of progress from any thread; may be NULL. */
    void (*tell)(void *arg, uint64_t done, uint64_t total);
    void *tell_arg;
};

struct puan_verify_problem {
    const char *store; /* "" when it concerns the directory */
    const char *kind;  /* stable: "entry-changed", "row-missing", ... */
    int64_t seq;       /* entry, or -1 */
    const char *text;  /* one line */
};

struct puan_verify_store {
    const char *name;
    uint64_t height, returns, rows; /* entries; versions; covered rows */
    uint8_t head[PUAN_DIGEST_SIZE], merkle[PUAN_DIGEST_SIZE];
};

/* Problems kept with their text; the rest is only counted. */
#define PUAN_VERIFY_SHOWN 200

struct puan_verify {
    const struct puan_verify_store *store;
    size_t n_stores;
    uint64_t entries, returns, rows;
    size_t checkpoints, witnesses; /* files compared */
    const struct puan_verify_problem *problem; /* the first SHOWN */
    uint64_t n_problems;
    const char *const *covered; /* tables, each once */
    size_t n_covered;
    int64_t ms;
};

/*
 * Verifies everything.  OK also when problems were found: look at n_problems.
 * The result lives in the arena.
 *
 * ENOTFOUND  no campaign there   EINVAL  a witness cannot be read
 */
PUAN_MUST_USE enum puan_status
puan_ledger_verify(struct puan_verify *out, const char *dir,
                   const struct puan_verify_options *opt,
                   struct puan_arena *a, struct puan_err *err);
void puan_verify_json(struct puan_jw *w, const struct puan_verify *v);

/*
 * Inside a body, after the rows were written: covers the group `group` of a
 * table that is covered by groups, or, when group is empty, every group whose
 * rows are no longer what `covered` says (also those that are gone).
 */
PUAN_MUST_USE enum puan_status
puan_ledger_cover(struct puan_shard *sh, struct puan_db *db,
                  struct puan_act *act, const struct puan_covered *table,
                  struct puan_str group, struct puan_err *err);

#endif
