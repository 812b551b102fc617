/*
 * The commands: puan simulate, puan simulate score.
 */
#include "features/simulate/sim.h"

#include "features/host/feature.h"
#include "features/plans/plans.h"
#include "features/simulate/score.h"
#include "features/simulate/units.h"
#include "kit/job/progress.h"
#include "kit/os/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_AREAS 64

struct request {
    struct sim_options opt;
    const char *plan;
    const char *area[MAX_AREAS];
    size_t n_areas;
};

static int usage(const char *why)
{
    fprintf(stderr, "puan: %s\n", why);
    return PUAN_EXIT_USAGE;
}

static int failed(const struct puan_err *err, enum puan_status st)
{
    if (err->line > 0)
        fprintf(stderr, "puan: %s:%u: %s\n", err->where, err->line, err->text);
    else
        fprintf(stderr, "puan: %s%s%s\n", err->where,
                err->where[0] != 0 ? ": " : "", err->text);
    switch (st) {
    case PUAN_EINVAL:
    case PUAN_ENOTFOUND:
        return PUAN_EXIT_INPUT;
    case PUAN_EDENIED:
    case PUAN_ECONFLICT:
    case PUAN_ELIMIT:
        return PUAN_EXIT_REFUSED;
    case PUAN_OK:
    case PUAN_EBUSY:
    case PUAN_EIO:
    case PUAN_EWRITE:
    case PUAN_ENOMEM:
    case PUAN_EBUG:
        break;
    }
    return PUAN_EXIT_SYSTEM;
}

static bool parse_scale(double *out, const char *text)
{
    int64_t v;

    if (!puan_fixed_parse(&v, puan_str_of(text), 6) || v < 100 || v > 1000000)
        return false;
    *out = (double)v / 1000000.0;
    return true;
}

static const char *parse(struct request *q, int argc, char **argv)
{
    *q = (struct request){ .opt = { .seed = 1, .scale = 1, .faults = true },
                           .plan = PUAN_DEFAULT_PLAN };
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        int64_t n;

        if (strcmp(name, "--report") == 0) {
            q->opt.report = true;
            continue;
        }
        if (value == NULL)
            return puan_str_starts(puan_str_of(name), "--")
                       ? "an option lacks its value"
                       : "unknown argument";
        i++;
        if (strcmp(name, "--area") == 0 && q->n_areas < MAX_AREAS)
            q->area[q->n_areas++] = value;
        else if (strcmp(name, "--out") == 0)
            q->opt.out = value;
        else if (strcmp(name, "--plan") == 0)
            q->plan = value;
        else if (strcmp(name, "--seed") == 0) {
            if (!puan_int_parse(&n, puan_str_of(value)) || n < 0)
                return "--seed must be a whole number";
            q->opt.seed = (uint64_t)n;
        } else if (strcmp(name, "--scale") == 0) {
            if (!parse_scale(&q->opt.scale, value))
                return "--scale must be between 0.0001 and 1";
        } else if (strcmp(name, "--faults") == 0) {
            if (strcmp(value, "none") != 0 && strcmp(value, "default") != 0)
                return "--faults must be none or default";
            q->opt.faults = strcmp(value, "none") != 0;
        } else if (strcmp(name, "--only") == 0) {
            if (strcmp(value, "areas") != 0)
                return "--only must be areas";
            q->opt.only_areas = true;
        } else {
            return "unknown option";
        }
    }
    if (q->n_areas == 0)
        return "--area is missing";
    if (q->opt.out == NULL)
        return "--out is missing";
    return NULL;
}

/* Shards inside one of the areas asked for, ascending. */
static enum puan_status choose(uint32_t **out, size_t *n,
                               const struct sim_spec *s,
                               const struct request *q, struct puan_arena *a,
                               struct puan_err *err)
{
    uint32_t *row = puan_new_n(a, s->n_areas, uint32_t);

    *n = 0;
    if (row == NULL)
        return puan_arena_check(a, err);
    for (uint32_t i = 0; i < s->n_areas; i++)
        for (size_t k = 0; k < q->n_areas; k++) {
            struct puan_str want = puan_str_of(q->area[k]);

            if (puan_str_is(want, "ALL") ||
                (want.n <= s->area[i].digits.n &&
                 memcmp(want.p, s->area[i].digits.p, want.n) == 0)) {
                row[(*n)++] = i;
                break;
            }
        }
    *out = row;
    if (*n == 0)
        return puan_fail(err, PUAN_ENOTFOUND, q->area[0],
                         "no such area in the margins of the plan; name an "
                         "area of level %.*s or one above it",
                         PUAN_FMT(s->level[s->shard].name));
    return PUAN_OK;
}

static void line(const char *what, int64_t want, int64_t got)
{
    printf("  %-28s %12lld %12lld %8lld\n", what, (long long)want,
           (long long)got, (long long)(got - want));
}

/* Fitted against published, both at the run's scale. */
static void report(const struct sim_shard *sh)
{
    const struct sim_fit *w = &sh->want, *g = &sh->got;
    static const char *const move[SIM_MOVES] = { "from this county",
                                                 "from this province",
                                                 "from elsewhere" };
    char b[64];

    printf("%.*s %.*s\n  %-28s %12s %12s %8s\n", PUAN_FMT(sh->row->digits),
           PUAN_FMT(sh->ground.area[0].zh), "", "published", "fitted", "off");
    line("residents", w->residents, g->residents);
    for (unsigned i = 0; i < sh->spec->n_groups; i++)
        for (int sex = 0; sex < 2; sex++) {
            snprintf(b, sizeof(b), "age %d-%d %s", sh->spec->group[i].from,
                     sh->spec->group[i].to, sex == 0 ? "male" : "female");
            line(b, w->group[i][sex], g->group[i][sex]);
        }
    line("family households", w->households, g->households);
    line("their members", w->household_population, g->household_population);
    line("one-person households", w->one_person, g->one_person);
    for (int i = 0; i < 4; i++) {
        snprintf(b, sizeof(b), "generations %d%s", i + 1, i == 3 ? "+" : "");
        line(b, w->generations[i], g->generations[i]);
    }
    for (int i = 0; i < SIM_MOVES; i++)
        line(move[i], w->migration[i], g->migration[i]);
    for (unsigned c = 0; c < sh->spec->n_edu; c++)
        for (int sex = 0; sex < 2; sex++) {
            snprintf(b, sizeof(b), "education %u %s", c,
                     sex == 0 ? "male" : "female");
            line(b, w->edu[c][sex], g->edu[c][sex]);
        }
    for (int sex = 0; sex < 2; sex++)
        line(sex == 0 ? "illiterate male" : "illiterate female",
             w->illiterate[sex], g->illiterate[sex]);
    line("minorities", w->minority, g->minority);
}

static enum puan_status simulate(const struct request *q, struct puan_err *err)
{
    struct puan_arena all, one;
    struct sim_run run = { .opt = q->opt };
    struct sim_spec *spec;
    struct sim_files *files = NULL;
    struct sim_shard *sh;
    struct puan_progress bar;
    uint32_t *shard = NULL;
    const char *plan;
    enum puan_status st;
    bool crossing;

    puan_arena_init(&all, puan_os_alloc());
    puan_arena_init(&one, puan_os_alloc());
    if ((st = puan_plan_find(&plan, q->plan, &all, err)) != PUAN_OK)
        goto out;
    if (sim_units_has(plan, &all)) {
        st = sim_units_run(plan, &q->opt, q->area, q->n_areas, err);
        goto out;
    }
    if ((st = sim_spec_load(&spec, plan, &all, err)) != PUAN_OK)
        goto out;
    run.spec = spec;
    if ((st = choose(&shard, &run.n_shards, spec, q, &all, err)) != PUAN_OK)
        goto out;
    run.shard = shard;
    sh = puan_new(&all, struct sim_shard);
    if (sh == NULL) {
        st = puan_arena_check(&all, err);
        goto out;
    }
    run.columns = 1;
    while ((size_t)run.columns * (size_t)run.columns < run.n_shards)
        run.columns++;
    for (size_t i = 0; i < run.n_shards; i++) {
        int32_t side = sim_ground_side(
            sim_ground_eas(spec, &spec->area[shard[i]], q->opt.scale) + 40);

        if (side > run.side)
            run.side = side;
    }
    /* What one shard says to another must be known before any is written. */
    crossing = run.n_shards > 1 && !q->opt.only_areas;
    if (crossing)
        puan_progress_begin(&bar, "跨区人口 movers between areas", run.n_shards);
    for (uint32_t i = 0; crossing && i < run.n_shards && st == PUAN_OK; i++) {
        struct sim_links mine = run.links;

        st = sim_shard_make(sh, &run, i, &mine, &one, err);
        run.links = mine;
        puan_arena_reset(&one);
        puan_progress_add(&bar, 1);
    }
    if (crossing)
        (void)puan_progress_end(&bar);
    if (st == PUAN_OK)
        st = sim_files_open(&files, &run, &all, err);
    for (uint32_t i = 0; i < run.n_shards && st == PUAN_OK; i++) {
        st = sim_shard_make(sh, &run, i, NULL, &one, err);
        if (st == PUAN_OK && q->opt.report)
            report(sh);
        if (st == PUAN_OK)
            st = sim_files_shard(files, sh, err);
        puan_arena_reset(&one);
    }
    if (st == PUAN_OK)
        st = sim_files_finish(files, err);
    else
        sim_files_abandon(files);
out:
    sim_links_clear(&run.links);
    puan_arena_clear(&one);
    puan_arena_clear(&all);
    return st;
}

static int run_simulate(int argc, char **argv)
{
    struct puan_err err = { 0 };
    struct request q;
    const char *wrong = parse(&q, argc, argv);
    enum puan_status st;

    if (wrong != NULL)
        return usage(wrong);
    st = simulate(&q, &err);
    return st == PUAN_OK ? PUAN_EXIT_DONE : failed(&err, st);
}

static int run_score(int argc, char **argv)
{
    struct puan_arena a;
    struct puan_out out;
    struct puan_err err = { 0 };
    const char *truth = NULL;
    const char **list;
    size_t n = 0;
    enum puan_status st;

    list = calloc((size_t)argc + 1, sizeof(*list));
    if (list == NULL)
        return PUAN_EXIT_SYSTEM;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--truth") == 0 && i + 1 < argc)
            truth = argv[++i];
        else
            list[n++] = argv[i];
    }
    if (truth == NULL) {
        free(list);
        fprintf(stderr, "puan: --truth is missing\n");
        return PUAN_EXIT_USAGE;
    }
    puan_arena_init(&a, puan_os_alloc());
    puan_out_init(&out, &a);
    st = sim_score(&out, truth, list, n, &a, &err);
    if (st == PUAN_OK)
        fwrite(out.p, 1, out.n, stdout);
    puan_arena_clear(&a);
    free(list);
    return st == PUAN_OK ? PUAN_EXIT_DONE : failed(&err, st);
}

static const struct puan_command commands[] = {
    { "simulate",
      "--area CODE|ALL --out DIR [--seed N] [--scale X] [--plan PACK] "
      "[--faults none|default] [--only areas] [--report]",
      "Makes a synthetic census with known truth. Households and persons are "
      "fitted to the published row of each area; faults are planted and "
      "recorded in truth.csv. A pack with simulate/units.yaml "
      "(cn-economic-2018) makes a census of units instead: legal units with "
      "their branches, businesses, registers to hold them against; --area is "
      "then one county.",
      run_simulate, "模拟一次普查，真值已知，可埋设差错" },
    { "simulate score", "--truth truth.csv DETECTIONS.csv...",
      "Scores detectors against planted truth. Prints planted, found and false "
      "for each detector as JSON.",
      run_score, "对照埋设的真值，评价各项查错的查全率和查准率" },
};

const struct puan_feature puan_feature_simulate = {
    .name = "simulate",
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
};
