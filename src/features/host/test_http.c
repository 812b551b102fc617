/*
 * A host and a client before a test's campaign, sessions, and calls.
 */
#include "features/host/test_fixture.h"

#include <string.h>

#include "base/json.h"
#include "kit/os/os.h"

#define HOUR INT64_C(3600000)

void puan_fix_areas(struct puan_fix *f, puan_act_fn body)
{
    struct puan_act act = { .actor = PUAN_STR("test"),
                            .verb = PUAN_STR("area.import"),
                            .subject = PUAN_STR("areas") };

    ok(puan_commit(puan_store_office(f->st), &act, body, NULL, err));
    ok(puan_store_areas_changed(f->st, err));
}

void puan_fix_serve(struct puan_fix *f, unsigned workers, unsigned loops)
{
    struct puan_host_options opt = { .listen = "127.0.0.1:0",
                                     .workers = workers,
                                     .loops = loops,
                                     .quiet = true };

    ok(puan_host_start(&f->host, f->st, puan_features, &opt, err));
    ok(puan_http_client_open(&f->client, puan_host_address(f->host), err));
}

const char *puan_fix_session(struct puan_fix *f, struct puan_who who,
                             const char *role)
{
    const struct puan_plan *plan = puan_store_plan(f->st);
    const struct puan_role *r = puan_plan_role(plan, puan_str_of(role));
    char *token = puan_arena_get(&f->a, PUAN_TOKEN_TEXT);
    int64_t now = puan_real_now();

    if (r == NULL)
        fail_msg("the plan has no role %s", role);
    who.role = (int32_t)(r - plan->role);
    puan_format(who.role_name, sizeof who.role_name, "%s", role);
    if (who.name[0] == '\0')
        puan_format(who.name, sizeof who.name, "%s.%lld", role,
                    (long long)who.area);
    if (who.seat_text[0] == '\0')
        puan_format(who.seat_text, sizeof who.seat_text, "%s@%lld", role,
                    (long long)who.area);
    ok(puan_session_open(token, puan_host_sessions(f->host), &who, now,
                         10 * HOUR, now + 10 * HOUR, err));
    return token;
}

unsigned puan_fix_call(struct puan_fix *f, const char *token,
                       const char *method, const char *path, const char *json)
{
    struct puan_http_call c = { .method = method,
                                .token = token,
                                .headers = f->headers };
    struct puan_str campaign = puan_store_plan(f->st)->id;

    c.path = puan_arena_fmt(&f->a, "/api/v1/c/%.*s%s", PUAN_FMT(campaign),
                            path);
    if (json != NULL)
        c.body = puan_str_of(puan_fix_quotes(f, json));
    ok(puan_http_call(&f->reply, f->client, &c, err));
    return f->reply.status;
}

bool puan_fix_says(const struct puan_fix *f, const char *text)
{
    return memmem(f->reply.body.p, f->reply.body.n, text, strlen(text)) !=
           NULL;
}

const struct puan_node *puan_fix_tree(struct puan_fix *f)
{
    struct puan_node *n = NULL;

    ok(puan_json_tree(&n, puan_arena_keep(&f->a, f->reply.body), "reply", &f->a,
                      err));
    return n;
}
