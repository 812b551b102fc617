/*
 * What monitors read of the work: where it stands against the plan, where it
 * stands still, and how far returns are from the roll.
 */
#include "base/calendar.h"
#include "features/progress/internal.h"

#include <limits.h>


/* Figures of an area, only when all its stores could be read. */
static enum puan_status whole(struct puan_work *x, struct puan_store *st,
                              int64_t area, struct puan_err *err)
{
    struct puan_work_basis b;

    puan_work_of(x, &b, st, area, UINT_MAX);
    if (b.have < b.of || b.of == 0)
        return puan_fail(err, PUAN_EBUSY, "progress", "not counted yet");
    return PUAN_OK;
}

/*
 * Days by which the middle forecast lies behind the end of the window; 0 in
 * time.  Unknown before there is a day to judge by.
 */
static enum puan_status days_late(int64_t *v, struct puan_store *st,
                                  int64_t area, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(st);
    int64_t now = puan_store_now(st), today, last;
    struct puan_plan_curve curve;
    struct puan_forecast f;
    struct puan_work x;
    enum puan_status rc = whole(&x, st, area, err);

    if (rc != PUAN_OK)
        return rc;
    puan_curve_of(&curve, plan);
    puan_forecast_area(&f, st, &x, now, area, false);
    if (now < curve.from_ms || !f.known)
        return puan_fail(err, PUAN_ENOTFOUND, "forecast",
                         "nothing to judge by yet");
    today = puan_instant_day(now, plan->offset_minutes);
    last = puan_instant_day(curve.until_ms - 1, plan->offset_minutes);
    *v = f.complete ? 0
         : f.far    ? today + PUAN_FORECAST_DAYS - last
                    : today + f.middle - last;
    if (*v < 0)
        *v = 0;
    return PUAN_OK;
}

/* Households by which the area is behind the plan's curve; 0 ahead of it. */
static enum puan_status behind(int64_t *v, struct puan_store *st, int64_t area,
                               struct puan_err *err)
{
    struct puan_plan_curve curve;
    struct puan_work x;
    enum puan_status rc = whole(&x, st, area, err);

    if (rc != PUAN_OK)
        return rc;
    puan_curve_of(&curve, puan_store_plan(st));
    *v = (puan_curve_at(&curve, puan_store_now(st)) *
              (x.listed - x.vacant) -
          x.delivered * 1000) /
         1000;
    if (*v < 0)
        *v = 0;
    return PUAN_OK;
}

static enum puan_status due(int64_t *v, struct puan_store *st, int64_t area,
                            struct puan_err *err)
{
    struct puan_work x;
    enum puan_status rc = whole(&x, st, area, err);

    *v = x.listed - x.vacant;
    return rc;
}

static enum puan_status still(int64_t *v, struct puan_store *st, int64_t area,
                              struct puan_err *err)
{
    struct puan_work x;
    enum puan_status rc = whole(&x, st, area, err);

    *v = x.silent;
    return rc;
}

/* Households delivered on the day `back` days before today. */
static enum puan_status day_before(int64_t *v, struct puan_store *st,
                                   int64_t area, int64_t back,
                                   struct puan_err *err)
{
    int64_t first, n, day;
    struct puan_work x;
    enum puan_status rc = whole(&x, st, area, err);

    if (rc != PUAN_OK)
        return rc;
    puan_work_days(&first, &n, st);
    day = puan_instant_day(puan_store_now(st),
                           puan_store_plan(st)->offset_minutes) -
          first - back;
    if (day < 0 || day >= PUAN_WORK_DAYS - 1 || day >= n)
        return puan_fail(err, PUAN_ENOTFOUND, "progress",
                         "no day of the window");
    *v = x.day[day];
    return PUAN_OK;
}

static enum puan_status yesterday(int64_t *v, struct puan_store *st,
                                  int64_t area, struct puan_err *err)
{
    return day_before(v, st, area, 1, err);
}

static enum puan_status day_before_that(int64_t *v, struct puan_store *st,
                                        int64_t area, struct puan_err *err)
{
    return day_before(v, st, area, 2, err);
}

/*
 * By how many in a thousand the persons returned differ from those the roll
 * had for the same households, either way.
 */
static enum puan_status off_roll(int64_t *v, struct puan_store *st,
                                 int64_t area, struct puan_err *err)
{
    int64_t difference;
    struct puan_work x;
    enum puan_status rc = whole(&x, st, area, err);

    if (rc != PUAN_OK)
        return rc;
    if (x.roll == 0)
        return puan_fail(err, PUAN_ENOTFOUND, "listing",
                         "the roll has no numbers of persons yet");
    difference = x.met > x.roll ? x.met - x.roll : x.roll - x.met;
    *v = difference * 1000 / x.roll;
    return PUAN_OK;
}

const struct puan_metric puan_work_metrics[PUAN_WORK_METRICS] = {
    { "puan_forecast_days_late", "days", "area",
      "Days by which the forecast lies behind the end of the window",
      days_late },
    { "puan_households_behind", "households", "area",
      "Households by which the work is behind its plan", behind },
    { "puan_households_due", "households", "area",
      "Households that are to hand in a return", due },
    { "puan_areas_still", "areas", "area",
      "Enumeration areas without movement for 48 hours, not complete", still },
    { "puan_delivered_yesterday", "households", "area",
      "Households delivered on the last whole day", yesterday },
    { "puan_delivered_day_before", "households", "area",
      "Households delivered on the day before that", day_before_that },
    { "puan_roll_difference", "per mille", "area",
      "How far the returns are from the roll, either way", off_roll },
};
