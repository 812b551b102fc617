/*
 * Buckets of addresses; see limit.h.  Never tells one address of another.
 */
#include "features/host/limit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SOURCES 4096

struct source {
    uint64_t peer;
    int64_t last;
    int64_t tokens; /* in thousandths */
};

struct puan_limit {
    pthread_mutex_t lock;
    int64_t burst, refill_ms;
    struct source at[SOURCES];
};

struct puan_limit *puan_limit_open(int64_t burst, int64_t refill_ms)
{
    struct puan_limit *l = calloc(1, sizeof(*l));

    if (l) {
        pthread_mutex_init(&l->lock, NULL);
        l->burst = burst;
        l->refill_ms = refill_ms;
    }
    return l;
}

void puan_limit_close(struct puan_limit *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static uint64_t fnv(const void *p, size_t n)
{
    const unsigned char *b = p;
    uint64_t h = 1469598103934665603u;

    for (size_t i = 0; i < n; i++)
        h = (h ^ b[i]) * 1099511628211u;
    return h ? h : 1;
}

uint64_t puan_peer_hash(const char *peer)
{
    struct in6_addr v6;

    if (inet_pton(AF_INET6, peer, &v6) == 1 && !IN6_IS_ADDR_V4MAPPED(&v6))
        return fnv(&v6, 8);
    return fnv(peer, strlen(peer));
}

bool puan_limit_take(struct puan_limit *l, const char *peer, int64_t now_ms)
{
    uint64_t h = puan_peer_hash(peer);
    struct source *s;
    bool has;

    pthread_mutex_lock(&l->lock);
    s = &l->at[(h ^ h >> 32) % SOURCES];
    if (s->peer != h)
        *s = (struct source){ h, now_ms, l->burst * 1000 };
    if (now_ms > s->last) {
        int64_t more = (now_ms - s->last) / l->refill_ms;

        /* a long rest fills it; no product can run over */
        s->tokens = more >= l->burst
                        ? l->burst * 1000
                        : s->tokens +
                              (now_ms - s->last) * 1000 / l->refill_ms;
        if (s->tokens > l->burst * 1000)
            s->tokens = l->burst * 1000;
        s->last = now_ms;
    }
    has = s->tokens >= 1000;
    if (has)
        s->tokens -= 1000;
    pthread_mutex_unlock(&l->lock);
    return has;
}
