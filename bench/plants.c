/*
 * Measure: the boundary checker on the map of a campaign directory, clean and
 * with faults planted by seed.  usage: bench_plants DIR [SEEDS] [EACH]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "features/maps/test_plant.h"
#include "kit/os/heap.h"
#include "row.h"

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static enum puan_status clean(const struct puan_ground *g, struct puan_err *err)
{
    struct puan_map_check c;
    struct puan_arena a;
    double begin = seconds();
    enum puan_status st;

    puan_arena_init(&a, &puan_heap);
    st = puan_map_check(&c, g, -1, 1, &a, err);
    if (st == PUAN_OK) {
        unsigned inner = g->tree->n_levels - 1;

        bench_row("boundaries areas", c.drawn[inner], "areas", "", -1, "", -1);
        bench_row("boundaries points", (double)c.points, "points",
                  "all levels", -1, "", -1);
        bench_row("boundaries clean", seconds() - begin, "s",
                  "the whole map, every level", -1, "", -1);
        bench_row("boundaries clean alarms", c.n + c.more, "faults", "none",
                  -1, "0", -1);
        if (c.n > 0)
            st = puan_fail(err, PUAN_EBUG, "boundaries",
                           "a fault was found on the clean map");
    }
    puan_arena_clear(&a);
    return st;
}

static enum puan_status planted(const struct puan_ground *clean_ground,
                                uint64_t seed, size_t each,
                                struct puan_err *err)
{
    struct puan_ground g = *clean_ground;
    struct puan_plant_score s;
    struct puan_map_check c;
    struct puan_plant *p;
    struct puan_arena a;
    double begin, took;
    size_t n, all = 0;
    enum puan_status st;

    puan_arena_init(&a, &puan_heap);
    g.feature = puan_new_n(&a, (size_t)(g.end - g.top) + 1,
                           struct puan_geo_feature);
    st = puan_arena_check(&a, err);
    if (st == PUAN_OK) {
        memcpy(g.feature, clean_ground->feature,
               (size_t)(g.end - g.top) * sizeof(*g.feature));
        st = puan_plant(&p, &n, &g, each, seed, &a, err);
    }
    begin = seconds();
    if (st == PUAN_OK)
        st = puan_map_check(&c, &g, -1, 1, &a, err);
    took = seconds() - begin;
    if (st == PUAN_OK) {
        char against[80], name[64];

        puan_plant_score(&s, p, n, &c);
        puan_format(against, sizeof(against), "seed %llu",
                    (unsigned long long)seed);
        for (unsigned k = 0; k < PUAN_MAP_FAULT_KINDS; k++) {
            all += s.found[k];
            if (s.planted[k] == 0)
                continue;
            puan_format(name, sizeof(name), "boundaries %s found",
                        puan_map_fault_name(k));
            bench_row(name, (double)s.found[k], "faults", against,
                      (double)s.found[k] / (double)s.planted[k], "all planted",
                      -1);
        }
        bench_row("boundaries false alarms", (double)s.false_alarms, "faults",
                  against, -1, "0", -1);
        bench_row("boundaries planted", took, "s", against, -1, "", -1);
        if (all != n || s.false_alarms > 0 || n == 0)
            st = puan_fail(err, PUAN_EBUG, "boundaries",
                           "seed %llu: planted %zu, found %zu, false %zu",
                           (unsigned long long)seed, n, all, s.false_alarms);
    }
    puan_arena_clear(&a);
    return st;
}

int main(int argc, char **argv)
{
    struct puan_store_options opt = { .readonly = true };
    struct puan_store *store = NULL;
    struct puan_ground g;
    struct puan_arena a;
    struct puan_err err = { 0 };
    int seeds = argc > 2 ? atoi(argv[2]) : 3,
        each = argc > 3 ? atoi(argv[3]) : 100;
    double begin = seconds();
    enum puan_status st;

    if (argc < 2 || seeds < 1 || each < 1) {
        fprintf(stderr, "usage: bench_plants DIR [SEEDS] [EACH]\n");
        return 2;
    }
    puan_arena_init(&a, &puan_heap);
    st = puan_store_open(&store, argv[1], &opt, &err);
    if (st == PUAN_OK)
        st = puan_ground_load(&g, store, 0, true, &a, &err);
    if (st == PUAN_OK)
        bench_row("boundaries read", seconds() - begin, "s",
                  "from the store, with buildings", -1, "", -1);
    if (st == PUAN_OK)
        st = clean(&g, &err);
    for (int seed = 1; seed <= seeds && st == PUAN_OK; seed++)
        st = planted(&g, (uint64_t)seed, (size_t)each, &err);
    puan_store_close(store);
    puan_arena_clear(&a);
    return st == PUAN_OK ? 0 : bench_failed("bench_plants", &err);
}
