/*
 * puan evaluate growth: a census held against an earlier one.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/evaluate/growth.h"
#include "features/evaluate/areas.h"
#include "features/evaluate/evaluate.h"
#include "features/sample/columns.h"
#include "kit/job/progress.h"
#include "kit/os/heap.h"
#include "kit/sheet/sheet.h"

struct options {
    struct puan_age_options data;
    const char *path[2], *deaths, *csv;
    size_t n_paths;
    double years, births, migration, low, high;
    bool births_given, json, quiet, zh;
    unsigned from, to; /* ages the growth balance is fitted over */
};

/* One area and sex of both censuses; the open group last. */
struct pair {
    double first[PUAN_FIVES + 1], second[PUAN_FIVES + 1],
        deaths[PUAN_FIVES + 1];
    double all[2], died;
    unsigned closed;
    bool open;
};

struct report {
    struct options *o;
    struct puan_age_data first, second, deaths;
    bool has_deaths;
    size_t outside; /* cohorts beyond the limits */
    struct puan_sheet_out *csv;
    struct puan_arena text;
};

enum { BOTH = 2 };
static const char *const sex_zh[] = { "男", "女", "合计" };
static const char *const sex_en[] = { "men", "women", "both" };

/* ---- options
 * ------------------------------------------------------------------- */

static bool real(double *v, const char *s)
{
    char *end;

    *v = strtod(s, &end);
    return end != s && *end == '\0' && isfinite(*v);
}

static bool range(double *low, double *high, const char *s)
{
    char *end;

    *low = strtod(s, &end);
    if (end == s || *end != '-')
        return false;
    s = end + 1;
    *high = strtod(s, &end);
    return end != s && *end == '\0' && *high > *low;
}

static const char *option(struct options *o, const char *a, const char *v)
{
    const struct {
        const char *name;
        const char **to;
    } texts[] = {
        { "--age", &o->data.age },     { "--sex", &o->data.sex },
        { "--male", &o->data.male },   { "--female", &o->data.female },
        { "--count", &o->data.count }, { "--wide", &o->data.wide },
        { "--where", &o->data.where }, { "--entity", &o->data.entity },
        { "--deaths", &o->deaths },    { "--csv", &o->csv }
    };
    double low, high;
    int64_t n;

    for (size_t i = 0; i < PUAN_COUNT(texts); i++)
        if (strcmp(a, texts[i].name) == 0) {
            *texts[i].to = v;
            return NULL;
        }
    if (strcmp(a, "--by") == 0) {
        if (o->data.n_by == PUAN_BY_MOST)
            return "at most eight --by";
        o->data.by[o->data.n_by++] = v;
    } else if (strcmp(a, "--years") == 0) {
        if (!real(&o->years, v) || o->years <= 0 || o->years > 100)
            return "years between the censuses, up to 100";
    } else if (strcmp(a, "--births") == 0) {
        if (!real(&o->births, v))
            return "a number";
        o->births_given = true;
    } else if (strcmp(a, "--migration") == 0) {
        if (!real(&o->migration, v))
            return "a number";
    } else if (strcmp(a, "--limits") == 0) {
        if (!range(&o->low, &o->high, v))
            return "two ratios are needed, as in 0.93-1.02";
    } else if (strcmp(a, "--fit-ages") == 0) {
        if (!range(&low, &high, v) || low < 5 || high > 100)
            return "two ages are needed, as in 5-75";
        o->from = (unsigned)low;
        o->to = (unsigned)high;
    } else if (strcmp(a, "--open") == 0) {
        if (!puan_int_parse(&n, puan_str_of(v)) || n < 0 || n >= PUAN_AGES)
            return "--open is an age up to 120";
        o->data.open = (int)n;
    } else if (strcmp(a, "--lang") == 0) {
        o->zh = strcmp(v, "zh") == 0;
        if (!o->zh && strcmp(v, "en") != 0)
            return "--lang is zh or en";
    } else {
        return "unknown option";
    }
    return NULL;
}

static bool parse(struct options *o, int argc, char **argv)
{
    const char *bad = NULL, *at = "evaluate growth";

    *o = (struct options){ .data = { .age = "age",
                                     .sex = "sex",
                                     .male = "1",
                                     .female = "2",
                                     .open = -1 },
                           .from = 5,
                           .to = 75,
                           .zh = true };
    for (int i = 1; i < argc && !bad; i++) {
        at = argv[i];
        if (strncmp(at, "--", 2) != 0) {
            if (o->n_paths == 2)
                bad = "two files: the earlier and the later census";
            else
                o->path[o->n_paths++] = at;
        } else if (strcmp(at, "--five") == 0) {
            o->data.five = true;
        } else if (strcmp(at, "--json") == 0) {
            o->json = true;
        } else if (strcmp(at, "--quiet") == 0) {
            o->quiet = true;
        } else if (i + 1 == argc) {
            bad = "needs a value or is unknown";
        } else {
            bad = option(o, at, argv[++i]);
        }
    }
    if (!bad && o->n_paths != 2)
        bad = "two files: the earlier and the later census";
    if (!bad && !(o->years > 0))
        bad = "--years between them is needed";
    o->data.quiet = o->quiet || o->json;
    if (!bad)
        return true;
    fprintf(stderr, "puan: %s: %s\n", at, bad);
    return false;
}

/* ---- the censuses side by side
 * ---------------------------------------------------- */

static double five(const struct puan_age_area *a, int sex, unsigned x)
{
    return sex == BOTH ? a->five[0][x] + a->five[1][x] : a->five[sex][x];
}

static double both(const double v[2], int sex)
{
    return sex == BOTH ? v[0] + v[1] : v[sex];
}

/* Everything above the lower of the closed ages becomes the open group. */
static void fill(double *out, unsigned closed, const struct puan_age_area *a,
                 int sex)
{
    for (unsigned x = 0; x < closed; x++)
        out[x] = five(a, sex, x);
    out[closed] = both(a->open, sex);
    for (unsigned x = closed; x < PUAN_FIVES; x++)
        out[closed] += five(a, sex, x);
}

static struct pair pair_of(const struct report *r,
                           const struct puan_age_area *a,
                           const struct puan_age_area *b,
                           const struct puan_age_area *d, int sex)
{
    struct pair p = { .closed = r->first.closed_five };

    if (r->second.closed_five < p.closed)
        p.closed = r->second.closed_five;
    if (d && r->deaths.closed_five < p.closed)
        p.closed = r->deaths.closed_five;
    fill(p.first, p.closed, a, sex);
    fill(p.second, p.closed, b, sex);
    if (d) {
        fill(p.deaths, p.closed, d, sex);
        p.died = both(d->all, sex);
    }
    p.all[0] = both(a->all, sex);
    p.all[1] = both(b->all, sex);
    p.open = p.first[p.closed] > 0;
    return p;
}

/* Steps of five years between the censuses; 0: not whole. */
static unsigned steps_of(const struct options *o)
{
    double s = o->years / 5;

    return fabs(s - rint(s)) < 0.01 && rint(s) >= 1 ? (unsigned)rint(s) : 0;
}

static const struct puan_age_area *find(const struct puan_age_data *d,
                                        const struct puan_age_area *like)
{
    size_t low = 0, high = d->n;

    if (like->by == 0)
        return &d->area[0];
    /* areas stand by grouping, then by label */
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct puan_age_area *m = &d->area[mid];
        int c = m->by < like->by   ? -1
                : m->by > like->by ? 1
                                   : puan_label_cmp(m->label, like->label);

        if (c == 0)
            return m;
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

static int by_place(const void *a, const void *b)
{
    const struct puan_age_area *x = a, *y = b;

    if (x->by != y->by)
        return x->by < y->by ? -1 : 1;
    return puan_label_cmp(x->label, y->label);
}

/* ---- telling
 * ----------------------------------------------------------------------- */

static void csv_row(struct report *r, const struct puan_age_area *a, int sex,
                    const char *what, int age, double v)
{
    struct puan_out o;

    if (!r->csv)
        return;
    puan_arena_reset(&r->text);
    puan_out_init(&o, &r->text);
    puan_csv_put(&o, r->first.by[a->by]);
    puan_out_char(&o, ',');
    puan_csv_put(&o, a->label);
    puan_out_char(&o, ',');
    puan_out_text(&o, sex_en[sex]);
    puan_out_char(&o, ',');
    puan_out_text(&o, what);
    puan_out_char(&o, ',');
    if (age >= 0)
        puan_out_int(&o, age);
    puan_out_char(&o, ',');
    puan_put_real(&o, v, 6);
    puan_out_char(&o, '\n');
    puan_sheet_put_raw(r->csv, puan_out_view(&o));
}

/* The cohort's ratio is judged at ages 10-49 of the later census, where few
   die and what is far from 1 is migration or error. */
static bool judged(const struct options *o, unsigned group, unsigned steps)
{
    return o->high > 0 && 5 * (group + steps) >= 10 && 5 * (group + steps) < 50;
}

static void one_sex(struct report *r, const struct puan_age_area *a,
                    const struct pair *p, int sex, bool print)
{
    const struct options *o = r->o;
    unsigned steps = steps_of(o);
    double ratio[PUAN_FIVES] = { 0 };
    double yearly = puan_growth_yearly(p->all[0], p->all[1], o->years);

    csv_row(r, a, sex, "earlier", -1, p->all[0]);
    csv_row(r, a, sex, "later", -1, p->all[1]);
    csv_row(r, a, sex, "growth_yearly_percent", -1, yearly);
    if (print)
        printf(o->zh ? "%s：%.0f → %.0f，年均增长 %.2f %%\n"
                     : "%s: %.0f -> %.0f, growth %.2f %% a year\n",
               o->zh ? sex_zh[sex] : sex_en[sex], p->all[0], p->all[1], yearly);
    if (steps && p->closed > steps) {
        puan_cohort_ratios(ratio, p->first, p->second, p->closed, steps);
        if (print)
            printf(o->zh ? "  队列存活比（起始年龄 → 比）:"
                         : "  cohort ratios (age then: later/earlier):");
        for (unsigned x = 0; x + steps < p->closed; x++) {
            bool out = judged(o, x, steps) && p->first[x] > 0 &&
                       (ratio[x] < o->low || ratio[x] > o->high);

            r->outside += out;
            csv_row(r, a, sex, out ? "cohort_ratio_outside" : "cohort_ratio",
                    (int)(5 * x), ratio[x]);
            if (print)
                printf("%s%u–%u %.4f%s", x % 6 ? "; " : "\n    ", 5 * x,
                       5 * x + 4, ratio[x], out ? " !" : "");
        }
        if (print)
            printf("\n");
    }
    if (r->has_deaths) {
        unsigned to = o->to / 5 < p->closed ? o->to / 5 : p->closed - 1;
        struct puan_growth_balance g =
            puan_growth_balance(p->first, p->second, p->deaths, NULL,
                                p->closed + 1, o->years, o->from / 5, to);

        if (!g.given)
            return;
        csv_row(r, a, sex, "coverage_earlier_to_later", -1, g.relative);
        csv_row(r, a, sex, "deaths_registered", -1, g.deaths);
        csv_row(r, a, sex, "growth_balance_r2", -1, g.r2);
        if (print)
            printf(
                o->zh
                    ? "  增长平衡法（%u–%u岁）：前次对本次的覆盖比 %.4f，死亡登"
                      "记完整率 %.4f，r² %.4f\n"
                    : "  growth balance (ages %u-%u): coverage earlier/later "
                      "%.4f, deaths registered %.4f, r2 %.4f\n",
                5 * g.from, 5 * g.to, g.relative, g.deaths, g.r2);
    }
}

static void one_area(struct report *r, const struct puan_age_area *a,
                     const struct puan_age_area *b, bool print)
{
    const struct puan_age_area *d = r->has_deaths ? find(&r->deaths, a) : NULL;

    for (int sex = 0; sex <= BOTH; sex++) {
        struct pair p = pair_of(r, a, b, d, sex);

        if (p.all[0] + p.all[1] > 0)
            one_sex(r, a, &p, sex, print);
        if (sex == BOTH && r->o->births_given && a->by == 0) {
            struct puan_balance x = puan_balance_of(
                p.all[0], p.all[1], r->o->births, p.died, r->o->migration);

            csv_row(r, a, sex, "closure_error", -1, x.residual);
            if (print)
                printf(r->o->zh ? "平衡方程：应有 %.0f，误差 %.0f（%.3f %%）\n"
                                : "balancing equation: expected %.0f, error of "
                                  "closure %.0f (%.3f %%)\n",
                       x.expected, x.residual, x.percent);
        }
    }
}

static enum puan_status load(struct puan_age_data *out, const struct options *o,
                             const char *path, struct puan_err *err)
{
    struct puan_age_options d = o->data;
    enum puan_status st;

    d.path = &path;
    d.n_paths = 1;
    st = puan_age_data_load(out, &d, err);
    if (st == PUAN_OK && out->n > 1)
        qsort(out->area + 1, out->n - 1, sizeof(*out->area), by_place);
    return st;
}

static enum puan_status work(struct report *r, struct puan_err *err)
{
    const struct options *o = r->o;
    bool tell = !o->json && (!o->quiet || !o->csv);
    size_t only[2] = { 0, 0 };
    enum puan_status st = load(&r->first, o, o->path[0], err);

    if (st == PUAN_OK)
        st = load(&r->second, o, o->path[1], err);
    if (st == PUAN_OK && o->deaths) {
        r->has_deaths = true;
        st = load(&r->deaths, o, o->deaths, err);
    }
    if (st == PUAN_OK && o->csv)
        st = puan_sheet_create(&r->csv, o->csv, err);
    if (st != PUAN_OK)
        return st;
    if (r->csv)
        puan_sheet_put_raw(r->csv, PUAN_STR("by,area,sex,what,age,value\n"));
    one_area(r, &r->first.area[0], &r->second.area[0], tell);
    for (size_t i = 1; i < r->second.n; i++) {
        const struct puan_age_area *a = find(&r->first, &r->second.area[i]);

        if (a)
            one_area(r, a, &r->second.area[i], false);
        only[1] += !a;
    }
    for (size_t i = 1; i < r->first.n; i++)
        only[0] += !find(&r->second, &r->first.area[i]);
    if (only[0] + only[1] > 0)
        fprintf(stderr,
                "puan evaluate growth: areas in the earlier census only: %zu, "
                "in the later only: %zu; they are not compared\n",
                only[0], only[1]);
    if (o->json)
        printf("{\"outside\":%zu,\"areas\":%zu}\n", r->outside,
               r->second.n - 1 - only[1]);
    else if (tell && o->high > 0)
        printf(o->zh ? "超出界限的队列：%zu\n"
                     : "cohorts beyond the limits: %zu\n",
               r->outside);
    if (r->csv) {
        st = puan_sheet_finish(r->csv, err);
        r->csv = NULL;
    }
    return st;
}

int puan_evaluate_growth(int argc, char **argv)
{
    struct options o;
    struct report r = { .o = &o };
    struct puan_err err = { 0 };
    enum puan_status st;

    if (!parse(&o, argc, argv))
        return PUAN_EXIT_USAGE;
    puan_progress_quiet(o.quiet || o.json);
    puan_arena_init(&r.text, &puan_heap);
    puan_arena_init(&r.first.arena, &puan_heap);
    puan_arena_init(&r.second.arena, &puan_heap);
    puan_arena_init(&r.deaths.arena, &puan_heap);
    st = work(&r, &err);
    puan_sheet_abandon(r.csv);
    puan_age_data_clear(&r.first);
    puan_age_data_clear(&r.second);
    puan_age_data_clear(&r.deaths);
    puan_arena_clear(&r.text);
    if (st != PUAN_OK)
        return puan_evaluate_fail(&err);
    return r.outside ? PUAN_EXIT_FINDINGS : PUAN_EXIT_DONE;
}
