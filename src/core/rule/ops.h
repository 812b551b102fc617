/*
 * What each instruction means, once for both executors: values with their
 * knowledge in, value out.  Rules of doc/rules.md section 5.
 *
 * Depends on: calendar.  Inside of core/rule only.
 */
#ifndef PUAN_CORE_RULE_OPS_H
#define PUAN_CORE_RULE_OPS_H

#include "base/calendar.h"
#include "core/rule/lang.h"

typedef struct puan_val val;

static inline val known(int64_t v)
{
    return (val){ v, PUAN_KNOWN };
}

static inline val unknown(uint8_t why)
{
    return (val){ 0, why };
}

static inline uint8_t stronger(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

/*
 * Of an item in this state; `outer` as in the instruction.  A nibble for each
 * state: this runs for every item read.
 */
static inline uint8_t know_from(uint8_t state, uint8_t outer)
{
    const unsigned nibbles = PUAN_UN_ASKED << (4 * PUAN_NOT_ASKED) |
                             PUAN_UN_MISSING << (4 * PUAN_MISSING) |
                             PUAN_UN_INVALID << (4 * PUAN_INVALID);

    return (uint8_t)((nibbles + outer) >> (4 * (state & 3u)) & 7);
}

static inline uint8_t know_of(uint8_t state)
{
    return know_from(state, 0);
}

static inline uint8_t state_of(uint8_t know)
{
    static const uint8_t state[] = { PUAN_GIVEN, PUAN_NOT_ASKED, PUAN_NOT_ASKED,
                                     PUAN_MISSING, PUAN_INVALID };

    return state[know];
}

/* An item not asked outside the quantifier's row leaves every row in doubt. */
static inline uint8_t seen_from(uint8_t know, uint8_t outer)
{
    return (uint8_t)(know + (outer & (know == PUAN_UN_ASKED)));
}

/* enum puan_cmp: a bit for less, equal, greater. */
static inline bool compares(int64_t a, int64_t b, unsigned cmp)
{
    return cmp >> ((a >= b) + (a > b)) & 1;
}

static inline bool in_mask(int64_t v, int64_t mask)
{
    return (uint64_t)v < 64 && ((uint64_t)mask >> v & 1);
}

static inline bool in_ranges(int64_t v, const struct puan_range *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (v >= r[i].lo && v <= r[i].hi)
            return true;
    return false;
}

#define ARITHMETIC(name, expression)                                           \
    static inline val name(val a, val b)                                       \
    {                                                                          \
        val r = { 0, stronger(a.s, b.s) };                                     \
        bool bad = (expression);                                               \
        if (bad && r.s == PUAN_KNOWN)                                          \
            r.s = PUAN_UN_MISSING;                                             \
        return r;                                                              \
    }

ARITHMETIC(op_add, __builtin_add_overflow(a.v, b.v, &r.v))
ARITHMETIC(op_sub, __builtin_sub_overflow(a.v, b.v, &r.v))
ARITHMETIC(op_mul, __builtin_mul_overflow(a.v, b.v, &r.v))

static inline val op_div(val a, val b)
{
    val r = { 0, stronger(a.s, b.s) };

    if (b.v == 0 || (b.v == -1 && a.v == INT64_MIN))
        r.s = r.s == PUAN_KNOWN ? PUAN_UN_MISSING : r.s;
    else
        r.v = a.v / b.v;
    return r;
}

static inline val op_mod(val a, val b)
{
    val r = { 0, stronger(a.s, b.s) };

    if (b.v == 0)
        r.s = r.s == PUAN_KNOWN ? PUAN_UN_MISSING : r.s;
    else if (b.v != -1)
        r.v = a.v % b.v;
    return r;
}

static inline val op_min(val a, val b)
{
    return (val){ a.v < b.v ? a.v : b.v, stronger(a.s, b.s) };
}

static inline val op_max(val a, val b)
{
    return (val){ a.v > b.v ? a.v : b.v, stronger(a.s, b.s) };
}

static inline val op_neg(val a)
{
    return op_sub((val){ 0, PUAN_KNOWN }, a);
}

static inline val op_abs(val a)
{
    return a.v < 0 ? op_neg(a) : a;
}

static inline val op_cmp(val a, val b, unsigned cmp)
{
    return (val){ compares(a.v, b.v, cmp), stronger(a.s, b.s) };
}

static inline val op_and(val a, val b)
{
    if (a.s == PUAN_KNOWN && !a.v)
        return known(0); /* b is not read */
    if (a.s == PUAN_UN_INVALID || b.s == PUAN_UN_INVALID)
        return unknown(PUAN_UN_INVALID);
    if (b.s == PUAN_KNOWN && !b.v)
        return known(0);
    return (val){ 1, stronger(a.s, b.s) };
}

static inline val op_or(val a, val b)
{
    if (a.s == PUAN_KNOWN && a.v)
        return known(1);
    if (a.s == PUAN_UN_INVALID || b.s == PUAN_UN_INVALID)
        return unknown(PUAN_UN_INVALID);
    if (b.s == PUAN_KNOWN && b.v)
        return known(1);
    return (val){ 0, stronger(a.s, b.s) };
}

static inline val op_select(val c, val a, val b)
{
    if (c.s != PUAN_KNOWN)
        return unknown(c.s);
    return c.v ? a : b;
}

/* Months 1800-01 … 2199-12 and the days of those years. */
static inline bool month_in_range(int64_t m)
{
    return m >= 1800 * 12 && m < 2200 * 12;
}

static inline bool day_in_range(int64_t d)
{
    return d >= -62091 && d < 84006;
}

static inline val op_age_month(val a, val b)
{
    uint8_t s = stronger(a.s, b.s);

    if (s != PUAN_KNOWN)
        return unknown(s);
    if (!month_in_range(a.v) || !month_in_range(b.v))
        return unknown(PUAN_UN_MISSING);
    return known(puan_age_at(a.v, b.v));
}

static inline val op_age_day(val a, val b)
{
    uint8_t s = stronger(a.s, b.s);
    int y1, m1, d1, y2, m2, d2;

    if (s != PUAN_KNOWN)
        return unknown(s);
    if (!day_in_range(a.v) || !day_in_range(b.v))
        return unknown(PUAN_UN_MISSING);
    puan_day_split(a.v, &y1, &m1, &d1);
    puan_day_split(b.v, &y2, &m2, &d2);
    return known(y2 - y1 - (m1 > m2 || (m1 == m2 && d1 > d2)));
}

/* year, month_of and month of one value */
static inline val op_calendar(val a, unsigned op)
{
    int y, m, d;

    if (a.s != PUAN_KNOWN)
        return a;
    if (op == PUAN_OP_YEAR_M || op == PUAN_OP_MONTH_OF_M) {
        if (!month_in_range(a.v))
            return unknown(PUAN_UN_MISSING);
        return known(op == PUAN_OP_YEAR_M ? a.v / 12 : a.v % 12 + 1);
    }
    if (!day_in_range(a.v))
        return unknown(PUAN_UN_MISSING);
    puan_day_split(a.v, &y, &m, &d);
    if (op == PUAN_OP_YEAR_D)
        return known(y);
    return known(op == PUAN_OP_MONTH_OF_D ? m : (int64_t)y * 12 + m - 1);
}

/* ---- texts ---- */

static inline size_t skip_blank(struct puan_str s, size_t i)
{
    for (;;) {
        if (i < s.n && (s.p[i] == ' ' || (s.p[i] >= 9 && s.p[i] <= 13)))
            i++;
        else if (i + 2 < s.n && memcmp(s.p + i, "\xe3\x80\x80", 3) == 0)
            i += 3; /* U+3000 */
        else
            return i;
    }
}

/* Equal after leaving out white space; small x as X where `id`. */
static inline bool same_text(struct puan_str a, struct puan_str b, bool id)
{
    size_t i = 0, j = 0;

    for (;;) {
        i = skip_blank(a, i);
        j = skip_blank(b, j);
        if (i >= a.n || j >= b.n)
            return i >= a.n && j >= b.n;
        char x = a.p[i++], y = b.p[j++];
        if (id && x == 'x')
            x = 'X';
        if (id && y == 'x')
            y = 'X';
        if (x != y)
            return false;
    }
}

static inline val op_same(uint8_t sa, struct puan_str a, uint8_t sb,
                          struct puan_str b, bool id)
{
    uint8_t s = stronger(sa, sb);

    if (s == PUAN_KNOWN && (a.n == 0 || b.n == 0))
        s = PUAN_UN_MISSING; /* the vault is not at hand */
    if (s != PUAN_KNOWN)
        return unknown(s);
    return known(same_text(a, b, id));
}

/* ---- reference tables ---- */

/*
 * A column of the row with these keys, or whether there is one (column -1).
 * Without its data a table leaves what reads it silent.
 */
static inline val op_lookup(const struct puan_lookup *t, const val *key,
                            size_t n, int64_t column)
{
    int64_t k[PUAN_LOOKUP_KEYS], row, v;
    enum puan_state st;
    uint8_t s = PUAN_KNOWN;

    if (!t)
        return unknown(PUAN_UN_ASKED);
    for (size_t i = 0; i < n; i++) {
        k[i] = key[i].v;
        s = stronger(s, key[i].s);
    }
    row = s == PUAN_KNOWN ? t->find(t->ctx, k) : -1;
    if (column < 0)
        return known(row >= 0);
    if (row < 0)
        return unknown(s == PUAN_KNOWN ? PUAN_UN_ASKED : s);
    v = t->value(t->ctx, row, (size_t)column, &st);
    return (val){ st == PUAN_GIVEN ? v : 0, know_of((uint8_t)st) };
}

/* ---- quantifiers ---- */

struct acc {
    int64_t v;     /* count, sum, smallest, largest, line of the first */
    uint8_t doubt; /* strongest reason among the rows in doubt */
    bool hit;      /* any: a true row; all: a false one; min, max, first */
};

/*
 * One row: whether it counts, x (looked at only when it does), its line.
 * True: no further row is read.
 */
static inline bool acc_row(struct acc *q, unsigned kind, val c, const val *x,
                           int64_t line)
{
    if (c.s >= PUAN_UN_OUTER) {
        q->doubt = stronger(q->doubt, c.s);
        return false;
    }
    if (c.s == PUAN_UN_ASKED)
        return false;
    if (kind == PUAN_Q_ALL) {
        q->hit |= !c.v;
        return false;
    }
    if (!c.v)
        return false;
    switch (kind) {
    case PUAN_Q_COUNT:
        q->v++;
        return false;
    case PUAN_Q_ANY:
        q->hit = true;
        return false;
    case PUAN_Q_FIRST:
        q->hit = true;
        q->v = line;
        return true;
    default:
        break;
    }
    if (x->s == PUAN_UN_ASKED)
        return false;
    if (x->s != PUAN_KNOWN) {
        q->doubt = stronger(q->doubt, x->s);
        return false;
    }
    if (kind == PUAN_Q_SUM) {
        if (__builtin_add_overflow(q->v, x->v, &q->v))
            q->doubt = stronger(q->doubt, PUAN_UN_MISSING);
    } else if (!q->hit || (kind == PUAN_Q_MIN ? x->v < q->v : x->v > q->v)) {
        q->v = x->v;
    }
    q->hit = true;
    return false;
}

static inline val acc_end(const struct acc *q, unsigned kind)
{
    uint8_t doubt = q->doubt == PUAN_UN_OUTER ? PUAN_UN_ASKED : q->doubt;

    switch (kind) {
    case PUAN_Q_ANY:
    case PUAN_Q_ALL:
        if (q->doubt == PUAN_UN_INVALID)
            return unknown(PUAN_UN_INVALID);
        if (q->hit)
            return known(kind == PUAN_Q_ANY);
        if (doubt)
            return unknown(doubt);
        return known(kind == PUAN_Q_ALL);
    case PUAN_Q_COUNT:
    case PUAN_Q_SUM:
        return (val){ q->v, doubt };
    default:
        if (doubt)
            return unknown(doubt);
        return q->hit ? known(q->v) : unknown(PUAN_UN_ASKED);
    }
}

/* ---- rules ---- */

enum outcome { APPLIES_NOT, SILENT, NOT_EVALUABLE, HOLDS, FAILS };

static inline enum outcome outcome_of(val check)
{
    if (check.s == PUAN_KNOWN)
        return check.v ? HOLDS : FAILS;
    return check.s == PUAN_UN_MISSING ? NOT_EVALUABLE : SILENT;
}

#endif
