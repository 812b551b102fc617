/*
 * Duty on a real store: the engine asks the roster, a gap passes upward, a
 * call climbs its ladder over a restart, and the ledger proves all of it.
 */
#include "core/ledger/ledger.h"
#include "features/cases/cases.h"
#include "features/duty/internal.h"
#include "features/host/test_desk.h"
#include "kit/os/os.h"

#define MINUTE INT64_C(60000)
#define DAY (24 * HOUR)
#define CITY 3708

static const char *engines[2];
static size_t n_engines;

static struct puan_fix *make(const char *url)
{
    struct puan_fix *f = puan_fix_begin(url);

    puan_fix_create(f, "demo", "plans/cn-population-2020", "sm");
    puan_fix_open(f);
    puan_fix_import(f, PUAN_IMPORT_AREAS,
                    "code,parent,level,name_zh,name_en\n"
                    "3708,,prefecture,市,City\n"
                    "370883,3708,county,县,County\n"
                    "370883001,370883,township,a,A\n"
                    "370883001001,370883001,district,c,C\n"
                    "370883001001001,370883001001,ea,d,D\n");
    puan_fix_clock_ms(f, T0);
    puan_fix_hold(f, 1, "ann", "duty-officer", COUNTY);
    puan_fix_hold(f, 2, "bo", "duty-officer", COUNTY);
    puan_fix_hold(f, 3, "oz", "risk-office", COUNTY);
    puan_fix_hold(f, 4, "li", "leading-group", COUNTY);
    puan_fix_hold(f, 5, "up", "duty-officer", CITY);
    return f;
}

struct put {
    struct puan_fix *f;
    struct puan_roster_entry e;
    bool out;
};

static enum puan_status put_body(struct puan_shard *sh, struct puan_db *db,
                                 struct puan_act *act, void *arg,
                                 struct puan_err *err)
{
    struct put *p = arg;
    struct puan_roster r;

    if (p->out)
        return duty_call_out(sh, db, act, COUNTY, &p->e, &p->f->a, err);
    TRY(duty_put(sh, db, act, COUNTY, &p->e, &p->f->a, err));
    if (p->e.kind != PUAN_ROSTER_ANSWER)
        return PUAN_OK;
    TRY(duty_read(&r, p->f->st, db, COUNTY, &p->f->a, err));
    return duty_call_done(sh, db, act, &r, p->e.of, err);
}

static enum puan_status put(struct puan_fix *f, struct puan_roster_entry e,
                            int64_t *id)
{
    struct put p = { .f = f, .e = e, .out = e.kind == PUAN_ROSTER_CALL };
    struct puan_act act = { .actor = e.person, .seat = e.role,
                            .verb = PUAN_STR("duty.test"),
                            .subject = PUAN_STR("370883") };
    enum puan_status st;

    f->err = (struct puan_err){ 0 };
    st = puan_commit(puan_store_office(f->st), &act, put_body, &p, &f->err);
    if (id != NULL)
        *id = p.e.id;
    return st;
}

static void turns(struct puan_fix *f, const char *shift,
                  const struct puan_str *people, size_t n)
{
    const struct puan_roster_entry e = {
        .kind = PUAN_ROSTER_ROTATE, .role = PUAN_STR("risk-office"),
        .person = PUAN_STR("oz"), .post = PUAN_STR("first"),
        .shift = puan_str_of(shift), .turn = 1,
        .from_day = puan_instant_day(T0, 480), .people = people, .n_people = n
    };

    if (put(f, e, NULL) != PUAN_OK)
        fail_msg("%s: %s", f->err.where, f->err.text);
}

static size_t on(struct puan_fix *f, struct puan_duty_on *x)
{
    struct puan_shard *office = puan_store_office(f->st);
    struct puan_db *db = NULL;

    ok(puan_read_begin(&db, office, err));
    ok(puan_duty_on(x, f->st, db, PUAN_STR("duty-officer"), COUNTY,
                    puan_store_now(f->st), &f->a, err));
    puan_read_end(office, db);
    return x->n;
}

static const struct puan_str pair[] = { { "ann", 3 }, { "bo", 2 } };

/* A notice to the duty seat at county: to whom did it go? */
static void tell(struct puan_fix *f, const char *title)
{
    struct puan_act act = { .actor = PUAN_STR("oz"),
                            .seat = PUAN_STR("risk-office") };
    struct puan_case_call *c = puan_new(&f->a, struct puan_case_call);

    c->flow = PUAN_STR("duty_gap");
    c->area = COUNTY;
    c->arena = &f->a;
    c->event.kind = PUAN_FLOW_OPEN;
    c->event.who = puan_case_system();
    c->event.fields = puan_fix_json(
        f, puan_arena_fmt(&f->a, "{'title':'%s'}", title));
    ok(puan_case_do(f->st, &act, c, err));
}

#define LAST                                                                   \
    " FROM case_notice WHERE seat = 'duty' ORDER BY id DESC LIMIT 1"

static void a_notice_asks_the_roster(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        struct puan_duty_on x;

        /* no roster: whoever holds the seat */
        on(f, &x);
        assert_false(x.asked);
        tell(f, "none drawn");
        assert_int_equal(puan_fix_office(f, "SELECT area" LAST), COUNTY);
        turns(f, "day", pair, 2);
        assert_int_equal(on(f, &x), 1);
        assert_true(puan_str_is(x.person[0], "ann"));
        tell(f, "by day");
        assert_int_equal(puan_fix_office(f, "SELECT area" LAST), COUNTY);
        /* at night nobody is down for it: the duty above is told */
        puan_fix_clock_ms(f, T0 + 13 * HOUR);
        assert_int_equal(on(f, &x), 0);
        assert_true(x.asked);
        tell(f, "by night");
        assert_int_equal(puan_fix_office(f, "SELECT area" LAST), CITY);
        assert_int_equal(puan_fix_office(f, "SELECT vacant" LAST), 0);
        puan_fix_close(f);
        puan_fix_verify(f);
        puan_fix_end(f);
    }
}

static int64_t metric(struct puan_fix *f, const char *name)
{
    const struct puan_feature *d = &puan_feature_duty;
    int64_t v = -1;

    for (size_t i = 0; i < d->n_metrics; i++)
        if (strcmp(d->metrics[i].name, name) == 0)
            ok(d->metrics[i].read(&v, f->st, COUNTY, err));
    return v;
}

/* Who gives up the seat leaves his turns empty from that moment. */
static enum puan_status end_body(struct puan_shard *sh, struct puan_db *db,
                                 struct puan_act *act, void *arg,
                                 struct puan_err *err)
{
    (void)sh;
    (void)act;
    (void)arg;
    return puan_db_exec(db, "UPDATE seat SET ended = 1604275200001 WHERE id = 2",
                        err);
}

static void a_gap_is_counted(void **state)
{
    struct puan_fix *f = make(NULL);
    struct puan_act act = { .actor = PUAN_STR("tester"),
                            .verb = PUAN_STR("seat.end") };

    (void)state;
    assert_int_equal(metric(f, "puan_duty_gap_minutes"), 0);
    turns(f, "day", pair, 2);
    turns(f, "night", pair, 2);
    assert_int_equal(metric(f, "puan_duty_gap_minutes"), 0);
    ok(puan_commit(puan_store_office(f->st), &act, end_body, NULL, err));
    /* of seven days from T0 bo had three days and three nights */
    assert_int_equal(metric(f, "puan_duty_gap_minutes"), 6 * 12 * 60);
    puan_fix_end(f);
}

#define CALLS "SELECT COUNT(*) FROM duty_entry WHERE kind = 'call'"

static const struct puan_roster_entry rung = {
    .kind = PUAN_ROSTER_CALL, .role = { "duty-officer", 12 },
    .person = { "ann", 3 }, .text = { "direct reporting is down", 24 }
};

static void work(struct puan_fix *f, int64_t ms)
{
    puan_fix_clock_ms(f, ms);
    ok(puan_duty_work(f->st, err));
    ok(puan_duty_work(f->st, err)); /* twice does no more than once */
}

static void a_call_climbs_until_answered(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        struct puan_roster_entry answer = { .kind = PUAN_ROSTER_ANSWER,
                                            .role = PUAN_STR("risk-office"),
                                            .person = PUAN_STR("oz") };
        int64_t id = 0;

        turns(f, "day", pair, 2);
        assert_int_equal(put(f, rung, &id), PUAN_OK);
        assert_int_equal(puan_fix_office(f, CALLS " AND body LIKE '%ann%'"), 1);
        work(f, T0 + 9 * MINUTE); /* still her time */
        assert_int_equal(puan_fix_office(f, CALLS), 1);
        puan_fix_reopen(f);
        /* nobody in reserve: written down, and on to the office at once */
        work(f, T0 + 10 * MINUTE);
        assert_int_equal(puan_fix_office(f, CALLS), 3);
        assert_int_equal(puan_fix_office(f, CALLS " AND body LIKE '%oz%'"), 1);
        answer.of = puan_fix_office(f, "SELECT MAX(id) FROM duty_entry");
        assert_int_equal(put(f, answer, NULL), PUAN_OK);
        work(f, T0 + 40 * MINUTE);
        assert_int_equal(puan_fix_office(f, CALLS), 3);
        assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM duty_call"),
                         0);
        assert_int_equal(metric(f, "puan_duty_unreachable"), 1); /* ann */
        puan_fix_close(f);
        puan_fix_verify(f);
        puan_fix_end(f);
    }
}

static void a_ladder_ends(void **state)
{
    struct puan_fix *f = make(NULL);

    (void)state;
    turns(f, "day", pair, 2);
    assert_int_equal(put(f, rung, NULL), PUAN_OK);
    for (int64_t m = 10; m <= 60; m += 10)
        work(f, T0 + m * MINUTE);
    /* ann, nobody, oz, li, the duty officer above, the end */
    assert_int_equal(puan_fix_office(f, CALLS), 6);
    assert_int_equal(puan_fix_office(f, CALLS " AND body LIKE '%\"up\"%'"), 1);
    assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM duty_call"), 0);
    puan_fix_end(f);
}

static void a_number_is_sealed(void **state)
{
    struct puan_fix *f = make(NULL);
    struct puan_roster_entry e = { .kind = PUAN_ROSTER_CONTACT,
                                   .role = PUAN_STR("duty-officer"),
                                   .person = PUAN_STR("ann"),
                                   .who = PUAN_STR("ann"),
                                   .text = PUAN_STR("room 4, desk telephone") };
    struct puan_shard *office = puan_store_office(f->st);
    struct puan_str plain;
    struct puan_db *db = NULL;
    int64_t id;

    (void)state;
    assert_int_equal(put(f, e, &id), PUAN_OK);
    assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM duty_entry WHERE"
                                        " body LIKE '%room%'"),
                     0);
    ok(puan_read_begin(&db, office, err));
    ok(duty_unseal(&plain, f->st, db, id, &f->a, err));
    puan_read_end(office, db);
    assert_true(puan_str_eq(plain, e.text));
    e.person = PUAN_STR("bo"); /* another's number */
    assert_int_equal(put(f, e, NULL), PUAN_EDENIED);
    puan_fix_close(f);
    puan_fix_verify(f);
    puan_fix_end(f);
}

static void what_is_open_is_what_is_signed(void **state)
{
    struct puan_fix *f = make(NULL);
    struct puan_shard *office = puan_store_office(f->st);
    struct duty_open a, b, c;
    struct puan_db *db = NULL;

    (void)state;
    ok(puan_read_begin(&db, office, err));
    ok(duty_open_now(&a, f->st, db, COUNTY, PUAN_STR("x"), &f->a, err));
    ok(duty_open_now(&c, f->st, db, COUNTY, PUAN_STR("y"), &f->a, err));
    puan_read_end(office, db);
    assert_false(puan_str_eq(a.digest, c.digest));
    tell(f, "a case more");
    ok(puan_read_begin(&db, office, err));
    ok(duty_open_now(&b, f->st, db, COUNTY, PUAN_STR("x"), &f->a, err));
    puan_read_end(office, db);
    assert_int_equal(b.n, a.n + 1);
    assert_false(puan_str_eq(a.digest, b.digest));
    puan_fix_end(f);
}

/* A page with nothing drawn up yet, and one that asks for a wrong day. */
static void pages_are_answered_whole(void **state)
{
    const char *duty;

    (void)state;
    desk_county(NULL, "sm");
    duty = seat("ann", "duty-officer", COUNTY);
    must(200, duty, "GET", "/duty", NULL);
    assert_non_null(puan_node_get(tree(), "cells"));
    must(400, duty, "GET", "/duty?from=yesterday", NULL);
    must(200, duty, "GET", "/duty/desk", NULL);
    assert_true(is(tree(), "on_duty", "true")); /* its seat, while undrawn */
    assert_non_null(puan_node_get(tree(), "groups"));
    must(200, duty, "GET", "/duty/contacts", NULL);
    assert_non_null(tree());
    must(200, duty, "GET", "/duty/below", NULL);
    assert_true(is(tree(), "more", "false"));
    puan_fix_end(fix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_notice_asks_the_roster),
        cmocka_unit_test(a_gap_is_counted),
        cmocka_unit_test(a_call_climbs_until_answered),
        cmocka_unit_test(a_ladder_ends),
        cmocka_unit_test(a_number_is_sealed),
        cmocka_unit_test(what_is_open_is_what_is_signed),
        cmocka_unit_test(pages_are_answered_whole),
    };

    n_engines = puan_fix_engines(engines);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
