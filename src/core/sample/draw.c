/* Draws out of a published seed. */
#include "core/sample/draw.h"

struct puan_random puan_random_of(const struct puan_digest_fn *fn,
                                  struct puan_str seed, struct puan_str stream)
{
    return (struct puan_random){ fn, seed, stream, 1 };
}

uint64_t puan_random_u64(struct puan_random *r)
{
    uint8_t digest[PUAN_DIGEST_SIZE];
    char number[24];
    struct puan_str part[5] = {
        r->seed, PUAN_STR("/"), r->stream, PUAN_STR("/"), { number, 0 }
    };
    uint64_t v = 0;

    part[4].n =
        puan_format(number, sizeof(number), "%llu", (unsigned long long)r->k++);
    r->fn->hash(r->fn->ctx, digest, part, PUAN_COUNT(part));
    for (unsigned i = 0; i < 8; i++)
        v = v << 8 | digest[i];
    return v;
}

uint64_t puan_random_below(struct puan_random *r, uint64_t n)
{
    /* 2^64 mod n: what is left of the numbers after whole multiples of n */
    const uint64_t left = (UINT64_MAX % n + 1) % n;
    uint64_t v;

    do
        v = puan_random_u64(r);
    while (left > 0 && v >= UINT64_MAX - left + 1);
    return v % n;
}

static enum puan_status room(struct puan_chosen *out, uint32_t units,
                             uint32_t take, struct puan_arena *a,
                             struct puan_err *err)
{
    *out = (struct puan_chosen){ 0 };
    if (take > units)
        return puan_fail(err, PUAN_EINVAL, "draw",
                         "%u units are to be taken of %u", take, units);
    out->unit = puan_new_n(a, take ? take : 1, uint32_t);
    return puan_arena_check(a, err);
}

/* An open-addressed set of unit + 1. */
struct set {
    uint32_t *slot;
    uint32_t mask;
};

/* False when it is there already. */
static bool add(struct set *s, uint32_t unit)
{
    uint32_t at = (unit * 2654435769u) & s->mask;

    while (s->slot[at]) {
        if (s->slot[at] == unit + 1)
            return false;
        at = (at + 1) & s->mask;
    }
    s->slot[at] = unit + 1;
    return true;
}

/* Rising; radix by bytes, so the time does not depend on the draw. */
static enum puan_status sort(uint32_t *v, size_t n, struct puan_arena *a,
                             struct puan_err *err)
{
    uint32_t *other = puan_new_n(a, n ? n : 1, uint32_t), *from = v,
             *to = other;

    if (!other)
        return puan_arena_check(a, err);
    for (unsigned shift = 0; shift < 32; shift += 8) {
        size_t at[257] = { 0 };
        uint32_t *swap = from;

        for (size_t i = 0; i < n; i++)
            at[(from[i] >> shift & 255) + 1]++;
        for (unsigned b = 0; b < 256; b++)
            at[b + 1] += at[b];
        for (size_t i = 0; i < n; i++)
            to[at[from[i] >> shift & 255]++] = from[i];
        from = to;
        to = swap;
    }
    return PUAN_OK; /* four passes end in v */
}

enum puan_status puan_draw_simple(struct puan_chosen *out, uint32_t units,
                                  uint32_t take, struct puan_random *r,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct set seen = { 0 };
    size_t slots = 4;
    enum puan_status st = room(out, units, take, a, err);

    while (slots < (size_t)take * 2)
        slots *= 2;
    seen.slot = st == PUAN_OK ? puan_new_n(a, slots, uint32_t) : NULL;
    seen.mask = (uint32_t)(slots - 1);
    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
    if (st != PUAN_OK || !seen.slot)
        return st;
    for (uint32_t j = units - take; j < units; j++) {
        uint32_t t = (uint32_t)puan_random_below(r, (uint64_t)j + 1);

        if (!add(&seen, t)) {
            t = j;
            (void)add(&seen, j);
        }
        out->unit[out->n++] = t;
    }
    return sort(out->unit, out->n, a, err);
}

enum puan_status puan_draw_systematic(struct puan_chosen *out, uint32_t units,
                                      uint32_t take, struct puan_random *r,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    enum puan_status st = room(out, units, take, a, err);
    uint64_t start;

    if (st != PUAN_OK || take == 0)
        return st;
    start = puan_random_below(r, units);
    for (uint32_t i = 0; i < take; i++)
        out->unit[out->n++] = (uint32_t)((start + (uint64_t)i * units) / take);
    return PUAN_OK;
}

enum puan_status puan_draw_every(struct puan_chosen *out, uint32_t *start,
                                 uint32_t units, uint32_t every,
                                 struct puan_random *r, struct puan_arena *a,
                                 struct puan_err *err)
{
    enum puan_status st;

    *start = 0;
    *out = (struct puan_chosen){ 0 };
    if (every == 0)
        return puan_fail(err, PUAN_EINVAL, "draw", "the interval is 0");
    *start = (uint32_t)puan_random_below(r, every);
    st = room(out, units, units / every + (units % every > *start), a, err);
    for (uint64_t u = *start; st == PUAN_OK && u < units; u += every)
        out->unit[out->n++] = (uint32_t)u;
    return st;
}

/* Marks what is certain; the rest's total and the number still to take. */
static enum puan_status certain(bool *is, uint64_t *rest, uint32_t *take,
                                const uint64_t *size, uint32_t units,
                                struct puan_err *err)
{
    uint32_t positive = 0, wanted = *take;
    uint64_t total = 0;
    bool more = true;

    for (uint32_t u = 0; u < units; u++) {
        positive += size[u] > 0;
        if (size[u] > (UINT64_MAX >> 1) - total)
            return puan_fail(err, PUAN_ELIMIT, "draw",
                             "the sizes add up beyond 2^63");
        total += size[u];
    }
    if (positive < wanted)
        return puan_fail(err, PUAN_EINVAL, "draw",
                         "%u units are to be taken; only %u have a size above "
                         "0",
                         wanted, positive);
    if (wanted && total > (UINT64_MAX >> 1) / wanted)
        return puan_fail(err, PUAN_ELIMIT, "draw",
                         "total size times units to take exceeds 2^63; divide "
                         "the sizes");
    while (more && *take > 0) {
        uint64_t gone = 0;
        uint32_t found = 0;

        for (uint32_t u = 0; u < units; u++)
            if (!is[u] && size[u] > 0 && size[u] * *take >= total) {
                is[u] = true;
                gone += size[u];
                found++;
            }
        more = found > 0;
        total -= gone;
        *take -= found;
    }
    *rest = total;
    return PUAN_OK;
}

enum puan_status puan_draw_pps(struct puan_chosen *out, const uint64_t *size,
                               uint32_t units, uint32_t take,
                               struct puan_random *r, struct puan_arena *a,
                               struct puan_err *err)
{
    uint32_t left = take;
    enum puan_status st = room(out, units, take, a, err);
    bool *is = st == PUAN_OK ? puan_new_n(a, units ? units : 1, bool) : NULL;
    uint64_t at, before = 0;

    out->size = st == PUAN_OK ? puan_new_n(a, take ? take : 1, uint64_t) : NULL;
    if (st == PUAN_OK)
        st = puan_arena_check(a, err);
    if (st != PUAN_OK || !is || !out->size)
        return st;
    st = certain(is, &out->rest, &left, size, units, err);
    if (st != PUAN_OK)
        return st;
    out->certain = take - left;
    at = left ? puan_random_below(r, out->rest) : 0;
    for (uint32_t u = 0; u < units; u++) {
        bool hit = is[u];

        /* the sizes of the rest, each `left` times as long; a step is `rest` */
        if (!is[u] && left > 0) {
            before += size[u] * left;
            hit = at < before;
            if (hit)
                at += out->rest;
        }
        if (hit && out->n < take) {
            out->size[out->n] = size[u];
            out->unit[out->n++] = u;
        }
    }
    return PUAN_OK;
}
