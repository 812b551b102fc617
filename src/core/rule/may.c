/*
 * The executor over open cells.  Registers hold a set of knowledges and a
 * range; jumps are taken only where every choice would take them, which
 * changes no result (lang.h).
 */
#include "core/rule/may.h"

#include "base/arena.h"
#include "core/rule/ops.h"

#define ASKED_DEPTH 8 /* asked_if that read items that have an asked_if */

/* What a register may hold: k is a set of 1 << enum puan_know. */
struct may_val {
    int64_t lo, hi; /* where KNOWN is in k */
    uint8_t k;
};
typedef struct may_val mval;

#define K_KNOWN (1u << PUAN_KNOWN)
#define K_DOUBT                                                                \
    (1u << PUAN_UN_OUTER | 1u << PUAN_UN_MISSING | 1u << PUAN_UN_INVALID)

struct puan_may_run {
    const struct puan_ruleset *rs;
    const struct puan_record *r;
    struct puan_may *cell[PUAN_FORM_ENTITIES];
    const struct puan_may_asked *asked[PUAN_FORM_ENTITIES];
    mval **column;    /* derived items, as far as stamped */
    uint32_t **stamp; /* equal to now: the value stands */
    uint32_t now;
    unsigned depth;
};

/* Where the sources of an expression stand. */
struct place {
    const struct puan_program *p;
    uint16_t entity[3];
    uint32_t row[3];
};

static void exec(struct puan_may_run *m, struct place *at,
                 const struct puan_ins *i, size_t n, mval *regs);

/* ---- sets ---- */

static mval nothing(void)
{
    return (mval){ 0, 0, 0 };
}

static mval range(int64_t lo, int64_t hi)
{
    return (mval){ lo, hi, K_KNOWN };
}

static mval anything(void)
{
    return (mval){ INT64_MIN, INT64_MAX, 31 };
}

static mval why(unsigned k)
{
    return (mval){ 0, 0, (uint8_t)k };
}

static mval of_val(val v)
{
    return v.s == PUAN_KNOWN ? range(v.v, v.v) : why(1u << v.s);
}

static mval either(mval a, mval b)
{
    mval r = { 0, 0, (uint8_t)(a.k | b.k) };

    if (!(a.k & K_KNOWN)) {
        r.lo = b.lo;
        r.hi = b.hi;
    } else if (!(b.k & K_KNOWN)) {
        r.lo = a.lo;
        r.hi = a.hi;
    } else {
        r.lo = a.lo < b.lo ? a.lo : b.lo;
        r.hi = a.hi > b.hi ? a.hi : b.hi;
    }
    return r;
}

static bool point(mval a)
{
    return a.k == K_KNOWN && a.lo == a.hi;
}

static unsigned lowest(unsigned set)
{
    return set & -set;
}

/* { stronger(i, j) : i in a, j in b } */
static uint8_t stronger_set(unsigned a, unsigned b)
{
    if (!a || !b)
        return 0;
    return (uint8_t)((a & -lowest(b)) | (b & -lowest(a)));
}

/* ---- truth: a set of six ---- */

enum { SAYS_F = 1, SAYS_T = 2 }; /* then unknown k as 2 << k */

static unsigned says(mval a)
{
    unsigned s = (unsigned)(a.k & ~K_KNOWN) << 1;

    if (a.k & K_KNOWN) {
        if (a.lo <= 0 && a.hi >= 0)
            s |= SAYS_F;
        if (a.hi > 0 || a.lo < 0)
            s |= SAYS_T;
    }
    return s;
}

static mval of_says(unsigned s)
{
    mval r = { 0, 0, (uint8_t)(s >> 1 & ~K_KNOWN) };

    if (s & (SAYS_F | SAYS_T)) {
        r.k |= K_KNOWN;
        r.lo = !(s & SAYS_F);
        r.hi = (s & SAYS_T) != 0;
    }
    return r;
}

static val of_bit(unsigned b)
{
    return b < 2 ? known(b) : unknown((uint8_t)(b - 1));
}

static mval logic(mval a, mval b, bool both)
{
    unsigned x = says(a), y = says(b), out = 0;

    for (unsigned i = 0; i < 6; i++) {
        if (!(x >> i & 1))
            continue;
        for (unsigned j = 0; j < 6; j++) {
            val v;

            if (!(y >> j & 1))
                continue;
            v = both ? op_and(of_bit(i), of_bit(j))
                     : op_or(of_bit(i), of_bit(j));
            out |= says(of_val(v));
        }
    }
    return of_says(out);
}

static mval truth_of(uint8_t k, bool no, bool yes)
{
    mval r = { 0, 0, k };

    if (k & K_KNOWN) {
        r.lo = !no;
        r.hi = yes;
    }
    return r;
}

/* ---- arithmetic ---- */

/* A result whose corners are given; `bad`: some choice has none. */
static mval corners(uint8_t k, const int64_t *c, size_t n, bool bad)
{
    mval r = { 0, 0, k };

    if (!(k & K_KNOWN))
        return r;
    r.lo = r.hi = c[0];
    for (size_t i = 1; i < n; i++) {
        r.lo = c[i] < r.lo ? c[i] : r.lo;
        r.hi = c[i] > r.hi ? c[i] : r.hi;
    }
    if (bad) {
        r.lo = INT64_MIN;
        r.hi = INT64_MAX;
        r.k |= 1u << PUAN_UN_MISSING;
    }
    return r;
}

static mval add(mval a, mval b)
{
    int64_t c[2] = { 0 };
    bool bad = __builtin_add_overflow(a.lo, b.lo, &c[0]);

    bad |= __builtin_add_overflow(a.hi, b.hi, &c[1]);
    return corners(stronger_set(a.k, b.k), c, 2, bad);
}

static mval subtract(mval a, mval b)
{
    int64_t c[2] = { 0 };
    bool bad = __builtin_sub_overflow(a.lo, b.hi, &c[0]);

    bad |= __builtin_sub_overflow(a.hi, b.lo, &c[1]);
    return corners(stronger_set(a.k, b.k), c, 2, bad);
}

static mval multiply(mval a, mval b)
{
    int64_t c[4] = { 0 };
    bool bad = __builtin_mul_overflow(a.lo, b.lo, &c[0]);

    bad |= __builtin_mul_overflow(a.lo, b.hi, &c[1]);
    bad |= __builtin_mul_overflow(a.hi, b.lo, &c[2]);
    bad |= __builtin_mul_overflow(a.hi, b.hi, &c[3]);
    return corners(stronger_set(a.k, b.k), c, 4, bad);
}

/* Corner quotients of a divisor that does not change its sign. */
static size_t quotients(int64_t *c, mval a, int64_t lo, int64_t hi)
{
    c[0] = a.lo / lo;
    c[1] = a.lo / hi;
    c[2] = a.hi / lo;
    c[3] = a.hi / hi;
    return 4;
}

static mval divide(mval a, mval b)
{
    uint8_t k = stronger_set(a.k, b.k);
    int64_t c[8];
    size_t n = 0;
    mval r;

    if (!(k & K_KNOWN))
        return why(k);
    if (a.lo == INT64_MIN && b.lo <= -1 && b.hi >= -1)
        return (mval){ INT64_MIN, INT64_MAX,
                       (uint8_t)(k | 1u << PUAN_UN_MISSING) };
    if (b.lo < 0)
        n += quotients(c, a, b.lo, b.hi < 0 ? b.hi : -1);
    if (b.hi > 0)
        n += quotients(c + n, a, b.lo > 0 ? b.lo : 1, b.hi);
    r = n ? corners(k, c, n, false) : why(k & ~K_KNOWN);
    if (b.lo <= 0 && b.hi >= 0)
        r.k |= 1u << PUAN_UN_MISSING;
    return r;
}

static mval remainder_of(mval a, mval b)
{
    uint8_t k = stronger_set(a.k, b.k);
    bool zero = b.lo <= 0 && b.hi >= 0;
    mval r = { 0, 0, k };
    int64_t up, down, most;

    if (!(k & K_KNOWN))
        return r;
    if (zero)
        r.k |= 1u << PUAN_UN_MISSING;
    if (b.lo == 0 && b.hi == 0) {
        r.k &= (uint8_t)~K_KNOWN;
        return r;
    }
    if (b.lo == b.hi && b.lo != -1 && a.lo / b.lo == a.hi / b.lo &&
        (a.lo >= 0) == (a.hi >= 0)) {
        r.lo = a.lo % b.lo;
        r.hi = a.hi % b.lo;
        return r;
    }
    up = b.hi > 0 ? b.hi - 1 : 0;
    down = b.lo < 0 ? -(b.lo + 1) : 0; /* of -1: 0; of the smallest, too */
    most = up > down ? up : down;
    r.lo = a.lo >= 0 ? 0 : a.lo < -most ? -most : a.lo;
    r.hi = a.hi <= 0 ? 0 : a.hi > most ? most : a.hi;
    return r;
}

static mval negate(mval a)
{
    return subtract(range(0, 0), a);
}

static mval absolute(mval a)
{
    mval n;

    if (!(a.k & K_KNOWN) || a.lo >= 0)
        return a;
    if (a.hi < 0)
        return negate(a);
    n = negate((mval){ a.lo, 0, a.k });
    n.lo = 0;
    n.hi = a.hi > n.hi ? a.hi : n.hi;
    return n;
}

static mval smaller(mval a, mval b)
{
    return (mval){ a.lo < b.lo ? a.lo : b.lo, a.hi < b.hi ? a.hi : b.hi,
                   stronger_set(a.k, b.k) };
}

static mval larger(mval a, mval b)
{
    return (mval){ a.lo > b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi,
                   stronger_set(a.k, b.k) };
}

static mval compare(mval a, mval b, unsigned cmp)
{
    uint8_t k = stronger_set(a.k, b.k);
    unsigned may = 0;

    if (!(k & K_KNOWN))
        return why(k);
    may |= a.lo < b.hi ? PUAN_CMP_LT : 0;
    may |= a.hi > b.lo ? PUAN_CMP_GT : 0;
    may |= a.lo <= b.hi && b.lo <= a.hi ? PUAN_CMP_EQ : 0;
    return truth_of(k, (may & ~cmp) != 0, (may & cmp) != 0);
}

static mval masked(mval a, int64_t mask, bool negated)
{
    uint64_t m = (uint64_t)mask, seen = 0;
    bool in, out;

    if (!(a.k & K_KNOWN))
        return why(a.k);
    if (a.hi >= 0 && a.lo <= 63) {
        unsigned lo = a.lo < 0 ? 0 : (unsigned)a.lo;
        unsigned hi = a.hi > 63 ? 63 : (unsigned)a.hi;

        seen = (hi == 63 ? ~(uint64_t)0 : ((uint64_t)1 << (hi + 1)) - 1) &
               ~(((uint64_t)1 << lo) - 1);
    }
    in = (seen & m) != 0;
    out = a.lo < 0 || a.hi > 63 || (seen & ~m) != 0;
    return negated ? truth_of(a.k, in, out) : truth_of(a.k, out, in);
}

/* Is every value of lo..hi in one of the ranges? */
static bool covered(int64_t lo, int64_t hi, const struct puan_range *r,
                    size_t n)
{
    for (;;) {
        bool on = false;
        int64_t to = lo;

        for (size_t i = 0; i < n; i++)
            if (lo >= r[i].lo && lo <= r[i].hi && r[i].hi >= to) {
                to = r[i].hi;
                on = true;
            }
        if (!on)
            return false;
        if (to >= hi)
            return true;
        lo = to + 1;
    }
}

static mval within(mval a, const struct puan_range *r, size_t n, bool negated)
{
    bool in = false, out;

    if (!(a.k & K_KNOWN))
        return why(a.k);
    for (size_t i = 0; i < n; i++)
        in |= a.lo <= r[i].hi && r[i].lo <= a.hi;
    out = !covered(a.lo, a.hi, r, n);
    return negated ? truth_of(a.k, in, out) : truth_of(a.k, out, in);
}

static mval chosen(mval c, const mval *a, const mval *b)
{
    unsigned s = says(c);
    mval r = why(c.k & ~K_KNOWN);

    if (s & SAYS_T)
        r = either(r, *a);
    if (s & SAYS_F)
        r = either(r, *b);
    return r;
}

/* ---- calendar ---- */

/* Cut to lo..hi; what lies outside is unknown, as missing. */
static mval in_calendar(mval a, int64_t lo, int64_t hi)
{
    mval r = a;

    if (!(a.k & K_KNOWN))
        return a;
    if (a.lo < lo || a.hi > hi)
        r.k |= 1u << PUAN_UN_MISSING;
    if (a.hi < lo || a.lo > hi) {
        r.k &= (uint8_t)~K_KNOWN;
        return r;
    }
    r.lo = a.lo < lo ? lo : a.lo;
    r.hi = a.hi > hi ? hi : a.hi;
    return r;
}

static mval months(mval a)
{
    return in_calendar(a, (int64_t)1800 * 12, (int64_t)2200 * 12 - 1);
}

static mval days(mval a)
{
    return in_calendar(a, -62091, 84005);
}

/* Falls with the birth, rises with the reference: two corners. */
static mval age(mval birth, mval ref, bool month)
{
    mval a = month ? months(birth) : days(birth);
    mval b = month ? months(ref) : days(ref);
    mval r = why(stronger_set(birth.k, ref.k));
    unsigned known_before = r.k;

    /* out of the calendar is looked at only when both are known */
    r.k = stronger_set(a.k, b.k);
    if (!(known_before & K_KNOWN))
        return why(known_before);
    r.k |= (uint8_t)(known_before & ~K_KNOWN);
    if (!(r.k & K_KNOWN))
        return r;
    if (month) {
        r.lo = puan_age_at(a.hi, b.lo);
        r.hi = puan_age_at(a.lo, b.hi);
    } else {
        r.lo = op_age_day(known(a.hi), known(b.lo)).v;
        r.hi = op_age_day(known(a.lo), known(b.hi)).v;
    }
    return r;
}

static mval calendar(mval x, unsigned op)
{
    bool month = op == PUAN_OP_YEAR_M || op == PUAN_OP_MONTH_OF_M;
    unsigned year = month ? PUAN_OP_YEAR_M : PUAN_OP_YEAR_D;
    mval a = month ? months(x) : days(x);

    if (!(a.k & K_KNOWN))
        return a;
    if ((op == PUAN_OP_MONTH_OF_M || op == PUAN_OP_MONTH_OF_D) &&
        op_calendar(known(a.lo), year).v != op_calendar(known(a.hi), year).v) {
        a.lo = 1;
        a.hi = 12;
        return a;
    }
    a.lo = op_calendar(known(a.lo), op).v;
    a.hi = op_calendar(known(a.hi), op).v;
    return a;
}

/* ---- items ---- */

static const struct puan_may *cell_at(const struct puan_may_run *m,
                                      uint16_t entity, uint32_t row,
                                      uint16_t item)
{
    return &m->cell[entity]
                   [(size_t)row * m->r->form->entity[entity].n_items + item];
}

/* States a cell may be in, EMPTY resolved. */
static unsigned states_of(struct puan_may_run *m, uint16_t entity, uint32_t row,
                          uint16_t item)
{
    const struct puan_may *c = cell_at(m, entity, row, item);
    const struct puan_may_asked *q = NULL;
    unsigned s = c->states & 15u, t;

    if (!(c->states & PUAN_MAY_EMPTY))
        return s;
    if (m->asked[entity])
        q = &m->asked[entity][item];
    if (!q || !q->required)
        return s | PUAN_MAY_STATE(PUAN_NOT_ASKED);
    if (!q->when)
        return s | PUAN_MAY_STATE(PUAN_MISSING);
    if (m->depth >= ASKED_DEPTH)
        return s | PUAN_MAY_STATE(PUAN_MISSING) |
               PUAN_MAY_STATE(PUAN_NOT_ASKED);
    m->depth++;
    t = puan_may_truth(m, q->when, row);
    m->depth--;
    if (t & 1u << PUAN_TRUE)
        s |= PUAN_MAY_STATE(PUAN_MISSING);
    if (t & ~(1u << PUAN_TRUE))
        s |= PUAN_MAY_STATE(PUAN_NOT_ASKED);
    return s;
}

static uint8_t knows(unsigned states, unsigned outer)
{
    unsigned k = 0;

    for (uint8_t s = 0; s < 4; s++)
        if (states >> s & 1)
            k |= 1u << know_from(s, (uint8_t)outer);
    return (uint8_t)k;
}

static mval item(struct puan_may_run *m, uint16_t entity, uint32_t row,
                 uint16_t x, unsigned outer)
{
    const struct puan_may *c = cell_at(m, entity, row, x);
    unsigned states =
        c->states & PUAN_MAY_EMPTY ? states_of(m, entity, row, x) : c->states;

    return (mval){ c->lo, c->hi, knows(states, outer) };
}

static mval state_in(unsigned states, int64_t mask)
{
    unsigned k = (unsigned)mask & 15u;

    return truth_of(states ? K_KNOWN : 0, (states & ~k) != 0,
                    (states & k) != 0);
}

static mval reason(struct puan_may_run *m, uint16_t entity, uint32_t row,
                   uint16_t x)
{
    const struct puan_may *c = cell_at(m, entity, row, x);
    unsigned states = states_of(m, entity, row, x);
    mval r = nothing();

    if (states & ~PUAN_MAY_STATE(PUAN_MISSING))
        r = range(-1, -1);
    if (c->states & PUAN_MAY_STATE(PUAN_MISSING))
        r = either(r, range(c->reason, c->reason));
    if (c->states & PUAN_MAY_EMPTY && states & PUAN_MAY_STATE(PUAN_MISSING))
        r = either(r, range(0, 0));
    return r;
}

static mval column(struct puan_may_run *m, const struct puan_program *p,
                   uint16_t c, uint32_t row)
{
    struct place at = { .p = p };
    mval regs[PUAN_RULE_REGS];

    if (m->stamp[c][row] == m->now)
        return m->column[c][row];
    at.entity[PUAN_SRC_OWN] = p->column[c].entity;
    at.row[PUAN_SRC_OWN] = row;
    exec(m, &at, p->ins + p->column[c].code.at, p->column[c].code.n, regs);
    m->column[c][row] = regs[0];
    m->stamp[c][row] = m->now;
    return regs[0];
}

static mval seen_outside(mval a, unsigned outer)
{
    if (outer && a.k & 1u << PUAN_UN_ASKED)
        a.k = (uint8_t)((a.k & ~(1u << PUAN_UN_ASKED)) | 1u << PUAN_UN_OUTER);
    return a;
}

/* d = x of line d of an entity */
static mval at_line(struct puan_may_run *m, const struct place *at,
                    const struct puan_ins *i, mval d)
{
    int64_t rows = m->r->rows[i->y].n;
    mval r = why(d.k & ~K_KNOWN);
    int64_t lo, hi;

    if (!(d.k & K_KNOWN))
        return r;
    if (d.lo < 1 || d.hi > rows)
        r.k |= 1u << PUAN_UN_ASKED;
    lo = d.lo < 1 ? 1 : d.lo;
    hi = d.hi > rows ? rows : d.hi;
    for (int64_t line = lo; line <= hi; line++) {
        uint32_t row = (uint32_t)(line - 1);

        r = either(r, i->op == PUAN_OP_AT_ITEM ? item(m, i->y, row, i->x, 0)
                                               : column(m, at->p, i->x, row));
    }
    return r;
}

static struct puan_str text_of(const struct puan_may_run *m, uint16_t entity,
                               uint32_t row, uint16_t x)
{
    const struct puan_rows *rows = &m->r->rows[entity];

    if (!rows->txt)
        return (struct puan_str){ NULL, 0 };
    return rows->txt[(size_t)row * m->r->form->entity[entity].n_items + x];
}

static mval same(struct puan_may_run *m, const struct place *at,
                 const struct puan_ins *i)
{
    unsigned a = i->src, b = (unsigned)i->k;
    const struct puan_may *x = cell_at(m, at->entity[a], at->row[a], i->x);
    const struct puan_may *y = cell_at(m, at->entity[b], at->row[b], i->y);
    uint8_t k = stronger_set(
        knows(states_of(m, at->entity[a], at->row[a], i->x), i->outer & 1),
        knows(states_of(m, at->entity[b], at->row[b], i->y), i->outer >> 1));
    mval r = why(k & ~K_KNOWN);

    if (!(k & K_KNOWN))
        return r;
    if ((x->text | y->text) & PUAN_MAY_OTHER)
        r.k |= 1u << PUAN_UN_MISSING; /* a new text is not at hand */
    if (x->text & y->text & PUAN_MAY_SAME)
        r = either(r,
                   of_val(op_same(
                       PUAN_KNOWN, text_of(m, at->entity[a], at->row[a], i->x),
                       PUAN_KNOWN, text_of(m, at->entity[b], at->row[b], i->y),
                       i->op == PUAN_OP_SAME_ID)));
    return r;
}

/* A row of a reference table: looked for where every key has one value. */
static mval look_up(const struct puan_lookup *t, const mval *key,
                    const struct puan_ins *i)
{
    val k[PUAN_LOOKUP_KEYS];

    for (uint16_t n = 0; n < i->y; n++) {
        if (point(key[n]))
            k[n] = known(key[n].lo);
        else if (key[n].k && !(key[n].k & (key[n].k - 1u)) &&
                 !(key[n].k & K_KNOWN))
            k[n] = unknown((uint8_t)__builtin_ctz(key[n].k));
        else
            return i->k < 0 ? range(0, 1) : anything();
    }
    return of_val(op_lookup(t, k, i->y, i->k));
}

/* ---- quantifiers ---- */

struct may_tally {
    uint8_t doubt;  /* set of the strongest reason of all rows so far */
    uint8_t at_hit; /* first: the same before rows that may be it */
    int64_t lo, hi; /* count, sum, extreme, line of the first */
    bool may, must; /* hit */
    bool bad;       /* a sum may overflow */
};

static void add_to(struct may_tally *t, mval x, bool must)
{
    int64_t lo = must || x.lo < 0 ? x.lo : 0;
    int64_t hi = must || x.hi > 0 ? x.hi : 0;

    if (__builtin_add_overflow(t->lo, lo, &t->lo)) {
        t->bad = true;
        t->lo = INT64_MIN;
    }
    if (__builtin_add_overflow(t->hi, hi, &t->hi)) {
        t->bad = true;
        t->hi = INT64_MAX;
    }
}

/* Smallest (or largest, by signs changed) of the rows so far. */
static void extreme(struct may_tally *t, mval x, bool must, bool least)
{
    int64_t near = least ? x.lo : x.hi, far = least ? x.hi : x.lo;
    int64_t *a = least ? &t->lo : &t->hi, *b = least ? &t->hi : &t->lo;

#define BEYOND(p, q) (least ? (p) < (q) : (p) > (q))
    if (!t->may || BEYOND(near, *a))
        *a = near;
    if (must) {
        if (!t->must || BEYOND(far, *b))
            *b = far;
    } else if (!t->must && (!t->may || BEYOND(*b, far))) {
        *b = far;
    }
#undef BEYOND
    t->may = true;
    t->must |= must;
}

/* One row; true when no further row can be read. */
static bool one_row(struct may_tally *t, unsigned kind, mval c, const mval *x,
                    int64_t line)
{
    unsigned s = says(c), doubt = c.k & K_DOUBT;
    bool yes = s & SAYS_T, sure = s == SAYS_T;
    bool easy = (s & SAYS_F) || (c.k & 1u << PUAN_UN_ASKED);

    switch (kind) {
    case PUAN_Q_ALL:
        t->may |= (s & SAYS_F) != 0;
        t->must |= s == SAYS_F;
        easy |= yes;
        break;
    case PUAN_Q_ANY:
        t->may |= yes;
        t->must |= sure;
        easy |= yes;
        break;
    case PUAN_Q_COUNT:
        t->hi += yes;
        t->lo += sure;
        easy |= yes;
        break;
    case PUAN_Q_FIRST:
        if (yes) {
            t->lo = t->may ? t->lo : line;
            t->hi = line;
            t->may = true;
            t->must |= sure;
            t->at_hit |= t->doubt;
        }
        if (sure)
            return true;
        break;
    default:
        if (!yes)
            break;
        doubt |= x->k & K_DOUBT;
        easy |= (x->k & (K_KNOWN | 1u << PUAN_UN_ASKED)) != 0;
        if (!(x->k & K_KNOWN))
            break;
        sure = sure && x->k == K_KNOWN;
        if (kind == PUAN_Q_SUM) {
            add_to(t, *x, sure);
        } else {
            extreme(t, *x, sure, kind == PUAN_Q_MIN);
        }
        break;
    }
    t->doubt = stronger_set(t->doubt, doubt | (easy ? K_KNOWN : 0));
    return false;
}

static mval finish_first(const struct may_tally *t)
{
    unsigned doubt = t->at_hit | (t->must ? 0 : t->doubt);
    mval r = why(doubt & ~K_KNOWN & ~(1u << PUAN_UN_OUTER));

    if (doubt & 1u << PUAN_UN_OUTER)
        r.k |= 1u << PUAN_UN_ASKED;
    if (t->at_hit & K_KNOWN)
        r = either(r, range(t->lo, t->hi));
    if (!t->must && t->doubt & K_KNOWN)
        r.k |= 1u << PUAN_UN_ASKED;
    return r;
}

static mval finish(const struct may_tally *t, unsigned kind)
{
    unsigned doubt = t->doubt & ~K_KNOWN;
    bool none = t->doubt & K_KNOWN;
    mval r;

    if (doubt & 1u << PUAN_UN_OUTER)
        doubt = (doubt & ~(1u << PUAN_UN_OUTER)) | 1u << PUAN_UN_ASKED;
    switch (kind) {
    case PUAN_Q_FIRST:
        return finish_first(t);
    case PUAN_Q_ANY:
    case PUAN_Q_ALL:
        r = why(doubt & 1u << PUAN_UN_INVALID);
        doubt &= ~(1u << PUAN_UN_INVALID);
        if (t->may && (none || doubt))
            r = either(r, range(kind == PUAN_Q_ANY, kind == PUAN_Q_ANY));
        if (!t->must) {
            r.k |= (uint8_t)doubt;
            if (none)
                r = either(r, range(kind == PUAN_Q_ALL, kind == PUAN_Q_ALL));
        }
        return r;
    case PUAN_Q_COUNT:
    case PUAN_Q_SUM:
        r = why(doubt);
        if (none)
            r = either(r, range(t->lo, t->hi));
        if (t->bad)
            r.k |= 1u << PUAN_UN_MISSING;
        return r;
    default:
        r = why(doubt);
        if (none && t->may)
            r = either(r, range(t->lo, t->hi));
        if (none && !t->must)
            r.k |= 1u << PUAN_UN_ASKED;
        return r;
    }
}

static void quantifier(struct puan_may_run *m, struct place *at,
                       const struct puan_ins *i, mval *regs)
{
    struct may_tally t = { .doubt = K_KNOWN };
    uint32_t n = m->r->rows[i->y].n;
    mval *r = regs + i->d;

    at->entity[PUAN_SRC_INNER] = i->y;
    for (uint32_t row = 0; row < n; row++) {
        at->row[PUAN_SRC_INNER] = row;
        r[1] = nothing();
        exec(m, at, i + 1, i->x, regs);
        if (one_row(&t, i->src, r[0], &r[1], (int64_t)row + 1))
            break;
    }
    r[0] = finish(&t, i->src);
}

/* ---- instructions ---- */

static bool read_op(struct puan_may_run *m, struct place *at,
                    const struct puan_ins *i, mval *d)
{
    uint16_t e = at->entity[i->src & 3u];
    uint32_t row = at->row[i->src & 3u];

    switch ((unsigned)i->op) {
    case PUAN_OP_CONST:
        *d = range(i->k, i->k);
        return true;
    case PUAN_OP_ITEM:
        *d = item(m, e, row, i->x, i->outer);
        return true;
    case PUAN_OP_COLUMN:
        *d = seen_outside(column(m, at->p, i->x, row), i->outer);
        return true;
    case PUAN_OP_ROW:
        *d = range((int64_t)row + 1, (int64_t)row + 1);
        return true;
    case PUAN_OP_STATE:
        *d = state_in(states_of(m, e, row, i->x), i->k);
        return true;
    case PUAN_OP_REASON:
        *d = reason(m, e, row, i->x);
        return true;
    case PUAN_OP_ITEM_CMP:
        *d = compare(item(m, e, row, i->x, i->outer), range(i->k, i->k), i->y);
        return true;
    case PUAN_OP_ITEM_MASK:
        *d = masked(item(m, e, row, i->x, i->outer), i->k, i->y != 0);
        return true;
    case PUAN_OP_SAME_ID:
    case PUAN_OP_SAME_TEXT:
        *d = same(m, at, i);
        return true;
    case PUAN_OP_LOOKUP:
        *d = look_up(at->p->table[i->x], d, i);
        return true;
    case PUAN_OP_AT_ITEM:
    case PUAN_OP_AT_COLUMN:
        *d = at_line(m, at, i, *d);
        return true;
    default:
        return false;
    }
}

static bool arithmetic_op(const struct puan_ins *i, mval *d)
{
    mval k = range(i->k, i->k);

    switch ((unsigned)i->op) {
    case PUAN_OP_ADD:
        *d = point(d[0]) && point(d[1])
                 ? of_val(op_add(known(d[0].lo), known(d[1].lo)))
                 : add(d[0], d[1]);
        return true;
    case PUAN_OP_SUB:
        *d = point(d[0]) && point(d[1])
                 ? of_val(op_sub(known(d[0].lo), known(d[1].lo)))
                 : subtract(d[0], d[1]);
        return true;
    case PUAN_OP_MUL_K:
    case PUAN_OP_MUL:
        if (i->op == PUAN_OP_MUL)
            k = d[1];
        *d = point(*d) && point(k) ? of_val(op_mul(known(d->lo), known(k.lo)))
                                   : multiply(*d, k);
        return true;
    case PUAN_OP_DIV_K:
    case PUAN_OP_DIV:
        if (i->op == PUAN_OP_DIV)
            k = d[1];
        *d = point(*d) && point(k) ? of_val(op_div(known(d->lo), known(k.lo)))
                                   : divide(*d, k);
        return true;
    case PUAN_OP_MOD:
        *d = point(d[0]) && point(d[1])
                 ? of_val(op_mod(known(d[0].lo), known(d[1].lo)))
                 : remainder_of(d[0], d[1]);
        return true;
    case PUAN_OP_MIN:
        *d = smaller(d[0], d[1]);
        return true;
    case PUAN_OP_MAX:
        *d = larger(d[0], d[1]);
        return true;
    case PUAN_OP_NEG:
        *d = point(*d) ? of_val(op_neg(known(d->lo))) : negate(*d);
        return true;
    case PUAN_OP_ABS:
        *d = point(*d) ? of_val(op_abs(known(d->lo))) : absolute(*d);
        return true;
    case PUAN_OP_AGE_MONTH:
    case PUAN_OP_AGE_DAY:
        *d = age(d[0], d[1], i->op == PUAN_OP_AGE_MONTH);
        return true;
    case PUAN_OP_YEAR_M:
    case PUAN_OP_YEAR_D:
    case PUAN_OP_MONTH_OF_M:
    case PUAN_OP_MONTH_OF_D:
    case PUAN_OP_MONTH_D:
        *d = calendar(*d, i->op);
        return true;
    default:
        return false;
    }
}

static bool truth_op(const struct puan_program *p, const struct puan_ins *i,
                     mval *d)
{
    switch ((unsigned)i->op) {
    case PUAN_OP_CMP:
        *d = compare(d[0], d[1], i->y);
        return true;
    case PUAN_OP_CMP_K:
        *d = compare(*d, range(i->k, i->k), i->y);
        return true;
    case PUAN_OP_MASK:
        *d = masked(*d, i->k, i->y != 0);
        return true;
    case PUAN_OP_IN:
        *d = within(*d, p->range + i->k, i->y, i->src != 0);
        return true;
    case PUAN_OP_AND:
        *d = logic(d[0], d[1], true);
        return true;
    case PUAN_OP_OR:
        *d = logic(d[0], d[1], false);
        return true;
    case PUAN_OP_NOT: {
        unsigned s = says(*d);

        *d = truth_of(d->k, (s & SAYS_T) != 0, (s & SAYS_F) != 0);
        return true;
    }
    case PUAN_OP_SELECT:
        *d = chosen(d[0], &d[1], &d[2]);
        return true;
    case PUAN_OP_KNOWN_Q:
        *d = truth_of(d->k ? K_KNOWN : 0, (d->k & ~K_KNOWN) != 0,
                      (d->k & K_KNOWN) != 0);
        return true;
    default:
        return false;
    }
}

static void exec(struct puan_may_run *m, struct place *at,
                 const struct puan_ins *i, size_t n, mval *regs)
{
    const struct puan_ins *end = i + n;

    for (; i < end; i++) {
        mval *d = regs + i->d;

        switch ((unsigned)i->op) {
        case PUAN_OP_QUANT:
            quantifier(m, at, i, regs);
            i += i->x;
            break;
        case PUAN_OP_IF_FALSE:
            if (says(*d) == SAYS_F)
                i += i->x;
            break;
        case PUAN_OP_IF_TRUE:
            if (says(*d) == SAYS_T)
                i += i->x;
            break;
        case PUAN_OP_UNLESS_TRUE:
            if (!(says(*d) & SAYS_T))
                i += i->x;
            break;
        default:
            if (!read_op(m, at, i, d) && !arithmetic_op(i, d) &&
                !truth_op(at->p, i, d))
                *d = anything(); /* an instruction not known here */
            break;
        }
    }
}

/* ---- for callers ---- */

enum puan_status
puan_may_open(struct puan_may_run **out, const struct puan_ruleset *rs,
              const struct puan_record *r,
              struct puan_may *const cell[PUAN_FORM_ENTITIES],
              const struct puan_may_asked *const asked[PUAN_FORM_ENTITIES],
              struct puan_arena *a, struct puan_err *err)
{
    struct puan_may_run *m = puan_new(a, struct puan_may_run);
    size_t n = rs->prog.n_columns;

    if (!m)
        return puan_arena_check(a, err);
    m->rs = rs;
    m->r = r;
    m->now = 1;
    for (size_t e = 0; e < r->form->n_entities; e++) {
        m->cell[e] = cell[e];
        m->asked[e] = asked ? asked[e] : NULL;
    }
    m->column = puan_new_n(a, n, mval *);
    m->stamp = puan_new_n(a, n, uint32_t *);
    for (size_t c = 0; m->column && m->stamp && c < n; c++) {
        uint32_t rows = r->rows[rs->prog.column[c].entity].n;

        m->column[c] = puan_new_n(a, rows, mval);
        m->stamp[c] = puan_new_n(a, rows, uint32_t);
    }
    *out = m;
    return puan_arena_check(a, err);
}

void puan_may_changed(struct puan_may_run *m)
{
    m->now++; /* a run ends long before it comes round */
}

unsigned puan_may_rule(struct puan_may_run *m, size_t rule, uint32_t row)
{
    const struct puan_rule_code *c = &m->rs->code[rule];
    const struct puan_program *p = &m->rs->prog;
    struct place at = { .p = p };
    mval regs[PUAN_RULE_REGS];
    unsigned when = SAYS_T, check, out = 0;

    at.entity[PUAN_SRC_OWN] = c->entity;
    at.row[PUAN_SRC_OWN] = row;
    if (c->when.n) {
        exec(m, &at, p->ins + c->when.at, c->when.n, regs);
        when = says(regs[0]);
        if (!(when & SAYS_T))
            return PUAN_MAY_PASS;
    }
    exec(m, &at, p->ins + c->check.at, c->check.n, regs);
    check = says(regs[0]);
    if (check & SAYS_F)
        out = PUAN_MAY_FAIL;
    if (when != SAYS_T || check & ~(unsigned)SAYS_F)
        out |= PUAN_MAY_PASS;
    return out;
}

unsigned puan_may_truth(struct puan_may_run *m, const struct puan_expr *e,
                        uint32_t row)
{
    struct place at = { .p = &e->prog };
    mval regs[PUAN_RULE_REGS];
    unsigned s, out = 0;

    at.entity[PUAN_SRC_OWN] = e->entity;
    at.row[PUAN_SRC_OWN] = row;
    exec(m, &at, e->prog.ins + e->code.at, e->code.n, regs);
    s = says(regs[0]);
    if (s & SAYS_F)
        out |= 1u << PUAN_FALSE;
    if (s & SAYS_T)
        out |= 1u << PUAN_TRUE;
    if (s & ~(unsigned)(SAYS_F | SAYS_T))
        out |= 1u << PUAN_UNKNOWN;
    return out;
}

/* ---- what is read ---- */

struct reads {
    const struct puan_form *form;
    uint8_t *seen[PUAN_FORM_ENTITIES]; /* by item: 1 own row, 2 all rows */
    uint8_t *column;                   /* the same of derived items */
};

static void note(struct reads *r, uint16_t entity, uint16_t x, bool all)
{
    r->seen[entity][x] |= all ? 2 : 1;
}

static void walk(struct reads *r, const struct puan_program *p,
                 struct puan_span code, uint16_t level, bool all);

static void note_column(struct reads *r, const struct puan_program *p,
                        uint16_t c, bool all)
{
    uint8_t bit = all ? 2 : 1;

    if (r->column[c] & bit)
        return;
    r->column[c] |= bit;
    walk(r, p, p->column[c].code, p->column[c].entity, all);
}

static void walk(struct reads *r, const struct puan_program *p,
                 struct puan_span code, uint16_t level, bool all)
{
    uint16_t inner = 0;
    const struct puan_ins *i = p->ins + code.at, *end = i + code.n;

    for (; i < end; i++) {
        unsigned src = i->src & 3u;
        uint16_t e = src == PUAN_SRC_OWN     ? level
                     : src == PUAN_SRC_INNER ? inner
                                             : 0;
        bool every = src == PUAN_SRC_INNER || (src == PUAN_SRC_OWN && all);

        switch ((unsigned)i->op) {
        case PUAN_OP_ITEM:
        case PUAN_OP_STATE:
        case PUAN_OP_REASON:
        case PUAN_OP_ITEM_CMP:
        case PUAN_OP_ITEM_MASK:
            note(r, e, i->x, every && e != 0);
            break;
        case PUAN_OP_COLUMN:
            note_column(r, p, i->x, every && e != 0);
            break;
        case PUAN_OP_SAME_ID:
        case PUAN_OP_SAME_TEXT: {
            uint16_t f = i->k == PUAN_SRC_OWN     ? level
                         : i->k == PUAN_SRC_INNER ? inner
                                                  : 0;

            note(r, e, i->x, every && e != 0);
            note(r, f, i->y,
                 f != 0 &&
                     (i->k == PUAN_SRC_INNER || (i->k == PUAN_SRC_OWN && all)));
            break;
        }
        case PUAN_OP_AT_ITEM:
            note(r, i->y, i->x, i->y != 0);
            break;
        case PUAN_OP_AT_COLUMN:
            note_column(r, p, i->x, i->y != 0);
            break;
        case PUAN_OP_QUANT:
            inner = i->y;
            break;
        default:
            break;
        }
    }
}

static enum puan_status begin_reads(struct reads *r,
                                    const struct puan_program *p,
                                    struct puan_arena *a, struct puan_err *err)
{
    *r = (struct reads){ .form = p->form };
    for (size_t e = 0; e < p->form->n_entities; e++)
        r->seen[e] = puan_new_n(a, p->form->entity[e].n_items, uint8_t);
    r->column = puan_new_n(a, p->n_columns, uint8_t);
    return puan_arena_check(a, err);
}

static enum puan_status list_reads(struct puan_may_read **out, size_t *n,
                                   const struct reads *r, struct puan_arena *a,
                                   struct puan_err *err)
{
    size_t count = 0;

    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1) {
            *out = puan_new_n(a, count, struct puan_may_read);
            if (!*out)
                return puan_arena_check(a, err);
            *n = count;
            count = 0;
        }
        for (uint16_t e = 0; e < r->form->n_entities; e++)
            for (uint16_t x = 0; x < r->form->entity[e].n_items; x++)
                for (unsigned all = 0; all < 2; all++) {
                    if (!(r->seen[e][x] >> all & 1))
                        continue;
                    if (pass == 1)
                        (*out)[count] =
                            (struct puan_may_read){ e, x, all != 0 };
                    count++;
                }
    }
    return PUAN_OK;
}

enum puan_status puan_may_rule_reads(struct puan_may_read **out, size_t *n,
                                     const struct puan_ruleset *rs, size_t rule,
                                     struct puan_arena *a, struct puan_err *err)
{
    const struct puan_rule_code *c = &rs->code[rule];
    struct reads r;
    enum puan_status st = begin_reads(&r, &rs->prog, a, err);

    if (st != PUAN_OK)
        return st;
    walk(&r, &rs->prog, c->when, c->entity, false);
    walk(&r, &rs->prog, c->check, c->entity, false);
    return list_reads(out, n, &r, a, err);
}

enum puan_status puan_may_expr_reads(struct puan_may_read **out, size_t *n,
                                     const struct puan_expr *e,
                                     struct puan_arena *a, struct puan_err *err)
{
    struct reads r;
    enum puan_status st = begin_reads(&r, &e->prog, a, err);

    if (st != PUAN_OK)
        return st;
    walk(&r, &e->prog, e->code, e->entity, false);
    return list_reads(out, n, &r, a, err);
}
