/*
 * The runs of one workflow as the library shows them: the version each began
 * with, and the acts that started or ended it, with who signed.
 */
#include <stdlib.h>

#include "core/area/area.h"
#include "features/library/internal.h"

#define OPEN_SHOWN 50
#define ENDED_SHOWN 20

bool puan_library_seen(const struct puan_request *rq, const struct puan_flow *f)
{
    struct puan_flow_who who = puan_case_seat(
        rq->store, puan_str_of(rq->who.name), puan_str_of(rq->who.role_name),
        rq->who.area, rq->area);

    return puan_case_seen_by(f, &who);
}

/* What is open by due time, then what ended last. */
static int by_need(const void *a, const void *b)
{
    const struct puan_case_glance *x = a, *y = b;
    int64_t dx = x->due_ms ? x->due_ms : INT64_MAX;
    int64_t dy = y->due_ms ? y->due_ms : INT64_MAX;

    if ((x->ended_ms != 0) != (y->ended_ms != 0))
        return x->ended_ms != 0 ? 1 : -1;
    if (x->ended_ms != y->ended_ms)
        return x->ended_ms > y->ended_ms ? -1 : 1;
    if (dx != dy)
        return dx < dy ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

struct act { /* one that was approved, or that ended the run */
    int transition;
    int64_t ms;
};
static int by_time(const void *a, const void *b)
{
    const struct act *x = a, *y = b;

    return x->ms < y->ms ? -1 : x->ms > y->ms;
}

static void acts_json(struct puan_jw *w, const struct puan_flow_run *run,
                      int offset)
{
    const struct puan_flow *f = run->flow;
    struct act act[PUAN_FLOW_MAX];
    size_t n = 0;

    for (size_t i = 0; i < f->n_transitions; i++) {
        const struct puan_flow_transition *t = &f->transitions[i];
        bool ends = t->to >= 0 && PUAN_FLOW_HAS(f->terminal, t->to);

        if (run->passed[i] > 0 && (t->approval >= 0 || ends))
            act[n++] = (struct act){ (int)i, run->passed_ms[i] };
    }
    qsort(act, n, sizeof *act, by_time);
    puan_jw_key(w, "acts");
    puan_jw_list(w);
    for (size_t i = 0; i < n; i++) {
        const struct puan_flow_transition *t =
            &f->transitions[act[i].transition];
        const struct puan_flow_approval_run *p =
            t->approval >= 0 ? &run->approval[t->approval] : NULL;

        puan_jw_map(w);
        puan_library_label(w, &t->label);
        puan_jw_kinstant(w, "at", act[i].ms, offset);
        puan_jw_key(w, "signed");
        puan_jw_list(w);
        for (size_t k = 0; p != NULL && p->state == PUAN_FLOW_USED &&
                           k < p->n_sig; k++) {
            puan_jw_map(w);
            if (p->sig[k].seat >= 0)
                puan_library_label(w, &f->seats[p->sig[k].seat].label);
            puan_jw_kinstant(w, "at", p->sig[k].ms, offset);
            puan_jw_end(w, '}');
        }
        puan_jw_end(w, ']');
        puan_jw_end(w, '}');
    }
    puan_jw_end(w, ']');
}

/* The version and the plan a run began with. */
static enum puan_status pinned(int64_t *version,
                               uint8_t plan[PUAN_DIGEST_SIZE],
                               struct puan_db *db, int64_t id,
                               struct puan_err *err)
{
    struct puan_stmt *s = NULL;
    struct puan_str bytes;
    bool more = false;
    enum puan_status st;

    memset(plan, 0, PUAN_DIGEST_SIZE);
    *version = 0;
    TRY(puan_sql(&s, db, "SELECT version, plan FROM case_run WHERE id = $1",
                 err));
    puan_bind_int(s, 1, id);
    st = puan_stmt_step(&more, s, err);
    if (st == PUAN_OK && more) {
        *version = puan_col_int(s, 0);
        bytes = puan_col_bytes(s, 1);
        if (bytes.n == PUAN_DIGEST_SIZE)
            memcpy(plan, bytes.p, PUAN_DIGEST_SIZE);
    }
    puan_stmt_done(s);
    return st;
}

static enum puan_status run_json(struct puan_jw *w, struct puan_request *rq,
                                 struct puan_db *db, const struct puan_flow *f,
                                 const struct puan_case_glance *g,
                                 struct puan_err *err)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    int offset = plan->offset_minutes;
    uint8_t digest[PUAN_DIGEST_SIZE];
    char hex[2 * PUAN_DIGEST_SIZE + 1];
    struct puan_flow_run *run = NULL;
    struct puan_case_row row;
    int64_t version;

    TRY(pinned(&version, digest, db, g->id, err));
    TRY(puan_case_read(&row, &run, rq->store, db, g->id, rq->arena, err));
    puan_hex(hex, digest, sizeof digest);
    puan_jw_map(w);
    puan_jw_kint(w, "id", g->id);
    puan_jw_ktext(w, "number", g->number);
    puan_jw_ktext(w, "title_zh", g->title_zh);
    puan_jw_ktext(w, "title_en", g->title_en);
    if (g->level.n > 0)
        puan_jw_kstr(w, "level", g->level);
    puan_area_put(w, puan_store_areas(rq->store), g->area);
    puan_jw_kstr(w, "state", f->states[g->state].name);
    puan_jw_kstr(w, "state_zh", f->states[g->state].zh);
    puan_jw_kstr(w, "state_en", f->states[g->state].en);
    puan_jw_kbool(w, "drill", g->drill);
    puan_jw_kinstant(w, "opened", g->opened_ms, offset);
    puan_jw_kbool(w, "ended", g->ended_ms != 0);
    if (g->ended_ms != 0)
        puan_jw_kinstant(w, "ended_at", g->ended_ms, offset);
    if (g->clock != NULL) {
        puan_jw_key(w, "clock");
        puan_jw_map(w);
        puan_library_label(w, g->clock);
        puan_jw_end(w, '}');
        puan_jw_kinstant(w, "due", g->due_ms, offset);
    }
    puan_jw_kint(w, "version", version);
    puan_jw_ktext(w, "plan", hex);
    puan_jw_kbool(w, "old",
                  version != f->version ||
                      memcmp(digest, plan->digest, sizeof digest) != 0);
    acts_json(w, run, offset);
    puan_jw_end(w, '}');
    return PUAN_OK;
}

enum puan_status puan_library_runs(struct puan_jw *w, struct puan_request *rq,
                                   const struct puan_flow *f,
                                   struct puan_err *err)
{
    struct puan_shard *office = puan_store_office(rq->store);
    struct puan_case_glance *g = NULL;
    size_t n = 0, open = 0, ended = 0, drills = 0;
    struct puan_db *db = NULL;
    enum puan_status st = PUAN_OK;

    if (puan_library_seen(rq, f))
        TRY(puan_case_glances(&g, &n, rq, f, false, err));
    if (n > 1)
        qsort(g, n, sizeof *g, by_need);
    for (size_t i = 0; i < n; i++) {
        open += g[i].ended_ms == 0;
        drills += g[i].drill;
    }
    TRY(puan_read_begin(&db, office, err));
    puan_jw_key(w, "counts");
    puan_jw_map(w);
    puan_jw_kint(w, "open", (int64_t)open);
    puan_jw_kint(w, "ended", (int64_t)(n - open));
    puan_jw_kint(w, "drills", (int64_t)drills);
    puan_jw_end(w, '}');
    puan_jw_key(w, "runs");
    puan_jw_list(w);
    for (size_t i = 0; st == PUAN_OK && i < n; i++) {
        if (g[i].ended_ms == 0 ? i >= OPEN_SHOWN : ended++ >= ENDED_SHOWN)
            continue;
        st = run_json(w, rq, db, f, &g[i], err);
    }
    puan_jw_end(w, ']');
    puan_read_end(office, db);
    return st;
}
