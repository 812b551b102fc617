/*
 * CSV after RFC 4180 over text in memory.
 */
#include "base/csv.h"

static enum puan_status bad(struct puan_csv *c, uint32_t line,
                            struct puan_err *err, const char *what)
{
    return puan_fail_at(err, PUAN_EINVAL, c->file, line, 0, "%s", what);
}

/*
 * Reads one field at c->at; *last when the row ends behind it.  Steps over
 * the separator or line end.
 */
static enum puan_status field(struct puan_str *out, bool *last, uint32_t *lines,
                              struct puan_csv *c, struct puan_err *err)
{
    struct puan_str s = c->src;
    size_t from = c->at, i = from;

    if (i < s.n && s.p[i] == '"') {
        size_t doubled = 0;

        from = ++i;
        for (;; i++) {
            if (i >= s.n)
                return bad(c, c->line, err,
                           "quoted field without closing quote");
            if (s.p[i] == '\n')
                ++*lines;
            if (s.p[i] == '\0')
                return bad(c, c->line + *lines, err, "a zero byte: this is no UTF-8 text; save it as CSV UTF-8");
            if (s.p[i] != '"')
                continue;
            if (i + 1 >= s.n || s.p[i + 1] != '"')
                break;
            doubled++;
            i++;
        }
        *out = (struct puan_str){ s.p + from, i - from };
        if (doubled) {
            char *p = puan_arena_get(c->row_arena, out->n);
            size_t n = 0;

            if (p == NULL)
                return puan_fail(err, PUAN_ENOMEM, c->file, "out of memory");
            for (size_t k = from; k < i; k++) {
                p[n++] = s.p[k];
                k += s.p[k] == '"';
            }
            *out = (struct puan_str){ p, n };
        }
        i++;
        if (i < s.n && s.p[i] != ',' && s.p[i] != '\n' && s.p[i] != '\r')
            return bad(c, c->line + *lines, err,
                       "text behind a closing quote; double quotes inside a "
                       "field are written twice");
    } else {
        while (i < s.n && s.p[i] != ',' && s.p[i] != '\n' && s.p[i] != '\r') {
            if (s.p[i] == '"')
                return bad(c, c->line, err,
                           "quote inside an unquoted field; quote the field");
            if (s.p[i] == '\0')
                return bad(c, c->line, err, "a zero byte: this is no UTF-8 text; save it as CSV UTF-8");
            i++;
        }
        *out = (struct puan_str){ s.p + from, i - from };
    }
    if (!puan_utf8_valid(*out))
        return bad(c, c->line, err, "a field is not valid UTF-8; save the file as CSV UTF-8 (of GBK: "
                   "iconv -f GB18030 -t UTF-8)");
    *last = i >= s.n || s.p[i] != ',';
    if (i < s.n && s.p[i] == '\r') {
        i++;
        if (i < s.n && s.p[i] != '\n')
            return bad(c, c->line, err, "carriage return without line feed");
    }
    c->at = i < s.n ? i + 1 : i;
    return PUAN_OK;
}

enum puan_status puan_csv_open(struct puan_csv *c, struct puan_str src,
                               const char *file, struct puan_arena *a,
                               struct puan_arena *row_arena,
                               struct puan_err *err)
{
    enum puan_status st;
    uint32_t lines = 0;
    bool last = false;
    size_t n = 1;

    *c = (struct puan_csv){
        .src = src, .file = file, .line = 1, .arena = a, .row_arena = row_arena
    };
    if (puan_str_starts(src, "\xef\xbb\xbf"))
        c->at = 3;
    if (c->at == src.n)
        return bad(c, 1, err, "file is empty; a header line is expected");
    for (size_t i = c->at; i < src.n && src.p[i] != '\n'; i++)
        n += src.p[i] == ',';
    if (n > PUAN_CSV_COLUMNS)
        return puan_fail_at(err, PUAN_EINVAL, file, 1, 0,
                            "more than %d columns", PUAN_CSV_COLUMNS);
    c->header = puan_new_n(a, n, struct puan_str);
    c->field = puan_new_n(a, n, struct puan_str);
    if (a->failed)
        return puan_fail(err, PUAN_ENOMEM, file, "out of memory");
    while (!last) {
        struct puan_str name;

        if (c->n == n)
            return bad(c, 1, err, "header line with a quoted line end");
        st = field(&name, &last, &lines, c, err);
        if (st != PUAN_OK)
            return st;
        for (size_t i = 0; i < c->n; i++)
            if (puan_str_eq(c->header[i], name))
                return puan_fail_at(err, PUAN_EINVAL, file, 1, 0,
                                    "column '%.*s' stands twice",
                                    PUAN_FMT(name));
        /* row_arena is reset by the first row: keep an unquoted name */
        name.p = puan_arena_dup(a, name);
        c->header[c->n++] = name;
    }
    c->line = 1 + lines;
    /* the only column of a file whose cells something else parts */
    for (size_t i = 0; c->n == 1 && i < c->header[0].n; i++)
        if (c->header[0].p[i] == ';' || c->header[0].p[i] == '\t')
            return bad(c, 1, err,
                       c->header[0].p[i] == ';'
                           ? "its cells are parted by semicolons; save the "
                             "file with commas"
                           : "its cells are parted by tabs; save the file "
                             "with commas");
    return puan_arena_check(a, err);
}

int puan_csv_column(const struct puan_csv *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (puan_str_is(c->header[i], name))
            return (int)i;
    return -1;
}

enum puan_status puan_csv_next(bool *more, struct puan_csv *c,
                               struct puan_err *err)
{
    uint32_t lines = 0;
    bool last = false;
    size_t n = 0;

    puan_arena_reset(c->row_arena);
    *more = c->at < c->src.n;
    if (!*more)
        return PUAN_OK;
    c->line++;
    while (!last) {
        struct puan_str f;
        enum puan_status st = field(&f, &last, &lines, c, err);

        if (st != PUAN_OK)
            return st;
        if (n < c->n)
            c->field[n] = f;
        n++;
    }
    if (n != c->n)
        return puan_fail_at(err, PUAN_EINVAL, c->file, c->line, 0,
                            "row has %zu fields, the header has %zu", n, c->n);
    c->line += lines;
    return PUAN_OK;
}

void puan_csv_put(struct puan_out *o, struct puan_str field)
{
    const struct puan_str s = field;
    bool quote = false;

    for (size_t i = 0; i < s.n && !quote; i++)
        quote = s.p[i] == ',' || s.p[i] == '"' || s.p[i] == '\n' ||
                s.p[i] == '\r';
    if (!quote) {
        puan_out_str(o, s);
        return;
    }
    puan_out_char(o, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            puan_out_char(o, '"');
        puan_out_char(o, s.p[i]);
    }
    puan_out_char(o, '"');
}

bool puan_csv_formula(struct puan_str s)
{
    return s.n > 0 && (s.p[0] == '=' || s.p[0] == '+' || s.p[0] == '-' ||
                       s.p[0] == '@' || s.p[0] == '\t' || s.p[0] == '\r');
}

void puan_csv_put_words(struct puan_out *o, struct puan_str s)
{
    struct puan_out cell;

    if (!puan_csv_formula(s)) {
        puan_csv_put(o, s);
        return;
    }
    puan_out_init(&cell, o->arena);
    puan_out_char(&cell, '\'');
    puan_out_str(&cell, s);
    puan_csv_put(o, puan_out_view(&cell));
}
