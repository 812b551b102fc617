/*
 * A device's life: the code that enrols it, signing in, the order to wipe and
 * what the device says of it.
 */
#include "features/devices/internal.h"

#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

HANDLER(h_field_key)
{
    char fingerprint[33];

    (void)in;
    return device_office_keys(puan_answer_begin(rq, 200), fingerprint,
                              rq->store, rq->arena, err);
}

/* HMAC(credential key, kind ‖ 0 ‖ name ‖ 0 ‖ secret), cut to 16 bytes. */
static void hash_of(uint8_t out[16], struct puan_store *st, const char *kind,
                    struct puan_str name, struct puan_str secret)
{
    const struct puan_digest_fn *fn = puan_store_digest(st);
    struct puan_str zero = { "", 1 };
    struct puan_str parts[] = { puan_str_of(kind), zero, name, zero, secret };
    uint8_t full[PUAN_DIGEST_SIZE];

    fn->mac(fn->ctx, full, puan_keys_credential(puan_store_keys(st)), parts, 5);
    memcpy(out, full, 16);
    puan_os_wipe(full, sizeof(full));
}

/* ---- the code ----------------------------------------------------------------- */

enum puan_status account_area_of(int64_t *area, struct puan_request *rq,
                                 const void *in, struct puan_err *err)
{
    const struct enrolment_in *p = in;
    struct puan_device_account a;

    if (!puan_device_account(&a, rq->store, p->account))
        return puan_fail(err, PUAN_ENOTFOUND, "account",
                         "no device credential was issued to that name");
    *area = a.area;
    return PUAN_OK;
}

struct enrolment {
    int64_t id, made, until, used;
    uint8_t hash[16];
    struct puan_str account;
};

static enum puan_status enrolment_write(const struct enrolment *e, bool insert,
                                        struct puan_shard *sh,
                                        struct puan_db *db,
                                        struct puan_act *act,
                                        struct puan_arena *a,
                                        struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_out o;
    enum puan_status st;

    TRY(puan_sql(&s, db,
                 insert ? "INSERT INTO enrolment(hash, account, made, until,"
                          " used, id) VALUES($1, $2, $3, $4, $5, $6)"
                        : "UPDATE enrolment SET hash = $1, account = $2,"
                          " made = $3, until = $4, used = $5 WHERE id = $6",
                 err));
    puan_bind_bytes(s, 1, e->hash, sizeof(e->hash));
    puan_bind_text(s, 2, e->account);
    puan_bind_int(s, 3, e->made);
    puan_bind_int(s, 4, e->until);
    puan_bind_int(s, 5, e->used);
    puan_bind_int(s, 6, e->id);
    st = puan_stmt_run(s, err);
    puan_stmt_done(s);
    TRY(st);
    puan_out_init(&o, a);
    puan_content_bytes(&o, (struct puan_str){ (const char *)e->hash,
                                              sizeof(e->hash) });
    puan_content_text(&o, e->account);
    puan_content_int(&o, e->made);
    puan_content_int(&o, e->until);
    puan_content_int(&o, e->used);
    TRY(puan_arena_check(a, err));
    return puan_cover_id(sh, db, act, "enrolment", e->id, puan_out_view(&o),
                         err);
}

struct making {
    struct enrolment e;
    struct puan_arena *a;
};

static enum puan_status make_code(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    struct making *k = arg;

    TRY(puan_db_int(&k->e.id, db, "SELECT MAX(id) + 1 FROM enrolment", 1,
                    err));
    return enrolment_write(&k->e, true, sh, db, act, k->a, err);
}

HANDLER(h_enrolment)
{
    const struct enrolment_in *p = in;
    const struct puan_plan *plan = puan_store_plan(rq->store);
    struct making k = { .a = rq->arena };
    struct puan_device_account account;
    struct device now;
    char code[DEVICE_CODE + 4], fingerprint[33];
    struct puan_act act;
    struct puan_jw *w;

    if (!puan_device_account(&account, rq->store, p->account))
        return puan_fail(err, PUAN_ENOTFOUND, "account",
                         "no device credential was issued to that name");
    if (!account.open)
        return puan_fail(err, PUAN_ECONFLICT, "account",
                         "this credential was ended or its time is over");
    if (!puan_store_shard_of_area(rq->store, account.area))
        return puan_fail(err, PUAN_ECONFLICT, "account",
                         "its area lies in no returns store");
    TRY(device_office_keys(NULL, fingerprint, rq->store, rq->arena, err));
    TRY(puan_secret_make(code, sizeof(code), DEVICE_CODE * 5, err));
    hash_of(k.e.hash, rq->store, "enrol", PUAN_STR(""), puan_str_of(code));
    k.e.account = account.name;
    k.e.made = rq->real_now;
    k.e.until = rq->real_now + puan_plan_number(plan, "enrol_hours", 72) *
                                   INT64_C(3600000);
    puan_request_act(&act, rq, account.name);
    TRY(puan_commit(puan_store_office(rq->store), &act, make_code, &k, err));
    puan_answer_header(rq, "Cache-Control", "no-store");
    w = puan_answer_begin(rq, 201);
    puan_jw_map(w);
    puan_jw_ktext(w, "code", code);
    puan_jw_kstr(w, "account", account.name);
    puan_jw_kint(w, "until", k.e.until);
    puan_jw_ktext(w, "campaign", puan_store_id(rq->store));
    puan_jw_ktext(w, "fingerprint", fingerprint);
    puan_jw_kbool(w, "replaces",
                  device_of_account(&now, rq->store, account.name));
    puan_jw_end(w, '}');
    puan_os_wipe(code, sizeof(code));
    return PUAN_OK;
}

/* ---- enrolling ------------------------------------------------------------------ */

struct enrolling {
    struct enrolment e;
    struct device fresh, old;
    bool replaces;
    struct puan_store *st;
    struct puan_arena *a;
    int64_t now;
};

static enum puan_status find_code(struct enrolment *e, struct puan_db *db,
                                  struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    TRY(puan_sql(&s, db,
                 "SELECT id, account, made, until, used FROM enrolment"
                 " WHERE hash = $1",
                 err));
    puan_bind_bytes(s, 1, e->hash, sizeof(e->hash));
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more) {
        e->id = puan_col_int(s, 0);
        e->account = puan_arena_keep(a, puan_col_text(s, 1));
        e->made = puan_col_int(s, 2);
        e->until = puan_col_int(s, 3);
        e->used = puan_col_int(s, 4);
    }
    puan_stmt_done(s);
    TRY(st);
    return puan_arena_check(a, err);
}

/* The act that uses the code: the new device, and the end of the old one. */
static enum puan_status enrol_body(struct puan_shard *sh, struct puan_db *db,
                                   struct puan_act *act, void *arg,
                                   struct puan_err *err)
{
    struct enrolling *k = arg;
    struct puan_shard *own = device_shard(k->st, &k->fresh);

    TRY(find_code(&k->e, db, k->a, err));
    if (k->e.used || k->e.until < k->now)
        return puan_fail(err, PUAN_EDENIED, "code",
                         "this code was used or is over; ask for another");
    TRY(puan_db_int(&k->fresh.id, db, "SELECT MAX(id) + 1 FROM device", 1,
                    err));
    k->fresh.device = puan_str_of(
        puan_arena_fmt(k->a, "d%lld-%lld", (long long)puan_shard_area(own),
                       (long long)k->fresh.id));
    k->e.used = k->fresh.id;
    TRY(enrolment_write(&k->e, false, sh, db, act, k->a, err));
    TRY(device_write(&k->fresh, PUAN_STR(""), true, sh, db, act, k->a, err));
    act->subject = k->fresh.device;
    if (!k->replaces)
        return PUAN_OK;
    k->old.state = DEVICE_REVOKED;
    k->old.ordered = (int64_t)act->seq;
    k->old.revoked = k->now;
    k->old.reason = PUAN_STR("another device was enrolled");
    k->old.seat = PUAN_STR("");
    return device_write(&k->old, PUAN_STR(""), false, sh, db, act, k->a, err);
}

static enum puan_status no_code(struct puan_err *err)
{
    return puan_fail(err, PUAN_EDENIED, "code",
                     "this code is not known, was used or is over");
}

static bool of_account(const struct puan_who *who, void *arg)
{
    const struct device *d = arg;

    return who->credential == PUAN_CRED_DEVICE &&
           puan_str_is(d->account, who->name);
}

HANDLER(h_enrol)
{
    const struct enrol_in *p = in;
    struct puan_shard *office = puan_store_office(rq->store);
    struct enrolling k = { .a = rq->arena, .st = rq->store,
                           .now = rq->real_now };
    struct puan_device_account account;
    char secret[DEVICE_SECRET + 4], code[48], fingerprint[33];
    struct puan_p256 *sign_key;
    struct puan_act act;
    struct puan_db *db;
    struct puan_jw *w;
    size_t n = 0;
    enum puan_status st;

    for (size_t i = 0; i < p->code.n; i++) /* typed in groups, either case */
        if (p->code.p[i] != ' ' && p->code.p[i] != '-')
            code[n++] = p->code.p[i] >= 'a' && p->code.p[i] <= 'z'
                            ? (char)(p->code.p[i] - 'a' + 'A')
                            : p->code.p[i];
    hash_of(k.e.hash, rq->store, "enrol", PUAN_STR(""),
            (struct puan_str){ code, n });
    if (puan_unbase64(k.fresh.sign_key, sizeof(k.fresh.sign_key),
                      p->sign_key) != (int)sizeof(k.fresh.sign_key))
        return puan_fail(err, PUAN_EINVAL, "sign_key",
                         "65 bytes in base64 are wanted");
    TRY(puan_p256_load_public(
        &sign_key,
        (struct puan_str){ (const char *)k.fresh.sign_key,
                           sizeof(k.fresh.sign_key) },
        err));
    puan_p256_free(sign_key);
    TRY(puan_read_begin(&db, office, err));
    st = find_code(&k.e, db, rq->arena, err);
    puan_read_end(office, db);
    TRY(st);
    if (!k.e.id || k.e.used || k.e.until < rq->real_now ||
        !puan_device_account(&account, rq->store, k.e.account) ||
        !account.open ||
        !puan_store_shard_of_area(rq->store, account.area))
        return no_code(err);
    TRY(puan_secret_make(secret, sizeof(secret), DEVICE_SECRET * 5, err));
    hash_of(k.fresh.secret, rq->store, "field device", account.name,
            puan_str_of(secret));
    k.fresh.account = account.name;
    k.fresh.role = account.role;
    k.fresh.area = account.area;
    k.fresh.name = p->name;
    k.fresh.enrolled = k.fresh.at = rq->real_now;
    k.fresh.lease = rq->real_now + lease_ms(puan_store_plan(rq->store));
    k.fresh.state = DEVICE_ACTIVE;
    k.replaces = device_of_account(&k.old, rq->store, account.name);
    puan_request_act(&act, rq, account.name);
    act.actor = account.name;
    TRY(puan_commit(office, &act, enrol_body, &k, err));
    TRY(device_keep(rq->store, &k.fresh, err));
    puan_device_account_bind(rq->store, account.name);
    if (k.replaces)
        TRY(device_keep(rq->store, &k.old, err));
    puan_session_end_if(puan_host_sessions(rq->host), of_account, &k.fresh);
    puan_answer_header(rq, "Cache-Control", "no-store");
    w = puan_answer_begin(rq, 201);
    puan_jw_map(w);
    puan_jw_kstr(w, "device", k.fresh.device);
    puan_jw_ktext(w, "secret", secret);
    puan_jw_kstr(w, "account", account.name);
    puan_jw_kstr(w, "role", account.role);
    puan_jw_kcode(w, "area", account.area);
    puan_jw_key(w, "office");
    st = device_office_keys(w, fingerprint, rq->store, rq->arena, err);
    puan_jw_kint(w, "lease_until", k.fresh.lease);
    puan_jw_kint(w, "server_time", rq->real_now);
    puan_jw_end(w, '}');
    puan_os_wipe(secret, sizeof(secret));
    return st;
}

/* ---- signing in ------------------------------------------------------------------- */

static void put_lease(struct puan_jw *w, struct puan_request *rq,
                      const struct device *d)
{
    puan_jw_kint(w, "lease_until", d->lease);
    puan_jw_kstr(w, "lease_key", device_lease_key(rq->store, d, rq->arena));
    puan_jw_kint(w, "server_time", rq->real_now);
}

HANDLER(h_device_session)
{
    const struct device_session_in *p = in;
    struct device d = { 0 };
    struct contact c = { .device = &d, .a = rq->arena, .session = true };
    char token[PUAN_TOKEN_TEXT];
    uint8_t hash[16];
    struct puan_act act;
    struct puan_jw *w;
    int64_t idle;
    bool known = device_find(&d, rq->store, p->device);

    hash_of(hash, rq->store, "field device", d.account, p->secret);
    if (!puan_equal_const(hash, d.secret, sizeof(hash)) || !known) {
        puan_answer_problem(rq, 401, "sign-in-failed",
                            "device or secret is not right");
        return PUAN_OK;
    }
    if (d.state != DEVICE_ACTIVE) {
        device_problem(rq, 403, "revoked", "this device was revoked", "order",
                       d.ordered);
        return PUAN_OK;
    }
    TRY(puan_device_sign_in(token, &idle, rq, d.account, d.device, err));
    puan_request_act(&act, rq, d.device);
    act.actor = d.account;
    act.device = d.device;
    TRY(contact_take(&c, rq->store, &act, err));
    d.lease = c.lease;
    puan_answer_header(rq, "Cache-Control", "no-store");
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_ktext(w, "token", token);
    puan_jw_kstr(w, "name", d.account);
    puan_jw_kstr(w, "role", d.role);
    puan_jw_kcode(w, "area", d.area);
    puan_jw_kint(w, "idle_ms", idle);
    puan_jw_kint(w, "known", c.known);
    put_lease(w, rq, &d);
    puan_jw_end(w, '}');
    puan_os_wipe(token, sizeof(token));
    return PUAN_OK;
}

/* ---- what it did since the last contact ---------------------------------------------- */

static enum puan_status read_links(struct contact *c, struct puan_str json,
                                   struct puan_err *err)
{
    struct puan_node *list;
    struct puan_str *text;
    uint32_t n = 0;

    TRY(puan_json_tree(&list, json, "links", c->a, err));
    if (list->kind != PUAN_NODE_LIST)
        return puan_fail(err, PUAN_EINVAL, "links", "a list is wanted");
    if (list->n > DEVICE_LINKS)
        return puan_fail(err, PUAN_ELIMIT, "links", "at most %d at once",
                         DEVICE_LINKS);
    text = puan_new_n(c->a, list->n + 1, struct puan_str);
    if (!text)
        return puan_arena_check(c->a, err);
    PUAN_NODE_EACH(x, list)
    {
        if (x->kind != PUAN_NODE_SCALAR)
            return puan_node_fail(x, err, "a link is a text");
        text[n++] = x->text;
    }
    c->link = text;
    c->n_links = n;
    return PUAN_OK;
}

HANDLER(h_contact)
{
    const struct contact_in *p = in;
    struct device d;
    struct contact c = { .device = &d, .a = rq->arena, .session = true,
                         .clock = p->time, .from = (uint32_t)p->from,
                         .head = p->head, .signature = p->signature };
    struct puan_act act;
    struct puan_jw *w;
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    enum puan_status st = device_of_session(&d, rq, err);

    if (st == PUAN_EBUSY)
        return PUAN_OK;
    TRY(st);
    TRY(read_links(&c, p->links, err));
    TRY(device_signed(&d,
                      puan_str_of(puan_arena_fmt(
                          rq->arena, "puan-contact-1|%s|%.*s|%llu|%.*s",
                          puan_store_id(rq->store), PUAN_FMT(d.device),
                          (unsigned long long)p->from + c.n_links - 1,
                          PUAN_FMT(p->head))),
                      p->signature, err));
    puan_request_act(&act, rq, d.device);
    TRY(contact_take(&c, rq->store, &act, err));
    if (c.broken || c.gap) {
        device_problem(rq, 409, c.gap ? "chain-gap" : "chain-broken",
                       c.gap ? "links are missing before these"
                             : "these links do not follow those known here",
                       "known", c.known);
        return PUAN_OK;
    }
    d.lease = c.lease;
    puan_hex(hex, c.hash, sizeof(c.hash));
    puan_answer_header(rq, "Cache-Control", "no-store");
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kint(w, "known", c.known);
    puan_jw_ktext(w, "head", hex);
    put_lease(w, rq, &d);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

/* ---- the order and its receipt --------------------------------------------------------- */

enum puan_status device_area_of(int64_t *area, struct puan_request *rq,
                                const void *in, struct puan_err *err)
{
    const struct revoke_in *p = in;
    struct device d;

    if (!device_find(&d, rq->store, p->device))
        return puan_fail(err, PUAN_ENOTFOUND, "device", "no such device");
    *area = d.area;
    return PUAN_OK;
}

struct changing {
    struct device d;
    struct puan_str wipe_sig;
    bool order; /* revokes: the entry's number is the order */
    struct puan_arena *a;
};

static enum puan_status change_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    struct changing *k = arg;

    if (k->order)
        k->d.ordered = (int64_t)act->seq;
    return device_write(&k->d, k->wipe_sig, false, sh, db, act, k->a, err);
}

HANDLER(h_revoke)
{
    const struct revoke_in *p = in;
    struct changing k = { .a = rq->arena, .order = true };
    struct puan_act act;
    struct puan_jw *w;

    if (!device_find(&k.d, rq->store, p->device))
        return puan_fail(err, PUAN_ENOTFOUND, "device", "no such device");
    if (k.d.state == DEVICE_WIPED || (k.d.state == DEVICE_REVOKED &&
                                      (k.d.lost || !p->lost)))
        return puan_fail(err, PUAN_ECONFLICT, "device",
                         "it was revoked before");
    k.order = k.d.state == DEVICE_ACTIVE;
    if (k.order)
        k.d.revoked = rq->real_now;
    k.d.state = DEVICE_REVOKED;
    k.d.lost = p->lost;
    k.d.reason = p->reason;
    k.d.seat = puan_str_of(rq->who.seat_text);
    puan_request_act(&act, rq, k.d.device);
    act.note = p->reason;
    TRY(puan_commit(puan_store_office(rq->store), &act, change_body, &k, err));
    TRY(device_keep(rq->store, &k.d, err));
    puan_session_end_if(puan_host_sessions(rq->host), of_account, &k.d);
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kstr(w, "device", k.d.device);
    puan_jw_kint(w, "order", k.d.ordered);
    puan_jw_kint(w, "lease_until", k.d.lease);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

HANDLER(h_wipe)
{
    const struct wipe_in *p = in;
    struct changing k = { .a = rq->arena, .wipe_sig = p->signature };
    struct puan_act act;
    bool known = device_find(&k.d, rq->store, p->device);

    if (!known)
        return puan_fail(err, PUAN_EDENIED, "device",
                         "the signature is not that of a known device");
    TRY(device_signed(&k.d,
                      puan_str_of(puan_arena_fmt(
                          rq->arena, "puan-wipe-1|%s|%.*s|%lld|%lld|%.*s",
                          puan_store_id(rq->store), PUAN_FMT(k.d.device),
                          (long long)p->order, (long long)p->at,
                          PUAN_FMT(p->head))),
                      p->signature, err));
    if (p->order && (p->order != k.d.ordered || k.d.state == DEVICE_ACTIVE))
        return puan_fail(err, PUAN_ECONFLICT, "order",
                         "that is not the order given to this device");
    if (!(k.d.state == DEVICE_WIPED ||
          (k.d.wiped == p->at && puan_str_eq(k.d.wipe_head, p->head)))) {
        if (p->order)
            k.d.state = DEVICE_WIPED;
        k.d.wiped = p->at;
        k.d.wipe_head = p->head;
        puan_request_act(&act, rq, k.d.device);
        act.actor = k.d.account;
        act.device = k.d.device;
        act.note = p->order ? PUAN_STR("ordered") : PUAN_STR("lease over");
        TRY(puan_commit(puan_store_office(rq->store), &act, change_body, &k,
                        err));
        TRY(device_keep(rq->store, &k.d, err));
    }
    puan_answer_empty(rq);
    return PUAN_OK;
}
