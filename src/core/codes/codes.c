/*
 * Citizen ID numbers, names and phones by their own text alone.
 */
#include "core/codes/codes.h"

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool blank(int32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0 || c == 0x3000 ||
           c == 0x200b || c == 0xfeff;
}

/* s without blanks at its ends. */
static struct puan_str strip(struct puan_str s)
{
    struct puan_str rest = s;
    size_t from = 0, to = 0;
    bool seen = false;

    while (rest.n > 0) {
        size_t before = s.n - rest.n;
        int32_t c = puan_utf8_next(&rest);

        if (c < 0)
            break;
        if (blank(c))
            continue;
        if (!seen)
            from = before;
        seen = true;
        to = s.n - rest.n;
    }
    if (rest.n > 0) /* ill-formed: leave the tail alone */
        to = s.n;
    return seen || rest.n > 0 ? (struct puan_str){ s.p + from, to - from }
                              : (struct puan_str){ s.p, 0 };
}

size_t puan_id_normal(char *out, size_t cap, struct puan_str text)
{
    size_t n = 0;

    text = strip(text);
    if (text.n > 0 && text.p[0] == '\'')
        text = (struct puan_str){ text.p + 1, text.n - 1 };
    while (text.n > 0) {
        char u[4];
        size_t k;
        int32_t c = puan_utf8_next(&text);

        if (c < 0) { /* keep the byte, so that it is seen as wrong */
            c = '?';
            text = (struct puan_str){ text.p + 1, text.n - 1 };
        }
        if (c >= 0xff10 && c <= 0xff19)
            c = c - 0xff10 + '0';
        else if (c == 'x' || c == 0xff38 || c == 0xff58 || c == 0x425 ||
                 c == 0x445)
            c = 'X';
        k = puan_utf8_put(u, (uint32_t)c);
        if (n + k >= cap) {
            n = cap;
            break;
        }
        memcpy(out + n, u, k);
        n += k;
    }
    if (cap > 0)
        out[n < cap ? n : cap - 1] = '\0';
    return n;
}

char puan_id_check_char(const char digits17[17])
{
    static const uint8_t weight[17] = { 7, 9, 10, 5,  8, 4, 2, 1, 6,
                                        3, 7, 9,  10, 5, 8, 4, 2 };
    unsigned sum = 0;

    for (size_t i = 0; i < 17; i++) {
        if (!digit(digits17[i]))
            return 0;
        sum += (unsigned)(digits17[i] - '0') * weight[i];
    }
    return "10X98765432"[sum % 11];
}

static int number(const char *p, size_t n)
{
    int v = 0;

    for (size_t i = 0; i < n; i++)
        v = v * 10 + (p[i] - '0');
    return v;
}

static bool digits(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!digit(p[i]))
            return false;
    return true;
}

void puan_id_parse(struct puan_id_parts *out, struct puan_str text,
                   int64_t ref_day)
{
    char id[24];
    int year, month, day;

    *out = (struct puan_id_parts){ .check = PUAN_ID_LENGTH };
    if (puan_id_normal(id, sizeof(id), text) != 18)
        return;
    if (digits(id, 6)) {
        out->has_region = true;
        out->region = number(id, 6);
    }
    if (digit(id[16])) {
        out->has_sex = true;
        out->sex = (id[16] - '0') % 2 ? 1 : 2;
    }
    if (digits(id + 6, 8)) {
        year = number(id + 6, 4);
        month = number(id + 10, 2);
        day = number(id + 12, 2);
        if (year >= 1800 && puan_day_exists(year, month, day)) {
            out->has_birth = true;
            out->birth_day = puan_day_of(year, month, day);
            out->birth_month = (int64_t)year * 12 + month - 1;
        }
    }
    if (!digits(id, 17) || !(digit(id[17]) || id[17] == 'X'))
        out->check = PUAN_ID_CHARACTER;
    else if (!out->has_birth)
        out->check = PUAN_ID_DATE;
    else if (out->birth_day >= ref_day)
        out->check = PUAN_ID_AFTER;
    else if (puan_id_check_char(id) != id[17])
        out->check = PUAN_ID_DIGIT;
    else
        out->check = PUAN_ID_OK;
}

bool puan_id_from15(char out[19], struct puan_str text)
{
    char id[24];

    if (puan_id_normal(id, sizeof(id), text) != 15 || !digits(id, 15))
        return false;
    memcpy(out, id, 6);
    memcpy(out + 6, "19", 2);
    memcpy(out + 8, id + 6, 9);
    out[17] = puan_id_check_char(out);
    out[18] = '\0';
    return puan_day_exists(number(out + 6, 4), number(out + 10, 2),
                           number(out + 12, 2));
}

struct puan_str puan_name_trim(struct puan_str text)
{
    return strip(text);
}

/* ASCII letters, and everything beyond ASCII that is no sign or digit. */
static bool letter(int32_t c)
{
    if (c < 0x80)
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (c < 0xc0 || c == 0xd7 || c == 0xf7)
        return false;
    if (c >= 0x2000 && c <= 0x2bff) /* punctuation, arrows, signs, boxes */
        return false;
    if ((c >= 0x3000 && c <= 0x3020 && c != 0x3005 && c != 0x3007) ||
        (c >= 0xff00 && c <= 0xff20) || (c >= 0xff3b && c <= 0xff40) ||
        (c >= 0xff5b && c <= 0xff65) || (c >= 0xfe30 && c <= 0xfe6f) ||
        (c >= 0xfff0 && c <= 0xffff) || (c >= 0x1f000 && c <= 0x1faff))
        return false;
    return true;
}

enum puan_name_class puan_name_class(struct puan_str text,
                                     const struct puan_str *test_words,
                                     size_t n)
{
    struct puan_str s = strip(text), rest = s;
    bool any = false;

    while (rest.n > 0 && !any) {
        int32_t c = puan_utf8_next(&rest);

        if (c < 0)
            break;
        any = letter(c);
    }
    if (!any)
        return PUAN_NAME_NO_LETTER;
    for (size_t i = 0; i < n; i++)
        if (puan_str_same(s, test_words[i]))
            return PUAN_NAME_TEST_WORD;
    return PUAN_NAME_ORDINARY;
}

enum puan_phone_class puan_phone_class(struct puan_str text)
{
    struct puan_str s = strip(text);
    size_t n = 0;
    char first = 0;
    bool same = true;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (digit(c)) {
            if (n++ == 0)
                first = c;
            same = same && c == first;
        } else if (!((c == '+' && i == 0) || c == '-' || c == '(' || c == ')' ||
                     c == ' ')) {
            return PUAN_PHONE_CHARACTER;
        }
    }
    if (n < 5 || n > 15)
        return PUAN_PHONE_LENGTH;
    return same ? PUAN_PHONE_SAME : PUAN_PHONE_ORDINARY;
}

/* ---- numbers on cards ---------------------------------------------------------- */

size_t puan_mark_normal(char *out, size_t cap, struct puan_str text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        unsigned char d = i + 1 < text.n ? (unsigned char)text.p[i + 1] : 0;
        unsigned char e = i + 2 < text.n ? (unsigned char)text.p[i + 2] : 0;

        if (c == 0xef && (d == 0xbc || d == 0xbd) && e >= 0x80) {
            /* U+FF01 to U+FF5E are the ASCII signs, 0xfee0 further on */
            c = (unsigned char)((d - 0xbc) * 64 + (e - 0x80) + 0x20);
            i += 2;
        } else if (c == 0xe3 && d == 0x80 && e == 0x80) {
            c = ' ';
            i += 2;
        } else if (c == 0xc2 && (d == 0xb7 || d == 0xa0)) {
            c = ' ';
            i++;
        } else if (c == 0xe2 && d == 0x80) {
            c = ' '; /* dashes and thin spaces of a word processor */
            i += 2;
        }
        if (c == ' ' || c == '-' || (c >= 9 && c <= 13))
            continue;
        if (c >= 'a' && c <= 'z')
            c = (unsigned char)(c - 32);
        if (n + 1 >= cap) {
            out[0] = 0;
            return cap;
        }
        out[n++] = (char)c;
    }
    out[n] = 0;
    return n;
}

#define MARKS ((int)sizeof(PUAN_MARK_ALPHABET) - 1)

static int mark_sum(struct puan_str text)
{
    int sum = 0;

    for (size_t i = 0; i < text.n; i++) {
        int v = 0;

        while (v < MARKS && PUAN_MARK_ALPHABET[v] != text.p[i])
            v++;
        if (v == MARKS)
            return -1;
        sum = (sum * 3 + v) % MARKS;
    }
    return sum;
}

char puan_mark_check_char(struct puan_str body)
{
    int sum = mark_sum(body);

    return sum < 0 ? (char)0 : PUAN_MARK_ALPHABET[(1 + MARKS - sum * 3 % MARKS) % MARKS];
}

bool puan_mark_ok(struct puan_str text)
{
    return text.n > 1 && mark_sum(text) == 1;
}
