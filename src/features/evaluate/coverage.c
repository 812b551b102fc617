/*
 * puan evaluate coverage: who the census missed, counted twice or wrongly, from
 * a post-enumeration survey matched to it; dual-system estimates with errors of
 * the survey's design.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "core/evaluate/dual.h"
#include "features/evaluate/evaluate.h"
#include "features/evaluate/pes.h"
#include "features/sample/design.h"
#include "kit/os/heap.h"

#define MANY 16

struct options {
    const char *path[MANY], *sample, *mover, *result, *weight, *strata,
        *cluster, *units, *second, *p, *by, *base, *census, *lists;
    size_t n_paths;
    enum puan_movers movers;
    enum puan_drawn drawn;
    enum puan_lonely lonely;
    double count, imputed, level;
    bool count_given, csv, json, zh;
};

enum column {
    SAMPLE,
    MOVER,
    RESULT,
    WEIGHT,
    STRATA,
    CLUSTER,
    UNITS,
    SECOND,
    P,
    BY,
    COLUMNS
};

struct domain {
    struct puan_str label;
    struct puan_coverage t; /* weighted */
    struct puan_dual dual;
    double census, imputed;
    bool counted;
    uint32_t persons, records, out; /* rows */
    double se, omission_se;
};

struct work {
    struct options *o;
    struct puan_arena a;
    struct puan_column col[COLUMNS];
    size_t at[COLUMNS]; /* where each stands in `col` */
    struct puan_laid_out lay;
    struct puan_coverage *unit; /* of each unit, unweighted */
    struct domain *d;
    size_t n_domains;   /* the whole first */
    double sum, sum_se; /* of the domains' estimates */
};

/* ---- reading
 * ------------------------------------------------------------------- */

/* 0 missed or wrong, 1 as it should be; what else is said by *kind. */
enum answer {
    PERSON_MATCHED,
    PERSON_MISSED,
    RECORD_CORRECT,
    RECORD_DUPLICATE,
    RECORD_WRONG
};

static const struct {
    const char *word, *digit;
    enum answer is;
} answers[] = { { "matched", "1", PERSON_MATCHED },
                { "missed", "0", PERSON_MISSED },
                { "correct", "1", RECORD_CORRECT },
                { "duplicate", "2", RECORD_DUPLICATE },
                { "erroneous", "0", RECORD_WRONG } };

static bool is_word(struct puan_str s, const char *word, const char *digit)
{
    return puan_str_is(s, word) || puan_str_is(s, digit);
}

static struct puan_str cell(const struct work *w, enum column c, uint32_t row)
{
    const struct puan_column *x = &w->col[w->at[c]];
    static const struct puan_str none = { "", 0 };

    if (w->at[c] == PUAN_NO_COLUMN || !x->there ||
        x->label[row] == PUAN_NO_LABEL)
        return none;
    return x->text[x->label[row]];
}

static enum puan_status person(struct puan_coverage *u, const struct work *w,
                               uint32_t row, struct puan_err *err)
{
    struct puan_str mover = cell(w, MOVER, row), result = cell(w, RESULT, row);
    bool in = is_word(mover, "in", "I"), out = is_word(mover, "out", "O");
    bool matched = is_word(result, answers[0].word, answers[0].digit);

    if (!in && !out && mover.n && !is_word(mover, "stayed", "N"))
        return puan_fail(err, PUAN_EINVAL, w->o->path[0],
                         "row %u: %s is stayed, out or in (or N O I), not "
                         "\"%.*s\"",
                         row + 2, w->o->mover, PUAN_FMT(mover));
    if (!matched && !is_word(result, answers[1].word, answers[1].digit) &&
        !(in && result.n == 0))
        return puan_fail(err, PUAN_EINVAL, w->o->path[0],
                         "row %u: %s of a person of the survey is matched or "
                         "missed (or 1 0), not \"%.*s\"",
                         row + 2, w->o->result, PUAN_FMT(result));
    *(in ? &u->in : out ? &u->out : &u->stayed) = 1;
    *(in    ? &u->in_matched
      : out ? &u->out_matched
            : &u->stayed_matched) = matched;
    return PUAN_OK;
}

static enum puan_status record(struct puan_coverage *u, const struct work *w,
                               uint32_t row, struct puan_err *err)
{
    struct puan_str result = cell(w, RESULT, row);

    u->records = 1;
    for (size_t i = 2; i < PUAN_COUNT(answers); i++)
        if (is_word(result, answers[i].word, answers[i].digit)) {
            u->correct = answers[i].is == RECORD_CORRECT;
            u->duplicate = answers[i].is == RECORD_DUPLICATE;
            u->erroneous = answers[i].is == RECORD_WRONG;
            return PUAN_OK;
        }
    return puan_fail(err, PUAN_EINVAL, w->o->path[0],
                     "row %u: %s of a census record is correct, duplicate or "
                     "erroneous (or 1 2 0), not \"%.*s\"",
                     row + 2, w->o->result, PUAN_FMT(result));
}

static void add(struct puan_coverage *t, const struct puan_coverage *u,
                double w)
{
    t->stayed += w * u->stayed;
    t->stayed_matched += w * u->stayed_matched;
    t->out += w * u->out;
    t->out_matched += w * u->out_matched;
    t->in += w * u->in;
    t->in_matched += w * u->in_matched;
    t->records += w * u->records;
    t->correct += w * u->correct;
    t->duplicate += w * u->duplicate;
    t->erroneous += w * u->erroneous;
}

static void tally(struct domain *d, const struct puan_coverage *u, double w)
{
    add(&d->t, u, w);
    d->persons += u->records > 0 ? 0 : 1;
    d->records += u->records > 0;
    d->out += u->out > 0;
}

static size_t domain_of(const struct work *w, uint32_t row)
{
    const struct puan_column *by;

    if (w->at[BY] == PUAN_NO_COLUMN)
        return 0;
    by = &w->col[w->at[BY]];
    return by->label[row] == PUAN_NO_LABEL ? 0 : by->label[row] + 1;
}

static enum puan_status records(struct work *w, struct puan_err *err)
{
    const struct puan_column *by =
        w->at[BY] == PUAN_NO_COLUMN ? NULL : &w->col[w->at[BY]];
    enum puan_status st = PUAN_OK;

    w->n_domains = 1 + (by ? by->n_text : 0);
    w->d = puan_new_n(&w->a, w->n_domains, struct domain);
    w->unit = puan_new_n(&w->a, w->lay.d.n_units, struct puan_coverage);
    if (!w->d || !w->unit)
        return puan_arena_check(&w->a, err);
    for (size_t i = 1; by && i < w->n_domains; i++)
        w->d[i].label = by->text[i - 1];
    for (uint32_t i = 0; st == PUAN_OK && i < w->lay.d.n_units; i++) {
        uint32_t row = w->lay.row[i];
        struct puan_str kind = cell(w, SAMPLE, row);
        size_t d = domain_of(w, row);

        if (is_word(kind, "P", "p") || kind.n == 0)
            st = person(&w->unit[i], w, row, err);
        else if (is_word(kind, "E", "e"))
            st = record(&w->unit[i], w, row, err);
        else
            st = puan_fail(err, PUAN_EINVAL, w->o->path[0],
                           "row %u: %s is P (a person of the survey) or E (a "
                           "record of the census), not \"%.*s\"",
                           row + 2, w->o->sample, PUAN_FMT(kind));
        tally(&w->d[0], &w->unit[i], w->lay.d.weight[i]);
        if (d > 0)
            tally(&w->d[d], &w->unit[i], w->lay.d.weight[i]);
    }
    return st;
}

/* The census's own counts, by domain. */
static enum puan_status counts(struct work *w, struct puan_err *err)
{
    struct puan_column col[3] = {
        { .name = puan_str_of(w->o->by) },
        { .name = PUAN_STR("persons"), .number = true },
        { .name = PUAN_STR("imputed"), .number = true, .optional = true }
    };
    uint32_t rows = 0;
    size_t n = w->o->by ? 0 : 1;
    enum puan_status st =
        puan_columns_load(col + n, 3 - n, &rows, &w->o->census, 1, &w->a, err);

    for (uint32_t i = 0; st == PUAN_OK && i < rows; i++) {
        double c = col[1].value[i];
        double im = col[2].there && col[2].value[i] > 0 ? col[2].value[i] : 0;
        size_t d = 0;

        if (!(c >= 0))
            return puan_fail_at(err, PUAN_EINVAL, w->o->census, i + 2, 1,
                                "no number of persons");
        w->d[0].census += c;
        w->d[0].imputed += im;
        w->d[0].counted = true;
        if (n == 1 || col[0].label[i] == PUAN_NO_LABEL)
            continue;
        for (d = 1; d < w->n_domains; d++)
            if (puan_str_eq(w->d[d].label, col[0].text[col[0].label[i]]))
                break;
        if (d == w->n_domains)
            return puan_fail_at(err, PUAN_EINVAL, w->o->census, i + 2, 1,
                                "the survey has nobody of \"%.*s\"; join it to "
                                "another",
                                PUAN_FMT(col[0].text[col[0].label[i]]));
        w->d[d].census += c;
        w->d[d].imputed += im;
        w->d[d].counted = true;
    }
    return st;
}

static enum puan_status read(struct work *w, struct puan_err *err)
{
    const struct options *o = w->o;
    const struct {
        const char *name;
        bool number, optional;
    } want[COLUMNS] = {
        [SAMPLE] = { o->sample, false, true },
        [MOVER] = { o->mover, false, true },
        [RESULT] = { o->result, false, false },
        [WEIGHT] = { o->weight, true, false },
        [STRATA] = { o->strata, false, false },
        [CLUSTER] = { o->cluster, false, false },
        [UNITS] = { o->units, true, false },
        [SECOND] = { o->second, true, false },
        [P] = { o->p, true, false },
        [BY] = { o->by, false, false },
    };
    struct puan_design_columns where;
    uint32_t rows = 0;
    size_t n = 0;
    enum puan_status st;

    for (unsigned c = 0; c < COLUMNS; c++) {
        w->at[c] = PUAN_NO_COLUMN;
        if (!want[c].name)
            continue;
        w->col[n] = (struct puan_column){ .name = puan_str_of(want[c].name),
                                          .number = want[c].number,
                                          .optional = want[c].optional };
        w->at[c] = n++;
    }
    st = puan_columns_load(w->col, n, &rows, o->path, o->n_paths, &w->a, err);
    where = (struct puan_design_columns){ w->at[WEIGHT],  w->at[STRATA],
                                          w->at[CLUSTER], w->at[UNITS],
                                          w->at[SECOND],  w->at[P] };
    if (st == PUAN_OK)
        st = puan_design_lay_out(&w->lay, w->col, &where, rows, &w->a, err);
    w->lay.d.drawn = o->drawn;
    w->lay.d.lonely = o->lonely;
    if (st == PUAN_OK)
        st = records(w, err);
    if (st == PUAN_OK && o->census)
        st = counts(w, err);
    if (st == PUAN_OK && o->count_given) {
        w->d[0].census = o->count;
        w->d[0].imputed = o->imputed;
        w->d[0].counted = true;
    }
    return st;
}

/* ---- estimating
 * ------------------------------------------------------------------ */

static bool of_domain(const struct work *w, size_t d, uint32_t i)
{
    return d == 0 || domain_of(w, w->lay.row[i]) == d;
}

static enum puan_status estimate(struct work *w, struct puan_err *err)
{
    uint32_t n = w->lay.d.n_units;
    double *z = puan_new_n(&w->a, n, double), *all, v;
    double *rate = puan_new_n(&w->a, n, double);
    bool whole = w->n_domains > 1;
    enum puan_status st;

    all = puan_new_n(&w->a, n, double);
    st = puan_arena_check(&w->a, err);
    for (size_t d = 0; st == PUAN_OK && z && rate && all && d < w->n_domains;
         d++) {
        struct domain *x = &w->d[d];

        /* without a census count: rates only, of a hundred */
        x->dual = puan_dual(&x->t, x->counted ? x->census : 100,
                            x->counted ? x->imputed : 0, w->o->movers);
        if (!x->dual.given) {
            whole = false;
            continue;
        }
        for (uint32_t i = 0; i < n; i++) {
            bool in = of_domain(w, d, i);

            z[i] = in ? w->lay.d.weight[i] *
                            puan_dual_linear(&x->t, &w->unit[i], &x->dual,
                                             w->o->movers)
                      : 0;
            rate[i] = in ? w->lay.d.weight[i] *
                               puan_omission_linear(&x->t, &w->unit[i],
                                                    &x->dual, w->o->movers)
                         : 0;
            if (d > 0)
                all[i] += z[i];
        }
        st = puan_design_variance(&v, &w->lay.d, z, &w->a, err);
        x->se = sqrt(v);
        if (st == PUAN_OK)
            st = puan_design_variance(&v, &w->lay.d, rate, &w->a, err);
        x->omission_se = sqrt(v);
        if (d > 0) {
            w->sum += x->dual.estimate;
            whole &= x->counted;
        }
    }
    if (st == PUAN_OK && whole && all) {
        st = puan_design_variance(&v, &w->lay.d, all, &w->a, err);
        w->sum_se = sqrt(v);
    } else {
        w->sum = 0;
    }
    return st;
}

/* ---- telling
 * ----------------------------------------------------------------------- */

/* The standard error of 100 (1 - census / N). */
static double net_se(const struct domain *d)
{
    return 100 * d->census / (d->dual.estimate * d->dual.estimate) * d->se;
}

static void put_csv(const struct work *w)
{
    struct puan_arena a;

    printf("domain,persons,records,census,estimate,se,net,net_rate,net_rate_se,"
           "match_rate,omission_rate,omission_rate_se,correct_rate,"
           "duplicate_rate,erroneous_rate,gross_rate\n");
    puan_arena_init(&a, &puan_heap);
    for (size_t i = 0; i < w->n_domains; i++) {
        const struct domain *d = &w->d[i];
        const struct puan_dual *x = &d->dual;
        struct puan_out o;

        puan_arena_reset(&a);
        puan_out_init(&o, &a);
        puan_csv_put(&o, i ? d->label : PUAN_STR("all"));
        printf("%.*s,%u,%u", PUAN_FMT(puan_out_view(&o)), d->persons,
               d->records);
        if (!x->given) {
            printf(",,,,,,,,,,,,,\n");
            continue;
        }
        if (d->counted)
            printf(",%.0f,%.2f,%.2f,%.2f,%.5f,%.5f", d->census, x->estimate,
                   d->se, x->net, x->net_rate, net_se(d));
        else
            printf(",,,,,,");
        printf(",%.6f,%.5f,%.5f", x->match_rate, x->omission_rate,
               d->omission_se);
        if (d->records)
            printf(",%.6f,%.5f,%.5f", x->correct_rate, x->duplicate_rate,
                   x->erroneous_rate);
        else
            printf(",,,");
        printf(",%.5f\n", x->gross_rate);
    }
    puan_arena_clear(&a);
}

static enum puan_status put_json(struct puan_str *json, struct work *w,
                                 struct puan_err *err)
{
    struct puan_out o;
    struct puan_jw j;

    puan_out_init(&o, &w->a);
    puan_jw_init(&j, &o);
    puan_jw_map(&j);
    puan_jw_ktext(&j, "movers",
                  w->o->movers == PUAN_MOVERS_A   ? "A"
                  : w->o->movers == PUAN_MOVERS_B ? "B"
                                                  : "C");
    puan_jw_kint(&j, "clusters", w->lay.d.n_primary);
    puan_jw_kint(&j, "strata", w->lay.d.n_strata);
    if (w->sum > 0) {
        puan_jw_kreal(&j, "sum_of_domains", w->sum, 2);
        puan_jw_kreal(&j, "sum_of_domains_se", w->sum_se, 2);
    }
    puan_jw_key(&j, "domains");
    puan_jw_list(&j);
    for (size_t i = 0; i < w->n_domains; i++) {
        const struct domain *d = &w->d[i];
        const struct puan_dual *x = &d->dual;

        puan_jw_map(&j);
        puan_jw_kstr(&j, "domain", i ? d->label : PUAN_STR("all"));
        puan_jw_kint(&j, "persons", d->persons);
        puan_jw_kint(&j, "records", d->records);
        if (x->given && d->counted) {
            puan_jw_kreal(&j, "census", d->census, 0);
            puan_jw_kreal(&j, "estimate", x->estimate, 2);
            puan_jw_kreal(&j, "se", d->se, 2);
            puan_jw_kreal(&j, "net_rate", x->net_rate, 5);
            puan_jw_kreal(&j, "net_rate_se", net_se(d), 5);
        }
        if (x->given) {
            puan_jw_kreal(&j, "omission_rate", x->omission_rate, 5);
            puan_jw_kreal(&j, "omission_rate_se", d->omission_se, 5);
            puan_jw_kreal(&j, "gross_rate", x->gross_rate, 5);
        }
        if (x->given && d->records) {
            puan_jw_kreal(&j, "duplicate_rate", x->duplicate_rate, 5);
            puan_jw_kreal(&j, "erroneous_rate", x->erroneous_rate, 5);
        }
        puan_jw_end(&j, '}');
    }
    puan_jw_end(&j, ']');
    puan_jw_end(&j, '}');
    *json = puan_out_view(&o);
    return puan_arena_check(&w->a, err);
}

static void put_text(const struct work *w)
{
    bool zh = w->o->zh;

    printf(zh ? "整群 %u，层 %u；流动人口按程序 %c\n"
              : "clusters: %u, strata: %u; movers by procedure %c\n",
           w->lay.d.n_primary, w->lay.d.n_strata,
           w->o->movers == PUAN_MOVERS_A   ? 'A'
           : w->o->movers == PUAN_MOVERS_B ? 'B'
                                           : 'C');
    if (w->d[0].records == 0)
        puts(zh ? "没有普查记录样本（E）：假定普查记录全部正确"
                : "no sample of census records (E): all of them are taken as "
                  "correct");
    for (size_t i = 0; i < w->n_domains; i++) {
        const struct domain *d = &w->d[i];
        const struct puan_dual *x = &d->dual;

        printf("%.*s (P %u, E %u)", PUAN_FMT(i ? d->label : PUAN_STR("all")),
               d->persons, d->records);
        if (!x->given) {
            puts(zh ? "：无法估计" : ": cannot be estimated");
            continue;
        }
        if (w->o->movers == PUAN_MOVERS_C && d->t.in > 0 && d->out < 10)
            printf(zh ? "（迁出者仅 %u 人，匹配率不稳）"
                      : " (only %u out-movers: their match rate is unsure)",
                   d->out);
        printf(zh ? "\n  漏登率 %.4f %% ± %.4f" : "\n  omitted %.4f %% ± %.4f",
               x->omission_rate, 1.96 * d->omission_se);
        if (d->records)
            printf(zh ? "；重登 %.4f %%；误登 %.4f %%；总误差 %.4f %%"
                      : "; duplicated %.4f %%; erroneous %.4f %%; gross error "
                        "%.4f %%",
                   x->duplicate_rate, x->erroneous_rate, x->gross_rate);
        if (d->counted)
            printf(zh ? "\n  双系统估计 %.0f（标准误 %.0f），普查 %.0f，净漏登 "
                        "%.0f = "
                        "%.4f %% ± %.4f"
                      : "\n  dual-system estimate %.0f (SE %.0f), census %.0f, "
                        "net undercount %.0f = %.4f %% ± %.4f",
                   x->estimate, d->se, d->census, x->net, x->net_rate,
                   1.96 * net_se(d));
        printf("\n");
    }
    if (w->sum > 0)
        printf(zh ? "各域之和 %.0f（标准误 %.0f）\n"
                  : "sum of the domains %.0f (SE %.0f)\n",
               w->sum, w->sum_se);
    puts(zh ? "前提：两次登记独立；匹配无误；误登由 E 样本扣除"
            : "assumed: the two counts are independent, matches are right, "
              "wrong records are taken out by the E sample");
}

/* Two complete lists: --lists N1,N2,M */
static int two_lists(const struct options *o)
{
    struct puan_str part[3];
    struct puan_two_lists t;
    int64_t n[3];
    size_t k;

    if (!puan_names_split(part, &k, 3, o->lists) || k != 3 ||
        !puan_int_parse(&n[0], part[0]) || !puan_int_parse(&n[1], part[1]) ||
        !puan_int_parse(&n[2], part[2]) || n[0] < 0 || n[1] < 0 || n[2] < 0) {
        fprintf(stderr, "puan: --lists: three numbers, N1,N2,MATCHED\n");
        return PUAN_EXIT_USAGE;
    }
    t = puan_two_lists((double)n[0], (double)n[1], (double)n[2],
                       puan_normal_quantile((1 + o->level) / 2));
    if (!t.given) {
        fprintf(stderr, "puan: --lists: more matched than listed\n");
        return PUAN_EXIT_USAGE;
    }
    if (o->json)
        printf("{\"petersen\":%.4f,\"chapman\":%.4f,\"se\":%.4f,\"low\":%.4f,"
               "\"high\":%.4f}\n",
               t.petersen, t.chapman, t.se, t.low, t.high);
    else
        printf("Petersen %.4f\nChapman %.4f (SE %.4f), %g %%: %.4f – %.4f\n",
               t.petersen, t.chapman, t.se, 100 * o->level, t.low, t.high);
    return PUAN_EXIT_DONE;
}

/* ---- options
 * -------------------------------------------------------------------- */

static const char *option(struct options *o, const char *a, const char *v)
{
    const struct {
        const char *name;
        const char **to;
    } texts[] = { { "--sample", &o->sample },
                  { "--mover", &o->mover },
                  { "--result", &o->result },
                  { "--weight", &o->weight },
                  { "--strata", &o->strata },
                  { "--cluster", &o->cluster },
                  { "--stratum-units", &o->units },
                  { "--second-units", &o->second },
                  { "--p", &o->p },
                  { "--by", &o->by },
                  { "--base", &o->base },
                  { "--census", &o->census },
                  { "--lists", &o->lists } };
    char *end;

    for (size_t i = 0; i < PUAN_COUNT(texts); i++)
        if (strcmp(a, texts[i].name) == 0) {
            *texts[i].to = v;
            return NULL;
        }
    if (strcmp(a, "--movers") == 0) {
        if (strlen(v) != 1 || v[0] < 'A' || v[0] > 'C')
            return "A, B or C";
        o->movers = (enum puan_movers)(v[0] - 'A');
    } else if (strcmp(a, "--count") == 0 || strcmp(a, "--imputed") == 0) {
        double *to = a[2] == 'c' ? &o->count : &o->imputed;

        *to = strtod(v, &end);
        if (*end || !(*to >= 0))
            return "a number of persons";
        o->count_given |= a[2] == 'c';
    } else if (strcmp(a, "--drawn") == 0) {
        if (strcmp(v, "pps") == 0)
            o->drawn = PUAN_DRAWN_UNEQUAL;
        else if (strcmp(v, "systematic") == 0)
            o->drawn = PUAN_DRAWN_SYSTEMATIC;
        else if (strcmp(v, "simple") != 0)
            return "simple, systematic or pps";
    } else if (strcmp(a, "--lonely") == 0) {
        static const char *const ways[] = { "fail", "certainty", "centre",
                                            "average" };
        unsigned k = 0;

        while (k < 4 && strcmp(v, ways[k]) != 0)
            k++;
        if (k == 4)
            return "fail, certainty, centre or average";
        o->lonely = (enum puan_lonely)k;
    } else if (strcmp(a, "--level") == 0) {
        o->level = strtod(v, &end);
        if (*end || !(o->level >= 0.5) || !(o->level < 1))
            return "a level of confidence such as 0.95";
    } else if (strcmp(a, "--lang") == 0) {
        o->zh = strcmp(v, "zh") == 0;
        if (!o->zh && strcmp(v, "en") != 0)
            return "--lang is zh or en";
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

    *o = (struct options){ .sample = "sample",
                           .mover = "mover",
                           .result = "result",
                           .movers = PUAN_MOVERS_C,
                           .level = 0.95,
                           .zh = true };
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
    *at = "evaluate coverage";
    if (o->n_paths == 0 && !o->lists)
        return "a file is needed, or --lists";
    if (o->drawn == PUAN_DRAWN_UNEQUAL && !o->p)
        return "--drawn pps needs --p, the probabilities of the clusters";
    return NULL;
}

enum puan_status puan_coverage_json(struct puan_str *json, int argc,
                                    char **argv, struct puan_arena *a,
                                    struct puan_err *err)
{
    struct options o;
    struct work w = { .o = &o };
    const char *at = "", *bad = parse(&o, &at, argc, argv);
    enum puan_status st;

    if (bad)
        return puan_fail(err, PUAN_EINVAL, at, "%s", bad);
    puan_arena_init(&w.a, &puan_heap);
    st = read(&w, err);
    if (st == PUAN_OK)
        st = estimate(&w, err);
    if (st == PUAN_OK)
        st = put_json(json, &w, err);
    if (st == PUAN_OK)
        *json = puan_arena_keep(a, *json);
    puan_arena_clear(&w.a);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

/* A campaign directory and the number of a draw: what was loaded for it and
   the campaign's own counts stand in the place of files. */
static enum puan_status of_register(struct options *o, struct puan_pes *p,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_store *store = NULL;
    struct puan_sample_row row;
    enum puan_status st =
        puan_register_open(&store, &row, o->path[0], o->path[1], a, err);

    if (st == PUAN_OK)
        st = puan_pes_open(p, store, &row, puan_str_of(o->by),
                           puan_str_of(o->base), a, err);
    puan_store_close(store);
    if (st != PUAN_OK)
        return st;
    o->by = NULL;
    for (int i = 2; i + 1 < p->argc; i += 2) {
        if (o->census && (strcmp(p->argv[i], "--census") == 0 ||
                          strcmp(p->argv[i], "--count") == 0))
            continue; /* counts from elsewhere */
        if (option(o, p->argv[i], p->argv[i + 1]))
            return puan_fail(err, PUAN_EBUG, "design", "%s", p->argv[i]);
    }
    o->path[0] = p->seen.file.path;
    o->n_paths = 1;
    fprintf(stderr, "抽中 drawn %llu, 有结果 with results %llu%s\n",
            (unsigned long long)p->seen.drawn,
            (unsigned long long)p->seen.units,
            p->seen.ultimate ? "；误差按初级单位计（视为放回抽样） errors by "
                               "primary units, as if drawn with replacement"
                             : "");
    return PUAN_OK;
}

int puan_evaluate_coverage(int argc, char **argv)
{
    struct options o;
    struct work w = { .o = &o };
    struct puan_pes p = { .census = { .fd = -1 } };
    struct puan_err err = { 0 };
    struct puan_str json = { "", 0 };
    const char *at = "", *bad = parse(&o, &at, argc, argv);
    bool dir = !bad && o.n_paths > 0 && puan_dir_exists(o.path[0]);
    enum puan_status st = PUAN_OK;

    if (!bad && dir && o.n_paths != 2)
        bad = "a campaign directory goes with the number of a draw";
    if (!bad && !dir && o.base)
        bad = "--base is of a campaign directory";
    if (bad) {
        fprintf(stderr, "puan: %s: %s\n", at, bad);
        return PUAN_EXIT_USAGE;
    }
    if (o.lists)
        return two_lists(&o);
    p.seen.file.fd = -1;
    puan_arena_init(&w.a, &puan_heap);
    if (dir)
        st = of_register(&o, &p, &w.a, &err);
    if (st == PUAN_OK)
        st = read(&w, &err);
    if (st == PUAN_OK)
        st = estimate(&w, &err);
    if (st == PUAN_OK && w.lay.left_out)
        fprintf(stderr,
                "puan evaluate coverage: %u rows without weight, stratum or "
                "cluster are left out\n",
                w.lay.left_out);
    if (st == PUAN_OK && o.json) {
        st = put_json(&json, &w, &err);
        if (st == PUAN_OK)
            printf("%.*s\n", PUAN_FMT(json));
    } else if (st == PUAN_OK && o.csv) {
        put_csv(&w);
    } else if (st == PUAN_OK) {
        put_text(&w);
    }
    puan_observed_fail(&err, &p.seen);
    puan_pes_close(&p);
    puan_arena_clear(&w.a);
    return st == PUAN_OK ? PUAN_EXIT_DONE : puan_evaluate_fail(&err);
}
