/*
 * How many returns a second are durable: documents over HTTP, session check,
 * all rules, sealing, ledger, until the token index is merged and the ledger
 * verifies; beside a plain program that appends the same bytes with the same
 * flush to the same disk, before and after.
 *
 * usage: bench_ingest [--households N] [--connections N] [--suite sm|intl]
 *                     [--dir DIR] [--store URL] [--keep]
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "features/ledgers/ledgers.h"
#include "kit/os/os.h"
#include "load.h"
#include "row.h"

#define EAS 3200
#define COUNTIES 2

/* ---- the probe ---------------------------------------------------------------- */

/*
 * Appends `bytes` a record, one write a record, fdatasync after each `batch`
 * of them, for about `seconds`; records a second.
 */
static double probe(const char *dir, size_t bytes, unsigned batch,
                    double seconds, double *flush_ms)
{
    char path[512], *buf = calloc(1, bytes);
    int64_t began, now, flush = 0, flushes = 0;
    uint64_t n = 0;
    int fd;

    puan_format(path, sizeof(path), "%s.probe", dir);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || !buf) {
        free(buf);
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        buf[i] = (char)(i * 131);
    began = now = puan_os_mono_ns();
    while ((double)(now - began) < seconds * 1e9) {
        for (unsigned i = 0; i < batch; i++)
            if (write(fd, buf, bytes) != (ssize_t)bytes)
                break;
        now = puan_os_mono_ns();
        if (fdatasync(fd) != 0)
            break;
        flush += puan_os_mono_ns() - now;
        now = puan_os_mono_ns();
        flushes++;
        n += batch;
    }
    close(fd);
    unlink(path);
    free(buf);
    *flush_ms = flushes ? (double)flush / 1e6 / (double)flushes : 0;
    return (double)n / ((double)(now - began) / 1e9);
}

static int64_t tree_bytes(const char *dir)
{
    char command[640];
    long long n = 0;
    FILE *p;

    snprintf(command, sizeof(command), "du -sB1 '%s/returns'", dir);
    p = popen(command, "r");
    if (p) {
        if (fscanf(p, "%lld", &n) != 1)
            n = 0;
        pclose(p);
    }
    return n;
}

/* ---- the run -------------------------------------------------------------------- */

static int by_us(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

struct run {
    const struct load_options *o;
    struct load_server server;
    struct load_conn *conn;
    unsigned n_conn;
    uint32_t *order, *us; /* latencies */
    uint64_t n, next, done;
    int64_t tenth[11];
    int64_t began;
};

static bool send_next(struct run *r, struct load_conn *c)
{
    static const char path[] = "/api/v1/c/cn-population-2020/returns";
    char body[4096];
    uint64_t i;
    size_t n;

    if (r->next == r->n)
        return true;
    i = r->order[r->next++];
    n = load_document(body, sizeof(body), load_household(r->o, i), 0,
                      i % r->o->households + 1, (unsigned)i);
    c->tag = i;
    return load_post(c, path,
                     r->server.tokens + i / r->o->households * 40, body, n);
}

static int drive(struct run *r)
{
    struct epoll_event ev[64];
    int ep = epoll_create1(EPOLL_CLOEXEC);

    r->began = puan_os_mono_ns();
    for (unsigned k = 0; k < r->n_conn; k++) {
        struct puan_err err = { 0 };
        struct epoll_event e = { .events = EPOLLIN, .data.u32 = k };

        if (load_connect(&r->conn[k], r->server.address, &err) != PUAN_OK)
            return bench_failed("bench_ingest", &err);
        epoll_ctl(ep, EPOLL_CTL_ADD, r->conn[k].fd, &e);
        if (!send_next(r, &r->conn[k]))
            return 1;
    }
    while (r->done < r->n) {
        int n = epoll_wait(ep, ev, 64, 10000);

        if (n == 0) {
            fprintf(stderr, "bench_ingest: the server is silent\n");
            return 1;
        }
        for (int k = 0; k < n; k++) {
            struct load_conn *c = &r->conn[ev[k].data.u32];
            struct puan_str body;
            unsigned status = 0;
            int got = load_read(c, &status, &body);
            int64_t now;

            if (got == 0)
                continue;
            if (got < 0 || status != 201) {
                fprintf(stderr, "bench_ingest: answer %u: %.*s\n", status,
                        got < 0 ? 0 : (int)body.n, got < 0 ? "" : body.p);
                return 1;
            }
            now = puan_os_mono_ns();
            r->us[r->done++] = (uint32_t)((now - c->sent_ns) / 1000);
            if (r->done % (r->n / 10) == 0)
                r->tenth[r->done / (r->n / 10)] = now - r->began;
            if (!send_next(r, c)) {
                fprintf(stderr, "bench_ingest: the connection broke\n");
                return 1;
            }
        }
    }
    close(ep);
    return 0;
}

static int verify(const char *dir, const char *url, uint64_t want)
{
    struct puan_verify_options opt = { .url = url };
    struct puan_verify v;
    struct puan_err err = { 0 };
    struct puan_arena a;
    int rc = 0;

    puan_arena_init(&a, puan_os_alloc());
    if (puan_ledger_verify(&v, dir, &opt, &a, &err) != PUAN_OK)
        return bench_failed("bench_ingest", &err);
    if (v.n_problems > 0 || v.returns != want) {
        fprintf(stderr, "bench_ingest: %llu returns, want %llu; %s\n",
                (unsigned long long)v.returns, (unsigned long long)want,
                v.n_problems ? v.problem[0].text : "ledger verifies");
        rc = 1;
    }
    puan_arena_clear(&a);
    return rc;
}

static const unsigned batches[] = { 1, 2, 4, 8, 12, 16, 24, 32, 48, 64 };

int main(int argc, char **argv)
{
    struct load_options o = { .suite = "sm", .counties = COUNTIES,
                              .eas = EAS };
    struct run r = { .n_conn = 64 };
    struct puan_err err = { 0 };
    double before[PUAN_COUNT(batches)], ignore, after, base, flush = 0, secs;
    uint64_t want = 1000000, acts = 0, commits = 0;
    long long commit_ns = 0;
    bool keep = false;
    char dir[400] = "", line[128], self[512];
    int64_t t0, t1, t2, empty, full, kib;
    size_t bytes, at = 0;
    double batch;
    ssize_t n;

    if (argc > 1 && strcmp(argv[1], "--serve") == 0)
        return load_serve(argc, argv, NULL);
    for (int i = 1; i < argc; i++) {
        const char *v = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--keep") == 0)
            keep = true;
        else if (strcmp(argv[i], "--households") == 0)
            want = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--connections") == 0)
            r.n_conn = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--suite") == 0)
            o.suite = argv[++i];
        else if (strcmp(argv[i], "--store") == 0)
            o.url = argv[++i];
        else if (strcmp(argv[i], "--dir") == 0)
            puan_format(dir, sizeof(dir), "%s", argv[++i]);
        else {
            fprintf(stderr, "usage: bench_ingest [--households N] "
                            "[--connections N] [--suite sm|intl] [--dir DIR] "
                            "[--store URL] [--keep]\n");
            return 2;
        }
        (void)v;
    }
    n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (n <= 0)
        return 1;
    self[n] = '\0';
    if (!*dir)
        puan_format(dir, sizeof(dir), "%s/puan-bench-%d",
                    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp",
                    (int)getpid());
    o.dir = dir;
    if (want < 10 * (uint64_t)COUNTIES)
        want = 10 * (uint64_t)COUNTIES;
    if (want < (uint64_t)COUNTIES * EAS)
        o.eas = (unsigned)(want / COUNTIES);
    o.households = (unsigned)((want + (uint64_t)COUNTIES * o.eas - 1) /
                              ((uint64_t)COUNTIES * o.eas));
    r.o = &o;
    r.n = load_households(&o) / 10 * 10;
    if (r.n > want / 10 * 10)
        r.n = want / 10 * 10;
    if (load_prepare(&o, true, &err) != PUAN_OK)
        return bench_failed("bench_ingest", &err);
    for (size_t i = 0; i < PUAN_COUNT(batches); i++)
        before[i] = probe(dir, 2200, batches[i], 0.5, &ignore);

    r.order = malloc(load_households(&o) * sizeof(*r.order));
    r.us = malloc(r.n * sizeof(*r.us));
    r.conn = calloc(r.n_conn, sizeof(*r.conn));
    if (!r.order || !r.us || !r.conn)
        return 1;
    for (uint64_t i = 0; i < load_households(&o); i++)
        r.order[i] = (uint32_t)i;
    load_shuffle(r.order, load_households(&o));
    if (load_start(&r.server, self, &o, &err) != PUAN_OK)
        return bench_failed("bench_ingest", &err);
    empty = tree_bytes(dir);
    t0 = puan_os_mono_ns();
    if (drive(&r) != 0)
        return 1;
    t1 = puan_os_mono_ns();
    if (!load_ask(&r.server, "stats\n", line, sizeof(line)) ||
        sscanf(line, "stats %lu %lu %lld", &acts, &commits, &commit_ns) != 3)
        return 1;
    if (!load_ask(&r.server, "merge\n", line, sizeof(line)) ||
        strcmp(line, "ok") != 0) {
        fprintf(stderr, "bench_ingest: merge: %s\n", line);
        return 1;
    }
    kib = load_stop(&r.server);
    if (verify(dir, o.url, r.n) != 0)
        return 1;
    t2 = puan_os_mono_ns();
    full = tree_bytes(dir);

    bytes = (size_t)((full - empty) / (int64_t)r.n);
    batch = (double)acts / (double)commits;
    for (size_t i = 1; i < PUAN_COUNT(batches); i++)
        if (batches[i] <= batch)
            at = i;
    after = probe(dir, bytes, (unsigned)(batch + 0.5), 2.0, &flush);
    base = (before[at] + after) / 2;
    secs = (double)(t2 - t0) / 1e9;
    qsort(r.us, r.n, sizeof(*r.us), by_us);
    bench_row("ingest_rate", (double)r.n / secs, "returns/s",
        "probe, mean of before and after", (double)r.n / secs / base,
        "ratio 0.25, goal 0.35", (double)r.n / secs / base / 0.25);
    bench_row("ingest_rate_acknowledged", (double)r.n / ((double)(t1 - t0) / 1e9),
        "returns/s", "probe", (double)r.n / ((double)(t1 - t0) / 1e9) / base,
        "", -1);
    bench_row("probe_before", before[at], "records/s", "", -1, "", -1);
    bench_row("probe_after", after, "records/s", "", -1, "", -1);
    bench_row("probe_flush", flush, "ms", "", -1, "", -1);
    bench_row("ingest_last_tenth",
        (double)r.n / 10 / ((double)(r.tenth[10] - r.tenth[9]) / 1e9),
        "returns/s", "second tenth",
        (double)(r.tenth[2] - r.tenth[1]) / (double)(r.tenth[10] - r.tenth[9]),
        "ratio 0.8",
        (double)(r.tenth[2] - r.tenth[1]) / (double)(r.tenth[10] - r.tenth[9]) /
            0.8);
    bench_row("ingest_p50", (double)r.us[r.n / 2] / 1000, "ms", "", -1, "", -1);
    bench_row("ingest_p99", (double)r.us[r.n / 100 * 99] / 1000, "ms", "", -1, "",
        -1);
    bench_row("ingest_commit", (double)commit_ns / 1e6 / (double)commits, "ms", "",
        -1, "", -1);
    bench_row("ingest_batch", batch, "returns", "", -1, "", -1);
    bench_row("ingest_bytes", (double)bytes / 3, "bytes/person", "", -1, "", -1);
    bench_row("ingest_merge_verify", (double)(t2 - t1) / 1e9, "s", "", -1, "", -1);
    bench_row("ingest_server_peak", (double)kib / 1024, "MiB", "", -1,
        "512 at a city", -1);
    if (!keep) {
        char tokens[512];

        puan_format(tokens, sizeof(tokens), "%s.tokens", dir);
        unlink(tokens);
        (void)!puan_dir_remove(dir, &err);
    }
    return 0;
}
