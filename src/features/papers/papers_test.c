/*
 * Papers over HTTP: what a case lacks refuses the paper and not its draft; a
 * number stays with its case and the next case has the next; secret fields
 * reach cleared seats only; every print is in the register and in the ledger;
 * every template of the packs fills in from what the routes answer.
 */
#include <stdlib.h>
#include <unistd.h>

#include "features/host/test_desk.h"
#include "features/papers/internal.h"
#include "kit/crypto/crypto.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"
#include "kit/yaml/yaml.h"

static const char *engines[2];
static size_t n_engines;

/* Runs the jobs of a feature once. */
static void jobs(const char *feature)
{
    for (size_t f = 0; puan_features[f] != NULL; f++)
        for (size_t i = 0; i < puan_features[f]->n_jobs; i++)
            if (strcmp(puan_features[f]->name, feature) == 0)
                ok(puan_features[f]->jobs[i].run(fix->st, err));
}

/* The answer read back as a document. */
static const struct puan_paper *document(void)
{
    struct puan_paper *p = NULL;

    ok(puan_paper_read(&p, puan_arena_keep(&fix->a, fix->reply.body), &fix->a, err));
    return p;
}

static bool in_body(const struct puan_paper *p, const char *text)
{
    for (size_t i = 0; i < p->n_blocks; i++) {
        const struct puan_paper_block *b = &p->block[i];

        if (puan_str_holds(b->text, puan_str_of(text)) ||
            puan_str_holds(b->label, puan_str_of(text)))
            return true;
        for (size_t r = 0; r < b->table.n_rows; r++)
            for (size_t c = 0;
                 c < (b->table.row[r].group ? 1 : b->table.n_columns); c++)
                if (puan_str_holds(b->table.row[r].cell[c], puan_str_of(text)))
                    return true;
    }
    return false;
}

#define OPEN                                                                   \
    "{'area':'370883001','flow':'incident','fields':{'class':'technical',"     \
    "'level':'yellow','title':'直报中断'}}"
#define REPORT                                                                 \
    "{'transition':'report','fields':{'happened':'2020-11-02T07:30:00+08:00'," \
    "'place':'甲镇登记站','cause':'网络设备进水','details':'三个村停报',"      \
    "'loss':'设备两台','scope':'wider','trend':'可控','measures':'改用电话',"  \
    "'way':'phone'}}"

static void a_paper_waits_for_its_contents_and_its_draft_does_not(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        const struct puan_paper *p;
        const char *town, *duty;

        desk_county(engines[e], "sm");
        town = seat("t", "township-office", TOWN);
        duty = seat("d", "duty-officer", COUNTY);
        must(201, town, "POST", "/cases", OPEN);
        must(200, duty, "GET", "/papers?id=1", NULL);
        assert_true(says("\"id\":\"incident_report\"") && says("损失") &&
                    !says("leak_report"));
        must(409, duty, "POST", "/papers",
             "{'paper':'incident_report','id':1,'format':'json'}");
        assert_true(says("损失") && says("发展趋势"));
        assert_int_equal(puan_fix_office(fix, "SELECT COUNT(*) FROM paper_print"),
                         0);
        must(200, duty, "POST", "/papers",
             "{'paper':'incident_report','id':1,'format':'json','draft':true}");
        p = document();
        assert_true(puan_str_is(p->mark, "草稿") && in_body(p, "（未填）"));
        assert_true(puan_str_is(p->number, "普应急〔2020〕　号"));
        must(200, town, "POST", "/cases/1/act", REPORT);
        must(200, duty, "POST", "/papers",
             "{'paper':'incident_report','id':1,'format':'json'}");
        p = document();
        assert_true(p->mark.n == 0 && !in_body(p, "（未填）"));
        assert_true(puan_str_is(p->number, "普应急〔2020〕1号"));
        assert_true(puan_str_is(p->title, "关于直报中断的报告"));
        assert_true(puan_str_starts(
            p->issuer, "邹城市第七次全国人口普查领导小组办公室"));
        assert_true(in_body(p, "2020年11月2日7时30分") &&
                    in_body(p, "甲镇登记站") && in_body(p, "改用电话") &&
                    in_body(p, "跨地区") && in_body(p, "6．影响范围："));
        assert_true(puan_str_is(p->date, "2020年11月2日"));
        assert_true(puan_str_starts(p->foot, "核验码 "));
        /* the same paper again has the same number, the next case the next */
        must(200, duty, "POST", "/papers",
             "{'paper':'incident_report','id':1,'format':'json','lang':'en'}");
        p = document();
        assert_true(p->en && puan_str_is(p->number, "Emergency 2020 No. 1") &&
                    in_body(p, "2 November 2020, 07:30"));
        must(201, town, "POST", "/cases", OPEN);
        must(200, town, "POST", "/cases/2/act", REPORT);
        must(200, duty, "POST", "/papers",
             "{'paper':'incident_report','id':2,'format':'json'}");
        assert_true(puan_str_is(document()->number, "普应急〔2020〕2号"));
        must(200, duty, "GET", "/papers/register", NULL);
        assert_true(says("\"about\":\"case/2\"") && says("草稿"));
        assert_int_equal(puan_fix_office(fix, "SELECT COUNT(*) FROM paper_print"),
                         4);
        puan_fix_verify(fix);
        puan_fix_end(fix);
    }
}

static void who_may_not_read_may_not_print(void **state)
{
    const struct puan_paper *p;
    const char *town, *other, *duty, *secrecy, *enumerator;

    (void)state;
    desk_county(NULL, "sm");
    town = seat("t", "township-office", TOWN);
    other = seat("u", "township-office", 370883002);
    duty = seat("d", "duty-officer", COUNTY);
    secrecy = seat("s", "secrecy-office", COUNTY);
    enumerator = seat("n", "household", TOWN);
    must(201, town, "POST", "/cases", OPEN);
    must(200, town, "POST", "/cases/1/act", REPORT);
    /* another township, a seat without the capability, a case that is not */
    assert_true(call(other, "POST", "/papers",
                     "{'paper':'incident_report','id':1}") >= 403);
    assert_true(call(enumerator, "GET", "/papers?id=1", NULL) == 403);
    must(404, duty, "POST", "/papers", "{'paper':'incident_report','id':9}");
    must(404, duty, "POST", "/papers", "{'paper':'no_such','id':1}");
    must(400, duty, "POST", "/papers", "{'paper':'leak_report','id':1}");
    must(400, duty, "POST", "/papers", "{'paper':'incident_report'}");
    /* what is secret is not there for who is not cleared */
    must(201, town, "POST", "/cases",
         "{'area':'370883001','flow':'leak','fields':{'title':'x',"
         "'known_elsewhere':false}}");
    must(200, town, "POST", "/cases/2/act",
         "{'transition':'report','fields':{'unit':'甲','content':'密件内容',"
         "'class':'secret','quantity':'1','carrier':'纸','happened':"
         "'2020-11-02T07:30:00+08:00','place':'乙','course':'经过','harm':'无',"
         "'persons':'某岗','measures':'收回','way':'phone'}}");
    must(409, duty, "POST", "/papers",
         "{'paper':'leak_report','id':2,'format':'json'}");
    assert_false(says("密件内容"));
    must(200, duty, "POST", "/papers",
         "{'paper':'leak_report','id':2,'format':'json','draft':true}");
    assert_false(says("密件内容"));
    must(200, secrecy, "POST", "/papers",
         "{'paper':'leak_report','id':2,'format':'json'}");
    p = document();
    assert_true(in_body(p, "密件内容") && puan_str_is(p->secrecy, "机密★1年"));
    /* a drill's paper says so and takes no number */
    must(201, town, "POST", "/cases",
         "{'area':'370883001','flow':'incident','drill':true,'fields':{'class':"
         "'technical','title':'停电'}}");
    must(200, town, "POST", "/cases/3/act", REPORT);
    must(200, duty, "POST", "/papers",
         "{'paper':'incident_report','id':3,'format':'json'}");
    p = document();
    assert_true(p->drill && puan_str_is(p->mark, "演练") &&
                puan_str_is(p->number, "普应急〔2020〕演练号"));
    assert_int_equal(puan_fix_office(fix, "SELECT COALESCE(MAX(number), 0) FROM"
                                          " paper_print WHERE paper ="
                                          " 'incident_report'"),
                     0);
    puan_fix_end(fix);
}

static void papers_about_an_area_read_its_requests(void **state)
{
    const struct puan_paper *p;
    const char *county;
    const struct puan_plan_file *f;

    (void)state;
    desk_county(NULL, "sm");
    county = seat("c", "city-office", COUNTY);
    must(200, county, "GET", "/papers", NULL);
    assert_true(says("daily_brief") && says("score_sheet") &&
                !says("incident_report"));
    /* the counts of work are not read yet: later, not a nought */
    must(503, county, "POST", "/papers",
         "{'paper':'daily_brief','format':'json'}");
    jobs("progress");
    must(200, county, "POST", "/papers",
         "{'paper':'daily_brief','format':'json'}");
    p = document();
    assert_true(puan_str_is(p->title, "邹城市普查登记进度日报") &&
                puan_str_is(p->number, "〔2020〕第1期") && in_body(p, "甲镇") &&
                in_body(p, "应登记0户"));
    must(200, county, "POST", "/papers",
         "{'paper':'score_sheet','format':'json'}");
    p = document();
    f = puan_plan_file(puan_store_plan(fix->st), PUAN_STR("scoring.yaml"));
    assert_non_null(f);
    {
        const struct puan_node *s =
            puan_node_at(puan_node_get(f->tree, "sections"), 0);
        size_t items = 0;

        PUAN_NODE_EACH(c, puan_node_get(f->tree, "sections"))
        items += 1 + puan_node_get(c, "items")->n;
        assert_true(puan_node_get(s, "items")->n > 0);
        assert_int_equal(p->block[1].table.n_rows, items);
        assert_true(p->block[1].table.row[0].group);
    }
    must(200, county, "POST", "/papers",
         "{'paper':'score_sheet','format':'xlsx','lang':'en'}");
    assert_true(fix->reply.body.n > 4000 && memcmp(fix->reply.body.p, "PK", 2) == 0);
    puan_fix_end(fix);
}

static void a_register_is_printed_with_its_values(void **state)
{
    const char *desk, *duty;
    const struct puan_paper *p;

    (void)state;
    desk_county(NULL, "sm");
    desk = seat("k", "records-desk", COUNTY);
    duty = seat("d", "duty-officer", COUNTY);
    must(201, desk, "POST", "/cases",
         "{'area':'370883','flow':'seal_use','fields':{'seal':'group',"
         "'paper':'登记通知','copies':3}}");
    must(201, desk, "POST", "/cases",
         "{'area':'370883','flow':'seal_use','fields':{'seal':'office',"
         "'paper':'=1+1','copies':1}}");
    must(200, desk, "POST", "/papers",
         "{'paper':'seal_register','format':'json'}");
    p = document();
    assert_true(p->landscape && p->block[0].table.n_rows == 2);
    assert_true(in_body(p, "登记通知") && in_body(p, "领导小组印章") &&
                in_body(p, "待批准") && in_body(p, "2020-001"));
    must(200, duty, "POST", "/papers",
         "{'paper':'seal_register','format':'json','lang':'en'}");
    p = document();
    assert_true(in_body(p, "Seal of the leading group") &&
                puan_str_is(p->title, "Register of seals, Zoucheng"));
    must(200, desk, "POST", "/papers",
         "{'paper':'registers_due','format':'json'}");
    assert_true(in_body(document(), "印章使用登记"));
    must(200, desk, "POST", "/papers",
         "{'paper':'seal_register','format':'xlsx'}");
    assert_true(memcmp(fix->reply.body.p, "PK", 2) == 0);
    puan_fix_end(fix);
}

/* Where the program is built, beside this one. */
static void a_pdf_is_set_and_registered(void **state)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 20);
    const char *town;

    (void)state;
    assert_true(n > 0);
    while (n > 0 && self[n - 1] != '/')
        n--;
    memcpy(self + n, "puan-paper", 11);
    if (access(self, X_OK) != 0)
        skip();
    desk_county(NULL, "sm");
    town = seat("t", "township-office", TOWN);
    must(201, town, "POST", "/cases", OPEN);
    must(200, town, "POST", "/cases/1/act", REPORT);
    must(200, town, "POST", "/papers", "{'paper':'incident_report','id':1}");
    assert_true(fix->reply.body.n > 10000 && memcmp(fix->reply.body.p, "%PDF-", 5) == 0);
    assert_int_equal(puan_fix_office(fix, "SELECT COUNT(*) FROM paper_print"
                                          " WHERE format = 'pdf'"),
                     1);
    /* what no font has is refused by name, and no number is used up */
    must(201, town, "POST", "/cases",
         "{'area':'370883001','flow':'incident','fields':{'class':'technical',"
         "'title':'\xee\x80\x80'}}");
    must(200, town, "POST", "/cases/2/act", REPORT);
    must(400, town, "POST", "/papers", "{'paper':'incident_report','id':2}");
    assert_true(says("U+E000"));
    assert_int_equal(puan_fix_office(fix, "SELECT COUNT(*) FROM paper_print"),
                     1);
    puan_fix_end(fix);
}

/* ---- templates that are wrong ------------------------------------------------- */

static const char *const bad[][2] = {
    { "about: case\nflows: [nil]\nbody: [{text: a}]", "no workflow \"nil\"" },
    { "about: case\nbody: [{text: a}]", "needs \"flows\"" },
    { "about: area\nbody: [{text: a}]", "needs \"from\"" },
    { "about: area\nfrom: {b: no/such/thing}\nbody: [{text: a}]",
      "no request" },
    { "about: area\nfrom: {seat: board}\nbody: [{text: a}]",
      "meaning of its own" },
    { "about: case\nflows: [incident]\nbody: [{text: '{field.nope}'}]",
      "no field \"nope\"" },
    { "about: case\nflows: [incident]\nbody: [{text: '{what.x}'}]",
      "nothing is called \"what\"" },
    { "about: case\nflows: [incident]\nbody: [{text: '{now|often}'}]",
      "called \"often\"" },
    { "about: case\nflows: [incident]\nbody: [{text: '{now'}]",
      "not closed" },
    { "about: case\nflows: [incident]\nbody: [{text: {zh: a}}]",
      "both languages" },
    { "about: case\nflows: [leak]\nbody: [{text: '{field.content}'}]",
      "under \"secrecy\"" },
    { "about: case\nflows: [incident]\nneeds: [field.nope]\nbody: [{text: a}]",
      "no field \"nope\"" },
    { "about: case\nflows: [incident]\nseries: x\nbody: [{text: a}]",
      "go together" },
    { "about: case\nflows: [incident]\nbody: [{text: a, heading: b}]",
      "one of text" },
    { "about: case\nflows: [incident]\nbody: [{table: {columns: [{value: a}]}}]",
      "\"rows\"" },
    { "about: case\nflows: [incident]\nbody: [{table: {columns: [{}, {}], "
      "lines: [[a]]}}]",
      "2 cells" },
    { "about: case\nflows: [incident]\nbody: [{table: {rows: case.events, "
      "columns: [{width: 1}]}}]",
      "needs a \"value\"" },
    { "about: case\nflows: [incident]\nbody: []", "\"body\"" },
    { "about: case\nflows: [incident]\nbodi: []\nbody: [{text: a}]", "bodi" },
    { "about: house\nbody: [{text: a}]", "case or area" },
};

static bool any_route(void *ctx, struct puan_str path)
{
    (void)ctx;
    return !puan_str_starts(path, "no/");
}

static void a_template_that_names_what_is_not_there_is_refused(void **state)
{
    (void)state;
    desk_county(NULL, "sm");
    for (size_t i = 0; i < PUAN_COUNT(bad); i++) {
        const struct puan_paper_env env = {
            .flows = &puan_papers_of(fix->st)->flows, .route = any_route
        };
        struct puan_paper_template *t;
        struct puan_node *tree;
        struct puan_err err = { 0 };
        struct puan_arena a;
        const char *yaml;

        puan_arena_init(&a, &puan_heap);
        yaml = puan_arena_fmt(&a, "paper: x\nversion: 1\nzh: 甲\nen: X\n"
                                  "title: t\n%s\n",
                              bad[i][0]);
        assert_int_equal(puan_yaml_tree(&tree, puan_str_of(yaml), "x.yaml", &a,
                                        &err),
                         PUAN_OK);
        if (puan_paper_template_load(&t, tree, &env, &a, &err) != PUAN_EINVAL)
            fail_msg("%zu was taken: %s", i, bad[i][0]);
        if (strstr(err.text, bad[i][1]) == NULL || err.line == 0)
            fail_msg("%zu: %s:%u: %s", i, err.where, err.line, err.text);
        puan_arena_clear(&a);
    }
    puan_fix_end(fix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_paper_waits_for_its_contents_and_its_draft_does_not),
        cmocka_unit_test(who_may_not_read_may_not_print),
        cmocka_unit_test(papers_about_an_area_read_its_requests),
        cmocka_unit_test(a_register_is_printed_with_its_values),
        cmocka_unit_test(a_pdf_is_set_and_registered),
        cmocka_unit_test(a_template_that_names_what_is_not_there_is_refused),
    };

    n_engines = puan_fix_engines(engines);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
