/*
 * Places in the values, and values as a person writes them.
 */
#include "core/paper/internal.h"

/* ---- finding ------------------------------------------------------------------ */

static bool empty(const struct puan_node *n)
{
    return n == NULL || n->kind == PUAN_NODE_NULL ||
           (n->kind == PUAN_NODE_SCALAR && n->text.n == 0) ||
           ((n->kind == PUAN_NODE_LIST || n->kind == PUAN_NODE_MAP) &&
            n->n == 0);
}

/* A member in this language, or as it is. */
static const struct puan_node *member(const struct puan_node *map,
                                      struct puan_str key, bool en)
{
    char name[80];
    const struct puan_node *n;

    if (key.n + 4 < sizeof(name)) {
        puan_format(name, sizeof(name), "%.*s_%s", PUAN_FMT(key),
                    en ? "en" : "zh");
        n = puan_node_get(map, name);
        if (!empty(n))
            return n;
    }
    return puan_node_get_s(map, key);
}

/* An element by its place from 0, or by its "id". */
static const struct puan_node *element(const struct puan_node *list,
                                       struct puan_str key)
{
    int64_t i;

    if (puan_int_parse(&i, key))
        return i < 0 ? NULL : puan_node_at(list, (size_t)i);
    PUAN_NODE_EACH(c, list)
    if (puan_str_eq(puan_node_str_opt(c, "id", ""), key))
        return c;
    return NULL;
}

static const struct puan_node *step(const struct puan_node *n,
                                    struct puan_str key, bool en)
{
    if (n == NULL)
        return NULL;
    if (n->kind == PUAN_NODE_LIST)
        return element(n, key);
    return n->kind == PUAN_NODE_MAP ? member(n, key, en) : NULL;
}

const struct puan_node *puan_paper_find(const struct puan_paper_scope *s,
                                        struct puan_str path)
{
    const struct puan_node *n;
    struct puan_str key, rest = path;

    if (!puan_str_split(&key, &rest, '.'))
        return NULL;
    if (puan_str_is(key, "field")) { /* of the case */
        n = puan_node_get(puan_node_get(s->root, "case"), "fields");
    } else if (puan_str_is(key, "up")) {
        n = s->up;
    } else {
        n = s->row ? step(s->row, key, s->en) : NULL;
        if (n == NULL)
            n = step(s->root, key, s->en);
    }
    while (n != NULL && rest.n > 0 && puan_str_split(&key, &rest, '.'))
        n = step(n, key, s->en);
    return empty(n) ? NULL : n;
}

/* ---- writing -------------------------------------------------------------------- */

struct puan_paper_slot puan_paper_slot_of(struct puan_str inner)
{
    struct puan_paper_slot x = { .path = inner };

    for (size_t i = 0; i < inner.n; i++)
        if (inner.p[i] == '?') {
            x.path.n = i;
            x.other = (struct puan_str){ inner.p + i + 1, inner.n - i - 1 };
            x.has_other = true;
            break;
        }
    for (size_t i = 0; i < x.path.n; i++)
        if (x.path.p[i] == '|') {
            x.filter = puan_str_trim(
                (struct puan_str){ x.path.p + i + 1, x.path.n - i - 1 });
            x.path.n = i;
            break;
        }
    x.path = puan_str_trim(x.path);
    return x;
}

static const char *const filters[] = { "",      "date",  "day",   "time",
                                       "label", "count", "tenth", "word" };

bool puan_paper_filter_known(struct puan_str filter)
{
    for (size_t i = 0; i < PUAN_COUNT(filters); i++)
        if (puan_str_is(filter, filters[i]))
            return true;
    return false;
}

static int two(const char *p)
{
    return (p[0] - '0') * 10 + p[1] - '0';
}

static void date_text(struct puan_out *o, struct puan_str t, bool en)
{
    static const char *const month[] = { "January",   "February", "March",
                                         "April",     "May",      "June",
                                         "July",      "August",   "September",
                                         "October",   "November", "December" };

    if (en)
        puan_out_fmt(o, "%d %s %.*s", two(t.p + 8), month[two(t.p + 5) - 1], 4,
                     t.p);
    else
        puan_out_fmt(o, "%.*s年%d月%d日", 4, t.p, two(t.p + 5), two(t.p + 8));
}

/* A time as it was written, in its own offset. */
static bool time_text(struct puan_out *o, struct puan_str t,
                      struct puan_str filter, bool en)
{
    int64_t ms;

    if (t.n == 10 && puan_day_parse(&ms, t)) {
        date_text(o, t, en);
        return true;
    }
    if (t.n < 20 || !puan_instant_parse(&ms, t))
        return false;
    if (puan_str_is(filter, "date")) {
        date_text(o, t, en);
    } else if (puan_str_is(filter, "time")) {
        puan_out_fmt(o, "%.*s", 5, t.p + 11);
    } else if (puan_str_is(filter, "day")) {
        if (en)
            puan_out_fmt(o, "%.*s %.*s", 5, t.p + 5, 5, t.p + 11);
        else
            puan_out_fmt(o, "%d月%d日%.*s", two(t.p + 5), two(t.p + 8), 5,
                         t.p + 11);
    } else {
        date_text(o, t, en);
        if (en)
            puan_out_fmt(o, ", %.*s", 5, t.p + 11);
        else
            puan_out_fmt(o, "%d时%.*s分", two(t.p + 11), 2, t.p + 14);
    }
    return true;
}

static struct puan_str lang_text(const struct puan_node *map, bool en)
{
    struct puan_str s = puan_node_str_opt(map, en ? "en" : "zh", "");

    /* what has one language only is said in it */
    return s.n ? s : puan_node_str_opt(map, en ? "zh" : "en", "");
}

/* A field of a case: its value in words. */
static bool field_text(struct puan_out *o, const struct puan_paper_scope *s,
                       const struct puan_node *field, struct puan_str filter)
{
    const struct puan_node *v = puan_node_get(field, "value");
    struct puan_str type = puan_node_str_opt(field, "type", "");

    if (empty(v))
        return false;
    if (puan_str_is(type, "enum")) {
        const struct puan_node *w = element(puan_node_get(field, "words"),
                                            v->text);
        struct puan_str word = lang_text(w, s->en);

        puan_out_str(o, word.n ? word : v->text);
        return true;
    }
    if (puan_str_is(type, "bool")) {
        bool yes = puan_str_is(v->text, "true");

        puan_out_text(o, s->en ? (yes ? "yes" : "no") : (yes ? "是" : "否"));
        return true;
    }
    return puan_paper_value(o, s, v, filter);
}

/* Tenths of a percent as a percentage: 437 is 43.7. */
static bool tenth_text(struct puan_out *o, struct puan_str t)
{
    int64_t v;

    if (!puan_int_parse(&v, t))
        return false;
    if (v < 0)
        puan_out_char(o, '-');
    v = v < 0 ? -v : v;
    puan_out_fmt(o, "%lld.%lld", (long long)(v / 10), (long long)(v % 10));
    return true;
}

bool puan_paper_value(struct puan_out *o, const struct puan_paper_scope *s,
                      const struct puan_node *n, struct puan_str filter)
{
    if (puan_str_is(filter, "count")) {
        puan_out_int(o, n && n->kind == PUAN_NODE_LIST ? (int64_t)n->n : 0);
        return true;
    }
    if (empty(n))
        return false;
    if (n->kind == PUAN_NODE_LIST) {
        bool any = false;

        PUAN_NODE_EACH(c, n) {
            size_t before = o->n;

            if (any)
                puan_out_text(o, s->en ? ", " : "、");
            if (puan_paper_value(o, s, c, filter))
                any = true;
            else
                o->n = before;
        }
        return any;
    }
    if (n->kind == PUAN_NODE_MAP) {
        struct puan_str label = lang_text(n, s->en);

        if (puan_node_get(n, "type") != NULL &&
            puan_node_get(n, "set") != NULL && !puan_str_is(filter, "label"))
            return field_text(o, s, n, filter);
        puan_out_str(o, label);
        return label.n > 0;
    }
    if (puan_str_is(filter, "tenth"))
        return tenth_text(o, n->text);
    if (puan_str_is(filter, "word")) {
        struct puan_str word =
            lang_text(puan_node_get_s(s->words, n->text), s->en);

        puan_out_str(o, word.n ? word : n->text);
        return true;
    }
    if (!n->quoted && (puan_str_is(n->text, "true") ||
                       puan_str_is(n->text, "false"))) {
        bool yes = puan_str_is(n->text, "true");

        puan_out_text(o, s->en ? (yes ? "yes" : "no") : (yes ? "是" : "否"));
        return true;
    }
    if (!time_text(o, n->text, filter, s->en))
        puan_out_str(o, n->text);
    return true;
}

struct puan_str puan_paper_text(const struct puan_paper_scope *s,
                                struct puan_str text, const char *none)
{
    struct puan_out o;
    size_t i = 0;

    puan_out_init(&o, s->arena);
    while (i < text.n) {
        struct puan_paper_slot slot;
        size_t k = i;

        while (k < text.n && text.p[k] != '{')
            k++;
        puan_out_bytes(&o, text.p + i, k - i);
        if (k == text.n)
            break;
        i = ++k;
        while (k < text.n && text.p[k] != '}')
            k++;
        slot = puan_paper_slot_of((struct puan_str){ text.p + i, k - i });
        i = k < text.n ? k + 1 : k;
        if (puan_str_is(slot.path, "row")) {
            puan_out_int(&o, s->n);
            continue;
        }
        if (!puan_paper_value(&o, s, puan_paper_find(s, slot.path),
                              slot.filter))
            puan_out_str(&o, slot.has_other ? slot.other : puan_str_of(none));
    }
    return puan_out_view(&o);
}

/* ---- asking ------------------------------------------------------------------------ */

bool puan_paper_holds(const struct puan_paper_scope *s, struct puan_str when)
{
    struct puan_str path = puan_str_trim(when), word = { 0 };
    const struct puan_node *n;
    bool no = puan_str_starts(path, "not "), asked = false, is;

    if (no)
        path = puan_str_trim((struct puan_str){ path.p + 4, path.n - 4 });
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] == '=') {
            word = puan_str_trim(
                (struct puan_str){ path.p + i + 1, path.n - i - 1 });
            path = puan_str_trim((struct puan_str){ path.p, i });
            asked = true;
            break;
        }
    n = puan_paper_find(s, path);
    if (n != NULL && n->kind == PUAN_NODE_MAP &&
        puan_node_get(n, "set") != NULL) {
        n = puan_node_get(n, "value");
        n = empty(n) ? NULL : n;
    }
    if (asked)
        is = n != NULL && n->kind == PUAN_NODE_SCALAR &&
             puan_str_eq(n->text, word);
    else
        is = n != NULL && !(n->kind == PUAN_NODE_SCALAR &&
                            (puan_str_is(n->text, "false") ||
                             puan_str_is(n->text, "0")));
    return is != no;
}

struct puan_str puan_paper_label(const struct puan_paper_scope *s,
                                 struct puan_str path)
{
    const struct puan_node *n = NULL;
    struct puan_str label = { 0 };

    if (puan_str_starts(path, "field."))
        n = element(puan_node_get(puan_node_get(s->root, "case"), "fields"),
                    (struct puan_str){ path.p + 6, path.n - 6 });
    if (n != NULL)
        label = lang_text(n, s->en);
    return label.n ? label : path;
}
