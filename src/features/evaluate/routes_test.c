/*
 * The evaluation report over HTTP: who may read it, what it says of a campaign
 * whose first returns are still to come, and the entry each reading leaves.
 * (Figures themselves: evaluate_test.c, core/evaluate.)
 */
#include "features/host/test_fixture.h"

#include <string.h>

#include "core/plan/plan.h"
#include "kit/os/os.h"

static const char plan_yaml[] =
    "plan: zz-ages\nversion: 1\nscope: campaign\nzh: 试\nen: Trial\n"
    "offset_minutes: 0\nreference_month: 2020-11\n"
    "reference_moment: 2020-11-01T00:00:00+00:00\n"
    "household_digits: 3\nshard_level: county\n"
    "levels:\n"
    "  - {id: nation, zh: 国, en: Nation, digits: 1}\n"
    "  - {id: county, zh: 县, en: County, digits: 3}\n"
    "  - {id: ea, zh: 小区, en: Area, digits: 5}\n"
    "roles:\n"
    "  statistician: {zh: 统计员, en: Statistician, levels: [county],"
    " can: [table.list, evaluation.view]}\n"
    "  clerk: {zh: 文书, en: Clerk, levels: [county], can: [listing.view]}\n"
    "settings:\n"
    "  evaluation_table: {value: TABLE, zh: 评估, en: Evaluation}\n"
    "forms: [mini]\n"
    "windows:\n"
    "  w: {zh: 登记, en: Count, from: 2020-01-01, until: 2099-01-01,"
    " forms: [mini]}\n"
    "residence:\n"
    "  entity: person\n"
    "  cases:\n"
    "    - {case: 1, zh: 一, en: one, when: \"age >= 0\","
    " de_facto: true, registered: true, resident: true}\n"
    "variables:\n"
    "  age5:\n    zh: 龄\n    en: Age\n    entity: person\n"
    "    expr: \"min(age / 5, 4)\"\n"
    "    codes: {0: {zh: 一, en: a}, 1: {zh: 二, en: b}, 2: {zh: 三, en: c},"
    " 3: {zh: 四, en: d}, 4: {zh: 五, en: e}}\n"
    "tables:\n"
    "  ages: {zh: 龄, en: Ages, entity: person, base: resident,"
    " by: [county, age5, sex]}\n"
    "  sexes: {zh: 性, en: Sexes, entity: person, base: resident,"
    " by: [county, sex]}\n";
static const char form_yaml[] =
    "form: mini\nversion: 1\nzh: 表\nen: Form\n"
    "codes:\n  sex: {1: {zh: 男, en: male}, 2: {zh: 女, en: female}}\n"
    "entities:\n"
    "  household:\n    zh: 户\n    en: Household\n    items:\n"
    "      n: {type: int, min: 0, max: 99, zh: 数, en: Number}\n"
    "  person:\n    zh: 人\n    en: Person\n    rows: 20\n    items:\n"
    "      sex: {type: code, codes: sex, zh: 性, en: Sex}\n"
    "      age: {type: int, min: 0, max: 150, zh: 龄, en: Age}\n";

/* The plan with the name of a table put in. */
static const char *with(struct puan_fix *f, const char *table)
{
    const char *at = strstr(plan_yaml, "TABLE");

    return puan_arena_fmt(&f->a, "%.*s%s%s", (int)(at - plan_yaml), plan_yaml,
                          table, at + 5);
}

static struct puan_fix *make(const char *table)
{
    struct puan_fix *f = puan_fix_begin(NULL);
    const char *pack = puan_arena_fmt(&f->a, "%s/zz-ages", f->root);

    ok(puan_dir_make(puan_arena_fmt(&f->a, "%s/forms", pack), err));
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/plan.yaml", pack),
                       puan_str_of(with(f, table)), 0644, err));
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/forms/mini.yaml", pack),
                       puan_str_of(form_yaml), 0644, err));
    puan_fix_create(f, "demo", pack, "sm");
    puan_fix_open(f);
    puan_fix_import(f, PUAN_IMPORT_AREAS,
                    "code,parent,level,name_zh,name_en\n1,,nation,a,A\n"
                    "111,1,county,b,B\n112,1,county,c,C\n11101,111,ea,d,D\n"
                    "11201,112,ea,f,F\n");
    puan_fix_serve(f, 2, 1);
    return f;
}

static struct puan_http_reply reply;

static unsigned get(struct puan_fix *f, const char *role, const char *path)
{
    struct puan_who who = { .credential = PUAN_CRED_HUMAN,
                            .account = 5,
                            .seat = 1,
                            .area = 111 };
    struct puan_http_call c = { .method = "GET" };

    puan_format(who.name, sizeof(who.name), "%s", role);
    c.token = puan_fix_session(f, who, role);
    c.path = puan_arena_fmt(&f->a, "/api/v1/c/zz-ages/%s", path);
    ok(puan_http_call(&reply, f->client, &c, err));
    return reply.status;
}

static bool says(const char *text)
{
    return memmem(reply.body.p, reply.body.n, text, strlen(text)) != NULL;
}

static void the_rightful_seat_reads_it_and_leaves_an_entry(void **state)
{
    struct puan_fix *f = make("ages");

    (void)state;
    assert_int_equal(get(f, "clerk", "evaluation?area=111"), 403);
    assert_int_equal(get(f, "statistician", "evaluation?area=112"), 403);
    assert_int_equal(
        puan_fix_office(f, "SELECT count(*) FROM ledger WHERE instr(entry, "
                           "CAST('area/111/evaluation' AS BLOB)) > 0"),
        0);
    assert_int_equal(get(f, "statistician", "evaluation?area=111"), 200);
    assert_true(says("\"area\":{\"code\":\"111\",\"zh\":\"b\",\"en\":\"B\"}"));
    assert_true(says("\"submitted\":0"));
    assert_true(says("\"name\":\"un\""));
    /* nobody has answered: no figure, and above all no zero that looks like
       one */
    assert_true(says("\"areas\":[{\"whole\":true,\"persons\":0,\"unknown\":0,"
                     "\"values\":{}}]"));
    assert_int_equal(
        puan_fix_office(f, "SELECT count(*) FROM ledger WHERE instr(entry, "
                           "CAST('area/111/evaluation' AS BLOB)) > 0"),
        1);
    /* the table is by counties: it says nothing of one enumeration area */
    assert_int_equal(get(f, "statistician", "evaluation?area=11101"), 404);
    puan_fix_end(f);
}

static void a_table_of_another_shape_is_no_report(void **state)
{
    struct puan_fix *f = make("sexes");

    (void)state;
    assert_int_equal(get(f, "statistician", "evaluation?area=111"), 404);
    puan_fix_end(f);
    f = make("nosuch");
    assert_int_equal(get(f, "statistician", "evaluation?area=111"), 404);
    puan_fix_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rightful_seat_reads_it_and_leaves_an_entry),
        cmocka_unit_test(a_table_of_another_shape_is_no_report),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
