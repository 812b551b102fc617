/*
 * Error localisation with the hard rules of the population pack's short form:
 * what a person who knows the form would say is wrong, and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/edit/localise.h"
#include "core/plan/plan.h"
#include "features/plans/plans.h"
#include "kit/os/heap.h"

struct fix {
    struct puan_arena keep, a;
    struct puan_plan_held *held;
    const struct puan_plan *plan;
    const struct puan_form *form;
    struct puan_ruleset *rs;
    struct puan_localiser *l;
};

static int set_up(void **state)
{
    static struct fix f;
    struct puan_err err = { 0 };

    puan_arena_init(&f.keep, &puan_heap);
    puan_arena_init(&f.a, &puan_heap);
    assert_int_equal(
        puan_plan_load_dir(&f.held, "plans/cn-population-2020", NULL, &err),
        PUAN_OK);
    f.plan = puan_plan_held_plan(f.held);
    f.form = puan_plan_form(f.plan, PUAN_STR("short"));
    assert_non_null(f.form);
    assert_int_equal(puan_ruleset_compile(&f.rs, f.form, f.plan->consts,
                                          f.plan->n_consts, f.plan->rule_text,
                                          f.plan->rule_name, f.plan->n_rules,
                                          &f.keep, &err),
                     PUAN_OK);
    assert_int_equal(puan_localiser_open(&f.l, f.rs,
                                         f.plan->routing[f.form->ordinal],
                                         f.form, NULL, 0, &f.keep, &err),
                     PUAN_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fix *f = *state;

    puan_arena_clear(&f->a);
    puan_arena_clear(&f->keep);
    puan_plan_close(f->held);
    return 0;
}

#define HOUSE                                                                  \
    "\"H1\":1,\"H2a\":3,\"H2b\":0,\"H3m\":0,\"H3f\":0,\"H4m\":0,\"H4f\":0,"    \
    "\"H5\":1,\"H6\":90,\"H7\":3"
#define HEAD                                                                   \
    "{\"D1\":\"张伟\",\"D2\":0,\"D3\":\"370883196803120010\",\"D4\":1,"      \
    "\"D5\":\"1968-03\",\"D6\":\"01\",\"D7\":1,\"D8\":1,\"D9\":1,\"D11\":4,"   \
    "\"D12\":1}"
#define WIFE                                                                   \
    "{\"D1\":\"李娜\",\"D2\":1,\"D3\":{\"missing\":\"refused\"},\"D4\":2,"   \
    "\"D5\":\"1970-07\",\"D6\":\"01\",\"D7\":1,\"D8\":1,\"D9\":1,\"D11\":5,"   \
    "\"D12\":1}"
#define CHILD                                                                  \
    "{\"D1\":\"张明\",\"D2\":2,\"D3\":{\"missing\":\"refused\"},\"D4\":1,"   \
    "\"D5\":\"1998-01\",\"D6\":\"01\",\"D7\":1,\"D8\":1,\"D9\":1,\"D11\":7,"   \
    "\"D12\":1}"

static struct puan_localised run(struct fix *f, const char *house,
                                 const char *persons)
{
    struct puan_err err = { 0 };
    struct puan_return_head head;
    struct puan_record r;
    struct puan_localised got;
    const char *doc;

    puan_arena_reset(&f->a);
    doc = puan_arena_fmt(&f->a,
                         "{\"form\":\"short\",\"household\":"
                         "\"370883001001001001\",\"mode\":\"enumerator\","
                         "\"signed\":true,\"answers\":{%s},\"person\":[%s]}",
                         house, persons);
    if (puan_record_read(&r, &head, &f->form, 1, puan_str_of(doc), &f->a,
                         &err) != PUAN_OK)
        fail_msg("%s: %s: %s", doc, err.where, err.text);
    puan_record_head(&r, &head);
    puan_record_facts(&r);
    puan_routing_apply(f->plan->routing[f->form->ordinal], &r);
    assert_int_equal(puan_localise(&got, f->l, &r, NULL, &f->a, &err), PUAN_OK);
    return got;
}

/* "person 2.D12=empty household 1.H2a=2": answers only. */
static const char *changes(struct fix *f, const struct puan_localised *got)
{
    struct puan_out o;

    puan_out_init(&o, &f->a);
    for (size_t i = 0; i < got->n; i++) {
        const struct puan_cell_change *c = &got->change[i];
        const struct puan_entity *e = &f->form->entity[c->at.entity];
        const struct puan_item *it = &e->items[c->at.item];

        if (it->fact_of >= 0)
            continue;
        puan_out_fmt(&o, "%s%.*s %u.%.*s=%s", i ? " " : "", PUAN_FMT(e->name),
                     c->at.row + 1, PUAN_FMT(it->name),
                     c->state == PUAN_GIVEN
                         ? puan_item_text(it, c->value, &f->a)
                         : "empty");
    }
    puan_out_char(&o, '\0');
    return o.p;
}

static void says(struct fix *f, const char *house, const char *persons,
                 const char *want)
{
    struct puan_localised got = run(f, house, persons);

    assert_int_equal(got.state, PUAN_LOCALISE_FOUND);
    assert_true(got.repaired);
    assert_string_equal(changes(f, &got), want);
}

static void what_is_right_is_left_alone(void **state)
{
    struct puan_localised got = run(*state, HOUSE, HEAD "," WIFE "," CHILD);

    assert_int_equal(got.state, PUAN_LOCALISE_CLEAN);
}

static void one_wrong_answer_is_found(void **state)
{
    struct fix *f = *state;

    /* three present are counted, two are said */
    says(f,
         "\"H1\":1,\"H2a\":2,\"H2b\":0,\"H3m\":0,\"H3f\":0,\"H4m\":0,"
         "\"H4f\":0,\"H5\":1,\"H6\":90,\"H7\":3",
         HEAD "," WIFE "," CHILD, "household 1.H2a=3");
    /* floor space in no dwelling: it is the dwelling, for two answers speak
     * for it */
    says(f,
         "\"H1\":1,\"H2a\":3,\"H2b\":0,\"H3m\":0,\"H3f\":0,\"H4m\":0,"
         "\"H4f\":0,\"H5\":5,\"H6\":90,\"H7\":3",
         HEAD "," WIFE "," CHILD, "household 1.H5=1");
    /* the head is a woman by her answer, a man by the number and the wife */
    says(f, HOUSE,
         "{\"D1\":\"张伟\",\"D2\":0,\"D3\":\"370883196803120010\",\"D4\":2,"
         "\"D5\":\"1968-03\",\"D6\":\"01\",\"D7\":1,\"D8\":1,\"D9\":1,"
         "\"D11\":4,\"D12\":1}," WIFE "," CHILD,
         "person 1.D4=1");
    /* month of birth against the number: the number weighs more, and the
     * month can only be the number's */
    says(f, HOUSE,
         "{\"D1\":\"张伟\",\"D2\":0,\"D3\":\"370883196803120010\",\"D4\":1,"
         "\"D5\":\"1963-03\",\"D6\":\"01\",\"D7\":1,\"D8\":1,\"D9\":1,"
         "\"D11\":4,\"D12\":1}," WIFE "," CHILD,
         "person 1.D5=1968-03");
    /* a reason for leaving without having left */
    says(f, HOUSE,
         HEAD ","
              "{\"D1\":\"李娜\",\"D2\":1,\"D3\":{\"missing\":\"refused\"},"
              "\"D4\":2,\"D5\":\"1970-07\",\"D6\":\"01\",\"D7\":1,\"D8\":1,"
              "\"D9\":1,\"D10\":5,\"D11\":5,\"D12\":1}," CHILD,
         "person 2.D10=empty");
}

static void several_wrong_answers_are_found(void **state)
{
    struct fix *f = *state;

    /* a child of four with a degree who can read: the year of birth, and the
     * count of the present besides */
    says(f,
         "\"H1\":1,\"H2a\":4,\"H2b\":0,\"H3m\":0,\"H3f\":0,\"H4m\":0,"
         "\"H4f\":0,\"H5\":1,\"H6\":90,\"H7\":3",
         HEAD "," WIFE ","
              "{\"D1\":\"张明\",\"D2\":2,\"D3\":{\"missing\":\"refused\"},"
              "\"D4\":1,\"D5\":\"2016-01\",\"D6\":\"01\",\"D7\":1,\"D8\":1,"
              "\"D9\":1,\"D11\":7,\"D12\":1}",
         "household 1.H2a=3 person 3.D5=2005-10");
}

static void what_no_answer_mends_is_impossible(void **state)
{
    struct fix *f = *state;
    struct puan_localised got = run(f, HOUSE, "");

    /* nobody is entered, and an ordinary household has somebody */
    assert_int_equal(got.state, PUAN_LOCALISE_IMPOSSIBLE);
    assert_false(got.repaired);
}

/* More persons change nothing about one person's error. */
static void strangers_do_not_matter(void **state)
{
    struct fix *f = *state;
    struct puan_out o;

    puan_out_init(&o, &f->keep);
    puan_out_text(&o, HEAD);
    for (int i = 0; i < 40; i++)
        puan_out_fmt(&o,
                     ",{\"D1\":\"王%d芳\",\"D2\":9,\"D3\":{\"missing\":"
                     "\"refused\"},\"D4\":2,\"D5\":\"1985-07\",\"D6\":\"01\","
                     "\"D7\":1,\"D8\":1,\"D9\":1,%s\"D11\":5,\"D12\":1}",
                     i, i % 9 == 4 ? "\"D10\":0," : "");
    puan_out_char(&o, '\0');
    says(f,
         "\"H1\":2,\"H2a\":41,\"H2b\":0,\"H3m\":0,\"H3f\":0,\"H4m\":0,"
         "\"H4f\":0,\"H5\":2",
         o.p,
         "person 6.D10=empty person 15.D10=empty person 24.D10=empty "
         "person 33.D10=empty");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_right_is_left_alone),
        cmocka_unit_test(one_wrong_answer_is_found),
        cmocka_unit_test(several_wrong_answers_are_found),
        cmocka_unit_test(what_no_answer_mends_is_impossible),
        cmocka_unit_test(strangers_do_not_matter),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
