/*
 * GET …/progress, …/progress/curve, …/progress/map: the tree of areas, one
 * area over the days, and one measure over many areas.
 */
#include "features/progress/internal.h"

#include <stdlib.h>

#include "base/calendar.h"
#include "core/area/area.h"

#define DAY (INT64_C(24) * 3600 * 1000)
#define ROWS 100
#define PLACES 20000 /* areas of one map */

struct entry {
    uint32_t at; /* in the tree */
    bool known;
    struct puan_work x;
    int64_t behind; /* thousandths under the plan; INT64_MIN: few or unknown */
};

static int by_lag(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;

    if (a->behind != b->behind)
        return a->behind > b->behind ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

static int by_name(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;

    return a->at < b->at ? -1 : a->at > b->at; /* by code */
}

static int by_silence(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;

    if (a->x.last_ms != b->x.last_ms)
        return a->x.last_ms < b->x.last_ms ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

static void put_entry(struct puan_jw *w, struct puan_request *rq,
                      const struct entry *e)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);

    puan_jw_map(w);
    puan_put_area(w, rq->store, t->area[e->at].code);
    puan_jw_kbool(w, "known", e->known);
    if (e->known) {
        puan_put_counts(w, &e->x);
        puan_put_outlook(w, rq->store, &e->x, rq->now, t->area[e->at].code);
    }
    puan_jw_end(w, '}');
}

static enum puan_status make_tree(struct puan_out *o, struct puan_request *rq,
                                  const void *v, struct puan_err *err)
{
    const struct puan_progress_in *in = v;
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t top = t ? puan_area_find(t, rq->area) : PUAN_AREA_NONE;
    struct puan_work_basis basis;
    struct puan_plan_curve curve;
    struct entry *list, whole = { 0 };
    int64_t planned;
    size_t n = 0;
    struct puan_jw w;

    if (top == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "no such area");
    puan_work_of(&whole.x, &basis, rq->store, rq->area, puan_seat_level(rq));
    if (puan_refuse_uncounted(rq, &basis))
        return PUAN_OK;
    whole.at = top;
    whole.known = true;
    puan_curve_of(&curve, puan_store_plan(rq->store));
    planned = puan_curve_at(&curve, rq->now);
    for (uint32_t i = top + 1; i < t->area[top].end; i = t->area[i].end)
        n++;
    list = puan_new_n(rq->arena, n ? n : 1, struct entry);
    if (!list)
        return puan_arena_check(rq->arena, err);
    n = 0;
    for (uint32_t i = top + 1; i < t->area[top].end; i = t->area[i].end, n++) {
        struct puan_work_basis own;
        int64_t due;

        list[n].at = i;
        puan_work_of(&list[n].x, &own, rq->store, t->area[i].code, puan_seat_level(rq));
        list[n].known = own.have == own.of;
        due = list[n].x.listed - list[n].x.vacant;
        list[n].behind = list[n].known && due >= PUAN_UNDER
                             ? planned - list[n].x.delivered * 1000 / due
                             : INT64_MIN;
    }
    qsort(list, n, sizeof(*list),
          puan_str_is(in->sort, "name")     ? by_name
          : puan_str_is(in->sort, "silent") ? by_silence
                                            : by_lag);
    puan_jw_init(&w, o);
    puan_jw_map(&w);
    puan_put_basis(&w, rq, &basis);
    puan_jw_key(&w, "whole");
    put_entry(&w, rq, &whole);
    puan_jw_kint(&w, "total", (int64_t)n);
    puan_jw_key(&w, "items");
    puan_jw_list(&w);
    for (size_t i = (size_t)in->cursor; i < n && i < (size_t)in->cursor + ROWS;
         i++)
        put_entry(&w, rq, &list[i]);
    puan_jw_end(&w, ']');
    puan_jw_key(&w, "next");
    if ((size_t)in->cursor + ROWS < n)
        puan_jw_int(&w, in->cursor + ROWS);
    else
        puan_jw_null(&w);
    puan_jw_end(&w, '}');
    return puan_arena_check(rq->arena, err);
}

enum puan_status puan_get_progress(struct puan_request *rq, const void *v,
                                   struct puan_err *err)
{
    const struct puan_progress_in *in = v;
    struct puan_str key = puan_str_of(puan_arena_fmt(
        rq->arena, "tree/%u/%lld/%lld/%.*s", puan_seat_level(rq),
        (long long)rq->area, (long long)in->cursor, PUAN_FMT(in->sort)));

    if (in->sort.n > 0 && !puan_str_is(in->sort, "name") &&
        !puan_str_is(in->sort, "lag") && !puan_str_is(in->sort, "silent"))
        return puan_fail(err, PUAN_EINVAL, "sort",
                         "must be lag, name or silent");
    return puan_answer_kept(rq, in, key, puan_work_version(rq->store),
                            make_tree, err);
}

/* ---- over the days ---------------------------------------------------------------- */

static void put_share(struct puan_jw *w, const char *key, int64_t thousandths)
{
    char text[24];

    puan_format(text, sizeof(text), "%lld.%lld",
                (long long)(thousandths / 10), (long long)(thousandths % 10));
    puan_jw_key(w, key);
    puan_jw_raw(w, puan_str_of(text));
}

static enum puan_status make_curve(struct puan_out *o, struct puan_request *rq,
                                   const void *v, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_work_basis basis;
    struct puan_plan_curve curve;
    struct puan_forecast f;
    struct puan_work x;
    int64_t first, days, today, last, due, in = 0;
    struct puan_jw w;

    (void)v;
    puan_work_of(&x, &basis, rq->store, rq->area, puan_seat_level(rq));
    if (puan_refuse_uncounted(rq, &basis))
        return PUAN_OK;
    due = x.listed - x.vacant;
    puan_work_days(&first, &days, rq->store);
    puan_curve_of(&curve, plan);
    today = puan_instant_day(rq->now, plan->offset_minutes) - first;
    puan_forecast_area(&f, rq->store, &x, rq->now, rq->area, true);
    /* to the end of the window, further while the forecast is not done */
    last = days - 1;
    if (f.known && !f.complete)
        last = today + (f.late_open ? 20 : f.late);
    if (last < days - 1)
        last = days - 1;
    if (last >= PUAN_WORK_DAYS)
        last = PUAN_WORK_DAYS - 1;
    puan_jw_init(&w, o);
    puan_jw_map(&w);
    puan_put_basis(&w, rq, &basis);
    puan_put_area(&w, rq->store, rq->area);
    puan_jw_kint(&w, "due", due);
    puan_jw_kint(&w, "self", x.self);
    puan_jw_kint(&w, "delivered", x.delivered);
    puan_jw_kbool(&w, "few", due < PUAN_UNDER);
    puan_jw_key(&w, "days");
    puan_jw_list(&w);
    for (int64_t d = 0; d <= last; d++) {
        char text[11];

        puan_jw_map(&w);
        puan_day_text(text, first + d);
        puan_jw_ktext(&w, "day", text);
        put_share(&w, "plan", puan_curve_at(&curve, curve.from_ms + (d + 1) * DAY));
        if (d <= today) {
            in += x.day[d];
            puan_jw_kint(&w, "new", x.day[d]);
            puan_jw_kint(&w, "delivered", in);
            if (due > 0)
                put_share(&w, "share", in * 1000 / due);
        }
        if (f.known && !f.complete && d >= today && d - today < (int64_t)f.n) {
            put_share(&w, "low", f.low[d - today]);
            put_share(&w, "mid", f.mid[d - today]);
            put_share(&w, "high", f.high[d - today]);
        }
        puan_jw_end(&w, '}');
    }
    puan_jw_end(&w, ']');
    puan_jw_kint(&w, "today", today);
    puan_put_outlook(&w, rq->store, &x, rq->now, rq->area);
    puan_jw_key(&w, "method");
    puan_jw_map(&w);
    puan_jw_kint(&w, "recent_days", PUAN_FORECAST_RECENT);
    puan_jw_kint(&w, "paths", PUAN_FORECAST_PATHS);
    puan_jw_kint(&w, "band", 80); /* p10 to p90 */
    put_share(&w, "done_at",
              puan_plan_number(plan, "progress_done_per_mille", 1000));
    puan_jw_end(&w, '}');
    puan_jw_end(&w, '}');
    return puan_arena_check(rq->arena, err);
}

enum puan_status puan_get_curve(struct puan_request *rq, const void *in,
                                struct puan_err *err)
{
    struct puan_str key = puan_str_of(
        puan_arena_fmt(rq->arena, "curve/%lld", (long long)rq->area));

    return puan_answer_kept(rq, in, key, puan_work_version(rq->store),
                            make_curve, err);
}

/* ---- over the map -------------------------------------------------------------------- */

enum { MEASURE_PROGRESS, MEASURE_FINDINGS, MEASURE_SILENCE };

static int measure_of(struct puan_str s)
{
    if (puan_str_is(s, "findings"))
        return MEASURE_FINDINGS;
    if (puan_str_is(s, "silence"))
        return MEASURE_SILENCE;
    return s.n == 0 || puan_str_is(s, "progress") ? MEASURE_PROGRESS : -1;
}

/* What the map shows of one area: value of `whole`, or why there is none. */
static void put_place(struct puan_jw *w, int measure, struct puan_str code,
                      const struct puan_work *x, bool known)
{
    int64_t due = x->listed - x->vacant, part = 0, whole = 0;

    puan_jw_map(w);
    puan_jw_kstr(w, "code", code);
    if (!known) {
        puan_jw_ktext(w, "state", "not-loaded");
        puan_jw_end(w, '}');
        return;
    }
    switch (measure) {
    case MEASURE_FINDINGS:
        part = x->flagged;
        whole = x->delivered;
        break;
    case MEASURE_SILENCE:
        part = x->silent;
        whole = x->eas;
        break;
    default:
        part = x->delivered;
        whole = due;
    }
    puan_jw_ktext(w, "state",
                  due == 0           ? "nothing-due"
                  : x->delivered == 0 && measure != MEASURE_SILENCE
                      ? "not-begun"
                  : measure == MEASURE_PROGRESS && whole < PUAN_UNDER ? "few"
                                                                      : "ready");
    puan_jw_kint(w, "part", part);
    puan_jw_kint(w, "whole", whole);
    puan_jw_end(w, '}');
}

static enum puan_status make_measure(struct puan_out *o,
                                     struct puan_request *rq, const void *v,
                                     struct puan_err *err)
{
    const struct puan_measure_in *in = v;
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t top = t ? puan_area_find(t, rq->area) : PUAN_AREA_NONE;
    int level = t ? puan_area_level_of(t, in->level) : -1;
    int measure = measure_of(in->measure);
    struct puan_work_basis basis;
    struct puan_work x;
    struct puan_jw w;
    size_t n = 0;

    if (top == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "no such area");
    if (level < 0)
        return puan_fail(err, PUAN_EINVAL, "level", "no such level");
    if (measure < 0)
        return puan_fail(err, PUAN_EINVAL, "measure",
                         "must be progress, findings or silence");
    puan_work_of(&x, &basis, rq->store, rq->area, puan_seat_level(rq));
    puan_jw_init(&w, o);
    puan_jw_map(&w);
    puan_put_basis(&w, rq, &basis);
    puan_jw_key(&w, "items");
    puan_jw_list(&w);
    for (uint32_t i = puan_area_next(t, top, (unsigned)level, PUAN_AREA_NONE);
         i != PUAN_AREA_NONE && n < PLACES;
         i = puan_area_next(t, top, (unsigned)level, i), n++) {
        puan_work_of(&x, &basis, rq->store, t->area[i].code, puan_seat_level(rq));
        put_place(&w, measure, t->area[i].digits, &x, basis.have == basis.of);
    }
    puan_jw_end(&w, ']');
    puan_jw_end(&w, '}');
    return puan_arena_check(rq->arena, err);
}

enum puan_status puan_get_measure(struct puan_request *rq, const void *v,
                                  struct puan_err *err)
{
    const struct puan_measure_in *in = v;
    struct puan_str key = puan_str_of(puan_arena_fmt(
        rq->arena, "map/%lld/%.*s/%.*s", (long long)rq->area,
        PUAN_FMT(in->level), PUAN_FMT(in->measure)));

    return puan_answer_kept(rq, in, key, puan_work_version(rq->store),
                            make_measure, err);
}
