/*
 * Tests of targets and parameter tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "features/host/params.h"
#include "kit/os/heap.h"

struct in {
    int64_t n, area, household;
    bool yes;
    struct puan_str text, json;
};

static const struct puan_param params[] = {
    { "n", PUAN_PARAM_INT, offsetof(struct in, n), 1, 100, true },
    { "area", PUAN_PARAM_AREA, offsetof(struct in, area), 0, 0, false },
    { "household", PUAN_PARAM_HOUSEHOLD, offsetof(struct in, household), 0, 0,
      true },
    { "yes", PUAN_PARAM_BOOL, offsetof(struct in, yes), 0, 0, true },
    { "text", PUAN_PARAM_TEXT, offsetof(struct in, text), 1, 10, true },
    { "json", PUAN_PARAM_JSON, offsetof(struct in, json), 0, 100, true },
};
static const struct puan_route row = { .method = PUAN_POST,
                                       .path = "/c/{campaign}/x/{area}",
                                       PUAN_PARAMS(params, struct in) };

static struct puan_arena arena;

static enum puan_status fill(struct in *out, const char *target,
                             const char *body, struct puan_err *err)
{
    struct puan_target t;
    struct puan_pattern p;
    void *in = NULL;
    uint64_t set;
    enum puan_status st;

    puan_arena_reset(&arena);
    assert_int_equal(puan_pattern_make(&p, row.path, NULL), PUAN_OK);
    st = puan_target_parse(&t, puan_str_of(target), &arena, err);
    if (st != PUAN_OK)
        return st;
    if (!puan_pattern_match(&p, &t))
        return PUAN_ENOTFOUND;
    st = puan_params_fill(&in, &set, &row, &p, &t, puan_str_of(body), &arena,
                          err);
    if (st == PUAN_OK)
        memcpy(out, in, sizeof(*out));
    return st;
}

static void path_query_and_body_fill_the_struct(void **state)
{
    struct in in;

    (void)state;
    assert_int_equal(
        fill(&in, "/c/k/x/370883?n=7",
             "{\"household\":\"370883001001001001\",\"yes\":true,"
             "\"text\":\"普安\",\"json\":{\"a\":[1, 2]}}",
             NULL),
        PUAN_OK);
    assert_int_equal(in.n, 7);
    assert_int_equal(in.area, 370883);
    assert_true(in.household == 370883001001001001);
    assert_true(in.yes);
    assert_true(puan_str_is(in.text, "普安"));
    assert_true(puan_str_is(in.json, "{\"a\":[1, 2]}"));
}

static void what_does_not_fit_is_refused(void **state)
{
    static const struct {
        const char *target, *body, *where;
    } t[] = {
        { "/c/k/x/370883?other=1", "", "other" },
        { "/c/k/x/370883", "{\"other\":1}", "other" },
        { "/c/k/x/370883?n=1&n=2", "", "n" },
        { "/c/k/x/370883?n=1", "{\"n\":2}", "n" },
        { "/c/k/x/370883?area=1", "", "area" },
        { "/c/k/x/370883?n=0", "", "n" },
        { "/c/k/x/370883?n=101", "", "n" },
        { "/c/k/x/370883?n=abc", "", "n" },
        { "/c/k/x/370883?n=99999999999999999999", "", "n" },
        { "/c/k/x/-1", "", "area" },
        { "/c/k/x/+1", "", "area" },
        { "/c/k/x/37x", "", "area" },
        { "/c/k/x/37", "{\"n\":\"7\"}", "n" },
        { "/c/k/x/37", "{\"n\":1.5}", "n" },
        { "/c/k/x/37", "{\"yes\":1}", "yes" },
        { "/c/k/x/37", "{\"text\":\"\"}", "text" },
        { "/c/k/x/37", "{\"text\":\"12345678901\"}", "text" },
        { "/c/k/x/37?json=1", "", "json" },
        { "/c/k/x/37", "[1]", "body" },
        { "/c/k/x/37", "{\"n\":1}x", NULL },
        { "/c/k/x/37", "{\"n\":1", NULL },
        { "/c/k/x/37", "{\"json\":{\"a\":1,\"a\":2}}", NULL },
        { "/c/k/x/%", "", NULL },
        { "/c/k//x", "", NULL },
        { "c/k/x/1", "", NULL },
        { "/c/k/../1", "", NULL },
        { "/c/k/x/1/", "", NULL },
        { "/c/k/x/1#a", "", NULL },
    };

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(t); i++) {
        struct in in;
        struct puan_err err = { 0 };
        enum puan_status st = fill(&in, t[i].target, t[i].body, &err);

        if (st != PUAN_EINVAL)
            fail_msg("'%s' '%s': %s", t[i].target, t[i].body,
                     puan_status_name(st));
        if (t[i].where && strcmp(err.where, t[i].where) != 0)
            fail_msg("'%s' '%s': where '%s'", t[i].target, t[i].body,
                     err.where);
    }
}

static void a_missing_field_is_named(void **state)
{
    static const struct puan_route other = { .method = PUAN_POST,
                                             .path = "/y",
                                             PUAN_PARAMS(params, struct in) };
    struct puan_target t;
    struct puan_pattern p;
    struct puan_err err = { 0 };
    void *in;
    uint64_t set;

    (void)state;
    assert_int_equal(puan_pattern_make(&p, "/y", NULL), PUAN_OK);
    assert_int_equal(puan_target_parse(&t, PUAN_STR("/y"), &arena, NULL),
                     PUAN_OK);
    assert_int_equal(puan_params_fill(&in, &set, &other, &p, &t, PUAN_STR("{}"),
                                      &arena, &err),
                     PUAN_EINVAL);
    assert_string_equal(err.where, "area");
    assert_string_equal(err.text, "is missing");
}

static int open_arena(void **state)
{
    (void)state;
    puan_arena_init(&arena, &puan_heap);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    puan_arena_clear(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_query_and_body_fill_the_struct),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(a_missing_field_is_named),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
