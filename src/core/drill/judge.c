/*
 * What a drill was worth: verdicts and points from what happened.
 */
#include "core/drill/drill.h"

const char *const puan_drill_state_word[PUAN_DRILL_UNTESTED + 1] = {
    "waiting", "met", "late", "missed", "untested"
};

/* Is this what is expected, whenever it happened? */
static bool fits(const struct puan_drill_expect *e,
                 const struct puan_drill_mark *m)
{
    if (m->kind != e->kind)
        return false;
    if (e->kind == PUAN_DRILL_OBSERVED)
        return puan_str_eq(m->name, e->id);
    if (e->kind != PUAN_DRILL_TAKE && !puan_str_eq(m->name, e->name))
        return false;
    if (e->flow.n > 0 && !puan_str_eq(m->flow, e->flow))
        return false;
    if (e->by.n > 0 && !puan_str_eq(m->role, e->by))
        return false;
    return m->yes || e->kind == PUAN_DRILL_CLOCK ||
           e->kind == PUAN_DRILL_MEASURED;
}

/* A clock that ran over, a measure that failed, "no" of the observer. */
static bool spoilt(const struct puan_drill_mark *m)
{
    return !m->yes;
}

static void judge_one(struct puan_drill_verdict *v,
                      const struct puan_drill_expect *e,
                      const struct puan_drill_times *t,
                      const struct puan_drill_mark *mark, size_t n)
{
    int64_t from = e->after < 0 ? t->start_ms : t->sent_ms[e->after];
    bool over;

    *v = (struct puan_drill_verdict){ .mark = -1 };
    if (from == 0) {
        v->state = t->end_ms != 0 ? PUAN_DRILL_UNTESTED : PUAN_DRILL_WAITING;
        return;
    }
    if (e->within_ms > 0)
        v->due_ms = from + e->within_ms;
    for (size_t i = 0; i < n; i++) {
        if (!fits(e, &mark[i]) || mark[i].at_ms < from ||
            (t->end_ms != 0 && mark[i].at_ms > t->end_ms &&
             e->kind != PUAN_DRILL_OBSERVED))
            continue;
        if (e->never && v->due_ms != 0 && mark[i].at_ms > v->due_ms)
            continue;
        /* the observer may change his mind: his last word counts */
        if (v->mark < 0 || (e->kind == PUAN_DRILL_OBSERVED
                                ? mark[i].at_ms >= v->done_ms
                                : mark[i].at_ms < v->done_ms)) {
            v->mark = (int)i;
            v->done_ms = mark[i].at_ms;
        }
    }
    over = t->end_ms != 0 || (v->due_ms != 0 && t->now_ms > v->due_ms);
    if (e->never) {
        if (v->mark >= 0)
            v->state = PUAN_DRILL_MISSED;
        else
            v->state = over ? PUAN_DRILL_MET : PUAN_DRILL_WAITING;
    } else if (v->mark < 0) {
        v->state = over ? PUAN_DRILL_MISSED : PUAN_DRILL_WAITING;
    } else if (e->kind == PUAN_DRILL_CLOCK) {
        v->state = spoilt(&mark[v->mark]) ? PUAN_DRILL_LATE : PUAN_DRILL_MET;
    } else if (spoilt(&mark[v->mark])) {
        v->state = PUAN_DRILL_MISSED;
    } else if (e->kind == PUAN_DRILL_OBSERVED) {
        v->state = PUAN_DRILL_MET; /* when it was ticked says nothing */
    } else {
        v->state = v->due_ms != 0 && v->done_ms > v->due_ms
                       ? PUAN_DRILL_LATE
                       : PUAN_DRILL_MET;
    }
    if (v->state == PUAN_DRILL_MET)
        v->points = e->points;
    else if (v->state == PUAN_DRILL_LATE)
        v->points = e->late;
}

void puan_drill_judge(struct puan_drill_result *out,
                      const struct puan_drill *d,
                      const struct puan_drill_times *t,
                      const struct puan_drill_mark *mark, size_t n)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < d->n_expects; i++) {
        struct puan_drill_verdict *v = &out->verdict[i];

        judge_one(v, &d->expect[i], t, mark, n);
        switch (v->state) {
        case PUAN_DRILL_WAITING:
            out->waiting++;
            break;
        case PUAN_DRILL_MET:
            out->met++;
            break;
        case PUAN_DRILL_LATE:
            out->late++;
            break;
        case PUAN_DRILL_MISSED:
            out->missed++;
            break;
        case PUAN_DRILL_UNTESTED:
            out->untested++;
            continue;
        }
        out->points += v->points;
        out->full += d->expect[i].points;
    }
    out->passed = t->end_ms != 0 && out->full > 0 &&
                  (int64_t)out->points * 100 >= (int64_t)out->full * d->pass;
}
