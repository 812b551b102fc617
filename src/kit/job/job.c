/*
 * Thread pool, parallel loop, ticker.  Never allocates while work runs: the
 * queue is a ring made at the start.
 */
#include "kit/job/job.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "kit/job/progress.h"

struct job {
    void (*fn)(void *);
    void *arg;
};

struct puan_pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct job *ring;
    size_t cap, head, n;
    bool closing;
    unsigned threads;
    pthread_t thread[];
};

unsigned puan_cores(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    return CPU_COUNT(&set) > 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

static void *pool_main(void *arg)
{
    struct puan_pool *p = arg;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct job j;

        while (!p->n && !p->closing)
            pthread_cond_wait(&p->work, &p->lock);
        if (!p->n)
            break;
        j = p->ring[p->head];
        p->head = (p->head + 1) % p->cap;
        p->n--;
        pthread_mutex_unlock(&p->lock);
        j.fn(j.arg);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

enum puan_status puan_pool_open(struct puan_pool **out, unsigned threads,
                                size_t queue, struct puan_err *err)
{
    struct puan_pool *p;

    *out = NULL;
    if (threads < 1 || threads > 256 || queue < 1)
        return puan_fail(err, PUAN_EBUG, "pool", "1-256 threads, a queue of 1");
    p = calloc(1, sizeof(*p) + threads * sizeof(p->thread[0]));
    if (p)
        p->ring = calloc(queue, sizeof(*p->ring));
    if (!p || !p->ring) {
        free(p);
        return puan_fail(err, PUAN_ENOMEM, "pool", "out of memory");
    }
    p->cap = queue;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    while (p->threads < threads) {
        if (pthread_create(&p->thread[p->threads], NULL, pool_main, p) != 0) {
            puan_pool_close(p);
            return puan_fail(err, PUAN_EIO, "pool", "no more threads");
        }
        p->threads++;
    }
    *out = p;
    return PUAN_OK;
}

enum puan_status puan_pool_run(struct puan_pool *p, void (*fn)(void *),
                               void *arg)
{
    enum puan_status st = PUAN_EBUSY;

    pthread_mutex_lock(&p->lock);
    if (p->n < p->cap && !p->closing) {
        p->ring[(p->head + p->n) % p->cap] = (struct job){ fn, arg };
        p->n++;
        st = PUAN_OK;
        pthread_cond_signal(&p->work);
    }
    pthread_mutex_unlock(&p->lock);
    return st;
}

void puan_pool_close(struct puan_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->threads; i++)
        pthread_join(p->thread[i], NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->work);
    free(p->ring);
    free(p);
}

/* ---- parallel loop -------------------------------------------------------- */

struct loop {
    _Atomic uint64_t next;
    uint64_t n, chunk;
    enum puan_status (*fn)(void *, uint64_t, uint64_t, unsigned,
                           struct puan_err *);
    void *arg;
    _Atomic int failed; /* a status */
    pthread_mutex_t lock;
    struct puan_err err;
};

struct worker {
    struct loop *loop;
    unsigned index;
    pthread_t thread;
};

static void *loop_main(void *arg)
{
    struct worker *w = arg;
    struct loop *l = w->loop;

    for (;;) {
        uint64_t begin, end;
        struct puan_err err = { 0 };
        enum puan_status st;

        if (atomic_load(&l->failed))
            break;
        begin = atomic_fetch_add(&l->next, l->chunk);
        if (begin >= l->n)
            break;
        end = l->n - begin < l->chunk ? l->n : begin + l->chunk;
        st = l->fn(l->arg, begin, end, w->index, &err);
        if (st != PUAN_OK) {
            pthread_mutex_lock(&l->lock);
            if (!atomic_load(&l->failed)) {
                l->err = err;
                atomic_store(&l->failed, (int)st);
            }
            pthread_mutex_unlock(&l->lock);
        }
    }
    return NULL;
}

enum puan_status
puan_parallel(unsigned threads, uint64_t n, uint64_t chunk,
              enum puan_status (*fn)(void *arg, uint64_t begin, uint64_t end,
                                     unsigned worker, struct puan_err *err),
              void *arg, struct puan_err *err)
{
    struct loop l = { .n = n, .chunk = chunk ? chunk : 1, .fn = fn,
                      .arg = arg };
    struct worker w[64];
    unsigned started = 0;
    enum puan_status st;

    if (!n)
        return PUAN_OK;
    if (!threads)
        threads = puan_cores();
    if (threads > PUAN_COUNT(w))
        threads = PUAN_COUNT(w);
    if (threads > (n + l.chunk - 1) / l.chunk)
        threads = (unsigned)((n + l.chunk - 1) / l.chunk);
    pthread_mutex_init(&l.lock, NULL);
    for (unsigned i = 1; i < threads; i++) {
        w[started] = (struct worker){ &l, i, 0 };
        if (pthread_create(&w[started].thread, NULL, loop_main,
                           &w[started]) != 0)
            break; /* fewer threads do the same work */
        started++;
    }
    loop_main(&(struct worker){ &l, 0, 0 });
    for (unsigned i = 0; i < started; i++)
        pthread_join(w[i].thread, NULL);
    pthread_mutex_destroy(&l.lock);
    st = (enum puan_status)atomic_load(&l.failed);
    if (st != PUAN_OK && err && err->code == PUAN_OK)
        *err = l.err;
    return st;
}

/* ---- ticker ---------------------------------------------------------------- */

struct puan_ticker {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool closing;
    size_t n;
    struct {
        struct puan_tick tick;
        int64_t due;
    } at[];
};

static void *ticker_main(void *arg)
{
    struct puan_ticker *t = arg;

    pthread_mutex_lock(&t->lock);
    while (!t->closing) {
        int64_t now = puan_monotonic_ms(), soonest = now + 60000;
        size_t pick = t->n;
        struct timespec until;

        for (size_t i = 0; i < t->n; i++)
            if (t->at[i].due < soonest) {
                soonest = t->at[i].due;
                pick = i;
            }
        if (pick < t->n && soonest <= now) {
            struct puan_tick tick = t->at[pick].tick;

            pthread_mutex_unlock(&t->lock);
            tick.run(tick.arg);
            pthread_mutex_lock(&t->lock);
            t->at[pick].due = puan_monotonic_ms() + tick.every_ms;
            continue;
        }
        until.tv_sec = (time_t)(soonest / 1000);
        until.tv_nsec = (long)(soonest % 1000) * 1000000;
        pthread_cond_timedwait(&t->wake, &t->lock, &until);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

enum puan_status puan_ticker_open(struct puan_ticker **out,
                                  const struct puan_tick *ticks, size_t n,
                                  struct puan_err *err)
{
    struct puan_ticker *t = calloc(1, sizeof(*t) + n * sizeof(t->at[0]));
    pthread_condattr_t attr;
    int64_t now = puan_monotonic_ms();

    *out = NULL;
    if (!t)
        return puan_fail(err, PUAN_ENOMEM, "ticker", "out of memory");
    t->n = n;
    for (size_t i = 0; i < n; i++) {
        t->at[i].tick = ticks[i];
        if (t->at[i].tick.every_ms < 10)
            t->at[i].tick.every_ms = 10;
        t->at[i].due = now + t->at[i].tick.every_ms;
    }
    pthread_mutex_init(&t->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&t->wake, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&t->thread, NULL, ticker_main, t) != 0) {
        pthread_mutex_destroy(&t->lock);
        pthread_cond_destroy(&t->wake);
        free(t);
        return puan_fail(err, PUAN_EIO, "ticker", "no more threads");
    }
    *out = t;
    return PUAN_OK;
}

void puan_ticker_close(struct puan_ticker *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->closing = true;
    pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->thread, NULL);
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->wake);
    free(t);
}
