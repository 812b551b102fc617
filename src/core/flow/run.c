/*
 * Runs of a workflow: decides events and folds them.  Never looks at a
 * definition's source, never reads a clock.
 *
 * A decision is made on a draft of the fields; the run changes only in fold(),
 * which looks at the event alone and is therefore the same at replay.
 */
#include "core/flow/internal.h"

#define BIT(i) ((puan_flow_set)1 << (unsigned)(i))
/* Fields as they would be after the event. */
struct draft {
    struct puan_flow_value v[PUAN_FLOW_MAX];
    puan_flow_set set, changed; /* by this event */
    puan_flow_set papers;
};

static const char *where_of(const struct puan_flow_run *run)
{
    return run->flow->label.name.p ? "case" : "";
}

static bool same_text(struct puan_str a, struct puan_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* ---- seats ------------------------------------------------------------ */

static size_t level_index(const struct puan_flow *f, struct puan_str name)
{
    size_t i = 0;

    while (i < f->n_levels && !same_text(f->levels[i], name))
        i++;
    return i;
}

static bool reaches(const struct puan_flow *f, const struct puan_flow_seat *s,
                    struct puan_str level, int above,
                    struct puan_str run_level)
{
    if (above < 0)
        return false;
    switch (s->reach) {
    case PUAN_FLOW_OWN:
        return above == 0;
    case PUAN_FLOW_PARENT:
        return above == 1;
    case PUAN_FLOW_ANCESTOR:
        return same_text(s->level, level) ||
               (above == 0 && run_level.n > 0 &&
                level_index(f, run_level) < level_index(f, s->level));
    case PUAN_FLOW_ANY:
        return true;
    }
    return false;
}

bool puan_flow_seat_fits(const struct puan_flow *f, int seat,
                         const struct puan_flow_who *who)
{
    const struct puan_flow_seat *s;

    if (seat < 0 || (size_t)seat >= f->n_seats)
        return false;
    s = &f->seats[seat];
    if (puan_str_is(s->role, "system"))
        return who->system;
    if (who->system)
        return false;
    if (!puan_str_is(s->role, "any") && !same_text(s->role, who->role))
        return false;
    return reaches(f, s, who->level, who->above, who->run_level);
}

static bool fits_any(const struct puan_flow *f, puan_flow_set seats,
                     const struct puan_flow_who *who)
{
    for (size_t i = 0; i < f->n_seats; i++)
        if (PUAN_FLOW_HAS(seats, i) && puan_flow_seat_fits(f, (int)i, who))
            return true;
    return false;
}

/* The local seat that writes down an external seat's act. */
static bool entered_well(const struct puan_flow *f,
                         const struct puan_flow_who *who)
{
    struct puan_flow_who local = { .role = who->entered_role,
                                   .level = who->entered_level,
                                   .above = who->entered_above,
                                   .run_level = who->run_level };

    return fits_any(f, f->enters, &local);
}

static enum puan_status denied(const struct puan_flow_run *run,
                               struct puan_str what, struct puan_err *err)
{
    return puan_fail(err, PUAN_EDENIED, where_of(run),
                     "this seat may not do \"%.*s\"", PUAN_FMT(what));
}

/* ---- values ----------------------------------------------------------- */

static enum puan_status bad_value(const struct puan_flow_field *f,
                                  const char *want, struct puan_err *err)
{
    return puan_fail(err, PUAN_EINVAL, "fields", "%.*s must be %s",
                     PUAN_FMT(f->label.name), want);
}

static enum puan_status read_value(struct puan_flow_value *out,
                                   const struct puan_flow_field *f,
                                   const struct puan_node *n,
                                   struct puan_err *err)
{
    const struct puan_code *code = NULL;

    *out = (struct puan_flow_value){ .set = true };
    if (n->kind != PUAN_NODE_SCALAR)
        return bad_value(f, "a single value", err);
    switch (f->type) {
    case PUAN_FLOW_TEXT:
    case PUAN_FLOW_REF:
        if (n->text.n == 0 || (int64_t)n->text.n > f->max ||
            (int64_t)n->text.n < f->min)
            return bad_value(f, "a text within its length", err);
        out->text = n->text;
        return PUAN_OK;
    case PUAN_FLOW_INT:
        if (!puan_int_parse(&out->v, n->text) || out->v < f->min ||
            out->v > f->max)
            return bad_value(f, "a whole number within its bounds", err);
        return PUAN_OK;
    case PUAN_FLOW_ENUM:
        for (size_t i = 0; i < f->words->n; i++)
            if (same_text(f->words->codes[i].text, n->text))
                code = &f->words->codes[i];
        if (code == NULL)
            return bad_value(f, "one of its words", err);
        out->v = code->value;
        return PUAN_OK;
    case PUAN_FLOW_BOOL:
        if (puan_str_is(n->text, "true") || puan_str_is(n->text, "yes"))
            out->v = 1;
        else if (!puan_str_is(n->text, "false") && !puan_str_is(n->text, "no"))
            return bad_value(f, "yes or no", err);
        return PUAN_OK;
    case PUAN_FLOW_TIME:
        if (!puan_instant_parse(&out->v, n->text))
            return bad_value(f, "a time like 2020-11-01T08:00:00+08:00", err);
        return PUAN_OK;
    case PUAN_FLOW_AREA:
        if (!puan_int_parse(&out->v, n->text) || out->v <= 0)
            return bad_value(f, "an area code", err);
        return PUAN_OK;
    }
    return puan_fail(err, PUAN_EBUG, "fields", "unknown field type");
}

static bool same_value(const struct puan_flow_value *a,
                       const struct puan_flow_value *b)
{
    return a->set == b->set && a->v == b->v && same_text(a->text, b->text);
}

/* Reads the event's fields and papers over the run's. */
static enum puan_status make_draft(struct draft *d,
                                   const struct puan_flow_run *run,
                                   const struct puan_flow_event *e,
                                   struct puan_err *err)
{
    const struct puan_flow *f = run->flow;

    *d = (struct draft){ .papers = run->evidence };
    for (size_t i = 0; i < f->n_fields; i++)
        d->v[i] = run->field[i];
    if (e->fields != NULL && e->fields->kind != PUAN_NODE_MAP)
        return puan_fail(err, PUAN_EINVAL, "fields",
                         "fields must be a map of names to values");
    PUAN_NODE_EACH(c, e->fields) {
        int at = puan_flow_field(f, c->key);
        struct puan_flow_value v;

        if (at < 0)
            return puan_fail(err, PUAN_EINVAL, "fields",
                             "there is no field \"%.*s\"", PUAN_FMT(c->key));
        TRY(read_value(&v, &f->fields[at], c, err));
        if (!same_value(&v, &d->v[at]))
            d->changed |= BIT(at);
        d->v[at] = v;
        d->set |= BIT(at);
    }
    for (size_t i = 0; i < e->n_papers; i++) {
        bool found = false;

        for (size_t k = 0; k < f->n_evidence; k++) {
            if (same_text(f->evidence[k].name, e->papers[i].kind)) {
                d->papers |= BIT(k);
                found = true;
            }
        }
        /* what shows an external act needs no declared kind */
        if (!found && !puan_str_is(e->papers[i].kind, "external"))
            return puan_fail(err, PUAN_EINVAL, "evidence",
                             "there is no kind of evidence \"%.*s\"",
                             PUAN_FMT(e->papers[i].kind));
    }
    return PUAN_OK;
}

/* Only fields that belong to the act, filled by those who may. */
static enum puan_status check_fields(const struct puan_flow_run *run,
                                     const struct draft *d,
                                     puan_flow_set accepted,
                                     puan_flow_set needed,
                                     const struct puan_flow_who *who,
                                     struct puan_err *err)
{
    const struct puan_flow *f = run->flow;

    for (size_t i = 0; i < f->n_fields; i++) {
        const struct puan_flow_field *fd = &f->fields[i];

        if (PUAN_FLOW_HAS(d->set, i) && !PUAN_FLOW_HAS(accepted, i))
            return puan_fail(err, PUAN_EINVAL, "fields",
                             "the field \"%.*s\" does not belong to this act",
                             PUAN_FMT(fd->label.name));
        if (PUAN_FLOW_HAS(d->set, i) && fd->by != 0 &&
            !fits_any(f, fd->by, who))
            return puan_fail(err, PUAN_EDENIED, "fields",
                             "this seat may not fill \"%.*s\"",
                             PUAN_FMT(fd->label.name));
        if (PUAN_FLOW_HAS(needed, i) && !d->v[i].set)
            return puan_fail(err, PUAN_EINVAL, "fields",
                             "the field \"%.*s\" must be filled",
                             PUAN_FMT(fd->label.name));
    }
    return PUAN_OK;
}

static enum puan_status check_papers(const struct puan_flow_run *run,
                                     const struct draft *d,
                                     puan_flow_set needed,
                                     struct puan_err *err)
{
    const struct puan_flow *f = run->flow;

    for (size_t i = 0; i < f->n_evidence; i++)
        if (PUAN_FLOW_HAS(needed & ~d->papers, i))
            return puan_fail(err, PUAN_EINVAL, "evidence",
                             "the evidence \"%.*s\" must be attached",
                             PUAN_FMT(f->evidence[i].name));
    return PUAN_OK;
}

/* ---- guards ----------------------------------------------------------- */

bool puan_flow_given(int64_t *v, const struct puan_flow_world *w,
                     struct puan_str name)
{
    if (w == NULL)
        return false;
    for (size_t i = 0; i < w->n_facts; i++) {
        if (same_text(w->facts[i].name, name)) {
            *v = w->facts[i].value;
            return true;
        }
    }
    return false;
}

/* Same order as read_facts in load.c. */
enum puan_truth puan_flow_truth(const struct puan_expr *e,
                                const struct puan_flow_run *run,
                                const struct puan_flow_value *v, int64_t at_ms,
                                const struct puan_flow_world *w)
{
    int64_t value[2 * PUAN_FLOW_MAX + 3] = { 0 };
    uint8_t state[2 * PUAN_FLOW_MAX + 3];
    const struct puan_flow *f = run->flow;
    size_t k = 0;

    if (e == NULL)
        return PUAN_TRUE;
    for (size_t i = 0; i < PUAN_COUNT(state); i++)
        state[i] = PUAN_MISSING;
    for (; k < f->n_fields; k++) {
        if (!v[k].set)
            continue;
        value[k] = f->fields[k].type == PUAN_FLOW_TEXT ||
                           f->fields[k].type == PUAN_FLOW_REF
                       ? (int64_t)v[k].text.n
                       : v[k].v;
        state[k] = PUAN_GIVEN;
    }
    for (size_t i = 0; i < f->n_facts; i++, k++)
        if (puan_flow_given(&value[k], w, f->facts[i].name))
            state[k] = PUAN_GIVEN;
    value[k] = run->state;
    state[k++] = PUAN_GIVEN;
    value[k] = run->drill;
    state[k++] = PUAN_GIVEN;
    value[k] = (at_ms - run->opened_ms) / 3600000;
    state[k] = PUAN_GIVEN;
    return puan_expr_scope_truth(e, value, state);
}

/* ---- steps and approvals ---------------------------------------------- */

bool puan_flow_approval_good(const struct puan_flow_run *run, int approval,
                             int64_t at_ms)
{
    const struct puan_flow_approval *p = &run->flow->approvals[approval];
    const struct puan_flow_approval_run *r = &run->approval[approval];

    return r->state == PUAN_FLOW_GRANTED &&
           (p->expires_ms == 0 || at_ms <= r->decided_ms + p->expires_ms);
}

bool puan_flow_step_open(const struct puan_flow_run *run, int step)
{
    const struct puan_flow_step *s = &run->flow->steps[step];

    if (!run->opened || run->step[step].done ||
        !PUAN_FLOW_HAS(s->states, run->state))
        return false;
    for (size_t i = 0; i < run->flow->n_steps; i++)
        if (PUAN_FLOW_HAS(s->after, i) && !run->step[i].done)
            return false;
    if (s->opens_due >= 0 &&
        run->clock[s->opens_due].state == PUAN_FLOW_CLOCK_DUE)
        return true;
    if (s->opens_due >= 0 && s->ordered_by == 0 && s->approval < 0 &&
        s->own_authority)
        return run->step[step].ordered;
    if (s->own_authority || run->step[step].ordered)
        return true;
    return s->approval >= 0 &&
           run->approval[s->approval].state == PUAN_FLOW_GRANTED;
}

static const char *const approval_word[] = {
    "has not been asked for", "has not been given yet", "has been given",
    "was refused",
    "died because a field it covers changed; ask for it again",
    "was used up; ask for it again"
};

static enum puan_status check_approval(const struct puan_flow_run *run,
                                       const struct draft *d, int approval,
                                       int64_t at_ms, struct puan_err *err)
{
    const struct puan_flow_approval *p;
    const struct puan_flow_approval_run *r;

    if (approval < 0)
        return PUAN_OK;
    p = &run->flow->approvals[approval];
    r = &run->approval[approval];
    if (r->state != PUAN_FLOW_GRANTED)
        return puan_fail(err, PUAN_ECONFLICT, "approval",
                         "the approval \"%.*s\" %s", PUAN_FMT(p->label.name),
                         approval_word[r->state]);
    if (!puan_flow_approval_good(run, approval, at_ms))
        return puan_fail(err, PUAN_ECONFLICT, "approval",
                         "the approval \"%.*s\" has expired; ask for it again",
                         PUAN_FMT(p->label.name));
    if (p->void_on_change && (d->changed & p->covers))
        return puan_fail(err, PUAN_ECONFLICT, "approval",
                         "this act would change a field that the approval "
                         "\"%.*s\" covers",
                         PUAN_FMT(p->label.name));
    return PUAN_OK;
}

static enum puan_status check_steps(const struct puan_flow_run *run,
                                    const struct draft *d,
                                    const struct puan_flow_transition *t,
                                    int64_t at_ms,
                                    const struct puan_flow_world *w,
                                    struct puan_err *err)
{
    const struct puan_flow *f = run->flow;

    for (size_t i = 0; i < f->n_steps; i++) {
        const struct puan_flow_step *s = &f->steps[i];
        bool need = PUAN_FLOW_HAS(t->needs_steps, i);

        if (run->step[i].done)
            continue;
        if (t->all_steps && !s->optional &&
            (s->own_authority || run->step[i].ordered) && s->opens_due < 0 &&
            puan_flow_truth(s->when, run, d->v, at_ms, w) == PUAN_TRUE)
            need = true;
        if (need)
            return puan_fail(err, PUAN_ECONFLICT, "steps",
                             "the step \"%.*s\" must be done first",
                             PUAN_FMT(s->label.name));
    }
    return PUAN_OK;
}

/* ---- effects ---------------------------------------------------------- */

static enum puan_status add_effect(struct puan_flow_decision *out,
                                   const struct puan_flow_effect *e,
                                   struct puan_err *err)
{
    if (out->n == PUAN_FLOW_EFFECTS)
        return puan_fail(err, PUAN_ELIMIT, "effects",
                         "more than %d effects of one act", PUAN_FLOW_EFFECTS);
    out->effect[out->n++] = *e;
    return PUAN_OK;
}

static enum puan_status add_effects(struct puan_flow_decision *out,
                                    const struct puan_flow_effect *e, size_t n,
                                    struct puan_err *err)
{
    for (size_t i = 0; i < n; i++)
        TRY(add_effect(out, &e[i], err));
    return PUAN_OK;
}

static enum puan_status add_seat(struct puan_flow_decision *out,
                                 const struct puan_flow *f,
                                 enum puan_flow_effect_kind kind, int seat,
                                 struct puan_err *err)
{
    struct puan_flow_effect e = { .kind = kind, .index = seat,
                                  .name = f->seats[seat].label.name };

    return add_effect(out, &e, err);
}

static enum puan_status act_effects(struct puan_flow_decision *out,
                                    const struct puan_flow_run *run,
                                    const struct draft *d, int transition,
                                    const struct puan_flow_event *e,
                                    const struct puan_flow_world *w,
                                    struct puan_err *err)
{
    const struct puan_flow *f = run->flow;
    const struct puan_flow_transition *t = &f->transitions[transition];

    TRY(add_effects(out, t->effects, t->n_effects, err));
    if (t->report >= 0) {
        const struct puan_flow_report *r = &f->reports[t->report];
        struct puan_flow_effect send = { .kind = PUAN_FLOW_SEND,
                                         .index = t->report,
                                         .name = r->label.name };

        TRY(add_effect(out, &send, err));
        if (e->skip.n > 0) {
            send.kind = PUAN_FLOW_COPY;
            TRY(add_effect(out, &send, err));
            out->skip = e->skip;
        }
    }
    for (size_t i = 0; i < f->n_atomics; i++) {
        const struct puan_flow_atomic *a = &f->atomics[i];

        if (a->on == transition &&
            puan_flow_truth(a->when, run, d->v, e->event_ms, w) == PUAN_TRUE)
            TRY(add_effects(out, a->effects, a->n_effects, err));
    }
    return PUAN_OK;
}

/* ---- decisions -------------------------------------------------------- */

/* A plan that is not in force yet is for drills only. */
static enum puan_status check_in_force(const struct puan_flow *f,
                                       const struct puan_flow_event *e,
                                       struct puan_err *err)
{
    if (f->issued.interpreter.n == 0 || e->drill)
        return PUAN_OK;
    if (f->on_approval && f->issued.approved_ms == 0)
        return puan_fail(err, PUAN_ECONFLICT, "issued",
                         "the plan has not been approved; until then it can "
                         "only be drilled");
    if (e->event_ms < f->issued.effective_ms ||
        (f->on_approval && e->event_ms < f->issued.approved_ms))
        return puan_fail(err, PUAN_ECONFLICT, "issued",
                         "the plan is not in force yet");
    return PUAN_OK;
}

static enum puan_status decide_open(struct puan_flow_decision *out,
                                    const struct puan_flow_run *run,
                                    const struct draft *d,
                                    const struct puan_flow_event *e,
                                    struct puan_err *err)
{
    const struct puan_flow *f = run->flow;

    if (run->opened)
        return puan_fail(err, PUAN_ECONFLICT, where_of(run),
                         "the run is open already");
    if (!fits_any(f, f->open_by, &e->who))
        return denied(run, PUAN_STR("open"), err);
    TRY(check_in_force(f, e, err));
    TRY(check_fields(run, d, f->open_needs | f->open_may, f->open_needs,
                     &e->who, err));
    return add_effects(out, f->open_effects, f->n_open_effects, err);
}

bool puan_flow_same_stock(const struct puan_flow_run *run,
                          const struct puan_flow_run *other, size_t quantity)
{
    int of = run->flow->quantities[quantity].of;

    if (other->flow != run->flow || other->area != run->area ||
        other->drill != run->drill)
        return false;
    if (of < 0)
        return true;
    return run->field[of].set && other->field[of].set &&
           run->field[of].v == other->field[of].v &&
           same_text(run->field[of].text, other->field[of].text);
}

/* What goes out must be there; a stock nobody knows refuses. */
static enum puan_status check_stock(const struct puan_flow_run *run,
                                    const struct draft *d, int at,
                                    const struct puan_flow_world *w,
                                    struct puan_err *err)
{
    const struct puan_flow *f = run->flow;

    for (size_t i = 0; i < f->n_quantities; i++) {
        const struct puan_flow_quantity *q = &f->quantities[i];
        int64_t stock = 0, amount = d->v[q->field].v;
        char name[80];

        if (!PUAN_FLOW_HAS(q->in | q->out, at))
            continue;
        if (amount <= 0 || amount > 1000000000000000)
            return puan_fail(err, PUAN_EINVAL, "fields",
                             "the amount \"%.*s\" is greater than nothing",
                             PUAN_FMT(f->fields[q->field].label.name));
        if (!PUAN_FLOW_HAS(q->out, at))
            continue;
        puan_format(name, sizeof name, "stock.%.*s",
                    PUAN_FMT(q->label.name));
        if (!puan_flow_given(&stock, w, puan_str_of(name)))
            return puan_fail(err, PUAN_ECONFLICT, "stock",
                             "not known how much there is of: %.*s",
                             PUAN_FMT(q->label.name));
        if (amount > stock)
            return puan_fail(err, PUAN_ECONFLICT, "stock",
                             "the stock of %.*s is %lld; %lld cannot go out",
                             PUAN_FMT(q->label.name), (long long)stock,
                             (long long)amount);
    }
    return PUAN_OK;
}

/* A seat the flow names, not just anybody, and not twice by one person. */
static enum puan_status decide_take(const struct puan_flow_run *run,
                                    const struct draft *d,
                                    const struct puan_flow_event *e,
                                    struct puan_err *err)
{
    const struct puan_flow *f = run->flow;
    bool fits = false;

    for (size_t i = 0; i < f->n_seats; i++)
        fits = fits || (!puan_str_is(f->seats[i].role, "any") &&
                        puan_flow_seat_fits(f, (int)i, &e->who));
    if (!fits || e->who.system)
        return denied(run, PUAN_STR("take"), err);
    if (run->taken_ms != 0 && same_text(run->taken_by, e->who.actor))
        return puan_fail(err, PUAN_ECONFLICT, where_of(run),
                         "you have taken it over already");
    return check_fields(run, d, 0, 0, &e->who, err);
}

/* Only Puan ends a drill, and only what is one. */
static enum puan_status decide_stop(const struct puan_flow_run *run,
                                    const struct draft *d,
                                    const struct puan_flow_event *e,
                                    struct puan_err *err)
{
    if (!e->who.system || !run->drill)
        return denied(run, PUAN_STR("stop"), err);
    return check_fields(run, d, 0, 0, &e->who, err);
}

bool puan_flow_over(const struct puan_flow_run *run)
{
    return run->opened &&
           (run->stopped || PUAN_FLOW_HAS(run->flow->terminal, run->state));
}

static enum puan_status check_guard(const struct puan_flow_run *run,
                                    const struct draft *d,
                                    const struct puan_expr *when,
                                    struct puan_str text,
                                    const struct puan_flow_event *e,
                                    const struct puan_flow_world *w,
                                    struct puan_err *err)
{
    enum puan_truth t = puan_flow_truth(when, run, d->v, e->event_ms, w);

    if (t == PUAN_TRUE)
        return PUAN_OK;
    return puan_fail(err, PUAN_ECONFLICT, "when",
                     t == PUAN_FALSE
                         ? "refused as long as it does not hold that: %.*s"
                         : "refused as long as it is not known whether: %.*s",
                     PUAN_FMT(text));
}

static enum puan_status decide_act(struct puan_flow_decision *out,
                                   const struct puan_flow_run *run,
                                   const struct draft *d,
                                   const struct puan_flow_event *e,
                                   const struct puan_flow_world *w,
                                   struct puan_err *err)
{
    const struct puan_flow *f = run->flow;
    int at = puan_flow_transition(f, e->name);
    const struct puan_flow_transition *t;

    if (at < 0)
        return puan_fail(err, PUAN_ENOTFOUND, where_of(run),
                         "there is no transition \"%.*s\"", PUAN_FMT(e->name));
    t = &f->transitions[at];
    if (t->clock >= 0) {
        if (!e->who.system)
            return denied(run, e->name, err);
        if (run->clock[t->clock].state != PUAN_FLOW_CLOCK_DUE)
            return puan_fail(err, PUAN_ECONFLICT, "clock",
                             "the clock \"%.*s\" is not due",
                             PUAN_FMT(f->clocks[t->clock].label.name));
    } else if (!fits_any(f, t->by, &e->who)) {
        return denied(run, e->name, err);
    }
    if (!PUAN_FLOW_HAS(t->from, run->state))
        return puan_fail(err, PUAN_ECONFLICT, "state",
                         "\"%.*s\" does not leave the state \"%.*s\"",
                         PUAN_FMT(e->name),
                         PUAN_FMT(f->states[run->state].name));
    for (size_t i = 0; w != NULL && i < w->n_blockers; i++)
        return puan_fail(err, PUAN_ECONFLICT, "links", "blocked by %.*s",
                         PUAN_FMT(w->blockers[i]));
    TRY(check_fields(run, d, t->needs_fields | t->may_fields, t->needs_fields,
                     &e->who, err));
    TRY(check_papers(run, d, t->needs_evidence, err));
    TRY(check_guard(run, d, t->when, t->when_text, e, w, err));
    TRY(check_steps(run, d, t, e->event_ms, w, err));
    TRY(check_approval(run, d, t->approval, e->event_ms, err));
    for (size_t i = 0; i < t->n_none_open; i++) {
        char name[80];
        int64_t open = -1;

        puan_format(name, sizeof name, "open.%.*s", PUAN_FMT(t->none_open[i]));
        if (!puan_flow_given(&open, w, puan_str_of(name)) || open != 0)
            return puan_fail(err, PUAN_ECONFLICT, "links",
                             open < 0 ? "not known how many are open of: %.*s"
                                      : "refused while one is open of: %.*s",
                             PUAN_FMT(t->none_open[i]));
    }
    if (e->skip.n > 0) {
        int reason;

        if (t->report < 0 || f->reports[t->report].skip_reason < 0)
            return puan_fail(err, PUAN_EDENIED, "skip",
                             "this report goes to its own level; the plan "
                             "allows no skipping");
        reason = f->reports[t->report].skip_reason;
        if (!PUAN_FLOW_HAS(d->set, reason))
            return puan_fail(err, PUAN_EINVAL, "fields",
                             "skipping a level needs the reason \"%.*s\"",
                             PUAN_FMT(f->fields[reason].label.name));
    }
    TRY(check_stock(run, d, at, w, err));
    return act_effects(out, run, d, at, e, w, err);
}

static enum puan_status decide_step(const struct puan_flow_run *run,
                                    const struct draft *d,
                                    const struct puan_flow_event *e,
                                    const struct puan_flow_world *w,
                                    struct puan_err *err)
{
    const struct puan_flow *f = run->flow;
    int at = puan_flow_step(f, e->name);
    const struct puan_flow_step *s;

    if (at < 0)
        return puan_fail(err, PUAN_ENOTFOUND, where_of(run),
                         "there is no step \"%.*s\"", PUAN_FMT(e->name));
    s = &f->steps[at];
    if (e->kind == PUAN_FLOW_ORDER) {
        if (!fits_any(f, s->ordered_by, &e->who))
            return denied(run, e->name, err);
        if (run->step[at].ordered || run->step[at].done)
            return puan_fail(err, PUAN_ECONFLICT, "steps",
                             "the step is ordered already");
        return check_fields(run, d, 0, 0, &e->who, err);
    }
    if (!fits_any(f, s->by, &e->who))
        return denied(run, e->name, err);
    if (run->step[at].done)
        return puan_fail(err, PUAN_ECONFLICT, "steps",
                         "the step is done already");
    if (!PUAN_FLOW_HAS(s->states, run->state))
        return puan_fail(err, PUAN_ECONFLICT, "steps",
                         "the step does not belong to the state \"%.*s\"",
                         PUAN_FMT(f->states[run->state].name));
    for (size_t i = 0; i < f->n_steps; i++)
        if (PUAN_FLOW_HAS(s->after, i) && !run->step[i].done)
            return puan_fail(err, PUAN_ECONFLICT, "steps",
                             "the step \"%.*s\" comes first",
                             PUAN_FMT(f->steps[i].label.name));
    if (!puan_flow_step_open(run, at))
        return puan_fail(err, PUAN_ECONFLICT, "steps",
                         "the step is locked until it is ordered, approved "
                         "or its clock is due");
    TRY(check_guard(run, d, s->when, s->when_text, e, w, err));
    TRY(check_fields(run, d, s->needs_fields | s->may_fields, s->needs_fields,
                     &e->who, err));
    TRY(check_papers(run, d, s->needs_evidence, err));
    return check_approval(run, d, s->approval, e->event_ms, err);
}

static enum puan_status
check_approval_state(const struct puan_flow_run *run,
                     const struct puan_flow_approval *p, struct puan_err *err)
{
    if (PUAN_FLOW_HAS(p->states, run->state))
        return PUAN_OK;
    return puan_fail(err, PUAN_ECONFLICT, "approval",
                     "the approval \"%.*s\" has no place in state \"%.*s\"",
                     PUAN_FMT(p->label.name),
                     PUAN_FMT(run->flow->states[run->state].name));
}

static enum puan_status decide_ask(const struct puan_flow_run *run,
                                   const struct draft *d,
                                   const struct puan_flow_event *e,
                                   struct puan_err *err)
{
    const struct puan_flow *f = run->flow;
    int at = puan_flow_approval(f, e->name);
    const struct puan_flow_approval *p;
    puan_flow_set all = f->n_seats == PUAN_FLOW_MAX
                            ? ~(puan_flow_set)0
                            : BIT(f->n_seats) - 1;

    if (at < 0)
        return puan_fail(err, PUAN_ENOTFOUND, where_of(run),
                         "there is no approval \"%.*s\"", PUAN_FMT(e->name));
    p = &f->approvals[at];
    if (!fits_any(f, p->asked_by ? p->asked_by : all, &e->who))
        return denied(run, e->name, err);
    TRY(check_approval_state(run, p, err));
    if (run->approval[at].state == PUAN_FLOW_ASKED)
        return puan_fail(err, PUAN_ECONFLICT, "approval",
                         "the approval is asked for already");
    if (puan_flow_approval_good(run, at, e->event_ms))
        return puan_fail(err, PUAN_ECONFLICT, "approval",
                         "the approval is given already");
    /* what is signed may be filled in with the request */
    return check_fields(run, d, p->covers, p->covers, &e->who, err);
}

/* The seat of the approval that this signature would fill, or -1. */
int puan_flow_signing_seat(const struct puan_flow_run *run, int approval,
                           const struct puan_flow_who *who)
{
    const struct puan_flow_approval *p = &run->flow->approvals[approval];
    const struct puan_flow_approval_run *r = &run->approval[approval];

    if (p->rule == PUAN_FLOW_SEQUENCE)
        return r->n_sig < p->n_seats &&
                       puan_flow_seat_fits(run->flow, p->seats[r->n_sig], who)
                   ? p->seats[r->n_sig]
                   : -1;
    for (size_t i = 0; i < p->n_seats; i++) {
        bool taken = false;

        for (size_t k = 0; p->rule == PUAN_FLOW_ALL && k < r->n_sig; k++)
            taken = taken || r->sig[k].seat == p->seats[i];
        if (!taken && puan_flow_seat_fits(run->flow, p->seats[i], who))
            return p->seats[i];
    }
    return -1;
}

static enum puan_status decide_sign(const struct puan_flow_run *run,
                                    const struct draft *d,
                                    const struct puan_flow_event *e,
                                    const struct puan_flow_world *w,
                                    struct puan_err *err)
{
    const struct puan_flow *f = run->flow;
    int at = puan_flow_approval(f, e->name);
    const struct puan_flow_approval *p;
    const struct puan_flow_approval_run *r;
    uint8_t now[PUAN_DIGEST_SIZE];

    if (at < 0)
        return puan_fail(err, PUAN_ENOTFOUND, where_of(run),
                         "there is no approval \"%.*s\"", PUAN_FMT(e->name));
    p = &f->approvals[at];
    r = &run->approval[at];
    if (puan_flow_signing_seat(run, at, &e->who) < 0)
        return denied(run, e->name, err);
    if (r->state != PUAN_FLOW_ASKED)
        return puan_fail(err, PUAN_ECONFLICT, "approval",
                         "the approval \"%.*s\" %s", PUAN_FMT(p->label.name),
                         approval_word[r->state]);
    TRY(check_approval_state(run, p, err));
    if (p->not_requester && same_text(r->requester, e->who.actor))
        return puan_fail(err, PUAN_EDENIED, "approval",
                         "who asked for an approval does not sign it");
    for (size_t i = 0; i < r->n_sig; i++)
        if (same_text(r->sig[i].actor, e->who.actor))
            return puan_fail(err, PUAN_EDENIED, "approval",
                             "one person signs once");
    if (!e->yes && e->reason.n == 0)
        return puan_fail(err, PUAN_EINVAL, "reason",
                         "a refusal needs its reason");
    if (p->covers != 0) {
        if (e->digest == NULL || w == NULL || w->digest == NULL)
            return puan_fail(err, PUAN_EINVAL, "digest",
                             "a signature names the digest of what it covers");
        puan_flow_covered(now, run, at, w->digest);
        if (memcmp(now, e->digest, sizeof now) != 0)
            return puan_fail(err, PUAN_ECONFLICT, "digest",
                             "what was read is not what is there now; read it "
                             "again");
    }
    return check_fields(run, d, 0, 0, &e->who, err);
}

static bool moved_by(const struct puan_flow_run *run, int clock)
{
    const struct puan_flow *f = run->flow;

    for (size_t i = 0; i < f->n_transitions; i++)
        if (f->transitions[i].clock == clock &&
            PUAN_FLOW_HAS(f->transitions[i].from, run->state))
            return true;
    return false;
}

/* The next tick of one clock. */
static bool clock_next(const struct puan_flow_run *run, int clock,
                       const char **part, int64_t *at)
{
    const struct puan_flow_clock *c = &run->flow->clocks[clock];
    const struct puan_flow_clock_run *r = &run->clock[clock];
    bool found = false;

    if (r->state == PUAN_FLOW_CLOCK_RUNNING) {
        *part = "due";
        *at = r->due_ms;
        if (r->warned < c->n_warn) {
            int64_t warn = c->office && run->flow->hours != NULL
                               ? puan_office_add(run->flow->hours, r->start_ms,
                                                 c->warn[r->warned])
                               : r->start_ms + c->warn[r->warned];

            if (warn < r->due_ms) {
                *part = "warn";
                *at = warn;
            }
        }
        return true;
    }
    if (r->state != PUAN_FLOW_CLOCK_DUE)
        return false;
    if (r->rungs < c->n_ladder) {
        *part = "rung";
        *at = r->due_ms + (int64_t)r->rungs * c->every_ms;
        found = true;
    }
    if (c->retry_ms > 0 && moved_by(run, clock) &&
        (!found || r->tried_ms + c->retry_ms < *at)) {
        *part = "retry";
        *at = r->tried_ms + c->retry_ms;
        found = true;
    }
    return found;
}

bool puan_flow_next_tick(int *clock, const char **part, int64_t *at,
                         const struct puan_flow_run *run)
{
    bool found = false;

    for (size_t i = 0; i < run->flow->n_clocks; i++) {
        const char *p = NULL;
        int64_t t = 0;

        if (!clock_next(run, (int)i, &p, &t) || (found && t >= *at))
            continue;
        *clock = (int)i;
        *part = p;
        *at = t;
        found = true;
    }
    return found;
}

static enum puan_status decide_tick(struct puan_flow_decision *out,
                                    const struct puan_flow_run *run,
                                    const struct puan_flow_event *e,
                                    struct puan_err *err)
{
    const struct puan_flow *f = run->flow;
    int at = puan_flow_clock(f, e->name);
    const struct puan_flow_clock *c;
    const char *part = NULL;
    int64_t due = 0;

    if (at < 0)
        return puan_fail(err, PUAN_ENOTFOUND, where_of(run),
                         "there is no clock \"%.*s\"", PUAN_FMT(e->name));
    if (!e->who.system)
        return denied(run, e->name, err);
    c = &f->clocks[at];
    if (!clock_next(run, at, &part, &due) || !puan_str_is(e->part, part) ||
        (e->event_ms < due && !(e->yes && puan_str_is(e->part, "rung"))))
        return puan_fail(err, PUAN_ECONFLICT, "clock",
                         "the clock \"%.*s\" has nothing of that kind to do "
                         "now",
                         PUAN_FMT(e->name));
    if (puan_str_is(e->part, "due")) {
        TRY(add_effects(out, c->on_due, c->n_on_due, err));
        if (c->n_ladder > 0)
            TRY(add_seat(out, f, PUAN_FLOW_ESCALATE, c->ladder[0], err));
    } else if (puan_str_is(e->part, "rung")) {
        TRY(add_seat(out, f, PUAN_FLOW_ESCALATE,
                     c->ladder[run->clock[at].rungs], err));
    } else if (puan_str_is(e->part, "warn") && c->n_ladder > 0) {
        TRY(add_seat(out, f, PUAN_FLOW_NOTIFY, c->ladder[0], err));
    }
    return PUAN_OK;
}

/* ---- the fold --------------------------------------------------------- */

static bool is_recurrence(const struct puan_flow_run *run,
                          const struct puan_flow_clock *c)
{
    return run->flow->recurrence.clock >= 0 &&
           c == &run->flow->clocks[run->flow->recurrence.clock];
}

/* When the next run of a flow that recurs is opened: on the next day, in the
 * next week on Monday, in the next month on the 1st, by the plan's clock. */
static int64_t next_time(const struct puan_flow *f, int64_t start)
{
    const struct puan_flow_recurrence *r = &f->recurrence;
    int offset = f->hours ? f->hours->offset_minutes : 0;
    int64_t day = puan_instant_day(start, offset);

    if (r->every_ms > 0)
        return start + r->every_ms;
    if (puan_str_is(r->every, "week")) {
        day += 8 - puan_weekday(day);
    } else if (puan_str_is(r->every, "month")) {
        int y = 0, m = 0, d = 0;

        puan_day_split(day, &y, &m, &d);
        day = m == 12 ? puan_day_of(y + 1, 1, 1) : puan_day_of(y, m + 1, 1);
    } else {
        day++;
    }
    return day * 86400000 + (r->at_minute - offset) * INT64_C(60000);
}

static int64_t due_of(const struct puan_flow_run *run,
                      const struct puan_flow_clock *c, int64_t start)
{
    int64_t limit = c->limit_ms;

    if (is_recurrence(run, c))
        return next_time(run->flow, start);
    if (c->at_field >= 0)
        return run->field[c->at_field].v;
    if (c->limit_field >= 0) {
        limit = run->field[c->limit_field].v;
        limit = limit < 0 ? 0 : limit > 5256000 ? 5256000 : limit;
        limit *= 60000;
    }
    if (c->office && run->flow->hours != NULL)
        return puan_office_add(run->flow->hours, start, limit);
    return start + limit;
}

static bool named(const struct puan_flow_when *w, size_t n,
                  enum puan_flow_when_kind kind, int index)
{
    for (size_t i = 0; i < n; i++)
        if (w[i].kind == kind &&
            (kind == PUAN_FLOW_ON_OPEN || kind == PUAN_FLOW_ON_TAKE ||
             w[i].index == index))
            return true;
    return false;
}

static void start_clock(struct puan_flow_run *run, size_t i, int64_t ms)
{
    const struct puan_flow_clock *c = &run->flow->clocks[i];
    struct puan_flow_clock_run *r = &run->clock[i];
    bool runs = r->state == PUAN_FLOW_CLOCK_RUNNING ||
                r->state == PUAN_FLOW_CLOCK_DUE;

    if (run->drill && is_recurrence(run, c))
        return; /* a drill does not go on by itself */
    if ((runs && !c->restart) ||
        puan_flow_truth(c->when, run, run->field, ms, NULL) != PUAN_TRUE)
        return;
    if ((c->at_field >= 0 && !run->field[c->at_field].set) ||
        (c->limit_field >= 0 && !run->field[c->limit_field].set))
        return; /* its number is not there yet (when: says so, or the loader) */
    *r = (struct puan_flow_clock_run){ .state = PUAN_FLOW_CLOCK_RUNNING,
                                       .start_ms = ms,
                                       .due_ms = due_of(run, c, ms) };
}

/* Something happened that clocks may start or stop at. */
static void clocks_at(struct puan_flow_run *run, enum puan_flow_when_kind kind,
                      int index, int64_t ms)
{
    const struct puan_flow *f = run->flow;

    for (size_t i = 0; i < f->n_clocks; i++) {
        struct puan_flow_clock_run *r = &run->clock[i];

        if (named(f->clocks[i].stop, f->clocks[i].n_stop, kind, index) &&
            (r->state == PUAN_FLOW_CLOCK_RUNNING ||
             r->state == PUAN_FLOW_CLOCK_DUE)) {
            r->state = PUAN_FLOW_CLOCK_STOPPED;
            r->stop_ms = ms;
        }
    }
    for (size_t i = 0; i < f->n_clocks; i++)
        if (named(f->clocks[i].start, f->clocks[i].n_start, kind, index))
            start_clock(run, i, ms);
}

static void unlock(struct puan_flow_run *run, const struct puan_flow_effect *e,
                   size_t n, int64_t ms)
{
    for (size_t i = 0; i < n; i++) {
        if (e[i].kind == PUAN_FLOW_UNLOCK && !run->step[e[i].index].ordered) {
            run->step[e[i].index].ordered = true;
            run->step[e[i].index].ordered_ms = ms;
        }
        if (e[i].kind == PUAN_FLOW_VOID &&
            run->approval[e[i].index].state != PUAN_FLOW_UNASKED)
            run->approval[e[i].index].state = PUAN_FLOW_VOIDED;
    }
}

static void fold_act(struct puan_flow_run *run, int at, int64_t ms)
{
    const struct puan_flow *f = run->flow;
    const struct puan_flow_transition *t = &f->transitions[at];

    run->passed[at]++;
    run->passed_ms[at] = ms;
    for (size_t i = 0; i < f->n_quantities; i++) {
        const struct puan_flow_quantity *q = &f->quantities[i];

        if (PUAN_FLOW_HAS(q->in, at))
            run->moved[i] += run->field[q->field].v;
        if (PUAN_FLOW_HAS(q->out, at))
            run->moved[i] -= run->field[q->field].v;
    }
    if (t->approval >= 0)
        run->approval[t->approval].state = PUAN_FLOW_USED;
    /* guards of atomics that unlock or void read fields and state only */
    for (size_t i = 0; i < f->n_atomics; i++)
        if (f->atomics[i].on == at &&
            puan_flow_truth(f->atomics[i].when, run, run->field, ms, NULL) == PUAN_TRUE)
            unlock(run, f->atomics[i].effects, f->atomics[i].n_effects, ms);
    if (t->to >= 0 && t->to != run->state) {
        run->state = t->to;
        run->entered_ms = ms;
    }
    unlock(run, t->effects, t->n_effects, ms);
    clocks_at(run, PUAN_FLOW_ON_TRANSITION, at, ms);
    /* what a clock was refused may hold now: it tries again at once */
    for (size_t i = 0; i < f->n_clocks; i++)
        if (run->clock[i].state == PUAN_FLOW_CLOCK_DUE &&
            f->clocks[i].retry_ms > 0 &&
            run->clock[i].tried_ms > ms - f->clocks[i].retry_ms)
            run->clock[i].tried_ms = ms - f->clocks[i].retry_ms;
}

static void fold_sign(struct puan_flow_run *run, int at,
                      const struct puan_flow_event *e)
{
    struct puan_flow_approval_run *r = &run->approval[at];

    if (!e->yes) {
        r->state = PUAN_FLOW_REFUSED;
        r->decided_ms = e->event_ms;
        return;
    }
    if (r->n_sig < PUAN_COUNT(r->sig)) {
        r->sig[r->n_sig].seat = puan_flow_signing_seat(run, at, &e->who);
        r->sig[r->n_sig].actor = e->who.actor;
        r->sig[r->n_sig++].ms = e->event_ms;
    }
    if (r->n_sig >= run->flow->approvals[at].n) {
        r->state = PUAN_FLOW_GRANTED;
        r->decided_ms = e->event_ms;
    }
}

static void fold_tick(struct puan_flow_run *run, int at,
                      const struct puan_flow_event *e)
{
    const struct puan_flow_clock *c = &run->flow->clocks[at];
    struct puan_flow_clock_run *r = &run->clock[at];

    if (puan_str_is(e->part, "warn")) {
        r->warned++;
    } else if (puan_str_is(e->part, "due")) {
        r->state = PUAN_FLOW_CLOCK_DUE;
        if (run->flow->recurrence.clock == at) {
            /* it has done all it had to do: nobody is late */
            r->state = PUAN_FLOW_CLOCK_STOPPED;
            r->stop_ms = e->event_ms;
        }
        r->rungs = c->n_ladder > 0 ? 1 : 0;
        r->tries = 1;
        r->tried_ms = e->event_ms;
        unlock(run, c->on_due, c->n_on_due, e->event_ms);
        clocks_at(run, PUAN_FLOW_ON_DUE, at, e->event_ms);
    } else if (puan_str_is(e->part, "rung")) {
        r->rungs++;
    } else {
        r->tries++;
        r->tried_ms = e->event_ms;
    }
}

/* Fields first, then what happened; the rest follows from it. */
static enum puan_status fold(struct puan_flow_run *run, const struct draft *d,
                             const struct puan_flow_event *e,
                             const struct puan_digest_fn *digest,
                             struct puan_err *err)
{
    const struct puan_flow *f = run->flow;
    int at = -1;

    for (size_t i = 0; i < f->n_fields; i++)
        run->field[i] = d->v[i];
    for (size_t i = 0; i < f->n_approvals; i++) {
        struct puan_flow_approval_run *r = &run->approval[i];

        if (f->approvals[i].void_on_change &&
            (f->approvals[i].covers & d->changed) &&
            (r->state == PUAN_FLOW_ASKED || r->state == PUAN_FLOW_GRANTED))
            r->state = PUAN_FLOW_VOIDED;
    }
    for (size_t i = 0; i < f->n_clocks; i++)
        if (f->clocks[i].at_field >= 0 &&
            PUAN_FLOW_HAS(d->changed, f->clocks[i].at_field) &&
            run->clock[i].state == PUAN_FLOW_CLOCK_RUNNING)
            run->clock[i].due_ms = run->field[f->clocks[i].at_field].v;
    run->evidence = d->papers;

    switch (e->kind) {
    case PUAN_FLOW_OPEN:
        run->opened = true;
        run->drill = e->drill;
        run->state = f->initial;
        run->opened_ms = run->entered_ms = e->event_ms;
        run->opener = e->who.actor;
        unlock(run, f->open_effects, f->n_open_effects, e->event_ms);
        clocks_at(run, PUAN_FLOW_ON_OPEN, 0, e->event_ms);
        break;
    case PUAN_FLOW_ACT:
        at = puan_flow_transition(f, e->name);
        if (at < 0)
            goto unknown;
        fold_act(run, at, e->event_ms);
        break;
    case PUAN_FLOW_DO:
        at = puan_flow_step(f, e->name);
        if (at < 0)
            goto unknown;
        run->step[at].done = true;
        run->step[at].done_ms = e->event_ms;
        run->step[at].done_by = e->who.actor;
        if (f->steps[at].approval >= 0)
            run->approval[f->steps[at].approval].state = PUAN_FLOW_USED;
        clocks_at(run, PUAN_FLOW_ON_STEP, at, e->event_ms);
        break;
    case PUAN_FLOW_ORDER:
        at = puan_flow_step(f, e->name);
        if (at < 0)
            goto unknown;
        run->step[at].ordered = true;
        run->step[at].ordered_ms = e->event_ms;
        break;
    case PUAN_FLOW_ASK:
        at = puan_flow_approval(f, e->name);
        if (at < 0)
            goto unknown;
        run->approval[at] = (struct puan_flow_approval_run){
            .state = PUAN_FLOW_ASKED, .requester = e->who.actor,
            .asked_ms = e->event_ms
        };
        if (digest != NULL)
            puan_flow_covered(run->approval[at].digest, run, at, digest);
        break;
    case PUAN_FLOW_SIGN:
        at = puan_flow_approval(f, e->name);
        if (at < 0)
            goto unknown;
        fold_sign(run, at, e);
        break;
    case PUAN_FLOW_EVIDENCE:
        break;
    case PUAN_FLOW_TICK:
        at = puan_flow_clock(f, e->name);
        if (at < 0)
            goto unknown;
        fold_tick(run, at, e);
        break;
    case PUAN_FLOW_TAKE:
        run->taken_ms = e->event_ms;
        run->taken_by = e->who.actor;
        run->taken_role = e->who.role;
        clocks_at(run, PUAN_FLOW_ON_TAKE, 0, e->event_ms);
        break;
    case PUAN_FLOW_STOP:
        run->stopped = true;
        break;
    }
    for (size_t i = 0; i < f->n_fields; i++)
        if (PUAN_FLOW_HAS(d->changed, i) &&
            f->fields[i].type == PUAN_FLOW_TIME)
            clocks_at(run, PUAN_FLOW_ON_FIELD, (int)i, run->field[i].v);
    if (puan_flow_over(run)) {
        for (size_t i = 0; i < f->n_clocks; i++) {
            struct puan_flow_clock_run *r = &run->clock[i];

            if (f->recurrence.clock == (int)i)
                continue;
            if (r->state == PUAN_FLOW_CLOCK_RUNNING ||
                r->state == PUAN_FLOW_CLOCK_DUE) {
                r->state = PUAN_FLOW_CLOCK_STOPPED;
                r->stop_ms = e->event_ms;
            }
        }
    }
    run->n_events++;
    return PUAN_OK;
unknown:
    return puan_fail(err, PUAN_ENOTFOUND, where_of(run),
                     "the definition knows no \"%.*s\"; the run belongs to "
                     "another version of the plan",
                     PUAN_FMT(e->name));
}

void puan_flow_run_init(struct puan_flow_run *run, const struct puan_flow *flow)
{
    memset(run, 0, sizeof *run);
    run->flow = flow;
    run->state = flow->initial;
}

static enum puan_status check_time(const struct puan_flow_run *run,
                                   const struct puan_flow_event *e,
                                   struct puan_err *err)
{
    if (e->event_ms > e->entry_ms)
        return puan_fail(err, PUAN_EINVAL, "event",
                         "the time of the event lies in the future");
    if (e->kind != PUAN_FLOW_OPEN && e->event_ms < run->opened_ms)
        return puan_fail(err, PUAN_EINVAL, "event",
                         "the time of the event lies before the run began");
    return PUAN_OK;
}

enum puan_status puan_flow_apply(struct puan_flow_decision *out,
                                 struct puan_flow_run *run,
                                 const struct puan_flow_event *e,
                                 const struct puan_flow_world *world,
                                 struct puan_err *err)
{
    const struct puan_flow *f = run->flow;
    struct draft d;
    enum puan_status st = PUAN_OK;

    memset(out, 0, sizeof *out);
    out->from = out->to = run->state;
    if (!run->opened && e->kind != PUAN_FLOW_OPEN)
        return puan_fail(err, PUAN_ECONFLICT, where_of(run),
                         "the run is not open");
    if (run->stopped)
        return puan_fail(err, PUAN_ECONFLICT, "state",
                         "the drill is over; nothing goes on in its cases");
    if (PUAN_FLOW_HAS(f->terminal, run->state) && run->opened &&
        !(e->kind == PUAN_FLOW_TICK && f->recurrence.clock >= 0 &&
          puan_flow_clock(f, e->name) == f->recurrence.clock))
        return puan_fail(err, PUAN_ECONFLICT, "state",
                         "the run has ended; what is not declared is refused");
    TRY(check_time(run, e, err));
    if (e->who.external) {
        if (!entered_well(f, &e->who))
            return puan_fail(err, PUAN_EDENIED, where_of(run),
                             "this seat may not enter acts of external seats");
        if (e->n_papers == 0)
            return puan_fail(err, PUAN_EINVAL, "evidence",
                             "an external act needs the paper that shows it");
    }
    TRY(make_draft(&d, run, e, err));
    switch (e->kind) {
    case PUAN_FLOW_OPEN:
        st = decide_open(out, run, &d, e, err);
        break;
    case PUAN_FLOW_ACT:
        st = decide_act(out, run, &d, e, world, err);
        break;
    case PUAN_FLOW_DO:
    case PUAN_FLOW_ORDER:
        st = decide_step(run, &d, e, world, err);
        break;
    case PUAN_FLOW_ASK:
        st = decide_ask(run, &d, e, err);
        break;
    case PUAN_FLOW_SIGN:
        st = decide_sign(run, &d, e, world, err);
        break;
    case PUAN_FLOW_EVIDENCE:
        if (!fits_any(f, ~(puan_flow_set)0, &e->who))
            return denied(run, PUAN_STR("evidence"), err);
        if (e->n_papers == 0)
            return puan_fail(err, PUAN_EINVAL, "evidence",
                             "attach at least one piece of evidence");
        st = check_fields(run, &d, 0, 0, &e->who, err);
        break;
    case PUAN_FLOW_TICK:
        st = check_fields(run, &d, 0, 0, &e->who, err);
        if (st == PUAN_OK)
            st = decide_tick(out, run, e, err);
        break;
    case PUAN_FLOW_TAKE:
        st = decide_take(run, &d, e, err);
        break;
    case PUAN_FLOW_STOP:
        st = decide_stop(run, &d, e, err);
        break;
    }
    if (st != PUAN_OK)
        return st;
    TRY(fold(run, &d, e, world ? world->digest : NULL, err));
    out->to = run->state;
    out->ended = puan_flow_over(run);
    return PUAN_OK;
}

enum puan_status puan_flow_fold(struct puan_flow_run *run,
                                const struct puan_flow_event *e,
                                struct puan_err *err)
{
    struct draft d;

    TRY(make_draft(&d, run, e, err));
    TRY(fold(run, &d, e, NULL, err));
    if (e->kind == PUAN_FLOW_ASK && e->digest != NULL) {
        int at = puan_flow_approval(run->flow, e->name);

        if (at >= 0)
            memcpy(run->approval[at].digest, e->digest, PUAN_DIGEST_SIZE);
    }
    return PUAN_OK;
}

void puan_flow_covered(uint8_t out[PUAN_DIGEST_SIZE],
                       const struct puan_flow_run *run, int approval,
                       const struct puan_digest_fn *digest)
{
    const struct puan_flow *f = run->flow;
    puan_flow_set covers = f->approvals[approval].covers;
    struct puan_str part[4 + 4 * PUAN_FLOW_MAX];
    char num[PUAN_FLOW_MAX][24], len[PUAN_FLOW_MAX][24];
    size_t n = 0;

    part[n++] = f->label.name;
    part[n++] = PUAN_STR("\x1f");
    part[n++] = f->approvals[approval].label.name;
    for (size_t i = 0; i < f->n_fields; i++) {
        const struct puan_flow_value *v = &run->field[i];
        size_t k;

        if (!PUAN_FLOW_HAS(covers, i))
            continue;
        /* "\x1f name LENGTH = value": no two sets of fields look alike */
        part[n++] = PUAN_STR("\x1f");
        part[n++] = f->fields[i].label.name;
        k = puan_format(num[i], sizeof num[i], "%lld", (long long)v->v);
        if (!v->set)
            num[i][0] = '-', k = 1;
        else if (v->text.p != NULL)
            k = v->text.n;
        puan_format(len[i], sizeof len[i], " %zu=", k);
        part[n++] = puan_str_of(len[i]);
        part[n++] = v->set && v->text.p != NULL
                        ? v->text
                        : (struct puan_str){ num[i], k };
    }
    digest->hash(digest->ctx, out, part, n);
}

bool puan_flow_run_blocks(const struct puan_flow_run *run, struct puan_str flow,
                          struct puan_str transition)
{
    const struct puan_flow *f = run->flow;

    if (!run->opened || PUAN_FLOW_HAS(f->terminal, run->state))
        return false;
    for (size_t i = 0; i < f->n_blocks; i++) {
        const struct puan_flow_block *b = &f->blocks[i];

        if (!same_text(b->flow, flow) || !same_text(b->transition, transition))
            continue;
        if (b->until < 0 ||
            run->approval[b->until].state != PUAN_FLOW_GRANTED)
            return true;
    }
    return false;
}

bool puan_flow_run_attests(const struct puan_flow_run *run, size_t i)
{
    const struct puan_flow_attests *x = &run->flow->attests;

    return i < x->n && run->opened && !run->drill &&
           PUAN_FLOW_HAS(x->in, run->state) &&
           (x->record[i].when == NULL ||
            puan_flow_truth(x->record[i].when, run, run->field, run->entered_ms,
                            NULL) == PUAN_TRUE);
}

int puan_flow_record(const struct puan_flow *f, struct puan_str name)
{
    for (size_t i = 0; i < f->attests.n; i++)
        if (puan_str_eq(f->attests.record[i].name, name))
            return (int)i;
    return -1;
}
