/*
 * Accounts from the outside: a directory is made and served, and everything
 * goes over HTTP as people and devices would do it.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "features/accounts/accounts.h"
#include "features/cases/cases.h"
#include "features/host/session.h"
#include "features/host/test_fixture.h"
#include "kit/crypto/crypto.h"
#include "kit/os/os.h"

#define BASE "/api/v1/c/host-test"

static struct puan_fix *fix;
static const char *engine; /* NULL: SQLite */
static struct puan_http_reply reply;
static struct {
    char name[64], secret[64], totp[64];
} admin[3];

/* ---- set-up ------------------------------------------------------------------- */

static enum puan_status add_areas(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    (void)sh;
    (void)act;
    (void)arg;
    return puan_db_exec(
        db,
        "INSERT INTO area VALUES('11','','county','甲县','A','ordinary','','',"
        "'');"
        "INSERT INTO area VALUES('1101','11','township','一乡','B','ordinary',"
        "'','','');"
        "INSERT INTO area VALUES('1102','11','township','二乡','C','ordinary',"
        "'','','');"
        "INSERT INTO area VALUES('110101','1101','ea','一区','D','ordinary','',"
        "'','');"
        "INSERT INTO area VALUES('110201','1102','ea','二区','E','ordinary','',"
        "'','');",
        err);
}

static int first_run(const char *secrets)
{
    char *argv[6] = { NULL };
    char a0[] = "first-run", a2[] = "--secrets-file", a4[] = "--store";
    char a1[512], a3[512], a5[512];

    puan_format(a1, sizeof(a1), "%s", fix->dir);
    puan_format(a3, sizeof(a3), "%s", secrets);
    argv[0] = a0;
    argv[1] = a1;
    argv[2] = a2;
    argv[3] = a3;
    puan_format(a5, sizeof(a5), "%s", engine ? engine : "sqlite");
    argv[4] = a4;
    argv[5] = a5;
    return puan_feature_accounts.commands[0].run(6, argv);
}

static void open_all(const char *birth)
{
    const char *secrets;
    struct puan_str text, line;

    fix = puan_fix_begin(engine);
    secrets = puan_arena_fmt(&fix->a, "%s/secrets.csv", fix->root);
    fix->opt.kek_file = puan_arena_fmt(&fix->a, "%s/kek", fix->root);
    setenv("PUAN_KEK_FILE", fix->opt.kek_file, 1);
    puan_fix_create(fix, birth, "test/packs/host-test", "sm");
    assert_int_equal(first_run(secrets), PUAN_EXIT_DONE);
    assert_int_equal(
        first_run(puan_arena_fmt(&fix->a, "%s/again.csv", fix->root)),
        PUAN_EXIT_REFUSED);
    assert_int_equal(puan_file_read(&text, secrets, 0, &fix->a, NULL), PUAN_OK);
    puan_str_split(&line, &text, '\n');
    for (int i = 0; i < 3; i++) {
        struct puan_str f;

        puan_str_split(&line, &text, '\n');
        puan_str_split(&f, &line, ',');
        puan_format(admin[i].name, 64, "%.*s", PUAN_FMT(f));
        puan_str_split(&f, &line, ',');
        puan_str_split(&f, &line, ',');
        puan_format(admin[i].secret, 64, "%.*s", PUAN_FMT(f));
        puan_format(admin[i].totp, 64, "%.*s", PUAN_FMT(line));
    }
    puan_fix_open(fix);
    puan_fix_areas(fix, add_areas);
    puan_fix_serve(fix, 3, 2);
}

static int open_demo(void **state)
{
    (void)state;
    open_all("demo");
    return 0;
}

static int open_live(void **state)
{
    (void)state;
    open_all("live");
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    puan_fix_end(fix);
    return 0;
}

/* ---- calls -------------------------------------------------------------------- */

static unsigned call(const char *method, const char *path, const char *token,
                     const char *body)
{
    struct puan_err err = { 0 };
    struct puan_http_call c = { .method = method,
                                .path = puan_arena_fmt(&fix->a, BASE "%s", path),
                                .token = token,
                                .body = puan_str_of(body) };

    if (puan_http_call(&reply, fix->client, &c, &err) != PUAN_OK)
        fail_msg("%s %s: %s", method, path, err.text);
    return reply.status;
}

static const char *field(const char *name)
{
    struct puan_node *n;

    if (puan_json_tree(&n, reply.body, "reply", &fix->a, NULL) != PUAN_OK)
        fail_msg("no JSON: %.*s", PUAN_FMT(reply.body));
    return puan_arena_dup(&fix->a, puan_node_str_opt(n, name, ""));
}

static unsigned machine_login(const char *name, const char *secret)
{
    return call("POST", "/login/machine", NULL,
                puan_arena_fmt(&fix->a,
                               "{\"kind\":\"device\",\"name\":\"%s\","
                               "\"secret\":\"%.*s\"}",
                               name, PUAN_DEVICE_SECRET, secret));
}

static const char *code_now(const char *totp)
{
    uint8_t raw[40];
    int n = puan_unbase32(raw, sizeof(raw), puan_str_of(totp));

    assert_true(n > 0);
    return puan_arena_fmt(
        &fix->a, "%06u",
        puan_totp((struct puan_str){ (const char *)raw, (size_t)n },
                  puan_os_now_ms() / 1000, 6));
}

static unsigned login(const char *name, const char *secret, const char *totp)
{
    return call("POST", "/login", NULL,
                puan_arena_fmt(&fix->a,
                               "{\"name\":\"%s\",\"secret\":\"%s\",\"code\":"
                               "\"%s\"}",
                               name, secret, totp ? code_now(totp) : ""));
}

static const char *sign_in(const char *name, const char *secret,
                           const char *totp)
{
    unsigned s = login(name, secret, totp);

    if (s != 200)
        fail_msg("%s: %u %.*s", name, s, PUAN_FMT(reply.body));
    return field("token");
}

/* ---- a demo directory ----------------------------------------------------------- */

static void accounts_live_their_whole_life(void **state)
{
    const char *sys, *sec, *audit, *secret, *other, *tok, *line;
    struct puan_act clock = { .actor = PUAN_STR("test"),
                              .verb = PUAN_STR("clock.set") };
    struct puan_str rest, part;
    int64_t now;

    (void)state;
    /* the second factor is asked for, and a code works once */
    assert_int_equal(login(admin[0].name, admin[0].secret, NULL), 401);
    sys = sign_in(admin[0].name, admin[0].secret, admin[0].totp);
    assert_int_equal(login(admin[0].name, admin[0].secret, admin[0].totp), 401);
    sec = sign_in(admin[1].name, admin[1].secret, admin[1].totp);
    audit = sign_in(admin[2].name, admin[2].secret, admin[2].totp);

    /* the system administrator makes accounts, nobody else */
    assert_int_equal(call("POST", "/accounts", sec,
                          "{\"name\":\"zhang\",\"person\":\"001\"}"),
                     403);
    assert_int_equal(call("POST", "/accounts", audit,
                          "{\"name\":\"zhang\",\"person\":\"001\"}"),
                     403);
    assert_int_equal(call("POST", "/accounts", sys,
                          "{\"name\":\"zhang\",\"person\":\"001\"}"),
                     201);
    secret = field("secret");
    assert_int_equal(call("POST", "/accounts", sys,
                          "{\"name\":\"zhang\",\"person\":\"002\"}"),
                     409);
    assert_int_equal(call("POST", "/accounts", sys,
                          "{\"name\":\"z,x\",\"person\":\"002\"}"),
                     400);

    /* the security administrator gives seats, but none to himself */
    assert_int_equal(call("POST", "/seats", sys,
                          "{\"account\":\"zhang\",\"role\":\"township-office\","
                          "\"area\":\"1101\"}"),
                     403);
    assert_int_equal(
        call("POST", "/seats", sec,
             puan_arena_fmt(&fix->a,
                            "{\"account\":\"%s\",\"role\":\"county-office\","
                            "\"area\":\"11\"}",
                            admin[1].name)),
        409);
    /* an administrator holds no other role */
    assert_int_equal(
        call("POST", "/seats", sec,
             puan_arena_fmt(&fix->a,
                            "{\"account\":\"%s\",\"role\":\"county-office\","
                            "\"area\":\"11\"}",
                            admin[2].name)),
        409);
    assert_int_equal(
        call("POST", "/seats", sec,
             puan_arena_fmt(&fix->a,
                            "{\"account\":\"%s\",\"role\":\"system-admin\","
                            "\"area\":\"0\"}",
                            admin[2].name)),
        409);
    /* a role stands at its own levels, in areas that exist */
    assert_int_equal(call("POST", "/seats", sec,
                          "{\"account\":\"zhang\",\"role\":\"township-office\","
                          "\"area\":\"11\"}"),
                     400);
    assert_int_equal(call("POST", "/seats", sec,
                          "{\"account\":\"zhang\",\"role\":\"township-office\","
                          "\"area\":\"1199\"}"),
                     400);
    assert_int_equal(call("POST", "/seats", sec,
                          "{\"account\":\"zhang\",\"role\":\"enumerator\","
                          "\"area\":\"110101\"}"),
                     400);
    assert_int_equal(call("POST", "/seats", sec,
                          "{\"account\":\"zhang\",\"role\":\"township-office\","
                          "\"area\":\"1101\"}"),
                     201);
    assert_int_equal(call("POST", "/seats", sec,
                          "{\"account\":\"zhang\",\"role\":\"county-office\","
                          "\"area\":\"11\"}"),
                     409);

    /* he signs in without a second factor: his role asks for none */
    tok = sign_in("zhang", secret, NULL);
    assert_int_equal(call("GET", "/session", tok, ""), 200);
    assert_string_equal(field("role"), "township-office");
    assert_int_equal(call("GET", "/seats?area=1101", tok, ""), 200);
    assert_int_equal(call("GET", "/seats?area=1102", tok, ""), 403);
    assert_int_equal(call("GET", "/seats?area=11", tok, ""), 403);
    assert_int_equal(call("GET", "/accounts", tok, ""), 403);

    /* a signed-out token is worth nothing */
    assert_int_equal(call("POST", "/logout", tok, ""), 204);
    assert_int_equal(call("GET", "/session", tok, ""), 401);

    /* an ended seat ends its sessions at once */
    tok = sign_in("zhang", secret, NULL);
    assert_int_equal(call("POST", "/seats/4/end", sec,
                          "{\"handover\":\"to nobody, test over\"}"),
                     204);
    assert_int_equal(call("GET", "/session", tok, ""), 401);
    assert_int_equal(call("POST", "/seats/4/end", sec,
                          "{\"handover\":\"again\"}"),
                     409);
    assert_int_equal(call("POST", "/seats/99/end", sec,
                          "{\"handover\":\"again\"}"),
                     404);

    /* machine credentials: bulk, once, bound to area and household */
    assert_int_equal(
        call("POST", "/credentials", sec,
             "{\"kind\":\"device\",\"role\":\"enumerator\",\"list\":[{\"name\":"
             "\"e1\",\"area\":\"110101\",\"device\":\"d1\"},{\"name\":\"e2\","
             "\"area\":\"110201\"}]}"),
        201);
    rest = reply.body;
    puan_str_split(&part, &rest, '\n');
    puan_str_split(&part, &rest, '\n');
    line = puan_arena_dup(&fix->a, part);
    assert_true(strncmp(line, "e1,", 3) == 0);
    secret = puan_arena_dup(&fix->a,
                            (struct puan_str){ line + 3, PUAN_DEVICE_SECRET });
    assert_true(puan_str_starts(rest, "e2,"));
    other = puan_arena_dup(
        &fix->a, (struct puan_str){ rest.p + 3, PUAN_DEVICE_SECRET });
    assert_int_equal(
        call("POST", "/login/machine", NULL,
             puan_arena_fmt(&fix->a,
                            "{\"kind\":\"device\",\"name\":\"e1\",\"secret\":"
                            "\"%s\"}",
                            secret)),
        200);
    assert_string_equal(field("area"), "110101");
    tok = field("token");
    assert_int_equal(call("GET", "/session", tok, ""), 200);
    assert_int_equal(call("GET", "/accounts", tok, ""), 403);
    /* a new secret for a name ends what the old one opened, and no other's */
    assert_int_equal(machine_login("e2", other), 200);
    other = field("token");
    assert_int_equal(
        call("POST", "/credentials", sec,
             "{\"kind\":\"device\",\"role\":\"enumerator\",\"list\":[{\"name\":"
             "\"e1\",\"area\":\"110101\",\"device\":\"d2\"}]}"),
        201);
    assert_int_equal(call("GET", "/session", tok, ""), 401);
    assert_int_equal(call("GET", "/session", other, ""), 200);
    /* nor does a credential reach wider than its role */
    assert_int_equal(
        call("POST", "/credentials", sec,
             "{\"kind\":\"device\",\"role\":\"enumerator\",\"list\":[{\"name\":"
             "\"e9\",\"area\":\"11\"}]}"),
        400);
    /* a credential for a time is over with it, also for who is signed in */
    now = puan_store_now(fix->st);
    assert_int_equal(
        call("POST", "/credentials", sec,
             puan_arena_fmt(&fix->a,
                            "{\"kind\":\"device\",\"role\":\"enumerator\","
                            "\"until_ms\":%lld,\"list\":[{\"name\":\"e2\","
                            "\"area\":\"110201\"}]}",
                            (long long)now + 3600000)),
        201);
    rest = reply.body;
    puan_str_split(&part, &rest, '\n');
    assert_true(puan_str_starts(rest, "e2,"));
    assert_int_equal(
        machine_login("e2", puan_arena_dup(
                                &fix->a, (struct puan_str){
                                            rest.p + 3, PUAN_DEVICE_SECRET })),
        200);
    other = field("token");
    assert_int_equal(call("GET", "/session", other, ""), 200);
    assert_int_equal(
        puan_store_clock_set(fix->st, &clock, now + 7200000, 1000, NULL),
        PUAN_OK);
    assert_int_equal(call("GET", "/session", other, ""), 401);
    assert_string_equal(field("code"), "seat-over");
    assert_int_equal(
        call("POST", "/login/machine", NULL,
             puan_arena_fmt(&fix->a,
                            "{\"kind\":\"device\",\"name\":\"e2\",\"secret\":"
                            "\"%s\"}",
                            secret)),
        401);
    assert_int_equal(call("POST", "/credentials/end", sec,
                          "{\"kind\":\"device\",\"name\":\"e1\",\"reason\":"
                          "\"lost\"}"),
                     204);
    assert_int_equal(call("GET", "/session", tok, ""), 401);
    assert_int_equal(
        call("POST", "/login/machine", NULL,
             puan_arena_fmt(&fix->a,
                            "{\"kind\":\"device\",\"name\":\"e1\",\"secret\":"
                            "\"%s\"}",
                            secret)),
        401);
    assert_int_equal(
        call("POST", "/credentials", sec,
             "{\"kind\":\"household\",\"role\":\"household\",\"list\":["
             "110101001,110101002]}"),
        201);
    assert_int_equal(
        call("POST", "/credentials", sec,
             "{\"kind\":\"household\",\"role\":\"household\",\"list\":["
             "990101001]}"),
        400);
    assert_int_equal(
        call("POST", "/credentials", sec,
             "{\"kind\":\"household\",\"role\":\"enumerator\",\"list\":["
             "110101001]}"),
        400);

    /* a disabled account is out at once */
    assert_int_equal(call("POST", "/accounts/4/disable", sys,
                          "{\"reason\":\"left\"}"),
                     204);
    assert_int_equal(call("POST", "/accounts/1/disable", sys,
                          "{\"reason\":\"myself\"}"),
                     409);
    /* lists never show a secret */
    assert_int_equal(call("GET", "/accounts?limit=2", sys, ""), 200);
    assert_null(strstr(puan_arena_dup(&fix->a, reply.body), "argon2"));
    assert_string_equal(field("next"), "2");
}

static void guessing_locks_the_name(void **state)
{
    const char *sys = NULL, *secret;

    (void)state;
    /* The same step cannot be used twice: take the audit seat's session. */
    for (int i = 0; i < 65 && !sys; i++) {
        if (login(admin[0].name, admin[0].secret, admin[0].totp) == 200)
            sys = field("token");
        else
            break;
    }
    if (!sys) {
        struct puan_who who = { .credential = PUAN_CRED_HUMAN, .account = 1,
                                .seat = 1, .role = 0, .name = "t" };
        char token[PUAN_TOKEN_TEXT];

        assert_int_equal(puan_session_open(token, puan_host_sessions(fix->host),
                                           &who, puan_real_now(), 60000,
                                           puan_real_now() + 60000, NULL),
                         PUAN_OK);
        sys = puan_arena_dup(&fix->a, puan_str_of(token));
    }
    assert_int_equal(call("POST", "/accounts", sys,
                          "{\"name\":\"li-si\",\"person\":\"003\"}"),
                     201);
    secret = field("secret");
    sign_in("li-si", secret, NULL);
    for (int i = 0; i < 5; i++)
        assert_int_equal(login("li-si", "wrong-Secret-1", NULL), 401);
    assert_int_equal(login("li-si", secret, NULL), 429);
    assert_string_equal(field("code"), "locked");
    {
        int64_t s = 0;

        assert_true(puan_int_parse(
            &s, puan_http_reply_header(&reply, "Retry-After")));
        assert_in_range(s, 890, 901);
    }
    /* an unknown name is treated alike */
    for (int i = 0; i < 5; i++)
        assert_int_equal(login("nobody", "wrong-Secret-1", NULL), 401);
    assert_int_equal(login("nobody", "wrong-Secret-1", NULL), 429);
}

/* ---- households ------------------------------------------------------------------ */

static const char *security_token(void)
{
    struct puan_who who = { .credential = PUAN_CRED_HUMAN, .account = 2,
                            .seat = 2, .role = 1, .name = "t" };
    char token[PUAN_TOKEN_TEXT];

    ok(puan_session_open(token, puan_host_sessions(fix->host), &who,
                         puan_real_now(), 600000, puan_real_now() + 600000,
                         err));
    return puan_arena_dup(&fix->a, puan_str_of(token));
}

/* The code of one household, issued now. */
static const char *issue_code(const char *household)
{
    struct puan_str line, rest;

    assert_int_equal(
        call("POST", "/credentials", security_token(),
             puan_arena_fmt(&fix->a,
                            "{\"kind\":\"household\",\"role\":\"household\","
                            "\"list\":[%s]}",
                            household)),
        201);
    rest = reply.body;
    puan_str_split(&line, &rest, '\n');
    puan_str_split(&line, &rest, ',');
    puan_str_split(&line, &rest, ',');
    assert_int_equal(line.n, PUAN_HOUSEHOLD_SECRET);
    return puan_arena_dup(&fix->a, line);
}

static unsigned household_login(const char *code, const char *password)
{
    return call("POST", "/login/household", NULL,
                puan_arena_fmt(&fix->a, "{\"code\":\"%s\",\"password\":\"%s\"}",
                               code, password));
}

static unsigned set_password(const char *token, const char *old,
                             const char *password)
{
    return call("PUT", "/me/password", token,
                puan_arena_fmt(&fix->a,
                               "{\"old\":\"%s\",\"password\":\"%s\"}", old,
                               password));
}

static void three_faults_of_a_code_are_told_apart(void **state)
{
    const char *code = issue_code("110101001");
    char typed[32];

    (void)state;
    /* groups of four, small letters and blanks are the same code */
    puan_format(typed, sizeof(typed), "%.4s %.4s-%.4s %.4s", code, code + 4,
                code + 8, code + 12);
    for (char *c = typed; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    assert_int_equal(household_login(typed, ""), 200);
    assert_int_equal(household_login("  ", ""), 400);
    assert_string_equal(field("code"), "code-empty");
    assert_int_equal(household_login("ABCD", ""), 400);
    assert_string_equal(field("code"), "code-length");
    /* every single wrong character and every swap is seen */
    for (size_t i = 0; i < PUAN_HOUSEHOLD_SECRET; i++) {
        static const char letters[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

        puan_format(typed, sizeof(typed), "%s", code);
        for (size_t k = 0; letters[k]; k++) {
            if (letters[k] == code[i])
                continue;
            typed[i] = letters[k];
            if (k % 11 == i % 11) { /* over HTTP, some of them */
                assert_int_equal(household_login(typed, ""), 400);
                assert_string_equal(field("code"), "code-check");
            }
        }
        puan_format(typed, sizeof(typed), "%s", code);
        if (i && typed[i] != typed[i - 1]) {
            typed[i] = code[i - 1];
            typed[i - 1] = code[i];
            assert_int_equal(household_login(typed, ""), 400);
            assert_string_equal(field("code"), "code-check");
        }
    }
    /* well formed, but nobody's: all zeros of the code check */
    assert_int_equal(household_login("2222222222222222", ""), 401);
    assert_string_equal(field("code"), "code-unknown");
}

static void a_password_then_belongs_to_the_code(void **state)
{
    const char *code = issue_code("110101001"), *other, *token, *fresh;

    (void)state;
    assert_int_equal(household_login(code, ""), 200);
    token = field("token");
    assert_false(puan_household_protected(fix->st, 110101001));
    assert_int_equal(set_password(token, "", "12345"), 400);
    assert_string_equal(field("code"), "password-short");
    assert_int_equal(set_password(token, "", "654321"), 400);
    assert_string_equal(field("code"), "password-simple");
    /* six characters, not bytes */
    assert_int_equal(set_password(token, "", "早睡早"), 400);
    assert_int_equal(set_password(token, "", "早睡早起身体"), 200);
    fresh = field("token");
    assert_true(puan_household_protected(fix->st, 110101001));
    assert_int_equal(call("GET", "/session", token, ""), 401);
    assert_int_equal(call("GET", "/session", fresh, ""), 200);
    /* the code alone, by either door */
    assert_int_equal(household_login(code, ""), 403);
    assert_string_equal(field("code"), "password-needed");
    assert_int_equal(
        call("POST", "/login/machine", NULL,
             puan_arena_fmt(&fix->a,
                            "{\"kind\":\"household\",\"name\":\"110101001\","
                            "\"secret\":\"%s\"}",
                            code)),
        403);
    assert_int_equal(household_login(code, "早睡早起身体"), 200);
    /* changing it asks for the old one */
    token = field("token");
    assert_int_equal(set_password(token, "", "another one"), 403);
    assert_int_equal(set_password(token, "not this", "another one"), 401);
    assert_int_equal(set_password(token, "早睡早起身体", "another one"), 200);
    assert_int_equal(household_login(code, "早睡早起身体"), 401);
    assert_string_equal(field("code"), "password-wrong");
    /* it is there after a restart */
    puan_http_client_close(fix->client);
    puan_host_stop(fix->host);
    fix->client = NULL;
    fix->host = NULL;
    puan_fix_reopen(fix);
    puan_fix_serve(fix, 3, 2);
    assert_true(puan_household_protected(fix->st, 110101001));
    assert_int_equal(household_login(code, ""), 403);
    assert_int_equal(household_login(code, "another one"), 200);
    /* five wrong ones: it says for how long, and the right one waits, too */
    for (int i = 0; i < 4; i++)
        assert_int_equal(household_login(code, "wrong one"), 401);
    assert_int_equal(household_login(code, "wrong one"), 429);
    assert_string_equal(field("code"), "locked");
    assert_int_equal(household_login(code, "another one"), 429);
    assert_true(puan_http_reply_header(&reply, "Retry-After").n > 0);
    /* forgotten: a new code ends code and password */
    other = issue_code("110101001");
    assert_int_equal(household_login(code, "another one"), 401);
    assert_string_equal(field("code"), "code-unknown");
    assert_int_equal(household_login(other, ""), 200);
    assert_false(puan_household_protected(fix->st, 110101001));
}

static void a_live_code_opens_nothing_but_the_password(void **state)
{
    const char *code = issue_code("110101002"), *token;

    (void)state;
    assert_int_equal(household_login(code, ""), 200);
    token = field("token");
    assert_string_equal(field("must_change"), "true");
    assert_int_equal(call("POST", "/returns", token, "{}"), 403);
    assert_string_equal(field("code"), "first-secret");
    assert_int_equal(set_password(token, "", "a long one"), 200);
    token = field("token");
    assert_int_equal(call("GET", "/session", token, ""), 200);
    assert_string_equal(field("must_change"), "false");
}

/* admin[1] at its seat, with a session whose factor is that old. */
static const char *seated(int64_t factor_ms, int64_t idle_ms)
{
    struct puan_who who = { .credential = PUAN_CRED_HUMAN, .account = 2,
                            .seat = 2, .role = -1, .factor_ms = factor_ms };
    char token[PUAN_TOKEN_TEXT];
    const struct puan_plan *plan = puan_store_plan(fix->st);

    for (size_t r = 0; r < plan->n_roles; r++)
        if (puan_str_is(plan->role[r].id, "security-admin"))
            who.role = (int32_t)r;
    puan_format(who.name, sizeof(who.name), "%s", admin[1].name);
    puan_format(who.role_name, sizeof(who.role_name), "security-admin");
    assert_int_equal(puan_session_open(token, puan_host_sessions(fix->host),
                                       &who, puan_real_now(), idle_ms,
                                       puan_real_now() + 600000, NULL),
                     PUAN_OK);
    return puan_arena_dup(&fix->a, puan_str_of(token));
}

static int64_t number(const char *name)
{
    int64_t v = -1;

    assert_true(puan_int_parse(&v, puan_str_of(field(name))));
    return v;
}

static void a_session_tells_what_it_is(void **state)
{
    const char *tok = seated(puan_real_now(), 600000);

    (void)state;
    assert_int_equal(call("GET", "/session", tok, ""), 200);
    assert_string_equal(field("role"), "security-admin");
    assert_string_equal(field("role_zh"), "安全管理员");
    /* an administrator of the whole installation stands at its top */
    assert_string_equal(field("area"), "11");
    assert_string_equal(field("area_zh"), "甲县");
    assert_string_equal(field("level"), "county");
    assert_string_equal(field("birth"), "demo");
    assert_int_equal(number("idle_ms"), 600000);
    assert_true(number("idle_left_ms") > 590000);
    assert_true(number("factor_left_ms") > 290000);
    assert_non_null(strstr(puan_arena_dup(&fix->a, reply.body),
                           "\"seats\":[{\"seat\":2,\"role\":"
                           "\"security-admin\",\"role_zh\":"));
}

static void looking_is_no_use_of_a_session(void **state)
{
    const char *tok = seated(0, 600);
    struct puan_http_call c = { .method = "GET", .path = BASE "/seats",
                                .token = tok,
                                .headers = "Puan-Unattended: 1\r\n" };
    int64_t began = puan_os_mono_ns();
    bool peeked = true, asked = true;

    (void)state;
    /* neither a peek nor what a page asks by itself keeps it alive */
    while (peeked && asked) {
        if (puan_os_mono_ns() - began > INT64_C(5000000000))
            fail_msg("the session does not end");
        peeked = call("GET", "/session?peek=true", tok, "") == 200;
        assert_int_equal(puan_http_call(&reply, fix->client, &c, NULL),
                         PUAN_OK);
        asked = reply.status == 200;
        usleep(50000);
    }
    assert_true(puan_os_mono_ns() - began >= INT64_C(500000000));
    /* a use does */
    tok = seated(0, 900);
    began = puan_os_mono_ns();
    while (puan_os_mono_ns() - began < INT64_C(1500000000)) {
        assert_int_equal(call("GET", "/session", tok, ""), 200);
        usleep(100000);
    }
}

static void an_old_factor_is_asked_for_again(void **state)
{
    static const char grant[] = "{\"account\":\"nobody-yet\",\"role\":"
                                "\"county-office\",\"area\":\"11\"}";
    const char *tok = seated(puan_real_now() - 301000, 600000);
    unsigned status = 0;

    (void)state;
    assert_int_equal(call("POST", "/seats", tok, grant), 403);
    assert_string_equal(field("code"), "second-factor");
    assert_int_equal(call("POST", "/seats/99/end", tok,
                          "{\"handover\":\"none\"}"),
                     404);
    assert_int_equal(call("POST", "/session/factor", tok,
                          "{\"code\":\"abcdef\"}"),
                     403);
    assert_string_equal(field("code"), "code-wrong");
    /* the step of now was used to sign in; the next one is taken early */
    for (int step = 0; step < 2 && status != 204; step++) {
        uint8_t raw[40];
        int n = puan_unbase32(raw, sizeof(raw), puan_str_of(admin[1].totp));

        status = call(
            "POST", "/session/factor", tok,
            puan_arena_fmt(
                &fix->a, "{\"code\":\"%06u\"}",
                puan_totp((struct puan_str){ (const char *)raw, (size_t)n },
                          puan_os_now_ms() / 1000 + 30 * step, 6)));
    }
    assert_int_equal(status, 204);
    assert_int_equal(call("POST", "/seats", tok, grant), 404);
    assert_int_equal(call("GET", "/session", tok, ""), 200);
    assert_true(number("factor_left_ms") > 0);
}

static void the_roster_says_who_sits_where(void **state)
{
    const char *tok = seated(puan_real_now(), 600000), *body;

    (void)state;
    assert_int_equal(call("GET", "/people", tok, ""), 200);
    body = puan_arena_dup(&fix->a, reply.body);
    assert_non_null(strstr(body, "{\"kind\":\"security\",\"role\":"
                                 "\"security-admin\",\"role_zh\":"
                                 "\"安全管理员\""));
    assert_true(number("total") >= 3);
    assert_int_equal(call("GET", "/people?role=audit-admin", tok, ""), 200);
    assert_int_equal(number("total"), 1);
    assert_int_equal(call("GET", "/people?q=NOBODY-OF-THIS-NAME", tok, ""),
                     200);
    assert_int_equal(number("total"), 0);
    assert_int_equal(call("GET", "/people?limit=1&offset=1&sort=-account", tok,
                          ""),
                     200);
    assert_true(number("total") >= 3);
    assert_int_equal(call("GET", "/people/accounts?state=active", tok, ""),
                     200);
    assert_true(number("total") >= 3);
    assert_int_equal(call("GET", "/roles", tok, ""), 200);
    body = puan_arena_dup(&fix->a, reply.body);
    assert_non_null(strstr(body, "\"role\":\"county-office\""));
    assert_null(strstr(body, "\"role\":\"enumerator\""));
    /* two powers in one hand, one's own hand, by name of the reason */
    assert_int_equal(
        call("POST", "/seats", tok,
             puan_arena_fmt(&fix->a,
                            "{\"account\":\"%s\",\"role\":\"county-office\","
                            "\"area\":\"11\"}",
                            admin[0].name)),
        409);
    assert_string_equal(field("where"), "two-powers");
    assert_int_equal(
        call("POST", "/seats", tok,
             puan_arena_fmt(&fix->a,
                            "{\"account\":\"%s\",\"role\":\"county-office\","
                            "\"area\":\"11\"}",
                            admin[1].name)),
        409);
    assert_string_equal(field("where"), "account-own");
}

static void machine_names_lock_too(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(call("POST", "/login/machine", NULL,
                              "{\"kind\":\"household\",\"name\":\"110101001\","
                              "\"secret\":\"AAAAAAAAAAAAAAAA\"}"),
                         401);
    assert_int_equal(call("POST", "/login/machine", NULL,
                          "{\"kind\":\"household\",\"name\":\"110101001\","
                          "\"secret\":\"AAAAAAAAAAAAAAAA\"}"),
                     429);
    /* a stranger who tries many names shuts nobody at his address out */
    for (int i = 0; i < 100; i++)
        assert_int_equal(machine_login(puan_arena_fmt(&fix->a, "nobody%d", i),
                                       "AAAAAAAAAAAAAAAAAAAAAAAAAA"),
                         401);
    assert_int_equal(login("somebody", "wrong-Secret-1", NULL), 401);
}

static void a_hundred_thousand_credentials_take_seconds(void **state)
{
    const size_t n = 100000;
    struct puan_out o;
    struct puan_who who = { .credential = PUAN_CRED_HUMAN, .account = 2,
                            .seat = 2, .role = 1, .name = "t" };
    char token[PUAN_TOKEN_TEXT];
    int64_t began = puan_os_mono_ns();

    (void)state;
    assert_int_equal(puan_session_open(token, puan_host_sessions(fix->host), &who,
                                       puan_real_now(), 60000,
                                       puan_real_now() + 60000, NULL),
                     PUAN_OK);
    puan_out_init(&o, &fix->a);
    puan_out_text(&o, "{\"kind\":\"device\",\"role\":\"enumerator\",\"list\":[");
    for (size_t i = 0; i < n; i++)
        puan_out_fmt(&o, "%s{\"name\":\"x%zu\",\"area\":\"110101\"}",
                     i ? "," : "", i);
    puan_out_text(&o, "]}");
    assert_int_equal(call("POST", "/credentials", token, o.p), 201);
    assert_true(puan_os_mono_ns() - began < INT64_C(20000000000));
}

/* ---- a live directory ------------------------------------------------------------- */

static void a_first_secret_is_changed_before_anything_else(void **state)
{
    const char *tok;
    struct puan_err err = { 0 };

    (void)state;
    tok = sign_in(admin[0].name, admin[0].secret, admin[0].totp);
    assert_string_equal(field("must_change"), "true");
    assert_int_equal(call("GET", "/accounts", tok, ""), 403);
    assert_string_equal(field("code"), "first-secret");
    assert_int_equal(call("GET", "/session", tok, ""), 200);
    assert_int_equal(
        call("PUT", "/password", tok,
             puan_arena_fmt(&fix->a, "{\"old\":\"%s\",\"new\":\"short1A\"}",
                            admin[0].secret)),
        400);
    assert_int_equal(
        call("PUT", "/password", tok,
             puan_arena_fmt(&fix->a, "{\"old\":\"%s\",\"new\":\"%s\"}",
                            admin[0].secret, admin[0].secret)),
        400);
    assert_int_equal(call("PUT", "/password", tok,
                          "{\"old\":\"no\",\"new\":\"Xy-77-county-oak\"}"),
                     401);
    assert_int_equal(
        call("PUT", "/password", tok,
             puan_arena_fmt(&fix->a,
                            "{\"old\":\"%s\",\"new\":\"Xy-77-county-oak\"}",
                            admin[0].secret)),
        204);
    assert_int_equal(call("GET", "/session", tok, ""), 401);

    assert_int_equal(puan_password_rules(PUAN_STR("Abcdefg1"),
                                         PUAN_STR("zhang"), false, NULL),
                     PUAN_OK);
    assert_int_equal(puan_password_rules(PUAN_STR("Abcdefg1"),
                                         PUAN_STR("zhang"), true, NULL),
                     PUAN_EINVAL);
    assert_int_equal(puan_password_rules(PUAN_STR("abcdefg1"),
                                         PUAN_STR("zhang"), false, NULL),
                     PUAN_EINVAL);
    assert_int_equal(puan_password_rules(PUAN_STR("xZhang-12345"),
                                         PUAN_STR("zhang"), false, &err),
                     PUAN_EINVAL);
    assert_int_equal(puan_password_rules(PUAN_STR("Password-77"),
                                         PUAN_STR("zhang"), false, NULL),
                     PUAN_EINVAL);
}

/* ---- what a seat rests on --------------------------------------------------- */

static const char *as_admin(const char *role, int64_t account)
{
    const struct puan_plan *plan = puan_store_plan(fix->st);
    struct puan_who who = { .credential = PUAN_CRED_HUMAN, .account = account,
                            .role = -1, .seat = account };
    char token[PUAN_TOKEN_TEXT];
    int64_t now = puan_os_now_ms();

    for (size_t i = 0; i < plan->n_roles; i++)
        if (puan_str_is(plan->role[i].id, role))
            who.role = (int32_t)i;
    assert_true(who.role >= 0);
    puan_format(who.name, sizeof(who.name), "%s", role);
    puan_format(who.role_name, sizeof(who.role_name), "%s", role);
    who.factor_ms = now;
    ok(puan_session_open(token, puan_host_sessions(fix->host), &who, now,
                         600000, now + 600000, err));
    return puan_arena_fmt(&fix->a, "%s", token);
}

/* A course of ann, to which something happens; its number. */
static int64_t course(int64_t run, const char *act, const char *fields)
{
    struct puan_case_call call = { .run = run, .area = 1101 };
    struct puan_act who = { .actor = PUAN_STR("tester"),
                            .seat = PUAN_STR("test") };

    call.flow = PUAN_STR("course");
    call.arena = &fix->a;
    call.event.kind = run ? PUAN_FLOW_ACT : PUAN_FLOW_OPEN;
    call.event.name = puan_str_of(act);
    call.event.who = puan_case_system();
    call.event.fields = puan_fix_json(fix, fields);
    ok(puan_case_do(fix->st, &who, &call, err));
    return call.row.id;
}

static void a_seat_stands_on_its_records(void **state)
{
    static const char give[] = "{\"account\":\"ann\",\"role\":\"trained\","
                               "\"area\":\"1101\",\"attested\":\"%s\"}";
    const char *system = as_admin("system-admin", 901);
    const char *security = as_admin("security-admin", 902);
    const char *secret, *tok;
    int64_t run;

    (void)state;
    assert_int_equal(call("POST", "/accounts", system,
                          "{\"name\":\"ann\",\"person\":\"Ann\"}"),
                     201);
    secret = field("secret");
    /* saying so is not enough where a case attests, and needed where none does */
    assert_int_equal(call("POST", "/seats", security,
                          puan_arena_fmt(&fix->a, give, "course,paper")),
                     409);
    assert_non_null(strstr(field("detail"), "course is attested"));
    run = course(0, "", "{'account':'ann'}");
    assert_int_equal(call("POST", "/seats", security,
                          puan_arena_fmt(&fix->a, give, "course,paper")),
                     409);
    course(run, "pass", "{'score':'80'}");
    assert_int_equal(call("POST", "/seats", security,
                          puan_arena_fmt(&fix->a, give, "course")),
                     409);
    assert_non_null(strstr(field("detail"), "paper is attested"));
    assert_int_equal(call("POST", "/seats", security,
                          puan_arena_fmt(&fix->a, give, "paper")),
                     201);
    tok = sign_in("ann", secret, NULL);
    assert_int_equal(
        call("PUT", "/password", tok,
             puan_arena_fmt(&fix->a,
                            "{\"old\":\"%s\",\"new\":\"Xy-77-county-oak\"}",
                            secret)),
        204);
    tok = sign_in("ann", "Xy-77-county-oak", NULL);
    assert_int_equal(call("GET", "/session", tok, ""), 200);
    /* the record ends: signed out at once, and not let in again */
    course(run, "end", "{}");
    assert_int_equal(call("GET", "/session", tok, ""), 401);
    assert_int_equal(login("ann", "Xy-77-county-oak", NULL), 403);
    assert_non_null(strstr(field("detail"), "course is attested"));
    /* another course opens it again, one not passed does not */
    run = course(0, "", "{'account':'ann'}");
    course(run, "pass", "{'score':'59'}");
    assert_int_equal(login("ann", "Xy-77-county-oak", NULL), 403);
    run = course(0, "", "{'account':'ann'}");
    course(run, "pass", "{'score':'60'}");
    assert_int_equal(login("ann", "Xy-77-county-oak", NULL), 200);
}

int main(void)
{
    const struct CMUnitTest demo[] = {
        cmocka_unit_test(accounts_live_their_whole_life),
        cmocka_unit_test(a_session_tells_what_it_is),
        cmocka_unit_test(looking_is_no_use_of_a_session),
        cmocka_unit_test(an_old_factor_is_asked_for_again),
        cmocka_unit_test(the_roster_says_who_sits_where),
        cmocka_unit_test(guessing_locks_the_name),
        cmocka_unit_test(three_faults_of_a_code_are_told_apart),
        cmocka_unit_test(a_password_then_belongs_to_the_code),
        cmocka_unit_test(machine_names_lock_too),
        cmocka_unit_test(a_hundred_thousand_credentials_take_seconds),
    };
    const struct CMUnitTest live[] = {
        cmocka_unit_test(a_first_secret_is_changed_before_anything_else),
        cmocka_unit_test(a_live_code_opens_nothing_but_the_password),
        cmocka_unit_test(a_seat_stands_on_its_records),
    };
    const char *pg = getenv("PUAN_TEST_PG");
    int bad = cmocka_run_group_tests(demo, open_demo, close_all);

    bad += cmocka_run_group_tests(live, open_live, close_all);
    if (pg && *pg) {
        engine = pg;
        bad += cmocka_run_group_tests_name("demo, PostgreSQL", demo, open_demo,
                                           close_all);
    }
    return bad;
}
