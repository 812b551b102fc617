/*
 * Reading help/NAME.yaml; see help.h.
 */
#include "core/help/help.h"

static bool is_name(struct puan_str s)
{
    if (s.n == 0 || s.n > 40 || s.p[0] == '-')
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') ||
              (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-'))
            return false;
    return true;
}

static enum puan_status read_name(struct puan_str *out,
                                  const struct puan_node *map, const char *key,
                                  struct puan_err *err)
{
    TRY(puan_node_str(out, map, key, err));
    if (!is_name(*out))
        return puan_node_fail(puan_node_get(map, key), err,
                              "%s: is a name of small letters, digits and "
                              "hyphens, at most 40",
                              key);
    return PUAN_OK;
}

/* Text that is there and not too long, in characters or in bytes. */
static enum puan_status read_text(struct puan_str *out,
                                  const struct puan_node *map, const char *key,
                                  size_t characters, struct puan_err *err)
{
    const struct puan_node *n;
    struct puan_str s;
    size_t long_is;

    TRY(puan_node_str(out, map, key, err));
    n = puan_node_get(map, key);
    s = *out;
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\n'))
        s = (struct puan_str){ s.p + 1, s.n - 1 };
    if (s.n == 0)
        return puan_node_fail(n, err, "%s: is empty; write it", key);
    long_is = characters ? puan_utf8_length(*out) : out->n;
    if (long_is > (characters ? characters : PUAN_HELP_TEXT))
        return puan_node_fail(n, err,
                              "%s: has %zu %s; say it in %zu at most", key,
                              long_is, characters ? "characters" : "bytes",
                              characters ? characters
                                         : (size_t)PUAN_HELP_TEXT);
    return PUAN_OK;
}

static enum puan_status read_words(struct puan_help_article *x,
                                   const struct puan_node *n,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_str *words;

    if (n == NULL)
        return PUAN_OK;
    if (n->kind != PUAN_NODE_LIST || n->n == 0)
        return puan_node_fail(n, err, "words: is a list of words");
    words = puan_new_n(a, n->n, struct puan_str);
    if (words == NULL)
        return puan_arena_check(a, err);
    PUAN_NODE_EACH(c, n) {
        if (c->kind != PUAN_NODE_SCALAR || c->text.n == 0)
            return puan_node_fail(c, err, "words: is a list of words");
        words[x->n_words++] = c->text;
    }
    x->words = words;
    return PUAN_OK;
}

static enum puan_status read_article(struct puan_help_article *x,
                                     const struct puan_node *n,
                                     struct puan_arena *a,
                                     struct puan_err *err)
{
    static const char *const keys[] = { "id",   "zh",      "en",      "words",
                                        "kind", "page",    "text_zh", "text_en",
                                        NULL };

    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err, "an article is a map {id, zh, en, "
                                      "text_zh, text_en}");
    TRY(puan_node_only(n, keys, err));
    x->at = n;
    TRY(read_name(&x->id, n, "id", err));
    TRY(read_text(&x->zh, n, "zh", PUAN_HELP_TITLE, err));
    TRY(read_text(&x->en, n, "en", PUAN_HELP_TITLE_EN, err));
    TRY(read_text(&x->text_zh, n, "text_zh", 0, err));
    TRY(read_text(&x->text_en, n, "text_en", 0, err));
    TRY(read_words(x, puan_node_get(n, "words"), a, err));
    x->kind = puan_node_str_opt(n, "kind", "");
    x->page = puan_node_str_opt(n, "page", "");
    if (puan_node_get(n, "page") != NULL &&
        (x->page.n < 2 || x->page.p[0] != '/'))
        return puan_node_fail(puan_node_get(n, "page"), err,
                              "page: is an address of the public site, like "
                              "/verify");
    return PUAN_OK;
}

static enum puan_status read_articles(struct puan_help_topic *t,
                                      const struct puan_node *n,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    struct puan_help_article *list;

    if (n == NULL || n->kind != PUAN_NODE_LIST || n->n == 0)
        return puan_node_fail(n ? n : t->at, err,
                              "articles: is a list of articles; add one");
    list = puan_new_n(a, n->n, struct puan_help_article);
    if (list == NULL)
        return puan_arena_check(a, err);
    t->article = list;
    PUAN_NODE_EACH(c, n) {
        TRY(read_article(&list[t->n], c, a, err));
        for (size_t i = 0; i < t->n; i++)
            if (puan_str_eq(list[i].id, list[t->n].id))
                return puan_node_fail(puan_node_get(c, "id"), err,
                                      "article \"%.*s\" stands twice; rename "
                                      "one",
                                      PUAN_FMT(list[i].id));
        t->n++;
    }
    return PUAN_OK;
}

enum puan_status puan_help_topic_load(struct puan_help_topic *out,
                                      const struct puan_node *tree,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    static const char *const keys[] = { "help", "order",    "zh", "en",
                                        "for",  "articles", NULL };
    static const char *const audience[] = { "public", "field", "desk" };
    struct puan_str s;
    size_t i = 0;

    *out = (struct puan_help_topic){ .at = tree };
    if (tree->kind != PUAN_NODE_MAP)
        return puan_node_fail(tree, err,
                              "a file of help/ is a map {help, zh, en, for, "
                              "articles}");
    TRY(puan_node_only(tree, keys, err));
    TRY(read_name(&out->id, tree, "help", err));
    TRY(puan_node_int(&out->order, tree, "order", 0, 999, err));
    TRY(read_text(&out->zh, tree, "zh", PUAN_HELP_TITLE, err));
    TRY(read_text(&out->en, tree, "en", PUAN_HELP_TITLE_EN, err));
    TRY(puan_node_str(&s, tree, "for", err));
    while (i < PUAN_COUNT(audience) && !puan_str_is(s, audience[i]))
        i++;
    if (i == PUAN_COUNT(audience))
        return puan_node_fail(puan_node_get(tree, "for"), err,
                              "for: is public, field or desk");
    out->audience = (enum puan_help_for)i;
    return read_articles(out, puan_node_get(tree, "articles"), a, err);
}

/* ---- all of a plan ------------------------------------------------------- */

static bool is_help(const struct puan_plan_file *f)
{
    return puan_str_starts(f->path, "help/") && f->tree != NULL;
}

/* A topic or an article that stands in an earlier file. */
static enum puan_status once(const struct puan_help *h,
                             const struct puan_help_topic *t,
                             struct puan_err *err)
{
    for (size_t i = 0; i < h->n; i++)
        if (puan_str_eq(h->topic[i].id, t->id))
            return puan_node_fail(puan_node_get(t->at, "help"), err,
                                  "topic \"%.*s\" stands twice; rename one",
                                  PUAN_FMT(t->id));
    for (size_t i = 0; i < t->n; i++)
        if (puan_help_find(h, t->article[i].id) != NULL)
            return puan_node_fail(puan_node_get(t->article[i].at, "id"), err,
                                  "article \"%.*s\" stands twice; rename one",
                                  PUAN_FMT(t->article[i].id));
    return PUAN_OK;
}

static bool before(const struct puan_help_topic *a,
                   const struct puan_help_topic *b)
{
    return a->order != b->order ? a->order < b->order
                                : puan_str_cmp(a->id, b->id) < 0;
}

enum puan_status puan_help_load(struct puan_help *out,
                                const struct puan_plan *p,
                                struct puan_problems *problems,
                                struct puan_arena *a, struct puan_err *err)
{
    struct puan_help_topic *list;
    enum puan_status first = PUAN_OK;
    size_t n = 0;

    *out = (struct puan_help){ 0 };
    for (size_t k = 0; k < p->n_packs; k++)
        for (size_t i = 0; i < p->pack[k].n_files; i++)
            n += is_help(&p->pack[k].file[i]);
    list = n ? puan_new_n(a, n, struct puan_help_topic) : NULL;
    if (list == NULL)
        return n ? puan_arena_check(a, err) : PUAN_OK;
    out->topic = list;
    for (size_t k = 0; k < p->n_packs; k++)
        for (size_t i = 0; i < p->pack[k].n_files; i++) {
            const struct puan_plan_file *f = &p->pack[k].file[i];
            struct puan_err e = { 0 };
            struct puan_help_topic t;
            enum puan_status st;
            size_t at = out->n;

            if (!is_help(f))
                continue;
            st = puan_help_topic_load(&t, f->tree, a, &e);
            if (st == PUAN_OK)
                st = once(out, &t, &e);
            if (st != PUAN_OK) {
                if (first == PUAN_OK && err != NULL)
                    *err = e;
                if (first == PUAN_OK)
                    first = st;
                if (problems != NULL)
                    puan_problem_take(problems, &e);
                continue;
            }
            while (at > 0 && before(&t, &list[at - 1])) {
                list[at] = list[at - 1];
                at--;
            }
            list[at] = t;
            out->n++;
        }
    return first;
}

const struct puan_help_article *puan_help_find(const struct puan_help *h,
                                               struct puan_str id)
{
    for (size_t i = 0; i < h->n; i++)
        for (size_t k = 0; k < h->topic[i].n; k++)
            if (puan_str_eq(h->topic[i].article[k].id, id))
                return &h->topic[i].article[k];
    return NULL;
}
