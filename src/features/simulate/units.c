/*
 * Making the units: areas, kinds in their shares, answers in the order of the
 * spec, parts of a unit with sums that hold, then the faults.
 */
#include "features/simulate/units.h"

#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/out.h"
#include "kit/os/os.h"
#include "kit/sheet/sheet.h"
#include "kit/yaml/yaml.h"

#define MOST_PARTS 40
#define MOST_KINDS 64
#define MOST_FAULTS 64

enum { FOR_ORDER = 101, FOR_UNIT, FOR_FAULT, FOR_PARTS };

static const struct puan_str none = { NULL, 0 };

/* What one answer is made in. */
struct making {
    struct units *m;
    struct unit *u;
    struct unit_row *r; /* earlier answers of the same row */
    struct sim_rng *rng;
    size_t part, n_parts; /* of the unit it is a row of */
    const uint32_t *weight;
    const struct unit_row *rows; /* rows before */
    bool absent; /* own.ITEM: such a unit has no such answer */
    struct puan_err *err;
};

struct unit_cell *sim_unit_cell(const struct unit_row *r, struct puan_str name)
{
    for (size_t i = 0; r && i < r->n; i++)
        if (puan_str_eq(r->cell[i].name, name))
            return &r->cell[i];
    return NULL;
}

int64_t sim_unit_key(const struct units *m, const struct unit *u)
{
    return m->area[u->ea].code * m->base + u->number;
}

static bool put(struct unit_row *r, struct puan_str name, struct puan_str value,
                struct puan_arena *a)
{
    struct unit_cell *c = sim_unit_cell(r, name);

    if (c) {
        c->value = value;
        return true;
    }
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 48;
        struct unit_cell *more = puan_new_n(a, cap, struct unit_cell);

        if (!more)
            return false;
        if (r->n)
            memcpy(more, r->cell, r->n * sizeof(*more));
        r->cell = more;
        r->cap = cap;
    }
    r->cell[r->n++] = (struct unit_cell){ name, value };
    return true;
}

static const struct unit_area *area_of(const struct making *x, unsigned digits)
{
    const struct units *m = x->m;
    const struct unit_area *ea = &m->area[x->u->ea];
    int64_t code = ea->code;
    const struct puan_node *levels = puan_node_get(m->spec, "levels");
    const struct puan_node *l = puan_node_at(levels, ea->level);
    int64_t own = 0;

    (void)puan_int_parse(&own, puan_node_at(l, 0)->text);
    for (; own > digits; own--)
        code /= 10;
    for (size_t i = 0; i < m->n_areas; i++)
        if (m->area[i].code == code)
            return &m->area[i];
    return ea;
}

/* ---- answers ---------------------------------------------------------- */

static struct puan_str number_text(struct making *x, int64_t v)
{
    return puan_str_of(puan_arena_fmt(x->m->a, "%lld", (long long)v));
}

static struct puan_str one_of(const struct puan_node *list, struct sim_rng *rng)
{
    const struct puan_node *c =
        list && list->n
            ? puan_node_at(list, sim_below(rng, (uint32_t)list->n))
            : NULL;

    return c ? c->text : none;
}

/* What stands in braces. */
static enum puan_status word(struct puan_out *o, struct making *x,
                             const struct puan_node *at, struct puan_str name)
{
    const struct puan_node *words =
        puan_node_get_s(puan_node_get(x->m->spec, "words"), name);
    const struct unit_row *from = x->r;
    struct puan_str rest = name, head;
    const struct unit_cell *c;
    int64_t n;

    if (words) {
        puan_out_str(o, one_of(words, x->rng));
        return PUAN_OK;
    }
    if (name.n > 1 && name.p[0] == 'd' &&
        puan_int_parse(&n, (struct puan_str){ name.p + 1, name.n - 1 })) {
        while (n-- > 0)
            puan_out_char(o, (char)('0' + sim_below(x->rng, 10)));
        return PUAN_OK;
    }
    if (name.n > 4 && memcmp(name.p, "area", 4) == 0 &&
        puan_int_parse(&n, (struct puan_str){ name.p + 4, name.n - 4 })) {
        puan_out_int(o, area_of(x, (unsigned)n)->code);
        return PUAN_OK;
    }
    if (name.n > 4 && memcmp(name.p, "name", 4) == 0 &&
        puan_int_parse(&n, (struct puan_str){ name.p + 4, name.n - 4 })) {
        puan_out_str(o, area_of(x, (unsigned)n)->zh);
        return PUAN_OK;
    }
    if (puan_str_is(name, "code")) {
        puan_out_str(o, x->u->code);
        return PUAN_OK;
    }
    if (puan_str_is(name, "activity")) {
        puan_out_str(o, x->u->activity);
        return PUAN_OK;
    }
    if (puan_str_is(name, "serial")) {
        puan_out_int(o, (int64_t)x->u->serial);
        return PUAN_OK;
    }
    if (puan_str_is(name, "part")) {
        puan_out_int(o, (int64_t)x->part);
        return PUAN_OK;
    }
    if (puan_str_split(&head, &rest, '.') && rest.n > 0) {
        if (puan_str_is(head, "of"))
            from = x->u->of ? &x->u->of->at : NULL;
        else if (puan_str_is(head, "part"))
            from = x->u->part;
        else if (puan_str_is(head, "own"))
            from = &x->u->at;
        else
            rest = name;
    } else {
        rest = name;
    }
    c = sim_unit_cell(from, rest);
    if (!c && from == &x->u->at && from != x->r) {
        x->absent = true;
        return PUAN_OK;
    }
    if (!c)
        return puan_node_fail(at, x->err,
                              "'{%.*s}' is no word of 'words', no answer made "
                              "before this one, and none of code, activity, "
                              "serial, part, dN, areaN, nameN, of.ITEM, "
                              "part.ITEM, own.ITEM",
                              PUAN_FMT(name));
    puan_out_str(o, c->value);
    return PUAN_OK;
}

static enum puan_status pattern(struct puan_str *out, struct making *x,
                                const struct puan_node *g)
{
    struct puan_str t = g->text;
    struct puan_out o;
    enum puan_status st = PUAN_OK;

    *out = t;
    if (!memchr(t.p, '{', t.n))
        return PUAN_OK;
    puan_out_init(&o, x->m->a);
    for (size_t i = 0; st == PUAN_OK && i < t.n; i++) {
        size_t k = i + 1;

        if (t.p[i] != '{') {
            puan_out_char(&o, t.p[i]);
            continue;
        }
        while (k < t.n && t.p[k] != '}')
            k++;
        if (k == t.n)
            return puan_node_fail(g, x->err, "'{' without '}'");
        st = word(&o, x, g, (struct puan_str){ t.p + i + 1, k - i - 1 });
        i = k;
    }
    *out = puan_out_view(&o);
    return st;
}

/* GB 32100 with the organisation code of GB 11714 inside. */
static struct puan_str credit(struct making *x, struct puan_str kind)
{
    static const char symbol[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    static const int inner[] = { 3, 7, 9, 10, 5, 8, 4, 2 };
    char *c = puan_arena_get(x->m->a, 32);
    int sum = 0, weight = 1;

    if (!c)
        return none;
    puan_format(c, 32, "%.*s%.*s%08llu", PUAN_FMT(kind),
                PUAN_FMT(x->m->county), (unsigned long long)++x->m->serial);
    for (int i = 0; i < 8; i++)
        sum += (c[8 + i] - '0') * inner[i];
    c[16] = "0123456789X"[(11 - sum % 11) % 11];
    sum = 0;
    for (int i = 0; i < 17; i++) {
        sum += (int)(strchr(symbol, c[i]) - symbol) * weight;
        weight = weight * 3 % 31;
    }
    c[17] = symbol[(31 - sum % 31) % 31];
    c[18] = '\0';
    return puan_str_of(c);
}

/* The number an answer made before holds. */
static enum puan_status number_of(int64_t *v, struct making *x,
                                  const struct puan_node *name)
{
    const struct unit_cell *c = sim_unit_cell(x->r, name->text);

    if (!c)
        c = sim_unit_cell(&x->u->at, name->text);
    if (!c || !puan_int_parse(v, c->value))
        return puan_node_fail(name, x->err,
                              "'%.*s' is no whole number made before this one",
                              PUAN_FMT(name->text));
    return PUAN_OK;
}

/* Spread evenly over the orders of magnitude. */
static int64_t between(struct sim_rng *rng, int64_t lo, int64_t hi)
{
    int64_t top = lo > 0 ? lo : 1;

    if (hi <= lo)
        return lo;
    if (lo > 0)
        while (top < hi && sim_below(rng, 1000) < 820)
            top += top / 4 + 1;
    else
        top = hi;
    if (top > hi)
        top = hi;
    if (top <= lo)
        return lo;
    return lo + (int64_t)sim_below(rng, (uint32_t)(top - lo + 1));
}

static enum puan_status range(int64_t *lo, int64_t *hi,
                              const struct puan_node *list, struct making *x)
{
    const struct puan_node *a = puan_node_at(list, 0), *b = puan_node_at(list, 1);

    if (!a || !b || list->n != 2 || !puan_int_parse(lo, a->text) ||
        !puan_int_parse(hi, b->text) || *lo > *hi ||
        *hi - *lo > INT32_MAX - 1)
        return puan_node_fail(list, x->err, "expected [LOWEST, HIGHEST]");
    return PUAN_OK;
}

static enum puan_status months(struct puan_str *out, const struct puan_node *v,
                               struct making *x)
{
    const struct puan_node *a = puan_node_at(v, 0), *b = puan_node_at(v, 1);
    char *text = puan_arena_get(x->m->a, 8);
    int64_t lo, hi;

    if (!a || !b || !puan_month_parse(&lo, a->text) ||
        !puan_month_parse(&hi, b->text) || lo > hi)
        return puan_node_fail(v, x->err, "expected [\"YYYY-MM\", \"YYYY-MM\"]");
    if (!text)
        return puan_arena_check(x->m->a, x->err);
    puan_month_text(text, lo + (int64_t)sim_below(x->rng,
                                                  (uint32_t)(hi - lo + 1)));
    *out = puan_str_of(text);
    return PUAN_OK;
}

/* [[ITEM, [first, second, …]], …]: 1 where all reach the first, else 2, … */
static enum puan_status classes(int64_t *out, const struct puan_node *v,
                                struct making *x)
{
    *out = 1;
    PUAN_NODE_EACH(c, v)
    {
        const struct puan_node *at = puan_node_at(c, 0);
        int64_t n, limit, class = 1;
        enum puan_status st = at ? number_of(&n, x, at)
                                 : puan_node_fail(c, x->err,
                                                  "expected [ITEM, [LIMIT, …]]");

        if (st != PUAN_OK)
            return st;
        PUAN_NODE_EACH(l, puan_node_at(c, 1))
        {
            if (puan_int_parse(&limit, l->text) && n < limit)
                class ++;
        }
        if (class > *out)
            *out = class;
    }
    return PUAN_OK;
}

/* This row's share of an answer of the whole; the last takes what is left. */
static enum puan_status split(int64_t *out, const struct puan_node *item,
                              struct puan_str name, struct making *x)
{
    const struct unit_cell *c = sim_unit_cell(&x->u->at, item->text);
    int64_t all, weights = 0, before = 0, v;

    if (x->u->of)
        c = sim_unit_cell(&x->u->of->at, item->text);
    if (!c || !puan_int_parse(&all, c->value) || x->n_parts == 0)
        return puan_node_fail(item, x->err,
                              "'split' takes a number of the unit itself and "
                              "stands in the items of its rows");
    for (size_t i = 0; i < x->n_parts; i++)
        weights += x->weight[i];
    for (size_t i = 0; i < x->part; i++)
        if ((c = sim_unit_cell(&x->rows[i], name)) != NULL &&
            puan_int_parse(&v, c->value))
            before += v;
    *out = x->part + 1 == x->n_parts ? all - before
                                     : all * x->weight[x->part] / weights;
    return PUAN_OK;
}

static enum puan_status combined(int64_t *out, const struct puan_node *v,
                                 int sign, struct making *x)
{
    int64_t n;
    enum puan_status st = PUAN_OK;

    *out = 0;
    PUAN_NODE_EACH(c, v)
    {
        st = number_of(&n, x, c);
        if (st != PUAN_OK)
            return st;
        *out += c == v->first || sign > 0 ? n : -n;
    }
    return st;
}

static enum puan_status value(struct puan_str *out, struct making *x,
                              struct puan_str name, const struct puan_node *g)
{
    const struct puan_node *v = g->first;
    int64_t n = 0, lo, hi;
    enum puan_status st;

    *out = none;
    if (g->kind == PUAN_NODE_SCALAR)
        return pattern(out, x, g);
    if (g->kind == PUAN_NODE_LIST && g->n > 0)
        return value(out, x, name,
                     puan_node_at(g, sim_below(x->rng, (uint32_t)g->n)));
    if (g->kind != PUAN_NODE_MAP || !v)
        return puan_node_fail(g, x->err, "expected how this answer is made");
    if (puan_str_is(v->key, "credit")) {
        *out = credit(x, v->text);
        return PUAN_OK;
    }
    if (puan_str_is(v->key, "month"))
        return months(out, v, x);
    if (puan_str_is(v->key, "range")) {
        st = range(&lo, &hi, v, x);
        if (st == PUAN_OK)
            n = between(x->rng, lo, hi);
    } else if (puan_str_is(v->key, "of")) {
        st = number_of(&n, x, v);
        if (st == PUAN_OK && puan_node_get(g, "percent")) {
            st = range(&lo, &hi, puan_node_get(g, "percent"), x);
            if (st == PUAN_OK)
                n = n * (lo + (int64_t)sim_below(x->rng,
                                                 (uint32_t)(hi - lo + 1))) /
                    100;
        }
    } else if (puan_str_is(v->key, "minus") || puan_str_is(v->key, "plus")) {
        st = combined(&n, v, puan_str_is(v->key, "plus") ? 1 : -1, x);
    } else if (puan_str_is(v->key, "classes")) {
        st = classes(&n, v, x);
    } else if (puan_str_is(v->key, "split")) {
        st = split(&n, v, name, x);
    } else {
        st = puan_node_fail(v, x->err,
                            "'%.*s' makes no answer: text, a list to choose "
                            "from, or one of credit, month, range, of, minus, "
                            "plus, classes, split",
                            PUAN_FMT(v->key));
    }
    if (st == PUAN_OK)
        *out = number_text(x, n);
    return st;
}

static enum puan_status fill_items(struct making *x,
                                   const struct puan_node *items)
{
    enum puan_status st = PUAN_OK;

    PUAN_NODE_EACH(g, items)
    {
        struct puan_str v;

        x->absent = false;
        st = value(&v, x, g->key, g);
        if (st == PUAN_OK && !x->absent && !put(x->r, g->key, v, x->m->a))
            st = puan_arena_check(x->m->a, x->err);
        if (st != PUAN_OK)
            return st;
    }
    return st;
}

static enum puan_status fragments(struct making *x, const struct puan_node *list)
{
    enum puan_status st = PUAN_OK;

    PUAN_NODE_EACH(u, list)
    {
        const struct puan_node *f = puan_node_get_s(
            puan_node_get(x->m->spec, "fragments"), u->text);

        if (st == PUAN_OK && !f)
            st = puan_node_fail(u, x->err, "there is no fragment '%.*s'",
                                PUAN_FMT(u->text));
        if (st == PUAN_OK)
            st = fill_items(x, f);
    }
    return st;
}

/* Fragments named by `use`, the items, fragments named by `then`. */
static enum puan_status fill(struct making *x, const struct puan_node *kind,
                             const struct puan_node *items)
{
    enum puan_status st = fragments(x, puan_node_get(kind, "use"));

    if (st == PUAN_OK)
        st = fill_items(x, items);
    return st == PUAN_OK ? fragments(x, puan_node_get(kind, "then")) : st;
}

enum puan_status sim_unit_items(struct unit_row *out, struct units *m,
                                struct unit *u, const struct puan_node *items,
                                struct sim_rng *rng, struct puan_err *err)
{
    struct making x = { .m = m, .u = u, .r = out, .rng = rng, .err = err };

    return fill(&x, NULL, items);
}

/* ---- areas ------------------------------------------------------------ */

static int by_code(const void *a, const void *b)
{
    const struct unit_area *x = a, *y = b;

    if (x->level != y->level)
        return x->level < y->level ? -1 : 1;
    return x->code < y->code ? -1 : x->code > y->code;
}

static bool starts(struct puan_str s, struct puan_str with)
{
    return s.n >= with.n && memcmp(s.p, with.p, with.n) == 0;
}

/* Above the county, the county, and all that is known below it. */
static enum puan_status read_areas(struct units *m, struct puan_err *err)
{
    const struct puan_node *levels = puan_node_get(m->spec, "levels");
    struct puan_str file;
    struct puan_sheet *s = NULL;
    size_t cap = 0;
    int code, name;
    bool more = false;
    enum puan_status st = puan_node_str(&file, m->spec, "regions", err);

    if (st == PUAN_OK)
        st = puan_sheet_open(&s, puan_arena_fmt(m->a, "%s/%.*s", m->dir,
                                                PUAN_FMT(file)), err);
    if (st == PUAN_OK)
        st = puan_sheet_need(&code, s, "code", err);
    if (st == PUAN_OK)
        st = puan_sheet_need(&name, s, "name_zh", err);
    if (st == PUAN_OK)
        cap = (size_t)puan_sheet_size(s) / 4 + 4096;
    m->area = puan_new_n(m->a, cap, struct unit_area);
    if (st == PUAN_OK && !m->area)
        st = puan_arena_check(m->a, err);
    while (st == PUAN_OK) {
        const struct puan_csv *row = puan_sheet_row(s);
        struct puan_str c;
        unsigned level = 0;

        st = puan_sheet_next(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        c = row->field[code];
        if (!starts(c, m->county) && !starts(m->county, c))
            continue;
        PUAN_NODE_EACH(l, levels)
        {
            int64_t digits = 0;

            (void)puan_int_parse(&digits, puan_node_at(l, 0)->text);
            if ((size_t)digits == c.n) {
                struct unit_area *x = &m->area[m->n_areas++];

                x->level = level;
                x->zh = puan_arena_keep(m->a, row->field[name]);
                (void)puan_int_parse(&x->code, c);
                if (puan_str_eq(c, m->county))
                    m->place = x->zh;
            }
            level++;
        }
    }
    puan_sheet_close(s);
    if (st == PUAN_OK && m->place.n == 0)
        st = puan_fail(err, PUAN_ENOTFOUND, "--area",
                       "%.*s is no area of %.*s", PUAN_FMT(m->county),
                       PUAN_FMT(file));
    return st;
}

/* Innermost areas, the districts in turn, as many as the units need. */
static enum puan_status make_eas(struct units *m, size_t units,
                                 struct puan_err *err)
{
    unsigned last = (unsigned)puan_node_get(m->spec, "levels")->n - 1;
    size_t first = 0, districts, known = m->n_areas, n;
    int64_t per;
    enum puan_status st = puan_node_int(&per, m->spec, "per_area", 1, 900, err);

    if (st != PUAN_OK)
        return st;
    qsort(m->area, m->n_areas, sizeof(*m->area), by_code);
    while (first < known && m->area[first].level + 1 < last)
        first++;
    districts = known - first;
    if (districts == 0)
        return puan_node_fail(puan_node_get(m->spec, "regions"), err,
                              "the file has no area above the innermost level");
    n = (units + (size_t)per - 1) / (size_t)per;
    if (n < 2)
        n = 2;
    /* few units stand in few districts, so that areas keep their real size */
    if (n < districts) {
        for (size_t i = 0; i < n; i++)
            m->area[first + i] = m->area[first + i * districts / n];
        m->n_areas = known = first + n;
        districts = n;
    }
    for (size_t i = 0; i < n; i++) {
        const struct unit_area *d = &m->area[first + i % districts];
        struct unit_area *x = &m->area[m->n_areas++];

        x->level = last;
        x->code = d->code * 1000 + (int64_t)(i / districts) + 1;
        x->zh = puan_str_of(puan_arena_fmt(m->a, "第%zu普查小区",
                                           i / districts + 1));
        x->units = 0;
    }
    m->n_eas = n;
    qsort(m->area + known, n, sizeof(*m->area), by_code);
    return puan_arena_check(m->a, err);
}

/* ---- units ------------------------------------------------------------ */

static void settle(struct units *m, struct unit *u, size_t wanted)
{
    size_t first = m->n_areas - m->n_eas;
    int64_t most = 150;

    (void)puan_int_parse(&most, puan_node_str_opt(m->spec, "area_most", "150"));
    for (size_t i = 0; i < m->n_eas; i++) {
        u->ea = (uint32_t)(first + (wanted + i) % m->n_eas);
        if (m->area[u->ea].units < (uint64_t)most)
            break;
    }
    u->number = ++m->area[u->ea].units;
}

static struct unit *new_unit(struct units *m, const struct puan_node *kind)
{
    struct unit *u;

    if (m->n == m->cap)
        return NULL;
    u = &m->unit[m->n++];
    *u = (struct unit){ .kind = kind, .serial = m->n };
    u->form = puan_node_str_opt(kind, "form", "");
    return u;
}

static const struct puan_node *kind_named(const struct units *m,
                                          struct puan_str name)
{
    PUAN_NODE_EACH(k, puan_node_get(m->spec, "kinds"))
    {
        if (puan_str_eq(puan_node_str_opt(k, "kind", ""), name))
            return k;
    }
    return NULL;
}

/* The units that a unit is made of: a row each, and a return each. */
static enum puan_status parts(struct units *m, struct unit *u,
                              struct sim_rng *rng, struct puan_err *err)
{
    const struct puan_node *b = puan_node_get(u->kind, "parts");
    uint32_t weight[MOST_PARTS];
    struct making x = { .m = m, .rng = rng, .weight = weight, .err = err };
    int64_t lo, hi;
    enum puan_status st;

    if (!b)
        return PUAN_OK;
    x.u = u;
    st = range(&lo, &hi, puan_node_get(b, "count"), &x);
    if (st == PUAN_OK && (lo < 1 || hi > MOST_PARTS))
        st = puan_node_fail(b, err, "1 to %d parts", MOST_PARTS);
    if (st != PUAN_OK)
        return st;
    u->n_branches =
        (size_t)(lo + (int64_t)sim_below(rng, (uint32_t)(hi - lo + 1)));
    u->branch = puan_new_n(m->a, u->n_branches, struct unit_row);
    if (!u->branch)
        return puan_arena_check(m->a, err);
    u->bound = true;
    x.n_parts = u->n_branches;
    x.rows = u->branch;
    for (size_t i = 0; i < u->n_branches; i++)
        weight[i] = 50 + sim_below(rng, 100);
    for (size_t i = 0; i < u->n_branches; i++) {
        struct puan_str name =
            puan_node_str_opt(b, i ? "branch" : "headquarters", "");
        const struct puan_node *kind = kind_named(m, name);
        struct unit *p = kind ? new_unit(m, kind) : NULL;

        if (!p)
            return puan_node_fail(b, err, "no kind '%.*s', or too many units",
                                  PUAN_FMT(name));
        p->of = u;
        p->part = &u->branch[i];
        p->code = u->code;
        p->activity = u->activity;
        p->bound = true;
        settle(m, p, i ? sim_below(rng, (uint32_t)m->n_eas)
                       : u->ea - (m->n_areas - m->n_eas));
        x.u = p;
        x.r = &u->branch[i];
        x.part = i;
        st = fill(&x, NULL, puan_node_get(b, i ? "branch_items"
                                               : "headquarters_items"));
        if (st == PUAN_OK)
            st = fill(&x, NULL, puan_node_get(b, "items"));
        x.r = &p->at;
        if (st == PUAN_OK)
            st = fill(&x, kind, puan_node_get(kind, "items"));
        if (st != PUAN_OK)
            return st;
    }
    return PUAN_OK;
}

static enum puan_status one_unit(struct units *m, const struct puan_node *kind,
                                 size_t place, size_t all, struct puan_err *err)
{
    const struct puan_node *list = puan_node_get(kind, "activities"), *act;
    struct sim_rng rng = sim_rng_of(m->opt->seed, FOR_UNIT, place);
    struct unit *u = new_unit(m, kind);
    struct making x = { .m = m, .u = u, .rng = &rng, .err = err };
    enum puan_status st;

    if (!u || !list || list->n == 0)
        return puan_node_fail(kind, err,
                              "a kind has activities: [[CODE, TEXT], …]");
    act = puan_node_at(list, sim_below(&rng, (uint32_t)list->n));
    if (act->n < 2)
        return puan_node_fail(act, err, "expected [CODE, TEXT, …]");
    u->code = puan_node_at(act, 0)->text;
    u->activity =
        puan_node_at(act, 1 + sim_below(&rng, (uint32_t)act->n - 1))->text;
    settle(m, u, place * m->n_eas / all);
    x.r = &u->at;
    st = fill(&x, kind, puan_node_get(kind, "items"));
    return st == PUAN_OK ? parts(m, u, &rng, err) : st;
}

static enum puan_status make_units(struct units *m, int64_t total,
                                   struct puan_err *err)
{
    const struct puan_node *kinds = puan_node_get(m->spec, "kinds");
    const struct puan_node **order;
    struct sim_rng rng = sim_rng_of(m->opt->seed, FOR_ORDER, 0);
    double weight[MOST_KINDS];
    int64_t share[MOST_KINDS];
    size_t n = 0, k = 0;
    enum puan_status st = PUAN_OK;

    if (!kinds || kinds->n == 0 || kinds->n > MOST_KINDS)
        return puan_node_fail(m->spec, err, "expected 1 to %d kinds",
                              MOST_KINDS);
    PUAN_NODE_EACH(c, kinds)
    {
        int64_t w;

        st = puan_node_int(&w, c, "weight", 0, 1000000, err);
        if (st != PUAN_OK)
            return st;
        weight[k++] = (double)w;
    }
    (void)sim_apportion(share, weight, NULL, kinds->n, total);
    m->cap = (size_t)total * 8 + 64;
    m->unit = puan_new_n(m->a, m->cap, struct unit);
    order = puan_new_n(m->a, (size_t)total + 1, const struct puan_node *);
    if (!m->unit || !order)
        return puan_arena_check(m->a, err);
    k = 0;
    PUAN_NODE_EACH(c, kinds)
    {
        for (int64_t i = 0; i < share[k]; i++)
            order[n++] = c;
        k++;
    }
    for (size_t i = n; i > 1; i--) {
        size_t j = sim_below(&rng, (uint32_t)i);
        const struct puan_node *t = order[i - 1];

        order[i - 1] = order[j];
        order[j] = t;
    }
    for (size_t i = 0; st == PUAN_OK && i < n; i++)
        st = one_unit(m, order[i], i, n, err);
    return st;
}

/* ---- faults ----------------------------------------------------------- */

static bool named(const struct puan_node *list, struct puan_str name)
{
    PUAN_NODE_EACH(c, list)
    {
        if (puan_str_eq(c->text, name))
            return true;
    }
    return false;
}

static bool may_carry(const struct unit *u, const struct puan_node *f)
{
    return !u->fault && !u->bound &&
           named(puan_node_get(f, "kinds"),
                 puan_node_str_opt(u->kind, "kind", ""));
}

/* The last character another one of the alphabet. */
static struct puan_str other_end(struct puan_str s, struct sim_rng *rng,
                                 struct puan_arena *a)
{
    static const char symbol[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    char *c = puan_arena_get(a, s.n + 1);
    char was = s.n ? s.p[s.n - 1] : '0';

    if (!c || s.n == 0)
        return s;
    memcpy(c, s.p, s.n);
    c[s.n] = '\0';
    do
        c[s.n - 1] = symbol[sim_below(rng, 31)];
    while (c[s.n - 1] == was);
    return puan_str_of(c);
}

/* One item as the fault's `op` says. */
static enum puan_status change(struct units *m, struct unit *u,
                               const struct puan_node *f,
                               const struct puan_node *item,
                               const struct unit *from, struct sim_rng *rng,
                               struct puan_err *err)
{
    struct making x = { .m = m, .u = u, .r = &u->at, .rng = rng, .err = err };
    struct puan_str op = puan_node_str_opt(f, "op", "set");
    struct unit_cell *c = sim_unit_cell(&u->at, item->text);
    struct puan_str v = none, was;
    int64_t n, k;
    enum puan_status st = PUAN_OK;

    if (!c)
        return puan_node_fail(item, err, "such a unit has no answer '%.*s'",
                              PUAN_FMT(item->text));
    was = c->value;
    if (puan_str_is(op, "set")) {
        if (!puan_node_get(f, "value"))
            return puan_node_fail(f, err, "'set' needs a 'value'");
        st = value(&v, &x, item->text, puan_node_get(f, "value"));
    } else if (puan_str_is(op, "clear")) {
        v = none;
    } else if (puan_str_is(op, "last")) {
        v = other_end(was, rng, m->a);
    } else if (puan_str_is(op, "cut")) {
        v = (struct puan_str){ was.p, was.n ? was.n - 1 : 0 };
    } else if (puan_str_is(op, "take")) {
        v = from ? sim_unit_cell(&from->at, item->text)->value : was;
    } else if (puan_str_is(op, "divide") || puan_str_is(op, "add")) {
        st = puan_node_int(&k, f, "by", -1000000000, 1000000000, err);
        if (st == PUAN_OK && (!puan_int_parse(&n, was) || k == 0))
            st = puan_node_fail(item, err, "no whole number to change");
        if (st == PUAN_OK)
            v = number_text(&x, puan_str_is(op, "add") ? n + k : n / k);
    } else {
        st = puan_node_fail(f, err, "'op' is one of set, clear, last, cut, "
                                    "take, divide, add");
    }
    if (st != PUAN_OK)
        return st;
    c->value = v;
    if (!u->fault) {
        u->item = item->text;
        u->was = was;
        u->is = v;
    }
    u->fault = f;
    return puan_arena_check(m->a, err);
}

static enum puan_status plant(struct units *m, struct unit *u,
                              const struct puan_node *f, struct unit *from,
                              struct sim_rng *rng, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    u->truth = (struct unit_row){ .n = u->at.n, .cap = u->at.n };
    u->truth.cell = puan_new_n(m->a, u->at.n, struct unit_cell);
    if (!u->truth.cell)
        return puan_arena_check(m->a, err);
    memcpy(u->truth.cell, u->at.cell, u->at.n * sizeof(*u->at.cell));
    PUAN_NODE_EACH(item, puan_node_get(f, "items"))
    {
        if (st == PUAN_OK)
            st = change(m, u, f, item, from, rng, err);
    }
    u->other = from;
    if (from)
        from->bound = true;
    return st;
}

/* As many units of the fault's kinds as its share says, one at least. */
static enum puan_status one_fault(struct units *m, const struct puan_node *f,
                                  size_t k, struct puan_err *err)
{
    struct sim_rng rng = sim_rng_of(m->opt->seed, FOR_FAULT, k);
    uint32_t *list = puan_new_n(m->a, m->n + 1, uint32_t);
    bool takes = puan_str_is(puan_node_str_opt(f, "op", ""), "take");
    int64_t permille;
    size_t n = 0, want;
    enum puan_status st;

    if (!list)
        return puan_arena_check(m->a, err);
    st = puan_node_int(&permille, f, "permille", 1, 500, err);
    if (st == PUAN_OK && !puan_node_get(f, "items"))
        st = puan_node_fail(f, err, "a fault has 'items'");
    PUAN_NODE_EACH(name, puan_node_get(f, "kinds"))
    {
        if (st == PUAN_OK && !kind_named(m, name->text))
            st = puan_node_fail(name, err, "there is no kind '%.*s'",
                                PUAN_FMT(name->text));
    }
    if (st != PUAN_OK)
        return st;
    for (uint32_t i = 0; i < m->n; i++)
        if (may_carry(&m->unit[i], f))
            list[n++] = i;
    want = (n * (size_t)permille + 999) / 1000;
    for (size_t i = 0; st == PUAN_OK && i < want && n > (takes ? 1 : 0); i++) {
        size_t j = sim_below(&rng, (uint32_t)n);
        struct unit *u = &m->unit[list[j]], *from = NULL;

        list[j] = list[--n];
        if (takes) {
            j = sim_below(&rng, (uint32_t)n);
            from = &m->unit[list[j]];
            list[j] = list[--n];
        }
        st = plant(m, u, f, from, &rng, err);
    }
    return st;
}

static enum puan_status faults(struct units *m, struct puan_err *err)
{
    size_t k = 0;
    enum puan_status st = PUAN_OK;

    PUAN_NODE_EACH(f, puan_node_get(m->spec, "faults"))
    {
        if (st == PUAN_OK)
            st = one_fault(m, f, k++, err);
    }
    return st;
}

/* ---- the command ------------------------------------------------------ */

static const char *spec_path(const char *pack, struct puan_arena *a)
{
    return puan_arena_fmt(a, "%s/simulate/units.yaml", pack);
}

bool sim_units_has(const char *pack, struct puan_arena *a)
{
    const char *path = spec_path(pack, a);

    return path && puan_file_exists(path);
}

static int by_key(const void *a, const void *b)
{
    const struct unit *x = *(struct unit *const *)a;
    const struct unit *y = *(struct unit *const *)b;

    if (x->ea != y->ea)
        return x->ea < y->ea ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* Parts point at units, so the units stay and a list is put in order. */
static enum puan_status in_order(struct units *m, struct puan_err *err)
{
    struct unit **list = puan_new_n(m->a, m->n + 1, struct unit *);
    struct unit *copy = puan_new_n(m->a, m->n + 1, struct unit);

    if (!list || !copy)
        return puan_arena_check(m->a, err);
    for (size_t i = 0; i < m->n; i++)
        list[i] = &m->unit[i];
    qsort(list, m->n, sizeof(*list), by_key);
    for (size_t i = 0; i < m->n; i++)
        copy[i] = *list[i];
    m->unit = copy;
    return PUAN_OK;
}

static enum puan_status load(struct units *m, const char *pack,
                             struct puan_err *err)
{
    static const char *const keys[] = {
        "units",  "census", "levels",  "unit_digits", "regions", "per_area",
        "area_most", "words", "fragments", "kinds",   "faults",  "field",
        "entities", "other_forms", "registers", "sections", "given", NULL
    };
    const char *path = spec_path(pack, m->a);
    struct puan_node *top;
    struct puan_str text;
    int64_t version, digits;
    enum puan_status st = puan_file_read(&text, path, 0, m->a, err);

    m->dir = puan_arena_fmt(m->a, "%s/simulate", pack);
    if (st == PUAN_OK)
        st = puan_yaml_tree(&top, text, path, m->a, err);
    if (st == PUAN_OK)
        st = puan_node_only(top, keys, err);
    if (st == PUAN_OK)
        st = puan_node_int(&version, top, "units", 1, 1, err);
    if (st == PUAN_OK)
        st = puan_node_int(&digits, top, "unit_digits", 2, 3, err);
    if (st != PUAN_OK)
        return st;
    m->spec = top;
    m->base = 1;
    m->key_digits = 15 + (unsigned)digits;
    while (digits-- > 0)
        m->base *= 10;
    PUAN_NODE_EACH(l, puan_node_get(top, "levels"))
    {
        if (l->n != 2)
            return puan_node_fail(l, err, "expected [DIGITS, LEVEL]");
    }
    if (!puan_node_get(top, "levels") || puan_node_get(top, "levels")->n < 2)
        return puan_node_fail(top, err, "'levels' are missing");
    return PUAN_OK;
}

enum puan_status sim_units_run(const char *pack, const struct sim_options *opt,
                               const char *const *area, size_t n_areas,
                               struct puan_err *err)
{
    struct puan_arena a;
    struct units m = { .opt = opt, .a = &a };
    int64_t total = 0;
    enum puan_status st;

    if (n_areas != 1)
        return puan_fail(err, PUAN_EINVAL, "--area",
                         "a census of units is simulated for one area at a "
                         "time");
    puan_arena_init(&a, puan_os_alloc());
    m.county = puan_str_of(area[0]);
    st = load(&m, pack, err);
    if (st == PUAN_OK)
        st = puan_node_int(&total, m.spec, "census", 1, 1000000, err);
    total = (int64_t)((double)total * opt->scale + 0.5);
    if (total < 1)
        total = 1;
    if (st == PUAN_OK)
        st = read_areas(&m, err);
    if (st == PUAN_OK)
        st = make_eas(&m, (size_t)total, err);
    if (st == PUAN_OK)
        st = make_units(&m, total, err);
    if (st == PUAN_OK && opt->faults)
        st = faults(&m, err);
    if (st == PUAN_OK)
        st = in_order(&m, err);
    if (st == PUAN_OK)
        st = sim_units_write(&m, err);
    puan_arena_clear(&a);
    return st;
}
