/*
 * A sealed return is opened, held against its head and handed to ingest; the
 * receipt is signed once and kept, so that every repetition gives the same.
 */
#include "features/devices/internal.h"

#include "kit/os/os.h"

struct row {
    int64_t id, state, announced;
    struct puan_str receipt;
};

static enum puan_status row_read(struct row *out, struct puan_db *db,
                                 struct puan_str device, int64_t household,
                                 int64_t counter, struct puan_str digest,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *out = (struct row){ 0 };
    TRY(puan_sql(&s, db,
                 "SELECT id, state, announced, receipt FROM device_return"
                 " WHERE device = $1 AND household = $2 AND counter = $3"
                 " AND digest = $4",
                 err));
    puan_bind_text(s, 1, device);
    puan_bind_int(s, 2, household);
    puan_bind_int(s, 3, counter);
    puan_bind_text(s, 4, digest);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more) {
        out->id = puan_col_int(s, 0);
        out->state = puan_col_int(s, 1);
        out->announced = puan_col_int(s, 2);
        out->receipt = puan_arena_keep(a, puan_col_text(s, 3));
    }
    puan_stmt_done(s);
    TRY(st);
    return puan_arena_check(a, err);
}

static struct puan_str hex_of(const struct puan_sealed *s, struct puan_arena *a)
{
    char *hex = puan_arena_get(a, 2 * PUAN_DIGEST_SIZE + 1);

    if (!hex)
        return PUAN_STR("");
    puan_hex(hex, s->digest, PUAN_DIGEST_SIZE);
    return puan_str_of(hex);
}

static enum puan_status look(struct row *out, struct puan_store *st,
                             const struct device *d,
                             const struct puan_sealed *s, struct puan_arena *a,
                             struct puan_err *err)
{
    struct puan_shard *sh = device_shard(st, d);
    struct puan_db *db;
    enum puan_status rc;

    if (!sh)
        return puan_fail(err, PUAN_ECONFLICT, "device",
                         "its area lies in no returns store");
    TRY(puan_read_begin(&db, sh, err));
    rc = row_read(out, db, d->device, s->household, s->counter, hex_of(s, a), a,
                  err);
    puan_read_end(sh, db);
    return rc;
}

enum puan_status return_known(bool *known, struct taken *out,
                              struct puan_store *st, const struct device *d,
                              const struct puan_sealed *s, struct puan_arena *a,
                              struct puan_err *err)
{
    struct row r;

    TRY(look(&r, st, d, s, a, err));
    *known = r.receipt.n > 0;
    if (*known)
        *out = (struct taken){ (enum return_state)r.state, r.receipt };
    return PUAN_OK;
}

/* ---- opening -------------------------------------------------------------------- */

static enum puan_status not_its(struct puan_err *err, const char *text)
{
    return puan_fail(err, PUAN_EINVAL, "sealed return", "%s", text);
}

/* Does the document say of itself what the head says?  *form: what it is. */
static enum puan_status agrees(struct puan_str *form,
                               const struct puan_sealed *s, struct puan_str doc,
                               struct puan_arena *a, struct puan_err *err)
{
    struct puan_node *n;
    int64_t household = 0, counter = -1;

    if (puan_json_tree(&n, doc, "document", a, NULL) != PUAN_OK ||
        n->kind != PUAN_NODE_MAP)
        return not_its(err, "what is sealed is no JSON document");
    if (!puan_int_parse(&household, puan_node_str_opt(n, "household", "")) ||
        household != s->household ||
        !puan_int_parse(&counter, puan_node_str_opt(n, "counter", "")) ||
        counter != (int64_t)s->counter ||
        !puan_str_eq(puan_node_str_opt(n, "device", ""), s->device))
        return not_its(err, "the document is of another household, device or "
                            "counter than its head says");
    *form = puan_node_str_opt(n, "form", "");
    return PUAN_OK;
}

static enum puan_status open_sealed(struct puan_str *doc, struct puan_str *form,
                                    struct puan_store *st,
                                    const struct puan_sealed *s,
                                    struct puan_arena *a, struct puan_err *err)
{
    int id = puan_envelope_key(s->envelope);
    const struct puan_p256 *own =
        id < 0 ? NULL
               : puan_keys_pair(puan_store_keys(st), "field", (uint16_t)id);
    uint8_t d[PUAN_DIGEST_SIZE];

    if (!own)
        return not_its(err, "it is sealed to no key of this office");
    if (puan_envelope_open(doc, own, puan_sealed_aad(a, s), s->envelope, a,
                           NULL) != PUAN_OK)
        return not_its(err, "it does not open: changed, or sealed to another "
                            "key");
    puan_digest_one(d, puan_digest_sha256(), *doc);
    if (memcmp(d, s->digest, sizeof(d)) != 0)
        return not_its(err, "the digest in its head is not its document's");
    return agrees(form, s, *doc, a, err);
}

/* ---- the receipt ------------------------------------------------------------------- */

struct keeping {
    const struct device *d;
    const struct puan_sealed *s;
    struct puan_str digest, receipt;
    enum return_state state;
    int64_t now;
    struct puan_arena *a;
};

/* The first receipt stays.  Derived, so no entry. */
static enum puan_status keep_body(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    struct keeping *k = arg;
    struct puan_stmt *s = NULL;
    struct row r;
    enum puan_status st;

    (void)sh;
    act->silent = true;
    TRY(row_read(&r, db, k->d->device, k->s->household, k->s->counter,
                 k->digest, k->a, err));
    if (r.receipt.n) {
        k->receipt = r.receipt;
        k->state = (enum return_state)r.state;
        return PUAN_OK;
    }
    if (r.id == 0)
        TRY(puan_db_int(&r.id, db, "SELECT MAX(id) + 1 FROM device_return", 1,
                        err));
    TRY(puan_sql(&s, db,
                 "INSERT INTO device_return(id, device, household, counter,"
                 " digest, sealed, announced, state, arrived, receipt)"
                 " VALUES($1, $2, $3, $4, $5, 0, 0, $6, $7, $8)"
                 " ON CONFLICT(device, household, counter, digest)"
                 " DO UPDATE SET state = excluded.state,"
                 " arrived = excluded.arrived, receipt = excluded.receipt",
                 err));
    puan_bind_int(s, 1, r.id);
    puan_bind_text(s, 2, k->d->device);
    puan_bind_int(s, 3, k->s->household);
    puan_bind_int(s, 4, k->s->counter);
    puan_bind_text(s, 5, k->digest);
    puan_bind_int(s, 6, k->state);
    puan_bind_int(s, 7, k->now);
    puan_bind_text(s, 8, k->receipt);
    st = puan_stmt_run(s, err);
    puan_stmt_done(s);
    return st;
}

static enum puan_status receipt_of(struct puan_str *out, struct puan_store *st,
                                   struct puan_shard *sh,
                                   const struct puan_sealed *s,
                                   struct puan_str digest,
                                   const struct puan_receipt *r,
                                   const struct puan_err *why,
                                   struct puan_arena *a, struct puan_err *err)
{
    bool in = r->outcome == PUAN_SUBMIT_ACCEPTED ||
              r->outcome == PUAN_SUBMIT_REPEATED;
    const struct puan_p256 *key;
    uint8_t sig[PUAN_P256_SIGNATURE];
    char b64[2 * PUAN_P256_SIGNATURE];
    struct puan_str text;
    struct puan_out o;
    struct puan_jw w;
    uint16_t id;

    TRY(puan_keys_pair_make(&key, &id, puan_store_keys(st), "receipt", err));
    text = puan_str_of(puan_arena_fmt(
        a, "puan-receipt-1|%s|%.*s|%lld|%u|%.*s|%s|%s|%llu|%u|%lld",
        puan_store_id(st), PUAN_FMT(s->device), (long long)s->household,
        s->counter, PUAN_FMT(digest),
        in                                   ? "ledger"
        : r->outcome == PUAN_SUBMIT_HELD ? "revoked"
                                         : puan_submit_outcome_name(r->outcome),
        puan_shard_name(sh), (unsigned long long)r->seq, in ? r->version : 0,
        (long long)r->time_ms));
    TRY(puan_arena_check(a, err));
    TRY(puan_p256_sign(sig, key, text, err));
    puan_base64(b64, sig, sizeof(sig));
    puan_out_init(&o, a);
    puan_jw_init(&w, &o);
    puan_jw_map(&w);
    puan_jw_kstr(&w, "text", text);
    puan_jw_ktext(&w, "signature", b64);
    if (r->outcome == PUAN_SUBMIT_UNREADABLE)
        puan_jw_ktext(&w, "why",
                      puan_arena_fmt(a, "%s: %s", why->where, why->text));
    puan_jw_key(&w, "findings");
    if (in && r->form) {
        puan_edits_json(&w, &r->edits, r->rules, r->form, false);
    } else {
        puan_jw_list(&w);
        puan_jw_end(&w, ']');
    }
    puan_jw_end(&w, '}');
    *out = puan_out_view(&o);
    return puan_arena_check(a, err);
}

/* Who has a device that was taken away may also have its keys. */
static bool believed(const struct device *d, const struct row *row)
{
    return d->state == DEVICE_ACTIVE ||
           (row->announced != 0 && row->announced <= d->revoked);
}

static enum puan_status submit(struct puan_receipt *r, struct puan_store *st,
                               const struct device *d, const struct row *row,
                               struct puan_str doc, struct puan_arena *a,
                               struct puan_err *err)
{
    struct puan_sender who = {
        .actor = d->account,
        .seat = puan_str_of(puan_arena_fmt(a, "%.*s@%lld", PUAN_FMT(d->role),
                                           (long long)d->area)),
        .device = d->device,
        .area = d->area,
    };

    if (!believed(d, row))
        who.hold = "revoked";
    return puan_submit_wait(r, st, &who, doc, a, err);
}

enum puan_status return_take(struct taken *out, struct puan_store *st,
                             const struct device *d, struct puan_str bytes,
                             struct puan_arena *a, struct puan_err *err)
{
    struct keeping k = { .d = d, .a = a, .now = puan_real_now() };
    struct puan_act act = { .actor = d->account, .device = d->device,
                            .verb = PUAN_STR("device.receipt"),
                            .subject = d->device };
    struct puan_receipt r = { 0 };
    struct puan_err why = { 0 }; /* it is unreadable */
    struct puan_sealed s;
    struct puan_shard *sh;
    struct puan_str doc, form;
    struct row row;
    enum puan_status rc;

    TRY(puan_sealed_read(&s, bytes, err));
    if (!puan_str_is(s.campaign, puan_store_id(st)) ||
        !puan_str_eq(s.device, d->device))
        return not_its(err, "it is of another campaign or device");
    TRY(look(&row, st, d, &s, a, err));
    if (row.receipt.n) {
        *out = (struct taken){ (enum return_state)row.state, row.receipt };
        return PUAN_OK;
    }
    sh = puan_store_shard_of_household(st, s.household);
    if (!sh || sh != device_shard(st, d))
        return puan_fail(err, PUAN_EDENIED, "household",
                         "outside this device's area");
    TRY(open_sealed(&doc, &form, st, &s, a, err));
    rc = puan_str_is(form, LISTING_FORM)
             ? listing_take(&r, st, d, believed(d, &row), doc, a, &why)
             : submit(&r, st, d, &row, doc, a, &why);
    if (rc != PUAN_OK)
        return puan_fail(err, rc, why.where, "%s", why.text);
    k.s = &s;
    k.digest = hex_of(&s, a);
    k.state = r.outcome == PUAN_SUBMIT_ACCEPTED ||
                      r.outcome == PUAN_SUBMIT_REPEATED
                  ? RETURN_LEDGER
                  : RETURN_WAITS;
    TRY(receipt_of(&k.receipt, st, sh, &s, k.digest, &r, &why, a, err));
    TRY(puan_commit(sh, &act, keep_body, &k, err));
    *out = (struct taken){ k.state, k.receipt };
    return PUAN_OK;
}
