/*
 * A recursive descent over XPath 1.0's expression grammar, without axes.
 */
#include "core/xlsform/xpath.h"

struct parser {
    const char *p, *end, *start;
    unsigned depth;
    struct puan_arena *a;
    struct puan_err *err;
};

static enum puan_status expr(struct puan_xp **out, struct parser *s);

/* ---- characters ---- */

static enum puan_status fail(struct parser *s, enum puan_status code,
                             const char *what)
{
    return puan_fail_at(s->err, code, "", 1, (uint32_t)(s->p - s->start) + 1,
                        "%s", what);
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip(struct parser *s)
{
    for (;;) {
        if (s->p < s->end && blank(*s->p))
            s->p++;
        else if (s->end - s->p >= 2 && memcmp(s->p, "\xc2\xa0", 2) == 0)
            s->p += 2; /* no-break space, out of word processors */
        else
            return;
    }
}

static bool name_first(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static bool name_more(char c)
{
    return name_first(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == ':';
}

/* A typographic quote is three bytes, e2 80 98…9f. */
static bool curly(const struct parser *s)
{
    return s->end - s->p >= 3 && memcmp(s->p, "\xe2\x80", 2) == 0 &&
           (unsigned char)s->p[2] >= 0x98 && (unsigned char)s->p[2] <= 0x9f;
}

static struct puan_str name(struct parser *s)
{
    const char *from = s->p;

    while (s->p < s->end && name_more(*s->p) && !curly(s))
        s->p++;
    return (struct puan_str){ from, (size_t)(s->p - from) };
}

/* Takes a symbol when it stands here. */
static bool take(struct parser *s, const char *sym)
{
    size_t n = strlen(sym);

    skip(s);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, sym, n) != 0)
        return false;
    s->p += n;
    return true;
}

/* The same for an operator that is a word. */
static bool take_word(struct parser *s, const char *word)
{
    size_t n = strlen(word);

    skip(s);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0 ||
        (s->p + n < s->end && name_more(s->p[n])))
        return false;
    s->p += n;
    return true;
}

static bool at(struct parser *s, char c)
{
    skip(s);
    return s->p < s->end && *s->p == c;
}

/* ---- nodes ---- */

static enum puan_status node(struct puan_xp **out, struct parser *s,
                             enum puan_xp_kind kind, struct puan_str text)
{
    struct puan_xp *x = puan_new(s->a, struct puan_xp);

    *out = x;
    if (x == NULL)
        return puan_arena_check(s->a, s->err);
    x->kind = kind;
    x->text = text;
    return PUAN_OK;
}

static enum puan_status pair(struct puan_xp **out, struct parser *s,
                             enum puan_xp_kind kind, struct puan_xp *left,
                             struct puan_xp *right)
{
    enum puan_status st = node(out, s, kind, PUAN_STR(""));

    if (st == PUAN_OK) {
        (*out)->first = left;
        (*out)->n = 2;
        left->next = right;
    }
    return st;
}

/* ---- primaries ---- */

static enum puan_status literal(struct puan_xp **out, struct parser *s)
{
    const char *from;
    char quote = *s->p;
    bool round = curly(s);

    s->p += round ? 3 : 1;
    from = s->p;
    while (s->p < s->end && !(round ? curly(s) : *s->p == quote))
        s->p++;
    if (s->p == s->end)
        return fail(s, PUAN_EINVAL, "a quote is not closed");
    (void)node(out, s, PUAN_XP_STRING,
               (struct puan_str){ from, (size_t)(s->p - from) });
    s->p += round ? 3 : 1;
    return puan_arena_check(s->a, s->err);
}

static enum puan_status number(struct puan_xp **out, struct parser *s)
{
    const char *from = s->p;

    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    if (s->p < s->end && *s->p == '.') {
        s->p++;
        while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
            s->p++;
    }
    return node(out, s, PUAN_XP_NUMBER,
                (struct puan_str){ from, (size_t)(s->p - from) });
}

static enum puan_status predicates(bool *any, struct parser *s)
{
    struct puan_xp *ignored;
    enum puan_status st = PUAN_OK;

    while (st == PUAN_OK && take(s, "[")) {
        *any = true;
        st = expr(&ignored, s);
        if (st == PUAN_OK && !take(s, "]"))
            st = fail(s, PUAN_EINVAL, "']' is missing");
    }
    return st;
}

/*
 * Steps of a path, the first of which may begin here; ref has what is known so
 * far.  `.` and `..` alone leave the text empty.
 */
static enum puan_status steps(struct puan_xp *ref, struct parser *s, bool first)
{
    enum puan_status st = PUAN_OK;

    while (st == PUAN_OK) {
        if (!first && !take(s, "/"))
            break;
        first = false;
        (void)take(s, "/"); /* "//" */
        skip(s);
        if (take(s, "..") || take(s, ".") || take(s, "*")) {
            /* up, here, any child */
        } else if (take(s, "${")) {
            skip(s);
            ref->group = ref->text;
            ref->text = puan_str_trim(name(s));
            if (!take(s, "}"))
                st = fail(s, PUAN_EINVAL, "'}' is missing");
        } else if (s->p < s->end && name_first(*s->p)) {
            ref->group = ref->text;
            ref->text = name(s);
        } else {
            st = fail(s, PUAN_EINVAL, "a name is missing in a path");
        }
        if (st == PUAN_OK)
            st = predicates(&ref->filtered, s);
    }
    return st;
}

static enum puan_status arguments(struct puan_xp *call, struct parser *s)
{
    struct puan_xp **last = &call->first;
    enum puan_status st = PUAN_OK;

    if (take(s, ")"))
        return PUAN_OK;
    do {
        st = expr(last, s);
        if (st != PUAN_OK)
            return st;
        last = &(*last)->next;
        call->n++;
    } while (take(s, ","));
    return take(s, ")") ? PUAN_OK
                        : fail(s, PUAN_EINVAL, "')' or ',' is missing");
}

/* A path that goes on behind current() or instance(…): what it ends with. */
static enum puan_status behind(struct puan_xp **out, struct parser *s)
{
    struct puan_xp *call = *out;
    bool cut = false;
    enum puan_status st = predicates(&cut, s);

    if (st != PUAN_OK || (!at(s, '/') && !cut))
        return st;
    st = node(out, s, PUAN_XP_REF, PUAN_STR(""));
    if (st != PUAN_OK)
        return st;
    (*out)->filtered = cut || !puan_str_is(call->text, "current");
    return at(s, '/') ? steps(*out, s, false) : PUAN_OK;
}

static enum puan_status primary(struct puan_xp **out, struct parser *s)
{
    enum puan_status st;

    skip(s);
    if (s->p == s->end)
        return fail(s, PUAN_EINVAL, "something is missing at the end");
    if (*s->p == '\'' || *s->p == '"' || curly(s))
        return literal(out, s);
    if (*s->p >= '0' && *s->p <= '9')
        return number(out, s);
    if (*s->p == '.' && s->end - s->p > 1 && s->p[1] >= '0' && s->p[1] <= '9')
        return number(out, s);
    if (take(s, "(")) {
        st = expr(out, s);
        if (st == PUAN_OK && !take(s, ")"))
            st = fail(s, PUAN_EINVAL, "')' is missing");
        return st;
    }
    if (*s->p == '.' && !(s->end - s->p > 1 && (s->p[1] == '.' || s->p[1] == '/'))) {
        s->p++;
        return node(out, s, PUAN_XP_SELF, PUAN_STR(""));
    }
    if (name_first(*s->p)) {
        const char *from = s->p;
        struct puan_str word = name(s);

        if (take(s, "(")) {
            st = node(out, s, PUAN_XP_CALL, word);
            if (st == PUAN_OK)
                st = arguments(*out, s);
            return st == PUAN_OK ? behind(out, s) : st;
        }
        s->p = from;
    } else if (*s->p != '.' && *s->p != '/' && *s->p != '$' && *s->p != '*') {
        return fail(s, PUAN_EINVAL, "this character has no place here");
    }
    st = node(out, s, PUAN_XP_REF, PUAN_STR(""));
    return st == PUAN_OK ? steps(*out, s, *s->p != '/') : st;
}

static enum puan_status unary(struct puan_xp **out, struct parser *s)
{
    struct puan_xp *of;
    enum puan_status st;

    if (!take(s, "-"))
        return primary(out, s);
    if (++s->depth > PUAN_XP_DEPTH)
        return fail(s, PUAN_ELIMIT, "nested too deep");
    st = unary(&of, s);
    s->depth--;
    if (st == PUAN_OK)
        st = node(out, s, PUAN_XP_NEG, PUAN_STR(""));
    if (st == PUAN_OK) {
        (*out)->first = of;
        (*out)->n = 1;
    }
    return st;
}

/* ---- operators, the loosest last ---- */

struct op {
    const char *sym;
    enum puan_xp_kind kind;
    bool word;
};

static const struct op by_level[5][7] = {
    { { "*", PUAN_XP_MUL, false },
      { "div", PUAN_XP_DIV, true },
      { "mod", PUAN_XP_MOD, true },
      { NULL, PUAN_XP_MUL, false } },
    { { "+", PUAN_XP_ADD, false },
      { "-", PUAN_XP_SUB, false },
      { NULL, PUAN_XP_ADD, false } },
    { { "<=", PUAN_XP_LE, false },
      { ">=", PUAN_XP_GE, false },
      { "!=", PUAN_XP_NE, false },
      { "=", PUAN_XP_EQ, false },
      { "<", PUAN_XP_LT, false },
      { ">", PUAN_XP_GT, false },
      { NULL, PUAN_XP_EQ, false } },
    { { "and", PUAN_XP_AND, true }, { NULL, PUAN_XP_AND, false } },
    { { "or", PUAN_XP_OR, true }, { NULL, PUAN_XP_OR, false } },
};

static const struct op *operator_at(struct parser *s, unsigned level)
{
    for (const struct op *o = by_level[level]; o->sym; o++)
        if (o->word ? take_word(s, o->sym) : take(s, o->sym))
            return o;
    return NULL;
}

static enum puan_status binary(struct puan_xp **out, struct parser *s,
                               unsigned level)
{
    const struct op *o;
    enum puan_status st =
        level == 0 ? unary(out, s) : binary(out, s, level - 1);

    while (st == PUAN_OK && (o = operator_at(s, level)) != NULL) {
        struct puan_xp *left = *out, *right;

        st = level == 0 ? unary(&right, s) : binary(&right, s, level - 1);
        if (st == PUAN_OK)
            st = pair(out, s, o->kind, left, right);
    }
    return st;
}

static enum puan_status expr(struct puan_xp **out, struct parser *s)
{
    enum puan_status st;

    if (++s->depth > PUAN_XP_DEPTH)
        return fail(s, PUAN_ELIMIT, "nested too deep");
    st = binary(out, s, 4);
    s->depth--;
    return st;
}

enum puan_status puan_xp_parse(struct puan_xp **out, struct puan_str text,
                               struct puan_arena *a, struct puan_err *err)
{
    struct parser s = { .p = text.p,
                        .start = text.p,
                        .end = text.p + text.n,
                        .a = a,
                        .err = err };
    enum puan_status st;

    if (text.n > PUAN_XP_BYTES)
        return fail(&s, PUAN_ELIMIT, "the expression is too long");
    st = expr(out, &s);
    skip(&s);
    if (st == PUAN_OK && s.p < s.end)
        st = fail(&s, PUAN_EINVAL, "an operator is missing before this");
    return st;
}
