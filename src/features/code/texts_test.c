/*
 * Texts out of a campaign for coding: each answer with its household and line,
 * or each once with its number; names are refused; the ledger says who looked.
 */
#include "features/host/test_fixture.h"

#include <stdio.h>
#include <sys/stat.h>

#include "features/host/feature.h"
#include "kit/os/os.h"

extern const struct puan_feature puan_feature_code;

static int texts(const char *const *arguments)
{
    char *argv[16] = { (char *)(uintptr_t) "code texts" };
    int argc = 1;

    while (*arguments)
        argv[argc++] = (char *)(uintptr_t)*arguments++;
    for (size_t i = 0; i < puan_feature_code.n_commands; i++)
        if (strcmp(puan_feature_code.commands[i].name, "code texts") == 0)
            return puan_feature_code.commands[i].run(argc, argv);
    return -1;
}

static const char *file(struct puan_fix *f, const char *path)
{
    struct puan_str s = { 0 };

    ok(puan_file_read(&s, path, 0, &f->a, err));
    return puan_arena_dup(&f->a, s);
}

static void answers_come_with_their_line(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    const char *out = puan_arena_fmt(&f->a, "%s/texts.csv", f->root);
    const char *all[] = { f->dir, "--items", "job", "--out", out, "--quiet",
                          NULL };
    const char *part[] = { f->dir,   "--items", "job",  "--out", out,
                           "--quiet", "--area", "11002", NULL };
    const char *once[] = { f->dir,    "--items", "job", "--distinct",
                           "--out", out, "--quiet", NULL };
    const char *name[] = { f->dir, "--items", "full_name", "--quiet", NULL };
    const char *none[] = { f->dir, "--items", "jobs", "--quiet", NULL };
    const char *no[] = { f->dir, NULL };
    struct stat seen;

    (void)state;
    puan_fix_send(f, 110010010001, 0, "3");
    puan_fix_send(f, 110020010001, 0, "2");
    puan_fix_send(f, 110020010001, 1, "4"); /* the last version alone */
    puan_fix_close(f);
    assert_int_equal(texts(all), PUAN_EXIT_DONE);
    assert_string_equal(file(f, out), "household,line,job\n"
                                      "110010010001,1,baker\n"
                                      "110020010001,1,baker\n");
    assert_int_equal(stat(out, &seen), 0);
    assert_int_equal(seen.st_mode & 077, 0); /* nobody else reads it */
    assert_int_equal(texts(part), PUAN_EXIT_DONE);
    assert_string_equal(file(f, out),
                        "household,line,job\n110020010001,1,baker\n");
    assert_int_equal(texts(once), PUAN_EXIT_DONE);
    assert_string_equal(file(f, out), "job,times\nbaker,2\n");
    assert_int_equal(texts(name), PUAN_EXIT_REFUSED);
    assert_int_equal(texts(none), PUAN_EXIT_INPUT);
    assert_int_equal(texts(no), PUAN_EXIT_USAGE);
    puan_fix_open(f);
    assert_int_equal(
        puan_fix_int(puan_store_shard(f->st, 1),
                     "SELECT count(*) FROM ledger WHERE instr(entry,"
                     " CAST('coding.texts' AS BLOB)) > 0"),
        3); /* a refusal looks at nothing */
    puan_fix_end(f);
}

static int64_t looks(struct puan_fix *f, size_t store)
{
    return puan_fix_int(puan_store_shard(f->st, store),
                        "SELECT count(*) FROM ledger WHERE instr(entry,"
                        " CAST('coding.texts' AS BLOB)) > 0");
}

/* A prefecture is all its counties' stores, and nobody else's. */
static void an_area_above_the_stores_is_read_whole(void **state)
{
    struct puan_fix *f = puan_fix_begin(NULL);
    const char *out = puan_arena_fmt(&f->a, "%s/texts.csv", f->root);
    const char *wide[] = { f->dir,    "--items", "C20",  "--out", out,
                           "--quiet", "--area",  "4503", NULL };
    const char *none[] = { f->dir,    "--items", "C20",  "--out", out,
                           "--quiet", "--area",  "4599", NULL };

    (void)state;
    puan_fix_create(f, "demo", "plans/cn-population-2020", "sm");
    puan_fix_open(f);
    puan_fix_import(f, PUAN_IMPORT_AREAS,
                    "code,parent,level,name_zh,name_en\n"
                    "45,,province,a,A\n4503,45,prefecture,b,B\n"
                    "4504,45,prefecture,c,C\n450302,4503,county,d,D\n"
                    "450303,4503,county,e,E\n450402,4504,county,f,F\n");
    puan_fix_close(f);
    assert_int_equal(texts(wide), PUAN_EXIT_DONE);
    assert_int_equal(texts(none), PUAN_EXIT_INPUT);
    puan_fix_open(f);
    assert_int_equal(looks(f, 1), 1);
    assert_int_equal(looks(f, 2), 1);
    assert_int_equal(looks(f, 3), 0);
    puan_fix_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_with_their_line),
        cmocka_unit_test(an_area_above_the_stores_is_read_whole),
    };

    return cmocka_run_group_tests_name("code_texts", tests, NULL, NULL);
}
