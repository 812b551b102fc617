/*
 * The rows of messages, deliveries and addresses: read, written and covered.
 */
#include "core/ledger/ledger.h"
#include "features/notify/internal.h"
#include "kit/crypto/crypto.h"
#include "kit/crypto/keys.h"

enum puan_status
puan_notify_message_write(struct puan_shard *sh, struct puan_db *db,
                          struct puan_act *act,
                          const struct puan_notify_message_row *m,
                          struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_out c;

    TRY(puan_sql(&s, db,
                 "INSERT INTO notify_message(id, kind, about, notice, zh, en,"
                 " level, role, area, account, at, due, drill, received)"
                 " VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
                 " $13, $14) ON CONFLICT (id) DO UPDATE SET"
                 " received = excluded.received",
                 err));
    puan_bind_int(s, 1, m->id);
    puan_bind_text(s, 2, m->kind);
    puan_bind_text(s, 3, m->about);
    puan_bind_int(s, 4, m->notice);
    puan_bind_text(s, 5, m->zh);
    puan_bind_text(s, 6, m->en);
    puan_bind_text(s, 7, m->level);
    puan_bind_text(s, 8, m->role);
    puan_bind_int(s, 9, m->area);
    puan_bind_text(s, 10, m->account);
    puan_bind_int(s, 11, m->at);
    puan_bind_int(s, 12, m->due);
    puan_bind_int(s, 13, m->drill);
    puan_bind_int(s, 14, m->received);
    TRY(puan_stmt_once(s, err));
    puan_out_init(&c, a);
    puan_content_text(&c, m->kind);
    puan_content_text(&c, m->about);
    puan_content_int(&c, m->notice);
    puan_content_text(&c, m->zh);
    puan_content_text(&c, m->en);
    puan_content_text(&c, m->level);
    puan_content_text(&c, m->role);
    puan_content_int(&c, m->area);
    puan_content_text(&c, m->account);
    puan_content_int(&c, m->at);
    puan_content_int(&c, m->due);
    puan_content_int(&c, m->drill);
    puan_content_int(&c, m->received);
    return puan_cover_id(sh, db, act, "notify_message", m->id,
                         puan_out_view(&c), err);
}

enum puan_status
puan_notify_delivery_write(struct puan_shard *sh, struct puan_db *db,
                           struct puan_act *act,
                           const struct puan_notify_delivery_row *d,
                           struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_out c;

    TRY(puan_sql(&s, db,
                 "INSERT INTO notify_delivery(id, message, channel, address,"
                 " token, state, tries, next, at, why)"
                 " VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
                 " ON CONFLICT (id) DO UPDATE SET state = excluded.state,"
                 " tries = excluded.tries, next = excluded.next,"
                 " at = excluded.at, why = excluded.why",
                 err));
    puan_bind_int(s, 1, d->id);
    puan_bind_int(s, 2, d->message);
    puan_bind_text(s, 3, d->channel);
    puan_bind_int(s, 4, d->address);
    puan_bind_text(s, 5, d->token);
    puan_bind_text(s, 6, d->state);
    puan_bind_int(s, 7, d->tries);
    puan_bind_int(s, 8, d->next);
    puan_bind_int(s, 9, d->at);
    puan_bind_text(s, 10, d->why);
    TRY(puan_stmt_once(s, err));
    puan_out_init(&c, a);
    puan_content_int(&c, d->message);
    puan_content_text(&c, d->channel);
    puan_content_int(&c, d->address);
    puan_content_text(&c, d->token);
    puan_content_text(&c, d->state);
    puan_content_int(&c, d->tries);
    puan_content_int(&c, d->next);
    puan_content_int(&c, d->at);
    puan_content_text(&c, d->why);
    return puan_cover_id(sh, db, act, "notify_delivery", d->id,
                         puan_out_view(&c), err);
}

enum puan_status
puan_notify_address_write(struct puan_shard *sh, struct puan_db *db,
                          struct puan_act *act,
                          const struct puan_notify_address_row *r,
                          struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_out c;

    TRY(puan_sql(&s, db,
                 "INSERT INTO notify_address(id, channel, role, area, account,"
                 " drill, sealed) VALUES($1, $2, $3, $4, $5, $6, $7)"
                 " ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed",
                 err));
    puan_bind_int(s, 1, r->id);
    puan_bind_text(s, 2, r->channel);
    puan_bind_text(s, 3, r->role);
    puan_bind_int(s, 4, r->area);
    puan_bind_text(s, 5, r->account);
    puan_bind_int(s, 6, r->drill);
    puan_bind_bytes(s, 7, r->sealed.p, r->sealed.n);
    TRY(puan_stmt_once(s, err));
    puan_out_init(&c, a);
    puan_content_text(&c, r->channel);
    puan_content_text(&c, r->role);
    puan_content_int(&c, r->area);
    puan_content_text(&c, r->account);
    puan_content_int(&c, r->drill);
    puan_content_bytes(&c, r->sealed);
    return puan_cover_id(sh, db, act, "notify_address", r->id,
                         puan_out_view(&c), err);
}

enum puan_status puan_notify_message_read(struct puan_notify_message_row *m,
                                          struct puan_db *db, int64_t id,
                                          struct puan_arena *a,
                                          struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    TRY(puan_sql(&s, db,
                 "SELECT id, kind, about, notice, zh, en, level, role, area,"
                 " account, at, due, drill, received FROM notify_message"
                 " WHERE id = $1",
                 err));
    puan_bind_int(s, 1, id);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && !more)
        st = puan_fail(err, PUAN_ENOTFOUND, "message",
                       "there is no message %lld", (long long)id);
    if (st == PUAN_OK)
        *m = (struct puan_notify_message_row){
            .id = puan_col_int(s, 0),
            .kind = puan_arena_keep(a, puan_col_text(s, 1)),
            .about = puan_arena_keep(a, puan_col_text(s, 2)),
            .notice = puan_col_int(s, 3),
            .zh = puan_arena_keep(a, puan_col_text(s, 4)),
            .en = puan_arena_keep(a, puan_col_text(s, 5)),
            .level = puan_arena_keep(a, puan_col_text(s, 6)),
            .role = puan_arena_keep(a, puan_col_text(s, 7)),
            .area = puan_col_int(s, 8),
            .account = puan_arena_keep(a, puan_col_text(s, 9)),
            .at = puan_col_int(s, 10),
            .due = puan_col_int(s, 11),
            .drill = puan_col_int(s, 12),
            .received = puan_col_int(s, 13)
        };
    puan_stmt_done(s);
    return st;
}

#define DELIVERY                                                               \
    "SELECT id, message, channel, address, token, state, tries, next, at, why" \
    " FROM notify_delivery WHERE "

static void take_delivery(struct puan_notify_delivery_row *d,
                          struct puan_stmt *s, struct puan_arena *a)
{
    *d = (struct puan_notify_delivery_row){
        .id = puan_col_int(s, 0),
        .message = puan_col_int(s, 1),
        .channel = puan_arena_keep(a, puan_col_text(s, 2)),
        .address = puan_col_int(s, 3),
        .token = puan_arena_keep(a, puan_col_text(s, 4)),
        .state = puan_arena_keep(a, puan_col_text(s, 5)),
        .tries = puan_col_int(s, 6),
        .next = puan_col_int(s, 7),
        .at = puan_col_int(s, 8),
        .why = puan_arena_keep(a, puan_col_text(s, 9))
    };
}

enum puan_status puan_notify_delivery_read(struct puan_notify_delivery_row *d,
                                           struct puan_db *db, int64_t id,
                                           struct puan_arena *a,
                                           struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    TRY(puan_sql(&s, db, DELIVERY "id = $1", err));
    puan_bind_int(s, 1, id);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && !more)
        st = puan_fail(err, PUAN_ENOTFOUND, "delivery",
                       "there is no delivery %lld", (long long)id);
    if (st == PUAN_OK)
        take_delivery(d, s, a);
    puan_stmt_done(s);
    return st;
}

enum puan_status puan_notify_deliveries(struct puan_notify_delivery_row **out,
                                        size_t *n, struct puan_db *db,
                                        int64_t message, struct puan_arena *a,
                                        struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    size_t cap = 64;
    enum puan_status st;

    *n = 0;
    *out = puan_new_n(a, cap, struct puan_notify_delivery_row);
    if (*out == NULL)
        return puan_arena_check(a, err);
    TRY(puan_sql(&s, db, DELIVERY "message = $1 ORDER BY id", err));
    puan_bind_int(s, 1, message);
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more && *n < cap)
        take_delivery(&(*out)[(*n)++], s, a);
    puan_stmt_done(s);
    return st;
}

/* ---- addresses are sealed -------------------------------------------------- */

static struct puan_str row_key(struct puan_arena *a, int64_t id)
{
    return puan_str_of(puan_arena_fmt(a, "%lld", (long long)id));
}

enum puan_status puan_notify_address_seal(struct puan_str *out,
                                          struct puan_store *st, int64_t id,
                                          struct puan_str plain,
                                          struct puan_arena *a,
                                          struct puan_err *err)
{
    const struct puan_seal_key *k = NULL;
    struct puan_out o;

    puan_out_init(&o, a);
    TRY(puan_keys_data_make(&k, puan_store_keys(st), 0, "notify", err));
    TRY(puan_seal(&o, k,
                  puan_seal_aad(a, 0, "notify_address", "sealed", k->version,
                                row_key(a, id)),
                  plain, err));
    *out = puan_out_view(&o);
    return puan_arena_check(a, err);
}

enum puan_status puan_notify_address_open(struct puan_str *out,
                                          struct puan_store *st,
                                          struct puan_db *db, int64_t id,
                                          struct puan_arena *a,
                                          struct puan_err *err)
{
    const struct puan_seal_key *k = NULL;
    struct puan_stmt *s = NULL;
    struct puan_str sealed = { "", 0 };
    bool more = false;
    int version;
    enum puan_status rc;

    TRY(puan_sql(&s, db, "SELECT sealed FROM notify_address WHERE id = $1",
                 err));
    puan_bind_int(s, 1, id);
    rc = puan_stmt_step(&more, s, err);
    if (rc == PUAN_OK && more)
        sealed = puan_arena_keep(a, puan_col_bytes(s, 0));
    else if (rc == PUAN_OK)
        rc = puan_fail(err, PUAN_ENOTFOUND, "address",
                       "the address is there no more");
    puan_stmt_done(s);
    if (rc != PUAN_OK)
        return rc;
    version = puan_sealed_version(sealed);
    if (version >= 0)
        k = puan_keys_data_version(puan_store_keys(st), 0, "notify",
                                   (uint16_t)version);
    if (k == NULL)
        return puan_fail(err, PUAN_EIO, "address",
                         "the key of the address is not there");
    return puan_unseal(out, k,
                       puan_seal_aad(a, 0, "notify_address", "sealed",
                                     k->version, row_key(a, id)),
                       sealed, a, err);
}
