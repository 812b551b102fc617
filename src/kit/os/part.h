/*
 * A file in the making: nobody sees it under its name before it is whole.
 * While it is written it has no name at all where the file system can do so
 * (O_TMPFILE), so that nothing is left behind by a kill of any kind; else it
 * is PATH.PID.part and goes away with the signals that puan_part_tidy catches.
 *
 * What cannot be written is EWRITE, whatever the reason.
 *
 * Depends on: base.  Does file I/O.
 */
#ifndef PUAN_KIT_OS_PART_H
#define PUAN_KIT_OS_PART_H

#include "base/status.h"

struct puan_part {
    int fd;         /* to be written to; -1: none is open */
    const char *at; /* what the file can be opened by meanwhile */
    char *path;     /* its name when it is kept */
    char *beside;   /* a name on the way; NULL: it is written in place */
    int slot;       /* inside: where `beside` is known to the signals */
    bool named;     /* `beside` is there */
    char by[40];    /* behind `at` */
};

enum puan_part_kind {
    PUAN_PART_ANY,  /* a device, a pipe or a link is written in place */
    PUAN_PART_WHOLE /* only an ordinary file will do: mapped, sought in */
};

/*
 * Readable and writable; `mode` as open, so less the umask.
 * EWRITE  cannot be made there
 */
PUAN_MUST_USE enum puan_status puan_part_open(struct puan_part *p,
                                              const char *path,
                                              enum puan_part_kind kind,
                                              unsigned mode,
                                              struct puan_err *err);
/*
 * Gives the file its name, flushed to disk first when `flush`; closes p in any
 * case.  Without `flush` nothing waits for the disk, and after a power failure
 * the file may be cut short: for what can be made again.
 * EWRITE  it has not got its name; what had it before is as it was
 */
PUAN_MUST_USE enum puan_status puan_part_keep(struct puan_part *p, bool flush,
                                              struct puan_err *err);
/* Throws it away; fine when none is open. */
void puan_part_drop(struct puan_part *p);

/* EWRITE with the system's words for `fault`, an errno. */
enum puan_status puan_part_fault(struct puan_err *err, const char *path,
                                 int fault);

/*
 * For a program, once, at its start: SIGINT, SIGTERM and SIGHUP, where nobody
 * else handles them, remove the files that have a name on the way, and end the
 * program as they would have.
 */
void puan_part_tidy(void);

#endif
