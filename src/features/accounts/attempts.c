/*
 * Failed attempts to sign in, in memory: how many in a row for a name, how
 * fast from a source.  Names are 64-bit keyed hashes, so unknown names are
 * treated exactly as known ones.  Bounded: the oldest entry of a set gives way.
 */
#include <stdlib.h>

#include "features/accounts/internal.h"
#include "features/host/limit.h"

#define SETS 8192
#define WAYS 8
#define SOURCES 1024
#define SOURCE_BURST 60         /* failures a source may have at once */
#define SOURCE_REFILL_MS 1000   /* one more a second */

struct failed {
    uint64_t name;
    int64_t last, until;
    int count;
};

struct source {
    uint64_t peer;
    int64_t last;
    int64_t tokens; /* in thousandths */
};

struct attempts {
    pthread_mutex_t lock;
    struct failed set[SETS][WAYS];
    struct source source[SOURCES];
};

struct attempts *attempts_open(void)
{
    struct attempts *a = calloc(1, sizeof(*a));

    if (a)
        pthread_mutex_init(&a->lock, NULL);
    return a;
}

void attempts_close(struct attempts *a)
{
    if (!a)
        return;
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static struct failed *find(struct attempts *a, uint64_t name, bool make)
{
    struct failed *set = a->set[name % SETS], *oldest = &set[0];

    for (int i = 0; i < WAYS; i++) {
        if (set[i].name == name)
            return &set[i];
        if (set[i].last < oldest->last)
            oldest = &set[i];
    }
    if (!make)
        return NULL;
    *oldest = (struct failed){ .name = name };
    return oldest;
}

static struct source *source_of(struct attempts *a, const char *peer,
                                int64_t now)
{
    uint64_t h = puan_peer_hash(peer);
    struct source *s = &a->source[h % SOURCES];

    if (s->peer != h)
        *s = (struct source){ h, now, SOURCE_BURST * 1000 };
    if (now > s->last) {
        s->tokens += (now - s->last) * 1000 / SOURCE_REFILL_MS;
        if (s->tokens > SOURCE_BURST * 1000)
            s->tokens = SOURCE_BURST * 1000;
        s->last = now;
    }
    return s;
}

int64_t attempts_wait(struct attempts *a, uint64_t name, const char *peer,
                      int64_t now)
{
    int64_t wait = 0;
    struct failed *f;
    struct source *s;

    pthread_mutex_lock(&a->lock);
    f = find(a, name, false);
    if (f && f->until > now)
        wait = f->until - now;
    s = peer ? source_of(a, peer, now) : NULL;
    if (s && s->tokens < 1000 && wait < SOURCE_REFILL_MS)
        wait = SOURCE_REFILL_MS;
    pthread_mutex_unlock(&a->lock);
    return wait;
}

bool attempts_failed(struct attempts *a, uint64_t name, const char *peer,
                     int64_t now, int limit, int64_t lock_ms)
{
    struct failed *f;
    bool locks = false;

    pthread_mutex_lock(&a->lock);
    if (peer)
        source_of(a, peer, now)->tokens -= 1000;
    f = find(a, name, true);
    if (f->until && f->until <= now) {
        f->count = 0; /* the lock has run out: begin again */
        f->until = 0;
    }
    f->last = now;
    f->count++;
    if (f->count >= limit && !f->until) {
        f->until = now + lock_ms;
        locks = true;
    }
    pthread_mutex_unlock(&a->lock);
    return locks;
}

void attempts_clear(struct attempts *a, uint64_t name)
{
    struct failed *f;

    pthread_mutex_lock(&a->lock);
    f = find(a, name, false);
    if (f)
        *f = (struct failed){ 0 };
    pthread_mutex_unlock(&a->lock);
}
