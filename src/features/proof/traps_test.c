/*
 * The traps of the catalogue, each as a test of its own: where the orders are
 * easy to overlook, or pull apart.  Each plays the scenarios of the packs that
 * say `trap: N`, in memory or over HTTP.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "features/plans/plans.h"
#include "features/proof/internal.h"
#include "kit/crypto/crypto.h"
#include "kit/os/heap.h"

static const char *const packs[] = { "plans/cn-office-gx",
                                     "plans/cn-population-2020",
                                     "plans/cn-economic-2018" };
static struct puan_arena arena;
static struct puan_plan_held *held[PUAN_COUNT(packs)];
static struct puan_flows flows[PUAN_COUNT(packs)];
static struct puan_scenarios all[PUAN_COUNT(packs)];

static int setup(void **state)
{
    (void)state;
    puan_arena_init(&arena, &puan_heap);
    for (size_t k = 0; k < PUAN_COUNT(packs); k++) {
        struct puan_err err = { 0 };
        const struct puan_plan *p;

        if (puan_plan_load_dir(&held[k], packs[k], puan_digest_sm3(), &err) !=
            PUAN_OK)
            fail_msg("%s:%u: %s", err.where, err.line, err.text);
        p = puan_plan_held_plan(held[k]);
        if (puan_flows_load(&flows[k], p, &arena, &err) != PUAN_OK ||
            puan_scenarios_read(&all[k], p, &arena, &err) != PUAN_OK)
            fail_msg("%s:%u: %s", err.where, err.line, err.text);
    }
    return 0;
}
static int teardown(void **state)
{
    (void)state;
    for (size_t k = 0; k < PUAN_COUNT(packs); k++)
        puan_plan_close(held[k]);
    puan_arena_clear(&arena);
    return 0;
}

/* Plays whatever shows the trap; there must be something. */
static void shown(unsigned trap)
{
    unsigned played = 0;

    for (size_t k = 0; k < PUAN_COUNT(packs); k++) {
        const struct puan_plan *p = puan_plan_held_plan(held[k]);
        const struct puan_stage stage = { p, &flows[k], puan_digest_sm3(),
                                          puan_proof_verbs, NULL };

        for (size_t i = 0; i < all[k].n; i++) {
            const struct puan_scenario *s = &all[k].list[i];
            struct puan_err err = { 0 };
            enum puan_status st;

            if (!(s->traps >> trap & 1) ||
                !puan_str_eq(s->pack, p->pack[0].name))
                continue;
            if (s->server) {
                st = puan_proof_server(NULL, p, s, NULL, &err);
            } else {
                struct puan_arena own;

                puan_arena_init(&own, &puan_heap);
                st = puan_scenario_play(NULL, &stage, s, &own, &err);
                puan_arena_clear(&own);
            }
            if (st != PUAN_OK)
                fail_msg("%.*s: %s:%u: %s", PUAN_FMT(s->id), err.where,
                         err.line, err.text);
            played++;
        }
    }
    if (played == 0)
        fail_msg("no scenario says trap: %u", trap);
}

#define TRAP(n, name)                                                          \
    static void name(void **state)                                             \
    {                                                                          \
        (void)state;                                                           \
        shown(n);                                                              \
    }
TRAP(1, living_apart_is_no_duplicate)
TRAP(2, three_clocks_not_one)
TRAP(3, two_hops_two_clocks)
TRAP(4, skipping_a_level_only_where_the_plan_says_so)
TRAP(5, own_authority_acts_before_orders)
TRAP(6, local_events_stay_local)
TRAP(7, the_order_of_start_differs_by_class)
TRAP(8, the_end_differs_by_class)
TRAP(9, an_unplanned_fault_needs_signatures_first)
TRAP(10, estimates_are_adjusted_before_the_end)
TRAP(11, the_hit_office_gets_its_own_timetable)
TRAP(12, release_gates_stack)
TRAP(13, content_added_in_one_census_never_in_another)
TRAP(14, six_or_seven_kinds_of_risk)
TRAP(15, a_roster_or_the_leaders_of_the_groups)
TRAP(16, a_zone_is_an_area)
TRAP(17, the_list_of_secret_units_is_not_shown)
TRAP(18, sentenced_persons_go_to_one_named_receiver)
TRAP(19, two_vetoes_two_effects)
TRAP(20, half_points_and_shared_points)
TRAP(21, material_is_back_the_same_day)
TRAP(22, a_contact_change_is_told_upward_at_once)
TRAP(23, concealment_is_found_by_comparison)
TRAP(24, online_filling_ends_at_24_00)
TRAP(25, the_silence_of_a_watcher_is_a_fault)
TRAP(26, a_leak_blocks_statements)
TRAP(27, a_violation_holds_conduct_not_answers)
TRAP(28, account_at_once_form_later)
TRAP(29, on_the_spot_without_approval)

/* ---- nobody is named, no number is given ------------------------------------- */

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits from i on; 0 when they go on before it. */
static size_t run(struct puan_str t, size_t i)
{
    size_t n = 0;

    if (i > 0 && digit(t.p[i - 1]))
        return 0;
    while (i + n < t.n && digit(t.p[i + n]))
        n++;
    return n;
}

/* A mobile number, or an area code and a number with a hyphen. */
static bool phone_at(struct puan_str t, size_t i)
{
    size_t n = run(t, i), m;

    if (n == 11 && t.p[i] == '1' && t.p[i + 1] >= '3')
        return true;
    if ((n != 3 && n != 4) || t.p[i] != '0' || i + n + 1 >= t.n ||
        t.p[i + n] != '-')
        return false;
    m = run(t, i + n + 1);
    return m == 7 || m == 8;
}

/* Roles hold seats; an installation fills them.  No file of a pack, catalogue,
 * scenario and demonstration included, gives a number or a holder. */
static void nobody_is_named_and_no_number_given(void **state)
{
    static const char planted[] = "call 13800000000 or 0734-8888888";
    size_t found = 0, files = 0;

    (void)state;
    for (size_t i = 0; i + 1 < sizeof planted; i++)
        found += phone_at(PUAN_STR(planted), i);
    assert_int_equal(found, 2); /* it would be seen */
    for (size_t k = 0; k < PUAN_COUNT(packs); k++) {
        const struct puan_plan *p = puan_plan_held_plan(held[k]);
        const struct puan_plan_pack *own = &p->pack[0];

        for (size_t i = 0; i < own->n_files; i++, files++)
            for (size_t at = 0; at < own->file[i].text.n; at++)
                if (phone_at(own->file[i].text, at))
                    fail_msg("%s: a telephone number: %.*s", own->file[i].name,
                             13, own->file[i].text.p + at);
        for (size_t i = 0; i < p->n_roles; i++) {
            assert_null(puan_node_get(p->role[i].at, "person"));
            assert_null(puan_node_get(p->role[i].at, "holder"));
            assert_null(puan_node_get(p->role[i].at, "phone"));
        }
    }
    assert_true(files > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(living_apart_is_no_duplicate),
        cmocka_unit_test(three_clocks_not_one),
        cmocka_unit_test(two_hops_two_clocks),
        cmocka_unit_test(skipping_a_level_only_where_the_plan_says_so),
        cmocka_unit_test(own_authority_acts_before_orders),
        cmocka_unit_test(local_events_stay_local),
        cmocka_unit_test(the_order_of_start_differs_by_class),
        cmocka_unit_test(the_end_differs_by_class),
        cmocka_unit_test(an_unplanned_fault_needs_signatures_first),
        cmocka_unit_test(estimates_are_adjusted_before_the_end),
        cmocka_unit_test(the_hit_office_gets_its_own_timetable),
        cmocka_unit_test(release_gates_stack),
        cmocka_unit_test(content_added_in_one_census_never_in_another),
        cmocka_unit_test(six_or_seven_kinds_of_risk),
        cmocka_unit_test(a_roster_or_the_leaders_of_the_groups),
        cmocka_unit_test(a_zone_is_an_area),
        cmocka_unit_test(the_list_of_secret_units_is_not_shown),
        cmocka_unit_test(sentenced_persons_go_to_one_named_receiver),
        cmocka_unit_test(two_vetoes_two_effects),
        cmocka_unit_test(half_points_and_shared_points),
        cmocka_unit_test(material_is_back_the_same_day),
        cmocka_unit_test(a_contact_change_is_told_upward_at_once),
        cmocka_unit_test(concealment_is_found_by_comparison),
        cmocka_unit_test(online_filling_ends_at_24_00),
        cmocka_unit_test(the_silence_of_a_watcher_is_a_fault),
        cmocka_unit_test(a_leak_blocks_statements),
        cmocka_unit_test(a_violation_holds_conduct_not_answers),
        cmocka_unit_test(account_at_once_form_later),
        cmocka_unit_test(on_the_spot_without_approval),
        cmocka_unit_test(nobody_is_named_and_no_number_given),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
