/*
 * Spreadsheets into forms: what each expression becomes, what becomes of
 * types, names, groups, repeats, languages, and what the report says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/test_heap.h"
#include "core/plan/routing.h"
#include "core/rule/rule.h"
#include "core/xlsform/test_sheets.h"
#include "core/xlsform/xlsform.h"

struct made {
    struct puan_arena a;
    struct puan_xlsform x;
    struct puan_err err;
    enum puan_status st;
};

static struct made make(const char *text)
{
    struct made m = { .st = PUAN_OK };
    struct puan_grid *sheet;
    struct puan_xlsform_in in = { .name = PUAN_STR("trial") };

    puan_arena_init(&m.a, &puan_test_heap);
    sheet = puan_new_n(&m.a, 8, struct puan_grid);
    in.sheet = sheet;
    in.n = puan_test_sheets(sheet, puan_str_of(text), &m.a);
    m.st = puan_xlsform(&m.x, &in, &m.a, &m.err);
    return m;
}

static struct made made(const char *text)
{
    struct made m = make(text);

    if (m.st != PUAN_OK)
        fail_msg("%s:%u: %s", m.err.where, m.err.line, m.err.text);
    return m;
}

/* The remark at a place; one without words when there is none. */
static const struct puan_xlsform_remark *remark(struct made *m,
                                                const char *place)
{
    static const struct puan_xlsform_remark none = { .text = "",
                                                     .remedy = "" };

    for (const struct puan_xlsform_remark *r = m->x.remarks; r; r = r->next)
        if (strcmp(puan_xlsform_place(r, &m->a), place) == 0)
            return r;
    return &none;
}

static void said(struct made *m, const char *place, const char *text)
{
    const char *got = remark(m, place)->text;

    if (!strstr(got, text))
        fail_msg("%s: '%s' does not say '%s'", place, got, text);
}

static const struct puan_item *item(const struct made *m, const char *entity,
                                    const char *name)
{
    int e = puan_form_entity(m->x.form, puan_str_of(entity)), i;

    if (e < 0)
        fail_msg("no entity %s", entity);
    i = puan_entity_item(&m->x.form->entity[e], puan_str_of(name));
    if (i < 0)
        fail_msg("no item %s in %s", name, entity);
    return &m->x.form->entity[e].items[i];
}

/* ---- expressions ---- */

static const char survey[] =
    "survey\n"
    "type\tname\tlabel\trelevant\tconstraint\tcalculation\n"
    "integer\tage\tAge\n"
    "integer\tn\tN\n"
    "decimal\tw\tW\n"
    "text\tt\tT\n"
    "text\tu\tU\n"
    "date\td\tD\n"
    "select_one yn\tq\tQ\n"
    "select_one num\tk\tK\n"
    "select_multiple yn\tm\tM\n"
    "calculate\tflag\t\t\t\tif(${q} = 'yes', 'on', 'off')\n"
    "calculate\ttwice\t\t\t\t${n} * 2\n"
    "begin repeat\tkid\tKid\n"
    "integer\tkid_age\tKid age\n"
    "end repeat\n";
static const char choices[] = "\nchoices\nlist_name\tname\tlabel\n"
                              "yn\tyes\tYes\nyn\tno\tNo\n"
                              "num\t1\tOne\nnum\t2\tTwo\n";

struct vector {
    const char *xpath, *rule; /* NULL: has no counterpart */
};

static const struct vector vectors[] = {
    { "${age} > 17", "age > 17" },
    { "${age}>=.5", "age >= 0.5" },
    { "17 < ${age}", "age > 17" },
    { "${q} = 'yes'", "q = \"yes\"" },
    { "${q} = ‘yes’", "q = \"yes\"" },
    { "'yes' = ${q}", "q = \"yes\"" },
    { "${q} != 'yes'", "not (given(q) and q = \"yes\")" },
    { "not(${q} = 'yes')", "not (given(q) and q = \"yes\")" },
    { "${q} = 'perhaps'", NULL },
    { "selected(${q}, 'yes')", "q = \"yes\"" },
    { "selected(${m}, 'yes')", "m_yes = 1" },
    { "not(selected(${m}, 'yes'))", "not (given(m_yes) and m_yes = 1)" },
    { "count-selected(${m}) > 1",
      "if(given(m_yes) and m_yes = 1, 1, 0) + if(given(m_no) and m_no = 1, 1, "
      "0) > 1" },
    { "${k} = 1", "k = \"1\"" },
    { "${k} >= 2", "number(k) >= 2" },
    { "${k} = ${n}", "number(k) = n" },
    { "${n} = ''", "not given(n)" },
    { "${t} != ''", "given(t)" },
    { "${t}", "given(t)" },
    { "${t} = ${u}", "same_text(t, u)" },
    { "${t} = 'x'", NULL },
    { "${n} + 1 < ${age} - ${n}", "n + 1 < age - n" },
    { "${age} - (${n} - 1) = 2", "age - (n - 1) = 2" },
    { "${n} div 2 > 1", NULL },
    { "int(${n} div 2) > 1", "n / 2 > 1" },
    { "${n} mod 2 = 0", "n mod 2 = 0" },
    { "-${n} < 3", "-n < 3" },
    { "${w} * 2 > 3.25", "w * 2 > 3.25" },
    { "${d} > '2020-11-01'", "d > day(\"2020-11-01\")" },
    { "${d} > date('2020-02-31')", NULL },
    { "decimal-date-time(${d}) + 280 > decimal-date-time('2020-11-01')",
      "d + 280 > day(\"2020-11-01\")" },
    { "format-date(${d}, '%Y') = 2020", "year(d) = 2020" },
    { "${d} <= today()", NULL },
    { "regex(${t}, 'a*')", NULL },
    { "(${q} = 'yes' or ${n} = 1) and ${age} > 3",
      "(q = \"yes\" or n = 1) and age > 3" },
    { "${q} = 'yes' and ${n} = 1 or ${age} > 3",
      "q = \"yes\" and n = 1 or age > 3" },
    { "not(${n} = 1 and ${age} = 2)",
      "not (given(n) and n = 1 and given(age) and age = 2)" },
    { "not(not(${n} = 1))", "not (not (given(n) and n = 1))" },
    { "${flag} = 'on'", "q = \"yes\"" },
    { "${flag} = 'off'", "not (given(q) and q = \"yes\")" },
    { "selected(${flag}, 'on')", "q = \"yes\"" },
    { "${flag} = 'else'", "false" },
    { "${twice} > 10", "n * 2 > 10" },
    { "count(${kid}) > 2", "count(kid) > 2" },
    { "sum(${kid_age}) > 2", "sum(kid.kid_age) > 2" },
    { "max(${n}, ${age}) > 2", "max(n, age) > 2" },
    { "indexed-repeat(${kid_age}, ${kid}, 1) > 2", "at(kid.kid_age, 1) > 2" },
    { "${kid_age} > 2", NULL },
    { "coalesce(${n}, 0) > 2", "if(known(n), n, 0) > 2" },
    { "if(${q} = 'yes', ${n}, 3) > 2",
      "if(given(q) and q = \"yes\", n, 3) > 2" },
    { "../q = 'yes'", "q = \"yes\"" },
    { "/data/group/q='yes'", "q = \"yes\"" },
    { "current()/../q = 'yes'", "q = \"yes\"" },
    { "instance('x')/root/item[name = ${q}]/y = 1", NULL },
    { "true()", "" },
    { "${nobody} = 1", NULL },
    { "${q} = ", NULL },
    { "${q} 'yes'", NULL },
    { "(${q} = 'yes'", NULL },
    { "#", NULL },
};

static void expressions_become_conditions(void **state)
{
    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(vectors); i++) {
        const struct vector *v = &vectors[i];
        char text[4096];
        struct made m;
        struct puan_str got;

        (void)puan_format(text, sizeof(text), "%sinteger\tx\tX\t%s\n%s", survey,
                          v->xpath, choices);
        m = made(text);
        got = item(&m, "household", "x")->asked_if;
        if (v->rule && !puan_str_is(got, v->rule))
            fail_msg("%s became '%.*s', not '%s' %s", v->xpath, PUAN_FMT(got),
                     v->rule, remark(&m, "survey!D16")->text);
        if (!v->rule) {
            assert_int_equal(got.n, 0);
            said(&m, "survey!D16", "relevant: ");
        }
        puan_arena_clear(&m.a);
    }
}

/* ---- a small form, whole ---- */

static const char whole[] =
    "survey\n"
    "type\tname\tlabel::English (en)\tlabel::中文 (zh)\tconstraint\t"
    "constraint_message::English (en)\trelevant\trequired\trepeat_count\thint\n"
    "start\tstart\n"
    "begin group\tg\tGroup\t\t\t\t${agree} = 'yes'\n"
    "integer\tsize\tHow **many**?\t几人？\t. > 0 and . <= today() and . < 30\t"
    "One to \"29\"\t\tyes\t\tCount all\n"
    "end group\n"
    "select_one yn\tagree\tAgree?\t同意吗\t\t\t\tyes\n"
    "text\trow\tReserved\n"
    "text\t名字\tChinese name\n"
    "text\ttel\tTel\t\tregex(., '^[0-9]{11}$')\n"
    "text\tnick\tNick\t\tstring-length(.) < 11\n"
    "begin repeat\tperson\tPerson\t人\t\t\t\t\t${size}\n"
    "integer\tage\tAge\t年龄\t. >= 0 and . < 130\n"
    "select_multiple langs or_other\tlang\tLanguages\t语言\t"
    "not(selected(., 'none') and count-selected(.) > 1)\t\t${age} > 3\tyes\n"
    "begin repeat\tjob\tJob\n"
    "text\ttitle\tTitle\t\t\t\t${age} > 15\n"
    "end repeat\n"
    "end repeat\n"
    "note\tbye\tThank you ${size}\n"
    "image\tphoto\tPhoto\n"
    "select_one nowhere\tlost\tLost\n"
    "\nchoices\nlist name\tname\tlabel::English (en)\tlabel::中文 (zh)\n"
    "yn\tyes\tYes\t是\nyn\tno\tNo\t否\n"
    "langs\tzh\tChinese\t汉语\nlangs\tnone\tNone\t无\nlangs\tnone\tTwice\n"
    "\nsettings\nform_title\tform_id\nTrial <b>form</b>\t2nd form\n";

static void a_form_comes_out_whole(void **state)
{
    struct made m = made(whole);
    const struct puan_form *f = m.x.form;
    struct puan_routing *r;
    struct puan_ruleset *rs;
    static const char *const files[] = { "rules" };

    (void)state;
    assert_true(puan_str_is(f->id, "f2nd_form"));
    assert_true(puan_str_is(f->en, "Trial form"));
    assert_int_equal(f->n_entities, 3);
    assert_true(puan_str_is(item(&m, "household", "size")->zh, "几人？"));
    assert_true(puan_str_is(item(&m, "household", "size")->en, "How many?"));
    assert_true(item(&m, "household", "size")->required);
    assert_true(puan_str_is(item(&m, "household", "size")->asked_if,
                            "agree = \"yes\""));
    assert_int_equal(item(&m, "household", "row_2")->type, PUAN_TYPE_TEXT);
    assert_int_equal(item(&m, "household", "row_2")->zone, PUAN_ZONE_VAULT);
    assert_false(item(&m, "household", "q8")->required);
    assert_non_null(item(&m, "household", "tel")->scheme);
    assert_int_equal(item(&m, "household", "nick")->max, 10);
    assert_true(puan_str_is(item(&m, "person", "lang_none")->asked_if,
                            "age > 3"));
    assert_true(puan_str_is(item(&m, "person", "lang_zh")->en,
                            "Languages: Chinese"));
    assert_int_equal(item(&m, "person", "lang_other")->type, PUAN_TYPE_TEXT);
    assert_int_equal(item(&m, "job", "person_row")->type, PUAN_TYPE_INT);
    assert_true(puan_str_is(item(&m, "job", "title")->asked_if,
                            "at(person.age, person_row) > 15"));
    assert_int_equal(puan_routing_compile(&r, f, NULL, 0, NULL, &m.a, &m.err),
                     PUAN_OK);
    assert_int_equal(puan_ruleset_compile(&rs, f, NULL, 0, &m.x.rules, files, 1,
                                          &m.a, &m.err),
                     PUAN_OK);
    assert_int_equal(puan_ruleset_count(rs), 6);
    assert_non_null(strstr(m.x.rules.p, "check size > 0\n"));
    assert_non_null(strstr(m.x.rules.p, "check size < 30\n"));
    assert_non_null(strstr(m.x.rules.p, "en \"One to \\\"29\\\"\""));
    assert_non_null(strstr(m.x.rules.p, "check number_check(tel) = 0\n"));
    assert_non_null(strstr(m.x.rules.p, "check count(person) = size\n"));
    assert_null(strstr(m.x.rules.p, "today"));
    puan_arena_clear(&m.a);
}

static void the_report_names_each_place(void **state)
{
    struct made m = made(whole);
    const struct puan_xlsform_remark *last = NULL;

    (void)state;
    said(&m, "survey!E4", "today() has no counterpart");
    said(&m, "survey!B7", "'row' is called 'row_2'");
    said(&m, "survey!A18", "a note asks nothing");
    said(&m, "survey!A19", "type 'image'");
    said(&m, "survey!A20", "no list 'nowhere'");
    said(&m, "choices row 6", "'none' stands in list 'langs' twice");
    said(&m, "survey row 14", "a repeat inside a repeat");
    assert_string_equal(remark(&m, "survey!E4")->remedy,
                        "rules read no clock: compare with a setting of the "
                        "plan, or set max: of the item");
    assert_int_equal(m.x.n_lost, 4);
    assert_int_equal(m.x.questions.of, 11);
    assert_int_equal(m.x.questions.done, 9);
    assert_int_equal(m.x.constraints.of, 5);
    assert_int_equal(m.x.constraints.done, 4);
    assert_int_equal(m.x.conditions.done, 3);
    for (const struct puan_xlsform_remark *r = m.x.remarks; r; r = r->next) {
        if (last && puan_str_eq(last->sheet, r->sheet))
            assert_true(last->line <= r->line);
        last = r;
    }
    puan_arena_clear(&m.a);
}

/* What a rule finds: the conversion is of meaning, not of words alone. */
static void rules_find_what_constraints_forbid(void **state)
{
    struct made m = made(whole);
    static const char *const files[] = { "rules" };
    static const char good[] =
        "{\"agree\":\"yes\",\"size\":1,\"tel\":\"13800000000\"}";
    static const char bad[] =
        "{\"agree\":\"yes\",\"size\":30,\"tel\":\"1380000\"}";
    struct puan_ruleset *rs;

    (void)state;
    assert_int_equal(puan_ruleset_compile(&rs, m.x.form, NULL, 0, &m.x.rules,
                                          files, 1, &m.a, &m.err),
                     PUAN_OK);
    for (int i = 0; i < 2; i++) {
        char doc[512];
        struct puan_record r;
        struct puan_return_head h;
        struct puan_findings found;

        (void)puan_format(
            doc, sizeof(doc),
            "{\"form\":\"f2nd_form\",\"household\":\"1\",\"base\":0,"
            "\"device\":\"d\",\"counter\":1,\"mode\":\"self\",\"started\":"
            "\"2020-11-01T10:00:00+08:00\",\"finished\":"
            "\"2020-11-01T10:10:00+08:00\",\"signed\":true,\"answers\":%s,"
            "\"person\":[{\"age\":3,\"lang_zh\":\"1\",\"lang_none\":\"%s\"}]}",
            i ? bad : good, i ? "1" : "2");
        assert_int_equal(puan_record_read(&r, &h, &m.x.form, 1,
                                          puan_str_of(doc), &m.a, &m.err),
                         PUAN_OK);
        puan_record_facts(&r);
        assert_int_equal(puan_ruleset_run(&found, rs, &r, &m.a, &m.err),
                         PUAN_OK);
        assert_int_equal(found.n, i ? 4 : 0);
    }
    puan_arena_clear(&m.a);
}

/* ---- what is refused ---- */

static void refused(const char *text, enum puan_status st, const char *why)
{
    struct made m = make(text);

    assert_int_equal(m.st, st);
    if (!strstr(m.err.text, why))
        fail_msg("'%s' does not say '%s'", m.err.text, why);
    puan_arena_clear(&m.a);
}

static void other_workbooks_are_refused(void **state)
{
    (void)state;
    refused("sheet1\na\tb\n1\t2\n", PUAN_EINVAL, "no XLSForm");
    refused("survey\ntype\tlabel\ntext\tx\n", PUAN_EINVAL, "no XLSForm");
    refused("survey\ntype\tname\nnote\tx\n", PUAN_EINVAL, "no question");
    refused("survey\ntype\tname\nend group\n", PUAN_EINVAL, "mend the nesting");
    refused("survey\ntype\tname\nbegin group\tg\ntext\tx\n", PUAN_EINVAL,
            "not ended");
    refused("survey\ntype\tname\nbegin group\tg\ntext\tx\nend repeat\n",
            PUAN_EINVAL, "mend the nesting");
}

/* Memory runs out at the nth block: ENOMEM, nothing leaked. */
static void memory_may_run_out(void **state)
{
    (void)state;
    for (int left = 0; left < 400; left++) {
        struct puan_test_scarce scarce = { .left = left };
        struct puan_alloc host = { puan_test_get, puan_test_put, &scarce };
        struct puan_grid sheet[8] = { 0 };
        struct puan_arena a, b;
        struct puan_xlsform x;
        struct puan_xlsform_in in = { .name = PUAN_STR("t"), .sheet = sheet };
        struct puan_err err = { 0 };
        enum puan_status st;

        puan_arena_init(&a, &puan_test_heap);
        puan_arena_init(&b, &host);
        in.n = puan_test_sheets(sheet, puan_str_of(whole), &a);
        st = puan_xlsform(&x, &in, &b, &err);
        puan_arena_clear(&b);
        puan_arena_clear(&a);
        assert_int_equal(scarce.live, 0);
        if (st == PUAN_OK)
            return;
        assert_int_equal(st, PUAN_ENOMEM);
    }
    fail_msg("it never had enough");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_become_conditions),
        cmocka_unit_test(a_form_comes_out_whole),
        cmocka_unit_test(the_report_names_each_place),
        cmocka_unit_test(rules_find_what_constraints_forbid),
        cmocka_unit_test(other_workbooks_are_refused),
        cmocka_unit_test(memory_may_run_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
