/*
 * A scheme that does not add up, and what a sheet takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/test_heap.h"
#include "core/score/score.h"

#define SCHEME                                                                 \
    "{'scheme':'t','zh':'t','en':'t','interpreter':'top','assessed':'city',"   \
    "'full':3,'period':{'from':'2020-01-01','until':'2020-12-31'},"            \
    "'evidence_by':['city'],'groups':{'g':{'zh':'g','en':'g','role':'judge'}},"\
    "'sections':[{'id':'a','zh':'a','en':'a','points':3,'groups':['g'],"       \
    "'rules':{'zh':'r','en':'r','version':'1','date':'2020-01-01'},"           \
    "'items':[{'id':'i','zh':'i','en':'i','points':2.5,'mode':'judged',"       \
    "'of':'process','evidence':[{'id':'p','zh':'p','en':'p'}]},"               \
    "{'id':'m','zh':'m','en':'m','points':0.5,'mode':'measured','of':'result',"\
    "'measure':{'metric':'x','of':'y','bands':[{'least':90,'points':0.5}]}}]}],"\
    "'vetoes':[{'id':'v','zh':'v','en':'v','effect':'score','by':['top']}],"   \
    "'appeal':{'by':['city'],'to':['top'],'within':'15d'}}"

static struct puan_arena arena;
static struct puan_err err;

/* The scheme with `from` made `to`. */
static enum puan_status load(struct puan_score_scheme **s, const char *from,
                             const char *to)
{
    const struct puan_score_scheme_env env = { 0 };
    struct puan_node *tree = NULL;
    const char *at = strstr(SCHEME, from);
    char *text;

    assert_non_null(at);
    text = (char *)(uintptr_t)puan_arena_fmt(
        &arena, "%.*s%s%s", (int)(at - SCHEME), SCHEME, to, at + strlen(from));
    for (char *c = text; *c; c++)
        if (*c == '\'')
            *c = '"';
    err = (struct puan_err){ 0 };
    assert_int_equal(puan_json_tree(&tree, puan_str_of(text), "scoring.yaml",
                                    &arena, &err),
                     PUAN_OK);
    return puan_score_scheme_load(s, tree, &env, &arena, &err);
}

static void refused(const char *from, const char *to, const char *why)
{
    struct puan_score_scheme *s;

    assert_int_equal(load(&s, from, to), PUAN_EINVAL);
    if (strstr(err.text, why) == NULL)
        fail_msg("%s -> %s: %s", from, to, err.text);
    assert_true(err.line > 0);
}

static void a_scheme_adds_up(void **state)
{
    struct puan_score_scheme *s;

    (void)state;
    assert_int_equal(load(&s, "'t'", "'t'"), PUAN_OK);
    assert_int_equal(s->n_items, 2);
    assert_int_equal(s->item[0].halves, 5);
    refused("'points':2.5", "'points':2", "add up to 2.5, not to the 3");
    refused("'full':3", "'full':100", "add up to 3, not to the 100");
    refused("'points':2.5", "'points':2.4", "halves");
    refused("'interpreter':'top',", "", "interprets");
    refused("'groups':['g']", "'groups':['h']", "no group");
    refused("'least':90,'points':0.5", "'least':90,'points':0", "full points");
    refused("'id':'m'", "'id':'i'", "stands twice");
    refused("'evidence':[{'id':'p','zh':'p','en':'p'}]", "'evidence':[]",
            "at least one kind");
    refused("'effect':'score'", "'effect':'all'", "score or award");
    refused("'within':'15d'", "'within':'soon'", "length of time");
}

static void halves_are_read_and_written(void **state)
{
    static const char *const good[] = { "0", "0.5", "1", "87.5", "-1.5" };
    static const char *const bad[] = { "", ".5", "0.25", "1.50", "x", "1e3" };
    char text[16];
    int v;

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(good); i++) {
        assert_true(puan_score_halves_parse(&v, puan_str_of(good[i])));
        puan_score_halves_text(text, v);
        assert_string_equal(text, good[i]);
    }
    for (size_t i = 0; i < PUAN_COUNT(bad); i++)
        assert_false(puan_score_halves_parse(&v, puan_str_of(bad[i])));
}

static void a_sheet_is_the_sum_of_its_entries(void **state)
{
    struct puan_score_scheme *s;
    struct puan_score_sheet sheet;
    struct puan_score_entry e[8] = { { 0 } };
    size_t n = 0;
    int64_t day = puan_day_of(2020, 6, 1), now = day * 86400000;

    (void)state;
    assert_int_equal(load(&s, "'t'", "'t'"), PUAN_OK);
    for (size_t i = 0; i < 8; i++)
        e[i] = (struct puan_score_entry){ .id = (int64_t)i + 1,
                                          .level = PUAN_STR("city"),
                                          .at_ms = now,
                                          .day = day, .until = INT64_MIN,
                                          .count = INT64_MIN,
                                          .total = INT64_MIN,
                                          .person = PUAN_STR("a"),
                                          .version = PUAN_STR("1") };
    e[0].kind = PUAN_SCORE_GIVEN;
    e[0].item = PUAN_STR("i");
    e[0].role = PUAN_STR("judge");
    assert_int_equal(puan_score_accept(s, e, 0, &e[0], &err), PUAN_ECONFLICT);
    e[1] = e[0];
    e[1].id = 2;
    e[0].kind = PUAN_SCORE_EVIDENCE;
    e[0].evidence = PUAN_STR("p");
    e[0].role = PUAN_STR("city");
    assert_int_equal(puan_score_accept(s, e, 0, &e[0], &err), PUAN_EINVAL);
    e[0].digest = PUAN_STR("d");
    assert_int_equal(puan_score_accept(s, e, 0, &e[0], &err), PUAN_OK);
    e[1].role = PUAN_STR("city");
    assert_int_equal(puan_score_accept(s, e, 1, &e[1], &err), PUAN_EDENIED);
    e[1].role = PUAN_STR("judge");
    e[1].halves = 1;
    assert_int_equal(puan_score_accept(s, e, 1, &e[1], &err), PUAN_EINVAL);
    e[1].reason = PUAN_STR("late");
    e[1].digest = PUAN_STR("d");
    assert_int_equal(puan_score_accept(s, e, 1, &e[1], &err), PUAN_OK);
    n = 2;
    e[2].kind = PUAN_SCORE_MEASURED;
    e[2].item = PUAN_STR("m");
    e[2].role = PUAN_STR("system");
    e[2].count = 89;
    e[2].total = 100;
    assert_int_equal(puan_score_accept(s, e, n, &e[2], &err), PUAN_OK);
    puan_score_sheet_make(&sheet, s, e, 3, day);
    assert_int_equal(sheet.points, 4);
    assert_int_equal(sheet.scored, 2);
    e[2].count = 90;
    puan_score_sheet_make(&sheet, s, e, 3, day);
    assert_int_equal(sheet.points, 5);
    e[3].kind = PUAN_SCORE_PUBLISH;
    e[3].role = PUAN_STR("top");
    e[3].halves = 6;
    assert_int_equal(puan_score_accept(s, e, 3, &e[3], &err), PUAN_ECONFLICT);
    e[3].halves = 5;
    assert_int_equal(puan_score_accept(s, e, 3, &e[3], &err), PUAN_OK);
    e[4].kind = PUAN_SCORE_VETO;
    e[4].item = PUAN_STR("v");
    e[4].role = PUAN_STR("top");
    e[4].ref = PUAN_STR("case/1");
    assert_int_equal(puan_score_accept(s, e, 4, &e[4], &err), PUAN_OK);
    puan_score_sheet_make(&sheet, s, e, 4, day);
    assert_true(puan_score_sheet_award(&sheet, s));
    puan_score_sheet_make(&sheet, s, e, 5, day);
    assert_int_equal(sheet.result, 0);
    assert_int_equal(sheet.points, 5);
    assert_false(puan_score_sheet_award(&sheet, s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scheme_adds_up),
        cmocka_unit_test(halves_are_read_and_written),
        cmocka_unit_test(a_sheet_is_the_sum_of_its_entries),
    };
    int bad;

    puan_arena_init(&arena, &puan_test_heap);
    bad = cmocka_run_group_tests(tests, NULL, NULL);
    puan_arena_clear(&arena);
    return bad;
}
