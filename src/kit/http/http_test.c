/*
 * Tests of the server and the client against each other, and of the requests
 * that the server must refuse before a handler sees them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "kit/http/client.h"
#include "kit/http/http.h"
#include "kit/job/job.h"
#include "kit/os/heap.h"

static struct puan_http_server *server;
static struct puan_pool *pool;
static _Atomic int handled, finished;

static size_t limit(void *ctx, struct puan_http *x)
{
    (void)ctx;
    (void)x;
    return 100000;
}

static void later(void *arg)
{
    struct puan_http *x = arg;

    puan_out_fmt(&x->out, "later %zu", x->body.n);
    x->status = 201;
    puan_http_resume(x);
}

#define MANY 10
static pthread_mutex_t streams_lock = PTHREAD_MUTEX_INITIALIZER;
static struct puan_http_stream *streams[MANY + 1]; /* NULL: none or over */
static int opened, over;

static void closed(void *arg)
{
    pthread_mutex_lock(&streams_lock);
    *(struct puan_http_stream **)arg = NULL;
    over++;
    pthread_mutex_unlock(&streams_lock);
}

static void handle(void *ctx, struct puan_http *x)
{
    (void)ctx;
    atomic_fetch_add(&handled, 1);
    x->content_type = "text/plain";
    if (puan_str_starts(x->target, "/stream")) {
        pthread_mutex_lock(&streams_lock);
        streams[opened] = puan_http_stream_open(x, closed, &streams[opened]);
        if (streams[opened] && !puan_str_is(x->target, "/stream-refused"))
            opened++;
        pthread_mutex_unlock(&streams_lock);
        x->status = puan_str_is(x->target, "/stream-refused") ? 403 : 200;
        return;
    }
    if (puan_str_starts(x->target, "/later")) {
        puan_http_suspend(x);
        while (puan_pool_run(pool, later, x) != PUAN_OK)
            ;
        return;
    }
    x->status = 200;
    if (puan_str_is(x->target, "/peer")) {
        puan_out_text(&x->out, x->peer);
        return;
    }
    puan_http_answer_header(x, "X-Answer", "yes");
    puan_out_fmt(&x->out, "%.*s %zu ", PUAN_FMT(x->target), x->body.n);
    puan_out_str(&x->out, x->body);
}

static void done(void *ctx, struct puan_http *x)
{
    (void)ctx;
    (void)x;
    atomic_fetch_add(&finished, 1);
}

static int start(void **state)
{
    struct puan_http_options o = { .listen = "127.0.0.1:0",
                                   .threads = 2,
                                   .limit = limit,
                                   .handle = handle,
                                   .done = done,
                                   .proxies = "10.9.8.7 127.0.0.1" };

    (void)state;
    return puan_pool_open(&pool, 2, 64, NULL) != PUAN_OK ||
           puan_http_start(&server, &o, NULL) != PUAN_OK;
}

static int stop(void **state)
{
    (void)state;
    puan_http_stop(server);
    puan_pool_close(pool);
    return 0;
}

static struct puan_http_client *client(void)
{
    struct puan_http_client *c = NULL;

    assert_int_equal(
        puan_http_client_open(&c, puan_http_address(server), NULL), PUAN_OK);
    return c;
}

static void a_get_is_answered_on_a_kept_connection(void **state)
{
    struct puan_http_client *c = client();
    struct puan_http_reply r;

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(
            puan_http_call(&r, c,
                           &(struct puan_http_call){ .method = "GET",
                                                     .path = "/a?b=%20c" },
                           NULL),
            PUAN_OK);
        assert_int_equal(r.status, 200);
        assert_true(puan_str_is(r.body, "/a?b=%20c 0 "));
        assert_true(puan_str_is(puan_http_reply_header(&r, "x-answer"), "yes"));
    }
    puan_http_client_close(c);
}

/* What stands before the last address that is no proxy, anybody can write. */
static void behind_a_proxy_the_client_is_who_the_proxy_says(void **state)
{
    static const struct {
        const char *headers, *peer;
    } says[] = {
        { "", "127.0.0.1" },
        { "X-Forwarded-For: 203.0.113.9\r\n", "203.0.113.9" },
        { "X-Forwarded-For: 1.1.1.1, 203.0.113.9\r\n", "203.0.113.9" },
        { "X-Forwarded-For: 1.1.1.1, 2001:db8::5, 10.9.8.7\r\n",
          "2001:db8::5" },
        { "X-Forwarded-For: 10.9.8.7\r\n", "10.9.8.7" },
        { "X-Forwarded-For: 203.0.113.9, unknown\r\n", "127.0.0.1" },
        { "X-Forwarded-For: ,\r\n", "127.0.0.1" },
    };
    struct puan_http_client *c = client();
    struct puan_http_reply r;

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(says); i++) {
        assert_int_equal(
            puan_http_call(&r, c,
                           &(struct puan_http_call){ .method = "GET",
                                                     .path = "/peer",
                                                     .headers =
                                                         says[i].headers },
                           NULL),
            PUAN_OK);
        assert_true(puan_str_is(r.body, says[i].peer));
    }
    puan_http_client_close(c);
}

static void a_body_arrives_whole(void **state)
{
    struct puan_http_client *c = client();
    struct puan_http_reply r;
    char body[90000];

    (void)state;
    memset(body, 'x', sizeof(body));
    assert_int_equal(
        puan_http_call(&r, c,
                       &(struct puan_http_call){ .method = "POST",
                                                 .path = "/p",
                                                 .body = { body,
                                                           sizeof(body) } },
                       NULL),
        PUAN_OK);
    assert_int_equal(r.status, 200);
    assert_int_equal(r.body.n, 9 + sizeof(body));
    assert_memory_equal(r.body.p + 9, body, sizeof(body));
    puan_http_client_close(c);
}

static void too_large_a_body_is_refused_unread(void **state)
{
    struct puan_http_client *c = client();
    struct puan_http_reply r;
    static char body[100001];
    int before = atomic_load(&handled);

    (void)state;
    assert_int_equal(
        puan_http_call(&r, c,
                       &(struct puan_http_call){ .method = "POST",
                                                 .path = "/p",
                                                 .body = { body,
                                                           sizeof(body) } },
                       NULL),
        PUAN_OK);
    assert_int_equal(r.status, 413);
    assert_int_equal(atomic_load(&handled), before);
    puan_http_client_close(c);
}

struct caller {
    pthread_t thread;
    int good;
};

static void *call_later(void *arg)
{
    struct caller *k = arg;
    struct puan_http_client *c = client();
    struct puan_http_reply r;

    for (int i = 0; i < 200; i++)
        if (puan_http_call(&r, c,
                           &(struct puan_http_call){ .method = "POST",
                                                     .path = "/later",
                                                     .body = PUAN_STR("12") },
                           NULL) == PUAN_OK &&
            r.status == 201 && puan_str_is(r.body, "later 2"))
            k->good++;
    puan_http_client_close(c);
    return NULL;
}

static void suspended_requests_are_answered_from_another_thread(void **state)
{
    struct caller k[8] = { 0 };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(k); i++)
        assert_int_equal(
            pthread_create(&k[i].thread, NULL, call_later, &k[i]), 0);
    for (size_t i = 0; i < PUAN_COUNT(k); i++) {
        pthread_join(k[i].thread, NULL);
        assert_int_equal(k[i].good, 200);
    }
}

/* Sends raw bytes, gives the first status (0: closed) and the good answers. */
static int raw(const char *text, size_t n, size_t *answers)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    struct timeval tv = { 1, 0 };
    char in[8192];
    size_t got = 0;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    const char *p = in;

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port =
        htons((uint16_t)atoi(strrchr(puan_http_address(server), ':') + 1));
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    assert_int_equal(send(fd, text, n, MSG_NOSIGNAL), (ssize_t)n);
    shutdown(fd, SHUT_WR);
    while (got < sizeof(in) - 1) {
        ssize_t k = recv(fd, in + got, sizeof(in) - 1 - got, 0);

        if (k <= 0)
            break;
        got += (size_t)k;
    }
    in[got] = 0;
    close(fd);
    *answers = 0;
    /* The library's own refusals may repeat their head: count good answers. */
    while ((p = strstr(p, "HTTP/1.1 20"))) {
        (*answers)++;
        p += 9;
    }
    return got > 12 ? atoi(in + 9) : 0;
}

#define H "Host: a\r\n"
static const struct {
    const char *what, *text;
    int status; /* 0: any refusal, or the connection closed */
} smuggled[] = {
    { "both lengths",
      "POST /p HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: "
      "chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n" H "\r\n",
      400 },
    { "both lengths, other order",
      "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: "
      "5\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n" H "\r\n",
      400 },
    { "two equal lengths",
      "POST /p HTTP/1.1\r\n" H "Content-Length: 2\r\nContent-Length: 2\r\n\r\n"
      "hi",
      400 },
    { "two lengths",
      "POST /p HTTP/1.1\r\n" H "Content-Length: 2\r\nContent-Length: "
      "30\r\n\r\nhiGET /x HTTP/1.1\r\n" H "\r\n",
      400 },
    { "a list of lengths",
      "POST /p HTTP/1.1\r\n" H "Content-Length: 2, 2\r\n\r\nhi", 400 },
    { "a signed length",
      "POST /p HTTP/1.1\r\n" H "Content-Length: +2\r\n\r\nhi", 400 },
    { "a negative length",
      "POST /p HTTP/1.1\r\n" H "Content-Length: -2\r\n\r\nhi", 400 },
    { "a hexadecimal length",
      "POST /p HTTP/1.1\r\n" H "Content-Length: 0x2\r\n\r\nhi", 400 },
    { "an overflowing length",
      "POST /p HTTP/1.1\r\n" H
      "Content-Length: 99999999999999999999999\r\n\r\nhi",
      0 },
    { "another coding",
      "POST /p HTTP/1.1\r\n" H
      "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      400 },
    { "identity coding",
      "POST /p HTTP/1.1\r\n" H
      "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nhi",
      400 },
    { "two codings",
      "POST /p HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
      "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
      400 },
    { "a space before the colon",
      "POST /p HTTP/1.1\r\n" H
      "Transfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\nhi",
      0 },
    { "a coding in HTTP/1.0",
      "POST /p HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      0 },
    { "no host", "GET / HTTP/1.1\r\n\r\n", 400 },
    { "two hosts", "GET / HTTP/1.1\r\n" H H "\r\n", 400 },
    { "two tokens",
      "GET / HTTP/1.1\r\n" H
      "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
      400 },
    { "an unknown method", "BREW / HTTP/1.1\r\n" H "\r\n", 501 },
    { "no request at all", "\r\n\r\n\x01\x02\x03\r\n\r\n", 0 },
    { "a bad chunk",
      "POST /p HTTP/1.1\r\n" H
      "Transfer-Encoding: chunked\r\n\r\nZZ\r\nhi\r\n0\r\n\r\n",
      0 },
};

static void smuggled_requests_never_reach_a_handler(void **state)
{
    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(smuggled); i++) {
        int before = atomic_load(&handled);
        size_t answers;
        int status =
            raw(smuggled[i].text, strlen(smuggled[i].text), &answers);

        if (atomic_load(&handled) != before || answers ||
            (smuggled[i].status ? status != smuggled[i].status
                                : status && (status < 400 || status > 501)))
            fail_msg("%s: status %d, %zu answers, handled %d",
                     smuggled[i].what, status, answers,
                     atomic_load(&handled) - before);
    }
}

static void chunked_bodies_are_taken(void **state)
{
    size_t answers;
    const char t[] = "POST /p HTTP/1.1\r\n" H
                     "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";

    (void)state;
    assert_int_equal(raw(t, sizeof(t) - 1, &answers), 200);
    assert_int_equal(answers, 1);
}

static void escapes_are_decoded_or_refused(void **state)
{
    static const struct {
        const char *in, *path, *query; /* NULL: refused */
    } t[] = {
        { "abc", "abc", "abc" },       { "a%20b", "a b", "a b" },
        { "a+b", "a+b", "a b" },       { "%E6%99%AE", "普", "普" },
        { "%2F", NULL, "/" },          { "%", NULL, NULL },
        { "%4", NULL, NULL },          { "%zz", NULL, NULL },
        { "%00", NULL, NULL },         { "%0a", NULL, NULL },
        { "%E6%99", NULL, NULL },      { "%ff", NULL, NULL },
        { "", "", "" },                { "%25%32%30", "%20", "%20" },
    };
    struct puan_arena a;
    struct puan_str s;

    (void)state;
    puan_arena_init(&a, &puan_heap);
    for (size_t i = 0; i < PUAN_COUNT(t); i++)
        for (int q = 0; q < 2; q++) {
            const char *want = q ? t[i].query : t[i].path;
            enum puan_status st =
                puan_uri_decode(&s, puan_str_of(t[i].in), q, &a, NULL);

            if (want ? st != PUAN_OK || !puan_str_is(s, want)
                     : st != PUAN_EINVAL)
                fail_msg("'%s' query %d", t[i].in, q);
        }
    puan_arena_clear(&a);
}

/* ---- streams ----------------------------------------------------------------- */

static int stream_of(const char *target)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    struct timeval patience = { 5, 0 };
    struct puan_str port = puan_str_of(puan_http_address(server)), host;
    char text[200];
    int64_t n = 0;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)puan_str_split(&host, &port, ':');
    assert_true(puan_int_parse(&n, port));
    at.sin_port = htons((uint16_t)n);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    n = (int64_t)puan_format(text, sizeof(text),
                             "GET %s HTTP/1.1\r\nHost: t\r\n\r\n", target);
    assert_int_equal(send(fd, text, (size_t)n, 0), n);
    return fd;
}

/* Reads until `what` has come; false at the end of the connection. */
static bool comes(int fd, const char *what)
{
    static char got[65536];
    size_t n = 0;

    for (;;) {
        ssize_t k = recv(fd, got + n, sizeof(got) - 1 - n, 0);

        if (k <= 0)
            return false;
        n += (size_t)k;
        got[n] = 0;
        if (strstr(got, what))
            return true;
    }
}

static void wait_for(const int *counter, int n)
{
    for (int i = 0; i < 1000; i++) {
        bool there;

        pthread_mutex_lock(&streams_lock);
        there = *counter >= n;
        pthread_mutex_unlock(&streams_lock);
        if (there)
            return;
        usleep(5000);
    }
    fail_msg("%d of %d", *counter, n);
}

static bool send_to(int i, const char *text)
{
    bool sent;

    pthread_mutex_lock(&streams_lock);
    sent = streams[i] && puan_http_stream_send(streams[i], puan_str_of(text));
    pthread_mutex_unlock(&streams_lock);
    return sent;
}

static void streams_bring_pieces_and_end_with_the_server(void **state)
{
    int fd[MANY], k;
    char text[40];

    (void)state;
    opened = over = 0;
    for (k = 0; k < MANY; k++) {
        fd[k] = stream_of("/stream");
        wait_for(&opened, k + 1);
    }
    /* two loops, ten streams: nobody holds a thread */
    for (int round = 0; round < 20; round++)
        for (k = 0; k < MANY; k++) {
            puan_format(text, sizeof(text), "piece %d of %d;", round, k);
            assert_true(send_to(k, text));
            assert_true(comes(fd[k], text));
        }
    /* other requests are answered meanwhile */
    a_get_is_answered_on_a_kept_connection(NULL);
    /* its owner ends one: what waits comes, then the last chunk */
    pthread_mutex_lock(&streams_lock);
    assert_true(puan_http_stream_send(streams[0], PUAN_STR("farewell")));
    puan_http_stream_end(streams[0]);
    pthread_mutex_unlock(&streams_lock);
    assert_true(comes(fd[0], "farewell\r\n0\r\n\r\n"));
    wait_for(&over, 1);
    /* the other side goes: noticed by sending */
    close(fd[1]);
    for (int i = 0; i < 1000 && send_to(1, "hello?"); i++)
        usleep(5000);
    wait_for(&over, 2);
    /* one that does not read is given up, not waited for */
    for (k = 0; k < 100000 && send_to(2, "0123456789012345678901234567890");)
        k++;
    assert_true(k < 100000);
    wait_for(&over, 3);
    /* refused after it was opened: closed all the same */
    close(stream_of("/stream-refused"));
    wait_for(&over, 4);
    /* the server stops with the others open */
    stop(NULL);
    assert_int_equal(over, MANY + 1);
    for (k = 3; k < MANY; k++)
        assert_false(comes(fd[k], "never"));
    for (k = 0; k < MANY; k++)
        if (k != 1)
            close(fd[k]);
    assert_int_equal(start(NULL), 0);
}

static void every_request_taken_is_finished(void **state)
{
    (void)state;
    for (int i = 0; i < 400 && atomic_load(&finished) < atomic_load(&handled);
         i++)
        usleep(5000);
    assert_true(atomic_load(&finished) >= atomic_load(&handled));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_get_is_answered_on_a_kept_connection),
        cmocka_unit_test(behind_a_proxy_the_client_is_who_the_proxy_says),
        cmocka_unit_test(a_body_arrives_whole),
        cmocka_unit_test(too_large_a_body_is_refused_unread),
        cmocka_unit_test(suspended_requests_are_answered_from_another_thread),
        cmocka_unit_test(smuggled_requests_never_reach_a_handler),
        cmocka_unit_test(chunked_bodies_are_taken),
        cmocka_unit_test(escapes_are_decoded_or_refused),
        cmocka_unit_test(every_request_taken_is_finished),
        cmocka_unit_test(streams_bring_pieces_and_end_with_the_server),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
