/*
 * Fuzz: tabulation programmes.  What is read is compiled for a small frame of
 * households and persons, counted and printed; a table that only counts, with
 * no filter, holds every row of its unit.
 */
#include <stdlib.h>
#include <string.h>

#include "base/test_heap.h"
#include "core/table/programme.h"
#include "kit/yaml/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t first[] = { 0, 2, 5, 5, 9 };
static const uint8_t age[] = { 30, 31, 64, 60, 7, 2, 88, 45, 12 };
static const uint8_t sex[] = { 1, 2, 1, 2, 3, 1, 2, 2, 1 };
static const uint16_t region[] = { 1101, 1101, 1102, 1103 };
static const struct puan_frame_state missing = { PUAN_MISSING, 0 };
static const struct puan_frame_item persons[] = {
    { .name = { "age", 3 }, .type = PUAN_TYPE_INT, .width = 1, .base = 0,
      .stop = UINT64_MAX, .least = 2, .most = 88, .data = age },
    { .name = { "sex", 3 }, .type = PUAN_TYPE_INT, .width = 1, .base = 0,
      .stop = 3, .least = 1, .most = 2, .states = &missing, .n_states = 1,
      .data = sex },
};
static const struct puan_frame_item houses[] = {
    { .name = { "region", 6 }, .type = PUAN_TYPE_INT, .width = 2, .base = 0,
      .stop = UINT64_MAX, .least = 1101, .most = 1103, .sorted = true,
      .data = region },
};
static const struct puan_frame_entity entities[] = {
    { .name = { "household", 9 }, .parent = -1, .rows = 4, .item = houses,
      .n_items = 1 },
    { .name = { "person", 6 }, .parent = 0, .rows = 9, .first = first,
      .item = persons, .n_items = 2 },
};
static const struct puan_frame frame = { .entity = entities, .n_entities = 2 };

static void look_at(const struct puan_tab_result *r, struct puan_arena *a)
{
    struct puan_tab_view v = { r, r, ((uint64_t)1 << r->n_dims) - 1 };
    struct puan_tab_result all;
    struct puan_out o;
    struct puan_jw w;

    puan_out_init(&o, a);
    puan_tab_csv_head(&o, r, PUAN_TAB_ZH);
    puan_tab_csv_rows(&o, &v, 0, r->n, PUAN_TAB_ZH);
    puan_tab_sdmx_head(&o, r);
    puan_tab_sdmx_rows(&o, &v, 0, r->n);
    puan_jw_init(&w, &o);
    puan_tab_json(&w, r);
    for (uint64_t i = 1; i < r->n; i++)
        if (r->key[i] <= r->key[i - 1])
            abort();
    if (puan_tab_margin(&all, r, 0, a, NULL) != PUAN_OK)
        return;
    if (r->table->where.n == 0 && r->table->show[0].where.n == 0 &&
        r->table->show[0].kind == PUAN_TAB_COUNT &&
        r->table->show[0].of.n == 0 &&
        all.acc[r->at[0]] !=
            (int64_t)(puan_str_is(r->table->of, "household") ? 4 : 9))
        abort();
}

static void count(const struct puan_tab_programme *p, struct puan_arena *a)
{
    struct puan_cube_worker *worker[2] = { NULL }, **of[2];
    struct puan_err err = { 0 };
    struct puan_tab *t;
    enum puan_status st = puan_tab_compile(&t, &frame, p, a, &err);

    if (st == PUAN_OK)
        st = puan_tab_plan(t, a, &err);
    for (size_t s = 0; st == PUAN_OK && s < puan_tab_sets(t); s++) {
        const struct puan_cubes *c = puan_tab_set(t, s);

        of[s] = &worker[s];
        st = puan_cube_worker_open(&worker[s], c, a, &err);
        if (st == PUAN_OK)
            st = puan_cubes_run(worker[s], 0, puan_cubes_rows(c), &err);
        for (size_t i = 0; st == PUAN_OK && i < puan_cubes_tasks(c); i++)
            st = puan_cubes_task(worker[s], of[s], 1, i, &err);
    }
    for (size_t i = 0; st == PUAN_OK && i < p->n_tables; i++) {
        struct puan_tab_result r;

        st = puan_tab_fold(&r, t, i,
                           (struct puan_cube_worker *const *const *)of, 1, a,
                           &err);
        if (st == PUAN_OK)
            look_at(&r, a);
    }
    for (size_t s = 0; s < 2; s++)
        puan_cube_worker_clear(worker[s]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct puan_str text = { (const char *)data, size };
    struct puan_err err = { 0 };
    struct puan_node *tree;
    struct puan_tab_file file;
    struct puan_arena a;

    if (size == 0)
        return 0;
    puan_arena_init(&a, &puan_test_heap);
    a.limit = 64u << 20;
    if (puan_yaml_tree(&tree, text, "programme", &a, &err) == PUAN_OK &&
        puan_tab_file_read(&file, tree, &a, &err) == PUAN_OK &&
        file.programme.n_tables <= 8)
        count(&file.programme, &a);
    puan_arena_clear(&a);
    return 0;
}
