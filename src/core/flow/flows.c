/*
 * The workflows of a plan.  Never opens a file: the plan has read them.
 */
#include "core/flow/flows.h"

#include "core/plan/flows.h"

enum puan_status puan_flows_load(struct puan_flows *out,
                                 const struct puan_plan *plan,
                                 struct puan_arena *a, struct puan_err *err)
{
    struct puan_flow_env env;
    const struct puan_flow **list =
        (const struct puan_flow **)puan_arena_get_n(a, plan->n_flows,
                                                    sizeof(void *));

    *out = (struct puan_flows){ 0 };
    if (list == NULL)
        return puan_arena_check(a, err);
    TRY(puan_plan_flow_env(&env, plan, a, err));
    for (size_t i = 0; i < plan->n_flows; i++) {
        struct puan_flow *f = NULL;

        if (plan->flows[i]->tree == NULL)
            return puan_fail(err, PUAN_EINVAL,
                             puan_arena_dup(a, plan->flows[i]->path),
                             "the file holds no workflow");
        TRY(puan_flow_load(&f, plan->flows[i]->tree, &env, a, err));
        for (size_t k = 0; k < i; k++)
            if (puan_str_eq(list[k]->label.name, f->label.name))
                return puan_node_fail(puan_node_get(plan->flows[i]->tree,
                                                    "flow"),
                                      err,
                                      "the flow \"%.*s\" stands in %s too; "
                                      "rename one",
                                      PUAN_FMT(f->label.name), list[k]->file);
        list[i] = f;
    }
    out->flow = list;
    out->n = plan->n_flows;
    return PUAN_OK;
}

const struct puan_flow *puan_flows_get(const struct puan_flows *f,
                                       struct puan_str name)
{
    for (size_t i = 0; i < f->n; i++)
        if (puan_str_eq(f->flow[i]->label.name, name))
            return f->flow[i];
    return NULL;
}
