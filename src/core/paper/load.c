/*
 * Reading a template; one that names what is not there is refused.
 */
#include "core/paper/internal.h"
#include "core/paper/paper.h"

struct loader {
    struct puan_paper_template *t;
    const struct puan_paper_env *env;
    struct puan_arena *a;
    bool secret; /* a secret field is printed */
};

/* What every paper may name. */
static const char *const roots[] = { "seat", "above", "area", "plan", "now",
                                     "year", "n",     "row",  "up" };

static enum puan_status kind_is(const struct puan_node *n,
                                enum puan_node_kind kind, const char *key,
                                struct puan_err *err)
{
    static const char *const word[] = { "nothing", "a text", "a list",
                                        "a map" };

    if (n->kind != kind)
        return puan_node_fail(n, err, "\"%s\" must be %s", key, word[kind]);
    return PUAN_OK;
}

/* ---- placeholders --------------------------------------------------------------- */

static const struct puan_flow *flow_of(const struct loader *l, size_t i)
{
    return l->env->flows ? puan_flows_get(l->env->flows, l->t->flow[i]) : NULL;
}

static enum puan_status check_field(struct loader *l, const struct puan_node *at,
                                    struct puan_str name, struct puan_err *err)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] == '.')
            name.n = i;
    if (!l->t->of_case)
        return puan_node_fail(at, err,
                              "\"field\" is of a case; this paper is about an "
                              "area, name one of its sources");
    for (size_t i = 0; i < l->t->n_flows; i++) {
        const struct puan_flow *f = flow_of(l, i);
        int k = f ? puan_flow_field(f, name) : -1;

        if (f == NULL)
            continue;
        if (k < 0)
            return puan_node_fail(at, err,
                                  "workflow \"%.*s\" has no field \"%.*s\"; "
                                  "mend the name or add the field",
                                  PUAN_FMT(l->t->flow[i]), PUAN_FMT(name));
        l->secret = l->secret || f->fields[k].secret;
    }
    return PUAN_OK;
}

static enum puan_status check_path(struct loader *l, const struct puan_node *at,
                                   struct puan_str path, bool in_row,
                                   struct puan_err *err)
{
    struct puan_str key, rest = path;

    if (path.n == 0 || !puan_str_split(&key, &rest, '.'))
        return puan_node_fail(at, err, "empty braces; name a value");
    if (puan_str_is(key, "field"))
        return check_field(l, at, rest, err);
    if (in_row)
        return PUAN_OK; /* the row's own names */
    for (size_t i = 0; i < PUAN_COUNT(roots); i++)
        if (puan_str_is(key, roots[i]))
            return PUAN_OK;
    if (l->t->of_case && puan_str_is(key, "case"))
        return PUAN_OK;
    for (size_t i = 0; i < l->t->n_from; i++)
        if (puan_str_eq(key, l->t->from[i].name))
            return PUAN_OK;
    return puan_node_fail(at, err,
                          "nothing is called \"%.*s\"; name a source under "
                          "\"from\", or field, case, seat, above, area, plan, "
                          "now, year, n",
                          PUAN_FMT(key));
}

static enum puan_status check_text(struct loader *l, const struct puan_node *at,
                                   bool in_row, struct puan_err *err)
{
    struct puan_str t = at->text;

    for (size_t i = 0; i < t.n; i++) {
        struct puan_paper_slot slot;
        size_t k = i + 1;

        if (t.p[i] == '}')
            return puan_node_fail(at, err, "a brace is closed that was not "
                                           "opened");
        if (t.p[i] != '{')
            continue;
        while (k < t.n && t.p[k] != '}' && t.p[k] != '{')
            k++;
        if (k == t.n || t.p[k] == '{')
            return puan_node_fail(at, err, "a brace is not closed");
        slot = puan_paper_slot_of((struct puan_str){ t.p + i + 1, k - i - 1 });
        if (!puan_paper_filter_known(slot.filter))
            return puan_node_fail(at, err,
                                  "no way of writing is called \"%.*s\"; use "
                                  "date, day, time, label, count, tenth or word",
                                  PUAN_FMT(slot.filter));
        TRY(check_path(l, at, slot.path, in_row, err));
        i = k;
    }
    return PUAN_OK;
}

/* A text in both languages, or one for both. */
static enum puan_status check_said(struct loader *l, const struct puan_node *n,
                                   bool in_row, struct puan_err *err)
{
    static const char *const langs[] = { "zh", "en" };

    if (n->kind == PUAN_NODE_SCALAR)
        return check_text(l, n, in_row, err);
    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, err, "must be a text or {zh, en}");
    for (size_t i = 0; i < PUAN_COUNT(langs); i++) {
        const struct puan_node *c = puan_node_get(n, langs[i]);

        if (c == NULL || c->kind != PUAN_NODE_SCALAR || c->text.n == 0)
            return puan_node_fail(n, err, "no text in \"%s\"; say it in both "
                                          "languages",
                                  langs[i]);
        TRY(check_text(l, c, in_row, err));
    }
    return PUAN_OK;
}

static enum puan_status check_when(struct loader *l, const struct puan_node *n,
                                   bool in_row, struct puan_err *err)
{
    struct puan_str t;

    if (n == NULL)
        return PUAN_OK;
    TRY(kind_is(n, PUAN_NODE_SCALAR, "when", err));
    t = puan_str_trim(n->text);
    if (puan_str_starts(t, "not "))
        t = puan_str_trim((struct puan_str){ t.p + 4, t.n - 4 });
    for (size_t i = 0; i < t.n; i++)
        if (t.p[i] == '=')
            t.n = i;
    return check_path(l, n, puan_str_trim(t), in_row, err);
}

/* ---- the body ---------------------------------------------------------------------- */

static enum puan_status check_columns(struct loader *l,
                                      const struct puan_node *t, bool values,
                                      struct puan_err *err)
{
    static const char *const keys[] = { "zh", "en", "width", "align", "value",
                                        NULL };
    const struct puan_node *cols = puan_node_get(t, "columns");

    if (cols == NULL || cols->kind != PUAN_NODE_LIST || cols->n == 0)
        return puan_node_fail(t, err, "a table needs a list of \"columns\"");
    if (cols->n > PUAN_PAPER_COLUMNS)
        return puan_node_fail(cols, err, "more than %d columns; use fewer",
                              PUAN_PAPER_COLUMNS);
    PUAN_NODE_EACH(c, cols) {
        struct puan_str align;
        int64_t width;

        TRY(kind_is(c, PUAN_NODE_MAP, "column", err));
        TRY(puan_node_only(c, keys, err));
        if (puan_node_get(c, "width") != NULL)
            TRY(puan_node_int(&width, c, "width", 1, 1000, err));
        align = puan_node_str_opt(c, "align", "left");
        if (!puan_str_is(align, "left") && !puan_str_is(align, "right") &&
            !puan_str_is(align, "centre"))
            return puan_node_fail(puan_node_get(c, "align"), err,
                                  "align must be left, centre or right");
        if (puan_node_get(c, "zh") != NULL || puan_node_get(c, "en") != NULL)
            TRY(check_said(l, c, true, err));
        if (values && puan_node_get(c, "value") == NULL)
            return puan_node_fail(c, err,
                                  "a column of rows needs a \"value\"");
        if (puan_node_get(c, "value") != NULL)
            TRY(check_said(l, puan_node_get(c, "value"), true, err));
    }
    return PUAN_OK;
}

static enum puan_status check_table(struct loader *l, const struct puan_node *t,
                                    struct puan_err *err)
{
    static const char *const keys[] = { "title", "rows",  "only",  "group",
                                        "columns", "lines", NULL };
    const struct puan_node *rows, *lines, *cols;

    TRY(kind_is(t, PUAN_NODE_MAP, "table", err));
    TRY(puan_node_only(t, keys, err));
    rows = puan_node_get(t, "rows");
    lines = puan_node_get(t, "lines");
    cols = puan_node_get(t, "columns");
    if (rows == NULL && lines == NULL)
        return puan_node_fail(t, err, "a table needs \"rows\" (a path to a "
                                      "list) or \"lines\"");
    l->t->tables = true;
    TRY(check_columns(l, t, rows != NULL, err));
    if (puan_node_get(t, "title") != NULL)
        TRY(check_said(l, puan_node_get(t, "title"), false, err));
    if (puan_node_get(t, "group") != NULL)
        TRY(check_said(l, puan_node_get(t, "group"), true, err));
    TRY(check_when(l, puan_node_get(t, "only"), true, err));
    if (rows != NULL) {
        TRY(kind_is(rows, PUAN_NODE_SCALAR, "rows", err));
        TRY(check_path(l, rows, rows->text, false, err));
    }
    if (lines == NULL)
        return PUAN_OK;
    TRY(kind_is(lines, PUAN_NODE_LIST, "lines", err));
    PUAN_NODE_EACH(line, lines) {
        TRY(kind_is(line, PUAN_NODE_LIST, "lines", err));
        if (line->n != cols->n)
            return puan_node_fail(line, err, "a line must have %zu cells, one "
                                             "a column",
                                  cols->n);
        PUAN_NODE_EACH(c, line)
        TRY(check_said(l, c, false, err));
    }
    return PUAN_OK;
}

static enum puan_status check_fields(struct loader *l,
                                     const struct puan_node *n,
                                     const char *key, struct puan_err *err)
{
    TRY(kind_is(n, PUAN_NODE_LIST, key, err));
    PUAN_NODE_EACH(c, n) {
        TRY(kind_is(c, PUAN_NODE_SCALAR, key, err));
        TRY(check_field(l, c, c->text, err));
    }
    return PUAN_OK;
}

static enum puan_status check_block(struct loader *l, const struct puan_node *b,
                                    struct puan_err *err)
{
    static const char *const keys[] = { "text",  "label", "heading", "level",
                                        "fields", "form", "table",   "signs",
                                        "when",  NULL };
    static const char *const kinds[] = { "text",  "heading", "fields",
                                         "form",  "table",   "signs" };
    const struct puan_node *n;
    int64_t level;
    int many = 0;

    TRY(kind_is(b, PUAN_NODE_MAP, "body", err));
    TRY(puan_node_only(b, keys, err));
    TRY(check_when(l, puan_node_get(b, "when"), false, err));
    for (size_t i = 0; i < PUAN_COUNT(kinds); i++)
        many += puan_node_get(b, kinds[i]) != NULL;
    if (many != 1)
        return puan_node_fail(b, err, "a block must have one of text, heading, "
                                      "fields, form, table, signs");
    if (puan_node_get(b, "level") != NULL)
        TRY(puan_node_int(&level, b, "level", 1, 4, err));
    if ((n = puan_node_get(b, "label")) != NULL)
        TRY(check_said(l, n, false, err));
    if ((n = puan_node_get(b, "text")) != NULL)
        return check_said(l, n, false, err);
    if ((n = puan_node_get(b, "heading")) != NULL)
        return check_said(l, n, false, err);
    if ((n = puan_node_get(b, "fields")) != NULL)
        return check_fields(l, n, "fields", err);
    if ((n = puan_node_get(b, "form")) != NULL) {
        l->t->tables = true;
        return check_fields(l, n, "form", err);
    }
    if ((n = puan_node_get(b, "table")) != NULL)
        return check_table(l, n, err);
    n = puan_node_get(b, "signs");
    TRY(kind_is(n, PUAN_NODE_LIST, "signs", err));
    if (n->n == 0 || n->n > 6)
        return puan_node_fail(n, err, "one to six places to sign");
    PUAN_NODE_EACH(c, n)
    TRY(check_said(l, c, false, err));
    return PUAN_OK;
}

/* ---- the head ----------------------------------------------------------------------- */

static enum puan_status names(const struct puan_str **out, size_t *n_out,
                              const struct puan_node *n, const char *key,
                              struct puan_arena *a, struct puan_err *err)
{
    struct puan_str *s;
    size_t k = 0;

    *n_out = 0;
    if (n == NULL)
        return PUAN_OK;
    TRY(kind_is(n, PUAN_NODE_LIST, key, err));
    s = puan_new_n(a, n->n, struct puan_str);
    if (s == NULL)
        return puan_arena_check(a, err);
    PUAN_NODE_EACH(c, n) {
        TRY(kind_is(c, PUAN_NODE_SCALAR, key, err));
        s[k++] = c->text;
    }
    *out = s;
    *n_out = k;
    return PUAN_OK;
}

static enum puan_status about(struct loader *l, const struct puan_node *n,
                              struct puan_err *err)
{
    struct puan_str what;

    TRY(puan_node_str(&what, n, "about", err));
    l->t->of_case = puan_str_is(what, "case");
    if (!l->t->of_case && !puan_str_is(what, "area"))
        return puan_node_fail(puan_node_get(n, "about"), err,
                              "about must be case or area");
    TRY(names(&l->t->flow, &l->t->n_flows, puan_node_get(n, "flows"), "flows",
              l->a, err));
    if (l->t->of_case != (l->t->n_flows > 0))
        return puan_node_fail(n, err,
                              l->t->of_case
                                  ? "a paper about a case needs \"flows\""
                                  : "\"flows\" is for papers about a case");
    PUAN_NODE_EACH(c, puan_node_get(n, "flows"))
    if (l->env->flows != NULL && puan_flows_get(l->env->flows, c->text) == NULL)
        return puan_node_fail(c, err,
                              "no workflow \"%.*s\"; add it or mend the name",
                              PUAN_FMT(c->text));
    return PUAN_OK;
}

static enum puan_status sources(struct loader *l, const struct puan_node *n,
                                struct puan_err *err)
{
    const struct puan_node *from = puan_node_get(n, "from");

    if (from == NULL)
        return l->t->of_case
                   ? PUAN_OK
                   : puan_node_fail(n, err, "a paper about an area needs "
                                            "\"from\": {NAME: request}");
    TRY(kind_is(from, PUAN_NODE_MAP, "from", err));
    if (from->n > PUAN_PAPER_SOURCES)
        return puan_node_fail(from, err, "more than %d sources",
                              PUAN_PAPER_SOURCES);
    PUAN_NODE_EACH(c, from) {
        TRY(kind_is(c, PUAN_NODE_SCALAR, "from", err));
        for (size_t i = 0; i < PUAN_COUNT(roots); i++)
            if (puan_str_is(c->key, roots[i]) || puan_str_is(c->key, "case") ||
                puan_str_is(c->key, "field"))
                return puan_node_fail(c, err,
                                      "\"%.*s\" has a meaning of its own; "
                                      "call the source otherwise",
                                      PUAN_FMT(c->key));
        if (l->env->route != NULL && !l->env->route(l->env->ctx, c->text))
            return puan_node_fail(c, err,
                                  "no request \"%.*s\" that reads; see the "
                                  "interface for those there are",
                                  PUAN_FMT(c->text));
        l->t->from[l->t->n_from++] =
            (struct puan_paper_source){ c->key, c->text };
    }
    return PUAN_OK;
}

/* What values are called: {running: {zh, en}}. */
static enum puan_status check_words(struct loader *l, const struct puan_node *n,
                                    struct puan_err *err)
{
    if (n == NULL)
        return PUAN_OK;
    TRY(kind_is(n, PUAN_NODE_MAP, "words", err));
    PUAN_NODE_EACH(c, n) {
        TRY(kind_is(c, PUAN_NODE_MAP, "words", err));
        TRY(check_said(l, c, false, err));
    }
    return PUAN_OK;
}

static enum puan_status parts(struct loader *l, const struct puan_node *n,
                              struct puan_err *err)
{
    static const char *const one[] = { "secrecy", "urgency", "issuer",
                                       "number",  "signer",  "title",
                                       "signed",  "date",    "note",
                                       "copies",  "printed_by", "printed_on" };
    static const char *const many[] = { "to", "attachments" };
    static const char *const keys[] = { "rows", "zh", "en", NULL };

    for (size_t i = 0; i < PUAN_COUNT(one); i++)
        if (puan_node_get(n, one[i]) != NULL)
            TRY(check_said(l, puan_node_get(n, one[i]), false, err));
    for (size_t i = 0; i < PUAN_COUNT(many); i++) {
        const struct puan_node *m = puan_node_get(n, many[i]);

        if (m == NULL)
            continue;
        if (m->kind == PUAN_NODE_MAP) {
            struct puan_str rows;

            TRY(puan_node_only(m, keys, err));
            TRY(puan_node_str(&rows, m, "rows", err));
            TRY(check_path(l, puan_node_get(m, "rows"), rows, false, err));
            TRY(check_said(l, m, true, err));
            continue;
        }
        TRY(kind_is(m, PUAN_NODE_LIST, many[i], err));
        PUAN_NODE_EACH(c, m) {
            if (c->kind == PUAN_NODE_MAP)
                TRY(check_when(l, puan_node_get(c, "when"), false, err));
            TRY(check_said(l, c, false, err));
        }
    }
    return PUAN_OK;
}

enum puan_status puan_paper_template_load(struct puan_paper_template **out,
                                          const struct puan_node *tree,
                                          const struct puan_paper_env *env,
                                          struct puan_arena *a,
                                          struct puan_err *err)
{
    static const char *const keys[] = {
        "paper",  "version", "zh",     "en",     "about",       "flows",
        "from",   "needs",   "series", "number", "landscape",   "secrecy",
        "urgency", "issuer", "signer", "to",     "title",       "body",
        "attachments", "signed", "date", "note", "copies", "printed_by",
        "printed_on", "words", NULL
    };
    struct puan_paper_template *t = puan_new(a, struct puan_paper_template);
    struct loader l = { .t = t, .env = env, .a = a };
    const struct puan_node *body;
    bool lies;

    if (t == NULL)
        return puan_arena_check(a, err);
    TRY(kind_is(tree, PUAN_NODE_MAP, "paper", err));
    TRY(puan_node_only(tree, keys, err));
    t->tree = tree;
    TRY(puan_node_str(&t->id, tree, "paper", err));
    TRY(puan_node_int(&t->version, tree, "version", 1, 1000000, err));
    TRY(puan_node_str(&t->zh, tree, "zh", err));
    TRY(puan_node_str(&t->en, tree, "en", err));
    TRY(puan_node_bool(&lies, tree, "landscape", false, err));
    TRY(about(&l, tree, err));
    TRY(sources(&l, tree, err));
    TRY(names(&t->needs, &t->n_needs, puan_node_get(tree, "needs"), "needs", a,
              err));
    PUAN_NODE_EACH(c, puan_node_get(tree, "needs"))
    TRY(check_path(&l, c, c->text, false, err));
    TRY(check_words(&l, puan_node_get(tree, "words"), err));
    t->series = puan_node_str_opt(tree, "series", "");
    if ((t->series.n > 0) != (puan_node_get(tree, "number") != NULL))
        return puan_node_fail(tree, err, "\"series\" and \"number\" go "
                                         "together: what is counted, and how "
                                         "it is written");
    if (puan_node_get(tree, "title") == NULL)
        return puan_node_fail(tree, err, "a paper needs a \"title\"");
    TRY(parts(&l, tree, err));
    body = puan_node_get(tree, "body");
    if (body == NULL || body->kind != PUAN_NODE_LIST || body->n == 0)
        return puan_node_fail(body ? body : tree, err,
                              "a paper needs a \"body\", a list of blocks");
    PUAN_NODE_EACH(b, body)
    TRY(check_block(&l, b, err));
    if (l.secret && puan_node_get(tree, "secrecy") == NULL)
        return puan_node_fail(tree, err,
                              "it prints a secret field; say its class under "
                              "\"secrecy\"");
    *out = t;
    return puan_arena_check(a, err);
}

bool puan_paper_template_for(const struct puan_paper_template *t,
                             struct puan_str flow)
{
    for (size_t i = 0; i < t->n_flows; i++)
        if (puan_str_eq(t->flow[i], flow))
            return true;
    return false;
}
