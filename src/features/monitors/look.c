/*
 * Looking: metrics and counts judged, alarms kept, cases opened or fed.
 */
#include <stdlib.h>

#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "features/host/host.h"
#include "features/monitors/internal.h"
#include "kit/os/heap.h"

struct puan_seen *puan_seen_of(struct monitors *ms, size_t monitor,
                               int64_t area, bool make)
{
    size_t h = (size_t)(((uint64_t)area * 31 + monitor) % PUAN_SEEN_SLOTS);
    struct puan_seen *s;

    for (s = ms->seen[h]; s != NULL; s = s->next)
        if (s->monitor == monitor && s->area == area)
            return s;
    s = make ? calloc(1, sizeof *s) : NULL;
    if (s == NULL)
        return NULL;
    s->monitor = monitor;
    s->area = area;
    s->next = ms->seen[h];
    ms->seen[h] = s;
    return s;
}

void puan_line_add(struct puan_line *l, int64_t at, int64_t value, bool known,
                   int level)
{
    bool same = l->n > 0 && l->point[l->n - 1].level == level;

    if (l->every == 0)
        l->every = 1;
    /* a change of level is never passed over */
    if (same && ++l->skipped < l->every)
        return;
    l->skipped = 0;
    if (l->n == PUAN_LINE) {
        for (size_t i = 0; i < PUAN_LINE / 2; i++)
            l->point[i] = l->point[2 * i + 1];
        l->n = PUAN_LINE / 2;
        l->every *= 2;
    }
    l->point[l->n].at = at;
    l->point[l->n].value = value;
    l->point[l->n].known = known;
    l->point[l->n++].level = (uint8_t)level;
}

/* A row of monitor_state. */
struct state {
    int64_t area, level, value, since, run, opened;
    bool exists;
};

static enum puan_status read_state(struct state *out, struct puan_db *db,
                                   struct puan_str monitor, int64_t area,
                                   struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *out = (struct state){ .area = area };
    TRY(puan_sql(&s, db,
                 "SELECT level, value, since, run, opened FROM monitor_state"
                 " WHERE monitor = $1 AND area = $2",
                 err));
    puan_bind_text(s, 1, monitor);
    puan_bind_int(s, 2, area);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more) {
        out->exists = true;
        out->level = puan_col_int(s, 0);
        out->value = puan_col_int(s, 1);
        out->since = puan_col_int(s, 2);
        out->run = puan_col_int(s, 3);
        out->opened = puan_col_int(s, 4);
    }
    puan_stmt_done(s);
    return st;
}

static enum puan_status write_state(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act,
                                    struct puan_str monitor,
                                    const struct state *x, struct puan_arena *a,
                                    struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_out c;

    TRY(puan_sql(&s, db,
                 "INSERT INTO monitor_state(monitor, area, level, value, since,"
                 " run, opened) VALUES($1, $2, $3, $4, $5, $6, $7)"
                 " ON CONFLICT (monitor, area) DO UPDATE SET level ="
                 " excluded.level, value = excluded.value, since ="
                 " excluded.since, run = excluded.run, opened ="
                 " excluded.opened",
                 err));
    puan_bind_text(s, 1, monitor);
    puan_bind_int(s, 2, x->area);
    puan_bind_int(s, 3, x->level);
    puan_bind_int(s, 4, x->value);
    puan_bind_int(s, 5, x->since);
    puan_bind_int(s, 6, x->run);
    puan_bind_int(s, 7, x->opened);
    TRY(puan_stmt_once(s, err));
    puan_out_init(&c, a);
    puan_content_int(&c, x->level);
    puan_content_int(&c, x->value);
    puan_content_int(&c, x->since);
    puan_content_int(&c, x->run);
    puan_content_int(&c, x->opened);
    return puan_cover(sh, db, act, "monitor_state",
                      puan_str_of(puan_arena_fmt(a, "%.*s.%lld",
                                                 PUAN_FMT(monitor),
                                                 (long long)x->area)),
                      puan_out_view(&c), err);
}

struct change {
    const struct puan_monitor *m;
    int64_t area; /* of the alarm */
    int64_t at;   /* of the case */
    int64_t value, now;
    int level;
    bool opened; /* out: a case was made */
    struct puan_arena *arena;
};

static enum puan_status run_open(bool *out, struct puan_db *db, int64_t run,
                                 struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *out = false;
    if (run == 0)
        return PUAN_OK;
    TRY(puan_sql(&s, db, "SELECT ended FROM case_run WHERE id = $1", err));
    puan_bind_int(s, 1, run);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more)
        *out = puan_col_int(s, 0) == 0;
    puan_stmt_done(s);
    return st;
}

/* Opens the case. */
static enum puan_status open_case(int64_t *run, const struct change *x,
                                  struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, struct puan_err *err)
{
    struct puan_case_call *call = puan_new(x->arena, struct puan_case_call);

    if (call == NULL)
        return puan_arena_check(x->arena, err);
    call->event.fields = puan_watch_fields(x->m, false, x->value, x->level,
                                           x->arena);
    if (call->event.fields == NULL)
        return puan_arena_check(x->arena, err);
    call->arena = x->arena;
    call->flow = x->m->opens->label.name;
    call->area = x->at;
    call->subject = puan_str_of(puan_arena_fmt(x->arena, "monitor/%.*s",
                                               PUAN_FMT(x->m->label.name)));
    call->event.kind = PUAN_FLOW_OPEN;
    call->event.who = puan_case_system();
    TRY(puan_case_in(sh, db, act, call, err));
    *run = call->row.id;
    return PUAN_OK;
}

/* Of the alarms of this monitor that are gathered in one place: their case. */
static enum puan_status gathered(int64_t *run, int64_t *opened,
                                 const struct change *x, struct puan_shard *sh,
                                 struct puan_db *db, struct puan_err *err)
{
    const struct puan_area_tree *t =
        puan_store_areas(puan_shard_store(sh));
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    TRY(puan_sql(&s, db,
                 "SELECT area, run, opened FROM monitor_state WHERE monitor ="
                 " $1 AND run > 0 ORDER BY run",
                 err));
    puan_bind_text(s, 1, x->m->label.name);
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more)
        if (puan_area_contains_code(t, x->at, puan_col_int(s, 0))) {
            *run = puan_col_int(s, 1);
            *opened = puan_col_int(s, 2);
        }
    puan_stmt_done(s);
    return st;
}

/* Tells the open case; a case that does not take it in its state is left. */
static enum puan_status feed_case(const struct change *x, int64_t run,
                                  struct puan_shard *sh, struct puan_db *db,
                                  struct puan_act *act, struct puan_err *err)
{
    struct puan_store *st = puan_shard_store(sh);
    struct puan_case_call *call = puan_new(x->arena, struct puan_case_call);
    struct puan_flow_world none = { .digest = puan_store_digest(st) };
    struct puan_flow_decision decision;
    struct puan_flow_event e;
    struct puan_flow_run *fold = NULL;
    struct puan_case_row row;
    struct puan_err why = { 0 };

    if (call == NULL)
        return puan_arena_check(x->arena, err);
    call->event.fields =
        puan_watch_fields(x->m, true, x->value, x->level, x->arena);
    if (call->event.fields == NULL)
        return puan_arena_check(x->arena, err);
    TRY(puan_case_read(&row, &fold, st, db, run, x->arena, err));
    if (fold->flow != x->m->opens)
        return PUAN_OK;
    call->arena = x->arena;
    call->run = run;
    call->event.kind = PUAN_FLOW_ACT;
    call->event.name = x->m->opens->transitions[x->m->feeds].label.name;
    call->event.who = puan_case_system();
    e = call->event;
    e.event_ms = e.entry_ms =
        x->now > fold->entered_ms ? x->now : fold->entered_ms;
    if (puan_flow_apply(&decision, fold, &e, &none, &why) != PUAN_OK)
        return PUAN_OK;
    return puan_case_in(sh, db, act, call, err);
}

static enum puan_status change_body(struct puan_shard *sh, struct puan_db *db,
                                    struct puan_act *act, void *arg,
                                    struct puan_err *err)
{
    struct change *x = arg;
    struct state s;
    bool open = false;

    x->opened = false;
    TRY(read_state(&s, db, x->m->label.name, x->area, err));
    if (s.level == x->level) {
        act->silent = true; /* another look was faster */
        return PUAN_OK;
    }
    if (x->at != x->area)
        TRY(gathered(&s.run, &s.opened, x, sh, db, err));
    TRY(run_open(&open, db, s.run, err));
    if (puan_watch_opens(x->m, (int)s.level, x->level, open,
                         s.run ? s.opened : 0, x->now)) {
        TRY(open_case(&s.run, x, sh, db, act, err));
        s.opened = x->now;
        x->opened = true;
    } else if (x->level > s.level && open && x->m->feeds >= 0) {
        TRY(feed_case(x, s.run, sh, db, act, err));
    }
    s.level = x->level;
    s.value = x->value;
    s.since = x->now;
    return write_state(sh, db, act, x->m->label.name, &s, x->arena, err);
}

static void see(struct puan_sight *out, const struct puan_monitor *m,
                const struct puan_hits *hits, struct puan_store *st,
                int64_t area)
{
    enum puan_status rc;

    *out = (struct puan_sight){ 0 };
    if (m->kind != PUAN_WATCH_METRIC) {
        out->known = hits != NULL;
        if (hits != NULL)
            out->value = puan_hits_in(hits, puan_store_areas(st), area);
        return;
    }
    rc = m->metric->read(&out->value, st, area, NULL);
    out->known = rc == PUAN_OK;
    out->absent = rc == PUAN_ENOTFOUND;
    if (m->of != NULL)
        out->total_known =
            m->of->read(&out->total, st, area, NULL) == PUAN_OK;
}

/* Where the case of an alarm in `area` stands. */
static int64_t place_of(const struct puan_monitor *m,
                        const struct puan_area_tree *t, int64_t area)
{
    uint32_t i = puan_area_find(t, area);
    int level = m->gather.n ? puan_area_level_of(t, m->gather) : -1;
    uint32_t up = i == PUAN_AREA_NONE || level < 0
                      ? PUAN_AREA_NONE
                      : puan_area_ancestor(t, i, (unsigned)level);

    return up == PUAN_AREA_NONE ? area : t->area[up].code;
}

static enum puan_status look_at(struct monitors *ms, size_t at,
                                struct puan_store *st,
                                const struct puan_hits *hits, int64_t area,
                                int64_t now, int64_t *raised,
                                struct puan_err *err)
{
    const struct puan_monitor *m = &ms->of->list[at];
    const struct puan_plan *plan = puan_store_plan(st);
    struct puan_shard *office = puan_store_office(st);
    struct puan_seen *seen = puan_seen_of(ms, at, area, true);
    struct puan_sight sight;
    struct puan_db *db = NULL;
    struct state s;
    struct puan_arena a;
    struct change x = { .m = m, .area = area, .now = now, .arena = &a };
    struct puan_act act = { .actor = PUAN_STR("puan"),
                            .seat = PUAN_STR("system"),
                            .device = PUAN_STR(""),
                            .verb = PUAN_STR("monitor.raise"),
                            .event_ms = now };
    enum puan_status rc;

    if (seen == NULL)
        return puan_fail(err, PUAN_ENOMEM, "monitors", "out of memory");
    TRY(puan_read_begin(&db, office, err));
    rc = read_state(&s, db, m->label.name, area, err);
    puan_read_end(office, db);
    if (rc != PUAN_OK)
        return rc;
    see(&sight, m, hits, st, area);
    seen->alarm.level = s.level < 0 || s.level > PUAN_MONITOR_LEVELS
                            ? 0
                            : (int)s.level;
    x.level = puan_watch_judge(m, plan, &seen->alarm, &sight, now);
    seen->known = sight.known;
    seen->absent = sight.absent;
    seen->total_known = sight.total_known;
    if (sight.known)
        seen->value = sight.value;
    if (sight.total_known)
        seen->total = sight.total;
    puan_line_add(&seen->line, now, sight.value, sight.known, x.level);
    x.at = place_of(m, puan_store_areas(st), area);
    x.value = sight.known ? sight.value : 0;
    if (x.level == s.level)
        return PUAN_OK;
    puan_arena_init(&a, &puan_heap);
    act.subject = puan_str_of(puan_arena_fmt(&a, "monitor/%.*s/%lld",
                                             PUAN_FMT(m->label.name),
                                             (long long)area));
    act.note = puan_str_of(puan_arena_fmt(
        &a, "%s to %s, %s = %lld", puan_risk_level((int)s.level),
        puan_risk_level(x.level), puan_watch_what(m), (long long)x.value));
    rc = puan_commit(office, &act, change_body, &x, err);
    if (rc == PUAN_OK && x.opened)
        ++*raised;
    puan_arena_clear(&a);
    return rc;
}

/* One monitor over all its areas. */
static enum puan_status look_over(struct monitors *ms, size_t at,
                                  struct puan_store *st, int64_t top,
                                  int64_t now, int64_t *raised,
                                  struct puan_err *err)
{
    const struct puan_monitor *m = &ms->of->list[at];
    const struct puan_area_tree *t = puan_store_areas(st);
    int level = m->level.n ? puan_area_level_of(t, m->level) : -1;
    struct puan_hits hits = { 0 };
    const struct puan_hits *counted = NULL;
    enum puan_status rc = PUAN_OK;

    /* what cannot be counted now is unread, as a metric would be */
    if (m->kind != PUAN_WATCH_METRIC &&
        (m->kind != PUAN_WATCH_ACTS || ms->ledger_read) &&
        puan_watch_count(&hits, ms, m, st, now, NULL) == PUAN_OK)
        counted = &hits;
    if (m->level.n == 0)
        rc = look_at(ms, at, st, counted, top, now, raised, err);
    for (uint32_t k = 0; level >= 0 && rc == PUAN_OK && k < t->n; k++)
        if (t->area[k].level == (uint8_t)level)
            rc = look_at(ms, at, st, counted, t->area[k].code, now, raised,
                         err);
    puan_hits_clear(&hits);
    return rc;
}

enum puan_status puan_monitors_look(struct puan_store *st, bool all,
                                    int64_t *raised, struct puan_err *err)
{
    struct monitors *ms = puan_store_state(st, &puan_feature_monitors);
    const struct puan_area_tree *t = puan_store_areas(st);
    int64_t now = puan_store_now(st), n = 0, top;
    enum puan_status rc = PUAN_OK;

    if (ms == NULL || t == NULL || t->n == 0)
        return PUAN_OK;
    /* an installation with several tops: the first of them answers for all */
    top = puan_area_top(st) ? puan_area_top(st) : t->area[0].code;
    pthread_mutex_lock(&ms->lock);
    ms->ledger_read = puan_acts_follow(ms, st, NULL) == PUAN_OK;
    for (size_t i = 0; rc == PUAN_OK && i < ms->of->n; i++) {
        if (!all && ms->looked[i] != 0 && now >= ms->looked[i] &&
            now - ms->looked[i] < ms->of->list[i].every_ms)
            continue;
        rc = look_over(ms, i, st, top, now, &n, err);
        if (rc != PUAN_OK)
            break; /* it has not looked: its silence is seen */
        ms->looked[i] = now;
        ms->looked_real[i] = puan_real_now();
    }
    pthread_mutex_unlock(&ms->lock);
    if (raised != NULL)
        *raised = n;
    return rc;
}
