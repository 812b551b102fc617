/*
 * The pages: what is answered with which entry, what is never reached, in
 * which form, under which headers; and who has "/".
 */
#include <stdlib.h>
#include <unistd.h>

#include "features/host/test_fixture.h"
#include "features/web/web.h"
#include "kit/os/os.h"

static struct puan_fix *fix;
static struct puan_web *web;

static void put(const char *name, const char *text)
{
    const char *path = puan_arena_fmt(&fix->a, "%s/web/%s", fix->root, name);
    const char *slash = strrchr(path, '/');

    ok(puan_dir_make(puan_arena_fmt(&fix->a, "%.*s", (int)(slash - path), path),
                     err));
    ok(puan_file_write(path, puan_str_of(text), 0600, err));
}

static void serve(const struct puan_web *pages)
{
    struct puan_host_options opt = { .listen = "127.0.0.1:0",
                                     .workers = 2,
                                     .quiet = true,
                                     .web = pages };

    ok(puan_host_start(&fix->host, fix->st, puan_features, &opt, err));
    ok(puan_http_client_open(&fix->client, puan_host_address(fix->host), err));
}

static int open_all(void **state)
{
    const char *dir;

    (void)state;
    setenv("PUAN_LOG", "off", 1);
    fix = puan_fix_begin(NULL);
    puan_fix_create(fix, "demo", "test/packs/host-test", "sm");
    puan_fix_open(fix);
    dir = puan_arena_fmt(&fix->a, "%s/web", fix->root);
    put("office/index.html", "office");
    put("household/index.html", "household");
    put("field/index.html", "field");
    put("unit/index.html", "unit");
    put("public/index.html", "public");
    put("assets/a-1.js", "long long long");
    put("assets/a-1.js.gz", "short");
    put("notes.txt.gz", "alone");
    ok(puan_web_open(&web, dir, err));
    serve(web);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    puan_http_client_close(fix->client);
    fix->client = NULL;
    puan_host_stop(fix->host);
    fix->host = NULL;
    puan_web_close(web);
    puan_fix_end(fix);
    return 0;
}

static void found(const char *target, const char *name)
{
    struct puan_str got = puan_web_find(web, puan_str_of(target));

    if (!puan_str_is(got, name))
        fail_msg("%s gives '%.*s', not '%s'", target, PUAN_FMT(got), name);
}

static void entries_by_prefix(void **state)
{
    (void)state;
    found("/", "public/index.html");
    found("/?a=1", "public/index.html");
    found("/verify", "public/index.html");
    found("/verify/370883-0012?x=/office", "public/index.html");
    found("/data/t1", "public/index.html");
    found("/office", "office/index.html");
    found("/office/", "office/index.html");
    found("/office/board?area=370883", "office/index.html");
    found("/household/start", "household/index.html");
    found("/field", "field/index.html");
    found("/field/h/370883002001001001", "field/index.html");
    found("/fields", "");
    found("/unit/form", "unit/index.html");
    found("/assets/a-1.js", "assets/a-1.js");
    found("/notes.txt.gz", "notes.txt.gz");
    found("/officer", "");
    found("/verifying", "");
    found("/index.html", "");
    found("/assets/none.js", "");
    found("/api/v1/openapi.json", "");
    found("office/index.html", "");
    found("", "");
}

static void nothing_outside_the_table(void **state)
{
    static const char *const tries[] = {
        "/../web_test.c", "/assets/../office/index.html", "/./notes.txt.gz",
        "//office/index.html", "/assets/%61-1.js", "/assets//a-1.js",
        "/assets", "/assets/", "/office/index.html/", "/..", "/%2e%2e/x",
    };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(tries); i++) {
        struct puan_str got = puan_web_find(web, puan_str_of(tries[i]));

        /* below /office everything is the entry; else nothing at all */
        if (got.n && !(puan_str_starts(puan_str_of(tries[i]), "/office/") &&
                       puan_str_is(got, "office/index.html")))
            fail_msg("%s gives '%.*s'", tries[i], PUAN_FMT(got));
    }
    found("/office/../../etc/passwd", "office/index.html");
}

static void trees_that_are_refused(void **state)
{
    struct puan_web *w = NULL;
    struct puan_err why = { 0 };
    const char *dir = puan_arena_fmt(&fix->a, "%s/other", fix->root);

    (void)state;
    assert_int_equal(puan_web_open(&w, dir, &why), PUAN_ENOTFOUND);
    ok(puan_dir_make(dir, err));
    memset(&why, 0, sizeof(why));
    assert_int_equal(puan_web_open(&w, dir, &why), PUAN_ENOTFOUND);
    ok(puan_file_write(puan_arena_fmt(&fix->a, "%s/.secret", dir),
                       PUAN_STR("x"), 0600, err));
    memset(&why, 0, sizeof(why));
    assert_int_equal(puan_web_open(&w, dir, &why), PUAN_EINVAL);
    assert_null(w);
}

static void headers_of_the_client(void **state)
{
    (void)state;
    assert_true(puan_web_takes_gzip(PUAN_STR("gzip")));
    assert_true(puan_web_takes_gzip(PUAN_STR("br, GZIP;q=0.5")));
    assert_true(puan_web_takes_gzip(PUAN_STR("*")));
    assert_false(puan_web_takes_gzip(PUAN_STR("")));
    assert_false(puan_web_takes_gzip(PUAN_STR("gzip;q=0")));
    assert_false(puan_web_takes_gzip(PUAN_STR("gzip; q=0.00, br")));
    assert_false(puan_web_takes_gzip(PUAN_STR("gzip;q=0, *")));
    assert_false(puan_web_takes_gzip(PUAN_STR("x-gzip")));
    assert_true(puan_web_tag_matches(PUAN_STR("\"a\", W/\"b\""),
                                     PUAN_STR("\"b\"")));
    assert_true(puan_web_tag_matches(PUAN_STR("*"), PUAN_STR("\"b\"")));
    assert_false(puan_web_tag_matches(PUAN_STR("\"bb\""), PUAN_STR("\"b\"")));
    assert_false(puan_web_tag_matches(PUAN_STR(""), PUAN_STR("\"b\"")));
}

static unsigned ask(struct puan_http_reply *r, const char *method,
                    const char *path, const char *headers)
{
    struct puan_http_call c = { .method = method, .path = path,
                                .headers = headers };

    ok(puan_http_call(r, fix->client, &c, err));
    return r->status;
}

static void over_http(void **state)
{
    struct puan_http_reply r;
    const char *tag;

    (void)state;
    assert_int_equal(ask(&r, "GET", "/office/board", NULL), 200);
    assert_true(puan_str_is(r.body, "office"));
    assert_true(puan_str_is(puan_http_reply_header(&r, "Cache-Control"),
                            "no-cache"));
    assert_true(puan_str_starts(
        puan_http_reply_header(&r, "Content-Security-Policy"),
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"));
    assert_true(puan_str_is(
        puan_http_reply_header(&r, "X-Content-Type-Options"), "nosniff"));
    assert_true(puan_str_is(puan_http_reply_header(&r, "Referrer-Policy"),
                            "no-referrer"));
    assert_true(puan_http_reply_header(&r, "Permissions-Policy").n > 0);
    assert_true(puan_http_reply_header(&r, "Cross-Origin-Opener-Policy").n > 0);
    assert_int_equal(ask(&r, "GET", "/office/", NULL), 200);
    assert_true(puan_str_is(r.body, "office"));
    tag = puan_arena_dup(&fix->a, puan_http_reply_header(&r, "ETag"));
    assert_int_equal(
        ask(&r, "GET", "/office/board",
            puan_arena_fmt(&fix->a, "If-None-Match: %s\r\n", tag)),
        304);
    assert_int_equal(r.body.n, 0);
    assert_int_equal(ask(&r, "GET", "/assets/a-1.js", NULL), 200);
    assert_true(puan_str_is(r.body, "long long long"));
    assert_true(strstr(puan_arena_dup(&fix->a, puan_http_reply_header(
                                                   &r, "Cache-Control")),
                       "immutable") != NULL);
    tag = puan_arena_dup(&fix->a, puan_http_reply_header(&r, "ETag"));
    assert_int_equal(
        ask(&r, "GET", "/assets/a-1.js", "Accept-Encoding: gzip\r\n"), 200);
    assert_true(puan_str_is(r.body, "short"));
    assert_true(puan_str_is(puan_http_reply_header(&r, "Content-Encoding"),
                            "gzip"));
    assert_false(puan_str_is(puan_http_reply_header(&r, "ETag"), tag));
    assert_int_equal(ask(&r, "GET", "/assets/a-1.js.gz", NULL), 404);
    assert_int_equal(ask(&r, "HEAD", "/", NULL), 200);
    assert_int_equal(r.body.n, 0);
    assert_int_equal(ask(&r, "POST", "/office/board", NULL), 404);
    /* a person who is lost gets a page, a program a problem */
    assert_int_equal(ask(&r, "GET", "/nowhere", "Accept: text/html\r\n"), 404);
    assert_true(puan_str_is(r.body, "public"));
    assert_int_equal(ask(&r, "GET", "/nowhere", NULL), 404);
    assert_true(puan_str_starts(r.body, "{"));
    assert_int_equal(
        ask(&r, "GET", "/api/v1/nothing", "Accept: text/html\r\n"), 404);
    assert_true(puan_str_starts(r.body, "{"));
}

static void who_has_the_root(void **state)
{
    struct puan_http_reply r;

    (void)state;
    assert_int_equal(ask(&r, "GET", "/", NULL), 200);
    assert_true(puan_str_is(r.body, "public"));
    assert_int_equal(ask(&r, "GET", "/status", NULL), 200);
    assert_true(puan_str_starts(r.body, "<!DOCTYPE html>"));
    assert_int_equal(ask(&r, "GET", "/healthz", NULL), 200);
    assert_true(puan_str_is(r.body, "ok\n"));
    puan_http_client_close(fix->client);
    puan_host_stop(fix->host);
    serve(NULL);
    assert_int_equal(ask(&r, "GET", "/", NULL), 200);
    assert_true(puan_str_starts(r.body, "<!DOCTYPE html>"));
    assert_int_equal(ask(&r, "GET", "/office", NULL), 404);
}

static void where_the_tree_is_looked_for(void **state)
{
    (void)state;
    setenv("PUAN_WEB", "/some/where", 1);
    assert_string_equal(puan_web_default(NULL), "/some/where");
    assert_string_equal(puan_web_default("here"), "here");
    assert_null(puan_web_default(""));
    setenv("PUAN_WEB", "", 1);
    assert_null(puan_web_default(NULL));
    unsetenv("PUAN_WEB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_by_prefix),
        cmocka_unit_test(nothing_outside_the_table),
        cmocka_unit_test(trees_that_are_refused),
        cmocka_unit_test(headers_of_the_client),
        cmocka_unit_test(over_http),
        cmocka_unit_test(who_has_the_root),
        cmocka_unit_test(where_the_tree_is_looked_for),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
