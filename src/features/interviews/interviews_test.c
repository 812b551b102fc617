/*
 * Interviews over a real store: who is fast, who works at night, who is
 * corrected, and that few are not judged.
 */
#include <string.h>

#include "features/host/test_fixture.h"
#include "features/interviews/interviews.h"

/* a house without rooms: hard (Z09) */
#define BAD "{\"missing\":\"refused\"}"
#define FIRST INT64_C(110030010001)

/* A document in which the times read `from` and `to` (hh:mm). */
static void send(struct puan_fix *f, const char *actor, int64_t household,
                 unsigned base, const char *from, const char *to,
                 const char *rooms, const char *mode)
{
    struct puan_sender who = { .actor = puan_str_of(actor),
                               .seat = PUAN_STR("enumerator"),
                               .device = PUAN_STR("d-1"),
                               .area = household / 10000 };
    struct puan_str doc = puan_fix_return(f, household, base, ++f->counter,
                                          rooms, mode, "");
    char *text = puan_new_n(&f->a, doc.n + 1, char), *p;
    struct puan_receipt r;

    memcpy(text, doc.p, doc.n);
    p = strstr(text, "T10:00:00");
    memcpy(p + 1, from, 5);
    p = strstr(text, "T10:10:00");
    memcpy(p + 1, to, 5);
    r = puan_fix_submit(f, &who, puan_str_of(text));
    assert_int_equal(r.outcome, PUAN_SUBMIT_ACCEPTED);
}

static int64_t metric(struct puan_fix *f, const char *name, int64_t area)
{
    for (size_t i = 0; i < puan_feature_interviews.n_metrics; i++)
        if (strcmp(puan_feature_interviews.metrics[i].name, name) == 0) {
            int64_t v = -1;

            ok(puan_feature_interviews.metrics[i].read(&v, f->st, area, err));
            return v;
        }
    fail_msg("no metric %s", name);
    return -1;
}

static struct puan_fix *begin(void)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    const char *csv = "household,ea\n";

    for (int i = 0; i < 45; i++)
        csv = puan_arena_fmt(&f->a, "%s%lld,11003001\n", csv,
                             (long long)(FIRST + i));
    puan_fix_import(f, PUAN_IMPORT_LISTING, csv);
    return f;
}

static void signs_are_counted_by_enumerator(void **state)
{
    struct puan_fix *f = begin();
    struct puan_interviewer *l;
    size_t n;

    (void)state;
    ok(puan_interviews_look(f->st, err));
    assert_int_equal(metric(f, "puan_interviews", 11), 0);
    /* quick: 20, of which 8 of a minute; 3 at night; 2 flawed */
    for (int i = 0; i < 20; i++)
        send(f, "quick", FIRST + i, 0, i < 3 ? "05:00" : "10:00",
             i < 3 ? "05:10" : i < 11 ? "10:01" : "10:10", i < 2 ? BAD : "3",
             "enumerator");
    /* calm: 20 as they should be; one household corrects by itself */
    for (int i = 20; i < 40; i++)
        send(f, "calm", FIRST + i, 0, "10:00", "10:10", "3", "enumerator");
    /* few: 4, all of a minute; too few to be judged */
    for (int i = 40; i < 44; i++)
        send(f, "few", FIRST + i, 0, "10:00", "10:01", "3", "enumerator");
    ok(puan_interviews_look(f->st, err));
    assert_int_equal(metric(f, "puan_interviews", 11), 44);
    assert_int_equal(metric(f, "puan_interviews_fast", 11), 12);
    assert_int_equal(metric(f, "puan_interviews_night", 11003), 3);
    assert_int_equal(metric(f, "puan_interviews_fast", 11001), 0);
    assert_int_equal(metric(f, "puan_enumerator_most_fast", 11003), 40);
    assert_int_equal(metric(f, "puan_enumerator_most_night", 11003), 15);
    assert_int_equal(metric(f, "puan_enumerator_most_flawed", 11003), 10);
    assert_int_equal(metric(f, "puan_enumerator_most_corrected", 11003), 0);
    /* what another sends for the first one is a correction of the first */
    send(f, "calm", FIRST, 1, "11:00", "11:10", "3", "enumerator");
    send(f, "calm", FIRST + 21, 1, "11:00", "11:10", "4", "enumerator");
    ok(puan_interviews_look(f->st, err));
    assert_int_equal(metric(f, "puan_interviews", 11), 44);
    assert_int_equal(metric(f, "puan_enumerator_most_corrected", 11), 5);
    ok(puan_interviewers(&l, &n, f->st, 11003, &f->a, err));
    assert_int_equal(n, 3);
    ok(puan_interviewers(&l, &n, f->st, 11001, &f->a, err));
    assert_int_equal(n, 0);
    /* made again from the returns */
    puan_fix_reopen(f);
    ok(puan_interviews_look(f->st, err));
    assert_int_equal(metric(f, "puan_enumerator_most_fast", 11003), 40);
    puan_fix_end(f);
}

static void what_is_not_read_yet_is_not_zero(void **state)
{
    struct puan_fix *f = begin();
    struct puan_interviewer *l;
    size_t n;
    struct puan_err err = { 0 };

    (void)state;
    assert_int_equal(puan_interviewers(&l, &n, f->st, 11, &f->a, &err),
                     PUAN_EBUSY);
    puan_fix_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_are_counted_by_enumerator),
        cmocka_unit_test(what_is_not_read_yet_is_not_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
