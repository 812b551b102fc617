/*
 * Shared variables as columns; see shared.h.
 */
#include "features/tables/shared.h"

#include "core/rule/lanes.h"
#include "kit/os/heap.h"

/* Fewer uses are not worth a pass over the rows. */
#define USES_LEAST 8

static bool in_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80;
}

/* The next name in a text, behind *at; texts in quotes are passed over. */
static bool next_name(struct puan_str *out, struct puan_str s, size_t *at)
{
    size_t i = *at;

    while (i < s.n && !in_name(s.p[i])) {
        if (s.p[i] == '"')
            for (i++; i < s.n && s.p[i] != '"'; i++)
                continue;
        i++;
    }
    if (i >= s.n)
        return false;
    *out = (struct puan_str){ s.p + i, 0 };
    while (i < s.n && in_name(s.p[i]))
        i++;
    out->n = (size_t)(s.p + i - out->p);
    *at = i;
    return true;
}

static size_t uses_in(struct puan_str text, struct puan_str name)
{
    struct puan_str word;
    size_t at = 0, n = 0;

    while (next_name(&word, text, &at))
        n += puan_str_eq(word, name);
    return n;
}

static size_t uses(const struct puan_tab_programme *p, struct puan_str name)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n_variables; i++)
        n += uses_in(p->variable[i].text, name);
    for (size_t i = 0; i < p->n_tables; i++) {
        const struct puan_tab_table *t = &p->table[i];

        n += uses_in(t->where, name);
        for (size_t k = 0; k < t->n_by; k++)
            n += uses_in(t->by[k].text, name);
        for (size_t k = 0; k < t->n_show; k++)
            n += uses_in(t->show[k].text, name) +
                 uses_in(t->show[k].where, name);
    }
    return n;
}

/* Reads the items of a row and nothing else, so that it means the same
   wherever it is read. */
static bool plain(const struct puan_tab_programme *p,
                  const struct puan_frame *f,
                  const struct puan_tab_variable *v)
{
    if (v->bands.n > 0 || v->codes)
        return false;
    for (size_t e = 0; e < f->n_entities; e++)
        if (uses_in(v->text, f->entity[e].name) > 0)
            return false;
    for (size_t i = 0; i < p->n_variables; i++)
        if (uses_in(v->text, p->variable[i].name) > 0)
            return false;
    return true;
}

static bool compiles(const struct puan_frame *f, uint16_t entity, bool truth,
                     struct puan_str text, const struct puan_tab_programme *p,
                     const struct puan_derive_texts *texts)
{
    const struct puan_lanes_source source = { .text = text, .truth = truth };
    const struct puan_lanes_options opt = { .consts = p->consts,
                                            .n_consts = p->n_consts };
    struct puan_err ignored = { 0 };
    struct puan_lanes *l = NULL;
    struct puan_arena a;
    enum puan_status st;

    puan_arena_init(&a, &puan_heap);
    st = puan_lanes_expr_compile(&l, f, entity, &source, 1, texts->text,
                                 texts->file, texts->n, &opt, &a, &ignored);
    puan_arena_clear(&a);
    return st == PUAN_OK;
}

/* The level whose items it reads: the outermost where it compiles. */
static bool level_of(struct puan_tab_want *out, const struct puan_frame *f,
                     const struct puan_tab_variable *v,
                     const struct puan_tab_programme *p,
                     const struct puan_derive_texts *texts)
{
    for (uint16_t e = 0; e < f->n_entities; e++)
        for (unsigned truth = 2; truth-- > 0;)
            if (compiles(f, e, truth, v->text, p, texts)) {
                *out = (struct puan_tab_want){ .entity = e,
                                               .text = v->text,
                                               .truth = truth };
                return true;
            }
    return false;
}

/* The entity with one item more. */
static enum puan_status put_item(struct puan_frame_entity *e,
                                 const struct puan_frame_item *made,
                                 struct puan_str name, struct puan_arena *a,
                                 struct puan_err *err)
{
    struct puan_frame_item *item =
        puan_new_n(a, e->n_items + 1, struct puan_frame_item);

    if (item == NULL)
        return puan_arena_check(a, err);
    if (e->n_items > 0)
        memcpy(item, e->item, e->n_items * sizeof(*item));
    item[e->n_items] = *made;
    item[e->n_items].name = item[e->n_items].zh = item[e->n_items].en = name;
    e->item = item;
    e->n_items++;
    return PUAN_OK;
}

static enum puan_status read_them(struct puan_frame *f,
                                  struct puan_tab_programme *p,
                                  const struct puan_tab_want *want,
                                  const size_t *of, size_t n,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_frame_entity *e =
        puan_new_n(a, f->n_entities, struct puan_frame_entity);
    struct puan_tab_variable *v =
        puan_new_n(a, p->n_variables, struct puan_tab_variable);
    enum puan_status st = puan_arena_check(a, err);

    if (e == NULL || v == NULL)
        return st;
    memcpy(e, f->entity, f->n_entities * sizeof(*e));
    memcpy(v, p->variable, p->n_variables * sizeof(*v));
    f->entity = e;
    p->variable = v;
    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        struct puan_str name = puan_str_of(
            puan_arena_fmt(a, "%.*s__made", PUAN_FMT(v[of[i]].name)));

        st = put_item(&e[want[i].entity], want[i].item, name, a, err);
        v[of[i]].text =
            want[i].truth
                ? puan_str_of(puan_arena_fmt(a, "%.*s = 1", PUAN_FMT(name)))
                : name;
    }
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

enum puan_status puan_derive_shared(const struct puan_frame **f,
                                    const struct puan_tab_programme **p,
                                    const struct puan_derive_texts *texts,
                                    unsigned threads, struct puan_arena *a,
                                    struct puan_err *err)
{
    static const struct puan_derive_texts none;
    size_t most = (*p)->n_variables, n = 0;
    struct puan_tab_want *want = puan_new_n(a, most + 1, struct puan_tab_want);
    size_t *of = puan_new_n(a, most + 1, size_t);
    struct puan_frame *more = puan_new(a, struct puan_frame);
    struct puan_tab_programme *q = puan_new(a, struct puan_tab_programme);
    enum puan_status st = puan_arena_check(a, err);

    if (st != PUAN_OK || want == NULL || of == NULL || more == NULL ||
        q == NULL)
        return st;
    texts = texts ? texts : &none;
    for (size_t i = 0; i < most; i++) {
        const struct puan_tab_variable *v = &(*p)->variable[i];

        if (uses(*p, v->name) < USES_LEAST || !plain(*p, *f, v) ||
            !level_of(&want[n], *f, v, *p, texts) ||
            (*f)->entity[want[n].entity].n_items + n >= PUAN_FRAME_ITEMS)
            continue;
        of[n++] = i;
    }
    if (n == 0)
        return PUAN_OK;
    st = puan_derive(want, n, *f, *p, texts, threads, a, err);
    *more = **f;
    *q = **p;
    if (st == PUAN_OK)
        st = read_them(more, q, want, of, n, a, err);
    if (st == PUAN_OK) {
        *f = more;
        *p = q;
    }
    return st;
}
