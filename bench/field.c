/*
 * Before and after the evening: a campaign with its credentials and enrolled
 * tablets, and what the stores hold when it is over.
 */
#include "field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "core/plan/plan.h"
#include "features/host/host.h"
#include "kit/crypto/crypto.h"
#include "kit/http/client.h"
#include "kit/os/os.h"

#define API "/api/v1/c/cn-population-2020"

const char *const field_kind_names[FIELD_KINDS] = {
    "device sign-in",   "device contact",  "upload begun",
    "piece, receipt",   "campaign",        "list of the area",
    "sign-in by code",  "sign-in, password", "password set",
    "place in the line", "own facts",      "form",
    "draft read",       "draft saved",     "return sent",
    "draft deleted",    "signed out",
};

void field_wrong(struct field *f, const struct crowd_actor *a,
                 const struct crowd_reply *r, const char *who)
{
    if (f->wrong++ == 0)
        puan_format(f->why, sizeof(f->why), "%s, %s: %u %.*s", who,
                    field_kind_names[a->kind], r->status,
                    (int)(r->body.n < 160 ? r->body.n : 160), r->body.p);
}

/* ---- an office for a moment -------------------------------------------------- */

struct desk {
    struct puan_store *st;
    struct puan_host *host;
    struct puan_http_client *client;
    struct puan_http_reply reply;
    struct puan_arena a;
};

static enum puan_status desk_open(struct desk *k, const struct field *f,
                                  struct puan_err *err)
{
    struct puan_store_options opt = { .url = f->load.url,
                                      .kek_file = f->load.kek_file };
    struct puan_host_options host = { .listen = "127.0.0.1:0",
                                      .workers = 4,
                                      .loops = 2,
                                      .quiet = true };
    enum puan_status st;

    memset(k, 0, sizeof(*k));
    puan_arena_init(&k->a, puan_os_alloc());
    st = puan_store_open(&k->st, f->load.dir, &opt, err);
    if (st == PUAN_OK)
        st = puan_host_start(&k->host, k->st, puan_features, &host, err);
    if (st == PUAN_OK)
        st = puan_http_client_open(&k->client, puan_host_address(k->host),
                                   err);
    return st;
}

static void desk_close(struct desk *k)
{
    puan_http_client_close(k->client);
    puan_host_stop(k->host);
    puan_store_close(k->st);
    puan_arena_clear(&k->a);
}

static const char *seat(struct desk *k, const char *role, int64_t area,
                        struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(k->st);
    int64_t now = puan_real_now();
    struct puan_who who = { .credential = PUAN_CRED_HUMAN,
                            .account = 900,
                            .seat = 900,
                            .area = area,
                            .role = -1,
                            .factor_ms = now };
    char token[PUAN_TOKEN_TEXT];

    for (size_t i = 0; i < plan->n_roles; i++)
        if (puan_str_is(plan->role[i].id, role))
            who.role = (int32_t)i;
    puan_format(who.name, sizeof(who.name), "%s", role);
    puan_format(who.role_name, sizeof(who.role_name), "%s", role);
    puan_format(who.seat_text, sizeof(who.seat_text), "%s@%lld", role,
                (long long)area);
    if (puan_session_open(token, puan_host_sessions(k->host), &who, now,
                          3600000, now + 3600000, err) != PUAN_OK)
        return NULL;
    return puan_arena_dup(&k->a, puan_str_of(token));
}

static enum puan_status call(struct desk *k, const char *method,
                             const char *path, const char *token,
                             struct puan_str body, unsigned wanted,
                             struct puan_err *err)
{
    struct puan_http_call c = { .method = method, .path = path,
                                .token = token, .body = body };
    enum puan_status st = puan_http_call(&k->reply, k->client, &c, err);

    if (st == PUAN_OK && k->reply.status != wanted)
        return puan_fail(err, PUAN_EINVAL, path, "%u %.*s", k->reply.status,
                         (int)(k->reply.body.n < 200 ? k->reply.body.n : 200),
                         k->reply.body.p);
    return st;
}

static const struct puan_node *answer(struct desk *k, struct puan_arena *a)
{
    struct puan_node *n = NULL;

    (void)!puan_json_tree(&n, puan_arena_keep(a, k->reply.body), "reply", a,
                          NULL);
    return n;
}

/* ---- credentials ---------------------------------------------------------------- */

static int64_t county_of(const struct field *f, unsigned i)
{
    return load_ea(&f->load, (uint64_t)i * f->load.eas) / 1000000000;
}

/* One batch: a list of what `row` writes for those of the county. */
static enum puan_status issue(struct desk *k, struct field *f, unsigned county,
                              const char *kind, const char *role,
                              const struct puan_out *list,
                              struct puan_err *err)
{
    const char *token = seat(k, "security-admin", 0, err);
    struct puan_out o;
    struct puan_str rows = puan_out_view(list);

    if (!token)
        return PUAN_EIO;
    puan_out_init(&o, &k->a);
    puan_out_fmt(&o,
                 "{\"kind\":\"%s\",\"role\":\"%s\",\"area\":\"%lld\","
                 "\"list\":[%.*s]}",
                 kind, role, (long long)county_of(f, county), PUAN_FMT(rows));
    return call(k, "POST", API "/credentials", token, puan_out_view(&o), 201,
                err);
}

static enum puan_status issue_tablets(struct desk *k, struct field *f,
                                      const struct tablet *t, unsigned n,
                                      struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    for (unsigned c = 0; c < f->load.counties && st == PUAN_OK; c++) {
        struct puan_out list;
        bool some = false;

        puan_out_init(&list, &k->a);
        for (unsigned i = 0; i < n; i++) {
            if (t[i].ea / 1000000000 != county_of(f, c))
                continue;
            puan_out_fmt(&list, "%s{\"name\":\"e%u\",\"area\":\"%lld\"}",
                         some ? "," : "", i, (long long)t[i].ea);
            some = true;
        }
        if (some)
            st = issue(k, f, c, "device", "enumerator", &list, err);
    }
    return st;
}

/* "household,code,area," rows into the families, which stand in that order. */
static void take_codes(struct family *m, unsigned n, struct puan_str csv)
{
    struct puan_str line, cell;
    unsigned at = 0;

    (void)puan_str_split(&line, &csv, '\n');
    while (puan_str_split(&line, &csv, '\n') && line.n) {
        int64_t household = 0;

        (void)puan_str_split(&cell, &line, ',');
        (void)puan_int_parse(&household, cell);
        (void)puan_str_split(&cell, &line, ',');
        while (at < n && m[at].household != household)
            at++;
        if (at < n)
            puan_format(m[at].code, sizeof(m[at].code), "%.*s",
                        PUAN_FMT(cell));
    }
}

static enum puan_status issue_families(struct desk *k, struct field *f,
                                       struct family *m, unsigned n,
                                       struct puan_err *err)
{
    enum puan_status st = PUAN_OK;

    for (unsigned c = 0; c < f->load.counties && st == PUAN_OK; c++) {
        struct puan_out list;
        bool some = false;

        puan_out_init(&list, &k->a);
        for (unsigned i = 0; i < n; i++) {
            if (m[i].household / INT64_C(1000000000000) != county_of(f, c))
                continue;
            puan_out_fmt(&list, "%s%lld", some ? "," : "",
                         (long long)m[i].household);
            some = true;
        }
        if (!some)
            continue;
        st = issue(k, f, c, "household", "household", &list, err);
        if (st == PUAN_OK)
            take_codes(m, n, puan_arena_keep(&k->a, k->reply.body));
    }
    return st;
}

/* ---- tablets ---------------------------------------------------------------------- */

static struct puan_p256 *public_of(const struct puan_node *n,
                                   struct puan_err *err)
{
    uint8_t raw[PUAN_P256_PUBLIC];
    struct puan_p256 *k = NULL;

    if (puan_unbase64(raw, sizeof(raw), puan_node_str_opt(n, "public", "")) !=
            (int)sizeof(raw) ||
        puan_p256_load_public(
            &k, (struct puan_str){ (const char *)raw, sizeof(raw) }, err) !=
            PUAN_OK)
        return NULL;
    return k;
}

static enum puan_status enrol(struct desk *k, struct field *f,
                              struct tablet *t, unsigned number,
                              const char *token, struct puan_arena *a,
                              struct puan_err *err)
{
    uint8_t point[PUAN_P256_PUBLIC];
    char key[2 * PUAN_P256_PUBLIC], body[400];
    const struct puan_node *n, *office;
    int64_t id = 0;
    size_t len;
    enum puan_status st = puan_p256_generate(&t->sign, err);

    if (st != PUAN_OK)
        return st;
    len = puan_format(body, sizeof(body), "{\"account\":\"e%u\"}", number);
    st = call(k, "POST", API "/field/enrolments", token,
              (struct puan_str){ body, len }, 201, err);
    if (st != PUAN_OK)
        return st;
    puan_p256_public(point, t->sign);
    puan_base64(key, point, sizeof(point));
    n = answer(k, a);
    len = puan_format(body, sizeof(body),
                      "{\"code\":\"%.*s\",\"name\":\"tablet\",\"sign_key\":"
                      "\"%s\"}",
                      PUAN_FMT(puan_node_str_opt(n, "code", "")), key);
    st = call(k, "POST", API "/field/enrol", NULL,
              (struct puan_str){ body, len }, 201, err);
    if (st != PUAN_OK)
        return st;
    n = answer(k, a);
    office = puan_node_get(n, "office");
    puan_format(t->device, sizeof(t->device), "%.*s",
                PUAN_FMT(puan_node_str_opt(n, "device", "")));
    puan_format(t->secret, sizeof(t->secret), "%.*s",
                PUAN_FMT(puan_node_str_opt(n, "secret", "")));
    if (!f->office) {
        f->office = public_of(puan_node_get(office, "key"), err);
        f->receipts = public_of(puan_node_get(office, "receipt"), err);
        (void)puan_int_parse(
            &id, puan_node_str_opt(puan_node_get(office, "key"), "id", "0"));
        f->key_id = (uint16_t)id;
        f->campaign = strdup(puan_store_id(k->st));
    }
    return f->office && f->receipts
               ? PUAN_OK
               : puan_fail(err, PUAN_EINVAL, "key", "the office gave no keys");
}

static void divide(struct field *f, struct tablet *t, unsigned n_t,
                   struct family *m, unsigned n_m)
{
    const struct load_options *o = &f->load;
    uint64_t eas = (uint64_t)o->counties * o->eas;
    unsigned left = o->households - f->returns;

    for (unsigned i = 0; i < n_t; i++) {
        int64_t *own = calloc(f->returns, sizeof(*own));

        if (!own)
            abort();
        t[i].f = f;
        t[i].ea = load_ea(o, i % eas);
        t[i].n = f->returns;
        t[i].household = own;
        t[i].actor.number = i + 1;
        for (unsigned k = 0; k < f->returns; k++)
            own[k] = load_household(o, (i % eas) * o->households + k);
    }
    for (unsigned i = 0; i < n_m; i++) {
        m[i].f = f;
        m[i].actor.number = 100000 + i;
        m[i].household = load_household(
            o, (i / left % eas) * o->households + f->returns + i % left);
    }
}

enum puan_status field_prepare(struct field *f, struct tablet *tablet,
                               unsigned n_tablets, struct family *family,
                               unsigned n_families, struct puan_err *err)
{
    struct puan_arena each;
    struct desk k;
    enum puan_status st = load_prepare(&f->load, true, err);

    if (st != PUAN_OK)
        return st;
    divide(f, tablet, n_tablets, family, n_families);
    st = desk_open(&k, f, err);
    if (st == PUAN_OK)
        st = issue_tablets(&k, f, tablet, n_tablets, err);
    if (st == PUAN_OK)
        st = issue_families(&k, f, family, n_families, err);
    puan_arena_init(&each, puan_os_alloc());
    for (unsigned i = 0; i < n_tablets && st == PUAN_OK; i++) {
        static const char role[] = "county-data";
        const char *token = NULL;

        puan_arena_reset(&each);
        token = seat(&k, role, tablet[i].ea / 1000000000, err);
        st = token ? enrol(&k, f, &tablet[i], i, token, &each, err) : PUAN_EIO;
    }
    puan_arena_clear(&each);
    desk_close(&k);
    return st;
}

/* ---- the books ----------------------------------------------------------------------- */

struct expected {
    int64_t household;
    unsigned n;
};

static int by_household(const void *x, const void *y)
{
    const struct expected *a = x, *b = y;

    return (a->household > b->household) - (a->household < b->household);
}

/* Counts what a store holds; a household no book names is a difference. */
static enum puan_status count(struct expected *e, size_t n, unsigned *strange,
                              struct puan_shard *sh, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_db *db;
    bool more = false;
    enum puan_status st = puan_read_begin(&db, sh, err);

    if (st != PUAN_OK)
        return st;
    st = puan_sql(&s, db, "SELECT household FROM ret", err);
    while (st == PUAN_OK && (st = puan_stmt_step(&more, s, err)) == PUAN_OK &&
           more) {
        struct expected key = { .household = puan_col_int(s, 0) };
        struct expected *at = bsearch(&key, e, n, sizeof(*e), by_household);

        if (at)
            at->n++;
        else
            ++*strange;
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    return st;
}

static enum puan_status reconcile(struct desk *k, const struct field *f,
                                  int64_t counts[4], double *ms,
                                  struct puan_err *err)
{
    static const char *const name[] = { "ledger", "waiting", "on_device",
                                        "unknown" };

    for (unsigned c = 0; c < f->load.counties; c++) {
        int64_t area = county_of(f, c), began, v;
        char path[100];
        const char *token = seat(k, "county-data", area, err);
        const struct puan_node *n;
        enum puan_status st;

        puan_format(path, sizeof(path), API "/field/reconciliation?area=%lld",
                    (long long)area);
        began = puan_os_mono_ns();
        st = call(k, "GET", path, token, PUAN_STR(""), 200, err);
        if (st != PUAN_OK)
            return st;
        *ms += (double)(puan_os_mono_ns() - began) / 1e6;
        n = puan_node_get(answer(k, &k->a), "counts");
        for (int i = 0; i < 4 && n; i++)
            if (puan_int_parse(&v, puan_node_str_opt(n, name[i], "0")))
                counts[i] += v;
    }
    return PUAN_OK;
}

unsigned field_books(struct field *f, const struct tablet *tablet,
                     unsigned n_tablets, const struct family *family,
                     unsigned n_families, int64_t counts[4], double *ms)
{
    struct expected *e = calloc((size_t)n_tablets * f->returns + n_families + 1,
                                sizeof(*e));
    struct puan_err err = { 0 };
    unsigned wrong = 0, strange = 0, lost = 0, doubled = 0;
    struct desk k;
    size_t n = 0;
    enum puan_status rc;

    memset(counts, 0, 4 * sizeof(*counts));
    *ms = 0;
    if (!e)
        return 1;
    for (unsigned i = 0; i < n_tablets; i++) {
        wrong += tablet[i].n - tablet[i].had; /* no receipt */
        for (unsigned r = 0; r < tablet[i].n; r++)
            e[n++].household = tablet[i].household[r];
    }
    for (unsigned i = 0; i < n_families; i++)
        if (family[i].delivered)
            e[n++].household = family[i].household;
    qsort(e, n, sizeof(*e), by_household);
    rc = desk_open(&k, f, &err);
    for (size_t i = 1; rc == PUAN_OK && i < puan_store_shards(k.st); i++)
        rc = count(e, n, &strange, puan_store_shard(k.st, i), &err);
    if (rc == PUAN_OK)
        rc = reconcile(&k, f, counts, ms, &err);
    desk_close(&k);
    for (size_t i = 0; i < n; i++) {
        lost += e[i].n == 0;
        doubled += e[i].n > 1;
    }
    free(e);
    if (rc != PUAN_OK) {
        fprintf(stderr, "bench_devices: %s: %s\n", err.where, err.text);
        return wrong + 1;
    }
    if (wrong + strange + lost + doubled)
        fprintf(stderr,
                "bench_devices: %u without a receipt, %u lost, %u doubled, "
                "%u nobody sent\n",
                wrong, lost, doubled, strange);
    return wrong + strange + lost + doubled;
}
