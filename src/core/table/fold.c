/*
 * From the cells of cubes to the cells of a table; see tabulate.h.
 *
 * The key of a cell is split in two: the classes of the last axes ("inner", at
 * most 2^16 combinations), looked at once each, and those of the axes before
 * ("outer"), which change only now and then because cells come in order.  So a
 * cell costs two look-ups and no division by axis.
 */
#include "core/table/tabulate.h"

#include "core/table/tab_in.h"

#define INNER_MOST ((uint64_t)1 << 16)
#define SPACE_MOST ((uint64_t)1 << 28) /* values between least and most */
#define MEMO_MOST ((uint64_t)1 << 20)  /* combinations kept */
#define LIST_MOST 1024u                /* codes shown even when empty */
#define HINT_MOST ((size_t)1 << 25)     /* words made ready at once */
#define STATES 3u                      /* not asked, missing, invalid */

struct look { /* value of a function */
    int64_t v;
    uint8_t state; /* 0: not looked yet; else 1 + enum puan_state */
};

struct side_fn { /* a function with what is known of it */
    const struct puan_tab_fn *fn;
    bool inner, outer; /* reads axes of that side */
    uint64_t mul[PUAN_TAB_READS], size;
    struct look *memo; /* by combination; NULL: too many */
};

struct inner_op { /* what an inner cell adds to its table's cell */
    uint32_t acc;
    uint16_t show;
    int16_t kind; /* OP_… or the index of a sum of the cube */
    int64_t v;
};
enum { OP_COUNT = -1, OP_VALUE = -2, OP_PERCENTILE = -3 };

struct outer_run { /* a stretch of cells with one outer key */
    uint64_t outer, key;
    bool ok;
};

struct fold_part {
    const struct puan_tab_part *pt;
    struct puan_cells cells;
    uint64_t inner_n;
    bool is_inner[PUAN_CUBE_AXES];
    struct side_fn dim[PUAN_TAB_DIMS], where;
    struct side_show {
        struct side_fn value, where;
        bool slow; /* not told by the inner cell alone */
    } * show;
    uint8_t *seen;         /* by inner cell: met, and not left out */
    uint64_t *key;         /* by inner cell: its share of the table's key */
    struct look *dim_look[PUAN_TAB_DIMS]; /* by inner cell */
    struct inner_op *op;
    uint32_t *op_at;
    struct outer_run *run;
    size_t n_runs, cap_runs;
    bool mixed; /* a dimension or the filter reads both sides */
};

struct fold {
    const struct puan_tab *t;
    const struct puan_tab_open *to;
    struct puan_tab_result *r;
    struct fold_part *part;
    size_t n_parts;
    struct puan_arena *a;
    int64_t lo[PUAN_TAB_DIMS], hi[PUAN_TAB_DIMS];
    uint32_t *rank[PUAN_TAB_DIMS]; /* class by value - lo, states behind */
    size_t cap, cap_values, hint; /* cells it may have */
    bool sorted; /* keys so far strictly ascending */
};

/* ---- functions of the axes of a cell ---------------------------------------
 */

static uint64_t class_of_axis(const struct fold_part *fp, size_t axis,
                              uint64_t key)
{
    return key / fp->cells.stride[axis] % fp->cells.classes[axis];
}

static void side_open(struct side_fn *s, const struct puan_tab_fn *fn,
                      const struct fold_part *fp, struct puan_arena *a)
{
    s->fn = fn;
    s->size = 1;
    for (size_t i = 0; i < fn->n; i++) {
        uint16_t k = fn->axis[i];

        if (fp->is_inner[k])
            s->inner = true;
        else
            s->outer = true;
        s->mul[i] = s->size;
        if (__builtin_mul_overflow(s->size, fp->cells.classes[k], &s->size))
            s->size = UINT64_MAX;
    }
    if (fn->expr && !fn->mapped && s->size <= MEMO_MOST)
        s->memo = puan_new_n(a, (size_t)s->size, struct look);
}

/* Value of a function for the cell with this key. */
static struct look look_at(const struct side_fn *s, const struct fold *f,
                           const struct fold_part *fp, uint64_t key)
{
    uint64_t cls[PUAN_TAB_READS] = { 0 }, at = 0;
    enum puan_state state;
    struct look l;

    for (size_t i = 0; i < s->fn->n; i++) {
        cls[i] = class_of_axis(fp, s->fn->axis[i], key);
        at += cls[i] * s->mul[i];
    }
    if (s->fn->mapped)
        return (struct look){ s->fn->val[cls[0]],
                              (uint8_t)(1 + s->fn->state[cls[0]]) };
    if (s->memo && s->memo[at].state)
        return s->memo[at];
    puan_tab_look(&l.v, &state, f->t, fp->pt, s->fn, cls);
    l.state = (uint8_t)(1 + state);
    if (s->memo)
        s->memo[at] = l;
    return l;
}

static bool holds(struct look l)
{
    return l.state == 1 + PUAN_GIVEN && l.v != 0;
}

/* Of a dimension: bands applied. */
static struct look dim_at(const struct fold *f, const struct fold_part *fp,
                          size_t d, uint64_t key)
{
    struct look l = look_at(&fp->dim[d], f, fp, key);

    if (f->to->bands[d].n && !fp->dim[d].fn->mapped &&
        l.state == 1 + PUAN_GIVEN)
        l.v = puan_tab_band(&f->to->bands[d], l.v);
    return l;
}

/* ---- first pass: which values occur ----------------------------------------
 */

static void widen(struct fold *f, size_t d, struct look l)
{
    if (l.state != 1 + PUAN_GIVEN)
        return;
    f->lo[d] = l.v < f->lo[d] ? l.v : f->lo[d];
    f->hi[d] = l.v > f->hi[d] ? l.v : f->hi[d];
}

static enum puan_status part_open(struct fold_part *fp, struct fold *f,
                                  const struct puan_tab_part *pt,
                                  struct puan_cube_worker *const *const *all,
                                  size_t n_workers, struct puan_err *err)
{
    enum puan_status st =
        puan_cubes_cells(&fp->cells, f->t->set[pt->set], pt->cube,
                         all[pt->set], n_workers, f->a, err);
    const struct puan_cells *c = &fp->cells;

    if (st != PUAN_OK)
        return st;
    fp->pt = pt;
    fp->inner_n = 1;
    for (;;) { /* axes by rising stride, as long as they fit */
        size_t next = SIZE_MAX;

        for (size_t i = 0; i < pt->n_axes; i++)
            if (!fp->is_inner[i] && c->stride[i] == fp->inner_n &&
                (next == SIZE_MAX || c->classes[i] < c->classes[next]))
                next = i;
        if (next == SIZE_MAX || c->classes[next] > INNER_MOST / fp->inner_n)
            break;
        fp->is_inner[next] = true;
        fp->inner_n *= c->classes[next];
    }
    for (size_t d = 0; d < f->to->table->n_by; d++)
        side_open(&fp->dim[d], &pt->dim[d], fp, f->a);
    if (pt->has_where)
        side_open(&fp->where, &pt->where, fp, f->a);
    fp->show = puan_new_n(f->a, pt->n_shows, struct side_show);
    if (fp->show == NULL)
        return puan_arena_check(f->a, err);
    for (size_t i = 0; i < pt->n_shows; i++) {
        struct side_show *s = &fp->show[i];

        if (pt->shows[i].has_where)
            side_open(&s->where, &pt->shows[i].where, fp, f->a);
        if (pt->shows[i].has_value && pt->shows[i].sum < 0)
            side_open(&s->value, &pt->shows[i].value, fp, f->a);
        s->slow = s->where.outer || s->value.outer;
    }
    for (size_t d = 0; d < f->to->table->n_by; d++)
        fp->mixed |= fp->dim[d].inner && fp->dim[d].outer;
    fp->mixed |= fp->where.inner && fp->where.outer;
    fp->seen = puan_new_n(f->a, (size_t)fp->inner_n, uint8_t);
    fp->key = puan_new_n(f->a, (size_t)fp->inner_n, uint64_t);
    return puan_arena_check(f->a, err);
}

/* Every inner cell met and the runs of outer keys. */
static enum puan_status part_scan(struct fold_part *fp, struct fold *f,
                                  struct puan_err *err)
{
    uint64_t begin = 0, end = 0; /* keys of the current run */

    for (size_t p = 0; p < fp->cells.n_pieces; p++) {
        const uint64_t *cell = fp->cells.piece[p].cell;

        for (size_t i = 0; i < fp->cells.piece[p].n;
             i++, cell += fp->cells.words) {
            uint64_t key = cell[0];

            if (key - begin >= end - begin) {
                begin = key - key % fp->inner_n;
                end = begin + fp->inner_n;
                if (fp->n_runs == fp->cap_runs) {
                    size_t cap = fp->cap_runs ? fp->cap_runs * 2 : 256;
                    struct outer_run *more = puan_new_n(f->a, cap, struct outer_run);

                    if (more == NULL)
                        return puan_arena_check(f->a, err);
                    if (fp->n_runs)
                        memcpy(more, fp->run, fp->n_runs * sizeof(*more));
                    fp->run = more;
                    fp->cap_runs = cap;
                }
                fp->run[fp->n_runs++].outer = begin;
            }
            fp->seen[key - begin] = 1;
        }
    }
    return PUAN_OK;
}

/* Looks at every inner cell met, and every run. */
static enum puan_status part_look(struct fold_part *fp, struct fold *f,
                                  struct puan_err *err)
{
    size_t n_by = f->to->table->n_by;

    for (uint64_t i = 0; i < fp->inner_n; i++)
        if (fp->seen[i] && fp->where.fn && !fp->where.outer &&
            !holds(look_at(&fp->where, f, fp, i)))
            fp->seen[i] = 0;
    for (size_t r = 0; r < fp->n_runs; r++)
        fp->run[r].ok = !(fp->where.fn && fp->where.outer &&
                          !fp->where.inner) ||
                        holds(look_at(&fp->where, f, fp, fp->run[r].outer));
    for (size_t d = 0; d < n_by; d++) {
        if (fp->dim[d].inner && fp->dim[d].outer)
            continue; /* by cell, below */
        if (fp->dim[d].outer) {
            for (size_t r = 0; r < fp->n_runs; r++)
                if (fp->run[r].ok)
                    widen(f, d, dim_at(f, fp, d, fp->run[r].outer));
            continue;
        }
        fp->dim_look[d] = puan_new_n(f->a, (size_t)fp->inner_n, struct look);
        if (fp->dim_look[d] == NULL)
            return puan_arena_check(f->a, err);
        for (uint64_t i = 0; i < fp->inner_n; i++)
            if (fp->seen[i]) {
                fp->dim_look[d][i] = dim_at(f, fp, d, i);
                widen(f, d, fp->dim_look[d][i]);
            }
    }
    for (size_t p = 0; fp->mixed && p < fp->cells.n_pieces; p++)
        for (size_t i = 0; i < fp->cells.piece[p].n; i++)
            for (size_t d = 0; d < n_by; d++)
                if (fp->dim[d].inner && fp->dim[d].outer)
                    widen(f, d,
                          dim_at(f, fp, d,
                                 fp->cells.piece[p]
                                     .cell[i * fp->cells.words]));
    return PUAN_OK;
}

/* ---- classes ---------------------------------------------------------------
 */

static uint64_t place_of(const struct fold *f, size_t d, struct look l)
{
    uint64_t span = f->lo[d] > f->hi[d]
                        ? 0
                        : (uint64_t)f->hi[d] - (uint64_t)f->lo[d] + 1;

    switch ((enum puan_state)(l.state - 1)) {
    case PUAN_GIVEN:
        return (uint64_t)l.v - (uint64_t)f->lo[d];
    case PUAN_NOT_ASKED:
        return span;
    case PUAN_MISSING:
        return span + 1;
    case PUAN_INVALID:
        break;
    }
    return span + 2;
}

static void band_label(struct puan_tab_class *c, const struct puan_tab_bands *b,
                       struct puan_arena *a)
{
    size_t i = (size_t)c->value;
    const char *code, *text;

    if (c->value < 0) {
        code = text = puan_arena_fmt(a, "<%lld", (long long)b->at[0]);
    } else if (i + 1 == b->n) {
        code = text = puan_arena_fmt(a, "%lld+", (long long)b->at[i]);
    } else if (b->at[i] + 1 == b->at[i + 1]) {
        code = text = puan_arena_fmt(a, "%lld", (long long)b->at[i]);
    } else {
        code = puan_arena_fmt(a, "%lld-%lld", (long long)b->at[i],
                              (long long)b->at[i + 1] - 1);
        text = puan_arena_fmt(a, "%lld\xe2\x80\x93%lld", (long long)b->at[i],
                              (long long)b->at[i + 1] - 1);
    }
    c->code = puan_str_of(code);
    c->zh = c->en = puan_str_of(text);
}

/* The kind of value a dimension has, as an item. */
static struct puan_item item_of(const struct fold *f, size_t d)
{
    struct puan_item it = { .type = PUAN_TYPE_INT };
    const struct puan_tab_expr *x = NULL;
    const struct puan_frame_item *fi = NULL;

    for (size_t e = 0; !x && e < f->t->f->n_entities; e++)
        if (f->to->unit[e].used)
            x = &f->to->unit[e].dim[d];
    if (x == NULL)
        return it;
    if (puan_tab_made(f->t, x))
        fi = puan_tab_made(f->t, x)->item;
    else if (x->ref)
        fi = x->ref->item;
    if (fi) {
        it.type = fi->type;
        it.codes = fi->codes;
        it.places = fi->places;
        it.digits = fi->digits;
        it.zh = fi->zh;
        it.en = fi->en;
        it.name = fi->name;
        if (x->ref && it.zh.n == 0 && puan_str_is(fi->name, "area")) {
            it.zh = f->t->f->entity[x->ref->entity].zh; /* of a level */
            it.en = f->t->f->entity[x->ref->entity].en;
        }
    } else if (x->expr) {
        struct puan_expr_type t;

        puan_expr_type(&t, x->expr);
        it.type = t.type;
        it.places = t.places;
        it.digits = t.digits;
        it.codes = t.codes;
    }
    if (f->to->codes[d]) {
        it.codes = f->to->codes[d];
        it.type = PUAN_TYPE_CODE;
    }
    return it;
}

static void class_label(struct puan_tab_class *c, const struct fold *f,
                        size_t d, const struct puan_item *it)
{
    static const struct {
        const char *code, *zh, *en;
    } states[] = { [PUAN_NOT_ASKED] = { "_Z", "不适用", "not applicable" },
                   [PUAN_MISSING] = { "_U", "未填报", "not stated" },
                   [PUAN_INVALID] = { "_X", "无效", "invalid" } };
    const struct puan_code *k =
        it->codes ? puan_code_by_value(it->codes, c->value) : NULL;

    if (c->state != PUAN_GIVEN) {
        c->code = puan_str_of(states[c->state].code);
        c->zh = puan_str_of(states[c->state].zh);
        c->en = puan_str_of(states[c->state].en);
        return;
    }
    if (k) {
        c->code = k->text;
        c->zh = k->zh.n ? k->zh : k->text;
        c->en = k->en.n ? k->en : k->text;
        return;
    }
    if (f->to->bands[d].n) {
        band_label(c, &f->to->bands[d], f->a);
        return;
    }
    if (it->type == PUAN_TYPE_CODE || it->type == PUAN_TYPE_FACT)
        c->code =
            puan_str_of(puan_arena_fmt(f->a, "%lld", (long long)c->value));
    else
        c->code = puan_str_of(puan_item_text(it, c->value, f->a));
    c->zh = c->en = c->code;
}

static void mark(struct fold *f, size_t d, struct look l)
{
    f->rank[d][place_of(f, d, l)] = 1;
}

static enum puan_status classes(struct fold *f, struct puan_err *err)
{
    struct puan_tab_result *r = f->r;
    uint64_t cells = 1;

    for (size_t d = 0; d < r->n_dims; d++) {
        struct puan_item it = item_of(f, d);
        struct puan_tab_dim *dim = &r->dim[d];
        const struct puan_tab_by *by = &f->to->table->by[d];
        struct puan_tab_class *cls;
        uint64_t span;

        if (it.codes && it.codes->n && it.codes->n <= LIST_MOST) {
            widen(f, d, (struct look){ it.codes->codes[0].value,
                                       1 + PUAN_GIVEN });
            widen(f, d, (struct look){
                            it.codes->codes[it.codes->n - 1].value,
                            1 + PUAN_GIVEN });
        }
        span = f->lo[d] > f->hi[d] ? 0 : (uint64_t)f->hi[d] -
                                             (uint64_t)f->lo[d] + 1;
        if (span > SPACE_MOST || (f->lo[d] <= f->hi[d] && span == 0))
            return puan_fail_at(err, PUAN_ELIMIT, by->file, by->line, 0,
                                "'%.*s' has too many values for a dimension; "
                                "use bands(…) or a coarser expression",
                                PUAN_FMT(by->text));
        f->rank[d] = puan_new_n(f->a, (size_t)span + STATES, uint32_t);
        if (f->rank[d] == NULL)
            return puan_arena_check(f->a, err);
        if (it.codes && it.codes->n <= LIST_MOST)
            for (size_t i = 0; i < it.codes->n; i++)
                mark(f, d, (struct look){ it.codes->codes[i].value,
                                          1 + PUAN_GIVEN });
        for (size_t p = 0; p < f->n_parts; p++) {
            struct fold_part *fp = &f->part[p];

            if (fp->dim_look[d]) {
                for (uint64_t i = 0; i < fp->inner_n; i++)
                    if (fp->seen[i])
                        mark(f, d, fp->dim_look[d][i]);
            } else if (fp->dim[d].inner) { /* both sides */
                for (size_t q = 0; q < fp->cells.n_pieces; q++)
                    for (size_t i = 0; i < fp->cells.piece[q].n; i++)
                        mark(f, d,
                             dim_at(f, fp, d,
                                    fp->cells.piece[q]
                                        .cell[i * fp->cells.words]));
            } else {
                for (size_t i = 0; i < fp->n_runs; i++)
                    if (fp->run[i].ok)
                        mark(f, d, dim_at(f, fp, d, fp->run[i].outer));
            }
        }
        for (uint64_t i = 0; i < span + STATES; i++)
            dim->n += f->rank[d][i];
        cls = puan_new_n(f->a, dim->n, struct puan_tab_class);
        if (cls == NULL)
            return puan_arena_check(f->a, err);
        for (uint64_t i = 0, k = 0; i < span + STATES; i++) {
            if (f->rank[d][i] == 0)
                continue;
            f->rank[d][i] = (uint32_t)k;
            cls[k].state = i < span         ? PUAN_GIVEN
                           : i == span      ? PUAN_NOT_ASKED
                           : i == span + 1  ? PUAN_MISSING
                                            : PUAN_INVALID;
            cls[k].value =
                i < span ? (int64_t)((uint64_t)f->lo[d] + i) : 0;
            k++;
        }
        dim->class_ = cls;
        dim->name = by->name.n ? by->name : by->text;
        dim->zh = f->to->zh[d].n ? f->to->zh[d] : it.zh.n ? it.zh : dim->name;
        dim->en = f->to->en[d].n ? f->to->en[d] : it.en.n ? it.en : dim->name;
        for (size_t i = 0; i < dim->n; i++)
            class_label(&cls[i], f, d, &it);
    }
    for (size_t d = r->n_dims; d-- > 0;) {
        r->stride[d] = cells;
        if (__builtin_mul_overflow(cells, r->dim[d].n ? r->dim[d].n : 1,
                                   &cells) ||
            cells > INT64_MAX)
            return puan_fail(err, PUAN_ELIMIT, "table",
                             "the table has too many possible cells");
    }
    return puan_arena_check(f->a, err);
}

static uint64_t share(const struct fold *f, size_t d, struct look l)
{
    return f->rank[d][place_of(f, d, l)] * f->r->stride[d];
}

/* ---- second pass -----------------------------------------------------------
 */

static void op_put(struct fold_part *fp, const struct fold *f, uint32_t *n,
                   size_t i, uint64_t ix, bool store)
{
    const struct puan_tab_show_part *sp = &fp->pt->shows[i];
    const struct puan_tab_show *s = &f->to->table->show[sp->show];
    struct inner_op op = { .show = (uint16_t)sp->show,
                     .acc = (uint32_t)f->r->at[sp->show] };

    if (sp->has_where && !holds(look_at(&fp->show[i].where, f, fp, ix)))
        return;
    if (s->kind == PUAN_TAB_COUNT) {
        op.kind = OP_COUNT;
    } else if (sp->sum >= 0) {
        op.kind = (int16_t)sp->sum;
    } else {
        struct look l = look_at(&fp->show[i].value, f, fp, ix);

        if (l.state != 1 + PUAN_GIVEN)
            return;
        op.v = l.v;
        op.kind = s->kind == PUAN_TAB_PERCENTILE ? OP_PERCENTILE : OP_VALUE;
    }
    if (store)
        fp->op[*n] = op;
    ++*n;
}

static enum puan_status inner_keys(struct fold_part *fp, struct fold *f,
                                   struct puan_err *err)
{
    fp->op_at = puan_new_n(f->a, (size_t)fp->inner_n + 1, uint32_t);
    if (fp->op_at == NULL)
        return puan_arena_check(f->a, err);
    for (uint64_t i = 0; i < fp->inner_n; i++)
        for (size_t d = 0; fp->seen[i] && d < f->r->n_dims; d++)
            if (fp->dim_look[d])
                fp->key[i] += share(f, d, fp->dim_look[d][i]);
    for (size_t r = 0; r < fp->n_runs; r++)
        for (size_t d = 0; fp->run[r].ok && d < f->r->n_dims; d++)
            if (fp->dim[d].outer && !fp->dim[d].inner)
                fp->run[r].key +=
                    share(f, d, dim_at(f, fp, d, fp->run[r].outer));
    for (int store = 0; store < 2; store++) {
        uint32_t n = 0;

        for (uint64_t ix = 0; ix < fp->inner_n; ix++) {
            fp->op_at[ix] = n;
            for (size_t i = 0; fp->seen[ix] && i < fp->pt->n_shows; i++)
                if (!fp->show[i].slow)
                    op_put(fp, f, &n, i, ix, store);
        }
        fp->op_at[fp->inner_n] = n;
        if (!store) {
            fp->op = puan_new_n(f->a, n, struct inner_op);
            if (fp->op == NULL)
                return puan_arena_check(f->a, err);
        }
    }
    return PUAN_OK;
}

/* Room for one more cell of the table. */
static bool grow(struct fold *f)
{
    struct puan_tab_result *r = f->r;
    size_t cap = f->cap ? f->cap * 2 : f->hint > 4096 ? f->hint : 4096;
    uint64_t *key = puan_new_n(f->a, cap, uint64_t);
    int64_t *acc = puan_arena_get_n(f->a, cap * r->n_acc, sizeof(*acc));

    if (key == NULL || acc == NULL)
        return false;
    if (r->n) {
        memcpy(key, r->key, (size_t)r->n * sizeof(*key));
        memcpy(acc, r->acc, (size_t)r->n * r->n_acc * sizeof(*acc));
    }
    r->key = key;
    r->acc = acc;
    f->cap = cap;
    return true;
}

static int64_t *cell_at(struct fold *f, uint64_t key)
{
    struct puan_tab_result *r = f->r;

    if (r->n && r->key[r->n - 1] == key)
        return r->acc + (r->n - 1) * r->n_acc;
    if (r->n == f->cap && !grow(f))
        return NULL;
    if (r->n && r->key[r->n - 1] > key)
        f->sorted = false;
    r->key[r->n] = key;
    return r->acc + r->n++ * r->n_acc;
}

static bool value_put(struct fold *f, uint64_t key, uint32_t show, int64_t v,
                      int64_t n)
{
    struct puan_tab_result *r = f->r;

    if (r->n_values == f->cap_values) {
        size_t cap = f->cap_values ? f->cap_values * 2 : 4096;
        struct puan_tab_value *more =
            puan_new_n(f->a, cap, struct puan_tab_value);

        if (more == NULL)
            return false;
        if (r->n_values)
            memcpy(more, r->value, r->n_values * sizeof(*more));
        r->value = more;
        f->cap_values = cap;
    }
    r->value[r->n_values++] = (struct puan_tab_value){ key, show, v, n };
    return true;
}

/* n times v added to a sum that must fit. */
static bool add_times(int64_t *sum, int64_t v, uint64_t n)
{
    int64_t x;

    return !__builtin_mul_overflow(v, (int64_t)n, &x) &&
           !__builtin_add_overflow(*sum, x, sum);
}

static enum puan_status add_op(struct fold *f, const struct inner_op *op,
                               int64_t *acc, uint64_t key, const uint64_t *cell,
                               struct puan_err *err)
{
    bool fine = true;

    switch (op->kind) {
    case OP_COUNT:
        acc[op->acc] += (int64_t)cell[1];
        break;
    case OP_VALUE:
        acc[op->acc] += (int64_t)cell[1];
        fine = add_times(&acc[op->acc + 1], op->v, cell[1]);
        break;
    case OP_PERCENTILE:
        if (!value_put(f, key, op->show, op->v, (int64_t)cell[1]))
            return puan_arena_check(f->a, err);
        break;
    default:
        acc[op->acc] += (int64_t)cell[2 + 2 * op->kind];
        fine = !__builtin_add_overflow(acc[op->acc + 1],
                                       (int64_t)cell[3 + 2 * op->kind],
                                       &acc[op->acc + 1]);
        break;
    }
    return fine ? PUAN_OK
                : puan_fail(err, PUAN_ELIMIT, "table",
                            "a sum does not fit 64 bits");
}

/* Measures that read both sides, or the outer one. */
static enum puan_status add_slow(struct fold *f, struct fold_part *fp,
                                 int64_t *acc, uint64_t key,
                                 const uint64_t *cell, struct puan_err *err)
{
    struct inner_op op;
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; st == PUAN_OK && i < fp->pt->n_shows; i++) {
        uint32_t n = 0;
        struct inner_op *keep = fp->op;

        if (!fp->show[i].slow)
            continue;
        fp->op = &op;
        op_put(fp, f, &n, i, cell[0], true);
        fp->op = keep;
        if (n)
            st = add_op(f, &op, acc, key, cell, err);
    }
    return st;
}

static enum puan_status part_add(struct fold_part *fp, struct fold *f,
                                 struct puan_err *err)
{
    const struct outer_run *run = NULL;
    uint64_t begin = 0, end = 0;
    size_t next = 0;
    bool slow = false;
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; i < fp->pt->n_shows; i++)
        slow |= fp->show[i].slow;
    for (size_t p = 0; p < fp->cells.n_pieces; p++) {
        const uint64_t *cell = fp->cells.piece[p].cell;

        for (size_t i = 0; st == PUAN_OK && i < fp->cells.piece[p].n;
             i++, cell += fp->cells.words) {
            uint64_t key = cell[0], ix;
            int64_t *acc;

            if (key - begin >= end - begin) {
                run = &fp->run[next++];
                begin = run->outer;
                end = begin + fp->inner_n;
            }
            ix = key - begin;
            if (!fp->seen[ix] || !run->ok)
                continue;
            key = run->key + fp->key[ix];
            if (fp->mixed) {
                if (fp->where.inner && fp->where.outer &&
                    !holds(look_at(&fp->where, f, fp, cell[0])))
                    continue;
                for (size_t d = 0; d < f->r->n_dims; d++)
                    if (fp->dim[d].inner && fp->dim[d].outer)
                        key += share(f, d, dim_at(f, fp, d, cell[0]));
            }
            acc = cell_at(f, key);
            if (acc == NULL)
                return puan_arena_check(f->a, err);
            for (uint32_t o = fp->op_at[ix];
                 st == PUAN_OK && o < fp->op_at[ix + 1]; o++)
                st = add_op(f, &fp->op[o], acc, key, cell, err);
            if (slow && st == PUAN_OK)
                st = add_slow(f, fp, acc, key, cell, err);
        }
    }
    return st;
}

/* ---- order -----------------------------------------------------------------
 */

struct key_pair {
    uint64_t key, at;
};

static struct key_pair *radix_pairs(struct key_pair *p, struct key_pair *spare, size_t n)
{
    uint64_t differ = 0;

    for (size_t i = 1; i < n; i++)
        differ |= p[i].key ^ p[0].key;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t at[257] = { 0 };
        struct key_pair *swap = p;

        if ((differ >> shift & 255) == 0)
            continue;
        for (size_t i = 0; i < n; i++)
            at[(p[i].key >> shift & 255) + 1]++;
        for (size_t b = 1; b < 257; b++)
            at[b] += at[b - 1];
        for (size_t i = 0; i < n; i++)
            spare[at[p[i].key >> shift & 255]++] = p[i];
        p = spare;
        spare = swap;
    }
    return p;
}

/* Cells ascending by key, equal keys added up. */
static enum puan_status put_in_order(struct puan_tab_result *r,
                                     struct puan_arena *a, struct puan_err *err)
{
    struct key_pair *p = puan_new_n(a, 2 * (size_t)r->n, struct key_pair), *q;
    uint64_t *key = puan_new_n(a, (size_t)r->n, uint64_t), n = 0;
    int64_t *acc = puan_arena_get_n(a, (size_t)r->n * r->n_acc, sizeof(*acc));

    if (p == NULL || key == NULL || acc == NULL)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < r->n; i++)
        p[i] = (struct key_pair){ r->key[i], i };
    q = radix_pairs(p, p + r->n, (size_t)r->n);
    for (size_t i = 0; i < r->n; i++) {
        const int64_t *from = r->acc + q[i].at * r->n_acc;
        int64_t *to;

        if (n == 0 || key[n - 1] != q[i].key)
            key[n++] = q[i].key;
        to = acc + (n - 1) * r->n_acc;
        for (size_t k = 0; k < r->n_acc; k++)
            if (__builtin_add_overflow(to[k], from[k], &to[k]))
                return puan_fail(err, PUAN_ELIMIT, "table",
                                 "a sum does not fit 64 bits");
    }
    r->key = key;
    r->acc = acc;
    r->n = n;
    return PUAN_OK;
}

static bool before(const struct puan_tab_value *a,
                   const struct puan_tab_value *b)
{
    if (a->key != b->key)
        return a->key < b->key;
    if (a->show != b->show)
        return a->show < b->show;
    return a->value < b->value;
}

/* Values ascending within cell and measure, equal ones added up. */
static enum puan_status values_in_order(struct puan_tab_result *r,
                                        struct puan_arena *a,
                                        struct puan_err *err)
{
    size_t n = r->n_values, m = 0;
    struct puan_tab_value *from = r->value,
                          *to = puan_new_n(a, n, struct puan_tab_value);

    if (to == NULL)
        return puan_arena_check(a, err);
    for (size_t w = 1; w < n; w *= 2) { /* merge sort */
        for (size_t lo = 0; lo < n; lo += 2 * w) {
            size_t i = lo, mid = lo + w < n ? lo + w : n, j = mid,
                   hi = lo + 2 * w < n ? lo + 2 * w : n;

            for (size_t k = lo; k < hi; k++)
                to[k] = i < mid && (j == hi || !before(&from[j], &from[i]))
                            ? from[i++]
                            : from[j++];
        }
        {
            struct puan_tab_value *swap = from;

            from = to;
            to = swap;
        }
    }
    for (size_t i = 0; i < n; i++)
        if (m && !before(&from[m - 1], &from[i]))
            from[m - 1].n += from[i].n;
        else
            from[m++] = from[i];
    r->value = from;
    r->n_values = m;
    return PUAN_OK;
}

/* ---- the whole -------------------------------------------------------------
 */

static unsigned places_of(const struct fold *f, const struct puan_tab_expr *x)
{
    const struct puan_frame_item *fi =
        puan_tab_made(f->t, x) ? puan_tab_made(f->t, x)->item
        : x->ref             ? x->ref->item
                             : NULL;
    struct puan_expr_type t;

    if (fi)
        return fi->type == PUAN_TYPE_FIXED ? fi->places : 0;
    if (x->expr == NULL)
        return 0;
    puan_expr_type(&t, x->expr);
    return t.type == PUAN_TYPE_FIXED ? t.places : 0;
}

static enum puan_status begin(struct fold *f, size_t table,
                              struct puan_err *err)
{
    struct puan_tab_result *r = f->r;
    const struct puan_tab_table *tb;

    f->to = &f->t->table[table];
    tb = f->to->table;
    *r = (struct puan_tab_result){ .table = tb, .n_dims = tb->n_by };
    f->sorted = true;
    r->at = puan_new_n(f->a, tb->n_show, size_t);
    r->places = puan_new_n(f->a, tb->n_show, unsigned);
    if (r->at == NULL || r->places == NULL)
        return puan_arena_check(f->a, err);
    for (size_t i = 0; i < tb->n_show; i++) {
        r->at[i] = r->n_acc;
        if (tb->show[i].kind == PUAN_TAB_COUNT)
            r->n_acc++;
        else if (tb->show[i].kind != PUAN_TAB_RATE)
            r->n_acc += tb->show[i].kind == PUAN_TAB_PERCENTILE ? 0 : 2;
        if (f->to->show[i].has_value)
            r->places[i] = places_of(f, &f->to->show[i].value);
    }
    for (size_t d = 0; d < tb->n_by; d++) {
        f->lo[d] = INT64_MAX;
        f->hi[d] = INT64_MIN;
    }
    for (const struct puan_tab_part *p = f->to->part; p; p = p->next)
        f->n_parts++;
    f->part = puan_new_n(f->a, f->n_parts, struct fold_part);
    return puan_arena_check(f->a, err);
}

enum puan_status puan_tab_fold(struct puan_tab_result *out,
                               const struct puan_tab *t, size_t table,
                               struct puan_cube_worker *const *const *all,
                               size_t n_workers, struct puan_arena *a,
                               struct puan_err *err)
{
    struct fold f = { .t = t, .r = out, .a = a };
    enum puan_status st = begin(&f, table, err);
    size_t i = 0;

    if (st != PUAN_OK || f.part == NULL)
        return st;
    for (const struct puan_tab_part *p = f.to->part; st == PUAN_OK && p;
         p = p->next, i++) {
        st = part_open(&f.part[i], &f, p, all, n_workers, err);
        if (st == PUAN_OK)
            st = part_scan(&f.part[i], &f, err);
        if (st == PUAN_OK)
            st = part_look(&f.part[i], &f, err);
        f.hint += (size_t)f.part[i].cells.n;
    }
    if (f.hint > HINT_MOST / (out->n_acc + 1))
        f.hint = HINT_MOST / (out->n_acc + 1);
    if (st == PUAN_OK)
        st = classes(&f, err);
    for (i = 0; st == PUAN_OK && i < f.n_parts; i++) {
        st = inner_keys(&f.part[i], &f, err);
        if (st == PUAN_OK)
            st = part_add(&f.part[i], &f, err);
    }
    if (st == PUAN_OK && !f.sorted)
        st = put_in_order(out, a, err);
    if (st == PUAN_OK && out->n_values)
        st = values_in_order(out, a, err);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

bool puan_tab_check(struct puan_tab_check *out, const struct puan_tab *t,
                    size_t table, struct puan_cube_worker *const *const *all,
                    size_t n_workers, struct puan_arena *a)
{
    const struct puan_tab_open *to = &t->table[table];
    const struct puan_tab_part *pt = to->part;
    struct puan_cells cells;
    unsigned bound[PUAN_CUBE_AXES] = { 0 };

    if (pt == NULL || pt->next || pt->n_sums || to->table->n_show != 1 ||
        to->table->show[0].kind != PUAN_TAB_COUNT || to->show[0].has_where)
        return false;
    for (size_t d = 0; d < to->table->n_by; d++) {
        const struct puan_tab_fn *fn = &pt->dim[d];

        /* classes and cells must be the same: an item, or renamed classes */
        if (fn->n != 1 || (!fn->mapped && (fn->expr || to->bands[d].n)) ||
            (fn->expr == NULL && pt->axis[fn->axis[0]].item &&
             pt->axis[fn->axis[0]].item->n_states > 1))
            return false;
        bound[fn->axis[0]]++;
    }
    if (pt->has_where) {
        if (!pt->where.mapped)
            return false;
        bound[pt->where.axis[0]]++;
    }
    for (size_t i = 0; i < pt->n_axes; i++)
        if (bound[i] != 1)
            return false;
    if (puan_cubes_cells(&cells, t->set[pt->set], pt->cube, all[pt->set],
                         n_workers, a, NULL) != PUAN_OK)
        return false;
    *out = (struct puan_tab_check){ .cells = cells.n };
    for (size_t p = 0; p < cells.n_pieces; p++)
        for (size_t i = 0; i < cells.piece[p].n; i++) {
            uint64_t n = cells.piece[p].cell[i * cells.words + 1];

            out->rows += n;
            out->squares += n * n;
        }
    return true;
}

void puan_tab_check_of(struct puan_tab_check *out,
                       const struct puan_tab_result *r)
{
    *out = (struct puan_tab_check){ 0 };
    for (uint64_t i = 0; i < r->n; i++) {
        int64_t v;
        unsigned places;

        if (!puan_tab_cell(&v, &places, r, i, 0))
            continue;
        if (r->table->show[0].kind == PUAN_TAB_COUNT && v == 0)
            continue; /* no rows here: no cell */
        out->cells++;
        out->rows += (uint64_t)v;
        out->squares += (uint64_t)v * (uint64_t)v;
    }
}

/* ---- margins ---------------------------------------------------------------
 */

enum puan_status puan_tab_margin(struct puan_tab_result *out,
                                 const struct puan_tab_result *r, uint64_t keep,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct fold f = { .r = out, .a = a, .sorted = true };
    enum puan_status st = PUAN_OK;
    uint64_t cells = 1, left[PUAN_TAB_DIMS], n[PUAN_TAB_DIMS];
    size_t k = 0;

    *out = *r;
    out->n = out->n_values = 0;
    out->key = NULL;
    out->acc = NULL;
    out->value = NULL;
    out->n_dims = 0;
    for (size_t d = 0; d < r->n_dims; d++)
        if (keep >> d & 1) {
            out->dim[out->n_dims] = r->dim[d];
            n[out->n_dims] = r->dim[d].n ? r->dim[d].n : 1;
            left[out->n_dims++] = r->stride[d];
        }
    for (size_t d = out->n_dims; d-- > 0;) {
        out->stride[d] = cells;
        cells *= n[d];
    }
    for (uint64_t i = 0; i < r->n; i++) {
        uint64_t key = 0;
        int64_t *acc;

        for (size_t d = 0; d < out->n_dims; d++)
            key += r->key[i] / left[d] % n[d] * out->stride[d];
        acc = cell_at(&f, key);
        if (acc == NULL)
            return puan_arena_check(a, err);
        for (k = 0; k < r->n_acc; k++)
            if (__builtin_add_overflow(acc[k], r->acc[i * r->n_acc + k],
                                       &acc[k]))
                return puan_fail(err, PUAN_ELIMIT, "table",
                                 "a sum does not fit 64 bits");
    }
    for (size_t i = 0; i < r->n_values; i++) {
        uint64_t key = 0;

        for (size_t d = 0; d < out->n_dims; d++)
            key += r->value[i].key / left[d] % n[d] * out->stride[d];
        if (!value_put(&f, key, r->value[i].show, r->value[i].value,
                       r->value[i].n))
            return puan_arena_check(a, err);
    }
    if (!f.sorted)
        st = put_in_order(out, a, err);
    if (st == PUAN_OK && out->n_values)
        st = values_in_order(out, a, err);
    return st;
}

/* ---- one measure of one cell -----------------------------------------------
 */

static const int64_t tens[] = { 1,         10,         100,      1000,
                                10000,     100000,     1000000,  10000000,
                                100000000, 1000000000 };

/* x / y with so many decimals, half away from zero. */
static bool divide(int64_t *out, int64_t x, int64_t y, unsigned more)
{
    bool minus = (x < 0) != (y < 0);
    uint64_t a = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
    uint64_t b = y < 0 ? 0 - (uint64_t)y : (uint64_t)y;
    uint64_t q, rest;

    if (b == 0)
        return false;
    q = a / b;
    rest = a % b;
    for (; more; more--) { /* long division: no product beyond 64 bits */
        uint64_t left = 0, digit = 0;

        for (unsigned k = 0; k < 10; k++) /* ten times the rest, modulo b */
            if (left >= b - rest) {
                left -= b - rest;
                digit++;
            } else {
                left += rest;
            }
        rest = left;
        if (__builtin_mul_overflow(q, 10u, &q) ||
            __builtin_add_overflow(q, digit, &q))
            return false;
    }
    if (rest >= b - rest)
        q++;
    if (q > INT64_MAX)
        return false;
    *out = minus ? -(int64_t)q : (int64_t)q;
    return true;
}

/* The value at percent_tenths / 1000 of all, times two (see the header). */
static bool percentile(int64_t *twice, const struct puan_tab_result *r,
                       uint64_t key, size_t show)
{
    unsigned p = r->table->show[show].percent_tenths;
    struct puan_tab_value find = { key, (uint32_t)show, INT64_MIN, 0 };
    size_t lo = 0, hi = r->n_values, i;
    int64_t all = 0, seen = 0, k, a = 0;
    bool whole, have = false;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (before(&r->value[mid], &find))
            lo = mid + 1;
        else
            hi = mid;
    }
    for (i = lo; i < r->n_values && r->value[i].key == key &&
                 r->value[i].show == show;
         i++)
        all += r->value[i].n;
    if (all == 0)
        return false;
    /* k = n p, in whole and rest; thousandths without overflow */
    k = all / 1000 * p + all % 1000 * p / 1000;
    whole = all % 1000 * p % 1000 == 0;
    for (i = lo;; i++) {
        seen += r->value[i].n;
        if (have) {
            *twice = a + r->value[i].value;
            return true;
        }
        if (whole && seen == k && k < all && k > 0) {
            a = r->value[i].value;
            have = true;
        } else if (seen > k || seen == all) {
            *twice = 2 * r->value[i].value;
            return true;
        }
    }
}

static int64_t plain(const struct puan_tab_result *r, uint64_t cell, size_t s,
                     unsigned *places)
{
    const int64_t *acc = r->acc + cell * r->n_acc + r->at[s];

    *places = r->table->show[s].kind == PUAN_TAB_SUM ? r->places[s] : 0;
    return r->table->show[s].kind == PUAN_TAB_SUM ? acc[1] : acc[0];
}

bool puan_tab_cell(int64_t *value, unsigned *places,
                   const struct puan_tab_result *r, uint64_t cell, size_t show)
{
    const struct puan_tab_show *s = &r->table->show[show];
    const int64_t *acc = r->acc + cell * r->n_acc + r->at[show];
    unsigned pa, pb, more;
    int64_t x, y;

    switch (s->kind) {
    case PUAN_TAB_COUNT:
    case PUAN_TAB_SUM:
        *value = plain(r, cell, show, places);
        return true;
    case PUAN_TAB_MEAN:
        *places = s->places;
        if (s->places >= r->places[show])
            return divide(value, acc[1], acc[0], s->places - r->places[show]);
        return !__builtin_mul_overflow(
                   acc[0], tens[r->places[show] - s->places], &y) &&
               divide(value, acc[1], y, 0);
    case PUAN_TAB_PERCENTILE:
        *places = s->places;
        if (!percentile(&x, r, r->key[cell], show))
            return false;
        if (s->places >= r->places[show])
            return divide(value, x, 2, s->places - r->places[show]);
        return divide(value, x, 2 * tens[r->places[show] - s->places], 0);
    case PUAN_TAB_RATE:
        break;
    }
    /* sums and counts, or means: both sides brought to one number of places */
    *places = s->places;
    x = plain(r, cell, s->over, &pa);
    y = plain(r, cell, s->under, &pb);
    if (__builtin_mul_overflow(x, s->times, &x))
        return false;
    more = s->places + pb;
    if (more >= pa)
        return divide(value, x, y, more - pa);
    return !__builtin_mul_overflow(y, tens[pa - more], &y) &&
           divide(value, x, y, 0);
}
