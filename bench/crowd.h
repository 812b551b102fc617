/*
 * Many clients of one server in one thread, for measures: each is a script
 * that asks, gets its answer, waits and goes on, over a line of its own, from
 * an address of its own (127.0.0.0/8), and the line may break.
 *
 * A time counts from when the client wanted to send, connecting included, to
 * the last byte of the answer, so that a slow server is not excused by clients
 * that wait for it.
 *
 * Test code: never part of the product.
 */
#ifndef PUAN_BENCH_CROWD_H
#define PUAN_BENCH_CROWD_H

#include "base/text.h"

struct crowd;
struct crowd_actor;

struct crowd_reply {
    unsigned status; /* 0: the line broke, the request may have been done */
    struct puan_str body, head;
};

struct crowd_line {
    int fd; /* -1: closed */
    char *out, *in;
    size_t out_n, out_at, out_cap, in_n, in_cap;
    bool connecting;
};

/* One client; the first member of what a script needs besides. */
struct crowd_actor {
    /* `r` NULL: what it waited for has passed. */
    void (*step)(struct crowd_actor *a, const struct crowd_reply *r);
    struct crowd *crowd;
    uint32_t number; /* its address */
    /* the crowd's own */
    struct crowd_line line;
    unsigned kind;
    int64_t due_ns, began_ns;
    int fate;
    bool asks, again, done;
};

struct crowd_ask {
    unsigned kind; /* place in the names given to crowd_open */
    const char *method, *path;
    const char *token;   /* or NULL */
    const char *headers; /* lines ended by CRLF, or NULL */
    const char *type;    /* NULL: application/json */
    struct puan_str body;
};

struct crowd_times {
    float *ms; /* of each answer, in no order */
    size_t n, cap;
    unsigned refused; /* answers of 400 and above */
    unsigned faults;  /* of 500 and above, and silence */
    unsigned broken;
};

struct crowd {
    const char *address; /* "127.0.0.1:8020" */
    unsigned breaks;     /* of 1,000 requests, how many lose their line */
    uint64_t random;
    struct crowd_times *times; /* by kind */
    struct crowd_times late;   /* how late this program itself was */
    size_t n_kinds;
    size_t alive;
    /* its own */
    int epoll;
    struct crowd_actor **heap;
    size_t n_heap, cap_heap;
    int64_t now_ns; /* of the event under way: when it was due */
};

/* False without memory or descriptors. */
bool crowd_open(struct crowd *c, const char *address, size_t n_kinds,
                uint64_t seed);
void crowd_close(struct crowd *c);
uint64_t crowd_random(struct crowd *c, uint64_t below);

/* Begins after `ms`. */
void crowd_add(struct crowd *c, struct crowd_actor *a, int64_t ms);
/* One of these three is the last thing a step does. */
void crowd_later(struct crowd_actor *a, int64_t ms);
void crowd_ask(struct crowd_actor *a, const struct crowd_ask *ask);
void crowd_done(struct crowd_actor *a);

/*
 * Runs until all are done or `ms` have passed.  `each` is called once a
 * second, or NULL.
 */
void crowd_run(struct crowd *c, int64_t ms, void (*each)(void *arg),
               void *arg);

/* The p-th percentile; sorts. */
double crowd_percentile(struct crowd_times *t, unsigned p);

#endif
