/*
 * The verbs of the core: cases, time, what is expected of them, who may use a
 * capability, which forms are taken, what rules find.  doc/proof.md lists them.
 */
#include "core/plan/routing.h"
#include "core/proof/internal.h"

/* ---- acts on cases -------------------------------------------------------- */

static struct puan_str text_of(const struct puan_node *n)
{
    return n != NULL && n->kind == PUAN_NODE_SCALAR ? n->text : PUAN_STR("");
}

/* Fields as the play writes them; "now-30m" becomes an instant. */
static enum puan_status read_fields(const struct puan_node **out,
                                    const struct puan_world *w,
                                    const struct puan_node *step,
                                    struct puan_err *err)
{
    const struct puan_node *map = puan_node_get(step, "fields");
    struct puan_node *copy, **tail;

    *out = NULL;
    if (map == NULL)
        return PUAN_OK;
    if (map->kind != PUAN_NODE_MAP)
        return puan_node_fail(map, err, "`fields` maps names to values");
    copy = puan_new(w->arena, struct puan_node);
    if (copy == NULL)
        return puan_arena_check(w->arena, err);
    *copy = *map;
    copy->first = NULL;
    tail = &copy->first;
    PUAN_NODE_EACH(c, map)
    {
        struct puan_node *n = puan_new(w->arena, struct puan_node);
        int64_t ms = 0;

        if (n == NULL)
            return puan_arena_check(w->arena, err);
        *n = *c;
        n->next = NULL;
        if (!c->quoted && puan_str_starts(c->text, "now") &&
            puan_world_time(&ms, w, c, NULL) == PUAN_OK) {
            char text[32];

            puan_instant_text(text, ms, w->stage->plan->offset_minutes);
            n->text = puan_str_of(puan_arena_dup(w->arena, puan_str_of(text)));
        }
        *tail = n;
        tail = &n->next;
    }
    *out = copy;
    return PUAN_OK;
}

static enum puan_status read_papers(struct puan_flow_event *e,
                                    const struct puan_world *w,
                                    const struct puan_node *step,
                                    struct puan_err *err)
{
    const struct puan_node *kinds = puan_node_get(step, "evidence");
    size_t n = kinds ? kinds->n : 0;
    struct puan_flow_paper *p =
        puan_new_n(w->arena, n + 2, struct puan_flow_paper);

    if (p == NULL)
        return puan_arena_check(w->arena, err);
    if (kinds != NULL && kinds->kind == PUAN_NODE_SCALAR)
        p[e->n_papers++].kind = kinds->text;
    PUAN_NODE_EACH(c, kinds)
    p[e->n_papers++].kind = c->text;
    if (e->who.external && puan_node_get(step, "no_paper") == NULL)
        p[e->n_papers++].kind = PUAN_STR("external");
    for (size_t i = 0; i < e->n_papers; i++)
        w->stage->digest->hash(w->stage->digest->ctx, p[i].digest, &p[i].kind,
                               1);
    e->papers = p;
    return PUAN_OK;
}

/* The seat may use the capability at all, as the routes ask it. */
static enum puan_status may_use(const struct puan_role *role,
                                const char *capability, struct puan_err *err)
{
    if (role == NULL || puan_role_can(role, puan_str_of(capability)))
        return PUAN_OK;
    return puan_fail(err, PUAN_EDENIED, "seat",
                     "the role \"%.*s\" has no capability %s",
                     PUAN_FMT(role->id), capability);
}

static enum puan_status begin_event(struct puan_flow_event *e,
                                    const struct puan_role **role,
                                    struct puan_world *w,
                                    const struct puan_node *step,
                                    int64_t area, struct puan_err *err)
{
    const struct puan_node *when = puan_node_get(step, "event");

    puan_world_mark(w);
    TRY(puan_world_who(&e->who, role, w, step, area, err));
    TRY(read_fields(&e->fields, w, step, err));
    if (when != NULL)
        TRY(puan_world_time(&e->event_ms, w, when, err));
    e->skip = puan_node_str_opt(step, "skip", "");
    e->reason = puan_node_str_opt(step, "reason", "");
    return read_papers(e, w, step, err);
}

static enum puan_status open_case(struct puan_world *w,
                                  const struct puan_node *step,
                                  struct puan_err *err)
{
    const struct puan_node *at = puan_node_get(step, "area");
    struct puan_flow_event e = { .kind = PUAN_FLOW_OPEN };
    const struct puan_role *role = NULL;
    struct puan_err why = { 0 };
    struct puan_str flow;
    int64_t area = w->area;
    enum puan_status st;

    TRY(puan_node_str(&flow, step, "open", err));
    if (at != NULL && (!puan_int_parse(&area, at->text) ||
                       puan_world_level(w, area) < 0))
        return puan_node_fail(at, err, "`area` is the code of an area");
    TRY(begin_event(&e, &role, w, step, area, err));
    TRY(puan_node_bool(&e.drill, step, "drill", false, err));
    st = may_use(role, "case.open", &why);
    if (st == PUAN_OK)
        st = puan_world_open(w, flow, area, -1, &e, &why);
    if (st == PUAN_OK)
        w->at[w->current]->name = puan_node_str_opt(step, "name", "");
    return puan_world_came(w, step, st, &why, err);
}

static enum puan_status do_event(struct puan_world *w,
                                 const struct puan_node *step,
                                 enum puan_flow_event_kind kind,
                                 const char *verb, struct puan_err *err)
{
    struct puan_flow_event e = { .kind = kind, .yes = true };
    const struct puan_role *role = NULL;
    struct puan_world_case *c = NULL;
    struct puan_err why = { 0 };
    uint8_t digest[PUAN_DIGEST_SIZE] = { 0 };
    bool no = false, stale = false;
    enum puan_status st;

    TRY(puan_world_case(&c, w, step, err));
    TRY(begin_event(&e, &role, w, step, c->run.area, err));
    if (kind != PUAN_FLOW_TAKE && kind != PUAN_FLOW_EVIDENCE)
        TRY(puan_node_str(&e.name, step, verb, err));
    if (kind == PUAN_FLOW_SIGN) {
        int at = puan_flow_approval(c->run.flow, e.name);

        TRY(puan_node_bool(&no, step, "no", false, err));
        TRY(puan_node_bool(&stale, step, "stale", false, err));
        e.yes = !no;
        if (at >= 0)
            puan_flow_covered(digest, &c->run, at, w->stage->digest);
        digest[0] ^= stale;
        e.digest = digest;
    }
    st = may_use(role, "case.act", &why);
    if (st == PUAN_OK)
        st = puan_world_event(w, puan_world_index(w, c), &e, &why);
    return puan_world_came(w, step, st, &why, err);
}

#define EVENT(name, kind)                                                      \
    static enum puan_status do_##name(struct puan_world *w,                    \
                                      const struct puan_node *step,            \
                                      struct puan_err *err)                    \
    {                                                                          \
        return do_event(w, step, kind, #name, err);                            \
    }
EVENT(act, PUAN_FLOW_ACT)
EVENT(step, PUAN_FLOW_DO)
EVENT(order, PUAN_FLOW_ORDER)
EVENT(ask, PUAN_FLOW_ASK)
EVENT(sign, PUAN_FLOW_SIGN)
EVENT(take, PUAN_FLOW_TAKE)
EVENT(attach, PUAN_FLOW_EVIDENCE)

static enum puan_status set_facts(struct puan_world *w,
                                  const struct puan_node *step,
                                  struct puan_err *err)
{
    struct puan_world_case *c = NULL;

    TRY(puan_world_case(&c, w, step, err));
    PUAN_NODE_EACH(f, puan_node_get(step, "facts"))
    {
        const struct puan_flow *flow = c->run.flow;
        const struct puan_codelist *words = NULL;
        int64_t v = 0;
        size_t at = 0;
        bool known = puan_str_starts(f->key, "open.");

        for (size_t i = 0; i < flow->n_facts; i++)
            if (puan_str_eq(flow->facts[i].name, f->key)) {
                words = flow->facts[i].words;
                known = true;
            }
        if (!known)
            return puan_node_fail(f, err, "the flow asks for no fact \"%.*s\"",
                                  PUAN_FMT(f->key));
        if (words == NULL && !puan_int_parse(&v, f->text))
            return puan_node_fail(f, err, "a fact is a whole number");
        if (words != NULL) {
            size_t k = 0;

            while (k < words->n && !puan_str_eq(words->codes[k].text, f->text))
                k++;
            if (k == words->n)
                return puan_node_fail(f, err, "the fact has no word \"%.*s\"",
                                      PUAN_FMT(f->text));
            v = words->codes[k].value;
        }
        while (at < c->n_facts && !puan_str_eq(c->fact[at].name, f->key))
            at++;
        if (at == PUAN_WORLD_FACTS)
            return puan_node_fail(f, err, "more than %d facts",
                                  PUAN_WORLD_FACTS);
        c->fact[at] = (struct puan_flow_given){ f->key, v };
        if (at == c->n_facts)
            c->n_facts++;
    }
    return PUAN_OK;
}

/* ---- time ---------------------------------------------------------------------- */

static enum puan_status pass_time(struct puan_world *w,
                                  const struct puan_node *step,
                                  struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(step, "pass");
    int64_t ms = 0;

    if (!puan_flow_duration(&ms, text_of(n)))
        return puan_node_fail(n, err, "\"%.*s\" is no length of time; write "
                                      "30m, 24h or 2d",
                              PUAN_FMT(text_of(n)));
    puan_world_mark(w);
    return puan_world_pass(w, w->now + ms, err);
}

static enum puan_status set_clock(struct puan_world *w,
                                  const struct puan_node *step,
                                  struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(step, "clock");
    int64_t ms = 0;

    TRY(puan_world_time(&ms, w, n, err));
    if (ms < w->now)
        return puan_node_fail(n, err, "time does not go back; `fresh: true` "
                                      "begins anew");
    puan_world_mark(w);
    return puan_world_pass(w, ms, err);
}

static enum puan_status begin_fresh(struct puan_world *w,
                                    const struct puan_node *step,
                                    struct puan_err *err)
{
    (void)step;
    (void)err;
    puan_world_fresh(w);
    return PUAN_OK;
}

static enum puan_status begin_named(struct puan_world *w,
                                    const struct puan_node *step,
                                    struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(step, "begin");
    const struct puan_node *steps =
        puan_node_get_s(w->scenario->begins, text_of(n));
    enum puan_status st;

    if (steps == NULL || steps->kind != PUAN_NODE_LIST)
        return puan_node_fail(n, err, "the file has no list \"%.*s\" under "
                                      "`begin`",
                              PUAN_FMT(text_of(n)));
    if (w->depth == 8)
        return puan_node_fail(n, err, "beginnings within beginnings, too deep");
    w->depth++;
    st = puan_world_steps(w, steps, err);
    w->depth--;
    return st;
}

/* ---- what is expected ------------------------------------------------------------ */

static enum puan_status expect_state(struct puan_world *w,
                                     const struct puan_node *step,
                                     struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(step, "state");
    struct puan_world_case *c = NULL;
    struct puan_str is;

    TRY(puan_world_case(&c, w, step, err));
    is = c->run.flow->states[c->run.state].name;
    if (puan_flow_state(c->run.flow, text_of(n)) < 0)
        return puan_node_fail(n, err, "the flow has no state \"%.*s\"",
                              PUAN_FMT(text_of(n)));
    if (!puan_str_eq(is, text_of(n)))
        return puan_node_fail(n, err, "the case stands at \"%.*s\"",
                              PUAN_FMT(is));
    return PUAN_OK;
}

static const char *const told_kinds[] = { "notify", "report",  "copy", "open",
                                          "call",   "unlock", "void", "overdue" };

static bool told_fits(const struct puan_world *w, const struct puan_told *t,
                      const struct puan_node *step, struct puan_str seat,
                      int about)
{
    struct puan_str kind = puan_node_str_opt(step, "kind", "");
    struct puan_str level = puan_node_str_opt(step, "at", "");
    struct puan_str clock = puan_node_str_opt(step, "of", "");
    struct puan_str vacant = puan_node_str_opt(step, "vacant", "");
    int at = puan_world_level(w, t->area);

    if (about >= 0 && t->of >= 0 && t->of != about)
        return false;
    if (!puan_str_eq(t->seat, seat) && !puan_str_eq(t->role, seat))
        return false;
    if (kind.n > 0 && !puan_str_is(kind, told_kinds[t->kind]))
        return false;
    if (clock.n > 0 && !puan_str_eq(clock, t->clock))
        return false;
    if (vacant.n > 0 && puan_str_is(vacant, "true") != t->vacant)
        return false;
    if (level.n > 0 && !puan_str_eq(level, t->level) &&
        (at < 0 || !puan_str_eq(level, w->stage->plan->level[at].id)))
        return false;
    return true;
}

static enum puan_status one_told(struct puan_world *w,
                                 const struct puan_node *step,
                                 const struct puan_node *n, bool wanted,
                                 struct puan_err *err)
{
    const struct puan_told *t = w->since ? w->since->next : w->told;
    int about = w->current;
    bool found = false;

    if (puan_node_get(step, "case") != NULL) {
        struct puan_world_case *c = NULL;

        TRY(puan_world_case(&c, w, step, err));
        about = puan_world_index(w, c);
    }
    for (; t != NULL && !found; t = t->next)
        found = told_fits(w, t, step, text_of(n), about);
    puan_world_found(w, found);
    if (found == wanted)
        return PUAN_OK;
    return puan_node_fail(n, err,
                          wanted ? "\"%.*s\" was not told so by the step before"
                                 : "\"%.*s\" was told, and should not be",
                          PUAN_FMT(text_of(n)));
}

static enum puan_status each_told(struct puan_world *w,
                                  const struct puan_node *step,
                                  const char *verb, bool wanted,
                                  struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(step, verb);

    if (n->kind == PUAN_NODE_SCALAR)
        return one_told(w, step, n, wanted, err);
    PUAN_NODE_EACH(c, n)
    TRY(one_told(w, step, c, wanted, err));
    return PUAN_OK;
}
static enum puan_status expect_told(struct puan_world *w,
                                    const struct puan_node *step,
                                    struct puan_err *err)
{
    return each_told(w, step, "told", true, err);
}
static enum puan_status expect_not_told(struct puan_world *w,
                                        const struct puan_node *step,
                                        struct puan_err *err)
{
    return each_told(w, step, "not_told", false, err);
}

/* How a clock stands, in a word. */
static const char *clock_word(const struct puan_flow_clock_run *r)
{
    switch (r->state) {
    case PUAN_FLOW_CLOCK_RUNNING:
        return "running";
    case PUAN_FLOW_CLOCK_DUE:
        return "overdue";
    case PUAN_FLOW_CLOCK_STOPPED:
        return r->stop_ms <= r->due_ms ? "met" : "missed";
    case PUAN_FLOW_CLOCK_OFF:
        break;
    }
    return "off";
}

static enum puan_status expect_clocks(struct puan_world *w,
                                      const struct puan_node *step,
                                      struct puan_err *err)
{
    struct puan_world_case *c = NULL;

    TRY(puan_world_case(&c, w, step, err));
    PUAN_NODE_EACH(n, puan_node_get(step, "clocks"))
    {
        int at = puan_flow_clock(c->run.flow, n->key);
        const char *is;

        if (at < 0 && w->stage->mutant && puan_str_is(n->text, "off"))
            continue;
        if (at < 0)
            return puan_node_fail(n, err, "the flow has no clock \"%.*s\"",
                                  PUAN_FMT(n->key));
        is = clock_word(&c->run.clock[at]);
        if (!puan_str_is(n->text, is))
            return puan_node_fail(n, err, "the clock \"%.*s\" is %s",
                                  PUAN_FMT(n->key), is);
        w->played.met += puan_str_is(n->text, "met");
        w->played.missed += puan_str_is(n->text, "missed") ||
                            puan_str_is(n->text, "overdue");
        if (puan_str_is(n->text, "off"))
            w->played.absent++;
    }
    return PUAN_OK;
}

static enum puan_status expect_due(struct puan_world *w,
                                   const struct puan_node *step,
                                   struct puan_err *err)
{
    struct puan_world_case *c = NULL;

    TRY(puan_world_case(&c, w, step, err));
    PUAN_NODE_EACH(n, puan_node_get(step, "due"))
    {
        int at = puan_flow_clock(c->run.flow, n->key);
        int64_t want = 0, is;

        if (at < 0 || c->run.clock[at].state == PUAN_FLOW_CLOCK_OFF)
            return puan_node_fail(n, err, "no clock \"%.*s\" has been started",
                                  PUAN_FMT(n->key));
        is = c->run.clock[at].due_ms - c->run.clock[at].start_ms;
        if (puan_instant_parse(&want, n->text))
            is = c->run.clock[at].due_ms;
        else if (!puan_flow_duration(&want, n->text))
            return puan_node_fail(n, err, "write a length like 24h or a time");
        if (is != want)
            return puan_node_fail(n, err,
                                  "the clock \"%.*s\" is due %lld minutes "
                                  "%s",
                                  PUAN_FMT(n->key),
                                  (long long)((is - want) / 60000),
                                  is > want ? "later" : "from that");
    }
    return PUAN_OK;
}

static enum puan_status expect_steps(struct puan_world *w,
                                     const struct puan_node *step,
                                     struct puan_err *err)
{
    struct puan_world_case *c = NULL;

    TRY(puan_world_case(&c, w, step, err));
    PUAN_NODE_EACH(n, puan_node_get(step, "steps"))
    {
        int at = puan_flow_step(c->run.flow, n->key);
        const char *is;

        if (at < 0 && w->stage->mutant && puan_str_is(n->text, "shut"))
            continue;
        if (at < 0)
            return puan_node_fail(n, err, "the flow has no step \"%.*s\"",
                                  PUAN_FMT(n->key));
        is = c->run.step[at].done                    ? "done"
             : puan_flow_step_open(&c->run, at) ? "open"
                                                     : "shut";
        if (!puan_str_is(n->text, is))
            return puan_node_fail(n, err, "the step \"%.*s\" is %s",
                                  PUAN_FMT(n->key), is);
        puan_world_found(w, is[0] != 's');
    }
    return PUAN_OK;
}

static enum puan_status expect_approvals(struct puan_world *w,
                                         const struct puan_node *step,
                                         struct puan_err *err)
{
    static const char *const word[] = { "unasked", "asked",  "granted",
                                        "refused", "voided", "used" };
    struct puan_world_case *c = NULL;

    TRY(puan_world_case(&c, w, step, err));
    PUAN_NODE_EACH(n, puan_node_get(step, "approvals"))
    {
        int at = puan_flow_approval(c->run.flow, n->key);

        if (at < 0 && w->stage->mutant && puan_str_is(n->text, "unasked"))
            continue;
        if (at < 0)
            return puan_node_fail(n, err, "the flow has no approval \"%.*s\"",
                                  PUAN_FMT(n->key));
        if (!puan_str_is(n->text, word[c->run.approval[at].state]))
            return puan_node_fail(n, err, "the approval \"%.*s\" is %s",
                                  PUAN_FMT(n->key),
                                  word[c->run.approval[at].state]);
    }
    return PUAN_OK;
}

/* A field as its event would write it. */
static const char *field_text(const struct puan_world *w,
                              const struct puan_world_case *c, int at)
{
    const struct puan_flow_field *f = &c->run.flow->fields[at];
    const struct puan_flow_value *v = &c->run.field[at];
    char text[32];

    if (!v->set)
        return "none";
    switch (f->type) {
    case PUAN_FLOW_TEXT:
    case PUAN_FLOW_REF:
        return puan_arena_dup(w->arena, v->text);
    case PUAN_FLOW_ENUM:
    case PUAN_FLOW_BOOL:
        for (size_t i = 0; i < f->words->n; i++)
            if (f->words->codes[i].value == v->v)
                return puan_arena_dup(w->arena, f->words->codes[i].text);
        break;
    case PUAN_FLOW_TIME:
        puan_instant_text(text, v->v, w->stage->plan->offset_minutes);
        return puan_arena_dup(w->arena, puan_str_of(text));
    case PUAN_FLOW_INT:
    case PUAN_FLOW_AREA:
        break;
    }
    return puan_arena_fmt(w->arena, "%lld", (long long)v->v);
}

static enum puan_status expect_has(struct puan_world *w,
                                   const struct puan_node *step,
                                   struct puan_err *err)
{
    struct puan_world_case *c = NULL;

    TRY(puan_world_case(&c, w, step, err));
    PUAN_NODE_EACH(n, puan_node_get(step, "has"))
    {
        int at = puan_flow_field(c->run.flow, n->key);
        const char *is;

        if (at < 0 && w->stage->mutant && puan_str_is(n->text, "none"))
            continue;
        if (at < 0)
            return puan_node_fail(n, err, "the flow has no field \"%.*s\"",
                                  PUAN_FMT(n->key));
        is = field_text(w, c, at);
        if (!puan_str_is(n->text, is))
            return puan_node_fail(n, err, "the field \"%.*s\" is \"%s\"",
                                  PUAN_FMT(n->key), is);
        puan_world_found(w, c->run.field[at].set);
    }
    return PUAN_OK;
}

/* The last open case of a flow, else the last; -1 none. */
static int last_of(const struct puan_world *w, struct puan_str flow)
{
    for (int i = w->n - 1; i >= 0; i--)
        if (puan_str_eq(w->at[i]->run.flow->label.name, flow))
            return i;
    return -1;
}

static enum puan_status expect_opened(struct puan_world *w,
                                      const struct puan_node *step,
                                      struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(step, "opened");
    int at = last_of(w, text_of(n));

    puan_world_found(w, at >= 0);
    if (at < 0)
        return puan_node_fail(n, err, "no case of \"%.*s\" was opened",
                              PUAN_FMT(text_of(n)));
    w->current = at;
    w->at[at]->name = puan_node_str_opt(step, "name", "");
    return PUAN_OK;
}

static enum puan_status expect_not_opened(struct puan_world *w,
                                          const struct puan_node *step,
                                          struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(step, "not_opened");
    int at = last_of(w, text_of(n));

    puan_world_found(w, at >= 0);
    if (at >= 0)
        return puan_node_fail(n, err, "a case of \"%.*s\" was opened",
                              PUAN_FMT(text_of(n)));
    return PUAN_OK;
}

static enum puan_status expect_called(struct puan_world *w,
                                      const struct puan_node *step,
                                      struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(step, "called");

    for (size_t i = 0; i < w->n_called; i++)
        if (puan_str_eq(w->called[i], text_of(n))) {
            puan_world_found(w, true);
            return PUAN_OK;
        }
    return puan_node_fail(n, err, "nothing called \"%.*s\"",
                          PUAN_FMT(text_of(n)));
}

/* What the play goes on about. */
static enum puan_status go_on(struct puan_world *w,
                              const struct puan_node *step,
                              struct puan_err *err)
{
    const struct puan_node *n = puan_node_get(step, "about");

    for (int i = 0; i < w->n; i++)
        if (puan_str_eq(w->at[i]->name, text_of(n))) {
            w->current = i;
            return PUAN_OK;
        }
    return puan_node_fail(n, err, "the play has no case \"%.*s\"",
                          PUAN_FMT(text_of(n)));
}

/* ---- access ------------------------------------------------------------------------ */

static enum puan_status may_do(struct puan_world *w,
                               const struct puan_node *step,
                               struct puan_err *err)
{
    const struct puan_node *on = puan_node_get(step, "area");
    const struct puan_role *role = NULL;
    struct puan_flow_who who;
    struct puan_err why = { 0 };
    struct puan_str can;
    int64_t area = w->area;
    enum puan_status st;

    TRY(puan_node_str(&can, step, "can", err));
    if (on != NULL && (!puan_int_parse(&area, on->text) ||
                       puan_world_level(w, area) < 0))
        return puan_node_fail(on, err, "`area` is the code of an area");
    TRY(puan_world_who(&who, &role, w, step, w->area, err));
    st = may_use(role, puan_arena_dup(w->arena, can), &why);
    if (st == PUAN_OK && !puan_world_holds(w, who.area, area))
        st = puan_fail(&why, PUAN_EDENIED, "area",
                       "the seat's area does not hold %lld", (long long)area);
    return puan_world_came(w, step, st, &why, err);
}

/* A case of the play attests the record of that person; *by_flow: a flow of
   the plan attests it at all, so that saying so is not enough. */
static bool attested(bool *by_flow, const struct puan_world *w,
                     struct puan_str record, struct puan_str who)
{
    *by_flow = false;
    for (size_t i = 0; i < w->stage->flows->n; i++)
        *by_flow |= puan_flow_record(w->stage->flows->flow[i], record) >= 0;
    for (int i = 0; i < w->n; i++) {
        const struct puan_flow_run *run = &w->at[i]->run;
        const struct puan_flow_attests *x = &run->flow->attests;
        int at = puan_flow_record(run->flow, record);

        if (at >= 0 && run->field[x->who].set &&
            puan_str_eq(run->field[x->who].text, who) &&
            puan_flow_run_attests(run, (size_t)at))
            return true;
    }
    return false;
}

/* Two roles that one person must not hold, an attested record a seat needs. */
static enum puan_status may_hold(struct puan_world *w,
                                 const struct puan_node *step,
                                 struct puan_err *err)
{
    const struct puan_node *held = puan_node_get(step, "beside");
    const struct puan_node *has = puan_node_get(step, "attested");
    const struct puan_plan *p = w->stage->plan;
    struct puan_err why = { 0 };
    const struct puan_role *r;
    enum puan_status st = PUAN_OK;
    struct puan_str id;

    TRY(puan_node_str(&id, step, "hold", err));
    r = puan_plan_role(p, id);
    if (r == NULL)
        return puan_node_fail(step, err, "the plan has no role \"%.*s\"",
                              PUAN_FMT(id));
    for (size_t i = 0; i < r->n_needs && st == PUAN_OK; i++) {
        bool by_flow;
        bool given = attested(&by_flow, w, r->needs[i],
                              puan_node_str_opt(step, "person", ""));

        given = given ||
                (!by_flow && puan_str_eq(text_of(has), r->needs[i]));
        PUAN_NODE_EACH(c, has)
        given = given || (!by_flow && puan_str_eq(c->text, r->needs[i]));
        if (!given)
            st = puan_fail(&why, PUAN_ECONFLICT, "seat",
                           "the seat needs \"%.*s\"", PUAN_FMT(r->needs[i]));
    }
    for (size_t i = 0; held != NULL && i < p->n_roles && st == PUAN_OK; i++) {
        const struct puan_role *o = &p->role[i];
        bool both = puan_str_eq(text_of(held), o->id);

        PUAN_NODE_EACH(c, held)
        both = both || puan_str_eq(c->text, o->id);
        for (size_t k = 0; both && k < r->n_excludes && st == PUAN_OK; k++)
            if (puan_str_eq(r->excludes[k], o->id))
                st = puan_fail(&why, PUAN_ECONFLICT, "seat",
                               "nobody holds both");
        for (size_t k = 0; both && k < o->n_excludes && st == PUAN_OK; k++)
            if (puan_str_eq(o->excludes[k], r->id))
                st = puan_fail(&why, PUAN_ECONFLICT, "seat",
                               "nobody holds both");
    }
    return puan_world_came(w, step, st, &why, err);
}

/* ---- returns ------------------------------------------------------------------------ */

/* Is a return of that form taken now, in that mode? */
static enum puan_status may_send(struct puan_world *w,
                                 const struct puan_node *step,
                                 struct puan_err *err)
{
    const struct puan_plan *p = w->stage->plan;
    const struct puan_node *at = puan_node_get(step, "event");
    struct puan_err why = { 0 };
    struct puan_str form;
    int64_t ms = w->now;
    enum puan_status st = PUAN_OK;

    TRY(puan_node_str(&form, step, "send", err));
    if (at != NULL)
        TRY(puan_world_time(&ms, w, at, err));
    if (puan_plan_form(p, form) == NULL)
        st = puan_fail(&why, PUAN_ENOTFOUND, "form", "the plan has no such "
                                                     "form");
    else if (puan_plan_open(p, form, puan_node_str_opt(step, "mode", ""), ms) ==
             NULL)
        st = puan_fail(&why, PUAN_ECONFLICT, "window",
                       "no window is open for this form in this mode now");
    return puan_world_came(w, step, st, &why, err);
}

static void put_json(struct puan_jw *w, const struct puan_node *n)
{
    switch (n->kind) {
    case PUAN_NODE_NULL:
        puan_jw_null(w);
        break;
    case PUAN_NODE_SCALAR:
        puan_jw_str(w, n->text);
        break;
    case PUAN_NODE_LIST:
        puan_jw_list(w);
        PUAN_NODE_EACH(c, n)
        put_json(w, c);
        puan_jw_end(w, ']');
        break;
    case PUAN_NODE_MAP:
        puan_jw_map(w);
        PUAN_NODE_EACH(c, n)
        {
            puan_jw_key_s(w, c->key);
            put_json(w, c);
        }
        puan_jw_end(w, '}');
        break;
    }
}

/* The document of a step: its head filled in, the answers as written. */
static struct puan_str document(const struct puan_world *w,
                                const struct puan_node *step,
                                struct puan_str form)
{
    const struct puan_plan *p = w->stage->plan;
    int64_t household = w->area;
    int level = puan_world_level(w, w->area);
    int64_t started = w->now - 600000, finished = w->now;
    const struct puan_node *from = puan_node_get(step, "started");
    const struct puan_node *to = puan_node_get(step, "finished");
    char text[32];
    struct puan_out o;
    struct puan_jw j;

    if (from != NULL)
        (void)!puan_world_time(&started, w, from, NULL);
    if (to != NULL)
        (void)!puan_world_time(&finished, w, to, NULL);
    for (size_t i = level < 0 ? 0 : (size_t)level + 1; i < p->n_levels; i++)
        for (unsigned d = p->level[i - 1].digits; d < p->level[i].digits; d++)
            household = household * 10 + (d + 1 == p->level[i].digits);
    for (unsigned d = 0; d < p->household_digits; d++)
        household = household * 10 + (d + 1 == p->household_digits);
    puan_instant_text(text, started, p->offset_minutes);
    puan_out_init(&o, w->arena);
    puan_jw_init(&j, &o);
    puan_jw_map(&j);
    puan_jw_kstr(&j, "form", form);
    puan_jw_ktext(&j, "household",
                  puan_arena_fmt(w->arena, "%lld", (long long)household));
    puan_jw_kint(&j, "base", 0);
    puan_jw_ktext(&j, "device", "proof");
    puan_jw_kint(&j, "counter", 1);
    puan_jw_kstr(&j, "mode", puan_node_str_opt(step, "mode", "enumerator"));
    puan_jw_ktext(&j, "started", text);
    puan_instant_text(text, finished, p->offset_minutes);
    puan_jw_ktext(&j, "finished", text);
    puan_jw_kbool(&j, "signed", true);
    PUAN_NODE_EACH(c, puan_node_get(step, "answers"))
    {
        if (c->kind == PUAN_NODE_LIST) {
            puan_jw_key_s(&j, c->key);
            put_json(&j, c);
        }
    }
    puan_jw_key(&j, "answers");
    puan_jw_map(&j);
    PUAN_NODE_EACH(c, puan_node_get(step, "answers"))
    {
        if (c->kind == PUAN_NODE_LIST)
            continue;
        puan_jw_key_s(&j, c->key);
        put_json(&j, c);
    }
    puan_jw_end(&j, '}');
    puan_jw_end(&j, '}');
    return puan_out_view(&o);
}

static enum puan_status finds(struct puan_world *w,
                              const struct puan_node *step, const char *key,
                              const struct puan_ruleset *rs,
                              const struct puan_findings *f, bool wanted,
                              struct puan_err *err)
{
    const struct puan_node *list = puan_node_get(step, key);
    size_t n = puan_ruleset_count(rs);

    PUAN_NODE_EACH(c, list)
    {
        bool known = false, found = false;

        for (size_t i = 0; i < n; i++)
            known = known ||
                    puan_str_eq(puan_ruleset_info(rs, i)->id, c->text);
        for (size_t i = 0; i < f->n; i++)
            found = found || puan_str_eq(
                                 puan_ruleset_info(rs, f->list[i].rule)->id,
                                 c->text);
        if (!known && (wanted || !w->stage->mutant))
            return puan_node_fail(c, err, "no rule \"%.*s\" for this form",
                                  PUAN_FMT(c->text));
        puan_world_found(w, found);
        if (found != wanted)
            return puan_node_fail(c, err,
                                  wanted ? "the rule \"%.*s\" found nothing"
                                         : "the rule \"%.*s\" found something",
                                  PUAN_FMT(c->text));
    }
    return PUAN_OK;
}

/* Persons the first residence case that holds counts as such. */
static enum puan_status counts(struct puan_world *w,
                               const struct puan_node *step,
                               const struct puan_form *form,
                               const struct puan_record *r,
                               struct puan_err *err)
{
    const struct puan_plan *p = w->stage->plan;
    const struct puan_node *want = puan_node_get(step, "counts");
    int64_t resident = 0, registered = 0, de_facto = 0, nowhere = 0;
    uint16_t entity = 0;

    if (want == NULL)
        return PUAN_OK;
    while (entity < form->n_entities &&
           !puan_str_eq(form->entity[entity].name, p->residence_entity))
        entity++;
    if (entity == form->n_entities)
        return puan_node_fail(want, err, "the form has no residence");
    for (uint32_t row = 0; row < r->rows[entity].n; row++) {
        size_t i = 0;

        for (; i < p->n_residence; i++) {
            const struct puan_residence_case *c = &p->residence[i];
            struct puan_expr *e = NULL;

            TRY(puan_expr_compile_truth(&e, form, entity, p->consts,
                                        p->n_consts, c->when, "residence",
                                        c->at->line, w->arena, err));
            if (puan_expr_truth(e, r, row) != PUAN_TRUE)
                continue;
            resident += c->resident;
            registered += c->registered;
            de_facto += c->de_facto;
            break;
        }
        nowhere += i == p->n_residence;
    }
    PUAN_NODE_EACH(c, want)
    {
        int64_t n = puan_str_is(c->key, "resident")     ? resident
                    : puan_str_is(c->key, "registered") ? registered
                    : puan_str_is(c->key, "de_facto")   ? de_facto
                    : puan_str_is(c->key, "nowhere")    ? nowhere
                                                        : -1;
        int64_t is = 0;

        if (n < 0 || !puan_int_parse(&is, c->text))
            return puan_node_fail(c, err, "say how many are resident, "
                                          "registered, de_facto or nowhere");
        puan_world_found(w, n > 0);
        if (n != is)
            return puan_node_fail(c, err, "%lld are %.*s", (long long)n,
                                  PUAN_FMT(c->key));
    }
    return PUAN_OK;
}

static enum puan_status check_return(struct puan_world *w,
                                     const struct puan_node *step,
                                     struct puan_err *err)
{
    const struct puan_plan *p = w->stage->plan;
    const struct puan_form *form;
    struct puan_return_head head;
    struct puan_findings found;
    struct puan_record r;
    struct puan_str id;
    struct puan_err why = { 0 };
    enum puan_status st;
    static const char key; /* of what is kept: rule sets by form */
    struct puan_ruleset **kept, *rs;
    size_t at = 0;

    TRY(puan_node_str(&id, step, "check", err));
    form = puan_plan_form(p, id);
    if (form == NULL)
        return puan_node_fail(step, err, "the plan has no form \"%.*s\"",
                              PUAN_FMT(id));
    while (p->form[at] != form)
        at++;
    kept = (struct puan_ruleset **)puan_world_state(
        w, &key, p->n_forms * sizeof(void *));
    if (kept == NULL)
        return puan_arena_check(w->arena, err);
    if (kept[at] == NULL) {
        st = puan_ruleset_compile(&kept[at], form, p->consts, p->n_consts,
                                  p->rule_text, p->rule_name, p->n_rules,
                                  w->arena, err);
        w->played.unloadable = st == PUAN_EINVAL;
        if (st != PUAN_OK)
            return st;
    }
    rs = kept[at];
    st = puan_record_read(&r, &head, p->form, p->n_forms,
                          document(w, step, id), w->arena, &why);
    if (puan_node_get(step, "refused") != NULL || st != PUAN_OK)
        return puan_world_came(w, step, st, &why, err);
    puan_record_facts(&r);
    puan_routing_apply(p->routing[at], &r);
    TRY(puan_ruleset_run(&found, rs, &r, w->arena, err));
    TRY(counts(w, step, form, &r, err));
    TRY(finds(w, step, "finds", rs, &found, true, err));
    return finds(w, step, "silent", rs, &found, false, err);
}

/* {issued: FLOW, interpreter: ROLE, part_of: SET, trial: true}: how the plan
 * stands in its set; with `refused` it does not stand so. */
static enum puan_status expect_issued(struct puan_world *w,
                                      const struct puan_node *step,
                                      struct puan_err *err)
{
    const struct puan_node *role = puan_node_get(step, "interpreter");
    const struct puan_node *part = puan_node_get(step, "part_of");
    const struct puan_flow *f;
    struct puan_err why = { 0 };
    enum puan_status st = PUAN_OK;
    struct puan_str name;
    bool trial;

    TRY(puan_node_str(&name, step, "issued", err));
    TRY(puan_node_bool(&trial, step, "trial", false, err));
    f = puan_flows_get(w->stage->flows, name);
    if (f == NULL)
        return puan_node_fail(step, err, "the plan has no workflow \"%.*s\"",
                              PUAN_FMT(name));
    if ((role != NULL && !puan_str_eq(role->text, f->issued.interpreter)) ||
        (part != NULL && !puan_str_eq(part->text, f->issued.part_of)) ||
        trial != f->issued.trial)
        st = puan_fail(&why, PUAN_ECONFLICT, "issued",
                       "the plan is issued otherwise");
    return puan_world_came(w, step, st, &why, err);
}

/* ---- the table ------------------------------------------------------------------------- */

#define ACT_KEYS "fields evidence event skip reason no_paper"

const struct puan_verb puan_world_verbs[] = {
    { "open", ACT_KEYS " drill area name", open_case },
    { "act", ACT_KEYS, do_act },
    { "step", ACT_KEYS, do_step },
    { "order", ACT_KEYS, do_order },
    { "ask", ACT_KEYS, do_ask },
    { "sign", ACT_KEYS " no stale", do_sign },
    { "take", ACT_KEYS, do_take },
    { "attach", ACT_KEYS, do_attach },
    { "facts", "", set_facts },
    { "pass", "", pass_time },
    { "clock", "", set_clock },
    { "fresh", "", begin_fresh },
    { "begin", "", begin_named },
    { "about", "", go_on },
    { "state", "", expect_state },
    { "told", "kind at of vacant", expect_told },
    { "not_told", "kind at of vacant", expect_not_told },
    { "clocks", "", expect_clocks },
    { "due", "", expect_due },
    { "steps", "", expect_steps },
    { "approvals", "", expect_approvals },
    { "has", "", expect_has },
    { "opened", "name", expect_opened },
    { "not_opened", "", expect_not_opened },
    { "called", "", expect_called },
    { "issued", "interpreter part_of trial", expect_issued },
    { "can", "area", may_do },
    { "hold", "beside attested person", may_hold },
    { "send", "mode event", may_send },
    { "check", "mode answers finds silent counts started finished", check_return },
    { NULL, NULL, NULL },
};
