/*
 * Scenarios: reading proof/ *.yaml of a plan's packs, and playing one.
 */
#include "core/proof/internal.h"

/* ---- reading ---------------------------------------------------------------- */

static struct puan_str word_of(struct puan_str *rest)
{
    struct puan_str s = puan_str_trim(*rest);
    size_t i = 0;

    while (i < s.n && s.p[i] != ' ')
        i++;
    *rest = puan_str_trim((struct puan_str){ s.p + i, s.n - i });
    return (struct puan_str){ s.p, i };
}

/* Splits at the first `mark`; *rest is what follows, empty without one. */
static struct puan_str before(struct puan_str s, const char *mark,
                              struct puan_str *rest)
{
    size_t n = strlen(mark);

    *rest = PUAN_STR("");
    for (size_t i = 0; i + n <= s.n; i++)
        if (memcmp(s.p + i, mark, n) == 0) {
            *rest = (struct puan_str){ s.p + i + n, s.n - i - n };
            return (struct puan_str){ s.p, i };
        }
    return s;
}

/*
 * "flows/x.yaml clocks.up", "clocks.up" under `of`, "PATH ~ text cut out",
 * "PATH := another value", "PATH + PATH" together.
 */
static enum puan_status read_rest(struct puan_rest *r,
                                  const struct puan_node *n,
                                  struct puan_str text, struct puan_str of,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_str more, s = before(text, " + ", &more), first;

    if (n->kind != PUAN_NODE_SCALAR || s.n == 0)
        return puan_node_fail(n, err,
                              "expected \"FILE PATH\", a path inside the pack "
                              "that the clause rests on");
    r->at = n;
    s = before(s, " ~ ", &r->cut);
    s = before(s, " := ", &r->set);
    first = word_of(&s);
    r->file = s.n > 0 ? first : of;
    r->path = s.n > 0 ? s : first;
    if (r->file.n == 0)
        return puan_node_fail(n, err,
                              "which file? write \"flows/x.yaml %.*s\", or put "
                              "`of: flows/x.yaml` at the head",
                              PUAN_FMT(first));
    if (more.n > 0) {
        struct puan_rest *also = puan_new(a, struct puan_rest);

        if (also == NULL)
            return puan_arena_check(a, err);
        r->also = also;
        return read_rest(also, n, more, of, a, err);
    }
    return PUAN_OK;
}

static enum puan_status read_proves(struct puan_scenario *s,
                                    const struct puan_node *map,
                                    struct puan_str of, struct puan_arena *a,
                                    struct puan_err *err)
{
    struct puan_proves *list;

    if (map == NULL || map->kind != PUAN_NODE_MAP || map->n == 0)
        return puan_node_fail(map ? map : s->tree, err,
                              "`proves` maps each clause to the paths it rests "
                              "on: {GX-11a: [flows/incident.yaml clocks.up]}");
    list = puan_new_n(a, map->n, struct puan_proves);
    if (list == NULL)
        return puan_arena_check(a, err);
    s->proves = list;
    PUAN_NODE_EACH(c, map)
    {
        struct puan_proves *p = &list[s->n++];
        bool one = c->kind == PUAN_NODE_SCALAR;
        struct puan_rest *rest =
            puan_new_n(a, one ? 1 : c->n + 1, struct puan_rest);

        if (rest == NULL)
            return puan_arena_check(a, err);
        p->clause = c->key;
        p->at = c;
        p->rest = rest;
        if (one) {
            TRY(read_rest(rest, c, c->text, of, a, err));
            p->n = 1;
            continue;
        }
        if (c->kind != PUAN_NODE_LIST || c->n == 0)
            return puan_node_fail(c, err,
                                  "the paths the clause rests on are a list; "
                                  "at least one");
        PUAN_NODE_EACH(r, c)
        TRY(read_rest(&rest[p->n++], r, r->text, of, a, err));
    }
    return PUAN_OK;
}

/* An area below the shards' level by the digits of the plan: 11, 1101, ... */
static int64_t some_area(const struct puan_plan *p)
{
    size_t to = p->shard_level + 1 < p->n_levels ? p->shard_level + 1
                                                 : p->shard_level;
    unsigned have = 0;
    int64_t code = 0;

    for (size_t i = 0; i <= to && i < p->n_levels; i++) {
        for (; have < p->level[i].digits; have++)
            code = code * 10 + (have == 0 || have + 1 == p->level[i].digits);
    }
    return code;
}

/* The first of the two that has the key. */
static const struct puan_node *either(const struct puan_node *a,
                                      const struct puan_node *b,
                                      const char *key)
{
    const struct puan_node *n = puan_node_get(a, key);

    return n != NULL ? n : puan_node_get(b, key);
}

/* Numbers of traps it shows: one, or a list. */
static enum puan_status read_traps(struct puan_scenario *s,
                                   const struct puan_node *n,
                                   struct puan_err *err)
{
    const struct puan_node *one = n;

    if (n != NULL && n->kind == PUAN_NODE_LIST)
        one = n->first;
    for (; one != NULL; one = one == n ? NULL : one->next) {
        int64_t v;

        if (!puan_int_parse(&v, one->text) || v < 1 || v > 63)
            return puan_node_fail(one, err, "`trap` is a number from 1");
        s->traps |= UINT64_C(1) << v;
    }
    return PUAN_OK;
}

static enum puan_status read_one(struct puan_scenario *s,
                                 const struct puan_node *n,
                                 const struct puan_node *file,
                                 const struct puan_plan *plan,
                                 struct puan_str pack, struct puan_arena *a,
                                 struct puan_err *err)
{
    static const char *const keys[] = { "id",     "zh",     "en",
                                        "proves", "of",     "server",
                                        "area",   "time",   "vacant",
                                        "play",   "trap",   NULL };
    const struct puan_node *of = either(n, file, "of");
    const struct puan_node *area = either(n, file, "area");
    const struct puan_node *time = either(n, file, "time");

    s->tree = n;
    s->pack = pack;
    s->begins = puan_node_get(file, "begin");
    s->vacant = puan_node_get(n, "vacant");
    s->play = puan_node_get(n, "play");
    s->area = some_area(plan);
    s->from_ms = plan->reference_ms ? plan->reference_ms
                                    : INT64_C(1604275200000);
    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err, "a scenario is a map");
    TRY(puan_node_only(n, keys, err));
    TRY(puan_node_str(&s->id, n, "id", err));
    TRY(puan_node_str(&s->zh, n, "zh", err));
    TRY(puan_node_str(&s->en, n, "en", err));
    TRY(puan_node_bool(&s->server, n, "server", false, err));
    if (area != NULL && (!puan_int_parse(&s->area, area->text) ||
                         s->area <= 0))
        return puan_node_fail(area, err, "area is the code of an area");
    if (time != NULL && !puan_instant_parse(&s->from_ms, time->text))
        return puan_node_fail(time, err,
                              "write a time like 2020-11-02T08:00:00+08:00");
    TRY(read_traps(s, puan_node_get(n, "trap"), err));
    TRY(read_proves(s, puan_node_get(n, "proves"),
                    of ? of->text : PUAN_STR(""), a, err));
    if (s->play == NULL || s->play->kind != PUAN_NODE_LIST || s->play->n == 0)
        return puan_node_fail(n, err, "`play` is a list of steps");
    return PUAN_OK;
}

static bool is_proof(const struct puan_plan_file *f)
{
    return puan_str_starts(f->path, "proof/") && f->tree != NULL;
}

enum puan_status puan_scenarios_read(struct puan_scenarios *out,
                                     const struct puan_plan *plan,
                                     struct puan_arena *a, struct puan_err *err)
{
    static const char *const keys[] = { "proof", "of",        "area", "time",
                                        "begin", "scenarios", NULL };
    struct puan_scenario *list;
    size_t most = 0;

    *out = (struct puan_scenarios){ 0 };
    for (size_t k = 0; k < plan->n_packs; k++)
        for (size_t i = 0; i < plan->pack[k].n_files; i++)
            if (is_proof(&plan->pack[k].file[i])) {
                const struct puan_node *l = puan_node_get(
                    plan->pack[k].file[i].tree, "scenarios");

                most += l ? l->n : 0;
            }
    list = puan_new_n(a, most + 1, struct puan_scenario);
    if (list == NULL)
        return puan_arena_check(a, err);
    out->list = list;
    for (size_t k = 0; k < plan->n_packs; k++) {
        for (size_t i = 0; i < plan->pack[k].n_files; i++) {
            const struct puan_plan_file *f = &plan->pack[k].file[i];
            const struct puan_node *scenarios;
            struct puan_str name;

            if (!is_proof(f))
                continue;
            if (f->tree->kind != PUAN_NODE_MAP)
                return puan_node_fail(f->tree, err,
                                      "a proof file is a map {proof, "
                                      "scenarios}");
            TRY(puan_node_only(f->tree, keys, err));
            TRY(puan_node_str(&name, f->tree, "proof", err));
            scenarios = puan_node_get(f->tree, "scenarios");
            if (scenarios == NULL || scenarios->kind != PUAN_NODE_LIST)
                return puan_node_fail(scenarios ? scenarios : f->tree, err,
                                      "`scenarios` is a list");
            PUAN_NODE_EACH(c, scenarios)
            {
                struct puan_scenario *s = &list[out->n];

                TRY(read_one(s, c, f->tree, plan, f->pack, a, err));
                for (size_t j = 0; j < out->n; j++)
                    if (puan_str_eq(list[j].id, s->id))
                        return puan_node_fail(c, err,
                                              "a scenario \"%.*s\" stands in "
                                              "%s already",
                                              PUAN_FMT(s->id),
                                              list[j].tree->file);
                out->n++;
            }
        }
    }
    return PUAN_OK;
}

/* ---- playing ------------------------------------------------------------------ */

/* Keys that every step may have: who acts, about what, how it comes out. */
static const char *const common[] = { "by",      "level",   "seat",
                                      "person",  "as",      "as_level",
                                      "case",    "refused", "because",
                                      "note",    NULL };

static bool listed(const char *words, struct puan_str w)
{
    struct puan_str rest = puan_str_of(words), one;

    while (puan_str_split(&one, &rest, ' '))
        if (puan_str_eq(one, w))
            return true;
    return false;
}

static const struct puan_verb *verb_of(const struct puan_world *w,
                                       struct puan_str key)
{
    for (const struct puan_verb *const *l = w->stage->verbs;
         l != NULL && *l != NULL; l++)
        for (const struct puan_verb *v = *l; v->name != NULL; v++)
            if (puan_str_is(key, v->name))
                return v;
    for (const struct puan_verb *v = puan_world_verbs; v->name != NULL; v++)
        if (puan_str_is(key, v->name))
            return v;
    return NULL;
}

static enum puan_status one_step(struct puan_world *w,
                                 const struct puan_node *step,
                                 struct puan_err *err)
{
    const struct puan_verb *verb = NULL;

    if (step->kind != PUAN_NODE_MAP)
        return puan_node_fail(step, err, "a step is a map: {act: report, by: "
                                         "duty-officer}");
    /* the first key that is a verb's; a later one is a plain key of it */
    PUAN_NODE_EACH(c, step)
    {
        verb = verb_of(w, c->key);
        if (verb != NULL)
            break;
    }
    if (verb == NULL)
        return puan_node_fail(step, err, "no verb in this step; doc/proof.md "
                                         "has the list");
    PUAN_NODE_EACH(c, step)
    {
        bool known = puan_str_is(c->key, verb->name) ||
                     listed(verb->keys, c->key);

        for (const char *const *k = common; *k != NULL && !known; k++)
            known = puan_str_is(c->key, *k);
        if (!known)
            return puan_node_fail(c, err,
                                  "the verb \"%s\" takes no \"%.*s\"; it takes "
                                  "%s",
                                  verb->name, PUAN_FMT(c->key),
                                  verb->keys[0] ? verb->keys : "nothing more");
    }
    w->played.steps++;
    return verb->run(w, step, err);
}

enum puan_status puan_world_steps(struct puan_world *w,
                                  const struct puan_node *list,
                                  struct puan_err *err)
{
    PUAN_NODE_EACH(step, list)
    TRY(one_step(w, step, err));
    return puan_arena_check(w->arena, err);
}

static enum puan_status sides(const struct puan_scenario *s,
                              const struct puan_played *p,
                              struct puan_err *err)
{
    bool clocks = false;

    if (p->allowed + p->found + p->met == 0)
        return puan_node_fail(s->tree, err,
                              "the scenario has no positive side: nothing is "
                              "allowed, found or met");
    if (p->refused + p->absent + p->missed == 0)
        return puan_node_fail(s->tree, err,
                              "the scenario has no negative side: nothing is "
                              "refused, absent or missed");
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < s->proves[i].n; k++)
            clocks = clocks ||
                     (puan_str_starts(s->proves[i].rest[k].file, "flows/") &&
                      puan_str_starts(s->proves[i].rest[k].path, "clocks."));
    if (clocks && !s->server && (p->met == 0 || p->missed == 0))
        return puan_node_fail(s->tree, err,
                              "a clause rests on a clock: the play must meet "
                              "it once and miss it once");
    return PUAN_OK;
}

enum puan_status puan_scenario_play(struct puan_played *played,
                                    const struct puan_stage *stage,
                                    const struct puan_scenario *s,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_world *w = puan_new(a, struct puan_world);
    enum puan_status st;

    if (w == NULL)
        return puan_arena_check(a, err);
    w->stage = stage;
    w->scenario = s;
    w->arena = a;
    puan_world_fresh(w);
    st = puan_world_steps(w, s->play, err);
    if (st == PUAN_OK && !stage->mutant)
        st = sides(s, &w->played, err);
    if (played != NULL)
        *played = w->played;
    if (st == PUAN_OK || st == PUAN_ENOMEM || st == PUAN_EIO ||
        st == PUAN_EWRITE || st == PUAN_EBUSY || st == PUAN_EBUG)
        return st;
    return PUAN_EINVAL;
}
