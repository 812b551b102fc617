/*
 * Accounts, seats and tokens of the demonstration; see people.h.
 */
#include "features/demo/people.h"

#include <stdlib.h>

#include "base/calendar.h"
#include "base/csv.h"
#include "core/area/area.h"
#include "kit/crypto/crypto.h"
#include "kit/os/os.h"

#define SEATS_MAX 2048

struct machine {
    struct puan_str name, secret;
    char token[96];
};

struct seat {
    const struct puan_role *role;
    int64_t area;
    char token[96];
    struct puan_str totp;
};

struct puan_people {
    struct puan_arena arena;
    struct puan_out accounts; /* what is printed for whoever tries the demo */
    char system[96], security[96];
    struct puan_str security_totp;
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
static enum puan_status settle(char token[96], struct puan_demo *d,
                               struct puan_desk *k, struct puan_str name,
                               struct puan_str role, struct puan_str first,
                               struct puan_str totp, struct puan_err *err)
{
    struct puan_people *p = d->people;
    struct puan_arena *a = &p->arena;
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
        st = sign_in(token, k, name, own, totp, now + 30, a, err);
    puan_out_fmt(&p->accounts, "%-28.*s  %-24.*s  %-30.*s  %.*s\n",
                 PUAN_FMT(role), PUAN_FMT(name), PUAN_FMT(own), PUAN_FMT(totp));
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
        char token[96];

        st = puan_csv_next(&more, &c, err);
        if (st != PUAN_OK || !more)
            break;
        st = settle(token, d, k, c.field[0], c.field[1], c.field[2], c.field[3],
                    err);
        if (i < 2)
            memcpy(i == 0 ? p->system : p->security, token, sizeof(token));
        if (i == 1)
            p->security_totp = puan_arena_keep(&p->arena, c.field[3]);
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

    memcpy(k->token, p->system, sizeof(k->token));
    st = puan_desk_call(
        &made, NULL, k, "POST", "/accounts",
        puan_arena_fmt(a, "{\"name\":\"%s\",\"person\":\"%s\"}", name, name), 0,
        a, err);
    if (st == PUAN_OK)
        st = puan_node_str(&secret, made, "secret", err);
    if (st != PUAN_OK)
        return st;
    totp = puan_node_str_opt(made, "totp", "");
    memcpy(k->token, p->security, sizeof(k->token));
    k->totp = p->security_totp;
    st = puan_desk_call(NULL, NULL, k, "POST", "/seats",
                        puan_arena_fmt(a,
                                       "{\"account\":\"%s\",\"role\":\"%.*s\","
                                       "\"area\":\"%lld\"}",
                                       name, PUAN_FMT(s->role->id),
                                       (long long)s->area),
                        0, a, err);
    k->totp = s->totp = puan_arena_keep(a, totp);
    if (st == PUAN_OK)
        st = settle(s->token, d, k, puan_str_of(name), s->role->id, secret,
                    totp, err);
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
        if (s->role == r && s->area == area) {
            memcpy(k->token, s->token, sizeof(k->token));
            k->totp = s->totp;
            return PUAN_OK;
        }
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
    memcpy(k->token, s->token, sizeof(k->token));
    return PUAN_OK;
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
    struct puan_http_call call = { .method = "POST", .token = p->security };
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

enum puan_status puan_people_clock(struct puan_demo *d, int64_t campaign_ms,
                                   struct puan_err *err)
{
    struct puan_people *p = d->people;
    struct puan_desk k;
    char t[32];
    enum puan_status st = puan_desk_open(&k, d, err);

    if (st != PUAN_OK)
        return st;
    k.campaign = d->campaign;
    memcpy(k.token, p->system, sizeof(k.token));
    puan_instant_text(t, campaign_ms, d->plan->offset_minutes);
    st = puan_desk_call(
        NULL, NULL, &k, "POST", "/clock",
        puan_arena_fmt(&d->arena, "{\"now\":\"%s\",\"rate\":1000}", t), 0,
        &d->arena, err);
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
    puan_out_init(&p->accounts, &p->arena);
    puan_out_fmt(&p->accounts, "%-28s  %-24s  %-30s  %s\n", "role 角色",
                 "account 账号", "secret 口令",
                 "second factor 第二因素 (TOTP)");
    st = puan_desk_open(&k, d, err);
    k.campaign = d->campaign;
    if (st == PUAN_OK)
        st = administrators(d, &k, err);
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

enum puan_status puan_people_write(const struct puan_demo *d,
                                   struct puan_err *err)
{
    return puan_file_write(
        puan_arena_fmt(&d->people->arena, "%s/accounts.txt", d->o.dir),
        puan_out_view(&d->people->accounts), 0600, err);
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
