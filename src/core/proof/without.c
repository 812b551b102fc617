/*
 * A plan without one of its parts.
 */
#include "core/plan/flows.h"
#include "core/proof/internal.h"

/* ---- a tree without a node ------------------------------------------------ */

static struct puan_node *copy(const struct puan_node *n, struct puan_arena *a)
{
    struct puan_node *c = puan_new(a, struct puan_node), **tail;

    if (c == NULL)
        return NULL;
    *c = *n;
    c->next = NULL;
    c->first = NULL;
    tail = &c->first;
    for (const struct puan_node *k = n->first; k != NULL; k = k->next) {
        *tail = copy(k, a);
        if (*tail == NULL)
            return NULL;
        tail = &(*tail)->next;
    }
    return c;
}

/* Does a child answer to that word: its key; in a list its text, its id or
 * another name it has, or its number. */
static bool answers(const struct puan_node *parent, const struct puan_node *c,
                    size_t i, struct puan_str word)
{
    static const char *const names[] = { "id",   "name", "seat", "item",
                                         "rule", "on",   "raise", "flow" };
    int64_t number;

    if (parent->kind == PUAN_NODE_MAP)
        return puan_str_eq(c->key, word);
    if (c->kind == PUAN_NODE_SCALAR && puan_str_eq(c->text, word))
        return true;
    for (size_t k = 0; k < PUAN_COUNT(names) && c->kind == PUAN_NODE_MAP; k++) {
        const struct puan_node *n = puan_node_get(c, names[k]);

        if (n != NULL && n->kind == PUAN_NODE_SCALAR &&
            puan_str_eq(n->text, word))
            return true;
    }
    return puan_int_parse(&number, word) && number == (int64_t)i;
}

/* The child that a path starts with; the whole path first, then as far as a
 * dot: keys and texts may hold dots. */
static struct puan_node **child(struct puan_node *n, struct puan_str *path)
{
    for (size_t len = path->n; len > 0; len--) {
        struct puan_str word = { path->p, len };
        struct puan_node **c = &n->first;

        if (len < path->n && path->p[len] != '.')
            continue;
        for (size_t i = 0; *c != NULL; i++, c = &(*c)->next) {
            if (!answers(n, *c, i, word))
                continue;
            *path = len < path->n
                        ? (struct puan_str){ path->p + len + 1,
                                             path->n - len - 1 }
                        : PUAN_STR("");
            return c;
        }
    }
    return NULL;
}

static enum puan_status cut_out(struct puan_node *n, struct puan_str cut,
                                struct puan_arena *a, struct puan_err *err)
{
    size_t at = 0, times = 0;

    for (size_t i = 0; n->kind == PUAN_NODE_SCALAR && cut.n <= n->text.n &&
                       i <= n->text.n - cut.n;
         i++)
        if (memcmp(n->text.p + i, cut.p, cut.n) == 0) {
            at = i;
            times++;
        }
    if (times != 1)
        return puan_node_fail(n, err,
                              times ? "\"%.*s\" stands here more than once"
                                    : "there is no text \"%.*s\" here",
                              PUAN_FMT(cut));
    n->text = puan_str_of(
        puan_arena_fmt(a, "%.*s%.*s", (int)at, n->text.p,
                       (int)(n->text.n - at - cut.n), n->text.p + at + cut.n));
    return PUAN_OK;
}

enum puan_status puan_node_without(struct puan_node **out,
                                   const struct puan_node *tree,
                                   const struct puan_rest *what,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_node *root = copy(tree, a), *parent = root;
    struct puan_str rest = what->path;

    *out = root;
    if (root == NULL)
        return puan_arena_check(a, err);
    for (;;) {
        struct puan_node **c = rest.n ? child(parent, &rest) : NULL;

        if (c == NULL)
            return puan_fail(err, PUAN_ENOTFOUND, tree->file,
                             "there is no \"%.*s\" here",
                            PUAN_FMT(what->path));
        if (rest.n > 0) {
            parent = *c;
            continue;
        }
        if (what->cut.n > 0)
            return cut_out(*c, what->cut, a, err) == PUAN_OK ? PUAN_OK
                                                             : PUAN_ENOTFOUND;
        if (what->set.n > 0) {
            if ((*c)->kind != PUAN_NODE_SCALAR)
                return puan_fail(err, PUAN_ENOTFOUND, tree->file,
                                 "\"%.*s\" is no single value",
                                 PUAN_FMT(what->path));
            (*c)->text = what->set;
            return PUAN_OK;
        }
        *c = (*c)->next;
        parent->n--;
        return PUAN_OK;
    }
}

/* ---- texts of rules --------------------------------------------------------- */

static bool word_at(struct puan_str t, size_t i, struct puan_str w)
{
    return i + w.n <= t.n && memcmp(t.p + i, w.p, w.n) == 0;
}
static bool starts_item(struct puan_str t, size_t i)
{
    static const char *const words[] = { "rule ",  "const ", "define ",
                                         "set ",   "level ", "table ",
                                         "without " };

    if (i > 0 && t.p[i - 1] != '\n')
        return false;
    for (size_t k = 0; k < PUAN_COUNT(words); k++)
        if (word_at(t, i, puan_str_of(words[k])))
            return true;
    return false;
}

/* The text without the rule or definition of that name. */
static enum puan_status rule_out(struct puan_str *out, struct puan_str text,
                                 const char *file, struct puan_str name,
                                 struct puan_arena *a, struct puan_err *err)
{
    for (size_t i = 0; i < text.n; i++) {
        size_t k = i, end;

        if (!starts_item(text, i))
            continue;
        while (k < text.n && text.p[k] != ' ')
            k++;
        while (k < text.n && text.p[k] == ' ')
            k++;
        if (!word_at(text, k, name) ||
            (k + name.n < text.n && text.p[k + name.n] != ' ' &&
             text.p[k + name.n] != '\n' && text.p[k + name.n] != ','))
            continue;
        end = i + 1;
        while (end < text.n && !starts_item(text, end))
            end++;
        *out = puan_str_of(puan_arena_fmt(a, "%.*s%.*s", (int)i, text.p,
                                          (int)(text.n - end), text.p + end));
        return puan_arena_check(a, err);
    }
    return puan_fail(err, PUAN_ENOTFOUND, file, "there is no rule \"%.*s\"",
                     PUAN_FMT(name));
}

/* ---- the plan ----------------------------------------------------------------- */

/* Whether a pack behind this one has the file too. */
static bool once_more(const struct puan_plan_pack *k, size_t n_packs, size_t i,
                      struct puan_str file)
{
    while (++i < n_packs)
        for (size_t j = 0; j < k[i].n_files; j++)
            if (puan_str_eq(k[i].file[j].path, file))
                return true;
    return false;
}

/*
 * Changes one file of packs that are ours; its list of files is made ours.
 * Where several packs have such a file (risks.yaml), the first that has the
 * path is meant.
 */
static enum puan_status change(struct puan_plan_pack *k, size_t n_packs,
                               const struct puan_rest *rest,
                               struct puan_arena *a, struct puan_err *err)
{
    for (size_t i = 0; i < n_packs; i++) {
        for (size_t j = 0; j < k[i].n_files; j++) {
            struct puan_plan_file *f;
            struct puan_node *tree = NULL;

            if (!puan_str_eq(k[i].file[j].path, rest->file))
                continue;
            if (k[i].file[j].tree != NULL) {
                bool more = once_more(k, n_packs, i, rest->file);
                enum puan_status st = puan_node_without(
                    &tree, k[i].file[j].tree, rest, a, more ? NULL : err);

                if (st == PUAN_ENOTFOUND && more)
                    break;
                TRY(st);
            }
            f = puan_new_n(a, k[i].n_files, struct puan_plan_file);
            if (f == NULL)
                return puan_arena_check(a, err);
            memcpy(f, k[i].file, k[i].n_files * sizeof *f);
            k[i].file = f;
            if (f[j].tree == NULL)
                return rule_out(&f[j].text, f[j].text, f[j].name, rest->path, a,
                                err);
            f[j].tree = tree;
            f[j].text = (struct puan_str){ NULL, 0 }; /* the tree alone holds it */
            return PUAN_OK;
        }
    }
    return puan_fail(err, PUAN_ENOTFOUND, rest->at->file,
                     "no pack has a file \"%.*s\"", PUAN_FMT(rest->file));
}

/* The packs again, without what is named. */
static enum puan_status packs_without(struct puan_plan_pack **out,
                                      const struct puan_plan *of,
                                      const struct puan_rest *rest,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    struct puan_plan_pack *k =
        puan_new_n(a, of->n_packs, struct puan_plan_pack);

    if (k == NULL)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < of->n_packs; i++)
        k[i] = of->pack[i];
    *out = k;
    for (; rest != NULL; rest = rest->also)
        TRY(change(k, of->n_packs, rest, a, err));
    return PUAN_OK;
}

/* The flows again; those whose file has not changed are shared. */
static enum puan_status flows_again(struct puan_flows *out,
                                    const struct puan_plan *p,
                                    const struct puan_plan *of,
                                    const struct puan_flows *flows_of,
                                    struct puan_arena *a, struct puan_err *err)
{
    const struct puan_flow **list = (const struct puan_flow **)puan_arena_get_n(
        a, p->n_flows + 1, sizeof(void *));
    struct puan_flow_env env;

    if (list == NULL)
        return puan_arena_check(a, err);
    TRY(puan_plan_flow_env(&env, p, a, err));
    env.empty_fields = true; /* the scenario shows what lacks, not the loader */
    for (size_t i = 0; i < p->n_flows; i++) {
        struct puan_flow *f = NULL;

        if (p->flows[i]->tree == of->flows[i]->tree) {
            list[i] = flows_of->flow[i];
            continue;
        }
        TRY(puan_flow_load(&f, p->flows[i]->tree, &env, a, err));
        list[i] = f;
    }
    out->flow = list;
    out->n = p->n_flows;
    return PUAN_OK;
}

/* Files that nothing of the loaded plan was made of: only their tree counts. */
static bool loose(struct puan_str file)
{
    static const char *const folders[] = { "plan.yaml", "forms/", "codes/",
                                           "rules/", "figures/", "dossiers/" };

    for (size_t i = 0; i < PUAN_COUNT(folders); i++)
        if (puan_str_starts(file, folders[i]))
            return false;
    return true;
}

enum puan_status puan_plan_without(const struct puan_plan **plan,
                                   struct puan_flows *flows,
                                   const struct puan_plan *of,
                                   const struct puan_flows *flows_of,
                                   const struct puan_rest *rest,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_plan_pack *packs = NULL;
    bool plan_again = false, flows_too = false;
    struct puan_plan *p;

    TRY(packs_without(&packs, of, rest, a, err));
    for (const struct puan_rest *r = rest; r != NULL; r = r->also) {
        plan_again = plan_again || !loose(r->file);
        flows_too = flows_too || puan_str_starts(r->file, "flows/");
    }
    if (plan_again) {
        TRY(puan_plan_load(&p, packs, of->n_packs, NULL, NULL, a, err));
        *plan = p;
        return puan_flows_load(flows, p, a, err);
    }
    p = puan_new(a, struct puan_plan);
    if (p == NULL)
        return puan_arena_check(a, err);
    *p = *of;
    p->pack = packs;
    *plan = p;
    *flows = *flows_of;
    if (flows_too) {
        const struct puan_plan_file **list =
            (const struct puan_plan_file **)puan_arena_get_n(
                a, p->n_flows + 1, sizeof(void *));

        if (list == NULL)
            return puan_arena_check(a, err);
        for (size_t i = 0; i < p->n_flows; i++) {
            list[i] = p->flows[i];
            for (size_t k = 0; k < p->n_packs; k++)
                for (size_t j = 0; j < packs[k].n_files; j++)
                    if (puan_str_eq(packs[k].name, list[i]->pack) &&
                        puan_str_eq(packs[k].file[j].path, list[i]->path))
                        list[i] = &packs[k].file[j];
        }
        p->flows = list;
        return flows_again(flows, p, of, flows_of, a, err);
    }
    return PUAN_OK;
}
