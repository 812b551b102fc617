/*
 * What the feature "notify" consists of: tables only.
 */
#include "features/notify/internal.h"

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

static const struct puan_job jobs[] = { { "messages", 1000, puan_notify_work } };

const struct puan_feature puan_feature_notify = {
    .name = "notify",
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .open = puan_notify_open,
    .close = puan_notify_close,
    .jobs = jobs,
    .n_jobs = PUAN_COUNT(jobs),
    .covered = covered,
    .n_covered = PUAN_COUNT(covered),
};
