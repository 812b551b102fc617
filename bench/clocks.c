/*
 * Ten thousand open cases with clocks.  All of them fall due within one
 * minute, evenly; in the middle of it the server is killed and started again.
 * A reader beside the server sees each act once it is durable; what it sees
 * less what was due is how late the act was.  Then: none lacks, none acted
 * twice, the ledger verifies; how long the duty desk takes; what the server
 * takes of the processor while nothing is due.
 *
 * usage: bench_clocks [--cases N] [--seconds N] [--idle N] [--rounds N]
 *                     [--no-restart] [--suite sm|intl] [--dir DIR] [--keep]
 * The defaults: 10,000 cases, 60 seconds, 300 idle seconds, 30 rounds.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/ledger/ledger.h"
#include "features/cases/cases.h"
#include "features/ledgers/ledgers.h"
#include "kit/http/client.h"
#include "kit/os/os.h"
#include "load.h"
#include "row.h"

#define BASE "/api/v1/c/cn-population-2020"
#define COUNTY 370883
#define TAKE_OVER INT64_C(600000) /* the plan's setting take_over */
#define LEAD INT64_C(10000)       /* from the start of the clock to the first */
#define LATE_MS 1000.0
#define DESK_MS 200.0
#define MOST 200000

static const char program[] = "bench_clocks";

struct bench {
    struct load_options load;
    struct load_server server;
    struct puan_store *look; /* a second, reading store */
    unsigned cases, seconds, idle, rounds;
    bool restart, keep;
    int64_t *due;  /* of case i + 1, campaign time */
    double *late;  /* ms, when a reader first saw it; below 0: not yet */
    uint64_t seen;
    unsigned acted;
    int64_t gap_ns;   /* killed until it answers again */
    int64_t still_ms; /* the longest the machine let this program stand */
};

static void pause_ms(int64_t ms)
{
    struct timespec t = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

    nanosleep(&t, NULL);
}

static int by_size(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return a < b ? -1 : a > b;
}

static double percentile(double *v, size_t n, unsigned p)
{
    qsort(v, n, sizeof *v, by_size);
    return n ? v[(n * p + 99) / 100 - 1] : 0;
}

/* ---- the cases ------------------------------------------------------------ */

static enum puan_status seat_body(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    static const char *const role[] = { "duty-officer", "risk-office",
                                        "leading-group" };
    enum puan_status rc = PUAN_OK;

    (void)arg;
    for (int64_t i = 1; i <= (int64_t)PUAN_COUNT(role) && rc == PUAN_OK; i++) {
        struct puan_str r = puan_str_of(role[i - 1]);
        struct puan_stmt *s = NULL;
        struct puan_arena a;
        struct puan_out o;

        rc = puan_sql(&s, db,
                      "INSERT INTO seat(id, account, role, area, from_ms,"
                      " until_ms, ended, attested)"
                      " VALUES($1, $1, $2, $3, 0, 0, 0, '')",
                      err);
        if (rc != PUAN_OK)
            break;
        puan_bind_int(s, 1, i);
        puan_bind_text(s, 2, r);
        puan_bind_int(s, 3, COUNTY);
        rc = puan_stmt_run(s, err);
        puan_stmt_done(s);
        puan_arena_init(&a, puan_os_alloc());
        puan_out_init(&o, &a);
        puan_content_int(&o, i);
        puan_content_text(&o, r);
        puan_content_int(&o, COUNTY);
        for (int k = 0; k < 3; k++)
            puan_content_int(&o, 0);
        puan_content_text(&o, PUAN_STR(""));
        if (rc == PUAN_OK)
            rc = puan_cover_id(sh, db, act, "seat", i, puan_out_view(&o), err);
        puan_arena_clear(&a);
    }
    return rc;
}

struct opening {
    struct puan_act act;
    struct puan_case_call call;
    struct puan_arena arena;
    struct tally *tally;
};
struct tally {
    pthread_mutex_t lock;
    pthread_cond_t done;
    size_t left, failed;
};

static enum puan_status open_body(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    return puan_case_in(sh, db, act, &((struct opening *)arg)->call, err);
}

static void opened(enum puan_status st, struct puan_act *act, void *arg,
                   const struct puan_err *err)
{
    struct tally *t = ((struct opening *)arg)->tally;

    (void)act;
    pthread_mutex_lock(&t->lock);
    if (st != PUAN_OK && t->failed++ == 0)
        bench_failed(program, err);
    t->left--;
    pthread_cond_signal(&t->done);
    pthread_mutex_unlock(&t->lock);
}

/* Opened evenly over the minute that ends now; each is a township's report. */
static enum puan_status open_cases(struct bench *b, struct puan_store *st,
                                   struct puan_err *err)
{
    struct tally t = { .lock = PTHREAD_MUTEX_INITIALIZER,
                       .done = PTHREAD_COND_INITIALIZER };
    struct opening *o = calloc(b->cases, sizeof *o);
    int64_t now = puan_store_now(st), span = (int64_t)b->seconds * 1000;

    if (o == NULL)
        return puan_fail(err, PUAN_ENOMEM, program, "out of memory");
    t.left = b->cases;
    for (unsigned i = 0; i < b->cases; i++) {
        struct puan_case_call *c = &o[i].call;
        struct puan_node *fields = NULL;
        struct puan_arena *a = &o[i].arena;
        char text[160];

        puan_arena_init(a, puan_os_alloc());
        puan_format(text, sizeof text,
                    "{\"class\":\"%s\",\"title\":\"第%u号情况\"}",
                    i % 2 ? "disaster" : "technical", i + 1);
        if (puan_json_tree(&fields, puan_arena_keep(a, puan_str_of(text)),
                           "fields", a, err) != PUAN_OK)
            return PUAN_EINVAL;
        c->flow = PUAN_STR("incident");
        c->area = COUNTY * INT64_C(1000) + 1;
        c->arena = a;
        c->event.kind = PUAN_FLOW_OPEN;
        c->event.fields = fields;
        c->event.event_ms = now - span + span * i / b->cases;
        c->event.who = puan_case_seat(st, PUAN_STR("clerk"),
                                      PUAN_STR("township-office"), c->area,
                                      c->area);
        b->due[i] = c->event.event_ms + TAKE_OVER;
        b->late[i] = -1;
        o[i].act.actor = PUAN_STR("clerk");
        o[i].act.seat = PUAN_STR("township-office");
        o[i].tally = &t;
        puan_commit_async(puan_store_office(st), &o[i].act, open_body, opened,
                          &o[i]);
    }
    pthread_mutex_lock(&t.lock);
    while (t.left > 0)
        pthread_cond_wait(&t.done, &t.lock);
    pthread_mutex_unlock(&t.lock);
    for (unsigned i = 0; i < b->cases; i++)
        puan_arena_clear(&o[i].arena);
    free(o);
    return t.failed == 0 ? PUAN_OK
                         : puan_fail(err, PUAN_EINVAL, program,
                                     "%zu cases were not opened", t.failed);
}

static enum puan_status prepare(struct bench *b, struct puan_err *err)
{
    struct puan_store_options opt = { 0 };
    struct puan_act seat = { .actor = PUAN_STR("load"),
                             .verb = PUAN_STR("seat.grant") };
    struct puan_act clock = { .actor = PUAN_STR("load"),
                              .verb = PUAN_STR("clock.set") };
    struct puan_store *st = NULL;
    int64_t began = puan_os_mono_ns();
    enum puan_status rc = load_prepare(&b->load, false, err);

    if (rc == PUAN_OK)
        rc = puan_store_open(&st, b->load.dir, &opt, err);
    if (rc == PUAN_OK)
        rc = puan_commit(puan_store_office(st), &seat, seat_body, NULL, err);
    if (rc == PUAN_OK)
        rc = open_cases(b, st, err);
    /* the first is due in LEAD; from here on as fast as real time */
    if (rc == PUAN_OK)
        rc = puan_store_clock_set(st, &clock, b->due[0] - LEAD, 1000, err);
    puan_store_close(st);
    if (rc == PUAN_OK)
        fprintf(stderr, "%u cases opened in %.1f s\n", b->cases,
                (double)(puan_os_mono_ns() - began) / 1e9);
    return rc;
}

/* ---- what a reader sees --------------------------------------------------- */

/* The second event of each case is the tick of its clock. */
static enum puan_status look(struct bench *b, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(b->look);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    bool more = false;
    int64_t now;
    enum puan_status rc = puan_read_begin(&db, office, err);

    if (rc != PUAN_OK)
        return rc;
    rc = puan_sql(&s, db,
                  "SELECT rowid, run, n FROM case_event WHERE rowid > $1"
                  " ORDER BY rowid",
                  err);
    if (rc == PUAN_OK) {
        puan_bind_int(s, 1, (int64_t)b->seen);
        now = puan_store_now(b->look);
        while ((rc = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
            int64_t run = puan_col_int(s, 1) - 1;

            b->seen = (uint64_t)puan_col_int(s, 0);
            if (puan_col_int(s, 2) == 2 && run >= 0 && run < b->cases &&
                b->late[run] < 0) {
                b->late[run] = (double)(now - b->due[run]);
                b->acted++;
            }
        }
        puan_stmt_done(s);
    }
    puan_read_end(office, db);
    return rc;
}

/* ---- the duty desk -------------------------------------------------------- */

static const struct {
    const char *role, *path;
} desk[] = {
    { "duty-officer", "/cases?open=true&limit=50" },
    { "duty-officer", "/notices" },
    { "risk-office", "/cases?open=true&limit=50" },
    { "leading-group", "/cases?open=true&mine=true&limit=50" },
};

static bool token_of(char token[64], const char *dir, const char *want)
{
    char path[512], role[64];
    bool found = false;
    FILE *f;

    puan_format(path, sizeof path, "%s.offices", dir);
    f = fopen(path, "r");
    while (f != NULL && !found && fscanf(f, "%63s %63s", role, token) == 2)
        found = strcmp(role, want) == 0;
    if (f != NULL)
        fclose(f);
    return found;
}

/* One round of the desk; how long each took, in ms.  False: not answered. */
static bool ask_desk(double *took, struct bench *b, const char *address)
{
    struct puan_http_client *c = NULL;
    bool good = puan_http_client_open(&c, address, NULL) == PUAN_OK;

    for (size_t i = 0; good && i < PUAN_COUNT(desk); i++) {
        char path[256], token[64];
        struct puan_http_call call = { .method = "GET", .path = path,
                                       .token = token };
        struct puan_http_reply r;
        struct puan_err err = { 0 };
        int64_t began;

        puan_format(path, sizeof path, "%s%s", BASE, desk[i].path);
        good = token_of(token, b->load.dir, desk[i].role);
        began = puan_os_mono_ns();
        good = good && puan_http_call(&r, c, &call, &err) == PUAN_OK &&
               r.status == 200;
        took[i] = (double)(puan_os_mono_ns() - began) / 1e6;
    }
    puan_http_client_close(c);
    return good;
}

/* An officer who looks again every second while the clocks act. */
struct officer {
    struct bench *b;
    pthread_t thread;
    atomic_bool stop, up;
    double took[256 * PUAN_COUNT(desk)];
    size_t n;
};

static void *watch_desk(void *arg)
{
    struct officer *o = arg;

    while (!atomic_load(&o->stop) && o->n < 256) {
        pause_ms(1000);
        if (atomic_load(&o->up) &&
            ask_desk(o->took + o->n * PUAN_COUNT(desk), o->b,
                     o->b->server.address))
            o->n++;
    }
    return NULL;
}

/* ---- the minute ----------------------------------------------------------- */

static int the_minute(struct bench *b, const char *self, struct officer *o)
{
    struct puan_err err = { 0 };
    int64_t middle = b->due[b->cases / 2], end = b->due[b->cases - 1] + 5000;
    int64_t before = b->due[0] - 5000, now, told = 0, slept;
    bool stopped = !b->restart, first = false;
    unsigned after = 0; /* looks after the end, for what lacks */

    /* the desk is opened once before, as any day it would have been */
    while ((now = puan_store_now(b->look)) < end ||
           (b->acted < b->cases && after++ < 1500)) {
        if (look(b, &err) != PUAN_OK)
            return bench_failed(program, &err);
        if (!first && now >= before) {
            double took[PUAN_COUNT(desk)];

            first = true;
            if (!ask_desk(took, b, b->server.address)) {
                fprintf(stderr, "%s: the desk is not answered\n", program);
                return 1;
            }
            bench_row("desk_first", took[0], "ms", "", -1, "", -1);
            atomic_store(&o->up, true);
        }
        if (!stopped && now >= middle) {
            int64_t began = puan_os_mono_ns();

            stopped = true;
            atomic_store(&o->up, false);
            load_kill(&b->server);
            if (load_start(&b->server, self, &b->load, &err) != PUAN_OK)
                return bench_failed(program, &err);
            b->gap_ns = puan_os_mono_ns() - began;
            atomic_store(&o->up, true);
        }
        if (now - told > 10000) {
            told = now;
            fprintf(stderr, "%+lld s: %llu events\n",
                    (long long)(now - b->due[0]) / 1000,
                    (unsigned long long)b->seen);
        }
        slept = puan_os_mono_ns();
        pause_ms(20);
        slept = (puan_os_mono_ns() - slept) / 1000000;
        if (slept > b->still_ms)
            b->still_ms = slept;
    }
    return 0;
}

/* What the stored events say: each case ticked once. */
static int count_ticks(struct bench *b, unsigned *lacking, unsigned *twice)
{
    struct puan_shard *office = puan_store_office(b->look);
    unsigned char *had = calloc(b->cases, 1);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    struct puan_err err = { 0 };
    struct puan_arena a;
    bool more = false;
    enum puan_status rc = puan_read_begin(&db, office, &err);

    puan_arena_init(&a, puan_os_alloc());
    if (rc == PUAN_OK && had != NULL)
        rc = puan_sql(&s, db, "SELECT run, body FROM case_event", &err);
    while (rc == PUAN_OK && had != NULL &&
           (rc = puan_stmt_step(&more, s, &err)) == PUAN_OK && more) {
        struct puan_flow_event e;
        int64_t run = puan_col_int(s, 0) - 1;

        rc = puan_flow_event_read(&e, puan_col_text(s, 1), &a, &err);
        if (rc == PUAN_OK && e.kind == PUAN_FLOW_TICK &&
            puan_str_is(e.name, "answer") && puan_str_is(e.part, "due") &&
            run >= 0 && run < b->cases && had[run] < 255)
            had[run]++;
        puan_arena_reset(&a);
    }
    puan_stmt_done(s);
    puan_read_end(office, db);
    puan_arena_clear(&a);
    if (rc != PUAN_OK || had == NULL)
        return bench_failed(program, &err);
    *lacking = *twice = 0;
    for (unsigned i = 0; i < b->cases; i++) {
        *lacking += had[i] == 0;
        *twice += had[i] > 1;
    }
    free(had);
    return 0;
}

/* Seconds of processor another process has taken; below 0: not known. */
static double processor(pid_t pid)
{
    struct timespec t;
    clockid_t id;

    if (clock_getcpuclockid(pid, &id) != 0 || clock_gettime(id, &t) != 0)
        return -1;
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int desk_row(const char *when, double *took, size_t n, bool judged)
{
    int over = 0;

    for (size_t i = 0; i < PUAN_COUNT(desk); i++) {
        double *v = malloc((n + 1) * sizeof *v), p95;
        char name[128];

        for (size_t k = 0; k < n && v != NULL; k++)
            v[k] = took[k * PUAN_COUNT(desk) + i];
        p95 = v ? percentile(v, n, 95) : 0;
        puan_format(name, sizeof name, "desk_%s %s %s", when, desk[i].role,
                    desk[i].path);
        bench_row(name, p95, "ms p95", "", -1, judged ? "200 ms" : "",
                  judged && p95 > 0 ? DESK_MS / p95 : -1);
        over += n == 0 || (judged && p95 > DESK_MS);
        free(v);
    }
    return over;
}

static int results(struct bench *b, struct officer *o)
{
    struct puan_verify verify;
    struct puan_verify_options vo = { 0 };
    struct puan_err err = { 0 };
    struct puan_arena a;
    unsigned lacking = 0, twice = 0, unseen = 0;
    double p50, p99, worst, began, took;
    double *rest = calloc((size_t)b->rounds * PUAN_COUNT(desk), sizeof *rest);
    size_t n = 0;
    int bad = 0;

    for (unsigned i = 0; i < b->cases; i++)
        unseen += b->late[i] < 0;
    if (rest == NULL || count_ticks(b, &lacking, &twice) != 0)
        return 1;
    p99 = percentile(b->late, b->cases, 99);
    p50 = b->late[b->cases / 2];
    worst = b->late[b->cases - 1];
    bench_row("clocks_cases", b->cases, "cases", "", -1, "", -1);
    bench_row("clocks_late_p50", p50, "ms", "", -1, "", -1);
    bench_row("clocks_late_p99", p99, "ms", "durable, seen by a reader", -1,
              "1000 ms", p99 > 0 ? LATE_MS / p99 : -1);
    bench_row("clocks_late_most", worst, "ms", "", -1, "", -1);
    bench_row("clocks_down", (double)b->gap_ns / 1e6, "ms",
              "killed until ready", -1, "", -1);
    bench_row("clocks_still", (double)b->still_ms, "ms",
              "this program slept, of 20", -1, "", -1);
    bench_row("clocks_lacking", lacking, "cases", "", -1, "0",
              lacking ? 0 : 1);
    bench_row("clocks_twice", twice, "cases", "", -1, "0", twice ? 0 : 1);
    bad += lacking > 0 || twice > 0 || unseen > 0 || p99 > LATE_MS;
    (void)desk_row("acting", o->took, o->n, false);
    for (unsigned k = 0; k < b->rounds; k++) {
        pause_ms(1100); /* longer than an answer is kept */
        n += ask_desk(rest + n * PUAN_COUNT(desk), b, b->server.address);
    }
    bad += n < b->rounds;
    bad += desk_row("rest", rest, n, true) > 0;
    if (b->idle > 0) {
        began = processor(b->server.pid);
        pause_ms((int64_t)b->idle * 1000);
        took = processor(b->server.pid) - began;
        bench_row("clocks_idle_cpu", 1000 * took, "ms", "of processor", -1,
                  "", -1);
        bench_row("clocks_idle_share", 10000 * took / b->idle, "1/10000",
                  "of one processor", -1, "", -1);
    }
    bench_row("clocks_peak", (double)load_stop(&b->server) / 1024, "MiB", "",
              -1, "", -1);
    puan_arena_init(&a, puan_os_alloc());
    if (puan_ledger_verify(&verify, b->load.dir, &vo, &a, &err) != PUAN_OK)
        bad += bench_failed(program, &err);
    else if (verify.n_problems > 0) {
        fprintf(stderr, "%s: the ledger does not verify\n", program);
        bad++;
    }
    puan_arena_clear(&a);
    free(rest);
    return bad > 0;
}

static int usage(void)
{
    fprintf(stderr, "usage: bench_clocks [--cases N] [--seconds N] [--idle N] "
                    "[--rounds N] [--no-restart] [--suite sm|intl] [--dir DIR] "
                    "[--keep]\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct bench b = { .load = { .suite = "sm", .counties = 1, .eas = 20 },
                       .cases = 10000,
                       .seconds = 60,
                       .idle = 300,
                       .rounds = 30,
                       .restart = true };
    struct puan_store_options look_opt = { .readonly = true };
    struct puan_err err = { 0 };
    struct officer *o = calloc(1, sizeof *o);
    char dir[400] = "", self[512];
    ssize_t length;
    int rc;

    if (argc > 1 && strcmp(argv[1], "--serve") == 0)
        return load_serve(argc, argv, NULL);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--keep") == 0)
            b.keep = true;
        else if (strcmp(argv[i], "--no-restart") == 0)
            b.restart = false;
        else if (i + 1 == argc)
            return usage();
        else if (strcmp(argv[i], "--cases") == 0)
            b.cases = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--seconds") == 0)
            b.seconds = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--idle") == 0)
            b.idle = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--rounds") == 0)
            b.rounds = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--suite") == 0)
            b.load.suite = argv[++i];
        else if (strcmp(argv[i], "--dir") == 0)
            puan_format(dir, sizeof dir, "%s", argv[++i]);
        else
            return usage();
    }
    length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0 || o == NULL || b.cases < 2 || b.cases > MOST ||
        b.seconds < 1 || b.seconds > 300 || b.rounds < 1)
        return usage();
    self[length] = '\0';
    if (!*dir)
        puan_format(dir, sizeof dir, "%s/puan-clocks-%d",
                    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp",
                    (int)getpid());
    b.load.dir = dir;
    b.load.households = 1;
    b.due = calloc(b.cases, sizeof *b.due);
    b.late = calloc(b.cases, sizeof *b.late);
    if (b.due == NULL || b.late == NULL)
        return 1;
    if (prepare(&b, &err) != PUAN_OK ||
        load_start(&b.server, self, &b.load, &err) != PUAN_OK ||
        puan_store_open(&b.look, dir, &look_opt, &err) != PUAN_OK)
        return bench_failed(program, &err);
    o->b = &b;
    if (pthread_create(&o->thread, NULL, watch_desk, o) != 0)
        return 1;
    rc = the_minute(&b, self, o);
    atomic_store(&o->stop, true);
    pthread_join(o->thread, NULL);
    if (rc == 0)
        rc = results(&b, o);
    load_kill(&b.server);
    puan_store_close(b.look);
    if (!b.keep) {
        char path[512];

        puan_format(path, sizeof path, "%s.tokens", dir);
        unlink(path);
        puan_format(path, sizeof path, "%s.offices", dir);
        unlink(path);
        (void)!puan_dir_remove(dir, &err);
    }
    free(o);
    free(b.due);
    free(b.late);
    return rc;
}
