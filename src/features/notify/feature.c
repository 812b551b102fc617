/*
 * What the feature "notify" consists of: tables only.
 */
#include "features/notify/internal.h"
#include "features/notify/routes.h"

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE notify_message(id BIGINT PRIMARY KEY, kind TEXT NOT NULL,"
      " about TEXT NOT NULL, notice BIGINT NOT NULL, zh TEXT NOT NULL,"
      " en TEXT NOT NULL, level TEXT NOT NULL, role TEXT NOT NULL,"
      " area BIGINT NOT NULL, account TEXT NOT NULL, at BIGINT NOT NULL,"
      " due BIGINT NOT NULL, drill BIGINT NOT NULL, received BIGINT NOT NULL);"
      "CREATE INDEX notify_message_notice ON notify_message(notice);"
      "CREATE INDEX notify_message_about ON notify_message(about);"
      "CREATE TABLE notify_delivery(id BIGINT PRIMARY KEY,"
      " message BIGINT NOT NULL, channel TEXT NOT NULL,"
      " address BIGINT NOT NULL, token TEXT NOT NULL, state TEXT NOT NULL,"
      " tries BIGINT NOT NULL, next BIGINT NOT NULL, at BIGINT NOT NULL,"
      " why TEXT NOT NULL);"
      "CREATE INDEX notify_delivery_of ON notify_delivery(message);"
      "CREATE INDEX notify_delivery_due ON notify_delivery(state, next);"
      "CREATE INDEX notify_delivery_token ON notify_delivery(token);"
      "CREATE TABLE notify_address(id BIGINT PRIMARY KEY,"
      " channel TEXT NOT NULL, role TEXT NOT NULL, area BIGINT NOT NULL,"
      " account TEXT NOT NULL, drill BIGINT NOT NULL, sealed BYTEA NOT NULL);"
      "CREATE INDEX notify_address_seat ON notify_address(role, area);"
      "CREATE INDEX notify_address_of ON notify_address(account);" },
};

static const struct puan_covered covered[] = {
    { PUAN_STORE_OFFICE, "notify_message",
      "SELECT CAST(id AS TEXT), kind, about, notice, zh, en, level, role,"
      " area, account, at, due, drill, received FROM notify_message" },
    { PUAN_STORE_OFFICE, "notify_delivery",
      "SELECT CAST(id AS TEXT), message, channel, address, token, state,"
      " tries, next, at, why FROM notify_delivery" },
    { PUAN_STORE_OFFICE, "notify_address",
      "SELECT CAST(id AS TEXT), channel, role, area, account, drill, sealed"
      " FROM notify_address" },
};

static enum puan_status number(int64_t *out, struct puan_store *st,
                               const char *sql, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_db *db = NULL;
    enum puan_status rc;

    TRY(puan_read_begin(&db, office, err));
    rc = puan_db_int(out, db, sql, 0, err);
    puan_read_end(office, db);
    return rc;
}

static enum puan_status failed(int64_t *v, struct puan_store *st, int64_t area,
                               struct puan_err *err)
{
    (void)area; /* of the whole installation */
    return number(v, st,
                  "SELECT COUNT(*) FROM notify_delivery WHERE state IN"
                  " ('given-up', 'no-address')",
                  err);
}

/* Seconds since the message was written that has waited longest. */
static enum puan_status waited(int64_t *v, struct puan_store *st, int64_t area,
                               struct puan_err *err)
{
    int64_t since = 0;

    (void)area;
    TRY(number(&since, st,
               "SELECT COALESCE(MIN(m.at), 0) FROM notify_delivery d JOIN"
               " notify_message m ON m.id = d.message WHERE d.state ="
               " 'waiting'",
               err));
    *v = since == 0 ? 0 : (puan_store_now(st) - since) / 1000;
    return PUAN_OK;
}

/* A file of channels that cannot be read must not look like silence. */
static enum puan_status faulty(int64_t *v, struct puan_store *st, int64_t area,
                               struct puan_err *err)
{
    struct puan_err fault;

    (void)area;
    (void)err;
    *v = puan_notify_fault(&fault, st);
    return PUAN_OK;
}

static const struct puan_metric metrics[] = {
    { "puan_messages_failed", "messages", "installation",
      "Messages given up, or to a seat without an address, not yet sent again",
      failed },
    { "puan_messages_waited", "seconds", "installation",
      "How long the message that has waited longest waits", waited },
    { "puan_channels_faulty", "files", "installation",
      "1 while notify.yaml cannot be read", faulty },
};

static const struct puan_job jobs[] = { { "messages", 1000, puan_notify_work } };

const struct puan_feature puan_feature_notify = {
    .name = "notify",
    .routes = puan_notify_routes,
    .n_routes = PUAN_NOTIFY_ROUTES,
    .metrics = metrics,
    .n_metrics = PUAN_COUNT(metrics),
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .open = puan_notify_open,
    .close = puan_notify_close,
    .jobs = jobs,
    .n_jobs = PUAN_COUNT(jobs),
    .covered = covered,
    .n_covered = PUAN_COUNT(covered),
};
