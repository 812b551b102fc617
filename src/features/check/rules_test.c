/*
 * Every rule of a plan pack at its thresholds: test/vectors/plans/PACK.txt, run
 * by both executors.  A rule without a case that fires and one that does not
 * fails the test, so that no threshold moves unseen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/form/record.h"
#include "core/rule/explain.h"
#include "core/rule/rule.h"
#include "features/plans/plans.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

#define FORMS_MOST 16
#define RULES_MOST 512

struct pack {
    size_t n; /* forms, then sheets of figures */
    const struct puan_form *form[FORMS_MOST];
    struct puan_arena a;
    struct puan_plan_held *held;
    const struct puan_plan *plan;
    const struct puan_ruleset *set[FORMS_MOST];
    /* by form and rule: cases that fired, cases that did not */
    uint32_t fired[FORMS_MOST][RULES_MOST], quiet[FORMS_MOST][RULES_MOST];
};

static struct pack *open_pack(const char *name)
{
    static struct pack p;
    struct puan_err err = { 0 };

    memset(&p, 0, sizeof(p));
    puan_arena_init(&p.a, &puan_heap);
    if (puan_plan_load_dir(&p.held, name, NULL, &err) != PUAN_OK)
        fail_msg("%s:%u:%u: %s", err.where, err.line, err.col, err.text);
    p.plan = puan_plan_held_plan(p.held);
    p.n = p.plan->n_forms + p.plan->n_sheets + p.plan->n_dossiers;
    assert_true(p.n <= FORMS_MOST);
    for (size_t f = 0; f < p.n; f++) {
        struct puan_ruleset *rs = NULL;

        p.form[f] = puan_plan_rule_form(p.plan, f);
        if (puan_ruleset_compile(&rs, p.form[f], p.plan->consts,
                                 p.plan->n_consts, p.plan->rule_text,
                                 p.plan->rule_name, p.plan->n_rules, &p.a,
                                 &err) != PUAN_OK)
            fail_msg("%s:%u:%u: %s", err.where, err.line, err.col, err.text);
        assert_true(puan_ruleset_count(rs) <= RULES_MOST);
        p.set[f] = rs;
    }
    return &p;
}

static void close_pack(struct pack *p)
{
    puan_plan_close(p->held);
    puan_arena_clear(&p->a);
}

/* "1,3" of the findings of one rule; "-" when there are none. */
static const char *rows_of(const struct puan_findings *f,
                           const struct puan_ruleset *rs,
                           const struct puan_form *form, size_t rule,
                           struct puan_arena *a)
{
    bool roster = form->entity[puan_ruleset_info(rs, rule)->entity].roster;
    struct puan_out o;

    puan_out_init(&o, a);
    for (size_t i = 0; i < f->n; i++)
        if (f->list[i].rule == rule)
            puan_out_fmt(&o, "%s%u", o.n ? "," : "",
                         roster ? f->list[i].row + 1 : 0);
    return o.n ? o.p : "-";
}

/* Explained part by part, the rule comes out as it did when it ran. */
static void explained(struct pack *p, uint32_t line, struct puan_str id,
                      const struct puan_form *form,
                      const struct puan_record *r,
                      const struct puan_findings *found, size_t rule,
                      const struct puan_ruleset *rs, struct puan_arena *a)
{
    const struct puan_explain_in in = { .form = form,
                                        .consts = p->plan->consts,
                                        .n_consts = p->plan->n_consts,
                                        .texts = p->plan->rule_text,
                                        .files = p->plan->rule_name,
                                        .n_texts = p->plan->n_rules };
    uint32_t n = r->rows[puan_ruleset_info(rs, rule)->entity].n;

    for (uint32_t row = 0; row < n && row < 2; row++) {
        struct puan_explain x;
        struct puan_err err = { 0 };
        bool listed = false;

        for (size_t i = 0; i < found->n; i++)
            listed = listed || (found->list[i].rule == rule &&
                                found->list[i].row == row);
        if (puan_rules_explain(&x, &in, id, r, row, a, &err) != PUAN_OK)
            fail_msg("line %u: %s: %s", line, err.where, err.text);
        if ((x.end == PUAN_EXPLAIN_FINDING) != listed)
            fail_msg("line %u: %.*s explained: %s", line, PUAN_FMT(id),
                     puan_explain_end_text(x.end, false));
        assert_true(x.n > 0);
    }
}

static void run_case(struct pack *p, uint32_t line, struct puan_str head,
                     struct puan_str doc, struct puan_str want)
{
    struct puan_str id, form_id = head;
    const struct puan_form *form;
    const struct puan_ruleset *rs;
    const struct puan_record *one;
    struct puan_record r;
    struct puan_return_head h;
    struct puan_findings found, block;
    struct puan_err err = { 0 };
    struct puan_arena a;
    const char *got;
    size_t rule = 0, at = 0;

    puan_arena_init(&a, &puan_heap);
    assert_true(puan_str_split(&id, &form_id, ' '));
    while (at < p->n && !puan_str_eq(p->form[at]->id, form_id))
        at++;
    if (at == p->n) {
        fail_msg("line %u: no form %.*s", line, PUAN_FMT(form_id));
        return;
    }
    form = p->form[at];
    rs = p->set[at];
    while (rule < puan_ruleset_count(rs) &&
           !puan_str_eq(puan_ruleset_info(rs, rule)->id, id))
        rule++;
    if (rule == puan_ruleset_count(rs))
        fail_msg("line %u: no rule %.*s", line, PUAN_FMT(id));
    if (puan_record_read(&r, &h, &p->form[at], 1, doc, &a,
                         &err) != PUAN_OK)
        fail_msg("line %u: %s: %s", line, err.where, err.text);
    puan_record_facts(&r);
    one = &r;
    assert_int_equal(puan_ruleset_run(&found, rs, &r, &a, &err), PUAN_OK);
    assert_int_equal(puan_ruleset_run_block(&block, rs, &one, 1, &a, &err),
                     PUAN_OK);
    got = rows_of(&found, rs, form, rule, &a);
    if (!puan_str_is(want, got))
        fail_msg("line %u: %.*s expected %.*s, found %s", line, PUAN_FMT(id),
                 PUAN_FMT(want), got);
    assert_string_equal(got, rows_of(&block, rs, form, rule, &a));
    if (!getenv("PUAN_RULES_ONLY")) /* hundreds of runs ask for the rules
                                       alone: stages/31-thresholds.sh */
        explained(p, line, id, form, &r, &found, rule, rs, &a);
    if (strcmp(got, "-") != 0)
        p->fired[at][rule]++;
    if (strcmp(got, "-") == 0 || puan_ruleset_info(rs, rule)->entity > 0)
        p->quiet[at][rule]++;
    puan_arena_clear(&a);
}

/* Runs a file of three-line cases; how many there were. */
static uint32_t run_file(struct pack *p, const char *path)
{
    struct puan_str text, line, part[3];
    struct puan_err err = { 0 };
    uint32_t n = 0, cases = 0;
    int have = 0;

    if (puan_file_read(&text, path, 0, &p->a, &err) != PUAN_OK)
        fail_msg("%s: %s", err.where, err.text);
    while (puan_str_split(&line, &text, '\n')) {
        n++;
        if (line.n == 0 || line.p[0] == '#')
            continue;
        part[have++] = line;
        if (have == 3) {
            run_case(p, n, part[0], part[1], part[2]);
            cases++;
            have = 0;
        }
    }
    assert_int_equal(have, 0);
    return cases;
}

/* No rule of any form without a case on both sides (in some form). */
static void every_rule_was_tried(const struct pack *p)
{
    for (size_t f = 0; f < p->n; f++)
        for (size_t i = 0; i < puan_ruleset_count(p->set[f]); i++) {
            struct puan_str id = puan_ruleset_info(p->set[f], i)->id;
            uint32_t fired = 0, quiet = 0;

            for (size_t g = 0; g < p->n; g++)
                for (size_t k = 0; k < puan_ruleset_count(p->set[g]); k++)
                    if (puan_str_eq(puan_ruleset_info(p->set[g], k)->id, id)) {
                        fired += p->fired[g][k];
                        quiet += p->quiet[g][k];
                    }
            if (fired == 0 || quiet == 0)
                fail_msg("%.*s: %u cases fire, %u do not", PUAN_FMT(id), fired,
                         quiet);
        }
}

static void the_population_census_of_china_2020(void **state)
{
    struct pack *p = open_pack("plans/cn-population-2020");

    (void)state;
    assert_true(run_file(p, "test/vectors/plans/cn-population-2020.txt") > 400);
    assert_true(run_file(p, "test/vectors/figures/cn-population-2020.txt") >
                150);
    assert_true(run_file(p, "test/vectors/figures/"
                            "cn-population-2020-dossiers.txt") > 30);
    every_rule_was_tried(p);
    close_pack(p);
}

static void the_economic_census_of_china_2018(void **state)
{
    struct pack *p = open_pack("plans/cn-economic-2018");

    (void)state;
    assert_true(run_file(p, "test/vectors/plans/cn-economic-2018.txt") > 450);
    assert_true(run_file(p, "test/vectors/figures/cn-economic-2018.txt") > 60);
    every_rule_was_tried(p);
    close_pack(p);
}

static void the_census_of_zed(void **state)
{
    struct pack *p = open_pack("plans/zz-test");

    (void)state;
    assert_true(run_file(p, "test/vectors/plans/zz-test.txt") > 50);
    every_rule_was_tried(p);
    close_pack(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_population_census_of_china_2020),
        cmocka_unit_test(the_economic_census_of_china_2018),
        cmocka_unit_test(the_census_of_zed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
