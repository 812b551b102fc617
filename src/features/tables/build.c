/*
 * The table builder; see build.h.
 */
#include "features/tables/build.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/frame/campaign.h"
#include "features/host/request.h"
#include "features/ingest/ingest.h"
#include "features/store/store.h"
#include "features/tables/tabulate.h"
#include "features/tables/trace.h"
#include "kit/os/os.h"

#define SHOWN_MS 60000       /* a frame this old still answers */
#define GRID_MOST (1u << 18) /* cells of an answer, margins among them */
#define CLASSES_MOST 2000u

struct puan_builder {
    pthread_mutex_t lock; /* one count at a time: it uses all cores */
    struct puan_frames *frames;
    int64_t area, made_ms;
};

enum puan_status puan_builder_open(struct puan_builder **out,
                                   struct puan_err *err)
{
    struct puan_builder *b = calloc(1, sizeof(*b));

    *out = b;
    if (b == NULL)
        return puan_fail(err, PUAN_ENOMEM, "tables", "out of memory");
    pthread_mutex_init(&b->lock, NULL);
    return PUAN_OK;
}

void puan_builder_close(struct puan_builder *b)
{
    if (b == NULL)
        return;
    puan_frames_close(b->frames);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

/* The frame of an area, of now or of a minute ago; under the lock. */
static enum puan_status frame_of(struct puan_builder *b, struct puan_store *st,
                                 int64_t area, bool fresh, int64_t now,
                                 struct puan_err *err)
{
    bool same = b->frames && b->area == area;
    struct puan_frames_campaign_options opt = {
        .area = area, .before = same ? puan_frames_frame(b->frames) : NULL
    };
    struct puan_frames_campaign_told told;
    struct puan_frames *made = NULL;
    enum puan_status x;

    if (same && !fresh && now - b->made_ms <= SHOWN_MS)
        return PUAN_OK;
    x = puan_frames_campaign(&made, &told, st, &opt, err);
    if (x != PUAN_OK)
        return x;
    puan_frames_close(b->frames);
    b->frames = made;
    b->area = area;
    b->made_ms = now;
    return PUAN_OK;
}

/* ---- the question ----------------------------------------------------------
 */

/*
 * Case of a person, first true one first; a condition that cannot be answered
 * does not hold, as core/table counts them.
 */
static struct puan_str base_text(const struct puan_plan *p,
                                 struct puan_str base, struct puan_arena *a)
{
    struct puan_out o;

    puan_out_init(&o, a);
    for (size_t i = 0; i < p->n_residence; i++) {
        const struct puan_residence_case *c = &p->residence[i];
        bool in = puan_str_is(base, "de_facto")     ? c->de_facto
                  : puan_str_is(base, "registered") ? c->registered
                                                    : c->resident;

        puan_out_fmt(&o, "if(known(%.*s) and (%.*s), %d, ", PUAN_FMT(c->when),
                     PUAN_FMT(c->when), in ? 1 : 0);
    }
    puan_out_char(&o, '0');
    for (size_t i = 0; i < p->n_residence; i++)
        puan_out_char(&o, ')');
    puan_out_text(&o, " = 1");
    return puan_out_view(&o);
}

struct question {
    struct puan_tab_by by[PUAN_TAB_DIMS];
    struct puan_tab_show show[2]; /* the rows, then what is asked for */
    struct puan_tab_table table;
    struct puan_tab_programme p;
};

static enum puan_status question_variables(struct question *q,
                                           const struct puan_plan *plan,
                                           struct puan_str base,
                                           struct puan_arena *a)
{
    struct puan_tab_variable *v =
        puan_new_n(a, plan->n_variables + 1, struct puan_tab_variable);

    if (v == NULL)
        return PUAN_ENOMEM;
    v[0] = (struct puan_tab_variable){ .name = PUAN_STR("counted"),
                                       .text = base_text(plan, base, a) };
    for (size_t i = 0; i < plan->n_variables; i++)
        v[i + 1] = (struct puan_tab_variable){ .name = plan->variable[i].id,
                                               .zh = plan->variable[i].zh,
                                               .en = plan->variable[i].en,
                                               .text = plan->variable[i].expr,
                                               .codes =
                                                   plan->variable[i].codes };
    q->p.variable = v;
    q->p.n_variables = plan->n_variables + 1;
    q->p.consts = plan->consts;
    q->p.n_consts = plan->n_consts;
    return PUAN_OK;
}

/* A level's name stands for its areas. */
static struct puan_str level_text(const struct puan_frame *f,
                                  struct puan_str text, struct puan_arena *a)
{
    int e = puan_frame_entity(f, text);

    if (e < 0 || puan_frame_item(&f->entity[e], PUAN_STR("area")) < 0)
        return text;
    return puan_str_of(puan_arena_fmt(a, "%.*s.area as %.*s", PUAN_FMT(text),
                                      PUAN_FMT(text)));
}

static enum puan_status question_make(struct question *q,
                                      const struct puan_build_in *in,
                                      const struct puan_plan *plan,
                                      const struct puan_frame *f,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    struct puan_str rest = in->by, part, of = in->of;
    bool all = puan_str_is(in->base, "all");
    bool persons;
    enum puan_status st = question_variables(q, plan, in->base, a);

    if (of.n == 0)
        of = plan->residence_entity;
    persons = puan_str_eq(of, plan->residence_entity);
    while (st == PUAN_OK && rest.n && puan_tab_part(&part, &rest)) {
        if (q->table.n_by == PUAN_TAB_DIMS)
            return puan_fail(err, PUAN_EINVAL, "by",
                             "a table has at most %d dimensions",
                             PUAN_TAB_DIMS);
        st = puan_tab_by_parse(&q->by[q->table.n_by++], level_text(f, part, a),
                               "by", 0, a, err);
    }
    if (st == PUAN_OK)
        st = puan_tab_show_parse(&q->show[0], PUAN_STR("count"), NULL, 0,
                                 "show", 0, a, err);
    if (st == PUAN_OK)
        st = puan_tab_show_parse(&q->show[1],
                                 in->show.n ? in->show
                                            : PUAN_STR("count as value"),
                                 q->show, 1, "show", 0, a, err);
    if (st != PUAN_OK)
        return st;
    if (q->show[1].kind == PUAN_TAB_RATE)
        return puan_fail(err, PUAN_EINVAL, "show",
                         "the builder shows one measure: a count, sum, mean or "
                         "percentile");
    /* small cells are judged by the rows the measure rests on */
    q->show[0].where = q->show[1].where;
    q->show[0].of = q->show[1].of;
    q->table.id = PUAN_STR("built");
    q->table.of = of;
    q->table.by = q->by;
    q->table.show = q->show;
    q->table.n_show = 2;
    q->table.file = "where";
    if (!all && plan->n_residence)
        q->table.where =
            persons ? PUAN_STR("counted")
                    : puan_str_of(puan_arena_fmt(
                          a, "any(%.*s where counted)",
                          PUAN_FMT(plan->residence_entity)));
    if (in->where.n)
        q->table.where = puan_str_of(
            q->table.where.n
                ? puan_arena_fmt(a, "(%.*s) and (%.*s)",
                                 PUAN_FMT(q->table.where), PUAN_FMT(in->where))
                : puan_arena_fmt(a, "%.*s", PUAN_FMT(in->where)));
    q->p.table = &q->table;
    q->p.n_tables = 1;
    return puan_arena_check(a, err);
}

/* ---- the answer ------------------------------------------------------------
 */

/* Every cell and margin; the last class of a dimension is its total. */
struct grid {
    const struct puan_tab_result *r;
    size_t n[PUAN_TAB_DIMS], stride[PUAN_TAB_DIMS], size;
    int64_t *rows, *value;
    bool *has, *withheld;
    unsigned places;
    size_t n_withheld;
};

static void withhold(struct grid *g, size_t k)
{
    g->n_withheld += !g->withheld[k];
    g->withheld[k] = true;
}

/* The cell alone withheld in its line takes the smallest other one along. */
static bool cover_line(struct grid *g, size_t first, size_t d)
{
    size_t n = 0, best = SIZE_MAX;

    for (size_t i = 0; i <= g->n[d]; i++) {
        size_t k = first + i * g->stride[d];

        if (g->withheld[k])
            n++;
        else if (g->rows[k] > 0 && i < g->n[d] &&
                 (best == SIZE_MAX || g->rows[k] < g->rows[best]))
            best = k;
    }
    if (n != 1)
        return false;
    if (best == SIZE_MAX)
        best = first + g->n[d] * g->stride[d];
    if (g->withheld[best])
        return false;
    withhold(g, best);
    return true;
}

static void cover(struct grid *g)
{
    for (bool again = true; again;) {
        again = false;
        for (size_t d = 0; d < g->r->n_dims; d++)
            for (size_t k = 0; k < g->size; k++)
                if (k / g->stride[d] % (g->n[d] + 1) == 0)
                    again |= cover_line(g, k, d);
    }
}

static enum puan_status grid_fill(struct grid *g, uint64_t keep,
                                  struct puan_arena *a, struct puan_err *err)
{
    const struct puan_tab_result *r = g->r;
    struct puan_tab_result m;
    enum puan_status st = puan_tab_margin(&m, r, keep, a, err);

    for (uint64_t i = 0; st == PUAN_OK && i < m.n; i++) {
        size_t k = 0, at = 0;
        unsigned places;

        for (size_t d = 0; d < r->n_dims; d++) {
            size_t c = g->n[d];

            if (keep >> d & 1) {
                c = (size_t)(m.key[i] / m.stride[at] % m.dim[at].n);
                at++;
            }
            k += c * g->stride[d];
        }
        (void)puan_tab_cell(&g->rows[k], &places, &m, i, 0);
        g->has[k] = puan_tab_cell(&g->value[k], &g->places, &m, i, 1);
    }
    return st;
}

static enum puan_status grid_make(struct grid *g,
                                  const struct puan_tab_result *r,
                                  int64_t least, struct puan_arena *a,
                                  struct puan_err *err)
{
    bool zero = r->table->show[1].kind == PUAN_TAB_COUNT ||
                r->table->show[1].kind == PUAN_TAB_SUM;
    enum puan_status st = PUAN_OK;

    *g = (struct grid){ .r = r, .size = 1 };
    for (size_t d = r->n_dims; d-- > 0;) {
        g->n[d] = r->dim[d].n;
        g->stride[d] = g->size;
        g->size *= g->n[d] + 1;
        if (g->n[d] > CLASSES_MOST || g->size > GRID_MOST)
            return puan_fail(err, PUAN_ELIMIT, "by",
                             "the table has more than %u cells; use fewer "
                             "dimensions or bands(…)",
                             GRID_MOST);
    }
    g->rows = puan_new_n(a, g->size, int64_t);
    g->value = puan_new_n(a, g->size, int64_t);
    g->has = puan_new_n(a, g->size, bool);
    g->withheld = puan_new_n(a, g->size, bool);
    if (a->failed || g->withheld == NULL)
        return puan_arena_check(a, err);
    for (size_t k = 0; k < g->size; k++)
        g->has[k] = zero;
    for (uint64_t keep = 0; st == PUAN_OK && keep >> r->n_dims == 0; keep++)
        st = grid_fill(g, keep, a, err);
    for (size_t k = 0; k < g->size; k++)
        if (g->rows[k] > 0 && g->rows[k] < least)
            withhold(g, k);
    if (g->n_withheld)
        cover(g);
    return st;
}

static void put_number(struct puan_jw *w, int64_t v, unsigned places)
{
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v, ten = 1, rest;
    char text[48], digits[16];

    for (unsigned i = 0; i < places; i++)
        ten *= 10;
    rest = u % ten;
    for (unsigned i = places; i-- > 0; rest /= 10)
        digits[i] = (char)('0' + rest % 10);
    digits[places < sizeof(digits) ? places : 0] = '\0';
    puan_format(text, sizeof(text), "%s%llu%s%s", v < 0 ? "-" : "",
                (unsigned long long)(u / ten), places ? "." : "", digits);
    puan_jw_raw(w, puan_str_of(text));
}

static void put_grid(struct puan_jw *w, const struct grid *g,
                     const struct puan_area_tree *tree, int64_t least)
{
    const struct puan_tab_result *r = g->r;

    puan_jw_map(w);
    puan_jw_kstr(w, "measure", r->table->show[1].name);
    puan_jw_kstr(w, "of", r->table->of);
    puan_jw_key(w, "dims");
    puan_jw_list(w);
    for (size_t d = 0; d < r->n_dims; d++) {
        puan_jw_map(w);
        puan_jw_kstr(w, "name", r->dim[d].name);
        puan_jw_kstr(w, "zh", r->dim[d].zh);
        puan_jw_kstr(w, "en", r->dim[d].en);
        puan_jw_key(w, "classes");
        puan_jw_list(w);
        for (size_t i = 0; i < g->n[d]; i++) {
            const struct puan_tab_class *c = &r->dim[d].class_[i];
            uint32_t at = c->state == PUAN_GIVEN && tree
                              ? puan_area_find_digits(tree, c->code)
                              : PUAN_AREA_NONE;
            bool named = at != PUAN_AREA_NONE && puan_str_eq(c->zh, c->code);

            puan_jw_map(w);
            puan_jw_kstr(w, "code", c->code);
            puan_jw_kstr(w, "zh", named ? tree->area[at].zh : c->zh);
            puan_jw_kstr(w, "en", named ? tree->area[at].en : c->en);
            puan_jw_end(w, '}');
        }
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    /* the last class of each dimension is its total; withheld: "x" */
    puan_jw_key(w, "margins");
    puan_jw_list(w);
    for (size_t k = 0; g->withheld && k < g->size; k++)
        if (g->withheld[k])
            puan_jw_text(w, "x");
        else if (!g->has[k])
            puan_jw_null(w);
        else
            put_number(w, g->value[k], g->places);
    puan_jw_end(w, ']');
    puan_jw_kint(w, "places", g->places);
    puan_jw_kint(w, "withheld", (int64_t)g->n_withheld);
    puan_jw_kint(w, "least", least);
    puan_jw_end(w, '}');
}

static void put_head(struct puan_jw *w, struct puan_request *rq,
                     const struct puan_build_in *q, int64_t made_ms,
                     uint64_t seq)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_plan *plan = puan_store_plan(rq->store);
    uint32_t i = puan_area_find(t, q->area);
    struct puan_counts counts;

    puan_counts_of(&counts, rq->store, q->area);
    puan_jw_kinstant(w, "as_of", made_ms, plan->offset_minutes);
    puan_jw_key(w, "area");
    puan_jw_map(w);
    if (i != PUAN_AREA_NONE) {
        puan_jw_kcode(w, "code", t->area[i].code);
        puan_jw_kstr(w, "zh", t->area[i].zh);
        puan_jw_kstr(w, "en", t->area[i].en);
        puan_jw_kstr(w, "level", t->level[t->area[i].level].name);
    }
    puan_jw_end(w, '}');
    puan_jw_kint(w, "listed", counts.listed);
    puan_jw_kint(w, "submitted", counts.submitted);
    puan_jw_key(w, "entry");
    puan_jw_map(w);
    puan_jw_ktext(w, "store", "office");
    puan_jw_kint(w, "seq", (int64_t)seq);
    puan_jw_end(w, '}');
}

enum puan_status puan_build_table(struct puan_request *rq, const void *in,
                                  struct puan_err *err)
{
    const struct puan_build_in *q = in;
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_builder *b = puan_builder_of(rq->store);
    struct question *ask = puan_new(rq->arena, struct question);
    struct puan_tabulation *t = NULL;
    struct puan_tab_result r = { 0 };
    struct grid g = { 0 };
    int64_t least = puan_plan_number(plan, "release_min_cell", 3), made = 0;
    uint64_t seq = 0;
    enum puan_status st = puan_arena_check(rq->arena, err);

    if (st != PUAN_OK)
        return st;
    pthread_mutex_lock(&b->lock);
    st = frame_of(b, rq->store, q->area, q->fresh, rq->now, err);
    if (st == PUAN_OK)
        st = question_make(ask, q, plan, puan_frames_frame(b->frames),
                           rq->arena, err);
    if (st == PUAN_OK)
        st = puan_tabulate(&t, puan_frames_frame(b->frames), &ask->p, NULL, 0,
                           err);
    if (st == PUAN_OK)
        st = puan_tabulation_result(&r, t, 0, rq->arena, err);
    if (st == PUAN_OK)
        st = grid_make(&g, &r, least, rq->arena, err);
    made = b->made_ms;
    if (st == PUAN_OK)
        st = puan_tables_trace(
            &seq, rq, q->area,
            puan_str_of(puan_arena_fmt(rq->arena,
                                       "table/built/%.*s;%.*s;%.*s",
                                       PUAN_FMT(q->by), PUAN_FMT(q->show),
                                       PUAN_FMT(q->where))),
            err);
    if (st == PUAN_OK) {
        struct puan_jw *w = puan_answer_begin(rq, 200);

        puan_jw_map(w);
        put_head(w, rq, q, made, seq);
        puan_jw_key(w, "table");
        put_grid(w, &g, puan_store_areas(rq->store), least);
        puan_jw_end(w, '}');
    }
    puan_tabulation_close(t);
    pthread_mutex_unlock(&b->lock);
    return st;
}

/* ---- what may be asked for -------------------------------------------------
 */

static const char *type_name(enum puan_item_type t)
{
    switch (t) {
    case PUAN_TYPE_CODE:
        return "code";
    case PUAN_TYPE_INT:
    case PUAN_TYPE_FIXED:
        return "number";
    case PUAN_TYPE_MONTH:
        return "month";
    case PUAN_TYPE_DATE:
        return "date";
    case PUAN_TYPE_AREA:
        return "area";
    case PUAN_TYPE_TEXT:
    case PUAN_TYPE_NAME:
    case PUAN_TYPE_CITIZEN_ID:
    case PUAN_TYPE_PHONE:
    case PUAN_TYPE_POINT:
    case PUAN_TYPE_FACT:
        break;
    }
    return NULL; /* nothing to count by */
}

static bool named_before(const struct puan_plan *plan, size_t form,
                         struct puan_str entity, const struct puan_item *it)
{
    for (size_t f = 0; f < form; f++) {
        int e = puan_form_entity(plan->form[f], entity);

        if (e >= 0 &&
            puan_entity_item(&plan->form[f]->entity[e],
                             it->alias.n ? it->alias : it->name) >= 0)
            return true;
    }
    return false;
}

static void put_named(struct puan_jw *w, struct puan_str name,
                      struct puan_str zh, struct puan_str en)
{
    puan_jw_kstr(w, "name", name);
    puan_jw_kstr(w, "zh", zh);
    puan_jw_kstr(w, "en", en);
}

enum puan_status puan_build_items(struct puan_request *rq, const void *in,
                                  struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_jw *w = puan_answer_begin(rq, 200);

    (void)in;
    (void)err;
    puan_jw_map(w);
    puan_jw_kinstant(w, "as_of", rq->now, plan->offset_minutes);
    puan_jw_kstr(w, "unit", plan->residence_entity);
    puan_jw_key(w, "entities");
    puan_jw_list(w);
    for (size_t f = 0; f < plan->n_forms; f++)
        for (size_t e = 0; e < plan->form[f]->n_entities; e++) {
            const struct puan_entity *en = &plan->form[f]->entity[e];
            bool before = false;

            for (size_t k = 0; k < f; k++)
                before |= puan_form_entity(plan->form[k], en->name) >= 0;
            if (before)
                continue;
            puan_jw_map(w);
            put_named(w, en->name, en->zh, en->en);
            puan_jw_end(w, '}');
        }
    puan_jw_end(w, ']');
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t f = 0; f < plan->n_forms; f++)
        for (size_t e = 0; e < plan->form[f]->n_entities; e++) {
            const struct puan_entity *en = &plan->form[f]->entity[e];

            for (size_t i = 0; i < en->n_asked; i++) {
                const struct puan_item *it = &en->items[i];
                const char *type = type_name(it->type);

                if (type == NULL || it->zone != PUAN_ZONE_FRAME ||
                    named_before(plan, f, en->name, it))
                    continue;
                puan_jw_map(w);
                put_named(w, it->name, it->zh, it->en);
                puan_jw_kstr(w, "entity", en->name);
                puan_jw_ktext(w, "type", type);
                puan_jw_end(w, '}');
            }
        }
    puan_jw_end(w, ']');
    puan_jw_key(w, "variables");
    puan_jw_list(w);
    for (size_t i = 0; i < plan->n_variables; i++) {
        puan_jw_map(w);
        put_named(w, plan->variable[i].id, plan->variable[i].zh,
                  plan->variable[i].en);
        puan_jw_kstr(w, "entity", plan->variable[i].entity);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_key(w, "levels");
    puan_jw_list(w);
    for (size_t i = 0; i < plan->n_levels; i++) {
        puan_jw_map(w);
        put_named(w, plan->level[i].id, plan->level[i].zh, plan->level[i].en);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}
