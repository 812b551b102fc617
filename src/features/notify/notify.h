/*
 * Messages that leave the office: what a seat is told goes to its addresses
 * over the channels of the installation (core/notify, `notify.yaml` in the
 * campaign directory), each a program of its own.
 *
 *   notify_message(id, kind, about, notice, zh, en, level, role, area, account,
 *                  at, due, drill, received)               covered
 *   notify_delivery(id, message, channel, address, token, state, tries, next,
 *                   at, why)                               covered
 *     state: waiting, handed, received, given-up, no-address, resent (failed,
 *     and sent again)
 *   notify_address(id, channel, role, area, account, drill, sealed) covered
 *
 * A message is rows written in the act that tells; the job hands each delivery
 * to its channel's program, over a restart exactly once (spool.h).  Without
 * channels nothing is written.
 *
 * A message says what its plan calls the matter, its number, level, deadline
 * and where to open it.  Texts that anybody typed cannot get in: `what` is a
 * label of the plan or of the program, everything else is a number or a word
 * of a fixed list.
 *
 * Depends on: store, accounts, core/flow, core/notify.
 */
#ifndef PUAN_FEATURES_NOTIFY_NOTIFY_H
#define PUAN_FEATURES_NOTIFY_NOTIFY_H

#include "core/flow/flow.h"
#include "core/notify/notify.h"
#include "features/store/store.h"

extern const struct puan_feature puan_feature_notify;

struct puan_notify {
    enum puan_notify_kind kind;
    const struct puan_flow_label *what; /* {"incident", "突发事件", "Incident"} */
    struct puan_str about;   /* page of the office it opens: "cases/31" */
    struct puan_str level;   /* blue yellow orange red, or empty */
    struct puan_str role;    /* to whom: a seat … */
    int64_t area;
    struct puan_str account; /* … or, not empty, this holder of it */
    int64_t at_ms, due_ms;   /* campaign time; due_ms 0: no deadline */
    int64_t notice;          /* the case_notice it carries; 0 none */
    bool drill;              /* marked, and to addresses for drills only */
};

/*
 * Inside a body on the office store: writes the message and a delivery for
 * each address of the seat on each channel that carries its kind.  *id (may be
 * NULL) gets the message, 0 when the installation has no channel for it.  A
 * seat without an address gets one delivery "no-address", a fault that pages
 * and metrics show.  Addresses are those of the seat itself and of those who
 * hold it; with `account` those of the account, else the seat's.
 */
PUAN_MUST_USE enum puan_status puan_notify_in(int64_t *id,
                                              struct puan_shard *sh,
                                              struct puan_db *db,
                                              struct puan_act *act,
                                              const struct puan_notify *m,
                                              struct puan_arena *a,
                                              struct puan_err *err);
/*
 * Inside a body: somebody of the seat has answered, in the office or else;
 * what still waits is not sent any more.  By the case_notice, or by message.
 */
PUAN_MUST_USE enum puan_status puan_notify_taken_in(struct puan_shard *sh,
                                                    struct puan_db *db,
                                                    struct puan_act *act,
                                                    int64_t notice,
                                                    int64_t message,
                                                    struct puan_err *err);

/* What became of a message, for whoever sent it. */
struct puan_notify_fate {
    int waiting, handed, received, given_up, no_address; /* deliveries */
    int64_t received_ms; /* campaign time of the first receipt; 0 none */
};
PUAN_MUST_USE enum puan_status puan_notify_fate(struct puan_notify_fate *out,
                                                struct puan_db *db,
                                                int64_t message,
                                                struct puan_err *err);
/*
 * One word for it, the best that happened: "received", "handed", "waiting",
 * "failed" (given up), "no-address".
 */
const char *puan_notify_fate_word(const struct puan_notify_fate *f);

/*
 * One look at the spool: takes in what programs have done and receipts that
 * were told, and starts what is due.  The job does it by itself.
 */
PUAN_MUST_USE enum puan_status puan_notify_work(struct puan_store *st,
                                                struct puan_err *err);

#endif
