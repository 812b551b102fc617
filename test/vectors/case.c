/*
 * What one case gives: the value of an expression in each row, the findings of
 * rules, the truth of a guard, or the error.
 */
#include "case.h"

#include "base/json.h"
#include "base/out.h"

static const struct puan_const settings[] = {
    { { "ref_month", 9 }, 2020 * 12 + 10 },
    { { "spouse_gap", 10 }, 15 },
};

static const char *error(const struct puan_err *err, struct puan_arena *a)
{
    if (err->line)
        return puan_arena_fmt(a, "error %u:%u %s", err->line, err->col,
                              err->text);
    return puan_arena_fmt(a, "error %s", err->text);
}

/* The case's answers as a whole document of the form. */
static enum puan_status read(struct puan_record *r, const struct puan_form *f,
                             struct puan_str input, struct puan_arena *a,
                             struct puan_err *err)
{
    struct puan_return_head head;
    struct puan_out doc;
    bool more, answers = false;

    if (input.n < 2 || input.p[0] != '{')
        return puan_fail(err, PUAN_EINVAL, "input",
                         "expected a map of answers");
    more = puan_str_trim((struct puan_str){ input.p + 1, input.n - 1 }).p[0] !=
           '}';
    for (size_t i = 0; i + 10 <= input.n; i++)
        answers |= memcmp(input.p + i, "\"answers\":", 10) == 0;
    puan_out_init(&doc, a);
    puan_out_fmt(&doc, "{\"form\":\"%.*s\",\"household\":\"1\"%s%s",
                 PUAN_FMT(f->id), answers ? "" : ",\"answers\":{}",
                 more ? "," : "");
    puan_out_bytes(&doc, input.p + 1, input.n - 1);
    if (puan_record_read(r, &head, &f, 1, puan_out_view(&doc), a, err) !=
        PUAN_OK)
        return err->code;
    puan_record_facts(r);
    return PUAN_OK;
}

static const char *expression(const struct puan_form *f, int entity,
                              struct puan_str text, struct puan_str input,
                              struct puan_arena *a)
{
    static const char *const why[] = { "not-asked", "", "missing", "invalid" };
    struct puan_err err = { 0 };
    struct puan_record r;
    struct puan_expr *e;
    struct puan_out o;

    if (puan_expr_compile(&e, f, (uint16_t)entity, settings,
                          PUAN_COUNT(settings), text, "", 1, a,
                          &err) != PUAN_OK ||
        read(&r, f, input, a, &err) != PUAN_OK)
        return error(&err, a);
    puan_out_init(&o, a);
    puan_out_text(&o, r.rows[entity].n ? "" : "no rows");
    for (uint32_t row = 0; row < r.rows[entity].n; row++) {
        enum puan_state state;
        int64_t v;

        puan_expr_eval(&v, &state, e, &r, row);
        if (row)
            puan_out_char(&o, ' ');
        puan_out_text(&o, state == PUAN_GIVEN ? puan_expr_text(e, v, a)
                                              : why[state]);
    }
    return puan_arena_fmt(a, "%.*s", PUAN_FMT(puan_out_view(&o)));
}

/* "A[2] B / 5 1": findings (rows of rosters from 1), evaluated, in doubt. */
static const char *findings(const struct puan_ruleset *rs,
                            const struct puan_findings *f, struct puan_arena *a)
{
    struct puan_out o;

    puan_out_init(&o, a);
    for (size_t i = 0; i < f->n; i++) {
        const struct puan_rule_info *info =
            puan_ruleset_info(rs, f->list[i].rule);

        puan_out_str(&o, info->id);
        if (info->entity)
            puan_out_fmt(&o, "[%u]", f->list[i].row + 1);
        puan_out_char(&o, ' ');
    }
    puan_out_fmt(&o, "%s/ %u %u", f->n ? "" : "none ", f->evaluated,
                 f->not_evaluable);
    return puan_arena_fmt(a, "%.*s", PUAN_FMT(puan_out_view(&o)));
}

static const char *rules(const struct puan_form *f, struct puan_str text,
                         struct puan_str input, struct puan_arena *a)
{
    struct puan_err err = { 0 };
    struct puan_ruleset *rs;
    struct puan_record r;
    const struct puan_record *twice[2] = { &r, &r };
    struct puan_findings one, two[2];
    const char *x, *y;
    const struct puan_rule_skip *skip;
    size_t skips;

    if (puan_ruleset_compile(&rs, f, settings, PUAN_COUNT(settings), &text,
                             NULL, 1, a, &err) != PUAN_OK)
        return error(&err, a);
    skip = puan_ruleset_skips(rs, &skips);
    if (skips)
        return puan_arena_fmt(a, "skips %.*s: %s", PUAN_FMT(skip->id),
                              skip->why);
    if (read(&r, f, input, a, &err) != PUAN_OK ||
        puan_ruleset_run(&one, rs, &r, a, &err) != PUAN_OK ||
        puan_ruleset_run_block(two, rs, twice, 2, a, &err) != PUAN_OK)
        return error(&err, a);
    x = findings(rs, &one, a);
    y = findings(rs, &two[1], a);
    if (strcmp(x, y) != 0)
        return puan_arena_fmt(a, "executors differ: %s and %s", x, y);
    return x;
}

/* Names of the guards in the cases; words get the values 1, 2, … */
static const char *guard(struct puan_str text, struct puan_str input,
                         struct puan_arena *a)
{
    static const struct puan_code kind_codes[] = {
        { 1, { "leak", 4 }, { 0 }, { 0 } },
        { 2, { "fire", 4 }, { 0 }, { 0 } },
    };
    static const struct puan_code level_codes[] = {
        { 1, { "blue", 4 }, { 0 }, { 0 } },
        { 2, { "yellow", 6 }, { 0 }, { 0 } },
        { 3, { "orange", 6 }, { 0 }, { 0 } },
        { 4, { "red", 3 }, { 0 }, { 0 } },
    };
    static const struct puan_codelist kind = {
        { "kind", 4 }, kind_codes, 2, false, true
    };
    static const struct puan_codelist level = {
        { "level", 5 }, level_codes, 4, false, true
    };
    static const struct puan_scope_name names[] = {
        { { "kind", 4 }, &kind },
        { { "level", 5 }, &level },
        { { "n", 1 }, NULL },
        { { "open_days", 9 }, NULL },
    };
    static const char *const truth[] = { "false", "true", "unknown" };
    struct puan_err err = { 0 };
    struct puan_node *tree;
    struct puan_expr *e;
    int64_t v[4] = { 0 };
    uint8_t st[4] = { 0 };

    if (puan_expr_compile_scope(&e, names, 4, text, "", 1, 1, a, &err) !=
            PUAN_OK ||
        puan_json_tree(&tree, input, "input", a, &err) != PUAN_OK)
        return error(&err, a);
    for (size_t i = 0; i < PUAN_COUNT(names); i++) {
        const struct puan_node *n = puan_node_get_s(tree, names[i].name);
        const struct puan_code *c = NULL;

        if (!n)
            continue;
        if (names[i].words)
            c = puan_code_by_text(names[i].words, n->text);
        if (c)
            v[i] = c->value;
        st[i] = n->kind == PUAN_NODE_NULL             ? PUAN_MISSING
                : c || puan_int_parse(&v[i], n->text) ? PUAN_GIVEN
                                                      : PUAN_INVALID;
    }
    return truth[puan_expr_scope_truth(e, v, st)];
}

const char *puan_vector_case(const struct puan_form *form,
                             struct puan_str program, struct puan_str input,
                             struct puan_arena *a)
{
    struct puan_str rest = program, level;
    int entity;

    if (puan_str_starts(program, "rule ") ||
        puan_str_starts(program, "define ") ||
        puan_str_starts(program, "const ") || puan_str_starts(program, "set "))
        return rules(form, program, input, a);
    if (!puan_str_split(&level, &rest, ':') || !rest.p)
        return "the program has no level: write LEVEL: EXPR";
    rest = puan_str_trim(rest);
    if (puan_str_is(level, "guard"))
        return guard(rest, input, a);
    entity = puan_form_entity(form, level);
    if (entity < 0)
        return "the program names no level of the form";
    return expression(form, entity, rest, input, a);
}
