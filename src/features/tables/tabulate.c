/*
 * Running a programme over a frame; see tabulate.h.
 */
#include "features/tables/tabulate.h"

#include "features/tables/shared.h"

#include <stdlib.h>

#include "kit/job/job.h"
#include "kit/os/heap.h"
#include "kit/os/os.h"

#define THREADS_MOST 64
#define MANY_WANTS 8 /* columns of its own: variables in common may save some */

struct puan_tabulation {
    struct puan_tab *tab;
    struct puan_arena arena;               /* the plan */
    struct puan_arena own[THREADS_MOST];   /* each worker's */
    unsigned n_workers;
    struct puan_cube_worker **of_set[PUAN_FRAME_ENTITIES];
    struct puan_cube_worker *worker[PUAN_FRAME_ENTITIES][THREADS_MOST];
    size_t set; /* being counted */
};

/* A worker is opened by its own thread, so that its memory lies near. */
static enum puan_status worker_of(struct puan_cube_worker **out,
                                  struct puan_tabulation *t, unsigned w,
                                  struct puan_err *err)
{
    struct puan_cube_worker **k = &t->worker[t->set][w];
    enum puan_status st = PUAN_OK;

    if (*k == NULL)
        st = puan_cube_worker_open(k, puan_tab_set(t->tab, t->set), &t->own[w],
                                   err);
    *out = *k;
    return st;
}

static enum puan_status count(void *arg, uint64_t begin, uint64_t end,
                              unsigned w, struct puan_err *err)
{
    struct puan_tabulation *t = arg;
    struct puan_cube_worker *k;
    enum puan_status st = worker_of(&k, t, w, err);

    return st == PUAN_OK ? puan_cubes_run(k, begin, end, err) : st;
}

static enum puan_status task(void *arg, uint64_t begin, uint64_t end,
                             unsigned w, struct puan_err *err)
{
    struct puan_tabulation *t = arg;
    struct puan_cube_worker **all = t->of_set[t->set];
    size_t n = 0;
    enum puan_status st = PUAN_OK;

    while (n < t->n_workers && all[n])
        n++;
    for (uint64_t i = begin; st == PUAN_OK && i < end; i++)
        st = puan_cubes_task(all[w], all, n, (size_t)i, err);
    return st;
}

/* Workers that got no range are closed up: those with one come first. */
static enum puan_status run_set(struct puan_tabulation *t, size_t set,
                                struct puan_err *err)
{
    const struct puan_cubes *s = puan_tab_set(t->tab, set);
    struct puan_cube_worker *first;
    enum puan_status st;

    t->set = set;
    t->of_set[set] = t->worker[set];
    st = worker_of(&first, t, 0, err); /* also when there are no rows */
    if (st == PUAN_OK)
        st = puan_parallel(t->n_workers, puan_cubes_rows(s), PUAN_CUBE_CHUNK,
                           count, t, err);
    for (unsigned i = 0; st == PUAN_OK && i < t->n_workers; i++)
        st = worker_of(&first, t, i, err);
    if (st == PUAN_OK && puan_cubes_tasks(s))
        st = puan_parallel(t->n_workers, puan_cubes_tasks(s), 1, task, t, err);
    return st;
}

/* Makes the columns wanted; with `few`, only those there is no way without:
   cubes of the variables in common are small enough for the others. */
static enum puan_status needed(struct puan_tab_want *want, size_t n, bool few,
                               const struct puan_frame *f,
                               const struct puan_tab_programme *p,
                               const struct puan_derive_texts *texts,
                               struct puan_tabulation *t, struct puan_err *err)
{
    struct puan_tab_want *some = puan_new_n(&t->arena, n, struct puan_tab_want);
    enum puan_status st = PUAN_OK;
    size_t k = 0;

    if (some == NULL)
        return puan_arena_check(&t->arena, err);
    for (size_t i = 0; i < n; i++)
        if (!few || !want[i].optional)
            some[k++] = want[i];
    if (k > 0)
        st = puan_derive(some, k, f, p, texts, t->n_workers, &t->arena, err);
    k = 0;
    for (size_t i = 0; st == PUAN_OK && i < n; i++)
        if (!few || !want[i].optional)
            want[i].item = some[k++].item;
    return st;
}

enum puan_status puan_tabulate(struct puan_tabulation **out,
                               const struct puan_frame *f,
                               const struct puan_tab_programme *p,
                               const struct puan_derive_texts *texts,
                               unsigned threads, struct puan_err *err)
{
    struct puan_tab_want *want;
    size_t n_wants = 0;
    bool few = false;
    struct puan_tabulation *t = calloc(1, sizeof(*t));
    enum puan_status st;

    *out = NULL;
    if (t == NULL)
        return puan_fail(err, PUAN_ENOMEM, "table", "out of memory");
    t->n_workers = threads ? threads : puan_cores();
    if (t->n_workers > THREADS_MOST)
        t->n_workers = THREADS_MOST;
    puan_arena_init(&t->arena, puan_os_alloc());
    for (unsigned i = 0; i < t->n_workers; i++)
        puan_arena_init(&t->own[i], &puan_heap_large);
    st = puan_tab_compile(&t->tab, f, p, &t->arena, err);
    want = st == PUAN_OK ? puan_tab_wants(t->tab, &n_wants) : NULL;
    if (st == PUAN_OK && n_wants)
        st = puan_frame_check(f, err);
    if (st == PUAN_OK && n_wants > MANY_WANTS) {
        const struct puan_tab_programme *was = p;

        st = puan_derive_shared(&f, &p, texts, t->n_workers, &t->arena, err);
        if (st == PUAN_OK && p != was) {
            st = puan_tab_compile(&t->tab, f, p, &t->arena, err);
            want = st == PUAN_OK ? puan_tab_wants(t->tab, &n_wants) : NULL;
            few = true;
        }
    }
    if (st == PUAN_OK && n_wants)
        st = needed(want, n_wants, few, f, p, texts, t, err);
    if (st == PUAN_OK)
        st = puan_tab_plan(t->tab, &t->arena, err);
    for (size_t i = 0; st == PUAN_OK && i < puan_tab_sets(t->tab); i++)
        st = run_set(t, i, err);
    if (st != PUAN_OK) {
        puan_tabulation_close(t);
        return st;
    }
    *out = t;
    return PUAN_OK;
}

void puan_tabulation_close(struct puan_tabulation *t)
{
    if (t == NULL)
        return;
    for (size_t s = 0; s < PUAN_FRAME_ENTITIES; s++)
        for (unsigned i = 0; i < t->n_workers; i++)
            puan_cube_worker_clear(t->worker[s][i]);
    for (unsigned i = 0; i < t->n_workers; i++)
        puan_arena_clear(&t->own[i]);
    puan_arena_clear(&t->arena);
    free(t);
}

enum puan_status puan_tabulation_result(struct puan_tab_result *out,
                                        struct puan_tabulation *t, size_t table,
                                        struct puan_arena *a,
                                        struct puan_err *err)
{
    return puan_tab_fold(out, t->tab, table,
                         (struct puan_cube_worker *const *const *)t->of_set,
                         t->n_workers, a, err);
}

enum puan_status puan_tabulation_check(struct puan_tab_check *out,
                                       struct puan_tabulation *t, size_t table,
                                       struct puan_err *err)
{
    struct puan_arena a;
    struct puan_tab_result r;
    enum puan_status st = PUAN_OK;

    puan_arena_init(&a, puan_os_alloc());
    if (!puan_tab_check(out, t->tab, table,
                        (struct puan_cube_worker *const *const *)t->of_set,
                        t->n_workers, &a)) {
        st = puan_tabulation_result(&r, t, table, &a, err);
        if (st == PUAN_OK)
            puan_tab_check_of(out, &r);
    }
    puan_arena_clear(&a);
    return st;
}
