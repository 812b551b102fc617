/*
 * Nothing acknowledged is lost, nothing is doubled, whatever stops the server.
 *
 * A client sends returns over HTTP and remembers each receipt.  The server is
 * killed (SIGKILL) at random moments: under load, while it starts and runs new
 * schema steps, while tokens are merged, while a checkpoint is written, and
 * all the time while parcels cross from one store to another; or its disk is
 * made to fail (shim.c).  What was not acknowledged is sent again, as a device
 * would.  The client's list is the oracle: at the end each receipt must be a
 * row with that digest and version, there may be no row besides, every parcel
 * must have arrived once, and the ledgers must verify.
 *
 * usage: crash [--kills N] [--seed S] [--dir DIR] [--store URL] [--shim FILE]
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "features/ingest/ingest.h"
#include "features/ledgers/ledgers.h"
#include "kit/log/log.h"
#include "kit/os/os.h"
#include "load.h"

#define CONNS 16
#define STEPS_MAX 64

/* ---- a feature that keeps the courier and the migrations busy -------------------- */

static char step_sql[2 * STEPS_MAX][400];
static struct puan_schema_step steps[2 * STEPS_MAX + 2];
static const char *const kinds[] = { "crash.note", NULL };

static enum puan_status take(struct puan_store *store, struct puan_shard *sh,
                             struct puan_db *db, struct puan_act *act,
                             struct puan_str body, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    int64_t k = 0;
    enum puan_status st;

    (void)store;
    (void)sh;
    if (!puan_int_parse(&k, body))
        return puan_fail(err, PUAN_EINVAL, "crash", "not a number");
    /* nothing here would stop a second one: the inbox must */
    st = puan_sql(&s, db, "INSERT INTO crash_got(id, k) VALUES ($1, $2)", err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, (int64_t)act->seq);
    puan_bind_int(s, 2, k);
    st = puan_stmt_run(s, err);
    puan_stmt_done(s);
    return st;
}

static struct puan_feature crash_feature = {
    .name = "crash",
    .schema = steps,
    .inbox_kinds = kinds,
    .inbox = take,
};

#define PUAN_FEATURE(n) extern const struct puan_feature puan_feature_##n;
#include "features/features_list.h"
#undef PUAN_FEATURE

const struct puan_feature *const puan_features[] = {
#define PUAN_FEATURE(n) &puan_feature_##n,
#include "features/features_list.h"
#undef PUAN_FEATURE
    &crash_feature, NULL
};

/* Steps 2.. copy a table, so that they last long enough to be killed in. */
static void make_steps(unsigned n)
{
    static const char first[] =
        "CREATE TABLE crash_sent(k BIGINT PRIMARY KEY);"
        "CREATE TABLE crash_got(id BIGINT PRIMARY KEY, k BIGINT NOT NULL);";
    size_t c = 0;

    steps[c++] = (struct puan_schema_step){ PUAN_STORE_OFFICE, 1, first };
    steps[c++] = (struct puan_schema_step){ PUAN_STORE_RETURNS, 1, first };
    for (unsigned i = 0; i < n && i < STEPS_MAX; i++) {
        puan_format(step_sql[i], sizeof(step_sql[i]),
                    "CREATE TABLE crash_m%u(seq BIGINT PRIMARY KEY, digest "
                    "BYTEA NOT NULL); INSERT INTO crash_m%u(seq, digest) "
                    "SELECT seq, digest FROM ledger WHERE seq < 3000;",
                    i, i);
        steps[c++] = (struct puan_schema_step){ PUAN_STORE_RETURNS,
                                                (int)i + 2, step_sql[i] };
    }
    crash_feature.n_schema = c;
}

struct note {
    int64_t k;
    size_t to;
};

static enum puan_status send_note(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    struct note *n = arg;
    struct puan_stmt *s = NULL;
    char text[24];
    enum puan_status st;

    (void)act;
    st = puan_db_int(&n->k, db, "SELECT MAX(k) FROM crash_sent", 0, err);
    n->k++;
    if (st == PUAN_OK)
        st = puan_sql(&s, db, "INSERT INTO crash_sent(k) VALUES ($1)", err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, n->k);
    st = puan_stmt_run(s, err);
    puan_stmt_done(s);
    puan_format(text, sizeof(text), "%lld", (long long)n->k);
    if (st == PUAN_OK)
        st = puan_outbox_put(sh, db, n->to, "crash.note", puan_str_of(text),
                             err);
    return st;
}

/* Store 1 writes to store 2 and 2 to the office, for ever. */
static void *notes_main(void *arg)
{
    struct puan_store *store = arg;

    for (unsigned i = 0;; i++) {
        struct puan_act act = { .actor = PUAN_STR("crash"),
                                .verb = PUAN_STR("crash.send") };
        struct note n = { .to = i % 2 ? 0 : 2 };
        struct puan_err err = { 0 };

        (void)!puan_commit(puan_store_shard(store, 1 + i % 2), &act, send_note,
                           &n, &err);
        usleep(2000);
    }
    return NULL;
}

static void with_notes(struct puan_store *store)
{
    pthread_t t;

    if (pthread_create(&t, NULL, notes_main, store) == 0)
        pthread_detach(t);
}

/* ---- the client's memory ------------------------------------------------------------ */

struct receipt {
    uint64_t counter;
    char digest[2 * PUAN_DIGEST_SIZE + 1];
};

struct household {
    struct receipt *got; /* by version - 1 */
    unsigned version;
    bool pending, flying; /* sent and not acknowledged; on a connection now */
    uint64_t counter;     /* of the pending one */
};

struct client {
    struct load_options o;
    struct load_server server;
    struct load_conn conn[CONNS];
    unsigned again[CONNS]; /* version sent again, 0: the pending one */
    struct household *h;
    uint64_t n, fresh, counter, random;
    uint64_t acked, repeated, refused, broken;
};

static uint64_t any(struct client *c, uint64_t below)
{
    c->random ^= c->random << 13;
    c->random ^= c->random >> 7;
    c->random ^= c->random << 17;
    return c->random % below;
}

static int wrong(const struct client *c, uint64_t i, const char *what,
                 struct puan_str body)
{
    fprintf(stderr, "crash: household %lld: %s: %.*s\n",
            (long long)load_household(&c->o, i), what,
            (int)(body.n > 400 ? 400 : body.n), body.p);
    return 1;
}

/* What to do next on an idle connection. */
static bool send_one(struct client *c, unsigned k)
{
    static const char path[] = "/api/v1/c/cn-population-2020/returns";
    struct household *h;
    uint64_t i, counter;
    unsigned base;
    char body[4096];
    size_t n;

    for (unsigned tries = 0;; tries++) {
        if (tries > 100)
            return true; /* all are under way */
        i = any(c, 10) < 6 && c->fresh < c->n ? c->fresh++
                                              : any(c, c->fresh + 1) % c->n;
        h = &c->h[i];
        if (!h->flying)
            break;
    }
    c->again[k] = 0;
    if (!h->pending && h->version > 0 && any(c, 4) == 0) {
        c->again[k] = 1 + (unsigned)any(c, h->version);
        base = c->again[k] - 1;
        counter = h->got[base].counter;
    } else {
        if (!h->pending) {
            h->pending = true;
            h->counter = ++c->counter;
        }
        base = h->version;
        counter = h->counter;
    }
    n = load_document(body, sizeof(body), load_household(&c->o, i), base,
                      counter, (unsigned)counter);
    h->flying = true;
    c->conn[k].tag = i;
    return load_post(&c->conn[k], path,
                     c->server.tokens + i / c->o.households * 40, body, n);
}

static int take_answer(struct client *c, unsigned k, unsigned status,
                       struct puan_str body)
{
    uint64_t i = c->conn[k].tag;
    struct household *h = &c->h[i];
    const char *d, *v;
    struct receipt *r;
    unsigned version;

    h->flying = false;
    if (status >= 500 || status == 429) {
        c->refused++;
        return 0; /* sent again later */
    }
    if (status != 200 && status != 201)
        return wrong(c, i, "refused", body);
    d = memmem(body.p, body.n, "\"digest\":\"", 10);
    v = memmem(body.p, body.n, "\"version\":", 10);
    if (!d || !v || d + 10 + 64 > body.p + body.n)
        return wrong(c, i, "no receipt", body);
    version = (unsigned)strtoul(v + 10, NULL, 10);
    if (c->again[k]) {
        c->repeated++;
        if (status != 200 || version != c->again[k] ||
            memcmp(h->got[version - 1].digest, d + 10, 64) != 0)
            return wrong(c, i, "another receipt than the first", body);
        return 0;
    }
    if (version != h->version + 1)
        return wrong(c, i, "a version nobody sent", body);
    r = realloc(h->got, version * sizeof(*r));
    if (!r)
        return 1;
    h->got = r;
    r += version - 1;
    r->counter = h->counter;
    memcpy(r->digest, d + 10, 64);
    r->digest[64] = '\0';
    h->version = version;
    h->pending = false;
    c->acked++;
    return 0;
}

static void drop_all(struct client *c)
{
    for (unsigned k = 0; k < CONNS; k++) {
        if (c->conn[k].fd >= 0 && c->conn[k].busy)
            c->h[c->conn[k].tag].flying = false;
        load_disconnect(&c->conn[k]);
    }
}

/*
 * Keeps the connections busy for so long, or, with `settle`, until nothing is
 * pending any more.
 */
static int drive(struct client *c, int64_t ms, bool settle)
{
    int64_t until = puan_os_mono_ns() + ms * 1000000;
    struct puan_err err = { 0 };

    for (unsigned k = 0; k < CONNS; k++)
        if (load_connect(&c->conn[k], c->server.address, &err) != PUAN_OK)
            return 0; /* it is dying */
    for (uint64_t scan = 0;;) {
        struct pollfd p[CONNS];
        bool over = puan_os_mono_ns() > until, busy = false;

        for (unsigned k = 0; k < CONNS; k++) {
            struct load_conn *x = &c->conn[k];

            if (!x->busy && x->fd >= 0 && settle) {
                while (scan < c->n &&
                       (!c->h[scan].pending || c->h[scan].flying))
                    scan++;
                if (scan < c->n) {
                    char body[4096];
                    struct household *h = &c->h[scan];
                    size_t n = load_document(
                        body, sizeof(body), load_household(&c->o, scan),
                        h->version, h->counter, (unsigned)h->counter);

                    h->flying = true;
                    c->again[k] = 0;
                    x->tag = scan++;
                    if (!load_post(x, "/api/v1/c/cn-population-2020/returns",
                                   c->server.tokens +
                                       x->tag / c->o.households * 40,
                                   body, n))
                        return wrong(c, x->tag, "connection broke",
                                     PUAN_STR(""));
                }
            } else if (!x->busy && x->fd >= 0 && !over && !send_one(c, k)) {
                c->broken++;
                return 0;
            }
            busy = busy || x->busy;
            p[k] = (struct pollfd){ .fd = x->busy ? x->fd : -1,
                                    .events = POLLIN };
        }
        if (!busy && (over || settle))
            return 0;
        if (over && !settle)
            return 0; /* leave them in the air */
        if (poll(p, CONNS, 20) < 0 && errno != EINTR)
            return 1;
        for (unsigned k = 0; k < CONNS; k++) {
            struct puan_str body;
            unsigned status = 0;
            int got;

            if (!(p[k].revents))
                continue;
            got = load_read(&c->conn[k], &status, &body);
            if (got < 0) {
                c->broken++;
                return 0;
            }
            if (got > 0 && take_answer(c, k, status, body) != 0)
                return 1;
        }
    }
}

/* ---- rounds -------------------------------------------------------------------------- */

enum mode {
    KILL_LOAD,
    KILL_START,
    KILL_MERGE,
    KILL_CHECKPOINT,
    FAULT_FULL,
    FAULT_IO,
    FAULT_FLUSH,
    FAULT_ONCE,
    MODES
};
static const char *const mode_name[MODES] = {
    "under load", "while starting and migrating", "during token merge",
    "during checkpoint", "full disk", "I/O error", "failed flush",
    "one I/O error"
};

static int one_round(struct client *c, const char *self, const char *shim,
                     enum mode mode, unsigned round)
{
    static const char *const fault[MODES] = { [FAULT_FULL] = "full",
                                              [FAULT_IO] = "io",
                                              [FAULT_FLUSH] = "flush",
                                              [FAULT_ONCE] = "once" };
    struct puan_err err = { 0 };
    char text[64];
    int rc = 0;

    puan_format(text, sizeof(text), "%u", round < STEPS_MAX ? round : STEPS_MAX);
    setenv("PUAN_CRASH_STEPS", text, 1);
    if (fault[mode]) {
        puan_format(text, sizeof(text), "%s:%llu", fault[mode],
                    (unsigned long long)(20 + any(c, 2000)));
        setenv("PUAN_FAULT", text, 1);
        setenv("LD_PRELOAD", shim, 1);
    }
    if (load_spawn(&c->server, self, &c->o, &err) != PUAN_OK)
        return 1;
    unsetenv("PUAN_FAULT");
    unsetenv("LD_PRELOAD");
    if (mode == KILL_START) {
        usleep((useconds_t)any(c, 120000));
        load_kill(&c->server);
        return 0;
    }
    if (load_ready(&c->server, &c->o, &err) != PUAN_OK) {
        load_kill(&c->server);
        if (fault[mode])
            return 0; /* its disk failed while it started */
        fprintf(stderr, "crash: round %u: the server does not start\n", round);
        return 1;
    }
    rc = drive(c, 20 + (int64_t)any(c, 150), false);
    if (mode == KILL_MERGE && rc == 0) {
        if (write(c->server.to, "merge\n", 6) == 6)
            usleep((useconds_t)any(c, 20000));
    } else if (mode == KILL_CHECKPOINT && rc == 0) {
        if (write(c->server.to, "checkpoint\n", 11) == 11)
            usleep((useconds_t)any(c, 15000));
    }
    load_kill(&c->server);
    drop_all(c);
    return rc;
}

/* ---- the end --------------------------------------------------------------------------- */

static int64_t ask(struct puan_store *st, size_t shard, const char *sql)
{
    struct puan_shard *sh = puan_store_shard(st, shard);
    struct puan_db *db = NULL;
    struct puan_err err = { 0 };
    int64_t n = -1;

    if (puan_read_begin(&db, sh, &err) == PUAN_OK)
        (void)!puan_db_int(&n, db, sql, -1, &err);
    puan_read_end(sh, db);
    return n;
}

static int compare(struct client *c, struct puan_store *st)
{
    struct puan_arena a;
    uint64_t want = 0, have = 0;
    int rc = 0;

    puan_arena_init(&a, puan_os_alloc());
    for (uint64_t i = 0; i < c->n && rc == 0; i++) {
        struct household *h = &c->h[i];
        int64_t key = load_household(&c->o, i);
        struct puan_shard *sh = puan_store_shard_of_household(st, key);
        struct puan_ret_head head = { 0 };
        struct puan_db *db = NULL;
        struct puan_err err = { 0 };
        int64_t at;

        want += h->version;
        (void)puan_ret_head(&head, st, key);
        if (head.version != h->version) {
            fprintf(stderr, "crash: household %lld: %u versions, %u receipts\n",
                    (long long)key, head.version, h->version);
            rc = 1;
            break;
        }
        if (h->version == 0)
            continue;
        puan_arena_reset(&a);
        if (puan_read_begin(&db, sh, &err) != PUAN_OK)
            return 1;
        at = head.ret;
        for (unsigned v = h->version; v > 0 && rc == 0; v--) {
            char hex[2 * PUAN_DIGEST_SIZE + 1];
            struct puan_ret r;

            if (puan_ret_read(&r, sh, db, at, &a, &err) != PUAN_OK) {
                fprintf(stderr, "crash: version %u of %lld is missing\n", v,
                        (long long)key);
                rc = 1;
                break;
            }
            puan_hex(hex, r.digest, PUAN_DIGEST_SIZE);
            if (r.version != v || strcmp(hex, h->got[v - 1].digest) != 0) {
                fprintf(stderr, "crash: version %u of %lld is another\n", v,
                        (long long)key);
                rc = 1;
            }
            at = r.prev;
        }
        puan_read_end(sh, db);
    }
    puan_arena_clear(&a);
    for (size_t s = 1; s < puan_store_shards(st); s++)
        have += (uint64_t)ask(st, s, "SELECT COUNT(*) FROM ret");
    if (rc == 0 && have != want) {
        fprintf(stderr, "crash: %llu rows, %llu receipts\n",
                (unsigned long long)have, (unsigned long long)want);
        rc = 1;
    }
    return rc;
}

/* Everything sent has arrived, once. */
static int compare_parcels(struct puan_store *st, uint64_t *parcels)
{
    int rc = 0;

    for (size_t from = 1; from <= 2; from++) {
        size_t to = from == 1 ? 2 : 0;
        int64_t sent = ask(st, from, "SELECT COUNT(*) FROM crash_sent");
        int64_t got = ask(st, to, "SELECT COUNT(*) FROM crash_got");
        int64_t distinct =
            ask(st, to, "SELECT COUNT(DISTINCT k) FROM crash_got");

        *parcels += (uint64_t)got;
        if (sent != got || got != distinct) {
            fprintf(stderr,
                    "crash: parcels %zu to %zu: %lld sent, %lld arrived, %lld "
                    "different\n",
                    from, to, (long long)sent, (long long)got,
                    (long long)distinct);
            rc = 1;
        }
    }
    return rc;
}

static int verify(struct client *c, uint64_t *entries)
{
    struct puan_verify_options opt = { .url = c->o.url };
    struct puan_verify v;
    struct puan_err err = { 0 };
    struct puan_arena a;
    int rc = 0;

    puan_arena_init(&a, puan_os_alloc());
    if (puan_ledger_verify(&v, c->o.dir, &opt, &a, &err) != PUAN_OK) {
        fprintf(stderr, "crash: verify: %s: %s\n", err.where, err.text);
        rc = 1;
    } else {
        *entries = v.entries;
        for (uint64_t i = 0; i < v.n_problems && i < 5; i++) {
            fprintf(stderr, "crash: ledger of %s: %s: %s\n",
                    v.problem[i].store, v.problem[i].kind, v.problem[i].text);
            rc = 1;
        }
    }
    puan_arena_clear(&a);
    return rc;
}

static int settle(struct client *c, const char *self, uint64_t *entries,
                  uint64_t *parcels)
{
    struct puan_store_options opt = { .url = c->o.url };
    struct puan_store *st = NULL;
    struct puan_err err = { 0 };
    int rc;

    if (load_start(&c->server, self, &c->o, &err) != PUAN_OK) {
        fprintf(stderr, "crash: %s: %s\n", err.where, err.text);
        load_kill(&c->server);
        return 1;
    }
    rc = drive(c, 0, true);
    drop_all(c);
    load_kill(&c->server); /* the notes never end by themselves */
    for (uint64_t i = 0; i < c->n && rc == 0; i++)
        if (c->h[i].pending)
            rc = wrong(c, i, "is never acknowledged", PUAN_STR(""));
    if (rc != 0)
        return rc;
    if (puan_store_open(&st, c->o.dir, &opt, &err) != PUAN_OK ||
        puan_store_deliver(st, &err) != PUAN_OK) {
        fprintf(stderr, "crash: %s: %s\n", err.where, err.text);
        rc = 1;
    }
    if (rc == 0)
        rc = compare(c, st);
    if (rc == 0)
        rc = compare_parcels(st, parcels);
    puan_store_close(st);
    if (rc == 0)
        rc = verify(c, entries);
    return rc;
}

int main(int argc, char **argv)
{
    struct client c = { .o = { .suite = "intl", .counties = 2, .eas = 20,
                               .households = 500 },
                        .random = 88172645463325252u };
    unsigned kills = 50, of[MODES] = { 0 };
    const char *steps_text = getenv("PUAN_CRASH_STEPS");
    char dir[400] = "", self[512], shim[600] = "", tokens[512];
    uint64_t entries = 0, parcels = 0;
    struct puan_err err = { 0 };
    int64_t began = puan_os_mono_ns();
    ssize_t n;
    int rc = 0;

    make_steps(steps_text ? (unsigned)strtoul(steps_text, NULL, 10) : 0);
    if (argc > 1 && strcmp(argv[1], "--serve") == 0)
        return load_serve(argc, argv, with_notes);
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--kills") == 0)
            kills = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0)
            c.random ^= strtoull(argv[i + 1], NULL, 10) * 0x9E3779B97F4A7C15u;
        else if (strcmp(argv[i], "--dir") == 0)
            puan_format(dir, sizeof(dir), "%s", argv[i + 1]);
        else if (strcmp(argv[i], "--store") == 0)
            c.o.url = argv[i + 1];
        else if (strcmp(argv[i], "--shim") == 0)
            puan_format(shim, sizeof(shim), "%s", argv[i + 1]);
    }
    n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (n <= 0)
        return 1;
    self[n] = '\0';
    if (!*shim) {
        const char *slash = strrchr(self, '/');

        puan_format(shim, sizeof(shim), "%.*s/crash_shim.so",
                    (int)(slash - self), self);
    }
    if (!*dir)
        puan_format(dir, sizeof(dir), "%s/puan-crash-%d",
                    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp",
                    (int)getpid());
    c.o.dir = dir;
    c.n = load_households(&c.o);
    c.h = calloc(c.n, sizeof(*c.h));
    signal(SIGPIPE, SIG_IGN);
    setenv("PUAN_LOG", "off", 0); /* faults are expected */
    puan_log_level_set(PUAN_LOG_OFF);
    if (!c.h || load_prepare(&c.o, true, &err) != PUAN_OK) {
        fprintf(stderr, "crash: %s: %s\n", err.where, err.text);
        return 1;
    }
    for (unsigned k = 0; k < CONNS; k++)
        c.conn[k].fd = -1;
    for (unsigned i = 0; i < kills && rc == 0; i++) {
        enum mode mode = (enum mode)any(&c, MODES);

        if (c.o.url && mode >= FAULT_FULL)
            mode = KILL_LOAD; /* the disk is the database server's */
        of[mode]++;
        rc = one_round(&c, self, shim, mode, i);
        /* every so often the whole of it is looked at */
        if (rc == 0 && (i + 1) % 100 == 0) {
            parcels = 0;
            rc = settle(&c, self, &entries, &parcels);
        }
        if (rc != 0)
            fprintf(stderr, "crash: in round %u (%s), directory %s kept\n", i,
                    mode_name[mode], dir);
    }
    if (rc == 0) {
        parcels = 0;
        rc = settle(&c, self, &entries, &parcels);
    }
    printf("crash: %u stops in %lld s:", kills,
           (long long)((puan_os_mono_ns() - began) / 1000000000));
    for (int m = 0; m < MODES; m++)
        if (of[m])
            printf(" %u %s,", of[m], mode_name[m]);
    printf(" %llu receipts, %llu repeated, %llu refused by a failing disk, "
           "%llu parcels, %llu ledger entries: %s\n",
           (unsigned long long)c.acked, (unsigned long long)c.repeated,
           (unsigned long long)c.refused, (unsigned long long)parcels,
           (unsigned long long)entries,
           rc == 0 ? "nothing missing, nothing doubled" : "FAILED");
    if (rc == 0) {
        puan_format(tokens, sizeof(tokens), "%s.tokens", dir);
        unlink(tokens);
        (void)!puan_dir_remove(dir, &err);
    }
    return rc;
}
