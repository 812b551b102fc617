/*
 * Indices of evaluation and draws (puan.h).
 */
#include "core/evaluate/age.h"
#include "core/evaluate/agesex.h"
#include "core/evaluate/dual.h"
#include "core/sample/draw.h"
#include "kit/crypto/crypto.h"
#include "kit/os/heap.h"
#include "programs/lib/internal.h"

static pu_index index_of(struct puan_index x)
{
    return (pu_index){ x.given, x.value, x.low, x.high };
}

pu_index pu_whipple(const double *n, unsigned closed, unsigned from,
                    unsigned to, unsigned digit)
{
    return index_of(
        puan_whipple((struct puan_ages){ n, closed }, from, to, digit));
}

pu_index pu_myers(double *shares, const double *n, unsigned closed,
                  unsigned from, unsigned to)
{
    return index_of(
        puan_myers(shares, (struct puan_ages){ n, closed }, from, to));
}

pu_index pu_bachi(double *shares, const double *n, unsigned closed,
                  unsigned from, unsigned to)
{
    return index_of(
        puan_bachi(shares, (struct puan_ages){ n, closed }, from, to));
}

pu_age_sex pu_age_sex_scores(const double *male, const double *female,
                             unsigned closed, unsigned first, unsigned last)
{
    struct puan_age_sex x = puan_age_sex(
        (struct puan_groups){ male, female, closed }, first, last, 0);

    return (pu_age_sex){ x.given, x.male,         x.female,   x.sex,
                         x.un,    x.zelnik, x.ramachandran, x.das_gupta };
}

pu_two_lists pu_dual_system(double n1, double n2, double m, double z)
{
    struct puan_two_lists x = puan_two_lists(n1, n2, m, z);

    return (pu_two_lists){ x.given, x.petersen, x.chapman,
                           x.se,    x.low,      x.high };
}

pu_status pu_draw(uint32_t *unit, uint32_t units, uint32_t take,
                  const uint64_t *size, const char *seed, const char *stream,
                  size_t *certain, pu_error *err)
{
    struct puan_random random = puan_random_of(
        puan_digest_sha256(), puan_str_of(seed), puan_str_of(stream));
    struct puan_chosen chosen = { .n = 0 };
    struct puan_arena a;
    struct puan_err e = { 0 };
    enum puan_status st;

    puan_arena_init(&a, &puan_heap);
    if (size)
        st = puan_draw_pps(&chosen, size, units, take, &random, &a, &e);
    else
        st = puan_draw_systematic(&chosen, units, take, &random, &a, &e);
    if (st == PUAN_OK && take)
        memcpy(unit, chosen.unit, take * sizeof(*unit));
    if (certain)
        *certain = chosen.certain;
    puan_arena_clear(&a);
    return st == PUAN_OK ? PU_OK : lib_failed(err, &e);
}
