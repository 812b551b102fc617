/*
 * Kept edits over the interface: what there are, rates by item and area,
 * making one, doing one again.  No answer of anybody leaves by these.
 */
#include <stddef.h>

#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/edit/campaign.h"
#include "features/edit/tables.h"
#include "features/host/request.h"

struct area_in {
    int64_t area, id, seed;
    struct puan_str form;
};
#define IN(field) offsetof(struct area_in, field)

static const struct puan_param list_params[] = {
    { "area", PUAN_PARAM_AREA, IN(area), 0, INT64_MAX, false },
};
static const struct puan_param rates_params[] = {
    { "id", PUAN_PARAM_INT, IN(id), 1, INT64_MAX, false },
    { "area", PUAN_PARAM_AREA, IN(area), 0, INT64_MAX, false },
};
static const struct puan_param make_params[] = {
    { "area", PUAN_PARAM_AREA, IN(area), 0, INT64_MAX, false },
    { "form", PUAN_PARAM_TEXT, IN(form), 1, 64, false },
    { "seed", PUAN_PARAM_INT, IN(seed), 0, INT64_MAX, true },
};
static const struct puan_param redo_params[] = {
    { "id", PUAN_PARAM_INT, IN(id), 1, INT64_MAX, false },
};

/* Concerns an area what a run covers? */
static bool concerns(const struct puan_area_tree *t, int64_t area,
                     const struct puan_edit_run *r)
{
    return puan_area_contains_code(t, r->area, area) ||
           puan_area_contains_code(t, area, r->area);
}

static void put_names(struct puan_jw *w, const struct puan_area_tree *t,
                      int64_t code)
{
    uint32_t i = puan_area_find(t, code);

    puan_jw_kcode(w, "code", code);
    if (i == PUAN_AREA_NONE)
        return;
    puan_jw_kstr(w, "zh", t->area[i].zh);
    puan_jw_kstr(w, "en", t->area[i].en);
}

static enum puan_status list(struct puan_request *rq, const void *in,
                             struct puan_err *err)
{
    const struct area_in *q = in;
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_form *const *form;
    struct puan_edit_run *run;
    struct puan_jw *w;
    size_t n, n_forms;
    enum puan_status st = puan_edit_runs(&run, &n, rq->store, rq->arena, err);

    if (st == PUAN_OK)
        st = puan_edit_plan_forms(&form, &n_forms, rq->store, rq->arena, err);
    if (st != PUAN_OK)
        return st;
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kinstant(w, "as_of", rq->now, plan->offset_minutes);
    puan_jw_key(w, "area");
    puan_jw_map(w);
    put_names(w, t, q->area);
    puan_jw_end(w, '}');
    puan_jw_key(w, "forms");
    puan_jw_list(w);
    for (size_t i = 0; i < n_forms; i++) {
        puan_jw_map(w);
        puan_jw_kstr(w, "code", form[i]->id);
        puan_jw_kstr(w, "zh", form[i]->zh);
        puan_jw_kstr(w, "en", form[i]->en);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t i = n; i-- > 0;) { /* the newest first */
        if (!concerns(t, q->area, &run[i]))
            continue;
        puan_jw_map(w);
        puan_edit_run_json(w, &run[i], rq->store,
                           puan_request_covers(rq, run[i].area));
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static void put_area(struct puan_jw *w, const struct puan_layer_area *a,
                     const struct puan_area_tree *t, const struct puan_form *f)
{
    static const char *const outcome[] = { "clean", "repaired", "impossible",
                                           "undecided" };

    puan_jw_map(w);
    put_names(w, t, a->code);
    for (size_t k = 0; k < PUAN_LAYER_OUTCOMES; k++)
        puan_jw_kint(w, outcome[k], (int64_t)a->unit[k]);
    puan_jw_key(w, "rates");
    puan_jw_list(w);
    for (size_t i = 0; i < a->n; i++) {
        const struct puan_layer_rate *r = &a->rate[i];

        if (r->entity >= f->n_entities ||
            r->item >= f->entity[r->entity].n_items)
            continue;
        puan_jw_map(w);
        puan_jw_kstr(w, "entity", f->entity[r->entity].name);
        puan_jw_kstr(w, "item", f->entity[r->entity].items[r->item].name);
        puan_jw_kint(w, "answers", (int64_t)r->answers);
        puan_jw_kint(w, "failing", (int64_t)r->failing);
        puan_jw_kint(w, "changed", (int64_t)r->changed);
        puan_jw_key(w, "methods");
        puan_jw_list(w);
        for (size_t m = 0; m < PUAN_LAYER_METHODS; m++)
            puan_jw_int(w, (int64_t)r->method[m]);
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}

/* Labels of the items that rates speak of. */
static void put_items(struct puan_jw *w, const struct puan_form *f)
{
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (uint16_t e = 0; e < f->n_entities; e++)
        for (uint16_t i = 0; i < f->entity[e].n_items; i++) {
            const struct puan_item *it = &f->entity[e].items[i];

            if (it->from != PUAN_FROM_ANSWER || it->fact_of >= 0)
                continue;
            puan_jw_map(w);
            puan_jw_kstr(w, "entity", f->entity[e].name);
            puan_jw_kstr(w, "item", it->name);
            puan_jw_kstr(w, "zh", it->zh);
            puan_jw_kstr(w, "en", it->en);
            puan_jw_end(w, '}');
        }
    puan_jw_end(w, ']');
}

static enum puan_status rates(struct puan_request *rq, const void *in,
                              struct puan_err *err)
{
    const struct area_in *q = in;
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_form *f = NULL;
    struct puan_edit_left_out *left = NULL;
    struct puan_layer_area *area = NULL;
    struct puan_edit_run run;
    struct puan_jw *w;
    size_t n = 0, n_left = 0;
    enum puan_status st =
        puan_edit_run_read(&run, rq->store, q->id, rq->arena, err);

    if (st == PUAN_OK) {
        f = puan_plan_form(plan, run.form);
        if (!f || !concerns(t, q->area, &run))
            st = puan_fail(err, PUAN_ENOTFOUND, "edit",
                           "edit %lld is not of this area", (long long)q->id);
    }
    if (st == PUAN_OK)
        st = puan_edit_rates_of(&area, &n, rq->store, &run, q->area, rq->arena,
                                err);
    if (st == PUAN_OK)
        st = puan_edit_plan_left_out(&left, &n_left, rq->store, f, rq->arena,
                                     err);
    if (st != PUAN_OK)
        return st;
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kinstant(w, "as_of", rq->now, plan->offset_minutes);
    puan_jw_key(w, "run");
    puan_jw_map(w);
    puan_edit_run_json(w, &run, rq->store, puan_request_covers(rq, run.area));
    puan_jw_end(w, '}');
    puan_jw_key(w, "area");
    puan_jw_map(w);
    put_names(w, t, q->area);
    puan_jw_end(w, '}');
    puan_jw_key(w, "methods");
    puan_jw_list(w);
    for (size_t m = 0; m < PUAN_LAYER_METHODS; m++)
        puan_jw_text(w, puan_impute_name((enum puan_impute_method)m));
    puan_jw_end(w, ']');
    put_items(w, f);
    puan_jw_key(w, "areas"); /* the area itself first */
    puan_jw_list(w);
    for (size_t i = 0; i < n; i++)
        put_area(w, &area[i], t, f);
    puan_jw_end(w, ']');
    puan_edit_left_out_json(w, left, n_left);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static enum puan_status make(struct puan_request *rq, const void *in,
                             struct puan_err *err)
{
    const struct area_in *q = in;
    struct puan_edit_keep k = { .form = q->form,
                                .area = q->area,
                                .how = { .seed = (uint64_t)q->seed } };
    struct puan_edit_run run;
    struct puan_act who;
    struct puan_jw *w;
    enum puan_status st;

    puan_request_act(&who, rq, PUAN_STR("edit"));
    st = puan_edit_keep(&run, rq->store, &who, &k, rq->arena, err);
    if (st != PUAN_OK)
        return st;
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_edit_run_json(w, &run, rq->store, true);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static enum puan_status area_of_run(int64_t *area, struct puan_request *rq,
                                    const void *in, struct puan_err *err)
{
    const struct area_in *q = in;
    struct puan_edit_run run;
    enum puan_status st =
        puan_edit_run_read(&run, rq->store, q->id, rq->arena, err);

    if (st == PUAN_OK)
        *area = run.area;
    return st;
}

/* The verdict is an entry: who did it again, and what came out. */
static enum puan_status redo(struct puan_request *rq, const void *in,
                             struct puan_err *err)
{
    const struct area_in *q = in;
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_edit_redone r;
    struct puan_edit_run run;
    struct puan_act act;
    struct puan_jw *w;
    enum puan_status st =
        puan_edit_run_read(&run, rq->store, q->id, rq->arena, err);

    if (st == PUAN_OK)
        st = puan_edit_redo(&r, rq->store, &run, 0, NULL, rq->arena, err);
    if (st != PUAN_OK)
        return st;
    puan_request_act(&act, rq,
                     puan_str_of(puan_arena_fmt(rq->arena, "edit/%lld",
                                                (long long)q->id)));
    act.note = r.same ? PUAN_STR("same") : PUAN_STR("not the same");
    act.has_new = true;
    memcpy(act.new_digest, r.digest, sizeof(r.digest));
    st = puan_commit(puan_store_office(rq->store), &act, NULL, NULL, err);
    if (st != PUAN_OK)
        return st;
    puan_hex(hex, r.digest, PUAN_DIGEST_SIZE);
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kint(w, "id", q->id);
    puan_jw_kbool(w, "same", r.same);
    puan_jw_kint(w, "chunks", (int64_t)r.chunks);
    puan_jw_kint(w, "differ", (int64_t)r.differ);
    puan_jw_ktext(w, "digest", hex);
    puan_jw_key(w, "entry");
    puan_jw_map(w);
    puan_jw_ktext(w, "store", "office");
    puan_jw_kint(w, "seq", (int64_t)act.seq);
    puan_jw_end(w, '}');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

const struct puan_route puan_edit_routes[PUAN_EDIT_ROUTES] = {
    { PUAN_GET, "/c/{campaign}/edits", "edit.view", PUAN_SCOPE_AREA, "",
      "Edits that are kept of an area, the newest first", list,
      PUAN_PARAMS(list_params, struct area_in) },
    { PUAN_GET, "/c/{campaign}/edits/{id}/rates", "edit.view", PUAN_SCOPE_AREA,
      "", "Failure and imputation rates of an edit by item and area", rates,
      PUAN_PARAMS(rates_params, struct area_in) },
    { PUAN_POST, "/c/{campaign}/edits", "edit.run", PUAN_SCOPE_AREA, "edit.run",
      "Localises errors of an area's returns, imputes, and keeps the result "
      "beside what was collected",
      make, PUAN_PARAMS(make_params, struct area_in) },
    { PUAN_POST, "/c/{campaign}/edits/{id}/redo", "edit.run",
      PUAN_SCOPE_OBJECT, "edit.redo",
      "Does an edit again and compares it byte by byte", redo,
      PUAN_PARAMS(redo_params, struct area_in), .area_of = area_of_run },
};
