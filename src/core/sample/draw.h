/*
 * Draws that anyone can redo: random numbers out of a seed that is published,
 * and the selections made with them.
 *
 * Random number k of a stream is the first 8 bytes, big-endian, of
 *     digest("SEED/STREAM/k")
 * with k in decimal digits; SEED and STREAM are texts without "/" at their
 * ends.  A number below n is taken as number mod n, where a number at or above
 * the largest multiple of n is passed over (so no unit has an advantage).
 * openssl and a pocket calculator are enough to redo a draw.
 *
 * Whole numbers only.  Depends on: base.  Does no I/O, keeps no state.
 */
#ifndef PUAN_CORE_SAMPLE_DRAW_H
#define PUAN_CORE_SAMPLE_DRAW_H

#include "base/arena.h"
#include "base/digest.h"

struct puan_random {
    const struct puan_digest_fn *fn;
    struct puan_str seed, stream;
    uint64_t k; /* the next number; begin at 1 */
};

struct puan_random puan_random_of(const struct puan_digest_fn *fn,
                                  struct puan_str seed, struct puan_str stream);
uint64_t puan_random_u64(struct puan_random *r);
/* 0 <= number < n; n must not be 0. */
uint64_t puan_random_below(struct puan_random *r, uint64_t n);

/* Units by their number in the frame, 0-based, rising. */
struct puan_chosen {
    uint32_t *unit;
    uint64_t *size;    /* PPS: the size of each, else NULL */
    size_t n, certain; /* of n, how many were certain (PPS) */
    uint64_t rest;     /* PPS: total size of what was not certain */
};

/*
 * Simple random sample of `take` of `units` without replacement: Floyd's
 * method, one number a unit (Bentley and Floyd, Communications of the ACM 30,
 * 1987).
 *
 * EINVAL  more taken than there are
 */
PUAN_MUST_USE enum puan_status puan_draw_simple(struct puan_chosen *out,
                                                uint32_t units, uint32_t take,
                                                struct puan_random *r,
                                                struct puan_arena *a,
                                                struct puan_err *err);

/*
 * Systematic sample of exactly `take` of `units`: with s = a number below
 * `units`, the units (s + i · units) div take, i = 0 … take - 1.  Each unit has
 * the probability take / units exactly, whatever the remainder.
 */
PUAN_MUST_USE enum puan_status
puan_draw_systematic(struct puan_chosen *out, uint32_t units, uint32_t take,
                     struct puan_random *r, struct puan_arena *a,
                     struct puan_err *err);

/*
 * Every `every`th unit after a random start below `every`: the number taken
 * differs by one between starts.  *start tells the start.
 */
PUAN_MUST_USE enum puan_status
puan_draw_every(struct puan_chosen *out, uint32_t *start, uint32_t units,
                uint32_t every, struct puan_random *r, struct puan_arena *a,
                struct puan_err *err);

/*
 * Systematic sample with probability proportional to size (Madow, Annals of
 * Mathematical Statistics 20, 1949; certain units first: Särndal, Swensson,
 * Wretman, Model Assisted Survey Sampling, 1992, section 3.6.2).  While
 * take · size(u) >= total of those left, u is certain and leaves the list.  Of
 * the rest, with T their total and s a number below T, the units whose
 * cumulated size first exceeds (s + i · T) / take.  A unit of size 0 is never
 * taken.
 *
 * EINVAL  fewer units of positive size than are to be taken
 * ELIMIT  total · take is 2^63 or more
 */
PUAN_MUST_USE enum puan_status
puan_draw_pps(struct puan_chosen *out, const uint64_t *size, uint32_t units,
              uint32_t take, struct puan_random *r, struct puan_arena *a,
              struct puan_err *err);

#endif
