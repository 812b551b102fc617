/*
 * One household as its enumerator listed it: its row of the roll, covered with
 * the rows of its enumeration area.
 */
#include "features/campaign/internal.h"

#include "core/area/area.h"
#include "features/ingest/ingest.h"
#include "features/ledgers/ledgers.h"
#include "kit/os/heap.h"

struct put {
    const struct puan_listed *l;
    const struct puan_seal_key *key;
    int64_t ea;
    struct puan_str sealed;
    struct puan_arena *a;
};

/* As campaign.h says of listing.sealed. */
static enum puan_status seal_texts(struct put *p, struct puan_shard *sh,
                                   struct puan_err *err)
{
    struct puan_out plain, sealed;
    bool any = false;
    struct puan_str row = puan_str_of(
        puan_arena_fmt(p->a, "%lld", (long long)p->l->household));

    puan_out_init(&plain, p->a);
    for (size_t i = 0; i < PUAN_COUNT(p->l->text); i++) {
        any = any || p->l->text[i].n > 0;
        puan_out_varint(&plain, p->l->text[i].n);
        puan_out_str(&plain, p->l->text[i]);
    }
    p->sealed = PUAN_STR("");
    if (any) {
        puan_out_init(&sealed, p->a);
        if (puan_seal(&sealed, p->key,
                      puan_seal_aad(p->a, puan_shard_area(sh), "listing",
                                    "sealed", p->key->version, row),
                      puan_out_view(&plain), err) != PUAN_OK)
            return PUAN_EIO;
        p->sealed = puan_out_view(&sealed);
    }
    return puan_arena_check(p->a, err);
}

static enum puan_status body(struct puan_shard *sh, struct puan_db *db,
                             struct puan_act *act, void *arg,
                             struct puan_err *err)
{
    struct put *p = arg;
    const struct puan_listed *l = p->l;
    struct puan_stmt *s = NULL;
    enum puan_status st;

    st = puan_sql(&s, db,
                  "INSERT INTO listing(household, ea, building, unit, status,"
                  " mode, sealed, cells) VALUES($1, $2, $3, $4, $5, $6, $7, $8)"
                  " ON CONFLICT(household) DO UPDATE SET"
                  " building = excluded.building, unit = excluded.unit,"
                  " status = excluded.status, mode = excluded.mode,"
                  " sealed = excluded.sealed, cells = excluded.cells",
                  err);
    if (st != PUAN_OK)
        return st;
    puan_bind_int(s, 1, l->household);
    puan_bind_int(s, 2, p->ea);
    puan_bind_text(s, 3, l->building);
    puan_bind_text(s, 4, l->unit);
    puan_bind_text(s, 5, l->status);
    puan_bind_text(s, 6, l->mode);
    puan_bind_bytes(s, 7, p->sealed.p, p->sealed.n);
    puan_bind_text(s, 8, l->cells);
    st = puan_stmt_once(s, err);
    if (st == PUAN_OK)
        st = puan_ledger_cover(
            sh, db, act, &puan_campaign_covered[PUAN_COVER_LISTING],
            puan_str_of(puan_arena_fmt(p->a, "%lld", (long long)p->ea)), err);
    return st;
}

enum puan_status puan_listing_put(struct puan_store *store,
                                  const struct puan_listed *l,
                                  struct puan_act *act, struct puan_arena *a,
                                  struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(store);
    const struct puan_area_tree *t = puan_store_areas(store);
    struct puan_shard *sh =
        puan_store_shard_of_household(store, l->household);
    struct put p = { .l = l, .ea = l->household, .a = a };
    enum puan_status st;
    uint32_t i;

    for (unsigned k = 0; k < plan->household_digits; k++)
        p.ea /= 10;
    i = puan_area_find(t, p.ea);
    if (!sh || i == PUAN_AREA_NONE || t->area[i].level + 1u != t->n_levels)
        return puan_fail(err, PUAN_EINVAL, "household",
                         "lies in no enumeration area");
    if (!puan_str_is(l->mode, "enumerator") && !puan_str_is(l->mode, "self"))
        return puan_fail(err, PUAN_EINVAL, "mode",
                         "neither enumerator nor self");
    st = puan_keys_data_make(&p.key, puan_store_keys(store),
                             puan_shard_area(sh), "vault", err);
    if (st == PUAN_OK)
        st = seal_texts(&p, sh, err);
    if (st == PUAN_OK)
        st = puan_commit(sh, act, body, &p, err);
    if (st == PUAN_OK)
        st = puan_ret_listed(sh, &l->household, 1, err);
    return st;
}
