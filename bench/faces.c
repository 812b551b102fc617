/*
 * What the faces cost.  Returns a second over HTTP with and without ten open
 * command boards, in alternating runs over one growing city; then, at rest,
 * how long the server takes for what each page asks.
 *
 * A board does what the page does: an event stream on "counts", and after an
 * event, at most every two seconds, the board and the map's figures again,
 * with the ETag it has; every 30 s in any case.  The boards are ten accounts,
 * so that each has its own list of decisions.
 *
 * usage: bench_faces [--households N] [--runs N] [--connections N]
 *                    [--rounds N] [--suite sm|intl] [--dir DIR] [--keep]
 * The defaults are the city: 370,836 households, five runs of each kind.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "kit/http/client.h"
#include "kit/os/os.h"
#include "load.h"
#include "row.h"

#define BASE "/api/v1/c/cn-population-2020"
#define COUNTY "370883"
#define RUNS 15
#define QUIET_NS (INT64_C(2) * 1000000000)
#define RELOAD_NS (INT64_C(30) * 1000000000)
#define LEAST_RATIO 0.85
#define MOST_MS 200.0

/* ---- seats ------------------------------------------------------------------ */

struct office {
    char role[64], token[64];
};
static struct office office[64];
static size_t n_offices;

static int read_offices(const char *dir)
{
    char path[512];
    FILE *f;

    puan_format(path, sizeof(path), "%s.offices", dir);
    f = fopen(path, "r");
    while (f && n_offices < PUAN_COUNT(office) &&
           fscanf(f, "%63s %63s", office[n_offices].role,
                  office[n_offices].token) == 2)
        n_offices++;
    if (f)
        fclose(f);
    return n_offices >= LOAD_BOARDS ? 0 : 1;
}

static const char *token_of(const char *role, unsigned nth)
{
    for (size_t i = 0; i < n_offices; i++)
        if (strcmp(office[i].role, role) == 0 && nth-- == 0)
            return office[i].token;
    return NULL;
}

/* ---- a board ------------------------------------------------------------------ */

struct board {
    pthread_t thread;
    const char *address, *token;
    atomic_bool *stop;
    uint64_t answers, unchanged, events, wrong;
};

struct asked {
    const char *path;
    char tag[64];
};

static void ask(struct board *b, struct puan_http_client *c, struct asked *a)
{
    char headers[128] = "";
    struct puan_http_call call = { .method = "GET", .path = a->path,
                                   .token = b->token };
    struct puan_http_reply r;
    struct puan_str tag;

    if (a->tag[0]) {
        snprintf(headers, sizeof(headers), "If-None-Match: %s\r\n", a->tag);
        call.headers = headers;
    }
    if (puan_http_call(&r, c, &call, NULL) != PUAN_OK ||
        (r.status != 200 && r.status != 304)) {
        b->wrong++;
        return;
    }
    b->answers++;
    b->unchanged += r.status == 304;
    tag = puan_http_reply_header(&r, "ETag");
    snprintf(a->tag, sizeof(a->tag), "%.*s", PUAN_FMT(tag));
}

/* The event stream: its own connection, read whenever something comes. */
static int listen_events(struct board *b)
{
    struct load_conn *c = calloc(1, sizeof(*c));
    char head[512];
    int fd = -1;
    size_t n;

    if (c && load_connect(c, b->address, NULL) == PUAN_OK) {
        n = puan_format(head, sizeof(head),
                        "GET " BASE "/events?topics=counts,cases,lots HTTP/1.1"
                        "\r\nHost: puan\r\nAuthorization: Bearer %s\r\n"
                        "Accept: text/event-stream\r\n\r\n",
                        b->token);
        fd = c->fd;
        if (send(fd, head, n, MSG_NOSIGNAL) != (ssize_t)n) {
            close(fd);
            fd = -1;
        }
    }
    free(c);
    return fd;
}

static void *watch(void *arg)
{
    struct board *b = arg;
    struct asked page[] = { { BASE "/board?area=" COUNTY, "" },
                            { BASE "/progress/map?area=" COUNTY
                                   "&level=township&measure=progress",
                              "" } };
    struct asked shapes = { BASE "/map/township?area=" COUNTY, "" };
    struct puan_http_client *c = NULL;
    int64_t last = 0;
    bool changed = true, first = true;
    int fd = listen_events(b);

    if (fd < 0 || puan_http_client_open(&c, b->address, NULL) != PUAN_OK) {
        b->wrong++;
        return NULL;
    }
    while (!atomic_load(b->stop)) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int64_t now = puan_os_mono_ns();
        char text[4097];
        ssize_t n;

        if (poll(&p, 1, 50) > 0) {
            n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
            if (n == 0 || (n < 0 && errno != EAGAIN)) {
                b->wrong++;
                break;
            }
            if (n > 0) {
                text[n] = '\0';
                if (first && !strstr(text, " 200 ")) {
                    b->wrong++;
                    break;
                }
                first = false;
                if (strstr(text, "event: counts")) {
                    b->events++;
                    changed = true;
                }
            }
        }
        if ((changed && now - last >= QUIET_NS) || now - last >= RELOAD_NS) {
            if (last == 0)
                ask(b, c, &shapes);
            for (size_t i = 0; i < PUAN_COUNT(page); i++)
                ask(b, c, &page[i]);
            last = puan_os_mono_ns();
            changed = false;
        }
    }
    puan_http_client_close(c);
    close(fd);
    return NULL;
}

/* ---- returns ------------------------------------------------------------------- */

struct run {
    const struct load_options *o;
    struct load_server server;
    struct load_conn *conn;
    unsigned n_conn;
    uint32_t *order;
    uint64_t next, done, until;
};

static bool send_next(struct run *r, struct load_conn *c)
{
    char body[4096];
    uint64_t i;
    size_t n;

    if (r->next == r->until)
        return true;
    i = r->order[r->next++];
    n = load_document(body, sizeof(body), load_household(r->o, i), 0,
                      i % r->o->households + 1, (unsigned)i);
    return load_post(c, BASE "/returns",
                     r->server.tokens + i / r->o->households * 40, body, n);
}

/* Sends households [next, until); returns a second, or 0. */
static double drive(struct run *r, uint64_t until)
{
    struct epoll_event ev[64];
    uint64_t began_at = r->next;
    int64_t began = puan_os_mono_ns();
    int ep = epoll_create1(EPOLL_CLOEXEC);

    r->until = until;
    for (unsigned k = 0; k < r->n_conn; k++) {
        struct puan_err err = { 0 };
        struct epoll_event e = { .events = EPOLLIN, .data.u32 = k };

        if (load_connect(&r->conn[k], r->server.address, &err) != PUAN_OK)
            return bench_failed("bench_faces", &err), 0;
        epoll_ctl(ep, EPOLL_CTL_ADD, r->conn[k].fd, &e);
        if (!send_next(r, &r->conn[k]))
            return 0;
    }
    while (r->done < until) {
        int n = epoll_wait(ep, ev, 64, 10000);

        if (n == 0) {
            fprintf(stderr, "bench_faces: the server is silent\n");
            return 0;
        }
        for (int k = 0; k < n; k++) {
            struct load_conn *c = &r->conn[ev[k].data.u32];
            struct puan_str body;
            unsigned status = 0;
            int got = load_read(c, &status, &body);

            if (got == 0)
                continue;
            if (got < 0 || status != 201) {
                fprintf(stderr, "bench_faces: answer %u: %.*s\n", status,
                        got < 0 ? 0 : (int)body.n, got < 0 ? "" : body.p);
                return 0;
            }
            r->done++;
            if (!send_next(r, c))
                return 0;
        }
    }
    close(ep);
    for (unsigned k = 0; k < r->n_conn; k++)
        load_disconnect(&r->conn[k]);
    return (double)(until - began_at) * 1e9 /
           (double)(puan_os_mono_ns() - began);
}

/* ---- pages at rest ---------------------------------------------------------------- */

/*
 * What each page of the office asks for when it opens, and with which seat.
 * %H is a household's key; requests about one thing choose another each time.
 */
static const struct page {
    const char *page, *role, *path;
} pages[] = {
    { "board", "county-head", "/board?area=" COUNTY },
    { "board", "county-head",
      "/progress/map?area=" COUNTY "&level=township&measure=progress" },
    { "board", "county-head",
      "/progress/map?area=" COUNTY "&level=ea&measure=silence" },
    { "progress", "county-business", "/progress?area=" COUNTY },
    { "progress", "county-business", "/progress?area=" COUNTY "001" },
    { "progress", "county-business", "/progress/curve?area=" COUNTY },
    { "review", "county-business",
      "/review?state=waiting&area=" COUNTY },
    { "review", "county-business", "/review/counts?area=" COUNTY },
    { "review", "county-business", "/review/eas?area=" COUNTY "001" },
    { "household", "county-business", "/households/%H/page" },
    { "duplicates", "county-business", "/duplicates?area=" COUNTY },
    { "lots", "county-business", "/lots/areas?area=" COUNTY },
    { "lots", "county-business", "/lots/preview?area=" COUNTY "001" },
    { "cases", "county-business", "/cases?area=" COUNTY "&open=true" },
    { "cases", "county-business", "/notices" },
    { "tables", "county-data", "/tables?area=" COUNTY },
    { "releases", "county-general", "/releases?area=" COUNTY },
    { "people", "security-admin", "/people?limit=50" },
    { "ledger", "audit-admin", "/ledger?area=" COUNTY "&limit=50" },
    { "shell", "county-business", "/areas?parent=" COUNTY },
};

static int by_time(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return a < b ? -1 : a > b;
}

static double percentile(double *v, size_t n, unsigned p)
{
    qsort(v, n, sizeof(*v), by_time);
    return n ? v[(n * p + 99) / 100 - 1] : 0;
}

static int measure_pages(struct run *r, unsigned rounds)
{
    double *took = calloc((size_t)rounds * PUAN_COUNT(pages), sizeof(*took));
    unsigned wrong[PUAN_COUNT(pages)] = { 0 };
    struct puan_http_client *c = NULL;
    struct puan_err err = { 0 };
    int over = 0;

    if (!took ||
        puan_http_client_open(&c, r->server.address, &err) != PUAN_OK)
        return bench_failed("bench_faces", &err);
    for (unsigned k = 0; k < rounds; k++) {
        /* longer than an answer is kept: each is made anew */
        struct timespec pause = { 1, 100000000 };

        nanosleep(&pause, NULL);
        for (size_t i = 0; i < PUAN_COUNT(pages); i++) {
            char path[256], *at;
            struct puan_http_call call = { .method = "GET", .path = path };
            struct puan_http_reply reply;
            int64_t began;

            call.token = token_of(pages[i].role, k % LOAD_BOARDS);
            if (!call.token)
                call.token = token_of(pages[i].role, 0);
            snprintf(path, sizeof(path), BASE "%s", pages[i].path);
            at = strstr(path, "%H");
            if (at) {
                char rest[128], key[24];

                snprintf(rest, sizeof(rest), "%s", at + 2);
                snprintf(key, sizeof(key), "%lld",
                         (long long)load_household(
                             r->o, (uint64_t)k * 7919 % r->done));
                snprintf(at, sizeof(path) - (size_t)(at - path), "%s%s", key,
                         rest);
            }
            began = puan_os_mono_ns();
            if (!call.token ||
                puan_http_call(&reply, c, &call, &err) != PUAN_OK ||
                reply.status != 200) {
                if (wrong[i]++ == 0)
                    fprintf(stderr, "bench_faces: %s %s: %u %.*s\n",
                            pages[i].role, path, call.token ? reply.status : 0,
                            call.token ? (int)(reply.body.n < 200 ? reply.body.n
                                                                  : 200)
                                       : 0,
                            call.token ? reply.body.p : "");
                continue;
            }
            took[i * rounds + k] =
                (double)(puan_os_mono_ns() - began) / 1e6;
        }
    }
    for (size_t i = 0; i < PUAN_COUNT(pages); i++) {
        char name[160];
        double p95;

        snprintf(name, sizeof(name), "page %s %s", pages[i].page,
                 pages[i].path);
        if (wrong[i]) {
            bench_row(name, 0, "ms p95", "", -1, "not answered", 0);
            over++;
            continue;
        }
        p95 = percentile(took + i * rounds, rounds, 95);
        bench_row(name, p95, "ms p95", "", -1, "200 ms", MOST_MS / p95);
        over += p95 > MOST_MS;
    }
    free(took);
    puan_http_client_close(c);
    return over;
}

/* ---- all of it ----------------------------------------------------------------------- */

static void settle(unsigned seconds)
{
    struct timespec pause = { (time_t)seconds, 500000000 };

    nanosleep(&pause, NULL);
}

static double with_boards(struct run *r, uint64_t until, struct board *b)
{
    atomic_bool stop = false;
    double rate;

    memset(b, 0, LOAD_BOARDS * sizeof(*b));
    for (unsigned i = 0; i < LOAD_BOARDS; i++) {
        b[i].address = r->server.address;
        b[i].token = token_of("county-head", i);
        b[i].stop = &stop;
        if (pthread_create(&b[i].thread, NULL, watch, &b[i]) != 0)
            exit(1);
    }
    settle(2); /* they are open before the clock begins */
    rate = drive(r, until);
    atomic_store(&stop, true);
    for (unsigned i = 0; i < LOAD_BOARDS; i++)
        pthread_join(b[i].thread, NULL);
    return rate;
}

int main(int argc, char **argv)
{
    struct load_options o = { .suite = "sm", .counties = 1, .eas = 4000 };
    struct run r = { .n_conn = 64 };
    struct board boards[LOAD_BOARDS];
    struct puan_err err = { 0 };
    double without[RUNS], with[RUNS], a, b;
    uint64_t want = 370836, n, answers = 0, unchanged = 0, events = 0,
             wrong = 0;
    unsigned runs = 5, rounds = 40;
    bool keep = false;
    char dir[400] = "", self[512];
    ssize_t length;
    int over;

    if (argc > 1 && strcmp(argv[1], "--serve") == 0)
        return load_serve(argc, argv, NULL);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--keep") == 0)
            keep = true;
        else if (i + 1 == argc) {
            fprintf(stderr, "usage: bench_faces [--households N] [--runs N] "
                            "[--connections N] [--rounds N] [--suite sm|intl] "
                            "[--dir DIR] [--keep]\n");
            return 2;
        } else if (strcmp(argv[i], "--households") == 0)
            want = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--runs") == 0)
            runs = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--rounds") == 0)
            rounds = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--connections") == 0)
            r.n_conn = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--suite") == 0)
            o.suite = argv[++i];
        else if (strcmp(argv[i], "--dir") == 0)
            puan_format(dir, sizeof(dir), "%s", argv[++i]);
        else
            return 2;
    }
    if (runs < 1 || runs > RUNS || rounds < 1 || want < 2000) {
        fprintf(stderr, "bench_faces: 1 to %d runs, at least 1 round and 2,000 "
                        "households\n",
                RUNS);
        return 2;
    }
    length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length <= 0)
        return 1;
    self[length] = '\0';
    if (!*dir)
        puan_format(dir, sizeof(dir), "%s/puan-faces-%d",
                    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp",
                    (int)getpid());
    o.dir = dir;
    if (want < (uint64_t)o.eas * 20)
        o.eas = (unsigned)(want / 20);
    o.households = (unsigned)((want + o.eas - 1) / o.eas);
    r.o = &o;
    if (load_prepare(&o, true, &err) != PUAN_OK)
        return bench_failed("bench_faces", &err);
    n = load_households(&o);
    r.order = malloc(n * sizeof(*r.order));
    r.conn = calloc(r.n_conn, sizeof(*r.conn));
    if (!r.order || !r.conn)
        return 1;
    for (uint64_t i = 0; i < n; i++)
        r.order[i] = (uint32_t)i;
    load_shuffle(r.order, n);
    if (load_start(&r.server, self, &o, &err) != PUAN_OK)
        return bench_failed("bench_faces", &err);
    if (read_offices(dir) != 0) {
        fprintf(stderr, "bench_faces: no office seats\n");
        return 1;
    }
    if (want < n)
        n = want;
    /* a first piece warms both sides up and is not counted */
    if (drive(&r, n / (2 * runs + 1)) <= 0)
        return 1;
    for (unsigned k = 0; k < runs; k++) {
        uint64_t piece = n / (2 * runs + 1);

        /* which comes first changes from run to run */
        for (unsigned half = 0; half < 2; half++) {
            uint64_t until = r.next + piece;

            if ((half + k) % 2 == 0) {
                settle(2);
                without[k] = drive(&r, until);
                if (without[k] <= 0)
                    return 1;
                continue;
            }
            with[k] = with_boards(&r, until, boards);
            if (with[k] <= 0)
                return 1;
            for (unsigned i = 0; i < LOAD_BOARDS; i++) {
                answers += boards[i].answers;
                unchanged += boards[i].unchanged;
                events += boards[i].events;
                wrong += boards[i].wrong;
            }
        }
        fprintf(stderr, "run %u: %.0f without, %.0f with boards\n", k + 1,
                without[k], with[k]);
    }
    if (r.next < n && drive(&r, n) <= 0) /* what division left over */
        return 1;
    a = percentile(without, runs, 50);
    b = percentile(with, runs, 50);
    bench_row("faces_ingest", a, "returns/s", "", -1, "", -1);
    bench_row("faces_ingest_boards", b, "returns/s", "faces_ingest, median of runs",
        b / a, "ratio 0.85", b / a / LEAST_RATIO);
    bench_row("faces_board_answers", (double)answers, "answers", "unchanged",
        answers ? (double)unchanged / (double)answers : 0, "", -1);
    bench_row("faces_board_events", (double)events, "events", "", -1, "", -1);
    bench_row("faces_board_wrong", (double)wrong, "answers", "", -1, "0",
        wrong ? 0 : 1);
    settle(5); /* what runs behind the commits has caught up */
    over = measure_pages(&r, rounds);
    bench_row("faces_households", (double)r.done, "households", "", -1, "", -1);
    load_stop(&r.server);
    if (!keep) {
        char path[512];

        puan_format(path, sizeof(path), "%s.tokens", dir);
        unlink(path);
        puan_format(path, sizeof(path), "%s.offices", dir);
        unlink(path);
        (void)!puan_dir_remove(dir, &err);
    }
    return over > 0 || wrong > 0 || b / a < LEAST_RATIO ? 1 : 0;
}
