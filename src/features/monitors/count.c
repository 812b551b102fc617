/*
 * What the plan lets monitors count by themselves: cases, and entries of the
 * office ledger; both also held against cases that should be there.
 */
#include "features/monitors/internal.h"

#include <stdlib.h>
#include <string.h>

#include "core/area/area.h"
#include "core/ledger/ledger.h"
#include "core/plan/plan.h"
#include "kit/os/heap.h"

#define SLICE 4096 /* entries decoded at a time */

static bool among(const struct puan_watch_list *l, struct puan_str s)
{
    for (size_t i = 0; i < l->n; i++)
        if (puan_str_eq(l->at[i], s))
            return true;
    return false;
}

/* ---- where things stand ---------------------------------------------------- */

void puan_hits_clear(struct puan_hits *h)
{
    free(h->area);
    *h = (struct puan_hits){ 0 };
}

static enum puan_status hit(struct puan_hits *h, int64_t area,
                            struct puan_err *err)
{
    if (h->n == h->cap) {
        size_t cap = h->cap ? h->cap * 2 : 64;
        int64_t *p = realloc(h->area, cap * sizeof *p);

        if (p == NULL)
            return puan_fail(err, PUAN_ENOMEM, "monitors", "out of memory");
        h->area = p;
        h->cap = cap;
    }
    h->area[h->n++] = area;
    return PUAN_OK;
}

int64_t puan_hits_in(const struct puan_hits *h, const struct puan_area_tree *t,
                     int64_t area)
{
    int64_t n = 0;

    for (size_t i = 0; i < h->n; i++)
        n += puan_area_contains_code(t, area, h->area[i]);
    return n;
}

/* ---- cases ------------------------------------------------------------------- */

struct runs {
    struct puan_watched *at;
    size_t n, cap;
};

/* Runs of these flows, not folded yet. */
static enum puan_status read_runs(struct runs *out, struct puan_db *db,
                                  const struct puan_watch_list *flows,
                                  bool open, struct puan_arena *a,
                                  struct puan_err *err)
{
    enum puan_status rc = PUAN_OK;

    *out = (struct runs){ 0 };
    for (size_t i = 0; i < flows->n && rc == PUAN_OK; i++) {
        struct puan_stmt *s = NULL;
        bool more = false;

        TRY(puan_sql(&s, db,
                     "SELECT id, area, opened, ended, state FROM case_run"
                     " WHERE flow = $1 AND drill = 0 AND (ended = 0 OR $2 = 0)"
                     " ORDER BY id",
                     err));
        puan_bind_text(s, 1, flows->at[i]);
        puan_bind_int(s, 2, open);
        while ((rc = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
            if (out->n == out->cap) {
                size_t cap = out->cap ? out->cap * 2 : 64;
                struct puan_watched *p =
                    puan_new_n(a, cap, struct puan_watched);

                if (p == NULL) {
                    rc = puan_arena_check(a, err);
                    break;
                }
                if (out->n > 0)
                    memcpy(p, out->at, out->n * sizeof *p);
                out->at = p;
                out->cap = cap;
            }
            out->at[out->n++] = (struct puan_watched){
                .id = puan_col_int(s, 0),
                .area = puan_col_int(s, 1),
                .opened_ms = puan_col_int(s, 2),
                .open = puan_col_int(s, 3) == 0,
                .flow = flows->at[i],
                .state = puan_arena_keep(a, puan_col_text(s, 4))
            };
        }
        puan_stmt_done(s);
    }
    return rc;
}

/* One of them answers for what came up at `at` in `area`. */
static bool answered(const struct puan_watched *of, size_t n,
                     const struct puan_without *w, int64_t area, int64_t at,
                     bool only_before, puan_holds_fn holds, const void *arg)
{
    for (size_t i = 0; i < n; i++) {
        const struct puan_watched *x = &of[i];

        if (x->drill || !among(&w->flows, x->flow) ||
            (w->states.n > 0 && !among(&w->states, x->state)) ||
            x->opened_ms < at - w->before_ms ||
            (only_before && x->opened_ms > at))
            continue;
        if (holds(arg, x->area, area) || holds(arg, area, x->area))
            return true;
    }
    return false;
}

/* As far as can be told without folding it. */
static bool meant(const struct puan_watch_cases *c, const struct puan_watched *x,
                  const struct puan_watched *others, size_t n,
                  puan_holds_fn holds, const void *arg, int64_t now)
{
    int64_t age = now - x->opened_ms;

    if (x->drill || !among(&c->flows, x->flow) ||
        (c->states.n > 0 ? !among(&c->states, x->state)
                         : c->within_ms == 0 && !x->open) ||
        (c->older_ms > 0 && age < c->older_ms) ||
        (c->within_ms > 0 && age >= c->within_ms))
        return false;
    return c->without.flows.n == 0 ||
           !answered(others, n, &c->without, x->area, x->opened_ms, false,
                     holds, arg);
}

static bool holds_value(const struct puan_flow_run *run, struct puan_str field,
                        struct puan_str value)
{
    const struct puan_flow_field *f;
    int at = puan_flow_field(run->flow, field);
    int64_t v;

    if (at < 0 || !run->field[at].set)
        return false;
    f = &run->flow->fields[at];
    if (f->words != NULL) {
        for (size_t i = 0; i < f->words->n; i++)
            if (f->words->codes[i].value == run->field[at].v)
                return puan_str_eq(f->words->codes[i].text, value);
        return false;
    }
    return puan_int_parse(&v, value) && v == run->field[at].v;
}

static bool fits(const struct puan_watch_cases *c,
                 const struct puan_flow_run *run)
{
    bool late = !c->overdue;

    for (size_t i = 0; i < c->n_where; i++)
        if (!holds_value(run, c->where[i].field, c->where[i].value))
            return false;
    for (size_t i = 0; i < run->flow->n_clocks; i++)
        late = late || run->clock[i].state == PUAN_FLOW_CLOCK_DUE;
    return late;
}

static bool in_tree(const void *tree, int64_t outer, int64_t inner)
{
    return puan_area_contains_code(tree, outer, inner);
}

static enum puan_status count_cases(struct puan_hits *out,
                                    const struct puan_watch_cases *c,
                                    struct puan_store *st, struct puan_db *db,
                                    int64_t now, struct puan_arena *a,
                                    struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    struct runs runs, others = { 0 };

    TRY(read_runs(&runs, db, &c->flows, c->states.n == 0 && c->within_ms == 0,
                  a, err));
    if (c->without.flows.n > 0)
        TRY(read_runs(&others, db, &c->without.flows, false, a, err));
    for (size_t i = 0; i < runs.n; i++) {
        const struct puan_watched *r = &runs.at[i];
        bool yes = meant(c, r, others.at, others.n, in_tree, t, now);

        if (yes && (c->n_where > 0 || c->overdue)) {
            struct puan_case_row row;
            struct puan_flow_run *run = NULL;
            struct puan_arena one;
            enum puan_status rc;

            puan_arena_init(&one, &puan_heap);
            rc = puan_case_read(&row, &run, st, db, r->id, &one, err);
            yes = rc == PUAN_OK && fits(c, run);
            puan_arena_clear(&one);
            if (rc != PUAN_OK)
                return rc;
        }
        if (yes)
            TRY(hit(out, r->area, err));
    }
    return PUAN_OK;
}

int64_t puan_monitor_cases(const struct puan_monitor_list *list,
                           struct puan_str id, const struct puan_watched *of,
                           size_t n, int64_t area, puan_holds_fn holds,
                           const void *arg, int64_t now)
{
    int64_t count = 0;

    for (size_t m = 0; m < list->n; m++) {
        const struct puan_watch_cases *c = &list->list[m].cases;

        if (!puan_str_eq(list->list[m].label.name, id))
            continue;
        if (list->list[m].kind != PUAN_WATCH_CASES)
            return -1;
        for (size_t i = 0; i < n; i++)
            count += holds(arg, area, of[i].area) &&
                     meant(c, &of[i], of, n, holds, arg, now) &&
                     fits(c, of[i].run);
        return count;
    }
    return -1;
}

/* ---- entries of the office ledger -------------------------------------------- */

/* Kept texts, each once. */
static struct puan_str kept(const struct monitors *ms, struct puan_str s,
                            bool level)
{
    for (size_t i = 0; i < ms->of->n; i++) {
        const struct puan_watch_acts *w = &ms->of->list[i].acts;
        const struct puan_watch_list *l = level ? &w->roles : &w->verbs;

        for (size_t k = 0; k < l->n; k++)
            if (puan_str_eq(l->at[k], s))
                return l->at[k];
    }
    return (struct puan_str){ 0 };
}

static enum puan_status take(struct monitors *ms, const struct puan_entry *e,
                             struct puan_err *err)
{
    struct puan_str verb = kept(ms, e->verb, false), role = e->seat;
    int64_t area = 0;
    size_t at = 0;

    if (verb.n == 0)
        return PUAN_OK;
    while (at < role.n && role.p[at] != '@')
        at++;
    if (at == role.n ||
        !puan_int_parse(&area, (struct puan_str){ role.p + at + 1,
                                                  role.n - at - 1 }))
        return PUAN_OK; /* not by a seat */
    role.n = at;
    if (ms->n_acts == ms->cap_acts) {
        size_t cap = ms->cap_acts ? ms->cap_acts * 2 : 256;
        struct puan_act_seen *p = realloc(ms->act, cap * sizeof *p);

        if (p == NULL)
            return puan_fail(err, PUAN_ENOMEM, "monitors", "out of memory");
        ms->act = p;
        ms->cap_acts = cap;
    }
    ms->act[ms->n_acts++] = (struct puan_act_seen){
        .at = e->event_ms, .area = area, .verb = verb,
        .role = kept(ms, role, true)
    };
    return PUAN_OK;
}

enum puan_status puan_acts_follow(struct monitors *ms, struct puan_store *st,
                                  struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    bool any = false, more = true;

    for (size_t i = 0; i < ms->of->n; i++)
        any = any || ms->of->list[i].kind == PUAN_WATCH_ACTS;
    while (any && more) {
        struct puan_stmt *s = NULL;
        struct puan_db *db = NULL;
        struct puan_arena a;
        int64_t n = 0;
        enum puan_status rc;

        TRY(puan_read_begin(&db, office, err));
        puan_arena_init(&a, &puan_heap);
        rc = puan_sql(&s, db,
                      "SELECT seq, entry FROM ledger WHERE seq > $1 ORDER BY"
                      " seq LIMIT $2",
                      err);
        if (rc == PUAN_OK) {
            puan_bind_int(s, 1, ms->ledger);
            puan_bind_int(s, 2, SLICE);
        }
        while (rc == PUAN_OK &&
               (rc = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
            struct puan_entry e;

            rc = puan_entry_decode(&e, puan_col_bytes(s, 1), &a, err);
            if (rc == PUAN_OK)
                rc = take(ms, &e, err);
            if (rc == PUAN_OK)
                ms->ledger = puan_col_int(s, 0);
            n++;
        }
        if (s != NULL)
            puan_stmt_done(s);
        puan_arena_clear(&a);
        puan_read_end(office, db);
        if (rc != PUAN_OK)
            return rc;
        more = n == SLICE;
    }
    return PUAN_OK;
}

static enum puan_status count_acts(struct puan_hits *out,
                                   const struct monitors *ms,
                                   const struct puan_watch_acts *w,
                                   struct puan_store *st, struct puan_db *db,
                                   int64_t now, struct puan_arena *a,
                                   struct puan_err *err)
{
    const struct puan_area_tree *t = puan_store_areas(st);
    struct runs others = { 0 };

    if (w->without.flows.n > 0)
        TRY(read_runs(&others, db, &w->without.flows, false, a, err));
    for (size_t i = 0; i < ms->n_acts; i++) {
        const struct puan_act_seen *x = &ms->act[i];

        if (now - x->at >= w->within_ms || x->at > now ||
            !among(&w->verbs, x->verb) ||
            (w->roles.n > 0 && !among(&w->roles, x->role)))
            continue;
        if (w->levels.n > 0) {
            uint32_t k = puan_area_find(t, x->area);

            if (k == PUAN_AREA_NONE ||
                !among(&w->levels, t->level[t->area[k].level].name))
                continue;
        }
        if (w->without.flows.n > 0 &&
            answered(others.at, others.n, &w->without, x->area, x->at, true,
                     in_tree, t))
            continue;
        TRY(hit(out, x->area, err));
    }
    return PUAN_OK;
}

enum puan_status puan_watch_count(struct puan_hits *out, struct monitors *ms,
                                  const struct puan_monitor *m,
                                  struct puan_store *st, int64_t now,
                                  struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(st);
    struct puan_db *db = NULL;
    struct puan_arena a;
    enum puan_status rc;

    *out = (struct puan_hits){ 0 };
    TRY(puan_read_begin(&db, office, err));
    puan_arena_init(&a, &puan_heap);
    rc = m->kind == PUAN_WATCH_CASES
             ? count_cases(out, &m->cases, st, db, now, &a, err)
             : count_acts(out, ms, &m->acts, st, db, now, &a, err);
    puan_arena_clear(&a);
    puan_read_end(office, db);
    return rc;
}
