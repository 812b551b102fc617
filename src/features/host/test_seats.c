/*
 * Persons and their seats, written straight into the office store.
 */
#include "features/host/test_fixture.h"

#include "core/ledger/ledger.h"
#include "kit/os/os.h"

struct holder {
    int64_t id, area;
    const char *name, *role;
};

static enum puan_status account_put(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act,
                                    const struct holder *x, struct puan_out *o,
                                    struct puan_err *err)
{
    struct puan_stmt *s = NULL;

    TRY(puan_sql(&s, db,
                 "INSERT INTO account(id, name, person, state, secret,"
                 " secret_ms, first, totp, locked_ms) VALUES($1, $2, $2, 1,"
                 " '', 0, 0, $3, 0)",
                 err));
    puan_bind_int(s, 1, x->id);
    puan_bind_text(s, 2, puan_str_of(x->name));
    puan_bind_bytes(s, 3, "", 0);
    TRY(puan_stmt_once(s, err));
    puan_content_text(o, puan_str_of(x->name));
    puan_content_text(o, puan_str_of(x->name));
    puan_content_int(o, 1);
    puan_content_text(o, PUAN_STR(""));
    puan_content_int(o, 0);
    puan_content_int(o, 0);
    puan_content_bytes(o, PUAN_STR(""));
    puan_content_int(o, 0);
    return puan_cover_id(sh, db, act, "account", x->id, puan_out_view(o), err);
}

static enum puan_status seat_put(struct puan_shard *sh, struct puan_db *db,
                                 struct puan_act *act, const struct holder *x,
                                 struct puan_out *o, struct puan_err *err)
{
    struct puan_stmt *s = NULL;

    TRY(puan_sql(&s, db,
                 "INSERT INTO seat(id, account, role, area, from_ms, until_ms,"
                 " ended, attested) VALUES($1, $1, $2, $3, 0, 0, 0, '')",
                 err));
    puan_bind_int(s, 1, x->id);
    puan_bind_text(s, 2, puan_str_of(x->role));
    puan_bind_int(s, 3, x->area);
    TRY(puan_stmt_once(s, err));
    puan_content_int(o, x->id);
    puan_content_text(o, puan_str_of(x->role));
    puan_content_int(o, x->area);
    puan_content_int(o, 0);
    puan_content_int(o, 0);
    puan_content_int(o, 0);
    puan_content_text(o, PUAN_STR(""));
    return puan_cover_id(sh, db, act, "seat", x->id, puan_out_view(o), err);
}

static enum puan_status hold_body(struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, void *arg,
                                  struct puan_err *err)
{
    const struct holder *x = arg;
    struct puan_arena a;
    struct puan_out account, chair;
    enum puan_status st = PUAN_OK;

    puan_arena_init(&a, puan_os_alloc());
    puan_out_init(&account, &a);
    puan_out_init(&chair, &a);
    if (x->name != NULL)
        st = account_put(sh, db, act, x, &account, err);
    if (st == PUAN_OK)
        st = seat_put(sh, db, act, x, &chair, err);
    puan_arena_clear(&a);
    return st;
}

void puan_fix_hold(struct puan_fix *f, int64_t id, const char *name,
                   const char *role, int64_t area)
{
    struct holder x = { id, area, name, role };
    struct puan_act act = { .actor = PUAN_STR("tester"),
                            .verb = PUAN_STR("seat.grant"),
                            .subject = PUAN_STR("seat") };

    ok(puan_commit(puan_store_office(f->st), &act, hold_body, &x, err));
}
