/*
 * The accounts feature: schema, routes, metrics, what is kept in memory.
 */
#include "features/accounts/accounts.h"

#include <stdlib.h>

#include "features/accounts/internal.h"
#include "kit/os/os.h"

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE account(id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
      " person TEXT NOT NULL, state BIGINT NOT NULL, secret TEXT NOT NULL,"
      " secret_ms BIGINT NOT NULL, first BIGINT NOT NULL, totp BYTEA NOT NULL,"
      " locked_ms BIGINT NOT NULL);"
      "CREATE TABLE account_past(account BIGINT NOT NULL, secret_ms BIGINT NOT"
      " NULL, secret TEXT NOT NULL, PRIMARY KEY(account, secret_ms));"
      "CREATE TABLE seat(id BIGINT PRIMARY KEY, account BIGINT NOT NULL,"
      " role TEXT NOT NULL, area BIGINT NOT NULL, from_ms BIGINT NOT NULL,"
      " until_ms BIGINT NOT NULL, ended BIGINT NOT NULL, attested TEXT NOT"
      " NULL);"
      "CREATE INDEX seat_account ON seat(account);"
      "CREATE TABLE credential_batch(id BIGINT PRIMARY KEY, class BIGINT NOT"
      " NULL, role TEXT NOT NULL, from_ms BIGINT NOT NULL, until_ms BIGINT NOT"
      " NULL, n BIGINT NOT NULL, body BYTEA NOT NULL);"
      "CREATE TABLE credential_ended(class BIGINT NOT NULL, name TEXT NOT NULL,"
      " batch BIGINT NOT NULL, PRIMARY KEY(class, name));" },
    { PUAN_STORE_RETURNS, 2,
      "CREATE TABLE household_password(household BIGINT PRIMARY KEY,"
      " batch BIGINT NOT NULL, set_ms BIGINT NOT NULL, secret TEXT NOT"
      " NULL);" },
};

static const struct puan_covered covered[] = {
    { PUAN_STORE_OFFICE, "account",
      "SELECT CAST(id AS TEXT), name, person, state, secret, secret_ms, first,"
      " totp, locked_ms FROM account" },
    { PUAN_STORE_OFFICE, "seat",
      "SELECT CAST(id AS TEXT), account, role, area, from_ms, until_ms, ended,"
      " attested FROM seat" },
    { PUAN_STORE_OFFICE, "credential_batch",
      "SELECT CAST(id AS TEXT), class, role, from_ms, until_ms, n, body"
      " FROM credential_batch" },
    { PUAN_STORE_OFFICE, "credential_ended",
      "SELECT CAST(class AS TEXT) || ' ' || name, batch"
      " FROM credential_ended" },
    { PUAN_STORE_RETURNS, "household_password",
      "SELECT CAST(household AS TEXT), batch, set_ms, secret"
      " FROM household_password" },
};

/* ---- parameters ------------------------------------------------------------------ */

static const struct puan_param login_params[] = {
    { "name", PUAN_PARAM_TEXT, offsetof(struct login_in, name), 1, 60, false },
    { "secret", PUAN_PARAM_TEXT, offsetof(struct login_in, secret), 1, 128,
      false },
    { "code", PUAN_PARAM_TEXT, offsetof(struct login_in, code), 0, 12, true },
    { "seat", PUAN_PARAM_INT, offsetof(struct login_in, seat), 0, INT64_MAX,
      true },
    { "cookie", PUAN_PARAM_BOOL, offsetof(struct login_in, cookie), 0, 0,
      true },
};
static const struct puan_param machine_params[] = {
    { "kind", PUAN_PARAM_TEXT, offsetof(struct machine_in, kind), 1, 16,
      false },
    { "name", PUAN_PARAM_TEXT, offsetof(struct machine_in, name), 1, 60,
      false },
    { "secret", PUAN_PARAM_TEXT, offsetof(struct machine_in, secret), 1, 64,
      false },
    { "ticket", PUAN_PARAM_TEXT, offsetof(struct machine_in, ticket), 0, 64,
      true },
};
static const struct puan_param household_login_params[] = {
    { "code", PUAN_PARAM_TEXT, offsetof(struct household_login_in, code), 0,
      64, false },
    { "password", PUAN_PARAM_TEXT,
      offsetof(struct household_login_in, password), 0, 256, true },
    { "ticket", PUAN_PARAM_TEXT, offsetof(struct household_login_in, ticket),
      0, 64, true },
    { "cookie", PUAN_PARAM_BOOL, offsetof(struct household_login_in, cookie),
      0, 0, true },
};
static const struct puan_param household_password_params[] = {
    { "old", PUAN_PARAM_TEXT, offsetof(struct household_password_in, old), 0,
      256, true },
    { "password", PUAN_PARAM_TEXT,
      offsetof(struct household_password_in, password), 1, 256, false },
    { "cookie", PUAN_PARAM_BOOL,
      offsetof(struct household_password_in, cookie), 0, 0, true },
};
static const struct puan_param session_params[] = {
    { "peek", PUAN_PARAM_BOOL, offsetof(struct session_in, peek), 0, 0, true },
};
static const struct puan_param factor_params[] = {
    { "code", PUAN_PARAM_TEXT, offsetof(struct factor_in, code), 6, 12,
      false },
};
static const struct puan_param switch_params[] = {
    { "seat", PUAN_PARAM_INT, offsetof(struct switch_in, seat), 1, INT64_MAX,
      false },
};
static const struct puan_param password_params[] = {
    { "old", PUAN_PARAM_TEXT, offsetof(struct password_in, old), 1, 128,
      false },
    { "new", PUAN_PARAM_TEXT, offsetof(struct password_in, fresh), 1, 128,
      false },
};
static const struct puan_param account_params[] = {
    { "name", PUAN_PARAM_TEXT, offsetof(struct account_in, name), 2, 60,
      false },
    { "person", PUAN_PARAM_TEXT, offsetof(struct account_in, person), 1, 120,
      false },
};
static const struct puan_param account_id_params[] = {
    { "account", PUAN_PARAM_INT, offsetof(struct account_id_in, account), 1,
      INT64_MAX, false },
    { "reason", PUAN_PARAM_TEXT, offsetof(struct account_id_in, reason), 1,
      200, false },
};
static const struct puan_param accounts_params[] = {
    PUAN_PAGE_PARAMS(struct accounts_in, page),
};
static const struct puan_param grant_params[] = {
    { "account", PUAN_PARAM_TEXT, offsetof(struct grant_in, account), 2, 60,
      false },
    { "role", PUAN_PARAM_TEXT, offsetof(struct grant_in, role), 1, 48, false },
    { "area", PUAN_PARAM_AREA, offsetof(struct grant_in, area), 0, 0, false },
    { "from_ms", PUAN_PARAM_INT, offsetof(struct grant_in, from_ms), 0,
      INT64_MAX, true },
    { "until_ms", PUAN_PARAM_INT, offsetof(struct grant_in, until_ms), 0,
      INT64_MAX, true },
    { "attested", PUAN_PARAM_TEXT, offsetof(struct grant_in, attested), 0, 400,
      true },
};
static const struct puan_param seats_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct seats_in, area), 0, 0, true },
    PUAN_PAGE_PARAMS(struct seats_in, page),
};
static const struct puan_param roster_params[] = {
    { "area", PUAN_PARAM_AREA, offsetof(struct roster_in, area), 0, 0, true },
    { "account", PUAN_PARAM_INT, offsetof(struct roster_in, account), 1,
      INT64_MAX, true },
    { "role", PUAN_PARAM_TEXT, offsetof(struct roster_in, role), 1, 48, true },
    { "q", PUAN_PARAM_TEXT, offsetof(struct roster_in, q), 1, 60, true },
    { "state", PUAN_PARAM_TEXT, offsetof(struct roster_in, state), 1, 16,
      true },
    { "sort", PUAN_PARAM_TEXT, offsetof(struct roster_in, sort), 1, 16, true },
    { "offset", PUAN_PARAM_INT, offsetof(struct roster_in, offset), 0, 1000000,
      true },
    { "limit", PUAN_PARAM_INT, offsetof(struct roster_in, limit), 1, 1000,
      true },
};
static const struct puan_param roster_accounts_params[] = {
    { "q", PUAN_PARAM_TEXT, offsetof(struct roster_accounts_in, q), 1, 60,
      true },
    { "state", PUAN_PARAM_TEXT, offsetof(struct roster_accounts_in, state), 1,
      16, true },
    { "offset", PUAN_PARAM_INT, offsetof(struct roster_accounts_in, offset), 0,
      1000000, true },
    { "limit", PUAN_PARAM_INT, offsetof(struct roster_accounts_in, limit), 1,
      1000, true },
};
static const struct puan_param seat_end_params[] = {
    { "seat", PUAN_PARAM_INT, offsetof(struct seat_end_in, seat), 1, INT64_MAX,
      false },
    { "handover", PUAN_PARAM_TEXT, offsetof(struct seat_end_in, handover), 1,
      200, false },
};
static const struct puan_param issue_params[] = {
    { "kind", PUAN_PARAM_TEXT, offsetof(struct issue_in, kind), 1, 16, false },
    { "role", PUAN_PARAM_TEXT, offsetof(struct issue_in, role), 1, 48, false },
    { "area", PUAN_PARAM_AREA, offsetof(struct issue_in, area), 0, 0, true },
    { "from", PUAN_PARAM_TEXT, offsetof(struct issue_in, from), 0, 16, true },
    { "list", PUAN_PARAM_JSON, offsetof(struct issue_in, list), 0, 32 << 20,
      true },
    { "from_ms", PUAN_PARAM_INT, offsetof(struct issue_in, from_ms), 0,
      INT64_MAX, true },
    { "until_ms", PUAN_PARAM_INT, offsetof(struct issue_in, until_ms), 0,
      INT64_MAX, true },
};
static const struct puan_param credential_params[] = {
    { "kind", PUAN_PARAM_TEXT, offsetof(struct credential_in, kind), 1, 16,
      false },
    { "name", PUAN_PARAM_TEXT, offsetof(struct credential_in, name), 1, 60,
      false },
    { "reason", PUAN_PARAM_TEXT, offsetof(struct credential_in, reason), 1,
      200, false },
};

static const struct puan_route routes[] = {
    { PUAN_POST, "/c/{campaign}/login", "", PUAN_SCOPE_PUBLIC, "session.open",
      "Sign in as a person: name, secret, code of the second factor", h_login,
      PUAN_PARAMS(login_params, struct login_in), .max_body = 1024 },
    { PUAN_POST, "/c/{campaign}/login/machine", "", PUAN_SCOPE_PUBLIC, "",
      "Sign in with a device or household credential", h_login_machine,
      PUAN_PARAMS(machine_params, struct machine_in), .max_body = 1024,
      .direct = true },
    { PUAN_POST, "/c/{campaign}/login/household", "", PUAN_SCOPE_PUBLIC, "",
      "Sign in as a household: code and, once it is set, password",
      h_login_household,
      PUAN_PARAMS(household_login_params, struct household_login_in),
      .max_body = 1024 },
    { PUAN_PUT, "/c/{campaign}/me/password", "", PUAN_SCOPE_SESSION,
      "household.password", "Set or change the household's password",
      h_household_password,
      PUAN_PARAMS(household_password_params, struct household_password_in),
      .max_body = 1024, .with_first_secret = true },
    { PUAN_POST, "/c/{campaign}/logout", "", PUAN_SCOPE_SESSION,
      "session.close", "Sign out", h_logout, .with_first_secret = true },
    { PUAN_GET, "/c/{campaign}/session", "", PUAN_SCOPE_SESSION, "",
      "Who am I, at which seat, with which capabilities, for how long; "
      "peek=true is no use of the session",
      h_session, PUAN_PARAMS(session_params, struct session_in),
      .with_first_secret = true, .idle = true },
    { PUAN_POST, "/c/{campaign}/session/factor", "", PUAN_SCOPE_SESSION,
      "session.factor",
      "Give the code of the second factor again, for acts that want it fresh",
      h_factor, PUAN_PARAMS(factor_params, struct factor_in),
      .max_body = 1024 },
    { PUAN_POST, "/c/{campaign}/session/seat", "", PUAN_SCOPE_SESSION,
      "session.switch", "Move to another seat of the same account: a new "
                        "session",
      h_switch, PUAN_PARAMS(switch_params, struct switch_in) },
    { PUAN_PUT, "/c/{campaign}/password", "", PUAN_SCOPE_SESSION,
      "account.password", "Change one's own password; ends all sessions",
      h_password, PUAN_PARAMS(password_params, struct password_in),
      .with_first_secret = true },
    { PUAN_POST, "/c/{campaign}/accounts", "account.create",
      PUAN_SCOPE_OFFICE, "account.create",
      "Make a human account; its first secret is shown once",
      h_account_create, PUAN_PARAMS(account_params, struct account_in) },
    { PUAN_GET, "/c/{campaign}/accounts", "account.view", PUAN_SCOPE_OFFICE,
      "", "List human accounts", h_accounts,
      PUAN_PARAMS(accounts_params, struct accounts_in) },
    { PUAN_POST, "/c/{campaign}/accounts/{account}/disable", "account.create",
      PUAN_SCOPE_OFFICE, "account.disable", "Disable an account at once",
      h_account_disable,
      PUAN_PARAMS(account_id_params, struct account_id_in) },
    { PUAN_POST, "/c/{campaign}/accounts/{account}/unlock", "account.create",
      PUAN_SCOPE_OFFICE, "account.unlock", "Unlock or enable an account",
      h_account_unlock, PUAN_PARAMS(account_id_params, struct account_id_in) },
    { PUAN_POST, "/c/{campaign}/accounts/{account}/secret", "account.create",
      PUAN_SCOPE_OFFICE, "account.secret",
      "Give an account a new first secret and second factor",
      h_account_secret, PUAN_PARAMS(account_id_params, struct account_id_in) },
    { PUAN_POST, "/c/{campaign}/seats", "seat.grant", PUAN_SCOPE_AREA,
      "seat.grant", "Give an account a seat: a role at an area for a period",
      h_seat_grant, PUAN_PARAMS(grant_params, struct grant_in),
      .fresh_factor = true },
    { PUAN_GET, "/c/{campaign}/seats", "account.view", PUAN_SCOPE_AREA, "",
      "List seats of an area", h_seats,
      PUAN_PARAMS(seats_params, struct seats_in) },
    { PUAN_GET, "/c/{campaign}/people", "account.view", PUAN_SCOPE_AREA, "",
      "Who sits where: seats of an area with names, filters and total; the "
      "three administrators",
      h_roster, PUAN_PARAMS(roster_params, struct roster_in) },
    { PUAN_GET, "/c/{campaign}/people/accounts", "account.view",
      PUAN_SCOPE_OFFICE, "", "Human accounts with their state and seats",
      h_roster_accounts,
      PUAN_PARAMS(roster_accounts_params, struct roster_accounts_in) },
    { PUAN_GET, "/c/{campaign}/roles", "account.view", PUAN_SCOPE_SESSION, "",
      "Roles a person can hold: where, with what attested, beside which not",
      h_roles },
    { PUAN_POST, "/c/{campaign}/seats/{seat}/end", "seat.grant",
      PUAN_SCOPE_OBJECT, "seat.end", "End a seat, with its handover",
      h_seat_end, PUAN_PARAMS(seat_end_params, struct seat_end_in),
      .fresh_factor = true, .area_of = seat_area_of },
    { PUAN_POST, "/c/{campaign}/credentials", "credential.issue",
      PUAN_SCOPE_AREA, "credential.issue",
      "Issue device or household credentials in bulk, as CSV, shown once",
      h_issue, PUAN_PARAMS(issue_params, struct issue_in),
      .max_body = 32 << 20 },
    { PUAN_POST, "/c/{campaign}/credentials/end", "credential.issue",
      PUAN_SCOPE_OBJECT, "credential.end", "End a machine credential at once",
      h_credential_end, PUAN_PARAMS(credential_params, struct credential_in),
      .area_of = credential_area_of },
};

/* ---- metrics ------------------------------------------------------------------------ */

static enum puan_status m_accounts(int64_t *v, struct puan_store *st,
                                   int64_t area, struct puan_err *err)
{
    struct puan_shard *sh = puan_store_office(st);
    struct puan_db *db;
    enum puan_status r = puan_read_begin(&db, sh, err);

    (void)area;
    if (r != PUAN_OK)
        return r;
    r = puan_db_int(v, db, "SELECT COUNT(*) FROM account WHERE state = 1", 0,
                    err);
    puan_read_end(sh, db);
    return r;
}

static enum puan_status m_machines(int64_t *v, struct puan_store *st,
                                   int64_t area, struct puan_err *err)
{
    struct accounts *a = puan_store_state(st, &puan_feature_accounts);

    (void)area;
    (void)err;
    *v = (int64_t)machines_count(a->machines);
    return PUAN_OK;
}

static enum puan_status m_failed(int64_t *v, struct puan_store *st,
                                 int64_t area, struct puan_err *err)
{
    struct accounts *a = puan_store_state(st, &puan_feature_accounts);

    (void)area;
    (void)err;
    *v = (int64_t)atomic_load(&a->failed);
    return PUAN_OK;
}

static enum puan_status m_locked(int64_t *v, struct puan_store *st,
                                 int64_t area, struct puan_err *err)
{
    struct accounts *a = puan_store_state(st, &puan_feature_accounts);

    (void)area;
    (void)err;
    *v = (int64_t)atomic_load(&a->locked);
    return PUAN_OK;
}

static const struct puan_metric metrics[] = {
    { "puan_accounts_active", "accounts", "installation",
      "Human accounts in use", m_accounts },
    { "puan_credentials", "credentials", "installation",
      "Device and household credentials issued", m_machines },
    { "puan_login_failures", "attempts", "installation",
      "Failed attempts to sign in since start", m_failed },
    { "puan_login_locks", "locks", "installation",
      "Names locked after failed attempts since start", m_locked },
};

/* ---- state ----------------------------------------------------------------------------- */

static void close_state(void *state, struct puan_store *st)
{
    struct accounts *a = state;

    (void)st;
    if (!a)
        return;
    machines_close(a->machines);
    attempts_close(a->attempts);
    pthread_mutex_destroy(&a->lock);
    puan_os_wipe(a->name_key, sizeof(a->name_key));
    free(a);
}

static enum puan_status open_state(void **state, struct puan_store *st,
                                   struct puan_err *err)
{
    struct accounts *a = calloc(1, sizeof(*a));
    enum puan_status r;

    *state = NULL;
    if (!a)
        return puan_fail(err, PUAN_ENOMEM, "accounts", "out of memory");
    pthread_mutex_init(&a->lock, NULL);
    r = puan_os_random(a->name_key, sizeof(a->name_key), err);
    a->attempts = attempts_open();
    if (r == PUAN_OK && !a->attempts)
        r = puan_fail(err, PUAN_ENOMEM, "accounts", "out of memory");
    if (r == PUAN_OK)
        r = machines_open(&a->machines, st, err);
    if (r != PUAN_OK) {
        close_state(a, st);
        return r;
    }
    *state = a;
    return PUAN_OK;
}

static const struct puan_command commands[] = {
    { "admin first-run",
      "DIR [--secrets-file FILE] [--system NAME --security NAME --audit NAME] "
      "[--kek-file FILE] [--store URL]",
      "Makes the three administrators of a new directory, once. They are three "
      "different\npersons: system (accounts, configuration), security (seats "
      "and credentials), audit\n(reads the ledger). Their first secrets and "
      "second factors are shown once, or\nwritten to the secrets file (mode "
      "0600) as name,role,secret,totp. Without names it\nasks for them on a "
      "terminal, else uses the roles' names.",
      cmd_first_run, "首次启用：一次性建立三名管理员（系统、安全、审计）" },
};

static const char *const capabilities[] = { "admin.system", "admin.security",
                                            "admin.audit", "metrics.view",
                                            NULL };

const struct puan_feature puan_feature_accounts = {
    .name = "accounts",
    .routes = routes,
    .n_routes = PUAN_COUNT(routes),
    .commands = commands,
    .n_commands = PUAN_COUNT(commands),
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .metrics = metrics,
    .n_metrics = PUAN_COUNT(metrics),
    .open = open_state,
    .shard_open = household_passwords,
    .close = close_state,
    .covered = covered,
    .n_covered = PUAN_COUNT(covered),
    .capabilities = capabilities,
};
