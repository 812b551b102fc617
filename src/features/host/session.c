/*
 * The session table: 64 stripes, each an open hash with its own lock, so that
 * two event loops seldom meet.  Never keeps a token.
 */
#include "features/host/session.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "kit/crypto/crypto.h"
#include "kit/os/os.h"

#define STRIPES 64
#define OWNERS 65536
#define MOST_GATHERED (4 * PUAN_SESSIONS_EACH)

struct session {
    uint8_t key[16]; /* of the token */
    struct session *next;
    struct puan_who who;
    int64_t used, idle_ms, until;
    bool touched; /* somebody has its token */
};

struct stripe {
    pthread_mutex_t lock;
    struct session **bucket;
    size_t n_buckets, n;
};

struct puan_sessions {
    struct stripe stripe[STRIPES];
    uint8_t secret[32];
    const struct puan_digest_fn *fn;
    size_t most;
    _Atomic size_t n;
    _Atomic size_t of[PUAN_CRED_SERVICE + 1]; /* by credential */
    _Atomic int64_t number;
    _Atomic uint32_t owned[OWNERS]; /* sessions by hash of their account */
};

enum puan_status puan_sessions_open(struct puan_sessions **out, size_t most,
                                    struct puan_err *err)
{
    struct puan_sessions *s = calloc(1, sizeof(*s));
    enum puan_status st;

    *out = NULL;
    if (!s)
        return puan_fail(err, PUAN_ENOMEM, "sessions", "out of memory");
    s->fn = puan_digest_sha256();
    s->most = most;
    st = puan_os_random(s->secret, sizeof(s->secret), err);
    for (int i = 0; i < STRIPES; i++) {
        pthread_mutex_init(&s->stripe[i].lock, NULL);
        s->stripe[i].n_buckets = 64;
        s->stripe[i].bucket = calloc(64, sizeof(struct session *));
        if (!s->stripe[i].bucket && st == PUAN_OK)
            st = puan_fail(err, PUAN_ENOMEM, "sessions", "out of memory");
    }
    if (st != PUAN_OK) {
        puan_sessions_close(s);
        return st;
    }
    *out = s;
    return PUAN_OK;
}

static void discard(struct session *x)
{
    puan_os_wipe(x, sizeof(*x));
    free(x);
}

void puan_sessions_close(struct puan_sessions *s)
{
    if (!s)
        return;
    for (int i = 0; i < STRIPES; i++) {
        struct stripe *p = &s->stripe[i];

        for (size_t b = 0; p->bucket && b < p->n_buckets; b++)
            while (p->bucket[b]) {
                struct session *x = p->bucket[b];

                p->bucket[b] = x->next;
                discard(x);
            }
        free(p->bucket);
        pthread_mutex_destroy(&p->lock);
    }
    puan_os_wipe(s->secret, sizeof(s->secret));
    free(s);
}

static void key_of(uint8_t key[16], const struct puan_sessions *s,
                   struct puan_str token)
{
    uint8_t full[PUAN_DIGEST_SIZE];
    struct puan_str secret = { (const char *)s->secret, sizeof(s->secret) };

    s->fn->mac(s->fn->ctx, full, secret, &token, 1);
    memcpy(key, full, 16);
}

static struct stripe *stripe_of(struct puan_sessions *s, const uint8_t key[16])
{
    return &s->stripe[key[0] % STRIPES];
}

static size_t bucket_of(const struct stripe *p, const uint8_t key[16])
{
    uint64_t h;

    memcpy(&h, key + 8, sizeof(h));
    return (size_t)(h % p->n_buckets);
}

static _Atomic uint32_t *owned_by(struct puan_sessions *s,
                                  const struct puan_who *who)
{
    uint64_t h = (uint64_t)who->account * UINT64_C(0x9e3779b97f4a7c15) +
                 (uint64_t)who->credential;

    return &s->owned[h >> 20 & (OWNERS - 1)];
}

static bool over(const struct session *x, int64_t now)
{
    return now >= x->until || now - x->used >= x->idle_ms;
}

/* Doubles a stripe's buckets; without memory it just stays slower. */
static void widen(struct stripe *p)
{
    size_t old = p->n_buckets;
    struct session **was = p->bucket, **b;

    b = calloc(old * 2, sizeof(*b));
    if (!b)
        return;
    p->bucket = b;
    p->n_buckets = old * 2;
    for (size_t i = 0; i < old; i++)
        while (was[i]) {
            struct session *x = was[i];
            size_t k = bucket_of(p, x->key);

            was[i] = x->next;
            x->next = b[k];
            b[k] = x;
        }
    free(was);
}

/* Removes those a test picks; under no lock of the caller's. */
static size_t prune(struct puan_sessions *s,
                    bool (*gone)(const struct session *, const void *),
                    const void *arg)
{
    size_t n = 0;

    for (int i = 0; i < STRIPES; i++) {
        struct stripe *p = &s->stripe[i];

        pthread_mutex_lock(&p->lock);
        for (size_t b = 0; b < p->n_buckets; b++)
            for (struct session **at = &p->bucket[b]; *at;) {
                struct session *x = *at;

                if (!gone(x, arg)) {
                    at = &x->next;
                    continue;
                }
                *at = x->next;
                atomic_fetch_sub(owned_by(s, &x->who), 1);
                atomic_fetch_sub(&s->of[x->who.credential], 1);
                discard(x);
                p->n--;
                atomic_fetch_sub(&s->n, 1);
                n++;
            }
        pthread_mutex_unlock(&p->lock);
    }
    return n;
}

static bool gone_over(const struct session *x, const void *now)
{
    return over(x, *(const int64_t *)now);
}

void puan_session_sweep(struct puan_sessions *s, int64_t now)
{
    prune(s, gone_over, &now);
}

size_t puan_session_count(struct puan_sessions *s)
{
    return atomic_load(&s->n);
}

size_t puan_session_count_of(struct puan_sessions *s,
                             enum puan_credential credential)
{
    return atomic_load(&s->of[credential]);
}

/* One account's sessions, gathered; then those to be ended: below `cut`. */
struct thinning {
    enum puan_credential credential;
    int64_t account, cut;
    size_t n;
    int64_t number[MOST_GATHERED];
};

static bool gather(const struct session *x, const void *arg)
{
    struct thinning *t = (struct thinning *)(uintptr_t)arg;

    if (x->who.credential == t->credential && x->who.account == t->account &&
        t->n < MOST_GATHERED)
        t->number[t->n++] = x->who.session;
    return false;
}

static bool gone_thin(const struct session *x, const void *arg)
{
    const struct thinning *t = arg;

    return x->who.credential == t->credential &&
           x->who.account == t->account && x->who.session < t->cut;
}

static int by_number(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/*
 * Ends the older half of an account's sessions when it has too many: one
 * credential that signs in without end costs itself, not everybody.
 */
static void thin(struct puan_sessions *s, const struct puan_who *who)
{
    struct thinning *t = malloc(sizeof(*t));

    if (!t)
        return;
    t->credential = who->credential;
    t->account = who->account;
    t->n = 0;
    prune(s, gather, t);
    if (t->n >= PUAN_SESSIONS_EACH) {
        qsort(t->number, t->n, sizeof(t->number[0]), by_number);
        t->cut = t->number[t->n - PUAN_SESSIONS_EACH / 2];
        prune(s, gone_thin, t);
    }
    free(t);
}

enum puan_status puan_session_open(char token[PUAN_TOKEN_TEXT],
                                   struct puan_sessions *s,
                                   const struct puan_who *who, int64_t now,
                                   int64_t idle_ms, int64_t until_ms,
                                   struct puan_err *err)
{
    struct session *x;
    struct stripe *p;
    size_t b;
    enum puan_status st;

    if (atomic_load(owned_by(s, who)) >= PUAN_SESSIONS_EACH)
        thin(s, who);
    if (atomic_load(&s->n) >= s->most) {
        puan_session_sweep(s, now);
        if (atomic_load(&s->n) >= s->most)
            return puan_fail(err, PUAN_EBUSY, "session",
                             "too many sessions are open; try again later");
    }
    st = puan_secret_make(token, PUAN_TOKEN_TEXT, 160, err);
    if (st != PUAN_OK)
        return st;
    x = calloc(1, sizeof(*x));
    if (!x)
        return puan_fail(err, PUAN_ENOMEM, "session", "out of memory");
    x->who = *who;
    x->who.session = atomic_fetch_add(&s->number, 1) + 1;
    x->used = now;
    x->idle_ms = idle_ms;
    x->until = until_ms;
    key_of(x->key, s, puan_str_of(token));
    p = stripe_of(s, x->key);
    pthread_mutex_lock(&p->lock);
    if (p->n >= p->n_buckets)
        widen(p);
    b = bucket_of(p, x->key);
    x->next = p->bucket[b];
    p->bucket[b] = x;
    p->n++;
    atomic_fetch_add(owned_by(s, who), 1);
    pthread_mutex_unlock(&p->lock);
    atomic_fetch_add(&s->n, 1);
    atomic_fetch_add(&s->of[who->credential], 1);
    return PUAN_OK;
}

/* The link that points to the session, or NULL; the stripe is locked. */
static struct session **look(struct stripe *p, const uint8_t key[16])
{
    struct session **at = &p->bucket[bucket_of(p, key)];

    while (*at && !puan_equal_const((*at)->key, key, 16))
        at = &(*at)->next;
    return *at ? at : NULL;
}

static bool take(struct puan_who *out, struct puan_sessions *s,
                 struct puan_str token, int64_t now, bool use)
{
    uint8_t key[16];
    struct stripe *p;
    struct session **at;
    bool found = false;

    if (token.n < 16 || token.n >= PUAN_TOKEN_TEXT)
        return false;
    key_of(key, s, token);
    p = stripe_of(s, key);
    pthread_mutex_lock(&p->lock);
    at = look(p, key);
    if (at && !over(*at, now)) {
        if (use) {
            (*at)->used = now;
            (*at)->touched = true;
        }
        *out = (*at)->who;
        found = true;
    }
    pthread_mutex_unlock(&p->lock);
    return found;
}

bool puan_session_find(struct puan_who *out, struct puan_sessions *s,
                       struct puan_str token, int64_t now)
{
    return take(out, s, token, now, true);
}

bool puan_session_peek(struct puan_who *out, struct puan_sessions *s,
                       struct puan_str token, int64_t now)
{
    return take(out, s, token, now, false);
}

void puan_session_factor(struct puan_sessions *s, struct puan_str token,
                         int64_t now)
{
    struct puan_session_key key = puan_session_key(s, token);
    struct stripe *p = stripe_of(s, key.b);
    struct session **at;

    pthread_mutex_lock(&p->lock);
    at = look(p, key.b);
    if (at)
        (*at)->who.factor_ms = now;
    pthread_mutex_unlock(&p->lock);
}

struct puan_session_key puan_session_key(const struct puan_sessions *s,
                                         struct puan_str token)
{
    struct puan_session_key key;

    key_of(key.b, s, token);
    return key;
}

bool puan_session_left(int64_t *idle_ms, int64_t *left_ms,
                       struct puan_sessions *s,
                       const struct puan_session_key *key, int64_t now)
{
    struct stripe *p = stripe_of(s, key->b);
    struct session **at;
    bool found = false;

    pthread_mutex_lock(&p->lock);
    at = look(p, key->b);
    if (at && !over(*at, now)) {
        int64_t left = (*at)->used + (*at)->idle_ms - now;

        found = true;
        if (left > (*at)->until - now)
            left = (*at)->until - now;
        if (idle_ms)
            *idle_ms = (*at)->idle_ms;
        if (left_ms)
            *left_ms = left;
    }
    pthread_mutex_unlock(&p->lock);
    return found;
}

bool puan_session_end(struct puan_sessions *s, struct puan_str token)
{
    uint8_t key[16];
    struct stripe *p;
    struct session **at, *x = NULL;

    key_of(key, s, token);
    p = stripe_of(s, key);
    pthread_mutex_lock(&p->lock);
    at = look(p, key);
    if (at) {
        x = *at;
        *at = x->next;
        p->n--;
    }
    pthread_mutex_unlock(&p->lock);
    if (!x)
        return false;
    atomic_fetch_sub(owned_by(s, &x->who), 1);
    atomic_fetch_sub(&s->of[x->who.credential], 1);
    discard(x);
    atomic_fetch_sub(&s->n, 1);
    return true;
}

struct whose {
    enum puan_credential credential;
    int64_t account, seat;
};

static bool gone_account(const struct session *x, const void *arg)
{
    const struct whose *w = arg;

    return x->who.credential == w->credential &&
           x->who.account == w->account && (!w->seat || x->who.seat == w->seat);
}

size_t puan_session_end_account(struct puan_sessions *s,
                                enum puan_credential credential,
                                int64_t account, int64_t seat)
{
    struct whose w = { credential, account, seat };

    return prune(s, gone_account, &w);
}

static bool gone_untouched(const struct session *x, const void *arg)
{
    return gone_account(x, arg) && !x->touched;
}

/* Without looking at all sessions when none can be its. */
static bool owns_some(struct puan_sessions *s, const struct whose *w)
{
    struct puan_who who = { .credential = w->credential,
                            .account = w->account };

    return atomic_load(owned_by(s, &who)) > 0;
}

bool puan_session_has(struct puan_sessions *s, enum puan_credential credential,
                      int64_t account)
{
    struct thinning t = { .credential = credential, .account = account };
    struct whose w = { credential, account, 0 };

    if (owns_some(s, &w))
        prune(s, gather, &t);
    return t.n > 0;
}

size_t puan_session_end_untouched(struct puan_sessions *s,
                                  enum puan_credential credential,
                                  int64_t account)
{
    struct whose w = { credential, account, 0 };

    return owns_some(s, &w) ? prune(s, gone_untouched, &w) : 0;
}

struct picked {
    bool (*test)(const struct puan_who *, void *);
    void *arg;
};

static bool gone_picked(const struct session *x, const void *arg)
{
    const struct picked *p = arg;

    return p->test(&x->who, p->arg);
}

size_t puan_session_end_if(struct puan_sessions *s,
                           bool (*test)(const struct puan_who *who, void *arg),
                           void *arg)
{
    struct picked p = { test, arg };

    return prune(s, gone_picked, &p);
}
