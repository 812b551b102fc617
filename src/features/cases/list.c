/*
 * Lists of cases, in the order of what is to be done: what is mine by due
 * time, then what waits for others.  Nothing secret is in a row: titles come
 * from open fields and words of lists only.
 */
#include <stdlib.h>

#include "core/area/area.h"
#include "features/cases/view.h"
#include "features/host/host.h"
#include "kit/os/heap.h"

#define SOON INT64_C(7200000)
#define DAY INT64_C(86400000)

/* ---- titles, numbers ------------------------------------------------------- */

void puan_case_title(struct puan_out *o, const struct puan_flow_run *run,
                     bool zh)
{
    const struct puan_flow *f = run->flow;
    int t = puan_flow_field(f, PUAN_STR("title"));

    if (t >= 0 && f->fields[t].type == PUAN_FLOW_TEXT && !f->fields[t].secret &&
        run->field[t].set) {
        puan_out_str(o, puan_flow_half(run->field[t].text, zh));
        return;
    }
    puan_out_str(o, zh ? f->label.zh : f->label.en);
    for (size_t i = 0; i < f->n_fields; i++) {
        const struct puan_flow_field *d = &f->fields[i];

        if (d->type != PUAN_FLOW_ENUM || d->secret || !run->field[i].set ||
            !PUAN_FLOW_HAS(f->open_needs, i))
            continue;
        puan_out_text(o, zh ? "：" : ": ");
        puan_out_str(o, zh ? d->words->codes[run->field[i].v].zh
                           : d->words->codes[run->field[i].v].en);
        return;
    }
}

struct puan_str puan_case_level(const struct puan_flow_run *run)
{
    const struct puan_flow *f = run->flow;
    int i = puan_flow_field(f, PUAN_STR("level"));

    if (i < 0 || f->fields[i].type != PUAN_FLOW_ENUM || f->fields[i].secret ||
        !run->field[i].set)
        return PUAN_STR("");
    return f->fields[i].words->codes[run->field[i].v].text;
}

/* Runs that only carry another thing's states have no number of their own. */
static bool numbered(const struct puan_flow *f)
{
    return f != NULL && !puan_str_is(f->subject, "lot") &&
           !puan_str_is(f->subject, "return");
}

static uint64_t hash(struct puan_str s)
{
    uint64_t h = 1469598103934665603u;

    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
    return h ? h : 1;
}

/* ---- faces ------------------------------------------------------------------- */

void puan_faces_init(struct puan_faces *f)
{
    memset(f, 0, sizeof *f);
    pthread_mutex_init(&f->lock, NULL);
}

static void forget(struct puan_face *f)
{
    free(f->title_zh);
    free(f->title_en);
    f->title_zh = f->title_en = NULL;
    f->n = 0;
}

void puan_faces_clear(struct puan_faces *f)
{
    for (size_t i = 0; i < f->n; i++)
        forget(&f->at[i]);
    free(f->at);
    pthread_mutex_destroy(&f->lock);
}

static struct puan_face *face_of(struct puan_faces *f, int64_t id)
{
    size_t lo = 0, hi = f->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (f->at[mid].id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < f->n && f->at[lo].id == id ? &f->at[lo] : NULL;
}

static int *count_of(struct puan_faces *f, int year)
{
    for (size_t i = 0; i < f->n_years; i++)
        if (f->year[i] == year)
            return &f->count[i];
    if (f->n_years == PUAN_COUNT(f->year))
        return NULL;
    f->year[f->n_years] = year;
    f->count[f->n_years] = 0;
    return &f->count[f->n_years++];
}

/* Gives the runs begun since the last time their numbers; under the lock. */
static enum puan_status number_new(struct puan_faces *f, struct puan_store *st,
                                   struct puan_db *db, struct puan_err *err)
{
    int64_t offset = puan_store_plan(st)->offset_minutes * INT64_C(60000);
    struct puan_stmt *s = NULL;
    bool more = false;
    enum puan_status rc;

    TRY(puan_sql(&s, db,
                 "SELECT id, flow, opened FROM case_run WHERE id > $1 ORDER BY"
                 " id",
                 err));
    puan_bind_int(s, 1, f->last);
    while ((rc = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        const struct puan_flow *flow = NULL;
        struct puan_face *at;
        char day[32];
        int64_t year = 0;
        int *n;

        f->last = puan_col_int(s, 0);
        if (puan_cases_flow(&flow, st, puan_col_text(s, 1), NULL) != PUAN_OK ||
            !numbered(flow))
            continue;
        puan_instant_text(day, puan_col_int(s, 2), (int)(offset / 60000));
        (void)!puan_int_parse(&year, (struct puan_str){ day, 4 });
        n = count_of(f, (int)year);
        if (f->n == f->cap) {
            size_t cap = f->cap ? 2 * f->cap : 64;
            struct puan_face *grown = realloc(f->at, cap * sizeof *grown);

            if (grown == NULL) {
                rc = puan_fail(err, PUAN_ENOMEM, "cases", "out of memory");
                break;
            }
            f->at = grown;
            f->cap = cap;
        }
        at = &f->at[f->n++];
        *at = (struct puan_face){ .id = f->last, .flow = flow,
                                  .year = (int)year };
        at->number = n ? ++*n : 0;
    }
    puan_stmt_done(s);
    return rc;
}

static struct puan_faces *faces(struct puan_store *st)
{
    struct puan_cases *c = puan_store_state(st, &puan_feature_cases);

    return &c->faces;
}

void puan_case_number(char out[24], struct puan_store *st, struct puan_db *db,
                      int64_t id)
{
    struct puan_faces *f = faces(st);
    struct puan_face *at = NULL;

    out[0] = '\0';
    pthread_mutex_lock(&f->lock);
    if (number_new(f, st, db, NULL) == PUAN_OK)
        at = face_of(f, id);
    if (at != NULL)
        puan_format(out, 24, "%04d-%03d", at->year, at->number);
    pthread_mutex_unlock(&f->lock);
}

static char *kept(struct puan_str s)
{
    char *p = malloc(s.n + 1);

    if (p != NULL) {
        memcpy(p, s.p ? s.p : "", s.n);
        p[s.n] = '\0';
    }
    return p;
}

/* The same text in an arena. */
static char *moved(struct puan_arena *a, char *text)
{
    size_t n = strlen(text) + 1;
    char *p = puan_new_n(a, n, char);

    if (p != NULL)
        memcpy(p, text, n);
    free(text);
    return p;
}

/* Who may not sign, though his seat may: who asked, who has signed. */
static void bar(struct puan_face_todo *t, const struct puan_flow_run *run)
{
    const struct puan_flow_approval *p = &run->flow->approvals[t->todo.index];
    const struct puan_flow_approval_run *r = &run->approval[t->todo.index];
    size_t n = 0;

    if (p->not_requester)
        t->barred[n++] = hash(r->requester);
    for (size_t i = 0; i < r->n_sig && n < PUAN_COUNT(t->barred); i++)
        t->barred[n++] = hash(r->sig[i].actor);
    if (p->rule == PUAN_FLOW_SEQUENCE && r->n_sig < p->n_seats)
        t->todo.by = (puan_flow_set)1 << p->seats[r->n_sig];
    for (size_t i = 0; p->rule == PUAN_FLOW_ALL && i < r->n_sig; i++)
        if (r->sig[i].seat >= 0)
            t->todo.by &= ~((puan_flow_set)1 << r->sig[i].seat);
}

static enum puan_status fold_face(struct puan_face *f, struct puan_store *st,
                                  struct puan_db *db, int64_t now,
                                  struct puan_err *err)
{
    struct puan_flow_todo todo[PUAN_FLOW_TODOS];
    struct puan_case_row row;
    struct puan_flow_run *run = NULL;
    struct puan_arena a;
    struct puan_out zh, en;
    size_t n;
    enum puan_status rc;

    puan_arena_init(&a, &puan_heap);
    rc = puan_case_read(&row, &run, st, db, f->id, &a, err);
    if (rc != PUAN_OK) {
        puan_arena_clear(&a);
        return rc;
    }
    forget(f);
    puan_out_init(&zh, &a);
    puan_out_init(&en, &a);
    puan_case_title(&zh, run, true);
    puan_case_title(&en, run, false);
    f->title_zh = kept(puan_out_view(&zh));
    f->title_en = kept(puan_out_view(&en));
    f->flow = run->flow;
    f->state = run->state;
    f->level = puan_case_level(run); /* of the flow's words: they stay */
    f->opener = hash(run->opener);
    f->clock = -1;
    f->again_ms = 0;
    for (size_t i = 0; i < run->flow->n_clocks; i++) {
        const struct puan_flow_clock_run *c = &run->clock[i];

        /* the next run opens by itself: nobody has to do that by then */
        if (run->flow->recurrence.clock == (int)i) {
            if (c->state == PUAN_FLOW_CLOCK_RUNNING)
                f->again_ms = c->due_ms;
            continue;
        }
        if ((c->state == PUAN_FLOW_CLOCK_RUNNING ||
             c->state == PUAN_FLOW_CLOCK_DUE) &&
            (f->clock < 0 || c->due_ms < f->due_ms)) {
            f->clock = (int)i;
            f->due_ms = c->due_ms;
        }
    }
    n = puan_flow_todos(todo, run, now, NULL);
    while (n > 0 && todo[n - 1].rank >= PUAN_FLOW_ASIDE)
        n--;
    f->n_todos = n < PUAN_FACE_TODOS ? n : PUAN_FACE_TODOS;
    for (size_t i = 0; i < f->n_todos; i++) {
        f->todo[i] = (struct puan_face_todo){ .todo = todo[i] };
        if (todo[i].kind == PUAN_FLOW_TODO_SIGN)
            bar(&f->todo[i], run);
    }
    f->n = row.n;
    f->folded_ms = now;
    puan_arena_clear(&a);
    if (f->title_zh == NULL || f->title_en == NULL) {
        forget(f);
        return puan_fail(err, PUAN_ENOMEM, "cases", "out of memory");
    }
    return PUAN_OK;
}

/* ---- rows --------------------------------------------------------------------- */

enum group { OVERDUE, WITHIN, TODAY, LATER, OTHERS, ENDED, GROUPS };
static const char *const group_word[GROUPS] = { "overdue", "soon",   "today",
                                                "later",   "others", "ended" };

/* A row of the store; of many only few are shown, so it is small. */
struct line {
    int64_t id, area, parent, opened_ms, ended_ms, n;
    const struct puan_flow *flow;
    const struct puan_face *face; /* good as long as the lock is held */
    struct puan_str subject;
    enum group group;
    enum group due; /* by its clock alone, whoever has to act */
    int mine;       /* index into face->todo, -1 */
    bool drill;
};

static int mine_of(const struct puan_face *f, const struct puan_flow_who *who,
                   uint64_t actor)
{
    for (size_t i = 0; i < f->n_todos; i++) {
        const struct puan_face_todo *t = &f->todo[i];
        bool barred = false;

        for (size_t k = 0; k < PUAN_COUNT(t->barred); k++)
            barred = barred || t->barred[k] == actor;
        for (size_t k = 0; !barred && k < f->flow->n_seats; k++)
            if (PUAN_FLOW_HAS(t->todo.by, k) &&
                puan_flow_seat_fits(f->flow, (int)k, who) &&
                (!puan_str_is(f->flow->seats[k].role, "any") ||
                 f->opener == actor))
                return (int)i;
    }
    return -1;
}

static enum group due_group(const struct puan_face *f, int64_t now,
                            int64_t midnight)
{
    if (f->clock < 0)
        return LATER;
    return f->due_ms < now           ? OVERDUE
           : f->due_ms <= now + SOON ? WITHIN
           : f->due_ms < midnight    ? TODAY
                                     : LATER;
}

static int by_due(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    int64_t dx = x->face->clock < 0 ? INT64_MAX : x->face->due_ms;
    int64_t dy = y->face->clock < 0 ? INT64_MAX : y->face->due_ms;

    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->group == ENDED && x->ended_ms != y->ended_ms)
        return x->ended_ms > y->ended_ms ? -1 : 1;
    if (dx != dy)
        return dx < dy ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

struct lines {
    struct line *at;
    size_t n, cap;
};

/* Rows of one flow into `out`; their faces as they were when last folded. */
static enum puan_status rows_of(struct lines *out, struct puan_request *rq,
                                struct puan_db *db, const struct puan_flow *f,
                                const struct puan_case_list *in,
                                struct puan_err *err)
{
    struct puan_flow_who who;
    struct puan_stmt *s = NULL;
    int64_t last = -1; /* area that was judged last */
    bool more = false, seen = false;
    enum puan_status st;

    TRY(puan_sql(&s, db,
                 "SELECT id, area, subject, state, drill, opened, ended,"
                 " parent, n FROM case_run WHERE flow = $1 AND ($2 = 0 OR"
                 " ended = 0) AND ($3 = '' OR state = $3) ORDER BY id",
                 err));
    puan_bind_text(s, 1, f->label.name);
    puan_bind_int(s, 2, in->open);
    puan_bind_text(s, 3, in->state.p ? in->state : PUAN_STR(""));
    while ((st = puan_stmt_step(&more, s, err)) == PUAN_OK && more) {
        struct line *l;
        int64_t area = puan_col_int(s, 1);

        if (area != last) {
            who = puan_case_who(rq, area);
            seen = puan_area_covers(rq->store, rq->area, area) &&
                   puan_case_seen_by(f, &who);
            last = area;
        }
        if (!seen)
            continue;
        if (out->n == out->cap) {
            size_t cap = out->cap ? 2 * out->cap : 64;
            struct line *grown = puan_new_n(rq->arena, cap, struct line);

            if (grown == NULL) {
                st = puan_arena_check(rq->arena, err);
                break;
            }
            if (out->n > 0)
                memcpy(grown, out->at, out->n * sizeof *grown);
            out->at = grown;
            out->cap = cap;
        }
        l = &out->at[out->n++];
        *l = (struct line){ .mine = -1 };
        l->id = puan_col_int(s, 0);
        l->flow = f;
        l->area = area;
        l->subject = puan_arena_keep(rq->arena, puan_col_text(s, 2));
        l->drill = puan_col_int(s, 4) != 0;
        l->opened_ms = puan_col_int(s, 5);
        l->ended_ms = puan_col_int(s, 6);
        l->parent = puan_col_int(s, 7);
        l->n = puan_col_int(s, 8);
    }
    puan_stmt_done(s);
    return st;
}

/* What only the fold knows; what is urgent may change by time alone, so a
 * face with a clock is folded again when a threshold has been passed. */
static enum puan_status fill_line(struct line *l, struct puan_request *rq,
                                  struct puan_db *db, struct puan_err *err)
{
    struct puan_faces *fs = faces(rq->store);
    struct puan_face *c = face_of(fs, l->id);
    bool own = c == NULL;

    if (own) {
        c = puan_new(rq->arena, struct puan_face);
        if (c == NULL)
            return puan_arena_check(rq->arena, err);
        c->id = l->id;
    }
    if (c->n != l->n || (c->clock >= 0 && c->due_ms > c->folded_ms &&
                      c->folded_ms + SOON < c->due_ms &&
                      rq->now + SOON >= c->due_ms))
        TRY(fold_face(c, rq->store, db, rq->now, err));
    if (own) { /* of this request alone: its titles go with it */
        c->title_zh = moved(rq->arena, c->title_zh);
        c->title_en = moved(rq->arena, c->title_en);
    }
    l->face = c;
    return puan_arena_check(rq->arena, err);
}

enum puan_status puan_case_brief(struct puan_case_brief *out,
                                 struct puan_request *rq, struct puan_db *db,
                                 int64_t id, struct puan_err *err)
{
    struct puan_faces *fs = faces(rq->store);
    struct line l = { .mine = -1 };
    struct puan_case_row row;
    enum puan_status st;

    *out = (struct puan_case_brief){ .title_zh = "", .title_en = "" };
    TRY(puan_case_row_read(&row, db, id, rq->arena, err));
    l.id = id;
    l.n = row.n;
    TRY(puan_cases_flow(&l.flow, rq->store, row.flow, err));
    pthread_mutex_lock(&fs->lock);
    st = number_new(fs, rq->store, db, err);
    if (st == PUAN_OK)
        st = fill_line(&l, rq, db, err);
    if (st == PUAN_OK) {
        const struct puan_face *f = l.face;

        if (f->number > 0)
            puan_format(out->number, sizeof out->number, "%04d-%03d", f->year,
                        f->number);
        out->level = f->level;
        out->title_zh = puan_arena_dup(rq->arena, puan_str_of(f->title_zh));
        out->title_en = puan_arena_dup(rq->arena, puan_str_of(f->title_en));
        if (f->clock >= 0 && row.ended_ms == 0) {
            out->clock = &l.flow->clocks[f->clock].label;
            out->due_ms = f->due_ms;
        }
        st = puan_arena_check(rq->arena, err);
    }
    pthread_mutex_unlock(&fs->lock);
    return st;
}

static void seats_words(struct puan_jw *w, const struct puan_flow *f,
                        puan_flow_set by, struct puan_arena *a)
{
    struct puan_out zh, en;
    bool first = true;

    puan_out_init(&zh, a);
    puan_out_init(&en, a);
    for (size_t i = 0; i < f->n_seats; i++) {
        if (!PUAN_FLOW_HAS(by, i))
            continue;
        if (!first) {
            puan_out_text(&zh, "、");
            puan_out_text(&en, ", ");
        }
        first = false;
        puan_out_str(&zh, f->seats[i].label.zh);
        puan_out_str(&en, f->seats[i].label.en);
    }
    puan_jw_kstr(w, "waits_zh", puan_out_view(&zh));
    puan_jw_kstr(w, "waits_en", puan_out_view(&en));
}

static const char *const act_word[] = { "take", "sign", "step",
                                        "act",  "ask",  "order" };

static struct puan_flow_label act_label(const struct puan_flow *f,
                                        const struct puan_flow_todo *t)
{
    switch (t->kind) {
    case PUAN_FLOW_TODO_SIGN:
    case PUAN_FLOW_TODO_ASK:
        return f->approvals[t->index].label;
    case PUAN_FLOW_TODO_STEP:
    case PUAN_FLOW_TODO_ORDER:
        return f->steps[t->index].label;
    case PUAN_FLOW_TODO_ACT:
        return f->transitions[t->index].label;
    case PUAN_FLOW_TODO_TAKE:
        break;
    }
    return (struct puan_flow_label){ PUAN_STR("take"), PUAN_STR("接手"),
                                     PUAN_STR("Take over") };
}

static void put_act(struct puan_jw *w, const struct puan_flow *f,
                    const struct puan_flow_todo *t)
{
    struct puan_flow_label l = act_label(f, t);

    puan_jw_map(w);
    puan_jw_ktext(w, "do", act_word[t->kind]);
    puan_jw_kstr(w, "id", l.name);
    puan_jw_kstr(w, "zh", l.zh);
    puan_jw_kstr(w, "en", l.en);
    puan_jw_end(w, '}');
}

static void put_line(struct puan_jw *w, struct puan_request *rq,
                     const struct line *l)
{
    const struct puan_face *f = l->face;
    const struct puan_flow *flow = l->flow;
    int offset = puan_store_plan(rq->store)->offset_minutes;
    char number[24] = "";

    if (f->number > 0)
        puan_format(number, sizeof number, "%04d-%03d", f->year, f->number);
    puan_jw_map(w);
    puan_jw_kint(w, "id", l->id);
    puan_jw_ktext(w, "number", number);
    puan_jw_kstr(w, "flow", flow->label.name);
    puan_jw_kstr(w, "flow_zh", flow->label.zh);
    puan_jw_kstr(w, "flow_en", flow->label.en);
    puan_jw_ktext(w, "title_zh", f->title_zh);
    puan_jw_ktext(w, "title_en", f->title_en);
    puan_area_put(w, puan_store_areas(rq->store), l->area);
    puan_jw_kstr(w, "subject", l->subject);
    if (f->level.n > 0)
        puan_jw_kstr(w, "level", f->level);
    puan_jw_kstr(w, "state", flow->states[f->state].name);
    puan_jw_kstr(w, "state_zh", flow->states[f->state].zh);
    puan_jw_kstr(w, "state_en", flow->states[f->state].en);
    puan_jw_kbool(w, "drill", l->drill);
    puan_jw_kinstant(w, "opened", l->opened_ms, offset);
    puan_jw_kbool(w, "ended", l->ended_ms != 0);
    if (l->ended_ms != 0)
        puan_jw_kinstant(w, "ended_at", l->ended_ms, offset);
    if (f->clock >= 0 && l->ended_ms == 0) {
        puan_jw_key(w, "clock");
        puan_jw_map(w);
        puan_jw_kstr(w, "id", flow->clocks[f->clock].label.name);
        puan_jw_kstr(w, "zh", flow->clocks[f->clock].label.zh);
        puan_jw_kstr(w, "en", flow->clocks[f->clock].label.en);
        puan_jw_end(w, '}');
        puan_jw_kinstant(w, "due", f->due_ms, offset);
        puan_jw_kbool(w, "overdue", f->due_ms < rq->now);
    }
    puan_jw_ktext(w, "group", group_word[l->group]);
    puan_jw_kbool(w, "mine", l->mine >= 0);
    if (l->mine >= 0) {
        puan_jw_key(w, "next_act");
        put_act(w, flow, &f->todo[l->mine].todo);
    } else if (f->n_todos > 0 && l->ended_ms == 0) {
        seats_words(w, flow, f->todo[0].todo.by, rq->arena);
    }
    puan_jw_end(w, '}');
}

static bool word_ok(struct puan_str s)
{
    for (size_t i = 0; i < GROUPS; i++)
        if (puan_str_is(s, group_word[i]))
            return true;
    return s.n == 0;
}

/* Groups them, and writes the page that was asked for. */
static void put_list(struct puan_request *rq, const struct puan_case_list *in,
                     struct lines *ls)
{
    const struct puan_plan *plan = puan_store_plan(rq->store);
    int64_t local = rq->now + plan->offset_minutes * INT64_C(60000);
    int64_t midnight = rq->now + DAY - local % DAY;
    uint64_t actor = hash(puan_str_of(rq->who.name));
    int64_t count[GROUPS] = { 0 }, limit = puan_page_limit(&in->page);
    int64_t last = -1;
    struct puan_flow_who who = { 0 };
    struct puan_jw *w;
    size_t n = 0, from;

    for (size_t i = 0; i < ls->n; i++) {
        struct line *l = &ls->at[i];
        bool ended = l->ended_ms != 0;

        if (l->area != last)
            who = puan_case_who(rq, l->area);
        last = l->area;
        l->mine = ended ? -1 : mine_of(l->face, &who, actor);
        l->due = ended ? ENDED : due_group(l->face, rq->now, midnight);
        l->group = ended ? ENDED : l->mine < 0 ? OTHERS : l->due;
        count[l->group]++;
        if ((in->mine && l->mine < 0) ||
            (in->due.n > 0 && !puan_str_is(in->due, group_word[l->due])) ||
            (in->group.n > 0 && !puan_str_is(in->group, group_word[l->group])))
            continue;
        if (n != i)
            ls->at[n] = *l;
        n++;
    }
    if (n > 1)
        qsort(ls->at, n, sizeof *ls->at, by_due);
    from = (size_t)in->page.cursor < n ? (size_t)in->page.cursor : n;
    w = puan_answer_begin(rq, 200);
    puan_jw_map(w);
    puan_jw_kinstant(w, "as_of", rq->now, plan->offset_minutes);
    puan_jw_kint(w, "total", (int64_t)n);
    puan_jw_key(w, "counts");
    puan_jw_map(w);
    for (size_t i = 0; i < GROUPS; i++)
        puan_jw_kint(w, group_word[i], count[i]);
    puan_jw_end(w, '}');
    puan_jw_key(w, "items");
    puan_jw_list(w);
    for (size_t i = from; i < n && i < from + (size_t)limit; i++)
        put_line(w, rq, &ls->at[i]);
    puan_jw_end(w, ']');
    puan_jw_key(w, "next");
    if (from + (size_t)limit < n)
        puan_jw_int(w, (int64_t)from + limit);
    else
        puan_jw_null(w);
    puan_jw_end(w, '}');
}

enum puan_status puan_case_list(struct puan_request *rq,
                                const struct puan_case_list *in,
                                struct puan_err *err)
{
    const struct puan_flows *all = puan_cases_flows(rq->store);
    struct puan_shard *office = puan_store_office(rq->store);
    struct lines ls = { 0 };
    struct puan_db *db = NULL;
    enum puan_status st;

    if (!word_ok(in->group) || !word_ok(in->due))
        return puan_fail(err, PUAN_EINVAL, in->group.n ? "group" : "due",
                         "overdue, soon, today, later, others or ended");
    TRY(puan_read_begin(&db, office, err));
    pthread_mutex_lock(&faces(rq->store)->lock);
    st = number_new(faces(rq->store), rq->store, db, err);
    for (size_t i = 0; st == PUAN_OK && i < all->n; i++) {
        const struct puan_flow *f = all->flow[i];

        if (in->flow.n > 0 ? puan_str_eq(in->flow, f->label.name)
                           : numbered(f))
            st = rows_of(&ls, rq, db, f, in, err);
    }
    for (size_t i = 0; st == PUAN_OK && i < ls.n; i++)
        st = fill_line(&ls.at[i], rq, db, err);
    puan_read_end(office, db);
    if (st == PUAN_OK)
        st = puan_arena_check(rq->arena, err);
    if (st == PUAN_OK)
        put_list(rq, in, &ls);
    pthread_mutex_unlock(&faces(rq->store)->lock);
    return st;
}

/* What the plan library shows of a run; under the lock of faces. */
static void glance_at(struct puan_case_glance *g, const struct line *l,
                      struct puan_request *rq, uint64_t actor)
{
    const struct puan_face *x = l->face;
    const struct puan_flow *f = l->flow;
    struct puan_flow_who who = puan_case_who(rq, l->area);
    int mine = l->ended_ms ? -1 : mine_of(x, &who, actor);

    *g = (struct puan_case_glance){
        .id = l->id, .area = l->area, .opened_ms = l->opened_ms,
        .ended_ms = l->ended_ms, .again_ms = x->again_ms, .state = x->state,
        .drill = l->drill, .level = x->level,
        .title_zh = puan_arena_dup(rq->arena, puan_str_of(x->title_zh)),
        .title_en = puan_arena_dup(rq->arena, puan_str_of(x->title_en))
    };
    if (x->number > 0)
        puan_format(g->number, sizeof g->number, "%04d-%03d", x->year,
                    x->number);
    if (x->clock >= 0 && l->ended_ms == 0) {
        g->clock = &f->clocks[x->clock].label;
        g->due_ms = x->due_ms;
    }
    if (mine >= 0) {
        g->act_kind = act_word[x->todo[mine].todo.kind];
        g->act = act_label(f, &x->todo[mine].todo);
    }
}

enum puan_status puan_case_glances(struct puan_case_glance **out, size_t *n,
                                   struct puan_request *rq,
                                   const struct puan_flow *f, bool open,
                                   struct puan_err *err)
{
    const struct puan_case_list in = { .open = open };
    struct puan_shard *office = puan_store_office(rq->store);
    uint64_t actor = hash(puan_str_of(rq->who.name));
    struct puan_faces *fs = faces(rq->store);
    struct lines ls = { 0 };
    struct puan_db *db = NULL;
    enum puan_status st;

    *n = 0;
    TRY(puan_read_begin(&db, office, err));
    pthread_mutex_lock(&fs->lock);
    st = number_new(fs, rq->store, db, err);
    if (st == PUAN_OK)
        st = rows_of(&ls, rq, db, f, &in, err);
    for (size_t i = 0; st == PUAN_OK && i < ls.n; i++)
        st = fill_line(&ls.at[i], rq, db, err);
    *out = puan_new_n(rq->arena, ls.n, struct puan_case_glance);
    for (size_t i = 0; st == PUAN_OK && *out != NULL && i < ls.n; i++)
        glance_at(&(*out)[i], &ls.at[i], rq, actor);
    pthread_mutex_unlock(&fs->lock);
    puan_read_end(office, db);
    TRY(st);
    TRY(puan_arena_check(rq->arena, err));
    *n = ls.n;
    return PUAN_OK;
}
