/*
 * The draft on the server: sealed, replaced as a whole, never in the ledger.
 */
#include "core/plan/plan.h"
#include "features/household/internal.h"
#include "features/ingest/ingest.h"
#include "kit/crypto/keys.h"
#include "kit/os/os.h"

#define TABLE "household_draft"
#define PURPOSE "draft"
#define SWEEP_MOST 512

static struct puan_shard *own_shard(struct puan_request *rq,
                                    struct puan_err *err)
{
    struct puan_shard *sh =
        rq->who.household
            ? puan_store_shard_of_household(rq->store, rq->who.household)
            : NULL;

    if (!sh)
        puan_fail(err, PUAN_EDENIED, "household",
                  "only a household's own account has a draft");
    return sh;
}

/*
 * The page says whose draft it has: two tabs of a browser share one cookie, and
 * the other one may have signed another household in since.
 */
static bool same(struct puan_request *rq, const void *in)
{
    int64_t said = ((const struct household_draft_in *)in)->household;

    if (!said || said == rq->who.household)
        return true;
    puan_answer_problem(rq, 401, "other-household",
                        "another household has signed in since");
    return false;
}

static struct puan_str aad_of(struct puan_arena *a, struct puan_shard *sh,
                              uint16_t version, int64_t household)
{
    return puan_seal_aad(
        a, puan_shard_area(sh), TABLE, "sealed", version,
        puan_str_of(puan_arena_fmt(a, "%lld", (long long)household)));
}

enum puan_status household_draft_look(struct household_draft *out,
                                      struct puan_db *db, int64_t household,
                                      struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st =
        puan_sql(&s, db,
                 "SELECT rev, at, real FROM " TABLE " WHERE household = $1",
                 err);

    *out = (struct household_draft){ 0 };
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, household);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more)
        *out = (struct household_draft){ puan_col_int(s, 0),
                                         puan_col_int(s, 1),
                                         puan_col_int(s, 2) };
    puan_stmt_done(s);
    return st;
}

/* ---- reading -------------------------------------------------------------------- */

enum puan_status household_get_draft(struct puan_request *rq, const void *in,
                                     struct puan_err *err)
{
    struct puan_shard *sh = own_shard(rq, err);
    struct puan_keys *keys = puan_store_keys(rq->store);
    const struct puan_seal_key *key;
    struct puan_stmt *s = NULL;
    struct puan_str sealed = { 0 }, plain;
    struct puan_db *db;
    int64_t rev = 0;
    bool more = false;
    int version;
    enum puan_status st;

    if (!sh)
        return PUAN_EDENIED;
    if (!same(rq, in))
        return PUAN_OK;
    st = puan_read_begin(&db, sh, err);
    if (st != PUAN_OK)
        return st;
    st = puan_sql(&s, db,
                  "SELECT rev, sealed FROM " TABLE " WHERE household = $1",
                  err);
    if (st == PUAN_OK) {
        puan_bind_int(s, 1, rq->who.household);
        st = puan_stmt_step(&more, s, err);
    }
    if (st == PUAN_OK && more) {
        struct puan_str v = puan_col_bytes(s, 1);

        rev = puan_col_int(s, 0);
        sealed = (struct puan_str){ puan_arena_dup(rq->arena, v), v.n };
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    if (st != PUAN_OK)
        return st;
    if (rev == 0)
        return puan_fail(err, PUAN_ENOTFOUND, "draft", "there is none");
    version = puan_sealed_version(sealed);
    key = version < 0 ? NULL
                      : puan_keys_data_version(keys, puan_shard_area(sh),
                                               PURPOSE, (uint16_t)version);
    if (!key)
        return puan_fail(err, PUAN_EIO, "draft", "its key is missing");
    st = puan_unseal(&plain, key,
                     aad_of(rq->arena, sh, (uint16_t)version,
                            rq->who.household),
                     sealed, rq->arena, err);
    if (st != PUAN_OK)
        return puan_fail(err, PUAN_EIO, "draft", "it is damaged");
    puan_answer_etag(rq, rev);
    puan_answer_json(rq, 200, plain);
    return PUAN_OK;
}

/* ---- writing -------------------------------------------------------------------- */

struct putting {
    int64_t household, base, rev, at, real;
    struct puan_str sealed;
};

/* Not an act of anybody's: no entry in the ledger. */
static enum puan_status put_body(struct puan_shard *sh, struct puan_db *db,
                                 struct puan_act *act, void *arg,
                                 struct puan_err *err)
{
    struct putting *k = arg;
    struct household_draft now;
    struct puan_stmt *s = NULL;
    enum puan_status st = household_draft_look(&now, db, k->household, err);

    (void)sh;
    act->silent = true;
    if (st != PUAN_OK)
        return st;
    if (now.rev != k->base)
        return puan_fail(err, PUAN_ECONFLICT, "draft",
                         "another phone has saved it meanwhile, as %lld",
                         (long long)now.rev);
    k->rev = now.rev + 1;
    st = puan_sql(&s, db,
                  "INSERT INTO " TABLE "(household, rev, at, real, sealed)"
                  " VALUES ($1, $2, $3, $4, $5) ON CONFLICT(household)"
                  " DO UPDATE SET rev = excluded.rev, at = excluded.at,"
                  " real = excluded.real, sealed = excluded.sealed",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, k->household);
    puan_bind_int(s, 2, k->rev);
    puan_bind_int(s, 3, k->at);
    puan_bind_int(s, 4, k->real);
    puan_bind_bytes(s, 5, k->sealed.p, k->sealed.n);
    return puan_stmt_once(s, err);
}

enum puan_status household_put_draft(struct puan_request *rq, const void *in,
                                     struct puan_err *err)
{
    struct puan_shard *sh = own_shard(rq, err);
    const struct puan_seal_key *key;
    struct putting k = { .household = rq->who.household,
                         .at = rq->now,
                         .real = rq->real_now };
    struct puan_node *tree;
    struct puan_out o;
    struct puan_act act;
    struct puan_jw *w;
    enum puan_status st;

    if (!sh)
        return PUAN_EDENIED;
    if (!same(rq, in))
        return PUAN_OK;
    st = puan_request_if_match(&k.base, rq, err);
    if (st == PUAN_OK)
        st = puan_json_tree(&tree, rq->body, "draft", rq->arena, err);
    if (st == PUAN_OK)
        st = puan_keys_data_make(&key, puan_store_keys(rq->store),
                                 puan_shard_area(sh), PURPOSE, err);
    if (st != PUAN_OK)
        return st;
    puan_out_init(&o, rq->arena);
    st = puan_seal(&o, key,
                   aad_of(rq->arena, sh, key->version, rq->who.household),
                   rq->body, err);
    if (st != PUAN_OK)
        return st;
    k.sealed = puan_out_view(&o);
    puan_request_act(&act, rq, puan_str_of(rq->who.name));
    st = puan_commit(sh, &act, put_body, &k, err);
    if (st != PUAN_OK)
        return st;
    puan_answer_etag(rq, k.rev);
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kint(w, "rev", k.rev);
    puan_jw_kinstant(w, "at", k.at,
                     puan_store_plan(rq->store)->offset_minutes);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- deleting -------------------------------------------------------------------- */

struct gone {
    int64_t household[SWEEP_MOST];
    size_t n;
};

static enum puan_status delete_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    const struct gone *k = arg;
    enum puan_status st = PUAN_OK;

    (void)sh;
    act->silent = true;
    for (size_t i = 0; i < k->n && st == PUAN_OK; i++) {
        struct puan_stmt *s = NULL;

        st = puan_sql(&s, db, "DELETE FROM " TABLE " WHERE household = $1",
                      err);
        if (st != PUAN_OK)
            break;
        puan_bind_int(s, 1, k->household[i]);
        st = puan_stmt_once(s, err);
    }
    return st;
}

enum puan_status household_delete_draft(struct puan_request *rq,
                                        const void *in, struct puan_err *err)
{
    struct puan_shard *sh = own_shard(rq, err);
    struct gone *k = puan_new(rq->arena, struct gone);
    struct puan_act act;
    enum puan_status st;

    if (!sh)
        return PUAN_EDENIED;
    if (!same(rq, in))
        return PUAN_OK;
    if (!k)
        return puan_arena_check(rq->arena, err);
    k->household[k->n++] = rq->who.household;
    puan_request_act(&act, rq, puan_str_of(rq->who.name));
    st = puan_commit(sh, &act, delete_body, k, err);
    if (st == PUAN_OK)
        puan_answer_empty(rq);
    return st;
}

/* No window opens a form to households any more, nor to those who visit. */
static bool over(const struct puan_plan *plan, int64_t now)
{
    for (size_t i = 0; i < plan->n_windows; i++)
        if (plan->window[i].n_forms && plan->window[i].until_ms > now)
            return false;
    return true;
}

static enum puan_status delivered(bool *out, struct puan_db *db,
                                  struct puan_store *store, int64_t household,
                                  int64_t saved, struct puan_err *err)
{
    struct puan_ret_head head;
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *out = false;
    if (!puan_ret_head(&head, store, household) || !head.ret || !head.self)
        return PUAN_OK;
    st = puan_sql(&s, db, "SELECT received FROM ret WHERE seq = $1", err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, head.ret);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more)
        *out = puan_col_int(s, 0) >= saved;
    puan_stmt_done(s);
    return st;
}

/* One page behind *after; *after is 0 when that was the last. */
static enum puan_status sweep(int64_t *after, struct puan_store *store,
                              struct puan_shard *sh, struct gone *k,
                              struct puan_err *err)
{
    bool all = over(puan_store_plan(store), puan_store_now(store)), more, done;
    struct puan_act act = { .actor = PUAN_STR("system"),
                            .verb = PUAN_STR("household.draft.sweep"),
                            .subject = PUAN_STR("drafts") };
    int64_t household[SWEEP_MOST], saved[SWEEP_MOST];
    struct puan_stmt *s = NULL;
    struct puan_db *db;
    size_t n = 0;
    enum puan_status st = puan_read_begin(&db, sh, err);

    if (st != PUAN_OK)
        return st;
    k->n = 0;
    st = puan_sql(&s, db,
                  "SELECT household, real FROM " TABLE
                  " WHERE household > $1 ORDER BY household LIMIT 512",
                  err);
    if (st == PUAN_OK)
        puan_bind_int(s, 1, *after);
    while (st == PUAN_OK && n < SWEEP_MOST &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        household[n] = puan_col_int(s, 0);
        saved[n++] = puan_col_int(s, 1);
    }
    puan_stmt_done(s);
    *after = n == SWEEP_MOST ? household[n - 1] : 0;
    for (size_t i = 0; i < n && st == PUAN_OK; i++) {
        done = all;
        if (!all)
            st = delivered(&done, db, store, household[i], saved[i], err);
        if (st == PUAN_OK && done)
            k->household[k->n++] = household[i];
    }
    puan_read_end(sh, db);
    if (st != PUAN_OK || k->n == 0)
        return st;
    return puan_commit(sh, &act, delete_body, k, err);
}

enum puan_status household_sweep(struct puan_store *store, struct puan_err *err)
{
    struct gone k;
    enum puan_status st = PUAN_OK;

    for (size_t i = 1; i < puan_store_shards(store) && st == PUAN_OK; i++) {
        int64_t after = 0;

        do
            st = sweep(&after, store, puan_store_shard(store, i), &k, err);
        while (st == PUAN_OK && after);
    }
    return st;
}
