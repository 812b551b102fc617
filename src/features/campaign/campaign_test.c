/*
 * Imports into a campaign of two cantons, each with its own store: an extract
 * replaces what it speaks of and nothing else, and the ledger agrees.
 */
#include "features/host/test_fixture.h"
#include "features/ledgers/ledgers.h"

#define REGISTER "id_number,name,sex,birth,ea,district,status\n"

static int64_t rows(struct puan_fix *f, int64_t canton)
{
    return puan_fix_int(puan_store_shard_of_area(f->st, canton),
                        "SELECT COUNT(*) FROM register");
}

static void a_register_replaces_only_what_it_speaks_of(void **state)
{
    const char *engines[2];
    size_t n = puan_fix_engines(engines);

    (void)state;
    for (size_t e = 0; e < n; e++) {
        struct puan_fix *f = puan_fix_canton(engines[e]);
        struct puan_verify_options opt = { .url = f->opt.url, .threads = 1 };
        struct puan_act act = { .actor = PUAN_STR("tester") };
        struct puan_import_result res;
        struct puan_verify v;

        puan_fix_import(f, PUAN_IMPORT_AREAS,
                        "code,parent,level,name_zh,name_en\n12,,canton,m,M\n"
                        "12001,12,parish,n,N\n12001001,12001,round,o,O\n");
        puan_fix_import(f, PUAN_IMPORT_REGISTER,
                        REGISTER "X1,Ann,F,1980-01-01,11001001,11001,in\n"
                                 "X2,Bea,F,1981-01-01,12001001,12001,in\n"
                                 "X3,Cid,M,1982-01-01,12001001,12001,in\n");
        assert_int_equal(rows(f, 11), 1);
        assert_int_equal(rows(f, 12), 2);
        /* the next extract is of one canton: the other keeps its own */
        puan_fix_import(f, PUAN_IMPORT_REGISTER,
                        REGISTER "X4,Dan,M,1983-01-01,11001001,11001,in\n"
                                 "X5,Eve,F,1984-01-01,11001001,11001,in\n");
        assert_int_equal(rows(f, 11), 2);
        assert_int_equal(rows(f, 12), 2);
        /* one without rows says nothing of anybody */
        ok(puan_import(&res, f->st, PUAN_IMPORT_REGISTER, PUAN_STR(REGISTER),
                       "r.csv", false, &act, err));
        ok(puan_import(&res, f->st, PUAN_IMPORT_LISTING,
                       PUAN_STR("household,ea\n"), "l.csv", false, &act, err));
        assert_int_equal(rows(f, 11), 2);
        assert_int_equal(rows(f, 12), 2);
        puan_fix_close(f);
        ok(puan_ledger_verify(&v, f->dir, &opt, &f->a, err));
        if (v.n_problems > 0)
            fail_msg("%s %s", v.problem[0].kind, v.problem[0].text);
        puan_fix_end(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_register_replaces_only_what_it_speaks_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
