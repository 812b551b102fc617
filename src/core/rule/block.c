/*
 * The column executor: many records at once, an instruction at a time over all
 * lanes.  A lane is a row of the rule's level; inside a quantifier it is a row
 * of the roster as seen from such a row.  What each instruction means is in
 * ops.h, shared with the record executor, so both give the same findings.
 *
 * Records are taken in blocks whose columns fit the second-level cache.
 */
#include "core/rule/rule.h"

#include "base/arena.h"
#include "core/rule/ops.h"

#define BLOCK_ROWS 512   /* rows of all entities in one block, or one record */
#define INNER_LANES 2048 /* lanes of a quantifier done together */

struct col {
    int64_t *v;
    uint8_t *s; /* enum puan_know */
    bool loaded;
};

struct lanes { /* the rows of one entity in the block, record after record */
    uint32_t n, cap;
    uint32_t *rec, *row; /* per lane */
    uint32_t *start;     /* per record, and one more: its first lane */
    const int64_t **v;   /* per lane: items of its row */
    const uint8_t **st;
    const struct puan_str **txt;
    struct col *item; /* loaded when first read */
};

/* A set of lanes to compute over, and where each source finds its rows. */
struct frame {
    uint32_t n, cap;
    uint16_t entity[3];
    const uint32_t *at[3]; /* lane of the entity; NULL: the same number */
    struct col reg[PUAN_RULE_REGS];
};

struct block {
    const struct puan_program *p;
    const struct puan_ruleset *rs;
    const struct puan_record *const *r; /* of this block */
    uint32_t n;
    struct lanes lanes[PUAN_FORM_ENTITIES];
    struct col *column;
    struct frame level, chosen, inner;
    uint32_t *sel_own, *sel_house;                 /* maps of `chosen` */
    uint32_t *in_own, *in_house, *in_row, *in_end; /* maps of `inner` */
    struct puan_arena *a;
    bool failed;
};

static void col_room(struct block *b, struct col *c, uint32_t n)
{
    if (c->v)
        return;
    c->v = puan_new_n(b->a, n, int64_t);
    c->s = puan_new_n(b->a, n, uint8_t);
    if (!c->v || !c->s)
        b->failed = true;
}

static struct col *reg(struct block *b, struct frame *f, unsigned d)
{
    struct col *c = &f->reg[d];

    col_room(b, c, f->cap);
    return c;
}

/* An item as a column over the rows of its entity. */
static struct col *item_col(struct block *b, uint16_t e, uint16_t item)
{
    struct lanes *l = &b->lanes[e];
    struct col *c = &l->item[item];

    if (c->loaded)
        return c;
    col_room(b, c, l->cap);
    if (b->failed)
        return c;
    for (uint32_t i = 0; i < l->n; i++) {
        c->v[i] = l->v[i][item];
        c->s[i] = know_of(l->st[i][item]);
    }
    c->loaded = true;
    return c;
}

/* `outer` as in the instruction: only lanes of a quantifier have it. */
static void gather(struct col *to, const struct col *from, const uint32_t *at,
                   uint32_t n, uint8_t outer)
{
    if (!at) {
        memcpy(to->v, from->v, n * sizeof(to->v[0]));
        memcpy(to->s, from->s, n);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        to->v[i] = from->v[at[i]];
        to->s[i] = seen_from(from->s[at[i]], outer);
    }
}

static uint32_t lane_of(const struct frame *f, unsigned src, uint32_t i)
{
    return f->at[src] ? f->at[src][i] : i;
}

/* The item to compare: its own column where lanes agree, else gathered. */
static const struct col *operand(struct block *b, struct frame *f,
                                 const struct puan_ins *i, struct col *d)
{
    struct col *c = item_col(b, f->entity[i->src], i->x);

    if (!f->at[i->src] || b->failed)
        return c;
    gather(d, c, f->at[i->src], f->n, i->outer);
    return d;
}

#define EACH(n) for (uint32_t l = 0; l < (n); l++)

static void compare_k(struct col *d, const struct col *c, int64_t k,
                      unsigned cmp, uint32_t n)
{
    const int64_t *v = c->v;
    int64_t *to = d->v;

    switch (cmp) {
    case PUAN_CMP_EQ:
        EACH(n) to[l] = v[l] == k;
        break;
    case PUAN_CMP_NE:
        EACH(n) to[l] = v[l] != k;
        break;
    case PUAN_CMP_LT:
        EACH(n) to[l] = v[l] < k;
        break;
    case PUAN_CMP_LE:
        EACH(n) to[l] = v[l] <= k;
        break;
    case PUAN_CMP_GT:
        EACH(n) to[l] = v[l] > k;
        break;
    default:
        EACH(n) to[l] = v[l] >= k;
        break;
    }
    if (d != c)
        memcpy(d->s, c->s, n);
}

static void mask_k(struct col *d, const struct col *c, int64_t mask, bool neg,
                   uint32_t n)
{
    EACH(n) d->v[l] = in_mask(c->v[l], mask) != neg;
    if (d != c)
        memcpy(d->s, c->s, n);
}

#define GET(c, l) ((val){ (c)->v[l], (c)->s[l] })
#define PUT(c, l, x)                                                           \
    do {                                                                       \
        val put_ = (x);                                                        \
        (c)->v[l] = put_.v;                                                    \
        (c)->s[l] = put_.s;                                                    \
    } while (0)

static void states(struct block *b, struct frame *f, const struct puan_ins *i,
                   struct col *d)
{
    const struct col *c = operand(b, f, i, d);

    if (b->failed)
        return;
    if (i->op == PUAN_OP_STATE)
        EACH(f->n) d->v[l] = i->k >> state_of(c->s[l]) & 1;
    else
        EACH(f->n) d->v[l] = c->s[l] == PUAN_UN_MISSING ? c->v[l] : -1;
    memset(d->s, PUAN_KNOWN, f->n);
}

static void same(struct block *b, struct frame *f, const struct puan_ins *i,
                 struct col *d)
{
    const struct lanes *la = &b->lanes[f->entity[i->src]];
    const struct lanes *lb = &b->lanes[f->entity[i->k]];
    static const struct puan_str none = { NULL, 0 };

    EACH(f->n)
    {
        uint32_t x = lane_of(f, i->src, l), y = lane_of(f, (unsigned)i->k, l);

        PUT(d, l,
            op_same(seen_from(know_of(la->st[x][i->x]), i->outer & 1),
                    la->txt[x] ? la->txt[x][i->x] : none,
                    seen_from(know_of(lb->st[y][i->y]), i->outer >> 1),
                    lb->txt[y] ? lb->txt[y][i->y] : none,
                    i->op == PUAN_OP_SAME_ID));
    }
}

/* d holds a line of entity y; the household's lane is the record's number. */
static void at_line(struct block *b, struct frame *f, const struct puan_ins *i,
                    struct col *d)
{
    const struct lanes *la = &b->lanes[i->y];
    const struct col *c =
        i->op == PUAN_OP_AT_ITEM ? item_col(b, i->y, i->x) : &b->column[i->x];

    if (b->failed)
        return;
    EACH(f->n)
    {
        uint32_t rec = lane_of(f, PUAN_SRC_HOUSE, l);
        uint32_t first = la->start[rec], n = la->start[rec + 1] - first;
        int64_t line = d->v[l];

        if (d->s[l] != PUAN_KNOWN)
            continue;
        if (line < 1 || line > (int64_t)n)
            d->s[l] = PUAN_UN_ASKED;
        else
            PUT(d, l, GET(c, first + (uint32_t)line - 1));
    }
}

static void look_up(struct block *b, struct frame *f, const struct puan_ins *i)
{
    EACH(f->n)
    {
        val key[PUAN_LOOKUP_KEYS];

        for (unsigned k = 0; k < i->y; k++)
            key[k] = GET(&f->reg[i->d + k], l);
        PUT(&f->reg[i->d], l,
            op_lookup(b->p->table[i->x], key, i->y, i->k));
    }
}

static void run(struct block *b, struct frame *f, const struct puan_ins *i,
                size_t n);

/*
 * The rows of roster `e` as seen from the lanes from..: as many lanes as fit.
 * Gives the first lane not taken.
 */
static uint32_t inner_lanes(struct block *b, const struct frame *f, uint16_t e,
                            uint32_t from)
{
    struct frame *in = &b->inner;
    const struct lanes *la = &b->lanes[e];
    uint32_t n = 0, l;

    for (l = from; l < f->n; l++) {
        uint32_t own = lane_of(f, PUAN_SRC_OWN, l);
        uint32_t rec = lane_of(f, PUAN_SRC_HOUSE, l);
        uint32_t first = la->start[rec], end = la->start[rec + 1];

        if (n > 0 && n + (end - first) > INNER_LANES)
            break;
        for (uint32_t j = first; j < end; j++, n++) {
            b->in_own[n] = own;
            b->in_house[n] = rec;
            b->in_row[n] = j;
        }
        b->in_end[l] = n;
    }
    in->n = n;
    in->at[PUAN_SRC_OWN] = b->in_own;
    in->at[PUAN_SRC_HOUSE] = b->in_house;
    in->at[PUAN_SRC_INNER] = b->in_row;
    return l;
}

static void quantifier(struct block *b, struct frame *f,
                       const struct puan_ins *i, struct col *d)
{
    struct frame *in = &b->inner;
    const struct lanes *la = &b->lanes[i->y];
    unsigned kind = i->src;
    struct col *c, *x;

    in->entity[PUAN_SRC_OWN] = f->entity[PUAN_SRC_OWN];
    in->entity[PUAN_SRC_HOUSE] = 0;
    in->entity[PUAN_SRC_INNER] = i->y;
    c = reg(b, in, i->d);
    x = reg(b, in, i->d + 1u);
    if (b->failed)
        return;
    for (uint32_t from = 0; from < f->n;) {
        uint32_t to, lane = 0;

        if (f->entity[PUAN_SRC_OWN] == 0 && !f->at[PUAN_SRC_OWN]) {
            /* households in a row: the roster's own lanes */
            to = f->n;
            in->n = la->n;
            in->at[PUAN_SRC_OWN] = in->at[PUAN_SRC_HOUSE] = la->rec;
            in->at[PUAN_SRC_INNER] = NULL;
            memcpy(b->in_end, la->start + 1, f->n * sizeof(b->in_end[0]));
        } else {
            to = inner_lanes(b, f, i->y, from);
        }
        run(b, in, i + 1, i->x);
        if (b->failed)
            return;
        for (; from < to; from++) {
            struct acc q = { 0 };
            int64_t line = 1;

            for (; lane < b->in_end[from]; lane++, line++) {
                val xv = GET(x, lane);

                if (acc_row(&q, kind, GET(c, lane), &xv, line))
                    break;
            }
            lane = b->in_end[from];
            PUT(d, from, acc_end(&q, kind));
        }
    }
}

static void run(struct block *b, struct frame *f, const struct puan_ins *i,
                size_t count)
{
    const struct puan_ins *end = i + count;
    const uint32_t n = f->n;

    for (; i < end && !b->failed; i++) {
        struct col *d = reg(b, f, i->d);
        struct col *e = NULL;

        if (i->op >= PUAN_OP_ADD && i->d + 1u < PUAN_RULE_REGS)
            e = &f->reg[i->d + 1u];
        if (b->failed)
            return;
        switch ((enum puan_op)i->op) {
        case PUAN_OP_CONST:
            EACH(n) d->v[l] = i->k;
            memset(d->s, PUAN_KNOWN, n);
            break;
        case PUAN_OP_ITEM: {
            struct col *c = item_col(b, f->entity[i->src], i->x);

            if (!b->failed)
                gather(d, c, f->at[i->src], n, i->outer);
            break;
        }
        case PUAN_OP_COLUMN:
            gather(d, &b->column[i->x], f->at[i->src], n, i->outer);
            break;
        case PUAN_OP_ROW: {
            const struct lanes *la = &b->lanes[f->entity[i->src]];

            EACH(n)
            d->v[l] = (int64_t)la->row[lane_of(f, i->src, l)] + 1;
            memset(d->s, PUAN_KNOWN, n);
            break;
        }
        case PUAN_OP_STATE:
        case PUAN_OP_REASON:
            states(b, f, i, d);
            break;
        case PUAN_OP_ITEM_CMP: {
            const struct col *c = operand(b, f, i, d);

            if (!b->failed)
                compare_k(d, c, i->k, i->y, n);
            break;
        }
        case PUAN_OP_ITEM_MASK: {
            const struct col *c = operand(b, f, i, d);

            if (!b->failed)
                mask_k(d, c, i->k, i->y != 0, n);
            break;
        }
        case PUAN_OP_ADD:
            EACH(n) PUT(d, l, op_add(GET(d, l), GET(e, l)));
            break;
        case PUAN_OP_SUB:
            EACH(n) PUT(d, l, op_sub(GET(d, l), GET(e, l)));
            break;
        case PUAN_OP_MUL:
            EACH(n) PUT(d, l, op_mul(GET(d, l), GET(e, l)));
            break;
        case PUAN_OP_DIV:
            EACH(n) PUT(d, l, op_div(GET(d, l), GET(e, l)));
            break;
        case PUAN_OP_MOD:
            EACH(n) PUT(d, l, op_mod(GET(d, l), GET(e, l)));
            break;
        case PUAN_OP_MIN:
            EACH(n) PUT(d, l, op_min(GET(d, l), GET(e, l)));
            break;
        case PUAN_OP_MAX:
            EACH(n) PUT(d, l, op_max(GET(d, l), GET(e, l)));
            break;
        case PUAN_OP_NEG:
            EACH(n) PUT(d, l, op_neg(GET(d, l)));
            break;
        case PUAN_OP_ABS:
            EACH(n) PUT(d, l, op_abs(GET(d, l)));
            break;
        case PUAN_OP_MUL_K:
            EACH(n) PUT(d, l, op_mul(GET(d, l), known(i->k)));
            break;
        case PUAN_OP_DIV_K:
            EACH(n) PUT(d, l, op_div(GET(d, l), known(i->k)));
            break;
        case PUAN_OP_CMP:
            EACH(n) PUT(d, l, op_cmp(GET(d, l), GET(e, l), i->y));
            break;
        case PUAN_OP_CMP_K:
            compare_k(d, d, i->k, i->y, n);
            break;
        case PUAN_OP_MASK:
            mask_k(d, d, i->k, i->y != 0, n);
            break;
        case PUAN_OP_IN:
            EACH(n)
            d->v[l] =
                in_ranges(d->v[l], b->p->range + i->k, i->y) != (i->src != 0);
            break;
        case PUAN_OP_AND:
            EACH(n) PUT(d, l, op_and(GET(d, l), GET(e, l)));
            break;
        case PUAN_OP_OR:
            EACH(n) PUT(d, l, op_or(GET(d, l), GET(e, l)));
            break;
        case PUAN_OP_NOT:
            EACH(n) d->v[l] = !d->v[l];
            break;
        case PUAN_OP_SELECT: {
            struct col *g = reg(b, f, i->d + 2u);

            if (!b->failed)
                EACH(n)
            PUT(d, l, op_select(GET(d, l), GET(e, l), GET(g, l)));
            break;
        }
        case PUAN_OP_KNOWN_Q:
            EACH(n) PUT(d, l, known(d->s[l] == PUAN_KNOWN));
            break;
        case PUAN_OP_AGE_MONTH:
            EACH(n) PUT(d, l, op_age_month(GET(d, l), GET(e, l)));
            break;
        case PUAN_OP_AGE_DAY:
            EACH(n) PUT(d, l, op_age_day(GET(d, l), GET(e, l)));
            break;
        case PUAN_OP_YEAR_M:
        case PUAN_OP_YEAR_D:
        case PUAN_OP_MONTH_OF_M:
        case PUAN_OP_MONTH_OF_D:
        case PUAN_OP_MONTH_D:
            EACH(n) PUT(d, l, op_calendar(GET(d, l), i->op));
            break;
        case PUAN_OP_SAME_ID:
        case PUAN_OP_SAME_TEXT:
            same(b, f, i, d);
            break;
        case PUAN_OP_LOOKUP:
            look_up(b, f, i);
            break;
        case PUAN_OP_AT_ITEM:
        case PUAN_OP_AT_COLUMN:
            at_line(b, f, i, d);
            break;
        case PUAN_OP_QUANT:
            quantifier(b, f, i, d);
            i += i->x;
            break;
        case PUAN_OP_IF_FALSE: /* only save work, lane by lane */
        case PUAN_OP_IF_TRUE:
        case PUAN_OP_UNLESS_TRUE:
            break;
        }
    }
}

/* ---- a block ---- */

static void level_frame(struct block *b, uint16_t e)
{
    struct frame *f = &b->level;

    f->n = b->lanes[e].n;
    f->entity[PUAN_SRC_OWN] = e;
    f->entity[PUAN_SRC_HOUSE] = 0;
    f->at[PUAN_SRC_OWN] = NULL;
    f->at[PUAN_SRC_HOUSE] = e == 0 ? NULL : b->lanes[e].rec;
}

static void load_block(struct block *b)
{
    const struct puan_form *form = b->p->form;

    for (uint16_t e = 0; e < form->n_entities; e++) {
        struct lanes *l = &b->lanes[e];
        size_t items = form->entity[e].n_items;

        l->n = 0;
        for (uint32_t r = 0; r < b->n; r++) {
            const struct puan_rows *rows = &b->r[r]->rows[e];

            l->start[r] = l->n;
            for (uint32_t row = 0; row < rows->n; row++) {
                l->rec[l->n] = r;
                l->row[l->n] = row;
                l->v[l->n] = rows->v + row * items;
                l->st[l->n] = rows->st + row * items;
                l->txt[l->n] = rows->txt ? rows->txt + row * items : NULL;
                l->n++;
            }
        }
        l->start[b->n] = l->n;
        for (size_t i = 0; i < items; i++)
            l->item[i].loaded = false;
    }
}

static void derive(struct block *b)
{
    for (size_t i = 0; i < b->p->n_columns && !b->failed; i++) {
        const struct puan_column *c = &b->p->column[i];

        if (c->code.n == 0)
            continue;
        level_frame(b, c->entity);
        col_room(b, &b->column[i], b->lanes[c->entity].cap);
        if (b->failed)
            return;
        run(b, &b->level, b->p->ins + c->code.at, c->code.n);
        if (!b->failed)
            gather(&b->column[i], &b->level.reg[0], NULL, b->level.n, 0);
    }
}

/* The lanes whose guard is true; the others are counted and left. */
static struct frame *choose(struct block *b, struct puan_findings *out)
{
    struct frame *f = &b->level, *c = &b->chosen;
    const struct col *g = &f->reg[0];
    uint32_t n = 0;

    EACH(f->n)
    {
        if (g->s[l] == PUAN_UN_MISSING)
            out[lane_of(f, PUAN_SRC_HOUSE, l)].not_evaluable++;
        if (g->s[l] != PUAN_KNOWN || !g->v[l])
            continue;
        b->sel_own[n] = l;
        b->sel_house[n] = lane_of(f, PUAN_SRC_HOUSE, l);
        n++;
    }
    if (n == f->n)
        return f;
    c->n = n;
    memcpy(c->entity, f->entity, sizeof(c->entity));
    c->at[PUAN_SRC_OWN] = b->sel_own;
    c->at[PUAN_SRC_HOUSE] = b->sel_house;
    return c;
}

struct hit {
    uint32_t rec;
    struct puan_finding f;
};

struct hits {
    struct hit *list;
    size_t n, cap;
};

static void add_hit(struct block *b, struct hits *h, uint32_t rec, size_t rule,
                    uint32_t row)
{
    if (h->n == h->cap) {
        size_t cap = h->cap ? h->cap * 2 : 256;
        struct hit *l = puan_new_n(b->a, cap, struct hit);

        if (!l) {
            b->failed = true;
            return;
        }
        if (h->n)
            memcpy(l, h->list, h->n * sizeof(*l));
        h->list = l;
        h->cap = cap;
    }
    h->list[h->n++] = (struct hit){ rec, { (uint16_t)rule, row } };
}

static void one_rule(struct block *b, size_t rule, struct puan_findings *out,
                     struct hits *h)
{
    const struct puan_rule_code *c = &b->rs->code[rule];
    const struct lanes *la = &b->lanes[c->entity];
    struct frame *f = &b->level;

    level_frame(b, c->entity);
    if (f->n == 0)
        return;
    if (c->when.n) {
        run(b, f, b->p->ins + c->when.at, c->when.n);
        if (b->failed)
            return;
        f = choose(b, out);
        if (f->n == 0)
            return;
    }
    run(b, f, b->p->ins + c->check.at, c->check.n);
    EACH(b->failed ? 0 : f->n)
    {
        uint32_t lane = lane_of(f, PUAN_SRC_OWN, l), rec = la->rec[lane];
        enum outcome o = outcome_of(GET(&f->reg[0], l));

        out[rec].evaluated += o >= HOLDS;
        out[rec].not_evaluable += o == NOT_EVALUABLE;
        if (o != FAILS)
            continue;
        out[rec].any_hard |= b->rs->info[rule].severity == PUAN_HARD;
        out[rec].n++;
        add_hit(b, h, rec, rule, la->row[lane]);
    }
}

/* Hits stand by rule, record, row; each record gets its own in that order. */
static void hand_out(struct block *b, struct puan_findings *out,
                     const struct hits *h)
{
    struct puan_finding *all = puan_new_n(b->a, h->n, struct puan_finding);

    if (!all) {
        b->failed = true;
        return;
    }
    for (uint32_t r = 0; r < b->n; r++) {
        out[r].list = all;
        all += out[r].n;
        out[r].n = 0;
    }
    for (size_t i = 0; i < h->n; i++) {
        struct puan_findings *o = &out[h->list[i].rec];

        o->list[o->n++] = h->list[i].f;
    }
}

/* Records from the first that fit a block: at least one. */
static uint32_t block_size(const struct puan_record *const *r, size_t n,
                           const struct puan_form *form)
{
    uint32_t rows = 0, i;

    for (i = 0; i < n && i < BLOCK_ROWS; i++) {
        uint32_t more = 0;

        for (uint16_t e = 0; e < form->n_entities; e++)
            more += r[i]->rows[e].n;
        if (i > 0 && rows + more > BLOCK_ROWS)
            break;
        rows += more;
    }
    return i;
}

/* Room for the largest block among the records. */
static void make_room(struct block *b, const struct puan_record *const *r,
                      size_t n)
{
    const struct puan_form *form = b->p->form;
    uint32_t records = 1, lanes = 1, inner = 0, cap[PUAN_FORM_ENTITIES] = { 0 };

    for (size_t at = 0; at < n;) {
        uint32_t k = block_size(r + at, n - at, form);

        if (k > records)
            records = k;
        for (uint16_t e = 0; e < form->n_entities; e++) {
            uint32_t sum = 0;

            for (uint32_t i = 0; i < k; i++) {
                sum += r[at + i]->rows[e].n;
                if (r[at + i]->rows[e].n > inner)
                    inner = r[at + i]->rows[e].n;
            }
            if (sum > cap[e])
                cap[e] = sum;
        }
        at += k;
    }
    for (uint16_t e = 0; e < form->n_entities; e++) {
        struct lanes *l = &b->lanes[e];

        l->cap = cap[e] + 1;
        l->rec = puan_new_n(b->a, l->cap, uint32_t);
        l->row = puan_new_n(b->a, l->cap, uint32_t);
        l->start = puan_new_n(b->a, records + 1u, uint32_t);
        l->v = puan_new_n(b->a, l->cap, const int64_t *);
        l->st = puan_new_n(b->a, l->cap, const uint8_t *);
        l->txt = puan_new_n(b->a, l->cap, const struct puan_str *);
        l->item = puan_new_n(b->a, form->entity[e].n_items + 1u, struct col);
        if (l->cap > lanes)
            lanes = l->cap;
    }
    b->column = puan_new_n(b->a, b->p->n_columns + 1, struct col);
    b->level.cap = b->chosen.cap = lanes;
    b->inner.cap = (lanes > INNER_LANES ? lanes : INNER_LANES) + inner;
    b->sel_own = puan_new_n(b->a, lanes, uint32_t);
    b->sel_house = puan_new_n(b->a, lanes, uint32_t);
    b->in_own = puan_new_n(b->a, b->inner.cap, uint32_t);
    b->in_house = puan_new_n(b->a, b->inner.cap, uint32_t);
    b->in_row = puan_new_n(b->a, b->inner.cap, uint32_t);
    b->in_end = puan_new_n(b->a, lanes, uint32_t);
    b->failed = b->a->failed;
}

enum puan_status puan_ruleset_run_block(struct puan_findings *out,
                                        const struct puan_ruleset *rs,
                                        const struct puan_record *const *r,
                                        size_t n, struct puan_arena *a,
                                        struct puan_err *err)
{
    struct block *b = puan_new(a, struct block);

    if (!b)
        return puan_arena_check(a, err);
    b->p = &rs->prog;
    b->rs = rs;
    b->a = a;
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct puan_findings){ 0 };
        if (r[i]->form != b->p->form || r[i]->rows[0].n != 1)
            return puan_fail(err, PUAN_EBUG, "rules",
                             "record %zu is of another form or has no "
                             "household",
                             i);
    }
    make_room(b, r, n);
    for (size_t at = 0; at < n && !b->failed; at += b->n) {
        struct hits h = { 0 };

        b->r = r + at;
        b->n = block_size(r + at, n - at, b->p->form);
        load_block(b);
        derive(b);
        for (size_t i = 0; i < rs->n && !b->failed; i++)
            one_rule(b, i, out + at, &h);
        if (!b->failed)
            hand_out(b, out + at, &h);
    }
    return puan_arena_check(a, err);
}
