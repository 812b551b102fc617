/*
 * From a programme to cubes: which items an expression reads, which of them
 * become axes of which cube, what is left to be made as a column; see
 * tabulate.h.  Folding the cells back is in fold.c.
 */
#include "core/table/tabulate.h"

#include "core/table/tab_in.h"

/* Combinations of values an expression is looked at for, else it is a want. */
#define LOOKS_MOST ((uint64_t)1 << 16)
/* More than this: a column of the values makes a smaller cube. */
#define LOOKS_PLAIN 256u
#define LOOKS_OF_ONE ((uint64_t)1 << 20) /* where it reads one item only */
/* Cells of the axes of one cube without its sorted ones, when joining. */
#define JOIN_MOST 16384u
/* Classes of an axis that may be renamed before counting. */
#define MAP_MOST LOOKS_OF_ONE

/* ---- names of a unit -------------------------------------------------------
 */

static bool is_above(const struct puan_frame *f, int up, int e)
{
    while (e >= 0 && e != up)
        e = f->entity[e].parent;
    return e >= 0;
}

static const char *qualified(struct puan_str entity, struct puan_str item,
                             struct puan_arena *a)
{
    return puan_arena_fmt(a, "%.*s__%.*s", PUAN_FMT(entity), PUAN_FMT(item));
}

static void name_item(struct puan_tab_unit *u, struct puan_item *to,
                      const struct puan_frame_item *it)
{
    bool number = it->type == PUAN_TYPE_INT || it->type == PUAN_TYPE_FACT;

    (void)u;
    *to = (struct puan_item){ .name = it->name,
                              .zh = it->zh,
                              .en = it->en,
                              .type = number ? PUAN_TYPE_INT : it->type,
                              .codes = it->codes,
                              .min = it->least,
                              .max = it->most,
                              .places = it->places,
                              .digits = it->digits,
                              .fact_of = -1 };
}

static bool is_key(const struct puan_frame *f, int e, size_t item)
{
    for (int up = f->entity[e].parent; up >= 0; up = f->entity[up].parent)
        for (size_t i = 0; i < f->entity[up].n_key; i++)
            if (f->entity[up].key[i] == item &&
                puan_frame_item(&f->entity[up],
                                f->entity[e].item[item].name) >= 0)
                return true;
    return false;
}

/*
 * A form of one row that has every item a row of the unit can be told by: its
 * own, those above it (E__x names one whose plain name is taken), and how many
 * rows of an entity below it has (count__E).
 */
static enum puan_status unit_open(struct puan_tab_unit *u,
                                  const struct puan_frame *f, uint16_t e,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_entity *en = puan_new(a, struct puan_entity);
    struct puan_form *form = puan_new(a, struct puan_form);
    struct puan_item *item;
    size_t most = f->n_entities, n = 0;

    for (int up = e; up >= 0; up = f->entity[up].parent)
        most += f->entity[up].n_items;
    item = puan_new_n(a, most, struct puan_item);
    u->of = puan_new_n(a, most, struct puan_tab_ref);
    u->rec.rows[0].n = 1;
    u->rec.rows[0].v = puan_new_n(a, most, int64_t);
    u->rec.rows[0].st = puan_new_n(a, most, uint8_t);
    u->rec.rows[0].txt = puan_new_n(a, most, struct puan_str);
    if (a->failed || item == NULL || u->of == NULL || form == NULL ||
        en == NULL)
        return puan_arena_check(a, err);
    for (int up = e; up >= 0; up = f->entity[up].parent)
        for (size_t i = 0; i < f->entity[up].n_items; i++) {
            const struct puan_frame_item *it = &f->entity[up].item[i];
            const char *full;

            /* an item that names the rows of a level is read there */
            if (is_key(f, up, i))
                continue;
            full = qualified(f->entity[up].name, it->name, a);
            name_item(u, &item[n], it);
            for (size_t k = 0; k < n; k++)
                if (puan_str_eq(item[k].name, it->name))
                    item[n].name = puan_str_of(full);
            item[n].alias = puan_str_of(full);
            u->of[n++] = (struct puan_tab_ref){ (uint16_t)up, it, 0 };
        }
    for (size_t b = 0; b < f->n_entities; b++)
        if (b != e && is_above(f, e, (int)b)) {
            item[n] = (struct puan_item){
                .name = puan_str_of(
                    qualified(PUAN_STR("count"), f->entity[b].name, a)),
                .type = PUAN_TYPE_INT,
                .max = INT32_MAX,
                .fact_of = -1,
            };
            u->of[n++] = (struct puan_tab_ref){ e, NULL, (uint16_t)b };
        }
    en->name = f->entity[e].name;
    en->items = item;
    en->n_items = en->n_asked = (uint16_t)n;
    form->id = PUAN_STR("frame");
    form->entity = en;
    form->n_entities = 1;
    u->entity = e;
    u->form = form;
    u->rec.form = form;
    u->n = n;
    u->open = true;
    return puan_arena_check(a, err);
}

/* ---- texts of expressions --------------------------------------------------
 */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t word_at(struct puan_str s, size_t i)
{
    size_t k = i;

    while (k < s.n && (is_letter(s.p[k]) || (k > i && is_digit(s.p[k]))))
        k++;
    return k - i;
}

static size_t blank_at(struct puan_str s, size_t i)
{
    size_t k = i;

    while (k < s.n && (s.p[k] == ' ' || s.p[k] == '\t' || s.p[k] == '\n' ||
                       s.p[k] == '\r'))
        k++;
    return k - i;
}

static const struct puan_tab_variable *
variable(const struct puan_tab_programme *p, struct puan_str name)
{
    for (size_t i = 0; i < p->n_variables; i++)
        if (puan_str_eq(p->variable[i].name, name))
            return &p->variable[i];
    return NULL;
}

#define VARIABLE_DEPTH 16

/* Names of variables become their expressions. */
static enum puan_status put_variables(struct puan_out *o, struct puan_str s,
                                      const struct puan_tab *t,
                                      const char *file, uint32_t line,
                                      unsigned depth, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; st == PUAN_OK && i < s.n;) {
        size_t n = word_at(s, i);
        const struct puan_tab_variable *v =
            n ? variable(t->p, (struct puan_str){ s.p + i, n }) : NULL;

        if (s.p[i] == '"') {
            do
                puan_out_char(o, s.p[i++]);
            while (i < s.n && s.p[i - 1] != '"');
            while (i < s.n && s.p[i] != '"')
                puan_out_char(o, s.p[i++]);
            if (i < s.n)
                puan_out_char(o, s.p[i++]);
            continue;
        }
        if (n == 0) {
            puan_out_char(o, s.p[i++]);
            continue;
        }
        if (v && (i == 0 || s.p[i - 1] != '.')) {
            if (v->bands.n)
                return puan_fail_at(err, PUAN_EINVAL, file, line, 0,
                                    "'%.*s' has bands and stands only alone, "
                                    "as a dimension",
                                    PUAN_FMT(v->name));
            if (depth == VARIABLE_DEPTH)
                return puan_fail_at(err, PUAN_EINVAL, file, line, 0,
                                    "variable '%.*s' uses itself",
                                    PUAN_FMT(v->name));
            puan_out_char(o, '(');
            st = put_variables(o, v->text, t, file, line, depth + 1, err);
            puan_out_char(o, ')');
        } else {
            puan_out_bytes(o, s.p + i, n);
        }
        i += n;
    }
    return st;
}

/* E.x and count(E) as the flat form of the unit names them. */
static struct puan_str flatten(struct puan_str s, const struct puan_tab *t,
                               const struct puan_tab_unit *u,
                               struct puan_arena *a)
{
    const struct puan_frame *f = t->f;
    struct puan_out o;

    puan_out_init(&o, a);
    for (size_t i = 0; i < s.n;) {
        size_t n = word_at(s, i), k, m;
        struct puan_str w = { s.p + i, n };
        int e;

        if (s.p[i] == '"') {
            do
                puan_out_char(&o, s.p[i++]);
            while (i < s.n && s.p[i] != '"');
            continue;
        }
        if (n == 0) {
            puan_out_char(&o, s.p[i++]);
            continue;
        }
        e = puan_frame_entity(f, w);
        k = i + n;
        if (e >= 0 && is_above(f, e, u->entity) && k < s.n && s.p[k] == '.' &&
            (m = word_at(s, k + 1)) > 0) {
            puan_out_text(&o, qualified(w, (struct puan_str){ s.p + k + 1, m },
                                        a));
            i = k + 1 + m;
            continue;
        }
        k += blank_at(s, k);
        if (puan_str_is(w, "count") && k < s.n && s.p[k] == '(') {
            size_t in = k + 1 + blank_at(s, k + 1), end;
            struct puan_str name = { s.p + in, word_at(s, in) };

            end = in + name.n + blank_at(s, in + name.n);
            e = name.n ? puan_frame_entity(f, name) : -1;
            if (e >= 0 && end < s.n && s.p[end] == ')' && e != u->entity &&
                is_above(f, u->entity, e)) {
                puan_out_text(&o, qualified(w, name, a));
                i = end + 1;
                continue;
            }
        }
        puan_out_str(&o, w);
        i += n;
    }
    return puan_out_view(&o);
}

/* ---- expressions -----------------------------------------------------------
 */

static struct puan_tab_unit *unit_of(struct puan_tab *t, uint16_t e,
                                     struct puan_arena *a, struct puan_err *err)
{
    if (!t->unit[e].open &&
        unit_open(&t->unit[e], t->f, e, a, err) != PUAN_OK)
        return NULL;
    return &t->unit[e];
}

static uint64_t classes_of(const struct puan_tab *t,
                           const struct puan_tab_ref *r)
{
    if (r->item)
        return puan_cube_classes(r->item);
    (void)t;
    return 1024; /* rows below: mostly few */
}

/* Whether an item never falls, so that it costs no cells to count by it. */
static bool is_sorted(const struct puan_tab_ref *r)
{
    return r->item && r->item->sorted;
}

static enum puan_status want(struct puan_tab_expr *x, struct puan_tab *t,
                             uint16_t entity, struct puan_str text,
                             const char *file, uint32_t line, bool truth,
                             bool optional, struct puan_arena *a)
{
    size_t n = t->n_wants;

    for (size_t i = 0; i < n; i++)
        if (t->want[i].entity == entity && t->want[i].truth == truth &&
            puan_str_eq(t->want[i].text, text)) {
            x->want = (int)i;
            t->want[i].optional &= optional;
            return PUAN_OK;
        }
    if (n % 64 == 0) { /* room grows in steps */
        struct puan_tab_want *more = puan_new_n(a, n + 64, struct puan_tab_want);

        if (more == NULL)
            return PUAN_ENOMEM;
        if (n)
            memcpy(more, t->want, n * sizeof(*more));
        t->want = more;
    }
    t->want[n] = (struct puan_tab_want){ entity, text, file, line,
                                         truth,  optional, NULL };
    t->n_wants++;
    x->want = (int)n;
    return PUAN_OK;
}

static int level_areas(const struct puan_tab *t, const struct puan_tab_unit *u,
                       struct puan_str name)
{
    int e = puan_frame_entity(t->f, name);
    int i = e < 0 || !is_above(t->f, e, u->entity)
                ? -1
                : puan_frame_item(&t->f->entity[e], PUAN_STR("area"));

    for (size_t k = 0; i >= 0 && k < u->n; k++)
        if (u->of[k].item == &t->f->entity[e].item[i])
            return (int)k;
    return -1;
}

/*
 * One expression over a unit: an item as it stands, a function of few values,
 * or a column to be made.  `wide`: values beyond counting by (sums).
 */
static enum puan_status expr_open(struct puan_tab_expr *x, struct puan_tab *t,
                                  uint16_t entity, struct puan_str text,
                                  const char *file, uint32_t line, bool truth,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_tab_unit *u = unit_of(t, entity, a, err);
    struct puan_err first = { 0 };
    struct puan_out o;
    struct puan_str flat;
    uint64_t looks = 1;
    bool *used;
    enum puan_status st;
    int i;

    *x = (struct puan_tab_expr){ .want = -1, .unit = entity };
    if (u == NULL)
        return puan_arena_check(a, err);
    text = puan_str_trim(text);
    puan_out_init(&o, a);
    st = put_variables(&o, text, t, file, line, 0, err);
    if (st != PUAN_OK)
        return st;
    text = puan_out_view(&o);
    flat = flatten(text, t, u, a);
    i = puan_entity_item(u->form->entity, puan_str_trim(flat));
    if (i < 0) /* the name of an area level stands for its areas */
        i = level_areas(t, u, puan_str_trim(text));
    if (i >= 0 && !truth) {
        x->ref = &u->of[i];
        return puan_arena_check(a, err);
    }
    if (truth)
        st = puan_expr_compile_truth(&x->expr, u->form, 0, t->p->consts,
                                     t->p->n_consts, flat, file, line, a,
                                     &first);
    else
        st = puan_expr_compile(&x->expr, u->form, 0, t->p->consts,
                               t->p->n_consts, flat, file, line, a, &first);
    used = puan_new_n(a, u->n, bool);
    if (used == NULL)
        return puan_arena_check(a, err);
    if (st == PUAN_OK && puan_expr_reads(used, x->expr)) {
        for (size_t k = 0; k < u->n; k++) {
            if (!used[k])
                continue;
            if (x->n == PUAN_TAB_READS) {
                looks = UINT64_MAX;
                break;
            }
            x->read[x->n] = (uint16_t)k;
            x->n++;
            if (!is_sorted(&u->of[k]) || x->n > 1)
                if (__builtin_mul_overflow(looks, classes_of(t, &u->of[k]),
                                           &looks))
                    looks = UINT64_MAX;
        }
        if (looks <= (x->n == 1 ? LOOKS_OF_ONE : LOOKS_MOST)) {
            if (x->n > 1 && looks > LOOKS_PLAIN &&
                want(x, t, entity, text, file, line, truth, true, a) != PUAN_OK)
                return puan_fail(err, PUAN_ENOMEM, "table", "out of memory");
            return puan_arena_check(a, err);
        }
    }
    if (st != PUAN_OK)
        t->flat_error = first;
    x->n = 0;
    x->expr = NULL;
    st = want(x, t, entity, text, file, line, truth, false, a);
    return st == PUAN_OK ? puan_arena_check(a, err)
                         : puan_fail(err, st, "table", "out of memory");
}

/* ---- tables ----------------------------------------------------------------
 */

static enum puan_status unit_named(uint16_t *out, const struct puan_tab *t,
                                   struct puan_str name, const char *file,
                                   uint32_t line, struct puan_err *err)
{
    int e = -1;

    if (name.n)
        e = puan_frame_entity(t->f, name);
    else /* the most numerous: persons, not their deaths or houses */
        for (size_t i = 0; i < t->f->n_entities; i++)
            if (e < 0 || t->f->entity[i].rows >= t->f->entity[e].rows)
                e = (int)i;
    if (e >= 0) {
        *out = (uint16_t)e;
        return PUAN_OK;
    }
    return puan_fail_at(err, PUAN_EINVAL, file, line, 0,
                        "the data have no '%.*s' to count; they have %.*s%s",
                        PUAN_FMT(name),
                        PUAN_FMT(t->f->entity[t->f->n_entities - 1].name),
                        t->f->n_entities > 1 ? " and the levels above it"
                                             : "; --level makes others");
}

/* The sum or band of texts would be that of their places in the code list. */
static enum puan_status no_texts(const struct puan_tab_expr *x,
                                 struct puan_str text, const char *file,
                                 uint32_t line, struct puan_err *err)
{
    const struct puan_code *c =
        x->ref && x->ref->item && x->ref->item->type == PUAN_TYPE_CODE
            ? puan_codes_misread(x->ref->item->codes)
            : NULL;

    if (c == NULL)
        return PUAN_OK;
    return puan_fail_at(
        err, PUAN_EINVAL, file, line, 0,
        "'%.*s' holds texts, not only numbers; puan frame --show "
        "lists them",
        PUAN_FMT(text));
}

static enum puan_status table_open(struct puan_tab_open *to, struct puan_tab *t,
                                   const struct puan_tab_table *tb,
                                   struct puan_arena *a, struct puan_err *err)
{
    uint16_t unit = 0;
    enum puan_status st = unit_named(&unit, t, tb->of, tb->file, tb->line, err);

    to->table = tb;
    if (st == PUAN_OK && tb->n_by > PUAN_TAB_DIMS)
        st = puan_fail_at(err, PUAN_EINVAL, tb->file, tb->line, 0,
                          "a table has at most %d dimensions", PUAN_TAB_DIMS);
    if (st == PUAN_OK && (tb->n_show > PUAN_TAB_SHOWS || tb->n_show == 0))
        st = puan_fail_at(err, PUAN_EINVAL, tb->file, tb->line, 0,
                          "a table has 1 to %d measures", PUAN_TAB_SHOWS);
    if (st != PUAN_OK)
        return st;
    to->show = puan_new_n(a, tb->n_show, struct puan_tab_show_open);
    to->unit = puan_new_n(a, t->f->n_entities, struct puan_tab_unit_of);
    if (a->failed || to->show == NULL || to->unit == NULL)
        return puan_arena_check(a, err);
    for (size_t i = 0; st == PUAN_OK && i < tb->n_show; i++) {
        const struct puan_tab_show *s = &tb->show[i];
        struct puan_tab_show_open *so = &to->show[i];

        so->unit = unit;
        if (s->of.n)
            st = unit_named(&so->unit, t, s->of, s->file, s->line, err);
        if (st != PUAN_OK || s->kind == PUAN_TAB_RATE)
            continue;
        to->unit[so->unit].used = true;
        if (s->kind != PUAN_TAB_COUNT) {
            st = expr_open(&so->value, t, so->unit, s->text, s->file, s->line,
                           false, a, err);
            so->has_value = true;
            if (st == PUAN_OK)
                st = no_texts(&so->value, s->text, s->file, s->line, err);
        }
        if (st == PUAN_OK && s->where.n) {
            st = expr_open(&so->where, t, so->unit, s->where, s->file, s->line,
                           true, a, err);
            so->has_where = true;
        }
    }
    for (size_t e = 0; st == PUAN_OK && e < t->f->n_entities; e++) {
        struct puan_tab_unit_of *u = &to->unit[e];

        if (!u->used)
            continue;
        for (size_t d = 0; st == PUAN_OK && d < tb->n_by; d++) {
            const struct puan_tab_by *by = &tb->by[d];
            const struct puan_tab_variable *v =
                variable(t->p, puan_str_trim(by->text));

            to->bands[d] = v && by->bands.n == 0 ? v->bands : by->bands;
            to->codes[d] = v && !by->codes ? v->codes : by->codes;
            to->zh[d] = v && by->zh.n == 0 ? v->zh : by->zh;
            to->en[d] = v && by->en.n == 0 ? v->en : by->en;
            st = expr_open(&u->dim[d], t, (uint16_t)e,
                           v && v->bands.n ? v->text : by->text, by->file,
                           by->line, false, a, err);
            if (st == PUAN_OK && to->bands[d].n)
                st = no_texts(&u->dim[d], by->text, by->file, by->line, err);
        }
        if (st == PUAN_OK && tb->where.n) {
            st = expr_open(&u->where, t, (uint16_t)e, tb->where, tb->file,
                           tb->line, true, a, err);
            u->has_where = true;
        }
    }
    return st;
}

enum puan_status puan_tab_compile(struct puan_tab **out,
                                  const struct puan_frame *f,
                                  const struct puan_tab_programme *p,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_tab *t = puan_new(a, struct puan_tab);
    enum puan_status st = PUAN_OK;

    *out = NULL;
    if (t == NULL)
        return puan_arena_check(a, err);
    t->f = f;
    t->p = p;
    t->unit = puan_new_n(a, f->n_entities, struct puan_tab_unit);
    t->table = puan_new_n(a, p->n_tables, struct puan_tab_open);
    if (t->unit == NULL || t->table == NULL)
        return puan_arena_check(a, err);
    for (size_t i = 0; st == PUAN_OK && i < p->n_tables; i++)
        st = table_open(&t->table[i], t, &p->table[i], a, err);
    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
    *out = st == PUAN_OK ? t : NULL;
    return st;
}

struct puan_tab_want *puan_tab_wants(struct puan_tab *t, size_t *n)
{
    *n = t->n_wants;
    return t->want;
}

/* ---- cubes -----------------------------------------------------------------
 */

/* The place of an axis in a part; -1 when there is none left. */
static int axis_of(struct puan_tab_part *pt, const struct puan_tab_ref *r)
{
    for (size_t i = 0; i < pt->n_axes; i++)
        if (pt->axis[i].item == r->item && pt->axis[i].entity == r->entity &&
            pt->axis[i].below == r->below)
            return (int)i;
    if (pt->n_axes == PUAN_CUBE_AXES)
        return -1;
    pt->axis[pt->n_axes] = (struct puan_cube_axis){
        .entity = r->entity, .item = r->item, .below = r->below
    };
    return (int)pt->n_axes++;
}

/* The items an expression reads, as references. */
static size_t reads(const struct puan_tab_ref **out, const struct puan_tab *t,
                    const struct puan_tab_expr *x)
{
    out[0] = puan_tab_made(t, x);
    if (out[0])
        return 1;
    if (x->ref) {
        out[0] = x->ref;
        return 1;
    }
    for (size_t i = 0; i < x->n; i++)
        out[i] = &t->unit[x->unit].of[x->read[i]];
    return x->n;
}

static enum puan_status bind(struct puan_tab_fn *fn, struct puan_tab *t,
                             struct puan_tab_part *pt,
                             const struct puan_tab_expr *x,
                             struct puan_err *err)
{
    const struct puan_tab_ref *r[PUAN_TAB_READS];
    size_t n = reads(r, t, x);

    fn->x = x;
    fn->expr = puan_tab_made(t, x) ? NULL : x->expr;
    fn->n = n;
    for (size_t i = 0; i < n; i++) {
        int k = axis_of(pt, r[i]);

        if (k < 0)
            return puan_fail(err, PUAN_ELIMIT, "table",
                             "a table reads at most %d items",
                             PUAN_CUBE_AXES);
        fn->axis[i] = (uint16_t)k;
        pt->uses[k]++;
    }
    return PUAN_OK;
}

/* Possible cells of a part's axes, the sorted ones left aside. */
static uint64_t cells_with(const struct puan_tab *t,
                           const struct puan_tab_part *pt,
                           const struct puan_tab_expr *const *x, size_t n)
{
    struct puan_tab_part copy = *pt;
    uint64_t cells = 1;

    for (size_t i = 0; i < n; i++) {
        const struct puan_tab_ref *r[PUAN_TAB_READS];
        size_t k = x[i] ? reads(r, t, x[i]) : 0;

        for (size_t j = 0; j < k; j++)
            if (axis_of(&copy, r[j]) < 0)
                return UINT64_MAX;
    }
    for (size_t i = 0; i < copy.n_axes; i++) {
        struct puan_tab_ref r = { copy.axis[i].entity, copy.axis[i].item,
                                  copy.axis[i].below };

        if (!is_sorted(&r) &&
            __builtin_mul_overflow(cells, classes_of(t, &r), &cells))
            return UINT64_MAX;
    }
    return cells;
}

/* Sums are counted over rows when their values are too many for an axis. */
static bool is_summed(const struct puan_tab *t, const struct puan_tab_show *s,
                      const struct puan_tab_show_open *so)
{
    const struct puan_tab_ref *r[PUAN_TAB_READS] = { NULL };
    uint64_t looks = 1;
    size_t n;

    if ((s->kind != PUAN_TAB_SUM && s->kind != PUAN_TAB_MEAN) ||
        (puan_tab_made(t, &so->value) == NULL && so->value.ref == NULL))
        return false;
    n = reads(r, t, &so->value);
    for (size_t i = 0; i < n; i++)
        looks *= classes_of(t, r[i]);
    return r[0] && r[0]->item && looks > 256;
}

static enum puan_status part_new(struct puan_tab_part **out, struct puan_tab *t,
                                 struct puan_tab_open *to, uint16_t unit,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_tab_part *pt = puan_new(a, struct puan_tab_part);
    const struct puan_tab_unit_of *u = &to->unit[unit];
    enum puan_status st = PUAN_OK;

    if (pt == NULL)
        return puan_arena_check(a, err);
    pt->unit = unit;
    pt->shows = puan_new_n(a, to->table->n_show, struct puan_tab_show_part);
    for (size_t d = 0; st == PUAN_OK && d < to->table->n_by; d++)
        st = bind(&pt->dim[d], t, pt, &u->dim[d], err);
    if (st == PUAN_OK && u->has_where)
        st = bind(&pt->where, t, pt, &u->where, err);
    pt->has_where = u->has_where;
    pt->next = to->part;
    to->part = pt;
    *out = pt;
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

static enum puan_status place_show(struct puan_tab *t, struct puan_tab_open *to,
                                   size_t i, struct puan_arena *a,
                                   struct puan_err *err)
{
    const struct puan_tab_show *s = &to->table->show[i];
    const struct puan_tab_show_open *so = &to->show[i];
    bool summed = is_summed(t, s, so);
    const struct puan_tab_expr *x[2] = {
        so->has_value && !summed ? &so->value : NULL,
        so->has_where ? &so->where : NULL
    };
    struct puan_tab_part *pt, *best = NULL;
    struct puan_tab_show_part *sp;
    enum puan_status st = PUAN_OK;

    for (pt = to->part; pt && !best; pt = pt->next) {
        uint64_t now = cells_with(t, pt, NULL, 0),
                 then = cells_with(t, pt, x, 2);

        if (pt->unit == so->unit && (then <= JOIN_MOST || then == now) &&
            !(summed && pt->n_sums == PUAN_CUBE_SUMS))
            best = pt;
    }
    if (best == NULL)
        st = part_new(&best, t, to, so->unit, a, err);
    if (st != PUAN_OK || best == NULL)
        return st;
    sp = &best->shows[best->n_shows++];
    sp->show = i;
    sp->sum = -1;
    if (so->has_value && summed) {
        const struct puan_tab_ref *r[PUAN_TAB_READS] = { NULL };

        if (reads(r, t, &so->value) != 1)
            return puan_fail(err, PUAN_EBUG, "table", "a sum of no item");
        for (size_t k = 0; k < best->n_sums; k++)
            if (best->sum[k].item == r[0]->item)
                sp->sum = (int)k;
        if (sp->sum < 0) {
            sp->sum = (int)best->n_sums;
            best->sum[best->n_sums++] =
                (struct puan_cube_sum){ r[0]->entity, r[0]->item };
        }
    } else if (so->has_value) {
        st = bind(&sp->value, t, best, &so->value, err);
    }
    if (st == PUAN_OK && so->has_where)
        st = bind(&sp->where, t, best, &so->where, err);
    sp->has_value = so->has_value;
    sp->has_where = so->has_where;
    return st;
}

/* ---- renaming classes before counting --------------------------------------
 */

/* Sets the unit's one row to classes of the axes and looks. */
void puan_tab_look(int64_t *value, enum puan_state *state,
                   const struct puan_tab *t, const struct puan_tab_part *pt,
                   const struct puan_tab_fn *fn, const uint64_t *class_)
{
    struct puan_tab_unit *u = &t->unit[pt->unit];
    const struct puan_tab_expr *x = fn->x;

    for (size_t i = 0; i < fn->n; i++) {
        const struct puan_cube_axis *ax = &pt->axis[fn->axis[i]];
        enum puan_state st = PUAN_GIVEN;
        int64_t v = ax->item ? puan_cube_value(&st, ax->item, class_[i])
                             : (int64_t)class_[i];

        if (fn->expr == NULL) {
            *value = v;
            *state = st;
            return;
        }
        u->rec.rows[0].v[x->read[i]] = v;
        u->rec.rows[0].st[x->read[i]] = (uint8_t)st;
    }
    puan_expr_eval(value, state, fn->expr, &u->rec, 0);
}

int64_t puan_tab_band(const struct puan_tab_bands *b, int64_t v)
{
    size_t lo = 0, hi = b->n;

    while (lo < hi) { /* how many borders are at or below v */
        size_t mid = lo + (hi - lo) / 2;

        if (b->at[mid] <= v)
            lo = mid + 1;
        else
            hi = mid;
    }
    return (int64_t)lo - 1;
}

/*
 * A function of one item that nothing else reads is applied before counting:
 * age in fives gives 21 classes and not 120, rows a filter leaves out give no
 * cells.
 */
static void map_axis(struct puan_tab *t, struct puan_tab_part *pt,
                     struct puan_tab_fn *fn, const struct puan_tab_bands *bands,
                     bool filter, struct puan_arena *a)
{
    struct puan_cube_axis *ax;
    uint64_t n;
    uint32_t *map, used = 0;
    int64_t *val;
    uint8_t *state;

    if (fn->n != 1 || pt->uses[fn->axis[0]] != 1)
        return;
    ax = &pt->axis[fn->axis[0]];
    n = ax->item ? puan_cube_classes(ax->item) : 0;
    if (n == 0 || n > MAP_MOST || (n > 4096 && ax->item->sorted) ||
        (fn->expr == NULL && !bands && !filter))
        return;
    map = puan_new_n(a, (size_t)n, uint32_t);
    val = puan_new_n(a, (size_t)n + 1, int64_t);
    state = puan_new_n(a, (size_t)n + 1, uint8_t);
    if (map == NULL || val == NULL || state == NULL)
        return;
    for (uint64_t i = 0; i < n; i++) {
        enum puan_state st;
        int64_t v;
        uint32_t k = 0;

        puan_tab_look(&v, &st, t, pt, fn, &i);
        if (filter && !(st == PUAN_GIVEN && v)) {
            map[i] = PUAN_CUBE_OUT;
            continue;
        }
        if (st != PUAN_GIVEN)
            v = 0;
        else if (bands)
            v = puan_tab_band(bands, v);
        if (i && map[i - 1] != PUAN_CUBE_OUT && val[map[i - 1]] == v &&
            state[map[i - 1]] == st)
            k = map[i - 1];
        else
            while (k < used && (val[k] != v || state[k] != st))
                k++;
        if (k == used) {
            val[k] = v;
            state[k] = (uint8_t)st;
            used++;
            if (used > 4096)
                return; /* gains nothing */
        }
        map[i] = k;
    }
    ax->map = map;
    ax->n = used ? used : 1;
    fn->mapped = true;
    fn->val = val;
    fn->state = state;
}

/* Two cubes of the same axes and sums are one. */
static bool same_cube(const struct puan_cube_spec *s,
                      const struct puan_tab_part *pt)
{
    if (s->n_axes != pt->n_axes || s->n_sums != pt->n_sums)
        return false;
    for (size_t i = 0; i < s->n_axes; i++)
        if (s->axis[i].item != pt->axis[i].item ||
            s->axis[i].entity != pt->axis[i].entity ||
            s->axis[i].below != pt->axis[i].below ||
            s->axis[i].map != pt->axis[i].map)
            return false;
    for (size_t i = 0; i < s->n_sums; i++)
        if (s->sum[i].item != pt->sum[i].item)
            return false;
    return true;
}

static enum puan_status plan_set(struct puan_tab *t, uint16_t unit,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_cube_spec *spec;
    size_t n = 0;
    enum puan_status st;

    for (size_t i = 0; i < t->p->n_tables; i++)
        for (struct puan_tab_part *p = t->table[i].part; p; p = p->next)
            n += p->unit == unit;
    if (n == 0)
        return PUAN_OK;
    spec = puan_new_n(a, n, struct puan_cube_spec);
    if (spec == NULL)
        return puan_arena_check(a, err);
    n = 0;
    for (size_t i = 0; i < t->p->n_tables; i++)
        for (struct puan_tab_part *p = t->table[i].part; p; p = p->next) {
            if (p->unit != unit)
                continue;
            p->set = t->n_sets;
            p->cube = n;
            for (size_t k = 0; k < n; k++)
                if (same_cube(&spec[k], p))
                    p->cube = k;
            if (p->cube == n)
                spec[n++] = (struct puan_cube_spec){ unit, p->axis, p->n_axes,
                                                     p->sum, p->n_sums };
        }
    st = puan_cubes_compile(&t->set[t->n_sets], t->f, spec, n, a, err);
    t->n_sets++;
    return st;
}

enum puan_status puan_tab_plan(struct puan_tab *t, struct puan_arena *a,
                               struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    t->made = puan_new_n(a, t->n_wants, struct puan_tab_ref);
    t->set = puan_new_n(a, t->f->n_entities, struct puan_cubes *);
    if (t->made == NULL || t->set == NULL)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < t->n_wants; i++) {
        if (t->want[i].item == NULL && !t->want[i].optional &&
            t->flat_error.text[0]) {
            *err = t->flat_error;
            return err->code;
        }
        if (t->want[i].item == NULL && !t->want[i].optional)
            return puan_fail_at(err, PUAN_EINVAL, t->want[i].file,
                                t->want[i].line, 0,
                                "'%.*s' has too many combinations of values to "
                                "be looked at",
                                PUAN_FMT(t->want[i].text));
        t->made[i] =
            (struct puan_tab_ref){ t->want[i].entity, t->want[i].item, 0 };
    }
    for (size_t i = 0; st == PUAN_OK && i < t->p->n_tables; i++) {
        struct puan_tab_open *to = &t->table[i];

        for (size_t s = 0; st == PUAN_OK && s < to->table->n_show; s++)
            if (to->table->show[s].kind != PUAN_TAB_RATE)
                st = place_show(t, to, s, a, err);
        for (struct puan_tab_part *p = to->part; st == PUAN_OK && p;
             p = p->next) {
            for (size_t d = 0; d < to->table->n_by; d++)
                map_axis(t, p, &p->dim[d],
                         to->bands[d].n ? &to->bands[d] : NULL, false, a);
            if (p->has_where)
                map_axis(t, p, &p->where, NULL, true, a);
        }
    }
    for (size_t e = 0; st == PUAN_OK && e < t->f->n_entities; e++)
        st = plan_set(t, (uint16_t)e, a, err);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

size_t puan_tab_sets(const struct puan_tab *t)
{
    return t->n_sets;
}

const struct puan_cubes *puan_tab_set(const struct puan_tab *t, size_t set)
{
    return t->set[set];
}
