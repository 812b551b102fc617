/* Dual-system estimates. */
#include "core/evaluate/dual.h"

#include <math.h>

struct puan_two_lists puan_two_lists(double n1, double n2, double m, double z)
{
    struct puan_two_lists out = { 0 };

    if (m < 0 || m > n1 || m > n2)
        return out;
    out.given = true;
    out.petersen = m > 0 ? n1 * n2 / m : 0;
    out.chapman = (n1 + 1) * (n2 + 1) / (m + 1) - 1;
    out.se = sqrt((n1 + 1) * (n2 + 1) * (n1 - m) * (n2 - m) /
                  ((m + 1) * (m + 1) * (m + 2)));
    out.low = out.chapman - z * out.se;
    out.high = out.chapman + z * out.se;
    return out;
}

static double persons(const struct puan_coverage *t, enum puan_movers how)
{
    return t->stayed + (how == PUAN_MOVERS_A ? t->out : t->in);
}

static double matched(const struct puan_coverage *t, enum puan_movers how)
{
    if (how == PUAN_MOVERS_A)
        return t->stayed_matched + t->out_matched;
    if (how == PUAN_MOVERS_B)
        return t->stayed_matched + t->in_matched;
    if (t->out > 0)
        return t->stayed_matched + t->in * t->out_matched / t->out;
    /* nobody left: those who came are matched as those who stayed */
    return t->stayed > 0 ? t->stayed_matched * (1 + t->in / t->stayed) : 0;
}

/* What a record adds to the matched persons, to the first order. */
static double matched_linear(const struct puan_coverage *t,
                             const struct puan_coverage *u,
                             enum puan_movers how)
{
    if (how != PUAN_MOVERS_C)
        return matched(u, how);
    if (!(t->out > 0))
        return t->stayed > 0
                   ? u->stayed_matched * (1 + t->in / t->stayed) +
                         t->stayed_matched / t->stayed *
                             (u->in - t->in / t->stayed * u->stayed)
                   : 0;
    return u->stayed_matched + u->in * t->out_matched / t->out +
           t->in / t->out * u->out_matched -
           t->in * t->out_matched / (t->out * t->out) * u->out;
}

struct puan_dual puan_dual(const struct puan_coverage *t, double census,
                           double imputed, enum puan_movers how)
{
    struct puan_dual d = { 0 };
    double wrong;

    d.persons = persons(t, how);
    d.matched = matched(t, how);
    if (!(d.persons > 0) || !(d.matched > 0) || census < imputed)
        return d;
    d.given = true;
    d.match_rate = d.matched / d.persons;
    d.correct_rate = t->records > 0 ? t->correct / t->records : 1;
    d.estimate = (census - imputed) * d.correct_rate / d.match_rate;
    if (!(d.estimate > 0)) {
        d.given = false;
        return d;
    }
    d.net = d.estimate - census;
    d.net_rate = 100 * d.net / d.estimate;
    d.omission_rate = 100 * (1 - d.match_rate);
    if (t->records > 0) {
        d.duplicate_rate = 100 * t->duplicate / t->records;
        d.erroneous_rate = 100 * t->erroneous / t->records;
    }
    wrong = (d.duplicate_rate + d.erroneous_rate) / 100 * (census - imputed);
    d.gross_rate = d.omission_rate + 100 * wrong / d.estimate;
    return d;
}

double puan_dual_linear(const struct puan_coverage *t,
                        const struct puan_coverage *u,
                        const struct puan_dual *d, enum puan_movers how)
{
    double z =
        persons(u, how) / d->persons - matched_linear(t, u, how) / d->matched;

    if (t->records > 0 && t->correct > 0)
        z += u->correct / t->correct - u->records / t->records;
    return d->estimate * z;
}

double puan_omission_linear(const struct puan_coverage *t,
                            const struct puan_coverage *u,
                            const struct puan_dual *d, enum puan_movers how)
{
    return -100 *
           (matched_linear(t, u, how) - d->match_rate * persons(u, how)) /
           d->persons;
}
