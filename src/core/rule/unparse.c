/*
 * A parsed expression back to text, and which of its parts say why it came out
 * as it did.  Parentheses stand where the grammar needs them, so that the text
 * parses to the same tree.
 */
#include "core/rule/lang.h"

#include "base/arena.h"

typedef struct puan_ast_node node;

/* How tightly a node binds; what binds less is put in parentheses. */
static int strength(const node *n)
{
    switch (n->ast) {
    case PUAN_AST_OR:
        return 1;
    case PUAN_AST_AND:
        return 2;
    case PUAN_AST_NOT:
        return 3;
    case PUAN_AST_COMPARE:
    case PUAN_AST_IN:
        return 4;
    case PUAN_AST_RANGE:
        return 5;
    case PUAN_AST_ADD:
    case PUAN_AST_SUB:
        return 6;
    case PUAN_AST_MUL:
    case PUAN_AST_DIV:
    case PUAN_AST_MOD:
        return 7;
    case PUAN_AST_NEG:
        return 8;
    case PUAN_AST_CONST:
    case PUAN_AST_WORD:
    case PUAN_AST_NAME:
    case PUAN_AST_ROW:
    case PUAN_AST_ITEM:
    case PUAN_AST_COLUMN:
    case PUAN_AST_CALL:
    case PUAN_AST_QUANT:
    case PUAN_AST_LOOKUP:
        break;
    }
    return 9;
}

static void write_node(struct puan_out *o, const node *n, int least);

static void write_pair(struct puan_out *o, const node *n, const char *sign)
{
    int own = strength(n);

    write_node(o, n->kid, own);
    puan_out_text(o, sign);
    write_node(o, n->kid->next, own + 1);
}

static const char *comparison(uint8_t op)
{
    static const char *const signs[] = { "?",   " < ",  " = ", " <= ",
                                         " > ", " != ", " >= " };

    return op < PUAN_COUNT(signs) ? signs[op] : "?";
}

static void write_number(struct puan_out *o, const node *n)
{
    uint64_t unit = 1, size;

    if (n->type.kind == PUAN_KIND_TRUTH) {
        puan_out_text(o, n->value ? "true" : "false");
        return;
    }
    for (unsigned i = 0; i < n->type.places; i++)
        unit *= 10;
    size = n->value < 0 ? 0 - (uint64_t)n->value : (uint64_t)n->value;
    puan_out_fmt(o, "%s%llu", n->value < 0 ? "-" : "",
                 (unsigned long long)(size / unit));
    if (n->type.places)
        puan_out_fmt(o, ".%0*llu", (int)n->type.places,
                     (unsigned long long)(size % unit));
}

static void write_name(struct puan_out *o, const node *n)
{
    if (n->qual.n) {
        puan_out_str(o, n->qual);
        puan_out_char(o, '.');
    }
    if (n->ast == PUAN_AST_ROW)
        puan_out_text(o, "row");
    else
        puan_out_str(o, n->name);
}

static void write_list(struct puan_out *o, const node *k)
{
    for (; k; k = k->next) {
        write_node(o, k, 5);
        if (k->next)
            puan_out_text(o, ", ");
    }
}

static void write_quantifier(struct puan_out *o, const node *n)
{
    const node *k = n->kid;

    puan_out_str(o, n->name);
    puan_out_char(o, '(');
    puan_out_str(o, n->qual);
    if (n->op >= PUAN_Q_SUM && k) {
        puan_out_char(o, '.');
        puan_out_str(o, k->name);
        k = k->next;
    }
    if (k) {
        puan_out_text(o, " where ");
        write_node(o, k, 0);
    }
    puan_out_char(o, ')');
}

static void write_in(struct puan_out *o, const node *n)
{
    const node *k = n->kid->next;

    write_node(o, n->kid, 6);
    puan_out_text(o, n->negated ? " not in " : " in ");
    if (k && !k->next && k->ast == PUAN_AST_RANGE) {
        write_node(o, k, 5);
        return;
    }
    puan_out_char(o, '{');
    write_list(o, k);
    puan_out_char(o, '}');
}

static void write_node(struct puan_out *o, const node *n, int least)
{
    bool wrap = strength(n) < least;

    if (wrap)
        puan_out_char(o, '(');
    switch (n->ast) {
    case PUAN_AST_CONST:
        write_number(o, n);
        break;
    case PUAN_AST_WORD:
        puan_out_char(o, '"');
        puan_out_str(o, n->name);
        puan_out_char(o, '"');
        break;
    case PUAN_AST_NAME:
    case PUAN_AST_ROW:
    case PUAN_AST_ITEM:
    case PUAN_AST_COLUMN:
        write_name(o, n);
        break;
    case PUAN_AST_OR:
        write_pair(o, n, " or ");
        break;
    case PUAN_AST_AND:
        write_pair(o, n, " and ");
        break;
    case PUAN_AST_NOT:
        puan_out_text(o, "not ");
        write_node(o, n->kid, 3);
        break;
    case PUAN_AST_COMPARE:
        write_node(o, n->kid, 6);
        puan_out_text(o, comparison(n->op));
        write_node(o, n->kid->next, 6);
        break;
    case PUAN_AST_IN:
        write_in(o, n);
        break;
    case PUAN_AST_RANGE:
        write_pair(o, n, "..");
        break;
    case PUAN_AST_ADD:
        write_pair(o, n, " + ");
        break;
    case PUAN_AST_SUB:
        write_pair(o, n, " - ");
        break;
    case PUAN_AST_MUL:
        write_pair(o, n, " * ");
        break;
    case PUAN_AST_DIV:
        write_pair(o, n, " / ");
        break;
    case PUAN_AST_MOD:
        write_pair(o, n, " mod ");
        break;
    case PUAN_AST_NEG:
        puan_out_char(o, '-');
        write_node(o, n->kid, 8);
        break;
    case PUAN_AST_CALL:
        puan_out_str(o, n->name);
        puan_out_char(o, '(');
        write_list(o, n->kid);
        puan_out_char(o, ')');
        break;
    case PUAN_AST_QUANT:
        write_quantifier(o, n);
        break;
    case PUAN_AST_LOOKUP: /* only in a checked tree, which is not written */
        break;
    }
    if (wrap)
        puan_out_char(o, ')');
}

void puan_rule_write(struct puan_out *o, const struct puan_ast_node *n)
{
    write_node(o, n, 0);
}

static void see(struct puan_rule_seen *s, node *n, struct puan_arena *a)
{
    struct puan_out o;

    if (s->n == PUAN_RULE_PARTS)
        return;
    puan_out_init(&o, a);
    write_node(&o, n, 0);
    for (size_t i = 0; i < s->n; i++)
        if (puan_str_eq(s->text[i], puan_out_view(&o)))
            return;
    s->node[s->n] = n;
    s->text[s->n++] = puan_out_view(&o);
}

void puan_rule_see(struct puan_rule_seen *s, node *n, struct puan_arena *a)
{
    if (!n)
        return;
    switch (n->ast) {
    case PUAN_AST_OR:
    case PUAN_AST_AND:
    case PUAN_AST_NOT:
        for (node *k = n->kid; k; k = k->next)
            puan_rule_see(s, k, a);
        return;
    case PUAN_AST_COMPARE:
    case PUAN_AST_IN:
        see(s, n, a);
        for (node *k = n->kid; k; k = k->next) {
            if (k->ast != PUAN_AST_CONST && k->ast != PUAN_AST_WORD &&
                k->ast != PUAN_AST_RANGE)
                see(s, k, a);
            if (n->ast == PUAN_AST_IN)
                break; /* the set holds constants only */
        }
        return;
    case PUAN_AST_CONST:
    case PUAN_AST_WORD:
    case PUAN_AST_RANGE:
        return;
    case PUAN_AST_NAME:
    case PUAN_AST_ROW:
    case PUAN_AST_ITEM:
    case PUAN_AST_COLUMN:
    case PUAN_AST_ADD:
    case PUAN_AST_SUB:
    case PUAN_AST_MUL:
    case PUAN_AST_DIV:
    case PUAN_AST_MOD:
    case PUAN_AST_NEG:
    case PUAN_AST_CALL:
    case PUAN_AST_QUANT:
    case PUAN_AST_LOOKUP:
        see(s, n, a);
        return;
    }
}
