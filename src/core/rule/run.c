/*
 * The record executor: one expression, one row at a time.  Never allocates;
 * registers live on the caller's stack.
 */
#include "core/rule/run.h"

static struct puan_str text_of(const struct puan_rule_run *x, unsigned src,
                               uint16_t item)
{
    return x->txt[src] ? x->txt[src][item] : (struct puan_str){ NULL, 0 };
}

static val at_item(const struct puan_rule_run *x, const struct puan_ins *i,
                   int64_t line)
{
    const struct puan_rows *rows = &x->r->rows[i->y];
    size_t at;

    if (line < 1 || line > (int64_t)rows->n)
        return unknown(PUAN_UN_ASKED);
    at = (size_t)(line - 1) * x->r->form->entity[i->y].n_items + i->x;
    return (val){ rows->v[at], know_of(rows->st[at]) };
}

static val at_column(const struct puan_rule_run *x, const struct puan_ins *i,
                     int64_t line)
{
    if (line < 1 || line > (int64_t)x->r->rows[i->y].n)
        return unknown(PUAN_UN_ASKED);
    return x->column[i->x][line - 1];
}

static void quantifier(struct puan_rule_run *x, const struct puan_ins *i,
                       val *regs)
{
    struct acc q = { 0 };
    val *r = regs + i->d;
    uint32_t n = x->r->rows[i->y].n;

    for (uint32_t row = 0; row < n; row++) {
        puan_rule_place(x, PUAN_SRC_INNER, i->y, row);
        puan_rule_exec(x, i + 1, i->x, regs);
        if (acc_row(&q, i->src, r[0], &r[1], (int64_t)row + 1))
            break;
    }
    r[0] = acc_end(&q, i->src);
}

void puan_rule_exec(struct puan_rule_run *x, const struct puan_ins *i, size_t n,
                    struct puan_val *regs)
{
    const struct puan_ins *end = i + n;

    for (; i < end; i++) {
        val *d = regs + i->d;

        switch ((enum puan_op)i->op) {
        case PUAN_OP_CONST:
            *d = known(i->k);
            break;
        case PUAN_OP_ITEM:
            *d = (val){ x->v[i->src][i->x],
                        know_from(x->st[i->src][i->x], i->outer) };
            break;
        case PUAN_OP_COLUMN:
            *d = x->column[i->x][x->row[i->src]];
            d->s = seen_from(d->s, i->outer);
            break;
        case PUAN_OP_ROW:
            *d = known((int64_t)x->row[i->src] + 1);
            break;
        case PUAN_OP_STATE:
            *d = known(i->k >> (x->st[i->src][i->x] & 3) & 1);
            break;
        case PUAN_OP_REASON:
            *d = known(x->st[i->src][i->x] == PUAN_MISSING ? x->v[i->src][i->x]
                                                           : -1);
            break;
        case PUAN_OP_ITEM_CMP:
            *d = (val){ compares(x->v[i->src][i->x], i->k, i->y),
                        know_from(x->st[i->src][i->x], i->outer) };
            break;
        case PUAN_OP_ITEM_MASK:
            *d = (val){ in_mask(x->v[i->src][i->x], i->k) != (i->y != 0),
                        know_from(x->st[i->src][i->x], i->outer) };
            break;
        case PUAN_OP_ADD:
            *d = op_add(d[0], d[1]);
            break;
        case PUAN_OP_SUB:
            *d = op_sub(d[0], d[1]);
            break;
        case PUAN_OP_MUL:
            *d = op_mul(d[0], d[1]);
            break;
        case PUAN_OP_DIV:
            *d = op_div(d[0], d[1]);
            break;
        case PUAN_OP_MOD:
            *d = op_mod(d[0], d[1]);
            break;
        case PUAN_OP_MIN:
            *d = op_min(d[0], d[1]);
            break;
        case PUAN_OP_MAX:
            *d = op_max(d[0], d[1]);
            break;
        case PUAN_OP_NEG:
            *d = op_neg(d[0]);
            break;
        case PUAN_OP_ABS:
            *d = op_abs(d[0]);
            break;
        case PUAN_OP_MUL_K:
            *d = op_mul(d[0], known(i->k));
            break;
        case PUAN_OP_DIV_K:
            *d = op_div(d[0], known(i->k));
            break;
        case PUAN_OP_CMP:
            *d = op_cmp(d[0], d[1], i->y);
            break;
        case PUAN_OP_CMP_K:
            d->v = compares(d->v, i->k, i->y);
            break;
        case PUAN_OP_MASK:
            d->v = in_mask(d->v, i->k) != (i->y != 0);
            break;
        case PUAN_OP_IN:
            d->v = in_ranges(d->v, x->range + i->k, i->y) != (i->src != 0);
            break;
        case PUAN_OP_AND:
            *d = op_and(d[0], d[1]);
            break;
        case PUAN_OP_OR:
            *d = op_or(d[0], d[1]);
            break;
        case PUAN_OP_NOT:
            d->v = !d->v;
            break;
        case PUAN_OP_SELECT:
            *d = op_select(d[0], d[1], d[2]);
            break;
        case PUAN_OP_KNOWN_Q:
            *d = known(d->s == PUAN_KNOWN);
            break;
        case PUAN_OP_AGE_MONTH:
            *d = op_age_month(d[0], d[1]);
            break;
        case PUAN_OP_AGE_DAY:
            *d = op_age_day(d[0], d[1]);
            break;
        case PUAN_OP_YEAR_M:
        case PUAN_OP_YEAR_D:
        case PUAN_OP_MONTH_OF_M:
        case PUAN_OP_MONTH_OF_D:
        case PUAN_OP_MONTH_D:
            *d = op_calendar(d[0], i->op);
            break;
        case PUAN_OP_SAME_ID:
        case PUAN_OP_SAME_TEXT:
            *d = op_same(know_from(x->st[i->src][i->x], i->outer & 1),
                         text_of(x, i->src, i->x),
                         know_from(x->st[i->k][i->y], i->outer >> 1),
                         text_of(x, (unsigned)i->k, i->y),
                         i->op == PUAN_OP_SAME_ID);
            break;
        case PUAN_OP_LOOKUP:
            *d = op_lookup(x->table[i->x], d, i->y, i->k);
            break;
        case PUAN_OP_AT_ITEM:
            *d = d->s == PUAN_KNOWN ? at_item(x, i, d->v) : *d;
            break;
        case PUAN_OP_AT_COLUMN:
            *d = d->s == PUAN_KNOWN ? at_column(x, i, d->v) : *d;
            break;
        case PUAN_OP_QUANT:
            quantifier(x, i, regs);
            i += i->x;
            break;
        case PUAN_OP_IF_FALSE:
            if (d->s == PUAN_KNOWN && !d->v)
                i += i->x;
            break;
        case PUAN_OP_IF_TRUE:
            if (d->s == PUAN_KNOWN && d->v)
                i += i->x;
            break;
        case PUAN_OP_UNLESS_TRUE:
            if (d->s != PUAN_KNOWN || !d->v)
                i += i->x;
            break;
        }
    }
}

struct puan_val puan_rule_run_const(const struct puan_code_out *code,
                                    struct puan_span span)
{
    struct puan_rule_run x = { .range = code->range };
    val r[PUAN_RULE_REGS];

    puan_rule_exec(&x, code->ins + span.at, span.n, r);
    return r[0];
}
