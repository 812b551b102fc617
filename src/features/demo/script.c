/*
 * Plays what offices do about a release and an incident, step by step, from
 * the plan's own demo folder: so another country plays its own without C.
 *
 *   at: day                                       played before the moment that
 *                                                 demo/day.yaml keeps (day.c)
 *   release: {role: R, title: T, tables: [..]}    makes the release (first)
 *   steps:
 *     - {by: ROLE, level: LEVEL, act|step|order|ask: NAME, fields: {..},
 *        evidence: [KIND], as: EXTERNAL, as_level: LEVEL, refused: STATUS}
 *     - {by: ROLE, sign: APPROVAL, ...}           over what is there now
 *     - {by: ROLE, open: FLOW, drill: true, fields: {..}}  the case that follows
 *     - {by: ROLE, take: true}                    takes the case over
 *     - {tip: KIND, text: T, contact: C}          a report from the public; with
 *                                                 by: ROLE what follows is about it
 *     - {clock: "2021-05-20T10:00:00+08:00"}      sets the campaign clock
 *     - {bad_logins: N}                           a stranger at the door
 *     - {wait_case: FLOW, by: ROLE}               until Puan has opened one
 *     - {wait: STATE, by: ROLE}                   until the case is there
 *     - {overdue: CLOCK, rungs: N, by: ROLE}      until so many were told
 *     - {public: STATUS}                          what a stranger gets
 *     - {pause: SECONDS}
 *
 * A step that must be refused names the status; anything else that is refused
 * ends the demonstration.
 */
#include "features/demo/demo.h"

#include <time.h>

#include "base/calendar.h"
#include "features/demo/people.h"
#include "features/releases/releases.h"
#include "kit/os/os.h"

struct play {
    struct puan_demo *d;
    int64_t area, run, release;
    int64_t refused, rungs; /* refusals that were due; rungs climbed */
    bool published, sound, ended;
};

static void sleep_ms(int64_t ms)
{
    const struct timespec t = { (time_t)(ms / 1000),
                                (long)(ms % 1000) * 1000000 };

    nanosleep(&t, NULL);
}

/* The area of a level that holds `area`, by the digits of its code. */
static int64_t lift(const struct puan_demo *d, int64_t area,
                    struct puan_str level)
{
    int at = level.n ? puan_plan_level(d->plan, level) : -1;
    unsigned digits = 0;

    for (int64_t c = area; c > 0; c /= 10)
        digits++;
    for (; at >= 0 && d->plan->level[at].digits > 0 &&
           digits > d->plan->level[at].digits;
         digits--)
        area /= 10;
    return area;
}

static enum puan_status desk(struct puan_desk *k, struct play *p,
                             const struct puan_node *n, struct puan_err *err)
{
    struct puan_str role;

    TRY(puan_node_str(&role, n, "by", err));
    return puan_people_seat(
        k, p->d, role, lift(p->d, p->area, puan_node_str_opt(n, "level", "")),
        err);
}

static void value(struct puan_jw *w, const struct puan_node *n)
{
    int64_t v;

    if (!n->quoted && puan_int_parse(&v, n->text))
        puan_jw_int(w, v);
    else if (!n->quoted &&
             (puan_str_is(n->text, "true") || puan_str_is(n->text, "false")))
        puan_jw_bool(w, puan_str_is(n->text, "true"));
    else
        puan_jw_str(w, n->text);
}

/* Sends a paper of that kind and names it. */
static enum puan_status paper(struct puan_jw *w, struct puan_desk *k,
                              struct puan_str kind, struct puan_arena *a,
                              struct puan_err *err)
{
    struct puan_node *reply = NULL;

    TRY(puan_desk_call(
        &reply, NULL, k, "POST", "/evidence",
        puan_arena_fmt(a, "%.*s 演示材料 made for the demo\n", PUAN_FMT(kind)),
        0, a, err));
    puan_jw_map(w);
    puan_jw_kstr(w, "kind", kind);
    puan_jw_kstr(w, "digest", puan_node_str_opt(reply, "digest", ""));
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static enum puan_status body_of(const char **out, struct play *p,
                                struct puan_desk *k, const struct puan_node *n,
                                const char *key, struct puan_str name,
                                struct puan_str digest, struct puan_arena *a,
                                struct puan_err *err)
{
    const struct puan_node *fields = puan_node_get(n, "fields");
    const struct puan_node *kinds = puan_node_get(n, "evidence");
    struct puan_str as = puan_node_str_opt(n, "as", "");
    struct puan_out o;
    struct puan_jw w;

    (void)p;
    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kstr(&w, key, name);
    if (digest.n > 0) {
        puan_jw_kbool(&w, "yes", true);
        puan_jw_kstr(&w, "digest", digest);
    }
    if (fields != NULL) {
        puan_jw_key(&w, "fields");
        puan_jw_map(&w);
        PUAN_NODE_EACH(c, fields)
        {
            puan_jw_key_s(&w, c->key);
            value(&w, c);
        }
        puan_jw_end(&w, '}');
    }
    if (kinds != NULL || as.n > 0) {
        puan_jw_key(&w, "evidence");
        puan_jw_list(&w);
        PUAN_NODE_EACH(c, kinds)
        TRY(paper(&w, k, c->text, a, err));
        if (as.n > 0)
            TRY(paper(&w, k, PUAN_STR("external"), a, err));
        puan_jw_end(&w, ']');
    }
    if (as.n > 0) {
        puan_jw_kstr(&w, "as_role", as);
        puan_jw_kstr(&w, "as_level", puan_node_str_opt(n, "as_level", ""));
    }
    puan_jw_end(&w, '}');
    *out = puan_arena_dup(a, puan_out_view(&o));
    return puan_arena_check(a, err);
}

static enum puan_status get_case(struct puan_node **out, struct play *p,
                                 struct puan_desk *k, struct puan_arena *a,
                                 struct puan_err *err)
{
    return puan_desk_call(out, NULL, k, "GET",
                          puan_arena_fmt(a, "/cases/%lld", (long long)p->run),
                          NULL, 0, a, err);
}

static enum puan_status do_act(struct play *p, const struct puan_node *n,
                               const char *verb, const char *key,
                               struct puan_arena *a, struct puan_err *err)
{
    struct puan_str name = puan_node_str_opt(n, verb, "");
    struct puan_str digest = PUAN_STR("");
    struct puan_node *now = NULL;
    const char *body = NULL;
    struct puan_desk k = { 0 };
    unsigned status = 0;
    int64_t refused = 0;
    enum puan_status st;

    if (puan_node_get(n, "refused") != NULL)
        TRY(puan_node_int(&refused, n, "refused", 400, 499, err));
    TRY(desk(&k, p, n, err));
    st = PUAN_OK;
    if (puan_str_is(puan_str_of(verb), "sign")) {
        st = get_case(&now, p, &k, a, err);
        if (st == PUAN_OK)
            digest = puan_node_str_opt(puan_node_get(now, "sign"),
                                       puan_arena_dup(a, name), "");
    }
    if (st == PUAN_OK)
        st = body_of(&body, p, &k, n, key, name, digest, a, err);
    if (st == PUAN_OK)
        st = puan_desk_call(
            NULL, &status, &k, "POST",
            puan_arena_fmt(a, "/cases/%lld/%s", (long long)p->run, verb), body,
            (unsigned)refused, a, err);
    puan_desk_close(&k);
    if (st != PUAN_OK)
        return st;
    if (refused != 0 && status != (unsigned)refused)
        return puan_node_fail(n, err, "\"%.*s\" should have been refused",
                              PUAN_FMT(name));
    p->refused += refused != 0;
    return PUAN_OK;
}

/* Opens a case at the play's area; what follows is about it. */
static enum puan_status open_case(struct play *p, const struct puan_node *n,
                                  struct puan_arena *a, struct puan_err *err)
{
    const struct puan_node *fields = puan_node_get(n, "fields");
    struct puan_node *reply = NULL;
    struct puan_desk k = { 0 };
    bool drill = false;
    struct puan_out o;
    struct puan_jw w;
    enum puan_status st;

    TRY(puan_node_bool(&drill, n, "drill", false, err));
    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_ktext(&w, "area", puan_arena_fmt(a, "%lld", (long long)p->area));
    puan_jw_kstr(&w, "flow", puan_node_str_opt(n, "open", ""));
    puan_jw_kbool(&w, "drill", drill);
    puan_jw_key(&w, "fields");
    puan_jw_map(&w);
    PUAN_NODE_EACH(c, fields)
    {
        puan_jw_key_s(&w, c->key);
        value(&w, c);
    }
    puan_jw_end(&w, '}');
    puan_jw_end(&w, '}');
    TRY(desk(&k, p, n, err));
    st = puan_desk_call(&reply, NULL, &k, "POST", "/cases",
                        puan_arena_dup(a, puan_out_view(&o)), 0, a, err);
    puan_desk_close(&k);
    if (st == PUAN_OK)
        st = puan_node_int(&p->run, reply, "id", 1, INT64_MAX, err);
    return st;
}

static enum puan_status take_case(struct play *p, const struct puan_node *n,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_desk k = { 0 };
    enum puan_status st;

    TRY(desk(&k, p, n, err));
    st = puan_desk_call(NULL, NULL, &k, "POST",
                        puan_arena_fmt(a, "/cases/%lld/take",
                                       (long long)p->run),
                        "{}", 0, a, err);
    puan_desk_close(&k);
    return st;
}

/* Somebody reports something without signing in. */
static enum puan_status tip(struct play *p, const struct puan_node *n,
                            struct puan_arena *a, struct puan_err *err)
{
    struct puan_desk k = { 0 };
    struct puan_out o;
    struct puan_jw w;
    enum puan_status st;

    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kstr(&w, "kind", puan_node_str_opt(n, "tip", ""));
    puan_jw_kstr(&w, "text", puan_node_str_opt(n, "text", ""));
    if (puan_node_get(n, "contact") != NULL)
        puan_jw_kstr(&w, "contact", puan_node_str_opt(n, "contact", ""));
    puan_jw_end(&w, '}');
    TRY(puan_desk_open(&k, p->d, err));
    k.campaign = p->d->campaign;
    st = puan_desk_call(NULL, NULL, &k, "POST", "/public/reports",
                        puan_arena_dup(a, puan_out_view(&o)), 0, a, err);
    puan_desk_close(&k);
    if (st == PUAN_OK && puan_node_get(n, "by") != NULL) {
        struct puan_node *page = NULL;
        int64_t id = 0;

        TRY(desk(&k, p, n, err));
        st = puan_desk_call(&page, NULL, &k, "GET",
                            "/cases?flow=violation&open=true&limit=1000", NULL,
                            0, a, err);
        puan_desk_close(&k);
        PUAN_NODE_EACH(c, puan_node_get(page, "items"))
        if (puan_int_parse(&id, puan_node_str_opt(c, "id", "")) && id > p->run)
            p->run = id;
    }
    return st;
}

/* ---- waiting
 * -------------------------------------------------------------------- */

#define PATIENCE_MS 60000
#define LOOK_MS 250

static enum puan_status wait_case(struct play *p, const struct puan_node *n,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_str flow, monitor;
    struct puan_desk k = { 0 };
    const char *subject;
    enum puan_status st;

    TRY(puan_node_str(&flow, n, "wait_case", err));
    TRY(puan_node_str(&monitor, n, "monitor", err));
    subject = puan_arena_fmt(&p->d->arena, "monitor/%.*s", PUAN_FMT(monitor));
    p->area = p->d->top[0];
    TRY(desk(&k, p, n, err));
    st = PUAN_OK;
    for (int64_t ms = 0; st == PUAN_OK && p->run == 0; ms += LOOK_MS) {
        struct puan_node *page = NULL;

        if (ms > PATIENCE_MS) {
            st = puan_node_fail(n, err, "no case was opened");
            break;
        }
        st = puan_desk_call(&page, NULL, &k, "GET",
                            puan_arena_fmt(a,
                                           "/cases?area=%lld&flow=%.*s&"
                                           "open=true&limit=1000",
                                           (long long)p->area, PUAN_FMT(flow)),
                            NULL, 0, a, err);
        PUAN_NODE_EACH(c, puan_node_get(page, "items"))
        {
            const struct puan_node *s = puan_node_get(c, "subject");
            int64_t area = 0;

            if (s == NULL || !puan_str_is(s->text, subject) ||
                !puan_int_parse(&area, puan_node_str_opt(c, "area", "")) ||
                area != p->area)
                continue;
            (void)!puan_int_parse(&p->run, puan_node_str_opt(c, "id", ""));
        }
        if (p->run == 0)
            sleep_ms(LOOK_MS);
    }
    puan_desk_close(&k);
    return st;
}

/* Has the case reached the state, or its clock the rungs? */
static bool reached(struct play *p, const struct puan_node *n,
                    const struct puan_node *now)
{
    const struct puan_node *run = puan_node_get(now, "case");
    struct puan_str state = puan_node_str_opt(n, "wait", "");
    struct puan_str clock = puan_node_str_opt(n, "overdue", "");
    int64_t want = 1, rungs = 0;

    if (state.n > 0)
        return puan_str_eq(puan_node_str_opt(run, "state", ""), state);
    (void)!puan_int_parse(&want, puan_node_str_opt(n, "rungs", "1"));
    PUAN_NODE_EACH(c, puan_node_get(run, "clocks"))
    {
        if (!puan_str_eq(puan_node_str_opt(c, "id", ""), clock) ||
            !puan_str_is(puan_node_str_opt(c, "state", ""), "overdue"))
            continue;
        (void)!puan_int_parse(&rungs, puan_node_str_opt(c, "rungs", "0"));
    }
    if (rungs >= want)
        p->rungs += want;
    return rungs >= want;
}

static enum puan_status wait_for(struct play *p, const struct puan_node *n,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_desk k = { 0 };
    enum puan_status st;

    TRY(desk(&k, p, n, err));
    st = PUAN_OK;
    for (int64_t ms = 0;; ms += LOOK_MS) {
        struct puan_node *now = NULL;

        st = get_case(&now, p, &k, a, err);
        if (st != PUAN_OK || reached(p, n, now))
            break;
        if (ms > PATIENCE_MS) {
            st = puan_node_fail(n, err, "this did not come about");
            break;
        }
        sleep_ms(LOOK_MS);
    }
    puan_desk_close(&k);
    return st;
}

/* ---- the stranger
 * ----------------------------------------------------------------- */

static enum puan_status bad_logins(struct play *p, int64_t n,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_desk k = { 0 };
    enum puan_status st = PUAN_OK;

    TRY(puan_desk_open(&k, p->d, err));
    k.campaign = p->d->campaign;
    for (int64_t i = 0; st == PUAN_OK && i < n; i++)
        st = puan_desk_call(NULL, NULL, &k, "POST", "/login",
                            puan_arena_fmt(a,
                                           "{\"name\":\"stranger-%lld\","
                                           "\"secret\":\"let me in %lld\"}",
                                           (long long)i, (long long)i),
                            401, a, err);
    puan_desk_close(&k);
    return st;
}

/* What anybody gets without signing in; kept and checked when it is there. */
static enum puan_status look_public(struct play *p, const struct puan_node *n,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_http_call call = { .method = "GET" };
    struct puan_release_check check;
    struct puan_http_client *c = NULL;
    struct puan_http_reply r;
    struct puan_str text;
    const char *file;
    int64_t want = 0;
    enum puan_status st;

    TRY(puan_node_int(&want, n, "public", 200, 499, err));
    TRY(puan_http_client_open(&c, p->d->address, err));
    call.path = puan_arena_fmt(a, "/api/v1/c/%s/public/releases/%lld",
                               p->d->campaign, (long long)p->release);
    st = puan_http_call(&r, c, &call, err);
    if (st == PUAN_OK && r.status != (unsigned)want)
        st = puan_node_fail(n, err, "the public got %u", r.status);
    if (st == PUAN_OK && want == 200) {
        text = (struct puan_str){ puan_arena_dup(a, r.body), r.body.n };
        file = puan_arena_fmt(a, "%s/release-%lld.json", p->d->o.dir,
                              (long long)p->release);
        st = puan_file_write(file, text, 0644, err);
        if (st == PUAN_OK)
            st = puan_release_check(&check, text, PUAN_STR(""), NULL, a, err);
        p->published = st == PUAN_OK;
        p->sound = st == PUAN_OK && check.sound;
    }
    puan_http_client_close(c);
    return st;
}

/* ---- the play
 * --------------------------------------------------------------------- */

static enum puan_status make_release(struct play *p, const struct puan_node *n,
                                     struct puan_arena *a, struct puan_err *err)
{
    struct puan_node *reply = NULL;
    struct puan_desk k = { 0 };
    struct puan_str role;
    struct puan_out o;
    struct puan_jw w;
    enum puan_status st;

    TRY(puan_node_str(&role, n, "role", err));
    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_ktext(&w, "area", puan_arena_fmt(a, "%lld", (long long)p->area));
    puan_jw_kstr(&w, "title", puan_node_str_opt(n, "title", ""));
    puan_jw_key(&w, "tables");
    puan_jw_list(&w);
    PUAN_NODE_EACH(c, puan_node_get(n, "tables"))
    puan_jw_str(&w, c->text);
    puan_jw_end(&w, ']');
    puan_jw_end(&w, '}');
    TRY(puan_people_seat(&k, p->d, role, p->area, err));
    st = puan_desk_call(&reply, NULL, &k, "POST", "/releases",
                        puan_arena_dup(a, puan_out_view(&o)), 0, a, err);
    puan_desk_close(&k);
    if (st == PUAN_OK)
        st = puan_node_int(&p->release, reply, "id", 1, INT64_MAX, err);
    if (st == PUAN_OK)
        st = puan_node_int(&p->run, reply, "case", 1, INT64_MAX, err);
    return st;
}

static enum puan_status set_clock(struct play *p, const struct puan_node *n,
                                  struct puan_err *err)
{
    struct puan_str when;
    int64_t ms;

    TRY(puan_node_str(&when, n, "clock", err));
    if (!puan_instant_parse(&ms, when))
        return puan_node_fail(n, err, "clock: wants a time");
    return puan_people_clock(p->d, ms, err);
}

static enum puan_status step(struct play *p, const struct puan_node *n,
                             struct puan_arena *a, struct puan_err *err)
{
    static const char *const acts[][2] = { { "act", "transition" },
                                           { "step", "step" },
                                           { "order", "step" },
                                           { "ask", "approval" },
                                           { "sign", "approval" } };
    int64_t v = 0;

    for (size_t i = 0; i < PUAN_COUNT(acts); i++)
        if (puan_node_get(n, acts[i][0]) != NULL)
            return do_act(p, n, acts[i][0], acts[i][1], a, err);
    if (puan_node_get(n, "open") != NULL)
        return open_case(p, n, a, err);
    if (puan_node_get(n, "take") != NULL)
        return take_case(p, n, a, err);
    if (puan_node_get(n, "tip") != NULL)
        return tip(p, n, a, err);
    if (puan_node_get(n, "clock") != NULL)
        return set_clock(p, n, err);
    if (puan_node_get(n, "wait_case") != NULL)
        return wait_case(p, n, a, err);
    if (puan_node_get(n, "wait") != NULL || puan_node_get(n, "overdue") != NULL)
        return wait_for(p, n, a, err);
    if (puan_node_get(n, "public") != NULL)
        return look_public(p, n, a, err);
    if (puan_node_get(n, "bad_logins") != NULL) {
        TRY(puan_node_int(&v, n, "bad_logins", 1, 1000, err));
        return bad_logins(p, v, a, err);
    }
    if (puan_node_get(n, "pause") != NULL) {
        TRY(puan_node_int(&v, n, "pause", 1, 60, err));
        sleep_ms(v * 1000);
        return PUAN_OK;
    }
    return puan_node_fail(n, err, "the demonstration knows no such step");
}

static enum puan_status play(struct play *p, const char *path,
                             struct puan_err *err)
{
    const struct puan_plan_file *f =
        puan_plan_file(p->d->plan, puan_str_of(path));
    const struct puan_node *release;
    struct puan_arena a;
    enum puan_status st = PUAN_OK;

    if (f == NULL || f->tree == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, path,
                         "the plan says nothing to play");
    puan_arena_init(&a, puan_os_alloc());
    release = puan_node_get(f->tree, "release");
    if (release != NULL)
        st = make_release(p, release, &a, err);
    PUAN_NODE_EACH(n, puan_node_get(f->tree, "steps"))
    {
        if (st != PUAN_OK)
            break;
        puan_arena_reset(&a);
        st = step(p, n, &a, err);
        if (st != PUAN_OK && err != NULL && err->line == 0) {
            err->line = n->line;
            err->col = n->col;
        }
    }
    puan_arena_clear(&a);
    return st;
}

enum puan_status puan_demo_play(struct puan_demo *d, const char *path,
                                int64_t area, struct puan_err *err)
{
    struct play p = { .d = d, .area = area };

    return play(&p, path, err);
}

enum puan_status puan_demo_release(struct puan_demo *d, struct puan_err *err)
{
    struct play p = { .d = d, .area = d->county[0] };
    enum puan_status st;

    puan_demo_stage(d, "release", "发布（上级发布前不得先发）",
                    "release, held until those above have published");
    st = play(&p, "demo/release.yaml", err);
    puan_jw_kint(&d->report, "release", p.release);
    puan_jw_kint(&d->report, "release_refusals", p.refused);
    puan_jw_kbool(&d->report, "release_published", p.published);
    puan_jw_kbool(&d->report, "release_sound", p.sound);
    if (st == PUAN_OK) {
        puan_demo_say(
            "发布 %lld：不合程序的操作被拒绝 %lld 次，随后按程序发布，"
            "公开文本核验%s",
            (long long)p.release, (long long)p.refused,
            p.sound ? "相符" : "不符");
        puan_demo_say("release %lld: refused %lld times against procedure, "
                      "then published; the public text %s",
                      (long long)p.release, (long long)p.refused,
                      p.sound ? "verifies" : "does NOT verify");
    }
    if (st == PUAN_OK && !p.sound)
        st = puan_fail(err, PUAN_EBUG, "release",
                       "the published text does not hold");
    return st;
}

enum puan_status puan_demo_incident(struct puan_demo *d, struct puan_err *err)
{
    struct play p = { .d = d, .area = d->top[0] };
    enum puan_status st;

    puan_demo_stage(d, "incident", "突发事件处置（指标触发，限时办理）",
                    "an incident raised by a metric, and its clock");
    st = play(&p, "demo/incident.yaml", err);
    puan_jw_kint(&d->report, "incident_case", p.run);
    puan_jw_kint(&d->report, "incident_escalations", p.rungs);
    puan_jw_kint(&d->report, "incident_refusals", p.refused);
    puan_jw_kbool(&d->report, "incident_closed", st == PUAN_OK);
    if (st == PUAN_OK) {
        puan_demo_say(
            "事件 %lld：逾期逐级提醒 %lld 次，越权操作被拒绝 %lld 次，"
            "经批准终止",
            (long long)p.run, (long long)p.rungs, (long long)p.refused);
        puan_demo_say("case %lld: overdue, told upward %lld times; %lld acts "
                      "without authority refused; ended with approval",
                      (long long)p.run, (long long)p.rungs,
                      (long long)p.refused);
    }
    return st;
}
