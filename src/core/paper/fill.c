/*
 * Filling a template in: the document as JSON.
 */
#include "core/paper/internal.h"

struct fill {
    struct puan_jw w;
    struct puan_paper_scope s;
    const struct puan_paper_template *t;
    const struct puan_paper_fill *how;
};

static const char *gap(const struct fill *f)
{
    return f->s.en ? "(not filled in)" : "（未填）";
}

/* A text of the template: both languages, or one text for both. */
static struct puan_str said(const struct fill *f, const struct puan_node *n)
{
    if (n == NULL)
        return (struct puan_str){ 0 };
    if (n->kind == PUAN_NODE_MAP)
        return puan_node_str_opt(n, f->s.en ? "en" : "zh", "");
    return n->text;
}

static void part(struct fill *f, const char *key)
{
    const struct puan_node *n = puan_node_get(f->t->tree, key);
    struct puan_str text = puan_paper_text(&f->s, said(f, n), gap(f));

    if (text.n > 0)
        puan_jw_kstr(&f->w, key, text);
}

/* A whole number of the template, however it was written. */
static void whole(struct fill *f, const char *key, const struct puan_node *map)
{
    int64_t v;

    if (puan_int_parse(&v, puan_node_str_opt(map, key, "1")))
        puan_jw_kint(&f->w, key, v);
}

static bool shown(const struct fill *f, const struct puan_node *n)
{
    const struct puan_node *when =
        n && n->kind == PUAN_NODE_MAP ? puan_node_get(n, "when") : NULL;

    return when == NULL || puan_paper_holds(&f->s, when->text);
}

/* ---- tables ------------------------------------------------------------------- */

static void columns(struct fill *f, const struct puan_node *list)
{
    puan_jw_key(&f->w, "columns");
    puan_jw_list(&f->w);
    PUAN_NODE_EACH(c, list) {
        struct puan_str align = puan_node_str_opt(c, "align", "");

        puan_jw_map(&f->w);
        puan_jw_kstr(&f->w, "head", said(f, c));
        whole(f, "width", c);
        if (align.n > 0)
            puan_jw_kstr(&f->w, "align", align);
        puan_jw_end(&f->w, '}');
    }
    puan_jw_end(&f->w, ']');
}

static void row(struct fill *f, const struct puan_node *cols)
{
    puan_jw_list(&f->w);
    PUAN_NODE_EACH(c, cols)
    puan_jw_str(&f->w, puan_paper_text(
                           &f->s, said(f, puan_node_get(c, "value")), ""));
    puan_jw_end(&f->w, ']');
}

/* "a.b/c": each row of c inside each row of a.b, which is then `up`. */
static void rows_of(struct fill *f, const struct puan_node *t,
                    const struct puan_node *list, struct puan_str inner)
{
    const struct puan_node *cols = puan_node_get(t, "columns");
    struct puan_str only = puan_node_str_opt(t, "only", "");

    PUAN_NODE_EACH(c, list) {
        const struct puan_paper_scope keep = f->s;

        f->s.row = c;
        if (inner.n > 0) {
            const struct puan_node *below = puan_paper_find(&f->s, inner);
            struct puan_str group = said(f, puan_node_get(t, "group"));

            if (group.n > 0) {
                puan_jw_map(&f->w);
                puan_jw_kstr(&f->w, "group",
                             puan_paper_text(&f->s, group, ""));
                puan_jw_end(&f->w, '}');
            }
            f->s.up = c;
            if (below != NULL && below->kind == PUAN_NODE_LIST)
                rows_of(f, t, below, (struct puan_str){ 0 });
            f->s.row = keep.row;
            f->s.up = keep.up;
            continue;
        }
        if (only.n == 0 || puan_paper_holds(&f->s, only)) {
            f->s.n++;
            row(f, cols);
        }
        f->s.row = keep.row;
        f->s.up = keep.up;
    }
}

static void table(struct fill *f, const struct puan_node *t)
{
    struct puan_str title =
        puan_paper_text(&f->s, said(f, puan_node_get(t, "title")), gap(f));
    const struct puan_node *lines = puan_node_get(t, "lines"), *list;
    struct puan_str outer = puan_node_str_opt(t, "rows", ""), inner = { 0 };

    puan_jw_map(&f->w);
    puan_jw_key(&f->w, "table");
    puan_jw_map(&f->w);
    if (title.n > 0)
        puan_jw_kstr(&f->w, "title", title);
    columns(f, puan_node_get(t, "columns"));
    puan_jw_key(&f->w, "rows");
    puan_jw_list(&f->w);
    if (outer.n > 0) {
        for (size_t i = 0; i < outer.n; i++)
            if (outer.p[i] == '/') {
                inner = (struct puan_str){ outer.p + i + 1, outer.n - i - 1 };
                outer.n = i;
                break;
            }
        list = puan_paper_find(&f->s, outer);
        f->s.n = 0;
        if (list != NULL && list->kind == PUAN_NODE_LIST)
            rows_of(f, t, list, inner);
        f->s.n = 0;
    }
    PUAN_NODE_EACH(l, lines) {
        puan_jw_list(&f->w);
        PUAN_NODE_EACH(c, l)
        puan_jw_str(&f->w, puan_paper_text(&f->s, said(f, c), ""));
        puan_jw_end(&f->w, ']');
    }
    puan_jw_end(&f->w, ']');
    puan_jw_end(&f->w, '}');
    puan_jw_end(&f->w, '}');
}

/* ---- blocks --------------------------------------------------------------------- */

static struct puan_str field_path(const struct fill *f, const struct puan_node *c)
{
    return puan_str_of(
        puan_arena_fmt(f->s.arena, "field.%.*s", PUAN_FMT(c->text)));
}

static struct puan_str field_value(const struct fill *f, struct puan_str path,
                                   const char *none)
{
    return puan_paper_text(&f->s,
                           puan_str_of(puan_arena_fmt(f->s.arena, "{%.*s}",
                                                      PUAN_FMT(path))),
                           none);
}

/* One paragraph for each field, with its label. */
static void fields(struct fill *f, const struct puan_node *list)
{
    int n = 0;

    PUAN_NODE_EACH(c, list) {
        struct puan_str path = field_path(f, c);
        struct puan_str label = puan_paper_label(&f->s, path);

        puan_jw_map(&f->w);
        puan_jw_ktext(&f->w, "label",
                      puan_arena_fmt(f->s.arena, f->s.en ? "%d. %.*s: "
                                                         : "%d．%.*s：",
                                     ++n, PUAN_FMT(label)));
        puan_jw_kstr(&f->w, "text", field_value(f, path, gap(f)));
        puan_jw_end(&f->w, '}');
    }
}

/* A form: label and value beside each other. */
static void form(struct fill *f, const struct puan_node *list)
{
    puan_jw_map(&f->w);
    puan_jw_key(&f->w, "table");
    puan_jw_map(&f->w);
    puan_jw_key(&f->w, "columns");
    puan_jw_raw(&f->w, PUAN_STR("[{\"width\":2},{\"width\":5}]"));
    puan_jw_key(&f->w, "rows");
    puan_jw_list(&f->w);
    PUAN_NODE_EACH(c, list) {
        struct puan_str path = field_path(f, c);

        puan_jw_list(&f->w);
        puan_jw_str(&f->w, puan_paper_label(&f->s, path));
        puan_jw_str(&f->w, field_value(f, path, ""));
        puan_jw_end(&f->w, ']');
    }
    puan_jw_end(&f->w, ']');
    puan_jw_end(&f->w, '}');
    puan_jw_end(&f->w, '}');
}

static void block(struct fill *f, const struct puan_node *b)
{
    const struct puan_node *n;

    if (!shown(f, b))
        return;
    if ((n = puan_node_get(b, "fields")) != NULL) {
        fields(f, n);
    } else if ((n = puan_node_get(b, "form")) != NULL) {
        form(f, n);
    } else if ((n = puan_node_get(b, "table")) != NULL) {
        table(f, n);
    } else if ((n = puan_node_get(b, "signs")) != NULL) {
        puan_jw_map(&f->w);
        puan_jw_key(&f->w, "signs");
        puan_jw_list(&f->w);
        PUAN_NODE_EACH(c, n)
        puan_jw_str(&f->w, puan_paper_text(&f->s, said(f, c), gap(f)));
        puan_jw_end(&f->w, ']');
        puan_jw_end(&f->w, '}');
    } else if ((n = puan_node_get(b, "heading")) != NULL) {
        puan_jw_map(&f->w);
        puan_jw_kstr(&f->w, "heading",
                     puan_paper_text(&f->s, said(f, n), gap(f)));
        whole(f, "level", b);
        puan_jw_end(&f->w, '}');
    } else if ((n = puan_node_get(b, "text")) != NULL) {
        struct puan_str label = puan_paper_text(
            &f->s, said(f, puan_node_get(b, "label")), gap(f));

        puan_jw_map(&f->w);
        if (label.n > 0)
            puan_jw_kstr(&f->w, "label", label);
        puan_jw_kstr(&f->w, "text",
                     puan_paper_text(&f->s, said(f, n), gap(f)));
        puan_jw_end(&f->w, '}');
    }
}

/* Texts, each under its own condition; a path to a list gives one for each. */
static void list(struct fill *f, const char *key)
{
    const struct puan_node *l = puan_node_get(f->t->tree, key);

    if (l == NULL)
        return;
    puan_jw_key(&f->w, key);
    puan_jw_list(&f->w);
    if (l->kind == PUAN_NODE_MAP) { /* {rows: case.evidence, zh, en} */
        const struct puan_node *rows =
            puan_paper_find(&f->s, puan_node_str_opt(l, "rows", ""));
        const struct puan_paper_scope keep = f->s;

        if (rows != NULL && rows->kind == PUAN_NODE_LIST)
            PUAN_NODE_EACH(c, rows) {
                f->s.row = c;
                puan_jw_str(&f->w, puan_paper_text(&f->s, said(f, l), gap(f)));
            }
        f->s = keep;
    } else {
        PUAN_NODE_EACH(c, l)
        if (shown(f, c))
            puan_jw_str(&f->w, puan_paper_text(&f->s, said(f, c), gap(f)));
    }
    puan_jw_end(&f->w, ']');
}

/* The sheet as the pack has it: numbers as written, lists of fonts. */
static void page(struct fill *f, const struct puan_node *n)
{
    if (n == NULL || n->kind != PUAN_NODE_MAP)
        return;
    puan_jw_key(&f->w, "page");
    puan_jw_map(&f->w);
    PUAN_NODE_EACH(c, n) {
        puan_jw_key_s(&f->w, c->key);
        if (c->kind == PUAN_NODE_SCALAR) {
            int64_t v;

            if (!puan_fixed_parse(&v, c->text, 2) || v < 0)
                v = 0;
            if (v % 100 == 0) {
                puan_jw_int(&f->w, v / 100);
                continue;
            }
            puan_jw_raw(&f->w, puan_str_of(puan_arena_fmt(
                                   f->s.arena, "%lld.%lld%lld",
                                   (long long)(v / 100),
                                   (long long)(v / 10 % 10),
                                   (long long)(v % 10))));
            continue;
        }
        puan_jw_map(&f->w);
        PUAN_NODE_EACH(face, c) {
            puan_jw_key_s(&f->w, face->key);
            puan_jw_list(&f->w);
            PUAN_NODE_EACH(font, face)
            puan_jw_str(&f->w, font->text);
            puan_jw_end(&f->w, ']');
        }
        puan_jw_end(&f->w, '}');
    }
    puan_jw_end(&f->w, '}');
}

enum puan_status puan_paper_fill(struct puan_out *o,
                                 const struct puan_paper_template *t,
                                 const struct puan_node *values,
                                 const struct puan_paper_fill *how,
                                 struct puan_arena *a, struct puan_err *err)
{
    static const char *const before[] = { "secrecy", "urgency", "issuer",
                                          "number",  "signer",  "title" };
    static const char *const after[] = { "signed", "date", "note", "copies",
                                         "printed_by", "printed_on" };
    struct fill f = { .s = { .root = values,
                             .words = puan_node_get(t->tree, "words"),
                             .en = how->en,
                             .arena = a },
                      .t = t,
                      .how = how };

    puan_jw_init(&f.w, o);
    puan_jw_map(&f.w);
    puan_jw_ktext(&f.w, "lang", how->en ? "en" : "zh");
    page(&f, how->page);
    if (puan_str_is(puan_node_str_opt(t->tree, "landscape", ""), "true"))
        puan_jw_kbool(&f.w, "landscape", true);
    if (how->mark.n > 0)
        puan_jw_kstr(&f.w, "mark", how->mark);
    if (how->drill)
        puan_jw_kbool(&f.w, "drill", true);
    for (size_t i = 0; i < PUAN_COUNT(before); i++)
        part(&f, before[i]);
    list(&f, "to");
    puan_jw_key(&f.w, "body");
    puan_jw_list(&f.w);
    PUAN_NODE_EACH(b, puan_node_get(t->tree, "body"))
    block(&f, b);
    puan_jw_end(&f.w, ']');
    list(&f, "attachments");
    for (size_t i = 0; i < PUAN_COUNT(after); i++)
        part(&f, after[i]);
    if (how->foot.n > 0)
        puan_jw_kstr(&f.w, "foot", how->foot);
    if (how->made.n > 0)
        puan_jw_kstr(&f.w, "made", how->made);
    puan_jw_end(&f.w, '}');
    return puan_arena_check(a, err);
}

size_t puan_paper_missing(const struct puan_str **out,
                          const struct puan_paper_template *t,
                          const struct puan_node *values, bool en,
                          struct puan_arena *a)
{
    const struct puan_paper_scope s = { .root = values, .en = en, .arena = a };
    struct puan_str *name = puan_new_n(a, t->n_needs, struct puan_str);
    size_t n = 0;

    *out = name;
    for (size_t i = 0; name != NULL && i < t->n_needs; i++)
        if (!puan_paper_holds(&s, t->needs[i]) &&
            !puan_paper_holds(
                &s, puan_str_of(puan_arena_fmt(a, "%.*s = 0",
                                               PUAN_FMT(t->needs[i])))) &&
            !puan_paper_holds(
                &s, puan_str_of(puan_arena_fmt(a, "%.*s = false",
                                               PUAN_FMT(t->needs[i])))))
            name[n++] = puan_paper_label(&s, t->needs[i]);
    return n;
}
