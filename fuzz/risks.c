/*
 * risks.yaml beside one workflow: monitors that judge and count whatever they
 * are given without leaving the levels there are, or a refusal that says why.
 */
#include <stdlib.h>

#include "features/monitors/monitors.h"
#include "kit/os/os.h"
#include "kit/yaml/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char PLAN[] =
    "plan: zz-test\nversion: \"1\"\nscope: office\nzh: a\nen: a\n"
    "offset_minutes: 0\n"
    "levels:\n  - {id: canton, digits: 2, zh: a, en: a}\n"
    "  - {id: parish, digits: 5, zh: a, en: a}\n"
    "household_digits: 3\nshard_level: canton\n"
    "roles:\n  clerk: {zh: a, en: a, levels: [parish], can: [case.open]}\n";
static const char FLOW[] =
    "flow: incident\nversion: 1\nzh: a\nen: a\nowner: clerk\nsubject: area\n"
    "seats:\n"
    "  monitor: {seat: system@any, zh: a, en: a}\n"
    "  clerk: {seat: clerk@any, zh: a, en: a}\n"
    "fields:\n"
    "  class: {type: enum, of: [technical, social], required_at: [open], zh: "
    "a, en: a}\n"
    "  raised_by: {type: ref, zh: a, en: a}\n"
    "  level: {type: enum, of: [blue, yellow, orange, red], zh: a, en: a}\n"
    "  grave: {type: bool, zh: a, en: a}\n"
    "  size: {type: int, zh: a, en: a}\n"
    "states: {initial: found, active: [], terminal: [closed]}\n"
    "open: {by: [clerk, monitor], sets: [raised_by, level, grave, size]}\n"
    "transitions:\n"
    "  - {id: alarm, from: found, to: same, by: monitor, sets: [raised_by, "
    "level], zh: a, en: a}\n"
    "  - {id: close, from: found, to: closed, by: clerk, zh: a, en: a}\n";

static const struct puan_node *tree_of(const char *text, const char *name,
                                       struct puan_arena *a)
{
    struct puan_node *tree = NULL;
    struct puan_err err = { 0 };

    if (puan_yaml_tree(&tree, puan_str_of(text), name, a, &err) != PUAN_OK)
        abort();
    return tree;
}

static bool holds(const void *arg, int64_t outer, int64_t inner)
{
    (void)arg;
    return outer == inner || outer == inner / 1000;
}

/* Every monitor over figures at the edges of what there is. */
static void judge(const struct puan_monitor_list *list,
                  const struct puan_flows *flows, const struct puan_node *n,
                  struct puan_arena *a)
{
    static const int64_t figure[] = { 0,  1,        -1,       99, 100,
                                      50, INT32_MAX, INT32_MIN, 7,  0 };
    struct puan_alarm alarm = { 0 };
    struct puan_flow_run run;
    struct puan_watched x = { .area = 11001, .open = true, .run = &run };
    struct puan_str id = puan_node_str_opt(n, "id", "");
    int64_t counted;

    puan_flow_run_init(&run, flows->flow[0]);
    x.flow = flows->flow[0]->label.name;
    x.state = flows->flow[0]->states[0].name;
    counted = puan_monitor_cases(list, id, &x, 1, 11, holds, NULL, 86400000);
    if (counted < -1 || counted > 1)
        abort();
    for (size_t i = 0; i < PUAN_COUNT(figure); i++) {
        struct puan_sight sight = { .known = i % 4 != 3,
                                    .total_known = i % 2 == 0,
                                    .value = figure[i],
                                    .total = figure[9 - i] };
        struct puan_verdict v;
        struct puan_err err = { 0 };

        if (puan_monitor_rehearse(&v, list, id, &alarm, &sight,
                                  (int64_t)i * 3600000, a, &err) != PUAN_OK)
            abort();
        if (v.level < 0 || v.level > 4 || (v.opens && v.feeds >= 0) ||
            (v.opens && v.fields == NULL))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_plan_file file[3] = { { .pack = { "zz-test", 7 },
                                        .path = { "plan.yaml", 9 },
                                        .name = "plan.yaml" },
                                      { .pack = { "zz-test", 7 },
                                        .path = { "flows/incident.yaml", 19 },
                                        .name = "incident.yaml" },
                                      { .pack = { "zz-test", 7 },
                                        .path = { "risks.yaml", 10 },
                                        .name = "risks.yaml" } };
    struct puan_plan_pack pack = { .name = { "zz-test", 7 },
                                   .file = file,
                                   .n_files = 2 };
    struct puan_monitor_list *list = NULL;
    struct puan_problems all = { 0 };
    struct puan_flows flows;
    struct puan_arena a;
    struct puan_node *tree = NULL;
    struct puan_plan *p = NULL;
    struct puan_err err = { 0 };

    puan_arena_init(&a, puan_os_alloc());
    all.arena = &a;
    file[0].tree = tree_of(PLAN, "plan.yaml", &a);
    file[1].tree = tree_of(FLOW, "incident.yaml", &a);
    if (puan_yaml_tree(&tree, (struct puan_str){ (const char *)data, size },
                       "risks.yaml", &a, &err) == PUAN_OK) {
        file[2].tree = tree;
        pack.n_files = 3;
        if (puan_plan_load(&p, &pack, 1, NULL, &all, &a, &err) != PUAN_OK ||
            puan_flows_load(&flows, p, &a, &err) != PUAN_OK)
            abort();
        if (puan_monitors_read(&list, p, &flows, &a, &err) == PUAN_OK)
            PUAN_NODE_EACH(c, puan_node_get(tree, "monitors"))
            judge(list, &flows, c, &a);
        else if (err.text[0] == '\0')
            abort();
    }
    puan_arena_clear(&a);
    return 0;
}
