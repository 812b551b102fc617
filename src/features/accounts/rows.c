/*
 * Rows of accounts and seats: reading, writing, covering.  A secret leaves
 * this folder only at the moment it is made.
 */
#include <stdio.h>

#include "features/accounts/internal.h"
#include "kit/crypto/keys.h"
#include "kit/os/os.h"

int32_t role_ordinal(const struct puan_plan *p, struct puan_str id)
{
    for (size_t i = 0; i < p->n_roles; i++)
        if (puan_str_eq(p->role[i].id, id))
            return (int32_t)i;
    return -1;
}

int role_admin(const struct puan_role *r)
{
    if (puan_role_can(r, PUAN_STR("admin.system")))
        return 1;
    if (puan_role_can(r, PUAN_STR("admin.security")))
        return 2;
    return puan_role_can(r, PUAN_STR("admin.audit")) ? 3 : 0;
}

bool name_ok(struct puan_str name)
{
    if (name.n < 2 || name.n > 60 || !puan_utf8_valid(name))
        return false;
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];

        if (c < 128 && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}

void seat_text(char out[64], struct puan_str role, int64_t area)
{
    puan_format(out, 64, "%.*s@%lld", PUAN_FMT(role), (long long)area);
}

int64_t idle_ms(const struct puan_plan *p, enum puan_credential c)
{
    bool human = c == PUAN_CRED_HUMAN;

    return puan_plan_number(p, human ? "session_idle_office"
                                     : "session_idle_field",
                            human ? 15 * 60000 : 30 * 60000);
}

/* ---- accounts ------------------------------------------------------------------ */

enum puan_status account_read(struct account_row *out, struct puan_db *db,
                              int64_t id, struct puan_str name,
                              struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    enum puan_status st;
    bool more = false;

    st = puan_sql(&s, db,
                  "SELECT id, name, person, state, secret, secret_ms, first,"
                  " totp, locked_ms FROM account"
                  " WHERE id = $1 OR name = $2",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, id);
    puan_bind_text(s, 2, id ? PUAN_STR("") : name);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && !more)
        st = puan_fail(err, PUAN_ENOTFOUND, "account", "there is none");
    if (st == PUAN_OK) {
        out->id = puan_col_int(s, 0);
        out->name = puan_arena_keep(a, puan_col_text(s, 1));
        out->person = puan_arena_keep(a, puan_col_text(s, 2));
        out->state = puan_col_int(s, 3);
        out->secret = puan_arena_keep(a, puan_col_text(s, 4));
        out->secret_ms = puan_col_int(s, 5);
        out->first = puan_col_int(s, 6);
        out->totp = puan_arena_keep(a, puan_col_bytes(s, 7));
        out->locked_ms = puan_col_int(s, 8);
    }
    puan_stmt_done(s);
    return st;
}

enum puan_status account_write(struct account_row *r, bool insert,
                               struct puan_shard *sh, struct puan_db *db,
                               struct puan_act *act, struct puan_arena *a,
                               struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_out o;
    enum puan_status st;

    if (insert) {
        st = puan_db_int(&r->id, db, "SELECT MAX(id) + 1 FROM account", 1, err);
        if (st != PUAN_OK)
            return st;
        st = puan_sql(&s, db,
                      "INSERT INTO account(id, name, person, state, secret,"
                      " secret_ms, first, totp, locked_ms)"
                      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                      err);
    } else {
        st = puan_sql(&s, db,
                      "UPDATE account SET name = $2, person = $3, state = $4,"
                      " secret = $5, secret_ms = $6, first = $7, totp = $8,"
                      " locked_ms = $9 WHERE id = $1",
                      err);
    }
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, r->id);
    puan_bind_text(s, 2, r->name);
    puan_bind_text(s, 3, r->person);
    puan_bind_int(s, 4, r->state);
    puan_bind_text(s, 5, r->secret);
    puan_bind_int(s, 6, r->secret_ms);
    puan_bind_int(s, 7, r->first);
    puan_bind_bytes(s, 8, r->totp.p ? r->totp.p : "", r->totp.n);
    puan_bind_int(s, 9, r->locked_ms);
    st = puan_stmt_once(s, err);
    if (st == PUAN_ECONFLICT && err)
        puan_format(err->text, sizeof(err->text),
                    "this account name is taken; choose another");
    if (st != PUAN_OK)
        return st;
    puan_out_init(&o, a);
    puan_content_text(&o, r->name);
    puan_content_text(&o, r->person);
    puan_content_int(&o, r->state);
    puan_content_text(&o, r->secret);
    puan_content_int(&o, r->secret_ms);
    puan_content_int(&o, r->first);
    puan_content_bytes(&o, r->totp);
    puan_content_int(&o, r->locked_ms);
    st = puan_arena_check(a, err);
    if (st != PUAN_OK)
        return st;
    return puan_cover_id(sh, db, act, "account", r->id, puan_out_view(&o), err);
}

/* ---- seats ------------------------------------------------------------------------ */

enum puan_status seat_write(struct seat_row *r, bool insert,
                            struct puan_shard *sh, struct puan_db *db,
                            struct puan_act *act, struct puan_arena *a,
                            struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_out o;
    enum puan_status st;

    if (insert) {
        st = puan_db_int(&r->id, db, "SELECT MAX(id) + 1 FROM seat", 1, err);
        if (st != PUAN_OK)
            return st;
        st = puan_sql(&s, db,
                      "INSERT INTO seat(id, account, role, area, from_ms,"
                      " until_ms, ended, attested)"
                      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                      err);
    } else {
        st = puan_sql(&s, db,
                      "UPDATE seat SET account = $2, role = $3, area = $4,"
                      " from_ms = $5, until_ms = $6, ended = $7,"
                      " attested = $8 WHERE id = $1",
                      err);
    }
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, r->id);
    puan_bind_int(s, 2, r->account);
    puan_bind_text(s, 3, r->role);
    puan_bind_int(s, 4, r->area);
    puan_bind_int(s, 5, r->from_ms);
    puan_bind_int(s, 6, r->until_ms);
    puan_bind_int(s, 7, r->ended);
    puan_bind_text(s, 8, r->attested);
    TRY(puan_stmt_once(s, err));
    puan_out_init(&o, a);
    puan_content_int(&o, r->account);
    puan_content_text(&o, r->role);
    puan_content_int(&o, r->area);
    puan_content_int(&o, r->from_ms);
    puan_content_int(&o, r->until_ms);
    puan_content_int(&o, r->ended);
    puan_content_text(&o, r->attested);
    st = puan_arena_check(a, err);
    if (st != PUAN_OK)
        return st;
    return puan_cover_id(sh, db, act, "seat", r->id, puan_out_view(&o), err);
}

enum puan_status seats_of(struct seat_row **out, size_t *n, struct puan_db *db,
                          int64_t account, int64_t now, struct puan_arena *a,
                          struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    enum puan_status st;
    bool more;
    size_t cap = 64;

    *n = 0;
    *out = puan_new_n(a, cap, struct seat_row);
    if (!*out)
        return puan_fail(err, PUAN_ENOMEM, "seat", "out of memory");
    st = puan_sql(&s, db,
                  "SELECT id, role, area, from_ms, until_ms FROM seat"
                  " WHERE account = $1 AND ended = 0 AND from_ms <= $2"
                  " AND (until_ms = 0 OR until_ms > $2) ORDER BY id LIMIT 64",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, account);
    puan_bind_int(s, 2, now);
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more &&
           *n < cap) {
        struct seat_row *r = &(*out)[(*n)++];

        r->id = puan_col_int(s, 0);
        r->account = account;
        r->role = puan_arena_keep(a, puan_col_text(s, 1));
        r->area = puan_col_int(s, 2);
        r->from_ms = puan_col_int(s, 3);
        r->until_ms = puan_col_int(s, 4);
    }
    puan_stmt_done(s);
    return st;
}

enum puan_status puan_seat_holders(int64_t *n, struct puan_db *db,
                                   struct puan_str role, int64_t area,
                                   struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *n = 0;
    st = puan_sql(&s, db,
                  "SELECT COUNT(*) FROM seat WHERE role = $1 AND area = $2"
                  " AND ended = 0 AND from_ms <= $3"
                  " AND (until_ms = 0 OR until_ms > $3)",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_text(s, 1, role);
    puan_bind_int(s, 2, area);
    puan_bind_int(s, 3, puan_real_now());
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more)
        *n = puan_col_int(s, 0);
    puan_stmt_done(s);
    return st;
}

/* ---- secrets ------------------------------------------------------------------------ */

enum puan_status secret_make(struct fresh_secret *out, struct puan_store *st,
                             struct puan_str name, struct puan_arena *a,
                             struct puan_err *err)
{
    const struct puan_seal_key *key;
    struct puan_out o;
    uint8_t raw[20];
    enum puan_status r;

    /* 80 bits; the mark and digit satisfy every complexity rule. */
    r = puan_secret_make(out->secret, sizeof(out->secret) - 4, 80, err);
    if (r != PUAN_OK)
        return r;
    memcpy(out->secret + strlen(out->secret), "-a7", 4);
    r = puan_password_hash(out->encoded, puan_str_of(out->secret), err);
    if (r == PUAN_OK)
        r = puan_os_random(raw, sizeof(raw), err);
    if (r != PUAN_OK)
        return r;
    puan_base32(out->totp, raw, sizeof(raw));
    r = puan_keys_data_make(&key, puan_store_keys(st), 0, "account", err);
    if (r == PUAN_OK) {
        puan_out_init(&o, a);
        r = puan_seal(&o, key,
                      puan_seal_aad(a, 0, "account", "totp", key->version,
                                    name),
                      (struct puan_str){ (const char *)raw, sizeof(raw) }, err);
        out->sealed_totp = puan_out_view(&o);
    }
    puan_os_wipe(raw, sizeof(raw));
    return r;
}

enum puan_status totp_open(struct puan_str *out, struct puan_store *st,
                           const struct account_row *r, struct puan_arena *a,
                           struct puan_err *err)
{
    const struct puan_seal_key *key;
    int version;

    if (r->totp.n < 3)
        return puan_fail(err, PUAN_EDENIED, "account", "has no second factor");
    version = puan_sealed_version(r->totp);
    key = version < 0 ? NULL
                      : puan_keys_data_version(puan_store_keys(st), 0,
                                               "account", (uint16_t)version);
    if (!key)
        return puan_fail(err, PUAN_EIO, "account",
                         "the key of its second factor is missing");
    return puan_unseal(out, key,
                       puan_seal_aad(a, 0, "account", "totp",
                                     (uint16_t)version, r->name),
                       r->totp, a, err);
}

/* ---- rules for passwords -------------------------------------------------------------- */

static bool lower_has(struct puan_str text, const char *part)
{
    size_t n = strlen(part);

    for (size_t i = 0; n && i + n <= text.n; i++) {
        size_t k = 0;

        while (k < n) {
            char c = text.p[i + k];

            if (c >= 'A' && c <= 'Z')
                c = (char)(c - 'A' + 'a');
            if (c != part[k])
                break;
            k++;
        }
        if (k == n)
            return true;
    }
    return false;
}

enum puan_status puan_password_rules(struct puan_str password,
                                     struct puan_str name, bool administrator,
                                     struct puan_err *err)
{
    static const char *const known[] = {
        "password", "passw0rd", "123456", "12345678", "qwerty", "1q2w3e",
        "abc123",   "letmein",  "admin",  "welcome",  "iloveyou", "88888888",
        "66666666", "111111",   "p@ssw",  "zaq12wsx", "5201314",
    };
    size_t least = administrator ? 10 : 8;
    unsigned classes = 0;
    char lower[64];
    size_t n = name.n < sizeof(lower) - 1 ? name.n : sizeof(lower) - 1;

    if (!puan_utf8_valid(password) || password.n > 128)
        return puan_fail(err, PUAN_EINVAL, "password",
                         "at most 128 bytes of UTF-8");
    if (puan_utf8_length(password) < least)
        return puan_fail(err, PUAN_EINVAL, "password",
                         "at least %zu characters are wanted", least);
    for (size_t i = 0; i < password.n; i++) {
        char c = password.p[i];

        classes |= c >= 'a' && c <= 'z'   ? 1u
                   : c >= 'A' && c <= 'Z' ? 2u
                   : c >= '0' && c <= '9' ? 4u
                                          : 8u;
    }
    if (__builtin_popcount(classes) < 3)
        return puan_fail(err, PUAN_EINVAL, "password",
                         "three of lower case, upper case, digits and marks "
                         "are wanted");
    for (size_t i = 0; i < n; i++)
        lower[i] = name.p[i] >= 'A' && name.p[i] <= 'Z'
                       ? (char)(name.p[i] - 'A' + 'a')
                       : name.p[i];
    lower[n] = 0;
    if (n >= 3 && lower_has(password, lower))
        return puan_fail(err, PUAN_EINVAL, "password",
                         "must not contain the account's name");
    for (size_t i = 0; i < PUAN_COUNT(known); i++)
        if (lower_has(password, known[i]))
            return puan_fail(err, PUAN_EINVAL, "password",
                             "contains a word everybody tries first");
    return PUAN_OK;
}
