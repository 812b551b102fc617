/*
 * What the server costs before any feature works: requests a second of an
 * empty route, of one with a session, of signing in; and the session check
 * alone.  Client and server share the machine.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "features/host/host.h"
#include "kit/crypto/crypto.h"
#include "kit/http/client.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"
#include "row.h"

#define THREADS 2
#define CONNECTIONS 16 /* a thread */
#define ROUNDS 3000

struct load {
    pthread_t thread;
    const char *address;
    struct puan_http_call call;
    unsigned want;
    uint64_t good;
};

static void *drive(void *arg)
{
    struct load *l = arg;
    struct puan_http_client *c[CONNECTIONS];
    struct puan_http_reply r;

    for (int i = 0; i < CONNECTIONS; i++)
        if (puan_http_client_open(&c[i], l->address, NULL) != PUAN_OK)
            return NULL;
    for (int k = 0; k < ROUNDS; k++) {
        for (int i = 0; i < CONNECTIONS; i++)
            if (puan_http_send(c[i], &l->call, NULL) != PUAN_OK)
                return NULL;
        for (int i = 0; i < CONNECTIONS; i++)
            if (puan_http_receive(&r, c[i], NULL) == PUAN_OK &&
                r.status == l->want)
                l->good++;
    }
    for (int i = 0; i < CONNECTIONS; i++)
        puan_http_client_close(c[i]);
    return NULL;
}

/* Requests a second, or 0 when one was answered otherwise. */
static double rate(const char *address, const char *method, const char *path,
                   const char *token, const char *body, unsigned want)
{
    struct load l[THREADS];
    int64_t began = puan_os_mono_ns();
    uint64_t good = 0;

    for (int i = 0; i < THREADS; i++) {
        l[i] = (struct load){ .address = address, .want = want };
        l[i].call.method = method;
        l[i].call.path = path;
        l[i].call.token = token;
        l[i].call.body = puan_str_of(body);
        if (pthread_create(&l[i].thread, NULL, drive, &l[i]) != 0)
            exit(5);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(l[i].thread, NULL);
        good += l[i].good;
    }
    if (good != (uint64_t)THREADS * CONNECTIONS * ROUNDS)
        return 0;
    return (double)good * 1e9 / (double)(puan_os_mono_ns() - began);
}

int main(void)
{
    struct puan_store_options so = { 0 };
    struct puan_host_options ho = { .listen = "127.0.0.1:0", .quiet = true };
    struct puan_who who = { .credential = PUAN_CRED_DEVICE, .account = 1,
                            .role = 5, .name = "bench" };
    const struct puan_digest_fn *fn = puan_digest_sha256();
    struct puan_store *store;
    struct puan_host *host;
    struct puan_arena a;
    struct puan_err err = { 0 };
    const char *temp, *dir;
    char token[PUAN_TOKEN_TEXT];
    uint8_t out[PUAN_DIGEST_SIZE];
    double empty, with, login, find, mac;
    int64_t began;
    struct puan_str t;

    setenv("PUAN_LOG", "off", 1);
    puan_arena_init(&a, &puan_heap);
    if (puan_dir_temp(&temp, &a, &err) != PUAN_OK)
        return 5;
    dir = puan_arena_fmt(&a, "%s/census", temp);
    if (puan_store_create(dir, "demo", "test/packs/host-test", "sm", &so,
                          &err) != PUAN_OK ||
        puan_store_open(&store, dir, &so, &err) != PUAN_OK ||
        puan_host_start(&host, store, puan_features, &ho, &err) != PUAN_OK) {
        fprintf(stderr, "bench http: %s: %s\n", err.where, err.text);
        return 5;
    }
    for (int i = 0; i < 100000; i++)
        if (puan_session_open(token, puan_host_sessions(host), &who,
                              puan_real_now(), 3600000,
                              puan_real_now() + 3600000, &err) != PUAN_OK)
            return 5;
    t = puan_str_of(token);
    empty = rate(puan_host_address(host), "GET", "/healthz", NULL, "", 200);
    with = rate(puan_host_address(host), "GET",
                "/api/v1/c/host-test/session", token, "", 200);
    login = rate(puan_host_address(host), "POST",
                 "/api/v1/c/host-test/logout", NULL, "{}", 401);
    began = puan_os_mono_ns();
    for (int i = 0; i < 1000000; i++)
        if (!puan_session_find(&who, puan_host_sessions(host), t,
                               puan_real_now()))
            return 5;
    find = (double)(puan_os_mono_ns() - began) / 1e6;
    began = puan_os_mono_ns();
    for (int i = 0; i < 1000000; i++)
        fn->mac(fn->ctx, out, t, &t, 1);
    mac = (double)(puan_os_mono_ns() - began) / 1e6;
    bench_row("http.empty", empty, "req/s", "", 1, "", -1);
    bench_row("http.session", with, "req/s", "http.empty", with / empty, "", -1);
    bench_row("http.refused", login, "req/s", "http.empty", login / empty, "", -1);
    bench_row("session.find", find, "ns", "one HMAC-SHA-256", find / mac, "", -1);
    puan_host_stop(host);
    puan_store_close(store);
    if (puan_dir_remove(temp, &err) != PUAN_OK)
        fprintf(stderr, "bench http: %s stays\n", temp);
    puan_arena_clear(&a);
    return empty > 0 && with > 0 && login > 0 ? 0 : 1;
}
