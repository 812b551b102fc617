/*
 * Inside ingest: what stands in memory beside a store.  No other feature
 * includes this.
 */
#ifndef PUAN_FEATURES_INGEST_INTERNAL_H
#define PUAN_FEATURES_INGEST_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/plan/plan.h"
#include "core/plan/routing.h"
#include "features/ingest/ingest.h"
#include "kit/crypto/keys.h"

#define PUAN_INGEST_SHARDS 4096

/* One household: 16 bytes.  Key 0 is an empty place. */
struct puan_slot {
    int64_t household;
    uint32_t ret;
    uint8_t version, hard, soft;
    uint8_t persons; /* low 7 bits; top bit: sent by the household itself */
};

/* Counters of one enumeration area. */
struct puan_ea_counts {
    int64_t ea; /* 0: empty place */
    struct puan_counts c;
};

struct puan_token_run {
    uint64_t number; /* in its file name */
    uint64_t from, to, n; /* rows of ret it covers; records */
    struct puan_token_run *next;
    unsigned users; /* open walks; the file is removed by the last */
    bool dropped;
};

struct puan_ingest_shard {
    struct puan_ingest *in;
    struct puan_shard *sh;
    const struct puan_seal_key *vault, *quarantine;

    pthread_mutex_t lock; /* guards the map and the counters */
    struct puan_slot *slot;
    size_t cap, n;
    struct puan_ea_counts *ea;
    size_t ea_cap, ea_n;
    /* the writer's */
    uint32_t next_ret;
    uint8_t last_digest[PUAN_DIGEST_SIZE];
    int64_t next_quarantine, next_query;
    uint32_t snapshot_ret; /* next_ret of the last snapshot */
    int64_t *watch;
    size_t n_watch;

    pthread_mutex_t tok_lock; /* guards what follows */
    struct puan_token *tok;   /* of rows (tok_from, tok_to] */
    size_t tok_n, tok_cap;
    uint64_t tok_from, tok_to;
    struct puan_token_run *runs; /* ascending by rows */
    uint64_t next_run;
    bool readonly;
    bool tok_lost; /* out of memory: the next merge reads them from ret */
    pthread_mutex_t merging;
};

/* What the plan means for one form. */
struct puan_ingest_form {
    const struct puan_form *form;
    struct puan_ruleset *rules;
    struct puan_expr **residence; /* by case; NULL: not for this form */
    size_t n_residence;
    int residence_entity;
};

struct puan_ingest {
    struct puan_store *store;
    struct puan_arena arena;
    struct puan_ingest_form *form;
    size_t n_forms;
    int64_t household_base;
    struct puan_ingest_shard *_Atomic *shard; /* by ordinal */
};

struct puan_ingest *puan_ingest_of(const struct puan_store *st);
struct puan_ingest_shard *puan_ingest_shard_of(struct puan_shard *sh);

/* ---- heads.c ---- */
PUAN_MUST_USE enum puan_status puan_heads_load(struct puan_ingest_shard *is,
                                               struct puan_err *err);
void puan_heads_clear(struct puan_ingest_shard *is);
/* With the lock held. */
struct puan_slot *puan_heads_find(struct puan_ingest_shard *is,
                                  int64_t household);
/* Adds an empty slot if there is none; counts it as listed. */
struct puan_slot *puan_heads_add(struct puan_ingest_shard *is,
                                 int64_t household);
/* Takes `before` out of its area's counters and puts `after` in. */
void puan_heads_count(struct puan_ingest_shard *is,
                      const struct puan_slot *before,
                      const struct puan_slot *after);
PUAN_MUST_USE enum puan_status
puan_heads_snapshot(struct puan_ingest_shard *is, struct puan_err *err);
/*
 * The slots with a return and a key in [from, to), as committed; the caller
 * frees *out.  Waits for the commits under way.
 */
PUAN_MUST_USE enum puan_status
puan_heads_committed(struct puan_slot **out, size_t *n,
                     struct puan_ingest_shard *is, int64_t from, int64_t to,
                     struct puan_err *err);

/* ---- tokens.c ---- */
void puan_token_put(struct puan_out *o, const struct puan_token *t);
PUAN_MUST_USE enum puan_status
puan_tokens_load(struct puan_ingest_shard *is, struct puan_err *err);
void puan_tokens_clear(struct puan_ingest_shard *is);
/* A committed row's tokens, in order of rows. */
void puan_tokens_add(struct puan_ingest_shard *is, uint32_t ret,
                     struct puan_str tok);
/* Writes runs that are due; for the job. */
PUAN_MUST_USE enum puan_status
puan_tokens_tend(struct puan_ingest_shard *is, struct puan_err *err);

/* ---- quarantine.c ---- */
struct puan_quarantined {
    int64_t id;
    uint8_t mac[PUAN_DIGEST_SIZE];
    bool again; /* was there already */
};
/*
 * Inside a body: seals the document into quarantine and turns the act into
 * "return.quarantine".
 *
 * ELIMIT  the source has left too much there
 */
PUAN_MUST_USE enum puan_status
puan_quarantine_put(struct puan_quarantined *out, struct puan_ingest_shard *is,
                    struct puan_db *db, struct puan_act *act,
                    struct puan_str source, int64_t household,
                    const char *reason, struct puan_str body,
                    struct puan_arena *a, struct puan_err *err);

/* ---- routes.c ---- */
#define PUAN_INGEST_ROUTES 9
extern const struct puan_route puan_ingest_routes[PUAN_INGEST_ROUTES];
/* Rows of `query`, as covered. */
#define PUAN_QUARANTINE_SQL                                                    \
    "SELECT CAST(id AS TEXT), at, source, household, reason, size, mac,"       \
    " sealed FROM quarantine"
#define PUAN_QUERY_SQL                                                         \
    "SELECT CAST(id AS TEXT), household, version, reason, findings, actor,"    \
    " seat, asked FROM query"

#endif
