/*
 * The host with routes of its own: waiting requests, Idempotency-Key, cookies,
 * versions, a full stop while requests are under way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "features/host/host.h"
#include "kit/http/client.h"
#include "kit/job/job.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

static struct puan_arena arena;
static struct puan_store *store;
static struct puan_host *host;
static struct puan_pool *later_pool;
static _Atomic int counted, slow_done;

/* ---- a feature of the test --------------------------------------------------- */

struct count_in {
    int64_t by;
};
static const struct puan_param count_params[] = {
    { "by", PUAN_PARAM_INT, offsetof(struct count_in, by), 1, 1000, false },
};

static enum puan_status count(struct puan_request *rq, const void *in,
                              struct puan_err *err)
{
    const struct count_in *p = in;
    struct puan_jw *w;

    (void)err;
    if (p->by == 666)
        return PUAN_EIO;
    if (p->by == 500)
        nanosleep(&(struct timespec){ 0, 300000000 }, NULL);
    w = puan_answer_begin(rq, 201);
    puan_jw_map(w);
    puan_jw_kint(w, "now",
                 atomic_fetch_add(&counted, (int)p->by) + (int)p->by);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static enum puan_status version(struct puan_request *rq, const void *in,
                                struct puan_err *err)
{
    int64_t v;
    enum puan_status st = puan_request_if_match(&v, rq, err);

    (void)in;
    if (st != PUAN_OK)
        return st;
    if (v != 7)
        return puan_fail(err, PUAN_ECONFLICT, "thing", "has changed");
    puan_answer_etag(rq, 8);
    puan_answer_empty(rq);
    return PUAN_OK;
}

static void wake(void *arg)
{
    struct puan_request *rq = arg;
    struct puan_jw *w = puan_answer_begin(rq, 200);

    puan_jw_map(w);
    puan_jw_kstr(w, "body", rq->body);
    puan_jw_end(w, '}');
    puan_request_resume(rq, PUAN_OK, NULL);
}

static enum puan_status wait_direct(struct puan_request *rq, const void *in,
                                    struct puan_err *err)
{
    (void)in;
    puan_request_suspend(rq);
    if (puan_pool_run(later_pool, wake, rq) != PUAN_OK)
        return puan_fail(err, PUAN_EBUG, "pool", "is full");
    return PUAN_OK;
}

static enum puan_status slow(struct puan_request *rq, const void *in,
                             struct puan_err *err)
{
    (void)in;
    (void)err;
    nanosleep(&(struct timespec){ 0, 300000000 }, NULL);
    atomic_fetch_add(&slow_done, 1);
    puan_answer_json(rq, 200, PUAN_STR("{}"));
    return PUAN_OK;
}

/* Costly, and done only when the test lets it go. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int costly_now, costly_most, costly_done;

static enum puan_status costly(struct puan_request *rq, const void *in,
                               struct puan_err *err)
{
    int now;

    (void)in;
    (void)err;
    if (!puan_request_costly(rq))
        return PUAN_OK;
    now = atomic_fetch_add(&costly_now, 1) + 1;
    if (now > atomic_load(&costly_most))
        atomic_store(&costly_most, now);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    atomic_fetch_sub(&costly_now, 1);
    atomic_fetch_add(&costly_done, 1);
    puan_answer_json(rq, 200, PUAN_STR("{}"));
    return PUAN_OK;
}

static const struct puan_route routes[] = {
    { PUAN_POST, "/c/{campaign}/count", "", PUAN_SCOPE_SESSION, "test.count",
      "Counts", count, PUAN_PARAMS(count_params, struct count_in) },
    { PUAN_PUT, "/c/{campaign}/thing", "", PUAN_SCOPE_SESSION, "test.put",
      "Wants a version", version },
    { PUAN_POST, "/c/{campaign}/wait", "", PUAN_SCOPE_PUBLIC, "",
      "Waits in the event loop", wait_direct, .raw_body = true,
      .direct = true },
    { PUAN_POST, "/c/{campaign}/wait-pooled", "", PUAN_SCOPE_PUBLIC, "",
      "Waits from a pool thread", wait_direct, .raw_body = true },
    { PUAN_GET, "/c/{campaign}/slow", "", PUAN_SCOPE_PUBLIC, "", "Slow", slow },
    { PUAN_GET, "/c/{campaign}/costly", "", PUAN_SCOPE_PUBLIC, "",
      "Keeps a processor busy", costly },
};
static const struct puan_feature test_feature = {
    .name = "test", .routes = routes, .n_routes = PUAN_COUNT(routes)
};
static const struct puan_feature *const features[] = { &puan_feature_host,
                                                       &test_feature, NULL };

static int open_all(void **state)
{
    struct puan_store_options so = { 0 };
    struct puan_host_options ho = { .listen = "127.0.0.1:0", .workers = 4,
                                    .loops = 2, .quiet = true };
    struct puan_err err = { 0 };
    const char *temp, *dir;

    (void)state;
    setenv("PUAN_LOG", "off", 1);
    puan_arena_init(&arena, &puan_heap);
    if (puan_dir_temp(&temp, &arena, &err) != PUAN_OK)
        return 1;
    dir = puan_arena_fmt(&arena, "%s/census", temp);
    if (puan_pool_open(&later_pool, 2, 1000, &err) != PUAN_OK ||
        puan_store_create(dir, "demo", "test/packs/host-test", "sm", &so,
                          &err) != PUAN_OK ||
        puan_store_open(&store, dir, &so, &err) != PUAN_OK ||
        puan_host_start(&host, store, features, &ho, &err) != PUAN_OK)
        fail_msg("%s: %s", err.where, err.text);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    puan_host_stop(host);
    puan_store_close(store);
    puan_pool_close(later_pool);
    puan_arena_clear(&arena);
    return 0;
}

static const char *token(void)
{
    struct puan_who who = { .credential = PUAN_CRED_HUMAN, .account = 1,
                            .seat = 1, .role = 0, .name = "t" };
    char text[PUAN_TOKEN_TEXT];

    assert_int_equal(puan_session_open(text, puan_host_sessions(host), &who,
                                       puan_real_now(), 60000,
                                       puan_real_now() + 60000, NULL),
                     PUAN_OK);
    return puan_arena_dup(&arena, puan_str_of(text));
}

static struct puan_http_reply reply;

static unsigned call(struct puan_http_client *c, const char *method,
                     const char *path, const char *tok, const char *headers,
                     const char *body)
{
    struct puan_err err = { 0 };
    struct puan_http_call k = { .method = method,
                                .path = puan_arena_fmt(
                                    &arena, "/api/v1/c/host-test%s", path),
                                .token = tok,
                                .headers = headers,
                                .body = puan_str_of(body) };

    if (puan_http_call(&reply, c, &k, &err) != PUAN_OK)
        fail_msg("%s: %s", path, err.text);
    return reply.status;
}

static struct puan_http_client *client(void)
{
    struct puan_http_client *c;

    assert_int_equal(puan_http_client_open(&c, puan_host_address(host), NULL),
                     PUAN_OK);
    return c;
}

/* ---- tests --------------------------------------------------------------------- */

static void a_key_is_done_once(void **state)
{
    struct puan_http_client *c = client();
    const char *t = token(), *other;
    struct puan_who who = { .credential = PUAN_CRED_HUMAN, .account = 2,
                            .seat = 2, .role = 0, .name = "u" };
    char text[PUAN_TOKEN_TEXT];

    (void)state;
    atomic_store(&counted, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(call(c, "POST", "/count", t,
                              "Idempotency-Key: k1\r\n", "{\"by\":5}"),
                         201);
        assert_true(puan_str_is(reply.body, "{\"now\":5}"));
        assert_int_equal(
            puan_http_reply_header(&reply, "Idempotency-Replayed").n > 0,
            i > 0);
    }
    assert_int_equal(call(c, "POST", "/count", t, "Idempotency-Key: k1\r\n",
                          "{\"by\":6}"),
                     409);
    assert_int_equal(atomic_load(&counted), 5);
    /* another account's key is another key */
    assert_int_equal(puan_session_open(text, puan_host_sessions(host), &who,
                                       puan_real_now(), 60000,
                                       puan_real_now() + 60000, NULL),
                     PUAN_OK);
    other = puan_arena_dup(&arena, puan_str_of(text));
    assert_int_equal(call(c, "POST", "/count", other, "Idempotency-Key: k1\r\n",
                          "{\"by\":6}"),
                     201);
    assert_int_equal(atomic_load(&counted), 11);
    /* a failure of ours is not remembered */
    assert_int_equal(call(c, "POST", "/count", t, "Idempotency-Key: k2\r\n",
                          "{\"by\":666}"),
                     503);
    assert_int_equal(call(c, "POST", "/count", t, "Idempotency-Key: k2\r\n",
                          "{\"by\":1}"),
                     201);
    puan_http_client_close(c);
}

static void *slow_count(void *arg)
{
    struct puan_http_client *c = client();
    struct puan_http_reply r;
    struct puan_http_call k = { .method = "POST",
                                .path = "/api/v1/c/host-test/count",
                                .token = arg,
                                .headers = "Idempotency-Key: race\r\n",
                                .body = PUAN_STR("{\"by\":500}") };
    unsigned status = 0;

    if (puan_http_call(&r, c, &k, NULL) == PUAN_OK)
        status = r.status;
    puan_http_client_close(c);
    return (void *)(uintptr_t)status;
}

static void two_at_once_with_one_key_count_once(void **state)
{
    pthread_t a, b;
    void *ra, *rb;
    const char *t = token();
    union {
        const char *in;
        void *out;
    } u = { t };

    (void)state;
    atomic_store(&counted, 0);
    assert_int_equal(pthread_create(&a, NULL, slow_count, u.out), 0);
    nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
    assert_int_equal(pthread_create(&b, NULL, slow_count, u.out), 0);
    pthread_join(a, &ra);
    pthread_join(b, &rb);
    assert_int_equal((uintptr_t)ra, 201);
    assert_int_equal((uintptr_t)rb, 409);
    assert_int_equal(atomic_load(&counted), 500);
}

static void versions_are_compared(void **state)
{
    struct puan_http_client *c = client();
    const char *t = token();

    (void)state;
    assert_int_equal(call(c, "PUT", "/thing", t, NULL, ""), 400);
    assert_int_equal(call(c, "PUT", "/thing", t, "If-Match: 7\r\n", ""), 400);
    assert_int_equal(call(c, "PUT", "/thing", t, "If-Match: \"6\"\r\n", ""),
                     412);
    assert_int_equal(call(c, "PUT", "/thing", t, "If-Match: \"7\"\r\n", ""),
                     204);
    assert_true(puan_str_is(puan_http_reply_header(&reply, "ETag"), "\"8\""));
    puan_http_client_close(c);
}

static void cookies_write_from_our_own_pages_only(void **state)
{
    struct puan_http_client *c = client();
    const char *cookie =
        puan_arena_fmt(&arena, "Cookie: a=b; puan_session=%s\r\n", token());

    (void)state;
    assert_int_equal(call(c, "POST", "/count", NULL, cookie, "{\"by\":1}"),
                     403);
    assert_int_equal(
        call(c, "POST", "/count", NULL,
             puan_arena_fmt(&arena, "%sOrigin: https://evil.example\r\n",
                            cookie),
             "{\"by\":1}"),
        403);
    assert_int_equal(
        call(c, "POST", "/count", NULL,
             puan_arena_fmt(&arena, "%sSec-Fetch-Site: cross-site\r\n", cookie),
             "{\"by\":1}"),
        403);
    assert_int_equal(
        call(c, "POST", "/count", NULL,
             puan_arena_fmt(&arena, "%sSec-Fetch-Site: same-origin\r\n",
                            cookie),
             "{\"by\":1}"),
        201);
    assert_int_equal(call(c, "POST", "/count", NULL,
                          puan_arena_fmt(&arena, "%sOrigin: http://%s\r\n",
                                         cookie, puan_host_address(host)),
                          "{\"by\":1}"),
                     201);
    puan_http_client_close(c);
}

static void *many_waits(void *arg)
{
    struct puan_http_client *c = client();
    struct puan_http_reply r;
    const char *path = arg;
    uintptr_t good = 0;

    for (int i = 0; i < 300; i++) {
        struct puan_http_call k = { .method = "POST",
                                    .path = path,
                                    .body = PUAN_STR("hello") };

        if (puan_http_call(&r, c, &k, NULL) == PUAN_OK && r.status == 200 &&
            puan_str_is(r.body, "{\"body\":\"hello\"}"))
            good++;
    }
    puan_http_client_close(c);
    return (void *)good;
}

static void waiting_requests_are_all_answered(void **state)
{
    static char direct[] = "/api/v1/c/host-test/wait";
    static char pooled[] = "/api/v1/c/host-test/wait-pooled";
    pthread_t t[8];

    (void)state;
    for (int i = 0; i < 8; i++)
        assert_int_equal(
            pthread_create(&t[i], NULL, many_waits, i % 2 ? direct : pooled),
            0);
    for (int i = 0; i < 8; i++) {
        void *good;

        pthread_join(t[i], &good);
        assert_int_equal((uintptr_t)good, 300);
    }
}

/* Forty of them fill their own threads; everybody else is answered. */
static void nobody_waits_behind_costly_work(void **state)
{
    struct puan_http_client *many[40], *one;
    struct puan_http_call c = { .method = "GET", .path = "/api/v1/c/host-test/costly" };
    struct puan_http_call q = { .method = "POST", .path = "/api/v1/c/host-test/"
                                        "wait-pooled",
                                .body = PUAN_STR("x") };
    struct puan_http_reply r;
    struct puan_err err = { 0 };

    (void)state;
    pthread_mutex_lock(&gate);
    for (size_t i = 0; i < PUAN_COUNT(many); i++) {
        assert_int_equal(puan_http_client_open(&many[i],
                                               puan_host_address(host), &err),
                         PUAN_OK);
        assert_int_equal(puan_http_send(many[i], &c, &err), PUAN_OK);
    }
    while (atomic_load(&costly_now) == 0)
        nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
    assert_int_equal(puan_http_client_open(&one, puan_host_address(host), &err),
                     PUAN_OK);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(puan_http_call(&r, one, &q, &err), PUAN_OK);
        assert_int_equal(r.status, 200);
    }
    assert_int_equal(atomic_load(&costly_done), 0);
    pthread_mutex_unlock(&gate);
    for (size_t i = 0; i < PUAN_COUNT(many); i++) {
        assert_int_equal(puan_http_receive(&r, many[i], &err), PUAN_OK);
        assert_int_equal(r.status, 200);
        puan_http_client_close(many[i]);
    }
    assert_int_equal(atomic_load(&costly_done), PUAN_COUNT(many));
    assert_in_range(atomic_load(&costly_most), 1, 2);
    puan_http_client_close(one);
}

static void sessions_end(void **state)
{
    struct puan_who who = { .credential = PUAN_CRED_DEVICE, .account = 9,
                            .role = 0, .name = "d" };
    struct puan_sessions *s;
    struct puan_who got;
    char text[3][PUAN_TOKEN_TEXT];
    char extra[PUAN_TOKEN_TEXT];

    (void)state;
    assert_int_equal(puan_sessions_open(&s, 3, NULL), PUAN_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(puan_session_open(text[i], s, &who, 1000, 500, 5000,
                                           NULL),
                         PUAN_OK);
    assert_int_equal(puan_session_open(extra, s, &who, 1000, 500, 5000, NULL),
                     PUAN_EBUSY);
    /* use keeps it alive, idleness ends it, the end comes anyhow */
    assert_true(puan_session_find(&got, s, puan_str_of(text[0]), 1400));
    assert_true(puan_session_find(&got, s, puan_str_of(text[0]), 1800));
    assert_string_equal(got.name, "d");
    assert_false(puan_session_find(&got, s, puan_str_of(text[1]), 1800));
    for (int64_t now = 2200; now < 5000; now += 400)
        assert_true(puan_session_find(&got, s, puan_str_of(text[0]), now));
    assert_false(puan_session_find(&got, s, puan_str_of(text[0]), 5000));
    puan_session_sweep(s, 5000);
    assert_int_equal(puan_session_count(s), 0);
    /* ending an account ends its sessions, and no other's */
    assert_int_equal(puan_session_open(text[0], s, &who, 1000, 500, 5000, NULL),
                     PUAN_OK);
    who.account = 10;
    assert_int_equal(puan_session_open(text[1], s, &who, 1000, 500, 5000, NULL),
                     PUAN_OK);
    assert_int_equal(puan_session_end_account(s, PUAN_CRED_HUMAN, 9, 0), 0);
    assert_int_equal(puan_session_end_account(s, PUAN_CRED_DEVICE, 9, 0), 1);
    assert_true(puan_session_find(&got, s, puan_str_of(text[1]), 1100));
    assert_true(puan_session_end(s, puan_str_of(text[1])));
    assert_false(puan_session_end(s, puan_str_of(text[1])));
    puan_sessions_close(s);
}

/* One credential that signs in without end fills its own place only. */
static void one_account_cannot_take_all_sessions(void **state)
{
    struct puan_who who = { .credential = PUAN_CRED_DEVICE, .account = 1 };
    struct puan_who got;
    struct puan_sessions *s;
    char other[PUAN_TOKEN_TEXT], token[PUAN_TOKEN_TEXT];

    (void)state;
    assert_int_equal(puan_sessions_open(&s, 1000, NULL), PUAN_OK);
    who.account = 2;
    assert_int_equal(puan_session_open(other, s, &who, 1, 500, 5000, NULL),
                     PUAN_OK);
    who.account = 1;
    for (int i = 0; i < 3000; i++)
        assert_int_equal(puan_session_open(token, s, &who, 1, 500, 5000, NULL),
                         PUAN_OK);
    assert_true(puan_session_count(s) <= PUAN_SESSIONS_EACH + 1);
    assert_true(puan_session_find(&got, s, puan_str_of(token), 2));
    assert_true(puan_session_find(&got, s, puan_str_of(other), 2));
    /* what is ended makes room again */
    assert_true(puan_session_end_account(s, PUAN_CRED_DEVICE, 1, 0) > 0);
    assert_int_equal(puan_session_count(s), 1);
    for (int i = 0; i < PUAN_SESSIONS_EACH; i++)
        assert_int_equal(puan_session_open(token, s, &who, 1, 500, 5000, NULL),
                         PUAN_OK);
    assert_int_equal(puan_session_count(s), PUAN_SESSIONS_EACH + 1);
    puan_sessions_close(s);
}

static void *one_slow(void *arg)
{
    struct puan_http_client *c = arg;
    struct puan_http_reply r;
    struct puan_http_call k = { .method = "GET",
                                .path = "/api/v1/c/host-test/slow" };

    return (void *)(uintptr_t)(puan_http_call(&r, c, &k, NULL) == PUAN_OK &&
                               r.status == 200);
}

static void a_stop_finishes_what_is_under_way(void **state)
{
    struct puan_http_client *c = client();
    pthread_t t;
    void *good;

    (void)state;
    atomic_store(&slow_done, 0);
    assert_int_equal(pthread_create(&t, NULL, one_slow, c), 0);
    nanosleep(&(struct timespec){ 0, 100000000 }, NULL);
    puan_host_stop(host);
    host = NULL;
    assert_int_equal(atomic_load(&slow_done), 1);
    pthread_join(t, &good);
    assert_int_equal((uintptr_t)good, 1);
    puan_http_client_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_done_once),
        cmocka_unit_test(two_at_once_with_one_key_count_once),
        cmocka_unit_test(versions_are_compared),
        cmocka_unit_test(cookies_write_from_our_own_pages_only),
        cmocka_unit_test(waiting_requests_are_all_answered),
        cmocka_unit_test(nobody_waits_behind_costly_work),
        cmocka_unit_test(sessions_end),
        cmocka_unit_test(one_account_cannot_take_all_sessions),
        cmocka_unit_test(a_stop_finishes_what_is_under_way),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
