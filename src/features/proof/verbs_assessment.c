/*
 * Sheets of the assessment in plays: what is written on them and what they
 * add up to.  doc/proof.md lists the verbs.
 */
#include "core/score/score.h"
#include "features/proof/internal.h"

#define ENTRIES 256
#define SHEETS 4

struct sheet {
    int64_t area;
    struct puan_score_entry entry[ENTRIES];
    struct puan_str name[ENTRIES];
    size_t n;
};
struct sheets {
    struct puan_score_scheme *scheme;
    struct sheet *at[SHEETS];
    size_t n;
};
static const char key;

static bool has_role(const void *of, struct puan_str id)
{
    return puan_plan_role(of, id) != NULL;
}
static bool has_level(const void *of, struct puan_str id)
{
    return puan_plan_level(of, id) >= 0;
}

static enum puan_status scheme_of(struct puan_score_scheme **out,
                                  const struct puan_world *w,
                                  const struct puan_node *tree,
                                  struct puan_err *err)
{
    const struct puan_score_scheme_env env = { has_role, has_level, w->stage->plan };

    return puan_score_scheme_load(out, tree, &env, w->arena, err);
}

static enum puan_status file_of(const struct puan_node **tree,
                                const struct puan_world *w,
                                const struct puan_node *step,
                                struct puan_err *err)
{
    const struct puan_plan_file *f =
        puan_plan_file(w->stage->plan, PUAN_STR("scoring.yaml"));

    if (f == NULL || f->tree == NULL)
        return puan_node_fail(step, err, "the plan has no scoring.yaml");
    *tree = f->tree;
    return PUAN_OK;
}

static enum puan_status open_sheets(struct sheets **out, struct puan_world *w,
                                    const struct puan_node *step,
                                    struct puan_err *err)
{
    struct sheets *x = puan_world_state(w, &key, sizeof *x);
    const struct puan_node *tree = NULL;

    *out = x;
    if (x == NULL)
        return puan_arena_check(w->arena, err);
    if (x->scheme != NULL)
        return PUAN_OK;
    TRY(file_of(&tree, w, step, err));
    return scheme_of(&x->scheme, w, tree, err);
}

static enum puan_status sheet_at(struct sheet **out, struct sheets *x,
                                 struct puan_world *w, int64_t area,
                                 struct puan_err *err)
{
    for (size_t i = 0; i < x->n; i++)
        if (x->at[i]->area == area) {
            *out = x->at[i];
            return PUAN_OK;
        }
    if (x->n == SHEETS)
        return puan_fail(err, PUAN_ELIMIT, "sheet", "more than %d sheets",
                         SHEETS);
    *out = x->at[x->n] = puan_new(w->arena, struct sheet);
    if (*out == NULL)
        return puan_arena_check(w->arena, err);
    x->at[x->n++]->area = area;
    return PUAN_OK;
}

static enum puan_status area_of(int64_t *area, const struct puan_world *w,
                                const struct puan_node *step,
                                struct puan_err *err)
{
    const struct puan_node *on = puan_node_get(step, "area");

    *area = w->area;
    if (on == NULL ||
        (puan_int_parse(area, on->text) && puan_world_level(w, *area) >= 0))
        return PUAN_OK;
    return puan_node_fail(on, err, "`area` is the code of an area");
}

static enum puan_status number(int64_t *v, const struct puan_node *step,
                               const char *name, struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(step, name);

    *v = INT64_MIN;
    if (n == NULL || puan_str_is(n->text, "unknown") ||
        puan_int_parse(v, n->text))
        return PUAN_OK;
    return puan_node_fail(n, err, "`%s` is a whole number or unknown", name);
}

static enum puan_status day_of(int64_t *v, const struct puan_node *step,
                               const char *name, int64_t dflt,
                               struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(step, name);

    *v = dflt;
    if (n == NULL || puan_day_parse(v, n->text))
        return PUAN_OK;
    return puan_node_fail(n, err, "`%s` is a day", name);
}

/* The entry whose play calls it so. */
static int64_t named(const struct sheet *s, struct puan_str name)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->name[i].n > 0 && puan_str_eq(s->name[i], name))
            return s->entry[i].id;
    return -1;
}

static const struct {
    const char *verb, *capability;
    enum puan_score_entry_kind kind;
} row[] = {
    { "paper", "assess.paper", PUAN_SCORE_EVIDENCE },
    { "grade", "assess.score", PUAN_SCORE_GIVEN },
    { "gauge", "assess.score", PUAN_SCORE_MEASURED },
    { "bonus", "assess.appeal", PUAN_SCORE_BONUS },
    { "confirm", "assess.decide", PUAN_SCORE_CONFIRM },
    { "veto", "assess.veto", PUAN_SCORE_VETO },
    { "lift", "assess.decide", PUAN_SCORE_LIFT },
    { "publish", "assess.decide", PUAN_SCORE_PUBLISH },
    { "appeal", "assess.appeal", PUAN_SCORE_APPEAL },
    { "answer", "assess.decide", PUAN_SCORE_ANSWER },
};

static enum puan_status read_entry(struct puan_score_entry *e, size_t r,
                                   const struct sheet *s,
                                   const struct puan_world *w,
                                   const struct puan_node *step,
                                   struct puan_err *err)
{
    const struct puan_node *what = puan_node_get(step, row[r].verb);
    const struct puan_node *deduct = puan_node_get(step, "deduct");
    int offset = w->stage->plan->offset_minutes;

    e->kind = row[r].kind;
    e->at_ms = w->now;
    e->offset_minutes = offset;
    e->id = (int64_t)s->n + 1;
    e->reason = puan_node_str_opt(step, "reason", "");
    e->version = puan_node_str_opt(step, "version", "1");
    e->item = what->text;
    if (puan_node_get(step, "shown") != NULL || e->kind == PUAN_SCORE_EVIDENCE)
        e->digest = PUAN_STR("digest");
    TRY(day_of(&e->day, step, "day", puan_instant_day(w->now, offset), err));
    TRY(day_of(&e->until, step, "until", INT64_MIN, err));
    TRY(number(&e->count, step,
               e->kind == PUAN_SCORE_MEASURED ? "sees" : "count", err));
    TRY(number(&e->total, step, "total", err));
    if (deduct != NULL && !puan_score_halves_parse(&e->halves, deduct->text))
        return puan_node_fail(deduct, err, "`deduct` is counted in halves");
    switch (e->kind) {
    case PUAN_SCORE_EVIDENCE:
        e->evidence = what->text;
        return puan_node_str(&e->item, step, "item", err);
    case PUAN_SCORE_BONUS:
    case PUAN_SCORE_PUBLISH:
        e->item = PUAN_STR("");
        return puan_score_halves_parse(&e->halves, what->text)
                   ? PUAN_OK
                   : puan_node_fail(what, err, "points are counted in halves");
    case PUAN_SCORE_CONFIRM:
    case PUAN_SCORE_LIFT:
    case PUAN_SCORE_ANSWER:
        e->item = PUAN_STR("");
        e->of = named(s, what->text);
        return PUAN_OK;
    case PUAN_SCORE_GIVEN:
    case PUAN_SCORE_MEASURED:
    case PUAN_SCORE_VETO:
    case PUAN_SCORE_APPEAL:
    case PUAN_SCORE_AGAINST:
    case PUAN_SCORE_KINDS: break;
    }
    return PUAN_OK;
}

/* Takes the entry down when it is accepted. */
static enum puan_status put(struct sheets *x, struct sheet *s,
                            const struct puan_score_entry *e,
                            struct puan_str name, struct puan_err *why)
{
    TRY(puan_score_accept(x->scheme, s->entry, s->n, e, why));
    if (s->n == ENTRIES)
        return puan_fail(why, PUAN_ELIMIT, "sheet", "more than %d entries",
                         ENTRIES);
    s->entry[s->n] = *e;
    s->name[s->n++] = name;
    return PUAN_OK;
}

static struct puan_str level_of(const struct puan_world *w, int64_t area)
{
    int level = puan_world_level(w, area);

    return level < 0 ? PUAN_STR("") : w->stage->plan->level[level].id;
}

static enum puan_status write_entry(struct puan_world *w,
                                    const struct puan_node *step,
                                    struct puan_err *err)
{
    struct puan_score_entry e = { 0 };
    const struct puan_role *role = NULL;
    struct puan_err why = { 0 };
    struct puan_flow_who who;
    struct sheets *x = NULL;
    struct sheet *s = NULL;
    enum puan_status st;
    int64_t area;
    size_t r = 0;

    while (puan_node_get(step, row[r].verb) == NULL)
        r++;
    TRY(open_sheets(&x, w, step, err));
    TRY(area_of(&area, w, step, err));
    TRY(sheet_at(&s, x, w, area, err));
    TRY(puan_world_who(&who, &role, w, step, area, err));
    TRY(read_entry(&e, r, s, w, step, err));
    e.role = who.role;
    e.person = who.actor;
    e.level = level_of(w, area);
    if (role != NULL &&
        !puan_role_can(role, puan_str_of(row[r].capability)))
        st = puan_fail(&why, PUAN_EDENIED, "seat",
                       "the role \"%.*s\" has no capability %s",
                       PUAN_FMT(role->id), row[r].capability);
    else
        st = put(x, s, &e, puan_node_str_opt(step, "name", ""), &why);
    return puan_world_came(w, step, st, &why, err);
}

/* A case with that field has been confirmed: the system sets the veto. */
static enum puan_status case_veto(struct puan_world *w,
                                  const struct puan_node *step,
                                  struct puan_err *err)
{
    struct puan_score_entry e = { .kind = PUAN_SCORE_VETO,
                                  .role = PUAN_STR("system"),
                                  .person = PUAN_STR("puan"),
                                  .ref = PUAN_STR("case/1"),
                                  .until = INT64_MIN };
    struct puan_err why = { 0 };
    struct puan_str flow, field, value, sets;
    struct sheets *x = NULL;
    struct sheet *s = NULL;
    int64_t area;
    int v;

    TRY(open_sheets(&x, w, step, err));
    TRY(area_of(&area, w, step, err));
    TRY(sheet_at(&s, x, w, area, err));
    TRY(puan_node_str(&flow, step, "case_veto", err));
    TRY(puan_node_str(&field, step, "field", err));
    TRY(puan_node_str(&value, step, "value", err));
    TRY(puan_node_str(&sets, step, "sets", err));
    v = puan_score_scheme_case_veto(x->scheme, flow, field, value);
    puan_world_found(w, v >= 0);
    if (!puan_str_eq(sets, v >= 0 ? x->scheme->veto[v].id : PUAN_STR("none")))
        return puan_node_fail(step, err, "the case sets %.*s",
                              PUAN_FMT(v >= 0 ? x->scheme->veto[v].id
                                              : PUAN_STR("none")));
    if (v < 0)
        return PUAN_OK;
    e.id = (int64_t)s->n + 1;
    e.at_ms = w->now;
    e.item = x->scheme->veto[v].id;
    e.level = level_of(w, area);
    return puan_world_came(
        w, step, put(x, s, &e, puan_node_str_opt(step, "name", ""), &why), &why,
        err);
}

/* The cases of the play, as they stand, against full points of an item. */
static enum puan_status cases_against(struct puan_world *w,
                                      const struct puan_node *step,
                                      struct puan_err *err)
{
    struct sheets *x = NULL;
    struct sheet *s = NULL;
    struct puan_err why = { 0 };
    int64_t area, wanted = 0, found = 0;
    int item;

    TRY(open_sheets(&x, w, step, err));
    TRY(area_of(&area, w, step, err));
    TRY(sheet_at(&s, x, w, area, err));
    item = puan_score_scheme_item(x->scheme,
                                  puan_node_str_opt(step, "against", ""));
    if (item < 0)
        return puan_node_fail(step, err, "the scheme has no such item");
    TRY(number(&wanted, step, "cases", err));
    for (int i = 0; i < w->n; i++) {
        const struct puan_flow_run *run = &w->at[i]->run;
        struct puan_score_entry e = { .kind = PUAN_SCORE_AGAINST,
                                      .role = PUAN_STR("system"),
                                      .person = PUAN_STR("puan"),
                                      .item = x->scheme->item[item].id,
                                      .until = INT64_MIN };

        if (run->drill || !puan_world_holds(w, area, run->area) ||
            !puan_score_scheme_against(x->scheme, (size_t)item,
                                       run->flow->label.name,
                                       run->flow->states[run->state].name))
            continue;
        found++;
        e.id = (int64_t)s->n + 1;
        e.at_ms = w->now;
        e.level = level_of(w, area);
        e.ref = puan_str_of(puan_arena_fmt(w->arena, "case/%d", i + 1));
        if (put(x, s, &e, PUAN_STR(""), &why) != PUAN_OK &&
            why.code != PUAN_ECONFLICT)
            return puan_node_fail(step, err, "%s", why.text);
    }
    puan_world_found(w, found > 0);
    return found == wanted ? PUAN_OK
                           : puan_node_fail(step, err,
                                            "%lld cases stand against it",
                                            (long long)found);
}

/* A scheme with one part changed or taken out is refused. */
static enum puan_status broken(struct puan_world *w,
                               const struct puan_node *step,
                               struct puan_err *err)
{
    const struct puan_node *because = puan_node_get(step, "because");
    struct puan_rest rest = { .at = step };
    const struct puan_node *tree = NULL;
    struct puan_score_scheme *s = NULL;
    struct puan_node *other = NULL;
    struct puan_err why = { 0 };
    enum puan_status st;

    TRY(file_of(&tree, w, step, err));
    TRY(scheme_of(&s, w, tree, err)); /* as it stands it is taken */
    TRY(puan_node_str(&rest.path, step, "scheme", err));
    rest.set = puan_node_str_opt(step, "is", "");
    TRY(puan_node_without(&other, tree, &rest, w->arena, err));
    st = scheme_of(&s, w, other, &why);
    if (because == NULL) {
        if (st != PUAN_OK)
            return puan_node_fail(step, err, "is refused: %s", why.text);
        w->played.allowed++;
        return PUAN_OK;
    }
    if (st == PUAN_OK)
        return puan_node_fail(step, err, "such a scheme is taken");
    if (!puan_str_holds(puan_str_of(why.text), because->text))
        return puan_node_fail(because, err, "is refused because: %s", why.text);
    w->played.refused++;
    return PUAN_OK;
}

/* ---- what stands there ---------------------------------------------------------- */

static struct puan_str half(const struct puan_world *w, int halves)
{
    char text[16];

    puan_score_halves_text(text, halves);
    return puan_str_of(puan_arena_dup(w->arena, puan_str_of(text)));
}
static struct puan_str whole(const struct puan_world *w, size_t n)
{
    return puan_str_of(puan_arena_fmt(w->arena, "%zu", n));
}

static enum puan_status same(const struct puan_node *c, struct puan_str is,
                             struct puan_err *err)
{
    if (puan_str_eq(c->text, is))
        return PUAN_OK;
    return puan_node_fail(c, err, "%.*s is %.*s", PUAN_FMT(c->key),
                          PUAN_FMT(is));
}

static enum puan_status sections(const struct puan_node *c,
                                 const struct puan_score_scheme *s,
                                 const struct puan_world *w,
                                 struct puan_err *err)
{
    size_t i = 0;

    if (c->n != s->n_sections)
        return puan_node_fail(c, err, "the scheme has %zu sections",
                              s->n_sections);
    PUAN_NODE_EACH(v, c) {
        if (!puan_str_eq(v->text, half(w, s->section[i].halves)))
            return puan_node_fail(v, err, "section %zu has %.*s", i + 1,
                                  PUAN_FMT(half(w, s->section[i].halves)));
        i++;
    }
    return PUAN_OK;
}

/* What the word of an expectation is now; false: no such word. */
static bool shown(struct puan_str *is, const char *word, const struct sheets *x,
                  const struct puan_score_sheet *t, int item,
                  const struct puan_world *w)
{
    const struct puan_score_scheme *s = x->scheme;
    const struct puan_score_item *it = item < 0 ? NULL : &s->item[item];
    const struct puan_score_entry *veto =
        t->veto_score ? t->veto_score : t->veto_award;
    struct puan_str k = puan_str_of(word), yes = PUAN_STR("true"),
                    no = PUAN_STR("false");

    if (puan_str_is(k, "scored"))
        *is = whole(w, t->scored);
    else if (puan_str_is(k, "weak"))
        *is = whole(w, t->weak);
    else if (puan_str_is(k, "total"))
        *is = half(w, t->points);
    else if (puan_str_is(k, "full"))
        *is = half(w, s->halves);
    else if (puan_str_is(k, "result"))
        *is = half(w, t->result);
    else if (puan_str_is(k, "bonus"))
        *is = half(w, t->bonus);
    else if (puan_str_is(k, "bonus_open"))
        *is = half(w, t->bonus_open);
    else if (puan_str_is(k, "agrees"))
        *is = t->agrees ? yes : no;
    else if (puan_str_is(k, "award"))
        *is = puan_score_sheet_award(t, s) ? yes : no;
    else if (puan_str_is(k, "veto"))
        *is = veto ? veto->item : PUAN_STR("none");
    else if (it == NULL)
        return false;
    else if (puan_str_is(k, "item"))
        *is = it->id;
    else if (puan_str_is(k, "points"))
        *is = half(w, t->line[item].halves);
    else if (puan_str_is(k, "graded"))
        *is = t->line[item].scored ? yes : no;
    else if (puan_str_is(k, "papers"))
        *is = whole(w, t->line[item].good);
    else if (puan_str_is(k, "mode"))
        *is = it->measured ? PUAN_STR("measured") : PUAN_STR("judged");
    else if (puan_str_is(k, "of"))
        *is = it->result ? PUAN_STR("result") : PUAN_STR("process");
    else if (puan_str_is(k, "rules"))
        *is = s->section[it->section].rules_version;
    else
        return false;
    return true;
}

static enum puan_status look(struct puan_world *w, const struct puan_node *step,
                             struct puan_err *err)
{
    const struct puan_node *says = puan_node_get(step, "sheet");
    const struct puan_node *item = puan_node_get(says, "item");
    struct puan_score_sheet *t = puan_new(w->arena, struct puan_score_sheet);
    struct sheets *x = NULL;
    struct sheet *s = NULL;
    int64_t area;
    int at;

    if (t == NULL)
        return puan_arena_check(w->arena, err);
    TRY(open_sheets(&x, w, step, err));
    TRY(area_of(&area, w, step, err));
    TRY(sheet_at(&s, x, w, area, err));
    puan_score_sheet_make(t, x->scheme, s->entry, s->n,
                    puan_instant_day(w->now, w->stage->plan->offset_minutes));
    at = item ? puan_score_scheme_item(x->scheme, item->text) : -1;
    PUAN_NODE_EACH(c, says) {
        struct puan_str is;

        if (puan_str_is(c->key, "sections")) {
            TRY(sections(c, x->scheme, w, err));
            continue;
        }
        if (!shown(&is, puan_arena_dup(w->arena, c->key), x, t, at, w))
            return puan_node_fail(c, err, "a sheet shows no \"%.*s\"",
                                  PUAN_FMT(c->key));
        TRY(same(c, is, err));
    }
    return PUAN_OK;
}

static enum puan_status ranking(struct puan_world *w,
                                const struct puan_node *step,
                                struct puan_err *err)
{
    const struct puan_node *order = puan_node_get(step, "ranking");
    const struct puan_node *awards = puan_node_get(step, "awards");
    const struct puan_score_sheet *all[SHEETS];
    struct sheets *x = NULL;
    size_t barred = 0, place = 0;

    TRY(open_sheets(&x, w, step, err));
    for (size_t i = 0; i < x->n; i++) {
        struct puan_score_sheet *t = puan_new(w->arena, struct puan_score_sheet);

        if (t == NULL)
            return puan_arena_check(w->arena, err);
        puan_score_sheet_make(
            t, x->scheme, x->at[i]->entry, x->at[i]->n,
            puan_instant_day(w->now, w->stage->plan->offset_minutes));
        all[i] = t;
    }
    PUAN_NODE_EACH(c, order) {
        int64_t area = 0;
        size_t i = 0;

        (void)puan_int_parse(&area, c->text);
        while (i < x->n && x->at[i]->area != area)
            i++;
        if (i == x->n || puan_score_sheet_rank(all, x->n, i) != ++place)
            return puan_node_fail(c, err, "does not stand in place %zu", place);
    }
    for (size_t i = 0; i < x->n; i++) {
        bool wanted = false;

        PUAN_NODE_EACH(c, awards)
            wanted = wanted || puan_str_eq(c->text, whole(w, (size_t)
                                                              x->at[i]->area));
        if (puan_score_sheet_award(all[i], x->scheme) != wanted)
            return puan_node_fail(awards ? awards : step, err,
                                  "%lld should %sstand on the list for awards",
                                  (long long)x->at[i]->area,
                                  wanted ? "" : "not ");
        barred += !wanted;
    }
    puan_world_found(w, barred > 0);
    return PUAN_OK;
}

const struct puan_verb puan_proof_assessment[] = {
    { "paper", "item area version day until count", write_entry },
    { "grade", "area deduct reason shown", write_entry },
    { "gauge", "area sees total", write_entry },
    { "bonus", "area reason shown name", write_entry },
    { "confirm", "area", write_entry },
    { "veto", "area reason shown name", write_entry },
    { "lift", "area reason", write_entry },
    { "publish", "area", write_entry },
    { "appeal", "area reason shown name", write_entry },
    { "answer", "area reason deduct", write_entry },
    { "case_veto", "area field value sets name", case_veto },
    { "against", "area cases", cases_against },
    { "scheme", "is", broken },
    { "sheet", "area", look },
    { "ranking", "awards", ranking },
    { NULL, NULL, NULL },
};
