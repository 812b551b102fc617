/*
 * Who may do what to a unit that reports directly (plan cn-economic-2018,
 * Regulations of the economic census and clauses HY-3.2.2): every role of the
 * plan tries every act over HTTP.  What the table does not allow must be
 * refused, entered among the refusals, tell nothing, and leave the unit's
 * answers and draft as they were.
 */
#include "core/plan/plan.h"
#include "features/host/test_fixture.h"

#define BASE "/api/v1/c/cn-economic-2018"
#define EA INT64_C(370883001001001)
#define NEXT_EA INT64_C(370883001001002)
#define DIRECT INT64_C(370883001001001001) /* listed: direct reporting */
#define OTHER INT64_C(370883001001001002)  /* listed: direct reporting */
#define PLAIN INT64_C(370883001001001003)  /* listed: an enumerator visits */

enum body { NONE, RETURN, DRAFT, QUERY };

/* One act; `may` names the roles that are let, apart by blanks. */
static const struct act {
    const char *name, *method, *path;
    enum body body;
    int64_t unit;
    const char *form, *mode;
    unsigned base;
    const char *may;
} acts[] = {
    { "report, first", "POST", "/returns", RETURN, DIRECT, "direct", "self", 0,
      "unit" },
    { "report in a visit's name", "POST", "/returns", RETURN, DIRECT, "direct",
      "enumerator", 0, "" },
    { "report an office's estimate", "POST", "/returns", RETURN, DIRECT,
      "direct", "office-estimate", 0, "" },
    { "the visitors' form instead", "POST", "/returns", RETURN, DIRECT, "unit",
      "enumerator", 0, "" },
    { "the visitors' form, as self", "POST", "/returns", RETURN, DIRECT, "unit",
      "self", 0, "" },
    { "correct", "POST", "/returns", RETURN, DIRECT, "direct", "self", 1,
      "unit" },
    { "correct in a visit's name", "POST", "/returns", RETURN, DIRECT, "direct",
      "enumerator", 1, "" },
    { "report for another unit", "POST", "/returns", RETURN, OTHER, "direct",
      "self", 0, "" },
    { "keep a draft", "PUT", "/me/draft", DRAFT, DIRECT, "", "", 0, "unit" },
    { "read the draft", "GET", "/me/draft", NONE, DIRECT, "", "", 0, "unit" },
    { "read it as one's own", "GET", "/me/return", NONE, DIRECT, "", "", 0,
      "unit" },
    { "send a query", "POST", "/households/370883001001001001/queries", QUERY,
      DIRECT, "", "", 1,
      "supervisor township-office county-business" },
    { "report a unit that is visited", "POST", "/returns", RETURN, PLAIN,
      "unit", "enumerator", 0, "enumerator" },
    { "direct form, unit visited", "POST", "/returns", RETURN, PLAIN, "direct",
      "enumerator", 0, "" },
};

static struct puan_fix *fix;
static struct puan_http_reply reply;
static unsigned counter;

static int set_up(void **state)
{
    (void)state;
    fix = puan_fix_begin(NULL);
    puan_fix_create(fix, "demo", "plans/cn-economic-2018", "sm");
    puan_fix_open(fix);
    puan_fix_import(fix, PUAN_IMPORT_AREAS,
                    "code,parent,level,name_zh,name_en\n"
                    "37,,province,山东省,Shandong\n"
                    "3708,37,prefecture,济宁市,Jining\n"
                    "370883,3708,county,邹城市,Zoucheng\n"
                    "370883001,370883,township,钢山街道,Gangshan\n"
                    "370883001001,370883001,district,兴盛,Xingsheng\n"
                    "370883001001001,370883001001,ea,第一普查小区,First\n"
                    "370883001001002,370883001001,ea,第二普查小区,Second\n");
    puan_fix_import(fix, PUAN_IMPORT_LISTING,
                    "household,ea,mode\n"
                    "370883001001001001,370883001001001,direct\n"
                    "370883001001001002,370883001001001,direct\n"
                    "370883001001001003,370883001001001,enumerator\n");
    puan_fix_clock(fix, "2019-01-15T12:00:00+08:00");
    puan_fix_serve(fix, 2, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    puan_fix_end(fix);
    return 0;
}

/* A role at its own office over the units' area; `area` 0: there. */
static const char *session(const struct puan_role *r, int64_t area,
                           int64_t unit)
{
    static const enum puan_credential of[] = {
        [PUAN_CREDENTIAL_HUMAN] = PUAN_CRED_HUMAN,
        [PUAN_CREDENTIAL_DEVICE] = PUAN_CRED_DEVICE,
        [PUAN_CREDENTIAL_HOUSEHOLD] = PUAN_CRED_HOUSEHOLD,
        [PUAN_CREDENTIAL_SERVICE] = PUAN_CRED_SERVICE,
    };
    const struct puan_plan *plan = puan_store_plan(fix->st);
    struct puan_who who = { .credential = of[r->credential],
                            .account = 100 + (int64_t)(r - plan->role),
                            .seat = 1,
                            .area = area,
                            .household = unit,
                            .role = (int32_t)(r - plan->role) };
    char token[PUAN_TOKEN_TEXT];

    for (size_t i = 0; area == 0 && i < plan->n_levels; i++)
        if (plan->level[i].digits > 0 && (r->levels == 0 || r->levels >> i & 1)) {
            who.area = EA;
            for (unsigned d = plan->level[i].digits; d < 15; d++)
                who.area /= 10;
            break;
        }
    puan_format(who.name, sizeof(who.name), "%.*s-1", PUAN_FMT(r->id));
    puan_format(who.role_name, sizeof(who.role_name), "%.*s", PUAN_FMT(r->id));
    puan_format(who.seat_text, sizeof(who.seat_text), "%.*s", PUAN_FMT(r->id));
    if (r->credential == PUAN_CREDENTIAL_DEVICE)
        puan_format(who.device, sizeof(who.device), "d-1");
    ok(puan_session_open(token, puan_host_sessions(fix->host), &who,
                         puan_real_now(), 600000, puan_real_now() + 600000,
                         err));
    return puan_arena_dup(&fix->a, puan_str_of(token));
}

static unsigned do_act(const struct act *c, const char *token)
{
    struct puan_http_call call = {
        .method = c->method,
        .path = puan_arena_fmt(&fix->a, BASE "%s", c->path),
        .token = token,
    };

    if (c->body == RETURN)
        call.body = puan_str_of(puan_arena_fmt(
            &fix->a,
            "{\"form\":\"%s\",\"household\":\"%lld\",\"base\":%u,"
            "\"device\":\"d-1\",\"counter\":%u,\"mode\":\"%s\","
            "\"started\":\"2019-01-15T10:00:00+08:00\","
            "\"finished\":\"2019-01-15T10:30:00+08:00\",\"signed\":true,"
            "\"answers\":{\"U102\":\"测算之外\"}}",
            c->form, (long long)c->unit, c->base, ++counter, c->mode));
    if (c->body == DRAFT) {
        call.headers = "If-Match: \"0\"\r\n";
        call.body = PUAN_STR("{\"answers\":{}}");
    }
    if (c->body == QUERY)
        call.body = PUAN_STR("{\"version\":2,\"reason\":\"请核对营业收入\"}");
    ok(puan_http_call(&reply, fix->client, &call, err));
    return reply.status;
}

static bool among(const char *words, struct puan_str w)
{
    for (const char *p = words; *p;) {
        size_t n = strcspn(p, " ");

        if (n == w.n && memcmp(p, w.p, n) == 0)
            return true;
        p += n + (p[n] == ' ');
    }
    return false;
}

static int64_t versions(void)
{
    return puan_fix_int(puan_store_shard_of_area(fix->st, EA),
                        "SELECT COUNT(*) FROM ret");
}

static bool refused(unsigned status)
{
    return status == 401 || status == 403 ||
           (status == 409 && memmem(reply.body.p, reply.body.n,
                                    "window-closed", 13));
}

static void refused_cell(const struct act *c, struct puan_str role,
                         const char *token)
{
    int64_t before = versions();
    unsigned status = do_act(c, token);

    if (!refused(status))
        fail_msg("%s by %.*s: %u, not refused: %.*s", c->name, PUAN_FMT(role),
                 status, PUAN_FMT(reply.body));
    assert_int_equal(versions(), before);
    assert_null(memmem(reply.body.p, reply.body.n, "answers", 7));
    assert_null(memmem(reply.body.p, reply.body.n, "测算", 6));
}

/* The allowed cells of one act, each once, on a campaign where they fit. */
static void allowed_cell(const struct act *c, const struct puan_role *r)
{
    int64_t unit = r->credential == PUAN_CREDENTIAL_HOUSEHOLD ? c->unit : 0;
    unsigned status = do_act(c, session(r, unit ? EA : 0, unit));

    if (status < 200 || status > 204)
        fail_msg("%s by %.*s: %u: %.*s", c->name, PUAN_FMT(r->id), status,
                 PUAN_FMT(reply.body));
}

static void every_role_tries_every_act(void **state)
{
    const struct puan_plan *plan = puan_store_plan(fix->st);
    unsigned n_refused = 0, n_allowed = 0;

    (void)state;
    for (size_t a = 0; a < PUAN_COUNT(acts); a++) {
        const struct act *c = &acts[a];

        refused_cell(c, PUAN_STR("nobody signed in"), NULL);
        n_refused++;
        for (size_t i = 0; i < plan->n_roles; i++) {
            const struct puan_role *r = &plan->role[i];
            bool unit = r->credential == PUAN_CREDENTIAL_HOUSEHOLD;

            if (r->external || among(c->may, r->id))
                continue;
            /* a unit tries as the first of the two direct reporters */
            refused_cell(c, r->id, session(r, unit ? EA : 0, unit ? DIRECT : 0));
            n_refused++;
        }
        /* a colleague of the one who may, next door or the unit beside it */
        for (size_t i = 0; i < plan->n_roles; i++) {
            const struct puan_role *r = &plan->role[i];

            if (!among(c->may, r->id))
                continue;
            if (r->credential == PUAN_CREDENTIAL_HOUSEHOLD &&
                c->body == RETURN) {
                refused_cell(c, r->id, session(r, EA, OTHER));
                n_refused++;
            }
            if (r->credential == PUAN_CREDENTIAL_DEVICE && c->body == RETURN) {
                refused_cell(c, r->id, session(r, NEXT_EA, 0));
                n_refused++;
            }
            allowed_cell(c, r);
            n_allowed++;
        }
    }
    print_message("%zu acts by %zu roles: %u cells refused, %u allowed\n",
                  PUAN_COUNT(acts), plan->n_roles, n_refused, n_allowed);
    /* one version by the unit, its correction, one visit; nothing else */
    assert_int_equal(versions(), 3);
    assert_int_equal(puan_fix_int(puan_store_shard_of_area(fix->st, EA),
                                  "SELECT COUNT(*) FROM ret WHERE mode = 'self'"
                                  " AND household = 370883001001001001"),
                     2);
}

/* What a unit finds before itself is the form of its channel. */
static void a_unit_is_given_the_form_of_its_channel(void **state)
{
    static const struct {
        int64_t unit;
        const char *form, *window;
    } is[] = { { DIRECT, "\"form\":\"direct\"", "\"id\":\"direct-report\"" },
               { PLAIN, "\"form\":\"unit\"", "\"id\":\"registration\"" } };
    const struct puan_plan *plan = puan_store_plan(fix->st);
    const struct puan_role *r = puan_plan_role(plan, PUAN_STR("unit"));

    (void)state;
    for (size_t i = 0; i < PUAN_COUNT(is); i++) {
        struct puan_http_call call = { .method = "GET",
                                       .path = BASE "/me",
                                       .token = session(r, EA, is[i].unit) };

        ok(puan_http_call(&reply, fix->client, &call, err));
        assert_int_equal(reply.status, 200);
        assert_non_null(memmem(reply.body.p, reply.body.n, is[i].form,
                               strlen(is[i].form)));
        assert_non_null(memmem(reply.body.p, reply.body.n, is[i].window,
                               strlen(is[i].window)));
    }
}

/* The roll decides: the same unit, listed again as one that is visited. */
static void the_channel_is_what_the_listing_says(void **state)
{
    const struct puan_plan *plan = puan_store_plan(fix->st);
    const struct puan_role *r = puan_plan_role(plan, PUAN_STR("enumerator"));
    struct act visit = acts[12];

    (void)state;
    visit.unit = OTHER;
    refused_cell(&visit, r->id, session(r, 0, 0));
    puan_fix_import(fix, PUAN_IMPORT_LISTING,
                    "household,ea,mode\n"
                    "370883001001001002,370883001001001,enumerator\n");
    assert_int_equal(do_act(&visit, session(r, 0, 0)), 201);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_role_tries_every_act, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_unit_is_given_the_form_of_its_channel, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_channel_is_what_the_listing_says,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
