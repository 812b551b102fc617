/*
 * A device of the trial plan over HTTP, doing itself what an app in a browser
 * does: enrols, seals, sends in pieces over a line that breaks, brings its
 * chain, is taken away, wipes; and its bundle by other paths.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "core/device/device.h"
#include "core/plan/plan.h"
#include "features/devices/devices.h"
#include "features/devices/relay.h"
#include "features/host/session.h"
#include "features/host/test_fixture.h"
#include "kit/crypto/keys.h"
#include "kit/crypto/p256.h"
#include "kit/os/os.h"

#define BASE "/api/v1/c/zz-test"
#define ONE INT64_C(110010010001)
#define TWO INT64_C(110010010002)
#define FAR INT64_C(110020010001)
#define CHAIN 64

static struct puan_fix *fix;
static struct puan_http_reply reply;
static const char *engine;

/* ---- the office ----------------------------------------------------------- */

static const char *seat(const char *role, int64_t area)
{
    const struct puan_plan *plan = puan_store_plan(fix->st);
    struct puan_who who = { .credential = PUAN_CRED_HUMAN, .account = 8,
                            .area = area, .role = -1 };
    char token[PUAN_TOKEN_TEXT];

    for (size_t i = 0; i < plan->n_roles; i++)
        if (puan_str_is(plan->role[i].id, role))
            who.role = (int32_t)i;
    assert_true(who.role >= 0);
    puan_format(who.name, sizeof(who.name), "u8");
    puan_format(who.role_name, sizeof(who.role_name), "%s", role);
    puan_format(who.seat_text, sizeof(who.seat_text), "%s", role);
    who.factor_ms = puan_real_now();
    ok(puan_session_open(token, puan_host_sessions(fix->host), &who,
                         puan_real_now(), 600000, puan_real_now() + 600000,
                         err));
    return puan_arena_dup(&fix->a, puan_str_of(token));
}

static unsigned call(const char *method, const char *path, const char *token,
                     struct puan_str body)
{
    struct puan_http_call c = {
        .method = method,
        .path = puan_arena_fmt(&fix->a, BASE "%s", path),
        .token = token,
        .body = body
    };

    ok(puan_http_call(&reply, fix->client, &c, err));
    return reply.status;
}

static const struct puan_node *answer(void)
{
    struct puan_node *n;
    struct puan_str kept = puan_arena_keep(&fix->a, reply.body);

    ok(puan_json_tree(&n, kept, "reply", &fix->a, err));
    return n;
}

static struct puan_str text(const struct puan_node *n, const char *key)
{
    return puan_node_str_opt(n, key, "(none)");
}

static bool says(const struct puan_node *n, const char *key, const char *value)
{
    return puan_str_is(text(n, key), value);
}

static struct puan_str fmt(const char *f, ...) PUAN_PRINTF(1, 2);
static struct puan_str fmt(const char *f, ...)
{
    char buf[4096];
    va_list ap;

    va_start(ap, f);
    (void)vsnprintf(buf, sizeof(buf), f, ap);
    va_end(ap);
    return puan_arena_keep(&fix->a, puan_str_of(buf));
}

static int open_canton(void **state)
{
    (void)state;
    fix = puan_fix_canton(engine);
    puan_fix_serve(fix, 2, 1);
    assert_int_equal(
        call("POST", "/credentials", seat("security-admin", 11),
             PUAN_STR("{\"kind\":\"device\",\"role\":\"enumerator\","
                      "\"area\":\"11\",\"list\":["
                      "{\"name\":\"e1\",\"area\":\"11001001\"},"
                      "{\"name\":\"e2\",\"area\":\"11002001\"}]}")),
        201);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    puan_fix_end(fix);
    return 0;
}

/* ---- the device ------------------------------------------------------------ */

struct tablet {
    struct puan_str device, secret, campaign;
    const char *token;
    struct puan_p256 *sign, *office, *receipts;
    uint16_t key_id;
    struct puan_str link[CHAIN];
    uint32_t n, told; /* links, and how many the office has */
    uint8_t head[PUAN_DIGEST_SIZE];
    uint32_t counter;
};

static struct puan_str b64(const void *p, size_t n)
{
    char *out = puan_arena_get(&fix->a, 4 * ((n + 2) / 3) + 1);

    puan_base64(out, p, n);
    return puan_str_of(out);
}

static struct puan_p256 *public_of(const struct puan_node *n)
{
    uint8_t raw[PUAN_P256_PUBLIC];
    struct puan_p256 *k;

    assert_int_equal(puan_unbase64(raw, sizeof(raw), text(n, "public")),
                     sizeof(raw));
    ok(puan_p256_load_public(
        &k, (struct puan_str){ (const char *)raw, sizeof(raw) }, err));
    return k;
}

static struct puan_str signature(struct tablet *t, struct puan_str message)
{
    uint8_t sig[PUAN_P256_SIGNATURE];

    ok(puan_p256_sign(sig, t->sign, message, err));
    return b64(sig, sizeof(sig));
}

static struct puan_str code_for(const char *account)
{
    assert_int_equal(
        call("POST", "/field/enrolments", seat("canton-registrar", 11),
             fmt("{\"account\":\"%s\"}", account)),
        201);
    return text(answer(), "code");
}

static unsigned try_enrol(struct tablet *t, struct puan_str code)
{
    uint8_t point[PUAN_P256_PUBLIC];

    memset(t, 0, sizeof(*t));
    ok(puan_p256_generate(&t->sign, err));
    puan_p256_public(point, t->sign);
    return call("POST", "/field/enrol", NULL,
                fmt("{\"code\":\"%.*s\",\"name\":\"tablet\","
                    "\"sign_key\":\"%.*s\"}",
                    PUAN_FMT(code), PUAN_FMT(b64(point, sizeof(point)))));
}

static unsigned sign_in(struct tablet *t)
{
    unsigned status =
        call("POST", "/field/session", NULL,
             fmt("{\"device\":\"%.*s\",\"secret\":\"%.*s\"}",
                 PUAN_FMT(t->device), PUAN_FMT(t->secret)));

    if (status == 200)
        t->token = puan_arena_dup(&fix->a, text(answer(), "token"));
    return status;
}

static struct tablet enrolled(const char *account)
{
    struct tablet t;
    const struct puan_node *n, *office;

    assert_int_equal(try_enrol(&t, code_for(account)), 201);
    n = answer();
    office = puan_node_get(n, "office");
    t.device = text(n, "device");
    t.secret = text(n, "secret");
    t.campaign = text(office, "campaign");
    t.office = public_of(puan_node_get(office, "key"));
    t.receipts = public_of(puan_node_get(office, "receipt"));
    t.key_id = 1;
    puan_chain_start(t.head, puan_digest_sha256(), t.campaign, t.device);
    assert_int_equal(sign_in(&t), 200);
    return t;
}

static void gone(struct tablet *t)
{
    puan_p256_free(t->sign);
    puan_p256_free(t->office);
    puan_p256_free(t->receipts);
}

static void did(struct tablet *t, enum puan_link_act act, int64_t household,
                uint32_t counter, const uint8_t *digest)
{
    struct puan_link l = { .n = t->n + 1, .at = puan_real_now(), .act = act,
                           .household = household, .counter = counter,
                           .has_digest = digest != NULL };
    struct puan_out o;

    if (digest)
        memcpy(l.digest, digest, sizeof(l.digest));
    puan_out_init(&o, &fix->a);
    puan_link_write(&o, &l);
    t->link[t->n++] = puan_out_view(&o);
    puan_chain_step(t->head, puan_digest_sha256(), puan_out_view(&o));
}

static struct puan_str head_hex(const struct tablet *t)
{
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    puan_hex(hex, t->head, sizeof(t->head));
    return fmt("%s", hex);
}

static unsigned contact(struct tablet *t, uint32_t from)
{
    struct puan_str head = head_hex(t), sig;
    struct puan_out o;

    sig = signature(t, fmt("puan-contact-1|%.*s|%.*s|%u|%.*s",
                           PUAN_FMT(t->campaign), PUAN_FMT(t->device), t->n,
                           PUAN_FMT(head)));
    puan_out_init(&o, &fix->a);
    puan_out_fmt(&o, "{\"time\":%lld,\"from\":%u,\"links\":[",
                 (long long)puan_real_now(), from);
    for (uint32_t i = from - 1; i < t->n; i++)
        puan_out_fmt(&o, "%s\"%.*s\"", i > from - 1 ? "," : "",
                     PUAN_FMT(t->link[i]));
    puan_out_fmt(&o, "],\"head\":\"%.*s\",\"signature\":\"%.*s\"}",
                 PUAN_FMT(head), PUAN_FMT(sig));
    return call("POST", "/field/contact", t->token, puan_out_view(&o));
}

/* A document, sealed; the tablet keeps nothing it could open. */
static struct puan_str sealed(struct tablet *t, int64_t household,
                              unsigned base, const char *rooms)
{
    struct puan_str doc = puan_fix_return(fix, household, base, ++t->counter,
                                          rooms, "enumerator", "");
    struct puan_sealed s = { .campaign = t->campaign, .device = t->device,
                             .household = household, .counter = t->counter };
    struct puan_out o, e;
    const char *at = strstr(doc.p, "\"d-1\"");

    assert_non_null(at);
    doc = fmt("%.*s\"%.*s\"%s", (int)(at - doc.p), doc.p, PUAN_FMT(t->device),
              at + 5);
    puan_digest_one(s.digest, puan_digest_sha256(), doc);
    puan_out_init(&e, &fix->a);
    ok(puan_envelope_seal(&e, t->office, t->key_id,
                          puan_sealed_aad(&fix->a, &s), doc, err));
    s.envelope = puan_out_view(&e);
    puan_out_init(&o, &fix->a);
    puan_sealed_write(&o, &s);
    did(t, PUAN_LINK_SEALED, household, t->counter, s.digest);
    return puan_out_view(&o);
}

static struct puan_str digest_of(struct puan_str bytes)
{
    uint8_t d[PUAN_DIGEST_SIZE];
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    puan_digest_one(d, puan_digest_sha256(), bytes);
    puan_hex(hex, d, sizeof(d));
    return fmt("%s", hex);
}

static unsigned begin(struct tablet *t, struct puan_str bytes)
{
    return call("POST", "/field/uploads", t->token,
                fmt("{\"digest\":\"%.*s\",\"size\":%zu}",
                    PUAN_FMT(digest_of(bytes)), bytes.n));
}

static unsigned piece(struct tablet *t, struct puan_str bytes, size_t at,
                      size_t n)
{
    struct puan_http_call c = {
        .method = "PUT",
        .path = fmt(BASE "/field/uploads/%.*s-%zu?at=%zu",
                    PUAN_FMT(digest_of(bytes)), bytes.n, at)
                    .p,
        .token = t->token,
        .content_type = "application/octet-stream",
        .body = { bytes.p + at, n }
    };

    ok(puan_http_call(&reply, fix->client, &c, err));
    return reply.status;
}

/* The receipt of the last answer: its signature is the office's. */
static struct puan_str receipt(struct tablet *t, const struct puan_node *r)
{
    uint8_t sig[PUAN_P256_SIGNATURE];

    assert_non_null(r);
    assert_int_equal(puan_unbase64(sig, sizeof(sig), text(r, "signature")),
                     sizeof(sig));
    ok(puan_p256_verify(
        t->receipts, text(r, "text"),
        (struct puan_str){ (const char *)sig, sizeof(sig) }, err));
    return text(r, "text");
}

static struct puan_str send_all(struct tablet *t, struct puan_str bytes)
{
    assert_int_equal(begin(t, bytes), 200);
    assert_int_equal(piece(t, bytes, 0, bytes.n), 200);
    return receipt(t, puan_node_get(answer(), "receipt"));
}

/* "puan-receipt-1|campaign|device|household|counter|digest|OUTCOME|…" */
static bool outcome_is(struct puan_str text, const char *outcome)
{
    struct puan_str part = { 0 };

    for (int i = 0; i < 7; i++)
        assert_true(puan_str_split(&part, &text, '|'));
    return puan_str_is(part, outcome);
}

static const struct puan_node *counts(int64_t area)
{
    assert_int_equal(
        call("GET",
             puan_arena_fmt(&fix->a, "/field/reconciliation?area=%lld",
                            (long long)area),
             seat("canton-registrar", 11), PUAN_STR("")),
        200);
    return puan_node_get(answer(), "counts");
}

static struct puan_str bundle(struct tablet *t, struct puan_str *list,
                              uint32_t n, uint32_t from)
{
    struct puan_bundle b = { .campaign = t->campaign, .device = t->device,
                             .sealed = list, .n_sealed = n,
                             .link = t->link + from - 1,
                             .n_links = t->n - from + 1, .from = from };
    uint8_t sig[PUAN_P256_SIGNATURE];
    struct puan_out o;

    puan_out_init(&o, &fix->a);
    puan_bundle_write(&o, &b);
    b.covered = puan_out_view(&o);
    ok(puan_p256_sign(sig, t->sign,
                      puan_bundle_text(&fix->a, puan_digest_sha256(), &b),
                      err));
    puan_out_bytes(&o, sig, sizeof(sig));
    return puan_out_view(&o);
}

static unsigned carry(struct puan_str bytes)
{
    struct puan_http_call c = { .method = "POST",
                                .path = BASE "/field/bundles",
                                .content_type = "application/octet-stream",
                                .body = bytes };

    ok(puan_http_call(&reply, fix->client, &c, err));
    return reply.status;
}

/* ---- what is shown -------------------------------------------------------------- */

static void a_code_enrols_one_device_once(void **state)
{
    struct puan_str code = code_for("e1"), typed;
    struct tablet t, again;

    (void)state;
    assert_int_equal(code.n, 20);
    /* typed in groups and in small letters */
    typed = fmt("%.4s-%.4s %.12s", code.p, code.p + 4, code.p + 8);
    assert_int_equal(try_enrol(&t, typed), 201);
    assert_true(puan_str_starts(text(answer(), "device"), "d11-"));
    assert_int_equal(try_enrol(&again, code), 403);
    puan_p256_free(again.sign);
    assert_int_equal(try_enrol(&again, PUAN_STR("AAAAAAAAAAAAAAAAAAAA")), 403);
    puan_p256_free(again.sign);
    puan_p256_free(t.sign);
    /* a stranger's account, another parish's, an enumerator */
    assert_int_equal(call("POST", "/field/enrolments",
                          seat("parish-clerk", 11001),
                          PUAN_STR("{\"account\":\"nobody\"}")),
                     404);
    assert_int_equal(call("POST", "/field/enrolments",
                          seat("parish-clerk", 11001),
                          PUAN_STR("{\"account\":\"e2\"}")),
                     404);
    assert_int_equal(call("POST", "/field/enrolments",
                          seat("supervisor", 11001),
                          PUAN_STR("{\"account\":\"e1\"}")),
                     403);
}

static void a_lease_is_renewed_and_its_key_stays(void **state)
{
    struct tablet t = enrolled("e1");
    const struct puan_node *n;
    struct puan_str key, lease;
    int64_t until;

    (void)state;
    assert_int_equal(sign_in(&t), 200);
    n = answer();
    key = text(n, "lease_key");
    lease = text(n, "lease_until");
    assert_int_equal(key.n, 44);
    assert_true(puan_int_parse(&until, lease));
    assert_true(until > puan_real_now() + INT64_C(6) * 86400000);
    assert_int_equal(sign_in(&t), 200);
    assert_true(puan_str_eq(text(answer(), "lease_key"), key));
    t.secret = PUAN_STR("AAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_int_equal(sign_in(&t), 401);
    gone(&t);
}

static void a_list_is_its_own_area_and_leaves_a_trace(void **state)
{
    struct tablet t = enrolled("e1");
    const struct puan_node *n, *list;
    int64_t before;

    (void)state;
    before = puan_fix_int(puan_store_shard(fix->st, 1),
                          "SELECT COUNT(*) FROM ledger");
    assert_int_equal(call("GET", "/field/dossier?area=11001001", t.token,
                          PUAN_STR("")),
                     200);
    n = answer();
    list = puan_node_get(n, "households");
    assert_int_equal(list->n, 2);
    assert_true(says(list->first, "head", "Ann Zed"));
    assert_int_equal(puan_fix_int(puan_store_shard(fix->st, 1),
                                  "SELECT COUNT(*) FROM ledger"),
                     before + 1);
    assert_int_equal(call("GET", "/field/dossier?area=11002001", t.token,
                          PUAN_STR("")),
                     403);
    gone(&t);
}

static void pieces_go_on_where_they_stopped(void **state)
{
    struct tablet t = enrolled("e1");
    struct puan_str bytes = sealed(&t, ONE, 0, "3"), first, again;
    const struct puan_node *n;

    (void)state;
    assert_false(puan_str_holds(bytes, PUAN_STR("Ann Zed")));
    assert_int_equal(begin(&t, bytes), 200);
    assert_true(says(answer(), "have", "0"));
    assert_int_equal(piece(&t, bytes, 0, 100), 200);
    puan_http_client_drop(fix->client);
    assert_int_equal(piece(&t, bytes, 0, 100), 409); /* it had arrived */
    assert_true(says(answer(), "have", "100"));
    assert_int_equal(piece(&t, bytes, 200, 10), 409); /* no holes */
    assert_int_equal(begin(&t, bytes), 200);
    assert_true(says(answer(), "have", "100"));
    assert_int_equal(piece(&t, bytes, 100, bytes.n - 100), 200);
    first = receipt(&t, puan_node_get(answer(), "receipt"));
    assert_true(outcome_is(first, "ledger"));
    /* every repetition gives the same receipt, its signature too */
    n = puan_node_get(answer(), "receipt");
    again = text(n, "signature");
    assert_int_equal(piece(&t, bytes, 100, bytes.n - 100), 200);
    assert_true(puan_str_eq(
        text(puan_node_get(answer(), "receipt"), "signature"), again));
    assert_int_equal(begin(&t, bytes), 200);
    assert_true(puan_str_eq(
        text(puan_node_get(answer(), "receipt"), "text"), first));
    assert_int_equal(puan_fix_int(puan_store_shard(fix->st, 1),
                                  "SELECT COUNT(*) FROM ret"),
                     1);
    /* the device's name stands with the return */
    assert_int_equal(
        puan_fix_int(puan_store_shard(fix->st, 1),
                     "SELECT COUNT(*) FROM ret WHERE device LIKE 'd11-%'"
                     " AND actor = 'e1'"),
        1);
    gone(&t);
}

static void age(const char *path)
{
    struct timespec old[2] = { { 1600000000, 0 }, { 1600000000, 0 } };

    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
}

/* Two weeks untouched: gone.  Whoever comes later begins anew. */
static void old_pieces_are_swept(void **state)
{
    struct tablet t = enrolled("e2");
    struct puan_str one = sealed(&t, FAR, 1, "3"), two = sealed(&t, FAR, 1, "2");
    const char *dir = puan_arena_fmt(&fix->a, "%s/uploads/%.*s", fix->dir,
                                     PUAN_FMT(t.device));

    (void)state;
    assert_int_equal(begin(&t, one), 200);
    assert_int_equal(piece(&t, one, 0, 100), 200);
    assert_int_equal(begin(&t, two), 200);
    assert_int_equal(piece(&t, two, 0, 50), 200);
    age(puan_arena_fmt(&fix->a, "%s/%.*s-%zu", dir, PUAN_FMT(digest_of(one)),
                       one.n));
    ok(puan_feature_devices.jobs[0].run(fix->st, err));
    assert_int_equal(begin(&t, one), 200);
    assert_true(says(answer(), "have", "0"));
    assert_int_equal(begin(&t, two), 200);
    assert_true(says(answer(), "have", "50"));
    /* a begun transfer keeps its folder, however old that is */
    age(puan_arena_fmt(&fix->a, "%s/%.*s-%zu", dir, PUAN_FMT(digest_of(two)),
                       two.n));
    ok(puan_feature_devices.jobs[0].run(fix->st, err));
    age(dir);
    assert_int_equal(begin(&t, two), 200);
    ok(puan_feature_devices.jobs[0].run(fix->st, err));
    assert_true(outcome_is(send_all(&t, two), "ledger"));
    /* and what is left of a return that has its receipt goes, too */
    age(puan_arena_fmt(&fix->a, "%s/%.*s-%zu.done", dir,
                       PUAN_FMT(digest_of(two)), two.n));
    ok(puan_feature_devices.jobs[0].run(fix->st, err));
    age(dir);
    ok(puan_feature_devices.jobs[0].run(fix->st, err));
    assert_false(puan_dir_exists(dir));
    assert_true(outcome_is(send_all(&t, two), "ledger"));
    gone(&t);
}

static void what_is_not_its_own_stays_outside(void **state)
{
    struct tablet t = enrolled("e1"), u = enrolled("e1");
    struct puan_str bytes, far;
    char *changed;

    (void)state;
    /* t was replaced by u: an act of the office */
    assert_int_equal(sign_in(&t), 403);
    assert_true(says(answer(), "code", "revoked"));
    /* another device's */
    bytes = sealed(&t, TWO, 0, "3");
    assert_int_equal(begin(&u, bytes), 200);
    assert_int_equal(piece(&u, bytes, 0, bytes.n), 400);
    /* changed on the way */
    bytes = sealed(&u, TWO, 0, "3");
    changed = memcpy(puan_arena_get(&fix->a, bytes.n), bytes.p, bytes.n);
    changed[bytes.n - 20] ^= 1;
    assert_int_equal(begin(&u, (struct puan_str){ changed, bytes.n }), 200);
    assert_int_equal(
        piece(&u, (struct puan_str){ changed, bytes.n }, 0, bytes.n), 400);
    /* announced under another digest */
    assert_int_equal(call("POST", "/field/uploads", u.token,
                          fmt("{\"digest\":\"%064d\",\"size\":10}", 0)),
                     200);
    /* another area's household */
    far = sealed(&u, FAR, 0, "3");
    assert_int_equal(begin(&u, far), 200);
    assert_int_equal(piece(&u, far, 0, far.n), 403);
    assert_int_equal(
        puan_fix_int(puan_store_shard(fix->st, 1),
                     "SELECT COUNT(*) FROM ret WHERE household <> "
                     "110010010001"),
        0);
    gone(&t);
    gone(&u);
}

static void what_the_chain_names_is_here_or_on_the_device(void **state)
{
    struct tablet t = enrolled("e2");
    struct puan_str one;
    const struct puan_node *n;

    (void)state;
    did(&t, PUAN_LINK_OPENED, FAR, 0, NULL);
    one = sealed(&t, FAR, 0, "3");
    assert_int_equal(contact(&t, 1), 200);
    assert_true(says(answer(), "known", "2"));
    n = counts(11002);
    assert_true(says(n, "on_device", "1"));
    assert_true(says(n, "ledger", "0"));
    /* the same again, and what came to it since */
    did(&t, PUAN_LINK_NOTE, 0, 0, NULL);
    assert_int_equal(contact(&t, 1), 200);
    assert_true(says(answer(), "known", "3"));
    assert_true(outcome_is(send_all(&t, one), "ledger"));
    n = counts(11002);
    assert_true(says(n, "on_device", "0"));
    assert_true(says(n, "ledger", "1"));
    /* a receipt that was lost with a crash is found in the ledger */
    assert_int_equal(
        puan_fix_int(puan_store_shard(fix->st, 1),
                     "SELECT COUNT(*) FROM device_return WHERE state = 1"
                     " AND household = 110020010001"),
        1);
    /* a gap is told, a chain that says something else is noted */
    did(&t, PUAN_LINK_NOTE, 0, 0, NULL);
    did(&t, PUAN_LINK_NOTE, 0, 0, NULL);
    assert_int_equal(contact(&t, 5), 409);
    assert_true(says(answer(), "code", "chain-gap"));
    assert_true(says(answer(), "known", "3"));
    t.link[1] = fmt("2|1|note|0|0|");
    assert_int_equal(contact(&t, 1), 409);
    assert_true(says(answer(), "code", "chain-broken"));
    assert_int_equal(call("GET", "/field/reconciliation?area=11002",
                          seat("canton-registrar", 11), PUAN_STR("")),
                     200);
    assert_true(says(answer(), "broken", "1"));
    gone(&t);
}

static void a_bundle_comes_in_once_by_any_path(void **state)
{
    struct tablet t = enrolled("e1");
    struct puan_str list[2], bytes, text_1;
    struct puan_bundle_result r;
    char *forged;

    (void)state;
    list[0] = sealed(&t, ONE, 1, "4");
    list[1] = sealed(&t, TWO, 0, "2");
    bytes = bundle(&t, list, 2, 1);
    forged = memcpy(puan_arena_get(&fix->a, bytes.n), bytes.p, bytes.n);
    forged[bytes.n - 1] ^= 1;
    assert_int_equal(carry((struct puan_str){ forged, bytes.n }), 403);
    assert_int_equal(carry(bytes), 200);
    text_1 = receipt(&t, puan_node_get(answer(), "receipts")->first);
    assert_true(outcome_is(text_1, "ledger"));
    assert_int_equal(carry(bytes), 200);
    assert_true(puan_str_eq(
        receipt(&t, puan_node_get(answer(), "receipts")->first), text_1));
    /* by hand at the office, and once more over the line */
    ok(puan_bundle_take(&r, fix->st, bytes, NULL, &fix->a, err));
    assert_int_equal(r.returns, 2);
    assert_int_equal(r.ledger, 2);
    assert_int_equal(r.links, 0);
    assert_true(puan_str_eq(send_all(&t, list[0]), text_1));
    assert_int_equal(
        puan_fix_int(puan_store_shard(fix->st, 1),
                     "SELECT COUNT(*) FROM ret WHERE household ="
                     " 110010010001"),
        2);
    gone(&t);
}

static void a_device_that_is_taken_away_wipes_and_says_so(void **state)
{
    struct tablet t = enrolled("e1");
    struct puan_str before, after, list[2], order, text_w, sig;
    const struct puan_node *n;

    (void)state;
    before = sealed(&t, ONE, 2, "5");
    assert_int_equal(contact(&t, 1), 200);
    assert_int_equal(
        call("POST",
             puan_arena_fmt(&fix->a, "/field/devices/%.*s/revoke",
                            PUAN_FMT(t.device)),
             seat("parish-clerk", 11002),
             PUAN_STR("{\"reason\":\"left the work\"}")),
        404);
    assert_int_equal(
        call("POST",
             puan_arena_fmt(&fix->a, "/field/devices/%.*s/revoke",
                            PUAN_FMT(t.device)),
             seat("parish-clerk", 11001),
             PUAN_STR("{\"reason\":\"left the work\"}")),
        200);
    order = text(answer(), "order");
    assert_int_equal(begin(&t, before), 401); /* its session is over */
    assert_int_equal(sign_in(&t), 403);
    n = answer();
    assert_true(puan_str_eq(text(n, "order"), order));
    assert_true(says(n, "lease_key", "(none)"));
    /* a word for another order, or by another key, is no receipt */
    text_w = fmt("puan-wipe-1|%.*s|%.*s|%.*s|%d|%.*s", PUAN_FMT(t.campaign),
                 PUAN_FMT(t.device), PUAN_FMT(order), 5,
                 PUAN_FMT(head_hex(&t)));
    sig = signature(&t, text_w);
    assert_int_equal(
        call("POST", "/field/wipe", NULL,
             fmt("{\"device\":\"%.*s\",\"order\":%.*s,\"at\":6,"
                 "\"head\":\"%.*s\",\"signature\":\"%.*s\"}",
                 PUAN_FMT(t.device), PUAN_FMT(order), PUAN_FMT(head_hex(&t)),
                 PUAN_FMT(sig))),
        403);
    for (int i = 0; i < 2; i++) /* sent twice: the line broke */
        assert_int_equal(
            call("POST", "/field/wipe", NULL,
                 fmt("{\"device\":\"%.*s\",\"order\":%.*s,\"at\":5,"
                     "\"head\":\"%.*s\",\"signature\":\"%.*s\"}",
                     PUAN_FMT(t.device), PUAN_FMT(order),
                     PUAN_FMT(head_hex(&t)), PUAN_FMT(sig))),
            204);
    assert_int_equal(call("GET", "/field/devices?area=11001&state=wiped",
                          seat("canton-registrar", 11), PUAN_STR("")),
                     200);
    assert_true(says(answer(), "total", "1"));
    /* sealed before: believed.  Made up afterwards with its keys: waits */
    after = sealed(&t, TWO, 1, "9");
    list[0] = before;
    list[1] = after;
    assert_int_equal(carry(bundle(&t, list, 2, 1)), 200);
    n = puan_node_get(answer(), "receipts")->first;
    assert_true(outcome_is(receipt(&t, n), "ledger"));
    assert_true(outcome_is(receipt(&t, n->next), "revoked"));
    assert_true(says(counts(11001), "waiting", "1"));
    gone(&t);
}

static void a_lost_device_leaves_what_it_held_unknown(void **state)
{
    struct tablet t = enrolled("e1");
    struct puan_str held = sealed(&t, TWO, 1, "7");

    (void)state;
    assert_int_equal(contact(&t, 1), 200);
    assert_true(says(counts(11001), "on_device", "1"));
    assert_int_equal(
        call("POST",
             puan_arena_fmt(&fix->a, "/field/devices/%.*s/revoke",
                            PUAN_FMT(t.device)),
             seat("parish-clerk", 11001),
             PUAN_STR("{\"reason\":\"left in a bus\",\"lost\":true}")),
        200);
    assert_true(says(counts(11001), "on_device", "0"));
    assert_true(says(counts(11001), "unknown", "1"));
    /* found again: its bundle settles it */
    assert_int_equal(carry(bundle(&t, &held, 1, 1)), 200);
    assert_true(says(counts(11001), "unknown", "0"));
    gone(&t);
}

static unsigned over(const char *address, struct puan_str bytes)
{
    struct puan_http_call c = { .method = "POST",
                                .path = BASE "/field/bundles",
                                .content_type = "application/octet-stream",
                                .body = bytes };
    struct puan_http_client *client;
    struct puan_http_reply r;

    ok(puan_http_client_open(&client, address, err));
    ok(puan_http_call(&r, client, &c, err));
    reply.status = r.status;
    reply.body = puan_arena_keep(&fix->a, r.body);
    puan_http_client_close(client);
    return reply.status;
}

static void a_relay_carries_over_days_without_the_office(void **state)
{
    struct tablet t = enrolled("e1");
    struct puan_str one = sealed(&t, ONE, 3, "5"), bytes, forged;
    struct puan_relay_options opt = {
        .spool = puan_arena_fmt(&fix->a, "%s/spool", fix->root),
        .to = "127.0.0.1:1", /* nobody answers there */
        .campaign = "zz-test",
        .listen = "127.0.0.1:0"
    };
    struct puan_relay_round n;
    struct puan_relay *r;
    char *p;

    (void)state;
    bytes = bundle(&t, &one, 1, 1);
    p = memcpy(puan_arena_get(&fix->a, bytes.n), bytes.p, bytes.n);
    p[bytes.n - 1] ^= 1;
    forged = (struct puan_str){ p, bytes.n };
    ok(puan_relay_start(&r, &opt, err));
    assert_int_equal(over(puan_relay_address(r), PUAN_STR("no bundle")), 400);
    assert_int_equal(over(puan_relay_address(r), bytes), 202);
    assert_int_equal(over(puan_relay_address(r), bytes), 202);
    assert_int_equal(over(puan_relay_address(r), forged), 202);
    ok(puan_relay_round(&n, r, err));
    assert_int_equal(n.handed, 0);
    assert_int_equal(n.waiting, 2);
    puan_relay_stop(r); /* the power fails; what it took is there */
    opt.to = puan_host_address(fix->host);
    ok(puan_relay_start(&r, &opt, err));
    ok(puan_relay_round(&n, r, err));
    assert_int_equal(n.handed, 1);
    assert_int_equal(n.refused, 1);
    assert_int_equal(n.waiting, 0);
    /* the device asks again and gets the office's receipt, by either way */
    assert_int_equal(over(puan_relay_address(r), bytes), 200);
    assert_true(outcome_is(
        receipt(&t, puan_node_get(answer(), "receipts")->first), "ledger"));
    assert_int_equal(over(puan_relay_address(r), forged), 409);
    assert_true(outcome_is(send_all(&t, one), "ledger"));
    assert_int_equal(
        puan_fix_int(puan_store_shard(fix->st, 1),
                     "SELECT COUNT(*) FROM ret WHERE household ="
                     " 110010010001"),
        4);
    puan_relay_stop(r);
    gone(&t);
}

static void the_ledger_covers_it_and_it_is_there_after_a_restart(void **state)
{
    struct tablet t = enrolled("e1");
    struct puan_str bytes, had, carried;
    const char *import =
        puan_arena_fmt(&fix->a, "import DIR TMP/d.bundle%s%s",
                       engine ? " --store " : "", engine ? engine : "");

    (void)state;
    bytes = sealed(&t, TWO, 2, "8");
    had = send_all(&t, bytes);
    assert_int_equal(contact(&t, 1), 200);
    puan_http_client_close(fix->client);
    fix->client = NULL;
    puan_host_stop(fix->host);
    fix->host = NULL;
    /* carried to the office on a medium while nothing is served */
    puan_fix_close(fix);
    carried = sealed(&t, ONE, 4, "6");
    ok(puan_file_write(puan_arena_fmt(&fix->a, "%s/d.bundle", fix->root),
                       bundle(&t, &carried, 1, 1), 0600, err));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(puan_fix_run(fix, puan_feature_campaign.commands[0].run,
                                      import),
                         PUAN_EXIT_DONE);
        assert_non_null(
            strstr(puan_fix_file(fix, "said"), "in the ledger 1"));
    }
    puan_fix_open(fix);
    puan_fix_serve(fix, 2, 1);
    assert_int_equal(sign_in(&t), 200);
    assert_true(says(answer(), "known", "2"));
    assert_int_equal(begin(&t, bytes), 200);
    assert_true(puan_str_eq(
        receipt(&t, puan_node_get(answer(), "receipt")), had));
    /* the secret of its issue stays shut */
    assert_true(puan_fix_verify(fix) > 0);
    gone(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_enrols_one_device_once),
        cmocka_unit_test(a_lease_is_renewed_and_its_key_stays),
        cmocka_unit_test(a_list_is_its_own_area_and_leaves_a_trace),
        cmocka_unit_test(pieces_go_on_where_they_stopped),
        cmocka_unit_test(what_is_not_its_own_stays_outside),
        cmocka_unit_test(what_the_chain_names_is_here_or_on_the_device),
        cmocka_unit_test(a_bundle_comes_in_once_by_any_path),
        cmocka_unit_test(a_device_that_is_taken_away_wipes_and_says_so),
        cmocka_unit_test(a_lost_device_leaves_what_it_held_unknown),
        cmocka_unit_test(a_relay_carries_over_days_without_the_office),
        cmocka_unit_test(old_pieces_are_swept),
        cmocka_unit_test(
            the_ledger_covers_it_and_it_is_there_after_a_restart),
    };
    const char *url[2];
    size_t n = puan_fix_engines(url);
    int bad = 0;

    for (size_t i = 0; i < n; i++) {
        engine = url[i];
        bad += cmocka_run_group_tests(tests, open_canton, close_all);
    }
    return bad;
}
