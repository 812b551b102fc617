/*
 * The world of a play: what the server does around the engine (features/cases)
 * with seats, notices, linked cases and clocks, in memory and on virtual time.
 */
#include "core/proof/world.h"

#include "core/proof/internal.h"

/* ---- areas by their digits -------------------------------------------------- */

static unsigned digits_of(int64_t area)
{
    unsigned n = 0;

    for (int64_t c = area; c > 0; c /= 10)
        n++;
    return n;
}

int puan_world_level(const struct puan_world *w, int64_t area)
{
    const struct puan_plan *p = w->stage->plan;
    unsigned n = digits_of(area);

    for (size_t i = 0; n > 0 && i < p->n_levels; i++)
        if (p->level[i].digits == n)
            return (int)i;
    return -1;
}

int64_t puan_world_lift(const struct puan_world *w, int64_t area, int level)
{
    const struct puan_plan *p = w->stage->plan;
    unsigned n = digits_of(area);

    if (level < 0 || p->level[level].digits == 0)
        return 0;
    for (; n > p->level[level].digits; n--)
        area /= 10;
    return area;
}

bool puan_world_holds(const struct puan_world *w, int64_t outer, int64_t inner)
{
    int level = puan_world_level(w, outer);

    return level >= 0 && puan_world_lift(w, inner, level) == outer;
}

/* ---- seats ---------------------------------------------------------------------
 */

bool puan_world_vacant(const struct puan_world *w, struct puan_str role,
                       int64_t area)
{
    int level = puan_world_level(w, area);

    /* "leading-group", or "leading-group@county" */
    PUAN_NODE_EACH(c, w->scenario->vacant)
    {
        struct puan_str rest = c->text, name, where = PUAN_STR("");

        if (puan_str_split(&name, &rest, '@') && rest.p != NULL)
            where = rest;
        if (!puan_str_eq(name, role))
            continue;
        if (where.n == 0 ||
            (level >= 0 &&
             puan_str_eq(w->stage->plan->level[level].id, where)))
            return true;
    }
    return false;
}

static bool may_sit(const struct puan_role *r, int level)
{
    return level >= 0 && (r->levels == 0 || (r->levels >> level & 1) != 0);
}

/* Where a step's seat stands: as it says, else the nearest area upwards where
 * its role may be held. */
static enum puan_status seat_area(int64_t *out, const struct puan_world *w,
                                  const struct puan_node *step,
                                  const struct puan_role *role,
                                  int64_t run_area, struct puan_err *err)
{
    const struct puan_plan *p = w->stage->plan;
    const struct puan_node *seat = puan_node_get(step, "seat");
    const struct puan_node *level = puan_node_get(step, "level");
    int at;

    *out = run_area;
    if (seat != NULL && (!puan_int_parse(out, seat->text) || *out <= 0 ||
                         puan_world_level(w, *out) < 0))
        return puan_node_fail(seat, err, "`seat` is the code of an area");
    if (level != NULL) {
        at = puan_plan_level(p, level->text);
        if (at < 0)
            return puan_node_fail(level, err, "the plan has no level \"%.*s\"",
                                  PUAN_FMT(level->text));
        *out = puan_world_lift(w, *out, at);
    }
    at = puan_world_level(w, *out);
    for (int i = at; seat == NULL && level == NULL && i >= 0; i--)
        if (may_sit(role, i) && p->level[i].digits > 0) {
            *out = puan_world_lift(w, run_area, i);
            return PUAN_OK;
        }
    if (may_sit(role, at))
        return PUAN_OK;
    return puan_node_fail(step, err,
                          "the role \"%.*s\" cannot be held at %lld; say "
                          "`level`",
                          PUAN_FMT(role->id), (long long)*out);
}

enum puan_status puan_world_who(struct puan_flow_who *out,
                                const struct puan_role **role,
                                const struct puan_world *w,
                                const struct puan_node *step, int64_t run_area,
                                struct puan_err *err)
{
    const struct puan_plan *p = w->stage->plan;
    struct puan_str by, as = puan_node_str_opt(step, "as", "");
    int run_level = puan_world_level(w, run_area), seat_level;
    const struct puan_role *r;
    int64_t area = 0;

    *role = NULL;
    TRY(puan_node_str(&by, step, "by", err));
    if (puan_str_is(by, "system")) {
        *out = (struct puan_flow_who){ .actor = PUAN_STR("puan"),
                                       .role = PUAN_STR("system"),
                                       .system = true };
        return PUAN_OK;
    }
    r = puan_plan_role(p, by);
    if (r == NULL)
        return puan_node_fail(puan_node_get(step, "by"), err,
                              "the plan has no role \"%.*s\"", PUAN_FMT(by));
    TRY(seat_area(&area, w, step, r, run_area, err));
    seat_level = puan_world_level(w, area);
    *role = r;
    *out = (struct puan_flow_who){ .role = by, .area = area, .above = -1 };
    out->actor = puan_node_str_opt(step, "person", "");
    if (out->actor.n == 0)
        out->actor = puan_str_of(puan_arena_fmt(
            w->arena, "%.*s@%lld", PUAN_FMT(by), (long long)area));
    if (run_level >= 0)
        out->run_level = p->level[run_level].id;
    if (seat_level >= 0)
        out->level = p->level[seat_level].id;
    if (seat_level >= 0 && puan_world_holds(w, area, run_area))
        out->above = run_level - seat_level;
    if (as.n > 0) {
        struct puan_str level = puan_node_str_opt(step, "as_level", "");
        int upper = level.n ? puan_plan_level(p, level) : seat_level;
        const struct puan_role *other = puan_plan_role(p, as);

        if (other == NULL || !other->external)
            return puan_node_fail(puan_node_get(step, "as"), err,
                                  "the plan has no external role \"%.*s\"",
                                  PUAN_FMT(as));
        if (upper < 0)
            return puan_node_fail(step, err, "the plan has no level \"%.*s\"",
                                  PUAN_FMT(level));
        out->external = true;
        out->entered_role = out->role;
        out->entered_level = out->level;
        out->entered_above = out->above;
        out->role = as;
        out->level = p->level[upper].id;
        out->above = run_level >= upper ? run_level - upper : -1;
    }
    return PUAN_OK;
}

/* ---- notices ---------------------------------------------------------------------
 */

static struct puan_told *add_told(struct puan_world *w)
{
    struct puan_told *t = puan_new(w->arena, struct puan_told);

    if (t == NULL)
        return NULL;
    t->of = -1;
    t->at = w->now;
    *w->told_end = t;
    w->told_end = &t->next;
    return t;
}

void puan_world_tell(struct puan_world *w, struct puan_str role, int64_t area,
                     struct puan_str what)
{
    struct puan_told *t = add_told(w);

    if (t == NULL)
        return;
    t->kind = PUAN_FLOW_NOTIFY;
    t->seat = what;
    t->role = role;
    t->area = area;
    t->vacant = puan_world_vacant(w, role, area);
}

void puan_world_mark(struct puan_world *w)
{
    const struct puan_told *last = NULL;

    for (const struct puan_told *t = w->told; t != NULL; t = t->next)
        last = t;
    w->since = last;
}

/* The area a seat of the flow stands for, seen from the run; 0 outside. */
static int64_t area_of_seat(const struct puan_world *w,
                            const struct puan_flow_seat *s, int64_t run_area)
{
    const struct puan_plan *p = w->stage->plan;
    int level = puan_world_level(w, run_area), at;

    switch (s->reach) {
    case PUAN_FLOW_OWN:
    case PUAN_FLOW_ANY:
        return run_area;
    case PUAN_FLOW_PARENT:
        return level > 0 ? puan_world_lift(w, run_area, level - 1) : 0;
    case PUAN_FLOW_ANCESTOR:
        at = puan_plan_level(p, s->level);
        if (at < 0)
            return 0;
        return at > level ? run_area : puan_world_lift(w, run_area, at);
    }
    return 0;
}

/* May somebody hold it there, and does he? */
static bool held(const struct puan_world *w, struct puan_str role, int64_t area)
{
    const struct puan_role *r = puan_plan_role(w->stage->plan, role);

    return puan_str_is(role, "any") ||
           (r != NULL && may_sit(r, puan_world_level(w, area)) &&
            !puan_world_vacant(w, role, area));
}

static void tell(struct puan_world *w, int at, int seat,
                 enum puan_flow_effect_kind kind, struct puan_str level,
                 struct puan_str clock)
{
    const struct puan_flow_run *run = &w->at[at]->run;
    const struct puan_flow *flow = run->flow;
    const struct puan_flow_seat *s = &flow->seats[seat];
    const struct puan_role *role = puan_plan_role(w->stage->plan, s->role);
    struct puan_told *t = add_told(w);

    if (t == NULL)
        return;
    t->of = at;
    t->kind = kind;
    t->seat = s->label.name;
    t->role = s->role;
    t->level = level.n ? level : s->level;
    t->clock = clock;
    t->area = level.n ? 0 : area_of_seat(w, s, run->area);
    if (level.n > 0 || (role != NULL && role->external)) {
        /* somebody here has to carry it there: the seat that enters acts */
        for (size_t i = 0; i < flow->n_seats; i++) {
            if (!PUAN_FLOW_HAS(flow->enters, i))
                continue;
            t->role = flow->seats[i].role;
            t->area = area_of_seat(w, &flow->seats[i], run->area);
            break;
        }
    }
    t->vacant = !held(w, t->role, t->area);
    /* any area that holds it: the nearest one where somebody sits */
    for (int l = puan_world_level(w, t->area) - 1;
         t->vacant && s->reach == PUAN_FLOW_ANY && l >= 0; l--) {
        int64_t upper = puan_world_lift(w, t->area, l);

        if (upper > 0 && held(w, t->role, upper)) {
            t->area = upper;
            t->vacant = false;
        }
    }
}

/* ---- events -----------------------------------------------------------------------
 */

int puan_world_index(const struct puan_world *w,
                     const struct puan_world_case *c)
{
    for (int i = 0; i < w->n; i++)
        if (w->at[i] == c)
            return i;
    return -1;
}

static bool ended(const struct puan_flow_run *run)
{
    return PUAN_FLOW_HAS(run->flow->terminal, run->state);
}

/* What guards ask: facts of the play, linked cases that are still open. */
static size_t facts_of(struct puan_flow_given *out, size_t most,
                       struct puan_world *w, int at)
{
    const struct puan_world_case *c = w->at[at];
    const struct puan_flow *f = c->run.flow;
    size_t n = 0;

    for (; n < c->n_facts && n < most; n++)
        out[n] = c->fact[n];
    for (size_t q = 0; q < f->n_quantities && n < most; q++) {
        int64_t stock = 0;

        for (int i = 0; i < w->n; i++)
            if (puan_flow_same_stock(&c->run, &w->at[i]->run, q))
                stock += w->at[i]->run.moved[q];
        out[n++] = (struct puan_flow_given){
            puan_str_of(puan_arena_fmt(
                w->arena, "stock.%.*s",
                PUAN_FMT(f->quantities[q].label.name))),
            stock
        };
    }
    for (size_t t = 0; t < f->n_transitions; t++) {
        for (size_t k = 0; k < f->transitions[t].n_none_open; k++) {
            struct puan_str kind = f->transitions[t].none_open[k];
            struct puan_str name = puan_str_of(
                puan_arena_fmt(w->arena, "open.%.*s", PUAN_FMT(kind)));
            bool had = false;
            int64_t open = 0;

            for (size_t i = 0; i < n; i++)
                had = had || puan_str_eq(out[i].name, name);
            for (int i = 0; i < w->n; i++)
                open += w->at[i]->parent == at && !ended(&w->at[i]->run) &&
                        puan_str_eq(w->at[i]->run.flow->label.name, kind);
            if (!had && n < most)
                out[n++] = (struct puan_flow_given){ name, open };
        }
    }
    return n;
}

static enum puan_status effects(struct puan_world *w, int at,
                                const struct puan_flow_decision *d,
                                const struct puan_flow_event *e,
                                struct puan_err *err);

/* The event alone, with its effects. */
static enum puan_status apply(struct puan_world *w, int at,
                              struct puan_flow_event *e, struct puan_err *err)
{
    struct puan_flow_run *run = &w->at[at]->run;
    struct puan_flow_given facts[2 * PUAN_WORLD_FACTS];
    struct puan_str blockers[PUAN_WORLD_CASES];
    struct puan_flow_decision *d =
        puan_new(w->arena, struct puan_flow_decision);
    struct puan_flow_world world = { .facts = facts,
                                     .blockers = blockers,
                                     .digest = w->stage->digest };

    if (d == NULL)
        return puan_arena_check(w->arena, err);
    world.n_facts = facts_of(facts, PUAN_COUNT(facts), w, at);
    for (int i = 0; i < w->n && e->kind == PUAN_FLOW_ACT; i++) {
        const struct puan_flow_run *other = &w->at[i]->run;

        if (i != at &&
            (puan_world_holds(w, other->area, run->area) ||
             puan_world_holds(w, run->area, other->area)) &&
            puan_flow_run_blocks(other, run->flow->label.name, e->name))
            blockers[world.n_blockers++] = other->flow->label.name;
    }
    e->entry_ms = w->now;
    if (e->event_ms == 0)
        e->event_ms = w->now;
    TRY(puan_flow_apply(d, run, e, &world, err));
    return effects(w, at, d, e, err);
}

static enum puan_status spawn(struct puan_world *w, int at,
                              struct puan_str flow, struct puan_err *err)
{
    const struct puan_flow_run *run = &w->at[at]->run;
    const struct puan_flow *to = puan_flows_get(w->stage->flows, flow);
    struct puan_flow_event e = { .kind = PUAN_FLOW_OPEN };
    int current = w->current;

    if (to == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "flow",
                         "the plan has no workflow \"%.*s\"", PUAN_FMT(flow));
    e.who = (struct puan_flow_who){ .actor = PUAN_STR("puan"),
                                    .role = PUAN_STR("system"),
                                    .system = true };
    e.fields = puan_flow_inherit(to, run, w->arena);
    e.drill = run->drill;
    TRY(puan_world_open(w, flow, run->area, at, &e, err));
    w->current = current; /* what the play is about stays */
    return PUAN_OK;
}

static enum puan_status one_effect(struct puan_world *w, int at,
                                   const struct puan_flow_effect *f,
                                   struct puan_str skip,
                                   const struct puan_flow_event *e,
                                   struct puan_err *err)
{
    const struct puan_flow *flow = w->at[at]->run.flow;
    struct puan_str none = PUAN_STR("");
    struct puan_str clock = e->kind == PUAN_FLOW_TICK ? e->name : none;

    switch (f->kind) {
    case PUAN_FLOW_NOTIFY:
    case PUAN_FLOW_ESCALATE:
        tell(w, at, f->index, f->kind, none, clock);
        return PUAN_OK;
    case PUAN_FLOW_SEND:
        tell(w, at, flow->reports[f->index].to, f->kind, skip, clock);
        return PUAN_OK;
    case PUAN_FLOW_COPY:
        tell(w, at, flow->reports[f->index].skip_copy, f->kind, none, clock);
        return PUAN_OK;
    case PUAN_FLOW_SPAWN:
        return spawn(w, at, f->name, err);
    case PUAN_FLOW_CALL:
        if (w->n_called < PUAN_COUNT(w->called))
            w->called[w->n_called++] = f->name;
        return PUAN_OK;
    case PUAN_FLOW_UNLOCK:
    case PUAN_FLOW_VOID:
        return PUAN_OK; /* the fold has done it */
    }
    return PUAN_OK;
}

static enum puan_status effects(struct puan_world *w, int at,
                                const struct puan_flow_decision *d,
                                const struct puan_flow_event *e,
                                struct puan_err *err)
{
    for (size_t i = 0; i < d->n; i++)
        TRY(one_effect(w, at, &d->effect[i], d->skip, e, err));
    return PUAN_OK;
}

/* Nobody holds the seat that was told: the next rung is told at once. */
static enum puan_status climb(struct puan_world *w, int at,
                              const struct puan_flow_event *tick,
                              struct puan_err *err)
{
    struct puan_flow_run *run = &w->at[at]->run;
    int clock = puan_flow_clock(run->flow, tick->name);

    for (;;) {
        const struct puan_told *last = NULL;
        struct puan_flow_event e = *tick;
        struct puan_err why = { 0 };

        for (const struct puan_told *t = w->told; t != NULL; t = t->next)
            if (t->of == at && t->kind == PUAN_FLOW_ESCALATE)
                last = t;
        if (last == NULL || !last->vacant || last->at != w->now || clock < 0 ||
            run->clock[clock].state != PUAN_FLOW_CLOCK_DUE ||
            run->clock[clock].rungs >= run->flow->clocks[clock].n_ladder)
            return PUAN_OK;
        e.part = PUAN_STR("rung");
        e.yes = true;
        if (apply(w, at, &e, &why) != PUAN_OK)
            return puan_arena_check(w->arena, err);
    }
}

/* Transitions a clock may make; what it is refused is told once. */
static enum puan_status moves(struct puan_world *w, int at,
                              const struct puan_flow_event *tick,
                              struct puan_err *err)
{
    struct puan_flow_run *run = &w->at[at]->run;
    const struct puan_flow *f = run->flow;
    int clock = puan_flow_clock(f, tick->name);
    bool any = false;

    for (size_t i = 0; i < f->n_transitions; i++) {
        struct puan_flow_event e = { .kind = PUAN_FLOW_ACT };
        struct puan_err why = { 0 };
        enum puan_status st;

        if (f->transitions[i].clock != clock ||
            !PUAN_FLOW_HAS(f->transitions[i].from, run->state))
            continue;
        any = true;
        e.name = f->transitions[i].label.name;
        e.who = tick->who;
        st = apply(w, at, &e, &why);
        if (st == PUAN_OK)
            return PUAN_OK;
        if (st != PUAN_ECONFLICT && st != PUAN_EINVAL) {
            if (err != NULL)
                *err = why;
            return st;
        }
    }
    for (size_t i = 0; any && run->clock[clock].tries == 1 &&
                       i < f->clocks[clock].n_on_refused;
         i++)
        TRY(one_effect(w, at, &f->clocks[clock].on_refused[i], PUAN_STR(""),
                       tick, err));
    return PUAN_OK;
}

enum puan_status puan_world_event(struct puan_world *w, int at,
                                  struct puan_flow_event *e,
                                  struct puan_err *err)
{
    TRY(apply(w, at, e, err));
    if (e->kind != PUAN_FLOW_TICK)
        return puan_world_pass(w, w->now, err);
    TRY(climb(w, at, e, err));
    if (puan_str_is(e->part, "due") || puan_str_is(e->part, "retry"))
        return moves(w, at, e, err);
    return PUAN_OK;
}

enum puan_status puan_world_open(struct puan_world *w, struct puan_str flow,
                                 int64_t area, int parent,
                                 const struct puan_flow_event *e,
                                 struct puan_err *err)
{
    const struct puan_flow *f = puan_flows_get(w->stage->flows, flow);
    struct puan_world_case *c;
    struct puan_flow_event open = *e;
    enum puan_status st;
    int current = w->current;

    if (f == NULL)
        return puan_fail(err, PUAN_ENOTFOUND, "flow",
                         "the plan has no workflow \"%.*s\"", PUAN_FMT(flow));
    if (w->n == PUAN_WORLD_CASES)
        return puan_fail(err, PUAN_ELIMIT, "play", "more than %d cases",
                         PUAN_WORLD_CASES);
    c = puan_new(w->arena, struct puan_world_case);
    if (c == NULL)
        return puan_arena_check(w->arena, err);
    puan_flow_run_init(&c->run, f);
    c->run.id = w->n + 1;
    c->run.area = area;
    c->parent = parent;
    c->fact[c->n_facts++] =
        (struct puan_flow_given){ PUAN_STR("open.estimate"), 0 };
    w->at[w->n] = c;
    w->current = w->n++;
    st = puan_world_event(w, w->current, &open, err);
    if (st != PUAN_OK) {
        w->n--;
        w->current = current;
        return st;
    }
    w->current = puan_world_index(w, c);
    return PUAN_OK;
}

/* ---- time --------------------------------------------------------------------------
 */

enum puan_status puan_world_pass(struct puan_world *w, int64_t to,
                                 struct puan_err *err)
{
    for (unsigned turns = 0;; turns++) {
        struct puan_flow_event e = { .kind = PUAN_FLOW_TICK };
        const char *part = NULL;
        int64_t at = 0;
        int who = -1;

        if (turns == 100000)
            return puan_fail(err, PUAN_ELIMIT, "play",
                             "clocks have acted 100,000 times; does one retry "
                             "without an end?");
        for (int i = 0; i < w->n; i++) {
            const char *p = NULL;
            int64_t t = 0;
            int clock = -1;

            if (w->at[i]->run.opened &&
                puan_flow_next_tick(&clock, &p, &t, &w->at[i]->run) &&
                t <= to && (who < 0 || t < at)) {
                who = i;
                at = t;
                part = p;
                e.name = w->at[i]->run.flow->clocks[clock].label.name;
            }
        }
        if (who < 0)
            break;
        if (at > w->now)
            w->now = at;
        e.part = puan_str_of(part);
        e.who = (struct puan_flow_who){ .actor = PUAN_STR("puan"),
                                        .role = PUAN_STR("system"),
                                        .system = true };
        TRY(puan_world_event(w, who, &e, err));
    }
    if (to > w->now)
        w->now = to;
    return PUAN_OK;
}

enum puan_status puan_world_time(int64_t *ms, const struct puan_world *w,
                                 const struct puan_node *n,
                                 struct puan_err *err)
{
    struct puan_str s = n->text;
    int64_t span = 0;

    if (puan_instant_parse(ms, s))
        return PUAN_OK;
    if (puan_str_starts(s, "now")) {
        *ms = w->now;
        if (s.n == 3)
            return PUAN_OK;
        if ((s.p[3] == '-' || s.p[3] == '+') &&
            puan_flow_duration(&span, (struct puan_str){ s.p + 4, s.n - 4 })) {
            *ms += s.p[3] == '-' ? -span : span;
            return PUAN_OK;
        }
    }
    return puan_node_fail(n, err,
                          "\"%.*s\" is no time; write "
                          "2020-11-02T08:00:00+08:00, now or now-30m",
                          PUAN_FMT(s));
}

/* ---- the world ----------------------------------------------------------------------
 */

void puan_world_fresh(struct puan_world *w)
{
    struct puan_played played = w->played;
    struct puan_world fresh = { .stage = w->stage,
                                .scenario = w->scenario,
                                .arena = w->arena,
                                .now = w->scenario->from_ms,
                                .area = w->scenario->area,
                                .current = -1,
                                .played = played,
                                .depth = w->depth };

    *w = fresh;
    w->told_end = &w->told;
}

void *puan_world_state(struct puan_world *w, const void *key, size_t size)
{
    for (size_t i = 0; i < PUAN_COUNT(w->kept); i++) {
        if (w->kept[i].key == key)
            return w->kept[i].state;
        if (w->kept[i].key == NULL) {
            w->kept[i].key = key;
            w->kept[i].state = puan_arena_get(w->arena, size);
            return w->kept[i].state;
        }
    }
    return NULL;
}

void puan_world_found(struct puan_world *w, bool found)
{
    if (found)
        w->played.found++;
    else
        w->played.absent++;
}

static int64_t http_of(enum puan_status st)
{
    if (st == PUAN_EINVAL)
        return 400;
    if (st == PUAN_EDENIED)
        return 403;
    if (st == PUAN_ENOTFOUND)
        return 404;
    if (st == PUAN_ECONFLICT)
        return 409;
    return 500;
}

enum puan_status puan_world_came(struct puan_world *w,
                                 const struct puan_node *step,
                                 enum puan_status st,
                                 const struct puan_err *why,
                                 struct puan_err *err)
{
    const struct puan_node *because = puan_node_get(step, "because");
    int64_t refused = 0;

    if (puan_node_get(step, "refused") != NULL)
        TRY(puan_node_int(&refused, step, "refused", 400, 499, err));
    if (st == PUAN_ENOMEM || st == PUAN_ELIMIT || st == PUAN_EBUG) {
        if (err != NULL)
            *err = *why;
        return st;
    }
    if (refused == 0 && st != PUAN_OK)
        return puan_node_fail(step, err, "should have been allowed; %lld: %s",
                              (long long)http_of(st), why->text);
    if (refused != 0 && st == PUAN_OK)
        return puan_node_fail(step, err,
                              "should have been refused with %lld, but was "
                              "allowed",
                              (long long)refused);
    if (refused != 0 && refused != http_of(st))
        return puan_node_fail(step, err,
                              "should have been refused with %lld, not %lld: "
                              "%s",
                              (long long)refused, (long long)http_of(st),
                              why->text);
    if (refused != 0 && because != NULL &&
        !puan_str_holds(puan_str_of(why->text), because->text))
        return puan_node_fail(because, err, "was refused because: %s",
                              why->text);
    if (refused != 0)
        w->played.refused++;
    else
        w->played.allowed++;
    return PUAN_OK;
}

enum puan_status puan_world_case(struct puan_world_case **out,
                                 struct puan_world *w,
                                 const struct puan_node *step,
                                 struct puan_err *err)
{
    const struct puan_node *name = puan_node_get(step, "case");

    *out = NULL;
    if (name == NULL) {
        if (w->current < 0)
            return puan_node_fail(step, err, "no case has been opened yet");
        *out = w->at[w->current];
        return PUAN_OK;
    }
    for (int i = 0; i < w->n; i++)
        if (puan_str_eq(w->at[i]->name, name->text))
            *out = w->at[i];
    if (*out == NULL)
        return puan_node_fail(name, err, "the play has no case \"%.*s\"",
                              PUAN_FMT(name->text));
    return PUAN_OK;
}
