/*
 * The parts of a rule are gathered with their texts before the check rewrites
 * the tree; then each is compiled by itself and run on the record.
 */
#include "core/rule/explain.h"

#include "base/arena.h"
#include "core/rule/run.h"

typedef struct puan_ast_node node;

#define STEPS_MOST 400
#define DEPTH_MOST 24

struct gathered { /* a part before the check, in the order it is shown */
    node *n;
    struct puan_str text;
    enum puan_explain_part part;
    unsigned depth;
};

struct explain {
    struct puan_rule_names names;
    struct puan_ast_text text;
    struct puan_code_out code;
    struct puan_ast_rule *rule;
    uint16_t entity;
    struct gathered *seen;
    size_t n;
    struct puan_rule_run run;
    const struct puan_lookup **table;
    struct puan_arena *arena;
    struct puan_err *err;
};

/* ---- reading ---- */

static enum puan_status no_such_rule(struct explain *x, struct puan_str id)
{
    const struct puan_ast_rule *near = NULL;

    for (const struct puan_ast_rule *r = x->text.rules; r; r = r->next)
        if (puan_str_eq(r->id, id))
            return puan_fail_at(x->err, PUAN_ENOTFOUND, r->file, r->line,
                                r->col, "rule %.*s does not apply to form "
                                        "'%.*s'",
                                PUAN_FMT(id), PUAN_FMT(x->names.form->id));
        else if (!near && r->id.n && id.n && r->id.p[0] == id.p[0] &&
                 r->id.p[r->id.n - 1] == id.p[id.n - 1])
            near = r;
    if (near)
        return puan_fail(x->err, PUAN_ENOTFOUND, "rules",
                         "there is no rule %.*s; one like it is %.*s",
                         PUAN_FMT(id), PUAN_FMT(near->id));
    return puan_fail(x->err, PUAN_ENOTFOUND, "rules", "there is no rule %.*s",
                     PUAN_FMT(id));
}

static enum puan_status read_texts(struct explain *x,
                                   const struct puan_explain_in *in,
                                   struct puan_str rule, struct puan_arena *a,
                                   struct puan_err *err)
{
    size_t defines = 0, tables = 0;
    enum puan_status st = PUAN_OK;

    *x = (struct explain){ .arena = a, .err = err };
    puan_ast_text_init(&x->text);
    x->code.arena = a;
    x->names = (struct puan_rule_names){ .form = in->form,
                                         .settings = in->consts,
                                         .n_settings = in->n_consts,
                                         .text = &x->text,
                                         .lookups = in->lookups,
                                         .n_lookups = in->n_lookups,
                                         .arena = a,
                                         .err = err,
                                         .code = &x->code };
    for (size_t i = 0; i < in->n_texts && st == PUAN_OK; i++)
        st = puan_rule_parse_text(&x->text, in->texts[i],
                                  in->files ? in->files[i] : "", a, err);
    if (st != PUAN_OK)
        return st;
    for (const struct puan_ast_define *d = x->text.defines; d; d = d->next)
        defines++;
    for (const struct puan_ast_decl *d = x->text.tables; d; d = d->next)
        tables++;
    x->names.column = puan_new_n(a, defines, struct puan_column);
    x->names.cap_columns = defines;
    x->seen = puan_new_n(a, STEPS_MOST, struct gathered);
    x->table = puan_arena_get_n(a, tables + 1, sizeof(*x->table));
    if (a->failed)
        return puan_arena_check(a, err);
    tables = 0;
    for (const struct puan_ast_decl *d = x->text.tables; d;
         d = d->next, tables++)
        for (size_t i = 0; i < in->n_lookups; i++)
            if (puan_str_eq(in->lookups[i].name, d->name))
                x->table[tables] = &in->lookups[i];
    for (struct puan_ast_rule *r = x->text.rules; r; r = r->next) {
        int e = puan_form_entity(in->form, r->level);

        if (!puan_str_eq(r->id, rule) || e < 0 ||
            !puan_ast_forms_hold(&r->in, in->form->id))
            continue;
        x->rule = r;
        x->entity = (uint16_t)e;
    }
    return x->rule ? PUAN_OK : no_such_rule(x, rule);
}

/* ---- parts, before the check ---- */

static struct puan_ast_define *derived(const struct explain *x,
                                       struct puan_str name)
{
    for (struct puan_ast_define *d = x->text.defines; d; d = d->next)
        if (puan_str_eq(d->name, name) &&
            puan_ast_forms_hold(&d->in, x->names.form->id) &&
            puan_form_entity(x->names.form, d->level) >= 0)
            return d;
    return NULL;
}

static void gather(struct explain *x, node *n, enum puan_explain_part part,
                   unsigned depth)
{
    struct puan_out o;
    struct puan_ast_define *d;

    if (x->n == STEPS_MOST || depth > DEPTH_MOST || n->ast == PUAN_AST_RANGE ||
        n->ast == PUAN_AST_WORD ||
        (n->ast == PUAN_AST_CONST && part == PUAN_EXPLAIN_PART))
        return;
    puan_out_init(&o, x->arena);
    puan_rule_write(&o, n);
    x->seen[x->n++] =
        (struct gathered){ n, puan_out_view(&o), part, depth };
    switch ((unsigned)n->ast) {
    case PUAN_AST_QUANT: /* its parts are of other rows */
        return;
    case PUAN_AST_NAME:
        d = n->qual.n ? NULL : derived(x, n->name);
        if (d)
            gather(x, d->expr, PUAN_EXPLAIN_DERIVED, depth + 1);
        return;
    case PUAN_AST_IN: /* the set holds constants */
        gather(x, n->kid, PUAN_EXPLAIN_PART, depth + 1);
        return;
    case PUAN_AST_CALL:
        if (puan_str_is(n->name, "at") || puan_str_is(n->name, "found") ||
            puan_str_is(n->name, "part"))
            return;
        break;
    default:
        break;
    }
    for (node *k = n->kid; k; k = k->next)
        gather(x, k, PUAN_EXPLAIN_PART, depth + 1);
}

static enum puan_status check(struct explain *x)
{
    struct puan_rule_scope s = { .names = &x->names, .file = x->rule->file,
                                 .level = x->entity };
    enum puan_status st = PUAN_OK;

    for (struct puan_ast_const *k = x->text.consts; k && st == PUAN_OK;
         k = k->next)
        st = puan_rule_check_const(k, &x->names);
    if (st == PUAN_OK && x->rule->when)
        st = puan_rule_check_truth(x->rule->when, &s, "'when'");
    if (st == PUAN_OK)
        st = puan_rule_check_truth(x->rule->check, &s, "'check'");
    return st;
}

/* ---- values ---- */

static enum puan_status derive(struct explain *x, const struct puan_record *r)
{
    size_t n = x->names.n_columns;
    val regs[PUAN_RULE_REGS];

    x->run = (struct puan_rule_run){ .r = r, .range = x->code.range,
                                     .table = x->table };
    puan_rule_place(&x->run, PUAN_SRC_HOUSE, 0, 0);
    x->run.column = puan_new_n(x->arena, n + 1, struct puan_val *);
    for (size_t i = 0; x->run.column && i < n; i++) {
        const struct puan_column *c = &x->names.column[i];
        uint32_t rows = r->rows[c->entity].n;

        x->run.column[i] = puan_new_n(x->arena, rows, struct puan_val);
        if (!x->run.column[i])
            break;
        for (uint32_t row = 0; row < rows; row++) {
            puan_rule_place(&x->run, PUAN_SRC_OWN, c->entity, row);
            puan_rule_exec(&x->run, x->code.ins + c->code.at, c->code.n, regs);
            x->run.column[i][row] = regs[0];
        }
    }
    return puan_arena_check(x->arena, x->err);
}

static bool value_of(val *out, struct explain *x, const node *n)
{
    struct puan_err ignored = { 0 };
    struct puan_span span;
    val regs[PUAN_RULE_REGS];

    if (n->type.kind == PUAN_KIND_SEALED || n->type.kind == PUAN_KIND_WORD ||
        puan_rule_emit(&span, &x->code, n, "", &ignored) != PUAN_OK)
        return false;
    x->run.range = x->code.range;
    puan_rule_exec(&x->run, x->code.ins + span.at, span.n, regs);
    *out = regs[0];
    return true;
}

static void line_number(struct puan_out *o, uint32_t row)
{
    puan_out_fmt(o, "%s%u", o->n ? ", " : "", row + 1);
}

/*
 * Which rows count: counted one by one, by the same quantifier over the rows
 * up to and including each.
 */
static void rows_of(struct puan_explain_step *s, struct explain *x,
                    const node *n)
{
    const node *where = n->op >= PUAN_Q_SUM ? n->kid->next : n->kid;
    struct puan_record r = *x->run.r;
    const struct puan_record *was = x->run.r;
    struct puan_out counts, doubt;
    node line = { .ast = PUAN_AST_ROW, .src = PUAN_SRC_INNER,
                  .type = { .kind = PUAN_KIND_NUM }, .entity = n->entity };
    node k = { .ast = PUAN_AST_CONST, .type = { .kind = PUAN_KIND_NUM } };
    node same = { .ast = PUAN_AST_COMPARE, .op = PUAN_CMP_EQ,
                  .type = { .kind = PUAN_KIND_TRUTH }, .kid = &line };
    node both = { .ast = PUAN_AST_AND, .type = { .kind = PUAN_KIND_TRUTH },
                  .kid = &same };
    node one = { .ast = PUAN_AST_QUANT, .op = PUAN_Q_COUNT,
                 .entity = n->entity, .type = { .kind = PUAN_KIND_NUM } };
    node copy;

    line.next = &k;
    if (where) {
        copy = *where;
        copy.next = NULL;
        same.next = &copy;
        one.kid = &both;
    } else {
        one.kid = &same;
    }
    puan_out_init(&counts, x->arena);
    puan_out_init(&doubt, x->arena);
    x->run.r = &r;
    for (uint32_t row = 0; row < r.rows[n->entity].n; row++) {
        val v;

        k.value = (int64_t)row + 1;
        if (!value_of(&v, x, &one))
            break;
        if (v.s != PUAN_KNOWN)
            line_number(&doubt, row);
        else if (v.v)
            line_number(&counts, row);
    }
    x->run.r = was;
    s->rows = puan_arena_dup(x->arena, puan_out_view(&counts));
    s->doubt = puan_arena_dup(x->arena, puan_out_view(&doubt));
}

static bool one_step(struct puan_explain_step *s, struct explain *x,
                 const struct gathered *p)
{
    const struct puan_expr typed = { .type = p->n->type };
    val v;

    if (!value_of(&v, x, p->n))
        return false;
    *s = (struct puan_explain_step){
        .part = p->part,
        .depth = p->depth,
        .text = p->text,
        .truth = p->n->type.kind == PUAN_KIND_TRUTH,
        .state = v.s == PUAN_KNOWN ? PUAN_GIVEN
                                   : (enum puan_state)state_of(v.s),
        .value = "",
    };
    if (s->state == PUAN_GIVEN)
        s->value = puan_expr_text(&typed, v.v, x->arena);
    if (p->n->ast == PUAN_AST_QUANT)
        rows_of(s, x, p->n);
    return true;
}

static enum puan_explain_end ending(struct explain *x)
{
    static const enum puan_explain_end end[] = {
        [APPLIES_NOT] = PUAN_EXPLAIN_APPLIES_NOT,
        [SILENT] = PUAN_EXPLAIN_SILENT,
        [NOT_EVALUABLE] = PUAN_EXPLAIN_NOT_EVALUABLE,
        [HOLDS] = PUAN_EXPLAIN_HOLDS,
        [FAILS] = PUAN_EXPLAIN_FINDING,
    };
    val v = { 0, PUAN_KNOWN };

    if (x->rule->when && value_of(&v, x, x->rule->when)) {
        if (v.s != PUAN_KNOWN)
            return end[outcome_of(v)];
        if (!v.v)
            return PUAN_EXPLAIN_APPLIES_NOT;
    }
    if (!value_of(&v, x, x->rule->check))
        return PUAN_EXPLAIN_SILENT;
    return end[outcome_of(v)];
}

enum puan_status puan_rules_level(int *entity, const struct puan_explain_in *in,
                                  struct puan_str rule, struct puan_arena *a,
                                  struct puan_err *err)
{
    struct explain x;
    enum puan_status st = read_texts(&x, in, rule, a, err);

    *entity = st == PUAN_OK ? (int)x.entity : -1;
    return st;
}

enum puan_status puan_rules_explain(struct puan_explain *out,
                                    const struct puan_explain_in *in,
                                    struct puan_str rule,
                                    const struct puan_record *r, uint32_t row,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_explain_step *list;
    struct explain x;
    enum puan_status st = read_texts(&x, in, rule, a, err);

    *out = (struct puan_explain){ 0 };
    if (st != PUAN_OK)
        return st;
    if (row >= r->rows[x.entity].n)
        return puan_fail(err, PUAN_ENOTFOUND, "rules",
                         "the return has %u rows of %.*s, there is no row %u",
                         r->rows[x.entity].n,
                         PUAN_FMT(in->form->entity[x.entity].name), row + 1);
    if (x.rule->when)
        gather(&x, x.rule->when, PUAN_EXPLAIN_WHEN, 0);
    gather(&x, x.rule->check, PUAN_EXPLAIN_CHECK, 0);
    st = check(&x);
    if (st == PUAN_OK)
        st = derive(&x, r);
    list = puan_new_n(a, x.n, struct puan_explain_step);
    if (st != PUAN_OK || !list)
        return st == PUAN_OK ? puan_arena_check(a, err) : st;
    puan_rule_place(&x.run, PUAN_SRC_OWN, x.entity, row);
    for (size_t i = 0; i < x.n; i++)
        if (one_step(&list[out->n], &x, &x.seen[i]))
            out->n++;
    out->step = list;
    out->end = ending(&x);
    out->rule = (struct puan_rule_info){
        .id = x.rule->id,
        .zh = x.rule->zh,
        .en = x.rule->en,
        .severity = x.rule->severity,
        .entity = x.entity,
        .override_ok = x.rule->override_ok,
        .file = x.rule->file,
        .line = x.rule->line,
    };
    return puan_arena_check(a, err);
}

/* ---- for people and programs ---- */

static const char *const end_zh[] = { "不适用", "不判断（项目未询问或无效）",
                                      "无法判断（缺少答案）", "成立",
                                      "有问题" };
static const char *const end_en[] = { "does not apply",
                                      "silent: an item is not asked or invalid",
                                      "not evaluable: an answer is missing",
                                      "holds", "finding" };
static const char *const end_name[] = { "applies-not", "silent",
                                        "not-evaluable", "holds", "finding" };

const char *puan_explain_end_text(enum puan_explain_end end, bool zh)
{
    return (zh ? end_zh : end_en)[end];
}

static const char *unknown_text(enum puan_state s, bool zh)
{
    switch (s) {
    case PUAN_NOT_ASKED:
        return zh ? "未询问" : "not asked";
    case PUAN_MISSING:
        return zh ? "缺失" : "missing";
    case PUAN_INVALID:
        return zh ? "无效" : "invalid";
    case PUAN_GIVEN:
        break;
    }
    return "";
}

/* Bytes to columns: what is beyond ASCII is taken as two wide. */
static size_t width(const char *s)
{
    size_t n = 0;

    for (; *s; s++)
        if (((unsigned char)*s & 0xC0) != 0x80)
            n += (unsigned char)*s < 0x80 ? 1 : 2;
    return n;
}

static void print_step(struct puan_out *o, const struct puan_explain_step *s,
                       bool zh)
{
    const char *value = s->state == PUAN_GIVEN ? s->value
                                               : unknown_text(s->state, zh);

    if (s->part == PUAN_EXPLAIN_WHEN)
        puan_out_text(o, "when\n");
    if (s->part == PUAN_EXPLAIN_CHECK)
        puan_out_text(o, "check\n");
    puan_out_text(o, "  ");
    puan_out_text(o, value);
    for (size_t i = width(value); i < 10; i++)
        puan_out_char(o, ' ');
    puan_out_text(o, " ");
    for (unsigned i = 0; i < s->depth; i++)
        puan_out_text(o, "  ");
    if (s->part == PUAN_EXPLAIN_DERIVED)
        puan_out_text(o, "= ");
    puan_out_str(o, s->text);
    if (s->rows && s->rows[0])
        puan_out_fmt(o, zh ? "   行 %s" : "   rows %s", s->rows);
    if (s->doubt && s->doubt[0])
        puan_out_fmt(o, zh ? "   未定 %s" : "   in doubt %s", s->doubt);
    puan_out_char(o, '\n');
}

void puan_explain_print(struct puan_out *o, const struct puan_explain *x,
                        const char *where, bool zh)
{
    puan_out_fmt(o, "%.*s %s  %s:%u\n", PUAN_FMT(x->rule.id),
                 x->rule.severity == PUAN_HARD ? "hard" : "soft",
                 x->rule.file, x->rule.line);
    puan_out_str(o, zh ? x->rule.zh : x->rule.en);
    puan_out_fmt(o, "\n%s: %s\n", where, puan_explain_end_text(x->end, zh));
    for (size_t i = 0; i < x->n; i++)
        print_step(o, &x->step[i], zh);
}

void puan_explain_json(struct puan_jw *w, const struct puan_explain *x)
{
    static const char *const part[] = { "when", "check", "part", "derived" };
    static const char *const state[] = { "not-asked", "given", "missing",
                                         "invalid" };

    puan_jw_map(w);
    puan_jw_kstr(w, "rule", x->rule.id);
    puan_jw_ktext(w, "severity",
                  x->rule.severity == PUAN_HARD ? "hard" : "soft");
    puan_jw_kstr(w, "zh", x->rule.zh);
    puan_jw_kstr(w, "en", x->rule.en);
    puan_jw_ktext(w, "file", x->rule.file);
    puan_jw_kint(w, "line", x->rule.line);
    puan_jw_ktext(w, "end", end_name[x->end]);
    puan_jw_key(w, "steps");
    puan_jw_list(w);
    for (size_t i = 0; i < x->n; i++) {
        const struct puan_explain_step *s = &x->step[i];

        puan_jw_map(w);
        puan_jw_ktext(w, "part", part[s->part]);
        puan_jw_kint(w, "depth", s->depth);
        puan_jw_kstr(w, "text", s->text);
        puan_jw_ktext(w, "state", state[s->state]);
        puan_jw_ktext(w, "value", s->value);
        if (s->rows) {
            puan_jw_ktext(w, "rows", s->rows);
            puan_jw_ktext(w, "doubt", s->doubt);
        }
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
}
