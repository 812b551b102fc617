/*
 * What the feature "cases" consists of: tables only.
 */
#include "features/cases/internal.h"

static const struct puan_schema_step schema[] = {
    { PUAN_STORE_OFFICE, 1,
      "CREATE TABLE case_run(id BIGINT PRIMARY KEY, flow TEXT NOT NULL,"
      " version BIGINT NOT NULL, plan BYTEA NOT NULL, area BIGINT NOT NULL,"
      " subject TEXT NOT NULL, state TEXT NOT NULL, drill BIGINT NOT NULL,"
      " opened BIGINT NOT NULL, ended BIGINT NOT NULL, parent BIGINT NOT NULL,"
      " n BIGINT NOT NULL);"
      "CREATE INDEX case_run_open ON case_run(flow, ended);"
      "CREATE INDEX case_run_parent ON case_run(parent);"
      "CREATE TABLE case_event(run BIGINT NOT NULL, n BIGINT NOT NULL,"
      " at BIGINT NOT NULL, body TEXT NOT NULL, sealed BYTEA NOT NULL,"
      " PRIMARY KEY(run, n));"
      "CREATE TABLE case_notice(id BIGINT PRIMARY KEY, run BIGINT NOT NULL,"
      " n BIGINT NOT NULL, kind TEXT NOT NULL, seat TEXT NOT NULL,"
      " role TEXT NOT NULL, level TEXT NOT NULL, area BIGINT NOT NULL,"
      " at BIGINT NOT NULL, vacant BIGINT NOT NULL, taken BIGINT NOT NULL,"
      " taken_by TEXT NOT NULL);"
      "CREATE INDEX case_notice_to ON case_notice(role, area, taken);"
      "CREATE INDEX case_notice_run ON case_notice(run, n);"
      "CREATE TABLE case_clock(run BIGINT PRIMARY KEY, clock TEXT NOT NULL,"
      " part TEXT NOT NULL, at BIGINT NOT NULL);"
      "CREATE INDEX case_clock_at ON case_clock(at);" },
    { PUAN_STORE_OFFICE, 2,
      "CREATE TABLE case_attest(record TEXT NOT NULL, who TEXT NOT NULL,"
      " run BIGINT NOT NULL, PRIMARY KEY(record, who, run));" },
};

static const struct puan_covered covered[] = {
    { PUAN_STORE_OFFICE, "case_run",
      "SELECT CAST(id AS TEXT), flow, version, plan, area, subject, state,"
      " drill, opened, ended, parent, n FROM case_run" },
    { PUAN_STORE_OFFICE, "case_event",
      "SELECT CAST(run AS TEXT) || '.' || CAST(n AS TEXT), at, body, sealed"
      " FROM case_event" },
    { PUAN_STORE_OFFICE, "case_notice",
      "SELECT CAST(id AS TEXT), run, n, kind, seat, role, level, area, at,"
      " vacant, taken, taken_by FROM case_notice" },
};

static const struct puan_job jobs[] = {
    { "case clocks", 50, puan_cases_clocks, .alone = true },
};

static enum puan_status count(int64_t *out, struct puan_store *st,
                              const char *sql, int64_t area,
                              struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_db *db = NULL;
    enum puan_status rc = puan_read_begin(&db, office, err);

    (void)area; /* of the whole installation */
    if (rc != PUAN_OK)
        return rc;
    rc = puan_db_int(out, db, sql, 0, err);
    puan_read_end(office, db);
    return rc;
}

static enum puan_status cases_open(int64_t *v, struct puan_store *st,
                                   int64_t area, struct puan_err *err)
{
    return count(v, st, "SELECT COUNT(*) FROM case_run WHERE ended = 0", area,
                 err);
}

static enum puan_status escalations(int64_t *v, struct puan_store *st,
                                    int64_t area, struct puan_err *err)
{
    return count(v, st,
                 "SELECT COUNT(*) FROM case_notice WHERE kind = 'escalate' AND"
                 " taken = 0",
                 area, err);
}

static enum puan_status vacancies(int64_t *v, struct puan_store *st,
                                  int64_t area, struct puan_err *err)
{
    return count(v, st,
                 "SELECT COUNT(*) FROM case_notice WHERE vacant = 1 AND taken"
                 " = 0",
                 area, err);
}

/* Above 0 for longer than a moment: the clocks do not keep up. */
static enum puan_status ticks_waiting(int64_t *v, struct puan_store *st,
                                      int64_t area, struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_stmt *s = NULL;
    struct puan_db *db = NULL;
    bool more = false;
    enum puan_status rc = puan_read_begin(&db, office, err);

    (void)area; /* of the whole installation */
    *v = 0;
    if (rc != PUAN_OK)
        return rc;
    rc = puan_sql(&s, db, "SELECT COUNT(*) FROM case_clock WHERE at <= $1",
                  err);
    if (rc == PUAN_OK) {
        puan_bind_int(s, 1, puan_store_now(st));
        rc = puan_stmt_step(&more, s, err);
        if (rc == PUAN_OK && more)
            *v = puan_col_int(s, 0);
        puan_stmt_done(s);
    }
    puan_read_end(office, db);
    return rc;
}

static const struct puan_metric metrics[] = {
    { "puan_cases_open", "cases", "installation", "Cases that have not ended",
      cases_open },
    { "puan_case_escalations", "notices", "installation",
      "Overdue clocks told upward and not yet taken", escalations },
    { "puan_case_vacant_notices", "notices", "installation",
      "Notices to a seat that nobody holds", vacancies },
    { "puan_case_ticks_waiting", "ticks", "installation",
      "Clocks of cases that are due and have not acted yet", ticks_waiting },
};

/* The route table is another file's; its length is fixed there. */
const struct puan_feature puan_feature_cases = {
    .name = "cases",
    .routes = puan_case_routes,
    .n_routes = PUAN_CASE_ROUTES,
    .schema = schema,
    .n_schema = PUAN_COUNT(schema),
    .metrics = metrics,
    .n_metrics = PUAN_COUNT(metrics),
    .jobs = jobs,
    .n_jobs = PUAN_COUNT(jobs),
    .open = puan_cases_open,
    .close = puan_cases_close,
    .covered = covered,
    .n_covered = PUAN_COUNT(covered),
};
