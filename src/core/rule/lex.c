/*
 * Text to tokens, with line and column for every message.  Never allocates but
 * for strings with escapes.
 */
#include "core/rule/lang.h"

#include "base/arena.h"

static const struct {
    const char *text;
    enum puan_tok tok;
} reserved[] = {
    { "rule", PUAN_TOK_RULE },     { "const", PUAN_TOK_CONST },
    { "define", PUAN_TOK_DEFINE }, { "set", PUAN_TOK_SET },
    { "zh", PUAN_TOK_ZH },         { "en", PUAN_TOK_EN },
    { "when", PUAN_TOK_WHEN },     { "check", PUAN_TOK_CHECK },
    { "fail", PUAN_TOK_FAIL },     { "where", PUAN_TOK_WHERE },
    { "and", PUAN_TOK_AND },       { "or", PUAN_TOK_OR },
    { "not", PUAN_TOK_NOT },       { "in", PUAN_TOK_IN },
    { "mod", PUAN_TOK_MOD },       { "row", PUAN_TOK_ROW },
    { "self", PUAN_TOK_SELF },     { "true", PUAN_TOK_TRUE },
    { "false", PUAN_TOK_FALSE },
};

/* What people write out of habit, and what to write instead. */
static const struct {
    const char *text, *instead;
} habits[] = {
    { "==", "'='" },
    { "<>", "'!='" },
    { "&&", "'and'" },
    { "||", "'or'" },
    { "!", "'not' or '!='" },
    { "%", "'mod'" },
    { "≠", "'!='" },
    { "≤", "'<='" },
    { "≥", "'>='" },
    { "∧", "'and'" },
    { "∨", "'or'" },
    { "¬", "'not'" },
    { "∈", "'in'" },
    { "∉", "'not in'" },
    { "，", "','" },
    { "。", "'.'" },
    { "（", "'('" },
    { "）", "')'" },
    { "“", "'\"'" },
    { "”", "'\"'" },
    { "＝", "'='" },
    { "：", "nothing" },
    { "；", "nothing" },
    { "、", "','" },
    { "×", "'*'" },
    { "÷", "'/'" },
    { "－", "'-'" },
    { "＜", "'<'" },
    { "＞", "'>'" },
    { "　", "a space" },
    { "'", "'\"'" },
    { ":", "'where' or nothing" },
    { ";", "nothing: rules need no ';'" },
};

const char *puan_tok_name(enum puan_tok t)
{
    static const char *const marks[] = {
        "the end", "a name", "a word", "a number", "a text", "'='",
        "'!='",    "'<'",    "'<='",   "'>'",      "'>='",   "'+'",
        "'-'",     "'*'",    "'/'",    "'('",      "')'",    "'{'",
        "'}'",     "','",    "'.'",    "'..'",
    };
    static const char *const words[] = {
        "'rule'", "'const'", "'define'", "'set'",   "'zh'",
        "'en'",   "'when'",  "'check'",  "'fail'",  "'where'",
        "'and'",  "'or'",    "'not'",    "'in'",    "'mod'",
        "'row'",  "'self'",  "'true'",   "'false'",
    };
    if (t < PUAN_TOK_RULE)
        return marks[t];
    return words[t - PUAN_TOK_RULE];
}

static uint32_t column_of(const struct puan_lex *l, size_t at)
{
    struct puan_str s = { l->src.p + l->line_at, at - l->line_at };

    return (uint32_t)puan_utf8_length(s) + 1 + (l->line_at ? 0 : l->before);
}

static enum puan_status fail_here(struct puan_lex *l, const char *what,
                                  struct puan_str found)
{
    return puan_fail_at(l->err, PUAN_EINVAL, l->file, l->tok_line, l->tok_col,
                        "expected %s but found '%.*s'", what, PUAN_FMT(found));
}

enum puan_status puan_lex_expected(struct puan_lex *l, const char *what)
{
    if (l->tok == PUAN_TOK_END)
        return puan_fail_at(l->err, PUAN_EINVAL, l->file, l->tok_line,
                            l->tok_col, "expected %s but the text ends", what);
    if (l->tok == PUAN_TOK_STRING)
        return puan_fail_at(l->err, PUAN_EINVAL, l->file, l->tok_line,
                            l->tok_col, "expected %s but found a text", what);
    return fail_here(
        l, what, l->text.n > 40 ? (struct puan_str){ l->text.p, 40 } : l->text);
}

enum puan_status puan_lex_init(struct puan_lex *l, struct puan_str src,
                               const char *file, uint32_t line,
                               struct puan_arena *a, struct puan_err *err)
{
    *l = (struct puan_lex){ .src = src,
                            .file = file ? file : "",
                            .line = line,
                            .arena = a,
                            .err = err };
    if (!puan_utf8_valid(src))
        return puan_fail_at(err, PUAN_EINVAL, l->file, line, 0,
                            "the text is not UTF-8: save it as UTF-8");
    if (src.n >= 3 && memcmp(src.p, "\xef\xbb\xbf", 3) == 0)
        l->at = l->line_at = 3; /* byte order mark */
    return PUAN_OK;
}

static void skip_space(struct puan_lex *l)
{
    while (l->at < l->src.n) {
        char c = l->src.p[l->at];

        if (c == '\n') {
            l->at++;
            l->line++;
            l->line_at = l->at;
        } else if (c == ' ' || c == '\t' || c == '\r') {
            l->at++;
        } else if (c == '#') {
            while (l->at < l->src.n && l->src.p[l->at] != '\n')
                l->at++;
        } else {
            return;
        }
    }
}

static void begin(struct puan_lex *l)
{
    skip_space(l);
    l->tok_line = l->line;
    l->tok_col = column_of(l, l->at);
    l->text = (struct puan_str){ l->src.p + l->at, 0 };
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool ascii_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Letters beyond ASCII: everything that is not white space or punctuation. */
static bool wide_letter(int32_t c)
{
    return c >= 0xc0 && c != 0xd7 && c != 0xf7 &&
           !(c >= 0x2000 && c <= 0x2bff) && !(c >= 0x3000 && c <= 0x303f) &&
           !(c >= 0xff00 && c <= 0xff0f) && !(c >= 0xff1a && c <= 0xff20) &&
           !(c >= 0xfe00 && c <= 0xfeff) && c != 0xfffd;
}

/* Bytes of the letter (or digit, when not the first) at `at`; 0 if none. */
static size_t letter(const struct puan_lex *l, size_t at, bool first)
{
    if (at >= l->src.n)
        return 0;
    char c = l->src.p[at];
    if (ascii_letter(c) || (!first && digit(c)))
        return 1;
    if ((unsigned char)c < 0x80)
        return 0;
    struct puan_str s = { l->src.p + at, l->src.n - at };
    size_t before = s.n;
    int32_t code = puan_utf8_next(&s);
    return wide_letter(code) ? before - s.n : 0;
}

static enum puan_status number(struct puan_lex *l)
{
    size_t at = l->at, n;
    unsigned places = 0;

    while (at < l->src.n && digit(l->src.p[at]))
        at++;
    if (at + 1 < l->src.n && l->src.p[at] == '.' && digit(l->src.p[at + 1])) {
        at++;
        while (at < l->src.n && digit(l->src.p[at])) {
            at++;
            places++;
        }
    }
    n = at - l->at;
    l->text.n = n;
    l->tok = PUAN_TOK_NUMBER;
    l->places = places;
    if (places > 6)
        return puan_fail_at(l->err, PUAN_EINVAL, l->file, l->tok_line,
                            l->tok_col, "a number has at most 6 decimals");
    if (letter(l, at, true))
        return puan_fail_at(l->err, PUAN_EINVAL, l->file, l->tok_line,
                            l->tok_col,
                            "a number ends in a letter: '%.*s…'; names begin "
                            "with a letter, codes with zeros stand in quotes",
                            PUAN_FMT(l->text));
    if (!puan_fixed_parse(&l->value, l->text, places))
        return puan_fail_at(l->err, PUAN_EINVAL, l->file, l->tok_line,
                            l->tok_col, "the number is too large");
    l->at = at;
    return PUAN_OK;
}

static enum puan_status string(struct puan_lex *l)
{
    size_t at = l->at + 1, from = at;
    bool escapes = false;

    for (;; at++) {
        if (at >= l->src.n || l->src.p[at] == '\n')
            return puan_fail_at(l->err, PUAN_EINVAL, l->file, l->tok_line,
                                l->tok_col,
                                "the text is not closed on its line: add '\"'");
        if (l->src.p[at] == '"')
            break;
        if (l->src.p[at] == '\\') {
            escapes = true;
            at++;
            if (at >= l->src.n || (l->src.p[at] != '"' && l->src.p[at] != '\\'))
                return puan_fail_at(l->err, PUAN_EINVAL, l->file, l->tok_line,
                                    column_of(l, at < l->src.n ? at : at - 1),
                                    "only \\\" and \\\\ may follow a "
                                    "backslash");
        }
    }
    l->tok = PUAN_TOK_STRING;
    l->text = (struct puan_str){ l->src.p + from, at - from };
    l->at = at + 1;
    if (escapes) {
        char *p = puan_arena_get(l->arena, l->text.n);
        size_t n = 0;

        if (!p)
            return puan_arena_check(l->arena, l->err);
        for (size_t i = 0; i < l->text.n; i++) {
            if (l->text.p[i] == '\\')
                i++;
            p[n++] = l->text.p[i];
        }
        l->text = (struct puan_str){ p, n };
    }
    return PUAN_OK;
}

static enum puan_status mark(struct puan_lex *l)
{
    static const struct {
        const char *text;
        enum puan_tok tok;
    } marks[] = {
        /* longer ones first */
        { "!=", PUAN_TOK_NE },    { "<=", PUAN_TOK_LE },
        { ">=", PUAN_TOK_GE },    { "..", PUAN_TOK_DOTS },
        { "=", PUAN_TOK_EQ },     { "<", PUAN_TOK_LT },
        { ">", PUAN_TOK_GT },     { "+", PUAN_TOK_PLUS },
        { "-", PUAN_TOK_MINUS },  { "*", PUAN_TOK_STAR },
        { "/", PUAN_TOK_SLASH },  { "(", PUAN_TOK_OPEN },
        { ")", PUAN_TOK_CLOSE },  { "{", PUAN_TOK_LBRACE },
        { "}", PUAN_TOK_RBRACE }, { ",", PUAN_TOK_COMMA },
        { ".", PUAN_TOK_DOT },
    };
    struct puan_str rest = { l->src.p + l->at, l->src.n - l->at };

    for (size_t i = 0; i < 2; i++) /* "==" and "<>" before "=" and "<" */
        if (puan_str_starts(rest, habits[i].text))
            return puan_fail_at(l->err, PUAN_EINVAL, l->file, l->tok_line,
                                l->tok_col, "found '%s': write %s",
                                habits[i].text, habits[i].instead);
    for (size_t i = 0; i < PUAN_COUNT(marks); i++)
        if (puan_str_starts(rest, marks[i].text)) {
            l->text.n = strlen(marks[i].text);
            l->at += l->text.n;
            l->tok = marks[i].tok;
            return PUAN_OK;
        }
    for (size_t i = 2; i < PUAN_COUNT(habits); i++)
        if (puan_str_starts(rest, habits[i].text))
            return puan_fail_at(l->err, PUAN_EINVAL, l->file, l->tok_line,
                                l->tok_col, "found '%s': write %s",
                                habits[i].text, habits[i].instead);
    struct puan_str after = rest;
    int32_t code = puan_utf8_next(&after);
    if (code < 0x20 || code == 0x7f)
        return puan_fail_at(l->err, PUAN_EINVAL, l->file, l->tok_line,
                            l->tok_col, "a control character (%x) stands here",
                            (unsigned)code);
    return puan_fail_at(l->err, PUAN_EINVAL, l->file, l->tok_line, l->tok_col,
                        "'%.*s' has no meaning here", (int)(rest.n - after.n),
                        rest.p);
}

enum puan_status puan_lex_next(struct puan_lex *l)
{
    size_t n, at;

    begin(l);
    if (l->at >= l->src.n) {
        l->tok = PUAN_TOK_END;
        return PUAN_OK;
    }
    char c = l->src.p[l->at];
    if (digit(c))
        return number(l);
    if (c == '"')
        return string(l);
    if (!letter(l, l->at, true))
        return mark(l);
    for (at = l->at; (n = letter(l, at, at == l->at)) > 0;)
        at += n;
    l->text.n = at - l->at;
    l->at = at;
    l->tok = PUAN_TOK_NAME;
    for (size_t i = 0; i < PUAN_COUNT(reserved); i++)
        if (puan_str_is(l->text, reserved[i].text))
            l->tok = reserved[i].tok;
    return PUAN_OK;
}

enum puan_status puan_lex_word(struct puan_lex *l)
{
    size_t at, n;

    begin(l);
    for (at = l->at; at < l->src.n;) {
        char c = l->src.p[at];

        if (c == '-' || c == '.')
            n = 1;
        else
            n = letter(l, at, false);
        if (n == 0)
            break;
        at += n;
    }
    if (at == l->at)
        return puan_lex_next(l);
    l->text.n = at - l->at;
    l->at = at;
    l->tok = PUAN_TOK_WORD;
    return PUAN_OK;
}
