/*
 * Cells of CSV one at a time: their text, their look, their value.
 */
#include "features/frame/cell.h"

#include "base/calendar.h"

#define PLACES_MOST 9

static bool all_digits(struct puan_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)(s.p[i] - '0') > 9)
            return false;
    return s.n > 0;
}

/* Whole number below 2^64 - 1, which is a state. */
static bool whole(uint64_t *v, struct puan_str s)
{
    uint64_t x = 0;

    if (s.n > 20 || !all_digits(s))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        uint64_t d = (uint64_t)(unsigned char)(s.p[i] - '0');

        if (x > (UINT64_MAX - 1 - d) / 10)
            return false;
        x = x * 10 + d;
    }
    *v = x;
    return true;
}

struct look {
    uint64_t v; /* of whole numbers */
    uint16_t seen;
    uint8_t places, digits;
};

static bool decimal(struct look *c, struct puan_str s)
{
    struct puan_str t = s, head, rest;
    int64_t v;

    if (t.p[0] == '-')
        t = (struct puan_str){ t.p + 1, t.n - 1 };
    rest = t;
    if (!puan_str_split(&head, &rest, '.') || rest.p == NULL ||
        !all_digits(head) || !all_digits(rest) || rest.n > PLACES_MOST ||
        (head.n > 1 && head.p[0] == '0') ||
        !puan_fixed_parse(&v, s, PLACES_MOST))
        return false;
    c->places = (uint8_t)rest.n;
    return true;
}

static struct look look_at(struct puan_str s)
{
    struct look c = { .seen = PUAN_SEEN_TEXT };
    int64_t v;

    if (s.n == 0) {
        c.seen = PUAN_SEEN_EMPTY;
    } else if (all_digits(s)) {
        if (s.n > 1 && s.p[0] == '0')
            c.seen = s.n <= 18 ? PUAN_SEEN_ZEROS : PUAN_SEEN_TEXT;
        else if (whole(&c.v, s))
            c.seen = c.v > INT64_MAX ? PUAN_SEEN_BIG : PUAN_SEEN_NUMBER;
        c.digits = s.n > 254 ? 254 : (uint8_t)s.n;
    } else if (s.p[0] == '-' && puan_int_parse(&v, s) &&
               s.p[1] != '0') {
        c.seen = PUAN_SEEN_NEGATIVE;
        c.v = (uint64_t)v;
    } else if (decimal(&c, s)) {
        c.seen = PUAN_SEEN_DECIMAL;
    } else if (puan_month_parse(&v, s)) {
        c.seen = PUAN_SEEN_MONTH;
    } else if (puan_day_parse(&v, s)) {
        c.seen = PUAN_SEEN_DATE;
    }
    return c;
}

void puan_cell_sum_join(struct puan_cell_sum *s, const struct puan_cell_sum *x)
{
    puan_range_join(&s->range, x->range);
    s->given += x->given;
    s->seen |= x->seen;
    s->places = x->places > s->places ? x->places : s->places;
    if (x->least_digits < s->least_digits)
        s->least_digits = x->least_digits;
    if (x->most_digits > s->most_digits)
        s->most_digits = x->most_digits;
}

static bool only(unsigned seen, unsigned what)
{
    return (seen & ~what) == 0;
}

struct puan_cell_plan puan_cell_plan_of(const struct puan_cell_sum *s)
{
    struct puan_cell_plan p = { .kind = PUAN_CELL_TEXT };
    unsigned seen = s->seen & ~(unsigned)PUAN_SEEN_EMPTY;

    if ((seen & PUAN_SEEN_BIG) && (seen & PUAN_SEEN_NEGATIVE))
        return p;
    if (only(seen, PUAN_SEEN_NUMBER | PUAN_SEEN_NEGATIVE | PUAN_SEEN_BIG)) {
        p.kind = PUAN_CELL_NUMBER;
    } else if (only(seen, PUAN_SEEN_NUMBER | PUAN_SEEN_NEGATIVE |
                              PUAN_SEEN_DECIMAL)) {
        p.kind = PUAN_CELL_FIXED;
        p.places = s->places;
    } else if (seen == PUAN_SEEN_MONTH) {
        p.kind = PUAN_CELL_MONTH;
    } else if (seen == PUAN_SEEN_DATE) {
        p.kind = PUAN_CELL_DATE;
    } else if (only(seen, PUAN_SEEN_NUMBER | PUAN_SEEN_ZEROS) &&
               s->least_digits == s->most_digits && s->most_digits <= 18) {
        p.kind = PUAN_CELL_DIGITS;
        p.digits = s->most_digits;
    }
    return p;
}

bool puan_block_text(struct puan_str *out, const struct puan_block *b,
                     uint32_t row, struct puan_arena *room)
{
    const uint32_t *e = b->end + (size_t)row * b->stride;
    uint32_t from = e[-1] + 1;
    struct puan_str s = { b->text + from, *e - from };
    size_t quotes = 0;
    bool quoted;

    if (b->last && s.n && s.p[s.n - 1] == '\r')
        s.n--;
    quoted = s.n && s.p[0] == '"';
    if (quoted) {
        if (s.n < 2 || s.p[s.n - 1] != '"')
            return false;
        s = (struct puan_str){ s.p + 1, s.n - 2 };
    }
    for (size_t k = 0; k < s.n; k++) {
        if (s.p[k] == '\0' || (s.p[k] == '\r' && !quoted))
            return false;
        quotes += s.p[k] == '"';
    }
    if (quotes && !quoted)
        return false;
    if (quotes) {
        char *p = puan_arena_get(room, s.n);
        size_t n = 0;

        if (!p)
            return false;
        for (size_t k = 0; k < s.n; k++) {
            p[n++] = s.p[k];
            if (s.p[k] == '"' && (++k == s.n || s.p[k] != '"'))
                return false;
        }
        s = (struct puan_str){ p, n };
    }
    if (!puan_utf8_valid(s))
        return false;
    *out = puan_str_trim(s);
    return true;
}

void puan_block_cell(struct puan_block *b, uint32_t row,
                     const struct puan_cell_plan *p, struct puan_str text)
{
    struct look c = look_at(text);
    struct puan_cell_sum *sum = &b->sum;
    int64_t v;

    sum->seen |= c.seen;
    if (c.places > sum->places)
        sum->places = c.places;
    if (c.digits) {
        if (c.digits < sum->least_digits)
            sum->least_digits = c.digits;
        if (c.digits > sum->most_digits)
            sum->most_digits = c.digits;
    }
    b->v[row] = 0;
    b->st[row] = c.seen == PUAN_SEEN_EMPTY;
    if (b->st[row]) {
        b->some_empty = true;
        return;
    }
    b->v[row] = c.v;
    if ((p->kind == PUAN_CELL_FIXED && puan_fixed_parse(&v, text, p->places)) ||
        (p->kind == PUAN_CELL_MONTH && puan_month_parse(&v, text)) ||
        (p->kind == PUAN_CELL_DATE && puan_day_parse(&v, text)))
        b->v[row] = (uint64_t)v;
    else if (p->kind == PUAN_CELL_DIGITS && c.seen == PUAN_SEEN_ZEROS &&
             !whole(&b->v[row], text))
        b->v[row] = 0;
}

void puan_block_sum(struct puan_block *b, const struct puan_cell_plan *p)
{
    int64_t lo = INT64_MAX, hi = INT64_MIN;
    uint64_t ulo = UINT64_MAX, uhi = 0;

    for (uint32_t i = 0; i < b->rows; i++) {
        int64_t v = (int64_t)b->v[i];

        if (b->st[i])
            continue;
        b->sum.given++;
        lo = v < lo ? v : lo;
        hi = v > hi ? v : hi;
        ulo = b->v[i] < ulo ? b->v[i] : ulo;
        uhi = b->v[i] > uhi ? b->v[i] : uhi;
    }
    b->sum.range = (struct puan_range){ lo, hi, false };
    if (b->sum.given > 0 &&
        (p->kind == PUAN_CELL_TOKEN || (p->kind == PUAN_CELL_NUMBER &&
                                        (b->sum.seen & PUAN_SEEN_BIG))))
        b->sum.range =
            (struct puan_range){ (int64_t)ulo, (int64_t)uhi, true };
}
