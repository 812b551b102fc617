/*
 * Adding figures up: sums and largest values stand in a row of numbers an
 * area; medians and largest groups keep their values until the end, when they are sorted.
 */
#include "core/figures/figures.h"

#include "base/arena.h"

#define LEVELS_MOST 32

struct area {
    int64_t code;
    int64_t *v;
    uint8_t *known;
};

struct pair { /* a value of an area, for medians and groups */
    uint32_t area;
    int64_t v;
};

struct pairs {
    struct pair *list;
    size_t n, cap;
};

struct layer { /* one level */
    unsigned digits;
    struct area *area;
    uint32_t n, cap;
    uint32_t *slot; /* hash of code: place + 1 */
    uint32_t slots;
    uint32_t last; /* place of the last code asked for */
    struct pairs *pairs; /* by figure */
    uint32_t *order;     /* by code, after close */
};

struct puan_figures {
    const struct puan_sheet *s;
    struct layer layer[LEVELS_MOST]; /* digits 0: not kept */
    size_t n_levels;
    unsigned ea_digits;
    bool *seen; /* by figure: a row of its forms was added */
    struct puan_arena *a;
};

enum puan_status puan_figures_new(struct puan_figures **out,
                                  const struct puan_sheet *s,
                                  const unsigned *digits, size_t n_levels,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_figures *f = puan_new(a, struct puan_figures);

    *out = f;
    if (!f)
        return puan_arena_check(a, err);
    f->s = s;
    f->a = a;
    f->n_levels = n_levels < LEVELS_MOST ? n_levels : LEVELS_MOST;
    f->ea_digits = n_levels ? digits[n_levels - 1] : 0;
    f->seen = puan_new_n(a, s->n + 1, bool);
    for (size_t i = 0; i < f->n_levels; i++) {
        if (!(s->kept >> i & 1))
            continue;
        f->layer[i].digits = digits[i];
        f->layer[i].pairs = puan_new_n(a, s->n + 1, struct pairs);
    }
    return puan_arena_check(a, err);
}

/* ---- areas ---- */

static uint32_t place_of(const struct layer *l, int64_t code)
{
    return (uint32_t)((uint64_t)code * 0x9e3779b97f4a7c15u >> 32) &
           (l->slots - 1);
}

static bool grow(struct puan_figures *f, struct layer *l)
{
    uint32_t cap = l->cap ? l->cap * 2 : 64, slots = cap * 2;
    struct area *more = puan_new_n(f->a, cap, struct area);
    uint32_t *slot = puan_new_n(f->a, slots, uint32_t);

    if (!more || !slot)
        return false;
    if (l->n)
        memcpy(more, l->area, l->n * sizeof(*more));
    l->area = more;
    l->cap = cap;
    l->slot = slot;
    l->slots = slots;
    for (uint32_t i = 0; i < l->n; i++) {
        uint32_t h = place_of(l, l->area[i].code);

        while (slot[h])
            h = (h + 1) & (slots - 1);
        slot[h] = i + 1;
    }
    return true;
}

/* The area's place, made when it is new; UINT32_MAX when out of memory. */
static uint32_t find(struct puan_figures *f, struct layer *l, int64_t code)
{
    struct area *x;
    uint32_t h;

    if (l->n && l->area[l->last].code == code)
        return l->last;
    if (l->n == l->cap && !grow(f, l))
        return UINT32_MAX;
    for (h = place_of(l, code); l->slot[h]; h = (h + 1) & (l->slots - 1))
        if (l->area[l->slot[h] - 1].code == code)
            return l->last = l->slot[h] - 1;
    x = &l->area[l->n];
    x->code = code;
    x->v = puan_new_n(f->a, f->s->n + 1, int64_t);
    x->known = puan_new_n(f->a, f->s->n + 1, uint8_t);
    if (!x->v || !x->known)
        return UINT32_MAX;
    l->slot[h] = ++l->n;
    return l->last = l->n - 1;
}

static int64_t cut(int64_t code, unsigned from, unsigned to)
{
    for (; from > to; from--)
        code /= 10;
    return code;
}

/* ---- adding ---- */

static void keep(struct puan_figures *f, struct pairs *p, uint32_t area,
                 int64_t v)
{
    if (p->n == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 256;
        struct pair *more = puan_new_n(f->a, cap, struct pair);

        if (!more)
            return;
        if (p->n)
            memcpy(more, p->list, p->n * sizeof(*more));
        p->list = more;
        p->cap = cap;
    }
    p->list[p->n++] = (struct pair){ area, v };
}

/* A number that stands for the text (FNV-1a, 64 bits); false: none at hand. */
static bool text_value(int64_t *v, const struct puan_record *r,
                       const struct puan_figure_source *s, uint32_t row)
{
    const struct puan_rows *rows = &r->rows[s->entity];
    size_t at = (size_t)row * r->form->entity[s->entity].n_items +
                (size_t)s->text;
    uint64_t h = 0xcbf29ce484222325u;
    struct puan_str t;

    if (!rows->txt || rows->st[at] != PUAN_GIVEN)
        return false;
    t = puan_str_trim(rows->txt[at]);
    for (size_t i = 0; i < t.n; i++)
        h = (h ^ (unsigned char)t.p[i]) * 0x100000001b3u;
    *v = (int64_t)h;
    return t.n > 0;
}

/* What one figure makes of one row; false: nothing. */
static bool contribution(int64_t *v, const struct puan_figure *g,
                         const struct puan_figure_source *s,
                         const struct puan_record *r, uint32_t row)
{
    enum puan_state state;

    if (s->where &&
        puan_expr_truth(s->where, r, row) != PUAN_TRUE)
        return false;
    *v = 1;
    if (g->kind == PUAN_FIGURE_COUNT)
        return true;
    if (s->text >= 0)
        return text_value(v, r, s, row);
    puan_expr_eval(v, &state, s->value, r, row);
    return state == PUAN_GIVEN;
}

static void largest(struct area *x, size_t figure, int64_t v)
{
    if (!x->known[figure] || v > x->v[figure])
        x->v[figure] = v;
    x->known[figure] = 1;
}

static void add_value(struct puan_figures *f, size_t figure,
                      const uint32_t *place, int64_t v)
{
    bool later = f->s->figure[figure].kind == PUAN_FIGURE_MOST ||
                 f->s->figure[figure].kind == PUAN_FIGURE_MEDIAN;

    for (size_t i = 0; i < f->n_levels; i++) {
        struct layer *l = &f->layer[i];

        if (l->digits == 0)
            continue;
        if (later)
            keep(f, &l->pairs[figure], place[i], v);
        else if (f->s->figure[figure].kind == PUAN_FIGURE_LARGEST)
            largest(&l->area[place[i]], figure, v);
        else
            l->area[place[i]].v[figure] += v;
    }
}

void puan_figures_add(struct puan_figures *f, int64_t ea,
                      const struct puan_record *r, uint16_t skipped,
                      const bool *skip)
{
    uint32_t place[LEVELS_MOST];

    for (size_t i = 0; i < f->n_levels; i++) {
        struct layer *l = &f->layer[i];

        place[i] = 0;
        if (l->digits == 0)
            continue;
        place[i] = find(f, l, cut(ea, f->ea_digits, l->digits));
        if (place[i] == UINT32_MAX)
            return;
    }
    for (size_t k = 0; k < f->s->n; k++) {
        const struct puan_figure *g = &f->s->figure[k];

        for (size_t j = 0; j < g->n_sources; j++) {
            const struct puan_figure_source *s = &g->source[j];
            int64_t v;

            if (s->form != r->form->ordinal)
                continue;
            f->seen[k] = true;
            for (uint32_t row = 0; row < r->rows[s->entity].n; row++)
                if (!(skip && s->entity == skipped && skip[row]) &&
                    contribution(&v, g, s, r, row))
                    add_value(f, k, place, v);
        }
    }
}

bool puan_figures_give(struct puan_figures *f, int level, int64_t area,
                       size_t figure, int64_t value, bool up)
{
    unsigned digits;

    if (level < 0 || (size_t)level >= f->n_levels || figure >= f->s->n ||
        f->s->figure[figure].kind != PUAN_FIGURE_GIVEN)
        return false;
    digits = f->layer[level].digits;
    if (digits == 0 && !up)
        return false;
    for (int i = level; i >= 0; i--) {
        struct layer *l = &f->layer[i];
        uint32_t p;

        if (l->digits && l->digits <= digits) {
            p = find(f, l, cut(area, digits, l->digits));
            if (p == UINT32_MAX)
                return true;
            l->area[p].v[figure] += value;
            l->area[p].known[figure] = 1;
        }
        if (!up)
            break;
    }
    return true;
}

/* ---- closing ---- */

static bool before(const struct pair *a, const struct pair *b)
{
    return a->area < b->area || (a->area == b->area && a->v < b->v);
}

static void sift(struct pair *p, size_t at, size_t n)
{
    for (;;) {
        size_t k = 2 * at + 1;
        struct pair t;

        if (k >= n)
            return;
        if (k + 1 < n && before(&p[k], &p[k + 1]))
            k++;
        if (!before(&p[at], &p[k]))
            return;
        t = p[at];
        p[at] = p[k];
        p[k] = t;
        at = k;
    }
}

static void sort(struct pair *p, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift(p, i, n);
    for (size_t i = n; i-- > 1;) {
        struct pair t = p[0];

        p[0] = p[i];
        p[i] = t;
        sift(p, 0, i);
    }
}

static int64_t largest_group(const struct pair *p, size_t n)
{
    int64_t most = 0;

    for (size_t i = 0, run = 0; i < n; i++) {
        run = i && p[i].v == p[i - 1].v ? run + 1 : 1;
        if ((int64_t)run > most)
            most = (int64_t)run;
    }
    return most;
}

static void reduce(struct puan_figures *f, struct layer *l, size_t figure)
{
    struct pairs *p = &l->pairs[figure];
    bool median = f->s->figure[figure].kind == PUAN_FIGURE_MEDIAN;

    if (p->n)
        sort(p->list, p->n);
    for (size_t i = 0, k; i < p->n; i = k) {
        struct area *x = &l->area[p->list[i].area];

        for (k = i; k < p->n && p->list[k].area == p->list[i].area;)
            k++;
        x->v[figure] = median ? p->list[i + (k - i - 1) / 2].v
                              : largest_group(&p->list[i], k - i);
        x->known[figure] = 1;
    }
}

/* Places of a layer by code. */
static void put_in_order(struct puan_figures *f, struct layer *l)
{
    struct pair *p = puan_new_n(f->a, l->n + 1, struct pair);

    l->order = puan_new_n(f->a, l->n + 1, uint32_t);
    if (!p || !l->order)
        return;
    for (uint32_t i = 0; i < l->n; i++)
        p[i] = (struct pair){ 0, l->area[i].code };
    sort(p, l->n);
    for (uint32_t i = 0; i < l->n; i++)
        l->order[i] = find(f, l, p[i].v);
}

static void from_above(struct puan_figures *f, struct layer *l, size_t figure)
{
    const struct puan_figure *g = &f->s->figure[figure];
    struct layer *up = &f->layer[g->level];

    for (uint32_t i = 0; i < l->n; i++) {
        uint32_t p;

        if (up->digits == 0 || up->digits > l->digits || up->n == 0)
            continue;
        p = find(f, up, cut(l->area[i].code, l->digits, up->digits));
        if (p == UINT32_MAX || !up->area[p].known[g->figure])
            continue;
        l->area[i].v[figure] = up->area[p].v[g->figure];
        l->area[i].known[figure] = 1;
    }
}

enum puan_status puan_figures_close(struct puan_figures *f,
                                    struct puan_err *err)
{
    for (size_t i = 0; i < f->n_levels; i++) {
        struct layer *l = &f->layer[i];

        for (size_t k = 0; l->digits && k < f->s->n; k++) {
            enum puan_figure_kind kind = f->s->figure[k].kind;

            if (kind == PUAN_FIGURE_MOST || kind == PUAN_FIGURE_MEDIAN)
                reduce(f, l, k);
            if ((kind == PUAN_FIGURE_COUNT || kind == PUAN_FIGURE_SUM ||
                 kind == PUAN_FIGURE_MOST) &&
                f->seen[k])
                for (uint32_t x = 0; x < l->n; x++)
                    l->area[x].known[k] = 1;
        }
    }
    for (size_t i = 0; i < f->n_levels; i++) {
        struct layer *l = &f->layer[i];

        for (size_t k = 0; l->digits && k < f->s->n; k++)
            if (f->s->figure[k].kind == PUAN_FIGURE_ABOVE)
                from_above(f, l, k);
        if (l->digits)
            put_in_order(f, l);
    }
    return puan_arena_check(f->a, err);
}

/* ---- reading ---- */

static const struct area *area_at(const struct puan_figures *f, int level,
                                  size_t i)
{
    const struct layer *l = &f->layer[level];

    return &l->area[l->order[i]];
}

size_t puan_figures_areas(const struct puan_figures *f, int level)
{
    if (level < 0 || (size_t)level >= f->n_levels)
        return 0;
    return f->layer[level].digits ? f->layer[level].n : 0;
}

int64_t puan_figures_area(const struct puan_figures *f, int level, size_t i)
{
    return area_at(f, level, i)->code;
}

int64_t puan_figures_value(enum puan_state *state,
                           const struct puan_figures *f, int level, size_t i,
                           size_t figure)
{
    const struct area *x = area_at(f, level, i);

    *state = x->known[figure] ? PUAN_GIVEN : PUAN_NOT_ASKED;
    return x->known[figure] ? x->v[figure] : 0;
}

enum puan_status puan_figures_record(struct puan_record *out,
                                     const struct puan_figures *f, int level,
                                     size_t i, struct puan_arena *a,
                                     struct puan_err *err)
{
    const uint32_t rows[] = { 1 };
    enum puan_status st = puan_record_new(out, f->s->form, rows, a, err);

    if (st != PUAN_OK)
        return st;
    out->rows[0].v[PUAN_SHEET_AREA] = puan_figures_area(f, level, i);
    out->rows[0].st[PUAN_SHEET_AREA] = PUAN_GIVEN;
    out->rows[0].v[PUAN_SHEET_LEVEL] = level;
    out->rows[0].st[PUAN_SHEET_LEVEL] = PUAN_GIVEN;
    for (size_t k = 0; k < f->s->n; k++) {
        enum puan_state state;

        out->rows[0].v[PUAN_SHEET_FIRST + k] =
            puan_figures_value(&state, f, level, i, k);
        out->rows[0].st[PUAN_SHEET_FIRST + k] = (uint8_t)state;
    }
    return PUAN_OK;
}
