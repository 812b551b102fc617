/*
 * puan demo: the census of a simulated area from beginning to end.
 */
#include "features/demo/demo.h"
#include "features/demo/people.h"
#include "features/demo/review.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "features/host/args.h"
#include "kit/crypto/crypto.h"
#include "kit/job/progress.h"
#include "kit/os/os.h"

extern char **environ;

/* ---- stages ---------------------------------------------------------------
 */

static void end_stage(struct puan_demo *d)
{
    if (d->n_stages)
        d->stage[d->n_stages - 1].ms = puan_monotonic_ms() - d->stage_began;
}

void puan_demo_stage(struct puan_demo *d, const char *name, const char *zh,
                     const char *en)
{
    end_stage(d);
    d->stage_began = puan_monotonic_ms();
    if (d->n_stages < PUAN_DEMO_STAGES)
        d->stage[d->n_stages++].name = name;
    fprintf(stderr,
            isatty(STDERR_FILENO) ? "\033[1m%2zu  %s  %s\033[0m\n"
                                  : "%2zu  %s  %s\n",
            d->n_stages, zh, en);
}

void puan_demo_say(const char *fmt, ...)
{
    char line[512];
    va_list ap;

    va_start(ap, fmt);
    puan_vformat(line, sizeof(line), fmt, ap);
    va_end(ap);
    fprintf(stderr, "    %s\n", line);
}

struct puan_ack *puan_demo_ack(struct puan_demo *d, int64_t household)
{
    size_t lo = 0, hi = d->n_ack;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (d->ack[mid].household < household)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < d->n_ack && d->ack[lo].household == household ? &d->ack[lo]
                                                              : NULL;
}

static void end_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
}

/* ---- processes -------------------------------------------------------------
 */

/*
 * Waits for the signal that ends the demonstration before its time, ends what
 * it has started, and leaves: no process outlives this one.  The folder stays,
 * the next demonstration in it begins anew.
 */
static void *wait_for_end(void *arg)
{
    struct puan_demo *d = arg;
    sigset_t set;
    int sig = SIGINT, pid;

    end_signals(&set);
    while (sigwait(&set, &sig) != 0)
        ;
    atomic_store(&d->ending, true);
    pid = atomic_load(&d->child);
    if (pid > 0 && kill(pid, SIGTERM) == 0)
        (void)waitpid(pid, NULL, 0);
    pid = atomic_load(&d->second);
    if (pid > 0 && kill(pid, SIGTERM) == 0)
        (void)waitpid(pid, NULL, 0);
    pid = atomic_load(&d->server);
    if (pid > 0 && kill(pid, SIGTERM) == 0)
        (void)waitpid(pid, NULL, 0);
    if (atomic_load(&d->serving)) {
        fprintf(stderr, "\n演示结束  the demonstration has ended\n");
        _exit(PUAN_EXIT_DONE);
    }
    fprintf(stderr, "\n演示已中断，再次运行将从头开始\n"
                    "puan demo: interrupted; the next run begins anew\n");
    _exit(128 + sig);
}

enum puan_status puan_demo_spawn(int *pid, const struct puan_demo *d,
                                 const char *const *argv,
                                 posix_spawn_file_actions_t *fa,
                                 struct puan_err *err)
{
    posix_spawnattr_t attr;
    sigset_t none;
    char *args[32];
    size_t n = 0;
    pid_t p = 0;
    int x;

    for (; argv[n] && n < PUAN_COUNT(args) - 1; n++)
        args[n] = (char *)(uintptr_t)argv[n];
    args[n] = NULL;
    sigemptyset(&none); /* this program's own mask is not for its children */
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attr, 0); /* Ctrl-C is for this program alone */
    posix_spawnattr_setsigmask(&attr, &none);
    x = posix_spawn(&p, d->self, fa, &attr, args, environ);
    posix_spawnattr_destroy(&attr);
    if (x != 0)
        return puan_fail(err, PUAN_EIO, d->self, "cannot be started: error %d",
                         x);
    *pid = p;
    return PUAN_OK;
}

/* Starts this program with other words; output to `log` when given. */
static enum puan_status spawn(int *pid, const struct puan_demo *d,
                              const char *const *argv, const char *log,
                              struct puan_err *err)
{
    posix_spawn_file_actions_t fa;
    enum puan_status st;

    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
    if (log) {
        posix_spawn_file_actions_addopen(&fa, 1, log,
                                         O_WRONLY | O_CREAT | O_APPEND, 0640);
        posix_spawn_file_actions_adddup2(&fa, 1, 2);
    } else {
        posix_spawn_file_actions_adddup2(&fa, 2, 1);
    }
    st = puan_demo_spawn(pid, d, argv, &fa, err);
    posix_spawn_file_actions_destroy(&fa);
    return st;
}

enum puan_status puan_demo_run(struct puan_demo *d, const char *const *argv,
                               const char *log, struct puan_err *err)
{
    int pid, code, status = 0;
    enum puan_status st = spawn(&pid, d, argv, log, err);

    if (st != PUAN_OK)
        return st;
    atomic_store(&d->child, pid);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    atomic_store(&d->child, 0);
    code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code == PUAN_EXIT_USAGE || code == PUAN_EXIT_INPUT)
        st = PUAN_EINVAL;
    else if (code == PUAN_EXIT_REFUSED)
        st = PUAN_ECONFLICT;
    else if (code != PUAN_EXIT_DONE)
        st = PUAN_EIO;
    if (st != PUAN_OK)
        return puan_fail(err, st, argv[1], "ended with status %d; %s%s", code,
                         log ? "its words stand in " : "see above",
                         log ? log : "");
    return PUAN_OK;
}

static void note_peak(struct puan_demo *d)
{
    char path[64], line[256];
    FILE *f;

    puan_format(path, sizeof(path), "/proc/%d/status", atomic_load(&d->server));
    f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, "VmHWM:", 6) == 0) {
            int64_t kib = strtoll(line + 6, NULL, 10);

            if (kib > d->peak_rss_kib)
                d->peak_rss_kib = kib;
        }
    if (f)
        fclose(f);
}

enum puan_status puan_demo_start(struct puan_demo *d, _Atomic int *server,
                                 const char *folder, const char *listen,
                                 struct puan_err *err)
{
    const char *argv[] = { "puan",     "serve",
                           folder,     "--listen",
                           listen,     d->o.web ? "--web" : NULL,
                           d->o.web,   NULL };
    struct puan_http_client *http = NULL;
    int pid = 0;
    enum puan_status st = spawn(&pid, d, argv, d->log, err);

    atomic_store(server, pid);
    puan_format(d->address, sizeof(d->address), "%s", listen);
    if (st == PUAN_OK)
        st = puan_http_client_open(&http, d->address, err);
    for (int i = 0; st == PUAN_OK; i++) {
        struct puan_http_call call = { .method = "GET", .path = "/readyz" };
        struct timespec tenth = { 0, 100000000 };
        struct puan_http_reply r;
        int status;

        /* first: another program's answer on this port is not ours */
        if (waitpid(pid, &status, WNOHANG) == pid || i == 1200) {
            atomic_store(server, i == 1200 ? pid : 0);
            st = puan_fail(err, PUAN_EIO, "puan serve",
                           "did not come up; its words stand in %s", d->log);
            break;
        }
        if (puan_http_call(&r, http, &call, NULL) == PUAN_OK && r.status == 200)
            break;
        nanosleep(&tenth, NULL);
    }
    puan_http_client_close(http);
    return st;
}

static enum puan_status stop_server(struct puan_demo *d, struct puan_err *err)
{
    int pid = atomic_load(&d->server), status = 0;

    if (pid == 0)
        return PUAN_OK;
    note_peak(d);
    kill(pid, SIGTERM);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    atomic_store(&d->server, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return puan_fail(err, PUAN_EIO, "puan serve",
                         "did not end cleanly; its words stand in %s", d->log);
    return PUAN_OK;
}

/* ---- the parts
 * --------------------------------------------------------------- */

static enum puan_status simulate(struct puan_demo *d, struct puan_err *err)
{
    char seed[24];
    const char *argv[] = {
        "puan",   "simulate", "--area",  d->o.area,
        "--seed", seed,       "--scale", d->o.scale ? d->o.scale : "1",
        "--plan", d->o.pack,  "--out",   d->sim,
        NULL
    };

    puan_format(seed, sizeof(seed), "%lld", (long long)d->o.seed);
    puan_demo_stage(d, "simulate", "模拟普查区域", "simulate the area");
    return puan_demo_run(d, argv, NULL, err);
}

/* The innermost area of the plan that contains all counties; 0 there is none.
 */
static int64_t common_area(const struct puan_demo *d)
{
    for (size_t l = d->plan->shard_level + 1; l-- > 0;) {
        int64_t first = 0;
        bool same = true;

        for (size_t k = 0; k < d->n_counties; k++) {
            int64_t code = d->county[k];

            for (unsigned n = d->plan->level[l].digits;
                 n < d->plan->level[d->plan->shard_level].digits; n++)
                code /= 10;
            if (k == 0)
                first = code;
            same &= code == first;
        }
        if (same && d->plan->level[l].digits)
            return first;
    }
    return 0;
}

/* Every county's folder, and the answers to a second question beside it. */
static enum puan_status open_cities(struct puan_demo *d, struct puan_err *err)
{
    const struct puan_form *form = d->plan->form[0];
    const char **names;
    size_t n, total = 0;
    const char *returns = puan_arena_fmt(&d->arena, "%s/returns", d->sim);
    enum puan_status st = puan_dir_list(&names, &n, returns, &d->arena, err);

    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        size_t k = d->n_counties;
        const char *again =
            puan_arena_fmt(&d->arena, "%s/returns_true/%s", d->sim, names[i]);

        if (k == PUAN_DEMO_COUNTIES)
            return puan_fail(err, PUAN_ELIMIT, returns,
                             "more than %d counties; give a smaller area",
                             PUAN_DEMO_COUNTIES);
        if (!puan_int_parse(&d->county[k], puan_str_of(names[i])))
            continue;
        st = puan_city_open(
            &d->city[k], puan_arena_fmt(&d->arena, "%s/%s", returns, names[i]),
            form, err);
        if (st == PUAN_OK && puan_dir_exists(again))
            st = puan_city_open(&d->again[k], again, form, err);
        if (st == PUAN_OK)
            total += puan_city_n(d->city[k]);
        d->n_counties++;
    }
    if (st != PUAN_OK)
        return st;
    d->top[0] = common_area(d);
    d->n_tops = 1;
    if (d->top[0] == 0) {
        memcpy(d->top, d->county, sizeof(d->top));
        d->n_tops = d->n_counties;
    }
    d->ack = calloc(total ? total : 1, sizeof(*d->ack));
    if (d->ack == NULL)
        return puan_fail(err, PUAN_ENOMEM, "demo", "out of memory");
    for (size_t k = 0; k < d->n_counties; k++)
        for (size_t i = 0; i < puan_city_n(d->city[k]); i++)
            d->ack[d->n_ack++].household =
                puan_city_visit(d->city[k], i)->household;
    return PUAN_OK;
}

static enum puan_status prepare(struct puan_demo *d, struct puan_err *err)
{
    const char *admins[] = { "puan",
                             "admin",
                             "first-run",
                             d->census,
                             "--secrets-file",
                             puan_arena_fmt(&d->arena, "%s/first-run.csv",
                                            d->o.dir),
                             NULL };
    const char *init[] = { "puan",    "init",    d->census, "--plan",
                           d->o.pack, "--birth", "demo",    NULL };
    static const char *const files[] = {
        "areas.csv",    "listing.csv",
        "staff.csv",    "register.csv",
        "boundaries_county.geojson", "boundaries_township.geojson",
        "boundaries_district.geojson", "boundaries_ea.geojson",
        "buildings.csv"
    };
    enum puan_status st;

    puan_demo_stage(d, "prepare", "建立普查目录，导入区划、底册、人员",
                    "make the campaign, import areas, listing, staff");
    st = puan_demo_run(d, init, d->log, err);
    if (st == PUAN_OK)
        st = puan_demo_run(d, admins, d->log, err);
    for (size_t i = 0; st == PUAN_OK && i < PUAN_COUNT(files); i++) {
        const char *path = puan_arena_fmt(&d->arena, "%s/%s", d->sim, files[i]);
        const char *import[] = { "puan", "import", d->census, path, NULL };

        if (puan_file_exists(path))
            st = puan_demo_run(d, import, NULL, err);
    }
    return st;
}

/* Keeps a large first area of the reports: what was simulated. */
static void note_simulated(struct puan_demo *d)
{
    int64_t households = 0, persons = 0;

    for (size_t k = 0; k < d->n_counties; k++) {
        households += (int64_t)puan_city_n(d->city[k]);
        for (size_t i = 0; i < puan_city_n(d->city[k]); i++)
            persons += puan_visit_persons(puan_city_visit(d->city[k], i));
    }
    puan_jw_ktext(&d->report, "area", d->o.area);
    puan_jw_ktext(&d->report, "scale", d->o.scale ? d->o.scale : "1");
    puan_jw_kint(&d->report, "households_simulated", households);
    puan_jw_kint(&d->report, "records_simulated", persons);
}

/* In each county the tenth of the households for the long form, and one in
   fifty of its innermost areas for the survey after the count: drawn at the
   desk that may, where the plan has one. */
static enum puan_status draw_samples(struct puan_demo *d, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    for (size_t k = 0; st == PUAN_OK && k < d->n_counties; k++) {
        struct puan_desk desk = { 0 };
        const char *body[] = {
            "{\"purpose\":\"long-form\",\"rate\":\"0.1\","
            "\"seed\":\"demo: long form\"}",
            puan_arena_fmt(
                &d->arena,
                "{\"purpose\":\"post-enumeration\",\"unit\":\"%.*s\","
                "\"draw\":\"pps\",\"size\":\"household\",\"rate\":\"0.02\","
                "\"least\":\"2\",\"seed\":\"demo: survey\"}",
                PUAN_FMT(d->plan->level[d->plan->n_levels - 1].id))
        };

        if (!puan_people_may(d, "sample.draw", d->county[k]))
            continue;
        st = puan_people_desk(&desk, d, "sample.draw", d->county[k], err);
        for (size_t i = 0; st == PUAN_OK && i < PUAN_COUNT(body); i++)
            st = puan_desk_call(NULL, NULL, &desk, "POST", "/samples", body[i],
                                0, &d->arena, err);
        puan_desk_close(&desk);
    }
    return st;
}

static enum puan_status census(struct puan_demo *d, struct puan_err *err)
{
    enum puan_status st = simulate(d, err);

    if (st == PUAN_OK)
        st = open_cities(d, err);
    if (st == PUAN_OK)
        st = puan_true_open(
            &d->truth, puan_arena_fmt(&d->arena, "%s/truth.csv", d->sim),
            d->o.oracle, puan_arena_fmt(&d->arena, "%s/oracle.db", d->o.dir),
            err);
    if (st != PUAN_OK)
        return st;
    note_simulated(d);
    st = prepare(d, err);
    if (st == PUAN_OK)
        st = puan_demo_start(d, &d->server, d->census, d->o.listen, err);
    if (st == PUAN_OK)
        st = puan_demo_people(d, err);
    if (st == PUAN_OK)
        st = draw_samples(d, err);
    if (st == PUAN_OK)
        st = puan_day_open(d, err);
    if (st == PUAN_OK)
        st = puan_demo_field(d, err);
    if (st == PUAN_OK)
        st = puan_demo_review(d, err);
    if (st == PUAN_OK)
        st = puan_demo_duplicates(d, err);
    if (st == PUAN_OK)
        st = puan_demo_lots(d, err);
    if (st == PUAN_OK)
        st = puan_demo_tables(d, err);
    if (st == PUAN_OK)
        st = puan_demo_release(d, err);
    if (st == PUAN_OK)
        st = puan_demo_incident(d, err);
    if (st != PUAN_OK)
        return st;
    st = puan_people_write(d, err);
    if (st != PUAN_OK)
        return st;
    puan_demo_stage(d, "verify", "停机核对，校验修改痕迹",
                    "stop, hold the store against the receipts, verify");
    st = stop_server(d, err);
    if (st == PUAN_OK)
        st = puan_demo_account(d, err);
    if (st == PUAN_OK && d->day)
        st = puan_day_restore(d, err);
    end_stage(d);
    return st;
}

/* ---- the command
 * --------------------------------------------------------------- */

static bool parse(struct puan_demo_options *o, int argc, char **argv)
{
    static const struct {
        const char *name;
        size_t offset;
    } texts[] = {
        { "--plans", offsetof(struct puan_demo_options, plans) },
        { "--data", offsetof(struct puan_demo_options, data) },
        { "--plan", offsetof(struct puan_demo_options, pack) },
        { "--area", offsetof(struct puan_demo_options, area) },
        { "--scale", offsetof(struct puan_demo_options, scale) },
        { "--dir", offsetof(struct puan_demo_options, dir) },
        { "--report", offsetof(struct puan_demo_options, report) },
        { "--listen", offsetof(struct puan_demo_options, listen) },
        { "--oracle", offsetof(struct puan_demo_options, oracle) },
        { "--web", offsetof(struct puan_demo_options, web) },
    };

    for (int i = 1; i < argc; i++) {
        size_t k = 0;

        if (strcmp(argv[i], "--once") == 0) {
            o->once = true;
            continue;
        }
        if (i + 1 == argc)
            return false;
        if (strcmp(argv[i], "--seed") == 0) {
            if (!puan_int_parse(&o->seed, puan_str_of(argv[++i])))
                return false;
            continue;
        }
        while (k < PUAN_COUNT(texts) && strcmp(argv[i], texts[k].name) != 0)
            k++;
        if (k == PUAN_COUNT(texts))
            return false;
        *(const char **)(void *)((char *)o + texts[k].offset) = argv[++i];
    }
    return true;
}

static void finish_report(struct puan_demo *d)
{
    puan_jw_kint(&d->report, "server_peak_rss_mib",
                 (d->peak_rss_kib + 1023) / 1024);
    puan_jw_key(&d->report, "seconds");
    puan_jw_map(&d->report);
    for (size_t i = 0; i < d->n_stages; i++) {
        char s[32];

        puan_format(s, sizeof(s), "%lld.%03lld",
                    (long long)(d->stage[i].ms / 1000),
                    (long long)(d->stage[i].ms % 1000));
        puan_jw_key(&d->report, d->stage[i].name);
        puan_jw_raw(&d->report, puan_str_of(s));
    }
    puan_jw_end(&d->report, '}');
    puan_jw_end(&d->report, '}');
    puan_out_char(d->report.out, '\n');
}

/*
 * Whether nobody listens at ADDRESS:PORT.  Asked before an hour's work, not
 * after it; what cannot be parsed is left for the server to refuse.
 */
static bool is_free(const char *listen)
{
    const struct addrinfo hint = { .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE };
    struct addrinfo *at = NULL;
    const char *colon = strrchr(listen, ':');
    char host[64];
    bool is = true;

    if (!colon || (size_t)(colon - listen) >= sizeof(host))
        return true;
    puan_format(host, sizeof(host), "%.*s", (int)(colon - listen), listen);
    if (getaddrinfo(host[0] ? host : NULL, colon + 1, &hint, &at) == 0) {
        int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int on = 1;

        if (fd >= 0) {
            (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
            is = bind(fd, at->ai_addr, at->ai_addrlen) == 0 ||
                 errno != EADDRINUSE;
            close(fd);
        }
        freeaddrinfo(at);
    }
    return is;
}

enum puan_status puan_demo_port(const char **listen, struct puan_demo *d,
                                const char *host, int port,
                                struct puan_err *err)
{
    for (int i = 0; i < 80 && port + i < 65536; i++) {
        *listen = puan_arena_fmt(&d->arena, "%s:%d", host, port + i);
        if (is_free(*listen))
            return PUAN_OK;
    }
    return puan_fail(err, PUAN_ECONFLICT, host,
                     "80 ports from %d on are all taken; choose another with "
                     "--listen",
                     port);
}

/* The address asked for, or the first free one from 127.0.0.1:8020 on. */
static enum puan_status find_address(struct puan_demo *d, struct puan_err *err)
{
    if (d->o.listen)
        return is_free(d->o.listen)
                   ? PUAN_OK
                   : puan_fail(err, PUAN_ECONFLICT, d->o.listen,
                               "another program has this port; choose another "
                               "with --listen");
    return puan_demo_port(&d->o.listen, d, "127.0.0.1", 8020, err);
}

/* A report that cannot be written is said at once, not after the census. */
static enum puan_status try_report(const struct puan_demo *d,
                                   struct puan_err *err)
{
    bool was = d->o.report && puan_file_exists(d->o.report);
    int fd;

    if (!d->o.report)
        return PUAN_OK;
    fd = open(d->o.report, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return puan_fail(err, PUAN_EINVAL, d->o.report,
                         "cannot be written: %s; name another file with "
                         "--report",
                         errno == ENOENT   ? "its folder does not exist"
                         : errno == EISDIR ? "it is a folder"
                                           : "no permission");
    close(fd);
    return was ? PUAN_OK : puan_file_remove(d->o.report, err);
}

static enum puan_status setup(struct puan_demo *d, struct puan_err *err)
{
    ssize_t n = readlink("/proc/self/exe", d->self, sizeof(d->self) - 1);
    enum puan_status st;

    if (n <= 0)
        return puan_fail(err, PUAN_EIO, "/proc/self/exe", "cannot be read");
    if (d->o.plans)
        setenv("PUAN_PLANS", d->o.plans, 1);
    if (d->o.data)
        setenv("PUAN_DATA", d->o.data, 1);
    if (d->o.plans && strchr(d->o.pack, '/') == NULL)
        d->o.pack = puan_arena_fmt(&d->arena, "%s/%s", d->o.plans, d->o.pack);
    st = find_address(d, err);
    if (st == PUAN_OK)
        st = try_report(d, err);
    if (st != PUAN_OK)
        return st;
    if (puan_dir_exists(d->o.dir)) {
        const char **names;
        size_t k;

        st = puan_dir_list(&names, &k, d->o.dir, &d->arena, err);
        if (st == PUAN_OK && k > 0 &&
            !puan_file_exists(
                puan_arena_fmt(&d->arena, "%s/demo.born", d->o.dir)))
            st = puan_fail(err, PUAN_ECONFLICT, d->o.dir,
                           "holds files that no demonstration made; name "
                           "another folder with --dir");
        else if (st == PUAN_OK)
            st = puan_dir_remove(d->o.dir, err);
        if (st != PUAN_OK)
            return st;
    }
    d->sim = puan_arena_fmt(&d->arena, "%s/sim", d->o.dir);
    d->census = puan_arena_fmt(&d->arena, "%s/census", d->o.dir);
    d->log = puan_arena_fmt(&d->arena, "%s/server.log", d->o.dir);
    st = puan_dir_make(d->o.dir, err);
    if (st == PUAN_OK)
        st = puan_file_write(
            puan_arena_fmt(&d->arena, "%s/demo.born", d->o.dir),
            PUAN_STR("made by puan demo; puan demo may remove it\n"), 0644,
            err);
    if (st == PUAN_OK)
        st = puan_plan_load_dir(&d->held, d->o.pack, puan_digest_sha256(), err);
    if (st == PUAN_OK)
        d->plan = puan_plan_held_plan(d->held);
    if (st == PUAN_OK)
        d->campaign = puan_arena_dup(&d->arena, d->plan->id);
    return st == PUAN_OK ? puan_arena_check(&d->arena, err) : st;
}

static void clear(struct puan_demo *d)
{
    int pid[] = { atomic_exchange(&d->server, 0),
                  atomic_exchange(&d->second, 0) };

    for (size_t i = 0; i < PUAN_COUNT(pid); i++)
        if (pid[i] > 0) {
            kill(pid[i], SIGTERM);
            waitpid(pid[i], NULL, 0);
        }
    for (size_t k = 0; k < d->n_counties; k++) {
        puan_city_close(d->city[k]);
        puan_city_close(d->again[k]);
    }
    puan_demo_review_close(d->review);
    puan_day_close(d->day);
    puan_people_close(d->people);
    puan_true_close(&d->truth);
    puan_plan_close(d->held);
    free(d->ack);
    puan_arena_clear(&d->arena);
}

static int run_demo(int argc, char **argv)
{
    struct puan_demo d = { .o = { .pack = PUAN_DEFAULT_PLAN,
                                  .dir = "demo-data",
                                  .oracle = "test/oracle/resident.sql",
                                  .seed = 1 } };
    struct puan_err err = { 0 };
    struct puan_out report;
    enum puan_status st;
    pthread_t end;
    sigset_t set;

    if (!parse(&d.o, argc, argv) || d.o.area == NULL)
        return PUAN_EXIT_USAGE;
    puan_arena_init(&d.arena, puan_os_alloc());
    puan_out_init(&report, &d.arena);
    puan_jw_init(&d.report, &report);
    puan_jw_map(&d.report);
    /* Before any other thread: only wait_for_end sees these. */
    end_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    st = setup(&d, &err);
    if (st == PUAN_OK && pthread_create(&end, NULL, wait_for_end, &d) != 0)
        st = puan_fail(&err, PUAN_ENOMEM, "demo", "no thread can be made");
    if (st == PUAN_OK)
        pthread_detach(end);
    if (st == PUAN_OK)
        st = census(&d, &err);
    if (st == PUAN_OK && !d.o.report && isatty(STDOUT_FILENO))
        d.o.report = puan_arena_fmt(&d.arena, "%s/report.json", d.o.dir);
    if (st == PUAN_OK) {
        finish_report(&d);
        st = puan_arena_check(&d.arena, &err);
    }
    if (st == PUAN_OK && d.o.report)
        st = puan_file_write(d.o.report, puan_out_view(&report), 0644, &err);
    if (st == PUAN_OK && d.o.report)
        puan_demo_say("报告 report: %s", d.o.report);
    else if (st == PUAN_OK)
        fwrite(report.p, 1, report.n, stdout);
    if (st == PUAN_OK && !d.o.once)
        st = puan_demo_live(&d, &err);
    while (atomic_load(&d.ending)) /* not its failure: wait_for_end leaves */
        pause();
    clear(&d);
    return st == PUAN_OK ? PUAN_EXIT_DONE : puan_command_fail(st, &err);
}

static const struct puan_command commands[] = {
    { "demo",
      "--area CODE [--once] [--scale X] [--dir DIR] [--report FILE] "
      "[--plan PACK] [--seed N] [--listen ADDRESS:PORT] [--plans FOLDER] "
      "[--data FOLDER] [--oracle FILE] [--web FOLDER]",
      "Simulates an area and runs its whole census through the real programs "
      "and over HTTP: accounts, returns of enumerators and households with "
      "retries and stale sends, queries and corrections, duplicates, "
      "acceptance, tables, a release under embargo, an incident with its "
      "deadline. Then holds the store against every receipt, verifies the "
      "ledger, accounts for the difference to the truth, writes a report and "
      "serves (--once: exits) both the finished census and, at the port asked "
      "for, the day of registration that the plan's demo/day.yaml names, with "
      "returns still arriving; a page of keys on a third port leads through "
      "them. --web: the built web tree.\n"
      "DIR (demo-data) is removed first if an earlier demo made it. Without "
      "--listen the first free port from 8020 on is taken. Without --report "
      "the report, JSON, goes to standard output, or to DIR/report.json when "
      "that is a terminal. DIR/accounts.txt lists the "
      "accounts.",
      run_demo, "演示：模拟一个区域，完整走一遍普查" },
};

const struct puan_feature puan_feature_demo = {
    .name = "demo",
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
};
