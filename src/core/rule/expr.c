/*
 * Single expressions: over an entity of a form, and over a free-standing list
 * of names (guards, monitors).
 */
#include "core/rule/rule.h"

#include "base/arena.h"
#include "core/rule/run.h"

static enum puan_status compile(struct puan_expr **out,
                                struct puan_rule_names *names, uint16_t entity,
                                struct puan_str text, const char *file,
                                uint32_t line, uint32_t col,
                                const char *truth)
{
    struct puan_code_out code = { .arena = names->arena };
    struct puan_rule_scope s = { .names = names,
                                 .file = file ? file : "",
                                 .level = entity };
    struct puan_expr *e;
    struct puan_ast_node *n;
    struct puan_lex l;
    enum puan_status st =
        puan_lex_init(&l, text, file, line, names->arena, names->err);

    l.before = col > 0 ? col - 1 : 0;
    if (st == PUAN_OK)
        st = puan_lex_next(&l);
    if (st == PUAN_OK)
        st = puan_rule_parse_expr(&n, &l);
    if (st == PUAN_OK && l.tok != PUAN_TOK_END)
        st = puan_lex_expected(&l, "an operator or the end");
    if (st == PUAN_OK)
        st = truth ? puan_rule_check_truth(n, &s, truth)
                   : puan_rule_check(n, &s);
    if (st == PUAN_OK && n->type.kind == PUAN_KIND_SEALED)
        st = puan_fail_at(names->err, PUAN_EINVAL, s.file, n->line, n->col,
                          "the item is sealed: use given(…) or a fact of it");
    e = puan_new(names->arena, struct puan_expr);
    if (st == PUAN_OK)
        st = puan_arena_check(names->arena, names->err);
    if (st == PUAN_OK)
        st = puan_rule_emit(&e->code, &code, n, s.file, names->err);
    if (st == PUAN_OK)
        st = puan_arena_check(names->arena, names->err);
    if (st != PUAN_OK)
        return st;
    e->prog = (struct puan_program){ .form = names->form,
                                     .ins = code.ins,
                                     .range = code.range };
    e->entity = entity;
    e->type = n->type;
    *out = e;
    return PUAN_OK;
}

enum puan_status
puan_expr_compile(struct puan_expr **out, const struct puan_form *form,
                  uint16_t entity, const struct puan_const *consts,
                  size_t n_consts, struct puan_str text, const char *file,
                  uint32_t line, struct puan_arena *a, struct puan_err *err)
{
    struct puan_rule_names names = { .form = form,
                                     .settings = consts,
                                     .n_settings = n_consts,
                                     .arena = a,
                                     .err = err };

    return compile(out, &names, entity, text, file, line, 1, NULL);
}

enum puan_status puan_expr_compile_truth(
    struct puan_expr **out, const struct puan_form *form, uint16_t entity,
    const struct puan_const *consts, size_t n_consts, struct puan_str text,
    const char *file, uint32_t line, struct puan_arena *a, struct puan_err *err)
{
    struct puan_rule_names names = { .form = form,
                                     .settings = consts,
                                     .n_settings = n_consts,
                                     .arena = a,
                                     .err = err };

    return compile(out, &names, entity, text, file, line, 1, "a condition");
}

static val evaluate(const struct puan_expr *e, const struct puan_record *r,
                    uint32_t row)
{
    struct puan_rule_run x = { .r = r, .range = e->prog.range };
    val regs[PUAN_RULE_REGS];

    if (r->rows[0].n > 0)
        puan_rule_place(&x, PUAN_SRC_HOUSE, 0, 0);
    puan_rule_place(&x, PUAN_SRC_OWN, e->entity, row);
    puan_rule_exec(&x, e->prog.ins + e->code.at, e->code.n, regs);
    return regs[0];
}

void puan_expr_eval(int64_t *value, enum puan_state *state,
                    const struct puan_expr *e, const struct puan_record *r,
                    uint32_t row)
{
    val v = evaluate(e, r, row);

    *value = v.s == PUAN_KNOWN ? v.v : 0;
    *state = (enum puan_state)state_of(v.s);
}

static const char *decimal_text(int64_t value, unsigned places,
                                struct puan_arena *a)
{
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    uint64_t unit = 1;

    for (unsigned i = 0; i < places; i++)
        unit *= 10;
    return puan_arena_fmt(a, "%s%llu.%0*llu", value < 0 ? "-" : "",
                          (unsigned long long)(size / unit), (int)places,
                          (unsigned long long)(size % unit));
}

const char *puan_expr_text(const struct puan_expr *e, int64_t value,
                           struct puan_arena *a)
{
    const struct puan_code *code = NULL;
    char buf[16];

    switch (e->type.kind) {
    case PUAN_KIND_TRUTH:
        return value ? "true" : "false";
    case PUAN_KIND_MONTH:
        if (!month_in_range(value))
            break;
        puan_month_text(buf, value);
        return puan_arena_fmt(a, "%s", buf);
    case PUAN_KIND_DAY:
        if (!day_in_range(value))
            break;
        puan_day_text(buf, value);
        return puan_arena_fmt(a, "%s", buf);
    case PUAN_KIND_CODE:
        if (e->type.list)
            code = puan_code_by_value(e->type.list, value);
        if (code)
            return puan_arena_dup(a, code->text);
        break;
    case PUAN_KIND_AREA:
        if (e->type.digits)
            return puan_arena_fmt(a, "%0*lld", (int)e->type.digits,
                                  (long long)value);
        break;
    case PUAN_KIND_NUM:
        if (e->type.places)
            return decimal_text(value, e->type.places, a);
        break;
    case PUAN_KIND_ANY:
    case PUAN_KIND_WORD:
    case PUAN_KIND_SEALED:
        break;
    }
    return puan_arena_fmt(a, "%lld", (long long)value);
}

static enum puan_truth truth_of(val v)
{
    if (v.s != PUAN_KNOWN)
        return PUAN_UNKNOWN;
    return v.v ? PUAN_TRUE : PUAN_FALSE;
}

enum puan_truth puan_expr_truth(const struct puan_expr *e,
                                const struct puan_record *r, uint32_t row)
{
    return truth_of(evaluate(e, r, row));
}

enum puan_status puan_expr_compile_scope(struct puan_expr **out,
                                         const struct puan_scope_name *names,
                                         size_t n_names, struct puan_str text,
                                         const char *file, uint32_t line,
                                         uint32_t col,
                                         struct puan_arena *a,
                                         struct puan_err *err)
{
    struct puan_form *form = puan_new(a, struct puan_form);
    struct puan_entity *entity = puan_new(a, struct puan_entity);
    struct puan_item *items = puan_new_n(a, n_names, struct puan_item);
    struct puan_rule_names scope = {
        .form = form, .words = true, .arena = a, .err = err
    };

    if (!form || !entity || !items)
        return puan_arena_check(a, err);
    if (n_names > UINT16_MAX)
        return puan_fail(err, PUAN_ELIMIT, file, "too many names");
    for (size_t i = 0; i < n_names; i++) {
        items[i].name = names[i].name;
        items[i].zone = PUAN_ZONE_FRAME;
        items[i].type = names[i].words ? PUAN_TYPE_CODE : PUAN_TYPE_INT;
        items[i].codes = names[i].words;
        items[i].fact_of = -1;
    }
    entity->name = PUAN_STR("here");
    entity->items = items;
    entity->n_items = entity->n_asked = (uint16_t)n_names;
    form->id = PUAN_STR("guard");
    form->entity = entity;
    form->n_entities = 1;
    return compile(out, &scope, 0, text, file, line, col, "a guard");
}

enum puan_truth puan_expr_scope_truth(const struct puan_expr *e,
                                      const int64_t *values,
                                      const uint8_t *states)
{
    struct puan_rule_run x = { .range = e->prog.range };
    val regs[PUAN_RULE_REGS];

    for (int src = 0; src < 3; src++) {
        x.v[src] = values;
        x.st[src] = states;
    }
    puan_rule_exec(&x, e->prog.ins + e->code.at, e->code.n, regs);
    return truth_of(regs[0]);
}

bool puan_expr_reads(bool *used, const struct puan_expr *e)
{
    for (uint32_t i = 0; i < e->code.n; i++) {
        const struct puan_ins *in = &e->prog.ins[e->code.at + i];

        bool item = in->op == PUAN_OP_ITEM || in->op == PUAN_OP_STATE ||
                    in->op == PUAN_OP_REASON || in->op == PUAN_OP_ITEM_CMP ||
                    in->op == PUAN_OP_ITEM_MASK;
        bool pure = in->op == PUAN_OP_CONST ||
                    (in->op >= PUAN_OP_ADD && in->op <= PUAN_OP_MONTH_D) ||
                    (in->op >= PUAN_OP_IF_FALSE &&
                     in->op <= PUAN_OP_UNLESS_TRUE);

        if (!pure && !item)
            return false;
        if (!item)
            continue;
        if (in->src != PUAN_SRC_OWN &&
            !(in->src == PUAN_SRC_HOUSE && e->entity == 0))
            return false;
        used[in->x] = true;
    }
    return true;
}

void puan_expr_type(struct puan_expr_type *out, const struct puan_expr *e)
{
    const struct puan_type *t = &e->type;

    *out = (struct puan_expr_type){ .type = PUAN_TYPE_INT };
    switch (t->kind) {
    case PUAN_KIND_TRUTH:
        out->truth = true;
        break;
    case PUAN_KIND_MONTH:
        out->type = PUAN_TYPE_MONTH;
        break;
    case PUAN_KIND_DAY:
        out->type = PUAN_TYPE_DATE;
        break;
    case PUAN_KIND_CODE:
        out->type = PUAN_TYPE_CODE;
        out->codes = t->list;
        break;
    case PUAN_KIND_AREA:
        out->type = PUAN_TYPE_AREA;
        out->digits = t->digits;
        break;
    case PUAN_KIND_ANY:
    case PUAN_KIND_NUM:
    case PUAN_KIND_WORD:
    case PUAN_KIND_SEALED:
        out->type = t->places ? PUAN_TYPE_FIXED : PUAN_TYPE_INT;
        out->places = t->places;
        break;
    }
}
