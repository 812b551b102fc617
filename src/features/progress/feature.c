/*
 * What the feature brings: routes, the job, the projection beside the store.
 */
#include "features/progress/internal.h"

static const struct puan_param area_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct puan_area_in, area), 1,
      INT64_MAX, true },
};
static const struct puan_param progress_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct puan_progress_in, area), 1,
      INT64_MAX, true },
    { "sort", PUAN_PARAM_TEXT, offsetof(struct puan_progress_in, sort), 1, 16,
      true },
    { "cursor", PUAN_PARAM_INT, offsetof(struct puan_progress_in, cursor), 0,
      1000000, true },
};
static const struct puan_param measure_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct puan_measure_in, area), 1,
      INT64_MAX, true },
    { "level", PUAN_PARAM_TEXT, offsetof(struct puan_measure_in, level), 1, 32,
      false },
    { "measure", PUAN_PARAM_TEXT, offsetof(struct puan_measure_in, measure), 1,
      16, true },
};

static const struct puan_param worksheet_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct puan_worksheet_in, area), 1,
      INT64_MAX, true },
    { "kind", PUAN_PARAM_TEXT, offsetof(struct puan_worksheet_in, kind), 1, 16,
      false },
};

static const struct puan_route routes[] = {
    { .method = PUAN_GET, .path = "/c/{campaign}/board",
      .capability = "counts.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "Command board of an area: decisions, progress, risks, live",
      .handle = puan_get_board, PUAN_PARAMS(area_params, struct puan_area_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/progress",
      .capability = "counts.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "Counts of work of an area and of those just below it",
      .handle = puan_get_progress,
      PUAN_PARAMS(progress_params, struct puan_progress_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/progress/curve",
      .capability = "counts.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "Plan, actual and forecast of an area by day",
      .handle = puan_get_curve, PUAN_PARAMS(area_params, struct puan_area_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/progress/map",
      .capability = "counts.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "One measure over the areas of a level",
      .handle = puan_get_measure,
      PUAN_PARAMS(measure_params, struct puan_measure_in) },
    { .method = PUAN_GET, .path = "/c/{campaign}/public/progress",
      .capability = "", .scope = PUAN_SCOPE_PUBLIC, .verb = "",
      .summary = "What everybody may know of how far the work is",
      .handle = puan_get_public_progress,
      PUAN_PARAMS(area_params, struct puan_area_in) },
    { .method = PUAN_POST, .path = "/c/{campaign}/progress/worksheet",
      .capability = "counts.view", .scope = PUAN_SCOPE_AREA,
      .verb = "worksheet.take",
      .summary = "Counts of work as a sheet or for paper; registered",
      .handle = puan_post_worksheet,
      PUAN_PARAMS(worksheet_params, struct puan_worksheet_in) },
};

static const struct puan_job jobs[] = { { "progress", 1000, puan_work_job } };

const struct puan_feature puan_feature_progress = {
    .name = "progress",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .metrics = puan_work_metrics,
    .n_metrics = PUAN_WORK_METRICS,
    .jobs = jobs,
    .n_jobs = PUAN_COUNT(jobs),
    .open = puan_work_open,
    .shard_open = puan_work_shard_open,
    .close = puan_work_close,
};
