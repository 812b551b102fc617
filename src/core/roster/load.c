/*
 * Reading duty.yaml.
 */
#include "core/flow/flow.h"
#include "core/roster/roster.h"

#define DAY_MINUTES (24 * 60)

struct loader {
    struct puan_duty *d;
    const struct puan_duty_env *env;
};

int puan_duty_post(const struct puan_duty *d, struct puan_str id)
{
    for (size_t i = 0; i < d->n_posts; i++)
        if (puan_str_eq(d->post[i].id, id))
            return (int)i;
    return -1;
}
int puan_duty_shift(const struct puan_duty *d, struct puan_str id)
{
    for (size_t i = 0; i < d->n_shifts; i++)
        if (puan_str_eq(d->shift[i].id, id))
            return (int)i;
    return -1;
}
int puan_duty_group(const struct puan_duty *d, struct puan_str id)
{
    for (size_t i = 0; i < d->n_groups; i++)
        if (puan_str_eq(d->group[i].id, id))
            return (int)i;
    return -1;
}
bool puan_duty_kept(const struct puan_duty *d, struct puan_str level)
{
    for (size_t i = 0; i < d->n_levels; i++)
        if (puan_str_eq(d->level[i], level))
            return true;
    return false;
}

static bool id_ok(struct puan_str s)
{
    bool ok = s.n > 0 && s.n <= 31;

    for (size_t i = 0; i < s.n; i++)
        ok = ok && ((s.p[i] >= 'a' && s.p[i] <= 'z') || s.p[i] == '_' ||
                    s.p[i] == '-' || (s.p[i] >= '0' && s.p[i] <= '9'));
    return ok;
}

static enum puan_status names(struct puan_str *id, struct puan_str *zh,
                              struct puan_str *en, const struct puan_node *n,
                              struct puan_err *err)
{
    TRY(puan_node_str(id, n, "id", err));
    if (!id_ok(*id))
        return puan_node_fail(puan_node_get(n, "id"), err,
                              "an id is small letters, digits, _ and -, at "
                              "most 31");
    TRY(puan_node_str(zh, n, "zh", err));
    return puan_node_str(en, n, "en", err);
}

static enum puan_status role(const struct loader *l, const struct puan_node *at,
                             struct puan_str id, struct puan_err *err)
{
    if (l->env->role == NULL || l->env->role(l->env->of, id))
        return PUAN_OK;
    return puan_node_fail(at, err,
                          "the plan has no role \"%.*s\"; name one of roles in "
                          "plan.yaml",
                          PUAN_FMT(id));
}

static enum puan_status role_of(struct puan_str *out, const struct loader *l,
                                const struct puan_node *map, const char *key,
                                struct puan_err *err)
{
    TRY(puan_node_str(out, map, key, err));
    return role(l, puan_node_get(map, key), *out, err);
}

static enum puan_status list(const struct puan_node **out,
                             const struct puan_node *map, const char *key,
                             size_t most, struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(map, key);

    if (n == NULL || n->kind != PUAN_NODE_LIST || n->n == 0)
        return puan_node_fail(n ? n : map, err, "give a list `%s`", key);
    if (n->n > most)
        return puan_node_fail(n, err, "`%s` holds at most %zu", key, most);
    *out = n;
    return PUAN_OK;
}

/* "10m", "7d" or setting.NAME */
static enum puan_status length(int64_t *ms, const struct loader *l,
                               const struct puan_node *map, const char *key,
                               struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(map, key);
    struct puan_str s;

    TRY(puan_node_str(&s, map, key, err));
    if (puan_str_starts(s, "setting.")) {
        const struct puan_str id = { s.p + 8, s.n - 8 };

        if (l->env->setting == NULL) {
            *ms = 600000;
            return PUAN_OK;
        }
        if (!l->env->setting(ms, l->env->of, id))
            return puan_node_fail(n, err,
                                  "the plan has no duration \"%.*s\"; add it "
                                  "to settings of plan.yaml",
                                  PUAN_FMT(id));
    } else if (!puan_flow_duration(ms, s)) {
        return puan_node_fail(n, err,
                              "write a number and s, m, h or d: 10m; or "
                              "setting.NAME");
    }
    if (*ms < 1000 || *ms > INT64_C(366) * 86400000)
        return puan_node_fail(n, err, "`%s` lies between 1s and 366d", key);
    return PUAN_OK;
}

static enum puan_status read_post(struct loader *l, const struct puan_node *n,
                                  struct puan_err *err)
{
    static const char *const keys[] = { "id", "zh", "en", NULL };
    struct puan_duty_post *p = &l->d->post[l->d->n_posts];

    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err, "a post is a map {id, zh, en}");
    TRY(puan_node_only(n, keys, err));
    TRY(names(&p->id, &p->zh, &p->en, n, err));
    if (puan_duty_post(l->d, p->id) >= 0)
        return puan_node_fail(n, err, "the post stands twice; take one out");
    l->d->n_posts++;
    return PUAN_OK;
}

static bool clock_time(int *minute, struct puan_str s)
{
    const struct puan_str hh = { s.p, 2 }, mm = { s.p + 3, 2 };
    int64_t h, m;

    if (s.n != 5 || s.p[2] != ':' || s.p[0] < '0' || s.p[0] > '2' ||
        s.p[3] < '0' || s.p[3] > '5' || !puan_int_parse(&h, hh) ||
        !puan_int_parse(&m, mm) || h > 23)
        return false;
    *minute = (int)(h * 60 + m);
    return true;
}

static enum puan_status read_shift(struct loader *l, const struct puan_node *n,
                                   struct puan_err *err)
{
    static const char *const keys[] = { "id", "zh", "en", "from", "hours",
                                        NULL };
    struct puan_duty_shift *s = &l->d->shift[l->d->n_shifts];
    struct puan_str from;
    int64_t hours;

    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err,
                              "a shift is a map {id, from, hours, zh, en}");
    TRY(puan_node_only(n, keys, err));
    TRY(names(&s->id, &s->zh, &s->en, n, err));
    if (puan_duty_shift(l->d, s->id) >= 0)
        return puan_node_fail(n, err, "the shift stands twice; take one out");
    TRY(puan_node_str(&from, n, "from", err));
    if (!clock_time(&s->from_minute, from))
        return puan_node_fail(puan_node_get(n, "from"), err,
                              "write the time of day as \"08:00\"");
    TRY(puan_node_int(&hours, n, "hours", 1, 24, err));
    s->minutes = (int)hours * 60;
    l->d->n_shifts++;
    return PUAN_OK;
}

/* The day is covered once: no minute without a shift, none with two. */
static enum puan_status whole_day(const struct puan_duty *d,
                                  const struct puan_node *at,
                                  struct puan_err *err)
{
    for (int m = 0; m < DAY_MINUTES; m++) {
        unsigned n = 0;

        for (size_t i = 0; i < d->n_shifts; i++) {
            int since = m - d->shift[i].from_minute;

            since += since < 0 ? DAY_MINUTES : 0;
            n += since < d->shift[i].minutes;
        }
        if (n == 1)
            continue;
        return puan_node_fail(at, err,
                              "at %d%d:%d%d %s; let the shifts follow one "
                              "another over the whole day",
                              m / 600, m / 60 % 10, m % 60 / 10, m % 10,
                              n == 0 ? "there is no shift"
                                     : "there are two shifts");
    }
    return PUAN_OK;
}

/* "first" (a post), "role@own", "role@parent" */
static enum puan_status read_rung(struct loader *l, const struct puan_node *n,
                                  struct puan_err *err)
{
    struct puan_duty_rung *g = &l->d->rung[l->d->n_rungs++];
    struct puan_str rest = n->text, head;

    g->post = -1;
    if (n->kind != PUAN_NODE_SCALAR)
        return puan_node_fail(n, err, "a rung is a post or role@own, "
                                      "role@parent");
    if (!puan_str_holds(n->text, PUAN_STR("@"))) {
        g->reach = PUAN_DUTY_POST;
        g->post = puan_duty_post(l->d, n->text);
        if (g->post < 0)
            return puan_node_fail(n, err,
                                  "there is no post \"%.*s\"; name one of "
                                  "posts, or role@own",
                                  PUAN_FMT(n->text));
        return PUAN_OK;
    }
    (void)puan_str_split(&head, &rest, '@');
    g->role = head;
    if (puan_str_is(rest, "own"))
        g->reach = PUAN_DUTY_OWN;
    else if (puan_str_is(rest, "parent"))
        g->reach = PUAN_DUTY_PARENT;
    else
        return puan_node_fail(n, err, "a rung reaches @own or @parent");
    return role(l, n, head, err);
}

static enum puan_status read_transfer(struct loader *l,
                                      const struct puan_node *n,
                                      struct puan_err *err)
{
    static const char *const keys[] = { "flow", "to", NULL };
    static const char *const of[] = { "id", "act", "zh", "en", NULL };
    const struct puan_node *to = NULL;

    if (n == NULL)
        return PUAN_OK;
    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err, "`transfer` is a map {flow, to}");
    TRY(puan_node_only(n, keys, err));
    TRY(puan_node_str(&l->d->transfer_flow, n, "flow", err));
    TRY(list(&to, n, "to", PUAN_DUTY_GROUPS, err));
    PUAN_NODE_EACH(c, to) {
        struct puan_duty_group *g = &l->d->group[l->d->n_groups];

        if (c->kind != PUAN_NODE_MAP)
            return puan_node_fail(c, err, "a group is a map {id, act, zh, en}");
        TRY(puan_node_only(c, of, err));
        TRY(names(&g->id, &g->zh, &g->en, c, err));
        TRY(puan_node_str(&g->act, c, "act", err));
        if (puan_duty_group(l->d, g->id) >= 0)
            return puan_node_fail(c, err, "the group stands twice");
        l->d->n_groups++;
    }
    return PUAN_OK;
}

static enum puan_status read_contact(struct loader *l,
                                     const struct puan_node *n,
                                     struct puan_err *err)
{
    static const char *const keys[] = { "flow", NULL };

    if (n == NULL)
        return PUAN_OK;
    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err, "`contact` is a map {flow}");
    TRY(puan_node_only(n, keys, err));
    return puan_node_str(&l->d->contact_flow, n, "flow", err);
}

static enum puan_status read_levels(struct loader *l,
                                    const struct puan_node *tree,
                                    struct puan_err *err)
{
    const struct puan_node *n = NULL;

    TRY(list(&n, tree, "levels", PUAN_DUTY_LEVELS, err));
    PUAN_NODE_EACH(c, n) {
        if (c->kind != PUAN_NODE_SCALAR ||
            (l->env->level && !l->env->level(l->env->of, c->text)))
            return puan_node_fail(c, err,
                                  "the plan has no level \"%.*s\"; name one of "
                                  "levels in plan.yaml",
                                  PUAN_FMT(c->text));
        l->d->level[l->d->n_levels++] = c->text;
    }
    return PUAN_OK;
}

static enum puan_status read_roster(struct loader *l,
                                    const struct puan_node *tree,
                                    struct puan_err *err)
{
    const struct puan_node *n = NULL;

    TRY(list(&n, tree, "posts", PUAN_DUTY_POSTS, err));
    PUAN_NODE_EACH(c, n)
    TRY(read_post(l, c, err));
    if (l->d->leader) {
        if ((n = puan_node_get(tree, "shifts")) != NULL)
            return puan_node_fail(n, err,
                                  "leaders answer at all hours: take out the "
                                  "shifts, or write `duty: roster`");
        return PUAN_OK;
    }
    TRY(list(&n, tree, "shifts", PUAN_DUTY_SHIFTS, err));
    PUAN_NODE_EACH(c, n)
    TRY(read_shift(l, c, err));
    return whole_day(l->d, n, err);
}

enum puan_status puan_duty_load(struct puan_duty **out,
                                const struct puan_node *tree,
                                const struct puan_duty_env *env,
                                struct puan_arena *a, struct puan_err *err)
{
    static const char *const keys[] = { "duty",     "zh",      "en",
                                        "clauses",  "seat",    "office",
                                        "levels",   "posts",   "shifts",
                                        "swaps_by", "horizon", "answer",
                                        "test_every", "ladder", "contact",
                                        "transfer", NULL };
    struct loader l = { puan_new(a, struct puan_duty), env };
    const struct puan_node *n = NULL;
    struct puan_str model;

    if (l.d == NULL)
        return puan_arena_check(a, err);
    if (tree->kind != PUAN_NODE_MAP)
        return puan_node_fail(tree, err, "duty.yaml must be a map {duty, …}");
    TRY(puan_node_only(tree, keys, err));
    TRY(puan_node_str(&model, tree, "duty", err));
    l.d->leader = puan_str_is(model, "leader");
    if (!l.d->leader && !puan_str_is(model, "roster"))
        return puan_node_fail(puan_node_get(tree, "duty"), err,
                              "write roster or leader");
    TRY(puan_node_str(&l.d->zh, tree, "zh", err));
    TRY(puan_node_str(&l.d->en, tree, "en", err));
    TRY(role_of(&l.d->seat, &l, tree, "seat", err));
    TRY(role_of(&l.d->office, &l, tree, "office", err));
    if (puan_node_get(tree, "swaps_by") != NULL)
        TRY(role_of(&l.d->swaps_by, &l, tree, "swaps_by", err));
    TRY(read_levels(&l, tree, err));
    TRY(read_roster(&l, tree, err));
    TRY(length(&l.d->horizon_ms, &l, tree, "horizon", err));
    if (l.d->horizon_ms > INT64_C(31) * 86400000)
        return puan_node_fail(puan_node_get(tree, "horizon"), err,
                              "too far ahead; write at most 31d");
    TRY(length(&l.d->answer_ms, &l, tree, "answer", err));
    TRY(length(&l.d->test_every_ms, &l, tree, "test_every", err));
    TRY(list(&n, tree, "ladder", PUAN_DUTY_RUNGS, err));
    PUAN_NODE_EACH(c, n)
    TRY(read_rung(&l, c, err));
    TRY(read_contact(&l, puan_node_get(tree, "contact"), err));
    TRY(read_transfer(&l, puan_node_get(tree, "transfer"), err));
    *out = l.d;
    return puan_arena_check(a, err);
}
