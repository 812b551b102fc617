/*
 * Logarithm, exponential and root in double, by series, without a library:
 * the same to the last bit on every host whose double is IEEE 754.
 */
#ifndef PUAN_CORE_CODER_NUMBER_H
#define PUAN_CORE_CODER_NUMBER_H

#include <stdint.h>

#include "base/mem.h"

/* Natural logarithm of x > 0: x = m * 2^e, ln m by artanh((m-1)/(m+1)). */
static inline double coder_ln(double x)
{
    uint64_t bits;
    int e;
    double m, s, s2, sum = 0;

    memcpy(&bits, &x, sizeof(bits));
    e = (int)(bits >> 52) - 1023;
    bits = (bits & 0xfffffffffffffu) | 0x3ff0000000000000u;
    memcpy(&m, &bits, sizeof(m));
    if (m > 1.4142135623730951) {
        m *= 0.5;
        e++;
    }
    s = (m - 1) / (m + 1);
    s2 = s * s;
    for (int k = 21; k >= 1; k -= 2)
        sum = sum * s2 + 1.0 / k;
    return 2 * s * sum + e * 0.6931471805599453;
}

/* e^x for x <= 700; 0 below -700. */
static inline double coder_exp(double x)
{
    static const double over[] = { 0,       1,       1 / 2.,  1 / 3., 1 / 4.,
                                   1 / 5.,  1 / 6.,  1 / 7.,  1 / 8., 1 / 9.,
                                   1 / 10., 1 / 11., 1 / 12., 1 / 13. };
    double k = x * 1.4426950408889634, r, sum = 1, p;
    int64_t n;
    uint64_t bits;

    if (x < -700)
        return 0;
    n = (int64_t)(k < 0 ? k - 0.5 : k + 0.5);
    r = x - (double)n * 0.6931471805599453;
    for (size_t i = 13; i >= 1; i--)
        sum = 1 + sum * r * over[i];
    bits = (uint64_t)(n + 1023) << 52;
    memcpy(&p, &bits, sizeof(p));
    return sum * p;
}

static inline double coder_root(double x)
{
    return x > 0 ? coder_exp(0.5 * coder_ln(x)) : 0;
}

#endif
