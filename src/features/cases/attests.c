/*
 * What runs attest of accounts (flow `attests:`), beside the runs: a seat that
 * needs a record is opened, and stays open, while one attests it.
 */
#include "features/accounts/accounts.h"
#include "features/cases/internal.h"

bool puan_case_attests(struct puan_store *st, struct puan_str record)
{
    const struct puan_flows *all = puan_cases_flows(st);

    for (size_t i = 0; all != NULL && i < all->n; i++)
        if (puan_flow_record(all->flow[i], record) >= 0)
            return true;
    return false;
}

enum puan_status puan_case_attested(bool *stands, struct puan_db *db,
                                    struct puan_str record,
                                    struct puan_str who, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    enum puan_status st;

    *stands = false;
    TRY(puan_sql(&s, db,
                 "SELECT 1 FROM case_attest WHERE record = $1 AND who = $2"
                 " LIMIT 1",
                 err));
    puan_bind_text(s, 1, record);
    puan_bind_text(s, 2, who);
    st = puan_stmt_step(stands, s, err);
    puan_stmt_done(s);
    return st;
}

static enum puan_status write_one(int64_t *gone, struct puan_db *db,
                                  struct puan_str record, struct puan_str who,
                                  int64_t run, bool stands,
                                  struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    enum puan_status st;

    if (stands)
        TRY(puan_sql(&s, db,
                     "INSERT INTO case_attest(record, who, run)"
                     " VALUES($1, $2, $3) ON CONFLICT DO NOTHING",
                     err));
    else
        TRY(puan_sql(&s, db,
                     "DELETE FROM case_attest WHERE record = $1 AND who = $2"
                     " AND run = $3",
                     err));
    puan_bind_text(s, 1, record);
    puan_bind_text(s, 2, who);
    puan_bind_int(s, 3, run);
    st = puan_stmt_run(s, err);
    if (st == PUAN_OK && !stands)
        *gone += puan_stmt_changes(s);
    puan_stmt_done(s);
    return st;
}

enum puan_status puan_case_attest_write(struct puan_store *st,
                                        struct puan_db *db,
                                        const struct puan_flow_run *run,
                                        struct puan_err *err)
{
    const struct puan_flow_attests *x = &run->flow->attests;
    struct puan_str who;
    int64_t gone = 0;

    if (x->who < 0 || !run->field[x->who].set)
        return PUAN_OK;
    who = run->field[x->who].text;
    for (size_t i = 0; i < x->n; i++)
        TRY(write_one(&gone, db, x->record[i].name, who, run->id,
                      puan_flow_run_attests(run, i), err));
    if (gone > 0)
        puan_conditions_gone(st, who);
    return PUAN_OK;
}
