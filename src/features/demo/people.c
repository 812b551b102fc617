/*
 * Accounts, seats and tokens of the demonstration; see people.h.
 */
#include "features/demo/people.h"

#include <stdlib.h>

#include "base/calendar.h"
#include "base/csv.h"
#include "core/area/area.h"
#include "kit/crypto/crypto.h"
#include "kit/job/progress.h"
#include "kit/os/os.h"
#include "kit/sheet/sheet.h"

#define SEATS_MAX 2048
#define IDLE_MS INT64_C(480000) /* well inside what a session may idle */

struct machine {
    struct puan_str name, secret;
    char token[96];
};

/* A person who signs in; again when the session has been left alone. */
struct login {
    struct puan_str role, name, own, totp;
    int64_t area;
    int64_t used_ms; /* monotonic */
    char token[96];
};

struct seat {
    const struct puan_role *role;
    int64_t area;
    struct login *login;
};

struct puan_people {
    struct puan_arena arena;
    struct login login[SEATS_MAX + 8];
    size_t n_logins;
    struct login *system, *security;
    struct machine *staff, *household; /* by name */
    size_t n_staff, n_household;
    struct seat seat[SEATS_MAX];
    size_t n_seats;
};

/* ---- persons ---------------------------------------------------------------
 */

/* One sign-in of a person; a code works once, so each has its own step. */
static enum puan_status sign_in(char token[96], struct puan_desk *k,
                                struct puan_str name, struct puan_str secret,
                                struct puan_str totp, int64_t at,
                                struct puan_arena *a, struct puan_err *err)
{
    uint8_t raw[64];
    struct puan_node *reply = NULL;
    struct puan_out o;
    struct puan_jw w;
    struct puan_str t;
    enum puan_status st = PUAN_OK;

    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kstr(&w, "name", name);
    puan_jw_kstr(&w, "secret", secret);
    if (totp.n) {
        char code[12];
        int n = puan_unbase32(raw, sizeof(raw), totp);

        if (n <= 0)
            return puan_fail(err, PUAN_EBUG, "totp", "not base32");
        puan_format(
            code, sizeof(code), "%06u",
            puan_totp((struct puan_str){ (char *)raw, (size_t)n }, at, 6));
        puan_jw_ktext(&w, "code", code);
    }
    puan_jw_end(&w, '}');
    k->token[0] = '\0';
    st = puan_desk_call(&reply, NULL, k, "POST", "/login", o.p, 0, a, err);
    if (st == PUAN_OK)
        st = puan_node_str(&t, reply, "token", err);
    if (st == PUAN_OK)
        puan_format(token, 96, "%.*s", PUAN_FMT(t));
    return st;
}

/* First sign-in, a secret of one's own, and the sign-in with that. */
static enum puan_status settle(struct login **out, struct puan_demo *d,
                               struct puan_desk *k, struct puan_str name,
                               struct puan_str role, int64_t area,
                               struct puan_str first, struct puan_str totp,
                               struct puan_err *err)
{
    struct puan_people *p = d->people;
    struct puan_arena *a = &p->arena;
    struct login *l = &p->login[p->n_logins];
    int64_t now = puan_os_now_ms() / 1000;
    char made[40];
    struct puan_str own;
    struct puan_out o;
    struct puan_jw w;
    enum puan_status st;

    st = sign_in(k->token, k, name, first, totp, now, a, err);
    if (st == PUAN_OK)
        st = puan_secret_make(made, sizeof(made), 80, err);
    if (st != PUAN_OK)
        return st;
    own = puan_str_of(puan_arena_fmt(a, "Pa-%s-9", made));
    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kstr(&w, "old", first);
    puan_jw_kstr(&w, "new", own);
    puan_jw_end(&w, '}');
    st = puan_desk_call(NULL, NULL, k, "PUT", "/password", o.p, 0, a, err);
    if (st == PUAN_OK)
        st = sign_in(l->token, k, name, own, totp, now + 30, a, err);
    l->role = (struct puan_str){ puan_arena_dup(a, role), role.n };
    l->name = (struct puan_str){ puan_arena_dup(a, name), name.n };
    l->totp = (struct puan_str){ puan_arena_dup(a, totp), totp.n };
    l->own = own;
    l->area = area;
    l->used_ms = puan_monotonic_ms();
    p->n_logins += st == PUAN_OK;
    *out = l;
    return st;
}

/* Puts the person's token on the desk. */
static enum puan_status sit(struct puan_desk *k, struct puan_demo *d,
                            struct login *l, struct puan_err *err)
{
    int64_t now = puan_monotonic_ms();
    enum puan_status st = PUAN_OK;

    if (l->used_ms == 0 || now - l->used_ms > IDLE_MS) {
        struct puan_arena *a = &d->people->arena;
        int64_t at = puan_os_now_ms() / 1000;

        /* a code works once: when this one was used, the next may be */
        st = sign_in(l->token, k, l->name, l->own, l->totp, at, a, NULL);
        if (st != PUAN_OK)
            st = sign_in(l->token, k, l->name, l->own, l->totp, at + 30, a,
                         err);
    }
    l->used_ms = now;
    k->totp = l->totp;
    puan_format(k->token, sizeof(k->token), "%s", l->token);
    return st;
}

static enum puan_status administrators(struct puan_demo *d, struct puan_desk *k,
                                       struct puan_err *err)
{
    struct puan_people *p = d->people;
    const char *path = puan_arena_fmt(&p->arena, "%s/first-run.csv", d->o.dir);
    struct puan_arena row;
    struct puan_str text;
    struct puan_csv c;
    bool more = true;
    enum puan_status st = puan_file_read(&text, path, 1 << 16, &p->arena, err);

    puan_arena_init(&row, puan_os_alloc());
    if (st == PUAN_OK)
        st = puan_csv_open(&c, text, path, &p->arena, &row, err);
    for (int i = 0; st == PUAN_OK; i++) {
        struct login *l = NULL;

        st = puan_csv_next(&more, &c, err);
        if (st != PUAN_OK || !more)
            break;
        st = settle(&l, d, k, c.field[0], c.field[1], 0, c.field[2], c.field[3],
                    err);
        if (i < 2)
            *(i == 0 ? &p->system : &p->security) = l;
    }
    puan_arena_clear(&row);
    if (st == PUAN_OK)
        st = puan_file_remove(path, err);
    return st;
}

static unsigned digits_of(int64_t code)
{
    unsigned n = 1;

    while (code >= 10) {
        code /= 10;
        n++;
    }
    return n;
}

/* A role of a person that may do `capability` and stands at that level. */
static const struct puan_role *role_for(const struct puan_demo *d,
                                        const char *capability, int64_t area)
{
    int level = puan_plan_level_of_digits(d->plan, digits_of(area));

    for (size_t i = 0; i < d->plan->n_roles; i++) {
        const struct puan_role *r = &d->plan->role[i];

        if (r->credential == PUAN_CREDENTIAL_HUMAN && !r->external &&
            puan_role_can(r, puan_str_of(capability)) &&
            !puan_role_can(r, PUAN_STR("admin.system")) &&
            !puan_role_can(r, PUAN_STR("admin.security")) &&
            !puan_role_can(r, PUAN_STR("admin.audit")) &&
            (r->levels == 0 ||
             (level >= 0 && (r->levels >> (unsigned)level & 1))))
            return r;
    }
    return NULL;
}

bool puan_people_may(const struct puan_demo *d, const char *capability,
                     int64_t area)
{
    return role_for(d, capability, area) != NULL;
}

/* The granter's word for what the plan asks of the seat; a rehearsal takes it. */
static const char *attested(const struct puan_role *role, struct puan_arena *a)
{
    struct puan_out o;

    if (role->n_needs == 0)
        return "";
    puan_out_init(&o, a);
    puan_out_text(&o, ",\"attested\":\"");
    for (size_t i = 0; i < role->n_needs; i++)
        puan_out_fmt(&o, "%s%.*s", i ? "," : "", PUAN_FMT(role->needs[i]));
    puan_out_text(&o, "\"");
    return puan_arena_dup(a, puan_out_view(&o));
}

/*
 * A name as offices write it where it does not matter who: 赵某, 钱某 … 某 is
 * no given name, so that nobody living is meant.
 */
static const char *person_of(struct puan_arena *a, size_t i)
{
    static const char surnames[][4] = {
        "赵", "钱", "孙", "李", "周", "吴", "郑", "王", "冯", "陈", "褚", "卫",
        "蒋", "沈", "韩", "杨", "朱", "秦", "许", "何", "吕", "张", "孔", "曹",
        "严", "华", "金", "魏", "陶", "姜", "谢", "邹", "苏", "潘", "葛", "范",
        "彭", "鲁", "韦", "马", "苗", "方", "俞", "任", "袁", "柳", "唐", "罗"
    };
    static const char *const again[] = { "", "甲", "乙", "丙", "丁" };
    size_t n = PUAN_COUNT(surnames);

    return puan_arena_fmt(a, "%s某%s", surnames[i % n],
                          again[i / n % PUAN_COUNT(again)]);
}

static enum puan_status make_seat(struct seat *s, struct puan_demo *d,
                                  struct puan_desk *k, struct puan_err *err)
{
    struct puan_people *p = d->people;
    struct puan_arena *a = &p->arena;
    const char *name = puan_arena_fmt(a, "%.*s.%lld", PUAN_FMT(s->role->id),
                                      (long long)s->area);
    struct puan_node *made = NULL;
    struct puan_str secret, totp;
    enum puan_status st;

    st = sit(k, d, p->system, err);
    if (st != PUAN_OK)
        return st;
    st = puan_desk_call(
        &made, NULL, k, "POST", "/accounts",
        puan_arena_fmt(a, "{\"name\":\"%s\",\"person\":\"%s\"}", name,
                       person_of(a, p->n_seats)),
        0, a, err);
    if (st == PUAN_OK)
        st = puan_node_str(&secret, made, "secret", err);
    if (st != PUAN_OK)
        return st;
    totp = puan_node_str_opt(made, "totp", "");
    st = sit(k, d, p->security, err);
    if (st != PUAN_OK)
        return st;
    st = puan_desk_call(NULL, NULL, k, "POST", "/seats",
                        puan_arena_fmt(a,
                                       "{\"account\":\"%s\",\"role\":\"%.*s\","
                                       "\"area\":\"%lld\"%s}",
                                       name, PUAN_FMT(s->role->id),
                                       (long long)s->area,
                                       attested(s->role, a)),
                        0, a, err);
    k->totp = PUAN_STR("");
    if (st == PUAN_OK)
        st = settle(&s->login, d, k, puan_str_of(name), s->role->id, s->area,
                    secret, totp, err);
    return st;
}

enum puan_status puan_people_seat(struct puan_desk *k, struct puan_demo *d,
                                  struct puan_str role, int64_t area,
                                  struct puan_err *err)
{
    struct puan_people *p = d->people;
    const struct puan_role *r = puan_plan_role(d->plan, role);
    struct seat *s;
    enum puan_status st;

    if (r == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "role", "no role '%.*s'",
                         PUAN_FMT(role));
    st = puan_desk_open(k, d, err);
    if (st != PUAN_OK)
        return st;
    k->campaign = d->campaign;
    for (size_t i = 0; i < p->n_seats; i++) {
        s = &p->seat[i];
        if (s->role == r && s->area == area)
            return sit(k, d, s->login, err);
    }
    if (p->n_seats == SEATS_MAX)
        return puan_fail(err, PUAN_ELIMIT, "demo", "too many seats");
    s = &p->seat[p->n_seats];
    *s = (struct seat){ .role = r, .area = area };
    st = make_seat(s, d, k, err);
    if (st != PUAN_OK) {
        puan_desk_close(k);
        return st;
    }
    p->n_seats++;
    return sit(k, d, s->login, err);
}

enum puan_status puan_people_desk(struct puan_desk *k, struct puan_demo *d,
                                  const char *capability, int64_t area,
                                  struct puan_err *err)
{
    const struct puan_role *r = role_for(d, capability, area);

    if (r == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "plan",
                         "no role at the level of area %lld has '%s'",
                         (long long)area, capability);
    return puan_people_seat(k, d, r->id, area, err);
}

/* ---- machines
 * ---------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct machine *x = a, *y = b;

    return puan_str_cmp(x->name, y->name);
}

static struct machine *find(struct machine *list, size_t n,
                            struct puan_str name)
{
    struct machine key = { .name = name };

    return n ? bsearch(&key, list, n, sizeof(key), by_name) : NULL;
}

static enum puan_status read_credentials(struct machine **list, size_t *n,
                                         struct puan_str csv,
                                         struct puan_arena *a,
                                         struct puan_err *err)
{
    struct puan_arena row;
    struct puan_csv c;
    size_t cap = 0;
    bool more = true;
    enum puan_status st;

    puan_arena_init(&row, puan_os_alloc());
    st = puan_csv_open(&c, csv, "credentials", a, &row, err);
    while (st == PUAN_OK) {
        st = puan_csv_next(&more, &c, err);
        if (st != PUAN_OK || !more)
            break;
        if (*n == cap) {
            struct machine *p;

            cap = cap ? cap * 2 : 1024;
            p = realloc(*list, cap * sizeof(*p));
            if (p == NULL) {
                st = puan_fail(err, PUAN_ENOMEM, "demo", "out of memory");
                break;
            }
            *list = p;
        }
        (*list)[*n] =
            (struct machine){ { puan_arena_dup(a, c.field[0]), c.field[0].n },
                              { puan_arena_dup(a, c.field[1]), c.field[1].n },
                              { 0 } };
        ++*n;
    }
    puan_arena_clear(&row);
    if (*n)
        qsort(*list, *n, sizeof(**list), by_name);
    return st;
}

/* One bulk issue; the answer is CSV, shown once. */
static enum puan_status issue(struct machine **list, size_t *n,
                              struct puan_demo *d, struct puan_desk *k,
                              const char *kind, struct puan_str role,
                              const char *from, struct puan_err *err)
{
    struct puan_people *p = d->people;
    struct puan_http_call call = { .method = "POST",
                                     .token = p->security->token };
    struct puan_http_reply r;
    enum puan_status st;

    call.path =
        puan_arena_fmt(&p->arena, "/api/v1/c/%s/credentials", k->campaign);
    call.body = puan_str_of(puan_arena_fmt(
        &p->arena, "{\"kind\":\"%s\",\"role\":\"%.*s\",\"from\":\"%s\"}", kind,
        PUAN_FMT(role), from));
    st = puan_http_call(&r, k->http, &call, err);
    if (st != PUAN_OK)
        return st;
    if (r.status == 404)
        return PUAN_OK; /* nobody of that kind in this area */
    if (r.status >= 300)
        return puan_fail(err, PUAN_EIO, "credentials", "answered %u: %.*s",
                         r.status, (int)(r.body.n < 160 ? r.body.n : 160),
                         r.body.p);
    return read_credentials(
        list, n,
        (struct puan_str){ puan_arena_dup(&p->arena, r.body), r.body.n },
        &p->arena, err);
}

static enum puan_status machine_in(char token[96], const struct machine *m,
                                   const char *kind, struct puan_desk *k,
                                   const char *id, struct puan_arena *a,
                                   struct puan_err *err)
{
    struct puan_http_call call = { .method = "POST" };
    struct puan_http_reply r;
    struct puan_node *t;
    struct puan_str s;
    enum puan_status st;

    call.path = puan_arena_fmt(a, "/api/v1/c/%s/login/machine", id);
    call.body = puan_str_of(puan_arena_fmt(
        a, "{\"kind\":\"%s\",\"name\":\"%.*s\",\"secret\":\"%.*s\"}", kind,
        PUAN_FMT(m->name), PUAN_FMT(m->secret)));
    st = puan_http_call(&r, k->http, &call, err);
    if (st == PUAN_OK && r.status != 200)
        st = puan_fail(err, PUAN_EIO, "login", "%s %.*s answered %u: %.*s",
                       kind, PUAN_FMT(m->name), r.status,
                       (int)(r.body.n < 120 ? r.body.n : 120), r.body.p);
    if (st == PUAN_OK)
        st = puan_json_tree(
            &t, (struct puan_str){ puan_arena_dup(a, r.body), r.body.n },
            "login", a, err);
    if (st == PUAN_OK)
        st = puan_node_str(&s, t, "token", err);
    if (st == PUAN_OK)
        puan_format(token, 96, "%.*s", PUAN_FMT(s));
    return st;
}

enum puan_status puan_people_token(const char **token, struct puan_demo *d,
                                   const struct puan_visit *v,
                                   struct puan_desk *desk, struct puan_arena *a,
                                   struct puan_err *err)
{
    struct puan_people *p = d->people;
    char key[24], *own;
    struct machine *m;
    enum puan_status st;

    if (v->staff.n) {
        m = find(p->staff, p->n_staff, v->staff);
        if (m == NULL)
            return puan_fail(err, PUAN_ENOTFOUND, "staff",
                             "no device for '%.*s'", PUAN_FMT(v->staff));
        *token = m->token;
        return PUAN_OK;
    }
    puan_format(key, sizeof(key), "%lld", (long long)v->household);
    m = find(p->household, p->n_household, puan_str_of(key));
    if (m == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "household",
                         "no account for household %s", key);
    own = puan_arena_get(a, 96);
    if (own == NULL)
        return puan_arena_check(a, err);
    st = machine_in(own, m, "household", desk, d->campaign, a, err);
    *token = own;
    return st;
}

enum puan_status puan_people_search(struct puan_node **reply,
                                    struct puan_demo *d, int64_t area,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_desk k;
    enum puan_status st = puan_people_desk(&k, d, "duplicate.run", area, err);

    if (st != PUAN_OK)
        return st;
    st = puan_desk_call(
        reply, NULL, &k, "POST", "/duplicates/search",
        puan_arena_fmt(a, "{\"area\":\"%lld\"}", (long long)area), 0, a, err);
    puan_desk_close(&k);
    return st;
}

/* ---- the clock
 * ------------------------------------------------------------------ */

static enum puan_status set_clock(struct puan_demo *d, int64_t campaign_ms,
                                  int rate, struct puan_err *err)
{
    struct puan_arena a;
    struct puan_desk k;
    char t[32];
    enum puan_status st = puan_desk_open(&k, d, err);

    if (st != PUAN_OK)
        return st;
    puan_arena_init(&a, puan_os_alloc());
    k.campaign = d->campaign;
    st = sit(&k, d, d->people->system, err);
    puan_instant_text(t, campaign_ms, d->plan->offset_minutes);
    if (st == PUAN_OK)
        st = puan_desk_call(
            NULL, NULL, &k, "POST", "/clock",
            puan_arena_fmt(&a, "{\"now\":\"%s\",\"rate\":%d}", t, rate), 0,
            &a, err);
    d->clock_ms = campaign_ms;
    puan_desk_close(&k);
    puan_arena_clear(&a);
    return st;
}

enum puan_status puan_people_clock(struct puan_demo *d, int64_t campaign_ms,
                                   struct puan_err *err)
{
    return set_clock(d, campaign_ms, 1000, err);
}

enum puan_status puan_people_hold_clock(struct puan_demo *d,
                                        int64_t campaign_ms,
                                        struct puan_err *err)
{
    return set_clock(d, campaign_ms, 0, err);
}

enum puan_status puan_people_backup(struct puan_demo *d, const char *name,
                                    struct puan_err *err)
{
    struct puan_arena *a = &d->people->arena;
    struct puan_desk k;
    enum puan_status st = puan_desk_open(&k, d, err);

    if (st != PUAN_OK)
        return st;
    k.campaign = d->campaign;
    st = sit(&k, d, d->people->system, err);
    if (st == PUAN_OK)
        st = puan_desk_call(NULL, NULL, &k, "POST", "/backups",
                            puan_arena_fmt(a, "{\"name\":\"%s\"}", name), 0,
                            a, err);
    puan_desk_close(&k);
    return st;
}

/* ---- all of them
 * --------------------------------------------------------------------- */

static struct puan_str role_of(const struct puan_demo *d,
                               enum puan_credential_kind kind,
                               const char *capability)
{
    for (size_t i = 0; i < d->plan->n_roles; i++)
        if (d->plan->role[i].credential == kind &&
            puan_role_can(&d->plan->role[i], puan_str_of(capability)))
            return d->plan->role[i].id;
    return PUAN_STR("");
}

enum puan_status puan_demo_people(struct puan_demo *d, struct puan_err *err)
{
    struct puan_people *p = calloc(1, sizeof(*p));
    struct puan_desk k = { 0 };
    enum puan_status st;

    puan_demo_stage(d, "people", "账号、岗位、设备和自主填报账号",
                    "accounts, seats, devices, household accounts");
    if (p == NULL)
        return puan_fail(err, PUAN_ENOMEM, "demo", "out of memory");
    d->people = p;
    puan_arena_init(&p->arena, puan_os_alloc());
    st = puan_desk_open(&k, d, err);
    k.campaign = d->campaign;
    if (st == PUAN_OK)
        st = administrators(d, &k, err);
    /* before monitors judge a census by the real year's calendar */
    if (st == PUAN_OK)
        st = puan_people_clock(d, d->plan->reference_ms, err);
    if (st == PUAN_OK)
        st = issue(&p->staff, &p->n_staff, d, &k, "device",
                   role_of(d, PUAN_CREDENTIAL_DEVICE, "return.submit"), "staff",
                   err);
    if (st == PUAN_OK)
        st = issue(&p->household, &p->n_household, d, &k, "household",
                   role_of(d, PUAN_CREDENTIAL_HOUSEHOLD, "return.submit"),
                   "listing", err);
    for (size_t i = 0; st == PUAN_OK && i < p->n_staff; i++)
        st = machine_in(p->staff[i].token, &p->staff[i], "device", &k,
                        k.campaign, &p->arena, err);
    puan_desk_close(&k);
    puan_demo_say("设备 %zu 台，自主填报账号 %zu 个", p->n_staff,
                  p->n_household);
    puan_demo_say("%zu devices, %zu household accounts", p->n_staff,
                  p->n_household);
    return st;
}

/* ---- everybody
 * ------------------------------------------------------------------ */

static enum puan_status take_seat(struct puan_demo *d,
                                  const struct puan_role *r, int64_t area,
                                  struct puan_err *err)
{
    struct puan_desk k = { 0 };
    enum puan_status st = puan_people_seat(&k, d, r->id, area, err);

    puan_desk_close(&k);
    return st;
}

/* The role at each area of its level that lies in the first county. */
static enum puan_status take_below(struct puan_demo *d,
                                   const struct puan_role *r, size_t level,
                                   struct puan_err *err)
{
    struct puan_sheet *s = NULL;
    int code, name;
    bool more;
    enum puan_status st = puan_sheet_open(
        &s, puan_arena_fmt(&d->arena, "%s/areas.csv", d->sim), err);

    if (st == PUAN_OK)
        st = puan_sheet_need(&code, s, "code", err);
    if (st == PUAN_OK)
        st = puan_sheet_need(&name, s, "level", err);
    while (st == PUAN_OK) {
        int64_t area;

        st = puan_sheet_next(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        if (puan_str_eq(puan_sheet_row(s)->field[name],
                        d->plan->level[level].id) &&
            puan_int_parse(&area, puan_sheet_row(s)->field[code]))
            st = take_seat(d, r, area, err);
    }
    puan_sheet_close(s);
    return st;
}

enum puan_status puan_people_everybody(struct puan_demo *d,
                                       struct puan_err *err)
{
    const struct puan_plan *plan = d->plan;
    enum puan_status st = PUAN_OK;

    for (size_t i = 0; st == PUAN_OK && i < plan->n_roles; i++) {
        const struct puan_role *r = &plan->role[i];
        size_t at = plan->shard_level;
        int64_t area = d->county[0];

        if (r->credential != PUAN_CREDENTIAL_HUMAN || r->external ||
            r->levels == 0)
            continue;
        if (r->levels >> at & 1) {
            st = take_seat(d, r, area, err);
            continue;
        }
        /* the nearest level above the county, else the first below it */
        while (at > 0 && !(r->levels >> at & 1 && plan->level[at].digits))
            at--;
        if (r->levels >> at & 1 && plan->level[at].digits) {
            for (unsigned n = plan->level[plan->shard_level].digits;
                 n > plan->level[at].digits; n--)
                area /= 10;
            st = take_seat(d, r, area, err);
            continue;
        }
        for (at = plan->shard_level + 1; at < plan->n_levels; at++)
            if (r->levels >> at & 1) {
                st = take_below(d, r, at, err);
                break;
            }
    }
    return st;
}

/* ---- what is written down
 * ------------------------------------------------------ */

#define SHOWN 12

/* Households whose return has not arrived at the moment that is kept: those
 * that fill in themselves before the others, of all sizes. */
static size_t pick(const struct puan_visit **out,
                   const struct puan_demo *d)
{
    int64_t moment = puan_day_moment(d);
    size_t n = 0;

    for (int pass = 0; pass < 3; pass++)
        for (size_t k = 0; k < d->n_counties; k++)
            for (size_t i = 0; i < puan_city_n(d->city[k]); i++) {
                const struct puan_visit *v = puan_city_visit(d->city[k], i);
                uint32_t persons = puan_visit_persons(v);
                unsigned alike = 0;
                char key[24];

                if (n == SHOWN || v->finished_ms < moment ||
                    (pass == 0 && v->staff.n) || persons > 9)
                    continue;
                puan_format(key, sizeof(key), "%lld", (long long)v->household);
                if (!find(d->people->household, d->people->n_household,
                          puan_str_of(key)))
                    continue;
                for (size_t x = 0; x < n; x++) {
                    if (out[x] == v)
                        alike = 100;
                    alike += puan_visit_persons(out[x]) == persons;
                }
                /* first one of each size, then two, then any */
                if (alike > (pass == 0 ? 1u : pass == 1 ? 0u : 2u))
                    continue;
                out[n++] = v;
            }
    return n;
}

struct paper {
    struct puan_out text;
    struct puan_out json;
    struct puan_jw w;
};

static void write_logins(struct paper *p, const struct puan_demo *d)
{
    puan_out_fmt(&p->text, "%-28s  %-24s  %-30s  %s\n", "role 角色",
                 "account 账号", "secret 口令",
                 "second factor 第二因素 (TOTP)");
    puan_jw_key(&p->w, "accounts");
    puan_jw_list(&p->w);
    for (size_t i = 0; i < d->people->n_logins; i++) {
        const struct login *l = &d->people->login[i];
        const struct puan_role *r = puan_plan_role(d->plan, l->role);

        puan_out_fmt(&p->text, "%-28.*s  %-24.*s  %-30.*s  %.*s\n",
                     PUAN_FMT(l->role), PUAN_FMT(l->name), PUAN_FMT(l->own),
                     PUAN_FMT(l->totp));
        puan_jw_map(&p->w);
        puan_jw_kstr(&p->w, "role", l->role);
        puan_jw_kstr(&p->w, "zh", r ? r->zh : l->role);
        puan_jw_kstr(&p->w, "en", r ? r->en : l->role);
        puan_jw_ktext(&p->w, "area",
                      puan_arena_fmt(&d->people->arena, "%lld",
                                     (long long)l->area));
        puan_jw_kstr(&p->w, "account", l->name);
        puan_jw_kstr(&p->w, "secret", l->own);
        puan_jw_kstr(&p->w, "totp", l->totp);
        puan_jw_end(&p->w, '}');
    }
    puan_jw_end(&p->w, ']');
}

static void write_households(struct paper *p, const struct puan_demo *d)
{
    const struct puan_visit *shown[SHOWN];
    size_t n = pick(shown, d);

    puan_out_fmt(&p->text, "\n%-28s  %-24s  %-30s  %s\n", "household 住户",
                 "number 户码", "access code 填报账号", "persons 应登记人数");
    puan_jw_key(&p->w, "households");
    puan_jw_list(&p->w);
    for (size_t i = 0; i < n; i++) {
        const struct machine *m;
        char key[24];

        puan_format(key, sizeof(key), "%lld", (long long)shown[i]->household);
        m = find(d->people->household, d->people->n_household,
                 puan_str_of(key));
        if (m == NULL)
            continue;
        puan_out_fmt(&p->text, "%-28s  %-24s  %-30.*s  %u\n",
                     shown[i]->staff.n ? "household" : "household-self", key,
                     PUAN_FMT(m->secret), puan_visit_persons(shown[i]));
        puan_jw_map(&p->w);
        puan_jw_ktext(&p->w, "household", key);
        puan_jw_kstr(&p->w, "code", m->secret);
        puan_jw_kint(&p->w, "persons", puan_visit_persons(shown[i]));
        puan_jw_kbool(&p->w, "self", shown[i]->staff.n == 0);
        puan_jw_kstr(&p->w, "finished", shown[i]->finished);
        puan_jw_end(&p->w, '}');
    }
    puan_jw_end(&p->w, ']');
}

/* Some of the staff, with their certificates, from the staff roll. */
static enum puan_status write_staff(struct paper *p, const struct puan_demo *d,
                                    struct puan_err *err)
{
    struct puan_sheet *s = NULL;
    int staff, role, area, certificate = -1;
    size_t n = 0;
    bool more;
    enum puan_status st = puan_sheet_open(
        &s, puan_arena_fmt(&d->people->arena, "%s/staff.csv", d->sim), err);

    if (st == PUAN_OK)
        st = puan_sheet_need(&staff, s, "staff", err);
    if (st == PUAN_OK)
        st = puan_sheet_need(&role, s, "role", err);
    if (st == PUAN_OK)
        st = puan_sheet_need(&area, s, "area", err);
    if (st == PUAN_OK)
        st = puan_sheet_need(&certificate, s, "certificate", err);
    puan_out_fmt(&p->text, "\n%-28s  %-24s  %-30s  %s\n", "device 设备",
                 "name 编号", "secret 密钥", "certificate 证号");
    puan_jw_key(&p->w, "devices");
    puan_jw_list(&p->w);
    while (st == PUAN_OK && n < SHOWN) {
        const struct puan_str *f;
        const struct machine *m;

        st = puan_sheet_next(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        f = puan_sheet_row(s)->field;
        m = find(d->people->staff, d->people->n_staff, f[staff]);
        if (m == NULL)
            continue;
        n++;
        puan_out_fmt(&p->text, "%-28.*s  %-24.*s  %-30.*s  %.*s\n",
                     PUAN_FMT(f[role]), PUAN_FMT(m->name), PUAN_FMT(m->secret),
                     PUAN_FMT(f[certificate]));
        puan_jw_map(&p->w);
        puan_jw_kstr(&p->w, "role", f[role]);
        puan_jw_kstr(&p->w, "name", m->name);
        puan_jw_kstr(&p->w, "secret", m->secret);
        puan_jw_kstr(&p->w, "area", f[area]);
        puan_jw_kstr(&p->w, "certificate", f[certificate]);
        puan_jw_end(&p->w, '}');
    }
    puan_jw_end(&p->w, ']');
    puan_sheet_close(s);
    return st;
}

bool puan_people_keeps(const struct puan_demo *d, int64_t household)
{
    const struct puan_visit *shown[SHOWN];
    size_t n = pick(shown, d);

    for (size_t i = 0; i < n; i++)
        if (shown[i]->household == household)
            return true;
    return false;
}

void puan_people_forget(struct puan_demo *d)
{
    for (size_t i = 0; i < d->people->n_logins; i++)
        d->people->login[i].used_ms = 0;
}

enum puan_status puan_people_sender(const char **token, struct puan_demo *d,
                                    const struct puan_visit *v,
                                    struct puan_desk *desk,
                                    struct puan_arena *a, struct puan_err *err)
{
    struct puan_people *p = d->people;
    char key[24], *own = puan_arena_get(a, 96);
    const struct machine *m;
    enum puan_status st;

    puan_format(key, sizeof(key), "%lld", (long long)v->household);
    m = v->staff.n
            ? find(p->staff, p->n_staff, v->staff)
            : find(p->household, p->n_household, puan_str_of(key));
    if (own == NULL)
        return puan_arena_check(a, err);
    if (m == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "sender", "nobody sends %s", key);
    st = machine_in(own, m, v->staff.n ? "device" : "household", desk,
                    d->campaign, a, err);
    *token = own;
    return st;
}

void puan_people_ring(struct puan_out *o, const struct puan_demo *d,
                      int64_t now_s)
{
    const struct puan_visit *shown[SHOWN];
    size_t n = pick(shown, d);

    puan_out_text(o, "<h2>岗位 Seats</h2><table><thead><tr><th>岗位 seat<th>"
                     "账号 account<th>口令 password<th>一次性口令 one-time code"
                     "</thead><tbody>");
    for (size_t i = 0; i < d->people->n_logins; i++) {
        const struct login *l = &d->people->login[i];
        const struct puan_role *r = puan_plan_role(d->plan, l->role);
        uint8_t raw[64];
        int k = l->totp.n ? puan_unbase32(raw, sizeof(raw), l->totp) : 0;

        puan_out_text(o, "<tr><td>");
        puan_out_markup(o, r ? r->zh : l->role);
        puan_out_text(o, " ");
        puan_out_markup(o, r ? r->en : PUAN_STR(""));
        puan_out_text(o, "<td><code>");
        puan_out_markup(o, l->name);
        puan_out_text(o, "</code><td><code>");
        puan_out_markup(o, l->own);
        puan_out_text(o, "</code><td><code>");
        if (k > 0)
            puan_out_fmt(
                o, "%06u",
                puan_totp((struct puan_str){ (char *)raw, (size_t)k }, now_s,
                          6));
        puan_out_text(o, "</code>");
    }
    puan_out_text(o, "</table>");
    if (n > 0)
        puan_out_text(
            o, "<h2>住户 Households</h2><p>这些住户还没有填报。 Their returns "
               "have not arrived.</p><table><thead><tr><th>户码 number<th>"
               "填报账号 access code<th>应登记人数 persons</thead><tbody>");
    for (size_t i = 0; i < n; i++) {
        char key[24];
        const struct machine *m;

        puan_format(key, sizeof(key), "%lld", (long long)shown[i]->household);
        m = find(d->people->household, d->people->n_household,
                 puan_str_of(key));
        if (m == NULL)
            continue;
        puan_out_fmt(o, "<tr><td><code>%s</code><td><code>", key);
        for (size_t c = 0; c < m->secret.n; c++) {
            if (c && c % 4 == 0)
                puan_out_char(o, ' ');
            puan_out_char(o, m->secret.p[c]);
        }
        puan_out_fmt(o, "</code><td>%u", puan_visit_persons(shown[i]));
    }
    if (n > 0)
        puan_out_text(o, "</table>");
}

bool puan_people_first(const struct puan_demo *d, size_t i,
                       const struct puan_role **role, struct puan_str *name,
                       struct puan_str *secret)
{
    const struct login *l = &d->people->login[i];

    *role = puan_plan_role(d->plan, l->role);
    *name = l->name;
    *secret = l->own;
    for (size_t k = 0; k < i; k++)
        if (puan_str_eq(d->people->login[k].role, l->role))
            return false;
    return true;
}

size_t puan_people_logins(const struct puan_demo *d)
{
    return d->people->n_logins;
}

enum puan_status puan_people_certificates(const char **numbers, size_t *n,
                                          size_t max, const struct puan_demo *d,
                                          struct puan_err *err)
{
    struct puan_sheet *s = NULL;
    int certificate;
    bool more;
    enum puan_status st = puan_sheet_open(
        &s, puan_arena_fmt(&d->people->arena, "%s/staff.csv", d->sim), err);

    *n = 0;
    if (st == PUAN_OK)
        st = puan_sheet_need(&certificate, s, "certificate", err);
    while (st == PUAN_OK && *n < max) {
        st = puan_sheet_next(&more, s, err);
        if (st != PUAN_OK || !more)
            break;
        numbers[(*n)++] = puan_arena_dup(
            &d->people->arena, puan_sheet_row(s)->field[certificate]);
    }
    puan_sheet_close(s);
    return st;
}

enum puan_status puan_people_write(const struct puan_demo *d,
                                   struct puan_err *err)
{
    struct puan_arena *a = &d->people->arena;
    struct paper p;
    char at[32];
    enum puan_status st;

    puan_out_init(&p.text, a);
    puan_out_init(&p.json, a);
    puan_jw_init(&p.w, &p.json);
    puan_jw_map(&p.w);
    puan_jw_ktext(&p.w, "campaign", d->campaign);
    if (d->day) {
        puan_instant_text(at, puan_day_moment(d), d->plan->offset_minutes);
        puan_jw_ktext(&p.w, "day", at);
    }
    write_logins(&p, d);
    write_households(&p, d);
    st = write_staff(&p, d, err);
    puan_jw_end(&p.w, '}');
    if (st == PUAN_OK)
        st = puan_file_write(puan_arena_fmt(a, "%s/accounts.txt", d->o.dir),
                             puan_out_view(&p.text), 0600, err);
    if (st == PUAN_OK)
        st = puan_file_write(puan_arena_fmt(a, "%s/accounts.json", d->o.dir),
                             puan_out_view(&p.json), 0600, err);
    return st;
}

void puan_people_close(struct puan_people *p)
{
    if (p == NULL)
        return;
    free(p->staff);
    free(p->household);
    puan_arena_clear(&p->arena);
    free(p);
}
