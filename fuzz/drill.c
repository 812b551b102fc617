/*
 * Fuzz target: a drill as JSON text against a small plan.  What loads is
 * judged, with everything it expects done at once and with nothing done.
 */
#include <stdlib.h>

#include "base/json.h"
#include "base/test_heap.h"
#include "core/drill/drill.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char flow_text[] =
    "{\"flow\":\"incident\",\"version\":1,\"zh\":\"t\",\"en\":\"t\","
    "\"owner\":\"office\",\"subject\":\"area\",\"in_force\":\"issue\","
    "\"seats\":{\"system\":{\"seat\":\"system@any\"},"
    "\"duty\":{\"seat\":\"duty@any\"},\"office\":{\"seat\":\"office@any\"}},"
    "\"fields\":{\"title\":{\"type\":\"text\",\"required_at\":[\"open\"]},"
    "\"class\":{\"type\":\"enum\",\"of\":[\"rain\",\"fire\"]}},"
    "\"states\":{\"initial\":\"found\",\"active\":[],\"terminal\":[\"closed\"]},"
    "\"open\":{\"by\":[\"system\"],\"sets\":[\"class\"]},"
    "\"transitions\":[{\"id\":\"close\",\"from\":\"found\",\"to\":\"closed\","
    "\"by\":\"office\"}],"
    "\"steps\":[{\"id\":\"aid\",\"authority\":\"own\",\"by\":[\"duty\"],"
    "\"optional\":true}],"
    "\"clocks\":{\"up\":{\"start\":\"open\",\"stop\":[\"close\"],"
    "\"limit\":\"1h\",\"overdue\":[\"office\"]}}}";
static const struct puan_level levels[] = { { .id = { "county", 6 } } };
static const struct puan_role roles[] = {
    { .id = { "duty", 4 } },
    { .id = { "office", 6 } },
    { .id = { "upper", 5 }, .external = true },
};
static const struct puan_setting settings[] = {
    { .id = { "often", 5 },
      .kind = PUAN_SETTING_DURATION,
      .text = { "30d", 3 },
      .value = 2592000000 },
};
static const struct puan_plan plan = { .level = levels,
                                       .n_levels = 1,
                                       .role = roles,
                                       .n_roles = PUAN_COUNT(roles),
                                       .setting = settings,
                                       .n_settings = 1 };
static const struct puan_flow_role flow_roles[] = { { { "duty", 4 }, false },
                                                    { { "office", 6 }, false } };
static const struct puan_str flow_levels[] = { { "county", 6 } };

static void check(const struct puan_drill *d,
                  const struct puan_drill_times *t,
                  const struct puan_drill_mark *m, size_t n)
{
    struct puan_drill_result r;

    puan_drill_judge(&r, d, t, m, n);
    if (r.points < 0 || r.points > r.full || r.full > d->points ||
        r.met + r.late + r.missed + r.waiting + r.untested != d->n_expects)
        abort();
}

static void judge(const struct puan_drill *d)
{
    struct puan_drill_mark m[PUAN_DRILL_MAX];
    struct puan_drill_times t = { .start_ms = 1000, .now_ms = 1000 };

    for (size_t i = 0; i < d->n_expects; i++)
        m[i] = (struct puan_drill_mark){
            .kind = d->expect[i].kind,
            .name = d->expect[i].kind == PUAN_DRILL_OBSERVED ? d->expect[i].id
                                                             : d->expect[i].name,
            .flow = d->expect[i].flow, .role = d->expect[i].by,
            .at_ms = 2000 + (int64_t)i, .yes = i % 3 != 0
        };
    check(d, &t, m, d->n_expects);
    for (size_t i = 0; i < d->n_injects; i++)
        t.sent_ms[i] = 1000 + d->inject[i].at_ms;
    t.now_ms = 1000 + d->length_ms;
    check(d, &t, m, 0);
    check(d, &t, m, d->n_expects);
    t.end_ms = t.now_ms;
    check(d, &t, m, d->n_expects);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct puan_flow_env env = { .roles = flow_roles,
                                       .n_roles = PUAN_COUNT(flow_roles),
                                       .levels = flow_levels,
                                       .n_levels = 1 };
    struct puan_str text = { (const char *)data, size };
    const struct puan_flow *list[1];
    struct puan_flows flows = { list, 1 };
    struct puan_arena a;
    struct puan_err err = { 0 };
    struct puan_node *tree = NULL;
    struct puan_flow *flow = NULL;
    struct puan_drill *d = NULL;

    puan_arena_init(&a, &puan_test_heap);
    a.limit = 16u << 20;
    if (puan_json_tree(&tree, PUAN_STR(flow_text), "flow", &a, &err) !=
            PUAN_OK ||
        puan_flow_load(&flow, tree, &env, &a, &err) != PUAN_OK)
        abort();
    list[0] = flow;
    if (puan_json_tree(&tree, text, "fuzz", &a, &err) == PUAN_OK &&
        puan_drill_load(&d, tree, &plan, &flows, &a, &err) == PUAN_OK)
        judge(d);
    puan_arena_clear(&a);
    return 0;
}
