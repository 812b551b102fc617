/*
 * GET …/public/progress: what everybody may know of how far the work is.
 *
 * Whole percent of the households that have handed in, at the end of the day
 * before; down to the level that the plan's setting `public_progress` names,
 * below it and without the setting nothing.  No number of households, none of
 * persons, and nothing of today: who waits at a door learns nothing of it.
 */
#include "features/progress/internal.h"

#include <limits.h>

#include "base/calendar.h"
#include "core/area/area.h"
#include "features/host/host.h"

/* Index in the tree of the finest level that is open; -1: none is. */
static int open_level(const struct puan_request *rq)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_setting *s = puan_plan_setting(
        puan_store_plan(rq->store), PUAN_STR("public_progress"));

    return t && s ? puan_area_level_of(t, s->text) : -1;
}

static const struct puan_window *window_of(const struct puan_plan *plan)
{
    const struct puan_setting *s =
        puan_plan_setting(plan, PUAN_STR("progress_window"));

    return s ? puan_plan_window(plan, s->text) : NULL;
}

static int64_t day_start(const struct puan_request *rq)
{
    int offset = puan_store_plan(rq->store)->offset_minutes;

    return puan_instant_day(rq->now, offset) * INT64_C(86400000) -
           offset * INT64_C(60000);
}

/* Delivered by the end of yesterday. */
static int64_t before_today(const struct puan_work *x, struct puan_request *rq)
{
    int offset = puan_store_plan(rq->store)->offset_minutes;
    int64_t first, days, today, n = x->delivered;

    puan_work_days(&first, &days, rq->store);
    today = puan_instant_day(rq->now, offset) - first;
    if (today >= 0 && today < days && today < PUAN_WORK_DAYS)
        n -= x->day[today];
    return n;
}

/* An area with its share: null where too few live or a store is not read. */
static bool put_share_of(struct puan_jw *w, struct puan_request *rq, uint32_t i,
                         bool begun, struct puan_work_basis *basis)
{
    const struct puan_area *a = &puan_store_areas(rq->store)->area[i];
    struct puan_work x;
    int64_t due;
    bool whole;

    puan_work_of(&x, basis, rq->store, a->code, UINT_MAX);
    due = x.listed - x.vacant;
    whole = basis->have == basis->of && basis->of > 0;
    puan_jw_kstr(w, "area", a->digits);
    puan_jw_kstr(w, "zh", a->zh);
    puan_jw_kstr(w, "en", a->en);
    puan_jw_kbool(w, "known", whole);
    puan_jw_kbool(w, "few", whole && due < PUAN_UNDER);
    puan_jw_key(w, "percent");
    if (!whole || !begun || due < PUAN_UNDER)
        puan_jw_null(w);
    else
        puan_jw_int(w, before_today(&x, rq) * 100 / due);
    return whole;
}

static void put_window(struct puan_jw *w, const struct puan_window *win,
                       int offset)
{
    puan_jw_key(w, "window");
    if (!win) {
        puan_jw_null(w);
        return;
    }
    puan_jw_map(w);
    puan_jw_kstr(w, "zh", win->zh);
    puan_jw_kstr(w, "en", win->en);
    puan_jw_kinstant(w, "from", win->from_ms, offset);
    puan_jw_kinstant(w, "until", win->until_ms, offset);
    puan_jw_end(w, '}');
}

static bool has_ground(const struct puan_area *a)
{
    return a->kind == PUAN_AREA_ORDINARY || a->kind == PUAN_AREA_ZONE;
}

/* The way from the whole down to the area, without itself. */
static void put_way(struct puan_jw *w, const struct puan_area_tree *t,
                    uint32_t top, uint32_t at)
{
    puan_jw_key(w, "way");
    puan_jw_list(w);
    for (uint32_t i = top, next; i < at; i = next) {
        next = t->area[i].end > at ? i + 1 : t->area[i].end;
        if (t->area[i].end <= at)
            continue; /* beside the way */
        puan_jw_map(w);
        puan_jw_kstr(w, "area", t->area[i].digits);
        puan_jw_kstr(w, "zh", t->area[i].zh);
        puan_jw_kstr(w, "en", t->area[i].en);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

static enum puan_status make(struct puan_out *o, struct puan_request *rq,
                             const void *v, struct puan_err *err)
{
    const struct puan_area_in *in = v;
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_window *win = window_of(plan);
    int64_t day = day_start(rq), top_code = puan_area_top(rq->store);
    int level = open_level(rq);
    uint32_t top = t ? puan_area_find(t, top_code) : PUAN_AREA_NONE;
    uint32_t at = in->area && t ? puan_area_find(t, in->area) : top;
    bool begun = !win || day > win->from_ms;
    struct puan_work_basis basis;
    struct puan_jw w;

    puan_jw_init(&w, o);
    if (level < 0 || top == PUAN_AREA_NONE) {
        puan_jw_map(&w);
        puan_jw_kbool(&w, "open", false);
        put_window(&w, win, plan->offset_minutes);
        puan_jw_end(&w, '}');
        return PUAN_OK;
    }
    if (at == PUAN_AREA_NONE || at < top || at >= t->area[top].end ||
        (at != top && t->area[at].level > level))
        return puan_fail(err, PUAN_ENOTFOUND, "area",
                         "no progress is published of such an area");
    puan_work_of(&(struct puan_work){ 0 }, &basis, rq->store, t->area[at].code,
                 UINT_MAX);
    if (puan_refuse_uncounted(rq, &basis))
        return PUAN_OK;
    puan_jw_map(&w);
    puan_jw_kbool(&w, "open", true);
    puan_jw_kbool(&w, "begun", begun);
    put_window(&w, win, plan->offset_minutes);
    puan_jw_kinstant(&w, "as_of", day, plan->offset_minutes);
    put_way(&w, t, top, at);
    puan_jw_key(&w, "whole");
    puan_jw_map(&w);
    put_share_of(&w, rq, at, begun, &basis);
    puan_jw_end(&w, '}');
    puan_jw_key(&w, "items");
    puan_jw_list(&w);
    for (uint32_t i = at + 1; i < t->area[at].end; i = t->area[i].end) {
        struct puan_work_basis own;

        if (t->area[i].level > level || !has_ground(&t->area[i]))
            continue;
        puan_jw_map(&w);
        put_share_of(&w, rq, i, begun, &own);
        puan_jw_kbool(&w, "further",
                      t->area[i].level < level &&
                          i + 1 < t->area[i].end);
        puan_jw_end(&w, '}');
    }
    puan_jw_end(&w, ']');
    puan_jw_end(&w, '}');
    return PUAN_OK;
}

enum puan_status puan_get_public_progress(struct puan_request *rq,
                                          const void *v, struct puan_err *err)
{
    const struct puan_area_in *in = v;
    struct puan_str key =
        puan_str_of(puan_arena_fmt(rq->arena, "public %lld %lld",
                                   (long long)in->area,
                                   (long long)day_start(rq)));

    TRY(puan_arena_check(rq->arena, err));
    return puan_answer_kept(rq, in, key, puan_work_version(rq->store), make,
                            err);
}
