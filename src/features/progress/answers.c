/*
 * Answers kept for a second: ten boards of one area cost one.
 *
 * Never keeps what depends on the person: the key says everything an answer
 * depends on.
 */
#include "features/progress/internal.h"

#include <pthread.h>
#include <stdlib.h>

#include "kit/http/http.h"
#include "kit/os/os.h"

#define PLACES 256
#define KEEP_NS INT64_C(1000000000)

struct kept {
    char *key, *json;
    size_t n;
    int64_t made_ns;
    bool making;
};

struct puan_answers {
    pthread_mutex_t lock;
    pthread_cond_t made;
    struct kept place[PLACES];
};

struct puan_answers *puan_answers_open(void)
{
    struct puan_answers *a = calloc(1, sizeof(*a));

    if (a) {
        pthread_mutex_init(&a->lock, NULL);
        pthread_cond_init(&a->made, NULL);
    }
    return a;
}

void puan_answers_close(struct puan_answers *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < PLACES; i++) {
        free(a->place[i].key);
        free(a->place[i].json);
    }
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->made);
    free(a);
}

static uint64_t fnv(uint64_t h, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ (uint8_t)p[i]) * UINT64_C(1099511628211);
    return h;
}

#define FNV UINT64_C(14695981039346656037)

static void etag_of(char out[24], const struct puan_request *rq,
                    struct puan_str key, uint64_t version)
{
    puan_format(out, 24, "\"%llx\"",
                (unsigned long long)(fnv(FNV ^ version, key.p, key.n) ^
                                     (uint64_t)(rq->now / 60000)));
}

bool puan_unchanged(struct puan_request *rq, struct puan_str key,
                    uint64_t version)
{
    char etag[24];

    etag_of(etag, rq, key, version);
    if (!puan_str_is(rq->http->header[PUAN_H_IF_NONE_MATCH], etag))
        return false;
    puan_answer_bytes(rq, 304, NULL, PUAN_STR(""));
    puan_answer_header(rq, "ETag", etag);
    return true;
}

void puan_give(struct puan_request *rq, struct puan_str json,
               struct puan_str key, uint64_t version)
{
    char etag[24];

    etag_of(etag, rq, key, version);
    puan_answer_json(rq, 200, json);
    puan_answer_header(rq, "ETag", etag);
}

enum puan_status puan_kept(struct puan_str *out, struct puan_request *rq,
                           const void *in, struct puan_str key,
                           puan_make_fn make, struct puan_err *err)
{
    struct puan_answers *a = puan_work_answers(rq->store);
    struct kept *k = &a->place[fnv(FNV, key.p, key.n) % PLACES];
    struct puan_out o;
    struct puan_str json;
    enum puan_status st;

    *out = PUAN_STR("");
    pthread_mutex_lock(&a->lock);
    for (;;) {
        bool ours = k->key && puan_str_is(key, k->key);

        if (ours && k->json && puan_os_mono_ns() - k->made_ns < KEEP_NS) {
            *out = puan_arena_keep(rq->arena,
                                   (struct puan_str){ k->json, k->n });
            pthread_mutex_unlock(&a->lock);
            return puan_arena_check(rq->arena, err);
        }
        if (!ours || !k->making)
            break;
        pthread_cond_wait(&a->made, &a->lock); /* somebody is at it */
    }
    if (!k->making) {
        free(k->key);
        free(k->json);
        k->json = NULL;
        k->key = malloc(key.n + 1);
        if (k->key) {
            memcpy(k->key, key.p, key.n);
            k->key[key.n] = 0;
            k->making = true;
        }
    } else {
        k = NULL; /* another question has this place: ours is not kept */
    }
    pthread_mutex_unlock(&a->lock);

    puan_out_init(&o, rq->arena);
    st = make(&o, rq, in, err);
    json = puan_out_view(&o);
    if (k) {
        pthread_mutex_lock(&a->lock);
        k->making = false;
        if (st == PUAN_OK && !rq->answered && (k->json = malloc(json.n + 1))) {
            memcpy(k->json, json.p, json.n);
            k->n = json.n;
            k->made_ns = puan_os_mono_ns();
        }
        pthread_cond_broadcast(&a->made);
        pthread_mutex_unlock(&a->lock);
    }
    if (st == PUAN_OK && !rq->answered)
        *out = json;
    return st;
}

enum puan_status puan_answer_kept(struct puan_request *rq, const void *in,
                                  struct puan_str key, uint64_t version,
                                  puan_make_fn make, struct puan_err *err)
{
    struct puan_str json;
    enum puan_status st;

    if (puan_unchanged(rq, key, version))
        return PUAN_OK;
    st = puan_kept(&json, rq, in, key, make, err);
    if (st == PUAN_OK && !rq->answered)
        puan_give(rq, json, key, version);
    return st;
}
