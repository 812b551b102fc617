/*
 * Streams of events: a topic touched inside the seat's area is told, another
 * is not; nobody is kept signed in by one; ten of them, and the server stops.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "features/host/test_fixture.h"
#include "features/live/live.h"
#include "kit/os/os.h"

#define BASE "/api/v1/c/zz-test"

static struct puan_fix *fix;

static int open_all(void **state)
{
    (void)state;
    setenv("PUAN_LOG", "off", 1);
    fix = puan_fix_canton(NULL);
    puan_fix_serve(fix, 2, 2);
    puan_live_pace(fix->st, 50, 60000);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    puan_fix_end(fix);
    return 0;
}

static const char *seat(enum puan_credential credential, int64_t area,
                        int64_t idle_ms)
{
    struct puan_who who = { .credential = credential, .account = 1,
                            .area = area, .role = 0 };
    char token[PUAN_TOKEN_TEXT];

    ok(puan_session_open(token, puan_host_sessions(fix->host), &who,
                         puan_real_now(), idle_ms, puan_real_now() + 600000,
                         err));
    return puan_arena_dup(&fix->a, puan_str_of(token));
}

static int64_t streams(void)
{
    struct puan_http_reply r;
    struct puan_http_call c = { .method = "GET", .path = "/metrics" };
    const char *at;

    ok(puan_http_call(&r, fix->client, &c, err));
    at = strstr(puan_arena_dup(&fix->a, r.body), "\npuan_streams_open ");
    assert_non_null(at);
    return strtoll(at + 19, NULL, 10);
}

static void wait_for_streams(int64_t n)
{
    for (int i = 0; i < 500 && streams() != n; i++)
        usleep(10000);
    assert_int_equal(streams(), n);
}

struct listener {
    int fd;
    size_t n;
    char got[65536];
};

static void listen_to(struct listener *l, const char *token, const char *topics)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    struct timeval patience = { 10, 0 };
    struct puan_str port = puan_str_of(puan_host_address(fix->host)), host;
    const char *text = puan_arena_fmt(
        &fix->a,
        "GET " BASE "/events?topics=%s HTTP/1.1\r\nHost: t\r\n"
        "Authorization: Bearer %s\r\n\r\n",
        topics, token);
    int64_t n = 0;

    l->n = 0;
    l->fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)puan_str_split(&host, &port, ':');
    assert_true(puan_int_parse(&n, port));
    at.sin_port = htons((uint16_t)n);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(l->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(l->fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(send(l->fd, text, strlen(text), 0), strlen(text));
}

/* Reads on until `what` has come; false at the end of the connection. */
static bool comes(struct listener *l, const char *what)
{
    for (;;) {
        ssize_t k;

        l->got[l->n] = 0;
        if (strstr(l->got, what))
            return true;
        k = recv(l->fd, l->got + l->n, sizeof(l->got) - 1 - l->n, 0);
        if (k <= 0)
            return false;
        l->n += (size_t)k;
    }
}

static void a_change_is_told_to_those_above_it(void **state)
{
    static struct listener top, parish, other;
    const char *tokens[3] = { seat(PUAN_CRED_HUMAN, 11, 600000),
                              seat(PUAN_CRED_HUMAN, 11001, 600000),
                              seat(PUAN_CRED_DEVICE, 11002, 600000) };

    (void)state;
    listen_to(&top, tokens[0], "counts,cases");
    listen_to(&parish, tokens[1], "counts");
    listen_to(&other, tokens[2], "counts,review");
    assert_true(comes(&top, "text/event-stream"));
    assert_true(comes(&top, "retry:"));
    assert_true(comes(&parish, "retry:"));
    assert_true(comes(&other, "retry:"));
    wait_for_streams(3);
    for (int i = 0; i < 1000; i++)
        puan_live_touch(fix->st, "counts", 11001001);
    assert_true(comes(&top, "event: counts\ndata: {\"n\":1}\n\n"));
    assert_true(comes(&parish, "event: counts\ndata: {\"n\":1}\n\n"));
    puan_live_touch(fix->st, "counts", 11002);
    assert_true(comes(&top, "event: counts\ndata: {\"n\":2}\n\n"));
    assert_true(comes(&other, "event: counts\ndata: {\"n\":1}\n\n"));
    puan_live_touch(fix->st, "review", 11002001);
    puan_live_touch(fix->st, "nonsense", 11002001);
    assert_true(comes(&other, "event: review\ndata: {\"n\":1}\n\n"));
    puan_live_touch(fix->st, "cases", 11);
    assert_true(comes(&top, "event: cases\ndata: {\"n\":1}\n\n"));
    puan_live_touch(fix->st, "counts", 0);
    assert_true(comes(&parish, "event: counts\ndata: {\"n\":2}\n\n"));
    /* nothing of a neighbour, of another topic, or of above */
    assert_null(strstr(parish.got, "{\"n\":3}"));
    assert_null(strstr(parish.got, "review"));
    assert_null(strstr(parish.got, "cases"));
    assert_null(strstr(top.got, "review"));
    /* many areas at once are told as one */
    for (int64_t a = 1; a < 9000; a++)
        puan_live_touch(fix->st, "review", a);
    assert_true(comes(&other, "event: review\ndata: {\"n\":2}\n\n"));
    close(top.fd);
    close(parish.fd);
    close(other.fd);
    for (int i = 0; i < 500 && streams(); i++) {
        puan_live_touch(fix->st, "counts", 0);
        puan_live_touch(fix->st, "review", 0);
        usleep(10000);
    }
    assert_int_equal(streams(), 0);
}

static void a_stream_ends_with_its_session(void **state)
{
    static struct listener l, m;
    const char *token = seat(PUAN_CRED_HUMAN, 11, 400),
               *other = seat(PUAN_CRED_HUMAN, 11, 600000);
    int64_t began = puan_os_mono_ns();

    (void)state;
    listen_to(&l, token, "counts");
    listen_to(&m, other, "counts");
    assert_true(comes(&l, "retry:"));
    assert_true(comes(&m, "retry:"));
    /* listening is no use of the session */
    assert_true(comes(&l, "event: end\n"));
    assert_false(comes(&l, "never"));
    assert_true(puan_os_mono_ns() - began < INT64_C(5000000000));
    assert_true(puan_session_end(puan_host_sessions(fix->host),
                                 puan_str_of(other)));
    assert_true(comes(&m, "event: end\n"));
    wait_for_streams(0);
    close(l.fd);
    close(m.fd);
}

static unsigned ask(const char *path, const char *token)
{
    struct puan_http_reply r;
    struct puan_http_call c = { .method = "GET", .path = path,
                                .token = token };

    ok(puan_http_call(&r, fix->client, &c, err));
    return r.status;
}

static void who_may_not(void **state)
{
    (void)state;
    assert_int_equal(ask(BASE "/events?topics=counts", NULL), 401);
    assert_int_equal(ask(BASE "/events", seat(PUAN_CRED_HUMAN, 11, 60000)),
                     400);
    assert_int_equal(
        ask(BASE "/events?topics=secrets", seat(PUAN_CRED_HUMAN, 11, 60000)),
        400);
    assert_int_equal(ask(BASE "/events?topics=counts",
                         seat(PUAN_CRED_HOUSEHOLD, 11001001, 60000)),
                     404);
    assert_int_equal(ask(BASE "/events?topics=counts&area=11002",
                         seat(PUAN_CRED_HUMAN, 11001, 60000)),
                     404);
    assert_int_equal(streams(), 0);
}

static void a_session_has_so_many_and_no_more(void **state)
{
    static struct listener l[18];
    const char *token = seat(PUAN_CRED_HUMAN, 11, 600000);

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(l); i++) {
        listen_to(&l[i], token, "counts");
        assert_true(comes(&l[i], "retry:"));
    }
    /* the oldest gave way */
    assert_false(comes(&l[0], "never"));
    assert_false(comes(&l[1], "never"));
    wait_for_streams(16);
    puan_live_touch(fix->st, "counts", 11001001);
    assert_true(comes(&l[2], "event: counts"));
    assert_true(comes(&l[17], "event: counts"));
    for (size_t i = 0; i < PUAN_COUNT(l); i++)
        close(l[i].fd);
}

static void ten_streams_and_the_server_stops(void **state)
{
    static struct listener l[10];
    int64_t began;

    (void)state;
    puan_live_pace(fix->st, 50, 100);
    for (size_t i = 0; i < PUAN_COUNT(l); i++) {
        listen_to(&l[i], seat(PUAN_CRED_HUMAN, 11, 600000), "counts,lots");
        assert_true(comes(&l[i], "retry:"));
    }
    /* a comment when nothing happens, an event when something does */
    assert_true(comes(&l[9], "\n:\n\n"));
    puan_live_touch(fix->st, "lots", 11001);
    for (size_t i = 0; i < PUAN_COUNT(l); i++)
        assert_true(comes(&l[i], "event: lots"));
    assert_int_equal(ask("/healthz", NULL), 200);
    began = puan_os_mono_ns();
    puan_http_client_close(fix->client);
    puan_host_stop(fix->host);
    fix->client = NULL;
    fix->host = NULL;
    assert_true(puan_os_mono_ns() - began < INT64_C(5000000000));
    for (size_t i = 0; i < PUAN_COUNT(l); i++) {
        assert_false(comes(&l[i], "never"));
        close(l[i].fd);
    }
    /* touched with nobody there, and the store closes */
    puan_live_touch(fix->st, "lots", 11001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_told_to_those_above_it),
        cmocka_unit_test(a_stream_ends_with_its_session),
        cmocka_unit_test(who_may_not),
        cmocka_unit_test(a_session_has_so_many_and_no_more),
        cmocka_unit_test(ten_streams_and_the_server_stops),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
