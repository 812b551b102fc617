/*
 * The township relay: takes bundles of devices on its own line while the
 * office cannot be reached, keeps them on disk, hands them on, and gives the
 * receipts back to who asks with the same bundle.
 *
 *   SPOOL/<sha256>.bundle     waits
 *   SPOOL/<sha256>.receipts   handed on: what the office answered
 *   SPOOL/<sha256>.refused    the office will not have it: why
 *
 * It holds no key: it cannot open what it carries, nor tell a forged bundle
 * from a true one; the office does.  Exactly once is the office's doing too,
 * so a relay may hand the same on twice.
 *
 * Depends on: kit/http, kit/os, core/device.
 */
#ifndef PUAN_FEATURES_DEVICES_RELAY_H
#define PUAN_FEATURES_DEVICES_RELAY_H

#include "base/text.h"

#define PUAN_RELAY_WAITING 10000 /* bundles kept for the office at once */

struct puan_relay;

struct puan_relay_options {
    const char *spool;    /* a folder, made when missing */
    const char *to;       /* the office: "10.1.2.3:8020" */
    const char *campaign; /* as in addresses */
    const char *listen;   /* NULL: only hands on what is there */
    const char *tls_cert, *tls_key; /* PEM texts; NULL: plain */
};
PUAN_MUST_USE enum puan_status
puan_relay_start(struct puan_relay **out, const struct puan_relay_options *opt,
                 struct puan_err *err);
/* "127.0.0.1:8021" with the port really bound; "" when it does not listen. */
const char *puan_relay_address(const struct puan_relay *r);

struct puan_relay_round {
    unsigned handed, refused, waiting; /* left after it */
};
/*
 * Hands on what waits, until nothing does or the office does not answer, which
 * is no failure.  EIO  the spool cannot be read or written
 */
PUAN_MUST_USE enum puan_status puan_relay_round(struct puan_relay_round *out,
                                                struct puan_relay *r,
                                                struct puan_err *err);
void puan_relay_stop(struct puan_relay *r); /* NULL is fine */

int puan_relay_command(int argc, char **argv);

#endif
