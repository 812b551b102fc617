/* The design of a sample out of its columns. */
#include "features/sample/design.h"

#include <math.h>
#include <string.h>

struct work {
    const struct puan_column *col;
    const struct puan_design_columns *where;
    uint32_t rows;
    struct puan_laid_out *out;
};

static uint32_t label(const struct work *w, size_t c, uint32_t row)
{
    return c == PUAN_NO_COLUMN ? 0 : w->col[c].label[row];
}

static double value(const struct work *w, size_t c, uint32_t row, double dflt)
{
    return c == PUAN_NO_COLUMN ? dflt : w->col[c].value[row];
}

/* Stable: `to` has the rows of `from` in the order of a column's labels. */
static void sort(const struct work *w, uint32_t *to, const uint32_t *from,
                 uint32_t n, size_t c, uint32_t *count, uint32_t labels)
{
    memset(count, 0, ((size_t)labels + 2) * sizeof(*count));
    for (uint32_t i = 0; i < n; i++)
        count[label(w, c, from[i]) + 1]++;
    for (uint32_t k = 1; k <= labels; k++)
        count[k] += count[k - 1];
    for (uint32_t i = 0; i < n; i++)
        to[count[label(w, c, from[i])]++] = from[i];
}

static uint32_t labels_of(const struct work *w, size_t c)
{
    return c == PUAN_NO_COLUMN ? 1 : w->col[c].n_text;
}

/* Rows in the order of strata and clusters, their own within. */
static enum puan_status arrange(const struct work *w, struct puan_arena *a,
                                struct puan_err *err)
{
    uint32_t n = 0, strata = labels_of(w, w->where->strata);
    uint32_t clusters = labels_of(w, w->where->cluster);
    uint32_t most = strata > clusters ? strata : clusters;
    uint32_t *half = puan_new_n(a, w->rows ? w->rows : 1, uint32_t);
    uint32_t *count = puan_new_n(a, (size_t)most + 2, uint32_t);

    w->out->row = puan_new_n(a, w->rows ? w->rows : 1, uint32_t);
    if (!w->out->row || !half || !count)
        return puan_arena_check(a, err);
    for (uint32_t r = 0; r < w->rows; r++)
        if (label(w, w->where->strata, r) == PUAN_NO_LABEL ||
            label(w, w->where->cluster, r) == PUAN_NO_LABEL ||
            !(value(w, w->where->weight, r, 1) > 0))
            w->out->left_out++;
        else
            w->out->row[n++] = r;
    sort(w, half, w->out->row, n, w->where->cluster, count, clusters);
    sort(w, w->out->row, half, n, w->where->strata, count, strata);
    w->out->d.n_units = n;
    return PUAN_OK;
}

static bool is_size(double v)
{
    return v >= 0; /* not NAN */
}

enum puan_status puan_design_lay_out(struct puan_laid_out *out,
                                     const struct puan_column *col,
                                     const struct puan_design_columns *where,
                                     uint32_t rows, struct puan_arena *a,
                                     struct puan_err *err)
{
    struct work w = { col, where, rows, out };
    struct puan_sample_stratum *stratum;
    struct puan_sample_primary *primary;
    struct puan_design *d = &out->d;
    double *weight;
    enum puan_status st;

    *out = (struct puan_laid_out){ .row = NULL };
    st = arrange(&w, a, err);
    if (st == PUAN_OK && d->n_units == 0)
        st = puan_fail(err, PUAN_EINVAL, "sample", "no row has a weight");
    if (st != PUAN_OK)
        return st;
    stratum = puan_new_n(a, d->n_units, struct puan_sample_stratum);
    primary = puan_new_n(a, d->n_units, struct puan_sample_primary);
    weight = puan_new_n(a, d->n_units, double);
    if (!stratum || !primary || !weight)
        return puan_arena_check(a, err);
    for (uint32_t i = 0; i < d->n_units; i++) {
        uint32_t r = out->row[i], before = i ? out->row[i - 1] : 0;
        bool s = i == 0 || label(&w, where->strata, r) !=
                               label(&w, where->strata, before);
        bool p =
            s || where->cluster == PUAN_NO_COLUMN ||
            label(&w, where->cluster, r) != label(&w, where->cluster, before);
        double units = value(&w, where->units, r, 0);
        double second = value(&w, where->second, r, 0);

        if (!is_size(units) || !is_size(second))
            return puan_fail(err, PUAN_EINVAL, "sample",
                             "row %u has no number of units", r + 2);
        if (s) {
            stratum[d->n_strata].first = d->n_primary;
            stratum[d->n_strata].units = units;
            stratum[d->n_strata].label = r + 2;
            d->n_strata++;
        } else if (fabs(stratum[d->n_strata - 1].units - units) > 0) {
            return puan_fail(err, PUAN_EINVAL, "sample",
                             "rows %u and %u are of one stratum and differ in "
                             "its number of units",
                             stratum[d->n_strata - 1].label, r + 2);
        }
        if (p) {
            primary[d->n_primary].first = i;
            primary[d->n_primary].units = second;
            primary[d->n_primary].p = value(&w, where->p, r, 0);
            d->n_primary++;
            stratum[d->n_strata - 1].n++;
        }
        primary[d->n_primary - 1].n++;
        weight[i] = value(&w, where->weight, r, 1);
    }
    d->stratum = stratum;
    d->primary = primary;
    d->weight = weight;
    return PUAN_OK;
}
