/*
 * XPath into the rule language.
 *
 * The two differ in what an empty answer is.  XPath makes it '' and every
 * comparison true or false; in rules it is unknown, and unknown never raises a
 * finding and never asks a question.  Where a condition stands as it is, the
 * two come to the same: what is not true is not asked.  Under not(), and for
 * !=, an empty answer counts, so there the comparison is written with given()
 * or known(): `total`.
 */
#include "core/xlsform/model.h"

#include "base/calendar.h"
#include "base/out.h"

enum type { T_BOOL, T_NUM, T_CODE, T_DATE, T_TEXT, T_WORD, T_MANY };

/* How tightly the outermost operator of a text binds. */
enum binds { B_OR, B_AND, B_NOT, B_COMPARE, B_SUM, B_PRODUCT, B_UNARY, B_ONE };

struct val {
    enum type type;
    struct puan_str text; /* T_WORD: the literal itself, not yet written */
    enum binds binds;
    const struct xf_question *q; /* T_CODE, T_MANY, T_TEXT */
    bool item;                   /* text is the name of an item */
    bool constant;
    bool sure; /* never unknown */
};

struct ctx {
    struct xf_model *m;
    uint16_t entity;
    const struct xf_question *self;
    bool defines;
    unsigned depth;  /* of calls */
    unsigned inlined; /* calculations opened on the way here */
    unsigned budget;  /* nodes that may still be written */
    const char *why, *remedy;
};

#define DEPTH 120
#define NODES 1500

static bool truth(struct ctx *c, const struct puan_xp *x, bool total,
                  struct val *out);
static bool value(struct ctx *c, const struct puan_xp *x, struct val *out);

static bool fail(struct ctx *c, const char *why, const char *remedy)
{
    if (c->why == NULL) {
        c->why = why;
        c->remedy = remedy;
    }
    return false;
}

#define SAY(c, ...) puan_arena_fmt((c)->m->a, __VA_ARGS__)

static struct val val(enum type type, struct puan_str text, enum binds binds)
{
    return (struct val){ .type = type, .text = text, .binds = binds };
}

/* The text, in brackets when it binds less than wanted. */
static const char *in(struct ctx *c, const struct val *v, enum binds least)
{
    return v->binds < least ? SAY(c, "(%.*s)", PUAN_FMT(v->text))
                            : puan_arena_dup(c->m->a, v->text);
}

static struct val boolean(const char *text, enum binds binds)
{
    return val(T_BOOL, puan_str_of(text), binds);
}

/* ---- names ---- */

struct xf_question *xf_find(const struct xf_model *m, struct puan_str name,
                            struct puan_str group, uint16_t entity)
{
    struct xf_question *best = NULL;
    unsigned best_score = 0;

    for (size_t i = 0; i < m->n; i++) {
        struct xf_question *q = &m->q[i];
        unsigned score;

        if (!puan_str_eq(q->name, name))
            continue;
        score = 1 + (q->kind != XF_GROUP ? 1u : 0) + (q->gone ? 0 : 2u) +
                (q->entity == 0 ? 4u : 0) + (q->entity == entity ? 8u : 0) +
                (group.n && q->group && puan_str_eq(q->group->name, group)
                     ? 16u
                     : 0);
        if (score > best_score) {
            best = q;
            best_score = score;
        }
    }
    return best;
}

static bool find(struct ctx *c, const struct puan_xp *x, struct xf_question **q)
{
    if (x->kind == PUAN_XP_SELF) {
        *q = (struct xf_question *)(uintptr_t)c->self;
        return *q != NULL || fail(c, "'.' stands where there is no answer", "");
    }
    if (x->filtered)
        return fail(c, "an answer picked by a condition, [ ]",
                    "use a roster with any() or first(), or a reference table "
                    "(doc/rules.md 2, 8)");
    *q = x->text.n ? xf_find(c->m, x->text, x->group, c->entity) : NULL;
    if (*q == NULL)
        return fail(c, SAY(c, "'%.*s' is no question of the form",
                           PUAN_FMT(x->text)),
                    "");
    if ((*q)->gone)
        return fail(c, SAY(c, "'%.*s' was itself not carried over",
                           PUAN_FMT(x->text)),
                    "");
    return true;
}

/* A calculation is what it computes, until something else is left. */
static bool opened(struct ctx *c, const struct puan_xp **x)
{
    struct xf_question *q;

    while ((*x)->kind == PUAN_XP_REF) {
        if (!find(c, *x, &q))
            return false;
        if (q->kind != XF_CALCULATE || (c->defines && q->defined))
            return true;
        if (q->calc == NULL)
            return fail(c, SAY(c, "the calculation '%.*s' was not carried over",
                               PUAN_FMT(q->name)),
                        "");
        if (++c->inlined > 200)
            return fail(c, "calculations use one another in a circle, or too "
                           "often", "");
        *x = q->calc;
    }
    return true;
}

/* ---- items ---- */

static bool reach(struct ctx *c, const struct xf_question *q,
                  struct puan_str item, struct puan_str *out)
{
    const struct xf_entity *here = &c->m->entity[c->entity];

    *out = item;
    if (q->entity == c->entity || q->entity == 0)
        return true;
    if (q->entity == here->outer && here->link.n) {
        *out = puan_str_of(SAY(c, "at(%.*s.%.*s, %.*s)",
                               PUAN_FMT(c->m->entity[q->entity].name),
                               PUAN_FMT(item), PUAN_FMT(here->link)));
        return true;
    }
    return fail(c, SAY(c, "'%.*s' is asked in another repeat",
                       PUAN_FMT(q->name)),
                "say which row is meant: first(), sum(), count() over the "
                "roster (doc/rules.md 4)");
}

static bool of_item(struct ctx *c, const struct xf_question *q, struct val *out)
{
    struct puan_str text = q->item;

    *out = (struct val){ .binds = B_ONE, .q = q, .item = true };
    if (q->kind != XF_MANY && !reach(c, q, q->item, &text))
        return false;
    out->text = text;
    out->item = puan_str_eq(text, q->item);
    switch (q->kind) {
    case XF_INT:
    case XF_DECIMAL:
        out->type = T_NUM;
        return true;
    case XF_CALCULATE: /* named: a define */
        out->type = T_NUM;
        out->item = false;
        return true;
    case XF_DATE:
        out->type = T_DATE;
        return true;
    case XF_ONE:
    case XF_ACK:
        out->type = T_CODE;
        return true;
    case XF_TEXT:
    case XF_POINT:
        out->type = T_TEXT;
        return true;
    case XF_MANY:
        out->type = T_MANY;
        return true;
    case XF_GROUP:
    case XF_REPEAT:
        break;
    }
    return fail(c, SAY(c, "'%.*s' is a group", PUAN_FMT(q->name)), "");
}

/* The item of one choice of a select_multiple. */
static bool chosen(struct ctx *c, const struct xf_question *q,
                   struct puan_str choice, bool total, struct val *out)
{
    struct puan_str item;

    for (size_t i = 0; i < q->list->n; i++)
        if (puan_str_eq(q->list->choice[i].name, choice)) {
            if (!reach(c, q, q->many[i], &item))
                return false;
            *out = boolean(total ? SAY(c, "given(%.*s) and %.*s = 1",
                                       PUAN_FMT(item), PUAN_FMT(item))
                                 : SAY(c, "%.*s = 1", PUAN_FMT(item)),
                           total ? B_AND : B_COMPARE);
            return true;
        }
    return fail(c, SAY(c, "'%.*s' is no choice of '%.*s'", PUAN_FMT(choice),
                       PUAN_FMT(q->name)),
                "correct the name of the choice in the spreadsheet");
}

/* Something is chosen, or nothing. */
static bool any_chosen(struct ctx *c, const struct xf_question *q, bool some,
                       struct val *out)
{
    struct puan_out o;
    struct puan_str item;

    puan_out_init(&o, c->m->a);
    for (size_t i = 0; i < q->list->n; i++) {
        if (!reach(c, q, q->many[i], &item))
            return false;
        puan_out_fmt(&o, "%s(given(%.*s) and %.*s = 1)", i ? " or " : "",
                     PUAN_FMT(item), PUAN_FMT(item));
    }
    *out = val(T_BOOL, puan_out_view(&o), q->list->n > 1 ? B_OR : B_ONE);
    if (!some)
        *out = boolean(SAY(c, "not (%.*s)", PUAN_FMT(out->text)), B_NOT);
    return true;
}

static bool is_given(struct ctx *c, const struct val *v, bool given,
                     struct val *out)
{
    if (v->type == T_MANY)
        return any_chosen(c, v->q, given, out);
    *out = boolean(SAY(c, v->item ? "%sgiven(%.*s)" : "%sknown(%.*s)",
                       given ? "" : "not ", PUAN_FMT(v->text)),
                   given ? B_ONE : B_NOT);
    return true;
}

/* ---- literals ---- */

/* A number as the language writes it: "0.5" for ".5", at most 6 decimals. */
static bool number_text(struct ctx *c, struct puan_str s, struct puan_str *out)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    struct puan_str t = { s.p + negative, s.n - negative };
    int64_t v;
    size_t i = 0;

    if (t.n > 0 && t.p[t.n - 1] == '.')
        t.n--;
    while (i < t.n && t.p[i] != '.')
        i++;
    if (t.n == 0 || !puan_fixed_parse(&v, i == 0 ? PUAN_STR("0") : t, 6) ||
        (i == 0 && !puan_fixed_parse(&v, puan_str_of(SAY(c, "0%.*s",
                                                         PUAN_FMT(t))),
                                     6)))
        return false;
    *out = puan_str_of(SAY(c, "%s%s%.*s", negative ? "-" : "", i == 0 ? "0" : "",
                           PUAN_FMT(t)));
    return true;
}

static bool number_of(struct ctx *c, struct puan_str s, struct val *out)
{
    struct puan_str text;

    if (!number_text(c, s, &text))
        return fail(c, SAY(c, "'%.*s' is no number of at most six decimals",
                           PUAN_FMT(s)),
                    "");
    *out = val(T_NUM, text, text.p[0] == '-' ? B_UNARY : B_ONE);
    out->constant = true;
    return true;
}

static bool day_of(struct ctx *c, struct puan_str s, struct val *out)
{
    int64_t day;

    if (!puan_day_parse(&day, s))
        return fail(c, SAY(c, "'%.*s' is no day, 2026-11-01", PUAN_FMT(s)), "");
    *out = boolean(SAY(c, "day(\"%.*s\")", PUAN_FMT(s)), B_ONE);
    out->type = T_DATE;
    out->constant = true;
    return true;
}

/* A word beside an item with codes. */
static bool code_of(struct ctx *c, const struct xf_question *q,
                    struct puan_str word, struct val *out)
{
    if (q->kind == XF_ACK) {
        *out = boolean("1", B_ONE);
        out->constant = true;
        return puan_str_same(word, PUAN_STR("ok")) ||
               fail(c, "an acknowledgement is only ever OK", "");
    }
    for (size_t i = 0; i < q->list->n; i++)
        if (puan_str_eq(q->list->choice[i].name, word)) {
            struct puan_out o;
            struct puan_str code = q->list->choice[i].code;

            puan_out_init(&o, c->m->a);
            for (size_t k = 0; k < code.n; k++) {
                if (code.p[k] == '"' || code.p[k] == '\\')
                    puan_out_char(&o, '\\');
                puan_out_char(&o, code.p[k]);
            }
            *out = boolean(SAY(c, "\"%.*s\"", PUAN_FMT(puan_out_view(&o))),
                           B_ONE);
            out->constant = true;
            return true;
        }
    if (q->other.n && puan_str_is(word, "other")) {
        *out = boolean("\"other\"", B_ONE);
        out->constant = true;
        return true;
    }
    return fail(c, SAY(c, "'%.*s' is no choice of '%.*s'", PUAN_FMT(word),
                       PUAN_FMT(q->name)),
                "correct the name of the choice in the spreadsheet");
}

/* ---- comparisons ---- */

static const struct {
    const char *sign;
    enum puan_xp_kind turned; /* with its sides exchanged */
} comparisons[] = {
    [PUAN_XP_EQ] = { "=", PUAN_XP_EQ },  [PUAN_XP_NE] = { "!=", PUAN_XP_NE },
    [PUAN_XP_LT] = { "<", PUAN_XP_GT },  [PUAN_XP_LE] = { "<=", PUAN_XP_GE },
    [PUAN_XP_GT] = { ">", PUAN_XP_LT },  [PUAN_XP_GE] = { ">=", PUAN_XP_LE },
};

static const char *sign(enum puan_xp_kind k)
{
    return comparisons[k].sign;
}

static enum puan_xp_kind turned(enum puan_xp_kind k)
{
    return comparisons[k].turned;
}

/* Both sides of one type that the language compares. */
static bool match(struct ctx *c, enum puan_xp_kind op, struct val *l,
                  struct val *r)
{
    bool equal = op == PUAN_XP_EQ || op == PUAN_XP_NE;

    if (l->type == T_WORD && r->type != T_WORD)
        return match(c, turned(op), r, l);
    if (r->type == T_WORD || (l->type == T_CODE && r->type == T_NUM)) {
        if (l->type == T_CODE && equal && r->constant)
            return code_of(c, l->q, r->text, r);
        if (l->type == T_CODE && !(l->q->list && l->q->list->numeric))
            return fail(c, SAY(c, "the choices of '%.*s' are no numbers",
                               PUAN_FMT(l->q->name)),
                        "compare with the choices one by one");
        if (l->type == T_CODE) {
            l->text = puan_str_of(SAY(c, "number(%.*s)", PUAN_FMT(l->text)));
            l->type = T_NUM;
        }
        if (l->type == T_NUM)
            return r->type == T_NUM || number_of(c, r->text, r);
        if (l->type == T_DATE)
            return day_of(c, r->text, r);
    }
    if (r->type == T_CODE && l->type == T_NUM)
        return match(c, turned(op), r, l);
    if (l->type == T_TEXT && r->type == T_TEXT && equal)
        return true;
    if (l->type == T_TEXT || r->type == T_TEXT)
        return fail(c, "what somebody wrote is sealed and compared with "
                       "nothing but what somebody wrote",
                    "make the question a select_one");
    if (l->type == T_MANY || r->type == T_MANY)
        return fail(c, "the choices of a select_multiple as one text",
                    "use selected(), or count-selected()");
    if (l->type == T_CODE && r->type == T_CODE && equal &&
        l->q->list == r->q->list)
        return true;
    if (l->type == r->type && (l->type == T_NUM || l->type == T_DATE))
        return true;
    return fail(c, "two things that cannot be compared", "");
}

/* What makes a comparison one of answers that are there; NULL: nothing. */
static const char *guard(struct ctx *c, const struct val *l,
                         const struct val *r, const char *whole)
{
    bool l_sure = l->constant || l->sure, r_sure = r->constant || r->sure;

    if (l_sure && r_sure)
        return NULL;
    if ((l->item || l_sure) && (r->item || r_sure)) {
        if (l->item && r->item && !puan_str_eq(l->text, r->text))
            return SAY(c, "given(%.*s) and given(%.*s)", PUAN_FMT(l->text),
                       PUAN_FMT(r->text));
        return SAY(c, "given(%.*s)",
                   PUAN_FMT(l->item ? l->text : r->text));
    }
    return SAY(c, "known(%s)", whole);
}

static bool compared(struct ctx *c, enum puan_xp_kind op, struct val *l,
                     struct val *r, bool total, struct val *out)
{
    const char *plain, *same, *there;
    bool texts;

    if (!match(c, op, l, r))
        return false;
    texts = l->type == T_TEXT;
    same = texts ? SAY(c, "same_text(%.*s, %.*s)", PUAN_FMT(l->text),
                       PUAN_FMT(r->text))
                 : SAY(c, "%s = %s", in(c, l, B_SUM), in(c, r, B_SUM));
    plain = op == PUAN_XP_EQ ? same
            : texts          ? SAY(c, "not %s", same)
                             : SAY(c, "%s %s %s", in(c, l, B_SUM), sign(op),
                                   in(c, r, B_SUM));
    there = guard(c, l, r, op == PUAN_XP_NE ? same : plain);
    if (there && op == PUAN_XP_NE)
        *out = boolean(SAY(c, "not (%s and %s)", there, same), B_NOT);
    else if (there && total)
        *out = boolean(SAY(c, "%s and %s", there, plain), B_AND);
    else
        *out = boolean(plain, B_COMPARE);
    return true;
}

static bool is_call(const struct puan_xp *x, const char *name, uint32_t n)
{
    return x->kind == PUAN_XP_CALL && x->n == n && puan_str_is(x->text, name);
}

static bool literal(const struct puan_xp *x)
{
    return x->kind == PUAN_XP_STRING || x->kind == PUAN_XP_NUMBER;
}

/* if(c, a, b) = word: (c and a = word) or (not c and b = word). */
static bool if_compared(struct ctx *c, const struct puan_xp *x,
                        enum puan_xp_kind op, const struct puan_xp *word,
                        bool total, struct val *out)
{
    struct puan_xp cond = *x->first, yes = *x->first->next,
                   no = *x->first->next->next, w = *word;
    struct puan_xp w2 = w, cond2 = cond;
    struct puan_xp eq1 = { .kind = op, .n = 2, .first = &yes };
    struct puan_xp eq2 = { .kind = op, .n = 2, .first = &no };
    struct puan_xp not_c = { .kind = PUAN_XP_CALL,
                             .text = PUAN_STR("not"),
                             .n = 1,
                             .first = &cond2 };
    struct puan_xp left = { .kind = PUAN_XP_AND, .n = 2, .first = &cond };
    struct puan_xp right = { .kind = PUAN_XP_AND, .n = 2, .first = &not_c };
    struct puan_xp both = { .kind = PUAN_XP_OR, .n = 2, .first = &left };

    yes.next = &w;
    no.next = &w2;
    w.next = w2.next = NULL;
    cond2.next = NULL;
    cond.next = &eq1;
    not_c.next = &eq2;
    eq1.next = eq2.next = NULL;
    left.next = &right;
    right.next = NULL;
    return truth(c, &both, total, out);
}

static bool constant_truth(bool is, struct val *out)
{
    *out = boolean(is ? "true" : "false", B_ONE);
    out->constant = true;
    return true;
}

static bool compare(struct ctx *c, const struct puan_xp *x, bool total,
                    struct val *out)
{
    const struct puan_xp *l = x->first, *r = x->first->next;
    enum puan_xp_kind op = x->kind;
    struct val lv, rv;
    bool equal = op == PUAN_XP_EQ || op == PUAN_XP_NE;

    if (!opened(c, &l) || !opened(c, &r))
        return false;
    if (literal(l) && !literal(r)) {
        const struct puan_xp *t = l;

        l = r;
        r = t;
        op = turned(op);
    }
    if (equal && l->kind == PUAN_XP_STRING && r->kind == PUAN_XP_STRING)
        return constant_truth(puan_str_eq(l->text, r->text) == (op == PUAN_XP_EQ), out);
    if (is_call(l, "if", 3) && literal(r) &&
        (equal || r->kind == PUAN_XP_STRING))
        return if_compared(c, l, op, r, total, out);
    if (equal && (is_call(r, "true", 0) || is_call(r, "false", 0))) {
        bool is = puan_str_is(r->text, "true") == (op == PUAN_XP_EQ);

        if (is)
            return truth(c, l, total, out);
        if (!truth(c, l, true, out))
            return false;
        *out = boolean(SAY(c, "not (%.*s)", PUAN_FMT(out->text)), B_NOT);
        return true;
    }
    if (!value(c, l, &lv))
        return false;
    if (equal && r->kind == PUAN_XP_STRING && r->text.n == 0)
        return is_given(c, &lv, op == PUAN_XP_NE, out);
    return value(c, r, &rv) && compared(c, op, &lv, &rv, total, out);
}

static bool selected(struct ctx *c, const struct puan_xp *x, bool total,
                     struct val *out)
{
    const struct puan_xp *of = x->first, *word = of->next;
    struct puan_xp eq = { .kind = PUAN_XP_EQ, .n = 2 }, a, b;
    struct xf_question *q;

    if (!opened(c, &of) || !opened(c, &word))
        return false;
    if (!literal(word))
        return fail(c, "selected() with a choice that is computed",
                    "write a condition for each choice");
    if ((of->kind == PUAN_XP_REF || of->kind == PUAN_XP_SELF) &&
        (!find(c, of, &q) ||
         (q->kind == XF_MANY && q->list)))
        return c->why == NULL &&
               chosen(c, q, puan_str_trim(word->text), total, out);
    a = *of;
    b = *word;
    a.next = &b;
    b.next = NULL;
    eq.first = &a;
    return compare(c, &eq, total, out);
}

/* ---- what has no counterpart ---- */

struct missing {
    const char *name, *remedy;
};

static const struct missing missing[] = {
    { "today", "rules read no clock: compare with a setting of the plan, or "
               "set max: of the item" },
    { "now", "rules read no clock: compare with a setting of the plan" },
    { "regex", "patterns are no part of the rule language; a number of fixed "
               "length can have a scheme (doc/plan.md 7)" },
    { "pulldata", "put the data into a reference table (doc/rules.md 8)" },
    { "instance", "put the data into a reference table (doc/rules.md 8)" },
    { "jr:choice-name", "texts are not computed" },
    { "concat", "texts are not computed" },
    { "join", "texts are not computed" },
    { "substr", "texts are not computed" },
    { "format-date-time", "texts are not computed; year() and month_of() of a "
                          "day are numbers" },
    { "string-length", "set max: of the text" },
    { "contains", "what somebody wrote is sealed; use words: (doc/plan.md 7)" },
    { "starts-with", "what somebody wrote is sealed" },
    { "round", "rules have whole numbers and fixed decimals" },
    { "random", "rules give the same answer every time" },
    { "uuid", "the household key names a return" },
    { "difference-in-months", "months subtract: month(a) - month(b)" },
};

static bool no_counterpart(struct ctx *c, struct puan_str name)
{
    const char *remedy = "write it in the rule language by hand, doc/rules.md";

    for (size_t i = 0; i < PUAN_COUNT(missing); i++)
        if (puan_str_is(name, missing[i].name))
            remedy = missing[i].remedy;
    return fail(c, SAY(c, "%.*s() has no counterpart", PUAN_FMT(name)), remedy);
}

/* ---- truths ---- */

static bool joined(struct ctx *c, const struct puan_xp *x, bool total,
                   struct val *out)
{
    bool both = x->kind == PUAN_XP_AND;
    struct val l, r;

    if (!truth(c, x->first, total, &l) || !truth(c, x->first->next, total, &r))
        return false;
    /* true and false left over from computed words are taken out */
    if (l.constant || r.constant) {
        struct val *k = l.constant ? &l : &r, *other = l.constant ? &r : &l;

        *out = puan_str_is(k->text, both ? "true" : "false") ? *other : *k;
        return true;
    }
    *out = boolean(SAY(c, "%s %s %s", in(c, &l, both ? B_AND : B_OR),
                       both ? "and" : "or", in(c, &r, both ? B_AND : B_OR)),
                   both ? B_AND : B_OR);
    return true;
}

static bool truth_call(struct ctx *c, const struct puan_xp *x, bool total,
                       struct val *out, bool *known)
{
    *known = true;
    if (is_call(x, "true", 0) || is_call(x, "false", 0))
        return constant_truth(puan_str_is(x->text, "true"), out);
    if (is_call(x, "not", 1)) {
        if (!truth(c, x->first, true, out))
            return false;
        if (out->constant)
            return constant_truth(puan_str_is(out->text, "false"), out);
        *out = boolean(SAY(c, "not %s", in(c, out, B_ONE)), B_NOT);
        return true;
    }
    if (is_call(x, "selected", 2))
        return selected(c, x, total, out);
    if (is_call(x, "boolean", 1) || is_call(x, "once", 1) ||
        is_call(x, "string", 1))
        return truth(c, x->first, total, out);
    *known = false;
    return true;
}

static bool truth_inner(struct ctx *c, const struct puan_xp *x, bool total,
                        struct val *out)
{
    struct val v;
    bool known;

    if (!opened(c, &x))
        return false;
    switch (x->kind) {
    case PUAN_XP_OR:
    case PUAN_XP_AND:
        return joined(c, x, total, out);
    case PUAN_XP_EQ:
    case PUAN_XP_NE:
    case PUAN_XP_LT:
    case PUAN_XP_LE:
    case PUAN_XP_GT:
    case PUAN_XP_GE:
        return compare(c, x, total, out);
    case PUAN_XP_STRING:
        return constant_truth(x->text.n > 0, out);
    case PUAN_XP_NUMBER:
        return constant_truth(!puan_str_is(x->text, "0"), out);
    case PUAN_XP_CALL:
        if (!truth_call(c, x, total, out, &known))
            return false;
        if (known)
            return true;
        break;
    case PUAN_XP_SELF:
    case PUAN_XP_REF:
    case PUAN_XP_ADD:
    case PUAN_XP_SUB:
    case PUAN_XP_MUL:
    case PUAN_XP_DIV:
    case PUAN_XP_MOD:
    case PUAN_XP_NEG:
        break;
    }
    if (!value(c, x, &v))
        return false;
    if (v.type == T_BOOL) {
        *out = v;
        return true;
    }
    if (v.type == T_NUM && !v.item) {
        *out = boolean(total ? SAY(c, "known(%.*s) and %s != 0",
                                   PUAN_FMT(v.text), in(c, &v, B_SUM))
                             : SAY(c, "%s != 0", in(c, &v, B_SUM)),
                       total ? B_AND : B_COMPARE);
        return true;
    }
    return is_given(c, &v, true, out);
}

static bool entered(struct ctx *c)
{
    if (c->budget == 0)
        return fail(c, "it grows too large once its calculations are written "
                       "out", "");
    c->budget--;
    if (c->depth >= DEPTH)
        return fail(c, "it is nested too deep", "");
    c->depth++;
    return true;
}

static bool truth(struct ctx *c, const struct puan_xp *x, bool total,
                  struct val *out)
{
    bool ok = entered(c) && truth_inner(c, x, total, out);

    c->depth -= c->depth > 0;
    return ok;
}

/* ---- values ---- */

static bool arithmetic(struct ctx *c, const struct puan_xp *x, struct val *out)
{
    static const char *const signs[] = { "+", "-", "*", "/", "mod" };
    struct val l, r;
    size_t op = (size_t)(x->kind - PUAN_XP_ADD);
    enum binds b = op < 2 ? B_SUM : B_PRODUCT;

    if (x->kind == PUAN_XP_DIV)
        return fail(c, "div gives any number of decimals; rules have whole "
                       "numbers and fixed decimals",
                    "multiply the other side instead: a < 5 * b");
    if (!value(c, x->first, &l) || !value(c, x->first->next, &r))
        return false;
    if (l.type == T_WORD && !number_of(c, l.text, &l))
        return false;
    if (r.type == T_WORD && !number_of(c, r.text, &r))
        return false;
    if ((l.type != T_NUM && l.type != T_DATE) ||
        (r.type != T_NUM && r.type != T_DATE) || (b == B_PRODUCT &&
        (l.type == T_DATE || r.type == T_DATE)))
        return fail(c, "a computation with what is no number", "");
    *out = val(l.type == T_DATE && r.type == T_DATE ? T_NUM
               : l.type == T_DATE                   ? T_DATE
                                                    : r.type,
               puan_str_of(SAY(c, "%s %s %s", in(c, &l, b), signs[op],
                               in(c, &r, (enum binds)(b + 1)))),
               b);
    return true;
}

/* A repeat, or a question asked in one that is not ours. */
static bool rows_of(struct ctx *c, const struct puan_xp *x,
                    struct xf_question **q)
{
    if (x->kind != PUAN_XP_REF || !find(c, x, q))
        return false;
    return (*q)->entity != 0 && ((*q)->kind == XF_REPEAT ||
                                 (*q)->entity != c->entity);
}

static bool over_rows(struct ctx *c, const struct puan_xp *x, struct val *out,
                      bool *known)
{
    struct xf_question *q = NULL;
    const char *entity;

    *known = false;
    if (x->n != 1 || !(puan_str_is(x->text, "sum") ||
                       puan_str_is(x->text, "min") ||
                       puan_str_is(x->text, "max") ||
                       puan_str_is(x->text, "count")))
        return true;
    if (!rows_of(c, x->first, &q))
        return c->why == NULL;
    *known = true;
    entity = puan_arena_dup(c->m->a, c->m->entity[q->entity].name);
    if (puan_str_is(x->text, "count")) {
        *out = val(T_NUM,
                   puan_str_of(q->kind == XF_REPEAT
                                   ? SAY(c, "count(%s)", entity)
                                   : SAY(c, "count(%s where given(%.*s))",
                                         entity, PUAN_FMT(q->item))),
                   B_ONE);
        return q->kind != XF_MANY ||
               fail(c, "count() of a select_multiple over rows", "");
    }
    if (q->kind != XF_INT && q->kind != XF_DECIMAL && q->kind != XF_DATE)
        return fail(c, SAY(c, "%.*s() of what is no number", PUAN_FMT(x->text)),
                    "");
    *out = val(q->kind == XF_DATE ? T_DATE : T_NUM,
               puan_str_of(SAY(c, "%.*s(%s.%.*s)", PUAN_FMT(x->text), entity,
                               PUAN_FMT(q->item))),
               B_ONE);
    return true;
}

static bool numbers(struct ctx *c, const struct puan_xp *x, struct val *out)
{
    struct puan_out o;
    struct val v = { .type = T_NUM };
    enum type type = T_NUM;

    puan_out_init(&o, c->m->a);
    puan_out_fmt(&o, "%.*s(", PUAN_FMT(x->text));
    for (const struct puan_xp *p = x->first; p; p = p->next) {
        if (!value(c, p, &v))
            return false;
        if (v.type == T_WORD && !number_of(c, v.text, &v))
            return false;
        if (p != x->first && v.type != type)
            return fail(c, "values of different kinds side by side", "");
        type = v.type;
        if (type != T_NUM && type != T_DATE)
            return fail(c, SAY(c, "%.*s() of what is no number",
                               PUAN_FMT(x->text)),
                        "");
        puan_out_fmt(&o, "%s%.*s", p == x->first ? "" : ", ", PUAN_FMT(v.text));
    }
    puan_out_char(&o, ')');
    *out = val(type, puan_out_view(&o), B_ONE);
    return true;
}

static bool count_selected(struct ctx *c, const struct puan_xp *x,
                           struct val *out)
{
    const struct puan_xp *of = x->first;
    struct xf_question *q;
    struct puan_out o;

    if (!opened(c, &of) ||
        (of->kind != PUAN_XP_REF && of->kind != PUAN_XP_SELF) ||
        !find(c, of, &q))
        return fail(c, "count-selected() of what is no question", "");
    if (q->kind != XF_MANY)
        return fail(c, "count-selected() of what is no select_multiple", "");
    puan_out_init(&o, c->m->a);
    for (size_t i = 0; i < q->list->n; i++) {
        struct puan_str item;

        if (!reach(c, q, q->many[i], &item))
            return false;
        puan_out_fmt(&o, "%sif(given(%.*s) and %.*s = 1, 1, 0)",
                     i ? " + " : "", PUAN_FMT(item), PUAN_FMT(item));
    }
    *out = val(T_NUM, puan_out_view(&o), q->list->n > 1 ? B_SUM : B_ONE);
    out->sure = true;
    return true;
}

static bool one_of_two(struct ctx *c, const struct puan_xp *x, struct val *out)
{
    bool first = x->n == 3;
    struct val cond, a, b;

    if (first && !truth(c, x->first, true, &cond))
        return false;
    if (!value(c, first ? x->first->next : x->first, &a) ||
        !value(c, first ? x->first->next->next : x->first->next, &b))
        return false;
    if (a.type == T_WORD && b.type == T_WORD)
        return fail(c, "a text computed by if()",
                    "compare where it is used; texts are not computed");
    if (a.type == T_WORD && b.type == T_NUM && !number_of(c, a.text, &a))
        return false;
    if (b.type == T_WORD && a.type == T_NUM && !number_of(c, b.text, &b))
        return false;
    if (a.type != b.type || (a.type != T_NUM && a.type != T_DATE))
        return fail(c, "values of different kinds side by side", "");
    *out = val(a.type,
               puan_str_of(first ? SAY(c, "if(%.*s, %.*s, %.*s)",
                                       PUAN_FMT(cond.text), PUAN_FMT(a.text),
                                       PUAN_FMT(b.text))
                                 : SAY(c, "if(known(%.*s), %.*s, %.*s)",
                                       PUAN_FMT(a.text), PUAN_FMT(a.text),
                                       PUAN_FMT(b.text))),
               B_ONE);
    return true;
}

/* int(), floor(): a whole number. */
static bool whole(struct ctx *c, const struct puan_xp *x, struct val *out)
{
    const struct puan_xp *of = x->first;
    struct val l, r;

    if (!opened(c, &of))
        return false;
    if (of->kind != PUAN_XP_DIV) {
        if (!value(c, of, out) || out->type != T_NUM)
            return fail(c, "a whole number of what is no number", "");
        *out = val(T_NUM, puan_str_of(SAY(c, "%s / 1", in(c, out, B_PRODUCT))),
                   B_PRODUCT);
        return true;
    }
    if (!value(c, of->first, &l) || !value(c, of->first->next, &r))
        return false;
    if (l.type != T_NUM || r.type != T_NUM)
        return fail(c, "a division of what is no number", "");
    *out = val(T_NUM, puan_str_of(SAY(c, "%s / %s", in(c, &l, B_PRODUCT),
                                      in(c, &r, B_UNARY))),
               B_PRODUCT);
    return true;
}

/* decimal-date-time(x), date(x): the day itself. */
static bool day(struct ctx *c, const struct puan_xp *x, struct val *out)
{
    if (!value(c, x->first, out))
        return false;
    if (out->type == T_WORD)
        return day_of(c, out->text, out);
    return out->type == T_DATE || fail(c, "a day of what is no date", "");
}

/* format-date(x, '%Y') and '%m' are numbers; '%Y-%m-%d' is the day. */
static bool format_date(struct ctx *c, const struct puan_xp *x, struct val *out)
{
    struct puan_str how = x->first->next->text;

    if (x->first->next->kind != PUAN_XP_STRING)
        return no_counterpart(c, PUAN_STR("format-date-time"));
    if (puan_str_is(how, "%Y-%m-%d"))
        return day(c, x, out);
    if (!puan_str_is(how, "%Y") && !puan_str_is(how, "%m") &&
        !puan_str_is(how, "%n"))
        return no_counterpart(c, PUAN_STR("format-date-time"));
    if (!day(c, x, out))
        return false;
    *out = val(T_NUM,
               puan_str_of(SAY(c, "%s(%.*s)",
                               puan_str_is(how, "%Y") ? "year" : "month_of",
                               PUAN_FMT(out->text))),
               B_ONE);
    return true;
}

/* indexed-repeat(${x}, ${repeat}, n) */
static bool indexed(struct ctx *c, const struct puan_xp *x, struct val *out)
{
    struct xf_question *q;
    struct val n;

    if (x->first->kind != PUAN_XP_REF || !find(c, x->first, &q) ||
        !value(c, x->first->next->next, &n) || n.type != T_NUM)
        return fail(c, "indexed-repeat() of what is no question of a repeat",
                    "");
    *out = (struct val){ .binds = B_ONE, .q = q };
    if (q->entity == 0 || q->kind == XF_MANY || q->kind == XF_CALCULATE)
        return fail(c, "indexed-repeat() of what is no question of a repeat",
                    "");
    out->type = q->kind == XF_DATE                           ? T_DATE
                : q->kind == XF_ONE                          ? T_CODE
                : q->kind == XF_INT || q->kind == XF_DECIMAL ? T_NUM
                                                             : T_TEXT;
    out->text = puan_str_of(SAY(c, "at(%.*s.%.*s, %.*s)",
                                PUAN_FMT(c->m->entity[q->entity].name),
                                PUAN_FMT(q->item), PUAN_FMT(n.text)));
    return out->type != T_TEXT ||
           fail(c, "what somebody wrote in another row", "");
}

static bool value_call(struct ctx *c, const struct puan_xp *x, struct val *out)
{
    bool known;

    if (!over_rows(c, x, out, &known))
        return false;
    if (known)
        return true;
    if (is_call(x, "if", 3) || is_call(x, "coalesce", 2))
        return one_of_two(c, x, out);
    if (is_call(x, "int", 1) || is_call(x, "floor", 1))
        return whole(c, x, out);
    if (is_call(x, "count-selected", 1))
        return count_selected(c, x, out);
    if (is_call(x, "number", 1) || is_call(x, "once", 1) ||
        is_call(x, "string", 1))
        return value(c, x->first, out);
    if (is_call(x, "decimal-date-time", 1) || is_call(x, "date", 1) ||
        is_call(x, "date-time", 1))
        return day(c, x, out);
    if (is_call(x, "format-date-time", 2) || is_call(x, "format-date", 2))
        return format_date(c, x, out);
    if (is_call(x, "indexed-repeat", 3))
        return indexed(c, x, out);
    if (is_call(x, "position", 1) && c->entity != 0) {
        *out = val(T_NUM, PUAN_STR("row"), B_ONE);
        return true;
    }
    if ((x->n > 1 && (puan_str_is(x->text, "min") ||
                      puan_str_is(x->text, "max"))) ||
        is_call(x, "abs", 1))
        return numbers(c, x, out);
    if (is_call(x, "true", 0) || is_call(x, "false", 0) ||
        is_call(x, "not", 1) || is_call(x, "selected", 2) ||
        is_call(x, "boolean", 1))
        return truth(c, x, true, out);
    return no_counterpart(c, x->text);
}

static bool value_inner(struct ctx *c, const struct puan_xp *x, struct val *out)
{
    struct xf_question *q;

    if (!opened(c, &x))
        return false;
    switch (x->kind) {
    case PUAN_XP_NUMBER:
        return number_of(c, x->text, out);
    case PUAN_XP_STRING:
        *out = val(T_WORD, x->text, B_ONE);
        out->constant = true;
        return true;
    case PUAN_XP_SELF:
    case PUAN_XP_REF:
        return find(c, x, &q) && of_item(c, q, out);
    case PUAN_XP_CALL:
        return value_call(c, x, out);
    case PUAN_XP_NEG:
        if (!value(c, x->first, out) || out->type != T_NUM)
            return fail(c, "the negative of what is no number", "");
        *out = val(T_NUM, puan_str_of(SAY(c, "-%s", in(c, out, B_ONE))),
                   B_UNARY);
        return true;
    case PUAN_XP_ADD:
    case PUAN_XP_SUB:
    case PUAN_XP_MUL:
    case PUAN_XP_DIV:
    case PUAN_XP_MOD:
        return arithmetic(c, x, out);
    case PUAN_XP_OR:
    case PUAN_XP_AND:
    case PUAN_XP_EQ:
    case PUAN_XP_NE:
    case PUAN_XP_LT:
    case PUAN_XP_LE:
    case PUAN_XP_GT:
    case PUAN_XP_GE:
        break;
    }
    return truth(c, x, true, out);
}

static bool value(struct ctx *c, const struct puan_xp *x, struct val *out)
{
    bool ok = entered(c) && value_inner(c, x, out);

    c->depth -= c->depth > 0;
    return ok;
}

/* ---- the interface ---- */

static struct xf_said said(const struct ctx *c, bool ok, const struct val *v)
{
    return (struct xf_said){ .ok = ok,
                             .number = v->type == T_NUM,
                             .loose = v->binds < B_AND,
                             .text = v->text,
                             .why = c->why ? c->why : "it has no counterpart",
                             .remedy = c->remedy ? c->remedy : "" };
}

struct xf_said xf_truth(struct xf_model *m, const struct puan_xp *x,
                        uint16_t entity, const struct xf_question *self,
                        bool defines)
{
    struct ctx c = { .m = m, .entity = entity, .self = self,
                     .defines = defines, .budget = NODES };
    struct val v = { .text = { "", 0 } };
    bool ok = truth(&c, x, false, &v);

    return said(&c, ok, &v);
}

struct xf_said xf_value(struct xf_model *m, const struct puan_xp *x,
                        uint16_t entity, const struct xf_question *self,
                        bool defines)
{
    struct ctx c = { .m = m, .entity = entity, .self = self,
                     .defines = defines, .budget = NODES };
    struct val v = { .text = { "", 0 } };
    bool ok = value(&c, x, &v);

    if (ok && v.type != T_NUM && v.type != T_DATE && v.type != T_BOOL)
        ok = fail(&c, "a text, or an answer as it is", "");
    return said(&c, ok, &v);
}
