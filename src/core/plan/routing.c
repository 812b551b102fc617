/*
 * Routing: the asked_if expressions of a form, compiled and run in its order.
 */
#include "core/plan/routing.h"

struct asked {
    uint16_t item;
    struct puan_expr *when; /* NULL: always asked */
};

struct puan_routing {
    const struct puan_form *form;
    /* Required items in the form's order; optional ones are never MISSING by
     * absence and stand behind them with their own expressions. */
    struct asked *list[PUAN_FORM_ENTITIES];
    uint16_t n[PUAN_FORM_ENTITIES], n_required[PUAN_FORM_ENTITIES];
};

static enum puan_status one(struct asked *out, const struct puan_form *f,
                            uint16_t entity, uint16_t item,
                            const struct puan_const *consts, size_t n_consts,
                            struct puan_arena *a, struct puan_err *err)
{
    const struct puan_item *it = &f->entity[entity].items[item];
    const struct puan_node *at = puan_node_get(it->at, "asked_if");

    out->item = item;
    out->when = NULL;
    if (it->asked_if.n == 0)
        return PUAN_OK;
    return puan_expr_compile_truth(&out->when, f, entity, consts, n_consts,
                                   it->asked_if, at ? at->file : "form",
                                   at ? at->line : 0, a, err);
}

enum puan_status
puan_routing_compile(struct puan_routing **out, const struct puan_form *form,
                     const struct puan_const *consts, size_t n_consts,
                     struct puan_problems *problems, struct puan_arena *a,
                     struct puan_err *err)
{
    struct puan_routing *r = puan_new(a, struct puan_routing);
    enum puan_status st = PUAN_OK;

    if (r == NULL)
        return puan_arena_check(a, err);
    r->form = form;
    for (uint16_t e = 0; e < form->n_entities; e++) {
        const struct puan_entity *ent = &form->entity[e];

        r->list[e] = puan_new_n(a, ent->n_asked, struct asked);
        if (r->list[e] == NULL)
            return puan_arena_check(a, err);
        for (int pass = 0; pass < 2; pass++) {
            for (uint16_t i = 0; i < ent->n_asked; i++) {
                struct puan_err own = { 0 };
                enum puan_status s;

                if (ent->items[i].required != (pass == 0))
                    continue;
                s = one(&r->list[e][r->n[e]++], form, e, i, consts, n_consts, a,
                        &own);
                if (s == PUAN_OK)
                    continue;
                if (st == PUAN_OK) {
                    st = s;
                    if (err != NULL && err->code == PUAN_OK)
                        *err = own;
                }
                puan_problem_take(problems, &own);
            }
            if (pass == 0)
                r->n_required[e] = r->n[e];
        }
    }
    if (st == PUAN_OK)
        *out = r;
    return st;
}

void puan_routing_apply(const struct puan_routing *routing,
                        struct puan_record *r)
{
    for (uint16_t e = 0; e < routing->form->n_entities; e++) {
        const struct asked *list = routing->list[e];
        const uint16_t width = routing->form->entity[e].n_items;

        for (uint32_t row = 0; row < r->rows[e].n; row++) {
            uint8_t *st = r->rows[e].st + (size_t)row * width;

            for (uint16_t i = 0; i < routing->n_required[e]; i++) {
                const uint16_t item = list[i].item;

                if (st[item] == PUAN_NOT_ASKED &&
                    (list[i].when == NULL ||
                     puan_expr_truth(list[i].when, r, row) == PUAN_TRUE))
                    st[item] = PUAN_MISSING;
            }
        }
    }
}

enum puan_truth puan_routing_asked(const struct puan_routing *routing,
                                   const struct puan_record *r, uint16_t entity,
                                   uint32_t row, uint16_t item)
{
    for (uint16_t i = 0; i < routing->n[entity]; i++)
        if (routing->list[entity][i].item == item)
            return routing->list[entity][i].when
                       ? puan_expr_truth(routing->list[entity][i].when, r, row)
                       : PUAN_TRUE;
    return PUAN_FALSE;
}

const struct puan_expr *puan_routing_when(const struct puan_routing *routing,
                                          uint16_t entity, uint16_t item,
                                          bool *required)
{
    *required = false;
    for (uint16_t i = 0; i < routing->n[entity]; i++)
        if (routing->list[entity][i].item == item) {
            *required = i < routing->n_required[entity];
            return routing->list[entity][i].when;
        }
    return NULL;
}
