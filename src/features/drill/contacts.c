/*
 * Who takes part in a drill, and to which drill a case belongs.
 */
#include "core/area/area.h"
#include "features/drill/internal.h"

int64_t puan_drill_contact_area(struct puan_store *st,
                                const struct puan_drill_contact *c,
                                int64_t place)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    uint32_t i = t ? puan_area_find(t, place) : PUAN_AREA_NONE;
    int level;

    if (i == PUAN_AREA_NONE)
        return 0;
    if (c->level.n == 0)
        return place;
    level = puan_area_level_of(t, c->level);
    if (level < 0)
        return 0;
    if (level > t->area[i].level)
        return place; /* the drill takes place above that level */
    i = puan_area_ancestor(t, i, (unsigned)level);
    return i == PUAN_AREA_NONE ? 0 : t->area[i].code;
}

bool puan_drill_takes_part(struct puan_store *st,
                           const struct puan_drill_row *r,
                           struct puan_str role, int64_t area)
{
    const struct puan_drill *d =
        puan_drills_get(&puan_drill_state(st)->drills, r->drill);

    if (puan_str_eq(role, r->lead_role) && area == r->lead_area)
        return true;
    if (d == NULL) /* outside any: the office that called it, nobody above */
        return area == r->area;
    for (size_t i = 0; i < d->n_contacts; i++)
        if (puan_str_eq(d->contact[i].role, role) &&
            puan_drill_contact_area(st, &d->contact[i], r->area) == area)
            return true;
    return false;
}

/* The drill a case belongs to, through the case that opened it; 0 none. */
static enum puan_status drill_of_case(int64_t *out, struct puan_db *db,
                                      const struct puan_case_row *row,
                                      struct puan_err *err)
{
    int64_t id = row->id, parent = row->parent;

    *out = 0;
    for (int depth = 0; depth < 64; depth++) {
        struct puan_stmt *s = NULL;
        bool more = false;
        enum puan_status st;

        TRY(puan_sql(&s, db,
                     "SELECT run FROM drill_event WHERE case_run = $1 AND"
                     " kind = 'case'",
                     err));
        puan_bind_int(s, 1, id);
        st = puan_stmt_step(&more, s, err);
        if (st == PUAN_OK && more)
            *out = puan_col_int(s, 0);
        puan_stmt_done(s);
        if (st != PUAN_OK || *out != 0 || parent == 0)
            return st;
        id = parent;
        TRY(puan_sql(&s, db, "SELECT parent FROM case_run WHERE id = $1",
                     err));
        puan_bind_int(s, 1, id);
        st = puan_stmt_step(&more, s, err);
        parent = st == PUAN_OK && more ? puan_col_int(s, 0) : 0;
        puan_stmt_done(s);
        TRY(st);
    }
    return PUAN_OK;
}

static enum puan_status address(struct puan_str *role, int64_t *area,
                                struct puan_shard *sh, struct puan_db *db,
                                const struct puan_case_row *row,
                                struct puan_arena *a, struct puan_err *err)
{
    struct puan_drill_row r;
    int64_t id = 0;

    TRY(drill_of_case(&id, db, row, err));
    if (id == 0)
        return PUAN_OK;
    TRY(puan_drill_row_read(&r, db, id, a, err));
    if (!puan_drill_takes_part(puan_shard_store(sh), &r, *role, *area)) {
        *role = r.lead_role;
        *area = r.lead_area;
    }
    return PUAN_OK;
}

/* The drill that runs at a place and in which this seat takes part. */
static enum puan_status running_at(struct puan_drill_row *out,
                                   struct puan_store *st, struct puan_db *db,
                                   int64_t place, struct puan_str role,
                                   int64_t area, struct puan_arena *a,
                                   struct puan_err *err)
{
    int64_t *id = NULL;
    size_t n = 0;

    out->id = 0;
    TRY(puan_drill_ids(&id, &n, db, PUAN_STR("running"), a, err));
    for (size_t i = 0; i < n; i++) {
        struct puan_drill_row r;

        TRY(puan_drill_row_read(&r, db, id[i], a, err));
        if (r.area != place || r.drill.n == 0 ||
            !puan_drill_takes_part(st, &r, role, area))
            continue;
        *out = r;
        return PUAN_OK;
    }
    return PUAN_OK;
}

static enum puan_status join(struct puan_shard *sh, struct puan_db *db,
                             struct puan_act *act,
                             const struct puan_case_row *row,
                             const struct puan_flow_event *e,
                             struct puan_arena *a, struct puan_err *err)
{
    const struct puan_str own = PUAN_STR("drill/");
    struct puan_drill_row r = { 0 };
    struct puan_drill_event into = { .at = e->event_ms,
                                     .kind = PUAN_STR("case"),
                                     .name = row->flow,
                                     .role = e->who.role,
                                     .area = e->who.area,
                                     .person = e->who.actor,
                                     .yes = true,
                                     .case_run = row->id };

    if (puan_str_starts(row->subject, "drill/")) { /* by an inject */
        if (!puan_int_parse(&into.run,
                            (struct puan_str){ row->subject.p + own.n,
                                               row->subject.n - own.n }))
            return puan_fail(err, PUAN_EBUG, "drill", "a subject without id");
        return puan_drill_event_add(sh, db, act, into, a, err);
    }
    if (e->who.system)
        return PUAN_OK;
    TRY(running_at(&r, puan_shard_store(sh), db, row->area, e->who.role,
                   e->who.area, a, err));
    if (r.id == 0) {
        r = (struct puan_drill_row){ .drill = PUAN_STR(""),
                                     .version = 0,
                                     .area = row->area,
                                     .state = PUAN_STR("running"),
                                     .lead_role = e->who.role,
                                     .lead_area = e->who.area,
                                     .lead_person = e->who.actor,
                                     .planned = e->event_ms,
                                     .started = e->event_ms,
                                     .report = PUAN_STR("") };
        TRY(puan_db_int(&r.id, db,
                        "SELECT COALESCE(MAX(id), 0) + 1 FROM drill_run", 1,
                        err));
        TRY(puan_drill_row_write(sh, db, act, &r, a, err));
    }
    into.run = r.id;
    return puan_drill_event_add(sh, db, act, into, a, err);
}

const struct puan_case_drills puan_drill_of_cases = { join, address };
