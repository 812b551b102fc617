/*
 * What happened in a drill, from its events and those of its cases, and what
 * it is worth.
 */
#include "features/drill/internal.h"

#define CASES 256

static enum puan_status opened_by(int64_t *list, size_t *n, struct puan_db *db,
                                  int64_t parent, struct puan_err *err)
{
    struct puan_stmt *s = NULL;

    TRY(puan_sql(&s, db,
                 "SELECT id FROM case_run WHERE parent = $1 AND drill = 1"
                 " ORDER BY id",
                 err));
    puan_bind_int(s, 1, parent);
    return puan_stmt_ints(list, n, CASES, s, err);
}

enum puan_status puan_drill_cases(int64_t **out, size_t *n, struct puan_db *db,
                                  int64_t run, struct puan_arena *a,
                                  struct puan_err *err)
{
    struct puan_stmt *s = NULL;

    *n = 0;
    *out = puan_new_n(a, CASES, int64_t);
    if (*out == NULL)
        return puan_arena_check(a, err);
    TRY(puan_sql(&s, db,
                 "SELECT case_run FROM drill_event WHERE run = $1 AND"
                 " kind = 'case' ORDER BY n",
                 err));
    puan_bind_int(s, 1, run);
    TRY(puan_stmt_ints(*out, n, CASES, s, err));
    for (size_t i = 0; i < *n; i++)
        TRY(opened_by(*out, n, db, (*out)[i], err));
    return PUAN_OK;
}

static bool mark_of(struct puan_drill_mark *m, const struct puan_flow_event *e,
                    struct puan_str flow)
{
    *m = (struct puan_drill_mark){ .name = e->name,
                                   .flow = flow,
                                   .role = e->who.role,
                                   .at_ms = e->event_ms,
                                   .yes = true };
    switch (e->kind) {
    case PUAN_FLOW_OPEN:
        m->kind = PUAN_DRILL_OPEN;
        m->name = flow;
        return !e->who.system; /* what an inject opens is nobody's merit */
    case PUAN_FLOW_ACT:
        m->kind = PUAN_DRILL_ACT;
        return true;
    case PUAN_FLOW_DO:
        m->kind = PUAN_DRILL_STEP;
        return true;
    case PUAN_FLOW_ORDER:
        m->kind = PUAN_DRILL_ORDER;
        return true;
    case PUAN_FLOW_ASK:
        m->kind = PUAN_DRILL_ASK;
        return true;
    case PUAN_FLOW_SIGN:
        m->kind = PUAN_DRILL_SIGN;
        m->yes = e->yes;
        return e->yes;
    case PUAN_FLOW_TAKE:
        m->kind = PUAN_DRILL_TAKE;
        m->name = PUAN_STR("");
        return true;
    case PUAN_FLOW_EVIDENCE:
    case PUAN_FLOW_TICK:
    case PUAN_FLOW_STOP:
        break;
    }
    return false;
}

/* What the clocks of a case say; one still running says nothing yet. */
static void clocks(struct puan_drill_story *s, const struct puan_drill_case *c)
{
    const struct puan_flow *f = c->run->flow;
    int64_t cut = INT64_MAX;

    if (c->run->stopped && c->n > 0)
        cut = c->event[c->n - 1].event_ms;
    for (size_t i = 0; i < f->n_clocks; i++) {
        const struct puan_flow_clock_run *r = &c->run->clock[i];
        struct puan_drill_mark m = { .kind = PUAN_DRILL_CLOCK,
                                     .name = f->clocks[i].label.name,
                                     .flow = f->label.name,
                                     .role = PUAN_STR("") };

        /* overdue and not stopped, or cut off by the end: it was not met */
        if (r->state != PUAN_FLOW_CLOCK_STOPPED || r->stop_ms == cut)
            continue;
        m.yes = r->stop_ms <= r->due_ms;
        m.at_ms = r->stop_ms;
        s->mark[s->n_marks++] = m;
    }
}

static enum puan_status read_cases(struct puan_drill_story *s,
                                   struct puan_store *st, struct puan_db *db,
                                   struct puan_arena *a, struct puan_err *err)
{
    int64_t *id = NULL;

    TRY(puan_drill_cases(&id, &s->n_cases, db, s->row.id, a, err));
    s->cases = puan_new_n(a, s->n_cases, struct puan_drill_case);
    if (s->n_cases > 0 && s->cases == NULL)
        return puan_arena_check(a, err);
    for (size_t i = 0; i < s->n_cases; i++) {
        struct puan_drill_case *c = &s->cases[i];

        TRY(puan_case_read(&c->row, &c->run, st, db, id[i], a, err));
        TRY(puan_case_events(&c->event, &c->n, st, db, id[i], a, err));
    }
    return PUAN_OK;
}

/* The drill's own events as marks; also when injects were sent. */
static void own_events(struct puan_drill_story *s)
{
    for (size_t i = 0; i < s->n_events; i++) {
        const struct puan_drill_event *e = &s->event[i];
        struct puan_drill_mark m = { .name = e->name,
                                     .flow = PUAN_STR(""),
                                     .role = e->role,
                                     .at_ms = e->at,
                                     .yes = e->yes };

        if (puan_str_is(e->kind, "inject") && s->drill != NULL) {
            int k = puan_drill_inject_of(s->drill, e->name);

            if (k >= 0)
                s->times.sent_ms[k] = e->at;
            continue;
        }
        if (puan_str_is(e->kind, "heard"))
            m.kind = PUAN_DRILL_HEARD;
        else if (puan_str_is(e->kind, "observed"))
            m.kind = PUAN_DRILL_OBSERVED;
        else if (puan_str_is(e->kind, "measured"))
            m.kind = PUAN_DRILL_MEASURED;
        else
            continue;
        s->mark[s->n_marks++] = m;
    }
}

enum puan_status puan_drill_story_read(struct puan_drill_story *s,
                                       struct puan_store *st,
                                       struct puan_db *db, int64_t id,
                                       int64_t now, struct puan_arena *a,
                                       struct puan_err *err)
{
    size_t room = 0;

    memset(s, 0, sizeof *s);
    TRY(puan_drill_row_read(&s->row, db, id, a, err));
    s->drill = puan_drills_get(&puan_drill_state(st)->drills, s->row.drill);
    TRY(puan_drill_events(&s->event, &s->n_events, db, id, a, err));
    TRY(read_cases(s, st, db, a, err));
    room = s->n_events;
    for (size_t i = 0; i < s->n_cases; i++)
        room += s->cases[i].n + s->cases[i].run->flow->n_clocks;
    s->mark = puan_new_n(a, room, struct puan_drill_mark);
    if (room > 0 && s->mark == NULL)
        return puan_arena_check(a, err);
    s->times.start_ms = s->row.started;
    s->times.end_ms = s->row.ended;
    s->times.now_ms = now;
    own_events(s);
    for (size_t i = 0; i < s->n_cases; i++) {
        const struct puan_drill_case *c = &s->cases[i];

        for (size_t k = 0; k < c->n; k++)
            if (mark_of(&s->mark[s->n_marks], &c->event[k],
                        c->run->flow->label.name))
                s->n_marks++;
        clocks(s, c);
    }
    if (s->drill != NULL)
        puan_drill_judge(&s->result, s->drill, &s->times, s->mark, s->n_marks);
    return puan_arena_check(a, err);
}
