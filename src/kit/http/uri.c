/*
 * Decoding of path segments and query parts.  Never allocates when there is
 * nothing to decode.
 */
#include "kit/http/http.h"

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

enum puan_status puan_uri_decode(struct puan_str *out, struct puan_str in,
                                 bool query, struct puan_arena *a,
                                 struct puan_err *err)
{
    char *p = NULL;
    size_t n = 0;
    struct puan_str s = in;

    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];

        if (c == '%' || (query && c == '+')) {
            p = puan_arena_get(a, in.n + 1);
            if (!p)
                return puan_fail(err, PUAN_ENOMEM, "path", "out of memory");
            break;
        }
    }
    if (p) {
        for (size_t i = 0; i < in.n; i++) {
            char c = in.p[i];

            if (c == '%') {
                int hi, lo;

                if (in.n - i < 3 || (hi = hex_of(in.p[i + 1])) < 0 ||
                    (lo = hex_of(in.p[i + 2])) < 0)
                    return puan_fail(err, PUAN_EINVAL, "path",
                                     "a broken %% escape");
                c = (char)(hi << 4 | lo);
                i += 2;
                if (!query && c == '/')
                    return puan_fail(err, PUAN_EINVAL, "path",
                                     "an encoded slash");
            } else if (query && c == '+') {
                c = ' ';
            }
            p[n++] = c;
        }
        s = (struct puan_str){ p, n };
    }
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 32 || s.p[i] == 127)
            return puan_fail(err, PUAN_EINVAL, "path", "a control character");
    if (!puan_utf8_valid(s))
        return puan_fail(err, PUAN_EINVAL, "path", "the text is not UTF-8");
    *out = s;
    return PUAN_OK;
}
