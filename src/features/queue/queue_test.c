/* The line: order, lapsing, coming in, minutes; and signing in behind it. */
#include "features/host/limit.h"
#include "features/host/test_fixture.h"
#include "features/queue/queue.h"

struct line {
    struct puan_queue *q;
    int64_t most, inside, now;
};

static struct puan_queue_place ask(struct line *l, const char *ticket)
{
    struct puan_queue_place p;
    struct puan_err err = { 0 };

    assert_int_equal(puan_queue_ask(&p, l->q, puan_str_of(ticket), l->most,
                                    l->inside, l->now, &err),
                     PUAN_OK);
    return p;
}

static bool enter(struct line *l, const char *ticket)
{
    bool in = puan_queue_may(l->q, puan_str_of(ticket), l->most, l->inside,
                             l->now);

    if (in) {
        puan_queue_used(l->q, puan_str_of(ticket));
        l->inside++;
    }
    return in;
}

static struct line open_line(int64_t most)
{
    struct line l = { .most = most, .now = 1000000000 };
    struct puan_err err = { 0 };

    assert_int_equal(puan_queue_open(&l.q, &err), PUAN_OK);
    return l;
}

static void with_room_nobody_waits(void **state)
{
    struct line l = open_line(2);

    (void)state;
    assert_true(enter(&l, ""));
    assert_true(enter(&l, ""));
    assert_false(enter(&l, ""));
    puan_queue_close(l.q);
}

static void places_are_in_order_of_arrival(void **state)
{
    struct line l = open_line(1);
    struct puan_queue_place a, b, c;

    (void)state;
    assert_true(enter(&l, ""));
    a = ask(&l, "");
    b = ask(&l, "");
    c = ask(&l, "");
    assert_int_equal(a.place, 1);
    assert_int_equal(b.place, 2);
    assert_int_equal(c.place, 3);
    assert_true(a.minutes >= 1 && c.minutes >= b.minutes);
    /* a newcomer does not pass those who wait, nor one without a ticket */
    l.inside = 0;
    l.now += 2000;
    assert_false(enter(&l, ""));
    assert_true(ask(&l, a.ticket).in);
    b = ask(&l, b.ticket);
    assert_false(b.in);
    assert_int_equal(b.place, 1);
    assert_false(enter(&l, b.ticket));
    assert_true(enter(&l, a.ticket));
    /* a ticket lets in once */
    assert_false(enter(&l, a.ticket));
    puan_queue_close(l.q);
}

static void who_leaves_gives_the_place_up(void **state)
{
    struct line l = open_line(1);
    struct puan_queue_place a, b;

    (void)state;
    assert_true(enter(&l, ""));
    a = ask(&l, "");
    b = ask(&l, "");
    for (int i = 0; i < 8; i++) {
        l.now += 15000;
        b = ask(&l, b.ticket);
    }
    assert_int_equal(b.place, 1);
    /* the lapsed one gets a new ticket at the end */
    assert_string_not_equal(ask(&l, a.ticket).ticket, a.ticket);
    /* let in and not come: the next one is let in two minutes later */
    l.inside = 0;
    l.now += 2000;
    assert_true(ask(&l, b.ticket).in);
    a = ask(&l, "");
    for (int i = 0; i < 12; i++) {
        l.now += 15000;
        a = ask(&l, a.ticket);
    }
    assert_true(a.in);
    puan_queue_close(l.q);
}

static void minutes_follow_the_pace(void **state)
{
    struct line l = open_line(10);
    struct puan_queue_place p[400];

    (void)state;
    l.inside = 10;
    for (size_t i = 0; i < PUAN_COUNT(p); i++)
        p[i] = ask(&l, "");
    /* ten come in each minute for five minutes */
    for (int m = 0; m < 5; m++) {
        l.inside = 0;
        l.now += 60000;
        for (size_t i = 0; i < PUAN_COUNT(p); i++)
            p[i] = ask(&l, p[i].ticket);
        for (size_t i = 0; i < PUAN_COUNT(p); i++)
            if (p[i].in && l.inside < 10)
                enter(&l, p[i].ticket);
        l.inside = 10;
    }
    l.now += 2000;
    for (size_t i = PUAN_COUNT(p) - 1; i < PUAN_COUNT(p); i++) {
        p[i] = ask(&l, p[i].ticket);
        assert_false(p[i].in);
        assert_in_range(p[i].place, 330, 360);
        assert_in_range(p[i].minutes, 28, 44);
    }
    puan_queue_close(l.q);
}

/* 20,000 come and go; places stay 1, 2, 3 … and nobody is lost. */
static void a_long_line_stays_whole(void **state)
{
    static char ticket[20000][PUAN_QUEUE_TICKET + 1];
    struct line l = open_line(100);
    size_t in = 0;

    (void)state;
    l.inside = 100;
    for (size_t i = 0; i < PUAN_COUNT(ticket); i++)
        memcpy(ticket[i], ask(&l, "").ticket, sizeof(ticket[i]));
    l.inside = 40;
    l.now += 1500;
    for (size_t i = 0; i < PUAN_COUNT(ticket); i++) {
        struct puan_queue_place p = ask(&l, ticket[i]);

        assert_string_equal(p.ticket, ticket[i]);
        if (p.in)
            assert_int_equal(in++, i);
        else
            assert_int_equal(p.place, (int64_t)(i - in) + 1);
    }
    assert_int_equal(in, 60);
    puan_queue_close(l.q);
}

static bool known(const struct line *l, const char *ticket)
{
    return puan_queue_knows(l->q, puan_str_of(ticket));
}

/* What costs an address one of its new places is told from what does not. */
static void only_a_given_ticket_is_known(void **state)
{
    struct line l = open_line(1);
    struct puan_queue_place a;

    (void)state;
    assert_true(enter(&l, ""));
    a = ask(&l, "");
    assert_true(known(&l, a.ticket));
    assert_false(known(&l, ""));
    assert_false(known(&l, "x"));
    assert_false(known(&l, "00000000000000000000000000000000"));
    puan_queue_close(l.q);
}

/* Made-up tickets fill the line no faster than none. */
static void made_up_tickets_are_limited(void **state)
{
    struct puan_fix *fix = puan_fix_canton(NULL);
    struct puan_http_call c = { .method = "POST",
                                .path = "/api/v1/c/zz-test/public/queue",
                                .body = PUAN_STR("{\"ticket\":\"x\"}") };
    struct puan_http_reply r = { 0 };
    struct puan_err err = { 0 };
    int n = 0;

    (void)state;
    puan_fix_serve(fix, 2, 1);
    do
        assert_int_equal(puan_http_call(&r, fix->client, &c, &err), PUAN_OK);
    while (r.status == 200 && ++n < 20000);
    assert_int_equal(r.status, 429);
    assert_true(n >= 600);
    puan_fix_end(fix);
}

static unsigned ask_http(struct puan_fix *fix, const char *path,
                         const char *token, const char *body,
                         const char **answer)
{
    struct puan_http_call c = { .method = "POST", .token = token,
                                .path = puan_arena_fmt(&fix->a,
                                                       "/api/v1/c/zz-test/%s",
                                                       path),
                                .body = puan_str_of(body) };
    struct puan_http_reply r;

    ok(puan_http_call(&r, fix->client, &c, err));
    if (answer)
        *answer = puan_arena_dup(&fix->a, r.body);
    return r.status;
}

static const char *code_body(struct puan_fix *fix, const char *household)
{
    const char *token = puan_fix_session(
        fix,
        (struct puan_who){ .credential = PUAN_CRED_HUMAN, .account = 8,
                           .area = 11, .factor_ms = puan_real_now() },
        "security-admin");
    const char *csv, *at;

    assert_int_equal(
        ask_http(fix, "credentials", token,
                 puan_arena_fmt(&fix->a,
                                "{\"kind\":\"household\",\"role\":"
                                "\"household\",\"area\":\"11\",\"list\":"
                                "[%s]}",
                                household),
                 &csv),
        201);
    at = strstr(csv, household) + strlen(household) + 1;
    return puan_arena_fmt(&fix->a, "{\"code\":\"%.16s\"}", at);
}

static const char *token_in(struct puan_fix *fix, const char *answer)
{
    const char *at = strstr(answer, "\"token\":\"");

    assert_non_null(at);
    at += 9;
    return puan_arena_dup(
        &fix->a, (struct puan_str){ at, strcspn(at, "\"") });
}

/*
 * Room for one: whose answer was lost signs in again without standing in the
 * line, and leaves no second place behind when it goes.
 */
static void a_lost_answer_costs_no_place(void **state)
{
    struct puan_fix *fix = puan_fix_canton(NULL);
    struct puan_host_options opt = { .listen = "127.0.0.1:0", .workers = 2,
                                     .loops = 1, .households = 1,
                                     .quiet = true };
    const char *one, *two, *answer, *token;

    (void)state;
    ok(puan_host_start(&fix->host, fix->st, puan_features, &opt, err));
    ok(puan_http_client_open(&fix->client, puan_host_address(fix->host), err));
    one = code_body(fix, "110010010001");
    two = code_body(fix, "110010010002");
    assert_int_equal(ask_http(fix, "login/household", NULL, one, NULL), 200);
    assert_int_equal(ask_http(fix, "login/household", NULL, two, NULL), 503);
    assert_int_equal(ask_http(fix, "login/household", NULL, one, &answer), 200);
    assert_int_equal(puan_session_count_of(puan_host_sessions(fix->host),
                                           PUAN_CRED_HOUSEHOLD),
                     1);
    /* a session in use stays when a second phone signs in */
    token = token_in(fix, answer);
    assert_int_equal(puan_fix_call(fix, token, "GET", "/me", NULL), 200);
    assert_int_equal(ask_http(fix, "login/household", NULL, one, &answer), 200);
    assert_int_equal(puan_session_count_of(puan_host_sessions(fix->host),
                                           PUAN_CRED_HOUSEHOLD),
                     2);
    assert_int_equal(ask_http(fix, "logout", token, "", NULL), 204);
    assert_int_equal(ask_http(fix, "login/household", NULL, two, NULL), 503);
    assert_int_equal(
        ask_http(fix, "logout", token_in(fix, answer), "", NULL), 204);
    assert_int_equal(ask_http(fix, "login/household", NULL, two, NULL), 200);
    puan_fix_end(fix);
}

static void an_empty_line_counts_none(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    int64_t v = -1;

    (void)state;
    assert_string_equal(puan_feature_queue.metrics[0].name,
                        "puan_queue_waiting");
    ok(puan_feature_queue.metrics[0].read(&v, f->st, 11, err));
    assert_int_equal(v, 0);
    puan_fix_end(f);
}

static void a_network_of_64_bits_is_one_address(void **state)
{
    (void)state;
    assert_true(puan_peer_hash("2001:db8:1:2::1") ==
                puan_peer_hash("2001:db8:1:2:ffff:0:7:9"));
    assert_true(puan_peer_hash("2001:db8:1:2::1") !=
                puan_peer_hash("2001:db8:1:3::1"));
    assert_true(puan_peer_hash("192.0.2.1") != puan_peer_hash("192.0.2.2"));
    assert_true(puan_peer_hash("::ffff:192.0.2.1") !=
                puan_peer_hash("::ffff:192.0.2.2"));
    assert_true(puan_peer_hash("") != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_room_nobody_waits),
        cmocka_unit_test(places_are_in_order_of_arrival),
        cmocka_unit_test(who_leaves_gives_the_place_up),
        cmocka_unit_test(minutes_follow_the_pace),
        cmocka_unit_test(a_long_line_stays_whole),
        cmocka_unit_test(only_a_given_ticket_is_known),
        cmocka_unit_test(made_up_tickets_are_limited),
        cmocka_unit_test(a_lost_answer_costs_no_place),
        cmocka_unit_test(an_empty_line_counts_none),
        cmocka_unit_test(a_network_of_64_bits_is_one_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
