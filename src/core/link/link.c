/*
 * Exact linkage; see link.h.
 */
#include "core/link/link.h"

#include "base/mem.h"

static int compare(const struct puan_link_entry *a,
                   const struct puan_link_entry *b)
{
    int c = memcmp(a->token, b->token, PUAN_TOKEN_SIZE);

    if (c != 0)
        return c;
    if (a->store != b->store)
        return a->store < b->store ? -1 : 1;
    if (a->household != b->household)
        return a->household < b->household ? -1 : 1;
    return a->line < b->line ? -1 : a->line > b->line;
}

static void swap(struct puan_link_entry *a, struct puan_link_entry *b)
{
    struct puan_link_entry t = *a;

    *a = *b;
    *b = t;
}

static void sift(struct puan_link_entry *e, size_t root, size_t n)
{
    for (;;) {
        size_t child = 2 * root + 1;

        if (child >= n)
            return;
        if (child + 1 < n && compare(&e[child], &e[child + 1]) < 0)
            child++;
        if (compare(&e[root], &e[child]) >= 0)
            return;
        swap(&e[root], &e[child]);
        root = child;
    }
}

/* Tokens are keyed hashes, so evenly spread: split by the first byte (one pass,
 * in place), then heap-sort the 256 parts, each small enough for the cache. */
void puan_link_sort(struct puan_link_entry *e, size_t n)
{
    size_t start[257] = { 0 }, next[256];

    for (size_t i = 0; i < n; i++)
        start[e[i].token[0] + 1u]++;
    for (size_t b = 0; b < 256; b++)
        start[b + 1] += start[b];
    memcpy(next, start, sizeof(next));
    for (size_t b = 0; b < 256; b++) {
        while (next[b] < start[b + 1]) {
            uint8_t to = e[next[b]].token[0];

            if (to == b)
                next[b]++;
            else
                swap(&e[next[b]], &e[next[to]++]);
        }
    }
    for (size_t b = 0; b < 256; b++) {
        struct puan_link_entry *part = e + start[b];
        size_t m = start[b + 1] - start[b];

        for (size_t i = m / 2; i-- > 0;)
            sift(part, i, m);
        for (size_t i = m; i-- > 1;) {
            swap(&part[0], &part[i]);
            sift(part, 0, i);
        }
    }
}

unsigned puan_link_kinds(const struct puan_link_entry *group, size_t n)
{
    size_t present = 0, registered = 0, only_present = 0, only_registered = 0;
    unsigned kinds = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned bits = group[i].bits;

        present += (bits & PUAN_LINK_PRESENT) != 0;
        registered += (bits & PUAN_LINK_REGISTERED) != 0;
        only_present += bits == PUAN_LINK_PRESENT;
        only_registered += bits == PUAN_LINK_REGISTERED;
    }
    if (only_present && only_registered)
        kinds |= 1u << PUAN_LINK_PAIR;
    if (present > 1)
        kinds |= 1u << PUAN_LINK_PRESENT_TWICE;
    if (registered > 1)
        kinds |= 1u << PUAN_LINK_REGISTERED_TWICE;
    return kinds;
}

enum puan_status puan_link_groups(const struct puan_link_entry *e, size_t n,
                                  puan_link_fn fn, void *ctx,
                                  struct puan_err *err)
{
    for (size_t i = 0, j; i < n; i = j) {
        enum puan_status st;

        for (j = i + 1; j < n && memcmp(e[i].token, e[j].token,
                                        PUAN_TOKEN_SIZE) == 0;)
            j++;
        if (j - i < 2)
            continue;
        st = fn(ctx, puan_link_kinds(e + i, j - i), e + i, j - i, err);
        if (st != PUAN_OK)
            return st;
    }
    return PUAN_OK;
}
