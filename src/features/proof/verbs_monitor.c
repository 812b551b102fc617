/*
 * Monitors in plays, judged on values the play gives.
 *
 *   {monitor: ID, sees: N, total: N, raises: LEVEL, area: A}
 *   {monitor: ID, sees: unknown, raises: LEVEL}
 *   {monitor: ID, counts: N, raises: LEVEL, area: A}
 *
 * With `counts` a monitor of cases counts those of the play itself, and must
 * come to N.  What it raises must be said: none, blue, yellow, orange or red.  A case it
 * opens is opened in the world ({opened: FLOW}, {not_opened: FLOW}); what it
 * feeds into an open case is done there.
 */
#include "features/monitors/monitors.h"
#include "features/proof/internal.h"

#define ALARMS 32

struct watch {
    struct puan_monitor_list *list;
    struct {
        struct puan_str id;
        int64_t area;
        struct puan_alarm alarm;
        int opened; /* case in the world + 1; 0 none */
    } at[ALARMS];
    size_t n;
};
static const char key;

static enum puan_status number(int64_t *v, bool *known,
                               const struct puan_node *n, struct puan_err *err)
{
    *known = n != NULL && !puan_str_is(n->text, "unknown");
    if (!*known || puan_int_parse(v, n->text))
        return PUAN_OK;
    return puan_node_fail(n, err, "expected a whole number or unknown");
}

static bool holds(const void *w, int64_t outer, int64_t inner)
{
    return puan_world_holds(w, outer, inner);
}

/* What the monitor finds among the cases of the play. */
static enum puan_status count(struct puan_sight *out, const struct watch *x,
                              const struct puan_world *w, struct puan_str id,
                              int64_t area, const struct puan_node *n,
                              struct puan_err *err)
{
    struct puan_watched of[PUAN_WORLD_CASES];
    int64_t said;

    for (int i = 0; i < w->n; i++) {
        const struct puan_flow_run *r = &w->at[i]->run;

        of[i] = (struct puan_watched){
            .flow = r->flow->label.name,
            .state = r->flow->states[r->state].name,
            .area = r->area,
            .opened_ms = r->opened_ms,
            .open = !PUAN_FLOW_HAS(r->flow->terminal, r->state),
            .drill = r->drill,
            .run = r
        };
    }
    out->value = puan_monitor_cases(x->list, id, of, (size_t)w->n, area, holds,
                                    w, w->now);
    out->known = out->value >= 0;
    if (!out->known)
        return puan_node_fail(n, err, "the monitor counts no cases; say what "
                                      "it sees");
    if (!puan_int_parse(&said, n->text))
        return puan_node_fail(n, err, "expected a whole number");
    if (said == out->value)
        return PUAN_OK;
    return puan_node_fail(n, err, "the monitor counts %lld",
                          (long long)out->value);
}

static enum puan_status watch(struct puan_world *w,
                              const struct puan_node *step,
                              struct puan_err *err)
{
    const struct puan_node *on = puan_node_get(step, "area");
    struct watch *x = puan_world_state(w, &key, sizeof *x);
    struct puan_str id, raises;
    struct puan_sight sight = { 0 };
    struct puan_verdict verdict;
    int64_t area = w->area;
    size_t i = 0;

    TRY(puan_node_str(&id, step, "monitor", err));
    TRY(puan_node_str(&raises, step, "raises", err));
    if (x == NULL)
        return puan_arena_check(w->arena, err);
    if (x->list == NULL) {
        enum puan_status st = puan_monitors_read(
            &x->list, w->stage->plan, w->stage->flows, w->arena, err);

        w->played.unloadable = st == PUAN_EINVAL || st == PUAN_ENOTFOUND;
        if (st != PUAN_OK)
            return st;
    }
    if (on != NULL &&
        (!puan_int_parse(&area, on->text) || puan_world_level(w, area) < 0))
        return puan_node_fail(on, err, "`area` is the code of an area");
    if (puan_node_get(step, "counts") != NULL)
        TRY(count(&sight, x, w, id, area, puan_node_get(step, "counts"), err));
    else
        TRY(number(&sight.value, &sight.known, puan_node_get(step, "sees"),
                   err));
    TRY(number(&sight.total, &sight.total_known, puan_node_get(step, "total"),
               err));
    while (i < x->n &&
           !(puan_str_eq(x->at[i].id, id) && x->at[i].area == area))
        i++;
    if (i == ALARMS)
        return puan_node_fail(step, err, "more than %d alarms", ALARMS);
    if (i == x->n) {
        x->at[x->n].id = id;
        x->at[x->n++].area = area;
    }
    if (x->at[i].opened > 0) {
        const struct puan_flow_run *run = &w->at[x->at[i].opened - 1]->run;

        x->at[i].alarm.open =
            !PUAN_FLOW_HAS(run->flow->terminal, run->state);
    }
    puan_world_mark(w);
    TRY(puan_monitor_rehearse(&verdict, x->list, id, &x->at[i].alarm, &sight,
                              w->now, w->arena, err));
    puan_world_found(w, verdict.level > 0);
    if (!puan_str_is(raises, puan_risk_level(verdict.level)))
        return puan_node_fail(step, err, "the monitor raises %s",
                              puan_risk_level(verdict.level));
    if (verdict.opens) {
        struct puan_flow_event e = { .kind = PUAN_FLOW_OPEN,
                                     .fields = verdict.fields };

        e.who = (struct puan_flow_who){ .actor = PUAN_STR("puan"),
                                        .role = PUAN_STR("system"),
                                        .system = true };
        TRY(puan_world_open(w, verdict.flow, area, -1, &e, err));
        x->at[i].opened = w->current + 1;
    } else if (verdict.feeds >= 0 && x->at[i].opened > 0) {
        struct puan_world_case *c = w->at[x->at[i].opened - 1];
        struct puan_flow_event e = { .kind = PUAN_FLOW_ACT,
                                     .fields = verdict.fields };
        struct puan_err none = { 0 };

        e.name = c->run.flow->transitions[verdict.feeds].label.name;
        e.who = (struct puan_flow_who){ .actor = PUAN_STR("puan"),
                                        .role = PUAN_STR("system"),
                                        .system = true };
        /* a case that does not take it in its state is left */
        (void)!puan_world_event(w, x->at[i].opened - 1, &e, &none);
    }
    return PUAN_OK;
}

const struct puan_verb puan_proof_monitor[] = {
    { "monitor", "sees total counts raises area", watch },
    { NULL, NULL, NULL },
};
