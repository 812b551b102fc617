/*
 * The coding desk over HTTP, on both engines: suggestions, texts brought and
 * coded by the machine, two coders apart from each other and a third between
 * them, and what may not be done.
 */
#include <stdlib.h>

#include "core/plan/plan.h"
#include "features/host/session.h"
#include "features/host/test_fixture.h"
#include "kit/os/os.h"

#define AREA 111

static const char *engines[2];
static size_t n_engines;
static struct puan_http_reply reply;

/* Every text that is not coded by machine is coded twice. */
static const char plan_yaml[] =
    "plan: zz-code\nversion: 1\nscope: campaign\nzh: 试\nen: Trial\n"
    "offset_minutes: 0\nreference_month: 2020-11\n"
    "reference_moment: 2020-11-01T00:00:00+00:00\n"
    "household_digits: 3\nshard_level: county\n"
    "levels:\n"
    "  - {id: nation, zh: 国, en: Nation, digits: 1}\n"
    "  - {id: county, zh: 县, en: County, digits: 3}\n"
    "  - {id: ea, zh: 小区, en: Area, digits: 5}\n"
    "roles:\n"
    "  data: {zh: 数, en: Data, levels: [county],"
    " can: [coding.load, coding.code]}\n"
    "  coder: {zh: 码, en: Coder, levels: [county], can: [coding.code]}\n"
    "  reader: {zh: 读, en: Reader, levels: [county], can: [return.view]}\n"
    "settings:\n"
    "  coding_double: {value: 100, zh: 双, en: Twice}\n"
    "  coding_sure: {value: 99, zh: 准, en: Sure}\n"
    "forms: [mini]\n"
    "windows:\n"
    "  w: {zh: 登记, en: Count, from: 2020-01-01, until: 2099-01-01,"
    " forms: [mini]}\n";
static const char form_yaml[] =
    "form: mini\nversion: 1\nzh: 表\nen: Form\n"
    "entities:\n"
    "  household:\n    zh: 户\n    en: Household\n    items:\n"
    "      n: {type: int, min: 0, max: 99, zh: 数, en: Number}\n";
static const char industry[] =
    "A 农业\n01 农业\n0111 稻谷种植 | 水稻\n0112 小麦种植 | 小麦\n"
    "F 批发和零售业\n52 零售业\n5223 果品零售 | 水果 苹果\n"
    "5224 肉零售 | 猪肉\n";
static const char words[] = "vague 打工\nrole grow 种\nrole retail 卖 零售\n"
                            "with 01 grow\nwith 52 retail\n";

static void put(struct puan_fix *f, const char *pack, const char *name,
                const char *text)
{
    ok(puan_file_write(puan_arena_fmt(&f->a, "%s/%s", pack, name),
                       puan_str_of(text), 0644, err));
}

static struct puan_fix *make(const char *url)
{
    struct puan_fix *f = puan_fix_begin(url);
    const char *pack = puan_arena_fmt(&f->a, "%s/zz-code", f->root);

    ok(puan_dir_make(puan_arena_fmt(&f->a, "%s/forms", pack), err));
    ok(puan_dir_make(puan_arena_fmt(&f->a, "%s/coding", pack), err));
    put(f, pack, "plan.yaml", plan_yaml);
    put(f, pack, "forms/mini.yaml", form_yaml);
    put(f, pack, "coding/industry.txt", industry);
    put(f, pack, "coding/words.txt", words);
    puan_fix_create(f, "demo", pack, "sm");
    puan_fix_open(f);
    puan_fix_import(f, PUAN_IMPORT_AREAS,
                    "code,parent,level,name_zh,name_en\n"
                    "1,,nation,a,A\n111,1,county,b,B\n112,1,county,c,C\n");
    puan_fix_serve(f, 2, 1);
    return f;
}

static void seat(char token[PUAN_TOKEN_TEXT], struct puan_fix *f,
                 const char *role, const char *name, int64_t area)
{
    struct puan_who who = { .credential = PUAN_CRED_HUMAN,
                            .account = name[1],
                            .seat = 1,
                            .area = area };

    puan_format(who.name, sizeof(who.name), "%s", name);
    puan_format(token, PUAN_TOKEN_TEXT, "%s", puan_fix_session(f, who, role));
}

static unsigned call(struct puan_fix *f, const char *method, const char *path,
                     const char *token, const char *body)
{
    struct puan_http_call c = { .method = method, .token = token };
    const char *full =
        puan_arena_fmt(&f->a, "/api/v1/c/zz-code/coding/%s", path);

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

static void suggestions_come_as_one_types(struct puan_fix *f)
{
    char coder[PUAN_TOKEN_TEXT], reader[PUAN_TOKEN_TEXT];

    seat(coder, f, "coder", "c1", AREA);
    seat(reader, f, "reader", "r1", AREA);
    /* 卖苹果 */
    assert_int_equal(
        call(f, "GET", "suggest?of=industry&text=%E5%8D%96%E8%8B%B9%E6%9E%9C",
             coder, NULL),
        200);
    assert_true(says("\"state\":\"coded\",\"items\":[{\"code\":\"5223\""));
    assert_true(says("\"like\":\"苹果\""));
    assert_true(says("\"within\":[\"零售业\",\"批发和零售业\"]"));
    assert_int_equal(call(f, "GET", "suggest?of=industry&text=", coder, NULL),
                     200);
    assert_true(says("\"state\":\"empty\""));
    assert_int_equal(call(f, "GET", "suggest?of=trade&text=x", coder, NULL),
                     400);
    assert_int_equal(
        call(f, "GET", "suggest?of=occupation&text=x", coder, NULL), 404);
    assert_int_equal(call(f, "GET", "suggest?of=industry&text=x", reader, NULL),
                     403);
}

static void texts_are_brought_once_and_the_surest_coded(struct puan_fix *f)
{
    char data[PUAN_TOKEN_TEXT], coder[PUAN_TOKEN_TEXT];

    seat(data, f, "data", "d1", AREA);
    seat(coder, f, "coder", "c1", AREA);
    assert_int_equal(call(f, "POST", "texts?of=industry", coder, "text\nx\n"),
                     403);
    assert_int_equal(call(f, "POST", "texts?of=industry", data,
                          "text,times\n卖水果,3\n打工,2\n果,5\n\"麦\",1\n"),
                     200);
    assert_true(says("\"rows\":4,\"added\":4,\"merged\":0"));
    if (!says("\"machine\":1,\"vague\":1"))
        fail_msg("%.*s", (int)reply.body.n, reply.body.p);
    assert_int_equal(
        call(f, "POST", "texts?of=industry", data, "text,times\n果,2\n"), 200);
    assert_true(says("\"added\":0,\"merged\":1"));
    assert_int_equal(
        call(f, "POST", "texts?of=industry", data, "text,times\n果,none\n"),
        400);
    assert_int_equal(call(f, "GET", "texts?of=industry", data, NULL), 200);
    assert_true(says("\"times\":7"));
    assert_true(says("\"state\":\"machine\",\"code\":\"5223\""));
}

static int64_t id_of_next(struct puan_fix *f, const char *token)
{
    struct puan_node *n = NULL;
    int64_t id = 0;

    assert_int_equal(call(f, "GET", "next?of=industry", token, NULL), 200);
    ok(puan_json_tree(
        &n,
        (struct puan_str){ puan_arena_dup(&f->a, reply.body), reply.body.n },
        "reply", &f->a, err));
    if (puan_node_get(n, "text")->kind == PUAN_NODE_MAP)
        ok(puan_node_int(&id, puan_node_get(n, "text"), "id", 1, 1000000, err));
    return id;
}

static unsigned choose(struct puan_fix *f, const char *token, int64_t id,
                       const char *code)
{
    return call(f, "POST", "choose", token,
                puan_arena_fmt(&f->a,
                               *code ? "{\"id\":%lld,\"code\":\"%s\"}"
                                     : "{\"id\":%lld,\"vague\":true%s}",
                               (long long)id, code));
}

static void two_code_apart_and_a_third_decides(struct puan_fix *f)
{
    char c1[PUAN_TOKEN_TEXT], c2[PUAN_TOKEN_TEXT], c3[PUAN_TOKEN_TEXT],
        away[PUAN_TOKEN_TEXT];
    int64_t fruit, wheat;

    seat(c1, f, "coder", "c1", AREA);
    seat(c2, f, "coder", "c2", AREA);
    seat(c3, f, "coder", "c3", AREA);
    seat(away, f, "coder", "c4", 112);
    fruit = id_of_next(f, c1); /* 7 answers in doubt come first */
    assert_true(says("\"said\":[\"果\"]"));
    assert_true(says("\"second\":false"));
    assert_int_equal(choose(f, c1, fruit, "9999"), 400);
    assert_int_equal(choose(f, c1, fruit, "52"), 400);
    assert_int_equal(choose(f, away, fruit, "5223"), 404);
    assert_int_equal(choose(f, c1, fruit, "5223"), 200);
    assert_true(says("\"state\":\"second\""));
    wheat = id_of_next(f, c1); /* the first coder does not see it again */
    assert_true(wheat != fruit && says("\"said\":[\"麦\"]"));
    assert_int_equal(choose(f, c1, fruit, "5223"), 409);
    assert_int_equal(id_of_next(f, c2), fruit);
    assert_true(says("\"second\":true") && !says("\"by1\""));
    assert_int_equal(choose(f, c2, fruit, "0111"), 200);
    assert_true(says("\"state\":\"differs\""));
    assert_int_equal(choose(f, c2, fruit, "5223"), 409);
    assert_int_equal(id_of_next(f, c3), fruit);
    assert_true(says("\"differs\":true"));
    assert_int_equal(choose(f, c3, fruit, "5223"), 200);
    assert_true(says("\"state\":\"done\""));
    assert_int_equal(choose(f, c3, fruit, "5223"), 409);
    /* the two who find it too vague agree */
    assert_int_equal(choose(f, c1, wheat, ""), 200);
    assert_int_equal(choose(f, c2, wheat, ""), 200);
    assert_true(says("\"state\":\"vague\""));
    assert_int_equal(id_of_next(f, c3), 0);
    assert_int_equal(call(f, "GET", "coders?of=industry", c1, NULL), 200);
    assert_true(says("{\"coder\":\"c1\",\"coded\":2,\"twice\":2,\"alike\":1,"
                     "\"held\":1}"));
    assert_true(says("{\"coder\":\"c2\",\"coded\":2,\"twice\":2,\"alike\":1,"
                     "\"held\":0}"));
    assert_true(says("\"done\":1,\"vague\":2,\"machine\":1"));
    assert_true(puan_fix_verify(f) > 0);
}

static void the_desk_from_end_to_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_engines; i++) {
        struct puan_fix *f = make(engines[i]);

        suggestions_come_as_one_types(f);
        texts_are_brought_once_and_the_surest_coded(f);
        two_code_apart_and_a_third_decides(f);
        puan_fix_end(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_desk_from_end_to_end),
    };

    n_engines = puan_fix_engines(engines);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
