/*
 * The feature: its tables, what it keeps beside a store, its jobs and metrics.
 */
#include "features/ingest/ingest.h"

#include "features/ingest/internal.h"

#include <stdlib.h>

#include "kit/os/os.h"

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_RETURNS, 1,
      "CREATE TABLE ret(seq BIGINT PRIMARY KEY, household BIGINT NOT NULL,"
      " prev BIGINT NOT NULL, version BIGINT NOT NULL, form BIGINT NOT NULL,"
      " mode TEXT NOT NULL, device TEXT NOT NULL, counter BIGINT NOT NULL,"
      " actor TEXT NOT NULL, seat TEXT NOT NULL, started BIGINT NOT NULL,"
      " finished BIGINT NOT NULL, received BIGINT NOT NULL,"
      " signed BIGINT NOT NULL, entry BIGINT NOT NULL, query TEXT NOT NULL,"
      " frame BYTEA NOT NULL, facts BYTEA NOT NULL, vault BYTEA NOT NULL,"
      " findings BYTEA NOT NULL, reasons BYTEA NOT NULL, tok BYTEA NOT NULL,"
      " hard BIGINT NOT NULL, soft BIGINT NOT NULL, persons BIGINT NOT NULL,"
      " digest BYTEA NOT NULL);"
      "CREATE TABLE quarantine(id BIGINT PRIMARY KEY, at BIGINT NOT NULL,"
      " source TEXT NOT NULL, household BIGINT NOT NULL, reason TEXT NOT NULL,"
      " size BIGINT NOT NULL, mac BYTEA NOT NULL, sealed BYTEA NOT NULL,"
      " state BIGINT NOT NULL);"
      "CREATE INDEX quarantine_source ON quarantine(source, mac);"
      "CREATE TABLE query(id BIGINT PRIMARY KEY, household BIGINT NOT NULL,"
      " version BIGINT NOT NULL, reason TEXT NOT NULL, findings TEXT NOT NULL,"
      " actor TEXT NOT NULL, seat TEXT NOT NULL, asked BIGINT NOT NULL,"
      " state TEXT NOT NULL, answered BIGINT NOT NULL);"
      "CREATE INDEX query_household ON query(household);"
      "CREATE TABLE watch(area BIGINT PRIMARY KEY);" },
};

struct puan_ingest *puan_ingest_of(const struct puan_store *store)
{
    return puan_store_state(store, &puan_feature_ingest);
}

struct puan_ingest_shard *puan_ingest_shard_of(struct puan_shard *sh)
{
    struct puan_ingest *in = puan_ingest_of(puan_shard_store(sh));
    size_t i = puan_shard_ordinal(sh);

    return in && i < PUAN_INGEST_SHARDS ? atomic_load(&in->shard[i]) : NULL;
}

/* ---- the plan, compiled ------------------------------------------------------- */

/* A form without the items the cases speak of simply has no cases. */
static void compile_residence(struct puan_ingest *in,
                              struct puan_ingest_form *f,
                              const struct puan_plan *plan)
{
    int entity = puan_form_entity(f->form, plan->residence_entity);
    struct puan_expr **e;

    f->residence_entity = entity;
    if (entity < 0 || plan->n_residence == 0 || plan->n_residence > 255)
        return;
    e = puan_new_n(&in->arena, plan->n_residence, struct puan_expr *);
    for (size_t i = 0; i < plan->n_residence && e; i++) {
        struct puan_err err = { 0 };

        if (puan_expr_compile_truth(&e[i], f->form, (uint16_t)entity, plan->consts,
                              plan->n_consts, plan->residence[i].when, "plan",
                              1, &in->arena, &err) != PUAN_OK)
            return;
    }
    f->residence = e;
    f->n_residence = plan->n_residence;
}

static enum puan_status compile(struct puan_ingest *in, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(in->store);
    enum puan_status st = PUAN_OK;

    in->n_forms = plan->n_forms;
    in->form = puan_new_n(&in->arena, plan->n_forms, struct puan_ingest_form);
    if (!in->form)
        return puan_arena_check(&in->arena, err);
    for (size_t i = 0; i < plan->n_forms && st == PUAN_OK; i++) {
        in->form[i].form = plan->form[i];
        st = puan_ruleset_compile(&in->form[i].rules, plan->form[i],
                                  plan->consts, plan->n_consts,
                                  plan->rule_text, plan->rule_name,
                                  plan->n_rules, &in->arena, err);
        if (st == PUAN_OK)
            compile_residence(in, &in->form[i], plan);
    }
    return st;
}

const struct puan_ruleset *puan_ingest_rules(struct puan_store *store,
                                             const struct puan_form *form)
{
    struct puan_ingest *in = puan_ingest_of(store);

    for (size_t i = 0; in && i < in->n_forms; i++)
        if (in->form[i].form == form)
            return in->form[i].rules;
    return NULL;
}

/* ---- life ------------------------------------------------------------------------ */

static void ingest_close(void *state, struct puan_store *store)
{
    struct puan_ingest *in = state;

    if (!in)
        return;
    for (size_t i = 0; in->shard && i < PUAN_INGEST_SHARDS; i++) {
        struct puan_ingest_shard *is = atomic_load(&in->shard[i]);
        struct puan_err err = { 0 };

        if (!is)
            continue;
        if (!is->readonly)
            (void)!puan_heads_snapshot(is, &err); /* a short cut only */
        puan_heads_clear(is);
        puan_tokens_clear(is);
        pthread_mutex_destroy(&is->lock);
        pthread_mutex_destroy(&is->tok_lock);
        pthread_mutex_destroy(&is->merging);
        free(is->watch);
        free(is);
    }
    (void)store;
    free(in->shard);
    puan_arena_clear(&in->arena);
    free(in);
}

static enum puan_status ingest_open(void **state, struct puan_store *store,
                                    struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(store);
    struct puan_ingest *in = calloc(1, sizeof(*in));
    enum puan_status st;

    if (!in)
        return puan_fail(err, PUAN_ENOMEM, "ingest", "out of memory");
    in->store = store;
    puan_arena_init(&in->arena, puan_os_alloc());
    in->shard = calloc(PUAN_INGEST_SHARDS, sizeof(*in->shard));
    in->household_base = 1;
    for (unsigned i = 0; i < plan->household_digits; i++)
        in->household_base *= 10;
    st = in->shard ? compile(in, err)
                   : puan_fail(err, PUAN_ENOMEM, "ingest", "out of memory");
    if (st != PUAN_OK) {
        ingest_close(in, store);
        return st;
    }
    *state = in;
    return PUAN_OK;
}

static enum puan_status load_watch(struct puan_ingest_shard *is,
                                   struct puan_err *err)
{
    struct puan_db *db = NULL;
    struct puan_stmt *s = NULL;
    int64_t n = 0;
    bool more = true;
    enum puan_status st = puan_read_begin(&db, is->sh, err);

    if (st == PUAN_OK)
        st = puan_db_int(&n, db, "SELECT COUNT(*) FROM watch", 0, err);
    is->watch = calloc((size_t)n + 1, sizeof(*is->watch));
    if (st == PUAN_OK && !is->watch)
        st = puan_fail(err, PUAN_ENOMEM, "watch", "out of memory");
    if (st == PUAN_OK)
        st = puan_sql(&s, db, "SELECT area FROM watch ORDER BY area", err);
    while (st == PUAN_OK && is->n_watch < (size_t)n) {
        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        is->watch[is->n_watch++] = puan_col_int(s, 0);
    }
    puan_stmt_done(s);
    puan_read_end(is->sh, db);
    return st;
}

static enum puan_status ingest_shard_open(void *state, struct puan_store *store,
                                          struct puan_shard *sh,
                                          struct puan_err *err)
{
    struct puan_ingest *in = state;
    struct puan_keys *keys = puan_store_keys(store);
    int64_t county = puan_shard_area(sh);
    struct puan_ingest_shard *is;
    enum puan_status st = PUAN_OK;

    if (puan_shard_ordinal(sh) == 0)
        return PUAN_OK;
    is = calloc(1, sizeof(*is));
    if (!is)
        return puan_fail(err, PUAN_ENOMEM, "ingest", "out of memory");
    is->in = in;
    is->sh = sh;
    is->readonly = !puan_shard_writes(sh);
    is->next_ret = 1;
    pthread_mutex_init(&is->lock, NULL);
    pthread_mutex_init(&is->tok_lock, NULL);
    pthread_mutex_init(&is->merging, NULL);
    if (is->readonly) {
        is->vault = puan_keys_data(keys, county, "vault");
        is->quarantine = puan_keys_data(keys, county, "quarantine");
    } else {
        st = puan_keys_data_make(&is->vault, keys, county, "vault", err);
        if (st == PUAN_OK)
            st = puan_keys_data_make(&is->quarantine, keys, county,
                                     "quarantine", err);
    }
    if (st == PUAN_OK)
        st = puan_heads_load(is, err);
    if (st == PUAN_OK)
        st = puan_tokens_load(is, err);
    if (st == PUAN_OK)
        st = load_watch(is, err);
    atomic_store(&in->shard[puan_shard_ordinal(sh)], is);
    return st;
}

enum puan_status puan_ret_watch(struct puan_shard *sh, struct puan_db *db,
                                int64_t area, bool on, struct puan_err *err)
{
    struct puan_ingest_shard *is = puan_ingest_shard_of(sh);
    struct puan_stmt *s = NULL;
    int64_t *grown;
    size_t i;
    enum puan_status st;

    if (!is)
        return puan_fail(err, PUAN_EBUG, "watch", "not a returns store");
    if (on)
        st = puan_sql(&s, db,
                      "INSERT INTO watch(area) VALUES ($1)"
                      " ON CONFLICT(area) DO NOTHING",
                      err);
    else
        st = puan_sql(&s, db, "DELETE FROM watch WHERE area = $1", err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, area);
    TRY(puan_stmt_once(s, err));
    /*
     * The list is the writer's own.  When this batch is undone it is one mark
     * ahead of the table: a parcel too many at worst, never one too few.
     */
    for (i = 0; i < is->n_watch && is->watch[i] != area; i++)
        ;
    if (on && i == is->n_watch) {
        grown = realloc(is->watch, (is->n_watch + 2) * sizeof(*grown));
        if (!grown)
            return puan_fail(err, PUAN_ENOMEM, "watch", "out of memory");
        is->watch = grown;
        is->watch[is->n_watch++] = area;
    }
    return PUAN_OK;
}

/* ---- jobs and metrics --------------------------------------------------------------- */

static enum puan_status each_shard(
    struct puan_store *store,
    enum puan_status (*fn)(struct puan_ingest_shard *, struct puan_err *),
    struct puan_err *err)
{
    struct puan_ingest *in = puan_ingest_of(store);
    enum puan_status st = PUAN_OK;

    for (size_t i = 1; i < puan_store_shards(store) && st == PUAN_OK; i++) {
        struct puan_ingest_shard *is = atomic_load(&in->shard[i]);

        if (is)
            st = fn(is, err);
    }
    return st;
}

static enum puan_status tokens_job(struct puan_store *store,
                                   struct puan_err *err)
{
    return each_shard(store, puan_tokens_tend, err);
}

static enum puan_status snapshot_job(struct puan_store *store,
                                     struct puan_err *err)
{
    return each_shard(store, puan_heads_snapshot, err);
}

static const struct puan_job jobs[] = {
    { "ingest.tokens", 1000, tokens_job },
    { "ingest.snapshot", 300000, snapshot_job },
};

#define METRIC(field)                                                          \
    static enum puan_status read_##field(int64_t *value,                       \
                                         struct puan_store *store,             \
                                         int64_t area, struct puan_err *err)   \
    {                                                                          \
        struct puan_counts c;                                                  \
                                                                               \
        (void)err;                                                             \
        puan_counts_of(&c, store, area);                                       \
        *value = c.field;                                                      \
        return PUAN_OK;                                                        \
    }
METRIC(listed)
METRIC(submitted)
METRIC(self)
METRIC(hard)
METRIC(soft)
METRIC(corrected)

static enum puan_status read_quarantine(int64_t *value,
                                        struct puan_store *store, int64_t area,
                                        struct puan_err *err)
{
    int64_t from, to;
    enum puan_status st = PUAN_OK;

    *value = 0;
    puan_area_keys(&from, &to, store, area);
    for (size_t i = 1; i < puan_store_shards(store) && st == PUAN_OK; i++) {
        struct puan_shard *sh = puan_store_shard(store, i);
        struct puan_db *db = NULL;
        int64_t n = 0, f, t;

        puan_area_keys(&f, &t, store, puan_shard_area(sh));
        if (f >= to || from >= t)
            continue;
        st = puan_read_begin(&db, sh, err);
        if (st == PUAN_OK)
            st = puan_db_int(&n, db,
                             "SELECT COUNT(*) FROM quarantine WHERE state = 0",
                             0, err);
        puan_read_end(sh, db);
        *value += n;
    }
    return st;
}

static const struct puan_metric metrics[] = {
    { "puan_returns_listed", "households", "area",
      "Households on the listing", read_listed },
    { "puan_returns_submitted", "households", "area",
      "Households whose return has arrived", read_submitted },
    { "puan_returns_self", "households", "area",
      "of these, sent by the household itself", read_self },
    { "puan_returns_hard_findings", "findings", "area",
      "Hard findings open on the last versions", read_hard },
    { "puan_returns_soft_findings", "findings", "area",
      "Soft findings open on the last versions", read_soft },
    { "puan_returns_corrected", "households", "area",
      "Households whose return was corrected", read_corrected },
    { "puan_returns_quarantined", "documents", "county",
      "Documents that wait in quarantine", read_quarantine },
};

static const struct puan_covered covered[] = {
    { PUAN_STORE_RETURNS, "query", PUAN_QUERY_SQL },
    { PUAN_STORE_RETURNS, "quarantine", PUAN_QUARANTINE_SQL },
};

/* Asked for in handlers, beside those of the routes. */
static const char *const capabilities[] = { "vault.view", NULL };

const struct puan_feature puan_feature_ingest = {
    .name = "ingest",
    .capabilities = capabilities,
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .routes = puan_ingest_routes,
    .n_routes = PUAN_INGEST_ROUTES,
    .metrics = metrics,
    .n_metrics = PUAN_COUNT(metrics),
    .jobs = jobs,
    .n_jobs = PUAN_COUNT(jobs),
    .covered = covered,
    .n_covered = PUAN_COUNT(covered),
    .open = ingest_open,
    .shard_open = ingest_shard_open,
    .close = ingest_close,
};
