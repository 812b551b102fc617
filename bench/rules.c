/*
 * Measure: rules of a plan pack over households of three persons, by the
 * record executor (submission) and by blocks (batch), in processor time.
 * usage: bench_rules [--pack PACK] [--form FORM] [--households N]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/plan/routing.h"
#include "features/plans/plans.h"
#include "kit/os/heap.h"
#include "row.h"

static uint64_t seed = 20201101;

static unsigned draw(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)((seed >> 20) % n);
}

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* A household of head, spouse and child, with some freedom. */
static const char *document(const char *form, struct puan_arena *a)
{
    unsigned head = 1950 + draw(40), child = head + 22 + draw(10);
    bool away = draw(4) == 0;
    const char *prefix = strcmp(form, "long") == 0 ? "C" : "D";
    struct puan_out o;

    puan_out_init(&o, a);
    puan_out_fmt(&o,
                 "{\"form\":\"%s\",\"household\":\"370883001001001%03u\","
                 "\"answers\":{\"H1\":1,\"H2a\":%u,\"H2b\":%u,\"H3m\":0,"
                 "\"H3f\":0,\"H4m\":0,\"H4f\":0,\"H5\":1,\"H6\":%u,\"H7\":%u},"
                 "\"person\":[",
                 form, draw(900) + 1, away ? 2 : 3, away ? 1 : 0,
                 40 + draw(120), 1 + draw(5));
    for (unsigned i = 0; i < 3; i++) {
        unsigned year = i == 2 ? child : head + draw(4), month = 1 + draw(9);
        bool out = away && i == 2;

        puan_out_fmt(&o,
                     "%s{\"%s1\":\"张三\",\"%s2\":%u,\"%s3\":"
                     "\"370883%u%02u150%u1X\",\"%s4\":%u,\"%s5\":\"%u-%02u\","
                     "\"%s6\":\"01\",\"%s7\":%u,\"%s8\":1,\"%s9\":%u",
                     i ? "," : "", prefix, prefix, i, prefix, year, month, i,
                     prefix, i == 1 ? 2 : 1, prefix, year, month, prefix,
                     prefix, out ? 4 : 1, prefix, prefix, out ? 3 : 1);
        if (out)
            puan_out_fmt(&o, ",\"%s10\":1", prefix);
        puan_out_text(&o, "}");
    }
    puan_out_text(&o, "]}");
    return o.p;
}

int main(int argc, char **argv)
{
    const char *pack = "plans/cn-population-2020", *form_id = "short";
    size_t n = 2000, rounds = 20, found = 0;
    struct puan_plan_held *held;
    const struct puan_plan *plan;
    const struct puan_form *form;
    const struct puan_record **list;
    struct puan_record *rec;
    struct puan_findings *many, one;
    struct puan_ruleset *rs;
    struct puan_err err = { 0 };
    struct puan_arena keep, a;
    double t0, record, block, per;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--pack") == 0)
            pack = argv[i + 1];
        else if (strcmp(argv[i], "--form") == 0)
            form_id = argv[i + 1];
        else if (strcmp(argv[i], "--households") == 0)
            n = strtoul(argv[i + 1], NULL, 10);
    }
    puan_arena_init(&keep, &puan_heap);
    puan_arena_init(&a, &puan_heap);
    if (puan_plan_load_dir(&held, pack, NULL, &err) != PUAN_OK)
        return bench_failed("bench_rules", &err);
    plan = puan_plan_held_plan(held);
    form = puan_plan_form(plan, puan_str_of(form_id));
    if (!form || n == 0) {
        fprintf(stderr, "%s has no form '%s'\n", pack, form_id);
        return 2;
    }
    if (puan_ruleset_compile(&rs, form, plan->consts, plan->n_consts,
                             plan->rule_text, plan->rule_name, plan->n_rules,
                             &keep, &err) != PUAN_OK)
        return bench_failed("bench_rules", &err);
    rec = puan_new_n(&keep, n, struct puan_record);
    list = puan_new_n(&keep, n, const struct puan_record *);
    many = puan_new_n(&keep, n, struct puan_findings);
    for (size_t i = 0; i < n; i++) {
        struct puan_return_head head;

        if (puan_record_read(&rec[i], &head, &form, 1,
                             puan_str_of(document(form_id, &keep)), &keep,
                             &err) != PUAN_OK)
            return bench_failed("bench_rules", &err);
        puan_routing_apply(plan->routing[form->ordinal], &rec[i]);
        puan_record_facts(&rec[i]);
        list[i] = &rec[i];
    }
    t0 = now_us();
    for (size_t k = 0; k < rounds; k++)
        for (size_t i = 0; i < n; i++) {
            puan_arena_reset(&a);
            if (puan_ruleset_run(&one, rs, &rec[i], &a, &err) != PUAN_OK)
                return bench_failed("bench_rules", &err);
            found += one.n;
        }
    record = (now_us() - t0) / (double)(n * rounds);
    t0 = now_us();
    for (size_t k = 0; k < rounds; k++) {
        puan_arena_reset(&a);
        if (puan_ruleset_run_block(many, rs, list, n, &a, &err) != PUAN_OK)
            return bench_failed("bench_rules", &err);
    }
    block = (now_us() - t0) / (double)(n * rounds);
    per = 200.0 / (double)puan_ruleset_count(rs);
    bench_row("rules", (double)puan_ruleset_count(rs), "rules", "", -1, "",
              -1);
    bench_row("rules_findings", (double)found / (double)(n * rounds),
              "a household", "", -1, "", -1);
    bench_row("rules_record", record, "us", "", -1, "20 us a household",
              20 / record);
    bench_row("rules_record_200", record * per, "us", "", -1,
              "15 us for 200 rules", 15 / (record * per));
    bench_row("rules_block", block, "us", "", -1, "", -1);
    puan_arena_clear(&a);
    puan_arena_clear(&keep);
    puan_plan_close(held);
    return 0;
}
