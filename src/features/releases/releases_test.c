/*
 * A release over a real store: frozen, filed, approved, held by its embargo,
 * published by the clock, checked by a stranger.
 */
#include "features/host/test_fixture.h"
#include "features/releases/releases.h"

/* Not every listed household has answered in these tests. */
#define GONE "moved away since the listing"

static const char *engines[2];
static size_t n_engines;

static const struct puan_flow_paper letter = { { "external", 8 }, { 1 } };

/* The registrar, or the board above him whose acts he enters. */
static enum puan_status did(struct puan_fix *f, int64_t run,
                            enum puan_flow_event_kind kind, const char *name,
                            bool board, const char *json)
{
    struct puan_act act = { .actor = PUAN_STR("u1") };
    struct puan_case_call c = { .run = run, .arena = &f->a };
    uint8_t digest[PUAN_DIGEST_SIZE];

    c.event.kind = kind;
    c.event.name = puan_str_of(name);
    c.event.who = puan_case_seat(f->st, PUAN_STR("u1"),
                                 PUAN_STR("canton-registrar"), 11, 11);
    c.event.fields = puan_fix_json(f, json);
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
        puan_fix_covered(digest, f, run, name);
        c.event.digest = digest;
        c.event.yes = true;
    }
    f->err = (struct puan_err){ 0 };
    return puan_case_do(f->st, &act, &c, &f->err);
}

static int64_t ticks(struct puan_fix *f)
{
    int64_t n = -1;

    ok(puan_cases_tick(f->st, &n, err));
    return n;
}

static int64_t published(struct puan_fix *f, int64_t id, struct puan_release *r)
{
    struct puan_shard *sh = puan_store_office(f->st);
    struct puan_db *db = NULL;

    ok(puan_read_begin(&db, sh, err));
    ok(puan_release_read(r, db, id, &f->a, err));
    puan_read_end(sh, db);
    return r->published_ms;
}

static enum puan_status open_release(struct puan_fix *f, struct puan_release *r,
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

static struct puan_http_reply asked(struct puan_fix *f, const char *path)
{
    struct puan_http_call c = { .method = "GET" };
    struct puan_http_reply r;

    c.path = puan_arena_fmt(&f->a, "/api/v1/c/zz-test/public/releases%s", path);
    ok(puan_http_call(&r, f->client, &c, err));
    r.body = puan_arena_keep(&f->a, r.body);
    return r;
}

/* Before it is out nobody sees it; then its tables, their names and figures. */
static void anybody_reads(struct puan_fix *f, bool out, int64_t total)
{
    struct puan_http_reply r;
    int64_t sum = 0;
    struct puan_str rest, line;

    puan_fix_serve(f, 2, 1);
    r = asked(f, "");
    assert_int_equal(r.status, 200);
    assert_non_null(strstr(r.body.p, "\"expected\":{"));
    assert_int_equal(strstr(r.body.p, "\"title\":\"Zed 2021\"") != NULL, out);
    r = asked(f, "/1/tables");
    assert_int_equal(r.status, out ? 200 : 404);
    if (out)
        assert_non_null(strstr(r.body.p, "\"dims_of\":["));
    r = asked(f, "/1/tables/dwelling");
    assert_int_equal(r.status, 404);
    r = asked(f, "/1/tables/tongue.csv");
    assert_int_equal(r.status, 404); /* a table of the plan, not of this one */
    r = asked(f, "/1/tables/dwelling.csv?lang=en");
    assert_int_equal(r.status, out ? 200 : 404);
    rest = r.body;
    for (int n = 0; out && puan_str_split(&line, &rest, '\n') && line.n; n++) {
        const char *last = line.p + line.n;
        int64_t v = 0;

        while (last > line.p && last[-1] != ',')
            last--;
        assert_int_equal(puan_int_parse(&v,
                                        (struct puan_str){
                                            last, (size_t)(line.p + line.n -
                                                           last) }),
                         n > 0);
        sum += v;
    }
    assert_int_equal(sum, out ? total : 0);
    puan_http_client_close(f->client);
    puan_host_stop(f->host);
    f->client = NULL;
    f->host = NULL;
}

static void a_release_waits_for_its_gates(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = puan_fix_canton(engines[e]);
        struct puan_release r;
        struct puan_release_check c;
        struct puan_out o;
        char *text;
        int64_t t;

        puan_fix_send(f, 110010010001, 0, "3");
        puan_fix_send(f, 110020010001, 0, "2");
        assert_int_equal(open_release(f, &r, "ghost"), PUAN_ENOTFOUND);
        assert_int_equal(open_release(f, &r, "dwelling"), PUAN_OK);
        /* nothing is submitted before the area is accepted */
        assert_int_equal(did(f, r.run, PUAN_FLOW_ACT, "submit", false,
                             "{'bulletin':'b','publish_at':"
                             "'2021-12-01T10:00:00-03:30'}"),
                         PUAN_ECONFLICT);
        assert_int_equal(puan_fix_accept(f, "parish-clerk", 11001, 11001, GONE),
                         PUAN_OK);
        assert_int_equal(puan_fix_accept(f, "parish-clerk", 11002, 11002, GONE),
                         PUAN_OK);
        assert_int_equal(puan_fix_accept(f, "canton-registrar", 11, 11, GONE),
                         PUAN_OK);
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

        anybody_reads(f, false, 0);
        /* the hour strikes before the board has published: embargo */
        puan_fix_clock(f, "2021-12-01T09:59:59-03:30");
        assert_int_equal(ticks(f), 0);
        puan_fix_clock(f, "2021-12-01T10:00:00-03:30");
        assert_int_equal(ticks(f), 1);
        assert_int_equal(published(f, r.id, &r), 0);
        assert_int_equal(did(f, r.run, PUAN_FLOW_ACT, "publish", false, NULL),
                         PUAN_EDENIED);
        puan_fix_clock(f, "2021-12-01T11:00:00-03:30");
        assert_int_equal(ticks(f), 1); /* tried again, refused again */
        assert_int_equal(published(f, r.id, &r), 0);
        assert_int_equal(did(f, r.run, PUAN_FLOW_ACT, "board_publishes", false,
                             "{'board_published':true}"),
                         PUAN_EDENIED);
        assert_int_equal(did(f, r.run, PUAN_FLOW_ACT, "board_publishes", true,
                             "{'board_published':true}"),
                         PUAN_OK);
        puan_fix_clock(f, "2021-12-01T12:00:00-03:30");
        assert_int_equal(ticks(f), 1);
        t = published(f, r.id, &r);
        assert_true(t > 0);
        anybody_reads(f, true, 2);

        puan_out_init(&o, &f->a);
        ok(puan_release_text(&o, f->st, &r, err));
        ok(puan_release_check(&c, puan_out_view(&o), PUAN_STR(""), f->st, &f->a,
                              err));
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

        puan_fix_close(f);
        puan_fix_verify(f);
        puan_fix_end(f);
    }
}

/* A return that changes after approval: the tables are not those filed. */
static void changed_data_are_not_published(void **state)
{
    struct puan_fix *f = puan_fix_canton(NULL);
    struct puan_release r;

    (void)state;
    puan_fix_send(f, 110010010001, 0, "3");
    puan_fix_send(f, 110020010001, 0, "2");
    assert_int_equal(puan_fix_accept(f, "parish-clerk", 11001, 11001, GONE),
                     PUAN_OK);
    assert_int_equal(puan_fix_accept(f, "parish-clerk", 11002, 11002, GONE),
                     PUAN_OK);
    assert_int_equal(puan_fix_accept(f, "canton-registrar", 11, 11, GONE),
                     PUAN_OK);
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
    puan_fix_send(f, 110010010002, 0, "4"); /* a household more */
    puan_fix_clock(f, "2021-12-01T10:00:00-03:30");
    assert_int_equal(ticks(f), 1);
    assert_int_equal(published(f, r.id, &r), 0);
    puan_fix_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_release_waits_for_its_gates),
        cmocka_unit_test(changed_data_are_not_published),
    };

    n_engines = puan_fix_engines(engines);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
