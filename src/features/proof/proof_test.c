/*
 * The catalogue and its scenarios: what is read and refused, what a play
 * decides, what a mutant dies of.  The packs of the project are played whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "features/plans/plans.h"
#include "features/proof/internal.h"
#include "kit/crypto/crypto.h"
#include "kit/os/os.h"
#include "kit/yaml/yaml.h"

static struct puan_arena arena;
static struct puan_plan_held *held;

static int setup(void **state)
{
    struct puan_err err = { 0 };

    (void)state;
    puan_arena_init(&arena, puan_os_alloc());
    if (puan_plan_load_dir(&held, "plans/cn-office-gx", puan_digest_sm3(),
                           &err) != PUAN_OK)
        fail_msg("%s:%u: %s", err.where, err.line, err.text);
    return 0;
}
static int teardown(void **state)
{
    (void)state;
    puan_plan_close(held);
    puan_arena_clear(&arena);
    return 0;
}

/* ---- the catalogue ---------------------------------------------------------- */

#define HEAD "id\tsystem\tkind\tzh\ten\tfigure\tshows\twhat\n"

static struct puan_err clauses(struct puan_clauses *c, const char *text)
{
    struct puan_err err = { 0 };
    enum puan_status st = puan_clauses_read(c, puan_str_of(text), "c.tsv",
                                            PUAN_STR("p"), &arena, &err);

    assert_int_equal(st, err.code);
    return err;
}

static void a_catalogue_is_read_row_by_row(void **state)
{
    struct puan_clauses c;

    (void)state;
    assert_int_equal(
        clauses(&c, HEAD "GX1-4.2\tincident\trespond\t甲\tA\t30 m\topen\tcases\n"
                         "HN-1\tassessment\tscore+detect\t乙\tB\t\tshown\t\n")
            .code,
        PUAN_OK);
    assert_int_equal(c.n, 2);
    assert_true(puan_str_is(c.list[0].source, "GX1"));
    assert_true(puan_str_is(c.list[1].kind, "score"));
    assert_true(puan_str_is(c.list[1].as, "detect"));
    assert_ptr_equal(puan_clauses_get(&c, PUAN_STR("HN-1")), &c.list[1]);
    assert_null(puan_clauses_get(&c, PUAN_STR("HN-2")));
}

static void a_bad_row_is_named_by_place(void **state)
{
    static const struct {
        const char *text;
        unsigned line, col;
    } bad[] = {
        { "", 1, 1 },
        { "id\tsystem\n", 1, 1 },
        { HEAD "A-1\tx\trespond\t甲\tA\t\topen\n", 2, 1 },
        { HEAD "A-1\tx\trespond\t甲\tA\t\topen\tc\tmore\n", 2, 1 },
        { HEAD "A-1\tx\tsometimes\t甲\tA\t\topen\tc\n", 2, 7 },
        { HEAD "A-1\tx\trecord+now\t甲\tA\t\topen\tc\n", 2, 7 },
        { HEAD "A-1\tx\trespond\t\tA\t\topen\tc\n", 2, 15 },
        { HEAD "A-1\tx\trespond\t甲\tA\t\tmaybe\tc\n", 2, 22 },
        { HEAD "A-1\tx\trespond\t甲\tA\t\topen\t\n", 2, 27 },
        { HEAD "A-1\tx\trespond\t甲\tA\t\texternal\t\n", 2, 31 },
        { HEAD "A-1\tx\trespond\t甲\tA\t\topen\tc\n"
               "A-1\tx\trespond\t甲\tA\t\topen\tc\n",
          3, 1 },
    };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(bad); i++) {
        struct puan_clauses c;
        struct puan_err err = clauses(&c, bad[i].text);

        assert_int_equal(err.code, PUAN_EINVAL);
        assert_int_equal(err.line, bad[i].line);
        assert_int_equal(err.col, bad[i].col);
    }
}

/* ---- plays of our own over the office pack ------------------------------------ */

/* In the place of plays over HTTP: the plan as it is passes, then `then`. */
static enum puan_status stub_then;
static bool stub_unloadable;

static enum puan_status stub(struct puan_played *played,
                             const struct puan_plan *plan,
                             const struct puan_scenario *s, void *arg,
                             struct puan_err *err)
{
    const struct puan_plan_pack *own = arg;

    (void)s;
    if (plan->pack == own) {
        *played = (struct puan_played){ .allowed = 1, .refused = 1 };
        return PUAN_OK;
    }
    played->unloadable = stub_unloadable;
    return puan_fail(err, stub_then, "t.yaml", "stub");
}

#define ROW_1 "T-1\tincident\trespond\t甲\tA\t\topen\tcases\n"

/* The office pack with a proof file (and a catalogue) of the test's own. */
static struct puan_err proof(struct puan_proof *out, const char *rows,
                             const char *yaml, bool mutate)
{
    const struct puan_plan *p = puan_plan_held_plan(held);
    struct puan_plan *own = puan_new(&arena, struct puan_plan);
    struct puan_plan_pack *pack = puan_new(&arena, struct puan_plan_pack);
    struct puan_plan_file *file =
        puan_new_n(&arena, p->pack[0].n_files + 2, struct puan_plan_file);
    struct puan_proof_options opt = { .run = true, .mutate = mutate,
                                      .own = true, .server = stub,
                                      .arg = pack };
    struct puan_node *tree = NULL;
    struct puan_err err = { 0 };
    size_t n = 0;

    for (size_t i = 0; i < p->pack[0].n_files; i++)
        if (!puan_str_starts(p->pack[0].file[i].path, "proof/") &&
            !puan_str_is(p->pack[0].file[i].path, "clauses.tsv"))
            file[n++] = p->pack[0].file[i];
    *own = *p;
    *pack = p->pack[0];
    own->pack = pack;
    pack->file = file;
    if (puan_yaml_tree(&tree, puan_str_of(yaml), "t.yaml", &arena, &err) !=
        PUAN_OK)
        fail_msg("%u:%u: %s", err.line, err.col, err.text);
    file[n++] = (struct puan_plan_file){ .pack = pack->name,
                                         .path = PUAN_STR("proof/t.yaml"),
                                         .name = "t.yaml",
                                         .tree = tree };
    file[n++] = (struct puan_plan_file){
        .pack = pack->name,
        .path = PUAN_STR("clauses.tsv"),
        .name = "clauses.tsv",
        .text = puan_str_of(puan_arena_fmt(&arena, "%s%s", HEAD, rows))
    };
    pack->n_files = n;
    (void)!puan_proof_make(out, own, puan_digest_sm3(), &opt, &arena, &err);
    return err;
}

#define FILE_HEAD                                                              \
    "proof: t\nof: flows/incident.yaml\narea: 450302001\n"                     \
    "time: 2020-11-02T08:00:00+08:00\nscenarios:\n"                            \
    "  - id: one\n    zh: 甲\n    en: A\n"
#define OPEN                                                                   \
    "      - {open: incident, by: duty-officer, level: township, "             \
    "fields: {class: disaster, title: a}}\n"
#define KEEP                                                                   \
    "      - {act: keep_local, by: risk-office, refused: 409, "                \
    "fields: {scope: one_city}}\n"

static void what_a_clause_rests_on_kills_the_play(void **state)
{
    struct puan_proof p;

    (void)state;
    assert_int_equal(
        proof(&p, ROW_1,
              FILE_HEAD "    proves: {T-1: [transitions.keep_local.when]}\n"
                        "    play:\n" OPEN KEEP,
              true)
            .code,
        PUAN_OK);
    assert_int_equal(p.row[0].state, PUAN_PROOF_SHOWN);
    assert_int_equal(p.mutants, 1);
    assert_int_equal(p.killed, 1);
}

static void what_it_does_not_rest_on_survives_and_uncovers_it(void **state)
{
    struct puan_proof p;

    (void)state;
    assert_int_equal(proof(&p, ROW_1,
                           FILE_HEAD "    proves: {T-1: [clocks.progress]}\n"
                                     "    play:\n" OPEN KEEP,
                           false)
                         .code,
                     PUAN_OK);
    /* it rests on a clock: it must be met once and missed once */
    assert_int_equal(p.row[0].state, PUAN_PROOF_UNCOVERED);
    assert_int_equal(
        proof(&p, ROW_1,
              FILE_HEAD "    proves: {T-1: [transitions.keep_local.when, "
                        "fields.loss.zh]}\n"
                        "    play:\n" OPEN KEEP,
              true)
            .code,
        PUAN_OK);
    assert_int_equal(p.row[0].state, PUAN_PROOF_UNCOVERED);
    assert_int_equal(p.mutants, 2);
    assert_int_equal(p.killed, 1);
}

static void a_path_that_is_not_there_uncovers(void **state)
{
    static const char *const paths[] = { "steps.nothing",
                                         "flows/nothing.yaml clocks",
                                         "transitions.keep_local.when ~ moon",
                                         "clocks := 3" };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(paths); i++) {
        struct puan_proof p;

        assert_int_equal(
            proof(&p, ROW_1,
                  puan_arena_fmt(&arena,
                                 FILE_HEAD "    proves: {T-1: "
                                           "[transitions.keep_local.when, "
                                           "\"%s\"]}\n    play:\n" OPEN KEEP,
                                 paths[i]),
                  true)
                .code,
            PUAN_OK);
        assert_int_equal(p.row[0].state, PUAN_PROOF_UNCOVERED);
        assert_int_equal(p.scenario[0].mutant[1], PUAN_MUTANT_WRONG);
    }
}

static void only_what_cannot_be_loaded_is_not_enough(void **state)
{
    struct puan_proof p;

    (void)state;
    assert_int_equal(
        proof(&p, ROW_1,
              FILE_HEAD "    proves: {T-1: [transitions.keep_local]}\n"
                        "    play:\n" OPEN KEEP,
              true)
            .code,
        PUAN_OK);
    assert_int_equal(p.unloadable, 1);
    assert_int_equal(p.row[0].state, PUAN_PROOF_UNCOVERED);
}

/* What is expected not to happen dies not of a name that is gone. */
static void a_name_that_is_gone_kills_nothing(void **state)
{
    struct puan_proof p;

    (void)state;
    assert_int_equal(
        proof(&p, ROW_1,
              FILE_HEAD "    proves: {T-1: [steps.call_up]}\n"
                        "    play:\n" OPEN
                        "      - {steps: {call_up: shut}}\n" KEEP,
              true)
            .code,
        PUAN_OK);
    assert_true(p.scenario[0].passed);
    assert_int_equal(p.scenario[0].mutant[0], PUAN_MUTANT_SURVIVED);
    assert_int_equal(p.row[0].state, PUAN_PROOF_UNCOVERED);
}

/* Nor does a full disk kill, and a campaign that does not start counts apart. */
static void a_machine_at_fault_kills_nothing(void **state)
{
    static const struct {
        enum puan_status then;
        bool unloadable;
        enum puan_mutant is;
    } of[] = { { PUAN_EINVAL, false, PUAN_MUTANT_KILLED },
               { PUAN_EINVAL, true, PUAN_MUTANT_UNLOADABLE },
               { PUAN_EIO, false, PUAN_MUTANT_WRONG },
               { PUAN_EWRITE, false, PUAN_MUTANT_WRONG },
               { PUAN_ENOMEM, false, PUAN_MUTANT_WRONG } };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(of); i++) {
        struct puan_proof p;

        stub_then = of[i].then;
        stub_unloadable = of[i].unloadable;
        assert_int_equal(proof(&p, ROW_1,
                               FILE_HEAD "    server: true\n"
                                         "    proves: {T-1: [clocks.up]}\n"
                                         "    play:\n" OPEN,
                               true)
                             .code,
                         PUAN_OK);
        assert_true(p.scenario[0].passed);
        assert_int_equal(p.scenario[0].mutant[0], of[i].is);
        assert_int_equal(p.row[0].state, of[i].is == PUAN_MUTANT_KILLED
                                             ? PUAN_PROOF_SHOWN
                                             : PUAN_PROOF_UNCOVERED);
    }
}

/* Monitors are read when they are played: what they refuse is not killed. */
static void monitors_that_cannot_be_read_count_apart(void **state)
{
    struct puan_proof p;

    (void)state;
    assert_int_equal(
        proof(&p, ROW_1,
              FILE_HEAD
              "    proves: {T-1: [risks.yaml monitors.backup_age.metric, "
              "risks.yaml monitors.backup_age.levels.yellow]}\n"
              "    play:\n"
              "      - {monitor: backup_age, sees: 10, raises: none}\n"
              "      - {monitor: backup_age, sees: 200000, raises: yellow}\n",
              true)
            .code,
        PUAN_OK);
    assert_true(p.scenario[0].passed);
    assert_int_equal(p.scenario[0].mutant[0], PUAN_MUTANT_UNLOADABLE);
    assert_int_equal(p.scenario[0].mutant[1], PUAN_MUTANT_KILLED);
}

static void a_scenario_needs_both_sides(void **state)
{
    struct puan_proof p;

    (void)state;
    assert_int_equal(
        proof(&p, ROW_1,
              FILE_HEAD "    proves: {T-1: [clocks.up]}\n    play:\n" OPEN,
              false)
            .code,
        PUAN_OK);
    assert_false(p.scenario[0].passed);
    assert_non_null(strstr(p.scenario[0].err.text, "negative side"));
    assert_int_equal(
        proof(&p, ROW_1,
              FILE_HEAD "    proves: {T-1: [fields.title]}\n    play:\n"
                        "      - {open: incident, by: expert, refused: 403, "
                        "fields: {class: disaster, title: a}}\n",
              false)
            .code,
        PUAN_OK);
    assert_false(p.scenario[0].passed);
    assert_non_null(strstr(p.scenario[0].err.text, "positive side"));
}

static void rows_and_scenarios_hold_each_other(void **state)
{
    struct puan_proof p;
    const char *play = FILE_HEAD "    proves: {T-1: "
                                 "[transitions.keep_local.when]}\n"
                                 "    play:\n" OPEN KEEP;

    (void)state;
    /* a scenario for a clause nobody knows */
    assert_int_equal(proof(&p, "T-2\tx\trespond\t甲\tA\t\topen\tc\n", play,
                           false)
                         .code,
                     PUAN_EINVAL);
    /* said to be external, and yet it is proved */
    assert_int_equal(proof(&p, "T-1\tx\trespond\t甲\tA\t\texternal\tc\n", play,
                           false)
                         .code,
                     PUAN_OK);
    assert_int_equal(p.row[0].state, PUAN_PROOF_UNCOVERED);
    /* said to be shown, and nothing shows it */
    assert_int_equal(proof(&p, ROW_1 "T-2\tx\trespond\t甲\tA\t\tshown\t\n",
                           play, false)
                         .code,
                     PUAN_OK);
    assert_int_equal(p.row[0].state, PUAN_PROOF_SHOWN);
    assert_int_equal(p.row[1].state, PUAN_PROOF_UNCOVERED);
}

static void a_step_that_comes_out_otherwise_is_named(void **state)
{
    static const struct {
        const char *step, *says;
    } bad[] = {
        { "{act: keep_local, by: risk-office, fields: {scope: one_city}}",
          "should have been allowed" },
        { "{act: keep_local, by: risk-office, refused: 403, fields: {scope: "
          "one_city}}",
          "not 409" },
        { "{act: keep_local, by: risk-office, refused: 409, because: moon, "
          "fields: {scope: one_city}}",
          "was refused because" },
        { "{step: first_aid, by: duty-officer, level: township, refused: 403}",
          "but was allowed" },
        { "{state: closed}", "stands at" },
        { "{told: leaders}", "was not told" },
        { "{clocks: {up: met}}", "is running" },
        { "{due: {up: 8h}}", "is due" },
        { "{has: {class: social}}", "is \"disaster\"" },
        { "{steps: {first_aid: shut}}", "is open" },
        { "{opened: incident2}", "no case" },
        { "{act: keep_local, by: nobody}", "no role" },
        { "{by: expert}", "no verb" },
        { "{state: found, moon: 1}", "takes no" },
        { "{can: case.open, by: expert}", "should have been allowed" },
        { "{clock: 2019-01-01T00:00:00Z}", "does not go back" },
        { "{begin: nothing}", "under `begin`" },
    };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(bad); i++) {
        struct puan_proof p;

        assert_int_equal(
            proof(&p, ROW_1,
                  puan_arena_fmt(&arena,
                                 FILE_HEAD "    proves: {T-1: [fields]}\n"
                                           "    play:\n" OPEN
                                           "      - %s\n",
                                 bad[i].step),
                  false)
                .code,
            PUAN_OK);
        assert_false(p.scenario[0].passed);
        assert_int_equal(p.scenario[0].err.line, 12);
        if (strstr(p.scenario[0].err.text, bad[i].says) == NULL)
            fail_msg("%s: %s", bad[i].step, p.scenario[0].err.text);
    }
}

/* Over vacant seats a ladder climbs at once; a restart of the play is a new
 * world. */
static void a_vacant_seat_passes_at_once_to_the_next(void **state)
{
    struct puan_proof p;

    (void)state;
    assert_int_equal(
        proof(&p, ROW_1,
              FILE_HEAD
              "    vacant: [risk-office]\n"
              "    proves: {T-1: [clocks.up.overdue.leaders]}\n    play:\n" OPEN
              "      - {pass: 24h}\n"
              "      - {told: office, kind: overdue, of: up, vacant: true}\n"
              "      - {told: leaders, kind: overdue, of: up}\n"
              "      - {clocks: {up: overdue}}\n"
              "      - {fresh: true}\n" OPEN
              "      - {not_told: leaders}\n"
              "      - {pass: 1h}\n"
              "      - {act: report, by: duty-officer, level: township, fields: "
              "{happened: now, place: a, cause: a, details: a, loss: a, scope: "
              "wider, trend: a, measures: a, way: phone}}\n"
              "      - {clocks: {up: met}}\n",
              true)
            .code,
        PUAN_OK);
    assert_true(p.scenario[0].passed);
    assert_int_equal(p.killed, 1);
}

/* ---- the packs ------------------------------------------------------------------ */

static void every_scenario_of_the_packs_passes(void **state)
{
    static const char *const packs[] = { "plans/cn-office-gx",
                                         "plans/cn-population-2020",
                                         "plans/cn-economic-2018" };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(packs); i++) {
        struct puan_proof_options opt = { .run = true, .own = true };
        struct puan_plan_held *h = NULL;
        struct puan_err err = { 0 };
        struct puan_proof p;

        if (puan_plan_load_dir(&h, packs[i], puan_digest_sm3(), &err) !=
                PUAN_OK ||
            puan_proof_make(&p, puan_plan_held_plan(h), puan_digest_sm3(), &opt,
                            &arena, &err) != PUAN_OK)
            fail_msg("%s:%u:%u: %s", err.where, err.line, err.col, err.text);
        assert_true(p.n > 100);
        for (size_t k = 0; k < p.n; k++)
            if (p.row[k].fault != NULL)
                fail_msg("%.*s: %s", PUAN_FMT(p.row[k].of->id), p.row[k].fault);
        puan_plan_close(h);
    }
}

/* Over HTTP, on a scratch campaign: let in, refused, and the mutant is seen. */
static void a_play_over_http(void **state)
{
    static const char yaml[] =
        "proof: t\nof: plan.yaml\narea: 450302001\n"
        "time: 2020-11-02T08:00:00+08:00\nscenarios:\n"
        "  - id: one\n    zh: 甲\n    en: A\n    server: true\n"
        "    proves: {T-1: [roles.duty-officer.can.case.open]}\n"
        "    play:\n"
        "      - {by: duty-officer, level: township, post: /cases, body: {area: "
        "\"{area}\", flow: incident, fields: {class: disaster, title: a}}, "
        "keep: {case: id}}\n"
        "      - {by: duty-officer, level: township, get: \"/cases/{case}\", "
        "has: {case.state: found}}\n"
        "      - {by: expert, post: /cases, refused: 403, lacks: [found], body: "
        "{area: \"{area}\", flow: incident, fields: {class: disaster, title: "
        "a}}}\n"
        "      - {get: /cases, refused: 401}\n"
        "      - {pass: 25h}\n"
        "      - {by: duty-officer, level: township, get: \"/cases/{case}\", "
        "has: {case.clocks.1.state: overdue}}\n";
    struct puan_node *tree = NULL;
    struct puan_scenarios all;
    struct puan_plan own = *puan_plan_held_plan(held);
    struct puan_plan_pack pack = own.pack[0];
    struct puan_plan_file *file =
        puan_new_n(&arena, pack.n_files + 1, struct puan_plan_file);
    struct puan_played played;
    struct puan_err err = { 0 };
    struct puan_rest cap;
    struct puan_flows flows = { 0 };
    const struct puan_plan *mutant = NULL;

    (void)state;
    assert_int_equal(puan_yaml_tree(&tree, PUAN_STR(yaml), "t.yaml", &arena,
                                    &err),
                     PUAN_OK);
    memcpy(file, pack.file, pack.n_files * sizeof *file);
    for (size_t i = 0; i < pack.n_files; i++)
        if (puan_str_starts(file[i].path, "proof/"))
            file[i].tree = NULL;
    file[pack.n_files] = (struct puan_plan_file){
        .pack = pack.name, .path = PUAN_STR("proof/t.yaml"), .tree = tree
    };
    pack.file = file;
    pack.n_files++;
    own.pack = &pack;
    if (puan_scenarios_read(&all, &own, &arena, &err) != PUAN_OK)
        fail_msg("%s:%u: %s", err.where, err.line, err.text);
    assert_int_equal(all.n, 1);
    own = *puan_plan_held_plan(held);
    if (puan_proof_server(&played, &own, &all.list[0], NULL, &err) != PUAN_OK)
        fail_msg("%s:%u: %s", err.where, err.line, err.text);
    assert_int_equal(played.allowed, 3);
    assert_int_equal(played.refused, 2);
    cap = all.list[0].proves[0].rest[0];
    assert_int_equal(puan_plan_without(&mutant, &flows, &own, &flows, &cap,
                                       &arena, &err),
                     PUAN_OK);
    assert_int_not_equal(puan_proof_server(&played, mutant, &all.list[0], NULL,
                                           &err),
                         PUAN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_catalogue_is_read_row_by_row),
        cmocka_unit_test(a_bad_row_is_named_by_place),
        cmocka_unit_test(what_a_clause_rests_on_kills_the_play),
        cmocka_unit_test(what_it_does_not_rest_on_survives_and_uncovers_it),
        cmocka_unit_test(a_path_that_is_not_there_uncovers),
        cmocka_unit_test(only_what_cannot_be_loaded_is_not_enough),
        cmocka_unit_test(a_name_that_is_gone_kills_nothing),
        cmocka_unit_test(a_machine_at_fault_kills_nothing),
        cmocka_unit_test(monitors_that_cannot_be_read_count_apart),
        cmocka_unit_test(a_scenario_needs_both_sides),
        cmocka_unit_test(rows_and_scenarios_hold_each_other),
        cmocka_unit_test(a_step_that_comes_out_otherwise_is_named),
        cmocka_unit_test(a_vacant_seat_passes_at_once_to_the_next),
        cmocka_unit_test(every_scenario_of_the_packs_passes),
        cmocka_unit_test(a_play_over_http),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
