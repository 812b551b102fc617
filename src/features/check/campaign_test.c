/*
 * A campaign directory checked by its own plan: for every form the findings
 * are those that the record executor stored with the returns, row for row.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/edit/edit.h"
#include "core/plan/plan.h"
#include "features/host/feature.h"
#include "features/host/test_fixture.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

extern const struct puan_feature puan_feature_check;

#define EA 370883001001001
#define HOME(n) ((int64_t)EA * 1000 + (n))

static struct puan_fix *fix;

static void send(const char *form, int64_t household, unsigned base,
                 const char *answers)
{
    struct puan_sender who = { .actor = PUAN_STR("e-1"),
                               .seat = PUAN_STR("enumerator"),
                               .device = PUAN_STR("d-1"),
                               .area = EA };
    char *doc = (char *)(uintptr_t)puan_arena_fmt(
        &fix->a,
        "{'form':'%s','household':'%lld','base':%u,'device':'d-1',"
        "'counter':%u,'mode':'enumerator',"
        "'started':'2020-11-16T10:00:00+08:00',"
        "'finished':'2020-11-16T10:20:00+08:00','signed':true,%s}",
        form, (long long)household, base, ++fix->counter, answers);
    struct puan_receipt r;

    for (char *p = doc; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    r = puan_fix_submit(fix, &who, puan_str_of(doc));
    assert_int_equal(r.outcome, PUAN_SUBMIT_ACCEPTED);
}

/* Returns of every form; each breaks some rules, and some break none. */
static void returns(void)
{
    puan_fix_clock(fix, "2020-11-12T12:00:00+08:00");
    send("short", HOME(1), 0,
         "'answers':{'H1':1,'H2a':3,'H2b':1,'H3m':0,'H3f':0,'H4m':0,'H4f':0,"
         "'H5':1,'H6':1200,'H7':3},'person':["
         "{'D1':'张三','D2':0,'D3':'370883198003120010','D4':1,'D5':'1980-03',"
         "'D6':'01','D7':1,'D8':1,'D9':1,'D11':4,'D12':1},"
         "{'D1':'李四','D2':1,'D4':1,'D5':'1982-05','D6':'77','D7':1,'D8':3,"
         "'D9':1,'D11':{'missing':''},'D12':1},"
         "{'D1':'张小','D2':2,'D4':2,'D5':'2019-05','D6':'01','D7':1,'D8':1,"
         "'D9':1,'D11':1}]");
    send("short", HOME(2), 0,
         "'answers':{'H1':2,'H2a':1,'H2b':0,'H3m':0,'H3f':1,'H4m':0,'H4f':1,"
         "'H5':2},'person':["
         "{'D1':'测试','D2':0,'D4':2,'D5':'2012-03','D6':'01','D7':1,'D8':5,"
         "'D9':3,'D11':9,'D12':2}],'death':["
         "{'S1':'王五','S3':2,'S4':'2020-09','S5':'2020-08','S6':'01','S8':2}]");
    send("hmt", HOME(3), 0,
         "'answers':{'F1':1,'F2':1,'F3':90,'F4':3},'person':["
         "{'R1':'John Doe','R2':0,'R3':1,'R4':'2015-01','R5':2,'R6':6,'R7':4,"
         "'R8':4,'R8a':156},"
         "{'R1':'Jane Doe','R2':1,'R3':2,'R4':'1980-01','R5':1,'R6':1,'R7':7,"
         "'R8':1,'R9':2,'R10':2}]");
    send("death", HOME(4), 0,
         "'answers':{},'death':["
         "{'S1':'赵六','S3':1,'S4':'1940-01','S5':'2019-03','S6':'01',"
         "'S7':3}]");
    puan_fix_clock(fix, "2020-11-20T12:00:00+08:00");
    send("long", HOME(5), 0,
         "'answers':{'H1':1,'H2a':2,'H2b':0,'H3m':0,'H3f':0,'H4m':0,'H4f':0,"
         "'H5':1,'H6':90,'H7':3,'H8':1,'H9':4,'H10':9,'H11':1,'H12':1,'H13':2,"
         "'H14':1,'H15':1,'H16':2,'H17':1,'H19':7},'person':["
         "{'C1':'孙七','C2':0,'C4':1,'C5':'1950-03','C6':'01','C7':1,'C8':1,"
         "'C9':1,'C11':3,'C12':2,'C13':3,'C13a':'37','C14':1,'C15':4,'C16':1,"
         "'C17':1,'C18':1,'C18h':120,'C19':3,'C20':'种粮','C20b':'小麦',"
         "'C20c':'0111','C21':'种地','C23':6,'C24':1,'C28':5,'C29':4},"
         "{'C1':'周八','C2':1,'C4':2,'C5':'1960-07','C6':'01','C7':1,'C8':1,"
         "'C9':1,'C11':3,'C12':2,'C13':1,'C14':2,'C14a':'370883','C15':3,"
         "'C16':2,'C17':1,'C18':3,'C22':2,'C23':2,'C24':2,'C25':'1968-03',"
         "'C26':2,'C26_born_m':0,'C26_born_f':0,'C26_alive_m':1,"
         "'C26_alive_f':0,'C28':2,'C29':1}]");
    /* a household that answered the short form before */
    send("short", HOME(6), 0,
         "'answers':{'H1':1,'H2a':9,'H2b':9,'H3m':0,'H3f':0,'H4m':0,'H4f':0,"
         "'H5':3},'person':[]");
    send("long", HOME(6), 1,
         "'answers':{'H1':1,'H2a':1,'H2b':0,'H3m':0,'H3f':0,'H4m':0,'H4f':0,"
         "'H5':3},'person':["
         "{'C1':'吴九','C2':0,'C4':1,'C5':'1990-03','C6':'01','C7':1,'C8':1,"
         "'C9':1,'C11':3,'C12':2,'C13':1,'C14':1,'C15':4,'C16':2,'C17':1,"
         "'C18':3,'C22':3,'C23':1,'C24':1}]");
}

static int set_up(void **state)
{
    (void)state;
    fix = puan_fix_begin(NULL);
    puan_fix_create(fix, "demo", "plans/cn-population-2020", "sm");
    puan_fix_open(fix);
    puan_fix_import(fix, PUAN_IMPORT_AREAS,
                    "code,parent,level,name_zh,name_en\n"
                    "37,,province,a,A\n3708,37,prefecture,b,B\n"
                    "370883,3708,county,c,C\n370883001,370883,township,d,D\n"
                    "370883001001,370883001,district,e,E\n"
                    "370883001001001,370883001001,ea,f,F\n");
    puan_fix_import(fix, PUAN_IMPORT_LISTING,
                    "household,ea\n"
                    "370883001001001001,370883001001001\n"
                    "370883001001001002,370883001001001\n"
                    "370883001001001003,370883001001001\n"
                    "370883001001001004,370883001001001\n"
                    "370883001001001005,370883001001001\n"
                    "370883001001001006,370883001001001\n");
    returns();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    puan_fix_end(fix);
    return 0;
}

/* The command; what it prints stays out of the test's own output. */
static int check(const char *const *arguments)
{
    char *argv[24] = { (char *)(uintptr_t) "check" };
    int argc = 1, code, out = dup(STDOUT_FILENO), to;

    while (*arguments)
        argv[argc++] = (char *)(uintptr_t)*arguments++;
    fflush(stdout);
    assert_non_null(freopen(puan_arena_fmt(&fix->a, "%s/stdout", fix->root),
                            "w", stdout));
    code = puan_feature_check.commands[0].run(argc, argv);
    fflush(stdout);
    to = dup2(out, STDOUT_FILENO);
    assert_true(to >= 0);
    close(out);
    return code;
}

struct expected {
    struct puan_out text;
    struct puan_shard *shard;
    int form;
    size_t n;
};

/* "form,household,level,row,rule," of every finding stored with a return. */
static enum puan_status add(void *arg, const struct puan_ret *r,
                            struct puan_err *err)
{
    struct expected *x = arg;
    const struct puan_ruleset *rs = puan_ingest_rules(fix->st, r->form);
    struct puan_edits edits;
    enum puan_status st;

    if (r->form->ordinal != x->form)
        return PUAN_OK;
    st = puan_ret_edits(&edits, r, x->shard, false, &fix->a, err);
    for (size_t i = 0; st == PUAN_OK && i < edits.n; i++) {
        const struct puan_rule_info *info =
            puan_ruleset_info(rs, edits.list[i].rule);

        puan_out_fmt(&x->text, "%.*s,%lld,%.*s,%u,%.*s\n",
                     PUAN_FMT(r->form->id), (long long)r->head.household,
                     PUAN_FMT(info->entity ? r->form->entity[info->entity].name
                                           : PUAN_STR("")),
                     info->entity ? edits.list[i].row + 1 : 0,
                     PUAN_FMT(info->id));
        x->n++;
    }
    return st;
}

/* The first five cells of every line behind the header. */
static struct puan_str found(const char *path)
{
    struct puan_str text = { 0 }, line;
    struct puan_out out;
    bool header = true;

    ok(puan_file_read(&text, path, 0, &fix->a, err));
    puan_out_init(&out, &fix->a);
    while (puan_str_split(&line, &text, '\n')) {
        size_t n = 0, commas = 0;

        while (n < line.n && (line.p[n] != ',' || ++commas < 5))
            n++;
        if (!header && line.n)
            puan_out_fmt(&out, "%.*s\n", (int)n, line.p);
        header = false;
    }
    return puan_out_view(&out);
}

static void findings_are_those_stored_with_the_returns(void **state)
{
    const char *out = puan_arena_fmt(&fix->a, "%s/findings.csv", fix->root);
    const char *all[] = { fix->dir, "--out", out, "--quiet", NULL };
    const char *part[] = { fix->dir, "--out",  out,   "--quiet",
                           "--form", "long", "--area", "370883001", NULL };
    const struct puan_plan *plan = puan_store_plan(fix->st);
    struct expected x = { .n = 0 };
    size_t forms = 0, long_n = 0;
    struct puan_str got;

    (void)state;
    puan_out_init(&x.text, &fix->a);
    for (x.form = 0; x.form < (int)plan->n_forms; x.form++) {
        size_t before = x.n;

        for (size_t i = 1; i < puan_store_shards(fix->st); i++) {
            x.shard = puan_store_shard(fix->st, i);
            ok(puan_ret_each(x.shard, 0, INT64_MAX, add, &x, err));
        }
        forms += x.n > before;
        if (puan_str_is(plan->form[x.form]->id, "long"))
            long_n = x.n - before;
    }
    assert_int_equal(forms, 4); /* none of them is there for nothing */
    assert_true(x.n > 30 && long_n > 8);
    assert_int_equal(check(all), PUAN_EXIT_FINDINGS);
    got = found(out);
    assert_string_equal(puan_arena_dup(&fix->a, got),
                        puan_arena_dup(&fix->a, puan_out_view(&x.text)));
    /* one form of one area: that part of them */
    assert_int_equal(check(part), PUAN_EXIT_FINDINGS);
    got = found(out);
    forms = 0;
    for (size_t i = 0; i < got.n; i++)
        forms += got.p[i] == '\n';
    assert_int_equal(forms, long_n);
}

static void what_does_not_fit_is_refused(void **state)
{
    const char *plan[] = { fix->dir, "--plan", "plans/zz-test", NULL };
    const char *form[] = { fix->dir, "--form", "short2", "--quiet", NULL };
    const char *area[] = { fix->dir, "--area", "99", "--quiet", NULL };

    (void)state;
    assert_int_equal(check(plan), PUAN_EXIT_USAGE);
    assert_int_equal(check(form), PUAN_EXIT_INPUT);
    assert_int_equal(check(area), PUAN_EXIT_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_are_those_stored_with_the_returns),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests_name("check_campaign", tests, set_up,
                                       tear_down);
}
