/*
 * What a flow that can run still lacks: words for people, somebody who hears
 * of a deadline, a function behind `call:`.
 */
#include "base/near.h"
#include "core/flow/flow.h"

struct lint {
    const struct puan_flow *f;
    const struct puan_node *tree;
    const struct puan_flow_env *env;
    puan_flow_note *note;
    void *arg;
};

/* ---- words --------------------------------------------------------------- */

/* A place that has no node of its own stands at its key. */
static void lacks(struct lint *l, const struct puan_node *at, bool key,
                  const char *kind, struct puan_str name, const char *which,
                  const char *remedy)
{
    struct puan_err e = { 0 };

    (void)puan_fail_at(&e, PUAN_EINVAL, at->file,
                       key && at->key_line ? at->key_line : at->line,
                       key && at->key_line ? at->key_col : at->col,
                       "the %s \"%.*s\" has no %s, so that people would read "
                       "the bare name; %s",
                       kind, PUAN_FMT(name), which, remedy);
    l->note(l->arg, &e);
}

/* `words`: the map that should hold zh and en, at `at` when there is none. */
static void words(struct lint *l, const struct puan_node *at,
                  const struct puan_node *map, const char *kind,
                  struct puan_str name, const char *where)
{
    bool zh = puan_node_str_opt(map, "zh", "").n > 0;
    bool en = puan_node_str_opt(map, "en", "").n > 0;
    char remedy[128];

    if (zh && en)
        return;
    puan_format(remedy, sizeof remedy, "add %s%s%s%s", where,
                zh ? "" : "zh: …", zh || en ? "" : ", ", en ? "" : "en: …");
    lacks(l, at, at->kind == PUAN_NODE_MAP, kind, name,
          zh   ? "en"
          : en ? "zh"
               : "words",
          remedy);
}

static void words_of_enum(struct lint *l, const struct puan_node *field)
{
    const struct puan_node *of = puan_node_get(field, "of");
    const struct puan_node *map = puan_node_get(field, "words");

    PUAN_NODE_EACH(w, of)
        words(l, w, puan_node_get_s(map, w->text), "word", w->text,
              "under words: ");
}

static void words_of_map(struct lint *l, const char *key, const char *kind)
{
    PUAN_NODE_EACH(c, puan_node_get(l->tree, key))
    {
        words(l, c, c, kind, c->key, "");
        words_of_enum(l, c);
    }
}

static void words_of_list(struct lint *l, const char *key, const char *kind)
{
    PUAN_NODE_EACH(c, puan_node_get(l->tree, key))
    {
        const struct puan_node *id = puan_node_get(c, "id");

        words(l, id ? id : c, c, kind, id ? id->text : c->key, "");
    }
}

static void words_of_states(struct lint *l)
{
    const struct puan_node *labels = puan_node_get(l->tree, "labels");

    PUAN_NODE_EACH(part, puan_node_get(l->tree, "states"))
    {
        if (part->kind == PUAN_NODE_SCALAR)
            words(l, part, puan_node_get_s(labels, part->text), "state",
                  part->text, "under labels: ");
        PUAN_NODE_EACH(c, part)
            words(l, c, puan_node_get_s(labels, c->text), "state", c->text,
                  "under labels: ");
    }
}

/* ---- deadlines ------------------------------------------------------------- */

static bool told(const struct puan_flow_effect *e, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (e[i].kind == PUAN_FLOW_NOTIFY || e[i].kind == PUAN_FLOW_SEND ||
            e[i].kind == PUAN_FLOW_SPAWN)
            return true;
    return false;
}

/* When the clock is due somebody hears of it: by its ladder, by what happens
 * then, or by the clock that begins there. */
static bool heard(const struct puan_flow *f, size_t clock, unsigned hops)
{
    const struct puan_flow_clock *c = &f->clocks[clock];

    if (c->n_ladder > 0 || told(c->on_due, c->n_on_due))
        return true;
    for (size_t i = 0; i < f->n_transitions; i++)
        if (f->transitions[i].clock == (int)clock &&
            (told(f->transitions[i].effects, f->transitions[i].n_effects) ||
             f->transitions[i].report >= 0))
            return true;
    for (size_t i = 0; hops > 0 && i < f->n_clocks; i++)
        for (size_t k = 0; k < f->clocks[i].n_start; k++)
            if (f->clocks[i].start[k].kind == PUAN_FLOW_ON_DUE &&
                f->clocks[i].start[k].index == (int)clock &&
                heard(f, i, hops - 1))
                return true;
    return false;
}

/* A clock that something stops is a deadline: who lets it pass is told on. */
static void deadlines(struct lint *l)
{
    PUAN_NODE_EACH(c, puan_node_get(l->tree, "clocks"))
    {
        int at = puan_flow_clock(l->f, c->key);
        struct puan_err e = { 0 };

        if (at < 0 || l->f->clocks[at].n_stop == 0 ||
            heard(l->f, (size_t)at, 8))
            continue;
        (void)puan_fail_at(&e, PUAN_EINVAL, c->file, c->key_line, c->key_col,
                           "nobody is told when the deadline \"%.*s\" has "
                           "passed; name a seat under overdue:",
                           PUAN_FMT(c->key));
        l->note(l->arg, &e);
    }
}

/* ---- calls ----------------------------------------------------------------- */

/* "release:publish" of the list, for flows of subject release. */
static bool of_subject(struct puan_str *name, struct puan_str call,
                       struct puan_str subject)
{
    struct puan_str head, rest = call;

    if (!puan_str_split(&head, &rest, ':') || !puan_str_eq(head, subject))
        return false;
    *name = rest;
    return true;
}

static void call(struct lint *l, const struct puan_node *n)
{
    struct puan_str name, known;
    struct puan_near near;
    struct puan_err e = { 0 };
    bool any = false;

    if (n->kind != PUAN_NODE_SCALAR || !puan_str_starts(n->text, "call:"))
        return;
    name = (struct puan_str){ n->text.p + 5, n->text.n - 5 };
    near = puan_near_to(name);
    for (size_t i = 0; i < l->env->n_calls; i++) {
        if (!of_subject(&known, l->env->calls[i], l->f->subject))
            continue;
        if (puan_str_eq(known, name))
            return;
        puan_near_try(&near, known);
        if (!any)
            near.name = near.name.n ? near.name : known;
        any = true;
    }
    if (any)
        (void)puan_node_fail(n, &e,
                             "no function \"%.*s\" of subject %.*s, did you "
                             "mean call:%.*s",
                             PUAN_FMT(name), PUAN_FMT(l->f->subject),
                             PUAN_FMT(near.name));
    else
        (void)puan_node_fail(n, &e,
                             "nothing can be called in a flow of subject "
                             "%.*s; remove call:%.*s",
                             PUAN_FMT(l->f->subject), PUAN_FMT(name));
    l->note(l->arg, &e);
}

/* Every effect of the file, wherever it stands. */
static void calls(struct lint *l, const struct puan_node *n)
{
    static const char *const keys[] = { "effects", "do", "on_due",
                                        "on_refused" };

    PUAN_NODE_EACH(c, n)
    {
        bool here = false;

        for (size_t i = 0; i < PUAN_COUNT(keys); i++)
            here = here || puan_str_is(c->key, keys[i]);
        if (here && c->kind == PUAN_NODE_SCALAR)
            call(l, c);
        if (here && c->kind == PUAN_NODE_LIST)
            PUAN_NODE_EACH(e, c)
                call(l, e);
        if (!here)
            calls(l, c);
    }
}

void puan_flow_lint(const struct puan_flow *f, const struct puan_node *tree,
                    const struct puan_flow_env *env, puan_flow_note *note,
                    void *arg)
{
    struct lint l = { f, tree, env, note, arg };

    words(&l, puan_node_get(tree, "flow"), tree, "flow", f->label.name, "");
    words_of_states(&l);
    words_of_map(&l, "seats", "seat");
    words_of_map(&l, "fields", "field");
    words_of_map(&l, "evidence", "kind of evidence");
    words_of_map(&l, "facts", "fact");
    words_of_list(&l, "transitions", "transition");
    words_of_list(&l, "steps", "step");
    words_of_map(&l, "approvals", "approval");
    words_of_map(&l, "clocks", "clock");
    words_of_map(&l, "reports", "report");
    words_of_map(&l, "quantities", "quantity");
    deadlines(&l);
    if (env->calls != NULL)
        calls(&l, tree);
}
