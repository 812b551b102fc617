/*
 * puan sample estimate: totals, means, ratios and shares from a sample, with
 * the standard errors of its design; puan sample allocate: numbers to take.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "core/sample/allocate.h"
#include "core/sample/estimate.h"
#include "features/sample/columns.h"
#include "features/sample/design.h"
#include "features/sample/register.h"
#include "features/sample/sample.h"
#include "kit/os/heap.h"

#define MANY 32
#define COLUMNS 128u

enum kind { TOTAL, MEAN, RATIO, SHARE };
static const char *const kinds[] = { "total", "mean", "ratio", "share" };

struct wanted {
    enum kind kind;
    const char *text;
    size_t y, x; /* columns */
};

struct options {
    const char *path[MANY], *weight, *strata, *cluster, *units, *second, *p,
        *by, *where;
    size_t n_paths;
    struct wanted want[MANY];
    size_t n_want;
    enum puan_drawn drawn;
    enum puan_lonely lonely;
    double level;
    bool json, csv, quiet;
};

/* Columns by name, each once. */
#define NONE PUAN_NO_COLUMN
struct work {
    struct options *o;
    struct puan_arena *a;
    struct puan_column col[COLUMNS];
    size_t n_cols, by;
    struct puan_design_columns where;
    uint32_t rows;
    struct puan_laid_out lay;
    bool text_began;
    struct puan_out out;
    struct puan_jw json;
};

static size_t column(struct work *w, struct puan_str name, bool number)
{
    for (size_t i = 0; i < w->n_cols; i++)
        if (puan_str_eq(w->col[i].name, name) && w->col[i].number == number)
            return i;
    if (w->n_cols == COLUMNS)
        return NONE;
    w->col[w->n_cols] = (struct puan_column){ .name = name, .number = number };
    return w->n_cols++;
}

static size_t maybe(struct work *w, const char *name, bool number)
{
    return name ? column(w, puan_str_of(name), number) : NONE;
}

/* ---- reading
 * ------------------------------------------------------------------- */

static enum puan_status ask(struct work *w, struct puan_err *err)
{
    struct options *o = w->o;

    w->where.weight = maybe(w, o->weight, true);
    w->where.strata = maybe(w, o->strata, false);
    w->where.cluster = maybe(w, o->cluster, false);
    w->where.units = maybe(w, o->units, true);
    w->where.second = maybe(w, o->second, true);
    w->where.p = maybe(w, o->p, true);
    w->by = maybe(w, o->by, false);
    for (size_t i = 0; i < o->n_want; i++) {
        struct wanted *x = &o->want[i];
        struct puan_str rest = puan_str_of(x->text), y;

        if (!puan_str_split(&y, &rest, '/'))
            return puan_fail(err, PUAN_EINVAL, "--ratio", "no item is named");
        if ((x->kind == RATIO) != (rest.p != NULL))
            return puan_fail(err, PUAN_EINVAL, kinds[x->kind],
                             "\"%s\": a ratio is ITEM/ITEM, the others are one "
                             "item",
                             x->text);
        x->y = column(w, y, x->kind != SHARE);
        x->x = rest.p ? column(w, rest, true) : NONE;
    }
    return puan_columns_load(w->col, w->n_cols, &w->rows, o->path, o->n_paths,
                             w->a, err);
}

/* ---- writing
 * ------------------------------------------------------------------- */

static const char *unstar(char text[40], double v)
{
    snprintf(text, 40, "%.10g", v);
    return text;
}

static void write(struct work *w, const struct wanted *x, struct puan_str what,
                  struct puan_str by, const struct puan_estimate *e)
{
    const struct options *o = w->o;
    const struct {
        const char *key;
        double v;
    } part[] = { { "value", e->value }, { "se", e->se },        { "cv", e->cv },
                 { "low", e->low },     { "high", e->high },    { "df", e->df },
                 { "deff", e->deff },   { "weight", e->weight } };
    char text[40];

    if (o->json) {
        puan_jw_map(&w->json);
        puan_jw_ktext(&w->json, "kind", kinds[x->kind]);
        puan_jw_kstr(&w->json, "item", what);
        if (o->by)
            puan_jw_kstr(&w->json, "by", by);
        puan_jw_kint(&w->json, "n", e->n);
        for (size_t i = 0; i < PUAN_COUNT(part); i++) {
            puan_jw_key(&w->json, part[i].key);
            if (e->given && isfinite(part[i].v))
                puan_jw_raw(&w->json, puan_str_of(unstar(text, part[i].v)));
            else
                puan_jw_null(&w->json);
        }
        puan_jw_end(&w->json, '}');
        return;
    }
    if (o->csv) {
        if (!w->text_began)
            printf("kind,item,by,n,value,se,cv,low,high,df,deff,weight\n");
        w->text_began = true;
        puan_arena_reset(w->out.arena);
        puan_out_init(&w->out, w->out.arena);
        puan_csv_put(&w->out, what);
        puan_out_char(&w->out, ',');
        puan_csv_put(&w->out, by);
        printf("%s,%.*s,%u", kinds[x->kind], PUAN_FMT(puan_out_view(&w->out)),
               e->n);
        for (size_t i = 0; i < PUAN_COUNT(part); i++)
            printf(",%s", e->given ? unstar(text, part[i].v) : "");
        printf("\n");
        return;
    }
    if (!w->text_began)
        printf("%-7s %-24s %-14s %8s %16s %14s %9s   %s\n", "", "", "", "n",
               "估计 value", "标准误 SE", "deff", "置信区间 limits");
    w->text_began = true;
    printf("%-7s %-24.*s %-14.*s %8u ", kinds[x->kind], PUAN_FMT(what),
           PUAN_FMT(by), e->n);
    if (!e->given)
        printf("%14s\n", "-");
    else
        printf("%14.9g %12.7g %9.3f   %.9g – %.9g\n", e->value, e->se, e->deff,
               e->low, e->high);
}

/* ---- estimating
 * ------------------------------------------------------------------ */

static enum puan_status one(struct work *w, const struct wanted *x,
                            struct puan_str what, uint32_t code,
                            uint32_t domain, struct puan_err *err)
{
    uint32_t n = w->lay.d.n_units;
    struct puan_arena scratch;
    struct puan_estimate e;
    struct puan_str by = domain == PUAN_NO_LABEL ? (struct puan_str){ "", 0 }
                                                 : w->col[w->by].text[domain];
    double *y, *z;
    bool *in;
    enum puan_status st;

    puan_arena_init(&scratch, &puan_heap);
    y = puan_new_n(&scratch, n ? n : 1, double);
    z = puan_new_n(&scratch, n ? n : 1, double);
    in = puan_new_n(&scratch, n ? n : 1, bool);
    st = puan_arena_check(&scratch, err);
    for (uint32_t i = 0; st == PUAN_OK && y && z && in && i < n; i++) {
        uint32_t r = w->lay.row[i];

        in[i] = domain == PUAN_NO_LABEL || w->col[w->by].label[r] == domain;
        z[i] = x->x == NONE ? 1 : w->col[x->x].value[r];
        if (x->kind == SHARE) {
            in[i] &= w->col[x->y].label[r] != PUAN_NO_LABEL;
            y[i] = w->col[x->y].label[r] == code;
        } else {
            y[i] = w->col[x->y].value[r];
        }
        /* who gave no answer is no part of the domain */
        if (isnan(y[i]) || isnan(z[i])) {
            in[i] = false;
            y[i] = z[i] = 0;
        }
    }
    if (st == PUAN_OK)
        st = x->kind == TOTAL
                 ? puan_estimate_total(&e, &w->lay.d, y, in, w->o->level,
                                       &scratch, err)
                 : puan_estimate_ratio(&e, &w->lay.d, y,
                                       x->kind == RATIO ? z : NULL, in,
                                       w->o->level, &scratch, err);
    if (st == PUAN_OK)
        write(w, x, what, by, &e);
    puan_arena_clear(&scratch);
    return st;
}

static enum puan_status each_domain(struct work *w, const struct wanted *x,
                                    struct puan_str what, uint32_t code,
                                    struct puan_err *err)
{
    enum puan_status st = one(w, x, what, code, PUAN_NO_LABEL, err);

    for (uint32_t k = 0;
         st == PUAN_OK && w->by != NONE && k < w->col[w->by].n_text; k++)
        st = one(w, x, what, code, k, err);
    return st;
}

static enum puan_status estimate(struct work *w, struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; st == PUAN_OK && i < w->o->n_want; i++) {
        const struct wanted *x = &w->o->want[i];

        if (x->kind != SHARE) {
            st = each_domain(w, x, puan_str_of(x->text), 0, err);
            continue;
        }
        for (uint32_t k = 0; st == PUAN_OK && k < w->col[x->y].n_text; k++) {
            struct puan_str code = w->col[x->y].text[k];

            st = each_domain(w, x,
                             puan_str_of(puan_arena_fmt(
                                 w->a, "%s=%.*s", x->text, PUAN_FMT(code))),
                             k, err);
        }
    }
    return st;
}

/* ---- options
 * -------------------------------------------------------------------- */

static const char *option(struct options *o, const char *a, const char *v)
{
    const struct {
        const char *name;
        const char **to;
    } texts[] = { { "--weight", &o->weight },
                  { "--strata", &o->strata },
                  { "--cluster", &o->cluster },
                  { "--stratum-units", &o->units },
                  { "--second-units", &o->second },
                  { "--p", &o->p },
                  { "--by", &o->by } };

    for (size_t i = 0; i < PUAN_COUNT(texts); i++)
        if (strcmp(a, texts[i].name) == 0) {
            *texts[i].to = v;
            return NULL;
        }
    for (unsigned k = 0; k < PUAN_COUNT(kinds); k++)
        if (strncmp(a, "--", 2) == 0 && strcmp(a + 2, kinds[k]) == 0) {
            if (o->n_want == MANY)
                return "too many estimates";
            o->want[o->n_want++] = (struct wanted){ (enum kind)k, v, 0, 0 };
            return NULL;
        }
    if (strcmp(a, "--drawn") == 0) {
        if (strcmp(v, "simple") == 0)
            o->drawn = PUAN_DRAWN_SIMPLE;
        else if (strcmp(v, "systematic") == 0)
            o->drawn = PUAN_DRAWN_SYSTEMATIC;
        else if (strcmp(v, "pps") == 0)
            o->drawn = PUAN_DRAWN_UNEQUAL;
        else
            return "simple, systematic or pps";
    } else if (strcmp(a, "--lonely") == 0) {
        if (strcmp(v, "fail") == 0)
            o->lonely = PUAN_LONELY_FAIL;
        else if (strcmp(v, "certainty") == 0)
            o->lonely = PUAN_LONELY_CERTAINTY;
        else if (strcmp(v, "centre") == 0)
            o->lonely = PUAN_LONELY_CENTRE;
        else if (strcmp(v, "average") == 0)
            o->lonely = PUAN_LONELY_AVERAGE;
        else
            return "fail, certainty, centre or average";
    } else if (strcmp(a, "--level") == 0) {
        int64_t n;

        if (!puan_fixed_parse(&n, puan_str_of(v), 6) || n < 500000 ||
            n > 999999)
            return "a level of confidence such as 0.95";
        o->level = (double)n / 1e6;
    } else {
        return "unknown option";
    }
    return NULL;
}

/* NULL, or what is wrong with *at. */
static const char *parse(struct options *o, const char **at, int argc,
                         char **argv)
{
    const char *bad = NULL;

    *o = (struct options){ .level = 0.95 };
    for (int i = 1; i < argc && !bad; i++) {
        *at = argv[i];
        if (strncmp(*at, "--", 2) != 0) {
            if (o->n_paths == MANY)
                bad = "too many files";
            else
                o->path[o->n_paths++] = *at;
        } else if (strcmp(*at, "--json") == 0) {
            o->json = true;
        } else if (strcmp(*at, "--csv") == 0) {
            o->csv = true;
        } else if (i + 1 == argc) {
            bad = "needs a value or is unknown";
        } else {
            bad = option(o, *at, argv[++i]);
        }
    }
    if (bad)
        return bad;
    *at = "sample estimate";
    if (o->n_paths == 0)
        return "a file is needed";
    if (o->n_want == 0)
        return "one of --total, --mean, --ratio, --share is needed";
    if (o->drawn == PUAN_DRAWN_UNEQUAL && !o->p)
        return "--drawn pps needs --p, the probabilities of the primary units";
    return NULL;
}

static enum puan_status run(struct work *w, struct puan_err *err)
{
    enum puan_status st = ask(w, err);

    if (st == PUAN_OK)
        st =
            puan_design_lay_out(&w->lay, w->col, &w->where, w->rows, w->a, err);
    w->lay.d.drawn = w->o->drawn;
    w->lay.d.lonely = w->o->lonely;
    if (st != PUAN_OK)
        return st;
    if (w->o->json) {
        puan_jw_map(&w->json);
        puan_jw_kint(&w->json, "units", w->lay.d.n_units);
        puan_jw_kint(&w->json, "primary", w->lay.d.n_primary);
        puan_jw_kint(&w->json, "strata", w->lay.d.n_strata);
        puan_jw_key(&w->json, "estimates");
        puan_jw_list(&w->json);
    }
    st = estimate(w, err);
    if (w->o->json) {
        puan_jw_end(&w->json, ']');
        puan_jw_end(&w->json, '}');
    }
    return st;
}

enum puan_status puan_estimate_json(struct puan_str *json, int argc,
                                    char **argv, struct puan_arena *a,
                                    struct puan_err *err)
{
    struct options o;
    struct work w = { .o = &o, .a = a };
    const char *at = "", *bad = parse(&o, &at, argc, argv);
    enum puan_status st;

    if (bad)
        return puan_fail(err, PUAN_EINVAL, at, "%s", bad);
    o.json = true;
    puan_out_init(&w.out, a);
    puan_jw_init(&w.json, &w.out);
    st = run(&w, err);
    *json = puan_out_view(&w.out);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

/* A campaign directory and the number of a draw: the observations loaded for
   it stand in the place of files, its design in that of options. */
static enum puan_status of_register(struct options *o,
                                    struct puan_observed *seen,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_store *store = NULL;
    struct puan_sample_row row;
    enum puan_status st =
        puan_register_open(&store, &row, o->path[0], o->path[1], a, err);

    if (st == PUAN_OK)
        st = puan_register_observed(seen, store, &row, a, err);
    puan_store_close(store);
    for (size_t i = 0; st == PUAN_OK && i + 1 < seen->n; i += 2)
        if (option(o, seen->option[i], seen->option[i + 1]))
            st = puan_fail(err, PUAN_EBUG, "design", "%s", seen->option[i]);
    o->path[0] = seen->file.path;
    o->n_paths = 1;
    if (st == PUAN_OK)
        fprintf(stderr, "抽中 drawn %llu, 有观测 observed %llu%s\n",
                (unsigned long long)seen->drawn,
                (unsigned long long)seen->units,
                seen->ultimate ? "；误差按初级单位计（视为放回抽样） errors by "
                                 "primary units, as if drawn with replacement"
                               : "");
    return st;
}

int puan_sample_estimate(int argc, char **argv)
{
    struct options o;
    struct puan_arena a, text;
    struct work w = { .o = &o, .a = &a };
    struct puan_observed seen = { .file = { .fd = -1 } };
    struct puan_err err = { 0 };
    const char *at = "", *bad = parse(&o, &at, argc, argv);
    enum puan_status st = PUAN_OK;

    if (!bad && puan_dir_exists(o.path[0]) && o.n_paths != 2)
        bad = "a campaign directory goes with the number of a draw";
    if (bad) {
        fprintf(stderr, "puan: %s: %s\n", at, bad);
        return PUAN_EXIT_USAGE;
    }
    puan_arena_init(&a, &puan_heap);
    puan_arena_init(&text, &puan_heap);
    puan_out_init(&w.out, &text);
    puan_jw_init(&w.json, &w.out);
    if (puan_dir_exists(o.path[0]))
        st = of_register(&o, &seen, &a, &err);
    if (st == PUAN_OK)
        st = run(&w, &err);
    if (st == PUAN_OK && w.lay.left_out)
        fprintf(stderr,
                "puan sample estimate: %u rows without weight, stratum or "
                "cluster are left out\n",
                w.lay.left_out);
    if (st == PUAN_OK && o.json) {
        st = puan_arena_check(&text, &err);
        printf("%.*s\n", PUAN_FMT(puan_out_view(&w.out)));
    }
    puan_observed_fail(&err, &seen);
    puan_observed_close(&seen);
    puan_arena_clear(&text);
    puan_arena_clear(&a);
    return st == PUAN_OK ? PUAN_EXIT_DONE : puan_sample_fail(&err);
}

/* ---- allocation
 * -------------------------------------------------------------------- */

struct wish {
    const char *path, *how, *take, *budget, *cv, *mean, *least;
};

static bool real(double *v, const char *s)
{
    char *end;

    *v = s ? strtod(s, &end) : 0;
    return !s || (*end == '\0' && isfinite(*v) && *v > 0);
}

static enum puan_status allocate(const struct wish *q, enum puan_allocation how,
                                 const double v[5], struct puan_arena *a,
                                 struct puan_err *err)
{
    struct puan_column col[4] = {
        { .name = PUAN_STR("stratum") },
        { .name = PUAN_STR("units"), .number = true },
        { .name = PUAN_STR("sd"), .number = true, .optional = true },
        { .name = PUAN_STR("cost"), .number = true, .optional = true }
    };
    struct puan_stratum_size *s;
    double *share, n = v[0];
    uint32_t rows = 0, *whole;
    enum puan_status st = puan_columns_load(col, 4, &rows, &q->path, 1, a, err);

    if (st != PUAN_OK)
        return st;
    s = puan_new_n(a, rows + 1, struct puan_stratum_size);
    share = puan_new_n(a, rows + 1, double);
    whole = puan_new_n(a, rows + 1, uint32_t);
    if (!s || !share || !whole)
        return puan_arena_check(a, err);
    for (uint32_t i = 0; i < rows; i++) {
        s[i] =
            (struct puan_stratum_size){ col[1].value[i],
                                        col[2].there ? col[2].value[i] : 1,
                                        col[3].there ? col[3].value[i] : 1, 0 };
        if (col[0].label[i] == PUAN_NO_LABEL || !(s[i].units >= 0) ||
            !(s[i].sd >= 0) || !(s[i].cost > 0) || s[i].units > UINT32_MAX)
            return puan_fail_at(err, PUAN_EINVAL, q->path, i + 2, 1,
                                "stratum, units, sd and cost are needed, not "
                                "below 0");
    }
    if (q->budget)
        n = puan_size_for_budget(s, rows, v[1]);
    if (q->cv)
        n = puan_size_for_variance(s, rows, v[2] * v[3] * v[2] * v[3]);
    if (!puan_allocate(share, s, rows, how, n))
        return puan_fail(err, PUAN_EINVAL, q->path,
                         "there is nothing to share");
    st = puan_allocate_whole(whole, share, s, rows, (uint32_t)ceil(n - 1e-9),
                             (uint32_t)v[4], a, err);
    if (st != PUAN_OK)
        return st;
    printf("stratum,units,share,take\n");
    for (uint32_t i = 0; i < rows; i++) {
        struct puan_out o;

        puan_out_init(&o, a);
        puan_csv_put(&o, col[0].text[col[0].label[i]]);
        printf("%.*s,%.0f,%.6f,%u\n", PUAN_FMT(puan_out_view(&o)), s[i].units,
               share[i], whole[i]);
        share[i] = whole[i];
    }
    fprintf(stderr, "估计均值的标准误 standard error of the mean: %.7g\n",
            puan_allocated_error(share, s, rows));
    return PUAN_OK;
}

int puan_sample_allocate(int argc, char **argv)
{
    static const char *const hows[] = { "proportional", "equal", "root",
                                        "neyman", "cost" };
    struct wish q = { .how = "neyman", .least = "1" };
    const struct {
        const char *name;
        const char **to;
    } option_of[] = { { "--how", &q.how },       { "--take", &q.take },
                      { "--budget", &q.budget }, { "--cv", &q.cv },
                      { "--mean", &q.mean },     { "--least", &q.least } };
    struct puan_err err = { 0 };
    struct puan_arena a;
    double v[5];
    unsigned how = 0;
    enum puan_status st;

    for (int i = 1; i < argc; i++) {
        size_t k = 0;

        while (k < PUAN_COUNT(option_of) &&
               strcmp(argv[i], option_of[k].name) != 0)
            k++;
        if (k < PUAN_COUNT(option_of) && i + 1 < argc)
            *option_of[k].to = argv[++i];
        else if (strncmp(argv[i], "--", 2) == 0 || q.path)
            return PUAN_EXIT_USAGE;
        else
            q.path = argv[i];
    }
    while (how < PUAN_COUNT(hows) && strcmp(q.how, hows[how]) != 0)
        how++;
    if (!q.path || how == PUAN_COUNT(hows) ||
        (q.take != NULL) + (q.budget != NULL) + (q.cv != NULL) != 1 ||
        (q.cv != NULL) != (q.mean != NULL) || !real(&v[0], q.take) ||
        !real(&v[1], q.budget) || !real(&v[2], q.cv) || !real(&v[3], q.mean) ||
        !real(&v[4], q.least))
        return PUAN_EXIT_USAGE;
    if (q.budget || q.cv)
        how = PUAN_ALLOCATE_COST;
    puan_arena_init(&a, &puan_heap);
    st = allocate(&q, (enum puan_allocation)how, v, &a, &err);
    puan_arena_clear(&a);
    return st == PUAN_OK ? PUAN_EXIT_DONE : puan_sample_fail(&err);
}
