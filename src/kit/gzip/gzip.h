/*
 * Packs bytes as gzip (RFC 1952) for answers that are given many times.
 *
 * Depends on: base, zlib.
 */
#ifndef PUAN_KIT_GZIP_GZIP_H
#define PUAN_KIT_GZIP_GZIP_H

#include "base/arena.h"

/* ENOMEM, or ELIMIT for more than 1 GiB. */
PUAN_MUST_USE enum puan_status puan_gzip(struct puan_str *out,
                                         struct puan_str in,
                                         struct puan_arena *a,
                                         struct puan_err *err);

#endif
