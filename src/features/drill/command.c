/*
 * puan drill: drills of a pack, technical drills on a directory that is not
 * served, reports.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/drill/internal.h"
#include "features/plans/plans.h"
#include "kit/crypto/crypto.h"
#include "kit/os/heap.h"

static int failed(enum puan_status st, const struct puan_err *err)
{
    fprintf(stderr, "puan: %s: %s\n", err->where, err->text);
    return st == PUAN_EINVAL || st == PUAN_ENOTFOUND ? PUAN_EXIT_INPUT
           : st == PUAN_ECONFLICT || st == PUAN_EDENIED
               ? PUAN_EXIT_REFUSED
               : PUAN_EXIT_SYSTEM;
}

static int cmd_list(int argc, char **argv)
{
    struct puan_plan_held *h = NULL;
    struct puan_drills all;
    struct puan_flows flows;
    struct puan_arena a;
    struct puan_err err = { 0 };
    enum puan_status st;

    if (argc != 2 || argv[1][0] == '-')
        return PUAN_EXIT_USAGE;
    puan_arena_init(&a, &puan_heap);
    st = puan_plan_load_dir(&h, argv[1], puan_digest_sm3(), &err);
    if (st == PUAN_OK)
        st = puan_flows_load(&flows, puan_plan_held_plan(h), &a, &err);
    if (st == PUAN_OK)
        st = puan_drills_load(&all, puan_plan_held_plan(h), &flows, &a, &err);
    for (size_t i = 0; st == PUAN_OK && i < all.n; i++) {
        const struct puan_drill *d = all.drill[i];

        printf("%-20.*s %s %-16.*s %3lld d  %zu injects, %zu expectations, "
               "%d points  %.*s\n",
               PUAN_FMT(d->id), d->does.n ? "does" : "of",
               PUAN_FMT((d->does.n ? d->does : d->of)),
               (long long)(d->every_ms / 86400000), d->n_injects, d->n_expects,
               d->points, PUAN_FMT(d->zh));
    }
    puan_plan_close(h);
    puan_arena_clear(&a);
    return st == PUAN_OK ? PUAN_EXIT_DONE : failed(st, &err);
}

/* The first area of the drill's level. */
static int64_t place_of(struct puan_store *st, const struct puan_drill *d)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    int level = t ? puan_area_level_of(t, d->level) : -1;

    for (uint32_t i = 0; level >= 0 && i < t->n; i++)
        if ((int)t->area[i].level == level)
            return t->area[i].code;
    return 0;
}

static enum puan_status as_system(int64_t *made, struct puan_store *st,
                                  enum puan_drill_do what, int64_t run,
                                  struct puan_str drill, int64_t area,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_act act = { .actor = PUAN_STR("operator"),
                            .seat = PUAN_STR("command line"),
                            .device = PUAN_STR("") };
    struct puan_drill_call c = { .what = what,
                                 .run = run,
                                 .drill = drill,
                                 .area = area,
                                 .role = PUAN_STR("system"),
                                 .person = PUAN_STR("operator"),
                                 .name = PUAN_STR(""),
                                 .text = PUAN_STR(""),
                                 .arena = a };
    enum puan_status rc = puan_drill_do(st, &act, &c, err);

    *made = c.made;
    return rc;
}

static enum puan_status story(struct puan_drill_story *s, struct puan_store *st,
                              int64_t id, struct puan_arena *a,
                              struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_db *db = NULL;
    enum puan_status rc = puan_read_begin(&db, office, err);

    if (rc != PUAN_OK)
        return rc;
    rc = puan_drill_story_read(s, st, db, id, puan_store_now(st), a, err);
    puan_read_end(office, db);
    return rc;
}

static void print_report(struct puan_store *st, const struct puan_drill_story *s,
                         struct puan_arena *a)
{
    struct puan_out o;

    puan_out_init(&o, a);
    puan_drill_report(&o, st, s);
    fwrite(puan_out_view(&o).p, 1, puan_out_view(&o).n, stdout);
}

static int cmd_run(int argc, char **argv)
{
    struct puan_drill_story *s;
    const struct puan_drill *d = NULL;
    struct puan_store *st = NULL;
    struct puan_arena a;
    struct puan_err err = { 0 };
    int64_t id = 0, ignored = 0;
    bool passed = false;
    enum puan_status rc;

    if (argc != 3)
        return PUAN_EXIT_USAGE;
    puan_arena_init(&a, &puan_heap);
    s = puan_new(&a, struct puan_drill_story);
    rc = s ? puan_store_open(&st, argv[1], NULL, &err)
           : puan_arena_check(&a, &err);
    if (rc == PUAN_OK)
        rc = puan_drill_find(&d, st, puan_str_of(argv[2]), &err);
    if (rc == PUAN_OK && d->does.n == 0)
        rc = puan_fail(&err, PUAN_EINVAL, argv[2],
                       "people take part in this drill; start it on the page "
                       "or by POST /drills");
    if (rc == PUAN_OK)
        rc = as_system(&id, st, PUAN_DRILL_DO_PLAN, 0, d->id, place_of(st, d),
                       &a, &err);
    if (rc == PUAN_OK)
        rc = as_system(&ignored, st, PUAN_DRILL_DO_START, id, d->id, 0, &a,
                       &err);
    if (rc == PUAN_OK)
        rc = puan_drill_procedure(st, id, &err);
    if (rc == PUAN_OK)
        rc = story(s, st, id, &a, &err);
    if (rc == PUAN_OK) {
        print_report(st, s, &a);
        passed = s->result.passed;
    }
    puan_store_close(st);
    puan_arena_clear(&a);
    if (rc != PUAN_OK)
        return failed(rc, &err);
    return passed ? PUAN_EXIT_DONE : PUAN_EXIT_FINDINGS;
}

static int cmd_report(int argc, char **argv)
{
    struct puan_store_options opt = { .readonly = true };
    struct puan_drill_story *s;
    struct puan_store *st = NULL;
    struct puan_arena a;
    struct puan_err err = { 0 };
    int64_t id = 0;
    enum puan_status rc;

    if (argc != 3 || !puan_int_parse(&id, puan_str_of(argv[2])))
        return PUAN_EXIT_USAGE;
    puan_arena_init(&a, &puan_heap);
    s = puan_new(&a, struct puan_drill_story);
    rc = s ? puan_store_open(&st, argv[1], &opt, &err)
           : puan_arena_check(&a, &err);
    if (rc == PUAN_OK)
        rc = story(s, st, id, &a, &err);
    if (rc == PUAN_OK)
        print_report(st, s, &a);
    puan_store_close(st);
    puan_arena_clear(&a);
    return rc == PUAN_OK ? PUAN_EXIT_DONE : failed(rc, &err);
}

const struct puan_command puan_drill_commands[PUAN_DRILL_COMMANDS] = {
    { "drill list", "PACK",
      "Lists the drills of a plan pack: what each rehearses, how often, its "
      "injects, expectations and points.",
      cmd_list, "列出方案包内的演练" },
    { "drill run", "DIR DRILL",
      "Runs a technical drill (restore, tamper, load) on a copy of a campaign "
      "directory that is not served, and prints its report; exit code 1 when "
      "it is not passed. On a served one: POST /drills.",
      cmd_run, "在副本上进行技术演练" },
    { "drill report", "DIR N",
      "Prints the report of drill N: score by step and time, what happened, "
      "improvements.",
      cmd_report, "输出演练报告" },
};
