/*
 * A campaign directory as the ledgers feature reads it: what directory.json
 * says, where the stores are.  Of this folder only.
 */
#ifndef PUAN_FEATURES_LEDGERS_SOURCE_H
#define PUAN_FEATURES_LEDGERS_SOURCE_H

#include "features/ledgers/ledgers.h"

struct puan_ledger_store {
    const char *name, *url;
    size_t ordinal;
};

struct puan_ledger_source {
    const char *dir, *base; /* base: PostgreSQL address or NULL */
    struct puan_str id, plan_digest; /* plan_digest: hexadecimal */
    const struct puan_digest_fn *digest;
    const struct puan_ledger_store *store; /* [0] the office */
    size_t n;
};

/* The store list comes from the office store; ENOTFOUND: no campaign. */
PUAN_MUST_USE enum puan_status
puan_ledger_source(struct puan_ledger_source *out, const char *dir,
                   const char *url, struct puan_arena *a,
                   struct puan_err *err);
const struct puan_ledger_store *
puan_ledger_find(const struct puan_ledger_source *s, const char *name);

/* What `covered` says of one table, ascending by key (bytes). */
struct puan_known {
    struct puan_known_row {
        struct puan_str key;
        uint64_t seq;
        uint8_t digest[PUAN_DIGEST_SIZE];
        bool met;
    } *row;
    size_t n;
};
PUAN_MUST_USE enum puan_status puan_known_read(struct puan_known *out,
                                               struct puan_db *db,
                                               const char *table,
                                               struct puan_arena *a,
                                               struct puan_err *err);
/* Its place, or k->n. */
size_t puan_known_find(const struct puan_known *k, struct puan_str key);
/* The columns behind the first, as content. */
void puan_content_columns(struct puan_out *o, struct puan_stmt *s);

/* What a search asks for; empty texts and zeros ask for nothing. */
struct puan_ledger_query {
    struct puan_str actor, seat, device, verb, subject; /* verb: prefix */
    struct puan_str area; /* digits the subject or the seat's area begin with */
    int64_t since_ms, until_ms; /* event time */
    uint64_t from;              /* first seq looked at */
    uint64_t limit;             /* entries given, 0: all */
    uint64_t scan;              /* entries looked at, 0: all */
};
/* OK goes on; another status ends the walk with it. */
typedef enum puan_status (*puan_ledger_fn)(void *arg,
                                           const struct puan_entry *e,
                                           const uint8_t *digest,
                                           struct puan_err *err);
/* *next: seq to go on from, or 0 when the end was reached.  An entry that
   cannot be decoded ends the walk with EIO: run verify. */
PUAN_MUST_USE enum puan_status
puan_ledger_each(struct puan_db *db, const struct puan_ledger_query *q,
                 puan_ledger_fn fn, void *arg, uint64_t *next,
                 struct puan_err *err);
void puan_ledger_entry_json(struct puan_jw *w, const struct puan_entry *e,
                            const uint8_t *digest);
/*
 * {"store","seq","entry":hex,"digest","height","merkle","path":[…]}: that the
 * entry is in the tree of `height` entries (0: all there are).
 */
PUAN_MUST_USE enum puan_status
puan_ledger_proof_json(struct puan_jw *w, struct puan_db *db,
                       const struct puan_digest_fn *fn, const char *store,
                       uint64_t seq, uint64_t height, struct puan_err *err);

#define PUAN_LEDGER_ROUTES 4
extern const struct puan_route puan_ledger_routes[PUAN_LEDGER_ROUTES];

#endif
