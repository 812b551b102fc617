/*
 * Imports into a campaign of two cantons, each with its own store: an extract
 * replaces what it speaks of and nothing else, and the ledger agrees.
 */
#include "features/campaign/internal.h"
#include "features/host/test_fixture.h"
#include "features/ingest/ingest.h"
#include "features/ledgers/ledgers.h"
#include "kit/os/os.h"

#define REGISTER "id_number,name,sex,birth,ea,district,status\n"

static int64_t rows(struct puan_fix *f, int64_t canton)
{
    return puan_fix_int(puan_store_shard_of_area(f->st, canton),
                        "SELECT COUNT(*) FROM register");
}

static void a_household_is_listed_at_the_door(void **state)
{
    const char *engines[2];
    size_t n = puan_fix_engines(engines);

    (void)state;
    for (size_t e = 0; e < n; e++) {
        struct puan_fix *f = puan_fix_canton(engines[e]);
        struct puan_verify_options opt = { .url = f->opt.url, .threads = 1 };
        struct puan_shard *sh = puan_store_shard_of_area(f->st, 11);
        struct puan_act act = { .actor = PUAN_STR("e1"),
                                .verb = PUAN_STR("listing.put"),
                                .subject = PUAN_STR("household") };
        struct puan_listed l = { .household = INT64_C(110010010077),
                                 .building = PUAN_STR("3"),
                                 .unit = PUAN_STR("101"),
                                 .status = PUAN_STR("ordinary"),
                                 .mode = PUAN_STR("enumerator"),
                                 .text = { PUAN_STR("Ann Lister") },
                                 .cells = PUAN_STR("{\"c1\":\"2\"}") };
        struct puan_ret_head head;
        struct puan_err why = { 0 };
        struct puan_verify v;
        int64_t before = puan_fix_int(sh, "SELECT COUNT(*) FROM listing");

        assert_false(puan_ret_head(&head, f->st, l.household));
        ok(puan_listing_put(f->st, &l, &act, &f->a, err));
        assert_int_not_equal(act.seq, 0);
        assert_true(puan_ret_head(&head, f->st, l.household));
        /* the same again is the same row, changed: its row too */
        l.unit = PUAN_STR("102");
        ok(puan_listing_put(f->st, &l, &act, &f->a, err));
        assert_int_equal(puan_fix_int(sh, "SELECT COUNT(*) FROM listing"),
                         before + 1);
        assert_int_equal(puan_fix_int(sh, "SELECT COUNT(*) FROM listing"
                                          " WHERE unit = '102' AND"
                                          " LENGTH(sealed) > 20"),
                         1);
        /* nowhere, and by a channel that is not the enumerator's to give */
        l.household = INT64_C(990010010077);
        assert_int_equal(puan_listing_put(f->st, &l, &act, &f->a, &why),
                         PUAN_EINVAL);
        l.household = INT64_C(110010010078);
        l.mode = PUAN_STR("direct");
        assert_int_equal(puan_listing_put(f->st, &l, &act, &f->a, &why),
                         PUAN_EINVAL);
        puan_fix_close(f);
        ok(puan_ledger_verify(&v, f->dir, &opt, &f->a, err));
        if (v.n_problems > 0)
            fail_msg("%s %s", v.problem[0].kind, v.problem[0].text);
        puan_fix_end(f);
    }
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

/* Two households; the one that answered before gets a further version. */
static void returns_come_from_csv_once(void **state)
{
    const char *engines[2];
    size_t n = puan_fix_engines(engines);

    (void)state;
    for (size_t e = 0; e < n; e++) {
        struct puan_fix *f = puan_fix_canton(engines[e]);
        struct puan_verify_options opt = { .url = f->opt.url, .threads = 1 };
        const char *home = puan_arena_fmt(&f->a, "%s/household.csv", f->root);
        const char *member = puan_arena_fmt(&f->a, "%s/member.csv", f->root);
        const char *const path[] = { home, member };
        static const char entries[] = "SELECT COUNT(*) FROM ledger";
        struct puan_csv_returns r;
        struct puan_ret_head head;
        struct puan_verify v;
        int64_t before;

        ok(puan_file_write(home,
                           PUAN_STR("household,members,dwelling,rooms\n"
                                    "110010010001,1,1,3\n"
                                    "110020010001,2,1,2\n"),
                           0600, err));
        ok(puan_file_write(
            member,
            PUAN_STR("household,full_name,place,sex,born,card,usual,tongue,"
                     "school,job\n"
                     "110010010001,Ann Zed,1,F,1980-03,X1,1,01,2,baker\n"
                     "110020010001,Bea Yed,1,F,1970-03,X2,1,01,2,cook\n"
                     "110020010001,Cid Yed,2,M,2001-03,!,1,01,2,\n"),
            0600, err));
        puan_fix_send(f, 110010010001, 0, "4");
        if (e == 0) { /* a dry run moves no clock either */
            const char *dry[] = { "import",    f->dir, "--form",  "household",
                                  home,        member, "--at",
                                  "2021-05-02T12:00:00-03:30", "--dry-run" };
            char *argv[9];
            int64_t clock = puan_store_now(f->st);

            for (size_t i = 0; i < 9; i++)
                argv[i] = (char *)(uintptr_t)dry[i];
            puan_fix_close(f);
            assert_int_equal(puan_feature_campaign.commands[0].run(9, argv),
                             PUAN_EXIT_DONE);
            puan_fix_open(f);
            assert_true(puan_store_now(f->st) - clock < 86400000);
        }
        before = puan_fix_office(f, entries);
        ok(puan_import_csv_returns(&r, f->st, PUAN_STR("household"), path, 2,
                                   true, err));
        assert_int_equal(r.households, 2);
        assert_int_equal(r.taken + r.again + r.waiting, 0);
        assert_int_equal(puan_fix_office(f, entries), before);
        ok(puan_import_csv_returns(&r, f->st, PUAN_STR("household"), path, 2,
                                   false, err));
        assert_int_equal(r.taken, 2);
        assert_int_equal(r.waiting, 0);
        assert_true(puan_ret_head(&head, f->st, 110010010001));
        assert_int_equal(head.version, 2);
        assert_true(puan_ret_head(&head, f->st, 110020010001));
        assert_int_equal(head.version, 1);
        assert_int_equal(head.persons, 2);
        assert_int_equal(puan_fix_office(f, entries), before + 1);
        /* the same files again */
        ok(puan_import_csv_returns(&r, f->st, PUAN_STR("household"), path, 2,
                                   false, err));
        assert_int_equal(r.taken, 0);
        assert_int_equal(r.again, 2);
        /* nor do they undo what was corrected since */
        puan_fix_send(f, 110010010001, 2, "5");
        ok(puan_import_csv_returns(&r, f->st, PUAN_STR("household"), path, 2,
                                   false, err));
        assert_int_equal(r.taken, 0);
        assert_int_equal(r.again, 2);
        assert_true(puan_ret_head(&head, f->st, 110010010001));
        assert_int_equal(head.version, 3);
        assert_int_equal(puan_import_csv_returns(&r, f->st, PUAN_STR("other"),
                                                 path, 2, false, &f->err),
                         PUAN_ENOTFOUND);
        ok(puan_file_write(home,
                           PUAN_STR("household,members,dwelling,rooms\n"
                                    "110010010002,1,1,3\n"
                                    "flat,2,1,2\n"),
                           0600, err));
        f->err = (struct puan_err){ 0 };
        assert_int_equal(puan_import_csv_returns(&r, f->st,
                                                 PUAN_STR("household"), path,
                                                 1, false, &f->err),
                         PUAN_EINVAL);
        assert_int_equal(f->err.line, 3);
        assert_true(puan_ret_head(&head, f->st, 110010010002));
        assert_int_equal(head.version, 0); /* nothing of a file at fault */
        puan_fix_close(f);
        ok(puan_ledger_verify(&v, f->dir, &opt, &f->a, err));
        assert_int_equal(v.n_problems, 0);
        puan_fix_end(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_household_is_listed_at_the_door),
        cmocka_unit_test(a_register_replaces_only_what_it_speaks_of),
        cmocka_unit_test(returns_come_from_csv_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
