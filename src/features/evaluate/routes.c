/*
 * The evaluation report of a campaign: indices of the plan's table of ages and
 * sexes, for an area and each of the table's areas in it.  The plan's setting
 * evaluation_table names the table: one level, a variable of five-year groups
 * whose last class is open, an item of men and women.
 */
#include <math.h>
#include <stddef.h>

#include "features/evaluate/evaluate.h"
#include "features/evaluate/indices.h"
#include "features/host/request.h"
#include "features/ingest/ingest.h"
#include "features/tables/tables.h"

#define SHOWN_MS 60000 /* as the tables' own routes */
#define LEAST 500      /* persons; of fewer only the number is told */

struct area_in {
    int64_t area;
    bool fresh;
};
static const struct puan_param params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct area_in, area), 0, INT64_MAX,
      false },
    { "fresh", PUAN_PARAM_BOOL, offsetof(struct area_in, fresh), 0, 0, true },
};

/* Where the dimensions of the table stand. */
struct layout {
    const struct puan_tally *t;
    const int64_t *cells;
    size_t table, level, age, sex, n_dims;
    size_t groups; /* classes of age, without "unknown" */
};

static bool lay(struct layout *l, const struct puan_count *c,
                struct puan_str id)
{
    int table = puan_count_table(c, id);
    const struct puan_table_plan *p;
    bool level = false, age = false, sex = false;

    if (table < 0)
        return false;
    *l = (struct layout){ .t = puan_count_tally(c),
                          .cells = puan_count_cells(c),
                          .table = (size_t)table };
    p = puan_tally_plan(l->t, l->table);
    l->n_dims = p->n_by;
    for (size_t d = 0; d < p->n_by; d++) {
        size_t n = puan_tally_classes(l->t, l->table, d);

        if (p->by[d].kind == PUAN_BY_LEVEL && !level) {
            level = true;
            l->level = d;
        } else if (p->by[d].kind == PUAN_BY_VARIABLE && !age && n > 4) {
            age = true;
            l->age = d;
            l->groups = n - 1;
        } else if (p->by[d].kind == PUAN_BY_ITEM && !sex && n == 3) {
            sex = true;
            l->sex = d;
        } else {
            return false;
        }
    }
    return level && age && sex && l->groups <= PUAN_FIVES;
}

/* at: class of the level, or the number of its classes for the whole. */
static void fill(struct puan_age_area *a, const struct layout *l, size_t at)
{
    size_t x[8] = { 0 };

    *a = (struct puan_age_area){ .by = 0 };
    x[l->level] = at;
    for (size_t s = 0; s < 3; s++)
        for (size_t g = 0; g <= l->groups; g++) {
            double n;

            x[l->age] = g;
            x[l->sex] = s;
            n = (double)puan_tally_value(l->t, l->cells, l->table, x);
            if (s == 2 || g == l->groups) {
                a->unknown += n;
                continue;
            }
            a->all[s] += n;
            *(g + 1 == l->groups ? &a->open[s] : &a->five[s][g]) = n;
        }
}

static void put_values(struct puan_jw *w, const struct puan_age_area *a,
                       const struct puan_age_data *d)
{
    struct puan_measured m[PUAN_MEASURES];
    double all = a->all[0] + a->all[1];

    puan_measure_area(m, NULL, a, d);
    puan_jw_kint(w, "persons", (int64_t)all);
    puan_jw_kint(w, "unknown", (int64_t)a->unknown);
    puan_jw_key(w, "values");
    puan_jw_map(w);
    for (unsigned i = PUAN_M_SEX_RATIO; i < PUAN_MEASURES && all >= LEAST;
         i++) {
        const struct puan_measure_name *n = &puan_measure_names[i];

        if (!m[i].given)
            continue;
        puan_jw_key(w, n->name);
        puan_jw_map(w);
        puan_jw_kreal(w, "value", m[i].value, n->places);
        if (m[i].se > 0)
            puan_jw_kreal(w, "se", m[i].se, n->places + 1);
        if (m[i].to > 0) {
            puan_jw_kint(w, "from", m[i].from);
            puan_jw_kint(w, "to", m[i].to);
        }
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, '}');
}

static void put_class(struct puan_jw *w, const struct layout *l, size_t dim,
                      size_t at)
{
    struct puan_class c = { { "", 0 }, { "", 0 }, { "", 0 } };
    char code[24] = "";

    puan_tally_class(&c, code, l->t, l->table, dim, at);
    puan_jw_kstr(w, "code", c.code);
    puan_jw_kstr(w, "zh", c.zh);
    puan_jw_kstr(w, "en", c.en);
}

static void put_areas(struct puan_jw *w, const struct layout *l)
{
    size_t n = puan_tally_classes(l->t, l->table, l->level);
    struct puan_age_data d = { .closed_five = (unsigned)l->groups - 1,
                               .score = { 10, 69 } };
    struct puan_age_area a;

    puan_jw_key(w, "areas");
    puan_jw_list(w);
    for (size_t i = n + 1; i-- > 0;) { /* the whole first */
        size_t at = i == n ? n : n - 1 - i;

        fill(&a, l, at);
        /* the last class is "unknown" */
        if (i < n && (at == n - 1 || a.all[0] + a.all[1] <= 0))
            continue;
        puan_jw_map(w);
        if (i == n)
            puan_jw_kbool(w, "whole", true);
        else
            put_class(w, l, l->level, at);
        put_values(w, &a, &d);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

static void put_measures(struct puan_jw *w)
{
    puan_jw_key(w, "measures");
    puan_jw_list(w);
    for (unsigned i = PUAN_M_SEX_RATIO; i < PUAN_MEASURES; i++) {
        puan_jw_map(w);
        puan_jw_ktext(w, "name", puan_measure_names[i].name);
        puan_jw_ktext(w, "zh", puan_measure_names[i].zh);
        puan_jw_ktext(w, "en", puan_measure_names[i].en);
        puan_jw_kint(w, "places", puan_measure_names[i].places);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

static void put_head(struct puan_jw *w, struct puan_request *rq,
                     const struct puan_count *c, int64_t area, uint64_t seq)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    uint32_t i = puan_area_find(t, area);
    struct puan_counts counts;

    puan_counts_of(&counts, rq->store, area);
    puan_jw_kinstant(w, "as_of", puan_count_asof(c),
                     puan_store_plan(rq->store)->offset_minutes);
    puan_jw_key(w, "source");
    puan_count_source(w, c);
    puan_jw_key(w, "area");
    puan_jw_map(w);
    if (i != PUAN_AREA_NONE) {
        puan_jw_kcode(w, "code", t->area[i].code);
        puan_jw_kstr(w, "zh", t->area[i].zh);
        puan_jw_kstr(w, "en", t->area[i].en);
    }
    puan_jw_end(w, '}');
    puan_jw_kint(w, "listed", counts.listed);
    puan_jw_kint(w, "submitted", counts.submitted);
    puan_jw_key(w, "entry");
    puan_jw_map(w);
    puan_jw_ktext(w, "store", "office");
    puan_jw_kint(w, "seq", (int64_t)seq);
    puan_jw_end(w, '}');
    puan_jw_kint(w, "least", LEAST);
}

static enum puan_status leave_trace(uint64_t *seq, struct puan_request *rq,
                                    int64_t area, struct puan_err *err)
{
    struct puan_act act;
    enum puan_status st;

    puan_request_act(&act, rq,
                     puan_str_of(puan_arena_fmt(
                         rq->arena, "area/%lld/evaluation", (long long)area)));
    act.verb = PUAN_STR("evaluation.view");
    st = puan_commit(puan_store_office(rq->store), &act, NULL, NULL, err);
    *seq = act.seq;
    return st;
}

static enum puan_status show(struct puan_request *rq, const void *in,
                             struct puan_err *err)
{
    const struct area_in *q = in;
    const struct puan_plan *plan = puan_store_plan(rq->store);
    const struct puan_setting *s =
        puan_plan_setting(plan, PUAN_STR("evaluation_table"));
    const struct puan_count *c;
    struct layout l = { .t = NULL };
    uint64_t seq = 0;
    enum puan_status st;

    if (!s)
        return puan_fail(err, PUAN_ENOTFOUND, "evaluation",
                         "the plan names no evaluation_table");
    st =
        puan_count_recent(&c, rq->store, q->area, q->fresh ? 0 : SHOWN_MS, err);
    if (st != PUAN_OK)
        return st;
    if (!lay(&l, c, s->text))
        st = puan_fail(err, PUAN_ENOTFOUND, "area",
                       "the plan has no table of ages and sexes for this area");
    if (st == PUAN_OK)
        st = leave_trace(&seq, rq, q->area, err);
    if (st == PUAN_OK) {
        struct puan_jw *w = puan_answer_begin(rq, 200);

        puan_jw_map(w);
        put_head(w, rq, c, q->area, seq);
        put_measures(w);
        put_areas(w, &l);
        puan_jw_end(w, '}');
    }
    puan_count_release(rq->store, c);
    return st;
}

const struct puan_route puan_evaluate_routes[2] = {
    { PUAN_GET, "/c/{campaign}/evaluation", "evaluation.view", PUAN_SCOPE_AREA,
      "evaluation.view",
      "Indices of ages and sexes of an area and of those in it; the reading is "
      "an entry",
      show, PUAN_PARAMS(params, struct area_in) },
    { PUAN_GET, "/c/{campaign}/coverage", "evaluation.view", PUAN_SCOPE_OBJECT,
      "evaluation.view",
      "Coverage of the census by a post-enumeration sample: omissions, "
      "duplicates and dual-system estimates with errors; the reading is an "
      "entry",
      puan_coverage_show,
      PUAN_PARAMS(puan_coverage_params, struct puan_coverage_in),
      .area_of = puan_coverage_area },
};
