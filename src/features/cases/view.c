/*
 * One case as a page shows it.  Reads only; what an act may do is decided when
 * it is done.
 */
#include "features/cases/view.h"

#include "core/area/area.h"
#include "features/host/host.h"
#include "features/notify/notify.h"

#define LATE INT64_C(300000) /* entered later than this: 补记 */

/* What is passed along while one case is written. */
struct view {
    struct puan_jw *w;
    struct puan_request *rq;
    struct puan_db *db;
    const struct puan_case_look *l;
    const struct puan_flow_run *run;
    const struct puan_flow *f;
    int64_t now;
    int offset;
    bool secrets;
    struct puan_flow_event *event; /* its history */
    size_t n_events;
};

/* ---- reading ------------------------------------------------------------- */

static enum puan_status look_in(struct puan_case_look *out,
                                struct puan_request *rq, struct puan_db *db,
                                int64_t id, struct puan_err *err)
{
    puan_flow_set all = 0;
    struct puan_str *name;
    puan_flow_set *of;

    TRY(puan_case_read(&out->row, &out->run, rq->store, db, id, rq->arena,
                       err));
    out->who = puan_case_who(rq, out->row.area);
    TRY(puan_case_children(&out->facts, out->run->flow, db, id, rq->arena,
                           err));
    TRY(puan_case_stocks(&out->facts, rq->store, db, out->run, rq->arena, err));
    for (size_t i = 0; i < out->run->flow->n_transitions; i++)
        if (PUAN_FLOW_HAS(out->run->flow->transitions[i].from,
                          out->run->state))
            all |= (puan_flow_set)1 << i;
    TRY(puan_case_blocks(&out->block, &out->n_blocks, rq->store, db,
                         out->run->flow, all, out->row.area, rq->arena, err));
    name = puan_new_n(rq->arena, out->n_blocks, struct puan_str);
    of = (puan_flow_set *)puan_arena_get_n(rq->arena, out->n_blocks, sizeof *of);
    if (name == NULL || of == NULL)
        return puan_arena_check(rq->arena, err);
    for (size_t i = 0; i < out->n_blocks; i++) {
        char number[24];

        puan_case_number(number, rq->store, db, out->block[i].run);
        name[i] = puan_str_of(puan_arena_fmt(
            rq->arena, "%.*s %s", PUAN_FMT(out->block[i].flow->label.zh),
            number));
        of[i] = out->block[i].transitions;
    }
    out->world = (struct puan_flow_world){
        .facts = out->facts.given, .n_facts = out->facts.n,
        .blockers = name, .n_blockers = out->n_blocks, .blocker_of = of,
        .digest = puan_store_digest(rq->store)
    };
    return PUAN_OK;
}

/* The owner reads other stores, so it is asked before this one is opened. */
enum puan_status puan_case_look_at(struct puan_case_look *out,
                                   struct puan_request *rq,
                                   struct puan_db **db, int64_t id,
                                   struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(rq->store);
    const struct puan_flow *f;
    enum puan_status st;

    *out = (struct puan_case_look){ 0 };
    TRY(puan_read_begin(db, office, err));
    st = puan_case_row_read(&out->row, *db, id, rq->arena, err);
    puan_read_end(office, *db);
    *db = NULL;
    if (st != PUAN_OK)
        return st;
    TRY(puan_cases_flow(&f, rq->store, out->row.flow, err));
    /* a fact that cannot be had is unknown: that is shown, not an error */
    if (f->n_facts > 0 && out->row.ended_ms == 0 &&
        puan_case_facts_of(&out->facts, rq->store, &out->row, rq->arena,
                           NULL) != PUAN_OK)
        out->facts.n = 0;
    TRY(puan_read_begin(db, office, err));
    st = look_in(out, rq, *db, id, err);
    if (st != PUAN_OK) {
        puan_read_end(office, *db);
        *db = NULL;
    }
    return st;
}

/* ---- words ---------------------------------------------------------------- */

static void label(struct view *v, const struct puan_flow_label *l)
{
    puan_jw_kstr(v->w, "id", l->name);
    puan_jw_kstr(v->w, "zh", l->zh);
    puan_jw_kstr(v->w, "en", l->en);
}

static void at(struct view *v, const char *key, int64_t ms)
{
    if (ms != 0)
        puan_jw_kinstant(v->w, key, ms, v->offset);
}

static void ids(struct view *v, const char *key, puan_flow_set set)
{
    puan_jw_key(v->w, key);
    puan_jw_list(v->w);
    for (size_t i = 0; i < v->f->n_fields; i++)
        if (PUAN_FLOW_HAS(set, i))
            puan_jw_str(v->w, v->f->fields[i].label.name);
    puan_jw_end(v->w, ']');
}

static void seats(struct view *v, const char *key, puan_flow_set set)
{
    puan_jw_key(v->w, key);
    puan_jw_list(v->w);
    for (size_t i = 0; i < v->f->n_seats; i++) {
        if (!PUAN_FLOW_HAS(set, i))
            continue;
        puan_jw_map(v->w);
        label(v, &v->f->seats[i].label);
        puan_jw_end(v->w, '}');
    }
    puan_jw_end(v->w, ']');
}

/* A seat of the set that this seat fills, be it open to everybody. */
static bool mine(const struct view *v, puan_flow_set set)
{
    for (size_t i = 0; i < v->f->n_seats; i++)
        if (PUAN_FLOW_HAS(set, i) &&
            puan_flow_seat_fits(v->f, (int)i, &v->l->who))
            return true;
    return false;
}

/* Secret values are for the cleared and for seats the field names. */
static bool may_read(const struct view *v, size_t field)
{
    const struct puan_flow_field *f = &v->f->fields[field];

    return !f->secret || v->secrets || mine(v, f->shown_to);
}

static void role_words(struct view *v, const char *prefix, struct puan_str role)
{
    const struct puan_role *r =
        puan_plan_role(puan_store_plan(v->rq->store), role);
    bool system = role.n == 0 || puan_str_is(role, "system");

    puan_jw_kstr(v->w, prefix, role);
    puan_jw_kstr(v->w, puan_arena_fmt(v->rq->arena, "%s_zh", prefix),
                 r        ? r->zh
                 : system ? PUAN_STR("系统")
                          : role);
    puan_jw_kstr(v->w, puan_arena_fmt(v->rq->arena, "%s_en", prefix),
                 r        ? r->en
                 : system ? PUAN_STR("Puan")
                          : role);
}

/*
 * External seats of the set whose act this seat may write down: role and the
 * levels it may stand at.
 */
static void enter_json(struct view *v, puan_flow_set set)
{
    const struct puan_plan *plan = puan_store_plan(v->rq->store);
    int own = puan_plan_level(plan, v->l->who.run_level);
    bool enters = false;

    for (size_t i = 0; i < v->f->n_seats; i++)
        enters = enters || (PUAN_FLOW_HAS(v->f->enters, i) &&
                            puan_flow_seat_fits(v->f, (int)i, &v->l->who));
    puan_jw_key(v->w, "enter");
    puan_jw_list(v->w);
    for (size_t i = 0; enters && i < v->f->n_seats; i++) {
        const struct puan_flow_seat *s = &v->f->seats[i];
        const struct puan_role *r = puan_plan_role(plan, s->role);

        if (!PUAN_FLOW_HAS(set, i) || r == NULL || !r->external ||
            (r->via.n > 0 && !puan_str_is(r->via, v->rq->who.role_name)))
            continue;
        puan_jw_map(v->w);
        label(v, &s->label);
        puan_jw_kstr(v->w, "role", s->role);
        puan_jw_key(v->w, "levels");
        puan_jw_list(v->w);
        for (int k = 0; k <= own && k < (int)plan->n_levels; k++) {
            if ((s->reach == PUAN_FLOW_OWN && k != own) ||
                (s->reach == PUAN_FLOW_PARENT && k != own - 1) ||
                (s->reach == PUAN_FLOW_ANCESTOR &&
                 !puan_str_eq(plan->level[k].id, s->level)))
                continue;
            puan_jw_map(v->w);
            puan_jw_kstr(v->w, "id", plan->level[k].id);
            puan_jw_kstr(v->w, "zh", plan->level[k].zh);
            puan_jw_kstr(v->w, "en", plan->level[k].en);
            puan_jw_end(v->w, '}');
        }
        puan_jw_end(v->w, ']');
        puan_jw_end(v->w, '}');
    }
    puan_jw_end(v->w, ']');
}

/* ---- locks ------------------------------------------------------------------ */

static const char *const lock_word[] = { "state",    "guard", "unknown",
                                         "step",     "approval", "order",
                                         "clock",    "open",  "block" };

static void locks(struct view *v, const struct puan_flow_lock *lock, size_t n,
                  struct puan_str when, const struct puan_str *none_open,
                  puan_flow_set ordered_by)
{
    puan_jw_key(v->w, "locks");
    puan_jw_list(v->w);
    for (size_t i = 0; i < n; i++) {
        struct puan_out zh, en;

        puan_out_init(&zh, v->rq->arena);
        puan_out_init(&en, v->rq->arena);
        puan_flow_lock_words(&zh, v->f, &lock[i], when, none_open,
                             &v->l->world, true);
        puan_flow_lock_words(&en, v->f, &lock[i], when, none_open,
                             &v->l->world, false);
        /* whose order is missing */
        if (lock[i].kind == PUAN_FLOW_LOCK_ORDER && ordered_by != 0) {
            bool first = true;

            puan_out_text(&zh, "：");
            puan_out_text(&en, " of ");
            for (size_t k = 0; k < v->f->n_seats; k++) {
                if (!PUAN_FLOW_HAS(ordered_by, k))
                    continue;
                if (!first) {
                    puan_out_text(&zh, "、");
                    puan_out_text(&en, " or ");
                }
                first = false;
                puan_out_str(&zh, v->f->seats[k].label.zh);
                puan_out_str(&en, v->f->seats[k].label.en);
            }
        }
        puan_jw_map(v->w);
        puan_jw_ktext(v->w, "kind", lock_word[lock[i].kind]);
        if (lock[i].kind == PUAN_FLOW_LOCK_APPROVAL)
            puan_jw_kstr(v->w, "id",
                         v->f->approvals[lock[i].index].label.name);
        if (lock[i].kind == PUAN_FLOW_LOCK_STEP)
            puan_jw_kstr(v->w, "id", v->f->steps[lock[i].index].label.name);
        puan_jw_kstr(v->w, "zh", puan_out_view(&zh));
        puan_jw_kstr(v->w, "en", puan_out_view(&en));
        puan_jw_end(v->w, '}');
    }
    puan_jw_end(v->w, ']');
}

static void papers(struct view *v, const char *key, puan_flow_set need,
                   puan_flow_set have)
{
    puan_jw_key(v->w, key);
    puan_jw_list(v->w);
    for (size_t i = 0; i < v->f->n_evidence; i++) {
        if (!PUAN_FLOW_HAS(need, i))
            continue;
        puan_jw_map(v->w);
        label(v, &v->f->evidence[i]);
        puan_jw_kbool(v->w, "given", PUAN_FLOW_HAS(have, i));
        puan_jw_end(v->w, '}');
    }
    puan_jw_end(v->w, ']');
}

static void condition(struct view *v, struct puan_str when)
{
    struct puan_out zh, en;

    if (when.n == 0)
        return;
    puan_out_init(&zh, v->rq->arena);
    puan_out_init(&en, v->rq->arena);
    puan_flow_words(&zh, v->f, when, true);
    puan_flow_words(&en, v->f, when, false);
    puan_jw_kstr(v->w, "condition_zh", puan_out_view(&zh));
    puan_jw_kstr(v->w, "condition_en", puan_out_view(&en));
}

/* ---- parts ------------------------------------------------------------------ */

static const char *const todo_word[] = { "take", "sign", "step",
                                         "act",  "ask",  "order" };

static const struct puan_flow_label *todo_label(const struct puan_flow *f,
                                                const struct puan_flow_todo *t)
{
    static const struct puan_flow_label take = { { "take", 4 },
                                                 { "接手", 6 },
                                                 { "Take over", 9 } };

    switch (t->kind) {
    case PUAN_FLOW_TODO_SIGN:
    case PUAN_FLOW_TODO_ASK:
        return &f->approvals[t->index].label;
    case PUAN_FLOW_TODO_STEP:
    case PUAN_FLOW_TODO_ORDER:
        return &f->steps[t->index].label;
    case PUAN_FLOW_TODO_ACT:
        return &f->transitions[t->index].label;
    case PUAN_FLOW_TODO_TAKE:
        break;
    }
    return &take;
}

/* The one thing due now: mine, else the first of others. */
static void now_json(struct view *v)
{
    struct puan_flow_todo todo[PUAN_FLOW_TODOS];
    size_t n = puan_flow_todos(todo, v->run, v->now, &v->l->world), i;
    const struct puan_flow_todo *t;
    int seat = -1;

    puan_jw_key(v->w, "now");
    while (n > 0 && todo[n - 1].rank >= PUAN_FLOW_ASIDE)
        n--;
    for (i = 0; i < n; i++)
        if (puan_flow_todo_mine(&seat, v->run, &todo[i], &v->l->who))
            break;
    if (n == 0) {
        puan_jw_null(v->w);
        return;
    }
    t = &todo[i < n ? i : 0];
    puan_jw_map(v->w);
    puan_jw_ktext(v->w, "do", todo_word[t->kind]);
    label(v, todo_label(v->f, t));
    puan_jw_kbool(v->w, "mine", i < n);
    puan_jw_ktext(v->w, "authority",
                  t->kind == PUAN_FLOW_TODO_STEP &&
                          !v->f->steps[t->index].own_authority
                      ? "order"
                      : "own");
    seats(v, "by", t->by);
    if (t->clock >= 0) {
        puan_jw_kstr(v->w, "clock", v->f->clocks[t->clock].label.name);
        at(v, "due", t->due_ms);
        puan_jw_kbool(v->w, "overdue", t->due_ms < v->now);
    }
    puan_jw_end(v->w, '}');
}

static int stopped_by(const struct view *v, enum puan_flow_when_kind kind,
                      int index)
{
    int best = -1;

    for (size_t i = 0; i < v->f->n_clocks; i++) {
        const struct puan_flow_clock *c = &v->f->clocks[i];

        if (v->run->clock[i].state != PUAN_FLOW_CLOCK_RUNNING &&
            v->run->clock[i].state != PUAN_FLOW_CLOCK_DUE)
            continue;
        for (size_t k = 0; k < c->n_stop; k++)
            if (c->stop[k].kind == kind && c->stop[k].index == index &&
                (best < 0 ||
                 v->run->clock[i].due_ms < v->run->clock[best].due_ms))
                best = (int)i;
    }
    return best;
}

static void acts_json(struct view *v)
{
    struct puan_flow_lock lock[PUAN_FLOW_LOCKS];

    puan_jw_key(v->w, "acts");
    puan_jw_list(v->w);
    for (size_t i = 0; i < v->f->n_transitions; i++) {
        const struct puan_flow_transition *t = &v->f->transitions[i];
        puan_flow_set need = t->needs_fields;
        int clock;

        if (!v->run->opened || !PUAN_FLOW_HAS(t->from, v->run->state) ||
            puan_flow_over(v->run))
            continue;
        puan_jw_map(v->w);
        label(v, &t->label);
        if (t->to >= 0) {
            puan_jw_kstr(v->w, "to", v->f->states[t->to].name);
            puan_jw_kstr(v->w, "to_zh", v->f->states[t->to].zh);
            puan_jw_kstr(v->w, "to_en", v->f->states[t->to].en);
        }
        puan_jw_kbool(v->w, "ends",
                      t->to >= 0 && PUAN_FLOW_HAS(v->f->terminal, t->to));
        puan_jw_kbool(v->w, "mine", t->clock < 0 && mine(v, t->by));
        puan_jw_kbool(v->w, "by_clock", t->clock >= 0);
        seats(v, "by", t->by);
        enter_json(v, t->by);
        locks(v, lock,
              puan_flow_act_locks(lock, v->run, (int)i, v->now, &v->l->world),
              t->when_text, t->none_open, 0);
        condition(v, t->when_text);
        for (size_t k = 0; k < v->f->n_fields; k++)
            if (PUAN_FLOW_HAS(need, k) && v->run->field[k].set)
                need &= ~((puan_flow_set)1 << k);
        ids(v, "missing", need);
        ids(v, "needs", t->needs_fields);
        ids(v, "sets", t->may_fields);
        papers(v, "evidence", t->needs_evidence, v->run->evidence);
        if (t->report >= 0) {
            puan_jw_kstr(v->w, "report", v->f->reports[t->report].label.name);
            puan_jw_kbool(v->w, "may_skip",
                          v->f->reports[t->report].skip_reason >= 0);
        }
        clock = stopped_by(v, PUAN_FLOW_ON_TRANSITION, (int)i);
        if (clock >= 0)
            puan_jw_kstr(v->w, "clock", v->f->clocks[clock].label.name);
        puan_jw_end(v->w, '}');
    }
    puan_jw_end(v->w, ']');
}

static const char *const type_word[] = { "text", "int",  "enum", "bool",
                                         "time", "area", "ref" };

static void value_json(struct view *v, size_t i)
{
    const struct puan_flow_field *f = &v->f->fields[i];
    const struct puan_flow_value *x = &v->run->field[i];
    char text[32];

    puan_jw_key(v->w, "value");
    switch (f->type) {
    case PUAN_FLOW_TEXT:
    case PUAN_FLOW_REF:
        puan_jw_str(v->w, x->text);
        break;
    case PUAN_FLOW_ENUM:
        puan_jw_str(v->w, f->words->codes[x->v].text);
        break;
    case PUAN_FLOW_BOOL:
        puan_jw_bool(v->w, x->v != 0);
        break;
    case PUAN_FLOW_TIME:
        puan_instant_text(text, x->v, v->offset);
        puan_jw_text(v->w, text);
        break;
    case PUAN_FLOW_AREA:
        puan_jw_text(v->w, puan_arena_fmt(v->rq->arena, "%lld",
                                          (long long)x->v));
        break;
    case PUAN_FLOW_INT:
        puan_jw_int(v->w, x->v);
        break;
    }
}

static void required_at(struct view *v, size_t i)
{
    puan_jw_key(v->w, "required_at");
    puan_jw_list(v->w);
    if (PUAN_FLOW_HAS(v->f->open_needs, i))
        puan_jw_text(v->w, "open");
    for (size_t k = 0; k < v->f->n_transitions; k++)
        if (PUAN_FLOW_HAS(v->f->transitions[k].needs_fields, i))
            puan_jw_str(v->w, v->f->transitions[k].label.name);
    for (size_t k = 0; k < v->f->n_steps; k++)
        if (PUAN_FLOW_HAS(v->f->steps[k].needs_fields, i))
            puan_jw_text(v->w,
                         puan_arena_fmt(v->rq->arena, "step.%.*s",
                                        PUAN_FMT(v->f->steps[k].label.name)));
    puan_jw_end(v->w, ']');
}

static void words_json(struct puan_jw *w, const struct puan_flow_field *f)
{
    if (f->type != PUAN_FLOW_ENUM)
        return;
    puan_jw_key(w, "words");
    puan_jw_list(w);
    for (size_t k = 0; k < f->words->n; k++) {
        puan_jw_map(w);
        puan_jw_kstr(w, "id", f->words->codes[k].text);
        puan_jw_kstr(w, "zh", f->words->codes[k].zh);
        puan_jw_kstr(w, "en", f->words->codes[k].en);
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

static void fields_json(struct view *v)
{
    puan_jw_key(v->w, "fields");
    puan_jw_list(v->w);
    for (size_t i = 0; i < v->f->n_fields; i++) {
        const struct puan_flow_field *f = &v->f->fields[i];

        puan_jw_map(v->w);
        label(v, &f->label);
        puan_jw_ktext(v->w, "type", type_word[f->type]);
        puan_jw_kbool(v->w, "secret", f->secret);
        puan_jw_kbool(v->w, "set", v->run->field[i].set);
        if (v->run->field[i].set && may_read(v, i))
            value_json(v, i);
        puan_jw_kbool(v->w, "mine",
                      f->by == 0 || mine(v, f->by));
        if (f->by != 0)
            seats(v, "by", f->by);
        puan_jw_kint(v->w, "min", f->min);
        if (f->max < (INT64_C(1) << 53))
            puan_jw_kint(v->w, "max", f->max);
        words_json(v->w, f);
        required_at(v, i);
        puan_jw_end(v->w, '}');
    }
    puan_jw_end(v->w, ']');
}

enum puan_status puan_case_openable(struct puan_request *rq,
                                    struct puan_err *err)
{
    const struct puan_flows *all = puan_cases_flows(rq->store);
    struct puan_flow_who who = puan_case_who(rq, rq->who.area);
    struct puan_jw *w = puan_answer_begin(rq, 200);

    (void)err;
    puan_jw_map(w);
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t i = 0; all != NULL && i < all->n; i++) {
        const struct puan_flow *f = all->flow[i];
        bool may = false;

        for (size_t k = 0; k < f->n_seats; k++)
            may = may || (PUAN_FLOW_HAS(f->open_by, k) &&
                          puan_flow_seat_fits(f, (int)k, &who));
        for (size_t k = 0; puan_case_owners[k] != NULL; k++)
            may = may && !puan_str_is(f->subject, puan_case_owners[k]->subject);
        if (!may)
            continue;
        puan_jw_map(w);
        puan_jw_kstr(w, "flow", f->label.name);
        puan_jw_kstr(w, "group", f->group);
        puan_jw_kstr(w, "zh", f->label.zh);
        puan_jw_kstr(w, "en", f->label.en);
        puan_jw_key(w, "fields");
        puan_jw_list(w);
        for (size_t k = 0; k < f->n_fields; k++) {
            const struct puan_flow_field *d = &f->fields[k];

            if (!PUAN_FLOW_HAS(f->open_needs | f->open_may, k))
                continue;
            puan_jw_map(w);
            puan_jw_kstr(w, "id", d->label.name);
            puan_jw_kstr(w, "zh", d->label.zh);
            puan_jw_kstr(w, "en", d->label.en);
            puan_jw_ktext(w, "type", type_word[d->type]);
            puan_jw_kbool(w, "needed", PUAN_FLOW_HAS(f->open_needs, k));
            puan_jw_kbool(w, "secret", d->secret);
            if (d->max < (INT64_C(1) << 53))
                puan_jw_kint(w, "max", d->max);
            words_json(w, d);
            puan_jw_end(w, '}');
        }
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
    puan_jw_end(w, '}');
    return PUAN_OK;
}

static const char *const clock_word[] = { "off", "running", "overdue",
                                          "stopped" };

static void clocks_json(struct view *v)
{
    const struct puan_plan *plan = puan_store_plan(v->rq->store);

    puan_jw_key(v->w, "clocks");
    puan_jw_list(v->w);
    for (size_t i = 0; i < v->f->n_clocks; i++) {
        const struct puan_flow_clock *c = &v->f->clocks[i];
        const struct puan_flow_clock_run *r = &v->run->clock[i];

        if (r->state == PUAN_FLOW_CLOCK_OFF)
            continue;
        puan_jw_map(v->w);
        label(v, &c->label);
        puan_jw_ktext(v->w, "state", clock_word[r->state]);
        at(v, "started", r->start_ms);
        at(v, "due", r->due_ms);
        at(v, "stopped", r->stop_ms);
        puan_jw_kbool(v->w, "late",
                      r->state == PUAN_FLOW_CLOCK_DUE ||
                          (r->state == PUAN_FLOW_CLOCK_STOPPED &&
                           r->stop_ms > r->due_ms));
        puan_jw_kbool(v->w, "office", c->office);
        if (c->limit_ms >= 0)
            puan_jw_kint(v->w, "limit_ms", c->limit_ms);
        /* a word of the documents beside the figure chosen for it */
        if (puan_str_starts(c->limit_text, "setting.")) {
            const struct puan_setting *s = puan_plan_setting(
                plan, (struct puan_str){ c->limit_text.p + 8,
                                         c->limit_text.n - 8 });

            if (s != NULL) {
                puan_jw_kstr(v->w, "word_zh", s->zh);
                puan_jw_kstr(v->w, "word_en", s->en);
            }
        }
        puan_jw_kint(v->w, "rungs", r->rungs);
        if ((r->state == PUAN_FLOW_CLOCK_RUNNING && c->n_ladder > 0) ||
            (r->state == PUAN_FLOW_CLOCK_DUE && r->rungs < c->n_ladder)) {
            uint32_t rung = r->state == PUAN_FLOW_CLOCK_DUE ? r->rungs : 0;

            puan_jw_key(v->w, "next");
            puan_jw_map(v->w);
            label(v, &v->f->seats[c->ladder[rung]].label);
            at(v, "at", r->due_ms + (int64_t)rung * c->every_ms);
            puan_jw_end(v->w, '}');
        }
        puan_jw_end(v->w, '}');
    }
    puan_jw_end(v->w, ']');
}

static void steps_json(struct view *v)
{
    struct puan_flow_lock lock[PUAN_FLOW_LOCKS];

    puan_jw_key(v->w, "steps");
    puan_jw_list(v->w);
    for (size_t i = 0; i < v->f->n_steps; i++) {
        const struct puan_flow_step *s = &v->f->steps[i];
        const struct puan_flow_step_run *r = &v->run->step[i];
        puan_flow_set need = s->needs_fields;
        size_t n = 0;
        int clock;

        if (!r->done && !puan_flow_step_applies(v->run, (int)i, v->now))
            continue; /* of another class */
        if (!r->done)
            n = puan_flow_step_locks(lock, v->run, (int)i, v->now,
                                     &v->l->world);
        puan_jw_map(v->w);
        label(v, &s->label);
        puan_jw_ktext(v->w, "authority", s->own_authority ? "own" : "order");
        puan_jw_ktext(v->w, "state",
                      r->done  ? "done"
                      : n == 0 ? "open"
                               : "locked");
        puan_jw_kbool(v->w, "optional", s->optional);
        puan_jw_kbool(v->w, "mine", mine(v, s->by));
        puan_jw_kbool(v->w, "may_order",
                      s->ordered_by != 0 && mine(v, s->ordered_by) &&
                          !r->ordered && !r->done);
        seats(v, "by", s->by);
        seats(v, "ordered_by", s->ordered_by);
        locks(v, lock, n, s->when_text, NULL, s->ordered_by);
        at(v, "ordered", r->ordered_ms);
        at(v, "done", r->done_ms);
        for (size_t k = 0; k < v->f->n_fields; k++)
            if (PUAN_FLOW_HAS(need, k) && v->run->field[k].set)
                need &= ~((puan_flow_set)1 << k);
        ids(v, "missing", need);
        ids(v, "needs", s->needs_fields);
        ids(v, "sets", s->may_fields);
        papers(v, "evidence", s->needs_evidence, v->run->evidence);
        clock = stopped_by(v, PUAN_FLOW_ON_STEP, (int)i);
        if (clock >= 0)
            puan_jw_kstr(v->w, "clock", v->f->clocks[clock].label.name);
        puan_jw_end(v->w, '}');
    }
    puan_jw_end(v->w, ']');
}

static const char *const rule_word[] = { "one", "all", "n", "sequence" };
static const char *const approval_word[] = { "unasked", "asked",  "granted",
                                             "refused", "voided", "used" };

/* Covered fields changed since the last signature: old and new. */
static void changes_json(struct view *v, size_t approval)
{
    const struct puan_flow_approval *p = &v->f->approvals[approval];
    struct puan_str value[PUAN_FLOW_MAX] = { { 0 } };
    size_t last = 0;

    for (size_t k = 0; k < v->n_events; k++)
        if (v->event[k].kind == PUAN_FLOW_SIGN && v->event[k].yes &&
            puan_str_eq(v->event[k].name, p->label.name))
            last = k + 1;
    puan_jw_key(v->w, "changes");
    puan_jw_list(v->w);
    for (size_t k = 0; last > 0 && k < v->n_events; k++) {
        PUAN_NODE_EACH(c, v->event[k].fields) {
            int f = puan_flow_field(v->f, c->key);

            if (f < 0 || !PUAN_FLOW_HAS(p->covers, f))
                continue;
            if (k >= last && !puan_str_eq(value[f], c->text)) {
                puan_jw_map(v->w);
                puan_jw_kstr(v->w, "id", c->key);
                if (may_read(v, (size_t)f)) {
                    puan_jw_kstr(v->w, "old", value[f]);
                    puan_jw_kstr(v->w, "new", c->text);
                }
                puan_jw_kint(v->w, "n", (int64_t)k + 1);
                puan_jw_end(v->w, '}');
            }
            value[f] = c->text;
        }
    }
    puan_jw_end(v->w, ']');
}

static void approval_json(struct view *v, size_t i)
{
    const struct puan_flow_approval *p = &v->f->approvals[i];
    const struct puan_flow_approval_run *r = &v->run->approval[i];
    bool dead = r->state == PUAN_FLOW_VOIDED;
    uint8_t now[PUAN_DIGEST_SIZE];
    puan_flow_set all = 0, missing = p->covers;

    puan_flow_covered(now, v->run, (int)i, puan_store_digest(v->rq->store));
    for (size_t k = 0; k < p->n_seats; k++)
        all |= (puan_flow_set)1 << p->seats[k];
    for (size_t k = 0; k < v->f->n_fields; k++)
        if (v->run->field[k].set)
            missing &= ~((puan_flow_set)1 << k);
    puan_jw_map(v->w);
    label(v, &p->label);
    puan_jw_ktext(v->w, "state", approval_word[r->state]);
    puan_jw_ktext(v->w, "rule", rule_word[p->rule]);
    puan_jw_kint(v->w, "n", (int64_t)p->n);
    puan_jw_kbool(v->w, "not_requester", p->not_requester);
    seats(v, "seats", all);
    enter_json(v, all);
    seats(v, "asked_by", p->asked_by);
    ids(v, "covers", p->covers);
    ids(v, "missing", missing);
    puan_jw_kdigest(v->w, "now", now);
    if (r->state != PUAN_FLOW_UNASKED) {
        puan_jw_kdigest(v->w, "digest", r->digest);
        puan_jw_kstr(v->w, "requester", r->requester);
        at(v, "asked", r->asked_ms);
        at(v, "decided", r->decided_ms);
        if (p->expires_ms > 0 && r->decided_ms != 0 &&
            r->state == PUAN_FLOW_GRANTED) {
            at(v, "expires", r->decided_ms + p->expires_ms);
            puan_jw_kbool(v->w, "expired",
                          !puan_flow_approval_stands(v->run, (int)i, v->now));
        }
    }
    puan_jw_kbool(v->w, "may_sign",
                  puan_flow_may_sign(v->run, (int)i, &v->l->who));
    puan_jw_kbool(v->w, "may_ask",
                  puan_flow_may_ask(v->run, (int)i, v->now, &v->l->who));
    puan_jw_kbool(v->w, "excluded",
                  p->not_requester && r->state == PUAN_FLOW_ASKED &&
                      puan_str_eq(r->requester, v->l->who.actor));
    if (r->state == PUAN_FLOW_ASKED && p->rule == PUAN_FLOW_SEQUENCE &&
        r->n_sig < p->n_seats) {
        puan_jw_key(v->w, "next");
        puan_jw_map(v->w);
        label(v, &v->f->seats[p->seats[r->n_sig]].label);
        puan_jw_end(v->w, '}');
    }
    changes_json(v, i);
    puan_jw_key(v->w, "signatures");
    puan_jw_list(v->w);
    for (size_t k = 0; k < r->n_sig; k++) {
        puan_jw_map(v->w);
        if (r->sig[k].seat >= 0)
            label(v, &v->f->seats[r->sig[k].seat].label);
        puan_jw_kstr(v->w, "actor", r->sig[k].actor);
        at(v, "at", r->sig[k].ms);
        puan_jw_kbool(v->w, "void", dead);
        puan_jw_end(v->w, '}');
    }
    puan_jw_end(v->w, ']');
    puan_jw_end(v->w, '}');
}

/* The clock that asks for a report: one the report's transition stops. */
static void reports_json(struct view *v)
{
    puan_jw_key(v->w, "reports");
    puan_jw_list(v->w);
    for (size_t i = 0; i < v->f->n_reports; i++) {
        const struct puan_flow_report *r = &v->f->reports[i];
        puan_flow_set missing = r->fields;
        int64_t last = 0;
        int clock = -1;

        for (size_t k = 0; k < v->f->n_fields; k++)
            if (v->run->field[k].set)
                missing &= ~((puan_flow_set)1 << k);
        puan_jw_map(v->w);
        label(v, &r->label);
        puan_jw_key(v->w, "to");
        puan_jw_map(v->w);
        label(v, &v->f->seats[r->to].label);
        puan_jw_end(v->w, '}');
        ids(v, "fields", r->fields);
        ids(v, "missing", missing);
        for (size_t k = 0; k < v->f->n_transitions; k++) {
            if (v->f->transitions[k].report != (int)i)
                continue;
            if (v->run->passed_ms[k] > last)
                last = v->run->passed_ms[k];
            if (clock < 0)
                clock = stopped_by(v, PUAN_FLOW_ON_TRANSITION, (int)k);
        }
        at(v, "last", last);
        if (clock >= 0)
            at(v, "next_due", v->run->clock[clock].due_ms);
        puan_jw_kbool(v->w, "may_skip", r->skip_reason >= 0);
        puan_jw_end(v->w, '}');
    }
    puan_jw_end(v->w, ']');
}

static void states_json(struct view *v)
{
    puan_jw_key(v->w, "states");
    puan_jw_list(v->w);
    for (size_t s = 0; s < v->f->n_states; s++) {
        int64_t since = (int)s == v->f->initial ? v->run->opened_ms : 0;
        bool next = false;

        for (size_t i = 0; i < v->f->n_transitions; i++) {
            const struct puan_flow_transition *t = &v->f->transitions[i];

            if (t->to != (int)s)
                continue;
            if (v->run->passed_ms[i] > since)
                since = v->run->passed_ms[i];
            next = next || PUAN_FLOW_HAS(t->from, v->run->state);
        }
        puan_jw_map(v->w);
        label(v, &v->f->states[s]);
        puan_jw_ktext(v->w, "is",
                      (int)s == v->run->state ? "now"
                      : since != 0            ? "past"
                      : next && !puan_flow_over(v->run)
                          ? "next"
                          : "far");
        puan_jw_ktext(v->w, "place",
                      (int)s == v->f->initial           ? "first"
                      : PUAN_FLOW_HAS(v->f->terminal, s) ? "last"
                                                         : "active");
        at(v, "at", since);
        puan_jw_end(v->w, '}');
    }
    puan_jw_end(v->w, ']');
}

/* All acts of the version this run is pinned to, for its drawing. */
static void moves_json(struct view *v)
{
    puan_jw_key(v->w, "moves");
    puan_jw_list(v->w);
    for (size_t i = 0; i < v->f->n_transitions; i++) {
        const struct puan_flow_transition *t = &v->f->transitions[i];

        puan_jw_map(v->w);
        label(v, &t->label);
        puan_jw_key(v->w, "from");
        puan_jw_list(v->w);
        for (size_t s = 0; s < v->f->n_states; s++)
            if (PUAN_FLOW_HAS(t->from, s))
                puan_jw_str(v->w, v->f->states[s].name);
        puan_jw_end(v->w, ']');
        if (t->to >= 0)
            puan_jw_kstr(v->w, "to", v->f->states[t->to].name);
        at(v, "passed", v->run->passed_ms[i]);
        puan_jw_end(v->w, '}');
    }
    puan_jw_end(v->w, ']');
}

/* In order; the first that is closed says whose turn it is. */
static void gates_json(struct view *v)
{
    bool turn = false;

    if (v->f->n_gates == 0)
        return;
    puan_jw_key(v->w, "gates");
    puan_jw_list(v->w);
    for (size_t i = 0; i < v->f->n_gates; i++) {
        const struct puan_flow_gate *g = &v->f->gates[i];
        bool open = v->l->row.ended_ms != 0
                        ? false
                        : puan_flow_gate_open(v->run, i, v->now,
                                              &v->l->world);

        puan_jw_map(v->w);
        label(v, &g->label);
        if (v->l->row.ended_ms == 0) {
            puan_jw_kbool(v->w, "open", open);
            puan_jw_kbool(v->w, "turn", !open && !turn);
            turn = turn || !open;
        }
        seats(v, "by", g->by);
        puan_jw_kbool(v->w, "mine", mine(v, g->by));
        puan_jw_kstr(v->w, "do_zh", g->do_zh);
        puan_jw_kstr(v->w, "do_en", g->do_en);
        condition(v, g->when_text);
        if (g->papers != 0)
            papers(v, "evidence", g->papers, v->run->evidence);
        if (g->approval >= 0)
            puan_jw_kstr(v->w, "approval",
                         v->f->approvals[g->approval].label.name);
        if (g->at_field >= 0 && v->run->field[g->at_field].set)
            at(v, "at", v->run->field[g->at_field].v);
        puan_jw_end(v->w, '}');
    }
    puan_jw_end(v->w, ']');
}

/* ---- history ------------------------------------------------------------------ */

static const char *const kind_word[] = { "open", "act",  "step",     "order",
                                         "ask",  "sign", "evidence", "clock",
                                         "take", "stop" };

struct paper_row {
    struct puan_str kind;
    uint8_t digest[PUAN_DIGEST_SIZE];
    int64_t n, at;
    struct puan_str role;
};

static void event_json(struct view *v, int64_t n,
                       const struct puan_flow_event *e)
{
    const struct puan_flow_label *l = puan_flow_event_label(v->f, e);

    puan_jw_map(v->w);
    puan_jw_kint(v->w, "n", n);
    puan_jw_ktext(v->w, "kind", kind_word[e->kind]);
    if (l != NULL)
        label(v, l);
    if (e->part.n > 0)
        puan_jw_kstr(v->w, "part", e->part);
    at(v, "event", e->event_ms);
    at(v, "entry", e->entry_ms);
    puan_jw_kbool(v->w, "late", e->entry_ms - e->event_ms > LATE);
    puan_jw_kstr(v->w, "actor", e->who.actor);
    role_words(v, "role", e->who.role);
    puan_jw_kcode(v->w, "area", e->who.area);
    if (e->who.external)
        role_words(v, "entered", e->who.entered_role);
    if (e->kind == PUAN_FLOW_SIGN)
        puan_jw_kbool(v->w, "yes", e->yes);
    if (e->reason.n > 0)
        puan_jw_kstr(v->w, "reason", e->reason);
    if (e->fields != NULL && e->fields->n > 0) {
        puan_jw_key(v->w, "fields");
        puan_jw_list(v->w);
        PUAN_NODE_EACH(c, e->fields) {
            int k = puan_flow_field(v->f, c->key);

            puan_jw_map(v->w);
            puan_jw_kstr(v->w, "id", c->key);
            if (k >= 0 && may_read(v, (size_t)k))
                puan_jw_kstr(v->w, "value", c->text);
            puan_jw_end(v->w, '}');
        }
        puan_jw_end(v->w, ']');
    }
    puan_jw_kint(v->w, "papers", (int64_t)e->n_papers);
    puan_jw_end(v->w, '}');
}

static enum puan_status read_events(struct view *v, struct puan_err *err)
{
    struct puan_arena *a = v->rq->arena;
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    v->event = puan_new_n(a, v->run->n_events, struct puan_flow_event);
    if (v->event == NULL)
        return puan_arena_check(a, err);
    TRY(puan_sql(&s, v->db,
                 "SELECT n, body, sealed FROM case_event WHERE run = $1"
                 " ORDER BY n",
                 err));
    puan_bind_int(s, 1, v->run->id);
    while (v->n_events < v->run->n_events &&
           (st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        struct puan_str body;

        st = puan_case_event_open(&body, v->rq->store, v->run->id,
                                  puan_col_int(s, 0), puan_col_text(s, 1),
                                  puan_col_bytes(s, 2), a, err);
        if (st == PUAN_OK)
            st = puan_flow_event_read(&v->event[v->n_events], body, a, err);
        if (st != PUAN_OK)
            break;
        v->n_events++;
    }
    puan_stmt_done(s);
    return st;
}

static enum puan_status events_json(struct view *v, struct puan_err *err)
{
    struct puan_arena *a = v->rq->arena;
    struct paper_row *paper = puan_new_n(a, 256, struct paper_row);
    size_t n_papers = 0;

    if (paper == NULL)
        return puan_arena_check(a, err);
    puan_jw_key(v->w, "events");
    puan_jw_list(v->w);
    for (size_t k = 0; k < v->n_events; k++) {
        const struct puan_flow_event *e = &v->event[k];

        event_json(v, (int64_t)k + 1, e);
        for (size_t i = 0; i < e->n_papers && n_papers < 256; i++) {
            struct paper_row *p = &paper[n_papers++];

            p->kind = e->papers[i].kind;
            memcpy(p->digest, e->papers[i].digest, PUAN_DIGEST_SIZE);
            p->n = (int64_t)k + 1;
            p->at = e->event_ms;
            p->role = e->who.role;
        }
    }
    puan_jw_end(v->w, ']');
    puan_jw_key(v->w, "evidence");
    puan_jw_list(v->w);
    for (size_t i = 0; i < n_papers; i++) {
        const struct puan_flow_label *l = NULL;

        for (size_t k = 0; k < v->f->n_evidence; k++)
            if (puan_str_eq(v->f->evidence[k].name, paper[i].kind))
                l = &v->f->evidence[k];
        puan_jw_map(v->w);
        puan_jw_kstr(v->w, "kind", paper[i].kind);
        puan_jw_kstr(v->w, "zh", l ? l->zh : PUAN_STR("外部机构的公文"));
        puan_jw_kstr(v->w, "en", l ? l->en : PUAN_STR("Paper of an outside office"));
        puan_jw_kdigest(v->w, "digest", paper[i].digest);
        puan_jw_kint(v->w, "n", paper[i].n);
        at(v, "at", paper[i].at);
        role_words(v, "role", paper[i].role);
        puan_jw_end(v->w, '}');
    }
    puan_jw_end(v->w, ']');
    puan_jw_key(v->w, "kinds"); /* of papers the flow knows */
    puan_jw_list(v->w);
    for (size_t k = 0; k < v->f->n_evidence; k++) {
        puan_jw_map(v->w);
        label(v, &v->f->evidence[k]);
        puan_jw_kbool(v->w, "given", PUAN_FLOW_HAS(v->run->evidence, k));
        puan_jw_end(v->w, '}');
    }
    puan_jw_end(v->w, ']');
    return PUAN_OK;
}

/* ---- links ---------------------------------------------------------------------- */

static enum puan_status link_json(struct view *v, int64_t id, const char *how,
                                  struct puan_err *err)
{
    struct puan_flow_who who;
    struct puan_case_row row;
    struct puan_flow_run *run = NULL;
    struct puan_out zh, en;
    char number[24];

    TRY(puan_case_read(&row, &run, v->rq->store, v->db, id, v->rq->arena, err));
    who = puan_case_who(v->rq, row.area);
    puan_case_number(number, v->rq->store, v->db, id);
    puan_jw_map(v->w);
    puan_jw_ktext(v->w, "how", how);
    puan_jw_ktext(v->w, "number", number);
    puan_jw_kstr(v->w, "flow", run->flow->label.name);
    puan_jw_kstr(v->w, "flow_zh", run->flow->label.zh);
    puan_jw_kstr(v->w, "flow_en", run->flow->label.en);
    puan_jw_kbool(v->w, "ended", row.ended_ms != 0);
    /* its address and its title only for who may open it */
    if (puan_request_covers(v->rq, row.area) &&
        puan_case_seen_by(run->flow, &who)) {
        puan_out_init(&zh, v->rq->arena);
        puan_out_init(&en, v->rq->arena);
        puan_case_title(&zh, run, true);
        puan_case_title(&en, run, false);
        puan_jw_kint(v->w, "id", id);
        puan_jw_kstr(v->w, "title_zh", puan_out_view(&zh));
        puan_jw_kstr(v->w, "title_en", puan_out_view(&en));
        puan_jw_kstr(v->w, "state_zh", run->flow->states[run->state].zh);
        puan_jw_kstr(v->w, "state_en", run->flow->states[run->state].en);
    }
    puan_jw_end(v->w, '}');
    return PUAN_OK;
}

#define LINKS 64

/* Other cases the same one opened. */
static enum puan_status siblings_of(int64_t out[LINKS], size_t *n,
                                    struct view *v, struct puan_err *err)
{
    struct puan_stmt *s = NULL;

    *n = 0;
    if (v->l->row.parent == 0)
        return PUAN_OK;
    TRY(puan_sql(&s, v->db,
                 "SELECT id FROM case_run WHERE parent = $1 AND id <> $2 ORDER"
                 " BY id",
                 err));
    puan_bind_int(s, 1, v->l->row.parent);
    puan_bind_int(s, 2, v->run->id);
    return puan_stmt_ints(out, n, LINKS, s, err);
}

/* Open cases that wait for the end of this one (links: blocks). */
static enum puan_status held_by(int64_t out[LINKS], size_t *n, struct view *v,
                                struct puan_err *err)
{
    int64_t here = v->l->row.area;
    enum puan_status st = PUAN_OK;

    *n = 0;
    for (size_t i = 0; st == PUAN_OK && i < v->f->n_blocks; i++) {
        const struct puan_flow_block *b = &v->f->blocks[i];
        struct puan_stmt *s = NULL;
        bool more = false, twice = false;

        for (size_t k = 0; k < i; k++)
            twice = twice || puan_str_eq(v->f->blocks[k].flow, b->flow);
        if (twice || v->l->row.ended_ms != 0 ||
            !puan_flow_run_blocks(v->run, b->flow, b->transition))
            continue;
        TRY(puan_sql(&s, v->db,
                     "SELECT id, area FROM case_run WHERE flow = $1 AND ended"
                     " = 0 ORDER BY id",
                     err));
        puan_bind_text(s, 1, b->flow);
        while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
            int64_t there = puan_col_int(s, 1);

            if (*n < LINKS &&
                (puan_area_covers(v->rq->store, here, there) ||
                 puan_area_covers(v->rq->store, there, here)))
                out[(*n)++] = puan_col_int(s, 0);
        }
        puan_stmt_done(s);
    }
    return st;
}

static enum puan_status links_json(struct view *v, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    int64_t child[LINKS], beside[LINKS], held[LINKS];
    size_t n = 0, n_beside = 0, n_held = 0;
    enum puan_status st = PUAN_OK;

    TRY(siblings_of(beside, &n_beside, v, err));
    TRY(held_by(held, &n_held, v, err));

    TRY(puan_sql(&s, v->db,
                 "SELECT id FROM case_run WHERE parent = $1 ORDER BY id", err));
    puan_bind_int(s, 1, v->run->id);
    TRY(puan_stmt_ints(child, &n, LINKS, s, err));
    puan_jw_key(v->w, "links");
    puan_jw_list(v->w);
    if (v->l->row.parent != 0)
        st = link_json(v, v->l->row.parent, "parent", err);
    for (size_t i = 0; st == PUAN_OK && i < n; i++)
        st = link_json(v, child[i], "child", err);
    for (size_t i = 0; st == PUAN_OK && i < v->l->n_blocks; i++)
        st = link_json(v, v->l->block[i].run, "blocks", err);
    for (size_t i = 0; st == PUAN_OK && i < n_held; i++)
        st = link_json(v, held[i], "holds", err);
    for (size_t i = 0; st == PUAN_OK && i < n_beside; i++)
        st = link_json(v, beside[i], "beside", err);
    puan_jw_end(v->w, ']');
    return st;
}

/* "泄密事件 2020-031 未结，不得：使用口径" */
static void blocks_json(struct view *v)
{
    puan_jw_key(v->w, "blocks");
    puan_jw_list(v->w);
    for (size_t i = 0; i < v->l->n_blocks; i++) {
        const struct puan_case_block *b = &v->l->block[i];
        char number[24];

        puan_case_number(number, v->rq->store, v->db, b->run);
        for (size_t k = 0; k < v->f->n_transitions; k++) {
            const struct puan_flow_label *t = &v->f->transitions[k].label;

            if (!PUAN_FLOW_HAS(b->transitions, k))
                continue;
            puan_jw_map(v->w);
            puan_jw_kint(v->w, "case", b->run);
            puan_jw_kstr(v->w, "act", t->name);
            puan_jw_ktext(v->w, "zh",
                          puan_arena_fmt(v->rq->arena,
                                         "%.*s%s未结，不得%.*s",
                                         PUAN_FMT(b->flow->label.zh), number,
                                         PUAN_FMT(t->zh)));
            puan_jw_ktext(v->w, "en",
                          puan_arena_fmt(v->rq->arena,
                                         "%.*s %s is open: no \"%.*s\"",
                                         PUAN_FMT(b->flow->label.en), number,
                                         PUAN_FMT(t->en)));
            puan_jw_end(v->w, '}');
        }
    }
    puan_jw_end(v->w, ']');
}

struct told {
    int64_t notice, area, at, taken, n, message; /* message 0: none went out */
    bool vacant;
    struct puan_str kind, seat, role;
};

#define TOLD 256

static enum puan_status told_of(struct told *out, size_t *n, struct view *v,
                                struct puan_err *err)
{
    struct puan_arena *a = v->rq->arena;
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status st;

    *n = 0;
    TRY(puan_sql(&s, v->db,
                 "SELECT c.id, c.kind, c.seat, c.role, c.area, c.at, c.vacant,"
                 " c.taken, c.n, (SELECT MAX(m.id) FROM notify_message m WHERE"
                 " m.notice = c.id) FROM case_notice c WHERE c.run = $1"
                 " ORDER BY c.id",
                 err));
    puan_bind_int(s, 1, v->run->id);
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more &&
           *n < TOLD)
        out[(*n)++] = (struct told){
            .notice = puan_col_int(s, 0),
            .kind = puan_arena_keep(a, puan_col_text(s, 1)),
            .seat = puan_arena_keep(a, puan_col_text(s, 2)),
            .role = puan_arena_keep(a, puan_col_text(s, 3)),
            .area = puan_col_int(s, 4),
            .at = puan_col_int(s, 5),
            .vacant = puan_col_int(s, 6) != 0,
            .taken = puan_col_int(s, 7),
            .n = puan_col_int(s, 8),
            .message = puan_col_null(s, 9) ? 0 : puan_col_int(s, 9)
        };
    puan_stmt_done(s);
    return st;
}

/*
 * Who was told, whether anybody was there to hear it, and what became of the
 * message that went out.
 */
static enum puan_status told_json(struct view *v, struct puan_err *err)
{
    struct told *t = puan_new_n(v->rq->arena, TOLD, struct told);
    size_t n;

    if (t == NULL)
        return puan_arena_check(v->rq->arena, err);
    TRY(told_of(t, &n, v, err));
    puan_jw_key(v->w, "told");
    puan_jw_list(v->w);
    for (size_t i = 0; i < n; i++) {
        int k = puan_flow_seat(v->f, t[i].seat);
        struct puan_notify_fate fate;

        puan_jw_map(v->w);
        puan_jw_kint(v->w, "notice", t[i].notice);
        puan_jw_kstr(v->w, "kind", t[i].kind);
        if (k >= 0)
            label(v, &v->f->seats[k].label);
        puan_jw_kcode(v->w, "area", t[i].area);
        at(v, "at", t[i].at);
        puan_jw_kbool(v->w, "vacant", t[i].vacant);
        at(v, "taken", t[i].taken);
        puan_jw_kint(v->w, "n", t[i].n);
        puan_jw_kbool(v->w, "mine",
                      t[i].taken == 0 &&
                          puan_str_is(t[i].role, v->rq->who.role_name) &&
                          t[i].area == v->rq->who.area);
        if (t[i].message != 0) {
            TRY(puan_notify_fate(&fate, v->db, t[i].message, err));
            puan_jw_ktext(v->w, "sent", puan_notify_fate_word(&fate));
        }
        puan_jw_end(v->w, '}');
    }
    puan_jw_end(v->w, ']');
    return PUAN_OK;
}

/* ---- the whole -------------------------------------------------------------------- */

/* What this seat may do now, as the first version of this answer said it. */
static void may_json(struct view *v)
{
    struct puan_flow_lock lock[PUAN_FLOW_LOCKS];

    puan_jw_key(v->w, "may");
    puan_jw_list(v->w);
    for (size_t i = 0; i < v->f->n_transitions && v->run->opened; i++) {
        const struct puan_flow_transition *t = &v->f->transitions[i];

        if (!PUAN_FLOW_HAS(t->from, v->run->state) || !mine(v, t->by) ||
            t->clock >= 0)
            continue;
        puan_jw_map(v->w);
        puan_jw_ktext(v->w, "do", "act");
        label(v, &t->label);
        puan_jw_kstr(v->w, "when", t->when_text);
        puan_jw_end(v->w, '}');
    }
    for (size_t i = 0; i < v->f->n_steps; i++) {
        if (!puan_flow_step_open(v->run, (int)i) ||
            !mine(v, v->f->steps[i].by) ||
            puan_flow_step_locks(lock, v->run, (int)i, v->now,
                                 &v->l->world) != 0)
            continue;
        puan_jw_map(v->w);
        puan_jw_ktext(v->w, "do", "step");
        label(v, &v->f->steps[i].label);
        puan_jw_end(v->w, '}');
    }
    for (size_t i = 0; i < v->f->n_approvals; i++) {
        if (!puan_flow_may_sign(v->run, (int)i, &v->l->who))
            continue;
        puan_jw_map(v->w);
        puan_jw_ktext(v->w, "do", "sign");
        label(v, &v->f->approvals[i].label);
        puan_jw_end(v->w, '}');
    }
    puan_jw_end(v->w, ']');
}

/* The digests to sign, as the fields are now. */
static void sign_json(struct view *v)
{
    puan_jw_key(v->w, "sign");
    puan_jw_map(v->w);
    for (size_t i = 0; i < v->f->n_approvals; i++) {
        uint8_t d[PUAN_DIGEST_SIZE];
        char hex[2 * PUAN_DIGEST_SIZE + 1];

        puan_flow_covered(d, v->run, (int)i,
                          puan_store_digest(v->rq->store));
        puan_hex(hex, d, sizeof d);
        puan_jw_key_s(v->w, v->f->approvals[i].label.name);
        puan_jw_text(v->w, hex);
    }
    puan_jw_end(v->w, '}');
}

static void head_json(struct view *v)
{
    const struct puan_case_row *row = &v->l->row;
    struct puan_str level = puan_case_level(v->run);
    struct puan_out zh, en;
    char number[24];

    puan_out_init(&zh, v->rq->arena);
    puan_out_init(&en, v->rq->arena);
    puan_case_title(&zh, v->run, true);
    puan_case_title(&en, v->run, false);
    puan_case_number(number, v->rq->store, v->db, row->id);
    puan_jw_kint(v->w, "id", row->id);
    puan_jw_ktext(v->w, "number", number);
    puan_jw_kstr(v->w, "flow", v->f->label.name);
    puan_jw_kstr(v->w, "flow_zh", v->f->label.zh);
    puan_jw_kstr(v->w, "flow_en", v->f->label.en);
    puan_jw_kint(v->w, "version", v->f->version);
    puan_jw_kstr(v->w, "title_zh", puan_out_view(&zh));
    puan_jw_kstr(v->w, "title_en", puan_out_view(&en));
    puan_jw_kstr(v->w, "subject", row->subject);
    puan_area_put(v->w, puan_store_areas(v->rq->store), row->area);
    puan_jw_kint(v->w, "parent", row->parent);
    puan_jw_kbool(v->w, "drill", v->run->drill);
    if (level.n > 0)
        puan_jw_kstr(v->w, "level", level);
    else {
        puan_jw_key(v->w, "level");
        puan_jw_null(v->w);
    }
    /* its class: the first list of words one had to choose from to open it */
    for (size_t i = 0; i < v->f->n_fields; i++) {
        const struct puan_flow_field *f = &v->f->fields[i];

        if (f->type != PUAN_FLOW_ENUM || f->secret || !v->run->field[i].set ||
            !PUAN_FLOW_HAS(v->f->open_needs, i))
            continue;
        puan_jw_kstr(v->w, "class", f->words->codes[v->run->field[i].v].text);
        puan_jw_kstr(v->w, "class_zh", f->words->codes[v->run->field[i].v].zh);
        puan_jw_kstr(v->w, "class_en", f->words->codes[v->run->field[i].v].en);
        break;
    }
    puan_jw_kstr(v->w, "state", v->f->states[v->run->state].name);
    puan_jw_kstr(v->w, "state_zh", v->f->states[v->run->state].zh);
    puan_jw_kstr(v->w, "state_en", v->f->states[v->run->state].en);
    puan_jw_kbool(v->w, "ended", row->ended_ms != 0);
    at(v, "opened", v->run->opened_ms);
    at(v, "entered", v->run->entered_ms);
    at(v, "as_of", v->now);
    puan_jw_kint(v->w, "events_n", row->n);
    puan_jw_kint(v->w, "expect", row->n);
    if (v->run->taken_ms != 0) {
        puan_jw_key(v->w, "taken");
        puan_jw_map(v->w);
        at(v, "at", v->run->taken_ms);
        puan_jw_kbool(v->w, "mine",
                      puan_str_eq(v->run->taken_by, v->l->who.actor));
        role_words(v, "role", v->run->taken_role);
        puan_jw_end(v->w, '}');
    }
}

enum puan_status puan_case_json(struct puan_jw *w, int64_t *n,
                                struct puan_request *rq, int64_t id,
                                struct puan_err *err)
{
    struct puan_case_look *look = puan_new(rq->arena, struct puan_case_look);
    struct puan_db *db = NULL;
    struct view v = { .w = w, .rq = rq, .l = look };
    enum puan_status st;

    if (look == NULL)
        return puan_arena_check(rq->arena, err);
    TRY(puan_case_look_at(look, rq, &db, id, err));
    v.db = db;
    v.run = look->run;
    v.f = look->run->flow;
    v.now = rq->now;
    v.offset = puan_store_plan(rq->store)->offset_minutes;
    v.secrets = puan_case_cleared(rq);
    *n = look->row.n;
    st = read_events(&v, err);
    puan_jw_map(w);
    head_json(&v);
    now_json(&v);
    blocks_json(&v);
    clocks_json(&v);
    acts_json(&v);
    steps_json(&v);
    puan_jw_key(w, "approvals");
    puan_jw_list(w);
    for (size_t i = 0; i < v.f->n_approvals; i++)
        approval_json(&v, i);
    puan_jw_end(w, ']');
    reports_json(&v);
    fields_json(&v);
    states_json(&v);
    moves_json(&v);
    gates_json(&v);
    if (st == PUAN_OK)
        st = events_json(&v, err);
    if (st == PUAN_OK)
        st = links_json(&v, err);
    if (st == PUAN_OK)
        st = told_json(&v, err);
    may_json(&v);
    sign_json(&v);
    puan_jw_key(w, "case");
    puan_flow_run_json(w, v.run, v.secrets, v.offset);
    puan_jw_end(w, '}');
    puan_read_end(puan_store_office(rq->store), db);
    if (st == PUAN_OK)
        st = puan_arena_check(rq->arena, err);
    return st;
}

enum puan_status puan_case_show(struct puan_request *rq, int64_t id,
                                struct puan_err *err)
{
    struct puan_out o;
    struct puan_jw w;
    int64_t n = 0;

    puan_out_init(&o, rq->arena);
    puan_jw_init(&w, &o);
    TRY(puan_case_json(&w, &n, rq, id, err));
    puan_answer_etag(rq, n);
    puan_answer_json(rq, 200, puan_out_view(&o));
    return PUAN_OK;
}

enum puan_status puan_case_svg(struct puan_request *rq, int64_t id,
                               struct puan_str lang, struct puan_err *err)
{
    struct puan_case_look look;
    struct puan_db *db = NULL;
    struct puan_out o;

    if (lang.n > 0 && !puan_str_is(lang, "zh") && !puan_str_is(lang, "en"))
        return puan_fail(err, PUAN_EINVAL, "lang", "lang is zh or en");
    TRY(puan_case_look_at(&look, rq, &db, id, err));
    puan_read_end(puan_store_office(rq->store), db);
    puan_out_init(&o, rq->arena);
    puan_flow_svg(&o, look.run->flow, look.run, rq->now, &look.world,
                  !puan_str_is(lang, "en"), rq->arena);
    TRY(puan_arena_check(rq->arena, err));
    puan_answer_bytes(rq, 200, "image/svg+xml", puan_out_view(&o));
    return PUAN_OK;
}

bool puan_case_open_to(struct puan_request *rq, struct puan_db *db, int64_t id)
{
    const struct puan_flow *f = NULL;
    struct puan_flow_who who;
    struct puan_case_row row;

    if (puan_case_row_read(&row, db, id, rq->arena, NULL) != PUAN_OK ||
        puan_cases_flow(&f, rq->store, row.flow, NULL) != PUAN_OK)
        return false;
    who = puan_case_who(rq, row.area);
    return puan_case_seen_by(f, &who);
}
