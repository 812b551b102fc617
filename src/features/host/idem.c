/*
 * Answers remembered by Idempotency-Key: the last few thousand, in memory.
 * A restart forgets them; returns have their own key that is never forgotten
 * (contract 1).
 */
#include <pthread.h>
#include <stdlib.h>

#include "features/host/internal.h"

#define SLOTS 4096
#define PROBES 8
#define MAX_KEPT 65536
#define MAX_ALL ((size_t)16 << 20) /* of all answers kept */

enum state { EMPTY, RUNNING, DONE };

struct slot {
    enum state state;
    uint8_t key[PUAN_DIGEST_SIZE], body[PUAN_DIGEST_SIZE];
    unsigned status;
    const char *type; /* a literal */
    char *p;
    size_t n;
    uint64_t age;
};

struct puan_idem {
    pthread_mutex_t lock;
    uint64_t clock;
    size_t kept; /* bytes */
    struct slot slot[SLOTS];
};

struct puan_idem *puan_idem_open(void)
{
    struct puan_idem *m = calloc(1, sizeof(*m));

    if (m)
        pthread_mutex_init(&m->lock, NULL);
    return m;
}

void puan_idem_close(struct puan_idem *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        free(m->slot[i].p);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* The key's slot; else, when `make`, an empty one or the oldest finished. */
static struct slot *find(struct puan_idem *m, const uint8_t *key, bool make)
{
    size_t h = ((size_t)key[0] | (size_t)key[1] << 8) % SLOTS;
    struct slot *spare = NULL;

    for (size_t i = 0; i < PROBES; i++) {
        struct slot *s = &m->slot[(h + i) % SLOTS];

        if (s->state != EMPTY && memcmp(s->key, key, PUAN_DIGEST_SIZE) == 0)
            return s;
        if (s->state == EMPTY) {
            if (!spare || spare->state != EMPTY)
                spare = s;
        } else if (s->state == DONE &&
                   (!spare ||
                    (spare->state == DONE && s->age < spare->age))) {
            spare = s;
        }
    }
    return make ? spare : NULL;
}

enum puan_idem_verdict puan_idem_begin(struct puan_idem *m,
                                       const uint8_t key[PUAN_DIGEST_SIZE],
                                       const uint8_t body[PUAN_DIGEST_SIZE],
                                       struct puan_http *x)
{
    enum puan_idem_verdict v = PUAN_IDEM_NEW;
    struct slot *s;

    pthread_mutex_lock(&m->lock);
    s = find(m, key, false);
    if (s) {
        if (memcmp(s->body, body, PUAN_DIGEST_SIZE) != 0) {
            v = PUAN_IDEM_OTHER;
        } else if (s->state == RUNNING) {
            v = PUAN_IDEM_BUSY;
        } else {
            v = PUAN_IDEM_REPLAY;
            x->status = s->status;
            x->content_type = s->type;
            x->out.n = 0;
            puan_out_bytes(&x->out, s->p, s->n);
            puan_http_answer_header(x, "Idempotency-Replayed", "true");
        }
    } else if ((s = find(m, key, true)) != NULL) {
        m->kept -= s->n;
        free(s->p);
        memset(s, 0, sizeof(*s));
        s->state = RUNNING;
        memcpy(s->key, key, PUAN_DIGEST_SIZE);
        memcpy(s->body, body, PUAN_DIGEST_SIZE);
    }
    pthread_mutex_unlock(&m->lock);
    return v;
}

/* Forgets the oldest answers until `n` more bytes fit. */
static void make_room(struct puan_idem *m, size_t n)
{
    while (m->kept + n > MAX_ALL) {
        struct slot *oldest = NULL;

        for (size_t i = 0; i < SLOTS; i++)
            if (m->slot[i].state == DONE && m->slot[i].n &&
                (!oldest || m->slot[i].age < oldest->age))
                oldest = &m->slot[i];
        if (!oldest)
            return;
        m->kept -= oldest->n;
        free(oldest->p);
        memset(oldest, 0, sizeof(*oldest));
    }
}

void puan_idem_keep(struct puan_idem *m, const uint8_t key[PUAN_DIGEST_SIZE],
                    const struct puan_http *x)
{
    struct slot *s;

    pthread_mutex_lock(&m->lock);
    s = find(m, key, false);
    if (s && s->state == RUNNING) {
        char *p = x->out.n <= MAX_KEPT ? malloc(x->out.n + 1) : NULL;

        if (p) {
            make_room(m, x->out.n);
            m->kept += x->out.n;
            if (x->out.n)
                memcpy(p, x->out.p, x->out.n);
            s->p = p;
            s->n = x->out.n;
            s->status = x->status;
            s->type = x->content_type;
            s->state = DONE;
            s->age = ++m->clock;
        } else {
            s->state = EMPTY;
        }
    }
    pthread_mutex_unlock(&m->lock);
}

void puan_idem_drop(struct puan_idem *m, const uint8_t key[PUAN_DIGEST_SIZE])
{
    struct slot *s;

    pthread_mutex_lock(&m->lock);
    s = find(m, key, false);
    if (s && s->state == RUNNING)
        s->state = EMPTY;
    pthread_mutex_unlock(&m->lock);
}
