/*
 * Inside the store: what a shard and a store are made of.  No other feature
 * includes this.
 */
#ifndef PUAN_FEATURES_STORE_INTERNAL_H
#define PUAN_FEATURES_STORE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/ledger/ledger.h"
#include "features/store/store.h"

#define PUAN_BATCH_MAX 256
#define PUAN_READERS_MAX 8
/* Acts that may wait for one writer; beyond it a caller is told to retry. */
#define PUAN_QUEUE_MAX 65536
/* Rows one act may cover. */
#define PUAN_COVER_MAX 65536
/* Returns stores an installation may hold; a province has about 180. */
#define PUAN_SHARDS_MAX 4096

struct puan_commit_job {
    struct puan_act *act;
    puan_act_fn body;
    puan_done_fn done;
    void *arg;
    struct puan_commit_job *next;
};

struct puan_shard {
    struct puan_store *store;
    size_t ordinal;
    int64_t area; /* 0: the office store */
    char name[24];
    char *url;

    struct puan_db *db; /* the writer's connection */
    pthread_t writer;
    bool writer_runs;

    pthread_mutex_t lock; /* guards what follows, to the next blank line */
    pthread_cond_t work;  /* queue filled, stop, or let go */
    pthread_cond_t still; /* writer stands at a batch boundary */
    struct puan_commit_job *first, **last;
    size_t queued;
    bool stop, held, standing;
    uint64_t height; /* committed entries */
    struct puan_shard_stats stats;
    uint8_t head[PUAN_DIGEST_SIZE];

    /* the writer's own: the chain as it will be after the batch */
    uint64_t next_seq;
    uint8_t next_prev[PUAN_DIGEST_SIZE];
    int64_t next_outbox;
    int64_t commit_ns; /* of the last COMMIT */
    bool posted; /* the batch put something into the outbox */
    bool broken; /* the head could not be read after a failed commit */
    bool dead;   /* the chain was changed by somebody else; restart */
    struct puan_arena arena; /* one batch */
    struct puan_cover_item *cover; /* of the act that runs */
    size_t n_cover, cap_cover;
    struct puan_err *errs; /* PUAN_BATCH_MAX */

    pthread_mutex_t read_lock;
    pthread_cond_t read_free;
    struct puan_db *readers[PUAN_READERS_MAX];
    size_t readers_idle, readers_open;

    /* Merkle tree over the entry digests, as far as it was read */
    struct puan_merkle tree;
};

struct puan_tree_holder {
    struct puan_arena arena;
    struct puan_tree_holder *next;
};

struct puan_store {
    const char *dir, *url, *engine, *birth, *id;
    bool readonly, no_writers, opened;
    uint8_t run;
    int lock_fd;
    struct puan_arena arena; /* lives as long as the store */
    const struct puan_digest_fn *digest;
    struct puan_keys *keys;
    struct puan_plan_held *plan;
    uint8_t plan_digest[PUAN_DIGEST_SIZE];

    pthread_mutex_t lock; /* shards, areas */
    pthread_mutex_t clock_lock;
    struct puan_shard *_Atomic *shard;
    atomic_size_t n_shards;
    struct puan_area_tree *_Atomic areas;
    struct puan_tree_holder *trees; /* all ever in force; freed at close */
    unsigned shard_digits;
    int64_t clock_real, clock_campaign, clock_rate;

    void **state;
    size_t n_features;

    pthread_t courier; /* delivery thread */
    bool courier_runs;
    pthread_mutex_t post_lock;
    pthread_cond_t post;
    bool post_pending, post_stop;
    pthread_mutex_t delivering;
    pthread_mutex_t checkpointing;
    uint64_t checkpoint_sum; /* entries in the last one written */
};

PUAN_MUST_USE enum puan_status puan_shard_open(struct puan_shard **out,
                                               struct puan_store *st,
                                               size_t ordinal, int64_t area,
                                               bool create,
                                               struct puan_err *err);
void puan_shard_close(struct puan_shard *sh);
PUAN_MUST_USE enum puan_status puan_shard_start(struct puan_shard *sh,
                                                struct puan_err *err);
void puan_shard_stop(struct puan_shard *sh);
/* Tells the delivery thread that a commit put something into an outbox. */
void puan_courier_wake(struct puan_store *st);
PUAN_MUST_USE enum puan_status puan_courier_start(struct puan_store *st,
                                                  struct puan_err *err);
void puan_courier_stop(struct puan_store *st);
/* Runs the schema steps a shard still lacks, through its open connection. */
PUAN_MUST_USE enum puan_status puan_schema_apply(struct puan_shard *sh,
                                                 struct puan_err *err);
/*
 * Appends one entry to the chain of the running transaction.  Only the writer
 * thread, or the opener before it starts.
 */
PUAN_MUST_USE enum puan_status puan_chain_append(struct puan_shard *sh,
                                                 struct puan_act *act,
                                                 struct puan_err *err);
/* Reads height and head from the database into the chain state. */
PUAN_MUST_USE enum puan_status puan_chain_load(struct puan_shard *sh,
                                               struct puan_err *err);

#endif
