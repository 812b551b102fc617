/* Heaping indices over single years of age. */
#include "core/evaluate/age.h"

#include <math.h>

static const struct puan_index none = { 0 };

static double sum(struct puan_ages a, unsigned from, unsigned to)
{
    double s = 0;

    for (unsigned x = from; x <= to; x++)
        s += a.n[x];
    return s;
}

static bool has(unsigned age, unsigned digit)
{
    return digit == PUAN_DIGITS_FIVES ? age % 5 == 0 : age % 10 == digit;
}

/* First and last age of from..to with the digit, such that `above` more years
   are closed; false when there is none. */
static bool span(unsigned *first, unsigned *last, struct puan_ages a,
                 unsigned from, unsigned to, unsigned digit, unsigned above)
{
    if (a.closed <= above)
        return false;
    if (to > a.closed - 1 - above)
        to = a.closed - 1 - above;
    while (from <= to && !has(from, digit))
        from++;
    if (from > to)
        return false;
    while (!has(to, digit))
        to--;
    *first = from;
    *last = to;
    return true;
}

struct puan_index puan_whipple(struct puan_ages a, unsigned from, unsigned to,
                               unsigned digit)
{
    const unsigned below = digit == PUAN_DIGITS_FIVES ? 2 : 7;
    const double terms = digit == PUAN_DIGITS_FIVES ? 5 : 10;
    struct puan_index out = none;
    unsigned first, last;
    double num = 0, den;

    if (digit > PUAN_DIGITS_FIVES || from < below ||
        !span(&first, &last, a, from, to, digit, 2))
        return none;
    for (unsigned x = first; x <= last; x++)
        if (has(x, digit))
            num += a.n[x];
    out.from = first;
    out.to = last;
    out.low = first - below;
    out.high = last + 2;
    den = sum(a, out.low, out.high);
    out.given = den > 0;
    out.value = out.given ? 100 * terms * num / den : 0;
    return out;
}

/* From ten shares in per cent. */
static double half_deviation(const double share[10])
{
    double s = 0;

    for (unsigned d = 0; d < 10; d++)
        s += fabs(share[d] - 10);
    return s / 2;
}

struct puan_index puan_myers(double *digit, struct puan_ages a, unsigned from,
                             unsigned to)
{
    struct puan_index out = none;
    double blend[10], total = 0;
    unsigned years;

    if (a.closed == 0)
        return none;
    if (to > a.closed - 1)
        to = a.closed - 1;
    years = to >= from ? (to - from + 1) / 10 * 10 : 0;
    if (years < 20)
        return none;
    to = from + years - 1;
    for (unsigned k = 0; k < 10; k++) {
        double young = 0, old = 0; /* without the last, without the first */

        for (unsigned x = from + k; x <= to; x += 10) {
            if (x + 10 <= to)
                young += a.n[x];
            if (x >= from + 10)
                old += a.n[x];
        }
        blend[(from + k) % 10] = young * (k + 1) + old * (9 - k);
    }
    for (unsigned d = 0; d < 10; d++)
        total += blend[d];
    for (unsigned d = 0; d < 10; d++) {
        blend[d] = total > 0 ? 100 * blend[d] / total : 0;
        if (digit)
            digit[d] = blend[d];
    }
    out.given = total > 0;
    out.value = out.given ? half_deviation(blend) : 0;
    out.from = out.low = from;
    out.to = out.high = to;
    return out;
}

struct puan_index puan_bachi(double *digit, struct puan_ages a, unsigned from,
                             unsigned to)
{
    struct puan_index out = none;
    double share[10];
    unsigned years;

    if (a.closed == 0)
        return none;
    if (to > a.closed - 1)
        to = a.closed - 1;
    /* five starting ages and the step of one year need five years beside the
       whole decades */
    years = to >= from + 4 ? (to - from - 4) / 10 * 10 : 0;
    if (years < 10)
        return none;
    for (unsigned k = 0; k < 10; k++) {
        unsigned d = (from + k) % 10, start = from + k % 5;
        double num[2] = { 0 }, den[2];

        for (unsigned s = 0; s < 2; s++) {
            for (unsigned x = start + s; x < start + s + years; x++)
                if (x % 10 == d)
                    num[s] += a.n[x];
            den[s] = sum(a, start + s, start + s + years - 1);
            if (den[s] <= 0)
                return none;
        }
        share[d] = 50 * (num[0] / den[0] + num[1] / den[1]);
    }
    for (unsigned d = 0; digit && d < 10; d++)
        digit[d] = share[d];
    out.given = true;
    out.value = half_deviation(share);
    out.from = out.low = from;
    out.to = out.high = from + 4 + years;
    return out;
}

struct puan_index puan_noumbissi(struct puan_ages a, unsigned from, unsigned to,
                                 unsigned digit)
{
    struct puan_index out = none;
    unsigned first, last;
    double num = 0, den = 0;

    if (digit > 9 || from < 2 || !span(&first, &last, a, from, to, digit, 2))
        return none;
    for (unsigned x = first; x <= last; x += 10) {
        num += a.n[x];
        den += sum(a, x - 2, x + 2);
    }
    out.from = first;
    out.to = last;
    out.low = first - 2;
    out.high = last + 2;
    out.given = den > 0;
    out.value = out.given ? 500 * num / den : 0;
    return out;
}

struct puan_index puan_spoorenberg(struct puan_ages a, unsigned from,
                                   unsigned to)
{
    struct puan_index out = none;

    out.low = ~0u;
    out.from = from;
    out.to = to < a.closed ? to : a.closed;
    for (unsigned d = 0; d < 10; d++) {
        struct puan_index w = puan_noumbissi(a, from, to, d);

        if (!w.given)
            return none;
        out.value += fabs(1 - w.value / 100);
        out.low = w.low < out.low ? w.low : out.low;
        out.high = w.high > out.high ? w.high : out.high;
    }
    if (out.to > out.high - 2)
        out.to = out.high - 2;
    out.given = true;
    return out;
}

/* Five-term mean of five-term means, centred; x - 4 .. x + 4 are there. */
static double smooth(struct puan_ages a, unsigned x)
{
    static const double weight[9] = { 1, 2, 3, 4, 5, 4, 3, 2, 1 };
    double s = 0;

    for (unsigned k = 0; k < 9; k++)
        s += weight[k] * a.n[x - 4 + k];
    return s / 25;
}

struct puan_index puan_coale_li(struct puan_ages a, unsigned from, unsigned to,
                                unsigned digit)
{
    struct puan_index out = none;
    unsigned first, last, n = 0;
    double s = 0;

    if (digit > 9 || from < 4 || !span(&first, &last, a, from, to, digit, 4))
        return none;
    for (unsigned x = first; x <= last; x += 10) {
        double r = smooth(a, x);

        if (r <= 0)
            return none;
        s += a.n[x] / r;
        n++;
    }
    out.from = first;
    out.to = last;
    out.low = first - 4;
    out.high = last + 4;
    out.given = n > 0;
    out.value = s / n;
    return out;
}

struct puan_index puan_kannisto(struct puan_ages a, unsigned age)
{
    struct puan_index out = none;
    double logs = 0;

    if (age < 2 || age + 2 >= a.closed)
        return none;
    for (unsigned x = age - 2; x <= age + 2; x++) {
        if (a.n[x] <= 0)
            return none;
        logs += log(a.n[x]);
    }
    out.given = true;
    out.value = a.n[age] / exp(logs / 5);
    out.from = out.to = age;
    out.low = age - 2;
    out.high = age + 2;
    return out;
}

struct puan_index puan_jdanov(struct puan_ages a, const unsigned *age,
                              size_t n_ages)
{
    struct puan_index out = none;
    double num = 0, den = 0;

    for (size_t i = 0; i < n_ages; i++) {
        unsigned x = age[i];

        if (x < 2 || x + 2 >= a.closed)
            break;
        num += a.n[x];
        den += sum(a, x - 2, x + 2);
        out.from = i == 0 ? x : out.from;
        out.low = i == 0 ? x - 2 : out.low;
        out.to = x;
        out.high = x + 2;
    }
    out.given = den > 0;
    out.value = out.given ? 500 * num / den : 0;
    return out;
}

void puan_digit_shares(struct puan_digit_shares *out, const double by_digit[10])
{
    *out = (struct puan_digit_shares){ 0 };
    for (unsigned d = 0; d < 10; d++)
        out->total += by_digit[d];
    if (out->total <= 0)
        return;
    for (unsigned d = 0; d < 10; d++) {
        double expected = out->total / 10, off = by_digit[d] - expected;

        out->share[d] = 100 * by_digit[d] / out->total;
        out->chi_square += off * off / expected;
    }
    out->dissimilarity = half_deviation(out->share);
}
