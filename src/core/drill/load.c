/*
 * Reading a drill; one that could not be run or judged is refused.
 */
#include "core/drill/drill.h"

const char *const puan_drill_word[PUAN_DRILL_MEASURED + 1] = {
    "open", "act",   "step",  "order",    "ask",     "sign",
    "take", "clock", "heard", "observed", "measured"
};

/* What each procedure measures, in the order in which it does. */
static const char *const restore[] = { "backup", "check", "restore", "verify",
                                       "same",   NULL };
static const char *const tamper[] = { "backup", "restore", "plant", "found",
                                      NULL };
static const char *const load[] = { "backup", "restore", "serve", "load",
                                    "quick",  "verify",  NULL };
static const struct {
    const char *name;
    const char *const *measures;
} procedures[] = { { "restore", restore },
                   { "tamper", tamper },
                   { "load", load } };

const char *const *puan_drill_measures(struct puan_str does)
{
    for (size_t i = 0; i < PUAN_COUNT(procedures); i++)
        if (puan_str_is(does, procedures[i].name))
            return procedures[i].measures;
    return NULL;
}

struct loader {
    struct puan_drill *d;
    const struct puan_plan *plan;
    const struct puan_flows *flows;
    struct puan_arena *a;
};

int puan_drill_inject_of(const struct puan_drill *d, struct puan_str id)
{
    for (size_t i = 0; i < d->n_injects; i++)
        if (puan_str_eq(d->inject[i].id, id))
            return (int)i;
    return -1;
}

int puan_drill_expect_of(const struct puan_drill *d, struct puan_str id)
{
    for (size_t i = 0; i < d->n_expects; i++)
        if (puan_str_eq(d->expect[i].id, id))
            return (int)i;
    return -1;
}

/* A length of time or the setting that holds one. */
static enum puan_status span(int64_t *ms, const struct loader *l,
                             const struct puan_node *map, const char *key,
                             bool must, struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(map, key);
    struct puan_str text;

    *ms = 0;
    if (n == NULL && !must)
        return PUAN_OK;
    TRY(puan_node_str(&text, map, key, err));
    if (puan_str_starts(text, "setting.")) {
        const struct puan_setting *s = puan_plan_setting(
            l->plan, (struct puan_str){ text.p + 8, text.n - 8 });

        if (s == NULL || s->kind != PUAN_SETTING_DURATION)
            return puan_node_fail(n, err,
                                  "the plan has no setting of that name that "
                                  "is a length of time; add it or write 30m");
        *ms = s->value;
        return PUAN_OK;
    }
    if (puan_str_is(text, "0") || puan_flow_duration(ms, text))
        return PUAN_OK;
    return puan_node_fail(n, err,
                          "write a length of time as 90s, 30m, 4h or 2d, or "
                          "setting.NAME");
}

static enum puan_status names(struct puan_str *zh, struct puan_str *en,
                              const struct puan_node *n, struct puan_err *err)
{
    TRY(puan_node_str(zh, n, "zh", err));
    return puan_node_str(en, n, "en", err);
}

static enum puan_status role(const struct loader *l, struct puan_str name,
                             const struct puan_node *at, struct puan_err *err)
{
    const struct puan_role *r = puan_plan_role(l->plan, name);

    if (r == NULL)
        return puan_node_fail(at, err,
                              "the plan has no role \"%.*s\"; name it under "
                              "roles of plan.yaml",
                              PUAN_FMT(name));
    if (r->external)
        return puan_node_fail(at, err,
                              "\"%.*s\" stands outside the installation: a "
                              "drill tells nobody there; leave it out, who "
                              "leads the drill plays it",
                              PUAN_FMT(name));
    return PUAN_OK;
}

/* ROLE, ROLE@LEVEL, ROLE@setting.NAME */
static enum puan_status read_contact(struct loader *l,
                                     const struct puan_node *n,
                                     struct puan_err *err)
{
    struct puan_drill *d = l->d;
    struct puan_drill_contact *c = &d->contact[d->n_contacts];
    size_t k = 0;

    if (n->kind != PUAN_NODE_SCALAR)
        return puan_node_fail(n, err, "a contact is ROLE or ROLE@LEVEL");
    if (d->n_contacts == PUAN_DRILL_MAX)
        return puan_node_fail(n, err, "more than %d contacts; leave out some",
                              PUAN_DRILL_MAX);
    while (k < n->text.n && n->text.p[k] != '@')
        k++;
    c->role = (struct puan_str){ n->text.p, k };
    c->level = PUAN_STR("");
    TRY(role(l, c->role, n, err));
    if (k < n->text.n) {
        c->level = (struct puan_str){ n->text.p + k + 1, n->text.n - k - 1 };
        if (puan_str_starts(c->level, "setting.")) {
            const struct puan_setting *s = puan_plan_setting(
                l->plan,
                (struct puan_str){ c->level.p + 8, c->level.n - 8 });

            if (s == NULL)
                return puan_node_fail(n, err,
                                      "the plan has no such setting; name a "
                                      "level: ROLE@LEVEL");
            c->level = s->text;
        }
        if (puan_plan_level(l->plan, c->level) < 0)
            return puan_node_fail(n, err,
                                  "the plan has no level \"%.*s\"; name one "
                                  "of levels in plan.yaml",
                                  PUAN_FMT(c->level));
    }
    for (size_t i = 0; i < d->n_contacts; i++)
        if (puan_str_eq(d->contact[i].role, c->role) &&
            puan_str_eq(d->contact[i].level, c->level))
            return puan_node_fail(n, err,
                                  "this contact stands twice; take one out");
    d->n_contacts++;
    return PUAN_OK;
}

static uint64_t contacts_of(const struct puan_drill *d, struct puan_str name)
{
    uint64_t set = 0;

    for (size_t i = 0; i < d->n_contacts; i++)
        if (puan_str_eq(d->contact[i].role, name))
            set |= (uint64_t)1 << i;
    return set;
}

/* Who does something in a drill takes part in it. */
static enum puan_status takes_part(const struct loader *l, struct puan_str name,
                                   const struct puan_node *at,
                                   struct puan_err *err)
{
    if (contacts_of(l->d, name) != 0 || puan_str_eq(name, l->d->lead))
        return PUAN_OK;
    return puan_node_fail(at, err,
                          "\"%.*s\" takes no part in this drill; add it to "
                          "contacts",
                          PUAN_FMT(name));
}

static const struct puan_flow *flow_of(const struct loader *l,
                                       struct puan_str name)
{
    return name.n == 0 ? NULL : puan_flows_get(l->flows, name);
}

static enum puan_status no_flow(const struct puan_node *at,
                                struct puan_str name, struct puan_err *err)
{
    return puan_node_fail(at, err,
                          "the plan has no workflow \"%.*s\"; add "
                          "flows/%.*s.yaml or mend the name",
                          PUAN_FMT(name), PUAN_FMT(name));
}

static enum puan_status field_given(const struct puan_flow *f,
                                    const struct puan_node *c,
                                    struct puan_err *err)
{
    int at = puan_flow_field(f, c->key);
    const struct puan_codelist *words;
    size_t i = 0;

    if (at < 0 || !PUAN_FLOW_HAS(f->open_needs | f->open_may, at))
        return puan_node_fail(c, err,
                              "\"%.*s\" is no field that is filled when a "
                              "case of %.*s is opened; name one of `open`",
                              PUAN_FMT(c->key), PUAN_FMT(f->label.name));
    if (c->kind != PUAN_NODE_SCALAR)
        return puan_node_fail(c, err, "the value of a field is one word or "
                                      "text");
    words = f->fields[at].words;
    while (words != NULL && i < words->n &&
           !puan_str_eq(words->codes[i].text, c->text))
        i++;
    if (words != NULL && i == words->n)
        return puan_node_fail(c, err,
                              "\"%.*s\" is no word of that field; use one of "
                              "its words",
                              PUAN_FMT(c->text));
    return PUAN_OK;
}

/* A case Puan opens: it may, and every field that is needed is there. */
static enum puan_status read_open(struct puan_drill_inject *i,
                                  const struct loader *l,
                                  const struct puan_node *n,
                                  struct puan_err *err)
{
    const struct puan_node *at = puan_node_get(n, "open");
    const struct puan_flow *f;
    bool may = false;

    TRY(puan_node_str(&i->open, n, "open", err));
    f = flow_of(l, i->open);
    if (f == NULL)
        return no_flow(at, i->open, err);
    for (size_t s = 0; s < f->n_seats; s++)
        may = may || (PUAN_FLOW_HAS(f->open_by, s) &&
                      puan_str_is(f->seats[s].role, "system"));
    if (!may)
        return puan_node_fail(at, err,
                              "Puan may not open a case of \"%.*s\"; let the "
                              "inject tell a contact, who opens it",
                              PUAN_FMT(i->open));
    if (i->fields != NULL && i->fields->kind != PUAN_NODE_MAP)
        return puan_node_fail(i->fields, err,
                              "fields must be a map {NAME: value}");
    PUAN_NODE_EACH(c, i->fields)
        TRY(field_given(f, c, err));
    for (size_t k = 0; k < f->n_fields; k++)
        if (PUAN_FLOW_HAS(f->open_needs, k) &&
            puan_node_get_s(i->fields, f->fields[k].label.name) == NULL)
            return puan_node_fail(at, err,
                                  "opening a case of \"%.*s\" needs the field "
                                  "\"%.*s\"; add it to fields",
                                  PUAN_FMT(i->open),
                                  PUAN_FMT(f->fields[k].label.name));
    return PUAN_OK;
}

static enum puan_status read_inject(struct loader *l,
                                    const struct puan_node *n,
                                    struct puan_err *err)
{
    static const char *const keys[] = { "id",   "at",     "zh", "en", "to",
                                        "open", "fields", NULL };
    struct puan_drill *d = l->d;
    struct puan_drill_inject *i = &d->inject[d->n_injects];
    const struct puan_node *to = puan_node_get(n, "to");

    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err, "an inject is a map {id, at, zh, en, "
                                      "to}");
    if (d->n_injects == PUAN_DRILL_MAX)
        return puan_node_fail(n, err, "more than %d injects; leave out some",
                              PUAN_DRILL_MAX);
    TRY(puan_node_only(n, keys, err));
    TRY(puan_node_str(&i->id, n, "id", err));
    TRY(names(&i->zh, &i->en, n, err));
    TRY(span(&i->at_ms, l, n, "at", true, err));
    if (i->at_ms >= d->length_ms)
        return puan_node_fail(puan_node_get(n, "at"), err,
                              "the drill is over by then; make `length` "
                              "longer or `at` earlier");
    if (d->n_injects > 0 && i->at_ms < d->inject[d->n_injects - 1].at_ms)
        return puan_node_fail(puan_node_get(n, "at"), err,
                              "this inject comes before the one above it; put "
                              "them in the order of their times");
    if (puan_drill_inject_of(d, i->id) >= 0)
        return puan_node_fail(puan_node_get(n, "id"), err,
                              "inject \"%.*s\" stands twice; rename one",
                              PUAN_FMT(i->id));
    if (to != NULL && to->kind != PUAN_NODE_LIST)
        return puan_node_fail(to, err, "`to` must be a list of roles");
    i->to = 0;
    PUAN_NODE_EACH(c, to) {
        uint64_t set = contacts_of(d, c->text);

        if (set == 0)
            return puan_node_fail(c, err,
                                  "\"%.*s\" is no contact of this drill; add "
                                  "it to contacts",
                                  PUAN_FMT(c->text));
        i->to |= set;
    }
    i->open = PUAN_STR("");
    i->fields = puan_node_get(n, "fields");
    if (puan_node_get(n, "open") != NULL)
        TRY(read_open(i, l, n, err));
    else if (i->fields != NULL)
        return puan_node_fail(i->fields, err,
                              "fields belong to a case; add `open: FLOW`");
    else if (i->to == 0)
        return puan_node_fail(n, err,
                              "an inject tells somebody or opens a case; add "
                              "`to: [ROLE]` or `open: FLOW`");
    d->n_injects++;
    return PUAN_OK;
}

/* The name an expectation gives is one of its flow. */
static enum puan_status known_there(const struct puan_drill_expect *e,
                                    const struct puan_flow *f,
                                    const struct puan_node *at,
                                    struct puan_err *err)
{
    static const char *const what[] = { "", "transition", "step", "step",
                                        "approval", "approval", "", "clock" };
    int i = 0;

    switch (e->kind) {
    case PUAN_DRILL_ACT:
        i = puan_flow_transition(f, e->name);
        break;
    case PUAN_DRILL_STEP:
    case PUAN_DRILL_ORDER:
        i = puan_flow_step(f, e->name);
        break;
    case PUAN_DRILL_ASK:
    case PUAN_DRILL_SIGN:
        i = puan_flow_approval(f, e->name);
        break;
    case PUAN_DRILL_CLOCK:
        i = puan_flow_clock(f, e->name);
        break;
    case PUAN_DRILL_OPEN:
    case PUAN_DRILL_TAKE:
    case PUAN_DRILL_HEARD:
    case PUAN_DRILL_OBSERVED:
    case PUAN_DRILL_MEASURED:
        break;
    }
    if (i >= 0)
        return PUAN_OK;
    return puan_node_fail(at, err,
                          "workflow \"%.*s\" has no %s \"%.*s\"; mend the "
                          "name, or say `flow: NAME`",
                          PUAN_FMT(f->label.name), what[e->kind],
                          PUAN_FMT(e->name));
}

static enum puan_status read_what(struct puan_drill_expect *e,
                                  const struct loader *l,
                                  const struct puan_node *n,
                                  struct puan_err *err)
{
    const struct puan_drill *d = l->d;
    const struct puan_node *at = NULL;
    const struct puan_flow *f;
    const char *const *m;
    size_t count = 0;

    for (size_t k = 0; k < PUAN_COUNT(puan_drill_word); k++) {
        const struct puan_node *c = puan_node_get(n, puan_drill_word[k]);

        if (c == NULL)
            continue;
        at = c;
        e->kind = (enum puan_drill_kind)k;
        count++;
    }
    if (count != 1)
        return puan_node_fail(n, err,
                              "an expectation names one thing: open, act, "
                              "step, order, ask, sign, take, clock, heard, "
                              "observed or measured");
    TRY(puan_node_str(&e->name, n, puan_drill_word[e->kind], err));
    if ((e->kind == PUAN_DRILL_MEASURED) != (d->does.n > 0))
        return puan_node_fail(at, err,
                              d->does.n > 0
                                  ? "a technical drill is judged by what it "
                                    "measures; write `measured: NAME`"
                                  : "only a technical drill measures; name "
                                    "an act of the workflow");
    switch (e->kind) {
    case PUAN_DRILL_TAKE:
    case PUAN_DRILL_OBSERVED:
        if (!puan_str_is(e->name, "true"))
            return puan_node_fail(at, err, "write `%s: true`",
                                  puan_drill_word[e->kind]);
        if (e->kind == PUAN_DRILL_OBSERVED)
            return PUAN_OK;
        e->name = PUAN_STR("");
        break;
    case PUAN_DRILL_MEASURED:
        for (m = puan_drill_measures(d->does); m != NULL && *m != NULL; m++)
            if (puan_str_is(e->name, *m))
                return PUAN_OK;
        return puan_node_fail(at, err,
                              "the procedure \"%.*s\" measures no \"%.*s\"; name one of "
                              "those doc/drills.md lists",
                              PUAN_FMT(d->does), PUAN_FMT(e->name));
    case PUAN_DRILL_HEARD: {
        int i = puan_drill_inject_of(d, e->name);

        if (i < 0 || d->inject[i].to == 0)
            return puan_node_fail(at, err,
                                  "no inject \"%.*s\" tells anybody; name one "
                                  "with `to`",
                                  PUAN_FMT(e->name));
        if (e->after < 0)
            e->after = i;
        return PUAN_OK;
    }
    case PUAN_DRILL_OPEN:
        f = flow_of(l, e->name);
        return f == NULL ? no_flow(at, e->name, err) : PUAN_OK;
    case PUAN_DRILL_ACT:
    case PUAN_DRILL_STEP:
    case PUAN_DRILL_ORDER:
    case PUAN_DRILL_ASK:
    case PUAN_DRILL_SIGN:
    case PUAN_DRILL_CLOCK:
        break;
    }
    e->flow = puan_node_str_opt(n, "flow", "");
    if (e->flow.n == 0)
        e->flow = d->of;
    f = flow_of(l, e->flow);
    if (f == NULL)
        return no_flow(puan_node_get(n, "flow") ? puan_node_get(n, "flow") : at,
                       e->flow, err);
    return known_there(e, f, at, err);
}

static enum puan_status read_expect(struct loader *l,
                                    const struct puan_node *n,
                                    struct puan_err *err)
{
    static const char *const keys[] = {
        "id",    "zh",   "en",   "after", "within", "never",    "points",
        "late",  "by",   "flow", "open",  "act",    "step",     "order",
        "ask",   "sign", "take", "clock", "heard",  "observed", "measured",
        NULL
    };
    struct puan_drill *d = l->d;
    struct puan_drill_expect *e = &d->expect[d->n_expects];
    const struct puan_node *after = puan_node_get(n, "after");
    int64_t v = 0;

    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err,
                              "an expectation is a map {id, zh, en, within, "
                              "points}");
    if (d->n_expects == PUAN_DRILL_MAX)
        return puan_node_fail(n, err,
                              "more than %d expectations; leave out some",
                              PUAN_DRILL_MAX);
    TRY(puan_node_only(n, keys, err));
    TRY(puan_node_str(&e->id, n, "id", err));
    TRY(names(&e->zh, &e->en, n, err));
    if (puan_drill_expect_of(d, e->id) >= 0)
        return puan_node_fail(puan_node_get(n, "id"), err,
                              "expectation \"%.*s\" stands twice; rename one",
                              PUAN_FMT(e->id));
    e->after = -1;
    e->flow = PUAN_STR("");
    if (after != NULL) {
        e->after = puan_drill_inject_of(d, after->text);
        if (e->after < 0)
            return puan_node_fail(after, err,
                                  "there is no inject \"%.*s\"; name one of "
                                  "injects",
                                  PUAN_FMT(after->text));
    }
    TRY(read_what(e, l, n, err));
    TRY(span(&e->within_ms, l, n, "within", false, err));
    TRY(puan_node_bool(&e->never, n, "never", false, err));
    if (e->never && (e->kind == PUAN_DRILL_OBSERVED ||
                     e->kind == PUAN_DRILL_CLOCK ||
                     e->kind == PUAN_DRILL_MEASURED))
        return puan_node_fail(puan_node_get(n, "never"), err,
                              "`never` is for acts; take it out");
    if (e->within_ms != 0 && (e->kind == PUAN_DRILL_OBSERVED ||
                              e->kind == PUAN_DRILL_CLOCK))
        return puan_node_fail(puan_node_get(n, "within"), err,
                              "%s; take `within` out",
                              e->kind == PUAN_DRILL_CLOCK
                                  ? "the workflow gives a clock its time"
                                  : "when it is ticked says nothing");
    e->by = puan_node_str_opt(n, "by", "");
    if (e->by.n > 0)
        TRY(takes_part(l, e->by, puan_node_get(n, "by"), err));
    TRY(puan_node_int(&v, n, "points", 1, 1000, err));
    e->points = (int)v;
    e->late = 0;
    if (puan_node_get(n, "late") != NULL) {
        TRY(puan_node_int(&v, n, "late", 0, e->points, err));
        e->late = (int)v;
        if (e->never || (e->within_ms == 0 && e->kind != PUAN_DRILL_CLOCK))
            return puan_node_fail(puan_node_get(n, "late"), err,
                                  "nothing is late without a time; add "
                                  "`within` or take `late` out");
    }
    d->points += e->points;
    d->n_expects++;
    return PUAN_OK;
}

static enum puan_status list_of(const struct puan_node **out,
                                const struct puan_node *tree, const char *key,
                                bool must, struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(tree, key);

    *out = n;
    if (n == NULL && !must)
        return PUAN_OK;
    if (n == NULL || n->kind != PUAN_NODE_LIST || n->n == 0)
        return puan_node_fail(n ? n : tree, err,
                              "give `%s`: a list with at least one entry", key);
    return PUAN_OK;
}

/* The flow a result goes into takes what it is given. */
static enum puan_status takes(const struct loader *l, struct puan_str *name,
                              const struct puan_node *tree, const char *key,
                              const char *const *fields, struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(tree, key);
    const struct puan_flow *f;

    *name = PUAN_STR("");
    if (n == NULL)
        return PUAN_OK;
    TRY(puan_node_str(name, tree, key, err));
    f = flow_of(l, *name);
    if (f == NULL)
        return no_flow(n, *name, err);
    for (; *fields != NULL; fields++)
        if (puan_flow_field(f, puan_str_of(*fields)) < 0)
            return puan_node_fail(n, err,
                                  "workflow \"%.*s\" has no field \"%s\"; add "
                                  "it there or name another workflow",
                                  PUAN_FMT(*name), *fields);
    return PUAN_OK;
}

static enum puan_status read_head(struct loader *l,
                                  const struct puan_node *tree,
                                  struct puan_err *err)
{
    static const char *const into_register[] = { "plan", "held_at",
                                                 "taking_part", "result",
                                                 "improvements", NULL };
    static const char *const into_task[] = { "title", "drill_ref", "what",
                                             "owner", "due", NULL };
    static const char *const goal_keys[] = { "zh", "en", NULL };
    struct puan_drill *d = l->d;
    const struct puan_node *goal = puan_node_get(tree, "goal");
    const struct puan_flow *f;
    int64_t v = 0;

    TRY(puan_node_str(&d->id, tree, "drill", err));
    TRY(names(&d->zh, &d->en, tree, err));
    TRY(puan_node_int(&d->version, tree, "version", 1, 1000000, err));
    d->of = puan_node_str_opt(tree, "of", "");
    d->does = puan_node_str_opt(tree, "does", "");
    if ((d->of.n > 0) == (d->does.n > 0))
        return puan_node_fail(tree, err,
                              "a drill is `of: WORKFLOW`, or `does: "
                              "PROCEDURE` on a copy; say one of the two");
    f = flow_of(l, d->of);
    if (d->of.n > 0 && f == NULL)
        return no_flow(puan_node_get(tree, "of"), d->of, err);
    if (d->does.n > 0 && puan_drill_measures(d->does) == NULL)
        return puan_node_fail(puan_node_get(tree, "does"), err,
                              "no procedure \"%.*s\"; use restore, tamper or load",
                              PUAN_FMT(d->does));
    TRY(puan_node_str(&d->level, tree, "level", err));
    if (puan_plan_level(l->plan, d->level) < 0)
        return puan_node_fail(puan_node_get(tree, "level"), err,
                              "the plan has no level \"%.*s\"; name one of "
                              "levels in plan.yaml",
                              PUAN_FMT(d->level));
    TRY(span(&d->every_ms, l, tree, "every", true, err));
    TRY(span(&d->length_ms, l, tree, "length", true, err));
    if (d->every_ms <= 0 || d->length_ms <= 0)
        return puan_node_fail(tree, err,
                              "`every` and `length` must be longer than "
                              "nothing");
    TRY(puan_node_str(&d->lead, tree, "lead", err));
    TRY(role(l, d->lead, puan_node_get(tree, "lead"), err));
    TRY(puan_node_int(&v, tree, "pass", 1, 100, err));
    d->pass = (int)v;
    if (goal == NULL || goal->kind != PUAN_NODE_MAP)
        return puan_node_fail(goal ? goal : tree, err,
                              "say what is drilled for: `goal: {zh, en}`");
    TRY(puan_node_only(goal, goal_keys, err));
    TRY(names(&d->goal_zh, &d->goal_en, goal, err));
    TRY(takes(l, &d->register_flow, tree, "register", into_register, err));
    return takes(l, &d->improve, tree, "improve", into_task, err);
}

enum puan_status puan_drill_load(struct puan_drill **out,
                                 const struct puan_node *tree,
                                 const struct puan_plan *plan,
                                 const struct puan_flows *flows,
                                 struct puan_arena *a, struct puan_err *err)
{
    static const char *const keys[] = {
        "drill", "version", "zh",   "en",       "of",       "does",
        "level", "every",   "lead", "length",   "contacts", "goal",
        "pass",  "injects", "register", "improve", "expect", "clauses", NULL
    };
    struct loader l = { puan_new(a, struct puan_drill), plan, flows, a };
    const struct puan_node *list;

    if (l.d == NULL)
        return puan_arena_check(a, err);
    if (tree->kind != PUAN_NODE_MAP)
        return puan_node_fail(tree, err, "a drill must be a map {drill, …}");
    TRY(puan_node_only(tree, keys, err));
    l.d->tree = tree;
    TRY(read_head(&l, tree, err));
    TRY(list_of(&list, tree, "contacts", l.d->of.n > 0, err));
    PUAN_NODE_EACH(c, list)
        TRY(read_contact(&l, c, err));
    TRY(list_of(&list, tree, "injects", l.d->of.n > 0, err));
    if (list != NULL && l.d->does.n > 0)
        return puan_node_fail(list, err,
                              "a technical drill goes by its procedure; take "
                              "injects out");
    PUAN_NODE_EACH(c, list)
        TRY(read_inject(&l, c, err));
    TRY(list_of(&list, tree, "expect", true, err));
    PUAN_NODE_EACH(c, list)
        TRY(read_expect(&l, c, err));
    *out = l.d;
    return puan_arena_check(a, err);
}

const struct puan_drill *puan_drills_get(const struct puan_drills *d,
                                         struct puan_str id)
{
    for (size_t i = 0; i < d->n; i++)
        if (puan_str_eq(d->drill[i]->id, id))
            return d->drill[i];
    return NULL;
}

static bool is_drill(const struct puan_plan_file *f)
{
    return puan_str_starts(f->path, "drills/") && f->tree != NULL;
}

enum puan_status puan_drills_load(struct puan_drills *out,
                                  const struct puan_plan *plan,
                                  const struct puan_flows *flows,
                                  struct puan_arena *a, struct puan_err *err)
{
    const struct puan_drill **list;
    size_t n = 0;

    *out = (struct puan_drills){ 0 };
    for (size_t p = 0; p < plan->n_packs; p++)
        for (size_t i = 0; i < plan->pack[p].n_files; i++)
            n += is_drill(&plan->pack[p].file[i]);
    if (n == 0)
        return PUAN_OK;
    list = (const struct puan_drill **)puan_arena_get_n(a, n, sizeof *list);
    if (list == NULL)
        return puan_arena_check(a, err);
    out->drill = list;
    for (size_t p = 0; p < plan->n_packs; p++)
        for (size_t i = 0; i < plan->pack[p].n_files; i++) {
            const struct puan_plan_file *f = &plan->pack[p].file[i];
            struct puan_drill *d = NULL;

            if (!is_drill(f))
                continue;
            TRY(puan_drill_load(&d, f->tree, plan, flows, a, err));
            if (puan_drills_get(out, d->id) != NULL)
                return puan_node_fail(puan_node_get(f->tree, "drill"), err,
                                      "drill \"%.*s\" stands twice; rename "
                                      "one",
                                      PUAN_FMT(d->id));
            list[out->n++] = d;
        }
    return PUAN_OK;
}
