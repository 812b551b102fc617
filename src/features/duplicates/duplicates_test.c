/*
 * The search for persons registered twice, over real returns of two counties,
 * on both engines: held against a plain comparison of every record with every
 * other that knows the identity numbers, which the search never sees.
 */
#include <stdlib.h>

#include "core/link/link.h"
#include "core/plan/plan.h"
#include "features/duplicates/search.h"
#include "features/host/test_fixture.h"
#include "kit/os/os.h"

static const char *engines[2];
static size_t n_engines;

/* stay and reg: 1 here, 2 elsewhere; three residence cases */
static const char plan_yaml[] =
    "plan: zz-twice\nversion: 1\nscope: campaign\nzh: 试\nen: Trial\n"
    "offset_minutes: 0\nreference_month: 2020-11\n"
    "reference_moment: 2020-11-01T00:00:00+00:00\n"
    "household_digits: 3\nshard_level: county\n"
    "levels:\n"
    "  - {id: nation, zh: 国, en: Nation, digits: 1}\n"
    "  - {id: county, zh: 县, en: County, digits: 3}\n"
    "  - {id: ea, zh: 小区, en: Area, digits: 5}\n"
    "roles:\n"
    "  clerk: {zh: 县, en: Clerk, levels: [county],"
    " can: [duplicate.view, duplicate.decide, return.view]}\n"
    "  board: {zh: 国, en: Board, levels: [nation],"
    " can: [duplicate.view, duplicate.decide, evaluation.view]}\n"
    "  reader: {zh: 读, en: Reader, levels: [county], can: [return.view]}\n"
    "settings: {}\nforms: [mini]\n"
    "windows:\n"
    "  w: {zh: 登记, en: Count, from: 2020-01-01, until: 2099-01-01,"
    " forms: [mini]}\n"
    "residence:\n"
    "  entity: person\n"
    "  cases:\n"
    "    - {case: 1, zh: 一, en: one, when: \"stay = 1 and reg = 1\","
    " de_facto: true, registered: true, resident: true}\n"
    "    - {case: 3, zh: 三, en: three, when: \"stay = 1 and reg = 2\","
    " de_facto: true, registered: false, resident: true}\n"
    "    - {case: 8, zh: 八, en: eight, when: \"stay = 2 and reg = 1\","
    " de_facto: false, registered: true, resident: false}\n";
static const char form_yaml[] =
    "form: mini\nversion: 1\nzh: 表\nen: Form\n"
    "codes:\n  where: {1: {zh: 本地, en: here}, 2: {zh: 外地, en: away}}\n"
    "entities:\n"
    "  household:\n    zh: 户\n    en: Household\n    items:\n"
    "      n: {type: int, min: 0, max: 99, zh: 数, en: Number}\n"
    "  person:\n    zh: 人\n    en: Person\n    rows: 20\n    items:\n"
    "      name: {type: name, zh: 名, en: Name}\n"
    "      idn: {type: citizen-id, zh: 号, en: ID}\n"
    "      stay: {type: code, codes: where, zh: 在, en: Stay}\n"
    "      reg: {type: code, codes: where, zh: 户, en: Registered}\n";

static struct puan_fix *make(const char *url)
{
    struct puan_fix *f = puan_fix_begin(url);
    const char *pack = puan_arena_fmt(&f->a, "%s/zz-twice", f->root);

    ok(puan_dir_make(puan_arena_fmt(&f->a, "%s/forms", pack), err));
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/plan.yaml", pack),
                       puan_str_of(plan_yaml), 0644, err));
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/forms/mini.yaml", pack),
                       puan_str_of(form_yaml), 0644, err));
    puan_fix_create(f, "demo", pack, "sm");
    puan_fix_open(f);
    puan_fix_import(f, PUAN_IMPORT_AREAS,
                    "code,parent,level,name_zh,name_en\n"
                    "1,,nation,a,A\n111,1,county,b,B\n"
                    "112,1,county,c,C\n11101,111,ea,d,D\n"
                    "11102,111,ea,e,E\n11201,112,ea,f,F\n");
    return f;
}

/* A valid identity number of person `k` (GB 11643 check character). */
static const char *idn(struct puan_fix *f, unsigned k)
{
    static const int weight[] = { 7, 9, 10, 5, 8, 4, 2, 1, 6,
                                  3, 7, 9, 10, 5, 8, 4, 2 };
    char *id = puan_arena_get(&f->a, 24);
    int sum = 0;

    puan_format(id, 24, "1101051980%02u%02u%03u", k / 20000 + 1,
                k / 1000 % 20 + 1, k % 1000);
    for (int i = 0; i < 17; i++)
        sum += (id[i] - '0') * weight[i];
    id[17] = "10X98765432"[sum % 11];
    id[18] = '\0';
    return id;
}

struct person {
    const char *id;
    int stay, reg;
    const char *name;
};

static void send(struct puan_fix *f, int64_t household, unsigned base,
                 const struct person *p, size_t n)
{
    struct puan_sender who = { .actor = PUAN_STR("enum"),
                               .seat = PUAN_STR("enumerator"),
                               .device = PUAN_STR("d"),
                               .area = 1 };
    struct puan_receipt r;
    struct puan_out o;

    puan_out_init(&o, &f->a);
    puan_out_fmt(&o,
                 "{\"form\":\"mini\",\"household\":\"%lld\",\"base\":%u,"
                 "\"device\":\"d\",\"counter\":%u,\"mode\":\"enumerator\","
                 "\"started\":\"2020-11-02T10:00:00Z\",\"finished\":"
                 "\"2020-11-02T10:10:00Z\",\"signed\":true,\"answers\":{},"
                 "\"person\":[",
                 (long long)household, base, ++f->counter);
    for (size_t i = 0; i < n; i++)
        puan_out_fmt(&o, "%s{\"name\":\"%s\",\"idn\":\"%s\",\"stay\":%d,"
                     "\"reg\":%d}",
                     i ? "," : "", p[i].name ? p[i].name : "某人", p[i].id,
                     p[i].stay, p[i].reg);
    puan_out_text(&o, "]}");
    r = puan_fix_submit(f, &who, puan_out_view(&o));
    assert_int_equal(r.outcome, PUAN_SUBMIT_ACCEPTED);
}

static struct puan_search search(struct puan_fix *f, int64_t area)
{
    struct puan_act act = { .actor = PUAN_STR("tester"),
                            .verb = PUAN_STR("duplicate.search") };
    struct puan_search sum;

    ok(puan_dup_search(&sum, f->st, area, &act, err));
    return sum;
}

/* ---- tests ---------------------------------------------------------------- */

static void who_lives_apart_is_a_pair_also_across_counties(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        struct person here[] = { { idn(f, 1), 1, 2 }, { idn(f, 2), 1, 1 } };
        struct person there[] = { { idn(f, 1), 2, 1 }, { idn(f, 3), 1, 1 } };
        struct puan_search s;

        send(f, 11101001, 0, here, 2);
        send(f, 11201001, 0, there, 2);
        s = search(f, 1);
        assert_int_equal(s.tokens, 4);
        assert_int_equal(s.pairs, 1);
        assert_int_equal(s.groups, 0);
        assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM dup"), 0);
        puan_fix_end(f);
    }
}

static void present_or_registered_twice_is_found_where_it_can_be_decided(
    void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        struct person a[] = { { idn(f, 1), 1, 1 }, { idn(f, 2), 2, 1 } };
        struct person b[] = { { idn(f, 1), 1, 2 } };
        struct person c[] = { { idn(f, 2), 2, 1 } };
        struct puan_search s;

        send(f, 11101001, 0, a, 2);
        send(f, 11201001, 0, b, 1); /* present in two counties */
        send(f, 11102001, 0, c, 1); /* registered in two areas of one */
        s = search(f, 1);
        assert_int_equal(s.groups, 2);
        assert_int_equal(s.pairs, 0);
        assert_int_equal(
            puan_fix_office(f, "SELECT COUNT(*) FROM dup WHERE kinds = 2"), 1);
        assert_int_equal(puan_fix_office(f, "SELECT area FROM dup WHERE kinds = 2"),
                         1);
        assert_int_equal(
            puan_fix_office(f, "SELECT COUNT(*) FROM dup WHERE kinds = 4"), 1);
        assert_int_equal(puan_fix_office(f, "SELECT area FROM dup WHERE kinds = 4"),
                         111);
        /* a search inside one county sees that county only */
        assert_int_equal(search(f, 111).groups, 1);
        puan_fix_end(f);
    }
}

static void a_second_search_finds_nothing_new_and_a_change_opens_again(
    void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        struct person a[] = { { idn(f, 1), 1, 1 } };
        struct person two[] = { { idn(f, 5), 1, 1 }, { idn(f, 1), 1, 1 } };

        send(f, 11101001, 0, a, 1);
        send(f, 11201001, 0, a, 1);
        assert_int_equal(search(f, 1).groups, 1);
        assert_int_equal(search(f, 1).groups, 1);
        assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM dup"), 1);
        send(f, 11201001, 1, two, 2); /* the same person, another line */
        assert_int_equal(search(f, 1).groups, 1);
        assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM dup"), 1);
        assert_int_equal(
            puan_fix_office(f, "SELECT COUNT(*) FROM dup WHERE state = 'open'"
                      " AND records LIKE '%\"line\":2%'"),
            1);
        /* an older version of the household counts no more */
        send(f, 11201001, 2, two, 1);
        assert_int_equal(search(f, 1).groups, 0);
        puan_fix_end(f);
    }
}

static void a_malformed_number_identifies_nobody(void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        char *wrong = puan_arena_get(&f->a, 19);
        struct person a[] = { { wrong, 1, 1 } };

        memcpy(wrong, idn(f, 1), 18);
        wrong[17] = wrong[17] == '1' ? '2' : '1';
        send(f, 11101001, 0, a, 1);
        send(f, 11201001, 0, a, 1);
        assert_int_equal(search(f, 1).tokens, 0);
        puan_fix_end(f);
    }
}

struct parcel {
    size_t to;
    const char *body;
};

static enum puan_status put_parcel(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act, void *arg,
                                   struct puan_err *err)
{
    const struct parcel *p = arg;

    (void)act;
    return puan_outbox_put(sh, db, p->to, "duplicate.decided",
                           puan_str_of(p->body), err);
}

static struct puan_dropped *dropped(struct puan_shard *sh)
{
    struct puan_dropped *d = NULL;
    struct puan_db *db = NULL;

    ok(puan_read_begin(&db, sh, err));
    ok(puan_dropped_open(&d, db, err));
    puan_read_end(sh, db);
    return d;
}

static void a_dropped_record_counts_no_more_until_it_is_answered_anew(
    void **state)
{
    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        struct person a[] = { { idn(f, 1), 1, 1 }, { idn(f, 2), 1, 1 } };
        struct puan_shard *sh = puan_store_shard_of_area(f->st, 112);
        struct puan_act act = { .actor = PUAN_STR("tester"),
                                .verb = PUAN_STR("duplicate.decide") };
        struct parcel p = { puan_shard_ordinal(sh),
                            "{\"household\":11201001,\"line\":2,\"ret\":1,"
                            "\"dropped\":1,\"group\":7}" };
        struct puan_dropped *d = NULL;

        send(f, 11201001, 0, a, 2);
        ok(puan_commit(puan_store_office(f->st), &act, put_parcel, &p, err));
        ok(puan_store_deliver(f->st, err));
        ok(puan_store_deliver(f->st, err)); /* applied once */
        d = dropped(sh);
        assert_int_equal(puan_dropped_n(d), 1);
        assert_true(puan_dropped_has(d, 11201001, 1, 1));
        assert_false(puan_dropped_has(d, 11201001, 2, 1));
        assert_false(puan_dropped_has(d, 11201001, 1, 0));
        assert_false(puan_dropped_has(d, 11201002, 1, 1));
        puan_dropped_close(d);
        send(f, 11201001, 1, a, 2);
        puan_fix_verify(f);
        puan_fix_end(f);
    }
}

/* Every record against every other, by the numbers themselves. */
static void a_plain_comparison_finds_the_same(void **state)
{
    enum { HOUSEHOLDS = 120, PEOPLE = 250 };
    struct rec {
        unsigned k;
        int present, registered;
    };
    uint64_t seed = 20201101;

    (void)state;
    for (size_t e = 0; e < n_engines; e++) {
        struct puan_fix *f = make(engines[e]);
        struct rec *rec = calloc(HOUSEHOLDS * 4, sizeof(*rec));
        int64_t groups = 0, pairs = 0, twice = 0;
        size_t n = 0;
        struct puan_search s;

        for (int h = 0; h < HOUSEHOLDS; h++) {
            static const int64_t ea[] = { 11101, 11102, 11201 };
            struct person p[4];
            size_t m;

            seed = seed * 6364136223846793005u + 1442695040888963407u;
            m = 1 + (seed >> 33) % 4;
            for (size_t i = 0; i < m; i++) {
                int kind;

                seed = seed * 6364136223846793005u + 1442695040888963407u;
                rec[n].k = (unsigned)((seed >> 33) % PEOPLE);
                kind = (int)(seed >> 60) % 3;
                rec[n].present = kind != 2;
                rec[n].registered = kind != 1;
                p[i] = (struct person){ idn(f, rec[n].k), kind == 2 ? 2 : 1,
                                        kind == 1 ? 2 : 1 };
                n++;
            }
            send(f, ea[h % 3] * 1000 + h / 3 + 1, 0, p, m);
        }
        for (unsigned k = 0; k < PEOPLE; k++) {
            int present = 0, registered = 0;
            bool pair = false;

            for (size_t i = 0; i < n; i++) {
                if (rec[i].k != k)
                    continue;
                present += rec[i].present;
                registered += rec[i].registered;
                for (size_t j = 0; j < n; j++)
                    pair = pair || (j != i && rec[j].k == k &&
                                    rec[i].present && !rec[i].registered &&
                                    !rec[j].present && rec[j].registered);
            }
            pairs += pair;
            groups += present > 1 || registered > 1;
            twice += present > 1;
        }
        assert_true(groups > 25 && pairs > 10); /* the draw is not empty */
        s = search(f, 1);
        assert_int_equal(s.tokens, (int64_t)n);
        assert_int_equal(s.groups, groups);
        assert_int_equal(s.pairs, pairs);
        assert_int_equal(puan_fix_office(f, "SELECT COUNT(*) FROM dup"), groups);
        assert_int_equal(
            puan_fix_office(f, "SELECT COUNT(*) FROM dup WHERE kinds / 2 % 2 = 1"),
            twice);
        free(rec);
        puan_fix_end(f);
    }
}

/* ---- the desk, over HTTP ------------------------------------------------- */

static struct puan_http_reply reply;

static void seat(char token[PUAN_TOKEN_TEXT], struct puan_fix *f,
                 const char *role, int64_t area)
{
    struct puan_who who = { .credential = PUAN_CRED_HUMAN, .account = area,
                            .seat = 1, .area = area };

    puan_format(who.name, sizeof(who.name), "%s-%lld", role, (long long)area);
    puan_format(token, PUAN_TOKEN_TEXT, "%s", puan_fix_session(f, who, role));
}

static unsigned call(struct puan_fix *f, const char *method, const char *path,
                     const char *token, const char *body)
{
    struct puan_http_call c = { .method = method, .token = token };
    const char *full = puan_arena_fmt(&f->a, "/api/v1/c/zz-twice/%s", path);

    c.path = full;
    if (body)
        c.body = puan_str_of(body);
    ok(puan_http_call(&reply, f->client, &c, err));
    return reply.status;
}

static bool says(const char *text)
{
    return memmem(reply.body.p, reply.body.n, text, strlen(text)) != NULL;
}

static const char *basis_now(struct puan_fix *f)
{
    struct puan_node *tree = NULL;
    struct puan_str text = { puan_arena_dup(&f->a, reply.body), reply.body.n };
    struct puan_str b;

    ok(puan_json_tree(&tree, text, "pair", &f->a, err));
    b = puan_node_str_opt(tree, "basis", "");
    assert_int_equal(b.n, 16);
    return puan_arena_dup(&f->a, b);
}

static int64_t entries(struct puan_fix *f, const char *verb)
{
    return puan_fix_office(
        f, puan_arena_fmt(&f->a,
                          "SELECT count(*) FROM ledger WHERE instr(entry,"
                          " CAST('%s' AS BLOB)) > 0",
                          verb));
}

static void the_desk_shows_agreement_and_no_name(void **state)
{
    struct puan_fix *f = make(NULL);
    struct person here[] = { { idn(f, 1), 1, 2, "欧阳娜娜" },
                             { idn(f, 2), 1, 2, NULL } };
    struct person there[] = { { idn(f, 1), 1, 2, "欧阳娜" },
                              { idn(f, 2), 2, 1, NULL } };
    char clerk[PUAN_TOKEN_TEXT], other[PUAN_TOKEN_TEXT], board[PUAN_TOKEN_TEXT],
        reader[PUAN_TOKEN_TEXT];

    (void)state;
    send(f, 11101001, 0, here, 2);
    send(f, 11201001, 0, there, 2);
    search(f, 1);
    puan_fix_serve(f, 2, 1);
    seat(clerk, f, "clerk", 111);
    seat(other, f, "clerk", 112);
    seat(board, f, "board", 1);
    seat(reader, f, "reader", 111);

    /* pairs living apart come first, with their number and their list */
    assert_int_equal(call(f, "GET", "duplicates?area=111&page=1", clerk, NULL),
                     200);
    assert_true(says("\"pairs\":1"));
    assert_true(says("\"totals\":{\"open\":1,\"field\":0,\"passed\":0,"
                     "\"decided\":0,\"gone\":0},\"total\":1"));
    assert_false(says("11201001")); /* the other office's household */
    assert_true(says("\"mine\":false"));
    assert_int_equal(
        call(f, "GET", "duplicates?area=1&page=1&kind=pair", board, NULL), 200);
    assert_true(says("\"household\":\"11101001\",\"line\":2"));
    assert_true(says("\"household\":\"11201001\",\"line\":2"));

    /* another office's side: only marks, and only 5 is offered */
    assert_int_equal(call(f, "GET", "duplicates/1", clerk, NULL), 200);
    assert_true(says("\"name_marks\":\"1110\""));
    assert_false(says("欧阳"));
    assert_false(says("110105"));
    assert_false(says("11201001"));
    assert_true(says("\"figures\":false"));
    assert_true(says("{\"verdict\":1,\"keep\":1,\"offered\":false,"
                     "\"why\":\"office\""));
    assert_true(says("{\"verdict\":5,\"offered\":true"));
    assert_int_equal(entries(f, "identity.compare"), 1);
    assert_int_equal(call(f, "GET", "duplicates/1", clerk, NULL), 200);
    assert_int_equal(entries(f, "identity.compare"), 1); /* vault not opened */
    assert_int_equal(call(f, "POST", "duplicates/1/decide", clerk,
                          "{\"verdict\":1,\"reason\":\"x\"}"),
                     403);

    /* the common parent sees both and decides */
    assert_int_equal(call(f, "GET", "duplicates/1", board, NULL), 200);
    assert_true(says("11201001"));
    assert_true(says("\"figures\":true"));
    assert_false(says("欧阳"));
    assert_int_equal(call(f, "GET", "duplicates/1", reader, NULL), 403);
    assert_int_equal(call(f, "GET", "duplicates/1", NULL, NULL), 401);
    puan_fix_end(f);
}

static void verdicts_reach_the_counts_the_field_and_the_office_above(
    void **state)
{
    struct puan_fix *f = make(NULL);
    struct person one[] = { { idn(f, 1), 1, 1, NULL } };
    struct person two[] = { { idn(f, 2), 1, 2, NULL } };
    struct person three[] = { { idn(f, 2), 1, 1, NULL } };
    char clerk[PUAN_TOKEN_TEXT], board[PUAN_TOKEN_TEXT];
    const char *basis;
    struct puan_dropped *d;
    struct puan_shard *sh;
    const char *one_, *one_decide, *two_, *two_decide;

    (void)state;
    send(f, 11101001, 0, one, 1); /* the same at both: either may stand */
    send(f, 11102001, 0, one, 1);
    search(f, 1); /* one after the other: the order of tokens is chance */
    send(f, 11101002, 0, two, 1);   /* present, registered elsewhere */
    send(f, 11102002, 0, three, 1); /* present and registered */
    search(f, 1);
    /* numbers follow the tokens, whose key is another each time */
    one_ = puan_arena_fmt(
        &f->a, "duplicates/%lld",
        (long long)puan_fix_office(f, "SELECT id FROM dup WHERE kinds = 6"));
    two_ = puan_arena_fmt(
        &f->a, "duplicates/%lld",
        (long long)puan_fix_office(f, "SELECT id FROM dup WHERE kinds = 2"));
    one_decide = puan_arena_fmt(&f->a, "%s/decide", one_);
    two_decide = puan_arena_fmt(&f->a, "%s/decide", two_);
    sh = puan_store_shard_of_area(f->st, 111);
    puan_fix_serve(f, 2, 1);
    seat(clerk, f, "clerk", 111);
    seat(board, f, "board", 1);

    /* dropping the record that holds the registration is not offered */
    assert_int_equal(call(f, "GET", two_, clerk, NULL), 200);
    assert_true(says("{\"verdict\":1,\"keep\":1,\"offered\":false,"
                     "\"why\":\"registered\""));
    assert_true(says("{\"verdict\":2,\"keep\":2,\"offered\":true"));
    assert_int_equal(call(f, "POST", two_decide, clerk,
                          "{\"verdict\":1,\"reason\":\"查明\"}"),
                     400);

    assert_int_equal(call(f, "GET", one_, clerk, NULL), 200);
    basis = basis_now(f);
    assert_true(says("\"effects\":[{\"side\":1,\"resident\":true,"));
    assert_int_equal(
        call(f, "POST", one_decide, clerk,
             "{\"verdict\":1,\"basis\":\"0123456789abcdef\","
             "\"reason\":\"查明\"}"),
        409);
    assert_int_equal(call(f, "POST", one_decide, clerk,
                          "{\"verdict\":1}"),
                     400); /* no reason */
    assert_int_equal(
        call(f, "POST", one_decide, clerk,
             puan_arena_fmt(&f->a,
                            "{\"verdict\":1,\"basis\":\"%s\","
                            "\"reason\":\"甲处常住，乙处为重复\"}",
                            basis)),
        200);
    ok(puan_store_deliver(f->st, err));
    d = dropped(sh);
    assert_true(puan_dropped_has(d, 11102001, 2, 0));
    assert_false(puan_dropped_has(d, 11101001, 1, 0));
    puan_dropped_close(d);
    assert_int_equal(call(f, "GET", one_, clerk, NULL), 200);
    assert_true(says("\"seat\":\"clerk@111\",\"role_zh\":\"县\""));
    assert_true(says("\"on\":[{\"side\":0,\"version\":1},"
                     "{\"side\":1,\"version\":1}]"));

    /* answered anew: open again, and what was dropped counts */
    send(f, 11102001, 1, one, 1);
    assert_int_equal(call(f, "GET", one_, clerk, NULL), 200);
    assert_true(says("\"state\":\"open\""));
    assert_true(says("\"verdict\":0"));
    /* corrected so that nothing contradicts: gone */
    {
        struct person away[] = { { idn(f, 3), 1, 1, NULL } };

        send(f, 11102001, 2, away, 1);
    }
    assert_int_equal(call(f, "GET", "duplicates?area=111&page=1&state=gone",
                          clerk, NULL),
                     200);
    assert_true(says("\"gone\":1},\"total\":1"));
    assert_int_equal(call(f, "POST", one_decide, clerk,
                          "{\"verdict\":3,\"reason\":\"x\"}"),
                     409);

    /* both places are to be visited: two returns go back */
    assert_int_equal(call(f, "POST", two_decide, clerk,
                          "{\"verdict\":4,\"reason\":\"电话核不清\"}"),
                     200);
    ok(puan_store_deliver(f->st, err));
    assert_int_equal(puan_fix_int(sh, "SELECT count(*) FROM query WHERE state ="
                                      " 'open' AND household IN (11101002,"
                                      " 11102002)"),
                     2);
    /* passed up: no longer this office's, the office above decides */
    assert_int_equal(call(f, "POST", two_decide, clerk,
                          "{\"verdict\":5,\"reason\":\"两地各执一词\"}"),
                     200);
    assert_true(says("\"state\":\"passed\""));
    assert_int_equal(call(f, "POST", two_decide, clerk,
                          "{\"verdict\":2,\"reason\":\"x\"}"),
                     403);
    assert_int_equal(call(f, "POST", two_decide, board,
                          "{\"verdict\":2,\"reason\":\"实地查明\"}"),
                     200);
    assert_int_equal(call(f, "GET", "duplicates?area=111&page=1&state=decided",
                          clerk, NULL),
                     200);
    assert_true(says("\"decided\":1"));
    puan_fix_verify(f);
    puan_fix_end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_lives_apart_is_a_pair_also_across_counties),
        cmocka_unit_test(
            present_or_registered_twice_is_found_where_it_can_be_decided),
        cmocka_unit_test(
            a_second_search_finds_nothing_new_and_a_change_opens_again),
        cmocka_unit_test(a_malformed_number_identifies_nobody),
        cmocka_unit_test(
            a_dropped_record_counts_no_more_until_it_is_answered_anew),
        cmocka_unit_test(a_plain_comparison_finds_the_same),
        cmocka_unit_test(the_desk_shows_agreement_and_no_name),
        cmocka_unit_test(
            verdicts_reach_the_counts_the_field_and_the_office_above),
    };

    n_engines = puan_fix_engines(engines);
    return cmocka_run_group_tests_name("duplicates", tests, NULL, NULL);
}
