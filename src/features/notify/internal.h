/*
 * Inside features/notify: what its files share.
 */
#ifndef PUAN_FEATURES_NOTIFY_INTERNAL_H
#define PUAN_FEATURES_NOTIFY_INTERNAL_H

#include <pthread.h>

#include "features/notify/notify.h"

/* A reading of notify.yaml; kept until the store is closed. */
struct puan_notify_file {
    struct puan_arena arena;
    struct puan_notify_channels channels;
    struct puan_notify_file *before;
};
struct puan_notify_state {
    pthread_mutex_t lock;
    struct puan_notify_file *now; /* the last that could be read; may be NULL */
    int64_t seen_ms, seen_size;   /* of the file: to see a change */
    bool there;
    struct puan_err fault; /* of the file as it stands; text empty: none */
    int pid[256];          /* programs that will have to be waited for */
    size_t n_pids;
    struct puan_limit *peers; /* who tells receipts from outside */
};

enum puan_status puan_notify_open(void **state, struct puan_store *st,
                                  struct puan_err *err);
void puan_notify_close(void *state, struct puan_store *st);
/* Reads the file again when it has changed. */
void puan_notify_refresh(struct puan_store *st);
/* The channels now; NULL: none.  Lives as long as the store. */
const struct puan_notify_channels *puan_notify_now(struct puan_store *st);
/* What is wrong with the file; false: nothing. */
bool puan_notify_fault(struct puan_err *out, struct puan_store *st);

/* Does everything here count as a drill: a directory not born live? */
bool puan_notify_all_drill(const struct puan_store *st);

/*
 * Inside a body: sends a message again to where its seat is reached now; what
 * was given up or had no address is marked `resent`.  ECONFLICT: somebody has
 * answered, or it still waits.
 */
enum puan_status puan_notify_again_in(struct puan_shard *sh, struct puan_db *db,
                                      struct puan_act *act, int64_t message,
                                      struct puan_arena *a,
                                      struct puan_err *err);

/* ---- rows ----------------------------------------------------------------- */

#define PUAN_NOTIFY_WAITING "waiting"
#define PUAN_NOTIFY_HANDED "handed"
#define PUAN_NOTIFY_RECEIVED "received"
#define PUAN_NOTIFY_GIVEN_UP "given-up"
#define PUAN_NOTIFY_NO_ADDRESS "no-address"
#define PUAN_NOTIFY_RESENT "resent" /* failed, and others stand for it */

struct puan_notify_message_row {
    int64_t id, notice, area, at, due, drill, received;
    struct puan_str kind, about, zh, en, level, role, account;
};
/* at: campaign time of the last change; next: real time of the next try */
struct puan_notify_delivery_row {
    int64_t id, message, address, tries, next, at;
    struct puan_str channel, token, state, why;
};
struct puan_notify_address_row {
    int64_t id, area, drill;
    struct puan_str channel, role, account, sealed;
};

/* A receipt by its token: received, or failed.  ENOTFOUND */
enum puan_status puan_notify_receipt(struct puan_store *st,
                                     struct puan_str token, bool received,
                                     struct puan_err *err);
/* The message as its addressee reads it. */
void puan_notify_words_of(struct puan_notify_words *w,
                          const struct puan_notify_message_row *m,
                          struct puan_store *st, struct puan_db *db,
                          const struct puan_notify_channels *c,
                          struct puan_arena *a);

enum puan_status
puan_notify_message_write(struct puan_shard *sh, struct puan_db *db,
                          struct puan_act *act,
                          const struct puan_notify_message_row *m,
                          struct puan_arena *a, struct puan_err *err);
enum puan_status
puan_notify_delivery_write(struct puan_shard *sh, struct puan_db *db,
                           struct puan_act *act,
                           const struct puan_notify_delivery_row *d,
                           struct puan_arena *a, struct puan_err *err);
enum puan_status
puan_notify_address_write(struct puan_shard *sh, struct puan_db *db,
                          struct puan_act *act,
                          const struct puan_notify_address_row *r,
                          struct puan_arena *a, struct puan_err *err);
/* ENOTFOUND */
enum puan_status puan_notify_message_read(struct puan_notify_message_row *m,
                                          struct puan_db *db, int64_t id,
                                          struct puan_arena *a,
                                          struct puan_err *err);
enum puan_status puan_notify_delivery_read(struct puan_notify_delivery_row *d,
                                           struct puan_db *db, int64_t id,
                                           struct puan_arena *a,
                                           struct puan_err *err);
/* All deliveries of a message, by id. */
enum puan_status puan_notify_deliveries(struct puan_notify_delivery_row **out,
                                        size_t *n, struct puan_db *db,
                                        int64_t message, struct puan_arena *a,
                                        struct puan_err *err);

/* The address, opened; only for the moment it is used. */
enum puan_status puan_notify_address_open(struct puan_str *out,
                                          struct puan_store *st,
                                          struct puan_db *db, int64_t id,
                                          struct puan_arena *a,
                                          struct puan_err *err);
enum puan_status puan_notify_address_seal(struct puan_str *out,
                                          struct puan_store *st, int64_t id,
                                          struct puan_str plain,
                                          struct puan_arena *a,
                                          struct puan_err *err);

#endif
