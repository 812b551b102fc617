/*
 * What devices of the field send, as bytes (contract 18): sealed returns,
 * links of their chain, bundles.
 *
 * Reads and writes; never opens anything, never checks a signature.  What is
 * read comes out of the writer as the same bytes again.
 *
 * Depends on: base.  Does no I/O, reads no clock, keeps no state.
 */
#ifndef PUAN_CORE_DEVICE_DEVICE_H
#define PUAN_CORE_DEVICE_DEVICE_H

#include "base/digest.h"
#include "base/out.h"

#define PUAN_DEVICE_NAME_MAX 40
/* Longest sealed return: a document of 256 KiB and what is around it. */
#define PUAN_SEALED_MAX (256 * 1024 + 1024)
#define PUAN_BUNDLE_MAX ((size_t)8 << 20)
#define PUAN_BUNDLE_RETURNS 4096
#define PUAN_BUNDLE_LINKS 65536
#define PUAN_LINK_MAX 160

/* ---- sealed returns -------------------------------------------------------- */

struct puan_sealed {
    struct puan_str campaign, device;
    int64_t household;
    uint32_t counter;
    uint8_t digest[PUAN_DIGEST_SIZE]; /* SHA-256 of the document */
    struct puan_str envelope;         /* not looked into */
};
/* Texts borrow from `bytes`.  EINVAL  not a sealed return of version 1 */
PUAN_MUST_USE enum puan_status puan_sealed_read(struct puan_sealed *out,
                                                struct puan_str bytes,
                                                struct puan_err *err);
void puan_sealed_write(struct puan_out *o, const struct puan_sealed *s);
/* "campaign|device|household|counter", in the arena. */
struct puan_str puan_sealed_aad(struct puan_arena *a,
                                const struct puan_sealed *s);

/* ---- the chain --------------------------------------------------------------- */

enum puan_link_act {
    PUAN_LINK_LISTED,
    PUAN_LINK_OPENED,
    PUAN_LINK_SEALED,
    PUAN_LINK_SENT,
    PUAN_LINK_RECEIPT,
    PUAN_LINK_NOTE,
    PUAN_LINK_ACTS
};
/* "listed", "opened", ... */
const char *puan_link_act_name(enum puan_link_act act);

struct puan_link {
    uint32_t n; /* from 1 */
    int64_t at; /* ms, the device's clock */
    enum puan_link_act act;
    int64_t household; /* 0: of none */
    uint32_t counter;
    bool has_digest;
    uint8_t digest[PUAN_DIGEST_SIZE];
};
/* EINVAL  not written as puan_link_write writes it */
PUAN_MUST_USE enum puan_status puan_link_read(struct puan_link *out,
                                              struct puan_str text,
                                              struct puan_err *err);
void puan_link_write(struct puan_out *o, const struct puan_link *l);

/* hash(0), and the next one after `text`. */
void puan_chain_start(uint8_t hash[PUAN_DIGEST_SIZE],
                      const struct puan_digest_fn *sha256,
                      struct puan_str campaign, struct puan_str device);
void puan_chain_step(uint8_t hash[PUAN_DIGEST_SIZE],
                     const struct puan_digest_fn *sha256, struct puan_str text);

/* ---- bundles ------------------------------------------------------------------- */

struct puan_bundle {
    struct puan_str campaign, device;
    struct puan_str *sealed; /* bytes of each sealed return */
    uint32_t n_sealed;
    struct puan_str *link; /* texts */
    uint32_t n_links, from;
    struct puan_str covered; /* all before the signature */
    struct puan_str signature;
};
/*
 * Texts borrow from `bytes`, the lists are in the arena.  Every sealed return
 * has been read and names the bundle's campaign and device.
 *
 * EINVAL  not a whole bundle   ELIMIT  larger than the bounds above
 */
PUAN_MUST_USE enum puan_status puan_bundle_read(struct puan_bundle *out,
                                                struct puan_str bytes,
                                                struct puan_arena *a,
                                                struct puan_err *err);
/* All before the signature, which the caller appends. */
void puan_bundle_write(struct puan_out *o, const struct puan_bundle *b);
/* What the device signs, in the arena. */
struct puan_str puan_bundle_text(struct puan_arena *a,
                                 const struct puan_digest_fn *sha256,
                                 const struct puan_bundle *b);

#endif
