/*
 * JSON after RFC 8259, strict, without malloc.
 */
#include "base/json.h"

#include "base/calendar.h"

/* What may come next. */
enum { VALUE, VALUE_OR_CLOSE, KEY, KEY_OR_CLOSE, COMMA_OR_CLOSE, DONE };

void puan_json_init(struct puan_json *j, struct puan_str src,
                    struct puan_arena *a)
{
    *j = (struct puan_json){ .src = src, .arena = a, .state = VALUE,
                             .seen_line = 1, .seen_col = 1 };
}

void puan_json_position(uint32_t *line, uint32_t *col, struct puan_str src,
                        size_t at)
{
    size_t start = 0;

    *line = 1;
    for (size_t i = 0; i < at && i < src.n; i++) {
        if (src.p[i] == '\n') {
            ++*line;
            start = i + 1;
        }
    }
    *col = 1; /* an empty text has no address to count from */
    if (at > start)
        *col += (uint32_t)puan_utf8_length(
            (struct puan_str){ src.p + start, at - start });
}

static enum puan_status bad(struct puan_json *j, size_t at,
                            struct puan_err *err, const char *what)
{
    uint32_t line, col;

    puan_json_position(&line, &col, j->src, at);
    return puan_fail_at(err, PUAN_EINVAL, "JSON", line, col, "%s", what);
}

static void space(struct puan_json *j)
{
    while (j->at < j->src.n) {
        char c = j->src.p[j->at];

        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            break;
        j->at++;
    }
}

static bool hex4(uint32_t *out, struct puan_str s, size_t at)
{
    uint8_t b[2];

    if (at + 4 > s.n || !puan_unhex(b, 2, (struct puan_str){ s.p + at, 4 }))
        return false;
    *out = (uint32_t)b[0] << 8 | b[1];
    return true;
}

/* The escapes of src[from, to) decoded into the arena. */
static enum puan_status unescape(struct puan_str *out, struct puan_json *j,
                                 size_t from, size_t to, struct puan_err *err)
{
    char *p = puan_arena_get(j->arena, to - from);
    size_t n = 0;

    if (p == NULL)
        return puan_fail(err, PUAN_ENOMEM, "JSON", "out of memory");
    for (size_t i = from; i < to; i++) {
        uint32_t c, low;
        char e;

        if (j->src.p[i] != '\\') {
            p[n++] = j->src.p[i];
            continue;
        }
        e = j->src.p[++i];
        switch (e) {
        case '"':
        case '\\':
        case '/':
            p[n++] = e;
            break;
        case 'b':
            p[n++] = '\b';
            break;
        case 'f':
            p[n++] = '\f';
            break;
        case 'n':
            p[n++] = '\n';
            break;
        case 'r':
            p[n++] = '\r';
            break;
        case 't':
            p[n++] = '\t';
            break;
        case 'u':
            if (!hex4(&c, j->src, i + 1))
                return bad(j, i, err, "\\u needs four hexadecimal digits");
            i += 4;
            if (c >= 0xd800 && c < 0xdc00) {
                if (i + 2 >= to || j->src.p[i + 1] != '\\' ||
                    j->src.p[i + 2] != 'u' || !hex4(&low, j->src, i + 3) ||
                    low < 0xdc00 || low > 0xdfff)
                    return bad(j, i, err, "lone surrogate in a string");
                i += 6;
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            } else if (c >= 0xdc00 && c < 0xe000) {
                return bad(j, i, err, "lone surrogate in a string");
            }
            if (c == 0)
                return bad(j, i, err, "U+0000 is not allowed in a string");
            n += puan_utf8_put(p + n, c);
            break;
        default:
            return bad(j, i, err, "unknown escape in a string");
        }
    }
    out->p = p;
    out->n = n;
    return PUAN_OK;
}

static enum puan_status string(struct puan_str *out, struct puan_json *j,
                               struct puan_err *err)
{
    size_t from = ++j->at, i = from;
    bool escaped = false, high = false;

    for (; i < j->src.n && j->src.p[i] != '"'; i++) {
        unsigned char c = (unsigned char)j->src.p[i];

        if (c < 0x20)
            return bad(j, i, err, "control character in a string");
        high |= c >= 0x80;
        if (c == '\\') {
            escaped = true;
            i++;
        }
    }
    if (i >= j->src.n)
        return bad(j, from - 1, err, "string without closing quote");
    j->at = i + 1;
    out->p = j->src.p + from;
    out->n = i - from;
    if (high && !puan_utf8_valid(*out))
        return bad(j, from, err, "string is not valid UTF-8");
    return escaped ? unescape(out, j, from, i, err) : PUAN_OK;
}

static bool is_digit(struct puan_str s, size_t at)
{
    return at < s.n && s.p[at] >= '0' && s.p[at] <= '9';
}

static enum puan_status number(struct puan_json *j, struct puan_err *err)
{
    size_t from = j->at, i = from;
    struct puan_str s = j->src;

    if (s.p[i] == '-')
        i++;
    if (!is_digit(s, i))
        return bad(j, from, err, "expected a value");
    if (s.p[i] == '0' && is_digit(s, i + 1))
        return bad(j, from, err, "number with leading zero");
    while (is_digit(s, i))
        i++;
    if (i < s.n && s.p[i] == '.') {
        if (!is_digit(s, ++i))
            return bad(j, from, err, "number without digits after the point");
        while (is_digit(s, i))
            i++;
    }
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        i++;
        if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
            i++;
        if (!is_digit(s, i))
            return bad(j, from, err, "number without digits in its exponent");
        while (is_digit(s, i))
            i++;
    }
    j->text = (struct puan_str){ s.p + from, i - from };
    j->at = i;
    return PUAN_OK;
}

static bool word(struct puan_json *j, const char *w)
{
    size_t n = strlen(w);

    if (j->src.n - j->at < n || memcmp(j->src.p + j->at, w, n) != 0)
        return false;
    j->at += n;
    return true;
}

static void after_value(struct puan_json *j)
{
    j->state = j->depth ? COMMA_OR_CLOSE : DONE;
}

static enum puan_status value(enum puan_json_kind *kind, struct puan_json *j,
                              struct puan_err *err)
{
    enum puan_status st = PUAN_OK;
    char c;

    j->start = j->at;
    if (j->at >= j->src.n)
        return bad(j, j->at, err, "text ends where a value is expected");
    c = j->src.p[j->at];
    if (c == '{' || c == '[') {
        if (j->depth == PUAN_JSON_DEPTH)
            return bad(j, j->at, err, "nested more than 32 deep");
        j->stack[j->depth++] = c;
        j->at++;
        *kind = c == '{' ? PUAN_JSON_MAP : PUAN_JSON_LIST;
        j->state = c == '{' ? KEY_OR_CLOSE : VALUE_OR_CLOSE;
        return PUAN_OK;
    }
    if (c == '"') {
        *kind = PUAN_JSON_STRING;
        st = string(&j->text, j, err);
    } else if (word(j, "true")) {
        *kind = PUAN_JSON_TRUE;
    } else if (word(j, "false")) {
        *kind = PUAN_JSON_FALSE;
    } else if (word(j, "null")) {
        *kind = PUAN_JSON_NULL;
    } else {
        *kind = PUAN_JSON_NUMBER;
        st = number(j, err);
    }
    after_value(j);
    return st;
}

enum puan_status puan_json_next(enum puan_json_kind *kind, struct puan_json *j,
                                struct puan_err *err)
{
    enum puan_status st;
    char c;

    j->text = PUAN_STR("");
    space(j);
    c = j->at < j->src.n ? j->src.p[j->at] : '\0';
    if (j->state == DONE) {
        if (j->at < j->src.n)
            return bad(j, j->at, err, "text after the end of the document");
        *kind = PUAN_JSON_END;
        return PUAN_OK;
    }
    if (j->state != VALUE && j->state != KEY && j->depth &&
        c == (j->stack[j->depth - 1] == '{' ? '}' : ']')) {
        j->start = j->at++;
        j->depth--;
        j->key = PUAN_STR("");
        after_value(j);
        *kind = PUAN_JSON_CLOSE;
        return PUAN_OK;
    }
    if (j->state == COMMA_OR_CLOSE) {
        if (c != ',')
            return bad(j, j->at, err,
                       j->stack[j->depth - 1] == '{' ? "expected ',' or '}'"
                                                     : "expected ',' or ']'");
        j->at++;
        space(j);
        j->state = j->stack[j->depth - 1] == '{' ? KEY : VALUE;
        c = j->at < j->src.n ? j->src.p[j->at] : '\0';
    }
    j->key = PUAN_STR("");
    if (j->state == KEY || j->state == KEY_OR_CLOSE) {
        if (c != '"')
            return bad(j, j->at, err, "expected a key in double quotes");
        st = string(&j->key, j, err);
        if (st != PUAN_OK)
            return st;
        space(j);
        if (j->at >= j->src.n || j->src.p[j->at] != ':')
            return bad(j, j->at, err, "expected ':' after a key");
        j->at++;
        space(j);
    }
    return value(kind, j, err);
}

bool puan_json_int(int64_t *out, const struct puan_json *j)
{
    return puan_int_parse(out, j->text);
}

/* --- the tree ------------------------------------------------------------ */

/* Position of the token, counted on from the last one: a tree is linear. */
static void place(struct puan_node *n, struct puan_json *j)
{
    for (; j->seen_at < j->start; j->seen_at++) {
        unsigned char c = (unsigned char)j->src.p[j->seen_at];

        if (c == '\n') {
            j->seen_line++;
            j->seen_col = 1;
        } else if ((c & 0xc0) != 0x80) {
            j->seen_col++;
        }
    }
    n->line = j->seen_line;
    n->col = j->seen_col;
}

static enum puan_status build(struct puan_node **out, struct puan_json *j,
                              enum puan_json_kind kind, const char *file,
                              struct puan_err *err)
{
    struct puan_node *n = puan_new(j->arena, struct puan_node);
    struct puan_node **tail;
    enum puan_status st;

    if (n == NULL)
        return puan_fail(err, PUAN_ENOMEM, file, "out of memory");
    *out = n;
    n->file = file;
    n->key = j->key;
    place(n, j);
    n->key_line = n->line;
    n->key_col = n->col;
    switch (kind) {
    case PUAN_JSON_NULL:
        n->kind = PUAN_NODE_NULL;
        return PUAN_OK;
    case PUAN_JSON_TRUE:
    case PUAN_JSON_FALSE:
        n->kind = PUAN_NODE_SCALAR;
        n->text = kind == PUAN_JSON_TRUE ? PUAN_STR("true") : PUAN_STR("false");
        return PUAN_OK;
    case PUAN_JSON_NUMBER:
    case PUAN_JSON_STRING:
        n->kind = PUAN_NODE_SCALAR;
        n->quoted = kind == PUAN_JSON_STRING;
        n->text = j->text;
        return PUAN_OK;
    case PUAN_JSON_LIST:
    case PUAN_JSON_MAP:
        break;
    case PUAN_JSON_END:
    case PUAN_JSON_CLOSE:
        return puan_fail(err, PUAN_EBUG, file, "value expected");
    }
    n->kind = kind == PUAN_JSON_LIST ? PUAN_NODE_LIST : PUAN_NODE_MAP;
    tail = &n->first;
    for (;;) {
        st = puan_json_next(&kind, j, err);
        if (st != PUAN_OK)
            return st;
        if (kind == PUAN_JSON_CLOSE)
            return PUAN_OK;
        if (n->kind == PUAN_NODE_MAP && puan_node_get_s(n, j->key)) {
            char what[96];

            puan_format(what, sizeof(what), "key '%.*s' stands twice",
                        (int)(j->key.n > 64 ? 64 : j->key.n), j->key.p);
            return bad(j, j->start, err, what);
        }
        st = build(tail, j, kind, file, err); /* depth is bounded */
        if (st != PUAN_OK)
            return st;
        tail = &(*tail)->next;
        n->n++;
    }
}

enum puan_status puan_json_tree(struct puan_node **out, struct puan_str src,
                                const char *file, struct puan_arena *a,
                                struct puan_err *err)
{
    enum puan_json_kind kind;
    enum puan_status st;
    struct puan_json j;

    puan_json_init(&j, src, a);
    st = puan_json_next(&kind, &j, err);
    if (st == PUAN_OK)
        st = build(out, &j, kind, file, err);
    if (st == PUAN_OK)
        st = puan_json_next(&kind, &j, err); /* nothing may follow */
    if (st == PUAN_EINVAL && err && file)
        puan_format(err->where, sizeof(err->where), "%s", file);
    return st;
}

enum puan_status puan_json_skip(struct puan_json *j, struct puan_err *err)
{
    /* Building the subtree is what finds a key that stands twice. */
    struct puan_node *n;
    struct puan_node *parent = puan_new(j->arena, struct puan_node);
    unsigned until = j->depth;
    enum puan_json_kind kind;
    enum puan_status st;

    if (parent == NULL)
        return puan_fail(err, PUAN_ENOMEM, "JSON", "out of memory");
    parent->kind =
        j->stack[until - 1] == '{' ? PUAN_NODE_MAP : PUAN_NODE_LIST;
    for (;;) {
        st = puan_json_next(&kind, j, err);
        if (st != PUAN_OK)
            return st;
        if (kind == PUAN_JSON_CLOSE && j->depth < until)
            return PUAN_OK;
        if (parent->kind == PUAN_NODE_MAP && puan_node_get_s(parent, j->key))
            return bad(j, j->start, err, "a key stands twice");
        st = build(&n, j, kind, "", err);
        if (st != PUAN_OK)
            return st;
        n->next = parent->first;
        parent->first = n;
    }
}

/* --- the writer ---------------------------------------------------------- */

void puan_jw_init(struct puan_jw *w, struct puan_out *out)
{
    *w = (struct puan_jw){ .out = out };
}

static void comma(struct puan_jw *w)
{
    uint64_t bit = (uint64_t)1 << w->depth;

    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->filled & bit)
        puan_out_char(w->out, ',');
    w->filled |= bit;
}

static void open(struct puan_jw *w, char c)
{
    comma(w);
    puan_out_char(w->out, c);
    w->depth++;
    w->filled &= ~((uint64_t)1 << w->depth);
}

void puan_jw_map(struct puan_jw *w)
{
    open(w, '{');
}

void puan_jw_list(struct puan_jw *w)
{
    open(w, '[');
}

void puan_jw_end(struct puan_jw *w, char close)
{
    w->depth--;
    puan_out_char(w->out, close);
}

/* Runs of plain bytes go out at once; quotes and controls are escaped. */
static void quoted(struct puan_out *o, struct puan_str s)
{
    size_t from = 0;

    puan_out_char(o, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        puan_out_bytes(o, s.p + from, i - from);
        from = i + 1;
        if (c == '"' || c == '\\')
            puan_out_fmt(o, "\\%c", c);
        else if (c == '\n')
            puan_out_text(o, "\\n");
        else
            puan_out_fmt(o, "\\u%04x", c);
    }
    if (from < s.n)
        puan_out_bytes(o, s.p + from, s.n - from);
    puan_out_char(o, '"');
}

void puan_jw_key_s(struct puan_jw *w, struct puan_str key)
{
    comma(w);
    quoted(w->out, key);
    puan_out_char(w->out, ':');
    w->after_key = true;
}

void puan_jw_key(struct puan_jw *w, const char *key)
{
    puan_jw_key_s(w, puan_str_of(key));
}

void puan_jw_str(struct puan_jw *w, struct puan_str s)
{
    comma(w);
    quoted(w->out, s);
}

void puan_jw_text(struct puan_jw *w, const char *s)
{
    puan_jw_str(w, puan_str_of(s));
}

void puan_jw_int(struct puan_jw *w, int64_t v)
{
    comma(w);
    puan_out_int(w->out, v);
}

void puan_jw_bool(struct puan_jw *w, bool v)
{
    comma(w);
    puan_out_text(w->out, v ? "true" : "false");
}

void puan_jw_null(struct puan_jw *w)
{
    comma(w);
    puan_out_text(w->out, "null");
}

void puan_jw_raw(struct puan_jw *w, struct puan_str json)
{
    comma(w);
    puan_out_str(w->out, json);
}

void puan_jw_kstr(struct puan_jw *w, const char *key, struct puan_str s)
{
    puan_jw_key(w, key);
    puan_jw_str(w, s);
}

void puan_jw_ktext(struct puan_jw *w, const char *key, const char *s)
{
    puan_jw_key(w, key);
    puan_jw_text(w, s);
}

void puan_jw_kint(struct puan_jw *w, const char *key, int64_t v)
{
    puan_jw_key(w, key);
    puan_jw_int(w, v);
}

void puan_jw_kbool(struct puan_jw *w, const char *key, bool v)
{
    puan_jw_key(w, key);
    puan_jw_bool(w, v);
}

void puan_jw_kcode(struct puan_jw *w, const char *key, int64_t code)
{
    char text[24];

    puan_format(text, sizeof(text), "%lld", (long long)code);
    puan_jw_ktext(w, key, text);
}

void puan_jw_kinstant(struct puan_jw *w, const char *key, int64_t ms,
                      int offset_minutes)
{
    char text[32];

    puan_instant_text(text, ms, offset_minutes);
    puan_jw_ktext(w, key, text);
}

void puan_jw_kdigest(struct puan_jw *w, const char *key,
                     const uint8_t digest[32])
{
    char hex[65];

    puan_hex(hex, digest, 32);
    puan_jw_ktext(w, key, hex);
}
