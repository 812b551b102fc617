/*
 * See crowd.h.
 */
#include "crowd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kit/os/os.h"

#define MS INT64_C(1000000)

/* What becomes of a request's line. */
enum { WHOLE, HALF_SENT, SENT_ONLY, ANSWER_LOST };

/* ---- time ----------------------------------------------------------------- */

static void put(struct crowd *c, struct crowd_actor *a)
{
    size_t i;

    if (c->n_heap == c->cap_heap) {
        c->cap_heap = c->cap_heap ? c->cap_heap * 2 : 1024;
        c->heap = realloc(c->heap, c->cap_heap * sizeof(*c->heap));
        if (!c->heap)
            abort();
    }
    for (i = c->n_heap++; i > 0; i = (i - 1) / 2) {
        if (c->heap[(i - 1) / 2]->due_ns <= a->due_ns)
            break;
        c->heap[i] = c->heap[(i - 1) / 2];
    }
    c->heap[i] = a;
}

static struct crowd_actor *first(struct crowd *c)
{
    struct crowd_actor *top = c->heap[0], *last = c->heap[--c->n_heap];
    size_t i = 0, k;

    while ((k = 2 * i + 1) < c->n_heap) {
        if (k + 1 < c->n_heap && c->heap[k + 1]->due_ns < c->heap[k]->due_ns)
            k++;
        if (c->heap[k]->due_ns >= last->due_ns)
            break;
        c->heap[i] = c->heap[k];
        i = k;
    }
    c->heap[i] = last;
    return top;
}

uint64_t crowd_random(struct crowd *c, uint64_t below)
{
    c->random ^= c->random << 13;
    c->random ^= c->random >> 7;
    c->random ^= c->random << 17;
    return below ? c->random % below : 0;
}

/* ---- lines ---------------------------------------------------------------- */

static void hang_up(struct crowd_actor *a)
{
    if (a->line.fd >= 0)
        close(a->line.fd);
    a->line.fd = -1;
    a->line.connecting = false;
}

static bool dial(struct crowd_actor *a)
{
    const char *colon = strrchr(a->crowd->address, ':');
    struct sockaddr_in own = { .sin_family = AF_INET },
                       to = { .sin_family = AF_INET };
    struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLET,
                             .data.ptr = a };
    int one = 1;

    own.sin_addr.s_addr = htonl(0x7f010000u + (a->number & 0xffffffu));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((uint16_t)strtoul(colon ? colon + 1 : "0", NULL, 10));
    a->line.fd =
        socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (a->line.fd < 0)
        return false;
    setsockopt(a->line.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (bind(a->line.fd, (const struct sockaddr *)&own, sizeof(own)) != 0 ||
        (connect(a->line.fd, (const struct sockaddr *)&to, sizeof(to)) != 0 &&
         errno != EINPROGRESS) ||
        epoll_ctl(a->crowd->epoll, EPOLL_CTL_ADD, a->line.fd, &e) != 0) {
        hang_up(a);
        return false;
    }
    a->line.connecting = true;
    return true;
}

static void later(struct crowd_actor *a, int64_t from_ns, int64_t ms)
{
    a->due_ns = from_ns + ms * MS;
    put(a->crowd, a);
}

/* The line is gone; the script hears of it as somebody on the road does. */
static void broke(struct crowd_actor *a)
{
    hang_up(a);
    a->asks = false;
    a->again = true;
    a->crowd->times[a->kind].broken++;
    later(a, puan_os_mono_ns(), 200 + (int64_t)crowd_random(a->crowd, 1000));
}

/* True while the request is under way. */
static bool push(struct crowd_actor *a)
{
    struct crowd_line *l = &a->line;
    size_t most = a->fate == HALF_SENT ? l->out_n / 2 : l->out_n;

    while (l->out_at < most) {
        ssize_t n = send(l->fd, l->out + l->out_at, most - l->out_at,
                         MSG_NOSIGNAL);

        if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
            return true;
        if (n <= 0)
            return false;
        l->out_at += (size_t)n;
    }
    return a->fate != HALF_SENT && a->fate != SENT_ONLY;
}

/* 1 whole, 0 not yet, -1 the line is closed. */
static int pull(struct crowd_reply *r, struct crowd_actor *a)
{
    struct crowd_line *l = &a->line;
    const char *end, *at;
    bool closed = false;
    size_t head, n;

    for (;;) {
        ssize_t got;

        if (l->in_cap - l->in_n < 4096) {
            l->in_cap = l->in_cap ? l->in_cap * 2 : 8192;
            l->in = realloc(l->in, l->in_cap);
            if (!l->in)
                abort();
        }
        got = recv(l->fd, l->in + l->in_n, l->in_cap - l->in_n - 1, 0);
        if (got < 0 && errno == EAGAIN)
            break;
        closed = got <= 0;
        if (closed) /* perhaps behind a whole answer */
            break;
        l->in_n += (size_t)got;
        l->in[l->in_n] = 0;
    }
    end = l->in_n ? strstr(l->in, "\r\n\r\n") : NULL;
    if (!end)
        return closed ? -1 : 0;
    head = (size_t)(end - l->in) + 4;
    at = strcasestr(l->in, "\r\nContent-Length: ");
    n = at && at < end ? strtoul(at + 18, NULL, 10) : 0;
    if (l->in_n < head + n)
        return closed ? -1 : 0;
    r->status = (unsigned)strtoul(l->in + 9, NULL, 10);
    r->head = (struct puan_str){ l->in, head };
    r->body = (struct puan_str){ l->in + head, n };
    return 1;
}

/* ---- asking ----------------------------------------------------------------- */

void crowd_ask(struct crowd_actor *a, const struct crowd_ask *ask)
{
    struct crowd *c = a->crowd;
    struct crowd_line *l = &a->line;
    size_t want = 1024 + strlen(ask->path) +
                  (ask->headers ? strlen(ask->headers) : 0) + ask->body.n;

    if (l->out_cap < want) {
        l->out_cap = want * 2;
        l->out = realloc(l->out, l->out_cap);
        if (!l->out)
            abort();
    }
    l->out_n = puan_format(l->out, l->out_cap,
                           "%s %s HTTP/1.1\r\nHost: puan\r\n%s%s%s%s",
                           ask->method, ask->path,
                           ask->token ? "Authorization: Bearer " : "",
                           ask->token ? ask->token : "",
                           ask->token ? "\r\n" : "",
                           ask->headers ? ask->headers : "");
    if (strcmp(ask->method, "GET") != 0)
        l->out_n += puan_format(l->out + l->out_n, l->out_cap - l->out_n,
                                "Content-Type: %s\r\nContent-Length: %zu\r\n",
                                ask->type ? ask->type : "application/json",
                                ask->body.n);
    l->out_n += puan_format(l->out + l->out_n, l->out_cap - l->out_n, "\r\n");
    memcpy(l->out + l->out_n, ask->body.p ? ask->body.p : "", ask->body.n);
    l->out_n += ask->body.n;
    l->out_at = 0;
    l->in_n = 0;
    a->kind = ask->kind;
    a->asks = true;
    a->fate = crowd_random(c, 1000) < c->breaks
                  ? HALF_SENT + (int)crowd_random(c, 3)
                  : WHOLE;
    a->began_ns = c->now_ns;
    if (l->fd < 0 && !dial(a))
        broke(a);
    else if (!l->connecting && !push(a))
        broke(a);
}

void crowd_later(struct crowd_actor *a, int64_t ms)
{
    later(a, puan_os_mono_ns(), ms);
}

void crowd_done(struct crowd_actor *a)
{
    hang_up(a);
    free(a->line.in);
    free(a->line.out);
    memset(&a->line, 0, sizeof(a->line));
    a->line.fd = -1;
    a->done = true;
    a->crowd->alive--;
}

void crowd_add(struct crowd *c, struct crowd_actor *a, int64_t ms)
{
    a->crowd = c;
    a->line.fd = -1;
    a->asks = a->again = a->done = false;
    c->alive++;
    later(a, puan_os_mono_ns(), ms);
}

/* ---- events ------------------------------------------------------------------- */

static void note(struct crowd_times *t, int64_t ns)
{
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 256;
        t->ms = realloc(t->ms, t->cap * sizeof(*t->ms));
        if (!t->ms)
            abort();
    }
    t->ms[t->n++] = (float)((double)ns / 1e6);
}

static void heard(struct crowd_actor *a)
{
    struct crowd *c = a->crowd;
    struct crowd_times *t = &c->times[a->kind];
    struct crowd_reply r = { 0 };
    int got = pull(&r, a);

    if (got == 0)
        return;
    if (!a->asks) { /* the server closes what has been quiet for long */
        hang_up(a);
        return;
    }
    if (got < 0) {
        broke(a);
        return;
    }
    note(t, puan_os_mono_ns() - a->began_ns);
    t->refused += r.status >= 400;
    t->faults += r.status >= 500;
    if (a->fate == ANSWER_LOST) {
        broke(a);
        return;
    }
    a->asks = false;
    if (strcasestr(a->line.in, "\r\nConnection: close"))
        hang_up(a);
    c->now_ns = puan_os_mono_ns();
    a->step(a, &r);
}

static void ready(struct crowd_actor *a, uint32_t events)
{
    if (a->line.fd < 0)
        return;
    if (a->line.connecting && events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
        a->line.connecting = false;
    if (a->asks && !a->line.connecting && a->line.out_at < a->line.out_n &&
        !push(a)) {
        broke(a);
        return;
    }
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP) && a->line.fd >= 0)
        heard(a);
}

static void woken(struct crowd_actor *a)
{
    static const struct crowd_reply none = { 0 };

    note(&a->crowd->late, puan_os_mono_ns() - a->due_ns);
    a->crowd->now_ns = a->due_ns;
    if (a->again) {
        a->again = false;
        a->step(a, &none);
    } else {
        a->step(a, NULL);
    }
}

void crowd_run(struct crowd *c, int64_t ms, void (*each)(void *arg), void *arg)
{
    int64_t end = puan_os_mono_ns() + ms * MS,
            second = puan_os_mono_ns() + 1000 * MS;
    struct epoll_event ev[256];

    while (c->alive > 0) {
        int64_t now = puan_os_mono_ns();
        int64_t until = c->n_heap ? c->heap[0]->due_ns : now + 100 * MS;
        int n;

        if (now >= end)
            break;
        if (now >= second) {
            second += 1000 * MS;
            if (each)
                each(arg);
        }
        if (until > now + 100 * MS)
            until = now + 100 * MS;
        n = epoll_wait(c->epoll, ev, 256,
                       until > now ? (int)((until - now) / MS) + 1 : 0);
        for (int i = 0; i < n; i++)
            ready(ev[i].data.ptr, ev[i].events);
        now = puan_os_mono_ns();
        while (c->n_heap && c->heap[0]->due_ns <= now)
            woken(first(c));
    }
}

/* ---- the whole ------------------------------------------------------------------ */

bool crowd_open(struct crowd *c, const char *address, size_t n_kinds,
                uint64_t seed)
{
    memset(c, 0, sizeof(*c));
    c->address = address;
    c->random = seed * 2654435761u + 88172645463325252u;
    c->times = calloc(n_kinds, sizeof(*c->times));
    c->n_kinds = n_kinds;
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    return c->times && c->epoll >= 0;
}

void crowd_close(struct crowd *c)
{
    for (size_t i = 0; c->times && i < c->n_kinds; i++)
        free(c->times[i].ms);
    free(c->times);
    free(c->late.ms);
    free(c->heap);
    if (c->epoll >= 0)
        close(c->epoll);
}

static int by_time(const void *x, const void *y)
{
    float a = *(const float *)x, b = *(const float *)y;

    return a < b ? -1 : a > b;
}

double crowd_percentile(struct crowd_times *t, unsigned p)
{
    if (t->n == 0)
        return 0;
    qsort(t->ms, t->n, sizeof(*t->ms), by_time);
    return t->ms[(t->n * p + 99) / 100 - (p ? 1 : 0)];
}
