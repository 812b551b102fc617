/*
 * What ODK Collect does, request by request, and what it must be answered: the
 * codes are those its own server gives.
 */
#include "core/plan/plan.h"
#include "features/accounts/accounts.h"
#include "features/host/test_fixture.h"
#include "features/openrosa/internal.h"

#define OPENROSA "X-OpenRosa-Version: 1.0\r\n"
#define DEVICE "?deviceID=collect%%3AqXcn5r4DHbBuOfwd"
#define HOME "110010010001"
#define BOUNDARY "7e0f5a5f-1a5e-4f5c-9a3e-7f3e5d7a9b11"

static struct puan_fix *fix;
static struct puan_http_reply reply;
static const char *key; /* NAME.SECRET */
static char version[13]; /* of the form */

static unsigned call(const char *method, const char *path, const char *headers,
                     const char *type, struct puan_str body)
{
    struct puan_http_call c = { .method = method, .path = path,
                                .headers = headers, .content_type = type,
                                .body = body };

    ok(puan_http_call(&reply, fix->client, &c, err));
    return reply.status;
}

/* As Collect asks: below its address, with device and the 12-hour date. */
static unsigned ask(const char *method, const char *path)
{
    return call(method,
                puan_arena_fmt(&fix->a, "/odk/%s%s" DEVICE, key, path),
                "User-Agent: org.odk.collect.android/v2026.1 Dalvik/2.1.0\r\n"
                "Date: Fri, 02 4月 2021 03:30:00 GMT\r\n" OPENROSA,
                NULL, PUAN_STR(""));
}

static bool says(const char *text)
{
    return memmem(reply.body.p, reply.body.n, text, strlen(text)) != NULL;
}

static const char *instance(const char *id, const char *household,
                            const char *base, const char *rooms,
                            const char *more)
{
    return puan_arena_fmt(
        &fix->a,
        "<?xml version='1.0' ?><data id=\"household\" version=\"%s\""
        " xmlns:jr=\"http://openrosa.org/javarosa\">"
        "<puan_start>2021-04-02T10:00:00.000-03:30</puan_start>"
        "<puan_end>2021-04-02T10:10:00.00-03:30</puan_end>"
        "<puan_head><listed>1</listed><pick>%s</pick><household>%s"
        "</household><base>%s</base><signed>1</signed></puan_head>"
        "<household><members>1</members><dwelling>1</dwelling><rooms>%s"
        "</rooms><rent /><puan_unanswered/><puan_why><rooms/></puan_why>"
        "<puan_notes/></household>"
        "<member><full_name>Ann &amp; Zed</full_name><place>1</place>"
        "<sex>F</sex><born>1980-03-01</born><card></card><usual>1</usual>"
        "<tongue>01</tongue><school>2</school><job>baker</job>"
        "<puan_unanswered>card</puan_unanswered>"
        "<puan_why><card>refused</card></puan_why></member>"
        "<meta><instanceID>uuid:%s</instanceID>%s</meta></data>",
        version, household, household, base, rooms, id, more);
}

/* One POST; `more` are further parts, each begun by its own delimiter. */
static unsigned post(const char *xml, const char *more)
{
    const char *body = puan_arena_fmt(
        &fix->a,
        "--" BOUNDARY "\r\nContent-Disposition: form-data; "
        "name=\"xml_submission_file\"; filename=\"i.xml\"\r\n"
        "Content-Type: text/xml; charset=utf-8\r\nContent-Length: %zu\r\n"
        "\r\n%s\r\n%s--" BOUNDARY "--\r\n",
        strlen(xml), xml, more);

    return call("POST",
                puan_arena_fmt(&fix->a, "/odk/%s/submission" DEVICE, key),
                OPENROSA, "multipart/form-data; boundary=" BOUNDARY,
                puan_str_of(body));
}

#define FILE_PART(name, content)                                               \
    "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"" name           \
    "\"; filename=\"" name "\"\r\nContent-Type: image/jpeg\r\n\r\n" content    \
    "\r\n"
#define INCOMPLETE                                                             \
    "--" BOUNDARY "\r\nContent-Disposition: form-data; "                       \
    "name=\"*isIncomplete*\"\r\n\r\nyes\r\n"

static void security(char token[PUAN_TOKEN_TEXT])
{
    const struct puan_plan *plan = puan_store_plan(fix->st);
    struct puan_who who = { .credential = PUAN_CRED_HUMAN, .account = 1,
                            .seat = 1, .role = -1 };
    int64_t now = puan_real_now();

    for (size_t i = 0; i < plan->n_roles; i++)
        for (size_t k = 0; k < plan->role[i].n_can; k++)
            if (puan_str_is(plan->role[i].can[k], "credential.issue"))
                who.role = (int32_t)i;
    assert_true(who.role >= 0);
    who.factor_ms = now;
    puan_format(who.name, sizeof(who.name), "sec");
    puan_format(who.seat_text, sizeof(who.seat_text), "sec");
    ok(puan_session_open(token, puan_host_sessions(fix->host), &who, now,
                         1000000, now + 1000000, err));
}

static void office(const char *path, const char *body, unsigned status)
{
    char token[PUAN_TOKEN_TEXT];
    struct puan_http_call c = {
        .method = "POST",
        .path = puan_arena_fmt(&fix->a, "/api/v1/c/zz-test%s", path),
        .token = token,
        .body = puan_str_of(body),
    };

    security(token);
    ok(puan_http_call(&reply, fix->client, &c, err));
    if (reply.status != status)
        fail_msg("%s: %u %.*s", path, reply.status, PUAN_FMT(reply.body));
}

static int set_up(void **state)
{
    const struct puan_plan *plan;
    struct puan_str line, rest;

    (void)state;
    fix = puan_fix_canton(NULL);
    plan = puan_store_plan(fix->st);
    for (size_t i = 0; i < plan->n_forms; i++)
        if (puan_str_is(plan->form[i]->id, "household"))
            odk_version(version, plan, plan->form[i]);
    puan_fix_serve(fix, 2, 1);
    office("/credentials",
           "{\"kind\":\"device\",\"role\":\"enumerator\",\"list\":["
           "{\"name\":\"s-1\",\"area\":\"11001001\"}]}",
           201);
    rest = reply.body;
    puan_str_split(&line, &rest, '\n');
    puan_str_split(&line, &rest, '\n');
    assert_true(puan_str_starts(line, "s-1,"));
    key = puan_arena_fmt(&fix->a, "s-1.%.*s", PUAN_DEVICE_SECRET, line.p + 4);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    puan_fix_end(fix);
    return 0;
}

static void forms_are_listed_and_fetched(void **state)
{
    const char *tag;

    (void)state;
    assert_int_equal(ask("GET", "/formList"), 200);
    assert_true(puan_str_is(puan_http_reply_header(&reply, "Content-Type"),
                            "text/xml; charset=utf-8"));
    assert_true(puan_str_is(
        puan_http_reply_header(&reply, "X-OpenRosa-Version"), "1.0"));
    assert_true(says("<formID>household</formID>"));
    assert_true(says("<hash>md5:"));
    assert_true(says("<downloadUrl>http://127.0.0.1:"));
    assert_int_equal(ask("GET", "/forms/household"), 200);
    assert_true(says("<data id=\"household\""));
    tag = puan_arena_dup(&fix->a, puan_http_reply_header(&reply, "ETag"));
    assert_int_equal(
        call("GET",
             puan_arena_fmt(&fix->a, "/odk/%s/forms/household" DEVICE, key),
             puan_arena_fmt(&fix->a, OPENROSA "If-None-Match: %s\r\n", tag),
             NULL, PUAN_STR("")),
        304);
    assert_int_equal(ask("GET", "/forms/nothing"), 404);
    assert_int_equal(ask("GET", "/forms/household/manifest"), 200);
    assert_true(says("<mediaFile type=\"entityList\">"));
    assert_true(says("<filename>households.csv</filename>"));
}

/* Only one's own households, and no name. */
static void the_list_is_ones_own(void **state)
{
    (void)state;
    assert_int_equal(ask("GET", "/households.csv"), 200);
    assert_true(says("name,label,__version,base"));
    assert_true(says("\n" HOME ","));
    assert_true(says("\n110010010002,"));
    assert_false(says("110020010001"));
    assert_false(says("Ann"));
    assert_int_equal(
        call("GET",
             puan_arena_fmt(&fix->a,
                            "/odk/%s/integrity?id=" HOME ",110020010001,x",
                            key),
             OPENROSA, NULL, PUAN_STR("")),
        200);
    assert_true(says("id=\"" HOME "\"><deleted>false"));
    assert_true(says("id=\"110020010001\"><deleted>true"));
    assert_true(says("id=\"x\"><deleted>true"));
}

static void who_may_not(void **state)
{
    const char *good = key;

    (void)state;
    assert_int_equal(call("GET", puan_arena_fmt(&fix->a, "/odk/%s/formList",
                                                good),
                          NULL, NULL, PUAN_STR("")),
                     400); /* no version */
    key = "s-1.AAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert_int_equal(ask("GET", "/formList"), 401);
    assert_int_equal(ask("HEAD", "/submission"), 401);
    assert_int_equal(post(instance("x", HOME, "0", "3", ""), ""), 401);
    key = "nobody";
    assert_int_equal(ask("GET", "/households.csv"), 401);
    assert_false(says(HOME));
    key = good;
    /* one household's, not another area's */
    assert_int_equal(post(instance("f", "110020010001", "0", "3", ""), ""),
                     403);
    assert_true(says("<message nature=\"error\">"));
}

static void a_return_is_taken_once(void **state)
{
    (void)state;
    assert_int_equal(ask("HEAD", "/submission"), 204);
    assert_true(puan_http_reply_header(&reply,
                                       "X-OpenRosa-Accept-Content-Length")
                    .n > 0);
    assert_true(puan_str_is(
        puan_http_reply_header(&reply, "X-OpenRosa-Version"), "1.0"));
    assert_int_equal(post(instance("1", HOME, "0", "3", ""), ""), 201);
    assert_true(says("http://openrosa.org/http/response"));
    assert_true(says("已收到，第1版"));
    /* the same again, and the same id with other answers */
    assert_int_equal(post(instance("1", HOME, "0", "3", ""), ""), 201);
    assert_true(says("第1版"));
    assert_int_equal(post(instance("1", HOME, "0", "4", ""), ""), 409);
    /* another form filled in for the same household, knowing nothing of it */
    assert_int_equal(post(instance("2", HOME, "0", "5", ""), ""), 409);
    /* knowing the version on the list */
    assert_int_equal(post(instance("3", HOME, "1", "5", ""), ""), 201);
    assert_true(says("第2版"));
    /* an edit of what is no longer the last, then of the last */
    assert_int_equal(
        post(instance("4", HOME, "0", "6",
                      "<deprecatedID>uuid:1</deprecatedID>"),
             ""),
        409);
    assert_int_equal(
        post(instance("5", HOME, "0", "6",
                      "<deprecatedID>uuid:3</deprecatedID>"),
             ""),
        201);
    assert_true(says("第3版"));
    assert_int_equal(puan_fix_int(puan_store_shard(fix->st, 1),
                                  "SELECT COUNT(*) FROM ret"),
                     3);
}

/* The web form's document of the same answers is a repetition of it. */
static void it_says_what_the_web_form_says(void **state)
{
    struct puan_sender who = { .actor = PUAN_STR("s-1"),
                               .seat = PUAN_STR("x"),
                               .area = 11001001 };
    struct puan_receipt r;

    (void)state;
    assert_int_equal(post(instance("w", "110010010002", "0", "200", ""), ""),
                     201);
    r = puan_fix_submit(
        fix, &who,
        PUAN_STR("{\"form\":\"household\",\"household\":\"110010010002\","
                 "\"base\":0,\"device\":\"s-1\",\"counter\":"
                 /* first 48 bits of SHA-256 of "uuid:w" */
                 "241505393795639,\"mode\":\"enumerator\","
                 "\"started\":\"2021-04-02T10:00:00-03:30\","
                 "\"finished\":\"2021-04-02T10:10:00-03:30\",\"signed\":true,"
                 "\"answers\":{\"members\":1,\"dwelling\":1,\"rooms\":200},"
                 "\"member\":[{\"full_name\":\"Ann & Zed\",\"place\":1,"
                 "\"sex\":\"F\",\"born\":\"1980-03\","
                 "\"card\":{\"missing\":\"refused\"},\"usual\":1,"
                 "\"tongue\":\"01\",\"school\":2,\"job\":\"baker\"}]}"));
    assert_int_equal(r.outcome, PUAN_SUBMIT_REPEATED);
    assert_true(r.edits.n > 0); /* 200 rooms are none */
}

static void what_is_malformed(void **state)
{
    const char *path = puan_arena_fmt(&fix->a, "/odk/%s/submission", key);

    (void)state;
    assert_int_equal(call("POST", path, OPENROSA, "text/xml",
                          PUAN_STR("<data/>")),
                     400);
    assert_int_equal(call("POST", path, OPENROSA,
                          "multipart/form-data; boundary=x",
                          PUAN_STR("--x--")),
                     400);
    assert_int_equal(post("<data", ""), 400);
    assert_int_equal(post("<!DOCTYPE d><data id='household'/>", ""), 400);
    assert_int_equal(post(puan_arena_fmt(&fix->a,
                                         "<data id='household' version='%s'/>",
                                         version),
                          ""),
                     400);
    assert_int_equal(post("<data id='household' version='2019'><meta>"
                          "<instanceID>uuid:7</instanceID></meta></data>",
                          ""),
                     404);
    assert_true(says("fetch it again"));
    assert_int_equal(
        post("<data id='no'><meta><instanceID>uuid:9</instanceID></meta>"
             "</data>",
             ""),
        404);
    /* an item the form does not have: kept apart, and the worker is told */
    assert_int_equal(
        post(puan_arena_fmt(
                 &fix->a,
                 "<data id='household' version='%s'><puan_head><household>" HOME
                 "</household></puan_head><household><zzz>1</zzz></household>"
                 "<meta><instanceID>uuid:8</instanceID></meta></data>",
                 version),
             ""),
        400);
    assert_true(says("zzz"));
}

/* Files come in several requests, each with the XML again. */
static void files_come_in_pieces(void **state)
{
    const char *xml = instance("9", HOME, "3", "7", "");
    struct puan_shard *sh = puan_store_shard(fix->st, 1);

    (void)state;
    assert_int_equal(post(xml, FILE_PART("a.jpg", "aaa") INCOMPLETE), 201);
    assert_int_equal(post(xml, FILE_PART("a.jpg", "aaa") INCOMPLETE), 201);
    assert_int_equal(post(xml, FILE_PART("b.jpg", "bb")), 201);
    assert_int_equal(puan_fix_int(sh, "SELECT COUNT(*) FROM odk_file"), 2);
    assert_int_equal(puan_fix_int(sh, "SELECT SUM(size) FROM odk_file"), 5);
    assert_true(puan_fix_verify(fix) > 0);
}

static void the_time_is_over(void **state)
{
    (void)state;
    puan_fix_clock(fix, "2021-07-02T12:00:00-03:30");
    assert_int_equal(post(instance("late", HOME, "4", "3", ""), ""), 409);
    assert_true(says("不在登记时间内"));
    puan_fix_clock(fix, "2021-04-02T12:00:00-03:30");
}

static void an_ended_credential_opens_nothing(void **state)
{
    (void)state;
    office("/credentials/end",
           "{\"kind\":\"device\",\"name\":\"s-1\",\"reason\":\"lost\"}", 204);
    assert_int_equal(ask("GET", "/formList"), 401);
    assert_int_equal(ask("GET", "/households.csv"), 401);
}

/* What the QR code holds, as another program would open it. */
static void a_client_is_set_up_by_a_code(void **state)
{
    struct puan_str text = odk_settings("https://h/odk/s-1.AB", "普安", &fix->a);

    (void)state;
    assert_int_equal(text.n % 4, 0);
    /* 78 01, one stored block: "eAEB" and its length */
    assert_true(puan_str_starts(text, "eAEB"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_are_listed_and_fetched),
        cmocka_unit_test(the_list_is_ones_own),
        cmocka_unit_test(who_may_not),
        cmocka_unit_test(a_return_is_taken_once),
        cmocka_unit_test(it_says_what_the_web_form_says),
        cmocka_unit_test(what_is_malformed),
        cmocka_unit_test(files_come_in_pieces),
        cmocka_unit_test(the_time_is_over),
        cmocka_unit_test(a_client_is_set_up_by_a_code),
        cmocka_unit_test(an_ended_credential_opens_nothing),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
