/*
 * Monitors in plays, judged on values the play gives.
 *
 *   {monitor: ID, sees: N, total: N, raises: LEVEL, area: A}
 *   {monitor: ID, sees: unknown, raises: LEVEL}
 *
 * What it raises must be said: none, blue, yellow, orange or red.  A case it
 * opens is opened in the world ({opened: FLOW}, {not_opened: FLOW}).
 */
#include "features/monitors/monitors.h"
#include "features/proof/internal.h"

#define TRY(x)                                                                 \
    do {                                                                       \
        enum puan_status try_ = (x);                                           \
        if (try_ != PUAN_OK)                                                   \
            return try_;                                                       \
    } while (0)

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
    TRY(number(&sight.value, &sight.known, puan_node_get(step, "sees"), err));
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
    }
    return PUAN_OK;
}

const struct puan_verb puan_proof_monitor[] = {
    { "monitor", "sees total raises area", watch },
    { NULL, NULL, NULL },
};
