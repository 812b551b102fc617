/*
 * Inside features/notify: handing a message to a channel's program, once.
 *
 * Each try of a delivery has files in DIR/notify, named by the numbers of both:
 *
 *   31.2.msg    what the program reads
 *   31.2.lock   made just before it is started; the small shell over the
 *               program holds a lock on it as long as it lives, also when this
 *               server has ended
 *   31.2.exit   the program's exit code, written by that shell
 *
 * A try with an exit code is over, whoever started it.  A try whose lock is
 * held runs.  One without either was cut off, by a loss of power or by hand:
 * nobody can know how far it came, so the next try tells the program that it
 * may have been before (PUAN_AGAIN=1).  One without a lock never began.
 *
 * The program's environment is PATH, PUAN_MESSAGE (the same for all tries),
 * PUAN_TO, PUAN_TRY, PUAN_AGAIN and PUAN_RECEIPT: the file to which it, or who
 * it tells, moves a file that says "received" or "failed".
 */
#ifndef PUAN_FEATURES_NOTIFY_SPOOL_H
#define PUAN_FEATURES_NOTIFY_SPOOL_H

#include "features/notify/internal.h"

struct puan_spool_try {
    int64_t delivery, number;
    int64_t age_ms; /* since it was started */
    enum {
        PUAN_SPOOL_RUNS,
        PUAN_SPOOL_DONE,    /* with `code` */
        PUAN_SPOOL_LATE,    /* ended by us: over its limit */
        PUAN_SPOOL_CUT_OFF  /* nobody knows */
    } state;
    int code;
};

/* All tries that were begun, by delivery. */
enum puan_status puan_spool_list(struct puan_spool_try **out, size_t *n,
                                 struct puan_store *st, struct puan_arena *a,
                                 struct puan_err *err);
/*
 * Starts the program of `c` on `body`; *pid must be waited for some day.  The
 * try is begun when this returns, also when it returns a fault after the lock
 * was made.
 */
enum puan_status puan_spool_start(int *pid, struct puan_store *st,
                                  const struct puan_notify_channel *c,
                                  const struct puan_notify_delivery_row *d,
                                  struct puan_str body, struct puan_str to,
                                  bool again, struct puan_arena *a,
                                  struct puan_err *err);
/* Ends a try that runs over its limit: asked first, then killed. */
void puan_spool_end(struct puan_store *st, const struct puan_spool_try *t,
                    bool kill_it);
/* Removes the files of a try. */
void puan_spool_clear(struct puan_store *st, int64_t delivery, int64_t number);

/* What a receipt file or request says: 1 received, 0 failed, -1 neither. */
int puan_receipt_read(struct puan_str text);
/* 32 hexadecimal digits? */
bool puan_receipt_token(struct puan_str name);
/* The folder where receipts are put, made when it is not there. */
const char *puan_receipt_folder(struct puan_store *st, struct puan_arena *a);

#endif
