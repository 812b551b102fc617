/*
 * Fuzz target: a workflow definition as JSON text.  What loads is run: every
 * transition, step, approval and clock is tried by every seat.
 */
#include <stdlib.h>

#include "base/test_heap.h"
#include "core/flow/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sum(void *ctx, uint8_t out[PUAN_DIGEST_SIZE],
                const struct puan_str *parts, size_t n)
{
    (void)ctx;
    memset(out, 0, PUAN_DIGEST_SIZE);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < parts[i].n; k++)
            out[k % PUAN_DIGEST_SIZE] ^= (uint8_t)parts[i].p[k];
}
static const struct puan_digest_fn digest = { "xor", NULL, sum, NULL };

static const struct puan_flow_role roles[] = {
    { { "duty", 4 }, false },    { { "office", 6 }, false },
    { { "leaders", 7 }, false }, { { "expert", 6 }, false },
    { { "crew", 4 }, false },    { { "upper", 5 }, true },
};
static const struct puan_str levels[] = { { "province", 8 },
                                          { "county", 6 },
                                          { "township", 8 } };
static const struct puan_flow_setting settings[] = {
    { { "at_once", 7 }, { "30m", 3 } },
    { { "top", 3 }, { "county", 6 } },
};
static const struct puan_office_hours hours = {
    .offset_minutes = 480, .from_minute = 540, .to_minute = 1020,
    .weekdays = 0x1f,
};
static const struct puan_flow_env env = {
    roles, PUAN_COUNT(roles), levels, PUAN_COUNT(levels), settings,
    PUAN_COUNT(settings), NULL, 0, &hours
};

static void try_all(struct puan_flow_run *run, struct puan_flow_event *e,
                    struct puan_arena *a)
{
    const struct puan_flow_world world = { .digest = &digest };
    struct puan_flow_decision dec;
    struct puan_err err;
    struct puan_out o;
    struct puan_flow_event back;

    for (size_t r = 0; r <= PUAN_COUNT(roles); r++) {
        e->who.system = r == PUAN_COUNT(roles);
        e->who.role = e->who.system ? PUAN_STR("") : roles[r].name;
        e->who.actor = e->who.role;
        e->who.level = levels[r % PUAN_COUNT(levels)];
        err = (struct puan_err){ 0 };
        if (puan_flow_apply(&dec, run, e, &world, &err) != PUAN_OK)
            continue;
        puan_out_init(&o, a);
        puan_flow_event_write(&o, e);
        if (a->failed)
            return;
        err = (struct puan_err){ 0 };
        if (puan_flow_event_read(&back, puan_out_view(&o), a, &err) != PUAN_OK)
            abort(); /* what was written can be read */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_str text = { (const char *)data, size };
    struct puan_arena a;
    struct puan_err err = { 0 };
    struct puan_node *tree = NULL;
    struct puan_flow *flow = NULL;
    struct puan_flow_run *run;
    struct puan_flow_event e = { .event_ms = 1000000, .entry_ms = 1000000 };

    puan_arena_init(&a, &puan_test_heap);
    a.limit = 16u << 20;
    if (puan_json_tree(&tree, text, "fuzz", &a, &err) != PUAN_OK ||
        puan_flow_load(&flow, tree, &env, &a, &err) != PUAN_OK)
        goto out;
    run = puan_new(&a, struct puan_flow_run);
    if (run == NULL)
        goto out;
    puan_flow_run_init(run, flow);
    e.kind = PUAN_FLOW_OPEN;
    try_all(run, &e, &a);
    for (size_t i = 0; i < flow->n_transitions + flow->n_steps +
                               flow->n_approvals + flow->n_clocks;
         i++) {
        size_t k = i;
        const char *part;
        int clock;

        e.event_ms += 3600000;
        e.entry_ms = e.event_ms;
        if (k < flow->n_transitions) {
            e.kind = PUAN_FLOW_ACT;
            e.name = flow->transitions[k].label.name;
        } else if ((k -= flow->n_transitions) < flow->n_steps) {
            e.kind = PUAN_FLOW_DO;
            e.name = flow->steps[k].label.name;
        } else if ((k -= flow->n_steps) < flow->n_approvals) {
            e.kind = PUAN_FLOW_ASK;
            e.name = flow->approvals[k].label.name;
            try_all(run, &e, &a);
            e.kind = PUAN_FLOW_SIGN;
            e.yes = true;
        } else if (puan_flow_next_tick(&clock, &part, &e.event_ms, run)) {
            e.kind = PUAN_FLOW_TICK;
            e.name = flow->clocks[clock].label.name;
            e.part = puan_str_of(part);
            e.entry_ms = e.event_ms;
        }
        try_all(run, &e, &a);
    }
    {
        struct puan_out o;
        struct puan_jw w;

        puan_out_init(&o, &a);
        puan_jw_init(&w, &o);
        puan_flow_run_json(&w, run, true, 480);
    }
out:
    puan_arena_clear(&a);
    return 0;
}
