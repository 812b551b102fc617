/*
 * Borrowed text, UTF-8, and a formatter that needs no C library.
 */
#include "base/text.h"

struct puan_str puan_str_of(const char *cstr)
{
    struct puan_str s = { cstr ? cstr : "", cstr ? strlen(cstr) : 0 };

    return s;
}

bool puan_str_eq(struct puan_str a, struct puan_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool puan_str_is(struct puan_str a, const char *cstr)
{
    return puan_str_eq(a, puan_str_of(cstr));
}

int puan_str_cmp(struct puan_str a, struct puan_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;

    if (c != 0)
        return c;
    return a.n < b.n ? -1 : a.n > b.n;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool puan_str_same(struct puan_str a, struct puan_str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

bool puan_str_holds(struct puan_str s, struct puan_str part)
{
    for (size_t i = 0; i + part.n <= s.n; i++)
        if (puan_str_same((struct puan_str){ s.p + i, part.n }, part))
            return true;
    return part.n == 0;
}

bool puan_str_starts(struct puan_str s, const char *prefix)
{
    size_t n = strlen(prefix);

    return s.n >= n && (n == 0 || memcmp(s.p, prefix, n) == 0);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct puan_str puan_str_trim(struct puan_str s)
{
    while (s.n && is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool puan_str_split(struct puan_str *head, struct puan_str *rest, char sep)
{
    if (rest->p == NULL)
        return false;
    for (size_t i = 0; i < rest->n; i++) {
        if (rest->p[i] == sep) {
            head->p = rest->p;
            head->n = i;
            rest->p += i + 1;
            rest->n -= i + 1;
            return true;
        }
    }
    *head = *rest;
    rest->p = NULL;
    rest->n = 0;
    return true;
}

int32_t puan_utf8_next(struct puan_str *s)
{
    const unsigned char *p = (const unsigned char *)s->p;
    uint32_t c, min;
    size_t len;

    if (s->n == 0)
        return -1;
    if (p[0] < 0x80) {
        s->p++;
        s->n--;
        return p[0];
    }
    if (p[0] >= 0xc2 && p[0] < 0xe0) {
        len = 2, c = p[0] & 0x1fu, min = 0x80;
    } else if ((p[0] & 0xf0) == 0xe0) {
        len = 3, c = p[0] & 0x0fu, min = 0x800;
    } else if (p[0] >= 0xf0 && p[0] < 0xf5) {
        len = 4, c = p[0] & 0x07u, min = 0x10000;
    } else {
        return -1;
    }
    if (s->n < len)
        return -1;
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return -1;
        c = c << 6 | (p[i] & 0x3fu);
    }
    if (c < min || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return -1;
    s->p += len;
    s->n -= len;
    return (int32_t)c;
}

bool puan_utf8_valid(struct puan_str s)
{
    while (s.n) {
        if ((unsigned char)s.p[0] < 0x80) {
            s.p++;
            s.n--;
        } else if (puan_utf8_next(&s) < 0) {
            return false;
        }
    }
    return true;
}

size_t puan_utf8_put(char out[4], uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

size_t puan_utf8_length(struct puan_str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

bool puan_int_parse(int64_t *out, struct puan_str s)
{
    uint64_t v = 0, max = INT64_MAX;
    bool minus = s.n && s.p[0] == '-';
    size_t i = minus;

    if (minus)
        max++;
    if (i == s.n)
        return false;
    for (; i < s.n; i++) {
        unsigned d = (unsigned char)s.p[i] - (unsigned)'0';

        if (d > 9 || v > (max - d) / 10)
            return false;
        v = v * 10 + d;
    }
    *out = minus ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

bool puan_fixed_parse(int64_t *out, struct puan_str s, unsigned places)
{
    struct puan_str whole, frac = s;
    bool minus = s.n && s.p[0] == '-';
    int64_t v, f = 0;

    if (!puan_str_split(&whole, &frac, '.'))
        return false;
    if (whole.n == s.n)
        frac = PUAN_STR("");
    else if (frac.n == 0)
        return false;
    if (frac.n > places || !puan_int_parse(&v, whole))
        return false;
    if (frac.n && (frac.p[0] == '-' || !puan_int_parse(&f, frac)))
        return false;
    for (size_t i = 0; i < places; i++) {
        int64_t digit = 0;

        if (i < frac.n)
            digit = frac.p[i] - '0';
        if (__builtin_mul_overflow(v, 10, &v) ||
            (minus ? __builtin_sub_overflow(v, digit, &v)
                   : __builtin_add_overflow(v, digit, &v)))
            return false;
    }
    *out = v;
    return true;
}

/* Where formatted text goes: counts always, writes while there is room. */
struct sink {
    char *p;
    size_t cap, n;
};

static void put(struct sink *k, char c)
{
    if (k->n + 1 < k->cap)
        k->p[k->n] = c;
    k->n++;
}

static void put_padded(struct sink *k, const char *s, size_t n, size_t width,
                       bool left, bool zero, bool minus)
{
    size_t total = n + minus;

    if (!left && !zero)
        for (; total < width; total++)
            put(k, ' ');
    if (minus)
        put(k, '-');
    if (!left && zero)
        for (; total < width; total++)
            put(k, '0');
    for (size_t i = 0; i < n; i++)
        put(k, s[i]);
    for (; left && total < width; total++)
        put(k, ' ');
}

/* Digits of v at the end of buf; returns the first. */
static const char *digits(char buf[24], uint64_t v, unsigned base)
{
    char *p = buf + 23;

    *p = '\0';
    do {
        *--p = "0123456789abcdef"[v % base];
        v /= base;
    } while (v);
    return p;
}

size_t puan_vformat(char *out, size_t cap, const char *fmt, va_list ap)
{
    struct sink k = { out, cap, 0 };
    char buf[24];

    for (; *fmt; fmt++) {
        bool left = false, zero = false, minus = false, has_prec = false;
        size_t width = 0, prec = 0;
        unsigned longs = 0;
        bool size = false;
        const char *s;
        uint64_t u;

        if (*fmt != '%') {
            put(&k, *fmt);
            continue;
        }
        for (fmt++; *fmt == '-' || *fmt == '0'; fmt++) {
            left |= *fmt == '-';
            zero |= *fmt == '0';
        }
        if (*fmt == '*') {
            width = (size_t)va_arg(ap, int);
            fmt++;
        }
        for (; *fmt >= '0' && *fmt <= '9'; fmt++)
            width = width * 10 + (size_t)(*fmt - '0');
        if (*fmt == '.') {
            has_prec = true;
            if (*++fmt == '*') {
                int p = va_arg(ap, int);

                prec = p > 0 ? (size_t)p : 0;
                fmt++;
            }
            for (; *fmt >= '0' && *fmt <= '9'; fmt++)
                prec = prec * 10 + (size_t)(*fmt - '0');
        }
        for (; *fmt == 'l' || *fmt == 'z'; fmt++) {
            longs += *fmt == 'l';
            size |= *fmt == 'z'; /* 32 bits wide in WebAssembly */
        }
        switch (*fmt) {
        case 'd': {
            int64_t v = size         ? va_arg(ap, ptrdiff_t)
                        : longs > 1  ? va_arg(ap, long long)
                        : longs == 1 ? va_arg(ap, long)
                                     : va_arg(ap, int);

            minus = v < 0;
            u = minus ? 0 - (uint64_t)v : (uint64_t)v;
            s = digits(buf, u, 10);
            put_padded(&k, s, strlen(s), width, left, zero, minus);
            break;
        }
        case 'u':
        case 'x':
            u = size         ? va_arg(ap, size_t)
                : longs > 1  ? va_arg(ap, unsigned long long)
                : longs == 1 ? va_arg(ap, unsigned long)
                             : va_arg(ap, unsigned);
            s = digits(buf, u, *fmt == 'x' ? 16 : 10);
            put_padded(&k, s, strlen(s), width, left, zero, false);
            break;
        case 'c':
            buf[0] = (char)va_arg(ap, int);
            put_padded(&k, buf, 1, width, left, false, false);
            break;
        case 's': {
            size_t n = 0;

            s = va_arg(ap, const char *);
            if (s == NULL)
                s = "(null)";
            while ((!has_prec || n < prec) && s[n])
                n++;
            put_padded(&k, s, n, width, left, false, false);
            break;
        }
        case '%':
            put(&k, '%');
            break;
        default: /* an unknown conversion is a bug; show it */
            put(&k, '%');
            if (*fmt == '\0')
                fmt--;
            else
                put(&k, *fmt);
        }
    }
    if (cap)
        out[k.n < cap ? k.n : cap - 1] = '\0';
    return k.n;
}

size_t puan_format(char *out, size_t cap, const char *fmt, ...)
{
    va_list ap;
    size_t n;

    va_start(ap, fmt);
    n = puan_vformat(out, cap, fmt, ap);
    va_end(ap);
    return n;
}

void puan_hex(char *out, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = "0123456789abcdef"[p[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[p[i] & 15];
    }
    out[2 * n] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool puan_unhex(uint8_t *out, size_t n, struct puan_str s)
{
    if (s.n != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int hi = hex_digit(s.p[2 * i]), lo = hex_digit(s.p[2 * i + 1]);

        if (hi < 0 || lo < 0)
            return false;
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    return true;
}
