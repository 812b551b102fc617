/*
 * POST …/progress/worksheet: counts of work to take along, as a sheet or on
 * paper.  At once, and registered: the entry names area, kind and seat, and
 * its digest is that of the sheet.  No person and no result is in it.
 */
#include "features/progress/internal.h"

#include "base/calendar.h"
#include "base/csv.h"
#include "base/digest.h"
#include "core/area/area.h"
#include "kit/crypto/crypto.h"

static void put_int(struct puan_out *o, int64_t v)
{
    puan_out_char(o, ',');
    puan_out_int(o, v);
}

static void put_row(struct puan_out *o, struct puan_request *rq, uint32_t at)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_area *area = &t->area[at];
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_work_basis b;
    struct puan_plan_curve curve;
    struct puan_forecast f;
    struct puan_work x;
    int64_t due, planned;
    char day[11];

    puan_work_of(&x, &b, rq->store, area->code, puan_seat_level(rq));
    due = x.listed - x.vacant;
    puan_out_str(o, area->digits);
    puan_out_char(o, ',');
    puan_csv_put_words(o, area->zh);
    puan_out_char(o, ',');
    puan_csv_put_words(o, area->en);
    puan_out_char(o, ',');
    puan_out_str(o, t->level[area->level].name);
    if (b.have < b.of || b.of == 0) {
        puan_out_text(o, ",,,,,,,,,,,,\n"); /* not read: blank, not zero */
        return;
    }
    put_int(o, due);
    put_int(o, x.assigned);
    put_int(o, x.delivered);
    put_int(o, due - x.delivered);
    put_int(o, x.waiting);
    put_int(o, x.queried);
    put_int(o, x.corrected);
    put_int(o, x.accepted);
    puan_out_char(o, ',');
    puan_curve_of(&curve, plan);
    planned = puan_curve_at(&curve, rq->now);
    if (due >= PUAN_UNDER)
        puan_out_fmt(o, "%lld.%lld", (long long)(x.delivered * 100 / due),
                     (long long)(x.delivered * 1000 / due % 10));
    puan_out_fmt(o, ",%lld.%lld,", (long long)(planned / 10),
                 (long long)(planned % 10));
    puan_forecast_area(&f, rq->store, &x, rq->now, area->code, false);
    if (f.known && !f.complete && !f.far) {
        puan_day_text(day, puan_instant_day(rq->now, plan->offset_minutes) +
                               f.middle);
        puan_out_text(o, day);
    }
    puan_out_char(o, ',');
    if (x.last_ms) {
        char at_text[32];

        puan_instant_text(at_text, x.last_ms, plan->offset_minutes);
        puan_out_fmt(o, "%.16s", at_text);
    }
    puan_out_char(o, '\n');
}

static enum puan_status sheet(struct puan_out *o, struct puan_request *rq,
                              struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t top = t ? puan_area_find(t, rq->area) : PUAN_AREA_NONE;

    if (top == PUAN_AREA_NONE)
        return puan_fail(err, PUAN_ENOTFOUND, "area", "no such area");
    puan_out_text(o, "\xef\xbb\xbf" /* spreadsheets ask for it */
                     "area,name_zh,name_en,level,due,assigned,delivered,out,"
                     "waiting,queried,corrected,accepted,percent,planned,"
                     "forecast,last\n");
    put_row(o, rq, top);
    for (uint32_t i = top + 1; i < t->area[top].end; i = t->area[i].end)
        put_row(o, rq, i);
    return puan_arena_check(rq->arena, err);
}

enum puan_status puan_post_worksheet(struct puan_request *rq, const void *v,
                                     struct puan_err *err)
{
    const struct puan_worksheet_in *in = v;
    bool paper = puan_str_is(in->kind, "brief");
    struct puan_out o;
    struct puan_act act;
    char subject[24];
    struct puan_jw *w;

    if (!paper && !puan_str_is(in->kind, "tree"))
        return puan_fail(err, PUAN_EINVAL, "kind", "must be tree or brief");
    puan_out_init(&o, rq->arena);
    TRY(sheet(&o, rq, err));
    puan_format(subject, sizeof(subject), "%lld", (long long)rq->area);
    puan_request_act(&act, rq, puan_str_of(subject));
    act.note = in->kind;
    puan_digest_one(act.new_digest, puan_store_digest(rq->store),
                    puan_out_view(&o));
    act.has_new = true;
    TRY(puan_commit(puan_store_office(rq->store), &act, NULL, NULL, err));
    w = puan_answer_begin(rq, 201);
    puan_jw_map(w);
    puan_jw_kint(w, "entry", (int64_t)act.seq);
    puan_jw_kdigest(w, "digest", act.new_digest);
    puan_jw_kinstant(w, "at", rq->now,
                     puan_store_plan(rq->store)->offset_minutes);
    if (!paper)
        puan_jw_kstr(w, "csv", puan_out_view(&o));
    puan_jw_end(w, '}');
    return PUAN_OK;
}
