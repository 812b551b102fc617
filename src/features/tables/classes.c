/*
 * Levels of a classification as expressions over an item: digits are cut off
 * the code; letters above them go by the codes below each.
 */
#include "features/tables/classes.h"

#include <string.h>

#include "base/json.h"
#include "features/code/code.h"

#define LEVELS_MOST 8

struct level {
    unsigned digits;
    bool letters;
    const char *name;
};

struct reading {
    const struct puan_coder *c;
    struct level level[LEVELS_MOST];
    size_t n;
    struct puan_str list, item;
    struct puan_arena *a;
    struct puan_err *err;
};

static bool is_number(struct puan_str s)
{
    int64_t v;

    return s.n > 0 && s.p[0] >= '0' && s.p[0] <= '9' && puan_int_parse(&v, s);
}

static enum puan_status levels(struct reading *r)
{
    static const char *const named[] = { "section", "division", "group",
                                         "class" };

    for (size_t i = 0; i < puan_coder_nodes(r->c); i++) {
        const struct puan_coder_node *n = puan_coder_node(r->c, i);
        size_t k = 0;

        while (k < r->n && r->level[k].digits != n->digits)
            k++;
        if (k < r->n || r->n == LEVELS_MOST)
            continue;
        /* outermost first: a parent stands before what is below it */
        r->level[r->n++] =
            (struct level){ n->digits, !is_number(n->code), NULL };
    }
    for (size_t i = 0; i < r->n; i++)
        r->level[i].name = r->n == PUAN_COUNT(named) && r->level[0].letters
                               ? named[i]
                               : puan_arena_fmt(r->a, "%u",
                                                r->level[i].digits);
    return puan_arena_check(r->a, r->err);
}

/* The codes of a level with their names. */
static enum puan_status codes(const struct puan_codelist **out,
                              struct reading *r, const struct level *l)
{
    struct puan_codelist *list = NULL;
    struct puan_node *tree;
    struct puan_out o;
    struct puan_jw w;
    int64_t place = 0;
    enum puan_status st;

    puan_out_init(&o, r->a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    for (size_t i = 0; i < puan_coder_nodes(r->c); i++) {
        const struct puan_coder_node *n = puan_coder_node(r->c, i);
        int64_t v = 0;

        if (n->digits != l->digits)
            continue;
        place++;
        if (!puan_int_parse(&v, n->code))
            v = place;
        puan_jw_key_s(&w, n->code);
        puan_jw_map(&w);
        puan_jw_kint(&w, "value", v);
        puan_jw_kstr(&w, "zh", n->name);
        puan_jw_kstr(&w, "en", n->name);
        puan_jw_end(&w, '}');
    }
    puan_jw_end(&w, '}');
    st = puan_json_tree(&tree, puan_out_view(&o), "--class", r->a, r->err);
    if (st == PUAN_OK)
        st = puan_codelist_load(&list, tree, r->a, r->err);
    *out = list;
    return st;
}

/* The codes of `digits` below a node, as a set of the rule language. */
static void put_below(struct puan_out *o, const struct reading *r, size_t node,
                      unsigned digits)
{
    int64_t from = 0, to = -2, v; /* codes in a row are a range */
    bool any = false;

    puan_out_char(o, '{');
    for (size_t i = 0; i < puan_coder_nodes(r->c); i++) {
        const struct puan_coder_node *n = puan_coder_node(r->c, i);

        if (n->digits != digits || n->parent != (int32_t)node ||
            !puan_int_parse(&v, n->code))
            continue;
        if (v == to + 1) {
            to = v;
            continue;
        }
        if (to >= from)
            puan_out_fmt(o, "%s%lld..%lld", any ? ", " : "", (long long)from,
                         (long long)to);
        any |= to >= from;
        from = to = v;
    }
    if (to >= from)
        puan_out_fmt(o, "%s%lld..%lld", any ? ", " : "", (long long)from,
                     (long long)to);
    else
        puan_out_text(o, "-1");
    puan_out_char(o, '}');
}

/* Its place among the letters; 0: of none of them. */
static struct puan_str letters(struct reading *r, const struct level *l,
                               const struct level *below)
{
    struct puan_out o;
    int64_t place = 0, open = 0;

    puan_out_init(&o, r->a);
    for (size_t i = 0; i < puan_coder_nodes(r->c); i++) {
        if (puan_coder_node(r->c, i)->digits != l->digits)
            continue;
        puan_out_fmt(&o, "if(%.*s_%s in ", PUAN_FMT(r->list), below->name);
        put_below(&o, r, i, below->digits);
        puan_out_fmt(&o, ", %lld, ", (long long)++place);
        open++;
    }
    puan_out_int(&o, 0);
    while (open-- > 0)
        puan_out_char(&o, ')');
    return puan_out_view(&o);
}

static struct puan_str cut(struct reading *r, const struct puan_frame_item *it,
                           unsigned digits, unsigned all)
{
    int64_t by = 1;

    if (it->codes)
        return puan_str_of(puan_arena_fmt(r->a, "prefix(%.*s, %u)",
                                          PUAN_FMT(r->item), digits));
    for (; digits < all; digits++)
        by *= 10;
    return puan_str_of(puan_arena_fmt(r->a, "%.*s / %lld", PUAN_FMT(r->item),
                                      (long long)by));
}

static enum puan_status add(struct puan_tab_programme *p, struct reading *r,
                            const struct puan_frame_item *it)
{
    unsigned all = r->level[r->n - 1].digits;
    struct puan_tab_variable *v =
        puan_new_n(r->a, p->n_variables + r->n, struct puan_tab_variable);
    enum puan_status st = PUAN_OK;

    if (!v)
        return puan_arena_check(r->a, r->err);
    if (p->n_variables)
        memcpy(v, p->variable, p->n_variables * sizeof(*v));
    for (size_t i = 0; st == PUAN_OK && i < r->n; i++) {
        const struct level *l = &r->level[i];
        struct puan_tab_variable *x = &v[p->n_variables + i];

        x->name = x->zh = x->en = puan_str_of(puan_arena_fmt(
            r->a, "%.*s_%s", PUAN_FMT(r->list), l->name));
        x->text = l->letters && i + 1 < r->n ? letters(r, l, l + 1)
                                             : cut(r, it, l->digits, all);
        st = codes(&x->codes, r, l);
    }
    p->variable = v;
    p->n_variables += r->n;
    return st == PUAN_OK ? puan_arena_check(r->a, r->err) : st;
}

enum puan_status puan_classes_add(struct puan_tab_programme *p,
                                  const struct puan_frame *f, const char *text,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct reading r = { .a = a, .err = err };
    struct puan_str rest = puan_str_of(text), pack, what;
    const struct puan_frame_item *it = NULL;
    struct puan_coding *coding = NULL;
    enum puan_status st;

    if (!puan_str_split(&r.item, &rest, '=') || rest.n == 0)
        return puan_fail(err, PUAN_EINVAL, "--class",
                         "write ITEM=PACK:LIST, such as "
                         "U103=cn-economic-2018:industry");
    what = rest;
    if (!puan_str_split(&pack, &what, ':') || what.n == 0) {
        what = rest;
        pack = puan_str_of(PUAN_DEFAULT_PLAN);
    }
    r.list = puan_arena_keep(a, what);
    for (size_t e = 0; e < f->n_entities && !it; e++) {
        int i = puan_frame_item(&f->entity[e], r.item);

        if (i >= 0)
            it = &f->entity[e].item[i];
    }
    if (!it)
        return puan_fail(err, PUAN_ENOTFOUND, "--class",
                         "the data have no column '%.*s'", PUAN_FMT(r.item));
    if (!it->codes && it->type != PUAN_TYPE_INT)
        return puan_fail(err, PUAN_EINVAL, "--class",
                         "'%.*s' holds no codes: a code list or whole numbers "
                         "are wanted",
                         PUAN_FMT(r.item));
    st = puan_coding_open(&coding, puan_arena_dup(a, pack),
                          puan_arena_dup(a, what), err);
    if (st != PUAN_OK)
        return st;
    r.c = puan_coding_coder(coding);
    st = levels(&r);
    if (st == PUAN_OK && r.n == 0)
        st = puan_fail(err, PUAN_EINVAL, "--class", "the list is empty");
    if (st == PUAN_OK)
        st = add(p, &r, it);
    puan_coding_close(coding);
    return st;
}
