/*
 * Tests of the simulator: fits, ground, determinism, the effects of faults,
 * scoring.  Runs it on two real packs, in a temporary directory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/calendar.h"
#include "base/csv.h"
#include "features/host/feature.h"
#include "features/simulate/score.h"
#include "features/simulate/sim.h"
#include "kit/job/progress.h"
#include "kit/os/os.h"
#include "kit/sheet/sheet.h"

extern const struct puan_feature puan_feature_simulate;

#define CN "plans/cn-population-2020"
#define ZZ "plans/zz-test"

static struct puan_arena a;
static const char *dir;

static int setup(void **state)
{
    struct puan_err err = { 0 };

    (void)state;
    puan_progress_quiet(true);
    puan_arena_init(&a, puan_os_alloc());
    return puan_dir_temp(&dir, &a, &err) == PUAN_OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct puan_err err = { 0 };

    (void)state;
    if (puan_dir_remove(dir, &err) != PUAN_OK)
        return -1;
    puan_arena_clear(&a);
    return 0;
}

/* Runs the command into dir/name. */
static const char *run(const char *plan, const char *area, const char *scale,
                       const char *seed, const char *faults, const char *name)
{
    const char *out = puan_arena_fmt(&a, "%s/%s", dir, name);
    const char *argv[] = { "simulate", "--plan",  plan,    "--area",   area,
                           "--scale",  scale,     "--seed", seed,      "--faults",
                           faults,     "--out",   out };
    char *copy[PUAN_COUNT(argv)];

    for (size_t i = 0; i < PUAN_COUNT(argv); i++) {
        copy[i] = strdup(argv[i]);
        assert_non_null(copy[i]);
    }
    assert_int_equal(puan_feature_simulate.commands[0].run(
                         (int)PUAN_COUNT(argv), copy),
                     PUAN_EXIT_DONE);
    for (size_t i = 0; i < PUAN_COUNT(argv); i++)
        free(copy[i]);
    return out;
}

/* ---- fits ------------------------------------------------------------- */

static void shares_keep_the_sum_and_the_caps(void **state)
{
    double w[] = { 1, 1, 1, 0, 4 };
    int64_t cap[] = { 100, 100, 1, 100, 3 }, out[5], sum = 0;

    (void)state;
    assert_int_equal(sim_apportion(out, w, NULL, 5, 10), 0);
    for (int i = 0; i < 5; i++)
        sum += out[i];
    assert_int_equal(sum, 10);
    assert_int_equal(out[3], 0);
    assert_in_range(out[4], 5, 6);
    assert_int_equal(sim_apportion(out, w, cap, 5, 10), 0);
    assert_int_equal(out[0] + out[1], 6);
    assert_int_equal(out[2], 1);
    assert_int_equal(out[4], 3);
    assert_int_equal(sim_apportion(out, w, cap, 5, 300), 300 - 204);
}

static void shares_of_many_cells_keep_the_sum(void **state)
{
    enum { N = 9001 };
    double *w = puan_new_n(&a, N, double);
    int64_t *out = puan_new_n(&a, N, int64_t), sum = 0;

    (void)state;
    for (size_t i = 0; i < N; i++)
        w[i] = (double)(i % 7);
    assert_int_equal(sim_apportion(out, w, NULL, N, 123457), 0);
    for (size_t i = 0; i < N; i++) {
        sum += out[i];
        assert_true(i % 7 != 0 || out[i] == 0);
    }
    assert_int_equal(sum, 123457);
}

static void a_fitted_table_has_both_margins(void **state)
{
    double x[] = { 5, 1, 0, 2, 2, 2, 0, 1, 9, 1, 1, 1 };
    int64_t row[] = { 7, 30, 11, 900 }, col[] = { 200, 331, 417 }, out[12];

    (void)state;
    assert_int_equal(sim_fit_table(out, x, row, col, 4, 3, &a), 0);
    for (int r = 0; r < 4; r++)
        assert_int_equal(out[r * 3] + out[r * 3 + 1] + out[r * 3 + 2], row[r]);
    for (int c = 0; c < 3; c++)
        assert_int_equal(out[c] + out[3 + c] + out[6 + c] + out[9 + c],
                         col[c]);
    for (int i = 0; i < 12; i++)
        assert_true(out[i] >= 0);
    assert_int_equal(out[2], 0);
    assert_int_equal(out[6], 0);
}

static void make(struct sim_shard *sh, struct sim_run *r, uint32_t *shard,
                 const struct sim_spec *s, int64_t code, double scale,
                 struct puan_arena *mem)
{
    struct puan_err err = { 0 };
    const struct sim_area_row *row = sim_spec_area(s, code);

    assert_non_null(row);
    *shard = (uint32_t)(row - s->area);
    *r = (struct sim_run){ .spec = s,
                           .opt = { .seed = 3, .scale = scale },
                           .shard = shard,
                           .n_shards = 1,
                           .columns = 1 };
    r->side = sim_ground_side(sim_ground_eas(s, row, scale) + 40);
    assert_int_equal(sim_shard_make(sh, r, 0, NULL, mem, &err), PUAN_OK);
}

/* Small, large, migrant, island, minority counties; several scales. */
static void published_margins_are_met(void **state)
{
    static const struct {
        int64_t code;
        double scale;
    } of[] = { { 370883, 0.05 }, { 370883, 0.0007 }, { 440306, 0.002 },
               { 310115, 0.001 }, { 540102, 0.01 },  { 460300, 0.5 },
               { 450102, 0.003 },  { 370871, 0.03 }, { 653101, 0.01 } };
    struct sim_spec *s;
    struct puan_err err = { 0 };

    (void)state;
    assert_int_equal(sim_spec_load(&s, CN, &a, &err), PUAN_OK);
    /* 2,943 county rows less totals; Dongguan, which has no parts, stays */
    assert_null(sim_spec_area(s, 370800));
    assert_null(sim_spec_area(s, 110000));
    assert_non_null(sim_spec_area(s, 441900));
    for (size_t i = 0; i < PUAN_COUNT(of); i++) {
        struct puan_arena mem;
        struct sim_shard sh;
        struct sim_run r;
        uint32_t shard;
        const struct sim_fit *w = &sh.want, *g = &sh.got;
        int64_t present = 0, resident = 0;

        puan_arena_init(&mem, puan_os_alloc());
        make(&sh, &r, &shard, s, of[i].code, of[i].scale, &mem);
        assert_int_equal(w->residents,
                         (int64_t)((double)sh.row->population * of[i].scale +
                                   0.5));
        assert_int_equal(g->residents, w->residents);
        assert_memory_equal(g->group, w->group, sizeof(w->group));
        assert_int_equal(g->households, w->households);
        assert_int_equal(g->household_population, w->household_population);
        assert_int_equal(g->one_person, w->one_person);
        assert_memory_equal(g->edu, w->edu, sizeof(w->edu));
        for (int k = 0; k < SIM_MOVES; k++)
            assert_int_equal(g->migration[k], w->migration[k]);
        /* what stands on the forms is what was fitted */
        for (uint32_t k = 0; k < sh.n_persons; k++)
            switch ((enum sim_situation)sh.person[k].situation) {
            case SIM_HOME:
            case SIM_NEAR:
            case SIM_IN_LONG:
            case SIM_PENDING:
                present++;
                resident++;
                break;
            case SIM_OUT_SHORT:
            case SIM_ABROAD:
                resident++;
                break;
            case SIM_IN_SHORT:
            case SIM_OUT_NEAR:
            case SIM_OUT_LONG:
                assert_true(k >= sh.n_residents);
                break;
            }
        assert_int_equal(resident, w->residents);
        assert_true(present <= resident);
        puan_arena_clear(&mem);
    }
}

/* ---- ground ----------------------------------------------------------- */

struct point {
    int64_t lon, lat;
};

struct points {
    struct point *p;
    size_t n, cap;
};

static void add_point(void *ctx, int64_t lon, int64_t lat)
{
    struct points *l = ctx;

    if (l->n == l->cap) {
        l->cap = l->cap > 0 ? l->cap * 2 : 256;
        l->p = realloc(l->p, l->cap * sizeof(*l->p));
        assert_non_null(l->p);
    }
    l->p[l->n++] = (struct point){ lon, lat };
}

struct edge {
    struct point a, b; /* a before b */
};

static int point_cmp(const struct point *x, const struct point *y)
{
    if (x->lon != y->lon)
        return x->lon < y->lon ? -1 : 1;
    return x->lat < y->lat ? -1 : x->lat > y->lat;
}

static int edge_cmp(const void *x, const void *y)
{
    const struct edge *e = x, *f = y;
    int c = point_cmp(&e->a, &f->a);

    return c != 0 ? c : point_cmp(&e->b, &f->b);
}

static bool inside(const struct points *ring, int64_t lon, int64_t lat)
{
    bool in = false;

    for (size_t i = 0; i + 1 < ring->n; i++) {
        const struct point *p = &ring->p[i], *q = &ring->p[i + 1];

        if ((p->lat > lat) != (q->lat > lat)) {
            double x = (double)p->lon + (double)(q->lon - p->lon) *
                                            (double)(lat - p->lat) /
                                            (double)(q->lat - p->lat);

            if ((double)lon < x)
                in = !in;
        }
    }
    return in;
}

static void borders_are_watertight(void **state)
{
    struct sim_spec *s;
    struct puan_err err = { 0 };
    struct sim_ground g;
    const struct sim_area_row *row;
    struct points county = { 0 };

    (void)state;
    assert_int_equal(sim_spec_load(&s, CN, &a, &err), PUAN_OK);
    row = sim_spec_area(s, 370883);
    assert_int_equal(sim_ground_make(&g, s, row, 5, 0.06, 100, 200,
                                     sim_ground_side(
                                         sim_ground_eas(s, row, 0.06) + 40),
                                     &a, &err),
                     PUAN_OK);
    assert_int_equal(g.n_ea, sim_ground_eas(s, row, 0.06));
    sim_ground_ring(&g, 0, add_point, &county);
    for (unsigned level = s->shard + 1; level < s->n_levels; level++) {
        struct edge *e;
        size_t n = 0, cap = 0, outer = 0;

        for (uint32_t i = 0; i < g.n; i++)
            if (g.area[i].level == level) {
                struct points ring = { 0 };
                int64_t lon, lat, twice = 0;

                sim_ground_ring(&g, i, add_point, &ring);
                assert_true(ring.n - 1 >= 100);
                assert_int_equal(point_cmp(&ring.p[0], &ring.p[ring.n - 1]), 0);
                for (size_t k = 0; k + 1 < ring.n; k++)
                    twice += (ring.p[k].lon - ring.p[0].lon) *
                                 (ring.p[k + 1].lat - ring.p[0].lat) -
                             (ring.p[k + 1].lon - ring.p[0].lon) *
                                 (ring.p[k].lat - ring.p[0].lat);
                assert_true(twice > 0); /* counter-clockwise */
                for (uint64_t b = 1; b <= 40; b++) {
                    sim_ground_inside(&lon, &lat, &g, i, b);
                    assert_true(inside(&ring, lon, lat));
                }
                cap += ring.n;
                free(ring.p);
            }
        e = calloc(cap, sizeof(*e));
        assert_non_null(e);
        for (uint32_t i = 0; i < g.n; i++)
            if (g.area[i].level == level) {
                struct points ring = { 0 };

                sim_ground_ring(&g, i, add_point, &ring);
                for (size_t k = 0; k + 1 < ring.n; k++) {
                    struct point p = ring.p[k], q = ring.p[k + 1];

                    assert_int_not_equal(point_cmp(&p, &q), 0);
                    e[n++] = point_cmp(&p, &q) < 0 ? (struct edge){ p, q }
                                                   : (struct edge){ q, p };
                }
                free(ring.p);
            }
        qsort(e, n, sizeof(*e), edge_cmp);
        for (size_t k = 0; k < n;) {
            size_t same = 1;

            while (k + same < n && edge_cmp(&e[k], &e[k + same]) == 0)
                same++;
            assert_in_range(same, 1, 2);
            outer += same == 1;
            k += same;
        }
        /* what is used once is the county's own ring, no more and no less */
        assert_int_equal(outer, county.n - 1);
        free(e);
    }
    free(county.p);
}

/* No lattice cell is folded over: then no two areas can overlap. */
static void the_lattice_is_not_folded(void **state)
{
    struct sim_spec *s;
    struct puan_err err = { 0 };
    struct sim_ground g = { 0 };

    (void)state;
    assert_int_equal(sim_spec_load(&s, CN, &a, &err), PUAN_OK);
    g.spec = s;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        g.seed = seed;
        g.cell = 1487;
        for (int64_t y = 0; y < 200; y++)
            for (int64_t x = 1000; x < 1200; x++) {
                struct point p[4];

                for (int i = 0; i < 4; i++)
                    sim_ground_point(&p[i].lon, &p[i].lat, &g,
                                     x + (i == 1 || i == 2), y + (i > 1));
                for (int i = 0; i < 4; i++) {
                    const struct point *o = &p[i], *u = &p[(i + 1) % 4],
                                       *v = &p[(i + 3) % 4];

                    assert_true((u->lon - o->lon) * (v->lat - o->lat) -
                                    (v->lon - o->lon) * (u->lat - o->lat) >
                                0);
                }
            }
    }
}

/* ---- whole runs ------------------------------------------------------- */

static void same_file(const char *x, const char *y, const char *name)
{
    struct puan_err err = { 0 };
    struct puan_str p, q;

    assert_int_equal(puan_file_read(&p, puan_arena_fmt(&a, "%s/%s", x, name), 0,
                                    &a, &err),
                     PUAN_OK);
    assert_int_equal(puan_file_read(&q, puan_arena_fmt(&a, "%s/%s", y, name), 0,
                                    &a, &err),
                     PUAN_OK);
    assert_true(p.n > 0);
    assert_true(puan_str_eq(p, q));
}

static void the_same_seed_gives_the_same_bytes(void **state)
{
    static const char *const file[] = {
        "areas.csv",     "buildings.csv",           "listing.csv",
        "staff.csv",     "register.csv",            "truth.csv",
        "manifest.json", "boundaries_ea.geojson",   "returns/370811/person.csv",
        "returns/370883/household.csv",             "returns/370883/person.csv",
        "returns/370883/visit.csv", "returns/370883/death.csv",
        "returns_true/370883/person.csv"
    };
    const char *x = run(CN, "3708", "0.002", "7", "default", "x");
    const char *y = run(CN, "3708", "0.002", "7", "default", "y");
    const char *z = run(CN, "3708", "0.002", "8", "default", "z");
    struct puan_err err = { 0 };
    struct puan_str p, q;

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(file); i++)
        same_file(x, y, file[i]);
    assert_int_equal(puan_file_read(&p, puan_arena_fmt(&a, "%s/truth.csv", x),
                                    0, &a, &err),
                     PUAN_OK);
    assert_int_equal(puan_file_read(&q, puan_arena_fmt(&a, "%s/truth.csv", z),
                                    0, &a, &err),
                     PUAN_OK);
    assert_false(puan_str_eq(p, q));
}

/* Residents a household's rows make, by the cases written out here again. */
struct tally {
    int64_t household, answered, truth, delta;
    bool faulty, returned;
};

struct tallies {
    struct tally *p;
    size_t n, cap;
};

static struct tally *tally_of(struct tallies *t, int64_t household)
{
    for (size_t i = t->n; i > 0 && t->n - i < 4; i--)
        if (t->p[i - 1].household == household)
            return &t->p[i - 1];
    if (t->n == t->cap) {
        t->cap = t->cap > 0 ? t->cap * 2 : 1024;
        t->p = realloc(t->p, t->cap * sizeof(*t->p));
        assert_non_null(t->p);
    }
    t->p[t->n] = (struct tally){ .household = household };
    return &t->p[t->n++];
}

static int tally_cmp(const void *x, const void *y)
{
    const struct tally *p = x, *q = y;

    return p->household < q->household ? -1 : p->household > q->household;
}

/* Sums entries of one household that were met apart. */
static void merge(struct tallies *t)
{
    size_t n = 0;

    qsort(t->p, t->n, sizeof(*t->p), tally_cmp);
    for (size_t i = 0; i < t->n; i++) {
        if (n > 0 && t->p[n - 1].household == t->p[i].household) {
            struct tally *k = &t->p[n - 1];

            k->answered += t->p[i].answered;
            k->truth += t->p[i].truth;
            k->delta += t->p[i].delta;
            assert_false(k->faulty && t->p[i].faulty);
            k->faulty |= t->p[i].faulty;
        } else {
            t->p[n++] = t->p[i];
        }
    }
    t->n = n;
}

static int64_t number(struct puan_str s)
{
    int64_t v = 0;

    assert_true(puan_int_parse(&v, s));
    return v;
}

static bool one_of(struct puan_str s, const char *codes)
{
    return s.n == 1 && strchr(codes, s.p[0]) != NULL;
}

static bool counts_here(struct puan_str stay, struct puan_str reg,
                        struct puan_str left)
{
    if (one_of(stay, "1"))
        return one_of(reg, "125") ||
               (one_of(reg, "34") && one_of(left, "3456789"));
    if (!one_of(reg, "1"))
        return false;
    return (one_of(stay, "45") && one_of(left, "2")) || one_of(stay, "67");
}

static void read_persons(struct tallies *t, const char *path, bool two_sided)
{
    struct puan_sheet *s;
    struct puan_err err = { 0 };
    const struct puan_csv *c;
    int h, d7, d8 = 0, d9 = 0;
    bool more = false;

    assert_int_equal(puan_sheet_open(&s, path, &err), PUAN_OK);
    c = puan_sheet_row(s);
    h = puan_sheet_column(s, "household");
    d7 = puan_sheet_column(s, two_sided ? "D7" : "usual");
    if (two_sided) {
        d8 = puan_sheet_column(s, "D8");
        d9 = puan_sheet_column(s, "D9");
    }
    assert_true(h >= 0 && d7 >= 0 && d8 >= 0 && d9 >= 0);
    while (puan_sheet_next(&more, s, &err) == PUAN_OK && more)
        tally_of(t, number(c->field[h]))->answered +=
            two_sided ? counts_here(c->field[d7], c->field[d8], c->field[d9])
                      : one_of(c->field[d7], "1");
    assert_int_equal(err.code, PUAN_OK);
    puan_sheet_close(s);
}

static void read_truth(struct tallies *t, const char *path, bool two_sided)
{
    struct puan_sheet *s;
    struct puan_err err = { 0 };
    const struct puan_csv *c;
    bool more = false;
    int row, h, stay, reg, left, resident, delta;

    assert_int_equal(puan_sheet_open(&s, path, &err), PUAN_OK);
    c = puan_sheet_row(s);
    row = puan_sheet_column(s, "row");
    h = puan_sheet_column(s, "household");
    stay = puan_sheet_column(s, "stay");
    reg = puan_sheet_column(s, "registration");
    left = puan_sheet_column(s, "left");
    resident = puan_sheet_column(s, "resident");
    delta = puan_sheet_column(s, "delta_resident");
    while (puan_sheet_next(&more, s, &err) == PUAN_OK && more) {
        struct tally *k = tally_of(t, number(c->field[h]));

        if (puan_str_is(c->field[row], "person")) {
            bool counts =
                !two_sided || counts_here(c->field[stay], c->field[reg],
                                          c->field[left]);

            assert_int_equal(number(c->field[resident]), counts);
            k->truth += counts;
        } else {
            k->delta += number(c->field[delta]);
            assert_false(k->faulty);
            k->faulty = true;
        }
    }
    assert_int_equal(err.code, PUAN_OK);
    puan_sheet_close(s);
}

static void check_effects(const char *plan, const char *area,
                          const char *const *county, size_t n_counties,
                          const char *person, bool two_sided)
{
    const char *out = run(plan, area, "0.004", "11", "default", "effects");
    struct tallies t = { 0 };
    int64_t truth = 0;
    size_t faulty = 0;

    for (size_t i = 0; i < n_counties; i++)
        read_persons(&t,
                     puan_arena_fmt(&a, "%s/returns/%s/%s.csv", out, county[i],
                                    person),
                     two_sided);
    read_truth(&t, puan_arena_fmt(&a, "%s/truth.csv", out), two_sided);
    merge(&t);
    for (size_t i = 0; i < t.n; i++) {
        /* each household by itself, so every subset of faults adds up */
        assert_int_equal(t.p[i].answered - t.p[i].truth, t.p[i].delta);
        assert_true(t.p[i].faulty || t.p[i].delta == 0);
        truth += t.p[i].truth;
        faulty += t.p[i].faulty;
    }
    assert_true(truth > 0);
    assert_true(faulty > 20);
    /* and said once more for subsets, as an installation would meet them */
    for (uint64_t seed = 0; seed < 20; seed++) {
        int64_t counted = 0, open = 0;

        for (size_t i = 0; i < t.n; i++) {
            bool corrected = sim_hash(seed, 1, i) % 3 == 0;

            counted += corrected ? t.p[i].truth : t.p[i].answered;
            open += corrected ? 0 : t.p[i].delta;
        }
        assert_int_equal(counted - truth, open);
    }
    free(t.p);
}

static void effects_of_faults_add_up(void **state)
{
    static const char *const county[] = { "370811", "370812", "370826",
                                          "370827", "370828", "370829",
                                          "370830", "370831", "370832",
                                          "370871", "370881", "370883" };

    (void)state;
    check_effects(CN, "3708", county, PUAN_COUNT(county), "person", true);
}

static void effects_add_up_in_another_country(void **state)
{
    static const char *const canton[] = { "11", "12", "21" };

    (void)state;
    check_effects(ZZ, "ALL", canton, PUAN_COUNT(canton), "member", false);
}

static int64_t rows_of(const char *path)
{
    struct puan_sheet *s;
    struct puan_err err = { 0 };
    bool more = false;
    int64_t n = 0;

    assert_int_equal(puan_sheet_open(&s, path, &err), PUAN_OK);
    while (puan_sheet_next(&more, s, &err) == PUAN_OK && more)
        n++;
    assert_int_equal(err.code, PUAN_OK);
    puan_sheet_close(s);
    return n;
}

static void without_faults_nothing_is_planted(void **state)
{
    const char *out = run(CN, "370883", "0.003", "2", "none", "clean");
    struct puan_sheet *s;
    struct puan_err err = { 0 };
    bool more = false;

    (void)state;
    assert_int_equal(
        rows_of(puan_arena_fmt(&a, "%s/returns_true/370883/household.csv",
                               out)),
        0);
    assert_int_equal(puan_sheet_open(&s,
                                     puan_arena_fmt(&a, "%s/truth.csv", out),
                                     &err),
                     PUAN_OK);
    while (puan_sheet_next(&more, s, &err) == PUAN_OK && more)
        assert_true(puan_str_is(puan_sheet_row(s)->field[0], "person"));
    puan_sheet_close(s);
}

/* ---- numbers ---------------------------------------------------------- */

static void id_numbers_have_the_standards_check_character(void **state)
{
    char id[19];

    (void)state;
    /* the two examples of GB 11643 and synthetic ones before 1900 */
    sim_id_text(id, 110105, puan_day_of(1949, 12, 31), 2);
    assert_string_equal(id, "11010519491231002X");
    sim_id_text(id, 440524, puan_day_of(1880, 1, 1), 1);
    assert_string_equal(id, "440524188001010014");
    sim_id_text(id, 370883, puan_day_of(1885, 6, 15), 13);
    assert_string_equal(id, "370883188506150133");
    sim_id_text(id, 370883, puan_day_of(1885, 6, 15), 7);
    assert_string_equal(id, "37088318850615007X");
}

static int id_cmp(const void *x, const void *y)
{
    return memcmp(x, y, 18);
}

static void nobody_shares_a_number(void **state)
{
    struct sim_spec *s;
    struct puan_err err = { 0 };
    struct sim_shard sh;
    struct sim_run r;
    uint32_t shard, n = 0;
    char(*id)[18];

    (void)state;
    assert_int_equal(sim_spec_load(&s, CN, &a, &err), PUAN_OK);
    make(&sh, &r, &shard, s, 370883, 0.1, &a);
    id = calloc(sh.n_persons, sizeof(*id));
    assert_non_null(id);
    for (uint32_t i = 0; i < sh.n_persons; i++) {
        const struct sim_person *p = &sh.person[i];
        char text[19];

        /* the second record of a pair has the number of the first */
        if (i >= sh.n_residents && (p->number & 0xffffffffu) < sh.n_residents)
            continue;
        sim_id_text(text, p->id_region, p->birth_day, p->id_sequence);
        memcpy(id[n++], text, 18);
    }
    qsort(id, n, sizeof(*id), id_cmp);
    for (uint32_t i = 1; i < n; i++)
        assert_true(memcmp(id[i], id[i - 1], 18) != 0);
    free(id);
}

/* ---- score ------------------------------------------------------------ */

static const char *write_file(const char *name, const char *text)
{
    const char *path = puan_arena_fmt(&a, "%s/%s", dir, name);
    struct puan_err err = { 0 };

    assert_int_equal(puan_file_write(path, puan_str_of(text), 0600, &err),
                     PUAN_OK);
    return path;
}

#define TRUTH_HEAD                                                             \
    "row,household,line,person,fault,detectable\n"

static void detectors_are_scored(void **state)
{
    const char *truth = write_file("truth.csv", TRUTH_HEAD
                                   "person,10,1,500,,\n"
                                   "person,20,2,500,,\n"
                                   "person,13,1,501,,\n"
                                   "fault,10,1,,1,RA+RB\n"
                                   "fault,11,0,,2,RA\n"
                                   "fault,12,3,501,3,duplicates\n"
                                   "fault,14,1,,4,none\n");
    const char *list[] = { write_file("list.csv",
                                      "detector,household,line\n"
                                      "RA,10,1\n"
                                      "RA,10,1\n" /* said twice */
                                      "RA,11,4\n" /* household decides */
                                      "RA,14,1\n" /* beside */
                                      "RA,99,1\n" /* false */
                                      "duplicates,12,3\n"
                                      "duplicates,13,1\n"
                                      "duplicates,13,2\n"
                                      "pairs,10,1\n") };
    struct puan_out o;
    struct puan_err err = { 0 };

    (void)state;
    puan_out_init(&o, &a);
    assert_int_equal(sim_score(&o, truth, list, 1, &a, &err), PUAN_OK);
    assert_string_equal(
        o.p,
        "{\"RA\":{\"planted\":2,\"found\":2,\"false\":1,\"beside\":1,"
        "\"recall_ppm\":1000000,\"precision_ppm\":666666},"
        "\"RB\":{\"planted\":1,\"found\":0,\"false\":0,\"beside\":0,"
        "\"recall_ppm\":0},"
        "\"duplicates\":{\"planted\":1,\"found\":1,\"false\":1,\"beside\":0,"
        "\"recall_ppm\":1000000,\"precision_ppm\":500000},"
        "\"pairs\":{\"planted\":1,\"found\":1,\"false\":0,\"beside\":0,"
        "\"recall_ppm\":1000000,\"precision_ppm\":1000000}}\n");
}

static void a_spec_with_an_unknown_column_is_refused(void **state)
{
    struct puan_err err = { 0 };
    struct sim_spec *s;
    const char *pack = puan_arena_fmt(&a, "%s/pack", dir);
    struct puan_str text;
    struct puan_out o;

    (void)state;
    assert_int_equal(
        puan_dir_make(puan_arena_fmt(&a, "%s/simulate", pack), &err), PUAN_OK);
    (void)write_file("pack/simulate/margins.csv", "code,pop,hh\n11,5,2\n");
    assert_int_equal(puan_file_read(&text, ZZ "/simulate/spec.yaml", 0, &a,
                                    &err),
                     PUAN_OK);
    puan_out_init(&o, &a);
    puan_out_str(&o, text);
    (void)write_file("pack/simulate/spec.yaml", o.p);
    assert_int_equal(sim_spec_load(&s, pack, &a, &err), PUAN_EINVAL);
    assert_string_equal(err.text, "the margins have no column \"households\"");
    assert_true(err.line > 0);
}

/* ---- further forms ------------------------------------------------------ */

extern const struct puan_feature puan_feature_check;

struct table {
    struct puan_csv csv;
    struct puan_arena row;
};

static void open_table(struct table *t, const char *path)
{
    struct puan_str text;
    struct puan_err err = { 0 };

    puan_arena_init(&t->row, puan_os_alloc());
    assert_int_equal(puan_file_read(&text, path, 0, &a, &err), PUAN_OK);
    assert_int_equal(puan_csv_open(&t->csv, text, path, &a, &t->row, &err),
                     PUAN_OK);
}

static bool next_row(struct table *t)
{
    struct puan_err err = { 0 };
    bool more = false;

    puan_arena_reset(&t->row);
    assert_int_equal(puan_csv_next(&more, &t->csv, &err), PUAN_OK);
    if (!more)
        puan_arena_clear(&t->row);
    return more;
}

static struct puan_str at(const struct table *t, const char *column)
{
    int i = puan_csv_column(&t->csv, column);

    assert_true(i >= 0);
    return t->csv.field[i];
}

static size_t lines_in(const char *path)
{
    struct table t;
    size_t n = 0;

    open_table(&t, path);
    while (next_row(&t))
        n++;
    return n;
}

/* Rows where `item` is `code`, in percent of those where it is not empty. */
static int share(const char *path, const char *item, const char *code)
{
    struct table t;
    int n = 0, all = 0;

    open_table(&t, path);
    while (next_row(&t)) {
        all += at(&t, item).n > 0;
        n += puan_str_is(at(&t, item), code);
    }
    assert_true(all > 500);
    return 100 * n / all;
}

/* puan check over the files of a form; the file of its findings. */
static const char *checked(const char *out, const char *form, int *code)
{
    const char *to = puan_arena_fmt(&a, "%s/%s.findings.csv", out, form);
    const char *in = puan_arena_fmt(&a, "%s/returns/370883/%s", out, form);
    const char *argv[] = { "check", "--plan", CN, "--form", form, "--quiet",
                           "--out", to,
                           puan_arena_fmt(&a, "%s/household.csv", in),
                           puan_arena_fmt(&a, "%s/person.csv", in),
                           puan_arena_fmt(&a, "%s/death.csv", in) };
    size_t n = PUAN_COUNT(argv) - (strcmp(form, "long") != 0);
    char *copy[PUAN_COUNT(argv)];

    for (size_t i = 0; i < n; i++)
        copy[i] = strdup(argv[i]);
    *code = puan_feature_check.commands[0].run((int)n, copy);
    for (size_t i = 0; i < n; i++)
        free(copy[i]);
    return to;
}

static bool has_finding(const char *path, struct puan_str household,
                        struct puan_str rule, bool hard)
{
    struct table t;
    bool found = false;

    open_table(&t, path);
    while (next_row(&t))
        found |= hard ? puan_str_is(at(&t, "severity"), "hard")
                      : puan_str_eq(at(&t, "household"), household) &&
                            puan_str_eq(at(&t, "rule"), rule);
    return found;
}

/* A tenth of the households, near the county's published shares, no offence. */
static void a_tenth_answers_the_long_form(void **state)
{
    const char *out = run(CN, "370883", "0.02", "5", "none", "long");
    const char *home = puan_arena_fmt(&a, "%s/returns/370883/long/household.csv",
                                      out);
    const char *person = puan_arena_fmt(&a, "%s/returns/370883/long/person.csv",
                                        out);
    size_t all = lines_in(
        puan_arena_fmt(&a, "%s/returns/370883/household.csv", out));
    size_t drawn = lines_in(home);
    int code;

    (void)state;
    assert_in_range(drawn, all / 10, all / 10 + 1);
    /* published: lift 12.4, piped water 91.2; married 77.4, never 13.9 */
    assert_in_range(share(home, "H11", "1"), 8, 17);
    assert_in_range(share(home, "H13", "1"), 87, 96);
    assert_in_range(share(person, "C24", "2"), 72, 83);
    assert_in_range(share(person, "C24", "1"), 9, 19);
    assert_int_equal(lines_in(puan_arena_fmt(&a, "%s/truth_long.csv", out)), 0);
    assert_true(lines_in(puan_arena_fmt(&a, "%s/work_long.csv", out)) > 1000);
    assert_false(has_finding(checked(out, "long", &code), PUAN_STR(""),
                             PUAN_STR(""), true));
    assert_false(has_finding(checked(out, "hmt", &code), PUAN_STR(""),
                             PUAN_STR(""), true));
}

/* Every planted fault is found by the rules it names. */
static void faults_of_further_forms_are_found(void **state)
{
    static const char *const form[] = { "long", "hmt" };
    const char *out = run(CN, "370883", "0.05", "6", "default", "spoilt");
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(form); i++) {
        int code;
        const char *found = checked(out, form[i], &code);
        struct table t;

        assert_int_equal(code, PUAN_EXIT_FINDINGS);
        open_table(&t, puan_arena_fmt(&a, "%s/truth_%s.csv", out, form[i]));
        while (next_row(&t)) {
            assert_false(puan_str_eq(at(&t, "true_value"),
                                     at(&t, "planted_value")));
            if (puan_str_is(at(&t, "detectable"), "none"))
                continue;
            if (!has_finding(found, at(&t, "household"), at(&t, "detectable"),
                             false))
                fail_msg("%.*s in household %.*s is not found by %.*s",
                         PUAN_FMT(at(&t, "kind")), PUAN_FMT(at(&t, "household")),
                         PUAN_FMT(at(&t, "detectable")));
            n++;
        }
    }
    assert_true(n > 25);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(shares_keep_the_sum_and_the_caps),
        T(shares_of_many_cells_keep_the_sum),
        T(a_fitted_table_has_both_margins),
        T(published_margins_are_met),
        T(borders_are_watertight),
        T(the_lattice_is_not_folded),
        T(the_same_seed_gives_the_same_bytes),
        T(effects_of_faults_add_up),
        T(effects_add_up_in_another_country),
        T(without_faults_nothing_is_planted),
        T(id_numbers_have_the_standards_check_character),
        T(nobody_shares_a_number),
        T(detectors_are_scored),
        T(a_spec_with_an_unknown_column_is_refused),
        T(a_tenth_answers_the_long_form),
        T(faults_of_further_forms_are_found),
    };

    return cmocka_run_group_tests_name("simulate", tests, NULL, NULL);
}
