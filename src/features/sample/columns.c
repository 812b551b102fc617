/* Columns of a file as numbers or labels. */
#include "features/sample/columns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "features/frame/frames.h"
#include "kit/sheet/sheet.h"

#define ROWS_MOST (1u << 30)

bool puan_names_split(struct puan_str *out, size_t *n, size_t most,
                      const char *list)
{
    struct puan_str rest = puan_str_of(list), head;

    *n = 0;
    while (puan_str_split(&head, &rest, ',')) {
        head = puan_str_trim(head);
        if (head.n == 0 || *n == most)
            return false;
        out[(*n)++] = head;
    }
    return *n > 0;
}

static bool as_number(double *v, struct puan_str s)
{
    char text[64], *end;

    s = puan_str_trim(s);
    if (s.n == 0 || s.n >= sizeof(text))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    if (strspn(text, "0123456789+-.eE") != s.n)
        return false;
    *v = strtod(text, &end);
    return *end == '\0' && isfinite(*v);
}

int puan_label_cmp(struct puan_str a, struct puan_str b)
{
    double x, y;
    bool nx = as_number(&x, a), ny = as_number(&y, b);

    if (nx && ny && (x < y || x > y))
        return x < y ? -1 : 1;
    if (nx != ny)
        return nx ? -1 : 1;
    return puan_str_cmp(a, b);
}

struct puan_str puan_frame_text(const struct puan_frame_item *it, int64_t value,
                                struct puan_arena *a)
{
    const struct puan_code *c;
    char date[32];

    switch (it->type) {
    case PUAN_TYPE_CODE:
        c = it->codes ? puan_code_by_value(it->codes, value) : NULL;
        if (c)
            return c->text;
        break;
    case PUAN_TYPE_AREA:
        return puan_str_of(
            puan_arena_fmt(a, "%0*lld", (int)it->digits, (long long)value));
    case PUAN_TYPE_MONTH:
        puan_month_text(date, value);
        return puan_str_of(puan_arena_dup(a, puan_str_of(date)));
    case PUAN_TYPE_DATE:
        puan_day_text(date, value);
        return puan_str_of(puan_arena_dup(a, puan_str_of(date)));
    case PUAN_TYPE_FIXED: {
        long long unit = 1, whole, part;

        for (unsigned i = 0; i < it->places; i++)
            unit *= 10;
        whole = value / unit;
        part = value % unit < 0 ? -(value % unit) : value % unit;
        return puan_str_of(puan_arena_fmt(a, "%s%lld.%0*lld",
                                          value < 0 && whole == 0 ? "-" : "",
                                          whole, (int)it->places, part));
    }
    case PUAN_TYPE_INT:
    case PUAN_TYPE_TEXT:
    case PUAN_TYPE_NAME:
    case PUAN_TYPE_CITIZEN_ID:
    case PUAN_TYPE_PHONE:
    case PUAN_TYPE_POINT:
    case PUAN_TYPE_FACT:
        break;
    }
    return puan_str_of(puan_arena_fmt(a, "%lld", (long long)value));
}

/* ---- labels ----------------------------------------------------------------
 */

/* Texts by number, found again by hash. */
struct labels {
    struct puan_str *text;
    uint32_t *slot; /* number + 1 */
    uint32_t n, room, slots;
};

static uint64_t hash(struct puan_str s)
{
    uint64_t h = 1469598103934665603u;

    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (uint8_t)s.p[i]) * 1099511628211u;
    return h ^ h >> 29;
}

static bool widen(struct labels *l)
{
    uint32_t room = l->room ? l->room * 2 : 64, slots = room * 2;
    struct puan_str *text = realloc(l->text, room * sizeof(*text));
    uint32_t *slot = calloc(slots, sizeof(*slot));

    if (text)
        l->text = text;
    if (!text || !slot) {
        free(slot);
        return false;
    }
    for (uint32_t i = 0; i < l->n; i++) {
        uint32_t at = (uint32_t)hash(l->text[i]) & (slots - 1);

        while (slot[at])
            at = (at + 1) & (slots - 1);
        slot[at] = i + 1;
    }
    free(l->slot);
    l->slot = slot;
    l->room = room;
    l->slots = slots;
    return true;
}

/* The label's number; PUAN_NO_LABEL when out of memory. */
static uint32_t label_of(struct labels *l, struct puan_str s,
                         struct puan_arena *a)
{
    uint32_t at;

    if (l->n == l->room && !widen(l))
        return PUAN_NO_LABEL;
    at = (uint32_t)hash(s) & (l->slots - 1);
    while (l->slot[at]) {
        if (puan_str_eq(l->text[l->slot[at] - 1], s))
            return l->slot[at] - 1;
        at = (at + 1) & (l->slots - 1);
    }
    l->text[l->n] = puan_arena_keep(a, s);
    l->slot[at] = ++l->n;
    return l->n - 1;
}

struct ranked {
    struct puan_str text;
    uint32_t old;
};

static int by_label(const void *a, const void *b)
{
    return puan_label_cmp(((const struct ranked *)a)->text,
                          ((const struct ranked *)b)->text);
}

/* Numbers the labels anew, in order; moves their texts to the arena. */
static enum puan_status settle(struct puan_column *c, struct labels *l,
                               uint32_t rows, struct puan_arena *a,
                               struct puan_err *err)
{
    struct ranked *r = puan_new_n(a, l->n ? l->n : 1, struct ranked);
    uint32_t *now = puan_new_n(a, l->n ? l->n : 1, uint32_t);

    c->text = puan_new_n(a, l->n ? l->n : 1, struct puan_str);
    c->n_text = l->n;
    if (!r || !now || !c->text)
        return puan_arena_check(a, err);
    for (uint32_t i = 0; i < l->n; i++)
        r[i] = (struct ranked){ l->text[i], i };
    qsort(r, l->n, sizeof(*r), by_label);
    for (uint32_t i = 0; i < l->n; i++) {
        c->text[i] = r[i].text;
        now[r[i].old] = i;
    }
    for (uint32_t i = 0; i < rows; i++)
        if (c->label[i] != PUAN_NO_LABEL)
            c->label[i] = now[c->label[i]];
    return PUAN_OK;
}

/* ---- from CSV ---------------------------------------------------------------
 */

struct growing {
    struct puan_column *col;
    struct labels *labels;
    size_t n_cols;
    uint32_t rows, room;
    double **value; /* malloc'd while growing */
    uint32_t **label;
};

static bool grow(struct growing *g)
{
    uint32_t room = g->room ? g->room * 2 : 1024;

    for (size_t c = 0; c < g->n_cols; c++) {
        void *p = g->col[c].number
                      ? realloc(g->value[c], room * sizeof(double))
                      : realloc(g->label[c], room * sizeof(uint32_t));

        if (!p)
            return false;
        if (g->col[c].number)
            g->value[c] = p;
        else
            g->label[c] = p;
    }
    g->room = room;
    return true;
}

static enum puan_status cell(struct growing *g, size_t c, struct puan_str s,
                             const char *path, uint32_t line, int column,
                             struct puan_arena *a, struct puan_err *err)
{
    s = puan_str_trim(s);
    if (!g->col[c].number) {
        uint32_t id = s.n ? label_of(&g->labels[c], s, a) : PUAN_NO_LABEL;

        if (s.n && id == PUAN_NO_LABEL)
            return puan_fail(err, PUAN_ENOMEM, path, "out of memory");
        g->label[c][g->rows] = id;
        return PUAN_OK;
    }
    g->value[c][g->rows] = NAN;
    if (s.n && !as_number(&g->value[c][g->rows], s))
        return puan_fail_at(
            err, PUAN_EINVAL, path, line, (uint32_t)(column + 1),
            "%.*s: \"%.*s\" is not a number", PUAN_FMT(g->col[c].name),
            (int)(s.n > 40 ? 40 : s.n), s.p);
    return PUAN_OK;
}

static enum puan_status one_sheet(struct growing *g, const char *path,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_sheet *s = NULL;
    int *at = puan_new_n(a, g->n_cols, int);
    enum puan_status st = puan_sheet_open(&s, path, err);
    bool more = true;

    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
    for (size_t c = 0; st == PUAN_OK && at && c < g->n_cols; c++) {
        at[c] = puan_sheet_column(s, puan_arena_dup(a, g->col[c].name));
        g->col[c].there |= at[c] >= 0;
        if (at[c] < 0 && !g->col[c].optional)
            st = puan_fail(err, PUAN_ENOTFOUND, path,
                           "the header has no column \"%.*s\"",
                           PUAN_FMT(g->col[c].name));
    }
    while (st == PUAN_OK && at) {
        st = puan_sheet_next(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        if (g->rows == ROWS_MOST)
            st = puan_fail(err, PUAN_ELIMIT, path, "more than %u rows",
                           ROWS_MOST);
        else if (g->rows == g->room && !grow(g))
            st = puan_fail(err, PUAN_ENOMEM, path, "out of memory");
        for (size_t c = 0; st == PUAN_OK && c < g->n_cols; c++)
            st = cell(g, c,
                      at[c] >= 0 ? puan_sheet_row(s)->field[at[c]]
                                 : (struct puan_str){ "", 0 },
                      path, puan_sheet_row(s)->line, at[c], a, err);
        g->rows++;
    }
    puan_sheet_close(s);
    return st;
}

static enum puan_status from_sheets(struct growing *g, const char *const *paths,
                                    size_t n, struct puan_arena *a,
                                    struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; st == PUAN_OK && i < n; i++)
        st = one_sheet(g, paths[i], a, err);
    for (size_t c = 0; st == PUAN_OK && c < g->n_cols; c++) {
        size_t size = g->col[c].number ? sizeof(double) : sizeof(uint32_t);
        void *p = puan_arena_get_n(a, g->rows ? g->rows : 1, size);

        st = puan_arena_check(a, err);
        if (st == PUAN_OK && p && g->rows)
            memcpy(p,
                   g->col[c].number ? (void *)g->value[c] : (void *)g->label[c],
                   g->rows * size);
        if (g->col[c].number)
            g->col[c].value = p;
        else
            g->col[c].label = p;
    }
    return st;
}

/* ---- from a frame
 * ------------------------------------------------------------ */

/* The entity of the chain above `e` that has the item, or -1. */
static int holder(int *item, const struct puan_frame *f, int e,
                  struct puan_str name)
{
    for (; e >= 0; e = f->entity[e].parent) {
        *item = puan_frame_item(&f->entity[e], name);
        if (*item >= 0)
            return e;
    }
    return -1;
}

/* For each row of `e`, the row of the entity above. */
static uint32_t *parents(const struct puan_frame *f, int e,
                         struct puan_arena *a)
{
    const struct puan_frame_entity *x = &f->entity[e];
    uint32_t *up = puan_arena_get_n(a, x->rows ? x->rows : 1, sizeof(*up));

    for (uint64_t p = 0; up && p < f->entity[x->parent].rows; p++)
        for (uint32_t r = x->first[p]; r < x->first[p + 1]; r++)
            up[r] = (uint32_t)p;
    return up;
}

static enum puan_status frame_column(struct growing *g, size_t c,
                                     const struct puan_frame *f, int last,
                                     int holds, int item, struct puan_arena *a,
                                     struct puan_err *err)
{
    struct puan_column *col = &g->col[c];
    const struct puan_frame_item *it = &f->entity[holds].item[item];
    uint32_t *up[PUAN_FRAME_ENTITIES] = { 0 };
    double unit = 1;

    for (int e = last; e != holds; e = f->entity[e].parent)
        up[e] = parents(f, e, a);
    for (unsigned i = 0; it->type == PUAN_TYPE_FIXED && i < it->places; i++)
        unit *= 10;
    if (col->number)
        col->value = puan_arena_get_n(a, g->rows ? g->rows : 1, sizeof(double));
    else
        col->label =
            puan_arena_get_n(a, g->rows ? g->rows : 1, sizeof(uint32_t));
    if (puan_arena_check(a, err) != PUAN_OK)
        return PUAN_ENOMEM;
    for (uint32_t r = 0; r < g->rows; r++) {
        enum puan_state state;
        uint32_t row = r;
        int64_t v;

        for (int e = last; e != holds; e = f->entity[e].parent)
            row = up[e][row];
        v = puan_frame_value(&state, it, row);
        if (col->number) {
            col->value[r] = state == PUAN_GIVEN ? (double)v / unit : NAN;
            if (it->type == PUAN_TYPE_CODE && state == PUAN_GIVEN &&
                !as_number(&col->value[r], puan_frame_text(it, v, a)))
                return puan_fail(err, PUAN_EINVAL, "data",
                                 "%.*s holds texts, a number is needed",
                                 PUAN_FMT(col->name));
            continue;
        }
        col->label[r] = PUAN_NO_LABEL;
        if (state == PUAN_GIVEN) {
            /* rows in order often repeat the one before */
            enum puan_state before = PUAN_MISSING;
            int64_t w = 0;

            if (r > 0 && holds == last)
                w = puan_frame_value(&before, it, row - 1);
            col->label[r] =
                before == PUAN_GIVEN && w == v
                    ? col->label[r - 1]
                    : label_of(&g->labels[c], puan_frame_text(it, v, a), a);
        }
    }
    return puan_arena_check(a, err);
}

/* The entity whose rows are given: the innermost that has, with those above
   it, every column that is needed; -1 and which is missing. */
static int entity_of(const struct growing *g, const struct puan_frame *f,
                     size_t *missing)
{
    int best = -1, most = -1;

    for (int e = 0; e < (int)f->n_entities; e++) {
        int depth = 0, item;
        bool all = true;

        for (int up = f->entity[e].parent; up >= 0; up = f->entity[up].parent)
            depth++;
        for (size_t c = 0; all && c < g->n_cols; c++) {
            all =
                g->col[c].optional || holder(&item, f, e, g->col[c].name) >= 0;
            if (!all)
                *missing = c;
        }
        if (all && depth > most) {
            most = depth;
            best = e;
        }
    }
    return best;
}

static enum puan_status from_frame(struct growing *g, const char *const *paths,
                                   size_t n, struct puan_arena *a,
                                   struct puan_err *err)
{
    struct puan_frames *f = NULL;
    enum puan_status st = puan_frames_load(&f, paths, n, NULL, err);
    const struct puan_frame *x = st == PUAN_OK ? puan_frames_frame(f) : NULL;
    size_t missing = 0;
    int last = x ? entity_of(g, x, &missing) : -1;

    if (x && last < 0)
        st = puan_fail(err, PUAN_ENOTFOUND, paths[0],
                       "the frame has no item \"%.*s\" beside the others",
                       PUAN_FMT(g->col[missing].name));
    if (last >= 0)
        g->rows = (uint32_t)x->entity[last].rows;
    for (size_t c = 0; st == PUAN_OK && x && c < g->n_cols; c++) {
        int item = -1, e = holder(&item, x, last, g->col[c].name);

        g->col[c].there = e >= 0;
        if (e >= 0)
            st = frame_column(g, c, x, last, e, item, a, err);
    }
    puan_frames_close(f);
    return st;
}

enum puan_status puan_columns_load(struct puan_column *col, size_t n_cols,
                                   uint32_t *rows, const char *const *paths,
                                   size_t n_paths, struct puan_arena *a,
                                   struct puan_err *err)
{
    struct growing g = { .col = col, .n_cols = n_cols };
    enum puan_status st;

    g.labels = puan_new_n(a, n_cols ? n_cols : 1, struct labels);
    g.value = puan_new_n(a, n_cols ? n_cols : 1, double *);
    g.label = puan_new_n(a, n_cols ? n_cols : 1, uint32_t *);
    st = puan_arena_check(a, err);
    if (st != PUAN_OK)
        return st;
    st = n_paths == 1 && puan_frames_is(paths[0])
             ? from_frame(&g, paths, n_paths, a, err)
             : from_sheets(&g, paths, n_paths, a, err);
    for (size_t c = 0; c < n_cols; c++) {
        if (st == PUAN_OK && !col[c].number && col[c].label)
            st = settle(&col[c], &g.labels[c], g.rows, a, err);
        free(g.labels[c].text);
        free(g.labels[c].slot);
        free(g.value[c]);
        free(g.label[c]);
    }
    *rows = g.rows;
    return st;
}
