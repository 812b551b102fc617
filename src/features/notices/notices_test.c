/*
 * A notice on a real store: nothing of it is public before the leading group
 * has signed its very words, all of it is afterwards, and withdrawn it keeps
 * its title only; a draft, a drill and another flow say nothing.
 */
#include "features/notices/notices.h"

#include <time.h>

#include "features/host/test_desk.h"

#define WORDS                                                                  \
    "'title':'登记不收费','text':'普查登记不收取任何费用。'," \
    "'title_en':'No fee','text_en':'The census charges no fee at all.',"       \
    "'about':'网传要收登记费','about_en':'A fee is said to be due'"

static const char *publicity, *leaders;

static int set_up(void **state)
{
    (void)state;
    desk_county(NULL, "sm");
    publicity = seat("p1", "publicity", COUNTY);
    leaders = seat("l1", "leading-group", COUNTY);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    puan_fix_end(fix);
    return 0;
}

/* What a stranger reads, after the kept answer has grown old. */
static void read_public(void)
{
    nanosleep(&(struct timespec){ 2, 100000000 }, NULL);
    must(200, NULL, "GET", "/public/notices", NULL);
}

static int64_t drafted(const char *more)
{
    must(201, publicity, "POST", "/cases",
         puan_arena_fmt(&fix->a,
                        "{'area':'370883','flow':'public_correction',"
                        "'fields':{" WORDS "}%s}",
                        more));
    return puan_fix_office(fix, "SELECT MAX(id) FROM case_run");
}

static const char *at(int64_t id, const char *deed)
{
    return puan_arena_fmt(&fix->a, "/cases/%lld/%s", (long long)id, deed);
}

static void sign(int64_t id)
{
    uint8_t d[PUAN_DIGEST_SIZE];
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    must(200, publicity, "POST", at(id, "ask"), "{'approval':'words'}");
    puan_fix_covered(d, fix, id, "words");
    puan_hex(hex, d, sizeof(d));
    must(200, leaders, "POST", at(id, "sign"),
         puan_arena_fmt(&fix->a,
                        "{'approval':'words','yes':true,'digest':'%s'}", hex));
}

static void it_is_public_as_it_was_signed(void **state)
{
    int64_t id = drafted("");

    (void)state;
    read_public();
    assert_int_equal(puan_node_get(tree(), "items")->n, 0);
    /* unsigned it does not go out, signed and changed neither */
    must(409, publicity, "POST", at(id, "act"), "{'transition':'publish'}");
    sign(id);
    must(200, publicity, "POST", at(id, "act"),
         "{'transition':'revise','fields':{'title':'登记要收费'}}");
    must(409, publicity, "POST", at(id, "act"), "{'transition':'publish'}");
    read_public();
    assert_int_equal(puan_node_get(tree(), "items")->n, 0);
    must(200, publicity, "POST", at(id, "act"),
         "{'transition':'revise','fields':{'title':'登记不收费'}}");
    sign(id);
    must(200, publicity, "POST", at(id, "act"), "{'transition':'publish'}");
    read_public();
    assert_int_equal(puan_node_get(tree(), "items")->n, 1);
    assert_true(is(puan_node_get(tree(), "items")->first, "title",
                   "登记不收费"));
    assert_true(is(puan_node_get(tree(), "items")->first, "title_en",
                   "No fee"));
    assert_true(is(puan_node_get(tree(), "items")->first, "about",
                   "网传要收登记费"));
    assert_false(says("p1"));
    assert_false(says("l1"));
    /* withdrawn: the title with its day, not the text nor the reason */
    must(200, leaders, "POST", at(id, "act"),
         "{'transition':'withdraw','fields':{'reason':'内部情况'}}");
    read_public();
    assert_int_equal(puan_node_get(tree(), "items")->n, 1);
    assert_true(says("登记不收费"));
    assert_false(says("no fee at all"));
    assert_false(says("内部情况"));
    assert_false(says("\"withdrawn\":null"));
}

static void a_correction_says_what_it_corrects(void **state)
{
    (void)state;
    must(400, publicity, "POST", "/cases",
         "{'area':'370883','flow':'public_correction','fields':{"
         "'title':'并非如此','text':'这一说法与事实不符。',"
         "'title_en':'Not so','text_en':'What is said is not so.'}}");
    /* and a notice of another kind does not */
    must(201, publicity, "POST", "/cases",
         "{'area':'370883','flow':'public_notice','fields':{'kind':'service',"
         "'title':'服务时间调整','text':'周六照常办理自主填报咨询。',"
         "'title_en':'Hours','text_en':'We are open on Saturday, too.'}}");
}

static void a_drill_says_nothing_in_public(void **state)
{
    int64_t id = drafted(",'drill':true");

    (void)state;
    sign(id);
    must(200, publicity, "POST", at(id, "act"), "{'transition':'publish'}");
    read_public();
    for (const struct puan_node *n = puan_node_get(tree(), "items")->first; n;
         n = n->next)
        assert_true(puan_node_get(n, "withdrawn")->kind != PUAN_NODE_NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_public_as_it_was_signed),
        cmocka_unit_test(a_correction_says_what_it_corrects),
        cmocka_unit_test(a_drill_says_nothing_in_public),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
