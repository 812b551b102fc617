/*
 * The campaign directory: making it, opening it, its plan, keys, areas and
 * clock.  Writing to a store is shard.c; what crosses stores is deliver.c.
 */
#include "features/store/store.h"

#include "features/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/calendar.h"
#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/plans/plans.h"
#include "kit/crypto/keys.h"
#include "kit/log/log.h"
#include "kit/os/os.h"

/* ---- schema -------------------------------------------------------------- */

static const struct puan_schema_step store_schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE ledger(seq BIGINT PRIMARY KEY, entry BYTEA NOT NULL,"
      " digest BYTEA NOT NULL);"
      "CREATE TABLE covered(tbl TEXT NOT NULL, key TEXT NOT NULL,"
      " seq BIGINT NOT NULL, digest BYTEA NOT NULL, PRIMARY KEY(tbl, key));"
      "CREATE TABLE outbox(id BIGINT PRIMARY KEY, target BIGINT NOT NULL,"
      " kind TEXT NOT NULL, body BYTEA NOT NULL,"
      " delivered BIGINT NOT NULL DEFAULT 0);"
      "CREATE INDEX outbox_waiting ON outbox(id) WHERE delivered = 0;"
      "CREATE TABLE inbox(id BIGINT PRIMARY KEY, kind TEXT NOT NULL,"
      " seq BIGINT NOT NULL);"
      "CREATE TABLE schema_step(feature TEXT NOT NULL, number BIGINT NOT NULL,"
      " digest BYTEA NOT NULL, made BIGINT NOT NULL,"
      " PRIMARY KEY(feature, number));"
      "CREATE TABLE shard(ordinal BIGINT PRIMARY KEY, area BIGINT NOT NULL,"
      " made BIGINT NOT NULL);"
      "CREATE TABLE area(code TEXT PRIMARY KEY, parent TEXT NOT NULL,"
      " level TEXT NOT NULL, name_zh TEXT NOT NULL, name_en TEXT NOT NULL,"
      " kind TEXT NOT NULL, valid_from TEXT NOT NULL, valid_to TEXT NOT NULL,"
      " successor TEXT NOT NULL);"
      "CREATE TABLE clock(id BIGINT PRIMARY KEY, real_ms BIGINT NOT NULL,"
      " campaign_ms BIGINT NOT NULL, rate BIGINT NOT NULL);" },
    { PUAN_STORE_RETURNS, 1,
      "CREATE TABLE ledger(seq BIGINT PRIMARY KEY, entry BYTEA NOT NULL,"
      " digest BYTEA NOT NULL);"
      "CREATE TABLE covered(tbl TEXT NOT NULL, key TEXT NOT NULL,"
      " seq BIGINT NOT NULL, digest BYTEA NOT NULL, PRIMARY KEY(tbl, key));"
      "CREATE TABLE outbox(id BIGINT PRIMARY KEY, target BIGINT NOT NULL,"
      " kind TEXT NOT NULL, body BYTEA NOT NULL,"
      " delivered BIGINT NOT NULL DEFAULT 0);"
      "CREATE INDEX outbox_waiting ON outbox(id) WHERE delivered = 0;"
      "CREATE TABLE inbox(id BIGINT PRIMARY KEY, kind TEXT NOT NULL,"
      " seq BIGINT NOT NULL);"
      "CREATE TABLE schema_step(feature TEXT NOT NULL, number BIGINT NOT NULL,"
      " digest BYTEA NOT NULL, made BIGINT NOT NULL,"
      " PRIMARY KEY(feature, number));" },
};

static enum puan_status checkpoint_job(struct puan_store *st,
                                       struct puan_err *err)
{
    return puan_store_checkpoint(st, NULL, NULL, err);
}

static const struct puan_job store_jobs[] = {
    { "store.checkpoint", 60000, checkpoint_job },
};

/* `area` is written by imports and listed as covered there. */
static const struct puan_covered store_covered[] = {
    { PUAN_STORE_OFFICE, "shard",
      "SELECT CAST(ordinal AS TEXT), area FROM shard" },
    { PUAN_STORE_OFFICE, "clock",
      "SELECT CAST(id AS TEXT), real_ms, campaign_ms, rate FROM clock" },
};

/* ---- metrics ------------------------------------------------------------- */

static enum puan_status disk_left(int64_t *v, struct puan_store *st,
                                  int64_t area, struct puan_err *err)
{
    int64_t left, all;

    (void)area;
    if (!puan_disk_space(&left, &all, puan_store_dir(st)))
        return puan_fail(err, PUAN_EIO, "disk", "its space cannot be told");
    *v = left / 1024 * 100 / (all / 1024 > 0 ? all / 1024 : 1);
    return PUAN_OK;
}

static enum puan_status parcels(int64_t *v, struct puan_store *st, int64_t area,
                                struct puan_err *err)
{
    enum puan_status rc = PUAN_OK;

    (void)area;
    *v = 0;
    for (size_t i = 0; i < puan_store_shards(st) && rc == PUAN_OK; i++) {
        struct puan_shard *sh = puan_store_shard(st, i);
        struct puan_db *db = NULL;
        int64_t n = 0;

        rc = puan_read_begin(&db, sh, err);
        if (rc == PUAN_OK)
            rc = puan_db_int(&n, db,
                             "SELECT COUNT(*) FROM outbox WHERE delivered = 0",
                             0, err);
        puan_read_end(sh, db);
        *v += n;
    }
    return rc;
}

static const struct puan_metric store_metrics[] = {
    { "puan_disk_left", "percent", "installation",
      "Space left where the campaign lies", disk_left },
    { "puan_parcels_waiting", "parcels", "installation",
      "Parcels from store to store that are not delivered yet", parcels },
};

const struct puan_feature puan_feature_store = {
    .name = "store",
    .metrics = store_metrics,
    .n_metrics = PUAN_COUNT(store_metrics),
    .covered = store_covered,
    .n_covered = PUAN_COUNT(store_covered),
    .schema = store_schema,
    .n_schema = PUAN_COUNT(store_schema),
    .jobs = store_jobs,
    .n_jobs = PUAN_COUNT(store_jobs),
};

static enum puan_status step_run(struct puan_shard *sh, const char *feature,
                                 const struct puan_schema_step *step,
                                 bool first, struct puan_err *err)
{
    struct puan_store *store = sh->store;
    struct puan_act birth = { 0 }, act = { 0 };
    struct puan_stmt *s = NULL;
    uint64_t seq = sh->next_seq;
    uint8_t prev[PUAN_DIGEST_SIZE];
    enum puan_status st;

    memcpy(prev, sh->next_prev, sizeof(prev));
    st = puan_db_begin(sh->db, err);
    if (st != PUAN_OK)
        return st;
    st = puan_db_exec(sh->db, step->sql, err);
    act.actor = birth.actor = PUAN_STR("system");
    act.event_ms = act.entry_ms = birth.event_ms = birth.entry_ms =
        puan_os_now_ms();
    sh->n_cover = 0;
    if (st == PUAN_OK && first) {
        birth.verb = PUAN_STR("store.birth");
        birth.subject = puan_str_of(store->birth);
        birth.note = puan_str_of(store->id);
        st = puan_chain_append(sh, &birth, err);
    }
    act.verb = PUAN_STR("schema.step");
    act.subject = puan_str_of(
        puan_arena_fmt(&sh->arena, "%s/%d", feature, step->number));
    act.has_new = true;
    puan_digest_one(act.new_digest, store->digest, puan_str_of(step->sql));
    if (st == PUAN_OK)
        st = puan_sql(&s, sh->db,
                      "INSERT INTO schema_step(feature, number, digest, made)"
                      " VALUES ($1, $2, $3, $4)",
                      err);
    if (st == PUAN_OK) {
        puan_bind_text(s, 1, puan_str_of(feature));
        puan_bind_int(s, 2, step->number);
        puan_bind_bytes(s, 3, act.new_digest, PUAN_DIGEST_SIZE);
        puan_bind_int(s, 4, act.entry_ms);
        st = puan_stmt_once(s, err);
    }
    if (st == PUAN_OK)
        st = puan_chain_append(sh, &act, err);
    if (st == PUAN_OK)
        st = puan_db_commit(sh->db, err);
    if (st != PUAN_OK) {
        puan_db_rollback(sh->db);
        sh->next_seq = seq;
        memcpy(sh->next_prev, prev, sizeof(prev));
    }
    puan_arena_reset(&sh->arena);
    return st;
}

/* *state: 0 not yet, 1 done as it stands here, 2 done with other SQL. */
static enum puan_status step_state(int *state, struct puan_shard *sh,
                                   const char *feature,
                                   const struct puan_schema_step *step,
                                   struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    uint8_t digest[PUAN_DIGEST_SIZE];
    struct puan_str was;
    bool more = false;
    enum puan_status st;

    *state = 0;
    st = puan_sql(&s, sh->db,
                  "SELECT digest FROM schema_step"
                  " WHERE feature = $1 AND number = $2",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_text(s, 1, puan_str_of(feature));
    puan_bind_int(s, 2, step->number);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more) {
        was = puan_col_bytes(s, 0);
        puan_digest_one(digest, sh->store->digest, puan_str_of(step->sql));
        *state = was.n == sizeof(digest) &&
                         memcmp(was.p, digest, sizeof(digest)) == 0
                     ? 1
                     : 2;
    }
    puan_stmt_done(s);
    return st;
}

static bool has_tables(struct puan_shard *sh)
{
    struct puan_err err = { 0 };
    int64_t n = 0;

    return puan_db_int(&n, sh->db, "SELECT COUNT(*) FROM schema_step", 0,
                       &err) == PUAN_OK;
}

enum puan_status puan_schema_apply(struct puan_shard *sh, struct puan_err *err)
{
    enum puan_store_kind kind =
        sh->ordinal == 0 ? PUAN_STORE_OFFICE : PUAN_STORE_RETURNS;
    bool fresh = !has_tables(sh);
    enum puan_status st = PUAN_OK;

    if (!fresh)
        st = puan_chain_load(sh, err);
    /* the store's own tables first, whatever the list says */
    for (int pass = 0; pass < 2; pass++)
        for (size_t f = 0; puan_features[f] && st == PUAN_OK; f++) {
            const struct puan_feature *ft = puan_features[f];

            if ((strcmp(ft->name, "store") == 0) != (pass == 0))
                continue;
            for (size_t i = 0; i < ft->n_schema && st == PUAN_OK; i++) {
                const struct puan_schema_step *step = &ft->schema[i];
                int state = 0;

                if (step->store != kind)
                    continue;
                if (!fresh)
                    st = step_state(&state, sh, ft->name, step, err);
                if (st == PUAN_OK && state == 2)
                    st = puan_fail(err, PUAN_ECONFLICT, sh->name,
                                   "schema step %s/%d was made by other SQL; "
                                   "steps are only added, never changed",
                                   ft->name, step->number);
                if (st != PUAN_OK || state != 0)
                    continue;
                if (fresh) {
                    sh->next_outbox = (int64_t)sh->ordinal << 40;
                    st = step_run(sh, ft->name, step, true, err);
                    fresh = false;
                } else {
                    st = step_run(sh, ft->name, step, false, err);
                }
            }
        }
    return st;
}

/* ---- areas --------------------------------------------------------------- */

static unsigned area_levels(struct puan_area_level *out,
                            const struct puan_plan *plan, unsigned *shard)
{
    unsigned n = 0;

    for (size_t i = 0; i < plan->n_levels; i++) {
        const struct puan_level *l = &plan->level[i];

        if (l->digits == 0 || n == PUAN_AREA_LEVELS)
            continue;
        if (i == plan->shard_level)
            *shard = l->digits;
        out[n++] = (struct puan_area_level){ l->id, l->zh, l->en, l->digits };
    }
    return n;
}

static enum puan_status read_areas(struct puan_store *store,
                                   struct puan_tree_holder *h,
                                   struct puan_area_tree **tree,
                                   struct puan_err *err)
{
    struct puan_area_level level[PUAN_AREA_LEVELS];
    const struct puan_plan *plan = puan_store_plan(store);
    struct puan_shard *office = store->shard[0];
    struct puan_db *db = NULL;
    struct puan_arena scratch;
    struct puan_area_row *rows;
    struct puan_stmt *s = NULL;
    int64_t n = 0, i = 0;
    unsigned shard = 0, n_levels;
    bool more = false;
    enum puan_status st;

    puan_arena_init(&scratch, puan_os_alloc());
    n_levels = area_levels(level, plan, &shard);
    st = puan_read_begin(&db, office, err);
    if (st == PUAN_OK)
        st = puan_db_int(&n, db, "SELECT COUNT(*) FROM area", 0, err);
    if (st != PUAN_OK || n == 0)
        goto out;
    rows = puan_new_n(&scratch, (size_t)n, struct puan_area_row);
    st = puan_arena_check(&scratch, err);
    if (st == PUAN_OK)
        st = puan_sql(&s, db,
                      "SELECT code, parent, level, name_zh, name_en, kind,"
                      " valid_from, valid_to, successor FROM area"
                      " ORDER BY code",
                      err);
    while (st == PUAN_OK && i < n) {
        struct puan_str *field[] = {
            &rows[i].code,       &rows[i].parent,   &rows[i].level,
            &rows[i].zh,         &rows[i].en,       &rows[i].kind,
            &rows[i].valid_from, &rows[i].valid_to, &rows[i].successor,
        };

        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        for (int c = 0; c < (int)PUAN_COUNT(field); c++) {
            struct puan_str t = puan_col_text(s, c);

            *field[c] = (struct puan_str){ puan_arena_dup(&scratch, t), t.n };
        }
        i++;
    }
    puan_stmt_done(s);
    if (st == PUAN_OK)
        st = puan_arena_check(&scratch, err);
    if (st == PUAN_OK && i > 0)
        st = puan_area_build(tree, level, n_levels, plan->household_digits,
                             rows, (size_t)i, "area", &h->arena, err);
out:
    if (db)
        puan_read_end(office, db);
    puan_arena_clear(&scratch);
    return st;
}

static enum puan_status reload_areas(struct puan_store *store,
                                     struct puan_err *err)
{
    struct puan_tree_holder *h = calloc(1, sizeof(*h));
    struct puan_area_tree *tree = NULL;
    enum puan_status st;

    if (!h)
        return puan_fail(err, PUAN_ENOMEM, "area", "out of memory");
    puan_arena_init(&h->arena, puan_os_alloc());
    st = read_areas(store, h, &tree, err);
    if (st != PUAN_OK) {
        puan_arena_clear(&h->arena);
        free(h);
        return st;
    }
    if (!tree) { /* none yet: a tree without areas, so that nobody sees NULL */
        struct puan_area_level level[PUAN_AREA_LEVELS];
        const struct puan_plan *plan = puan_store_plan(store);
        unsigned shard = 0;

        tree = puan_new(&h->arena, struct puan_area_tree);
        st = puan_arena_check(&h->arena, err);
        if (st == PUAN_OK) {
            tree->n_levels = area_levels(level, plan, &shard);
            memcpy(tree->level, level, tree->n_levels * sizeof(level[0]));
            tree->household_digits = plan->household_digits;
            tree->household_base = 1;
            for (unsigned i = 0; i < plan->household_digits; i++)
                tree->household_base *= 10;
        }
    }
    h->next = store->trees;
    store->trees = h;
    if (st == PUAN_OK)
        atomic_store(&store->areas, tree);
    return st;
}

struct shard_row {
    int64_t ordinal, area, made;
};

static enum puan_status shard_row_body(struct puan_shard *sh,
                                       struct puan_db *db, struct puan_act *act,
                                       void *arg, struct puan_err *err)
{
    const struct shard_row *r = arg;
    struct puan_stmt *s = NULL;
    enum puan_status st;

    st = puan_sql(&s, db,
                  "INSERT INTO shard(ordinal, area, made) VALUES ($1, $2, $3)"
                  " ON CONFLICT(ordinal) DO UPDATE SET made = excluded.made",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, r->ordinal);
    puan_bind_int(s, 2, r->area);
    puan_bind_int(s, 3, r->made);
    st = puan_stmt_once(s, err);
    act->silent = r->made != 0; /* the row's making is the act */
    if (st == PUAN_OK && !act->silent) {
        struct puan_out o;
        char key[24];

        puan_format(key, sizeof(key), "%lld", (long long)r->ordinal);
        puan_out_init(&o, &sh->arena);
        puan_content_int(&o, r->area);
        st = puan_cover(sh, db, act, "shard", puan_str_of(key),
                        puan_out_view(&o), err);
    }
    return st;
}

static enum puan_status put_shard_row(struct puan_store *store,
                                      struct shard_row row,
                                      struct puan_err *err)
{
    char subject[32];
    struct puan_act act = { .actor = PUAN_STR("system"),
                            .verb = PUAN_STR("store.make") };

    puan_format(subject, sizeof(subject), "%lld", (long long)row.area);
    act.subject = puan_str_of(subject);
    return puan_commit(store->shard[0], &act, shard_row_body, &row, err);
}

static enum puan_status open_hooks(struct puan_store *store,
                                   struct puan_shard *sh, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    for (size_t f = 0; f < store->n_features && st == PUAN_OK; f++)
        if (puan_features[f]->shard_open)
            st = puan_features[f]->shard_open(store->state[f], store, sh, err);
    return st;
}

/* Opens a returns store, making it when its row says it never was. */
static enum puan_status add_shard(struct puan_store *store, struct shard_row r,
                                  bool hooks, struct puan_err *err)
{
    struct puan_shard *sh = NULL;
    enum puan_status st;

    st = puan_shard_open(&sh, store, (size_t)r.ordinal, r.area, r.made == 0,
                         err);
    if (st == PUAN_OK && !store->no_writers)
        st = puan_shard_start(sh, err);
    if (st == PUAN_OK && r.made == 0 && !store->no_writers) {
        r.made = 1;
        st = put_shard_row(store, r, err);
    }
    if (st == PUAN_OK && hooks)
        st = open_hooks(store, sh, err);
    if (st != PUAN_OK) {
        puan_shard_close(sh);
        return st;
    }
    atomic_store(&store->shard[r.ordinal], sh);
    atomic_store(&store->n_shards, (size_t)r.ordinal + 1);
    return PUAN_OK;
}

static enum puan_status open_shards(struct puan_store *store,
                                    struct puan_err *err)
{
    struct puan_shard *office = store->shard[0];
    struct shard_row *rows = NULL;
    struct puan_db *db = NULL;
    struct puan_stmt *s = NULL;
    size_t n = 0;
    bool more = true;
    enum puan_status st = puan_read_begin(&db, office, err);

    rows = calloc(PUAN_SHARDS_MAX, sizeof(*rows));
    if (!rows && st == PUAN_OK)
        st = puan_fail(err, PUAN_ENOMEM, "store", "out of memory");
    if (st == PUAN_OK)
        st = puan_sql(&s, db,
                      "SELECT ordinal, area, made FROM shard ORDER BY ordinal",
                      err);
    while (st == PUAN_OK && n < PUAN_SHARDS_MAX) {
        st = puan_stmt_step(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        rows[n].ordinal = puan_col_int(s, 0);
        rows[n].area = puan_col_int(s, 1);
        rows[n].made = puan_col_int(s, 2);
        n++;
        if (rows[n - 1].ordinal != (int64_t)n)
            st = puan_fail(err, PUAN_EIO, "shard",
                           "row of store %zu is missing; restore a backup", n);
    }
    puan_stmt_done(s);
    puan_read_end(office, db);
    for (size_t i = 0; i < n && st == PUAN_OK; i++)
        st = add_shard(store, rows[i], false, err);
    free(rows);
    return st;
}

enum puan_status puan_store_areas_changed(struct puan_store *store,
                                          struct puan_err *err)
{
    const struct puan_area_tree *tree;
    enum puan_status st;

    pthread_mutex_lock(&store->lock);
    st = reload_areas(store, err);
    tree = store->areas;
    for (uint32_t i = 0; st == PUAN_OK && i < tree->n; i++) {
        const struct puan_area *a = &tree->area[i];
        struct shard_row row = { 0 };

        if (tree->level[a->level].digits != store->shard_digits ||
            puan_store_shard_of_area(store, a->code))
            continue;
        row.ordinal = (int64_t)store->n_shards;
        row.area = a->code;
        if (row.ordinal >= PUAN_SHARDS_MAX)
            st = puan_fail(err, PUAN_ELIMIT, "area",
                           "more than %d returns stores", PUAN_SHARDS_MAX - 1);
        if (st == PUAN_OK)
            st = put_shard_row(store, row, err);
        if (st == PUAN_OK)
            st = add_shard(store, row, true, err);
    }
    pthread_mutex_unlock(&store->lock);
    return st;
}

const struct puan_area_tree *puan_store_areas(const struct puan_store *store)
{
    return atomic_load(&store->areas);
}

static unsigned digits_of(int64_t v)
{
    unsigned n = 1;

    while (v >= 10) {
        v /= 10;
        n++;
    }
    return n;
}

struct puan_shard *puan_store_shard_of_area(struct puan_store *store,
                                            int64_t area)
{
    unsigned have = area > 0 ? digits_of(area) : 0;
    size_t n = atomic_load(&store->n_shards);

    if (have < store->shard_digits)
        return NULL;
    for (; have > store->shard_digits; have--)
        area /= 10;
    for (size_t i = 1; i < n; i++) {
        struct puan_shard *sh = atomic_load(&store->shard[i]);

        if (sh->area == area)
            return sh;
    }
    return NULL;
}

struct puan_shard *puan_store_shard_of_household(struct puan_store *store,
                                                 int64_t household)
{
    return puan_store_shard_of_area(store, household);
}

/* ---- clock --------------------------------------------------------------- */

int64_t puan_real_now(void)
{
    return puan_os_now_ms();
}

int64_t puan_store_now(const struct puan_store *store)
{
    struct puan_store *st;
    int64_t now = puan_os_now_ms();

    memcpy(&st, &store, sizeof(st)); /* the lock is not part of the value */
    pthread_mutex_lock(&st->clock_lock);
    if (store->clock_rate != 0 || store->clock_campaign != 0)
        now = store->clock_campaign +
              (now - store->clock_real) * store->clock_rate / 1000;
    pthread_mutex_unlock(&st->clock_lock);
    return now;
}

struct clock_set {
    int64_t real, campaign, rate;
};

static enum puan_status clock_body(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act, void *arg,
                                   struct puan_err *err)
{
    struct clock_set *c = arg;
    struct puan_stmt *s = NULL;
    enum puan_status st;

    c->real = act->entry_ms;
    st = puan_sql(&s, db,
                  "INSERT INTO clock(id, real_ms, campaign_ms, rate)"
                  " VALUES (1, $1, $2, $3) ON CONFLICT(id) DO UPDATE SET"
                  " real_ms = excluded.real_ms,"
                  " campaign_ms = excluded.campaign_ms, rate = excluded.rate",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, c->real);
    puan_bind_int(s, 2, c->campaign);
    puan_bind_int(s, 3, c->rate);
    st = puan_stmt_once(s, err);
    if (st == PUAN_OK) {
        struct puan_out o;

        puan_out_init(&o, &sh->arena);
        puan_content_int(&o, c->real);
        puan_content_int(&o, c->campaign);
        puan_content_int(&o, c->rate);
        st = puan_cover(sh, db, act, "clock", PUAN_STR("1"),
                        puan_out_view(&o), err);
    }
    return st;
}

enum puan_status puan_store_clock_set(struct puan_store *store,
                                      struct puan_act *act, int64_t campaign_ms,
                                      int64_t rate, struct puan_err *err)
{
    struct clock_set c = { 0, campaign_ms, rate };
    char when[32], subject[64];
    enum puan_status st;

    if (store->run == PUAN_RUN_LIVE)
        return puan_fail(err, PUAN_EDENIED, "clock",
                         "this directory was born live; only a drill or demo "
                         "has a clock that can be set");
    if (rate < 0 || rate > 100000000)
        return puan_fail(err, PUAN_EINVAL, "rate",
                         "give 0 to 100000000 thousandths of real time");
    puan_instant_text(when, campaign_ms, puan_store_plan(store)->offset_minutes);
    puan_format(subject, sizeof(subject), "%s x%lld/1000", when,
                (long long)rate);
    if (act->subject.n == 0)
        act->subject = puan_str_of(subject);
    st = puan_commit(store->shard[0], act, clock_body, &c, err);
    if (st == PUAN_OK) {
        pthread_mutex_lock(&store->clock_lock);
        store->clock_real = c.real;
        store->clock_campaign = c.campaign;
        store->clock_rate = c.rate;
        pthread_mutex_unlock(&store->clock_lock);
    }
    return st;
}

static enum puan_status load_clock(struct puan_store *store,
                                   struct puan_err *err)
{
    struct puan_shard *office = store->shard[0];
    struct puan_db *db = NULL;
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st = puan_read_begin(&db, office, err);

    if (st != PUAN_OK)
        return st;
    st = puan_sql(&s, db,
                  "SELECT real_ms, campaign_ms, rate FROM clock WHERE id = 1",
                  err);
    if (st == PUAN_OK)
        st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more) {
        store->clock_real = puan_col_int(s, 0);
        store->clock_campaign = puan_col_int(s, 1);
        store->clock_rate = puan_col_int(s, 2);
    }
    puan_stmt_done(s);
    puan_read_end(office, db);
    return st;
}

/* ---- the directory ------------------------------------------------------- */

static int run_of(struct puan_str birth)
{
    return puan_str_is(birth, "live")    ? PUAN_RUN_LIVE
           : puan_str_is(birth, "drill") ? PUAN_RUN_DRILL
           : puan_str_is(birth, "demo")  ? PUAN_RUN_DEMO
                                         : -1;
}

static const char *path_in(struct puan_arena *a, const char *dir,
                           const char *name)
{
    return puan_arena_fmt(a, "%s/%s", dir, name);
}

static struct puan_store *new_store(const char *dir,
                                    const struct puan_store_options *opt,
                                    struct puan_err *err)
{
    struct puan_store *store = calloc(1, sizeof(*store));
    char real[4096];

    if (!store) {
        puan_fail(err, PUAN_ENOMEM, dir, "out of memory");
        return NULL;
    }
    store->lock_fd = -1;
    pthread_mutex_init(&store->lock, NULL);
    pthread_mutex_init(&store->clock_lock, NULL);
    pthread_mutex_init(&store->post_lock, NULL);
    pthread_cond_init(&store->post, NULL);
    pthread_mutex_init(&store->delivering, NULL);
    pthread_mutex_init(&store->checkpointing, NULL);
    puan_arena_init(&store->arena, puan_os_alloc());
    store->shard = calloc(PUAN_SHARDS_MAX, sizeof(*store->shard));
    while (puan_features[store->n_features])
        store->n_features++;
    store->state = calloc(store->n_features + 1, sizeof(*store->state));
    if (realpath(dir, real))
        dir = real;
    store->dir = puan_arena_dup(&store->arena, puan_str_of(dir));
    if (opt && opt->url)
        store->url = puan_arena_dup(&store->arena, puan_str_of(opt->url));
    if (opt) {
        store->readonly = opt->readonly;
        store->no_writers = opt->no_writers || opt->readonly;
    }
    if (!store->shard || !store->state || store->arena.failed) {
        puan_fail(err, PUAN_ENOMEM, dir, "out of memory");
        puan_store_close(store);
        return NULL;
    }
    return store;
}

/* A second program would append to the same chains. */
static enum puan_status take_lock(struct puan_store *store,
                                  struct puan_err *err)
{
    const char *path = path_in(&store->arena, store->dir, "lock");

    store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (store->lock_fd < 0)
        return puan_fail(err, PUAN_EIO, path, "cannot be opened (errno %d)",
                         errno);
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return puan_fail(err, PUAN_EBUSY, store->dir,
                         "another program has this campaign open; stop it "
                         "first");
    return PUAN_OK;
}

static enum puan_status read_directory(struct puan_store *store,
                                       struct puan_err *err)
{
    const char *path = path_in(&store->arena, store->dir, "directory.json");
    struct puan_str text, id = { 0 }, birth = { 0 }, suite = { 0 },
                    engine = { 0 };
    struct puan_node *tree = NULL;
    const struct puan_suite *su;
    enum puan_status st;
    int run;

    st = puan_file_read(&text, path, 1 << 20, &store->arena, err);
    if (st == PUAN_ENOTFOUND && err) {
        *err = (struct puan_err){ 0 };
        st = puan_fail(err, PUAN_ENOTFOUND, store->dir,
                       "no campaign here; make one with puan init");
    }
    if (st == PUAN_OK)
        st = puan_json_tree(&tree, text, "directory.json", &store->arena, err);
    if (st == PUAN_OK)
        st = puan_node_str(&id, tree, "id", err);
    if (st == PUAN_OK)
        st = puan_node_str(&birth, tree, "birth", err);
    if (st == PUAN_OK)
        st = puan_node_str(&suite, tree, "suite", err);
    if (st == PUAN_OK)
        st = puan_node_str(&engine, tree, "engine", err);
    if (st != PUAN_OK)
        return st;
    run = run_of(birth);
    su = puan_suite_by_name(puan_arena_dup(&store->arena, suite));
    if (run < 0 || !su || id.n != 16)
        return puan_fail(err, PUAN_EINVAL, path,
                         "birth, suite or id is not one that init writes");
    store->id = puan_arena_dup(&store->arena, id);
    store->birth = puan_arena_dup(&store->arena, birth);
    store->engine = puan_arena_dup(&store->arena, engine);
    store->run = (uint8_t)run;
    store->digest = su->digest;
    if (puan_str_is(engine, "postgresql") && !store->url) {
        const char *env = getenv("PUAN_STORE");

        if (!env || !*env)
            return puan_fail(err, PUAN_EINVAL, store->dir,
                             "its stores are in PostgreSQL; name it with "
                             "--store or $PUAN_STORE");
        store->url = puan_arena_dup(&store->arena, puan_str_of(env));
    } else if (puan_str_is(engine, "sqlite") && store->url) {
        return puan_fail(err, PUAN_EINVAL, store->dir,
                         "its stores are SQLite files here; leave --store "
                         "out");
    }
    return puan_arena_check(&store->arena, err);
}

/* Keys, plan, office store, areas, returns stores, features, threads. */
static enum puan_status open_rest(struct puan_store *store,
                                  const struct puan_store_options *opt,
                                  bool create, struct puan_err *err)
{
    struct puan_kek_source kek = { 0 };
    struct puan_area_level level[PUAN_AREA_LEVELS];
    struct puan_shard *office = NULL;
    enum puan_status st;

    if (opt) {
        kek.file = opt->kek_file;
        kek.share[0] = opt->share[0];
        kek.share[1] = opt->share[1];
    }
    st = puan_keys_open(&store->keys, store->dir, &kek, err);
    if (st == PUAN_OK)
        st = puan_plan_load_dir(&store->plan,
                                path_in(&store->arena, store->dir, "plan"),
                                store->digest, err);
    if (st != PUAN_OK)
        return st;
    memcpy(store->plan_digest, puan_store_plan(store)->digest,
           PUAN_DIGEST_SIZE);
    (void)area_levels(level, puan_store_plan(store), &store->shard_digits);
    if (store->shard_digits == 0)
        return puan_fail(err, PUAN_EINVAL, "plan",
                         "shard_level names a level without digits");
    st = puan_shard_open(&office, store, 0, 0, create, err);
    if (st != PUAN_OK)
        return st;
    store->shard[0] = office;
    store->n_shards = 1;
    if (!store->no_writers)
        st = puan_shard_start(office, err);
    if (st == PUAN_OK)
        st = load_clock(store, err);
    if (st == PUAN_OK)
        st = reload_areas(store, err);
    if (st == PUAN_OK)
        st = open_shards(store, err);
    for (size_t f = 0; f < store->n_features && st == PUAN_OK; f++)
        if (puan_features[f]->open)
            st = puan_features[f]->open(&store->state[f], store, err);
    store->opened = st == PUAN_OK;
    for (size_t i = 0; i < store->n_shards && st == PUAN_OK; i++)
        st = open_hooks(store, store->shard[i], err);
    /* areas whose store was not made before a crash */
    if (st == PUAN_OK && !store->no_writers)
        st = puan_store_areas_changed(store, err);
    if (st == PUAN_OK && !store->no_writers)
        st = puan_courier_start(store, err);
    return st;
}

enum puan_status puan_store_open(struct puan_store **out, const char *dir,
                                 const struct puan_store_options *opt,
                                 struct puan_err *err)
{
    struct puan_store *store = new_store(dir, opt, err);
    enum puan_status st;

    *out = NULL;
    if (!store)
        return PUAN_ENOMEM;
    st = read_directory(store, err);
    if (st == PUAN_OK && !store->readonly)
        st = take_lock(store, err);
    if (st == PUAN_OK)
        st = open_rest(store, opt, false, err);
    if (st != PUAN_OK) {
        puan_store_close(store);
        return st;
    }
    *out = store;
    return PUAN_OK;
}

static enum puan_status write_directory(struct puan_store *store,
                                        const char *suite,
                                        struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(store);
    char hex[2 * PUAN_DIGEST_SIZE + 1], made[32];
    struct puan_out o;
    struct puan_jw w;

    puan_hex(hex, store->plan_digest, PUAN_DIGEST_SIZE);
    puan_instant_text(made, puan_os_now_ms(), 0);
    puan_out_init(&o, &store->arena);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kint(&w, "puan", 1);
    puan_jw_ktext(&w, "id", store->id);
    puan_jw_ktext(&w, "birth", store->birth);
    puan_jw_ktext(&w, "suite", suite);
    puan_jw_ktext(&w, "engine", store->engine);
    puan_jw_kstr(&w, "plan", plan->id);
    puan_jw_kstr(&w, "version", plan->version);
    puan_jw_ktext(&w, "plan_digest", hex);
    puan_jw_ktext(&w, "made", made);
    puan_jw_end(&w, '}');
    puan_out_char(&o, '\n');
    if (puan_arena_check(&store->arena, err) != PUAN_OK)
        return PUAN_ENOMEM;
    return puan_file_write(path_in(&store->arena, store->dir, "directory.json"),
                           puan_out_view(&o), 0644, err);
}

enum puan_status puan_store_create(const char *dir, const char *birth,
                                   const char *pack, const char *suite,
                                   const struct puan_store_options *opt,
                                   struct puan_err *err)
{
    static const char *const folder[] = { "returns", "blobs", "checkpoints" };
    const struct puan_suite *su = puan_suite_by_name(suite);
    struct puan_store *store = NULL;
    struct puan_store_options o = { 0 };
    const char **names = NULL;
    uint8_t id[8];
    char hex[17];
    size_t n = 0;
    enum puan_status st;
    int run = run_of(puan_str_of(birth));

    if (opt)
        o = *opt;
    o.readonly = o.no_writers = false;
    if (run < 0)
        return puan_fail(err, PUAN_EINVAL, "birth",
                         "'%s' is not live, drill or demo", birth);
    if (!su)
        return puan_fail(err, PUAN_EINVAL, "suite", "'%s' is not sm or intl",
                         suite);
    st = puan_dir_make(dir, err);
    if (st != PUAN_OK)
        return st;
    store = new_store(dir, &o, err);
    if (!store)
        return PUAN_ENOMEM;
    st = puan_dir_list(&names, &n, dir, &store->arena, err);
    if (st == PUAN_OK && n > 0)
        st = puan_fail(err, PUAN_ECONFLICT, dir,
                       "is not empty; give a new directory");
    if (st == PUAN_OK)
        st = take_lock(store, err);
    for (size_t i = 0; i < PUAN_COUNT(folder) && st == PUAN_OK; i++)
        st = puan_dir_make(path_in(&store->arena, store->dir, folder[i]), err);
    if (st == PUAN_OK)
        st = puan_os_random(id, sizeof(id), err);
    if (st != PUAN_OK)
        goto out;
    puan_hex(hex, id, sizeof(id));
    store->id = puan_arena_dup(&store->arena, puan_str_of(hex));
    store->birth = puan_arena_dup(&store->arena, puan_str_of(birth));
    store->engine = puan_arena_dup(
        &store->arena, puan_str_of(o.url ? "postgresql" : "sqlite"));
    store->run = (uint8_t)run;
    store->digest = su->digest;
    st = o.proved
             ? puan_plan_pin_proved(path_in(&store->arena, store->dir, "plan"),
                                    pack, su->digest, err)
             : puan_plan_pin(path_in(&store->arena, store->dir, "plan"), pack,
                             su->digest, NULL, err);
    if (st == PUAN_OK)
        st = puan_keys_create(store->dir, su, run == PUAN_RUN_DEMO,
                              o.kek_file, o.shares, err);
    if (st == PUAN_OK && o.shares && !o.kek_file && run != PUAN_RUN_DEMO) {
        o.share[0] = o.shares->text[0];
        o.share[1] = o.shares->text[1];
    }
    if (st == PUAN_OK)
        st = open_rest(store, &o, true, err);
    /* last: a directory without it was never finished */
    if (st == PUAN_OK)
        st = write_directory(store, suite, err);
    if (st == PUAN_OK)
        st = puan_dir_sync(store->dir, err);
out:
    puan_store_close(store);
    return st;
}

void puan_store_close(struct puan_store *store)
{
    struct puan_tree_holder *h;
    size_t n;

    if (!store)
        return;
    puan_courier_stop(store);
    n = atomic_load(&store->n_shards);
    for (size_t i = 0; i < n; i++)
        puan_shard_stop(store->shard[i]);
    if (store->opened && !store->no_writers) {
        struct puan_err err = { 0 };

        /* the heads as they are left, for whoever opens it next */
        if (puan_store_checkpoint(store, NULL, NULL, &err) != PUAN_OK)
            puan_log_err(PUAN_LOG_WARN, "checkpoint", &err);
    }
    for (size_t f = store->n_features; f-- > 0;)
        if (store->state && store->state[f] && puan_features[f]->close)
            puan_features[f]->close(store->state[f], store);
    for (size_t i = n; i-- > 0;)
        puan_shard_close(store->shard[i]);
    while ((h = store->trees) != NULL) {
        store->trees = h->next;
        puan_arena_clear(&h->arena);
        free(h);
    }
    puan_plan_close(store->plan);
    puan_keys_close(store->keys);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    free(store->shard);
    free(store->state);
    puan_arena_clear(&store->arena);
    pthread_mutex_destroy(&store->lock);
    pthread_mutex_destroy(&store->clock_lock);
    pthread_mutex_destroy(&store->post_lock);
    pthread_cond_destroy(&store->post);
    pthread_mutex_destroy(&store->delivering);
    pthread_mutex_destroy(&store->checkpointing);
    free(store);
}

/* ---- what others ask ----------------------------------------------------- */

const struct puan_plan *puan_store_plan(const struct puan_store *store)
{
    return puan_plan_held_plan(store->plan);
}

struct puan_keys *puan_store_keys(const struct puan_store *store)
{
    return store->keys;
}

const struct puan_digest_fn *puan_store_digest(const struct puan_store *store)
{
    return store->digest;
}

uint8_t puan_store_run(const struct puan_store *store)
{
    return store->run;
}

void *puan_store_state(const struct puan_store *store,
                       const struct puan_feature *f)
{
    for (size_t i = 0; i < store->n_features; i++)
        if (puan_features[i] == f)
            return store->state[i];
    return NULL;
}

const char *puan_store_id(const struct puan_store *store)
{
    return store->id;
}

const char *puan_store_dir(const struct puan_store *store)
{
    return store->dir;
}

const char *puan_store_birth(const struct puan_store *store)
{
    return store->birth;
}

size_t puan_store_shards(const struct puan_store *store)
{
    return atomic_load(&store->n_shards);
}

struct puan_shard *puan_store_shard(struct puan_store *store, size_t i)
{
    return i < atomic_load(&store->n_shards) ? atomic_load(&store->shard[i])
                                             : NULL;
}

struct puan_shard *puan_store_office(struct puan_store *store)
{
    return atomic_load(&store->shard[0]);
}

void puan_store_hold(struct puan_store *store)
{
    pthread_mutex_lock(&store->lock); /* no new store meanwhile */
    for (size_t i = 0; i < store->n_shards; i++) {
        struct puan_shard *sh = store->shard[i];

        pthread_mutex_lock(&sh->lock);
        sh->held = true;
        while (sh->writer_runs && !sh->standing)
            pthread_cond_wait(&sh->still, &sh->lock);
        pthread_mutex_unlock(&sh->lock);
    }
}

void puan_store_release(struct puan_store *store)
{
    for (size_t i = 0; i < store->n_shards; i++) {
        struct puan_shard *sh = store->shard[i];

        pthread_mutex_lock(&sh->lock);
        sh->held = false;
        pthread_cond_broadcast(&sh->work);
        pthread_mutex_unlock(&sh->lock);
    }
    pthread_mutex_unlock(&store->lock);
}
