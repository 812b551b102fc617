/*
 * The last evening: tablets bring their day's returns while households fill
 * in, against the server as it is shipped (`puan serve`), over lines that
 * break.  Prints how long each kind of request took, what the server used, and
 * holds afterwards every promise against the stores.
 *
 * With --inside N the server takes N households at once and more want in: the
 * others stand in the line, and those inside are measured.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "field.h"
#include "kit/os/os.h"
#include "row.h"

#define MOST_MS 1000 /* p95 of any kind */

struct server {
    const char *program;
    pid_t pid;
    char address[64];
    int64_t rss_kib, peak_kib; /* as last looked */
    double cpu_s;
};

/* ---- the server ----------------------------------------------------------------- */

static bool start(struct server *s, const struct field *f)
{
    char inside[16], line[256], *at;
    int out[2];
    size_t n = 0;

    puan_format(inside, sizeof(inside), "%u", f->many);
    if (pipe2(out, O_CLOEXEC) != 0)
        return false;
    s->pid = fork();
    if (s->pid == 0) {
        const char *argv[] = { s->program,   "serve",       f->load.dir,
                               "--kek-file", f->load.kek_file,
                               "--listen",   "127.0.0.1:0", "--quiet",
                               f->many ? "--households" : NULL,
                               inside,       NULL };

        dup2(out[1], 1);
        execv(s->program, (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(out[1]);
    while (s->pid > 0 && n + 1 < sizeof(line) && read(out[0], line + n, 1) == 1)
        if (line[n++] == '\n')
            break;
    close(out[0]);
    line[n] = 0;
    at = strstr(line, "http://");
    if (!at || sscanf(at, "http://%63[^/]", s->address) != 1) {
        fprintf(stderr, "bench_devices: %s did not start\n", s->program);
        return false;
    }
    return true;
}

/* Memory, and processor time used. */
static void look(struct server *s)
{
    char path[64], line[512];
    unsigned long user, system;
    FILE *f;

    puan_format(path, sizeof(path), "/proc/%d/status", (int)s->pid);
    f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f)) {
        if (strncmp(line, "VmHWM:", 6) == 0)
            s->peak_kib = strtoll(line + 6, NULL, 10);
        if (strncmp(line, "VmRSS:", 6) == 0)
            s->rss_kib = strtoll(line + 6, NULL, 10);
    }
    if (f)
        fclose(f);
    puan_format(path, sizeof(path), "/proc/%d/stat", (int)s->pid);
    f = fopen(path, "r");
    if (f && fgets(line, sizeof(line), f) && strrchr(line, ')') &&
        sscanf(strrchr(line, ')') + 2,
               "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
               &system) == 2)
        s->cpu_s = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
    if (f)
        fclose(f);
}

static bool stop(struct server *s)
{
    int status = 0;

    if (s->pid <= 0)
        return false;
    look(s);
    kill(s->pid, SIGTERM);
    while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
        ;
    s->pid = 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool verifies(const struct server *s, const struct field *f)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        setenv("PUAN_KEK_FILE", f->load.kek_file, 1);
        dup2(null, 1);
        dup2(null, 2);
        execl(s->program, s->program, "ledger", "verify", f->load.dir,
              (char *)NULL);
        _exit(127);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- the evening ----------------------------------------------------------------- */

struct evening {
    struct field f;
    struct server server;
    struct crowd crowd;
    struct tablet *tablet;
    struct family *family;
    unsigned n_tablets, n_inside, n_families, limit_ms;
    int64_t seconds;
    double took_s;
};

/*
 * Tablets come at any moment of the time; households take their seats in its
 * first fifth and hand them on when they leave, so that all of them are inside
 * for the better half of it.
 */
static void gather(struct evening *v)
{
    int64_t all = v->seconds * 1000;

    for (unsigned i = 0; i < v->n_tablets; i++)
        tablet_begin(&v->tablet[i], &v->crowd,
                     (int64_t)crowd_random(&v->crowd,
                                           (uint64_t)(all * 9 / 10)));
    for (unsigned i = 0; i < v->n_families; i++)
        if (i + v->n_inside < v->n_families)
            v->family[i].next = &v->family[i + v->n_inside];
    for (unsigned i = 0; i < v->n_inside && i < v->n_families; i++)
        family_begin(&v->family[i], &v->crowd,
                     (int64_t)crowd_random(&v->crowd, (uint64_t)(all / 5)));
}

static void each_second(void *arg)
{
    struct evening *v = arg;

    look(&v->server);
}

static bool spend(struct evening *v, unsigned breaks)
{
    int64_t began = puan_os_mono_ns();

    if (!start(&v->server, &v->f))
        return false;
    if (!crowd_open(&v->crowd, v->server.address, FIELD_KINDS, 20201103))
        return false;
    v->crowd.breaks = breaks;
    gather(v);
    /* whoever is not done then has been kept from it */
    crowd_run(&v->crowd, v->seconds * 1000 + 120000, each_second, v);
    v->took_s = (double)(puan_os_mono_ns() - began) / 1e9;
    if (v->crowd.alive)
        fprintf(stderr, "bench_devices: %zu did not come to an end\n",
                v->crowd.alive);
    return stop(&v->server);
}

/* ---- what came of it -------------------------------------------------------------- */

static int report(struct evening *v)
{
    unsigned faults = 0, broken = 0;
    int64_t places[4] = { 0 };
    double ms = 0;
    size_t asked = 0;
    int over = 0;
    unsigned differ, want = v->n_tablets * v->f.returns + v->n_families;
    char limit[24];
    bool reconciled;

    puan_format(limit, sizeof(limit), "%u ms", v->limit_ms);
    for (unsigned i = 0; i < FIELD_KINDS; i++) {
        struct crowd_times *t = &v->crowd.times[i];
        char name[64], against[80];
        double p95 = crowd_percentile(t, 95);

        asked += t->n;
        faults += i == K_SIGN_IN || i == K_SIGN_IN_PASSWORD ? 0 : t->faults;
        broken += t->broken;
        if (t->n == 0)
            continue;
        puan_format(name, sizeof(name), "devices %s", field_kind_names[i]);
        snprintf(against, sizeof(against), "n %zu, p50 %.1f, max %.0f", t->n,
                 crowd_percentile(t, 50), crowd_percentile(t, 100));
        bench_row(name, p95, "ms p95", against, -1, limit, v->limit_ms / p95);
        over += p95 >= v->limit_ms;
    }
    bench_row("devices_requests", (double)asked, "requests", "", -1, "", -1);
    bench_row("devices_lines_broken", (double)broken, "requests", "", -1, "",
              -1);
    bench_row("devices_faults", faults, "answers", "", -1, "0",
              faults ? 0 : 1);
    bench_row("devices_unexpected", v->f.wrong, "answers", "", -1, "0",
              v->f.wrong ? 0 : 1);
    if (v->f.wrong)
        fprintf(stderr, "bench_devices: %s\n", v->f.why);
    bench_row("devices_returns", v->f.sent, "receipts", "expected",
              (double)v->f.sent / want, "1", (double)v->f.sent / want);
    differ = field_books(&v->f, v->tablet, v->n_tablets, v->family,
                         v->n_families, places, &ms);
    bench_row("devices_lost_or_doubled", differ, "returns", "", -1, "0",
              differ ? 0 : 1);
    reconciled = places[0] == (int64_t)v->n_tablets * v->f.returns &&
                 places[1] + places[2] + places[3] == 0;
    bench_row("devices_reconciled", (double)places[0], "in the ledger",
              "elsewhere", (double)(places[1] + places[2] + places[3]), "0",
              reconciled);
    bench_row("devices_reconciliation", ms, "ms", "the page's answer", -1, "",
              -1);
    bench_row("devices_inside", (double)v->f.most_inside, "households",
              "at once, at most", -1, "", -1);
    if (v->f.many) {
        bench_row("devices_waited", (double)v->f.waited, "households",
                  "in the line", -1, "", -1);
        bench_row("devices_places_grew", (double)v->f.places_grew, "places",
                  "", -1, "0", v->f.places_grew ? 0 : 1);
    }
    bench_row("devices_memory_peak", (double)v->server.peak_kib / 1024, "MiB",
              "at the end",
              v->server.peak_kib ? (double)v->server.rss_kib /
                                       (double)v->server.peak_kib
                                 : 0,
              "", -1);
    bench_row("devices_processor", v->server.cpu_s / v->took_s, "cores",
              "of the server", -1, "", -1);
    bench_row("devices_time", v->took_s, "s", "", -1, "", -1);
    /* the machine itself: others may have kept it from this program */
    bench_row("devices_crowd_late", crowd_percentile(&v->crowd.late, 95),
              "ms p95", "max",
              crowd_percentile(&v->crowd.late, 100), "", -1);
    return over > 0 || faults > 0 || v->f.wrong > 0 || differ > 0 ||
           v->f.sent != want || !reconciled || v->f.places_grew > 0 ||
           (v->f.many && v->f.most_inside > (int64_t)v->f.many) ||
           !verifies(&v->server, &v->f);
}

static unsigned number(const char *text)
{
    return (unsigned)strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
    struct evening v = { .n_tablets = 2000,
                         .n_inside = 1000,
                         .seconds = 600,
                         .limit_ms = MOST_MS };
    struct rlimit files = { 20000, 20000 };
    struct puan_err err = { 0 };
    unsigned breaks = 20, stays = 2, places;
    bool keep = false;
    char dir[400] = "", kek[420];
    int code;

    v.f.returns = 10;
    v.f.saves = 8;
    v.f.load.suite = "sm";
    v.server.program = getenv("PUAN") ? getenv("PUAN") : "build/puan";
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--keep") == 0) {
            keep = true;
            continue;
        }
        if (i + 1 == argc) {
            fprintf(stderr,
                    "usage: bench_devices [--tablets N] [--returns N] "
                    "[--households N at once] [--turns N] [--inside N] "
                    "[--seconds N] [--breaks N of 1,000] "
                    "[--limit MS] [--suite sm|intl] "
                    "[--store URL] [--dir DIR] [--keep]\n");
            return 2;
        }
        if (strcmp(argv[i], "--tablets") == 0)
            v.n_tablets = number(argv[++i]);
        else if (strcmp(argv[i], "--returns") == 0)
            v.f.returns = number(argv[++i]);
        else if (strcmp(argv[i], "--households") == 0)
            v.n_inside = number(argv[++i]);
        else if (strcmp(argv[i], "--turns") == 0)
            stays = number(argv[++i]);
        else if (strcmp(argv[i], "--inside") == 0)
            v.f.many = number(argv[++i]);
        else if (strcmp(argv[i], "--seconds") == 0)
            v.seconds = number(argv[++i]);
        else if (strcmp(argv[i], "--breaks") == 0)
            breaks = number(argv[++i]);
        else if (strcmp(argv[i], "--limit") == 0)
            v.limit_ms = number(argv[++i]);
        else if (strcmp(argv[i], "--suite") == 0)
            v.f.load.suite = argv[++i];
        else if (strcmp(argv[i], "--store") == 0)
            v.f.load.url = argv[++i];
        else if (strcmp(argv[i], "--dir") == 0)
            puan_format(dir, sizeof(dir), "%s", argv[++i]);
        else
            return 2;
    }
    if (v.n_tablets < 1 || v.f.returns < 1 || v.f.returns > 60 ||
        v.seconds < 5 || stays < 1)
        return 2;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    if (!*dir)
        puan_format(dir, sizeof(dir), "%s/puan-devices-%d",
                    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp",
                    (int)getpid());
    puan_format(kek, sizeof(kek), "%s.kek", dir);
    v.f.load.dir = dir;
    v.f.load.birth = "drill";
    v.f.load.kek_file = kek;
    v.f.load.counties = 2;
    v.f.load.eas = (v.n_tablets + 1) / 2;
    v.f.load.households = 80;
    v.n_families = v.n_inside * stays;
    /* a stay is its savings and what is between: as long as its share */
    places = v.f.many && v.f.many < v.n_inside ? v.f.many : v.n_inside;
    v.f.pause_ms = v.seconds * 700 * places / (v.n_families + 1) /
                   (v.f.saves + 3);
    v.f.ask_again_ms = v.seconds < 60 ? 400 : 0;
    v.tablet = calloc(v.n_tablets, sizeof(*v.tablet));
    v.family = calloc(v.n_families + 1, sizeof(*v.family));
    if (!v.tablet || !v.family)
        return 1;
    if (field_prepare(&v.f, v.tablet, v.n_tablets, v.family, v.n_families,
                      &err) != PUAN_OK)
        return bench_failed("bench_devices", &err);
    if (!spend(&v, breaks)) {
        if (v.server.pid > 0)
            (void)stop(&v.server);
        return 1;
    }
    code = report(&v);
    for (unsigned i = 0; i < v.n_tablets; i++) {
        free((int64_t *)(uintptr_t)v.tablet[i].household);
        tablet_end(&v.tablet[i]);
    }
    free(v.tablet);
    free(v.family);
    crowd_close(&v.crowd);
    puan_p256_free(v.f.office);
    puan_p256_free(v.f.receipts);
    free((char *)(uintptr_t)v.f.campaign);
    if (!keep) {
        (void)!puan_dir_remove(dir, &err);
        unlink(kek);
    }
    return code;
}
