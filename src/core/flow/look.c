/*
 * What can be done now and what holds back the rest; see look.h.
 */
#include "core/flow/look.h"

#include "core/flow/internal.h"

#define BIT(i) ((puan_flow_set)1 << (unsigned)(i))
#define SOON INT64_C(7200000) /* a clock due within it comes first */

static bool same(struct puan_str a, struct puan_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* ---- locks ------------------------------------------------------------- */

struct locks {
    struct puan_flow_lock *out;
    size_t n;
};

static void lock(struct locks *l, enum puan_flow_lock_kind kind, int index)
{
    if (l->n < PUAN_FLOW_LOCKS)
        l->out[l->n++] = (struct puan_flow_lock){ kind, index };
}

/* Is a name of the set written in the text of the condition? */
static bool mentions(const struct puan_flow *f, struct puan_str when,
                     puan_flow_set fields)
{
    size_t i = 0;

    while (i < when.n) {
        size_t from = i;
        struct puan_str word;

        while (i < when.n &&
               ((when.p[i] >= 'a' && when.p[i] <= 'z') ||
                (when.p[i] >= 'A' && when.p[i] <= 'Z') || when.p[i] == '_' ||
                (i > from && when.p[i] >= '0' && when.p[i] <= '9')))
            i++;
        word = (struct puan_str){ when.p + from, i - from };
        for (size_t k = 0; word.n > 0 && k < f->n_fields; k++)
            if (PUAN_FLOW_HAS(fields, k) && same(f->fields[k].label.name, word))
                return true;
        if (i == from)
            i++;
    }
    return false;
}

static void guard_lock(struct locks *l, const struct puan_flow_run *run,
                       const struct puan_expr *when, struct puan_str text,
                       puan_flow_set own, int64_t at_ms,
                       const struct puan_flow_world *w)
{
    struct puan_flow_value v[PUAN_FLOW_MAX];
    enum puan_truth t;

    if (when == NULL ||
        puan_flow_truth(when, run, run->field, at_ms, w) == PUAN_TRUE)
        return;
    for (size_t i = 0; i < PUAN_FLOW_MAX; i++) {
        v[i] = run->field[i];
        if (PUAN_FLOW_HAS(own, i))
            v[i].set = false;
    }
    t = puan_flow_truth(when, run, v, at_ms, w);
    if (t == PUAN_FALSE)
        lock(l, PUAN_FLOW_LOCK_GUARD, -1);
    else if (t == PUAN_UNKNOWN && w != NULL &&
             !mentions(run->flow, text, own))
        lock(l, PUAN_FLOW_LOCK_UNKNOWN, -1);
}

static void step_lock(struct locks *l, const struct puan_flow_run *run,
                      const struct puan_flow_transition *t, int64_t at_ms,
                      const struct puan_flow_world *w)
{
    const struct puan_flow *f = run->flow;

    for (size_t i = 0; i < f->n_steps; i++) {
        const struct puan_flow_step *s = &f->steps[i];

        if (run->step[i].done)
            continue;
        if (PUAN_FLOW_HAS(t->needs_steps, i) ||
            (t->all_steps && !s->optional &&
             (s->own_authority || run->step[i].ordered) && s->opens_due < 0 &&
             puan_flow_truth(s->when, run, run->field, at_ms, w) == PUAN_TRUE))
            lock(l, PUAN_FLOW_LOCK_STEP, (int)i);
    }
}

size_t puan_flow_act_locks(struct puan_flow_lock out[PUAN_FLOW_LOCKS],
                           const struct puan_flow_run *run, int transition,
                           int64_t at_ms, const struct puan_flow_world *w)
{
    const struct puan_flow *f = run->flow;
    const struct puan_flow_transition *t = &f->transitions[transition];
    struct locks l = { out, 0 };

    if (!run->opened || !PUAN_FLOW_HAS(t->from, run->state))
        lock(&l, PUAN_FLOW_LOCK_STATE, -1);
    for (size_t i = 0; w != NULL && i < w->n_blockers; i++)
        if (w->blocker_of == NULL ||
            PUAN_FLOW_HAS(w->blocker_of[i], transition))
            lock(&l, PUAN_FLOW_LOCK_BLOCK, (int)i);
    guard_lock(&l, run, t->when, t->when_text, t->needs_fields | t->may_fields,
               at_ms, w);
    step_lock(&l, run, t, at_ms, w);
    if (t->approval >= 0 && !puan_flow_approval_good(run, t->approval, at_ms))
        lock(&l, PUAN_FLOW_LOCK_APPROVAL, t->approval);
    if (t->clock >= 0 && run->clock[t->clock].state != PUAN_FLOW_CLOCK_DUE)
        lock(&l, PUAN_FLOW_LOCK_CLOCK, t->clock);
    for (size_t i = 0; w != NULL && i < t->n_none_open; i++) {
        char name[80];
        int64_t open = -1;

        puan_format(name, sizeof name, "open.%.*s", PUAN_FMT(t->none_open[i]));
        if (puan_flow_given(&open, w, puan_str_of(name)) && open != 0)
            lock(&l, PUAN_FLOW_LOCK_OPEN, (int)i);
    }
    return l.n;
}

bool puan_flow_step_applies(const struct puan_flow_run *run, int step,
                            int64_t at_ms)
{
    return puan_flow_truth(run->flow->steps[step].when, run, run->field, at_ms,
                           NULL) != PUAN_FALSE;
}

size_t puan_flow_step_locks(struct puan_flow_lock out[PUAN_FLOW_LOCKS],
                            const struct puan_flow_run *run, int step,
                            int64_t at_ms, const struct puan_flow_world *w)
{
    const struct puan_flow *f = run->flow;
    const struct puan_flow_step *s = &f->steps[step];
    struct locks l = { out, 0 };
    bool due = s->opens_due >= 0 &&
               run->clock[s->opens_due].state == PUAN_FLOW_CLOCK_DUE;

    if (!run->opened || !PUAN_FLOW_HAS(s->states, run->state))
        lock(&l, PUAN_FLOW_LOCK_STATE, -1);
    for (size_t i = 0; i < f->n_steps; i++)
        if (PUAN_FLOW_HAS(s->after, i) && !run->step[i].done)
            lock(&l, PUAN_FLOW_LOCK_STEP, (int)i);
    guard_lock(&l, run, s->when, s->when_text, s->needs_fields | s->may_fields,
               at_ms, w);
    if (s->approval >= 0 && !puan_flow_approval_good(run, s->approval, at_ms))
        lock(&l, PUAN_FLOW_LOCK_APPROVAL, s->approval);
    if (l.n > 0 || due || run->step[step].done ||
        puan_flow_step_open(run, step))
        return l.n;
    if (s->opens_due >= 0)
        lock(&l, PUAN_FLOW_LOCK_CLOCK, s->opens_due);
    else
        lock(&l, PUAN_FLOW_LOCK_ORDER, -1);
    return l.n;
}

/* ---- approvals ---------------------------------------------------------- */

bool puan_flow_may_sign(const struct puan_flow_run *run, int approval,
                        const struct puan_flow_who *who)
{
    const struct puan_flow_approval *p = &run->flow->approvals[approval];
    const struct puan_flow_approval_run *r = &run->approval[approval];

    if (r->state != PUAN_FLOW_ASKED ||
        !PUAN_FLOW_HAS(p->states, run->state) ||
        puan_flow_signing_seat(run, approval, who) < 0 ||
        (p->not_requester && same(r->requester, who->actor)))
        return false;
    for (size_t i = 0; i < r->n_sig; i++)
        if (same(r->sig[i].actor, who->actor))
            return false;
    return true;
}

bool puan_flow_may_ask(const struct puan_flow_run *run, int approval,
                       int64_t at_ms, const struct puan_flow_who *who)
{
    const struct puan_flow_approval *p = &run->flow->approvals[approval];
    const struct puan_flow_approval_run *r = &run->approval[approval];

    if (!run->opened || puan_flow_over(run) ||
        r->state == PUAN_FLOW_ASKED ||
        !PUAN_FLOW_HAS(p->states, run->state) ||
        puan_flow_approval_good(run, approval, at_ms))
        return false;
    for (size_t i = 0; i < run->flow->n_seats; i++)
        if ((p->asked_by == 0 || PUAN_FLOW_HAS(p->asked_by, i)) &&
            puan_flow_seat_fits(run->flow, (int)i, who))
            return true;
    return false;
}

bool puan_flow_approval_stands(const struct puan_flow_run *run, int approval,
                               int64_t at_ms)
{
    return puan_flow_approval_good(run, approval, at_ms);
}

bool puan_flow_gate_open(const struct puan_flow_run *run, size_t gate,
                         int64_t at_ms, const struct puan_flow_world *w)
{
    const struct puan_flow_gate *g = &run->flow->gates[gate];

    if (g->when != NULL)
        return puan_flow_truth(g->when, run, run->field, at_ms, w) == PUAN_TRUE;
    if (g->papers != 0)
        return (g->papers & ~run->evidence) == 0;
    /* an approval that an act rested on has done its work */
    if (g->approval >= 0)
        return run->approval[g->approval].state == PUAN_FLOW_USED ||
               puan_flow_approval_good(run, g->approval, at_ms);
    if (g->at_field >= 0)
        return run->field[g->at_field].set &&
               run->field[g->at_field].v <= at_ms;
    for (size_t i = 0; w != NULL && i < w->n_blockers; i++)
        if (w->blocker_of == NULL || PUAN_FLOW_HAS(w->blocker_of[i], g->clear))
            return false;
    return true;
}

/* ---- what is to be done -------------------------------------------------- */

static bool ticking(const struct puan_flow_run *run, size_t clock)
{
    return run->clock[clock].state == PUAN_FLOW_CLOCK_RUNNING ||
           run->clock[clock].state == PUAN_FLOW_CLOCK_DUE;
}

/* The clock due first that this stops. */
static void stops(struct puan_flow_todo *t, const struct puan_flow_run *run,
                  enum puan_flow_when_kind kind, int index)
{
    const struct puan_flow *f = run->flow;

    t->clock = -1;
    for (size_t i = 0; i < f->n_clocks; i++) {
        const struct puan_flow_clock *c = &f->clocks[i];

        if (!ticking(run, i) ||
            (t->clock >= 0 && run->clock[i].due_ms >= t->due_ms))
            continue;
        for (size_t k = 0; k < c->n_stop; k++)
            if (c->stop[k].kind == kind &&
                (kind == PUAN_FLOW_ON_TAKE || c->stop[k].index == index)) {
                t->clock = (int)i;
                t->due_ms = run->clock[i].due_ms;
            }
    }
}

/* Those who were told: at the opening, and on the rungs climbed so far. */
static puan_flow_set told_of(const struct puan_flow_run *run, int clock)
{
    const struct puan_flow *f = run->flow;
    puan_flow_set s = 0;

    for (size_t i = 0;
         i < f->clocks[clock].n_ladder && i < run->clock[clock].rungs; i++)
        s |= BIT(f->clocks[clock].ladder[i]);
    for (size_t i = 0; i < f->n_open_effects; i++)
        if (f->open_effects[i].kind == PUAN_FLOW_NOTIFY)
            s |= BIT(f->open_effects[i].index);
    return s;
}

struct todos {
    struct puan_flow_todo *out;
    size_t n;
    int64_t now;
};

/* Sorted as it comes in: by rank, then by due time, then as declared. */
static void add(struct todos *l, struct puan_flow_todo t, int rank)
{
    size_t i = l->n;

    if (l->n == PUAN_FLOW_TODOS)
        return;
    t.rank = t.clock >= 0 && t.due_ms <= l->now + SOON && rank > 1 &&
                     rank < PUAN_FLOW_ASIDE
                 ? 1
                 : rank;
    while (i > 0 && (l->out[i - 1].rank > t.rank ||
                     (l->out[i - 1].rank == t.rank && t.rank == 1 &&
                      l->out[i - 1].due_ms > t.due_ms))) {
        l->out[i] = l->out[i - 1];
        i--;
    }
    l->out[i] = t;
    l->n++;
}

static void add_ask(struct todos *l, const struct puan_flow_run *run,
                    int approval, struct puan_flow_todo t, int rank)
{
    const struct puan_flow_approval *p = &run->flow->approvals[approval];
    const struct puan_flow_approval_run *r = &run->approval[approval];

    if (r->state == PUAN_FLOW_ASKED ||
        !PUAN_FLOW_HAS(p->states, run->state) ||
        puan_flow_approval_good(run, approval, l->now))
        return;
    for (size_t i = 0; i < l->n; i++)
        if (l->out[i].kind == PUAN_FLOW_TODO_ASK && l->out[i].index == approval)
            return;
    t.kind = PUAN_FLOW_TODO_ASK;
    t.index = approval;
    t.by = p->asked_by ? p->asked_by : ~(puan_flow_set)0;
    add(l, t, rank);
}

/* Ends the run where another way leads on, or was named first. */
static bool leads_out(const struct puan_flow_run *run, size_t transition)
{
    const struct puan_flow *f = run->flow;
    int to = f->transitions[transition].to;

    if (to < 0 || !PUAN_FLOW_HAS(f->terminal, to))
        return false;
    for (size_t i = 0; i < f->n_transitions; i++) {
        const struct puan_flow_transition *t = &f->transitions[i];

        if (t->to < 0 || t->to == to || t->to == run->state ||
            !PUAN_FLOW_HAS(t->from, run->state))
            continue;
        if (i < transition || !PUAN_FLOW_HAS(f->terminal, t->to))
            return true;
    }
    return false;
}

static void add_acts(struct todos *l, const struct puan_flow_run *run,
                     const struct puan_flow_world *w)
{
    const struct puan_flow *f = run->flow;
    struct puan_flow_lock locks[PUAN_FLOW_LOCKS];

    for (size_t i = 0; i < f->n_transitions; i++) {
        const struct puan_flow_transition *t = &f->transitions[i];
        struct puan_flow_todo todo = { .kind = PUAN_FLOW_TODO_ACT,
                                       .index = (int)i, .by = t->by };
        size_t n;
        int rank;

        if (t->clock >= 0 || !PUAN_FLOW_HAS(t->from, run->state))
            continue;
        n = puan_flow_act_locks(locks, run, (int)i, l->now, w);
        stops(&todo, run, PUAN_FLOW_ON_TRANSITION, (int)i);
        /* on, round, out */
        rank = t->to < 0 || t->to == run->state ? (todo.clock >= 0 ? 4 : 8)
               : leads_out(run, i)              ? 6
                                                : 4;
        if (n == 0)
            add(l, todo, rank);
        else if (n == 1 && locks[0].kind == PUAN_FLOW_LOCK_APPROVAL)
            add_ask(l, run, locks[0].index, todo, rank);
    }
}

size_t puan_flow_todos(struct puan_flow_todo out[PUAN_FLOW_TODOS],
                       const struct puan_flow_run *run, int64_t at_ms,
                       const struct puan_flow_world *w)
{
    const struct puan_flow *f = run->flow;
    struct todos l = { out, 0, at_ms };
    struct puan_flow_lock locks[PUAN_FLOW_LOCKS];

    if (!run->opened || puan_flow_over(run))
        return 0;
    {
        struct puan_flow_todo t = { .kind = PUAN_FLOW_TODO_TAKE, .index = -1 };

        stops(&t, run, PUAN_FLOW_ON_TAKE, 0);
        if (t.clock >= 0) {
            t.by = told_of(run, t.clock);
            add(&l, t, 0);
        }
    }
    for (size_t i = 0; i < f->n_approvals; i++) {
        struct puan_flow_todo t = { .kind = PUAN_FLOW_TODO_SIGN,
                                    .index = (int)i, .clock = -1 };
        const struct puan_flow_approval *p = &f->approvals[i];

        if (run->approval[i].state != PUAN_FLOW_ASKED)
            continue;
        for (size_t k = 0; k < p->n_seats; k++)
            t.by |= BIT(p->seats[k]);
        /* whose signature is still missing */
        if (p->rule == PUAN_FLOW_SEQUENCE &&
            run->approval[i].n_sig < p->n_seats)
            t.by = BIT(p->seats[run->approval[i].n_sig]);
        for (size_t k = 0;
             p->rule == PUAN_FLOW_ALL && k < run->approval[i].n_sig; k++)
            if (run->approval[i].sig[k].seat >= 0)
                t.by &= ~BIT(run->approval[i].sig[k].seat);
        /* as urgent as what rests on it */
        for (size_t k = 0; k < f->n_transitions; k++) {
            struct puan_flow_todo rests = { .clock = -1 };

            if (f->transitions[k].approval != (int)i ||
                !PUAN_FLOW_HAS(f->transitions[k].from, run->state))
                continue;
            stops(&rests, run, PUAN_FLOW_ON_TRANSITION, (int)k);
            if (rests.clock >= 0 &&
                (t.clock < 0 || rests.due_ms < t.due_ms)) {
                t.clock = rests.clock;
                t.due_ms = rests.due_ms;
            }
        }
        add(&l, t, 2);
    }
    for (size_t i = 0; i < f->n_steps; i++) {
        const struct puan_flow_step *s = &f->steps[i];
        struct puan_flow_todo t = { .kind = PUAN_FLOW_TODO_STEP,
                                    .index = (int)i, .by = s->by };
        size_t n;

        if (run->step[i].done || !PUAN_FLOW_HAS(s->states, run->state))
            continue;
        stops(&t, run, PUAN_FLOW_ON_STEP, (int)i);
        n = puan_flow_step_locks(locks, run, (int)i, at_ms, w);
        if (n == 0) {
            add(&l, t, s->optional ? 7 : 3);
        } else if (n == 1 && locks[0].kind == PUAN_FLOW_LOCK_ORDER &&
                   s->ordered_by != 0) {
            t.kind = PUAN_FLOW_TODO_ORDER;
            t.by = s->ordered_by;
            add(&l, t, s->optional ? 7 : 5);
        } else if (n == 1 && locks[0].kind == PUAN_FLOW_LOCK_APPROVAL) {
            add_ask(&l, run, locks[0].index, t, s->optional ? 7 : 5);
        }
    }
    add_acts(&l, run, w);
    return l.n;
}

bool puan_flow_todo_mine(int *seat, const struct puan_flow_run *run,
                         const struct puan_flow_todo *t,
                         const struct puan_flow_who *who)
{
    const struct puan_flow *f = run->flow;

    if (t->kind == PUAN_FLOW_TODO_SIGN)
        return puan_flow_may_sign(run, t->index, who) &&
               (*seat = puan_flow_signing_seat(run, t->index, who)) >= 0;
    for (size_t i = 0; i < f->n_seats; i++) {
        if (!PUAN_FLOW_HAS(t->by, i) || !puan_flow_seat_fits(f, (int)i, who))
            continue;
        if (puan_str_is(f->seats[i].role, "any") &&
            !same(run->opener, who->actor))
            continue;
        *seat = (int)i;
        return true;
    }
    return false;
}

const struct puan_flow_label *
puan_flow_event_label(const struct puan_flow *f, const struct puan_flow_event *e)
{
    int i;

    switch (e->kind) {
    case PUAN_FLOW_ACT:
        i = puan_flow_transition(f, e->name);
        return i < 0 ? NULL : &f->transitions[i].label;
    case PUAN_FLOW_DO:
    case PUAN_FLOW_ORDER:
        i = puan_flow_step(f, e->name);
        return i < 0 ? NULL : &f->steps[i].label;
    case PUAN_FLOW_ASK:
    case PUAN_FLOW_SIGN:
        i = puan_flow_approval(f, e->name);
        return i < 0 ? NULL : &f->approvals[i].label;
    case PUAN_FLOW_TICK:
        i = puan_flow_clock(f, e->name);
        return i < 0 ? NULL : &f->clocks[i].label;
    case PUAN_FLOW_OPEN:
    case PUAN_FLOW_EVIDENCE:
    case PUAN_FLOW_TAKE:
    case PUAN_FLOW_STOP:
        break;
    }
    return NULL;
}
