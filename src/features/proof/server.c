/*
 * Plays over HTTP: a scratch campaign of the plan (with a path taken out, when
 * it is a mutant), served on a free port of this machine; every step is a
 * request of a seat.  Seats are signed in without a password; what they may do
 * is decided by the server as always.
 *
 *   {by: ROLE, get|post|put|delete: PATH, body: {..}, csv: TEXT, refused: STATUS,
 *    status: STATUS, has: {PATH.IN.ANSWER: value}, holds: [TEXT], lacks: [TEXT],
 *    keep: {NAME: PATH.IN.ANSWER}, household: KEY}
 *   {.., beside: own|carried}      asked of a second campaign of the plan: by a
 *                                  seat signed in there, or by one of the first
 *   {import: areas|listing|staff|register|assignment, csv: TEXT}
 *   {clock: TIME} {pass: 24h}      the campaign clock; cases and monitors act
 *   {metric: NAME, is: N, area: A} what a metric shows now; least, most
 *   {log: server, holds: [TEXT], lacks: [TEXT]}      what the server logged
 *   {files: campaign, holds: [TEXT], lacks: [TEXT]}  bytes of the directory
 *
 * PATH is below /api/v1/c/CAMPAIGN; {NAME} in paths and bodies is what was
 * kept, {area} the scenario's area, {ea} an enumeration area in it, {household}
 * a household there.
 */
#include "features/cases/cases.h"
#include "features/campaign/campaign.h"
#include "features/host/host.h"
#include "features/monitors/monitors.h"
#include "features/plans/plans.h"
#include "features/proof/internal.h"
#include "kit/crypto/crypto.h"
#include "kit/http/client.h"
#include "kit/log/log.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

#define NAMES 32
#define TOKENS 64
#define HOUR INT64_C(3600000)
#define FILE_MOST (64u << 20)

struct server {
    const struct puan_plan *plan;
    struct puan_arena arena;
    const char *root, *dir;
    struct puan_store *st;
    struct puan_host *host;
    struct puan_http_client *client;
    struct {
        struct puan_str name, text;
    } kept[NAMES];
    size_t n_kept;
    struct {
        struct puan_str key;
        char token[PUAN_TOKEN_TEXT];
    } token[TOKENS];
    size_t n_tokens;
    int64_t account; /* last given */
    const struct puan_scenario *sc;
    struct server *beside; /* a second campaign, once a step asks for it */
};

/* ---- the scratch campaign ---------------------------------------------------- */

/* A file as the plan holds it: its text, or its tree when that was changed. */
static struct puan_str text_of(const struct puan_plan_file *f,
                               struct puan_arena *a)
{
    struct puan_out o;
    struct puan_jw w;

    if (f->tree == NULL || f->text.p != NULL)
        return f->text;
    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_plan_node_json(&w, f->tree);
    puan_out_char(&o, '\n');
    return puan_out_view(&o);
}

static enum puan_status write_packs(const char **first, struct server *s,
                                    struct puan_err *err)
{
    const struct puan_plan *p = s->plan;

    for (size_t k = 0; k < p->n_packs; k++) {
        const char *root =
            puan_arena_fmt(&s->arena, "%s/plans/%.*s", s->root,
                           PUAN_FMT(p->pack[k].name));

        if (k == 0)
            *first = root;
        TRY(puan_dir_make(root, err));
        for (size_t i = 0; i < p->pack[k].n_files; i++) {
            const struct puan_plan_file *f = &p->pack[k].file[i];
            const char *to = puan_arena_fmt(&s->arena, "%s/%.*s", root,
                                            PUAN_FMT(f->path));
            struct puan_str sub = puan_str_of(to);

            /* what a campaign does not read */
            if (puan_str_starts(f->path, "demo/") ||
                puan_str_starts(f->path, "proof/") ||
                puan_str_starts(f->path, "simulate/"))
                continue;
            while (sub.n > 0 && sub.p[sub.n - 1] != '/')
                sub.n--;
            TRY(puan_dir_make(puan_arena_dup(&s->arena, sub), err));
            TRY(puan_file_write(to, text_of(f, &s->arena), 0640, err));
        }
    }
    return puan_arena_check(&s->arena, err);
}

static int level_of(const struct puan_plan *p, int64_t area)
{
    unsigned n = 0;

    for (int64_t c = area; c > 0; c /= 10)
        n++;
    return puan_plan_level_of_digits(p, n);
}

static int64_t digits_more(int64_t code, unsigned from, unsigned to, int last)
{
    for (unsigned d = from; d < to; d++)
        code = code * 10 + (d + 1 == to ? last : 0);
    return code;
}

/* The line from the top level down to an enumeration area through `area`, and
 * beside each of its areas another one. */
static enum puan_status some_areas(struct server *s, int64_t area,
                                   struct puan_err *err)
{
    const struct puan_plan *p = s->plan;
    struct puan_act act = { .actor = PUAN_STR("proof"),
                            .verb = PUAN_STR("area.import") };
    struct puan_import_result res;
    int at = level_of(p, area);
    int64_t parent = 0;
    struct puan_out o;

    if (at < 0)
        return puan_fail(err, PUAN_EINVAL, "area", "%lld is of no level",
                         (long long)area);
    puan_out_init(&o, &s->arena);
    puan_out_text(&o, "code,parent,level,name_zh,name_en\n");
    for (int i = 0; i < (int)p->n_levels; i++) {
        const struct puan_level *l = &p->level[i];
        int64_t code = area, other;

        if (l->digits == 0)
            continue;
        if (i <= at)
            for (unsigned n = p->level[at].digits; n > l->digits; n--)
                code /= 10;
        else
            code = digits_more(parent, p->level[i - 1].digits, l->digits, 1);
        other = i <= at ? code % 10 < 9 ? code + 1 : code - 1 : code + 1;
        if (parent == 0)
            puan_out_fmt(&o, "%0*lld,,%.*s,甲,A\n", (int)l->digits,
                         (long long)code, PUAN_FMT(l->id));
        else
            puan_out_fmt(&o, "%lld,%lld,%.*s,甲,A\n%lld,%lld,%.*s,乙,B\n",
                         (long long)code, (long long)parent, PUAN_FMT(l->id),
                         (long long)other, (long long)parent, PUAN_FMT(l->id));
        parent = code;
    }
    return puan_import(&res, s->st, PUAN_IMPORT_AREAS, puan_out_view(&o),
                       "areas.csv", false, &act, err);
}

static void keep(struct server *s, const char *name, struct puan_str text)
{
    if (s->n_kept == NAMES)
        return;
    s->kept[s->n_kept].name = puan_str_of(name);
    s->kept[s->n_kept++].text = text;
}

static enum puan_status set_clock(struct server *s, int64_t ms,
                                  struct puan_err *err)
{
    struct puan_act act = { .actor = PUAN_STR("proof"),
                            .verb = PUAN_STR("clock.set") };

    return puan_store_clock_set(s->st, &act, ms, 0, err);
}

static enum puan_status start(struct server *s, const struct puan_scenario *sc,
                              struct puan_err *err)
{
    struct puan_store_options opt = { .proved = true };
    struct puan_host_options serve = { .listen = "127.0.0.1:0",
                                       .workers = 2,
                                       .loops = 1,
                                       .quiet = true };
    const char *pack = NULL;
    int64_t ea;
    int at = level_of(s->plan, sc->area);

    TRY(puan_dir_temp(&s->root, &s->arena, err));
    s->dir = puan_arena_fmt(&s->arena, "%s/campaign", s->root);
    TRY(write_packs(&pack, s, err));
    TRY(puan_store_create(s->dir, "demo", pack, "intl", &opt, err));
    TRY(puan_store_open(&s->st, s->dir, &opt, err));
    TRY(some_areas(s, sc->area, err));
    TRY(set_clock(s, sc->from_ms, err));
    TRY(puan_host_start(&s->host, s->st, puan_features, &serve, err));
    TRY(puan_http_client_open(&s->client, puan_host_address(s->host), err));
    ea = sc->area;
    for (size_t i = at < 0 ? 1 : (size_t)at + 1; i < s->plan->n_levels; i++)
        ea = digits_more(ea, s->plan->level[i - 1].digits,
                         s->plan->level[i].digits, 1);
    keep(s, "campaign", puan_str_of(puan_store_id(s->st)));
    keep(s, "area",
         puan_str_of(puan_arena_fmt(&s->arena, "%lld", (long long)sc->area)));
    keep(s, "ea", puan_str_of(puan_arena_fmt(&s->arena, "%lld", (long long)ea)));
    keep(s, "household",
         puan_str_of(puan_arena_fmt(
             &s->arena, "%lld",
             (long long)digits_more(ea, 0, s->plan->household_digits, 1))));
    return PUAN_OK;
}

static void stop(struct server *s)
{
    if (s->beside != NULL)
        stop(s->beside);
    s->beside = NULL;
    puan_http_client_close(s->client);
    puan_host_stop(s->host);
    puan_store_close(s->st);
    if (s->root != NULL)
        (void)!puan_dir_remove(s->root, NULL);
    puan_arena_clear(&s->arena);
}

/* ---- requests ------------------------------------------------------------------ */

static struct server *of(struct puan_world *w)
{
    return w->stage->host;
}

/* {NAME} in a text becomes what was kept under it. */
static struct puan_str filled(struct server *s, struct puan_str t,
                              struct puan_arena *a)
{
    struct puan_out o;

    puan_out_init(&o, a);
    for (size_t i = 0; i < t.n; i++) {
        size_t end = i + 1, k = 0;

        while (t.p[i] == '{' && end < t.n && t.p[end] != '}')
            end++;
        while (k < s->n_kept &&
               !(t.p[i] == '{' && end < t.n &&
                 puan_str_eq(s->kept[k].name,
                             (struct puan_str){ t.p + i + 1, end - i - 1 })))
            k++;
        if (k == s->n_kept) {
            puan_out_char(&o, t.p[i]);
            continue;
        }
        puan_out_str(&o, s->kept[k].text);
        i = end;
    }
    return puan_out_view(&o);
}

static void put_json(struct puan_jw *w, struct server *s,
                     const struct puan_node *n, struct puan_arena *a)
{
    int64_t v;

    switch (n->kind) {
    case PUAN_NODE_NULL:
        puan_jw_null(w);
        break;
    case PUAN_NODE_SCALAR:
        if (!n->quoted && puan_int_parse(&v, n->text))
            puan_jw_int(w, v);
        else if (!n->quoted && (puan_str_is(n->text, "true") ||
                                puan_str_is(n->text, "false")))
            puan_jw_bool(w, puan_str_is(n->text, "true"));
        else
            puan_jw_str(w, filled(s, n->text, a));
        break;
    case PUAN_NODE_LIST:
        puan_jw_list(w);
        PUAN_NODE_EACH(c, n)
        put_json(w, s, c, a);
        puan_jw_end(w, ']');
        break;
    case PUAN_NODE_MAP:
        puan_jw_map(w);
        PUAN_NODE_EACH(c, n)
        {
            puan_jw_key_s(w, c->key);
            put_json(w, s, c, a);
        }
        puan_jw_end(w, '}');
        break;
    }
}

/* The role is held there from now on: notices find somebody. */
static enum puan_status token_of(const char **token, struct puan_world *w,
                                 struct server *s, const struct puan_node *step,
                                 struct puan_err *err)
{
    const struct puan_node *household = puan_node_get(step, "household");
    const struct puan_role *role = NULL;
    struct puan_flow_who seat;
    struct puan_who who = { 0 };
    struct puan_str key;
    int64_t now = puan_real_now();

    *token = NULL;
    if (puan_node_get(step, "by") == NULL)
        return PUAN_OK; /* a stranger */
    TRY(puan_world_who(&seat, &role, w, step, w->area, err));
    if (role == NULL)
        return puan_node_fail(step, err, "Puan itself sends no request");
    key = puan_str_of(puan_arena_fmt(
        &s->arena, "%.*s %.*s %lld %.*s", PUAN_FMT(seat.actor),
        PUAN_FMT(role->id), (long long)seat.area,
        PUAN_FMT(household ? household->text : PUAN_STR(""))));
    for (size_t i = 0; i < s->n_tokens; i++)
        if (puan_str_eq(s->token[i].key, key)) {
            *token = s->token[i].token;
            return PUAN_OK;
        }
    if (s->n_tokens == TOKENS)
        return puan_node_fail(step, err, "more than %d seats", TOKENS);
    who.credential = role->credential == PUAN_CREDENTIAL_DEVICE
                         ? PUAN_CRED_DEVICE
                     : role->credential == PUAN_CREDENTIAL_HOUSEHOLD
                         ? PUAN_CRED_HOUSEHOLD
                     : role->credential == PUAN_CREDENTIAL_SERVICE
                         ? PUAN_CRED_SERVICE
                         : PUAN_CRED_HUMAN;
    who.account = 1000 + ++s->account;
    who.seat = 2000 + s->account;
    who.role = (int32_t)(role - s->plan->role);
    /* the plan the store has read is another copy: by name */
    for (size_t i = 0; i < puan_store_plan(s->st)->n_roles; i++)
        if (puan_str_eq(puan_store_plan(s->st)->role[i].id, role->id))
            who.role = (int32_t)i;
    who.area = seat.area;
    who.external = role->external;
    who.factor_ms = now;
    if (household != NULL &&
        !puan_int_parse(&who.household,
                        filled(s, household->text, &s->arena)))
        return puan_node_fail(household, err, "`household` is a household key");
    puan_format(who.name, sizeof who.name, "%.*s", PUAN_FMT(seat.actor));
    puan_format(who.role_name, sizeof who.role_name, "%.*s",
                PUAN_FMT(role->id));
    puan_format(who.seat_text, sizeof who.seat_text, "%.*s@%lld",
                PUAN_FMT(role->id), (long long)seat.area);
    if (who.credential == PUAN_CRED_DEVICE)
        puan_format(who.device, sizeof who.device, "%.*s",
                    PUAN_FMT(seat.actor)); /* the device of that person */
    TRY(puan_session_open(s->token[s->n_tokens].token,
                          puan_host_sessions(s->host), &who, now, HOUR,
                          now + HOUR, err));
    s->token[s->n_tokens].key = key;
    *token = s->token[s->n_tokens++].token;
    return PUAN_OK;
}

/* A value in an answer: keys and numbers apart by dots; NULL none. */
static const struct puan_node *inside(const struct puan_node *n,
                                      struct puan_str path)
{
    struct puan_str word, rest = path;

    while (n != NULL && puan_str_split(&word, &rest, '.')) {
        int64_t i;

        if (n->kind == PUAN_NODE_LIST && puan_int_parse(&i, word) && i >= 0)
            n = puan_node_at(n, (size_t)i);
        else
            n = puan_node_get_s(n, word);
    }
    return n;
}

/* What stands in a text and what does not. */
static enum puan_status look_for(struct puan_world *w,
                                 const struct puan_node *step,
                                 struct puan_str text, const char *where,
                                 struct puan_err *err)
{
    struct server *s = of(w);

    PUAN_NODE_EACH(c, puan_node_get(step, "holds"))
    {
        bool there = puan_str_holds(text, filled(s, c->text, &s->arena));

        puan_world_found(w, there);
        if (!there)
            return puan_node_fail(c, err, "%s does not hold \"%.*s\"", where,
                                  PUAN_FMT(c->text));
    }
    PUAN_NODE_EACH(c, puan_node_get(step, "lacks"))
    {
        bool there = puan_str_holds(text, filled(s, c->text, &s->arena));

        puan_world_found(w, there);
        if (there)
            return puan_node_fail(c, err, "%s holds \"%.*s\"", where,
                                  PUAN_FMT(c->text));
    }
    return PUAN_OK;
}

static enum puan_status look(struct puan_world *w, const struct puan_node *step,
                             const struct puan_http_reply *r,
                             struct puan_err *err)
{
    struct server *s = of(w);
    const struct puan_node *has = puan_node_get(step, "has");
    const struct puan_node *names = puan_node_get(step, "keep");
    struct puan_node *tree = NULL;
    struct puan_err why = { 0 };

    if ((has != NULL || names != NULL) &&
        puan_json_tree(&tree, puan_arena_keep(&s->arena, r->body), "answer",
                       &s->arena, &why) != PUAN_OK)
        return puan_node_fail(step, err, "the answer is no JSON: %s", why.text);
    PUAN_NODE_EACH(c, has)
    {
        const struct puan_node *n = inside(tree, c->key);
        struct puan_str want = filled(s, c->text, &s->arena);

        if (n == NULL && puan_str_is(want, "none"))
            continue;
        if (n == NULL || (!puan_str_is(want, "any") &&
                          !puan_str_eq(n->text, want)))
            return puan_node_fail(c, err, "\"%.*s\" is \"%.*s\" in the answer",
                                  PUAN_FMT(c->key),
                                  PUAN_FMT(n ? n->text : PUAN_STR("none")));
        puan_world_found(w, true);
    }
    TRY(look_for(w, step, r->body, "the answer", err));
    PUAN_NODE_EACH(c, names)
    {
        const struct puan_node *n = inside(tree, c->text);

        if (n == NULL || n->kind != PUAN_NODE_SCALAR)
            return puan_node_fail(c, err, "the answer has no \"%.*s\"",
                                  PUAN_FMT(c->text));
        for (size_t i = 0; i < s->n_kept; i++)
            if (puan_str_eq(s->kept[i].name, c->key))
                s->kept[i].name = PUAN_STR("");
        keep(s, puan_arena_dup(&s->arena, c->key), n->text);
    }
    return PUAN_OK;
}

/* The second campaign, made when it is first asked. */
static enum puan_status beside(struct server **out, struct server *s,
                               struct puan_err *err)
{
    *out = s->beside;
    if (s->beside != NULL)
        return PUAN_OK;
    s->beside = puan_new(&s->arena, struct server);
    if (s->beside == NULL)
        return puan_arena_check(&s->arena, err);
    *out = s->beside;
    s->beside->plan = s->plan;
    s->beside->sc = s->sc;
    puan_arena_init(&s->beside->arena, &puan_heap);
    return start(s->beside, s->sc, err);
}

/* Which campaign a step asks, and with whose token. */
static enum puan_status asked(struct server **out, const char **token,
                              struct puan_world *w,
                              const struct puan_node *step,
                              struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(step, "beside");
    bool carried = n != NULL && puan_str_is(n->text, "carried");

    *out = of(w);
    if (n != NULL && !carried && !puan_str_is(n->text, "own"))
        return puan_node_fail(n, err, "`beside` is own or carried");
    if (n != NULL)
        TRY(beside(out, of(w), err));
    return token_of(token, w, carried ? of(w) : *out, step, err);
}

static enum puan_status call(struct puan_world *w, const struct puan_node *step,
                             const char *key, const char *method,
                             struct puan_err *err)
{
    struct server *s = of(w), *at = NULL;
    const struct puan_node *body = puan_node_get(step, "body");
    const struct puan_node *csv = puan_node_get(step, "csv");
    struct puan_http_call x = { .method = method };
    struct puan_http_reply r;
    int64_t refused = 0, status = 0;
    struct puan_str path;
    struct puan_out o;

    TRY(puan_node_str(&path, step, key, err));
    if (puan_node_get(step, "refused") != NULL)
        TRY(puan_node_int(&refused, step, "refused", 400, 499, err));
    if (puan_node_get(step, "status") != NULL)
        TRY(puan_node_int(&status, step, "status", 200, 399, err));
    TRY(asked(&at, &x.token, w, step, err));
    path = filled(s, path, &s->arena);
    x.path = puan_str_starts(path, "/api/")
                 ? puan_arena_dup(&s->arena, path)
                 : puan_arena_fmt(&s->arena, "/api/v1/c/%s%.*s",
                                  puan_store_id(at->st), PUAN_FMT(path));
    puan_out_init(&o, &s->arena);
    if (body != NULL) {
        struct puan_jw j;

        puan_jw_init(&j, &o);
        put_json(&j, s, body, &s->arena);
        x.body = puan_out_view(&o);
    } else if (csv != NULL) {
        x.body = filled(s, csv->text, &s->arena);
        x.content_type = "text/csv";
    } else if (!puan_str_is(puan_str_of(method), "GET")) {
        x.body = PUAN_STR("{}");
    }
    TRY(puan_arena_check(&s->arena, err));
    TRY(puan_http_call(&r, at->client, &x, err));
    if (r.status >= 500 || (refused == 0 && r.status >= 400))
        return puan_node_fail(step, err, "answered %u: %.*s", r.status,
                              (int)(r.body.n > 160 ? 160 : r.body.n), r.body.p);
    if (refused != 0 && r.status != (unsigned)refused)
        return puan_node_fail(step, err,
                              "should have been refused with %lld, answered "
                              "%u",
                              (long long)refused, r.status);
    if (status != 0 && r.status != (unsigned)status)
        return puan_node_fail(step, err, "answered %u", r.status);
    if (refused != 0)
        w->played.refused++;
    else
        w->played.allowed++;
    return look(w, step, &r, err);
}

#define METHOD(name, key, method)                                              \
    static enum puan_status name(struct puan_world *w,                         \
                                 const struct puan_node *step,                 \
                                 struct puan_err *err)                         \
    {                                                                          \
        return call(w, step, key, method, err);                                \
    }
METHOD(do_get, "get", "GET")
METHOD(do_post, "post", "POST")
METHOD(do_put, "put", "PUT")
METHOD(do_delete, "delete", "DELETE")

static enum puan_status do_import(struct puan_world *w,
                                  const struct puan_node *step,
                                  struct puan_err *err)
{
    struct server *s = of(w);
    struct puan_act act = { .actor = PUAN_STR("proof"),
                            .verb = PUAN_STR("import") };
    struct puan_import_result res;
    struct puan_err why = { 0 };
    struct puan_str kind, csv;
    enum puan_status st;

    TRY(puan_node_str(&kind, step, "import", err));
    TRY(puan_node_str(&csv, step, "csv", err));
    for (int k = PUAN_IMPORT_AREAS; k <= PUAN_IMPORT_ASSIGNMENT; k++) {
        if (!puan_str_is(kind, puan_import_name((enum puan_import_kind)k)))
            continue;
        st = puan_import(&res, s->st, (enum puan_import_kind)k,
                         filled(s, csv, &s->arena), "play.csv", false, &act,
                         &why);
        return puan_world_came(w, step, st, &why, err);
    }
    return puan_node_fail(step, err, "no kind of import \"%.*s\"",
                          PUAN_FMT(kind));
}

/* Time goes on: what the jobs do by themselves is done at once. */
static enum puan_status go_to(struct puan_world *w, int64_t ms,
                              struct puan_err *err)
{
    struct server *s = of(w);

    w->now = ms;
    TRY(set_clock(s, ms, err));
    TRY(puan_cases_tick(s->st, NULL, err));
    TRY(puan_monitors_look(s->st, true, NULL, err));
    return puan_cases_tick(s->st, NULL, err);
}

static enum puan_status do_clock(struct puan_world *w,
                                 const struct puan_node *step,
                                 struct puan_err *err)
{
    int64_t ms = 0;

    TRY(puan_world_time(&ms, w, puan_node_get(step, "clock"), err));
    return go_to(w, ms, err);
}

static enum puan_status do_pass(struct puan_world *w,
                                const struct puan_node *step,
                                struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(step, "pass");
    int64_t ms = 0;

    if (!puan_flow_duration(&ms, n->text))
        return puan_node_fail(n, err, "write a length like 30m or 24h");
    return go_to(w, w->now + ms, err);
}

static enum puan_status do_metric(struct puan_world *w,
                                  const struct puan_node *step,
                                  struct puan_err *err)
{
    struct server *s = of(w);
    int64_t v = 0, want, area = w->area;
    const struct puan_node *on = puan_node_get(step, "area");
    struct puan_str name;

    TRY(puan_node_str(&name, step, "metric", err));
    if (on != NULL && !puan_int_parse(&area, filled(s, on->text, &s->arena)))
        return puan_node_fail(on, err, "`area` is the code of an area");
    for (size_t f = 0; puan_features[f] != NULL; f++)
        for (size_t i = 0; i < puan_features[f]->n_metrics; i++) {
            if (!puan_str_is(name, puan_features[f]->metrics[i].name))
                continue;
            TRY(puan_features[f]->metrics[i].read(&v, s->st, area, err));
            if (puan_node_get(step, "is") != NULL) {
                TRY(puan_node_int(&want, step, "is", INT64_MIN, INT64_MAX,
                                  err));
                if (v != want)
                    return puan_node_fail(step, err, "it shows %lld",
                                          (long long)v);
            }
            if (puan_node_get(step, "least") != NULL) {
                TRY(puan_node_int(&want, step, "least", INT64_MIN, INT64_MAX,
                                  err));
                if (v < want)
                    return puan_node_fail(step, err, "it shows %lld",
                                          (long long)v);
            }
            if (puan_node_get(step, "most") != NULL) {
                TRY(puan_node_int(&want, step, "most", INT64_MIN, INT64_MAX,
                                  err));
                if (v > want)
                    return puan_node_fail(step, err, "it shows %lld",
                                          (long long)v);
            }
            puan_world_found(w, v != 0);
            return PUAN_OK;
        }
    return puan_node_fail(step, err, "no metric \"%.*s\"", PUAN_FMT(name));
}

/* What this process logged, of every level. */
static enum puan_status do_log(struct puan_world *w,
                               const struct puan_node *step,
                               struct puan_err *err)
{
    struct server *s = of(w);
    char *text = puan_new_n(&s->arena, PUAN_LOG_KEPT, char);
    size_t n;

    if (text == NULL)
        return puan_arena_check(&s->arena, err);
    n = puan_log_kept(text, PUAN_LOG_KEPT);
    return look_for(w, step, (struct puan_str){ text, n }, "the log", err);
}

/* All bytes of all files below `dir`, one after the other. */
static enum puan_status all_files(struct puan_out *o, const char *dir,
                                  struct puan_arena *a, struct puan_err *err)
{
    const char **name = NULL;
    size_t n = 0;

    TRY(puan_dir_list(&name, &n, dir, a, err));
    for (size_t i = 0; i < n; i++) {
        const char *path = puan_arena_fmt(a, "%s/%s", dir, name[i]);
        struct puan_str text;

        if (puan_dir_exists(path)) {
            TRY(all_files(o, path, a, err));
            continue;
        }
        /* a journal may go between the list and the look */
        if (puan_file_read(&text, path, FILE_MOST, a, NULL) != PUAN_OK)
            continue;
        puan_out_str(o, text);
        puan_out_char(o, '\n');
    }
    return puan_arena_check(a, err);
}

static enum puan_status do_files(struct puan_world *w,
                                 const struct puan_node *step,
                                 struct puan_err *err)
{
    struct server *s = of(w);
    struct puan_arena a;
    struct puan_out o;
    enum puan_status st;

    puan_arena_init(&a, &puan_heap);
    puan_out_init(&o, &a);
    st = all_files(&o, s->dir, &a, err);
    if (st == PUAN_OK)
        st = look_for(w, step, puan_out_view(&o), "a file", err);
    puan_arena_clear(&a);
    return st;
}

#define CALL_KEYS "body csv status has holds lacks keep household beside"

static const struct puan_verb verbs[] = {
    { "get", CALL_KEYS, do_get },
    { "post", CALL_KEYS, do_post },
    { "put", CALL_KEYS, do_put },
    { "delete", CALL_KEYS, do_delete },
    { "import", "csv", do_import },
    { "clock", "", do_clock },
    { "pass", "", do_pass },
    { "metric", "is least most area", do_metric },
    { "log", "holds lacks", do_log },
    { "files", "holds lacks", do_files },
    { NULL, NULL, NULL },
};

enum puan_status puan_proof_server(struct puan_played *played,
                                   const struct puan_plan *plan,
                                   const struct puan_scenario *sc, void *arg,
                                   struct puan_err *err)
{
    static const struct puan_verb *const lists[] = { verbs, NULL };
    struct server s = { .plan = plan, .sc = sc };
    struct puan_stage stage = { .plan = plan, .verbs = lists, .host = &s };
    struct puan_arena own;
    enum puan_status st;

    (void)arg;
    puan_arena_init(&s.arena, &puan_heap);
    puan_arena_init(&own, &puan_heap);
    puan_log_keep();
    if (played != NULL)
        *played = (struct puan_played){ 0 };
    st = start(&s, sc, err);
    if (played != NULL)
        played->unloadable = st == PUAN_EINVAL || st == PUAN_ENOTFOUND;
    if (st == PUAN_OK)
        st = puan_scenario_play(played, &stage, sc, &own, err);
    stop(&s);
    puan_arena_clear(&own);
    return st;
}
