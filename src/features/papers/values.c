/*
 * What a paper may name: answers of the routes its template asks, and who
 * issues it.
 */
#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/host/host.h"
#include "features/papers/internal.h"

enum puan_status puan_papers_case(struct puan_paper_case *out,
                                  struct puan_request *rq, int64_t id,
                                  struct puan_err *err)
{
    *out = (struct puan_paper_case){ 0 };
    TRY(puan_request_get(
        &out->json, rq,
        puan_arena_fmt(rq->arena, "/cases/%lld", (long long)id), err));
    TRY(puan_json_tree(&out->tree, out->json, "case", rq->arena, err));
    out->flow = puan_node_str_opt(out->tree, "flow", "");
    out->drill =
        puan_str_is(puan_node_str_opt(out->tree, "drill", ""), "true");
    return PUAN_OK;
}

static void pair(struct puan_jw *w, const char *key, struct puan_str zh,
                 struct puan_str en)
{
    puan_jw_key(w, key);
    puan_jw_map(w);
    puan_jw_kstr(w, "zh", zh);
    puan_jw_kstr(w, "en", en.n ? en : zh);
    puan_jw_end(w, '}');
}

static void area_pair(struct puan_jw *w, const char *key,
                      const struct puan_area_tree *t, uint32_t i)
{
    if (i == PUAN_AREA_NONE)
        return;
    pair(w, key, t->area[i].zh, t->area[i].en);
}

/* Seat, the office above it, the area, the plan, the time. */
static void office(struct puan_jw *w, struct puan_request *rq, int64_t area,
                   struct puan_str number)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_role *r =
        rq->who.role >= 0 ? &plan->role[rq->who.role] : NULL;
    uint32_t at = t ? puan_area_find(t, rq->who.area ? rq->who.area
                                                     : puan_area_top(rq->store))
                    : PUAN_AREA_NONE;
    char now[32];

    puan_jw_key(w, "seat");
    puan_jw_map(w);
    area_pair(w, "area", t, at);
    if (r != NULL)
        pair(w, "role", r->zh, r->en);
    if (at != PUAN_AREA_NONE) {
        const struct puan_level *l = &plan->level[puan_plan_level(
            plan, t->level[t->area[at].level].name)];

        pair(w, "office", l->office_zh, l->office_en);
    }
    puan_jw_end(w, '}');
    if (at != PUAN_AREA_NONE && t->area[at].parent != PUAN_AREA_NONE) {
        area_pair(w, "above", t, t->area[at].parent);
    } else if (at != PUAN_AREA_NONE) {
        int l = puan_plan_level(plan, t->level[t->area[at].level].name);

        if (l > 0) /* an office outside this installation */
            pair(w, "above", plan->level[l - 1].zh, plan->level[l - 1].en);
    }
    area_pair(w, "area", t, t ? puan_area_find(t, area) : PUAN_AREA_NONE);
    pair(w, "plan", plan->zh, plan->en);
    puan_instant_text(now, rq->now, plan->offset_minutes);
    puan_jw_ktext(w, "now", now);
    puan_jw_ktext(w, "year", puan_arena_fmt(rq->arena, "%.*s", 4, now));
    if (number.n > 0)
        puan_jw_kstr(w, "n", number);
}

/* "board?area={area}" with its braces filled in. */
static const char *request(struct puan_request *rq, struct puan_str route,
                           int64_t area, struct puan_str id)
{
    struct puan_out o;

    puan_out_init(&o, rq->arena);
    puan_out_char(&o, '/');
    for (size_t i = 0; i < route.n; i++) {
        struct puan_str rest = { route.p + i, route.n - i };

        if (puan_str_starts(rest, "{area}")) {
            puan_out_int(&o, area);
            i += 5;
        } else if (puan_str_starts(rest, "{id}")) {
            puan_out_str(&o, id);
            i += 3;
        } else {
            puan_out_char(&o, route.p[i]);
        }
    }
    return o.p;
}

enum puan_status puan_papers_values(const struct puan_node **out,
                                    struct puan_request *rq,
                                    const struct puan_paper_template *t,
                                    const struct puan_paper_case *c,
                                    int64_t area, struct puan_str number,
                                    struct puan_err *err)
{
    struct puan_node *tree = NULL;
    struct puan_out o;
    struct puan_jw w;

    puan_out_init(&o, rq->arena);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    office(&w, rq, area, number);
    if (c != NULL) {
        puan_jw_key(&w, "case");
        puan_jw_raw(&w, c->json);
    }
    for (size_t i = 0; i < t->n_from; i++) {
        struct puan_str json;

        TRY(puan_request_get(
            &json, rq,
            request(rq, t->from[i].route, area,
                    c ? puan_node_str_opt(c->tree, "id", "") : PUAN_STR("")),
            err));
        puan_jw_key_s(&w, t->from[i].name);
        puan_jw_raw(&w, json);
    }
    puan_jw_end(&w, '}');
    TRY(puan_arena_check(rq->arena, err));
    TRY(puan_json_tree(&tree, puan_out_view(&o), "values", rq->arena, err));
    *out = tree;
    return PUAN_OK;
}
