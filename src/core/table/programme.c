/*
 * Reading of tabulation programmes; see programme.h.
 */
#include "core/table/programme.h"

static const char *const file_keys[] = { "programme", "zh",        "en",
                                         "entity",    "levels",    "settings",
                                         "codes",     "variables", "tables",
                                         NULL };
static const char *const variable_keys[] = { "is", "zh", "en", "codes", NULL };
static const char *const table_keys[] = { "zh", "en",   "of",     "where",
                                          "by", "show", "totals", NULL };
static const char *const by_keys[] = { "is", "name", "zh", "en", "codes",
                                       NULL };
static const char *const show_keys[] = { "is",    "name",   "zh",
                                         "en",    "where",  "of",
                                         "times", "places", NULL };

struct reader {
    const struct puan_node *codes; /* lists by name */
    struct puan_arena *a;
    struct puan_err *err;
};

static enum puan_status list_read(const struct puan_codelist **out,
                                  const struct reader *r,
                                  const struct puan_node *map)
{
    const struct puan_node *n = puan_node_get(map, "codes");
    struct puan_codelist *l = NULL;
    enum puan_status st;

    *out = NULL;
    if (n == NULL)
        return PUAN_OK;
    if (n->kind == PUAN_NODE_SCALAR) {
        const struct puan_node *named = puan_node_get_s(r->codes, n->text);

        if (named == NULL)
            return puan_node_fail(n, r->err,
                                  "no list '%.*s' under 'codes' of this file",
                                  PUAN_FMT(n->text));
        n = named;
    }
    st = puan_codelist_load(&l, n, r->a, r->err);
    *out = l;
    return st;
}

/* Moves a message about a line of text to where the node stands. */
static enum puan_status at_node(enum puan_status st, const struct puan_node *n,
                                struct puan_err *err)
{
    if (st != PUAN_OK && err && err->col == 0)
        err->col = n->col;
    return st;
}

static enum puan_status by_read(struct puan_tab_by *out, const struct reader *r,
                                const struct puan_node *n)
{
    struct puan_str is = n->text, name;
    enum puan_status st = PUAN_OK;

    if (n->kind == PUAN_NODE_MAP) {
        st = puan_node_only(n, by_keys, r->err);
        if (st == PUAN_OK)
            st = puan_node_str(&is, n, "is", r->err);
    } else if (n->kind != PUAN_NODE_SCALAR) {
        st = puan_node_fail(n, r->err,
                            "a dimension is a text or a map with 'is'");
    }
    if (st == PUAN_OK)
        st = at_node(puan_tab_by_parse(out, is, n->file, n->line, r->a, r->err),
                     n, r->err);
    if (st != PUAN_OK || n->kind != PUAN_NODE_MAP)
        return st;
    name = puan_node_str_opt(n, "name", "");
    if (name.n)
        out->name = name;
    out->zh = puan_node_str_opt(n, "zh", "");
    out->en = puan_node_str_opt(n, "en", "");
    return list_read(&out->codes, r, n);
}

static enum puan_status show_read(struct puan_tab_show *out,
                                  const struct puan_tab_show *before,
                                  size_t n_before, const struct reader *r,
                                  const struct puan_node *n)
{
    struct puan_str is = n->text, name = { NULL, 0 };
    enum puan_status st = PUAN_OK;
    int64_t v;

    if (n->kind == PUAN_NODE_MAP) {
        st = puan_node_only(n, show_keys, r->err);
        if (st == PUAN_OK)
            st = puan_node_str(&is, n, "is", r->err);
        name = puan_node_str_opt(n, "name", "");
        if (name.n)
            is = puan_str_of(puan_arena_fmt(r->a, "%.*s as %.*s", PUAN_FMT(is),
                                            PUAN_FMT(name)));
    } else if (n->kind != PUAN_NODE_SCALAR) {
        st = puan_node_fail(n, r->err,
                            "a measure is a text or a map with 'is'");
    }
    if (st == PUAN_OK)
        st = at_node(puan_tab_show_parse(out, is, before, n_before, n->file,
                                         n->line, r->a, r->err),
                     n, r->err);
    if (st != PUAN_OK || n->kind != PUAN_NODE_MAP)
        return st;
    out->zh = puan_node_str_opt(n, "zh", "");
    out->en = puan_node_str_opt(n, "en", "");
    if (puan_node_get(n, "where"))
        out->where = puan_node_str_opt(n, "where", "");
    if (puan_node_get(n, "of"))
        out->of = puan_node_str_opt(n, "of", "");
    if (puan_node_get(n, "times")) {
        st = puan_node_int(&v, n, "times", 1, 1000000, r->err);
        out->times = v;
    }
    if (st == PUAN_OK && puan_node_get(n, "places")) {
        st = puan_node_int(&v, n, "places", 0, 6, r->err);
        out->places = (unsigned)v;
    }
    return st;
}

static enum puan_status table_read(struct puan_tab_table *out,
                                   const struct reader *r,
                                   const struct puan_node *n)
{
    const struct puan_node *by = puan_node_get(n, "by"),
                           *show = puan_node_get(n, "show");
    struct puan_tab_by *b;
    struct puan_tab_show *s;
    size_t i = 0;
    enum puan_status st = PUAN_OK;

    if (n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, r->err, "a table is a map: by, show, …");
    st = puan_node_only(n, table_keys, r->err);
    *out = (struct puan_tab_table){
        .id = n->key,
        .zh = puan_node_str_opt(n, "zh", ""),
        .en = puan_node_str_opt(n, "en", ""),
        .of = puan_node_str_opt(n, "of", ""),
        .where = puan_node_str_opt(n, "where", ""),
        .file = n->file,
        .line = n->line,
    };
    if (st == PUAN_OK)
        st = puan_node_bool(&out->totals, n, "totals", false, r->err);
    if (st != PUAN_OK)
        return st;
    if (by && by->kind != PUAN_NODE_LIST)
        return puan_node_fail(by, r->err, "'by' is a list of dimensions");
    if (show && show->kind != PUAN_NODE_LIST)
        return puan_node_fail(show, r->err, "'show' is a list of measures");
    out->n_by = by ? by->n : 0;
    out->n_show = show && show->n ? show->n : 1;
    out->by = b = puan_new_n(r->a, out->n_by, struct puan_tab_by);
    out->show = s = puan_new_n(r->a, out->n_show, struct puan_tab_show);
    if (b == NULL || s == NULL)
        return puan_arena_check(r->a, r->err);
    PUAN_NODE_EACH(c, by)
    {
        st = by_read(&b[i++], r, c);
        if (st != PUAN_OK)
            return st;
    }
    if (show == NULL || show->n == 0)
        return puan_tab_show_parse(&s[0], PUAN_STR("count"), NULL, 0, n->file,
                                   n->line, r->a, r->err);
    i = 0;
    PUAN_NODE_EACH(c, show)
    {
        st = show_read(&s[i], s, i, r, c);
        if (st != PUAN_OK)
            return st;
        i++;
    }
    return PUAN_OK;
}

static enum puan_status variables_read(struct puan_tab_programme *p,
                                       const struct reader *r,
                                       const struct puan_node *n)
{
    struct puan_tab_variable *v;
    enum puan_status st = PUAN_OK;
    size_t i = 0;

    if (n && n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, r->err, "'variables' is a map of names");
    p->n_variables = n ? n->n : 0;
    p->variable = v = puan_new_n(r->a, p->n_variables,
                                 struct puan_tab_variable);
    if (v == NULL)
        return puan_arena_check(r->a, r->err);
    PUAN_NODE_EACH(c, n)
    {
        struct puan_tab_by by;

        v[i].name = c->key;
        if (c->kind == PUAN_NODE_MAP)
            st = puan_node_only(c, variable_keys, r->err);
        if (st == PUAN_OK)
            st = by_read(&by, r, c);
        if (st != PUAN_OK)
            return st;
        v[i].text = by.text;
        v[i].bands = by.bands;
        v[i].codes = by.codes;
        v[i].zh = by.zh;
        v[i].en = by.en;
        i++;
    }
    return PUAN_OK;
}

static enum puan_status settings_read(struct puan_tab_programme *p,
                                      const struct reader *r,
                                      const struct puan_node *n)
{
    struct puan_const *c;
    size_t i = 0;

    if (n && n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, r->err, "'settings' is a map of numbers");
    p->n_consts = n ? n->n : 0;
    p->consts = c = puan_new_n(r->a, p->n_consts, struct puan_const);
    if (c == NULL)
        return puan_arena_check(r->a, r->err);
    PUAN_NODE_EACH(k, n)
    {
        if (k->kind != PUAN_NODE_SCALAR || !puan_int_parse(&c[i].value, k->text))
            return puan_node_fail(k, r->err,
                                  "setting '%.*s' is a whole number",
                                  PUAN_FMT(k->key));
        c[i++].name = k->key;
    }
    return PUAN_OK;
}

static enum puan_status levels_read(struct puan_tab_file *out,
                                    const struct reader *r,
                                    const struct puan_node *n)
{
    struct puan_tab_level *l;
    size_t i = 0;

    if (n && n->kind != PUAN_NODE_MAP)
        return puan_node_fail(n, r->err,
                              "'levels' is a map, outermost first: "
                              "household: [region, hhid]");
    out->n_levels = n ? n->n : 0;
    out->level = l = puan_new_n(r->a, out->n_levels, struct puan_tab_level);
    if (l == NULL)
        return puan_arena_check(r->a, r->err);
    PUAN_NODE_EACH(c, n)
    {
        struct puan_str *item;
        size_t k = 0;

        if (c->kind != PUAN_NODE_LIST || c->n == 0)
            return puan_node_fail(c, r->err, "a level is a list of items");
        item = puan_new_n(r->a, c->n, struct puan_str);
        if (item == NULL)
            return puan_arena_check(r->a, r->err);
        PUAN_NODE_EACH(x, c)
        {
            if (x->kind != PUAN_NODE_SCALAR)
                return puan_node_fail(x, r->err, "a level is a list of items");
            item[k++] = x->text;
        }
        l[i++] = (struct puan_tab_level){ c->key, item, c->n };
    }
    return PUAN_OK;
}

enum puan_status puan_tab_file_read(struct puan_tab_file *out,
                                    const struct puan_node *tree,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct reader r = { puan_node_get(tree, "codes"), a, err };
    const struct puan_node *tables = puan_node_get(tree, "tables");
    struct puan_tab_table *t;
    size_t i = 0;
    enum puan_status st;

    *out = (struct puan_tab_file){ 0 };
    if (tree->kind != PUAN_NODE_MAP)
        return puan_node_fail(tree, err, "a programme is a map with 'tables'");
    st = puan_node_only(tree, file_keys, err);
    if (st == PUAN_OK && (tables == NULL || tables->kind != PUAN_NODE_MAP ||
                          tables->n == 0))
        st = puan_node_fail(tables ? tables : tree, err,
                            "'tables' is missing or empty: a map from id to "
                            "table");
    if (st == PUAN_OK)
        st = settings_read(&out->programme, &r,
                           puan_node_get(tree, "settings"));
    if (st == PUAN_OK)
        st = variables_read(&out->programme, &r,
                            puan_node_get(tree, "variables"));
    if (st == PUAN_OK)
        st = levels_read(out, &r, puan_node_get(tree, "levels"));
    if (st != PUAN_OK || tables == NULL)
        return st;
    out->entity = puan_node_str_opt(tree, "entity", "");
    out->programme.id = puan_node_str_opt(tree, "programme", "");
    out->programme.zh = puan_node_str_opt(tree, "zh", "");
    out->programme.en = puan_node_str_opt(tree, "en", "");
    out->programme.n_tables = tables->n;
    out->programme.table = t = puan_new_n(a, tables->n, struct puan_tab_table);
    if (t == NULL)
        return puan_arena_check(a, err);
    PUAN_NODE_EACH(c, tables)
    {
        st = table_read(&t[i++], &r, c);
        if (st != PUAN_OK)
            return st;
    }
    return puan_arena_check(a, err);
}
