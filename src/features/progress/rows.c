/*
 * Pieces the answers are made of.
 */
#include "features/progress/internal.h"

#include <limits.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "core/area/area.h"
#include "kit/http/http.h"

#define DAY (INT64_C(24) * 3600 * 1000)

void puan_put_area(struct puan_jw *w, struct puan_store *st, int64_t area)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    uint32_t i = t ? puan_area_find(t, area) : PUAN_AREA_NONE;
    uint32_t n = 0;

    if (i == PUAN_AREA_NONE) {
        puan_jw_kcode(w, "area", area);
        return;
    }
    puan_jw_kstr(w, "area", t->area[i].digits);
    puan_jw_kstr(w, "zh", t->area[i].zh);
    puan_jw_kstr(w, "en", t->area[i].en);
    puan_jw_kstr(w, "level", t->level[t->area[i].level].name);
    puan_jw_kstr(w, "level_zh", t->level[t->area[i].level].zh);
    puan_jw_kstr(w, "level_en", t->level[t->area[i].level].en);
    puan_jw_ktext(w, "kind", puan_area_kind_name(t->area[i].kind));
    for (uint32_t k = i + 1; k < t->area[i].end; k = t->area[k].end)
        n++;
    puan_jw_kint(w, "children", n);
}

unsigned puan_seat_level(const struct puan_request *rq)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_plan *plan = puan_store_plan(rq->store);
    uint32_t i = t ? puan_area_find(t, rq->who.area) : PUAN_AREA_NONE;
    int level = -1;

    if (i != PUAN_AREA_NONE)
        level = puan_plan_level(plan, t->level[t->area[i].level].name);
    return level < 0 ? (unsigned)plan->shard_level : (unsigned)level;
}

void puan_put_basis(struct puan_jw *w, struct puan_request *rq,
                    const struct puan_work_basis *b)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    int offset = puan_store_plan(rq->store)->offset_minutes;

    puan_jw_kinstant(w, "as_of", b->as_of_ms, offset);
    if (b->have < b->of) {
        puan_jw_key(w, "partial");
        puan_jw_map(w);
        puan_jw_kint(w, "have", (int64_t)b->have);
        puan_jw_kint(w, "of", (int64_t)b->of);
        puan_jw_key(w, "missing");
        puan_jw_list(w);
        for (size_t i = 0; i < b->n_missing; i++) {
            uint32_t at = t ? puan_area_find(t, b->missing[i]) : PUAN_AREA_NONE;

            if (at != PUAN_AREA_NONE)
                puan_jw_str(w, t->area[at].digits);
        }
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
    }
    if (b->rebuilding) {
        puan_jw_key(w, "rebuilding");
        puan_jw_map(w);
        puan_jw_kint(w, "done", b->done);
        puan_jw_kint(w, "of", b->total);
        puan_jw_end(w, '}');
    }
}

bool puan_refuse_uncounted(struct puan_request *rq,
                           const struct puan_work_basis *b)
{
    if (b->have > 0 || b->of == 0)
        return false;
    puan_answer_header(rq, "Retry-After", "2");
    if (b->rebuilding)
        puan_answer_problem(
            rq, 503, "recounting",
            puan_arena_fmt(rq->arena, "counted %lld of %lld rows",
                           (long long)b->done, (long long)b->total));
    else
        puan_answer_problem(rq, 503, "not-counted",
                            "the store of this area cannot be read");
    return true;
}

void puan_put_counts(struct puan_jw *w, const struct puan_work *x)
{
    puan_jw_kint(w, "due", x->listed - x->vacant);
    puan_jw_kint(w, "vacant", x->vacant);
    puan_jw_kint(w, "assigned", x->assigned);
    puan_jw_kint(w, "delivered", x->delivered);
    puan_jw_kint(w, "out", x->listed - x->vacant - x->delivered);
    puan_jw_kint(w, "self", x->self);
    puan_jw_kint(w, "waiting", x->waiting);
    puan_jw_kint(w, "queried", x->queried);
    puan_jw_kint(w, "corrected", x->corrected);
    puan_jw_kint(w, "accepted", x->accepted);
    puan_jw_kint(w, "flagged", x->flagged);
    puan_jw_kint(w, "hard", x->hard);
    puan_jw_kint(w, "soft", x->soft);
    puan_jw_kint(w, "eas", x->eas);
    puan_jw_kint(w, "begun", x->begun);
    puan_jw_kint(w, "silent", x->silent);
}

/* Thousandths as a number with one decimal; out of 0, null. */
static void put_share(struct puan_jw *w, const char *key, int64_t part,
                      int64_t whole)
{
    int64_t v = whole > 0 ? part * 1000 / whole : 0;
    char text[24];

    puan_jw_key(w, key);
    if (whole <= 0) {
        puan_jw_null(w);
        return;
    }
    puan_format(text, sizeof(text), "%s%lld.%lld", v < 0 ? "-" : "",
                (long long)((v < 0 ? -v : v) / 10),
                (long long)((v < 0 ? -v : v) % 10));
    puan_jw_raw(w, puan_str_of(text));
}

static void put_day(struct puan_jw *w, const char *key, int64_t day)
{
    char text[11];

    puan_day_text(text, day);
    puan_jw_ktext(w, key, text);
}

static void part_of(struct puan_forecast_part *p, const struct puan_work *x)
{
    p->due = x->listed - x->vacant;
    p->delivered = x->delivered;
    memcpy(p->day, x->day, sizeof(p->day));
}

void puan_forecast_area(struct puan_forecast *out, struct puan_store *st,
                        const struct puan_work *x, int64_t now, int64_t area,
                        bool band)
{
    const struct puan_plan *plan = puan_store_plan(st);
    const struct puan_area_tree *t = puan_store_areas(st);
    uint32_t top = t ? puan_area_find(t, area) : PUAN_AREA_NONE;
    int64_t offset = plan->offset_minutes * INT64_C(60000);
    int64_t done = puan_plan_number(plan, "progress_done_per_mille", 1000);
    int64_t first, days, today, gone;
    struct puan_forecast_part *part;
    struct puan_work_basis b;
    struct puan_work y;
    size_t n = 0;

    puan_work_days(&first, &days, st);
    today = puan_instant_day(now, plan->offset_minutes) - first;
    gone = (now + offset) % DAY * 1000 / DAY;
    memset(out, 0, sizeof(*out));
    if (today < 0 || top == PUAN_AREA_NONE)
        return;
    if (today >= PUAN_WORK_DAYS)
        today = PUAN_WORK_DAYS - 1;
    for (uint32_t i = top + 1; i < t->area[top].end; i = t->area[i].end)
        n++;
    part = calloc(n + 1, sizeof(*part));
    if (!part)
        return;
    if (n == 0) {
        part_of(&part[n++], x);
    } else {
        n = 0;
        for (uint32_t i = top + 1; i < t->area[top].end; i = t->area[i].end) {
            puan_work_of(&y, &b, st, t->area[i].code, UINT_MAX);
            if (b.have == b.of)
                part_of(&part[n++], &y);
        }
    }
    puan_forecast_of(out, part, n, today, gone, done, (uint64_t)area, band);
    free(part);
}

void puan_put_outlook(struct puan_jw *w, struct puan_store *st,
                      const struct puan_work *x, int64_t now, int64_t area)
{
    const struct puan_plan *plan = puan_store_plan(st);
    struct puan_plan_curve curve;
    struct puan_forecast f;
    int64_t due = x->listed - x->vacant, planned, today;

    puan_curve_of(&curve, plan);
    planned = puan_curve_at(&curve, now);
    today = puan_instant_day(now, plan->offset_minutes);
    puan_jw_kbool(w, "few", due < PUAN_UNDER);
    put_share(w, "percent", due >= PUAN_UNDER ? x->delivered : 0,
              due >= PUAN_UNDER ? due : 0);
    put_share(w, "planned", planned, 1000);
    put_share(w, "difference",
              due >= PUAN_UNDER ? x->delivered * 1000 - planned * due : 0,
              due >= PUAN_UNDER ? due * 1000 : 0);
    /* households behind the plan; negative: ahead of it */
    puan_jw_kint(w, "behind", (planned * due - x->delivered * 1000) / 1000);
    if (x->last_ms)
        puan_jw_kinstant(w, "last", x->last_ms, plan->offset_minutes);
    puan_jw_key(w, "forecast");
    puan_forecast_area(&f, st, x, now, area, false);
    if (!f.known || now < curve.from_ms) {
        puan_jw_null(w);
        return;
    }
    puan_jw_map(w);
    puan_jw_kbool(w, "complete", f.complete);
    if (!f.complete) {
        puan_jw_kint(w, "basis", f.basis);
        puan_jw_kbool(w, "far", f.far);
        if (!f.far)
            put_day(w, "day", today + f.middle);
        if (f.early < PUAN_FORECAST_DAYS)
            put_day(w, "early", today + f.early);
        if (!f.late_open)
            put_day(w, "late", today + f.late);
        /* the window's last day, to hold it against */
        put_day(w, "until",
                puan_instant_day(curve.until_ms - 1, plan->offset_minutes));
    }
    puan_jw_end(w, '}');
}
