/*
 * Scoring: planted things and detections meet in one table keyed by
 * (detector, household, line).  See score.h.
 */
#include "features/simulate/score.h"

#include "base/json.h"
#include "kit/sheet/sheet.h"

#include <stdlib.h>

/*
 * A planted thing may lie on several records (the two sides of a pair, the
 * two records of a double): it is one `thing`, found when any is named.
 */
struct spot {
    uint32_t detector;
    uint32_t line;
    int64_t household;
    uint64_t thing;
};

struct spots {
    struct spot *p;
    size_t n, cap;
};

struct names {
    struct puan_str *p;
    int64_t *planted, *found, *beside, *wrong;
    size_t n, cap;
};

static enum puan_status add_spot(struct spots *l, struct spot s,
                                 struct puan_err *err)
{
    if (l->n == l->cap) {
        size_t cap = l->cap > 0 ? l->cap * 2 : 1024;
        struct spot *p = realloc(l->p, cap * sizeof(*p));

        if (p == NULL)
            return puan_fail(err, PUAN_ENOMEM, "score", "out of memory");
        l->p = p;
        l->cap = cap;
    }
    l->p[l->n++] = s;
    return PUAN_OK;
}

static uint32_t name_of(struct names *t, struct puan_str name,
                        struct puan_arena *a)
{
    for (size_t i = 0; i < t->n; i++)
        if (puan_str_eq(t->p[i], name))
            return (uint32_t)i;
    if (t->n == t->cap) {
        size_t cap = t->cap > 0 ? t->cap * 2 : 64;
        struct puan_str *p = puan_new_n(a, cap, struct puan_str);

        if (p == NULL)
            return 0;
        if (t->n > 0)
            memcpy(p, t->p, t->n * sizeof(*p));
        t->p = p;
        t->cap = cap;
    }
    t->p[t->n] = (struct puan_str){ puan_arena_dup(a, name), name.n };
    return (uint32_t)t->n++;
}

static int by_spot(const void *x, const void *y)
{
    const struct spot *a = x, *b = y;

    if (a->detector != b->detector)
        return a->detector < b->detector ? -1 : 1;
    if (a->household != b->household)
        return a->household < b->household ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->thing < b->thing ? -1 : a->thing > b->thing;
}

static int by_thing(const void *x, const void *y)
{
    const struct spot *a = x, *b = y;

    if (a->detector != b->detector)
        return a->detector < b->detector ? -1 : 1;
    return a->thing < b->thing ? -1 : a->thing > b->thing;
}

/* A person row that may be one side of a living-apart pair. */
struct side {
    uint64_t person;
    int64_t household;
    uint32_t line;
};

static int by_person(const void *x, const void *y)
{
    const struct side *a = x, *b = y;

    if (a->person != b->person)
        return a->person < b->person ? -1 : 1;
    return a->household < b->household ? -1 : a->household > b->household;
}

struct reading {
    struct names names;
    struct spots planted, seen;
    struct side *side;
    size_t n_sides, cap_sides;
    struct spots doubles; /* `household` is the person doubled */
    int64_t *faulty; /* households with any fault */
    size_t n_faulty, cap_faulty;
    struct puan_arena *a;
    struct puan_err *err;
};

static int64_t number(struct puan_str s)
{
    int64_t v = 0;

    return puan_int_parse(&v, s) ? v : 0;
}

enum { T_ROW, T_HOUSEHOLD, T_LINE, T_PERSON, T_FAULT, T_DETECT, T_COLUMNS };

static enum puan_status plant(struct reading *r, struct puan_str detector,
                              int64_t household, int64_t line, uint64_t thing)
{
    return add_spot(&r->planted,
                    (struct spot){ name_of(&r->names, detector, r->a),
                                   (uint32_t)line, household, thing },
                    r->err);
}

static enum puan_status read_truth(struct reading *r, const char *path)
{
    static const char *const names[T_COLUMNS] = {
        "row", "household", "line", "person", "fault", "detectable"
    };
    struct puan_sheet *s;
    const struct puan_csv *c;
    enum puan_status st;
    bool more = false;
    int col[T_COLUMNS];

    if ((st = puan_sheet_open(&s, path, r->err)) != PUAN_OK)
        return st;
    for (int i = 0; i < T_COLUMNS && st == PUAN_OK; i++)
        st = puan_sheet_need(&col[i], s, names[i], r->err);
    c = puan_sheet_row(s);
    while (st == PUAN_OK && (st = puan_sheet_next(&more, s, r->err)) ==
                                PUAN_OK && more) {
        int64_t household = number(c->field[col[T_HOUSEHOLD]]);
        int64_t line = number(c->field[col[T_LINE]]);
        uint64_t thing = (uint64_t)number(c->field[col[T_FAULT]]);
        struct puan_str list = c->field[col[T_DETECT]], one;

        if (puan_str_is(c->field[col[T_ROW]], "person")) {
            if (r->n_sides == r->cap_sides) {
                size_t cap = r->cap_sides > 0 ? r->cap_sides * 2 : 4096;
                struct side *p = realloc(r->side, cap * sizeof(*p));

                if (p == NULL) {
                    st = puan_fail(r->err, PUAN_ENOMEM, "score",
                                   "out of memory");
                    break;
                }
                r->side = p;
                r->cap_sides = cap;
            }
            r->side[r->n_sides++] = (struct side){
                (uint64_t)number(c->field[col[T_PERSON]]), household,
                (uint32_t)line
            };
            continue;
        }
        if (!puan_str_is(c->field[col[T_ROW]], "fault"))
            continue;
        if (r->n_faulty == r->cap_faulty) {
            size_t cap = r->cap_faulty > 0 ? r->cap_faulty * 2 : 1024;
            int64_t *p = realloc(r->faulty, cap * sizeof(*p));

            if (p == NULL) {
                st = puan_fail(r->err, PUAN_ENOMEM, "score", "out of memory");
                break;
            }
            r->faulty = p;
            r->cap_faulty = cap;
        }
        r->faulty[r->n_faulty++] = household;
        while (st == PUAN_OK && puan_str_split(&one, &list, '+')) {
            if (one.n == 0 || puan_str_is(one, "none"))
                continue;
            st = plant(r, one, household, line, thing);
            if (st == PUAN_OK && c->field[col[T_PERSON]].n > 0)
                st = add_spot(&r->doubles,
                              (struct spot){
                                  name_of(&r->names, one, r->a), 0,
                                  number(c->field[col[T_PERSON]]), thing },
                              r->err);
        }
    }
    puan_sheet_close(s);
    return st;
}

/* Two records of one person are a pair. */
static enum puan_status pairs(struct reading *r)
{
    enum puan_status st = PUAN_OK;

    if (r->n_sides > 0)
        qsort(r->side, r->n_sides, sizeof(*r->side), by_person);
    for (size_t i = 1; i < r->n_sides && st == PUAN_OK; i++)
        if (r->side[i].person == r->side[i - 1].person)
            for (size_t k = i - 1; k <= i && st == PUAN_OK; k++)
                st = plant(r, PUAN_STR("pairs"), r->side[k].household,
                           r->side[k].line, r->side[i].person);
    return st;
}

static enum puan_status read_list(struct reading *r, const char *path)
{
    struct puan_sheet *s;
    const struct puan_csv *c;
    enum puan_status st;
    bool more = false;
    int detector = 0, household = 0, line;

    if ((st = puan_sheet_open(&s, path, r->err)) != PUAN_OK)
        return st;
    if ((st = puan_sheet_need(&detector, s, "detector", r->err)) == PUAN_OK)
        st = puan_sheet_need(&household, s, "household", r->err);
    line = puan_sheet_column(s, "line");
    c = puan_sheet_row(s);
    while (st == PUAN_OK && (st = puan_sheet_next(&more, s, r->err)) ==
                                PUAN_OK && more)
        st = add_spot(&r->seen,
                      (struct spot){
                          name_of(&r->names, c->field[detector], r->a),
                          line < 0 ? 0 : (uint32_t)number(c->field[line]),
                          number(c->field[household]), 0 },
                      r->err);
    puan_sheet_close(s);
    return st;
}

/* A double is found at any record of its person, in whatever area. */
static enum puan_status doubles(struct reading *r)
{
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; i < r->doubles.n && st == PUAN_OK; i++) {
        const struct spot *d = &r->doubles.p[i];
        size_t lo = 0, hi = r->n_sides;

        while (lo < hi) {
            size_t mid = lo + (hi - lo) / 2;

            if (r->side[mid].person < (uint64_t)d->household)
                lo = mid + 1;
            else
                hi = mid;
        }
        for (; lo < r->n_sides &&
               r->side[lo].person == (uint64_t)d->household && st == PUAN_OK;
             lo++)
            st = add_spot(&r->planted,
                          (struct spot){ d->detector, r->side[lo].line,
                                         r->side[lo].household, d->thing },
                          r->err);
    }
    return st;
}

/* First planted spot of that detector and household (and line), or NULL. */
static struct spot *find(const struct spots *l, const struct spot *s)
{
    size_t lo = 0, hi = l->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (by_spot(&l->p[mid], s) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo < l->n && l->p[lo].detector == s->detector &&
        l->p[lo].household == s->household && l->p[lo].line == s->line)
        return &l->p[lo];
    return NULL;
}

static int by_number(const void *x, const void *y)
{
    const int64_t *a = x, *b = y;

    return *a < *b ? -1 : *a > *b;
}

static bool has_fault(const struct reading *r, int64_t household)
{
    return r->n_faulty > 0 && bsearch(&household, r->faulty, r->n_faulty,
                                      sizeof(*r->faulty), by_number) != NULL;
}

static enum puan_status compare(struct reading *r)
{
    struct names *t = &r->names;
    struct spots hit = { 0 };
    enum puan_status st = PUAN_OK;

    t->planted = puan_new_n(r->a, t->n + 1, int64_t);
    t->found = puan_new_n(r->a, t->n + 1, int64_t);
    t->beside = puan_new_n(r->a, t->n + 1, int64_t);
    t->wrong = puan_new_n(r->a, t->n + 1, int64_t);
    if (r->a->failed)
        return puan_arena_check(r->a, r->err);
    if (r->planted.n > 0)
        qsort(r->planted.p, r->planted.n, sizeof(struct spot), by_spot);
    if (r->n_faulty > 0)
        qsort(r->faulty, r->n_faulty, sizeof(*r->faulty), by_number);
    if (r->seen.n > 0)
        qsort(r->seen.p, r->seen.n, sizeof(struct spot), by_spot);
    for (size_t i = 0; i < r->seen.n && st == PUAN_OK; i++) {
        const struct spot *s = &r->seen.p[i];
        struct spot key = *s, *p;

        if (i > 0 && by_spot(s, s - 1) == 0)
            continue;
        p = find(&r->planted, &key);
        /*
         * A fault of one line breaks rules of the household, and a fault of
         * the household is told at a line: the household decides.
         */
        if (p == NULL) {
            struct spot low = { s->detector, 0, s->household, 0 };
            size_t lo = 0, hi = r->planted.n;

            while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;

                if (by_spot(&r->planted.p[mid], &low) < 0)
                    lo = mid + 1;
                else
                    hi = mid;
            }
            if (lo < r->planted.n &&
                r->planted.p[lo].detector == s->detector &&
                r->planted.p[lo].household == s->household &&
                !puan_str_is(t->p[s->detector], "pairs") &&
                !puan_str_is(t->p[s->detector], "duplicates"))
                p = &r->planted.p[lo];
        }
        if (p == NULL) {
            /* one wrong answer breaks more rules than the named one */
            if (has_fault(r, s->household))
                t->beside[s->detector]++;
            else
                t->wrong[s->detector]++;
            continue;
        }
        key = *p;
        st = add_spot(&hit, key, r->err);
    }
    if (st == PUAN_OK) {
        if (r->planted.n > 0)
            qsort(r->planted.p, r->planted.n, sizeof(struct spot), by_thing);
        if (hit.n > 0)
            qsort(hit.p, hit.n, sizeof(struct spot), by_thing);
        for (size_t i = 0; i < r->planted.n; i++)
            t->planted[r->planted.p[i].detector] +=
                i == 0 || by_thing(&r->planted.p[i], &r->planted.p[i - 1]) != 0;
        for (size_t i = 0; i < hit.n; i++)
            t->found[hit.p[i].detector] +=
                i == 0 || by_thing(&hit.p[i], &hit.p[i - 1]) != 0;
    }
    free(hit.p);
    return st;
}

static void print(struct puan_out *out, const struct names *t)
{
    struct puan_jw w;
    struct puan_str last = PUAN_STR("");

    puan_jw_init(&w, out);
    puan_jw_map(&w);
    for (size_t k = 0; k < t->n; k++) {
        size_t best = t->n;

        for (size_t i = 0; i < t->n; i++)
            if ((k == 0 || puan_str_cmp(t->p[i], last) > 0) &&
                (best == t->n || puan_str_cmp(t->p[i], t->p[best]) < 0))
                best = i;
        if (best == t->n)
            break;
        last = t->p[best];
        puan_jw_key_s(&w, last);
        puan_jw_map(&w);
        puan_jw_kint(&w, "planted", t->planted[best]);
        puan_jw_kint(&w, "found", t->found[best]);
        puan_jw_kint(&w, "false", t->wrong[best]);
        puan_jw_kint(&w, "beside", t->beside[best]);
        if (t->planted[best] > 0)
            puan_jw_kint(&w, "recall_ppm",
                         t->found[best] * 1000000 / t->planted[best]);
        if (t->found[best] + t->wrong[best] > 0)
            puan_jw_kint(&w, "precision_ppm",
                         t->found[best] * 1000000 /
                             (t->found[best] + t->wrong[best]));
        puan_jw_end(&w, '}');
    }
    puan_jw_end(&w, '}');
    puan_out_char(out, '\n');
}

enum puan_status sim_score(struct puan_out *out, const char *truth,
                           const char *const *lists, size_t n_lists,
                           struct puan_arena *a, struct puan_err *err)
{
    struct reading r = { .a = a, .err = err };
    enum puan_status st = read_truth(&r, truth);

    if (st == PUAN_OK)
        st = pairs(&r);
    if (st == PUAN_OK)
        st = doubles(&r);
    for (size_t i = 0; i < n_lists && st == PUAN_OK; i++)
        st = read_list(&r, lists[i]);
    if (st == PUAN_OK)
        st = compare(&r);
    if (st == PUAN_OK) {
        print(out, &r.names);
        st = puan_arena_check(a, err);
    }
    free(r.planted.p);
    free(r.seen.p);
    free(r.doubles.p);
    free(r.side);
    free(r.faulty);
    return st;
}
