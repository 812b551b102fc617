/*
 * plan.yaml with one form beside it: a plan whose names are found again, or a
 * refusal that says why.
 */
#include <stdlib.h>

#include "core/plan/plan.h"
#include "kit/os/os.h"
#include "kit/yaml/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char FORM[] =
    "form: household\nversion: 1\nzh: f\nen: f\nentities:\n"
    "  household:\n    zh: h\n    en: h\n    items:\n"
    "      members: {type: int, zh: m, en: m}\n"
    "      dwelling: {type: code, zh: d, en: d, codes: {1: {zh: a, en: a}}}\n"
    "  member:\n    zh: p\n    en: p\n    rows: 9\n    items:\n"
    "      born: {type: month, zh: b, en: b}\n"
    "      usual: {type: code, zh: u, en: u, codes: {1: {zh: a, en: a}}}\n"
    "      sex: {type: code, zh: u, en: u, codes: {1: {zh: a, en: a}}}\n"
    "      tongue: {type: code, zh: u, en: u, codes: {1: {zh: a, en: a}}}\n";

static void names_found(const struct puan_plan *p)
{
    for (size_t i = 0; i < p->n_levels; i++)
        if (puan_plan_level(p, p->level[i].id) != (int)i)
            abort();
    for (size_t i = 0; i < p->n_roles; i++) {
        if (puan_plan_role(p, p->role[i].id) != &p->role[i])
            abort();
        for (size_t k = 0; k < p->role[i].n_can; k++)
            if (!puan_role_can(&p->role[i], p->role[i].can[k]))
                abort();
    }
    for (size_t i = 0; i < p->n_windows; i++)
        if (p->window[i].from_ms >= p->window[i].until_ms)
            abort();
    if (p->shard_level >= p->n_levels || p->ea_level >= p->n_levels ||
        p->level[p->ea_level].digits + p->household_digits > 18)
        abort();
    (void)puan_plan_area_of_household(p, 123456, p->shard_level);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_plan_file file[2] = { { .pack = { "zz-test", 7 },
                                        .path = { "forms/household.yaml", 20 },
                                        .name = "household.yaml" },
                                      { .pack = { "zz-test", 7 },
                                        .path = { "plan.yaml", 9 },
                                        .name = "plan.yaml" } };
    struct puan_plan_pack pack = { .name = { "zz-test", 7 },
                                   .file = file,
                                   .n_files = 2 };
    struct puan_problems all = { 0 };
    struct puan_arena a;
    struct puan_node *tree = NULL;
    struct puan_plan *p = NULL;
    struct puan_err err = { 0 };

    puan_arena_init(&a, puan_os_alloc());
    all.arena = &a;
    if (puan_yaml_tree(&tree, puan_str_of(FORM), "household.yaml", &a, &err) !=
        PUAN_OK)
        abort();
    file[0].tree = tree;
    if (puan_yaml_tree(&tree, (struct puan_str){ (const char *)data, size },
                       "plan.yaml", &a, &err) == PUAN_OK) {
        file[1].tree = tree;
        if (puan_plan_load(&p, &pack, 1, NULL, &all, &a, &err) == PUAN_OK)
            names_found(p);
        else if (err.text[0] == '\0')
            abort();
    }
    puan_arena_clear(&a);
    return 0;
}
