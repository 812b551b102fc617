/*
 * Threads that do work: a pool for what must not block an event loop, a
 * parallel loop over ranges, and a ticker for periodic work.
 *
 * Functions run here must not longjmp out or exit the thread.
 *
 * Depends on: base, pthreads.  Knows nothing of a census.
 */
#ifndef PUAN_KIT_JOB_JOB_H
#define PUAN_KIT_JOB_JOB_H

#include "base/text.h"

struct puan_pool;

/* `threads` 1-256; `queue` jobs may wait before puan_pool_run says EBUSY. */
PUAN_MUST_USE enum puan_status puan_pool_open(struct puan_pool **out,
                                              unsigned threads, size_t queue,
                                              struct puan_err *err);
/* Queues fn(arg).  EBUSY when the queue is full or the pool is closing. */
PUAN_MUST_USE enum puan_status puan_pool_run(struct puan_pool *p,
                                             void (*fn)(void *), void *arg);
/* Runs what is queued, then ends the threads.  NULL is fine. */
void puan_pool_close(struct puan_pool *p);

/* Processors this process may use, at least 1. */
unsigned puan_cores(void);

/*
 * Calls fn(arg, begin, end, worker) over [0, n) in ranges of at most `chunk`,
 * from up to `threads` threads (0: one per core); returns when all are done.
 * The first failure stops further ranges and is returned with its error.
 */
PUAN_MUST_USE enum puan_status
puan_parallel(unsigned threads, uint64_t n, uint64_t chunk,
              enum puan_status (*fn)(void *arg, uint64_t begin, uint64_t end,
                                     unsigned worker, struct puan_err *err),
              void *arg, struct puan_err *err);

/*
 * Periodic work in one thread of its own.  A job runs at most every `every_ms`
 * of real time, one after another; a slow job delays the rest and is never
 * run twice at once.
 */
struct puan_ticker;
struct puan_tick {
    const char *name; /* lives as long as the ticker */
    int64_t every_ms;
    void (*run)(void *arg);
    void *arg;
};
PUAN_MUST_USE enum puan_status puan_ticker_open(struct puan_ticker **out,
                                                const struct puan_tick *ticks,
                                                size_t n, struct puan_err *err);
/* Waits for the job that is running, if any.  NULL is fine. */
void puan_ticker_close(struct puan_ticker *t);

#endif
