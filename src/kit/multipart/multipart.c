/*
 * Delimiters are searched for from part to part; nothing is copied.
 */
#include "kit/multipart/multipart.h"

#include <strings.h>

#define BOUNDARY_MAX 70 /* RFC 2046 */
#define HEADERS_MAX 4096

static enum puan_status bad(struct puan_err *err, const char *why)
{
    return puan_fail(err, PUAN_EINVAL, "multipart", "%s", why);
}

static bool begins(struct puan_str s, const char *word)
{
    size_t n = strlen(word);

    return s.n >= n && strncasecmp(s.p, word, n) == 0;
}

static struct puan_str after(struct puan_str s, size_t n)
{
    return (struct puan_str){ s.p + n, s.n - n };
}

/*
 * The value of `key` among "; key=value" pairs, quoted or not.  False when it
 * is not there or its quotes do not close.
 */
static bool pair(struct puan_str *out, struct puan_str s, const char *key)
{
    size_t k = strlen(key);

    for (;;) {
        bool ours;
        size_t i = 0;

        while (i < s.n && s.p[i] != ';')
            i++;
        if (i == s.n)
            return false;
        s = after(s, i + 1);
        while (s.n && (*s.p == ' ' || *s.p == '\t'))
            s = after(s, 1);
        ours = s.n > k && begins(s, key) && s.p[k] == '=';
        for (i = 0; i < s.n && s.p[i] != '=' && s.p[i] != ';';)
            i++;
        if (i == s.n || s.p[i] == ';')
            continue;
        s = after(s, i + 1);
        if (s.n && *s.p == '"') {
            for (i = 1; i < s.n && s.p[i] != '"';)
                i++;
            if (i == s.n)
                return false;
            *out = (struct puan_str){ s.p + 1, i - 1 };
            s = after(s, i + 1);
        } else {
            for (i = 0; i < s.n && s.p[i] != ';' && s.p[i] != ' ';)
                i++;
            *out = (struct puan_str){ s.p, i };
            s = after(s, i);
        }
        if (ours)
            return true;
    }
}

static enum puan_status read_headers(struct puan_part *p, struct puan_str *at,
                                     struct puan_err *err)
{
    bool named = false;

    for (size_t read = 0;;) {
        const char *end = memmem(at->p, at->n, "\r\n", 2);
        struct puan_str line;

        if (!end)
            return bad(err, "a part's headers do not end");
        line = (struct puan_str){ at->p, (size_t)(end - at->p) };
        *at = after(*at, line.n + 2);
        read += line.n;
        if (line.n == 0)
            return named ? PUAN_OK : bad(err, "a part without a name");
        if (read > HEADERS_MAX)
            return bad(err, "a part's headers are too long");
        if (begins(line, "content-disposition:")) {
            named = pair(&p->name, line, "name");
            if (!pair(&p->file, line, "filename"))
                p->file = (struct puan_str){ 0 };
        } else if (begins(line, "content-type:")) {
            p->type = puan_str_trim(after(line, 13));
        }
    }
}

enum puan_status puan_multipart_parse(const struct puan_part **out, size_t *n,
                                      struct puan_str type,
                                      struct puan_str body,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    struct puan_part *parts =
        puan_new_n(a, PUAN_MULTIPART_MAX, struct puan_part);
    struct puan_str boundary, at = body;
    char line[BOUNDARY_MAX + 5]; /* CR LF -- boundary */
    size_t line_n;

    *out = parts;
    *n = 0;
    if (!parts)
        return puan_arena_check(a, err);
    if (!begins(type, "multipart/form-data") ||
        !pair(&boundary, type, "boundary") || boundary.n == 0 ||
        boundary.n > BOUNDARY_MAX)
        return bad(err, "multipart/form-data with a boundary is wanted");
    puan_format(line, sizeof(line), "\r\n--%.*s", PUAN_FMT(boundary));
    line_n = boundary.n + 4;
    if (at.n >= line_n - 2 && memcmp(at.p, line + 2, line_n - 2) == 0) {
        at = after(at, line_n - 2);
    } else {
        const char *p = memmem(at.p, at.n, line, line_n);

        if (!p)
            return bad(err, "the boundary does not stand in it");
        at = after(at, (size_t)(p - at.p) + line_n);
    }
    for (;;) {
        enum puan_status st;
        const char *p;

        if (at.n >= 2 && memcmp(at.p, "--", 2) == 0)
            return PUAN_OK;
        while (at.n && (*at.p == ' ' || *at.p == '\t'))
            at = after(at, 1);
        if (at.n < 2 || memcmp(at.p, "\r\n", 2) != 0)
            return bad(err, "a boundary does not end its line");
        at = after(at, 2);
        if (*n == PUAN_MULTIPART_MAX)
            return puan_fail(err, PUAN_ELIMIT, "multipart",
                             "more than %d parts", PUAN_MULTIPART_MAX);
        st = read_headers(&parts[*n], &at, err);
        if (st != PUAN_OK)
            return st;
        /* an empty body: its delimiter's line break ended the headers */
        if (at.n >= line_n - 2 && memcmp(at.p, line + 2, line_n - 2) == 0) {
            parts[(*n)++].body = (struct puan_str){ at.p, 0 };
            at = after(at, line_n - 2);
            continue;
        }
        p = memmem(at.p, at.n, line, line_n);
        if (!p)
            return bad(err, "it is cut off");
        parts[(*n)++].body = (struct puan_str){ at.p, (size_t)(p - at.p) };
        at = after(at, (size_t)(p - at.p) + line_n);
    }
}
