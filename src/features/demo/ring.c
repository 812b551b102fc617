/*
 * The page of keys: whoever tries the demonstration finds every seat with its
 * password and the one-time code of this moment, household access codes,
 * certificate numbers, and links into the pages as a tour (day.yaml, `tour`).
 *
 * Secrets on a page: so it is served on 127.0.0.1 alone, answers only to that
 * name (a page of another site cannot reach it by a name of its own), allows
 * no framing, and exists only in demonstrations.
 */
#include "features/demo/demo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "features/demo/people.h"
#include "kit/os/os.h"

#define NUMBERS 6

struct ring {
    struct puan_demo *d;
    const char *listen, *day, *end;
    const char *number[NUMBERS];
    size_t n_numbers;
    int fd;
};

static struct ring the_ring; /* one a process, as long as it lives */

static void tour(struct puan_out *o, const struct ring *r)
{
    const struct puan_plan_file *f =
        puan_plan_file(r->d->plan, PUAN_STR("demo/day.yaml"));
    const struct puan_node *list =
        f && f->tree ? puan_node_get(f->tree, "tour") : NULL;

    if (list == NULL)
        return;
    puan_out_text(o, "<h2>走一遍 A tour</h2><ol>");
    PUAN_NODE_EACH(n, list)
    {
        struct puan_str page = puan_node_str_opt(n, "page", "/");
        struct puan_str by = puan_node_str_opt(n, "by", "");
        bool end = puan_str_is(puan_node_str_opt(n, "on", "day"), "end");
        struct puan_str zh = puan_node_str_opt(n, "zh", "");
        struct puan_str en = puan_node_str_opt(n, "en", "");
        const struct puan_role *role =
            by.n ? puan_plan_role(r->d->plan, by) : NULL;

        puan_out_fmt(o,
                     "<li><a target=_blank rel=noopener "
                     "href=\"http://%s%.*s\">%.*s</a>",
                     end || !r->day ? r->end : r->day, PUAN_FMT(page),
                     PUAN_FMT(zh));
        if (role)
            puan_out_fmt(o, " <b>%.*s</b>", PUAN_FMT(role->zh));
        puan_out_fmt(o, "<br><span lang=en>%.*s", PUAN_FMT(en));
        if (role)
            puan_out_fmt(o, " (%.*s)", PUAN_FMT(role->en));
        puan_out_text(o, "</span>");
    }
    puan_out_text(o, "</ol>");
}

static void page(struct puan_out *o, const struct ring *r)
{
    int64_t now = puan_os_now_ms() / 1000;

    puan_out_fmt(
        o,
        "<!doctype html><html lang=zh><meta charset=utf-8>"
        "<meta name=viewport content=\"width=device-width,initial-scale=1\">"
        "<meta http-equiv=refresh content=%d><title>钥匙页 Keys</title>"
        "<style>body{font:16px/1.6 sans-serif;max-width:70em;margin:1em auto;"
        "padding:0 1em;color:#1a2024;background:#fff}table{border-collapse:"
        "collapse;width:100%%}td,th{border-bottom:1px solid #d5dbdf;"
        "text-align:left;padding:.3em .6em .3em 0;overflow-wrap:anywhere}"
        "a{color:#0b6b63}code{font-size:1em}h1{font-size:1.4em}"
        "h2{font-size:1.1em;margin-top:2em}"
        "@media(prefers-color-scheme:dark){body{color:#e6ebee;"
        "background:#12171a}a{color:#5cc8ba}td,th{border-color:#323c42}}"
        "</style><h1>钥匙页 Keys of the demonstration</h1>"
        "<p>仅供演示。一次性口令每30秒换一次，每个只能用一次；本页自动更新。"
        "<br>For demonstration only. A one-time code changes every 30 seconds "
        "and works once; this page renews itself.</p><ul>",
        (int)(31 - now % 30));
    if (r->day)
        puan_out_fmt(o,
                     "<li><a href=\"http://%s/office/\">登记期间 During "
                     "registration</a>",
                     r->day);
    puan_out_fmt(o,
                 "<li><a href=\"http://%s/office/\">普查结束 The finished "
                 "census</a><li><a href=\"http://%s/household/\">自主填报 "
                 "Self-enumeration</a><li><a href=\"http://%s/\">公众页 Public "
                 "pages</a></ul>",
                 r->end, r->day ? r->day : r->end, r->day ? r->day : r->end);
    tour(o, r);
    puan_people_ring(o, r->d, now);
    if (r->n_numbers) {
        puan_out_text(o, "<h2>证件 Certificates</h2><ul>");
        for (size_t i = 0; i < r->n_numbers; i++)
            puan_out_fmt(o,
                         "<li><a href=\"http://%s/verify/%s\"><code>%s"
                         "</code></a>",
                         r->day ? r->day : r->end, r->number[i], r->number[i]);
        puan_out_text(o, "</ul>");
    }
    puan_out_text(o, "</html>\n");
}

/* The request's head, to the empty line; false when it is none of ours. */
static bool ours(int fd, const struct ring *r)
{
    const char *port = strrchr(r->listen, ':');
    char head[4096], host[2][64];
    size_t n = 0;

    while (n < sizeof(head) - 1) {
        ssize_t k = recv(fd, head + n, sizeof(head) - 1 - n, 0);

        if (k <= 0)
            return false;
        n += (size_t)k;
        head[n] = '\0';
        if (strstr(head, "\r\n\r\n"))
            break;
    }
    puan_format(host[0], sizeof(host[0]), "\r\nHost: 127.0.0.1%s\r\n", port);
    puan_format(host[1], sizeof(host[1]), "\r\nHost: localhost%s\r\n", port);
    return strncmp(head, "GET / ", 6) == 0 &&
           (strcasestr(head, host[0]) || strcasestr(head, host[1]));
}

static void put(int fd, struct puan_str s)
{
    while (s.n > 0) {
        ssize_t k = send(fd, s.p, s.n, MSG_NOSIGNAL);

        if (k <= 0)
            return;
        s.p += k;
        s.n -= (size_t)k;
    }
}

static void answer(int fd, const struct ring *r)
{
    const struct timeval patience = { .tv_sec = 2 };
    struct puan_arena a;
    struct puan_out o;

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (!ours(fd, r)) {
        put(fd, PUAN_STR("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n"
                         "Connection: close\r\n\r\n"));
        return;
    }
    puan_arena_init(&a, puan_os_alloc());
    puan_out_init(&o, &a);
    page(&o, r);
    put(fd, puan_str_of(puan_arena_fmt(
                &a,
                "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8"
                "\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
                "Content-Security-Policy: default-src 'none'; style-src "
                "'unsafe-inline'; frame-ancestors 'none'\r\n"
                "Referrer-Policy: no-referrer\r\n"
                "X-Content-Type-Options: nosniff\r\n"
                "Connection: close\r\n\r\n",
                o.n)));
    put(fd, puan_out_view(&o));
    puan_arena_clear(&a);
}

static void *serve(void *arg)
{
    const struct ring *r = arg;

    for (;;) {
        int fd = accept4(r->fd, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
            return NULL;
        if (fd < 0)
            continue;
        answer(fd, r);
        close(fd);
    }
}

enum puan_status puan_demo_ring(struct puan_demo *d, const char *address,
                                const char *day, const char *end,
                                struct puan_err *err)
{
    struct ring *r = &the_ring;
    struct sockaddr_in at = { .sin_family = AF_INET };
    int64_t port = 0;
    int on = 1;
    pthread_t t;
    enum puan_status st;

    *r = (struct ring){ .d = d, .listen = address, .day = day, .end = end };
    st = puan_people_certificates(r->number, &r->n_numbers, NUMBERS, d, err);
    if (st != PUAN_OK)
        return st;
    (void)!puan_int_parse(&port, puan_str_of(strrchr(address, ':') + 1));
    at.sin_port = htons((uint16_t)port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (r->fd >= 0)
        (void)setsockopt(r->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (r->fd < 0 ||
        bind(r->fd, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
        listen(r->fd, 16) != 0)
        return puan_fail(err, PUAN_EIO, address, "cannot be served: error %d",
                         errno);
    if (pthread_create(&t, NULL, serve, r) != 0)
        return puan_fail(err, PUAN_ENOMEM, "demo", "no thread can be made");
    pthread_detach(t);
    return PUAN_OK;
}
