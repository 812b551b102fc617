/*
 * The texts of a plan to a set of compiled rules for one form, and its run
 * over one record.  A rule that the form cannot hold is put aside with the
 * reason; any other fault refuses the texts.
 */
#include "core/rule/rule.h"

#include "base/arena.h"
#include "core/rule/run.h"

struct compile {
    struct puan_rule_names names;
    struct puan_ast_text text;
    struct puan_code_out code;
    struct puan_ruleset *rs;
    struct puan_err *err;
};

static enum puan_status twice(struct compile *c, const char *file,
                              uint32_t line, uint32_t col, const char *what,
                              struct puan_str name, uint32_t first)
{
    return puan_fail_at(c->err, PUAN_EINVAL, file, line, col,
                        "%s '%.*s' is defined twice; first in line %u", what,
                        PUAN_FMT(name), first);
}

static bool overlap(const struct puan_ast_forms *a,
                    const struct puan_ast_forms *b)
{
    if (a->n == 0 || b->n == 0)
        return true;
    for (size_t i = 0; i < a->n; i++)
        if (puan_ast_forms_hold(b, a->name[i]))
            return true;
    return false;
}

static enum puan_status refuse_doubles(struct compile *c)
{
    for (struct puan_ast_const *k = c->text.consts; k; k = k->next)
        for (struct puan_ast_const *o = c->text.consts; o != k; o = o->next)
            if (puan_str_eq(k->name, o->name))
                return twice(c, k->file, k->line, k->col, "constant", k->name,
                             o->line);
    for (struct puan_ast_define *d = c->text.defines; d; d = d->next)
        for (struct puan_ast_define *o = c->text.defines; o != d; o = o->next)
            if (puan_str_eq(d->name, o->name) &&
                puan_str_eq(d->level, o->level) && overlap(&d->in, &o->in))
                return twice(c, d->file, d->line, d->col, "derived item",
                             d->name, o->line);
    for (struct puan_ast_decl *d = c->text.tables; d; d = d->next)
        for (struct puan_ast_decl *o = c->text.tables; o != d; o = o->next)
            if (puan_str_eq(d->name, o->name))
                return twice(c, d->file, d->line, d->col, "table", d->name,
                             o->line);
    for (struct puan_ast_decl *d = c->text.levels; d; d = d->next)
        for (struct puan_ast_decl *o = c->text.levels; o != d; o = o->next)
            if (puan_str_eq(d->name, o->name))
                return twice(c, d->file, d->line, d->col, "level", d->name,
                             o->line);
    for (struct puan_ast_off *o = c->text.off; o; o = o->next) {
        const struct puan_ast_rule *r = c->text.rules;

        while (r && !puan_str_eq(r->id, o->id))
            r = r->next;
        if (!r)
            return puan_fail_at(c->err, PUAN_EINVAL, o->file, o->line, o->col,
                                "there is no rule %.*s to leave out",
                                PUAN_FMT(o->id));
    }
    for (struct puan_ast_rule *r = c->text.rules; r; r = r->next)
        for (struct puan_ast_rule *o = c->text.rules; o != r; o = o->next)
            if (puan_str_eq(r->id, o->id))
                return twice(c, r->file, r->line, r->col, "rule", r->id,
                             o->line);
    return PUAN_OK;
}

static void skip(struct compile *c, struct puan_str id, const char *file,
                 uint32_t line, uint32_t col, const char *why)
{
    c->rs->skip[c->rs->n_skips++] = (struct puan_rule_skip){
        .id = id, .file = file, .line = line, .col = col, .why = why
    };
}

static void skip_rule(struct compile *c, const struct puan_ast_rule *r,
                      const char *why)
{
    skip(c, r->id, r->file, r->line, r->col, why);
    c->rs->skip[c->rs->n_skips - 1].hard = r->severity == PUAN_HARD;
}

static const char *elsewhere(struct compile *c)
{
    return puan_arena_fmt(c->names.arena, "its 'in' does not name form '%.*s'",
                          PUAN_FMT(c->names.form->id));
}

/* ---- what a rule reads ---- */

struct refs {
    struct puan_item_ref list[128];
    size_t n;
};

static void add_ref(struct refs *l, uint16_t entity, uint16_t item)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->list[i].entity == entity && l->list[i].item == item)
            return;
    if (l->n < PUAN_COUNT(l->list))
        l->list[l->n++] = (struct puan_item_ref){ entity, item };
}

static void collect(struct refs *l, struct compile *c,
                    const struct puan_ast_node *n, unsigned depth)
{
    if (!n || depth > 2 * PUAN_RULE_HEIGHT)
        return;
    if (n->ast == PUAN_AST_ITEM) {
        const struct puan_item *it =
            &c->names.form->entity[n->entity].items[n->item];

        add_ref(l, n->entity,
                it->type == PUAN_TYPE_FACT && it->fact_of >= 0
                    ? (uint16_t)it->fact_of
                    : n->item);
    } else if (n->ast == PUAN_AST_COLUMN) {
        for (struct puan_ast_define *d = c->text.defines; d; d = d->next)
            if (d->mark == 2 && d->column == n->item)
                collect(l, c, d->expr, depth + PUAN_RULE_HEIGHT / 8);
    }
    for (const struct puan_ast_node *k = n->kid; k; k = k->next)
        collect(l, c, k, depth + 1);
}

static enum puan_status references(struct puan_rule_info *info,
                                   struct compile *c,
                                   const struct puan_ast_rule *r)
{
    struct refs l = { .n = 0 };
    struct puan_item_ref *out;

    collect(&l, c, r->when, 0);
    collect(&l, c, r->check, 0);
    out = puan_new_n(c->names.arena, l.n, struct puan_item_ref);
    if (!out)
        return puan_arena_check(c->names.arena, c->err);
    if (l.n)
        memcpy(out, l.list, l.n * sizeof(out[0]));
    info->items = out;
    info->n_items = l.n;
    return PUAN_OK;
}

/* ---- rules ---- */

/*
 * Does the guard begin with a test that is one instruction, so that the rule
 * does not apply when it is false?  Most instances end there.
 */
static bool plain_guard(const struct puan_ast_node *n)
{
    while (n->ast == PUAN_AST_AND)
        n = n->kid;
    if (n->ast == PUAN_AST_CALL)
        return n->op == PUAN_FN_GIVEN || n->op == PUAN_FN_MISSING ||
               n->op == PUAN_FN_ASKED || n->op == PUAN_FN_INVALID;
    return (n->ast == PUAN_AST_COMPARE || n->ast == PUAN_AST_IN) &&
           n->kid->ast == PUAN_AST_ITEM && n->kid->next->ast != PUAN_AST_ITEM;
}

static enum puan_status add_part(struct compile *c, struct puan_str text,
                                 const struct puan_ast_node *n,
                                 const char *file)
{
    struct puan_ruleset *rs = c->rs;
    struct puan_rule_part *p;

    if (rs->n_parts == rs->cap_parts) {
        size_t cap = rs->cap_parts ? rs->cap_parts * 2 : 64;

        p = puan_new_n(c->names.arena, cap, struct puan_rule_part);
        if (!p)
            return puan_arena_check(c->names.arena, c->names.err);
        if (rs->n_parts)
            memcpy(p, rs->part, rs->n_parts * sizeof(*p));
        rs->part = p;
        rs->cap_parts = cap;
    }
    p = &rs->part[rs->n_parts++];
    p->text = text;
    p->type = n->type;
    return puan_rule_emit(&p->code, &c->code, n, file, c->names.err);
}

/* Code for what was seen in the rule, where checking left a value of it. */
static enum puan_status rule_parts(struct compile *c,
                                   const struct puan_rule_seen *seen,
                                   const char *file)
{
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; i < seen->n && st == PUAN_OK; i++) {
        const struct puan_ast_node *n = seen->node[i];
        char first = seen->text[i].n ? seen->text[i].p[0] : '0';
        /* a threshold by name says something, a number does not */
        bool plain = n->ast == PUAN_AST_CONST &&
                     (first == '-' || (first >= '0' && first <= '9') ||
                      n->type.kind == PUAN_KIND_TRUTH);

        if (!plain && n->ast != PUAN_AST_WORD &&
            n->ast != PUAN_AST_RANGE && n->type.kind != PUAN_KIND_SEALED &&
            n->type.kind != PUAN_KIND_WORD)
            st = add_part(c, seen->text[i], n, file);
    }
    return st;
}

/* Checks and compiles one rule that is meant for the form. */
static enum puan_status rule_body(struct compile *c, struct puan_ast_rule *r,
                                  struct puan_rule_scope *s)
{
    struct puan_rule_seen seen = { .n = 0 };
    struct puan_ruleset *rs = c->rs;
    struct puan_rule_code *code = &rs->code[rs->n];
    struct puan_err *err = c->names.err;
    enum puan_status st = PUAN_OK;
    int e = puan_form_entity(c->names.form, r->level);

    if (e < 0) {
        s->unresolved = true;
        return puan_fail_at(err, PUAN_EINVAL, r->file, r->line, r->col,
                            "form '%.*s' has no level '%.*s'",
                            PUAN_FMT(c->names.form->id), PUAN_FMT(r->level));
    }
    s->level = (uint16_t)e;
    code->entity = (uint16_t)e;
    code->when = (struct puan_span){ 0, 0 };
    puan_rule_see(&seen, r->when, c->names.arena);
    puan_rule_see(&seen, r->check, c->names.arena);
    if (r->when)
        st = puan_rule_check_truth(r->when, s, "'when'");
    if (st == PUAN_OK)
        st = puan_rule_check_truth(r->check, s, "'check'");
    if (st == PUAN_OK && !s->reads)
        st = puan_fail_at(err, PUAN_EINVAL, r->file, r->line, r->col,
                          "rule %.*s reads no item", PUAN_FMT(r->id));
    if (st == PUAN_OK && r->when)
        st = puan_rule_emit(&code->when, &c->code, r->when, r->file, err);
    if (st == PUAN_OK && r->when)
        code->plain = plain_guard(r->when);
    code->when_tree = r->when;
    code->check_tree = r->check;
    if (st == PUAN_OK)
        st = puan_rule_emit(&code->check, &c->code, r->check, r->file, err);
    if (st == PUAN_OK)
        st = rule_parts(c, &seen, r->file);
    return st;
}

static enum puan_status one_rule(struct compile *c, struct puan_ast_rule *r)
{
    struct puan_err local = { 0 };
    struct puan_rule_scope s = { .names = &c->names, .file = r->file };
    struct puan_ruleset *rs = c->rs;
    enum puan_status st;

    for (const struct puan_ast_off *o = c->text.off; o; o = o->next)
        if (puan_str_eq(o->id, r->id)) {
            skip_rule(c, r,
                      puan_arena_fmt(c->names.arena, "switched off in %s:%u",
                                o->file, o->line));
            rs->skip[rs->n_skips - 1].off = true;
            return PUAN_OK;
        }
    if (!puan_ast_forms_hold(&r->in, c->names.form->id)) {
        skip_rule(c, r, elsewhere(c));
        return PUAN_OK;
    }
    c->names.err = &local;
    st = rule_body(c, r, &s);
    c->names.err = c->err;
    if (st != PUAN_OK)
        rs->n_parts = rs->part_at[rs->n];
    if (st == PUAN_EINVAL && s.unresolved &&
        (r->in.n == 0 || c->names.partial)) {
        skip_rule(c, r,
             puan_arena_fmt(c->names.arena, "%s", local.text));
        return PUAN_OK;
    }
    if (st != PUAN_OK) {
        if (c->err && c->err->code == PUAN_OK)
            *c->err = local;
        return st;
    }
    rs->info[rs->n] = (struct puan_rule_info){
        .id = r->id,
        .zh = r->zh,
        .en = r->en,
        .severity = r->severity,
        .entity = rs->code[rs->n].entity,
        .override_ok = r->override_ok,
        .file = r->file,
        .line = r->line,
    };
    st = references(&rs->info[rs->n], c, r);
    rs->n++;
    rs->part_at[rs->n] = (uint32_t)rs->n_parts;
    return st;
}

static enum puan_status all_defines(struct compile *c)
{
    for (struct puan_ast_define *d = c->text.defines; d; d = d->next) {
        enum puan_status st;

        if (!puan_ast_forms_hold(&d->in, c->names.form->id)) {
            skip(c, d->name, d->file, d->line, d->col, elsewhere(c));
            continue;
        }
        st = puan_rule_check_define(d, &c->names, 0);
        if (st != PUAN_OK)
            return st;
        if (d->mark == 3)
            skip(c, d->name, d->file, d->line, d->col, d->why);
    }
    return PUAN_OK;
}

static void mark_used(bool *used, const struct puan_ins *ins,
                      struct puan_span span)
{
    for (uint32_t i = span.at; i < span.at + span.n; i++)
        if (ins[i].op == PUAN_OP_COLUMN || ins[i].op == PUAN_OP_AT_COLUMN)
            used[ins[i].x] = true;
}

/* A derived item that no rule needs is not computed. */
static enum puan_status drop_unused(struct compile *c)
{
    bool *used = puan_new_n(c->names.arena, c->names.n_columns + 1, bool);

    if (!used)
        return puan_arena_check(c->names.arena, c->err);
    for (size_t i = 0; i < c->rs->n; i++) {
        mark_used(used, c->code.ins, c->rs->code[i].when);
        mark_used(used, c->code.ins, c->rs->code[i].check);
    }
    for (size_t i = c->names.n_columns; i-- > 0;) {
        if (used[i])
            mark_used(used, c->code.ins, c->names.column[i].code);
        else
            c->names.column[i].code.n = 0;
    }
    return PUAN_OK;
}

static size_t rules_of(const struct puan_ast_text *t)
{
    size_t n = 0;

    for (const struct puan_ast_rule *r = t->rules; r; r = r->next)
        n++;
    return n;
}

static size_t defines_of(const struct puan_ast_text *t)
{
    size_t n = 0;

    for (const struct puan_ast_define *d = t->defines; d; d = d->next)
        n++;
    return n;
}

static enum puan_status reserve(struct compile *c, struct puan_arena *a)
{
    size_t rules = rules_of(&c->text), defines = defines_of(&c->text);
    struct puan_ruleset *rs = puan_new(a, struct puan_ruleset);

    if (rules > UINT16_MAX || defines > UINT16_MAX)
        return puan_fail(c->err, PUAN_ELIMIT, "rules",
                         "a plan holds at most 65535 rules");
    if (!rs)
        return puan_arena_check(a, c->err);
    c->rs = rs;
    rs->info = puan_new_n(a, rules, struct puan_rule_info);
    rs->code = puan_new_n(a, rules, struct puan_rule_code);
    rs->part_at = puan_new_n(a, rules + 1, uint32_t);
    rs->skip = puan_new_n(a, rules + defines, struct puan_rule_skip);
    c->names.column = puan_new_n(a, defines, struct puan_column);
    c->names.cap_columns = defines;
    return puan_arena_check(a, c->err);
}

/* The data of each table the texts declare, where there is any. */
static enum puan_status bind_tables(const struct puan_lookup *const **out,
                                    struct compile *c)
{
    const struct puan_lookup **table;
    size_t n = 0;

    for (struct puan_ast_decl *d = c->text.tables; d; d = d->next)
        n++;
    table = puan_arena_get_n(c->names.arena, n + 1, sizeof(*table));
    if (!table)
        return puan_arena_check(c->names.arena, c->err);
    n = 0;
    for (struct puan_ast_decl *d = c->text.tables; d; d = d->next, n++)
        for (size_t i = 0; i < c->names.n_lookups; i++)
            if (puan_str_eq(c->names.lookups[i].name, d->name))
                table[n] = &c->names.lookups[i];
    *out = table;
    return PUAN_OK;
}

enum puan_status puan_ruleset_build(struct puan_ruleset **out,
                                    struct puan_rule_names *names,
                                    const struct puan_str *texts,
                                    const char *const *files, size_t n_texts,
                                    bool with_rules)
{
    struct compile *c = puan_new(names->arena, struct compile);
    struct puan_arena *a = names->arena;
    struct puan_err *err = names->err;
    const struct puan_lookup *const *table = NULL;
    enum puan_status st = PUAN_OK;

    if (!c)
        return puan_arena_check(a, err);
    c->err = err;
    puan_ast_text_init(&c->text);
    c->code.arena = a;
    c->names = *names;
    c->names.text = &c->text;
    c->names.code = &c->code;
    for (size_t i = 0; i < n_texts && st == PUAN_OK; i++)
        st = puan_rule_parse_text(&c->text, texts[i], files ? files[i] : "", a,
                                  err);
    if (st == PUAN_OK)
        st = refuse_doubles(c);
    if (st == PUAN_OK)
        st = bind_tables(&table, c);
    if (st == PUAN_OK)
        st = reserve(c, a);
    for (struct puan_ast_const *k = c->text.consts; k && st == PUAN_OK;
         k = k->next)
        st = puan_rule_check_const(k, &c->names);
    if (st == PUAN_OK)
        st = all_defines(c);
    for (struct puan_ast_rule *r = c->text.rules;
         with_rules && r && st == PUAN_OK; r = r->next)
        st = one_rule(c, r);
    if (st == PUAN_OK && with_rules)
        st = drop_unused(c);
    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
    if (st != PUAN_OK)
        return st;
    c->rs->prog = (struct puan_program){ .form = names->form,
                                         .ins = c->code.ins,
                                         .range = c->code.range,
                                         .column = c->names.column,
                                         .n_columns = c->names.n_columns,
                                         .table = table };
    *names = c->names;
    c->rs->name = c->text.set;
    c->rs->version = c->text.version;
    *out = c->rs;
    return PUAN_OK;
}

enum puan_status
puan_ruleset_compile(struct puan_ruleset **out, const struct puan_form *form,
                     const struct puan_const *consts, size_t n_consts,
                     const struct puan_str *texts, const char *const *files,
                     size_t n_texts, struct puan_arena *a, struct puan_err *err)
{
    return puan_ruleset_compile_with(out, form, consts, n_consts, NULL, 0,
                                     texts, files, n_texts, a, err);
}

enum puan_status puan_ruleset_compile_with(
    struct puan_ruleset **out, const struct puan_form *form,
    const struct puan_const *consts, size_t n_consts,
    const struct puan_lookup *lookups, size_t n_lookups,
    const struct puan_str *texts, const char *const *files, size_t n_texts,
    struct puan_arena *a, struct puan_err *err)
{
    struct puan_rule_names names = { .form = form,
                                     .settings = consts,
                                     .n_settings = n_consts,
                                     .lookups = lookups,
                                     .n_lookups = n_lookups,
                                     .arena = a,
                                     .err = err };

    return puan_ruleset_build(out, &names, texts, files, n_texts, true);
}

struct puan_str puan_ruleset_name(const struct puan_ruleset *rs)
{
    return rs->name;
}

int64_t puan_ruleset_version(const struct puan_ruleset *rs)
{
    return rs->version;
}

size_t puan_ruleset_count(const struct puan_ruleset *rs)
{
    return rs->n;
}

const struct puan_rule_info *puan_ruleset_info(const struct puan_ruleset *rs,
                                               size_t i)
{
    return i < rs->n ? &rs->info[i] : NULL;
}

const struct puan_rule_skip *puan_ruleset_skips(const struct puan_ruleset *rs,
                                                size_t *n)
{
    *n = rs->n_skips;
    return rs->skip;
}

static bool skips(const struct puan_ruleset *rs, const struct puan_rule_skip *k)
{
    for (size_t i = 0; i < rs->n_skips; i++)
        if (rs->skip[i].line == k->line && rs->skip[i].col == k->col &&
            strcmp(rs->skip[i].file, k->file) == 0)
            return true;
    return false;
}

enum puan_status puan_ruleset_next_used(const struct puan_ruleset *const *sets,
                                        size_t n, size_t *at,
                                        struct puan_err *err)
{
    while (n > 0 && *at < sets[0]->n_skips) {
        const struct puan_rule_skip *k = &sets[0]->skip[(*at)++];
        bool everywhere = !k->off;

        for (size_t j = 1; j < n && everywhere; j++)
            everywhere = skips(sets[j], k);
        if (everywhere)
            return puan_fail_at(err, PUAN_EINVAL, k->file, k->line, k->col,
                                "'%.*s' applies to no form: %s",
                                PUAN_FMT(k->id), k->why);
    }
    return PUAN_OK;
}

enum puan_status puan_ruleset_all_used(const struct puan_ruleset *const *sets,
                                       size_t n, struct puan_err *err)
{
    size_t at = 0;

    return puan_ruleset_next_used(sets, n, &at, err);
}

/* ---- run ---- */

/* The derived items of the record, in their order. */
static enum puan_status derive(struct puan_rule_run *x,
                               const struct puan_program *p,
                               struct puan_arena *a, struct puan_err *err)
{
    val regs[PUAN_RULE_REGS];

    if (p->n_columns == 0)
        return PUAN_OK;
    x->column = puan_new_n(a, p->n_columns, struct puan_val *);
    if (!x->column)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < p->n_columns; i++) {
        const struct puan_column *c = &p->column[i];
        uint32_t n = x->r->rows[c->entity].n;

        if (c->code.n == 0)
            continue;
        x->column[i] = puan_new_n(a, n, struct puan_val);
        if (!x->column[i])
            return puan_arena_check(a, err);
        for (uint32_t row = 0; row < n; row++) {
            puan_rule_place(x, PUAN_SRC_OWN, c->entity, row);
            puan_rule_exec(x, p->ins + c->code.at, c->code.n, regs);
            x->column[i][row] = regs[0];
        }
    }
    return PUAN_OK;
}

static enum outcome instance(struct puan_rule_run *x,
                             const struct puan_ins *ins,
                             const struct puan_rule_code *c)
{
    val regs[PUAN_RULE_REGS];

    if (c->when.n) {
        if (c->plain && puan_rule_plainly_false(x, ins + c->when.at))
            return APPLIES_NOT;
        puan_rule_exec(x, ins + c->when.at, c->when.n, regs);
        if (regs[0].s != PUAN_KNOWN)
            return outcome_of(regs[0]);
        if (!regs[0].v)
            return APPLIES_NOT;
    }
    puan_rule_exec(x, ins + c->check.at, c->check.n, regs);
    return outcome_of(regs[0]);
}

static enum puan_status found(struct puan_findings *f, size_t *cap, size_t rule,
                              uint32_t row, struct puan_arena *a,
                              struct puan_err *err)
{
    if (f->n == *cap) {
        size_t more = *cap ? *cap * 2 : 16;
        struct puan_finding *l = puan_new_n(a, more, struct puan_finding);

        if (!l)
            return puan_arena_check(a, err);
        if (f->n)
            memcpy(l, f->list, f->n * sizeof(*l));
        f->list = l;
        *cap = more;
    }
    f->list[f->n++] =
        (struct puan_finding){ .rule = (uint16_t)rule, .row = row };
    return PUAN_OK;
}

enum puan_status puan_ruleset_run(struct puan_findings *out,
                                  const struct puan_ruleset *rs,
                                  const struct puan_record *r,
                                  struct puan_arena *a, struct puan_err *err)
{
    const struct puan_program *p = &rs->prog;
    struct puan_rule_run x = { .r = r, .range = p->range, .table = p->table };
    enum puan_status st;
    size_t cap = 0;

    *out = (struct puan_findings){ 0 };
    if (r->form != p->form || r->rows[0].n != 1)
        return puan_fail(err, PUAN_EBUG, "rules",
                         "the record is of another form or has no household");
    puan_rule_place(&x, PUAN_SRC_HOUSE, 0, 0);
    st = derive(&x, p, a, err);
    if (st != PUAN_OK)
        return st;
    for (size_t i = 0; i < rs->n; i++) {
        const struct puan_rule_code *c = &rs->code[i];
        uint32_t n = r->rows[c->entity].n;

        for (uint32_t row = 0; row < n; row++) {
            enum outcome o;

            puan_rule_place(&x, PUAN_SRC_OWN, c->entity, row);
            o = instance(&x, p->ins, c);
            out->evaluated += o >= HOLDS;
            out->not_evaluable += o == NOT_EVALUABLE;
            if (o != FAILS)
                continue;
            out->any_hard |= rs->info[i].severity == PUAN_HARD;
            st = found(out, &cap, i, row, a, err);
            if (st != PUAN_OK)
                return st;
        }
    }
    return PUAN_OK;
}

enum puan_status puan_ruleset_explain(struct puan_rule_value **out, size_t *n,
                                      const struct puan_ruleset *rs,
                                      size_t rule, const struct puan_record *r,
                                      uint32_t row, struct puan_arena *a,
                                      struct puan_err *err)
{
    const struct puan_program *p = &rs->prog;
    struct puan_rule_run x = { .r = r, .range = p->range, .table = p->table };
    struct puan_rule_value *list;
    uint32_t from, to;
    enum puan_status st;

    *out = NULL;
    *n = 0;
    if (rule >= rs->n || r->form != p->form || r->rows[0].n != 1 ||
        row >= r->rows[rs->code[rule].entity].n)
        return puan_fail(err, PUAN_EBUG, "rules",
                         "the record is of another form or has no such row");
    from = rs->part_at[rule];
    to = rs->part_at[rule + 1];
    list = puan_new_n(a, to - from, struct puan_rule_value);
    if (!list)
        return puan_arena_check(a, err);
    puan_rule_place(&x, PUAN_SRC_HOUSE, 0, 0);
    st = derive(&x, p, a, err);
    if (st != PUAN_OK)
        return st;
    puan_rule_place(&x, PUAN_SRC_OWN, rs->code[rule].entity, row);
    for (uint32_t i = from; i < to; i++) {
        const struct puan_rule_part *part = &rs->part[i];
        const struct puan_expr typed = { .type = part->type };
        struct puan_rule_value *v = &list[i - from];
        val regs[PUAN_RULE_REGS];

        puan_rule_exec(&x, p->ins + part->code.at, part->code.n, regs);
        v->text = part->text;
        v->truth = part->type.kind == PUAN_KIND_TRUTH;
        v->state = regs[0].s == PUAN_KNOWN
                       ? PUAN_GIVEN
                       : (enum puan_state)state_of(regs[0].s);
        v->value = v->state == PUAN_GIVEN
                       ? puan_expr_text(&typed, regs[0].v, a)
                       : "";
    }
    *out = list;
    *n = to - from;
    return puan_arena_check(a, err);
}
