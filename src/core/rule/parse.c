/*
 * Tokens to the syntax tree of doc/rules.md.  Recursion is bounded by
 * PUAN_RULE_HEIGHT; never looks at a form.
 */
#include "core/rule/lang.h"

#include "base/arena.h"

static enum puan_status expr(struct puan_ast_node **out, struct puan_lex *l,
                             unsigned depth);

static struct puan_ast_node *node(struct puan_lex *l, enum puan_ast ast)
{
    struct puan_ast_node *n = puan_new(l->arena, struct puan_ast_node);

    if (n) {
        n->ast = ast;
        n->line = l->tok_line;
        n->col = l->tok_col;
        n->height = 1;
    }
    return n;
}

static enum puan_status too_deep(struct puan_lex *l, uint32_t line,
                                 uint32_t col)
{
    return puan_fail_at(l->err, PUAN_ELIMIT, l->file, line, col,
                        "the expression is nested too deeply: name a part of "
                        "it with 'define'");
}

/* Appends `kid`; the height grows with it. */
static enum puan_status add(struct puan_lex *l, struct puan_ast_node *n,
                            struct puan_ast_node *kid)
{
    struct puan_ast_node **end = &n->kid;

    while (*end)
        end = &(*end)->next;
    *end = kid;
    if (kid->height >= n->height)
        n->height = (uint16_t)(kid->height + 1);
    if (n->height > PUAN_RULE_HEIGHT)
        return too_deep(l, n->line, n->col);
    return PUAN_OK;
}

static enum puan_status out_of_memory(struct puan_lex *l)
{
    return puan_fail(l->err, PUAN_ENOMEM, l->file, "out of memory");
}

static enum puan_status want(struct puan_lex *l, enum puan_tok tok,
                             const char *what)
{
    if (l->tok != tok)
        return puan_lex_expected(l, what ? what : puan_tok_name(tok));
    return puan_lex_next(l);
}

/* A node of two kids, at the place of the operator. */
static enum puan_status pair(struct puan_ast_node **out, struct puan_lex *l,
                             enum puan_ast ast, uint32_t line, uint32_t col,
                             struct puan_ast_node *a, struct puan_ast_node *b)
{
    struct puan_ast_node *n = node(l, ast);
    enum puan_status st;

    if (!n)
        return out_of_memory(l);
    n->line = line;
    n->col = col;
    st = add(l, n, a);
    if (st == PUAN_OK)
        st = add(l, n, b);
    *out = n;
    return st;
}

static enum puan_status quantifier(struct puan_ast_node **out,
                                   struct puan_lex *l, enum puan_quant q,
                                   struct puan_ast_node *n, unsigned depth)
{
    enum puan_status st;
    struct puan_ast_node *x;

    n->ast = PUAN_AST_QUANT;
    n->op = (uint8_t)q;
    if (l->tok != PUAN_TOK_NAME)
        return puan_lex_expected(l, "the name of a roster");
    n->qual = l->text;
    if (q >= PUAN_Q_SUM) {
        x = node(l, PUAN_AST_NAME);
        if (!x)
            return out_of_memory(l);
        x->qual = l->text;
        st = puan_lex_next(l);
        if (st == PUAN_OK)
            st = want(l, PUAN_TOK_DOT, "'.' and an item after the roster");
        if (st != PUAN_OK)
            return st;
        if (l->tok != PUAN_TOK_NAME)
            return puan_lex_expected(l, "the name of an item");
        x->name = l->text;
        st = add(l, n, x);
        if (st != PUAN_OK)
            return st;
    }
    st = puan_lex_next(l);
    if (st != PUAN_OK)
        return st;
    if (l->tok == PUAN_TOK_WHERE) {
        st = puan_lex_next(l);
        if (st == PUAN_OK)
            st = expr(&x, l, depth + 1);
        if (st == PUAN_OK)
            st = add(l, n, x);
        if (st != PUAN_OK)
            return st;
    }
    *out = n;
    return want(l, PUAN_TOK_CLOSE, "'where' or ')'");
}

/* A look at what follows without moving. */
static bool roster_dot_ahead(const struct puan_lex *l)
{
    struct puan_lex peek = *l;
    struct puan_err ignored = { 0 };

    peek.err = &ignored;
    if (peek.tok != PUAN_TOK_NAME || puan_lex_next(&peek) != PUAN_OK ||
        peek.tok != PUAN_TOK_DOT || puan_lex_next(&peek) != PUAN_OK ||
        puan_lex_next(&peek) != PUAN_OK)
        return false;
    return peek.tok == PUAN_TOK_WHERE || peek.tok == PUAN_TOK_CLOSE;
}

static enum puan_status call(struct puan_ast_node **out, struct puan_lex *l,
                             struct puan_ast_node *n, unsigned depth)
{
    static const char *const quants[] = { "count", "any", "all",  "sum",
                                          "min",   "max", "first" };
    enum puan_status st = puan_lex_next(l); /* past '(' */

    if (st != PUAN_OK)
        return st;
    for (size_t i = 0; i < PUAN_COUNT(quants); i++) {
        if (!puan_str_is(n->name, quants[i]))
            continue;
        /* min(person.D5) looks over rows; min(self.a, b) takes the smaller */
        if ((i == PUAN_Q_MIN || i == PUAN_Q_MAX) && !roster_dot_ahead(l))
            break;
        return quantifier(out, l, (enum puan_quant)i, n, depth);
    }
    n->ast = PUAN_AST_CALL;
    *out = n;
    for (;;) {
        struct puan_ast_node *arg;

        st = expr(&arg, l, depth + 1);
        if (st == PUAN_OK)
            st = add(l, n, arg);
        if (st != PUAN_OK)
            return st;
        if (l->tok != PUAN_TOK_COMMA)
            break;
        st = puan_lex_next(l);
        if (st != PUAN_OK)
            return st;
    }
    return want(l, PUAN_TOK_CLOSE, "',' or ')'");
}

static enum puan_status primary(struct puan_ast_node **out, struct puan_lex *l,
                                unsigned depth)
{
    struct puan_ast_node *n = node(l, PUAN_AST_CONST);
    enum puan_status st;

    if (!n)
        return out_of_memory(l);
    *out = n;
    switch ((unsigned)l->tok) {
    case PUAN_TOK_NUMBER:
        n->value = l->value;
        n->type.kind = PUAN_KIND_NUM;
        n->type.places = (uint8_t)l->places;
        return puan_lex_next(l);
    case PUAN_TOK_STRING:
        n->ast = PUAN_AST_WORD;
        n->type.kind = PUAN_KIND_WORD;
        n->name = l->text;
        return puan_lex_next(l);
    case PUAN_TOK_TRUE:
    case PUAN_TOK_FALSE:
        n->value = l->tok == PUAN_TOK_TRUE;
        n->type.kind = PUAN_KIND_TRUTH;
        return puan_lex_next(l);
    case PUAN_TOK_ROW:
        n->ast = PUAN_AST_ROW;
        return puan_lex_next(l);
    case PUAN_TOK_SELF:
        n->ast = PUAN_AST_NAME;
        n->qual = l->text;
        st = puan_lex_next(l);
        if (st == PUAN_OK)
            st = want(l, PUAN_TOK_DOT, "'.' and an item after 'self'");
        if (st != PUAN_OK)
            return st;
        if (l->tok == PUAN_TOK_ROW)
            n->ast = PUAN_AST_ROW;
        else if (l->tok != PUAN_TOK_NAME)
            return puan_lex_expected(l, "the name of an item");
        n->name = l->text;
        return puan_lex_next(l);
    case PUAN_TOK_NAME:
        n->ast = PUAN_AST_NAME;
        n->name = l->text;
        st = puan_lex_next(l);
        if (st != PUAN_OK)
            return st;
        if (l->tok == PUAN_TOK_OPEN)
            return call(out, l, n, depth);
        if (l->tok != PUAN_TOK_DOT)
            return PUAN_OK;
        st = puan_lex_next(l);
        if (st != PUAN_OK)
            return st;
        if (l->tok != PUAN_TOK_NAME)
            return puan_lex_expected(l, "the name of an item");
        n->qual = n->name;
        n->name = l->text;
        return puan_lex_next(l);
    case PUAN_TOK_OPEN:
        st = puan_lex_next(l);
        if (st == PUAN_OK)
            st = expr(out, l, depth + 1);
        if (st != PUAN_OK)
            return st;
        return want(l, PUAN_TOK_CLOSE, NULL);
    default:
        return puan_lex_expected(l, "a value");
    }
}

static enum puan_status unary(struct puan_ast_node **out, struct puan_lex *l,
                              unsigned depth)
{
    struct puan_ast_node *n, *a;
    enum puan_status st;

    if (depth > PUAN_RULE_HEIGHT)
        return too_deep(l, l->tok_line, l->tok_col);
    if (l->tok != PUAN_TOK_MINUS)
        return primary(out, l, depth);
    n = node(l, PUAN_AST_NEG);
    if (!n)
        return out_of_memory(l);
    st = puan_lex_next(l);
    if (st == PUAN_OK)
        st = unary(&a, l, depth + 1);
    if (st != PUAN_OK)
        return st;
    *out = n;
    return add(l, n, a);
}

static enum puan_status product(struct puan_ast_node **out, struct puan_lex *l,
                                unsigned depth)
{
    struct puan_ast_node *b;
    enum puan_status st = unary(out, l, depth);

    while (st == PUAN_OK &&
           (l->tok == PUAN_TOK_STAR || l->tok == PUAN_TOK_SLASH ||
            l->tok == PUAN_TOK_MOD)) {
        enum puan_ast ast = l->tok == PUAN_TOK_STAR    ? PUAN_AST_MUL
                            : l->tok == PUAN_TOK_SLASH ? PUAN_AST_DIV
                                                       : PUAN_AST_MOD;
        uint32_t line = l->tok_line, col = l->tok_col;

        st = puan_lex_next(l);
        if (st == PUAN_OK)
            st = unary(&b, l, depth);
        if (st == PUAN_OK)
            st = pair(out, l, ast, line, col, *out, b);
    }
    return st;
}

static enum puan_status sum(struct puan_ast_node **out, struct puan_lex *l,
                            unsigned depth)
{
    struct puan_ast_node *b;
    enum puan_status st = product(out, l, depth);

    while (st == PUAN_OK &&
           (l->tok == PUAN_TOK_PLUS || l->tok == PUAN_TOK_MINUS)) {
        enum puan_ast ast =
            l->tok == PUAN_TOK_PLUS ? PUAN_AST_ADD : PUAN_AST_SUB;
        uint32_t line = l->tok_line, col = l->tok_col;

        st = puan_lex_next(l);
        if (st == PUAN_OK)
            st = product(&b, l, depth);
        if (st == PUAN_OK)
            st = pair(out, l, ast, line, col, *out, b);
    }
    return st;
}

static enum puan_status range(struct puan_ast_node **out, struct puan_lex *l,
                              unsigned depth)
{
    struct puan_ast_node *b;
    enum puan_status st = sum(out, l, depth);

    if (st == PUAN_OK && l->tok == PUAN_TOK_DOTS) {
        uint32_t line = l->tok_line, col = l->tok_col;

        st = puan_lex_next(l);
        if (st == PUAN_OK)
            st = sum(&b, l, depth);
        if (st == PUAN_OK)
            st = pair(out, l, PUAN_AST_RANGE, line, col, *out, b);
    }
    return st;
}

/* After "in": a set in braces or one range. */
static enum puan_status members(struct puan_ast_node **out, struct puan_lex *l,
                                struct puan_ast_node *subject, unsigned depth)
{
    struct puan_ast_node *n = node(l, PUAN_AST_IN), *r, *last = NULL;
    enum puan_status st;

    if (!n)
        return out_of_memory(l);
    st = add(l, n, subject);
    if (st == PUAN_OK)
        st = puan_lex_next(l); /* past "in" */
    if (st != PUAN_OK)
        return st;
    *out = n;
    if (l->tok != PUAN_TOK_LBRACE) {
        st = range(&r, l, depth);
        if (st == PUAN_OK && r->ast != PUAN_AST_RANGE)
            return puan_fail_at(l->err, PUAN_EINVAL, l->file, r->line, r->col,
                                "expected a range such as 1..9 or a set such "
                                "as {1, 3} after 'in'");
        return st == PUAN_OK ? add(l, n, r) : st;
    }
    do {
        st = puan_lex_next(l);
        if (st == PUAN_OK)
            st = range(&r, l, depth);
        if (st == PUAN_OK && last) { /* sets may be long */
            last->next = r;
            if (r->height >= n->height)
                n->height = (uint16_t)(r->height + 1);
            if (n->height > PUAN_RULE_HEIGHT)
                st = too_deep(l, n->line, n->col);
        } else if (st == PUAN_OK) {
            st = add(l, n, r);
        }
        if (st != PUAN_OK)
            return st;
        last = r;
    } while (l->tok == PUAN_TOK_COMMA);
    return want(l, PUAN_TOK_RBRACE, "',' or '}'");
}

static bool relation(enum puan_tok t)
{
    return t >= PUAN_TOK_EQ && t <= PUAN_TOK_GE;
}

static enum puan_status compare(struct puan_ast_node **out, struct puan_lex *l,
                                unsigned depth)
{
    struct puan_ast_node *b;
    enum puan_status st = sum(out, l, depth);

    if (st != PUAN_OK)
        return st;
    if (relation(l->tok)) {
        static const uint8_t ops[] = { PUAN_CMP_EQ, PUAN_CMP_NE, PUAN_CMP_LT,
                                       PUAN_CMP_LE, PUAN_CMP_GT, PUAN_CMP_GE };
        uint8_t op = ops[l->tok - PUAN_TOK_EQ];
        uint32_t line = l->tok_line, col = l->tok_col;

        st = puan_lex_next(l);
        if (st == PUAN_OK)
            st = sum(&b, l, depth);
        if (st == PUAN_OK)
            st = pair(out, l, PUAN_AST_COMPARE, line, col, *out, b);
        if (st == PUAN_OK)
            (*out)->op = op;
    } else if (l->tok == PUAN_TOK_IN) {
        st = members(out, l, *out, depth);
    } else if (l->tok == PUAN_TOK_NOT) {
        st = puan_lex_next(l);
        if (st == PUAN_OK && l->tok != PUAN_TOK_IN)
            return puan_lex_expected(l, "'in' after 'not'");
        if (st == PUAN_OK)
            st = members(out, l, *out, depth);
        if (st == PUAN_OK)
            (*out)->negated = true;
    }
    if (st == PUAN_OK && relation(l->tok))
        return puan_fail_at(l->err, PUAN_EINVAL, l->file, l->tok_line,
                            l->tok_col,
                            "comparisons do not chain: write a < b and b < c");
    return st;
}

static enum puan_status negation(struct puan_ast_node **out, struct puan_lex *l,
                                 unsigned depth)
{
    struct puan_ast_node *n, *a;
    enum puan_status st;

    if (depth > PUAN_RULE_HEIGHT)
        return too_deep(l, l->tok_line, l->tok_col);
    if (l->tok != PUAN_TOK_NOT)
        return compare(out, l, depth);
    n = node(l, PUAN_AST_NOT);
    if (!n)
        return out_of_memory(l);
    st = puan_lex_next(l);
    if (st == PUAN_OK)
        st = negation(&a, l, depth + 1);
    if (st != PUAN_OK)
        return st;
    *out = n;
    return add(l, n, a);
}

static enum puan_status joined(struct puan_ast_node **out, struct puan_lex *l,
                               unsigned depth, bool is_or)
{
    struct puan_ast_node *b;
    enum puan_tok tok = is_or ? PUAN_TOK_OR : PUAN_TOK_AND;
    enum puan_status st =
        is_or ? joined(out, l, depth, false) : negation(out, l, depth);

    while (st == PUAN_OK && l->tok == tok) {
        uint32_t line = l->tok_line, col = l->tok_col;

        st = puan_lex_next(l);
        if (st == PUAN_OK)
            st = is_or ? joined(&b, l, depth, false) : negation(&b, l, depth);
        if (st == PUAN_OK)
            st = pair(out, l, is_or ? PUAN_AST_OR : PUAN_AST_AND, line, col,
                      *out, b);
    }
    return st;
}

static enum puan_status expr(struct puan_ast_node **out, struct puan_lex *l,
                             unsigned depth)
{
    if (depth > PUAN_RULE_HEIGHT)
        return too_deep(l, l->tok_line, l->tok_col);
    return joined(out, l, depth, true);
}

enum puan_status puan_rule_parse_expr(struct puan_ast_node **out,
                                      struct puan_lex *l)
{
    return expr(out, l, 0);
}

void puan_ast_text_init(struct puan_ast_text *t)
{
    *t = (struct puan_ast_text){ 0 };
    t->consts_end = &t->consts;
    t->defines_end = &t->defines;
    t->rules_end = &t->rules;
    t->levels_end = &t->levels;
    t->tables_end = &t->tables;
}

/* After "in": form ids; a closing ", override" ends the list. */
static enum puan_status forms(struct puan_ast_forms *f, bool *override_ok,
                              struct puan_lex *l)
{
    enum puan_status st = puan_lex_word(l);
    struct puan_str list[32];

    f->n = 0;
    while (st == PUAN_OK) {
        if (l->tok != PUAN_TOK_WORD)
            return puan_lex_expected(l, "the id of a form");
        if (f->n > 0 && override_ok && puan_str_is(l->text, "override")) {
            *override_ok = true;
            st = puan_lex_next(l);
            break;
        }
        if (f->n == PUAN_COUNT(list))
            return puan_lex_expected(l, "at most 32 forms");
        list[f->n++] = l->text;
        st = puan_lex_next(l);
        if (st != PUAN_OK || l->tok != PUAN_TOK_COMMA)
            break;
        st = puan_lex_word(l);
    }
    if (st != PUAN_OK)
        return st;
    f->name = puan_new_n(l->arena, f->n, struct puan_str);
    if (!f->name)
        return out_of_memory(l);
    memcpy(f->name, list, f->n * sizeof(list[0]));
    return PUAN_OK;
}

static enum puan_status constant(struct puan_ast_text *t, struct puan_lex *l)
{
    struct puan_ast_const *c = puan_new(l->arena, struct puan_ast_const);
    enum puan_status st = puan_lex_next(l);

    if (!c)
        return out_of_memory(l);
    if (st == PUAN_OK && l->tok != PUAN_TOK_NAME)
        return puan_lex_expected(l, "the name of the constant");
    c->name = l->text;
    c->line = l->tok_line;
    c->col = l->tok_col;
    c->file = l->file;
    if (st == PUAN_OK)
        st = puan_lex_next(l);
    if (st == PUAN_OK)
        st = want(l, PUAN_TOK_EQ, NULL);
    if (st == PUAN_OK)
        st = expr(&c->expr, l, 0);
    *t->consts_end = c;
    t->consts_end = &c->next;
    return st;
}

static enum puan_status derived(struct puan_ast_text *t, struct puan_lex *l)
{
    struct puan_ast_define *d = puan_new(l->arena, struct puan_ast_define);
    enum puan_status st = puan_lex_next(l);

    if (!d)
        return out_of_memory(l);
    if (st == PUAN_OK && l->tok != PUAN_TOK_NAME)
        return puan_lex_expected(l, "the name of the derived item");
    d->name = l->text;
    d->line = l->tok_line;
    d->col = l->tok_col;
    d->file = l->file;
    if (st == PUAN_OK)
        st = puan_lex_next(l);
    if (st == PUAN_OK &&
        (l->tok != PUAN_TOK_NAME || !puan_str_is(l->text, "for")))
        return puan_lex_expected(l, "'for' and a level");
    if (st == PUAN_OK)
        st = puan_lex_next(l);
    if (st == PUAN_OK && l->tok != PUAN_TOK_NAME)
        return puan_lex_expected(l, "a level, such as person or household");
    d->level = l->text;
    if (st == PUAN_OK)
        st = puan_lex_next(l);
    if (st == PUAN_OK && l->tok == PUAN_TOK_IN)
        st = forms(&d->in, NULL, l);
    if (st == PUAN_OK)
        st = want(l, PUAN_TOK_EQ, NULL);
    if (st == PUAN_OK)
        st = expr(&d->expr, l, 0);
    *t->defines_end = d;
    t->defines_end = &d->next;
    return st;
}

/* Names with commas between. */
static enum puan_status names(struct puan_ast_forms *f, struct puan_lex *l,
                              size_t most, const char *what)
{
    struct puan_str list[PUAN_LOOKUP_COLUMNS];
    enum puan_status st = PUAN_OK;

    f->n = 0;
    while (st == PUAN_OK) {
        if (l->tok != PUAN_TOK_NAME)
            return puan_lex_expected(l, what);
        if (f->n == most)
            return puan_lex_expected(l, "fewer names");
        for (size_t i = 0; i < f->n; i++)
            if (puan_str_eq(list[i], l->text))
                return puan_fail_at(l->err, PUAN_EINVAL, l->file, l->tok_line,
                                    l->tok_col, "'%.*s' is named twice",
                                    PUAN_FMT(l->text));
        list[f->n++] = l->text;
        st = puan_lex_next(l);
        if (st != PUAN_OK || l->tok != PUAN_TOK_COMMA)
            break;
        st = puan_lex_next(l);
    }
    if (st != PUAN_OK)
        return st;
    f->name = puan_new_n(l->arena, f->n, struct puan_str);
    if (!f->name)
        return out_of_memory(l);
    memcpy(f->name, list, f->n * sizeof(list[0]));
    return PUAN_OK;
}

/* The words of declarations are no reserved words. */
static bool at_word(const struct puan_lex *l, const char *word)
{
    return l->tok == PUAN_TOK_NAME && puan_str_is(l->text, word);
}

/* level NAME by ITEM, ITEM;  table NAME by ITEM, ITEM gives ITEM, ITEM */
static enum puan_status declaration(struct puan_ast_text *t, struct puan_lex *l)
{
    bool table = at_word(l, "table");
    struct puan_ast_decl *d = puan_new(l->arena, struct puan_ast_decl);
    enum puan_status st = puan_lex_next(l);

    if (!d)
        return out_of_memory(l);
    if (st == PUAN_OK && l->tok != PUAN_TOK_NAME)
        return puan_lex_expected(l, table ? "the name of the table"
                                          : "the name of the level");
    d->name = l->text;
    d->line = l->tok_line;
    d->col = l->tok_col;
    d->file = l->file;
    if (st == PUAN_OK)
        st = puan_lex_next(l);
    if (st == PUAN_OK && !at_word(l, "by"))
        return puan_lex_expected(l, table ? "'by' and the items that find a row"
                                          : "'by' and the items that are equal "
                                            "throughout");
    if (st == PUAN_OK)
        st = puan_lex_next(l);
    if (st == PUAN_OK)
        st = names(&d->by, l, PUAN_LOOKUP_KEYS, "the name of an item");
    if (st == PUAN_OK && table) {
        if (!at_word(l, "gives"))
            return puan_lex_expected(l, "'gives' and the columns of the table");
        st = puan_lex_next(l);
        if (st == PUAN_OK)
            st = names(&d->gives, l, PUAN_LOOKUP_COLUMNS,
                       "the name of a column");
    }
    if (st != PUAN_OK)
        return st;
    if (table) {
        *t->tables_end = d;
        t->tables_end = &d->next;
    } else {
        *t->levels_end = d;
        t->levels_end = &d->next;
    }
    return PUAN_OK;
}

const struct puan_ast_decl *puan_ast_table(const struct puan_ast_text *t,
                                           struct puan_str name,
                                           uint16_t *index)
{
    *index = 0;
    for (const struct puan_ast_decl *d = t->tables; d; d = d->next, ++*index)
        if (puan_str_eq(d->name, name))
            return d;
    return NULL;
}

/* Joins a further condition to *into by "and". */
static enum puan_status join(struct puan_ast_node **into, struct puan_lex *l,
                             bool negate)
{
    uint32_t line = l->tok_line, col = l->tok_col;
    struct puan_ast_node *e, *n;
    enum puan_status st = puan_lex_next(l);

    if (st == PUAN_OK)
        st = expr(&e, l, 0);
    if (st != PUAN_OK)
        return st;
    if (negate) {
        n = node(l, PUAN_AST_NOT);
        if (!n)
            return out_of_memory(l);
        n->line = line;
        n->col = col;
        st = add(l, n, e);
        e = n;
    }
    if (st == PUAN_OK && *into)
        st = pair(&e, l, PUAN_AST_AND, line, col, *into, e);
    *into = e;
    return st;
}

static enum puan_status message(struct puan_str *into, struct puan_lex *l)
{
    enum puan_tok lang = l->tok;
    enum puan_status st;

    if (into->p)
        return puan_fail_at(l->err, PUAN_EINVAL, l->file, l->tok_line,
                            l->tok_col, "%s is given twice",
                            puan_tok_name(lang));
    st = puan_lex_next(l);
    if (st != PUAN_OK)
        return st;
    if (l->tok != PUAN_TOK_STRING)
        return puan_lex_expected(l, "a message in quotes");
    if (puan_str_trim(l->text).n == 0)
        return puan_fail_at(l->err, PUAN_EINVAL, l->file, l->tok_line,
                            l->tok_col, "the message is empty");
    *into = l->text;
    return puan_lex_next(l);
}

static enum puan_status lacking(const struct puan_ast_rule *r,
                                struct puan_lex *l, const char *what)
{
    return puan_fail_at(l->err, PUAN_EINVAL, l->file, r->line, r->col,
                        "rule %.*s has no %s", PUAN_FMT(r->id), what);
}

static enum puan_status rule(struct puan_ast_text *t, struct puan_lex *l)
{
    struct puan_ast_rule *r = puan_new(l->arena, struct puan_ast_rule);
    enum puan_status st = puan_lex_word(l);

    if (!r)
        return out_of_memory(l);
    if (st == PUAN_OK && l->tok != PUAN_TOK_WORD)
        return puan_lex_expected(l, "the id of the rule");
    r->id = l->text;
    r->line = l->tok_line;
    r->col = l->tok_col;
    r->file = l->file;
    if (st == PUAN_OK)
        st = puan_lex_next(l);
    if (st != PUAN_OK)
        return st;
    if (l->tok == PUAN_TOK_NAME && puan_str_is(l->text, "soft"))
        r->severity = PUAN_SOFT;
    else if (l->tok == PUAN_TOK_NAME && puan_str_is(l->text, "hard"))
        r->severity = PUAN_HARD;
    else
        return puan_lex_expected(l, "'hard' or 'soft'");
    st = puan_lex_next(l);
    if (st == PUAN_OK && l->tok != PUAN_TOK_NAME)
        return puan_lex_expected(l, "a level, such as person or household");
    r->level = l->text;
    if (st == PUAN_OK)
        st = puan_lex_next(l);
    if (st == PUAN_OK && l->tok == PUAN_TOK_IN)
        st = forms(&r->in, &r->override_ok, l);
    if (st == PUAN_OK && l->tok == PUAN_TOK_COMMA) {
        st = puan_lex_next(l);
        if (st == PUAN_OK &&
            (l->tok != PUAN_TOK_NAME || !puan_str_is(l->text, "override")))
            return puan_lex_expected(l, "'override'");
    }
    if (st == PUAN_OK && l->tok == PUAN_TOK_NAME &&
        puan_str_is(l->text, "override")) {
        r->override_ok = true;
        st = puan_lex_next(l);
    }
    if (st == PUAN_OK && r->override_ok && r->severity == PUAN_SOFT)
        return puan_fail_at(l->err, PUAN_EINVAL, l->file, r->line, r->col,
                            "only a hard rule may be overridden: a soft one is "
                            "confirmed with a reason anyway");
    while (st == PUAN_OK) {
        if (l->tok == PUAN_TOK_ZH) {
            st = message(&r->zh, l);
        } else if (l->tok == PUAN_TOK_EN) {
            st = message(&r->en, l);
        } else if (l->tok == PUAN_TOK_WHEN) {
            st = join(&r->when, l, false);
        } else if (l->tok == PUAN_TOK_CHECK) {
            st = join(&r->check, l, false);
        } else if (l->tok == PUAN_TOK_FAIL) {
            st = puan_lex_next(l);
            if (st == PUAN_OK && l->tok != PUAN_TOK_WHEN)
                return puan_lex_expected(l, "'when' after 'fail'");
            if (st == PUAN_OK)
                st = join(&r->check, l, true);
        } else {
            break;
        }
    }
    if (st != PUAN_OK)
        return st;
    if (l->tok != PUAN_TOK_END && l->tok != PUAN_TOK_RULE &&
        l->tok != PUAN_TOK_CONST && l->tok != PUAN_TOK_DEFINE &&
        !at_word(l, "level") && !at_word(l, "table") &&
        !at_word(l, "without"))
        return puan_lex_expected(l, r->check
                                        ? "an operator, a clause or the next "
                                          "rule"
                                        : "zh, en, when, check or fail when");
    if (!r->zh.p)
        return lacking(r, l, "message zh \"…\"");
    if (!r->en.p)
        return lacking(r, l, "message en \"…\"");
    if (!r->check)
        return lacking(r, l, "'check' and no 'fail when'");
    *t->rules_end = r;
    t->rules_end = &r->next;
    return PUAN_OK;
}

/* without RH14, RH17 */
static enum puan_status without(struct puan_ast_text *t, struct puan_lex *l)
{
    enum puan_status st;

    do {
        struct puan_ast_off *o = puan_new(l->arena, struct puan_ast_off);

        if (!o)
            return out_of_memory(l);
        st = puan_lex_word(l);
        if (st == PUAN_OK && l->tok != PUAN_TOK_WORD)
            return puan_lex_expected(l, "the id of a rule to leave out");
        *o = (struct puan_ast_off){ l->text, l->tok_line, l->tok_col, l->file,
                                    t->off };
        t->off = o;
        if (st == PUAN_OK)
            st = puan_lex_next(l);
    } while (st == PUAN_OK && l->tok == PUAN_TOK_COMMA);
    return st;
}

static enum puan_status set_header(struct puan_ast_text *t, struct puan_lex *l)
{
    bool first = t->set.n == 0;
    enum puan_status st = puan_lex_word(l);

    if (st == PUAN_OK && l->tok != PUAN_TOK_WORD)
        return puan_lex_expected(l, "the name of the set");
    if (first)
        t->set = l->text;
    if (st == PUAN_OK)
        st = puan_lex_next(l);
    if (st == PUAN_OK &&
        (l->tok != PUAN_TOK_NAME || !puan_str_is(l->text, "version")))
        return puan_lex_expected(l, "'version' and a number");
    if (st == PUAN_OK)
        st = puan_lex_next(l);
    if (st == PUAN_OK && (l->tok != PUAN_TOK_NUMBER || l->places > 0))
        return puan_lex_expected(l, "the number of the version");
    if (first)
        t->version = l->value;
    return st == PUAN_OK ? puan_lex_next(l) : st;
}

enum puan_status puan_rule_parse_text(struct puan_ast_text *t,
                                      struct puan_str text, const char *file,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    struct puan_lex l;
    enum puan_status st = puan_lex_init(&l, text, file, 1, a, err);

    if (st == PUAN_OK)
        st = puan_lex_next(&l);
    if (st == PUAN_OK && l.tok == PUAN_TOK_SET)
        st = set_header(t, &l);
    while (st == PUAN_OK && l.tok != PUAN_TOK_END) {
        if (l.tok == PUAN_TOK_RULE)
            st = rule(t, &l);
        else if (l.tok == PUAN_TOK_CONST)
            st = constant(t, &l);
        else if (l.tok == PUAN_TOK_DEFINE)
            st = derived(t, &l);
        else if (at_word(&l, "level") || at_word(&l, "table"))
            st = declaration(t, &l);
        else if (at_word(&l, "without"))
            st = without(t, &l);
        else
            st = puan_lex_expected(&l, "'rule', 'const', 'define', 'level', "
                                       "'table' or 'without'");
    }
    return st;
}
