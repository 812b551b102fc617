/*
 * Technical drills: the real thing, on a copy beside the campaign directory
 * (DIR.drills/N), which is removed afterwards.  The live store is only read,
 * but for the backup, which every writer waits for as for any other.
 */
#include <stdlib.h>

#include "features/backup/backup.h"
#include "features/drill/internal.h"
#include "features/ledgers/ledgers.h"
#include "kit/log/log.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

/* Of a load, where the plan has no settings drill_load, drill_load_p95. */
#define LOAD_MS 5000
#define QUICK_MS 500

struct procedure {
    struct puan_store *st;
    struct puan_drill_row row;
    struct puan_arena *a;
    const char *root, *backup, *copy;
    struct puan_backup cut;
    struct puan_verify before, after;
    struct puan_load_server *server; /* over the copy, while it is loaded */
    struct puan_load load;
    enum puan_status st_entered; /* of entering a measure */
    struct puan_err err;
};

static enum puan_status enter(struct procedure *p, enum puan_drill_do what,
                              const char *name, bool yes, const char *text)
{
    struct puan_act act = { .actor = PUAN_STR("puan"),
                            .seat = PUAN_STR("system"),
                            .device = PUAN_STR("") };
    struct puan_drill_call c = { .what = what,
                                 .run = p->row.id,
                                 .role = PUAN_STR("system"),
                                 .person = PUAN_STR("puan"),
                                 .name = puan_str_of(name),
                                 .text = puan_str_of(text),
                                 .yes = yes,
                                 .arena = p->a };

    return puan_drill_do(p->st, &act, &c, &p->err);
}

/* One measure; says whether the procedure goes on. */
static bool measured(struct procedure *p, const char *name,
                     enum puan_status st, const struct puan_err *err,
                     const char *text)
{
    const char *said =
        st == PUAN_OK ? text
                      : puan_arena_fmt(p->a, "%s: %s", err->where, err->text);

    p->st_entered = enter(p, PUAN_DRILL_DO_MEASURE, name, st == PUAN_OK, said);
    return st == PUAN_OK && p->st_entered == PUAN_OK;
}

static const char *seconds(struct puan_arena *a, int64_t from_ms,
                           const char *what)
{
    int64_t ms = puan_real_now() - from_ms;

    return puan_arena_fmt(a, "%s; %lld.%01lld s", what, (long long)(ms / 1000),
                          (long long)(ms % 1000 / 100));
}

static bool take_backup(struct procedure *p)
{
    const struct puan_act act = { .actor = PUAN_STR("puan"),
                                  .seat = PUAN_STR("system"),
                                  .device = PUAN_STR("") };
    struct puan_err err = { 0 };
    int64_t from = puan_real_now();
    enum puan_status st = puan_dir_make(p->root, &err);

    if (st == PUAN_OK)
        st = puan_backup_make(&p->cut, p->st, p->backup, &act, &err);
    return measured(
        p, "backup", st, &err,
        seconds(p->a, from,
                puan_arena_fmt(p->a, "%llu files, %llu bytes, %llu entries",
                               (unsigned long long)p->cut.files,
                               (unsigned long long)p->cut.bytes,
                               (unsigned long long)p->cut.entries)));
}

static bool check_backup(struct procedure *p)
{
    struct puan_backup b;
    struct puan_err err = { 0 };
    int64_t from = puan_real_now();
    enum puan_status st = puan_backup_check(&b, p->backup, &err);

    return measured(p, "check", st, &err,
                    seconds(p->a, from, "files, signature, ledgers"));
}

static bool restore(struct procedure *p)
{
    struct puan_backup b;
    struct puan_err err = { 0 };
    int64_t from = puan_real_now();
    enum puan_status st =
        puan_backup_restore(&b, p->backup, p->copy, NULL, &err);

    return measured(p, "restore", st, &err,
                    seconds(p->a, from, "a campaign directory"));
}

static enum puan_status verify(struct puan_verify *v, struct procedure *p,
                               const char *dir, struct puan_err *err)
{
    const struct puan_verify_options opt = { .threads = 1, .url = "" };

    return puan_ledger_verify(v, dir, &opt, p->a, err);
}

static const char *problems(struct procedure *p, const struct puan_verify *v)
{
    if (v->n_problems == 0)
        return puan_arena_fmt(p->a, "%llu entries, %llu returns, %llu rows",
                              (unsigned long long)v->entries,
                              (unsigned long long)v->returns,
                              (unsigned long long)v->rows);
    return puan_arena_fmt(p->a, "%llu: %s %s",
                          (unsigned long long)v->n_problems,
                          v->problem[0].kind, v->problem[0].text);
}

static bool verify_copy(struct procedure *p)
{
    struct puan_err err = { 0 };
    int64_t from = puan_real_now();
    enum puan_status st = verify(&p->after, p, p->copy, &err);

    if (st == PUAN_OK && p->after.n_problems > 0)
        st = puan_fail(&err, PUAN_EDENIED, "ledger", "%s",
                       problems(p, &p->after));
    return measured(p, "verify", st, &err,
                    seconds(p->a, from, problems(p, &p->after)));
}

/* As many entries and returns as at the cut, and every head the same. */
static bool same_as_cut(struct procedure *p)
{
    struct puan_err err = { 0 };
    enum puan_status st = verify(&p->before, p, p->backup, &err);

    if (st == PUAN_OK && (p->before.entries != p->after.entries ||
                          p->before.returns != p->after.returns ||
                          p->before.n_stores != p->after.n_stores))
        st = puan_fail(&err, PUAN_EDENIED, "copy",
                       "the copy has %llu entries and %llu returns, the "
                       "backup %llu and %llu",
                       (unsigned long long)p->after.entries,
                       (unsigned long long)p->after.returns,
                       (unsigned long long)p->before.entries,
                       (unsigned long long)p->before.returns);
    for (size_t i = 0; st == PUAN_OK && i < p->before.n_stores; i++)
        if (memcmp(p->before.store[i].head, p->after.store[i].head,
                   PUAN_DIGEST_SIZE) != 0)
            st = puan_fail(&err, PUAN_EDENIED, p->before.store[i].name,
                           "the ledger of the copy ends otherwise");
    return measured(p, "same", st, &err, problems(p, &p->after));
}

/* A point more for this drill, behind the back of the ledger of the copy. */
static bool plant(struct procedure *p)
{
    struct puan_db *db = NULL;
    struct puan_err err = { 0 };
    const char *url = puan_arena_fmt(p->a, "sqlite:%s/office.db", p->copy);
    enum puan_status st = puan_db_open(&db, url, 0, &err);

    if (st == PUAN_OK)
        st = puan_db_exec(db,
                          "UPDATE drill_run SET points = points + 1 WHERE"
                          " id = (SELECT MAX(id) FROM drill_run);",
                          &err);
    puan_db_close(db);
    return measured(p, "plant", st, &err, "drill_run.points + 1");
}

static bool find_it(struct procedure *p)
{
    struct puan_verify v = { 0 };
    struct puan_err err = { 0 };
    int64_t from = puan_real_now();
    enum puan_status st = verify(&v, p, p->copy, &err);
    bool named = false;

    for (size_t i = 0; st == PUAN_OK && i < v.n_problems &&
                       i < PUAN_VERIFY_SHOWN;
         i++)
        named = named || strstr(v.problem[i].text, "drill_run") != NULL;
    if (st == PUAN_OK && !named)
        st = puan_fail(&err, PUAN_EDENIED, "ledger",
                       "a changed row was not named by verification");
    return measured(p, "found", st, &err, seconds(p->a, from, problems(p, &v)));
}

/* ---- load -------------------------------------------------------------------- */

static bool serve_copy(struct procedure *p)
{
    struct puan_err err = { 0 };
    int64_t from = puan_real_now();
    enum puan_status st =
        puan_load_begin(&p->server, p->copy, p->row.area, &err);

    return measured(p, "serve", st, &err,
                    seconds(p->a, from, "a server over the copy"));
}

/* Every request is answered as on a quiet day. */
static bool load_copy(struct procedure *p)
{
    struct puan_err err = { 0 };
    enum puan_status st = puan_load_run(
        &p->load, p->server,
        puan_plan_number(puan_store_plan(p->st), "drill_load", LOAD_MS), &err);

    if (st == PUAN_OK && p->load.refused > 0)
        st = puan_fail(&err, PUAN_EDENIED, "server",
                       "%llu of %llu not answered; the first: %s",
                       (unsigned long long)p->load.refused,
                       (unsigned long long)p->load.requests, p->load.fault);
    return measured(
        p, "load", st, &err,
        puan_arena_fmt(p->a,
                       "%llu requests, %llu of them writing, over %u "
                       "connections; %lld a second; %lld.%01lld s",
                       (unsigned long long)p->load.requests,
                       (unsigned long long)p->load.writes, p->load.connections,
                       (long long)(p->load.requests * 1000 /
                                   (uint64_t)(p->load.ms ? p->load.ms : 1)),
                       (long long)(p->load.ms / 1000),
                       (long long)(p->load.ms % 1000 / 100)));
}

static bool quick_enough(struct procedure *p)
{
    int64_t most =
        puan_plan_number(puan_store_plan(p->st), "drill_load_p95", QUICK_MS);
    const char *times = puan_arena_fmt(
        p->a, "p50 %lld ms, p95 %lld ms, p99 %lld ms; p95 at most %lld ms",
        (long long)(p->load.p50_us / 1000), (long long)(p->load.p95_us / 1000),
        (long long)(p->load.p99_us / 1000), (long long)most);
    struct puan_err err = { 0 };
    enum puan_status st = PUAN_OK;

    if (p->load.p95_us > most * 1000)
        st = puan_fail(&err, PUAN_EDENIED, "server", "%s", times);
    puan_load_end(p->server);
    p->server = NULL;
    return measured(p, "quick", st, &err, times);
}

static bool (*const restore_steps[])(struct procedure *) = {
    take_backup, check_backup, restore, verify_copy, same_as_cut, NULL
};
static bool (*const tamper_steps[])(struct procedure *) = {
    take_backup, restore, plant, find_it, NULL
};
static bool (*const load_steps[])(struct procedure *) = {
    take_backup, restore, serve_copy, load_copy, quick_enough, verify_copy, NULL
};

enum puan_status puan_drill_procedure(struct puan_store *st, int64_t run,
                                      struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_arena a;
    struct procedure p = { .st = st, .a = &a };
    const struct puan_drill *d = NULL;
    struct puan_db *db = NULL;
    struct puan_err ignored = { 0 };
    enum puan_status rc;

    puan_arena_init(&a, &puan_heap);
    rc = puan_read_begin(&db, office, err);
    if (rc == PUAN_OK) {
        rc = puan_drill_row_read(&p.row, db, run, &a, err);
        puan_read_end(office, db);
    }
    if (rc == PUAN_OK)
        rc = puan_drill_find(&d, st, p.row.drill, err);
    if (rc == PUAN_OK && d->does.n == 0)
        rc = puan_fail(err, PUAN_EINVAL, "drill",
                       "this drill runs no procedure");
    if (rc == PUAN_OK) {
        bool (*const *step)(struct procedure *) =
            puan_str_is(d->does, "restore")  ? restore_steps
            : puan_str_is(d->does, "tamper") ? tamper_steps
                                             : load_steps;

        p.root = puan_arena_fmt(&a, "%s.drills/%lld", puan_store_dir(st),
                                (long long)run);
        p.backup = puan_arena_fmt(&a, "%s/backup", p.root);
        p.copy = puan_arena_fmt(&a, "%s/copy", p.root);
        rc = puan_arena_check(&a, err);
        if (rc == PUAN_OK && puan_dir_exists(p.root))
            rc = puan_dir_remove(p.root, err);
        while (rc == PUAN_OK && *step != NULL && (*step)(&p))
            step++;
        puan_load_end(p.server); /* a measure before its end did not hold */
        if (rc == PUAN_OK)
            rc = p.st_entered;
        if (rc == PUAN_OK)
            rc = enter(&p, PUAN_DRILL_DO_END, "", true, "");
        if (rc != PUAN_OK && err != NULL && err->text[0] == '\0')
            *err = p.err;
        if (puan_dir_exists(p.root) &&
            puan_dir_remove(p.root, &ignored) != PUAN_OK)
            puan_log(PUAN_LOG_WARN, "copy of a drill stays",
                     PUAN_LOG_T("where", p.root),
                     PUAN_LOG_T("why", ignored.text));
    }
    puan_arena_clear(&a);
    return rc;
}

struct background {
    struct puan_store *st;
    int64_t run;
};

static void *run_it(void *arg)
{
    struct background *b = arg;
    struct puan_drill_state_of *x = puan_drill_state(b->st);
    struct puan_err err = { 0 };

    if (puan_drill_procedure(b->st, b->run, &err) != PUAN_OK)
        puan_log(PUAN_LOG_WARN, "technical drill", PUAN_LOG_I("drill", b->run),
                 PUAN_LOG_T("why", err.text));
    pthread_mutex_lock(&x->lock);
    x->busy = false;
    pthread_mutex_unlock(&x->lock);
    free(b);
    return NULL;
}

enum puan_status puan_drill_procedure_begin(struct puan_store *st, int64_t run,
                                            struct puan_err *err)
{
    struct puan_drill_state_of *x = puan_drill_state(st);
    struct background *b = malloc(sizeof *b);
    enum puan_status rc = PUAN_OK;

    if (b == NULL)
        return puan_fail(err, PUAN_ENOMEM, "drill", "out of memory");
    *b = (struct background){ st, run };
    pthread_mutex_lock(&x->lock);
    if (x->busy) {
        rc = puan_fail(err, PUAN_EBUSY, "drill",
                       "another technical drill is running; wait for its end");
    } else {
        if (x->joinable)
            pthread_join(x->thread, NULL);
        x->joinable = false;
        if (pthread_create(&x->thread, NULL, run_it, b) == 0)
            x->busy = x->joinable = true;
        else
            rc = puan_fail(err, PUAN_EIO, "drill", "no thread for the drill");
    }
    pthread_mutex_unlock(&x->lock);
    if (rc != PUAN_OK)
        free(b);
    return rc;
}
