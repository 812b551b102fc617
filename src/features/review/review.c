/*
 * The feature: its tables, what it keeps beside a store, who is reading what.
 */
#include "features/review/review.h"

#include "features/review/internal.h"

#include <stdlib.h>

#include "kit/os/os.h"

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_RETURNS, 1,
      "CREATE TABLE review_act(id BIGINT PRIMARY KEY, household BIGINT NOT"
      " NULL, version BIGINT NOT NULL, kind TEXT NOT NULL, level TEXT NOT NULL,"
      " office BIGINT NOT NULL, actor TEXT NOT NULL, seat TEXT NOT NULL,"
      " at BIGINT NOT NULL, entered BIGINT NOT NULL, reason TEXT NOT NULL,"
      " findings TEXT NOT NULL, undoes BIGINT NOT NULL);"
      "CREATE INDEX review_act_household ON review_act(household);" },
};

static const struct puan_covered covered[] = {
    { PUAN_STORE_RETURNS, "review_act",
      "SELECT CAST(id AS TEXT), household, version, kind, level, office, actor,"
      " seat, at, entered, reason, findings, undoes FROM review_act" },
};

const char *puan_review_state_name(enum puan_review_state s)
{
    static const char *const names[] = { "none",      "clean",    "waiting",
                                         "corrected", "querying", "reviewed" };

    return s < PUAN_COUNT(names) ? names[s] : "none";
}

const char *puan_mark_name(enum puan_mark_kind k)
{
    return k == PUAN_MARK_PASS ? "pass" : "accept";
}

struct puan_review *puan_review_of(const struct puan_store *st)
{
    return puan_store_state(st, &puan_feature_review);
}

struct puan_review_shard *puan_review_shard_of(struct puan_shard *sh)
{
    struct puan_review *rv = puan_review_of(puan_shard_store(sh));
    size_t i = puan_shard_ordinal(sh);

    return rv && i < PUAN_REVIEW_SHARDS ? rv->shard[i] : NULL;
}

unsigned puan_review_level(const struct puan_request *rq)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_plan *plan = puan_store_plan(rq->store);
    uint32_t i = puan_area_find(t, rq->who.area);
    int level = -1;

    if (i != PUAN_AREA_NONE)
        level = puan_plan_level(plan, t->level[t->area[i].level].name);
    return level < 0 ? (unsigned)plan->shard_level : (unsigned)level;
}

/* ---- who is reading ------------------------------------------------------------- */

bool puan_review_looked(struct puan_look *out, struct puan_review *rv,
                        int64_t household, int64_t account, int64_t real_now)
{
    bool found = false;

    pthread_mutex_lock(&rv->look_lock);
    for (size_t i = 0; i < rv->n_looks && !found; i++)
        if (rv->look[i].household == household &&
            rv->look[i].account != account && rv->look[i].until > real_now) {
            *out = rv->look[i];
            found = true;
        }
    pthread_mutex_unlock(&rv->look_lock);
    return found;
}

/* ---- life ------------------------------------------------------------------------- */

static struct puan_str setting_text(const struct puan_plan *plan,
                                    const char *id)
{
    const struct puan_setting *s = puan_plan_setting(plan, puan_str_of(id));

    return s ? s->text : (struct puan_str){ 0 };
}

/* Levels at which some role may review. */
static uint64_t reviewing(const struct puan_plan *plan)
{
    uint64_t levels = 0;

    for (size_t i = 0; i < plan->n_roles; i++)
        if (puan_role_can(&plan->role[i], PUAN_STR("review.view")))
            levels |= plan->role[i].levels;
    return levels;
}

/* A form without the items the cases speak of simply has none. */
static void compile_cases(struct puan_review *rv, struct puan_review_form *f,
                          const struct puan_form *form,
                          const struct puan_plan *plan)
{
    struct puan_expr **e;

    f->entity = puan_form_entity(form, plan->residence_entity);
    if (f->entity < 0)
        return;
    e = puan_new_n(&rv->arena, plan->n_residence, struct puan_expr *);
    for (size_t i = 0; i < plan->n_residence && e; i++)
        if (puan_expr_compile_truth(&e[i], form, (uint16_t)f->entity,
                                    plan->consts, plan->n_consts,
                                    plan->residence[i].when, "plan", 1,
                                    &rv->arena, NULL) != PUAN_OK)
            return;
    f->residence = e;
    f->n = e ? plan->n_residence : 0;
}

static enum puan_status review_open(void **state, struct puan_store *store,
                                    struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(store);
    struct puan_review *rv = calloc(1, sizeof(*rv));
    uint64_t levels = reviewing(plan);

    if (!rv)
        return puan_fail(err, PUAN_ENOMEM, "review", "out of memory");
    rv->store = store;
    pthread_mutex_init(&rv->look_lock, NULL);
    rv->shard = calloc(PUAN_REVIEW_SHARDS, sizeof(struct puan_review_shard *));
    rv->present = setting_text(plan, "listing_present");
    rv->absent = setting_text(plan, "listing_absent");
    rv->answer_ms = puan_plan_number(plan, "query_answer", 0);
    for (int l = 0, last = -1; l < PUAN_AREA_LEVELS; l++) {
        rv->up[l] = last;
        if (levels >> l & 1)
            last = l;
    }
    *state = rv;
    puan_arena_init(&rv->arena, puan_os_alloc());
    rv->form =
        puan_new_n(&rv->arena, plan->n_forms + 1, struct puan_review_form);
    if (!rv->shard || !rv->form)
        return puan_fail(err, PUAN_ENOMEM, "review", "out of memory");
    for (size_t i = 0; i < plan->n_forms; i++)
        compile_cases(rv, &rv->form[i], plan->form[i], plan);
    return puan_arena_check(&rv->arena, err);
}

static enum puan_status review_shard_open(void *state, struct puan_store *store,
                                          struct puan_shard *sh,
                                          struct puan_err *err)
{
    size_t i = puan_shard_ordinal(sh);

    (void)store;
    if (i == 0 || i >= PUAN_REVIEW_SHARDS)
        return PUAN_OK;
    return puan_review_shard_open(state, sh, err);
}

static void review_close(void *state, struct puan_store *store)
{
    struct puan_review *rv = state;

    (void)store;
    if (!rv)
        return;
    for (size_t i = 0; rv->shard && i < PUAN_REVIEW_SHARDS; i++)
        puan_review_shard_close(rv->shard[i]);
    pthread_mutex_destroy(&rv->look_lock);
    puan_arena_clear(&rv->arena);
    free(rv->shard);
    free(rv);
}

static enum puan_status follow_job(struct puan_store *store,
                                   struct puan_err *err)
{
    struct puan_review *rv = puan_review_of(store);
    enum puan_status st = PUAN_OK;

    for (size_t i = 1; i < puan_store_shards(store) && st == PUAN_OK; i++)
        if (rv->shard[i])
            st = puan_review_follow(rv->shard[i], true, err);
    return st;
}

static const struct puan_job jobs[] = {
    { "review.follow", 1000, follow_job },
};

/* ---- routes ------------------------------------------------------------------------ */

static const struct puan_param list_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct puan_review_list_in, area), 0,
      0, true },
    { "ea", PUAN_PARAM_AREA, offsetof(struct puan_review_list_in, ea), 0, 0,
      true },
    { "state", PUAN_PARAM_TEXT, offsetof(struct puan_review_list_in, state), 1,
      16, true },
    { "rule", PUAN_PARAM_TEXT, offsetof(struct puan_review_list_in, rule), 1,
      32, true },
    { "enumerator", PUAN_PARAM_TEXT,
      offsetof(struct puan_review_list_in, enumerator), 1, 64, true },
    { "mode", PUAN_PARAM_TEXT, offsetof(struct puan_review_list_in, mode), 1,
      32, true },
    { "kind", PUAN_PARAM_TEXT, offsetof(struct puan_review_list_in, kind), 1,
      8, true },
    { "form", PUAN_PARAM_TEXT, offsetof(struct puan_review_list_in, form), 1,
      64, true },
    { "waiting", PUAN_PARAM_INT, offsetof(struct puan_review_list_in, waiting),
      0, 100000, true },
    { "overdue", PUAN_PARAM_BOOL, offsetof(struct puan_review_list_in, overdue),
      0, 0, true },
    { "passed", PUAN_PARAM_BOOL, offsetof(struct puan_review_list_in, passed),
      0, 0, true },
    { "sort", PUAN_PARAM_TEXT, offsetof(struct puan_review_list_in, sort), 1,
      16, true },
    { "page", PUAN_PARAM_INT, offsetof(struct puan_review_list_in, page), 1,
      1000000, true },
};
static const struct puan_param counts_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct puan_review_list_in, area), 0,
      0, true },
    { "state", PUAN_PARAM_TEXT, offsetof(struct puan_review_list_in, state), 1,
      16, true },
};
static const struct puan_param area_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct puan_review_list_in, area), 0,
      0, true },
};
static const struct puan_param accept_params[] = {
    { "household", PUAN_PARAM_HOUSEHOLD,
      offsetof(struct puan_review_act_in, household) },
    { "version", PUAN_PARAM_INT, offsetof(struct puan_review_act_in, version),
      1, PUAN_VERSIONS_MAX },
    { "reason", PUAN_PARAM_TEXT, offsetof(struct puan_review_act_in, reason), 1,
      500, true },
};
static const struct puan_param pass_params[] = {
    { "household", PUAN_PARAM_HOUSEHOLD,
      offsetof(struct puan_review_act_in, household) },
    { "version", PUAN_PARAM_INT, offsetof(struct puan_review_act_in, version),
      1, PUAN_VERSIONS_MAX },
    { "reason", PUAN_PARAM_TEXT, offsetof(struct puan_review_act_in, reason), 1,
      500 },
};
static const struct puan_param look_params[] = {
    { "household", PUAN_PARAM_HOUSEHOLD,
      offsetof(struct puan_review_act_in, household) },
    { "leave", PUAN_PARAM_BOOL, offsetof(struct puan_review_act_in, leave), 0,
      0, true },
};

static const struct puan_param page_params[] = {
    { "household", PUAN_PARAM_HOUSEHOLD,
      offsetof(struct puan_review_act_in, household) },
};
static const struct puan_param identity_params[] = {
    { "household", PUAN_PARAM_HOUSEHOLD,
      offsetof(struct puan_review_act_in, household) },
    { "row", PUAN_PARAM_INT, offsetof(struct puan_review_act_in, row), 0, 1000 },
    { "entity", PUAN_PARAM_TEXT, offsetof(struct puan_review_act_in, entity), 1,
      32, true },
    { "purpose", PUAN_PARAM_TEXT, offsetof(struct puan_review_act_in, purpose),
      1, 60 },
    { "words", PUAN_PARAM_TEXT, offsetof(struct puan_review_act_in, words), 1,
      200, true },
};

static const struct puan_route routes[] = {
    { PUAN_GET, "/c/{campaign}/review", "review.view", PUAN_SCOPE_AREA, "",
      "Households to be reviewed, 50 a page", puan_review_get_list,
      PUAN_PARAMS(list_params, struct puan_review_list_in) },
    { PUAN_GET, "/c/{campaign}/review/counts", "review.view", PUAN_SCOPE_AREA,
      "", "How many households wait for review, and why",
      puan_review_get_counts,
      PUAN_PARAMS(counts_params, struct puan_review_list_in) },
    { PUAN_GET, "/c/{campaign}/review/eas", "review.view", PUAN_SCOPE_AREA, "",
      "Enumeration areas whose households may be accepted as one",
      puan_review_get_eas,
      PUAN_PARAMS(area_params, struct puan_review_list_in) },
    { PUAN_POST, "/c/{campaign}/review/{household}/accept", "review.accept",
      PUAN_SCOPE_HOUSEHOLD, "review.accept",
      "Accept one version of a household's return", puan_review_post_accept,
      PUAN_PARAMS(accept_params, struct puan_review_act_in) },
    { PUAN_POST, "/c/{campaign}/review/{household}/pass", "review.pass",
      PUAN_SCOPE_HOUSEHOLD, "review.pass",
      "Pass a household's return to the office above", puan_review_post_pass,
      PUAN_PARAMS(pass_params, struct puan_review_act_in) },
    { PUAN_POST, "/c/{campaign}/review/{household}/undo", "review.accept",
      PUAN_SCOPE_HOUSEHOLD, "review.undo",
      "Take the own office's last mark back", puan_review_post_undo,
      PUAN_PARAMS(accept_params, struct puan_review_act_in) },
    { PUAN_POST, "/c/{campaign}/review/{household}/look", "review.view",
      PUAN_SCOPE_HOUSEHOLD, "",
      "Say that this household is being read, and hear who else reads it",
      puan_review_post_look,
      PUAN_PARAMS(look_params, struct puan_review_act_in) },
    { PUAN_GET, "/c/{campaign}/households/{household}/page", "review.view",
      PUAN_SCOPE_HOUSEHOLD, "",
      "A household before a reviewer, identities masked", puan_review_get_page,
      PUAN_PARAMS(page_params, struct puan_review_act_in) },
    { PUAN_POST, "/c/{campaign}/households/{household}/identity", "vault.view",
      PUAN_SCOPE_HOUSEHOLD, "vault.view",
      "Open one person's identity for a stated purpose",
      puan_review_post_identity,
      PUAN_PARAMS(identity_params, struct puan_review_act_in) },
};

const struct puan_feature puan_feature_review = {
    .name = "review",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .jobs = jobs,
    .n_jobs = PUAN_COUNT(jobs),
    .covered = covered,
    .n_covered = PUAN_COUNT(covered),
    .open = review_open,
    .shard_open = review_shard_open,
    .close = review_close,
};
