/* The C interface: errors, values, digests, what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <puan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *file(const char *text)
{
    static char path[64];
    FILE *f;
    int fd;

    strcpy(path, "/tmp/libpuan-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    f = fdopen(fd, "w");
    fputs(text, f);
    fclose(f);
    return path;
}

static pu_data *open_text(const char *text)
{
    const char *path = file(text);
    pu_error err;
    pu_data *d;

    if (pu_open(&d, &path, 1, NULL, &err) != PU_OK)
        fail_msg("%s", err.text);
    unlink(path);
    return d;
}

static void errors_name_their_place(void **state)
{
    const char *path = file("a,b\n1,2\n3\n"), *none = "/nowhere.csv";
    pu_error err;
    pu_data *d;

    (void)state;
    assert_int_equal(pu_open(&d, &path, 1, NULL, &err), PU_INVALID);
    assert_int_equal(err.line, 3);
    assert_string_equal(err.where, path);
    assert_null(d);
    unlink(path);
    assert_int_equal(pu_open(&d, &none, 1, NULL, &err), PU_NOT_FOUND);
    assert_int_equal(pu_open(&d, &none, 1, NULL, NULL), PU_NOT_FOUND);
    pu_close(NULL);
}

static void values_are_those_of_the_file(void **state)
{
    pu_data *d = open_text("a,t\n-3,x\n,y\n7,x\n");
    int64_t v[3], code;
    uint8_t st[3];
    pu_item it;
    pu_error err;
    char text[8];
    int person = pu_find_entity(d, "person");

    (void)state;
    assert_int_equal(pu_values(v, st, d, person, 0, 0, 3, &err), PU_OK);
    assert_int_equal(v[0], -3);
    assert_int_equal(st[1], PU_MISSING);
    assert_int_equal(v[2], 7);
    assert_int_equal(pu_values(v, st, d, person, 0, 2, 2, &err), PU_INVALID);
    assert_int_equal(pu_values(v, st, d, person, 9, 0, 1, &err), PU_NOT_FOUND);
    assert_int_equal(pu_item_info(&it, d, person, 1), PU_OK);
    assert_int_equal(it.type, PU_CODE);
    assert_int_equal(it.codes, 2);
    assert_string_equal(pu_code(&code, d, person, 1, 1), "y");
    assert_int_equal(code, 1);
    assert_null(pu_code(&code, d, person, 1, 2));
    assert_int_equal(pu_text(text, sizeof(text), d, person, 0, 0), 2);
    assert_string_equal(text, "-3");
    assert_int_equal(pu_text(text, 2, d, person, 0, 0), 2);
    assert_string_equal(text, "-");
    pu_close(d);
}

static void a_digest_is_of_the_content(void **state)
{
    pu_data *a = open_text("a\n1\n2\n"), *b = open_text("a\n1\n2\n"),
            *c = open_text("a\n1\n3\n");
    char x[65], y[65], z[65];
    pu_error err;

    (void)state;
    assert_int_equal(pu_digest(x, a, &err), PU_OK);
    assert_int_equal(pu_digest(y, b, &err), PU_OK);
    assert_int_equal(pu_digest(z, c, &err), PU_OK);
    assert_int_equal(strlen(x), 64);
    assert_string_equal(x, y);
    assert_string_not_equal(x, z);
    pu_close(a);
    pu_close(b);
    pu_close(c);
}

static void duplicates_are_numbered(void **state)
{
    pu_data *d = open_text("a,b\n1,1\n2,1\n1,1\n2,2\n,1\n");
    static const char *const both[] = { "a", "b", NULL };
    static const char *const no[] = { "c", NULL };
    pu_duplicates t;
    pu_error err;

    (void)state;
    assert_int_equal(pu_find_duplicates(&t, d, 0, both, &err), PU_OK);
    assert_int_equal(t.groups, 1);
    assert_int_equal(t.rows, 2);
    assert_int_equal(t.row[1], 2);
    assert_int_equal(t.absent, 1);
    pu_duplicates_free(&t);
    assert_int_equal(pu_find_duplicates(&t, d, 0, no, &err), PU_NOT_FOUND);
    pu_close(d);
}

static void rules_say_what_is_wrong_or_left_out(void **state)
{
    pu_data *d = open_text("a\n1\n2\n");
    const char *bad = "rule R1 hard person zh \"x\" en \"x\" check a >";
    const char *more = "rule R1 hard person zh \"x\" en \"x\" check a > 1\n"
                       "rule R2 hard person zh \"x\" en \"x\" check b > 1\n";
    const char *name = "t.rules", *why;
    pu_rules *r;
    pu_rule info;
    pu_error err;

    (void)state;
    assert_int_equal(pu_rules_compile(&r, d, &bad, &name, 1, &err), PU_INVALID);
    assert_int_equal(err.line, 1);
    assert_string_equal(err.where, "t.rules");
    assert_int_equal(pu_rules_compile(&r, d, &more, &name, 1, &err), PU_OK);
    assert_int_equal(pu_rules_count(r), 1);
    assert_string_equal(pu_rules_left_out(&why, r, 0), "R2");
    assert_non_null(why);
    assert_null(pu_rules_left_out(&why, r, 1));
    for (int i = 0; i < 2; i++) { /* a second run counts afresh */
        assert_int_equal(pu_rules_run(r, NULL, NULL, &err), PU_OK);
        assert_int_equal(pu_rule_info(&info, r, 0), PU_OK);
        assert_int_equal(info.evaluated, 2);
        assert_int_equal(info.findings, 1);
    }
    pu_rules_free(r);
    pu_close(d);
}

static void a_table_that_makes_no_sense_is_refused(void **state)
{
    pu_data *d = open_text("a\n1\n2\n");
    pu_table *t;
    pu_error err;

    (void)state;
    assert_int_equal(pu_table_make(&t, d, &(pu_table_plan){ .by = "nothing" },
                                   &err),
                     PU_INVALID);
    assert_true(err.text[0] != '\0');
    assert_int_equal(pu_table_make(&t, d, &(pu_table_plan){ .by = "a" }, &err),
                     PU_OK);
    assert_int_equal(pu_table_cells(t), 2);
    assert_string_equal(pu_table_class(t, 0, 1), "2");
    assert_null(pu_table_class(t, 0, 2));
    pu_table_free(t);
    pu_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_name_their_place),
        cmocka_unit_test(values_are_those_of_the_file),
        cmocka_unit_test(a_digest_is_of_the_content),
        cmocka_unit_test(duplicates_are_numbered),
        cmocka_unit_test(rules_say_what_is_wrong_or_left_out),
        cmocka_unit_test(a_table_that_makes_no_sense_is_refused),
    };

    return cmocka_run_group_tests_name("libpuan", tests, NULL, NULL);
}
