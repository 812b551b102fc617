/*
 * A sheet from its plan file.  The form of a sheet is made as a form file
 * would make it, from a text written here.
 */
#include "core/figures/figures.h"

#include "base/json.h"

#define MOST_FIGURES 400
#define MOST_SOURCES 8

static const char *const kind_key[] = { "count",  "sum",     "most",
                                        "median", "largest", "given",
                                        "above" };

struct loader {
    const struct puan_node *bases; /* conditions by name */
    const struct puan_sheet_in *in;
    struct puan_sheet *s;
    struct puan_figure *figure;
    struct puan_arena *a;
    struct puan_err *err;
};

int puan_sheet_figure(const struct puan_sheet *s, struct puan_str name)
{
    for (size_t i = 0; i < s->n; i++)
        if (puan_str_eq(s->figure[i].name, name))
            return (int)i;
    return -1;
}

static int level_of(const struct puan_sheet_in *in, struct puan_str id)
{
    for (size_t i = 0; i < in->n_levels; i++)
        if (puan_str_eq(in->level[i], id))
            return (int)i;
    return -1;
}

static enum puan_status one_level(int *out, struct loader *l,
                                  const struct puan_node *n)
{
    *out = level_of(l->in, n->text);
    if (*out < 0)
        return puan_node_fail(n, l->err, "'%.*s' is no level of this plan, "
                              "name one of 'levels'",
                              PUAN_FMT(n->text));
    if (l->in->digits[*out] == 0 || *out >= 32)
        return puan_node_fail(n, l->err,
                              "level '%.*s' lies above any installation, "
                              "name one with digits",
                              PUAN_FMT(n->text));
    return PUAN_OK;
}

/* The condition of `base: NAME`, joined with the figure's own. */
static enum puan_status with_base(struct puan_str *text,
                                  const struct puan_node **at,
                                  struct loader *l, const struct puan_node *n)
{
    const struct puan_node *name = puan_node_get(n, "base"), *base;

    if (!name)
        return PUAN_OK;
    base = puan_node_get_s(l->bases, name->text);
    if (!base || base->kind != PUAN_NODE_SCALAR)
        return puan_node_fail(name, l->err,
                              "the sheet's 'bases' have no '%.*s'",
                              PUAN_FMT(name->text));
    *text = *at ? puan_str_of(puan_arena_fmt(
                      l->a, "(%.*s) and (%.*s)", PUAN_FMT(base->text),
                      PUAN_FMT((*at)->text)))
                : base->text;
    if (!*at)
        *at = base;
    return PUAN_OK;
}

/* An expression of the figure under `key`, for one form. */
static enum puan_status expression(const struct puan_expr **out,
                                   struct loader *l,
                                   const struct puan_node *n, const char *key,
                                   const struct puan_figure_source *s)
{
    const struct puan_node *at = puan_node_get(n, key);
    const struct puan_form *form = l->in->form[s->form];
    struct puan_str text;
    struct puan_expr *e = NULL;
    enum puan_status st;

    *out = NULL;
    if (at && at->kind != PUAN_NODE_SCALAR)
        return puan_node_fail(at, l->err, "'%s' is an expression", key);
    text = at ? at->text : (struct puan_str){ 0 };
    if (strcmp(key, "where") == 0) {
        st = with_base(&text, &at, l, n);
        if (st != PUAN_OK)
            return st;
    }
    if (!at)
        return PUAN_OK;
    st = (strcmp(key, "where") == 0 ? puan_expr_compile_truth
                                    : puan_expr_compile)(
        &e, form, s->entity, l->in->consts, l->in->n_consts, text,
        at->file, at->line, l->a, l->err);
    *out = e;
    return st;
}

/* "short.household" */
static enum puan_status source(struct puan_figure_source *out,
                               struct loader *l, const struct puan_node *name)
{
    struct puan_str entity = name->text, form;
    int e;

    if (name->kind != PUAN_NODE_SCALAR ||
        !puan_str_split(&form, &entity, '.') || entity.n == 0)
        return puan_node_fail(name, l->err,
                              "expected FORM.ENTITY, such as short.person");
    for (size_t i = 0; i < l->in->n_forms; i++) {
        if (!puan_str_eq(l->in->form[i]->id, form))
            continue;
        e = puan_form_entity(l->in->form[i], entity);
        if (e < 0)
            return puan_node_fail(name, l->err,
                                  "form '%.*s' has no entity '%.*s'",
                                  PUAN_FMT(form), PUAN_FMT(entity));
        out->form = (uint16_t)i;
        out->entity = (uint16_t)e;
        return PUAN_OK;
    }
    return puan_node_fail(name, l->err, "the plan has no form '%.*s', mend the name",
                          PUAN_FMT(form));
}

/* `text: A10p`: rows that hold the same text. */
static enum puan_status text_item(struct puan_figure_source *s,
                                  struct loader *l, const struct puan_node *n)
{
    const struct puan_node *t = puan_node_get(n, "text");

    if (!t)
        return PUAN_OK;
    s->text = puan_entity_item(&l->in->form[s->form]->entity[s->entity],
                               t->text);
    if (s->text < 0)
        return puan_node_fail(t, l->err, "there is no item '%.*s'",
                              PUAN_FMT(t->text));
    return PUAN_OK;
}

static enum puan_status sources(struct puan_figure *f, struct loader *l,
                                const struct puan_node *n)
{
    const struct puan_node *of = puan_node_get(n, kind_key[f->kind]);
    struct puan_figure_source *list =
        puan_new_n(l->a, MOST_SOURCES, struct puan_figure_source);
    bool needs_value = f->kind != PUAN_FIGURE_COUNT &&
                       !(f->kind == PUAN_FIGURE_MOST &&
                         puan_node_get(n, "text"));
    enum puan_status st = puan_arena_check(l->a, l->err);

    if (st != PUAN_OK)
        return st;
    if (of->kind != PUAN_NODE_LIST || of->n == 0 || of->n > MOST_SOURCES)
        return puan_node_fail(of, l->err,
                              "'%s' lists the rows to look at, such as "
                              "[short.household, long.household]",
                              kind_key[f->kind]);
    if (needs_value != (puan_node_get(n, "value") != NULL))
        return puan_node_fail(n, l->err,
                              needs_value ? "'%s' needs a 'value'"
                                          : "'%s' takes 'where' and no "
                                            "'value'",
                              kind_key[f->kind]);
    PUAN_NODE_EACH(c, of)
    {
        struct puan_figure_source *s = &list[f->n_sources];

        s->text = -1;
        st = source(s, l, c);
        if (st == PUAN_OK && f->kind == PUAN_FIGURE_MOST)
            st = text_item(s, l, n);
        if (st == PUAN_OK)
            st = expression(&s->value, l, n, "value", s);
        if (st == PUAN_OK)
            st = expression(&s->where, l, n, "where", s);
        if (st != PUAN_OK)
            return st;
        f->n_sources++;
    }
    f->source = list;
    return PUAN_OK;
}

static enum puan_status above(struct puan_figure *f, struct loader *l,
                              const struct puan_node *n)
{
    struct puan_str name;
    enum puan_status st = one_level(&f->level, l, puan_node_get(n, "above"));

    if (st == PUAN_OK)
        st = puan_node_str(&name, n, "figure", l->err);
    if (st != PUAN_OK)
        return st;
    f->figure = puan_sheet_figure(l->s, name);
    if (f->figure < 0 || l->figure[f->figure].kind == PUAN_FIGURE_ABOVE)
        return puan_node_fail(puan_node_get(n, "figure"), l->err,
                              "'%.*s' is no figure that stands before this "
                              "one and is counted or given",
                              PUAN_FMT(name));
    l->s->kept |= 1u << f->level;
    return PUAN_OK;
}

static enum puan_status figure(struct loader *l, const struct puan_node *n)
{
    static const char *const keys[] = { "zh",      "en",    "count", "sum",
                                        "most",    "median", "largest",
                                        "given",   "above", "value", "where",
                                        "figure",  "base",  "text",  NULL };
    struct puan_figure *f = &l->figure[l->s->n];
    int kind = -1;
    enum puan_status st;

    if (l->s->n == MOST_FIGURES)
        return puan_node_fail(n, l->err, "a sheet holds %d figures at most",
                              MOST_FIGURES);
    if (puan_str_is(n->key, "area") || puan_str_is(n->key, "level"))
        return puan_node_fail(n, l->err,
                              "'%.*s' is an item of every sheet already",
                              PUAN_FMT(n->key));
    if (puan_sheet_figure(l->s, n->key) >= 0)
        return puan_node_fail(n, l->err, "figure '%.*s' stands twice",
                              PUAN_FMT(n->key));
    PUAN_NODE_EACH(c, n)
    {
        bool ok = false;

        for (int i = 0; keys[i] && !ok; i++)
            ok = puan_str_is(c->key, keys[i]);
        if (!ok)
            return puan_node_fail(c, l->err, "unknown key '%.*s'",
                                  PUAN_FMT(c->key));
    }
    for (int k = 0; k < (int)PUAN_COUNT(kind_key); k++)
        if (puan_node_get(n, kind_key[k])) {
            if (kind >= 0)
                return puan_node_fail(n, l->err,
                                      "a figure is one of count, sum, most, "
                                      "median, largest, given, above");
            kind = k;
        }
    if (kind < 0)
        return puan_node_fail(n, l->err,
                              "say how the figure is made: count, sum, most, "
                              "median, largest, given or above");
    f->kind = (enum puan_figure_kind)kind;
    f->name = n->key;
    f->at = n;
    st = puan_node_str(&f->zh, n, "zh", l->err);
    if (st == PUAN_OK)
        st = puan_node_str(&f->en, n, "en", l->err);
    if (st == PUAN_OK && f->kind == PUAN_FIGURE_ABOVE)
        st = above(f, l, n);
    else if (st == PUAN_OK && f->kind != PUAN_FIGURE_GIVEN)
        st = sources(f, l, n);
    if (st == PUAN_OK)
        l->s->n++;
    return st;
}

static void titles(struct puan_jw *w, struct puan_str zh, struct puan_str en)
{
    puan_jw_kstr(w, "zh", zh);
    puan_jw_kstr(w, "en", en);
}

static void int_item(struct puan_jw *w, struct puan_str name,
                     struct puan_str zh, struct puan_str en)
{
    puan_jw_key_s(w, name);
    puan_jw_map(w);
    puan_jw_ktext(w, "type", "int");
    puan_jw_kint(w, "min", -999999999999999999);
    puan_jw_kint(w, "max", 999999999999999999);
    puan_jw_kbool(w, "required", false);
    titles(w, zh, en);
    puan_jw_end(w, '}');
}

/* The form a rule about these figures is compiled for. */
static enum puan_status make_form(struct loader *l, struct puan_str id,
                                  const struct puan_node *tree)
{
    struct puan_node *node;
    struct puan_out o;
    struct puan_jw w;
    struct puan_str zh, en;
    enum puan_status st = puan_node_str(&zh, tree, "zh", l->err);

    if (st == PUAN_OK)
        st = puan_node_str(&en, tree, "en", l->err);
    if (st != PUAN_OK)
        return st;
    puan_out_init(&o, l->a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kstr(&w, "form", id);
    puan_jw_kint(&w, "version", 1);
    titles(&w, zh, en);
    puan_jw_key(&w, "codes");
    puan_jw_map(&w);
    puan_jw_key(&w, "area_level");
    puan_jw_map(&w);
    for (size_t i = 0; i < l->in->n_levels; i++) {
        puan_jw_key_s(&w, l->in->level[i]);
        puan_jw_map(&w);
        puan_jw_kint(&w, "value", (int64_t)i);
        titles(&w, l->in->level[i], l->in->level[i]);
        puan_jw_end(&w, '}');
    }
    puan_jw_end(&w, '}');
    puan_jw_end(&w, '}');
    puan_jw_key(&w, "entities");
    puan_jw_map(&w);
    puan_jw_key_s(&w, id);
    puan_jw_map(&w);
    titles(&w, zh, en);
    puan_jw_key(&w, "items");
    puan_jw_map(&w);
    int_item(&w, PUAN_STR("area"), PUAN_STR("区划代码"), PUAN_STR("Area"));
    puan_jw_key(&w, "level");
    puan_jw_map(&w);
    puan_jw_ktext(&w, "type", "code");
    puan_jw_ktext(&w, "codes", "area_level");
    titles(&w, PUAN_STR("层级"), PUAN_STR("Level"));
    puan_jw_end(&w, '}');
    for (size_t i = 0; i < l->s->n; i++)
        int_item(&w, l->figure[i].name, l->figure[i].zh, l->figure[i].en);
    puan_jw_end(&w, '}');
    puan_jw_end(&w, '}');
    puan_jw_end(&w, '}');
    puan_jw_end(&w, '}');
    st = puan_arena_check(l->a, l->err);
    if (st == PUAN_OK)
        st = puan_json_tree(&node, puan_out_view(&o), tree->file, l->a,
                            l->err);
    if (st == PUAN_OK)
        st = puan_form_load(&l->s->form, node, NULL, NULL, l->a, l->err);
    if (st != PUAN_OK && l->err) /* the places are of the text made here */
        l->err->line = l->err->col = 0;
    if (st == PUAN_OK)
        l->s->form->ordinal = UINT16_MAX;
    return st;
}

enum puan_status puan_sheet_load(struct puan_sheet **out,
                                 const struct puan_node *tree,
                                 const struct puan_sheet_in *in,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct loader l = { .bases = puan_node_get(tree, "bases"),
                        .in = in,
                        .a = a,
                        .err = err };
    struct puan_str id;
    enum puan_status st;

    *out = NULL;
    l.s = puan_new(a, struct puan_sheet);
    l.figure = puan_new_n(a, MOST_FIGURES, struct puan_figure);
    if (!l.s || !l.figure)
        return puan_arena_check(a, err);
    l.s->figure = l.figure;
    st = puan_node_str(&id, tree, "sheet", err);
    if (st != PUAN_OK)
        return st;
    if (!puan_node_get(tree, "levels") || !puan_node_get(tree, "figures"))
        return puan_node_fail(tree, err,
                              "a sheet has levels, such as [township, "
                              "county], and figures");
    PUAN_NODE_EACH(c, puan_node_get(tree, "levels"))
    {
        int level;

        st = one_level(&level, &l, c);
        if (st != PUAN_OK)
            return st;
        l.s->levels |= 1u << level;
    }
    l.s->kept = l.s->levels;
    PUAN_NODE_EACH(c, puan_node_get(tree, "figures"))
    {
        st = figure(&l, c);
        if (st != PUAN_OK)
            return st;
    }
    st = make_form(&l, id, tree);
    if (st == PUAN_OK)
        *out = l.s;
    return st;
}
