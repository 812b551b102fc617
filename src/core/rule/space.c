/*
 * Rules to a finite space: every test becomes a table over classes of values,
 * what has no finite domain becomes a variable of its own that may come out
 * either way.  Derived items are seen through.  Values are put into one class
 * when no test tells them apart, told by a sum of mixed 64-bit words twice
 * over, so that two values are taken for one wrongly with a chance below
 * 2^-100.
 */
#include "core/rule/space.h"

#include "base/arena.h"
#include "core/codes/codes.h"
#include "core/rule/run.h"

typedef struct puan_ast_node node;

#define DOMAIN_MOST 200000u
#define DEPTH_MOST 400u

/* ---- structure as text ---- */

static void put_raw(struct puan_out *o, const void *p, size_t n)
{
    puan_out_str(o, (struct puan_str){ p, n });
}

static void write_key(struct puan_out *o, const node *n, unsigned depth)
{
    const uint8_t head[] = { (uint8_t)n->ast, n->op, n->src, n->negated,
                             (uint8_t)n->type.kind, n->type.places };
    const uint16_t at[] = { n->entity, n->item };

    put_raw(o, head, sizeof(head));
    put_raw(o, at, sizeof(at));
    put_raw(o, &n->value, sizeof(n->value));
    for (const node *k = n->kid; k && depth < DEPTH_MOST; k = k->next)
        write_key(o, k, depth + 1);
    puan_out_char(o, ')');
}

static struct puan_str key_of(struct puan_space *s, const node *n)
{
    struct puan_out o;

    puan_out_init(&o, s->arena);
    write_key(&o, n, 0);
    return puan_out_view(&o);
}

/* ---- variables ---- */

static void domain(struct puan_space_var *v, int64_t lo, int64_t hi)
{
    v->lo = lo;
    v->bounded = hi >= lo && (uint64_t)hi - (uint64_t)lo < DOMAIN_MOST;
    v->n = v->bounded ? (uint32_t)(hi - lo + 1) : 1; /* 1: some value */
}

static void domain_of_codes(struct puan_space *s, struct puan_space_var *v,
                            const struct puan_codelist *l)
{
    int64_t *value;

    v->bounded = l && l->n > 0 && l->n < DOMAIN_MOST;
    if (!v->bounded)
        return;
    value = puan_new_n(s->arena, l->n, int64_t);
    for (size_t i = 0; value && i < l->n; i++)
        value[i] = l->codes[i].value;
    v->value = value;
    v->n = (uint32_t)l->n;
}

static void domain_of_fact(struct puan_space_var *v, enum puan_fact fact)
{
    switch (fact) {
    case PUAN_FACT_ID_CHECK:
        domain(v, 0, 5);
        return;
    case PUAN_FACT_ID_SEX:
        domain(v, 1, 2);
        return;
    case PUAN_FACT_NAME_CLASS:
        domain(v, 0, 2);
        return;
    case PUAN_FACT_NONE:
    case PUAN_FACT_ID_MONTH:
    case PUAN_FACT_ID_REGION:
    case PUAN_FACT_NAME_LENGTH:
    case PUAN_FACT_PHONE_CLASS:
    case PUAN_FACT_WORD:
    case PUAN_FACT_NUMBER_CHECK:
    case PUAN_FACT_NUMBER_PART:
    default:
        v->bounded = false;
        return;
    }
}

static void domain_of_item(struct puan_space *s, struct puan_space_var *v,
                           const struct puan_item *it)
{
    int64_t hi = 1;

    switch (it->type) {
    case PUAN_TYPE_CODE:
        domain_of_codes(s, v, it->codes);
        return;
    case PUAN_TYPE_INT:
    case PUAN_TYPE_FIXED:
    case PUAN_TYPE_MONTH:
    case PUAN_TYPE_DATE:
        domain(v, it->min, it->max);
        return;
    case PUAN_TYPE_AREA:
        for (unsigned i = 0; i < it->digits && i < 18; i++)
            hi *= 10;
        domain(v, 0, hi - 1);
        return;
    case PUAN_TYPE_FACT:
        domain_of_fact(v, it->fact);
        return;
    case PUAN_TYPE_TEXT:
    case PUAN_TYPE_NAME:
    case PUAN_TYPE_CITIZEN_ID:
    case PUAN_TYPE_PHONE:
    case PUAN_TYPE_POINT:
        domain(v, 0, 0); /* only its state can be read */
        return;
    }
}

static struct puan_space_var *new_var(struct puan_space *s,
                                      enum puan_var_kind kind)
{
    struct puan_space_var *v;

    if (s->n_vars == PUAN_SPACE_VARS) {
        s->arena->failed = true;
        return &s->var[0];
    }
    v = &s->var[s->n_vars++];
    *v = (struct puan_space_var){ .kind = kind, .n = 1, .states = true };
    return v;
}

uint32_t puan_space_item(struct puan_space *s, uint16_t entity, uint16_t item)
{
    const struct puan_item *it =
        &s->names->form->entity[entity].items[item];
    struct puan_space_var *v;

    for (uint32_t i = 0; i < s->n_vars; i++)
        if (s->var[i].kind == PUAN_VAR_ITEM && s->var[i].entity == entity &&
            s->var[i].item == item)
            return i;
    v = new_var(s, PUAN_VAR_ITEM);
    v->entity = entity;
    v->item = item;
    domain_of_item(s, v, it);
    return (uint32_t)(v - s->var);
}

static uint32_t row_var(struct puan_space *s, uint16_t entity)
{
    struct puan_space_var *v;

    for (uint32_t i = 0; i < s->n_vars; i++)
        if (s->var[i].kind == PUAN_VAR_ROW && s->var[i].entity == entity)
            return i;
    v = new_var(s, PUAN_VAR_ROW);
    v->entity = entity;
    v->states = false;
    domain(v, 1, s->names->form->entity[entity].max_rows);
    return (uint32_t)(v - s->var);
}

/* The values that x of a quantifier, or of at(…), can have. */
static void domain_of_x(struct puan_space *s, struct puan_space_var *v,
                        const node *x)
{
    if (x->ast == PUAN_AST_ITEM)
        domain_of_item(s, v,
                       &s->names->form->entity[x->entity].items[x->item]);
    else if (x->type.kind == PUAN_KIND_TRUTH)
        domain(v, 0, 1);
    else if (x->type.kind == PUAN_KIND_CODE)
        domain_of_codes(s, v, x->type.list);
}

static void domain_of_part(struct puan_space *s, struct puan_space_var *v,
                           const node *n)
{
    if (n->type.kind == PUAN_KIND_TRUTH) {
        domain(v, 0, 1);
    } else if (n->ast == PUAN_AST_CALL && n->op == PUAN_FN_AT) {
        domain_of_x(s, v, n->kid);
    } else if (n->ast == PUAN_AST_QUANT) {
        switch ((enum puan_quant)n->op) {
        case PUAN_Q_COUNT:
            domain(v, 0, s->names->form->entity[n->entity].max_rows);
            break;
        case PUAN_Q_FIRST:
        case PUAN_Q_MIN:
        case PUAN_Q_MAX:
            domain_of_x(s, v, n->kid);
            break;
        case PUAN_Q_ANY:
        case PUAN_Q_ALL:
        case PUAN_Q_SUM:
        default:
            break;
        }
    }
}

/* Reads only asked items of the row it looks at: known when those are. */
static bool of_its_row(const struct puan_space *s, const node *n)
{
    if (n->ast == PUAN_AST_ITEM)
        return n->src == PUAN_SRC_INNER &&
               s->names->form->entity[n->entity].items[n->item].type !=
                   PUAN_TYPE_FACT;
    if (n->ast == PUAN_AST_COLUMN || n->ast == PUAN_AST_DIV ||
        n->ast == PUAN_AST_MOD || n->ast == PUAN_AST_CALL)
        return false;
    for (const node *k = n->kid; k; k = k->next)
        if (!of_its_row(s, k))
            return false;
    return true;
}

/* A part that is one thing to the search, whatever it is made of. */
static uint32_t part_var(struct puan_space *s, const node *n,
                         enum puan_var_kind kind)
{
    struct puan_str key = key_of(s, n);
    struct puan_space_var *v;

    for (uint32_t i = 0; i < s->n_vars; i++)
        if (s->var[i].key.n && puan_str_eq(s->var[i].key, key))
            return i;
    v = new_var(s, kind);
    v->key = key;
    v->type = n->type;
    v->sure = n->ast == PUAN_AST_QUANT &&
              (n->op == PUAN_Q_COUNT || n->op == PUAN_Q_ANY ||
               n->op == PUAN_Q_ALL) &&
              of_its_row(s, n);
    domain_of_part(s, v, n);
    return (uint32_t)(v - s->var);
}

/* ---- tests ---- */

static node *read_var(struct puan_space *s, const node *n, uint32_t var)
{
    node *m = puan_new(s->arena, node);

    if (!m)
        return NULL;
    *m = *n;
    m->ast = PUAN_AST_ITEM;
    m->src = PUAN_SRC_OWN;
    m->entity = 0;
    m->item = (uint16_t)var;
    m->kid = m->next = NULL;
    m->height = 1;
    return m;
}

static const struct puan_ast_define *define_of(const struct puan_space *s,
                                               uint16_t column)
{
    for (const struct puan_ast_define *d = s->names->text->defines; d;
         d = d->next)
        if (d->mark == 2 && d->column == column)
            return d;
    return NULL;
}

/* The expression over variables; NULL when out of memory. */
static node *lower(struct puan_space *s, const node *n, unsigned depth)
{
    const struct puan_ast_define *d;
    node *m, **end;

    if (depth > DEPTH_MOST)
        return read_var(s, n, part_var(s, n, PUAN_VAR_FREE));
    switch (n->ast) {
    case PUAN_AST_ITEM:
        return read_var(s, n, puan_space_item(s, n->entity, n->item));
    case PUAN_AST_ROW:
        return read_var(s, n, row_var(s, n->entity));
    case PUAN_AST_COLUMN:
        d = define_of(s, n->item);
        if (d)
            return lower(s, d->expr, depth + 1);
        return read_var(s, n, part_var(s, n, PUAN_VAR_PART));
    case PUAN_AST_QUANT:
        return read_var(s, n, part_var(s, n, PUAN_VAR_PART));
    case PUAN_AST_CALL:
        if (n->op == PUAN_FN_AT || n->op == PUAN_FN_SAME_ID ||
            n->op == PUAN_FN_SAME_TEXT || n->op == PUAN_FN_REASON)
            return read_var(s, n, part_var(s, n, PUAN_VAR_PART));
        break;
    case PUAN_AST_CONST:
    case PUAN_AST_OR:
    case PUAN_AST_AND:
    case PUAN_AST_NOT:
    case PUAN_AST_COMPARE:
    case PUAN_AST_IN:
    case PUAN_AST_RANGE:
    case PUAN_AST_ADD:
    case PUAN_AST_SUB:
    case PUAN_AST_MUL:
    case PUAN_AST_DIV:
    case PUAN_AST_MOD:
    case PUAN_AST_NEG:
        break;
    case PUAN_AST_LOOKUP:
    case PUAN_AST_WORD:
    case PUAN_AST_NAME:
    default: /* what later versions of the language add */
        return read_var(s, n, part_var(s, n, PUAN_VAR_PART));
    }
    m = puan_new(s->arena, node);
    if (!m)
        return NULL;
    *m = *n;
    m->kid = m->next = NULL;
    end = &m->kid;
    for (const node *k = n->kid; k; k = k->next) {
        *end = lower(s, k, depth + 1);
        if (!*end)
            return NULL;
        end = &(*end)->next;
    }
    return m;
}

/* Adds the variables of a lowered expression; false when there are too many. */
static bool add_vars(struct puan_space_test *t, const node *n)
{
    if (n->ast == PUAN_AST_ITEM) {
        for (uint32_t i = 0; i < t->n_vars; i++)
            if (t->var[i] == n->item)
                return true;
        if (t->n_vars == PUAN_TEST_VARS)
            return false;
        t->var[t->n_vars++] = n->item;
    }
    for (const node *k = n->kid; k; k = k->next)
        if (!add_vars(t, k))
            return false;
    return true;
}

static uint32_t places(const struct puan_space_var *v)
{
    return v->n + (v->states ? 3u : 0u);
}

/* Is it a test of an item's state? */
static bool state_only(const node *m)
{
    return m->ast == PUAN_AST_CALL &&
           (m->op == PUAN_FN_GIVEN || m->op == PUAN_FN_MISSING ||
            m->op == PUAN_FN_ASKED || m->op == PUAN_FN_INVALID);
}

static bool fits(const struct puan_space *s, const struct puan_space_test *t,
                 const node *m)
{
    size_t cells = 1;

    for (uint32_t i = 0; i < t->n_vars; i++) {
        const struct puan_space_var *v = &s->var[t->var[i]];

        if (!v->bounded && !state_only(m))
            return false;
        cells *= places(v);
        if (cells > (t->n_vars == 1 ? DOMAIN_MOST + 3 : s->cells))
            return false;
    }
    return true;
}

static uint32_t add_test(struct puan_space *s, const struct puan_space_test *t)
{
    if (s->n_tests == s->cap_tests) {
        uint32_t cap = s->cap_tests ? s->cap_tests * 2 : 64;
        struct puan_space_test *more =
            puan_new_n(s->arena, cap, struct puan_space_test);

        if (!more)
            return 0;
        if (s->n_tests)
            memcpy(more, s->test, s->n_tests * sizeof(*more));
        s->test = more;
        s->cap_tests = cap;
    }
    s->test[s->n_tests] = *t;
    return s->n_tests++;
}

/* The test of a lowered truth value; one left free reads its own variable. */
static uint32_t test_of(struct puan_space *s, node *m)
{
    struct puan_space_test t = { .key = key_of(s, m) };
    struct puan_err ignored = { 0 };
    node *own;

    for (uint32_t i = 0; i < s->n_tests; i++)
        if (puan_str_eq(s->test[i].key, t.key))
            return i;
    if (add_vars(&t, m) && fits(s, &t, m) &&
        puan_rule_emit(&t.code, &s->code, m, "", &ignored) == PUAN_OK)
        return add_test(s, &t);
    s->free_tests++;
    t.var[0] = (uint16_t)part_var(s, m, PUAN_VAR_FREE);
    t.n_vars = 1;
    s->var[t.var[0]].kind = PUAN_VAR_FREE;
    domain(&s->var[t.var[0]], 0, 1);
    own = read_var(s, m, t.var[0]);
    if (!own || puan_rule_emit(&t.code, &s->code, own, "", &ignored) != PUAN_OK)
        return 0;
    return add_test(s, &t);
}

/* ---- conditions ---- */

uint32_t puan_space_join(struct puan_space *s, enum puan_cond_kind kind,
                         uint32_t a, uint32_t b, uint32_t c)
{
    if (s->n_conds == s->cap_conds) {
        uint32_t cap = s->cap_conds ? s->cap_conds * 2 : 256;
        struct puan_space_cond *more =
            puan_new_n(s->arena, cap, struct puan_space_cond);

        if (!more)
            return 0;
        if (s->n_conds)
            memcpy(more, s->cond, s->n_conds * sizeof(*more));
        s->cond = more;
        s->cap_conds = cap;
    }
    s->cond[s->n_conds] =
        (struct puan_space_cond){ (uint8_t)kind, a, b, c };
    return s->n_conds++;
}

static uint32_t truth(struct puan_space *s, const node *n, unsigned depth)
{
    const struct puan_ast_define *d;
    uint32_t a, b, c;
    node *m;

    if (s->arena->failed)
        return 0;
    switch ((unsigned)n->ast) {
    case PUAN_AST_CONST:
        return puan_space_join(s, PUAN_COND_CONST, n->value != 0, 0, 0);
    case PUAN_AST_AND:
    case PUAN_AST_OR:
        a = truth(s, n->kid, depth + 1);
        b = truth(s, n->kid->next, depth + 1);
        return puan_space_join(s,
                               n->ast == PUAN_AST_AND ? PUAN_COND_AND
                                                      : PUAN_COND_OR,
                               a, b, 0);
    case PUAN_AST_NOT:
        a = truth(s, n->kid, depth + 1);
        return puan_space_join(s, PUAN_COND_NOT, a, 0, 0);
    case PUAN_AST_COLUMN:
        d = depth < DEPTH_MOST ? define_of(s, n->item) : NULL;
        if (d)
            return truth(s, d->expr, depth + 1);
        break;
    case PUAN_AST_CALL:
        if (n->op != PUAN_FN_IF)
            break;
        a = truth(s, n->kid, depth + 1);
        b = truth(s, n->kid->next, depth + 1);
        c = truth(s, n->kid->next->next, depth + 1);
        return puan_space_join(s, PUAN_COND_IF, a, b, c);
    default:
        break;
    }
    m = lower(s, n, depth);
    return m ? puan_space_join(s, PUAN_COND_TEST, test_of(s, m), 0, 0) : 0;
}

uint32_t puan_space_truth(struct puan_space *s, const node *n)
{
    return truth(s, n, 0);
}

uint32_t puan_space_state(struct puan_space *s, uint16_t entity, uint16_t item,
                          unsigned mask)
{
    static const struct {
        enum puan_state state;
        enum puan_fn fn;
    } test[] = { { PUAN_GIVEN, PUAN_FN_GIVEN },
                 { PUAN_MISSING, PUAN_FN_MISSING },
                 { PUAN_INVALID, PUAN_FN_INVALID } };
    uint32_t any = puan_space_join(s, PUAN_COND_CONST, 0, 0, 0);
    node x = { .ast = PUAN_AST_ITEM, .entity = entity, .item = item };
    node call = { .ast = PUAN_AST_CALL,
                  .type = { .kind = PUAN_KIND_TRUTH },
                  .height = 2,
                  .kid = &x };

    if (mask & 1u << PUAN_NOT_ASKED) {
        call.op = PUAN_FN_ASKED;
        any = puan_space_join(s, PUAN_COND_NOT, truth(s, &call, 0), 0, 0);
    }
    for (size_t i = 0; i < PUAN_COUNT(test); i++)
        if (mask & 1u << test[i].state) {
            call.op = (uint8_t)test[i].fn;
            any = puan_space_join(s, PUAN_COND_OR, any, truth(s, &call, 0), 0);
        }
    return any;
}

uint32_t puan_space_known(struct puan_space *s, uint32_t var)
{
    node *x = puan_new(s->arena, node), *call = puan_new(s->arena, node);

    if (!x || !call)
        return 0;
    *x = (node){ .ast = PUAN_AST_ITEM, .item = (uint16_t)var };
    *call = (node){ .ast = PUAN_AST_CALL, .op = PUAN_FN_GIVEN,
                    .type = { .kind = PUAN_KIND_TRUTH }, .height = 2,
                    .kid = x };
    return puan_space_join(s, PUAN_COND_TEST, test_of(s, call), 0, 0);
}

/* ---- classes and tables ---- */

enum puan_state puan_space_place(int64_t *value,
                                 const struct puan_space_var *v,
                                 uint32_t place)
{
    static const enum puan_state state[] = { PUAN_NOT_ASKED, PUAN_MISSING,
                                             PUAN_INVALID };

    *value = 0;
    if (place >= v->n)
        return state[place - v->n];
    *value = v->value ? v->value[place] : v->lo + place;
    return PUAN_GIVEN;
}

struct values { /* what a test's code reads */
    struct puan_rule_run run;
    int64_t v[PUAN_SPACE_VARS];
    uint8_t st[PUAN_SPACE_VARS];
    val regs[PUAN_RULE_REGS];
};

static void set(struct values *x, const struct puan_space *s, uint32_t var,
                uint32_t place)
{
    x->st[var] =
        (uint8_t)puan_space_place(&x->v[var], &s->var[var], place);
}

static uint8_t outcome(struct values *x, const struct puan_space *s,
                       const struct puan_space_test *t)
{
    puan_rule_exec(&x->run, s->code.ins + t->code.at, t->code.n, x->regs);
    switch (x->regs[0].s) {
    case PUAN_KNOWN:
        return x->regs[0].v ? PUAN_OUT_TRUE : PUAN_OUT_FALSE;
    case PUAN_UN_ASKED:
    case PUAN_UN_OUTER:
        return PUAN_OUT_ASKED;
    case PUAN_UN_MISSING:
        return PUAN_OUT_MISSING;
    default:
        return PUAN_OUT_INVALID;
    }
}

/* The finaliser of splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct mark { /* of a place: what all tests make of it */
    uint64_t a, b;
};

static void stamp(struct mark *m, uint32_t test, size_t rest, unsigned out)
{
    uint64_t z = mix(((uint64_t)test << 40 ^ rest) * 8u + out + 1u);

    m->a += z;
    m->b += mix(z + 0x9e3779b97f4a7c15u);
}

/* Every combination of places of one test's variables. */
static void stamp_test(struct puan_space *s, struct values *x,
                       struct mark *const *mark, uint32_t at)
{
    const struct puan_space_test *t = &s->test[at];
    uint32_t place[PUAN_TEST_VARS] = { 0 };

    for (uint32_t i = 0; i < t->n_vars; i++)
        set(x, s, t->var[i], 0);
    for (;;) {
        uint8_t out = outcome(x, s, t);
        uint32_t i = t->n_vars;

        for (uint32_t k = 0; k < t->n_vars; k++) {
            size_t rest = 0;

            for (uint32_t j = 0; j < t->n_vars; j++)
                if (j != k)
                    rest = rest * (DOMAIN_MOST + 3) + place[j];
            stamp(&mark[t->var[k]][place[k]], at, rest, out);
        }
        while (i > 0) {
            i--;
            if (++place[i] < places(&s->var[t->var[i]])) {
                set(x, s, t->var[i], place[i]);
                break;
            }
            place[i] = 0;
            set(x, s, t->var[i], 0);
            if (i == 0)
                return;
        }
        if (t->n_vars == 0)
            return;
    }
}

/* Places with equal marks are one class. */
static void classes(struct puan_space *s, struct puan_space_var *v,
                    const struct mark *m)
{
    uint32_t n = places(v), slots = 16, *slot;

    while (slots < 2 * n)
        slots *= 2;
    slot = puan_new_n(s->scratch, slots, uint32_t);
    v->cls = puan_new_n(s->arena, n, uint32_t);
    v->rep = puan_new_n(s->arena, n, uint32_t);
    if (!slot || !v->cls || !v->rep) {
        s->arena->failed = true;
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t h = (uint32_t)m[i].a & (slots - 1);

        while (slot[h] && (m[v->rep[slot[h] - 1]].a != m[i].a ||
                           m[v->rep[slot[h] - 1]].b != m[i].b))
            h = (h + 1) & (slots - 1);
        if (!slot[h]) {
            v->rep[v->n_cls++] = i;
            slot[h] = v->n_cls;
        }
        v->cls[i] = slot[h] - 1;
    }
}

static void outcomes_of(struct puan_space *s, struct values *x,
                  struct puan_space_test *t)
{
    uint32_t cls[PUAN_TEST_VARS] = { 0 };

    t->size = 1;
    for (uint32_t i = 0; i < t->n_vars; i++)
        t->size *= s->var[t->var[i]].n_cls;
    t->out = puan_new_n(s->arena, t->size, uint8_t);
    for (uint32_t at = 0; t->out && at < t->size; at++) {
        uint32_t left = at;

        for (uint32_t i = t->n_vars; i-- > 0;) {
            const struct puan_space_var *v = &s->var[t->var[i]];

            cls[i] = left % v->n_cls;
            left /= v->n_cls;
            set(x, s, t->var[i], v->rep[cls[i]]);
        }
        t->out[at] = outcome(x, s, t);
        t->any |= t->out[at];
    }
}

enum puan_status puan_space_close(struct puan_space *s)
{
    struct values *x = puan_new(s->scratch, struct values);
    struct mark **mark = puan_new_n(s->scratch, PUAN_SPACE_VARS,
                                    struct mark *);

    if (!x || !mark)
        return puan_arena_check(s->scratch, s->names->err);
    x->run = (struct puan_rule_run){ .range = s->code.range };
    x->run.v[PUAN_SRC_OWN] = x->v;
    x->run.st[PUAN_SRC_OWN] = x->st;
    for (uint32_t i = 0; i < s->n_vars; i++) {
        struct puan_space_var *v = &s->var[i];

        mark[i] = puan_new_n(s->scratch, places(v) + 1u, struct mark);
        for (uint32_t p = 0; mark[i] && p < places(v); p++)
            mark[i][p].a = p < v->n ? 0 : p - v->n + 1u;
    }
    if (s->scratch->failed || s->arena->failed)
        return puan_fail(s->names->err, PUAN_ENOMEM, "rules", "out of memory");
    for (uint32_t i = 0; i < s->n_tests; i++)
        stamp_test(s, x, mark, i);
    for (uint32_t i = 0; i < s->n_vars; i++)
        classes(s, &s->var[i], mark[i]);
    for (uint32_t i = 0; i < s->n_tests && !s->arena->failed; i++)
        outcomes_of(s, x, &s->test[i]);
    return puan_arena_check(s->arena, s->names->err);
}

enum puan_status puan_space_init(struct puan_space *s,
                                 struct puan_rule_names *names, uint16_t level,
                                 size_t cells, struct puan_arena *scratch)
{
    *s = (struct puan_space){ .names = names,
                              .arena = names->arena,
                              .scratch = scratch,
                              .level = level,
                              .cells = cells };
    s->code.arena = names->arena;
    s->var = puan_new_n(s->arena, PUAN_SPACE_VARS, struct puan_space_var);
    return puan_arena_check(s->arena, names->err);
}

/* ---- outcomes ---- */

static unsigned exchanged(unsigned m)
{
    return (m & ~3u) | (m & 1u) << 1 | (m >> 1 & 1u);
}

/* All outcomes of "a and b", section 5 of doc/rules.md. */
static unsigned both(unsigned a, unsigned b)
{
    const unsigned weak = PUAN_OUT_TRUE | PUAN_OUT_ASKED | PUAN_OUT_MISSING;
    unsigned x = a & weak, y = b & weak, r = a & PUAN_OUT_FALSE;

    if ((a & PUAN_OUT_INVALID) || (x && (b & PUAN_OUT_INVALID)))
        r |= PUAN_OUT_INVALID;
    if (x && (b & PUAN_OUT_FALSE))
        r |= PUAN_OUT_FALSE;
    if (!x || !y)
        return r;
    r |= x & y & PUAN_OUT_TRUE;
    if (((x & PUAN_OUT_ASKED) && (y & (PUAN_OUT_TRUE | PUAN_OUT_ASKED))) ||
        ((y & PUAN_OUT_ASKED) && (x & (PUAN_OUT_TRUE | PUAN_OUT_ASKED))))
        r |= PUAN_OUT_ASKED;
    return r | ((x | y) & PUAN_OUT_MISSING);
}

static unsigned test_outcome(const struct puan_space *s,
                             const struct puan_space_test *t,
                             const int32_t *cls)
{
    uint32_t at = 0, open = 1, step[PUAN_TEST_VARS], n = 0;
    uint32_t size[PUAN_TEST_VARS], place[PUAN_TEST_VARS] = { 0 };
    uint32_t stride = 1;
    unsigned r = 0;

    for (uint32_t i = t->n_vars; i-- > 0;) {
        uint32_t n_cls = s->var[t->var[i]].n_cls;

        if (cls[t->var[i]] >= 0) {
            at += stride * (uint32_t)cls[t->var[i]];
        } else {
            step[n] = stride;
            size[n++] = n_cls;
            open *= n_cls;
        }
        stride *= n_cls;
    }
    if (n == 0)
        return t->out[at];
    if (n == t->n_vars || open > 64)
        return t->any;
    for (uint32_t k = 0; k < open; k++) {
        uint32_t i = 0, where = at;

        for (uint32_t j = 0; j < n; j++)
            where += place[j] * step[j];
        r |= t->out[where];
        while (i < n && ++place[i] == size[i])
            place[i++] = 0;
    }
    return r;
}

unsigned puan_space_outcome(const struct puan_space *s, uint32_t cond,
                            const int32_t *cls)
{
    const struct puan_space_cond *c = &s->cond[cond];
    unsigned a, r;

    switch ((enum puan_cond_kind)c->kind) {
    case PUAN_COND_CONST:
        return c->a ? PUAN_OUT_TRUE : PUAN_OUT_FALSE;
    case PUAN_COND_TEST:
        return test_outcome(s, &s->test[c->a], cls);
    case PUAN_COND_AND:
        a = puan_space_outcome(s, c->a, cls);
        return a == PUAN_OUT_FALSE ? a
                                   : both(a, puan_space_outcome(s, c->b, cls));
    case PUAN_COND_OR:
        a = exchanged(puan_space_outcome(s, c->a, cls));
        if (a == PUAN_OUT_FALSE)
            return PUAN_OUT_TRUE;
        return exchanged(
            both(a, exchanged(puan_space_outcome(s, c->b, cls))));
    case PUAN_COND_NOT:
        return exchanged(puan_space_outcome(s, c->a, cls));
    case PUAN_COND_IF:
        a = puan_space_outcome(s, c->a, cls);
        r = a & ~(unsigned)(PUAN_OUT_TRUE | PUAN_OUT_FALSE);
        if (a & PUAN_OUT_TRUE)
            r |= puan_space_outcome(s, c->b, cls);
        if (a & PUAN_OUT_FALSE)
            r |= puan_space_outcome(s, c->c, cls);
        return r;
    case PUAN_COND_IS_TRUE:
        a = puan_space_outcome(s, c->a, cls);
        return (a & PUAN_OUT_TRUE) |
               (a & ~(unsigned)PUAN_OUT_TRUE ? PUAN_OUT_FALSE : 0u);
    }
    return PUAN_OUT_ALL;
}

int puan_space_open_var(const struct puan_space *s, uint32_t cond,
                        const int32_t *cls)
{
    const struct puan_space_cond *c = &s->cond[cond];
    unsigned m = puan_space_outcome(s, cond, cls);
    int v = -1;

    if ((m & (m - 1)) == 0)
        return -1;
    switch ((enum puan_cond_kind)c->kind) {
    case PUAN_COND_CONST:
        return -1;
    case PUAN_COND_TEST:
        for (uint32_t i = 0; i < s->test[c->a].n_vars; i++)
            if (cls[s->test[c->a].var[i]] < 0)
                return s->test[c->a].var[i];
        return -1;
    case PUAN_COND_IF:
    case PUAN_COND_AND:
    case PUAN_COND_OR:
        v = puan_space_open_var(s, c->a, cls);
        if (v < 0)
            v = puan_space_open_var(s, c->b, cls);
        if (v < 0 && c->kind == PUAN_COND_IF)
            v = puan_space_open_var(s, c->c, cls);
        return v;
    case PUAN_COND_NOT:
    case PUAN_COND_IS_TRUE:
        return puan_space_open_var(s, c->a, cls);
    }
    return v;
}

void puan_space_vars(uint64_t *bits, const struct puan_space *s, uint32_t cond)
{
    const struct puan_space_cond *c = &s->cond[cond];

    switch ((enum puan_cond_kind)c->kind) {
    case PUAN_COND_CONST:
        return;
    case PUAN_COND_TEST:
        for (uint32_t i = 0; i < s->test[c->a].n_vars; i++)
            bits[s->test[c->a].var[i] / 64] |=
                (uint64_t)1 << s->test[c->a].var[i] % 64;
        return;
    case PUAN_COND_IF:
        puan_space_vars(bits, s, c->c);
        puan_space_vars(bits, s, c->b);
        puan_space_vars(bits, s, c->a);
        return;
    case PUAN_COND_AND:
    case PUAN_COND_OR:
        puan_space_vars(bits, s, c->b);
        puan_space_vars(bits, s, c->a);
        return;
    case PUAN_COND_NOT:
    case PUAN_COND_IS_TRUE:
        puan_space_vars(bits, s, c->a);
        return;
    }
}
