/*
 * Inside progress.  No other feature includes this.
 */
#ifndef PUAN_FEATURES_PROGRESS_INTERNAL_H
#define PUAN_FEATURES_PROGRESS_INTERNAL_H

#include "core/plan/plan.h"
#include "features/host/request.h"
#include "features/progress/progress.h"

/* ---- project.c ---- */
PUAN_MUST_USE enum puan_status puan_work_open(void **state,
                                              struct puan_store *st,
                                              struct puan_err *err);
PUAN_MUST_USE enum puan_status
puan_work_shard_open(void *state, struct puan_store *st, struct puan_shard *sh,
                     struct puan_err *err);
void puan_work_close(void *state, struct puan_store *st);
PUAN_MUST_USE enum puan_status puan_work_job(struct puan_store *st,
                                             struct puan_err *err);

/* ---- forecast.c: numbers only ---- */

/*
 * The plan's curve: what share of the due households, in thousandths, is to
 * be delivered at the end of each day of the window.  Between two days it
 * rises evenly.  Without a curve: evenly over the window.
 */
struct puan_plan_curve {
    int64_t from_ms, until_ms;
    size_t n;
    int64_t at[PUAN_WORK_DAYS]; /* thousandths, at the end of day i */
};
void puan_curve_of(struct puan_plan_curve *out, const struct puan_plan *plan);
/* Thousandths planned by `ms`. */
int64_t puan_curve_at(const struct puan_plan_curve *c, int64_t ms);

/*
 * When will it be done?  Each whole day since the window opened brought in a
 * share of what was still out at its beginning.  The shares of the last
 * PUAN_FORECAST_RECENT whole days are drawn with replacement (bootstrap; Efron
 * and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 8: resampling
 * instead of a formula where little is known of the distribution) for each
 * day to come, PUAN_FORECAST_PATHS times, until `done` thousandths of the due
 * are in.  A share, not a count, because what is left gets harder to reach.
 *
 * An area is the sum of its parts: each part has its own shares, and a day
 * drawn is the same day for all of them, so that a slow part holds the whole
 * back and a wet day is wet everywhere.  The share of a part is that of
 * PUAN_FORECAST_LEND further households behaving like all parts together,
 * which keeps a small or silent part from saying never.
 *
 * On the first day its share so far stands for a whole day, pro rata.
 */
#define PUAN_FORECAST_RECENT 5
#define PUAN_FORECAST_PATHS 200
#define PUAN_FORECAST_DAYS 60
#define PUAN_FORECAST_LEND 30
struct puan_forecast {
    bool complete;  /* already done */
    bool known;     /* there was movement to judge by */
    bool far;       /* half of the paths do not end within the days above */
    int64_t basis;  /* whole days used; 0: the part of the first day */
    int64_t early, middle, late; /* day counted from today: 0 today */
    bool late_open; /* the late end lies beyond the days above */
    size_t n;       /* days of the band below; 0: not asked for */
    /* thousandths delivered at the end of day i from today: p10, p50, p90 */
    int16_t low[PUAN_FORECAST_DAYS], mid[PUAN_FORECAST_DAYS],
        high[PUAN_FORECAST_DAYS];
};
struct puan_forecast_part {
    int64_t due, delivered;
    int64_t day[PUAN_WORK_DAYS]; /* deliveries by day from the window's first */
};
/*
 * `today` is the index of the day now running and `gone` how much of it is
 * over, in thousandths.  `seed` makes the draws: the same figures give the
 * same answer.
 */
void puan_forecast_of(struct puan_forecast *out,
                      const struct puan_forecast_part *part, size_t n,
                      int64_t today, int64_t gone, int64_t done, uint64_t seed,
                      bool band);

/* ---- answers kept for a moment ---- */
struct puan_answers;
struct puan_answers *puan_answers_open(void);
void puan_answers_close(struct puan_answers *a);
/*
 * A text that answers one question, made at most once a second however many
 * ask; `key` says everything it depends on.  It is left in rq->arena.  When
 * `make` has answered by itself (a refusal), *out stays empty.
 */
typedef enum puan_status (*puan_make_fn)(struct puan_out *o,
                                         struct puan_request *rq,
                                         const void *in, struct puan_err *err);
PUAN_MUST_USE enum puan_status
puan_kept(struct puan_str *out, struct puan_request *rq, const void *in,
          struct puan_str key, puan_make_fn make, struct puan_err *err);
/*
 * The same as the whole answer, with ETag and 304: the tag names the question,
 * `version` of what it rests on, and the minute (ages and deadlines move on).
 */
PUAN_MUST_USE enum puan_status
puan_answer_kept(struct puan_request *rq, const void *in, struct puan_str key,
                 uint64_t version, puan_make_fn make, struct puan_err *err);
/* For answers made of parts: true when the asker has this one (304 given). */
bool puan_unchanged(struct puan_request *rq, struct puan_str key,
                    uint64_t version);
void puan_give(struct puan_request *rq, struct puan_str json,
               struct puan_str key, uint64_t version);
struct puan_answers *puan_work_answers(struct puan_store *st);

/* ---- common pieces of the answers (rows.c) ---- */
void puan_put_basis(struct puan_jw *w, struct puan_request *rq,
                    const struct puan_work_basis *b);
void puan_put_area(struct puan_jw *w, struct puan_store *st, int64_t area);
/* The state counts of an area as members of an open map; persons are a result
 * and have their own route, each reading an entry (contract 8). */
void puan_put_counts(struct puan_jw *w, const struct puan_work *x);
/* Percent, plan, difference, forecast: as members of an open map. */
void puan_put_outlook(struct puan_jw *w, struct puan_store *st,
                      const struct puan_work *x, int64_t now, int64_t area);
/* Level of the plan at which the asking seat sits. */
unsigned puan_seat_level(const struct puan_request *rq);
/* 503 "recounting" or "not-counted" when nothing of the area could be read. */
bool puan_refuse_uncounted(struct puan_request *rq,
                           const struct puan_work_basis *b);
void puan_forecast_area(struct puan_forecast *out, struct puan_store *st,
                        const struct puan_work *x, int64_t now, int64_t area,
                        bool band);
/* Children of an area in the tree, by index; 0 when it has none. */
#define PUAN_UNDER 30 /* fewer households: counts, no percent */

/* ---- metrics.c ---- */
#define PUAN_WORK_METRICS 7
extern const struct puan_metric puan_work_metrics[PUAN_WORK_METRICS];

/* ---- routes ---- */
enum puan_status puan_get_board(struct puan_request *rq, const void *in,
                                struct puan_err *err);
enum puan_status puan_get_progress(struct puan_request *rq, const void *in,
                                   struct puan_err *err);
enum puan_status puan_get_curve(struct puan_request *rq, const void *in,
                                struct puan_err *err);
enum puan_status puan_get_measure(struct puan_request *rq, const void *in,
                                  struct puan_err *err);

enum puan_status puan_get_public_progress(struct puan_request *rq,
                                          const void *in, struct puan_err *err);

enum puan_status puan_post_worksheet(struct puan_request *rq, const void *in,
                                     struct puan_err *err);

struct puan_worksheet_in {
    int64_t area;
    struct puan_str kind;
};
struct puan_area_in {
    int64_t area;
};
struct puan_progress_in {
    int64_t area, cursor;
    struct puan_str sort;
};
struct puan_measure_in {
    int64_t area;
    struct puan_str level, measure;
};

#endif
