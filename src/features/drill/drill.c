/*
 * The feature: its state, tables, job.
 */
#include "features/drill/drill.h"

#include <stdlib.h>

#include "features/drill/internal.h"
#include "kit/log/log.h"
#include "kit/os/heap.h"

struct puan_drill_state_of *puan_drill_state(struct puan_store *st)
{
    return puan_store_state(st, &puan_feature_drill);
}

enum puan_status puan_drill_find(const struct puan_drill **out,
                                 struct puan_store *st, struct puan_str id,
                                 struct puan_err *err)
{
    *out = puan_drills_get(&puan_drill_state(st)->drills, id);
    return *out ? PUAN_OK
                : puan_fail(err, PUAN_ENOTFOUND, "drill",
                            "the plan has no drill \"%.*s\"", PUAN_FMT(id));
}

static void close_state(void *state, struct puan_store *st)
{
    struct puan_drill_state_of *x = state;

    (void)st;
    if (x == NULL)
        return;
    if (x->joinable)
        pthread_join(x->thread, NULL);
    pthread_mutex_destroy(&x->lock);
    puan_arena_clear(&x->arena);
    free(x);
}

static enum puan_status open_state(void **state, struct puan_store *st,
                                   struct puan_err *err)
{
    struct puan_drill_state_of *x = calloc(1, sizeof *x);
    enum puan_status rc;

    if (x == NULL)
        return puan_fail(err, PUAN_ENOMEM, "drill", "out of memory");
    puan_arena_init(&x->arena, &puan_heap);
    pthread_mutex_init(&x->lock, NULL);
    rc = puan_drills_load(&x->drills, puan_store_plan(st),
                          puan_cases_flows(st), &x->arena, err);
    if (rc != PUAN_OK) {
        close_state(x, st);
        return rc;
    }
    *state = x;
    return PUAN_OK;
}

/* ---- the job ---------------------------------------------------------------- */

static enum puan_status tick_one(struct puan_store *st,
                                 const struct puan_drill_row *r,
                                 struct puan_arena *a, struct puan_err *err)
{
    const struct puan_drill *d =
        puan_drills_get(&puan_drill_state(st)->drills, r->drill);
    struct puan_act act = { .actor = PUAN_STR("puan"),
                            .seat = PUAN_STR("system"),
                            .device = PUAN_STR("") };
    struct puan_drill_call c = { .run = r->id,
                                 .role = PUAN_STR("system"),
                                 .person = PUAN_STR("puan"),
                                 .name = PUAN_STR(""),
                                 .text = PUAN_STR(""),
                                 .arena = a };

    /* outside any: a day is enough */
    if (puan_store_now(st) >= r->started + (d ? d->length_ms : 86400000)) {
        c.what = PUAN_DRILL_DO_END;
        return puan_drill_do(st, &act, &c, err);
    }
    c.what = PUAN_DRILL_DO_INJECT;
    return puan_drill_do(st, &act, &c, err);
}

/* Is there an inject that has come due and was not sent? */
static enum puan_status waits(bool *out, struct puan_store *st,
                              struct puan_db *db,
                              const struct puan_drill_row *r,
                              struct puan_arena *a, struct puan_err *err)
{
    const struct puan_drill *d =
        puan_drills_get(&puan_drill_state(st)->drills, r->drill);
    struct puan_drill_event *e = NULL;
    int64_t now = puan_store_now(st);
    size_t n = 0;

    *out = now >= r->started + (d ? d->length_ms : 86400000);
    if (*out || d == NULL)
        return PUAN_OK;
    TRY(puan_drill_events(&e, &n, db, r->id, a, err));
    for (size_t i = 0; i < d->n_injects; i++) {
        bool there = r->started + d->inject[i].at_ms > now;

        for (size_t k = 0; k < n; k++)
            there = there || (puan_str_is(e[k].kind, "inject") &&
                              puan_str_eq(e[k].name, d->inject[i].id));
        *out = *out || !there;
    }
    return PUAN_OK;
}

enum puan_status puan_drills_tick(struct puan_store *st, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_drill_row *list = NULL;
    struct puan_arena a;
    struct puan_db *db = NULL;
    int64_t *id = NULL;
    size_t n = 0, k = 0;
    enum puan_status rc;

    puan_arena_init(&a, &puan_heap);
    rc = puan_read_begin(&db, office, err);
    if (rc == PUAN_OK) {
        rc = puan_drill_ids(&id, &n, db, PUAN_STR("running"), &a, err);
        list = puan_new_n(&a, n, struct puan_drill_row);
        for (size_t i = 0; rc == PUAN_OK && list != NULL && i < n; i++) {
            bool due = false;

            rc = puan_drill_row_read(&list[k], db, id[i], &a, err);
            if (rc == PUAN_OK)
                rc = waits(&due, st, db, &list[k], &a, err);
            k += due;
        }
        puan_read_end(office, db);
    }
    for (size_t i = 0; rc == PUAN_OK && i < k; i++) {
        struct puan_err why = { 0 };

        /* one that cannot go on must not hold up the others */
        if (tick_one(st, &list[i], &a, &why) != PUAN_OK)
            puan_log(PUAN_LOG_WARN, "drill waits",
                     PUAN_LOG_I("drill", list[i].id),
                     PUAN_LOG_T("why", why.text));
    }
    puan_arena_clear(&a);
    return rc;
}

/* ---- tables ------------------------------------------------------------------- */

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE drill_run(id BIGINT PRIMARY KEY, drill TEXT NOT NULL,"
      " version BIGINT NOT NULL, area BIGINT NOT NULL, state TEXT NOT NULL,"
      " lead_role TEXT NOT NULL, lead_area BIGINT NOT NULL,"
      " lead_person TEXT NOT NULL, planned BIGINT NOT NULL,"
      " started BIGINT NOT NULL, ended BIGINT NOT NULL, points BIGINT NOT NULL,"
      " full_points BIGINT NOT NULL, passed BIGINT NOT NULL,"
      " report TEXT NOT NULL);"
      "CREATE INDEX drill_run_state ON drill_run(state);"
      "CREATE TABLE drill_event(run BIGINT NOT NULL, n BIGINT NOT NULL,"
      " at BIGINT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,"
      " role TEXT NOT NULL, area BIGINT NOT NULL, person TEXT NOT NULL,"
      " yes BIGINT NOT NULL, case_run BIGINT NOT NULL, body TEXT NOT NULL,"
      " PRIMARY KEY(run, n));"
      "CREATE INDEX drill_event_case ON drill_event(case_run);" },
};

static const struct puan_covered covered[] = {
    { PUAN_STORE_OFFICE, "drill_run",
      "SELECT CAST(id AS TEXT), drill, version, area, state, lead_role,"
      " lead_area, lead_person, planned, started, ended, points, full_points,"
      " passed, report FROM drill_run" },
    { PUAN_STORE_OFFICE, "drill_event",
      "SELECT CAST(run AS TEXT) || '.' || CAST(n AS TEXT), at, kind, name,"
      " role, area, person, yes, case_run, body FROM drill_event" },
};

static const struct puan_job jobs[] = { { "drills", 1000, puan_drills_tick } };

/* The tables of other files; their lengths are fixed there. */
const struct puan_feature puan_feature_drill = {
    .name = "drill",
    .routes = puan_drill_routes,
    .n_routes = PUAN_DRILL_ROUTES,
    .commands = puan_drill_commands,
    .n_commands = PUAN_DRILL_COMMANDS,
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .jobs = jobs,
    .n_jobs = PUAN_COUNT(jobs),
    .open = open_state,
    .close = close_state,
    .covered = covered,
    .n_covered = PUAN_COUNT(covered),
};
