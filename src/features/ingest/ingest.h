/*
 * Returns as they arrive: read, checked, sealed, committed, answered with a
 * receipt; and what can be asked of them afterwards.
 *
 * A return is one row of `ret`, appended in order of arrival and never
 * changed; a correction is a further row that names the one before it.  Which
 * row of a household is the last stands in memory (16 bytes a household,
 * rebuilt at start from a snapshot and the rows behind it).
 *
 *   ret(seq, household, prev, version, form, mode, device, counter, actor,
 *       seat, started, finished, received, signed, entry, query, frame, facts,
 *       vault, findings, reasons, tok, hard, soft, persons, digest)
 *     seq       1, 2, 3 ... within its returns store
 *     prev      seq of the household's version before, 0 none
 *     form      ordinal in the plan; entry: seq of its ledger entry
 *     received  real time; started, finished as the sender says (campaign)
 *     vault     sealed texts: purpose "vault", table "ret", column "vault",
 *               row key "<household>.<version>"
 *     findings  core/edit bytes; reasons: sealed as vault, column "reasons"
 *     tok       tokens of this return, PUAN_TOKEN_BYTES each (see below)
 *     digest    puan_return_digest, the `new` digest of the entry
 *
 * A document that cannot be accepted (another base, counter used twice with
 * other answers, outside its window, unreadable) waits in `quarantine`,
 * sealed and bounded per source; nothing is dropped.
 *
 * Never writes an identity in clear; never decides about findings.
 */
#ifndef PUAN_FEATURES_INGEST_INGEST_H
#define PUAN_FEATURES_INGEST_INGEST_H

#include "core/edit/edit.h"
#include "core/form/record.h"
#include "features/store/store.h"

extern const struct puan_feature puan_feature_ingest;

/* Bounds of what a source (account and device) may leave in quarantine. */
#define PUAN_QUARANTINE_DOCS 64
#define PUAN_QUARANTINE_BYTES (1 << 20)
/* Longest document taken. */
#define PUAN_RETURN_MAX (256 * 1024)
#define PUAN_VERSIONS_MAX 255

/* Who sends, as the session knows it.  Texts are borrowed until done. */
struct puan_sender {
    struct puan_str actor, seat, device;
    bool household_account;
    int64_t household; /* household accounts: the only one */
    int64_t area;      /* seats: the seat's area, 0 the whole installation */
    bool estimate;     /* imports: may have mode "office-estimate"; a seat's
                          estimate is a record apart (features/estimates) */
    const char *hold;  /* a word, for ever: what it sends waits in quarantine
                          for this reason; NULL: it does not */
};

enum puan_submit_outcome {
    PUAN_SUBMIT_ACCEPTED,
    PUAN_SUBMIT_REPEATED,   /* the same as before: its first receipt again */
    PUAN_SUBMIT_STALE,      /* base is not the last version: in quarantine */
    PUAN_SUBMIT_CONFLICT,   /* counter used with other answers: quarantine */
    PUAN_SUBMIT_WINDOW,     /* no window open: in quarantine */
    PUAN_SUBMIT_UNREADABLE, /* malformed: in quarantine, err says where */
    PUAN_SUBMIT_HELD        /* its sender is not believed: in quarantine */
};

struct puan_receipt {
    enum puan_submit_outcome outcome;
    int64_t household;
    uint32_t version;  /* accepted; stale: the last there is */
    uint8_t digest[PUAN_DIGEST_SIZE];
    uint64_t seq;      /* of the ledger entry */
    int64_t ret;       /* row of `ret`, or of `quarantine` */
    int64_t time_ms;   /* real time of the entry */
    const struct puan_form *form;
    const struct puan_ruleset *rules;
    struct puan_edits edits; /* all findings with their state */
};

/*
 * Called once, from any thread (usually the writer's).  `st` OK: r says what
 * became of it.  Else:
 *   EDENIED    not this sender's household
 *   ELIMIT     quarantine of this source is full, document too long
 *   EBUSY EIO  not stored; send again
 */
typedef void (*puan_submit_fn)(void *arg, enum puan_status st,
                               const struct puan_receipt *r,
                               const struct puan_err *err);

/*
 * Takes one document.  `body`, `who` and `a` (which gets all intermediate
 * memory) must live until `done`, which may be called before this returns.
 */
void puan_submit(struct puan_store *st, const struct puan_sender *who,
                 struct puan_str body, struct puan_arena *a,
                 puan_submit_fn done, void *arg);
/* The same, waiting. */
PUAN_MUST_USE enum puan_status
puan_submit_wait(struct puan_receipt *r, struct puan_store *st,
                 const struct puan_sender *who, struct puan_str body,
                 struct puan_arena *a, struct puan_err *err);
/* "accepted", "stale", ... */
const char *puan_submit_outcome_name(enum puan_submit_outcome o);
/* The receipt as JSON, messages of findings in both languages. */
void puan_receipt_json(struct puan_jw *w, const struct puan_receipt *r);

/* ---- what is there -------------------------------------------------------- */

struct puan_ret_head {
    int64_t household;
    uint32_t ret;     /* last row, 0: listed, nothing received */
    uint32_t version; /* number of versions */
    uint32_t hard, soft, persons; /* open findings (at most 255) */
    bool self;        /* last one sent by the household */
};
/* False when the household is neither listed nor has sent anything. */
bool puan_ret_head(struct puan_ret_head *out, struct puan_store *st,
                   int64_t household);

/*
 * Every household of the store with a key in [from, to), listed or answered, in
 * no order, as committed; the caller frees *out.
 */
PUAN_MUST_USE enum puan_status puan_ret_heads(struct puan_ret_head **out,
                                              size_t *n, struct puan_shard *sh,
                                              int64_t from, int64_t to,
                                              struct puan_err *err);

/* Households put on the listing: known from now on.  For imports. */
PUAN_MUST_USE enum puan_status puan_ret_listed(struct puan_shard *sh,
                                               const int64_t *household,
                                               size_t n, struct puan_err *err);

/* A stored return; texts and record live in the arena. */
struct puan_ret {
    int64_t seq, prev;
    struct puan_return_head head; /* base: version - 1 */
    uint32_t version;
    const struct puan_form *form;
    struct puan_str actor, seat;
    int64_t received_ms;
    uint64_t entry;
    struct puan_str frame, facts, vault, findings, reasons, tok;
    uint32_t hard, soft, persons;
    uint8_t digest[PUAN_DIGEST_SIZE];
};
/* ENOTFOUND  no such row */
PUAN_MUST_USE enum puan_status puan_ret_read(struct puan_ret *out,
                                             struct puan_shard *sh,
                                             struct puan_db *db, int64_t seq,
                                             struct puan_arena *a,
                                             struct puan_err *err);
/*
 * Its answers; with `open_vault` also the texts, which is a look at
 * identities: the caller has written the entry that says why.
 */
PUAN_MUST_USE enum puan_status
puan_ret_record(struct puan_record *out, const struct puan_ret *r,
                struct puan_shard *sh, bool open_vault, struct puan_arena *a,
                struct puan_err *err);

/* Its findings; the reasons, which are sealed, only when asked for. */
PUAN_MUST_USE enum puan_status
puan_ret_edits(struct puan_edits *out, const struct puan_ret *r,
               struct puan_shard *sh, bool with_reasons, struct puan_arena *a,
               struct puan_err *err);

/*
 * The last version of every household of one store, in order of the household
 * key, as committed when the walk began.  `from` and `to` bound the key (to
 * exclusive).  The callback's row lives until it returns; a status other than
 * OK ends the walk with it.
 */
typedef enum puan_status (*puan_ret_fn)(void *arg, const struct puan_ret *r,
                                        struct puan_err *err);
PUAN_MUST_USE enum puan_status puan_ret_each(struct puan_shard *sh,
                                             int64_t from, int64_t to,
                                             puan_ret_fn fn, void *arg,
                                             struct puan_err *err);
/* The same in order of arrival, as they lie on disk: for who only adds up. */
PUAN_MUST_USE enum puan_status
puan_ret_each_arrived(struct puan_shard *sh, int64_t from, int64_t to,
                      puan_ret_fn fn, void *arg, struct puan_err *err);
/*
 * Digest of an area's returns at this moment, chained over the last versions
 * in order of the key: d = H(d ‖ "<household>.<version>;" ‖ digest), from 32
 * zero bytes; *n gets how many.
 */
PUAN_MUST_USE enum puan_status
puan_area_digest(uint8_t out[PUAN_DIGEST_SIZE], uint64_t *n,
                 struct puan_store *st, int64_t area, struct puan_err *err);
/* First key of an area and the first behind it. */
void puan_area_keys(int64_t *from, int64_t *to, const struct puan_store *st,
                    int64_t area);

/*
 * Rules of a form, compiled once per plan; index as findings are stored.  NULL
 * when the plan has no such form.
 */
const struct puan_ruleset *puan_ingest_rules(struct puan_store *st,
                                             const struct puan_form *form);

/* ---- counters -------------------------------------------------------------- */

/* Kept as returns arrive; of one area and all below it. */
struct puan_counts {
    int64_t listed, submitted, self, persons;
    int64_t hard, soft;       /* open findings of last versions */
    int64_t corrected;        /* households with more than one version */
    int64_t versions;
};
void puan_counts_of(struct puan_counts *out, struct puan_store *st,
                    int64_t area);

/*
 * Marks an area: from then on every accepted return in it sends the office
 * store a parcel of kind "return.changed" with the body
 * {"area":marked area,"household":k,"version":n,"seq":entry}, in the return's
 * own transaction.  Call inside a body on the area's store (once; a mark
 * stays until it is taken away).  For lots: an accepted lot is void when one
 * of its returns changes.
 */
PUAN_MUST_USE enum puan_status puan_ret_watch(struct puan_shard *sh,
                                              struct puan_db *db, int64_t area,
                                              bool on, struct puan_err *err);

/*
 * Inside a body on the household's store: sends its last return back with a
 * reason, as the row `query`.  `actor` and `seat` are who asks; `findings` is
 * a list of {"rule","row"} in JSON.
 *
 * ENOTFOUND  nothing has arrived   ECONFLICT  `version` is not the last
 */
PUAN_MUST_USE enum puan_status
puan_query_ask(int64_t *id, struct puan_shard *sh, struct puan_db *db,
               struct puan_act *act, int64_t household, int64_t version,
               struct puan_str reason, struct puan_str findings,
               struct puan_str actor, struct puan_str seat,
               struct puan_arena *a, struct puan_err *err);

/* ---- tokens ----------------------------------------------------------------
 *
 * One record for each well-formed citizen ID of a return: in `ret.tok` as
 * sent, and behind the commit in sorted runs `returns/<area>.tok/<n>.run`
 * (derived; rebuilt from `ret` when missing).
 */
#define PUAN_TOKEN_BYTES 24

struct puan_token {
    uint8_t token[16]; /* contract 4, kind "id" */
    uint32_t ret;      /* row of `ret` in this store */
    uint16_t row;      /* row of the entity, 0-based */
    uint8_t entity;    /* index in the form */
    uint8_t residence; /* place in plan->residence + 1 of the case that holds
                          for this person; 0 none or unknown */
};

/* From PUAN_TOKEN_BYTES of `ret.tok`; there `ret` is not filled. */
void puan_token_get(struct puan_token *t, const uint8_t *p);

struct puan_tokens;
/*
 * All tokens of the last versions of one store, ascending by token, ret, row:
 * a merge of the runs and of what is not yet in one.
 */
PUAN_MUST_USE enum puan_status puan_tokens_open(struct puan_tokens **out,
                                                struct puan_shard *sh,
                                                struct puan_err *err);
/* False at the end.  A damaged run is found by open, not here. */
bool puan_tokens_next(struct puan_token *out, struct puan_tokens *t);
void puan_tokens_close(struct puan_tokens *t);
/* One record as it stands in `ret.tok`. */
void puan_token_read(struct puan_token *out, const char *bytes);
/*
 * Every record of one store with the token of one of these, also of versions
 * that are not the last: whoever asks for few looks that up.  A binary search
 * a run, and a look through what is not yet in one.
 */
typedef enum puan_status (*puan_token_fn)(void *arg, struct puan_shard *sh,
                                          const struct puan_token *t,
                                          struct puan_err *err);
PUAN_MUST_USE enum puan_status
puan_tokens_find(struct puan_shard *sh, const struct puan_token *wanted,
                 size_t n, puan_token_fn fn, void *arg, struct puan_err *err);
/* Merges everything committed so far into one run. */
PUAN_MUST_USE enum puan_status puan_tokens_merge(struct puan_shard *sh,
                                                 struct puan_err *err);

#endif
