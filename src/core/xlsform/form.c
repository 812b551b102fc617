/*
 * The form's tree out of the model, and its routing: first without any
 * asked_if, so that there is a form to compile them against.
 */
#include "core/xlsform/model.h"

#include "core/plan/routing.h"

#define ITEMS 400 /* of an entity: core/form */

/* ---- nodes ---- */

static struct puan_node *map_new(struct xf_model *m)
{
    struct puan_node *n = puan_new(m->a, struct puan_node);

    if (n) {
        n->kind = PUAN_NODE_MAP;
        n->file = "form";
    }
    return n;
}

static void put(struct puan_node *map, struct puan_str key,
                struct puan_node *value)
{
    struct puan_node **last = map ? &map->first : NULL;

    if (!map || !value)
        return;
    while (*last)
        last = &(*last)->next;
    value->key = key;
    *last = value;
    map->n++;
}

static void put_scalar(struct xf_model *m, struct puan_node *map,
                       const char *key, struct puan_str text, bool quoted)
{
    struct puan_node *n = puan_new(m->a, struct puan_node);

    if (!n)
        return;
    n->kind = PUAN_NODE_SCALAR;
    n->file = "form";
    n->quoted = quoted;
    n->text = text;
    put(map, puan_str_of(key), n);
}

static void put_text(struct xf_model *m, struct puan_node *map, const char *key,
                     struct puan_str text)
{
    put_scalar(m, map, key, text, true);
}

static void put_word(struct xf_model *m, struct puan_node *map, const char *key,
                     const char *word)
{
    put_scalar(m, map, key, puan_str_of(word), false);
}

static void put_int(struct xf_model *m, struct puan_node *map, const char *key,
                    int64_t v)
{
    put_word(m, map, key, puan_arena_fmt(m->a, "%lld", (long long)v));
}

static struct puan_str or_name(struct puan_str words, struct puan_str name)
{
    return words.n ? words : name;
}

/* zh and en out of a row; the name where there is no label. */
static void put_labels(struct xf_model *m, struct puan_node *map,
                       const struct xf_sheet *s,
                       const struct puan_grid_row *row, struct puan_str name)
{
    put_text(m, map, "zh", or_name(xf_words(m, s, row, XF_LABEL, m->zh), name));
    put_text(m, map, "en", or_name(xf_words(m, s, row, XF_LABEL, m->en), name));
}

/* ---- code lists ---- */

static struct puan_node *pair(struct xf_model *m, const char *zh,
                              const char *en)
{
    struct puan_node *n = map_new(m);

    put_text(m, n, "zh", puan_str_of(zh));
    put_text(m, n, "en", puan_str_of(en));
    return n;
}

static struct puan_node *code_list(struct xf_model *m, const struct xf_list *l,
                                   bool other)
{
    struct puan_node *list = map_new(m), *c;
    int64_t last = 0;

    for (size_t i = 0; i < l->n; i++) {
        int64_t v;

        c = map_new(m);
        if (!puan_int_parse(&v, l->choice[i].code) || v != l->choice[i].value)
            put_int(m, c, "value", l->choice[i].value);
        put_labels(m, c, l->sheet, l->choice[i].row, l->choice[i].name);
        put(list, l->choice[i].code, c);
        if (l->choice[i].value > last)
            last = l->choice[i].value;
        if (puan_str_is(l->choice[i].code, "other"))
            other = false;
    }
    if (other) {
        c = map_new(m);
        put_int(m, c, "value", last + 1);
        put_text(m, c, "zh", PUAN_STR("其他"));
        put_text(m, c, "en", PUAN_STR("Other"));
        put(list, PUAN_STR("other"), c);
    }
    return list;
}

static bool has_other(const struct xf_model *m, const struct xf_list *l)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->q[i].list == l && m->q[i].other.n && !m->q[i].gone)
            return true;
    return false;
}

static struct puan_node *code_lists(struct xf_model *m)
{
    struct puan_node *codes = map_new(m), *one;
    bool chosen = false, ack = false;

    for (size_t i = 0; i < m->n_lists; i++)
        if (m->list[i].used)
            put(codes, m->list[i].key,
                code_list(m, &m->list[i], has_other(m, &m->list[i])));
    for (size_t i = 0; i < m->n; i++) {
        chosen = chosen || (m->q[i].kind == XF_MANY && !m->q[i].gone);
        ack = ack || (m->q[i].kind == XF_ACK && !m->q[i].gone);
    }
    if (chosen) {
        one = map_new(m);
        put(one, PUAN_STR("1"), pair(m, "是", "Yes"));
        put(one, PUAN_STR("2"), pair(m, "否", "No"));
        put(codes, PUAN_STR("chosen"), one);
    }
    if (ack) {
        one = map_new(m);
        put(one, PUAN_STR("1"), pair(m, "确认", "OK"));
        put(codes, PUAN_STR("acknowledged"), one);
    }
    return codes;
}

/* ---- items ---- */

static struct puan_node *item(struct xf_model *m, struct puan_node *items,
                              uint16_t entity, struct puan_str name,
                              const char *type)
{
    struct puan_node *n = map_new(m);

    put_word(m, n, "type", type);
    put(items, name, n);
    m->entity[entity].n_items++;
    m->out->items++;
    return n;
}

static void hint(struct xf_model *m, struct puan_node *n,
                 const struct xf_question *q)
{
    struct puan_str h = xf_words(m, &m->survey, q->row, XF_HINT, m->en);

    if (h.n)
        put_text(m, n, "hint", h);
}

static void asked(struct xf_model *m, struct puan_node *n,
                  struct puan_str condition)
{
    if (condition.n)
        put_text(m, n, "asked_if", condition);
}

static void ending(struct xf_model *m, struct puan_node *n,
                   const struct xf_question *q)
{
    hint(m, n, q);
    asked(m, n, q->asked_if);
    if (!q->required)
        put_word(m, n, "required", "false");
}

/* A label that a colon and a choice can follow. */
static struct puan_str question_words(struct xf_model *m,
                                      const struct xf_question *q,
                                      struct puan_str lang)
{
    struct puan_str s =
        or_name(xf_words(m, &m->survey, q->row, XF_LABEL, lang), q->name);

    while (s.n > 1 && (s.p[s.n - 1] == ':' || s.p[s.n - 1] == ' '))
        s.n--;
    return s;
}

static void many(struct xf_model *m, struct puan_node *items,
                 const struct xf_question *q)
{
    struct puan_str zh = question_words(m, q, m->zh);
    struct puan_str en = question_words(m, q, m->en);

    for (size_t i = 0; i < q->list->n; i++) {
        const struct xf_choice *c = &q->list->choice[i];
        struct puan_node *n = item(m, items, q->entity, q->many[i], "code");
        struct puan_str cz = or_name(
            xf_words(m, q->list->sheet, c->row, XF_LABEL, m->zh), c->name);
        struct puan_str ce = or_name(
            xf_words(m, q->list->sheet, c->row, XF_LABEL, m->en), c->name);

        put_word(m, n, "codes", "chosen");
        put_text(m, n, "zh",
                 puan_str_of(puan_arena_fmt(m->a, "%.*s：%.*s", PUAN_FMT(zh),
                                            PUAN_FMT(cz))));
        put_text(m, n, "en",
                 puan_str_of(puan_arena_fmt(m->a, "%.*s: %.*s", PUAN_FMT(en),
                                            PUAN_FMT(ce))));
        ending(m, n, q);
    }
}

/* The text behind "other". */
static void other_item(struct xf_model *m, struct puan_node *items,
                       const struct xf_question *q)
{
    struct puan_node *n = item(m, items, q->entity, q->other, "text");
    struct puan_str when = q->asked_if;

    if (q->kind == XF_ONE)
        when = puan_str_of(puan_arena_fmt(
            m->a, "%.*s = \"other\"", PUAN_FMT(q->item)));
    put_text(m, n, "zh", PUAN_STR("请说明其他"));
    put_text(m, n, "en", PUAN_STR("Specify other"));
    asked(m, n, when);
    put_word(m, n, "required", "false");
}

static void one(struct xf_model *m, struct puan_node *items,
                struct xf_question *q)
{
    static const char *const words[] = { "int",  "decimal", "text", "date",
                                         "point", "code",   "code", "code" };
    struct puan_node *n;

    if (q->kind == XF_MANY) {
        many(m, items, q);
        return;
    }
    n = item(m, items, q->entity, q->item, words[q->kind]);
    switch (q->kind) {
    case XF_INT:
        put_int(m, n, "min", q->has_range  ? q->min
                               : q->no_minus ? 0
                                             : -2147483648LL);
        put_int(m, n, "max", q->has_range ? q->max : 2147483647LL);
        break;
    case XF_DECIMAL:
        put_int(m, n, "places", 3);
        put_int(m, n, "min", q->no_minus ? 0 : -999999999LL);
        put_int(m, n, "max", 999999999LL);
        break;
    case XF_TEXT:
        put_word(m, n, "zone", "vault");
        put_int(m, n, "max", q->max_text ? (int64_t)q->max_text : 500);
        if (q->exact_digits)
            put_word(m, n, "scheme",
                     puan_arena_fmt(m->a, "digits_%u", q->exact_digits));
        break;
    case XF_ONE:
        put_scalar(m, n, "codes", q->list->key, false);
        break;
    case XF_ACK:
        put_word(m, n, "codes", "acknowledged");
        break;
    case XF_DATE:
    case XF_POINT:
    case XF_MANY:
    case XF_CALCULATE:
    case XF_GROUP:
    case XF_REPEAT:
        break;
    }
    put_labels(m, n, &m->survey, q->row, q->name);
    ending(m, n, q);
}

/* How many items a question makes. */
static uint32_t width(const struct xf_question *q)
{
    return (q->kind == XF_MANY ? (uint32_t)q->list->n : 1) + (q->other.n > 0);
}

static void lost_question(struct xf_model *m, struct xf_question *q,
                          const char *why, const char *remedy)
{
    uint32_t col = 0;

    (void)xf_cell(&m->survey, q->row, XF_NAME, &col);
    q->gone = true;
    xf_remark(m, PUAN_XLSFORM_LOST, &m->survey, q->row->line, col, why, remedy);
}

/* Leaves out what no longer fits; empty repeats go too. */
static void fit(struct xf_model *m)
{
    uint32_t n[PUAN_FORM_ENTITIES] = { 0 };

    for (size_t i = 0; i < m->n; i++) {
        struct xf_question *q = &m->q[i];

        if (q->gone || q->kind == XF_CALCULATE || q->kind == XF_GROUP ||
            q->kind == XF_REPEAT)
            continue;
        if (n[q->entity] + width(q) + 1 > ITEMS) {
            lost_question(m, q,
                          puan_arena_fmt(m->a,
                                         "more than %d items: the question is "
                                         "left out",
                                         ITEMS),
                          "divide the form into two");
            continue;
        }
        n[q->entity] += width(q);
        m->out->questions.done++;
    }
}

static void texts_note(struct xf_model *m)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->q[i].kind == XF_TEXT && !m->q[i].gone) {
            xf_remark(m, PUAN_XLSFORM_NOTE, &m->survey, m->q[i].row->line, 0,
                      "texts are sealed (zone: vault), as they may hold names",
                      "answers in words that are to be coded want zone: text");
            return;
        }
}

static void special(struct xf_model *m, const struct xf_question *q)
{
    static const char *const changes[] = {
        "a number with decimals keeps three of them (places: 3)",
        "a time of day becomes a text",
        "each choice of a select_multiple becomes an item, yes or no",
    };
    int which = q->kind == XF_DECIMAL ? 0 : q->time ? 1
                : q->kind == XF_MANY                ? 2
                                                    : -1;
    uint32_t col = 0;

    if (which < 0)
        return;
    (void)xf_cell(&m->survey, q->row, XF_TYPE, &col);
    xf_remark(m, PUAN_XLSFORM_CHANGED, &m->survey, q->row->line, col,
              changes[which], which == 0 ? "change places: where it matters" : "");
}

/* ---- the tree ---- */

static struct puan_node *entity_node(struct xf_model *m, uint16_t e)
{
    struct xf_entity *x = &m->entity[e];
    struct puan_node *n = map_new(m), *items = map_new(m), *link;

    x->n_items = 0;
    if (e == 0) {
        put_text(m, n, "zh", PUAN_STR("户"));
        put_text(m, n, "en", PUAN_STR("Household"));
    } else {
        put_labels(m, n, &m->survey, x->repeat->row, x->repeat->name);
        put_int(m, n, "rows", x->rows);
    }
    if (x->link.n) {
        link = item(m, items, e, x->link, "int");
        put_int(m, link, "min", 1);
        put_int(m, link, "max", 9999);
        put_text(m, link, "zh", PUAN_STR("所属行号"));
        put_text(m, link, "en", PUAN_STR("Line it belongs to"));
    }
    for (size_t i = 0; i < m->n; i++) {
        struct xf_question *q = &m->q[i];

        if (q->gone || q->entity != e || q->kind == XF_CALCULATE ||
            q->kind == XF_GROUP || q->kind == XF_REPEAT)
            continue;
        one(m, items, q);
        if (q->other.n)
            other_item(m, items, q);
    }
    if (e == 0 && x->n_items == 0) { /* everything stands in repeats */
        link = item(m, items, 0, PUAN_STR("household_number"), "int");
        put_word(m, link, "from", "key");
        put_int(m, link, "key_digits", 3);
        put_text(m, link, "zh", PUAN_STR("户编号"));
        put_text(m, link, "en", PUAN_STR("Household number"));
    }
    put(n, PUAN_STR("items"), items);
    return n;
}

static void schemes(struct xf_model *m, struct puan_node *tree)
{
    struct puan_node *all = map_new(m);

    for (size_t i = 0; i < m->n; i++) {
        const struct xf_question *q = &m->q[i];
        const char *name = puan_arena_fmt(m->a, "digits_%u", q->exact_digits);
        struct puan_node *s;

        if (q->gone || q->exact_digits == 0 || puan_node_get(all, name))
            continue;
        s = map_new(m);
        put_int(m, s, "length", q->exact_digits);
        put_text(m, s, "alphabet", PUAN_STR("0123456789"));
        put(all, puan_str_of(name), s);
    }
    if (all && all->n)
        put(tree, PUAN_STR("schemes"), all);
}

static enum puan_status build(struct xf_model *m)
{
    struct puan_node *tree = map_new(m), *codes, *entities = map_new(m);
    struct puan_str title = xf_setting(m, "form_title");
    bool ignored;

    if (title.n == 0)
        title = xf_setting(m, "title");
    title = xf_clean(title, &ignored, m->a);
    m->out->items = 0;
    put_scalar(m, tree, "form", m->id, true);
    put_word(m, tree, "version", "1");
    put_text(m, tree, "zh", or_name(title, m->id));
    put_text(m, tree, "en", or_name(title, m->id));
    schemes(m, tree);
    codes = code_lists(m);
    if (codes && codes->n)
        put(tree, PUAN_STR("codes"), codes);
    for (uint16_t e = 0; e < m->n_entities; e++) {
        struct puan_node *n = entity_node(m, e);

        if (e == 0 || m->entity[e].n_items > (m->entity[e].link.n > 0))
            put(entities, m->entity[e].name, n);
        else if (!m->entity[e].repeat->gone)
            lost_question(m, m->entity[e].repeat,
                          "a repeat without a question that is kept is left "
                          "out", "");
    }
    put(tree, PUAN_STR("entities"), entities);
    m->out->tree = tree;
    return puan_arena_check(m->a, m->err);
}

static enum puan_status load(struct xf_model *m)
{
    struct puan_form *f = NULL;
    enum puan_status st =
        puan_form_load(&f, m->out->tree, NULL, NULL, m->a, m->err);

    m->form = f;
    return st;
}

enum puan_status xf_form(struct xf_model *m)
{
    enum puan_status st;

    fit(m);
    if (m->out->questions.done == 0)
        return puan_fail(m->err, PUAN_EINVAL, "survey",
                         "no question here can be carried over");
    texts_note(m);
    for (size_t i = 0; i < m->n; i++)
        if (!m->q[i].gone)
            special(m, &m->q[i]);
    st = build(m);
    return st == PUAN_OK ? load(m) : st;
}

/* ---- routing ---- */

static void parse_one(struct xf_model *m, struct xf_question *q)
{
    struct puan_err err = { 0 };
    uint32_t col = 0;
    struct puan_str text = xf_cell(&m->survey, q->row, XF_RELEVANT, &col);

    if (text.n == 0)
        return;
    m->out->conditions.of++;
    if (puan_xp_parse(&q->when, text, m->a, &err) == PUAN_OK)
        return;
    q->when = NULL;
    xf_remark(m, PUAN_XLSFORM_LOST, &m->survey, q->row->line, col,
              puan_arena_fmt(m->a, "relevant: character %u: %s", err.col,
                             err.text),
              "correct it in the spreadsheet, or write asked_if: by hand");
}

/* The relevant of q or of a group around it, seen from `entity`. */
static struct xf_said one_condition(struct xf_model *m, struct xf_question *q,
                                    uint16_t entity)
{
    struct xf_said s = xf_truth(m, q->when, entity, q, false);
    struct puan_expr *e;
    struct puan_err err = { 0 };
    int at = puan_form_entity(m->form, m->entity[entity].name);

    if (!s.ok)
        return s;
    if (puan_str_is(s.text, "true")) {
        s.text.n = 0;
        return s;
    }
    if (at < 0 || puan_expr_compile_truth(&e, m->form, (uint16_t)at, NULL, 0,
                                          s.text, "form", 0, m->a,
                                          &err) != PUAN_OK)
        s = (struct xf_said){ .why = puan_arena_fmt(m->a, "%s", err.text),
                              .remedy = "write asked_if: by hand" };
    return s;
}

/* One more condition before the others; brackets where `or` would part. */
static const char *joined(struct xf_model *m, struct xf_said s, const char *all,
                          bool *loose)
{
    const char *own = puan_arena_dup(m->a, s.text);

    if (all == NULL) {
        *loose = s.loose;
        return own;
    }
    if (s.loose)
        own = puan_arena_fmt(m->a, "(%s)", own);
    if (*loose)
        all = puan_arena_fmt(m->a, "(%s)", all);
    *loose = false;
    return puan_arena_fmt(m->a, "%s and %s", own, all);
}

static void condition(struct xf_model *m, struct xf_question *q)
{
    const char *all = NULL;
    bool loose = false;

    for (struct xf_question *g = q; g; g = g->group) {
        struct xf_said s;
        uint32_t col = 0;

        if (!g->when)
            continue;
        s = one_condition(m, g, q->entity);
        if (s.ok && s.text.n)
            all = joined(m, s, all, &loose);
        if (s.ok || g->reported)
            continue;
        g->reported = true;
        (void)xf_cell(&m->survey, g->row, XF_RELEVANT, &col);
        xf_remark(m, PUAN_XLSFORM_LOST, &m->survey, g->row->line, col,
                  puan_arena_fmt(m->a,
                                 "relevant: %s; it is asked without this "
                                 "condition",
                                 s.why),
                  s.remedy);
    }
    if (all)
        q->asked_if = puan_str_of(all);
}

enum puan_status xf_routing(struct xf_model *m)
{
    struct puan_routing *r;
    enum puan_status st;

    for (size_t i = 0; i < m->n; i++)
        if (m->q[i].kind != XF_CALCULATE && !m->q[i].gone)
            parse_one(m, &m->q[i]);
    for (size_t i = 0; i < m->n; i++)
        if (!m->q[i].gone && m->q[i].kind != XF_CALCULATE &&
            m->q[i].kind != XF_GROUP && m->q[i].kind != XF_REPEAT)
            condition(m, &m->q[i]);
    m->quiet = true;
    for (size_t i = 0; i < m->n; i++)
        m->out->conditions.done += m->q[i].when && !m->q[i].reported;
    st = build(m);
    m->quiet = false;
    if (st == PUAN_OK)
        st = load(m);
    m->out->form = m->form;
    return st == PUAN_OK
               ? puan_routing_compile(&r, m->form, NULL, 0, NULL, m->a, m->err)
               : st;
}
