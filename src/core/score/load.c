/*
 * Reading a scheme; one that does not add up is refused.
 */
#include "core/score/score.h"

struct loader {
    struct puan_score_scheme *s;
    const struct puan_score_scheme_env *env;
    struct puan_arena *a;
};

bool puan_score_halves_parse(int *halves, struct puan_str s)
{
    bool minus = s.n > 0 && s.p[0] == '-', half = false;
    int64_t whole;

    if (minus)
        s = (struct puan_str){ s.p + 1, s.n - 1 };
    if (s.n > 2 && s.p[s.n - 2] == '.') {
        if (s.p[s.n - 1] != '0' && s.p[s.n - 1] != '5')
            return false;
        half = s.p[s.n - 1] == '5';
        s.n -= 2;
    }
    if (!puan_int_parse(&whole, s) || whole < 0 || whole > 100000)
        return false;
    *halves = (int)whole * 2 + half;
    if (minus)
        *halves = -*halves;
    return true;
}

void puan_score_halves_text(char out[16], int halves)
{
    int v = halves < 0 ? -halves : halves;

    puan_format(out, 16, "%s%d%s", halves < 0 ? "-" : "", v / 2,
                v % 2 ? ".5" : "");
}

int puan_score_scheme_item(const struct puan_score_scheme *s, struct puan_str id)
{
    for (size_t i = 0; i < s->n_items; i++)
        if (puan_str_eq(s->item[i].id, id))
            return (int)i;
    return -1;
}
int puan_score_scheme_veto(const struct puan_score_scheme *s, struct puan_str id)
{
    for (size_t i = 0; i < s->n_vetoes; i++)
        if (puan_str_eq(s->veto[i].id, id))
            return (int)i;
    return -1;
}

static enum puan_status halves(int *out, const struct puan_node *map,
                               const char *key, struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(map, key);
    struct puan_str text;

    TRY(puan_node_str(&text, map, key, err));
    if (puan_score_halves_parse(out, text) && *out >= 0)
        return PUAN_OK;
    return puan_node_fail(n, err,
                          "points are counted in halves; write 2 or 0.5");
}

static enum puan_status day(int64_t *out, const struct puan_node *map,
                            const char *key, bool must, struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(map, key);
    struct puan_str text;

    *out = INT64_MIN;
    if (n == NULL && !must)
        return PUAN_OK;
    TRY(puan_node_str(&text, map, key, err));
    if (puan_day_parse(out, text))
        return PUAN_OK;
    return puan_node_fail(n, err, "write the day as 2020-11-01");
}

static enum puan_status names(struct puan_str *id, struct puan_str *zh,
                              struct puan_str *en, const struct puan_node *n,
                              struct puan_err *err)
{
    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err, "expected a map {id, zh, en, …}");
    if (id != NULL)
        TRY(puan_node_str(id, n, "id", err));
    TRY(puan_node_str(zh, n, "zh", err));
    return puan_node_str(en, n, "en", err);
}

static enum puan_status role(const struct loader *l, const struct puan_node *n,
                             struct puan_err *err)
{
    if (n->kind != PUAN_NODE_SCALAR)
        return puan_node_fail(n, err, "expected the name of a role");
    if (puan_str_is(n->text, "system") || l->env->role == NULL ||
        l->env->role(l->env->of, n->text))
        return PUAN_OK;
    return puan_node_fail(n, err,
                          "the plan has no role \"%.*s\"; name it under roles "
                          "of plan.yaml",
                          PUAN_FMT(n->text));
}

static enum puan_status roles(const struct puan_node **out,
                              const struct loader *l,
                              const struct puan_node *map, const char *key,
                              struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(map, key);

    *out = n;
    if (n == NULL || n->kind != PUAN_NODE_LIST || n->n == 0)
        return puan_node_fail(n ? n : map, err,
                              "give `%s: [ROLE]`, at least one role", key);
    PUAN_NODE_EACH(c, n)
        TRY(role(l, c, err));
    return PUAN_OK;
}

static enum puan_status read_kinds(struct puan_score_item *it,
                                   const struct loader *l,
                                   const struct puan_node *n,
                                   struct puan_err *err)
{
    static const char *const keys[] = { "id",  "zh",    "en",
                                        "due", "least", NULL };
    struct puan_score_kind *k;

    if (n == NULL || n->kind != PUAN_NODE_LIST || n->n == 0)
        return puan_node_fail(n ? n : it->at, err,
                              "an item needs at least one kind of evidence: "
                              "`evidence: [{id, zh, en}]`");
    k = puan_new_n(l->a, n->n, struct puan_score_kind);
    if (k == NULL)
        return puan_arena_check(l->a, err);
    it->kind = k;
    PUAN_NODE_EACH(c, n) {
        struct puan_score_kind *x = &k[it->n_kinds];

        TRY(names(&x->id, &x->zh, &x->en, c, err));
        TRY(puan_node_only(c, keys, err));
        TRY(day(&x->due, c, "due", false, err));
        x->least = INT64_MIN;
        if (puan_node_get(c, "least") != NULL)
            TRY(puan_node_int(&x->least, c, "least", 0, 1000000000, err));
        for (size_t i = 0; i < it->n_kinds; i++)
            if (puan_str_eq(k[i].id, x->id))
                return puan_node_fail(c, err,
                                      "evidence \"%.*s\" stands twice; rename one",
                                      PUAN_FMT(x->id));
        it->n_kinds++;
    }
    return PUAN_OK;
}

static enum puan_status read_measure(struct puan_score_item *it,
                                     const struct loader *l,
                                     struct puan_err *err)
{
    static const char *const keys[] = { "metric", "of", "bands", "none", NULL };
    static const char *const band_keys[] = { "least", "points", NULL };
    const struct puan_node *m = it->measure, *bands = puan_node_get(m, "bands");
    struct puan_score_band *b;

    if (m == NULL || m->kind != PUAN_NODE_MAP)
        return puan_node_fail(m ? m : it->at, err,
                              "a measured item needs `measure: {metric, of, "
                              "bands}`");
    TRY(puan_node_only(m, keys, err));
    TRY(puan_node_str(&it->metric, m, "metric", err));
    it->total = puan_node_str_opt(m, "of", "");
    if (bands == NULL || bands->kind != PUAN_NODE_LIST || bands->n == 0)
        return puan_node_fail(bands ? bands : m, err,
                              "`bands` must be a list of {least, points}, "
                              "falling");
    b = puan_new_n(l->a, bands->n, struct puan_score_band);
    if (b == NULL)
        return puan_arena_check(l->a, err);
    it->band = b;
    PUAN_NODE_EACH(c, bands) {
        struct puan_score_band *x = &b[it->n_bands];

        if (c->kind != PUAN_NODE_MAP)
            return puan_node_fail(c, err, "a band must be {least, points}");
        TRY(puan_node_only(c, band_keys, err));
        TRY(puan_node_int(&x->least, c, "least", -1000000000, 1000000000, err));
        TRY(halves(&x->halves, c, "points", err));
        if (it->n_bands == 0 && x->halves != it->halves)
            return puan_node_fail(c, err,
                                  "the first band must give the item's full "
                                  "points");
        if (it->n_bands > 0 &&
            (x->least >= x[-1].least || x->halves >= x[-1].halves))
            return puan_node_fail(c, err,
                                  "bands must fall: least and points are below "
                                  "those of the band before");
        it->n_bands++;
    }
    if (puan_node_get(m, "none") == NULL)
        return PUAN_OK;
    if (it->total.n == 0)
        return puan_node_fail(puan_node_get(m, "none"), err,
                              "`none` goes with `of`: it is what the item is "
                              "worth while that is 0");
    TRY(halves(&it->none, m, "none", err));
    return it->none <= it->halves
               ? PUAN_OK
               : puan_node_fail(puan_node_get(m, "none"), err,
                                "`none` must not be more than the item's "
                                "points");
}

/* none_of: [{flow: FLOW, in: [STATE]}] */
static enum puan_status read_none_of(struct puan_score_item *it,
                                     const struct puan_node *n,
                                     struct puan_err *err)
{
    static const char *const keys[] = { "flow", "in", NULL };

    it->none_of = n;
    if (n != NULL && n->kind != PUAN_NODE_LIST)
        return puan_node_fail(n, err,
                              "`none_of` must be a list of {flow, in: "
                              "[STATE]}");
    PUAN_NODE_EACH(c, n) {
        const struct puan_node *in = puan_node_get(c, "in");
        struct puan_str flow;

        if (c->kind != PUAN_NODE_MAP)
            return puan_node_fail(c, err, "give {flow, in: [STATE]}");
        TRY(puan_node_only(c, keys, err));
        TRY(puan_node_str(&flow, c, "flow", err));
        if (in == NULL || in->kind != PUAN_NODE_LIST || in->n == 0)
            return puan_node_fail(in ? in : c, err,
                                  "`in` must be a list of the states that "
                                  "count");
    }
    return PUAN_OK;
}

static enum puan_status one_of(bool *second, const struct puan_node *map,
                               const char *key, const char *first,
                               const char *other, struct puan_err *err)
{
    struct puan_str s;

    TRY(puan_node_str(&s, map, key, err));
    *second = puan_str_is(s, other);
    if (*second || puan_str_is(s, first))
        return PUAN_OK;
    return puan_node_fail(puan_node_get(map, key), err,
                          "`%s` must be %s or %s", key, first, other);
}

static enum puan_status read_item(const struct loader *l,
                                  const struct puan_node *n,
                                  struct puan_err *err)
{
    static const char *const keys[] = { "id", "zh",       "en",      "points",
                                        "mode", "of",     "evidence", "measure",
                                        "none_of", NULL };
    struct puan_score_scheme *s = l->s;
    struct puan_score_item *it = &s->item[s->n_items];

    if (s->n_items == PUAN_SCORE_ITEMS)
        return puan_node_fail(n, err, "more than %d items", PUAN_SCORE_ITEMS);
    TRY(names(&it->id, &it->zh, &it->en, n, err));
    TRY(puan_node_only(n, keys, err));
    if (puan_score_scheme_item(s, it->id) >= 0)
        return puan_node_fail(n, err, "item \"%.*s\" stands twice; rename one",
                              PUAN_FMT(it->id));
    it->at = n;
    it->section = s->n_sections;
    it->measure = puan_node_get(n, "measure");
    it->none = -1;
    TRY(halves(&it->halves, n, "points", err));
    if (it->halves == 0)
        return puan_node_fail(n, err, "an item must be worth half a point or more");
    TRY(one_of(&it->measured, n, "mode", "judged", "measured", err));
    TRY(one_of(&it->result, n, "of", "process", "result", err));
    if (it->measured) {
        TRY(read_measure(it, l, err));
    } else {
        if (it->measure != NULL)
            return puan_node_fail(it->measure, err,
                                  "a judged item has no measure; write `mode: "
                                  "measured`");
        TRY(read_kinds(it, l, puan_node_get(n, "evidence"), err));
    }
    TRY(read_none_of(it, puan_node_get(n, "none_of"), err));
    if (it->measured && it->none_of != NULL)
        return puan_node_fail(it->none_of, err,
                              "nobody gives full points to a measured item; "
                              "take `none_of` out or write `mode: judged`");
    s->n_items++;
    return PUAN_OK;
}

static enum puan_status adds_up(const struct puan_node *at, int sum, int stated,
                                const char *what, struct puan_err *err)
{
    char a[16], b[16];

    if (sum == stated)
        return PUAN_OK;
    puan_score_halves_text(a, sum);
    puan_score_halves_text(b, stated);
    return puan_node_fail(at, err,
                          "%s add up to %s, not to the %s stated; mend the "
                          "points that are wrong",
                          what, a, b);
}

static enum puan_status read_rules(struct puan_score_section *x,
                                   const struct puan_node *n,
                                   struct puan_err *err)
{
    static const char *const keys[] = { "zh", "en", "version", "date", NULL };

    if (n == NULL)
        return PUAN_OK;
    TRY(names(NULL, &x->rules_zh, &x->rules_en, n, err));
    TRY(puan_node_only(n, keys, err));
    TRY(puan_node_str(&x->rules_version, n, "version", err));
    return day(&x->rules_day, n, "date", true, err);
}

static enum puan_status read_section(const struct loader *l,
                                     const struct puan_node *n,
                                     struct puan_err *err)
{
    static const char *const keys[] = { "id",     "zh",    "en",   "points",
                                        "groups", "rules", "items", NULL };
    struct puan_score_scheme *s = l->s;
    struct puan_score_section *x = &s->section[s->n_sections];
    const struct puan_node *groups = puan_node_get(n, "groups");
    int sum = 0;

    if (s->n_sections == PUAN_SCORE_SECTIONS)
        return puan_node_fail(n, err, "more than %d sections",
                              PUAN_SCORE_SECTIONS);
    TRY(names(&x->id, &x->zh, &x->en, n, err));
    TRY(puan_node_only(n, keys, err));
    for (size_t i = 0; i < s->n_sections; i++)
        if (puan_str_eq(s->section[i].id, x->id))
            return puan_node_fail(n, err, "section \"%.*s\" stands twice; rename one",
                                  PUAN_FMT(x->id));
    TRY(halves(&x->halves, n, "points", err));
    if (groups == NULL || groups->kind != PUAN_NODE_LIST || groups->n == 0 ||
        groups->n > 2)
        return puan_node_fail(groups ? groups : n, err,
                              "name the one or two groups it belongs to: "
                              "`groups: [GROUP]`");
    PUAN_NODE_EACH(c, groups) {
        size_t g = 0;

        while (g < s->n_groups && !puan_str_eq(s->group[g].id, c->text))
            g++;
        if (g == s->n_groups)
            return puan_node_fail(c, err,
                                  "no group \"%.*s\"; name it under groups",
                                  PUAN_FMT(c->text));
        x->groups |= UINT32_C(1) << g;
    }
    TRY(read_rules(x, puan_node_get(n, "rules"), err));
    x->first = s->n_items;
    PUAN_NODE_EACH(c, puan_node_get(n, "items")) {
        TRY(read_item(l, c, err));
        sum += s->item[s->n_items - 1].halves;
        x->n++;
    }
    TRY(adds_up(n, sum, x->halves, "the items of this section", err));
    s->n_sections++;
    return PUAN_OK;
}

static enum puan_status read_groups(const struct loader *l,
                                    const struct puan_node *n,
                                    const struct puan_node *tree,
                                    struct puan_err *err)
{
    static const char *const keys[] = { "zh", "en", "role", NULL };

    if (n == NULL || n->kind != PUAN_NODE_MAP || n->n == 0)
        return puan_node_fail(n ? n : tree, err,
                              "give `groups: {NAME: {zh, en, role}}`");
    PUAN_NODE_EACH(c, n) {
        struct puan_score_group *g = &l->s->group[l->s->n_groups];

        if (l->s->n_groups == PUAN_SCORE_GROUPS)
            return puan_node_fail(c, err, "more than %d groups",
                                  PUAN_SCORE_GROUPS);
        TRY(names(NULL, &g->zh, &g->en, c, err));
        TRY(puan_node_only(c, keys, err));
        TRY(puan_node_str(&g->role, c, "role", err));
        TRY(role(l, puan_node_get(c, "role"), err));
        g->id = c->key;
        l->s->n_groups++;
    }
    return PUAN_OK;
}

static enum puan_status read_veto(const struct loader *l,
                                  const struct puan_node *n,
                                  struct puan_err *err)
{
    static const char *const keys[] = { "id",    "zh",    "en",    "effect",
                                        "by",    "item",  "flow",  "field",
                                        "value", NULL };
    struct puan_score_scheme *s = l->s;
    struct puan_score_veto *v = &s->veto[s->n_vetoes];
    bool award;

    if (s->n_vetoes == PUAN_COUNT(s->veto))
        return puan_node_fail(n, err, "more than %d vetoes",
                              (int)PUAN_COUNT(s->veto));
    TRY(names(&v->id, &v->zh, &v->en, n, err));
    TRY(puan_node_only(n, keys, err));
    if (puan_score_scheme_veto(s, v->id) >= 0)
        return puan_node_fail(n, err, "veto \"%.*s\" stands twice; rename one",
                              PUAN_FMT(v->id));
    TRY(one_of(&award, n, "effect", "score", "award", err));
    v->effect = award ? PUAN_VETO_AWARD : PUAN_VETO_SCORE;
    TRY(roles(&v->by, l, n, "by", err));
    v->item = puan_node_str_opt(n, "item", "");
    if (v->item.n > 0 && puan_score_scheme_item(s, v->item) < 0)
        return puan_node_fail(puan_node_get(n, "item"), err,
                              "no item \"%.*s\" in the sections; mend the "
                              "name",
                              PUAN_FMT(v->item));
    v->flow = puan_node_str_opt(n, "flow", "");
    v->field = puan_node_str_opt(n, "field", "");
    v->value = puan_node_str_opt(n, "value", "");
    if ((v->field.n > 0) != (v->value.n > 0) ||
        (v->field.n > 0 && v->flow.n == 0))
        return puan_node_fail(n, err,
                              "`field` and `value` must stand together, with the "
                              "`flow` they belong to");
    v->at = n;
    s->n_vetoes++;
    return PUAN_OK;
}

/* "15d", "48h" */
static enum puan_status span(int64_t *ms, const struct puan_node *map,
                             const char *key, struct puan_err *err)
{
    struct puan_str t;
    int64_t v;
    char unit;

    TRY(puan_node_str(&t, map, key, err));
    unit = t.n > 1 ? t.p[t.n - 1] : 0;
    if ((unit == 'd' || unit == 'h') &&
        puan_int_parse(&v, (struct puan_str){ t.p, t.n - 1 }) && v > 0 &&
        v < 10000) {
        *ms = v * (unit == 'd' ? 86400000 : 3600000);
        return PUAN_OK;
    }
    return puan_node_fail(puan_node_get(map, key), err,
                          "write a length of time: 15d or 48h");
}

static enum puan_status read_tail(const struct loader *l,
                                  const struct puan_node *tree,
                                  struct puan_err *err)
{
    static const char *const bonus_keys[] = { "zh", "en", "confirmed_by",
                                              "most", NULL };
    static const char *const appeal_keys[] = { "by", "to", "within", NULL };
    const struct puan_node *bonus = puan_node_get(tree, "bonus");
    const struct puan_node *appeal = puan_node_get(tree, "appeal");
    struct puan_score_scheme *s = l->s;

    if (bonus != NULL) {
        TRY(names(NULL, &s->bonus_zh, &s->bonus_en, bonus, err));
        TRY(puan_node_only(bonus, bonus_keys, err));
        TRY(roles(&s->confirmed_by, l, bonus, "confirmed_by", err));
        TRY(halves(&s->bonus_most, bonus, "most", err));
    }
    PUAN_NODE_EACH(c, puan_node_get(tree, "vetoes"))
        TRY(read_veto(l, c, err));
    if (appeal == NULL || appeal->kind != PUAN_NODE_MAP)
        return puan_node_fail(appeal ? appeal : tree, err,
                              "give `appeal: {by, to, within}`: an office must "
                              "be able to object");
    TRY(puan_node_only(appeal, appeal_keys, err));
    TRY(roles(&s->appeal_by, l, appeal, "by", err));
    TRY(roles(&s->appeal_to, l, appeal, "to", err));
    return span(&s->appeal_ms, appeal, "within", err);
}

static enum puan_status read_head(const struct loader *l,
                                  const struct puan_node *tree,
                                  struct puan_err *err)
{
    static const char *const period_keys[] = { "from", "until", NULL };
    const struct puan_node *period = puan_node_get(tree, "period");
    struct puan_score_scheme *s = l->s;

    TRY(puan_node_str(&s->id, tree, "scheme", err));
    TRY(names(NULL, &s->zh, &s->en, tree, err));
    if (puan_node_get(tree, "interpreter") == NULL)
        return puan_node_fail(tree, err,
                              "a scheme names the office that interprets it: "
                              "`interpreter: ROLE`");
    TRY(puan_node_str(&s->interpreter, tree, "interpreter", err));
    TRY(role(l, puan_node_get(tree, "interpreter"), err));
    TRY(puan_node_str(&s->level, tree, "assessed", err));
    if (l->env->level != NULL && !l->env->level(l->env->of, s->level))
        return puan_node_fail(puan_node_get(tree, "assessed"), err,
                              "the plan has no level \"%.*s\"; name one of "
                              "levels in plan.yaml",
                              PUAN_FMT(s->level));
    TRY(halves(&s->halves, tree, "full", err));
    if (period == NULL || period->kind != PUAN_NODE_MAP)
        return puan_node_fail(period ? period : tree, err,
                              "give `period: {from, until}`");
    TRY(puan_node_only(period, period_keys, err));
    TRY(day(&s->from, period, "from", true, err));
    TRY(day(&s->until, period, "until", true, err));
    if (s->until < s->from)
        return puan_node_fail(period, err, "`until` must not be before `from`");
    TRY(roles(&s->evidence_by, l, tree, "evidence_by", err));
    return read_groups(l, puan_node_get(tree, "groups"), tree, err);
}

enum puan_status puan_score_scheme_load(struct puan_score_scheme **out,
                                  const struct puan_node *tree,
                                  const struct puan_score_scheme_env *env,
                                  struct puan_arena *a, struct puan_err *err)
{
    static const char *const keys[] = {
        "scheme",   "zh",          "en",     "interpreter", "assessed", "full",
        "period",   "evidence_by", "groups", "sections",    "bonus",
        "vetoes",   "appeal",      NULL
    };
    struct loader l = { puan_new(a, struct puan_score_scheme), env, a };
    int sum = 0;

    if (l.s == NULL)
        return puan_arena_check(a, err);
    if (tree->kind != PUAN_NODE_MAP)
        return puan_node_fail(tree, err, "scoring.yaml must be a map {scheme, …}");
    TRY(puan_node_only(tree, keys, err));
    l.s->tree = tree;
    TRY(read_head(&l, tree, err));
    PUAN_NODE_EACH(c, puan_node_get(tree, "sections")) {
        TRY(read_section(&l, c, err));
        sum += l.s->section[l.s->n_sections - 1].halves;
    }
    TRY(adds_up(puan_node_get(tree, "full"), sum, l.s->halves, "the sections",
                err));
    TRY(read_tail(&l, tree, err));
    *out = l.s;
    return puan_arena_check(a, err);
}
