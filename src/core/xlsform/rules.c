/*
 * Calculations as defines, constraints and counts of rows as rules.  Each is
 * compiled by itself against the form; what does not compile is reported and
 * left out.
 */
#include "base/out.h"
#include "core/rule/rule.h"
#include "core/xlsform/model.h"

/* ---- parsing, and patterns of texts ---- */

static struct puan_xp *parsed(struct xf_model *m, const struct xf_question *q,
                              enum xf_what what, const char *column)
{
    struct puan_err err = { 0 };
    struct puan_xp *x = NULL;
    uint32_t col = 0;
    struct puan_str text = xf_cell(&m->survey, q->row, what, &col);

    if (text.n == 0)
        return NULL;
    if (puan_xp_parse(&x, text, m->a, &err) == PUAN_OK)
        return x;
    xf_remark(m, PUAN_XLSFORM_LOST, &m->survey, q->row->line, col,
              puan_arena_fmt(m->a, "%s: character %u: %s", column, err.col,
                             err.text),
              "correct it in the spreadsheet and import again");
    return NULL;
}

/* "{3}" or "{1,75}" at the end: the larger number; *whole is what is before. */
static bool times(struct puan_str *whole, int64_t *least, int64_t *most,
                  struct puan_str s)
{
    size_t open = s.n;
    struct puan_str inside, first;

    if (s.n < 3 || s.p[s.n - 1] != '}')
        return false;
    while (open > 0 && s.p[open - 1] != '{')
        open--;
    if (open == 0)
        return false;
    *whole = (struct puan_str){ s.p, open - 1 };
    inside = (struct puan_str){ s.p + open, s.n - open - 1 };
    if (!puan_str_split(&first, &inside, ',') || !puan_int_parse(least, first))
        return false;
    *most = *least;
    if (inside.p != NULL && !puan_int_parse(most, puan_str_trim(inside)))
        return false;
    return *least >= 0 && *most >= *least && *most > 0 && *most <= 2000;
}

/* One class of characters and nothing else: [0-9], \d, [a-zA-Z .]. */
static bool one_class(struct puan_str s)
{
    if (puan_str_is(s, "\\d"))
        return true;
    if (s.n < 3 || s.p[0] != '[' || s.p[s.n - 1] != ']')
        return false;
    for (size_t i = 1; i + 1 < s.n; i++)
        if (s.p[i] == ']' || s.p[i] == '[')
            return false;
    return true;
}

/* regex(., …) of a text: what a form can keep of it. */
static bool pattern(struct xf_model *m, struct xf_question *q,
                    struct puan_str s)
{
    struct puan_str cls;
    int64_t least, most;
    bool digits;
    uint32_t col = 0;

    if (s.n > 0 && s.p[0] == '^')
        s = (struct puan_str){ s.p + 1, s.n - 1 };
    if (s.n > 0 && s.p[s.n - 1] == '$')
        s.n--;
    if (q->kind != XF_TEXT || !times(&cls, &least, &most, s) || !one_class(cls))
        return false;
    digits = puan_str_is(cls, "[0-9]") || puan_str_is(cls, "\\d");
    if (digits && least == most && most <= 30) {
        q->exact_digits = (uint32_t)most;
        return true;
    }
    q->max_text = (uint64_t)most;
    (void)xf_cell(&m->survey, q->row, XF_CONSTRAINT, &col);
    xf_remark(m, PUAN_XLSFORM_CHANGED, &m->survey, q->row->line, col,
              puan_arena_fmt(m->a,
                             "of the pattern only its length is kept, at most "
                             "%u characters",
                             (unsigned)most),
              "the rule language has no patterns");
    return true;
}

static bool is_self_call(const struct puan_xp *x, const char *name)
{
    return x->kind == PUAN_XP_CALL && x->n > 0 && puan_str_is(x->text, name) &&
           x->first->kind == PUAN_XP_SELF;
}

/* string-length(.) <= 20 and the like. */
static bool length(struct xf_question *q, const struct puan_xp *x)
{
    int64_t n;

    if ((x->kind != PUAN_XP_LE && x->kind != PUAN_XP_LT) ||
        !is_self_call(x->first, "string-length") || q->kind != XF_TEXT ||
        x->first->next->kind != PUAN_XP_NUMBER ||
        !puan_int_parse(&n, x->first->next->text))
        return false;
    n -= x->kind == PUAN_XP_LT;
    if (n < 1 || n > 2000)
        return false;
    q->max_text = (uint64_t)n;
    return true;
}

/* `. >= 0` and the like: the type needs no negative numbers; the rule stays. */
static void no_minus(struct xf_question *q, const struct puan_xp *x)
{
    q->no_minus = q->no_minus ||
                  ((x->kind == PUAN_XP_GE || x->kind == PUAN_XP_GT) &&
                   x->first->kind == PUAN_XP_SELF &&
                   x->first->next->kind == PUAN_XP_NUMBER);
}

static void patterns(struct xf_model *m, struct xf_question *q,
                     struct puan_xp *x)
{
    bool kept = false;

    while (x->kind == PUAN_XP_AND) {
        patterns(m, q, x->first->next);
        x = x->first;
    }
    if (is_self_call(x, "regex") && x->n == 2 &&
        x->first->next->kind == PUAN_XP_STRING)
        kept = pattern(m, q, x->first->next->text);
    else
        kept = length(q, x);
    no_minus(q, x);
    if (kept)
        *x = (struct puan_xp){ .kind = PUAN_XP_CALL,
                               .text = PUAN_STR("true"),
                               .next = x->next };
}

void xf_parse(struct xf_model *m)
{
    for (size_t i = 0; i < m->n; i++) {
        struct xf_question *q = &m->q[i];
        uint32_t col = 0;

        if (q->gone)
            continue;
        if (q->kind == XF_CALCULATE) {
            q->calc = parsed(m, q, XF_CALCULATION, "calculation");
            continue;
        }
        if (xf_cell(&m->survey, q->row, XF_CALCULATION, &col).n)
            xf_remark(m, PUAN_XLSFORM_LOST, &m->survey, q->row->line, col,
                      "a calculation in a question: it is asked instead",
                      "make it a row of type calculate");
        if (xf_cell(&m->survey, q->row, XF_CHOICE_FILTER, &col).n)
            xf_remark(m, PUAN_XLSFORM_LOST, &m->survey, q->row->line, col,
                      "choice_filter: all choices of the list are offered",
                      "a rule over a reference table can check the pair "
                      "(doc/rules.md 8)");
        q->limit = parsed(m, q, XF_CONSTRAINT, "constraint");
        m->out->constraints.of +=
            xf_cell(&m->survey, q->row, XF_CONSTRAINT, NULL).n > 0;
        if (q->limit)
            patterns(m, q, q->limit);
    }
}

/* ---- texts of rules ---- */

struct rules {
    struct xf_model *m;
    struct puan_out defines, rules;
};

static void put_string(struct puan_out *o, struct puan_str s)
{
    puan_out_char(o, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            puan_out_char(o, '\\');
        puan_out_char(o, s.p[i]);
    }
    puan_out_char(o, '"');
}

/* Does this text compile behind the defines that are kept? */
static bool compiles(struct rules *r, struct puan_str text,
                     struct puan_err *err)
{
    struct puan_str texts[2] = { puan_out_view(&r->defines), text };
    static const char *const files[] = { "defines", "rule" };
    struct puan_ruleset *rs;

    if (texts[0].p == NULL)
        texts[0].p = "";
    return puan_ruleset_compile(&rs, r->m->form, NULL, 0, texts, files, 2,
                                r->m->a, err) == PUAN_OK;
}

static void refuse(struct rules *r, const struct xf_question *q,
                   enum xf_what what, const char *column, const char *why,
                   const char *remedy)
{
    uint32_t col = 0;

    (void)xf_cell(&r->m->survey, q->row, what, &col);
    xf_remark(r->m, PUAN_XLSFORM_LOST, &r->m->survey, q->row->line, col,
              puan_arena_fmt(r->m->a, "%s: %s", column, why), remedy);
}

/* ---- calculations ---- */

static void define(struct rules *r, struct xf_question *q)
{
    struct xf_model *m = r->m;
    struct xf_said s;
    struct puan_err err = { 0 };
    struct puan_str text;
    uint32_t col = 0;

    m->out->calculations.of++;
    if (!q->calc)
        return;
    (void)xf_cell(&m->survey, q->row, XF_CALCULATION, &col);
    s = xf_value(m, q->calc, q->entity, NULL, true);
    if (!s.ok && (q->calc->kind == PUAN_XP_STRING ||
                  q->calc->kind == PUAN_XP_REF ||
                  (q->calc->kind == PUAN_XP_CALL && q->calc->n == 3 &&
                   puan_str_is(q->calc->text, "if")))) {
        xf_remark(m, PUAN_XLSFORM_CHANGED, &m->survey, q->row->line, col,
                  puan_arena_fmt(m->a,
                                 "calculation '%.*s' gives a text or repeats "
                                 "an answer: written out where a condition "
                                 "reads it, no variable of its own",
                                 PUAN_FMT(q->name)),
                  "");
        return;
    }
    if (!s.ok) {
        refuse(r, q, XF_CALCULATION, "calculation", s.why, s.remedy);
        return;
    }
    text = puan_str_of(puan_arena_fmt(
        m->a, "define %.*s for %.*s in %.*s = %.*s\n", PUAN_FMT(q->item),
        PUAN_FMT(m->entity[q->entity].name), PUAN_FMT(m->id),
        PUAN_FMT(s.text)));
    if (!compiles(r, text, &err)) {
        refuse(r, q, XF_CALCULATION, "calculation", err.text,
               "write a define by hand, doc/rules.md");
        return;
    }
    puan_out_str(&r->defines, text);
    q->defined = s.number;
    m->out->calculations.done++;
}

/* ---- rules ---- */

/* rule FORM.NAME hard ENTITY in FORM, and its two texts. */
static void head(struct puan_out *o, const struct xf_model *m,
                 struct puan_str name, const char *tail, uint16_t entity,
                 struct puan_str zh, struct puan_str en)
{
    puan_out_fmt(o, "\nrule %.*s.%.*s%s hard %.*s in %.*s\n  zh ",
                 PUAN_FMT(m->id), PUAN_FMT(name), tail,
                 PUAN_FMT(m->entity[entity].name), PUAN_FMT(m->id));
    put_string(o, zh);
    puan_out_text(o, "\n  en ");
    put_string(o, en);
    puan_out_char(o, '\n');
}

static struct puan_str label(struct xf_model *m, const struct xf_question *q,
                             struct puan_str lang)
{
    struct puan_str s = xf_words(m, &m->survey, q->row, XF_LABEL, lang);

    return s.n ? s : q->name;
}

/* A constraint's words, or words of our own around the label. */
static struct puan_str words(struct xf_model *m, const struct xf_question *q,
                             struct puan_str lang, const char *before)
{
    struct puan_str s = xf_words(m, &m->survey, q->row, XF_MESSAGE, lang);

    return s.n ? s
               : puan_str_of(puan_arena_fmt(m->a, "%s%.*s", before,
                                            PUAN_FMT(label(m, q, lang))));
}

/* The conjuncts that can be carried over, a check line each. */
static unsigned checks(struct rules *r, struct puan_out *o,
                       const struct xf_question *q, const struct puan_xp *x,
                       bool *lost)
{
    struct xf_said s;
    unsigned n = 0;

    if (x->kind == PUAN_XP_AND)
        return checks(r, o, q, x->first, lost) +
               checks(r, o, q, x->first->next, lost);
    s = xf_truth(r->m, x, q->entity, q, true);
    if (!s.ok) {
        refuse(r, q, XF_CONSTRAINT, "constraint", s.why, s.remedy);
        *lost = true;
    } else if (!puan_str_is(s.text, "true")) {
        puan_out_fmt(o, "  check %.*s\n", PUAN_FMT(s.text));
        n = 1;
    }
    return n;
}

static bool add(struct rules *r, const struct xf_question *q,
                enum xf_what what, const char *column, struct puan_out *o)
{
    struct puan_err err = { 0 };

    if (!compiles(r, puan_out_view(o), &err)) {
        refuse(r, q, what, column, err.text,
               "write the rule by hand, doc/rules.md");
        return false;
    }
    puan_out_str(&r->rules, puan_out_view(o));
    return true;
}

static void constraint(struct rules *r, const struct xf_question *q)
{
    static const struct puan_xp self = { .kind = PUAN_XP_SELF };
    struct xf_model *m = r->m;
    struct puan_out o;
    struct xf_said when;
    bool lost = false;
    unsigned n;

    puan_out_init(&o, m->a);
    head(&o, m, q->item, "", q->entity,
         words(m, q, m->zh, "答案不符合要求："),
         words(m, q, m->en, "The answer is not as it should be: "));
    when = xf_truth(m, &self, q->entity, q, true);
    if (when.ok)
        puan_out_fmt(&o, "  when %.*s\n", PUAN_FMT(when.text));
    n = checks(r, &o, q, q->limit, &lost);
    if (q->exact_digits) {
        puan_out_fmt(&o, "  check number_check(%.*s) = 0\n", PUAN_FMT(q->item));
        n++;
    }
    if (n > 0 && !add(r, q, XF_CONSTRAINT, "constraint", &o))
        lost = true;
    m->out->constraints.done += !lost;
}

/* required: an expression; required select_multiple: one choice at least. */
static void required(struct rules *r, struct xf_question *q)
{
    static const char *const no[] = { "no", "false", "false()", "0", "n" };
    static const struct puan_xp self = { .kind = PUAN_XP_SELF };
    struct xf_model *m = r->m;
    struct puan_str cell = xf_cell(&m->survey, q->row, XF_REQUIRED, NULL);
    struct puan_str item = q->kind == XF_MANY ? q->many[0] : q->item;
    struct puan_xp *x = NULL;
    struct xf_said given = xf_truth(m, &self, q->entity, q, true), when;
    struct puan_out o;

    if (cell.n == 0 || !given.ok || (q->required && q->kind != XF_MANY))
        return;
    for (size_t i = 0; i < PUAN_COUNT(no); i++)
        if (puan_str_same(cell, puan_str_of(no[i])))
            return;
    puan_out_init(&o, m->a);
    head(&o, m, q->item, ".required", q->entity,
         puan_str_of(puan_arena_fmt(m->a, "请回答：%.*s",
                                    PUAN_FMT(label(m, q, m->zh)))),
         puan_str_of(puan_arena_fmt(m->a, "Please answer: %.*s",
                                    PUAN_FMT(label(m, q, m->en)))));
    puan_out_fmt(&o, "  when asked(%.*s)", PUAN_FMT(item));
    if (!q->required) {
        x = parsed(m, q, XF_REQUIRED, "required");
        if (!x)
            return;
        when = xf_truth(m, x, q->entity, q, true);
        if (!when.ok) {
            refuse(r, q, XF_REQUIRED, "required", when.why, when.remedy);
            return;
        }
        puan_out_fmt(&o, " and (%.*s)", PUAN_FMT(when.text));
    }
    puan_out_fmt(&o, "\n  check %.*s\n", PUAN_FMT(given.text));
    (void)add(r, q, XF_REQUIRED, "required", &o);
}

/* repeat_count: as many rows as another answer says. */
static void rows(struct rules *r, struct xf_entity *e)
{
    struct xf_model *m = r->m;
    struct xf_question *q = e->repeat;
    struct puan_xp *x = parsed(m, q, XF_REPEAT_COUNT, "repeat_count");
    struct xf_said n, when = { .ok = false };
    struct puan_out o;

    if (!x)
        return;
    if (e->outer != 0) {
        refuse(r, q, XF_REPEAT_COUNT, "repeat_count",
               "the count of a repeat inside a repeat", "");
        return;
    }
    n = xf_value(m, x, 0, NULL, true);
    if (n.ok && !n.number)
        n = (struct xf_said){ .why = "it is no number", .remedy = "" };
    if (n.ok && q->when) {
        when = xf_truth(m, q->when, 0, q, true);
        if (!when.ok)
            n = (struct xf_said){ .why = when.why, .remedy = when.remedy };
    }
    if (!n.ok) {
        refuse(r, q, XF_REPEAT_COUNT, "repeat_count", n.why, n.remedy);
        return;
    }
    puan_out_init(&o, m->a);
    head(&o, m, e->name, ".rows", 0,
         puan_str_of(puan_arena_fmt(m->a, "行数与答案不一致：%.*s",
                                    PUAN_FMT(label(m, q, m->zh)))),
         puan_str_of(puan_arena_fmt(m->a, "As many rows as were stated: %.*s",
                                    PUAN_FMT(label(m, q, m->en)))));
    if (when.ok && !puan_str_is(when.text, "true"))
        puan_out_fmt(&o, "  when %.*s\n", PUAN_FMT(when.text));
    puan_out_fmt(&o, "  check count(%.*s) = %.*s\n", PUAN_FMT(e->name),
                 PUAN_FMT(n.text));
    (void)add(r, q, XF_REPEAT_COUNT, "repeat_count", &o);
}

enum puan_status xf_rules(struct xf_model *m)
{
    struct rules r = { .m = m };
    struct puan_out all;
    struct puan_str text;

    puan_out_init(&r.defines, m->a);
    puan_out_init(&r.rules, m->a);
    for (size_t i = 0; i < m->n && !m->a->failed; i++)
        if (m->q[i].kind == XF_CALCULATE && !m->q[i].gone)
            define(&r, &m->q[i]);
    for (size_t i = 0; i < m->n && !m->a->failed; i++) {
        struct xf_question *q = &m->q[i];

        if (q->gone || q->kind == XF_CALCULATE || q->kind == XF_GROUP ||
            q->kind == XF_REPEAT)
            continue;
        if (q->limit)
            constraint(&r, q);
        required(&r, q);
    }
    for (uint16_t e = 1; e < m->n_entities && !m->a->failed; e++)
        if (!m->entity[e].repeat->gone)
            rows(&r, &m->entity[e]);
    puan_out_init(&all, m->a);
    if (r.defines.n + r.rules.n == 0)
        return puan_arena_check(m->a, m->err);
    puan_out_str(&all, puan_out_view(&r.defines));
    puan_out_str(&all, puan_out_view(&r.rules));
    text = puan_out_view(&all);
    m->out->rules = text;
    return puan_arena_check(m->a, m->err);
}
