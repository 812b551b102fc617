/*
 * The ledger as pure functions: entries (contract 3), their chain, the Merkle
 * tree over their digests (RFC 6962), checkpoints, and the digests of what the
 * entries cover (returns and covered rows).
 *
 * Tables that hold a ledger, in every store (features/store writes them,
 * features/ledgers reads them):
 *
 *   ledger(seq BIGINT PRIMARY KEY, entry BYTEA NOT NULL, digest BYTEA NOT NULL)
 *       seq from 0 without gaps; entry 0 is the birth of the store
 *   covered(tbl TEXT, key TEXT, seq BIGINT, digest BYTEA,
 *           PRIMARY KEY(tbl, key))
 *       derived: for each covered row the entry that wrote it last
 *
 * An entry itself lists the rows it covers (table, key, digest of the content;
 * the digest is 32 zero bytes when the row was deleted), so that neither a row
 * nor its line in `covered` can be changed, put back or removed unseen.
 *
 * Depends on: base, form.  Does no I/O, reads no clock, keeps no state.
 */
#ifndef PUAN_CORE_LEDGER_LEDGER_H
#define PUAN_CORE_LEDGER_LEDGER_H

#include "base/digest.h"
#include "base/out.h"
#include "core/form/record.h"

enum puan_run { PUAN_RUN_LIVE = 0, PUAN_RUN_DRILL = 1, PUAN_RUN_DEMO = 2 };

struct puan_cover_item {
    struct puan_str table, key;
    uint8_t digest[PUAN_DIGEST_SIZE]; /* puan_cover_digest, or zeros */
};

struct puan_entry {
    uint8_t run;           /* enum puan_run */
    struct puan_str scope; /* name of the store: "office", "370883" */
    uint64_t seq;
    int64_t event_ms, entry_ms;
    struct puan_str actor, seat, device, verb, subject;
    struct puan_str old_digest, new_digest; /* empty or 32 bytes */
    struct puan_str plan;                   /* empty or 32 bytes */
    struct puan_str note;
    const struct puan_cover_item *cover;
    size_t n_cover;
    uint8_t previous[PUAN_DIGEST_SIZE]; /* zeros before the first */
};

/* Canonical bytes; the same entry always gives the same bytes. */
void puan_entry_encode(struct puan_out *out, const struct puan_entry *e);
/*
 * Back; texts borrow from `bytes`, the cover list is in the arena.  EINVAL
 * unless the bytes are exactly what encode writes.
 */
PUAN_MUST_USE enum puan_status puan_entry_decode(struct puan_entry *out,
                                                 struct puan_str bytes,
                                                 struct puan_arena *a,
                                                 struct puan_err *err);
/* H(0x02 ‖ entry bytes). */
void puan_entry_digest(uint8_t out[PUAN_DIGEST_SIZE],
                       const struct puan_digest_fn *fn, struct puan_str bytes);

/*
 * Content of a covered row: its columns one after the other, each with its
 * kind, so that two rows are equal exactly when the bytes are.
 */
void puan_content_null(struct puan_out *o);
void puan_content_int(struct puan_out *o, int64_t v);
void puan_content_text(struct puan_out *o, struct puan_str s);
void puan_content_bytes(struct puan_out *o, struct puan_str s);
/* Before each row, where the content is that of several rows. */
void puan_content_row(struct puan_out *o);
/* H(0x03 ‖ str table ‖ str key ‖ content). */
void puan_cover_digest(uint8_t out[PUAN_DIGEST_SIZE],
                       const struct puan_digest_fn *fn, struct puan_str table,
                       struct puan_str key, struct puan_str content);

/*
 * Digest of a stored return (contract 1): H(0x01 ‖ header ‖ bytes frame ‖
 * bytes facts ‖ bytes sealed vault), header = svarint household · varint
 * version · 32 form digest · str form · str mode · str device · varint counter
 * · svarint started · svarint finished · u8 signed · str query.  It is the
 * `new` digest of the entry that accepted the return.
 */
void puan_return_digest(uint8_t out[PUAN_DIGEST_SIZE],
                        const struct puan_digest_fn *fn,
                        const struct puan_return_head *head, uint32_t version,
                        const uint8_t form_digest[PUAN_DIGEST_SIZE],
                        struct puan_str frame, struct puan_str facts,
                        struct puan_str sealed);

/*
 * Merkle tree over entry digests, grown one by one: the roots of the full
 * subtrees on the right edge, largest first.  Copy it freely.
 */
struct puan_merkle {
    uint64_t n; /* leaves */
    uint8_t node[64][PUAN_DIGEST_SIZE]; /* one per set bit of n */
};
void puan_merkle_init(struct puan_merkle *m);
void puan_merkle_add(struct puan_merkle *m, const struct puan_digest_fn *fn,
                     const uint8_t entry_digest[PUAN_DIGEST_SIZE]);
void puan_merkle_root(uint8_t out[PUAN_DIGEST_SIZE],
                      const struct puan_merkle *m,
                      const struct puan_digest_fn *fn);
/* To and from bytes, for keeping it beside the chain. */
void puan_merkle_encode(struct puan_out *o, const struct puan_merkle *m);
PUAN_MUST_USE enum puan_status puan_merkle_decode(struct puan_merkle *m,
                                                  struct puan_str bytes,
                                                  struct puan_err *err);

/* Most hashes a proof holds. */
#define PUAN_PROOF_MAX 65
struct puan_proof {
    size_t n;
    uint8_t hash[PUAN_PROOF_MAX][PUAN_DIGEST_SIZE];
};
struct puan_hash {
    uint8_t b[PUAN_DIGEST_SIZE];
};

/* `digest` holds the n entry digests in order. */
void puan_merkle_tree_root(uint8_t out[PUAN_DIGEST_SIZE],
                           const struct puan_digest_fn *fn,
                           const struct puan_hash *digest, uint64_t n);
/* That entry `index` is in the tree of n (RFC 6962 2.1.1). */
void puan_merkle_inclusion(struct puan_proof *p,
                           const struct puan_digest_fn *fn,
                           const struct puan_hash *digest, uint64_t n,
                           uint64_t index);
bool puan_merkle_inclusion_ok(const struct puan_proof *p,
                              const struct puan_digest_fn *fn,
                              const uint8_t entry_digest[PUAN_DIGEST_SIZE],
                              uint64_t index, uint64_t n,
                              const uint8_t root[PUAN_DIGEST_SIZE]);
/* That the tree of n begins with the tree of m, 0 < m <= n (2.1.2). */
void puan_merkle_consistency(struct puan_proof *p,
                             const struct puan_digest_fn *fn,
                             const struct puan_hash *digest, uint64_t m,
                             uint64_t n);
bool puan_merkle_consistency_ok(const struct puan_proof *p,
                                const struct puan_digest_fn *fn, uint64_t m,
                                uint64_t n,
                                const uint8_t old_root[PUAN_DIGEST_SIZE],
                                const uint8_t new_root[PUAN_DIGEST_SIZE]);

/* One store in a checkpoint. */
struct puan_head {
    struct puan_str name; /* scope */
    uint64_t height;      /* entries; the last has seq height - 1 */
    uint8_t head[PUAN_DIGEST_SIZE], merkle[PUAN_DIGEST_SIZE];
};

struct puan_checkpoint {
    struct puan_str installation; /* id of the directory */
    int64_t time_ms;
    struct puan_str digest; /* "sm3", "sha256" */
    const struct puan_head *store;
    size_t n;
    struct puan_str alg;       /* "sm2", "ed25519"; empty: not signed */
    struct puan_str signature; /* raw bytes */
};

/*
 * The text that is signed: one line of JSON without signature.  The file is
 * the same map with "alg" and "signature" (hexadecimal) added.
 */
void puan_checkpoint_body(struct puan_out *o, const struct puan_checkpoint *c);
void puan_checkpoint_text(struct puan_out *o, const struct puan_checkpoint *c);
PUAN_MUST_USE enum puan_status
puan_checkpoint_parse(struct puan_checkpoint *out, struct puan_str json,
                      const char *file, struct puan_arena *a,
                      struct puan_err *err);

#endif
