/*
 * Monitors; see monitors.h.
 */
#include "features/monitors/monitors.h"

#include <stdlib.h>

#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/monitors/internal.h"
#include "kit/os/heap.h"

/* ---- what is kept beside the store ------------------------------------------- */

static void close_state(void *state, struct puan_store *st)
{
    struct monitors *ms = state;

    (void)st;
    if (ms == NULL)
        return;
    for (size_t i = 0; i < PUAN_SEEN_SLOTS; i++) {
        while (ms->seen[i] != NULL) {
            struct puan_seen *s = ms->seen[i];

            ms->seen[i] = s->next;
            free(s);
        }
    }
    free(ms->act);
    pthread_mutex_destroy(&ms->lock);
    puan_arena_clear(&ms->arena);
    free(ms);
}

/* risks.yaml of every pack of the plan. */
static enum puan_status open_state(void **state, struct puan_store *st,
                                   struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(st);
    struct monitors *ms = calloc(1, sizeof *ms);
    enum puan_status rc = PUAN_OK;

    if (ms == NULL)
        return puan_fail(err, PUAN_ENOMEM, "monitors", "out of memory");
    puan_arena_init(&ms->arena, &puan_heap);
    pthread_mutex_init(&ms->lock, NULL);
    ms->ledger = -1;
    rc = puan_monitors_read(&ms->of, plan, puan_cases_flows(st), &ms->arena,
                            err);
    if (rc != PUAN_OK) {
        close_state(ms, st);
        return rc;
    }
    *state = ms;
    return PUAN_OK;
}

static enum puan_status job(struct puan_store *st, struct puan_err *err)
{
    return puan_monitors_look(st, false, NULL, err);
}

/* ---- how the risks stand ---------------------------------------------------- */

/* Has the last look at this monitor failed to read its metric somewhere? */
static bool unread(struct monitors *ms, size_t monitor)
{
    bool found = false;

    if (ms->looked[monitor] == 0)
        return true; /* nobody has looked yet */
    for (size_t i = 0; i < PUAN_SEEN_SLOTS && !found; i++)
        for (const struct puan_seen *s = ms->seen[i]; s != NULL && !found;
             s = s->next)
            found = s->monitor == monitor && !s->known && !s->absent;
    return found;
}

static void kind_of(struct puan_risk *r, struct monitors *ms,
                    const struct puan_node *n)
{
    r->risk = n->key;
    r->zh = n->kind == PUAN_NODE_MAP ? puan_node_str_opt(n, "zh", "") : n->text;
    r->en = n->kind == PUAN_NODE_MAP ? puan_node_str_opt(n, "en", "") : n->text;
    for (size_t i = 0; i < ms->of->n; i++)
        if (puan_str_eq(ms->of->list[i].risk, r->risk)) {
            r->monitors++;
            r->unread += unread(ms, i);
        }
}

static void alarm_of(struct puan_risk *r, size_t n, const struct monitors *ms,
                     struct puan_stmt *s, struct puan_arena *a)
{
    const struct puan_monitor *m = NULL;
    int level = (int)puan_col_int(s, 2);

    for (size_t i = 0; i < ms->of->n; i++)
        if (puan_str_eq(ms->of->list[i].label.name, puan_col_text(s, 0)))
            m = &ms->of->list[i];
    for (size_t k = 0; k < n && m != NULL; k++) {
        if (!puan_str_eq(r[k].risk, m->risk))
            continue;
        r[k].alarms++;
        if (level <= r[k].level) /* rows come oldest first */
            return;
        r[k].level = level > PUAN_MONITOR_LEVELS ? PUAN_MONITOR_LEVELS : level;
        r[k].monitor = m->label.name;
        r[k].monitor_zh = m->label.zh;
        r[k].monitor_en = m->label.en;
        for (size_t i = 0; i < m->n_levels; i++)
            if (m->at[i].raise == level)
                r[k].when = puan_arena_keep(a, m->at[i].text);
        r[k].area = puan_col_int(s, 1);
        r[k].value = puan_col_int(s, 3);
        r[k].since_ms = puan_col_int(s, 4);
        r[k].run = puan_col_int(s, 5);
        return;
    }
}

enum puan_status puan_risks_of(struct puan_risk **out, size_t *n,
                               struct puan_store *st, int64_t area,
                               struct puan_arena *a, struct puan_err *err)
{
    struct monitors *ms = puan_store_state(st, &puan_feature_monitors);
    const struct puan_area_tree *t = puan_store_areas(st);
    const struct puan_plan_file *f =
        puan_plan_file(puan_store_plan(st), PUAN_STR("risks.yaml"));
    const struct puan_node *map = NULL;
    struct puan_shard *office = puan_store_office(st);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    bool more = false;
    enum puan_status rc;

    *out = NULL;
    *n = 0;
    if (f != NULL && f->tree != NULL)
        map = puan_node_get(f->tree, "risks");
    if (ms == NULL || map == NULL || map->kind != PUAN_NODE_MAP)
        return PUAN_OK;
    *out = puan_new_n(a, map->n, struct puan_risk);
    if (*out == NULL)
        return puan_arena_check(a, err);
    pthread_mutex_lock(&ms->lock);
    PUAN_NODE_EACH(c, map) kind_of(&(*out)[(*n)++], ms, c);
    pthread_mutex_unlock(&ms->lock);
    TRY(puan_read_begin(&db, office, err));
    rc = puan_sql(&s, db,
                  "SELECT monitor, area, level, value, since, run FROM"
                  " monitor_state WHERE level > 0 ORDER BY since, monitor,"
                  " area",
                  err);
    while (rc == PUAN_OK &&
           (rc = puan_stmt_step(&more, s, err)) == PUAN_OK && more)
        if (puan_area_contains_code(t, area, puan_col_int(s, 1)))
            alarm_of(*out, *n, ms, s, a);
    puan_stmt_done(s);
    puan_read_end(office, db);
    return rc;
}

/* ---- the feature --------------------------------------------------------------- */

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE monitor_state(monitor TEXT NOT NULL, area BIGINT NOT NULL,"
      " level BIGINT NOT NULL, value BIGINT NOT NULL, since BIGINT NOT NULL,"
      " run BIGINT NOT NULL, opened BIGINT NOT NULL,"
      " PRIMARY KEY(monitor, area));" },
};

static const struct puan_covered covered[] = {
    { PUAN_STORE_OFFICE, "monitor_state",
      "SELECT monitor || '.' || CAST(area AS TEXT), level, value, since, run,"
      " opened FROM monitor_state" },
};

static enum puan_status alarms(int64_t *v, struct puan_store *st, int64_t area,
                               struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_db *db = NULL;
    enum puan_status rc;

    (void)area;
    TRY(puan_read_begin(&db, office, err));
    rc = puan_db_int(v, db, "SELECT COUNT(*) FROM monitor_state WHERE level > 0",
                     0, err);
    puan_read_end(office, db);
    return rc;
}

/* Monitors that do not see: their metric cannot be read, or nobody looked. */
static enum puan_status blind(int64_t *v, struct puan_store *st, int64_t area,
                              struct puan_err *err)
{
    struct monitors *ms = puan_store_state(st, &puan_feature_monitors);

    (void)area;
    if (ms == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "monitors", "not running");
    /* called while looking, by a thread that holds the lock already */
    *v = 0;
    for (size_t i = 0; i < ms->of->n; i++)
        *v += ms->looked[i] != 0 && unread(ms, i);
    return PUAN_OK;
}

static const struct puan_metric metrics[] = {
    { "puan_alarms", "alarms", "installation", "Monitors above their threshold",
      alarms },
    { "puan_monitors_unread", "monitors", "installation",
      "Monitors whose metric could not be read at the last look", blind },
};

static const struct puan_job jobs[] = { { "monitors", 2000, job } };

const struct puan_feature puan_feature_monitors = {
    .name = "monitors",
    .routes = puan_monitor_routes,
    .n_routes = PUAN_MONITOR_ROUTES,
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
