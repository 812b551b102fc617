/*
 * Figures out of a campaign: the last version of every return of an area, its
 * listing, and what its registers say.  Never opens the vault.
 */
#include <stdlib.h>

#include "features/check/figures.h"
#include "features/duplicates/duplicates.h"
#include "features/ingest/ingest.h"
#include "kit/os/os.h"

struct pass {
    struct puan_area_figures *f;
    struct puan_store *st;
    struct puan_dropped *dropped;
    struct puan_arena row;
    int residents; /* entity of persons by form ordinal is looked up anew */
};

static int64_t ea_of(const struct puan_plan *p, int64_t household)
{
    return puan_plan_area_of_household(p, household, p->ea_level);
}

/* Findings as they stand: open hard ones, soft ones and those confirmed. */
static enum puan_status findings(struct pass *x, const struct puan_ret *r,
                                 int64_t ea, struct puan_shard *sh,
                                 struct puan_err *err)
{
    const struct puan_ruleset *rs = puan_ingest_rules(x->st, r->form);
    struct puan_edits edits;
    struct puan_edit_counts n;
    enum puan_status st = puan_ret_edits(&edits, r, sh, false, &x->row, err);

    if (st != PUAN_OK || !rs)
        return st;
    n = puan_edits_count(&edits, rs);
    puan_area_figures_give(x->f, ea, "hard_open", n.hard_open);
    puan_area_figures_give(x->f, ea, "soft_all",
                           (int64_t)n.soft_open + n.soft_confirmed);
    puan_area_figures_give(x->f, ea, "soft_confirmed", n.soft_confirmed);
    return PUAN_OK;
}

struct walk {
    struct pass *x;
    struct puan_shard *sh;
};

static enum puan_status one_return(void *arg, const struct puan_ret *r,
                                   struct puan_err *err)
{
    struct walk *w = arg;
    struct pass *x = w->x;
    const struct puan_plan *plan = puan_store_plan(x->st);
    int e = puan_form_entity(r->form, plan->residence_entity);
    int64_t ea = ea_of(plan, r->head.household);
    struct puan_record rec;
    bool *skip = NULL;
    enum puan_status st;

    puan_arena_reset(&x->row);
    st = puan_record_decode(&rec, r->form, r->frame, r->facts, PUAN_STR(""),
                            &x->row, err);
    if (st != PUAN_OK)
        return st;
    if (e >= 0) {
        skip = puan_new_n(&x->row, rec.rows[e].n, bool);
        for (uint32_t i = 0; skip && i < rec.rows[e].n; i++)
            skip[i] = puan_dropped_has(x->dropped, r->head.household, r->seq,
                                       i);
    }
    puan_figures_add(x->f->figures, ea, &rec, (uint16_t)(e < 0 ? 0 : e), skip);
    x->f->returns++;
    st = findings(x, r, ea, w->sh, err);
    return st == PUAN_OK ? puan_arena_check(&x->row, err) : st;
}

/* A row of the listing as a return of the plan's form of that name. */
static enum puan_status one_listed(struct pass *x, const struct puan_form *form,
                                   struct puan_stmt *q, struct puan_err *err)
{
    static const char *const column[] = { "building", "unit", "status",
                                          "mode" };
    const uint32_t rows[PUAN_FORM_ENTITIES] = { 1 };
    int64_t household = puan_col_int(q, 0);
    struct puan_node *cells = NULL;
    struct puan_record r;
    enum puan_status st = puan_record_new(&r, form, rows, &x->row, err);

    if (st != PUAN_OK)
        return st;
    puan_record_key(&r, household);
    for (int i = 0; i < 4; i++) {
        static const char *const other[] = { "A7", "A8", NULL, NULL };
        int item = puan_entity_item(&form->entity[0], puan_str_of(column[i]));

        if (item < 0 && other[i])
            item = puan_entity_item(&form->entity[0], puan_str_of(other[i]));
        if (item >= 0 && puan_col_text(q, i + 1).n > 0)
            puan_record_set(&r, 0, 0, (uint16_t)item, puan_col_text(q, i + 1));
    }
    if (puan_json_tree(&cells, puan_col_text(q, 5), "cells", &x->row, NULL) ==
        PUAN_OK)
        PUAN_NODE_EACH(c, cells)
        {
            int item = puan_entity_item(&form->entity[0], c->key);

            if (item >= 0 && c->text.n > 0)
                puan_record_set(&r, 0, 0, (uint16_t)item, c->text);
        }
    puan_figures_add(x->f->figures, ea_of(x->f->plan, household), &r, 0, NULL);
    x->f->listed++;
    return puan_arena_check(&x->row, err);
}

static enum puan_status listing(struct pass *x, struct puan_db *db,
                                int64_t from, int64_t to, struct puan_err *err)
{
    const struct puan_form *form =
        puan_plan_form(x->f->plan, PUAN_STR("listing"));
    bool more = true;
    enum puan_status st = PUAN_OK;

    while (form && st == PUAN_OK && more) {
        struct puan_stmt *q = NULL;
        int n = 0;

        st = puan_sql(&q, db,
                      "SELECT household, building, unit, status, mode, cells"
                      " FROM listing WHERE household >= $1 AND household < $2"
                      " AND status <> 'found' ORDER BY household LIMIT 4096",
                      err);
        if (st != PUAN_OK)
            return st;
        puan_bind_int(q, 1, from);
        puan_bind_int(q, 2, to);
        while (st == PUAN_OK) {
            st = puan_stmt_step(&more, q, err);
            if (st != PUAN_OK || !more)
                break;
            puan_arena_reset(&x->row);
            from = puan_col_int(q, 0) + 1;
            n++;
            st = one_listed(x, form, q, err);
        }
        puan_stmt_done(q);
        more = n == 4096;
    }
    return st;
}

static enum puan_status registers(struct pass *x, struct puan_db *db,
                                  int64_t from, int64_t to,
                                  struct puan_err *err)
{
    struct puan_stmt *q = NULL;
    bool more = true;
    enum puan_status st =
        puan_sql(&q, db,
                 "SELECT ea, COUNT(*) FROM register WHERE ea >= $1 AND"
                 " ea < $2 GROUP BY ea",
                 err);

    if (st != PUAN_OK)
        return st;
    puan_bind_int(q, 1, from);
    puan_bind_int(q, 2, to);
    while (st == PUAN_OK) {
        st = puan_stmt_step(&more, q, err);
        if (st != PUAN_OK || !more)
            break;
        puan_area_figures_give(x->f, puan_col_int(q, 0), "police",
                               puan_col_int(q, 1));
    }
    puan_stmt_done(q);
    return st;
}

static enum puan_status one_store(struct pass *x, struct puan_shard *sh,
                                  int64_t from, int64_t to,
                                  struct puan_err *err)
{
    struct walk w = { x, sh };
    const struct puan_plan *plan = x->f->plan;
    struct puan_db *db;
    int64_t scale = 1;
    enum puan_status st = puan_read_begin(&db, sh, err);

    if (st != PUAN_OK)
        return st;
    for (unsigned i = 0; i < plan->household_digits; i++)
        scale *= 10;
    st = puan_dropped_open(&x->dropped, db, err);
    if (st == PUAN_OK)
        st = listing(x, db, from, to, err);
    if (st == PUAN_OK)
        st = registers(x, db, from / scale, (to + scale - 1) / scale, err);
    puan_read_end(sh, db);
    if (st == PUAN_OK)
        st = puan_ret_each(sh, from, to, one_return, &w, err);
    puan_dropped_close(x->dropped);
    x->dropped = NULL;
    return st;
}

enum puan_status puan_area_figures_store(struct puan_area_figures *f,
                                         struct puan_store *store, int64_t area,
                                         struct puan_err *err)
{
    struct pass x = { .f = f, .st = store };
    int64_t from, to, own_from, own_to;
    enum puan_status st = PUAN_OK;

    puan_arena_init(&x.row, puan_os_alloc());
    puan_area_keys(&from, &to, store, area);
    for (size_t i = 1; st == PUAN_OK && i < puan_store_shards(store); i++) {
        struct puan_shard *sh = puan_store_shard(store, i);

        puan_area_keys(&own_from, &own_to, store, puan_shard_area(sh));
        if (own_from < from)
            own_from = from;
        if (own_to > to)
            own_to = to;
        if (own_from < own_to)
            st = one_store(&x, sh, own_from, own_to, err);
    }
    puan_arena_clear(&x.row);
    return st;
}
