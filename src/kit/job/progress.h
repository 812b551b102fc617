/*
 * Progress of long work: a bar on standard error when that is a terminal,
 * one line at the end when it is not, nothing when told to be quiet.
 *
 * puan_progress_add is safe from many threads and cheap (one atomic add; the
 * line is redrawn at most ten times a second, by whoever comes first).
 *
 * Depends on: base.  Knows nothing of a census.
 */
#ifndef PUAN_KIT_JOB_PROGRESS_H
#define PUAN_KIT_JOB_PROGRESS_H

#include <stdatomic.h>

#include "base/text.h"

struct puan_progress {
    char title[64];
    uint64_t total;            /* 0: not known beforehand */
    _Atomic uint64_t done;
    _Atomic int64_t next_draw; /* monotonic ms */
    atomic_flag drawing;
    int64_t began;             /* monotonic ms */
    bool terminal, quiet;
};

/* `title` is copied: what is being done, in the user's words. */
void puan_progress_begin(struct puan_progress *p, const char *title,
                         uint64_t total);
void puan_progress_add(struct puan_progress *p, uint64_t n);
/* Sets the count, for work that learns it afresh. */
void puan_progress_set(struct puan_progress *p, uint64_t done);
/* Draws the last state and ends the line; gives the elapsed milliseconds. */
int64_t puan_progress_end(struct puan_progress *p);

/* Turns every later bar of this process off (or on): --quiet, --json. */
void puan_progress_quiet(bool quiet);

/* Milliseconds of a clock that only moves forward; for durations. */
int64_t puan_monotonic_ms(void);

#endif
