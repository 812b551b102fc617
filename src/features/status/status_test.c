/*
 * The status page: names are escaped, no script and no inline style get in,
 * and through a proxy it shows no figure.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "features/host/host.h"
#include "kit/http/client.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

static struct puan_arena arena;
static struct puan_store *store;
static struct puan_host *host;
static struct puan_http_client *client;

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
    struct puan_store_options so = { 0 };
    struct puan_host_options ho = { .listen = "127.0.0.1:0", .workers = 2,
                                    .quiet = true };
    struct puan_act act = { .actor = PUAN_STR("test"),
                            .verb = PUAN_STR("area.import"),
                            .subject = PUAN_STR("areas") };
    struct puan_err err = { 0 };
    const char *temp, *dir;

    (void)state;
    setenv("PUAN_LOG", "off", 1);
    puan_arena_init(&arena, &puan_heap);
    assert_int_equal(puan_dir_temp(&temp, &arena, NULL), PUAN_OK);
    dir = puan_arena_fmt(&arena, "%s/census", temp);
    if (puan_store_create(dir, "demo", "test/packs/host-test", "sm", &so,
                          &err) != PUAN_OK ||
        puan_store_open(&store, dir, &so, &err) != PUAN_OK ||
        puan_commit(puan_store_office(store), &act, add_area, NULL, &err) !=
            PUAN_OK ||
        puan_store_areas_changed(store, &err) != PUAN_OK ||
        puan_host_start(&host, store, puan_features, &ho, &err) != PUAN_OK ||
        puan_http_client_open(&client, puan_host_address(host), &err) !=
            PUAN_OK)
        fail_msg("%s: %s", err.where, err.text);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    puan_http_client_close(client);
    puan_host_stop(host);
    puan_store_close(store);
    puan_arena_clear(&arena);
    return 0;
}

static const char *get(struct puan_http_reply *r, const char *path,
                       const char *headers)
{
    struct puan_http_call c = { .method = "GET", .path = path,
                                .headers = headers };

    assert_int_equal(puan_http_call(r, client, &c, NULL), PUAN_OK);
    assert_int_equal(r->status, 200);
    return puan_arena_dup(&arena, r->body);
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
