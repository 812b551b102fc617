/*
 * A campaign directory: the office store, one returns store per county, the
 * one commit path and the ledger of each.
 *
 *   directory.json      id, birth (live, drill, demo), suite, plan digest
 *   keys/ plan/ blobs/ checkpoints/ office.db returns/<area>.db
 *
 * Every write to a store goes through its writer thread as an act: the body
 * changes rows, the writer appends the ledger entry in the same transaction and
 * commits whatever is queued together; an act is answered after its commit is
 * durable.  Readers have their own connections.
 *
 * See doc/contracts.md 3, 5, 7, 12.
 */
#ifndef PUAN_FEATURES_STORE_STORE_H
#define PUAN_FEATURES_STORE_STORE_H

#include "features/host/feature.h"
#include "kit/db/db.h"

struct puan_area_tree; /* core/area */
struct puan_plan;      /* core/plan */
struct puan_keys;      /* kit/crypto */
struct puan_key_shares;

struct puan_store_options {
    const char *url;        /* NULL: SQLite files in the directory */
    bool readonly;
    bool no_writers;        /* offline tools: verify, backup */
    bool proved;            /* create: the plan was proved a moment ago */
    /* Key-encryption key (contract 11); all NULL: keys/kek.demo, else
       $PUAN_KEK_FILE.  At create kek_file is written, shares filled. */
    const char *kek_file;
    const char *share[2];
    struct puan_key_shares *shares;
};

/*
 * Makes a campaign directory (birth "live", "drill" or "demo") with the plan
 * pinned, keys, and an empty office store.  `suite` as kit/crypto names it:
 * "sm" or "intl".  What exists and is not empty is left alone.
 *
 * ECONFLICT  the directory is not empty
 */
PUAN_MUST_USE enum puan_status
puan_store_create(const char *dir, const char *birth, const char *pack,
                  const char *suite, const struct puan_store_options *opt,
                  struct puan_err *err);
/*
 * Opens it for one program at a time; readonly opens beside it.
 *
 * ENOTFOUND  no campaign there   EBUSY  another program has it open
 */
PUAN_MUST_USE enum puan_status
puan_store_open(struct puan_store **out, const char *dir,
                const struct puan_store_options *opt, struct puan_err *err);
void puan_store_close(struct puan_store *st);

const struct puan_plan *puan_store_plan(const struct puan_store *st);
struct puan_keys *puan_store_keys(const struct puan_store *st);
/* The tree now in force; swapped as a whole by imports, so hold it briefly. */
const struct puan_area_tree *puan_store_areas(const struct puan_store *st);
/* Reads the area table again and makes the shards it calls for. */
PUAN_MUST_USE enum puan_status puan_store_areas_changed(struct puan_store *st,
                                                        struct puan_err *err);
/* The digest of the installation's suite. */
const struct puan_digest_fn *puan_store_digest(const struct puan_store *st);
/* "run" byte of ledger entries: 0 live, 1 drill, 2 demo. */
uint8_t puan_store_run(const struct puan_store *st);
/* What feature `f` keeps beside this store (feature.h), or NULL. */
void *puan_store_state(const struct puan_store *st,
                       const struct puan_feature *f);
/* The campaign's id: 16 hex digits, from directory.json. */
const char *puan_store_id(const struct puan_store *st);
const char *puan_store_dir(const struct puan_store *st);
const char *puan_store_birth(const struct puan_store *st);

/* Campaign time and real time, ms (contract 7). */
int64_t puan_store_now(const struct puan_store *st);
int64_t puan_real_now(void);
/*
 * Sets the campaign clock: from now on it shows `campaign_ms` and runs at
 * `rate` thousandths of real time (1000: as real).  `act` names who.
 *
 * EDENIED  the directory was born live
 */
PUAN_MUST_USE enum puan_status puan_store_clock_set(struct puan_store *st,
                                                    struct puan_act *act,
                                                    int64_t campaign_ms,
                                                    int64_t rate,
                                                    struct puan_err *err);

/* Shard 0 is the office store; 1..n the returns stores. */
size_t puan_store_shards(const struct puan_store *st);
struct puan_shard *puan_store_shard(struct puan_store *st, size_t i);
struct puan_shard *puan_store_office(struct puan_store *st);
/* The returns store that holds an area or household, or NULL. */
struct puan_shard *puan_store_shard_of_area(struct puan_store *st,
                                            int64_t area);
struct puan_shard *puan_store_shard_of_household(struct puan_store *st,
                                                 int64_t household);
size_t puan_shard_ordinal(const struct puan_shard *sh);
int64_t puan_shard_area(const struct puan_shard *sh);
const char *puan_shard_name(const struct puan_shard *sh); /* "office", area */
struct puan_store *puan_shard_store(const struct puan_shard *sh);
/* It takes acts: neither read only nor opened without writers. */
bool puan_shard_writes(const struct puan_shard *sh);
/* Entries committed: the next sequence number. */
uint64_t puan_shard_height(struct puan_shard *sh);

/* One ledger entry's worth: who did what to which subject. Texts borrowed. */
struct puan_act {
    struct puan_str actor, seat, device, verb, subject, note;
    int64_t event_ms;              /* 0: now */
    bool has_old, has_new;
    uint8_t old_digest[32], new_digest[32];
    /*
     * Hot: runs without a savepoint.  Such a body fails only before its first
     * change; a failing statement undoes the whole batch, which is then run
     * again with savepoints.  So a body may run more than once.
     */
    bool hot;
    /* Called (latest first) when a body that returned OK has been undone. */
    void (*undo)(struct puan_shard *sh, struct puan_act *act, void *arg);
    bool silent;                   /* body sets it: nothing to enter */
    uint64_t seq;                  /* out: of the entry; valid in the body */
    int64_t entry_ms;              /* out: valid in the body */
};

/*
 * The body of an act.  It may fill act->old/new digests and note.  When it
 * fails, its changes are undone and no entry is written.  An act without a body
 * (NULL) is its entry alone: a reading, a look.
 */
typedef enum puan_status (*puan_act_fn)(struct puan_shard *sh,
                                        struct puan_db *db,
                                        struct puan_act *act, void *arg,
                                        struct puan_err *err);

/* Queues the act and waits until it is durable (or refused). */
PUAN_MUST_USE enum puan_status puan_commit(struct puan_shard *sh,
                                           struct puan_act *act,
                                           puan_act_fn body, void *arg,
                                           struct puan_err *err);

/*
 * The same without waiting: `done` is called from the writer thread after the
 * commit (or refusal).  act, arg and what they borrow must live until then.
 */
typedef void (*puan_done_fn)(enum puan_status st, struct puan_act *act,
                             void *arg, const struct puan_err *err);
void puan_commit_async(struct puan_shard *sh, struct puan_act *act,
                       puan_act_fn body, puan_done_fn done, void *arg);

/* Inside a body: sends a row to another store (contract 5). */
PUAN_MUST_USE enum puan_status
puan_outbox_put(struct puan_shard *from, struct puan_db *db, size_t to_ordinal,
                const char *kind, struct puan_str body, struct puan_err *err);

/*
 * Inside a body: registers the row as covered by this act's entry: the row's
 * content digest goes into `covered(tbl, key, digest, seq)`, and the entry's
 * new digest covers it.  See ledger verify.
 */
PUAN_MUST_USE enum puan_status
puan_cover(struct puan_shard *sh, struct puan_db *db, struct puan_act *act,
           const char *table, struct puan_str key, struct puan_str content,
           struct puan_err *err);
/* The same for a row whose key is a number: its decimal digits. */
PUAN_MUST_USE enum puan_status
puan_cover_id(struct puan_shard *sh, struct puan_db *db, struct puan_act *act,
              const char *table, int64_t id, struct puan_str content,
              struct puan_err *err);

/* What a writer has done since it was opened. */
struct puan_shard_stats {
    uint64_t acts, batches;
    int64_t commit_ns; /* spent in COMMIT, flush included */
};
void puan_shard_stats(struct puan_shard_stats *out, struct puan_shard *sh);

/*
 * Applies all outbox rows that wait; the delivery thread does it by itself.
 * Returns when nothing is pending or the first delivery fails.
 */
PUAN_MUST_USE enum puan_status puan_store_deliver(struct puan_store *st,
                                                  struct puan_err *err);

/*
 * Signs and writes the heads of all stores to checkpoints/<time>.json; the
 * text is given in `a` when json is not NULL.
 */
PUAN_MUST_USE enum puan_status puan_store_checkpoint(struct puan_store *st,
                                                     struct puan_str *json,
                                                     struct puan_arena *a,
                                                     struct puan_err *err);

/*
 * Stops all writers at a batch boundary and lets them go again; acts queue
 * meanwhile.  For a backup cut.  Not nested.
 */
void puan_store_hold(struct puan_store *st);
void puan_store_release(struct puan_store *st);

/* A pooled read connection; give it back soon. */
PUAN_MUST_USE enum puan_status puan_read_begin(struct puan_db **out,
                                               struct puan_shard *sh,
                                               struct puan_err *err);
void puan_read_end(struct puan_shard *sh, struct puan_db *db);

extern const struct puan_feature puan_feature_store;

#endif
