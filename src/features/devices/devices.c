/*
 * The devices in memory, their rows, the office's keys, and the tables of the
 * feature; see devices.h.
 */
#include "features/devices/devices.h"

#include <stdlib.h>

#include "core/area/area.h"
#include "core/flow/flow.h"
#include "core/ledger/ledger.h"
#include "features/devices/internal.h"
#include "features/devices/relay.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

static enum puan_status out_of_memory(struct puan_err *err)
{
    return puan_fail(err, PUAN_ENOMEM, "devices", "out of memory");
}

struct devices *devices_of(struct puan_store *st)
{
    return puan_store_state(st, &puan_feature_devices);
}

/* ---- in memory ---------------------------------------------------------------- */

size_t device_place(struct puan_str device)
{
    int64_t id;

    for (size_t i = device.n; i-- > 0;)
        if (device.p[i] == '-')
            return puan_int_parse(&id, (struct puan_str){ device.p + i + 1,
                                                          device.n - i - 1 }) &&
                           id > 0
                       ? (size_t)id - 1
                       : SIZE_MAX;
    return SIZE_MAX;
}

static struct device *at(struct devices *x, struct puan_str device)
{
    size_t i = device_place(device);

    return i < x->n && puan_str_eq(x->list[i].device, device) ? &x->list[i]
                                                              : NULL;
}

static uint32_t *bucket(struct devices *x, struct puan_str account)
{
    uint64_t h = 1469598103934665603u;

    for (size_t i = 0; i < account.n; i++)
        h = (h ^ (unsigned char)account.p[i]) * 1099511628211u;
    return &x->by_account[(h ^ h >> 32) & (x->cap - 1)];
}

/* Room for the device of that id; false without memory. */
static bool reserve(struct devices *x, int64_t id)
{
    size_t cap = x->cap ? x->cap : 64, want = (size_t)id;
    struct device *list;
    uint32_t *by;

    while (cap < want)
        cap *= 2;
    if (cap > x->cap) {
        list = realloc(x->list, cap * sizeof(*list));
        if (list)
            x->list = list;
        by = calloc(cap, sizeof(*by));
        if (!list || !by) {
            free(by);
            return false;
        }
        free(x->by_account);
        x->by_account = by;
        x->cap = cap;
        for (size_t i = 0; i < x->n; i++) {
            uint32_t *b = bucket(x, x->list[i].account);

            if (!x->list[i].id)
                continue;
            x->list[i].before = *b;
            *b = (uint32_t)i + 1;
        }
    }
    while (x->n < want)
        x->list[x->n++] = (struct device){ 0 };
    return true;
}

bool device_find(struct device *out, struct puan_store *st,
                 struct puan_str device)
{
    struct devices *x = devices_of(st);
    const struct device *d;

    pthread_rwlock_rdlock(&x->lock);
    d = at(x, device);
    if (d)
        *out = *d;
    pthread_rwlock_unlock(&x->lock);
    return d != NULL;
}

bool device_of_account(struct device *out, struct puan_store *st,
                       struct puan_str account)
{
    struct devices *x = devices_of(st);
    bool found = false;

    pthread_rwlock_rdlock(&x->lock);
    for (uint32_t i = x->cap ? *bucket(x, account) : 0; i && !found;
         i = x->list[i - 1].before)
        if (x->list[i - 1].state == DEVICE_ACTIVE &&
            puan_str_eq(x->list[i - 1].account, account)) {
            *out = x->list[i - 1];
            found = true;
        }
    pthread_rwlock_unlock(&x->lock);
    return found;
}

struct puan_shard *device_shard(struct puan_store *st, const struct device *d)
{
    return puan_store_shard_of_area(st, d->area);
}

enum puan_status device_keep(struct puan_store *st, const struct device *d,
                             struct puan_err *err)
{
    struct devices *x = devices_of(st);
    struct device *to, copy = *d;
    enum puan_status rc = PUAN_OK;

    if (d->id < 1 || device_place(d->device) != (size_t)d->id - 1)
        return puan_fail(err, PUAN_EBUG, "device", "is named %.*s",
                         PUAN_FMT(d->device));
    pthread_rwlock_wrlock(&x->lock);
    copy.device = puan_arena_keep(&x->arena, d->device);
    copy.account = puan_arena_keep(&x->arena, d->account);
    copy.role = puan_arena_keep(&x->arena, d->role);
    copy.name = puan_arena_keep(&x->arena, d->name);
    copy.reason = puan_arena_keep(&x->arena, d->reason);
    copy.seat = puan_arena_keep(&x->arena, d->seat);
    copy.wipe_head = puan_arena_keep(&x->arena, d->wipe_head);
    if (!reserve(x, d->id) || x->arena.failed) {
        rc = out_of_memory(err);
    } else {
        to = &x->list[d->id - 1];
        copy.before = to->before;
        if (!to->id) {
            uint32_t *b = bucket(x, copy.account);

            copy.before = *b;
            *b = (uint32_t)d->id;
        }
        *to = copy;
    }
    pthread_rwlock_unlock(&x->lock);
    return rc;
}

void device_met(struct puan_store *st, const struct device *d)
{
    struct devices *x = devices_of(st);
    struct device *to;

    pthread_rwlock_wrlock(&x->lock);
    to = at(x, d->device);
    if (to) {
        to->at = d->at;
        to->lease = d->lease;
        to->clock = d->clock;
        to->n = d->n;
        to->broken = d->broken;
    }
    pthread_rwlock_unlock(&x->lock);
}

enum puan_status device_of_session(struct device *out, struct puan_request *rq,
                                   struct puan_err *err)
{
    if (rq->who.credential != PUAN_CRED_DEVICE ||
        !device_find(out, rq->store, puan_str_of(rq->who.device)))
        return puan_fail(err, PUAN_ECONFLICT, "device",
                         "this session is of no enrolled device");
    if (out->state != DEVICE_ACTIVE) {
        device_problem(rq, 403, "revoked", "this device was revoked", "order",
                       out->ordered);
        return PUAN_EBUSY; /* callers return OK: it is answered */
    }
    return PUAN_OK;
}

void device_problem(struct puan_request *rq, unsigned status, const char *code,
                    const char *detail, const char *key, int64_t value)
{
    struct puan_jw *w = puan_answer_begin(rq, status);

    puan_jw_map(w);
    puan_jw_kint(w, "status", status);
    puan_jw_ktext(w, "code", code);
    puan_jw_ktext(w, "detail", detail);
    puan_jw_kint(w, key, value);
    puan_jw_end(w, '}');
}

/* ---- rows ------------------------------------------------------------------------ */

#define COLUMNS                                                                \
    "device, account, role, area, name, sign_key, secret, enrolled, state,"    \
    " ordered, revoked, lost, reason, seat, wiped, wipe_head, wipe_sig"

enum puan_status device_write(const struct device *d, struct puan_str wipe_sig,
                              bool insert, struct puan_shard *sh,
                              struct puan_db *db, struct puan_act *act,
                              struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_out o;
    enum puan_status st;

    if (insert)
        st = puan_sql(&s, db,
                      "INSERT INTO device(" COLUMNS ", id) VALUES($1, $2, $3,"
                      " $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
                      " $16, $17, $18)",
                      err);
    else
        st = puan_sql(&s, db,
                      "UPDATE device SET device = $1, account = $2, role = $3,"
                      " area = $4, name = $5, sign_key = $6, secret = $7,"
                      " enrolled = $8, state = $9, ordered = $10,"
                      " revoked = $11, lost = $12, reason = $13, seat = $14,"
                      " wiped = $15, wipe_head = $16, wipe_sig = $17"
                      " WHERE id = $18",
                      err);
    TRY(st);
    puan_bind_text(s, 1, d->device);
    puan_bind_text(s, 2, d->account);
    puan_bind_text(s, 3, d->role);
    puan_bind_int(s, 4, d->area);
    puan_bind_text(s, 5, d->name);
    puan_bind_bytes(s, 6, d->sign_key, sizeof(d->sign_key));
    puan_bind_bytes(s, 7, d->secret, sizeof(d->secret));
    puan_bind_int(s, 8, d->enrolled);
    puan_bind_int(s, 9, d->state);
    puan_bind_int(s, 10, d->ordered);
    puan_bind_int(s, 11, d->revoked);
    puan_bind_int(s, 12, d->lost);
    puan_bind_text(s, 13, d->reason);
    puan_bind_text(s, 14, d->seat);
    puan_bind_int(s, 15, d->wiped);
    puan_bind_text(s, 16, d->wipe_head);
    puan_bind_text(s, 17, wipe_sig);
    puan_bind_int(s, 18, d->id);
    st = puan_stmt_run(s, err);
    puan_stmt_done(s);
    TRY(st);
    puan_out_init(&o, a);
    puan_content_text(&o, d->device);
    puan_content_text(&o, d->account);
    puan_content_text(&o, d->role);
    puan_content_int(&o, d->area);
    puan_content_text(&o, d->name);
    puan_content_bytes(&o, (struct puan_str){ (const char *)d->sign_key,
                                              sizeof(d->sign_key) });
    puan_content_bytes(&o, (struct puan_str){ (const char *)d->secret,
                                              sizeof(d->secret) });
    puan_content_int(&o, d->enrolled);
    puan_content_int(&o, d->state);
    puan_content_int(&o, d->ordered);
    puan_content_int(&o, d->revoked);
    puan_content_int(&o, d->lost);
    puan_content_text(&o, d->reason);
    puan_content_text(&o, d->seat);
    puan_content_int(&o, d->wiped);
    puan_content_text(&o, d->wipe_head);
    puan_content_text(&o, wipe_sig);
    TRY(puan_arena_check(a, err));
    return puan_cover_id(sh, db, act, "device", d->id, puan_out_view(&o), err);
}

static enum puan_status read_devices(struct puan_store *st,
                                     struct puan_err *err)
{
    struct puan_shard *sh = puan_store_office(st);
    struct puan_stmt *s = NULL;
    struct puan_db *db;
    bool more = false;
    enum puan_status rc;

    TRY(puan_read_begin(&db, sh, err));
    rc = puan_sql(&s, db, "SELECT id, " COLUMNS " FROM device ORDER BY id",
                  err);
    while (rc == PUAN_OK && (rc = puan_stmt_step(&more, s, err)) == PUAN_OK &&
           more) {
        struct puan_str key = puan_col_bytes(s, 6), hash = puan_col_bytes(s, 7);
        struct device d = { .id = puan_col_int(s, 0),
                            .device = puan_col_text(s, 1),
                            .account = puan_col_text(s, 2),
                            .role = puan_col_text(s, 3),
                            .area = puan_col_int(s, 4),
                            .name = puan_col_text(s, 5),
                            .enrolled = puan_col_int(s, 8),
                            .state = puan_col_int(s, 9),
                            .ordered = puan_col_int(s, 10),
                            .revoked = puan_col_int(s, 11),
                            .lost = puan_col_int(s, 12) != 0,
                            .reason = puan_col_text(s, 13),
                            .seat = puan_col_text(s, 14),
                            .wiped = puan_col_int(s, 15),
                            .wipe_head = puan_col_text(s, 16) };

        if (key.n != sizeof(d.sign_key) || hash.n != sizeof(d.secret)) {
            rc = puan_fail(err, PUAN_EIO, "device",
                           "row %lld is damaged; run puan ledger verify",
                           (long long)d.id);
            break;
        }
        d.at = d.enrolled; /* until a store says when it was seen last */
        d.lease = d.enrolled + lease_ms(puan_store_plan(st));
        memcpy(d.sign_key, key.p, key.n);
        memcpy(d.secret, hash.p, hash.n);
        rc = device_keep(st, &d, err);
        if (rc == PUAN_OK)
            puan_device_account_bind(st, d.account);
    }
    puan_stmt_done(s);
    puan_read_end(sh, db);
    return rc;
}

/* ---- keys ------------------------------------------------------------------------- */

int64_t lease_ms(const struct puan_plan *p)
{
    return puan_plan_number(p, "lease_days", 7) * DAY_MS;
}

static struct puan_str base64(const uint8_t *p, size_t n, struct puan_arena *a)
{
    char *text = puan_arena_get(a, 4 * ((n + 2) / 3) + 1);

    if (!text)
        return PUAN_STR("");
    puan_base64(text, p, n);
    return puan_str_of(text);
}

struct puan_str device_lease_key(struct puan_store *st, const struct device *d,
                                 struct puan_arena *a)
{
    const struct puan_digest_fn *fn = puan_store_digest(st);
    struct puan_str parts[] = { PUAN_STR("puan lease|"), d->device,
                                PUAN_STR("|"),
                                { (const char *)d->secret,
                                  sizeof(d->secret) } };
    uint8_t key[PUAN_DIGEST_SIZE];
    struct puan_str text;

    fn->mac(fn->ctx, key, puan_keys_credential(puan_store_keys(st)), parts, 4);
    text = base64(key, sizeof(key), a);
    puan_os_wipe(key, sizeof(key));
    return text;
}

enum puan_status device_signed(const struct device *d, struct puan_str text,
                               struct puan_str b64, struct puan_err *err)
{
    uint8_t sig[PUAN_P256_SIGNATURE];
    struct puan_p256 *k;
    enum puan_status st;

    if (puan_unbase64(sig, sizeof(sig), b64) != (int)sizeof(sig))
        return puan_fail(err, PUAN_EDENIED, "signature",
                         "64 bytes in base64 are wanted");
    TRY(puan_p256_load_public(&k,
                              (struct puan_str){ (const char *)d->sign_key,
                                                 sizeof(d->sign_key) },
                              err));
    st = puan_p256_verify(k, text,
                          (struct puan_str){ (const char *)sig, sizeof(sig) },
                          err);
    puan_p256_free(k);
    return st;
}

enum puan_status device_office_keys(struct puan_jw *w, char fingerprint[33],
                                    struct puan_store *st, struct puan_arena *a,
                                    struct puan_err *err)
{
    struct puan_keys *keys = puan_store_keys(st);
    const struct puan_sign_key *ledger = puan_keys_sign(keys);
    const struct puan_p256 *seal, *sign;
    uint8_t point[PUAN_P256_PUBLIC], sig[PUAN_SIGNATURE_MAX],
        d[PUAN_DIGEST_SIZE];
    struct puan_str seal_pub, sign_pub, text, spki;
    uint16_t seal_id, sign_id;
    size_t sig_n;
    char hex[2 * PUAN_DIGEST_SIZE + 1];

    TRY(puan_keys_pair_make(&seal, &seal_id, keys, "field", err));
    TRY(puan_keys_pair_make(&sign, &sign_id, keys, "receipt", err));
    puan_p256_public(point, seal);
    seal_pub = base64(point, sizeof(point), a);
    puan_p256_public(point, sign);
    sign_pub = base64(point, sizeof(point), a);
    text = puan_str_of(puan_arena_fmt(
        a, "puan-field-key-1|%s|%u|%.*s|%u|%.*s", puan_store_id(st),
        (unsigned)seal_id, PUAN_FMT(seal_pub), (unsigned)sign_id,
        PUAN_FMT(sign_pub)));
    puan_digest_one(d, puan_digest_sha256(), text);
    puan_hex(hex, d, sizeof(d));
    memcpy(fingerprint, hex, 32);
    fingerprint[32] = 0;
    if (!w)
        return puan_arena_check(a, err);
    TRY(puan_sign(sig, &sig_n, ledger, text, err));
    TRY(puan_sign_public(&spki, ledger, a, err));
    puan_jw_map(w);
    puan_jw_ktext(w, "campaign", puan_store_id(st));
    puan_jw_key(w, "key");
    puan_jw_map(w);
    puan_jw_kint(w, "id", seal_id);
    puan_jw_kstr(w, "public", seal_pub);
    puan_jw_end(w, '}');
    puan_jw_key(w, "receipt");
    puan_jw_map(w);
    puan_jw_kint(w, "id", sign_id);
    puan_jw_kstr(w, "public", sign_pub);
    puan_jw_end(w, '}');
    puan_jw_kstr(w, "text", text);
    puan_jw_ktext(w, "fingerprint", fingerprint);
    puan_jw_ktext(w, "alg",
                  puan_sign_alg_of(ledger) == PUAN_SIGN_SM2 ? "sm2"
                                                            : "ed25519");
    puan_jw_kstr(w, "signature", base64(sig, sig_n, a));
    puan_jw_kstr(w, "ledger_key",
                 base64((const uint8_t *)spki.p, spki.n, a));
    puan_jw_end(w, '}');
    return puan_arena_check(a, err);
}

/* ---- the tables -------------------------------------------------------------------- */

static const struct puan_param enrolment_params[] = {
    { "account", PUAN_PARAM_TEXT, offsetof(struct enrolment_in, account), 1,
      60 },
};
static const struct puan_param enrol_params[] = {
    { "code", PUAN_PARAM_TEXT, offsetof(struct enrol_in, code), 1, 40 },
    { "name", PUAN_PARAM_TEXT, offsetof(struct enrol_in, name), 1, 60 },
    { "sign_key", PUAN_PARAM_TEXT, offsetof(struct enrol_in, sign_key), 1,
      120 },
};
static const struct puan_param session_params[] = {
    { "device", PUAN_PARAM_TEXT, offsetof(struct device_session_in, device), 1,
      PUAN_DEVICE_NAME_MAX },
    { "secret", PUAN_PARAM_TEXT, offsetof(struct device_session_in, secret), 1,
      40 },
};
static const struct puan_param contact_params[] = {
    { "time", PUAN_PARAM_INT, offsetof(struct contact_in, time), 1,
      INT64_MAX },
    { "from", PUAN_PARAM_INT, offsetof(struct contact_in, from), 1,
      UINT32_MAX },
    { "links", PUAN_PARAM_JSON, offsetof(struct contact_in, links) },
    { "head", PUAN_PARAM_TEXT, offsetof(struct contact_in, head), 64, 64 },
    { "signature", PUAN_PARAM_TEXT, offsetof(struct contact_in, signature), 1,
      120 },
};
static const struct puan_param area_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct field_area_in, area), 1,
      INT64_MAX, true },
};
static const struct puan_param list_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct field_area_in, area), 1,
      INT64_MAX, true },
    { "state", PUAN_PARAM_TEXT, offsetof(struct field_area_in, state), 0, 16,
      true },
    { "q", PUAN_PARAM_TEXT, offsetof(struct field_area_in, q), 0, 60, true },
    { "page", PUAN_PARAM_INT, offsetof(struct field_area_in, page), 1, 100000,
      true },
};
static const struct puan_param upload_params[] = {
    { "digest", PUAN_PARAM_TEXT, offsetof(struct upload_in, digest), 64, 64 },
    { "size", PUAN_PARAM_INT, offsetof(struct upload_in, size), 1,
      PUAN_SEALED_MAX },
};
static const struct puan_param piece_params[] = {
    { "upload", PUAN_PARAM_TEXT, offsetof(struct piece_in, upload), 1, 80 },
    { "at", PUAN_PARAM_INT, offsetof(struct piece_in, at), 0,
      PUAN_SEALED_MAX },
};
static const struct puan_param wipe_params[] = {
    { "device", PUAN_PARAM_TEXT, offsetof(struct wipe_in, device), 1,
      PUAN_DEVICE_NAME_MAX },
    { "order", PUAN_PARAM_INT, offsetof(struct wipe_in, order), 0, INT64_MAX },
    { "at", PUAN_PARAM_INT, offsetof(struct wipe_in, at), 1, INT64_MAX },
    { "head", PUAN_PARAM_TEXT, offsetof(struct wipe_in, head), 64, 64 },
    { "signature", PUAN_PARAM_TEXT, offsetof(struct wipe_in, signature), 1,
      120 },
};
static const struct puan_param revoke_params[] = {
    { "device", PUAN_PARAM_TEXT, offsetof(struct revoke_in, device), 1,
      PUAN_DEVICE_NAME_MAX },
    { "reason", PUAN_PARAM_TEXT, offsetof(struct revoke_in, reason), 1, 400 },
    { "lost", PUAN_PARAM_BOOL, offsetof(struct revoke_in, lost), 0, 0, true },
};

#define FIELD "/c/{campaign}/field/"

static const struct puan_route routes[] = {
    { .method = PUAN_GET, .path = FIELD "key", .capability = "",
      .scope = PUAN_SCOPE_PUBLIC, .verb = "",
      .summary = "The keys that devices seal to and check receipts with",
      .handle = h_field_key },
    { .method = PUAN_POST, .path = FIELD "enrolments",
      .capability = "device.manage", .scope = PUAN_SCOPE_OBJECT,
      .verb = "device.code",
      .summary = "A code, good once, that binds a device to an account",
      .handle = h_enrolment, .area_of = account_area_of,
      PUAN_PARAMS(enrolment_params, struct enrolment_in) },
    { .method = PUAN_POST, .path = FIELD "enrol", .capability = "",
      .scope = PUAN_SCOPE_PUBLIC, .verb = "device.enrol",
      .summary = "Enrol a device by its code", .handle = h_enrol,
      PUAN_PARAMS(enrol_params, struct enrol_in) },
    { .method = PUAN_POST, .path = FIELD "session", .capability = "",
      .scope = PUAN_SCOPE_PUBLIC, .verb = "",
      .summary = "Sign an enrolled device in; renews its lease",
      .handle = h_device_session,
      PUAN_PARAMS(session_params, struct device_session_in) },
    { .method = PUAN_POST, .path = FIELD "contact",
      .capability = "return.submit", .scope = PUAN_SCOPE_SESSION,
      .verb = "device.contact",
      .summary = "What the device did since the last contact",
      .handle = h_contact, .max_body = 1 << 20,
      PUAN_PARAMS(contact_params, struct contact_in) },
    { .method = PUAN_GET, .path = FIELD "dossier",
      .capability = "return.submit", .scope = PUAN_SCOPE_AREA,
      .verb = "vault.view",
      .summary = "The households of an enumerator's area, for its device",
      .handle = h_dossier, PUAN_PARAMS(area_params, struct field_area_in) },
    { .method = PUAN_POST, .path = FIELD "uploads",
      .capability = "return.submit", .scope = PUAN_SCOPE_SESSION, .verb = "",
      .summary = "Begin or go on with a sealed return", .handle = h_upload,
      PUAN_PARAMS(upload_params, struct upload_in) },
    { .method = PUAN_PUT, .path = FIELD "uploads/{upload}",
      .capability = "return.submit", .scope = PUAN_SCOPE_SESSION,
      .verb = "return.submit", .summary = "A piece of a sealed return",
      .handle = h_piece, .raw_body = true, .max_body = DEVICE_PIECE,
      PUAN_PARAMS(piece_params, struct piece_in) },
    { .method = PUAN_POST, .path = FIELD "bundles", .capability = "",
      .scope = PUAN_SCOPE_PUBLIC, .verb = "return.submit",
      .summary = "A bundle signed by a device, from any carrier",
      .handle = h_bundle, .raw_body = true, .max_body = PUAN_BUNDLE_MAX },
    { .method = PUAN_POST, .path = FIELD "wipe", .capability = "",
      .scope = PUAN_SCOPE_PUBLIC, .verb = "device.wiped",
      .summary = "A device's signed word that it deleted drafts and lists",
      .handle = h_wipe, PUAN_PARAMS(wipe_params, struct wipe_in) },
    { .method = PUAN_GET, .path = FIELD "devices", .capability = "device.view",
      .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "Devices of an area: lease, last contact, what is unsent",
      .handle = h_devices, PUAN_PARAMS(list_params, struct field_area_in) },
    { .method = PUAN_POST, .path = FIELD "devices/{device}/revoke",
      .capability = "device.manage", .scope = PUAN_SCOPE_OBJECT,
      .verb = "device.revoke",
      .summary = "End a device's lease and order it to delete its drafts",
      .handle = h_revoke, .area_of = device_area_of,
      PUAN_PARAMS(revoke_params, struct revoke_in) },
    { .method = PUAN_GET, .path = FIELD "reconciliation",
      .capability = "device.view", .scope = PUAN_SCOPE_AREA, .verb = "",
      .summary = "Where every return taken is: in the ledger, waiting, on a "
                 "device, unknown",
      .handle = h_reconciliation,
      PUAN_PARAMS(list_params, struct field_area_in) },
};

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE device(id BIGINT PRIMARY KEY, device TEXT NOT NULL UNIQUE,"
      " account TEXT NOT NULL, role TEXT NOT NULL, area BIGINT NOT NULL,"
      " name TEXT NOT NULL, sign_key BYTEA NOT NULL, secret BYTEA NOT NULL,"
      " enrolled BIGINT NOT NULL, state BIGINT NOT NULL,"
      " ordered BIGINT NOT NULL, revoked BIGINT NOT NULL,"
      " lost BIGINT NOT NULL, reason TEXT NOT NULL, seat TEXT NOT NULL,"
      " wiped BIGINT NOT NULL, wipe_head TEXT NOT NULL,"
      " wipe_sig TEXT NOT NULL);"
      "CREATE TABLE enrolment(id BIGINT PRIMARY KEY, hash BYTEA NOT NULL,"
      " account TEXT NOT NULL, made BIGINT NOT NULL, until BIGINT NOT NULL,"
      " used BIGINT NOT NULL);"
      "CREATE INDEX enrolment_hash ON enrolment(hash);" },
    { PUAN_STORE_RETURNS, 1,
      "CREATE TABLE device_contact(id BIGINT PRIMARY KEY,"
      " device TEXT NOT NULL, at BIGINT NOT NULL, clock BIGINT NOT NULL,"
      " first BIGINT NOT NULL, n BIGINT NOT NULL, head TEXT NOT NULL,"
      " signature TEXT NOT NULL, links TEXT NOT NULL);"
      "CREATE INDEX device_contact_device ON device_contact(device, n);"
      "CREATE TABLE device_seen(device TEXT PRIMARY KEY, at BIGINT NOT NULL,"
      " lease BIGINT NOT NULL, clock BIGINT NOT NULL, n BIGINT NOT NULL,"
      " head TEXT NOT NULL, broken BIGINT NOT NULL);"
      "CREATE TABLE device_return(id BIGINT PRIMARY KEY,"
      " device TEXT NOT NULL, household BIGINT NOT NULL,"
      " counter BIGINT NOT NULL, digest TEXT NOT NULL, sealed BIGINT NOT NULL,"
      " announced BIGINT NOT NULL, state BIGINT NOT NULL,"
      " arrived BIGINT NOT NULL, receipt TEXT NOT NULL,"
      " UNIQUE(device, household, counter, digest));"
      "CREATE INDEX device_return_household ON device_return(household);" },
};

static const struct puan_covered covered[] = {
    { PUAN_STORE_OFFICE, "device",
      "SELECT CAST(id AS TEXT), " COLUMNS " FROM device", NULL },
    { PUAN_STORE_OFFICE, "enrolment",
      "SELECT CAST(id AS TEXT), hash, account, made, until, used"
      " FROM enrolment",
      NULL },
    { PUAN_STORE_RETURNS, "device_contact",
      "SELECT CAST(id AS TEXT), device, at, clock, first, n, head, signature,"
      " links FROM device_contact",
      NULL },
};

static const struct puan_command commands[] = {
    { "relay",
      "SPOOL --to ADDRESS --campaign NAME [--listen ADDRESS] [--tls-cert PEM "
      "--tls-key PEM]",
      "Carries bundles of devices to the office. With --listen it takes them "
      "from devices on its own line, keeps them in the folder SPOOL as long as "
      "the office does not answer, tries again every five seconds, and gives a "
      "device the office's receipts when it asks with the same bundle; without, "
      "it hands on once what lies there. It holds no key and cannot open what "
      "it carries; the line to the office is plain, so put it through a tunnel "
      "where others could see which device sends. Ends with 1 when something "
      "still waits or was refused.",
      puan_relay_command, "转交设备密封包：断网时代收保存，通网后送上级" },
};

/* ---- life ----------------------------------------------------------------------------- */

static void close_state(void *state, struct puan_store *st)
{
    struct devices *x = state;

    (void)st;
    if (!x)
        return;
    pthread_rwlock_destroy(&x->lock);
    pthread_mutex_destroy(&x->upload);
    puan_arena_clear(&x->arena);
    free(x->list);
    free(x->by_account);
    free(x);
}

static enum puan_status open_state(void **state, struct puan_store *st,
                                   struct puan_err *err)
{
    struct devices *x = calloc(1, sizeof(*x));

    (void)st;
    if (!x)
        return out_of_memory(err);
    x->store = st;
    pthread_rwlock_init(&x->lock, NULL);
    pthread_mutex_init(&x->upload, NULL);
    puan_arena_init(&x->arena, &puan_heap);
    *state = x;
    return PUAN_OK;
}

/* Where each device of this store was at its last contact. */
static enum puan_status read_seen(struct puan_store *st, struct puan_shard *sh,
                                  struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_db *db;
    bool more = false;
    enum puan_status rc;

    TRY(puan_read_begin(&db, sh, err));
    rc = puan_sql(&s, db,
                  "SELECT device, at, lease, clock, n, broken FROM device_seen",
                  err);
    while (rc == PUAN_OK && (rc = puan_stmt_step(&more, s, err)) == PUAN_OK &&
           more)
        device_met(st, &(struct device){ .device = puan_col_text(s, 0),
                                         .at = puan_col_int(s, 1),
                                         .lease = puan_col_int(s, 2),
                                         .clock = puan_col_int(s, 3),
                                         .n = puan_col_int(s, 4),
                                         .broken = puan_col_int(s, 5) != 0 });
    puan_stmt_done(s);
    puan_read_end(sh, db);
    return rc;
}

/* The office store comes first: its devices, then what each store saw. */
static enum puan_status shard_open(void *state, struct puan_store *st,
                                   struct puan_shard *sh, struct puan_err *err)
{
    (void)state;
    return puan_shard_ordinal(sh) == 0 ? read_devices(st, err)
                                       : read_seen(st, sh, err);
}

static const struct puan_job jobs[] = {
    { "uploads", 3600000, uploads_sweep },
};

const struct puan_feature puan_feature_devices = {
    .name = "devices",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .jobs = jobs,
    .n_jobs = PUAN_COUNT(jobs),
    .open = open_state,
    .shard_open = shard_open,
    .close = close_state,
    .covered = covered,
    .n_covered = PUAN_COUNT(covered),
};
