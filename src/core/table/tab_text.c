/*
 * Dimensions and measures as they are written in a line; see tabulate.h.
 */
#include "core/table/tabulate.h"

#define BANDS_MOST 2000u

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

/* Byte after a text in quotes, an opened bracket counted in *depth. */
static size_t step(struct puan_str s, size_t i, int *depth)
{
    if (s.p[i] == '"') {
        for (i++; i < s.n && s.p[i] != '"'; i++)
            if (s.p[i] == '\\')
                i++;
        return i < s.n ? i + 1 : s.n;
    }
    *depth += s.p[i] == '(' || s.p[i] == '{';
    *depth -= s.p[i] == ')' || s.p[i] == '}';
    return i + 1;
}

bool puan_tab_part(struct puan_str *part, struct puan_str *rest)
{
    int depth = 0;
    size_t i = 0;

    if (rest->p == NULL)
        return false;
    while (i < rest->n && !(rest->p[i] == ',' && depth <= 0))
        i = step(*rest, i, &depth);
    *part = puan_str_trim((struct puan_str){ rest->p, i });
    *rest = i < rest->n ? (struct puan_str){ rest->p + i + 1, rest->n - i - 1 }
                        : (struct puan_str){ NULL, 0 };
    return true;
}

/* Where a word stands outside of brackets and quotes; SIZE_MAX: nowhere. */
static size_t find_word(struct puan_str s, const char *word)
{
    size_t n = strlen(word);
    int depth = 0;

    for (size_t i = 0; i < s.n; i = step(s, i, &depth))
        if (depth == 0 && i + n <= s.n && memcmp(s.p + i, word, n) == 0 &&
            (i == 0 || !in_word(s.p[i - 1])) &&
            (i + n == s.n || !in_word(s.p[i + n])))
            return i;
    return SIZE_MAX;
}

/* Splits "TEXT as NAME"; the last "as" counts. */
static enum puan_status split_name(struct puan_str *text, struct puan_str *name,
                                   const char *file, uint32_t line,
                                   struct puan_err *err)
{
    size_t at = find_word(*text, "as");

    *name = (struct puan_str){ NULL, 0 };
    if (at == SIZE_MAX)
        return PUAN_OK;
    *name = puan_str_trim(
        (struct puan_str){ text->p + at + 2, text->n - at - 2 });
    *text = puan_str_trim((struct puan_str){ text->p, at });
    for (size_t i = 0; i < name->n; i++)
        if (!in_word(name->p[i]) && name->p[i] != '-')
            return puan_fail_at(err, PUAN_EINVAL, file, line, 0,
                                "after 'as' stands a name of letters and "
                                "digits, not '%.*s'",
                                PUAN_FMT(*name));
    if (name->n == 0)
        return puan_fail_at(err, PUAN_EINVAL, file, line, 0,
                            "a name is missing after 'as'");
    return PUAN_OK;
}

/* "word( … )": what stands between the brackets. */
static bool call(struct puan_str *inside, struct puan_str s, const char *word)
{
    size_t n = strlen(word), i = n;
    int depth = 0;

    if (s.n <= n || memcmp(s.p, word, n) != 0)
        return false;
    while (i < s.n && blank(s.p[i]))
        i++;
    if (i == s.n || s.p[i] != '(' || s.p[s.n - 1] != ')')
        return false;
    for (size_t k = i; k < s.n;) {
        k = step(s, k, &depth);
        if (depth == 0 && k < s.n)
            return false; /* closed before the end: mean(a) + 1 */
    }
    *inside =
        puan_str_trim((struct puan_str){ s.p + i + 1, s.n - i - 2 });
    return depth == 0;
}

/* "0..100/5": from, to, step. */
static bool range_parse(int64_t v[3], struct puan_str s)
{
    for (size_t i = 0; i + 1 < s.n; i++)
        if (s.p[i] == '.' && s.p[i + 1] == '.') {
            struct puan_str to = { s.p + i + 2, s.n - i - 2 }, by;
            struct puan_str head;

            v[2] = 1;
            by = to;
            if (!puan_str_split(&head, &by, '/'))
                return false;
            if (by.p && !puan_int_parse(&v[2], puan_str_trim(by)))
                return false;
            return puan_int_parse(&v[0], puan_str_trim((struct puan_str){
                                             s.p, i })) &&
                   puan_int_parse(&v[1], puan_str_trim(head)) && v[2] > 0 &&
                   v[0] <= v[1];
        }
    v[1] = 0;
    v[2] = 1;
    if (!puan_int_parse(&v[0], s))
        return false;
    v[1] = v[0];
    return true;
}

static enum puan_status bands_parse(struct puan_tab_by *out,
                                    struct puan_str list, const char *file,
                                    uint32_t line, struct puan_arena *a,
                                    struct puan_err *err)
{
    struct puan_str part;
    int64_t *at = puan_new_n(a, BANDS_MOST, int64_t), v[3];
    size_t n = 0;

    if (at == NULL)
        return puan_arena_check(a, err);
    if (!puan_tab_part(&out->text, &list) || list.p == NULL)
        return puan_fail_at(err, PUAN_EINVAL, file, line, 0,
                            "bands are written as bands(age, 0, 15, 60) or "
                            "bands(age, 0..100/5)");
    while (puan_tab_part(&part, &list)) {
        if (!range_parse(v, part))
            return puan_fail_at(err, PUAN_EINVAL, file, line, 0,
                                "'%.*s' is no border of a band: a whole "
                                "number or FROM..TO/STEP",
                                PUAN_FMT(part));
        for (int64_t x = v[0];; x += v[2]) {
            if (n == BANDS_MOST)
                return puan_fail_at(err, PUAN_EINVAL, file, line, 0,
                                    "more than %u bands", BANDS_MOST);
            if (n && at[n - 1] >= x)
                return puan_fail_at(err, PUAN_EINVAL, file, line, 0,
                                    "borders of bands rise; %lld follows "
                                    "%lld",
                                    (long long)x, (long long)at[n - 1]);
            at[n++] = x;
            if (v[1] - x < v[2])
                break;
        }
    }
    out->bands.at = at;
    out->bands.n = n;
    return PUAN_OK;
}

enum puan_status puan_tab_by_parse(struct puan_tab_by *out,
                                   struct puan_str text, const char *file,
                                   uint32_t line, struct puan_arena *a,
                                   struct puan_err *err)
{
    struct puan_str inside;
    enum puan_status st;

    text = puan_str_trim(text);
    *out = (struct puan_tab_by){ .text = text, .file = file, .line = line };
    st = split_name(&out->text, &out->name, file, line, err);
    if (st == PUAN_OK && out->text.n == 0)
        st = puan_fail_at(err, PUAN_EINVAL, file, line, 0,
                          "a dimension is missing");
    if (st == PUAN_OK && call(&inside, out->text, "bands")) {
        st = bands_parse(out, inside, file, line, a, err);
        if (out->name.n == 0)
            out->name = out->text;
    }
    return st;
}

/* "p90(x)", "p2.5(x)" */
static bool percent_call(struct puan_str *inside, unsigned *tenths,
                         struct puan_str s)
{
    struct puan_str word = { s.p, 1 };
    int64_t v;
    const char *paren;

    if (call(inside, s, "median")) {
        *tenths = 500;
        return true;
    }
    if (s.n < 2 || s.p[0] != 'p' || s.p[1] < '0' || s.p[1] > '9')
        return false;
    paren = s.p;
    while (word.n < s.n && s.p[word.n] != '(' && !blank(s.p[word.n]))
        word.n++;
    if (!puan_fixed_parse(&v, (struct puan_str){ paren + 1, word.n - 1 }, 1) ||
        v < 1 || v > 999)
        return false;
    *tenths = (unsigned)v;
    while (word.n < s.n && blank(s.p[word.n]))
        word.n++;
    if (word.n == s.n || s.p[word.n] != '(' || s.p[s.n - 1] != ')')
        return false;
    *inside = puan_str_trim(
        (struct puan_str){ s.p + word.n + 1, s.n - word.n - 2 });
    return true;
}

static bool show_named(size_t *out, const struct puan_tab_show *s, size_t n,
                       struct puan_str name)
{
    for (size_t i = 0; i < n; i++)
        if (puan_str_eq(s[i].name, name)) {
            *out = i;
            return true;
        }
    return false;
}

/* rate(a / b * 1000) */
static enum puan_status rate_parse(struct puan_tab_show *out,
                                   struct puan_str s,
                                   const struct puan_tab_show *before, size_t n,
                                   const char *file, uint32_t line,
                                   struct puan_err *err)
{
    struct puan_str over, under = s, times = { NULL, 0 };

    out->kind = PUAN_TAB_RATE;
    out->times = 1;
    out->places = 4;
    if (!puan_str_split(&over, &under, '/') || under.p == NULL)
        return puan_fail_at(err, PUAN_EINVAL, file, line, 0,
                            "a rate is written as rate(MEASURE / MEASURE) or "
                            "rate(MEASURE / MEASURE * 1000)");
    times = under;
    if (puan_str_split(&under, &times, '*') && times.p) {
        if (!puan_int_parse(&out->times, puan_str_trim(times)) ||
            out->times < 1 || out->times > 1000000)
            return puan_fail_at(err, PUAN_EINVAL, file, line, 0,
                                "a rate is per 1 to 1000000, not '%.*s'",
                                PUAN_FMT(times));
        out->places = 2;
    }
    over = puan_str_trim(over);
    under = puan_str_trim(under);
    if (!show_named(&out->over, before, n, over))
        return puan_fail_at(err, PUAN_EINVAL, file, line, 0,
                            "no measure named '%.*s' stands before the rate",
                            PUAN_FMT(over));
    if (!show_named(&out->under, before, n, under))
        return puan_fail_at(err, PUAN_EINVAL, file, line, 0,
                            "no measure named '%.*s' stands before the rate",
                            PUAN_FMT(under));
    for (int i = 0; i < 2; i++) {
        const struct puan_tab_show *m = &before[i ? out->under : out->over];

        if (m->kind != PUAN_TAB_COUNT && m->kind != PUAN_TAB_SUM)
            return puan_fail_at(err, PUAN_EINVAL, file, line, 0,
                                "a rate is of counts or sums; '%.*s' is "
                                "neither",
                                PUAN_FMT(m->name));
    }
    return PUAN_OK;
}

enum puan_status puan_tab_show_parse(struct puan_tab_show *out,
                                     struct puan_str text,
                                     const struct puan_tab_show *before,
                                     size_t n_before, const char *file,
                                     uint32_t line, struct puan_arena *a,
                                     struct puan_err *err)
{
    struct puan_str inside, s = puan_str_trim(text), name;
    size_t where, other;
    enum puan_status st;

    *out = (struct puan_tab_show){ .file = file, .line = line, .times = 1 };
    st = split_name(&s, &name, file, line, err);
    if (st != PUAN_OK)
        return st;
    where = find_word(s, "where");
    if (where != SIZE_MAX) {
        out->where = puan_str_trim(
            (struct puan_str){ s.p + where + 5, s.n - where - 5 });
        if (out->where.n == 0)
            return puan_fail_at(err, PUAN_EINVAL, file, line, 0,
                                "a condition is missing after 'where'");
        s = puan_str_trim((struct puan_str){ s.p, where });
    }
    where = find_word(s, "of");
    if (where != SIZE_MAX) {
        out->of = puan_str_trim(
            (struct puan_str){ s.p + where + 2, s.n - where - 2 });
        s = puan_str_trim((struct puan_str){ s.p, where });
    }
    out->name = name.n ? name : s;
    if (puan_str_is(s, "count")) {
        out->kind = PUAN_TAB_COUNT;
        if (name.n == 0)
            out->name = PUAN_STR("n");
    } else if (call(&inside, s, "sum")) {
        out->kind = PUAN_TAB_SUM;
        out->text = inside;
    } else if (call(&inside, s, "mean")) {
        out->kind = PUAN_TAB_MEAN;
        out->text = inside;
        out->places = 2;
    } else if (percent_call(&inside, &out->percent_tenths, s)) {
        out->kind = PUAN_TAB_PERCENTILE;
        out->text = inside;
        out->places = 1;
    } else if (call(&inside, s, "rate")) {
        if (out->where.n || out->of.n)
            return puan_fail_at(err, PUAN_EINVAL, file, line, 0,
                                "a rate has no 'where' or 'of' of its own; its "
                                "measures have");
        st = rate_parse(out, inside, before, n_before, file, line, err);
    } else {
        return puan_fail_at(err, PUAN_EINVAL, file, line, 0,
                            "'%.*s' is no measure; there are count, sum(x), "
                            "mean(x), median(x), p90(x), rate(a / b * 100)",
                            PUAN_FMT(s));
    }
    if (st == PUAN_OK && out->kind != PUAN_TAB_COUNT &&
        out->kind != PUAN_TAB_RATE && out->text.n == 0)
        st = puan_fail_at(err, PUAN_EINVAL, file, line, 0,
                          "'%.*s' names nothing to take it of", PUAN_FMT(s));
    for (unsigned k = 2; show_named(&other, before, n_before, out->name); k++) {
        if (name.n)
            return puan_fail_at(err, PUAN_EINVAL, file, line, 0,
                                "two measures are named '%.*s'",
                                PUAN_FMT(name));
        out->name = puan_str_of(puan_arena_fmt(a, "%.*s%u", PUAN_FMT(s), k));
    }
    return st;
}
