/*
 * What the feature "duty" keeps in memory and is asked by others: the plan's
 * model, and who is on duty.
 */
#include "features/duty/duty.h"

#include <stdlib.h>

#include "core/area/area.h"
#include "features/duty/internal.h"
#include "kit/os/heap.h"

struct state {
    struct puan_arena arena;
    struct puan_duty *duty;
};

const struct puan_duty *puan_duty_of(struct puan_store *st)
{
    const struct state *x = puan_store_state(st, &puan_feature_duty);

    return x ? x->duty : NULL;
}

static bool has_role(const void *of, struct puan_str id)
{
    return puan_plan_role(of, id) != NULL;
}
static bool has_level(const void *of, struct puan_str id)
{
    return puan_plan_level(of, id) >= 0;
}
static bool has_duration(int64_t *ms, const void *of, struct puan_str id)
{
    const struct puan_setting *s = puan_plan_setting(of, id);

    if (s == NULL || s->kind != PUAN_SETTING_DURATION)
        return false;
    *ms = s->value;
    return true;
}

static void close_state(void *state, struct puan_store *st)
{
    struct state *x = state;

    (void)st;
    if (x == NULL)
        return;
    puan_arena_clear(&x->arena);
    free(x);
}

static enum puan_status open_state(void **state, struct puan_store *st,
                                   struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(st);
    const struct puan_duty_env env = { has_role, has_level, has_duration,
                                       plan };
    const struct puan_plan_file *f =
        puan_plan_file(plan, PUAN_STR("duty.yaml"));
    struct state *x = calloc(1, sizeof *x);
    enum puan_status rc = PUAN_OK;

    *state = x;
    if (x == NULL)
        return puan_fail(err, PUAN_ENOMEM, "duty", "out of memory");
    puan_arena_init(&x->arena, &puan_heap);
    if (f != NULL && f->tree != NULL)
        rc = puan_duty_load(&x->duty, f->tree, &env, &x->arena, err);
    if (rc != PUAN_OK) {
        close_state(x, st);
        *state = NULL;
    }
    return rc;
}

enum puan_status puan_duty_on(struct puan_duty_on *out, struct puan_store *st,
                              struct puan_db *db, struct puan_str role,
                              int64_t area, int64_t at_ms, struct puan_arena *a,
                              struct puan_err *err)
{
    const struct puan_duty *d = puan_duty_of(st);
    struct puan_roster r;

    *out = (struct puan_duty_on){ 0 };
    if (d == NULL || d->leader || !puan_str_eq(d->seat, role))
        return PUAN_OK;
    TRY(duty_read_posts(&r, st, db, area, at_ms, a, err));
    out->asked = puan_roster_drawn(&r);
    if (out->asked)
        out->n = puan_roster_on(out->person, PUAN_DUTY_ON, &r, at_ms);
    return PUAN_OK;
}

enum puan_status duty_state_of(struct duty_state *out,
                               const struct puan_roster *r, int64_t now,
                               struct puan_arena *a, struct puan_err *err)
{
    struct puan_roster_cell *cell = NULL;
    size_t n = 0;

    *out = (struct duty_state){ .drawn = puan_roster_drawn(r) };
    out->n_on = puan_roster_on(out->on, PUAN_DUTY_ON, r, now);
    if (out->drawn) {
        TRY(puan_roster_cells(&cell, &n, r, now, now + r->duty->horizon_ms, a,
                              err));
        out->gap_minutes = puan_roster_gap(cell, n);
        for (size_t i = 0; i < n && out->gap_from_ms == 0; i++)
            if (puan_roster_gap(&cell[i], 1) > 0)
                out->gap_from_ms = cell[i].from_ms;
    }
    for (size_t i = 0; i < r->n_seats; i++) {
        const struct puan_roster_seat *s = &r->seat[i];
        struct puan_roster_reach x;
        bool again = false;

        for (size_t k = 0; k < i; k++)
            again = again || puan_str_eq(r->seat[k].person, s->person);
        if (again || s->from_ms > now ||
            (s->until_ms != 0 && s->until_ms <= now))
            continue;
        puan_roster_reach(&x, r, s->person, now);
        out->no_number += x.contact == NULL;
        out->unreachable += x.unreachable;
        out->untested += x.stale && !x.unreachable;
    }
    return PUAN_OK;
}

/* ---- metrics --------------------------------------------------------------------- */

enum what { GAP, UNREACHABLE, UNTESTED };

static enum puan_status measure(int64_t *out, struct puan_store *st,
                                int64_t area, enum what what,
                                struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    struct puan_shard *office = puan_store_office(st);
    int64_t now = puan_store_now(st), *list = NULL;
    struct puan_db *db = NULL;
    struct puan_arena a;
    enum puan_status rc;
    size_t n = 0;

    *out = 0;
    if (puan_duty_of(st) == NULL)
        return PUAN_OK;
    puan_arena_init(&a, &puan_heap);
    rc = puan_read_begin(&db, office, err);
    if (rc == PUAN_OK) {
        rc = duty_areas(&list, &n, db, &a, err);
        for (size_t i = 0; rc == PUAN_OK && i < n; i++) {
            struct duty_state x;
            struct puan_roster r;

            if (area != 0 && (t == NULL ||
                              !puan_area_contains_code(t, area, list[i])))
                continue;
            rc = duty_read(&r, st, db, list[i], &a, err);
            if (rc == PUAN_OK)
                rc = duty_state_of(&x, &r, now, &a, err);
            if (rc == PUAN_OK)
                *out += what == GAP           ? x.gap_minutes
                        : what == UNREACHABLE ? x.unreachable
                                              : x.untested + x.no_number;
        }
        puan_read_end(office, db);
    }
    puan_arena_clear(&a);
    return rc;
}

static enum puan_status gap(int64_t *v, struct puan_store *st, int64_t area,
                            struct puan_err *err)
{
    return measure(v, st, area, GAP, err);
}
static enum puan_status unreachable(int64_t *v, struct puan_store *st,
                                    int64_t area, struct puan_err *err)
{
    return measure(v, st, area, UNREACHABLE, err);
}
static enum puan_status untested(int64_t *v, struct puan_store *st,
                                 int64_t area, struct puan_err *err)
{
    return measure(v, st, area, UNTESTED, err);
}

static const struct puan_metric metrics[] = {
    { "puan_duty_gap_minutes", "minutes", "county",
      "Minutes ahead, within the plan's horizon, at which nobody stands the "
      "first post of a roster",
      gap },
    { "puan_duty_unreachable", "officers", "county",
      "Duty officers who did not answer their last call", unreachable },
    { "puan_duty_untested", "officers", "county",
      "Duty officers without a number, or whom no call has reached for too "
      "long",
      untested },
};

/* ---- tables ----------------------------------------------------------------------- */

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE duty_entry(id BIGINT PRIMARY KEY, area BIGINT NOT NULL,"
      " at BIGINT NOT NULL, kind TEXT NOT NULL, role TEXT NOT NULL,"
      " person TEXT NOT NULL, until_ms BIGINT NOT NULL, body TEXT NOT NULL,"
      " sealed BYTEA NOT NULL);"
      "CREATE INDEX duty_entry_area ON duty_entry(area, id);"
      "CREATE TABLE duty_call(entry BIGINT PRIMARY KEY, area BIGINT NOT NULL,"
      " at BIGINT NOT NULL);"
      "CREATE INDEX duty_call_at ON duty_call(at);" },
};

static const struct puan_covered covered[] = {
    { PUAN_STORE_OFFICE, "duty_entry",
      "SELECT CAST(id AS TEXT), area, at, kind, role, person, until_ms, body,"
      " sealed FROM duty_entry" },
};

static const struct puan_job jobs[] = { { "duty calls", 1000,
                                          puan_duty_work } };

static const struct puan_command commands[] = {
    { "duty", "DIR [--area CODE] [--days N] [--store URL]",
      "Shows who is on duty, and every hour nobody stands. One line a shift of "
      "the days ahead (7 unless said), then who cannot be reached. Exit code 1 "
      "when there is a gap or somebody did not answer.",
      duty_command, "显示值班安排、空岗时段和联系不上的人员" },
};

const struct puan_feature puan_feature_duty = {
    .name = "duty",
    .routes = duty_routes,
    .n_routes = DUTY_ROUTES,
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .metrics = metrics,
    .n_metrics = PUAN_COUNT(metrics),
    .jobs = jobs,
    .n_jobs = PUAN_COUNT(jobs),
    .open = open_state,
    .close = close_state,
    .covered = covered,
    .n_covered = PUAN_COUNT(covered),
};
