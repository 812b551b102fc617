/*
 * A release over a real store: frozen, filed, approved, held by its embargo,
 * published by the clock, checked by a stranger.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <stdio.h>

#include "base/calendar.h"
#include "features/campaign/campaign.h"
#include "features/ingest/ingest.h"
#include "features/ledgers/ledgers.h"
#include "features/lots/lots.h"
#include "features/releases/releases.h"
#include "kit/os/os.h"

#define ok(call)                                                               \
    do {                                                                       \
        struct puan_err err_ = { 0 }, *err = &err_;                            \
        enum puan_status got_ = (call);                                        \
        if (got_ != PUAN_OK)                                                   \
            fail_msg("%s: %s: %s:%u: %s", #call, puan_status_name(got_),       \
                     err_.where, err_.line, err_.text);                        \
    } while (0)

static const char *engines[2];
static size_t n_engines;

struct fix {
    struct puan_arena a;
    const char *root, *dir;
    struct puan_store_options opt;
    struct puan_store *st;
    struct puan_lot lot;
    struct puan_err err;
    unsigned counter;
};

static void import(struct fix *f, enum puan_import_kind kind, const char *csv)
{
    struct puan_act act = { .actor = PUAN_STR("tester") };
    struct puan_import_result res;

    ok(puan_import(&res, f->st, kind, puan_str_of(csv), "test.csv", false, &act,
                   err));
}

static struct fix *make(const char *url)
{
    struct fix *f = calloc(1, sizeof *f);
    struct puan_act act = { .actor = PUAN_STR("tester"),
                            .verb = PUAN_STR("clock.set") };
    int64_t ms;

    puan_arena_init(&f->a, puan_os_alloc());
    ok(puan_dir_temp(&f->root, &f->a, err));
    f->dir = puan_arena_fmt(&f->a, "%s/c", f->root);
    f->opt.url = url;
    ok(puan_store_create(f->dir, "demo", "plans/zz-test", "sm", &f->opt, err));
    ok(puan_store_open(&f->st, f->dir, &f->opt, err));
    import(f, PUAN_IMPORT_AREAS,
           "code,parent,level,name_zh,name_en\n"
           "11,,canton,a,A\n11001,11,parish,b,B\n11001001,11001,round,c,C\n"
           "11002,11,parish,d,D\n11002001,11002,round,e,E\n"
           "11003,11,parish,f,F\n11003001,11003,round,g,G\n");
    import(f, PUAN_IMPORT_LISTING,
           "household,ea,head_name,c1\n"
           "110010010001,11001001,Ann Zed,3\n110010010002,11001001,,\n"
           "110020010001,11002001,,\n");
    assert_true(puan_instant_parse(&ms, PUAN_STR("2021-04-02T12:00:00-03:30")));
    ok(puan_store_clock_set(f->st, &act, ms, 0, err));
    return f;
}

static void unmake(struct fix *f)
{
    struct puan_err err = { 0 };

    puan_store_close(f->st);
    assert_int_equal(puan_dir_remove(f->root, &err), PUAN_OK);
    puan_arena_clear(&f->a);
    free(f);
}

static uint32_t send(struct fix *f, int64_t household, unsigned base,
                     const char *rooms)
{
    struct puan_sender who = { .actor = PUAN_STR("enum-1"),
                               .seat = PUAN_STR("enumerator"),
                               .device = PUAN_STR("d-1"),
                               .area = household / 10000 };
    struct puan_receipt r = { 0 };
    struct puan_str doc = puan_str_of(puan_arena_fmt(
        &f->a,
        "{\"form\":\"household\",\"household\":\"%lld\",\"base\":%u,"
        "\"device\":\"d-1\",\"counter\":%u,\"mode\":\"enumerator\","
        "\"started\":\"2021-04-02T10:00:00-03:30\","
        "\"finished\":\"2021-04-02T10:10:00-03:30\",\"signed\":true,"
        "\"answers\":{\"members\":1,\"dwelling\":1,\"rooms\":%s},"
        "\"member\":[{\"full_name\":\"Ann Zed\",\"place\":1,\"sex\":\"F\","
        "\"born\":\"1980-03\",\"card\":\"X1\",\"usual\":1,\"tongue\":\"01\","
        "\"school\":2,\"job\":\"baker\"}]}",
        (long long)household, base, ++f->counter, rooms));

    ok(puan_submit_wait(&r, f->st, &who, doc, &f->a, err));
    assert_int_equal(r.outcome, PUAN_SUBMIT_ACCEPTED);
    return r.edits.n > 0;
}

static enum puan_status accept(struct fix *f, const char *role,
                               int64_t seat_area, int64_t area,
                               const char *reason)
{
    struct puan_act act = { .actor = PUAN_STR("u1"),
                            .seat = puan_str_of(role) };
    struct puan_flow_who who =
        puan_case_seat(f->st, PUAN_STR("u1"), puan_str_of(role), seat_area,
                       area);

    f->err = (struct puan_err){ 0 };
    act.verb = PUAN_STR("lot.accept");
    return puan_lot_accept(&f->lot, f->st, &act, &who, area,
                           puan_str_of(reason), &f->a, &f->err);
}


static const struct puan_node *fields(struct fix *f, const char *json)
{
    struct puan_node *n = NULL;
    char *text;

    if (json == NULL)
        return NULL;
    text = puan_arena_get(&f->a, strlen(json) + 1);
    for (size_t i = 0; json[i]; i++)
        text[i] = json[i] == '\'' ? '"' : json[i];
    ok(puan_json_tree(&n, puan_str_of(text), "f", &f->a, err));
    return n;
}

static const struct puan_flow_paper letter = { { "external", 8 }, { 1 } };

/* The registrar, or the board above him whose acts he enters. */
static enum puan_status did(struct fix *f, int64_t run,
                            enum puan_flow_event_kind kind, const char *name,
                            bool board, const char *json)
{
    struct puan_act act = { .actor = PUAN_STR("u1") };
    struct puan_case_call c = { .run = run, .arena = &f->a };
    struct puan_flow_run *now = NULL;
    struct puan_case_row row;
    struct puan_db *db = NULL;
    uint8_t digest[PUAN_DIGEST_SIZE];

    c.event.kind = kind;
    c.event.name = puan_str_of(name);
    c.event.who = puan_case_seat(f->st, PUAN_STR("u1"),
                                 PUAN_STR("canton-registrar"), 11, 11);
    c.event.fields = fields(f, json);
    if (board) {
        c.event.who.external = true;
        c.event.who.entered_role = c.event.who.role;
        c.event.who.entered_level = c.event.who.level;
        c.event.who.actor = PUAN_STR("board");
        c.event.who.role = PUAN_STR("national-board");
        c.event.papers = &letter;
        c.event.n_papers = 1;
    }
    if (kind == PUAN_FLOW_SIGN) {
        ok(puan_read_begin(&db, puan_store_office(f->st), err));
        ok(puan_case_read(&row, &now, f->st, db, run, &f->a, err));
        puan_read_end(puan_store_office(f->st), db);
        puan_flow_covered(digest, now,
                          puan_flow_approval(now->flow, c.event.name),
                          puan_store_digest(f->st));
        c.event.digest = digest;
        c.event.yes = true;
    }
    f->err = (struct puan_err){ 0 };
    return puan_case_do(f->st, &act, &c, &f->err);
}

static void set_clock(struct fix *f, const char *when)
{
    struct puan_act act = { .actor = PUAN_STR("tester"),
                            .verb = PUAN_STR("clock.set") };
    int64_t ms;

    assert_true(puan_instant_parse(&ms, puan_str_of(when)));
    ok(puan_store_clock_set(f->st, &act, ms, 0, err));
}

static int64_t ticks(struct fix *f)
{
    int64_t n = -1;

    ok(puan_cases_tick(f->st, &n, err));
    return n;
}

static int64_t published(struct fix *f, int64_t id, struct puan_release *r)
{
    struct puan_shard *sh = puan_store_office(f->st);
    struct puan_db *db = NULL;

    ok(puan_read_begin(&db, sh, err));
    ok(puan_release_read(r, db, id, &f->a, err));
    puan_read_end(sh, db);
    return r->published_ms;
}

static enum puan_status open_release(struct fix *f, struct puan_release *r,
                                     const char *table)
{
    const struct puan_str ids[] = { puan_str_of(table) };
    struct puan_act act = { .actor = PUAN_STR("u1"),
                            .verb = PUAN_STR("release.open") };
    struct puan_flow_who who = puan_case_seat(
        f->st, PUAN_STR("u1"), PUAN_STR("canton-registrar"), 11, 11);

    f->err = (struct puan_err){ 0 };
    return puan_release_open(r, f->st, &act, &who, 11, PUAN_STR("Zed 2021"),
                             ids, 1, &f->a, &f->err);
}

static void a_release_waits_for_its_gates(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct fix *f = make(engines[e]);
        struct puan_verify v;
        struct puan_verify_options opt = { .url = f->opt.url, .threads = 1 };
        struct puan_release r;
        struct puan_release_check c;
        struct puan_out o;
        char *text;
        int64_t t;

        send(f, 110010010001, 0, "3");
        send(f, 110020010001, 0, "2");
        assert_int_equal(open_release(f, &r, "ghost"), PUAN_ENOTFOUND);
        assert_int_equal(open_release(f, &r, "dwelling"), PUAN_OK);
        /* nothing is submitted before the area is accepted */
        assert_int_equal(did(f, r.run, PUAN_FLOW_ACT, "submit", false,
                             "{'bulletin':'b','publish_at':"
                             "'2021-12-01T10:00:00-03:30'}"),
                         PUAN_ECONFLICT);
        assert_int_equal(accept(f, "parish-clerk", 11001, 11001, ""), PUAN_OK);
        assert_int_equal(accept(f, "parish-clerk", 11002, 11002, ""), PUAN_OK);
        assert_int_equal(accept(f, "canton-registrar", 11, 11, ""), PUAN_OK);
        assert_int_equal(did(f, r.run, PUAN_FLOW_ACT, "submit", false,
                             "{'bulletin':'b','publish_at':"
                             "'2021-12-01T10:00:00-03:30'}"),
                         PUAN_OK);
        assert_int_equal(did(f, r.run, PUAN_FLOW_ASK, "bulletin", false, NULL),
                         PUAN_OK);
        /* the board signs and approves; the registrar cannot for himself */
        assert_int_equal(did(f, r.run, PUAN_FLOW_SIGN, "bulletin", false, NULL),
                         PUAN_EDENIED);
        assert_int_equal(did(f, r.run, PUAN_FLOW_SIGN, "bulletin", true, NULL),
                         PUAN_OK);
        assert_int_equal(did(f, r.run, PUAN_FLOW_ACT, "approve", true, NULL),
                         PUAN_OK);

        /* the hour strikes before the board has published: embargo */
        set_clock(f, "2021-12-01T09:59:59-03:30");
        assert_int_equal(ticks(f), 0);
        set_clock(f, "2021-12-01T10:00:00-03:30");
        assert_int_equal(ticks(f), 1);
        assert_int_equal(published(f, r.id, &r), 0);
        assert_int_equal(did(f, r.run, PUAN_FLOW_ACT, "publish", false, NULL),
                         PUAN_EDENIED);
        set_clock(f, "2021-12-01T11:00:00-03:30");
        assert_int_equal(ticks(f), 1); /* tried again, refused again */
        assert_int_equal(published(f, r.id, &r), 0);
        assert_int_equal(did(f, r.run, PUAN_FLOW_ACT, "board_publishes", false,
                             "{'board_published':true}"),
                         PUAN_EDENIED);
        assert_int_equal(did(f, r.run, PUAN_FLOW_ACT, "board_publishes", true,
                             "{'board_published':true}"),
                         PUAN_OK);
        set_clock(f, "2021-12-01T12:00:00-03:30");
        assert_int_equal(ticks(f), 1);
        t = published(f, r.id, &r);
        assert_true(t > 0);

        puan_out_init(&o, &f->a);
        ok(puan_release_text(&o, f->st, &r, err));
        ok(puan_release_check(&c, puan_out_view(&o), PUAN_STR(""), f->st,
                              &f->a, err));
        if (!c.sound)
            fail_msg("%s %s %s %s %s %s %s", c.document, c.tables, c.version,
                     c.signature, c.plan, c.ledger, c.recount);
        assert_string_equal(c.signature, "ok");
        assert_string_equal(c.ledger, "ok");
        assert_string_equal(c.plan, "ok");
        assert_string_equal(c.recount, "ok");
        /* one figure changed: found without the directory */
        text = strstr(o.p, "\"cells\":[");
        assert_non_null(text);
        text = strpbrk(text, "123456789");
        assert_non_null(text);
        *text = *text == '7' ? '8' : '7';
        ok(puan_release_check(&c, puan_out_view(&o), PUAN_STR(""), NULL, &f->a,
                              err));
        assert_false(c.sound);
        assert_string_equal(c.document, "differs");
        assert_string_equal(c.tables, "differs");
        assert_string_equal(c.version, "ok");

        puan_store_close(f->st);
        f->st = NULL;
        ok(puan_ledger_verify(&v, f->dir, &opt, &f->a, err));
        if (v.n_problems > 0)
            fail_msg("%s %s", v.problem[0].kind, v.problem[0].text);
        unmake(f);
    }
}

/* A return that changes after approval: the tables are not those filed. */
static void changed_data_are_not_published(void **state)
{
    struct fix *f = make(NULL);
    struct puan_release r;

    (void)state;
    send(f, 110010010001, 0, "3");
    send(f, 110020010001, 0, "2");
    assert_int_equal(accept(f, "parish-clerk", 11001, 11001, ""), PUAN_OK);
    assert_int_equal(accept(f, "parish-clerk", 11002, 11002, ""), PUAN_OK);
    assert_int_equal(accept(f, "canton-registrar", 11, 11, ""), PUAN_OK);
    assert_int_equal(open_release(f, &r, "dwelling"), PUAN_OK);
    assert_int_equal(did(f, r.run, PUAN_FLOW_ACT, "submit", false,
                         "{'bulletin':'b','publish_at':"
                         "'2021-12-01T10:00:00-03:30'}"),
                     PUAN_OK);
    assert_int_equal(did(f, r.run, PUAN_FLOW_ACT, "board_publishes", true,
                         "{'board_published':true}"),
                     PUAN_OK);
    assert_int_equal(did(f, r.run, PUAN_FLOW_ASK, "bulletin", false, NULL),
                     PUAN_OK);
    assert_int_equal(did(f, r.run, PUAN_FLOW_SIGN, "bulletin", true, NULL),
                     PUAN_OK);
    assert_int_equal(did(f, r.run, PUAN_FLOW_ACT, "approve", true, NULL),
                     PUAN_OK);
    send(f, 110010010002, 0, "4"); /* a household more */
    set_clock(f, "2021-12-01T10:00:00-03:30");
    assert_int_equal(ticks(f), 1);
    assert_int_equal(published(f, r.id, &r), 0);
    unmake(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_release_waits_for_its_gates),
        cmocka_unit_test(changed_data_are_not_published),
    };
    const char *pg = getenv("PUAN_TEST_PG");

    engines[n_engines++] = NULL; /* SQLite */
    if (pg && *pg)
        engines[n_engines++] = pg;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
