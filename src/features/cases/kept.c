/*
 * Cases counted: which there are inside an area, and how they kept a clock.
 */
#include "core/area/area.h"
#include "features/cases/internal.h"
#include "kit/os/heap.h"

#define PAGE 256

/* The next cases of the flow below `before`, whatever their area. */
static enum puan_status page(int64_t *id, int64_t *area, size_t *n,
                             struct puan_db *db, struct puan_str flow,
                             int64_t before, struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    bool more = true;
    enum puan_status st;

    *n = 0;
    TRY(puan_sql(&s, db,
                 "SELECT id, area FROM case_run WHERE flow = $1 AND drill = 0"
                 " AND id < $2 ORDER BY id DESC LIMIT $3",
                 err));
    puan_bind_text(s, 1, flow);
    puan_bind_int(s, 2, before);
    puan_bind_int(s, 3, PAGE);
    while (*n < PAGE && (st = puan_stmt_step(&more, s, err)) == PUAN_OK &&
           more) {
        id[*n] = puan_col_int(s, 0);
        area[(*n)++] = puan_col_int(s, 1);
    }
    if (*n == PAGE)
        st = PUAN_OK;
    puan_stmt_done(s);
    return st;
}

typedef enum puan_status (*each_fn)(bool *stop, struct puan_store *st,
                                    struct puan_db *db, int64_t id, void *arg,
                                    struct puan_err *err);

static enum puan_status each(struct puan_store *st, struct puan_str flow,
                             int64_t area, each_fn fn, void *arg,
                             struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    struct puan_shard *office = puan_store_office(st);
    int64_t id[PAGE], at[PAGE], before = INT64_MAX;
    struct puan_db *db = NULL;
    bool stop = false;
    size_t n = PAGE;
    enum puan_status rc;

    TRY(puan_read_begin(&db, office, err));
    for (rc = PUAN_OK; rc == PUAN_OK && !stop && n == PAGE;) {
        rc = page(id, at, &n, db, flow, before, err);
        for (size_t i = 0; i < n && rc == PUAN_OK && !stop; i++) {
            before = id[i];
            if (puan_area_contains_code(t, area, at[i]))
                rc = fn(&stop, st, db, id[i], arg, err);
        }
    }
    puan_read_end(office, db);
    return rc;
}

struct keeping {
    struct puan_str clock;
    int64_t met, all;
};

static enum puan_status kept(bool *stop, struct puan_store *st,
                             struct puan_db *db, int64_t id, void *arg,
                             struct puan_err *err)
{
    struct keeping *x = arg;
    struct puan_case_row row;
    struct puan_flow_run *run = NULL;
    struct puan_arena a;
    enum puan_status rc;

    (void)stop;
    puan_arena_init(&a, &puan_heap);
    rc = puan_case_read(&row, &run, st, db, id, &a, err);
    if (rc == PUAN_OK) {
        int c = puan_flow_clock(run->flow, x->clock);

        if (c >= 0 && run->clock[c].state == PUAN_FLOW_CLOCK_DUE)
            x->all++;
        if (c >= 0 && run->clock[c].state == PUAN_FLOW_CLOCK_STOPPED) {
            x->all++;
            x->met += run->clock[c].stop_ms <= run->clock[c].due_ms;
        }
    }
    puan_arena_clear(&a);
    return rc;
}

enum puan_status puan_case_kept(int64_t *met, int64_t *all,
                                struct puan_store *st, struct puan_str flow,
                                struct puan_str clock, int64_t area,
                                struct puan_err *err)
{
    struct keeping x = { .clock = clock };
    enum puan_status rc = each(st, flow, area, kept, &x, err);

    *met = x.met;
    *all = x.all;
    return rc;
}

struct listing {
    struct puan_case_row *row;
    size_t n, most;
    struct puan_arena *arena;
};

static enum puan_status take(bool *stop, struct puan_store *st,
                             struct puan_db *db, int64_t id, void *arg,
                             struct puan_err *err)
{
    struct listing *x = arg;

    (void)st;
    TRY(puan_case_row_read(&x->row[x->n], db, id, x->arena, err));
    *stop = ++x->n == x->most;
    return PUAN_OK;
}

enum puan_status puan_cases_of(struct puan_case_row *out, size_t *n,
                               size_t most, struct puan_store *st,
                               struct puan_str flow, int64_t area,
                               struct puan_arena *a, struct puan_err *err)
{
    struct listing x = { out, 0, most, a };
    enum puan_status rc = each(st, flow, area, take, &x, err);

    *n = x.n;
    return rc;
}
