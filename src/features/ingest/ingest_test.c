/*
 * Returns from document to row, on both engines: accepted once, repeated the
 * same, refused with a trace, counted, found again after a restart.
 */
#include <pthread.h>

#include "core/ledger/ledger.h"
#include "core/plan/plan.h"
#include "features/host/test_fixture.h"
#include "kit/os/os.h"

static const char *engines[2];
static size_t n_engines;

static struct puan_fix *make(const char *url)
{
    struct puan_fix *f = puan_fix_begin(url);

    puan_fix_create(f, "demo", "plans/zz-test", "sm");
    puan_fix_open(f);
    puan_fix_import(
        f, PUAN_IMPORT_AREAS,
        "code,parent,level,name_zh,name_en\n"
        "11,,canton,a,A\n11001,11,parish,b,B\n11001001,11001,round,c,C\n"
        "11001002,11001,round,d,D\n"
        "12,,canton,e,E\n12001,12,parish,f,F\n12001001,12001,round,g,G\n");
    puan_fix_import(f, PUAN_IMPORT_LISTING,
                    "household,ea,head_name,c1\n"
                    "110010010001,11001001,Ann Zed,3\n"
                    "110010010002,11001001,,\n"
                    "110010020001,11001002,,\n120010010001,12001001,,\n");
    puan_fix_clock(f, "2021-04-02T12:00:00-03:30");
    return f;
}

static struct puan_str doc(struct puan_fix *f, int64_t household, unsigned base,
                           unsigned counter, const char *rooms,
                           const char *mode)
{
    return puan_fix_return(f, household, base, counter, rooms, mode, "");
}

static const struct puan_sender enumerator = { .actor = { "enum-1", 6 },
                                               .seat = { "enumerator", 10 },
                                               .device = { "d-1", 3 },
                                               .area = 11001001 };

/* In the returns store of canton 11. */
static int64_t count(struct puan_fix *f, const char *sql)
{
    return puan_fix_int(puan_store_shard(f->st, 1), sql);
}

/* ---- tests
 * ------------------------------------------------------------------------- */

static void a_return_is_accepted_and_proved(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        struct puan_shard *sh =
            puan_store_shard_of_household(f->st, 110010010001);
        struct puan_receipt r = puan_fix_submit(
            f, &enumerator, doc(f, 110010010001, 0, 1, "3", "enumerator"));
        uint8_t digest[PUAN_DIGEST_SIZE];
        struct puan_stmt *s = NULL;
        struct puan_db *db = NULL;
        struct puan_record rec;
        struct puan_entry entry;
        struct puan_ret ret;
        bool more = false;
        int name;

        assert_int_equal(r.outcome, PUAN_SUBMIT_ACCEPTED);
        assert_int_equal(r.version, 1);
        assert_int_equal(r.edits.n, 0);
        ok(puan_read_begin(&db, sh, err));
        ok(puan_ret_read(&ret, sh, db, r.ret, &f->a, err));
        puan_return_digest(digest, puan_store_digest(f->st), &ret.head,
                           ret.version, ret.form->digest, ret.frame, ret.facts,
                           ret.vault);
        assert_memory_equal(digest, r.digest, sizeof(digest));
        ok(puan_sql(&s, db, "SELECT entry FROM ledger WHERE seq = $1", err));
        puan_bind_int(s, 1, (int64_t)r.seq);
        ok(puan_stmt_step(&more, s, err));
        ok(puan_entry_decode(&entry, puan_col_bytes(s, 0), &f->a, err));
        assert_true(puan_str_is(entry.verb, "return.submit"));
        assert_true(puan_str_is(entry.subject, "110010010001"));
        assert_memory_equal(entry.new_digest.p, r.digest, sizeof(digest));
        puan_stmt_done(s);
        puan_read_end(sh, db);
        /* the name is sealed, and opens only when asked to */
        assert_null(memmem(ret.vault.p, ret.vault.n, "Ann Zed", 7));
        assert_null(memmem(ret.frame.p, ret.frame.n, "Ann Zed", 7));
        name = puan_entity_item(&ret.form->entity[1], PUAN_STR("full_name"));
        ok(puan_ret_record(&rec, &ret, sh, false, &f->a, err));
        assert_int_equal(rec.rows[1].txt[name].n, 0);
        ok(puan_ret_record(&rec, &ret, sh, true, &f->a, err));
        assert_true(puan_str_is(rec.rows[1].txt[name], "Ann Zed"));
        puan_fix_end(f);
    }
}

static void the_same_again_gives_the_first_receipt(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        struct puan_str d = doc(f, 110010010001, 0, 1, "3", "enumerator");
        struct puan_receipt a = puan_fix_submit(f, &enumerator, d), b;
        uint64_t height =
            puan_shard_height(puan_store_shard_of_area(f->st, 11));

        for (int pass = 0; pass < 2; pass++) {
            b = puan_fix_submit(f, &enumerator, d);
            assert_int_equal(b.outcome, PUAN_SUBMIT_REPEATED);
            assert_int_equal(b.seq, a.seq);
            assert_int_equal(b.time_ms, a.time_ms);
            assert_int_equal(b.version, 1);
            assert_memory_equal(a.digest, b.digest, sizeof(a.digest));
            assert_int_equal(
                puan_shard_height(puan_store_shard_of_area(f->st, 11)), height);
            puan_fix_reopen(f);
        }
        puan_fix_end(f);
    }
}

static void what_cannot_be_accepted_waits_in_quarantine(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        struct puan_receipt r, q;

        r = puan_fix_submit(f, &enumerator,
                            doc(f, 110010010001, 0, 1, "3", "enumerator"));
        /* the same counter, other answers */
        q = puan_fix_submit(f, &enumerator,
                            doc(f, 110010010001, 0, 1, "4", "enumerator"));
        assert_int_equal(q.outcome, PUAN_SUBMIT_CONFLICT);
        r = puan_fix_submit(f, &enumerator,
                            doc(f, 110010010001, 0, 1, "4", "enumerator"));
        assert_int_equal(r.outcome, PUAN_SUBMIT_CONFLICT);
        assert_int_equal(r.ret, q.ret); /* kept once */
        /* another counter, but a base that is not the last version */
        r = puan_fix_submit(f, &enumerator,
                            doc(f, 110010010001, 0, 2, "5", "enumerator"));
        assert_int_equal(r.outcome, PUAN_SUBMIT_STALE);
        assert_int_equal(r.version, 1);
        r = puan_fix_submit(f, &enumerator,
                            doc(f, 110010010002, 3, 9, "5", "enumerator"));
        assert_int_equal(r.outcome, PUAN_SUBMIT_STALE);
        assert_int_equal(r.version, 0);
        r = puan_fix_submit(f, &enumerator,
                            PUAN_STR("{\"form\":\"household\"}"));
        assert_int_equal(r.outcome, PUAN_SUBMIT_UNREADABLE);
        puan_fix_clock(f, "2021-06-01T00:00:00-03:30");
        r = puan_fix_submit(f, &enumerator,
                            doc(f, 110010010002, 0, 3, "3", "enumerator"));
        assert_int_equal(r.outcome, PUAN_SUBMIT_WINDOW);
        assert_int_equal(count(f, "SELECT COUNT(*) FROM quarantine"), 5);
        assert_int_equal(count(f, "SELECT COUNT(*) FROM ret"), 1);
        puan_fix_end(f);
    }
}

static void a_source_may_leave_only_so_much(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        struct puan_sender other = enumerator;
        struct puan_receipt r;
        struct puan_err err1 = { 0 };

        for (unsigned i = 0; i < PUAN_QUARANTINE_DOCS; i++) {
            r = puan_fix_submit(f, &enumerator,
                                doc(f, 110010010001, 7, i, "3", "enumerator"));
            assert_int_equal(r.outcome, PUAN_SUBMIT_STALE);
        }
        assert_int_equal(
            puan_submit_wait(&r, f->st, &enumerator,
                             doc(f, 110010010001, 7, 9999, "3", "enumerator"),
                             &f->a, &err1),
            PUAN_ELIMIT);
        /* neither its good returns nor other sources suffer */
        r = puan_fix_submit(f, &enumerator,
                            doc(f, 110010010001, 0, 5000, "3", "enumerator"));
        assert_int_equal(r.outcome, PUAN_SUBMIT_ACCEPTED);
        other.actor = PUAN_STR("enum-2");
        r = puan_fix_submit(f, &other,
                            doc(f, 110010010002, 7, 1, "3", "enumerator"));
        assert_int_equal(r.outcome, PUAN_SUBMIT_STALE);
        puan_fix_end(f);
    }
}

static void a_correction_is_a_further_version(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        uint8_t before[PUAN_DIGEST_SIZE], after[PUAN_DIGEST_SIZE];
        struct puan_ret_head head;
        struct puan_counts c;
        struct puan_receipt r, r2;
        uint64_t n;

        r = puan_fix_submit(f, &enumerator,
                            doc(f, 110010010001, 0, 1, "3", "enumerator"));
        ok(puan_area_digest(before, &n, f->st, 11001, err));
        assert_int_equal(n, 1);
        r2 = puan_fix_submit(f, &enumerator,
                             doc(f, 110010010001, 1, 2, "5", "enumerator"));
        assert_int_equal(r2.outcome, PUAN_SUBMIT_ACCEPTED);
        assert_int_equal(r2.version, 2);
        ok(puan_area_digest(after, &n, f->st, 11001, err));
        assert_int_equal(n, 1);
        assert_memory_not_equal(before, after, sizeof(after));
        for (int pass = 0; pass < 2; pass++) {
            assert_true(puan_ret_head(&head, f->st, 110010010001));
            assert_int_equal(head.version, 2);
            assert_int_equal(head.ret, r2.ret);
            puan_counts_of(&c, f->st, 11);
            assert_int_equal(c.submitted, 1);
            assert_int_equal(c.corrected, 1);
            assert_int_equal(c.listed, 3);
            assert_int_equal(c.persons, 1);
            puan_fix_reopen(f);
        }
        /* an old one sent again still finds its first receipt */
        r2 = puan_fix_submit(f, &enumerator,
                             doc(f, 110010010001, 0, 1, "3", "enumerator"));
        assert_int_equal(r2.outcome, PUAN_SUBMIT_REPEATED);
        assert_int_equal(r2.seq, r.seq);
        puan_fix_end(f);
    }
}

static enum puan_status try_send(struct puan_fix *f,
                                 const struct puan_sender *who,
                                 struct puan_str body)
{
    struct puan_receipt r;
    struct puan_err err = { 0 };

    return puan_submit_wait(&r, f->st, who, body, &f->a, &err);
}

static void nobody_sends_for_others(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        struct puan_sender who = enumerator,
                           home = { .actor = PUAN_STR("h"),
                                    .household_account = true,
                                    .household = 110010010001 };

        assert_int_equal(
            try_send(f, &who, doc(f, 110010020001, 0, 1, "3", "enumerator")),
            PUAN_EDENIED);
        assert_int_equal(
            try_send(f, &who, doc(f, 120010010001, 0, 1, "3", "enumerator")),
            PUAN_EDENIED);
        assert_int_equal(
            try_send(f, &who, doc(f, 110010010001, 0, 1, "3", "self")),
            PUAN_EDENIED);
        assert_int_equal(
            try_send(f, &who,
                     doc(f, 110010010001, 0, 1, "3", "office-estimate")),
            PUAN_EDENIED);
        who.device = PUAN_STR("d-9");
        assert_int_equal(
            try_send(f, &who, doc(f, 110010010001, 0, 1, "3", "enumerator")),
            PUAN_EDENIED);
        assert_int_equal(
            try_send(f, &home, doc(f, 110010010002, 0, 1, "3", "self")),
            PUAN_EDENIED);
        assert_int_equal(
            try_send(f, &home, doc(f, 110010010001, 0, 1, "3", "enumerator")),
            PUAN_EDENIED);
        assert_int_equal(
            try_send(f, &home, doc(f, 110010010001, 0, 1, "3", "self")),
            PUAN_OK);
        assert_int_equal(count(f, "SELECT COUNT(*) FROM ret"), 1);
        assert_int_equal(count(f, "SELECT COUNT(*) FROM quarantine"), 0);
        puan_fix_end(f);
    }
}

static void a_household_found_at_the_door_joins_the_listing(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        struct puan_receipt r = puan_fix_submit(
            f, &enumerator, doc(f, 110010010077, 0, 1, "3", "enumerator"));
        struct puan_counts c;

        assert_int_equal(r.outcome, PUAN_SUBMIT_ACCEPTED);
        assert_int_equal(count(f, "SELECT COUNT(*) FROM listing"), 4);
        puan_counts_of(&c, f->st, 11001001);
        assert_int_equal(c.listed, 3);
        assert_int_equal(c.submitted, 1);
        puan_fix_end(f);
    }
}

static void heads_are_found_again_after_any_stop(void **state)
{
    (void)state;
    for (int damage = 0; damage < 3; damage++) {
        struct puan_fix *f = make(NULL);
        struct puan_counts c;
        const char *snap;

        for (unsigned i = 0; i < 30; i++)
            puan_fix_submit(f, &enumerator,
                            doc(f, 110010010100 + i, 0, i, i % 3 ? "3" : "2",
                                "enumerator"));
        puan_fix_submit(f, &enumerator,
                        doc(f, 110010010101, 1, 99, "7", "enumerator"));
        puan_store_close(f->st);
        snap = puan_arena_fmt(&f->a, "%s/returns/11.heads", f->dir);
        assert_true(puan_file_exists(snap));
        if (damage == 1)
            ok(puan_file_remove(snap, err));
        if (damage == 2)
            ok(puan_file_write(snap, PUAN_STR("PUANHDS1 nonsense"), 0640, err));
        ok(puan_store_open(&f->st, f->dir, &f->opt, err));
        puan_counts_of(&c, f->st, 11);
        assert_int_equal(c.submitted, 30);
        assert_int_equal(c.versions, 31);
        assert_int_equal(c.listed, 33);
        puan_fix_end(f);
    }
}

static enum puan_status watch_body(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act, void *arg,
                                   struct puan_err *err)
{
    (void)act;
    return puan_ret_watch(sh, db, 11001, *(bool *)arg, err);
}

static void a_marked_area_tells_the_office(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        struct puan_shard *sh = puan_store_shard_of_area(f->st, 11);
        struct puan_act act = { .actor = PUAN_STR("tester"),
                                .verb = PUAN_STR("lot.accept") };
        bool on = true;

        puan_fix_submit(f, &enumerator,
                        doc(f, 110010010001, 0, 1, "3", "enumerator"));
        assert_int_equal(count(f, "SELECT COUNT(*) FROM outbox"), 0);
        ok(puan_commit(sh, &act, watch_body, &on, err));
        puan_fix_submit(f, &enumerator,
                        doc(f, 110010010001, 1, 2, "4", "enumerator"));
        assert_int_equal(count(f, "SELECT COUNT(*) FROM outbox"), 1);
        puan_fix_reopen(f); /* the mark stays */
        puan_fix_submit(f, &enumerator,
                        doc(f, 110010010001, 2, 3, "5", "enumerator"));
        assert_int_equal(count(f, "SELECT COUNT(*) FROM outbox"), 2);
        puan_fix_end(f);
    }
}

struct storm {
    struct puan_fix *f;
    unsigned from, accepted, repeated;
};

static void *storm_main(void *arg)
{
    struct storm *s = arg;
    struct puan_arena a;

    puan_arena_init(&a, puan_os_alloc());
    for (unsigned i = 0; i < 100; i++) {
        struct puan_fix own = *s->f;
        struct puan_receipt r = { 0 };
        struct puan_err err = { 0 };

        own.a = a;
        /* every document is sent by two threads */
        if (puan_submit_wait(&r, s->f->st, &enumerator,
                             doc(&own, 110010010200 + (s->from + i) % 400, 0,
                                 (s->from + i) % 400, "3", "enumerator"),
                             &own.a, &err) == PUAN_OK) {
            s->accepted += r.outcome == PUAN_SUBMIT_ACCEPTED;
            s->repeated += r.outcome == PUAN_SUBMIT_REPEATED;
        }
        a = own.a;
        puan_arena_reset(&a);
    }
    puan_arena_clear(&a);
    return NULL;
}

static void what_two_send_at_once_is_kept_once(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        struct storm s[8];
        pthread_t t[8];
        unsigned accepted = 0, repeated = 0;

        for (unsigned i = 0; i < 8; i++) {
            s[i] = (struct storm){ .f = f, .from = (i / 2) * 100 };
            assert_int_equal(pthread_create(&t[i], NULL, storm_main, &s[i]), 0);
        }
        for (unsigned i = 0; i < 8; i++) {
            pthread_join(t[i], NULL);
            accepted += s[i].accepted;
            repeated += s[i].repeated;
        }
        assert_int_equal(accepted, 400);
        assert_int_equal(repeated, 400);
        assert_int_equal(count(f, "SELECT COUNT(*) FROM ret"), 400);
        puan_fix_end(f);
    }
}

static void an_import_is_all_or_nothing(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        struct puan_act act = { .actor = PUAN_STR("tester") };
        struct puan_import_result res;
        struct puan_err err1 = { 0 };
        const char *good = "household,ea\n110010010500,11001001\n"
                           "120010010500,12001001\n";
        uint64_t height;

        assert_int_equal(
            puan_import(&res, f->st, PUAN_IMPORT_LISTING,
                        PUAN_STR("household,ea\n110010010500,11001001\n"
                                 "110010090501,11001009\n"),
                        "l.csv", false, &act, &err1),
            PUAN_EINVAL);
        assert_int_equal(err1.line, 3);
        assert_int_equal(count(f, "SELECT COUNT(*) FROM listing"), 3);
        ok(puan_import(&res, f->st, PUAN_IMPORT_LISTING, puan_str_of(good),
                       "l.csv", true, &act, err));
        assert_int_equal(res.rows, 2);
        assert_int_equal(count(f, "SELECT COUNT(*) FROM listing"), 3);
        ok(puan_import(&res, f->st, PUAN_IMPORT_LISTING, puan_str_of(good),
                       "l.csv", false, &act, err));
        assert_int_equal(res.written, 2);
        height = puan_shard_height(puan_store_shard(f->st, 1));
        ok(puan_import(&res, f->st, PUAN_IMPORT_LISTING, puan_str_of(good),
                       "l.csv", false, &act, err));
        assert_int_equal(res.written, 0);
        assert_int_equal(puan_shard_height(puan_store_shard(f->st, 1)), height);
        memset(&err1, 0, sizeof(err1));
        assert_int_equal(
            puan_import(&res, f->st, PUAN_IMPORT_LISTING,
                        PUAN_STR("household,ea\n110010010600,11001001\n"
                                 "110010010600,11001001\n"),
                        "l.csv", false, &act, &err1),
            PUAN_EINVAL);
        puan_fix_import(
            f, PUAN_IMPORT_STAFF,
            "staff,role,name,phone,area\n"
            "e1,enumerator,Bo,1,11001001\ne2,enumerator,Cy,2,11001001\n");
        {
            struct puan_str staff;

            ok(puan_assigned(&staff, f->st, 11001001, &f->a, err));
            assert_true(puan_str_is(staff, "e1"));
        }
        puan_fix_import(f, PUAN_IMPORT_ASSIGNMENT, "ea,staff\n11001001,e2\n");
        {
            struct puan_str staff;

            ok(puan_assigned(&staff, f->st, 11001001, &f->a, err));
            assert_true(puan_str_is(staff, "e2"));
        }
        puan_fix_end(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_return_is_accepted_and_proved),
        cmocka_unit_test(the_same_again_gives_the_first_receipt),
        cmocka_unit_test(what_cannot_be_accepted_waits_in_quarantine),
        cmocka_unit_test(a_source_may_leave_only_so_much),
        cmocka_unit_test(a_correction_is_a_further_version),
        cmocka_unit_test(nobody_sends_for_others),
        cmocka_unit_test(a_household_found_at_the_door_joins_the_listing),
        cmocka_unit_test(heads_are_found_again_after_any_stop),
        cmocka_unit_test(a_marked_area_tells_the_office),
        cmocka_unit_test(what_two_send_at_once_is_kept_once),
        cmocka_unit_test(an_import_is_all_or_nothing),
    };

    n_engines = puan_fix_engines(engines);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
