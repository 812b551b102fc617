/*
 * Walks every route of every feature with every seat of a plan, in its own
 * area and in a foreign one, and with no seat at all: the rightful one gets
 * through, everybody else is refused without data.  Then throws malformed
 * requests at every route: never a crash, never a 500.
 *
 * Rows that other people add later are walked without a change here.
 */
#include <stdlib.h>

#include "core/area/area.h"
#include "core/plan/plan.h"
#include "features/host/test_fixture.h"
#include "kit/os/heap.h"

#define LEVELS 16

static struct puan_fix *fix;
static struct puan_arena call_arena;
static const char *engine; /* NULL: SQLite */
static const struct puan_plan *plan;
static size_t first_level; /* of the installation */
/* own[i] inside own[i-1]; foreign[i] inside foreign[i-1], beside own. */
static int64_t own[LEVELS], foreign[LEVELS];
static unsigned long calls, let_in, refused;

/* ---- set-up --------------------------------------------------------------------- */

static int64_t power(unsigned n)
{
    int64_t p = 1;

    while (n--)
        p *= 10;
    return p;
}

static enum puan_status add_area(struct puan_db *db, int64_t code,
                                 int64_t parent, const struct puan_level *l,
                                 const char *name, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    enum puan_status st =
        puan_sql(&s, db,
                 "INSERT INTO area VALUES($1, $2, $3, $4, $5, 'ordinary', '',"
                 " '', '')",
                 err);
    const char *c = puan_arena_fmt(&fix->a, "%0*lld", (int)l->digits,
                                   (long long)code);
    const char *p =
        parent ? puan_arena_fmt(&fix->a, "%lld", (long long)parent) : "";

    if (st != PUAN_OK)
        return st;
    puan_bind_text(s, 1, puan_str_of(c));
    puan_bind_text(s, 2, puan_str_of(p));
    puan_bind_text(s, 3, l->id);
    puan_bind_text(s, 4, puan_str_of(name));
    puan_bind_text(s, 5, puan_str_of(name));
    return puan_stmt_once(s, err);
}

/* One top area; below it, level by level, an own and a foreign line. */
static enum puan_status add_areas(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    enum puan_status st;

    (void)sh;
    (void)act;
    (void)arg;
    own[first_level] = power(plan->level[first_level].digits - 1) * 3;
    foreign[first_level] = 0;
    st = add_area(db, own[first_level], 0, &plan->level[first_level],
                  "OWNMARK", err);
    for (size_t i = first_level + 1; i < plan->n_levels && st == PUAN_OK; i++) {
        int64_t step = power(plan->level[i].digits - plan->level[i - 1].digits);

        own[i] = own[i - 1] * step + 1;
        foreign[i] = foreign[i - 1] ? foreign[i - 1] * step + 1
                                    : own[i - 1] * step + 2;
        st = add_area(db, own[i], own[i - 1], &plan->level[i], "OWNMARK", err);
        if (st == PUAN_OK)
            st = add_area(db, foreign[i],
                          foreign[i - 1] ? foreign[i - 1] : own[i - 1],
                          &plan->level[i], "FOREIGNMARK", err);
    }
    /* The top has nothing foreign inside the tree: a code outside. */
    foreign[first_level] = own[first_level] + 1;
    return st;
}

static void open_on(const char *pack)
{
    puan_arena_init(&call_arena, &puan_heap);
    fix = puan_fix_begin(engine);
    puan_fix_create(fix, "demo", pack, "sm");
    puan_fix_open(fix);
    plan = puan_store_plan(fix->st);
    first_level = 0;
    while (plan->level[first_level].digits == 0)
        first_level++;
    puan_fix_areas(fix, add_areas);
    puan_fix_serve(fix, 3, 2);
}

static int open_zz(void **state)
{
    (void)state;
    open_on("plans/zz-test");
    return 0;
}

static int open_cn(void **state)
{
    (void)state;
    open_on("plans/cn-population-2020");
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    puan_fix_end(fix);
    puan_arena_clear(&call_arena);
    print_message("%lu calls: %lu let in, %lu refused\n", calls, let_in,
                  refused);
    return 0;
}

/* ---- seats ------------------------------------------------------------------------ */

struct seat {
    const struct puan_role *role;
    size_t ordinal, level;
    char token[PUAN_TOKEN_TEXT];
    int64_t household; /* household credential */
};

static int64_t household_in(int64_t ea, int64_t number)
{
    return ea * power(plan->household_digits) + number;
}

static void sit_at(struct seat *s, size_t ordinal, size_t level,
                   const int64_t *at)
{
    struct puan_who who = { 0 };

    memset(s, 0, sizeof(*s));
    s->role = &plan->role[ordinal];
    s->ordinal = ordinal;
    s->level = level;
    who.credential = s->role->credential == PUAN_CREDENTIAL_DEVICE
                         ? PUAN_CRED_DEVICE
                     : s->role->credential == PUAN_CREDENTIAL_HOUSEHOLD
                         ? PUAN_CRED_HOUSEHOLD
                     : s->role->credential == PUAN_CREDENTIAL_SERVICE
                         ? PUAN_CRED_SERVICE
                         : PUAN_CRED_HUMAN;
    who.account = 1000 + (int64_t)ordinal;
    who.seat = 2000 + (int64_t)ordinal;
    who.role = (int32_t)ordinal;
    who.area = at[level];
    if (who.credential == PUAN_CRED_HOUSEHOLD) {
        s->household = household_in(at[plan->n_levels - 1], 1);
        who.household = s->household;
        who.area = at[plan->n_levels - 1];
    }
    puan_format(who.name, sizeof(who.name), "walker-%zu", ordinal);
    puan_format(who.role_name, sizeof(who.role_name), "%.*s",
                PUAN_FMT(s->role->id));
    puan_format(who.seat_text, sizeof(who.seat_text), "%.*s@%lld",
                PUAN_FMT(s->role->id), (long long)who.area);
    who.factor_ms = puan_real_now();
    assert_int_equal(puan_session_open(s->token, puan_host_sessions(fix->host),
                                       &who, puan_real_now(), 3600000,
                                       puan_real_now() + 3600000, NULL),
                     PUAN_OK);
}

static void sit(struct seat *s, size_t ordinal, size_t level)
{
    sit_at(s, ordinal, level, own);
}

/* Innermost level of the installation a role stands at. */
static size_t level_of(const struct puan_role *r)
{
    for (size_t l = plan->n_levels; l-- > first_level;)
        if (r->levels >> l & 1)
            return l;
    return first_level;
}

/* ---- requests ----------------------------------------------------------------------- */

static void put_value(struct puan_out *o, const struct puan_param *q,
                      int64_t area, int64_t household, bool json)
{
    int64_t n;

    switch (q->kind) {
    case PUAN_PARAM_AREA:
        puan_out_fmt(o, json ? "\"%lld\"" : "%lld", (long long)area);
        break;
    case PUAN_PARAM_HOUSEHOLD:
        puan_out_fmt(o, json ? "\"%lld\"" : "%lld", (long long)household);
        break;
    case PUAN_PARAM_INT:
        n = q->min > 1 ? q->min : 1;
        puan_out_int(o, (q->min || q->max) && n > q->max ? q->max : n);
        break;
    case PUAN_PARAM_BOOL:
        puan_out_text(o, "false");
        break;
    case PUAN_PARAM_JSON:
        puan_out_text(o, "[]");
        break;
    case PUAN_PARAM_TEXT:
    default:
        n = q->min > 1 ? q->min : 1;
        if (json)
            puan_out_char(o, '"');
        for (int64_t i = 0; i < n && i < 200; i++)
            puan_out_char(o, 'x');
        if (json)
            puan_out_char(o, '"');
    }
}

static bool in_path(const char *path, const char *name)
{
    return strstr(path, puan_arena_fmt(&call_arena, "{%s}", name)) != NULL;
}

struct built {
    const char *path;
    struct puan_str body;
};

/* A request whose every required parameter has a fitting value. */
static struct built build(const struct puan_route *row, int64_t area,
                          int64_t household)
{
    struct puan_out path, body;
    const char *p = puan_route_path(row, &call_arena);
    bool first = true, some = false;

    puan_out_init(&path, &call_arena);
    puan_out_init(&body, &call_arena);
    for (; *p; p++) {
        const char *end;
        bool done = false;

        if (*p != '{') {
            puan_out_char(&path, *p);
            continue;
        }
        end = strchr(p, '}');
        assert_non_null(end);
        if (strncmp(p, "{campaign}", 10) == 0) {
            puan_out_str(&path, plan->id);
            done = true;
        }
        for (size_t i = 0; i < row->n_params && !done; i++)
            if (strlen(row->params[i].name) == (size_t)(end - p) - 1 &&
                strncmp(row->params[i].name, p + 1, (size_t)(end - p) - 1) ==
                    0) {
                put_value(&path, &row->params[i], area, household, false);
                done = true;
            }
        assert_true(done);
        p = end;
    }
    puan_out_char(&body, '{');
    for (size_t i = 0; i < row->n_params; i++) {
        const struct puan_param *q = &row->params[i];
        bool scope = q->kind == PUAN_PARAM_AREA ||
                     q->kind == PUAN_PARAM_HOUSEHOLD;

        if (in_path(row->path, q->name) || (q->optional && !scope))
            continue;
        if (row->method == PUAN_GET || row->raw_body) {
            puan_out_fmt(&path, "%c%s=", first ? '?' : '&', q->name);
            first = false;
            put_value(&path, q, area, household, false);
        } else {
            puan_out_fmt(&body, "%s\"%s\":", some ? "," : "", q->name);
            some = true;
            put_value(&body, q, area, household, true);
        }
    }
    puan_out_char(&body, '}');
    return (struct built){ puan_out_view(&path).p,
                           row->method == PUAN_GET ? PUAN_STR("")
                                                   : puan_out_view(&body) };
}

static struct puan_http_reply reply;

static unsigned send_it(const struct puan_route *row, const char *token,
                        const char *path, struct puan_str body)
{
    struct puan_err err = { 0 };
    struct puan_http_call c = { .method = puan_method_name(row->method),
                                .path = path,
                                .token = token,
                                .body = body };

    if (puan_http_call(&reply, fix->client, &c, &err) != PUAN_OK)
        fail_msg("%s %s: the server went away: %s", c.method, path, err.text);
    calls++;
    if (reply.status >= 500 && reply.status != 503)
        fail_msg("%s %s %.*s: %u %.*s", c.method, path, PUAN_FMT(body),
                 reply.status, PUAN_FMT(reply.body));
    return reply.status;
}

/* A refusal: the right status, a problem, and not a word of data. */
static void refused_without_data(const struct puan_route *row,
                                 const char *who, const struct built *b,
                                 unsigned status)
{
    const char *text = puan_arena_dup(&call_arena, reply.body);

    if (status != 401 && status != 403 && status != 404)
        fail_msg("%s %s by %s was not refused: %u %s",
                 puan_method_name(row->method), b->path, who, status, text);
    if (reply.body.n > 400 || strstr(text, "OWNMARK") ||
        strstr(text, "FOREIGNMARK") || !strstr(text, "\"code\":") || strstr(text, "\"items\""))
        fail_msg("%s %s by %s: a refusal with data: %s",
                 puan_method_name(row->method), b->path, who, text);
    refused++;
}

/*
 * Not what this walk should do: it would end the session it walks with, or
 * wait for the end of an answer that has none.
 */
static bool ends_sessions(const struct puan_route *row)
{
    return (row->scope == PUAN_SCOPE_SESSION && *row->verb) || row->stream;
}

static void walk(const struct seat *s)
{
    int64_t last = own[plan->n_levels - 1],
            abroad = foreign[plan->n_levels - 1];
    int64_t own_home = s->household ? s->household : household_in(last, 1);
    int64_t other_home =
        s->household ? household_in(last, 2) : household_in(abroad, 1);
    const char *who = puan_arena_dup(&fix->a, s->role->id);

    for (size_t i = 0; i < puan_host_routes(fix->host); i++) {
        const struct puan_route *row = puan_host_route(fix->host, i);
        bool may = puan_host_may(fix->host, s->ordinal, i);
        bool home_only = s->household && (row->scope == PUAN_SCOPE_AREA ||
                                          row->scope == PUAN_SCOPE_OBJECT ||
                                          row->scope == PUAN_SCOPE_OFFICE);
        struct built b;
        unsigned status;

        puan_arena_reset(&call_arena);
        if (row->scope == PUAN_SCOPE_PUBLIC || ends_sessions(row))
            continue;
        /* own area */
        b = build(row, own[s->level], own_home);
        status = send_it(row, s->token, b.path, b.body);
        if (!may || home_only)
            refused_without_data(row, who, &b, status);
        else if (row->scope == PUAN_SCOPE_OFFICE && s->level != first_level)
            refused_without_data(row, who, &b, status);
        else if (row->scope == PUAN_SCOPE_OBJECT)
            assert_true(status != 401); /* no object of that number: 404 */
        else if (status == 401)
            fail_msg("%s %s by %s: %u", puan_method_name(row->method), b.path,
                     who, status);
        else if (status == 403 && row->method == PUAN_GET)
            fail_msg("%s %s by %s was refused in its own area: %.*s",
                     puan_method_name(row->method), b.path, who,
                     PUAN_FMT(reply.body));
        else
            let_in++;
        /* what it was given of its own area tells nothing of another */
        if (s->level > first_level &&
            strstr(puan_arena_dup(&call_arena, reply.body), "FOREIGNMARK"))
            fail_msg("%s %s by %s shows another area: %.*s",
                     puan_method_name(row->method), b.path, who,
                     PUAN_FMT(reply.body));
        /* foreign area, foreign household */
        if (row->scope == PUAN_SCOPE_AREA ||
            row->scope == PUAN_SCOPE_HOUSEHOLD) {
            if (row->scope == PUAN_SCOPE_HOUSEHOLD && s->level == first_level)
                continue; /* everything is inside the top */
            b = build(row, foreign[s->level], other_home);
            status = send_it(row, s->token, b.path, b.body);
            refused_without_data(row, who, &b, status);
            if (row->scope == PUAN_SCOPE_AREA && s->level > first_level) {
                /* one level up is foreign too */
                b = build(row, own[s->level - 1], other_home);
                status = send_it(row, s->token, b.path, b.body);
                refused_without_data(row, who, &b, status);
            }
        }
    }
}

static void every_seat_walks_every_route(void **state)
{
    (void)state;
    for (size_t r = 0; r < plan->n_roles; r++) {
        struct seat s;

        sit(&s, r, level_of(&plan->role[r]));
        walk(&s);
    }
    assert_true(let_in > 20);
    assert_true(refused > 100);
}

/* First role that may both, at a level below the top; -1 when none may. */
static int role_below_top(const char *one, const char *other)
{
    for (size_t r = 0; r < plan->n_roles; r++)
        if (plan->role[r].credential == PUAN_CREDENTIAL_HUMAN &&
            level_of(&plan->role[r]) > first_level &&
            puan_role_can(&plan->role[r], puan_str_of(one)) &&
            puan_role_can(&plan->role[r], puan_str_of(other)))
            return (int)r;
    return -1;
}

/* How an object of another area is asked for, and what is tried on it. */
struct object {
    const char *base, *path, *none; /* list, the object, a number of none */
    const char *mark;               /* stands in it, must stand nowhere else */
    const char *const *deeds;
    size_t n_deeds;
    struct puan_str body; /* of every deed */
};

/*
 * To every seat elsewhere: by its number refused exactly as a number that does
 * not exist, in no list, and nothing can be done to it.
 */
static void is_not_there(const struct object *o)
{
    const struct puan_route get = { .method = PUAN_GET };
    const struct puan_route post = { .method = PUAN_POST };
    size_t looked = 0;

    for (size_t r = 0; r < plan->n_roles; r++) {
        size_t l = level_of(&plan->role[r]);
        struct seat s;
        struct puan_str first;
        unsigned status;

        if (l == first_level)
            continue;
        sit(&s, r, l);
        status = send_it(&get, s.token, o->none, PUAN_STR(""));
        first = puan_str_of(puan_arena_dup(&fix->a, reply.body));
        if (send_it(&get, s.token, o->path, PUAN_STR("")) != status ||
            (status != 403 && status != 404))
            fail_msg("%s tells an object of another area from none: %u",
                     o->path, reply.status);
        assert_true(puan_str_eq(first, reply.body));
        looked += status == 404;
        send_it(&get, s.token,
                puan_arena_fmt(&fix->a, "%s?area=%lld", o->base,
                               (long long)own[l]),
                PUAN_STR(""));
        assert_null(strstr(puan_arena_dup(&fix->a, reply.body), o->mark));
        for (size_t d = 0; d < o->n_deeds; d++) {
            status = send_it(&post, s.token,
                             puan_arena_fmt(&fix->a, "%s/%s", o->path,
                                            o->deeds[d]),
                             o->body);
            if (status < 400)
                fail_msg("%s/%s done from another area", o->path, o->deeds[d]);
        }
    }
    assert_true(looked > 0);
}

/*
 * A case of another area: by its number it is refused to every seat elsewhere
 * exactly as a number that does not exist, in lists it does not stand, and
 * nothing can be done to it.
 */
static void an_object_of_another_area_is_not_there(void **state)
{
    static const char *const deeds[] = { "act", "step", "order", "ask", "sign",
                                         "evidence" };
    const struct puan_route get = { .method = PUAN_GET };
    const struct puan_route post = { .method = PUAN_POST };
    int clerk = role_below_top("case.open", "case.view");
    const char *base = puan_arena_fmt(&fix->a, "/api/v1/c/%.*s/cases",
                                      PUAN_FMT(plan->id));
    struct seat there;
    struct puan_node *n;
    int64_t id = 0;
    const char *path;
    size_t level;

    (void)state;
    assert_true(clerk >= 0);
    level = level_of(&plan->role[clerk]);
    sit_at(&there, (size_t)clerk, level, foreign);
    send_it(&post, there.token, base,
            puan_str_of(puan_arena_fmt(
                &fix->a,
                "{\"area\":\"%lld\",\"flow\":\"incident\",\"fields\":{"
                "\"class\":\"technical\",\"title\":\"FOREIGNMARK\"}}",
                (long long)foreign[level])));
    if (reply.status < 200 || reply.status > 201)
        fail_msg("no case opened: %u %.*s", reply.status,
                 PUAN_FMT(reply.body));
    assert_int_equal(puan_json_tree(&n, reply.body, "reply", &fix->a, NULL),
                     PUAN_OK);
    if (puan_node_get(n, "id"))
        assert_true(puan_int_parse(&id, puan_node_get(n, "id")->text));
    else
        fail_msg("no id: %.*s", PUAN_FMT(reply.body));
    path = puan_arena_fmt(&fix->a, "%s/%lld", base, (long long)id);
    assert_int_equal(send_it(&get, there.token, path, PUAN_STR("")), 200);
    assert_non_null(strstr(puan_arena_dup(&fix->a, reply.body), "FOREIGNMARK"));
    is_not_there(&(struct object){
        .base = base,
        .path = path,
        .none = puan_arena_fmt(&fix->a, "%s/999999", base),
        .mark = "FOREIGNMARK",
        .deeds = deeds,
        .n_deeds = PUAN_COUNT(deeds),
        .body = PUAN_STR("{\"transition\":\"report\",\"step\":"
                         "\"first_aid\",\"approval\":\"end\"}") });
}

/* A lot of another area, put there as a row: what may be asked of it by number
 * is refused elsewhere as if there were none, and it stands in no list. */
static enum puan_status put_foreign_lot(struct puan_shard *sh,
                                        struct puan_db *db,
                                        struct puan_act *act, void *arg,
                                        struct puan_err *err)
{
    static const uint8_t zeros[PUAN_DIGEST_SIZE];
    const int64_t *area = arg;
    struct puan_stmt *s = NULL;
    enum puan_status st =
        puan_sql(&s, db,
                 "INSERT INTO lot(id, run, area, digest, households, heights,"
                 " state, made) VALUES (777, 888, $1, $2, 31, '', 'accepted',"
                 " 1)",
                 err);

    (void)sh;
    (void)act;
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, *area);
    puan_bind_bytes(s, 2, zeros, sizeof(zeros));
    return puan_stmt_once(s, err);
}

static void a_lot_of_another_area_is_not_there(void **state)
{
    const struct puan_route get = { .method = PUAN_GET };
    static const char *const deeds[] = { "withdraw" };
    const char *base = puan_arena_fmt(&fix->a, "/api/v1/c/%.*s/lots",
                                      PUAN_FMT(plan->id));
    const char *path = puan_arena_fmt(&fix->a, "%s/777", base);
    int clerk = role_below_top("lot.view", "lot.accept");
    struct puan_act act = { .actor = PUAN_STR("test"),
                            .verb = PUAN_STR("test.lot") };
    struct seat there;
    size_t level;
    struct puan_err err = { 0 };

    (void)state;
    assert_true(clerk >= 0);
    level = level_of(&plan->role[clerk]);
    assert_int_equal(puan_commit(puan_store_office(fix->st), &act,
                                 put_foreign_lot, &foreign[level], &err),
                     PUAN_OK);
    sit_at(&there, (size_t)clerk, level, foreign);
    assert_int_equal(send_it(&get, there.token, path, PUAN_STR("")), 200);
    is_not_there(&(struct object){
        .base = base,
        .path = path,
        .none = puan_arena_fmt(&fix->a, "%s/999999", base),
        .mark = "777",
        .deeds = deeds,
        .n_deeds = PUAN_COUNT(deeds),
        .body = PUAN_STR("{\"reason\":\"not mine\"}") });
}

static void without_a_session_only_public_routes_answer(void **state)
{
    static const char *const tokens[] = {
        NULL, "", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };

    (void)state;
    for (size_t i = 0; i < puan_host_routes(fix->host); i++) {
        const struct puan_route *row = puan_host_route(fix->host, i);

        if (row->scope == PUAN_SCOPE_PUBLIC)
            continue;
        for (size_t t = 0; t < PUAN_COUNT(tokens); t++) {
            struct built b;
            unsigned status;

            puan_arena_reset(&call_arena);
            b = build(row, own[first_level],
                      household_in(own[plan->n_levels - 1], 1));
            status = send_it(row, tokens[t], b.path, b.body);
            if (status != 401)
                fail_msg("%s without a session: %u", b.path, status);
            refused_without_data(row, "nobody", &b, status);
        }
    }
}

/* ---- malformed requests ------------------------------------------------------------- */

static const char *const bodies[] = {
    "", "{", "[]", "null", "1", "\"x\"", "{}", "{\"x\":1}", "{\"area\":{}}",
    "{\"area\":-1}", "{\"area\":1e999}", "{\"area\":\"99999999999999999999\"}",
    "{\"area\":null}", "{\"list\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "{\"name\":\"\\u0000\"}", "{\"name\":\"\\ud800\"}", "{\"name\":\"\xff\"}",
    "{\"a\":1,\"a\":2}", "\xef\xbb\xbf{}", "{\"household\":\"0\"}",
    "{\"household\":9223372036854775807,\"area\":9223372036854775807}",
    ("<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY y SYSTEM "
    "\"file:///etc/passwd\">]><x>&y;</x>"),
    "{\"name\":\"'; DROP TABLE account; --\",\"secret\":\"' OR 1=1\"}",
};
static const char *const queries[] = {
    "?", "?=", "?&&&", "?area=", "?area=%", "?area=%00", "?area=-1",
    "?area=0x10", "?area=1&area=2", "?cursor=-9223372036854775808",
    "?limit=0", "?limit=99999999999", "?x=%ff%fe", "?a=b=c", "?area=1%27--",
    "?area=18446744073709551617", "?%61rea=1", "?area=%20", "?\x01=\x7f",
};

static void hostile_requests_never_break_it(void **state)
{
    struct seat top[64];
    size_t n = plan->n_roles < 64 ? plan->n_roles : 64;

    (void)state;
    for (size_t r = 0; r < n; r++)
        sit(&top[r], r, first_level);
    for (size_t i = 0; i < puan_host_routes(fix->host); i++) {
        const struct puan_route *row = puan_host_route(fix->host, i);
        const char *token = NULL;

        for (size_t r = 0; r < n && !token; r++)
            if (puan_host_may(fix->host, r, i))
                token = top[r].token;
        if (ends_sessions(row))
            continue;
        for (size_t k = 0; k < PUAN_COUNT(bodies); k++) {
            struct built b;

            puan_arena_reset(&call_arena);
            b = build(row, own[first_level],
                      household_in(own[plan->n_levels - 1], 1));
            send_it(row, token, b.path, puan_str_of(bodies[k]));
        }
        for (size_t k = 0; k < PUAN_COUNT(queries); k++) {
            struct built b;

            puan_arena_reset(&call_arena);
            b = build(row, own[first_level],
                      household_in(own[plan->n_levels - 1], 1));
            send_it(row, token,
                    puan_arena_fmt(&call_arena, "%.*s%s",
                                   (int)strcspn(b.path, "?"), b.path,
                                   queries[k]),
                    b.body);
        }
        /* every parameter of the path replaced by something else */
        for (size_t k = 0; k < 6; k++) {
            static const char *const parts[] = { "%", "..%2f", "%00", "-1",
                                                 "9999999999999999999",
                                                 "%E6%99" };
            const char *p = puan_route_path(row, &call_arena);
            struct puan_out path;

            if (!strchr(p, '{'))
                break;
            puan_out_init(&path, &call_arena);
            while (*p) {
                if (*p == '{') {
                    if (strncmp(p, "{campaign}", 10) == 0)
                        puan_out_str(&path, plan->id);
                    else
                        puan_out_text(&path, parts[k]);
                    p = strchr(p, '}') + 1;
                } else {
                    puan_out_char(&path, *p++);
                }
            }
            send_it(row, token, puan_out_view(&path).p, PUAN_STR("{}"));
        }
    }
}

static void large_bodies_are_bounded(void **state)
{
    static char big[200000];
    const struct puan_route row = { .method = PUAN_POST };

    (void)state;
    memset(big, ' ', sizeof(big));
    assert_int_equal(send_it(&row, NULL,
                             puan_arena_fmt(&call_arena, "/api/v1/c/%.*s/login",
                                            PUAN_FMT(plan->id)),
                             (struct puan_str){ big, sizeof(big) }),
                     413);
    assert_int_equal(send_it(&row, NULL, "/api/v1/c/another-campaign/login",
                             PUAN_STR("{}")),
                     404);
}

int main(void)
{
    const struct CMUnitTest zz[] = {
        cmocka_unit_test(an_object_of_another_area_is_not_there),
        cmocka_unit_test(a_lot_of_another_area_is_not_there),
        cmocka_unit_test(every_seat_walks_every_route),
        cmocka_unit_test(without_a_session_only_public_routes_answer),
        cmocka_unit_test(hostile_requests_never_break_it),
        cmocka_unit_test(large_bodies_are_bounded),
    };
    const struct CMUnitTest cn[] = {
        cmocka_unit_test(every_seat_walks_every_route),
        cmocka_unit_test(without_a_session_only_public_routes_answer),
    };
    const char *pg = getenv("PUAN_TEST_PG");
    int bad;

    setenv("PUAN_LOG", "off", 1);
    bad = cmocka_run_group_tests_name("zz-test", zz, open_zz, close_all);
    bad += cmocka_run_group_tests_name("cn-population-2020", cn, open_cn,
                                       close_all);
    if (pg && *pg) {
        engine = pg;
        bad += cmocka_run_group_tests_name("zz-test, PostgreSQL", zz, open_zz,
                                           close_all);
    }
    return bad;
}
