/*
 * Routes of the assessment: what is written on a sheet, sheet and ranking.
 */
#include "features/assessment/assessment.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/assessment/internal.h"
#include "features/cases/cases.h"
#include "features/host/host.h"
#include "features/host/request.h"
#include "kit/os/heap.h"

struct state {
    struct puan_arena arena;
    struct puan_score_scheme *scheme;
    _Atomic int64_t cases_ms; /* campaign time: cases are counted again */
};

const struct puan_score_scheme *puan_assess_scheme(struct puan_store *st)
{
    const struct state *x = puan_store_state(st, &puan_feature_assessment);

    return x ? x->scheme : NULL;
}

bool puan_assess_cases_due(struct puan_store *st)
{
    struct state *x = puan_store_state(st, &puan_feature_assessment);
    int64_t now = puan_store_now(st), next = atomic_load(&x->cases_ms);

    if (now < next && next - now <= INT64_C(3600000))
        return false;
    atomic_store(&x->cases_ms, now + INT64_C(3600000));
    return true;
}

static bool has_role(const void *of, struct puan_str id)
{
    return puan_plan_role(of, id) != NULL;
}
static bool has_level(const void *of, struct puan_str id)
{
    return puan_plan_level(of, id) >= 0;
}

static void close_state(void *state, struct puan_store *st)
{
    struct state *x = state;

    (void)st;
    if (x == NULL)
        return;
    puan_arena_clear(&x->arena);
    free(x);
}

static enum puan_status open_state(void **state, struct puan_store *st,
                                   struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(st);
    const struct puan_score_scheme_env env = { has_role, has_level, plan };
    const struct puan_plan_file *f =
        puan_plan_file(plan, PUAN_STR("scoring.yaml"));
    struct state *x = calloc(1, sizeof *x);
    enum puan_status rc = PUAN_OK;

    *state = x;
    if (x == NULL)
        return puan_fail(err, PUAN_ENOMEM, "assessment", "out of memory");
    puan_arena_init(&x->arena, &puan_heap);
    if (f != NULL && f->tree != NULL)
        rc = puan_score_scheme_load(&x->scheme, f->tree, &env, &x->arena, err);
    if (rc != PUAN_OK) {
        close_state(x, st);
        *state = NULL;
    }
    return rc;
}

/* ---- writing --------------------------------------------------------------- */

struct entry_in {
    int64_t area, of;
    struct puan_str count, item, evidence, digest, version, day, until, reason, points;
};

static enum puan_status read_day(int64_t *v, struct puan_str text,
                                 const char *name, struct puan_err *err)
{
    *v = INT64_MIN;
    if (text.n == 0 || puan_day_parse(v, text))
        return PUAN_OK;
    return puan_fail(err, PUAN_EINVAL, name, "write the day as 2020-11-01");
}

static enum puan_status write_kind(struct puan_request *rq,
                                   const struct entry_in *in,
                                   enum puan_score_entry_kind kind,
                                   struct puan_err *err)
{
    struct puan_assess_call call = { rq->store, rq->arena, rq->area, { 0 } };
    struct puan_score_entry *e = &call.entry;
    uint8_t digest[PUAN_DIGEST_SIZE];
    struct puan_act act;
    struct puan_jw *w;

    e->kind = kind;
    e->item = in->item;
    e->evidence = in->evidence;
    e->digest = in->digest;
    e->version = in->version.n ? in->version : PUAN_STR("1");
    e->reason = in->reason;
    e->role = puan_str_of(rq->who.role_name);
    e->person = puan_str_of(rq->who.name);
    e->of = in->of;
    e->count = e->total = INT64_MIN;
    if (in->count.n > 0 &&
        (!puan_int_parse(&e->count, in->count) || e->count < 0))
        return puan_fail(err, PUAN_EINVAL, "count", "write a whole number");
    if (in->digest.n > 0 && !puan_unhex(digest, sizeof digest, in->digest))
        return puan_fail(err, PUAN_EINVAL, "digest",
                         "a digest has 64 hexadecimal digits; POST /evidence "
                         "gives it");
    if (in->digest.n > 0 && !puan_blob_there(rq->store, digest, rq->arena))
        return puan_fail(err, PUAN_EINVAL, "digest",
                         "there is no such paper; POST /evidence takes it and "
                         "gives its digest");
    if (in->points.n > 0 && (!puan_score_halves_parse(&e->halves, in->points) ||
                             e->halves < 0))
        return puan_fail(err, PUAN_EINVAL, "points",
                         "points are counted in halves: 2 or 0.5");
    TRY(read_day(&e->day, in->day, "day", err));
    TRY(read_day(&e->until, in->until, "until", err));
    puan_request_act(&act, rq, in->item);
    act.note = in->reason;
    TRY(puan_assess_write(&act, &call, err));
    w = puan_answer_begin(rq, 201);
    puan_jw_map(w);
    puan_jw_kint(w, "id", call.entry.id);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

#define WRITES(name, KIND)                                                     \
    static enum puan_status name(struct puan_request *rq, const void *v,       \
                                 struct puan_err *err)                         \
    {                                                                          \
        return write_kind(rq, v, KIND, err);                                   \
    }
WRITES(put_evidence, PUAN_SCORE_EVIDENCE)
WRITES(put_score, PUAN_SCORE_GIVEN)
WRITES(put_bonus, PUAN_SCORE_BONUS)
WRITES(put_confirm, PUAN_SCORE_CONFIRM)
WRITES(put_veto, PUAN_SCORE_VETO)
WRITES(put_lift, PUAN_SCORE_LIFT)
WRITES(put_publish, PUAN_SCORE_PUBLISH)
WRITES(put_appeal, PUAN_SCORE_APPEAL)
WRITES(put_answer, PUAN_SCORE_ANSWER)

/* ---- reading ---------------------------------------------------------------- */

struct read {
    struct puan_request *rq;
    const struct puan_score_scheme *scheme;
    struct puan_score_entry *entry;
    size_t n;
    struct puan_score_sheet sheet;
    int64_t today;
};

static void put_halves(struct puan_jw *w, const char *key, int halves)
{
    char text[16];

    puan_score_halves_text(text, halves);
    puan_jw_ktext(w, key, text);
}
static void put_day(struct puan_jw *w, const char *key, int64_t v)
{
    char text[11] = "";

    if (v != INT64_MIN)
        puan_day_text(text, v);
    puan_jw_ktext(w, key, text);
}
static void put_number(struct puan_jw *w, const char *key, int64_t v)
{
    puan_jw_key(w, key);
    if (v == INT64_MIN)
        puan_jw_null(w);
    else
        puan_jw_int(w, v);
}

static void put_entry(struct puan_jw *w, const struct read *x,
                      const struct puan_score_entry *e)
{
    puan_jw_map(w);
    puan_jw_kint(w, "id", e->id);
    puan_jw_ktext(w, "kind", puan_score_entry_word[e->kind]);
    puan_jw_kinstant(w, "at", e->at_ms,
                     puan_store_plan(x->rq->store)->offset_minutes);
    puan_jw_kstr(w, "role", e->role);
    puan_jw_kstr(w, "person", e->person);
    puan_jw_kstr(w, "item", e->item);
    puan_jw_kstr(w, "reason", e->reason);
    puan_jw_kstr(w, "digest", e->digest);
    puan_jw_kstr(w, "ref", e->ref);
    puan_jw_kint(w, "of", e->of);
    put_halves(w, "points", e->halves);
    put_number(w, "count", e->count);
    put_number(w, "total", e->total);
    puan_jw_end(w, '}');
}

static void put_totals(struct puan_jw *w, const struct read *x)
{
    const struct puan_score_sheet *t = &x->sheet;
    const struct puan_score_entry *veto =
        t->veto_score ? t->veto_score : t->veto_award;

    put_halves(w, "points", t->points);
    put_halves(w, "full", x->scheme->halves);
    put_halves(w, "result", t->result);
    put_halves(w, "bonus", t->bonus);
    put_halves(w, "bonus_open", t->bonus_open);
    puan_jw_kint(w, "scored", (int64_t)t->scored);
    puan_jw_kint(w, "items", (int64_t)x->scheme->n_items);
    puan_jw_kint(w, "weak", (int64_t)t->weak);
    puan_jw_kint(w, "appeals_open", (int64_t)t->appeals_open);
    puan_jw_kbool(w, "agrees", t->agrees);
    puan_jw_kbool(w, "award", puan_score_sheet_award(t, x->scheme));
    puan_jw_key(w, "stated");
    if (t->published) {
        char text[16];

        puan_score_halves_text(text, t->published->halves);
        puan_jw_text(w, text);
        puan_jw_kinstant(w, "appeal_until",
                         t->published->at_ms + x->scheme->appeal_ms,
                         puan_store_plan(x->rq->store)->offset_minutes);
    } else {
        puan_jw_null(w);
    }
    puan_jw_ktext(w, "veto", t->veto_score ? "score"
                             : veto        ? "award"
                                           : "");
    if (veto != NULL) {
        int v = puan_score_scheme_veto(x->scheme, veto->item);

        puan_jw_kstr(w, "veto_zh", v < 0 ? veto->item : x->scheme->veto[v].zh);
        puan_jw_kstr(w, "veto_en", v < 0 ? veto->item : x->scheme->veto[v].en);
        puan_jw_kstr(w, "veto_ref", veto->ref);
    }
}

static enum puan_status read_sheet(struct read *x, struct puan_request *rq,
                                   int64_t area, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_db *db = NULL;
    enum puan_status st;

    x->rq = rq;
    x->scheme = puan_assess_scheme(rq->store);
    x->today = puan_instant_day(rq->now, plan->offset_minutes);
    if (x->scheme == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "assessment",
                         "this plan has no scheme of points");
    TRY(puan_read_begin(&db, office, err));
    st = puan_assess_read(&x->entry, &x->n, plan, db, area, rq->arena, err);
    puan_read_end(office, db);
    TRY(st);
    puan_score_sheet_make(&x->sheet, x->scheme, x->entry, x->n, x->today);
    return PUAN_OK;
}

static void put_papers(struct puan_jw *w, const struct read *x,
                       const struct puan_score_item *it)
{
    puan_jw_key(w, "papers");
    puan_jw_list(w);
    for (size_t k = 0; k < it->n_kinds; k++) {
        const struct puan_score_entry *e = NULL;
        enum puan_paper_state p = puan_score_paper(&e, it, &it->kind[k],
                                                   x->entry, x->n, x->today);

        puan_jw_map(w);
        puan_jw_kstr(w, "id", it->kind[k].id);
        puan_jw_kstr(w, "zh", it->kind[k].zh);
        puan_jw_kstr(w, "en", it->kind[k].en);
        put_day(w, "due", it->kind[k].due);
        put_number(w, "least", it->kind[k].least);
        puan_jw_ktext(w, "state", puan_paper_word[p]);
        puan_jw_kstr(w, "digest", e ? e->digest : PUAN_STR(""));
        puan_jw_kstr(w, "version", e ? e->version : PUAN_STR(""));
        put_day(w, "day", e ? e->day : INT64_MIN);
        put_day(w, "until", e ? e->until : INT64_MIN);
        put_number(w, "count", e ? e->count : INT64_MIN);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

static bool mine(const struct read *x, const struct puan_score_section *s)
{
    for (size_t g = 0; g < x->scheme->n_groups; g++)
        if ((s->groups >> g & 1) &&
            puan_str_is(x->scheme->group[g].role, x->rq->who.role_name))
            return true;
    return false;
}

/* Cases that stand against full points. */
static void put_cases(struct puan_jw *w, const struct read *x,
                      const struct puan_score_item *it)
{
    puan_jw_key(w, "cases");
    puan_jw_list(w);
    for (size_t i = 0; i < x->n; i++)
        if (x->entry[i].kind == PUAN_SCORE_AGAINST &&
            puan_str_eq(x->entry[i].item, it->id))
            puan_jw_str(w, x->entry[i].ref);
    puan_jw_end(w, ']');
}

static void put_item(struct puan_jw *w, const struct read *x, size_t i)
{
    const struct puan_score_item *it = &x->scheme->item[i];
    const struct puan_score_line *l = &x->sheet.line[i];

    puan_jw_map(w);
    puan_jw_kstr(w, "id", it->id);
    puan_jw_kstr(w, "zh", it->zh);
    puan_jw_kstr(w, "en", it->en);
    put_halves(w, "full", it->halves);
    put_halves(w, "points", l->halves);
    puan_jw_kbool(w, "scored", l->scored);
    puan_jw_kbool(w, "weak", l->weak);
    puan_jw_kbool(w, "measured", it->measured);
    puan_jw_kbool(w, "result", it->result);
    puan_jw_kstr(w, "metric", it->metric);
    puan_jw_kstr(w, "of", it->total);
    put_papers(w, x, it);
    put_cases(w, x, it);
    puan_jw_key(w, "by");
    if (l->by != NULL)
        put_entry(w, x, l->by);
    else
        puan_jw_null(w);
    puan_jw_end(w, '}');
}

/* The vetoes of the scheme; `mine`: this seat may set it. */
static void put_vetoes(struct puan_jw *w, const struct read *x)
{
    puan_jw_key(w, "vetoes");
    puan_jw_list(w);
    for (size_t i = 0; i < x->scheme->n_vetoes; i++) {
        const struct puan_score_veto *v = &x->scheme->veto[i];
        bool mine = false;

        PUAN_NODE_EACH(c, v->by)
            mine = mine || puan_str_is(c->text, x->rq->who.role_name);
        puan_jw_map(w);
        puan_jw_kstr(w, "id", v->id);
        puan_jw_kstr(w, "zh", v->zh);
        puan_jw_kstr(w, "en", v->en);
        puan_jw_ktext(w, "effect",
                      v->effect == PUAN_VETO_SCORE ? "score" : "award");
        puan_jw_kbool(w, "mine", mine);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

static enum puan_status sheet(struct puan_request *rq, const void *v,
                              struct puan_err *err)
{
    struct read *x = puan_new(rq->arena, struct read);
    struct puan_jw *w;

    (void)v;
    if (x == NULL)
        return puan_arena_check(rq->arena, err);
    TRY(read_sheet(x, rq, rq->area, err));
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kcode(w, "area", rq->area);
    puan_jw_kstr(w, "scheme", x->scheme->id);
    puan_jw_kstr(w, "zh", x->scheme->zh);
    puan_jw_kstr(w, "en", x->scheme->en);
    put_totals(w, x);
    puan_jw_key(w, "sections");
    puan_jw_list(w);
    for (size_t s = 0; s < x->scheme->n_sections; s++) {
        const struct puan_score_section *sec = &x->scheme->section[s];

        puan_jw_map(w);
        puan_jw_kstr(w, "id", sec->id);
        puan_jw_kstr(w, "zh", sec->zh);
        puan_jw_kstr(w, "en", sec->en);
        put_halves(w, "full", sec->halves);
        put_halves(w, "points", x->sheet.section[s]);
        puan_jw_kstr(w, "rules_zh", sec->rules_zh);
        puan_jw_kstr(w, "rules_en", sec->rules_en);
        puan_jw_kstr(w, "rules_version", sec->rules_version);
        puan_jw_kbool(w, "mine", mine(x, sec));
        puan_jw_key(w, "groups");
        puan_jw_list(w);
        for (size_t g = 0; g < x->scheme->n_groups; g++) {
            if (!(sec->groups >> g & 1))
                continue;
            puan_jw_map(w);
            puan_jw_kstr(w, "zh", x->scheme->group[g].zh);
            puan_jw_kstr(w, "en", x->scheme->group[g].en);
            puan_jw_end(w, '}');
        }
        puan_jw_end(w, ']');
        puan_jw_key(w, "items");
        puan_jw_list(w);
        for (size_t i = sec->first; i < sec->first + sec->n; i++)
            put_item(w, x, i);
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    put_vetoes(w, x);
    puan_jw_key(w, "entries"); /* what is no score of an item */
    puan_jw_list(w);
    for (size_t i = 0; i < x->n; i++)
        if (x->entry[i].kind != PUAN_SCORE_EVIDENCE &&
            x->entry[i].kind != PUAN_SCORE_GIVEN &&
            x->entry[i].kind != PUAN_SCORE_MEASURED &&
            x->entry[i].kind != PUAN_SCORE_AGAINST)
            put_entry(w, x, &x->entry[i]);
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

#define OFFICES 512

/* Every assessed office inside the area, with its place among all of them. */
static enum puan_status ranking(struct puan_request *rq, const void *v,
                                struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(rq->store);
    const struct puan_score_scheme *s = puan_assess_scheme(rq->store);
    int level = s ? puan_area_level_of(t, s->level) : -1;
    struct read **all =
        (struct read **)puan_arena_get_n(rq->arena, OFFICES, sizeof(void *));
    const struct puan_score_sheet **sheets =
        (const struct puan_score_sheet **)puan_arena_get_n(rq->arena, OFFICES,
                                                           sizeof(void *));
    uint32_t *at = puan_new_n(rq->arena, OFFICES, uint32_t);
    struct puan_jw *w;
    size_t n = 0;

    (void)v;
    if (s == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "assessment",
                         "this plan has no scheme of points");
    if (all == NULL || sheets == NULL || at == NULL)
        return puan_arena_check(rq->arena, err);
    for (uint32_t i = 0; level >= 0 && i < t->n && n < OFFICES; i++) {
        if (t->area[i].level != (uint8_t)level ||
            !puan_area_covers(rq->store, rq->area, t->area[i].code))
            continue;
        all[n] = puan_new(rq->arena, struct read);
        if (all[n] == NULL)
            return puan_arena_check(rq->arena, err);
        TRY(read_sheet(all[n], rq, t->area[i].code, err));
        sheets[n] = &all[n]->sheet;
        at[n++] = i;
    }
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kstr(w, "scheme", s->id);
    puan_jw_kstr(w, "zh", s->zh);
    puan_jw_kstr(w, "en", s->en);
    puan_jw_kstr(w, "level", s->level);
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t i = 0; i < n; i++) {
        puan_jw_map(w);
        puan_jw_kcode(w, "area", t->area[at[i]].code);
        puan_jw_kstr(w, "area_zh", t->area[at[i]].zh);
        puan_jw_kstr(w, "area_en", t->area[at[i]].en);
        puan_jw_kint(w, "rank", (int64_t)puan_score_sheet_rank(sheets, n, i));
        put_totals(w, all[i]);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- tables ------------------------------------------------------------------ */

#define TEXT(name, most, opt)                                                  \
    { #name, PUAN_PARAM_TEXT, offsetof(struct entry_in, name), 1, most, opt }
#define AREA                                                                   \
    { "area", PUAN_PARAM_AREA, offsetof(struct entry_in, area), 0, 0, true }
#define OF { "of", PUAN_PARAM_INT, offsetof(struct entry_in, of), 1, INT64_MAX }

static const struct puan_param area_params[] = { AREA };
static const struct puan_param evidence_params[] = {
    AREA,
    TEXT(item, 40, false),
    TEXT(evidence, 40, false),
    TEXT(digest, 64, false),
    TEXT(version, 40, true),
    TEXT(day, 10, false),
    TEXT(until, 10, true),
    TEXT(count, 12, true),
};
static const struct puan_param score_params[] = {
    AREA, TEXT(item, 40, false), TEXT(points, 8, true), TEXT(reason, 1000, true),
    TEXT(digest, 64, true),
};
static const struct puan_param bonus_params[] = {
    AREA, TEXT(points, 8, false), TEXT(reason, 1000, false),
    TEXT(digest, 64, false),
};
static const struct puan_param veto_params[] = {
    AREA, TEXT(item, 40, false), TEXT(reason, 1000, false),
    TEXT(digest, 64, false),
};
static const struct puan_param of_params[] = { AREA, OF };
static const struct puan_param lift_params[] = { AREA, OF,
                                                 TEXT(reason, 1000, false) };
static const struct puan_param answer_params[] = {
    AREA, OF, TEXT(points, 8, true), TEXT(reason, 1000, false)
};
static const struct puan_param publish_params[] = { AREA,
                                                    TEXT(points, 8, false) };

#define ROW(m, p, cap, v, sum, fn, par)                                        \
    { .method = m, .path = "/c/{campaign}/assessment" p, .capability = cap,    \
      .scope = PUAN_SCOPE_AREA, .verb = v, .summary = sum, .handle = fn,       \
      PUAN_PARAMS(par, struct entry_in) }

static const struct puan_route routes[] = {
    ROW(PUAN_GET, "", "assess.view", "", "Assessed offices and their ranking",
        ranking, area_params),
    ROW(PUAN_GET, "/sheet", "assess.view", "", "Assessment sheet of an office",
        sheet, area_params),
    ROW(PUAN_POST, "/evidence", "assess.paper", "assess.evidence",
        "Add evidence to an item", put_evidence, evidence_params),
    ROW(PUAN_POST, "/score", "assess.score", "assess.score",
        "Score an item: what is deducted, why, on what evidence", put_score,
        score_params),
    ROW(PUAN_POST, "/bonus", "assess.appeal", "assess.bonus",
        "Ask for a bonus", put_bonus, bonus_params),
    ROW(PUAN_POST, "/confirm", "assess.decide", "assess.confirm",
        "Confirm a bonus", put_confirm, of_params),
    ROW(PUAN_POST, "/veto", "assess.veto", "assess.veto", "Set a veto",
        put_veto, veto_params),
    ROW(PUAN_POST, "/lift", "assess.decide", "assess.lift", "Lift a veto",
        put_lift, lift_params),
    ROW(PUAN_POST, "/publish", "assess.decide", "assess.publish",
        "Publish the total", put_publish, publish_params),
    ROW(PUAN_POST, "/appeal", "assess.appeal", "assess.appeal",
        "Appeal against the score of an item", put_appeal, score_params),
    ROW(PUAN_POST, "/answer", "assess.decide", "assess.answer",
        "Answer an appeal", put_answer, answer_params),
};

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE assess_entry(id BIGINT PRIMARY KEY, area BIGINT NOT NULL,"
      " at BIGINT NOT NULL, kind TEXT NOT NULL, role TEXT NOT NULL,"
      " person TEXT NOT NULL, body TEXT NOT NULL);"
      "CREATE INDEX assess_entry_area ON assess_entry(area, id);" },
};

static const struct puan_covered covered[] = {
    { PUAN_STORE_OFFICE, "assess_entry",
      "SELECT CAST(id AS TEXT), area, at, kind, role, person, body"
      " FROM assess_entry" },
};

static const struct puan_job jobs[] = { { "assessment", 60000,
                                          puan_assess_job } };

const struct puan_feature puan_feature_assessment = {
    .name = "assessment",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .jobs = jobs,
    .n_jobs = PUAN_COUNT(jobs),
    .open = open_state,
    .close = close_state,
    .covered = covered,
    .n_covered = PUAN_COUNT(covered),
};
