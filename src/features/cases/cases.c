/*
 * Runs in the office store: reading them, and the one body that writes an
 * event with everything that follows from it.  Never decides: core/flow does.
 */
#include "features/cases/cases.h"

#include <stdlib.h>

#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "features/accounts/accounts.h"
#include "features/cases/internal.h"
#include "features/cases/view.h"
#include "features/duty/duty.h"
#include "features/live/live.h"
#include "features/notify/notify.h"
#include "kit/crypto/keys.h"
#include "kit/os/heap.h"

/* ---- the flows of the plan -------------------------------------------- */

enum puan_status puan_cases_open(void **state, struct puan_store *st,
                                 struct puan_err *err)
{
    struct puan_cases *c = calloc(1, sizeof *c);
    enum puan_status r;

    if (c == NULL)
        return puan_fail(err, PUAN_ENOMEM, "cases", "out of memory");
    puan_arena_init(&c->arena, &puan_heap);
    puan_faces_init(&c->faces);
    r = puan_flows_load(&c->flows, puan_store_plan(st), &c->arena, err);
    if (r != PUAN_OK) {
        puan_cases_close(c, st);
        return r;
    }
    *state = c;
    return PUAN_OK;
}

void puan_cases_close(void *state, struct puan_store *st)
{
    struct puan_cases *c = state;

    (void)st;
    if (c == NULL)
        return;
    puan_faces_clear(&c->faces);
    puan_arena_clear(&c->arena);
    free(c);
}

const struct puan_flows *puan_cases_flows(struct puan_store *st)
{
    const struct puan_cases *c = puan_store_state(st, &puan_feature_cases);

    return c ? &c->flows : NULL;
}

enum puan_status puan_cases_flow(const struct puan_flow **out,
                                 struct puan_store *st, struct puan_str name,
                                 struct puan_err *err)
{
    const struct puan_flows *f = puan_cases_flows(st);

    *out = f ? puan_flows_get(f, name) : NULL;
    if (*out != NULL)
        return PUAN_OK;
    return puan_fail(err, PUAN_ENOTFOUND, "flow",
                     "the plan has no workflow \"%.*s\"", PUAN_FMT(name));
}

static const struct puan_case_owner *owner_of(const struct puan_flow *f)
{
    for (size_t i = 0; puan_case_owners[i] != NULL; i++)
        if (puan_str_is(f->subject, puan_case_owners[i]->subject))
            return puan_case_owners[i];
    return NULL;
}

void puan_case_fact(struct puan_case_facts *f, const char *name, int64_t v)
{
    if (f->n == PUAN_CASE_FACTS)
        return;
    f->given[f->n].name = puan_str_of(name);
    f->given[f->n++].value = v;
}

/* ---- who --------------------------------------------------------------- */

struct puan_flow_who puan_case_system(void)
{
    return (struct puan_flow_who){ .actor = PUAN_STR("puan"),
                                   .role = PUAN_STR("system"),
                                   .system = true };
}

struct puan_flow_who puan_case_seat(struct puan_store *st,
                                    struct puan_str actor,
                                    struct puan_str role, int64_t seat_area,
                                    int64_t run_area)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    struct puan_flow_who who = { .actor = actor, .role = role,
                                 .area = seat_area, .above = -1 };
    uint32_t seat, run;

    if (t == NULL)
        return who;
    seat = puan_area_find(t, seat_area);
    run = puan_area_find(t, run_area);
    if (run != PUAN_AREA_NONE)
        who.run_level = t->level[t->area[run].level].name;
    if (seat == PUAN_AREA_NONE || run == PUAN_AREA_NONE)
        return who;
    who.level = t->level[t->area[seat].level].name;
    if (puan_area_contains(t, seat, run))
        who.above = (int)t->area[run].level - (int)t->area[seat].level;
    return who;
}

int puan_case_level_above(struct puan_store *st, struct puan_str level,
                          int64_t run_area)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    const struct puan_plan *plan = puan_store_plan(st);
    uint32_t run = t ? puan_area_find(t, run_area) : PUAN_AREA_NONE;
    int upper = puan_plan_level(plan, level), own;

    if (run == PUAN_AREA_NONE || upper < 0)
        return -1;
    own = puan_plan_level(plan, t->level[t->area[run].level].name);
    return own >= upper ? own - upper : -1;
}

/* The area a seat of the flow stands for, seen from the run; 0 outside. */
static int64_t area_of_seat(struct puan_store *st,
                            const struct puan_flow_seat *s, int64_t run_area)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    uint32_t i = t ? puan_area_find(t, run_area) : PUAN_AREA_NONE;
    int level;

    if (i == PUAN_AREA_NONE)
        return 0;
    switch (s->reach) {
    case PUAN_FLOW_OWN:
    case PUAN_FLOW_ANY:
        return run_area;
    case PUAN_FLOW_PARENT:
        i = t->area[i].parent;
        return i == PUAN_AREA_NONE ? 0 : t->area[i].code;
    case PUAN_FLOW_ANCESTOR:
        level = puan_area_level_of(t, s->level);
        if (level < 0)
            return 0;
        if (level > t->area[i].level)
            return run_area; /* the run stands above that level */
        i = puan_area_ancestor(t, i, (unsigned)level);
        return i == PUAN_AREA_NONE ? 0 : t->area[i].code;
    }
    return 0;
}

/* ---- reading ----------------------------------------------------------- */

enum puan_status puan_case_row_read(struct puan_case_row *row,
                                    struct puan_db *db, int64_t id,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    st = puan_sql(&s, db,
                  "SELECT id, flow, area, subject, state, drill, opened,"
                  " ended, parent, n FROM case_run WHERE id = $1",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, id);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && !more)
        st = puan_fail(err, PUAN_ENOTFOUND, "case", "there is no such case");
    if (st == PUAN_OK) {
        row->id = puan_col_int(s, 0);
        row->flow = puan_arena_keep(a, puan_col_text(s, 1));
        row->area = puan_col_int(s, 2);
        row->subject = puan_arena_keep(a, puan_col_text(s, 3));
        row->state = puan_arena_keep(a, puan_col_text(s, 4));
        row->drill = puan_col_int(s, 5) != 0;
        row->opened_ms = puan_col_int(s, 6);
        row->ended_ms = puan_col_int(s, 7);
        row->parent = puan_col_int(s, 8);
        row->n = puan_col_int(s, 9);
    }
    puan_stmt_done(s);
    return st;
}

static bool has_secrets(const struct puan_flow *f)
{
    for (size_t i = 0; i < f->n_fields; i++)
        if (f->fields[i].secret)
            return true;
    return false;
}

static const char *event_key(struct puan_arena *a, int64_t run, int64_t n)
{
    return puan_arena_fmt(a, "%lld.%lld", (long long)run, (long long)n);
}

enum puan_status puan_case_event_open(struct puan_str *out,
                                      struct puan_store *st, int64_t run,
                                      int64_t n, struct puan_str body,
                                      struct puan_str sealed,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    struct puan_keys *keys = puan_store_keys(st);
    const struct puan_seal_key *key;
    int version;

    if (sealed.n == 0) {
        *out = puan_arena_keep(a, body);
        return PUAN_OK;
    }
    version = puan_sealed_version(sealed);
    key = version < 0 ? NULL
                      : puan_keys_data_version(keys, 0, "case",
                                               (uint16_t)version);
    if (key == NULL)
        return puan_fail(err, PUAN_EIO, "case_event",
                         "the key of a sealed event is missing from keys/");
    return puan_unseal(out, key,
                       puan_seal_aad(a, 0, "case_event", "sealed",
                                     key->version,
                                     puan_str_of(event_key(a, run, n))),
                       sealed, a, err);
}

enum puan_status puan_case_read(struct puan_case_row *row,
                                struct puan_flow_run **run,
                                struct puan_store *st, struct puan_db *db,
                                int64_t id, struct puan_arena *a,
                                struct puan_err *err)
{
    const struct puan_flow *flow;
    struct puan_flow_run *r;
    struct puan_stmt *s = NULL;
    enum puan_status rc;
    bool more = false;

    TRY(puan_case_row_read(row, db, id, a, err));
    if (run == NULL)
        return PUAN_OK;
    TRY(puan_cases_flow(&flow, st, row->flow, err));
    r = puan_new(a, struct puan_flow_run);
    if (r == NULL)
        return puan_arena_check(a, err);
    puan_flow_run_init(r, flow);
    r->id = row->id;
    r->area = row->area;
    rc = puan_sql(&s, db,
                  "SELECT n, body, sealed FROM case_event WHERE run = $1"
                  " ORDER BY n",
                  err);
    if (rc != PUAN_OK)
        return rc;
    puan_bind_int(s, 1, id);
    while ((rc = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        struct puan_flow_event e;
        struct puan_str body;

        rc = puan_case_event_open(&body, st, id, puan_col_int(s, 0),
                                  puan_col_text(s, 1), puan_col_bytes(s, 2), a,
                                  err);
        if (rc == PUAN_OK)
            rc = puan_flow_event_read(&e, body, a, err);
        if (rc == PUAN_OK)
            rc = puan_flow_fold(r, &e, err);
        if (rc != PUAN_OK)
            break;
    }
    puan_stmt_done(s);
    *run = r;
    return rc;
}

enum puan_status puan_case_events(struct puan_flow_event **out, size_t *n,
                                  struct puan_store *st, struct puan_db *db,
                                  int64_t id, struct puan_arena *a,
                                  struct puan_err *err)
{
    struct puan_case_row row = { 0 };
    struct puan_stmt *s = NULL;
    enum puan_status rc;
    bool more = false;

    *n = 0;
    TRY(puan_case_row_read(&row, db, id, a, err));
    *out = puan_new_n(a, (size_t)row.n, struct puan_flow_event);
    if (*out == NULL)
        return puan_arena_check(a, err);
    rc = puan_sql(&s, db,
                  "SELECT n, body, sealed FROM case_event WHERE run = $1"
                  " ORDER BY n LIMIT 100000",
                  err);
    if (rc != PUAN_OK)
        return rc;
    puan_bind_int(s, 1, id);
    while (*n < (size_t)row.n &&
           (rc = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        struct puan_str body;

        rc = puan_case_event_open(&body, st, id, puan_col_int(s, 0),
                                  puan_col_text(s, 1), puan_col_bytes(s, 2), a,
                                  err);
        if (rc == PUAN_OK)
            rc = puan_flow_event_read(&(*out)[*n], body, a, err);
        if (rc != PUAN_OK)
            break;
        ++*n;
    }
    puan_stmt_done(s);
    return rc;
}

/* ---- facts ------------------------------------------------------------- */

/* Children of the run still open, by flow: "open.FLOW". */
enum puan_status puan_case_children(struct puan_case_facts *out,
                                    const struct puan_flow *f,
                                    struct puan_db *db, int64_t id,
                                    struct puan_arena *a,
                                    struct puan_err *err)
{
    for (size_t t = 0; t < f->n_transitions; t++) {
        for (size_t k = 0; k < f->transitions[t].n_none_open; k++) {
            struct puan_str kind = f->transitions[t].none_open[k];
            struct puan_stmt *s = NULL;
            enum puan_status st;
            bool more = false, had = false;
            const char *name = puan_arena_fmt(a, "open.%.*s", PUAN_FMT(kind));

            for (size_t i = 0; i < out->n; i++)
                had = had || puan_str_is(out->given[i].name, name);
            if (had)
                continue;
            st = puan_sql(&s, db,
                          "SELECT COUNT(*) FROM case_run WHERE parent = $1"
                          " AND flow = $2 AND ended = 0",
                          err);
            if (st != PUAN_OK)
                return st;
            puan_bind_int(s, 1, id);
            puan_bind_text(s, 2, kind);
            st = puan_stmt_step(&more, s, err);
            if (st == PUAN_OK && more)
                puan_case_fact(out, name, puan_col_int(s, 0));
            puan_stmt_done(s);
            if (st != PUAN_OK)
                return st;
        }
    }
    return PUAN_OK;
}

/* Facts that are figures of the registry; one that cannot be told is unknown. */
static void metrics_of(struct puan_case_facts *out, struct puan_store *st,
                       const struct puan_flow *flow, int64_t area)
{
    for (size_t i = 0; i < flow->n_facts; i++)
        for (size_t f = 0;
             flow->facts[i].metric.n > 0 && puan_features[f] != NULL; f++)
            for (size_t k = 0; k < puan_features[f]->n_metrics; k++) {
                const struct puan_metric *m = &puan_features[f]->metrics[k];
                struct puan_err unknown = { 0 };
                int64_t v;

                if (!puan_str_is(flow->facts[i].metric, m->name) ||
                    m->read(&v, st, area, &unknown) != PUAN_OK ||
                    out->n == PUAN_CASE_FACTS)
                    continue;
                out->given[out->n++] =
                    (struct puan_flow_given){ flow->facts[i].name, v };
            }
}

enum puan_status puan_case_facts_of(struct puan_case_facts *out,
                                    struct puan_store *st,
                                    const struct puan_case_row *row,
                                    struct puan_arena *a, struct puan_err *err)
{
    const struct puan_flow *flow;
    const struct puan_case_owner *owner;

    TRY(puan_cases_flow(&flow, st, row->flow, err));
    owner = owner_of(flow);
    metrics_of(out, st, flow, row->area);
    if (owner != NULL && owner->facts != NULL)
        return owner->facts(out, st, row, a, err);
    return PUAN_OK;
}

static bool related(struct puan_store *st, int64_t a, int64_t b)
{
    const struct puan_area_tree *t = puan_store_areas(st);

    return t == NULL || puan_area_contains_code(t, a, b) ||
           puan_area_contains_code(t, b, a);
}

/* Open runs of other flows that forbid some of these transitions here. */
enum puan_status puan_case_blocks(struct puan_case_block **out, size_t *n_out,
                                  struct puan_store *st, struct puan_db *db,
                                  const struct puan_flow *flow,
                                  puan_flow_set transitions, int64_t area,
                                  struct puan_arena *a, struct puan_err *err)
{
    const struct puan_flows *all = puan_cases_flows(st);
    struct puan_case_block *list = puan_new_n(a, 16, struct puan_case_block);
    size_t n = 0;

    if (list == NULL)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < all->n && n < 16; i++) {
        const struct puan_flow *g = all->flow[i];
        int64_t ids[64];
        size_t n_ids = 0;
        bool may = false, more = false;
        struct puan_stmt *s = NULL;
        enum puan_status rc;

        for (size_t k = 0; k < g->n_blocks; k++)
            may = may || puan_str_eq(g->blocks[k].flow, flow->label.name);
        if (!may)
            continue;
        rc = puan_sql(&s, db,
                      "SELECT id, area FROM case_run WHERE flow = $1 AND"
                      " ended = 0 ORDER BY id",
                      err);
        if (rc != PUAN_OK)
            return rc;
        puan_bind_text(s, 1, g->label.name);
        while ((rc = puan_stmt_step(&more, s, err)) == PUAN_OK && more)
            if (n_ids < PUAN_COUNT(ids) &&
                related(st, area, puan_col_int(s, 1)))
                ids[n_ids++] = puan_col_int(s, 0);
        puan_stmt_done(s);
        if (rc != PUAN_OK)
            return rc;
        for (size_t k = 0; k < n_ids && n < 16; k++) {
            struct puan_case_row row;
            struct puan_flow_run *run = NULL;
            puan_flow_set forbids = 0;

            TRY(puan_case_read(&row, &run, st, db, ids[k], a, err));
            for (size_t t = 0; t < flow->n_transitions; t++)
                if (PUAN_FLOW_HAS(transitions, t) &&
                    puan_flow_run_blocks(run, flow->label.name,
                                         flow->transitions[t].label.name))
                    forbids |= (puan_flow_set)1 << t;
            if (forbids != 0)
                list[n++] = (struct puan_case_block){ ids[k], g, forbids };
        }
    }
    *out = list;
    *n_out = n;
    return puan_arena_check(a, err);
}

/* Those that forbid one transition, by name. */
static enum puan_status blockers(const struct puan_str **out, size_t *n_out,
                                 struct puan_store *st, struct puan_db *db,
                                 const struct puan_flow *flow,
                                 struct puan_str transition, int64_t area,
                                 struct puan_arena *a, struct puan_err *err)
{
    int at = puan_flow_transition(flow, transition);
    struct puan_case_block *block = NULL;
    struct puan_str *list;
    size_t n = 0;

    *out = NULL;
    *n_out = 0;
    if (at < 0)
        return PUAN_OK;
    TRY(puan_case_blocks(&block, &n, st, db, flow, (puan_flow_set)1 << at,
                         area, a, err));
    list = puan_new_n(a, n, struct puan_str);
    if (list == NULL)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < n; i++)
        list[i] = puan_str_of(
            puan_arena_fmt(a, "%.*s %lld", PUAN_FMT(block[i].flow->label.name),
                           (long long)block[i].run));
    *out = list;
    *n_out = n;
    return puan_arena_check(a, err);
}

/* ---- writing ----------------------------------------------------------- */

static enum puan_status write_run(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act,
                                  const struct puan_case_row *row,
                                  const struct puan_flow *flow,
                                  struct puan_arena *a, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(puan_shard_store(sh));
    struct puan_stmt *s = NULL;
    struct puan_out content;
    enum puan_status st;

    st = puan_sql(&s, db,
                  "INSERT INTO case_run(id, flow, version, plan, area,"
                  " subject, state, drill, opened, ended, parent, n)"
                  " VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
                  " ON CONFLICT (id) DO UPDATE SET state = excluded.state,"
                  " opened = excluded.opened, ended = excluded.ended,"
                  " n = excluded.n",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, row->id);
    puan_bind_text(s, 2, row->flow);
    puan_bind_int(s, 3, flow->version);
    puan_bind_bytes(s, 4, plan->digest, sizeof plan->digest);
    puan_bind_int(s, 5, row->area);
    puan_bind_text(s, 6, row->subject);
    puan_bind_text(s, 7, row->state);
    puan_bind_int(s, 8, row->drill);
    puan_bind_int(s, 9, row->opened_ms);
    puan_bind_int(s, 10, row->ended_ms);
    puan_bind_int(s, 11, row->parent);
    puan_bind_int(s, 12, row->n);
    TRY(puan_stmt_once(s, err));
    puan_out_init(&content, a);
    puan_content_text(&content, row->flow);
    puan_content_int(&content, flow->version);
    puan_content_bytes(&content, (struct puan_str){ (const char *)plan->digest,
                                                    sizeof plan->digest });
    puan_content_int(&content, row->area);
    puan_content_text(&content, row->subject);
    puan_content_text(&content, row->state);
    puan_content_int(&content, row->drill);
    puan_content_int(&content, row->opened_ms);
    puan_content_int(&content, row->ended_ms);
    puan_content_int(&content, row->parent);
    puan_content_int(&content, row->n);
    return puan_cover_id(sh, db, act, "case_run", row->id,
                         puan_out_view(&content), err);
}

static enum puan_status write_event(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act,
                                    const struct puan_case_row *row,
                                    const struct puan_flow *flow,
                                    const struct puan_flow_event *e,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_keys *keys = puan_store_keys(puan_shard_store(sh));
    struct puan_str key = puan_str_of(event_key(a, row->id, row->n));
    struct puan_str body = PUAN_STR("");
    struct puan_out o, sealed, content;
    struct puan_stmt *s = NULL;
    enum puan_status st;

    puan_out_init(&o, a);
    puan_out_init(&sealed, a);
    puan_flow_event_write(&o, e);
    if (has_secrets(flow)) {
        const struct puan_seal_key *k = NULL;

        TRY(puan_keys_data_make(&k, keys, 0, "case", err));
        TRY(puan_seal(&sealed, k,
                      puan_seal_aad(a, 0, "case_event", "sealed", k->version,
                                    key),
                      puan_out_view(&o), err));
    } else {
        body = puan_out_view(&o);
    }
    TRY(puan_arena_check(a, err));
    st = puan_sql(&s, db,
                  "INSERT INTO case_event(run, n, at, body, sealed)"
                  " VALUES($1, $2, $3, $4, $5)",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, row->id);
    puan_bind_int(s, 2, row->n);
    puan_bind_int(s, 3, e->event_ms);
    puan_bind_text(s, 4, body);
    puan_bind_bytes(s, 5, sealed.n ? sealed.p : "", sealed.n);
    TRY(puan_stmt_once(s, err));
    puan_out_init(&content, a);
    puan_content_int(&content, e->event_ms);
    puan_content_text(&content, body);
    puan_content_bytes(&content, puan_out_view(&sealed));
    return puan_cover(sh, db, act, "case_event", key, puan_out_view(&content),
                      err);
}

enum puan_status puan_case_clock_write(struct puan_store *store,
                                       struct puan_db *db,
                                       const struct puan_flow_run *run,
                                       struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    const char *part = NULL;
    int clock = -1;
    int64_t at = 0;
    enum puan_status st;

    if (!puan_flow_next_tick(&clock, &part, &at, run)) {
        st = puan_sql(&s, db, "DELETE FROM case_clock WHERE run = $1", err);
        if (st != PUAN_OK)
            return st;
        puan_bind_int(s, 1, run->id);
    } else {
        st = puan_sql(&s, db,
                      "INSERT INTO case_clock(run, clock, part, at)"
                      " VALUES($1, $2, $3, $4) ON CONFLICT (run) DO UPDATE"
                      " SET clock = excluded.clock, part = excluded.part,"
                      " at = excluded.at",
                      err);
        if (st != PUAN_OK)
            return st;
        puan_bind_int(s, 1, run->id);
        puan_bind_text(s, 2, run->flow->clocks[clock].label.name);
        puan_bind_text(s, 3, puan_str_of(part));
        puan_bind_int(s, 4, at);
        puan_case_clock_hint(store, at);
    }
    return puan_stmt_once(s, err);
}

static const char *const notice_kind[] = { "notify", "report", "copy", "open",
                                           "call",   "unlock", "void",
                                           "escalate" };

enum puan_status puan_case_notice_write(struct puan_shard *sh,
                                        struct puan_db *db,
                                        struct puan_act *act,
                                        const struct puan_case_notice *n,
                                        struct puan_arena *a,
                                        struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_out c;
    enum puan_status st;

    st = puan_sql(&s, db,
                  "INSERT INTO case_notice(id, run, n, kind, seat, role, level,"
                  " area, at, vacant, taken, taken_by)"
                  " VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
                  " ON CONFLICT (id) DO UPDATE SET taken = excluded.taken,"
                  " taken_by = excluded.taken_by",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, n->id);
    puan_bind_int(s, 2, n->run);
    puan_bind_int(s, 3, n->n);
    puan_bind_text(s, 4, n->kind);
    puan_bind_text(s, 5, n->seat);
    puan_bind_text(s, 6, n->role);
    puan_bind_text(s, 7, n->level);
    puan_bind_int(s, 8, n->area);
    puan_bind_int(s, 9, n->at);
    puan_bind_int(s, 10, n->vacant);
    puan_bind_int(s, 11, n->taken);
    puan_bind_text(s, 12, n->taken_by);
    TRY(puan_stmt_once(s, err));
    puan_out_init(&c, a);
    puan_content_int(&c, n->run);
    puan_content_int(&c, n->n);
    puan_content_text(&c, n->kind);
    puan_content_text(&c, n->seat);
    puan_content_text(&c, n->role);
    puan_content_text(&c, n->level);
    puan_content_int(&c, n->area);
    puan_content_int(&c, n->at);
    puan_content_int(&c, n->vacant);
    puan_content_int(&c, n->taken);
    puan_content_text(&c, n->taken_by);
    TRY(puan_cover_id(sh, db, act, "case_notice", n->id, puan_out_view(&c),
                      err));
    return n->taken == 0 ? PUAN_OK :
                           puan_notify_taken_in(sh, db, act, n->id, 0, err);
}

/* The deadline that comes first among those of a run; 0 none. */
static int64_t first_due(const struct puan_flow_run *run)
{
    int64_t due = 0;

    for (size_t i = 0; i < run->flow->n_clocks; i++) {
        const struct puan_flow_clock_run *c = &run->clock[i];

        if ((c->state == PUAN_FLOW_CLOCK_RUNNING ||
             c->state == PUAN_FLOW_CLOCK_DUE) &&
            (due == 0 || c->due_ms < due))
            due = c->due_ms;
    }
    return due;
}

/* What the notice says outside the office: never what anybody typed. */
static enum puan_status send_out(struct puan_shard *sh, struct puan_db *db,
                                 struct puan_act *act,
                                 const struct puan_case_row *row,
                                 const struct puan_flow_run *run,
                                 const struct puan_case_notice *n,
                                 enum puan_flow_effect_kind kind,
                                 struct puan_arena *a, struct puan_err *err)
{
    const struct puan_notify m = {
        .kind = kind == PUAN_FLOW_ESCALATE ? PUAN_NOTIFY_OVERDUE :
                kind == PUAN_FLOW_SEND || kind == PUAN_FLOW_COPY ?
                                             PUAN_NOTIFY_REPORT :
                                             PUAN_NOTIFY_NOTICE,
        .what = &run->flow->label,
        .about = puan_str_of(
            puan_arena_fmt(a, "cases/%lld", (long long)row->id)),
        .level = puan_case_level(run),
        .role = n->role,
        .area = n->area,
        .account = PUAN_STR(""),
        .at_ms = n->at,
        .due_ms = first_due(run),
        .notice = n->id,
        .drill = row->drill
    };

    return puan_notify_in(NULL, sh, db, act, &m, a, err);
}

static int64_t parent_of(struct puan_store *st, int64_t area)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    uint32_t i = t ? puan_area_find(t, area) : PUAN_AREA_NONE;

    if (i == PUAN_AREA_NONE || t->area[i].parent == PUAN_AREA_NONE)
        return 0;
    return t->area[t->area[i].parent].code;
}

/*
 * How many answer for a role at an area: those on duty by the roster, where it
 * is a seat of duty and a roster was drawn up; else all who hold the seat.
 */
static enum puan_status answering(int64_t *held, struct puan_store *st,
                                  struct puan_db *db, struct puan_str role,
                                  int64_t area, struct puan_arena *a,
                                  struct puan_err *err)
{
    struct puan_duty_on on;

    TRY(puan_duty_on(&on, st, db, role, area, puan_store_now(st), a, err));
    *held = (int64_t)on.n;
    return on.asked ? PUAN_OK : puan_seat_holders(held, db, role, area, err);
}

/* Tells a seat; *vacant says that nobody answers for it. */
static enum puan_status tell(bool *vacant, struct puan_shard *sh,
                             struct puan_db *db, struct puan_act *act,
                             const struct puan_case_row *row,
                             const struct puan_flow_run *run, int seat,
                             enum puan_flow_effect_kind kind,
                             struct puan_str level, int64_t at,
                             struct puan_arena *a, struct puan_err *err)
{
    struct puan_store *st = puan_shard_store(sh);
    const struct puan_flow *flow = run->flow;
    const struct puan_flow_seat *s = &flow->seats[seat];
    struct puan_case_notice n = { .run = row->id,
                                  .n = row->n,
                                  .kind = puan_str_of(notice_kind[kind]),
                                  .seat = s->label.name,
                                  .role = s->role,
                                  .level = level.n ? level : s->level,
                                  .at = at,
                                  .taken_by = PUAN_STR("") };
    const struct puan_role *role;
    int64_t held = 0;

    n.area = level.n ? 0 : area_of_seat(st, s, row->area);
    role = puan_plan_role(puan_store_plan(st), s->role);
    if (level.n > 0 || (role != NULL && role->external)) {
        /* somebody here has to carry it there: the seat that enters acts */
        for (size_t i = 0; i < flow->n_seats; i++) {
            if (!PUAN_FLOW_HAS(flow->enters, i))
                continue;
            n.role = flow->seats[i].role;
            n.area = area_of_seat(st, &flow->seats[i], row->area);
            break;
        }
    }
    if (puan_str_is(n.role, "any"))
        held = 1;
    else
        TRY(answering(&held, st, db, n.role, n.area, a, err));
    /* any area that holds it: the nearest one where somebody sits */
    for (int64_t area = n.area; held == 0 && s->reach == PUAN_FLOW_ANY &&
                                (area = parent_of(st, area)) != 0;) {
        TRY(answering(&held, st, db, n.role, area, a, err));
        if (held > 0)
            n.area = area;
    }
    if (row->drill && !puan_str_is(n.role, "any")) {
        TRY(puan_case_drills->address(&n.role, &n.area, sh, db, row, a, err));
        TRY(puan_seat_holders(&held, db, n.role, n.area, err));
    }
    n.vacant = held == 0;
    *vacant = n.vacant;
    puan_live_touch(st, "notices", n.area);
    TRY(puan_db_int(&n.id, db, "SELECT COALESCE(MAX(id), 0) + 1 FROM"
                               " case_notice",
                    1, err));
    TRY(puan_case_notice_write(sh, db, act, &n, a, err));
    return send_out(sh, db, act, row, run, &n, kind, a, err);
}

static enum puan_status spawn(struct puan_shard *sh, struct puan_db *db,
                              struct puan_act *act,
                              const struct puan_case_row *row,
                              const struct puan_flow_run *run,
                              struct puan_str name, struct puan_arena *a,
                              struct puan_err *err)
{
    struct puan_case_call *call = puan_new(a, struct puan_case_call);
    const struct puan_flow *flow;

    if (call == NULL)
        return puan_arena_check(a, err);
    TRY(puan_cases_flow(&flow, puan_shard_store(sh), name, err));
    call->flow = name;
    call->subject = PUAN_STR("");
    call->area = row->area;
    call->parent = row->id;
    call->arena = a;
    call->event.kind = PUAN_FLOW_OPEN;
    call->event.who = puan_case_system();
    call->event.fields = puan_flow_inherit(flow, run, a);
    call->event.drill = run->drill;
    return puan_case_in(sh, db, act, call, err);
}

static enum puan_status do_effect(bool *vacant, struct puan_shard *sh,
                                  struct puan_db *db, struct puan_act *act,
                                  const struct puan_case_row *row,
                                  const struct puan_flow_run *run,
                                  const struct puan_flow_event *e,
                                  const struct puan_flow_effect *f,
                                  struct puan_str skip, struct puan_arena *a,
                                  struct puan_err *err)
{
    const struct puan_flow *flow = run->flow;
    const struct puan_case_owner *owner = owner_of(flow);
    const struct puan_str none = PUAN_STR("");

    switch (f->kind) {
    case PUAN_FLOW_NOTIFY:
    case PUAN_FLOW_ESCALATE:
        return tell(vacant, sh, db, act, row, run, f->index, f->kind, none,
                    e->event_ms, a, err);
    case PUAN_FLOW_SEND:
        return tell(vacant, sh, db, act, row, run, flow->reports[f->index].to,
                    f->kind, skip, e->event_ms, a, err);
    case PUAN_FLOW_COPY:
        return tell(vacant, sh, db, act, row, run,
                    flow->reports[f->index].skip_copy, f->kind, none,
                    e->event_ms, a, err);
    case PUAN_FLOW_SPAWN:
        return spawn(sh, db, act, row, run, f->name, a, err);
    case PUAN_FLOW_CALL:
        if (owner == NULL || owner->after == NULL)
            return puan_fail(err, PUAN_EINVAL, "flow",
                             "no feature does call:%.*s for subject %.*s",
                             PUAN_FMT(f->name), PUAN_FMT(flow->subject));
        return owner->after(sh, db, act, row, run, e, f->name, err);
    case PUAN_FLOW_UNLOCK:
    case PUAN_FLOW_VOID:
        return PUAN_OK; /* the fold has done it */
    }
    return PUAN_OK;
}

/* After the engine has folded the event: rows, notices, next tick. */
static enum puan_status store_event(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act,
                                    struct puan_case_row *row,
                                    const struct puan_flow_run *run,
                                    const struct puan_flow_event *e,
                                    const struct puan_flow_decision *d,
                                    struct puan_arena *a, struct puan_err *err)
{
    const struct puan_flow *flow = run->flow;
    const struct puan_case_owner *owner = owner_of(flow);

    row->n = run->n_events;
    row->state = flow->states[run->state].name;
    row->drill = run->drill;
    row->opened_ms = run->opened_ms;
    row->ended_ms = d->ended ? e->event_ms : 0;
    TRY(write_run(sh, db, act, row, flow, a, err));
    TRY(write_event(sh, db, act, row, flow, e, a, err));
    for (size_t i = 0; i < d->n; i++) {
        bool vacant = false;

        TRY(do_effect(&vacant, sh, db, act, row, run, e, &d->effect[i],
                      d->skip, a, err));
    }
    TRY(puan_case_clock_write(puan_shard_store(sh), db, run, err));
    TRY(puan_case_attest_write(puan_shard_store(sh), db, run, err));
    /* pages ask again two seconds later, when this is durable */
    puan_live_touch(puan_shard_store(sh), "cases", row->area);
    if (puan_str_is(flow->subject, "release"))
        puan_live_touch(puan_shard_store(sh), "releases", row->area);
    if (owner != NULL && owner->after != NULL)
        return owner->after(sh, db, act, row, run, e, PUAN_STR(""), err);
    return PUAN_OK;
}

enum puan_status puan_case_refused(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act,
                                   struct puan_case_call *call, int clock,
                                   struct puan_err *err)
{
    const struct puan_flow_clock *c = &call->after->flow->clocks[clock];

    for (size_t i = 0; i < c->n_on_refused; i++) {
        bool vacant;

        TRY(do_effect(&vacant, sh, db, act, &call->row, call->after,
                      &call->event, &c->on_refused[i], PUAN_STR(""),
                      call->arena, err));
    }
    return PUAN_OK;
}

/* Was the last seat told of this run's clock vacant? */
static enum puan_status last_vacant(bool *out, struct puan_db *db, int64_t run,
                                    int64_t n, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *out = false;
    st = puan_sql(&s, db,
                  "SELECT vacant FROM case_notice WHERE run = $1 AND n = $2"
                  " AND kind = 'escalate' ORDER BY id DESC LIMIT 1",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, run);
    puan_bind_int(s, 2, n);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more)
        *out = puan_col_int(s, 0) != 0;
    puan_stmt_done(s);
    return st;
}

/* Nobody holds the seat that was told: the next rung is told at once. */
static enum puan_status climb(struct puan_shard *sh, struct puan_db *db,
                              struct puan_act *act, struct puan_case_call *call,
                              const struct puan_flow_world *world,
                              struct puan_err *err)
{
    struct puan_flow_run *run = call->after;
    int clock = puan_flow_clock(run->flow, call->event.name);
    struct puan_flow_event e = call->event;
    bool vacant = false;

    if (clock < 0)
        return PUAN_OK;
    e.part = PUAN_STR("rung");
    e.yes = true;
    for (;;) {
        struct puan_flow_decision d;

        TRY(last_vacant(&vacant, db, run->id, call->row.n, err));
        if (!vacant || run->clock[clock].state != PUAN_FLOW_CLOCK_DUE ||
            run->clock[clock].rungs >= run->flow->clocks[clock].n_ladder)
            return PUAN_OK;
        if (puan_flow_apply(&d, run, &e, world, NULL) != PUAN_OK)
            return PUAN_OK; /* another part comes first; the job sees to it */
        TRY(store_event(sh, db, act, &call->row, run, &e, &d, call->arena,
                        err));
    }
}

static const char *const verbs[] = { "case.open",  "case.act",  "case.step",
                                     "case.order", "case.ask",  "case.sign",
                                     "case.evidence", "case.clock", "case.take",
                                     "case.stop" };

/* Before hooks run: their memory may end before the entry is written. */
static void name_act(struct puan_act *act, const struct puan_case_call *call,
                     const struct puan_flow *flow)
{
    const struct puan_flow_event *e = &call->event;

    if (act->verb.n == 0)
        act->verb = puan_str_of(verbs[e->kind]);
    if (act->subject.n == 0)
        act->subject = puan_str_of(puan_arena_fmt(
            call->arena, "cases/%lld", (long long)call->row.id));
    if (act->note.n == 0)
        act->note = puan_str_of(puan_arena_fmt(
            call->arena, "%.*s %.*s%s%.*s", PUAN_FMT(flow->label.name),
            PUAN_FMT(e->name), e->part.n ? " " : "", PUAN_FMT(e->part)));
    if (act->event_ms == 0)
        act->event_ms = e->event_ms;
}

enum puan_status puan_case_in(struct puan_shard *sh, struct puan_db *db,
                              struct puan_act *act, struct puan_case_call *call,
                              struct puan_err *err)
{
    struct puan_store *st = puan_shard_store(sh);
    struct puan_flow_event *e = &call->event;
    struct puan_case_facts facts = call->facts;
    struct puan_flow_world world = { .digest = puan_store_digest(st) };
    const struct puan_flow *flow;
    struct puan_flow_run *run = NULL;
    int64_t given_ms = e->event_ms;
    enum puan_status rc;

    call->row = (struct puan_case_row){ 0 };
    if (call->run == 0) {
        TRY(puan_cases_flow(&flow, st, call->flow, err));
        call->row.flow = flow->label.name;
        call->row.subject = call->subject.p ? call->subject : PUAN_STR("");
        call->row.area = call->area;
        call->row.parent = call->parent;
        TRY(puan_db_int(&call->row.id, db,
                        "SELECT COALESCE(MAX(id), 0) + 1 FROM case_run", 1,
                        err));
        run = puan_new(call->arena, struct puan_flow_run);
        if (run == NULL)
            return puan_arena_check(call->arena, err);
        puan_flow_run_init(run, flow);
        run->id = call->row.id;
        run->area = call->row.area;
    } else {
        TRY(puan_case_read(&call->row, &run, st, db, call->run, call->arena,
                           err));
        flow = run->flow;
        if (call->expect != 0 && call->expect != call->row.n)
            return puan_fail(err, PUAN_ECONFLICT, "case",
                             "the case has gone on since it was read; read it "
                             "again");
        TRY(puan_case_children(&facts, flow, db, call->run, call->arena, err));
        TRY(puan_case_stocks(&facts, st, db, run, call->arena, err));
    }
    if (e->kind == PUAN_FLOW_ACT)
        TRY(blockers(&world.blockers, &world.n_blockers, st, db, flow, e->name,
                     call->row.area, call->arena, err));
    world.facts = facts.given;
    world.n_facts = facts.n;
    e->entry_ms = puan_store_now(st);
    /* a clock set back stands still for a case that is already further: else
     * what another store sends about it would never be taken */
    if (run->opened && e->entry_ms < run->entered_ms)
        e->entry_ms = run->entered_ms;
    if (e->event_ms == 0)
        e->event_ms = e->entry_ms;
    rc = puan_flow_apply(&call->decision, run, e, &world, err);
    if (rc == PUAN_OK)
        name_act(act, call, flow);
    if (rc == PUAN_OK && e->kind == PUAN_FLOW_ASK)
        e->digest =
            run->approval[puan_flow_approval(flow, e->name)].digest;
    call->after = run;
    if (rc == PUAN_OK && e->kind == PUAN_FLOW_OPEN && e->drill &&
        call->parent == 0) {
        call->row.drill = true;
        rc = puan_case_drills->join(sh, db, act, &call->row, e, call->arena,
                                    err);
    }
    if (rc == PUAN_OK)
        rc = store_event(sh, db, act, &call->row, run, e, &call->decision,
                         call->arena, err);
    if (rc == PUAN_OK && e->kind == PUAN_FLOW_TICK)
        rc = climb(sh, db, act, call, &world, err);
    e->event_ms = given_ms; /* the body may have to be run again */
    if (rc == PUAN_OK)
        rc = puan_arena_check(call->arena, err);
    return rc;
}

/* Estimates are counted only for an act that asks: it reads every return. */
static enum puan_status estimates(struct puan_case_call *call,
                                  struct puan_store *st,
                                  const struct puan_case_row *row,
                                  struct puan_err *err)
{
    const struct puan_flow *flow;
    int at;

    if (call->event.kind != PUAN_FLOW_ACT)
        return PUAN_OK;
    TRY(puan_cases_flow(&flow, st, row->flow, err));
    at = puan_flow_transition(flow, call->event.name);
    for (size_t k = 0; at >= 0 && k < flow->transitions[at].n_none_open; k++)
        if (puan_str_is(flow->transitions[at].none_open[k], "estimate"))
            return puan_case_estimates(&call->facts, st, row->area,
                                       call->arena, err);
    return PUAN_OK;
}

static enum puan_status do_body(struct puan_shard *sh, struct puan_db *db,
                                struct puan_act *act, void *arg,
                                struct puan_err *err)
{
    return puan_case_in(sh, db, act, arg, err);
}

enum puan_status puan_case_do(struct puan_store *st, struct puan_act *act,
                              struct puan_case_call *call,
                              struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_case_row row = { 0 };

    if (call->run == 0) {
        row.flow = call->flow;
        row.subject = call->subject;
        row.area = call->area;
    } else {
        struct puan_db *db = NULL;
        enum puan_status rc;

        TRY(puan_read_begin(&db, office, err));
        rc = puan_case_row_read(&row, db, call->run, call->arena, err);
        puan_read_end(office, db);
        if (rc != PUAN_OK)
            return rc;
    }
    TRY(puan_case_facts_of(&call->facts, st, &row, call->arena, err));
    TRY(estimates(call, st, &row, err));
    return puan_commit(office, act, do_body, call, err);
}
