/*
 * Questions about a set of rules, each a search through the space of answers:
 * is there a row for which this rule finds something and that one does not, a
 * complete return with this answer that no hard rule objects to, and so on.
 */
#include "core/rule/prove.h"

#include "base/arena.h"
#include "core/rule/space.h"

#define CELLS_DEFAULT 200000
#define NODES_DEFAULT 20000
#define WORDS (PUAN_SPACE_VARS / 64)
#define NO_COND UINT32_MAX

typedef struct puan_ast_node node;

/* One rule that applies to the form. */
struct prule {
    const struct puan_ast_rule *ast;
    uint16_t entity;
};

enum goal_kind {
    GOAL_FIRES,
    GOAL_QUIET,
    GOAL_TRUE,
    GOAL_CLASS
};

/* What a search has to bring about. */
struct goal {
    enum goal_kind kind;
    uint32_t when, check; /* FIRES, QUIET: of a rule; TRUE: check */
    uint32_t var, cls;    /* CLASS */
    uint32_t rule;        /* place in rules; UINT32_MAX: none */
    uint64_t vars[WORDS];
};

struct prover {
    struct puan_rule_names names;
    struct puan_ast_text text;
    struct puan_code_out code;
    struct puan_arena *arena;
    struct puan_arena scratch;
    const struct puan_form *form;
    struct puan_prove_limits limits;
    struct prule *rule;
    size_t n_rules;
    struct puan_space space;
    struct goal *own;      /* of the rule at this place, GOAL_QUIET */
    struct goal *complete; /* routing */
    size_t n_complete;
    bool *never;
    uint16_t *open; /* of searches */
    struct puan_rule_proof *list;
    size_t n, cap;
    struct puan_rule_proofs *out;
    struct puan_item *const *item; /* of data: domains may be widened; or NULL */
    struct puan_err *err;
};

/* ---- search ---- */

struct search {
    const struct puan_space *s;
    const struct goal **goal;
    size_t n;
    int32_t cls[PUAN_SPACE_VARS];
    uint16_t *open; /* places in goal, n for each depth */
    uint32_t nodes, most;
    bool gave_up;
};

enum standing { BROKEN, MET, OPEN };

static enum standing stands(const struct search *x, const struct goal *g)
{
    unsigned when = PUAN_OUT_TRUE, check;
    bool may, must;

    if (g->kind == GOAL_CLASS) {
        if (x->cls[g->var] < 0)
            return OPEN;
        return (uint32_t)x->cls[g->var] == g->cls ? MET : BROKEN;
    }
    if (g->kind == GOAL_TRUE) {
        check = puan_space_outcome(x->s, g->check, x->cls);
        if (check == PUAN_OUT_TRUE)
            return MET;
        return check & PUAN_OUT_TRUE ? OPEN : BROKEN;
    }
    if (g->when != NO_COND)
        when = puan_space_outcome(x->s, g->when, x->cls);
    may = when & PUAN_OUT_TRUE;
    check = may ? puan_space_outcome(x->s, g->check, x->cls) : 0;
    must = when == PUAN_OUT_TRUE && check == PUAN_OUT_FALSE;
    may = may && (check & PUAN_OUT_FALSE);
    if (g->kind == GOAL_FIRES)
        return must ? MET : may ? OPEN : BROKEN;
    return must ? BROKEN : may ? OPEN : MET;
}

static int next_var(const struct search *x, const struct goal *g)
{
    int v = -1;

    if (g->kind == GOAL_CLASS)
        return (int)g->var;
    if (g->when != NO_COND)
        v = puan_space_open_var(x->s, g->when, x->cls);
    return v < 0 ? puan_space_open_var(x->s, g->check, x->cls) : v;
}

/* The goals still open, from `open` of this depth to that of the next. */
static bool narrowed(struct search *x, const uint16_t *open, size_t n,
                     uint16_t *left, size_t *n_left, uint32_t var)
{
    *n_left = 0;
    for (size_t i = 0; i < n; i++) {
        const struct goal *g = x->goal[open[i]];
        enum standing st = OPEN;

        if (g->vars[var / 64] >> var % 64 & 1)
            st = stands(x, g);
        if (st == BROKEN)
            return false;
        if (st == OPEN)
            left[(*n_left)++] = open[i];
    }
    return true;
}

static bool dive(struct search *x, size_t n, unsigned depth)
{
    uint16_t *open = x->open + depth * x->n, *left = open + x->n;
    int var;
    bool found = false;

    if (n == 0)
        return true;
    var = next_var(x, x->goal[open[0]]);
    for (size_t i = 1; var < 0 && i < n; i++)
        var = next_var(x, x->goal[open[i]]);
    if (var < 0) { /* cannot be: outcomes are single when all is known */
        x->gave_up = true;
        return false;
    }
    for (uint32_t c = 0; !found && !x->gave_up && c < x->s->var[var].n_cls;
         c++) {
        size_t n_left;

        if (++x->nodes > x->most) {
            x->gave_up = true;
            break;
        }
        x->cls[var] = (int32_t)c;
        if (narrowed(x, open, n, left, &n_left, (uint32_t)var))
            found = dive(x, n_left, depth + 1);
    }
    if (!found)
        x->cls[var] = -1;
    return found;
}

enum answer { NO, YES, UNDECIDED };

/* Is there an answer that meets all goals?  x->cls is one. */
static enum answer ask(struct search *x, struct prover *p)
{
    size_t n = 0;

    p->out->questions++;
    x->s = &p->space;
    x->most = p->limits.nodes;
    x->nodes = 0;
    x->gave_up = false;
    for (uint32_t i = 0; i < p->space.n_vars; i++)
        x->cls[i] = -1;
    x->open = p->open;
    for (size_t i = 0; i < x->n; i++) {
        enum standing st = stands(x, x->goal[i]);

        if (st == BROKEN)
            return NO;
        if (st == OPEN)
            x->open[n++] = (uint16_t)i;
    }
    if (dive(x, n, 0))
        return YES;
    if (x->gave_up)
        p->out->undecided++;
    return x->gave_up ? UNDECIDED : NO;
}

/* ---- reading the texts ---- */

static enum puan_status one_rule(struct prover *p, struct puan_ast_rule *r)
{
    struct puan_err local = { 0 };
    struct puan_rule_scope s = { .names = &p->names, .file = r->file };
    int e = puan_form_entity(p->form, r->level);
    enum puan_status st = PUAN_OK;

    for (const struct puan_ast_off *o = p->text.off; o; o = o->next)
        if (puan_str_eq(o->id, r->id))
            return PUAN_OK; /* switched off */
    if (!puan_ast_forms_hold(&r->in, p->form->id) || e < 0)
        return PUAN_OK;
    s.level = (uint16_t)e;
    p->names.err = &local;
    if (r->when)
        st = puan_rule_check_truth(r->when, &s, "'when'");
    if (st == PUAN_OK)
        st = puan_rule_check_truth(r->check, &s, "'check'");
    p->names.err = p->err;
    if (st == PUAN_EINVAL && s.unresolved && r->in.n == 0)
        return PUAN_OK;
    if (st != PUAN_OK) {
        if (p->err && p->err->code == PUAN_OK)
            *p->err = local;
        return st;
    }
    p->rule[p->n_rules++] = (struct prule){ r, (uint16_t)e };
    return PUAN_OK;
}

static enum puan_status read_texts(struct prover *p,
                                   const struct puan_str *texts,
                                   const char *const *files, size_t n)
{
    size_t rules = 0, defines = 0;
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; i < n && st == PUAN_OK; i++)
        st = puan_rule_parse_text(&p->text, texts[i], files ? files[i] : "",
                                  p->arena, p->err);
    for (const struct puan_ast_rule *r = p->text.rules; r; r = r->next)
        rules++;
    for (const struct puan_ast_define *d = p->text.defines; d; d = d->next)
        defines++;
    p->rule = puan_new_n(p->arena, rules, struct prule);
    p->names.column = puan_new_n(p->arena, defines, struct puan_column);
    p->names.cap_columns = defines;
    if (st == PUAN_OK)
        st = puan_arena_check(p->arena, p->err);
    for (struct puan_ast_const *c = p->text.consts; c && st == PUAN_OK;
         c = c->next)
        st = puan_rule_check_const(c, &p->names);
    for (struct puan_ast_define *d = p->text.defines; d && st == PUAN_OK;
         d = d->next)
        if (puan_ast_forms_hold(&d->in, p->form->id))
            st = puan_rule_check_define(d, &p->names, 0);
    for (struct puan_ast_rule *r = p->text.rules; r && st == PUAN_OK;
         r = r->next)
        st = one_rule(p, r);
    return st;
}

/* ---- what data may hold ---- */

/* Constants that stand beside items of a kind. */
struct reach {
    int64_t lo[3], hi[3]; /* numbers, months, days */
};
enum { REACH_NUMBER, REACH_MONTH, REACH_DAY };

static void reach_value(struct reach *r, int at, int64_t v)
{
    r->lo[at] = v < r->lo[at] ? v : r->lo[at];
    r->hi[at] = v > r->hi[at] ? v : r->hi[at];
}

static void reach_of(struct reach *r, const node *n)
{
    if (!n)
        return;
    if (n->ast == PUAN_AST_CONST) {
        if (n->type.kind == PUAN_KIND_MONTH || n->type.kind == PUAN_KIND_ANY)
            reach_value(r, REACH_MONTH, n->value);
        if (n->type.kind == PUAN_KIND_DAY || n->type.kind == PUAN_KIND_ANY)
            reach_value(r, REACH_DAY, n->value);
        if (n->type.kind != PUAN_KIND_MONTH && n->type.kind != PUAN_KIND_DAY)
            reach_value(r, REACH_NUMBER, n->value);
    }
    for (const node *k = n->kid; k; k = k->next)
        reach_of(r, k);
}

static int64_t times(int64_t v, int64_t by)
{
    const int64_t most = INT64_MAX / 4;

    if (v > most / by)
        return most;
    return v < -most / by ? -most : v * by;
}

static void widen_item(struct puan_item *it, const struct reach *r)
{
    int at = it->type == PUAN_TYPE_MONTH  ? REACH_MONTH
             : it->type == PUAN_TYPE_DATE ? REACH_DAY
                                          : REACH_NUMBER;
    int64_t by = 1;

    for (unsigned i = 0; it->type == PUAN_TYPE_FIXED && i < it->places; i++)
        by *= 10;
    if (r->lo[at] <= r->hi[at]) {
        int64_t lo = times(r->lo[at], by), hi = times(r->hi[at], by);

        it->min = lo < it->min ? lo : it->min;
        it->max = hi > it->max ? hi : it->max;
    }
}

/* Items below a node: those whose state is asked for may be without a value,
   the others reach as far as r. */
static void widen(struct prover *p, const node *n, const struct reach *r,
                  bool state)
{
    if (!n)
        return;
    if (n->ast == PUAN_AST_ITEM) {
        struct puan_item *it = &p->item[n->entity][n->item];

        widen_item(it, r);
        if (state)
            it->required = false;
    }
    state = n->ast == PUAN_AST_CALL &&
            (n->op == PUAN_FN_GIVEN || n->op == PUAN_FN_MISSING ||
             n->op == PUAN_FN_ASKED || n->op == PUAN_FN_INVALID ||
             n->op == PUAN_FN_REASON || n->op == PUAN_FN_KNOWN);
    for (const node *k = n->kid; k; k = k->next)
        widen(p, k, r, state);
}

static void domains_of_data(struct prover *p)
{
    struct reach all = { { INT64_MAX, INT64_MAX, INT64_MAX },
                         { INT64_MIN, INT64_MIN, INT64_MIN } };

    for (uint16_t e = 0; e < p->form->n_entities; e++)
        for (uint16_t i = 0; i < p->form->entity[e].n_items; i++)
            p->item[e][i].required = true;
    for (size_t i = 0; i < p->names.n_settings; i++)
        for (int k = 0; k < 3; k++)
            reach_value(&all, k, p->names.settings[i].value);
    for (size_t i = 0; i < p->n_rules; i++) {
        struct reach own = all;

        reach_of(&own, p->rule[i].ast->when);
        reach_of(&own, p->rule[i].ast->check);
        widen(p, p->rule[i].ast->when, &own, false);
        widen(p, p->rule[i].ast->check, &own, false);
    }
    /* what derived items read is held against what any rule says */
    for (size_t i = 0; i < p->n_rules; i++) {
        reach_of(&all, p->rule[i].ast->when);
        reach_of(&all, p->rule[i].ast->check);
    }
    for (size_t i = 0; i < p->names.n_columns; i++)
        reach_of(&all, p->names.column[i].tree);
    for (size_t i = 0; i < p->names.n_columns; i++)
        widen(p, p->names.column[i].tree, &all, false);
    for (uint16_t e = 0; e < p->form->n_entities; e++)
        for (uint16_t i = 0; i < p->form->entity[e].n_items; i++) {
            struct puan_item *it = &p->item[e][i];
            int64_t span = it->max / 2 - it->min / 2 > INT32_MAX
                               ? 0 /* without an end as it is */
                               : it->max - it->min + 16;

            it->min -= span;
            it->max += span;
        }
}

/* ---- goals ---- */

static void goal_vars(struct goal *g, const struct puan_space *s)
{
    memset(g->vars, 0, sizeof(g->vars));
    if (g->kind == GOAL_CLASS) {
        g->vars[g->var / 64] = (uint64_t)1 << g->var % 64;
        return;
    }
    if (g->when != NO_COND)
        puan_space_vars(g->vars, s, g->when);
    puan_space_vars(g->vars, s, g->check);
}

static bool at_level(const struct prover *p, size_t rule)
{
    return p->rule[rule].entity == 0 ||
           p->rule[rule].entity == p->space.level;
}

static void rule_goals(struct prover *p)
{
    p->own = puan_new_n(&p->scratch, p->n_rules, struct goal);
    for (size_t i = 0; p->own && i < p->n_rules; i++) {
        const struct puan_ast_rule *r = p->rule[i].ast;

        if (!at_level(p, i))
            continue;
        p->own[i] = (struct goal){ .kind = GOAL_QUIET,
                                   .when = r->when ? puan_space_truth(
                                                         &p->space, r->when)
                                                   : NO_COND,
                                   .check = puan_space_truth(&p->space,
                                                             r->check),
                                   .rule = (uint32_t)i };
    }
}

/* The condition of asked_if; NO_COND when it cannot be seen here. */
static uint32_t asked_cond(struct prover *p, uint16_t entity,
                           const struct puan_item *it)
{
    struct puan_lex l;
    struct puan_err ignored = { 0 };
    struct puan_rule_scope s = { .names = &p->names, .file = "form",
                                 .level = entity };
    node *n = NULL;
    enum puan_status st;

    if (it->asked_if.n == 0)
        return puan_space_join(&p->space, PUAN_COND_CONST, 1, 0, 0);
    p->names.err = &ignored;
    st = puan_lex_init(&l, it->asked_if, "form", 1, p->arena, &ignored);
    if (st == PUAN_OK)
        st = puan_lex_next(&l);
    if (st == PUAN_OK)
        st = puan_rule_parse_expr(&n, &l);
    if (st == PUAN_OK)
        st = puan_rule_check_truth(n, &s, "'asked_if'");
    p->names.err = p->err;
    if (st != PUAN_OK)
        return NO_COND;
    return puan_space_join(&p->space, PUAN_COND_IS_TRUE,
                           puan_space_truth(&p->space, n), 0, 0);
}

/*
 * Complete: asked and required: given; asked and optional: given or not asked;
 * else not asked.  A fact of a text may be any but missing.
 */
static uint32_t complete_cond(struct prover *p, uint16_t e, uint16_t i)
{
    const unsigned given = 1u << PUAN_GIVEN, not_asked = 1u << PUAN_NOT_ASKED;
    const struct puan_item *it = &p->form->entity[e].items[i];
    struct puan_space *s = &p->space;
    uint32_t asked, yes, no;

    if (it->type == PUAN_TYPE_FACT)
        return puan_space_state(s, e, i,
                                given | not_asked | 1u << PUAN_INVALID);
    asked = asked_cond(p, e, it);
    yes = puan_space_state(s, e, i, it->required ? given : given | not_asked);
    no = puan_space_state(s, e, i, not_asked);
    if (asked == NO_COND)
        return puan_space_state(s, e, i, given | not_asked);
    return puan_space_join(s, PUAN_COND_IF, asked, yes, no);
}

static void complete_goals(struct prover *p)
{
    const struct puan_form *f = p->form;
    size_t cap = f->entity[0].n_items;

    if (p->space.level)
        cap += f->entity[p->space.level].n_items;
    cap += 2 * p->space.n_vars; /* before routing adds its own */
    p->n_complete = 0;
    p->complete = puan_new_n(&p->scratch, cap, struct goal);
    for (uint32_t v = p->space.n_vars; p->complete && v-- > 0;)
        if (p->space.var[v].sure)
            p->complete[p->n_complete++] =
                (struct goal){ .kind = GOAL_TRUE,
                               .when = NO_COND,
                               .check = puan_space_known(&p->space, v),
                               .rule = UINT32_MAX };
    for (uint32_t v = p->space.n_vars; p->item && p->complete && v-- > 0;) {
        const struct puan_space_var *x = &p->space.var[v];

        if (x->kind == PUAN_VAR_ITEM && p->item[x->entity][x->item].required)
            p->complete[p->n_complete++] = (struct goal){
                .kind = GOAL_TRUE,
                .when = NO_COND,
                .check = puan_space_state(&p->space, x->entity, x->item,
                                          1u << PUAN_GIVEN),
                .rule = UINT32_MAX
            };
    }
    for (int pass = 0; !p->item && p->complete && pass < 2; pass++) {
        uint16_t e = pass ? p->space.level : 0;

        if (pass && e == 0)
            break;
        for (uint16_t i = 0; i < f->entity[e].n_items; i++)
            p->complete[p->n_complete++] =
                (struct goal){ .kind = GOAL_TRUE,
                               .when = NO_COND,
                               .check = complete_cond(p, e, i),
                               .rule = UINT32_MAX };
    }
}

/* ---- what was proved ---- */

static struct puan_rule_proof *note(struct prover *p, enum puan_rule_proof_kind kind,
                               const uint32_t *rule, size_t n)
{
    struct puan_str *core = puan_new_n(p->arena, n, struct puan_str);
    struct puan_rule_proof *q;

    if (p->n == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 16;
        struct puan_rule_proof *more =
            puan_new_n(p->arena, cap, struct puan_rule_proof);

        if (!more)
            return NULL;
        if (p->n)
            memcpy(more, p->list, p->n * sizeof(*more));
        p->list = more;
        p->cap = cap;
    }
    if (!core)
        return NULL;
    for (size_t i = 0; i < n; i++)
        core[i] = p->rule[rule[i]].ast->id;
    q = &p->list[p->n++];
    *q = (struct puan_rule_proof){ .kind = kind, .core = core, .n_core = n,
                              .text = "" };
    if (n > 0) {
        q->file = p->rule[rule[0]].ast->file;
        q->line = p->rule[rule[0]].ast->line;
        q->col = p->rule[rule[0]].ast->col;
    }
    return q;
}

/* "RP27 (person.rules:12) and RP28 (person.rules:18)" */
static const char *named(struct prover *p, const uint32_t *rule, size_t n)
{
    struct puan_out o;

    puan_out_init(&o, p->arena);
    for (size_t i = 0; i < n; i++) {
        const struct puan_ast_rule *r = p->rule[rule[i]].ast;

        puan_out_fmt(&o, "%s%.*s (%s:%u)",
                     i == 0       ? ""
                     : i + 1 == n ? " and "
                                  : ", ",
                     PUAN_FMT(r->id), r->file, r->line);
    }
    return puan_arena_dup(p->arena, puan_out_view(&o));
}

/* ---- never, covered ---- */

static void never_fires(struct prover *p, uint32_t i)
{
    struct goal fires = p->own[i], applies = { .kind = GOAL_TRUE };
    const struct goal *goal[] = { &fires };
    struct search x = { .goal = goal, .n = 1 };
    struct puan_rule_proof *q;
    bool guard = false;

    fires.kind = GOAL_FIRES;
    if (ask(&x, p) != NO)
        return;
    if (fires.when != NO_COND) {
        applies.when = NO_COND;
        applies.check = fires.when;
        goal_vars(&applies, &p->space);
        goal[0] = &applies;
        guard = ask(&x, p) == NO;
    }
    p->never[i] = true;
    q = note(p, PUAN_PROOF_NEVER, &i, 1);
    if (q)
        q->text = puan_arena_fmt(
            p->arena, "rule %.*s can never find anything: %s",
            PUAN_FMT(q->core[0]),
            guard ? "no answers make its 'when' true; look at the codes and "
                    "limits it compares with"
                  : "wherever it applies, what it checks always holds or is "
                    "unknown; remove it or tighten it");
}

static bool share(const struct goal *a, const struct goal *b)
{
    for (size_t w = 0; w < WORDS; w++)
        if (a->vars[w] & b->vars[w])
            return true;
    return false;
}

/* Does everything that a finds, b find too? */
static bool covers(struct prover *p, uint32_t a, uint32_t b)
{
    struct goal fires = p->own[a];
    const struct goal *goal[] = { &fires, &p->own[b] };
    struct search x = { .goal = goal, .n = 2 };

    fires.kind = GOAL_FIRES;
    return ask(&x, p) == NO;
}

static void covered(struct prover *p, uint32_t i)
{
    const struct puan_ast_rule *r = p->rule[i].ast, *o;

    for (uint32_t k = 0; k < p->n_rules; k++) {
        uint32_t core[] = { i, k };
        struct puan_rule_proof *q;
        bool equal;

        o = p->rule[k].ast;
        if (k == i || p->never[k] || p->rule[k].entity != p->rule[i].entity ||
            (r->severity == PUAN_HARD && o->severity == PUAN_SOFT) ||
            (o->override_ok && !r->override_ok &&
             r->severity == PUAN_HARD) ||
            !share(&p->own[i], &p->own[k]) || !covers(p, i, k))
            continue;
        equal = r->severity == o->severity && covers(p, k, i);
        if (equal && k > i)
            continue; /* told of the later one */
        q = note(p, PUAN_PROOF_COVERED, core, 2);
        if (q)
            q->text = puan_arena_fmt(
                p->arena,
                equal ? "rule %.*s finds the same as %s: one of them is "
                        "enough"
                      : "rule %.*s finds nothing that %s does not find too: "
                        "leave it out, or narrow the other",
                PUAN_FMT(r->id), named(p, &k, 1));
        return;
    }
}

/* ---- conflicts ---- */

static bool binding(const struct prover *p, uint32_t i)
{
    const struct puan_ast_rule *r = p->rule[i].ast;

    return at_level(p, i) && r->severity == PUAN_HARD && !r->override_ok;
}

/* A search over the routing, the rules marked in `in`, and up to two more. */
struct question {
    struct prover *p;
    const struct goal **goal;
    bool *in; /* by rule */
    struct goal extra[2];
    size_t n_extra;
};

static enum answer put(struct question *q, struct search *x)
{
    size_t n = 0;

    for (size_t i = 0; i < q->n_extra; i++)
        q->goal[n++] = &q->extra[i];
    for (size_t i = 0; i < q->p->n_complete; i++)
        q->goal[n++] = &q->p->complete[i];
    for (size_t i = 0; i < q->p->n_rules; i++)
        if (q->in[i])
            q->goal[n++] = &q->p->own[i];
    x->goal = q->goal;
    x->n = n;
    return ask(x, q->p);
}

/* Leaves rules out one by one as long as nothing becomes possible. */
static size_t smallest_core(struct question *q, uint32_t *core, size_t most)
{
    size_t n = 0;

    for (size_t i = 0; i < q->p->n_rules; i++) {
        struct search x;

        if (!q->in[i])
            continue;
        q->in[i] = false;
        if (put(q, &x) != NO)
            q->in[i] = true;
    }
    for (uint32_t i = 0; i < q->p->n_rules; i++)
        if (q->in[i] && n < most)
            core[n++] = i;
    return n;
}

static void binding_rules(struct question *q)
{
    for (uint32_t i = 0; i < q->p->n_rules; i++)
        q->in[i] = binding(q->p, i);
}

/* "D9 = 3" or "D5 = 1950-01 … 1960-12" */
static const char *class_text(struct prover *p, const struct puan_space_var *v,
                              uint32_t cls)
{
    const struct puan_item *it = &p->form->entity[v->entity].items[v->item];
    int64_t lo = 0, hi = 0, value;
    bool any = false;

    for (uint32_t i = 0; i < v->n; i++)
        if (v->cls[i] == cls) {
            (void)puan_space_place(&value, v, i);
            if (!any)
                lo = value;
            hi = value;
            any = true;
        }
    if (lo == hi)
        return puan_arena_fmt(p->arena, "%.*s = %s", PUAN_FMT(it->name),
                              puan_item_text(it, lo, p->arena));
    return puan_arena_fmt(p->arena, "%.*s = %s … %s", PUAN_FMT(it->name),
                          puan_item_text(it, lo, p->arena),
                          puan_item_text(it, hi, p->arena));
}

static bool told(const struct prover *p, enum puan_rule_proof_kind kind,
                 const uint32_t *core, size_t n)
{
    for (size_t i = 0; i < p->n; i++) {
        bool same = p->list[i].kind == kind && p->list[i].n_core == n;

        for (size_t k = 0; same && k < n; k++)
            same = puan_str_eq(p->list[i].core[k], p->rule[core[k]].ast->id);
        if (same)
            return true;
    }
    return false;
}

/* Can all of these apply at once, with that answer? */
static bool apply_together(struct question *q, const uint32_t *core, size_t n)
{
    struct search x;
    uint32_t all = puan_space_join(&q->p->space, PUAN_COND_CONST, 1, 0, 0);

    for (size_t i = 0; i < n; i++) {
        if (q->p->own[core[i]].when == NO_COND)
            return false;
        all = puan_space_join(&q->p->space, PUAN_COND_AND, all,
                              q->p->own[core[i]].when, 0);
    }
    q->extra[1] = (struct goal){ .kind = GOAL_TRUE, .when = NO_COND,
                                 .check = all, .rule = UINT32_MAX };
    goal_vars(&q->extra[1], &q->p->space);
    q->n_extra = 2;
    memset(q->in, 0, q->p->n_rules * sizeof(*q->in));
    return put(q, &x) == YES;
}

#define CORE_MOST 8

static void impossible(struct question *q, const struct puan_space_var *v,
                       uint32_t cls)
{
    struct prover *p = q->p;
    const struct puan_item *it = &p->form->entity[v->entity].items[v->item];
    bool code = it->type == PUAN_TYPE_CODE;
    uint32_t core[CORE_MOST];
    size_t n = smallest_core(q, core, CORE_MOST);
    enum puan_rule_proof_kind kind =
        n > 1 ? PUAN_PROOF_CONFLICT : PUAN_PROOF_EXCLUDED;
    struct puan_rule_proof *f;

    /* routing alone, or a limit that one rule sets or several share */
    if (n == 0 || (n == 1 && (!code || p->limits.conflicts_only)) ||
        told(p, kind, core, n) ||
        (n > 1 && (!code || p->item) && !apply_together(q, core, n)))
        return;
    f = note(p, kind, core, n);
    if (!f)
        return;
    f->text = puan_arena_fmt(
        p->arena,
        p->item ? "the rules contradict each other: no complete row with %s "
                  "passes %s; change one of them"
        : n > 1 ? "the rules contradict each other: no complete return with "
                "%s passes %s; change one of them, or take the answer out of "
                "the form"
              : "no complete return with %s passes %s: if that is meant, "
                "take the answer out of the form",
        class_text(p, v, cls), named(p, core, n));
}

/* Every answer of the form is tried that no return found so far has. */
static void answers(struct question *q, bool **seen)
{
    struct prover *p = q->p;

    for (uint32_t v = 0; v < p->space.n_vars; v++) {
        const struct puan_space_var *var = &p->space.var[v];

        if (var->kind != PUAN_VAR_ITEM || var->entity != p->space.level ||
            !var->bounded)
            continue;
        p->out->items++;
        for (uint32_t c = 0; c < var->n_cls; c++) {
            struct search x;
            enum answer got;

            if (seen[v][c] || var->rep[c] >= var->n)
                continue;
            q->extra[0] =
                (struct goal){ .kind = GOAL_CLASS, .when = NO_COND, .var = v,
                               .cls = c, .rule = UINT32_MAX };
            goal_vars(&q->extra[0], &p->space);
            q->n_extra = 1;
            binding_rules(q);
            got = put(q, &x);
            for (uint32_t k = 0; got == YES && k < p->space.n_vars; k++)
                if (x.cls[k] >= 0)
                    seen[k][x.cls[k]] = true;
            if (got == NO)
                impossible(q, var, c);
        }
    }
}

static void conflicts(struct prover *p)
{
    struct question q = { .p = p };
    bool **seen = puan_new_n(&p->scratch, p->space.n_vars + 1u, bool *);
    uint32_t core[CORE_MOST];
    struct puan_rule_proof *f;
    struct search x;
    enum answer got;

    q.goal = puan_new_n(&p->scratch, p->n_rules + p->n_complete + 4,
                        const struct goal *);
    q.in = puan_new_n(&p->scratch, p->n_rules + 1, bool);
    for (uint32_t i = 0; seen && i < p->space.n_vars; i++)
        seen[i] = puan_new_n(&p->scratch, p->space.var[i].n_cls + 1u, bool);
    if (p->scratch.failed || !q.goal || !q.in || !seen)
        return;
    binding_rules(&q);
    got = put(&q, &x);
    if (got == NO) {
        size_t n = smallest_core(&q, core, CORE_MOST);

        f = n > (p->item ? 1u : 0u) && !told(p, PUAN_PROOF_NO_RETURN, core, n)
                ? note(p, PUAN_PROOF_NO_RETURN, core, n)
                : NULL;
        if (f)
            f->text = puan_arena_fmt(
                p->arena,
                "the rules contradict each other: no complete %s at all "
                "passes %s; change one of them",
                p->item ? "row" : "return", named(p, core, n));
        return;
    }
    for (uint32_t k = 0; got == YES && k < p->space.n_vars; k++)
        if (x.cls[k] >= 0)
            seen[k][x.cls[k]] = true;
    answers(&q, seen);
}

/* ---- levels ---- */

static enum puan_status level(struct prover *p, uint16_t e)
{
    enum puan_status st;

    puan_arena_reset(&p->scratch);
    st = puan_space_init(&p->space, &p->names, e, p->limits.cells,
                         &p->scratch);
    if (st != PUAN_OK)
        return st;
    rule_goals(p);
    complete_goals(p);
    if (p->scratch.failed || p->arena->failed)
        return puan_fail(p->err, PUAN_ENOMEM, "rules", "out of memory");
    st = puan_space_close(&p->space);
    if (st != PUAN_OK)
        return st;
    for (size_t i = 0; i < p->n_rules; i++)
        if (at_level(p, i))
            goal_vars(&p->own[i], &p->space);
    for (size_t i = 0; i < p->n_complete; i++)
        goal_vars(&p->complete[i], &p->space);
    p->open = puan_new_n(&p->scratch,
                         (p->space.n_vars + 2u) *
                             (p->n_rules + p->n_complete + 4),
                         uint16_t);
    if (!p->open)
        return puan_fail(p->err, PUAN_ENOMEM, "rules", "out of memory");
    p->out->free_tests += p->space.free_tests;
    for (uint32_t i = 0; i < p->n_rules && !p->limits.conflicts_only; i++)
        if (p->rule[i].entity == e)
            never_fires(p, i);
    for (uint32_t i = 0; i < p->n_rules && !p->limits.conflicts_only; i++)
        if (p->rule[i].entity == e && !p->never[i])
            covered(p, i);
    conflicts(p);
    return puan_arena_check(p->arena, p->err);
}

static enum puan_status prove(struct puan_rule_proofs *out,
                              const struct puan_rule_names *names,
                              struct puan_item *const *item,
                              const struct puan_str *texts,
                              const char *const *files, size_t n_texts,
                              const struct puan_prove_limits *limits,
                              struct puan_arena *a, struct puan_err *err)
{
    const struct puan_form *form = names->form;
    struct prover p = { .arena = a, .form = form, .out = out, .item = item,
                        .err = err, .names = *names };
    enum puan_status st;

    *out = (struct puan_rule_proofs){ 0 };
    if (limits)
        p.limits = *limits;
    if (!p.limits.cells)
        p.limits.cells = CELLS_DEFAULT;
    if (!p.limits.nodes)
        p.limits.nodes = NODES_DEFAULT;
    puan_ast_text_init(&p.text);
    p.code.arena = a;
    p.names.text = &p.text;
    p.names.arena = a;
    p.names.err = err;
    p.names.code = &p.code;
    puan_arena_init(&p.scratch, a->host);
    st = read_texts(&p, texts, files, n_texts);
    if (st == PUAN_OK && item)
        domains_of_data(&p);
    p.never = puan_new_n(a, p.n_rules + 1, bool);
    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
    for (uint16_t e = 0; st == PUAN_OK && e < form->n_entities; e++) {
        bool any = false;

        for (size_t i = 0; i < p.n_rules; i++)
            any = any || p.rule[i].entity == e;
        if (any)
            st = level(&p, e);
    }
    puan_arena_clear(&p.scratch);
    out->list = p.list;
    out->n = p.n;
    out->rules = (uint32_t)p.n_rules;
    return st;
}

enum puan_status
puan_rules_prove(struct puan_rule_proofs *out, const struct puan_form *form,
                 const struct puan_const *consts, size_t n_consts,
                 const struct puan_str *texts, const char *const *files,
                 size_t n_texts, const struct puan_prove_limits *limits,
                 struct puan_arena *a, struct puan_err *err)
{
    const struct puan_rule_names names = { .form = form,
                                           .settings = consts,
                                           .n_settings = n_consts };

    return prove(out, &names, NULL, texts, files, n_texts, limits, a, err);
}

enum puan_status
puan_rules_prove_data(struct puan_rule_proofs *out,
                      const struct puan_rule_names *names,
                      struct puan_item *const *item,
                      const struct puan_str *texts, const char *const *files,
                      size_t n_texts, struct puan_arena *a,
                      struct puan_err *err)
{
    /* in front of every run: what is not decided soon stays undecided */
    const struct puan_prove_limits limits = { .conflicts_only = true,
                                              .nodes = 300,
                                              .cells = 4000 };

    return prove(out, names, item, texts, files, n_texts, &limits, a, err);
}

enum puan_status puan_rule_proofs_refuse(const struct puan_rule_proofs *p,
                                    struct puan_err *err)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i].kind == PUAN_PROOF_CONFLICT ||
            p->list[i].kind == PUAN_PROOF_NO_RETURN)
            return puan_fail_at(err, PUAN_EINVAL, p->list[i].file,
                                p->list[i].line, p->list[i].col, "%s",
                                p->list[i].text);
    return PUAN_OK;
}
