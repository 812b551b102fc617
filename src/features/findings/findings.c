/*
 * The feature: what it keeps beside a store, its job and its routes.
 */
#include "features/findings/findings.h"

#include "features/findings/internal.h"

#include <stdlib.h>

struct puan_finding_index *puan_findings_index(const struct puan_store *st)
{
    return puan_store_state(st, &puan_feature_findings);
}

static enum puan_status findings_open(void **state, struct puan_store *store,
                                      struct puan_err *err)
{
    struct puan_finding_index *ix = calloc(1, sizeof(*ix));

    if (!ix)
        return puan_fail(err, PUAN_ENOMEM, "findings", "out of memory");
    *state = ix;
    ix->store = store;
    ix->n_forms = puan_store_plan(store)->n_forms;
    ix->shard = calloc(PUAN_FINDINGS_SHARDS, sizeof(void *));
    return ix->shard ? PUAN_OK
                     : puan_fail(err, PUAN_ENOMEM, "findings", "out of memory");
}

static enum puan_status findings_shard_open(void *state,
                                            struct puan_store *store,
                                            struct puan_shard *sh,
                                            struct puan_err *err)
{
    size_t i = puan_shard_ordinal(sh);

    (void)store;
    if (i == 0 || i >= PUAN_FINDINGS_SHARDS)
        return PUAN_OK;
    return puan_finding_shard_open(state, sh, err);
}

static void findings_close(void *state, struct puan_store *store)
{
    struct puan_finding_index *ix = state;

    (void)store;
    if (!ix)
        return;
    for (size_t i = 0; ix->shard && i < PUAN_FINDINGS_SHARDS; i++)
        puan_finding_shard_close(ix->shard[i]);
    free(ix->shard);
    free(ix);
}

static enum puan_status follow_job(struct puan_store *store,
                                   struct puan_err *err)
{
    struct puan_finding_index *ix = puan_findings_index(store);
    enum puan_status st = PUAN_OK;

    for (size_t i = 1; i < puan_store_shards(store) &&
                       i < PUAN_FINDINGS_SHARDS && st == PUAN_OK;
         i++)
        if (ix->shard[i])
            st = puan_findings_follow(ix->shard[i], true, err);
    return st;
}

static const struct puan_job jobs[] = {
    { "findings.follow", 1000, follow_job },
};

#define CHOICE                                                                 \
    { "area", PUAN_PARAM_AREA, offsetof(struct puan_findings_in, area), 1,     \
      INT64_MAX, true },                                                       \
    { "form", PUAN_PARAM_TEXT, offsetof(struct puan_findings_in, form), 1, 64, \
      true },                                                                  \
    { "severity", PUAN_PARAM_TEXT,                                             \
      offsetof(struct puan_findings_in, severity), 1, 8, true },               \
    { "rule", PUAN_PARAM_TEXT, offsetof(struct puan_findings_in, rule), 1, 32, \
      true },                                                                  \
    { "state", PUAN_PARAM_TEXT, offsetof(struct puan_findings_in, state), 1,   \
      16, true }

static const struct puan_param choice_params[] = { CHOICE };
static const struct puan_param list_params[] = {
    CHOICE,
    { "page", PUAN_PARAM_INT, offsetof(struct puan_findings_in, page), 1,
      1000000, true },
};

static const struct puan_route routes[] = {
    { PUAN_GET, "/c/{campaign}/findings", "review.view", PUAN_SCOPE_AREA, "",
      "Findings by rule, area below, form, severity, state and day",
      puan_findings_get,
      PUAN_PARAMS(choice_params, struct puan_findings_in) },
    { PUAN_GET, "/c/{campaign}/findings/households", "review.view",
      PUAN_SCOPE_AREA, "", "Households with such findings, 50 a page",
      puan_findings_households,
      PUAN_PARAMS(list_params, struct puan_findings_in) },
    { PUAN_POST, "/c/{campaign}/findings/sheet", "review.view",
      PUAN_SCOPE_AREA, "worksheet.take",
      "Figures of findings as a sheet; registered", puan_findings_sheet,
      PUAN_PARAMS(choice_params, struct puan_findings_in) },
};

const struct puan_feature puan_feature_findings = {
    .name = "findings",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .jobs = jobs,
    .n_jobs = PUAN_COUNT(jobs),
    .open = findings_open,
    .shard_open = findings_shard_open,
    .close = findings_close,
};
