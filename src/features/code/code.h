/*
 * Coding of answers in words from a plan pack's folder coding/ (doc/coding.md):
 * industry.txt, occupation.txt, words.txt, traditional.txt.
 *
 * Depends on: core/coder, features/plans.
 */
#ifndef PUAN_FEATURES_CODE_CODE_H
#define PUAN_FEATURES_CODE_CODE_H

#include "core/coder/coder.h"

/* A coder and the texts it was made from. */
struct puan_coding;

/*
 * The coder for `what` ("industry") of a pack (path or bare name), or of a
 * folder that itself holds the files.
 *
 * ENOTFOUND  no such pack, or it has no coding/WHAT.txt   EINVAL  a fault in it
 */
PUAN_MUST_USE enum puan_status puan_coding_open(struct puan_coding **out,
                                                const char *pack,
                                                const char *what,
                                                struct puan_err *err);
void puan_coding_close(struct puan_coding *c); /* NULL is fine */
const struct puan_coder *puan_coding_coder(const struct puan_coding *c);

/* The three texts it was made from: list, words, characters. */
const struct puan_coder_source *
puan_coding_sources(const struct puan_coding *c);

/*
 * The code at `digits` (0: whole) of a hit: the node's own, or its beginning
 * where the group has no line of its own.
 */
struct puan_str puan_coding_code(const struct puan_coder *c, uint32_t node,
                                 unsigned digits);

/* "coded", "empty", "vague", "unknown" */
const char *puan_coding_state(enum puan_coder_state s);

#endif
