/*
 * Rows of drills: read and written.
 */
#include "core/ledger/ledger.h"
#include "features/drill/internal.h"

enum puan_status puan_drill_row_read(struct puan_drill_row *out,
                                     struct puan_db *db, int64_t id,
                                     struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    TRY(puan_sql(&s, db,
                 "SELECT id, drill, version, area, state, lead_role,"
                 " lead_area, lead_person, planned, started, ended, points,"
                 " full_points, passed, report FROM drill_run WHERE id = $1",
                 err));
    puan_bind_int(s, 1, id);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && !more)
        st = puan_fail(err, PUAN_ENOTFOUND, "drill", "there is no such drill");
    if (st == PUAN_OK)
        *out = (struct puan_drill_row){
            .id = puan_col_int(s, 0),
            .drill = puan_arena_keep(a, puan_col_text(s, 1)),
            .version = puan_col_int(s, 2),
            .area = puan_col_int(s, 3),
            .state = puan_arena_keep(a, puan_col_text(s, 4)),
            .lead_role = puan_arena_keep(a, puan_col_text(s, 5)),
            .lead_area = puan_col_int(s, 6),
            .lead_person = puan_arena_keep(a, puan_col_text(s, 7)),
            .planned = puan_col_int(s, 8),
            .started = puan_col_int(s, 9),
            .ended = puan_col_int(s, 10),
            .points = puan_col_int(s, 11),
            .full = puan_col_int(s, 12),
            .passed = puan_col_int(s, 13) != 0,
            .report = puan_arena_keep(a, puan_col_text(s, 14)),
        };
    puan_stmt_done(s);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

enum puan_status puan_drill_row_write(struct puan_shard *sh, struct puan_db *db,
                                      struct puan_act *act,
                                      const struct puan_drill_row *r,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_out c;
    enum puan_status st;

    TRY(puan_sql(&s, db,
                 "INSERT INTO drill_run(id, drill, version, area, state,"
                 " lead_role, lead_area, lead_person, planned, started, ended,"
                 " points, full_points, passed, report) VALUES($1, $2, $3, $4,"
                 " $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
                 " ON CONFLICT (id) DO UPDATE SET state = excluded.state,"
                 " started = excluded.started, ended = excluded.ended,"
                 " points = excluded.points, full_points ="
                 " excluded.full_points, passed = excluded.passed,"
                 " report = excluded.report",
                 err));
    puan_bind_int(s, 1, r->id);
    puan_bind_text(s, 2, r->drill);
    puan_bind_int(s, 3, r->version);
    puan_bind_int(s, 4, r->area);
    puan_bind_text(s, 5, r->state);
    puan_bind_text(s, 6, r->lead_role);
    puan_bind_int(s, 7, r->lead_area);
    puan_bind_text(s, 8, r->lead_person);
    puan_bind_int(s, 9, r->planned);
    puan_bind_int(s, 10, r->started);
    puan_bind_int(s, 11, r->ended);
    puan_bind_int(s, 12, r->points);
    puan_bind_int(s, 13, r->full);
    puan_bind_int(s, 14, r->passed);
    puan_bind_text(s, 15, r->report);
    st = puan_stmt_once(s, err);
    TRY(st);
    puan_out_init(&c, a);
    puan_content_text(&c, r->drill);
    puan_content_int(&c, r->version);
    puan_content_int(&c, r->area);
    puan_content_text(&c, r->state);
    puan_content_text(&c, r->lead_role);
    puan_content_int(&c, r->lead_area);
    puan_content_text(&c, r->lead_person);
    puan_content_int(&c, r->planned);
    puan_content_int(&c, r->started);
    puan_content_int(&c, r->ended);
    puan_content_int(&c, r->points);
    puan_content_int(&c, r->full);
    puan_content_int(&c, r->passed);
    puan_content_text(&c, r->report);
    TRY(puan_arena_check(a, err));
    return puan_cover_id(sh, db, act, "drill_run", r->id, puan_out_view(&c),
                         err);
}

static enum puan_status next_n(int64_t *out, struct puan_db *db, int64_t run,
                               struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    TRY(puan_sql(&s, db,
                 "SELECT COALESCE(MAX(n), 0) + 1 FROM drill_event"
                 " WHERE run = $1",
                 err));
    puan_bind_int(s, 1, run);
    st = puan_stmt_step(&more, s, err);
    *out = st == PUAN_OK && more ? puan_col_int(s, 0) : 1;
    puan_stmt_done(s);
    return st;
}

enum puan_status puan_drill_event_add(struct puan_shard *sh, struct puan_db *db,
                                      struct puan_act *act,
                                      struct puan_drill_event e,
                                      struct puan_arena *a,
                                      struct puan_err *err)
{
    struct puan_str *const texts[] = { &e.kind, &e.name, &e.role, &e.person,
                                       &e.body };
    struct puan_stmt *s = NULL;
    struct puan_out c;
    enum puan_status st;

    for (size_t i = 0; i < PUAN_COUNT(texts); i++)
        if (texts[i]->p == NULL)
            *texts[i] = PUAN_STR("");
    TRY(next_n(&e.n, db, e.run, err));
    TRY(puan_sql(&s, db,
                 "INSERT INTO drill_event(run, n, at, kind, name, role, area,"
                 " person, yes, case_run, body) VALUES($1, $2, $3, $4, $5, $6,"
                 " $7, $8, $9, $10, $11)",
                 err));
    puan_bind_int(s, 1, e.run);
    puan_bind_int(s, 2, e.n);
    puan_bind_int(s, 3, e.at);
    puan_bind_text(s, 4, e.kind);
    puan_bind_text(s, 5, e.name);
    puan_bind_text(s, 6, e.role);
    puan_bind_int(s, 7, e.area);
    puan_bind_text(s, 8, e.person);
    puan_bind_int(s, 9, e.yes);
    puan_bind_int(s, 10, e.case_run);
    puan_bind_text(s, 11, e.body);
    st = puan_stmt_once(s, err);
    TRY(st);
    puan_out_init(&c, a);
    puan_content_int(&c, e.at);
    puan_content_text(&c, e.kind);
    puan_content_text(&c, e.name);
    puan_content_text(&c, e.role);
    puan_content_int(&c, e.area);
    puan_content_text(&c, e.person);
    puan_content_int(&c, e.yes);
    puan_content_int(&c, e.case_run);
    puan_content_text(&c, e.body);
    TRY(puan_arena_check(a, err));
    return puan_cover(sh, db, act, "drill_event",
                      puan_str_of(puan_arena_fmt(a, "%lld.%lld",
                                                 (long long)e.run,
                                                 (long long)e.n)),
                      puan_out_view(&c), err);
}

enum puan_status puan_drill_events(struct puan_drill_event **out, size_t *n,
                                   struct puan_db *db, int64_t run,
                                   struct puan_arena *a, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    int64_t next = 1;
    bool more = false;
    enum puan_status st;

    *n = 0;
    TRY(next_n(&next, db, run, err));
    *out = puan_new_n(a, (size_t)next, struct puan_drill_event);
    if (*out == NULL)
        return puan_arena_check(a, err);
    TRY(puan_sql(&s, db,
                 "SELECT n, at, kind, name, role, area, person, yes, case_run,"
                 " body FROM drill_event WHERE run = $1 ORDER BY n",
                 err));
    puan_bind_int(s, 1, run);
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more &&
           *n < (size_t)next)
        (*out)[(*n)++] = (struct puan_drill_event){
            .run = run,
            .n = puan_col_int(s, 0),
            .at = puan_col_int(s, 1),
            .kind = puan_arena_keep(a, puan_col_text(s, 2)),
            .name = puan_arena_keep(a, puan_col_text(s, 3)),
            .role = puan_arena_keep(a, puan_col_text(s, 4)),
            .area = puan_col_int(s, 5),
            .person = puan_arena_keep(a, puan_col_text(s, 6)),
            .yes = puan_col_int(s, 7) != 0,
            .case_run = puan_col_int(s, 8),
            .body = puan_arena_keep(a, puan_col_text(s, 9)),
        };
    puan_stmt_done(s);
    return st == PUAN_OK ? puan_arena_check(a, err) : st;
}

enum puan_status puan_drill_ids(int64_t **out, size_t *n, struct puan_db *db,
                                struct puan_str state, struct puan_arena *a,
                                struct puan_err *err)
{
    struct puan_stmt *s = NULL;

    *n = 0;
    *out = puan_new_n(a, 1024, int64_t);
    if (*out == NULL)
        return puan_arena_check(a, err);
    TRY(puan_sql(&s, db,
                 "SELECT id FROM drill_run WHERE $1 = '' OR state = $1"
                 " ORDER BY id DESC LIMIT 1024",
                 err));
    puan_bind_text(s, 1, state);
    return puan_stmt_ints(*out, n, 1024, s, err);
}
