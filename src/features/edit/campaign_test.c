/*
 * puan edit over a campaign directory: counts of what is wrong in the last
 * versions, and no answer leaves it.
 */
#include "features/host/test_fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "features/edit/edit.h"
#include "kit/os/os.h"

static int edit(struct puan_fix *f, const char *const *arguments)
{
    char *argv[16] = { 0 };
    int argc = 0, code, out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);

    argv[argc++] = (char *)(uintptr_t) "edit";
    while (*arguments)
        argv[argc++] = (char *)(uintptr_t)*arguments++;
    fflush(stdout);
    assert_non_null(
        freopen(puan_arena_fmt(&f->a, "%s/stdout", f->root), "w", stdout));
    assert_non_null(
        freopen(puan_arena_fmt(&f->a, "%s/stderr", f->root), "w", stderr));
    code = puan_feature_edit.commands[0].run(argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    return code;
}

static const char *said(struct puan_fix *f, const char *name)
{
    struct puan_str s = { 0 };

    ok(puan_file_read(&s, puan_arena_fmt(&f->a, "%s/%s", f->root, name), 0,
                      &f->a, err));
    return puan_arena_dup(&f->a, s);
}

static void a_campaign_is_told_in_counts(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    const char *rates = puan_arena_fmt(&f->a, "%s/rates.csv", f->root);
    const char *count[] = { "--weight",  "dwelling=2", "--form",
                            "household", "--json",     "--rates",
                            rates,       f->dir,       NULL };
    const char *list[] = { "--form", "household", "--out", "-", f->dir, NULL };
    const char *none[] = { "--form", "nobody", f->dir, NULL };

    (void)state;
    puan_fix_send(f, 110010010001, 0, "3");
    puan_fix_send(f, 110010010002, 0, "null");
    puan_fix_send(f, 110020010001, 0, "null");
    puan_fix_send(f, 110020010001, 1, "4"); /* corrected */
    assert_int_equal(edit(f, count), PUAN_EXIT_FINDINGS);
    assert_non_null(strstr(said(f, "stdout"), "\"clean\":2,\"repaired\":1"));
    assert_non_null(
        strstr(said(f, "rates.csv"), ",household,rooms,3,2,1,0,0,3,1,1,"));
    assert_int_equal(edit(f, list), PUAN_EXIT_REFUSED);
    assert_non_null(strstr(said(f, "stderr"), "by approval only"));
    assert_int_equal(edit(f, none), PUAN_EXIT_INPUT);
    assert_non_null(strstr(said(f, "stderr"), "no form nobody"));
    puan_fix_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_campaign_is_told_in_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
