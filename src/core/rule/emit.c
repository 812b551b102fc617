/*
 * Checked tree to instructions.  Registers follow the stack of the expression:
 * the result of a node at depth d is register d.
 */
#include "core/rule/lang.h"

#include "base/arena.h"

typedef struct puan_ast_node node;

struct emit {
    struct puan_code_out *code;
    const char *file;
    struct puan_err *err;
    bool in_row; /* inside a quantifier */
    enum puan_status st;
};

static void failed(struct emit *e, const node *n, const char *text)
{
    if (e->st == PUAN_OK)
        e->st = puan_fail_at(e->err, PUAN_ELIMIT, e->file, n->line, n->col,
                             "%s", text);
}

static void out_of_memory(struct emit *e)
{
    if (e->st == PUAN_OK)
        e->st = puan_fail(e->err, PUAN_ENOMEM, e->file, "out of memory");
}

static struct puan_ins *put(struct emit *e, enum puan_op op, unsigned d)
{
    struct puan_code_out *c = e->code;
    struct puan_ins *i;

    if (c->n == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 32;

        i = puan_new_n(c->arena, cap, struct puan_ins);
        if (!i) {
            out_of_memory(e);
            c->n = 0; /* what follows is thrown away */
            if (c->cap == 0)
                return NULL;
        } else {
            if (c->n)
                memcpy(i, c->ins, c->n * sizeof(*i));
            c->ins = i;
            c->cap = cap;
        }
    }
    i = &c->ins[c->n++];
    *i = (struct puan_ins){ .op = (uint8_t)op, .d = (uint8_t)d };
    return i;
}

static void tree(struct emit *e, const node *n, unsigned d);

static void op(struct emit *e, enum puan_op o, unsigned d, int64_t k)
{
    struct puan_ins *i = put(e, o, d);

    if (i)
        i->k = k;
}

static void load(struct emit *e, enum puan_op o, const node *n, unsigned d,
                 int64_t k)
{
    struct puan_ins *i = put(e, o, d);

    if (i) {
        i->src = n->src;
        i->outer = e->in_row && n->src != PUAN_SRC_INNER;
        i->x = n->item;
        i->k = k;
    }
}

static int64_t ten_to(unsigned places)
{
    int64_t k = 1;

    while (places-- > 0)
        k *= 10;
    return k;
}

/* With the scale 10^places, at least the node's own. */
static void scaled(struct emit *e, const node *n, unsigned d, unsigned places)
{
    tree(e, n, d);
    if (places > n->type.places)
        op(e, PUAN_OP_MUL_K, d, ten_to(places - n->type.places));
}

static unsigned finer(const node *a, const node *b)
{
    return a->type.places > b->type.places ? a->type.places : b->type.places;
}

/* The place of a jump, to be closed by land(). */
static size_t jump(struct emit *e, enum puan_op o, unsigned d)
{
    put(e, o, d);
    return e->code->n;
}

static void land(struct emit *e, size_t from, const node *n)
{
    size_t over = e->code->n - from;

    if (e->st != PUAN_OK)
        return;
    if (over > UINT16_MAX)
        failed(e, n,
               "the expression is too large: name a part of it with "
               "'define'");
    else
        e->code->ins[from - 1].x = (uint16_t)over;
}

/* b < a for a > b */
static enum puan_cmp mirrored(enum puan_cmp c)
{
    return (enum puan_cmp)((c & PUAN_CMP_EQ) | (c & PUAN_CMP_LT) << 2 |
                           (c & PUAN_CMP_GT) >> 2);
}

static enum puan_cmp inverse(enum puan_cmp c)
{
    return (enum puan_cmp)(7u ^ c);
}

static void compare(struct emit *e, const node *n, unsigned d, bool negate)
{
    const node *a = n->kid, *b = a->next;
    enum puan_cmp c = (enum puan_cmp)n->op;
    unsigned places = finer(a, b);
    struct puan_ins *i;
    int64_t k = 0;

    if (negate)
        c = inverse(c);
    if (a->ast == PUAN_AST_CONST && b->ast != PUAN_AST_CONST) {
        const node *t = a;

        a = b;
        b = t;
        c = mirrored(c);
    }
    if (b->ast == PUAN_AST_CONST &&
        !__builtin_mul_overflow(b->value, ten_to(places - b->type.places),
                                &k)) {
        if (a->ast == PUAN_AST_ITEM && a->type.places == places) {
            load(e, PUAN_OP_ITEM_CMP, a, d, k);
            if (e->code->n)
                e->code->ins[e->code->n - 1].y = (uint16_t)c;
            return;
        }
        scaled(e, a, d, places);
        i = put(e, PUAN_OP_CMP_K, d);
        if (i) {
            i->y = (uint16_t)c;
            i->k = k;
        }
        return;
    }
    scaled(e, a, d, places);
    scaled(e, b, d + 1, places);
    i = put(e, PUAN_OP_CMP, d);
    if (i)
        i->y = (uint16_t)c;
}

static size_t add_range(struct emit *e, int64_t lo, int64_t hi)
{
    struct puan_code_out *c = e->code;

    if (c->n_ranges == c->cap_ranges) {
        size_t cap = c->cap_ranges ? c->cap_ranges * 2 : 16;
        struct puan_range *r = puan_new_n(c->arena, cap, struct puan_range);

        if (!r) {
            out_of_memory(e);
            return 0;
        }
        if (c->n_ranges)
            memcpy(r, c->range, c->n_ranges * sizeof(*r));
        c->range = r;
        c->cap_ranges = cap;
    }
    c->range[c->n_ranges] = (struct puan_range){ lo, hi };
    return c->n_ranges++;
}

static void in_set(struct emit *e, const node *n, unsigned d, bool negate)
{
    const node *a = n->kid;
    bool small = true, neg = n->negated != negate;
    uint64_t mask = 0;
    size_t count = 0, first;
    struct puan_ins *i;

    for (const node *m = a->next; m; m = m->next) {
        int64_t lo = m->ast == PUAN_AST_RANGE ? m->kid->value : m->value;
        int64_t hi = m->ast == PUAN_AST_RANGE ? m->kid->next->value : lo;

        count++;
        if (lo < 0 || hi > 63) {
            small = false;
            continue;
        }
        for (int64_t v = lo; v <= hi; v++)
            mask |= (uint64_t)1 << v;
    }
    if (small) {
        bool item = a->ast == PUAN_AST_ITEM;

        if (!item)
            tree(e, a, d);
        load(e, item ? PUAN_OP_ITEM_MASK : PUAN_OP_MASK, a, d, (int64_t)mask);
        if (e->code->n)
            e->code->ins[e->code->n - 1].y = neg;
        return;
    }
    if (count > UINT16_MAX) {
        failed(e, n, "the set is too large");
        return;
    }
    tree(e, a, d);
    first = e->code->n_ranges;
    for (const node *m = a->next; m; m = m->next) {
        int64_t lo = m->ast == PUAN_AST_RANGE ? m->kid->value : m->value;
        int64_t hi = m->ast == PUAN_AST_RANGE ? m->kid->next->value : lo;

        add_range(e, lo, hi);
    }
    i = put(e, PUAN_OP_IN, d);
    if (i) {
        i->src = neg;
        i->y = (uint16_t)count;
        i->k = (int64_t)first;
    }
}

static void quantifier(struct emit *e, const node *n, unsigned d)
{
    enum puan_quant q = (enum puan_quant)n->op;
    const node *x = q >= PUAN_Q_SUM ? n->kid : NULL;
    const node *where = x ? x->next : n->kid;
    struct puan_ins *i = put(e, PUAN_OP_QUANT, d);
    size_t body = e->code->n, over;

    if (i) {
        i->src = (uint8_t)q;
        i->y = n->entity;
    }
    e->in_row = true;
    if (where)
        tree(e, where, d);
    else
        op(e, PUAN_OP_CONST, d, 1);
    if (x && q != PUAN_Q_FIRST) {
        over = jump(e, PUAN_OP_UNLESS_TRUE, d);
        tree(e, x, d + 1);
        land(e, over, n);
    }
    e->in_row = false;
    land(e, body, n);
    if (q == PUAN_Q_FIRST) {
        i = put(e,
                x->ast == PUAN_AST_ITEM ? PUAN_OP_AT_ITEM : PUAN_OP_AT_COLUMN,
                d);
        if (i) {
            i->x = x->item;
            i->y = n->entity;
        }
    }
}

static void state(struct emit *e, const node *n, unsigned d, unsigned mask)
{
    load(e, PUAN_OP_STATE, n->kid, d, (int64_t)mask);
}

static void call(struct emit *e, const node *n, unsigned d)
{
    const node *x = n->kid, *y = x->next;
    struct puan_ins *i;
    size_t over;

    switch ((enum puan_fn)n->op) {
    case PUAN_FN_GIVEN:
        state(e, n, d, 1u << PUAN_GIVEN);
        return;
    case PUAN_FN_MISSING:
        state(e, n, d, 1u << PUAN_MISSING);
        return;
    case PUAN_FN_ASKED:
        state(e, n, d, 15u & ~(1u << PUAN_NOT_ASKED));
        return;
    case PUAN_FN_INVALID:
        state(e, n, d, 1u << PUAN_INVALID);
        return;
    case PUAN_FN_REASON:
        load(e, PUAN_OP_REASON, x, d, 0);
        return;
    case PUAN_FN_KNOWN:
        tree(e, x, d);
        put(e, PUAN_OP_KNOWN_Q, d);
        return;
    case PUAN_FN_IF:
        tree(e, x, d);
        over = jump(e, PUAN_OP_UNLESS_TRUE, d);
        scaled(e, y, d + 1, n->type.places);
        land(e, over, n);
        over = jump(e, PUAN_OP_IF_TRUE, d);
        scaled(e, y->next, d + 2, n->type.places);
        land(e, over, n);
        put(e, PUAN_OP_SELECT, d);
        return;
    case PUAN_FN_ABS:
        tree(e, x, d);
        put(e, PUAN_OP_ABS, d);
        return;
    case PUAN_FN_MIN:
    case PUAN_FN_MAX:
        scaled(e, x, d, n->type.places);
        for (; y; y = y->next) {
            scaled(e, y, d + 1, n->type.places);
            put(e, n->op == PUAN_FN_MIN ? PUAN_OP_MIN : PUAN_OP_MAX, d);
        }
        return;
    case PUAN_FN_MONTH:
        tree(e, x, d);
        put(e, PUAN_OP_MONTH_D, d);
        return;
    case PUAN_FN_YEAR:
        tree(e, x, d);
        put(e, x->type.kind == PUAN_KIND_DAY ? PUAN_OP_YEAR_D : PUAN_OP_YEAR_M,
            d);
        return;
    case PUAN_FN_MONTH_OF:
        tree(e, x, d);
        put(e,
            x->type.kind == PUAN_KIND_DAY ? PUAN_OP_MONTH_OF_D
                                          : PUAN_OP_MONTH_OF_M,
            d);
        return;
    case PUAN_FN_AGE_AT:
        tree(e, x, d);
        tree(e, y, d + 1);
        put(e,
            x->type.kind == PUAN_KIND_DAY ? PUAN_OP_AGE_DAY : PUAN_OP_AGE_MONTH,
            d);
        return;
    case PUAN_FN_NUMBER:
        tree(e, x, d);
        return;
    case PUAN_FN_PREFIX:
        tree(e, x, d);
        op(e, PUAN_OP_DIV_K, d, n->value);
        return;
    case PUAN_FN_AT:
        tree(e, y, d);
        i = put(e,
                x->ast == PUAN_AST_ITEM ? PUAN_OP_AT_ITEM : PUAN_OP_AT_COLUMN,
                d);
        if (i) {
            i->x = x->item;
            i->y = x->entity;
        }
        return;
    case PUAN_FN_SAME_ID:
    case PUAN_FN_SAME_TEXT:
        load(e, n->op == PUAN_FN_SAME_ID ? PUAN_OP_SAME_ID : PUAN_OP_SAME_TEXT,
             x, d, y->src);
        if (e->code->n) {
            i = &e->code->ins[e->code->n - 1];
            i->y = y->item;
            if (e->in_row && y->src != PUAN_SRC_INNER)
                i->outer |= 2;
        }
        return;
    case PUAN_FN_DAY:
    case PUAN_FN_FOUND:
    case PUAN_FN_FACT:
        break; /* folded or resolved before */
    }
}

static void lookup(struct emit *e, const node *n, unsigned d)
{
    struct puan_ins *i;
    unsigned keys = 0;

    for (const node *k = n->kid; k; k = k->next)
        tree(e, k, d + keys++);
    i = put(e, PUAN_OP_LOOKUP, d);
    if (i) {
        i->x = n->item;
        i->y = (uint16_t)keys;
        i->k = n->value;
    }
}

static void two(struct emit *e, const node *n, unsigned d, enum puan_op o,
                unsigned places)
{
    scaled(e, n->kid, d, places);
    scaled(e, n->kid->next, d + 1, places);
    put(e, o, d);
}

static void logic(struct emit *e, const node *n, unsigned d)
{
    bool both = n->ast == PUAN_AST_AND;
    size_t over;

    tree(e, n->kid, d);
    over = jump(e, both ? PUAN_OP_IF_FALSE : PUAN_OP_IF_TRUE, d);
    tree(e, n->kid->next, d + 1);
    put(e, both ? PUAN_OP_AND : PUAN_OP_OR, d);
    land(e, over, n);
}

static void negation(struct emit *e, const node *n, unsigned d)
{
    const node *x = n->kid;

    if (x->ast == PUAN_AST_COMPARE) {
        compare(e, x, d, true);
    } else if (x->ast == PUAN_AST_IN) {
        in_set(e, x, d, true);
    } else {
        tree(e, x, d);
        put(e, PUAN_OP_NOT, d);
    }
}

static void tree(struct emit *e, const node *n, unsigned d)
{
    if (e->st != PUAN_OK)
        return;
    if (d + 3 > PUAN_RULE_REGS) {
        failed(e, n,
               "the expression is nested too deeply: name a part of it "
               "with 'define'");
        return;
    }
    switch (n->ast) {
    case PUAN_AST_CONST:
        op(e, PUAN_OP_CONST, d, n->value);
        break;
    case PUAN_AST_ITEM:
        load(e, PUAN_OP_ITEM, n, d, 0);
        break;
    case PUAN_AST_COLUMN:
        load(e, PUAN_OP_COLUMN, n, d, 0);
        break;
    case PUAN_AST_ROW:
        load(e, PUAN_OP_ROW, n, d, 0);
        break;
    case PUAN_AST_OR:
    case PUAN_AST_AND:
        logic(e, n, d);
        break;
    case PUAN_AST_NOT:
        negation(e, n, d);
        break;
    case PUAN_AST_COMPARE:
        compare(e, n, d, false);
        break;
    case PUAN_AST_IN:
        in_set(e, n, d, false);
        break;
    case PUAN_AST_ADD:
        two(e, n, d, PUAN_OP_ADD, n->type.places);
        break;
    case PUAN_AST_SUB:
        two(e, n, d, PUAN_OP_SUB, n->type.places);
        break;
    case PUAN_AST_MUL:
        tree(e, n->kid, d);
        tree(e, n->kid->next, d + 1);
        put(e, PUAN_OP_MUL, d);
        break;
    case PUAN_AST_DIV:
        two(e, n, d, PUAN_OP_DIV, finer(n->kid, n->kid->next));
        break;
    case PUAN_AST_MOD:
        two(e, n, d, PUAN_OP_MOD, n->type.places);
        break;
    case PUAN_AST_NEG:
        tree(e, n->kid, d);
        put(e, PUAN_OP_NEG, d);
        break;
    case PUAN_AST_CALL:
        call(e, n, d);
        break;
    case PUAN_AST_QUANT:
        quantifier(e, n, d);
        break;
    case PUAN_AST_LOOKUP:
        lookup(e, n, d);
        break;
    case PUAN_AST_WORD:
    case PUAN_AST_NAME:
    case PUAN_AST_RANGE:
        if (e->st == PUAN_OK)
            e->st = puan_fail_at(e->err, PUAN_EINVAL, e->file, n->line, n->col,
                                 "a text is no value here");
        break;
    }
}

enum puan_status puan_rule_emit(struct puan_span *out,
                                struct puan_code_out *code,
                                const struct puan_ast_node *n, const char *file,
                                struct puan_err *err)
{
    struct emit e = { .code = code, .file = file, .err = err };
    size_t at = code->n;

    tree(&e, n, 0);
    if (e.st != PUAN_OK)
        return e.st;
    out->at = (uint32_t)at;
    out->n = (uint32_t)(code->n - at);
    return PUAN_OK;
}
