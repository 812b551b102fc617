/*
 * The area tree: sorting rows into preorder, and walking it.  See area.h.
 */
#include "core/area/area.h"

#include "base/calendar.h"
#include "base/csv.h"

static const char *const kind_names[PUAN_AREA_KINDS] = {
    [PUAN_AREA_ORDINARY] = "ordinary",
    [PUAN_AREA_VIRTUAL] = "virtual",
    [PUAN_AREA_ZONE] = "zone",
    [PUAN_AREA_SYNTHETIC] = "synthetic",
};

const char *puan_area_kind_name(enum puan_area_kind kind)
{
    return (unsigned)kind < PUAN_AREA_KINDS ? kind_names[kind] : "ordinary";
}

static int64_t ten_to(unsigned n)
{
    int64_t p = 1;

    while (n-- > 0)
        p *= 10;
    return p;
}

/* What orders the rows: digits padded to 18, then the outer level first. */
struct sort_key {
    int64_t padded;
    uint32_t row;
    uint32_t level;
};

static bool key_less(const struct sort_key *a, const struct sort_key *b)
{
    if (a->padded != b->padded)
        return a->padded < b->padded;
    if (a->level != b->level)
        return a->level < b->level;
    return a->row < b->row;
}

/* Bottom-up merge sort; rows mostly arrive sorted, which costs one pass. */
static void sort_keys(struct sort_key *key, struct sort_key *tmp, size_t n)
{
    size_t i, w;

    for (i = 1; i < n && !key_less(&key[i], &key[i - 1]); i++)
        ;
    if (i >= n)
        return;
    for (w = 1; w < n; w *= 2) {
        for (i = 0; i < n; i += 2 * w) {
            size_t mid = i + w < n ? i + w : n;
            size_t hi = i + 2 * w < n ? i + 2 * w : n;
            size_t l = i, r = mid, o = i;

            while (l < mid || r < hi) {
                if (r >= hi || (l < mid && !key_less(&key[r], &key[l])))
                    tmp[o++] = key[l++];
                else
                    tmp[o++] = key[r++];
            }
        }
        memcpy(key, tmp, n * sizeof(*key));
    }
}

static struct puan_str copy(struct puan_arena *a, struct puan_str s)
{
    return (struct puan_str){ puan_arena_dup(a, s), s.n };
}

static enum puan_status check_levels(struct puan_area_tree *t,
                                     const struct puan_area_level *level,
                                     unsigned n, unsigned household_digits,
                                     const char *file, struct puan_err *err)
{
    if (n == 0 || n > PUAN_AREA_LEVELS)
        return puan_fail(err, PUAN_EINVAL, file,
                         "a plan has 1 to %d levels, not %u", PUAN_AREA_LEVELS,
                         n);
    for (unsigned i = 0; i < n; i++) {
        if (i > 0 && level[i].digits <= level[i - 1].digits)
            return puan_fail(err, PUAN_EINVAL, file,
                             "level %.*s must have more digits than %.*s",
                             PUAN_FMT(level[i].name),
                             PUAN_FMT(level[i - 1].name));
        t->level[i] = level[i];
    }
    if (level[n - 1].digits + household_digits > PUAN_AREA_DIGITS)
        return puan_fail(err, PUAN_EINVAL, file,
                         "household keys of %u digits do not fit %d",
                         level[n - 1].digits + household_digits,
                         PUAN_AREA_DIGITS);
    t->n_levels = n;
    t->household_digits = household_digits;
    t->household_base = ten_to(household_digits);
    return PUAN_OK;
}

static enum puan_status parse_day(int64_t *day, int64_t unstated,
                                  struct puan_str s, const char *column,
                                  const struct puan_area_row *r,
                                  const char *file, struct puan_err *err)
{
    if (s.n == 0) {
        *day = unstated;
        return PUAN_OK;
    }
    if (!puan_day_parse(day, s))
        return puan_fail_at(err, PUAN_EINVAL, file, r->line, 0,
                            "%s \"%.*s\" is not a date; write YYYY-MM-DD",
                            column, PUAN_FMT(s));
    return PUAN_OK;
}

static enum puan_status read_row(struct puan_area *to, uint8_t *level_out,
                                 const struct puan_area_tree *t,
                                 const struct puan_area_row *r,
                                 const char *file, struct puan_err *err)
{
    enum puan_status st;
    int level = puan_area_level_of(t, r->level);
    unsigned digits, k;

    if (level < 0)
        return puan_fail_at(err, PUAN_EINVAL, file, r->line, 0,
                            "area %.*s: level \"%.*s\" is not in the plan",
                            PUAN_FMT(r->code), PUAN_FMT(r->level));
    digits = t->level[level].digits;
    for (size_t i = 0; i < r->code.n; i++)
        if (r->code.p[i] < '0' || r->code.p[i] > '9')
            return puan_fail_at(err, PUAN_EINVAL, file, r->line, 0,
                                "code \"%.*s\" must be all digits",
                                PUAN_FMT(r->code));
    if (digits == 0 ? !puan_str_is(r->code, "0") : r->code.n != digits)
        return puan_fail_at(err, PUAN_EINVAL, file, r->line, 0,
                            "code \"%.*s\" must have %u digits at level %.*s",
                            PUAN_FMT(r->code), digits > 0 ? digits : 1,
                            PUAN_FMT(r->level));
    if (!puan_int_parse(&to->code, r->code))
        return puan_fail_at(err, PUAN_EINVAL, file, r->line, 0,
                            "code \"%.*s\" must be all digits",
                            PUAN_FMT(r->code));
    for (k = 0; k < PUAN_AREA_KINDS; k++)
        if (puan_str_is(r->kind, kind_names[k]))
            break;
    if (r->kind.n == 0)
        k = PUAN_AREA_ORDINARY;
    if (k == PUAN_AREA_KINDS)
        return puan_fail_at(err, PUAN_EINVAL, file, r->line, 0,
                            "kind \"%.*s\" must be ordinary, virtual, zone or "
                            "synthetic",
                            PUAN_FMT(r->kind));
    to->kind = (uint8_t)k;
    to->level = (uint8_t)level;
    *level_out = (uint8_t)level;
    st = parse_day(&to->valid_from, PUAN_AREA_ALWAYS, r->valid_from,
                   "valid_from", r, file, err);
    if (st == PUAN_OK)
        st = parse_day(&to->valid_to, PUAN_AREA_FOREVER, r->valid_to,
                       "valid_to", r, file, err);
    if (st != PUAN_OK)
        return st;
    if (to->valid_from > to->valid_to)
        return puan_fail_at(err, PUAN_EINVAL, file, r->line, 0,
                            "area %.*s is valid from after it is valid to",
                            PUAN_FMT(r->code));
    to->successor = 0;
    if (r->successor.n > 0 &&
        (!puan_int_parse(&to->successor, r->successor) || to->successor < 0))
        return puan_fail_at(err, PUAN_EINVAL, file, r->line, 0,
                            "successor \"%.*s\" must be the code of an area",
                            PUAN_FMT(r->successor));
    return PUAN_OK;
}

/*
 * Parent of area i, the areas before it being placed: the nearest one before
 * it, going up, whose code is its prefix.
 */
static enum puan_status place(struct puan_area *area, uint32_t i,
                              const struct puan_area_tree *t,
                              const struct puan_area_row *r, const char *file,
                              struct puan_err *err)
{
    uint32_t p = i > 0 ? i - 1 : PUAN_AREA_NONE;
    struct puan_area *me = &area[i];

    if (i > 0 && area[i - 1].level == me->level &&
        area[i - 1].code == me->code)
        return puan_fail_at(err, PUAN_EINVAL, file, r->line, 0,
                            "area %.*s is given twice", PUAN_FMT(r->code));
    while (p != PUAN_AREA_NONE) {
        unsigned d = t->level[area[p].level].digits;

        if (area[p].level < me->level && d <= r->code.n &&
            (d == 0 || memcmp(area[p].digits.p, r->code.p, d) == 0))
            break;
        p = area[p].parent;
    }
    if (r->parent.n == 0) {
        if (p != PUAN_AREA_NONE)
            return puan_fail_at(err, PUAN_EINVAL, file, r->line, 0,
                                "area %.*s has no parent; name %.*s",
                                PUAN_FMT(r->code), PUAN_FMT(area[p].digits));
    } else if (p == PUAN_AREA_NONE || !puan_str_eq(area[p].digits, r->parent)) {
        if (p == PUAN_AREA_NONE || area[p].digits.n < r->parent.n)
            return puan_fail_at(err, PUAN_EINVAL, file, r->line, 0,
                                "area %.*s: its parent %.*s is not among the "
                                "rows; add it",
                                PUAN_FMT(r->code), PUAN_FMT(r->parent));
        return puan_fail_at(err, PUAN_EINVAL, file, r->line, 0,
                            "area %.*s: parent %.*s should be %.*s",
                            PUAN_FMT(r->code), PUAN_FMT(r->parent),
                            PUAN_FMT(area[p].digits));
    }
    me->parent = p;
    for (; p != PUAN_AREA_NONE; p = area[p].parent)
        area[p].end = i + 1;
    return PUAN_OK;
}

enum puan_status puan_area_build(struct puan_area_tree **out,
                                 const struct puan_area_level *level,
                                 unsigned n_levels, unsigned household_digits,
                                 const struct puan_area_row *rows,
                                 size_t n_rows, const char *file,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_area_tree *t = puan_new(a, struct puan_area_tree);
    struct puan_area *area = puan_new_n(a, n_rows, struct puan_area);
    struct sort_key *key = puan_new_n(a, n_rows, struct sort_key);
    struct sort_key *tmp = puan_new_n(a, n_rows, struct sort_key);
    enum puan_status st = puan_arena_check(a, err);

    *out = NULL;
    if (st != PUAN_OK)
        return st;
    if (n_rows == 0 || n_rows >= PUAN_AREA_NONE)
        return puan_fail(err, PUAN_EINVAL, file, "holds no area rows");
    st = check_levels(t, level, n_levels, household_digits, file, err);
    for (size_t i = 0; i < n_rows && st == PUAN_OK; i++) {
        struct puan_area one = { 0 };
        uint8_t lv = 0;

        st = read_row(&one, &lv, t, &rows[i], file, err);
        if (st != PUAN_OK)
            return st;
        key[i].padded = one.code * ten_to(PUAN_AREA_DIGITS -
                                          t->level[lv].digits);
        key[i].row = (uint32_t)i;
        key[i].level = lv;
    }
    if (st != PUAN_OK)
        return st;
    sort_keys(key, tmp, n_rows);
    for (uint32_t i = 0; i < n_rows; i++) {
        const struct puan_area_row *r = &rows[key[i].row];
        uint8_t lv;

        st = read_row(&area[i], &lv, t, r, file, err);
        if (st != PUAN_OK)
            return st;
        area[i].digits = copy(a, r->code);
        area[i].zh = copy(a, r->zh);
        area[i].en = copy(a, r->en);
        area[i].parent = PUAN_AREA_NONE;
        area[i].end = i + 1;
        st = place(area, i, t, r, file, err);
        if (st != PUAN_OK)
            return st;
    }
    t->area = area;
    t->n = (uint32_t)n_rows;
    st = puan_arena_check(a, err);
    if (st != PUAN_OK)
        return st;
    /* A leading zero makes one number stand for codes of two levels. */
    for (uint32_t i = 0; i < t->n; i++)
        if (area[i].digits.p[0] == '0' &&
            puan_area_find(t, area[i].code) != i)
            return puan_fail_at(
                err, PUAN_EINVAL, file, rows[key[i].row].line, 0,
                "area %.*s is the same number as %.*s; number the areas so "
                "that codes differ without leading zeros",
                PUAN_FMT(area[i].digits),
                PUAN_FMT(area[puan_area_find(t, area[i].code)].digits));
    *out = t;
    return PUAN_OK;
}

/* Growing row list: chunks doubled in the scratch arena. */
struct row_list {
    struct puan_area_row *p;
    size_t n, cap;
};

static struct puan_area_row *row_add(struct row_list *l, struct puan_arena *a)
{
    if (l->n == l->cap) {
        size_t cap = l->cap > 0 ? l->cap * 2 : 256;
        struct puan_area_row *p = puan_new_n(a, cap, struct puan_area_row);

        if (p == NULL)
            return NULL;
        if (l->n > 0)
            memcpy(p, l->p, l->n * sizeof(*p));
        l->p = p;
        l->cap = cap;
    }
    return &l->p[l->n++];
}

enum puan_status puan_area_read_csv(struct puan_area_tree **out,
                                    const struct puan_area_level *level,
                                    unsigned n_levels,
                                    unsigned household_digits,
                                    struct puan_str csv, const char *file,
                                    struct puan_arena *a,
                                    struct puan_arena *scratch,
                                    struct puan_err *err)
{
    static const struct {
        const char *name;
        size_t offset;
        bool optional;
    } column[] = {
        { "code", offsetof(struct puan_area_row, code), false },
        { "parent", offsetof(struct puan_area_row, parent), false },
        { "level", offsetof(struct puan_area_row, level), false },
        { "name_zh", offsetof(struct puan_area_row, zh), false },
        { "name_en", offsetof(struct puan_area_row, en), false },
        { "kind", offsetof(struct puan_area_row, kind), true },
        { "valid_from", offsetof(struct puan_area_row, valid_from), true },
        { "valid_to", offsetof(struct puan_area_row, valid_to), true },
        { "successor", offsetof(struct puan_area_row, successor), true },
    };
    int at[PUAN_COUNT(column)];
    struct row_list list = { 0 };
    struct puan_arena line;
    struct puan_csv c;
    enum puan_status st;
    bool more = false;

    *out = NULL;
    puan_arena_init(&line, scratch->host);
    st = puan_csv_open(&c, csv, file, scratch, &line, err);
    if (st != PUAN_OK)
        goto done;
    for (size_t i = 0; i < PUAN_COUNT(column); i++) {
        at[i] = puan_csv_column(&c, column[i].name);
        if (at[i] < 0 && !column[i].optional) {
            st = puan_fail_at(err, PUAN_EINVAL, file, 1, 0,
                              "the column \"%s\" is missing", column[i].name);
            goto done;
        }
    }
    while ((st = puan_csv_next(&more, &c, err)) == PUAN_OK && more) {
        struct puan_area_row *r = row_add(&list, scratch);

        if (r == NULL)
            break;
        r->line = c.line;
        for (size_t i = 0; i < PUAN_COUNT(column); i++) {
            struct puan_str s = { "", 0 };

            if (at[i] >= 0)
                s = c.field[at[i]];
            /* unquoted fields live in the row arena only */
            if (s.n > 0 && !(s.p >= csv.p && s.p < csv.p + csv.n))
                s = copy(scratch, s);
            memcpy((char *)r + column[i].offset, &s, sizeof(s));
        }
    }
    if (st == PUAN_OK)
        st = puan_arena_check(scratch, err);
    if (st == PUAN_OK)
        st = puan_area_build(out, level, n_levels, household_digits, list.p,
                             list.n, file, a, err);
done:
    puan_arena_clear(&line);
    return st;
}

static uint32_t find_padded(const struct puan_area_tree *t, int64_t padded,
                            unsigned level)
{
    uint32_t lo = 0, hi = t->n;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        const struct puan_area *m = &t->area[mid];
        int64_t p = m->code *
                    ten_to(PUAN_AREA_DIGITS - t->level[m->level].digits);

        if (p < padded || (p == padded && m->level < level))
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo < t->n && t->area[lo].level == level &&
        t->area[lo].code *
                ten_to(PUAN_AREA_DIGITS - t->level[level].digits) ==
            padded)
        return lo;
    return PUAN_AREA_NONE;
}

uint32_t puan_area_find(const struct puan_area_tree *t, int64_t code)
{
    if (code < 0)
        return PUAN_AREA_NONE;
    for (unsigned l = 0; l < t->n_levels; l++) {
        unsigned d = t->level[l].digits;
        uint32_t i;

        if (d == 0 ? code != 0 : d < PUAN_AREA_DIGITS && code >= ten_to(d))
            continue;
        i = find_padded(t, code * ten_to(PUAN_AREA_DIGITS - d), l);
        if (i != PUAN_AREA_NONE)
            return i;
    }
    return PUAN_AREA_NONE;
}

uint32_t puan_area_find_digits(const struct puan_area_tree *t,
                               struct puan_str digits)
{
    int64_t code;
    uint32_t i;

    if (digits.n == 0 || digits.n > PUAN_AREA_DIGITS ||
        digits.p[0] == '-' || !puan_int_parse(&code, digits))
        return PUAN_AREA_NONE;
    i = puan_area_find(t, code);
    if (i != PUAN_AREA_NONE && !puan_str_eq(t->area[i].digits, digits))
        return PUAN_AREA_NONE;
    return i;
}

int puan_area_level_of(const struct puan_area_tree *t, struct puan_str name)
{
    for (unsigned i = 0; i < t->n_levels; i++)
        if (puan_str_eq(t->level[i].name, name))
            return (int)i;
    return -1;
}

uint32_t puan_area_ancestor(const struct puan_area_tree *t, uint32_t i,
                            unsigned level)
{
    while (i < t->n && t->area[i].level > level)
        i = t->area[i].parent;
    return i < t->n && t->area[i].level == level ? i : PUAN_AREA_NONE;
}

bool puan_area_contains(const struct puan_area_tree *t, uint32_t outer,
                        uint32_t inner)
{
    return outer < t->n && inner < t->n && outer <= inner &&
           inner < t->area[outer].end;
}

bool puan_area_contains_code(const struct puan_area_tree *t, int64_t outer,
                             int64_t inner)
{
    return puan_area_contains(t, puan_area_find(t, outer),
                              puan_area_find(t, inner));
}

uint32_t puan_area_next(const struct puan_area_tree *t, uint32_t i,
                        unsigned level, uint32_t after)
{
    uint32_t k;

    if (i >= t->n)
        return PUAN_AREA_NONE;
    k = after == PUAN_AREA_NONE ? i : t->area[after].end;
    while (k < t->area[i].end && t->area[k].level != level)
        k = t->area[k].level > level ? t->area[k].end : k + 1;
    return k < t->area[i].end ? k : PUAN_AREA_NONE;
}

bool puan_area_valid(const struct puan_area_tree *t, uint32_t i, int64_t day)
{
    return i < t->n && day >= t->area[i].valid_from &&
           day <= t->area[i].valid_to;
}

uint32_t puan_area_of_household(const struct puan_area_tree *t,
                                int64_t household)
{
    unsigned inner = t->n_levels - 1;

    if (household < 0)
        return PUAN_AREA_NONE;
    return find_padded(t,
                       household / t->household_base *
                           ten_to(PUAN_AREA_DIGITS - t->level[inner].digits),
                       inner);
}

int64_t puan_area_household(const struct puan_area_tree *t, uint32_t i,
                            int64_t number)
{
    if (i >= t->n || t->area[i].level != t->n_levels - 1 || number < 0 ||
        number >= t->household_base)
        return -1;
    return t->area[i].code * t->household_base + number;
}
