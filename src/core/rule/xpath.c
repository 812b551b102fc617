/*
 * Checked trees to XPath.  Each expression has three writings: where it is
 * true, where it is false, where its value is known; and its value.  A writer
 * returns false when XPath cannot say it, and the caller drops the whole.
 */
#include "core/rule/xpath.h"

#include "base/calendar.h"
#include "core/rule/lang.h"

typedef struct puan_ast_node node;

struct writer {
    const struct puan_xpath *x;
    const struct puan_program *prog; /* derived items; NULL: none */
    struct puan_out *o;
    struct puan_arena *arena;
    uint16_t level; /* entity of the rule's own row */
    uint8_t own;    /* where OWN of the tree at hand lies: enum puan_src */
    bool in_row;    /* inside a predicate over row_entity */
    uint16_t row_entity;
    unsigned depth; /* of derived items */
    bool over_rows; /* a roster was looked over */
};

static bool truth(struct writer *w, const node *n, bool wanted);
static bool known(struct writer *w, const node *n);
static bool value(struct writer *w, const node *n);

static void say(struct writer *w, const char *text)
{
    puan_out_text(w->o, text);
}

static bool small(const struct writer *w)
{
    return w->o->n <= PUAN_XPATH_MAX && !w->arena->failed;
}

/* ---- items ---- */

static const struct puan_item *item_of(const struct writer *w, uint16_t entity,
                                       uint16_t item)
{
    return &w->x->form->entity[entity].items[item];
}

/* Which row an item of the tree is read from, seen from the rule. */
static enum puan_src source(const struct writer *w, const node *n)
{
    return n->src == PUAN_SRC_OWN ? (enum puan_src)w->own
                                  : (enum puan_src)n->src;
}

static uint16_t entity_of(const struct writer *w, enum puan_src src)
{
    if (src == PUAN_SRC_HOUSE)
        return 0;
    return src == PUAN_SRC_INNER ? w->row_entity : w->level;
}

static void row_path(struct writer *w, enum puan_src src)
{
    uint16_t e = entity_of(w, src);

    if (e == 0) {
        puan_out_fmt(w->o, "%s/%.*s/", w->x->root,
                     PUAN_FMT(w->x->form->entity[0].name));
    } else if (src == PUAN_SRC_INNER) {
        say(w, "./");
    } else {
        if (w->in_row)
            say(w, "current()/");
        say(w, w->x->up);
    }
}

/* An item of the key: its digits, from the front or the end. */
static void key_part(struct writer *w, const struct puan_item *it)
{
    unsigned width = w->x->form->key_width ? w->x->form->key_width : 18;
    unsigned from = it->type == PUAN_TYPE_INT ? width - it->key_digits : 0;
    unsigned to = it->type == PUAN_TYPE_INT ? width : it->digits;

    puan_out_fmt(w->o, "substr(%s, %u, %u)", w->x->key, from, to);
}

/* Where the item stands; `prefix` names its row when that is not `src`'s. */
static bool item_path(struct writer *w, enum puan_src src, uint16_t entity,
                      uint16_t item, const char *prefix)
{
    const struct puan_item *it = item_of(w, entity, item);

    if (it->from == PUAN_FROM_KEY) {
        key_part(w, it);
        return true;
    }
    if (it->from == PUAN_FROM_MODE) {
        puan_out_fmt(w->o, "'%.*s'", PUAN_FMT(w->x->mode));
        return true;
    }
    if (it->from != PUAN_FROM_ANSWER)
        return false;
    if (prefix)
        say(w, prefix);
    else
        row_path(w, src);
    puan_out_str(w->o, it->name);
    return true;
}

struct cell { /* an item as it is read somewhere */
    enum puan_src src;
    uint16_t entity, item;
    const char *prefix;
};

static bool cell_path(struct writer *w, const struct cell *c)
{
    return item_path(w, c->src, c->entity, c->item, c->prefix);
}

static bool plain_codes(const struct puan_codelist *l)
{
    for (size_t i = 0; l && i < l->n; i++) {
        int64_t v;

        if (!puan_int_parse(&v, l->codes[i].text) || v != l->codes[i].value)
            return false;
    }
    return l != NULL;
}

static bool month_number(struct writer *w, const struct cell *c)
{
    say(w, "(number(substr(");
    if (!cell_path(w, c))
        return false;
    say(w, ", 0, 4)) * 12 + number(substr(");
    (void)cell_path(w, c);
    say(w, ", 5, 7)) - 1)");
    return true;
}

/* A day as the number YYYYMMDD: it orders days, and nothing else. */
static bool day_number(struct writer *w, const struct cell *c)
{
    say(w, "(number(substr(");
    if (!cell_path(w, c))
        return false;
    say(w, ", 0, 4)) * 10000 + number(substr(");
    (void)cell_path(w, c);
    say(w, ", 5, 7)) * 100 + number(substr(");
    (void)cell_path(w, c);
    say(w, ", 8, 10)))");
    return true;
}

static void number_text(struct writer *w, int64_t v, unsigned places)
{
    uint64_t unit = 1, size = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    for (unsigned i = 0; i < places; i++)
        unit *= 10;
    puan_out_fmt(w->o, "%s%llu", v < 0 ? "-" : "",
                 (unsigned long long)(size / unit));
    if (places)
        puan_out_fmt(w->o, ".%0*llu", (int)places,
                     (unsigned long long)(size % unit));
}

static int64_t day_as_number(int64_t day)
{
    int y, m, d;

    puan_day_split(day, &y, &m, &d);
    return (int64_t)y * 10000 + m * 100 + d;
}

static bool cell_value(struct writer *w, const struct cell *c)
{
    const struct puan_item *it = item_of(w, c->entity, c->item);

    switch (it->type) {
    case PUAN_TYPE_CODE:
        if (!plain_codes(it->codes))
            return false;
        break;
    case PUAN_TYPE_INT:
    case PUAN_TYPE_FIXED:
    case PUAN_TYPE_AREA:
        break;
    case PUAN_TYPE_MONTH:
        return month_number(w, c);
    case PUAN_TYPE_DATE:
        return day_number(w, c);
    case PUAN_TYPE_TEXT:
    case PUAN_TYPE_NAME:
    case PUAN_TYPE_CITIZEN_ID:
    case PUAN_TYPE_PHONE:
    case PUAN_TYPE_POINT:
    case PUAN_TYPE_FACT:
        return false;
    }
    say(w, "number(");
    if (!cell_path(w, c))
        return false;
    say(w, ")");
    return true;
}

static bool bounds(struct writer *w, const struct cell *c, int64_t min,
                   int64_t max, unsigned places)
{
    if (!cell_value(w, c))
        return false;
    say(w, " >= ");
    number_text(w, min, places);
    say(w, " and ");
    (void)cell_value(w, c);
    say(w, " <= ");
    number_text(w, max, places);
    return true;
}

/* It is there, and suits its type: the state "given". */
static bool cell_known(struct writer *w, const struct cell *c)
{
    const struct puan_item *it = item_of(w, c->entity, c->item);

    if (it->from == PUAN_FROM_KEY || it->from == PUAN_FROM_MODE) {
        puan_out_fmt(w->o, "%s != ''", w->x->key);
        return true;
    }
    say(w, "(");
    switch (it->type) {
    case PUAN_TYPE_INT:
    case PUAN_TYPE_FIXED:
    case PUAN_TYPE_MONTH:
        if (!bounds(w, c, it->min, it->max, it->places))
            return false;
        break;
    case PUAN_TYPE_DATE:
        if (!bounds(w, c, day_as_number(it->min), day_as_number(it->max), 0))
            return false;
        break;
    case PUAN_TYPE_AREA:
        say(w, "regex(");
        if (!cell_path(w, c))
            return false;
        puan_out_fmt(w->o, ", '^[0-9]{%u}$')", it->digits);
        break;
    case PUAN_TYPE_FACT:
        return false;
    case PUAN_TYPE_CODE:
    case PUAN_TYPE_TEXT:
    case PUAN_TYPE_NAME:
    case PUAN_TYPE_CITIZEN_ID:
    case PUAN_TYPE_PHONE:
    case PUAN_TYPE_POINT:
        if (!cell_path(w, c))
            return false;
        say(w, " != ''");
        break;
    }
    say(w, ")");
    return true;
}

/* ---- facts of a citizen ID ---- */

/* Its characters there are well formed. */
static bool fact_known(struct writer *w, const struct cell *c)
{
    const struct puan_item *it = item_of(w, c->entity, c->item);
    struct cell of = *c;
    const char *shape;

    of.item = (uint16_t)it->fact_of;
    switch (it->fact) {
    case PUAN_FACT_ID_MONTH:
        shape = "^[0-9]{6}(18|19|20|21)[0-9]{2}(0[1-9]|1[0-2])[0-9]{5}[0-9Xx]$";
        break;
    case PUAN_FACT_ID_SEX:
    case PUAN_FACT_ID_REGION:
        shape = "^[0-9]{17}[0-9Xx]$";
        break;
    case PUAN_FACT_NONE:
    case PUAN_FACT_ID_CHECK:
    case PUAN_FACT_NAME_LENGTH:
    case PUAN_FACT_NAME_CLASS:
    case PUAN_FACT_PHONE_CLASS:
    case PUAN_FACT_WORD:
    case PUAN_FACT_NUMBER_CHECK:
    case PUAN_FACT_NUMBER_PART:
    default:
        return false;
    }
    say(w, "regex(");
    if (!cell_path(w, &of))
        return false;
    puan_out_fmt(w->o, ", '%s')", shape);
    return true;
}

static bool fact_value(struct writer *w, const struct cell *c)
{
    const struct puan_item *it = item_of(w, c->entity, c->item);
    struct cell of = *c;

    of.item = (uint16_t)it->fact_of;
    switch (it->fact) {
    case PUAN_FACT_ID_MONTH:
        say(w, "(number(substr(");
        if (!cell_path(w, &of))
            return false;
        say(w, ", 6, 10)) * 12 + number(substr(");
        (void)cell_path(w, &of);
        say(w, ", 10, 12)) - 1)");
        return true;
    case PUAN_FACT_ID_SEX:
        say(w, "(2 - number(substr(");
        if (!cell_path(w, &of))
            return false;
        say(w, ", 16, 17)) mod 2)");
        return true;
    case PUAN_FACT_ID_REGION:
        say(w, "number(substr(");
        if (!cell_path(w, &of))
            return false;
        say(w, ", 0, 6))");
        return true;
    case PUAN_FACT_NONE:
    case PUAN_FACT_ID_CHECK:
    case PUAN_FACT_NAME_LENGTH:
    case PUAN_FACT_NAME_CLASS:
    case PUAN_FACT_PHONE_CLASS:
    case PUAN_FACT_WORD:
    case PUAN_FACT_NUMBER_CHECK:
    case PUAN_FACT_NUMBER_PART:
    default:
        return false;
    }
}

static bool is_fact(const struct writer *w, const struct cell *c)
{
    return item_of(w, c->entity, c->item)->type == PUAN_TYPE_FACT;
}

/* ---- quantifiers ---- */

/* Rows of the roster for which the condition is true, false, or neither. */
enum rows { ROWS_TRUE, ROWS_FALSE, ROWS_DOUBT };

static bool rows_path(struct writer *w, const node *n, const node *where,
                      enum rows which)
{
    bool ok = true;

    if (w->in_row)
        return false;
    w->over_rows = true;
    puan_out_fmt(w->o, "%s/%.*s", w->x->root,
                 PUAN_FMT(w->x->form->entity[n->entity].name));
    if (!where)
        return which == ROWS_TRUE;
    w->in_row = true;
    w->row_entity = n->entity;
    say(w, "[");
    if (which == ROWS_DOUBT) {
        say(w, "not(");
        ok = truth(w, where, true);
        say(w, ") and not(");
        ok = ok && truth(w, where, false);
        say(w, ")");
    } else {
        ok = truth(w, where, which == ROWS_TRUE);
    }
    say(w, "]");
    w->in_row = false;
    return ok;
}

static bool no_doubt(struct writer *w, const node *n, const node *where)
{
    if (!where) {
        say(w, "true()");
        return true;
    }
    say(w, "count(");
    if (!rows_path(w, n, where, ROWS_DOUBT))
        return false;
    say(w, ") = 0");
    return true;
}

/* The first row that counts, as the prefix of its cells. */
static bool first_prefix(const char **prefix, struct writer *w, const node *n,
                         const node *where)
{
    struct puan_out o, *was = w->o;
    bool ok;

    puan_out_init(&o, w->arena);
    w->o = &o;
    ok = rows_path(w, n, where, ROWS_TRUE);
    say(w, "[position() = 1]/");
    w->o = was;
    *prefix = o.p;
    return ok && small(w);
}

/* The cell that `first` or `at` gives. */
static bool far_cell(struct cell *c, struct writer *w, const node *n)
{
    const node *x = n->kid;

    if (w->in_row || x->ast != PUAN_AST_ITEM)
        return false;
    *c = (struct cell){ .src = PUAN_SRC_INNER, .item = x->item };
    if (n->ast == PUAN_AST_QUANT) {
        c->entity = n->entity;
        return first_prefix(&c->prefix, w, n, x->next);
    }
    return false;
}

static bool sum_parts(struct writer *w, const node *n, bool all_known)
{
    const node *x = n->kid, *where = x->next;
    bool ok = true;

    if (w->in_row || x->ast != PUAN_AST_ITEM)
        return false;
    if (all_known) { /* no row counts whose x is not known */
        puan_out_fmt(w->o, "count(%s/%.*s[", w->x->root,
                     PUAN_FMT(w->x->form->entity[n->entity].name));
        w->in_row = true;
        w->row_entity = n->entity;
        if (where) {
            ok = truth(w, where, true);
            say(w, " and ");
        }
        say(w, "not(");
        ok = ok && known(w, x);
        say(w, ")]) = 0");
        w->in_row = false;
        return ok;
    }
    if (!rows_path(w, n, where, ROWS_TRUE))
        return false;
    say(w, "/");
    puan_out_str(w->o, item_of(w, n->entity, x->item)->name);
    return item_of(w, n->entity, x->item)->from == PUAN_FROM_ANSWER;
}

static bool quant_known(struct writer *w, const node *n)
{
    const node *where = n->op >= PUAN_Q_SUM ? n->kid->next : n->kid;
    struct cell c;

    switch ((enum puan_quant)n->op) {
    case PUAN_Q_COUNT:
        return no_doubt(w, n, where);
    case PUAN_Q_SUM:
    case PUAN_Q_MIN:
    case PUAN_Q_MAX:
        say(w, "(");
        if (!no_doubt(w, n, where))
            return false;
        say(w, " and ");
        if (!sum_parts(w, n, true))
            return false;
        if (n->op != PUAN_Q_SUM) {
            say(w, " and count(");
            if (!rows_path(w, n, where, ROWS_TRUE))
                return false;
            say(w, ") > 0");
        }
        say(w, ")");
        return true;
    case PUAN_Q_FIRST:
        if (!far_cell(&c, w, n) || is_fact(w, &c))
            return false;
        say(w, "(");
        if (!no_doubt(w, n, where))
            return false;
        say(w, " and ");
        if (!cell_known(w, &c))
            return false;
        say(w, ")");
        return true;
    case PUAN_Q_ANY:
    case PUAN_Q_ALL:
    default:
        return false; /* truth, not value */
    }
}

static bool quant_value(struct writer *w, const node *n)
{
    enum puan_kind kind = n->type.kind;
    struct cell c;

    switch ((enum puan_quant)n->op) {
    case PUAN_Q_COUNT:
        say(w, "count(");
        if (!rows_path(w, n, n->kid, ROWS_TRUE))
            return false;
        say(w, ")");
        return true;
    case PUAN_Q_SUM:
    case PUAN_Q_MIN:
    case PUAN_Q_MAX:
        if (kind != PUAN_KIND_NUM)
            return false;
        say(w, n->op == PUAN_Q_SUM   ? "sum("
               : n->op == PUAN_Q_MIN ? "min("
                                     : "max(");
        if (!sum_parts(w, n, false))
            return false;
        say(w, ")");
        return true;
    case PUAN_Q_FIRST:
        return far_cell(&c, w, n) && !is_fact(w, &c) && cell_value(w, &c);
    case PUAN_Q_ANY:
    case PUAN_Q_ALL:
    default:
        return false;
    }
}

static bool quant_truth(struct writer *w, const node *n, bool wanted)
{
    bool any = n->op == PUAN_Q_ANY;

    if (n->op != PUAN_Q_ANY && n->op != PUAN_Q_ALL)
        return false;
    if (!n->kid) { /* any(person) */
        say(w, "count(");
        if (!rows_path(w, n, NULL, ROWS_TRUE))
            return false;
        say(w, wanted ? ") > 0" : ") = 0");
        return true;
    }
    say(w, "(count(");
    if (!rows_path(w, n, n->kid, any ? ROWS_TRUE : ROWS_FALSE))
        return false;
    say(w, any == wanted ? ") > 0" : ") = 0");
    if (any != wanted) { /* nothing decided it: no row may be in doubt */
        say(w, " and ");
        if (!no_doubt(w, n, n->kid))
            return false;
    }
    say(w, ")");
    return true;
}

/* ---- derived items ---- */

/* The tree of a derived item, with the writer set to its place. */
static const node *enter(struct writer *w, const node *n, struct writer *was)
{
    const struct puan_column *c;

    *was = *w;
    if (!w->prog || n->item >= w->prog->n_columns || w->depth >= 16)
        return NULL;
    c = &w->prog->column[n->item];
    w->own = (uint8_t)source(w, n);
    w->depth++;
    return c->tree;
}

static void leave(struct writer *w, const struct writer *was)
{
    w->own = was->own;
    w->depth = was->depth;
}

/* ---- values ---- */

static bool each_known(struct writer *w, const node *k)
{
    bool first = true;

    say(w, "(");
    for (; k; k = k->next) {
        if (k->ast == PUAN_AST_CONST)
            continue;
        if (!first)
            say(w, " and ");
        first = false;
        if (!known(w, k))
            return false;
    }
    say(w, first ? "true())" : ")");
    return true;
}

static bool if_known(struct writer *w, const node *n)
{
    const node *c = n->kid, *a = c->next, *b = a->next;
    bool ok;

    say(w, "((");
    ok = truth(w, c, true);
    say(w, " and ");
    ok = ok && known(w, a);
    say(w, ") or (");
    ok = ok && truth(w, c, false);
    say(w, " and ");
    ok = ok && known(w, b);
    say(w, "))");
    return ok;
}

static bool call_known(struct writer *w, const node *n)
{
    switch ((enum puan_fn)n->op) {
    case PUAN_FN_IF:
        return if_known(w, n);
    case PUAN_FN_ABS:
    case PUAN_FN_MIN:
    case PUAN_FN_MAX:
    case PUAN_FN_YEAR:
    case PUAN_FN_MONTH_OF:
    case PUAN_FN_AGE_AT:
    case PUAN_FN_NUMBER:
        return each_known(w, n->kid);
    case PUAN_FN_PREFIX:
        return known(w, n->kid);
    case PUAN_FN_GIVEN:
    case PUAN_FN_KNOWN:
        say(w, "true()");
        return true;
    case PUAN_FN_MISSING:
    case PUAN_FN_ASKED:
    case PUAN_FN_INVALID:
    case PUAN_FN_REASON:
    case PUAN_FN_MONTH:
    case PUAN_FN_DAY:
    case PUAN_FN_AT:
    case PUAN_FN_SAME_ID:
    case PUAN_FN_SAME_TEXT:
    case PUAN_FN_FOUND:
    case PUAN_FN_FACT:
    default:
        return false;
    }
}

static bool known(struct writer *w, const node *n)
{
    struct writer was;
    struct cell c;
    const node *t;
    bool ok;

    if (!small(w))
        return false;
    if (n->type.kind == PUAN_KIND_TRUTH && n->ast != PUAN_AST_CONST) {
        say(w, "(");
        ok = truth(w, n, true);
        say(w, " or ");
        ok = ok && truth(w, n, false);
        say(w, ")");
        return ok;
    }
    switch (n->ast) {
    case PUAN_AST_CONST:
        say(w, "true()");
        return true;
    case PUAN_AST_ITEM:
        c = (struct cell){ .src = source(w, n), .item = n->item };
        c.entity = entity_of(w, c.src);
        return is_fact(w, &c) ? fact_known(w, &c) : cell_known(w, &c);
    case PUAN_AST_COLUMN:
        t = enter(w, n, &was);
        ok = t && known(w, t);
        leave(w, &was);
        return ok;
    case PUAN_AST_ADD:
    case PUAN_AST_SUB:
    case PUAN_AST_MUL:
    case PUAN_AST_NEG:
        return each_known(w, n->kid);
    case PUAN_AST_DIV:
    case PUAN_AST_MOD:
        say(w, "(");
        ok = each_known(w, n->kid);
        say(w, " and ");
        ok = ok && value(w, n->kid->next);
        say(w, " != 0)");
        return ok;
    case PUAN_AST_CALL:
        return call_known(w, n);
    case PUAN_AST_QUANT:
        return quant_known(w, n);
    case PUAN_AST_ROW:
    case PUAN_AST_WORD:
    case PUAN_AST_NAME:
    case PUAN_AST_OR:
    case PUAN_AST_AND:
    case PUAN_AST_NOT:
    case PUAN_AST_COMPARE:
    case PUAN_AST_IN:
    case PUAN_AST_RANGE:
    case PUAN_AST_LOOKUP:
        break;
    }
    return false;
}

static bool two_values(struct writer *w, const node *n, const char *sign)
{
    bool ok;

    say(w, "(");
    ok = value(w, n->kid);
    say(w, sign);
    ok = ok && value(w, n->kid->next);
    say(w, ")");
    return ok;
}

/* The whole part of a quotient, towards zero. */
static bool whole(struct writer *w, const node *a, const node *b, int64_t k)
{
    bool ok;

    say(w, "int(");
    ok = value(w, a);
    say(w, " div ");
    if (b)
        ok = ok && value(w, b);
    else
        puan_out_int(w->o, k);
    say(w, ")");
    return ok;
}

static bool call_value(struct writer *w, const node *n)
{
    const node *x = n->kid, *y = x->next;
    bool ok;

    switch ((enum puan_fn)n->op) {
    case PUAN_FN_IF:
        say(w, "if(");
        ok = truth(w, x, true);
        say(w, ", ");
        ok = ok && value(w, y);
        say(w, ", ");
        ok = ok && value(w, y->next);
        say(w, ")");
        return ok;
    case PUAN_FN_ABS:
        say(w, "abs(");
        ok = value(w, x);
        say(w, ")");
        return ok;
    case PUAN_FN_MIN:
    case PUAN_FN_MAX:
        say(w, n->op == PUAN_FN_MIN ? "min(" : "max(");
        ok = value(w, x);
        for (; y && ok; y = y->next) {
            say(w, ", ");
            ok = value(w, y);
        }
        say(w, ")");
        return ok;
    case PUAN_FN_YEAR:
        return x->type.kind == PUAN_KIND_MONTH && whole(w, x, NULL, 12);
    case PUAN_FN_MONTH_OF:
        if (x->type.kind != PUAN_KIND_MONTH)
            return false;
        say(w, "(");
        ok = value(w, x);
        say(w, " mod 12 + 1)");
        return ok;
    case PUAN_FN_AGE_AT:
        /* floor((ref - born - 1) / 12), kept above zero while it is cut */
        if (x->type.kind != PUAN_KIND_MONTH)
            return false;
        say(w, "(int((");
        ok = value(w, y);
        say(w, " - ");
        ok = ok && value(w, x);
        say(w, " - 1 + 12000) div 12) - 1000)");
        return ok;
    case PUAN_FN_NUMBER:
        return x->type.kind != PUAN_KIND_DAY && value(w, x);
    case PUAN_FN_PREFIX:
        return whole(w, x, NULL, n->value);
    case PUAN_FN_GIVEN:
    case PUAN_FN_KNOWN:
    case PUAN_FN_MISSING:
    case PUAN_FN_ASKED:
    case PUAN_FN_INVALID:
    case PUAN_FN_REASON:
    case PUAN_FN_MONTH:
    case PUAN_FN_DAY:
    case PUAN_FN_AT:
    case PUAN_FN_SAME_ID:
    case PUAN_FN_SAME_TEXT:
    case PUAN_FN_FOUND:
    case PUAN_FN_FACT:
    default:
        return false;
    }
}

static bool value(struct writer *w, const node *n)
{
    struct writer was;
    struct cell c;
    const node *t;
    bool ok;

    if (!small(w))
        return false;
    switch (n->ast) {
    case PUAN_AST_CONST:
        if (n->type.kind == PUAN_KIND_DAY)
            number_text(w, day_as_number(n->value), 0);
        else
            number_text(w, n->value, n->type.places);
        return n->type.kind != PUAN_KIND_TRUTH;
    case PUAN_AST_ITEM:
        c = (struct cell){ .src = source(w, n), .item = n->item };
        c.entity = entity_of(w, c.src);
        return is_fact(w, &c) ? fact_value(w, &c) : cell_value(w, &c);
    case PUAN_AST_COLUMN:
        t = enter(w, n, &was);
        ok = t && value(w, t);
        leave(w, &was);
        return ok;
    case PUAN_AST_ADD:
    case PUAN_AST_SUB: /* days are no numbers to count with here */
        if (n->kid->type.kind == PUAN_KIND_DAY ||
            n->kid->next->type.kind == PUAN_KIND_DAY)
            return false;
        return two_values(w, n, n->ast == PUAN_AST_ADD ? " + " : " - ");
    case PUAN_AST_MUL:
        return two_values(w, n, " * ");
    case PUAN_AST_DIV:
        return whole(w, n->kid, n->kid->next, 0);
    case PUAN_AST_MOD:
        return two_values(w, n, " mod ");
    case PUAN_AST_NEG:
        say(w, "(0 - ");
        ok = value(w, n->kid);
        say(w, ")");
        return ok;
    case PUAN_AST_CALL:
        return call_value(w, n);
    case PUAN_AST_QUANT:
        return quant_value(w, n);
    case PUAN_AST_ROW:
    case PUAN_AST_WORD:
    case PUAN_AST_NAME:
    case PUAN_AST_OR:
    case PUAN_AST_AND:
    case PUAN_AST_NOT:
    case PUAN_AST_COMPARE:
    case PUAN_AST_IN:
    case PUAN_AST_RANGE:
    case PUAN_AST_LOOKUP:
        break;
    }
    return false;
}

/* ---- truth ---- */

static bool compare_holds(int64_t a, int64_t b, unsigned op)
{
    return (op & (a < b ? PUAN_CMP_LT : a == b ? PUAN_CMP_EQ : PUAN_CMP_GT)) !=
           0;
}

/* A code whose texts are no numbers: the texts that fit, one by one. */
static bool code_among(struct writer *w, const struct cell *c, const node *n,
                       bool wanted)
{
    const struct puan_codelist *l = item_of(w, c->entity, c->item)->codes;
    bool first = true;

    say(w, "(");
    for (size_t i = 0; l && i < l->n; i++) {
        bool in = false;

        if (n->ast == PUAN_AST_COMPARE) {
            in = compare_holds(l->codes[i].value, n->kid->next->value, n->op);
        } else {
            for (const node *m = n->kid->next; m; m = m->next)
                in = in || (m->ast == PUAN_AST_RANGE
                                ? l->codes[i].value >= m->kid->value &&
                                      l->codes[i].value <= m->kid->next->value
                                : l->codes[i].value == m->value);
            in = in != n->negated;
        }
        if (in != wanted)
            continue;
        if (!first)
            say(w, " or ");
        first = false;
        if (!cell_path(w, c))
            return false;
        puan_out_fmt(w->o, " = '%.*s'", PUAN_FMT(l->codes[i].text));
    }
    say(w, first ? "false())" : ")");
    return l != NULL;
}

/* The item with such a code list that a test is about. */
static bool text_cell(struct cell *c, const struct writer *w, const node *n)
{
    const node *x = n->kid;

    if (x->ast != PUAN_AST_ITEM || x->type.kind != PUAN_KIND_CODE)
        return false;
    *c = (struct cell){ .src = source(w, x), .item = x->item };
    c->entity = entity_of(w, c->src);
    return item_of(w, c->entity, c->item)->type == PUAN_TYPE_CODE &&
           !plain_codes(item_of(w, c->entity, c->item)->codes);
}

static const char *sign_of(unsigned op)
{
    static const char *const signs[] = { "?",   " < ",  " = ", " <= ",
                                         " > ", " != ", " >= " };

    return op < PUAN_COUNT(signs) ? signs[op] : "?";
}

static bool compare_truth(struct writer *w, const node *n, bool wanted)
{
    const node *a = n->kid, *b = a->next;
    struct cell c;
    bool ok;

    if (a->type.kind == PUAN_KIND_TRUTH || b->type.kind == PUAN_KIND_TRUTH)
        return false;
    if (b->ast == PUAN_AST_CONST && text_cell(&c, w, n))
        return code_among(w, &c, n, wanted);
    say(w, "(");
    ok = each_known(w, a);
    say(w, " and ");
    ok = ok && value(w, a);
    say(w, sign_of(wanted ? n->op : 7u ^ n->op));
    ok = ok && value(w, b);
    say(w, ")");
    return ok;
}

static bool in_truth(struct writer *w, const node *n, bool wanted)
{
    const node *a = n->kid;
    bool ok, yes = wanted != n->negated;
    struct cell c;

    if (text_cell(&c, w, n))
        return code_among(w, &c, n, wanted);
    say(w, "(");
    ok = known(w, a);
    say(w, yes ? " and (" : " and not(");
    for (const node *m = a->next; m && ok; m = m->next) {
        if (m != a->next)
            say(w, " or ");
        if (m->ast == PUAN_AST_RANGE) {
            say(w, "(");
            ok = value(w, a);
            say(w, " >= ");
            ok = ok && value(w, m->kid);
            say(w, " and ");
            ok = ok && value(w, a);
            say(w, " <= ");
            ok = ok && value(w, m->kid->next);
            say(w, ")");
        } else {
            ok = value(w, a);
            say(w, " = ");
            ok = ok && value(w, m);
        }
    }
    say(w, "))");
    return ok;
}

static bool call_truth(struct writer *w, const node *n, bool wanted)
{
    const node *x = n->kid;
    bool ok;

    switch ((enum puan_fn)n->op) {
    case PUAN_FN_GIVEN:
    case PUAN_FN_KNOWN:
        if (!wanted)
            say(w, "not(");
        ok = known(w, x);
        if (!wanted)
            say(w, ")");
        return ok;
    case PUAN_FN_IF:
        say(w, "((");
        ok = truth(w, x, true);
        say(w, " and ");
        ok = ok && truth(w, x->next, wanted);
        say(w, ") or (");
        ok = ok && truth(w, x, false);
        say(w, " and ");
        ok = ok && truth(w, x->next->next, wanted);
        say(w, "))");
        return ok;
    case PUAN_FN_MISSING:
    case PUAN_FN_ASKED:
    case PUAN_FN_INVALID:
    case PUAN_FN_REASON:
    case PUAN_FN_ABS:
    case PUAN_FN_MIN:
    case PUAN_FN_MAX:
    case PUAN_FN_MONTH:
    case PUAN_FN_DAY:
    case PUAN_FN_YEAR:
    case PUAN_FN_MONTH_OF:
    case PUAN_FN_AGE_AT:
    case PUAN_FN_NUMBER:
    case PUAN_FN_PREFIX:
    case PUAN_FN_AT:
    case PUAN_FN_SAME_ID:
    case PUAN_FN_SAME_TEXT:
    case PUAN_FN_FOUND:
    case PUAN_FN_FACT:
    default:
        return false;
    }
}

static bool truth(struct writer *w, const node *n, bool wanted)
{
    struct writer was;
    const node *t;
    bool ok;

    if (!small(w))
        return false;
    switch (n->ast) {
    case PUAN_AST_CONST:
        say(w, (n->value != 0) == wanted ? "true()" : "false()");
        return true;
    case PUAN_AST_COLUMN:
        t = enter(w, n, &was);
        ok = t && truth(w, t, wanted);
        leave(w, &was);
        return ok;
    case PUAN_AST_OR:
    case PUAN_AST_AND:
        say(w, "(");
        ok = truth(w, n->kid, wanted);
        say(w, (n->ast == PUAN_AST_AND) == wanted ? " and " : " or ");
        ok = ok && truth(w, n->kid->next, wanted);
        say(w, ")");
        return ok;
    case PUAN_AST_NOT:
        return truth(w, n->kid, !wanted);
    case PUAN_AST_COMPARE:
        return compare_truth(w, n, wanted);
    case PUAN_AST_IN:
        return in_truth(w, n, wanted);
    case PUAN_AST_CALL:
        return call_truth(w, n, wanted);
    case PUAN_AST_QUANT:
        return quant_truth(w, n, wanted);
    case PUAN_AST_ITEM:
    case PUAN_AST_ROW:
    case PUAN_AST_WORD:
    case PUAN_AST_NAME:
    case PUAN_AST_RANGE:
    case PUAN_AST_ADD:
    case PUAN_AST_SUB:
    case PUAN_AST_MUL:
    case PUAN_AST_DIV:
    case PUAN_AST_MOD:
    case PUAN_AST_NEG:
    case PUAN_AST_LOOKUP:
        break;
    }
    return false;
}

/* ---- the two that are asked for ---- */

bool puan_xpath_asked(struct puan_str *out, const struct puan_xpath *x,
                      uint16_t entity, uint16_t item, struct puan_arena *a)
{
    const struct puan_item *it = &x->form->entity[entity].items[item];
    struct puan_err err = { 0 };
    struct puan_rule_names names = { .form = x->form,
                                     .settings = x->consts,
                                     .n_settings = x->n_consts,
                                     .arena = a,
                                     .err = &err };
    struct puan_rule_scope s = { .names = &names, .file = "",
                                 .level = entity };
    struct puan_out o;
    struct writer w = { .x = x, .o = &o, .arena = a, .level = entity,
                        .own = PUAN_SRC_OWN };
    struct puan_ast_node *n;
    struct puan_lex l;

    *out = (struct puan_str){ 0 };
    if (it->asked_if.n == 0)
        return true;
    puan_out_init(&o, a);
    if (puan_lex_init(&l, it->asked_if, "", 1, a, &err) != PUAN_OK ||
        puan_lex_next(&l) != PUAN_OK ||
        puan_rule_parse_expr(&n, &l) != PUAN_OK ||
        puan_rule_check_truth(n, &s, "a condition") != PUAN_OK ||
        !truth(&w, n, true) || !small(&w))
        return false;
    *out = puan_out_view(&o);
    return true;
}

bool puan_xpath_finding(struct puan_str *out, bool *over_rows,
                        const struct puan_xpath *x,
                        const struct puan_ruleset *rs, size_t i,
                        struct puan_arena *a)
{
    const struct puan_rule_code *c = &rs->code[i];
    struct puan_out o;
    struct writer w = { .x = x, .prog = &rs->prog, .o = &o, .arena = a,
                        .level = c->entity, .own = PUAN_SRC_OWN };
    bool ok = true;

    puan_out_init(&o, a);
    if (c->when_tree) {
        ok = truth(&w, c->when_tree, true);
        say(&w, " and ");
    }
    ok = ok && truth(&w, c->check_tree, false) && small(&w);
    *out = puan_out_view(&o);
    *over_rows = w.over_rows;
    return ok;
}
