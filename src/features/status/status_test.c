/*
 * The status page: names are escaped, no script and no inline style get in,
 * and through a proxy it shows no figure.
 */
#include <stdlib.h>

#include "features/host/test_fixture.h"

static struct puan_fix *fix;

static enum puan_status add_area(struct puan_shard *sh, struct puan_db *db,
                                 struct puan_act *act, void *arg,
                                 struct puan_err *err)
{
    (void)sh;
    (void)act;
    (void)arg;
    return puan_db_exec(
        db,
        "INSERT INTO area VALUES('11','','county','<b>甲县&\"','A','ordinary',"
        "'','','');"
        "INSERT INTO area VALUES('1101','11','township','一乡','<script>',"
        "'ordinary','','','');"
        "INSERT INTO area VALUES('110101','1101','ea','一区','D','ordinary','',"
        "'','');",
        err);
}

static int open_all(void **state)
{
    (void)state;
    setenv("PUAN_LOG", "off", 1);
    fix = puan_fix_begin(NULL);
    puan_fix_create(fix, "demo", "test/packs/host-test", "sm");
    puan_fix_open(fix);
    puan_fix_areas(fix, add_area);
    puan_fix_serve(fix, 2, 0);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    puan_fix_end(fix);
    return 0;
}

static const char *get(struct puan_http_reply *r, const char *path,
                       const char *headers)
{
    struct puan_http_call c = { .method = "GET", .path = path,
                                .headers = headers };

    assert_int_equal(puan_http_call(r, fix->client, &c, NULL), PUAN_OK);
    assert_int_equal(r->status, 200);
    return puan_arena_dup(&fix->a, r->body);
}

static void the_page_is_inert(void **state)
{
    struct puan_http_reply r;
    const char *page = get(&r, "/", NULL);

    (void)state;
    assert_true(puan_str_starts(
        puan_http_reply_header(&r, "Content-Security-Policy"),
        "default-src 'none'"));
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "style="));
    assert_null(strstr(page, "://"));
    assert_null(strstr(page, "<b>"));
    assert_non_null(strstr(page, "&lt;b&gt;甲县&amp;&quot;"));
    assert_non_null(strstr(page, "一乡"));
    /* a metric that cannot be read is unknown, not nought */
    assert_non_null(strstr(page, "—"));
}

static void through_a_proxy_it_shows_no_figure(void **state)
{
    struct puan_http_reply r;
    const char *page = get(&r, "/", "X-Forwarded-For: 203.0.113.9\r\n");

    (void)state;
    assert_null(strstr(page, "甲县"));
    assert_null(strstr(page, "<table"));
    assert_non_null(strstr(page, "测试方案"));
}

static void its_parts_are_there(void **state)
{
    struct puan_http_reply r;

    (void)state;
    get(&r, "/status.css", NULL);
    assert_true(puan_str_starts(puan_http_reply_header(&r, "Content-Type"),
                                "text/css"));
    get(&r, "/icon.svg", NULL);
    get(&r, "/metrics", NULL);
    get(&r, "/api/v1/openapi.json", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_inert),
        cmocka_unit_test(through_a_proxy_it_shows_no_figure),
        cmocka_unit_test(its_parts_are_there),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
