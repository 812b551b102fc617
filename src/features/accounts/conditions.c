/*
 * What a seat rests on: records that cases attest (training, pledge).  Looked
 * at when the seat is given, at every signing in, and the moment one is lost.
 */
#include "features/accounts/internal.h"
#include "features/cases/cases.h"

bool need_by_case(struct puan_store *st, struct puan_str need)
{
    return strcmp(puan_store_birth(st), "demo") != 0 &&
           puan_case_attests(st, need);
}

static bool in_list(struct puan_str list, struct puan_str need)
{
    struct puan_str rest = list, part;

    while (puan_str_split(&part, &rest, ','))
        if (puan_str_eq(puan_str_trim(part), need))
            return true;
    return false;
}

enum puan_status seat_stands(bool *stands, struct puan_str *lacks,
                             struct puan_store *st, struct puan_db *db,
                             const struct puan_role *role,
                             struct puan_str account,
                             const struct puan_str *given,
                             struct puan_err *err)
{
    enum puan_status rc = PUAN_OK;

    *stands = true;
    for (size_t i = 0; *stands && rc == PUAN_OK && i < role->n_needs; i++) {
        struct puan_str need = role->needs[i];

        if (need_by_case(st, need))
            rc = puan_case_attested(stands, db, need, account, err);
        else
            *stands = given == NULL || in_list(*given, need);
        if (!*stands)
            *lacks = need;
    }
    return rc;
}

enum puan_status seats_standing(struct seat_row *list, size_t *n,
                                struct puan_str *lacks, struct puan_store *st,
                                struct puan_db *db, struct puan_str account,
                                int64_t wanted, struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(st);
    enum puan_status rc = PUAN_OK;
    size_t k = 0;

    for (size_t i = 0; rc == PUAN_OK && i < *n; i++) {
        const struct puan_role *role = puan_plan_role(plan, list[i].role);
        struct puan_str what = PUAN_STR("");
        bool stands = true;

        if (role != NULL && role->n_needs > 0)
            rc = seat_stands(&stands, &what, st, db, role, account, NULL, err);
        if (stands)
            list[k++] = list[i];
        else if (lacks->n == 0 || list[i].id == wanted)
            *lacks = what;
    }
    *n = k;
    return rc;
}

struct loser {
    const struct puan_plan *plan;
    struct puan_str account;
};

static bool needs_records(const struct puan_who *who, void *arg)
{
    const struct loser *x = arg;

    return who->credential == PUAN_CRED_HUMAN && who->role >= 0 &&
           x->plan->role[who->role].n_needs > 0 &&
           puan_str_is(x->account, who->name);
}

void puan_conditions_gone(struct puan_store *st, struct puan_str account)
{
    struct accounts *a = puan_store_state(st, &puan_feature_accounts);
    struct puan_sessions *s = a ? atomic_load(&a->sessions) : NULL;
    struct loser x = { puan_store_plan(st), account };

    if (s != NULL && strcmp(puan_store_birth(st), "demo") != 0)
        puan_session_end_if(s, needs_records, &x);
}
